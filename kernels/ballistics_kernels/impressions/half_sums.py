"""Correlations at all shifts, from sums of which the slowly varying ones are known at every second shift."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel
from ballistics_kernels.impressions.correlation import NO_CORRELATION

# A variance below this share of the power is rounding noise of float32 transforms.
_FLAT = np.float32(1e-5)
_NONE = np.float32(NO_CORRELATION)
# Unsigned, so that numba does not look for negative indices.
_NEXT, _TWO, _THREE, _FOUR = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
_HALF = np.float32(0.5)


@kernel
def _pearson(n: Any, a: Any, b: Any, aa: Any, bb: Any, ab: Any, least: Any) -> Any:
    """Return Pearson's r from sums, −2 below ``least`` points or where a side is flat; without branches."""
    # Variances and covariance times n²: one division less.
    power_a = n * aa
    power_b = n * bb
    variance_a = power_a - a * a
    variance_b = power_b - b * b
    good = (n >= least) & (variance_a > _FLAT * power_a) & (variance_b > _FLAT * power_b)
    product = variance_a * variance_b if good else np.float32(1)
    r = (n * ab - a * b) / np.float32(math.sqrt(product))
    return r if good else _NONE


@kernel
def _here_and_right(sums: NDArray[np.float32], above: Any, below: Any) -> tuple[Any, Any]:
    """Return the mean of two entries, and the mean of that and of the mean of the two to their right."""
    here = _HALF * (sums[above] + sums[below])
    return here, _HALF * (here + _HALF * (sums[above + _NEXT] + sums[below + _NEXT]))


@kernel
def correlations_from_half_sums(
    sum_ab: NDArray[np.float32],
    low: NDArray[np.float32],
    minimum: float,
    correlations: NDArray[np.float32],
    common: NDArray[np.float32],
) -> None:
    """Compute Pearson's r, and the common points, at every shift.

    Parameters
    ----------
    sum_ab : ndarray of float32, shape (at least m, at least n), contiguous
        Σ a·b at every shift.
    low : ndarray of float32, shape (5, at least m // 2 + 1, at least n // 2 + 1), contiguous
        Common points, Σ a, Σ b, Σ a², Σ b² over the points valid in both, at every second shift; at a shift between,
        the means of its neighbours are taken.
    minimum : float
        Least number of common points.
    correlations, common : ndarray of float32, shape (m, n), n even
        Filled with the correlation (−2 where there are too few points or either side is flat; values above 1 are
        possible, since the sums between are approximate) and the common points. Cost: one pass.
    """
    m, n = correlations.shape
    least = np.float32(max(minimum, 2.0))
    # One flat array for all sums: fewer arrays to be told apart, or the loop would not be vectorised.
    sums = low.reshape(low.size)
    products = sum_ab.reshape(sum_ab.size)
    size = np.uint64(low.shape[1] * low.shape[2])
    for i in range(m):
        upper: Any = np.uint64(i // 2 * low.shape[2])
        lower: Any = np.uint64((i + 1) // 2 * low.shape[2])
        row: Any = np.uint64(i * sum_ab.shape[1])
        into_r, into_n = correlations[i], common[i]
        for j in range(np.uint64(n // 2)):
            u: Any = upper + j
            v: Any = lower + j
            here_n, next_n = _here_and_right(sums, u, v)
            here_a, next_a = _here_and_right(sums, u + size, v + size)
            here_b, next_b = _here_and_right(sums, u + _TWO * size, v + _TWO * size)
            here_aa, next_aa = _here_and_right(sums, u + _THREE * size, v + _THREE * size)
            here_bb, next_bb = _here_and_right(sums, u + _FOUR * size, v + _FOUR * size)
            k = j + j
            into_n[k] = here_n
            into_r[k] = _pearson(here_n, here_a, here_b, here_aa, here_bb, products[row + k], least)
            into_n[k + _NEXT] = next_n
            into_r[k + _NEXT] = _pearson(next_n, next_a, next_b, next_aa, next_bb, products[row + k + _NEXT], least)
