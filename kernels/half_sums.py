"""Correlations at all shifts, from sums of which the slowly varying ones are known at every second shift."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from kernels.accelerate import kernel
from kernels.correlation import NO_CORRELATION

# A variance below this share of the power is rounding noise of float32 transforms.
_FLAT = np.float32(1e-5)


@kernel
def _correlate(
    sums: NDArray[np.float32],
    sum_ab: NDArray[np.float32],
    right: int,
    minimum: float,
    correlations: NDArray[np.float32],
    common: NDArray[np.float32],
) -> None:
    """Fill flat arrays with Pearson's r and the common points, from the means of each sum and the one ``right`` of it.

    The loop has no branches, and runs over whole maps in one go, so that it is vectorised.
    """
    least = np.float32(max(minimum, 2.0))
    one = np.float32(1)
    half = np.float32(0.5)
    counts, sums_a, sums_b, squares_a, squares_b = sums[0], sums[1], sums[2], sums[3], sums[4]
    for j in range(correlations.size):
        n = half * (counts[j] + counts[j + right])
        a = half * (sums_a[j] + sums_a[j + right])
        b = half * (sums_b[j] + sums_b[j + right])
        aa = half * (squares_a[j] + squares_a[j + right])
        bb = half * (squares_b[j] + squares_b[j + right])
        # Variances and covariance times n²: one division less.
        power_a = n * aa
        power_b = n * bb
        variance_a = power_a - a * a
        variance_b = power_b - b * b
        good = (n >= least) & (variance_a > _FLAT * power_a) & (variance_b > _FLAT * power_b)
        product = variance_a * variance_b if good else one
        r = (n * sum_ab[j] - a * b) / np.float32(math.sqrt(product))
        correlations[j] = r if good else np.float32(NO_CORRELATION)
        common[j] = n


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
    sum_ab : ndarray of float32, shape (at least m, at least n)
        Σ a·b at every shift.
    low : ndarray of float32, shape (5, at least m // 2 + 1, at least n // 2 + 1), contiguous
        Common points, Σ a, Σ b, Σ a², Σ b² over the points valid in both, at every second shift; at a shift between,
        the means of its neighbours are taken.
    minimum : float
        Least number of common points.
    correlations, common : ndarray of float32, shape (m, n)
        Filled with the correlation (−2 where there are too few points or either side is flat; values above 1 are
        possible, since the sums between are approximate) and the common points. Cost: one pass.
    """
    m, n = correlations.shape
    # The sums are taken with the stride of `low`, so that loops run over whole maps and not over their short rows.
    stride = low.shape[2]
    rows = (m + 1) // 2
    size = rows * stride
    # One entry more, which the last has to its right.
    sums = np.zeros((5, size + 1), np.float32)
    products = np.zeros((2, size), np.float32)
    r = np.empty((2, size), np.float32)
    points = np.empty((2, size), np.float32)
    half = np.float32(0.5)
    for down in range(2):
        here = (m + 1 - down) // 2
        for q in range(5):
            flat = low[q].reshape(low.shape[1] * stride)
            upper = flat[: here * stride]
            lower = flat[down * stride : (here + down) * stride]
            into = sums[q]
            for k in range(upper.size):
                into[k] = half * (upper[k] + lower[k])
        for i in range(here):
            source = sum_ab[2 * i + down]
            even = products[0, i * stride : (i + 1) * stride]
            odd = products[1, i * stride : (i + 1) * stride]
            for j in range(n // 2):
                even[j] = source[2 * j]
                odd[j] = source[2 * j + 1]
            if n % 2 == 1:
                even[n // 2] = source[n - 1]
        for right in range(2):
            _correlate(sums, products[right], right, minimum, r[right], points[right])
        for i in range(here):
            out_r = correlations[2 * i + down]
            out_n = common[2 * i + down]
            even_r = r[0, i * stride : (i + 1) * stride]
            odd_r = r[1, i * stride : (i + 1) * stride]
            even_n = points[0, i * stride : (i + 1) * stride]
            odd_n = points[1, i * stride : (i + 1) * stride]
            for j in range(n // 2):
                out_r[2 * j] = even_r[j]
                out_r[2 * j + 1] = odd_r[j]
            for j in range(n // 2):
                out_n[2 * j] = even_n[j]
                out_n[2 * j + 1] = odd_n[j]
            if n % 2 == 1:
                out_r[n - 1] = even_r[n // 2]
                out_n[n - 1] = even_n[n // 2]
