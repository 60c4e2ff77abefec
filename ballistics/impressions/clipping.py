"""Limiting heights to some robust standard deviations, so that one deep flaw does not speak for the whole mark."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.filters import median

# A median needs no more points than this; taking every so-many-th of a larger mark is as good and much faster.
_ENOUGH_POINTS = 50_000


def clipped(heights: NDArray[np.float32], sigmas: float) -> NDArray[np.float32]:
    """Return the heights limited to some robust standard deviations around their median.

    Parameters
    ----------
    heights : ndarray of float32, shape (rows, columns)
        NaN marks missing points.
    sigmas : float
        How many standard deviations (1.4826 times the median absolute deviation) are kept.

    Examples
    --------
    >>> row = np.array([[-1.0, 0.0, 1.0, 90.0]], np.float32)
    >>> float(clipped(row, 3.0).max()) < 5.0
    True
    """
    values = heights[np.isfinite(heights)]
    if len(values) == 0:
        return heights
    values = values[:: max(1, len(values) // _ENOUGH_POINTS)]
    middle = np.float32(median(values))
    limit = np.float32(sigmas * 1.4826 * np.float32(median(np.abs(values - middle))))
    return np.clip(heights, middle - limit, middle + limit) if limit > 0 else heights
