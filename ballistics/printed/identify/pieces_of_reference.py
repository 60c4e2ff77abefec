"""Pieces of one reference in several files: which part of it does each hold, and how much do they hold together?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from ballistics.printed.collection.collection import Collection
from ballistics.printed.describe.axes import principal_axes
from ballistics.printed.describe.cloud import Cloud, Pose, moved, scale_of
from ballistics.printed.describe.query import cloud_of
from ballistics.printed.describe.sampling import enclosing_diameter
from ballistics.printed.describe.signature import Signature
from ballistics.printed.identify.coverage import covered
from ballistics.printed.identify.identification import Candidate, Identification, identify
from ballistics.printed.identify.parameters import DEFAULT
from ballistics.printed.identify.placement import refine
from ballistics.provenance import Provenance, sha256_of_array

#: Changes whenever the same identifications and collection could give other pieces.
PIECES_VERSION = "1"

# A piece has a place of its own when no other covers this share of what it covers; as for the hits of one query.
_NEW_SHARE = 0.5
# Share of a piece that fits elsewhere from which its place is uncertain; share of a symmetric reference on its image.
_FITS_SHARE = 0.85
_SYMMETRIC_SHARE = 0.95
# Ratio of scales up to which pieces are of one size; a piece says its scale to about 1 %.
_SAME_SCALE = 1.03
_REGISTERED = DEFAULT.registered_points
# Within what a piece covers its reference, as reported of every candidate.
_TOLERANCE = DEFAULT.tolerances_share_of_size[DEFAULT.reported_tolerance]

Place = Literal["its own", "that of another", "uncertain"]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PlacedPiece:
    """What one file, or one body of it, covers of a reference.

    Parameters
    ----------
    file : int
        Which of the files.
    component : int
        Which body of it, −1 for all together; as in `Candidate`.
    scale : float
        Length in the query over length in the reference.
    pose : ndarray of float64, shape (4, 4)
        Similarity from the query's frame to the reference's. Not the candidate's where the reference is its own mirror
        image: a piece that was found mirrored is reflected in it, so that all are mirrored or none.
    mirrored : bool
        Of this pose.
    covers : ndarray of bool, shape (points,)
        Which of the reference's coarse points lie on the piece, within the tolerance.
    place : str
        ``"its own"``: no larger piece covers half of it. ``"that of another"``: one does, so it is a copy, a version or
        a part of that and no further piece. ``"uncertain"``: it lies where no other does, and would also fit where
        another lies: copies of one piece, and pieces that are alike, cannot be told from each other.
    fits_mirrored : bool
        The mirror image of a piece with a place of its own would also fit where another lies, as with the halves of a
        symmetric thing.
    """

    file: int
    component: int
    scale: float
    pose: Pose
    mirrored: bool
    covers: Mask
    place: Place = "its own"
    fits_mirrored: bool = False

    @property
    def share(self) -> float:
        """Share of the reference's surface, 0–1, that the piece covers."""
        return float(self.covers.mean())


@dataclass(frozen=True, eq=False)
class ReferencePieces:
    """What several files, or several bodies, cover of one reference.

    Parameters
    ----------
    row, name, category
        Of the reference.
    points_mm : ndarray of float64, shape (points, 3)
        Coarse points of the reference, that `PlacedPiece.covers` is about.
    placed : tuple of PlacedPiece
        At least two, the one that covers most first.
    together, twice : float
        Shares of the reference's surface, 0–1, that pieces with a place of their own cover, and that more than one of
        them covers.
    same_scale, same_hand : bool
        Whether those pieces fit together as they are: all at one scale within 3 %, all mirrored or none.
    provenance : Provenance
    """

    row: int
    name: str
    category: str
    points_mm: NDArray[np.float64]
    placed: tuple[PlacedPiece, ...]
    together: float
    twice: float
    same_scale: bool
    same_hand: bool
    provenance: Provenance = field(repr=False)

    @property
    def pieces(self) -> tuple[PlacedPiece, ...]:
        """Those with a place of their own."""
        return tuple(piece for piece in self.placed if piece.place == "its own")

    @property
    def complementary(self) -> bool:
        """Whether at least two pieces lie on different places of the reference."""
        return len(self.pieces) > 1


def reference_pieces(found: Sequence[Identification], collection: Collection) -> tuple[ReferencePieces, ...]:
    """Find references of which several files, or several bodies of a file, hold something.

    Parameters
    ----------
    found : sequence of Identification
        One for each file, made with this collection.
    collection : Collection

    Returns
    -------
    tuple of ReferencePieces
        For each reference that was accepted at least twice: those with complementary pieces first, then by row.

    Notes
    -----
    Two pieces at different places of a reference say more than each alone: unrelated shapes would have to be alike to
    it twice, at places, scales and mirrorings that fit together. How much more was not measured. What fits at several
    places of a reference (a symmetric thing, a row of teeth) is only called a piece when it does not also fit, with
    without a reflection, where another piece lies.

    Examples
    --------
    >>> from ballistics.printed.content.part import Part
    >>> from ballistics.printed.describe.signature import signature_of
    >>> corners = np.array([[0.0, 0, 0], [40, 0, 0], [0, 30, 0], [0, 0, 20]])
    >>> wedge = Part(corners, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]))
    >>> collection = Collection()
    >>> collection.enrol(signature_of(wedge), "wedge")
    >>> (held,) = reference_pieces([identify(wedge, collection)] * 2, collection)
    >>> held.name, held.complementary, [piece.place for piece in held.placed]
    ('wedge', False, ['its own', 'that of another'])
    """
    placed: dict[int, list[PlacedPiece]] = {}
    for file, identified in enumerate(found):
        for candidate in identified.accepted:
            piece = PlacedPiece(
                file,
                candidate.component,
                candidate.scale,
                candidate.pose,
                candidate.mirrored,
                covered_points(identified, candidate, collection),
            )
            placed.setdefault(candidate.row, []).append(piece)
    return joined_pieces(placed, collection)


def covered_points(found: Identification, candidate: Candidate, collection: Collection) -> Mask:
    """Return which of the coarse points of a candidate's reference lie on the query.

    Parameters
    ----------
    found : Identification
        Of the query.
    candidate : Candidate
        One of its candidates; only the bodies with which it was found count.
    collection : Collection
        In which it was found.

    Returns
    -------
    ndarray of bool, shape (points,)
        In the order of the points of ``collection.cloud``.
    """
    reference = collection.cloud(candidate.row)
    inverse: Pose = np.linalg.inv(candidate.pose).astype(np.float64)
    at = moved(reference.points, inverse)
    limit = _TOLERANCE * reference.size * candidate.scale
    covers = np.zeros(len(at), dtype=bool)
    for body in _clouds(found, candidate):
        covers |= body.deviations(at) <= limit
    return covers


def joined_pieces(placed: Mapping[int, Sequence[PlacedPiece]], collection: Collection) -> tuple[ReferencePieces, ...]:
    """Return what `reference_pieces` does, of pieces that are placed on their references already.

    Parameters
    ----------
    placed : mapping of int to sequence of PlacedPiece
        By the row of the reference; their places are found here.
    collection : Collection
    """
    made = [_pieces(row, own, collection) for row, own in sorted(placed.items()) if len(own) > 1]
    return tuple(sorted(made, key=lambda pieces: not pieces.complementary))


def _pieces(row: int, found: Sequence[PlacedPiece], collection: Collection) -> ReferencePieces:
    signature, cloud = collection.signature(row), collection.cloud(row)
    placed: list[PlacedPiece] = []
    union, doubtful = np.zeros((2, len(cloud.points)), dtype=bool)
    reflections: list[Pose] | None = None
    for piece in sorted(found, key=lambda piece: -int(piece.covers.sum())):
        if piece.mirrored != (placed[0].mirrored if placed else False):
            reflections = _reflections(cloud) if reflections is None else reflections
            piece = _reflected(piece, reflections, cloud, union)
        if placed:
            piece = _placed(piece, signature, union, doubtful)
        if piece.place == "its own":
            union |= piece.covers
        elif piece.place == "uncertain":
            doubtful |= piece.covers
        placed.append(piece)
    own = [piece for piece in placed if piece.place == "its own"]
    scales = [piece.scale for piece in own]
    reference = collection.references[row]
    return ReferencePieces(
        row,
        reference.name,
        reference.category,
        cloud.points,
        tuple(placed),
        float(union.mean()),
        float((np.sum([piece.covers for piece in own], axis=0) > 1).mean()),
        max(scales) <= _SAME_SCALE * min(scales),
        len({piece.mirrored for piece in own}) == 1,
        _provenance(signature),
    )


def _clouds(found: Identification, candidate: Candidate) -> Iterator[Cloud]:
    """Yield the points of each body that a candidate was found with: bodies are sampled each at its own spacing."""
    numbers = np.unique(found.components) if candidate.component < 0 else [candidate.component]
    for number in numbers:
        points = found.points_mm[found.components == number]
        if len(points) > 1:
            spacing = float(cKDTree(points).query(points, 2)[0][:, 1].min())
            # The area plays no part in what is covered.
            yield Cloud(points, enclosing_diameter(points), 0.0, spacing)


def _reflections(cloud: Cloud) -> list[Pose]:
    """Return the reflections that take a reference to itself; their planes are planes of its principal axes."""
    small = cloud.beginning(_REGISTERED)
    centre = cloud.points.mean(axis=0)
    found = []
    for normal in principal_axes(cloud.points)[0][::-1]:
        pose = np.eye(4)
        pose[:3, :3] -= 2.0 * np.outer(normal, normal)
        pose[:3, 3] = 2.0 * normal * (normal @ centre)
        pose = refine(small, cloud, pose)
        if covered(small, cloud, pose).query_shares[DEFAULT.reported_tolerance] >= _SYMMETRIC_SHARE:
            found.append(pose)
    return found


def _reflected(piece: PlacedPiece, reflections: list[Pose], reference: Cloud, union: Mask) -> PlacedPiece:
    """Reflect a piece in a symmetric reference, to where it covers most that is not covered yet."""
    tried = []
    for reflection in reflections:
        # A point is covered there when the point that the reflection takes to it was covered here.
        back: Pose = np.linalg.inv(reflection).astype(np.float64)
        row, _ = reference.nearest(moved(reference.points, back), np.inf)
        covers = (row >= 0) & piece.covers[row]
        tried.append(replace(piece, pose=reflection @ piece.pose, mirrored=not piece.mirrored, covers=covers))
    return max(tried, key=lambda turned: int((turned.covers & ~union).sum()), default=piece)


def _placed(piece: PlacedPiece, signature: Signature, union: Mask, doubtful: Mask) -> PlacedPiece:
    """Find out whether a piece has a place of its own beside the larger ones."""
    enough = _NEW_SHARE * piece.covers.sum()
    if (piece.covers & ~union).sum() < enough:
        return replace(piece, place="that of another")
    if (piece.covers & ~union & ~doubtful).sum() < enough:
        # A further copy of what is uncertain already: on a disk there may be hundreds.
        return replace(piece, place="uncertain")
    turned, mirrored = _fits_in(_region(signature, piece.covers), _region(signature, union))
    if turned:
        return replace(piece, place="uncertain")
    return replace(piece, fits_mirrored=mirrored)


def _region(signature: Signature, mask: Mask) -> Signature:
    """Return a part of a reference; the radii of its descriptors remain shares of the size of the whole."""
    return replace(
        signature,
        codes=signature.codes[mask],
        area_mm2=signature.area_mm2 * float(mask.mean()),
        local=np.ascontiguousarray(signature.local[:, mask[: signature.local.shape[1]]]),
        keys=None,
    )


def _fits_in(region: Signature, covered_region: Signature) -> tuple[bool, bool]:
    """Return whether a region of a reference also fits within another one: turned only, and mirrored."""
    others = Collection()
    others.enrol(covered_region, "covered")
    own, other = cloud_of(region), cloud_of(covered_region)
    poses = [candidate.pose for candidate in identify(region, others).candidates]
    poses = [pose for pose in poses if _lies_on(own, other, pose)]
    turned = any(np.linalg.det(pose[:3, :3]) > 0 for pose in poses)
    if not turned and poses:
        # A region that is its own mirror image fits both ways, and only one of them was tried to the end.
        turned = any(_lies_on(own, other, poses[0] @ reflection) for reflection in _reflections(own))
    return turned, bool(poses)


def _lies_on(cloud: Cloud, other: Cloud, pose: Pose) -> bool:
    scale = scale_of(pose)
    same = max(scale, 1.0 / scale) <= _SAME_SCALE
    return same and bool(covered(cloud, other, pose).query_shares[DEFAULT.reported_tolerance] >= _FITS_SHARE)


def _provenance(signature: Signature) -> Provenance:
    return Provenance(
        "pieces of one reference",
        PIECES_VERSION,
        {
            "new_share": _NEW_SHARE,
            "fits_share": _FITS_SHARE,
            "symmetric_share": _SYMMETRIC_SHARE,
            "same_scale": _SAME_SCALE,
            "tolerance_share_of_size": _TOLERANCE,
        },
        {"reference points": sha256_of_array(signature.codes)},
        (),
    )
