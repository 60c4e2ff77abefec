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

from ballistics.surfaces.pose import Pose
from kernels.correlation import centred, correlate_spectra, masked_spectra
from kernels.decimation import decimate
from kernels.turning import pearson_at_pose, turn_onto

Heights = NDArray[np.float32]


@dataclass(frozen=True)
class RegistrationParameters:
    """Parameters of the global registration, in µm and degrees.

    The marks' band-pass keeps wavelengths above 16 µm; most of their energy lies above 100 µm, so that a
    spacing of 50 µm is enough to find the pose (a quarter of the mark types' spacing finds it as well, at
    ten times the cost). At 3° a feature 1.2 mm from the centre is at most 31 µm off its place.
    """

    coarse_spacing_um: float = 50.0
    angle_step_deg: float = 3.0
    minimum_overlap: float = 0.25
    candidates: int = 5
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
    a, b = centred(a), centred(b)
    coarse = _Level(a, b, max(1, round(p.coarse_spacing_um / spacing_um)))
    candidates = [coarse.to_full(c) for c in _coarse_poses(coarse.a, coarse.b, p)]
    if not candidates:
        return None
    step_deg = p.angle_step_deg / 2
    for spacing in p.refine_spacings_um:
        level = _Level(a, b, max(1, round(spacing / spacing_um)))
        refined = [level.to_full(_refine(level, level.to_level(c), step_deg, p)) for c in candidates]
        candidates = [max(refined, key=lambda c: c.score)]
        step_deg /= 4
    best = candidates[0]
    accf, count = pearson_at_pose(a, b, best.theta, best.shift_y, best.shift_x)
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
        self.a, self.b = decimate(a, factor), decimate(b, factor)
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


def _coarse_poses(a: Heights, b: Heights, p: RegistrationParameters) -> list[_Candidate]:
    """Return the best pose of each angle that is a local maximum over the angles, best first."""
    side = math.ceil(math.hypot(*b.shape)) + 1
    turned = np.empty((side, side), np.float32)
    shape = tuple(scipy.fft.next_fast_len(n + side - 1, real=True) for n in a.shape)
    spectra_a = masked_spectra(a, shape)
    smaller = min(np.isfinite(a).sum(), np.isfinite(b).sum())
    n_angles = round(360.0 / p.angle_step_deg)
    per_angle = []
    for k in range(n_angles):
        theta = math.radians(k * p.angle_step_deg)
        turn_onto(b, theta, 0.0, 0.0, turned)
        spectra_b = masked_spectra(turned, shape)
        correlations, overlaps = correlate_spectra(spectra_b, spectra_a, shape, p.minimum_overlap * smaller)
        scores = correlations * np.sqrt(np.maximum(overlaps, 0) / smaller)
        if np.isnan(scores).all():
            per_angle.append(_Candidate(-math.inf, theta, 0.0, 0.0))
            continue
        i, j = np.unravel_index(np.nanargmax(scores), shape)
        y, x = (int(v) if v < n else int(v) - s for v, n, s in zip((i, j), a.shape, shape, strict=True))
        per_angle.append(
            _Candidate(
                float(scores[i, j]),
                theta,
                y + (side - 1) / 2 - (a.shape[0] - 1) / 2,
                x + (side - 1) / 2 - (a.shape[1] - 1) / 2,
            )
        )
    peaks = [
        c
        for k, c in enumerate(per_angle)
        if c.score > -math.inf and c.score >= per_angle[k - 1].score and c.score > per_angle[(k + 1) % n_angles].score
    ]
    return sorted(peaks, key=lambda c: (-c.score, c.theta))[: p.candidates]


def _refine(level: _Level, start: _Candidate, angle_step_deg: float, p: RegistrationParameters) -> _Candidate:
    """Climb to the best pose near ``start`` by a pattern search with halving steps."""
    smaller = min(np.isfinite(level.a).sum(), np.isfinite(level.b).sum())

    def score(theta: float, y: float, x: float) -> float:
        r, count = pearson_at_pose(level.a, level.b, theta, y, x)
        if not math.isfinite(r) or count < p.minimum_overlap * smaller:
            return -math.inf
        return float(r * math.sqrt(count / smaller))

    position = [start.theta, start.shift_y, start.shift_x]
    steps = [math.radians(angle_step_deg), 1.0, 1.0]
    best = score(*position)
    while steps[1] > 0.1:
        improved = False
        for axis in range(3):
            for sign in (1.0, -1.0):
                trial = list(position)
                trial[axis] += sign * steps[axis]
                value = score(*trial)
                if value > best:
                    best, position, improved = value, trial, True
                    break
        if not improved:
            steps = [step / 2 for step in steps]
    return _Candidate(best, *position)
