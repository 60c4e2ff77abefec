"""Scans with known firearms, as marks and as pairs: what the accuracy benchmarks compare."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray
from rich.progress import track

from ballistics.surfaces.formats.reading import read
from ballistics.surfaces.preparation.preparing import prepare
from ballistics.surfaces.surface import Mark
from benchmarks.support.record import Context

Result = TypeVar("Result")


@dataclass(frozen=True)
class ScanSet:
    """Marks with the firearm that made each.

    Parameters
    ----------
    name : str
        What the set is called in a protocol.
    scans, firearms : tuple of str
        Name and firearm of each scan.
    marks : tuple of Mark
        Their prepared breech faces.
    """

    name: str
    scans: tuple[str, ...]
    firearms: tuple[str, ...]
    marks: tuple[Mark, ...]

    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Return the indices of all pairs."""
        return tuple(itertools.combinations(range(len(self.scans)), 2))

    def same_source(self, pairs: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
        """Return which pairs come from one firearm."""
        return np.array([self.firearms[i] == self.firearms[j] for i, j in pairs], bool)


def load(context: Context) -> ScanSet:
    """Read and prepare the Fadul set, or the folder given with ``--data``."""
    folder = context.data if context.own else context.data / "breech-faces" / "fadul"
    with open(folder / "truth.csv", newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    if context.quick:
        kept = sorted({row["firearm"] for row in rows})[:4]
        rows = [row for row in rows if row["firearm"] in kept]
    marks = [prepare(read(folder / row["scan"]), "breech face") for row in track(rows, "reading and preparing")]
    name = folder.name if context.own else "Fadul"
    return ScanSet(
        name, tuple(Path(row["scan"]).stem for row in rows), tuple(row["firearm"] for row in rows), tuple(marks)
    )


def thinned(scans: ScanSet, context: Context, every: int) -> tuple[tuple[int, int], ...]:
    """Return all pairs; in a quick run all same-source pairs, and one in ``every`` different-source pairs."""
    pairs = scans.pairs()
    if not context.quick:
        return pairs
    same = scans.same_source(pairs)
    different = [pair for pair, s in zip(pairs, same, strict=True) if not s]
    return tuple(pair for pair, s in zip(pairs, same, strict=True) if s) + tuple(different[::every])


def for_all(
    function: Callable[[tuple[int, int]], Result], pairs: Sequence[tuple[int, int]], what: str
) -> Iterator[Result]:
    """Apply a function to all pairs, over all workers, in order, with a progress bar."""
    # As many processes as the runner's --workers says: its joblib configuration is in force.
    workers = Parallel(n_jobs=None, return_as="generator", batch_size=1)
    yield from track(workers(delayed(function)(pair) for pair in pairs), what, total=len(pairs))


def auc(same: NDArray[np.float64], different: NDArray[np.float64]) -> float:
    """Return the chance that a same-source score is above a different-source one; ties count half."""
    if len(same) == 0 or len(different) == 0:
        return float("nan")
    above = (same[:, None] > different[None, :]).mean()
    level = (same[:, None] == different[None, :]).mean()
    return float(above + 0.5 * level)
