"""Does one surface lie on the other? Similarities from matched descriptors, coverage both ways, fine registration."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.describe.cloud import TOLERANCES, Cloud, Pose, moved, scale_of
from ballistics.printed.identify.likeness import Likeness
from ballistics.printed.identify.score import score_model
from ballistics_kernels.meshes import similarity_consensus, weighted_draws

# Least cosine of the normals of two surfaces of which one covers the other, or draws it towards itself: 37°.
_RUNS_ALIKE = 0.8
# All lengths below are shares of the reference's size, at the scale found.
_FOLLOWS = 0.03  # a correspondence follows a similarity
_ALIKE = 0.75  # least cosine of the normals of a correspondence that follows
_SHORTEST = 0.06  # sides of the triangles that propose similarities
_SCALE_SLACK = 1.26  # the voted scale is counted in steps of 12 % and smoothed over three
_APPROACH = np.geomspace(0.15, 0.04, 5)  # reach of registration from afar, round by round
_PAIRS = 20_000
_THIRDS = 5
_SEED = 6
#: What the score is made of, in the order of `score_values`, and whether more of it speaks for a candidate (1) or
#: against it (−1).
SCORE_VALUES = {
    "coverage": 1,
    "agreement": 1,
    "detail": 1,
    "radii": 1,
    "exactness": 1,
    "missing": -1,
    "added": -1,
}


@dataclass(frozen=True)
class Cover:
    """How much of each of two surfaces lies on the other at a pose.

    Parameters
    ----------
    query_deviations : ndarray of float64, shape (points,)
        How far each point of the query lies from the reference, in the reference's unit; infinite out of reach.
    reference_places : ndarray of float64, shape (points, 3)
        Where the points of the reference lie in the query's frame.
    reference_deviations : ndarray of float64, shape (points,)
        How far each point of the reference lies from the query, in the query's unit.
    reference_rows : ndarray of int64, shape (points,)
        The point of the query that each point of the reference lies at; −1 out of reach.
    query_shares, reference_shares : ndarray of float64, shape (4,)
        Share of each surface that lies within each of the `TOLERANCES` of the other.
    coverage : float
        0–1: mean over the tolerances of Dice and overlap coefficient of the covered area, where covered is what lies on
        the other surface and runs the same way.
    """

    query_deviations: NDArray[np.float64]
    reference_places: NDArray[np.float64]
    reference_deviations: NDArray[np.float64]
    reference_rows: NDArray[np.int64]
    query_shares: NDArray[np.float64]
    reference_shares: NDArray[np.float64]
    coverage: float


@dataclass(frozen=True)
class Fit:
    """One surface laid on another.

    Parameters
    ----------
    pose : ndarray of float64, shape (4, 4)
        From the query's frame to the reference's; a similarity.
    query_shares, reference_shares : ndarray of float64, shape (4,)
        Share of each surface that lies within each of the `TOLERANCES` of the other.
    coverage : float
        See `Cover`.
    likeness : Likeness
        Of the descriptors where the surfaces lie on each other.
    missing : float
        0–1: share of the reference's surface that the query lacks although its place is empty: cut off, not built over.
    added : float
        0–1: share of the query's surface that lies off the reference, outside it: built on, not a cut through it.
    shared : ndarray of int64
        The reference's keypoints, among the first 300, that lie on the query.
    """

    pose: NDArray[np.float64]
    query_shares: NDArray[np.float64]
    reference_shares: NDArray[np.float64]
    coverage: float
    likeness: Likeness
    missing: float
    added: float
    shared: NDArray[np.int64]

    @property
    def exactness(self) -> float:
        """0–1: of the query's surface within the largest tolerance of the reference, the share within the least."""
        return float(self.query_shares[0] / max(self.query_shares[-1], 0.02))

    @property
    def score(self) -> float:
        """0–1: the odds that a candidate like this is the right reference, among the development queries."""
        return score_model().score(self.values)

    @property
    def values(self) -> tuple[float, ...]:
        """What the score is made of, see `score_values`."""
        alike = self.likeness.agreement, self.likeness.detail, self.likeness.radii
        return score_values(self.coverage, *alike, self.exactness, self.missing, self.added)

    @property
    def scale(self) -> float:
        """Length in the reference over length in the query."""
        return scale_of(self.pose)

    @property
    def mirrored(self) -> bool:
        """Whether the pose turns a left hand into a right one."""
        return bool(np.linalg.det(self.pose[:3, :3]) < 0)


def score_values(
    coverage: float, agreement: float, detail: float, radii: int, exactness: float, missing: float, added: float
) -> tuple[float, ...]:
    """Return what the score is made of, in the order of `SCORE_VALUES`; shares as log-odds.

    The coverage: do the surfaces lie on each other? The agreement: is each place like the one it lies on, or only flat
    like it? The detail: plates and boxes lie on many others and agree with them. The number of radii: sizes that are
    far apart are rarer. The exactness: chance lays surfaces near each other, not on each other. What is missing and
    what is added: a cut takes away and adds nothing outside, dummy material adds and hides what it takes away; chance
    leaves both.
    """
    return log_odds(coverage), agreement, detail, float(radii), exactness, _odds_of_rest(missing), _odds_of_rest(added)


def _odds_of_rest(share: float) -> float:
    # Softened, not cut off: whether 0.1 or 1 % is left matters.
    return math.log((share + 0.01) / (1.01 - share))


def log_odds(coverage: float) -> float:
    """Return the logarithm of the odds of a coverage, which is taken to be 0.01 to 0.99."""
    within = min(max(coverage, 0.01), 0.99)
    return math.log(within / (1.0 - within))


def covered(query: Cloud, reference: Cloud, pose: Pose) -> Cover:
    """Measure how much of each surface lies on the other at a pose from the query to the reference."""
    there, back, scales = _laid(query, reference, pose[None])
    return Cover(
        there.deviations[0],
        moved(reference.points, np.asarray(np.linalg.inv(pose), np.float64)),
        back.deviations[0],
        back.rows[0],
        there.near.mean(axis=1)[0],
        back.near.mean(axis=1)[0],
        float(_coverages(query, reference, there, back, scales)[0]),
    )


def coverages(
    query: Cloud, reference: Cloud, poses: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return coverage, the query's and the reference's share within the largest tolerance at each of some poses.

    ``poses`` of shape (poses, 4, 4) lead from the query to the reference.
    """
    there, back, scales = _laid(query, reference, poses)
    shares = (laid.near[:, :, -1].mean(axis=1) for laid in (there, back))
    return _coverages(query, reference, there, back, scales), *shares


@dataclass(frozen=True)
class _Laid:
    """Points of one surface on another at some poses: rows and deviations, and what is near within each tolerance."""

    rows: NDArray[np.int64]  # poses, points
    deviations: NDArray[np.float64]  # poses, points
    near: NDArray[np.bool_]  # poses, points, tolerances
    alike: NDArray[np.bool_]  # of these, what runs the same way


def _laid(query: Cloud, reference: Cloud, poses: NDArray[np.float64]) -> tuple[_Laid, _Laid, NDArray[np.float64]]:
    """Lay each surface on the other; return the scales too, shape (poses, 1)."""
    scales = np.abs(np.linalg.det(poses[:, :3, :3]))[:, None] ** (1 / 3)
    limits = np.array(TOLERANCES) * reference.size
    found = []
    for moving, fixed, way, limit in (
        (query, reference, poses, np.broadcast_to(limits, (len(poses), len(limits)))),
        (reference, query, np.asarray(np.linalg.inv(poses), np.float64), limits / scales),
    ):
        rows, deviations, cosines = fixed.counterparts(moving.points, moving.normals, way)
        near = deviations[:, :, None] <= limit[:, None]
        found.append(_Laid(rows, deviations, near, near & (cosines >= _RUNS_ALIKE)[:, :, None]))
    return found[0], found[1], scales


def _coverages(
    query: Cloud, reference: Cloud, there: _Laid, back: _Laid, scales: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the mean over the tolerances of Dice and overlap coefficient of the covered area, for each pose."""
    query_shares, reference_shares = there.alike.mean(axis=1), back.alike.mean(axis=1)
    query_area, reference_area = query.area * scales**2, reference.area
    both = query_shares * query_area + reference_shares * reference_area
    dice = both / (query_area + reference_area)
    overlap = np.minimum(1.0, 0.5 * both / np.minimum(query_area, reference_area))
    # The smaller surface cannot be covered by more of the larger one than there is of it, nor the other way round.
    overlap = np.minimum(overlap, np.where(query_area <= reference_area, query_shares, reference_shares))
    return np.asarray((0.5 * dice + 0.5 * overlap).mean(axis=1))


def deviations_of(points: NDArray[np.float64], reference: Cloud, pose: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far points in the query's frame lie from the reference, in the query's unit; infinite out of reach."""
    return reference.deviations(moved(points, pose)) / scale_of(pose)


def propose(
    query: Cloud,
    reference: Cloud,
    matches: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]],
    scale: float,
    keep: int,
) -> list[tuple[Pose, float]]:
    """Return the similarities that most matches follow, best first, as 4 × 4 poses with the followers' weight."""
    rows, columns, weights = matches
    if len(rows) < 6:
        return []
    pairs, thirds = _random_numbers()
    similarities, scores = similarity_consensus(
        np.ascontiguousarray(query.points[rows]),
        np.ascontiguousarray(reference.points[columns]),
        np.ascontiguousarray(query.normals[rows]),
        np.ascontiguousarray(reference.normals[columns]),
        weights,
        weighted_draws(weights, pairs),
        weighted_draws(weights, thirds)[:, 0],
        _THIRDS,
        scale,
        _SCALE_SLACK,
        _SHORTEST * reference.size / scale,
        _FOLLOWS * reference.size,
        _ALIKE,
        keep,
    )
    last = [0.0, 0.0, 0.0, 1.0]
    return [(np.vstack([s, last]), float(v)) for s, v in zip(similarities, scores, strict=True) if v > 0]


@cache
def _random_numbers() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the random numbers that choose pairs and thirds: the same for every candidate."""
    generator = np.random.Generator(np.random.PCG64(_SEED))
    return generator.random((_PAIRS, 2)), generator.random((_PAIRS, 1))


def approach(query: Cloud, reference: Cloud, pose: Pose) -> Pose:
    """Register a pose that may be a tenth of the size off, between sparse points, whatever way the surfaces run."""
    return np.vstack([reference.registered(query, pose, _APPROACH * reference.size, 0.0), pose[3:]])


def refine(query: Cloud, reference: Cloud, pose: Pose, rounds: int = 9) -> Pose:
    """Register finely, scale included: point to plane on what lies within a reach that shrinks from round to round."""
    reaches = np.maximum(np.geomspace(0.04, 0.012, rounds) * reference.size, 0.75 * reference.spacing)
    return np.vstack([reference.registered(query, pose, reaches, _RUNS_ALIKE), pose[3:]])
