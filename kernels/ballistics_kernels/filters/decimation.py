"""Coarser versions of a height map with missing points: block means for the levels of a search."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel


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
    # Sums of the columns of a row of blocks first, so that the loop over all points is one of vectors.
    totals = np.zeros(out_columns * factor)
    counts = np.zeros(out_columns * factor)
    for i in range(out_rows):
        totals[:] = 0.0
        counts[:] = 0.0
        for y in range(i * factor, min((i + 1) * factor, rows)):
            row = heights[y]
            for x in range(columns):
                valid = np.isfinite(row[x])
                totals[x] += np.float64(row[x]) if valid else 0.0
                counts[x] += 1.0 if valid else 0.0
        for j in range(out_columns):
            total = 0.0
            count = 0.0
            for x in range(j * factor, (j + 1) * factor):
                total += totals[x]
                count += counts[x]
            out[i, j] = total / count if 2 * count >= factor * factor else np.nan
    return out
