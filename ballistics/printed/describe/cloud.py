"""Even points of a surface, their neighbours, and how far others lie from the surface they sample."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import ParameterError
from ballistics.printed.describe.surroundings import SPACE_CELL_SPACINGS, Surroundings, surroundings_of
from ballistics_kernels.meshes import (
    SampledSurface,
    counterparts,
    nearest_within,
    normals_from_neighbours,
    register,
    sort_into_cells,
)

Pose = NDArray[np.float64]


@dataclass(frozen=True)
class SurfaceParameters:
    """How the surface between even points is understood.

    Parameters
    ----------
    cell_share, cell_spacings : float
        Side of the cells that points are sorted into: the larger of these shares of the size and of the spacing. No
        neighbour is looked for further away.
    normal_spacings : float
        Reach, in spacings, of the neighbours that a normal is fitted to.
    counterpart_share, counterpart_spacings : float
        A point further from all others has no counterpart: the larger of the two, at most a cell. The middle of three
        points of the sparsest possible even sample lies 1 spacing away.
    along_spacings : float
        Distance along the surface that is no deviation. The middle of three points 1 spacing apart is 0.58 away.
    space_cell_spacings : float
        Side of the cells in which it is found what is inside and what is outside. With a wall one cell thinner, more
        than half of 30 solids leaked.
    point_weight : float
        Weight, in a registration, of the distance to the nearest point beside that to its plane.
    registration_least_points : int
        Fewer points with a counterpart end a registration.

    Raises
    ------
    ParameterError
        A counterpart would be looked for beyond a cell, or a side is not positive.
    """

    cell_share: float = 0.04
    cell_spacings: float = 1.8
    normal_spacings: float = 2.2
    counterpart_share: float = 0.04
    counterpart_spacings: float = 1.2
    along_spacings: float = 0.9
    space_cell_spacings: float = SPACE_CELL_SPACINGS
    point_weight: float = 0.02
    registration_least_points: int = 20

    def __post_init__(self) -> None:
        """Refuse what no surface can be understood with."""
        sides = self.cell_share, self.cell_spacings, self.normal_spacings, self.space_cell_spacings
        if not all(0 < side < np.inf for side in sides):
            raise ParameterError(f"sides of cells are {sides}; give positive numbers")
        if not (
            0 <= self.counterpart_share <= self.cell_share and 0 <= self.counterpart_spacings <= self.cell_spacings
        ):
            raise ParameterError("counterpart_share and counterpart_spacings are at most those of a cell")


#: The parameters of the published figures.
DEFAULT_SURFACE = SurfaceParameters()


@dataclass(frozen=True)
class Cloud:
    """Even points of a surface, with what is needed to find their neighbours.

    Parameters
    ----------
    points : ndarray of float64, shape (n, 3)
    size : float
        Of the whole part.
    area : float
        Of the surface the points stand for.
    spacing : float
        Least distance between the points.
    finer : Cloud or None
        A cloud that begins with these points and knows their normals better.
    parameters : SurfaceParameters
    """

    points: NDArray[np.float64]
    size: float
    area: float
    spacing: float
    finer: Cloud | None = None
    parameters: SurfaceParameters = DEFAULT_SURFACE

    def beginning(self, count: int) -> Cloud:
        """Return a coarser cloud: the first points, which are even too; kept for the next call."""
        if count >= len(self.points):
            return self
        if count not in self._coarser:
            sparser = self.spacing * float(np.sqrt(len(self.points) / count))
            self._coarser[count] = Cloud(self.points[:count], self.size, self.area, sparser, self, self.parameters)
        return self._coarser[count]

    @cached_property
    def _coarser(self) -> dict[int, Cloud]:
        return {}

    @cached_property
    def cell(self) -> float:
        """Side of the cells the points are sorted into."""
        return max(self.parameters.cell_share * self.size, self.parameters.cell_spacings * self.spacing)

    @cached_property
    def _sorted(self) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        return sort_into_cells(self.points, self.cell)

    @cached_property
    def _surface(self) -> SampledSurface:
        return SampledSurface(self.points, self.normals, self.cell, *self._sorted)

    @cached_property
    def normals(self) -> NDArray[np.float64]:
        """Unsigned normals at the points, shape (n, 3)."""
        if self.finer is not None:
            return self.finer.normals[: len(self.points)]
        cell = self.parameters.normal_spacings * self.spacing
        return normals_from_neighbours(self.points, cell, *sort_into_cells(self.points, cell))

    @cached_property
    def surroundings(self) -> Surroundings:
        """The space around the surface."""
        return surroundings_of(self.points, self.spacing, self.parameters.space_cell_spacings)

    def nearest(self, queries: NDArray[np.float64], reach: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the row of the nearest point within reach of each query, −1 for none, and its distance."""
        return nearest_within(queries, self.points, self.cell, *self._sorted, min(reach, self.cell))

    def deviations(self, queries: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far each query lies from the surface that the points sample; infinite when out of reach.

        Across the surface the distance counts in full; along it only what goes beyond the spacing of the points.
        """
        _, deviations, _ = self.counterparts(queries, np.zeros_like(queries), np.eye(4)[None])
        return np.asarray(deviations[0])

    def counterparts(
        self, points: NDArray[np.float64], normals: NDArray[np.float64], poses: Pose
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Return where points lie on the surface at each pose.

        Parameters
        ----------
        points, normals : ndarray of float64, shape (n, 3)
            Points and their unit normals, of either sign, before they are moved.
        poses : ndarray of float64, shape (poses, 4, 4)
            Similarities that move the points onto this cloud; they act on column vectors.

        Returns
        -------
        rows : ndarray of int64, shape (poses, n)
            Of the point of this cloud that each lies at; −1 when out of reach.
        deviations : ndarray of float64, shape (poses, n)
            As of `deviations`, in the unit of this cloud.
        cosines : ndarray of float64, shape (poses, n)
            Of the angle between the normals, 0 to 1; 0 when out of reach.
        """
        known = self.parameters
        reach = max(known.counterpart_share * self.size, known.counterpart_spacings * self.spacing)
        slack = known.along_spacings * self.spacing
        return counterparts(points, normals, np.ascontiguousarray(poses[:, :3]), self._surface, reach, slack)

    def registered(
        self, moving: Cloud, pose: Pose, reaches: NDArray[np.float64], least_cosine: float
    ) -> NDArray[np.float64]:
        """Return the pose at which a cloud lies best on this one, from one near it.

        Parameters
        ----------
        moving : Cloud
            The cloud that is moved.
        pose : ndarray of float64, shape (4, 4)
            Where to begin: a similarity that moves ``moving`` onto this cloud.
        reaches : ndarray of float64, shape (rounds,)
            How far from this cloud a point may lie to count, round by round, in its unit; at most `cell` is used.
        least_cosine : float
            Least cosine, 0 to 1, of the angle between the normals of a point and of the nearest, for it to count.

        Returns
        -------
        ndarray of float64, shape (3, 4)
            The first rows of a similarity.
        """
        within = np.minimum(reaches, self.cell)
        start = np.ascontiguousarray(pose[:3])
        pull = self.parameters.point_weight, self.parameters.registration_least_points
        return register(moving.points, moving.normals, start, self._surface, within, least_cosine, *pull)


def scale_of(pose: Pose) -> float:
    """Return length after over length before a 4 × 4 (or 3 × 3) similarity."""
    return float(abs(np.linalg.det(pose[:3, :3])) ** (1 / 3))


def moved(points: NDArray[np.float64], pose: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points under a 4 × 4 (or 3 × 4) affine pose."""
    return np.asarray(points @ pose[:3, :3].T + pose[:3, 3])
