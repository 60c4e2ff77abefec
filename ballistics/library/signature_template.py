"""The template of a striated mark: its signature on a coarse grid, in a record of fixed length."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ballistics.methods import Striated, method_of
from ballistics.striations import Signature, on_grid
from ballistics.surfaces import Mark, mark_type

METHOD, VERSION = "signature across the striae, on a grid of a hundredth of the long cut-off", "signature-1"

# A land of 4 mm, aperture shear of 2.5 mm, a tool mark of 10 mm; of a longer one the middle is kept.
POINTS = 1024
_STEPS_PER_WAVE = 100
# Heights beyond this number of robust standard deviations are limited, as in the octaves of the similarity.
_CLIP_SIGMAS = 4.0
_LARGEST, _MISSING = 127, -128

RECORD = np.dtype(
    [("version", "S16"), ("mark_kind", "S24"), ("surface_kind", "S16"), ("scale_um", "<f4"), ("heights", "i1", POINTS)]
)
"""The layout of a record: fixed length, little-endian; −128 is a missing point."""

RECORD_BYTES = RECORD.itemsize


def step_um(mark_kind: str) -> float:
    """Return the grid of the templates of a kind of mark.

    Examples
    --------
    >>> step_um("land engraved area")
    4.0
    """
    return mark_type(mark_kind).long_cutoff_um / _STEPS_PER_WAVE


def make_record(mark: Mark) -> bytes:
    """Make the record of a striated mark; the same mark gives the same bytes.

    Parameters
    ----------
    mark : Mark
        An empty or flat mark gives a record that agrees with no other.
    """
    record = np.zeros(1, RECORD)
    row = record[0]
    row["version"], row["mark_kind"], row["surface_kind"] = VERSION, mark.kind, mark.surface_kind
    heights = _middle(coarse_signature(mark).heights_um)
    known = np.isfinite(heights)
    row["heights"] = _MISSING
    if known.any():
        values = heights - np.median(heights[known])
        scale = _CLIP_SIGMAS * 1.4826 * float(np.median(np.abs(values[known]))) / _LARGEST
        row["scale_um"] = scale
        steps = np.rint(np.clip(values[known] / scale, -_LARGEST, _LARGEST)) if scale > 0.0 else np.zeros(known.sum())
        placed = np.full(POINTS, _MISSING, np.int8)
        start = (POINTS - len(heights)) // 2
        placed[start : start + len(heights)][known] = steps.astype(np.int8)
        row["heights"] = placed
    return record.tobytes()


def coarse_signature(mark: Mark) -> Signature:
    """Return the signature of a mark on the grid of its templates."""
    method = method_of(mark.kind)
    assert isinstance(method, Striated)
    return on_grid(method.signature(mark), step_um(mark.kind))


def profiles(records: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the profiles of some records, each about its own scale; NaN where missing.

    Parameters
    ----------
    records : ndarray of uint8, shape (n, RECORD_BYTES)

    Returns
    -------
    ndarray of float32, shape (n, POINTS)
    """
    start = RECORD.fields["heights"][1] if RECORD.fields is not None else 0
    steps = np.ascontiguousarray(records[:, start : start + POINTS]).view(np.int8)
    return np.where(steps == _MISSING, np.float32(np.nan), steps.astype(np.float32))


def _middle(heights: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.flatnonzero(np.isfinite(heights))
    inside = heights[known[0] : known[-1] + 1] if len(known) else heights[:0]
    first = max((len(inside) - POINTS) // 2, 0)
    return np.asarray(inside[first : first + POINTS])
