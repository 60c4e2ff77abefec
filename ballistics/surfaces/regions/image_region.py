"""The breech-face region of an image under a ring light: the even ring between the firing pin's and the primer's."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.surfaces.regions.annulus import ANGLES, best_annulus, polar_positions
from ballistics.surfaces.regions.coarse_relief import STEP_MM, STEP_UM
from ballistics.surfaces.regions.head_centre import HeadCentre, find_head_centre
from ballistics.surfaces.regions.region_geometry import refined
from ballistics.surfaces.surface import Surface

REFERENCES = ("doi:10.1016/0031-3203(81)90009-1", "Tai & Eddy 2018, Journal of Forensic Sciences 63(2):440")

# An image is darker where it falls away: seen as a height, firing pin and primer gap are its walls. One unit is the
# median intensity; 0.15 mm make the fall of a third in a tenth of a millimetre as steep as 27°.
_HEIGHT_MM = 0.15
_SMOOTHING_UM = 50.0
_LEAST_PRIMER_COVERAGE, _LEAST_PIN_COVERAGE = 0.6, 0.25

_RADII_MM = np.arange(0.2, 2.75, 0.5 * STEP_MM)
# Where on every pistol primer the face lies: outside the aperture, inside the rolled edge. How rough the face is, is
# seen there.
_SURELY_FACE_MM = (1.15, 1.5)
# The rolled edge shows the primer's own peel, a third rougher than most faces and more.
_ROUGHEST = 1.35
_DARKEST = 0.82
_ROUGHNESS_BAND_UM = (25.0, 100.0)
_ROUGHNESS_AREA_UM = 75.0
_CLIP_SIGMAS = 2.0
_STIFFNESS_MM = 0.1
# The aperture's wall: a dark line around the firing pin, in which direction it may be.
_APERTURE_MM = (0.5, 1.4)
_LINE_UM = 60.0
_LEAST_LINE = 0.08
_LIP_MM = 0.06
_LEAST_AREA_MM2 = 0.8


@dataclass(frozen=True, eq=False)
class ImageRegion:
    """The breech-face region of an image.

    Parameters
    ----------
    mask : ndarray of bool, shape (rows, columns)
        All False when none was found.
    centre_um : tuple of float or None
        Common centre of primer and firing pin, (y, x) from point (0, 0).
    aperture_seen : bool
        True when a dark line around the firing pin was taken for the edge of the aperture.
    reason : str or None
        Why no region was found; None when one was.
    """

    mask: NDArray[np.bool_]
    centre_um: tuple[float, float] | None
    aperture_seen: bool
    reason: str | None


def find_face_on_image(surface: Surface) -> ImageRegion:
    """Find the breech-face region of a whole primer's image under a ring light.

    On a 25 µm grid, dark walls vote for the common centre of firing pin and primer, as steep ones do on a topography.
    Around it the region is the closed band, by dynamic programming, that is as bright and as even as the face: the
    rolled edge of the primer is rougher, the gap and the firing pin are darker, and the edge of the aperture is a
    dark line inside of which nothing is taken. Dragged and sheared areas are not told from the face: give a region
    without them. Tested on simulated images only: look at the region before relying on it.

    Parameters
    ----------
    surface : Surface
        Reflectance image of at least the whole primer.

    Returns
    -------
    ImageRegion
        With ``reason`` set when there is no primer or no firing pin.

    References
    ----------
    doi:10.1016/0031-3203(81)90009-1 (votes); Tai & Eddy 2018 find circles on images by other means.

    Examples
    --------
    >>> find_face_on_image(Surface(np.full((200, 200), 0.5), (20.0, 20.0), "reflectance")).reason
    'no breech face found: nothing on the image is dark enough to be a firing-pin impression or a primer edge'
    """
    from scipy import ndimage

    image = _on_coarse_grid(surface, STEP_UM)
    level = float(np.median(image))
    if min(image.shape) < 40 or max(image.shape) > 1600 or level <= 0.0:
        return _nothing(surface, "the image is too small, too large or black")
    image /= level
    smooth = ndimage.gaussian_filter(image, _SMOOTHING_UM / STEP_UM, mode="nearest")
    slope_y, slope_x = np.gradient(_HEIGHT_MM * smooth, STEP_MM)
    centre = find_head_centre(slope_y, slope_x, STEP_MM)
    if centre is None:
        return _nothing(surface, "nothing on the image is dark enough to be a firing-pin impression or a primer edge")
    if centre.primer_coverage < _LEAST_PRIMER_COVERAGE or centre.pin_coverage < _LEAST_PIN_COVERAGE:
        return _nothing(
            surface,
            f"around the best centre the image darkens outwards, as at a primer's edge, in "
            f"{100 * centre.primer_coverage:.0f} % of the directions, and inwards, as at a firing pin, in "
            f"{100 * centre.pin_coverage:.0f} %; {100 * _LEAST_PRIMER_COVERAGE:.0f} % and "
            f"{100 * _LEAST_PIN_COVERAGE:.0f} % are needed",
        )
    evidence, seen = _evidence(surface, image, level, centre)
    band = best_annulus(evidence, centre.centre_mm, _RADII_MM, _STIFFNESS_MM)
    mask = refined(band.mask(image.shape, STEP_MM), surface) >= 0.5
    if float(mask.sum()) * surface.spacing_um[0] * surface.spacing_um[1] * 1e-6 < _LEAST_AREA_MM2:
        return _nothing(surface, "no even ring between firing pin and primer edge")
    place = 1e3 * centre.centre_mm[0], 1e3 * centre.centre_mm[1]
    return ImageRegion(mask, place, seen, None)


def _nothing(surface: Surface, why: str) -> ImageRegion:
    return ImageRegion(np.zeros(surface.heights_um.shape, bool), None, False, f"no breech face found: {why}")


def _on_coarse_grid(surface: Surface, step_um: float) -> NDArray[np.float64]:
    """Return the image smoothed to a coarser grid; missing points as dark as the darkest."""
    from scipy import ndimage

    values = np.asarray(surface.heights_um, dtype=np.float64)
    valid = np.isfinite(values)
    if not valid.any():
        return np.zeros((1, 1))
    filled = np.where(valid, values, values[valid].min())
    blurred = ndimage.gaussian_filter(filled, [0.5 * step_um / step for step in surface.spacing_um], mode="nearest")
    index = np.meshgrid(
        *(np.arange(0.0, count, step_um / step) for count, step in zip(values.shape, surface.spacing_um, strict=True)),
        indexing="ij",
    )
    return np.asarray(ndimage.map_coordinates(blurred, np.stack(index), order=1, mode="nearest"))


def _between(range_mm: tuple[float, float]) -> NDArray[np.bool_]:
    low, high = range_mm
    return np.asarray((low <= _RADII_MM) & (high >= _RADII_MM))


def _evidence(
    surface: Surface, image: NDArray[np.float64], level: float, centre: HeadCentre
) -> tuple[NDArray[np.float64], bool]:
    """Return for every direction and radius how much speaks for the face, −1 to 1; and whether an aperture was seen."""
    from scipy import ndimage

    from ballistics_kernels.filters import closed_path

    fine_um = 0.5 * STEP_UM
    fine = _on_coarse_grid(surface, fine_um) / level
    short, long = (ndimage.gaussian_filter(fine, 0.1874 * cutoff / fine_um) for cutoff in _ROUGHNESS_BAND_UM)
    relief = short - long
    # Clipped, so that one dark line does not make its whole neighbourhood rough.
    limit = _CLIP_SIGMAS * 1.4826 * float(np.median(np.abs(relief)))
    energy = ndimage.gaussian_filter(np.clip(relief, -limit, limit) ** 2, _ROUGHNESS_AREA_UM / fine_um)

    def polar(values: NDArray[np.float64], step_mm: float) -> NDArray[np.float64]:
        places = polar_positions(centre.centre_mm, _RADII_MM, step_mm)
        return np.asarray(ndimage.map_coordinates(values, places, order=1, mode="constant", cval=0.0))

    rough, bright = np.sqrt(np.maximum(polar(energy, 0.5 * STEP_MM), 0.0)), polar(image, STEP_MM)
    face = _between(_SURELY_FACE_MM)
    usual_rough, usual_bright = float(np.median(rough[:, face])), float(np.median(bright[:, face]))
    evidence = np.clip(1.0 - (rough / max(_ROUGHEST * usual_rough, 1e-9)) ** 2, -1.0, 1.0)
    evidence[bright < _DARKEST * usual_bright] = -1.0
    # The case head around the primer is as even as the face, and wider.
    if math.isfinite(centre.primer_radius_mm):
        evidence[:, centre.primer_radius_mm <= _RADII_MM] = -1.0
    # The line's own darkness against what lies on both sides of it.
    thin = polar(ndimage.gaussian_filter(fine, 0.25 * _LINE_UM / fine_um), 0.5 * STEP_MM)
    size = 2 * round(2.5 * _LINE_UM * 1e-3 / (0.5 * STEP_MM)) + 1
    line = (ndimage.median_filter(thin, (1, size), mode="nearest") - thin) / usual_bright
    path = closed_path(np.where(_between(_APERTURE_MM)[None, :], line, -np.inf), 0.02, 6)
    seen = float(np.median(line[np.arange(ANGLES), path])) >= _LEAST_LINE
    if seen:
        evidence[_RADII_MM[None, :] <= _RADII_MM[path][:, None] + _LIP_MM] = -1.0
    return evidence, seen
