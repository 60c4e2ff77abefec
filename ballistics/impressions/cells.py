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
from numpy.typing import NDArray

from ballistics.impressions.search_levels import NO_PLACE, CoarseTransforms, Places, SearchLevel
from ballistics.surfaces.pose import Pose

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
        expected = self.expected_places()
        steps = max(0, round(math.log2(parameters.coarse_spacing_um / spacing_um)))
        self._levels = [
            SearchLevel(
                tiled, searched, 2**k, (self.grid.centres_y, self.grid.centres_x), expected,
                half=parameters.cell_um / spacing_um / 2,
                radius=parameters.search_radius_um / spacing_um,
                minimum_overlap=parameters.minimum_overlap,
            )
            for k in range(steps, -1, -1)
        ]  # fmt: skip
        self._coarse = CoarseTransforms(self._levels[0], parameters.peaks)

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
        found = []
        for theta in thetas:
            maps, places = self._coarse.search(float(theta))
            self.maps.append(maps)
            found.append(self._follow(float(theta), places))
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
            places = self._coarse.peaks_near(
                self.maps[k], *self._places(theta, x_um, y_um), tolerance_um / self.spacing_um
            )
            r, _, dy, dx = self._follow(theta, places)
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

    def _follow(self, theta_deg: float, found: Places) -> tuple[Floats, Floats, Floats, Floats]:
        """Follow peaks of the coarse level to the finest; return correlation, overlap, y and x of the best."""
        level = self._levels[0]
        for finer in self._levels[1:] or self._levels:
            # On the finest level only the best of the level before is followed.
            kept = found.first(1) if finer is self._levels[-1] else found
            found = finer.follow(theta_deg, kept, level)
            level = finer
        best = found.first(1)
        y, x = level.to_full(best.rows[:, 0]), level.to_full(best.columns[:, 0])
        dy, dx = self.displacements(theta_deg, y, x)
        result = (best.correlations[:, 0].astype(float), best.overlaps[:, 0].astype(float), dy, dx)
        for values in result:
            values[best.correlations[:, 0] <= NO_PLACE] = np.nan
        return result


def _cos_sin(theta_deg: float) -> tuple[float, float]:
    """Return cos and sin of the angle in the kernels' sense, clockwise as shown."""
    theta = math.radians(-theta_deg)
    return math.cos(theta), math.sin(theta)
