"""Masks and label maps as outlines that a page can draw, in µm from the centre of the surface."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_LARGEST_POINTS = 900
_TOLERANCE_POINTS = 0.7


def outline_path(mask: NDArray[np.bool_], spacing_um: tuple[float, float]) -> str:
    """Return the outlines of a mask, holes included, as the data of an SVG path (to be filled even-odd).

    Parameters
    ----------
    mask : ndarray of bool, shape (rows, columns)
        Large masks are thinned to 900 points a side first; crumbs of a few points are left out.
    spacing_um : tuple of float
        Distance between rows and between columns.

    Examples
    --------
    >>> mask = np.zeros((9, 9), bool)
    >>> mask[2:7, 2:7] = True
    >>> outline_path(mask, (10.0, 10.0))
    'M-20 -20V20H20V-20Z'
    """
    import cv2

    rows, columns = mask.shape
    factor = max(1, -(-max(rows, columns) // _LARGEST_POINTS))
    # A nearest-neighbour thinning keeps the centre of each kept point known exactly.
    start = factor // 2
    thin = np.ascontiguousarray(mask[start::factor, start::factor], dtype=np.uint8)
    contours, _ = cv2.findContours(thin, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    parts = []
    for contour in contours:
        if len(contour) < 8:
            continue
        simple = cv2.approxPolyDP(contour, _TOLERANCE_POINTS, True)[:, 0, :].astype(np.float64)
        x = (simple[:, 0] * factor + start - (columns - 1) / 2) * spacing_um[1]
        y = (simple[:, 1] * factor + start - (rows - 1) / 2) * spacing_um[0]
        parts.append(_polygon(np.rint(x).astype(np.int64), np.rint(y).astype(np.int64)))
    return "".join(parts)


def _polygon(x: NDArray[np.int64], y: NDArray[np.int64]) -> str:
    commands = [f"M{x[0]} {y[0]}"]
    for k in range(1, len(x)):
        if x[k] == x[k - 1]:
            commands.append(f"V{y[k]}")
        elif y[k] == y[k - 1]:
            commands.append(f"H{x[k]}")
        else:
            commands.append(f"L{x[k]} {y[k]}")
    return "".join(commands) + "Z"


def label_paths(labels: NDArray[Any], spacing_um: tuple[float, float]) -> dict[int, str]:
    """Return one path for each value that occurs in a label map."""
    return {
        int(value): path for value in np.unique(labels) if (path := outline_path(labels == value, spacing_um)) != ""
    }
