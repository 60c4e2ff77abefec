"""Sampling a height map with missing points at turned and shifted positions.

Samples are taken from a *padded* map (`padded`): the heights with a border all around, `MISSING` where there is no
point. One array is read instead of heights and validity, and a sample between four valid points costs four reads.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel
from ballistics_kernels.impressions.correlation import NO_CORRELATION, pearson_from_sums

MISSING = np.float32(1e30)
"""What stands for a missing point in a padded map: a value, since NaN cannot be tested once computed with."""

# Every height is below this, and everything computed with a missing neighbour of any weight is above.
_VALID = np.float32(1e20)

# Unsigned, so that numba does not look for negative indices.
_NEXT = np.uint64(1)

# Points summed in float32 before they are added up in float64.
_BLOCK = 256


@kernel
def padded(heights: NDArray[np.float32], padding: int) -> NDArray[np.float32]:
    """Return the map with a border of ``padding`` missing points, and `MISSING` where it has none.

    Parameters
    ----------
    heights : ndarray of float32, shape (rows, columns)
        Absolute values below 1e20; NaN and infinities mark missing points.
    padding : int
        Width of the border, at least 1 for `sample`.
    """
    rows, columns = heights.shape
    out = np.full((rows + 2 * padding, columns + 2 * padding), MISSING, np.float32)
    for i in range(rows):
        for j in range(columns):
            value = heights[i, j]
            if np.isfinite(value):
                out[i + padding, j + padding] = value
    return out


@kernel
def split(heights: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the heights, 0 where missing, and 1 or 0 for valid or missing; both of the map's shape.

    NaN and infinities mark missing points. Cost: one pass.
    """
    values, valid = np.empty(heights.shape, np.float32), np.empty(heights.shape, np.float32)
    for i in range(heights.shape[0]):
        row, into, into_valid = heights[i], values[i], valid[i]
        for j in range(row.size):
            there = np.isfinite(row[j])
            into[j] = row[j] if there else np.float32(0)
            into_valid[j] = np.float32(1) if there else np.float32(0)
    return values, valid


@kernel
def _sample_of_valid(a: Any, b: Any, c: Any, d: Any, fy: Any, fx: Any) -> Any:
    """Interpolate in float32 from the valid ones of four neighbours; `MISSING` below half of the weight."""
    one = np.float32(1)
    weight = np.float32(0)
    total = np.float32(0)
    if a < _VALID:
        weight += (one - fy) * (one - fx)
        total += (one - fy) * (one - fx) * a
    if b < _VALID:
        weight += (one - fy) * fx
        total += (one - fy) * fx * b
    if c < _VALID:
        weight += fy * (one - fx)
        total += fy * (one - fx) * c
    if d < _VALID:
        weight += fy * fx
        total += fy * fx * d
    return total / weight if weight >= np.float32(0.5) else MISSING


@kernel
def interpolated(a: Any, b: Any, c: Any, d: Any, fy: Any, fx: Any) -> tuple[Any, Any]:
    """Return what `sample` interpolates from four neighbours, and whether there is a value.

    Without branches, so that a loop over many points is vectorised.

    Parameters
    ----------
    a, b, c, d : float32
        The neighbours: upper left, upper right, lower left, lower right; `MISSING` for a missing point.
    fy, fx : float32
        Position below and to the right of the upper left, 0 to 1.

    Returns
    -------
    value : float32
        0 where missing.
    valid : float32
        1 or 0.
    """
    zero = np.float32(0)
    one = np.float32(1)
    top = a + fx * (b - a)
    low = c + fx * (d - c)
    value = top + fy * (low - top)
    weight_a = (one - fy) * (one - fx) if a < _VALID else zero
    weight_b = (one - fy) * fx if b < _VALID else zero
    weight_c = fy * (one - fx) if c < _VALID else zero
    weight_d = fy * fx if d < _VALID else zero
    weight = (weight_a + weight_b) + (weight_c + weight_d)
    total = weight_a * a + weight_b * b + weight_c * c + weight_d * d
    good = weight >= np.float32(0.5)
    some = total / (weight if good else one)
    whole = max(max(a, b), max(c, d)) < _VALID
    return (value if whole else (some if good else zero)), (one if good else zero)


@kernel
def sample(heights: NDArray[np.float32], y: float, x: float) -> float:
    """Interpolate bilinearly at one position, from the valid ones of the four neighbours.

    The weights of the valid neighbours are normalised to 1; the result is missing when they hold less than half of the
    weight, so that a single dropout does not spread to its surroundings.

    Parameters
    ----------
    heights : ndarray of float32, shape (rows, columns)
        A padded map.
    y, x : float
        Position in points of the padded map, at least 0 and less than the last row and column.

    Returns
    -------
    float32
        `MISSING` (test with ``< 1e20``) where there is no value. Cost: 4 reads.
    """
    row = np.int32(y)
    column = np.int32(x)
    fy = np.float32(y - row)
    fx = np.float32(x - column)
    i = np.uint64(row)
    j = np.uint64(column)
    a = heights[i, j]
    b = heights[i, j + _NEXT]
    c = heights[i + _NEXT, j]
    d = heights[i + _NEXT, j + _NEXT]
    top = a + fx * (b - a)
    low = c + fx * (d - c)
    value = top + fy * (low - top)
    # A missing neighbour of no weight leaves no trace, unless it is subtracted from another.
    if max(max(a, b), max(c, d)) < _VALID:
        return value
    return _sample_of_valid(a, b, c, d, fy, fx)


@kernel
def turn_onto(
    heights: NDArray[np.float32],
    theta: float,
    shift_y: float,
    shift_x: float,
    out: NDArray[np.float32],
) -> None:
    """Turn a map about its centre by ``theta``, shift it, and sample it on the grid of ``out``.

    A point at ``(x, y)`` from the centre of ``heights`` comes to lie at
    ``(x cos θ − y sin θ + shift_x, x sin θ + y cos θ + shift_y)`` from the centre of ``out``.

    Parameters
    ----------
    heights : ndarray of float32, shape (rows, columns)
        NaN marks missing points.
    theta : float
        Angle in radians; clockwise as shown with row 0 on top.
    shift_y, shift_x : float
        Shift in points.
    out : ndarray of float32, shape (m, n)
        Filled with the turned map; NaN where there is none. Cost: 4 reads per point of ``out``.
    """
    bordered = padded(heights, 1)
    cos = math.cos(theta)
    sin = math.sin(theta)
    centre_y = 0.5 * (bordered.shape[0] - 1)
    centre_x = 0.5 * (bordered.shape[1] - 1)
    last_y = bordered.shape[0] - 1.0
    last_x = bordered.shape[1] - 1.0
    origin_y = 0.5 * (out.shape[0] - 1) + shift_y
    origin_x = 0.5 * (out.shape[1] - 1) + shift_x
    for i in range(out.shape[0]):
        from_y = cos * (i - origin_y) + centre_y
        from_x = sin * (i - origin_y) + centre_x
        row = out[i]
        for j in range(out.shape[1]):
            y = from_y - sin * (j - origin_x)
            x = from_x + cos * (j - origin_x)
            row[j] = np.nan
            if y >= 0.0 and x >= 0.0 and y < last_y and x < last_x:
                value = sample(bordered, y, x)
                if value < _VALID:
                    row[j] = value


@kernel
def turn_split(
    heights: NDArray[np.float32], theta: float, values: NDArray[np.float32], valid: NDArray[np.float32], side: int
) -> None:
    """Turn a map about its centre as `turn_onto` does, without shift, onto a square grid, as values and validity.

    Parameters
    ----------
    heights : ndarray of float32, shape (rows + 2, columns + 2)
        From `padded`, with a border of one point.
    theta : float
        Angle in radians, clockwise.
    values, valid : ndarray of float32, shape (at least side, at least side)
        Their first ``side`` rows and columns are filled: heights, 0 where missing, and 1 or 0 for valid or missing.
    side : int
        Rows and columns of the grid. Cost: 4 reads per point.
    """
    cos = math.cos(theta)
    sin = math.sin(theta)
    middle = 0.5 * (side - 1)
    centre_y = 0.5 * (heights.shape[0] - 1)
    centre_x = 0.5 * (heights.shape[1] - 1)
    last_y = heights.shape[0] - 1.0
    last_x = heights.shape[1] - 1.0
    for i in range(side):
        from_y = cos * (i - middle) + sin * middle + centre_y
        from_x = sin * (i - middle) - cos * middle + centre_x
        row = values[i]
        row_valid = valid[i]
        for j in range(side):
            y = from_y - sin * j
            x = from_x + cos * j
            row[j] = 0.0
            row_valid[j] = 0.0
            if y >= 0.0 and x >= 0.0 and y < last_y and x < last_x:
                value = sample(heights, y, x)
                if value < _VALID:
                    row[j] = value
                    row_valid[j] = 1.0


@kernel
def valid_points(heights: NDArray[np.float32]) -> NDArray[np.float32]:
    """List the valid points of a map, in reading order.

    Parameters
    ----------
    heights : ndarray of float32, shape (rows, columns)
        NaN marks missing points.

    Returns
    -------
    ndarray of float32, shape (3, n)
        Row and column from the centre of the map, in points, and value. Cost: two passes.
    """
    rows, columns = heights.shape
    n = 0
    for i in range(rows):
        for j in range(columns):
            if np.isfinite(heights[i, j]):
                n += 1
    out = np.empty((3, n), np.float32)
    n = 0
    for i in range(rows):
        for j in range(columns):
            if np.isfinite(heights[i, j]):
                out[0, n] = i - 0.5 * (rows - 1)
                out[1, n] = j - 0.5 * (columns - 1)
                out[2, n] = heights[i, j]
                n += 1
    return out


@kernel
def pearson_at_pose(
    points: NDArray[np.float32], heights: NDArray[np.float32], theta: float, shift_y: float, shift_x: float
) -> tuple[float, int]:
    """Return the correlation of A with B turned about its centre and shifted, over points valid in both.

    The pose is that of `turn_onto`; B is sampled at the points of A, as `sample` does. NaN with fewer than two common
    points or a flat map. Blocks of points are summed in float32, added up in float64; a pilot value is taken off each
    map first, so that an offset does not cost the digits of small heights.

    Parameters
    ----------
    points : ndarray of float32, shape (3, n)
        A, as `valid_points` lists it.
    heights : ndarray of float32, shape (rows + 2, columns + 2)
        B, from `padded` with a border of one point.
    theta, shift_y, shift_x : float
        Angle in radians, shifts in points. Cost: 4 reads of B per valid point of A.
    """
    cos = np.float32(math.cos(theta))
    sin = np.float32(math.sin(theta))
    # The centre of A comes from here on B.
    from_y = np.float32(0.5 * (heights.shape[0] - 1) - math.cos(theta) * shift_y + math.sin(theta) * shift_x)
    from_x = np.float32(0.5 * (heights.shape[1] - 1) - math.sin(theta) * shift_y - math.cos(theta) * shift_x)
    zero = np.float32(0)
    last_y = np.float32(heights.shape[0] - 1)
    last_x = np.float32(heights.shape[1] - 1)
    rows = points[0]
    columns = points[1]
    values = points[2]
    flat = heights.reshape(heights.size)
    width = np.uint64(heights.shape[1])
    step = np.int32(heights.shape[1])
    # Of one block: where the points come from, and the four neighbours there. Fetching them is the only thing that is
    # done point by point.
    places = np.empty(_BLOCK, np.int32)
    fy = np.empty(_BLOCK, np.float32)
    fx = np.empty(_BLOCK, np.float32)
    upper_left = np.empty(_BLOCK, np.float32)
    upper_right = np.empty(_BLOCK, np.float32)
    lower_left = np.empty(_BLOCK, np.float32)
    lower_right = np.empty(_BLOCK, np.float32)
    total = 0.0
    sum_a = 0.0
    sum_b = 0.0
    sum_aa = 0.0
    sum_bb = 0.0
    sum_ab = 0.0
    pilot_a = values[0] if values.size > 0 else zero
    pilot_b: Any = zero
    found = False
    for start in range(0, values.size, _BLOCK):
        size = min(_BLOCK, values.size - start)
        block_rows = rows[start : start + size]
        block_columns = columns[start : start + size]
        for k in range(size):
            y = cos * block_rows[k] - sin * block_columns[k] + from_y
            x = sin * block_rows[k] + cos * block_columns[k] + from_x
            inside = (y >= zero) & (x >= zero) & (y < last_y) & (x < last_x)
            # From outside, the corner of the border, which is missing.
            y = y if inside else zero
            x = x if inside else zero
            row = np.int32(y)
            column = np.int32(x)
            fy[k] = y - np.float32(row)
            fx[k] = x - np.float32(column)
            places[k] = row * step + column
        for k in range(size):
            place = np.uint64(places[k])
            upper_left[k] = flat[place]
            upper_right[k] = flat[place + _NEXT]
            lower_left[k] = flat[place + width]
            lower_right[k] = flat[place + width + _NEXT]
        if not found:
            for k in range(size):
                v, good = interpolated(upper_left[k], upper_right[k], lower_left[k], lower_right[k], fy[k], fx[k])
                if good > zero:
                    found = True
                    pilot_b = v
                    break
        block_values = values[start : start + size]
        n: Any = zero
        a: Any = zero
        b: Any = zero
        aa: Any = zero
        bb: Any = zero
        ab: Any = zero
        for k in range(size):
            v, good = interpolated(upper_left[k], upper_right[k], lower_left[k], lower_right[k], fy[k], fx[k])
            u = (block_values[k] - pilot_a) * good
            v = (v - pilot_b) * good
            n += good
            a += u
            b += v
            aa += u * u
            bb += v * v
            ab += u * v
        total += n
        sum_a += a
        sum_b += b
        sum_aa += aa
        sum_bb += bb
        sum_ab += ab
    count = int(total)
    if count < 2:
        return np.nan, count
    r = pearson_from_sums(float(count), sum_a, sum_b, sum_aa, sum_bb, sum_ab)
    return (r if r > NO_CORRELATION else np.nan), count
