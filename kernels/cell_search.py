"""Finding one cell of a mark on another: coarse maps from shared transforms, exact sums at the peaks.

A cell is turned by each trial angle about its own centre onto the grid of the other mark, which stays as
measured. On a coarse level its correlation with the surroundings of the expected place is computed at every
shift through Fourier transforms (masked correlation, Padfield 2012, doi:10.1109/TIP.2011.2181402); the best
peaks are then followed to finer levels, where the correlation is summed directly over the points valid in both.

Coordinates: a level of factor ``f`` has its point ``i`` at ``f·i + (f − 1)/2`` of the full map.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kernels.accelerate import kernel
from kernels.correlation import NO_CORRELATION, pearson_from_sums
from kernels.peaks import peaks
from kernels.turning import sample_padded


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
    tiled_values: NDArray[np.float32],
    tiled_valid: NDArray[np.float32],
    centre_y: float,
    centre_x: float,
    half: float,
    theta: float,
    grid_theta: float,
    values: NDArray[np.float32],
    valid: NDArray[np.float32],
) -> int:
    """Turn one square cell by ``−theta`` about its centre onto a grid centred on it.

    Interpolation is that of `kernels.turning.sample`: bilinear from the valid ones of the four neighbours, missing
    when they hold less than half of the weight.

    Parameters
    ----------
    tiled_values, tiled_valid : ndarray of float32, shape (rows, columns)
        The tiled mark at one level, 0 where missing, and 1 or 0 for valid or missing; padded so that the cell and
        one point around it never leave it.
    centre_y, centre_x : float
        Centre of the cell in points of this level.
    half : float
        Half the side of the cell in points of this level; the cell is half-open.
    theta : float
        Angle in radians, clockwise, by which the other mark would have to be turned to lie on this one.
    grid_theta : float
        Angle in radians, clockwise, by which the cell's sides are turned against the axes of the tiled mark.
    values, valid : ndarray of float32, shape (n, n), n odd
        Filled with the turned heights (0 where missing) and 1 or 0 for valid or missing.

    Returns
    -------
    int
        Number of valid points. Cost: 8 reads per point of the cell.
    """
    cos = math.cos(theta)
    sin = math.sin(theta)
    cell_cos = math.cos(theta - grid_theta)
    cell_sin = math.sin(theta - grid_theta)
    n = values.shape[0]
    middle = n // 2
    count = 0
    for i in range(n):
        y = i - middle
        values[i, :] = 0.0
        valid[i, :] = 0.0
        first, last = _columns_inside(cell_cos, -cell_sin * y, cell_sin, cell_cos * y, half, middle)
        for x in range(first, last):
            at_x = cos * x - sin * y + centre_x
            at_y = sin * x + cos * y + centre_y
            total, weight = sample_padded(tiled_values, tiled_valid, at_y, at_x)
            if weight >= 0.5:
                values[i, x + middle] = total / weight
                valid[i, x + middle] = 1.0
                count += 1
    return count


@kernel
def turn_cells(
    tiled_values: NDArray[np.float32],
    tiled_valid: NDArray[np.float32],
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
        counts[c] = turn_cell(
            tiled_values, tiled_valid, centres_y[c], centres_x[c], half, theta, grid_theta,
            values[c, :size, :size], valid[c, :size, :size],
        )  # fmt: skip


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


# Rows of a packed cell are padded to multiples of this, and summed in blocks of four rows, so that the vector loop
# over a block has no remainder.
_LANES = 16
_BLOCK_ROWS = 4
# How far a climb goes before its window is copied anew.
_MARGIN = 3


@kernel
def pack_cell(
    values: NDArray[np.float32],
    valid: NDArray[np.float32],
    margin: int,
    packed_values: NDArray[np.float32],
    packed_valid: NDArray[np.float32],
) -> tuple[int, int, int, int]:
    """Pack the bounding box of a turned cell's valid points into flat arrays for `packed_correlation`.

    Parameters
    ----------
    values, valid : ndarray of float32, shape (n, n)
        From `turn_cell`; at least one valid point.
    margin : int
        How far the cell will be shifted, in points.
    packed_values, packed_valid : ndarray of float32, shape (large enough,)
        Filled row by row with the stride that is returned; 0 beyond the box.

    Returns
    -------
    top, left : int
        Place of the box in the turned cell.
    rows, stride : int
        Rows of the box, rounded up to whole blocks, and distance between them.
    """
    n = values.shape[0]
    top, bottom, left, right = n, -1, n, -1
    for i in range(n):
        row = valid[i]
        first = 0
        while first < n and row[first] == 0.0:
            first += 1
        if first == n:
            continue
        last = n - 1
        while row[last] == 0.0:
            last -= 1
        top = min(top, i)
        bottom = i
        left = min(left, first)
        right = max(right, last)
    width = right - left + 1
    height = bottom - top + 1
    stride = -(-(width + 2 * margin) // _LANES) * _LANES
    rows = -(-height // _BLOCK_ROWS) * _BLOCK_ROWS
    packed_values[: rows * stride] = 0.0
    packed_valid[: rows * stride] = 0.0
    for i in range(height):
        base = i * stride
        packed_values[base : base + width] = values[top + i, left : left + width]
        packed_valid[base : base + width] = valid[top + i, left : left + width]
    return top, left, rows, stride


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
    for i in range(2 * k + 1):
        for j in range(2 * k + 1):
            out[i, j] = -2.0
            if (i - k) ** 2 + (j - k) ** 2 > radius * radius:
                continue
            i0 = i // 2
            j0 = j // 2
            wy = 0.5 * (i - 2 * i0)
            wx = 0.5 * (j - 2 * j0)
            w00 = (1.0 - wy) * (1.0 - wx)
            w01 = (1.0 - wy) * wx
            w10 = wy * (1.0 - wx)
            w11 = wy * wx
            n = (
                w00 * low[0, i0, j0]
                + w01 * low[0, i0, j0 + 1]
                + w10 * low[0, i0 + 1, j0]
                + w11 * low[0, i0 + 1, j0 + 1]
            )
            if n < minimum_overlap * count or n < 2.0:
                continue
            sa = (
                w00 * low[1, i0, j0]
                + w01 * low[1, i0, j0 + 1]
                + w10 * low[1, i0 + 1, j0]
                + w11 * low[1, i0 + 1, j0 + 1]
            )
            sb = (
                w00 * low[2, i0, j0]
                + w01 * low[2, i0, j0 + 1]
                + w10 * low[2, i0 + 1, j0]
                + w11 * low[2, i0 + 1, j0 + 1]
            )
            saa = (
                w00 * low[3, i0, j0]
                + w01 * low[3, i0, j0 + 1]
                + w10 * low[3, i0 + 1, j0]
                + w11 * low[3, i0 + 1, j0 + 1]
            )
            sbb = (
                w00 * low[4, i0, j0]
                + w01 * low[4, i0, j0 + 1]
                + w10 * low[4, i0 + 1, j0]
                + w11 * low[4, i0 + 1, j0 + 1]
            )
            va = saa - sa * sa / n
            vb = sbb - sb * sb / n
            if va > 0.0 and vb > 0.0:
                out[i, j] = (sum_ab[i, j] - sa * sb / n) / math.sqrt(va * vb)


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
    for c in range(maps.shape[0]):
        coarse_map(sum_ab[c], low[:, c], float(counts[c]), minimum_overlap, radius, maps[c])
        found = peaks(maps[c], float(k), float(k), float(k), rows[c], columns[c])
        for q in range(rows.shape[1]):
            scores[c, q] = maps[c, rows[c, q], columns[c, q]] if q < found else -2.0


@kernel
def follow_peaks(
    tiled_values: NDArray[np.float32],
    tiled_valid: NDArray[np.float32],
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
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    correlations: NDArray[np.float32],
    overlaps: NDArray[np.float32],
) -> None:
    """Climb from the given places to the maxima of the exact correlation on one level, for all cells at one angle.

    Parameters
    ----------
    tiled_values, tiled_valid : ndarray of float32, shape (rows, columns)
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
    rows, columns : ndarray of int64, shape (cells, peaks)
        Where to start, in points of the other mark, −1 in `correlations` for none; replaced by where the climb
        ended, best first.
    correlations, overlaps : ndarray of float32, shape (cells, peaks)
        On entry, correlations of −2 mark starts that do not exist. Filled: correlation (−2 for none) and common
        points as a share of the cell's.
    """
    n = 2 * math.ceil(half * (abs(math.cos(theta - grid_theta)) + abs(math.sin(theta - grid_theta)))) + 1
    values = np.empty((n, n), np.float32)
    valid = np.empty((n, n), np.float32)
    size = (n + _BLOCK_ROWS) * (n + 2 * _MARGIN + _LANES)
    cell_values = np.empty(size, np.float32)
    cell_valid = np.empty(size, np.float32)
    size = (n + _BLOCK_ROWS + 2 * _MARGIN + 1) * (n + 2 * _MARGIN + _LANES)
    window_values = np.zeros(size, np.float32)
    window_valid = np.zeros(size, np.float32)
    for c in range(rows.shape[0]):
        if correlations[c, 0] <= -2.0:
            correlations[c, :] = -2.0
            continue
        count = turn_cell(tiled_values, tiled_valid, centres_y[c], centres_x[c], half, theta, grid_theta, values, valid)
        if count < 2:
            correlations[c, :] = -2.0
            continue
        top, left, box_rows, stride = pack_cell(values, valid, _MARGIN, cell_values, cell_valid)
        for q in range(rows.shape[1]):
            if correlations[c, q] <= -2.0:
                break
            y, x = rows[c, q], columns[c, q]
            best, overlap = -3.0, 0.0
            climbing = True
            while climbing:
                # The window around the place; when the climb reaches its border a new one is taken.
                middle_y, middle_x = y, x
                pack_window(
                    other_values, other_valid, y - n // 2 + top - _MARGIN, x - n // 2 + left - _MARGIN,
                    box_rows + 2 * _MARGIN + 1, stride, window_values, window_valid,
                )  # fmt: skip
                came_y, came_x = 0, 0
                if best < -2.0:
                    best, overlap = packed_correlation(
                        cell_values, cell_valid, window_values, window_valid,
                        _MARGIN * stride + _MARGIN, box_rows, stride, minimum_overlap * count,
                    )  # fmt: skip
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
                                cell_values, cell_valid, window_values, window_valid,
                                offset, box_rows, stride, minimum_overlap * count,
                            )  # fmt: skip
                            if r > best:
                                best, overlap, step_y, step_x = r, common, dy, dx
                    y += step_y
                    x += step_x
                    came_y, came_x = step_y, step_x
                    if step_y == 0 and step_x == 0:
                        climbing = False
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
