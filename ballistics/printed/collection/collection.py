"""A laboratory's references: signatures with names, categories and facts, in one folder that others can read."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError, ParameterError, UnsupportedFormatError, WriteError
from ballistics.files import parse_json
from ballistics.printed.collection import store
from ballistics.printed.collection.descriptor_index import DescriptorIndex
from ballistics.printed.collection.false_hit_rate import FalseHitRate
from ballistics.printed.collection.signature_records import lengths_are_sound, signature_of_rows
from ballistics.printed.describe.cloud import DEFAULT_SURFACE, Cloud, SurfaceParameters
from ballistics.printed.describe.geometry_hashes import GeometryKeys
from ballistics.printed.describe.plainness import PLACES, beyond_plain, worth_of
from ballistics.printed.describe.query import cloud_of
from ballistics.printed.describe.signature import KEYPOINTS, SIGNATURE_VERSION, Signature

#: Squared distance of two whole surfaces' descriptors, in stored steps over all radii, up to which they are alike: one
#: standard deviation of a disturbed descriptor (8 steps) in each of 3 × 24 values.
ALIKE_AS_WHOLE = 4608.0

# Local descriptors in the index: as many keypoints of each reference as keep it near this number, in steps, so that a
# growing collection seldom has another number of them.
_INDEXED = 8_000_000
_FEWEST_KEYPOINTS = 40
_KEYPOINT_STEPS = 4  # to a factor of two
# Clouds of references that are kept ready: about 0.3 MB each.
_CLOUDS_KEPT = 256
# A surface's area is computed once for the frame and once for the keys, which are kept to nine decimals.
_SAME_AREA = 1e-6
# Coarse points against the surface itself, for rows without a SHA-256: of 382 parts of the public test meshes none
# differed by more than .098 in its spread and 1.64 spacings in its extent.
_SAME_SPREAD = 0.25
_SAME_EXTENT = 3.0
# Looks at a folder while others enrol into it.
_LOOKS = 5


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
    detail_nats : float or None
        What it is worth as a reference, see `ballistics.printed.describe.plainness.worth_of`; None when an older
        version enrolled it: then `Collection.worth` measures it.
    """

    name: str
    category: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    keys: GeometryKeys | None = None
    detail_nats: float | None = None


class Collection:
    """References to search in.

    Signatures stand in arrays with one row per reference; those of a loaded collection stay on disk and are mapped
    into memory, so that only the references that are compared are read.

    Examples
    --------
    >>> from ballistics.printed.content.part import Part
    >>> from ballistics.printed.describe.signature import signature_of
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
        # Of the rows on disk; none for those that a version before format 2 wrote.
        self._digests: list[store.Digests | None] = []
        # What the manifest on disk says of the index.
        self._written: Mapping[str, Any] = {}
        #: The laboratory's categories as they stand in the manifest; None when they do not.
        self.taxonomy: Mapping[str, Any] | None = None
        self._names: set[str] = set()
        self._index: DescriptorIndex | None = None
        self._keys: dict[str, list[int]] | None = None
        self._clouds: dict[tuple[int, SurfaceParameters], Cloud] = {}
        self._beyond: dict[int, NDArray[np.float32]] = {}
        #: How often unrelated queries hit it, as measured; None when it was not.
        self.false_hits: FalseHitRate | None = None
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

        Parameters
        ----------
        signature : Signature
            Of the part.
        name : str
            By which hits name it; no other reference may have it.
        category : str
            Code of the laboratory's taxonomy; empty for none. It is not checked here.
        metadata : mapping, optional
            What else is known of it, as JSON can hold it.

        Raises
        ------
        ParameterError
            The name is taken, the signature is of another version, or the metadata are not JSON.
        """
        if name in self._names:
            raise ParameterError(f"the collection already has a reference named '{name}'; choose another name")
        _check_version(signature.version)
        try:
            text = json.dumps([name, category, dict(metadata or {})], allow_nan=False, ensure_ascii=False)
            facts = parse_json(text.encode(), "the metadata", "what JSON can hold")[2]
        except (TypeError, ValueError, RecursionError, CorruptFileError) as error:
            raise ParameterError(f"the metadata of {name!r} cannot be written as JSON: {error}") from error
        worth = round(worth_of(signature.local), 3)
        self._references.append(Reference(name, category, facts, signature.keys, worth))
        self._names.add(name)
        self._added.append(signature)
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
        other.barred = self.barred | frozenset(
            row for row, reference in enumerate(self._references) if reference.name in barred
        )
        return other

    def signature(self, row: int) -> Signature:
        """Return the signature of a reference."""
        stored = self._rows_on_disk()
        if row >= stored:
            return self._added[row - stored]
        self._check_row(row)
        rows = {name: self._stored[name][row] for name in store.ARRAYS}
        return signature_of_rows(rows, self._references[row].keys)

    def cloud(self, row: int, surface: SurfaceParameters = DEFAULT_SURFACE) -> Cloud:
        """Return the coarse points of a reference, ready to find neighbours in; the last are kept."""
        key = row, surface
        if key not in self._clouds:
            # More than a query is placed on: each is asked for when it is placed, settled and registered.
            if len(self._clouds) >= _CLOUDS_KEPT:
                self._clouds.pop(next(iter(self._clouds)), None)
            self._clouds[key] = cloud_of(self.signature(row), surface)
        return self._clouds[key]

    def passing_cloud(self, row: int, surface: SurfaceParameters = DEFAULT_SURFACE) -> Cloud:
        """Return the coarse points of a reference that is looked at once: without its descriptors, and not kept."""
        if (row, surface) in self._clouds:
            return self._clouds[row, surface]
        if row >= self._rows_on_disk() or self._digests[row] is None:
            return cloud_of(self.signature(row), surface)
        self._check_row(row, ("codes",))
        x, y, z, step, spacing, size, area, points = (float(v) for v in self._stored["frames"][row])
        codes = np.array(self._stored["codes"][row, : int(points)])
        return Cloud(np.array([x, y, z]) + step * codes.astype(np.float64), size, area, spacing, None, surface)

    def whole(self) -> NDArray[np.int8]:
        """Return the whole descriptors of all references, shape (references, radii, 24)."""
        added = [signature.whole for signature in self._added]
        if not self._rows_on_disk():
            return np.stack(added)
        return np.concatenate([self._stored["whole"], np.stack(added)]) if added else self._stored["whole"]

    def index(self) -> DescriptorIndex:
        """Return the index of the local descriptors; made at first use, and added to when references were."""
        keypoints = self._keypoints()
        if self._index is None or self._index.keypoints < keypoints:
            self._index = DescriptorIndex(keypoints)
        elif self._index.keypoints > keypoints:
            self._index = self._index.copied(keypoints)
        self._index.add(self._local(row) for row in range(self._index.references, len(self)))
        return self._index

    def worth(self, row: int) -> float:
        """Return what a reference is worth, in nats; measured now when an older version enrolled it."""
        if self._references[row].detail_nats is None:
            measured = round(worth_of(self._local(row)), 3)
            self._references[row] = replace(self._references[row], detail_nats=measured)
        return float(self._references[row].detail_nats or 0.0)

    def beyond_plain(self, row: int) -> NDArray[np.float32]:
        """Return what the first places of a reference say beyond plain bodies, in nats, shape (radii, places); kept."""
        if row not in self._beyond:
            if len(self._beyond) >= 4096:
                self._beyond.clear()
            self._beyond[row] = beyond_plain(self._local(row)[:, :PLACES])
        return self._beyond[row]

    def apart_as_whole(self, whole: NDArray[np.int8]) -> NDArray[np.float32]:
        """Return the squared distance of each reference's whole descriptors from those given."""
        # Sums of whole numbers below 2^24: exact, in whatever order they are taken.
        return np.asarray(((self.whole().astype(np.float32) - whole.astype(np.float32)) ** 2).sum(axis=(1, 2)))

    def alike(self, row: int, at_most: float = ALIKE_AS_WHOLE) -> int:
        """Return how many other references have whole descriptors no further apart than that from those of one."""
        return int((self.apart_as_whole(self.whole()[row]) <= at_most).sum()) - 1

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
            The folder holds something already, or cannot be written.
        """
        target = Path(folder)
        if target.exists() and any(target.iterdir()):
            raise WriteError(f"{target} is not empty; give a new folder for the collection")
        with store.enrolling(target):
            digests = store.append_rows(target, 0, (self.signature(row) for row in range(len(self))))
            store.write_manifest(target, self._manifest(digests, store.write_index(target, self.index(), {})))

    def commit(self, folder: Path) -> None:
        """Write what was added since the collection was loaded from a folder, or made for it, and have it on the disk.

        Only for who holds the folder's lock (`collection_store.enrolling`). A process that is stopped in here leaves
        the collection as it was.

        Raises
        ------
        WriteError
            When it cannot be written: what the folder held is untouched.
        """
        first = self._rows_on_disk()
        known = [self._digests[row] or self._digests_of(row) for row in range(first)]
        index = self.index()
        digests = [*known, *store.append_rows(folder, first, self._added)]
        manifest = self._manifest(digests, store.write_index(folder, index, self._written))
        store.write_manifest(folder, manifest)
        store.remove_leftovers(folder, manifest)
        is_new = manifest["index_references"] != index.base_references
        self._added, self._digests, self._written = [], list(digests), manifest
        self._stored = store.map_arrays(folder, len(self))
        if is_new and len(self):
            # What is enrolled from now on is added to the file.
            self._index = store.read_index(folder, manifest, len(self))

    def _digests_of(self, row: int) -> store.Digests:
        """Return the digests of a row that was written without, if it does not contradict what is known of it."""
        self._check_row(row)
        return {name: store.digest(self._stored[name][row]) for name in store.ARRAYS}

    def _keypoints(self) -> int:
        """Return how many keypoints of each reference are in the index."""
        fewer = math.log2(KEYPOINTS * 6 * max(len(self), 1) / _INDEXED)
        step = max(0, round(_KEYPOINT_STEPS * fewer))
        return max(_FEWEST_KEYPOINTS, round(KEYPOINTS * math.exp2(-step / _KEYPOINT_STEPS)))

    def _manifest(self, digests: Sequence[store.Digests], index: Mapping[str, Any]) -> dict[str, Any]:
        content: dict[str, Any] = {
            "format": store.FORMAT,
            "signature_version": SIGNATURE_VERSION,
            **index,
            "references": [
                {**asdict(reference), "sha256": dict(own)}
                for reference, own in zip(self._references, digests, strict=True)
            ],
        }
        if self.false_hits is not None:
            content["false_hits"] = asdict(self.false_hits)
        return content if self.taxonomy is None else {**content, "taxonomy": self.taxonomy}

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Collection:
        """Open a saved collection; its arrays are mapped, not read.

        Raises
        ------
        CorruptFileError
            The folder is not a collection, its files contradict each other, or one of them was altered.
        UnsupportedFormatError
            The signatures are of another version.
        """
        source = Path(folder)
        for attempt in range(_LOOKS):
            manifest = store.read_manifest(source)
            try:
                return cls._loaded(source, manifest)
            except CorruptFileError:
                # Another process may have enrolled between two looks, and deleted the index of the first.
                if attempt + 1 == _LOOKS or store.read_manifest(source) == manifest:
                    raise
        raise AssertionError("the last look returns or raises")

    @classmethod
    def _loaded(cls, source: Path, manifest: Mapping[str, Any]) -> Collection:
        collection = cls()
        listed = manifest["references"]
        try:
            _check_version(manifest["signature_version"])
            store.check_seal(source, manifest)
            for entry in listed:
                collection._references.append(reference_of(entry))
                digests = entry.get("sha256") if manifest["format"] == 1 else entry["sha256"]
                own = None if digests is None else {name: str(digests[name]) for name in store.ARRAYS}
                collection._digests.append(own)
            collection.false_hits = FalseHitRate.of(manifest.get("false_hits"))
            taxonomy = manifest.get("taxonomy")
            collection.taxonomy = None if taxonomy is None else dict(taxonomy)
            collection._names = {reference.name for reference in collection._references}
            if len(collection._names) < len(listed):
                raise ValueError("two references have one name")
            collection._stored = store.map_arrays(source, len(listed))
            if listed:
                collection._index = store.read_index(source, manifest, len(listed))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise CorruptFileError(f"{source} cannot be read as a collection; fetch it again: {error!r}") from error
        collection._check_frames(source)
        collection._check_rows(source)
        collection._written = manifest
        return collection

    def _check_frames(self, source: Path) -> None:
        """Refuse lengths that no signature has: the cells that points are sorted into would not fit into memory."""
        if not self._stored:
            return
        frames = np.asarray(self._stored["frames"])
        if frames.ndim != 2 or frames.shape[1] != 8:
            raise CorruptFileError(f"{source}: the lengths are not 8 numbers for each reference; fetch it again")
        fine = lengths_are_sound(frames)
        if not fine.all():
            name = self._references[int(np.argmin(fine))].name
            raise CorruptFileError(
                f"{source}: the lengths of '{name}' contradict each other; fetch the collection again"
            )

    def _check_rows(self, source: Path) -> None:
        """Refuse small rows that are not those that were written, or that belong to another reference."""
        if not self._stored:
            return
        frames, whole = (np.asarray(self._stored[name]) for name in ("frames", "whole"))
        for row, reference in enumerate(self._references):
            digests = self._digests[row]
            keys = reference.keys
            if digests is not None and store.altered({"frames": frames[row], "whole": whole[row]}, digests):
                raise CorruptFileError(f"{source}: the signature of '{reference.name}' was altered; {store.SEE}")
            if keys is not None and abs(frames[row, 6] / keys.area_mm2 - 1.0) > _SAME_AREA:
                raise CorruptFileError(
                    f"{source}: the signature stored for '{reference.name}' is that of another part: it has a surface "
                    f"of {frames[row, 6]:.6g} mm², the part one of {keys.area_mm2:.6g} mm²; {store.SEE}"
                )

    def _check_row(self, row: int, arrays: Sequence[str] = ("codes", "local")) -> None:
        """Refuse a large row that is not the one that was written, or that belongs to another reference."""
        digests, name = self._digests[row], self._references[row].name
        if digests is not None:
            wrong = store.altered({array: self._stored[array][row] for array in arrays}, digests)
            if wrong:
                raise CorruptFileError(
                    f"the signature of '{name}' was altered ({', '.join(wrong)}, row {row}): nothing can be said of "
                    f"this reference; {store.SEE}"
                )
            return
        fault = mismatch(self._stored["codes"][row], self._stored["frames"][row], self._references[row])
        if fault is not None:
            raise CorruptFileError(f"the signature stored for '{name}' is that of another part: {fault}; {store.SEE}")

    def _rows_on_disk(self) -> int:
        return len(self._references) - len(self._added)

    def _local(self, row: int) -> NDArray[np.int8]:
        stored = self._rows_on_disk()
        if row >= stored:
            return self._added[row - stored].local
        self._check_row(row)
        return np.asarray(self._stored["local"][row])


def mismatch(codes: NDArray[np.uint8], frame: NDArray[np.float64], reference: Reference) -> str | None:
    """Return in what a reference's stored points differ from what is known of the part; None when they agree.

    Parameters
    ----------
    codes, frame : ndarray
        Its row of these arrays.
    reference : Reference
        Its keys, and ``extent_mm`` among its facts, are compared when they are there.
    """
    step, spacing, points = float(frame[3]), float(frame[4]), int(frame[7])
    places = codes[:points].astype(np.float64) * step
    if reference.keys is not None:
        spread = float(np.sqrt(((places - places.mean(axis=0)) ** 2).sum(axis=1).mean()))
        if abs(spread / reference.keys.size_mm - 1.0) > _SAME_SPREAD:
            return (
                f"its points lie {spread:.4g} mm about their centre, those of the part {reference.keys.size_mm:.4g} mm"
            )
    extent = reference.metadata.get("extent_mm")
    if isinstance(extent, list) and len(extent) == 3 and all(isinstance(value, (int, float)) for value in extent):
        held = np.ptp(places, axis=0)
        if (held > np.asarray(extent) + step).any() or (held < np.asarray(extent) - _SAME_EXTENT * spacing).any():
            shown = " × ".join(f"{value:.4g}" for value in held)
            return f"its points measure {shown} mm, the part {' × '.join(f'{value:.4g}' for value in extent)} mm"
    return None


def reference_of(entry: Mapping[str, Any]) -> Reference:
    """Return what a manifest says of a reference."""
    keys = entry["keys"]
    if keys is not None:
        keys = GeometryKeys(**{**keys, "values": tuple(float(value) for value in keys["values"])})
        if not (0.0 < keys.size_mm < np.inf and 0.0 < keys.area_mm2 < np.inf):
            raise ValueError(f"the keys of {entry['name']!r} are those of no part")
    if not isinstance(entry["name"], str) or not isinstance(entry["metadata"], dict):
        raise ValueError("a reference has no name, or no facts")
    worth = entry.get("detail_nats")
    if worth is not None and not 0.0 <= float(worth) < np.inf:
        raise ValueError(f"the worth of {entry['name']!r} is that of no part")
    return Reference(entry["name"], str(entry["category"]), entry["metadata"], keys, worth)


def _check_version(version: str) -> None:
    if version != SIGNATURE_VERSION:
        raise UnsupportedFormatError(
            f"signatures of version {version} cannot be compared with version {SIGNATURE_VERSION}; "
            "compute them again from the meshes"
        )
