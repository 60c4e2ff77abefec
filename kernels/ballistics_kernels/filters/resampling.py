"""Interpolation of a grid with missing points at other rows and columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel


@kernel
def _cubic(distance: float) -> float:
    """Return Keys' cubic convolution weight (a = -1/2) at a distance in grid steps."""
    d = abs(distance)
    if d < 1.0:
        return (1.5 * d - 2.5) * d * d + 1.0
    if d < 2.0:
        return ((-0.5 * d + 2.5) * d - 4.0) * d + 2.0
    return 0.0


@kernel
def interpolate_grid(
    values: NDArray[np.float64], row_positions: NDArray[np.float64], column_positions: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the heights at every pair of a row position and a column position.

    Parameters
    ----------
    values : ndarray of float64, shape (rows, columns)
        Heights; any unit. Non-finite points are missing.
    row_positions, column_positions : ndarray of float64, shapes (m,) and (n,)
        Positions in grid steps, 0 to rows - 1 and 0 to columns - 1.

    Returns
    -------
    ndarray of float64, shape (m, n)
        Cubic where the 4 × 4 points around are all valid (exact for every second-order surface),
        otherwise the bilinear mean over the valid ones of the 2 × 2. NaN where the nearest point
        is missing: a hole neither grows nor shrinks by more than half a step.

    Notes
    -----
    It does not smooth: before going to a coarser grid, filter. Cost: about 16 × m × n.
    Source: Keys 1981, doi:10.1109/TASSP.1981.1163711.
    """
    rows, columns = values.shape
    out = np.empty((row_positions.shape[0], column_positions.shape[0]))
    for i in range(row_positions.shape[0]):
        y = row_positions[i]
        top = min(max(int(np.floor(y)), 0), max(rows - 2, 0))
        fy = y - top
        for j in range(column_positions.shape[0]):
            x = column_positions[j]
            left = min(max(int(np.floor(x)), 0), max(columns - 2, 0))
            fx = x - left
            near_row = min(top + (1 if fy > 0.5 else 0), rows - 1)
            near_column = min(left + (1 if fx > 0.5 else 0), columns - 1)
            if not np.isfinite(values[near_row, near_column]):
                out[i, j] = np.nan
                continue
            complete = top >= 1 and left >= 1 and top + 2 < rows and left + 2 < columns
            total = 0.0
            # The points are tested, not the sum: with "reassoc" the compiler may cancel the
            # subtraction by which numba tests a computed value, and find every sum finite.
            if complete:
                for a in range(-1, 3):
                    for b in range(-1, 3):
                        if not np.isfinite(values[top + a, left + b]):
                            complete = False
            if complete:
                for a in range(-1, 3):
                    line = 0.0
                    for b in range(-1, 3):
                        line += _cubic(fx - b) * values[top + a, left + b]
                    total += _cubic(fy - a) * line
            if not complete:
                total = 0.0
                weights = 0.0
                for a in range(2):
                    for b in range(2):
                        r, c = min(top + a, rows - 1), min(left + b, columns - 1)
                        weight = (fy if a == 1 else 1.0 - fy) * (fx if b == 1 else 1.0 - fx)
                        if weight > 0.0 and np.isfinite(values[r, c]):
                            total += weight * values[r, c]
                            weights += weight
                total /= weights
            out[i, j] = total
    return out
