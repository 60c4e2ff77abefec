"""Which reference is this, or a piece of this? The cascade from exact copies to fitted surfaces, and its verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import ParameterError
from ballistics.printed.candidates import fit_candidate, propose_candidate
from ballistics.printed.collection import Collection
from ballistics.printed.geometry_hash import GeometryKeys, copy_relation, geometry_keys
from ballistics.printed.part import Part
from ballistics.printed.pieces import separate_bodies
from ballistics.printed.query import Query, query_of_sample, query_of_signature, remainder
from ballistics.printed.sampling import sample_surface
from ballistics.printed.signature import SIGNATURE_VERSION, Signature
from ballistics.printed.verification import REPORTED, TOLERANCES, Fit, deviations_of
from ballistics.printed.votes import Vote, ranked
from ballistics.provenance import Provenance, sha256_of_array

#: Changes whenever the same query and collection could give other numbers.
IDENTIFICATION_VERSION = "1"

#: Score from which a candidate is taken: above the highest, 0.39, of 35 unrelated development queries. Five more, new
#: brackets against enrolled brackets, scored 0.45 to 0.89, three of them above it: simple look-alikes are false hits.
THRESHOLD = 0.6
#: Upper 95 % bound (exact binomial, one-sided) of how often an unrelated query reaches it: 3 of those 40 did. It is
#: that of the set the threshold was chosen on; `benchmarks printed` measures it on others.
FALSE_HIT_RATE = 0.183

# References that are laid on the query: by votes, and by the descriptors of the whole.
_BY_VOTES = 60
_BY_WHOLE = 4
# Of these, by a score of few points, finely registered.
_FITTED = 12
# An accepted candidate must explain so much of the points that no better one explains.
_NEW_SHARE = 0.5
_LEFT_TO_SEARCH = 0.12
_ROUNDS = 12

Verdict = Literal["in the collection", "nothing in the collection"]
Relation = Literal["exact copy", "same geometry", "part of the reference", "contains the reference", "shares a region"]


@dataclass(frozen=True, eq=False)
class Candidate:
    """A reference laid on the query.

    Parameters
    ----------
    row : int
        Of the reference in the collection.
    name, category, metadata
        What the collection says of it.
    relation : str
        ``"exact copy"`` (by the canonical hash), ``"same geometry"``, ``"part of the reference"`` (most of the query
        is explained, the reference only in part), ``"contains the reference"``, or ``"shares a region"``.
    pose : ndarray of float64, shape (4, 4)
        Similarity from the query's frame to the reference's, millimetres.
    scale : float
        Length in the query over length in the reference: the query is the reference scaled by this.
    mirrored : bool
        Whether the query shows the reference's mirror image. A reference that is its own mirror image fits both
        ways; then it says which fitted better.
    query_share, reference_share : float
        Shares of the query's and of the reference's surface, 0–1, that lie within ``tolerance_mm`` of the other.
    tolerance_mm : float
        In the frame of the query.
    score : float
        0–1, from coverage and agreement; compared with the threshold. Not a probability that may be quoted.
    coverage : float
        0–1: area that both surfaces cover, mean of Dice and overlap coefficient over four tolerances.
    agreement : float
        How well the local descriptors agree where the surfaces lie on each other; 1 is expected of chance.
    component : int
        Which of the query's components was searched with: `Identification.components`; −1 for all together.
    deviations_mm : ndarray of float32, shape (points,)
        Distance of each of the query's points from the reference, in the query's millimetres; infinite where it
        has no counterpart.
    """

    row: int
    name: str
    category: str
    metadata: Mapping[str, Any]
    relation: Relation
    pose: NDArray[np.float64]
    scale: float
    mirrored: bool
    query_share: float
    reference_share: float
    tolerance_mm: float
    score: float
    coverage: float
    agreement: float
    component: int
    deviations_mm: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Identification:
    """What a query was found to be.

    Parameters
    ----------
    verdict : str
        ``"in the collection"`` when a candidate reaches the threshold, else ``"nothing in the collection"``.
    accepted : tuple of Candidate
        The candidates that reach the threshold, one per explained region, best first: several on a plate.
    candidates : tuple of Candidate
        The best few, whether they reach the threshold or not, best first; one per reference and component.
    threshold : float
        Score above which a candidate is accepted.
    false_hit_rate : float
        Upper 95 % bound of how often the best score of an unrelated query passes the threshold.
    points_mm : ndarray of float64, shape (points, 3)
        Points of the query that the deviations belong to, all components together.
    components : ndarray of int64, shape (points,)
        Component of each point.
    provenance : Provenance
    """

    verdict: Verdict
    accepted: tuple[Candidate, ...]
    candidates: tuple[Candidate, ...]
    threshold: float
    false_hit_rate: float
    points_mm: NDArray[np.float64]
    components: NDArray[np.int64]
    provenance: Provenance = field(repr=False)


def identify(query: Part | Sequence[Part] | Signature, collection: Collection, *, most: int = 10) -> Identification:
    """Search a part, or all parts of one file, in a collection.

    Parameters
    ----------
    query : Part, sequence of Part, or Signature
        Several parts are searched together and each for itself; so are the separate bodies of a part.
    collection : Collection
    most : int
        How many candidates are reported.

    Returns
    -------
    Identification

    Raises
    ------
    ParameterError
        No part has a surface, or ``most`` is below 1.

    Notes
    -----
    Exact copies are known by their canonical hash. Else local descriptors of balls at many radii vote for references
    and scales (doi:10.1109/CVPR.2012.6248111), descriptors of the whole add a few; each candidate is laid on the query
    by random sample consensus on matched keypoints (doi:10.1145/358669.358692), both hands, and registered finely,
    scale included; the score is the area that both cover. What an accepted candidate explains is taken away and the
    rest is searched again, until nothing more is found.

    Examples
    --------
    >>> from ballistics.printed.signature import signature_of
    >>> corners = np.array([[0.0, 0, 0], [40, 0, 0], [0, 30, 0], [0, 0, 20]])
    >>> wedge = Part(corners, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]))
    >>> collection = Collection()
    >>> collection.enrol(signature_of(wedge), "wedge")
    >>> found = identify(Part(-2.0 * wedge.vertices_mm, wedge.faces[:, ::-1].copy()), collection)
    >>> found.verdict, found.candidates[0].name, round(found.candidates[0].scale, 2), found.candidates[0].mirrored
    ('in the collection', 'wedge', 2.0, True)
    """
    if most < 1:
        raise ParameterError(f"most is {most}; at least one candidate must be asked for")
    pieces, keys = _pieces(query)
    found: list[_Found] = []
    if len(collection):
        for component, piece in pieces:
            found += _search(piece, collection, component, keys.get(component))
    points = np.vstack([piece.cloud.points for component, piece in pieces if component >= 0])
    labels = np.concatenate(
        [np.full(len(piece.cloud.points), component) for component, piece in pieces if component >= 0]
    )
    found.sort(key=lambda one: (-one.fit.score, one.row))
    accepted = _accepted(found, points, labels, collection)
    return Identification(
        "in the collection" if accepted else "nothing in the collection",
        tuple(_candidate(one, points, collection) for one in accepted),
        tuple(_candidate(one, points, collection) for one in found[:most]),
        THRESHOLD,
        FALSE_HIT_RATE,
        points,
        labels,
        _provenance(query, collection, most),
    )


@dataclass(frozen=True)
class _Found:
    component: int
    row: int
    fit: Fit
    copied: bool = False


def _pieces(query: Part | Sequence[Part] | Signature) -> tuple[list[tuple[int, Query]], dict[int, GeometryKeys]]:
    """Return the query as a whole and, when it has several, its bodies; and the keys of what may be an exact copy."""
    if isinstance(query, Signature):
        return [(0, query_of_signature(query))], {} if query.keys is None else {0: query.keys}
    parts = [query] if isinstance(query, Part) else list(query)
    bodies = separate_bodies(parts)
    if not bodies:
        raise ParameterError("the query has no surface; there is nothing to search for")
    if len(parts) == 1:
        keys = geometry_keys(parts[0].vertices_mm, parts[0].faces)
        whole = query_of_sample(sample_surface(parts[0].vertices_mm, parts[0].faces))
        if len(bodies) == 1:
            return [(0, whole)], {0: keys}
    else:
        starts = np.cumsum([0, *(len(part.vertices_mm) for part in parts[:-1])])
        vertices = np.vstack([part.vertices_mm for part in parts])
        faces = np.vstack([part.faces + start for part, start in zip(parts, starts, strict=True)])
        keys = geometry_keys(vertices, faces)
        whole = query_of_sample(sample_surface(vertices, faces))
    pieces, known = [(-1, whole)], {-1: keys}
    for component, (vertices, faces) in enumerate(bodies):
        pieces.append((component, query_of_sample(sample_surface(vertices, faces))))
        known[component] = geometry_keys(vertices, faces)
    return pieces, known


def _search(query: Query, collection: Collection, component: int, keys: GeometryKeys | None) -> list[_Found]:
    """Search one piece, then what the accepted candidates leave of it."""
    found: list[_Found] = []
    rest: Query | None = query
    explained = np.zeros(len(query.cloud.points), dtype=bool)
    for _ in range(_ROUNDS):
        if rest is None:
            break
        new = _search_once(rest, collection, component, keys if rest is query else None)
        # The score of what was found in the rest is that on the rest: it is the question that was asked.
        found += new
        best = max(new, key=lambda one: one.fit.score, default=None)
        if best is None or best.fit.score < THRESHOLD:
            break
        cloud = query.cloud
        off = deviations_of(cloud.points, collection.cloud(best.row), best.fit.pose)
        explained |= off <= 1.5 * TOLERANCES[-1] * collection.cloud(best.row).size / best.fit.scale
        if 1.0 - explained.mean() < _LEFT_TO_SEARCH:
            break
        rest = remainder(query, explained)
    return found


def _search_once(query: Query, collection: Collection, component: int, keys: GeometryKeys | None) -> list[_Found]:
    copies = _copies(collection, keys) if keys is not None else []
    votes = [Vote(row, step, np.inf) for row, step in copies]
    if not votes:
        counted = collection.index().votes(query.local, query.steps)
        counted[sorted(collection.barred)] = 0.0
        votes = ranked(counted, _BY_VOTES)
        votes += _by_whole(query, collection, collection.barred | frozenset(vote.reference for vote in votes))
    proposals = []
    for vote in votes:
        reference = collection.cloud(vote.reference)
        proposal = propose_candidate(query, collection.signature(vote.reference), reference, vote)
        if proposal is not None:
            proposals.append(proposal)
    proposals.sort(key=lambda one: (-one.score, one.vote.reference))
    found = []
    for one in proposals[:_FITTED]:
        row = one.vote.reference
        fit = fit_candidate(query, collection.signature(row), collection.cloud(row), one)
        found.append(_Found(component, row, fit, bool(copies)))
    return found


def _copies(collection: Collection, keys: GeometryKeys) -> list[tuple[int, float]]:
    """Return the references that the query is an exact copy of, scaled or mirrored ones too, and their vote steps."""
    rows: dict[int, float] = {}
    for mirrored in (False, True):
        for key in keys.near_shapes(mirrored=mirrored):
            for row in collection.rows_of_key(key):
                own = collection.references[row].keys
                if row not in collection.barred and own is not None and copy_relation(keys, own) is not None:
                    rows[row] = 0.0
    return sorted(rows.items())


def _by_whole(query: Query, collection: Collection, known: frozenset[int]) -> list[Vote]:
    """Return further references that resemble the query as a whole, taken to be of its size."""
    difference = collection.whole().astype(np.float32) - query.whole.astype(np.float32)
    distance = (difference**2).sum(axis=(1, 2))
    order = np.argsort(distance, kind="stable")[: _BY_WHOLE + len(known)]
    return [Vote(int(row), 0.0, 0.0) for row in order if int(row) not in known][:_BY_WHOLE]


def _accepted(
    found: list[_Found], points: NDArray[np.float64], labels: NDArray[np.int64], collection: Collection
) -> list[_Found]:
    """Choose candidates above the threshold, best first, each of which explains points that none before it does."""
    explained = np.zeros(len(points), dtype=bool)
    accepted: list[_Found] = []
    for one in found:
        if one.fit.score < THRESHOLD:
            break
        cloud = collection.cloud(one.row)
        own = np.ones(len(points), dtype=bool) if one.component < 0 else labels == one.component
        near = own & (deviations_of(points, cloud, one.fit.pose) <= TOLERANCES[-1] * cloud.size / one.fit.scale)
        if near.any() and (near & ~explained).sum() >= _NEW_SHARE * near.sum():
            explained |= near
            accepted.append(one)
    return accepted


def _candidate(one: _Found, points: NDArray[np.float64], collection: Collection) -> Candidate:
    reference = collection.references[one.row]
    query_share = float(one.fit.query_shares[REPORTED])
    reference_share = float(one.fit.reference_shares[REPORTED])
    cloud = collection.cloud(one.row)
    return Candidate(
        one.row,
        reference.name,
        reference.category,
        reference.metadata,
        _relation(one.copied, query_share, reference_share),
        one.fit.pose,
        1.0 / one.fit.scale,
        one.fit.mirrored,
        query_share,
        reference_share,
        TOLERANCES[REPORTED] * cloud.size / one.fit.scale,
        one.fit.score,
        one.fit.coverage,
        one.fit.agreement,
        one.component,
        deviations_of(points, cloud, one.fit.pose).astype(np.float32),
    )


def _relation(copied: bool, query_share: float, reference_share: float) -> Relation:
    if copied:
        return "exact copy"
    much = 0.85
    if query_share >= much and reference_share >= much:
        return "same geometry"
    if query_share >= much:
        return "part of the reference"
    return "contains the reference" if reference_share >= much else "shares a region"


def _provenance(query: Part | Sequence[Part] | Signature, collection: Collection, most: int) -> Provenance:
    if isinstance(query, Signature):
        inputs = {"signature": sha256_of_array(query.local)}
    else:
        parts = [query] if isinstance(query, Part) else query
        inputs = {}
        for k, part in enumerate(parts):
            inputs[f"part {k} vertices"] = sha256_of_array(part.vertices_mm)
            inputs[f"part {k} faces"] = sha256_of_array(part.faces)
            if part.provenance is not None and "file" in part.provenance.inputs:
                inputs[f"part {k} file"] = part.provenance.inputs["file"]
    return Provenance(
        "printed-part identification",
        IDENTIFICATION_VERSION,
        {
            "signature_version": SIGNATURE_VERSION,
            "references": len(collection),
            "threshold": THRESHOLD,
            "candidates_by_votes": _BY_VOTES,
            "candidates_by_whole": _BY_WHOLE,
            "tolerances_share_of_size": TOLERANCES,
            "most": most,
        },
        inputs,
        ("10.1109/CVPR.2012.6248111", "10.1145/358669.358692", "10.1016/0262-8856(92)90066-C"),
    )
