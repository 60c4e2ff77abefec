"""Which reference is this, or a piece of this? The cascade from exact copies to fitted surfaces, and its verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import ParameterError
from ballistics.printed.collection.collection import Collection
from ballistics.printed.collection.false_hit_rate import FalseHitRate
from ballistics.printed.content.part import Part
from ballistics.printed.describe.cloud import REPORTED, TOLERANCES
from ballistics.printed.describe.plainness import PLAIN_WORTH, plain_file_sha256
from ballistics.printed.describe.signature import SIGNATURE_VERSION, Signature
from ballistics.printed.identify.cascade import (
    BY_VOTES,
    BY_VOTES_AT_MOST,
    BY_WHOLE,
    THRESHOLD,
    Found,
    accepted_of,
    is_explained,
    pieces_of,
    search,
    search_body,
    shared_worth,
)
from ballistics.printed.identify.score import score_file_sha256, score_model
from ballistics.printed.identify.verification import SCORE_VALUES, deviations_of
from ballistics.provenance import Provenance, sha256_of_array

#: Changes whenever the same query and collection could give other numbers.
IDENTIFICATION_VERSION = "8"

# A query worth less, in nats, is not called unknown although nothing fits: disturbed, its own reference may not either.
_UNKNOWN_FROM = 0.5 * PLAIN_WORTH

Verdict = Literal["in the collection", "nothing in the collection", "too plain to identify"]
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
        0–1, from the seven values that follow; compared with the threshold. Not a probability that may be quoted.
    coverage : float
        0–1: area that both surfaces cover where they run the same way, mean of Dice and overlap coefficient over four
        tolerances.
    agreement : float
        How well the local descriptors agree at the reference's own places; 1 is expected of chance.
    detail : float
        How much the surroundings of a point of what lies on each other say about its place, in nats: 3–7 for boxes and
        plates, 10–16 for most parts.
    radii : int
        How many of the 6 radii of the descriptors are equal: fewer, the further the sizes are apart.
    exactness : float
        0–1: of the query's surface within 2.5 % of the size of the reference, the share within 0.6 %.
    missing : float
        Share of the reference's surface, 0–1, that the query lacks although its place is empty, as after a cut; the
        rest that the query lacks lies inside it, where dummy material may hide it.
    added : float
        Share of the query's surface, 0–1, that lies off the reference and outside it, as dummy material does; a cut
        leaves a new surface inside the reference.
    worth : float
        What the places of the reference that lie on the query say beyond those of plain bodies, in nats, 0–30: see
        `ballistics.printed.describe.plainness`. 4–16 for boxes, bars, rods and plates, 20–30 for most parts.
    is_plain : bool
        Whether the worth is below `Identification.plain_below`, and this is no copy by its hash: then it is not
        accepted, whatever its score.
    reference_worth : float
        What the whole reference is worth, in nats.
    alike : int
        How many other references of the collection look like this one as a whole.
    log_odds : mapping of str to float
        What each of the seven values adds to the log-odds of the score, from 0 where it speaks most against it.
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
    detail: float
    radii: int
    exactness: float
    missing: float
    added: float
    worth: float
    is_plain: bool
    reference_worth: float
    alike: int
    log_odds: Mapping[str, float]
    component: int
    deviations_mm: NDArray[np.float32]

    def fits(self, threshold: float) -> bool:
        """Return whether it would be accepted if it were not too plain."""
        return self.relation == "exact copy" or self.score >= threshold


@dataclass(frozen=True, eq=False)
class Identification:
    """What a query was found to be.

    Parameters
    ----------
    verdict : str
        ``"in the collection"`` when a candidate is accepted; else ``"too plain to identify"`` when a candidate fits but
        is too plain, or the query is worth less than half of ``plain_below``: it may be of the collection or not; else
        ``"nothing in the collection"``.
    accepted : tuple of Candidate
        Exact copies and the candidates that reach the threshold and are not too plain, one per explained region, best
        first: several on a plate.
    candidates : tuple of Candidate
        The best few, whether they are accepted or not, best first; one per reference and component.
    threshold : float
        Score above which a candidate is accepted.
    false_hits : FalseHitRate or None
        How often unrelated queries have a hit in this collection, as measured when it was enrolled; None when it was
        not.
    worths : mapping of int to float
        What the query is worth, in nats as for `Candidate.worth`, by component: −1 all bodies together.
    plain_below : float
        Worth below which a body, or what two share, is too plain.
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
    false_hits: FalseHitRate | None
    worths: Mapping[int, float]
    plain_below: float
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
    Exact copies are known by their canonical hash. Else the references that resemble the query as a whole are laid on
    it, principal axes on principal axes (doi:10.1109/MMSP.2001.962749). Unless one of these is a decisive hit, whole on
    whole, and all references that look like the query as a whole were laid on it, local descriptors of balls at many
    radii vote for references and scales (doi:10.1109/CVPR.2012.6248111), in turn with those whose matches agree best in
    their distances from each other (doi:10.1109/ICCV.2005.20); each candidate is laid on the query by random sample
    consensus on matched keypoints and their normals (doi:10.1145/358669.358692), both hands. The best poses of a
    candidate are registered on few points, and those of the candidates that cover most finely, scale included. The
    score is learned (`ballistics.printed.identify.score`): from the area that both cover and how exactly, from how well
    the query agrees with the reference's descriptors at the reference's own places, from how much so plain or detailed
    a shape can say, and from what is missing or added: a cut leaves nothing added, dummy material hides what is
    missing, chance leaves both. When none is a decisive hit, more references and other scales are tried. A candidate
    whose shared places are worth little more than those of plain bodies is not accepted: with place, turn, hand and
    size free such bodies lie on much. What an accepted candidate explains is taken away and the rest is searched again,
    by descriptors, until nothing more is found. On a body that decisive hits in all bodies together explain only these
    are laid. Shapes made by the same rule with nearly the same numbers score like copies of each other: that they share
    geometry is true, that one derives from the other need not be.

    Examples
    --------
    >>> from ballistics.printed.describe.signature import signature_of
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
    pieces = pieces_of(query)
    found: list[Found] = []
    worths: dict[int, float] = {}
    for number, piece in enumerate(pieces):
        if number and not len(collection):
            continue
        described = piece.query()
        worths[piece.component] = described.worth
        if is_explained(piece, found, collection):
            found += search_body(described, found, collection, piece.component, piece.keys)
        elif len(collection):
            found += search(described, collection, piece.component, piece.keys)
    bodies = [piece for piece in pieces if piece.component >= 0]
    points = np.vstack([piece.points for piece in bodies])
    labels = np.concatenate([np.full(len(piece.points), piece.component) for piece in bodies])
    found.sort(key=lambda one: (not one.is_hit, not one.copied, -one.fit.score, one.row))
    accepted = accepted_of(found, points, labels, collection)
    return Identification(
        _verdict(accepted, found, worths, collection),
        tuple(_candidate(one, points, collection) for one in accepted),
        tuple(_candidate(one, points, collection) for one in found[:most]),
        THRESHOLD,
        collection.false_hits,
        worths,
        PLAIN_WORTH,
        points,
        labels,
        _provenance(query, collection, most),
    )


def _verdict(accepted: list[Found], found: list[Found], worths: Mapping[int, float], collection: Collection) -> Verdict:
    if accepted:
        return "in the collection"
    is_plain = any(one.is_fit for one in found) or max(worths.values()) < _UNKNOWN_FROM
    return "too plain to identify" if len(collection) and is_plain else "nothing in the collection"


def _candidate(one: Found, points: NDArray[np.float64], collection: Collection) -> Candidate:
    reference = collection.references[one.row]
    query_share = float(one.fit.query_shares[REPORTED])
    reference_share = float(one.fit.reference_shares[REPORTED])
    cloud = collection.cloud(one.row)
    worth = shared_worth(one.row, one.fit, collection) if math.isnan(one.worth) else one.worth
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
        one.fit.likeness.agreement,
        one.fit.likeness.detail,
        one.fit.likeness.radii,
        one.fit.exactness,
        one.fit.missing,
        one.fit.added,
        worth,
        replace(one, worth=worth).is_plain,
        collection.worth(one.row),
        collection.alike(one.row),
        dict(zip(SCORE_VALUES, score_model().added(one.fit.values), strict=True)),
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
            "score_model_sha256": score_file_sha256(),
            "plain_below_nats": PLAIN_WORTH,
            "plain_places_sha256": plain_file_sha256(),
            "candidates_by_votes": BY_VOTES,
            "candidates_by_votes_at_most": BY_VOTES_AT_MOST,
            "candidates_by_whole": BY_WHOLE,
            "tolerances_share_of_size": TOLERANCES,
            "most": most,
        },
        inputs,
        (
            "10.1109/MMSP.2001.962749",
            "10.1109/CVPR.2012.6248111",
            "10.1109/ICCV.2005.20",
            "10.1145/358669.358692",
            "10.1016/0262-8856(92)90066-C",
            "10.1109/JRPROC.1949.232969",
        ),
    )
