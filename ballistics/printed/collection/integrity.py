"""The check of a collection: every row of every array, index, manifest and taxonomy against their hashes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ballistics.errors import BallisticsError, CorruptFileError
from ballistics.files import SEAL, map_rows, reason
from ballistics.printed.collection import store
from ballistics.printed.collection.collection import Reference, mismatch, reference_of
from ballistics.printed.collection.descriptor_index import DescriptorIndex
from ballistics.printed.collection.taxonomy import Taxonomy
from ballistics.printed.describe.signature import MOST_POINTS

Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class CollectionFault:
    """Something that is not as the collection was written.

    Parameters
    ----------
    file : str
        Its name in the folder.
    reference : str
        Of which reference; empty when it concerns all of the file.
    what : str
        What was found.
    """

    file: str
    reference: str
    what: str


@dataclass(frozen=True)
class CollectionIntegrity:
    """What a check of a collection found.

    Parameters
    ----------
    references : int
        Number that was checked.
    faults : tuple of CollectionFault
    notes : tuple of str
        What does no harm: files that belong to nothing, what could not be checked.
    """

    references: int
    faults: tuple[CollectionFault, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether every reference is as it was enrolled, as far as that can be told."""
        return not self.faults


def verify_collection(folder: Path, tell: Tell | None = None) -> CollectionIntegrity:
    """Check a collection, every byte of it, and name every file and reference that is not as it was written.

    Collections of format 1 have no hashes: of each signature is checked whether it can be that of its reference, and
    whether the index holds its descriptors.

    Parameters
    ----------
    folder : Path
        The collection's folder.
    tell : callable, optional
        Told references done and all.

    Returns
    -------
    CollectionIntegrity

    Raises
    ------
    ReadError, CorruptFileError, UnsupportedFormatError
        When there is no manifest that says what to check.
    """
    manifest = store.read_manifest(folder)
    listed = manifest["references"]
    faults = list(_manifest_faults(folder, manifest))
    references: list[Reference | None] = []
    for row, entry in enumerate(listed):
        try:
            references.append(reference_of(entry))
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            references.append(None)
            faults.append(CollectionFault(store.MANIFEST, f"row {row}", f"is no reference: {error}"))
    arrays: dict[str, Any] = {}
    for name, (dtype, shape) in store.ARRAYS.items() if listed else ():
        try:
            arrays[name] = map_rows(store.array_path(folder, name), dtype, shape, len(listed))
        except (OSError, CorruptFileError) as error:
            said = reason(error) if isinstance(error, OSError) else str(error)
            faults.append(CollectionFault(f"{name}.npy", "", said))
    faults += _array_faults(folder, arrays)
    for row, (entry, reference) in enumerate(zip(listed, references, strict=True)):
        faults += _row_faults(row, entry, reference, arrays)
        if tell is not None:
            tell(row + 1, len(listed))
    if listed:
        faults += _index_faults(folder, manifest, arrays.get("local"))
    faults += _taxonomy_faults(folder, manifest)
    return CollectionIntegrity(len(listed), tuple(faults), tuple(_notes(folder, manifest)))


def _manifest_faults(folder: Path, manifest: Mapping[str, Any]) -> Iterator[CollectionFault]:
    try:
        store.check_seal(folder, manifest)
    except CorruptFileError:
        yield CollectionFault(store.MANIFEST, "", "its content is not the one that was written")
        return
    if manifest["format"] < store.SEALED:
        return
    bare = {name: value for name, value in manifest.items() if name != SEAL}
    if (folder / store.MANIFEST).read_bytes() != store.manifest_bytes(bare):
        yield CollectionFault(store.MANIFEST, "", "it says what was written, but not in the bytes that were written")


def _array_faults(folder: Path, arrays: Mapping[str, Any]) -> Iterator[CollectionFault]:
    for name in arrays:
        with open(store.array_path(folder, name), "rb") as file:
            header = store.expected_header(name, store.header_rows(folder, name))
            if file.read(len(header)) != header:
                yield CollectionFault(f"{name}.npy", "", "its header is not the one that was written")


def _row_faults(
    row: int, entry: Mapping[str, Any], reference: Reference | None, arrays: Mapping[str, Any]
) -> Iterator[CollectionFault]:
    shown = repr(entry.get("name")) if reference is None else reference.name
    digests = entry.get("sha256")
    if isinstance(digests, dict):
        for name in store.altered({name: values[row] for name, values in arrays.items()}, digests):
            yield CollectionFault(f"{name}.npy", shown, f"row {row} is not the one that was enrolled")
        return
    if reference is None or not {"codes", "frames"} <= set(arrays):
        return
    frame = np.asarray(arrays["frames"][row])
    keys = reference.keys
    if not np.isfinite(frame).all() or not 1 <= frame[7] <= MOST_POINTS:
        yield CollectionFault("frames.npy", shown, f"row {row} holds lengths that no part has")
        return
    if keys is not None and abs(frame[6] / keys.area_mm2 - 1.0) > 1e-6:
        yield CollectionFault(
            "frames.npy",
            shown,
            f"row {row} is that of another part, with a surface of {frame[6]:.6g} mm² instead of {keys.area_mm2:.6g}",
        )
    fault = mismatch(arrays["codes"][row], frame, reference)
    if fault is not None:
        yield CollectionFault("codes.npy", shown, f"row {row} is that of another part: {fault}")


def _index_faults(folder: Path, manifest: Mapping[str, Any], local: Any) -> Iterator[CollectionFault]:
    name = str(manifest.get("index", "index.faiss"))
    try:
        found = store.read_index(folder, manifest, len(manifest["references"]))
    except (BallisticsError, KeyError) as error:
        yield CollectionFault(name, "", str(error).partition("; ")[0].removeprefix(f"{folder / name} "))
        return
    if "index_sha256" in manifest or local is None:
        return
    made = DescriptorIndex(found.keypoints)
    made.add(np.asarray(local[row]) for row in range(len(local)))
    if made.to_bytes() != (folder / name).read_bytes():
        yield CollectionFault(name, "", "it does not hold the descriptors of local.npy: one of the two was altered")


def _taxonomy_faults(folder: Path, manifest: Mapping[str, Any]) -> Iterator[CollectionFault]:
    path = folder / store.TAXONOMY_FILE
    if not path.exists():
        return
    try:
        if "taxonomy" not in manifest:
            Taxonomy.load(path)
        elif path.read_bytes() != Taxonomy.of(manifest["taxonomy"], store.MANIFEST).to_json().encode():
            yield CollectionFault(
                path.name,
                "",
                "it is not the list of the manifest, which counts; `printed enrol --taxonomy` changes that",
            )
    except (BallisticsError, OSError) as error:
        yield CollectionFault(path.name, "", str(error).removeprefix(f"{path} "))


def _notes(folder: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    for path in store.leftovers(folder, manifest):
        yield f"belongs to no reference: {path.name}"
    for name in store.ARRAYS if manifest["references"] else ():
        path = store.array_path(folder, name)
        try:
            whole = len(store.expected_header(name, 0)) + len(manifest["references"]) * store.row_bytes(name)
            if path.stat().st_size > whole:
                yield f"{path.name} has {path.stat().st_size - whole} bytes behind the last reference: left by a stop"
            elif store.header_rows(folder, name) != len(manifest["references"]):
                yield f"{path.name} names another number of rows than there are references: left by a stop"
        except (OSError, CorruptFileError):
            continue
    if manifest["format"] < store.SEALED:
        yield (
            "written by an earlier version, without hashes: altered values cannot be told from those that were "
            "enrolled, only signatures that are those of another part; the next `printed enrol` adds hashes"
        )


def integrity_json(found: CollectionIntegrity) -> str:
    """Return what was found as JSON."""
    content = {
        "schema": "ballistics/collection-integrity/1",
        "references": found.references,
        "clean": found.clean,
        "faults": [vars(fault) for fault in found.faults],
        "notes": list(found.notes),
    }
    return json.dumps(content, indent=1, ensure_ascii=False)
