"""Following the peaks of a cell's coarse map to finer levels, by exact sums over the points valid in both marks.

Coordinates: a level of factor ``f`` has its point ``i`` at ``f·i + (f − 1)/2`` of the full map.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.accelerate import kernel
from kernels.cell_maps import turn_cell
from kernels.correlation import NO_CORRELATION, pearson_from_sums

# Rows of a packed cell are padded to multiples of this, so that the vector loop over its points has no remainder.
_LANES = 16
# Points summed in float32 before they are added up in float64.
_BLOCK = 2048
_NEIGHBOURS = ((-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1))
# Unsigned, so that numba does not look for negative indices.
_NEXT = np.uint64(1)
# How far a climb goes before its window is copied anew.
_MARGIN = 3


@kernel
def pack_window(
    other_values: NDArray[np.float32],
    other_valid: NDArray[np.float32],
    top: int,
    left: int,
    rows: int,
    stride: int,
    packed_values: NDArray[np.float32],
    packed_valid: NDArray[np.float32],
) -> None:
    """Copy ``rows`` rows and ``stride`` columns of the other mark, from (top, left), into flat arrays; 0 outside."""
    height, width = other_values.shape
    if top >= 0 and left >= 0 and top + rows <= height and left + stride <= width:
        # Unsigned, so that numba does not look for negative indices and the rows are copied by vectors.
        y, x, n = np.uint64(top), np.uint64(left), np.uint64(stride)
        base: Any = np.uint64(0)
        for _ in range(rows):
            for j in range(n):
                packed_values[base + j] = other_values[y, x + j]
            for j in range(n):
                packed_valid[base + j] = other_valid[y, x + j]
            base += n
            y += _NEXT
        return
    packed_values[: rows * stride] = 0.0
    packed_valid[: rows * stride] = 0.0
    first = max(0, min(stride, -left))
    last = max(first, min(stride, width - left))
    for i in range(max(0, -top), min(rows, height - top)):
        base = i * stride
        packed_values[base + first : base + last] = other_values[top + i, left + first : left + last]
        packed_valid[base + first : base + last] = other_valid[top + i, left + first : left + last]


@kernel
def packed_correlation(
    cell_values: NDArray[np.float32],
    cell_valid: NDArray[np.float32],
    window_values: NDArray[np.float32],
    window_valid: NDArray[np.float32],
    offset: int,
    rows: int,
    stride: int,
    minimum: float,
) -> tuple[float, float]:
    """Return the correlation, and the common points, of a packed cell at one offset of a packed window.

    Points are common where both are valid; the correlation is −2 with fewer than ``minimum`` of them or where either
    side is flat. Blocks of rows are summed in float32 and added up in float64. Cost: 4 reads per point of the box.
    """
    count = 0.0
    sum_a = 0.0
    sum_b = 0.0
    sum_aa = 0.0
    sum_bb = 0.0
    sum_ab = 0.0
    size = rows * stride
    for start in range(0, size, _BLOCK):
        block = min(_BLOCK, size - start)
        cv = cell_values[start : start + block]
        cm = cell_valid[start : start + block]
        wv = window_values[offset + start : offset + start + block]
        wm = window_valid[offset + start : offset + start + block]
        c: Any = np.float32(0)
        sa: Any = np.float32(0)
        sb: Any = np.float32(0)
        saa: Any = np.float32(0)
        sbb: Any = np.float32(0)
        sab: Any = np.float32(0)
        for k in range(block):
            a = cv[k]
            b = wv[k]
            a_common = a * wm[k]
            b_common = b * cm[k]
            c += cm[k] * wm[k]
            sa += a_common
            sb += b_common
            saa += a * a_common
            sbb += b * b_common
            sab += a * b
        count += c
        sum_a += sa
        sum_b += sb
        sum_aa += saa
        sum_bb += sbb
        sum_ab += sab
    if count < minimum or count < 2.0:
        return -2.0, count
    r = pearson_from_sums(count, sum_a, sum_b, sum_aa, sum_bb, sum_ab)
    return (max(-1.0, min(1.0, r)) if r > NO_CORRELATION else NO_CORRELATION), count


@kernel
def _pack_cell(
    values: NDArray[np.float32],
    valid: NDArray[np.float32],
    size: int,
    packed_values: NDArray[np.float32],
    packed_valid: NDArray[np.float32],
) -> tuple[int, int, int, int]:
    """Copy the box of a cell's valid points into flat arrays, with room for a climb right of every row.

    Returns the box's first row and column, its rows, and the length of a packed row.
    """
    filled = np.zeros(size, np.float32)
    top, bottom = size, -1
    for i in range(size):
        row = valid[i]
        total: Any = np.float32(0)
        for j in range(size):
            total += row[j]
            filled[j] += row[j]
        if total > 0.0:
            top = min(top, i)
            bottom = i
    left, right = 0, size - 1
    while filled[left] == 0.0:
        left += 1
    while filled[right] == 0.0:
        right -= 1
    rows = bottom - top + 1
    columns = right - left + 1
    stride = -(-(columns + 2 * _MARGIN) // _LANES) * _LANES
    y, x, n = np.uint64(top), np.uint64(left), np.uint64(columns)
    base: Any = np.uint64(0)
    packed_values[: rows * stride] = 0.0
    packed_valid[: rows * stride] = 0.0
    for _ in range(rows):
        for j in range(n):
            packed_values[base + j] = values[y, x + j]
        for j in range(n):
            packed_valid[base + j] = valid[y, x + j]
        base += np.uint64(stride)
        y += _NEXT
    return top, left, rows, stride


@kernel
def _climb(
    cell_values: NDArray[np.float32],
    cell_valid: NDArray[np.float32],
    rows: int,
    stride: int,
    other_values: NDArray[np.float32],
    other_valid: NDArray[np.float32],
    top: int,
    left: int,
    y: int,
    x: int,
    from_y: float,
    from_x: float,
    radius: float,
    minimum: float,
    climb: bool,
    window_values: NDArray[np.float32],
    window_valid: NDArray[np.float32],
    around: NDArray[np.float32],
) -> tuple[int, int, float, float]:
    """Climb with a packed cell from one place; return where it ended, and the correlation and common points there.

    ``top`` and ``left`` are where the box lies when the cell is at (0, 0).
    """
    side = 2 * _MARGIN + 1
    best, overlap = -3.0, 0.0
    start_y, start_x = y, x
    while True:
        # The window around the place; when the climb reaches its border a new one is taken.
        middle_y, middle_x = y, x
        pack_window(
            other_values, other_valid, y + top - _MARGIN, x + left - _MARGIN,
            rows + 2 * _MARGIN + 1, stride, window_values, window_valid,
        )  # fmt: skip
        if best < -2.0:
            best, overlap = packed_correlation(
                cell_values, cell_valid, window_values, window_valid,
                _MARGIN * stride + _MARGIN, rows, stride, minimum,
            )  # fmt: skip
        if not climb:
            return y, x, best, overlap
        # What was computed around here: -4 for nothing yet.
        around[:] = -4.0
        while True:
            # The start lies up to a corner off the maximum that the coarser level saw: all eight are looked at there.
            first = y == start_y and x == start_x
            at = (_MARGIN + y - middle_y) * side + _MARGIN + x - middle_x
            around[at] = best
            step_y, step_x = 0, 0
            # Up, down, left, right; from then on the corners only where none of these is higher.
            for k in range(8):
                if k == 4 and not first and (step_y != 0 or step_x != 0):
                    break
                dy, dx = _NEIGHBOURS[k]
                to = at + dy * side + dx
                if around[to] == -4.0:
                    r, common = -3.0, 0.0
                    off_y = y + dy - from_y
                    off_x = x + dx - from_x
                    if off_y * off_y + off_x * off_x <= radius * radius:
                        offset = (_MARGIN + y + dy - middle_y) * stride + _MARGIN + x + dx - middle_x
                        r, common = packed_correlation(
                            cell_values, cell_valid, window_values, window_valid, offset, rows, stride, minimum
                        )
                    around[to] = r
                    if r > best:
                        best, overlap, step_y, step_x = r, common, dy, dx
            y += step_y
            x += step_x
            if step_y == 0 and step_x == 0:
                return y, x, best, overlap
            if max(abs(y - middle_y), abs(x - middle_x)) == _MARGIN:
                break


@kernel
def follow_peaks(
    tiled: NDArray[np.float32],
    centres_y: NDArray[np.float64],
    centres_x: NDArray[np.float64],
    half: float,
    theta: float,
    grid_theta: float,
    other_values: NDArray[np.float32],
    other_valid: NDArray[np.float32],
    expected_y: NDArray[np.float64],
    expected_x: NDArray[np.float64],
    radius: float,
    minimum_overlap: float,
    climb: bool,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    correlations: NDArray[np.float32],
    overlaps: NDArray[np.float32],
) -> None:
    """Climb from the given places to the maxima of the exact correlation on one level, for all cells at one angle.

    Parameters
    ----------
    tiled : ndarray of float32, shape (rows, columns)
        The tiled mark at this level, padded (see `turn_cell`).
    centres_y, centres_x : ndarray of float64, shape (cells,)
        Centres of the cells in points of this level.
    half, theta, grid_theta
        See `turn_cell`.
    other_values, other_valid : ndarray of float32
        The other mark at this level, 0 where missing, and 1 or 0 for valid or missing.
    expected_y, expected_x : ndarray of float64, shape (cells,)
        Where each cell is expected, in points of the other mark.
    radius : float
        Greatest distance from there.
    minimum_overlap : float
        Least share of the cell's valid points that must be common.
    climb : bool
        Whether to climb; otherwise the places stay, and only the correlations there are computed.
    rows, columns : ndarray of int64, shape (cells, peaks)
        Where to start, in points of the other mark, −1 in `correlations` for none; replaced by where the climb
        ended, best first.
    correlations, overlaps : ndarray of float32, shape (cells, peaks)
        On entry, correlations of −2 mark starts that do not exist. Filled: correlation (−2 for none) and common
        points as a share of the cell's.
    """
    n = 2 * math.ceil(half * (abs(math.cos(theta - grid_theta)) + abs(math.sin(theta - grid_theta)))) + 1
    longest = -(-(n + 2 * _MARGIN) // _LANES) * _LANES
    # One by one: numba takes the rows of an unpacked array for strided ones.
    cell_values = np.empty((n, n), np.float32)
    cell_valid = np.empty((n, n), np.float32)
    packed_values = np.empty(n * longest, np.float32)
    packed_valid = np.empty(n * longest, np.float32)
    window_values = np.empty((n + 2 * _MARGIN + 1) * longest, np.float32)
    window_valid = np.empty((n + 2 * _MARGIN + 1) * longest, np.float32)
    around = np.empty((2 * _MARGIN + 1) ** 2, np.float32)
    for c in range(rows.shape[0]):
        if correlations[c, 0] <= -2.0:
            correlations[c, :] = -2.0
            continue
        count = turn_cell(tiled, centres_y[c], centres_x[c], half, theta, grid_theta, n, cell_values, cell_valid)
        if count < 2:
            correlations[c, :] = -2.0
            continue
        top, left, box_rows, stride = _pack_cell(cell_values, cell_valid, n, packed_values, packed_valid)
        for q in range(rows.shape[1]):
            if correlations[c, q] <= -2.0:
                break
            y, x, best, overlap = _climb(
                packed_values, packed_valid, box_rows, stride, other_values, other_valid, top - n // 2, left - n // 2,
                rows[c, q], columns[c, q], expected_y[c], expected_x[c], radius, minimum_overlap * count, climb,
                window_values, window_valid, around,
            )  # fmt: skip
            at = q
            while at > 0 and correlations[c, at - 1] < best:
                correlations[c, at] = correlations[c, at - 1]
                overlaps[c, at] = overlaps[c, at - 1]
                rows[c, at] = rows[c, at - 1]
                columns[c, at] = columns[c, at - 1]
                at -= 1
            correlations[c, at] = best
            overlaps[c, at] = overlap / count
            rows[c, at] = y
            columns[c, at] = x
