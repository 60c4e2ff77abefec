"""Medians of bands of rows: a height map becomes a few profiles across its striae."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel


@kernel
def band_medians(
    heights: NDArray[np.float64], shifts: NDArray[np.int64], rows_per_band: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the median of every column over each band of rows.

    Parameters
    ----------
    heights : ndarray of float64, shape (rows, columns)
        Any unit; non-finite points are missing.
    shifts : ndarray of int64, shape (rows,)
        Column c of the result takes column c + shifts[r] of row r: bands can follow slanting striae.
    rows_per_band : int
        At least 1. The last band takes the rows that are left if they are at least half as many, or else none.

    Returns
    -------
    medians : ndarray of float64, shape (bands, columns)
        NaN where fewer than a third of the band's rows are valid.
    counts : ndarray of int64, shape (bands, columns)
        Valid rows.

    Notes
    -----
    Missing: exact. Cost: rows × columns × rows_per_band / 4, at worst.
    """
    rows, columns = heights.shape
    bands = rows // rows_per_band + (1 if 2 * (rows % rows_per_band) >= rows_per_band else 0)
    medians = np.full((bands, columns), np.nan)
    counts = np.zeros((bands, columns), np.int64)
    values = np.empty(rows_per_band)
    for b in range(bands):
        first = b * rows_per_band
        last = min(first + rows_per_band, rows)
        for c in range(columns):
            n = 0
            for r in range(first, last):
                column = c + shifts[r]
                if column < 0 or column >= columns or not np.isfinite(heights[r, column]):
                    continue
                value = heights[r, column]
                # Insertion keeps the values sorted: neighbouring rows are nearly alike, and a band is short.
                k = n
                while k > 0 and values[k - 1] > value:
                    values[k] = values[k - 1]
                    k -= 1
                values[k] = value
                n += 1
            counts[b, c] = n
            if n > 0 and 3 * n >= last - first:
                medians[b, c] = values[n // 2] if n % 2 == 1 else 0.5 * (values[n // 2 - 1] + values[n // 2])
    return medians, counts
