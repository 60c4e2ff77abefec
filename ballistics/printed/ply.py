"""Reads PLY: ASCII and binary of both byte orders, polygons, any order and type of properties."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError, HostileFileError, UnsupportedFormatError
from ballistics.printed.bounds import (
    check_declared,
    check_face_count,
    check_vertex_count,
    checked_faces,
    numbers,
    text_of,
    triangles_of_polygons,
)
from ballistics.printed.content import Item, MeshContent
from ballistics.surfaces.binary import file_size
from ballistics.surfaces.surface import Finding

_TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2",
    "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "long": "i4", "ulong": "u4",
    "int64": "i8", "uint64": "u8", "float": "f4", "float32": "f4", "double": "f8", "float64": "f8",
}  # fmt: skip
_HEADER_LIMIT_BYTES = 64 << 10
_LIST_NAMES = ("vertex_indices", "vertex_index")


@dataclass
class _Property:
    name: str
    type: str
    count_type: str = ""
    """Type of the length, for a list; empty for a single value."""


@dataclass
class _Element:
    name: str
    count: int
    properties: list[_Property] = field(default_factory=list)

    @property
    def scalar(self) -> bool:
        return not any(p.count_type for p in self.properties)

    def least_bytes(self) -> int:
        return sum(int((p.count_type or p.type)[1:]) for p in self.properties)


def read_ply(file: BinaryIO, *, face_limit: int) -> MeshContent:
    """Read a PLY file; it has no unit.

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
    encoding, elements, comments = _header(file)
    left = file_size(file) - file.tell()
    findings: list[Finding] = []
    vertices: NDArray[np.float64] | None = None
    faces: NDArray[np.int64] | None = None
    for element in elements:
        if encoding == "ascii":
            # At least one character and a separator for each value.
            check_declared(element.count, max(2 * len(element.properties), 1) - 1, left, f"elements {element.name!r}")
        else:
            check_declared(element.count, element.least_bytes(), left, f"elements {element.name!r}")
        if not element.properties and element.count:
            raise CorruptFileError(f"the element {element.name!r} has {element.count} entries and no property")
        if element.name == "vertex":
            check_vertex_count(element.count, face_limit)
        else:
            check_face_count(element.count, face_limit)
    reader = _AsciiReader(file) if encoding == "ascii" else _BinaryReader(file, "<" if "little" in encoding else ">")
    for element in elements:
        if vertices is not None and faces is not None:
            break  # what follows (materials, edges …) is not geometry
        columns, lists = reader.read(element, face_limit)
        if element.name == "vertex" and vertices is None:
            vertices = _positions(columns)
        elif element.name in ("face", "tristrips") and faces is None:
            faces = _faces(element.name, lists)
    if vertices is None:
        raise CorruptFileError("the file has no element 'vertex'")
    if faces is None:
        raise UnsupportedFormatError("the file holds points without faces: a cloud, not a mesh")
    check_face_count(len(faces), face_limit)
    metadata: dict[str, Any] = {"encoding": encoding}
    if comments:
        metadata["comments"] = tuple(comments)
    item = Item(vertices, checked_faces(faces, len(vertices)))
    return MeshContent("PLY", (item,), metadata=metadata, findings=tuple(findings))


def _header(file: BinaryIO) -> tuple[str, list[_Element], list[str]]:
    """Parse the header and leave the file at the first byte after it."""
    raw = file.read(_HEADER_LIMIT_BYTES)
    at = raw.find(b"end_header")
    if not raw.startswith(b"ply") or at < 0:
        raise CorruptFileError("the PLY header has no end within 64 KiB")
    end = at + len(b"end_header")
    end += 2 if raw[end : end + 2] == b"\r\n" else 1
    file.seek(end)
    encoding, elements, comments = "", [], []
    for line in raw[:at].decode("latin-1").split("\n" if b"\n" in raw[:at] else "\r")[1:]:
        words = line.split()
        if not words:
            continue
        if words[0] == "format" and len(words) >= 2:
            encoding = words[1]
        elif words[0] in ("comment", "obj_info"):
            comments.append(text_of(line.partition(words[0])[2].encode()))
        elif words[0] == "element" and len(words) == 3 and re.fullmatch("[0-9]{1,15}", words[2]):
            elements.append(_Element(words[1], int(words[2])))
        elif words[0] == "property" and elements:
            elements[-1].properties.append(_property(words))
        else:
            raise CorruptFileError(f"the PLY header holds {line[:60]!r}")
    if encoding not in ("ascii", "binary_little_endian", "binary_big_endian"):
        raise CorruptFileError(f"the PLY header declares the format {encoding[:40]!r}")
    return encoding, elements, comments


def _property(words: list[str]) -> _Property:
    try:
        if words[1] == "list" and len(words) == 5:
            count_type, kind = _TYPES[words[2]], _TYPES[words[3]]
            if count_type[0] == "f" or (kind[0] == "f" and words[4] in _LIST_NAMES):
                raise CorruptFileError(f"the list {words[4]!r} is counted or indexed by broken numbers")
            return _Property(words[4], kind, count_type)
        if len(words) == 3:
            return _Property(words[2], _TYPES[words[1]])
    except (KeyError, IndexError):
        pass
    raise CorruptFileError(f"the PLY header holds the property {' '.join(words)[:60]!r}")


def _positions(columns: dict[str, NDArray[Any]]) -> NDArray[np.float64]:
    if not all(axis in columns for axis in "xyz"):
        raise CorruptFileError(f"the vertices have the properties {sorted(columns)}; x, y and z are needed")
    return np.stack([columns[axis].astype(np.float64) for axis in "xyz"], axis=1)


def _faces(element: str, lists: dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]]) -> NDArray[np.int64]:
    found = next((lists[name] for name in _LIST_NAMES if name in lists), None)
    if found is None:
        raise CorruptFileError(f"the element {element!r} has the lists {sorted(lists)}; vertex_indices is needed")
    counts, corners = found
    if element == "face":
        return triangles_of_polygons(counts, corners)
    # Strips: every triple of neighbours, -1 begins a new strip; every second triangle is turned.
    triples = np.stack([corners[:-2], corners[1:-1], corners[2:]], axis=1)
    starts = np.flatnonzero(np.concatenate([[True], corners[:-1] < 0]))
    length = np.diff(np.append(starts, corners.size))
    place = (np.arange(corners.size) - np.repeat(starts, length))[: len(triples)]
    triples[place % 2 == 1] = triples[place % 2 == 1][:, ::-1]
    return np.ascontiguousarray(triples[(triples >= 0).all(axis=1)])


class _BinaryReader:
    """Reads the elements of a binary body in order."""

    def __init__(self, file: BinaryIO, order: str) -> None:
        self._data = file.read()
        self._at = 0
        self._order = order

    def read(self, element: _Element, face_limit: int) -> tuple[dict[str, Any], dict[str, Any]]:
        if element.scalar:
            return self._records(element, {}), {}
        return self._listed(element, face_limit)

    def _records(self, element: _Element, lengths: dict[str, int]) -> dict[str, Any]:
        """Read entries of one size: single values, and lists of the lengths given."""
        fields: list[Any] = []
        for p in element.properties:
            if p.count_type:
                fields.append((f"{p.name} count", self._order + p.count_type))
                fields.append((p.name, self._order + p.type, (lengths[p.name],)))
            else:
                fields.append((p.name, self._order + p.type))
        try:
            record = np.dtype(fields)
        except ValueError as error:
            raise CorruptFileError(f"the element {element.name!r} names a property twice") from error
        size = element.count * record.itemsize
        if self._at + size > len(self._data):
            raise CorruptFileError(f"the file ends inside the elements {element.name!r}: it is truncated")
        values = np.frombuffer(self._data, record, element.count, self._at)
        self._at += size
        return {name: values[name] for name in record.names or ()}

    def _listed(self, element: _Element, face_limit: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """Read entries with lists: at once if all have the lengths of the first, else one by one."""
        lists = [p for p in element.properties if p.count_type]
        if element.count == 0:
            empty = np.zeros(0, np.int64)
            return {}, {p.name: (empty, empty) for p in lists}
        start = self._at
        lengths = self._first_lengths(element)
        try:
            columns = self._records(element, lengths)
            if all((columns[f"{p.name} count"] == lengths[p.name]).all() for p in lists):
                return {}, {
                    p.name: (
                        np.full(element.count, lengths[p.name], np.int64),
                        columns[p.name].astype(np.int64).ravel(),
                    )
                    for p in lists
                }
        except CorruptFileError:
            pass
        self._at = start
        return {}, self._one_by_one(element, face_limit)

    def _first_lengths(self, element: _Element) -> dict[str, int]:
        at, lengths = self._at, {}
        for p in element.properties:
            if p.count_type:
                lengths[p.name] = self._length(p, at)
                at += int(p.count_type[1:]) + lengths[p.name] * int(p.type[1:])
            else:
                at += int(p.type[1:])
        return lengths

    def _length(self, p: _Property, at: int) -> int:
        width = int(p.count_type[1:])
        raw = self._data[at : at + width]
        length = int.from_bytes(raw, "little" if self._order == "<" else "big", signed=p.count_type[0] == "i")
        if len(raw) < width or length < 0 or at + width + length * int(p.type[1:]) > len(self._data):
            raise CorruptFileError(f"a list of {length} values goes past the end of the file")
        return length

    def _one_by_one(self, element: _Element, face_limit: int) -> dict[str, Any]:
        lists: dict[str, tuple[list[int], list[NDArray[Any]]]] = {
            p.name: ([], []) for p in element.properties if p.count_type
        }
        total = 0
        for _ in range(element.count):
            for p in element.properties:
                if not p.count_type:
                    self._at += int(p.type[1:])
                    continue
                length = self._length(p, self._at)
                total += length
                if total > 4 * face_limit:
                    raise HostileFileError(f"the lists hold more than {4 * face_limit} corners; raise face_limit")
                self._at += int(p.count_type[1:])
                counts, values = lists[p.name]
                counts.append(length)
                values.append(np.frombuffer(self._data, self._order + p.type, length, self._at))
                self._at += length * int(p.type[1:])
        return {
            name: (np.array(counts, np.int64), np.concatenate(values).astype(np.int64))
            for name, (counts, values) in lists.items()
        }


class _AsciiReader:
    """Reads the elements of an ASCII body in order, one line for each entry."""

    def __init__(self, file: BinaryIO) -> None:
        self._lines = (line for line in file if line.strip())

    def read(self, element: _Element, face_limit: int) -> tuple[dict[str, Any], dict[str, Any]]:
        lists: dict[str, tuple[list[int], list[Any]]] = {p.name: ([], []) for p in element.properties if p.count_type}
        rows: list[list[bytes]] = []
        total = 0
        for _ in range(element.count):
            words = next(self._lines, b"").split()
            at, row = 0, []
            for p in element.properties:
                if at >= len(words):
                    raise CorruptFileError(f"line {len(rows)} of the elements {element.name!r} has too few values")
                if not p.count_type:
                    row.append(words[at])
                    at += 1
                    continue
                if not words[at].isdigit() or len(words[at]) > 9 or at + 1 + int(words[at]) > len(words):
                    raise CorruptFileError(f"a list of {text_of(words[at], 40)!r} values is not in its line")
                length = int(words[at])
                total += length
                if total > 4 * face_limit:
                    raise HostileFileError(f"the lists hold more than {4 * face_limit} corners; raise face_limit")
                lists[p.name][0].append(length)
                lists[p.name][1].extend(words[at + 1 : at + 1 + length])
                at += 1 + length
            rows.append(row)
        if element.scalar and element.count:
            values = numbers([word for row in rows for word in row], f"the elements {element.name!r}")
            table = values.reshape(element.count, -1)
            return {p.name: table[:, k] for k, p in enumerate(element.properties)}, {}
        return {}, {
            name: (np.array(counts, np.int64), _indices(words, name)) for name, (counts, words) in lists.items()
        }


def _indices(words: list[bytes], name: str) -> NDArray[np.int64]:
    values = numbers(words, f"the list {name!r}") if words else np.zeros(0)
    if not np.isfinite(values).all() or (np.abs(values) > 2.0**52).any():
        raise CorruptFileError(f"the list {name!r} holds what is not an index")
    return values.astype(np.int64)
