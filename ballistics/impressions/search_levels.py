"""The levels of a cell search: coarse maps through shared transforms, exact sums on the finer levels."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from ballistics_kernels.filters import decimate
from ballistics_kernels.impressions import (
    NO_CORRELATION,
    Cells,
    Expected,
    Peaks,
    SplitMark,
    block_sums,
    combined_sums,
    follow_peaks,
    forward,
    inverse,
    pack_window,
    padded,
    peaks_between,
    search_coarse,
    split,
    turn_cells,
)

Floats = NDArray[np.float64]
Heights = NDArray[np.float32]


@dataclass(frozen=True)
class Places:
    """Places of all cells on the searched mark, best first; all arrays have shape (angles, cells, peaks).

    Parameters
    ----------
    rows, columns : ndarray of float64
        In points of one level, and between them; without meaning where the correlation is `NO_CORRELATION`.
    correlations, overlaps : ndarray of float32
        Correlation at the nearest point, and common points as a share of the cell's.
    """

    rows: Floats
    columns: Floats
    correlations: Heights
    overlaps: Heights

    def _each(self, change: Callable[[NDArray[Any]], NDArray[Any]]) -> Places:
        return Places(change(self.rows), change(self.columns), change(self.correlations), change(self.overlaps))

    def first(self) -> Places:
        """Return the best of every cell."""
        return self._each(lambda values: values[..., :1])

    def at_angles(self, angles: NDArray[np.int64]) -> Places:
        """Return those at some of the angles, by index."""
        return self._each(lambda values: values[angles])

    def only(self, kept: NDArray[np.bool_]) -> Places:
        """Return the same places with those not kept made `NO_CORRELATION`, best first."""
        correlations = np.where(kept, self.correlations, np.float32(NO_CORRELATION))
        order = np.argsort(-correlations, axis=-1, kind="stable")
        sorted_places = replace(self, correlations=correlations)
        return sorted_places._each(lambda values: np.take_along_axis(values, order, axis=-1))

    def joined(self, other: Places, apart: float) -> Places:
        """Return the places of both, without those of ``other`` within ``apart`` points of one of these."""
        near = (
            (np.abs(self.rows[..., None, :] - other.rows[..., :, None]) <= apart)
            & (np.abs(self.columns[..., None, :] - other.columns[..., :, None]) <= apart)
            & (self.correlations[..., None, :] > NO_CORRELATION)
        ).any(axis=-1)
        rest = other.only(~near & (other.correlations > NO_CORRELATION))
        both = Places(
            *(
                np.concatenate([getattr(p, name) for p in (self, rest)], axis=-1)
                for name in ("rows", "columns", "correlations", "overlaps")
            )
        )
        return both.only(both.correlations > NO_CORRELATION)


class SearchLevel:
    """Both marks at one spacing.

    Parameters
    ----------
    tiled, searched : ndarray of float32
        The full marks; NaN marks missing points.
    factor : int
        How many points of the full marks one point of this level spans.
    centres, expected : tuple of ndarray
        (y, x) of the cells' centres on the tiled mark, and of where they are expected on the searched mark, in points
        of the full marks.
    half, radius : float
        Half the side of a cell, and the greatest distance from the expected place, in points of the full marks.
    grid_theta_deg : float
        Turn of the cells' sides against the axes of the tiled mark.
    minimum_overlap : float
        Least share of a cell's valid points that must be common.
    """

    def __init__(
        self,
        tiled: Heights,
        searched: Heights,
        factor: int,
        centres: tuple[Floats, Floats],
        expected: tuple[Floats, Floats],
        *,
        half: float,
        grid_theta_deg: float,
        radius: float,
        minimum_overlap: float,
    ) -> None:
        self.factor = factor
        self.minimum_overlap = minimum_overlap
        half /= factor
        # A cell may hang over the edge of the tiled mark by less than its side.
        padding = math.ceil(2 * half * math.sqrt(2)) + 4
        self.cells = Cells(
            padded(decimate(tiled, factor) if factor > 1 else tiled, padding),
            self.from_full(centres[0]) + padding,
            self.from_full(centres[1]) + padding,
            half,
            math.radians(-grid_theta_deg),
        )
        self.other = SplitMark(*split(decimate(searched, factor) if factor > 1 else searched))
        self.expected = Expected(self.from_full(expected[0]), self.from_full(expected[1]), radius / factor)

    def from_full(self, places: Floats) -> Floats:
        """Return places of the full searched mark in points of this level."""
        return (places - (self.factor - 1) / 2) / self.factor

    def to_full(self, places: Floats) -> Floats:
        """Return places in points of this level in points of the full searched mark."""
        return places * self.factor + (self.factor - 1) / 2

    def follow(self, thetas_deg: Floats, starts: Places, coarser: SearchLevel) -> Places:
        """Climb from places of a coarser level (or this one) to the maxima of the exact correlation.

        Parameters
        ----------
        thetas_deg : ndarray, shape (angles,)
            Absolute turns of the searched mark.
        starts : Places
            For each angle and cell where to begin, in points of ``coarser``; none begins where the correlation is
            `NO_CORRELATION`.
        coarser : SearchLevel
            The level of the starts.

        Returns
        -------
        Places
            In points of this level, best first.
        """
        return self._correlated(thetas_deg, starts, coarser, climb=True)

    def ranked(self, thetas_deg: Floats, places: Places) -> Places:
        """Return places of this level with their exact correlations, best first."""
        return self._correlated(thetas_deg, places, self, climb=False)

    def _correlated(self, thetas_deg: Floats, starts: Places, coarser: SearchLevel, climb: bool) -> Places:
        places = Places(
            self.from_full(coarser.to_full(starts.rows)),
            self.from_full(coarser.to_full(starts.columns)),
            starts.correlations.copy(),
            np.zeros_like(starts.overlaps),
        )
        follow_peaks(
            self.cells, np.radians(-thetas_deg), self.other, self.expected, self.minimum_overlap, climb,
            Peaks(places.rows, places.columns, places.correlations), places.overlaps,
        )  # fmt: skip
        return places


class CoarseTransforms:
    """The transforms of the cells' surroundings on the coarse level, shared by all angles.

    Parameters
    ----------
    level : SearchLevel
        The coarse level.
    n_peaks : int
        How many peaks of a map are followed.
    """

    def __init__(self, level: SearchLevel, n_peaks: int) -> None:
        self.level = level
        self.n_peaks = n_peaks
        self.cell_reach = math.floor(level.cells.half * math.sqrt(2))
        self.reach = math.floor(level.expected.radius)
        # Even, because the slowly varying sums are computed at half the resolution.
        self.side = 2 * scipy.fft.next_fast_len(self.cell_reach + self.reach + 1, real=True)
        self.middle_y = np.rint(level.expected.y).astype(np.int64)
        self.middle_x = np.rint(level.expected.x).astype(np.int64)
        n, s = len(self.middle_y), self.side
        values = np.zeros((n, s, s), np.float32)
        valid = np.zeros((n, s, s), np.float32)
        for c in range(n):
            pack_window(
                level.other,
                self.middle_y[c] - self.cell_reach - self.reach, self.middle_x[c] - self.cell_reach - self.reach,
                s, s, values[c].ravel(), valid[c].ravel(),
            )  # fmt: skip
        self.windows = forward(values, s)
        low = np.empty((3, n, s // 2, s // 2), np.float32)
        block_sums(values, valid, low)
        # Means for the mark that stays, sums for the cells: a block then counts as its share times its sum.
        self.low = forward(low, s // 2) / np.float32(4)

    def search(self, thetas_deg: Floats) -> tuple[list[Heights], Places]:
        """Return the maps of all cells at each angle, shape (cells, 2 reach + 1, 2 reach + 2), and their peaks."""
        n = len(self.middle_y)
        places = self._no_places(len(thetas_deg))
        maps = [np.empty((n, 2 * self.reach + 1, 2 * self.reach + 2), np.float32) for _ in thetas_deg]
        for k, theta_deg in enumerate(thetas_deg):
            sum_ab, low, counts = self._sums(float(theta_deg))
            search_coarse(
                sum_ab, low, counts, self.level.minimum_overlap, self.level.expected.radius,
                maps[k], Peaks(places.rows[k], places.columns[k], places.correlations[k]),
            )  # fmt: skip
        return maps, self._on_level(places)

    def _sums(self, theta_deg: float) -> tuple[Heights, Heights, NDArray[np.int64]]:
        """Return Σ a·b, the slowly varying sums and the cells' valid points at one angle."""
        level, s, n = self.level, self.side, len(self.middle_y)
        values = np.zeros((n, s, s), np.float32)
        valid = np.zeros((n, s, s), np.float32)
        counts = np.empty(n, np.int64)
        turn_cells(level.cells, math.radians(-theta_deg), 2 * self.cell_reach + 1, values, valid, counts)
        cells = np.conj(forward(values[:, : 2 * self.cell_reach + 1], s))
        cells *= self.windows
        sum_ab = inverse(cells, s, 2 * self.reach + 1)
        low = np.empty((3, n, self.cell_reach + 1, s // 2), np.float32)
        block_sums(values, valid, low)
        sums = combined_sums(forward(low, s // 2), self.low, s // 2, self.reach + 2)
        return sum_ab, sums, counts

    def peaks_near(self, maps: list[Heights], places_y: Floats, places_x: Floats, tolerance: float) -> Places:
        """Return the peaks of maps in a square around places of the searched mark.

        Parameters
        ----------
        maps : list of ndarray of float32
            For each angle the maps of all cells, from `search`.
        places_y, places_x : ndarray, shape (angles, cells)
            In points of the full searched mark.
        tolerance : float
            Half the side of the square in points of the full mark. As the square may be turned against the maps, peaks
            from somewhat beyond it are returned too.

        Returns
        -------
        Places
            In points of the coarse level.
        """
        level = self.level
        y = level.from_full(places_y) - self.middle_y + self.reach
        x = level.from_full(places_x) - self.middle_x + self.reach
        # The square may be turned by any angle against the map; what lies outside it is dropped afterwards.
        reach = tolerance / level.factor * math.sqrt(2) + 1
        places = self._no_places(len(maps))
        for k, of_cells in enumerate(maps):
            for c in range(len(of_cells)):
                peaks_between(
                    of_cells[c], y[k, c], x[k, c], reach,
                    places.rows[k, c], places.columns[k, c], places.correlations[k, c],
                )  # fmt: skip
        return self._on_level(places)

    def _no_places(self, angles: int) -> Places:
        shape = (angles, len(self.middle_y), self.n_peaks)
        return Places(
            np.zeros(shape),
            np.zeros(shape),
            np.full(shape, NO_CORRELATION, np.float32),
            np.zeros(shape, np.float32),
        )

    def _on_level(self, places: Places) -> Places:
        """Turn indices of the maps into points of the level."""
        return replace(
            places,
            rows=places.rows + (self.middle_y - self.reach)[:, None],
            columns=places.columns + (self.middle_x - self.reach)[:, None],
        )
