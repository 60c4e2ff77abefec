"""Coarse maps of where one cell of a mark agrees with another mark, from transforms that all angles share.

A cell is turned by each trial angle about its own centre onto the grid of the other mark, which stays as measured. On
a coarse level its correlation with the surroundings of the expected place follows, at every shift, from Fourier
transforms (masked correlation, Padfield 2012, doi:10.1109/TIP.2011.2181402).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel
from ballistics_kernels.impressions.cell_arrays import Peaks
from ballistics_kernels.impressions.correlation import NO_CORRELATION
from ballistics_kernels.impressions.half_sums import correlations_from_half_sums
from ballistics_kernels.impressions.peaks import peaks_between


@kernel
def block_sums(values: NDArray[np.float32], valid: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """Sum validity, values and squared values over blocks of 2 × 2 points.

    Parameters
    ----------
    values, valid : ndarray of float32, shape (cells, m, m), m even
        0 where missing; 1 or 0 for valid or missing.
    out : ndarray of float32, shape (3, cells, m // 2, m // 2)
        Filled.
    """
    for c in range(values.shape[0]):
        for i in range(out.shape[2]):
            top = values[c, 2 * i]
            low = values[c, 2 * i + 1]
            top_valid = valid[c, 2 * i]
            low_valid = valid[c, 2 * i + 1]
            for j in range(out.shape[3]):
                k = 2 * j
                out[0, c, i, j] = top_valid[k] + top_valid[k + 1] + low_valid[k] + low_valid[k + 1]
                out[1, c, i, j] = top[k] + top[k + 1] + low[k] + low[k + 1]
                out[2, c, i, j] = top[k] * top[k] + top[k + 1] * top[k + 1] + low[k] * low[k] + low[k + 1] * low[k + 1]


@kernel
def coarse_map(
    sum_ab: NDArray[np.float32],
    low: NDArray[np.float32],
    count: float,
    minimum_overlap: float,
    radius: float,
    out: NDArray[np.float32],
) -> None:
    """Combine the transforms' sums into a map of the correlation over all shifts of one cell.

    Parameters
    ----------
    sum_ab : ndarray of float32, shape (m, m)
        Σ a·b at every cyclic shift of the coarse level.
    low : ndarray of float32, shape (5, m // 2, m // 2)
        Σ over half the resolution of: common points, a, b, a², b². These sums vary slowly with the shift, so
        that every second shift is computed and the rest interpolated.
    count : float
        Valid points of the cell.
    minimum_overlap : float
        Least share of them that must be common.
    radius : float
        Greatest shift in points.
    out : ndarray of float32, shape (2 k + 1, 2 k + 2)
        Correlation at shift ``(i − k, j − k)``; `NO_CORRELATION` where none is admissible, as in the last column.
    """
    k = out.shape[0] // 2
    common = np.empty(out.shape, np.float32)
    correlations_from_half_sums(sum_ab, low, minimum_overlap * count, out, common)
    for i in range(2 * k + 1):
        # Half the chord of the circle of admissible shifts in this row.
        chord = radius * radius - (i - k) * (i - k)
        reach = int(math.sqrt(chord)) if chord >= 0.0 else -1
        out[i, : k - reach] = NO_CORRELATION
        out[i, k + reach + 1 :] = NO_CORRELATION


@kernel
def search_coarse(
    sum_ab: NDArray[np.float32],
    low: NDArray[np.float32],
    counts: NDArray[np.int64],
    minimum_overlap: float,
    radius: float,
    maps: NDArray[np.float32],
    peaks: Peaks,
) -> None:
    """Make the maps of all cells at one angle and find their peaks.

    Parameters
    ----------
    sum_ab : ndarray of float32, shape (cells, m, m)
    low : ndarray of float32, shape (cells, 5, m // 2, m // 2)
        See `coarse_map`.
    counts : ndarray of int64, shape (cells,)
        Valid points of each turned cell.
    minimum_overlap, radius : float
        See `coarse_map`.
    maps : ndarray of float32, shape (cells, 2 k + 1, 2 k + 2)
        Filled.
    peaks : Peaks, shape (cells, peaks)
        Filled with the places of the peaks in the map, best first (`peaks_between`), and the correlations there;
        `NO_CORRELATION` where there are fewer peaks.
    """
    k = float(maps.shape[1] // 2)
    for c in range(maps.shape[0]):
        coarse_map(sum_ab[c], low[c], float(counts[c]), minimum_overlap, radius, maps[c])
        peaks_between(maps[c], k, k, k, peaks.rows[c], peaks.columns[c], peaks.correlations[c])
