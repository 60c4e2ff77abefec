"""The best shifts of one map on another, from the sums that their transforms give."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kernels.accelerate import kernel
from kernels.correlation import NO_CORRELATION, pearson_from_sums
from kernels.peaks import peaks


@kernel
def best_shifts(
    sum_ab: NDArray[np.float32],
    low: NDArray[np.float32],
    smaller: float,
    minimum_overlap: float,
    scores: NDArray[np.float32],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
) -> int:
    """Find the cyclic shifts with the highest r · sqrt(overlap) from the sums of two maps' transforms.

    Parameters
    ----------
    sum_ab : ndarray of float32, shape (m, n), both even
        Σ a·b at every cyclic shift.
    low : ndarray of float32, shape (5, m // 2, n // 2)
        Common points, Σ a, Σ b, Σ a², Σ b² at every second shift, where the other of the two is valid; they vary
        slowly with the shift and are interpolated.
    smaller : float
        Valid points of the smaller map.
    minimum_overlap : float
        Least share of them that must be common.
    scores : ndarray of float32, shape (m, n)
        Filled with r · sqrt(overlap / smaller); −2 where a shift is not admissible.
    rows, columns : ndarray of int64, shape (k,)
        Filled with the shifts of the highest local maxima (8 neighbours), best first.

    Returns
    -------
    int
        How many maxima there are, at most k. Cost: two passes over the shifts.
    """
    m, n = sum_ab.shape
    for i in range(m):
        i0 = i // 2
        i1 = (i0 + 1) % (m // 2) if i % 2 == 1 else i0
        for j in range(n):
            j0 = j // 2
            j1 = (j0 + 1) % (n // 2) if j % 2 == 1 else j0
            scores[i, j] = -2.0
            count = 0.25 * (low[0, i0, j0] + low[0, i0, j1] + low[0, i1, j0] + low[0, i1, j1])
            if count < minimum_overlap * smaller or count < 2.0:
                continue
            a = 0.25 * (low[1, i0, j0] + low[1, i0, j1] + low[1, i1, j0] + low[1, i1, j1])
            b = 0.25 * (low[2, i0, j0] + low[2, i0, j1] + low[2, i1, j0] + low[2, i1, j1])
            aa = 0.25 * (low[3, i0, j0] + low[3, i0, j1] + low[3, i1, j0] + low[3, i1, j1])
            bb = 0.25 * (low[4, i0, j0] + low[4, i0, j1] + low[4, i1, j0] + low[4, i1, j1])
            r = pearson_from_sums(count, a, b, aa, bb, sum_ab[i, j])
            if r > NO_CORRELATION:
                scores[i, j] = r * math.sqrt(count / smaller)
    return peaks(scores, 0.5 * m, 0.5 * n, float(max(m, n)), rows, columns)
