"""The best shifts of one map on another, from the sums that their transforms give."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kernels.accelerate import kernel
from kernels.correlation import NO_CORRELATION
from kernels.half_sums import correlations_from_half_sums
from kernels.peaks import peaks


@kernel
def best_shifts(
    sum_ab: NDArray[np.float32],
    low: NDArray[np.float32],
    smaller: float,
    minimum_overlap: float,
    limits: tuple[int, int, int, int],
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
    limits : tuple of int
        First and last admissible shift of the rows, and of the columns; negative shifts are counted from the end of
        the cycle. The sums need to be right only there.
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
    # The shifts are cyclic: after the last comes the first.
    cyclic = np.empty((5, m // 2 + 1, n // 2 + 1), np.float32)
    cyclic[:, :-1, :-1] = low
    cyclic[:, -1, :-1] = low[:, 0]
    cyclic[:, :, -1] = cyclic[:, :, 0]
    common = np.empty((m, n), np.float32)
    correlations_from_half_sums(sum_ab, cyclic, minimum_overlap * smaller, scores, common)
    first_y, last_y, first_x, last_x = limits
    scale = np.float32(1.0 / smaller)
    for i in range(m):
        into = scores[i]
        if i > last_y and i < first_y + m:
            into[:] = NO_CORRELATION
            continue
        points = common[i]
        for j in range(n):
            weighted = into[j] * np.float32(math.sqrt(max(points[j], np.float32(0)) * scale))
            into[j] = weighted if into[j] > np.float32(NO_CORRELATION) else np.float32(NO_CORRELATION)
        into[last_x + 1 : first_x + n] = NO_CORRELATION
    return peaks(scores, 0.5 * m, 0.5 * n, float(max(m, n)), rows, columns)
