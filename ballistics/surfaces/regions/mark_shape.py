"""Whether a region can be a mark of the type it is taken for: by its size, its shape, and what lies around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.surfaces.regions.coarse_relief import STEP_MM, STEP_UM, CoarseRelief, coarse_relief
from ballistics.surfaces.regions.cut_outs import flat_range_um, is_disc

# Every limit stands far from all given and simulated marks (test_mark_shape.py prints the margins): the
# hull of a firing-pin impression has .3–.7 mm², that of a breech face 6.3–14 mm²; the face deviates from its form by at
# most 8 µm where it was found and 30 µm where an examiner drew it roughly, a head with its impression by 137 µm.
_LARGEST_HULL_MM2 = {"firing pin": 2.5, "ejector": 4.0, "aperture shear": 4.0}
_LARGEST_FACE_MM2 = 25.0  # of hull: a large primer has 22 mm²
_LEAST_FACE_MM2 = 1.5  # six cells of .22 mm² need 1.3
_LARGEST_FACE_RANGE_UM = 65.0
_LARGEST_ASPECT = 4.0  # elongated firing pins have 2; a strip is none
_AROUND_MM = 0.3
_LEAST_SURROUNDED = 0.5
_LEAST_STEP_UM = 15.0  # impressions lie 91 µm and more below (or, on a cast, above) what is around them


@dataclass(frozen=True)
class Shape:
    """What is measured of a region.

    Parameters
    ----------
    hull_mm2 : float
        Area of the convex hull of its measured points.
    aspect : float
        Longer over shorter side of the smallest rectangle around it.
    disc : bool
        Round, without a hollow in its middle.
    range_um : float
        1st to 99th percentile of the smoothed heights about a second-order form.
    step_um : float
        By how much its surroundings, to .3 mm, differ in height; NaN where less than half of them is measured.
    """

    hull_mm2: float
    aspect: float
    disc: bool
    range_um: float
    step_um: float


def shape_of(heights_um: NDArray[np.float64], spacing_um: tuple[float, float], mask: NDArray[np.bool_]) -> Shape | None:
    """Measure a region on the heights of its scan.

    Parameters
    ----------
    heights_um : ndarray of float64, shape (rows, columns)
        The scan's heights in µm, not filtered yet; NaN where missing.
    spacing_um : tuple of float
        Distance in µm between rows and between columns.
    mask : ndarray of bool, shape (rows, columns)
        The region.

    Returns
    -------
    Shape or None
        None when the region is smaller than 100 points of 25 µm.
    """
    import cv2

    inside = coarse_relief(np.where(mask, heights_um, np.nan), spacing_um)
    if inside is None:
        return None
    rows, columns = np.nonzero(inside.valid)
    hull = cv2.convexHull(np.stack([columns, rows], axis=1).astype(np.float32))
    sides = sorted(side + 1.0 for side in cv2.minAreaRect(hull)[1])
    return Shape(
        hull_mm2=float(cv2.contourArea(hull)) * STEP_MM**2,
        aspect=float(sides[1] / sides[0]),
        disc=is_disc(inside.valid, STEP_UM),
        range_um=flat_range_um(inside),
        step_um=_step(coarse_relief(heights_um, spacing_um), inside),
    )


def _step(scan: CoarseRelief | None, inside: CoarseRelief) -> float:
    from scipy import ndimage

    if scan is None:
        return float("nan")
    region = ndimage.binary_fill_holes(inside.valid)
    around = ndimage.binary_dilation(region, iterations=round(_AROUND_MM / STEP_MM)) & ~region
    measured = around & scan.valid
    if not around.any() or measured.sum() < _LEAST_SURROUNDED * around.sum():
        return float("nan")
    return abs(float(np.median(scan.heights_um[measured]) - np.median(scan.heights_um[inside.valid & scan.valid])))


def not_of_type(
    heights_um: NDArray[np.float64], spacing_um: tuple[float, float], mask: NDArray[np.bool_], kind: str
) -> str | None:
    """Return why a region cannot be a mark of a type, or None when nothing speaks against it.

    Parameters
    ----------
    heights_um : ndarray of float64, shape (rows, columns)
        The scan's heights in µm, not filtered yet; NaN where missing.
    spacing_um : tuple of float
    mask : ndarray of bool, shape (rows, columns)
        The region.
    kind : str
        Mark type.

    Examples
    --------
    >>> face = np.zeros((160, 160))
    >>> not_of_type(face, (25.0, 25.0), np.ones((160, 160), bool), "firing pin")
    'it covers 15.8 mm²; a firing pin has at most 2.5 mm²'
    """
    found = shape_of(heights_um, spacing_um, mask)
    if found is None:
        return None
    if kind != "breech face":
        largest = _LARGEST_HULL_MM2[kind]
        if found.hull_mm2 > largest:
            return f"it covers {found.hull_mm2:.1f} mm²; a {kind} has at most {largest:g} mm²"
        if kind == "firing pin" and found.aspect > _LARGEST_ASPECT:
            return f"it is {found.aspect:.0f} times as long as wide; a firing-pin impression is round or nearly so"
        if kind == "firing pin" and found.step_um < _LEAST_STEP_UM:
            return f"it lies level with what is around it ({found.step_um:.0f} µm); a firing-pin impression is deep"
        return None
    if found.hull_mm2 > _LARGEST_FACE_MM2:
        return f"it covers {found.hull_mm2:.0f} mm²; a breech face has at most {_LARGEST_FACE_MM2:g} mm²"
    if found.hull_mm2 < _LEAST_FACE_MM2:
        return f"it covers {found.hull_mm2:.2f} mm² only; of a breech face {_LEAST_FACE_MM2:g} mm² or more are needed"
    if found.range_um > _LARGEST_FACE_RANGE_UM:
        return (
            f"its heights range over {found.range_um:.0f} µm about a smooth form; a breech face is flat to "
            f"{_LARGEST_FACE_RANGE_UM:g} µm: a firing-pin impression or an edge lies in it"
        )
    if found.disc:
        return "it is round and has no hollow in its middle, where a firing pin strikes"
    return None
