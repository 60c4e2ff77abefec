"""Reads glTF 2.0 and GLB: nodes with their transforms, triangles in metres; nothing outside the file is opened."""

from __future__ import annotations

import base64
import binascii
import json
import struct
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError, HostileFileError, UnsupportedFormatError
from ballistics.printed.bounds import check_declared, check_face_count, check_vertex_count, checked_faces, text_of
from ballistics.printed.content import MeshContent
from ballistics.printed.instances import Assembler, Assembly
from ballistics.surfaces.binary import file_size
from ballistics.surfaces.surface import Finding

_JSON_LIMIT_BYTES = 64 << 20
_MOST_ENTRIES = 100_000
_COMPONENTS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC3": 3}
_PACKED = ("KHR_draco_mesh_compression", "EXT_meshopt_compression")

Json = dict[str, Any]


def read_gltf(file: BinaryIO, *, face_limit: int) -> MeshContent:
    """Read a GLB file, or a glTF file with everything inside it; the unit is the metre.

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
    glTF 2.0 (ISO/IEC 12113:2022). Skins, morph targets and animations do not move the mesh.
    """
    document, blob = _chunks(file)
    packed = [name for name in _PACKED if name in _list(document, "extensionsRequired")]
    if packed:
        raise UnsupportedFormatError(f"the mesh is packed by {packed[0]}; save it without compression")
    reader = _Reader(document, blob, face_limit)
    objects: dict[int, Assembly[int]] = {}
    nodes = _objects(document, "nodes")
    for k, node in enumerate(nodes):
        vertices, faces = reader.mesh(_number(node["mesh"], "a mesh")) if "mesh" in node else reader.nothing
        children = [_number(child, "a child") for child in _list(node, "children")]
        if any(child >= len(nodes) for child in children):
            raise CorruptFileError(f"node {k} has a child that does not exist")
        name = text_of(str(node.get("name", "")).encode(), 80)
        objects[k] = Assembly(vertices, faces, [(child, _matrix(nodes[child])) for child in children], name)
    if not nodes:
        objects = {k: Assembly(*reader.mesh(k)) for k in range(len(_objects(document, "meshes")))}
    assembler = Assembler(objects, face_limit)
    tops = [key for key in objects if key not in assembler.used()]
    items = [item for top in tops for item in assembler.items(top, _matrix(nodes[top]) if nodes else np.eye(4))]
    asset = document.get("asset")
    metadata = {
        key: text_of(str(value).encode())
        for key, value in (asset.items() if isinstance(asset, dict) else ())
        if key in ("generator", "copyright", "version")
    }
    return MeshContent(
        "glTF", tuple(item for item in items if len(item.faces)), "metre", metadata, tuple(reader.findings)
    )


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


def _list(node: Json, key: str) -> list[Any]:
    value = node.get(key, [])
    if not isinstance(value, list) or len(value) > _MOST_ENTRIES:
        raise CorruptFileError(f"{key} is not a list of at most {_MOST_ENTRIES} entries")
    return value


def _objects(document: Json, key: str) -> list[Json]:
    entries = _list(document, key)
    if not all(isinstance(entry, dict) for entry in entries):
        raise CorruptFileError(f"{key} holds what is not an object")
    return entries


def _number(value: Any, what: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 40:
        raise CorruptFileError(f"{what} is {str(value)[:40]!r}, not a number from 0")
    return value


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
        x, y, z, w = _floats(node, "rotation", 4)
        norm = x * x + y * y + z * z + w * w
        if not 0.0 < norm < np.inf:
            raise CorruptFileError("the rotation of a node is not a quaternion")
        s = 2.0 / norm
        matrix[:3, :3] = [
            [1 - s * (y * y + z * z), s * (x * y - z * w), s * (x * z + y * w)],
            [s * (x * y + z * w), 1 - s * (x * x + z * z), s * (y * z - x * w)],
            [s * (x * z - y * w), s * (y * z + x * w), 1 - s * (x * x + y * y)],
        ]
    if "scale" in node:
        matrix[:3, :3] *= _floats(node, "scale", 3)
    if "translation" in node:
        matrix[:3, 3] = _floats(node, "translation", 3)
    return matrix


class _Reader:
    """Reads accessors and meshes, each mesh once."""

    nothing = (np.zeros((0, 3)), np.zeros((0, 3), np.int64))

    def __init__(self, document: Json, blob: bytes | None, face_limit: int) -> None:
        self.findings: list[Finding] = []
        self._document = document
        self._blob = blob
        self._limit = face_limit
        self._meshes: dict[int, tuple[NDArray[np.float64], NDArray[np.int64]]] = {}
        self._buffers: dict[int, bytes] = {}
        self._faces = 0

    def mesh(self, k: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return all triangles of a mesh."""
        if k in self._meshes:
            return self._meshes[k]
        vertices: list[NDArray[np.float64]] = [self.nothing[0]]
        faces: list[NDArray[np.int64]] = [self.nothing[1]]
        before = skipped = 0
        for primitive in _objects(self._entry("meshes", k), "primitives"):
            attributes = primitive.get("attributes")
            if not isinstance(attributes, dict) or "POSITION" not in attributes:
                continue
            points = self._accessor(attributes["POSITION"], "VEC3").astype(np.float64)
            check_vertex_count(before + len(points), self._limit)
            if "indices" in primitive:
                corners = self._accessor(primitive["indices"], "SCALAR").astype(np.int64).ravel()
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
        self._meshes[k] = np.concatenate(vertices), np.concatenate(faces)
        return self._meshes[k]

    def _entry(self, key: str, k: Any) -> Json:
        entries = _objects(self._document, key)
        if _number(k, f"an index into {key}") >= len(entries):
            raise CorruptFileError(f"{key}[{k}] is used but does not exist")
        entry: Json = entries[k]
        return entry

    def _accessor(self, k: Any, kind: str) -> NDArray[Any]:
        """Return the values of an accessor, shape (count, width)."""
        accessor = self._entry("accessors", k)
        if "sparse" in accessor or accessor.get("normalized"):
            raise UnsupportedFormatError("sparse or normalised accessors are not read; save the file without them")
        if accessor.get("type") != kind or accessor.get("componentType") not in _COMPONENTS:
            raise CorruptFileError(f"accessor {k} is {str(accessor.get('type'))[:40]}; {kind} is needed")
        item = np.dtype(_COMPONENTS[accessor["componentType"]])
        width = _WIDTHS[kind] * item.itemsize
        count = _number(accessor.get("count"), "the count of an accessor")
        view = self._entry("bufferViews", accessor.get("bufferView"))
        data = self._buffer(_number(view.get("buffer"), "a buffer"))
        start = _number(view.get("byteOffset", 0), "byteOffset")
        end = start + _number(view.get("byteLength"), "byteLength")
        if end > len(data):
            raise CorruptFileError(f"a view ends at byte {end} of a buffer of {len(data)}")
        stride = _number(view.get("byteStride", width), "byteStride")
        offset = start + _number(accessor.get("byteOffset", 0), "byteOffset")
        if count == 0:
            return np.zeros((0, _WIDTHS[kind]), item)
        if stride < width or stride > 252 + width:
            raise CorruptFileError(f"the stride of a view is {stride}")
        check_declared((count - 1) * stride + width, 1, end - offset, "bytes of an accessor")
        shape, strides = (count, _WIDTHS[kind]), (stride, item.itemsize)
        return np.ndarray(shape, item, data, offset, strides)

    def _buffer(self, k: int) -> bytes:
        if k not in self._buffers:
            uri = self._entry("buffers", k).get("uri")
            if uri is None and k == 0 and self._blob is not None:
                self._buffers[k] = self._blob
            elif isinstance(uri, str) and uri.startswith("data:") and ";base64," in uri[:100]:
                try:
                    self._buffers[k] = base64.b64decode(uri.partition(";base64,")[2], validate=True)
                except (binascii.Error, ValueError) as error:
                    raise CorruptFileError(f"buffer {k} is not base64: {error}") from error
            else:
                raise UnsupportedFormatError(
                    "the geometry lies in another file, which is not opened; save it as one GLB file"
                )
        return self._buffers[k]


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
