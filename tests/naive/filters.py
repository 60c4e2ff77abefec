"""Plain twins of the filters: decimation, turning, weighted means, regression, resampling, medians, paths."""

from __future__ import annotations

import math

import numpy as np


def decimate(heights, factor):
    rows, columns = heights.shape
    out = np.full((-(-rows // factor), -(-columns // factor)), np.nan)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            block = heights[i * factor : (i + 1) * factor, j * factor : (j + 1) * factor]
            good = [float(v) for v in block.ravel() if np.isfinite(v)]
            if len(good) >= factor * factor / 2:
                out[i, j] = sum(good) / len(good)
    return out


def sample(heights, y, x):
    total = weight = 0.0
    for row in (math.floor(y), math.floor(y) + 1):
        for column in (math.floor(x), math.floor(x) + 1):
            if 0 <= row < heights.shape[0] and 0 <= column < heights.shape[1] and np.isfinite(heights[row, column]):
                w = (1 - abs(y - row)) * (1 - abs(x - column))
                weight += w
                total += w * float(heights[row, column])
    return total / weight if weight >= 0.5 else math.nan


def turn_onto(heights, theta, shift_y, shift_x, shape):
    out = np.full(shape, np.nan)
    for i in range(shape[0]):
        for j in range(shape[1]):
            y, x = i - (shape[0] - 1) / 2 - shift_y, j - (shape[1] - 1) / 2 - shift_x
            # Undo the turn: the point came from there.
            from_x = math.cos(theta) * x + math.sin(theta) * y
            from_y = -math.sin(theta) * x + math.cos(theta) * y
            out[i, j] = sample(heights, from_y + (heights.shape[0] - 1) / 2, from_x + (heights.shape[1] - 1) / 2)
    return out


def weighted_mean(values, row_taps, column_taps):
    """Masked mean with separable weights, one point at a time."""
    rows, columns = values.shape
    out = np.full(values.shape, np.nan)
    row_half, column_half = len(row_taps) // 2, len(column_taps) // 2
    for r in range(rows):
        for c in range(columns):
            if not np.isfinite(values[r, c]):
                continue
            total = weights = 0.0
            for i, row_weight in enumerate(row_taps):
                for j, column_weight in enumerate(column_taps):
                    rr, cc = r + i - row_half, c + j - column_half
                    if 0 <= rr < rows and 0 <= cc < columns and np.isfinite(values[rr, cc]):
                        total += row_weight * column_weight * values[rr, cc]
                        weights += row_weight * column_weight
            if weights > 0.0:
                out[r, c] = total / weights
    return out


def quadratic_regression(values, row_taps, column_taps, row_step, column_step):
    """Weighted least squares of 1, u, v, u², uv, v² around every valid point, by a general solver."""
    rows, columns = values.shape
    out = np.full(values.shape, np.nan)
    row_half, column_half = len(row_taps) // 2, len(column_taps) // 2
    for r in range(rows):
        for c in range(columns):
            if not np.isfinite(values[r, c]):
                continue
            basis, heights, weights = [], [], []
            for i, row_weight in enumerate(row_taps):
                for j, column_weight in enumerate(column_taps):
                    rr, cc = r + i - row_half, c + j - column_half
                    if 0 <= rr < rows and 0 <= cc < columns and np.isfinite(values[rr, cc]):
                        u, v = (j - column_half) * column_step, (i - row_half) * row_step
                        basis.append([1.0, u, v, u * u, u * v, v * v])
                        heights.append(values[rr, cc])
                        weights.append(np.sqrt(row_weight * column_weight))
            root = np.array(weights)
            matrix, right = np.array(basis) * root[:, None], np.array(heights) * root
            for size in (6, 3, 1):
                if np.linalg.matrix_rank(matrix[:, :size], tol=3e-5) == size:
                    out[r, c] = np.linalg.lstsq(matrix[:, :size], right, rcond=None)[0][0]
                    break
    return out


def interpolate_grid(values, row_positions, column_positions):
    """Keys' cubic where the 4 × 4 points are valid, else the mean of the valid of the 2 × 2."""

    def cubic(distance):
        d = abs(distance)
        if d < 1:
            return 1.5 * d**3 - 2.5 * d**2 + 1
        return -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2 if d < 2 else 0.0

    rows, columns = values.shape
    out = np.full((len(row_positions), len(column_positions)), np.nan)
    for i, y in enumerate(row_positions):
        for j, x in enumerate(column_positions):
            top, left = min(int(y), max(rows - 2, 0)), min(int(x), max(columns - 2, 0))
            near = min(top + (y - top > 0.5), rows - 1), min(left + (x - left > 0.5), columns - 1)
            if not np.isfinite(values[near]):
                continue
            block = values[top - 1 : top + 3, left - 1 : left + 3] if top > 0 and left > 0 else np.empty((0, 0))
            if block.shape == (4, 4) and np.isfinite(block).all():
                out[i, j] = sum(
                    cubic(y - top - a + 1) * cubic(x - left - b + 1) * block[a, b] for a in range(4) for b in range(4)
                )
                continue
            total = weights = 0.0
            for a in (0, 1):
                for b in (0, 1):
                    point = values[min(top + a, rows - 1), min(left + b, columns - 1)]
                    weight = (1 - abs(y - top - a)) * (1 - abs(x - left - b))
                    if weight > 0 and np.isfinite(point):
                        total += weight * point
                        weights += weight
            out[i, j] = total / weights
    return out


def local_median(values, half, wanted):
    """Median of the valid points of a window."""
    out = np.full(values.shape, np.nan)
    for r in range(values.shape[0]):
        for c in range(values.shape[1]):
            if wanted[r, c] and np.isfinite(values[r, c]):
                window = values[max(0, r - half) : r + half + 1, max(0, c - half) : c + half + 1]
                out[r, c] = np.median(window[np.isfinite(window)])
    return out


def closed_path(gain, price, most_steps):
    """Best path over three turns, each step by trying every column."""
    directions, columns = gain.shape
    value, origins = list(gain[0]), []
    for k in range(1, 3 * directions):
        after, origin = [], []
        for c in range(columns):
            reach = [b for b in range(columns) if abs(b - c) <= most_steps]
            best = max(reach, key=lambda b: (value[b] - price * abs(b - c), -b))
            origin.append(best if value[best] > -np.inf else c)
            after.append(value[best] - price * abs(best - c) + gain[k % directions][c])
        value = after
        origins.append(origin)
    path = [max(range(columns), key=lambda c: (value[c], -c))]
    for origin in reversed(origins):
        path.append(origin[path[-1]])
    return np.array(path[::-1][directions : 2 * directions])
