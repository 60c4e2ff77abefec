"""Reads Wavefront OBJ: polygons, relative indices, objects; materials are named, never opened."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError, HostileFileError, UnsupportedFormatError
from ballistics.findings import Finding
from ballistics.printed.content.bounds import (
    check_face_count,
    check_vertex_count,
    checked_faces,
    numbers,
    text_of,
    triangles_of_polygons,
    whole_numbers,
)
from ballistics.printed.content.mesh_content import Item, MeshContent
from ballistics.printed.content.text_lines import lines_of, pieces_of, without_comment

_LINE_LIMIT_BYTES = 1 << 20
_OBJECT_LIMIT = 10_000
# Statements that hold a name, in which everything is a letter.
_NAMES = {b"o", b"g", b"mtllib", b"usemtl", b"maplib", b"usemap", b"shadow_obj", b"trace_obj", b"call", b"csh"}
_GEOMETRY_NOT_READ = {b"curv", b"curv2", b"surf", b"cstype"}


class _Group:
    """The faces of one named object, as words until its end."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.words: list[bytes] = []
        self.lengths: list[int] = []
        self.vertices_before: list[int] = []

    def faces(self) -> NDArray[np.int64]:
        counts = np.array(self.lengths, np.int64)
        corners = whole_numbers(self.words, "a face")
        if corners.size and (corners == 0).any():
            raise CorruptFileError("a face uses vertex 0; OBJ counts from 1, or backwards from -1")
        # Negative: counted back from the vertices that stood before the face.
        before = np.repeat(np.array(self.vertices_before, np.int64), counts)
        return triangles_of_polygons(counts, np.where(corners > 0, corners - 1, before + corners))


def read_obj(file: BinaryIO, *, face_limit: int) -> MeshContent:
    """Read an OBJ file; it has no unit.

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
    vertex_words: list[bytes] = []
    groups = [_Group("")]
    by_name: dict[str, _Group] = {}
    comments: list[str] = []
    materials: list[str] = []
    free_form = corners = triangles = 0
    cut_off = 0
    for words in _statements(file, comments):
        if not words:
            continue
        key = words[0]
        if key == b"v":
            if len(words) < 4:
                raise CorruptFileError(f"vertex {len(vertex_words) // 3 + 1} has {len(words) - 1} numbers")
            vertex_words.extend(words[1:4])
            if len(vertex_words) % 30_000 == 0:
                check_vertex_count(len(vertex_words) // 3, face_limit)
        elif key == b"f":
            group = groups[-1]
            group.lengths.append(len(words) - 1)
            group.words.extend(word.split(b"/", 1)[0] for word in words[1:])
            group.vertices_before.append(len(vertex_words) // 3)
            corners += len(words) - 1
            triangles += max(len(words) - 3, 0)
            cut_off += len(words) < 4
            if triangles > face_limit or corners > 4 * face_limit:
                check_face_count(max(triangles, corners // 4), face_limit)
        elif key == b"o":
            name = text_of(b" ".join(words[1:]), 80)
            if len(by_name) > _OBJECT_LIMIT:
                raise HostileFileError(f"the file names more than {_OBJECT_LIMIT} objects")
            groups.append(by_name.setdefault(name, _Group(name)))
        elif key in (b"mtllib", b"usemtl") and len(materials) < 100:
            materials.append(text_of(b" ".join(words)))
        elif key in _GEOMETRY_NOT_READ:
            free_form += 1
    vertices = numbers(vertex_words, "a vertex").reshape(-1, 3)
    unique = [groups[0], *by_name.values()]
    items = tuple(
        Item(vertices, checked_faces(group.faces(), len(vertices)), group.name) for group in unique if group.lengths
    )
    if not items:
        raise UnsupportedFormatError("the file holds no faces: no mesh")
    findings = (*_cut_off(file, items, len(vertices)), *_findings(free_form, materials, cut_off))
    return MeshContent("OBJ", items, metadata=_metadata(comments, materials), findings=findings)


def _cut_off(file: BinaryIO, items: tuple[Item, ...], vertices: int) -> list[Finding]:
    """Return the finding of a text that stops in a line while vertices are left that no face uses, or none."""
    file.seek(-1, 2)
    if file.read(1) in b"\r\n":
        return []
    used = np.zeros(vertices, bool)
    for item in items:
        used[item.faces] = True
    left = vertices - int(used.sum())
    if not left:
        return []
    message = f"the last line has no end, and {left} of {vertices} vertices are in no face: the file may be truncated"
    return [Finding("ends-in-the-middle", "warning", message, "read as far as it goes; ask for the whole file")]


def _metadata(comments: list[str], materials: list[str]) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    if any(comments):
        metadata["comments"] = tuple(comment for comment in comments if comment)
    if materials:
        metadata["materials"] = tuple(dict.fromkeys(materials))
    return metadata


def _statements(file: BinaryIO, comments: list[str]) -> Iterator[list[bytes]]:
    """Yield the words of every statement; keep the first comments.

    A backslash at the end of a line continues vertices and faces; at the end of a comment or of a name (a folder of
    Windows) it is a letter of it.
    """
    pending: list[bytes] = []
    pending_bytes = 0
    for line in lines_of(pieces_of(file), _LINE_LIMIT_BYTES):
        if b"#" not in line and b"\\" not in line and not pending:
            yield line.split()
            continue
        named = not pending and (line.split(None, 1) or [b""])[0] in _NAMES
        if b"#" in line and not named:
            line, comment = without_comment(line)
            if comment and len(comments) < 20:
                comments.append(text_of(comment.lstrip(b"#")))
            if comment and not line.strip():
                continue
        elif not named and line.rstrip().endswith(b"\\"):
            pending.append(line.rstrip()[:-1])
            pending_bytes += len(line)
            if pending_bytes > _LINE_LIMIT_BYTES:
                raise HostileFileError(f"a statement is longer than {_LINE_LIMIT_BYTES} bytes")
            continue
        yield b" ".join((*pending, line)).split()
        pending, pending_bytes = [], 0
    if pending:
        yield b" ".join(pending).split()


def _findings(free_form: int, materials: list[str], cut_off: int) -> tuple[Finding, ...]:
    findings = []
    if any(material.startswith("mtllib") for material in materials):
        findings.append(
            Finding("materials-outside", "note", "the file names material files beside it", "not opened: no geometry")
        )
    if cut_off:
        message = f"{cut_off} faces have fewer than three corners"
        findings.append(Finding("faces-short", "warning", message, "left out; the file may be cut off or damaged"))
    if free_form:
        findings.append(
            Finding(
                "free-form-surfaces", "serious", f"{free_form} curves or free-form surfaces", "not read; export as STL"
            )
        )
    return tuple(findings)
