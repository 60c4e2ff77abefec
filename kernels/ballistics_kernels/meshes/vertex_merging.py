"""Finds equal vertices of a mesh by a hash table, in the order of their first use."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel

# Mean steps per vertex that a table at most half full needs are below 2; far more means made-up collisions.
_MOST_STEPS = 64


@kernel
def merge_vertices(bits: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64], bool]:
    """Number the distinct rows of an array.

    Parameters
    ----------
    bits : ndarray of uint64, shape (n, 3)
        The coordinates' bit patterns, zeros positive; equal numbers have equal bits, and NaN must not occur.

    Returns
    -------
    first : ndarray of int64, shape (distinct,)
        The first row of each value, rising.
    number : ndarray of int64, shape (n,)
        Which of them each row is.
    good : bool
        False when the table degenerated (a file made to collide): the other two are then to be ignored.

    Notes
    -----
    Open addressing with the mixing function of splitmix64 (Steele, Lea & Flood 2014, doi:10.1145/2714064.2660195).
    Cost: n, and 16 to 32 bytes per row.
    """
    n = bits.shape[0]
    size = 16
    while size < 2 * n:
        size *= 2
    mask = np.uint64(size - 1)
    table = np.full(size, -1, np.int64)
    first = np.empty(n, np.int64)
    number = np.empty(n, np.int64)
    distinct = 0
    steps = 0
    for i in range(n):
        h = np.uint64(0x9E3779B97F4A7C15)
        for k in range(3):
            h ^= bits[i, k]
            h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            h ^= h >> np.uint64(31)
        at = h & mask
        while True:
            found = table[at]
            if found < 0:
                table[at] = distinct
                first[distinct] = i
                number[i] = distinct
                distinct += 1
                break
            row = first[found]
            if bits[row, 0] == bits[i, 0] and bits[row, 1] == bits[i, 1] and bits[row, 2] == bits[i, 2]:
                number[i] = found
                break
            at = (at + np.uint64(1)) & mask
            steps += 1
            if steps > _MOST_STEPS * (n + 16):
                return first[:0], number, False
    return first[:distinct].copy(), number, True
