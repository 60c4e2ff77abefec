"""Reads 3MF: units, plate items, transforms, components, models in several files, metadata, thumbnails."""

from __future__ import annotations

import posixpath
from array import array
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ballistics.archives import SafeArchive
from ballistics.errors import CorruptFileError, HostileFileError, ReadError, UnsupportedFormatError
from ballistics.printed.bounds import check_face_count, check_vertex_count, checked_faces, text_of
from ballistics.printed.content import UNIT_MM, Item, MeshContent, Thumbnail
from ballistics.printed.instances import Assembler, Assembly
from ballistics.printed.xml_stream import MOST_PACKED, XmlTarget, finite, index, number, parse
from ballistics.surfaces.surface import Finding

_THUMBNAIL_BYTES = 16 << 20
_MOST_THUMBNAILS = 32
_MOST_MODELS = 1_000
_MOST_OBJECTS = 20_000
_MODEL_RELATION = "/3dmodel"
# Extensions of the core specification whose absence does not change the shape, by their usual prefix.
_HARMLESS = {"p", "m", "t", "BambuStudio", "slic3rpe", "trianglesets"}

Key = tuple[str, int]
PlacedItem = tuple[Key, NDArray[np.float64], dict[str, Any]]


class _Model(XmlTarget):
    """Collects one model file."""

    def __init__(self, path: str, face_limit: int) -> None:
        super().__init__()
        self.file = path
        self.unit = "millimetre"
        self.metadata: dict[str, str] = {}
        self.extensions: tuple[str, ...] = ()
        self.objects: dict[Key, Assembly[Key]] = {}
        self.items: list[PlacedItem] = []
        self.unread: set[str] = set()
        self._limit = face_limit
        self._key: Key | None = None
        self._vertices = array("d")
        self._faces = array("q")
        self._metadata_name = ""

    def opened(self, name: str, attributes: dict[str, str]) -> None:
        if name == "vertex" and self.path[-2:-1] == ["vertices"]:
            for axis in "xyz":
                self._vertices.append(number(attributes.get(axis), f"{axis} of a vertex"))
            if len(self._vertices) % 300_000 == 0:
                check_vertex_count(len(self._vertices) // 3, self._limit)
        elif name == "triangle" and self.path[-2:-1] == ["triangles"]:
            for corner in ("v1", "v2", "v3"):
                self._faces.append(index(attributes.get(corner), f"{corner} of a triangle"))
            if len(self._faces) % 300_000 == 0:
                check_face_count(len(self._faces) // 3, self._limit)
        elif name == "model":
            self.unit = {"millimeter": "millimetre", "centimeter": "centimetre", "meter": "metre"}.get(
                unit := attributes.get("unit", "millimeter"), unit
            )
            self.extensions = tuple(attributes.get("requiredextensions", "").split())
        elif name == "metadata":
            self._metadata_name = attributes.get("name", "")
        elif name == "object":
            self._begin(attributes)
        elif name == "component" and self._key is not None:
            self._here().placed.append(self._placed(attributes))
            if len(self._here().placed) > _MOST_OBJECTS:
                raise HostileFileError(f"an object has more than {_MOST_OBJECTS} components")
        elif name == "item":
            key, matrix = self._placed(attributes)
            extra = {k: text_of(v.encode(), 80) for k, v in attributes.items() if k in ("partnumber", "printable")}
            self.items.append((key, matrix, extra))
            if len(self.items) > _MOST_OBJECTS:
                raise HostileFileError(f"the plate has more than {_MOST_OBJECTS} items")
        elif name in ("beamlattice", "slicestack", "implicitfunction", "levelset", "booleanshape", "displacementmesh"):
            self.unread.add(name)

    def closed(self, name: str, text: str) -> None:
        if name == "metadata" and self.path == ["model"] and self._metadata_name and len(self.metadata) < 100:
            self.metadata[text_of(self._metadata_name.encode(), 80)] = text_of(text.encode())
        elif name == "object" and self._key is not None:
            here = self._here()
            here.vertices = np.array(self._vertices, np.float64).reshape(-1, 3)
            here.faces = checked_faces(np.array(self._faces, np.int64).reshape(-1, 3), len(here.vertices))
            self._key = None

    def _begin(self, attributes: dict[str, str]) -> None:
        key = (self.file, index(attributes.get("id"), "the id of an object"))
        if key in self.objects:
            raise CorruptFileError(f"object {key[1]} is defined twice in {self.file}")
        if len(self.objects) >= _MOST_OBJECTS:
            raise HostileFileError(f"the file defines more than {_MOST_OBJECTS} objects")
        kept: dict[str, Any] = {}
        for word in attributes.keys() & {"type", "partnumber"}:
            kept[word] = text_of(attributes[word].encode(), 80)
        self.objects[key] = Assembly(name=text_of(attributes.get("name", "").encode(), 80), metadata=kept)
        self._key = key
        self._vertices = array("d")
        self._faces = array("q")

    def _here(self) -> Assembly[Key]:
        if self._key is None:
            raise CorruptFileError(f"{self.file} places a component outside an object")
        return self.objects[self._key]

    def _placed(self, attributes: dict[str, str]) -> tuple[Key, NDArray[np.float64]]:
        path = attributes.get("path", self.file).lstrip("/") or self.file
        key = (path, index(attributes.get("objectid"), "objectid"))
        matrix = np.eye(4)
        words = attributes.get("transform", "").split()
        if words:
            if len(words) != 12:
                raise CorruptFileError(f"a transform has {len(words)} numbers; 12 are needed")
            # Row vectors in the file: the last row is the shift.
            matrix[:3, :] = np.array([finite(w, "a transform") for w in words]).reshape(4, 3).T
        return key, matrix


class _Relations(XmlTarget):
    """Collects the targets of a relationship file by the end of their type."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[tuple[str, str]] = []

    def opened(self, name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship" and len(self.targets) < _MOST_MODELS:
            self.targets.append((attributes.get("Type", ""), attributes.get("Target", "")))


def is_3mf(archive: SafeArchive) -> bool:
    """Whether an archive holds a 3MF model."""
    return any(name.lower().endswith(".model") for name in archive.names())


def read_3mf(file: BinaryIO, *, face_limit: int) -> MeshContent:
    """Read a 3MF file.

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
    3MF Core Specification 1.3 and Production Extension 1.1 (3MF Consortium); ISO/IEC 25422:2025.
    """
    archive = SafeArchive(file)
    findings: list[Finding] = []
    models = _models(archive, _root_model(archive), face_limit)
    root = models[0]
    if root.unit not in UNIT_MM:
        raise CorruptFileError(f"the model's unit is {root.unit[:40]!r}")
    objects = {key: here for model in models for key, here in model.objects.items()}
    assembler = Assembler(objects, face_limit)
    items = [assembler.item(key, matrix, extra) for key, matrix, extra in root.items]
    items += _off_plate(objects, {key for key, _, _ in root.items}, assembler, findings)
    items = [item for item in items if len(item.faces)]
    for model in models[1:]:
        if model.unit != root.unit:
            findings.append(
                Finding(
                    "units-disagree", "warning", f"{model.file} says {model.unit}, the model {root.unit}", "the model's"
                )
            )
    not_read = {word for model in models for word in (*model.unread, *(set(model.extensions) - _HARMLESS))}
    if not_read:
        findings.append(
            Finding("extension-not-read", "serious", f"shape by extensions: {', '.join(sorted(not_read))}", "not read")
        )
    metadata: dict[str, Any] = dict(root.metadata)
    metadata["members"] = tuple(text_of(name.encode(), 120) for name in archive.names()[:200])
    thumbnails = _thumbnails(archive, findings)
    return MeshContent("3MF", tuple(items), root.unit, metadata, tuple(findings), thumbnails)


def _root_model(archive: SafeArchive) -> str:
    """Return the member that the package names as its model."""
    if archive.has("_rels/.rels"):
        relations = _Relations()
        parse(archive.chunks("_rels/.rels"), relations, "_rels/.rels")
        for kind, target in relations.targets:
            name = posixpath.normpath(target.lstrip("/"))
            if kind.endswith(_MODEL_RELATION) and archive.has(name):
                return name
    named = [name for name in archive.names() if name.lower().endswith(".model")]
    for name in named:
        if name.lower() == "3d/3dmodel.model":
            return name
    if len(named) == 1:
        return named[0]
    raise UnsupportedFormatError("a zip archive without a 3MF model")


def _models(archive: SafeArchive, root: str, face_limit: int) -> list[_Model]:
    """Parse the root model and every model file that it or another one names."""
    models: dict[str, _Model] = {}
    waiting = [root]
    left = face_limit
    while waiting:
        name = waiting.pop()
        if name in models:
            continue
        if len(models) >= _MOST_MODELS:
            raise HostileFileError(f"the archive names more than {_MOST_MODELS} models")
        model = _Model(name, left)
        archive.refuse_bomb(name, MOST_PACKED)
        parse(archive.chunks(name), model, name)
        left -= sum(len(here.faces) for here in model.objects.values())
        models[name] = model
        placed = [key for here in model.objects.values() for key, _ in here.placed]
        waiting += sorted({key[0] for key in (*placed, *(key for key, _, _ in model.items))} - set(models))
    return list(models.values())


def _off_plate(
    objects: dict[Key, Assembly[Key]], on_plate: set[Key], assembler: Assembler[Key], findings: list[Finding]
) -> list[Item]:
    """Return the objects that lie in the file but are not printed: they are evidence all the same."""
    left = [key for key in objects if key not in on_plate | assembler.used()]
    items = [assembler.item(key, np.eye(4), {"on_plate": False}) for key in left]
    items = [item for item in items if len(item.faces)]
    if items:
        findings.append(
            Finding(
                "object-not-on-plate",
                "warning",
                f"{len(items)} objects lie in the file but not on the build plate",
                "read as parts of their own",
            )
        )
    return items


def _thumbnails(archive: SafeArchive, findings: list[Finding]) -> tuple[Thumbnail, ...]:
    pictures: list[Thumbnail] = []
    for name in archive.names():
        if not name.lower().endswith((".png", ".jpg", ".jpeg")) or len(pictures) >= _MOST_THUMBNAILS:
            continue
        try:
            pictures.append(Thumbnail(text_of(name.encode(), 120), archive.read(name, limit_bytes=_THUMBNAIL_BYTES)))
        except ReadError as error:
            findings.append(Finding("thumbnail-unreadable", "note", str(error), "left out"))
    return tuple(pictures)
