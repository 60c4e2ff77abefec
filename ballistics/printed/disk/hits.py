"""Hits of a batch of printed parts as they are kept, and which of them are pieces of one reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ballistics.printed.collection.collection import Collection
from ballistics.printed.identify.identification import Candidate, Identification
from ballistics.printed.identify.pieces_of_reference import PlacedPiece, ReferencePieces, covered_points, joined_pieces


def kept_hit(found: Identification, candidate: Candidate, collection: Collection) -> dict[str, Any]:
    """Return an accepted candidate as values that JSON can hold, with what it covers of its reference.

    Parameters
    ----------
    found : Identification
        Of the file.
    candidate : Candidate
        One of its accepted candidates.
    collection : Collection
        In which it was found.

    Returns
    -------
    dict
        ``pose`` as 4 rows of 4; ``covers`` has a bit for each of the reference's ``points``, in hexadecimal digits.
    """
    covers = covered_points(found, candidate, collection)
    keys = collection.references[candidate.row].keys
    return {
        "row": candidate.row,
        "reference": candidate.name,
        "category": candidate.category,
        "relation": candidate.relation,
        "scale": candidate.scale,
        "mirrored": candidate.mirrored,
        "mirror_symmetric": keys is not None and keys.exact == keys.mirrored,
        "tied_with": "; ".join(other.name for other in found.tied_with(candidate)),
        "query_share": candidate.query_share,
        "reference_share": candidate.reference_share,
        "tolerance_mm": candidate.tolerance_mm,
        "score": candidate.score,
        "component": candidate.component,
        "pose": candidate.pose.tolist(),
        "covers": np.packbits(covers).tobytes().hex(),
        "points": len(covers),
    }


def pieces_of_hits(files: Sequence[Sequence[Mapping[str, Any]]], collection: Collection) -> tuple[ReferencePieces, ...]:
    """Return the references of which files hold different pieces; copies stand with the families.

    Parameters
    ----------
    files : sequence of sequence of mapping
        The kept hits of each file, from `kept_hit`.
    collection : Collection
        The one that was searched.
    """
    placed: dict[int, list[PlacedPiece]] = {}
    for number, hits in enumerate(files):
        for hit in hits:
            bits = np.frombuffer(bytes.fromhex(hit["covers"]), np.uint8)
            covers = np.unpackbits(bits, count=hit["points"]).astype(bool)
            pose = np.array(hit["pose"], dtype=np.float64)
            piece = PlacedPiece(number, hit["component"], hit["scale"], pose, hit["mirrored"], covers)
            placed.setdefault(hit["row"], []).append(piece)
    return tuple(pieces for pieces in joined_pieces(placed, collection) if pieces.complementary)
