"""Plain twins of the comparison of impressed marks: correlation, cells, pose search, regular marks."""

from __future__ import annotations

import math

import numpy as np

from naive.filters import sample


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
            placed = np.full(b.shape, np.nan)
            for y in range(m):
                for x in range(n):
                    if 0 <= y + i - m + 1 < p and 0 <= x + j - n + 1 < q:
                        placed[y + i - m + 1, x + j - n + 1] = a[y, x]
            r, count = pearson(placed, b)
            overlaps[i, j] = count
            if count >= minimum:
                correlations[i, j] = r
    return correlations, overlaps


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


def correlations_from_half_sums(sum_ab, low, minimum, m, n):
    correlations, common = np.full((m, n), -2.0), np.zeros((m, n))
    for i in range(m):
        for j in range(n):
            around = [low[:, y, x] for y in (i // 2, (i + 1) // 2) for x in (j // 2, (j + 1) // 2)]
            count, a, b, aa, bb = np.mean(np.array(around, float), axis=0)
            common[i, j] = count
            if count < max(minimum, 2.0):
                continue
            variances = aa - a * a / count, bb - b * b / count
            if variances[0] > 1e-5 * aa and variances[1] > 1e-5 * bb:
                correlations[i, j] = (sum_ab[i, j] - a * b / count) / math.sqrt(variances[0] * variances[1])
    return correlations, common


def correlation_at(cell, other, y, x):
    n = cell.shape[0]
    placed = np.full(other.shape, np.nan)
    for i in range(n):
        for j in range(n):
            row, column = y - n // 2 + i, x - n // 2 + j
            if 0 <= row < other.shape[0] and 0 <= column < other.shape[1]:
                placed[row, column] = cell[i, j]
    return pearson(placed, other)


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


def match_cell(tiled, searched, centre_y, centre_x, half, grid_theta, place_y, place_x, theta, share, farthest, most):
    """Map (X, Y, m₀ to m₃) and correlation of one cell, each iteration by numpy's own least squares; None if lost."""
    points = []
    for i in range(tiled.shape[0]):
        for j in range(tiled.shape[1]):
            v, u = i - centre_y, j - centre_x
            across = np.cos(grid_theta) * u + np.sin(grid_theta) * v
            down = np.cos(grid_theta) * v - np.sin(grid_theta) * u
            if -half <= across < half and -half <= down < half and np.isfinite(tiled[i, j]):
                points.append((u, v, float(tiled[i, j])))

    def seen(m):
        """Heights of both marks, and slopes of the searched one, at every point that counts."""
        rows = []
        for u, v, height in points:
            x, y = m[0] + m[2] * u + m[3] * v, m[1] + m[4] * u + m[5] * v
            i, j = int(np.floor(y)), int(np.floor(x))
            if i < 0 or j < 0 or i + 1 >= searched.shape[0] or j + 1 >= searched.shape[1]:
                continue
            a, b, c, d = (float(searched[i + k, j + n]) for k in (0, 1) for n in (0, 1))
            if not np.isfinite([a, b, c, d]).all():
                continue
            fx, fy = x - j, y - i
            value = a * (1 - fx) * (1 - fy) + b * fx * (1 - fy) + c * (1 - fx) * fy + d * fx * fy
            slopes = (b - a) * (1 - fy) + (d - c) * fy, (c - a) * (1 - fx) + (d - b) * fx
            rows.append((u / half, v / half, height, value, *slopes))
        return np.array(rows) if len(rows) >= max(64, share * len(points)) else None

    if not np.isfinite([place_y, place_x, theta]).all():
        return None
    m = np.array([place_x, place_y, np.cos(theta), np.sin(theta), -np.sin(theta), np.cos(theta)])
    scale = 1.0
    for _ in range(most):
        rows = seen(m)
        if rows is None:
            return None
        u, v, height, value, sx, sy = rows.T
        one = np.ones_like(u)
        basis = np.stack([sx, sx * u, sx * v, sy, sy * u, sy * v, one / scale, value / scale], axis=1) * scale
        if np.linalg.matrix_rank(basis) < 8:
            return None
        step = np.linalg.lstsq(basis, height, rcond=None)[0]
        m = m + np.array([step[0], step[3], step[1] / half, step[2] / half, step[4] / half, step[5] / half])
        scale = step[7]
        moved = np.abs(step[:3]).sum(), np.abs(step[3:6]).sum()
        if scale <= 0 or np.hypot(m[0] - place_x, m[1] - place_y) > farthest or max(moved) > farthest:
            return None
        if max(moved) < 0.1:
            rows = seen(m)
            return None if rows is None else (m, np.corrcoef(rows[:, 2], rows[:, 3])[0, 1])
    return None


def cell_points(tiled, searched, cell, place, grid_theta, theta, side):
    rows = []
    for i in range(side):
        for j in range(side):
            down, across = i - (side - 1) / 2, j - (side - 1) / 2
            y = math.cos(grid_theta) * down + math.sin(grid_theta) * across
            x = math.cos(grid_theta) * across - math.sin(grid_theta) * down
            u = sample(tiled, cell[0] + y, cell[1] + x)
            v = sample(
                searched,
                place[0] + math.cos(theta) * y - math.sin(theta) * x,
                place[1] + math.sin(theta) * y + math.cos(theta) * x,
            )
            if math.isfinite(u + v):
                rows.append((y, x, u, v))
    points = np.array(rows).reshape(-1, 4)
    points[:, 2:] -= points[:, 2:].mean(axis=0) if len(points) else 0.0
    return points.T


def line_of(y, x, cos, sin, curvature):
    if curvature == 0:
        return cos * x + sin * y
    return (1 - math.hypot(cos - curvature * x, sin - curvature * y)) / curvature


def lines_taken_off(points, lines, per_point):
    """Both values less their means along each line, and the means themselves."""
    rest, means = points[2:].astype(float), np.zeros((2, points.shape[1]))
    number = [math.floor(line_of(y, x, *lines) * per_point + 0.5) for y, x in points[:2].T.astype(float)]
    for line in set(number):
        on = [k for k in range(len(number)) if number[k] == line]
        for values, mean in zip(rest, means, strict=True):
            mean[on] = sum(values[k] for k in on) / len(on)
    return rest - means, means


def middle_and_turn(heights):
    places = [(i, j) for i, j in np.ndindex(heights.shape) if np.isfinite(heights[i, j])]
    if not places:
        return 0, 0.0, 0.0, 0.0
    y, x = np.mean(places, axis=0)
    total = 0j
    for i, j in places:
        z = complex(j - x, y - i)
        if z != 0:
            total += float(heights[i, j]) ** 2 * (z / abs(z)) ** 4
    return len(places), y, x, np.angle(total) / 4


def count_in_cells(heights, middle_y, middle_x, cos, sin, side, n):
    counts = np.zeros((n, n), dtype=int)
    for i, j in np.ndindex(heights.shape):
        if np.isfinite(heights[i, j]):
            y, x = i - middle_y, j - middle_x
            for row in range(n):
                for column in range(n):
                    down = (cos * y - sin * x) / side - (row - n / 2)
                    across = (cos * x + sin * y) / side - (column - n / 2)
                    counts[row, column] += 0 <= down < 1 and 0 <= across < 1
    return counts


def pattern_search(score, base, steps, finest):
    def explored(base, value):
        for axis in range(3):
            for sign in (1.0, -1.0):
                trial = [x + sign * steps[axis] * (k == axis) for k, x in enumerate(base)]
                trial_value = score(*trial)
                if trial_value > value:
                    base, value = trial, trial_value
                    break
        return base, value

    best = score(*base)
    while steps[1] > finest:
        point, value = explored(base, best)
        if value <= best:
            steps = [step / 2 for step in steps]
            continue
        while value > best:
            further = [2 * p - b for p, b in zip(point, base, strict=True)]
            base, best = point, value
            point, value = explored(further, score(*further))
    return base, best


def agreement_at_shift(tiled, searched, centre_y, centre_x, half, cos, sin, shift_y, shift_x):
    """Common points, the cell's own, and for each band the correlation and evenness; one cell at one shift."""
    bands, rows, columns = tiled.shape
    common, own = [], 0
    for i in range(rows):
        for j in range(columns):
            y, x = i - centre_y, j - centre_x
            if not (-half <= cos * x + sin * y < half and -half <= cos * y - sin * x < half):
                continue
            if not math.isfinite(tiled[0, i, j]):
                continue
            own += 1
            k, m = i + shift_y, j + shift_x
            if 0 <= k < rows and 0 <= m < columns and math.isfinite(searched[0, k, m]):
                common.append((tiled[:, i, j].astype(float), searched[:, k, m].astype(float)))
    r, evenness = np.zeros(bands), np.zeros(bands)
    for band in range(bands):
        uu = sum(u[band] ** 2 for u, _ in common)
        vv = sum(v[band] ** 2 for _, v in common)
        uuvv = sum((u[band] * v[band]) ** 2 for u, v in common)
        if uu * vv > 0:
            r[band] = sum(u[band] * v[band] for u, v in common) / math.sqrt(uu * vv)
        if uuvv > 0:
            evenness[band] = uu * vv / (len(common) * uuvv)
    return len(common), own, r, evenness
