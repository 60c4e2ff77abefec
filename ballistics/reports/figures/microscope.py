"""The comparison microscope as a figure: one mark to the left of a seam, the other to the right, in one light."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from ballistics.reports.figures.pictures import common_exaggeration, picture_grid, shading
from ballistics.reports.figures.seam import seam_on_both
from ballistics.surfaces import draw_scale_bar

Heights = NDArray[np.floating[Any]]


def microscope(a: Heights, b: Heights, spacing_um: float, axes: Axes) -> None:
    """Draw two aligned marks on both sides of a seam, which runs where most of it lies on both.

    Parameters
    ----------
    a, b : ndarray, of one shape
        Heights in µm, B registered to A; NaN where missing.
    spacing_um : float
        Of their points.
    axes : matplotlib Axes
        Where to draw.
    """
    grids = [picture_grid(heights, (spacing_um, spacing_um)) for heights in (a, b)]
    exaggeration = common_exaggeration(*grids)
    # Each whole mark is lit before it is cut: the seam throws no shadow.
    lit = [np.where(np.isfinite(grid.heights_um), shading(grid, exaggeration), np.nan) for grid in grids]
    seam = 0.01 * seam_on_both(grids[0], grids[1]).x_percent
    at = round(seam * lit[0].shape[1])
    width, height = a.shape[1] * spacing_um, a.shape[0] * spacing_um
    shown = np.concatenate([lit[0][:, :at], lit[1][:, at:]], axis=1)
    axes.imshow(shown, cmap="gray", vmin=0.0, vmax=1.0, extent=(0.0, width, height, 0.0))
    axes.axvline(seam * width, color="tab:red", linewidth=1.0)
    axes.set(xticks=[], yticks=[])
    for text, x, side in (("A", 0.02, "left"), ("B", 0.98, "right")):
        axes.text(x, 0.98, text, transform=axes.transAxes, ha=side, va="top", weight="bold", color="tab:red")
    draw_scale_bar(axes, width, height)
