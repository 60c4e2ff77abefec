"""Small pictures of two registered marks side by side, in one light."""

from __future__ import annotations

from ballistics.reports.figures.pictures import (
    Grid,
    Picture,
    common_exaggeration,
    grey_image,
    picture_grid,
    shaded_relief,
)
from ballistics.reports.figures.registered_pair import registered_pair
from ballistics.surfaces import Mark, Pose

# A page may hold dozens of pairs; at this size one costs some 80 kB of it.
LARGEST_POINTS = 220


def pair_pictures(a: Mark, b: Mark, pose: Pose, largest_points: int = LARGEST_POINTS) -> tuple[Picture, Picture]:
    """Draw A, and B as it lies on A, on one frame with one light and one exaggeration.

    Parameters
    ----------
    a, b : Mark
        With one spacing, and at least one valid point each.
    pose : Pose
        How B lies on A.
    largest_points : int
        On the longer side.
    """
    grids = [_smaller(grid, largest_points) for grid in registered_pair(a, b, pose)]
    if "reflectance" in (a.surface_kind, b.surface_kind):
        return grey_image(grids[0]), grey_image(grids[1])
    exaggeration = common_exaggeration(*grids)
    return shaded_relief(grids[0], exaggeration), shaded_relief(grids[1], exaggeration)


def _smaller(grid: Grid, largest_points: int) -> Grid:
    spacing = grid.spacing_um
    small = picture_grid(grid.heights_um, (spacing, spacing), largest_points)
    return Grid(small.heights_um, small.spacing_um, grid.left_um, grid.top_um)
