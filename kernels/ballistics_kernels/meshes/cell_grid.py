"""Points sorted into cubic cells, to find the near ones without looking at all."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel


@kernel
def cell_shape(points: NDArray[np.float64], cell: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the lowest corner of the points and the number of cells along each axis that holds them all.

    Parameters
    ----------
    points : ndarray of float64, shape (n, 3)
        Finite; n ≥ 1.
    cell : float
        Side of a cell, positive, in the unit of the points. The caller sees to it that the number of cells,
        (extent / cell + 1)³, fits into memory.
    """
    low = np.empty(3, np.float64)
    shape = np.empty(3, np.int64)
    for k in range(3):
        least = points[0, k]
        most = points[0, k]
        for i in range(points.shape[0]):
            if points[i, k] < least:
                least = points[i, k]
            if points[i, k] > most:
                most = points[i, k]
        low[k] = least
        shape[k] = int((most - least) / cell) + 1
    return low, shape


@kernel
def place_in_cells(
    x: float,
    y: float,
    z: float,
    origin: NDArray[np.float64],
    shape: NDArray[np.int64],
    cell: float,
    where: NDArray[np.int64],
) -> int:
    """Return the flat number of the cell that a point lies in.

    Parameters
    ----------
    x, y, z : float
        The point, finite; one outside the grid gets the nearest cell.
    origin : ndarray of float64, shape (3,)
        Lowest corner of the grid.
    shape : ndarray of int64, shape (3,)
        Cells along each axis.
    cell : float
        Side of a cell, positive.
    where : ndarray of int64, shape (3,)
        Filled with the number of the cell along each axis.

    Returns
    -------
    int
        In C order.
    """
    where[0] = min(max(int((x - origin[0]) / cell), 0), shape[0] - 1)
    where[1] = min(max(int((y - origin[1]) / cell), 0), shape[1] - 1)
    where[2] = min(max(int((z - origin[2]) / cell), 0), shape[2] - 1)
    return (where[0] * shape[1] + where[1]) * shape[2] + where[2]


@kernel
def sort_into_cells(
    points: NDArray[np.float64], cell: float
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Sort points into cubic cells (counting sort).

    Parameters
    ----------
    points : ndarray of float64, shape (n, 3)
        Finite; n ≥ 1.
    cell : float
        Side of a cell, positive.

    Returns
    -------
    origin : ndarray of float64, shape (3,)
        Lowest corner of the grid.
    shape : ndarray of int64, shape (3,)
        Cells along each axis.
    starts : ndarray of int64, shape (cells + 1,)
        Where each cell begins in ``rows``; cells in C order.
    rows : ndarray of int64, shape (n,)
        Rows of ``points``, cell by cell, rising within a cell. Cost: n + cells.
    """
    origin, shape = cell_shape(points, cell)
    n = points.shape[0]
    starts = np.zeros(shape[0] * shape[1] * shape[2] + 1, np.int64)
    cells = np.empty(n, np.int64)
    where = np.empty(3, np.int64)
    for i in range(n):
        cells[i] = place_in_cells(points[i, 0], points[i, 1], points[i, 2], origin, shape, cell, where)
        starts[cells[i] + 1] += 1
    for c in range(starts.size - 1):
        starts[c + 1] += starts[c]
    filled = starts[:-1].copy()
    rows = np.empty(n, np.int64)
    for i in range(n):
        rows[filled[cells[i]]] = i
        filled[cells[i]] += 1
    return origin, shape, starts, rows
