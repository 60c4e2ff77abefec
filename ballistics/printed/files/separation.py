"""Separates the objects of one mesh: bodies that lie apart are parts of their own, cavities stay with their walls."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.meshes import area_and_centroid, points_on_triangles, triangle_areas

# Bodies nearer than this share of the whole belong to one object: print-in-place joints and props made of pieces.
# On a plate, objects keep some millimetres; points on the surface are about half as far apart.
_GAP_SHARE = 0.02
_POINTS = 60_000
_MOST_OBJECTS = 256
# Beyond these the mesh is a soup of loose triangles, and the work would grow with the square of its bodies.
_MOST_BODIES = 1_000
_MOST_WINDING_WORK = 50_000_000


def body_numbers(faces: NDArray[np.int64], vertices: int) -> NDArray[np.int64]:
    """Return the number of the connected body of each face, in the order of their first faces.

    Parameters
    ----------
    faces : ndarray of int64, shape (m, 3)
    vertices : int

    Returns
    -------
    ndarray of int64, shape (m,)
        From 0; faces that share a vertex are of one body.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    ends = faces[:, [1, 2]].ravel()
    starts = np.repeat(faces[:, 0], 2)
    graph = coo_matrix((np.ones(starts.size, np.int8), (starts, ends)), shape=(vertices, vertices))
    label = connected_components(graph, directed=False)[1].astype(np.int64)[faces[:, 0]]
    _, first, number = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(first.size, np.int64)
    rank[np.argsort(first)] = np.arange(first.size)
    return rank[number.reshape(-1)]


def object_numbers(
    vertices: NDArray[np.float64], faces: NDArray[np.int64], bodies: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the number of the object of each body.

    Parameters
    ----------
    vertices : ndarray of float64, shape (n, 3)
    faces : ndarray of int64, shape (m, 3)
    bodies : ndarray of int64, shape (m,)
        Body of each face.

    Returns
    -------
    ndarray of int64, shape (bodies,)
        Object of each body, from 0. Bodies nearer to each other than 2 % of the whole's diagonal are one object, and
        so is a body that is turned inside out (a cavity) with the body around it. Turning or moving the mesh does not
        change the answer. More than 1 000 bodies, or more than 256 objects, are debris and are left as one.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    count = int(bodies.max()) + 1
    if count == 1:
        return np.zeros(1, np.int64)
    areas = triangle_areas(vertices, faces)
    if areas.sum() <= 0.0 or count > _MOST_BODIES:
        return np.zeros(count, np.int64)
    # One point in the middle of each small share of the area; a body too small for one has its first corners.
    even = np.full((_POINTS, 3), 0.5)
    order = np.argsort(bodies, kind="stable")
    points = points_on_triangles(vertices, faces[order], areas[order], even)
    owner = np.searchsorted(np.cumsum(areas[order]), (np.arange(_POINTS) + 0.5) / _POINTS * areas.sum())
    owners = bodies[order][np.minimum(owner, len(order) - 1)]
    first = np.unique(bodies, return_index=True)[1]
    points = np.concatenate([points, vertices[faces[first].ravel()]])
    owners = np.concatenate([owners, np.repeat(bodies[first], 3)])
    gap = _GAP_SHARE * _diameter(points)
    # A large triangle has many shares, all with one middle: a tree of equal points would be a list.
    distinct = np.concatenate([[True], (points[1:] != points[:-1]).any(axis=1) | (owners[1:] != owners[:-1])])
    points, owners = points[distinct], owners[distinct]
    near, far = _near_owners(points, owners, gap, cKDTree)
    cavity, wall = _cavities(vertices, faces, bodies, count)
    starts, ends = np.concatenate([near, cavity]), np.concatenate([far, wall])
    graph = coo_matrix((np.ones(starts.size, np.int8), (starts, ends)), shape=(count, count))
    objects, number = connected_components(graph, directed=False)
    return number.astype(np.int64) if objects <= _MOST_OBJECTS else np.zeros(count, np.int64)


def _diameter(points: NDArray[np.float64]) -> float:
    """Return twice the radius about the centroid: unlike a box, it turns with the mesh."""
    return 2.0 * float(np.sqrt(((points - points.mean(axis=0)) ** 2).sum(axis=1).max()))


def _near_owners(
    points: NDArray[np.float64], owners: NDArray[np.int64], gap: float, tree: type
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return pairs of bodies with points nearer than the gap, enough of them to link all that are linked.

    Each body asks only for its nearest points of bodies that come later, so dense meshes cost no more than n log n.
    """
    last = np.flatnonzero(np.concatenate([owners[1:] != owners[:-1], [True]]))
    order = np.argsort(owners, kind="stable") if last.size != np.unique(owners).size else np.arange(owners.size)
    points, owners = points[order], owners[order]
    starts = np.flatnonzero(np.concatenate([[True], owners[1:] != owners[:-1]]))
    bounds = np.append(starts, owners.size)
    near: list[int] = []
    far: list[int] = []
    trees = [tree(points[bounds[k] : bounds[k + 1]]) for k in range(starts.size)]
    low = np.array([points[bounds[k] : bounds[k + 1]].min(axis=0) for k in range(starts.size)])
    high = np.array([points[bounds[k] : bounds[k + 1]].max(axis=0) for k in range(starts.size)])
    group = np.arange(starts.size)
    for k in range(starts.size):
        boxes = (low <= high[k] + gap).all(axis=1) & (high >= low[k] - gap).all(axis=1)
        for other in np.flatnonzero(boxes & (group != group[k])):
            if other < k or group[other] == group[k]:
                continue
            # Only the points inside the other's box, widened by the gap, can be near.
            theirs = points[bounds[other] : bounds[other + 1]]
            theirs = theirs[((theirs >= low[k] - gap) & (theirs <= high[k] + gap)).all(axis=1)]
            if any(
                np.isfinite(trees[k].query(theirs[i : i + 500], distance_upper_bound=gap)[0]).any()
                for i in range(0, len(theirs), 500)
            ):
                near.append(int(owners[bounds[k]]))
                far.append(int(owners[bounds[other]]))
                group[group == group[other]] = group[k]
    return np.array(near, np.int64), np.array(far, np.int64)


def _cavities(
    vertices: NDArray[np.float64], faces: NDArray[np.int64], bodies: NDArray[np.int64], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each body that is turned inside out, with the smallest body around it; all with the first if too many."""
    order = np.argsort(bodies, kind="stable")
    bounds = np.searchsorted(bodies[order], np.arange(count + 1))
    volume = np.empty(count)
    centre = np.empty((count, 3))
    radius = np.empty(count)
    for k in range(count):
        own = faces[order[bounds[k] : bounds[k + 1]]]
        moments = area_and_centroid(vertices, own)
        volume[k], centre[k] = moments[4], moments[1:4]
        radius[k] = np.sqrt(((vertices[own.ravel()] - centre[k]) ** 2).sum(axis=1).max())
    if int((volume < 0).sum()) * len(faces) > _MOST_WINDING_WORK:
        return np.arange(1, count), np.zeros(count - 1, np.int64)
    cavity, wall = [], []
    for k in map(int, np.flatnonzero(volume < 0)):
        # Any corner of a cavity lies inside its wall.
        corner = vertices[faces[order[bounds[k]], 0]]
        inside = np.sqrt(((centre - corner) ** 2).sum(axis=1)) <= radius
        around = [
            other
            for other in np.flatnonzero(inside & (volume > -volume[k]))
            if _winding(vertices, faces[order[bounds[other] : bounds[other + 1]]], corner) > 0.5
        ]
        if around:
            cavity.append(k)
            wall.append(int(min(around, key=lambda other: float(radius[other]))))
    return np.array(cavity, np.int64), np.array(wall, np.int64)


def _winding(vertices: NDArray[np.float64], faces: NDArray[np.int64], point: NDArray[np.float64]) -> float:
    """Return how often a mesh winds around a point: 1 inside, 0 outside (Van Oosterom & Strackee 1983)."""
    a, b, c = (vertices[faces[:, k]] - point for k in range(3))
    la, lb, lc = (np.sqrt((v * v).sum(axis=1)) for v in (a, b, c))
    determinant = (a * np.cross(b, c)).sum(axis=1)
    below = la * lb * lc + (a * b).sum(axis=1) * lc + (b * c).sum(axis=1) * la + (c * a).sum(axis=1) * lb
    return float(np.arctan2(determinant, below).sum() / (2.0 * np.pi))
