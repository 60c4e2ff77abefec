"""Plain twins of every kernel: the same definition, loop for loop, with no regard for speed."""

from __future__ import annotations

import math

import numpy as np
from scipy.spatial.transform import Rotation

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


# --- least-squares matching -------------------------------------------------------------------------------------


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


# --- template scan: polar maps (kernels/polar.py), correlation at every rotation (kernels/polar_scan.py) ----------


def polar_samples(heights, centre_y, centre_x, ring_step, rings, angles):
    """Heights on rings, and where they are known; `heights` without a border, NaN where missing."""
    values, valid = np.zeros((2, rings, angles))
    for k in range(rings):
        for j in range(angles):
            phi = 2 * np.pi * j / angles
            value = sample(
                heights, centre_y + (k + 0.5) * ring_step * np.sin(phi), centre_x + (k + 0.5) * ring_step * np.cos(phi)
            )
            if np.isfinite(value):
                values[k, j], valid[k, j] = value, 1
    return values, valid


def angular_products(query, candidate, modes, n_modes):
    """Σ query · conj(candidate) over the coefficients of each mode; complex coefficients, their modes."""
    out = np.zeros(n_modes, complex)
    for q, c, m in zip(query, candidate, modes, strict=True):
        out[m] += q * np.conj(c)
    return out


def at_angles(spectrum, n):
    """Re X[0] + Σ 2 Re(X[m] exp(2πi m j / n)) at each of n angles."""
    out = np.zeros(n)
    for j in range(n):
        out[j] = spectrum[0].real
        for m in range(1, len(spectrum)):
            out[j] += 2 * (spectrum[m] * np.exp(2j * np.pi * m * j / n)).real
    return out


def scan_candidate(query, query_mask, candidate, candidate_mask, modes, mask_modes, n_modes, n_mask_modes, least):
    """Best value / √overlap over shifts and angles, its place, and the root mean square over the poses that count.

    `query` and `query_mask` have a row for each shift.
    """
    n, coarse = 2 * n_modes, 32
    best, where, squares, count = 0.0, -1, 0.0, 0
    for s in range(len(query)):
        overlap = at_angles(angular_products(query_mask[s], candidate_mask, mask_modes, n_mask_modes), coarse)
        values = at_angles(angular_products(query[s], candidate, modes, n_modes), n)
        per = n // coarse
        for j in range(n):
            # An overlap holds for the angles around its own: half of them before it, half from it on.
            area = overlap[((j // 2 + per // 4) // (per // 2)) % coarse]
            if area < least:
                continue
            z = values[j] / np.sqrt(area)
            squares += z * z
            count += 1
            if z > best:
                best, where = z, s * n + j
    return best, where, np.sqrt(squares / count) if count else 0.0


# --- regular marks ------------------------------------------------------------------------------------------------


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


# --- recognising printed parts --------------------------------------------------------------------------------------


def triangle_areas(vertices, faces):
    out = np.zeros(len(faces))
    for f, (i, j, k) in enumerate(faces):
        if np.isfinite(vertices[[i, j, k]]).all():
            out[f] = 0.5 * np.linalg.norm(np.cross(vertices[j] - vertices[i], vertices[k] - vertices[i]))
    return out


def points_on_triangles(vertices, faces, areas, uniform):
    ends = np.cumsum(areas)
    out = []
    for i, (a, b, c) in enumerate(uniform):
        target = (i + a) / len(uniform) * ends[-1]
        face = next(f for f in range(len(faces)) if areas[f] > 0 and (ends[f] > target or not areas[f + 1 :].any()))
        p, q, r = vertices[faces[face]]
        root = math.sqrt(b)
        out.append((1 - root) * p + root * (1 - c) * q + root * c * r)
    return np.array(out)


def even_order(points, distances, tries, limit):
    order, counts = [], []
    for distance, count in zip(distances, tries, strict=True):
        for p in range(count):
            if len(order) < limit and p not in order:
                apart = [((points[p] - points[q]) ** 2).sum() >= distance**2 for q in order]
                if all(apart):
                    order.append(p)
        counts.append(len(order))
    return np.array(order), np.array(counts)


def harmonics(x, y, z):
    """Real spherical harmonics from their definition by associated Legendre functions, mean square 1."""
    from scipy.special import assoc_legendre_p

    theta, phi = z, math.atan2(y, x)
    out = []
    for degree in range(7):
        for m in range(-degree, degree + 1):
            k = abs(m)
            norm = (2 * degree + 1) * math.factorial(degree - k) / math.factorial(degree + k)
            value = float(np.asarray(assoc_legendre_p(degree, k, theta)).ravel()[0]) * (-1) ** k * math.sqrt(norm)
            if m:
                value *= math.sqrt(2) * (math.cos(k * phi) if m > 0 else math.sin(k * phi))
            out.append(value)
    return np.array(out)


def ball_descriptor(points, centre, radius, least):
    sums = np.zeros((8, 49))
    count = 0
    for p in points:
        off = math.dist(p, centre)
        if off < radius:
            count += 1
            if off >= 1e-9 * radius:
                place = off / radius * 7
                inner = int(place)
                values = harmonics(*((p - centre) / off))
                sums[inner] += (1 - (place - inner)) * values
                sums[inner + 1] += (place - inner) * values
    if count < least:
        return np.zeros(91), count
    own, other = [], []
    for shell in range(7):
        for degree in range(7):
            part = slice(degree**2, (degree + 1) ** 2)
            own.append(math.sqrt((sums[shell, part] ** 2).sum()) / count)
            if shell < 6:
                product = float(sums[shell, part] @ sums[shell + 1, part])
                other.append(math.copysign(math.sqrt(abs(product)), product) / count)
    return np.array(own + other), count


def nearest_within(queries, points, reach):
    rows, distances = [], []
    for q in queries:
        best, found = reach, -1
        for p, point in enumerate(points):
            d = math.dist(q, point) if np.isfinite(q).all() else math.inf
            if d < best:
                best, found = d, p
        rows.append(found)
        distances.append(best if found >= 0 else math.inf)
    return np.array(rows), np.array(distances)


def normals_from_neighbours(points, reach):
    out = np.zeros((len(points), 3))
    for q, point in enumerate(points):
        offsets = np.array([p - point for p in points])
        weights = np.maximum(0.0, 1 - (offsets**2).sum(axis=1) / reach**2)
        if (weights > 0).sum() < 4:
            continue
        mean = (weights[:, None] * offsets).sum(axis=0) / weights.sum()
        moment = np.zeros((3, 3))
        for w, offset in zip(weights, offsets, strict=True):
            moment += w * np.outer(offset - mean, offset - mean)
        out[q] = np.linalg.eigh(moment)[1][:, 0]
    return out


def plane_equations(moved, points, normals, nearest, centre, pull):
    rows, right = [], []
    for q, p in enumerate(nearest):
        if p < 0:
            continue
        for direction, weight in ((normals[p], 1.0), *((axis, pull) for axis in np.eye(3))):
            arm = moved[q] - centre
            row = np.concatenate([np.cross(arm, direction), [arm @ direction], direction])
            rows.append(math.sqrt(weight) * row)
            right.append(math.sqrt(weight) * float((points[p] - moved[q]) @ direction))
    rows, right = np.array(rows).reshape(-1, 7), np.array(right)
    return rows.T @ rows, rows.T @ right


def counterparts(moving, moving_normals, pose, points, normals, reach, slack):
    places = moving @ pose[:, :3].T + pose[:, 3]
    rows, distances = nearest_within(places, points, reach)
    deviations, cosines = np.full(len(moving), math.inf), np.zeros(len(moving))
    for q, p in enumerate(rows):
        if p >= 0:
            across = abs(float((places[q] - points[p]) @ normals[p]))
            along = math.sqrt(max(distances[q] ** 2 - across**2, 0.0))
            turned = pose[:, :3] @ moving_normals[q]
            deviations[q] = max(across, along - slack)
            cosines[q] = abs(float(turned @ normals[p])) / abs(np.linalg.det(pose[:, :3])) ** (1 / 3)
    return rows, deviations, cosines


def register(moving, directions, pose, points, normals, reaches, least_cosine, pull, fewest):
    for reach in reaches:
        at = moving @ pose[:, :3].T + pose[:, 3]
        nearest, _ = nearest_within(at, points, reach)
        size = abs(np.linalg.det(pose[:, :3])) ** (1 / 3)
        cosines = ((directions @ pose[:, :3].T) * normals[nearest]).sum(axis=1) / size
        nearest = np.where(np.abs(cosines) >= least_cosine, nearest, -1)
        if (nearest >= 0).sum() < fewest:
            break
        centre = at[nearest >= 0].mean(axis=0)
        matrix, right = plane_equations(at, points, normals, nearest, centre, pull)
        solution = np.linalg.solve(matrix + 1e-9 * np.trace(matrix) * np.eye(7), right)
        turn = Rotation.from_rotvec(solution[:3]).as_matrix() * math.exp(min(max(solution[3], -0.1), 0.1))
        pose = np.column_stack([turn @ pose[:, :3], turn @ (pose[:, 3] - centre) + centre + solution[4:]])
    return pose


def similarity_score(similarity, sources, targets, source_normals, target_normals, weights, tolerance, least_cosine):
    total = 0.0
    size = abs(np.linalg.det(similarity[:, :3])) ** (1 / 3)
    for source, target, normal, other, weight in zip(
        sources, targets, source_normals, target_normals, weights, strict=True
    ):
        off = similarity[:, :3] @ source + similarity[:, 3] - target
        if abs(similarity[:, :3] @ normal @ other) >= least_cosine * size:
            total += weight * max(0.0, 1 - float(off @ off) / tolerance**2)
    return total


def scale_votes(
    neighbours, distances, query_steps, query_weights, radius_steps, balls, references, lowest, bins, floor
):
    votes = np.zeros((references, bins))
    for q, row in enumerate(neighbours):
        there = [n for n in range(len(row)) if row[n] >= 0]
        seen = set()
        for n in there[:-1]:
            reference, radius = divmod(int(row[n]) // balls, len(radius_steps))
            if reference in seen:
                continue
            seen.add(reference)
            b = radius_steps[radius] - query_steps[q] - lowest
            if 0 <= b < bins:
                ratio = (float(distances[q, there[-1]]) + floor) / (float(distances[q, n]) + floor)
                votes[reference, b] += query_weights[q] * math.log(ratio)
    return votes


def matches_by_reference(
    neighbours, distances, query_balls, query_steps, query_weights, radius_steps, balls, places, steps, floor, most
):
    """A dictionary per place: (query ball, stored ball) -> weight, the heaviest."""
    found = [{} for _ in steps]
    for q, row in enumerate(neighbours):
        there = [n for n in range(len(row)) if row[n] >= 0]
        for n in there[:-1]:
            reference, radius = divmod(int(row[n]) // balls, len(radius_steps))
            p = places[reference]
            if p < 0 or abs(radius_steps[radius] - query_steps[q] - steps[p]) > 1:
                continue
            near, last = float(distances[q, n]), float(distances[q, there[-1]])
            if near < last:
                pair = int(query_balls[q]), int(row[n]) % balls
                vote = query_weights[q] * math.log((last + floor) / (near + floor))
                found[p][pair] = found[p].get(pair, 0.0) + vote
    return [dict(sorted(sorted(own.items()), key=lambda one: -one[1])[:most]) for own in found]


def agreeing_pairs(matches, query_points, stored_points, scales, tolerances, shortest, slack):
    """``matches`` is a list of lists of (query ball, stored ball, weight)."""
    out = []
    for p, own in enumerate(matches):
        agreed = 0.0
        for i, (a, b, weight) in enumerate(own):
            for c, d, other in own[:i]:
                there = scales[p] * math.dist(query_points[a], query_points[c])
                here = math.dist(stored_points[p][b], stored_points[p][d])
                near_enough = abs(there - here) <= tolerances[p] + slack * there
                if there >= shortest[p] and here >= shortest[p] and near_enough:
                    agreed += weight * other
        out.append(agreed / sum(weight for _, _, weight in own) if own else 0.0)
    return out


# --- reading printed parts: vertex_merging.py, surface_moments.py, rasterise.py, layer_fill.py, surface_nets.py -----


def merge_vertices(rows):
    first, number, seen = [], [], {}
    for i, row in enumerate(map(tuple, rows.tolist())):
        if row not in seen:
            seen[row] = len(first)
            first.append(i)
        number.append(seen[row])
    return first, number


def area_and_centroid(vertices, faces):
    area, moment, volume = 0.0, np.zeros(3), 0.0
    for a, b, c in vertices[faces]:
        n = np.cross(b - a, c - a)
        share = math.sqrt(n @ n) / 2
        area += share
        moment += share * (a + b + c) / 3
        volume += (a - vertices[0]) @ n / 6
    return area, moment / area if area else np.zeros(3), volume


def surface_moments(vertices, faces, centre):
    """Exact integrals of products of barycentric coordinates: 2 A a! b! c! / (a + b + c + 2)!."""
    second, third, normals = np.zeros((3, 3)), np.zeros((3, 3, 3)), np.zeros((3, 3))
    pull, scalars = np.zeros(3), [0.0] * 3
    for face in faces:
        p = vertices[face] - centre
        n = np.cross(p[1] - p[0], p[2] - p[0])
        length = math.sqrt(n @ n)
        if length == 0:
            continue
        n = n / length
        normals += length / 2 * np.outer(n, n)
        scalars[2] += length / 2 * (n @ p[0]) ** 2

        def integral(corners, length=length):
            powers = [corners.count(k) for k in range(3)]
            return length * math.prod(map(math.factorial, powers)) / math.factorial(sum(powers) + 2)

        dot = p @ p.T
        for i, j in np.ndindex(3, 3):
            second += integral((i, j)) * np.outer(p[i], p[j])
            pull += integral((i, j)) * dot[i, j] * (n @ p[0]) * n
            for k in range(3):
                third += integral((i, j, k)) * np.einsum("a,b,c->abc", p[i], p[j], p[k])
            for k, m in np.ndindex(3, 3):
                scalars[0] += integral((i, j, k, m)) * dot[i, j] * dot[k, m]
                for q, r in np.ndindex(3, 3):
                    scalars[1] += integral((i, j, k, m, q, r)) * dot[i, j] * dot[k, m] * dot[q, r]
    return second, third, normals, pull, np.array(scalars)


def rasterise(points, faces, rows, columns):
    seen, nearness = np.full((rows, columns), -1), np.full((rows, columns), -np.inf)
    for f, face in enumerate(faces):
        (ax, ay, az), (bx, by, bz), (cx, cy, cz) = points[face]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if not np.isfinite(points[face]).all() or area == 0:
            continue
        for i in range(rows):
            for j in range(columns):
                u = ((bx - j) * (cy - i) - (by - i) * (cx - j)) / area
                v = ((cx - j) * (ay - i) - (cy - i) * (ax - j)) / area
                w = ((ax - j) * (by - i) - (ay - i) * (bx - j)) / area
                near = u * az + v * bz + w * cz
                if min(u, v, w) >= 0 and near > nearness[i, j]:
                    seen[i, j], nearness[i, j] = f, near
    return seen, nearness


def fill_layers(tracks, walls, bounds, rows, columns, factor, wall_share, narrow):
    layers = []
    for layer in range(len(bounds) - 1):
        covered = np.zeros((rows * factor, columns * factor), int)
        for s in range(bounds[layer], bounds[layer + 1]):
            start, end, radius = tracks[s, 0:2], tracks[s, 2:4], tracks[s, 4]
            along = end - start
            for i, j in np.ndindex(covered.shape):
                here = np.array([j, i], float)
                t = min(max((here - start) @ along / (along @ along), 0), 1) if along @ along else 0.0
                off = start + t * along - here
                if off @ off <= radius * radius:
                    covered[i, j] = max(covered[i, j], 2 if walls[s] else 1)
        for area in _empty_areas(covered):
            borders = []
            for i, j in area:
                near = [(i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)]
                for a, b in near:
                    inside = 0 <= a < covered.shape[0] and 0 <= b < covered.shape[1]
                    borders.append(covered[a, b] if inside else -1)
            if -1 in borders:
                continue
            borders = [mark for mark in borders if mark > 0]
            share = sum(mark == 2 for mark in borders) / len(borders)
            if share < wall_share or len(area) < narrow * len(borders):
                for place in area:
                    covered[place] = 9
        blocks = (covered > 0).reshape(rows, factor, columns, factor)
        layers.append(blocks.sum(axis=(1, 3)))
    return np.array(layers)


def _empty_areas(covered):
    left = {tuple(place) for place in np.argwhere(covered == 0).tolist()}
    areas = []
    while left:
        waiting, area = [left.pop()], []
        while waiting:
            i, j = waiting.pop()
            area.append((i, j))
            for near in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
                if near in left:
                    left.remove(near)
                    waiting.append(near)
        areas.append(area)
    return areas


def surface_nets(field, level, heights, spacing):
    """Return the triangles as corners, each beginning at its smallest corner."""
    positions = {}
    for cell in np.ndindex(*(n - 1 for n in field.shape)):
        cuts = []
        for axis in range(3):
            for a, b in np.ndindex(2, 2):
                start = list(cell)
                start[(axis + 1) % 3] += a
                start[(axis + 2) % 3] += b
                end = list(start)
                end[axis] += 1
                low, high = float(field[tuple(start)]), float(field[tuple(end)])
                if (low > level) != (high > level):
                    t = (level - low) / (high - low)
                    cuts.append([s + t * (e - s) for s, e in zip(start, end, strict=True)])
        if cuts:
            k, i, j = np.mean(cuts, axis=0)
            below = cell[0]
            z = heights[below] + (k - below) * (heights[below + 1] - heights[below])
            positions[cell] = (j * spacing, i * spacing, z)
    triangles = []
    for start in np.ndindex(*field.shape):
        for axis in range(3):
            end = list(start)
            end[axis] += 1
            others = [a for a in range(3) if a != axis]
            if end[axis] >= field.shape[axis] or any(start[a] in (0, field.shape[a] - 1) for a in others):
                continue
            here, there = field[start] > level, field[tuple(end)] > level
            if here == there:
                continue
            ring = []
            for a, b in ((-1, -1), (-1, 0), (0, 0), (0, -1)):
                cell = list(start)
                cell[others[0]] += a
                cell[others[1]] += b
                ring.append(positions[tuple(cell)])
            outwards = np.zeros(3)
            outwards[2 - axis] = 1.0 if here else -1.0
            area = np.cross(np.subtract(ring[2], ring[0]), np.subtract(ring[3], ring[1]))
            if area @ outwards < 0:
                ring = [ring[0], ring[3], ring[2], ring[1]]
            triangles.append(ring)
    return triangles


def least_of_rows(table, count):
    columns, values = np.full((len(table), count), -1), np.full((len(table), count), np.inf)
    for i, row in enumerate(table):
        good = sorted((float(v), j) for j, v in enumerate(row) if v < np.inf)[:count]
        for k, (value, j) in enumerate(good):
            columns[i, k], values[i, k] = j, value
    return columns, values


def weighted_draws(weights, uniform):
    out = np.zeros(uniform.shape, dtype=int)
    passed = np.cumsum(weights)
    for i, row in enumerate(uniform):
        for j, u in enumerate(row):
            target = u * passed[-1]
            out[i, j] = next((k for k, p in enumerate(passed) if p > target), np.flatnonzero(weights)[-1])
    return out


def capped_distances(rows, columns, missing, cap):
    layers, count, _ = rows.shape
    out = np.zeros((count, columns.shape[2]))
    for layer in range(layers):
        for r in range(count):
            for c in range(columns.shape[2]):
                a, b = rows[layer, r], columns[layer, :, c]
                gone = a[0] == missing or b[0] == missing
                out[r, c] += cap if gone else min(cap, float(((a.astype(float) - b) ** 2).sum()))
    return out / layers


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


# --- cells at the registered pose ---------------------------------------------------------------------------------


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
