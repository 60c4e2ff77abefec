"""Sampling a height map with missing points at turned and shifted positions."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kernels.accelerate import kernel
from kernels.correlation import pearson_from_sums


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
def pearson_at_pose(
    a: NDArray[np.float32], b: NDArray[np.float32], theta: float, shift_y: float, shift_x: float
) -> tuple[float, int]:
    """Return the correlation of A with B turned about its centre and shifted, over points valid in both.

    The pose is that of `turn_onto`; B is sampled at the points of A. Shifts in points, angle in radians.
    NaN with fewer than two common points or a flat map. Cost: 4 reads of B per valid point of A.
    """
    cos = math.cos(theta)
    sin = math.sin(theta)
    centre_y = 0.5 * (b.shape[0] - 1)
    centre_x = 0.5 * (b.shape[1] - 1)
    origin_y = 0.5 * (a.shape[0] - 1) + shift_y
    origin_x = 0.5 * (a.shape[1] - 1) + shift_x
    count = 0
    sum_a = 0.0
    sum_b = 0.0
    sum_aa = 0.0
    sum_bb = 0.0
    sum_ab = 0.0
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            u = float(a[i, j])
            if not np.isfinite(u):
                continue
            y = i - origin_y
            x = j - origin_x
            v = sample(b, cos * y - sin * x + centre_y, sin * y + cos * x + centre_x)
            if np.isfinite(v):
                count += 1
                sum_a += u
                sum_b += v
                sum_aa += u * u
                sum_bb += v * v
                sum_ab += u * v
    if count < 2:
        return np.nan, count
    return pearson_from_sums(float(count), sum_a, sum_b, sum_aa, sum_bb, sum_ab), count
