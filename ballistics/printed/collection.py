"""A laboratory's references: signatures with names, categories and facts, in one folder that others can read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError, ParameterError, UnsupportedFormatError, WriteError
from ballistics.printed.cloud import Cloud
from ballistics.printed.geometry_hash import GeometryKeys
from ballistics.printed.query import cloud_of
from ballistics.printed.signature import KEYPOINTS, MOST_POINTS, SIGNATURE_VERSION, Signature
from ballistics.printed.votes import DescriptorIndex

_FORMAT = 1
# Local descriptors in the index: as many keypoints of each reference as keep it near this number.
_INDEXED = 8_000_000
_FEWEST_KEYPOINTS = 40
_ARRAYS = ("codes", "frames", "local", "whole")


@dataclass(frozen=True)
class Reference:
    """What a collection says of one reference.

    Parameters
    ----------
    name : str
        Unique within the collection.
    category : str
        Of the laboratory's own taxonomy; may be empty.
    metadata : mapping
        Any facts that JSON can hold.
    keys : GeometryKeys or None
        Of the mesh, to find exact copies at once.
    """

    name: str
    category: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    keys: GeometryKeys | None = None


class Collection:
    """References to search in.

    Signatures stand in arrays with one row per reference; those of a loaded collection stay on disk and are mapped
    into memory, so that only the references that are compared are read.

    Examples
    --------
    >>> from ballistics.printed.part import Part
    >>> from ballistics.printed.signature import signature_of
    >>> corners = np.array([[0.0, 0, 0], [40, 0, 0], [0, 30, 0], [0, 0, 20]])
    >>> wedge = Part(corners, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]))
    >>> collection = Collection()
    >>> collection.enrol(signature_of(wedge), "wedge", category="ordinary")
    >>> len(collection), collection.references[0].category
    (1, 'ordinary')
    """

    def __init__(self) -> None:
        """Make an empty collection."""
        self._references: list[Reference] = []
        self._stored: dict[str, NDArray[Any]] = {}
        self._added: list[Signature] = []
        self._names: set[str] = set()
        self._index: DescriptorIndex | None = None
        self._keys: dict[str, list[int]] | None = None
        self._clouds: dict[int, Cloud] = {}
        #: Rows that are never found.
        self.barred: frozenset[int] = frozenset()

    def __len__(self) -> int:
        """Return the number of references."""
        return len(self._references)

    @property
    def references(self) -> Sequence[Reference]:
        """The references, in the order of their rows."""
        return tuple(self._references)

    def enrol(
        self, signature: Signature, name: str, *, category: str = "", metadata: Mapping[str, Any] | None = None
    ) -> None:
        """Add a reference.

        Raises
        ------
        ParameterError
            The name is taken, the signature is of another version, or the metadata are not JSON.
        """
        if name in self._names:
            raise ParameterError(f"the collection already has a reference named '{name}'; choose another name")
        _check_version(signature.version)
        try:
            facts = json.loads(json.dumps(dict(metadata or {}), allow_nan=False))
        except (TypeError, ValueError) as error:
            raise ParameterError(f"the metadata of '{name}' cannot be written as JSON: {error}") from error
        self._references.append(Reference(name, category, facts, signature.keys))
        self._names.add(name)
        self._added.append(signature)
        self._index = None
        self._keys = None

    def without(self, names: Iterable[str]) -> Collection:
        """Return the same collection in which some references are never found, for validation: is a query that has
        no relative in the collection reported as such?

        Raises
        ------
        ParameterError
            A name is not in the collection.
        """
        barred = set(names)
        if not barred <= self._names:
            raise ParameterError(f"the collection has no reference named '{min(barred - self._names)}'")
        self.index()
        other = copy(self)
        other.barred = self.barred | frozenset(row for row, one in enumerate(self._references) if one.name in barred)
        return other

    def signature(self, row: int) -> Signature:
        """Return the signature of a reference."""
        stored = self._rows_on_disk()
        if row >= stored:
            return self._added[row - stored]
        origin_x, origin_y, origin_z, step, spacing, size, area, points = (
            float(v) for v in self._stored["frames"][row]
        )
        return Signature(
            np.array(self._stored["codes"][row, : int(points)]),
            np.array([origin_x, origin_y, origin_z]),
            step,
            spacing,
            size,
            area,
            np.array(self._stored["local"][row, :, : min(KEYPOINTS, int(points))]),
            np.array(self._stored["whole"][row]),
            self._references[row].keys,
        )

    def cloud(self, row: int) -> Cloud:
        """Return the coarse points of a reference, ready to find neighbours in; kept while it is among the last 64."""
        if row not in self._clouds:
            if len(self._clouds) >= 64:
                self._clouds.clear()
            self._clouds[row] = cloud_of(self.signature(row))
        return self._clouds[row]

    def whole(self) -> NDArray[np.int8]:
        """Return the descriptors of all references as wholes, shape (references, radii, 24)."""
        added = [signature.whole for signature in self._added]
        if not self._rows_on_disk():
            return np.stack(added)
        return np.concatenate([self._stored["whole"], np.stack(added)]) if added else self._stored["whole"]

    def index(self) -> DescriptorIndex:
        """Return the index of the local descriptors; made at first use."""
        if self._index is None:
            most = _INDEXED // (6 * max(len(self), 1))
            self._index = DescriptorIndex(int(np.clip(most, _FEWEST_KEYPOINTS, KEYPOINTS)))
            self._index.add(self._local(row) for row in range(len(self)))
        return self._index

    def rows_of_key(self, key: str) -> list[int]:
        """Return the references whose exact or shape key is a given one."""
        if self._keys is None:
            self._keys = {}
            for row, reference in enumerate(self._references):
                if reference.keys is not None:
                    for own in {reference.keys.exact, reference.keys.shape}:
                        self._keys.setdefault(own, []).append(row)
        return self._keys.get(key, [])

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the collection, with its index, to a new or empty folder.

        Raises
        ------
        WriteError
            The folder holds something already.
        """
        target = Path(folder)
        if target.exists() and any(target.iterdir()):
            raise WriteError(f"{target} is not empty; give a new folder for the collection")
        target.mkdir(parents=True, exist_ok=True)
        count = len(self)
        shapes = {
            "codes": ((count, MOST_POINTS, 3), np.uint8),
            "frames": ((count, 8), np.float64),
            "local": ((count, 6, KEYPOINTS, 24), np.int8),
            "whole": ((count, 3, 24), np.int8),
        }
        arrays = {
            name: np.lib.format.open_memmap(target / f"{name}.npy", mode="w+", dtype=dtype, shape=shape)
            for name, (shape, dtype) in shapes.items()
            if count
        }
        for row in range(count):
            one = self.signature(row)
            arrays["codes"][row, : len(one.codes)] = one.codes
            arrays["frames"][row] = (
                *one.origin_mm, one.step_mm, one.spacing_mm, one.size_mm, one.area_mm2, len(one.codes)
            )  # fmt: skip
            arrays["local"][row] = -128
            arrays["local"][row, :, : one.local.shape[1]] = one.local
            arrays["whole"][row] = one.whole
        for array in arrays.values():
            array.flush()
        self.index().write(target / "index.faiss")
        manifest = {
            "format": _FORMAT,
            "signature_version": SIGNATURE_VERSION,
            "index_keypoints": self.index().keypoints,
            "references": [asdict(reference) for reference in self._references],
        }
        text = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
        # Last, so that a folder without it is a collection whose writing was stopped.
        (target / "manifest.json").write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Collection:
        """Open a saved collection; its arrays are mapped, not read.

        Raises
        ------
        CorruptFileError
            The folder is not a collection, or its files contradict each other.
        UnsupportedFormatError
            The signatures are of another version.
        """
        source = Path(folder)
        try:
            manifest = json.loads((source / "manifest.json").read_text(encoding="utf-8"))
            version, form, listed = manifest["signature_version"], manifest["format"], manifest["references"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CorruptFileError(
                f"{source} is not a collection of signatures, or its writing was stopped: {error}"
            ) from error
        if form != _FORMAT:
            raise UnsupportedFormatError(f"{source} is of collection format {form}; this version reads {_FORMAT}")
        _check_version(version)
        collection = cls()
        try:
            for entry in listed:
                keys = entry["keys"]
                if keys is not None:
                    keys = GeometryKeys(**{**keys, "values": tuple(keys["values"])})
                collection._references.append(Reference(entry["name"], entry["category"], entry["metadata"], keys))
            collection._names = {reference.name for reference in collection._references}
            if listed:
                collection._stored = {
                    name: np.load(source / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _ARRAYS
                }
                collection._index = DescriptorIndex.read(
                    source / "index.faiss", int(manifest["index_keypoints"]), len(listed)
                )
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise CorruptFileError(f"{source} cannot be read as a collection; fetch it again: {error}") from error
        if any(len(array) != len(listed) for array in collection._stored.values()):
            raise CorruptFileError(f"{source} lists {len(listed)} references, but its arrays hold another number")
        collection._check_frames(source)
        return collection

    def _check_frames(self, source: Path) -> None:
        """Refuse lengths that no signature has: the cells that points are sorted into would not fit into memory."""
        if not self._stored:
            return
        frames = np.asarray(self._stored["frames"])
        if frames.ndim != 2 or frames.shape[1] != 8:
            raise CorruptFileError(f"{source}: the lengths are not 8 numbers for each reference; fetch it again")
        step, spacing, size, area, points = frames[:, 3:].T
        with np.errstate(invalid="ignore", over="ignore"):
            fine = np.isfinite(frames).all(axis=1) & (area > 0.0) & (step > 0.0) & (size > 0.0)
            fine &= (255.0 * step <= 1.1 * size) & (spacing >= size / 200.0) & (spacing <= size)
            fine &= (points >= 1) & (points <= self._stored["codes"].shape[1])
        if not fine.all():
            name = self._references[int(np.argmin(fine))].name
            raise CorruptFileError(
                f"{source}: the lengths of '{name}' contradict each other; fetch the collection again"
            )

    def _rows_on_disk(self) -> int:
        return len(self._references) - len(self._added)

    def _local(self, row: int) -> NDArray[np.int8]:
        stored = self._rows_on_disk()
        return self._added[row - stored].local if row >= stored else np.asarray(self._stored["local"][row])


def _check_version(version: str) -> None:
    if version != SIGNATURE_VERSION:
        raise UnsupportedFormatError(
            f"signatures of version {version} cannot be compared with version {SIGNATURE_VERSION}; "
            "compute them again from the meshes"
        )
