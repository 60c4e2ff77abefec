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
