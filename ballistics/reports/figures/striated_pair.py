"""Two lands under one light, B where its placement puts it on A: what the comparison microscope shows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ballistics.reports.contents.reported_striae import ReportedStriae
from ballistics.reports.figures.land_steps import land_parameters, upright
from ballistics.reports.figures.mark_views import Frame, MarkViews
from ballistics.reports.figures.pictures import (
    Grid,
    coloured_heights,
    common_exaggeration,
    common_limit_um,
    leaning_pictures,
    picture_grid,
    shaded_relief,
)
from ballistics.reports.figures.profile_chart import Floats
from ballistics.reports.figures.seam import Seam
from ballistics.striations import Land, Placement
from ballistics.surfaces import low_pass

HEIGHT_COLOURS = "cividis"
# Light along the surface and across the striae shows them best.
LIGHT_FROM_DEG = 180
# Level: striae run across it, from A above to B below.
SEAM = Seam(50.0, 50.0, 90.0)
# What a land looks like without its form: waves longer than this are taken off.
FORM_UM = 400.0
# Beside the lands, as a share of their width.
_ROOM = 0.015


@dataclass(frozen=True)
class StriatedPair:
    """Both lands in the frame of A: places from the middle of A's signature, B as its placement puts it there."""

    a: MarkViews
    b: MarkViews
    frame: Frame
    seam: Seam
    height_limit_um: float


def striated_pair(
    a: ReportedStriae, b: ReportedStriae, placement: Placement, largest_points: int = 900
) -> StriatedPair | None:
    """Draw both lands, each straightened along its striae; None where either has no scan.

    Parameters
    ----------
    a, b : ReportedStriae
    placement : Placement
        How B lies on A.
    largest_points : int
        Greatest number of columns of a picture.
    """
    on_a, on_b = (_straightened(side, largest_points) for side in (a, b))
    if on_a is None or on_b is None:
        return None
    exaggeration, limit = common_exaggeration(on_a, on_b), common_limit_um(on_a, on_b)
    views_a, views_b = (_views(grid, exaggeration, limit) for grid in (on_a, on_b))
    views_b = views_b.moved(placement.lag_um, placement.stretch)
    ends = [*_ends(on_a), *(placement.lag_um + placement.stretch * end for end in _ends(on_b))]
    room = _ROOM * (max(ends) - min(ends))
    left, right = min(ends) - room, max(ends) + room
    half = 0.5 * max(views.relief.height_um for views in (views_a, views_b))
    frame = Frame(left, -half, right - left, 2.0 * half)
    return StriatedPair(views_a, views_b, frame, SEAM, limit)


def _ends(grid: Grid) -> tuple[float, float]:
    """Return where a land begins and ends."""
    columns = np.flatnonzero(np.isfinite(grid.heights_um).any(axis=0))
    return grid.left_um + grid.spacing_um * columns[0], grid.left_um + grid.spacing_um * (columns[-1] + 1)


def _views(grid: Grid, exaggeration: float, limit_um: float) -> MarkViews:
    return MarkViews(
        shaded_relief(grid, exaggeration, LIGHT_FROM_DEG),
        coloured_heights(grid, limit_um, HEIGHT_COLOURS),
        leaning_pictures(grid, exaggeration),
    )


def _straightened(striae: ReportedStriae, largest_points: int) -> Grid | None:
    """Return a land between its ends without its form, each row moved as the alignment of its bands says."""
    land = striae.land
    if striae.surface is None or land is None or land.arc is None or land.first_band < 0:
        return None
    heights, spacing = upright(striae)
    down, across = spacing
    x = across * np.arange(heights.shape[1], dtype=np.float64)
    margin = land_parameters(striae).margin_um
    inside = (x >= land.left.place_um + margin) & (x <= land.right.place_um - margin)
    flat = np.where(inside, heights - land.arc.heights(x), np.nan)
    lags = _lag_of_rows(land, down * np.arange(len(heights), dtype=np.float64))
    moved = np.stack(
        [np.interp(x + lag, x, row, left=np.nan, right=np.nan) for row, lag in zip(flat, lags, strict=True)]
    )
    if not np.isfinite(moved).any():
        return None
    grid = picture_grid(moved, spacing, largest_points)
    step = grid.spacing_um
    form = low_pass(grid.heights_um.astype(np.float64), (step, step), FORM_UM)
    return replace(grid, heights_um=(grid.heights_um - form).astype(np.float32))


def _lag_of_rows(land: Land, rows_um: Floats) -> Floats:
    """Return where the striae of every row lie, from the lags of the bands that were aligned."""
    known = np.isfinite(land.lags_um)
    return np.asarray(np.interp(rows_um, land.band_rows[known], land.lags_um[known]), dtype=np.float64)
