"""Pearson's correlation of two profiles with missing points, exact at every lag.

At every lag the result is Pearson's correlation over exactly the points that are valid in both profiles; nothing is
filled in. Of the six sums it needs, five run over stretches of valid points and follow from running sums (a profile
has few gaps); only the products need every point, or a Fourier transform. Source of the definition: D. Padfield,
doi:10.1109/TIP.2011.2181402.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import helper, kernel
from ballistics_kernels.impressions import NO_CORRELATION

# A variance below this share of the sum of squares is numerically zero: Pearson's r has no meaning there.
_FLAT = 1e-9
# No correlation rests on fewer common points.
_FEWEST = 3.0


@kernel
def valid_runs(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the stretches of valid points.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        Heights; non-finite points are missing.

    Returns
    -------
    ndarray of int64, shape (runs, 2)
        First point of each run, and the point after its last.
    """
    n = values.shape[0]
    runs = np.empty((n // 2 + 1, 2), np.int64)
    count = 0
    inside = False
    for i in range(n):
        valid = np.isfinite(values[i])
        if valid and not inside:
            runs[count, 0] = i
        if inside and not valid:
            runs[count, 1] = i
            count += 1
        inside = valid
    if inside:
        runs[count, 1] = n
        count += 1
    return runs[:count].copy()


@kernel
def _running_sums(values: NDArray[np.float64], before: int, after: int) -> NDArray[np.float64]:
    """Return the sums of validity, value and square of all points before each, shape (3, before + n + after + 1).

    The sums go on, constant, for ``before`` places in front and ``after`` behind: a run shifted over an end of the
    profile needs no test.
    """
    n = values.shape[0]
    sums = np.zeros((3, before + n + after + 1))
    count = total = squares = 0.0
    for i in range(n):
        valid = np.isfinite(values[i])
        value = values[i] if valid else 0.0
        count += 1.0 if valid else 0.0
        total += value
        squares += value * value
        sums[0, before + i + 1] = count
        sums[1, before + i + 1] = total
        sums[2, before + i + 1] = squares
    for p in range(3):
        last = sums[p, before + n]
        for i in range(before + n + 1, before + n + after + 1):
            sums[p, i] = last
    return sums


@kernel
def _add_runs(
    runs: NDArray[np.int64], start: int, sums: NDArray[np.float64], first_lag: int, totals: NDArray[np.float64]
) -> None:
    """Add to ``totals[power, k]`` the sums over all runs shifted by ``first_lag + k`` points.

    ``start`` is the place of the profile's first point in ``sums``.
    """
    lags = totals.shape[1]
    for p in range(sums.shape[0]):
        total = totals[p]
        for k in range(runs.shape[0]):
            upper = sums[p, start + runs[k, 1] + first_lag : start + runs[k, 1] + first_lag + lags]
            lower = sums[p, start + runs[k, 0] + first_lag : start + runs[k, 0] + first_lag + lags]
            for i in range(lags):
                total[i] += upper[i] - lower[i]


@helper
def _correlation(
    minimum: float, count: float, sum_a: float, sum_aa: float, sum_b: float, sum_bb: float, product: float
) -> float:
    """Return Pearson's r from six sums; `NO_CORRELATION` for too few points or a flat profile."""
    number = max(count, 1.0)
    variance_a = sum_aa - sum_a * sum_a / number
    variance_b = sum_bb - sum_b * sum_b / number
    usable = count >= minimum and count >= _FEWEST and variance_a > _FLAT * sum_aa and variance_b > _FLAT * sum_bb
    norm = variance_a * variance_b if usable else 1.0
    r = (product - sum_a * sum_b / number) / math.sqrt(norm)
    return min(1.0, max(-1.0, r)) if usable else NO_CORRELATION


@kernel
def _sums_for_lags(a: NDArray[np.float64], n: int, first_lag: int, last_lag: int) -> NDArray[np.float64]:
    """Return the running sums of A, with room for every run of a profile of n points at every lag."""
    return _running_sums(a, max(0, -first_lag), max(0, last_lag + n - a.shape[0]))


@kernel
def _add_lag_sums(
    runs_a: NDArray[np.int64],
    sums_a: NDArray[np.float64],
    b: NDArray[np.float64],
    first_lag: int,
    m: int,
    of_a: NDArray[np.float64],
    of_b: NDArray[np.float64],
) -> None:
    """Fill in count, Σa, Σa² and count, Σb, Σb² over the common points at every lag, each of shape (3, lags).

    At index k of ``of_a`` stands lag ``first_lag + k``; ``of_b`` runs backwards, as the lags do seen from B.
    """
    n, lags = b.shape[0], of_a.shape[1]
    last_lag = first_lag + lags - 1
    of_a[:] = 0.0
    of_b[:] = 0.0
    _add_runs(valid_runs(b), max(0, -first_lag), sums_a, first_lag, of_a)
    sums_b = _running_sums(b, max(0, last_lag), max(0, m - first_lag - n))
    _add_runs(runs_a, max(0, last_lag), sums_b, -last_lag, of_b)


@kernel
def correlate_lags(
    a: NDArray[np.float64], b: NDArray[np.float64], first_lag: int, last_lag: int, minimum: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the correlation of two profiles at every lag of a range.

    Parameters
    ----------
    a, b : ndarray of float64, shapes (m,) and (n,)
        Heights, best about their mean; any unit. Non-finite points are missing.
    first_lag, last_lag : int
        At lag k, point j of B lies on point j + k of A. Both ends are included.
    minimum : float
        Fewest common points; never less than 3.

    Returns
    -------
    correlations : ndarray of float64, shape (last_lag − first_lag + 1,)
        −1 to 1; `NO_CORRELATION` where there are too few common points or a profile is flat over them.
    counts : ndarray of float64, same shape
        Common points.

    Notes
    -----
    Missing: exact. Cost: lags × overlap multiplications, and lags × runs additions.
    """
    lags = max(last_lag - first_lag + 1, 0)
    of_a, of_b = np.empty((3, lags)), np.empty((3, lags))
    correlations = np.full(lags, NO_CORRELATION)
    if lags == 0:
        return correlations, np.zeros(0)
    sums_a = _sums_for_lags(a, b.shape[0], first_lag, last_lag)
    _add_lag_sums(valid_runs(a), sums_a, b, first_lag, a.shape[0], of_a, of_b)
    filled_a = np.where(np.isfinite(a), a, 0.0)
    filled_b = np.where(np.isfinite(b), b, 0.0)
    for k in range(lags):
        count = of_a[0, k]
        if count < minimum or count < _FEWEST:
            continue
        lag = first_lag + k
        start, stop = max(lag, 0), min(a.shape[0], b.shape[0] + lag)
        part_a, part_b = filled_a[start:stop], filled_b[start - lag : stop - lag]
        product = 0.0
        for i in range(part_a.shape[0]):
            product += part_a[i] * part_b[i]
        back = lags - 1 - k
        correlations[k] = _correlation(minimum, count, of_a[1, k], of_a[2, k], of_b[1, back], of_b[2, back], product)
    return correlations, of_a[0].copy()


@kernel
def best_lags(
    products: NDArray[np.float32],
    first_lag: int,
    last_lag: int,
    minimum: NDArray[np.float64],
    a: NDArray[np.float64],
    stack: NDArray[np.float32],
    found: NDArray[np.float64],
) -> None:
    """Find, for each profile of a stack, the lag at which it correlates best with one profile.

    Parameters
    ----------
    products : ndarray of float32, shape (profiles, period)
        Sums of products of A with each profile at every cyclic lag (missing points 0): inverse Fourier transforms.
    first_lag, last_lag : int
        The lags looked at, as in `correlate_lags`; the period must hold them without wrapping.
    minimum : ndarray of float64, shape (profiles,)
        Fewest common points, of each profile.
    a : ndarray of float64, shape (m,)
    stack : ndarray of float32, shape (profiles, n)
        NaN for missing points.
    found : ndarray of float64, shape (profiles, 3)
        Filled with correlation, lag and common points; the correlation is `NO_CORRELATION` where no lag would do. Of
        equal correlations that of the lowest lag is taken.

    Notes
    -----
    Missing: exact. Cost: lags × runs for each profile.
    """
    period = products.shape[1]
    lags = max(last_lag - first_lag + 1, 0)
    for p in range(stack.shape[0]):
        found[p, 0], found[p, 1], found[p, 2] = NO_CORRELATION, 0.0, 0.0
    if lags == 0:
        return
    correlations, of_a, of_b = np.empty(lags), np.empty((3, lags)), np.empty((3, lags))
    runs_a, sums_a = valid_runs(a), _sums_for_lags(a, stack.shape[1], first_lag, last_lag)
    for p in range(stack.shape[0]):
        _add_lag_sums(runs_a, sums_a, stack[p].astype(np.float64), first_lag, a.shape[0], of_a, of_b)
        # Two straight stretches of the cyclic products, so that the compiler can use vectors.
        for half in range(2):
            start = 0 if half == 0 else min(max(-first_lag, 0), lags)
            stop = min(max(-first_lag, 0), lags) if half == 0 else lags
            part = products[p, start + first_lag + (period if half == 0 else 0) :]
            for k in range(start, stop):
                back = lags - 1 - k
                correlations[k] = _correlation(
                    minimum[p], of_a[0, k], of_a[1, k], of_a[2, k], of_b[1, back], of_b[2, back], part[k - start]
                )
        best = 0
        for k in range(1, lags):
            if correlations[k] > correlations[best]:
                best = k
        found[p, 0], found[p, 1], found[p, 2] = correlations[best], first_lag + best, of_a[0, best]


@kernel
def correlate_products(
    products: NDArray[np.float64],
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    first_lag: int,
    last_lag: int,
    minimum: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what `correlate_lags` returns for several pairs of profiles, from their sums of products.

    Parameters
    ----------
    products : ndarray of float64, shape (pairs, period)
        Sums of products at every cyclic lag (missing points 0): inverse Fourier transforms. The period must hold the
        lags without wrapping.
    a, b : ndarray of float64, shapes (pairs, m) and (pairs, n)
        Heights about their mean; non-finite points are missing.
    first_lag, last_lag : int
    minimum : float
        As in `correlate_lags`.

    Returns
    -------
    correlations, counts : ndarray of float64, shape (pairs, lags)

    Notes
    -----
    Missing: exact. Cost: pairs × lags × runs.
    """
    period = products.shape[1]
    lags = max(last_lag - first_lag + 1, 0)
    correlations = np.full((a.shape[0], lags), NO_CORRELATION)
    counts = np.zeros((a.shape[0], lags))
    if lags == 0:
        return correlations, counts
    of_a, of_b = np.empty((3, lags)), np.empty((3, lags))
    m = a.shape[1]
    for p in range(a.shape[0]):
        sums_a = _sums_for_lags(a[p], b.shape[1], first_lag, last_lag)
        _add_lag_sums(valid_runs(a[p]), sums_a, b[p], first_lag, m, of_a, of_b)
        for half in range(2):
            start = 0 if half == 0 else min(max(-first_lag, 0), lags)
            stop = min(max(-first_lag, 0), lags) if half == 0 else lags
            part = products[p, start + first_lag + (period if half == 0 else 0) :]
            for k in range(start, stop):
                back = lags - 1 - k
                correlations[p, k] = _correlation(
                    minimum, of_a[0, k], of_a[1, k], of_a[2, k], of_b[1, back], of_b[2, back], part[k - start]
                )
        counts[p] = of_a[0]
    return correlations, counts


@kernel
def stretched(values: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    """Return a profile stretched about its middle, sampled on the same grid by linear interpolation.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        Heights; non-finite points are missing.
    factor : float
        Above 0; 1.02 makes every distance 2 % longer.

    Returns
    -------
    ndarray of float64, shape (m,)
        All grid points that the stretched profile covers, with the same middle (m is odd or even as n is); NaN where
        a missing point would take part.
    """
    n = values.shape[0]
    parity = (n + 1) % 2
    half = math.floor(0.5 * (factor * (n - 1) - parity) + 1e-9)
    m = max(2 * half + 1 + parity, 0)
    out = np.full(m, np.nan)
    for i in range(m):
        position = (i - 0.5 * (m - 1)) / factor + 0.5 * (n - 1)
        left = min(max(math.floor(position), 0), n - 1)
        part = position - left
        right = min(left + 1, n - 1)
        # A point that takes no part may be missing.
        if part < 1e-9:
            right = left
        elif part > 1.0 - 1e-9:
            left = right
        if np.isfinite(values[left]) and np.isfinite(values[right]):
            out[i] = (1.0 - part) * values[left] + part * values[right]
    return out
