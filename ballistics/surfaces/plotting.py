"""Heights and profiles drawn into matplotlib axes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ballistics.drawing import new_axes, round_length

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.floating[Any]]

# Points more than this on a side cannot be told apart in a figure, and cost time.
_LARGEST_POINTS = 1200
# The share of heights that the colours span; the rest, spikes and pits, is drawn in the end colours.
_SPAN = 0.98


def plot_heights(
    heights: Floats, spacing_um: tuple[float, float], axes: Axes | None = None, *, unit: str = "µm", title: str = ""
) -> Axes:
    """Draw heights about their median, with a scale bar and a colour bar; missing points stay blank.

    Parameters
    ----------
    heights : ndarray, shape (rows, columns)
        Heights in µm, or intensities. NaN where missing. Row 0 is drawn at the top.
    spacing_um : tuple of float
        Distance in µm between rows and between columns.
    axes : matplotlib Axes, optional
        Where to draw; a figure of its own if None.
    unit : str
        What the colour bar says: ``"µm"``, or an empty text for intensities, which are drawn in grey from their least.
    title : str
        What stands above.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> axes = plot_heights(np.eye(4), (3.125, 3.125), title="four points")
    >>> axes.get_title()
    'four points'
    """
    axes = axes or new_axes()
    step = max(1, math.ceil(max(heights.shape) / _LARGEST_POINTS))
    shown = heights[::step, ::step]
    valid = shown[np.isfinite(shown)]
    rows, columns = heights.shape
    extent = (0.0, columns * spacing_um[1], rows * spacing_um[0], 0.0)
    if unit:
        middle = float(np.median(valid)) if valid.size else 0.0
        limit = float(np.quantile(np.abs(valid - middle), _SPAN)) if valid.size else 0.0
        limit = limit or 1.0
        image = axes.imshow(shown - middle, cmap="cividis", vmin=-limit, vmax=limit, extent=extent)
    else:
        image = axes.imshow(shown, cmap="gray", extent=extent)
    axes.set_facecolor("white")
    axes.set(xticks=[], yticks=[])
    if title:
        axes.set_title(title)
    draw_scale_bar(axes, extent[1], extent[2])
    figure = axes.figure
    bar = figure.colorbar(image, ax=axes, shrink=0.8)
    bar.set_label(f"height / {unit}" if unit else "intensity")
    return axes


def plot_profile(heights: Floats, spacing_um: float, axes: Axes | None = None, *, title: str = "") -> Axes:
    """Draw one row of heights over its length; gaps where points are missing.

    Parameters
    ----------
    heights : ndarray, shape (points,)
        Heights in µm, NaN where missing.
    spacing_um : float
        Distance between points in µm.
    axes : matplotlib Axes, optional
        Where to draw; a figure of its own if None.
    title : str
        What stands above.

    Examples
    --------
    >>> plot_profile(np.sin(np.arange(9.0)), 1.5).get_xlabel()
    'along / µm'
    """
    axes = axes or new_axes()
    axes.plot(np.arange(heights.size) * spacing_um, heights, linewidth=0.9, color="0.15")
    axes.set(xlabel="along / µm", ylabel="height / µm")
    if title:
        axes.set_title(title)
    return axes


def draw_scale_bar(axes: Axes, width_um: float, height_um: float) -> None:
    """Draw a bar of a round length, at most a third of the width, under the lower left corner.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Already with an image whose upper left corner is at (0, 0), in µm; their limits are set to it.
    width_um, height_um : float
        Size of the image. The bar is drawn below it, outside the limits.
    """
    length = round_length(width_um / 3.0)
    below = 1.04 * height_um
    axes.plot([0.0, length], [below, below], color="black", linewidth=3.0, solid_capstyle="butt", clip_on=False)
    axes.set(xlim=(0.0, width_um), ylim=(height_um, 0.0))
    text = f"{length / 1000.0:g} mm" if length >= 1000.0 else f"{length:g} µm"
    axes.text(1.05 * length, below, text, va="center", ha="left", fontsize="small", clip_on=False)
