"""How well two signatures correlate over all lags, and over a small stretch: exact with missing points."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from ballistics.errors import ParameterError
from ballistics.striations.signature import Arrangement, Floats, Signature, arrangement
from ballistics.surfaces import low_pass
from ballistics_kernels.impressions import NO_CORRELATION
from ballistics_kernels.profiles import best_lags, correlate_lags, stretched

# A block of profiles whose products stay in the cache while their best lags are found.
_BLOCK = 64


@dataclass(frozen=True)
class CorrelationParameters:
    """How far the search for the best correlation goes.

    Parameters
    ----------
    minimum_overlap : float
        Fewest common points, as a share of the valid points of the signature that has fewer. CSAFE takes .75, which
        loses lands of which a side is missing; half is the choice here, made before any comparison was run.
    largest_stretch : float
        The second mark is stretched by up to this share either way; 0 for none. A maximum over more stretches is
        higher for unrelated marks too, and nothing here pays for it: see `similarity`.
    stretch_step : float
        Step of the stretch.
    """

    minimum_overlap: float = 0.5
    largest_stretch: float = 0.0
    stretch_step: float = 0.005

    def __post_init__(self) -> None:
        if not 0 < self.minimum_overlap <= 1:
            raise ParameterError(f"minimum_overlap is {self.minimum_overlap}; it is a share above 0, at most 1")
        if not 0 <= self.largest_stretch < 0.5 or not self.stretch_step > 0:
            raise ParameterError("largest_stretch is a share from 0 to below .5, stretch_step is above 0")

    @property
    def stretches(self) -> tuple[float, ...]:
        """The factors tried, each with its inverse, from 1 outwards."""
        steps = round(self.largest_stretch / self.stretch_step)
        return (1.0, *(math.exp(s * k * self.stretch_step) for k in range(1, steps + 1) for s in (1, -1)))


@dataclass(frozen=True)
class Placement:
    """How signature B lies on signature A.

    Parameters
    ----------
    lag_um : float
        Where the middle of B lies, from the middle of A.
    stretch : float
        How much longer distances of B become on A; 1 for none.
    """

    lag_um: float = 0.0
    stretch: float = 1.0

    def inverse(self) -> Placement:
        """Return how A lies on B."""
        return Placement(-self.lag_um / self.stretch + 0.0, 1.0 / self.stretch)

    def seen(self, way: Arrangement) -> Placement:
        """Return the placement of the marks as given, from that of the arrangement computed (or the other way)."""
        placed = Placement(-self.lag_um + 0.0, self.stretch) if way.reversed else self
        return placed.inverse() if way.swapped else placed


@dataclass(frozen=True)
class ProfileAgreement:
    """The best correlation of two signatures.

    Parameters
    ----------
    correlation : float
        Pearson's r over the common points, −1 to 1; NaN when insufficient.
    placement : Placement or None
        Where it was found.
    common_points : int
        Points valid in both, there.
    overlap_um : float
        Their length.
    insufficient : str or None
        Why there is no correlation; None when there is.
    """

    correlation: float
    placement: Placement | None
    common_points: int = 0
    overlap_um: float = 0.0
    insufficient: str | None = None


def correlate(a: Signature, b: Signature, parameters: CorrelationParameters | None = None) -> ProfileAgreement:
    """Return the best correlation of two signatures over all lags, and over small stretches if wanted.

    At every lag it is Pearson's r over exactly the points that are valid in both. Signatures of different spacing are
    compared on the coarser grid. The result is the same to the last bit when the signatures are exchanged, or both
    are reversed.

    Parameters
    ----------
    a, b : Signature
    parameters : CorrelationParameters, optional

    Returns
    -------
    ProfileAgreement

    References
    ----------
    doi:10.1109/TIP.2011.2181402 (masked correlation); Vorburger et al. 2011, doi:10.1088/0026-1394/48/5/S30 (profile
    CCF of bullets).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> heights = rng.normal(size=300)
    >>> found = correlate(Signature(heights[20:], 2.0), Signature(heights[:270], 2.0))
    >>> round(found.correlation, 6), found.placement.lag_um
    (1.0, -50.0)
    """
    p = parameters or CorrelationParameters()
    reason = a.insufficient or b.insufficient
    if reason:
        return ProfileAgreement(math.nan, None, insufficient=reason)
    way = arrangement(a.heights_um, b.heights_um)
    spacing = max(a.spacing_um, b.spacing_um)
    spacings = (b.spacing_um, a.spacing_um) if way.swapped else (a.spacing_um, b.spacing_um)
    arranged = way.apply(a.heights_um, b.heights_um)
    first, second = (centred(resampled(v, own, spacing)) for v, own in zip(arranged, spacings, strict=True))
    points = min(int(np.isfinite(v).sum()) for v in (first, second))
    minimum = max(3.0, p.minimum_overlap * points)
    best = (NO_CORRELATION, 0.0, 1.0, 0.0)
    for factor in p.stretches:
        longer = stretched(second, factor)
        m, n = len(first), len(longer)
        correlations, counts = correlate_lags(first, longer, -n + 1, m - 1, minimum)
        if len(correlations) == 0:
            continue
        k = int(np.argmax(correlations))
        if correlations[k] > best[0]:
            lag = k - n + 1 + 0.5 * (n - m)
            best = (float(correlations[k]), lag * spacing, factor, float(counts[k]))
    if best[0] == NO_CORRELATION:
        reason = f"the signatures have {points} points or fewer in common, or are flat there: no correlation"
        return ProfileAgreement(math.nan, None, insufficient=reason)
    return ProfileAgreement(best[0], Placement(best[1], best[2]).seen(way), int(best[3]), best[3] * spacing)


def best_correlations(
    query: Signature, stack: NDArray[np.float32], parameters: CorrelationParameters | None = None
) -> NDArray[np.float64]:
    """Return the best correlation of one signature with each of many, over all lags, and small stretches if wanted.

    Parameters
    ----------
    query : Signature
    stack : ndarray of float32, shape (profiles, n)
        Profiles of the query's spacing; NaN for missing points and to fill up shorter ones.
    parameters : CorrelationParameters, optional
        With a stretch the query is stretched, and the profiles stay as they are: their spectra serve all stretches.

    Returns
    -------
    ndarray of float64, shape (profiles, 4)
        Correlation (NaN where there is none), lag in µm of the middles of the arrays, common points, and by which
        factor the profile is longer on the query.

    Examples
    --------
    >>> heights = np.convolve(np.random.default_rng(1).normal(size=520), np.hanning(15), "same")
    >>> longer = stretched(heights, 1.02)[None, 50:450].astype(np.float32)
    >>> query = Signature(heights, 1.5625)
    >>> straight, wide = (
    ...     best_correlations(query, longer, CorrelationParameters(largest_stretch=s, stretch_step=0.01))[0]
    ...     for s in (0.0, 0.03)
    ... )
    >>> bool(straight[0] < 0.9), bool(wide[0] > 0.99), round(float(wide[3]), 2)
    (True, True, 0.98)
    """
    p = parameters or CorrelationParameters()
    whole = centred(query.heights_um)
    n = stack.shape[1]
    found = np.full((len(stack), 4), np.nan)
    if len(whole) == 0 or n == 0:
        return found
    known = np.isfinite(stack)
    valid = known.sum(axis=1)
    # The query as long as each stretch makes it, what it must share with each profile, and its spectrum.
    queries = [np.ascontiguousarray(stretched(whole, 1.0 / factor)) for factor in p.stretches]
    minimums = [np.maximum(3.0, p.minimum_overlap * np.minimum(valid, np.isfinite(q).sum())) for q in queries]
    # No lag with fewer points in reach can have that many in common.
    fewest = [math.ceil(minimum.min(initial=len(q))) for q, minimum in zip(queries, minimums, strict=True)]
    lags = [(few - n, len(q) - few) for q, few in zip(queries, fewest, strict=True)]
    # Long enough that no other lag is folded onto those looked at.
    longest = max(max(len(q) - first, n + last) for q, (first, last) in zip(queries, lags, strict=True))
    period = scipy.fft.next_fast_len(longest, real=True)
    spectra_of_query = [scipy.fft.rfft(np.where(np.isfinite(q), q, 0.0).astype(np.float32), period) for q in queries]
    for start in range(0, len(stack), _BLOCK):
        block = slice(start, start + _BLOCK)
        filled = np.where(known[block], stack[block], np.float32(0))
        filled -= filled.sum(axis=1, keepdims=True) / np.maximum(valid[block, None], 1)
        filled[~known[block]] = 0.0
        spectra = scipy.fft.rfft(filled, period, axis=1, workers=1).conj()
        filled[~known[block]] = np.nan
        best = found[block]
        for factor, q, minimum, (first_lag, last_lag), own in zip(
            p.stretches, queries, minimums, lags, spectra_of_query, strict=True
        ):
            products = scipy.fft.irfft(own * spectra, period, axis=1, workers=1)
            at = np.empty((len(filled), 3))
            best_lags(products, first_lag, last_lag, minimum[block], q, filled, at)
            better = (at[:, 0] > NO_CORRELATION) & ~(at[:, 0] <= best[:, 0])
            # Lags on the stretched query, as long as they are on the query itself.
            at[:, 1] = (at[:, 1] + 0.5 * (n - len(q))) * query.spacing_um * factor
            best[better, :3], best[better, 3] = at[better], factor
    return found


def centred(heights: Floats) -> Floats:
    """Return heights about the mean of the valid points: it keeps the sums small."""
    valid = np.isfinite(heights)
    return np.where(valid, heights - (heights[valid].mean() if valid.any() else 0.0), np.nan)


def resampled(heights: Floats, spacing_um: float, step_um: float) -> Floats:
    """Return a profile on a coarser grid about the same middle, smoothed first to what that grid carries.

    Parameters
    ----------
    heights : ndarray of float64, shape (n,)
    spacing_um, step_um : float
        From and to; a step no more than a millionth off the spacing leaves the profile as it is.
    """
    if step_um <= spacing_um * (1.0 + 1e-6):
        return np.ascontiguousarray(heights)
    smooth = low_pass(heights[None], (spacing_um, spacing_um), 2.0 * step_um)[0] if len(heights) else heights
    return stretched(np.ascontiguousarray(smooth), spacing_um / step_um)


def on_grid(signature: Signature, step_um: float) -> Signature:
    """Return a signature on another grid about the same middle; heights only.

    Parameters
    ----------
    signature : Signature
    step_um : float
        Coarser than the signature's, it is smoothed first to what that grid carries; finer, it is interpolated.
    """
    heights = signature.heights_um
    if step_um > signature.spacing_um * (1.0 + 1e-6):
        heights = resampled(heights, signature.spacing_um, step_um)
    elif len(heights):
        heights = stretched(np.ascontiguousarray(heights), signature.spacing_um / step_um)
    return Signature(heights, step_um, signature.kind, band_um=signature.band_um, insufficient=signature.insufficient)
