"""Reads OFF (Object File Format): text, with or without colours and normals."""

from __future__ import annotations

import re
from typing import BinaryIO

import numpy as np

from ballistics.errors import CorruptFileError, UnsupportedFormatError
from ballistics.printed.bounds import (
    check_declared,
    check_face_count,
    check_vertex_count,
    checked_faces,
    numbers,
    text_of,
    triangles_of_polygons,
    whole_numbers,
)
from ballistics.printed.content import Item, MeshContent
from ballistics.surfaces.binary import file_size

_MAGIC = re.compile(rb"^(ST)?(C)?(N)?OFF\b")


def read_off(file: BinaryIO, *, face_limit: int) -> MeshContent:
    """Read an OFF file; it has no unit.

    Parameters
    ----------
    file : binary file
        Open at its start.
    face_limit : int
        Most faces that are read.

    Raises
    ------
    CorruptFileError, HostileFileError, UnsupportedFormatError
        See the messages.
    """
    size = file_size(file)
    lines = (text for line in file if (text := line.split(b"#")[0].strip()))
    first = next(lines, b"")
    magic = _MAGIC.match(first)
    if magic is None:
        raise UnsupportedFormatError(f"the file begins with {text_of(first, 40)!r}; only plain OFF is read")
    rest = first[magic.end() :].split()
    if rest and rest[0].upper() == b"BINARY":
        raise UnsupportedFormatError("binary OFF is not read; save it as PLY or STL")
    counts = whole_numbers((rest or next(lines, b"").split())[:3], "the line of counts")
    if counts.size < 2 or (counts < 0).any():
        raise CorruptFileError("the line of counts needs the numbers of vertices, faces and edges")
    n, m = int(counts[0]), int(counts[1])
    check_declared(n, 6, size, "vertices")
    check_declared(m, 2, size, "faces")
    check_vertex_count(n, face_limit)
    check_face_count(m, face_limit)
    words: list[bytes] = []
    for k in range(n):
        row = next(lines, b"").split()
        if len(row) < 3:
            raise CorruptFileError(f"vertex {k} of {n} has {len(row)} numbers: the file is truncated or its counts lie")
        words.extend(row[:3])
    vertices = numbers(words, "a vertex").reshape(-1, 3)
    corners: list[bytes] = []
    lengths: list[int] = []
    for k in range(m):
        row = next(lines, b"").split()
        if not row or not row[0].isdigit() or len(row[0]) > 9 or len(row) < 1 + int(row[0]):
            raise CorruptFileError(f"face {k} of {m} is {text_of(b' '.join(row), 40)!r}: truncated, or the counts lie")
        lengths.append(int(row[0]))
        corners.extend(row[1 : 1 + lengths[-1]])
    faces = triangles_of_polygons(np.array(lengths, np.int64), whole_numbers(corners, "a face"))
    check_face_count(len(faces), face_limit)
    return MeshContent("OFF", (Item(vertices, checked_faces(faces, n)),))
