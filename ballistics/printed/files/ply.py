"""Reads PLY: ASCII and binary of both byte orders, polygons, any order and type of properties."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError, HostileFileError, UnsupportedFormatError
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
)
from ballistics.printed.content.mesh_content import Item, MeshContent
from ballistics.printed.content.text_lines import lines_of, pieces_of

_TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2",
    "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "long": "i4", "ulong": "u4",
    "int64": "i8", "uint64": "u8", "float": "f4", "float32": "f4", "double": "f8", "float64": "f8",
}  # fmt: skip
_HEADER_LIMIT_BYTES = 64 << 10
_END_OF_HEADER = re.compile(rb"(?:\r\n|\r|\n)[ \t]*end_header[ \t]*(\r\n|\r|\n|$)")
_LINE_LIMIT_BYTES = 1 << 20
_NO_VALUES = np.zeros(0, np.int64)
_FACES = ("face", "tristrips")
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
        # As text, at least one character and a separator for each value.
        least = max(2 * len(element.properties), 1) - 1 if encoding == "ascii" else element.least_bytes()
        if element.name in _FACES and least:
            # Faces stand last: those that are there can be had.
            remainder(element.count, left // least, "faces", [])
        else:
            check_declared(element.count, least, left, f"elements {element.name!r}")
        if not element.properties and element.count:
            raise CorruptFileError(f"the element {element.name!r} has {element.count} entries and no property")
        if element.name == "vertex":
            check_vertex_count(element.count, face_limit)
        else:
            check_face_count(min(element.count, left), face_limit)
    reader = (
        _AsciiReader(file, findings)
        if encoding == "ascii"
        else _BinaryReader(file, "<" if "little" in encoding else ">", findings)
    )
    for element in elements:
        if vertices is not None and faces is not None:
            break  # what follows (materials, edges …) is not geometry
        columns, lists = reader.read(element, face_limit)
        if element.name == "vertex" and vertices is None:
            vertices = _positions(columns)
        elif element.name in _FACES and faces is None:
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
    found = _END_OF_HEADER.search(raw)
    if found is None:
        raise CorruptFileError("the PLY header has no end within 64 KiB")
    end = found.end()
    if found[1] == b"\r\n" and b"\n" not in raw[: found.start() + 1].replace(b"\r\n", b""):
        # A text whose lines end in CR, before a binary byte that happens to be LF.
        end -= b"\r\n" not in raw[: found.start() + 2]
    file.seek(end)
    encoding, elements, comments = "", [], []
    for line in raw[: found.start()].decode("latin-1").splitlines()[1:]:
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


class _CutOffError(Exception):
    """The file ends inside an entry."""


class _BinaryReader:
    """Reads the elements of a binary body in order."""

    def __init__(self, file: BinaryIO, order: str, findings: list[Finding]) -> None:
        self._data = file.read()
        self._findings = findings
        self._at = 0
        self._order = order

    def read(self, element: _Element, face_limit: int) -> tuple[dict[str, Any], dict[str, Any]]:
        if element.scalar:
            return self._records(element, {}, element.count), {}
        try:
            return self._listed(element, face_limit)
        except _CutOffError as error:
            raise CorruptFileError(str(error)) from None

    def _record(self, element: _Element, lengths: dict[str, int]) -> np.dtype[Any]:
        """Return the layout of entries of one size: single values, and lists of the lengths given."""
        fields: list[Any] = []
        for p in element.properties:
            if p.count_type:
                fields.append((f"{p.name} count", self._order + p.count_type))
                fields.append((p.name, self._order + p.type, (lengths[p.name],)))
            else:
                fields.append((p.name, self._order + p.type))
        try:
            return np.dtype(fields)
        except ValueError as error:
            raise CorruptFileError(f"the element {element.name!r} names a property twice") from error

    def _records(self, element: _Element, lengths: dict[str, int], count: int) -> dict[str, Any]:
        """Read entries of one size."""
        record = self._record(element, lengths)
        if self._at + count * record.itemsize > len(self._data):
            raise CorruptFileError(f"the file ends inside the elements {element.name!r}: it is truncated")
        values = np.frombuffer(self._data, record, count, self._at)
        self._at += count * record.itemsize
        return {name: values[name] for name in record.names or ()}

    def _listed(self, element: _Element, face_limit: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """Read entries with lists: at once if all have the lengths of the first, else one by one."""
        lists = [p for p in element.properties if p.count_type]
        if element.count == 0:
            empty = np.zeros(0, np.int64)
            return {}, {p.name: (empty, empty) for p in lists}
        start = self._at
        lengths = self._lengths(element)
        size = self._record(element, lengths).itemsize
        count = min(element.count, (len(self._data) - start) // size)
        # Where the file seems to be too short, the lists may just be shorter than the first.
        if count == element.count:
            columns = self._records(element, lengths, count)
            if all((columns[f"{p.name} count"] == lengths[p.name]).all() for p in lists):
                return {}, {
                    p.name: (np.full(count, lengths[p.name], np.int64), columns[p.name].astype(np.int64).ravel())
                    for p in lists
                }
        self._at = start
        return {}, self._one_by_one(element, face_limit)

    def _lengths(self, element: _Element) -> dict[str, int]:
        """Return the lengths of the lists of the entry that comes next."""
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
        if len(raw) < width or at + width + max(length, 0) * int(p.type[1:]) > len(self._data):
            raise _CutOffError("the file ends inside a list: it is truncated, or the length of the list is wrong")
        if length < 0:
            raise CorruptFileError(f"a list has {length} values")
        return length

    def _one_by_one(self, element: _Element, face_limit: int) -> dict[str, Any]:
        lists: dict[str, tuple[list[int], list[NDArray[Any]]]] = {
            p.name: ([], []) for p in element.properties if p.count_type
        }
        total = done = 0
        for done in range(element.count):
            try:
                lengths = self._lengths(element)
            except _CutOffError:
                if element.name not in _FACES:
                    raise
                remainder(element.count, done, "faces", self._findings)
                break
            for p in element.properties:
                if not p.count_type:
                    self._at += int(p.type[1:])
                    continue
                length = lengths[p.name]
                total += length
                if total > 4 * face_limit:
                    raise HostileFileError(f"the lists hold more than {4 * face_limit} corners; raise face_limit")
                self._at += int(p.count_type[1:])
                counts, values = lists[p.name]
                counts.append(length)
                values.append(np.frombuffer(self._data, self._order + p.type, length, self._at))
                self._at += length * int(p.type[1:])
        return {
            name: (np.array(counts, np.int64), np.concatenate([_NO_VALUES, *values]).astype(np.int64))
            for name, (counts, values) in lists.items()
        }


class _AsciiReader:
    """Reads the elements of an ASCII body in order, one line for each entry."""

    def __init__(self, file: BinaryIO, findings: list[Finding]) -> None:
        self._rows = (words for line in lines_of(pieces_of(file), _LINE_LIMIT_BYTES) if (words := line.split()))
        self._findings = findings

    def read(self, element: _Element, face_limit: int) -> tuple[dict[str, Any], dict[str, Any]]:
        lists: dict[str, tuple[list[int], list[Any]]] = {p.name: ([], []) for p in element.properties if p.count_type}
        rows: list[list[bytes]] = []
        total = 0
        width = len(element.properties)
        for k in range(element.count):
            words = next(self._rows, [])
            if not lists and len(words) >= width:
                rows.append(words[:width])
                continue
            try:
                row = self._take(words, element, lists)
            except CorruptFileError:
                # A last line that is too short was cut off; before others, it is damage.
                if element.name not in _FACES or next(self._rows, []):
                    raise
                remainder(element.count, k, "faces", self._findings)
                for counts, held in lists.values():
                    del counts[k:]
                    del held[sum(counts) :]
                break
            total += len(words)
            if total > 8 * face_limit:
                raise HostileFileError(f"the lists hold more than {8 * face_limit} values; raise face_limit")
            rows.append(row)
        if element.scalar and element.count:
            values = numbers([word for row in rows for word in row], f"the elements {element.name!r}")
            table = values.reshape(element.count, -1)
            return {p.name: table[:, k] for k, p in enumerate(element.properties)}, {}
        return {}, {
            name: (np.array(counts, np.int64), _indices(words, name)) for name, (counts, words) in lists.items()
        }

    def _take(
        self, words: list[bytes], element: _Element, lists: dict[str, tuple[list[int], list[Any]]]
    ) -> list[bytes]:
        """Sort the words of a line into the lists; return the single values."""
        at = 0
        row = []
        for p in element.properties:
            if at >= len(words):
                raise CorruptFileError(f"a line of the elements {element.name!r} has only {len(words)} values")
            if not p.count_type:
                row.append(words[at])
                at += 1
                continue
            if not words[at].isdigit() or len(words[at]) > 9 or at + 1 + int(words[at]) > len(words):
                raise CorruptFileError(f"a list of {text_of(words[at], 40)!r} values is not in its line")
            length = int(words[at])
            lists[p.name][0].append(length)
            lists[p.name][1].extend(words[at + 1 : at + 1 + length])
            at += 1 + length
        return row


def _indices(words: list[bytes], name: str) -> NDArray[np.int64]:
    values = numbers(words, f"the list {name!r}") if words else np.zeros(0)
    if not np.isfinite(values).all() or (np.abs(values) > 2.0**52).any():
        raise CorruptFileError(f"the list {name!r} holds what is not an index")
    return values.astype(np.int64)
