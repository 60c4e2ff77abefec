"""Where the valid points of a map lie: middle, preferred turn and reach, and their number in square cells."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel


@kernel
def middle_and_turn(heights: NDArray[np.float32]) -> tuple[int, float, float, float]:
    """Return the number of valid points, their mean row and column, and the turn of a square grid on the map.

    The turn is the phase, over four, of the fourth harmonic about the middle of the squared heights: a square grid has
    no other preferred turn. It is in radians, counter-clockwise as shown, within ±π/4; 0 where no point is valid.

    Parameters
    ----------
    heights : ndarray of float32, shape (rows, columns)
        NaN and infinite points are missing. Cost: two passes.
    """
    rows, columns = heights.shape
    count = 0
    sum_y = 0.0
    sum_x = 0.0
    for i in range(rows):
        in_row = 0
        for j in range(columns):
            if np.isfinite(heights[i, j]):
                in_row += 1
                sum_x += j
        count += in_row
        sum_y += float(i) * in_row
    if count == 0:
        return 0, 0.0, 0.0, 0.0
    middle_y = sum_y / count
    middle_x = sum_x / count
    real = 0.0
    imaginary = 0.0
    for i in range(rows):
        y = middle_y - i
        for j in range(columns):
            value = heights[i, j]
            if not np.isfinite(value):
                continue
            x = j - middle_x
            # (x + iy)⁴ by squaring twice, over its size.
            a = x * x - y * y
            b = 2.0 * x * y
            weight = np.float64(value) * np.float64(value) / max((x * x + y * y) ** 2, 1e-18)
            real += weight * (a * a - b * b)
            imaginary += weight * 2.0 * a * b
    return count, middle_y, middle_x, math.atan2(imaginary, real) / 4.0


@kernel
def reach_of_valid(heights: NDArray[np.float32], middle_y: float, middle_x: float, cos: float, sin: float) -> float:
    """Return how far the valid points reach from a place along the axes of a turned grid, the greater of the two.

    Parameters
    ----------
    heights : ndarray of float32, shape (rows, columns)
        NaN and infinite points are missing. Cost: one pass.
    middle_y, middle_x : float
        The place.
    cos, sin : float
        Of the grid's turn, clockwise as shown.
    """
    reach = 0.0
    for i in range(heights.shape[0]):
        y = i - middle_y
        for j in range(heights.shape[1]):
            if np.isfinite(heights[i, j]):
                x = j - middle_x
                reach = max(reach, abs(cos * y - sin * x), abs(cos * x + sin * y))
    return reach


@kernel
def count_in_cells(
    heights: NDArray[np.float32],
    middle_y: float,
    middle_x: float,
    cos: float,
    sin: float,
    side: float,
    counts: NDArray[np.int64],
) -> None:
    """Count the valid points in every cell of a turned square grid.

    Parameters
    ----------
    heights, middle_y, middle_x, cos, sin
        As for `reach_of_valid`; the place is the middle of the grid.
    side : float
        Of a cell, in points. It holds the points in [centre − side / 2, centre + side / 2).
    counts : ndarray of int64, shape (n, n)
        Filled; every valid point must lie on the grid.
    """
    n = counts.shape[0]
    counts[:] = 0
    for i in range(heights.shape[0]):
        y = i - middle_y
        for j in range(heights.shape[1]):
            if np.isfinite(heights[i, j]):
                x = j - middle_x
                row = math.floor((cos * y - sin * x) / side + n / 2)
                column = math.floor((cos * x + sin * y) / side + n / 2)
                counts[row, column] += 1
