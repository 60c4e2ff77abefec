"""The closed path of largest gain across a band of directions, by dynamic programming."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel


@kernel
def closed_path(gain: NDArray[np.float64], price: float, most_steps: int) -> NDArray[np.int64]:
    """Return for each direction the column of the path with the largest gain less its unrest.

    Parameters
    ----------
    gain : ndarray of float64, shape (directions, columns)
        Gain of passing each column in each direction; -inf where the path may not pass. The last
        direction is followed by the first. NaN is not allowed.
    price : float
        Cost of moving by one column, 0 or more, in units of the gain.
    most_steps : int
        Largest move, in columns, between neighbouring directions.

    Returns
    -------
    ndarray of int64, shape (directions,)
        Of two equal moves the one to the smaller column is taken, of two equal ends the smaller.

    Notes
    -----
    Cost: 3 × directions × columns × (2 × most_steps + 1). The path is run over three turns and
    the middle one is kept: it knows neither where the path began nor where it ended.
    Source: dynamic programming (Bellman 1954, doi:10.1090/S0002-9904-1954-09848-8).
    """
    directions, columns = gain.shape
    length = 3 * directions
    came_from = np.zeros((length, columns), dtype=np.int64)
    value = gain[0].copy()
    after = np.empty(columns)
    for k in range(1, length):
        for c in range(columns):
            best = -np.inf
            origin = c
            for b in range(max(0, c - most_steps), min(columns, c + most_steps + 1)):
                candidate = value[b] - price * abs(b - c)
                if candidate > best:
                    best = candidate
                    origin = b
            came_from[k, c] = origin
            after[c] = best + gain[k % directions, c]
        value[:] = after
    column = 0
    for c in range(columns):
        if value[c] > value[column]:
            column = c
    path = np.zeros(directions, dtype=np.int64)
    for k in range(length - 1, directions - 1, -1):
        if k < 2 * directions:
            path[k - directions] = column
        column = came_from[k, column]
    return path
