"""Reads glTF 2.0 and GLB: the scene's nodes with their transforms and instances, triangles in metres."""

from __future__ import annotations

import json
import struct
from pathlib import Path
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
    text_of,
)
from ballistics.printed.content.instances import Assembler, Assembly
from ballistics.printed.content.mesh_content import Item, MeshContent
from ballistics.printed.files.gltf_buffers import Buffers, Json, entries, extension, objects, whole_number

_JSON_LIMIT_BYTES = 64 << 20
_MOST_INSTANCES = 20_000
_DRACO = "KHR_draco_mesh_compression"
_INSTANCING = "EXT_mesh_gpu_instancing"
_VISIBILITY = "KHR_node_visibility"
# What a file may require without changing the shape that is read, or what is read; every other one is refused by name.
_READ = {"KHR_mesh_quantization", _INSTANCING, _VISIBILITY, "MSFT_lod"}
_HARMLESS = (
    "KHR_materials_", "KHR_texture_", "KHR_lights_", "KHR_xmp", "KHR_animation_", "KHR_techniques_", "EXT_texture_",
    "EXT_lights_", "MSFT_texture_", "EXT_materials_",
)  # fmt: skip
_PACKED = {_DRACO: "Draco", "EXT_meshopt_compression": "meshopt", "KHR_meshopt_compression": "meshopt"}
_OUTSIDE, _HIDDEN = "not in the scene", "not visible"


def read_gltf(file: BinaryIO, *, face_limit: int, folder: Path | None = None) -> MeshContent:
    """Read a glTF or GLB file; the unit is the metre.

    Parameters
    ----------
    file : binary file
        Open at its start.
    face_limit : int
        Most faces that are read.
    folder : Path, optional
        Where buffers outside the file may lie; nothing above it or linked out of it is opened. Without, none is.

    Raises
    ------
    CorruptFileError, HostileFileError, UnsupportedFormatError
        See the messages; the last names an extension that the file requires and that is not read.

    Notes
    -----
    glTF 2.0 (ISO/IEC 12113:2022). Morph targets are applied with the weights that the file states; skins and animations
    do not move the mesh. What lies outside the scene is read apart, with a role. Finding codes: ``not-triangles``,
    ``node-outside-scene``, ``morph-targets``, ``skin-not-applied``, ``animation-not-applied``, ``fallback-read``.
    """
    document, blob = _chunks(file)
    _refuse_unknown(document)
    reader = _Reader(Buffers(document, blob, folder, face_limit), face_limit)
    nodes = objects(document, "nodes")
    parts = _assemblies(nodes, reader)
    in_scene = _scene(document, nodes)
    unused = [k for k in range(len(objects(document, "meshes"))) if k not in reader.used]
    for k in unused:
        parts[len(nodes) + k] = Assembly(*reader.mesh(k, None))
    assembler = Assembler(parts, face_limit)
    placed = assembler.used()
    items: list[Item] = []
    outside = 0
    for top in [key for key in parts if key not in placed or key in in_scene]:
        matrix = _matrix(nodes[top]) if top < len(nodes) else np.eye(4)
        found = [item for item in assembler.items(top, matrix) if len(item.faces)]
        if nodes and top not in in_scene:
            role = {"role": _OUTSIDE}
            found = [Item(i.vertices, i.faces, i.name, {**i.metadata, **role}) for i in found]
            outside += len(found)
        items += found
    findings = [*reader.findings, *_notes(document, nodes, outside)]
    asset = document.get("asset")
    metadata = {
        key: text_of(str(value))
        for key, value in (asset.items() if isinstance(asset, dict) else ())
        if key in ("generator", "copyright", "version")
    }
    return MeshContent(
        "glTF",
        tuple(items),
        "metre",
        metadata,
        tuple(findings),
        inputs={f"buffer {name}": value for name, value in reader.buffers.hashes.items()},
    )


def _refuse_unknown(document: Json) -> None:
    """Refuse what the file requires and is not read (glTF 2.0, 3.12: it must not be loaded)."""
    for name in entries(document, "extensionsRequired"):
        if not isinstance(name, str):
            raise CorruptFileError("extensionsRequired holds what is not a name")
        if name in _PACKED:
            raise UnsupportedFormatError(f"the mesh is packed by {name} ({_PACKED[name]}); save it without compression")
        if name not in _READ and not name.startswith(_HARMLESS):
            raise UnsupportedFormatError(
                f"the file requires the extension {text_of(name, 80)!r}, which is not read; save it without"
            )


def _assemblies(nodes: list[Json], reader: _Reader) -> dict[int, Assembly[int]]:
    """Return the nodes by number, and behind them by node the meshes that are placed several times."""
    parts: dict[int, Assembly[int]] = {}
    instances = 0
    for k, node in enumerate(nodes):
        children = [whole_number(child, "a child") for child in entries(node, "children")]
        if any(child >= len(nodes) for child in children):
            raise CorruptFileError(f"node {k} has a child that does not exist")
        placed = [(child, _matrix(nodes[child])) for child in children]
        vertices, faces = reader.nothing
        if "mesh" in node:
            vertices, faces = reader.mesh(whole_number(node["mesh"], "a mesh"), node.get("weights"))
        name = text_of(str(node.get("name", "")), 80)
        visible = extension(node, _VISIBILITY)
        metadata = {"role": _HIDDEN} if visible is not None and visible.get("visible") is False else {}
        several = extension(node, _INSTANCING)
        if several is not None and len(faces):
            matrices = reader.instances(several)
            instances += len(matrices)
            if instances > _MOST_INSTANCES:
                raise HostileFileError(f"the file places more than {_MOST_INSTANCES} instances")
            copy = -1 - k
            parts[copy] = Assembly(vertices, faces, [], name, metadata)
            placed += [(copy, matrix) for matrix in matrices]
            vertices, faces = reader.nothing
        parts[k] = Assembly(vertices, faces, placed, name, metadata)
    return parts


def _scene(document: Json, nodes: list[Json]) -> set[int]:
    """Return the nodes at the top of the scene that is shown; every node that is no child when none is named."""
    scenes = objects(document, "scenes")
    if not scenes:
        children = {child for node in nodes for child in entries(node, "children")}
        return set(range(len(nodes))) - children
    shown = whole_number(document.get("scene", 0), "the scene")
    if shown >= len(scenes):
        raise CorruptFileError(f"scene {shown} is shown but does not exist")
    tops = {whole_number(node, "a node of a scene") for node in entries(scenes[shown], "nodes")}
    if any(top >= len(nodes) for top in tops):
        raise CorruptFileError("the scene holds a node that does not exist")
    return tops


def _notes(document: Json, nodes: list[Json], outside: int) -> list[Finding]:
    findings = []
    if outside:
        message = f"{outside} meshes lie in no node of the scene that is shown"
        findings.append(Finding("node-outside-scene", "warning", message, "read as parts of their own, with a role"))
    if any("skin" in node for node in nodes):
        message = "a skin bends the mesh with its bones"
        findings.append(Finding("skin-not-applied", "warning", message, "read as it stands in the file, unbent"))
    if entries(document, "animations"):
        message = "the file holds animations"
        findings.append(Finding("animation-not-applied", "note", message, "read as it stands at rest"))
    return findings


def _chunks(file: BinaryIO) -> tuple[Json, bytes | None]:
    """Return the JSON document and the binary chunk."""
    head = file.read(12)
    blob: bytes | None = None
    if head.startswith(b"glTF"):
        version, length = struct.unpack_from("<LL", head.ljust(12, b"\0"), 4)
        if version != 2:
            raise UnsupportedFormatError(f"GLB version {version}; only version 2 is read")
        left = file_size(file) - 12
        check_declared(int(length) - 12, 1, left, "bytes")
        text = None
        while text is None or blob is None:
            chunk = file.read(8)
            if len(chunk) < 8:
                break
            size, kind = struct.unpack("<L4s", chunk)
            check_declared(int(size), 1, file_size(file) - file.tell(), "bytes in a chunk")
            if kind == b"JSON" and text is None:
                if size > _JSON_LIMIT_BYTES:
                    raise HostileFileError(f"the document has {size} bytes; the limit is {_JSON_LIMIT_BYTES}")
                text = file.read(size)
            elif kind == b"BIN\0" and blob is None:
                blob = file.read(size)
            else:
                file.seek(size, 1)
        if text is None:
            raise CorruptFileError("the GLB file has no JSON chunk")
    else:
        file.seek(0)
        text = file.read(_JSON_LIMIT_BYTES + 1)
        if len(text) > _JSON_LIMIT_BYTES:
            raise HostileFileError(f"the document has more than {_JSON_LIMIT_BYTES} bytes; use the GLB form")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CorruptFileError(f"the glTF document is not readable JSON: {str(error)[:80]}") from error
    if not isinstance(document, dict):
        raise CorruptFileError("the glTF document is not an object")
    return document, blob


def _floats(node: Json, key: str, count: int) -> NDArray[np.float64]:
    try:
        values = np.array(node[key], dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        values = np.zeros(0)
    if values.shape != (count,) or not np.isfinite(values).all():
        raise CorruptFileError(f"{key} of a node is not {count} numbers")
    return values


def _matrix(node: Json) -> NDArray[np.float64]:
    if "matrix" in node:
        return _floats(node, "matrix", 16).reshape(4, 4).T
    matrix = np.eye(4)
    if "rotation" in node:
        matrix[:3, :3] = _rotation(_floats(node, "rotation", 4))
    if "scale" in node:
        matrix[:3, :3] *= _floats(node, "scale", 3)
    if "translation" in node:
        matrix[:3, 3] = _floats(node, "translation", 3)
    return matrix


def _rotation(quaternion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the matrix of a quaternion x, y, z, w of any length."""
    x, y, z, w = quaternion
    norm = x * x + y * y + z * z + w * w
    if not 0.0 < norm < np.inf:
        raise CorruptFileError("the rotation of a node is not a quaternion")
    s = 2.0 / norm
    return np.array(
        [
            [1 - s * (y * y + z * z), s * (x * y - z * w), s * (x * z + y * w)],
            [s * (x * y + z * w), 1 - s * (x * x + z * z), s * (y * z - x * w)],
            [s * (x * z - y * w), s * (y * z + x * w), 1 - s * (x * x + y * y)],
        ]
    )


class _Reader:
    """Reads meshes, each once for each set of morph weights."""

    nothing = (np.zeros((0, 3)), np.zeros((0, 3), np.int64))

    def __init__(self, buffers: Buffers, face_limit: int) -> None:
        self.findings: list[Finding] = []
        self.used: set[int] = set()
        self.buffers = buffers
        self._limit = face_limit
        self._meshes: dict[tuple[int, tuple[float, ...]], tuple[NDArray[np.float64], NDArray[np.int64]]] = {}
        self._faces = 0

    def mesh(self, k: int, node_weights: Any) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return all triangles of a mesh, with its morph targets as the node or the mesh weighs them."""
        entry = self.buffers.entry("meshes", k)
        self.used.add(k)
        weights = _weights(entry.get("weights", []) if node_weights is None else node_weights)
        if (k, weights) in self._meshes:
            return self._meshes[k, weights]
        vertices: list[NDArray[np.float64]] = [self.nothing[0]]
        faces: list[NDArray[np.int64]] = [self.nothing[1]]
        before = skipped = targets = 0
        for primitive in objects(entry, "primitives"):
            attributes = primitive.get("attributes")
            if not isinstance(attributes, dict) or "POSITION" not in attributes:
                continue
            self._refuse_draco(primitive, attributes["POSITION"])
            points = self.buffers.numbers(attributes["POSITION"], "VEC3")
            check_vertex_count(before + len(points), self._limit)
            targets += len(objects(primitive, "targets"))
            points = self._morphed(points, objects(primitive, "targets"), weights)
            if "indices" in primitive:
                corners = self.buffers.indices(primitive["indices"])
            else:
                corners = np.arange(len(points), dtype=np.int64)
            triangles = _triangles(corners, primitive.get("mode", 4))
            if triangles is None:
                skipped += 1
                continue
            self._faces += len(triangles)
            check_face_count(self._faces, self._limit)
            vertices.append(points)
            faces.append(checked_faces(triangles, len(points)) + before)
            before += len(points)
        if skipped:
            self.findings.append(Finding("not-triangles", "note", f"mesh {k} holds {skipped} sets of points or lines"))
        if targets:
            stated = any(weights)
            message = f"mesh {k} has {targets} morph targets" + (f" with the weights {weights[:8]}" if stated else "")
            action = "applied" if stated else "read without them: their weights are 0"
            self.findings.append(Finding("morph-targets", "warning" if stated else "note", message, action))
        self._meshes[k, weights] = np.concatenate(vertices), np.concatenate(faces)
        return self._meshes[k, weights]

    def _refuse_draco(self, primitive: Json, position: Any) -> None:
        """Refuse a mesh that is there only in compressed form."""
        if extension(primitive, _DRACO) is None:
            return
        named = [position, *([primitive["indices"]] if "indices" in primitive else [])]
        if not all(self.buffers.has_data(k) for k in named):
            raise UnsupportedFormatError(f"the mesh is packed by {_DRACO} (Draco); save it without compression")
        message = "a mesh is stored twice, packed by Draco and plain"
        if not any(finding.code == "fallback-read" for finding in self.findings):
            self.findings.append(Finding("fallback-read", "note", message, "the plain one was read, the other not"))

    def _morphed(
        self, points: NDArray[np.float64], targets: list[Json], weights: tuple[float, ...]
    ) -> NDArray[np.float64]:
        for target, weight in zip(targets, weights, strict=False):
            if weight and "POSITION" in target:
                moved = self.buffers.numbers(target["POSITION"], "VEC3")
                if moved.shape != points.shape:
                    raise CorruptFileError(f"a morph target has {len(moved)} vertices, its mesh {len(points)}")
                points = points + weight * moved
        return points

    def instances(self, several: Json) -> list[NDArray[np.float64]]:
        """Return the places of the instances of a node (EXT_mesh_gpu_instancing)."""
        attributes = several.get("attributes")
        if not isinstance(attributes, dict):
            raise CorruptFileError(f"{_INSTANCING} of a node has no attributes")
        given: dict[str, NDArray[np.float64]] = {}
        for name, kind in (("TRANSLATION", "VEC3"), ("ROTATION", "VEC4"), ("SCALE", "VEC3")):
            if name in attributes:
                given[name] = self.buffers.numbers(attributes[name], kind)
        counts = {len(values) for values in given.values()}
        if len(counts) != 1:
            raise CorruptFileError(f"the attributes of {_INSTANCING} have the counts {sorted(counts)}")
        count = counts.pop()
        if count > _MOST_INSTANCES:
            raise HostileFileError(f"a node has {count} instances; the limit is {_MOST_INSTANCES}")
        matrices = []
        for k in range(count):
            matrix = np.eye(4)
            if "ROTATION" in given:
                matrix[:3, :3] = _rotation(given["ROTATION"][k])
            if "SCALE" in given:
                matrix[:3, :3] *= given["SCALE"][k]
            if "TRANSLATION" in given:
                matrix[:3, 3] = given["TRANSLATION"][k]
            matrices.append(matrix)
        return matrices


def _weights(values: Any) -> tuple[float, ...]:
    """Return the weights of morph targets."""
    if not isinstance(values, list) or len(values) > 10_000:
        raise CorruptFileError("the weights of a mesh are not a list of numbers")
    weights = []
    for value in values:
        if not isinstance(value, int | float) or isinstance(value, bool) or not -1e6 < value < 1e6:
            raise CorruptFileError(f"a weight of a mesh is {text_of(str(value), 40)!r}, not a number")
        weights.append(float(value))
    return tuple(weights)


def _triangles(corners: NDArray[np.int64], mode: Any) -> NDArray[np.int64] | None:
    """Return the triangles of a primitive; None for points and lines."""
    if mode == 4:
        if corners.size % 3:
            raise CorruptFileError(f"{corners.size} indices do not make triangles")
        return corners.reshape(-1, 3)
    if mode not in (5, 6) or corners.size < 3:
        return None
    if mode == 6:
        return np.stack([np.full(corners.size - 2, corners[0]), corners[1:-1], corners[2:]], axis=1)
    strip = np.stack([corners[:-2], corners[1:-1], corners[2:]], axis=1)
    strip[1::2] = strip[1::2, ::-1]
    return strip
