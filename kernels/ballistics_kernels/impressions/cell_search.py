"""Following the peaks of a cell's coarse map to finer levels, by exact sums over the points valid in both marks.

Coordinates: a level of factor ``f`` has its point ``i`` at ``f·i + (f − 1)/2`` of the full map.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel
from ballistics_kernels.impressions.cell_arrays import Cells, ClimbRoom, Expected, PackedCell, Peaks, SplitMark
from ballistics_kernels.impressions.cell_turning import HEIGHTS, VALID, cell_side, room_for_points, turned_points
from ballistics_kernels.impressions.correlation import NO_CORRELATION, pearson_from_sums
from ballistics_kernels.impressions.peaks import offset_of_maximum

# A packed cell is padded to a multiple of this, so that the vector loop over its points has no remainder.
_LANES = 16
# Points summed in float32 before they are added up in float64.
_BLOCK = 2048
# A correlation that was not computed yet; below any other.
_NOT_YET = -4.0
_NEIGHBOURS = ((-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1))
# How far a climb goes before its window is copied anew.
_MARGIN = 3


@kernel
def pack_window(
    other: SplitMark,
    top: int,
    left: int,
    rows: int,
    stride: int,
    packed_values: NDArray[np.float32],
    packed_valid: NDArray[np.float32],
) -> None:
    """Copy a window of the other mark into flat arrays; 0 where it lies outside the mark.

    Parameters
    ----------
    other : SplitMark
        Values and validity of the mark, see `split`.
    top, left : int
        First row and column of the window; may lie outside the mark.
    rows, stride : int
        Rows and columns of the window.
    packed_values, packed_valid : ndarray of float32, shape (at least rows * stride,)
        Filled, row after row; the rest is left as it is. Cost: 2 copies of the window.
    """
    other_values, other_valid = other
    height, width = other_values.shape
    if top >= 0 and left >= 0 and top + rows <= height and left + stride <= width:
        # Flat arrays, unsigned indices and one loop for both: numba then copies the rows by vectors.
        values = other_values.reshape(other_values.size)
        valid = other_valid.reshape(other_valid.size)
        n = np.uint64(stride)
        base: Any = np.uint64(0)
        at: Any = np.uint64(top * width + left)
        for _ in range(rows):
            for j in range(n):
                packed_values[base + j] = values[at + j]
                packed_valid[base + j] = valid[at + j]
            base += n
            at += np.uint64(width)
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
    size: int,
    minimum: float,
) -> tuple[float, float]:
    """Return the correlation, and the common points, of a packed cell at one offset of a packed window.

    Points are common where both are valid. Blocks of entries are summed in float32 and added up in float64.

    Parameters
    ----------
    cell_values, cell_valid : ndarray of float32, shape (at least size,)
        The packed cell: 0 where missing, and 1 or 0 for valid or missing.
    window_values, window_valid : ndarray of float32, shape (at least offset + size,)
        The packed window likewise; finite everywhere.
    offset : int
        Entry of the window at which the cell's first entry lies.
    size : int
        Entries of the cell, those between its rows included.
    minimum : float
        Fewest common points.

    Returns
    -------
    correlation : float
        −1 to 1; `NO_CORRELATION` with fewer common points or where either side is flat.
    count : float
        Common points. Cost: 4 reads per entry.
    """
    count = 0.0
    sum_a = 0.0
    sum_b = 0.0
    sum_aa = 0.0
    sum_bb = 0.0
    sum_ab = 0.0
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
        return NO_CORRELATION, count
    r = pearson_from_sums(count, sum_a, sum_b, sum_aa, sum_bb, sum_ab)
    return (max(-1.0, min(1.0, r)) if r > NO_CORRELATION else NO_CORRELATION), count


@kernel
def _pack_cell(
    columns: NDArray[np.int64],
    starts: NDArray[np.int64],
    values: NDArray[np.float32],
    valid: NDArray[np.float32],
    packed_values: NDArray[np.float32],
    packed_valid: NDArray[np.float32],
) -> tuple[int, int, int, int, int]:
    """Copy the box of a cell's valid points into flat arrays, with room for a climb right of every row.

    The points are those of `turned_points`, with at least one valid. Returns the box's first row and column, its rows,
    the length of a packed row, and the entries filled.
    """
    top, bottom = -1, -1
    left, right = columns.size, -1
    for i in range(columns.size):
        first, last = starts[i], starts[i + 1] - 1
        while first <= last and valid[first] == 0.0:
            first += 1
        if first > last:
            continue
        while valid[last] == 0.0:
            last -= 1
        if top < 0:
            top = i
        bottom = i
        left = min(left, columns[i] + first - starts[i])
        right = max(right, columns[i] + last - starts[i])
    rows = bottom - top + 1
    stride = right - left + 1 + 2 * _MARGIN
    size = -(-rows * stride // _LANES) * _LANES
    packed_values[:size] = 0.0
    packed_valid[:size] = 0.0
    for i in range(rows):
        # What lies left or right of the box is missing, and 0 in both arrays.
        first = max(left, columns[top + i])
        last = min(right + 1, columns[top + i] + starts[top + i + 1] - starts[top + i])
        at = np.uint64(starts[top + i] + first - columns[top + i])
        base = np.uint64(i * stride + first - left)
        for j in range(np.uint64(max(0, last - first))):
            packed_values[base + j] = values[at + j]
            packed_valid[base + j] = valid[at + j]
    return top, left, rows, stride, size


@kernel
def _climb(
    cell: PackedCell,
    other: SplitMark,
    corner: tuple[int, int],
    start: tuple[float, float],
    expected: tuple[float, float, float],
    minimum: float,
    climb: bool,
    room: ClimbRoom,
) -> tuple[float, float, float, float]:
    """Climb with a packed cell from one place; return where it ended, and the correlation and common points there.

    ``corner`` is where the box lies when the cell is at (0, 0); ``expected`` a place, and how far from it the cell may
    lie.
    """
    cell_values, cell_valid, rows, stride, size = cell
    window_values, window_valid, around = room
    top, left = corner
    start_y, start_x = start
    from_y, from_x, radius = expected
    side = 2 * _MARGIN + 1
    best, overlap, begun = NO_CORRELATION, 0.0, False
    first_y, first_x = math.floor(start_y + 0.5), math.floor(start_x + 0.5)
    y, x = first_y, first_x
    while True:
        # The window around the place; when the climb reaches its border a new one is taken.
        middle_y, middle_x = y, x
        pack_window(
            other, y + top - _MARGIN, x + left - _MARGIN,
            rows + 2 * _MARGIN, stride, window_values, window_valid,
        )  # fmt: skip
        if not begun:
            begun = True
            best, overlap = packed_correlation(
                cell_values, cell_valid, window_values, window_valid, _MARGIN * stride + _MARGIN, size, minimum
            )
        if not climb:
            return start_y, start_x, best, overlap
        around[:] = _NOT_YET
        while True:
            # The start may lie beside the maximum that the coarser level saw: all eight are looked at there.
            first = y == first_y and x == first_x
            at = (_MARGIN + y - middle_y) * side + _MARGIN + x - middle_x
            around[at] = best
            step_y, step_x = 0, 0
            # Up, down, left, right; from then on the corners only where none of these is higher.
            for k in range(8):
                if k == 4 and not first and (step_y != 0 or step_x != 0):
                    break
                dy, dx = _NEIGHBOURS[k]
                to = at + dy * side + dx
                if around[to] == _NOT_YET:
                    r, common = NO_CORRELATION, 0.0
                    off_y = y + dy - from_y
                    off_x = x + dx - from_x
                    if off_y * off_y + off_x * off_x <= radius * radius:
                        offset = (_MARGIN + y + dy - middle_y) * stride + _MARGIN + x + dx - middle_x
                        r, common = packed_correlation(
                            cell_values, cell_valid, window_values, window_valid, offset, size, minimum
                        )
                    around[to] = r
                    if r > best:
                        best, overlap, step_y, step_x = r, common, dy, dx
            if step_y == 0 and step_x == 0:
                return (
                    y + offset_of_maximum(around[at - side], best, around[at + side]),
                    x + offset_of_maximum(around[at - 1], best, around[at + 1]),
                    best,
                    overlap,
                )
            y += step_y
            x += step_x
            if max(abs(y - middle_y), abs(x - middle_x)) == _MARGIN:
                break


@kernel
def follow_peaks(
    cells: Cells,
    thetas: NDArray[np.float64],
    other: SplitMark,
    expected: Expected,
    minimum_overlap: float,
    climb: bool,
    peaks: Peaks,
    overlaps: NDArray[np.float32],
) -> None:
    """Climb from the given places to the maxima of the exact correlation on one level, for all angles and cells.

    Parameters
    ----------
    cells : Cells
        Of the tiled mark at this level, see `turned_points`.
    thetas : ndarray of float64, shape (angles,)
        Angles in radians, clockwise, by which the other mark would have to be turned to lie on the tiled one.
    other : SplitMark
        The other mark at this level.
    expected : Expected
        Where each cell is expected, and the greatest distance from there.
    minimum_overlap : float
        Least share of the cell's valid points that must be common.
    climb : bool
        Whether to climb; otherwise the places stay, and only the correlations at the nearest points are computed.
    peaks : Peaks, shape (angles, cells, peaks)
        Where to start, in points of the other mark; replaced by where between its points the climb ended, best first,
        and the correlation at the point where it ended. `NO_CORRELATION` marks starts and peaks that do not exist.
    overlaps : ndarray of float32, shape (angles, cells, peaks)
        Filled: common points as a share of the cell's.
    """
    rows, columns, correlations = peaks
    half = cells.half
    # Rounding of the angle must not make a box larger than the largest.
    largest = cell_side(half, math.pi / 4) + 2
    entries = largest * (largest + 2 * _MARGIN) + _LANES
    work, places = room_for_points(largest)
    first_columns, starts = np.empty(largest, np.int64), np.empty(largest + 1, np.int64)
    packed_values, packed_valid = np.empty(entries, np.float32), np.empty(entries, np.float32)
    # What a window does not fill is multiplied by zeros of the cell, and must be finite.
    entries += 2 * _MARGIN * (largest + 2 * _MARGIN + 1)
    window_values, window_valid = np.zeros(entries, np.float32), np.zeros(entries, np.float32)
    room = ClimbRoom(window_values, window_valid, np.empty((2 * _MARGIN + 1) ** 2, np.float32))
    # Cell by cell: what is read for one angle is still in the cache for the next.
    for c in range(cells.centres_y.size):
        for t in range(thetas.size):
            r = correlations[t, c]
            if r[0] <= NO_CORRELATION:
                r[:] = NO_CORRELATION
                continue
            theta = thetas[t]
            n = cell_side(half, theta - cells.grid_theta)
            first = first_columns[:n]
            count = turned_points(cells, c, theta, n, first, starts, work, places)
            if count < 2:
                r[:] = NO_CORRELATION
                continue
            top, left, box_rows, stride, size = _pack_cell(
                first, starts, work[HEIGHTS], work[VALID], packed_values, packed_valid
            )
            for q in range(r.size):
                if r[q] <= NO_CORRELATION:
                    break
                y, x, best, overlap = _climb(
                    PackedCell(packed_values, packed_valid, box_rows, stride, size), other,
                    (top - n // 2, left - n // 2), (rows[t, c, q], columns[t, c, q]),
                    (expected.y[c], expected.x[c], expected.radius), minimum_overlap * count, climb, room,
                )  # fmt: skip
                at = q
                while at > 0 and r[at - 1] < best:
                    r[at] = r[at - 1]
                    overlaps[t, c, at] = overlaps[t, c, at - 1]
                    rows[t, c, at] = rows[t, c, at - 1]
                    columns[t, c, at] = columns[t, c, at - 1]
                    at -= 1
                r[at] = best
                overlaps[t, c, at] = overlap / count
                rows[t, c, at] = y
                columns[t, c, at] = x
