"""Buffers of a glTF file (inside, as data URIs, or in files of its folder) and the numbers that lie in them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import stat
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError, HostileFileError, UnsupportedFormatError
from ballistics.printed.content.bounds import check_declared, check_vertex_count, text_of

Json = dict[str, Any]

_MOST_ENTRIES = 100_000
_BUFFER_LIMIT_BYTES = 1 << 31
_COMPONENTS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}
_MESHOPT = ("EXT_meshopt_compression", "KHR_meshopt_compression")


def entries(node: Json, key: str) -> list[Any]:
    """Return a list of the document; empty when it is not there."""
    value = node.get(key, [])
    if not isinstance(value, list) or len(value) > _MOST_ENTRIES:
        raise CorruptFileError(f"{key} is not a list of at most {_MOST_ENTRIES} entries")
    return value


def objects(document: Json, key: str) -> list[Json]:
    """Return a list of objects of the document; empty when it is not there."""
    found = entries(document, key)
    if not all(isinstance(entry, dict) for entry in found):
        raise CorruptFileError(f"{key} holds what is not an object")
    return found


def extension(node: Json, name: str) -> Json | None:
    """Return an extension of a node, a mesh or a view; None when it has none of this name."""
    extensions = node.get("extensions")
    found = extensions.get(name) if isinstance(extensions, dict) else None
    if found is not None and not isinstance(found, dict):
        raise CorruptFileError(f"the extension {name} is not an object")
    return found


def whole_number(value: Any, what: str) -> int:
    """Return a number from 0, or say that it is none."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 40:
        raise CorruptFileError(f"{what} is {text_of(str(value), 40)!r}, not a number from 0")
    return value


class Buffers:
    """The numbers of a glTF document.

    Parameters
    ----------
    document : dict
    blob : bytes or None
        The binary chunk of a GLB file.
    folder : Path or None
        Where buffers outside the file may lie; None: nowhere.
    face_limit : int

    Attributes
    ----------
    hashes : dict of str to str
        SHA-256 of the files that were read, by name.
    """

    def __init__(self, document: Json, blob: bytes | None, folder: Path | None, face_limit: int) -> None:
        self.hashes: dict[str, str] = {}
        self._document = document
        self._blob = blob
        self._folder = folder
        self._limit = face_limit
        self._buffers: dict[int, bytes] = {}

    def entry(self, key: str, k: Any) -> Json:
        """Return an object of the document by its number."""
        found = objects(self._document, key)
        if whole_number(k, f"an index into {key}") >= len(found):
            raise CorruptFileError(f"{key}[{k}] is used but does not exist")
        entry: Json = found[k]
        return entry

    def numbers(self, k: Any, kind: str) -> NDArray[np.float64]:
        """Return the values of an accessor as they are meant, shape (count, width).

        glTF 2.0, 3.6.2: sparse values replace others; normalised integers stand for fractions.
        """
        accessor = self.entry("accessors", k)
        raw = self._values(accessor, kind)
        if not accessor.get("normalized") or raw.dtype.kind == "f":
            return raw.astype(np.float64)
        most = float(np.iinfo(raw.dtype).max)
        return np.maximum(raw.astype(np.float64) / most, -1.0)

    def indices(self, k: Any) -> NDArray[np.int64]:
        """Return an accessor of indices, shape (count,)."""
        raw = self._values(self.entry("accessors", k), "SCALAR")
        if raw.dtype.kind == "f":
            raise CorruptFileError(f"the indices of accessor {k} are broken numbers")
        return raw.astype(np.int64).ravel()

    def has_data(self, k: Any) -> bool:
        """Whether an accessor has values of its own, or stands for compressed ones."""
        accessor = self.entry("accessors", k)
        return "bufferView" in accessor or "sparse" in accessor

    def _values(self, accessor: Json, kind: str) -> NDArray[Any]:
        if accessor.get("type") != kind:
            raise CorruptFileError(f"an accessor is {text_of(str(accessor.get('type')), 40)!r}; {kind} is needed")
        item = _component(accessor)
        count = whole_number(accessor.get("count"), "the count of an accessor")
        check_vertex_count(count, self._limit)
        width = _WIDTHS[kind]
        if "bufferView" in accessor:
            offset = whole_number(accessor.get("byteOffset", 0), "byteOffset")
            values = self._view(accessor["bufferView"], offset, count, width, item)
        else:
            values = np.zeros((count, width), item)
        sparse = accessor.get("sparse")
        return values if sparse is None else self._replaced(values, sparse, item)

    def _replaced(self, values: NDArray[Any], sparse: Any, item: np.dtype[Any]) -> NDArray[Any]:
        """Return a copy of values with those of a sparse accessor set."""
        places = sparse.get("indices") if isinstance(sparse, dict) else None
        others = sparse.get("values") if isinstance(sparse, dict) else None
        if not isinstance(places, dict) or not isinstance(others, dict):
            raise CorruptFileError("a sparse accessor has no indices and values")
        count = whole_number(sparse.get("count"), "the count of a sparse accessor")
        if count > len(values):
            raise CorruptFileError(f"a sparse accessor replaces {count} of {len(values)} values")
        start = whole_number(places.get("byteOffset", 0), "byteOffset")
        rows = self._view(places.get("bufferView"), start, count, 1, _component(places)).ravel()
        start = whole_number(others.get("byteOffset", 0), "byteOffset")
        new = self._view(others.get("bufferView"), start, count, values.shape[1], item)
        if rows.dtype.kind == "f" or (rows.size and not 0 <= int(rows.min()) <= int(rows.max()) < len(values)):
            raise CorruptFileError("a sparse accessor replaces values that do not exist")
        values = values.copy()
        values[rows.astype(np.int64)] = new
        return values

    def _view(self, k: Any, offset: int, count: int, width: int, item: np.dtype[Any]) -> NDArray[Any]:
        """Return values in a view of a buffer, shape (count, width)."""
        view = self.entry("bufferViews", k)
        packed = next((name for name in _MESHOPT if extension(view, name) is not None), None)
        data = self._buffer(whole_number(view.get("buffer"), "a buffer"), packed)
        start = whole_number(view.get("byteOffset", 0), "byteOffset")
        end = start + whole_number(view.get("byteLength"), "byteLength")
        if end > len(data):
            raise CorruptFileError(f"a view ends at byte {end} of a buffer of {len(data)}")
        size = width * item.itemsize
        stride = whole_number(view.get("byteStride", size), "byteStride")
        if count == 0:
            return np.zeros((0, width), item)
        if stride < size or stride > 252 + size:
            raise CorruptFileError(f"the stride of a view is {stride}")
        check_declared((count - 1) * stride + size, 1, end - start - offset, "bytes of an accessor")
        return np.ndarray((count, width), item, data, start + offset, (stride, item.itemsize))

    def _buffer(self, k: int, packed: str | None) -> bytes:
        if k not in self._buffers:
            buffer = self.entry("buffers", k)
            uri = buffer.get("uri")
            if uri is None and k == 0 and self._blob is not None:
                self._buffers[k] = self._blob
            elif isinstance(uri, str) and uri.startswith("data:"):
                self._buffers[k] = _data_of(uri, k)
            elif isinstance(uri, str):
                self._buffers[k] = self._beside(uri, whole_number(buffer.get("byteLength"), "byteLength"))
            elif packed or any(extension(buffer, name) is not None for name in _MESHOPT):
                raise UnsupportedFormatError(
                    f"the mesh is packed by {packed or _MESHOPT[0]} (meshopt); save it without compression"
                )
            else:
                raise CorruptFileError(f"buffer {k} has no data: neither in the file nor by a name")
        return self._buffers[k]

    def _beside(self, uri: str, length: int) -> bytes:
        """Return the start of a file in the folder of the document; nothing leads out of that folder."""
        name = unquote(uri, errors="replace")
        shown = text_of(name, 80)
        if self._folder is None:
            raise UnsupportedFormatError(f"the geometry lies in another file, {shown!r}; save it as one GLB file")
        parts = name.replace("\\", "/").split("/")
        if "\ufffd" in name or not name.isprintable():
            raise CorruptFileError(f"the geometry is said to lie in {shown!r}: no name of a file")
        if ":" in name or ".." in parts or not parts[0]:
            raise HostileFileError(f"the geometry is said to lie in {shown!r}, outside the file's folder: not opened")
        folder = Path(os.path.realpath(self._folder))
        path = Path(os.path.realpath(folder.joinpath(*parts)))
        if not path.is_relative_to(folder):
            raise HostileFileError(f"{shown!r} leads out of the file's folder by a link: not opened")
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                raise CorruptFileError(f"{shown!r}, in which the geometry lies, is not a regular file")
            if length > min(status.st_size, _BUFFER_LIMIT_BYTES):
                raise CorruptFileError(f"{shown!r} has {status.st_size} bytes, the document needs {length}")
            with open(path, "rb") as file:
                self.hashes[shown] = hashlib.file_digest(file, "sha256").hexdigest()
                file.seek(0)
                return file.read(length)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise CorruptFileError(
                f"the geometry lies in {shown!r}, which cannot be opened beside the file: {reason}"
            ) from error


def _component(accessor: Json) -> np.dtype[Any]:
    code = accessor.get("componentType")
    if not isinstance(code, int) or code not in _COMPONENTS:
        raise CorruptFileError(f"the component type of an accessor is {text_of(str(code), 40)!r}")
    return np.dtype(_COMPONENTS[code])


def _data_of(uri: str, k: int) -> bytes:
    head, mark, data = uri.partition(",")
    if not mark or len(head) > 200:
        raise CorruptFileError(f"buffer {k} is not a data URI")
    if not head.endswith(";base64"):
        return unquote_to_bytes(data)
    try:
        return base64.b64decode(unquote(data) if "%" in data else data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise CorruptFileError(f"buffer {k} is not base64: {error}") from error
