"""Pieces of one reference in several files as the page, the terminal and the JSON tell of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.printed import LaidPiece, ReferencePieces, Taxonomy, reference_pieces
from ballistics.reports.contents.identified_file import IdentifiedFile, SearchedCollection, bodies_of
from ballistics.reports.figures.printed import beads, six_uri
from ballistics.reports.schemas.comparison_json import plain
from ballistics.reports.wording import printed as wording

# Told apart by readers who do not see all colours: Okabe & Ito 2008, without black and yellow.
_COLOURS = ((0, 114, 178), (230, 159, 0), (0, 158, 115), (204, 121, 167), (86, 180, 233), (213, 94, 0))
_FURTHER, _TWICE, _NONE = (120, 94, 70), (45, 45, 45), (222, 222, 222)
# Beads of this share of the distance between points leave few gaps.
_BEAD = 0.85


def pieces_in(files: Sequence[IdentifiedFile], searched: SearchedCollection) -> tuple[ReferencePieces, ...]:
    """Return what the files that were searched hold of the same references; `LaidPiece.file` counts all files."""
    rows = [k for k, one in enumerate(files) if one.found is not None]
    found = [one.found for one in files if one.found is not None]
    return tuple(
        replace(one, laid=tuple(replace(piece, file=rows[piece.file]) for piece in one.laid))
        for one in reference_pieces(found, searched.collection)
    )


def piece_names(one: ReferencePieces, files: Sequence[tuple[str, int]]) -> list[str]:
    """Return what each laid piece is called: its file, and where a file has several bodies, which.

    Parameters
    ----------
    one : ReferencePieces
    files : sequence of (str, int)
        Name of each file, and how many bodies it has.
    """
    return [_name(piece, *files[piece.file]) for piece in one.laid]


def _name(piece: LaidPiece, name: str, bodies: int) -> str:
    if bodies <= 1:
        return name
    if piece.component < 0:
        return f"{name}, all {bodies} bodies together"
    return f"{name}, body {piece.component + 1} of {bodies}"


def named_files(files: Sequence[IdentifiedFile]) -> list[tuple[str, int]]:
    """Return the name of each file, and how many bodies it has; 0 for one that was refused."""
    return [(one.name, 0 if one.found is None else bodies_of(one.found)) for one in files]


def pieces_sentences(one: ReferencePieces, files: Sequence[tuple[str, int]], taxonomy: Taxonomy) -> tuple[str, ...]:
    """Return what the files hold of a reference, the statement first."""
    return wording.pieces_sentences(one, piece_names(one, files), taxonomy.title(one.category))


def pieces_json(one: ReferencePieces, files: Sequence[tuple[str, int]], taxonomy: Taxonomy) -> dict[str, Any]:
    """Return what the files hold of a reference as plain values."""
    return {
        "reference": one.name,
        "category": one.category or None,
        "complementary": one.complementary,
        "sentence": " ".join(pieces_sentences(one, files, taxonomy)),
        "together": one.together,
        "twice": one.twice,
        "same_scale": one.same_scale,
        "same_hand": one.same_hand,
        "laid": [
            {
                "file": piece.file,
                "name": files[piece.file][0],
                "component": piece.component,
                "share": piece.share,
                "place": piece.place,
                "fits_mirrored": piece.fits_mirrored,
                "scale": piece.scale,
                "mirrored": piece.mirrored,
                "pose": piece.pose.tolist(),
            }
            for piece in one.laid
        ],
        "provenance": plain(one.provenance),
    }


def pieces_shown(one: ReferencePieces, files: Sequence[tuple[str, int]], taxonomy: Taxonomy) -> dict[str, Any]:
    """Return what the template shows of a reference that several files hold something of; drawn if they are pieces."""
    colours = piece_colours(one)
    return {
        "one": one,
        "sentences": pieces_sentences(one, files, taxonomy),
        "rows": list(zip(piece_names(one, files), one.laid, map(_hex, colours), strict=True)),
        "picture": _picture(one, colours) if one.complementary else None,
        "twice_colour": _hex(_TWICE),
        "none_colour": _hex(_NONE),
    }


def piece_colours(one: ReferencePieces) -> list[tuple[int, int, int]]:
    """Return the colour of each laid piece; only pieces with a place of their own are drawn."""
    own = [k for k, piece in enumerate(one.laid) if piece.place == "its own"]
    chosen = dict(zip(own, _COLOURS, strict=False))
    return [chosen.get(k, _FURTHER) for k in range(len(one.laid))]


def _picture(one: ReferencePieces, colours: list[tuple[int, int, int]]) -> str:
    """Draw the reference's points as beads, in the colour of the piece that covers them."""
    from scipy.spatial import cKDTree

    shown: NDArray[np.uint8] = np.tile(np.array(_NONE, np.uint8), (len(one.points_mm), 1))
    count = np.zeros(len(one.points_mm), dtype=np.int64)
    for piece, colour in zip(one.laid, colours, strict=True):
        if piece.place == "its own":
            shown[piece.covers] = colour
            count += piece.covers
    shown[count > 1] = _TWICE
    distance = float(np.median(cKDTree(one.points_mm).query(one.points_mm, 2)[0][:, 1]))
    mesh = beads(one.points_mm, _BEAD * distance)
    return six_uri(mesh, np.repeat(shown, len(mesh.vertices) // len(shown), axis=0))


def _hex(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
