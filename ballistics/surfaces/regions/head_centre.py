"""The common centre of primer and firing-pin impression, by voting along the slopes of a cartridge-case head."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

REFERENCES = ("doi:10.1016/0031-3203(81)90009-1",)

# Radii in mm at which a wall of each kind can lie. Centre-fire primers measure 4.45 mm (small) and
# 5.33 mm (large) across (SAAMI Z299.3); the breech face presses their middle flat, and the rest
# falls away outwards. Firing-pin impressions are 0.3 to 2 mm across.
PRIMER_WALL_MM = (1.3, 2.8)
PIN_WALL_MM = (0.10, 1.0)

_VOTE_STEP_MM = 0.05
_LEAST_SLOPE = math.tan(math.radians(9.0))
_FULL_SLOPE = math.tan(math.radians(25.0))
_BLUR_MM = 0.10
_SECTORS = 72
_LEAST_EDGE_POINTS = 3  # of 50 µm, in a sector of 5°: an edge, not a scratch
_AIM = 0.25  # a slope "points at" a centre when the sine of the angle between is below this


@dataclass(frozen=True)
class HeadCentre:
    """Where the rings of a head have their centre, and how much of each ring is there.

    Parameters
    ----------
    centre_mm : tuple of float
        (y, x) from point (0, 0).
    pin_coverage, primer_coverage : float
        Share of directions, 0 to 1, in which the surface falls towards the centre within reach of
        a firing pin, and falls away from it within reach of a primer's edge.
    primer_radius_mm : float
        Radius at which it falls most; NaN when it does not.
    """

    centre_mm: tuple[float, float]
    pin_coverage: float
    primer_coverage: float
    primer_radius_mm: float


def find_head_centre(slope_y: NDArray[np.float64], slope_x: NDArray[np.float64], step_mm: float) -> HeadCentre | None:
    """Find the point that the walls of primer and firing pin have in common.

    Every steep point votes for the centres that it could belong to: down the slope at the radii of
    a firing pin, up the slope at the radii of a primer's edge (the circle transform of Ballard
    1981, with both signs told apart). Votes weigh 1/radius, so that half a ring counts the same
    at every radius.

    Parameters
    ----------
    slope_y, slope_x : ndarray, shape (rows, columns)
        Slopes (dimensionless) of a levelled, smoothed surface without missing points.
    step_mm : float
        Spacing of the grid in mm.

    Returns
    -------
    HeadCentre or None
        None when nothing is steep.

    References
    ----------
    doi:10.1016/0031-3203(81)90009-1
    """
    stride = max(1, round(_VOTE_STEP_MM / step_mm))
    gy, gx = slope_y[::stride, ::stride], slope_x[::stride, ::stride]
    step = step_mm * stride
    slope = np.hypot(gy, gx)
    rows, columns = np.nonzero(slope > _LEAST_SLOPE)
    if rows.size == 0:
        return None
    steep = slope[rows, columns]
    weight = np.minimum(steep, _FULL_SLOPE)
    up_y, up_x = gy[rows, columns] / steep, gx[rows, columns] / steep
    votes = np.zeros(slope.shape)
    for sign, (nearest, furthest) in ((-1.0, PIN_WALL_MM), (1.0, PRIMER_WALL_MM)):
        for radius in np.arange(nearest, furthest, step):
            r = np.rint(rows + sign * up_y * (radius / step)).astype(np.intp)
            c = np.rint(columns + sign * up_x * (radius / step)).astype(np.intp)
            inside = (r >= 0) & (r < slope.shape[0]) & (c >= 0) & (c < slope.shape[1])
            votes += np.bincount(r[inside] * slope.shape[1] + c[inside], weight[inside] / radius, slope.size).reshape(
                slope.shape
            )

    from scipy.ndimage import gaussian_filter

    # Wide first, because firing pin and primer are rarely quite concentric, then narrow.
    wide = gaussian_filter(votes, 2.0 * _BLUR_MM / step, mode="constant")
    peak = np.array(np.unravel_index(int(np.argmax(wide)), wide.shape), dtype=np.float64)
    y, x = rows * step - peak[0] * step, columns * step - peak[1] * step
    return _describe((float(peak[0] * step), float(peak[1] * step)), y, x, up_y, up_x)


def _describe(
    centre: tuple[float, float],
    y: NDArray[np.float64],
    x: NDArray[np.float64],
    up_y: NDArray[np.float64],
    up_x: NDArray[np.float64],
) -> HeadCentre:
    """Measure how much of the two rings lies around a centre."""
    radius = np.hypot(y, x)
    safe = np.maximum(radius, 1e-9)
    outward = (up_y * y + up_x * x) / safe
    aimed = np.abs(up_y * x - up_x * y) / safe < _AIM
    sector = np.floor((np.arctan2(y, x) + math.pi) * (_SECTORS / (2.0 * math.pi))).astype(np.intp) % _SECTORS
    pin = aimed & (outward > 0) & (radius < PIN_WALL_MM[1])
    edge = aimed & (outward < 0) & (radius > PRIMER_WALL_MM[0]) & (radius < PRIMER_WALL_MM[1])
    return HeadCentre(
        centre_mm=centre,
        pin_coverage=float((np.bincount(sector[pin], minlength=_SECTORS) > 0).mean()),
        primer_coverage=float((np.bincount(sector[edge], minlength=_SECTORS) >= _LEAST_EDGE_POINTS).mean()),
        primer_radius_mm=float(np.median(radius[edge])) if edge.any() else math.nan,
    )
