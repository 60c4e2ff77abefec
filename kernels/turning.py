"""Sampling a height map with missing points at turned and shifted positions."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kernels.accelerate import kernel
from kernels.correlation import NO_CORRELATION, pearson_from_sums


@kernel
def sample(heights: NDArray[np.float32], y: float, x: float) -> float:
    """Interpolate bilinearly at one position, from the valid ones of the four neighbours.

    The weights of the valid neighbours are normalised to 1; the result is missing (NaN) when they hold
    less than half of the weight, so that a single dropout does not spread to its surroundings.

    Parameters
    ----------
    heights : ndarray of float32, shape (rows, columns)
        NaN marks missing points; everything outside is missing.
    y, x : float
        Position in points, row and column.
    """
    rows, columns = heights.shape
    i = math.floor(y)
    j = math.floor(x)
    if i < -1 or j < -1 or i >= rows or j >= columns:
        return np.nan
    fy = y - i
    fx = x - j
    weight = 0.0
    total = 0.0
    for k in range(2):
        row = i + k
        if row < 0 or row >= rows:
            continue
        wy = fy if k == 1 else 1.0 - fy
        for m in range(2):
            column = j + m
            if column < 0 or column >= columns:
                continue
            value = heights[row, column]
            if np.isfinite(value):
                w = wy * (fx if m == 1 else 1.0 - fx)
                weight += w
                total += w * value
    if weight < 0.5:
        return np.nan
    return total / weight


@kernel
def sample_padded(
    values: NDArray[np.float32], valid: NDArray[np.float32], y: float, x: float
) -> tuple[np.float32, np.float32]:
    """Interpolate as `sample` does, without branches, from a map that was split and padded.

    Parameters
    ----------
    values, valid : ndarray of float32, shape (rows, columns)
        0 where missing, and 1 or 0 for valid or missing.
    y, x : float
        Position in points, at least 0 and less than the last row and column.

    Returns
    -------
    total, weight : float32
        The weighted sum of the valid neighbours, and their weight; the interpolated value is their ratio, and is
        missing when the weight is less than half.
    """
    row = int(y)
    column = int(x)
    fy = np.float32(y - row)
    fx = np.float32(x - column)
    w00 = (np.float32(1) - fy) * (np.float32(1) - fx)
    w01 = (np.float32(1) - fy) * fx
    w10 = fy * (np.float32(1) - fx)
    w11 = fy * fx
    total = (
        w00 * values[row, column]
        + w01 * values[row, column + 1]
        + w10 * values[row + 1, column]
        + w11 * values[row + 1, column + 1]
    )
    weight = (
        w00 * valid[row, column]
        + w01 * valid[row, column + 1]
        + w10 * valid[row + 1, column]
        + w11 * valid[row + 1, column + 1]
    )
    return total, weight


@kernel
def turn_onto(
    heights: NDArray[np.float32],
    theta: float,
    shift_y: float,
    shift_x: float,
    out: NDArray[np.float32],
) -> None:
    """Turn a map about its centre by ``theta``, shift it, and sample it on the grid of ``out``.

    A point at ``(x, y)`` from the centre of ``heights`` comes to lie at
    ``(x cos θ − y sin θ + shift_x, x sin θ + y cos θ + shift_y)`` from the centre of ``out``.

    Parameters
    ----------
    heights : ndarray of float32, shape (rows, columns)
        NaN marks missing points.
    theta : float
        Angle in radians; clockwise as shown with row 0 on top.
    shift_y, shift_x : float
        Shift in points.
    out : ndarray of float32, shape (m, n)
        Filled with the turned map; NaN where there is none. Cost: 4 reads per point of ``out``.
    """
    cos = math.cos(theta)
    sin = math.sin(theta)
    centre_y = 0.5 * (heights.shape[0] - 1)
    centre_x = 0.5 * (heights.shape[1] - 1)
    origin_y = 0.5 * (out.shape[0] - 1) + shift_y
    origin_x = 0.5 * (out.shape[1] - 1) + shift_x
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            y = i - origin_y
            x = j - origin_x
            out[i, j] = sample(heights, cos * y - sin * x + centre_y, sin * y + cos * x + centre_x)


@kernel
def valid_points(heights: NDArray[np.float32]) -> NDArray[np.float32]:
    """List the valid points of a map, in reading order.

    Parameters
    ----------
    heights : ndarray of float32, shape (rows, columns)
        NaN marks missing points.

    Returns
    -------
    ndarray of float32, shape (n, 3)
        Row and column from the centre of the map, in points, and value. Cost: two passes.
    """
    rows, columns = heights.shape
    n = 0
    for i in range(rows):
        for j in range(columns):
            if np.isfinite(heights[i, j]):
                n += 1
    out = np.empty((n, 3), np.float32)
    n = 0
    for i in range(rows):
        for j in range(columns):
            if np.isfinite(heights[i, j]):
                out[n, 0] = i - 0.5 * (rows - 1)
                out[n, 1] = j - 0.5 * (columns - 1)
                out[n, 2] = heights[i, j]
                n += 1
    return out


@kernel
def pearson_at_pose(
    points: NDArray[np.float32],
    b_values: NDArray[np.float32],
    b_valid: NDArray[np.float32],
    theta: float,
    shift_y: float,
    shift_x: float,
) -> tuple[float, int]:
    """Return the correlation of A with B turned about its centre and shifted, over points valid in both.

    The pose is that of `turn_onto`; B is sampled at the points of A, as `sample` does. NaN with fewer than two common
    points or a flat map.

    Parameters
    ----------
    points : ndarray of float32, shape (n, 3)
        A, as `valid_points` lists it.
    b_values, b_valid : ndarray of float32, shape (rows + 2, columns + 2)
        B with one point of padding all around: 0 where missing, and 1 or 0 for valid or missing.
    theta, shift_y, shift_x : float
        Angle in radians, shifts in points. Cost: 8 reads of B per valid point of A.
    """
    cos = math.cos(theta)
    sin = math.sin(theta)
    centre_y = 0.5 * (b_values.shape[0] - 1)
    centre_x = 0.5 * (b_values.shape[1] - 1)
    count = 0
    sum_a = 0.0
    sum_b = 0.0
    sum_aa = 0.0
    sum_bb = 0.0
    sum_ab = 0.0
    for k in range(points.shape[0]):
        from_y = points[k, 0] - shift_y
        from_x = points[k, 1] - shift_x
        y = cos * from_y - sin * from_x + centre_y
        x = sin * from_y + cos * from_x + centre_x
        if y < 0.0 or x < 0.0 or y >= b_values.shape[0] - 1 or x >= b_values.shape[1] - 1:
            continue
        total, weight = sample_padded(b_values, b_valid, y, x)
        if weight >= 0.5:
            u = float(points[k, 2])
            v = float(total / weight)
            count += 1
            sum_a += u
            sum_b += v
            sum_aa += u * u
            sum_bb += v * v
            sum_ab += u * v
    if count < 2:
        return np.nan, count
    r = pearson_from_sums(float(count), sum_a, sum_b, sum_aa, sum_bb, sum_ab)
    return (r if r > NO_CORRELATION else np.nan), count
