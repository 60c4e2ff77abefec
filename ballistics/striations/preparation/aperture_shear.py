"""Where the firing-pin aperture sheared the primer: the level part of what flowed back, on a scan of a head."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ballistics.errors import ParameterError
from ballistics.surfaces import RegionLabel, Surface, find_breech_face, fit_form, low_pass


@dataclass(frozen=True)
class ShearParameters:
    """The numbers of the search for what the aperture sheared.

    Parameters
    ----------
    smoothed_um : float
        Relief shorter than this is striae.
    steepest_deg : float
        What is steeper beyond it is the wall of the aperture's mark, or of the pin's.
    beside_wall_um : float
        Left away beside a wall: it is seen wider than it is by the smoothing, and striae end before it.
    least_height_um : float
        Sheared metal flowed into the aperture: it stands this far above the breech face.
    smallest_part : float
        Parts smaller than this share of the largest are left away.
    least_area_mm2 : float
        Less is no sheared area.
    """

    smoothed_um: float = 80.0
    steepest_deg: float = 15.0
    beside_wall_um: float = 25.0
    least_height_um: float = 5.0
    smallest_part: float = 0.1
    least_area_mm2: float = 0.05

    def __post_init__(self) -> None:
        if not 0 < self.steepest_deg < 90 or not 0 <= self.smallest_part <= 1:
            raise ParameterError("steepest_deg lies between 0 and 90, smallest_part is a share from 0 to 1")
        if min(self.smoothed_um, self.least_area_mm2) <= 0 or self.beside_wall_um < 0:
            raise ParameterError("smoothed_um and least_area_mm2 are above 0, beside_wall_um is not below")


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


def find_sheared_area(surface: Surface, parameters: ShearParameters | None = None) -> ShearedArea:
    """Find what the aperture sheared, between the firing pin's impression and the breech face's.

    The region of the breech face gives the reference level and what lies within: the mark of the aperture. In it, what
    stands above the breech face and is not steep over 80 µm is kept: walls are class, not striae.

    Parameters
    ----------
    surface : Surface
        Topography of a cartridge head.
    parameters : ShearParameters, optional
    """
    p = parameters or ShearParameters()
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
    border = 2 + round(2.0 * p.smoothed_um / min(spacing))
    box = (
        slice(max(0, int(y.min()) - border), int(y.max()) + 1 + border),
        slice(max(0, int(x.min()) - border), int(x.max()) + 1 + border),
    )
    sign = -1.0 if face.inverted else 1.0
    height = sign * (surface.heights_um - form.heights_um(surface.heights_um.shape, spacing))[box]
    smooth = low_pass(height, spacing, max(p.smoothed_um, 3.0 * max(spacing)))
    slope_y, slope_x = np.gradient(smooth, *spacing)
    # What is missing is a wall, as often as not.
    steep = ~(np.hypot(slope_x, slope_y) <= math.tan(math.radians(p.steepest_deg)))
    beside = ndimage.distance_transform_edt(~steep, sampling=spacing) <= p.beside_wall_um if steep.any() else steep
    good = within[box] & ~beside & (smooth > p.least_height_um)
    parts, count = ndimage.label(good)
    if count:
        sizes = np.bincount(parts.ravel())
        sizes[0] = 0
        good &= (sizes >= p.smallest_part * sizes.max())[parts]
    area = float(good.sum()) * spacing[0] * spacing[1] * 1e-6
    if area < p.least_area_mm2:
        reason = f"inside the mark of the aperture {area:.2f} mm² stand up and are level: nothing was sheared"
        return ShearedArea(nothing, True, reason)
    mask = nothing.copy()
    mask[box] = good
    return ShearedArea(mask, True, None)
