"""Nearest points within a reach, normals from neighbours, and the equations of fine registration."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kernels.accelerate import helper, kernel


@kernel
def nearest_within(
    queries: NDArray[np.float64],
    points: NDArray[np.float64],
    cell: float,
    origin: NDArray[np.float64],
    shape: NDArray[np.int64],
    starts: NDArray[np.int64],
    rows: NDArray[np.int64],
    reach: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Find the nearest point to each query that is no further than a reach.

    Parameters
    ----------
    queries : ndarray of float64, shape (q, 3)
        A query with a missing or infinite coordinate finds nothing.
    points : ndarray of float64, shape (n, 3)
        Finite, sorted by ``kernels.cell_grid.sort_into_cells(points, cell)`` into the four arrays that follow.
    reach : float
        At most ``cell``.

    Returns
    -------
    nearest : ndarray of int64, shape (q,)
        Row of the nearest point, the lowest of equally near ones; −1 when none is within reach.
    distances : ndarray of float64, shape (q,)
        Distance to it; infinite when none. Cost: q × points in 27 cells.
    """
    count = queries.shape[0]
    nearest = np.full(count, -1, np.int64)
    distances = np.full(count, np.inf)
    for q in range(count):
        if not (np.isfinite(queries[q, 0]) and np.isfinite(queries[q, 1]) and np.isfinite(queries[q, 2])):
            continue
        fi = np.floor((queries[q, 0] - origin[0]) / cell)
        fj = np.floor((queries[q, 1] - origin[1]) / cell)
        fk = np.floor((queries[q, 2] - origin[2]) / cell)
        if fi < -1 or fj < -1 or fk < -1 or fi > shape[0] or fj > shape[1] or fk > shape[2]:
            continue
        i0 = int(fi)
        j0 = int(fj)
        k0 = int(fk)
        best = reach * reach
        found = -1
        low = max(k0 - 1, 0)
        high = min(k0 + 2, shape[2])
        if high <= low:
            continue
        for i in range(max(i0 - 1, 0), min(i0 + 2, shape[0])):
            for j in range(max(j0 - 1, 0), min(j0 + 2, shape[1])):
                first = (i * shape[1] + j) * shape[2]
                for r in range(starts[first + low], starts[first + high]):
                    p = rows[r]
                    x = points[p, 0] - queries[q, 0]
                    y = points[p, 1] - queries[q, 1]
                    z = points[p, 2] - queries[q, 2]
                    square = x * x + y * y + z * z
                    if square < best or (square == best and (found < 0 or p < found)):
                        best = square
                        found = p
        if found >= 0:
            nearest[q] = found
            distances[q] = np.sqrt(best)
    return nearest, distances


@helper
def _least_direction(moment: NDArray[np.float64], out: NDArray[np.float64]) -> None:
    """Write the unit eigenvector of the least eigenvalue of a symmetric 3 × 3 matrix to ``out``.

    In closed form (Smith 1961, doi:10.1145/355578.366316), twenty times faster than a general solver, which takes over
    where two eigenvalues are too close for it.
    """
    xx, yy, zz = moment[0, 0], moment[1, 1], moment[2, 2]
    xy, xz, yz = moment[0, 1], moment[0, 2], moment[1, 2]
    mean = (xx + yy + zz) / 3.0
    spread = ((xx - mean) ** 2 + (yy - mean) ** 2 + (zz - mean) ** 2 + 2.0 * (xy * xy + xz * xz + yz * yz)) / 6.0
    if spread > 0.0:
        p = np.sqrt(spread)
        a, b, c = (xx - mean) / p, (yy - mean) / p, (zz - mean) / p
        d, e, f = xy / p, xz / p, yz / p
        half = 0.5 * (a * (b * c - f * f) - d * (d * c - f * e) + e * (d * f - b * e))
        angle = np.arccos(min(max(half, -1.0), 1.0)) / 3.0
        least = 2.0 * np.cos(angle + 2.0943951023931953)
        a -= least
        b -= least
        c -= least
        # Rows of the matrix less its eigenvalue are perpendicular to the eigenvector: the surest of their products.
        best = 0.0
        for k in range(3):
            if k == 0:
                x, y, z = d * f - e * b, e * d - a * f, a * b - d * d
            elif k == 1:
                x, y, z = d * c - e * f, e * e - a * c, a * f - d * e
            else:
                x, y, z = b * c - f * f, f * e - d * c, d * f - b * e
            square = x * x + y * y + z * z
            if square > best:
                best = square
                root = np.sqrt(square)
                out[0] = x / root
                out[1] = y / root
                out[2] = z / root
        if best > 1e-6:
            return
    _, vectors = np.linalg.eigh(moment)
    for k in range(3):
        out[k] = vectors[k, 0]


@kernel
def normals_from_neighbours(
    points: NDArray[np.float64],
    cell: float,
    origin: NDArray[np.float64],
    shape: NDArray[np.int64],
    starts: NDArray[np.int64],
    rows: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Estimate the unsigned normal of a sampled surface at each of its points.

    Parameters
    ----------
    points, cell, origin, shape, starts, rows
        As for `nearest_within`; neighbours are the points within ``cell``, weighted by a parabola.

    Returns
    -------
    ndarray of float64, shape (n, 3)
        Unit eigenvector of the least eigenvalue of the neighbours' covariance; zero where fewer than three
        neighbours are. Cost: n × points in 27 cells.

    Notes
    -----
    Hoppe et al. 1992, doi:10.1145/133994.134011.
    """
    out = np.zeros((points.shape[0], 3), np.float64)
    moment = np.empty((3, 3), np.float64)
    for q in range(points.shape[0]):
        i0 = int((points[q, 0] - origin[0]) / cell)
        j0 = int((points[q, 1] - origin[1]) / cell)
        k0 = int((points[q, 2] - origin[2]) / cell)
        count = 0
        weights = 0.0
        mx = my = mz = 0.0
        xx = xy = xz = yy = yz = zz = 0.0
        low = max(k0 - 1, 0)
        high = min(k0 + 2, shape[2])
        for i in range(max(i0 - 1, 0), min(i0 + 2, shape[0])):
            for j in range(max(j0 - 1, 0), min(j0 + 2, shape[1])):
                first = (i * shape[1] + j) * shape[2]
                for r in range(starts[first + low], starts[first + high]):
                    p = rows[r]
                    x = points[p, 0] - points[q, 0]
                    y = points[p, 1] - points[q, 1]
                    z = points[p, 2] - points[q, 2]
                    w = 1.0 - (x * x + y * y + z * z) / (cell * cell)
                    if w <= 0.0:
                        continue
                    count += 1
                    weights += w
                    mx += w * x
                    my += w * y
                    mz += w * z
                    xx += w * x * x
                    xy += w * x * y
                    xz += w * x * z
                    yy += w * y * y
                    yz += w * y * z
                    zz += w * z * z
        if count < 4:
            continue
        mx /= weights
        my /= weights
        mz /= weights
        moment[0, 0] = xx / weights - mx * mx
        moment[1, 1] = yy / weights - my * my
        moment[2, 2] = zz / weights - mz * mz
        moment[0, 1] = moment[1, 0] = xy / weights - mx * my
        moment[0, 2] = moment[2, 0] = xz / weights - mx * mz
        moment[1, 2] = moment[2, 1] = yz / weights - my * mz
        _least_direction(moment, out[q])
    return out


@kernel
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
        The surface they are laid on.
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
