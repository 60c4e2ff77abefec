"""Reads OFF (Object File Format): text, with or without colours and normals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

import numpy as np

from ballistics.errors import CorruptFileError, UnsupportedFormatError
from ballistics.files import file_size
from ballistics.findings import Finding
from ballistics.printed.content.bounds import (
    check_declared,
    check_face_count,
    check_vertex_count,
    checked_faces,
    numbers,
    remainder,
    text_of,
    triangles_of_polygons,
    whole_numbers,
)
from ballistics.printed.content.mesh_content import Item, MeshContent
from ballistics.printed.content.text_lines import lines_of, pieces_of, without_comment

_MAGIC = re.compile(rb"^(ST)?(C)?(N)?OFF(?![A-Za-z])", re.IGNORECASE)
_LINE_LIMIT_BYTES = 1 << 20


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
    lines = lines_of(pieces_of(file), _LINE_LIMIT_BYTES)
    rows = filter(None, ((without_comment(line)[0] if b"#" in line else line).split() for line in lines))
    first = next(rows, [])
    magic = _MAGIC.match(first[0]) if first else None
    if magic is not None:
        rest = [word for word in (first[0][magic.end() :], *first[1:]) if word]
        if rest and rest[0].upper() == b"BINARY":
            raise UnsupportedFormatError("binary OFF is not read; save it as PLY or STL")
    elif first and all(word.isdigit() for word in first):
        rest = first  # the word OFF may be left out
    else:
        raise UnsupportedFormatError(
            f"the file begins with {text_of(b' '.join(first), 40)!r}; only plain OFF of three dimensions is read"
        )
    words, following = _counts(rest, rows)
    counts = whole_numbers(words, "the line of counts")
    if counts.size < 2 or (counts < 0).any():
        raise CorruptFileError("the line of counts needs the numbers of vertices, faces and edges")
    n, m = int(counts[0]), int(counts[1])
    check_declared(n, 6, size, "vertices")
    check_vertex_count(n, face_limit)
    check_face_count(min(m, size), face_limit)
    words = []
    for k in range(n):
        row = next(following, [])
        if len(row) < 3 and len(row := _joined(row, following, 3)) < 3:
            raise CorruptFileError(f"vertex {k} of {n} has {len(row)} numbers: the file is truncated or its counts lie")
        words.extend(row[:3])
    vertices = numbers(words, "a vertex").reshape(-1, 3)
    findings: list[Finding] = []
    corners: list[bytes] = []
    lengths: list[int] = []
    for k in range(m):
        row = next(following, [])
        if len(row) >= 4 and row[0] == b"3":
            lengths.append(3)
            corners.extend(row[1:4])
            continue
        if row and (not row[0].isdigit() or len(row[0]) > 9):
            raise CorruptFileError(f"face {k} of {m} is {text_of(b' '.join(row), 40)!r}: its counts lie")
        length = int(row[0]) if row else 0
        if not row or (len(row) < 1 + length and len(row := _joined(row, following, 1 + length)) < 1 + length):
            remainder(m, k, "faces", findings)
            break
        lengths.append(length)
        corners.extend(row[1 : 1 + length])
    faces = triangles_of_polygons(np.array(lengths, np.int64), whole_numbers(corners, "a face"))
    check_face_count(len(faces), face_limit)
    return MeshContent("OFF", (Item(vertices, checked_faces(faces, n)),), findings=tuple(findings))


def _joined(words: list[bytes], rows: Iterator[list[bytes]], count: int) -> list[bytes]:
    """Return a line's words with those of further lines, until there are as many as needed; fewer at the end."""
    while words and len(words) < count and (more := next(rows, [])):
        words.extend(more)
        if len(words) > count:
            # Joined at a place that is none: everything after it would be shifted.
            raise CorruptFileError(f"a line has too few numbers, {text_of(b' '.join(words), 60)!r} with the next")
    return words


def _counts(words: list[bytes], rows: Iterator[list[bytes]]) -> tuple[list[bytes], Iterator[list[bytes]]]:
    """Return the counts, which may stand in lines of their own, and the rows after them; the third may be missing."""
    apart = len(words) < 2
    while len(words) < 2 and (more := next(rows, [])):
        words = words + more
    if apart and len(words) == 2:
        third = next(rows, [])
        if len(third) != 1:
            return words, chain([third], rows)
        words = words + third
    return words[:3], rows
