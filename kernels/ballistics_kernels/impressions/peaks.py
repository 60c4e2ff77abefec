"""Local maxima of a map."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel
from ballistics_kernels.impressions.correlation import NO_CORRELATION


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
    first = max(0, math.ceil(centre_j - reach))
    row_size = max(0, min(n, math.floor(centre_j + reach) + 1) - first)
    for i in range(max(0, math.ceil(centre_i - reach)), min(m, math.floor(centre_i + reach) + 1)):
        # Most rows hold nothing above the least of the maxima that are already there, which a loop of vectors sees.
        least = values[k - 1] if found == k else np.float32(-2)
        row = scores[i, first : first + row_size]
        above = 0
        for j in range(row.size):
            above += row[j] > least
        if above == 0:
            continue
        for j in range(first, first + row_size):
            value = scores[i, j]
            if value <= NO_CORRELATION or (found == k and value <= values[k - 1]):
                continue
            # Most points have a higher one beside them, which is quickly seen. Of equal neighbours the first in
            # reading order counts.
            if (j > 0 and scores[i, j - 1] >= value) or (j + 1 < n and scores[i, j + 1] > value):
                continue
            highest = True
            for x in range(max(0, j - 1), min(n, j + 2)):
                if (i > 0 and scores[i - 1, x] >= value) or (i + 1 < m and scores[i + 1, x] > value):
                    highest = False
                    break
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
def offset_of_maximum(before: float, middle: float, after: float) -> float:
    """Return where, from −0.5 to 0.5, the parabola through three equidistant values is highest.

    0 where the middle is no maximum, or a neighbour is not admissible (−2 or less).

    Parameters
    ----------
    before, middle, after : float
        The three values, in their order.
    """
    if min(before, after) <= NO_CORRELATION or middle < max(before, after):
        return 0.0
    curvature = before - 2.0 * middle + after
    return 0.5 * (before - after) / curvature if curvature < 0.0 else 0.0


@kernel
def peaks_between(
    scores: NDArray[np.float32],
    centre_i: float,
    centre_j: float,
    reach: float,
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    values: NDArray[np.float32],
) -> None:
    """Find the highest local maxima of a map, best first, and where between its points they lie.

    Parameters
    ----------
    scores, centre_i, centre_j, reach
        See `peaks`.
    rows, columns : ndarray of float64, shape (k,)
        Filled with the places, by parabolas through the neighbours along either axis.
    values : ndarray of float32, shape (k,)
        Filled with the values at the points of the maxima; −2 where there are fewer.
    """
    m, n = scores.shape
    at_rows, at_columns = np.empty(rows.size, np.int64), np.empty(rows.size, np.int64)
    found = peaks(scores, centre_i, centre_j, reach, at_rows, at_columns)
    values[:] = NO_CORRELATION
    for q in range(found):
        i, j = at_rows[q], at_columns[q]
        values[q] = scores[i, j]
        rows[q] = i
        columns[q] = j
        if 0 < i < m - 1:
            rows[q] += offset_of_maximum(scores[i - 1, j], scores[i, j], scores[i + 1, j])
        if 0 < j < n - 1:
            columns[q] += offset_of_maximum(scores[i, j - 1], scores[i, j], scores[i, j + 1])
