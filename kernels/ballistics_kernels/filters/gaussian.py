"""Gaussian regression filters of order 0 and 2 on a grid with missing points, exact at every valid point."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel

# A Cholesky pivot below this share of its diagonal means that the valid points in the window do
# not determine the coefficient (float64 keeps about 1e-16; the moments lose a few digits of it).
_SINGULAR = 1e-9


@kernel
def _split(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the values with every non-finite one set to zero, and 1.0 where they were finite."""
    rows, columns = values.shape
    filled = np.zeros((rows, columns))
    valid = np.zeros((rows, columns))
    for r in range(rows):
        for c in range(columns):
            if np.isfinite(values[r, c]):
                filled[r, c] = values[r, c]
                valid[r, c] = 1.0
    return filled, valid


@kernel
def _weigh_row(source: NDArray[np.float64], taps: NDArray[np.float64], target: NDArray[np.float64]) -> None:
    """Write to ``target[c]`` the sum over k of ``taps[k] * source[c + k - half]``; outside counts as zero."""
    columns = source.shape[0]
    half = taps.shape[0] // 2
    target[:] = 0.0
    for k in range(taps.shape[0]):
        shift = k - half
        weight = taps[k]
        # Views that start at zero: an index that might be negative keeps the loop from SIMD.
        into = target[max(0, -shift) : max(0, min(columns, columns - shift))]
        taken = source[max(0, shift) : max(0, min(columns, columns + shift))]
        for c in range(into.shape[0]):
            into[c] += weight * taken[c]


@kernel
def _weigh_column_moments(
    source: NDArray[np.float64],
    row: int,
    taps: NDArray[np.float64],
    total: NDArray[np.float64],
    difference: NDArray[np.float64],
    targets: NDArray[np.float64],
) -> None:
    """Write to ``targets[q]`` the sum over k of ``taps[q, k] * source[row + k - half, :]``; outside counts as zero.

    ``taps[q]`` is symmetric for even q, antisymmetric for odd q.

    ``total`` and ``difference`` are room for one row; pairing the two sides halves the work.
    """
    rows, columns = source.shape
    half = taps.shape[1] // 2
    for q in range(taps.shape[0]):
        targets[q] = taps[q, half] * source[row]
    for k in range(1, half + 1):
        above, below = row - k, row + k
        if above >= 0 and below < rows:
            upper, lower = source[above], source[below]
            for c in range(columns):
                total[c] = lower[c] + upper[c]
                difference[c] = lower[c] - upper[c]
        elif below < rows:
            total[:] = source[below]
            difference[:] = source[below]
        elif above >= 0:
            total[:] = source[above]
            difference[:] = -source[above]
        else:
            break
        for q in range(taps.shape[0]):
            weight = taps[q, half + k]
            side = difference if q % 2 == 1 else total
            target = targets[q]
            for c in range(columns):
                target[c] += weight * side[c]


# Columns are weighed in blocks of this many, and blocks that no valid point needs are left out.
_BLOCK = 16
# Taps whose products are added in one pass over a block.
_TAPS = 8


@kernel
def _weigh(
    source: NDArray[np.float64],
    starts: NDArray[np.int64],
    taps: NDArray[np.float64],
    offset: int,
    target: NDArray[np.float64],
    at: int,
    columns: int,
) -> None:
    """Write to ``target[at + c]`` the sum over k of ``taps[k] * source[starts[k] + offset + c]``, k by k."""
    # Flat arrays and unsigned indices: no slices are made, and no negative index is looked for.
    n = np.uint64(columns)
    t = np.uint64(at)
    for c in range(n):
        target[t + c] = 0.0
    k = 0
    while k + _TAPS <= taps.size:
        a, b, d, e = taps[k], taps[k + 1], taps[k + 2], taps[k + 3]
        f, g, h, i = taps[k + 4], taps[k + 5], taps[k + 6], taps[k + 7]
        pa, pb = np.uint64(starts[k] + offset), np.uint64(starts[k + 1] + offset)
        pd, pe = np.uint64(starts[k + 2] + offset), np.uint64(starts[k + 3] + offset)
        pf, pg = np.uint64(starts[k + 4] + offset), np.uint64(starts[k + 5] + offset)
        ph, pi = np.uint64(starts[k + 6] + offset), np.uint64(starts[k + 7] + offset)
        for c in range(n):
            near = ((target[t + c] + a * source[pa + c]) + b * source[pb + c]) + d * source[pd + c]
            near = ((near + e * source[pe + c]) + f * source[pf + c]) + g * source[pg + c]
            target[t + c] = (near + h * source[ph + c]) + i * source[pi + c]
        k += _TAPS
    while k < taps.size:
        a = taps[k]
        pa = np.uint64(starts[k] + offset)
        for c in range(n):
            target[t + c] += a * source[pa + c]
        k += 1


@kernel
def _blocks_with_valid(values: NDArray[np.floating], blocks: int) -> NDArray[np.bool_]:
    """Return which blocks of columns hold a valid point, row by row."""
    rows, columns = values.shape
    found = np.zeros((rows, blocks), np.bool_)
    for r in range(rows):
        row = values[r]
        for b in range(blocks):
            for c in range(b * _BLOCK, min((b + 1) * _BLOCK, columns)):
                if np.isfinite(row[c]):
                    found[r, b] = True
                    break
    return found


@kernel
def weighted_mean(
    values: NDArray[np.floating], row_taps: NDArray[np.float64], column_taps: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the mean of the valid points around every valid point (regression of order 0).

    Parameters
    ----------
    values : ndarray of float32 or float64, shape (rows, columns)
        Heights; any unit. Non-finite points are missing.
    row_taps, column_taps : ndarray of float64, odd length
        Weights along a column (over rows) and along a row (over columns). The weight of a
        neighbour is their product, renormalised over the valid points inside the grid.

    Returns
    -------
    ndarray of float64, shape (rows, columns)
        The means; NaN where the value itself is missing or the weights sum to nothing.

    Notes
    -----
    Missing: exact; a missing point has no weight. Cost: at most rows × columns × 2 × (taps of both); what lies
    farther from every valid point than the taps reach is left out.
    Numerator and denominator are each separable, so their quotient is the exact masked mean.
    Source: ISO 16610-21 with renormalised weights; Knutsson & Westin 1993,
    doi:10.1109/CVPR.1993.341081.
    """
    rows, columns = values.shape
    row_half, column_half = row_taps.size // 2, column_taps.size // 2
    blocks = -(-columns // _BLOCK)
    width = blocks * _BLOCK
    needed = _blocks_with_valid(values, blocks)
    # One row of heights and validity with a border, and the weighed rows that one row of the result needs: row r in
    # slot r modulo the taps, and a last slot for rows of nothing.
    filled, valid = np.zeros(width + 2 * column_half), np.zeros(width + 2 * column_half)
    slots = row_taps.size
    filled_rows, valid_rows = np.zeros((slots + 1) * width), np.zeros((slots + 1) * width)
    empty = np.ones(slots, np.bool_)
    starts = np.empty(slots, np.int64)
    beside = np.arange(column_taps.size)
    near = np.zeros(blocks, np.int64)
    numerator, denominator = np.empty(width), np.empty(width)
    out = np.full((rows, columns), np.nan)
    for r in range(min(row_half, rows)):
        for b in range(blocks):
            near[b] += needed[r, b]
    for row in range(rows + row_half):
        slot = row % slots
        empty[slot] = True
        if row < rows:
            for b in range(blocks):
                # How many of the rows that look at this one need the block.
                near[b] += needed[row + row_half, b] if row + row_half < rows else 0
                near[b] -= needed[row - row_half - 1, b] if row > row_half else 0
                empty[slot] &= not needed[row, b]
        if not empty[slot]:
            heights = values[row]
            for c in range(columns):
                there = np.isfinite(heights[c])
                filled[column_half + c] = heights[c] if there else 0.0
                valid[column_half + c] = 1.0 if there else 0.0
            b = 0
            while b < blocks:
                first = b
                while b < blocks and near[b] > 0:
                    b += 1
                if b > first:
                    at, n = first * _BLOCK, (b - first) * _BLOCK
                    _weigh(filled, beside, column_taps, at, filled_rows, slot * width + at, n)
                    _weigh(valid, beside, column_taps, at, valid_rows, slot * width + at, n)
                b += 1
        r = row - row_half
        if r < 0:
            continue
        for k in range(slots):
            other = r - row_half + k
            there = other >= 0 and other < rows and not empty[other % slots]
            starts[k] = (other % slots if there else slots) * width
        heights = values[r]
        b = 0
        while b < blocks:
            first = b
            while b < blocks and needed[r, b]:
                b += 1
            if b > first:
                at, n = first * _BLOCK, (b - first) * _BLOCK
                _weigh(filled_rows, starts, row_taps, at, numerator, at, n)
                _weigh(valid_rows, starts, row_taps, at, denominator, at, n)
                for c in range(at, min(at + n, columns)):
                    if np.isfinite(heights[c]) and denominator[c] > 0.0:
                        out[r, c] = numerator[c] / denominator[c]
            b += 1
    return out


@kernel
def _fitted_at_centre(matrix: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """Return the constant term of the normal equations, of the highest order that they determine.

    ``matrix`` (6 × 6, destroyed) is ordered 1, u, v, u², uv, v²: its leading 3 × 3 block is the
    plane and its first element the mean, so a Cholesky factor that stops early still solves those.
    """
    size = 6
    for i in range(6):
        pivot = matrix[i, i]
        for k in range(i):
            pivot -= matrix[i, k] * matrix[i, k]
        if not pivot > _SINGULAR * matrix[i, i]:
            size = 3 if i >= 3 else 1 if i >= 1 else 0
            break
        root = np.sqrt(pivot)
        matrix[i, i] = root
        for j in range(i + 1, 6):
            total = matrix[j, i]
            for k in range(i):
                total -= matrix[j, k] * matrix[i, k]
            matrix[j, i] = total / root
    if size == 0:
        return np.nan
    for i in range(size):
        for k in range(i):
            right[i] -= matrix[i, k] * right[k]
        right[i] /= matrix[i, i]
    for i in range(size - 1, -1, -1):
        for k in range(i + 1, size):
            right[i] -= matrix[k, i] * right[k]
        right[i] /= matrix[i, i]
    return right[0]


@kernel
def quadratic_regression(
    values: NDArray[np.float64],
    row_taps: NDArray[np.float64],
    column_taps: NDArray[np.float64],
    row_step: float,
    column_step: float,
) -> NDArray[np.float64]:
    """Return, at every valid point, the value of the second-order surface fitted around it.

    Parameters
    ----------
    values : ndarray of float64, shape (rows, columns)
        Heights; any unit. Non-finite points are missing.
    row_taps, column_taps : ndarray of float64, odd length
        Weights along a column and along a row; a neighbour's weight is their product.
    row_step, column_step : float
        Distance between neighbouring rows and columns in units of the weights' own width, which
        keeps the moments near one and the normal equations well conditioned.

    Returns
    -------
    ndarray of float64, shape (rows, columns)
        The fitted surface; NaN where the value itself is missing. Where the valid points do not
        determine a second-order surface the fit is a plane, and failing that a mean.

    Notes
    -----
    Missing: exact; every surface of order two comes back unchanged whatever is missing. Cost:
    29 one-dimensional passes (8 along rows, 21 along columns) and a 6 × 6 solution per point.
    The 15 moments of the valid points and 6 of the values are each separable sums.
    Source: ISO 16610-31 without the robust weights; Brinkmann, Bodschwinna & Lemke 2001,
    doi:10.1016/S0890-6955(01)00082-7.
    """
    rows, columns = values.shape
    filled, valid = _split(values)
    row_half = row_taps.shape[0] // 2
    column_half = column_taps.shape[0] // 2
    row_moment_taps = np.empty((5, row_taps.shape[0]))
    column_moment_taps = np.empty((5, column_taps.shape[0]))
    for p in range(5):
        for k in range(row_taps.shape[0]):
            row_moment_taps[p, k] = row_taps[k] * ((k - row_half) * row_step) ** p
        for k in range(column_taps.shape[0]):
            column_moment_taps[p, k] = column_taps[k] * ((k - column_half) * column_step) ** p

    valid_rows = np.empty((5, rows, columns))
    filled_rows = np.empty((3, rows, columns))
    total = np.empty(columns)
    difference = np.empty(columns)
    for r in range(rows):
        for p in range(5):
            _weigh_row(valid[r], column_moment_taps[p], valid_rows[p, r])
        for p in range(3):
            _weigh_row(filled[r], column_moment_taps[p], filled_rows[p, r])

    # u runs along the columns, v along the rows; powers of the basis 1, u, v, u², uv, v².
    u_power = np.array([0, 1, 0, 2, 1, 0])
    v_power = np.array([0, 0, 1, 0, 1, 2])
    out = np.empty((rows, columns))
    valid_moments = np.empty((5, 5, columns))
    filled_moments = np.empty((3, 3, columns))
    matrix = np.empty((6, 6))
    right = np.empty(6)
    for r in range(rows):
        if not np.any(valid[r] > 0.0):
            out[r] = np.nan
            continue
        for p in range(5):
            _weigh_column_moments(valid_rows[p], r, row_moment_taps[: 5 - p], total, difference, valid_moments[p])
        for p in range(3):
            _weigh_column_moments(filled_rows[p], r, row_moment_taps[: 3 - p], total, difference, filled_moments[p])
        for c in range(columns):
            if valid[r, c] == 0.0:
                out[r, c] = np.nan
                continue
            for i in range(6):
                right[i] = filled_moments[u_power[i], v_power[i], c]
                for j in range(i + 1):
                    matrix[i, j] = valid_moments[u_power[i] + u_power[j], v_power[i] + v_power[j], c]
            out[r, c] = _fitted_at_centre(matrix, right)
    return out
