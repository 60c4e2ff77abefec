"""Points on a triangle mesh that do not depend on its triangulation, in an order whose beginnings are even samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel
from ballistics_kernels.meshes.cell_grid import cell_shape, place_in_cells


@kernel
def triangle_areas(vertices: NDArray[np.float64], faces: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the area of each triangle.

    Parameters
    ----------
    vertices : ndarray of float64, shape (n, 3)
        Any length unit.
    faces : ndarray of int64, shape (m, 3)
        Rows of ``vertices``, in range.

    Returns
    -------
    ndarray of float64, shape (m,)
        Areas in the unit squared. A triangle with a missing or infinite corner has area 0: it is never sampled.
        Cost: m.
    """
    areas = np.zeros(faces.shape[0], np.float64)
    for f in range(faces.shape[0]):
        good = True
        for c in range(3):
            for k in range(3):
                if not np.isfinite(vertices[faces[f, c], k]):
                    good = False
        if not good:
            continue
        ax = vertices[faces[f, 1], 0] - vertices[faces[f, 0], 0]
        ay = vertices[faces[f, 1], 1] - vertices[faces[f, 0], 1]
        az = vertices[faces[f, 1], 2] - vertices[faces[f, 0], 2]
        bx = vertices[faces[f, 2], 0] - vertices[faces[f, 0], 0]
        by = vertices[faces[f, 2], 1] - vertices[faces[f, 0], 1]
        bz = vertices[faces[f, 2], 2] - vertices[faces[f, 0], 2]
        x = ay * bz - az * by
        y = az * bx - ax * bz
        z = ax * by - ay * bx
        areas[f] = 0.5 * np.sqrt(x * x + y * y + z * z)
    return areas


@kernel
def points_on_triangles(
    vertices: NDArray[np.float64],
    faces: NDArray[np.int64],
    areas: NDArray[np.float64],
    uniform: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Draw points on a mesh, one from each of n equal shares of its area (systematic, area-weighted sampling).

    Parameters
    ----------
    vertices, faces
        As for `triangle_areas`.
    areas : ndarray of float64, shape (m,)
        Non-negative, with a positive sum; triangles of area 0 get no point.
    uniform : ndarray of float64, shape (n, 3)
        Random numbers in [0, 1): the place within the share, and two for the place within the triangle.

    Returns
    -------
    ndarray of float64, shape (n, 3)
        The points, in the order of the triangles. Cost: m + n.

    Notes
    -----
    Uniform in a triangle by the square-root map: Osada et al. 2002, doi:10.1145/571647.571648.
    """
    n = uniform.shape[0]
    out = np.empty((n, 3), np.float64)
    total = 0.0
    for f in range(areas.size):
        total += areas[f]
    last = areas.size - 1
    while last > 0 and areas[last] <= 0.0:
        last -= 1
    triangle = 0
    passed = areas[0]
    for i in range(n):
        target = (i + uniform[i, 0]) / n * total
        while triangle < last and (passed <= target or areas[triangle] <= 0.0):
            triangle += 1
            passed += areas[triangle]
        root = np.sqrt(uniform[i, 1])
        wa = 1.0 - root
        wb = root * (1.0 - uniform[i, 2])
        wc = root * uniform[i, 2]
        for k in range(3):
            out[i, k] = (
                wa * vertices[faces[triangle, 0], k]
                + wb * vertices[faces[triangle, 1], k]
                + wc * vertices[faces[triangle, 2], k]
            )
    return out


@kernel
def _none_near(points: NDArray[np.float64], p: int, first: int, following: NDArray[np.int64], distance: float) -> bool:
    """Return whether no point of a linked list is nearer to point ``p`` than ``distance``."""
    q = first
    while q >= 0:
        x = points[q, 0] - points[p, 0]
        y = points[q, 1] - points[p, 1]
        z = points[q, 2] - points[p, 2]
        if x * x + y * y + z * z < distance * distance:
            return False
        q = following[q]
    return True


@kernel
def even_order(
    points: NDArray[np.float64], distances: NDArray[np.float64], tries: NDArray[np.int64], limit: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Order points so that each beginning of the order is an even sample: nested Poisson-disc thinning.

    Level k keeps every point of the levels before it and adds, in the order given, each point that is at least
    ``distances[k]`` away from all kept ones. The beginning that belongs to a level is thus a maximal Poisson-disc
    sample of the points tried, whatever the density of the points was.

    Parameters
    ----------
    points : ndarray of float64, shape (n, 3)
        In random order; finite.
    distances : ndarray of float64, shape (levels,)
        Falling, positive, in the unit of the points.
    tries : ndarray of int64, shape (levels,)
        How many of the points each level looks at, from the first; at most n. Coarse levels need fewer.
    limit : int
        Stop when this number of points is kept.

    Returns
    -------
    order : ndarray of int64, shape (kept,)
        Rows of ``points``.
    counts : ndarray of int64, shape (levels,)
        Number of points of the order that belong to each level; a level cut short by ``limit`` and those
        after it hold ``limit``.

    Notes
    -----
    Cost: tries × points near one, per level. Thinning: Cook 1986, doi:10.1145/7529.8927.
    """
    n = points.shape[0]
    levels = distances.size
    order = np.empty(min(n, limit), np.int64)
    counts = np.zeros(levels, np.int64)
    kept = np.zeros(n, np.bool_)
    following = np.empty(n, np.int64)
    where = np.empty(3, np.int64)
    total = 0
    for level in range(levels):
        distance = distances[level]
        origin, shape = cell_shape(points, distance)
        head = np.full(shape[0] * shape[1] * shape[2], -1, np.int64)
        for i in range(total):
            p = order[i]
            cell = place_in_cells(points[p, 0], points[p, 1], points[p, 2], origin, shape, distance, where)
            following[p] = head[cell]
            head[cell] = p
        for p in range(tries[level]):
            if total >= order.size:
                break
            if kept[p]:
                continue
            cell = place_in_cells(points[p, 0], points[p, 1], points[p, 2], origin, shape, distance, where)
            # Most points fall to one in their own cell.
            free = _none_near(points, p, head[cell], following, distance)
            if not free:
                continue
            for i in range(max(where[0] - 1, 0), min(where[0] + 2, shape[0])):
                for j in range(max(where[1] - 1, 0), min(where[1] + 2, shape[1])):
                    for k in range(max(where[2] - 1, 0), min(where[2] + 2, shape[2])):
                        other = (i * shape[1] + j) * shape[2] + k
                        if free and other != cell:
                            free = _none_near(points, p, head[other], following, distance)
            if free:
                kept[p] = True
                order[total] = p
                total += 1
                following[p] = head[cell]
                head[cell] = p
        counts[level] = total
    return order[:total], counts
