"""Even points of a surface, their neighbours, and how far others lie from the surface they sample."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.describe.surroundings import Surroundings, surroundings_of
from ballistics_kernels.meshes import counterparts, nearest_within, normals_from_neighbours, register, sort_into_cells

Pose = NDArray[np.float64]

# Share of the size of the reference, at the scale found.
_REACH = 0.04  # points further away than this have no counterpart
# Of fine registration: weight of the distance to the point beside that to its plane, and the fewest points.
_PULL = 0.02
_FEWEST = 20
#: Deviations, as shares of the size, up to which a point counts as explained; the score is the mean over them.
TOLERANCES = (0.006, 0.01, 0.015, 0.025)
#: The tolerance of the shares that are reported.
REPORTED = 2


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
    """

    points: NDArray[np.float64]
    size: float
    area: float
    spacing: float
    finer: Cloud | None = None

    def beginning(self, count: int) -> Cloud:
        """Return a coarser cloud: the first points, which are even too; kept for the next call."""
        if count >= len(self.points):
            return self
        if count not in self._coarser:
            sparser = self.spacing * float(np.sqrt(len(self.points) / count))
            self._coarser[count] = Cloud(self.points[:count], self.size, self.area, sparser, self)
        return self._coarser[count]

    @cached_property
    def _coarser(self) -> dict[int, Cloud]:
        return {}

    @cached_property
    def cell(self) -> float:
        """Side of the cells the points are sorted into."""
        return max(_REACH * self.size, 1.8 * self.spacing)

    @cached_property
    def _sorted(self) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        return sort_into_cells(self.points, self.cell)

    @cached_property
    def normals(self) -> NDArray[np.float64]:
        """Unsigned normals at the points, shape (n, 3)."""
        if self.finer is not None:
            return self.finer.normals[: len(self.points)]
        cell = 2.2 * self.spacing
        return normals_from_neighbours(self.points, cell, *sort_into_cells(self.points, cell))

    @cached_property
    def surroundings(self) -> Surroundings:
        """The space around the surface."""
        return surroundings_of(self.points, self.spacing)

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
        """Return where points lie on the surface at each pose, all of shape (poses, points).

        The row of the point that each lies at, −1 when out of reach; the `deviations`; and the cosine of the angle
        between the normals, of either sign.
        """
        reach = max(_REACH * self.size, 1.2 * self.spacing)
        # The middle of three points 1 spacing apart is 0.58, of the sparsest possible sample 1 spacing away.
        slack = 0.9 * self.spacing
        fixed = self.points, self.normals, self.cell, *self._sorted
        return counterparts(points, normals, np.ascontiguousarray(poses[:, :3]), *fixed, reach, slack)

    def registered(
        self, moving: Cloud, pose: Pose, reaches: NDArray[np.float64], least_cosine: float
    ) -> NDArray[np.float64]:
        """Return the 3 × 4 pose at which a cloud lies best on this one, from one near it; a round for each reach.

        A point counts when the cosine of the angle between its normal and that of the nearest is at least so much.
        """
        fixed = self.points, self.normals, self.cell, *self._sorted
        within = np.minimum(reaches, self.cell)
        start = np.ascontiguousarray(pose[:3])
        return register(moving.points, moving.normals, start, *fixed, within, least_cosine, _PULL, _FEWEST)


def scale_of(pose: Pose) -> float:
    """Return length after over length before a 4 × 4 (or 3 × 3) similarity."""
    return float(abs(np.linalg.det(pose[:3, :3])) ** (1 / 3))


def moved(points: NDArray[np.float64], pose: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points under a 4 × 4 (or 3 × 4) affine pose."""
    return np.asarray(points @ pose[:3, :3].T + pose[:3, 3])
