"""Two lands under one light, B where its placement puts it on A: what the comparison microscope shows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

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
from ballistics.reports.figures.seam import Seam
from ballistics.reports.reported_striae import ReportedStriae
from ballistics.striations import Placement
from ballistics.surfaces import low_pass

HEIGHT_COLOURS = "cividis"
# Light along the surface and across the striae shows them best.
LIGHT_FROM_DEG = 180
# Level: striae run across it, from A above to B below.
SEAM = Seam(50.0, 50.0, 90.0)
# A signature that states no band: waves longer than this are taken off its picture.
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
    sides = [*_ends(on_a, 0), *(placement.lag_um + placement.stretch * end for end in _ends(on_b, 0))]
    levels = [*_ends(on_a, 1), *_ends(on_b, 1)]
    room = _ROOM * (max(sides) - min(sides))
    left, top = min(sides) - room, min(levels) - room
    frame = Frame(left, top, max(sides) + room - left, max(levels) + room - top)
    return StriatedPair(views_a, views_b, frame, _seam(on_a, on_b, frame), limit)


def _seam(a: Grid, b: Grid, frame: Frame) -> Seam:
    """Return a level seam at a height where much of both marks lies, nearest the middle."""
    down = np.linspace(0.0, 1.0, 101)[5:-5]
    lengths = []
    for grid in (a, b):
        rows = grid.top_um + grid.spacing_um * (np.arange(len(grid.heights_um)) + 0.5)
        known = np.isfinite(grid.heights_um).sum(axis=1) * grid.spacing_um
        lengths.append(np.interp(frame.top_um + down * frame.height_um, rows, known, left=0.0, right=0.0))
    both = np.minimum(*lengths)
    good = down[both >= 0.9 * both.max()]
    return replace(SEAM, y_percent=round(100.0 * float(good[np.argmin(np.abs(good - 0.5))]), 1))


def _ends(grid: Grid, axis: int) -> tuple[float, float]:
    """Return where a mark begins and ends, across the striae (axis 0: over its rows) or along them (axis 1)."""
    known = np.flatnonzero(np.isfinite(grid.heights_um).any(axis=axis))
    start = grid.left_um if axis == 0 else grid.top_um
    return start + grid.spacing_um * float(known[0]), start + grid.spacing_um * float(known[-1] + 1)


def _views(grid: Grid, exaggeration: float, limit_um: float) -> MarkViews:
    return MarkViews(
        shaded_relief(grid, exaggeration, LIGHT_FROM_DEG),
        coloured_heights(grid, limit_um, HEIGHT_COLOURS),
        leaning_pictures(grid, exaggeration),
    )


def _straightened(striae: ReportedStriae, largest_points: int) -> Grid | None:
    """Return a mark straightened along its striae, without the waves that its signature is without."""
    if striae.straightened is None:
        return None
    heights, spacing = striae.straightened
    if min(heights.shape) < 2 or not np.isfinite(heights).any():
        return None
    grid = picture_grid(heights, spacing, largest_points)
    step = grid.spacing_um
    band = striae.signature.band_um
    form = low_pass(grid.heights_um.astype(np.float64), (step, step), FORM_UM if band is None else band[1])
    return replace(grid, heights_um=(grid.heights_um - form).astype(np.float32))
