"""Finding one cell of a mark on another: coarse maps from shared transforms, exact sums at the peaks.

A cell is turned by each trial angle about its own centre onto the grid of the other mark, which stays as
measured. On a coarse level its correlation with the surroundings of the expected place is computed at every
shift through Fourier transforms (masked correlation, Padfield 2012, doi:10.1109/TIP.2011.2181402); the best
peaks are then followed to finer levels, where the correlation is summed directly over the points valid in both.

Coordinates: a level of factor ``f`` has its point ``i`` at ``f·i + (f − 1)/2`` of the full map.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kernels.accelerate import kernel
from kernels.correlation import pearson_from_sums
from kernels.turning import sample


@kernel
def turn_cell(
    heights: NDArray[np.float32],
    centre_y: float,
    centre_x: float,
    half: float,
    theta: float,
    values: NDArray[np.float32],
    valid: NDArray[np.float32],
) -> int:
    """Turn one square cell by ``−theta`` about its centre onto a grid centred on it.

    Parameters
    ----------
    heights : ndarray of float32, shape (rows, columns)
        The tiled mark at one level; NaN marks missing points.
    centre_y, centre_x : float
        Centre of the cell in points of this level.
    half : float
        Half the side of the cell in points of this level; the cell is half-open.
    theta : float
        Angle in radians by which the other mark would have to be turned to lie on this one.
    values, valid : ndarray of float32, shape (n, n), n odd
        Filled with the turned heights (0 where missing) and 1 or 0 for valid or missing.

    Returns
    -------
    int
        Number of valid points. Cost: 4 reads per point of the cell.
    """
    cos = math.cos(theta)
    sin = math.sin(theta)
    n = values.shape[0]
    middle = n // 2
    count = 0
    for i in range(n):
        for j in range(n):
            y = i - middle
            x = j - middle
            u = cos * x - sin * y
            v = sin * x + cos * y
            value = np.nan
            if -half <= u < half and -half <= v < half:
                value = sample(heights, v + centre_y, u + centre_x)
            if np.isfinite(value):
                values[i, j] = value
                valid[i, j] = 1.0
                count += 1
            else:
                values[i, j] = 0.0
                valid[i, j] = 0.0
    return count


@kernel
def row_extents(valid: NDArray[np.float32], first: NDArray[np.int64], last: NDArray[np.int64]) -> None:
    """Fill the first and one-past-last valid column of every row (both 0 for an empty row)."""
    n = valid.shape[0]
    for i in range(n):
        first[i] = 0
        last[i] = 0
        for j in range(n):
            if valid[i, j] > 0.0:
                if last[i] == 0:
                    first[i] = j
                last[i] = j + 1


@kernel
def correlation_at(
    values: NDArray[np.float32],
    valid: NDArray[np.float32],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    other_values: NDArray[np.float32],
    other_valid: NDArray[np.float32],
    y: int,
    x: int,
    minimum: float,
) -> tuple[float, float]:
    """Return the correlation, and the common points, of a turned cell centred on point ``(y, x)``.

    Parameters
    ----------
    values, valid, first, last
        The turned cell and its row extents (`turn_cell`, `row_extents`), side n.
    other_values, other_valid : ndarray of float32, shape (rows, columns)
        The other mark at the same level, 0 where missing, and 1 or 0; padded so that the cell never leaves it.
    y, x : int
        Point of the other mark under the middle of the cell.
    minimum : float
        With fewer common points the correlation is −2.

    Notes
    -----
    Rows are summed in float32 and added up in float64. Cost: one pass over the cell.
    """
    n = values.shape[0]
    top = y - n // 2
    left = x - n // 2
    count = 0.0
    sum_a = 0.0
    sum_b = 0.0
    sum_aa = 0.0
    sum_bb = 0.0
    sum_ab = 0.0
    for i in range(n):
        row_a = values[i]
        row_m = valid[i]
        row_b = other_values[top + i]
        row_n = other_valid[top + i]
        c = np.float32(0)
        sa = np.float32(0)
        sb = np.float32(0)
        saa = np.float32(0)
        sbb = np.float32(0)
        sab = np.float32(0)
        for j in range(first[i], last[i]):
            a = row_a[j]
            b = row_b[left + j]
            ma = row_m[j]
            mb = row_n[left + j]
            amb = a * mb
            bma = b * ma
            c += ma * mb
            sa += amb
            sb += bma
            saa += a * amb
            sbb += b * bma
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
    if not np.isfinite(r):
        return -2.0, count
    return max(-1.0, min(1.0, r)), count


@kernel
def climb(
    values: NDArray[np.float32],
    valid: NDArray[np.float32],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    other_values: NDArray[np.float32],
    other_valid: NDArray[np.float32],
    y: int,
    x: int,
    minimum: float,
    centre_y: float,
    centre_x: float,
    radius: float,
) -> tuple[float, float, int, int]:
    """Climb from point ``(y, x)`` to the nearest maximum of the correlation, point by point.

    Stays within ``radius`` of ``(centre_y, centre_x)``. Returns the correlation (−2 where none is admissible),
    the common points, and the place.
    """
    best, overlap = correlation_at(values, valid, first, last, other_values, other_valid, y, x, minimum)
    came_y, came_x = 0, 0
    for _ in range(16):
        step_y, step_x = 0, 0
        for dy in range(-1, 2):
            for dx in range(-1, 2):
                if dy == 0 and dx == 0:
                    continue
                # Neighbours that the point before was already compared with cannot be better.
                if (came_y != 0 or came_x != 0) and abs(dy + came_y) <= 1 and abs(dx + came_x) <= 1:
                    continue
                if (y + dy - centre_y) ** 2 + (x + dx - centre_x) ** 2 > radius * radius:
                    continue
                r, n = correlation_at(values, valid, first, last, other_values, other_valid, y + dy, x + dx, minimum)
                if r > best:
                    best, overlap, step_y, step_x = r, n, dy, dx
        if step_y == 0 and step_x == 0:
            break
        y += step_y
        x += step_x
        came_y, came_x = step_y, step_x
    return best, overlap, y, x


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
def peaks(
    scores: NDArray[np.float32],
    centre_i: float,
    centre_j: float,
    reach: float,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
) -> int:
    """Find the highest local maxima (8 neighbours) of a map, best first.

    Parameters
    ----------
    scores : ndarray of float32, shape (m, n)
        Values of −2 are not admissible.
    centre_i, centre_j, reach : float
        Only maxima within ``reach`` of the centre, along each axis, are taken.
    rows, columns : ndarray of int64, shape (k,)
        Filled with the places.

    Returns
    -------
    int
        How many were found, at most k.
    """
    k = rows.size
    found = 0
    values = np.empty(k, np.float32)
    m, n = scores.shape
    for i in range(max(0, int(math.ceil(centre_i - reach))), min(m, int(math.floor(centre_i + reach)) + 1)):
        for j in range(max(0, int(math.ceil(centre_j - reach))), min(n, int(math.floor(centre_j + reach)) + 1)):
            value = scores[i, j]
            if value <= -2.0 or (found == k and value <= values[k - 1]):
                continue
            highest = True
            for y in range(max(0, i - 1), min(m, i + 2)):
                for x in range(max(0, j - 1), min(n, j + 2)):
                    # Of equal neighbours the first in reading order counts.
                    if scores[y, x] > value or (scores[y, x] == value and (y < i or (y == i and x < j))):
                        highest = False
            if not highest:
                continue
            if found < k:
                found += 1
            q = found - 1
            while q > 0 and values[q - 1] < value:
                values[q] = values[q - 1]
                rows[q] = rows[q - 1]
                columns[q] = columns[q - 1]
                q -= 1
            values[q] = value
            rows[q] = i
            columns[q] = j
    return found


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
        Filled with the places of the peaks in the map, best first; −1 where there are fewer.
    """
    k = maps.shape[1] // 2
    for c in range(maps.shape[0]):
        coarse_map(sum_ab[c], low[:, c], float(counts[c]), minimum_overlap, radius, maps[c])
        rows[c, :] = -1
        columns[c, :] = -1
        peaks(maps[c], float(k), float(k), float(k), rows[c], columns[c])


@kernel
def follow_peaks(
    tiled: NDArray[np.float32],
    centres_y: NDArray[np.float64],
    centres_x: NDArray[np.float64],
    half: float,
    theta: float,
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
    tiled : ndarray of float32, shape (rows, columns)
        The tiled mark at this level; NaN marks missing points.
    centres_y, centres_x : ndarray of float64, shape (cells,)
        Centres of the cells in points of this level.
    half, theta
        See `turn_cell`.
    other_values, other_valid : ndarray of float32
        The other mark at this level, padded (see `correlation_at`).
    expected_y, expected_x : ndarray of float64, shape (cells,)
        Where each cell is expected, in points of the padded other mark.
    radius : float
        Greatest distance from there.
    minimum_overlap : float
        Least share of the cell's valid points that must be common.
    rows, columns : ndarray of int64, shape (cells, peaks)
        Where to start, in points of the padded other mark, −1 for none; replaced by where the climb ended,
        best first.
    correlations, overlaps : ndarray of float32, shape (cells, peaks)
        Filled: correlation (−2 for none) and common points as a share of the cell's.
    """
    n = 2 * int(math.ceil(half * math.sqrt(2.0))) + 1
    values = np.empty((n, n), np.float32)
    valid = np.empty((n, n), np.float32)
    first = np.empty(n, np.int64)
    last = np.empty(n, np.int64)
    for c in range(rows.shape[0]):
        correlations[c, :] = -2.0
        overlaps[c, :] = 0.0
        if rows[c, 0] < 0:
            continue
        count = turn_cell(tiled, centres_y[c], centres_x[c], half, theta, values, valid)
        if count < 2:
            continue
        row_extents(valid, first, last)
        for q in range(rows.shape[1]):
            if rows[c, q] < 0:
                break
            r, common, y, x = climb(
                values, valid, first, last, other_values, other_valid, rows[c, q], columns[c, q],
                minimum_overlap * count, expected_y[c], expected_x[c], radius,
            )  # fmt: skip
            at = q
            while at > 0 and correlations[c, at - 1] < r:
                correlations[c, at] = correlations[c, at - 1]
                overlaps[c, at] = overlaps[c, at - 1]
                rows[c, at] = rows[c, at - 1]
                columns[c, at] = columns[c, at - 1]
                at -= 1
            correlations[c, at] = r
            overlaps[c, at] = common / count
            rows[c, at] = y
            columns[c, at] = x
