"""References that share shape: how much, what is changed, which was first, and the families they form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ballistics.frames import data_frame
from ballistics.printed.collection.collection import Collection
from ballistics.printed.describe.cloud import Pose
from ballistics.printed.describe.query import Query, query_of_signature
from ballistics.printed.identify.coverage import covered
from ballistics.printed.identify.judgement import fit_candidate
from ballistics.printed.identify.parameters import DEFAULT, IdentificationParameters
from ballistics.printed.identify.placement import Proposal, propose_by_axes, propose_by_matches, settled
from ballistics.printed.identify.shortlist import Vote, exact_copies, look_up, nearest_wholes, votes_of
from ballistics.printed.identify.verdict import Found, shared_worth
from ballistics.printed.kin.dated_names import order_of
from ballistics.provenance import Provenance, sha256_of_array

if TYPE_CHECKING:
    from pandas import DataFrame

#: Changes whenever the same collection could give other kin.
KIN_VERSION = "1"

#: Columns of the table of `Kin.rows`.
KIN_COLUMNS = (
    "family", "a", "b", "kind", "shared", "share_a", "share_b", "scale", "mirrored", "score", "tolerance_mm",
    "a_is_earlier_by",
)  # fmt: skip

# Of this number of neighbours at least the second are changed too where a place is changed.
_NEIGHBOURS, _COMPANY = 6, 2

Kind = Literal["same geometry", "mirror image", "other size", "revision", "part of the other", "shares a region"]
Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class KinParameters:
    """How kin are looked for.

    Parameters
    ----------
    by_whole, by_votes : int
        References that are tried for each, in the order of the descriptors of the whole surface and in that of votes.
    settled : int
        Those of them that are registered finely.
    changed_tolerance : int
        Which of `IdentificationParameters.tolerances_share_of_size` a changed place lies beyond; 1 is 1 % of the size.
    same_share : float
        Share of both surfaces within that tolerance from which two are the same geometry.
    whole_share : float
        Share of a surface from which it is in the other: of both, they are revisions; of the smaller, it is a part.
    other_size : float
        A scale further from 1 than this is another size.
    identification : IdentificationParameters
        How two references are registered, and from which score they are kin.
    """

    by_whole: int = 10
    by_votes: int = 6
    settled: int = 6
    changed_tolerance: int = 1
    same_share: float = 0.995
    whole_share: float = 0.6
    other_size: float = 0.02
    identification: IdentificationParameters = DEFAULT


@dataclass(frozen=True, eq=False)
class Kinship:
    """Two references that share shape.

    Parameters
    ----------
    a, b : int
        Rows of the collection; where the files tell, ``a`` is the earlier.
    name_a, name_b : str
    kind : str
        ``"same geometry"``, ``"mirror image"``, ``"other size"`` (the same but for its size), ``"revision"`` (most of
        both is shared), ``"part of the other"`` (most of the smaller is), ``"shares a region"``.
    shared : float
        0–1: share of both surfaces together that lies on the other within ``tolerance_mm``.
    share_a, share_b : float
        The same of each.
    pose : ndarray of float64, shape (4, 4)
        Similarity from the frame of ``a`` to that of ``b``, millimetres.
    scale : float
        Length in ``b`` over length in ``a``.
    mirrored : bool
        Whether the pose reflects.
    score : float
        0–1, of the identification of one as the other; no probability.
    tolerance_mm : float
        In the frame of ``b``.
    changed_a, changed_b : ndarray of bool, shape (points,)
        Which points of each signature lie off the other.
    order : str
        What tells that ``a`` is earlier; empty where nothing does.
    """

    a: int
    b: int
    name_a: str
    name_b: str
    kind: Kind
    shared: float
    share_a: float
    share_b: float
    pose: Pose
    scale: float
    mirrored: bool
    score: float
    tolerance_mm: float
    changed_a: NDArray[np.bool_]
    changed_b: NDArray[np.bool_]
    order: str


@dataclass(frozen=True, eq=False)
class Family:
    """References that hang together by kinships.

    Parameters
    ----------
    members : tuple of int
        Rows, rising.
    kinships : tuple of Kinship
        Closest first.
    """

    members: tuple[int, ...]
    kinships: tuple[Kinship, ...]


@dataclass(frozen=True, eq=False)
class Kin:
    """The kin of a collection.

    Parameters
    ----------
    names : tuple of str
        Of all references.
    families : tuple of Family
        Largest first.
    provenance : Provenance
    """

    names: tuple[str, ...]
    families: tuple[Family, ...]
    provenance: Provenance

    def to_dataframe(self) -> DataFrame:
        """Return a row for each kinship, family by family."""
        return data_frame(list(self.rows()))

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield each kinship as a row of a table."""
        for number, family in enumerate(self.families, 1):
            for kinship in family.kinships:
                yield {
                    "family": number,
                    "a": kinship.name_a,
                    "b": kinship.name_b,
                    "kind": kinship.kind,
                    "shared": round(kinship.shared, 4),
                    "share_a": round(kinship.share_a, 4),
                    "share_b": round(kinship.share_b, 4),
                    "scale": round(kinship.scale, 4),
                    "mirrored": kinship.mirrored,
                    "score": round(kinship.score, 4),
                    "tolerance_mm": round(kinship.tolerance_mm, 4),
                    "a_is_earlier_by": kinship.order,
                }

    def __repr__(self) -> str:
        related = sum(len(family.members) for family in self.families)
        return f"<Kin: {len(self.families)} families, {related} of {len(self.names)} references>"


def kin_of(collection: Collection, parameters: KinParameters | None = None, tell: Tell | None = None) -> Kin:
    """Find which references of a collection are revisions, parts or remixes of one another.

    Parameters
    ----------
    collection : Collection
    parameters : KinParameters, optional
    tell : callable, optional
        Told the references done and all of them.

    Returns
    -------
    Kin
        Each reference is registered with those that resemble it by the descriptors of its whole surface or by its
        local ones; kin are those that would be accepted as a hit of each other, one of them being the query. What
        is too plain to say anything (boxes, rods) has no kin but by its hash.

    Notes
    -----
    A lead: two designers may draw the same part. The score's threshold was chosen for the identification
    (``benchmarks/training``), not for kin. Cost: about a CPU second for each reference.

    Examples
    --------
    >>> from reference_meshes.solids import solid
    >>> from ballistics.printed import Collection, Part, signature_of
    >>> collection = Collection()
    >>> for name, seed in (("a v2", 1), ("a v1", 1), ("b", 3)):
    ...     mesh = solid(seed)
    ...     collection.enrol(signature_of(Part(mesh.vertices, mesh.faces)), name)
    >>> kin = kin_of(collection)
    >>> [(k.name_a, k.name_b, k.kind, k.order) for family in kin.families for k in family.kinships]
    [('a v1', 'a v2', 'same geometry', 'versions in the names')]
    """
    parameters = parameters or KinParameters()
    closest: dict[tuple[int, int], tuple[int, Found]] = {}
    for row in range(len(collection)):
        if tell is not None:
            tell(row, len(collection))
        for found in _nearest_kin(collection, row, parameters):
            pair = (min(row, found.row), max(row, found.row))
            if pair not in closest or closest[pair][1].fit.score < found.fit.score:
                closest[pair] = (row, found)
    kinships = [_kinship(collection, row, found, parameters) for _, (row, found) in sorted(closest.items())]
    if tell is not None:
        tell(len(collection), len(collection))
    names = tuple(reference.name for reference in collection.references)
    return Kin(names, _families(kinships, len(names)), _provenance(collection, parameters))


def _nearest_kin(collection: Collection, row: int, parameters: KinParameters) -> list[Found]:
    """Lay a reference on those that resemble it, and return those that it would be a hit of."""
    own = parameters.identification
    signature = collection.signature(row)
    query = query_of_signature(signature, own.surface)
    copies = [] if signature.keys is None else [r for r in exact_copies(collection, signature.keys) if r != row]
    rows = [r for r in nearest_wholes(query, collection, parameters.by_whole + 1) if r != row]
    votes = [v for v in votes_of(query, look_up(query, collection, own), collection, own) if v.reference != row]
    proposals: dict[int, Proposal] = {}
    for proposal in _proposed(query, collection, [*copies, *rows], votes[: parameters.by_votes], own):
        near = settled(query, collection.cloud(proposal.vote.reference, own.surface), proposal, own)
        known = proposals.get(near.vote.reference)
        if known is None or near.priority > known.priority:
            proposals[near.vote.reference] = near
    order = sorted(proposals.values(), key=lambda p: (-p.priority, p.vote.reference))
    hits: list[Found] = []
    for rank, proposal in enumerate(order):
        other = proposal.vote.reference
        copied = other in copies
        # The last that was registered was no kin: those behind it are less likely still.
        if not copied and rank >= parameters.settled and len(hits) < rank:
            continue
        poses = [rough.pose for rough in proposal.poses]
        fit = fit_candidate(
            query, collection.signature(other), collection.cloud(other, own.surface), proposal.vote.step, poses, own
        )
        hit = Found(0, other, fit, copied, shared_worth(other, fit, collection), own)
        if hit.is_hit:
            hits.append(hit)
    return hits


def _proposed(
    query: Query, collection: Collection, rows: Sequence[int], votes: Sequence[Vote], own: IdentificationParameters
) -> Iterator[Proposal]:
    for row in dict.fromkeys(rows):
        yield propose_by_axes(query, collection.cloud(row, own.surface), row, own)
    for vote in votes:
        reference = collection.cloud(vote.reference, own.surface)
        proposal = propose_by_matches(query, collection.signature(vote.reference), reference, vote, own.both_radii, own)
        if proposal is not None:
            yield proposal


def _kinship(collection: Collection, row: int, found: Found, parameters: KinParameters) -> Kinship:
    """Describe a kinship, the earlier reference first."""
    own = parameters.identification
    rows, pose = (row, found.row), found.fit.pose
    facts = [collection.references[r] for r in rows]
    earlier, source = order_of(facts[0].name, facts[0].metadata, facts[1].name, facts[1].metadata)
    # Where nothing tells, the order is that of enrolment.
    if earlier > 0 or (earlier == 0 and rows[0] > rows[1]):
        rows, pose = (rows[1], rows[0]), np.asarray(np.linalg.inv(pose), np.float64)
        facts.reverse()
    a, b = (collection.cloud(r, own.surface) for r in rows)
    cover = covered(a, b, pose, own)
    scale = float(abs(np.linalg.det(pose[:3, :3])) ** (1 / 3))
    tolerance = own.tolerances_share_of_size[parameters.changed_tolerance] * b.size
    changed_a = _in_company(a.points, cover.query_deviations > tolerance)
    changed_b = _in_company(b.points, cover.reference_deviations > tolerance / scale)
    share_a, share_b = 1.0 - float(changed_a.mean()), 1.0 - float(changed_b.mean())
    areas = a.area * scale**2, b.area
    shared = (share_a * areas[0] + share_b * areas[1]) / sum(areas)
    mirrored = bool(np.linalg.det(pose[:3, :3]) < 0)
    kind = _kind(share_a, share_b, scale, mirrored, found.copied, parameters)
    return Kinship(
        *rows, facts[0].name, facts[1].name, kind, shared, share_a, share_b, pose, scale, mirrored, found.fit.score,
        tolerance, changed_a, changed_b, source,
    )  # fmt: skip


def _in_company(points: NDArray[np.float64], changed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the changed points that have others beside them: at an edge, a single point may seem off."""
    from scipy.spatial import cKDTree

    if len(points) <= _NEIGHBOURS:
        return changed
    _, beside = cKDTree(points).query(points, k=_NEIGHBOURS + 1)
    return np.asarray(changed & (changed[beside[:, 1:]].sum(axis=1) >= _COMPANY))


def _kind(
    share_a: float, share_b: float, scale: float, mirrored: bool, copied: bool, parameters: KinParameters
) -> Kind:
    less, more = min(share_a, share_b), max(share_a, share_b)
    if copied or less >= parameters.same_share:
        if mirrored:
            return "mirror image"
        return "other size" if abs(np.log(scale)) > parameters.other_size else "same geometry"
    if less >= parameters.whole_share:
        return "revision"
    return "part of the other" if more >= parameters.identification.relation_share else "shares a region"


def _families(kinships: Sequence[Kinship], count: int) -> tuple[Family, ...]:
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    ends = np.array([(k.a, k.b) for k in kinships], np.int64).reshape(-1, 2)
    links = coo_matrix((np.ones(len(ends), np.int8), (ends[:, 0], ends[:, 1])), shape=(count, count))
    _, label = connected_components(links, directed=False)
    families = []
    for name in np.unique(label[ends[:, 0]]):
        members = tuple(np.flatnonzero(label == name).tolist())
        own = sorted((k for k in kinships if label[k.a] == name), key=lambda k: (-k.shared, k.a, k.b))
        families.append(Family(members, tuple(own)))
    return tuple(sorted(families, key=lambda family: (-len(family.members), family.members)))


def _provenance(collection: Collection, parameters: KinParameters) -> Provenance:
    from ballistics.printed.describe.signature import SIGNATURE_VERSION
    from ballistics.printed.identify.identification import IDENTIFICATION_VERSION

    return Provenance(
        "kin of a collection",
        KIN_VERSION,
        {
            "identification_version": IDENTIFICATION_VERSION,
            "signature_version": SIGNATURE_VERSION,
            "references": len(collection),
            **{name: value for name, value in asdict(parameters).items() if name != "identification"},
            "threshold": parameters.identification.threshold,
        },
        {"collection": sha256_of_array(collection.whole())},
    )
