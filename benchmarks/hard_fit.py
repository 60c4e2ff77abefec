"""How like real marks simulated ones are: nats per mm², agreement and roughness octave by octave."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ballistics.errors import ReadError, UnitsError
from ballistics.evidence.truth_table import read_truth
from ballistics.impressions.compare import compare
from ballistics.impressions.similarity import SimilarityParameters
from ballistics.surfaces.filters import low_pass
from ballistics.surfaces.preparation import prepare
from ballistics.surfaces.reading import read
from ballistics.surfaces.surface import Mark, Surface
from benchmarks.pairs import for_all
from benchmarks.record import Context

_QUANTILES = ((0.0, "lowest"), (0.25, "lower quarter"), (0.5, "median"), (0.75, "upper quarter"), (1.0, "highest"))
_SETS = {"Fadul": "fadul", "TopMatch": "topmatch"}
_OCTAVES_UM = tuple(itertools.pairwise((15.625, *SimilarityParameters().octaves_um)))
# Every so many different-source pairs, so that real sets take a minute.
_EVERY = {"Fadul": 12, "TopMatch": 1}


@dataclass(frozen=True)
class _Pair:
    same: bool
    nats_per_mm2: float
    correlations: tuple[float, ...]


@dataclass(frozen=True)
class Likeness:
    """What simulated and real marks are held against each other by.

    Parameters
    ----------
    pairs : tuple
        Similarity over common area, and correlation in each of its octaves, of pairs of both kinds.
    roughness_um : tuple of tuples of float
        Of each mark: rms in the octaves 16 to 31, 31 to 62, 62 to 125 and 125 to 250 µm.
    """

    pairs: tuple[_Pair, ...]
    roughness_um: tuple[tuple[float, ...], ...]

    def figures(self) -> Iterator[tuple[str, float, str, int]]:
        """Yield metric, value, unit and number of cases."""
        for same, kind in ((True, "same source"), (False, "different source")):
            values = np.array([pair.nats_per_mm2 for pair in self.pairs if pair.same == same])
            values = values[np.isfinite(values)]
            for share, name in _QUANTILES if len(values) else ():
                yield f"{kind}: nats per mm², {name}", float(np.quantile(values, share)), "nats/mm²", len(values)
        alike = np.array([pair.correlations for pair in self.pairs if pair.same and pair.correlations])
        for (shortest, longest), column in zip(_OCTAVES_UM[1:], alike.T, strict=False):
            yield f"same source: correlation {_name(shortest, longest)}", float(np.median(column)), "r", len(column)
        for (shortest, longest), column in zip(_OCTAVES_UM, np.array(self.roughness_um).T, strict=True):
            yield f"roughness {_name(shortest, longest)}", float(np.median(column)), "µm rms", len(column)


def likeness(marks: Sequence[Mark], firearms: Sequence[str], every: int, what: str) -> Likeness:
    """Compare all same-source pairs and every so many of the others; mirrored pairs are left out.

    Parameters
    ----------
    marks, firearms : sequence
        Prepared marks, and the firearm of each.
    every : int
        Of the different-source pairs, in order.
    what : str
        For the progress bar.
    """
    pairs = list(itertools.combinations([k for k, mark in enumerate(marks) if mark.insufficient is None], 2))
    same = [pair for pair in pairs if firearms[pair[0]] == firearms[pair[1]]]
    different = [pair for pair in pairs if firearms[pair[0]] != firearms[pair[1]]]
    found = for_all(partial(_pair, tuple(marks), tuple(firearms)), [*same, *different[::every]], what)
    return Likeness(
        tuple(pair for pair in found if pair is not None),
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


def _pair(marks: tuple[Mark, ...], firearms: tuple[str, ...], pair: tuple[int, int]) -> _Pair | None:
    a, b = pair
    result = compare(marks[a], marks[b])
    same = firearms[a] == firearms[b]
    if same and any(finding.code == "mirrored" for finding in result.findings):
        return None
    alike = result.similarity
    if alike is None or alike.insufficient is not None:
        return _Pair(same, float("nan"), ())
    correlations = tuple(octave.correlation for octave in alike.octaves)
    return _Pair(same, alike.score / (alike.overlap_um2 * 1e-6), correlations)


def _read(path: Path) -> Surface:
    try:
        return read(path)
    except UnitsError:
        # Some of the makers wrote micrometres as metres.
        return read(path, units="micrometres")


def _name(shortest_um: float, longest_um: float) -> str:
    return f"{shortest_um:.0f}–{longest_um:.0f} µm"
