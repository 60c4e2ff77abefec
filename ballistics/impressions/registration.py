"""The pose of one mark on another: over the full circle and the whole plane, sub-pixel at the end.

A coarse pass computes the exact masked correlation (Padfield 2012) at every shift for every angle; its best
poses are then refined on finer levels by a pattern search on the exact correlation of the overlapping points.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from ballistics.impressions.clipping import CLIP_POINTS, clipped
from ballistics.surfaces import Pose, low_pass
from ballistics_kernels.filters import decimate
from ballistics_kernels.impressions import (
    NO_CORRELATION,
    best_shifts,
    block_sums,
    centred,
    climb_to_pose,
    combined_sums,
    forward,
    inverse,
    padded,
    pearson_at_pose,
    split,
    turn_split,
    valid_points,
)

Heights = NDArray[np.float32]

# Turns whose transforms are taken together: fewer calls, and all of it still in the cache.
_AT_ONCE = 4


@dataclass(frozen=True)
class RegistrationParameters:
    """Parameters of the global registration, in µm and degrees.

    The marks' band-pass keeps wavelengths above 16 µm; most of their energy lies above 100 µm, so that a
    spacing of 50 µm is enough to find the pose. The angles are so close that the rim of the mark moves by 75 µm from
    one to the next: with wider steps a milled mark, whose lines agree with their neighbours too, can lock in a line
    too far. For the same reason several poses are refined before the best is chosen. Heights beyond three robust
    standard deviations are clipped while the pose is sought: otherwise one deep flaw can outweigh the whole mark.
    The pose is sought on the shorter waves, in the middle of what 50 µm carry (100 µm) and the marks hold (250 µm):
    the longest are few in a partial mark, and a few agree by chance, or by the form of an edge or a dent, elsewhere.
    The second-best pose of a level is refined further when it reaches four fifths of the best. Where the orientation of
    the scans is known, a smaller range of angles is searched in proportion faster. While climbing, some
    20 000 points of a mark place it as well as all of a larger one; 50 000 are enough to know its standard deviation.
    """

    coarse_spacing_um: float = 50.0
    rim_step_um: float = 75.0
    minimum_overlap: float = 0.25
    candidates: int = 8
    clip_sigmas: float = 3.0
    clip_points: int = CLIP_POINTS
    longest_wave_um: float = 160.0
    angle_range_deg: float = 180.0
    worth_refining: float = 0.8
    refine_spacings_um: tuple[float, ...] = (25.0, 12.5)
    enough_points: int = 20_000

    def no_pose(self) -> str:
        """Say that there is no registration."""
        return f"in no pose do the marks overlap by {100 * self.minimum_overlap:g} % of the smaller one"


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
    return RegistrationSearch(a, b, spacing_um, parameters).direct()


class RegistrationSearch:
    """The registration of two marks, and of one with the mirror image of the other, which shares the costly part.

    Parameters
    ----------
    a, b, spacing_um, parameters
        See `register`.
    mirror_too : bool
        Whether `mirrored` will be asked: the transforms of the turned mark are then kept, some 10 MB for breech faces.
    """

    def __init__(
        self,
        a: Heights,
        b: Heights,
        spacing_um: float,
        parameters: RegistrationParameters | None = None,
        mirror_too: bool = False,
    ) -> None:
        self._p = p = parameters or RegistrationParameters()
        self._spacing_um = spacing_um
        self._a, self._b = centred(a), centred(b)
        self._fine = max(1, round(p.refine_spacings_um[-1] / spacing_um))
        self._short_a, self._short_b = (_short_waves(h, self._fine, spacing_um, p) for h in (self._a, self._b))
        self._angle_step = 2 * math.pi / math.ceil(2 * math.pi * _reach(self._b) * spacing_um / p.rim_step_um)
        self._coarse = self._level(self._short_b, p.coarse_spacing_um)
        there = np.isfinite(self._coarse.a).any() and np.isfinite(self._coarse.b).any()
        self._pass = _CoarsePass(self._coarse.a, self._coarse.b, self._angle_step, p, mirror_too) if there else None

    def direct(self) -> Registration | None:
        """Find how B lies on A; None when no pose has the minimum overlap."""
        found = self._pass.poses() if self._pass is not None else []
        return self._refined([self._coarse.to_full(c) for c in found], self._b, self._short_b)

    def mirrored(self, least_share: float = 0.0) -> Registration | None:
        """Find how the mirror image of B lies on A.

        None when no pose has the minimum overlap, or the best of the coarse level scores less than ``least_share`` of
        the best of B as it is.
        """
        direct, found = (self._pass.poses(), self._pass.poses(mirrored=True)) if self._pass is not None else ([], [])
        if not found or (direct and found[0].score < least_share * direct[0].score):
            return None
        image = np.ascontiguousarray(np.fliplr(self._b))
        short = _short_waves(image, self._fine, self._spacing_um, self._p)
        return self._refined([self._coarse.to_full(c, mirrored=True) for c in found], image, short)

    def inverted(self, least_share: float) -> tuple[Registration, bool] | None:
        """Find how B with its heights inverted lies on A, or the mirror image of that, whichever agrees better.

        None when neither agrees on the coarse level by ``least_share`` of what B as it is does, or no pose has the
        minimum overlap. Asked for seldom, so that it starts anew; the second value says whether it is the mirror image.
        """
        direct = self._pass.poses() if self._pass is not None else []
        if self._pass is None or not direct:
            return None
        ways = [self._pass.lowest(mirrored=mirrored) for mirrored in (False, True)]
        if -min(ways) < least_share * direct[0].score:
            return None
        mirrored = ways[1] < ways[0]
        b = np.ascontiguousarray(np.fliplr(self._b)) if mirrored else self._b
        found = RegistrationSearch(self._a, -b, self._spacing_um, self._p).direct()
        return None if found is None else (found, mirrored)

    def _level(self, short_b: Heights, level_um: float) -> _Level:
        factor = max(1, round(level_um / (self._fine * self._spacing_um)))
        return _Level(self._a.shape, self._b.shape, [self._short_a, short_b], self._fine, factor, self._p.enough_points)

    def _refined(self, candidates: list[_Candidate], b: Heights, short_b: Heights) -> Registration | None:
        """Follow poses through the finer levels and measure the best; ``b`` is the mark or its mirror image."""
        if not candidates:
            return None
        p = self._p
        first_turn = self._angle_step / 2
        for spacing in p.refine_spacings_um:
            level = self._level(short_b, spacing)
            finest = 0.1 if spacing == p.refine_spacings_um[-1] else 0.3
            refined = [level.to_full(_refine(level, level.to_level(c), first_turn, finest, p)) for c in candidates]
            refined.sort(key=lambda c: (-c.score, c.theta))
            # The first of the finer levels only sorts out the few that are worth the last.
            candidates = [refined[0], *(c for c in refined[1:2] if c.score >= p.worth_refining * refined[0].score)]
            first_turn /= 4
        best = candidates[0]
        accf, count = pearson_at_pose(valid_points(self._a), padded(b, 1), best.theta, best.shift_y, best.shift_x)
        # Kernels turn clockwise as shown, poses counter-clockwise.
        theta_deg = (180.0 - math.degrees(best.theta)) % 360.0 - 180.0
        smaller = min(np.isfinite(self._a).sum(), np.isfinite(b).sum())
        return Registration(
            Pose(theta_deg, best.shift_x * self._spacing_um, best.shift_y * self._spacing_um),
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

    def __init__(
        self,
        shape_a: tuple[int, ...],
        shape_b: tuple[int, ...],
        short: list[Heights],
        fine: int,
        factor: int,
        enough_points: int,
    ) -> None:
        self.factor = fine * factor
        self.a, self.b = (decimate(heights, factor) if factor > 1 else heights for heights in short)
        self.smaller = min(np.isfinite(self.a).sum(), np.isfinite(self.b).sum())
        points = valid_points(self.a)
        self.thinning = max(1, points.shape[1] // enough_points)
        self.points_a, self.padded_b = np.ascontiguousarray(points[:, :: self.thinning]), padded(self.b, 1)
        self._excess_a = [(self.factor * c - f) / 2 for c, f in zip(self.a.shape, shape_a, strict=True)]
        self._excess_b = [(self.factor * c - f) / 2 for c, f in zip(self.b.shape, shape_b, strict=True)]

    def _offset(self, theta: float, mirrored: bool = False) -> tuple[float, float]:
        cos, sin = math.cos(theta), math.sin(theta)
        (ay, ax), (by, bx) = self._excess_a, self._excess_b
        # What a map is larger than the mark lies on the right, and of its mirror image on the left.
        bx = -bx if mirrored else bx
        return ay - (sin * bx + cos * by), ax - (cos * bx - sin * by)

    def to_full(self, c: _Candidate, mirrored: bool = False) -> _Candidate:
        """Turn a pose of B, or of the mirror image of this level's B, into one of the full marks."""
        y, x = self._offset(c.theta, mirrored)
        return _Candidate(c.score, c.theta, c.shift_y * self.factor + y, c.shift_x * self.factor + x)

    def to_level(self, c: _Candidate) -> _Candidate:
        y, x = self._offset(c.theta)
        return _Candidate(c.score, c.theta, (c.shift_y - y) / self.factor, (c.shift_x - x) / self.factor)


def _short_waves(heights: Heights, factor: int, spacing_um: float, p: RegistrationParameters) -> Heights:
    """Return a mark on the finest level's grid without its longest waves, clipped before and after."""
    coarser = decimate(clipped(heights, p.clip_sigmas, p.clip_points), factor)
    step_um = factor * spacing_um
    longer = low_pass(coarser, (step_um, step_um), max(p.longest_wave_um, 2.0 * step_um))
    return clipped((coarser - longer).astype(np.float32), p.clip_sigmas, p.clip_points)


@dataclass(frozen=True)
class _Turned:
    """The spectra of B turned by some numbers of steps: of its heights, and of its coarser sums (`_low_spectra`)."""

    steps: list[int]
    spectra: NDArray[np.complex64]
    low: NDArray[np.complex64]


class _CoarsePass:
    """The masked correlation of A with B, and with its mirror image, at every shift for every angle.

    The mirror image of B turned by θ is the mirror image turned by −θ, so that the spectra of the turned B, with their
    rows in reverse order, serve both.
    """

    def __init__(self, a: Heights, b: Heights, angle_step: float, p: RegistrationParameters, keep: bool) -> None:
        self._p, self._angle_step = p, angle_step
        self._bordered = padded(b, 1)
        self._side = 2 * _reach(b) + 1
        self._smaller = float(min(np.isfinite(a).sum(), np.isfinite(b).sum()))
        self._middle = [(self._side - n) / 2 for n in a.shape]
        needed = p.minimum_overlap * self._smaller
        farthest = [_farthest(np.isfinite(a).sum(axis=1 - k), (self._side - 1) // 2, needed) for k in (0, 1)]
        # Long enough for both maps, and that no admissible shift overlaps the other side of the cycle.
        self._shape = tuple(
            2 * scipy.fft.next_fast_len(math.ceil(max(n, self._side, (n + self._side) / 2 + far) / 2), real=True)
            for n, far in zip(a.shape, farthest, strict=True)
        )
        self._limits = [
            round(value)
            for n, far in zip(a.shape, farthest, strict=True)
            for value in (math.ceil((n - self._side) / 2 - far), math.floor((n - self._side) / 2 + far))
        ]
        # Means for the mark that stays, sums for the turned one: a block counts as its share times its sum.
        stays = _split_into(a, self._shape)
        self._stays = forward(stays[0], self._shape[0]), _low_spectra(*stays, self._shape) / np.float32(4)
        self._keep = keep
        self._kept: list[_Turned] = []
        self._found: list[_Candidate] | None = None
        self._lowest: dict[bool, float] = {}

    def lowest(self, mirrored: bool) -> float:
        """Return the lowest score at any angle and shift: what B would score with its heights inverted, negative."""
        if mirrored not in self._lowest:
            self.poses(mirrored)
        return self._lowest[mirrored]

    def poses(self, mirrored: bool = False) -> list[_Candidate]:
        """Return the best distinct poses over all angles and shifts, best first."""
        if not mirrored:
            if self._found is None:
                self._found = self._search(mirrored=False)
            return self._found
        return self._search(mirrored=True)

    def _turned(self) -> Iterator[_Turned]:
        """Yield the spectra of the turned B, some angles at a time."""
        if self._kept:
            yield from self._kept
            return
        steps = [
            k
            for k in range(round(2 * math.pi / self._angle_step))
            if abs(math.remainder(k * self._angle_step, 2 * math.pi)) <= math.radians(self._p.angle_range_deg) + 1e-9
        ]
        values, valid = np.zeros((2, _AT_ONCE, self._side + self._side % 2, self._shape[1]), np.float32)
        for first in range(0, len(steps), _AT_ONCE):
            some = steps[first : first + _AT_ONCE]
            for q, k in enumerate(some):
                turn_split(self._bordered, k * self._angle_step, values[q], valid[q], self._side)
            n = len(some)
            spectra = forward(values[:n], self._shape[0])
            turned = _Turned(some, spectra, _low_spectra(values[:n], valid[:n], self._shape))
            if self._keep:
                self._kept.append(turned)
            yield turned

    def _search(self, mirrored: bool) -> list[_Candidate]:
        p, (m, n) = self._p, self._shape
        stays, low_stays = self._stays
        first_y, last_y, first_x, last_x = self._limits
        if mirrored:
            # Column c goes to column side − c, so that a block of two columns goes to one.
            stays = stays * _moved_by(self._side, stays.shape[-1], n)
            low_stays = low_stays * _moved_by((self._side - 1) // 2, low_stays.shape[-1], n // 2)
            first_x, last_x = first_x - 1, last_x - 1
        limits = first_y, last_y, first_x, last_x
        reverse, low_reverse = -np.arange(m) % m, -np.arange(m // 2) % (m // 2)
        scores = np.empty(self._shape, np.float32)
        rows, columns = np.zeros((2, p.candidates), np.int64)
        n_angles = round(2 * math.pi / self._angle_step)
        found, lowest = [], 0.0
        for turned in self._turned():
            if mirrored:
                product, low = turned.spectra[:, reverse], np.conj(turned.low[..., low_reverse, :])
            else:
                product, low = np.conj(turned.spectra), turned.low
            product *= stays
            every_sum_ab = inverse(product, n, m)
            every_sums = combined_sums(low, low_stays, n // 2, m // 2)
            for k, sum_ab, sums in zip(turned.steps, every_sum_ab, every_sums, strict=True):
                q = best_shifts(sum_ab, sums, self._smaller, p.minimum_overlap, limits, scores, rows, columns)
                lowest = min(lowest, float(scores.min(where=scores > NO_CORRELATION, initial=0.0)))
                step = (n_angles - k) % n_angles if mirrored else k
                # Point (0, 0) of the turned map lies on point (i, j) of A, cyclically.
                for score, i, j in zip(*(v[:q].tolist() for v in (scores[rows, columns], rows, columns)), strict=True):
                    y, x = i if i <= last_y else i - m, j if j <= last_x else j - n
                    x += mirrored
                    found.append((-score, step * self._angle_step, y + self._middle[0], x + self._middle[1]))
        self._lowest[mirrored] = lowest
        return _distinct(found, self._angle_step, p.candidates)


def _moved_by(columns: int, waves: int, n: int) -> NDArray[np.complex64]:
    """Return the factors of a real transform of n columns that move what is subtracted by some columns."""
    factors: NDArray[np.complex64] = np.exp(2j * math.pi * columns / n * np.arange(waves)).astype(np.complex64)
    return factors


def _distinct(found: list[tuple[float, float, float, float]], angle_step: float, n: int) -> list[_Candidate]:
    """Return the ``n`` best poses of which none is a neighbour, in angle and shift, of a better one.

    Poses are given as negative score, angle and shifts, so that they sort best first.
    """
    kept: list[_Candidate] = []
    for negative, theta, y, x in sorted(found):
        if not any(
            abs(math.remainder(theta - k.theta, 2 * math.pi)) < 1.5 * angle_step
            and max(abs(y - k.shift_y), abs(x - k.shift_x)) <= 2
            for k in kept
        ):
            kept.append(_Candidate(-negative, theta, y, x))
            if len(kept) == n:
                break
    return kept


def _reach(heights: Heights) -> int:
    """Return how far from the centre of its array a map has valid points, rounded up."""
    valid = np.isfinite(heights)
    y = np.flatnonzero(valid.any(axis=1))
    if len(y) == 0:
        return 1
    # In every row the first or the last is the farthest.
    x = np.stack([valid[y].argmax(axis=1), heights.shape[1] - 1 - valid[y, ::-1].argmax(axis=1)])
    farthest = np.hypot(y - (heights.shape[0] - 1) / 2, x - (heights.shape[1] - 1) / 2).max()
    return math.ceil(float(farthest)) + 1


def _farthest(counts: NDArray[np.int64], reach: int, needed: float) -> int:
    """Return a bound of the shift, along one axis and between centres, at which two marks can have enough in common.

    A row of the mark that stays has ``counts`` valid points; a row of the other holds, however it is turned, at most
    the chord of the circle that encloses it. The common points of two rows are at most the smaller of the two.
    """
    n = len(counts)
    places = np.arange(n) - (n - 1) / 2
    shifts = np.arange((n + 1) // 2 + reach + 1)
    farthest = 0
    for sign in (1, -1):
        offset = places[None, :] - sign * shifts[:, None]
        chord = np.where(np.abs(offset) <= reach, 2 * np.sqrt(np.maximum(reach**2 - offset**2, 0)) + 1, 0)
        possible = np.minimum(counts[None, :], chord).sum(axis=1) >= needed
        farthest = max(farthest, int(shifts[possible].max(initial=0)))
    return farthest


def _split_into(heights: Heights, shape: tuple[int, ...]) -> tuple[Heights, Heights]:
    """Return values and validity, 0 where missing, in the first columns of arrays of an even number of rows."""
    values, valid = np.zeros((2, 1, heights.shape[0] + heights.shape[0] % 2, shape[1]), np.float32)
    m, n = heights.shape
    values[0, :m, :n], valid[0, :m, :n] = split(heights)
    return values, valid


def _low_spectra(values: Heights, valid: Heights, shape: tuple[int, ...]) -> NDArray[np.complex64]:
    """Return the spectra of validity, values and squares, summed over blocks of 2 × 2 points."""
    low = np.empty((3, len(values), values.shape[1] // 2, shape[1] // 2), np.float32)
    block_sums(values, valid, low)
    return forward(low, shape[0] // 2)


def _refine(
    level: _Level, start: _Candidate, first_turn: float, finest: float, p: RegistrationParameters
) -> _Candidate:
    """Climb to the best pose near ``start``, with steps down to ``finest`` points."""
    pose = np.array([start.theta, start.shift_y, start.shift_x])
    whole = level.smaller / level.thinning
    score, _ = climb_to_pose(level.points_a, level.padded_b, whole, p.minimum_overlap, first_turn, finest, pose)
    return _Candidate(score, *pose.tolist())
