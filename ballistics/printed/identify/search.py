"""The order of the stages for one body: copies, whole surfaces, votes, then what the hits leave unexplained."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ballistics.printed.collection.collection import Collection
from ballistics.printed.collection.descriptor_index import Neighbours
from ballistics.printed.describe.cloud import Cloud
from ballistics.printed.describe.geometry_hashes import GeometryKeys
from ballistics.printed.describe.query import Query, query_of_signature, remainder
from ballistics.printed.identify.coverage import deviations_of
from ballistics.printed.identify.judgement import fit_candidate
from ballistics.printed.identify.parameters import DEFAULT, IdentificationParameters
from ballistics.printed.identify.pieces import Piece
from ballistics.printed.identify.placement import (
    Proposal,
    elsewhere,
    propose_beside,
    propose_by_axes,
    propose_by_matches,
    settled,
)
from ballistics.printed.identify.shortlist import (
    Vote,
    exact_copies,
    look_alikes,
    look_up,
    nearest_wholes,
    votes_of,
)
from ballistics.printed.identify.verdict import Found, in_order, shared_worth, straying_of, within_tolerance


@dataclass
class Spent:
    """What the search of a query has cost so far, all its bodies together.

    Parameters
    ----------
    placements : int
        References that were placed beyond the first of each body.
    shortened : set of int
        Bodies that were placed on fewer references because the budget was used up; −1 for all together.
    """

    placements: int = 0
    shortened: set[int] = field(default_factory=set)


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
    spent : Spent
        Shared by the bodies of one query.
    """

    query: Query
    component: int
    keys: GeometryKeys | None
    collection: Collection
    parameters: IdentificationParameters = DEFAULT
    spent: Spent = field(default_factory=Spent)

    def cloud(self, row: int) -> Cloud:
        """Return the points of a reference."""
        return self.collection.cloud(row, self.parameters.surface)


def is_explained(
    piece: Piece, found: list[Found], collection: Collection, parameters: IdentificationParameters
) -> bool:
    """Return whether what was found in all bodies together explains a body already.

    Parameters
    ----------
    piece : Piece
        The body.
    found : list of Found
        So far; of them the decisive hits in all bodies together count.
    collection : Collection
        In which they were found.
    parameters : IdentificationParameters
        Of them ``rest_share``: the share of the body's points that may be left over.
    """
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
        whole = _by_whole(question)
        new = _with_look_alikes(question, whole)
        alike = _alike(question, new)
        is_ended = any(hit.is_decisive and hit.is_whole for hit in new) and len(alike) <= parameters.beside_at_most
        if not is_ended:
            # What looks like a hit was placed by matches already.
            again = [_vote_of(candidate, question) for candidate in whole if candidate.row not in alike]
            new += _registered_best(question, again, False)
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
            asked = replace(question, query=rest)
            new = _with_look_alikes(asked, _best_of_each(new + _by_votes(asked, left, widely)))
        # The score of what was found in the rest is that on the rest: it is the question that was asked.
        found += new
        best = _best_hit(new)
        if best is None:
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
    found = _registered_in_turn(question, _settled(question, proposals), parameters.registered_by_whole)
    best = _best_hit(found)
    if best is None or not _alike(question, found):
        return found
    # A body of revolution has no axes across its own: what tells look-alikes apart would not lie on its counterpart.
    return _best_of_each(found + _registered_best(question, [_vote_of(best, question)], False))


def _with_look_alikes(question: Question, found: list[Found]) -> list[Found]:
    """Judge the references that look like the best hit, then those that look like a better one, until none is better.

    Each is placed beside the best hit, hits too: it may lie better there. Returns the best of each.
    """
    centres: set[int] = set()
    judged: set[int] = set()
    while (best := _best_hit(found)) is not None and best.row not in centres:
        centres.add(best.row)
        judged.add(best.row)
        rows = _alike(question, found)[: question.parameters.beside_at_most]
        beside = _proposed_beside(question, best, [row for row in rows if row not in judged])
        judged |= {proposal.vote.reference for proposal in beside}
        found = _best_of_each(found + _registered(question, _settled(question, beside), False))
    return found


def _alike(question: Question, found: list[Found]) -> list[int]:
    """Return the references that look like the best hit; none where nothing is a hit."""
    best = _best_hit(found)
    return [] if best is None else look_alikes(best.row, question.collection, question.parameters)


def _best_hit(found: list[Found]) -> Found | None:
    """Return the best hit, if there is any."""
    return next((candidate for candidate in in_order(found) if candidate.is_hit), None)


def _proposed_beside(question: Question, hit: Found, rows: list[int]) -> list[Proposal]:
    """Place references that look like a hit where the hit lies."""
    if not rows:
        return []
    collection, parameters = question.collection, question.parameters
    alike = query_of_signature(collection.signature(hit.row), parameters.surface)
    return [
        propose_beside(
            question.query, hit.fit.pose, alike, collection.signature(row), question.cloud(row), row, parameters
        )
        for row in rows
    ]


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
    spent = question.spent
    left = max(0, parameters.placements_at_most - spent.placements)
    if len(more) > left:
        spent.shortened.add(question.component)
        more = more[:left]
    spent.placements += len(more)
    # At one number of radii, which is cheaper.
    likely = _proposed(question, more, parameters.both_radii[1:])[: parameters.settled_at_most]
    proposals = _by_priority(proposals[len(found) :] + _settled(question, likely))
    found += _registered(question, proposals[: parameters.registered_at_most - len(found)], False)
    return found


def _best_of_each(found: list[Found]) -> list[Found]:
    """Return the best fit of each reference: it may have been placed by axes, by votes, beside a hit, and rescaled."""
    return list({candidate.row: candidate for candidate in reversed(in_order(found))}.values())


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
    return _by_priority(proposals)


def _settled(question: Question, proposals: list[Proposal]) -> list[Proposal]:
    """Register proposals roughly; return them in the order of their priority."""
    near = [
        settled(question.query, question.cloud(proposal.vote.reference), proposal, question.parameters)
        for proposal in proposals
    ]
    return _by_priority(near)


def _by_priority(proposals: list[Proposal]) -> list[Proposal]:
    """Return the best proposal of each reference, in the order of their priority."""
    order = sorted(proposals, key=lambda p: (-p.priority, p.vote.reference, p.vote.step))
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
        hit = Found(question.component, row, fit, copied, worth, parameters)
        found.append(
            _least_straying(question, hit, proposal) if hit.is_fit and hit.is_all_expected and not copied else hit
        )
    return found


def _least_straying(question: Question, hit: Found, proposal: Proposal) -> Found:
    """Return what fits, whole on whole as far as can be expected, at the pose from which the query strays least.

    A body that is nearly its own mirror image, or nearly the same turned by half, is covered as well in the wrong way.
    """
    query, row, parameters = question.query, hit.row, question.parameters
    signature, cloud = question.collection.signature(row), question.cloud(row)
    best = replace(hit, straying=straying_of(query, cloud, hit.fit.pose, parameters))
    for pose in elsewhere(proposal, hit.fit.pose, query.cloud, cloud, parameters):
        fit = fit_candidate(query, signature, cloud, proposal.vote.step, [pose], parameters)
        other = replace(hit, fit=fit, worth=shared_worth(row, fit, question.collection))
        if other.is_fit and other.is_all_expected and other.is_hit == hit.is_hit:
            straying = straying_of(query, cloud, fit.pose, parameters)
            best = replace(other, straying=straying) if straying < best.straying else best
    return best


def _registered_in_turn(question: Question, proposals: list[Proposal], first: int) -> list[Found]:
    """Register the first proposals finely; where a hit is among them, all: a look-alike may be better."""
    found = _registered(question, proposals[:first], False)
    if any(candidate.is_hit for candidate in found):
        found += _registered(question, proposals[first:], False)
    return found
