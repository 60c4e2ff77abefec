"""Fine registration of points on a sampled surface, scale included: point to plane within a shrinking reach."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import helper, kernel
from ballistics_kernels.meshes.near_points import SampledSurface, SortedPoints, nearest_point

# A step changes the logarithm of the scale by no more.
_MOST_GROWTH = 0.1
# Planes that leave a motion free, as those of a ball do its turns, must not make the equations singular.
_DAMPING = 1e-9


@helper
def plane_equations(
    moved: NDArray[np.float64],
    points: NDArray[np.float64],
    normals: NDArray[np.float64],
    nearest: NDArray[np.int64],
    centre: NDArray[np.float64],
    pull: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum up the linear equations of one step of point-to-plane registration with scale.

    Parameters
    ----------
    moved : ndarray of float64, shape (q, 3)
        Points at the present pose.
    points, normals : ndarray of float64, shape (n, 3)
        The surface they are registered with.
    nearest : ndarray of int64, shape (q,)
        Point of the surface that belongs to each moved one; −1 for none.
    centre : ndarray of float64, shape (3,)
        Turn and scale are about it.
    pull : float
        Weight of the distance from point to point beside that from point to plane: keeps a pose that planes
        alone leave free.

    Returns
    -------
    matrix : ndarray of float64, shape (7, 7)
    right : ndarray of float64, shape (7,)
        Normal equations for the turn (3, rad), the logarithm of the scale, and the shift (3). Cost: q.

    Notes
    -----
    Chen & Medioni 1992, doi:10.1016/0262-8856(92)90066-C.
    """
    matrix = np.zeros((7, 7), np.float64)
    right = np.zeros(7, np.float64)
    row = np.empty(7, np.float64)
    axes = np.eye(3)
    for q in range(moved.shape[0]):
        p = nearest[q]
        if p < 0:
            continue
        x = moved[q, 0] - centre[0]
        y = moved[q, 1] - centre[1]
        z = moved[q, 2] - centre[2]
        dx = points[p, 0] - moved[q, 0]
        dy = points[p, 1] - moved[q, 1]
        dz = points[p, 2] - moved[q, 2]
        for c in range(4):
            if c == 0:
                nx, ny, nz, w = normals[p, 0], normals[p, 1], normals[p, 2], 1.0
            else:
                nx, ny, nz, w = axes[c - 1, 0], axes[c - 1, 1], axes[c - 1, 2], pull
            row[0] = y * nz - z * ny
            row[1] = z * nx - x * nz
            row[2] = x * ny - y * nx
            row[3] = x * nx + y * ny + z * nz
            row[4] = nx
            row[5] = ny
            row[6] = nz
            off = dx * nx + dy * ny + dz * nz
            for a in range(7):
                right[a] += w * row[a] * off
                for b in range(7):
                    matrix[a, b] += w * row[a] * row[b]
    return matrix, right


@helper
def _step(solution: NDArray[np.float64], centre: NDArray[np.float64], step: NDArray[np.float64]) -> None:
    """Write the 3 × 4 similarity of a turn vector (rad), a logarithm of the scale and a shift, about a centre."""
    x, y, z = solution[0], solution[1], solution[2]
    angle = np.sqrt(x * x + y * y + z * z)
    step[:, :3] = np.eye(3)
    if angle > 1e-12:
        # Rodrigues.
        x, y, z = x / angle, y / angle, z / angle
        sine = np.sin(angle)
        rest = 1.0 - np.cos(angle)
        step[0, 0] -= rest * (y * y + z * z)
        step[1, 1] -= rest * (x * x + z * z)
        step[2, 2] -= rest * (x * x + y * y)
        step[0, 1] = rest * x * y - sine * z
        step[1, 0] = rest * x * y + sine * z
        step[0, 2] = rest * x * z + sine * y
        step[2, 0] = rest * x * z - sine * y
        step[1, 2] = rest * y * z - sine * x
        step[2, 1] = rest * y * z + sine * x
    growth = np.exp(min(max(solution[3], -_MOST_GROWTH), _MOST_GROWTH))
    for i in range(3):
        for j in range(3):
            step[i, j] *= growth
    for i in range(3):
        step[i, 3] = centre[i] + solution[4 + i]
        for j in range(3):
            step[i, 3] -= step[i, j] * centre[j]


@helper
def _runs_alike(
    pose: NDArray[np.float64], moving: NDArray[np.float64], fixed: NDArray[np.float64], least_cosine: float
) -> bool:
    """Return whether a normal under a 3 × 4 similarity is within an angle of another, of either sign."""
    cosine = 0.0
    size = 0.0
    for i in range(3):
        turned = 0.0
        for j in range(3):
            turned += pose[i, j] * moving[j]
        cosine += turned * fixed[i]
        size += pose[0, i] * pose[0, i]
    return abs(cosine) >= least_cosine * np.sqrt(size)


@kernel
def register(
    moving: NDArray[np.float64],
    directions: NDArray[np.float64],
    pose: NDArray[np.float64],
    surface: SampledSurface,
    reaches: NDArray[np.float64],
    least_cosine: float,
    pull: float,
    fewest: int,
) -> NDArray[np.float64]:
    """Register points finely with a surface, from a pose near the right one.

    Parameters
    ----------
    moving : ndarray of float64, shape (q, 3)
        Finite.
    directions : ndarray of float64, shape (q, 3)
        Unit normals there, of either sign.
    pose : ndarray of float64, shape (3, 4)
        A similarity: at = S[:, :3] · point + S[:, 3].
    surface : SampledSurface
    reaches : ndarray of float64, shape (rounds,)
        How far points may lie from the surface to count in each round, at most the side of a cell.
    least_cosine : float
        Of the angle between the normals of a point and of the nearest of the surface, for it to count: what lies near
        and runs another way does not belong to the surface.
    pull : float
        See `plane_equations`.
    fewest : int
        With fewer points that count the registration stops where it is.

    Returns
    -------
    ndarray of float64, shape (3, 4)
        Cost: rounds × q × points in 27 cells.

    Notes
    -----
    Chen & Medioni 1992, doi:10.1016/0262-8856(92)90066-C.
    """
    points, normals, cell, origin, shape, starts, rows = surface
    among = SortedPoints(points, cell, origin, shape, starts, rows)
    now = pose.copy()
    at = np.empty(moving.shape, np.float64)
    nearest = np.empty(moving.shape[0], np.int64)
    centre = np.empty(3, np.float64)
    step = np.empty((3, 4), np.float64)
    for reach in reaches:
        found = 0
        centre[:] = 0.0
        for q in range(moving.shape[0]):
            for i in range(3):
                at[q, i] = now[i, 3]
                for j in range(3):
                    at[q, i] += now[i, j] * moving[q, j]
            nearest[q], _ = nearest_point(at[q, 0], at[q, 1], at[q, 2], among, reach)
            if nearest[q] >= 0 and not _runs_alike(now, directions[q], normals[nearest[q]], least_cosine):
                nearest[q] = -1
            if nearest[q] >= 0:
                found += 1
                for i in range(3):
                    centre[i] += at[q, i]
        if found < fewest:
            break
        for i in range(3):
            centre[i] /= found
        matrix, right = plane_equations(at, points, normals, nearest, centre, pull)
        damping = 0.0
        for i in range(7):
            damping += _DAMPING * matrix[i, i]
        for i in range(7):
            matrix[i, i] += damping
        _step(np.asarray(np.linalg.solve(matrix, right), np.float64), centre, step)
        before = now.copy()
        for i in range(3):
            for j in range(4):
                now[i, j] = step[i, 3] if j == 3 else 0.0
                for k in range(3):
                    now[i, j] += step[i, k] * before[k, j]
    return now
