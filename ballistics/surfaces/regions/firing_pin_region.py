"""The firing-pin impression of a scan: the floor of the bowl in the middle of the breech face."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.surfaces.filtering.levelling import fit_form
from ballistics.surfaces.regions.breech_face_region import BreechFaceRegion, RegionLabel, find_breech_face
from ballistics.surfaces.regions.coarse_relief import STEP_MM, STEP_UM, coarse_relief
from ballistics.surfaces.regions.region_geometry import Circle, refined
from ballistics.surfaces.surface import Surface

# The bowl's edge is drawn at half its depth: rim, lip and wall lie above, and so does the mark of a pin that dragged,
# which is shallower than the impression itself.
_FLOOR_SHARE = 0.5
_DEEPEST_PERCENT = 95.0  # dust and dropouts that survive the medians are fewer
_STEEPEST = math.tan(math.radians(50.0))
_OPENING_POINTS = 2
_LEAST_AREA_MM2 = 0.05  # six cells of 78 µm need 0.04 mm²
_LEAST_MEASURED = 0.3
# Primer metal that flowed back stands up by some tens of µm, and as wide as the aperture: on a scan whose true
# impression was not measured it could pass for one turned over.
_LEAST_DEPTH_UM = 50.0
_LARGEST_RADIUS_UM = 800.0


@dataclass(frozen=True, eq=False)
class FiringPinRegion:
    """Where the comparable part of the firing-pin impression is on a surface.

    Parameters
    ----------
    mask : ndarray of bool, shape (rows, columns)
        True in the region, missing points within it included; all False when none was found.
    circle : Circle or None
        Circle of the same area and centroid as the region.
    depth_um : float
        Depth of the impression below the breech face; NaN when there is none.
    breech_face : BreechFaceRegion
        The breech face that the depth is counted from.
    reason : str or None
        Why no region was found; None when one was.
    """

    mask: NDArray[np.bool_]
    circle: Circle | None
    depth_um: float
    breech_face: BreechFaceRegion
    reason: str | None


def find_firing_pin(surface: Surface) -> FiringPinRegion:
    """Find the floor of the firing-pin impression on a scan that also shows the breech face around it.

    The breech face is found first (`find_breech_face`); the impression is what lies deep below its form, and its
    comparable part is what lies deeper than half the impression's depth and is not too steep to be measured: a
    conservative choice, well inside the rim, that leaves out drag marks since they are shallower.

    Parameters
    ----------
    surface : Surface
        Topography. Missing points are allowed.

    Returns
    -------
    FiringPinRegion
        With ``reason`` set and an empty mask when no impression can be found: never a guess. A scan of the impression
        alone has nothing to count its depth from: give its region as a mask.

    Raises
    ------
    ParameterError
        If the surface is not a topography.

    Examples
    --------
    >>> flat = Surface(np.zeros((200, 200)), (20.0, 20.0))
    >>> find_firing_pin(flat).reason[:30]
    'no firing-pin impression found'
    """
    face = find_breech_face(surface)
    if face.reason is not None:
        return _nothing(face, f"without a breech face around it its depth is not known ({face.reason})")
    if face.masked:
        return _nothing(face, "everything but the breech face was masked before")
    sign = -1.0 if face.inverted else 1.0
    relief = coarse_relief(sign * np.asarray(surface.heights_um, dtype=np.float64), surface.spacing_um)
    if relief is None:
        return _nothing(face, "the scan is too small or too large")
    shape = relief.valid.shape
    labels = _on_coarse_grid(face.labels, surface, shape)
    flat = (labels == RegionLabel.BREECH_FACE) & relief.valid
    form = fit_form(np.where(flat, relief.heights_um, np.nan), (STEP_UM, STEP_UM), 2, selected=True)
    if form is None:
        return _nothing(face, "the breech face is too small to count a depth from")
    depth = form.heights_um(shape, (STEP_UM, STEP_UM)) - relief.heights_um
    floor, depth_um = _floor(labels == RegionLabel.FIRING_PIN, depth, _slope(relief.heights_um))
    if floor is None:
        return _nothing(face, f"its floor, {depth_um:.0f} µm deep, is not measured or all of it is steep")
    area = float(floor.sum()) * STEP_MM**2
    measured = float(relief.valid[floor].mean())
    if area < _LEAST_AREA_MM2 or measured < _LEAST_MEASURED:
        return _nothing(
            face,
            f"its floor has {area:.3f} mm², {100 * measured:.0f} % of it measured; {_LEAST_AREA_MM2} mm² and "
            f"{100 * _LEAST_MEASURED:.0f} % are needed",
        )
    rows, columns = np.nonzero(floor)
    circle = Circle(
        (float(rows.mean() * STEP_UM), float(columns.mean() * STEP_UM)),
        float(STEP_UM * math.sqrt(rows.size / math.pi)),
    )
    if depth_um < _LEAST_DEPTH_UM or circle.radius_um > _LARGEST_RADIUS_UM:
        return _nothing(
            face,
            f"the hollow in the breech face is {depth_um:.0f} µm deep, its floor {2 * circle.radius_um:.0f} µm wide; "
            f"{_LEAST_DEPTH_UM:.0f} µm or more and {2 * _LARGEST_RADIUS_UM:.0f} µm or less are expected",
        )
    return FiringPinRegion(refined(floor, surface) > 0.5, circle, depth_um, face, None)


def _nothing(face: BreechFaceRegion, why: str) -> FiringPinRegion:
    empty = np.zeros(face.mask.shape, dtype=bool)
    return FiringPinRegion(empty, None, math.nan, face, f"no firing-pin impression found: {why}")


def _on_coarse_grid(labels: NDArray[np.uint8], surface: Surface, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    index = [
        np.minimum(np.rint(np.arange(count) * (STEP_UM / step)).astype(np.intp), size - 1)
        for count, step, size in zip(shape, surface.spacing_um, labels.shape, strict=True)
    ]
    return labels[np.ix_(*index)]


def _slope(heights_um: NDArray[np.float64]) -> NDArray[np.float64]:
    slope_y, slope_x = np.gradient(heights_um, STEP_UM)
    return np.asarray(np.hypot(slope_y, slope_x))


def _floor(
    pin: NDArray[np.bool_], depth: NDArray[np.float64], slope: NDArray[np.float64]
) -> tuple[NDArray[np.bool_] | None, float]:
    """Return the part of the impression that holds its deepest points, without its walls; and the depth."""
    from scipy import ndimage

    measured = pin & np.isfinite(depth)
    if not measured.any():
        return None, math.nan
    deepest = float(np.percentile(depth[measured], _DEEPEST_PERCENT))
    # A gap is as deep as the measured point next to it, so that dropouts do not notch the border.
    beside = ndimage.distance_transform_edt(~np.isfinite(depth), return_distances=False, return_indices=True)
    deep = pin & (depth[tuple(beside)] >= _FLOOR_SHARE * deepest) & ~(slope > _STEEPEST)
    y, x = np.ogrid[-_OPENING_POINTS : _OPENING_POINTS + 1, -_OPENING_POINTS : _OPENING_POINTS + 1]
    floor = ndimage.binary_fill_holes(ndimage.binary_opening(deep, y * y + x * x <= _OPENING_POINTS**2))
    parts, count = ndimage.label(floor)
    if count == 0:
        return None, deepest
    return np.asarray(parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))), deepest
