"""The order of the stages for one body: copies, whole surfaces, votes, then what the hits leave unexplained."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ballistics.printed.collection.collection import Collection
from ballistics.printed.collection.descriptor_index import Neighbours
from ballistics.printed.describe.cloud import Cloud
from ballistics.printed.describe.geometry_hashes import GeometryKeys
from ballistics.printed.describe.query import Query, remainder
from ballistics.printed.identify.coverage import deviations_of
from ballistics.printed.identify.judgement import fit_candidate
from ballistics.printed.identify.parameters import DEFAULT, IdentificationParameters
from ballistics.printed.identify.pieces import Piece
from ballistics.printed.identify.placement import Proposal, propose_by_axes, propose_by_matches, settled
from ballistics.printed.identify.shortlist import (
    Vote,
    count_alike_wholes,
    exact_copies,
    look_up,
    nearest_wholes,
    votes_of,
)
from ballistics.printed.identify.verdict import Found, shared_worth, within_tolerance


@dataclass(frozen=True)
class Question:
    """A described body, or all bodies together, and where it is searched.

    Parameters
    ----------
    query : Query
    component : int
        Number of the body; −1 for all together.
    keys : GeometryKeys or None
    collection : Collection
    parameters : IdentificationParameters
    """

    query: Query
    component: int
    keys: GeometryKeys | None
    collection: Collection
    parameters: IdentificationParameters = DEFAULT

    def cloud(self, row: int) -> Cloud:
        """Return the points of a reference."""
        return self.collection.cloud(row, self.parameters.surface)


def is_explained(
    piece: Piece, found: list[Found], collection: Collection, parameters: IdentificationParameters
) -> bool:
    """Return whether what was found in all bodies together explains a body already."""
    left = np.ones(len(piece.points), dtype=bool)
    for candidate in found:
        if candidate.component < 0 and candidate.is_decisive:
            left &= ~within_tolerance(piece.points, candidate, collection)
    return bool(left.mean() < parameters.rest_share)


def search(question: Question) -> list[Found]:
    """Search a body, then what the accepted candidates leave of it."""
    query, collection, parameters = question.query, question.collection, question.parameters
    found: list[Found] = []
    new = _copies(question)
    is_ended = bool(new)
    if not new:
        new = _by_whole(question)
        is_ended = any(hit.is_decisive and hit.is_whole for hit in new) and _all_alike_tried(question)
        if not is_ended:
            new += _registered_best(question, [_vote_of(candidate, question) for candidate in new], False)
    neighbours = None
    rest = query
    explained = np.zeros(len(query.cloud.points), dtype=bool)
    for _ in range(parameters.rounds):
        if not is_ended:
            if neighbours is None:
                neighbours = look_up(query, collection, parameters)
            left = neighbours.of(~explained[: len(query.keypoints)])
            # Whatever fits a plain query, it is too plain to be named for it: more references say no more.
            is_told = query.worth >= parameters.plain_below_nats
            widely = not found and is_told and not any(candidate.is_decisive for candidate in new)
            new = _best_of_each(new + _by_votes(replace(question, query=rest), left, widely))
        # The score of what was found in the rest is that on the rest: it is the question that was asked.
        found += new
        best = max(new, key=lambda candidate: (candidate.is_hit, candidate.copied, candidate.fit.score), default=None)
        if best is None or not best.is_hit:
            break
        cloud = question.cloud(best.row)
        limit = parameters.explained_tolerances * parameters.largest_tolerance * cloud.size / best.fit.scale
        explained |= deviations_of(query.cloud.points, cloud, best.fit.pose) <= limit
        if 1.0 - explained.mean() < parameters.rest_share:
            break
        remains = remainder(query, explained, parameters.remainder_least_points)
        if remains is None:
            break
        rest, new, is_ended = remains, [], False
    return found


def search_explained(question: Question, found: list[Found]) -> list[Found]:
    """Place what was found in all bodies together on one body that it explains: no other reference is tried."""
    copies = _copies(question)
    if copies:
        return copies
    votes: dict[int, Vote] = {}
    for candidate in found:
        if candidate.component < 0 and candidate.is_hit:
            near = within_tolerance(question.query.cloud.points, candidate, question.collection)
            if near.any():
                votes.setdefault(candidate.row, _vote_of(candidate, question))
    return _registered_best(question, list(votes.values()), False)


def _vote_of(candidate: Found, question: Question) -> Vote:
    """Return a vote for a reference at the scale at which it was found."""
    ratio = question.cloud(candidate.row).size / (question.query.cloud.size * candidate.fit.scale)
    return Vote(candidate.row, 6.0 * float(np.log2(ratio)), 1.0)


def _copies(question: Question) -> list[Found]:
    """Place the references that the query is an exact copy of."""
    if question.keys is None:
        return []
    rows = exact_copies(question.collection, question.keys)
    return _registered_best(question, [Vote(row, 0.0, 1.0) for row in rows], True)


def _by_whole(question: Question) -> list[Found]:
    """Try the references whose whole surfaces resemble the query's most, and register the best placed finely."""
    query, parameters = question.query, question.parameters
    rows = nearest_wholes(query, question.collection, parameters.candidates_by_whole)
    proposals = [propose_by_axes(query, question.cloud(row), row, parameters) for row in rows]
    return _registered_in_turn(question, _settled(question, proposals), parameters.registered_by_whole)


def _all_alike_tried(question: Question) -> bool:
    """Return whether no more references have whole surfaces like the query's than were registered finely."""
    alike = count_alike_wholes(question.query, question.collection, question.parameters.alike_as_whole)
    return alike <= question.parameters.registered_by_whole


def _by_votes(question: Question, neighbours: Neighbours, widely: bool) -> list[Found]:
    """Try few references by votes and, if asked to, more when none of them is a decisive hit."""
    collection, parameters = question.collection, question.parameters
    votes = votes_of(question.query, neighbours, collection, parameters)
    first, at_most = votes[: parameters.candidates_by_votes], votes[: parameters.candidates_by_votes_at_most]
    proposals = _settled(question, _proposed(question, first, parameters.both_radii))
    found = _registered_in_turn(question, proposals, parameters.registered_by_votes)
    if not widely or any(candidate.is_decisive for candidate in found):
        return found
    # A plain reference is no hit but as a copy; among the first it is only shown.
    told = [vote for vote in at_most if collection.worth(vote.reference) >= parameters.plain_below_nats]
    steps = (-parameters.rescaled_steps, parameters.rescaled_steps)
    more = [vote for vote in told if vote not in first]
    more += [replace(vote, step=vote.step + off) for vote in told[: parameters.rescaled] for off in steps]
    # At one number of radii, which is cheaper.
    likely = _proposed(question, more, parameters.both_radii[1:])[: parameters.settled_at_most]
    proposals = _by_priority(proposals[len(found) :] + _settled(question, likely), parameters)
    found += _registered(question, proposals[: parameters.registered_at_most - len(found)], False)
    return found


def _best_of_each(found: list[Found]) -> list[Found]:
    """Return the best fit of each reference: it may have been placed by axes, by votes and at another scale."""
    return list({candidate.row: candidate for candidate in sorted(found, key=lambda hit: hit.fit.score)}.values())


def _registered_best(question: Question, votes: list[Vote], copied: bool) -> list[Found]:
    """Place the references voted for on the query, and register the best placed finely."""
    proposals = _settled(question, _proposed(question, votes, question.parameters.both_radii))
    return _registered(question, proposals[: question.parameters.registered_by_votes], copied)


def _proposed(question: Question, votes: list[Vote], radii: Sequence[int]) -> list[Proposal]:
    """Place the references voted for on the query, in the order of their priority."""
    proposals = []
    for vote in votes:
        signature, reference = question.collection.signature(vote.reference), question.cloud(vote.reference)
        proposal = propose_by_matches(question.query, signature, reference, vote, radii, question.parameters)
        if proposal is not None:
            proposals.append(proposal)
    return _by_priority(proposals, question.parameters)


def _settled(question: Question, proposals: list[Proposal]) -> list[Proposal]:
    """Register proposals roughly; return them in the order of their priority."""
    near = [
        settled(question.query, question.cloud(proposal.vote.reference), proposal, question.parameters)
        for proposal in proposals
    ]
    return _by_priority(near, question.parameters)


def _by_priority(proposals: list[Proposal], parameters: IdentificationParameters) -> list[Proposal]:
    """Return the best proposal of each reference, in the order of their priority."""
    order = sorted(proposals, key=lambda p: (-p.priority(parameters), p.vote.reference, p.vote.step))
    first: dict[int, Proposal] = {}
    for proposal in order:
        first.setdefault(proposal.vote.reference, proposal)
    return list(first.values())


def _registered(question: Question, proposals: list[Proposal], copied: bool) -> list[Found]:
    """Register proposals finely, and judge them."""
    collection, parameters = question.collection, question.parameters
    found = []
    for proposal in proposals:
        row = proposal.vote.reference
        poses = [rough.pose for rough in proposal.poses]
        signature, step = collection.signature(row), proposal.vote.step
        fit = fit_candidate(question.query, signature, question.cloud(row), step, poses, parameters)
        # What does not fit needs no worth, and there may be sixty of these.
        worth = shared_worth(row, fit, collection) if copied or fit.score >= parameters.threshold else math.nan
        found.append(Found(question.component, row, fit, copied, worth, parameters))
    return found


def _registered_in_turn(question: Question, proposals: list[Proposal], first: int) -> list[Found]:
    """Register the first proposals finely; where a hit is among them, all: a look-alike may be better."""
    found = _registered(question, proposals[:first], False)
    if any(candidate.is_hit for candidate in found):
        found += _registered(question, proposals[first:], False)
    return found
