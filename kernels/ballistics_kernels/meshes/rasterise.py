"""Draws triangles into a depth buffer: which triangle is seen at each pixel, and how near it is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel


@kernel
def rasterise(
    points: NDArray[np.float64], faces: NDArray[np.int64], rows: int, columns: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Find the nearest triangle at each pixel centre, in parallel projection.

    Parameters
    ----------
    points : ndarray of float64, shape (n, 3)
        Column, row (pixel centres lie at whole numbers) and nearness (larger is nearer) of each vertex.
    faces : ndarray of int64, shape (m, 3)
        Rows of ``points``, in range. Both sides are drawn.
    rows, columns : int
        Size of the picture.

    Returns
    -------
    seen : ndarray of int64, shape (rows, columns)
        The face at each pixel, -1 where there is none. Of equally near faces the first is seen.
    nearness : ndarray of float64, shape (rows, columns)
        Its nearness there; -inf where there is none.

    Notes
    -----
    Edge functions: Pineda 1988, doi:10.1145/54852.378457. A face with a missing or infinite corner, or without area
    in the picture, is not drawn. Cost: m, and the pixels of each face's bounding box.
    """
    seen = np.full((rows, columns), -1, np.int64)
    nearness = np.full((rows, columns), -np.inf)
    for f in range(faces.shape[0]):
        good = True
        for c in range(3):
            for k in range(3):
                if not np.isfinite(points[faces[f, c], k]):
                    good = False
        if not good:
            continue
        ax, ay, az = points[faces[f, 0], 0], points[faces[f, 0], 1], points[faces[f, 0], 2]
        bx, by, bz = points[faces[f, 1], 0], points[faces[f, 1], 1], points[faces[f, 1], 2]
        cx, cy, cz = points[faces[f, 2], 0], points[faces[f, 2], 1], points[faces[f, 2], 2]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0.0:
            continue
        # Compared as floats first: an int cannot hold what lies very far outside.
        left = max(min(ax, bx, cx), 0.0)
        right = min(max(ax, bx, cx), columns - 1.0)
        top = max(min(ay, by, cy), 0.0)
        bottom = min(max(ay, by, cy), rows - 1.0)
        if left > right or top > bottom:
            continue
        for i in range(int(np.ceil(top)), int(np.floor(bottom)) + 1):
            for j in range(int(np.ceil(left)), int(np.floor(right)) + 1):
                u = ((bx - j) * (cy - i) - (by - i) * (cx - j)) / area
                v = ((cx - j) * (ay - i) - (cy - i) * (ax - j)) / area
                w = ((ax - j) * (by - i) - (ay - i) * (bx - j)) / area
                if u < 0.0 or v < 0.0 or w < 0.0:
                    continue
                near = u * az + v * bz + w * cz
                if near > nearness[i, j]:
                    nearness[i, j] = near
                    seen[i, j] = f
    return seen, nearness
