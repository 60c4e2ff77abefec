"""Pieces of one reference in several files as the page, the terminal and the JSON tell of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.printed import PlacedPiece, ReferencePieces, Taxonomy, reference_pieces
from ballistics.reports.contents.identified_file import IdentifiedFile, SearchedCollection, bodies_of
from ballistics.reports.figures.printed import beads, six_uri
from ballistics.reports.plain_values import plain
from ballistics.reports.wording import printed as wording

# Told apart by readers who do not see all colours: Okabe & Ito 2008, without black and yellow.
_COLOURS = ((0, 114, 178), (230, 159, 0), (0, 158, 115), (204, 121, 167), (86, 180, 233), (213, 94, 0))
_FURTHER, _TWICE, _NONE = (120, 94, 70), (45, 45, 45), (222, 222, 222)
# Beads of this share of the distance between points leave few gaps.
_BEAD = 0.85


def pieces_in(files: Sequence[IdentifiedFile], searched: SearchedCollection) -> tuple[ReferencePieces, ...]:
    """Return what the files that were searched hold of the same references; `PlacedPiece.file` counts all files."""
    rows = [k for k, file in enumerate(files) if file.found is not None]
    found = [file.found for file in files if file.found is not None]
    return tuple(
        replace(group, placed=tuple(replace(piece, file=rows[piece.file]) for piece in group.placed))
        for group in reference_pieces(found, searched.collection)
    )


def piece_names(group: ReferencePieces, files: Sequence[tuple[str, int]]) -> list[str]:
    """Return the name of each piece: its file, and which body of it where there are several.

    Parameters
    ----------
    group : ReferencePieces
    files : sequence of (str, int)
        Name of each file, and how many bodies it has.
    """
    return [_name(piece, *files[piece.file]) for piece in group.placed]


def _name(piece: PlacedPiece, name: str, bodies: int) -> str:
    if bodies <= 1:
        return name
    if piece.component < 0:
        return f"{name}, all {bodies} bodies together"
    return f"{name}, body {piece.component + 1} of {bodies}"


def named_files(files: Sequence[IdentifiedFile]) -> list[tuple[str, int]]:
    """Return the name of each file, and how many bodies it has; 0 for one that was refused."""
    return [(file.name, 0 if file.found is None else bodies_of(file.found)) for file in files]


def pieces_sentences(group: ReferencePieces, files: Sequence[tuple[str, int]], taxonomy: Taxonomy) -> tuple[str, ...]:
    """Return what the files hold of a reference, the statement first.

    Parameters
    ----------
    group : ReferencePieces
        What the files hold of a reference.
    files : sequence of (str, int)
        Name of each file, and how many bodies it has (`named_files`).
    taxonomy : Taxonomy
        Gives the reference's category its title.
    """
    return wording.pieces_sentences(group, piece_names(group, files), taxonomy.title(group.category))


def pieces_json(group: ReferencePieces, files: Sequence[tuple[str, int]], taxonomy: Taxonomy) -> dict[str, Any]:
    """Return what the files hold of a reference as plain values.

    Parameters
    ----------
    group : ReferencePieces
        What the files hold of a reference.
    files : sequence of (str, int)
        Name of each file, and how many bodies it has (`named_files`).
    taxonomy : Taxonomy
        Gives the reference's category its title.

    Returns
    -------
    dict
        As the schema of `ballistics.reports.schemas.printed_json` describes it.
    """
    return {
        "reference": group.name,
        "category": group.category or None,
        "complementary": group.complementary,
        "sentence": " ".join(pieces_sentences(group, files, taxonomy)),
        "together": group.together,
        "twice": group.twice,
        "same_scale": group.same_scale,
        "same_hand": group.same_hand,
        "placed": [
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
            for piece in group.placed
        ],
        "provenance": plain(group.provenance),
    }


def pieces_shown(group: ReferencePieces, files: Sequence[tuple[str, int]], taxonomy: Taxonomy) -> dict[str, Any]:
    """Return what the template shows of a reference that several files hold something of; drawn if they are pieces.

    Parameters
    ----------
    group : ReferencePieces
        What the files hold of a reference.
    files : sequence of (str, int)
        Name of each file, and how many bodies it has (`named_files`).
    taxonomy : Taxonomy
        Gives the reference's category its title.
    """
    colours = piece_colours(group)
    return {
        "group": group,
        "sentences": pieces_sentences(group, files, taxonomy),
        "rows": list(zip(piece_names(group, files), group.placed, map(_hex, colours), strict=True)),
        "picture": _picture(group, colours) if group.complementary else None,
        "twice_colour": _hex(_TWICE),
        "none_colour": _hex(_NONE),
    }


def piece_colours(group: ReferencePieces) -> list[tuple[int, int, int]]:
    """Return the colour of each piece; only pieces with a place of their own are drawn."""
    own = [k for k, piece in enumerate(group.placed) if piece.place == "its own"]
    chosen = dict(zip(own, _COLOURS, strict=False))
    return [chosen.get(k, _FURTHER) for k in range(len(group.placed))]


def _picture(group: ReferencePieces, colours: list[tuple[int, int, int]]) -> str:
    """Draw the reference's points as beads, in the colour of the piece that covers them."""
    from scipy.spatial import cKDTree

    shown: NDArray[np.uint8] = np.tile(np.array(_NONE, np.uint8), (len(group.points_mm), 1))
    count = np.zeros(len(group.points_mm), dtype=np.int64)
    for piece, colour in zip(group.placed, colours, strict=True):
        if piece.place == "its own":
            shown[piece.covers] = colour
            count += piece.covers
    shown[count > 1] = _TWICE
    distance = float(np.median(cKDTree(group.points_mm).query(group.points_mm, 2)[0][:, 1]))
    mesh = beads(group.points_mm, _BEAD * distance)
    return six_uri(mesh, np.repeat(shown, len(mesh.vertices) // len(shown), axis=0))


def _hex(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
