"""What two registered cells share as straight or circular lines: means along the lines, and what is left without them.

A regular manufacturing mark (milling, filing, turning) has one height along each of its lines. The orthogonal
projection of a cell on everything of that form is its mean along each line; the rest is the cell less those means.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel
from ballistics_kernels.impressions.turning import sample

# Every height is below this; a missing point of a padded map is above.
_VALID = np.float32(1e20)


@kernel
def cell_points(
    tiled: NDArray[np.float32],
    searched: NDArray[np.float32],
    cell: tuple[float, float],
    place: tuple[float, float],
    grid_theta: float,
    theta: float,
    side: int,
    out: NDArray[np.float32],
) -> int:
    """Sample both marks on the points of one cell, where both have a value, and centre the two to zero mean.

    Parameters
    ----------
    tiled, searched : ndarray of float32, shapes (m + 2, n + 2) and (p + 2, q + 2)
        From `turning.padded` with a border of one point.
    cell, place : tuple of float
        Row and column of the cell's centre on ``tiled`` and of its place on ``searched``, in points of the maps
        without their border.
    grid_theta : float
        Turn of the cell's sides against the axes of ``tiled``, in radians, clockwise as shown.
    theta : float
        Turn that leads from directions on ``tiled`` to directions on ``searched``, in radians, clockwise as shown.
    side : int
        Points along a side of the cell.
    out : ndarray of float32, shape (4, at least side²)
        Filled with row and column from the cell's centre along the axes of ``tiled``, and the two values.

    Returns
    -------
    int
        Number of points. Cost: 8 reads per point of the cell.
    """
    cos_g = math.cos(grid_theta)
    sin_g = math.sin(grid_theta)
    cos = math.cos(theta)
    sin = math.sin(theta)
    n = 0
    sum_u = 0.0
    sum_v = 0.0
    for i in range(side):
        down = i - 0.5 * (side - 1)
        for j in range(side):
            across = j - 0.5 * (side - 1)
            y = cos_g * down + sin_g * across
            x = cos_g * across - sin_g * down
            ty = cell[0] + y + 1.0
            tx = cell[1] + x + 1.0
            if ty < 0.0 or tx < 0.0 or ty >= tiled.shape[0] - 1.0 or tx >= tiled.shape[1] - 1.0:
                continue
            sy = place[0] + cos * y - sin * x + 1.0
            sx = place[1] + sin * y + cos * x + 1.0
            if sy < 0.0 or sx < 0.0 or sy >= searched.shape[0] - 1.0 or sx >= searched.shape[1] - 1.0:
                continue
            u = sample(tiled, ty, tx)
            v = sample(searched, sy, sx)
            if u < _VALID and v < _VALID:
                out[0, n] = y
                out[1, n] = x
                out[2, n] = u
                out[3, n] = v
                sum_u += u
                sum_v += v
                n += 1
    for k in range(n):
        out[2, k] -= sum_u / n
        out[3, k] -= sum_v / n
    return n


@kernel
def line_of(y: float, x: float, cos: float, sin: float, curvature: float) -> float:
    """Return how far across the lines a point lies, in points from the line through the cell's centre.

    Lines are straight with the normal ``(cos, sin)`` in (column, row), or, with a curvature in 1/points, circles
    whose centre lies ``1 / curvature`` along that normal.

    Parameters
    ----------
    y, x : float
        The point, from the cell's centre, in points.
    cos, sin : float
        Normal of the lines.
    curvature : float
        1/points, of either sign; 0 for straight lines.
    """
    across = cos * x + sin * y
    if curvature == 0.0:
        return across
    along = cos * y - sin * x
    # Distance from the centre, less the radius; written so that nothing cancels when the radius is long.
    bend = curvature * (along * along + across * across) - 2.0 * across
    return -bend / (1.0 + math.sqrt(max(1.0 + curvature * bend, 0.0)))


@kernel
def line_sums(
    points: NDArray[np.float32],
    n: int,
    stride: int,
    lines: tuple[float, float, float],
    per_point: float,
    sums: NDArray[np.float64],
) -> tuple[float, float, float]:
    """Return the energies of both values in their means along the lines, and the product of the two.

    Parameters
    ----------
    points : ndarray of float32, shape (4, at least n)
        As `cell_points` fills them.
    n, stride : int
        Number of points; every ``stride``-th is used.
    lines : tuple of float
        Normal (cos, sin) and curvature of the lines, as in `line_of`.
    per_point : float
        Number of lines for each point across.
    sums : ndarray of float64, shape (3, number of lines)
        Work space, wide enough for all lines; on return count and sums of both values for each line.

    Returns
    -------
    tuple of float
        Σ (Σu)²/m, Σ (Σv)²/m and Σ Σu Σv/m over the lines of m points: ⟨Pu, Pu⟩, ⟨Pv, Pv⟩, ⟨Pu, Pv⟩.
        Cost: one pass over the points.
    """
    last = sums.shape[1] - 1
    middle = 0.5 * last + 0.5
    sums[:] = 0.0
    for k in range(0, n, stride):
        line = int(line_of(points[0, k], points[1, k], *lines) * per_point + middle)
        line = min(max(line, 0), last)
        sums[0, line] += 1.0
        sums[1, line] += points[2, k]
        sums[2, line] += points[3, k]
    uu, vv, uv = 0.0, 0.0, 0.0
    for line in range(last + 1):
        m = sums[0, line]
        if m > 0.0:
            uu += sums[1, line] * sums[1, line] / m
            vv += sums[2, line] * sums[2, line] / m
            uv += sums[1, line] * sums[2, line] / m
    return uu, vv, uv


@kernel
def products_by_direction(
    points: NDArray[np.float32], n: int, stride: int, sums: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    """Write ⟨Pu, Pv⟩ of straight lines for normals spread evenly over half a turn, beginning at the column axis.

    Parameters
    ----------
    points, n, stride, sums
        As in `line_sums`; one line for each point across.
    out : ndarray of float64, shape (directions,)
        Cost: one pass over the points for each.
    """
    for k in range(out.size):
        theta = math.pi * k / out.size
        out[k] = line_sums(points, n, stride, (math.cos(theta), math.sin(theta), 0.0), 1.0, sums)[2]


@kernel
def take_lines_off(
    points: NDArray[np.float32],
    n: int,
    lines: tuple[float, float, float],
    per_point: float,
    sums: NDArray[np.float64],
) -> None:
    """Subtract from both values, in place, their means along the lines.

    Parameters
    ----------
    points : ndarray of float32, shape (4, at least n)
        As `cell_points` fills them; the last two rows are changed.
    n : int
        Number of points.
    lines : tuple of float
        Normal (cos, sin) and curvature of the lines, as in `line_of`.
    per_point : float
        Number of lines for each point across.
    sums : ndarray of float64, shape (3, number of lines)
        Work space, wide enough for all lines. Cost: 2 passes over the points.
    """
    line_sums(points, n, 1, lines, per_point, sums)
    last = sums.shape[1] - 1
    middle = 0.5 * last + 0.5
    for k in range(n):
        line = int(line_of(points[0, k], points[1, k], *lines) * per_point + middle)
        line = min(max(line, 0), last)
        points[2, k] -= sums[1, line] / sums[0, line]
        points[3, k] -= sums[2, line] / sums[0, line]


@kernel
def products(points: NDArray[np.float32], n: int) -> tuple[float, float, float]:
    """Return the sums of squares of both values, and of their product: ⟨u, u⟩, ⟨v, v⟩, ⟨u, v⟩."""
    uu, vv, uv = 0.0, 0.0, 0.0
    for k in range(n):
        u = float(points[2, k])
        v = float(points[3, k])
        uu += u * u
        vv += v * v
        uv += u * v
    return uu, vv, uv
