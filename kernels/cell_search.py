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

# Rows of a packed cell are padded to multiples of this, and summed in blocks of four rows, so that the vector loop
# over a block has no remainder.
_LANES = 16
_BLOCK_ROWS = 4
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
    first = max(0, min(stride, -left))
    last = max(first, min(stride, width - left))
    for i in range(rows):
        y = top + i
        base = i * stride
        if y < 0 or y >= height or first == last:
            packed_values[base : base + stride] = 0.0
            packed_valid[base : base + stride] = 0.0
            continue
        packed_values[base : base + first] = 0.0
        packed_valid[base : base + first] = 0.0
        packed_values[base + first : base + last] = other_values[y, left + first : left + last]
        packed_valid[base + first : base + last] = other_valid[y, left + first : left + last]
        packed_values[base + last : base + stride] = 0.0
        packed_valid[base + last : base + stride] = 0.0


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
    block = _BLOCK_ROWS * stride
    for start in range(0, rows * stride, block):
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
def _filled_rows(valid: NDArray[np.float32], rows: int, stride: int) -> tuple[int, int]:
    """Return the first row, and the one after the last, of the blocks of rows that hold any valid point."""
    block = _BLOCK_ROWS * stride
    top = 0
    while top < rows - _BLOCK_ROWS and not np.any(valid[top * stride : top * stride + block]):
        top += _BLOCK_ROWS
    bottom = rows
    while bottom > top + _BLOCK_ROWS and not np.any(valid[bottom * stride - block : bottom * stride]):
        bottom -= _BLOCK_ROWS
    return top, bottom


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
    stride = -(-(n + 2 * _MARGIN) // _LANES) * _LANES
    height = -(-n // _BLOCK_ROWS) * _BLOCK_ROWS
    cell_values = np.zeros((height, stride), np.float32)
    cell_valid = np.zeros((height, stride), np.float32)
    flat_values = cell_values.reshape(height * stride)
    flat_valid = cell_valid.reshape(height * stride)
    window_values = np.zeros((height + 2 * _MARGIN + 1) * stride, np.float32)
    window_valid = np.zeros((height + 2 * _MARGIN + 1) * stride, np.float32)
    for c in range(rows.shape[0]):
        if correlations[c, 0] <= -2.0:
            correlations[c, :] = -2.0
            continue
        count = turn_cell(tiled, centres_y[c], centres_x[c], half, theta, grid_theta, n, cell_values, cell_valid)
        if count < 2:
            correlations[c, :] = -2.0
            continue
        top, bottom = _filled_rows(flat_valid, height, stride)
        box_rows = bottom - top
        packed_values = flat_values[top * stride : bottom * stride]
        packed_valid = flat_valid[top * stride : bottom * stride]
        for q in range(rows.shape[1]):
            if correlations[c, q] <= -2.0:
                break
            y, x = rows[c, q], columns[c, q]
            best, overlap = -3.0, 0.0
            moving = True
            while moving:
                # The window around the place; when the climb reaches its border a new one is taken.
                middle_y, middle_x = y, x
                pack_window(
                    other_values, other_valid, y - n // 2 + top - _MARGIN, x - n // 2 - _MARGIN,
                    box_rows + 2 * _MARGIN + 1, stride, window_values, window_valid,
                )  # fmt: skip
                came_y, came_x = 0, 0
                if best < -2.0:
                    best, overlap = packed_correlation(
                        packed_values, packed_valid, window_values, window_valid,
                        _MARGIN * stride + _MARGIN, box_rows, stride, minimum_overlap * count,
                    )  # fmt: skip
                if not climb:
                    break
                while True:
                    step_y, step_x = 0, 0
                    for dy in range(-1, 2):
                        for dx in range(-1, 2):
                            # The neighbours of the place before were already compared.
                            if (dy == 0 and dx == 0) or (
                                (came_y != 0 or came_x != 0) and abs(dy + came_y) <= 1 and abs(dx + came_x) <= 1
                            ):
                                continue
                            off_y = y + dy - expected_y[c]
                            off_x = x + dx - expected_x[c]
                            if off_y * off_y + off_x * off_x > radius * radius:
                                continue
                            offset = (_MARGIN + y + dy - middle_y) * stride + _MARGIN + x + dx - middle_x
                            r, common = packed_correlation(
                                packed_values, packed_valid, window_values, window_valid,
                                offset, box_rows, stride, minimum_overlap * count,
                            )  # fmt: skip
                            if r > best:
                                best, overlap, step_y, step_x = r, common, dy, dx
                    y += step_y
                    x += step_x
                    came_y, came_x = step_y, step_x
                    if step_y == 0 and step_x == 0:
                        moving = False
                        break
                    if max(abs(y - middle_y), abs(x - middle_x)) == _MARGIN:
                        break
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
