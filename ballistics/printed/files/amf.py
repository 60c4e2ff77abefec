"""Reads AMF, plain or zipped: units, objects, constellations, metadata."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError, HostileFileError, UnsupportedFormatError
from ballistics.files import SafeArchive
from ballistics.findings import Finding
from ballistics.printed.content.bounds import check_face_count, check_vertex_count, checked_faces, text_of
from ballistics.printed.content.instances import Assembler, Assembly
from ballistics.printed.content.mesh_content import UNIT_MM, MeshContent
from ballistics.printed.content.roles import role_of, set_apart
from ballistics.printed.content.xml_stream import MOST_PACKED, XmlTarget, finite, index, number, parse

_MOST_OBJECTS = 20_000
_UNITS = {"millimeter": "millimetre", "meter": "metre", "feet": "foot"}


class _Document(XmlTarget):
    """Collects an AMF document."""

    def __init__(self, face_limit: int) -> None:
        super().__init__()
        self.unit: str | None = None
        self.metadata: dict[str, str] = {}
        self.objects: dict[str, Assembly[str]] = {}
        self.curved = 0
        self._limit = face_limit
        self._id = ""
        self._type = ""
        self._vertices = array("d")
        self._faces = array("q")
        self._instance: dict[str, str] = {}
        self._point = [0.0, 0.0, 0.0]
        self._corners = [0, 0, 0]
        # Of each volume of the object: its first triangle, its name, and the word for what it is.
        self._volumes: list[tuple[int, str, str]] = []

    def opened(self, name: str, attributes: dict[str, str]) -> None:
        if name == "amf":
            unit = attributes.get("unit")
            self.unit = _UNITS.get(unit, unit) if unit else None
        elif name in ("object", "constellation"):
            self._id = attributes.get("id", "")
            if self._id in self.objects or len(self.objects) >= _MOST_OBJECTS:
                raise HostileFileError(f"object {self._id[:40]!r} is defined twice, or there are too many objects")
            self.objects[self._id] = Assembly()
            self._vertices, self._faces = array("d"), array("q")
            self._volumes = []
        elif name == "volume":
            self._volumes.append((len(self._faces) // 3, "", ""))
            if len(self._volumes) > _MOST_OBJECTS:
                raise HostileFileError(f"an object has more than {_MOST_OBJECTS} volumes")
        elif name == "metadata":
            self._type = attributes.get("type", "")
        elif name == "instance":
            self._instance = {"objectid": attributes.get("objectid", "")}
        elif name in ("edge", "normal"):
            self.curved += 1
        elif name == "coordinates":
            self._point = [float("nan")] * 3
        elif name == "triangle":
            self._corners = [-1, -1, -1]

    def closed(self, name: str, text: str) -> None:
        parent = self.path[-1] if self.path else ""
        if parent == "coordinates" and name in ("x", "y", "z"):
            self._point["xyz".index(name)] = number(text, f"{name} of a vertex")
        elif name == "coordinates":
            self._vertices.extend(self._point)
            if len(self._vertices) % 300_000 == 0:
                check_vertex_count(len(self._vertices) // 3, self._limit)
        elif parent == "triangle" and name in ("v1", "v2", "v3"):
            self._corners[int(name[1]) - 1] = index(text, f"{name} of a triangle")
        elif name == "triangle":
            self._faces.extend(self._corners)
            if len(self._faces) % 300_000 == 0:
                check_face_count(len(self._faces) // 3, self._limit)
        elif name == "metadata":
            self._metadata(parent, text)
        elif parent == "instance":
            self._instance[name] = text
        elif name == "instance":
            here = self.objects[self._id]
            here.placed.append((self._instance["objectid"], _matrix(self._instance)))
            if len(here.placed) > _MOST_OBJECTS:
                raise HostileFileError(f"a constellation has more than {_MOST_OBJECTS} instances")
        elif name == "object":
            here = self.objects[self._id]
            here.vertices = np.array(self._vertices, np.float64).reshape(-1, 3)
            here.faces = checked_faces(np.array(self._faces, np.int64).reshape(-1, 3), len(here.vertices))
            self._set_volumes_apart(here)

    def cut_off(self) -> None:
        if "object" in self.path:
            self.path = self.path[: self.path.index("object")]
            self.closed("object", "")

    def _set_volumes_apart(self, here: Assembly[str]) -> None:
        """Make objects of their own of the volumes that are no solid parts."""
        starts = [0, *(start for start, _, _ in self._volumes[1:]), len(here.faces)]
        volume = np.repeat(np.arange(len(self._volumes)), np.diff(starts)) if self._volumes else np.zeros(0, int)
        for k, (_, name, word) in enumerate(self._volumes):
            if word and (volume == k).any():
                set_apart(self.objects, self._id, volume == k, name, word, f"{self._id} volume {k + 1}\0")
                volume = volume[volume != k]

    def _metadata(self, parent: str, text: str) -> None:
        if parent == "amf" and len(self.metadata) < 100:
            self.metadata[text_of(self._type.encode(), 80)] = text_of(text.encode())
        elif parent == "object" and self._type == "name":
            self.objects[self._id].name = text_of(text.encode(), 80)
        elif parent == "volume" and self._volumes:
            start, name, word = self._volumes[-1]
            if self._type == "name":
                name = text_of(text.encode(), 80)
            elif self._type.endswith("volume_type") and role_of(text):
                word = text_of(text.encode(), 40)
            elif self._type.endswith("modifier") and text not in ("", "0"):
                word = word or "modifier"
            self._volumes[-1] = start, name, word


def _matrix(instance: dict[str, str]) -> NDArray[np.float64]:
    """Return the place of an instance: turned about x, y and z in that order, then moved."""
    matrix = np.eye(4)
    for axis, (i, j) in zip("xyz", ((1, 2), (2, 0), (0, 1)), strict=True):
        angle = np.radians(finite(instance.get(f"r{axis}", "0"), f"r{axis}"))
        turn = np.eye(4)
        turn[i, i] = turn[j, j] = np.cos(angle)
        turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
        matrix = turn @ matrix
    matrix[:3, 3] = [finite(instance.get(f"delta{axis}", "0"), f"delta{axis}") for axis in "xyz"]
    return matrix


def read_amf(file: BinaryIO, *, face_limit: int) -> MeshContent:
    """Read an AMF file, plain or as a zip archive.

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

    Notes
    -----
    ISO/ASTM 52915:2020. Curved triangles are read as flat ones, with a finding.
    """
    document = _Document(face_limit)
    packed = file.read(4) == b"PK\x03\x04"
    file.seek(0)
    pieces: Iterable[bytes]
    if packed:
        archive = SafeArchive(file)
        names = [name for name in archive.names() if name.lower().endswith((".amf", ".xml"))]
        if len(names) != 1:
            raise UnsupportedFormatError(f"the archive holds {len(names)} AMF documents; one is needed")
        archive.refuse_bomb(names[0], MOST_PACKED)
        pieces = archive.chunks(names[0])
    else:
        pieces = iter(lambda: file.read(1 << 16), b"")
    findings: list[Finding] = []
    parse(pieces, document, "the AMF document", findings)
    if document.unit is not None and document.unit not in UNIT_MM:
        raise CorruptFileError(f"the unit is {document.unit[:40]!r}")
    assembler = Assembler(document.objects, face_limit)
    tops = [key for key in document.objects if key not in assembler.used()]
    if document.objects and not tops:
        raise HostileFileError("every object contains another in a circle: recursive constellations")
    items = [item for key in tops for item in assembler.joined(key, np.eye(4))]
    if findings and not any(len(item.faces) for item in items):
        raise CorruptFileError("the AMF document is truncated: it ends before its first triangle")
    if document.curved:
        findings.append(
            Finding("curved-triangles", "warning", f"{document.curved} edges or normals bend triangles", "read as flat")
        )
    return MeshContent(
        "AMF",
        tuple(item for item in items if len(item.faces)),
        document.unit,
        document.metadata,
        tuple(findings),
    )
