"""The weight of evidence of a comparison of two files, against reference populations in files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ballistics.comparison import Comparison
from ballistics.errors import ParameterError
from ballistics.evidence import ReferencePopulation, VerbalScale, load_reference
from ballistics.evidence import weigh as weigh_comparison
from ballistics.front.file_comparison import FileComparison
from ballistics.reports import Evaluation
from ballistics.surfaces import Mark, Surface, instrument_of, stated_by_file

AnyPath = str | os.PathLike[str]


@dataclass(frozen=True)
class Weighing:
    """What comparisons are weighed with: read before the work, so that a fault in it is known before.

    Parameters
    ----------
    populations : tuple of ReferencePopulation
    calibre, instrument, ammunition : tuple of str
        Of the two items.
    scale : VerbalScale
        Of the words.
    language : str
        Of the sentences.
    options : tuple of str
        The words of the command line that give the same.
    """

    populations: tuple[ReferencePopulation, ...]
    calibre: tuple[str, ...]
    instrument: tuple[str, ...]
    ammunition: tuple[str, ...]
    scale: VerbalScale
    language: str = "en"
    options: tuple[str, ...] = ()

    def of(self, result: FileComparison) -> FileComparison:
        """Return the comparison with its weight of evidence, or with the reason why there is none."""
        return replace(result, evaluation=self.evaluate(result.comparison, result.marks, result.surfaces))

    def evaluate(
        self,
        comparison: Comparison,
        marks: Sequence[Mark],
        surfaces: Sequence[Surface],
        populations: Sequence[ReferencePopulation] | None = None,
    ) -> Evaluation:
        """Weigh a comparison of the marks of two scans.

        Parameters
        ----------
        comparison : Comparison
        marks, surfaces : sequence
            What was compared, and the scans it was taken from: two of each, or all lands of two bullets.
        populations : sequence of ReferencePopulation, optional
            Some of the populations only; all by default.
        """
        scans = [s.provenance.inputs["file"] for s in surfaces if s.provenance is not None]
        # Where a file speaks, it goes before what was stated.
        instruments = [n for s in surfaces for n in instrument_of(stated_by_file(s), self.instrument)[0]]
        chosen = self.populations if populations is None else populations
        weighed = weigh_comparison(comparison, marks, chosen, self.calibre, instruments, self.ammunition, scans)
        return Evaluation(weighed, self.language, self.scale, self.options)


def weighing(
    reference: AnyPath | Sequence[AnyPath],
    *,
    calibre: str | Iterable[str] = (),
    instrument: str | Iterable[str] = (),
    ammunition: str | Iterable[str] = (),
    language: str = "en",
    verbal_scale: AnyPath | None = None,
) -> Weighing:
    """Read what comparisons are weighed with.

    Parameters
    ----------
    reference : path, or sequence of paths
        Reference populations (`ballistics reference build`), or folders of them.
    calibre, instrument, ammunition : str, or iterable of str
        Of the two items; two where they differ.
    language : str
        Of the sentences.
    verbal_scale : path, optional
        The laboratory's own verbal scale (JSON); ENFSI 2015 by default.

    Returns
    -------
    Weighing

    Raises
    ------
    ParameterError
        When a folder holds no population.
    CorruptFileError
        When a population or the scale cannot be read.
    """
    paths = [Path(path) for path in ([reference] if isinstance(reference, (str, os.PathLike)) else reference)]
    populations = tuple(population for path in _files(paths) for population in load_reference(path))
    items, instruments, loads = _several(calibre), _several(instrument), _several(ammunition)
    labels = {"calibre": items, "instrument": instruments, "ammunition": loads}
    words = [word for path in paths for word in ("--reference", path.resolve().name)]
    words += [word for name, values in labels.items() for value in values for word in (f"--{name}", value)]
    words += ["--language", language] if language != "en" else []
    words += ["--verbal-scale", Path(verbal_scale).name] if verbal_scale else []
    scale = VerbalScale.load(Path(verbal_scale) if verbal_scale else None)
    return Weighing(populations, items, instruments, loads, scale, language, tuple(words))


def weigh(
    result: FileComparison,
    reference: AnyPath | Sequence[AnyPath],
    *,
    calibre: str | Iterable[str] = (),
    instrument: str | Iterable[str] = (),
    ammunition: str | Iterable[str] = (),
    language: str = "en",
    verbal_scale: AnyPath | None = None,
) -> FileComparison:
    """Weigh a comparison by the reference population that covers it.

    Parameters
    ----------
    result : FileComparison
        Of `compare_files`.
    reference : path, or sequence of paths
        Reference populations (`ballistics reference build`), or folders of them; the largest that covers the
        comparison is used.
    calibre, instrument, ammunition : str, or iterable of str
        Of the two items; two where they differ. Calibre must be stated, and the class of instrument where the files
        name none.
    language : str
        Of the sentences.
    verbal_scale : path, optional
        The laboratory's own verbal scale (JSON); ENFSI 2015 by default.

    Returns
    -------
    FileComparison
        The same with its ``evaluation``: a bounded likelihood ratio, or the reason why there is none.

    Raises
    ------
    ParameterError
        When a folder holds no population.
    CorruptFileError
        When a population or the scale cannot be read.
    """
    stated = weighing(
        reference,
        calibre=calibre,
        instrument=instrument,
        ammunition=ammunition,
        language=language,
        verbal_scale=verbal_scale,
    )
    return stated.of(result)


def _several(value: str | Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _files(references: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for path in references:
        own = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not own:
            raise ParameterError(f"{path} holds no reference population (*.json): build one, or name another folder")
        files += own
    return files
