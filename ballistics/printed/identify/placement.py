"""Stage 3, place: poses at which the query may lie on a reference, from rough to finely registered."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.describe.axes import axis_poses
from ballistics.printed.describe.cloud import Cloud, Pose, moved, scale_of
from ballistics.printed.describe.descriptors import DESCRIPTOR_STEP, SIGNATURE_STEPS
from ballistics.printed.describe.query import Query
from ballistics.printed.describe.signature import Signature
from ballistics.printed.identify.coverage import coverages, log_odds
from ballistics.printed.identify.parameters import DEFAULT, IdentificationParameters
from ballistics.printed.identify.shortlist import Vote
from ballistics_kernels.meshes import (
    ConsensusLimits,
    Correspondences,
    capped_distances,
    least_of_rows,
    similarity_consensus,
    weighted_draws,
)

Matches = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


@dataclass(frozen=True)
class RoughPose:
    """A pose of a query on a reference, measured on few points.

    Parameters
    ----------
    pose : ndarray
        4 × 4 similarity from the query to the reference.
    covered, followed : float
        Log-odds of the coverage; logarithm of the weight of the matches that follow the pose, 0 where none were made.
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
    def priority(self) -> float:
        """How early it is registered; comparable between references of one query proposed in the same way."""
        return max(_priority(pose, self.vote) for pose in self.poses)


def _priority(pose: RoughPose, vote: Vote) -> float:
    """Return the sum of what speaks for a pose, less what speaks against it, nothing weighed.

    The reference's share speaks for a candidate, the query's rather against it: dummy material dilutes it. What
    `benchmarks.training.printed_place` counts with these signs and with the best ones differs by a query in 60.
    """
    found = math.log(max(pose.reference_share, 0.01) / max(pose.query_share, 0.01))
    return pose.covered + pose.followed + found + math.log(vote.weight)


def propose_by_matches(
    query: Query,
    signature: Signature,
    reference: Cloud,
    vote: Vote,
    radii: Sequence[int],
    parameters: IdentificationParameters = DEFAULT,
) -> Proposal | None:
    """Find poses of a query on a reference at about the voted scale, by local descriptors that agree.

    Parameters
    ----------
    query : Query
        The question.
    signature : Signature
        Of the reference.
    reference : Cloud
        The points of the signature.
    vote : Vote
        The reference and its scale.
    radii : sequence of int
        How many of the radii that are equal at this scale are matched, the smallest first; with several numbers, the
        poses of each compete.
    parameters : IdentificationParameters
        See its part *Place*.

    Returns
    -------
    Proposal or None
        None when too few descriptors agree.
    """
    query_rows, reference_rows = equal_radii(query, vote.step)
    scale = reference.size / query.cloud.size * 2.0 ** (-vote.step / 6.0)
    followed: list[tuple[Pose, float]] = []
    for count in sorted({min(count, len(query_rows)) for count in radii} - {0}):
        few = query.local(query_rows[-count:])[:, : parameters.matched_keypoints]
        distances = descriptor_distances(
            few, signature.local[reference_rows[-count:]], parameters.match_distance_at_most
        )
        found = _similarities(query.cloud, reference, _matched(distances, parameters), scale, parameters)
        followed += [(pose, math.log(max(weight / few.shape[1], 0.01))) for pose, weight in found]
    if not followed:
        return None
    rough = _measured(followed, query.cloud, reference, parameters.rough_points, parameters)
    return Proposal(vote, rough[: parameters.poses_measured])


def propose_by_axes(
    query: Query, reference: Cloud, row: int, parameters: IdentificationParameters = DEFAULT
) -> Proposal:
    """Find poses that bring the principal axes of a query onto those of a reference.

    Parameters
    ----------
    query : Query
        The question.
    reference : Cloud
        The points of the reference.
    row : int
        Of the reference in the collection, for the vote.
    parameters : IdentificationParameters
        See its part *Place*.

    Returns
    -------
    Proposal
        Its vote has the scale of the best pose and weight 1: no descriptor was counted.
    """
    poses = [(pose, 0.0) for pose in axis_poses(query.cloud, reference)]
    rough = _measured(poses, query.cloud, reference, parameters.rough_points, parameters)[: parameters.axes_registered]
    few, others = query.cloud.beginning(parameters.axes_points), reference.beginning(parameters.axes_points)
    near = [(_approached(few, others, found.pose, parameters), 0.0) for found in rough]
    best = _measured(near, query.cloud, reference, parameters.rough_points, parameters)[: parameters.poses_measured]
    step = 6.0 * math.log2(reference.size / (query.cloud.size * scale_of(best[0].pose)))
    return Proposal(Vote(row, step, 1.0), best)


def propose_beside(
    query: Query,
    found: Pose,
    alike: Query,
    signature: Signature,
    reference: Cloud,
    row: int,
    parameters: IdentificationParameters = DEFAULT,
) -> Proposal:
    """Find poses of a query on a reference that looks like another reference, on which the query lies already.

    Two references are whole and without noise: one is brought onto the other by its principal axes and by its matches,
    of which few draws find most, and the query goes along. What was cut off the query or built onto it does not matter.

    Parameters
    ----------
    query : Query
    found : ndarray of float64, shape (4, 4)
        From the query's frame to that of the reference it lies on.
    alike : Query
        The reference that it lies on, as a query.
    signature : Signature
        Of the other.
    reference : Cloud
        Its points.
    row : int
        Of the other.
    parameters : IdentificationParameters
    """
    across = propose_by_axes(alike, reference, row, parameters)
    few = replace(parameters, consensus_draws=parameters.beside_draws)
    matched = propose_by_matches(alike, signature, reference, across.vote, parameters.both_radii, few)
    both = across.poses + (() if matched is None else matched.poses)
    poses = [(np.asarray(rough.pose @ found, np.float64), 0.0) for rough in both]
    best = _measured(poses, query.cloud, reference, parameters.coarse_points, parameters)[: parameters.poses_measured]
    step = 6.0 * math.log2(reference.size / (query.cloud.size * scale_of(best[0].pose)))
    return Proposal(Vote(row, step, 1.0), best)


def settled(
    query: Query, reference: Cloud, proposal: Proposal, parameters: IdentificationParameters = DEFAULT
) -> Proposal:
    """Register the poses of a proposal roughly and keep the best different ones.

    Parameters
    ----------
    query : Query
        The question.
    reference : Cloud
        The points of the proposal's reference.
    proposal : Proposal
        Its poses are where registration begins.
    parameters : IdentificationParameters
        Points, rounds, and how many poses are kept.

    Returns
    -------
    Proposal
        With the same vote, best pose first.
    """
    few = query.cloud.beginning(parameters.settled_points)
    near = [
        (refine(few, reference, rough.pose, parameters.settled_rounds, parameters), rough.followed)
        for rough in proposal.poses
    ]
    measured = _measured(near, query.cloud, reference, parameters.coarse_points, parameters)
    return Proposal(proposal.vote, _distinct(measured, query.cloud, reference, parameters)[: parameters.poses_settled])


def registered(query: Cloud, reference: Cloud, rough: Sequence[Pose], parameters: IdentificationParameters) -> Pose:
    """Register rough poses finely; return the one that covers most, rough ones too.

    Parameters
    ----------
    query, reference : Cloud
        The two surfaces.
    rough : sequence of ndarray of float64, shape (4, 4)
        Similarities from the query to the reference; at least one.
    parameters : IdentificationParameters
        Points, rounds and reaches.

    Returns
    -------
    ndarray of float64, shape (4, 4)
    """
    few, others = query.beginning(parameters.registered_points), reference.beginning(parameters.registered_points)
    # Where little overlaps, registration can lead astray.
    rounds = parameters.registered_rounds
    poses = [*rough, *(refine(few, reference, pose, rounds, parameters) for pose in rough)]
    return poses[int(np.argmax(coverages(few, others, np.stack(poses), parameters)[0]))]


def refine(
    query: Cloud,
    reference: Cloud,
    pose: Pose,
    rounds: int = DEFAULT.registered_rounds,
    parameters: IdentificationParameters = DEFAULT,
) -> Pose:
    """Register finely, scale included: point to plane on what lies within a reach that shrinks from round to round.

    Parameters
    ----------
    query, reference : Cloud
        The two surfaces.
    pose : ndarray of float64, shape (4, 4)
        Similarity from the query to the reference, near the right one.
    rounds : int
        The reach shrinks from the first to the last in this number of rounds.
    parameters : IdentificationParameters
        First and last reach, and the least cosine of normals.

    Returns
    -------
    ndarray of float64, shape (4, 4)
    """
    reaches = np.geomspace(parameters.reach_share, parameters.last_reach_share, rounds) * reference.size
    reaches = np.maximum(reaches, parameters.last_reach_spacings * reference.spacing)
    return np.vstack([reference.registered(query, pose, reaches, parameters.surface_cosine), pose[3:]])


def _approached(query: Cloud, reference: Cloud, pose: Pose, parameters: IdentificationParameters) -> Pose:
    """Register a pose that may be a tenth of the size off, between sparse points, whatever way the surfaces run."""
    shares = np.geomspace(parameters.axes_reach_share, parameters.axes_last_reach_share, parameters.axes_rounds)
    return np.vstack([reference.registered(query, pose, shares * reference.size, 0.0), pose[3:]])


def _measured(
    poses: list[tuple[Pose, float]], query: Cloud, reference: Cloud, count: int, parameters: IdentificationParameters
) -> tuple[RoughPose, ...]:
    """Measure poses of known consensus on the first points, best first."""
    at = np.stack([pose for pose, _ in poses])
    coverage, *shares = coverages(query.beginning(count), reference.beginning(count), at, parameters)
    measured = [
        RoughPose(pose, log_odds(float(coverage[k])), followed, float(shares[0][k]), float(shares[1][k]))
        for k, (pose, followed) in enumerate(poses)
    ]
    return tuple(sorted(measured, key=lambda rough: -(rough.covered + rough.followed)))


def elsewhere(
    proposal: Proposal, pose: Pose, query: Cloud, reference: Cloud, parameters: IdentificationParameters
) -> list[Pose]:
    """Return the poses of a proposal that put the query somewhere else than a pose does.

    Parameters
    ----------
    proposal : Proposal
        With the poses to choose from.
    pose : Pose
        That the others are held against.
    query, reference : Cloud
        The two clouds that the poses are for.
    parameters : IdentificationParameters
        Number of points, and what counts as somewhere else.
    """
    few = query.points[: parameters.distinct_points]
    at = moved(few, pose)
    # Fine registration moves a pose by less than its first reach.
    limit = parameters.reach_share * reference.size
    return [rough.pose for rough in proposal.poses if np.abs(moved(few, rough.pose) - at).max() > limit]


def _distinct(
    measured: tuple[RoughPose, ...], query: Cloud, reference: Cloud, parameters: IdentificationParameters
) -> tuple[RoughPose, ...]:
    """Return the poses that put the query somewhere else than every better one does."""
    few = query.points[: parameters.distinct_points]
    kept: list[tuple[RoughPose, NDArray[np.float64]]] = []
    for rough in measured:
        at = moved(few, rough.pose)
        if all(np.abs(at - other).max() > parameters.distinct_share * reference.size for _, other in kept):
            kept.append((rough, at))
    return tuple(rough for rough, _ in kept)


def equal_radii(query: Query, step: float) -> tuple[list[int], list[int]]:
    """Return the rows of the query's and of the signature's radii that are equal at a voted scale."""
    off = round(step)
    pairs = [(query.steps.index(s - off), k) for k, s in enumerate(SIGNATURE_STEPS) if s - off in query.steps]
    return [a for a, _ in pairs], [b for _, b in pairs]


def descriptor_distances(query: NDArray[np.int8], reference: NDArray[np.int8], at_most: float) -> NDArray[np.float32]:
    """Return the squared distances between all keypoints of two parts, over several radii at once.

    Parameters
    ----------
    query, reference : ndarray of int8, shape (radii, keypoints, 24)
        Rows of equal radius at the scale in question; −128 where there is no descriptor.
    at_most : float
        Largest distance that one radius counts with.

    Returns
    -------
    ndarray of float32, shape (query keypoints, reference keypoints)
        Mean over the radii, in squared standard deviations.
    """
    upright = np.ascontiguousarray(reference.transpose(0, 2, 1), dtype=np.float32)
    rows = np.ascontiguousarray(query, dtype=np.float32)
    squares = capped_distances(rows, upright, -128.0, at_most / DESCRIPTOR_STEP**2)
    return np.asarray(squares * np.float32(DESCRIPTOR_STEP**2))


def _matched(distances: NDArray[np.float32], parameters: IdentificationParameters) -> Matches:
    """Match keypoints by their descriptors.

    Returns the rows of the query, those of the reference, and how much nearer than usual each match is, in squared
    standard deviations; all of shape (matches,).
    """
    count = parameters.matches_per_keypoint
    columns, best = least_of_rows(distances, count)
    sparse = distances[:, :: parameters.usual_stride]
    rank = sparse.shape[1] // parameters.usual_rank
    usual = np.partition(sparse, rank, axis=1)[:, rank]
    gain = np.maximum(usual[:, None] - best, 0.0)
    rows = np.repeat(np.arange(len(distances)), count)
    keep = (gain.ravel() > 0) & (columns.ravel() >= 0)
    return rows[keep], columns.ravel()[keep], gain.ravel()[keep].astype(np.float64)


def _similarities(
    query: Cloud, reference: Cloud, matches: Matches, scale: float, parameters: IdentificationParameters
) -> list[tuple[Pose, float]]:
    """Return the similarities that most matches follow, best first, as 4 × 4 poses with the followers' weight."""
    rows, columns, weights = matches
    if len(rows) < parameters.matches_at_least:
        return []
    pairs, thirds = _random_numbers(parameters.consensus_seed, parameters.consensus_draws)
    correspondences = Correspondences(
        sources=np.ascontiguousarray(query.points[rows]),
        targets=np.ascontiguousarray(reference.points[columns]),
        source_normals=np.ascontiguousarray(query.normals[rows]),
        target_normals=np.ascontiguousarray(reference.normals[columns]),
        weights=weights,
    )
    limits = ConsensusLimits(
        tries=parameters.consensus_thirds,
        scale=scale,
        slack=parameters.consensus_scale_slack,
        shortest=parameters.consensus_side_share * reference.size / scale,
        tolerance=parameters.consensus_distance_share * reference.size,
        least_cosine=parameters.consensus_cosine,
        keep=parameters.poses_proposed,
    )
    drawn = weighted_draws(weights, pairs), weighted_draws(weights, thirds)[:, 0]
    similarities, scores = similarity_consensus(correspondences, *drawn, limits)
    last = [0.0, 0.0, 0.0, 1.0]
    return [(np.vstack([s, last]), float(v)) for s, v in zip(similarities, scores, strict=True) if v > 0]


@cache
def _random_numbers(seed: int, draws: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the random numbers that choose pairs and thirds: the same for every candidate."""
    generator = np.random.Generator(np.random.PCG64(seed))
    return generator.random((draws, 2)), generator.random((draws, 1))
