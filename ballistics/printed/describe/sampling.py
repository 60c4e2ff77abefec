"""A triangle mesh as an even cloud of points that does not depend on how the mesh was triangulated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import ParameterError
from ballistics_kernels.meshes import even_order, points_on_triangles, triangle_areas

# Random points drawn before thinning, and how many may stay: bounds time and memory whatever the mesh.
_DRAWN = 80_000
_MOST = 24_000
# Distances between points as shares of the size: from 1/8 to 1/128, three levels to a factor of two.
_LEVELS = 13
_FINEST = 1.0 / 128.0


@dataclass(frozen=True)
class EvenSample:
    """Points on a surface; the first ``counts[k]`` of them are an even sample with ``distances_mm[k]`` between them.

    Parameters
    ----------
    points_mm : ndarray of float64, shape (n, 3)
        On the surface, coarse levels first.
    distances_mm : ndarray of float64, shape (levels,)
        Least distance between the points of each level, falling by 2^(1/3).
    counts : ndarray of int64, shape (levels,)
        Points of each level.
    size_mm : float
        Diameter of the smallest ball around the surface (to about 1 %).
    area_mm2 : float
        Area of the surface, hidden parts included.
    """

    points_mm: NDArray[np.float64]
    distances_mm: NDArray[np.float64]
    counts: NDArray[np.int64]
    size_mm: float
    area_mm2: float

    @property
    def spacing_mm(self) -> float:
        """Least distance between the points of the first level that holds them all."""
        return float(self.distances_mm[np.searchsorted(self.counts, self.counts[-1])])

    def level(self, distance_mm: float) -> tuple[NDArray[np.float64], float]:
        """Return the points of the level whose distance is nearest, as a ratio, to the one asked for; and its own."""
        k = int(np.argmin(np.abs(np.log(self.distances_mm / distance_mm))))
        return self.points_mm[: self.counts[k]], float(self.distances_mm[k])


def sample_surface(vertices_mm: NDArray[np.float64], faces: NDArray[np.int64], seed: int = 0) -> EvenSample:
    """Sample a mesh evenly.

    Parameters
    ----------
    vertices_mm : ndarray of float64, shape (n, 3)
    faces : ndarray of int64, shape (m, 3)
        Rows of ``vertices_mm``.
    seed : int
        Of the random points.

    Returns
    -------
    EvenSample

    Raises
    ------
    ParameterError
        The mesh has no face with an area.

    Examples
    --------
    >>> corners = np.array([[0.0, 0, 0], [4, 0, 0], [4, 3, 0], [0, 3, 0]])
    >>> sample = sample_surface(corners, np.array([[0, 1, 2], [0, 2, 3]]))
    >>> round(sample.size_mm, 1), round(sample.area_mm2, 6)
    (5.0, 12.0)
    """
    areas = triangle_areas(vertices_mm, faces)
    area = float(areas.sum())
    if not (np.isfinite(area) and area > 0.0):
        raise ParameterError("the mesh has no triangle with an area; there is no surface to sample")
    generator = np.random.Generator(np.random.PCG64(seed))
    drawn = points_on_triangles(vertices_mm, faces, areas, generator.random((_DRAWN, 3)))
    drawn = drawn[generator.permutation(_DRAWN)]
    size = enclosing_diameter(drawn[:8_000])
    if size <= 0.0:
        raise ParameterError("the mesh is a single point; there is no surface to sample")
    distances = size * _FINEST * 2.0 ** (np.arange(_LEVELS - 1, -1, -1) / 3.0)
    # Six tries per disc fill a level to the point where little more would fit.
    tries = np.minimum(_DRAWN, np.ceil(6.0 * area / distances**2 + 200.0)).astype(np.int64)
    order, counts = even_order(drawn, distances, tries, _MOST)
    return EvenSample(drawn[order], distances, counts, size, area)


def enclosing_diameter(points: NDArray[np.float64]) -> float:
    """Return the diameter of the smallest ball around points, to about 1 %; it does not change when they are turned.

    Core-set iteration of Bădoiu & Clarkson 2003 on the points that are extreme in 256 directions.
    """
    k = np.arange(128) + 0.5
    z = 1.0 - k / 128.0
    turn = np.pi * (1.0 + np.sqrt(5.0)) * k
    directions = np.column_stack([np.sqrt(1 - z * z) * np.cos(turn), np.sqrt(1 - z * z) * np.sin(turn), z])
    along = directions @ points.T
    extreme = points[np.unique(np.concatenate([along.argmax(axis=1), along.argmin(axis=1)]))]
    centre = extreme.mean(axis=0)
    for i in range(300):
        far = extreme[np.argmax(((extreme - centre) ** 2).sum(axis=1))]
        centre = centre + (far - centre) / (i + 2.0)
    return float(2.0 * np.sqrt(((extreme - centre) ** 2).sum(axis=1).max()))
