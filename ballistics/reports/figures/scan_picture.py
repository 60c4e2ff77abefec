"""One scan, mark or profile as a PNG that stands by itself: scale bar, light, file and hash are on it."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ballistics.errors import ParameterError
from ballistics.reports.figures.pictures import LIGHT_ELEVATION_DEG, common_exaggeration, picture_grid, shading
from ballistics.surfaces import Mark, Surface, draw_scale_bar, plot_heights, plot_profile

# Points on the longer side, as in a report.
_LARGEST_POINTS = 1400
_INCHES, _DPI = (8.0, 7.4), 160


def scan_png(
    shown: Surface | Mark,
    *,
    name: str = "",
    light_deg: float | None = 315.0,
    outline: NDArray[np.bool_] | None = None,
    line: tuple[str, int] | None = None,
) -> bytes:
    """Draw a scan or a prepared mark, or one of its lines.

    Parameters
    ----------
    shown : Surface or Mark
        A profile is drawn as a line.
    name : str
        Of the file, for the caption.
    light_deg : float or None
        Where the light of a relief comes from, clockwise from the top: 0 to 360, 315 is the upper left. None draws
        heights in colours.
    outline : ndarray of bool, shape of the surface, optional
        A region whose border is drawn.
    line : tuple of str and int, optional
        ``("row", n)`` or ``("column", n)``: draws this line of heights instead.

    Returns
    -------
    bytes
        A PNG; the same input gives the same bytes.

    Raises
    ------
    ParameterError
        A line that the scan does not have.

    Examples
    --------
    >>> scan_png(Mark("breech face", np.eye(9, dtype=np.float32), 6.25))[1:4]
    b'PNG'
    """
    figure = Figure(figsize=_INCHES, dpi=_DPI, layout="constrained")
    axes = figure.subplots()
    heights = shown.heights_um
    spacing = (shown.spacing_um,) * 2 if isinstance(shown, Mark) else shown.spacing_um
    surface_kind = shown.surface_kind if isinstance(shown, Mark) else shown.kind
    if line is not None or len(heights) == 1:
        _draw_line(axes, heights, spacing, line or ("row", 0))
    elif light_deg is None or surface_kind == "reflectance":
        plot_heights(heights, spacing, axes, unit="" if surface_kind == "reflectance" else "µm")
    else:
        _draw_relief(axes, heights, spacing, light_deg)
    if outline is not None and line is None:
        y, x = ((np.arange(size) + 0.5) * step for size, step in zip(outline.shape, spacing, strict=True))
        axes.contour(x, y, outline.astype(np.float64), [0.5], colors="tab:orange")
    figure.suptitle(_caption(shown, name), fontsize=7.5, x=0.01, ha="left", family="monospace")
    found = io.BytesIO()
    figure.savefig(found, format="png", metadata={"Software": None})
    return found.getvalue()


def _draw_line(axes: Any, heights: NDArray[Any], spacing_um: tuple[float, float], line: tuple[str, int]) -> None:
    axis = ("row", "column").index(line[0])
    if not 0 <= line[1] < heights.shape[axis]:
        raise ParameterError(f"the scan has no {line[0]} {line[1]}; there are {heights.shape[axis]}, counted from 0")
    values = heights[line[1]] if axis == 0 else heights[:, line[1]]
    plot_profile(values, spacing_um[1 - axis], axes, title=f"{line[0]} {line[1]}")


def _draw_relief(axes: Any, heights: NDArray[Any], spacing_um: tuple[float, float], light_deg: float) -> None:
    grid = picture_grid(heights, spacing_um, _LARGEST_POINTS)
    exaggeration = common_exaggeration(grid)
    # Stated clockwise from the top, as on a clock; drawn counter-clockwise from the right, as angles are.
    shade = np.where(np.isfinite(grid.heights_um), shading(grid, exaggeration, 90.0 - light_deg), np.nan)
    height, width = (size * grid.spacing_um for size in grid.heights_um.shape)
    axes.imshow(shade, cmap="gray", vmin=0.0, vmax=1.0, extent=(0.0, width, height, 0.0))
    axes.set(xticks=[], yticks=[])
    axes.set_title(
        f"light from {light_deg:g}°, {LIGHT_ELEVATION_DEG:g}° above the surface; heights × {exaggeration:g}",
        fontsize=8,
        loc="right",
    )
    draw_scale_bar(axes, width, height)


def _caption(shown: Surface | Mark, name: str) -> str:
    provenance = shown.provenance
    hashes = {} if provenance is None else provenance.inputs
    text = f"{name}  {repr(shown)[1:-1]}".strip()
    for what, digest in sorted(hashes.items()):
        text += f"\n{what}: SHA-256 {digest}"
    return text
