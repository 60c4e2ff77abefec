"""Searching the cells of one mark on the other: every cell, every trial angle, the best place at each.

The grid is laid on the centre of the tiled mark's valid area. Each cell is searched within a radius of the place
where the global pose lays it, turned about its own centre by every trial angle; the displacements are then
expressed in Chen's convention (rotation about the centre of the searched mark), in which cells of one rigid
agreement share one displacement.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from ballistics.surfaces.pose import Pose
from kernels.cell_search import follow_peaks, peaks, search_coarse, turn_cell
from kernels.decimation import decimate

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CellParameters:
    """Parameters of the cell search, in µm and degrees.

    Cell size, least valid share, angles: Chen 2017 (75 points of 6.25 µm, 15 %, ±30° in 3° steps). Search radius:
    a cell may be found about as far off as it is wide, as in cmcR. Least overlap: a quarter of the cell's valid points.
    """

    cell_um: float = 468.75
    minimum_valid: float = 0.15
    search_radius_um: float = 450.0
    angle_range_deg: float = 30.0
    angle_step_deg: float = 3.0
    minimum_overlap: float = 0.25
    coarse_spacing_um: float = 25.0
    peaks: int = 4


@dataclass(frozen=True)
class Grid:
    """The cells of a mark: indices, centres in points of its array, and valid share."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    centres_y: Floats
    centres_x: Floats
    valid_fractions: Floats


@dataclass(frozen=True)
class AngleSweep:
    """The best place of every cell at every trial angle.

    Arrays have shape (cells, angles) unless said otherwise; displacements in Chen's convention, in µm along the
    axes of the tiled mark; correlations are NaN where no place was admissible.

    Parameters
    ----------
    grid : Grid
        The cells.
    thetas_deg : ndarray, shape (angles,)
        Absolute turns of the searched mark.
    expected_theta_deg : float
        The global pose's turn.
    correlations, overlaps, xs_um, ys_um : ndarray of float64
        At the best place of each cell and angle.
    """

    grid: Grid
    thetas_deg: Floats
    expected_theta_deg: float
    correlations: Floats
    overlaps: Floats
    xs_um: Floats
    ys_um: Floats


def lay_grid(heights: NDArray[np.float32], spacing_um: float, parameters: CellParameters) -> Grid:
    """Lay square cells around the centre of the valid area, as many as cover it, and keep the filled ones."""
    valid = np.isfinite(heights)
    side = parameters.cell_um / spacing_um
    if not valid.any():
        empty, none = np.empty(0), np.empty(0, np.int64)
        return Grid(none, none, empty, empty, empty)
    y, x = np.nonzero(valid)
    middle_y, middle_x = y.mean(), x.mean()
    reach = max(np.abs(y - middle_y).max(), np.abs(x - middle_x).max()) + 0.5
    n = 2 * math.ceil(reach / side)
    # A point belongs to the cell [centre - side / 2, centre + side / 2) that holds it.
    row = np.floor((y - middle_y) / side + n / 2).astype(np.int64)
    column = np.floor((x - middle_x) / side + n / 2).astype(np.int64)
    counts = np.bincount(row * n + column, minlength=n * n)
    index = np.flatnonzero(counts >= parameters.minimum_valid * side * side)
    rows, columns = np.divmod(index, n)
    return Grid(
        rows,
        columns,
        middle_y + (rows - (n - 1) / 2) * side,
        middle_x + (columns - (n - 1) / 2) * side,
        counts[index] / (side * side),
    )


class CellSearcher:
    """One direction of the cell search: the cells of ``tiled`` on ``searched``.

    Holds the levels and transforms that all angles share.

    Parameters
    ----------
    tiled, searched : ndarray of float32
        Prepared heights; NaN marks missing points. Their means should be near zero.
    spacing_um : float
        Their common spacing.
    pose : Pose
        How ``searched`` lies on ``tiled``.
    parameters : CellParameters
        See there.
    """

    def __init__(
        self,
        tiled: NDArray[np.float32],
        searched: NDArray[np.float32],
        spacing_um: float,
        pose: Pose,
        parameters: CellParameters,
    ) -> None:
        self.parameters = parameters
        self.spacing_um = spacing_um
        self.pose = pose
        self.grid = lay_grid(tiled, spacing_um, parameters)
        self._shape_tiled, self._shape_searched = tiled.shape, searched.shape
        steps = max(0, round(math.log2(parameters.coarse_spacing_um / spacing_um)))
        self._levels = [_SearchLevel(tiled, searched, 2**k, self, parameters) for k in range(steps, -1, -1)]
        self._coarse = _CoarseTransforms(self._levels[0], self)

    def cell_centres_um(self) -> tuple[Floats, Floats]:
        """Return (x, y) of the cells' centres from the centre of the tiled mark's array."""
        return (
            (self.grid.centres_x - (self._shape_tiled[1] - 1) / 2) * self.spacing_um,
            (self.grid.centres_y - (self._shape_tiled[0] - 1) / 2) * self.spacing_um,
        )

    def expected_places(self) -> tuple[Floats, Floats]:
        """Return where the pose lays the centres of the cells on the searched mark, in its points."""
        return self._places(self.pose.theta_deg, 0.0, 0.0)

    def displacements(self, theta_deg: float, places_y: Floats, places_x: Floats) -> tuple[Floats, Floats]:
        """Return (y, x) in µm of cells found at places of the searched mark, in Chen's convention."""
        y = places_y - (self._shape_searched[0] - 1) / 2
        x = places_x - (self._shape_searched[1] - 1) / 2
        cos, sin = _cos_sin(theta_deg)
        cell_y = self.grid.centres_y - (self._shape_tiled[0] - 1) / 2
        cell_x = self.grid.centres_x - (self._shape_tiled[1] - 1) / 2
        shape = (-1,) + (1,) * (places_y.ndim - 1)
        return (
            (sin * x + cos * y - cell_y.reshape(shape)) * self.spacing_um + self.pose.dy_um,
            (cos * x - sin * y - cell_x.reshape(shape)) * self.spacing_um + self.pose.dx_um,
        )

    def sweep(self) -> AngleSweep:
        """Search every cell at every trial angle."""
        p = self.parameters
        steps = round(p.angle_range_deg / p.angle_step_deg)
        thetas = self.pose.theta_deg + p.angle_step_deg * np.arange(-steps, steps + 1)
        self.thetas_deg = thetas
        self.maps: list[NDArray[np.float32]] = []
        found = [self._search(float(theta)) for theta in thetas]
        r, overlaps, ys, xs = (np.stack(field, axis=1) for field in zip(*found, strict=True))
        return AngleSweep(self.grid, thetas, self.pose.theta_deg, r, overlaps, xs, ys)

    def best_near(
        self, angles: NDArray[np.int64], x_um: float, y_um: float, tolerance_um: float
    ) -> tuple[Floats, NDArray[np.int64], Floats, Floats]:
        """Search again, only where the displacement is within a tolerance of a common one (total CMC, Chen 2017).

        Only maxima of the correlation count: a cell is not placed on the slope of a maximum outside.

        Parameters
        ----------
        angles : ndarray of int
            Indices of the trial angles to search, of the last `sweep`.
        x_um, y_um : float
            The common displacement, in Chen's convention.
        tolerance_um : float
            Greatest deviation along each axis.

        Returns
        -------
        correlations : ndarray of float64, shape (cells,)
            NaN where no maximum lies there.
        angles : ndarray of int64, shape (cells,)
            Index of the angle of the best.
        xs_um, ys_um : ndarray of float64, shape (cells,)
        """
        n = len(self.grid.rows)
        best = np.full(n, np.nan)
        best_angle = np.full(n, angles[0] if len(angles) else 0, np.int64)
        best_x, best_y = np.full(n, np.nan), np.full(n, np.nan)
        for k in angles:
            theta = float(self.thetas_deg[k])
            rows, columns = self._coarse.peaks_near(
                self.maps[k], *self._places(theta, x_um, y_um), tolerance_um / self.spacing_um
            )
            r, _, dy, dx = self._follow(theta, *self._coarse.to_points(rows, columns))
            near = (np.abs(dx - x_um) <= tolerance_um) & (np.abs(dy - y_um) <= tolerance_um)
            better = near & ~(r <= best)
            best[better], best_angle[better] = r[better], k
            best_x[better], best_y[better] = dx[better], dy[better]
        return best, best_angle, best_x, best_y

    def _places(self, theta_deg: float, x_um: float, y_um: float) -> tuple[Floats, Floats]:
        """Return where a displacement puts the cells on the searched mark, in its points."""
        y = self.grid.centres_y - (self._shape_tiled[0] - 1) / 2 + (y_um - self.pose.dy_um) / self.spacing_um
        x = self.grid.centres_x - (self._shape_tiled[1] - 1) / 2 + (x_um - self.pose.dx_um) / self.spacing_um
        cos, sin = _cos_sin(theta_deg)
        return (
            cos * y - sin * x + (self._shape_searched[0] - 1) / 2,
            sin * y + cos * x + (self._shape_searched[1] - 1) / 2,
        )

    def _search(self, theta_deg: float) -> tuple[Floats, Floats, Floats, Floats]:
        maps, rows, columns = self._coarse.search(theta_deg)
        self.maps.append(maps)
        return self._follow(theta_deg, *self._coarse.to_points(rows, columns))

    def _follow(
        self, theta_deg: float, rows: NDArray[np.int64], columns: NDArray[np.int64]
    ) -> tuple[Floats, Floats, Floats, Floats]:
        """Follow peaks, given in points of the coarse level, to the finest level; keep the best."""
        level = self._levels[0]
        for finer in self._levels[1:] or [level]:
            if finer is not level:
                rows, columns = finer.from_coarser(rows, level), finer.from_coarser(columns, level)
            level = finer
            if level is self._levels[-1]:
                rows, columns = rows[:, :1].copy(), columns[:, :1].copy()
            r, overlaps = level.follow(theta_deg, rows, columns)
        y, x = level.to_full(rows[:, 0]), level.to_full(columns[:, 0])
        dy, dx = self.displacements(theta_deg, y, x)
        missing = r[:, 0] < -1.5
        result = (r[:, 0].astype(float), overlaps[:, 0].astype(float), dy, dx)
        for field in result:
            field[missing] = np.nan
        return result


class _SearchLevel:
    """Both marks at one spacing, the searched one padded so that no cell ever leaves it."""

    def __init__(
        self,
        tiled: NDArray[np.float32],
        searched: NDArray[np.float32],
        factor: int,
        searcher: CellSearcher,
        p: CellParameters,
    ) -> None:
        self.factor = factor
        self.tiled = decimate(tiled, factor) if factor > 1 else tiled
        other = decimate(searched, factor) if factor > 1 else searched
        spacing = searcher.spacing_um * factor
        self.half = p.cell_um / spacing / 2
        self.radius = p.search_radius_um / spacing
        self.reach = math.ceil(self.half * math.sqrt(2))
        expected_y, expected_x = searcher.expected_places()
        margin = math.ceil(self.reach + self.radius) + 4
        # Cells can be expected outside the searched mark, when it is a fragment.
        outside = 0.0
        if len(expected_y):
            lowest = min(expected_y.min(), expected_x.min())
            highest = max((expected_y - searched.shape[0]).max(), (expected_x - searched.shape[1]).max())
            outside = max(0.0, -lowest, highest) / factor
        self.margin = margin + math.ceil(outside)
        valid = np.isfinite(other)
        self.other_values = np.pad(np.where(valid, other, np.float32(0)), self.margin)
        self.other_valid = np.pad(valid.astype(np.float32), self.margin)
        self.minimum_overlap = p.minimum_overlap
        self.centres_y = self.from_full(searcher.grid.centres_y)
        self.centres_x = self.from_full(searcher.grid.centres_x)
        self.expected_y = self.from_full(expected_y) + self.margin
        self.expected_x = self.from_full(expected_x) + self.margin

    def from_full(self, places: Floats) -> Floats:
        """Return places of the full mark in points of this level, without its padding."""
        return (places - (self.factor - 1) / 2) / self.factor

    def to_full(self, places: NDArray[np.int64]) -> Floats:
        """Return places, in points of the padded level, in points of the full searched mark."""
        return (places - self.margin) * float(self.factor) + (self.factor - 1) / 2

    def from_coarser(self, places: NDArray[np.int64], coarser: _SearchLevel) -> NDArray[np.int64]:
        """Return the nearest points of this level to points of a coarser one; −1 stays −1."""
        here = np.rint(self.from_full(coarser.to_full(places))).astype(np.int64) + self.margin
        return np.where(places < 0, -1, here)

    def follow(
        self, theta_deg: float, rows: NDArray[np.int64], columns: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Climb from the places to maxima; the places are replaced, best first."""
        r = np.empty(rows.shape, np.float32)
        overlaps = np.empty(rows.shape, np.float32)
        follow_peaks(
            self.tiled, self.centres_y, self.centres_x, self.half, math.radians(-theta_deg),
            self.other_values, self.other_valid, self.expected_y, self.expected_x, self.radius,
            self.minimum_overlap, rows, columns, r, overlaps,
        )  # fmt: skip
        return r, overlaps


class _CoarseTransforms:
    """The transforms of all windows on the coarse level, shared by all angles."""

    def __init__(self, level: _SearchLevel, searcher: CellSearcher) -> None:
        self.level = level
        self.n_peaks = searcher.parameters.peaks
        self.reach = int(math.floor(level.radius))
        self.side = scipy.fft.next_fast_len(2 * (level.reach + self.reach) + 2, real=True)
        self.side += self.side % 2
        n = len(level.centres_y)
        self.middle_y = np.rint(level.expected_y).astype(np.int64)
        self.middle_x = np.rint(level.expected_x).astype(np.int64)
        s = self.side
        windows = np.zeros((n, s, s), np.float32)
        valid = np.zeros((n, s, s), np.float32)
        extent = 2 * (level.reach + self.reach) + 1
        for c in range(n):
            top, left = self.middle_y[c] - extent // 2, self.middle_x[c] - extent // 2
            windows[c, :extent, :extent] = level.other_values[top : top + extent, left : left + extent]
            valid[c, :extent, :extent] = level.other_valid[top : top + extent, left : left + extent]
        self.windows = scipy.fft.rfft2(windows, workers=1)
        self.low = scipy.fft.rfft2(
            np.stack([_blocks(valid) / 4, _blocks(windows), _blocks(windows * windows)]), workers=1
        )

    def search(self, theta_deg: float) -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64]]:
        """Return the maps of all cells at one angle, and their peaks in map indices."""
        level, s = self.level, self.side
        n, size = len(level.centres_y), 2 * level.reach + 1
        values = np.zeros((n, s, s), np.float32)
        valid = np.zeros((n, s, s), np.float32)
        counts = np.empty(n, np.int64)
        for c in range(n):
            counts[c] = turn_cell(
                level.tiled, level.centres_y[c], level.centres_x[c], level.half, math.radians(-theta_deg),
                values[c, :size, :size], valid[c, :size, :size],
            )  # fmt: skip
        cells = np.conj(scipy.fft.rfft2(values, workers=1))
        sum_ab = scipy.fft.irfft2(cells * self.windows, s=(s, s), workers=1, overwrite_x=True)
        counted, summed, squared = np.conj(
            scipy.fft.rfft2(np.stack([_blocks(valid), _blocks(values), _blocks(values * values)]), workers=1)
        )
        mb, b, bb = self.low
        low = scipy.fft.irfft2(
            np.stack([counted * mb, summed * mb, counted * b / 4, squared * mb, counted * bb / 4]),
            s=(s // 2, s // 2), workers=1, overwrite_x=True,
        )  # fmt: skip
        side = 2 * self.reach + 1
        maps = np.empty((n, side, side), np.float32)
        rows = np.empty((n, self.n_peaks), np.int64)
        columns = np.empty((n, self.n_peaks), np.int64)
        search_coarse(sum_ab, low, counts, level.minimum_overlap, level.radius, maps, rows, columns)
        return maps, rows, columns

    def peaks_near(
        self, maps: NDArray[np.float32], places_y: Floats, places_x: Floats, tolerance: float
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the peaks of the maps near places of the full searched mark, within a turned square of ``tolerance``."""
        level = self.level
        rows = np.full((len(maps), self.n_peaks), -1, np.int64)
        columns = rows.copy()
        y = level.from_full(places_y) + level.margin - self.middle_y + self.reach
        x = level.from_full(places_x) + level.margin - self.middle_x + self.reach
        # The square may be turned by any angle against the map; what lies outside it is dropped afterwards.
        reach = tolerance / level.factor * math.sqrt(2) + 1
        for c in range(len(maps)):
            peaks(maps[c], y[c], x[c], reach, rows[c], columns[c])
        return rows, columns

    def to_points(
        self, rows: NDArray[np.int64], columns: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return peaks in points of the padded coarse level."""
        none = rows < 0
        y = rows - self.reach + self.middle_y[:, None]
        x = columns - self.reach + self.middle_x[:, None]
        return np.where(none, -1, y), np.where(none, -1, x)


def _blocks(fields: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sum 2 × 2 blocks of the last two axes."""
    rows = fields[..., 0::2, :] + fields[..., 1::2, :]
    return rows[..., 0::2] + rows[..., 1::2]  # type: ignore[no-any-return]


def _cos_sin(theta_deg: float) -> tuple[float, float]:
    """Return cos and sin of the angle in the kernels' sense, clockwise as shown."""
    theta = math.radians(-theta_deg)
    return math.cos(theta), math.sin(theta)
