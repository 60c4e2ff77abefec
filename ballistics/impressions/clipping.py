"""Limiting heights to some robust standard deviations, so that one deep flaw does not speak for the whole mark."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.filters import median

CLIP_POINTS = 50_000
"""What is usually enough to know the standard deviation of a mark."""


def clipped(heights: NDArray[np.float32], sigmas: float, enough_points: int = CLIP_POINTS) -> NDArray[np.float32]:
    """Return the heights limited to some robust standard deviations around their median.

    Parameters
    ----------
    heights : ndarray of float32, shape (rows, columns)
        NaN marks missing points.
    sigmas : float
        How many standard deviations (1.4826 times the median absolute deviation) are kept.
    enough_points : int, optional
        A median needs no more points: of a larger mark every second, third … is as good and much faster.

    Examples
    --------
    >>> row = np.array([[-1.0, 0.0, 1.0, 90.0]], np.float32)
    >>> float(clipped(row, 3.0).max()) < 5.0
    True
    """
    values = heights[np.isfinite(heights)]
    if len(values) == 0:
        return heights
    values = values[:: max(1, len(values) // enough_points)]
    middle = np.float32(median(values))
    limit = np.float32(sigmas * 1.4826 * np.float32(median(np.abs(values - middle))))
    return np.clip(heights, middle - limit, middle + limit) if limit > 0 else heights
