"""Coarser versions of a height map with missing points: block means for the levels of a search."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kernels.accelerate import kernel


@kernel
def decimate(heights: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Return means over blocks of ``factor`` × ``factor`` points.

    Point ``(i, j)`` of the result lies at ``factor * i + (factor - 1) / 2`` of the input. A block with
    fewer than half of its points valid is missing; a block that hangs over the edge counts its outside
    as missing.

    Parameters
    ----------
    heights : ndarray of float32, shape (rows, columns)
        NaN marks missing points.
    factor : int
        Block side, at least 1.

    Returns
    -------
    ndarray of float32, shape (ceil(rows / factor), ceil(columns / factor))
        Same unit as the input. Cost: one pass over the input.
    """
    rows, columns = heights.shape
    out_rows, out_columns = -(-rows // factor), -(-columns // factor)
    out = np.empty((out_rows, out_columns), np.float32)
    for i in range(out_rows):
        for j in range(out_columns):
            total = 0.0
            count = 0
            for y in range(i * factor, min((i + 1) * factor, rows)):
                for x in range(j * factor, min((j + 1) * factor, columns)):
                    value = heights[y, x]
                    if np.isfinite(value):
                        total += value
                        count += 1
            out[i, j] = total / count if 2 * count >= factor * factor else np.nan
    return out
