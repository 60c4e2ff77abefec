"""From a query to fitted candidates: votes choose references and scales, geometry decides."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.cloud import TOLERANCES, Cloud, Pose, moved, scale_of
from ballistics.printed.descriptors import SIGNATURE_RADII, SIGNATURE_STEPS
from ballistics.printed.likeness import (
    Likeness,
    agreement_in_place,
    correspondences,
    descriptor_distances,
    detail_of,
)
from ballistics.printed.query import Query
from ballistics.printed.signature import Signature
from ballistics.printed.verification import Fit, coverages, covered, log_odds, propose, refine
from ballistics.printed.votes import Vote

_MATCHED = 500  # keypoints of the query that are matched
_PROPOSED = 20  # similarities per candidate whose coverage is roughly measured
_MEASURED = 5  # of these, measured better
_REFINED = 2  # of these, compared by their descriptors too, and finely registered
# Beginnings of the even points that rough and better measurements, and the registration, are content with.
_ROUGH = 200
_COARSE = 700
# Similarities of a few keypoints are a few percent off: registered roughly, they can be told from others.
_SETTLED = 300
_SETTLING_ROUNDS = 4
_REGISTERED = 1500
# Two poses are one when so many points land within this share of the size of each other.
_WATCHED = 20
_SAME = 0.01
# Keypoints of the reference at which the query is described again, and the radius: the least, which cuts and added
# material spoil least.
_PLACES = 300
_IN_PLACE = len(SIGNATURE_STEPS) - 1


@dataclass(frozen=True)
class Proposal:
    """Poses at which a query may lie on a reference, best first, before fine registration.

    Parameters
    ----------
    vote : Vote
    poses : tuple of ndarray
        4 × 4 similarities from the query to the reference.
    score : float
        Of the first pose; comparable between the references of one query.
    """

    vote: Vote
    poses: tuple[Pose, ...]
    score: float


def propose_candidate(query: Query, signature: Signature, reference: Cloud, vote: Vote) -> Proposal | None:
    """Find poses of a query on a reference at about the voted scale; None when no descriptors agree.

    ``reference`` holds the points of the signature.
    """
    query_rows, reference_rows = _equal_radii(query, vote)
    if not query_rows:
        return None
    few = query.local[query_rows][:, :_MATCHED]
    matches = correspondences(descriptor_distances(few, signature.local[reference_rows]))
    scale = reference.size / query.cloud.size * 2.0 ** (-vote.step / 6.0)
    found = propose(query.cloud, reference, matches, scale, _PROPOSED)
    if not found:
        return None
    followed = [(pose, math.log(max(weight / few.shape[1], 0.01))) for pose, weight in found]
    rough = _measured_roughly(followed, query.cloud, reference, _ROUGH)[:_MEASURED]
    settled = query.cloud.beginning(_SETTLED)
    strong = [(refine(settled, reference, one.pose, _SETTLING_ROUNDS), one.followed) for one in rough]
    best = _distinct(_measured_roughly(strong, query.cloud, reference, _COARSE), query.cloud, reference)[:_REFINED]
    # What a conditional regression made of the candidates of 188 disturbed development queries, to tell the right one
    # of a query's references. The reference's share speaks for it, the query's rather against: dummy material dilutes
    # it. How well the descriptors agree at the pose adds nothing.
    scored = [
        (
            2.0 * one.covered
            + 1.6 * one.followed
            + 2.75 * math.log(max(one.reference_share, 0.01))
            - 1.2 * math.log(max(one.query_share, 0.01))
            + 3.4 * math.log(vote.weight),
            one.pose,
        )
        for one in best
    ]
    scored.sort(key=lambda one: -one[0])
    return Proposal(vote, tuple(pose for _, pose in scored), scored[0][0])


@dataclass(frozen=True)
class _Rough:
    """A pose measured on few points: log-odds of the coverage, logarithm of the consensus, shares that are near."""

    pose: Pose
    covered: float
    followed: float
    query_share: float
    reference_share: float


def _measured_roughly(poses: list[tuple[Pose, float]], query: Cloud, reference: Cloud, count: int) -> list[_Rough]:
    """Measure poses of known consensus on the first points, best first."""
    at = np.stack([pose for pose, _ in poses])
    coverage, *shares = coverages(query.beginning(count), reference.beginning(count), at)
    measured = [
        _Rough(pose, log_odds(float(coverage[k])), followed, float(shares[0][k]), float(shares[1][k]))
        for k, (pose, followed) in enumerate(poses)
    ]
    # What a regression made of coverage and consensus before fine registration, on the development half.
    return sorted(measured, key=lambda one: -(1.7 * one.covered + 1.1 * one.followed))


def _distinct(measured: list[_Rough], query: Cloud, reference: Cloud) -> list[_Rough]:
    """Return the poses that put the query somewhere else than every better one does."""
    few = query.points[:_WATCHED]
    kept: list[tuple[_Rough, NDArray[np.float64]]] = []
    for one in measured:
        at = moved(few, one.pose)
        if all(np.abs(at - other).max() > _SAME * reference.size for _, other in kept):
            kept.append((one, at))
    return [one for one, _ in kept]


def fit_candidate(query: Query, signature: Signature, reference: Cloud, proposal: Proposal) -> Fit:
    """Register the best poses of a proposal finely and return the best fit."""
    small = query.cloud.beginning(_REGISTERED)
    few = reference.beginning(_REGISTERED)
    query_rows, _ = _equal_radii(query, proposal.vote)
    fits = []
    for pose in proposal.poses:
        # Where little overlaps, registration can lead astray.
        tried = max((pose, refine(small, reference, pose)), key=lambda one: covered(small, few, one).coverage)
        fits.append(_measured(query, query_rows, signature, reference, tried))
    return max(fits, key=lambda fit: fit.score)


def _measured(query: Query, rows: list[int], signature: Signature, reference: Cloud, pose: Pose) -> Fit:
    """Measure all that the score is made of."""
    cover = covered(query.cloud, reference, pose)
    limit, scale = TOLERANCES[-1] * reference.size, scale_of(pose)
    places = cover.reference_places
    off = cover.query_deviations > limit
    lacked = cover.reference_deviations > limit / scale
    # The reference's own places, brought onto the query's surface along its normal.
    lying = np.flatnonzero(~lacked[: min(_PLACES, signature.local.shape[1])])
    at, normals = query.cloud.points[cover.reference_rows[lying]], query.cloud.normals[cover.reference_rows[lying]]
    heights = ((places[lying] - at) * normals).sum(axis=1)
    radius = SIGNATURE_RADII[_IN_PLACE] * reference.size / scale
    described = query.described_at(places[lying] - heights[:, None] * normals, radius)
    likeness = Likeness(
        agreement_in_place(described, signature.local[_IN_PLACE], lying),
        detail_of(query.local[rows][:, ~off[: query.local.shape[1]]]),
        len(rows),
    )
    missing = query.surroundings.are_outside(places[lacked]).sum() / len(places)
    added = reference.surroundings.are_outside(moved(query.cloud.points[off], pose)).sum() / len(off)
    return Fit(pose, cover.query_shares, cover.reference_shares, cover.coverage, likeness, float(missing), float(added))


def _equal_radii(query: Query, vote: Vote) -> tuple[list[int], list[int]]:
    """Return the rows of the query's and of the signature's radii that are equal at the voted scale."""
    step = round(vote.step)
    pairs = [(query.steps.index(s - step), k) for k, s in enumerate(SIGNATURE_STEPS) if s - step in query.steps]
    return [a for a, _ in pairs], [b for _, b in pairs]
