"""The pose of one map on another: the best shifts from their transforms, and the climb to the best pose nearby."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel
from ballistics_kernels.impressions.correlation import NO_CORRELATION
from ballistics_kernels.impressions.half_sums import correlations_from_half_sums
from ballistics_kernels.impressions.peaks import peaks
from ballistics_kernels.impressions.turning import pearson_at_pose


@kernel
def best_shifts(
    sum_ab: NDArray[np.float32],
    low: NDArray[np.float32],
    smaller: float,
    minimum_overlap: float,
    limits: tuple[int, int, int, int],
    scores: NDArray[np.float32],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
) -> int:
    """Find the cyclic shifts with the highest r · sqrt(overlap) from the sums of two maps' transforms.

    Parameters
    ----------
    sum_ab : ndarray of float32, shape (m, n), both even
        Σ a·b at every cyclic shift.
    low : ndarray of float32, shape (5, m // 2, n // 2)
        Common points, Σ a, Σ b, Σ a², Σ b² at every second shift, where the other of the two is valid; they vary
        slowly with the shift and are interpolated.
    smaller : float
        Valid points of the smaller map.
    minimum_overlap : float
        Least share of them that must be common.
    limits : tuple of int
        First and last admissible shift of the rows, and of the columns; negative shifts are counted from the end of
        the cycle. The sums need to be right only there.
    scores : ndarray of float32, shape (m, n)
        Filled with r · sqrt(overlap / smaller); −2 where a shift is not admissible.
    rows, columns : ndarray of int64, shape (k,)
        Filled with the shifts of the highest local maxima (8 neighbours), best first.

    Returns
    -------
    int
        How many maxima there are, at most k. Cost: two passes over the shifts.
    """
    m, n = sum_ab.shape
    # The shifts are cyclic: after the last comes the first.
    cyclic = np.empty((5, m // 2 + 1, n // 2 + 1), np.float32)
    cyclic[:, :-1, :-1] = low
    cyclic[:, -1, :-1] = low[:, 0]
    cyclic[:, :, -1] = cyclic[:, :, 0]
    common = np.empty((m, n), np.float32)
    correlations_from_half_sums(sum_ab, cyclic, minimum_overlap * smaller, scores, common)
    first_y, last_y, first_x, last_x = limits
    scale = np.float32(1.0 / smaller)
    for i in range(m):
        into = scores[i]
        if i > last_y and i < first_y + m:
            into[:] = NO_CORRELATION
            continue
        points = common[i]
        for j in range(n):
            weighted = into[j] * np.float32(math.sqrt(max(points[j], np.float32(0)) * scale))
            into[j] = weighted if into[j] > np.float32(NO_CORRELATION) else np.float32(NO_CORRELATION)
        into[last_x + 1 : first_x + n] = NO_CORRELATION
    return peaks(scores, 0.5 * m, 0.5 * n, float(max(m, n)), rows, columns)


@kernel
def _score(
    points: NDArray[np.float32], heights: NDArray[np.float32], theta: float, y: float, x: float, whole: float,
    minimum_overlap: float,
) -> float:  # fmt: skip
    """Return r · sqrt(share of ``whole`` that is common); −2 below the least share or without a correlation."""
    r, count = pearson_at_pose(points, heights, theta, y, x)
    share = count / whole
    # No comparison holds for NaN.
    return r * math.sqrt(share) if share >= minimum_overlap and r > NO_CORRELATION else NO_CORRELATION


@kernel
def climb_to_pose(
    points: NDArray[np.float32],
    heights: NDArray[np.float32],
    whole: float,
    minimum_overlap: float,
    first_turn: float,
    finest: float,
    pose: NDArray[np.float64],
) -> tuple[float, int]:
    """Climb to the best pose near a first one by a pattern search (Hooke & Jeeves 1961), its steps halved at each top.

    Parameters
    ----------
    points : ndarray of float32, shape (3, n)
        A, as `turning.valid_points` lists it.
    heights : ndarray of float32, shape (rows + 2, columns + 2)
        B, from `turning.padded` with a border of one point.
    whole : float
        Points of which the common ones are a share.
    minimum_overlap : float
        Least share.
    first_turn : float
        First step of the angle in radians; that of the shifts is one point.
    finest : float
        The climb ends when the step of the shifts is no longer than this, in points.
    pose : ndarray of float64, shape (3,)
        Angle and shifts (down, across) of `turning.turn_onto`; replaced by the best.

    Returns
    -------
    score : float
        r · sqrt(overlap) there; −2 where no correlation was found.
    tried : int
        At how many poses the maps were correlated. Cost: that of `turning.pearson_at_pose` at each.

    References
    ----------
    Hooke & Jeeves 1961, doi:10.1145/321062.321069.
    """
    steps = np.array([first_turn, 1.0, 1.0])
    base = pose.copy()
    best = _score(points, heights, base[0], base[1], base[2], whole, minimum_overlap)
    tried = 1
    point, trial, further = base.copy(), base.copy(), base.copy()
    # Whether to look around the base, or around the place to which the last rise leads.
    rising = False
    while steps[1] > finest:
        value = best
        point[:] = base
        if rising:
            point[:] = further
            value = _score(points, heights, point[0], point[1], point[2], whole, minimum_overlap)
            tried += 1
        for axis in range(3):
            for sign in (1.0, -1.0):
                trial[:] = point
                trial[axis] += sign * steps[axis]
                found = _score(points, heights, trial[0], trial[1], trial[2], whole, minimum_overlap)
                tried += 1
                if found > value:
                    value = found
                    point[:] = trial
                    break
        if value > best:
            # Follow the ridge as long as it rises: turn and shift of straight or circular marks depend on each other.
            further[:] = 2.0 * point - base
            base[:] = point
            best = value
            rising = True
        elif rising:
            rising = False
        else:
            steps *= 0.5
    pose[:] = base
    return best, tried
