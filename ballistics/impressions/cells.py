"""Searching the cells of one mark on the other: every cell, every trial angle, the best place at each.

The grid is centred on the tiled mark's valid area. Each cell is searched within a radius of the place
where the global pose puts it, turned about its own centre by every trial angle; the displacements are then
expressed in Chen's convention (rotation about the centre of the searched mark), in which cells of one rigid
agreement share one displacement.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.impressions.search_levels import CoarseTransforms, Places, SearchLevel
from ballistics.surfaces import Pose
from ballistics_kernels.impressions import NO_CORRELATION, count_in_cells, middle_and_turn, reach_of_valid

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CellParameters:
    """Parameters of the cell search, in µm and degrees.

    Cell size, least valid share, angles: Chen 2017 (75 points of 6.25 µm, 15 %, ±30° in 3° steps). Search radius:
    a cell may be found about as far off as it is wide, as in cmcR. Least overlap: a quarter of the cell's valid points.

    The coarse level keeps a share e of about 0.93 of the energy of the next (Fadul: 0.92 to 0.94). By Cauchy-Schwarz
    the detail that it lacks changes a correlation by at most 1 − e, so that two places can change their order only when
    they differ by less than 2 (1 − e) / e = 0.15: peaks further below the best are not followed.

    Least correlation: no rule that judges the cells of one angle by themselves accepts less than 0.50, and from the
    level before the last to the last a correlation changed by less than 0.06 in 99 of 100 cells of Fadul: where it is
    below 0.40 there, the last level is only searched for the best angles of a cell.

    Three neighbouring angles share the coarse search of the middle one.
    """

    cell_um: float = 468.75
    minimum_valid: float = 0.15
    search_radius_um: float = 450.0
    angle_range_deg: float = 30.0
    angle_step_deg: float = 3.0
    minimum_overlap: float = 0.25
    coarse_spacing_um: float = 25.0
    peaks: int = 6
    coarse_margin: float = 0.15
    least_correlation: float = 0.40
    best_angles: int = 5
    widest_displacement_um: float = 125.0
    coarse_every: int = 3


@dataclass(frozen=True)
class Grid:
    """The cells of a mark: turn of their sides, indices, centres in points of its array, and valid share."""

    theta_deg: float
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    centres_y: Floats
    centres_x: Floats
    valid_fractions: Floats


@dataclass(frozen=True)
class AngleSweep:
    """The best place of every cell at every trial angle.

    Arrays have shape (cells, angles) unless said otherwise; displacements in Chen's convention, in µm along
    the grid; correlations are NaN where no place was admissible.

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
    exact : ndarray of bool
        Where the correlation is that of the marks' own spacing; elsewhere it is that of twice the spacing, since
        no verdict depends on it.
    """

    grid: Grid
    thetas_deg: Floats
    expected_theta_deg: float
    correlations: Floats
    overlaps: Floats
    xs_um: Floats
    ys_um: Floats
    exact: NDArray[np.bool_]


def lay_grid(heights: NDArray[np.float32], spacing_um: float, parameters: CellParameters) -> Grid:
    """Cover the valid area with square cells around its centre, and keep the filled ones.

    The grid follows the mark and not the axes of its array, so that it turns with the mark (`middle_and_turn`).

    Parameters
    ----------
    heights : ndarray of float32, shape (rows, columns)
        Prepared heights of the tiled mark; NaN marks missing points.
    spacing_um : float
        Distance between its points in µm.
    parameters : CellParameters
        Side of a cell, and the least valid share of a cell that is kept.

    Returns
    -------
    Grid
        Empty when the mark has no valid point.
    """
    side = parameters.cell_um / spacing_um
    n_valid, middle_y, middle_x, turn = middle_and_turn(heights)
    if not n_valid:
        empty, none = np.empty(0), np.empty(0, np.int64)
        return Grid(0.0, none, none, empty, empty, empty)
    theta_deg = math.degrees(turn)
    cos, sin = _cos_sin(theta_deg)
    n = 2 * math.ceil((reach_of_valid(heights, middle_y, middle_x, cos, sin) + 0.5) / side)
    in_cells = np.empty((n, n), np.int64)
    count_in_cells(heights, middle_y, middle_x, cos, sin, side, in_cells)
    counts = in_cells.ravel()
    index = np.flatnonzero(counts >= parameters.minimum_valid * side * side)
    rows, columns = np.divmod(index, n)
    down, across = (rows - (n - 1) / 2) * side, (columns - (n - 1) / 2) * side
    return Grid(
        theta_deg,
        rows,
        columns,
        middle_y + cos * down + sin * across,
        middle_x + cos * across - sin * down,
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
        expected = self.expected_places()
        steps = max(0, round(math.log2(parameters.coarse_spacing_um / spacing_um)))
        self._levels = [
            SearchLevel(
                tiled, searched, 2**k, (self.grid.centres_y, self.grid.centres_x), expected,
                half=parameters.cell_um / spacing_um / 2,
                grid_theta_deg=self.grid.theta_deg,
                radius=parameters.search_radius_um / spacing_um,
                minimum_overlap=parameters.minimum_overlap,
            )
            for k in range(steps, -1, -1)
        ]  # fmt: skip
        self._finest, self._medium = self._levels[-1], self._levels[max(0, len(self._levels) - 2)]
        self._coarse = CoarseTransforms(self._levels[0], parameters.peaks)

    def cell_centres_um(self) -> tuple[Floats, Floats]:
        """Return (x, y) of the cells' centres from the centre of the tiled mark's array."""
        return (
            (self.grid.centres_x - (self._shape_tiled[1] - 1) / 2) * self.spacing_um,
            (self.grid.centres_y - (self._shape_tiled[0] - 1) / 2) * self.spacing_um,
        )

    def expected_places(self) -> tuple[Floats, Floats]:
        """Return where the pose puts the centres of the cells on the searched mark, in its points."""
        return self.places(self.pose.theta_deg, 0.0, 0.0)

    def displacements(self, thetas_deg: float | Floats, places_y: Floats, places_x: Floats) -> tuple[Floats, Floats]:
        """Return the displacements of cells found at places of the searched mark, in Chen's convention.

        Parameters
        ----------
        thetas_deg : float or ndarray, shape (...)
            Absolute turn of the searched mark at which the cells were found.
        places_y, places_x : ndarray, shape (..., cells)
            Where the cells' centres were found, in points of the searched mark.

        Returns
        -------
        down, across : ndarray of float64, shape (..., cells)
            In µm along the sides of the grid.
        """
        y = places_y - (self._shape_searched[0] - 1) / 2
        x = places_x - (self._shape_searched[1] - 1) / 2
        theta = np.radians(-np.asarray(thetas_deg))[..., None]
        cos, sin = np.cos(theta), np.sin(theta)
        cell_x, cell_y = self.cell_centres_um()
        off_y = (sin * x + cos * y) * self.spacing_um - cell_y + self.pose.dy_um
        off_x = (cos * x - sin * y) * self.spacing_um - cell_x + self.pose.dx_um
        cos, sin = _cos_sin(self.grid.theta_deg)
        return cos * off_y - sin * off_x, cos * off_x + sin * off_y

    def places(self, theta_deg: float | Floats, x_um: float | Floats, y_um: float | Floats) -> tuple[Floats, Floats]:
        """Return where cells with a displacement lie on the searched mark; undoes `displacements`.

        Parameters
        ----------
        theta_deg : float or ndarray
            Absolute turn of the searched mark; an array must broadcast with the cells.
        x_um, y_um : float or ndarray, shape (cells,)
            Displacement across and down the grid, in Chen's convention.

        Returns
        -------
        y, x : ndarray of float64, shape (..., cells)
            In points of the searched mark; NaN where the displacement is.
        """
        cos, sin = _cos_sin(self.grid.theta_deg)
        cell_x, cell_y = self.cell_centres_um()
        x = (cell_x + cos * x_um - sin * y_um - self.pose.dx_um) / self.spacing_um
        y = (cell_y + sin * x_um + cos * y_um - self.pose.dy_um) / self.spacing_um
        theta = np.radians(-np.asarray(theta_deg))
        cos, sin = np.cos(theta), np.sin(theta)
        return (
            cos * y - sin * x + (self._shape_searched[0] - 1) / 2,
            sin * y + cos * x + (self._shape_searched[1] - 1) / 2,
        )

    def places_um(self, thetas_deg: Floats, xs_um: Floats, ys_um: Floats) -> tuple[Floats, Floats]:
        """Return the same places in µm from the centre of the searched mark's array.

        Parameters
        ----------
        thetas_deg : ndarray, shape (cells,)
            Absolute turn of the searched mark, for each cell its own.
        xs_um, ys_um : ndarray, shape (cells,)
            Displacements across and down the grid, in Chen's convention.

        Returns
        -------
        x, y : ndarray of float64, shape (cells,)
            NaN where the displacement is.
        """
        y, x = self.places(thetas_deg, xs_um, ys_um)
        return (
            (x - (self._shape_searched[1] - 1) / 2) * self.spacing_um,
            (y - (self._shape_searched[0] - 1) / 2) * self.spacing_um,
        )

    def sweep(self) -> AngleSweep:
        """Search every cell at every trial angle.

        All cells and angles are searched on the coarse level and followed to the level before the last. The last is
        reached only where a verdict can depend on it: at the angles where a cell agrees best, and where it lies near
        the median displacement of an angle.
        """
        p = self.parameters
        steps = round(p.angle_range_deg / p.angle_step_deg)
        self.thetas_deg: Floats = self.pose.theta_deg + p.angle_step_deg * np.arange(-steps, steps + 1.0)
        medium = self._follow(self.thetas_deg, self._coarse_places(), self._levels[1:-1] or self._levels[:1])
        r, overlaps, ys, xs = self._read(self.thetas_deg, medium, self._medium)
        exact = self._worth_finishing(r, ys, xs)
        if len(self._levels) > 1:
            finished = self._finest.follow(self.thetas_deg, medium.first().only(exact.T[:, :, None]), self._medium)
            for field, values in zip(
                (r, overlaps, ys, xs), self._read(self.thetas_deg, finished, self._finest), strict=True
            ):
                field[exact] = values[exact]
        self._swept = AngleSweep(self.grid, self.thetas_deg, self.pose.theta_deg, r, overlaps, xs, ys, exact)
        return self._swept

    def _worth_finishing(self, r: Floats, ys: Floats, xs: Floats) -> NDArray[np.bool_]:
        """Return where the correlation on the marks' own spacing can change a verdict."""
        p = self.parameters
        order = np.argsort(np.argsort(np.where(np.isnan(r), np.inf, -r), axis=1, kind="stable"), axis=1, kind="stable")
        tolerance = p.widest_displacement_um + 2 * self._medium.factor * self.spacing_um
        with np.errstate(invalid="ignore"):
            near = (np.abs(ys - medians(ys)) <= tolerance) & (np.abs(xs - medians(xs)) <= tolerance)
            near &= r >= p.least_correlation
        return np.isfinite(r) & (near | (order < p.best_angles))

    def _coarse_places(self) -> Places:
        """Search the coarse level at every third angle; the angles between take the peaks found there."""
        at = np.arange(len(self.thetas_deg))
        # Every angle has one of the coarse search as its neighbour or is one itself; the next lies two steps away.
        every = self.parameters.coarse_every
        coarse_at = np.minimum(np.arange(0, len(at), every) + every // 2, len(at) - 1)
        self._nearest = at // every
        second = np.clip(self._nearest + at % every - every // 2, 0, len(coarse_at) - 1)
        self._maps, places = self._coarse.search(self.thetas_deg[coarse_at])
        # The maps are approximate, since their slowly varying sums are interpolated: the peaks are ranked exactly.
        coarse = self._levels[0].ranked(self.thetas_deg[coarse_at], places)
        found = coarse.at_angles(self._nearest).joined(coarse.at_angles(second), apart=2)
        # A place that is not the best of its angle matters only if it can be the best of all angles.
        lowest = found.correlations.max(axis=(0, 2))[None, :, None] - 2 * self.parameters.coarse_margin
        first = np.arange(found.correlations.shape[2]) == 0
        return found.only(self._can_win(found) & ((found.correlations >= lowest) | first))

    def _can_win(self, places: Places) -> NDArray[np.bool_]:
        """Return which places can still turn out to be the best of their cell on a finer level."""
        highest = places.correlations.max(axis=-1, keepdims=True)
        lowest = np.maximum(
            highest - self.parameters.coarse_margin, np.nextafter(np.float32(NO_CORRELATION), np.float32(0))
        )
        return np.asarray(places.correlations >= lowest)

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
        best_angle = np.full(n, angles[0], np.int64)
        best_x, best_y = np.full(n, np.nan), np.full(n, np.nan)

        def near(x: Floats, y: Floats, within: float) -> NDArray[np.bool_]:
            with np.errstate(invalid="ignore"):
                return np.asarray((np.abs(x - x_um) <= within) & (np.abs(y - y_um) <= within))

        thetas = self.thetas_deg[angles]
        # Beside a searched angle its map shows where the peaks are.
        maps = [self._maps[self._nearest[k]] for k in angles]
        expected = self.places(thetas[:, None], x_um, y_um)
        places = self._coarse.peaks_near(maps, *expected, tolerance_um / self.spacing_um)
        # A cell whose best place of all lies there needs no second search.
        swept = self._swept
        known = (swept.exact & near(swept.xs_um, swept.ys_um, tolerance_um))[:, angles]
        places = places.only(~known.T[:, :, None] & (places.correlations > NO_CORRELATION))
        places = self._follow(thetas, places, self._levels[1:-1] or self._levels[:1])
        slack = tolerance_um + self._medium.factor * self.spacing_um
        dy, dx = (np.swapaxes(v, 1, 2) for v in self._displacements_of(thetas, places, self._medium))
        places = places.only(near(dx, dy, slack) & (places.correlations > NO_CORRELATION)).first()
        if len(self._levels) > 1:
            places = self._finest.follow(thetas, places, self._medium)
        r, _, y, x = self._read(thetas, places, self._finest)
        for values, before in zip((r, y, x), (swept.correlations, swept.ys_um, swept.xs_um), strict=True):
            values[known] = before[:, angles][known]
        for column, k in enumerate(angles):
            better = near(x[:, column], y[:, column], tolerance_um) & ~(r[:, column] <= best)
            best[better], best_angle[better] = r[better, column], k
            best_x[better], best_y[better] = x[better, column], y[better, column]
        return best, best_angle, best_x, best_y

    def correlations_at(self, theta_deg: float, xs_um: Floats, ys_um: Floats) -> Floats:
        """Return the exact correlation of every cell at one turn and a displacement of its own.

        Parameters
        ----------
        theta_deg : float
            Absolute turn of the searched mark.
        xs_um, ys_um : ndarray, shape (cells,)
            Displacements across and down the grid, in Chen's convention; NaN for a cell that is not looked at.

        Returns
        -------
        ndarray of float64, shape (cells,)
            −1 to 1, at the nearest point; NaN where there is no displacement, or too few points are common.
        """
        y, x = (self._finest.from_full(v)[None, :, None] for v in self.places(theta_deg, xs_um, ys_um))
        known = np.isfinite(y)
        zeros = np.zeros(y.shape, np.float32)
        starts = Places(np.where(known, y, 0.0), np.where(known, x, 0.0), np.where(known, zeros, NO_CORRELATION), zeros)
        found = self._finest.ranked(np.array([theta_deg]), starts).correlations[0, :, 0].astype(float)
        return np.where(found > NO_CORRELATION, found, np.nan)

    def _follow(self, thetas_deg: Floats, found: Places, levels: list[SearchLevel]) -> Places:
        """Follow peaks of the coarse level through some levels."""
        level = self._levels[0]
        for finer in levels:
            found = finer.follow(thetas_deg, found, level)
            level = finer
        return found

    def _displacements_of(self, thetas_deg: Floats, found: Places, level: SearchLevel) -> tuple[Floats, Floats]:
        """Return (down, across) in µm of the points nearest to places, shape (angles, peaks, cells)."""
        y, x = (np.swapaxes(level.to_full(np.rint(v)), 1, 2) for v in (found.rows, found.columns))
        return self.displacements(np.broadcast_to(thetas_deg[:, None], y.shape[:2]), y, x)

    def _read(self, thetas_deg: Floats, found: Places, level: SearchLevel) -> tuple[Floats, Floats, Floats, Floats]:
        """Return correlation, overlap and displacement (y, x) of the best places; NaN where there is none.

        All have the shape (cells, angles).
        """
        dy, dx = (v[:, 0] for v in self._displacements_of(thetas_deg, found.first(), level))
        missing = found.correlations[:, :, 0] <= NO_CORRELATION
        fields = (found.correlations[:, :, 0].astype(float), found.overlaps[:, :, 0].astype(float), dy, dx)
        r, overlap, y, x = (np.ascontiguousarray(np.where(missing, np.nan, values).T) for values in fields)
        return r, overlap, y, x


def medians(values: Floats) -> Floats:
    """Return the median of every column over its finite values; NaN where it has none."""
    ordered = np.sort(values, axis=0)
    n = np.isfinite(ordered).sum(axis=0)
    columns = np.arange(values.shape[1])
    middle = (ordered[np.maximum(n - 1, 0) // 2, columns] + ordered[np.minimum(n // 2, len(values) - 1), columns]) / 2
    return np.where(n > 0, middle, np.nan)


def _cos_sin(theta_deg: float) -> tuple[float, float]:
    """Return cos and sin of the angle in the kernels' sense, clockwise as shown."""
    theta = math.radians(-theta_deg)
    return math.cos(theta), math.sin(theta)
