"""The comparison microscope as a figure: one mark to the left of a seam, the other to the right, in one light."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LightSource
from numpy.typing import NDArray

from ballistics.reports.figures.pictures import LIGHT_ELEVATION_DEG, common_exaggeration, picture_grid
from ballistics.surfaces import draw_scale_bar

Heights = NDArray[np.floating[Any]]
# The seam is sought in this middle part of the width.
_MIDDLE = (0.2, 0.8)
_LIGHT_FROM_DEG = 315.0


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
    seam = best_seam(a, b)
    grids = [picture_grid(heights, (spacing_um, spacing_um)) for heights in (a, b)]
    exaggeration = common_exaggeration(*grids)
    light = LightSource(azdeg=_LIGHT_FROM_DEG, altdeg=LIGHT_ELEVATION_DEG)
    # Each whole mark is lit before it is cut: the seam throws no shadow.
    shades = [
        light.hillshade(g.heights_um.astype(np.float64), vert_exag=exaggeration, dx=g.spacing_um, dy=g.spacing_um)
        for g in grids
    ]
    at = round(seam * shades[0].shape[1] / a.shape[1])
    shown = np.concatenate([shades[0][:, :at], shades[1][:, at:]], axis=1)
    width, height = a.shape[1] * spacing_um, a.shape[0] * spacing_um
    axes.imshow(shown, cmap="gray", vmin=0.0, vmax=1.0, extent=(0.0, width, height, 0.0))
    axes.axvline(seam * spacing_um, color="tab:red", linewidth=1.0)
    axes.set(xticks=[], yticks=[])
    for text, x, side in (("A", 0.02, "left"), ("B", 0.98, "right")):
        axes.text(x, 0.98, text, transform=axes.transAxes, ha=side, va="top", weight="bold", color="tab:red")
    draw_scale_bar(axes, width, height)


def best_seam(a: Heights, b: Heights) -> int:
    """Return the column in the middle part of the width with the most points that both marks have.

    Examples
    --------
    >>> ring = np.ones((5, 9))
    >>> ring[1:4, 3:6] = np.nan
    >>> best_seam(ring, ring)
    2
    """
    common = (np.isfinite(a) & np.isfinite(b)).sum(axis=0)
    low, high = (round(share * a.shape[1]) for share in _MIDDLE)
    best: int = low + int(np.argmax(common[low:high])) if high > low else a.shape[1] // 2
    return best
