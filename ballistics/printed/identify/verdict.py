"""Stage 5, verdict: which placed references are hits, and what the query is found to be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.collection.collection import Collection
from ballistics.printed.describe.cloud import Cloud, Pose, moved, scale_of
from ballistics.printed.describe.plainness import telling_nats
from ballistics.printed.describe.query import Query
from ballistics.printed.identify.coverage import deviations_of
from ballistics.printed.identify.judgement import Fit
from ballistics.printed.identify.parameters import IdentificationParameters

Verdict = Literal["in the collection", "nothing in the collection", "too plain to identify"]
Relation = Literal["exact copy", "same geometry", "part of the reference", "contains the reference", "shares a region"]


@dataclass(frozen=True)
class Found:
    """A reference placed on a piece of the query.

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
    parameters : IdentificationParameters
    straying : float
        How far the query strays from the reference, see `straying_of`, where whole fits whole and no hash tells it; NaN
        elsewhere.
    """

    component: int
    row: int
    fit: Fit
    copied: bool
    worth: float
    parameters: IdentificationParameters
    straying: float = math.nan

    @property
    def is_fit(self) -> bool:
        """Whether it is known by its hash, or by its score."""
        return self.copied or self.fit.score >= self.parameters.threshold

    @property
    def is_plain(self) -> bool:
        """Whether so plain a shape fits for want of detail; a copy by its hash is told by more than its shape."""
        return not self.copied and self.worth < self.parameters.plain_below_nats

    @property
    def is_hit(self) -> bool:
        """Whether it fits, and is not too plain to say so."""
        return self.is_fit and not self.is_plain

    @property
    def is_decisive(self) -> bool:
        """Whether hardly a better reference could exist."""
        return self.is_hit and (self.copied or self.fit.score >= self.parameters.decisive)

    @property
    def is_whole(self) -> bool:
        """Whether most of each surface lies on the other."""
        return bool(min(self.fit.query_shares[-1], self.fit.reference_shares[-1]) >= self.parameters.whole_share)

    @property
    def is_all_expected(self) -> bool:
        """Whether most of the query lies on the reference, and most of what it can show of the reference on it."""
        return bool(min(self.fit.query_shares[-1], self.fit.expected) >= self.parameters.whole_share)

    @property
    def relation(self) -> Relation:
        """How the surfaces cover each other, see `Candidate.relation`."""
        if self.copied:
            return "exact copy"
        much, reported = self.parameters.relation_share, self.parameters.reported_tolerance
        query_share, reference_share = self.fit.query_shares[reported], self.fit.reference_shares[reported]
        if query_share >= much and reference_share >= much:
            return "same geometry"
        if query_share >= much:
            return "part of the reference"
        return "contains the reference" if reference_share >= much else "shares a region"


def in_order(found: list[Found]) -> list[Found]:
    """Return what was found, best first: hits, copies before them, by their scores; look-alikes by how a query strays.

    Scores of look-alikes differ by less than they scatter. Among references that whole fits whole for one body, the
    places that their scores give them are taken in the order in which the query strays from them least: a plain one
    that it strays from less stands before a hit.
    """
    ordered = sorted(found, key=lambda hit: (not hit.is_hit, not hit.copied, -hit.fit.score, hit.row))
    for component in sorted({hit.component for hit in ordered}):
        places = [k for k, hit in enumerate(ordered) if hit.component == component and not math.isnan(hit.straying)]
        alike = sorted((ordered[k] for k in places), key=lambda hit: hit.straying)
        for place, hit in zip(places, alike, strict=True):
            ordered[place] = hit
    return ordered


def tied_of(found: list[Found], parameters: IdentificationParameters) -> set[tuple[int, int]]:
    """Return component and row of the look-alikes that a query strays from by so nearly the least that none is told."""
    tied: set[tuple[int, int]] = set()
    for component in {hit.component for hit in found}:
        strays = {hit.row: hit.straying for hit in found if hit.component == component and hit.straying >= 0.0}
        least = min(strays.values(), default=0.0)
        near = {(component, row) for row, straying in strays.items() if straying < parameters.told_apart * least}
        near |= {(component, row) for row, straying in strays.items() if straying == least}
        tied |= near if len(near) > 1 else set()
    return tied


def straying_of(query: Query, reference: Cloud, pose: Pose, parameters: IdentificationParameters) -> float:
    """Return how far the surface of a query strays from a reference that it lies on, as a share of the query's size.

    Square root of the sum of two mean squares: of what the deviations of the query's finest even points from the
    reference exceed `straying_floor` by, up to `straying_most`, and of what those of the reference's points from the
    query's finest do; of a print that stopped, of those below where it did. Below the floor is what noise and the even
    points of a reference leave of the right one; a boss or a hole that only one of the two has stands above it.

    Parameters
    ----------
    query : Query
        The question; its finest points are compared.
    reference : Cloud
        The points of the reference.
    pose : ndarray of float64, shape (4, 4)
        Similarity from the query to the reference, finely registered.
    parameters : IdentificationParameters
        Of them ``straying_floor`` and ``straying_most``, shares of the query's size.

    Returns
    -------
    float
        0 or more; comparable between references of one query.
    """
    there = reference.deviations(moved(query.fine.points, pose)) / scale_of(pose)
    places = moved(reference.points, np.asarray(np.linalg.inv(pose), np.float64))
    back = query.fine.deviations(places[places[:, 2] < query.below_mm])
    total = 0.0
    for deviations in (there, back):
        if not len(deviations):
            continue
        beyond = np.minimum(deviations / query.cloud.size, parameters.straying_most) - parameters.straying_floor
        total += float((np.maximum(beyond, 0.0) ** 2).mean())
    return math.sqrt(total)


def shared_worth(row: int, fit: Fit, collection: Collection) -> float:
    """Return what the places of a reference that lie on the query say beyond plain bodies, in nats.

    Parameters
    ----------
    row : int
        Of the reference.
    fit : Fit
        The query placed on it.
    collection : Collection
        Of the reference.
    """
    return telling_nats(collection.beyond_plain(row)[:, fit.shared])


def within_tolerance(points: NDArray[np.float64], found: Found, collection: Collection) -> NDArray[np.bool_]:
    """Return which points of the query lie on a reference, within the largest tolerance.

    Parameters
    ----------
    points : ndarray of float64, shape (n, 3)
        Of the query.
    found : Found
        The reference and its pose; its parameters give the tolerance.
    collection : Collection
        In which it was found.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    cloud = collection.cloud(found.row, found.parameters.surface)
    limit = found.parameters.largest_tolerance * cloud.size / found.fit.scale
    return np.asarray(deviations_of(points, cloud, found.fit.pose) <= limit)


def accepted_of(
    found: list[Found], points: NDArray[np.float64], labels: NDArray[np.int64], collection: Collection
) -> list[Found]:
    """Choose candidates above the threshold, best first, each of which explains points that none before it does.

    Parameters
    ----------
    found : list of Found
        Best first.
    points : ndarray of float64, shape (n, 3)
        Of all bodies of the query.
    labels : ndarray of int64, shape (n,)
        The body of each point.
    collection : Collection
        In which they were found.
    """
    explained = np.zeros(len(points), dtype=bool)
    accepted: list[Found] = []
    for candidate in found:
        if not candidate.is_hit or _is_outdone(candidate, found):
            continue
        own = np.ones(len(points), dtype=bool) if candidate.component < 0 else labels == candidate.component
        near = own & within_tolerance(points, candidate, collection)
        if near.any() and (near & ~explained).sum() >= candidate.parameters.new_share * near.sum():
            explained |= near
            accepted.append(candidate)
    return accepted


def _is_outdone(hit: Found, found: list[Found]) -> bool:
    """Return whether the query strays clearly less from a reference that is too plain.

    What the hit has beyond the plain one is not in the query: the plain one may be right, and nothing is named.
    """
    return any(
        other.is_fit and other.is_plain and hit.straying >= hit.parameters.told_apart * other.straying
        for other in found
        if other.component == hit.component
    )


def verdict_of(
    accepted: list[Found],
    found: list[Found],
    worths: Mapping[int, float],
    collection: Collection,
    parameters: IdentificationParameters,
) -> Verdict:
    """Return what a query is found to be: `Identification.verdict`.

    Parameters
    ----------
    accepted : list of Found
        From `accepted_of`.
    found : list of Found
        All that was found, accepted or not.
    worths : mapping of int to float
        What each piece that was searched, −1 for all bodies together, says beyond plain bodies, in nats.
    collection : Collection
        That was searched.
    parameters : IdentificationParameters
        Of them what is plain.
    """
    if accepted:
        return "in the collection"
    unknown_from = parameters.unknown_from_share * parameters.plain_below_nats
    is_plain = any(candidate.is_fit for candidate in found) or max(worths.values()) < unknown_from
    return "too plain to identify" if len(collection) and is_plain else "nothing in the collection"
