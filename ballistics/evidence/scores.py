"""A table of scored comparisons whose ground truth is known: score, how much was compared, firearms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ballistics.comparison import Score as Score
from ballistics.errors import ParameterError
from ballistics.methods import scored_as

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
# The model of each score, the headline score first. For the count the distributions of Zhang 2021, for the correlation
# the field's standard; that of the similarity follows from how evidence adds up over area (`models.area_model`).
SCORE_MODELS: Mapping[Score, str] = {
    "similarity": "log-normal over area",
    "count": "beta-binomial",
    "correlation": "logistic",
}
# Striae are weighed without their common length: given it, as areas are given, lands, screwdrivers and pliers were all
# weighed worse (docs/striations.md).
_STRIATED_MODELS: Mapping[Score, str] = {**SCORE_MODELS, "similarity": "logistic"}


def score_models(mark_kind: str) -> Mapping[Score, str]:
    """Return the model of each score of a kind of mark, the headline score first.

    Examples
    --------
    >>> score_models("land engraved area")["similarity"]
    'logistic'
    """
    return _STRIATED_MODELS if scored_as(mark_kind).family == "striated" else SCORE_MODELS


# How much was compared: numbers of cells, common areas in mm², or lengths in mm.
Extent = Integers | Floats | None


@dataclass(frozen=True)
class ScoreTable:
    """Comparisons with known truth, one row per pair of marks.

    Two marks are of the same source exactly when their firearms are equal, so that the truth
    cannot contradict the firearms.

    Parameters
    ----------
    score : ndarray of float64, shape (n,)
        The score of each comparison, larger = more similar. For a count model: the number of
        congruent cells.
    firearm_a, firearm_b : tuple of str, length n
        The firearm of each of the two marks.
    cells : ndarray of int64, shape (n,), optional
        Number of cells compared, each pair's own N; None for scores that are not counts.
    scan_a, scan_b : tuple of str, length n, optional
        Which scans were compared (their SHA-256; of bullets those of all lands, with spaces between them); empty when
        not known.
    area_mm2, length_mm : ndarray of float64, shape (n,), optional
        Common area of the two marks in mm², or of striated marks their common length in mm, for a score that grows
        with it. Of cells, area and length a table has at most one.

    Raises
    ------
    ParameterError
        For columns of different lengths, scores that are missing or infinite, counts that are
        not whole numbers between 0 and N, areas or lengths that are not positive.

    Examples
    --------
    >>> table = ScoreTable.build([27, 1, 0], ["P1", "P1", "P2"], ["P1", "P2", "P3"], cells=[30, 30, 28])
    >>> table.same_source.tolist(), table.firearms
    ([True, False, False], ('P1', 'P2', 'P3'))
    """

    score: Floats
    firearm_a: tuple[str, ...]
    firearm_b: tuple[str, ...]
    cells: Integers | None = None
    scan_a: tuple[str, ...] = ()
    scan_b: tuple[str, ...] = ()
    area_mm2: Floats | None = None
    length_mm: Floats | None = None

    def __post_init__(self) -> None:
        n = len(self.score)
        for name in ("firearm_a", "firearm_b", "scan_a", "scan_b"):
            column = getattr(self, name)
            if len(column) != n and not (name.startswith("scan") and not column):
                raise ParameterError(f"{n} scores but {len(column)} of {name}: give one per comparison")
        if len(self.scan_a) != len(self.scan_b):
            raise ParameterError("scan_a and scan_b must be given together")
        # Squares must not overflow; no similarity score comes near this limit.
        wrong = ~(np.abs(self.score) < 1e100)
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise ParameterError(f"score of row {row} is {self.score[row]}: leave out pairs without a score")
        if sum(extent is not None for extent in (self.cells, self.area_mm2, self.length_mm)) > 1:
            raise ParameterError("a score is out of cells, over an area or over a length, not both: give one of them")
        if self.cells is not None:
            _check_counts(self.score, self.cells)
        if self.area_mm2 is not None:
            _check_sizes(self.score, self.area_mm2, "area", "mm²")
        if self.length_mm is not None:
            _check_sizes(self.score, self.length_mm, "length", "mm")

    @classmethod
    def build(
        cls,
        score: Sequence[float] | Floats,
        firearm_a: Iterable[object],
        firearm_b: Iterable[object],
        cells: Sequence[int] | Integers | None = None,
        scan_a: Iterable[str] = (),
        scan_b: Iterable[str] = (),
        area_mm2: Sequence[float] | Floats | None = None,
        length_mm: Sequence[float] | Floats | None = None,
    ) -> ScoreTable:
        """Build a table from any sequences; firearm names become text.

        Parameters
        ----------
        score : sequence of float
            As of the class, like all that follow; any sequence is taken.
        firearm_a, firearm_b : iterable
            Names, or numbers that are taken as names.
        cells : sequence of int, optional
            Each pair's own N.
        scan_a, scan_b : iterable of str, optional
            SHA-256 of the scans.
        area_mm2 : sequence of float, optional
            Common areas in mm².
        length_mm : sequence of float, optional
            Common lengths in mm. Of cells, areas and lengths at most one kind is given.

        Raises
        ------
        ParameterError
            As of the class.
        """
        return cls(
            np.asarray(score, dtype=np.float64).reshape(-1),
            tuple(str(name) for name in firearm_a),
            tuple(str(name) for name in firearm_b),
            None if cells is None else _whole(cells),
            tuple(scan_a),
            tuple(scan_b),
            None if area_mm2 is None else np.asarray(area_mm2, dtype=np.float64).reshape(-1),
            None if length_mm is None else np.asarray(length_mm, dtype=np.float64).reshape(-1),
        )

    def __len__(self) -> int:
        return len(self.score)

    @cached_property
    def same_source(self) -> Booleans:
        """Ground truth of each row, shape (n,)."""
        return np.array([a == b for a, b in zip(self.firearm_a, self.firearm_b, strict=True)], dtype=np.bool_)

    @cached_property
    def firearms(self) -> tuple[str, ...]:
        """Every firearm of the table, sorted."""
        return tuple(sorted({*self.firearm_a, *self.firearm_b}))

    @cached_property
    def firearm_indices(self) -> tuple[Integers, Integers]:
        """Positions of firearm_a and firearm_b of each row in ``firearms``, each of shape (n,)."""
        position = {name: i for i, name in enumerate(self.firearms)}
        return (
            np.array([position[name] for name in self.firearm_a], dtype=np.int64),
            np.array([position[name] for name in self.firearm_b], dtype=np.int64),
        )

    @property
    def extent(self) -> Extent:
        """How much was compared, shape (n,): number of cells, common area in mm² or length in mm; None for none."""
        sizes = (self.cells, self.area_mm2, self.length_mm)
        return next((extent for extent in sizes if extent is not None), None)

    @property
    def scans(self) -> frozenset[str]:
        """Every scan that took part."""
        return frozenset((*self.scan_a, *self.scan_b))

    def rows(self, chosen: Booleans) -> ScoreTable:
        """Return the table of the chosen rows only (``chosen``: bool, shape (n,))."""
        index = np.flatnonzero(chosen)

        def pick(column: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(column[i] for i in index) if column else ()

        return ScoreTable(
            self.score[index],
            pick(self.firearm_a),
            pick(self.firearm_b),
            None if self.cells is None else self.cells[index],
            pick(self.scan_a),
            pick(self.scan_b),
            None if self.area_mm2 is None else self.area_mm2[index],
            None if self.length_mm is None else self.length_mm[index],
        )

    @cached_property
    def _distinct(self) -> tuple[Floats, Integers]:
        """Distinct (score, extent), and the row of them that each comparison has."""
        extent = np.zeros(len(self)) if self.extent is None else self.extent
        values, inverse = np.unique(np.column_stack([self.score, extent]), axis=0, return_inverse=True)
        return np.asarray(values, np.float64), inverse.reshape(-1).astype(np.int64)

    def canonical(self) -> ScoreTable:
        """Return the same comparisons with marks and rows in one fixed order."""
        flip = [a > b for a, b in zip(self.firearm_a, self.firearm_b, strict=True)]
        if self.scan_a:
            flip = [
                (a, x) > (b, y)
                for a, b, x, y in zip(self.firearm_a, self.firearm_b, self.scan_a, self.scan_b, strict=True)
            ]
        firearm_a, firearm_b = _swapped(self.firearm_a, self.firearm_b, flip)
        scan_a, scan_b = _swapped(self.scan_a, self.scan_b, flip)
        extent = [0] * len(self) if self.extent is None else self.extent.tolist()
        names = list(zip(firearm_a, firearm_b, strict=True))
        scans = list(zip(scan_a, scan_b, strict=True)) or [("", "")] * len(self)
        order = sorted(range(len(self)), key=lambda i: (names[i], scans[i], self.score[i], extent[i]))
        return ScoreTable(
            self.score[order],
            tuple(firearm_a[i] for i in order),
            tuple(firearm_b[i] for i in order),
            None if self.cells is None else self.cells[order],
            tuple(scan_a[i] for i in order) if scan_a else (),
            tuple(scan_b[i] for i in order) if scan_b else (),
            None if self.area_mm2 is None else self.area_mm2[order],
            None if self.length_mm is None else self.length_mm[order],
        )

    def grouped(self, weight: Floats | Integers | None = None) -> GroupedScores:
        """Return the distinct (score, extent) values in order, with the weight of each class.

        Sums of whole-number weights are exact, so every model that is fitted on this form is
        unchanged, to the last bit, by the order of the rows and by swapping the two marks.
        """
        values, inverse = self._distinct
        weights = np.ones(len(self)) if weight is None else np.asarray(weight, dtype=np.float64)
        same = self.same_source
        n = len(values)
        same_weight = np.bincount(inverse, np.where(same, weights, 0.0), minlength=n)
        different_weight = np.bincount(inverse, np.where(same, 0.0, weights), minlength=n)
        used = same_weight + different_weight > 0
        return GroupedScores(
            values[used, 0],
            None if self.extent is None else values[used, 1].astype(self.extent.dtype),
            same_weight[used].astype(np.float64),
            different_weight[used].astype(np.float64),
        )


@dataclass(frozen=True)
class GroupedScores:
    """Distinct scores with the number of same-source and different-source pairs at each.

    Parameters
    ----------
    score : ndarray of float64, shape (m,)
        Distinct scores (with ``extent``: distinct pairs of score and extent), ascending.
    extent : ndarray, shape (m,), or None
        How much was compared: N of each count (int64), or the common area in mm² or length in mm (float64).
    same, different : ndarray of float64, shape (m,)
        Weight of the same-source and of the different-source pairs there.
    """

    score: Floats
    extent: Extent
    same: Floats
    different: Floats


def counts_of(grouped: GroupedScores) -> tuple[Integers, Integers]:
    """Return counts k and cell numbers N of grouped count scores, each of shape (m,)."""
    if grouped.extent is None or grouped.extent.dtype.kind != "i":
        raise ParameterError("a count model needs each pair's own number of cells: the table has no 'cells'")
    return grouped.score.astype(np.int64), grouped.extent.astype(np.int64)


def sizes_of(grouped: GroupedScores) -> tuple[Floats, Floats]:
    """Return scores in nats and common areas in mm², or lengths in mm, of grouped scores, each of shape (m,)."""
    if grouped.extent is None or grouped.extent.dtype.kind != "f":
        raise ParameterError(
            "this model needs each pair's own common extent: the table has no 'area_mm2' and no 'length_mm'"
        )
    return grouped.score, grouped.extent.astype(np.float64)


def _swapped(
    first: tuple[str, ...], second: tuple[str, ...], flip: list[bool]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if not first:
        return first, second
    pairs = [(b, a) if swap else (a, b) for a, b, swap in zip(first, second, flip, strict=True)]
    return tuple(a for a, _ in pairs), tuple(b for _, b in pairs)


def _whole(values: Sequence[int] | Integers) -> Integers:
    array = np.asarray(values)
    whole = array.astype(np.int64)
    if not np.array_equal(whole, array):
        raise ParameterError("numbers of cells must be whole numbers")
    return whole.reshape(-1)


def _check_counts(score: Floats, cells: Integers) -> None:
    if len(score) != len(cells):
        raise ParameterError(f"{len(score)} scores but {len(cells)} numbers of cells: give one each")
    wrong = (score != np.floor(score)) | (score < 0) | (score > cells) | (cells < 1)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise ParameterError(
            f"row {row}: count {score[row]:g} of {cells[row]} cells; "
            "a count is a whole number from 0 to N, and N is at least 1"
        )


def _check_sizes(score: Floats, sizes: Floats, what: str, unit: str) -> None:
    if len(score) != len(sizes):
        raise ParameterError(f"{len(score)} scores but {len(sizes)} common {what}s: give one each")
    wrong = ~((sizes > 0) & (sizes < 1e6))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise ParameterError(f"row {row}: a common {what} of {sizes[row]:g} {unit}; it must be above 0")
