"""From a query to fitted candidates: votes or the whole choose references, geometry decides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.collection.votes import Vote
from ballistics.printed.describe.axes import axis_poses
from ballistics.printed.describe.cloud import TOLERANCES, Cloud, Pose, moved, scale_of
from ballistics.printed.describe.descriptors import SIGNATURE_RADII, SIGNATURE_STEPS
from ballistics.printed.describe.plainness import PLACES
from ballistics.printed.describe.query import Query
from ballistics.printed.describe.signature import Signature
from ballistics.printed.identify.likeness import (
    Likeness,
    agreement_in_place,
    correspondences,
    descriptor_distances,
    detail_of,
)
from ballistics.printed.identify.verification import Fit, approach, coverages, covered, log_odds, propose, refine

_MATCHED = 500  # keypoints of the query that are matched
#: How many of the equal radii are matched, the smallest first: cuts and added material spoil the small ones least,
#: noise and coarse facets the large ones. Of 180 disturbed development queries 177 come to lie where they belong by
#: two radii and 174 by all at the true scale; a step of 12 % off, 167 by either (mean of both sides) and 173 by both.
FEW_RADII, ALL_RADII = 2, len(SIGNATURE_STEPS)
_PROPOSED = 20  # similarities of matches per candidate whose coverage is roughly measured
_MEASURED = 5  # of these, measured better
_REFINED = 2  # of these, finely registered
# Coarse facets turn principal axes, and a round part has none across its own: so many of the ways to lay axes on axes
# are registered from afar, on so many points.
_APPROACHED = 16
_APPROACHING = 150
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
_IN_PLACE = len(SIGNATURE_STEPS) - 1


@dataclass(frozen=True)
class RoughPose:
    """A pose of a query on a reference, measured on few points.

    Parameters
    ----------
    pose : ndarray
        4 × 4 similarity from the query to the reference.
    covered, followed : float
        Log-odds of the coverage; logarithm of the weight of the matches that follow the pose, 0 where none were asked.
    query_share, reference_share : float
        Of each surface that lies on the other, 0–1.
    """

    pose: Pose
    covered: float
    followed: float
    query_share: float
    reference_share: float


@dataclass(frozen=True)
class Proposal:
    """Poses at which a query may lie on a reference, before fine registration.

    Parameters
    ----------
    vote : Vote
    poses : tuple of RoughPose
        Best first; at least one.
    """

    vote: Vote
    poses: tuple[RoughPose, ...]

    @property
    def promise(self) -> float:
        """How promising the best pose is; comparable between the references of one query proposed in the same way."""
        return max(self._promise_of(one) for one in self.poses)

    def _promise_of(self, one: RoughPose) -> float:
        # What a conditional regression made of the candidates of 188 disturbed development queries, to tell the right
        # one of a query's references. The reference's share speaks for it, the query's rather against: dummy material
        # dilutes it. How well the descriptors agree at the pose adds nothing.
        return (
            2.0 * one.covered
            + 1.6 * one.followed
            + 2.75 * math.log(max(one.reference_share, 0.01))
            - 1.2 * math.log(max(one.query_share, 0.01))
            + 3.4 * math.log(self.vote.weight)
        )


def propose_by_matches(
    query: Query, signature: Signature, reference: Cloud, vote: Vote, radii: Sequence[int]
) -> Proposal | None:
    """Find poses of a query on a reference at about the voted scale; None when no descriptors agree.

    ``reference`` holds the points of the signature. ``radii`` says how many of the equal radii are matched, the
    smallest first; with several numbers, the poses of each compete.
    """
    query_rows, reference_rows = _equal_radii(query, vote.step)
    scale = reference.size / query.cloud.size * 2.0 ** (-vote.step / 6.0)
    followed: list[tuple[Pose, float]] = []
    for count in sorted({min(count, len(query_rows)) for count in radii} - {0}):
        few = query.local(query_rows[-count:])[:, :_MATCHED]
        matches = correspondences(descriptor_distances(few, signature.local[reference_rows[-count:]]))
        found = propose(query.cloud, reference, matches, scale, _PROPOSED)
        followed += [(pose, math.log(max(weight / few.shape[1], 0.01))) for pose, weight in found]
    if not followed:
        return None
    return Proposal(vote, _measured_roughly(followed, query.cloud, reference, _ROUGH)[:_MEASURED])


def propose_as_whole(query: Query, reference: Cloud, row: int) -> Proposal:
    """Find poses at which a query lies on a reference as a whole, axes on axes; ``row`` is the reference's."""
    poses = [(pose, 0.0) for pose in axis_poses(query.cloud, reference)]
    likely = _measured_roughly(poses, query.cloud, reference, _ROUGH)[:_APPROACHED]
    few, others = query.cloud.beginning(_APPROACHING), reference.beginning(_APPROACHING)
    near = [(approach(few, others, one.pose), 0.0) for one in likely]
    rough = _measured_roughly(near, query.cloud, reference, _ROUGH)[:_MEASURED]
    step = 6.0 * math.log2(reference.size / (query.cloud.size * scale_of(rough[0].pose)))
    return Proposal(Vote(row, step, 1.0), rough)


def settled(query: Query, reference: Cloud, proposal: Proposal) -> Proposal:
    """Register the poses of a proposal roughly and keep the best different ones."""
    few = query.cloud.beginning(_SETTLED)
    strong = [(refine(few, reference, one.pose, _SETTLING_ROUNDS), one.followed) for one in proposal.poses]
    measured = _measured_roughly(strong, query.cloud, reference, _COARSE)
    return Proposal(proposal.vote, _distinct(measured, query.cloud, reference)[:_REFINED])


def _measured_roughly(
    poses: list[tuple[Pose, float]], query: Cloud, reference: Cloud, count: int
) -> tuple[RoughPose, ...]:
    """Measure poses of known consensus on the first points, best first."""
    at = np.stack([pose for pose, _ in poses])
    coverage, *shares = coverages(query.beginning(count), reference.beginning(count), at)
    measured = [
        RoughPose(pose, log_odds(float(coverage[k])), followed, float(shares[0][k]), float(shares[1][k]))
        for k, (pose, followed) in enumerate(poses)
    ]
    # What a regression made of coverage and consensus before fine registration, on the development half.
    return tuple(sorted(measured, key=lambda one: -(1.7 * one.covered + 1.1 * one.followed)))


def _distinct(measured: tuple[RoughPose, ...], query: Cloud, reference: Cloud) -> tuple[RoughPose, ...]:
    """Return the poses that put the query somewhere else than every better one does."""
    few = query.points[:_WATCHED]
    kept: list[tuple[RoughPose, NDArray[np.float64]]] = []
    for one in measured:
        at = moved(few, one.pose)
        if all(np.abs(at - other).max() > _SAME * reference.size for _, other in kept):
            kept.append((one, at))
    return tuple(one for one, _ in kept)


def fit_candidate(query: Query, signature: Signature, reference: Cloud, step: float, rough: Sequence[Pose]) -> Fit:
    """Register rough poses finely and measure the one that covers most; ``step`` is that of the vote."""
    small = query.cloud.beginning(_REGISTERED)
    few = reference.beginning(_REGISTERED)
    # Where little overlaps, registration can lead astray.
    poses = [*rough, *(refine(small, reference, pose) for pose in rough)]
    best = int(np.argmax(coverages(small, few, np.stack(poses))[0]))
    return _measured(query, _equal_radii(query, step)[0], signature, reference, poses[best])


def _measured(query: Query, rows: list[int], signature: Signature, reference: Cloud, pose: Pose) -> Fit:
    """Measure all that the score is made of."""
    cover = covered(query.cloud, reference, pose)
    limit, scale = TOLERANCES[-1] * reference.size, scale_of(pose)
    places = cover.reference_places
    off = cover.query_deviations > limit
    lacked = cover.reference_deviations > limit / scale
    # The reference's own places, brought onto the query's surface along its normal.
    lying = np.flatnonzero(~lacked[: min(PLACES, signature.local.shape[1])])
    at, normals = query.cloud.points[cover.reference_rows[lying]], query.cloud.normals[cover.reference_rows[lying]]
    heights = ((places[lying] - at) * normals).sum(axis=1)
    radius = SIGNATURE_RADII[_IN_PLACE] * reference.size / scale
    described = query.described_at(places[lying] - heights[:, None] * normals, radius)
    likeness = Likeness(
        agreement_in_place(described, signature.local[_IN_PLACE], lying),
        detail_of(query.local(rows)[:, ~off[: len(query.keypoints)]]),
        len(rows),
    )
    missing = query.surroundings.are_outside(places[lacked]).sum() / len(places)
    added = reference.surroundings.are_outside(moved(query.cloud.points[off], pose)).sum() / len(off)
    shares = cover.query_shares, cover.reference_shares
    return Fit(pose, *shares, cover.coverage, likeness, float(missing), float(added), lying)


def _equal_radii(query: Query, step: float) -> tuple[list[int], list[int]]:
    """Return the rows of the query's and of the signature's radii that are equal at a voted scale."""
    off = round(step)
    pairs = [(query.steps.index(s - off), k) for k, s in enumerate(SIGNATURE_STEPS) if s - off in query.steps]
    return [a for a, _ in pairs], [b for _, b in pairs]
