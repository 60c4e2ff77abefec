"""Congruent matching profile segments (CMPS): how many short segments agree on where they lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import ParameterError
from ballistics.striations.signature import Floats
from ballistics_kernels.impressions import NO_CORRELATION
from ballistics_kernels.profiles import correlate_lags


@dataclass(frozen=True)
class CmpsParameters:
    """The numbers of the method, at the values of its open implementation.

    Parameters
    ----------
    segment_points : int
        Length of a basis segment.
    peaks : tuple of int
        How many of the highest peaks are kept at each scale; each scale doubles the segment.
    tolerance_points : int
        How far apart positions may lie and agree.
    conventions : {"card", "cmpsR 2020"}
        ``"card"``: a segment has a consistent peak where every scale has a peak within the tolerance of the highest
        scale's. ``"cmpsR 2020"``: the first release of the open implementation, from which the published check values
        come. There a segment with two close peaks at one scale casts no vote, and a lengthened segment that reaches
        over missing points has its positions off by their number.
    """

    segment_points: int = 50
    peaks: tuple[int, ...] = (5, 3, 1)
    tolerance_points: int = 25
    conventions: Literal["card", "cmpsR 2020"] = "card"

    def __post_init__(self) -> None:
        if self.segment_points < 4 or self.tolerance_points < 0 or not self.peaks or min(self.peaks) < 1:
            raise ParameterError("a segment has at least 4 points, each scale at least one peak, the tolerance is ≥ 0")
        if self.peaks[-1] != 1:
            raise ParameterError("the longest scale keeps one peak: it is the position the others must agree with")


@dataclass(frozen=True)
class CmpsResult:
    """The congruent segments of one signature on another.

    Parameters
    ----------
    count : int
        Segments that vote for the position with most votes.
    segments : int
        Basis segments of the first signature.
    position : int or None
        That position, in points: where point 0 of the first signature lies on the second; None without votes.
    positions : ndarray of float64, shape (segments,)
        Consistent correlation peak of each segment; NaN for a segment without.
    congruent : ndarray of bool, shape (segments,)
        Which segments voted for it.
    """

    count: int
    segments: int
    position: int | None
    positions: NDArray[np.float64]
    congruent: NDArray[np.bool_]


def cmps(x: Floats, y: Floats, parameters: CmpsParameters | None = None) -> CmpsResult:
    """Count the segments of one signature that agree on where they lie on another.

    The first signature is cut into segments. Each looks for the places on the second where it correlates best, at
    three lengths about the same middle; a place where all three agree is the segment's vote.

    Parameters
    ----------
    x, y : ndarray of float64, shapes (m,) and (n,)
        Heights of the signature that is cut and of that which is searched, of one spacing; NaN for missing points.
    parameters : CmpsParameters, optional

    Returns
    -------
    CmpsResult
        Not symmetric: exchange the signatures for the other direction.

    References
    ----------
    Chen et al. 2019, doi:10.1016/j.forsciint.2019.109964.

    Examples
    --------
    >>> x = np.cumsum(np.random.default_rng(1).normal(size=500))
    >>> found = cmps(x, x[30:])
    >>> found.count >= 5, found.position
    (True, -30)
    """
    p = parameters or CmpsParameters()
    valid = np.flatnonzero(np.isfinite(x))
    first = int(valid[0]) if len(valid) else 0
    segments = (int(valid[-1]) - first + 1) // p.segment_points if len(valid) else 0
    positions = np.full(segments, np.nan)
    for k in range(segments):
        start = first + k * p.segment_points
        found = _consistent_peak(x, y, start, p)
        if found is not None:
            positions[k] = found
    voted = positions[np.isfinite(positions)]
    if len(voted) == 0:
        return CmpsResult(0, segments, None, positions, np.zeros(segments, np.bool_))
    candidates = np.arange(voted.min(), voted.max() + 1)
    votes = (np.abs(voted[None, :] - candidates[:, None]) <= p.tolerance_points).sum(axis=1)
    best = candidates[votes == votes.max()]
    position = int(best[(len(best) - 1) // 2])
    congruent = np.abs(positions - position) <= p.tolerance_points
    return CmpsResult(int(votes.max()), segments, position, positions, congruent)


def _consistent_peak(x: Floats, y: Floats, start: int, p: CmpsParameters) -> int | None:
    """Return where the peaks of all scales of one segment agree; None if nowhere."""
    if not np.isfinite(x[start : start + p.segment_points]).any():
        return None
    half = p.segment_points // 2
    middle = start + (p.segment_points - 1) // 2
    per_scale = []
    for scale, kept in enumerate(p.peaks):
        if scale == 0:
            left, right = start, start + p.segment_points
        else:
            left, right = middle - half * 2**scale, middle + half * 2**scale + 1
        left, right = max(left, 0), min(right, len(x))
        per_scale.append(_highest_peaks(x[left:right], left, y, kept, p))
    if len(per_scale[-1]) == 0:
        return None
    place = int(per_scale[-1][0])
    close = [int((np.abs(found - place) <= p.tolerance_points).sum()) for found in per_scale[:-1]]
    agreed = all(close) if p.conventions == "card" else sum(close) == len(close)
    return place if agreed else None


def _highest_peaks(segment: Floats, left: int, y: Floats, kept: int, p: CmpsParameters) -> NDArray[np.int64]:
    """Return the shifts, from the segment's own place, at which it correlates best with all its valid points on y."""
    valid = int(np.isfinite(segment).sum())
    missing = len(segment) - valid
    last = len(y) - valid
    if valid < 3 or last < -missing:
        return np.empty(0, np.int64)
    r, _ = correlate_lags(y, segment, -missing, last, float(valid))
    i = np.arange(1, len(r) - 1)
    known = (r[i - 1] > NO_CORRELATION) & (r[i] > NO_CORRELATION) & (r[i + 1] > NO_CORRELATION)
    i = i[known & (r[i] >= r[i - 1]) & (r[i] >= r[i + 1])]
    i = i[np.argsort(-r[i], kind="stable")][:kept]
    return i - left - (missing if p.conventions == "card" else 0)
