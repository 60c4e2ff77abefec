"""Points on a sampled surface at several poses: how far each lies from it, and whether both run the same way."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel
from ballistics_kernels.meshes.near_points import SampledSurface, SortedPoints, nearest_point


@kernel
def counterparts(
    moving: NDArray[np.float64],
    moving_normals: NDArray[np.float64],
    poses: NDArray[np.float64],
    surface: SampledSurface,
    reach: float,
    slack: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Find where points lie on a surface, at each pose.

    Parameters
    ----------
    moving, moving_normals : ndarray of float64, shape (q, 3)
        Points and their unit normals, before they are moved. A point with a missing or infinite coordinate has no
        counterpart.
    poses : ndarray of float64, shape (p, 3, 4)
        Similarities: at = S[:, :3] · point + S[:, 3].
    surface : SampledSurface
    reach : float
        At most the side of a cell, in the unit of the surface.
    slack : float
        Points further along the surface than this from theirs count as far from it as they go beyond.

    Returns
    -------
    nearest : ndarray of int64, shape (p, q)
        The nearest point of the surface, the lowest of equally near ones; −1 when none is within reach.
    deviations : ndarray of float64, shape (p, q)
        Distance across the surface, or what the distance along it goes beyond ``slack``, whichever is more; infinite
        when out of reach.
    cosines : ndarray of float64, shape (p, q)
        0–1: of the angle between the normals, of either sign; 0 when out of reach. Cost: p × q × points in 27 cells.
    """
    points, normals, cell, origin, shape, starts, rows = surface
    among = SortedPoints(points, cell, origin, shape, starts, rows)
    count = moving.shape[0]
    nearest = np.full((poses.shape[0], count), -1, np.int64)
    deviations = np.full((poses.shape[0], count), np.inf)
    cosines = np.zeros((poses.shape[0], count))
    for k in range(poses.shape[0]):
        s = poses[k]
        size = np.sqrt(s[0, 0] * s[0, 0] + s[1, 0] * s[1, 0] + s[2, 0] * s[2, 0])
        for q in range(count):
            if not (np.isfinite(moving[q, 0]) and np.isfinite(moving[q, 1]) and np.isfinite(moving[q, 2])):
                continue
            x = s[0, 0] * moving[q, 0] + s[0, 1] * moving[q, 1] + s[0, 2] * moving[q, 2] + s[0, 3]
            y = s[1, 0] * moving[q, 0] + s[1, 1] * moving[q, 1] + s[1, 2] * moving[q, 2] + s[1, 3]
            z = s[2, 0] * moving[q, 0] + s[2, 1] * moving[q, 1] + s[2, 2] * moving[q, 2] + s[2, 3]
            found, square = nearest_point(x, y, z, among, reach)
            if found < 0:
                continue
            across = 0.0
            cosine = 0.0
            for i in range(3):
                at = x if i == 0 else (y if i == 1 else z)
                across += (at - points[found, i]) * normals[found, i]
                turned = 0.0
                for j in range(3):
                    turned += s[i, j] * moving_normals[q, j]
                cosine += turned * normals[found, i]
            along = np.sqrt(max(square - across * across, 0.0))
            nearest[k, q] = found
            deviations[k, q] = max(abs(across), along - slack)
            cosines[k, q] = abs(cosine) / size
    return nearest, deviations, cosines
