"""Reads STL: binary and ASCII, whatever the header claims."""

from __future__ import annotations

import re
import struct
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError
from ballistics.files import file_size
from ballistics.findings import Finding
from ballistics.printed.content.bounds import check_face_count, numbers, remainder, text_of
from ballistics.printed.content.mesh_content import Item, MeshContent

_RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_HEADER_BYTES = 84
# A facet in ASCII takes about 250 bytes; the pieces that are parsed at once end after a facet.
_PIECE_BYTES = 4 << 20
_FACET = re.compile(rb"loop" + 3 * rb"\s+vertex\s+(\S+)\s+(\S+)\s+(\S+)" + rb"\s+end\s*loop", re.IGNORECASE)
_LOOP = re.compile(rb"outer\s*loop", re.IGNORECASE)
_END_OF_SOLID = re.compile(rb"\bend\s*solid\b", re.IGNORECASE)
_END_OF_LOOP = re.compile(rb"end\s*loop", re.IGNORECASE)
_SOLID = re.compile(rb"(?:^|\r|\xef\xbb\xbf)[ \t]*solid\b[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)


def read_stl(file: BinaryIO, *, face_limit: int) -> MeshContent:
    """Read an STL file; it has no unit.

    Parameters
    ----------
    file : binary file
        Open at its start.
    face_limit : int
        Most faces that are read.

    Raises
    ------
    CorruptFileError, HostileFileError
        See the messages.
    """
    head = file.read(4096)
    size = file_size(file)
    file.seek(0)
    if size >= _HEADER_BYTES and size == _HEADER_BYTES + _RECORD.itemsize * _declared(head):
        return _read_binary(file, size, face_limit)
    if b"\0" not in head and _looks_like_text(head.removeprefix(b"\xef\xbb\xbf").lstrip().lower(), size):
        return _read_ascii(file, face_limit)
    return _read_binary(file, size, face_limit)


def _declared(head: bytes) -> int:
    return int(struct.unpack_from("<L", head, 80)[0]) if len(head) >= _HEADER_BYTES else -1


def _looks_like_text(head: bytes, size: int) -> bool:
    """Whether the words of the ASCII form are there; a file that ends at once behind "solid" is an empty text."""
    if not head.startswith(b"solid"):
        return b"facet" in head and b"vertex" in head
    return b"facet" in head or _END_OF_SOLID.search(head) is not None or size < _HEADER_BYTES


def _read_binary(file: BinaryIO, size: int, face_limit: int) -> MeshContent:
    if size < _HEADER_BYTES:
        raise CorruptFileError(f"the file has {size} bytes; a binary STL has at least {_HEADER_BYTES}")
    header = file.read(_HEADER_BYTES)
    declared = _declared(header)
    held = (size - _HEADER_BYTES) // _RECORD.itemsize
    findings: list[Finding] = []
    count = declared
    if declared == 0 and held > 0:
        # Programs that write as they go leave the count at 0 when they are stopped.
        count = held
        findings.append(
            Finding(
                "count-wrong",
                "serious",
                f"the header declares 0 triangles, {held} are there",
                "all were read; other programs may show an empty file",
            )
        )
    count = remainder(count, held, "triangles", findings)
    check_face_count(count, face_limit)
    records = np.frombuffer(file.read(count * _RECORD.itemsize), dtype=_RECORD)
    if records.size != count:
        raise CorruptFileError("the file became shorter while it was read")
    left = size - _HEADER_BYTES - count * _RECORD.itemsize
    if left > 0 and count >= declared:
        whole = left // _RECORD.itemsize
        findings.append(
            Finding(
                "trailing-bytes",
                "serious" if whole else "note",
                f"{left} bytes follow the {count} declared triangles"
                + (f", room for {whole} more triangles" if whole else ""),
                "not read; look at them" if whole else "not read",
            )
        )
    metadata = {"encoding": "binary", "header": text_of(header[:80], 80)}
    if header.lstrip().lower().startswith(b"solid"):
        findings.append(
            Finding("header-lies", "note", "the header begins with 'solid' as a text file, the data are binary", "read")
        )
    coloured = int(np.count_nonzero(records["attribute"]))
    if coloured or b"COLOR=" in header[:80]:
        metadata["colour"] = f"{coloured} of {count} triangles have attribute bytes"
        findings.append(
            Finding("colour-attributes", "note", f"{coloured} triangles have colour or attribute bytes", "kept aside")
        )
    vertices = records["corners"].reshape(-1, 3).astype(np.float64)
    return MeshContent("STL", (_soup(vertices),), metadata=metadata, findings=tuple(findings))


def _soup(vertices: NDArray[np.float64], name: str = "") -> Item:
    """Return loose triangles as an item; equal corners are merged later."""
    return Item(vertices, np.arange(len(vertices), dtype=np.int64).reshape(-1, 3), name)


def _read_ascii(file: BinaryIO, face_limit: int) -> MeshContent:
    """Read the ASCII form piece by piece; each ``solid`` is an item."""
    names: list[str] = []
    solids: list[list[NDArray[np.float64]]] = []
    total = 0
    rest = b""
    while True:
        piece = file.read(_PIECE_BYTES)
        text = rest + piece
        if piece:
            end = _last_end(text)
            if not end:
                if len(text) > 2 * _PIECE_BYTES:
                    raise CorruptFileError(f"{len(text)} bytes of the text hold no whole facet")
                rest = text
                continue
            text, rest = text[:end], text[end:]
        total += _take_facets(text, names, solids)
        check_face_count(total, face_limit)
        if not piece:
            break
    items = tuple(
        _soup(np.concatenate(blocks), name) for name, blocks in zip(names, solids, strict=True) if any(map(len, blocks))
    )
    findings = []
    if _trailing_facet(rest):
        findings.append(
            Finding("facet-cut-off", "warning", "the text ends inside a facet: it is truncated", "left out")
        )
    if total and not _END_OF_SOLID.search(rest):
        message = "no 'endsolid' ends the text: it may be truncated"
        findings.append(Finding("ends-in-the-middle", "warning", message, "read as far as it goes"))
    if not items and not total:
        raise CorruptFileError("the text holds no facet with 'outer loop', three vertices and 'endloop'")
    return MeshContent(
        "STL", items, metadata={"encoding": "ASCII", "header": names[0] if names else ""}, findings=tuple(findings)
    )


def _last_end(text: bytes) -> int:
    """Return where the last facet of a piece of text ends; 0 when none does."""
    usual = text.rfind(b"endloop") + 7
    others = [found.end() for found in _END_OF_LOOP.finditer(text, usual if usual >= 7 else 0)]
    return others[-1] if others else usual if usual >= 7 else 0


def _trailing_facet(rest: bytes) -> bool:
    return _LOOP.search(rest) is not None and _END_OF_LOOP.search(rest) is None


def _take_facets(text: bytes, names: list[str], solids: list[list[NDArray[np.float64]]]) -> int:
    """Append the facets of a piece of text to the solids they belong to; return how many there were."""
    heads = list(_SOLID.finditer(text))
    bounds = [0, *(head.start() for head in heads), len(text)]
    faces = 0
    for k in range(len(bounds) - 1):
        if k > 0:
            names.append(text_of(heads[k - 1].group(1), 80))
            solids.append([])
        part = text[bounds[k] : bounds[k + 1]]
        facets = _FACET.findall(part)
        if len(facets) != part.count(b"endloop") and len(facets) != len(_END_OF_LOOP.findall(part)):
            near = sum(map(len, solids[-1])) // 3 if solids else 0
            raise CorruptFileError(f"a facet after facet {near} has not exactly three vertices of three numbers")
        if not facets:
            continue
        if not solids:
            names.append("")
            solids.append([])
        words = [word for facet in facets for word in facet]
        solids[-1].append(numbers(words, "a vertex line").reshape(-1, 3))
        faces += len(facets)
    return faces
