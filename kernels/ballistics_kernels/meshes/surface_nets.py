"""The surface of a solid given as values on a grid: a vertex in each mixed cell, two triangles at each edge cut."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel


@kernel
def surface_nets(
    field: NDArray[np.uint8], level: float, heights: NDArray[np.float64], spacing: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the surface where values on a grid pass a level.

    Parameters
    ----------
    field : ndarray of uint8, shape (layers, rows, columns)
        Values at the grid points; larger than ``level`` inside. Its outermost points must be outside, or the surface
        is open there.
    level : float
        Not a whole number, so that no value lies on it.
    heights : ndarray of float64, shape (layers,)
        z of each layer, rising.
    spacing : float
        Distance between rows (along y) and columns (along x), from 0.

    Returns
    -------
    vertices : ndarray of float64, shape (n, 3)
        x, y, z: the mean of the points where the edges of a cell are cut.
    faces : ndarray of int64, shape (m, 3)
        They look outwards; every edge has an even number of faces when the surface is closed.

    Notes
    -----
    Gibson 1998, doi:10.1007/BFb0056277, without the smoothing. Cost: all grid points twice; 4 bytes for each.
    """
    layers, rows, columns = field.shape
    number = np.full((layers, rows, columns), -1, np.int32)
    cells = 0
    quads = 0
    for k in range(layers - 1):
        for i in range(rows - 1):
            for j in range(columns - 1):
                inside = 0
                for c in range(8):
                    if field[k + (c >> 2), i + ((c >> 1) & 1), j + (c & 1)] > level:
                        inside += 1
                if 0 < inside < 8:
                    number[k, i, j] = cells
                    cells += 1
    vertices = np.empty((cells, 3), np.float64)
    for k in range(layers - 1):
        for i in range(rows - 1):
            for j in range(columns - 1):
                if number[k, i, j] < 0:
                    continue
                x, y, z, count = 0.0, 0.0, 0.0, 0
                for c in range(8):
                    for axis in range(3):
                        bit = 1 << axis
                        if c & bit:
                            continue
                        d = c | bit
                        a = float(field[k + (c >> 2), i + ((c >> 1) & 1), j + (c & 1)])
                        b = float(field[k + (d >> 2), i + ((d >> 1) & 1), j + (d & 1)])
                        if (a > level) == (b > level):
                            continue
                        t = (level - a) / (b - a)
                        x += (c & 1) + (t if axis == 0 else 0.0)
                        y += ((c >> 1) & 1) + (t if axis == 1 else 0.0)
                        z += (c >> 2) + (t if axis == 2 else 0.0)
                        count += 1
                v = number[k, i, j]
                vertices[v, 0] = (j + x / count) * spacing
                vertices[v, 1] = (i + y / count) * spacing
                vertices[v, 2] = heights[k] + z / count * (heights[k + 1] - heights[k])
    for counting in range(2):
        if counting == 1:
            faces = np.empty((2 * quads, 3), np.int64)
            quads = 0
        for k in range(layers - 1):
            for i in range(rows - 1):
                for j in range(columns - 1):
                    here = field[k, i, j] > level
                    for axis in range(3):
                        # An edge in the outermost grid has not four cells around it.
                        if (k == 0 and axis != 2) or (i == 0 and axis != 1) or (j == 0 and axis != 0):
                            continue
                        if axis == 0:
                            there = field[k, i, j + 1] > level
                        elif axis == 1:
                            there = field[k, i + 1, j] > level
                        else:
                            there = field[k + 1, i, j] > level
                        if here == there:
                            continue
                        if counting == 1:
                            # The four cells around the edge, counter-clockwise seen from its far end.
                            if axis == 0:
                                a, b = number[k - 1, i - 1, j], number[k - 1, i, j]
                                c, d = number[k, i, j], number[k, i - 1, j]
                            elif axis == 1:
                                a, b = number[k - 1, i, j - 1], number[k, i, j - 1]
                                c, d = number[k, i, j], number[k - 1, i, j]
                            else:
                                a, b = number[k, i - 1, j - 1], number[k, i - 1, j]
                                c, d = number[k, i, j], number[k, i, j - 1]
                            if there:
                                b, d = d, b
                            faces[2 * quads, 0], faces[2 * quads, 1], faces[2 * quads, 2] = a, b, c
                            faces[2 * quads + 1, 0], faces[2 * quads + 1, 1], faces[2 * quads + 1, 2] = a, c, d
                        quads += 1
    return vertices, faces
