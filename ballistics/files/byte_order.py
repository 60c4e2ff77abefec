"""Detects binary values that are stored in another byte order than their format defines."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.findings import Finding

_RUNS, _RUN = 64, 64
# Numbers read with their bytes swapped have exponents at random: the largest of them dwarf the median.
_WILD = 1e6
_TAME = 1e4
_NOTHING, _TOO_MUCH = 1e-20, 1e20
# Median step to the neighbour, over the range of the middle half. White noise has 0.6 to 0.7; the given scans
# have at most 0.15.
_SMOOTH = 0.25
# Swapped integers jump wherever their low byte overflows: their steps are this much larger than those of the surface.
_JUMPY, _JUMPIER = 0.05, 3.0
_SHARED = 0.05


def native_order(values: NDArray[Any]) -> tuple[NDArray[Any], list[Finding]]:
    """Return binary values in the byte order in which they are heights.

    Parameters
    ----------
    values : ndarray, any shape
        As read in the order that the format defines.

    Returns
    -------
    values : ndarray
        The same, or with the bytes of each number swapped.
    findings : list of Finding
        ``byte-order-swapped`` (serious) in that case: as they were read the numbers were noise or absurd, swapped
        they are a smooth surface.

    Examples
    --------
    >>> heights = np.cumsum(np.random.default_rng(1).normal(size=4096)) * 1e-6
    >>> swapped, findings = native_order(heights.astype(">f8").view("<f8"))
    >>> bool((swapped == heights).all()), [finding.code for finding in findings]
    (True, ['byte-order-swapped'])
    """
    if values.dtype.itemsize == 1 or values.size < _RUN:
        return values, []
    sample = _runs(values.reshape(-1))
    if not (_garbled_floats(sample) if sample.dtype.kind == "f" else _garbled_integers(sample)):
        return values, []
    return values.byteswap(), [
        Finding(
            "byte-order-swapped",
            "serious",
            "the numbers are stored with their bytes in the reverse order of what the format defines (big-endian)",
            "read in the order in which they are a surface; have the exporting program mended",
        )
    ]


def _runs(flat: NDArray[Any]) -> NDArray[Any]:
    """Return up to 64 runs of 64 neighbours, spread evenly, shape (runs, 64)."""
    starts = np.linspace(0, flat.size - _RUN, min(_RUNS, flat.size // _RUN)).astype(np.int64)
    return np.ascontiguousarray(flat[starts[:, None] + np.arange(_RUN)])


def _garbled_floats(sample: NDArray[Any]) -> bool:
    """Whether values are of all magnitudes, and those of a surface when their bytes are swapped."""
    median, large, share = _magnitudes(sample)
    if not share > 0 or not (large > _WILD * median or large < _NOTHING or median > _TOO_MUCH):
        return False
    swapped = sample.byteswap()
    median, large, share = _magnitudes(swapped)
    # A good half of a scan may be missing, but not nearly all of it.
    if share < 0.1 or not _NOTHING < median <= large < min(_TOO_MUCH, _TAME * median):
        return False
    return _roughness(swapped)[0] < _SMOOTH


def _garbled_integers(sample: NDArray[Any]) -> bool:
    """Whether values jump about, and far less so when their bytes are swapped."""
    median, mean = _roughness(sample)
    if not mean > _JUMPY:
        return False
    swapped_median, swapped_mean = _roughness(sample.byteswap())
    calmer = swapped_mean * _JUMPIER < mean or swapped_median * _JUMPIER < median
    return swapped_median < _SMOOTH and calmer


def _magnitudes(sample: NDArray[Any]) -> tuple[float, float, float]:
    """Return median and 95th percentile of the magnitudes that are not zero, and the share of finite values."""
    finite = np.isfinite(sample)
    magnitudes = np.abs(sample[finite].astype(np.float64))
    magnitudes = magnitudes[magnitudes > 0]
    if magnitudes.size < _RUN // 2:
        return 0.0, 0.0, 0.0
    median, large = np.percentile(magnitudes, (50.0, 95.0))
    return float(median), float(large), float(finite.mean())


def _roughness(sample: NDArray[Any]) -> tuple[float, float]:
    """Return the median and the mean step between neighbours over the interquartile range; NaN for a flat sample.

    A number that many share is left out: the marker of missing points, or nothing where there is none.
    """
    nothing = float("nan"), float("nan")
    values = sample.astype(np.float64)
    known = values[np.isfinite(values)]
    if not known.size:
        return nothing
    distinct, counts = np.unique(known, return_counts=True)
    if counts.max() > _SHARED * known.size:
        values[values == distinct[counts.argmax()]] = np.nan
    steps = np.abs(np.diff(values, axis=1))
    steps, values = steps[np.isfinite(steps)], values[np.isfinite(values)]
    if not steps.size:
        return nothing
    low, high = np.percentile(values, (25.0, 75.0))
    return (float(np.median(steps) / (high - low)), float(steps.mean() / (high - low))) if high > low else nothing
