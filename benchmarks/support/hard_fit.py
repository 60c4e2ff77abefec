"""How closely simulated marks resemble real ones: nats per mm², agreement and roughness in each octave."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ballistics.errors import ReadError, UnitsError
from ballistics.impressions.comparing import compare
from ballistics.impressions.comparison import ImpressionComparison
from ballistics.impressions.similarity import SimilarityParameters
from ballistics.studies.truth_table import read_truth
from ballistics.surfaces.filtering.filters import low_pass
from ballistics.surfaces.formats.reading import read
from ballistics.surfaces.preparation.preparing import prepare
from ballistics.surfaces.surface import Mark, Surface
from benchmarks.support.pairs import for_all
from benchmarks.support.record import Context

_QUANTILES = ((0.0, "lowest"), (0.25, "lower quarter"), (0.5, "median"), (0.75, "upper quarter"), (1.0, "highest"))
_SETS = {"Fadul": "fadul", "TopMatch": "topmatch"}
_OCTAVES_UM = tuple(itertools.pairwise((15.625, *SimilarityParameters().octaves_um)))
# One different-source pair in this number, so that real sets take a minute.
_EVERY = {"Fadul": 24, "TopMatch": 2}


@dataclass(frozen=True)
class Alike:
    """Whether a pair has one source, and its similarity over the common area; NaN when insufficient."""

    same: bool
    nats_per_mm2: float


@dataclass(frozen=True)
class Likeness:
    """The figures by which simulated and real marks are compared.

    Parameters
    ----------
    pairs : tuple of Alike
        Pairs of both kinds.
    correlations : tuple of tuples of float
        Of each same-source pair with a score: in the octaves of the similarity.
    roughness_um : tuple of tuples of float
        Of each mark: rms in the octaves 16 to 31, 31 to 62, 62 to 125 and 125 to 250 µm.
    """

    pairs: tuple[Alike, ...]
    correlations: tuple[tuple[float, ...], ...] = ()
    roughness_um: tuple[tuple[float, ...], ...] = ()

    def figures(self) -> Iterator[tuple[str, float, str, int]]:
        """Yield metric, value, unit and number of cases."""
        for same, kind in ((True, "same source"), (False, "different source")):
            values = np.array([pair.nats_per_mm2 for pair in self.pairs if pair.same == same])
            values = values[np.isfinite(values)]
            for share, name in _QUANTILES if len(values) else ():
                yield f"{kind}: nats per mm², {name}", float(np.quantile(values, share)), "nats/mm²", len(values)
        for (shortest, longest), column in zip(_OCTAVES_UM[1:], np.array(self.correlations).T, strict=False):
            yield f"same source: correlation {_name(shortest, longest)}", float(np.median(column)), "r", len(column)
        for (shortest, longest), column in zip(_OCTAVES_UM, np.array(self.roughness_um).T, strict=False):
            yield f"roughness {_name(shortest, longest)}", float(np.median(column)), "µm rms", len(column)


def likeness(marks: Sequence[Mark], firearms: Sequence[str], every: int | None, what: str) -> Likeness:
    """Compare all same-source pairs, and one in ``every`` of the others; mirrored pairs are left out.

    Parameters
    ----------
    marks, firearms : sequence
        Prepared marks, and the firearm of each.
    every : int or None
        Of the different-source pairs, in order; None for none of them.
    what : str
        For the progress bar.
    """
    pairs = list(itertools.combinations([k for k, mark in enumerate(marks) if mark.insufficient is None], 2))
    same = [pair for pair in pairs if firearms[pair[0]] == firearms[pair[1]]]
    different = [pair for pair in pairs if firearms[pair[0]] != firearms[pair[1]]]
    chosen = same + (different[::every] if every else [])
    found = zip(chosen, for_all(partial(_compared, tuple(marks)), chosen, what), strict=True)
    kept = [(a, b, result) for (a, b), result in found if not (firearms[a] == firearms[b] and _mirrored(result))]
    return Likeness(
        tuple(Alike(firearms[a] == firearms[b], _nats_per_mm2(result)) for a, b, result in kept),
        tuple(
            tuple(octave.correlation for octave in result.similarity.octaves)
            for a, b, result in kept
            if firearms[a] == firearms[b] and result.similarity is not None and result.similarity.insufficient is None
        ),
        tuple(roughness_um(mark) for mark in marks if mark.insufficient is None),
    )


def likeness_of_real(context: Context) -> Iterator[tuple[str, Likeness]]:
    """Yield the name and the likeness of each given real set.

    Raises
    ------
    ReadError
        When the folder with the real data is absent.
    """
    for name, folder in _SETS.items():
        path = context.data / "breech-faces" / folder
        if not path.is_dir():
            raise ReadError(f"{path} is absent: set BALLISTICS_DATA to the folder with the real data")
        truths = read_truth(path / "truth.csv")[: 12 if context.quick else None]
        marks = [prepare(_read(path / truth.scan)) for truth in truths]
        yield name, likeness(marks, [truth.firearm for truth in truths], _EVERY[name], f"comparing, {name}")


def roughness_um(mark: Mark) -> tuple[float, ...]:
    """Return the rms of a mark's heights in each octave from 16 to 250 µm.

    Examples
    --------
    >>> wave = np.sin(2 * np.pi * np.arange(400) * 6.25 / 88.4) * np.ones((400, 1))
    >>> [round(rms, 2) for rms in roughness_um(Mark("breech face", wave.astype(np.float32), 6.25))]
    [0.0, 0.05, 0.35, 0.05]
    """
    spacing = mark.spacing_um, mark.spacing_um
    passed = [low_pass(mark.heights_um, spacing, _OCTAVES_UM[0][0])]
    passed += [low_pass(mark.heights_um, spacing, longest) for _, longest in _OCTAVES_UM]
    return tuple(float(np.nanstd(fine - rough)) for fine, rough in itertools.pairwise(passed))


def _compared(marks: tuple[Mark, ...], pair: tuple[int, int]) -> ImpressionComparison:
    return compare(marks[pair[0]], marks[pair[1]])


def _mirrored(comparison: ImpressionComparison) -> bool:
    return any(finding.code == "mirrored" for finding in comparison.findings)


def _nats_per_mm2(comparison: ImpressionComparison) -> float:
    alike = comparison.similarity
    return float("nan") if alike is None else alike.score / (alike.overlap_um2 * 1e-6)


def _read(path: Path) -> Surface:
    try:
        return read(path)
    except UnitsError:
        # Some of the makers wrote micrometres as metres.
        return read(path, units="micrometres")


def _name(shortest_um: float, longest_um: float) -> str:
    return f"{shortest_um:.0f}–{longest_um:.0f} µm"
