"""Correlations of short windows of two profiles at every pair of places, by running sums along the diagonals."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel

# A variance below this share of the sum of squares is numerically zero.
_FLAT = 1e-9

NO_WINDOW = -2.0
"""The correlation of windows of which none is complete and not flat."""


@kernel
def best_window_pair(a: NDArray[np.float64], b: NDArray[np.float64], length: int) -> tuple[int, int, float]:
    """Find the windows of two profiles that correlate best, over all pairs of places.

    Parameters
    ----------
    a, b : ndarray of float64, shapes (m,) and (n,)
        Heights about their mean; non-finite points are missing.
    length : int
        Points of a window, at least 3. A window with a missing point, or flat, is not looked at.

    Returns
    -------
    start_a, start_b : int
        First points of the windows; −1 when there is no such pair. Of equal correlations the first found counts:
        by ascending lag, then place.
    correlation : float
        Pearson's r, −1 to 1; `NO_WINDOW` when there is no such pair.

    Notes
    -----
    Missing: exact. Cost: m × n. Source: Chumbley et al. 2010, doi:10.1111/j.1556-4029.2010.01424.x, optimisation step.
    """
    m, n = a.shape[0], b.shape[0]
    best_a, best_b, best = -1, -1, NO_WINDOW
    for lag in range(length - n, m - length + 1):
        # Along this diagonal point j of B lies on point j + lag of A.
        start = max(lag, 0)
        stop = min(m, n + lag)
        count = 0
        sa = sb = saa = sbb = sab = 0.0
        for i in range(start, stop):
            u, v = a[i], b[i - lag]
            if np.isfinite(u) and np.isfinite(v):
                count += 1
                sa += u
                sb += v
                saa += u * u
                sbb += v * v
                sab += u * v
            if i - length >= start:
                u, v = a[i - length], b[i - length - lag]
                if np.isfinite(u) and np.isfinite(v):
                    count -= 1
                    sa -= u
                    sb -= v
                    saa -= u * u
                    sbb -= v * v
                    sab -= u * v
            if count == length:
                va, vb = saa - sa * sa / length, sbb - sb * sb / length
                if va > _FLAT * saa and vb > _FLAT * sbb and va > 0.0 and vb > 0.0:
                    r = min(1.0, max(-1.0, (sab - sa * sb / length) / math.sqrt(va * vb)))
                    if r > best:
                        best_a, best_b, best = i - length + 1, i - length + 1 - lag, r
    return best_a, best_b, best
