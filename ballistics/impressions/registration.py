"""The pose that lays one mark on another: over the full circle and the whole plane, sub-pixel at the end.

A coarse pass computes the exact masked correlation (Padfield 2012) at every shift for every angle; its best
poses are then refined on finer levels by a pattern search on the exact correlation of the overlapping points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from ballistics.impressions.search_levels import split
from ballistics.surfaces.pose import Pose
from kernels.cell_maps import block_sums
from kernels.correlation import centred
from kernels.decimation import decimate
from kernels.pose_search import best_shifts
from kernels.spectra import combined_sums, forward, inverse
from kernels.turning import pearson_at_pose, turn_onto, valid_points

Heights = NDArray[np.float32]


@dataclass(frozen=True)
class RegistrationParameters:
    """Parameters of the global registration, in µm and degrees.

    The marks' band-pass keeps wavelengths above 16 µm; most of their energy lies above 100 µm, so that a
    spacing of 50 µm is enough to find the pose. The angles are so close that the rim of the mark moves by 75 µm from
    one to the next: with wider steps a milled mark, whose lines agree with their neighbours too, can lock in a line
    too far. For the same reason several poses are refined before the best is chosen. Heights beyond three robust
    standard deviations are clipped while the pose is sought: otherwise one deep flaw can outweigh the whole mark.
    """

    coarse_spacing_um: float = 50.0
    rim_step_um: float = 75.0
    minimum_overlap: float = 0.25
    candidates: int = 8
    clip_sigmas: float = 3.0
    refine_spacings_um: tuple[float, ...] = (25.0, 12.5)


@dataclass(frozen=True)
class Registration:
    """A pose, its correlation, and how much of the marks it stands on.

    Parameters
    ----------
    pose : Pose
        How B lies on A.
    accf : float
        Areal correlation at the pose on the marks' own spacing.
    overlap_points : int
        Points valid in both.
    overlap_fraction : float
        The same as a share of the smaller mark.
    """

    pose: Pose
    accf: float
    overlap_points: int
    overlap_fraction: float


def register(
    a: Heights, b: Heights, spacing_um: float, parameters: RegistrationParameters | None = None
) -> Registration | None:
    """Find how B lies on A.

    The best pose maximises ``r · sqrt(overlap)``: among poses of equal correlation the one that stands on more
    evidence wins, and small chance overlaps do not.

    Parameters
    ----------
    a, b : ndarray of float32, shapes (m, n) and (p, q)
        Prepared heights of the two marks; NaN marks missing points.
    spacing_um : float
        Their common spacing.
    parameters : RegistrationParameters, optional
        Defaults as in the class.

    Returns
    -------
    Registration or None
        None when no pose has the minimum overlap.

    References
    ----------
    Padfield 2012, doi:10.1109/TIP.2011.2181402; Weller 2012, doi:10.1111/j.1556-4029.2012.02072.x (ACCF).
    """
    p = parameters or RegistrationParameters()
    full_a, full_b = centred(a), centred(b)
    a, b = (_clipped(heights, p.clip_sigmas) for heights in (full_a, full_b))
    coarse = _Level(a, b, max(1, round(p.coarse_spacing_um / spacing_um)))
    angle_step = 2 * math.pi / math.ceil(2 * math.pi * _reach(b) * spacing_um / p.rim_step_um)
    candidates = [coarse.to_full(c) for c in _coarse_poses(coarse.a, coarse.b, angle_step, p)]
    if not candidates:
        return None
    first_turn = angle_step / 2
    for spacing in p.refine_spacings_um:
        level = _Level(a, b, max(1, round(spacing / spacing_um)))
        finest = 0.1 if spacing == p.refine_spacings_um[-1] else 0.3
        refined = [level.to_full(_refine(level, level.to_level(c), first_turn, finest, p)) for c in candidates]
        # The first of the finer levels only sorts out the few that are worth the last.
        candidates = sorted(refined, key=lambda c: (-c.score, c.theta))[:2]
        first_turn /= 4
    best = candidates[0]
    accf, count = pearson_at_pose(valid_points(full_a), *split(full_b, 1), best.theta, best.shift_y, best.shift_x)
    # Kernels turn clockwise as shown, poses counter-clockwise.
    theta_deg = (180.0 - math.degrees(best.theta)) % 360.0 - 180.0
    smaller = min(np.isfinite(a).sum(), np.isfinite(b).sum())
    return Registration(
        Pose(theta_deg, best.shift_x * spacing_um, best.shift_y * spacing_um),
        float(accf),
        int(count),
        float(count / smaller),
    )


@dataclass(frozen=True)
class _Candidate:
    """A pose in points and radians, clockwise as in the kernels, with its score."""

    score: float
    theta: float
    shift_y: float
    shift_x: float


class _Level:
    """Both marks at one coarser spacing, and the way between its poses and those of the full marks.

    A decimated map is up to ``factor − 1`` points larger than the map, so their centres differ.
    """

    def __init__(self, a: Heights, b: Heights, factor: int) -> None:
        self.factor = factor
        self.a, self.b = (decimate(heights, factor) if factor > 1 else heights for heights in (a, b))
        self.points_a, self.b_split = valid_points(self.a), split(self.b, 1)
        self._excess_a = [(factor * c - f) / 2 for c, f in zip(self.a.shape, a.shape, strict=True)]
        self._excess_b = [(factor * c - f) / 2 for c, f in zip(self.b.shape, b.shape, strict=True)]

    def _offset(self, theta: float) -> tuple[float, float]:
        cos, sin = math.cos(theta), math.sin(theta)
        (ay, ax), (by, bx) = self._excess_a, self._excess_b
        return ay - (sin * bx + cos * by), ax - (cos * bx - sin * by)

    def to_full(self, c: _Candidate) -> _Candidate:
        y, x = self._offset(c.theta)
        return _Candidate(c.score, c.theta, c.shift_y * self.factor + y, c.shift_x * self.factor + x)

    def to_level(self, c: _Candidate) -> _Candidate:
        y, x = self._offset(c.theta)
        return _Candidate(c.score, c.theta, (c.shift_y - y) / self.factor, (c.shift_x - x) / self.factor)


def _clipped(heights: Heights, sigmas: float) -> Heights:
    """Return the heights limited to some robust standard deviations around zero."""
    valid = np.isfinite(heights)
    if not valid.any():
        return heights
    limit = np.float32(sigmas * 1.4826 * np.median(np.abs(heights[valid])))
    return np.clip(heights, -limit, limit) if limit > 0 else heights


def _coarse_poses(a: Heights, b: Heights, angle_step: float, p: RegistrationParameters) -> list[_Candidate]:
    """Return the best distinct poses over all angles and shifts, best first."""
    if not (np.isfinite(a).any() and np.isfinite(b).any()):
        return []
    side = 2 * _reach(b) + 1
    shape = tuple(2 * scipy.fft.next_fast_len(-(-(n + side) // 2), real=True) for n in a.shape)
    # Means for the mark that stays, sums for the turned one: a block counts as its share times its sum.
    spectrum_a, low_a = _spectra(a, shape), _low_spectra(a, shape) / np.float32(4)
    smaller = float(min(np.isfinite(a).sum(), np.isfinite(b).sum()))
    turned = np.empty((side, side), np.float32)
    scores = np.empty(shape, np.float32)
    rows, columns = np.zeros((2, p.candidates), np.int64)
    found = []
    for k in range(round(2 * math.pi / angle_step)):
        theta = k * angle_step
        turn_onto(b, theta, 0.0, 0.0, turned)
        sum_ab = inverse(np.conj(_spectra(turned, shape)) * spectrum_a, shape[1], shape[0])
        low_b = np.conj(_low_spectra(turned, shape))
        low = combined_sums(tuple(low_b), tuple(low_a), shape[1] // 2, shape[0] // 2)
        for q in range(best_shifts(sum_ab, low, smaller, p.minimum_overlap, scores, rows, columns)):
            # Point (0, 0) of the turned map lies on point (i, j) of A, cyclically.
            i, j = int(rows[q]), int(columns[q])
            y, x = (v if v < n else v - s for v, n, s in zip((i, j), a.shape, shape, strict=True))
            middle_y, middle_x = ((side - n) / 2 for n in a.shape)
            found.append(_Candidate(float(scores[i, j]), theta, y + middle_y, x + middle_x))
    return _distinct(found, angle_step, p.candidates)


def _distinct(found: list[_Candidate], angle_step: float, n: int) -> list[_Candidate]:
    """Return the ``n`` best poses of which none is a neighbour, in angle and shift, of a better one."""
    kept: list[_Candidate] = []
    for c in sorted(found, key=lambda c: (-c.score, c.theta, c.shift_y, c.shift_x)):
        if not any(
            abs(math.remainder(c.theta - k.theta, 2 * math.pi)) < 1.5 * angle_step
            and max(abs(c.shift_y - k.shift_y), abs(c.shift_x - k.shift_x)) <= 2
            for k in kept
        ):
            kept.append(c)
            if len(kept) == n:
                break
    return kept


def _reach(heights: Heights) -> int:
    """Return how far from the centre of its array a map has valid points, rounded up."""
    y, x = np.nonzero(np.isfinite(heights))
    if len(y) == 0:
        return 1
    farthest = np.hypot(y - (heights.shape[0] - 1) / 2, x - (heights.shape[1] - 1) / 2).max()
    return math.ceil(float(farthest)) + 1


def _spectra(heights: Heights, shape: tuple[int, ...]) -> NDArray[np.complex64]:
    values = np.zeros((heights.shape[0], shape[1]), np.float32)
    values[:, : heights.shape[1]] = np.where(np.isfinite(heights), heights, np.float32(0))
    return forward(values, shape[0])


def _low_spectra(heights: Heights, shape: tuple[int, ...]) -> NDArray[np.complex64]:
    """Return the spectra of validity, values and squares, summed over blocks of 2 × 2 points."""
    rows = heights.shape[0] + heights.shape[0] % 2
    values, valid = np.zeros((2, 1, rows, shape[1]), np.float32)
    good = np.isfinite(heights)
    values[0, : heights.shape[0], : heights.shape[1]] = np.where(good, heights, np.float32(0))
    valid[0, : heights.shape[0], : heights.shape[1]] = good
    low = np.empty((3, 1, rows // 2, shape[1] // 2), np.float32)
    block_sums(values, valid, low)
    return forward(low[:, 0], shape[0] // 2)


def _refine(
    level: _Level, start: _Candidate, first_turn: float, finest: float, p: RegistrationParameters
) -> _Candidate:
    """Climb to the best pose near ``start`` by a pattern search, halving the steps down to ``finest`` points."""
    smaller = min(np.isfinite(level.a).sum(), np.isfinite(level.b).sum())

    def score(theta: float, y: float, x: float) -> float:
        r, count = pearson_at_pose(level.points_a, *level.b_split, theta, y, x)
        if not math.isfinite(r) or count < p.minimum_overlap * smaller:
            return -math.inf
        return float(r * math.sqrt(count / smaller))

    def explored(base: tuple[float, ...], value: float) -> tuple[tuple[float, ...], float]:
        """Try one step along each axis, keeping what helps."""
        for axis in range(3):
            for sign in (1.0, -1.0):
                trial = tuple(x + sign * steps[axis] * (k == axis) for k, x in enumerate(base))
                trial_value = score(*trial)
                if trial_value > value:
                    base, value = trial, trial_value
                    break
        return base, value

    base: tuple[float, ...] = (start.theta, start.shift_y, start.shift_x)
    steps = [first_turn, 1.0, 1.0]
    best = score(*base)
    while steps[1] > finest:
        point, value = explored(base, best)
        if value <= best:
            steps = [step / 2 for step in steps]
            continue
        # Follow the ridge as long as it rises: turn and shift of straight or circular marks depend on each other.
        while value > best:
            further = tuple(2 * p - b for p, b in zip(point, base, strict=True))
            base, best = point, value
            point, value = explored(further, score(*further))
    return _Candidate(best, *base)
