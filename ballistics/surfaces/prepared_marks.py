"""Recognition of scans that were prepared elsewhere: cropped, levelled and band-passed already."""

from __future__ import annotations

import numpy as np

from ballistics.surfaces.filters import low_pass
from ballistics.surfaces.levelling import fit_form
from ballistics.surfaces.surface import Surface

_LARGEST_FRAME_SHARE = 0.25
_LARGEST_VALID_SHARE = 0.7
_LARGEST_TILT_DEG = 0.05  # no stage levels a cartridge case to 1 µm over a millimetre
_LARGEST_MEAN = 0.25  # in units of the rms height
_LARGEST_RMS_UM = 10.0
_LONG_UM, _LARGEST_LONG_SHARE = 1000.0, 0.6
_SHORT_UM, _LARGEST_SHORT_SHARE = 16.0, 0.13


def is_prepared(surface: Surface) -> bool:
    """Return True when the heights themselves show that the scan was prepared before.

    All of these must hold: most of the frame is missing (the mark was cut out); the heights are
    about zero (mean below a quarter of the rms); the robust plane is level to 0.05°; waves longer
    than 1 mm hold less than 60 % of the amplitude; and waves shorter than 16 µm, where an unfiltered
    scan has its noise, less than 13 %. File names and metadata play no part.

    Examples
    --------
    >>> is_prepared(Surface(np.zeros((50, 50)), (6.25, 6.25)))
    False
    """
    heights = np.asarray(surface.heights_um, dtype=np.float64)
    valid = np.isfinite(heights)
    if surface.kind != "topography" or min(heights.shape, default=0) < 16 or valid.sum() < 1000:
        return False
    frame = np.concatenate([valid[0], valid[-1], valid[:, 0], valid[:, -1]])
    if frame.mean() > _LARGEST_FRAME_SHARE or valid.mean() > _LARGEST_VALID_SHARE:
        return False
    rms = float(heights[valid].std())
    if not 0.0 < rms < _LARGEST_RMS_UM or abs(float(heights[valid].mean())) > _LARGEST_MEAN * rms:
        return False
    plane = fit_form(heights, surface.spacing_um, order=1)
    if plane is None or plane.tilt_deg > _LARGEST_TILT_DEG:
        return False
    if 2.0 * max(surface.spacing_um) > _SHORT_UM:
        return False  # too coarse to tell whether short waves were filtered out
    long = low_pass(heights, surface.spacing_um, _LONG_UM)
    short = heights - low_pass(heights, surface.spacing_um, _SHORT_UM)
    return bool(np.nanstd(long) < _LARGEST_LONG_SHARE * rms and np.nanstd(short) < _LARGEST_SHORT_SHARE * rms)
