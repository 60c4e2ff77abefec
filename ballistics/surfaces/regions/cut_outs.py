"""Recognition of scans from which one mark was cut out: the frame is missing, and what is left is flat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ballistics.surfaces.filtering.levelling import fit_form
from ballistics.surfaces.regions.coarse_relief import LARGEST_DROPOUT_MM2, STEP_UM, CoarseRelief, coarse_relief
from ballistics.surfaces.surface import Surface

# Limits stand far from both populations (test_cut_outs.py prints the margins; 40 Fadul, 11 TopMatch, 2
# raw and simulated scans). The flat of a mark deviates by at most 8 µm from its form, by 30 µm where an examiner drew
# it roughly; a head with its firing-pin impression by 137 µm and more. Of its frame, a scan cut to a region keeps at
# most .17, a full field 1.
_LARGEST_FRAME_SHARE = 0.5
_LARGEST_RANGE_UM = 65.0
# Prepared scans are level to .02°; raw ones tilt by .36° and more: no stage levels a case to 1 µm over a millimetre.
_LARGEST_TILT_DEG = 0.05
# A square has a roundness (4 π area / perimeter²) of .79, half a disc .75.
_LEAST_ROUNDNESS = 0.9
# Of the .79 mm² in the middle of all given faces .78 are hollow.
_MIDDLE_UM, _LEAST_HOLLOW_MM2 = 500.0, 0.1


def frame_is_missing(measured: NDArray[np.bool_]) -> bool:
    """Return True when at least half of a scan's outermost rows and columns is missing.

    Examples
    --------
    >>> frame_is_missing(np.pad(np.ones((3, 3), bool), 1)), frame_is_missing(np.ones((3, 3), bool))
    (True, False)
    """
    if min(measured.shape, default=0) < 1:
        return False
    frame = np.concatenate([measured[0], measured[-1], measured[:, 0], measured[:, -1]])
    return bool(frame.mean() <= _LARGEST_FRAME_SHARE)


def flat_range_um(relief: CoarseRelief) -> float:
    """Return the 1st to 99th percentile (µm) of the smoothed heights about a second-order form; NaN without a form."""
    form = fit_form(relief.heights_um, (STEP_UM, STEP_UM), 2, selected=True)
    if form is None:
        return float("nan")
    deviation = relief.heights_um - form.heights_um(relief.valid.shape, (STEP_UM, STEP_UM))
    low, high = np.percentile(deviation[relief.valid], [1.0, 99.0])
    return float(high - low)


def is_flat_cut_out(relief: CoarseRelief) -> bool:
    """Return True when most of the frame is missing, and all that is measured is one flat area.

    Roughness and filtering play no part, so that two scans of one item are not judged differently.
    """
    return frame_is_missing(relief.valid) and flat_range_um(relief) <= _LARGEST_RANGE_UM


def is_disc(measured: NDArray[np.bool_], step_um: float) -> bool:
    """Return True for a round area without a hollow in its middle, which a firing pin would have left in a face.

    Examples
    --------
    >>> y, x = np.mgrid[-60:61, -60:61] * 25.0
    >>> radius = np.hypot(y, x)
    >>> is_disc(radius < 1400, 25.0), is_disc((radius < 1400) & (radius > 300), 25.0), is_disc(abs(x) < 400, 25.0)
    (True, False, False)
    """
    import cv2

    rows, columns = np.nonzero(measured)
    hull = cv2.convexHull(np.stack([columns, rows], axis=1).astype(np.int32))
    area, around = cv2.contourArea(hull), cv2.arcLength(hull, True)
    if around == 0.0 or 4.0 * np.pi * area < _LEAST_ROUNDNESS * around**2:
        return False
    within = np.zeros(measured.shape, dtype=np.uint8)
    cv2.fillConvexPoly(within, hull, 1)
    y, x = (index.mean() for index in np.nonzero(within))
    i, j = np.indices(measured.shape)
    middle = (within > 0) & (np.hypot(i - y, j - x) * step_um < _MIDDLE_UM)
    hollow_um2 = float((middle & ~measured).sum()) * step_um**2
    return hollow_um2 < _LEAST_HOLLOW_MM2 * 1e6


def measured_area(surface: Surface) -> NDArray[np.bool_]:
    """Return the measured points, and the dropouts among them."""
    from scipy import ndimage

    measured = np.isfinite(surface.heights_um)
    gaps, count = ndimage.label(~measured)
    point = surface.spacing_um[0] * surface.spacing_um[1] * 1e-6
    area = np.bincount(gaps.ravel(), minlength=count + 1) * point
    return np.asarray(measured | (area < LARGEST_DROPOUT_MM2)[gaps])


def is_prepared(surface: Surface) -> bool:
    """Return True when a scan was cut out and levelled before, as a scan prepared elsewhere is.

    It is said as a finding and decides nothing: every scan is filtered alike (`preparation.preparing`).
    File names and metadata play no part.

    Examples
    --------
    >>> is_prepared(Surface(np.zeros((50, 50)), (6.25, 6.25)))
    False
    """
    heights = np.asarray(surface.heights_um, dtype=np.float64)
    if surface.kind != "topography" or heights.ndim != 2 or not frame_is_missing(np.isfinite(heights)):
        return False
    relief = coarse_relief(heights, surface.spacing_um)
    if relief is None or not is_flat_cut_out(relief):
        return False
    plane = fit_form(relief.blocks_um, (STEP_UM, STEP_UM), order=1)
    return plane is not None and plane.tilt_deg <= _LARGEST_TILT_DEG
