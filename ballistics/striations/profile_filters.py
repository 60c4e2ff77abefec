"""Band-pass of one profile, with ISO cut-offs and missing points, fast enough for every band of a scan."""

from __future__ import annotations

import numpy as np

from ballistics.striations.signature import Floats
from ballistics.surfaces import low_pass

# Points in the long cut-off on the coarse grid on which it is taken: the waves kept there are ten times longer.
_POINTS_PER_LONG_WAVE = 40.0


def band_passed(heights: Floats, spacing_um: float, band_um: tuple[float, float]) -> Floats:
    """Keep the waves between two ISO cut-offs; missing points stay missing and have no weight.

    The short cut-off is a Gaussian mean, the long one a second-order regression, so that form is removed up to the
    ends. The long one is taken on means of a few points and interpolated.

    Parameters
    ----------
    heights : ndarray of float64, shape (n,)
        In µm; NaN for missing points.
    spacing_um : float
    band_um : tuple of float
        Short and long cut-off.

    Examples
    --------
    >>> x = np.arange(1500) * 1.5
    >>> form = 1e-4 * (x - 900.0) ** 2
    >>> bool(np.abs(band_passed(form, 1.5, (20.0, 400.0))).max() < 0.01)
    True
    """
    valid = np.isfinite(heights)
    if not valid.any():
        return np.full(len(heights), np.nan)
    short, long = band_um
    factor = max(1, int(long / _POINTS_PER_LONG_WAVE / spacing_um))
    blocks = -(-len(heights) // factor)
    padded = np.full(blocks * factor, np.nan)
    padded[: len(heights)] = heights
    known = np.isfinite(padded).reshape(blocks, factor)
    count = known.sum(axis=1)
    places = np.arange(blocks * factor, dtype=np.float64).reshape(blocks, factor)
    number = np.maximum(count, 1)
    means = np.where(count > 0, np.where(known, padded.reshape(blocks, factor), 0.0).sum(axis=1) / number, np.nan)
    # A block with a gap stands for the middle of its valid points.
    centres = np.where(known, places, 0.0).sum(axis=1) / number
    # On a single row a surface of second order is not determined, and the filter would fall back to a mean.
    step_um = factor * spacing_um
    rough = low_pass(np.repeat(means[None], 3, axis=0), (step_um, step_um), long, order=2)[1]
    some = np.isfinite(rough)
    if some.sum() < 2:
        return np.full(len(heights), np.nan)
    waves = _interpolated(np.arange(len(heights), dtype=np.float64), centres[some], rough[some])
    level: Floats = np.where(valid, heights - waves, np.nan)
    # Form is gone: a plain mean does not bend at the ends.
    if short < 2.0 * spacing_um:
        return level
    return np.asarray(low_pass(level[None], (spacing_um, spacing_um), short)[0])


def _interpolated(x: Floats, places: Floats, values: Floats) -> Floats:
    """Return linear interpolation, continued straight beyond the ends."""
    out = np.interp(x, places, values)
    before, after = x < places[0], x > places[-1]
    out[before] = values[0] + (x[before] - places[0]) * (values[1] - values[0]) / (places[1] - places[0])
    out[after] = values[-1] + (x[after] - places[-1]) * (values[-1] - values[-2]) / (places[-1] - places[-2])
    return out
