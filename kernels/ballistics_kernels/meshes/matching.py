"""The best few of each row of a table of distances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel


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
def weighted_draws(weights: NDArray[np.float64], uniform: NDArray[np.float64]) -> NDArray[np.int64]:
    """Draw entries with chances that follow their weights.

    Parameters
    ----------
    weights : ndarray of float64, shape (m,)
        Not negative, finite, with a positive sum.
    uniform : ndarray of float64, shape (n, k)
        Random numbers in [0, 1).

    Returns
    -------
    ndarray of int64, shape (n, k)
        Entries; none of weight 0. Cost: m + n k.

    Notes
    -----
    Inversion with a guide table: Chen & Asau 1974, doi:10.1080/05695557408974949.
    """
    m = weights.size
    passed = np.empty(m, np.float64)
    total = 0.0
    for i in range(m):
        total += weights[i]
        passed[i] = total
    last = m - 1
    while last > 0 and weights[last] <= 0.0:
        last -= 1
    # Entry that the first number of each of m equal parts falls on.
    guide = np.empty(m, np.int64)
    at = 0
    for i in range(m):
        while at < last and passed[at] <= total * i / m:
            at += 1
        guide[i] = at
    out = np.empty(uniform.shape, np.int64)
    for i in range(uniform.shape[0]):
        for j in range(uniform.shape[1]):
            target = uniform[i, j] * total
            at = guide[min(int(uniform[i, j] * m), m - 1)]
            while at > 0 and passed[at - 1] > target:
                at -= 1
            while at < last and (passed[at] <= target or weights[at] <= 0.0):
                at += 1
            out[i, j] = at
    return out


@kernel
def capped_distances(
    rows: NDArray[np.float32], columns: NDArray[np.float32], missing: float, cap: float
) -> NDArray[np.float32]:
    """Return the mean over layers of squared distances between vectors, none counted for more than a cap.

    Parameters
    ----------
    rows : ndarray of float32, shape (layers, r, n)
        Whole numbers. A vector whose first value is ``missing`` is missing: it is at the cap from every other.
    columns : ndarray of float32, shape (layers, n, c)
        Whole numbers; vectors stand upright.
    missing, cap : float
        The cap is a whole number.

    Returns
    -------
    ndarray of float32, shape (r, c)
        Cost: layers × r × c × n.

    Notes
    -----
    |a − b|² = |a|² + |b|² − 2 a·b. Sums of whole numbers below 2^24 are exact, so the bytes do not depend on the order
    in which they are taken; up to n = 258 no sum of stored bytes is larger. Not a product of matrices: BLAS shares so
    little work out over threads that wait for each other, at up to seven times the CPU time on a machine in use.
    """
    layers, count, length = rows.shape
    width = columns.shape[2]
    out = np.zeros((count, width), np.float32)
    limit = np.float32(cap)
    missed = np.float32(2.0**30)
    # Two rows at a time: what is loaded of the columns is used twice.
    products = np.zeros((2, width), np.float32)
    for layer in range(layers):
        lengths = np.zeros(width, np.float32)
        for d in range(length):
            for c in range(width):
                lengths[c] += columns[layer, d, c] * columns[layer, d, c]
        for c in range(width):
            if columns[layer, 0, c] == missing:
                lengths[c] = missed
        for first in range(0, count, 2):
            second = min(first + 1, count - 1)
            products[:] = np.float32(0.0)
            for d in range(length):
                a = rows[layer, first, d]
                b = rows[layer, second, d]
                for c in range(width):
                    value = columns[layer, d, c]
                    products[0, c] += a * value
                    products[1, c] += b * value
            for k in range(second - first + 1):
                r = first + k
                own = np.float32(0.0)
                for d in range(length):
                    own += rows[layer, r, d] * rows[layer, r, d]
                if rows[layer, r, 0] == missing:
                    own = missed
                for c in range(width):
                    out[r, c] += min(own + lengths[c] - np.float32(2.0) * products[k, c], limit)
    return out / np.float32(layers)
