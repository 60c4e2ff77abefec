"""How the cells of one map agree with another map at small shifts: several bands at once, over points valid in both."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel
from ballistics_kernels.impressions.cell_arrays import Shifts, Squares


@kernel
def agreement_at_shifts(
    tiled: NDArray[np.float32],
    searched: NDArray[np.float32],
    cells: Squares,
    shifts: Shifts,
    counts: NDArray[np.int64],
    correlations: NDArray[np.float64],
    evenness: NDArray[np.float64],
) -> None:
    """Fill correlation, common points and evenness of every cell at every shift, in every band.

    Parameters
    ----------
    tiled, searched : ndarray of float32, shape (bands, rows, columns)
        Two marks on one grid, each band of zero mean. A point that is NaN in the first band is missing in all.
    cells : Squares
        On the grid; a cell holds the points with −half ≤ across, down < half from its centre;
        turned clockwise as shown.
    shifts : Shifts
        From ``tiled`` to ``searched``; points outside are missing.
    counts : ndarray of int64, shape (cells, shifts + 1)
        Filled: points valid in both, and last the cell's own valid points.
    correlations : ndarray of float64, shape (cells, shifts, bands)
        Filled: Σuv / √(Σu² Σv²) over the common points, no mean taken off; 0 where one of them is flat.
    evenness : ndarray of float64, shape (cells, shifts, bands)
        Filled: Σu² Σv² / (N Σu²v²) over the N common points: 1 where both are equally strong all over the cell, less
        where the strong places of both meet; 0 where Σu²v² is 0.

    Notes
    -----
    Cost: four multiplications and additions per band, shift and point of a cell.
    """
    centres_y, centres_x, half, cos, sin = cells
    shifts_y, shifts_x = shifts
    bands, rows, columns = tiled.shape
    reach = 0
    for s in range(shifts_y.size):
        reach = max(reach, abs(shifts_y[s]), abs(shifts_x[s]))
    # Values, squares and validity, 0 where missing; the searched map with a border that no shift leaves.
    u = np.zeros((bands, rows, columns), np.float32)
    v = np.zeros((bands, rows + 2 * reach, columns + 2 * reach), np.float32)
    u_there = np.zeros((rows, columns), np.float32)
    v_there = np.zeros((rows + 2 * reach, columns + 2 * reach), np.float32)
    for i in range(rows):
        for j in range(columns):
            if np.isfinite(tiled[0, i, j]):
                u_there[i, j] = np.float32(1)
                for k in range(bands):
                    u[k, i, j] = tiled[k, i, j]
            if np.isfinite(searched[0, i, j]):
                v_there[i + reach, j + reach] = np.float32(1)
                for k in range(bands):
                    v[k, i + reach, j + reach] = searched[k, i, j]
    wide = int(np.ceil(2.0 * half * np.sqrt(2.0))) + 2
    first = np.empty(wide, np.int64)
    last = np.empty(wide, np.int64)
    for c in range(centres_y.size):
        # Every row of the turned square is one run of points.
        top = max(0, int(np.floor(centres_y[c] - half * np.sqrt(2.0))))
        height = max(0, min(rows - top, wide))
        left = max(0, int(np.floor(centres_x[c] - half * np.sqrt(2.0))))
        right = min(columns, left + wide)
        own = np.float32(0)
        for i in range(height):
            first[i], last[i] = right, left
            for j in range(left, right):
                y = top + i - centres_y[c]
                x = j - centres_x[c]
                across = cos * x + sin * y
                down = cos * y - sin * x
                if across >= -half and across < half and down >= -half and down < half:
                    first[i] = min(first[i], j)
                    last[i] = j + 1
            for j in range(first[i], last[i]):
                own += u_there[top + i, j]
        counts[c, shifts_y.size] = int(own)
        for s in range(shifts_y.size):
            down_by = reach + shifts_y[s]
            over_by = reach + shifts_x[s]
            n = np.float32(0)
            for i in range(height):
                a_there = u_there[top + i, first[i] : last[i]]
                b_there = v_there[top + i + down_by, first[i] + over_by : last[i] + over_by]
                for j in range(a_there.size):
                    n += a_there[j] * b_there[j]
            counts[c, s] = int(n)
            for k in range(bands):
                sum_uu = 0.0
                sum_vv = 0.0
                sum_uv = 0.0
                sum_uuvv = 0.0
                for i in range(height):
                    a = u[k, top + i, first[i] : last[i]]
                    a_there = u_there[top + i, first[i] : last[i]]
                    b = v[k, top + i + down_by, first[i] + over_by : last[i] + over_by]
                    b_there = v_there[top + i + down_by, first[i] + over_by : last[i] + over_by]
                    uu = np.float32(0)
                    vv = np.float32(0)
                    uv = np.float32(0)
                    uuvv = np.float32(0)
                    for j in range(a.size):
                        p = a[j] * b[j]
                        uu += a[j] * a[j] * b_there[j]
                        vv += b[j] * b[j] * a_there[j]
                        uv += p
                        uuvv += p * p
                    sum_uu += float(uu)
                    sum_vv += float(vv)
                    sum_uv += float(uv)
                    sum_uuvv += float(uuvv)
                power = sum_uu * sum_vv
                correlations[c, s, k] = sum_uv / np.sqrt(power) if power > 0.0 else 0.0
                evenness[c, s, k] = power / (n * sum_uuvv) if sum_uuvv > 0.0 else 0.0
