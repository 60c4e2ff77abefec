"""Where two striated marks agree: across the striae and along them, window by window of one mark on the other."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import ParameterError
from ballistics.striations.correlation import Placement, resampled
from ballistics.striations.overlay import overlaid
from ballistics.striations.preparation.patches import Patch
from ballistics.striations.profile_filters import band_passed
from ballistics.striations.signature import Floats, Signature
from ballistics_kernels.profiles import band_medians


@dataclass(frozen=True)
class AlongParameters:
    """The numbers of the map of agreement.

    Parameters
    ----------
    band_height_um : float
        Length of a window along the striae.
    window_um, step_um : float
        Its width across them, and by how much the next lies further.
    nearby_um : float
        How far a window may lie from where the placement puts it: striae bend, and marks are stretched here and there.
    chance : float
        Share of the windows of unrelated marks that would be taken to agree.
    """

    band_height_um: float = 60.0
    window_um: float = 250.0
    step_um: float = 125.0
    nearby_um: float = 6.0
    chance: float = 0.01

    def __post_init__(self) -> None:
        if min(self.band_height_um, self.window_um, self.step_um) <= 0 or self.nearby_um < 0:
            raise ParameterError("a window has a height, a width and a step above 0")
        if not 0 < self.chance < 0.5:
            raise ParameterError(f"chance is {self.chance}; it is a share above 0, below a half")


@dataclass(frozen=True, eq=False)
class AgreementMap:
    """How well each part of a mark agrees with the signature of another.

    Parameters
    ----------
    rows_um : ndarray of float64, shape (bands,)
        Middles of the windows along the striae, from the first row of the patch.
    places_um : ndarray of float64, shape (windows,)
        Middles across the striae, from the middle of the signature of the mark itself.
    correlation : ndarray of float64, shape (bands, windows)
        Best r within ``nearby_um``; NaN where less than half of a window is there.
    agrees : ndarray of bool, shape (bands, windows)
        Whether unrelated marks reach such an r in ``chance`` of their windows only.
    share : float
        Of the windows that are there, how many agree; ``chance`` is what unrelated marks have. NaN without windows.
    """

    rows_um: NDArray[np.float64]
    places_um: NDArray[np.float64]
    correlation: NDArray[np.float64]
    agrees: NDArray[np.bool_]
    share: float

    @property
    def along(self) -> NDArray[np.float64]:
        """Share of the windows of each band that agree; NaN for a band without windows."""
        known = np.isfinite(self.correlation)
        count = known.sum(axis=1)
        return np.where(count > 0, (self.agrees & known).sum(axis=1) / np.maximum(count, 1), np.nan)


def agreement_map(
    patch: Patch,
    own: Signature,
    other: Signature,
    placement: Placement,
    parameters: AlongParameters | None = None,
) -> AgreementMap:
    """Return where along and across its striae a mark agrees with the signature of another.

    A signature averages along the striae: it does not tell whether two marks agree all along, or only where one is not
    damaged, or was engraved at all. Here each window of the straightened mark is correlated with the other signature,
    where the placement puts it.

    Parameters
    ----------
    patch : Patch
        Of the mark: of a `Land` or a `StriatedMark`.
    own : Signature
        Of the same mark.
    other : Signature
        Of the other.
    placement : Placement
        How the other lies on this one, as `compare_signatures` found it; its inverse for the other way round.
    parameters : AlongParameters, optional

    Returns
    -------
    AgreementMap
    """
    p = parameters or AlongParameters()
    row_um, step = patch.spacing_um
    per_band = min(max(1, round(p.band_height_um / row_um)), len(patch.heights_um))
    heights = np.where(patch.mask, patch.heights_um, np.nan).astype(np.float64)
    bands, _ = band_medians(np.ascontiguousarray(heights), np.zeros(len(heights), np.int64), per_band)
    rows: Floats = np.asarray((np.arange(len(bands)) + 0.5) * per_band - 0.5, np.float64) * row_um
    # Waves longer than half a window are no striae of it.
    band_um = own.band_um[0] if own.band_um else 2.0 * step, 0.5 * p.window_um
    filtered = np.stack([band_passed(band, step, band_um) for band in bands])
    # The other on the grid of this one.
    theirs = resampled(other.heights_um, other.spacing_um, step) if other.spacing_um < step else _finer(other, step)
    theirs = band_passed(theirs, step, band_um)
    on_axis = overlaid(np.zeros(filtered.shape[1]), theirs, placement, step)
    start = int(np.flatnonzero(np.isfinite(on_axis.a_um))[0])
    reach, width = round(p.nearby_um / step), max(4, round(p.window_um / step))
    padded = np.pad(on_axis.b_um, reach + 1, constant_values=np.nan)
    there = [
        padded[reach + 1 + start + lag : reach + 1 + start + lag + filtered.shape[1]]
        for lag in range(-reach, reach + 1)
    ]
    firsts = np.arange(0, max(filtered.shape[1] - width, 0) + 1, max(1, round(p.step_um / step)))
    places: Floats = np.asarray(firsts + 0.5 * (width - 1) - 0.5 * (filtered.shape[1] - 1), np.float64) * step
    correlation = np.full((len(filtered), len(firsts)), np.nan)
    limit = _limit(band_passed(own.heights_um, step, band_um), width, reach, p.chance)
    for k, band in enumerate(filtered):
        for w, first in enumerate(firsts):
            mine = band[first : first + width]
            values = [_pearson(mine, y[first : first + width]) for y in there if len(y) == len(band)]
            known = [r for r in values if r is not None]
            if known:
                correlation[k, w] = max(known)
    measured = np.isfinite(correlation)
    agrees = measured & (np.nan_to_num(correlation, nan=-1.0) > limit)
    share = float(agrees.sum() / measured.sum()) if measured.any() else math.nan
    return AgreementMap(rows, places, correlation, agrees, share)


def _finer(signature: Signature, step_um: float) -> Floats:
    """Return a signature of a coarser grid on a finer one, about the same middle."""
    n = len(signature.heights_um)
    count = int((n - 1) * signature.spacing_um / step_um) + 1
    at = (np.arange(count) - 0.5 * (count - 1)) * step_um / signature.spacing_um + 0.5 * (n - 1)
    low = np.clip(np.floor(at).astype(np.int64), 0, n - 1)
    high = np.minimum(low + 1, n - 1)
    share = at - low
    ends = signature.heights_um[low], signature.heights_um[high]
    return np.asarray(np.where(share == 0.0, ends[0], ends[0] * (1.0 - share) + ends[1] * share))


def _pearson(a: Floats, b: Floats) -> float | None:
    known = np.isfinite(a) & np.isfinite(b)
    if 2 * known.sum() < len(a):
        return None
    u, v = a[known] - a[known].mean(), b[known] - b[known].mean()
    power = float((u * u).sum() * (v * v).sum())
    return float((u * v).sum()) / math.sqrt(power) if power > 0.0 else None


def _limit(heights: Floats, width: int, reach: int, chance: float) -> float:
    """Return the r that unrelated windows exceed by chance only, at the best of a few lags (Bartlett, Fisher)."""
    from scipy.stats import norm

    valid = np.where(np.isfinite(heights), heights, 0.0)
    power = float((valid * valid).sum())
    if power <= 0.0:
        return 1.0
    lags = range(1, min(width, len(valid)))
    rho = np.array([float((valid[k:] * valid[:-k]).sum()) / power for k in lags])
    excess = max(1.0, 1.0 + 2.0 * float((rho * rho).sum()))
    independent = max(width / excess, 4.5)
    # The lags looked at are as many independent ones as correlation lengths lie among them.
    tries = 1.0 + 2.0 * reach / excess
    return math.tanh(float(norm.isf(chance / tries)) / math.sqrt(independent - 3.0))
