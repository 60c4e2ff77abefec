"""Least-squares matching of cells: the affine map and the linear change of heights that lay a cell on another mark."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel
from ballistics_kernels.impressions.cell_arrays import Cells, FoundCells

_UNKNOWNS = 8
_FEWEST_POINTS = 64
_SETTLED = 0.1


@kernel
def _solve(matrix: NDArray[np.float64], right: NDArray[np.float64]) -> bool:
    """Solve a small linear system in place by elimination with pivoting; False when it is singular."""
    n = right.size
    for k in range(n):
        pivot = k
        for i in range(k + 1, n):
            if abs(matrix[i, k]) > abs(matrix[pivot, k]):
                pivot = i
        # "not >" is also true of NaN.
        if not abs(matrix[pivot, k]) > 1e-12:
            return False
        if pivot != k:
            for j in range(n):
                held = matrix[k, j]
                matrix[k, j] = matrix[pivot, j]
                matrix[pivot, j] = held
            held = right[k]
            right[k] = right[pivot]
            right[pivot] = held
        for i in range(k + 1, n):
            factor = matrix[i, k] / matrix[k, k]
            for j in range(k, n):
                matrix[i, j] -= factor * matrix[k, j]
            right[i] -= factor * right[k]
    for k in range(n - 1, -1, -1):
        total = right[k]
        for j in range(k + 1, n):
            total -= matrix[k, j] * right[j]
        right[k] = total / matrix[k, k]
    return True


@kernel
def _height_and_slopes(heights: NDArray[np.float32], y: float, x: float) -> tuple[bool, float, float, float]:
    """Interpolate bilinearly: whether all four points around (y, x) are valid, height, and slopes along x and y."""
    i = math.floor(y)
    j = math.floor(x)
    if not (i >= 0 and j >= 0 and i + 1 < heights.shape[0] and j + 1 < heights.shape[1]):
        return False, 0.0, 0.0, 0.0
    a, b, d, e = heights[i, j], heights[i, j + 1], heights[i + 1, j], heights[i + 1, j + 1]
    if not (np.isfinite(a) and np.isfinite(b) and np.isfinite(d) and np.isfinite(e)):
        return False, 0.0, 0.0, 0.0
    fx = x - j
    fy = y - i
    value = (a * (1.0 - fx) + b * fx) * (1.0 - fy) + (d * (1.0 - fx) + e * fx) * fy
    return True, value, (b - a) * (1.0 - fy) + (e - d) * fy, (d - a) * (1.0 - fx) + (e - b) * fx


@kernel
def match_cells(
    cells: Cells,
    searched: NDArray[np.float32],
    found: FoundCells,
    minimum_overlap: float,
    farthest: float,
    iterations: int,
    maps: NDArray[np.float64],
    correlations: NDArray[np.float64],
) -> None:
    """Refine the place of every cell by least squares: six affine and two height parameters, Gauss–Newton.

    The point (u, v) of a cell, right and down of its centre, falls on x = X + m₀u + m₁v, y = Y + m₂u + m₃v of the
    searched mark, where h₀ + h₁·height should be the cell's own height; heights between points are bilinear. Each
    iteration solves the linearised eight unknowns; it ends when no corner of the cell moves by 0.1 points or more (the
    kinks of bilinear heights keep a good cell moving by hundredths for ever).

    Parameters
    ----------
    cells : Cells
        Of the tiled mark.
    searched : ndarray of float32, shape (p, q)
        Heights; here and in the tiled mark NaN marks missing points. A point counts where it and the four around its
        place are valid.
    found : FoundCells
        Where on the searched mark the cells were found, and at which turn of it.
    minimum_overlap : float
        Least share of a cell's valid points that must count.
    farthest : float
        A cell whose centre wanders further than this from its start, or a corner in one iteration, is lost; in points.
    iterations : int
        Most iterations.
    maps : ndarray of float64, shape (cells, 6)
        Filled with X, Y, m₀, m₁, m₂, m₃; NaN for cells that were lost, too few, upside down or did not settle.
    correlations : ndarray of float64, shape (cells,)
        Filled with Pearson's r of the points that count at the final map; NaN likewise.

    Notes
    -----
    Cost: cells × iterations × (2 half)² × 36 multiply-adds. Zhang et al. 2021, J. Forensic Sci. 66:571 (its equations
    for x′, y′, z′); Gruen 1985, S. Afr. J. Photogrammetry 14:175.
    """
    tiled, centres_y, centres_x, half, grid_theta = cells
    places_y, places_x, thetas = found
    reach = math.ceil(half * math.sqrt(2.0)) + 1
    most = (2 * reach + 1) ** 2
    us = np.empty(most)
    vs = np.empty(most)
    heights = np.empty(most)
    normal = np.empty((_UNKNOWNS, _UNKNOWNS))
    right = np.empty(_UNKNOWNS)
    row = np.empty(_UNKNOWNS)
    cos_grid = math.cos(grid_theta)
    sin_grid = math.sin(grid_theta)
    rows, columns = tiled.shape
    for c in range(centres_y.size):
        maps[c, :] = np.nan
        correlations[c] = np.nan
        if np.isnan(places_y[c]) or np.isnan(places_x[c]) or np.isnan(thetas[c]):
            continue
        n = 0
        top = math.floor(centres_y[c]) - reach
        left = math.floor(centres_x[c]) - reach
        for i in range(max(top, 0), min(top + 2 * reach + 2, rows)):
            for j in range(max(left, 0), min(left + 2 * reach + 2, columns)):
                v = i - centres_y[c]
                u = j - centres_x[c]
                across = cos_grid * u + sin_grid * v
                down = cos_grid * v - sin_grid * u
                if -half <= across < half and -half <= down < half and np.isfinite(tiled[i, j]) and n < most:
                    us[n] = u
                    vs[n] = v
                    heights[n] = tiled[i, j]
                    n += 1
        cos = math.cos(thetas[c])
        sin = math.sin(thetas[c])
        x0, y0 = places_x[c], places_y[c]
        xx, xy, yx, yy = cos, sin, -sin, cos
        scale = 1.0
        settled = False
        for _ in range(iterations):
            normal[:, :] = 0.0
            right[:] = 0.0
            count = 0
            for k in range(n):
                x = x0 + xx * us[k] + xy * vs[k]
                y = y0 + yx * us[k] + yy * vs[k]
                valid, value, slope_x, slope_y = _height_and_slopes(searched, y, x)
                if not valid:
                    continue
                slope_x *= scale
                slope_y *= scale
                row[0] = slope_x
                row[1] = slope_x * us[k] / half
                row[2] = slope_x * vs[k] / half
                row[3] = slope_y
                row[4] = slope_y * us[k] / half
                row[5] = slope_y * vs[k] / half
                row[6] = 1.0
                row[7] = value
                for p in range(_UNKNOWNS):
                    right[p] += row[p] * heights[k]
                    for q in range(p + 1):
                        normal[p, q] += row[p] * row[q]
                count += 1
            if count < _FEWEST_POINTS or count < minimum_overlap * n:
                break
            for p in range(_UNKNOWNS):
                for q in range(p + 1, _UNKNOWNS):
                    normal[p, q] = normal[q, p]
            if not _solve(normal, right):
                break
            x0 += right[0]
            xx += right[1] / half
            xy += right[2] / half
            y0 += right[3]
            yx += right[4] / half
            yy += right[5] / half
            scale = right[7]
            # How far a corner can have moved. "not <=" is also true of NaN.
            moved_x = abs(right[0]) + abs(right[1]) + abs(right[2])
            moved_y = abs(right[3]) + abs(right[4]) + abs(right[5])
            wandered = math.hypot(x0 - places_x[c], y0 - places_y[c])
            if not (scale > 0.0 and wandered <= farthest and moved_x <= farthest and moved_y <= farthest):
                break
            if max(moved_x, moved_y) < _SETTLED:
                settled = True
                break
        if not settled:
            continue
        count = 0
        sum_a = sum_b = sum_aa = sum_bb = sum_ab = 0.0
        for k in range(n):
            x = x0 + xx * us[k] + xy * vs[k]
            y = y0 + yx * us[k] + yy * vs[k]
            valid, value, _, _ = _height_and_slopes(searched, y, x)
            if not valid:
                continue
            sum_a += heights[k]
            sum_b += value
            sum_aa += heights[k] * heights[k]
            sum_bb += value * value
            sum_ab += heights[k] * value
            count += 1
        if count < _FEWEST_POINTS or count < minimum_overlap * n:
            continue
        power = (sum_aa - sum_a * sum_a / count) * (sum_bb - sum_b * sum_b / count)
        if not power > 0.0:
            continue
        correlations[c] = (sum_ab - sum_a * sum_b / count) / math.sqrt(power)
        maps[c, 0] = x0
        maps[c, 1] = y0
        maps[c, 2] = xx
        maps[c, 3] = xy
        maps[c, 4] = yx
        maps[c, 5] = yy
