"""The search of one query in a collection: its bodies, exact copies, votes, fitted surfaces, and what they leave."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import ParameterError
from ballistics.printed.collection.collection import ALIKE_AS_WHOLE, Collection
from ballistics.printed.collection.votes import Neighbours, Vote, in_turn, ranked
from ballistics.printed.content.part import Part
from ballistics.printed.describe.cloud import TOLERANCES
from ballistics.printed.describe.geometry_hashes import GeometryKeys, copy_relation, geometry_keys
from ballistics.printed.describe.plainness import PLAIN_WORTH, telling_nats
from ballistics.printed.describe.query import Query, cloud_of, query_of_sample, query_of_signature, remainder
from ballistics.printed.describe.sampling import EvenSample, sample_surface
from ballistics.printed.describe.signature import Signature, coarse_points
from ballistics.printed.identify.bodies import separate_bodies
from ballistics.printed.identify.candidates import (
    ALL_RADII,
    FEW_RADII,
    Proposal,
    fit_candidate,
    propose_as_whole,
    propose_by_matches,
    settled,
)
from ballistics.printed.identify.verification import Fit, deviations_of

#: Score from which a candidate is taken. Chosen with the search of identification version 4: of 340 unrelated
#: development queries, cross-validated, one reached it (0.47), the next had 0.26; of look-alikes, new solids of a
#: family of which the collection holds others, 28 % did: they are hits.
THRESHOLD = 0.4

# References that are laid on the query as a whole, in the order of the descriptors of the whole, and those of them that
# are finely registered.
BY_WHOLE = 12
_FITTED_AS_WHOLE = 4
# No accepted hit may end the search while a better one could exist. A decisive hit, far above what unrelated shapes
# reach, spares the search among more references. It also spares the votes where whole lies on whole and every reference
# was laid that is alike as a whole: a better one would have to be one of these.
_WHOLE_ON_WHOLE = 0.85
_DECISIVE = 0.95
# When the search goes on: by votes.
BY_VOTES = 12
_FITTED = 8
# They are matched at both numbers of radii; the many below at one, which is cheaper.
_BOTH_RADII = (FEW_RADII, ALL_RADII)
# When none of these reaches the threshold: so many by votes, and those of them that are registered roughly and finely.
BY_VOTES_AT_MOST = 180
_SETTLED_AT_MOST = 90
_FITTED_AT_MOST = 60
# Of noise, coarse facets and broken rims the votes may be for a scale that is not the right one: the first references
# are tried at so many steps of 12 % to both sides too; from there the consensus reaches two steps further.
_RESCALED = 15
_STEPS_OFF = 3.0
# References among which the votes' order is mended by whether their matches agree in geometry.
_MENDED = 300
# An accepted candidate must explain so much of the points that no better one explains.
_NEW_SHARE = 0.5
_LEFT_TO_SEARCH = 0.12
_ROUNDS = 12


@dataclass(frozen=True)
class Found:
    """A reference laid on a piece of the query.

    Parameters
    ----------
    component, row : int
        Which piece, and which reference.
    fit : Fit
        How.
    copied : bool
        Whether it is a copy by its hash.
    worth : float
        What the places of the reference that lie on the query say beyond plain bodies, in nats; NaN unless it fits.
    """

    component: int
    row: int
    fit: Fit
    copied: bool
    worth: float

    @property
    def is_fit(self) -> bool:
        """Whether it is known by its hash, or by its score."""
        return self.copied or self.fit.score >= THRESHOLD

    @property
    def is_plain(self) -> bool:
        """Whether so plain a shape fits for want of detail; a copy by its hash is told by more than its shape."""
        return not self.copied and self.worth < PLAIN_WORTH

    @property
    def is_hit(self) -> bool:
        """Whether it fits, and is not too plain to say so."""
        return self.is_fit and not self.is_plain

    @property
    def is_decisive(self) -> bool:
        """Whether hardly a better reference could exist."""
        return self.is_hit and (self.copied or self.fit.score >= _DECISIVE)

    @property
    def is_whole(self) -> bool:
        """Whether most of each surface lies on the other."""
        return bool(min(self.fit.query_shares[-1], self.fit.reference_shares[-1]) >= _WHOLE_ON_WHOLE)


@dataclass(frozen=True)
class Piece:
    """What is searched for by itself: a body, or −1, all bodies together."""

    component: int
    source: EvenSample | Signature
    keys: GeometryKeys | None

    @cached_property
    def points(self) -> NDArray[np.float64]:
        """Coarse points of its surface, millimetres."""
        return self.source.points_mm() if isinstance(self.source, Signature) else coarse_points(self.source)[0]

    def query(self) -> Query:
        """Describe it."""
        if isinstance(self.source, Signature):
            return query_of_signature(self.source)
        return query_of_sample(self.source)


def _piece(component: int, vertices: NDArray[np.float64], faces: NDArray[np.int64]) -> Piece:
    return Piece(component, sample_surface(vertices, faces), geometry_keys(vertices, faces))


def pieces_of(query: Part | Sequence[Part] | Signature) -> list[Piece]:
    """Return the query as a whole and, when it has several, its bodies.

    Raises
    ------
    ParameterError
        There is no surface.
    """
    if isinstance(query, Signature):
        return [Piece(0, query, query.keys)]
    parts = [query] if isinstance(query, Part) else list(query)
    bodies = separate_bodies(parts)
    if not bodies:
        raise ParameterError("the query has no surface; there is nothing to search for")
    starts = np.cumsum([0, *(len(part.vertices_mm) for part in parts[:-1])])
    vertices = np.vstack([part.vertices_mm for part in parts])
    faces = np.vstack([part.faces + start for part, start in zip(parts, starts, strict=True)])
    if len(bodies) == 1:
        return [_piece(0, vertices, faces)]
    return [_piece(-1, vertices, faces), *(_piece(number, *body) for number, body in enumerate(bodies))]


def is_explained(piece: Piece, found: list[Found], collection: Collection) -> bool:
    """Return whether what was found in all bodies together explains a body already."""
    left = np.ones(len(piece.points), dtype=bool)
    for one in found:
        if one.component < 0 and one.is_decisive:
            left &= ~_reached(piece.points, one, collection)
    return bool(left.mean() < _LEFT_TO_SEARCH)


def _reached(points: NDArray[np.float64], one: Found, collection: Collection) -> NDArray[np.bool_]:
    """Return which points of the query lie on a candidate, within the largest tolerance."""
    cloud = collection.cloud(one.row)
    return np.asarray(deviations_of(points, cloud, one.fit.pose) <= TOLERANCES[-1] * cloud.size / one.fit.scale)


def search(query: Query, collection: Collection, component: int, keys: GeometryKeys | None) -> list[Found]:
    """Search one piece, then what the accepted candidates leave of it."""
    found: list[Found] = []
    new = _copies_of(query, collection, component, keys) if keys is not None else []
    is_ended = bool(new)
    if not new:
        new = _as_whole(query, collection, component)
        is_ended = any(one.is_decisive and one.is_whole for one in new) and _all_alike_laid(query, collection)
        if not is_ended:
            new += _fitted(query, collection, component, [_vote_of(one, query, collection) for one in new], False)
    neighbours = None
    rest = query
    explained = np.zeros(len(query.cloud.points), dtype=bool)
    for _ in range(_ROUNDS):
        if not is_ended:
            if neighbours is None:
                neighbours = collection.index().neighbours(query.local(range(len(query.steps))), query.steps)
            left = neighbours.of(~explained[: len(query.keypoints)])
            # Whatever lies on a plain query, it is too plain to be named for it: more references say no more.
            widely = not found and query.worth >= PLAIN_WORTH and not any(one.is_decisive for one in new)
            new = _best_of_each(new + _search_once(rest, left, collection, component, widely))
        # The score of what was found in the rest is that on the rest: it is the question that was asked.
        found += new
        best = max(new, key=lambda one: (one.is_hit, one.copied, one.fit.score), default=None)
        if best is None or not best.is_hit:
            break
        cloud = query.cloud
        off = deviations_of(cloud.points, collection.cloud(best.row), best.fit.pose)
        explained |= off <= 1.5 * TOLERANCES[-1] * collection.cloud(best.row).size / best.fit.scale
        if 1.0 - explained.mean() < _LEFT_TO_SEARCH:
            break
        remains = remainder(query, explained)
        if remains is None:
            break
        rest, new, is_ended = remains, [], False
    return found


def search_body(
    query: Query, found: list[Found], collection: Collection, component: int, keys: GeometryKeys | None
) -> list[Found]:
    """Lay what was found in all bodies together on one body that it explains: no other reference is asked for."""
    copies = _copies_of(query, collection, component, keys) if keys is not None else []
    if copies:
        return copies
    votes: dict[int, Vote] = {}
    for one in found:
        if one.component < 0 and one.is_hit and _reached(query.cloud.points, one, collection).any():
            votes.setdefault(one.row, _vote_of(one, query, collection))
    return _fitted(query, collection, component, list(votes.values()), False)


def _vote_of(one: Found, query: Query, collection: Collection) -> Vote:
    """Return a vote for a reference at the scale at which it was found."""
    ratio = collection.cloud(one.row).size / (query.cloud.size * one.fit.scale)
    return Vote(one.row, 6.0 * float(np.log2(ratio)), 1.0)


def _copies_of(query: Query, collection: Collection, component: int, keys: GeometryKeys) -> list[Found]:
    return _fitted(query, collection, component, [Vote(row, 0.0, 1.0) for row in _copies(collection, keys)], True)


def _search_once(
    query: Query, neighbours: Neighbours, collection: Collection, component: int, widely: bool
) -> list[Found]:
    """Search among few references by votes and, if asked to, among more when none of them is a decisive hit."""
    votes = _votes(query, neighbours, collection)
    proposals = _settled(query, collection, _proposed(query, collection, votes[:BY_VOTES], _BOTH_RADII))
    found = _registered_in_turn(query, collection, component, proposals, _FITTED)
    if not widely or any(one.is_decisive for one in found):
        return found
    # A plain reference is no hit but as a copy; among the first it is only shown.
    told = [vote for vote in votes[:BY_VOTES_AT_MOST] if collection.worth(vote.reference) >= PLAIN_WORTH]
    more = [vote for vote in told if vote not in votes[:BY_VOTES]]
    more += [replace(vote, step=vote.step + off) for vote in told[:_RESCALED] for off in (-_STEPS_OFF, _STEPS_OFF)]
    likely = _settled(query, collection, _proposed(query, collection, more, (ALL_RADII,))[:_SETTLED_AT_MOST])
    proposals = _best_first(proposals[len(found) :] + likely)
    found += _registered(query, collection, component, proposals[: _FITTED_AT_MOST - len(found)], False)
    return found


def _best_of_each(found: list[Found]) -> list[Found]:
    """Return the best fit of each reference: one may have been laid as a whole, by votes and at another scale."""
    return list({one.row: one for one in sorted(found, key=lambda one: one.fit.score)}.values())


def _votes(query: Query, neighbours: Neighbours, collection: Collection) -> list[Vote]:
    """Return references, those first that most descriptors or the best agreeing ones are for."""
    index = collection.index()
    counted = index.votes(neighbours)
    counted[sorted(collection.barred)] = 0.0
    votes = ranked(counted, _MENDED)
    # Not from the collection's own clouds: these are needed once.
    clouds = [cloud_of(collection.signature(vote.reference)) for vote in votes]
    return in_turn(votes, index.agreement(neighbours, votes, query.cloud, clouds)) if votes else []


def _fitted(query: Query, collection: Collection, component: int, votes: list[Vote], copied: bool) -> list[Found]:
    """Lay the references voted for on the query and register the most promising ones finely."""
    proposals = _settled(query, collection, _proposed(query, collection, votes, _BOTH_RADII))
    return _registered(query, collection, component, proposals[:_FITTED], copied)


def _proposed(query: Query, collection: Collection, votes: list[Vote], radii: Sequence[int]) -> list[Proposal]:
    """Lay the references voted for on the query, the most promising first."""
    proposals = []
    for vote in votes:
        reference = collection.cloud(vote.reference)
        proposal = propose_by_matches(query, collection.signature(vote.reference), reference, vote, radii)
        if proposal is not None:
            proposals.append(proposal)
    return _best_first(proposals)


def _settled(query: Query, collection: Collection, proposals: list[Proposal]) -> list[Proposal]:
    """Register proposals roughly, the most promising first."""
    return _best_first([settled(query, collection.cloud(one.vote.reference), one) for one in proposals])


def _best_first(proposals: list[Proposal]) -> list[Proposal]:
    """Return the best of each reference."""
    order = sorted(proposals, key=lambda one: (-one.promise, one.vote.reference, one.vote.step))
    first: dict[int, Proposal] = {}
    for one in order:
        first.setdefault(one.vote.reference, one)
    return list(first.values())


def _registered(
    query: Query, collection: Collection, component: int, proposals: list[Proposal], copied: bool
) -> list[Found]:
    """Register proposals finely."""
    found = []
    for one in proposals:
        row = one.vote.reference
        poses = [rough.pose for rough in one.poses]
        fit = fit_candidate(query, collection.signature(row), collection.cloud(row), one.vote.step, poses)
        # What does not fit needs none, and there may be sixty of these.
        worth = shared_worth(row, fit, collection) if copied or fit.score >= THRESHOLD else math.nan
        found.append(Found(component, row, fit, copied, worth))
    return found


def _registered_in_turn(
    query: Query, collection: Collection, component: int, proposals: list[Proposal], first: int
) -> list[Found]:
    """Register the most promising proposals finely; where one of them is a hit, all: a look-alike may be better."""
    found = _registered(query, collection, component, proposals[:first], False)
    if any(one.is_hit for one in found):
        found += _registered(query, collection, component, proposals[first:], False)
    return found


def shared_worth(row: int, fit: Fit, collection: Collection) -> float:
    """Return what the places of a reference that lie on the query say beyond plain bodies, in nats."""
    return telling_nats(collection.beyond_plain(row)[:, fit.shared])


def _copies(collection: Collection, keys: GeometryKeys) -> list[int]:
    """Return the references that the query is an exact copy of, scaled or mirrored ones too."""
    rows: set[int] = set()
    for mirrored in (False, True):
        for key in keys.near_shapes(mirrored=mirrored):
            for row in collection.rows_of_key(key):
                own = collection.references[row].keys
                if row not in collection.barred and own is not None and copy_relation(keys, own) is not None:
                    rows.add(row)
    return sorted(rows)


def _as_whole(query: Query, collection: Collection, component: int) -> list[Found]:
    """Lay the references on the query that resemble it most as a whole, and register the most promising ones finely.

    Only these: descriptors of the whole say nothing of a piece, but where they agree no index is needed.
    """
    order = np.argsort(collection.apart_as_whole(query.whole), kind="stable")[: BY_WHOLE + len(collection.barred)]
    rows = [int(row) for row in order if int(row) not in collection.barred][:BY_WHOLE]
    proposals = _settled(query, collection, [propose_as_whole(query, collection.cloud(row), row) for row in rows])
    return _registered_in_turn(query, collection, component, proposals, _FITTED_AS_WHOLE)


def _all_alike_laid(query: Query, collection: Collection) -> bool:
    """Return whether no more references are alike to the query as a whole than were registered finely."""
    near = np.flatnonzero(collection.apart_as_whole(query.whole) <= ALIKE_AS_WHOLE)
    return bool((~np.isin(near, sorted(collection.barred))).sum() <= _FITTED_AS_WHOLE)


def accepted_of(
    found: list[Found], points: NDArray[np.float64], labels: NDArray[np.int64], collection: Collection
) -> list[Found]:
    """Choose candidates above the threshold, best first, each of which explains points that none before it does."""
    explained = np.zeros(len(points), dtype=bool)
    accepted: list[Found] = []
    for one in found:
        if not one.is_hit:
            continue
        own = np.ones(len(points), dtype=bool) if one.component < 0 else labels == one.component
        near = own & _reached(points, one, collection)
        if near.any() and (near & ~explained).sum() >= _NEW_SHARE * near.sum():
            explained |= near
            accepted.append(one)
    return accepted
