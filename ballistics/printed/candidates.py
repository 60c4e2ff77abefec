"""From a query to fitted candidates: votes choose references and scales, geometry decides."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ballistics.printed.cloud import TOLERANCES, Cloud, Pose, moved, scale_of
from ballistics.printed.descriptors import SIGNATURE_RADII, SIGNATURE_STEPS
from ballistics.printed.likeness import (
    Likeness,
    agreement_at,
    agreement_in_place,
    correspondences,
    descriptor_distances,
    detail_of,
)
from ballistics.printed.query import Query
from ballistics.printed.signature import Signature
from ballistics.printed.verification import Fit, covered, log_odds, propose, refine
from ballistics.printed.votes import Vote

_MATCHED = 500  # keypoints of the query that are matched
_PROPOSED = 20  # similarities per candidate whose coverage is roughly measured
_MEASURED = 5  # of these, measured better
_REFINED = 2  # of these, compared by their descriptors too, and finely registered
# Beginnings of the even points that rough and better measurements, and the registration, are content with.
_ROUGH = 200
_COARSE = 700
_REGISTERED = 1500
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
    distances = descriptor_distances(few, signature.local[reference_rows])
    matches = correspondences(distances)
    scale = reference.size / query.cloud.size * 2.0 ** (-vote.step / 6.0)
    found = propose(query.cloud, reference, matches, scale, _PROPOSED)
    if not found:
        return None
    strong = [(pose, math.log(max(weight / few.shape[1], 0.01))) for pose, weight in found]
    strong = [one[1:] for one in _covering(strong, query.cloud, reference, _ROUGH)[:_MEASURED]]
    measured = _covering(strong, query.cloud, reference, _COARSE)[:_REFINED]
    # What a conditional regression made of them, to tell the right one of a query's references from the others.
    voted = 0.9 * math.log(vote.weight)
    scored = [
        (odds + 0.4 * agreement_at(distances, query.cloud, reference, pose) + voted, pose) for odds, pose, _ in measured
    ]
    scored.sort(key=lambda one: -one[0])
    return Proposal(vote, tuple(pose for _, pose in scored), scored[0][0])


def _covering(
    poses: list[tuple[Pose, float]], query: Cloud, reference: Cloud, count: int
) -> list[tuple[float, Pose, float]]:
    """Return log-odds of the coverage of the first points, pose and log of the consensus, most promising first."""
    small_query, small_reference = query.beginning(count), reference.beginning(count)
    measured = [
        (log_odds(covered(small_query, small_reference, pose).coverage), pose, weight) for pose, weight in poses
    ]
    # What a regression made of coverage and consensus before fine registration, on the development half.
    return sorted(measured, key=lambda one: -(1.7 * one[0] + 1.1 * one[2]))


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
