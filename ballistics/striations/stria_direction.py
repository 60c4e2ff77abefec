"""In which direction the striae of a mark run, point by point: the structure tensor of its fine relief."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from ballistics.striations.signature import Floats
from ballistics.surfaces import low_pass

# Slopes are capped at this multiple of their median: a rim or a scratch is steeper than striae, and only one line.
_CAP = 2.0
# Around a point, how much counts towards its direction (standard deviation).
_AROUND_UM = 60.0
# A neighbourhood with less coherence has no direction; noise has a tenth to a quarter.
LEAST_COHERENCE = 0.35
_BINS = 180
_SMOOTHED_DEG = 6.0


@dataclass(frozen=True, eq=False)
class StriaDirections:
    """Where the striae of a mark run.

    Parameters
    ----------
    direction_deg : float
        The commonest direction, counter-clockwise from the rows as displayed, 0 to 180.
    share : float
        Share of the valid points around which the striae run within 20° of it.
    local_deg, coherence : ndarray of float64, shape (rows, columns)
        At every point, and how clear it is, 0 to 1; NaN where missing.
    """

    direction_deg: float
    share: float
    local_deg: Floats
    coherence: Floats

    def off_deg(self) -> Floats:
        """Return by how much the local directions differ from the commonest, −90 to 90."""
        return np.asarray((self.local_deg - self.direction_deg + 90.0) % 180.0 - 90.0)


def stria_directions(
    heights_um: Floats, spacing_um: tuple[float, float], band_um: tuple[float, float]
) -> StriaDirections | None:
    """Find the direction of the striae of a mark; None without points to tell it from.

    Parameters
    ----------
    heights_um : ndarray of float64, shape (rows, columns)
        NaN for missing points and outside the mark.
    spacing_um : tuple of float
    band_um : tuple of float
        Waves between these cut-offs are looked at.

    References
    ----------
    Bigün & Granlund 1987, structure tensor; Kass & Witkin 1987, doi:10.1016/0734-189X(87)90043-0.

    Examples
    --------
    >>> y, x = np.mgrid[:200, :200] * 5.0
    >>> wave = np.sin((x - np.tan(np.radians(20.0)) * y) / 10.0)
    >>> found = stria_directions(wave, (5.0, 5.0), (15.0, 250.0))
    >>> abs(found.direction_deg - 110.0) < 2.0, found.share > 0.9
    (True, True)
    """
    rows, columns = heights_um.shape
    if min(rows, columns) < 5 or not np.isfinite(heights_um).any():
        return None
    smooth = low_pass(heights_um, spacing_um, max(band_um[0], 2.5 * max(spacing_um)))
    rough = low_pass(heights_um, spacing_um, max(band_um[1], 5.0 * max(spacing_um)))
    level = smooth - rough
    slope_y, slope_x = np.full((2, rows, columns), np.nan)
    slope_y[1:-1] = (level[2:] - level[:-2]) / (2.0 * spacing_um[0])
    slope_x[:, 1:-1] = (level[:, 2:] - level[:, :-2]) / (2.0 * spacing_um[1])
    steepness = np.hypot(slope_x, slope_y)
    known = np.isfinite(steepness)
    if known.sum() < 25:
        return None
    cap = _CAP * float(np.median(steepness[known]))
    if cap <= 0.0:
        return None
    less = np.where(known & (steepness > 0), np.minimum(1.0, cap / np.where(steepness > 0, steepness, 1.0)), 0.0)
    gx, gy = (np.where(known, slope, 0.0) * less for slope in (slope_x, slope_y))
    sigmas = [_AROUND_UM / step for step in spacing_um]
    xx, yy, xy = (gaussian_filter(product, sigmas, mode="constant") for product in (gx * gx, gy * gy, gx * gy))
    power = xx + yy
    some = known & (power > 0)
    coherence = np.full((rows, columns), np.nan)
    local = np.full((rows, columns), np.nan)
    coherence[some] = np.hypot(xx - yy, 2.0 * xy)[some] / power[some]
    # The gradient points across the striae; rows run down, angles count up.
    across = -np.degrees(0.5 * np.arctan2(2.0 * xy[some], (xx - yy)[some]))
    local[some] = (across + 90.0) % 180.0
    return StriaDirections(*_commonest(local, coherence, some), local, coherence)


def _commonest(local: Floats, coherence: Floats, some: NDArray[np.bool_]) -> tuple[float, float]:
    """Return the direction that most speaks for, and the share of the points that run with it."""
    directions, weights = local[some], coherence[some] ** 2
    counts = np.histogram(directions, _BINS, (0.0, 180.0), weights=weights)[0]
    smooth = gaussian_filter(counts, _SMOOTHED_DEG * _BINS / 180.0, mode="wrap")
    peak = (int(np.argmax(smooth)) + 0.5) * 180.0 / _BINS
    # Twice: the mean of what lies near the peak, on the circle of directions.
    for reach in (20.0, 10.0):
        off = (directions - peak + 90.0) % 180.0 - 90.0
        near = np.abs(off) <= reach
        total = float(weights[near].sum())
        if total > 0:
            peak = (peak + float((off * weights)[near].sum()) / total) % 180.0
    off = (directions - peak + 90.0) % 180.0 - 90.0
    along = (np.abs(off) <= 20.0) & (coherence[some] >= LEAST_COHERENCE)
    return peak, float(along.mean())
