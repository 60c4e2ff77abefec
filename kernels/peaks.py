"""Local maxima of a map."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kernels.accelerate import kernel


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
    for i in range(max(0, math.ceil(centre_i - reach)), min(m, math.floor(centre_i + reach) + 1)):
        for j in range(max(0, math.ceil(centre_j - reach)), min(n, math.floor(centre_j + reach) + 1)):
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
