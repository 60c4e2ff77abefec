"""Consecutive matching striae (CMS) and the features beside it: which peaks and valleys lie on each other."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ballistics.striations.signature import Floats


@dataclass(frozen=True)
class StriaMatch:
    """A stretch of two aligned signatures in which striae of both, or of one, lie.

    Parameters
    ----------
    start, stop : float
        In points of the common grid.
    peak : bool
        Whether its striae are peaks (of both; of the first, when they differ).
    matched : bool
        Whether striae of both lie there and all are of one type.
    """

    start: float
    stop: float
    peak: bool
    matched: bool


@dataclass(frozen=True)
class CmsResult:
    """How the striae of two aligned signatures match.

    Parameters
    ----------
    cms, cnms : int
        Longest run of consecutive matching, and of consecutive non-matching striae.
    matches, mismatches : int
        How many there are in all.
    distance_um : float
        Root mean square difference of the heights over the common points (D).
    matched_height_um : float
        Sum of the mean absolute heights of the matching extrema (S).
    striae : tuple of StriaMatch
        From left to right.
    """

    cms: int
    cnms: int
    matches: int
    mismatches: int
    distance_um: float
    matched_height_um: float
    striae: tuple[StriaMatch, ...]


def cms(a: Floats, b: Floats, smoothing_points: int = 25) -> CmsResult:
    """Match the peaks and valleys of two signatures that lie on each other, on one grid.

    Both are smoothed by a running mean. Each extremum spans a third of the way to its neighbours. Spans that overlap
    form one stria: matching when extrema of both signatures lie in it and all are peaks, or all valleys.

    Parameters
    ----------
    a, b : ndarray of float64, shape (n,)
        Aligned heights in µm, 0 at the middle; NaN for missing points. Only where both are known are striae counted.
    smoothing_points : int
        Window of the running mean; 25 points of 1.5625 µm are those of Hare 2017.

    Returns
    -------
    CmsResult
        The same whichever comes first.

    References
    ----------
    Hare, Hofmann & Carriquiry 2017, doi:10.1214/17-AOAS1080; Biasotti 1959.

    Examples
    --------
    >>> x = np.sin(np.arange(400) / 12.0)
    >>> found = cms(x, x + 0.01, 9)
    >>> found.cms == found.matches > 8, found.mismatches
    (True, 0)
    """
    common = np.isfinite(a) & np.isfinite(b)
    if not common.any():
        return CmsResult(0, 0, 0, 0, math.nan, 0.0, ())
    spans = []
    for which, values in enumerate((a, b)):
        known = np.where(common, values, np.nan)
        spans += [(*span, which) for span in _extrema(_running_mean(known, smoothing_points))]
    spans.sort()
    striae: list[StriaMatch] = []
    height = 0.0
    group: list[tuple[float, float, bool, float, int]] = []
    for span in [*spans, (math.inf, math.inf, True, 0.0, 0)]:
        if group and span[0] > max(s[1] for s in group):
            matched = len({s[4] for s in group}) == 2 and len({s[2] for s in group}) == 1
            striae.append(StriaMatch(group[0][0], max(s[1] for s in group), group[0][2], matched))
            if matched:
                height += float(np.mean([abs(s[3]) for s in group]))
            group = []
        group.append(span)
    flags = [stria.matched for stria in striae]
    difference = (a - b)[common]
    return CmsResult(
        _longest_run(flags, True),
        _longest_run(flags, False),
        sum(flags),
        len(flags) - sum(flags),
        math.sqrt(float((difference**2).mean())),
        height,
        tuple(striae),
    )


def _running_mean(values: Floats, width: int) -> Floats:
    """Return the mean of the known points of a centred window; NaN where the middle is missing."""
    known = np.isfinite(values)
    window = np.ones(max(width, 1) | 1)
    total = np.convolve(np.where(known, values, 0.0), window, "same")
    count = np.convolve(known.astype(np.float64), window, "same")
    # A window longer than the profile gives a longer result, with the profile in its middle.
    cut = (len(total) - len(values)) // 2
    total, count = total[cut : cut + len(values)], count[cut : cut + len(values)]
    return np.where(known, total / np.maximum(count, 1.0), np.nan)


def _extrema(values: Floats) -> list[tuple[float, float, bool, float]]:
    """Return start, stop, whether a peak, and height of every extremum between known neighbours."""
    places: list[tuple[int, bool]] = []
    for i in range(1, len(values) - 1):
        left, here, right = values[i - 1], values[i], values[i + 1]
        if here > left and here >= right:
            places.append((i, True))
        elif here < left and here <= right:
            places.append((i, False))
    spans = []
    for k, (i, peak) in enumerate(places):
        before = i - places[k - 1][0] if k > 0 else None
        after = places[k + 1][0] - i if k + 1 < len(places) else None
        left_third = (before if before is not None else after if after is not None else 0) / 3.0
        right_third = (after if after is not None else before if before is not None else 0) / 3.0
        spans.append((i - left_third, i + right_third, peak, float(values[i])))
    return spans


def _longest_run(flags: list[bool], wanted: bool) -> int:
    longest = run = 0
    for flag in flags:
        run = run + 1 if flag is wanted else 0
        longest = max(longest, run)
    return longest
