"""A collection's folder: arrays that grow row by row, an index, and the manifest that alone says what counts.

The manifest is put in place last, in one step, and names everything else by its SHA-256: a process that is killed at
any moment leaves the collection as the last manifest says, and rows behind the last one that nobody looks at.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import BallisticsError, CorruptFileError, UnsupportedFormatError, WriteError
from ballistics.files import (
    SEAL,
    header_bytes,
    is_temporary,
    load_json,
    locked,
    map_rows,
    read_header,
    real_path,
    reason,
    seal_fault,
    sealed,
    sync_folder,
    write_whole,
)
from ballistics.printed.collection.descriptor_index import DescriptorIndex
from ballistics.printed.describe.signature import KEYPOINTS, MOST_POINTS, Signature
from ballistics.provenance import sha256_of_file

MANIFEST = "manifest.json"
TAXONOMY_FILE = "taxonomy.json"
LOCK = "enrol.lock"
#: Since 2: SHA-256 of every row, of the index and of the manifest itself; the taxonomy stands in the manifest. Since 3:
#: what was enrolled since the index was written stands in a second, small one.
FORMAT = 3
SEALED = 2
_READ = (1, 2, 3)
# References in the second index: at least this number, or this share of the first, before the two become one.
_FEWEST_ADDED, _MOST_ADDED = 32, 0.125
_OLD_INDEX = "index.faiss"
_INDEX_NAME = re.compile(r"index-[0-9a-f]{16}\.faiss")
#: Arrays, one row for each reference: numbers and shape of a row.
ARRAYS: Mapping[str, tuple[np.dtype[Any], tuple[int, ...]]] = {
    "codes": (np.dtype(np.uint8), (MOST_POINTS, 3)),
    "frames": (np.dtype(np.float64), (8,)),
    "local": (np.dtype(np.int8), (6, KEYPOINTS, 24)),
    "whole": (np.dtype(np.int8), (3, 24)),
}
_HOLDS = {"codes": "the points", "frames": "the lengths", "local": "the descriptors", "whole": "the whole shapes"}
_NOTHING = "what was enrolled before is untouched; choose another place, or make room"

#: What to do about an altered file.
SEE = "`ballistics printed verify` says what was altered; take it from a backup, or fetch the collection again"

# SHA-256 of a reference's row in each array.
Digests = Mapping[str, str]


def rows_of(signature: Signature) -> dict[str, NDArray[Any]]:
    """Return a signature as one row of each array."""
    made = {name: np.zeros(shape, dtype) for name, (dtype, shape) in ARRAYS.items()}
    made["codes"][: len(signature.codes)] = signature.codes
    made["frames"][:] = (
        *signature.origin_mm, signature.step_mm, signature.spacing_mm, signature.size_mm, signature.area_mm2,
        len(signature.codes),
    )  # fmt: skip
    made["local"][:] = -128
    made["local"][:, : signature.local.shape[1]] = signature.local
    made["whole"][:] = signature.whole
    return made


def digest(row: NDArray[Any]) -> str:
    """Return the SHA-256 of the bytes of one row."""
    return sha256(np.ascontiguousarray(row).data).hexdigest()


def array_path(folder: Path, name: str) -> Path:
    """Return the file of an array."""
    return folder / f"{name}.npy"


def append_rows(folder: Path, first: int, signatures: Iterable[Signature]) -> list[Digests]:
    """Write signatures behind the first rows that count, over what a stopped run has left there, and have it on disk.

    Parameters
    ----------
    folder : Path
        Of the collection; it exists.
    first : int
        Rows that count; 0 starts the arrays anew.
    signatures : iterable of Signature
        Written one after another as they come, so that they need not be in memory together.

    Returns
    -------
    list of Digests
        Of each written row, the SHA-256 by array.

    Raises
    ------
    WriteError
        When it cannot be written: the rows that count are untouched.
    CorruptFileError
        When the arrays have fewer rows, or another program wrote them.
    """
    digests: list[Digests] = []
    try:
        with _opened_arrays(folder, first) as files:
            for signature in signatures:
                rows = rows_of(signature)
                for name, file in files.items():
                    file.write(rows[name].tobytes())
                digests.append({name: digest(row) for name, row in rows.items()})
            for name, file in files.items():
                file.truncate()
                file.flush()
                os.fsync(file.fileno())
                # Only now: a header must not name rows that are not there.
                dtype, shape = ARRAYS[name]
                file.seek(0)
                file.write(header_bytes(dtype, (first + len(digests), *shape)))
                file.flush()
                os.fsync(file.fileno())
        sync_folder(folder)
    except OSError as error:
        raise WriteError(f"{folder} cannot be written: {reason(error)}; {_NOTHING}") from error
    return digests


@contextmanager
def _opened_arrays(folder: Path, first: int) -> Iterator[dict[str, Any]]:
    """Open the arrays, each at the end of its first rows."""
    files: dict[str, Any] = {}
    try:
        for name, (dtype, shape) in ARRAYS.items():
            path = array_path(folder, name)
            if not first:
                files[name] = open(path, "wb")  # noqa: SIM115 - closed below
                files[name].write(header_bytes(dtype, (0, *shape)))
                continue
            offset = map_rows(path, dtype, shape, first).offset  # type: ignore[attr-defined]
            if offset != len(header_bytes(dtype, (first, *shape))):
                raise CorruptFileError(f"{path} was written by another program; nothing can be added to it")
            files[name] = open(path, "rb+")  # noqa: SIM115 - closed below
            files[name].seek(offset + first * row_bytes(name))
        yield files
    finally:
        for file in files.values():
            file.close()


def map_arrays(folder: Path, count: int) -> dict[str, NDArray[Any]]:
    """Map the first rows of all arrays into memory; none when there is no row.

    Raises
    ------
    CorruptFileError
        When an array is missing, or of another shape.
    """
    mapped = {}
    for name, (dtype, shape) in ARRAYS.items() if count else ():
        try:
            mapped[name] = map_rows(array_path(folder, name), dtype, shape, count)
        except (CorruptFileError, OSError) as error:
            said = reason(error) if isinstance(error, OSError) else error
            raise CorruptFileError(
                f"{folder} cannot be read as a collection: {_HOLDS[name]} ({name}.npy): {said}; fetch it again"
            ) from error
    return mapped


def write_index(folder: Path, index: DescriptorIndex, written: Mapping[str, Any]) -> dict[str, Any]:
    """Write what of an index is not in the folder, under names of its own, and return what the manifest says of it.

    Parameters
    ----------
    folder : Path
        Of the collection.
    index : DescriptorIndex
        Of all references.
    written : mapping
        The manifest of the folder from which the base of the index was read; empty when there is none. While little
        was added, that base stays as it is.
    """
    base = index.base_references
    added = index.references - base
    # Before format 3 there was one index, of all references.
    known = written.get("index_references", len(written.get("references", ())))
    is_named = "index_sha256" in written and base == known and index.keypoints == written["index_keypoints"]
    is_kept = base > 0 and is_named
    if not is_kept or added > max(_FEWEST_ADDED, _MOST_ADDED * base):
        name, sha256_of_it = _write_index(folder, index.to_bytes())
        base, added = index.references, 0
    else:
        name, sha256_of_it = written["index"], written["index_sha256"]
    second = _write_index(folder, index.added_to_bytes()) if added else None
    return {
        "index": name,
        "index_sha256": sha256_of_it,
        "index_keypoints": index.keypoints,
        "index_references": base,
        "index_added": None if second is None else dict(zip(("index", "index_sha256"), second, strict=True)),
    }


def _write_index(folder: Path, data: bytes) -> tuple[str, str]:
    found = sha256(data).hexdigest()
    name = f"index-{found[:16]}.faiss"
    write_whole(folder / name, data, left=_NOTHING)
    return name, found


def read_index(folder: Path, manifest: Mapping[str, Any], count: int) -> DescriptorIndex:
    """Open the index that a manifest names, after checking that it is the one that was written.

    Parameters
    ----------
    folder : Path
        Of the collection.
    manifest : mapping
        As it was read; what it says of the index is used, and checked here.
    count : int
        How many references are in the index.

    Returns
    -------
    DescriptorIndex

    Raises
    ------
    CorruptFileError
        When the manifest names no index, or a file is not the one that was written or cannot be read.
    """
    keypoints = manifest["index_keypoints"]
    if type(keypoints) is not int or not 1 <= keypoints <= KEYPOINTS:
        raise CorruptFileError(f"{folder}: the index has {keypoints!r} keypoints of each reference; fetch it again")
    base, second = manifest.get("index_references", count), manifest.get("index_added")
    if type(base) is not int or not 0 < base <= count or (base < count) != isinstance(second, dict):
        raise CorruptFileError(f"{folder}: the index has {base!r} of {count} references; fetch the collection again")
    path = _checked_index(folder, manifest)
    index = DescriptorIndex.read(path, keypoints, base, added=_checked_index(folder, second) if second else None)
    index.references = count
    return index


def _checked_index(folder: Path, named: Mapping[str, Any]) -> Path:
    """Return the file of an index, when it is the one that was written."""
    name = str(named.get("index", _OLD_INDEX))
    path = folder / name
    if name != _OLD_INDEX and not _INDEX_NAME.fullmatch(name):
        raise CorruptFileError(f"{folder}: '{name[:80]}' is not the name of an index; fetch the collection again")
    try:
        if "index_sha256" in named and sha256_of_file(path) != named["index_sha256"]:
            raise CorruptFileError(f"{path} is not the index that was written; {SEE}")
    except OSError as error:
        raise CorruptFileError(f"{path} cannot be read: {reason(error)}; {SEE}") from error
    return path


def write_manifest(folder: Path, content: Mapping[str, Any]) -> None:
    """Put a manifest in place: from now on, and not before, the collection is what it says."""
    write_whole(folder / MANIFEST, manifest_bytes(content), left=_NOTHING)


def manifest_bytes(content: Mapping[str, Any]) -> bytes:
    """Return a manifest as it is written, with its seal."""
    text = json.dumps(sealed(content), ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False)
    return (text + "\n").encode()


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read a manifest.

    Raises
    ------
    CorruptFileError
        When there is none, it is of no collection, or was altered.
    UnsupportedFormatError
        When another version of this program wrote it.
    """
    restore_half_swap(folder)
    try:
        content = load_json(folder / MANIFEST, "the manifest of a collection")
    except CorruptFileError:
        raise
    except BallisticsError as error:
        raise CorruptFileError(
            f"{folder} is not a collection of signatures, or its writing was stopped: {error}"
        ) from error
    if not isinstance(content, dict) or not isinstance(content.get("references"), list):
        raise CorruptFileError(f"{folder} is not a collection of signatures: {MANIFEST} lists no references")
    if content.get("format") not in _READ:
        raise UnsupportedFormatError(
            f"{folder} is of collection format {content.get('format')!r}; this version reads {_READ[0]} to {FORMAT}"
        )
    return content


def check_seal(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Refuse a manifest that is not the one that was written; before format 2 none could be told from another."""
    fault = seal_fault(manifest)
    if manifest["format"] >= SEALED and SEAL not in manifest:
        fault = "its seal is missing"
    if fault is not None:
        raise CorruptFileError(f"{folder / MANIFEST}: {fault}; take it from a backup, or fetch the collection again")


def is_collection(folder: Path) -> bool:
    """Return whether a folder holds a collection."""
    restore_half_swap(folder)
    return (folder / MANIFEST).exists()


def is_free(folder: Path) -> bool:
    """Return whether a new collection may be made here: nothing is there, or only what a stopped attempt has left."""
    ours = {f"{name}.npy" for name in ARRAYS} | {LOCK}
    return not folder.exists() or all(
        path.name in ours or _INDEX_NAME.fullmatch(path.name) or is_temporary(path.name) for path in folder.iterdir()
    )


def remove_leftovers(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Delete indexes that the manifest does not name; who has one open keeps it."""
    for path in leftovers(folder, manifest):
        if path.suffix == ".faiss":
            path.unlink(missing_ok=True)


def leftovers(folder: Path, manifest: Mapping[str, Any]) -> list[Path]:
    """Return the files of a collection's folder that its manifest does not name."""
    named = {MANIFEST, TAXONOMY_FILE, LOCK, str(manifest.get("index", _OLD_INDEX))}
    if manifest.get("index_added"):
        named.add(str(manifest["index_added"].get("index")))
    if manifest["references"]:
        named |= {f"{name}.npy" for name in ARRAYS}
    return sorted(path for path in folder.iterdir() if path.name not in named)


@contextmanager
def enrolling(folder: Path, waiting: Any = None) -> Iterator[None]:
    """Be the only one who enrols into a folder, which is made when it is not there; others wait."""
    try:
        if not folder.exists():
            folder.mkdir(parents=True, exist_ok=True)
            sync_folder(real_path(folder).parent)
    except OSError as error:
        raise WriteError(f"{folder} cannot be written: {reason(error)}; choose another place") from error
    with locked(folder / LOCK, waiting=waiting):
        yield
    # Nothing was enrolled into a new folder.
    with contextlib.suppress(OSError):
        folder.rmdir()


def restore_half_swap(folder: Path) -> None:
    """Put back a collection that a version before format 2 was stopped from replacing.

    It wrote a whole new folder beside the old one and exchanged the two in two steps; a stop in between left neither
    in place. The new one is taken when it is whole, else the old one.
    """
    target = real_path(folder)
    beside = re.compile(rf"\.{re.escape(target.name)}-[a-z0-9_]{{8}}(-old)?")
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            return
        found = [path for path in target.parent.iterdir() if beside.fullmatch(path.name) and path.is_dir()]
    except OSError:
        return
    whole = [path for path in found if _is_whole(path)]
    if not whole:
        return
    # An old folder is there only when a whole new one was about to take its place: that one holds more.
    best = max(whole, key=lambda path: (_rows(path), not path.name.endswith("-old"), path.name))
    try:
        if target.exists():
            target.rmdir()
        os.replace(best, target)
        sync_folder(target.parent)
        for path in found:
            if path != best:
                shutil.rmtree(path, ignore_errors=True)
    except OSError as error:
        raise WriteError(
            f"{folder} is missing; {best} holds it, left by an enrolment that was stopped, and cannot be put back: "
            f"{reason(error)}; rename it"
        ) from error


def _rows(folder: Path) -> int:
    content = load_json(folder / MANIFEST, "the manifest of a collection")
    return len(content["references"])


def _is_whole(folder: Path) -> bool:
    try:
        map_arrays(folder, _rows(folder))
    except (BallisticsError, KeyError, TypeError):
        return False
    return (folder / _OLD_INDEX).exists()


def altered(row: Mapping[str, NDArray[Any]], digests: Digests) -> Sequence[str]:
    """Return the names of the arrays in which a reference's row is not the one that was written."""
    return [name for name, values in row.items() if digest(values) != digests.get(name)]


def expected_header(name: str, rows: int) -> bytes:
    """Return the header of an array with this number of rows."""
    dtype, shape = ARRAYS[name]
    return header_bytes(dtype, (rows, *shape))


def row_bytes(name: str) -> int:
    """Return the size of a row of an array."""
    dtype, shape = ARRAYS[name]
    return int(np.prod(shape)) * dtype.itemsize


def header_rows(folder: Path, name: str) -> int:
    """Return how many rows an array's header names."""
    with open(array_path(folder, name), "rb") as file:
        return read_header(file).shape[0]
