"""Turning one cell of a mark about its centre onto the grid of another mark.

Interpolation is that of `turning.sample`: bilinear from the valid ones of the four neighbours, missing when
they hold less than half of the weight. The points of a cell are held in a list, row by row, so that loops run over
whole cells and not over their short rows.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel
from ballistics_kernels.impressions.cell_arrays import Cells
from ballistics_kernels.impressions.turning import interpolated

# Unsigned, so that numba does not look for negative indices.
_NEXT = np.uint64(1)
# What the work on a point needs: fractions of its position, four neighbours, its height and validity.
_FIELDS = 8
#: Where the heights and the validity stand among them.
HEIGHTS, VALID = 6, 7


@kernel
def cell_side(half: float, turn: float) -> int:
    """Return the rows, an odd number, of the box around a square cell of ``2·half`` points turned by ``turn``."""
    return 2 * math.ceil(half * (abs(math.cos(turn)) + abs(math.sin(turn)))) + 1


@kernel
def room_for_points(size: int) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return arrays in which `turned_points` can work on cells whose boxes have up to ``size`` rows."""
    return np.empty((_FIELDS, size * size), np.float32), np.empty(size * size, np.int32)


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
def turned_points(
    cells: Cells,
    which: int,
    theta: float,
    size: int,
    columns: NDArray[np.int64],
    starts: NDArray[np.int64],
    work: NDArray[np.float32],
    places: NDArray[np.int32],
) -> int:
    """Turn one square cell by ``−theta`` about its centre onto a grid centred on it, as a list of points.

    Parameters
    ----------
    cells : Cells
        The tiled mark at one level, from `turning.padded`, with a border so wide that a cell and two points
        around it never leave it, and its cells.
    which : int
        Index of the cell.
    theta : float
        Angle in radians, clockwise, by which the other mark would have to be turned to lie on this one.
    size : int
        Rows and columns of the grid, odd.
    columns : ndarray of int64, shape (size,)
        Filled with the first column of each row's points in the grid.
    starts : ndarray of int64, shape (size + 1,)
        Filled with where each row begins in the list.
    work, places
        From `room_for_points`. Rows `HEIGHTS` and `VALID` of ``work`` are filled with the heights (0 where missing) and
        1 or 0 for valid or missing.

    Returns
    -------
    int
        Number of valid points. Cost: 4 reads per point of the cell.
    """
    tiled, half = cells.tiled, cells.half
    centre_y, centre_x = cells.centres_y[which], cells.centres_x[which]
    cos = math.cos(theta)
    sin = math.sin(theta)
    cell_cos = math.cos(theta - cells.grid_theta)
    cell_sin = math.sin(theta - cells.grid_theta)
    middle = size // 2
    # Positions are counted from a corner of the cell, however its sides are turned against the axes of the mark: single
    # precision is enough, and all are positive.
    reach = math.ceil(half * math.sqrt(2)) + 2
    top = math.floor(centre_y) - reach
    left = math.floor(centre_x) - reach
    down, right = np.float32(sin), np.float32(cos)
    width = np.int32(tiled.shape[1])
    fy, fx, a, b, c, d, values, valid = work[0], work[1], work[2], work[3], work[4], work[5], work[HEIGHTS], work[VALID]
    n = 0
    for i in range(size):
        y = i - middle
        first, last = _columns_inside(cell_cos, -cell_sin * y, cell_sin, cell_cos * y, half, middle)
        columns[i] = first + middle
        starts[i] = n
        from_y = np.float32(cos * y + centre_y + sin * first - top)
        from_x = np.float32(centre_x - sin * y + cos * first - left)
        base = np.uint64(n)
        for k in range(np.int32(last - first)):
            at_y = from_y + down * np.float32(k)
            at_x = from_x + right * np.float32(k)
            row = np.int32(at_y)
            column = np.int32(at_x)
            to = base + np.uint64(k)
            fy[to] = at_y - np.float32(row)
            fx[to] = at_x - np.float32(column)
            places[to] = row * width + column
        n += last - first
    starts[size] = n
    flat = tiled.reshape(tiled.size)
    origin = np.uint64(top * tiled.shape[1] + left)
    below = np.uint64(tiled.shape[1])
    for k in range(np.uint64(n)):
        place = origin + np.uint64(places[k])
        a[k] = flat[place]
        b[k] = flat[place + _NEXT]
        c[k] = flat[place + below]
        d[k] = flat[place + below + _NEXT]
    count: Any = np.float32(0)
    for k in range(np.uint64(n)):
        values[k], valid[k] = interpolated(a[k], b[k], c[k], d[k], fy[k], fx[k])
    for k in range(np.uint64(n)):
        count += valid[k]
    return int(count)


@kernel
def turn_cells(
    cells: Cells,
    theta: float,
    size: int,
    values: NDArray[np.float32],
    valid: NDArray[np.float32],
    counts: NDArray[np.int64],
) -> None:
    """Turn all cells at one angle into maps.

    Parameters
    ----------
    cells, theta, size
        See `turned_points`.
    values, valid : ndarray of float32, shape (cells, at least size, at least size)
        The points of each cell are written, 0 where missing and 1 or 0 for valid or missing; the rest of the maps is
        left as it is.
    counts : ndarray of int64, shape (cells,)
        Filled with the number of valid points.
    """
    work, places = room_for_points(size)
    columns, starts = np.empty(size, np.int64), np.empty(size + 1, np.int64)
    for c in range(cells.centres_y.size):
        counts[c] = turned_points(cells, c, theta, size, columns, starts, work, places)
        for i in range(size):
            n = starts[i + 1] - starts[i]
            into, into_valid = values[c, i, columns[i] :], valid[c, i, columns[i] :]
            heights, there = work[HEIGHTS, starts[i] :], work[VALID, starts[i] :]
            for j in range(np.uint64(n)):
                into[j] = heights[j]
                into_valid[j] = there[j]
