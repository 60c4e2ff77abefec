"""Two marks on one grid, B registered to A: what the comparison microscope shows."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ballistics.reports.figures.pictures import Grid, picture_grid
from ballistics.surfaces import Mark, Pose


def registered_pair(a: Mark, b: Mark, pose: Pose) -> tuple[Grid, Grid]:
    """Return both marks on one grid in the frame of A, just large enough for their valid points.

    Parameters
    ----------
    a, b : Mark
        With one spacing.
    pose : Pose
        How B lies on A.

    Returns
    -------
    a, b : Grid
        Positions in µm from the centre of A; NaN where a mark has no point.
    """
    on_a, on_b, (centre_y, centre_x) = aligned_heights(a, b, pose)
    return _placed(on_a, a.spacing_um, centre_y, centre_x), _placed(on_b, a.spacing_um, centre_y, centre_x)


def aligned_heights(
    a: Mark, b: Mark, pose: Pose
) -> tuple[NDArray[np.float32], NDArray[np.float32], tuple[float, float]]:
    """Return the heights of both marks on one grid in the frame of A, just large enough for their valid points.

    Parameters
    ----------
    a, b : Mark
        With one spacing.
    pose : Pose
        How B lies on A.

    Returns
    -------
    a, b : ndarray of float32, of one shape
        In µm; NaN where a mark has no point.
    centre : tuple of float
        Where the middle of the grid lies, rows and columns from the centre of A.
    """
    from ballistics_kernels.impressions import turn_onto

    spacing = a.spacing_um
    top, left, bottom, right = _common_frame(a, b, pose)
    rows_a, columns_a = a.heights_um.shape
    centre_y = (top + bottom - 1) / 2 - (rows_a - 1) / 2
    centre_x = (left + right - 1) / 2 - (columns_a - 1) / 2
    on_a = np.full((bottom - top, right - left), np.nan, np.float32)
    y0, y1, x0, x1 = max(top, 0), min(bottom, rows_a), max(left, 0), min(right, columns_a)
    on_a[y0 - top : y1 - top, x0 - left : x1 - left] = a.heights_um[y0:y1, x0:x1]
    registered_b = np.empty_like(on_a)
    heights_b = np.ascontiguousarray(b.heights_um, dtype=np.float32)
    shift_y, shift_x = pose.dy_um / spacing - centre_y, pose.dx_um / spacing - centre_x
    turn_onto(heights_b, math.radians(-pose.theta_deg), shift_y, shift_x, registered_b)
    return on_a, registered_b, (centre_y, centre_x)


def difference(a: Grid, b: Grid) -> Grid:
    """Return A − B; NaN where either is missing."""
    return Grid((a.heights_um - b.heights_um).astype(np.float32), a.spacing_um, a.left_um, a.top_um)


def _placed(heights: NDArray[np.float32], spacing_um: float, centre_y: float, centre_x: float) -> Grid:
    grid = picture_grid(heights, (spacing_um, spacing_um))
    return Grid(
        grid.heights_um, grid.spacing_um, grid.left_um + centre_x * spacing_um, grid.top_um + centre_y * spacing_um
    )


def _common_frame(a: Mark, b: Mark, pose: Pose) -> tuple[int, int, int, int]:
    """Return top, left, bottom, right in points of A, around the valid points of both."""
    rows_a, columns_a = a.heights_um.shape
    y, x = np.nonzero(np.isfinite(a.heights_um))
    y_b, x_b = np.nonzero(np.isfinite(b.heights_um))
    rows_b, columns_b = b.heights_um.shape
    cos, sin = pose.cos_sin()
    from_x, from_y = x_b - (columns_b - 1) / 2, y_b - (rows_b - 1) / 2
    registered_x = from_x * cos + from_y * sin + pose.dx_um / a.spacing_um + (columns_a - 1) / 2
    registered_y = from_y * cos - from_x * sin + pose.dy_um / a.spacing_um + (rows_a - 1) / 2
    all_y, all_x = np.concatenate([y, registered_y]), np.concatenate([x, registered_x])
    return (
        math.floor(all_y.min()) - 1,
        math.floor(all_x.min()) - 1,
        math.ceil(all_y.max()) + 2,
        math.ceil(all_x.max()) + 2,
    )
