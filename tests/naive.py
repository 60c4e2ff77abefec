"""Plain twins of every kernel: the same definition, loop for loop, with no regard for speed."""

from __future__ import annotations

import math

import numpy as np

# --- decimation, turning, correlation -----------------------------------------------------------------------------


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


def pearson(a, b):
    pairs = [(float(u), float(v)) for u, v in zip(a.ravel(), b.ravel(), strict=True) if math.isfinite(u + v)]
    if len(pairs) < 2:
        return math.nan, len(pairs)
    u, v = np.array(pairs).T
    u, v = u - u.mean(), v - v.mean()
    norm = math.sqrt((u @ u) * (v @ v))
    return (float(u @ v) / norm if norm > 0 else math.nan), len(pairs)


def masked_ncc(a, b, minimum):
    (m, n), (p, q) = a.shape, b.shape
    correlations, overlaps = np.full((m + p - 1, n + q - 1), np.nan), np.zeros((m + p - 1, n + q - 1))
    for i in range(m + p - 1):
        for j in range(n + q - 1):
            laid = np.full(b.shape, np.nan)
            for y in range(m):
                for x in range(n):
                    if 0 <= y + i - m + 1 < p and 0 <= x + j - n + 1 < q:
                        laid[y + i - m + 1, x + j - n + 1] = a[y, x]
            r, count = pearson(laid, b)
            overlaps[i, j] = count
            if count >= minimum:
                correlations[i, j] = r
    return correlations, overlaps


# --- cell search --------------------------------------------------------------------------------------------------


def turn_cell(heights, centre_y, centre_x, half, theta, n, grid_theta=0.0):
    out = np.full((n, n), np.nan)
    for i in range(n):
        for j in range(n):
            y, x = i - n // 2, j - n // 2
            u = math.cos(theta) * x - math.sin(theta) * y
            v = math.sin(theta) * x + math.cos(theta) * y
            # Along the sides of the cell, which are turned against the axes of the mark.
            across = math.cos(grid_theta) * u + math.sin(grid_theta) * v
            down = math.cos(grid_theta) * v - math.sin(grid_theta) * u
            if -half <= across < half and -half <= down < half:
                out[i, j] = sample(heights, v + centre_y, u + centre_x)
    return out


def correlation_at(cell, other, y, x):
    n = cell.shape[0]
    laid = np.full(other.shape, np.nan)
    for i in range(n):
        for j in range(n):
            row, column = y - n // 2 + i, x - n // 2 + j
            if 0 <= row < other.shape[0] and 0 <= column < other.shape[1]:
                laid[row, column] = cell[i, j]
    return pearson(laid, other)


def peaks(scores, centre_i, centre_j, reach, k):
    found = []
    m, n = scores.shape
    for i in range(m):
        for j in range(n):
            if abs(i - centre_i) > reach or abs(j - centre_j) > reach or scores[i, j] <= -2:
                continue
            around = [
                (-scores[y, x], y, x)
                for y in range(max(0, i - 1), min(m, i + 2))
                for x in range(max(0, j - 1), min(n, j + 2))
            ]
            if min(around)[1:] == (i, j):
                found.append((-scores[i, j], i, j))
    return [place[1:] for place in sorted(found)[:k]]


def rigid_consensus(from_x, from_y, to_x, to_y, turns, distance, angle):
    source, target = from_x + 1j * from_y, to_x + 1j * to_y
    best = (0, -math.inf, None)
    for i in range(len(source)):
        for j in range(i + 1, len(source)):
            turn = np.angle((target[j] - target[i]) / (source[j] - source[i]))
            shift = (target[i] + target[j]) / 2 - (source[i] + source[j]) / 2 * np.exp(1j * turn)
            off = np.abs(source * np.exp(1j * turn) + shift - target)
            turned = np.abs(np.angle(np.exp(1j * (turns - turn))))
            inliers = (off <= distance) & (turned <= angle)
            if inliers.any():
                residual = np.mean(off[inliers] / distance + turned[inliers] / angle)
                if (inliers.sum(), -residual) > best[:2]:
                    best = (inliers.sum(), -residual, inliers)
    return best[2] if best[2] is not None else np.zeros(len(source), bool)


# ---- filters, resampling, spikes, paths (kernels/filters.py, resampling.py, spikes.py, paths.py) ----


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
