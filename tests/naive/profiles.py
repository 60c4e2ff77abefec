"""Plain twins of the kernels for profiles: the same definition, loop for loop, with no regard for speed."""

from __future__ import annotations

import math

import numpy as np


def pearson(pairs):
    """Pearson's r of pairs of numbers; −2 when there are fewer than 3, or one side is flat."""
    if len(pairs) < 3:
        return -2.0
    u, v = np.array(pairs, dtype=np.float64).T
    u, v = u - u.mean(), v - v.mean()
    norm = math.sqrt(float(u @ u) * float(v @ v))
    return float(u @ v) / norm if norm > 1e-12 else -2.0


def common(a, b, lag):
    """Return the pairs of values that are finite in both, point j of b lying on point j + lag of a."""
    return [
        (float(a[j + lag]), float(b[j]))
        for j in range(len(b))
        if 0 <= j + lag < len(a) and math.isfinite(a[j + lag]) and math.isfinite(b[j])
    ]


def correlate_lags(a, b, first_lag, last_lag, minimum):
    correlations, counts = [], []
    for lag in range(first_lag, last_lag + 1):
        pairs = common(a, b, lag)
        counts.append(len(pairs))
        correlations.append(pearson(pairs) if len(pairs) >= minimum else -2.0)
    return np.array(correlations), np.array(counts, dtype=np.float64)


def valid_runs(values):
    runs, start = [], None
    for i, value in enumerate([*values, math.nan]):
        if math.isfinite(value) and start is None:
            start = i
        if not math.isfinite(value) and start is not None:
            runs.append((start, i))
            start = None
    return np.array(runs, dtype=np.int64).reshape(-1, 2)


def stretched(values, factor):
    n = len(values)
    out = {}
    for i in range(-4 * n - 4, 4 * n + 5):
        # Distance from the middle, on the grid: whole steps for odd n, half steps for even n.
        distance = i + (0.5 if n % 2 == 0 else 0.0)
        position = distance / factor + (n - 1) / 2
        if position < -1e-9 or position > n - 1 + 1e-9:
            continue
        nearest = round(position)
        if abs(position - nearest) < 1e-9:
            out[i] = values[nearest] if math.isfinite(values[nearest]) else math.nan
            continue
        left, part = math.floor(position), position - math.floor(position)
        value = (1 - part) * values[left] + part * values[left + 1]
        out[i] = value if math.isfinite(value) else math.nan
    return np.array([out[i] for i in sorted(out)])


def best_window_pair(a, b, length):
    best = (-1, -1, -2.0)
    for lag in range(length - len(b), len(a) - length + 1):
        for i in range(max(lag, 0), min(len(a), len(b) + lag) - length + 1):
            u, v = a[i : i + length], b[i - lag : i - lag + length]
            if np.isfinite(u).all() and np.isfinite(v).all():
                r = pearson(list(zip(u, v, strict=True)))
                if r > best[2] + 1e-12:
                    best = (i, i - lag, r)
    return best


def band_medians(heights, shifts, rows_per_band):
    rows, columns = heights.shape
    bands, left = divmod(rows, rows_per_band)
    bands += 2 * left >= rows_per_band
    medians, counts = np.full((bands, columns), np.nan), np.zeros((bands, columns), dtype=np.int64)
    for b in range(bands):
        members = range(b * rows_per_band, min((b + 1) * rows_per_band, rows))
        for c in range(columns):
            places = [(r, c + int(shifts[r])) for r in members]
            values = [heights[r, k] for r, k in places if 0 <= k < columns and math.isfinite(heights[r, k])]
            counts[b, c] = len(values)
            if values and 3 * len(values) >= len(members):
                medians[b, c] = float(np.median(values))
    return medians, counts


def first_stall(distance, heights, residuals, descent, limits):
    reach, drop, fall, rise, beyond, below = limits
    n = len(distance)
    for k in range(n):
        window = [j for j in range(k + 1, n) if distance[j] <= distance[k] + reach]
        far = [j for j in range(n) if distance[j] >= distance[k] + 0.5 * reach]
        if descent[k] * reach < fall or not far or not window or distance[-1] - distance[k] < beyond:
            continue
        stays = all(heights[j] >= heights[k] - drop for j in window)
        above = min(residuals[j] for j in far) - residuals[k] >= min(rise, 0.3 * descent[k] * reach)
        if stays and above and residuals[k] >= -below:
            return k
    return -1
