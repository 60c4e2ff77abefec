"""Reads 3MF: units, plate items, transforms, components, models in several files, metadata, thumbnails."""

from __future__ import annotations

import posixpath
from array import array
from collections.abc import Callable
from dataclasses import replace
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError, HostileFileError, ReadError, UnsupportedFormatError
from ballistics.files import SafeArchive
from ballistics.findings import Finding
from ballistics.printed.content.bounds import check_face_count, check_vertex_count, checked_faces, text_of
from ballistics.printed.content.instances import Assembler, Assembly
from ballistics.printed.content.mesh_content import UNIT_MM, Item, MeshContent
from ballistics.printed.content.roles import roled, set_apart
from ballistics.printed.content.xml_stream import MOST_PACKED, XmlTarget, finite, index, number, parse
from ballistics.printed.files.threemf_settings import SlicerSettings, slicer_settings
from ballistics.printed.jobs.packages import facts_in, jobs_in, pictures_in, read_jobs

_MOST_MODELS = 1_000
_MOST_OBJECTS = 20_000
_MODEL_RELATION = "/3dmodel"
# Extensions of the core specification whose absence does not change the shape, by their usual prefix.
_HARMLESS = {"p", "m", "t", "BambuStudio", "slic3rpe", "trianglesets"}
# Elements that give a shape which is not read, by the names of their extensions (3MF Consortium).
_OTHER_SHAPES = {
    "beamlattice": "a beam lattice", "slicestack": "slices", "implicitfunction": "an implicit function (volumetric)",
    "levelset": "a level set (volumetric)", "booleanshape": "a boolean operation", "displacementmesh": "a displacement",
}  # fmt: skip
# How an encrypted part begins (3MF Secure Content 1.0, 3.1).
_ENCRYPTED = b"%3McF"

Key = tuple[str, int]
PlacedItem = tuple[Key, NDArray[np.float64], dict[str, Any]]


class _Model(XmlTarget):
    """Collects one model file."""

    def __init__(self, path: str, face_limit: int, find: Callable[[str], str | None]) -> None:
        super().__init__()
        self.file = path
        self._find = find
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
            if extra.get("printable", "1").lower() in ("0", "false"):
                extra |= {"role": "not printed", "role in the file": f"printable={extra['printable']}"}
            self.items.append((key, matrix, extra))
            if len(self.items) > _MOST_OBJECTS:
                raise HostileFileError(f"the plate has more than {_MOST_OBJECTS} items")
        elif name in _OTHER_SHAPES:
            self.unread.add(_OTHER_SHAPES[name])
        elif name == "setting" and self._key is not None:
            self._metadata_name = attributes.get("key", "")

    def closed(self, name: str, text: str) -> None:
        if name in ("metadata", "setting") and self._key is not None:
            # Cura marks its meshes by settings of the object.
            word = self._metadata_name.rpartition(":")[2].lower()
            if word.endswith("_mesh") and text.lower() == "true":
                here = self._here()
                here.metadata = roled(here.metadata, word)
        elif name == "metadata" and self.path == ["model"] and self._metadata_name and len(self.metadata) < 100:
            self.metadata[text_of(self._metadata_name.encode(), 80)] = text_of(text.encode())
        elif name == "object" and self._key is not None:
            here = self._here()
            here.vertices = np.array(self._vertices, np.float64).reshape(-1, 3)
            here.faces = checked_faces(np.array(self._faces, np.int64).reshape(-1, 3), len(here.vertices))
            self._key = None

    def cut_off(self) -> None:
        if self._key is not None:
            self.path = self.path[: self.path.index("object")]
            self.closed("object", "")

    def _begin(self, attributes: dict[str, str]) -> None:
        key = (self.file, index(attributes.get("id"), "the id of an object"))
        if key in self.objects:
            raise CorruptFileError(f"object {key[1]} is defined twice in {self.file}")
        if len(self.objects) >= _MOST_OBJECTS:
            raise HostileFileError(f"the file defines more than {_MOST_OBJECTS} objects")
        kept: dict[str, Any] = {}
        for word in attributes.keys() & {"type", "partnumber"}:
            kept[word] = text_of(attributes[word].encode(), 80)
        name = text_of(attributes.get("name", "").encode("utf-8", "replace"), 80)
        self.objects[key] = Assembly(name=name, metadata=roled(kept, kept.get("type", "")))
        self._key = key
        self._vertices = array("d")
        self._faces = array("q")

    def _here(self) -> Assembly[Key]:
        if self._key is None:
            raise CorruptFileError(f"{self.file} places a component outside an object")
        return self.objects[self._key]

    def _placed(self, attributes: dict[str, str]) -> tuple[Key, NDArray[np.float64]]:
        path = attributes.get("path", self.file).lstrip("/") or self.file
        beside = posixpath.join(posixpath.dirname(self.file), path)
        key = (self._find(path) or self._find(beside) or path, index(attributes.get("objectid"), "objectid"))
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


class _Package:
    """The models of a package: the one it names, those that this one places, and the others.

    Attributes
    ----------
    models : list of _Model
        The package's model first.
    beside : list of _Model
        Those of ``models`` that nothing places.
    hidden : set of str
        Models that are encrypted.
    findings : list of Finding
    """

    def __init__(self, archive: SafeArchive, face_limit: int) -> None:
        self.models: list[_Model] = []
        self.beside: list[_Model] = []
        self.hidden: set[str] = set()
        self.findings: list[Finding] = []
        self._archive = archive
        self._left = face_limit

    def read_all(self) -> None:
        """Parse the package's model, every model that it or another one names, then the others."""
        root = _root_model(self._archive)
        self._read(root, self.findings)
        if root in self.hidden:
            raise UnsupportedFormatError(f"{root} is encrypted (3MF secure content); ask for the file without it")
        if self.hidden:
            message = f"encrypted (3MF secure content): {', '.join(sorted(self.hidden))[:200]}"
            self.findings.append(Finding("encrypted-content", "serious", message, "not read; ask for it in clear"))
        for name in self._archive.names():
            if name.lower().endswith(".model") and name not in self.hidden | {model.file for model in self.models}:
                try:
                    self.beside += self._read(name, None)
                except HostileFileError:
                    raise
                except ReadError as error:
                    self.findings.append(Finding("model-not-placed", "serious", f"{name}: {error}", "not read"))

    def hidden_keys(self) -> set[Key]:
        """Return the objects that lie in encrypted models."""
        placed = {key for model in self.models for here in model.objects.values() for key, _ in here.placed}
        placed |= {key for model in self.models for key, _, _ in model.items}
        return {key for key in placed if key[0] in self.hidden}

    def _read(self, first: str, findings: list[Finding] | None) -> list[_Model]:
        found: list[_Model] = []
        waiting = [first]
        known = self.hidden | {model.file for model in self.models}
        while waiting:
            name = waiting.pop()
            if name in known:
                continue
            known.add(name)
            if len(self.models) + len(found) >= _MOST_MODELS:
                raise HostileFileError(f"the archive names more than {_MOST_MODELS} models")
            if self._archive.has(name) and _is_encrypted(self._archive, name):
                self.hidden.add(name)
                continue
            model = _Model(name, self._left, self._archive.find)
            self._archive.refuse_bomb(name, MOST_PACKED)
            parse(self._archive.chunks(name), model, name, findings)
            self._left -= sum(len(here.faces) for here in model.objects.values())
            found.append(model)
            placed = [key for here in model.objects.values() for key, _ in here.placed]
            waiting += sorted({key[0] for key in (*placed, *(key for key, _, _ in model.items))} - known)
        self.models += found
        return found


def _is_encrypted(archive: SafeArchive, name: str) -> bool:
    """Whether a member is encrypted by the secure content extension."""
    return next(archive.chunks(name), b"").startswith(_ENCRYPTED)


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
    package = _Package(archive, face_limit)
    package.read_all()
    root, findings = package.models[0], package.findings
    if root.unit not in UNIT_MM:
        raise CorruptFileError(f"the model's unit is {root.unit[:40]!r}")
    objects = {key: here for model in package.models for key, here in model.objects.items()}
    objects |= {key: Assembly() for key in package.hidden_keys() - set(objects)}
    settings = slicer_settings(archive, findings)
    _take_settings(objects, settings, root.file)
    assembler = Assembler(objects, face_limit)
    items: list[Item] = []
    placed: dict[int, int] = {}
    for key, matrix, extra in root.items:
        copy = placed[key[1]] = placed.get(key[1], -1) + 1
        items += assembler.joined(key, matrix, {**extra, **settings.plates.get((key[1], copy), {})})
    on_plate = {key for key, _, _ in root.items}
    for model in package.beside:
        items += _beside(model, root, assembler, findings)
        on_plate |= set(model.objects) | {key for key, _, _ in model.items}
    items += _off_plate(objects, on_plate, assembler, findings)
    items = [item for item in items if len(item.faces)]
    thumbnails = pictures_in(archive, findings)
    jobs = jobs_in(archive)
    if jobs and not items:
        job = read_jobs(archive, face_limit=face_limit, thumbnails=thumbnails, metadata_of_model=root.metadata)
        return replace(job, metadata={**root.metadata, **job.metadata}, findings=(*findings, *job.findings))
    for model in package.models[1:]:
        if model.unit != root.unit and model not in package.beside:
            findings.append(
                Finding(
                    "units-disagree", "warning", f"{model.file} says {model.unit}, the model {root.unit}", "the model's"
                )
            )
    not_read = sorted({word for model in package.models for word in model.unread})
    unknown = sorted({word for model in package.models for word in model.extensions} - _HARMLESS)
    _refuse_what_is_not_read(items, package, not_read, unknown)
    if not_read or unknown:
        shape = ", ".join((*not_read, *(f"the extension {word}" for word in unknown)))
        findings.append(
            Finding("extension-not-read", "serious", f"shape given by {text_of(shape.encode())}", "not read")
        )
    if jobs:
        message = f"the package also holds print jobs: {text_of(', '.join(jobs).encode('utf-8', 'replace'), 200)}"
        findings.append(
            Finding(
                "job-beside-model",
                "warning",
                message,
                "what they say is read, not what they print; unpack them",
            )
        )
    metadata: dict[str, Any] = dict(root.metadata)
    metadata["members"] = tuple(text_of(name.encode("utf-8", "replace"), 120) for name in archive.names()[:200])
    facts = facts_in(archive, thumbnails, root.metadata) if jobs else []
    return MeshContent("3MF", tuple(items), root.unit, metadata, tuple(findings), thumbnails, jobs=tuple(facts))


def _refuse_what_is_not_read(items: list[Item], package: _Package, not_read: list[str], unknown: list[str]) -> None:
    """Name the reason when nothing is left to read."""
    if items:
        return
    if package.hidden:
        raise UnsupportedFormatError(
            f"{', '.join(sorted(package.hidden))[:200]} is encrypted (3MF secure content); ask for the file without it"
        )
    if not_read or unknown:
        shape = ", ".join((*not_read, *(f"the extension {word}" for word in unknown)))
        raise UnsupportedFormatError(
            f"the shape is given by {text_of(shape.encode())}, not by triangles; export it as a mesh"
        )


def _take_settings(objects: dict[Key, Assembly[Key]], settings: SlicerSettings, root: str) -> None:
    """Set apart what the slicer's settings call no solid part: ranges of triangles, or whole objects."""
    for object_id, first, last, name, word in settings.ranges:
        key = (root, object_id)
        if key in objects and len(objects[key].faces):
            # Ranges count the triangles as they stand in the file: the last ones come first, so that none moves.
            number = np.arange(len(objects[key].faces))
            chosen = (number >= first) & (number <= last)
            if chosen.any():
                set_apart(objects, key, chosen, name, word, (f"{root} volume {first}", object_id))
    for above, part_id, name, word in settings.parts:
        for key in [key for key, _ in objects[(root, above)].placed] if (root, above) in objects else []:
            if key[1] == part_id:
                here = objects[key]
                here.metadata = roled(here.metadata, word)
                here.name = here.name or name


def _beside(model: _Model, root: _Model, assembler: Assembler[Key], findings: list[Finding]) -> list[Item]:
    """Return what a model that the package's model does not place holds: it is evidence all the same."""
    if model.unit not in UNIT_MM:
        findings.append(Finding("model-not-placed", "serious", f"{model.file} states no known unit", "not read"))
        return []
    scale = np.diag([UNIT_MM[model.unit] / UNIT_MM[root.unit]] * 3 + [1.0])
    placed: list[PlacedItem] = list(model.items)
    inner = {key for here in model.objects.values() for key, _ in here.placed} | {key for key, _, _ in placed}
    placed += [(key, np.eye(4), {}) for key in model.objects if key not in inner]
    extra = {"on_plate": False, "model": text_of(model.file.encode("utf-8", "replace"), 120)}
    items = [item for key, matrix, own in placed for item in assembler.joined(key, scale @ matrix, {**own, **extra})]
    message = f"{model.file} is a model that the package's model does not place"
    findings.append(Finding("model-not-placed", "warning", message, "read as parts of their own"))
    return items


def _root_model(archive: SafeArchive) -> str:
    """Return the member that the package names as its model."""
    if archive.has("_rels/.rels"):
        relations = _Relations()
        parse(archive.chunks("_rels/.rels"), relations, "_rels/.rels")
        for kind, target in relations.targets:
            name = archive.find(posixpath.normpath(target.lstrip("/")))
            if kind.endswith(_MODEL_RELATION) and name is not None:
                return name
    named = [name for name in archive.names() if name.lower().endswith(".model")]
    for name in named:
        if name.lower() == "3d/3dmodel.model":
            return name
    if named:  # a package without its relations: the others are read too, as models that nothing places
        return named[0]
    raise UnsupportedFormatError("a zip archive without a 3MF model")


def _off_plate(
    objects: dict[Key, Assembly[Key]], on_plate: set[Key], assembler: Assembler[Key], findings: list[Finding]
) -> list[Item]:
    """Return the objects that lie in the file but are not printed: they are evidence all the same."""
    left = [key for key in objects if key not in on_plate | assembler.used()]
    items = [item for key in left for item in assembler.joined(key, np.eye(4), {"on_plate": False})]
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
