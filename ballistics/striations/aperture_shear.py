"""Where the firing-pin aperture sheared the primer: the level part of what flowed back, on a scan of a head."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ballistics.surfaces import RegionLabel, Surface, find_breech_face, fit_form, low_pass

# Relief shorter than this is striae; what is steeper beyond it is the wall of the aperture's mark, or of the pin's.
_SMOOTHED_UM = 80.0
_STEEPEST = math.tan(math.radians(15.0))
# A wall is seen wider than it is by the smoothing, and striae end before it.
_BESIDE_WALL_UM = 25.0
# Sheared metal flowed into the aperture: it stands above the breech face.
_LEAST_HEIGHT_UM = 5.0
_SMALLEST_PART = 0.1
_LEAST_AREA_MM2 = 0.05


@dataclass(frozen=True, eq=False)
class ShearedArea:
    """The sheared area of a head.

    Parameters
    ----------
    mask : ndarray of bool
        On the scan's grid; all False when none was found.
    head : bool
        Whether the scan is one of a cartridge head.
    reason : str or None
        Why nothing was found; None when it was.
    """

    mask: NDArray[np.bool_]
    head: bool
    reason: str | None


def find_sheared_area(surface: Surface) -> ShearedArea:
    """Find what the aperture sheared, between the firing pin's impression and the breech face's.

    The region of the breech face gives the reference level and what lies within: the mark of the aperture. In it, what
    stands above the breech face and is not steep over 80 µm is kept: walls are class, not striae.

    Parameters
    ----------
    surface : Surface
        Topography of a cartridge head.
    """
    nothing = np.zeros(surface.heights_um.shape, np.bool_)
    face = find_breech_face(surface)
    if face.reason is not None:
        return ShearedArea(nothing, False, f"no cartridge head with a breech face ({face.reason})")
    if face.masked:
        return ShearedArea(nothing, True, "everything but the breech face was cut away, the mark of the aperture too")
    spacing = surface.spacing_um
    form = fit_form(np.where(face.mask, surface.heights_um, np.nan), spacing, order=2, selected=True)
    within = (face.labels == RegionLabel.APERTURE) | (face.labels == RegionLabel.DRAG)
    if form is None or not within.any():
        return ShearedArea(nothing, True, "no mark of an aperture lies between firing pin and breech face")
    y, x = np.nonzero(within)
    border = 2 + round(2.0 * _SMOOTHED_UM / min(spacing))
    box = (
        slice(max(0, int(y.min()) - border), int(y.max()) + 1 + border),
        slice(max(0, int(x.min()) - border), int(x.max()) + 1 + border),
    )
    sign = -1.0 if face.inverted else 1.0
    height = sign * (surface.heights_um - form.heights_um(surface.heights_um.shape, spacing))[box]
    smooth = low_pass(height, spacing, max(_SMOOTHED_UM, 3.0 * max(spacing)))
    slope_y, slope_x = np.gradient(smooth, *spacing)
    # What is missing is a wall, as often as not.
    steep = ~(np.hypot(slope_x, slope_y) <= _STEEPEST)
    beside = ndimage.distance_transform_edt(~steep, sampling=spacing) <= _BESIDE_WALL_UM if steep.any() else steep
    good = within[box] & ~beside & (smooth > _LEAST_HEIGHT_UM)
    parts, count = ndimage.label(good)
    if count:
        sizes = np.bincount(parts.ravel())
        sizes[0] = 0
        good &= (sizes >= _SMALLEST_PART * sizes.max())[parts]
    area = float(good.sum()) * spacing[0] * spacing[1] * 1e-6
    if area < _LEAST_AREA_MM2:
        reason = f"inside the mark of the aperture {area:.2f} mm² stand up and are level: nothing was sheared"
        return ShearedArea(nothing, True, reason)
    mask = nothing.copy()
    mask[box] = good
    return ShearedArea(mask, True, None)
