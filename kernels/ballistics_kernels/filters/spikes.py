"""Local median of a grid with missing points, the yardstick for spikes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel


@kernel
def local_median(values: NDArray[np.float64], half: int, wanted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the median of the valid points in a square window around every wanted valid point.

    Parameters
    ----------
    values : ndarray of float64, shape (rows, columns)
        Heights; any unit. Non-finite points are missing.
    half : int
        Half width of the window in points; the window has 2 × half + 1 points a side and is cut
        at the edge of the grid.
    wanted : ndarray of bool, shape (rows, columns)
        Where a median is wanted.

    Returns
    -------
    ndarray of float64, shape (rows, columns)
        Medians (of an even number of points: the mean of the middle two); NaN where the point is
        missing or not wanted.

    Notes
    -----
    Missing: exact, a missing point is not counted. Cost: one sort by insertion of at most
    (2 × half + 1)² numbers per wanted point; meant for windows of 3 to 11 points.
    """
    rows, columns = values.shape
    out = np.empty((rows, columns))
    window = np.empty((2 * half + 1) * (2 * half + 1))
    for r in range(rows):
        for c in range(columns):
            if not (wanted[r, c] and np.isfinite(values[r, c])):
                out[r, c] = np.nan
                continue
            count = 0
            for rr in range(max(0, r - half), min(rows, r + half + 1)):
                for cc in range(max(0, c - half), min(columns, c + half + 1)):
                    value = values[rr, cc]
                    if np.isfinite(value):
                        k = count
                        while k > 0 and window[k - 1] > value:
                            window[k] = window[k - 1]
                            k -= 1
                        window[k] = value
                        count += 1
            middle = count // 2
            if count % 2 == 1:
                out[r, c] = window[middle]
            else:
                out[r, c] = 0.5 * (window[middle - 1] + window[middle])
    return out
