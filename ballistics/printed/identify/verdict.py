"""Stage 5, verdict: which placed references are hits, and what the query is found to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.collection.collection import Collection
from ballistics.printed.describe.plainness import telling_nats
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
    """

    component: int
    row: int
    fit: Fit
    copied: bool
    worth: float
    parameters: IdentificationParameters

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


def shared_worth(row: int, fit: Fit, collection: Collection) -> float:
    """Return what the places of a reference that lie on the query say beyond plain bodies, in nats."""
    return telling_nats(collection.beyond_plain(row)[:, fit.shared])


def within_tolerance(points: NDArray[np.float64], found: Found, collection: Collection) -> NDArray[np.bool_]:
    """Return which points of the query lie on a reference, within the largest tolerance."""
    cloud = collection.cloud(found.row, found.parameters.surface)
    limit = found.parameters.largest_tolerance * cloud.size / found.fit.scale
    return np.asarray(deviations_of(points, cloud, found.fit.pose) <= limit)


def accepted_of(
    found: list[Found], points: NDArray[np.float64], labels: NDArray[np.int64], collection: Collection
) -> list[Found]:
    """Choose candidates above the threshold, best first, each of which explains points that none before it does."""
    explained = np.zeros(len(points), dtype=bool)
    accepted: list[Found] = []
    for candidate in found:
        if not candidate.is_hit:
            continue
        own = np.ones(len(points), dtype=bool) if candidate.component < 0 else labels == candidate.component
        near = own & within_tolerance(points, candidate, collection)
        if near.any() and (near & ~explained).sum() >= candidate.parameters.new_share * near.sum():
            explained |= near
            accepted.append(candidate)
    return accepted


def verdict_of(
    accepted: list[Found],
    found: list[Found],
    worths: Mapping[int, float],
    collection: Collection,
    parameters: IdentificationParameters,
) -> Verdict:
    """Return what a query is found to be: `Identification.verdict`."""
    if accepted:
        return "in the collection"
    unknown_from = parameters.unknown_from_share * parameters.plain_below_nats
    is_plain = any(candidate.is_fit for candidate in found) or max(worths.values()) < unknown_from
    return "too plain to identify" if len(collection) and is_plain else "nothing in the collection"
