"""In which direction the striae of a mark run, point by point: the structure tensor of its fine relief."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from ballistics.errors import ParameterError
from ballistics.striations.signature import Floats
from ballistics.surfaces import low_pass

_BINS = 180


@dataclass(frozen=True)
class DirectionParameters:
    """The numbers of the search for the direction of striae.

    Parameters
    ----------
    longest_um : float
        Waves up to this length, or up to the band's where that is shorter, are looked at.
    largest_slope : float
        Slopes are capped at this multiple of their median: a rim or a scratch is steeper than striae, and only one
        line.
    around_um : float
        Around a point, how much counts towards its direction (standard deviation).
    least_coherence : float
        A neighbourhood with less has no direction; noise has a tenth to a quarter.
    smoothed_deg : float
        By how much the distribution of directions is smoothed before its peak is sought (standard deviation).
    along_deg : float
        What runs within this of the commonest direction runs with it.
    """

    longest_um: float = 250.0
    largest_slope: float = 2.0
    around_um: float = 60.0
    least_coherence: float = 0.35
    smoothed_deg: float = 6.0
    along_deg: float = 20.0

    def __post_init__(self) -> None:
        if min(self.longest_um, self.largest_slope, self.around_um, self.smoothed_deg, self.along_deg) <= 0:
            raise ParameterError("lengths, angles and the largest slope of the search for striae are above 0")
        if not 0 <= self.least_coherence < 1:
            raise ParameterError(f"least_coherence is {self.least_coherence}; it is a share from 0 to below 1")


@dataclass(frozen=True, eq=False)
class StriaDirections:
    """Where the striae of a mark run.

    Parameters
    ----------
    direction_deg : float
        The commonest direction, counter-clockwise from the rows as displayed, 0 to 180.
    share : float
        Share of the valid points around which the striae run within ``along_deg`` of it.
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
    heights_um: Floats,
    spacing_um: tuple[float, float],
    band_um: tuple[float, float],
    parameters: DirectionParameters | None = None,
) -> StriaDirections | None:
    """Find the direction of the striae of a mark; None without points to tell it from.

    Parameters
    ----------
    heights_um : ndarray of float64, shape (rows, columns)
        NaN for missing points and outside the mark.
    spacing_um : tuple of float
    band_um : tuple of float
        Waves between these cut-offs are looked at, those longer than ``longest_um`` apart.
    parameters : DirectionParameters, optional

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
    p = parameters or DirectionParameters()
    rows, columns = heights_um.shape
    if min(rows, columns) < 5 or not np.isfinite(heights_um).any():
        return None
    smooth = low_pass(heights_um, spacing_um, max(band_um[0], 2.5 * max(spacing_um)))
    rough = low_pass(heights_um, spacing_um, max(min(band_um[1], p.longest_um), 5.0 * max(spacing_um)))
    level = smooth - rough
    slope_y, slope_x = np.full((2, rows, columns), np.nan)
    slope_y[1:-1] = (level[2:] - level[:-2]) / (2.0 * spacing_um[0])
    slope_x[:, 1:-1] = (level[:, 2:] - level[:, :-2]) / (2.0 * spacing_um[1])
    steepness = np.hypot(slope_x, slope_y)
    known = np.isfinite(steepness)
    if known.sum() < 25:
        return None
    cap = p.largest_slope * float(np.median(steepness[known]))
    if cap <= 0.0:
        return None
    less = np.where(known & (steepness > 0), np.minimum(1.0, cap / np.where(steepness > 0, steepness, 1.0)), 0.0)
    gx, gy = (np.where(known, slope, 0.0) * less for slope in (slope_x, slope_y))
    sigmas = [p.around_um / step for step in spacing_um]
    xx, yy, xy = (gaussian_filter(product, sigmas, mode="constant") for product in (gx * gx, gy * gy, gx * gy))
    power = xx + yy
    some = known & (power > 0)
    coherence = np.full((rows, columns), np.nan)
    local = np.full((rows, columns), np.nan)
    coherence[some] = np.hypot(xx - yy, 2.0 * xy)[some] / power[some]
    # The gradient points across the striae; rows run down, angles count up.
    across = -np.degrees(0.5 * np.arctan2(2.0 * xy[some], (xx - yy)[some]))
    local[some] = (across + 90.0) % 180.0
    return StriaDirections(*_commonest(local, coherence, some, p), local, coherence)


def _commonest(
    local: Floats, coherence: Floats, some: NDArray[np.bool_], p: DirectionParameters
) -> tuple[float, float]:
    """Return the direction that most speaks for, and the share of the points that run with it."""
    directions, weights = local[some], coherence[some] ** 2
    counts = np.histogram(directions, _BINS, (0.0, 180.0), weights=weights)[0]
    smooth = gaussian_filter(counts, p.smoothed_deg * _BINS / 180.0, mode="wrap")
    peak = (int(np.argmax(smooth)) + 0.5) * 180.0 / _BINS
    # Twice: the mean of what lies near the peak, on the circle of directions.
    for reach in (p.along_deg, 0.5 * p.along_deg):
        off = (directions - peak + 90.0) % 180.0 - 90.0
        near = np.abs(off) <= reach
        total = float(weights[near].sum())
        if total > 0:
            peak = (peak + float((off * weights)[near].sum()) / total) % 180.0
    off = (directions - peak + 90.0) % 180.0 - 90.0
    along = (np.abs(off) <= p.along_deg) & (coherence[some] >= p.least_coherence)
    return peak, float(along.mean())
