"""Profiles of one striated mark, band by band along the striae: filtered, aligned, averaged."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.striations.profile_filters import band_passed
from ballistics.striations.signature import Floats
from ballistics_kernels.impressions import NO_CORRELATION
from ballistics_kernels.profiles import correlate_lags

# What is a profile at all: three of its shortest waves, and twenty points. Two bands are compared where they have three
# tenths of the shorter one in common, so that no end agrees with another by chance.
LEAST_WAVES = 3.0
_LEAST_POINTS = 20
_LEAST_OVERLAP = 0.3
# Striae change along a mark: what a band adds to the mean falls to half after two more bands. The next lag is expected
# where the mean of the last step and of those before leads. These numbers were set by hand; no benchmark varies them.
_MEMORY = 0.7
_STEP_MEMORY = 0.5


def filtered_bands(residuals: Floats, step: float, band_um: tuple[float, float]) -> Floats:
    """Return every band between two cut-offs.

    Parameters
    ----------
    residuals : ndarray of float64, shape (bands, n)
        Profiles without form, in µm; NaN for missing points.
    step : float
        Distance between their points in µm.
    band_um : tuple of float
        Short and long ISO cut-off.

    Returns
    -------
    ndarray of float64, shape (bands, n)
        A band of which less than three short waves are left is all NaN.
    """
    filtered = np.full(residuals.shape, np.nan)
    for k in np.flatnonzero(np.isfinite(residuals).sum(axis=1) * step >= LEAST_WAVES * band_um[0]):
        filtered[k] = band_passed(residuals[k], step, band_um)
    return filtered


def align_bands(filtered: Floats, reach: int, lowest_agreement: float) -> tuple[Floats, Floats, int]:
    """Find the lag of every band along its profile.

    The first band is the one that agrees best with its neighbours. From it outwards each band is compared with the
    mean of those before.

    Parameters
    ----------
    filtered : ndarray of float64, shape (bands, n)
        From `filtered_bands`. A band with fewer than 20 points takes no part.
    reach : int
        How many points a band may lie from where the bands before it lead to expect it.
    lowest_agreement : float
        A band that correlates less with the mean of those before has no lag.

    Returns
    -------
    lags : ndarray of float64, shape (bands,)
        In points: a band at lag L has its striae L points further right than the first; NaN for none.
    agreements : ndarray of float64, shape (bands,)
        Correlation at the lag; NaN for a band that was not compared.
    first : int
        The band that came first; −1 when no two neighbours agree, and no band has a lag.
    """
    bands = len(filtered)
    lags, agreements = np.full(bands, np.nan), np.full(bands, np.nan)
    usable = np.isfinite(filtered).sum(axis=1) >= _LEAST_POINTS
    pairs = np.full(max(bands - 1, 0), -1.0)
    for k in range(bands - 1):
        if usable[k] and usable[k + 1]:
            pairs[k] = _best_lag(filtered[k], filtered[k + 1], -reach, reach)[0]
    around = np.concatenate([[-1.0], pairs, [-1.0]])
    stable = np.where(usable, np.maximum(around[:-1], around[1:]) + np.minimum(around[:-1], around[1:]), -9.0)
    if bands == 1 and usable[0]:
        return np.zeros(1), np.ones(1), 0
    if bands < 2 or pairs.max() < lowest_agreement:
        return lags, agreements, -1
    first = int(np.argmax(stable))
    lags[first], agreements[first] = 0.0, 1.0
    for direction in (1, -1):
        total, weight = np.nan_to_num(filtered[first]), np.isfinite(filtered[first]).astype(np.float64)
        expected, last, step = 0.0, 0.0, 0.0
        k = first + direction
        while 0 <= k < bands:
            if usable[k]:
                mean = np.where(weight > 0, total / np.maximum(weight, 1e-9), np.nan)
                centre = round(expected)
                # A band at lag L has its striae L points further right than the first.
                r, lag = _best_lag(filtered[k], mean, centre - reach, centre + reach)
                agreements[k] = r
                if r >= lowest_agreement:
                    lags[k] = lag
                    there = moved(filtered[k], lag)
                    total = _MEMORY * total + np.nan_to_num(there)
                    weight = _MEMORY * weight + np.isfinite(there)
                    step = _STEP_MEMORY * step + (1.0 - _STEP_MEMORY) * (lag - last)
                    last = lag
            expected = last + step
            k += direction
    return lags, agreements, first


def _best_lag(a: Floats, b: Floats, first: int, last: int) -> tuple[float, float]:
    """Return the best correlation of B on A over a range of lags, and the lag."""
    minimum = max(float(_LEAST_POINTS), _LEAST_OVERLAP * min(np.isfinite(a).sum(), np.isfinite(b).sum()))
    r, _ = correlate_lags(np.ascontiguousarray(a), np.ascontiguousarray(b), first, last, float(minimum))
    k = int(np.argmax(r))
    return (float(r[k]), float(first + k)) if r[k] > NO_CORRELATION else (-1.0, 0.0)


def moved(values: Floats, lag: float) -> Floats:
    """Return values moved left by a lag in points; all missing where the lag is."""
    out = np.full(len(values), np.nan)
    if math.isnan(lag):
        return out
    k, n = int(lag), len(values)
    if abs(k) < n:
        out[max(-k, 0) : n - max(k, 0)] = values[max(k, 0) : n - max(-k, 0)]
    return out


def column_medians(values: Floats) -> Floats:
    """Return the median of the known values of every column; NaN where there are none."""
    ordered = np.sort(values, axis=0)
    count = np.isfinite(values).sum(axis=0)
    columns = np.arange(values.shape[1])
    middle = 0.5 * (
        ordered[np.maximum(count - 1, 0) // 2, columns] + ordered[np.minimum(count // 2, len(values) - 1), columns]
    )
    return np.where(count > 0, middle, np.nan)


@dataclass(frozen=True, eq=False)
class Average:
    """The mean of aligned bands, and what stands behind it.

    Parameters
    ----------
    heights_um, errors_um : ndarray of float64, shape (columns,)
        Mean and its standard error; NaN where fewer bands than wanted are left.
    rows : ndarray of int64, shape (columns,)
        Rows of the scan behind each point.
    residuals_um : ndarray of float64, shape (bands, columns)
        The bands, level with each other; NaN where left out.
    levels_um : ndarray of float64, shape (bands,)
        What was taken off each band.
    damaged : float
        Share of the points left out because they lie off the other bands.
    """

    heights_um: Floats
    errors_um: Floats
    rows: NDArray[np.int64]
    residuals_um: Floats
    levels_um: Floats
    damaged: float


def average_bands(
    residuals_um: Floats, counts: NDArray[np.int64], largest_deviation_um: float, fewest_bands: int
) -> Average:
    """Average aligned bands point by point, without the points that lie far off the median of all.

    Parameters
    ----------
    residuals_um : ndarray of float64, shape (bands, columns)
        Aligned; NaN where missing, everywhere in bands left out.
    counts : ndarray of int64, shape (bands, columns)
        Rows of the scan behind each.
    largest_deviation_um : float
        A point further than this from the median of its column is damage.
    fewest_bands : int
        The least number of bands behind a point of the mean; fewer when nowhere are that many.
    """
    residuals = residuals_um.copy()
    levels = np.nan_to_num(column_medians((residuals - column_medians(residuals)).T))
    residuals -= levels[:, None]
    damaged = np.abs(residuals - column_medians(residuals)) > largest_deviation_um
    lost = float(damaged.sum()) / max(int(np.isfinite(residuals).sum()), 1)
    residuals[damaged] = np.nan
    number = np.isfinite(residuals).sum(axis=0)
    fewest = min(fewest_bands, int(number.max(initial=0)))
    enough = number >= max(fewest, 1)
    mean = np.where(enough, np.nansum(residuals, axis=0) / np.maximum(number, 1), np.nan)
    deviation = np.nansum((residuals - mean) ** 2, axis=0) / np.maximum(number - 1, 1)
    errors = np.where(enough & (number > 1), np.sqrt(deviation / np.maximum(number, 1)), np.nan)
    rows = np.where(np.isfinite(residuals), counts, 0).sum(axis=0)
    return Average(mean, errors, rows, residuals, levels, lost)
