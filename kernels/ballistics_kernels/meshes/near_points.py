"""Nearest points within a reach, and normals from neighbours."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import helper, kernel

# Share of a cell that a place in it is taken to be nearer to its sides than it is: far more than rounding moves it.
_ROUNDING = 1e-6


class SampledSurface(NamedTuple):
    """Points of a surface, sorted by ``cell_grid.sort_into_cells(points, cell)``.

    Parameters
    ----------
    points, normals : ndarray of float64, shape (n, 3)
        Finite; unit normals there, of either sign.
    cell : float
        Side of a cell, in the unit of the points.
    origin, shape, starts, rows
        From `sort_into_cells`.
    """

    points: NDArray[np.float64]
    normals: NDArray[np.float64]
    cell: float
    origin: NDArray[np.float64]
    shape: NDArray[np.int64]
    starts: NDArray[np.int64]
    rows: NDArray[np.int64]


class SortedPoints(NamedTuple):
    """The points of a `SampledSurface`, or of none, sorted in the same way."""

    points: NDArray[np.float64]
    cell: float
    origin: NDArray[np.float64]
    shape: NDArray[np.int64]
    starts: NDArray[np.int64]
    rows: NDArray[np.int64]


@helper
def nearest_point(x: float, y: float, z: float, among: SortedPoints, reach: float) -> tuple[int, float]:
    """Find the nearest point to a place that is no further than a reach.

    Parameters
    ----------
    x, y, z : float
        The place, finite.
    among : SortedPoints
        The points.
    reach : float
        At most the side of a cell.

    Returns
    -------
    row : int
        Of the nearest point, the lowest of equally near ones; −1 when none is within reach.
    square : float
        Its squared distance; that of the reach when there is none. Cost: points in 27 cells.
    """
    points, cell, origin, shape, starts, rows = among
    fi = np.floor((x - origin[0]) / cell)
    fj = np.floor((y - origin[1]) / cell)
    fk = np.floor((z - origin[2]) / cell)
    best = reach * reach
    found = -1
    if fi < -1 or fj < -1 or fk < -1 or fi > shape[0] or fj > shape[1] or fk > shape[2]:
        return found, best
    # How far the place lies inside its cell. A cell beside is passed over where all of it lies further away than the
    # nearest point so far, with an allowance for rounding: what is found does not depend on it.
    inside = (1.0 - 2.0 * _ROUNDING) * cell
    x0 = x - origin[0] - fi * cell - _ROUNDING * cell
    y0 = y - origin[1] - fj * cell - _ROUNDING * cell
    z0 = z - origin[2] - fk * cell - _ROUNDING * cell
    i0 = int(fi)
    j0 = int(fj)
    k0 = int(fk)
    low = max(k0 - 1 if z0 <= reach else k0, 0)
    high = min(k0 + 2 if inside - z0 <= reach else k0 + 1, shape[2])
    if high <= low:
        return found, best
    # Its own cells first, which hold the nearest point most often.
    for a in range(3):
        i = i0 if a == 0 else (i0 - 1 if a == 1 else i0 + 1)
        gap_x = 0.0 if a == 0 else max(x0 if a == 1 else inside - x0, 0.0)
        if i < 0 or i >= shape[0] or gap_x * gap_x > best:
            continue
        for b in range(3):
            j = j0 if b == 0 else (j0 - 1 if b == 1 else j0 + 1)
            gap_y = 0.0 if b == 0 else max(y0 if b == 1 else inside - y0, 0.0)
            if j < 0 or j >= shape[1] or gap_x * gap_x + gap_y * gap_y > best:
                continue
            first = (i * shape[1] + j) * shape[2]
            for r in range(starts[first + low], starts[first + high]):
                p = rows[r]
                dx = points[p, 0] - x
                dy = points[p, 1] - y
                dz = points[p, 2] - z
                square = dx * dx + dy * dy + dz * dz
                if square < best or (square == best and (found < 0 or p < found)):
                    best = square
                    found = p
    return found, best


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
        Finite.
    cell : float
        Side of a cell, in the unit of the points.
    origin, shape, starts, rows : ndarray
        From ``cell_grid.sort_into_cells(points, cell)``.
    reach : float
        At most ``cell``.

    Returns
    -------
    nearest : ndarray of int64, shape (q,)
        Row of the nearest point, the lowest of equally near ones; −1 when none is within reach.
    distances : ndarray of float64, shape (q,)
        Distance to it; infinite when none. Cost: q × points in 27 cells.
    """
    among = SortedPoints(points, cell, origin, shape, starts, rows)
    count = queries.shape[0]
    nearest = np.full(count, -1, np.int64)
    distances = np.full(count, np.inf)
    for q in range(count):
        if not (np.isfinite(queries[q, 0]) and np.isfinite(queries[q, 1]) and np.isfinite(queries[q, 2])):
            continue
        found, square = nearest_point(queries[q, 0], queries[q, 1], queries[q, 2], among, reach)
        if found >= 0:
            nearest[q] = found
            distances[q] = np.sqrt(square)
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
