"""Coarse maps of where one cell of a mark agrees with another mark, from transforms that all angles share.

A cell is turned by each trial angle about its own centre onto the grid of the other mark, which stays as measured. On
a coarse level its correlation with the surroundings of the expected place follows, at every shift, from Fourier
transforms (masked correlation, Padfield 2012, doi:10.1109/TIP.2011.2181402).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kernels.accelerate import kernel
from kernels.correlation import NO_CORRELATION
from kernels.half_sums import correlations_from_half_sums
from kernels.peaks import peaks
from kernels.turning import interpolated

# Unsigned, so that numba does not look for negative indices.
_NEXT = np.uint64(1)


@kernel
def _columns_inside(
    slope_u: float, offset_u: float, slope_v: float, offset_v: float, half: float, reach: int
) -> tuple[int, int]:
    """Return the run of integers x, within ±reach, with both slope·x + offset in [−half, half); (0, 0) for none."""
    low = -float(reach)
    high = float(reach)
    for slope, offset in ((slope_u, offset_u), (slope_v, offset_v)):
        if abs(slope) > 1e-9:
            a = (-half - offset) / slope
            b = (half - offset) / slope
            low = max(low, min(a, b) - 1.0)
            high = min(high, max(a, b) + 1.0)
    first = math.ceil(low)
    last = math.floor(high)
    while first <= last and not (
        -half <= slope_u * first + offset_u < half and -half <= slope_v * first + offset_v < half
    ):
        first += 1
    while last >= first and not (
        -half <= slope_u * last + offset_u < half and -half <= slope_v * last + offset_v < half
    ):
        last -= 1
    if first > last:
        return 0, 0
    return first, last + 1


@kernel
def turn_cell(
    tiled: NDArray[np.float32],
    centre_y: float,
    centre_x: float,
    half: float,
    theta: float,
    grid_theta: float,
    size: int,
    values: NDArray[np.float32],
    valid: NDArray[np.float32],
) -> int:
    """Turn one square cell by ``−theta`` about its centre onto a grid centred on it.

    Interpolation is that of `kernels.turning.sample`: bilinear from the valid ones of the four neighbours, missing
    when they hold less than half of the weight.

    Parameters
    ----------
    tiled : ndarray of float32, shape (rows, columns)
        The tiled mark at one level, from `kernels.turning.padded`, with a border so wide that the cell and one point
        around it never leave it.
    centre_y, centre_x : float
        Centre of the cell in points of this level.
    half : float
        Half the side of the cell in points of this level; the cell is half-open.
    theta : float
        Angle in radians, clockwise, by which the other mark would have to be turned to lie on this one.
    grid_theta : float
        Angle in radians, clockwise, by which the cell's sides are turned against the axes of the tiled mark.
    size : int
        Rows and columns of the grid, odd.
    values, valid : ndarray of float32, shape (at least size, at least size)
        The first ``size`` rows are filled, up to their ends, with the turned heights (0 where missing) and 1 or 0 for
        valid or missing; the grid is in the first ``size`` columns.

    Returns
    -------
    int
        Number of valid points. Cost: 4 reads per point of the cell.
    """
    cos = math.cos(theta)
    sin = math.sin(theta)
    cell_cos = math.cos(theta - grid_theta)
    cell_sin = math.sin(theta - grid_theta)
    middle = size // 2
    count = 0
    places = np.empty(size, np.uint64)
    # Fractions of the position and the four neighbours, of one row: in arrays of their own, so that everything but
    # the fetching of the neighbours is done for many points at once.
    fy = np.empty(size, np.float32)
    fx = np.empty(size, np.float32)
    upper_left = np.empty(size, np.float32)
    upper_right = np.empty(size, np.float32)
    lower_left = np.empty(size, np.float32)
    lower_right = np.empty(size, np.float32)
    flat = tiled.reshape(tiled.size)
    width = np.uint64(tiled.shape[1])
    for i in range(size):
        y = i - middle
        values[i, :] = 0.0
        valid[i, :] = 0.0
        first, last = _columns_inside(cell_cos, -cell_sin * y, cell_sin, cell_cos * y, half, middle)
        from_y = cos * y + centre_y + sin * first
        from_x = centre_x - sin * y + cos * first
        for k in range(last - first):
            at_y = from_y + sin * k
            at_x = from_x + cos * k
            row = np.int32(at_y)
            column = np.int32(at_x)
            fy[k] = at_y - row
            fx[k] = at_x - column
            places[k] = row * np.int64(width) + column
        for k in range(last - first):
            place = places[k]
            upper_left[k] = flat[place]
            upper_right[k] = flat[place + _NEXT]
            lower_left[k] = flat[place + width]
            lower_right[k] = flat[place + width + _NEXT]
        into = values[i, first + middle : last + middle]
        into_valid = valid[i, first + middle : last + middle]
        for k in range(into.size):
            into[k], into_valid[k] = interpolated(
                upper_left[k], upper_right[k], lower_left[k], lower_right[k], fy[k], fx[k]
            )
        for k in range(into.size):
            count += int(into_valid[k])
    return count


@kernel
def turn_cells(
    tiled: NDArray[np.float32],
    centres_y: NDArray[np.float64],
    centres_x: NDArray[np.float64],
    half: float,
    theta: float,
    grid_theta: float,
    size: int,
    values: NDArray[np.float32],
    valid: NDArray[np.float32],
    counts: NDArray[np.int64],
) -> None:
    """Turn all cells with `turn_cell` into the first ``size`` rows and columns of arrays of shape (cells, m, m)."""
    for c in range(centres_y.size):
        counts[c] = turn_cell(tiled, centres_y[c], centres_x[c], half, theta, grid_theta, size, values[c], valid[c])


@kernel
def block_sums(values: NDArray[np.float32], valid: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """Sum validity, values and squared values over blocks of 2 × 2 points.

    Parameters
    ----------
    values, valid : ndarray of float32, shape (cells, m, m), m even
        0 where missing; 1 or 0 for valid or missing.
    out : ndarray of float32, shape (3, cells, m // 2, m // 2)
        Filled.
    """
    for c in range(values.shape[0]):
        for i in range(out.shape[2]):
            top = values[c, 2 * i]
            low = values[c, 2 * i + 1]
            top_valid = valid[c, 2 * i]
            low_valid = valid[c, 2 * i + 1]
            for j in range(out.shape[3]):
                k = 2 * j
                out[0, c, i, j] = top_valid[k] + top_valid[k + 1] + low_valid[k] + low_valid[k + 1]
                out[1, c, i, j] = top[k] + top[k + 1] + low[k] + low[k + 1]
                out[2, c, i, j] = top[k] * top[k] + top[k + 1] * top[k + 1] + low[k] * low[k] + low[k + 1] * low[k + 1]


@kernel
def coarse_map(
    sum_ab: NDArray[np.float32],
    low: NDArray[np.float32],
    count: float,
    minimum_overlap: float,
    radius: float,
    out: NDArray[np.float32],
) -> None:
    """Combine the transforms' sums into a map of the correlation over all shifts of one cell.

    Parameters
    ----------
    sum_ab : ndarray of float32, shape (m, m)
        Σ a·b at every cyclic shift of the coarse level.
    low : ndarray of float32, shape (5, m // 2, m // 2)
        Σ over half the resolution of: common points, a, b, a², b². These sums vary slowly with the shift, so
        that every second shift is computed and the rest interpolated.
    count : float
        Valid points of the cell.
    minimum_overlap : float
        Least share of them that must be common.
    radius : float
        Greatest shift in points.
    out : ndarray of float32, shape (2 k + 1, 2 k + 1)
        Correlation at shift ``(i − k, j − k)``; −2 where none is admissible.
    """
    k = out.shape[0] // 2
    common = np.empty(out.shape, np.float32)
    correlations_from_half_sums(sum_ab, low, minimum_overlap * count, out, common)
    for i in range(2 * k + 1):
        # Half the chord of the circle of admissible shifts in this row.
        chord = radius * radius - (i - k) * (i - k)
        reach = int(math.sqrt(chord)) if chord >= 0.0 else -1
        for j in range(k - reach):
            out[i, j] = NO_CORRELATION
            out[i, 2 * k - j] = NO_CORRELATION
        if reach < 0:
            out[i, k] = NO_CORRELATION


@kernel
def search_coarse(
    sum_ab: NDArray[np.float32],
    low: NDArray[np.float32],
    counts: NDArray[np.int64],
    minimum_overlap: float,
    radius: float,
    maps: NDArray[np.float32],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    scores: NDArray[np.float32],
) -> None:
    """Make the maps of all cells at one angle and find their peaks.

    Parameters
    ----------
    sum_ab : ndarray of float32, shape (cells, m, m)
    low : ndarray of float32, shape (5, cells, m // 2, m // 2)
        See `coarse_map`.
    counts : ndarray of int64, shape (cells,)
        Valid points of each turned cell.
    minimum_overlap, radius : float
        See `coarse_map`.
    maps : ndarray of float32, shape (cells, 2 k + 1, 2 k + 1)
        Filled.
    rows, columns : ndarray of int64, shape (cells, peaks)
        Filled with the places of the peaks in the map, best first.
    scores : ndarray of float32, shape (cells, peaks)
        Filled with the correlations there; −2 where there are fewer peaks.
    """
    k = maps.shape[1] // 2
    sums = np.empty((5, low.shape[2], low.shape[3]), np.float32)
    for c in range(maps.shape[0]):
        for q in range(5):
            sums[q] = low[q, c]
        coarse_map(sum_ab[c], sums, float(counts[c]), minimum_overlap, radius, maps[c])
        found = peaks(maps[c], float(k), float(k), float(k), rows[c], columns[c])
        for q in range(rows.shape[1]):
            scores[c, q] = maps[c, rows[c, q], columns[c, q]] if q < found else -2.0
