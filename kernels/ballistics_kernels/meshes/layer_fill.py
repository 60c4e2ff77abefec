"""Fills the layers of a print job: the tracks with their width, and the gaps of the infill between them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel

_INFILL = 1
_WALL = 2


@kernel
def _draw_track(
    covered: NDArray[np.uint8], x0: float, y0: float, x1: float, y1: float, radius: float, mark: int
) -> None:
    """Mark the pixels whose centres are within ``radius`` of a line, unless they bear a higher mark."""
    rows, columns = covered.shape
    dx, dy = x1 - x0, y1 - y0
    square = dx * dx + dy * dy
    top, bottom = max(min(y0, y1) - radius, 0.0), min(max(y0, y1) + radius, rows - 1.0)
    left, right = max(min(x0, x1) - radius, 0.0), min(max(x0, x1) + radius, columns - 1.0)
    length = np.sqrt(square)
    for i in range(int(np.ceil(top)), int(np.floor(bottom)) + 1):
        low, high = left, right
        if abs(dy) > 1e-9 * length:
            # The row meets the strip of the track only near where the line crosses it.
            middle = x0 + (i - y0) / dy * dx
            reach = radius * length / abs(dy)
            low, high = max(low, middle - reach), min(high, middle + reach)
        for j in range(int(np.ceil(low)), int(np.floor(high)) + 1):
            t = 0.0
            if square > 0.0:
                t = min(max(((j - x0) * dx + (i - y0) * dy) / square, 0.0), 1.0)
            ex, ey = x0 + t * dx - j, y0 + t * dy - i
            if ex * ex + ey * ey <= radius * radius:
                covered[i, j] = max(covered[i, j], mark)


@kernel
def _root(parent: NDArray[np.int64], run: int) -> int:
    """Return the first run of the area that a run belongs to, and shorten the way there."""
    while parent[run] != run:
        parent[run] = parent[parent[run]]
        run = parent[run]
    return run


@kernel
def _gaps(covered: NDArray[np.uint8], wall_share: float, narrow: float) -> None:
    """Mark as infill every enclosed empty area that is not a hole: see `fill_layers`."""
    rows, columns = covered.shape
    count = 0
    for i in range(rows):
        for j in range(columns):
            if covered[i, j] == 0 and (j == 0 or covered[i, j - 1] != 0):
                count += 1
    row = np.empty(count, np.int64)
    start = np.empty(count, np.int64)
    end = np.empty(count, np.int64)
    parent = np.arange(count)
    # Runs of empty pixels, joined with those of the row above that they touch; the first run of an area is its root.
    count = 0
    above = 0
    for i in range(rows):
        here = count
        j = 0
        while j < columns:
            if covered[i, j] != 0:
                j += 1
                continue
            row[count], start[count] = i, j
            while j < columns and covered[i, j] == 0:
                j += 1
            end[count] = j
            while above < here and end[above] <= start[count]:
                above += 1
            other = above
            while other < here and start[other] < end[count]:
                a, b = _root(parent, other), _root(parent, count)
                parent[max(a, b)] = min(a, b)
                other += 1
            count += 1
        above = here
    outside = np.zeros(count, np.bool_)
    area = np.zeros(count, np.int64)
    walls = np.zeros(count, np.int64)
    borders = np.zeros(count, np.int64)
    for run in range(count):
        if row[run] == 0 or row[run] == rows - 1 or start[run] == 0 or end[run] == columns:
            outside[_root(parent, run)] = True
    for run in range(count):
        root = _root(parent, run)
        if outside[root]:
            continue
        area[root] += end[run] - start[run]
        for mark in (covered[row[run], start[run] - 1], covered[row[run], end[run]]):
            borders[root] += 1
            walls[root] += mark == _WALL
        for j in range(start[run], end[run]):
            for i in (row[run] - 1, row[run] + 1):
                if covered[i, j] != 0:
                    borders[root] += 1
                    walls[root] += covered[i, j] == _WALL
    filled = np.zeros(count, np.bool_)
    for run in range(count):
        if not outside[run] and borders[run] > 0:
            filled[run] = walls[run] < wall_share * borders[run] or area[run] < narrow * borders[run]
    for run in range(count):
        if filled[_root(parent, run)]:
            for j in range(start[run], end[run]):
                covered[row[run], j] = _INFILL


@kernel
def fill_layers(
    tracks: NDArray[np.float64],
    walls: NDArray[np.bool_],
    bounds: NDArray[np.int64],
    rows: int,
    columns: int,
    factor: int,
    wall_share: float,
    narrow: float,
) -> NDArray[np.uint8]:
    """Fill every layer and count the covered pixels of each cell.

    An empty area that tracks enclose is a hole of the part where walls border it, and a gap of the infill where infill
    does. Slicers print all loops in one direction, so the direction tells nothing.

    Parameters
    ----------
    tracks : ndarray of float64, shape (n, 5)
        x and y of the start, x and y of the end, and half the width, in pixels; pixel centres lie at whole numbers.
        Sorted by layer; finite.
    walls : ndarray of bool, shape (n,)
        Whether each track is a wall (perimeter) rather than infill. Walls cover infill where both lie.
    bounds : ndarray of int64, shape (layers + 1,)
        The tracks of layer k are ``bounds[k]:bounds[k + 1]``.
    rows, columns : int
        Number of cells.
    factor : int, 1 to 15
        Pixels along each side of a cell.
    wall_share : float, 0 to 1
        An enclosed area of whose border pixels at least this share are walls is a hole, and stays empty.
    narrow : float
        An enclosed area with fewer pixels than this for each border pixel is a crack between tracks, and is filled.

    Returns
    -------
    ndarray of uint8, shape (layers, rows, columns)
        Covered pixels of each cell, 0 to ``factor ** 2``.

    Notes
    -----
    Areas by runs and union-find: He et al. 2008, doi:10.1109/TIP.2008.919369. Cost: pixels under the tracks, and all
    pixels of each layer a few times.
    """
    layers = bounds.size - 1
    out = np.zeros((layers, rows, columns), np.uint8)
    height, width = rows * factor, columns * factor
    covered = np.zeros((height, width), np.uint8)
    for layer in range(layers):
        covered[:] = 0
        for s in range(bounds[layer], bounds[layer + 1]):
            mark = _WALL if walls[s] else _INFILL
            _draw_track(covered, tracks[s, 0], tracks[s, 1], tracks[s, 2], tracks[s, 3], tracks[s, 4], mark)
        _gaps(covered, wall_share, narrow)
        for i in range(height):
            for j in range(width):
                if covered[i, j] != 0:
                    out[layer, i // factor, j // factor] += 1
    return out
