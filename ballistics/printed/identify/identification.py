"""Which reference is this, or a piece of this? The five stages in order, and what they found."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ballistics.drawing import figure_html, new_axes
from ballistics.errors import ParameterError
from ballistics.findings import Finding
from ballistics.frames import data_frame
from ballistics.printed.collection.collection import Collection
from ballistics.printed.collection.false_hit_rate import FalseHitRate
from ballistics.printed.content.part import Part
from ballistics.printed.describe.plainness import beyond_plain, plain_file_sha256, telling_nats
from ballistics.printed.describe.signature import SIGNATURE_VERSION, Signature
from ballistics.printed.identify.coverage import deviations_of
from ballistics.printed.identify.parameters import DEFAULT, IdentificationParameters
from ballistics.printed.identify.pieces import pieces_of
from ballistics.printed.identify.score import SCORE_VALUES, score_file_sha256, score_model
from ballistics.printed.identify.search import Question, Spent, is_explained, search, search_explained
from ballistics.printed.identify.verdict import (
    Found,
    Relation,
    Verdict,
    accepted_of,
    in_order,
    tied_of,
    verdict_of,
)
from ballistics.provenance import Provenance, sha256_of_array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame
    from trimesh import Trimesh

#: Changes whenever the same query and collection could give other numbers.
IDENTIFICATION_VERSION = "10"

# Scales of exact copies no further apart are one: registration says them no better.
_SAME_SCALE = 0.005


@dataclass(frozen=True, eq=False)
class Candidate:
    """A reference placed on the query.

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
        How much the surroundings of a point of the shared surface say about its place, in nats: 3–7 for boxes and
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
    straying : float
        How far the surfaces stray from each other, as a share of the query's size: what deviations exceed 0.6 % by, up
        to 4 %, root mean square, see `ballistics.printed.identify.verdict.straying_of`. References that whole fits
        whole are in the order of this and not of their scores; NaN for all others.
    is_tied : bool
        Whether the query strays from it by less than a tenth more than from the nearest look-alike: it does not tell
        such references apart. True for the nearest too where there is another.
    worth : float
        What the places of the reference that lie on the query say beyond those of plain bodies, in nats, 0–30: see
        `ballistics.printed.describe.plainness`. 4–16 for boxes, bars, rods and plates, 20–30 for most parts.
    is_plain : bool
        Whether the worth is below `Identification.plain_below`, and this is no copy by its hash: then it is not
        accepted, whatever its score.
    reference_worth : float
        What the whole reference is worth, in nats.
    alike : int
        How many other references of the collection have whole descriptors like this one's.
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
    straying: float
    is_tied: bool
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
        The best few, whether they are accepted or not, best first, and every hit: each may be the right one of several
        look-alikes. One per reference and component.
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
    findings : tuple of Finding
        Whether bodies were searched among fewer references, and hits at scales that are unusual.
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
    findings: tuple[Finding, ...] = ()

    def tied_with(self, candidate: Candidate) -> tuple[Candidate, ...]:
        """Return the other candidates that the query does not tell from one, best first.

        Look-alikes that it strays from by nearly the same, and exact copies at the same scale and handedness.

        Parameters
        ----------
        candidate : Candidate
            Of this identification.
        """
        copied = candidate.relation == "exact copy"
        return tuple(
            other
            for other in self.candidates
            if other.component == candidate.component
            and other.row != candidate.row
            and (_is_same_copy(other, candidate) if copied else candidate.is_tied and other.is_tied)
        )

    def unexplained(self) -> Mapping[int, float]:
        """Return the share, 0–1, of each body's surface that no accepted candidate explains, by its number."""
        explained = np.zeros(len(self.components), dtype=bool)
        for hit in self.accepted:
            own = np.ones(len(explained), bool) if hit.component < 0 else self.components == hit.component
            explained |= own & (hit.deviations_mm <= hit.tolerance_mm)
        return {
            int(body): float(1.0 - explained[self.components == body].mean()) for body in np.unique(self.components)
        }

    def to_dict(self) -> dict[str, Any]:
        """Return verdict, threshold and candidates as plain values; `ballistics printed identify --json` writes all."""
        accepted = {(c.row, c.component) for c in self.accepted}
        candidates = [
            {
                "name": c.name,
                "category": c.category,
                "relation": c.relation,
                "accepted": (c.row, c.component) in accepted,
                "score": c.score,
                "scale": c.scale,
                "mirrored": c.mirrored,
                "tied_with": [other.name for other in self.tied_with(c)],
                "query_share": c.query_share,
                "reference_share": c.reference_share,
                "worth_nats": c.worth,
                "too_plain": c.is_plain,
            }
            for c in {(c.row, c.component): c for c in (*self.accepted, *self.candidates)}.values()
        ]
        findings = [asdict(finding) for finding in self.findings]
        return {
            "verdict": self.verdict,
            "threshold": self.threshold,
            "candidates": candidates,
            "findings": findings,
        }

    def to_frame(self) -> DataFrame:
        """Return the candidates as a data frame, one row each; needs the extra ``tables``."""
        return data_frame(self.to_dict()["candidates"])

    def plot(self, axes: Axes | None = None) -> Axes:
        """Draw the scores of the candidates, the best at the top, with the threshold.

        Parameters
        ----------
        axes : matplotlib Axes, optional
            Where to draw; a figure of its own if None.
        """
        axes = axes or new_axes()
        rows = self.to_dict()["candidates"]
        colours = ["tab:blue" if row["accepted"] else "0.75" for row in rows]
        axes.barh(range(len(rows)), [row["score"] for row in rows], color=colours)
        axes.axvline(self.threshold, color="black", linestyle="dashed", linewidth=1.0)
        axes.set_yticks(range(len(rows)), [row["name"] for row in rows])
        axes.invert_yaxis()
        axes.set(xlim=(0.0, 1.0), xlabel="score; accepted above the dashed line", title=self.verdict)
        return axes

    def __repr__(self) -> str:
        best = f", best {self.candidates[0].name!r} with {self.candidates[0].score:.2f}" if self.candidates else ""
        return f"<Identification: {self.verdict}, {len(self.accepted)} accepted{best}>"

    def _repr_html_(self) -> str:
        return figure_html(repr(self), self.plot)


def _is_same_copy(candidate: Candidate, other: Candidate) -> bool:
    """Return whether a candidate is an exact copy of the query as another is: its reference is a copy of that one."""
    same_scale = abs(candidate.scale / other.scale - 1.0) <= _SAME_SCALE
    return candidate.relation == "exact copy" and same_scale and candidate.mirrored == other.mirrored


def identify(
    query: Part | Sequence[Part] | Signature | Trimesh,
    collection: Collection,
    *,
    most: int = 10,
    parameters: IdentificationParameters = DEFAULT,
) -> Identification:
    """Search a part, or all parts of one file, in a collection.

    Parameters
    ----------
    query : Part, sequence of Part, Signature, or trimesh.Trimesh in millimetres
        Several parts are searched together and each for itself; so are the separate bodies of a part.
    collection : Collection
    most : int
        Candidates that are reported; hits beyond these are reported too.
    parameters : IdentificationParameters
        Every number that can change the result; they stand in its provenance. The figures of the benchmarks hold for
        the default ones only.

    Returns
    -------
    Identification

    Raises
    ------
    ParameterError
        No part has a surface, or ``most`` is below 1.

    Notes
    -----
    Five stages, for all bodies together and then for each body:

    1. *Describe*: even points of the surface, local descriptors of balls at many radii, and the geometry hash.
    2. *Shortlist*: references with the same hash; else those whose whole surfaces have the nearest descriptors; else
       those for which, and for whose scale, local descriptors vote (doi:10.1109/CVPR.2012.6248111), by turns with those
       whose matches agree best in their distances from each other (doi:10.1109/ICCV.2005.20).
    3. *Place*: principal axes are brought onto principal axes (doi:10.1109/MMSP.2001.962749), or matched keypoints and
       their normals onto each other by random sample consensus (doi:10.1145/358669.358692), mirrored ways too. The best
       poses are registered on few points, those that cover most finely, scale included
       (doi:10.1016/0262-8856(92)90066-C).
    4. *Judge*: a learned score (`ballistics.printed.identify.score`) of the area that both surfaces cover, of the
       agreement of their descriptors at the reference's own places, of the detail of what they share, and of what is
       missing or added. A cut adds nothing, dummy material hides what is missing, chance leaves both.
    5. *Verdict*: candidates above the threshold are accepted unless what they share with the query is worth little more
       than plain bodies: placed, turned, mirrored and scaled at will, such bodies cover much of many others.

    Beside a hit, the references whose whole surfaces look like its own are judged, and those that look like a better
    one, placed by bringing one reference onto the other: the search does not rest on what the disturbed query itself
    resembles. The votes are skipped when a decisive hit covers the whole query and all that look like it were judged.
    Without a decisive hit, more references and other scales are tried. The points that an accepted candidate explains
    are taken away and the rest is searched again by votes, until nothing more is found; a body that decisive hits in
    all bodies together explain is only compared with these. Hits of whole on whole stand in the order in which the
    query strays from them least: their scores differ by less than they scatter. Shapes made by the same rule with
    nearly the same numbers score like copies of each other: that they share geometry is true, that one derives from the
    other need not be.

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
    if not isinstance(query, (Part, Signature, Sequence)):
        query = Part.from_trimesh(query)
    pieces = pieces_of(query, parameters)
    found: list[Found] = []
    worths: dict[int, float] = {}
    spent = Spent()
    for number, piece in enumerate(pieces):
        if number and not len(collection):
            continue
        described = piece.query(parameters)
        worths[piece.component] = described.worth
        question = Question(described, piece.component, piece.keys, collection, parameters, spent)
        if is_explained(piece, found, collection, parameters):
            found += search_explained(question, found)
        elif len(collection):
            found += search(question)
    bodies = [piece for piece in pieces if piece.component >= 0]
    points = np.vstack([piece.points for piece in bodies])
    labels = np.concatenate([np.full(len(piece.points), piece.component) for piece in bodies])
    found = in_order(found)
    accepted = accepted_of(found, points, labels, collection)
    tied = tied_of(found, parameters)
    return Identification(
        verdict_of(accepted, found, worths, collection, parameters),
        tuple(_candidate(hit, tied, points, collection) for hit in accepted),
        tuple(_candidate(hit, tied, points, collection) for k, hit in enumerate(found) if k < most or hit.is_hit),
        parameters.threshold,
        collection.false_hits,
        worths,
        parameters.plain_below_nats,
        points,
        labels,
        _provenance(query, collection, most, parameters),
        tuple(_findings(accepted, spent, len(bodies), collection, parameters)),
    )


def _findings(
    accepted: list[Found], spent: Spent, bodies: int, collection: Collection, parameters: IdentificationParameters
) -> Iterator[Finding]:
    """Yield what an examiner must know of the search beside what it found."""
    if spent.shortened:
        listed = ["all bodies together" if k < 0 else f"body {k + 1}" for k in sorted(spent.shortened)]
        yield Finding(
            "search-shortened",
            "warning",
            f"{', '.join(listed)} (of {bodies}) searched among fewer references: the budget of "
            f"{parameters.placements_at_most} placements for a query was used up",
            f"placed on the {parameters.candidates_by_whole + parameters.candidates_by_votes} most alike references "
            "only; search such a body by itself to have it searched widely",
        )
    for hit in accepted:
        scale = 1.0 / hit.fit.scale
        # A copy is known by its hash, at any scale.
        if not hit.copied and max(scale, hit.fit.scale) > parameters.usual_scale:
            yield Finding(
                "scale-unusual",
                "warning",
                f"“{collection.references[hit.row].name}” fits at {scale:.3g} times its size: how often hits at scales "
                f"outside {1.0 / parameters.usual_scale:g} to {parameters.usual_scale:g} are right was not measured",
                "kept as a hit; look at both files",
            )


def _candidate(
    found: Found, tied: set[tuple[int, int]], points: NDArray[np.float64], collection: Collection
) -> Candidate:
    reference = collection.references[found.row]
    parameters, fit = found.parameters, found.fit
    tolerance = parameters.tolerances_share_of_size[parameters.reported_tolerance]
    cloud = collection.cloud(found.row, parameters.surface)
    if math.isnan(found.worth):
        # Of places that were not asked about before: it is only shown.
        worth = telling_nats(beyond_plain(collection.signature(found.row).local[:, fit.shared]))
    else:
        worth = found.worth
    return Candidate(
        found.row,
        reference.name,
        reference.category,
        reference.metadata,
        found.relation,
        fit.pose,
        1.0 / fit.scale,
        fit.mirrored,
        float(fit.query_shares[parameters.reported_tolerance]),
        float(fit.reference_shares[parameters.reported_tolerance]),
        tolerance * cloud.size / fit.scale,
        fit.score,
        fit.coverage,
        fit.likeness.agreement,
        fit.likeness.detail,
        fit.likeness.radii,
        fit.exactness,
        fit.missing,
        fit.added,
        found.straying,
        (found.component, found.row) in tied,
        worth,
        replace(found, worth=worth).is_plain,
        collection.worth(found.row),
        collection.alike(found.row, parameters.alike_as_whole),
        dict(zip(SCORE_VALUES, score_model().added(fit.values), strict=True)),
        found.component,
        deviations_of(points, cloud, fit.pose).astype(np.float32),
    )


def _provenance(
    query: Part | Sequence[Part] | Signature,
    collection: Collection,
    most: int,
    parameters: IdentificationParameters,
) -> Provenance:
    if isinstance(query, Signature):
        inputs = {"signature": sha256_of_array(query.local)}
    else:
        parts = [query] if isinstance(query, Part) else query
        inputs = {}
        for k, part in enumerate(parts):
            inputs[f"part {k} vertices"] = sha256_of_array(part.vertices_mm)
            inputs[f"part {k} faces"] = sha256_of_array(part.faces)
            if part.cut_mm is not None:
                inputs[f"part {k} is cut"] = sha256_of_array(part.is_cut)
            if part.provenance is not None and "file" in part.provenance.inputs:
                inputs[f"part {k} file"] = part.provenance.inputs["file"]
    return Provenance(
        "printed-part identification",
        IDENTIFICATION_VERSION,
        {
            "signature_version": SIGNATURE_VERSION,
            "references": len(collection),
            "score_model_sha256": score_file_sha256(),
            "plain_places_sha256": plain_file_sha256(),
            **parameters.recorded(),
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
