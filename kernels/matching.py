"""The best few of each row of a table of distances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kernels.accelerate import kernel


@kernel
def least_of_rows(table: NDArray[np.float32], count: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Find the smallest values of each row.

    Parameters
    ----------
    table : ndarray of float32, shape (rows, columns)
        NaN is never chosen.
    count : int
        How many of each row; at least 1.

    Returns
    -------
    columns : ndarray of int64, shape (rows, count)
        Smallest first, of equal ones the lower column; −1 where a row has fewer.
    values : ndarray of float32, shape (rows, count)
        Infinite where there is none. Cost: rows × columns.
    """
    columns = np.full((table.shape[0], count), -1, np.int64)
    values = np.full((table.shape[0], count), np.inf, np.float32)
    for i in range(table.shape[0]):
        for j in range(table.shape[1]):
            value = table[i, j]
            if value < values[i, count - 1]:
                place = count - 1
                while place > 0 and value < values[i, place - 1]:
                    values[i, place] = values[i, place - 1]
                    columns[i, place] = columns[i, place - 1]
                    place -= 1
                values[i, place] = value
                columns[i, place] = j
    return columns, values


@kernel
def capped_distances(
    rows: NDArray[np.float32], columns: NDArray[np.float32], missing: float, cap: float
) -> NDArray[np.float32]:
    """Return the mean over layers of squared distances between vectors, none counted for more than a cap.

    Parameters
    ----------
    rows : ndarray of float32, shape (layers, r, n)
        A vector whose first value is ``missing`` is missing: it is at the cap from every other.
    columns : ndarray of float32, shape (layers, n, c)
        Vectors stand upright: the innermost loop runs along them all.
    missing, cap : float

    Returns
    -------
    ndarray of float32, shape (r, c)
        Cost: layers × r × c × n.
    """
    layers, count, length = rows.shape
    width = columns.shape[2]
    out = np.zeros((count, width), np.float32)
    square = np.empty(width, np.float32)
    limit = np.float32(cap)
    share = np.float32(1.0 / layers)
    for layer in range(layers):
        for r in range(count):
            if rows[layer, r, 0] == missing:
                for c in range(width):
                    out[r, c] += limit * share
                continue
            square[:] = 0.0
            for d in range(length):
                value = rows[layer, r, d]
                for c in range(width):
                    off = columns[layer, d, c] - value
                    square[c] += off * off
            for c in range(width):
                if columns[layer, 0, c] == missing or square[c] > limit:
                    out[r, c] += limit * share
                else:
                    out[r, c] += square[c] * share
    return out
