"""A laboratory's own collection: files enrolled into a folder of signatures, a bad file reported and passed over."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ballistics.errors import BallisticsError, ParameterError, UnsupportedFormatError, WriteError
from ballistics.printed.collection import Collection
from ballistics.printed.geometry_hash import GeometryKeys, copy_relation
from ballistics.printed.part import Part, PartFile, read_parts
from ballistics.printed.signature import signature_of
from ballistics.printed.taxonomy import Taxonomy
from ballistics.provenance import sha256_of_file

TAXONOMY_FILE = "taxonomy.json"
_MANIFEST = "manifest.json"
# A stop costs at most the signatures of so many parts.
_CHECKPOINT = 400

Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Enrolled:
    """What became of one part, or of a file that gave none.

    Parameters
    ----------
    file : str
        Its path from the folder that was given.
    outcome : {"enrolled", "already enrolled", "refused", "not a mesh"}
    name : str
        Of the reference; empty when there is none.
    note : str
        Of which reference it is a copy, or why it was refused.
    """

    file: str
    outcome: str
    name: str = ""
    note: str = ""


def open_collection(folder: Path) -> tuple[Collection, Taxonomy]:
    """Open a collection with its taxonomy: its own ``taxonomy.json``, else the one of the package.

    Raises
    ------
    CorruptFileError, UnsupportedFormatError
        As for `Collection.load`.
    """
    own = folder / TAXONOMY_FILE
    return Collection.load(folder), Taxonomy.load(own if own.exists() else None)


def collection_sha256(folder: Path) -> str:
    """Return the SHA-256 of a collection's list of references, in which every reference's geometry has its keys."""
    return sha256_of_file(folder / _MANIFEST)


def enrol_files(
    files: Iterable[tuple[str, Path]],
    folder: Path,
    *,
    name: str | None = None,
    category: str = "",
    taxonomy: Path | None = None,
    unit: str | None = None,
    tell: Tell | None = None,
) -> Iterator[Enrolled]:
    """Enrol every part of some files, and yield what became of each.

    The collection is on the disk in a whole state at any time. What is in it already, by the file's SHA-256, is passed
    over: a stopped run goes on when it is given again.

    Parameters
    ----------
    files : iterable of (str, Path)
        Names for the record, and where they lie.
    folder : Path
        The collection's folder; made when it does not exist.
    name : str, optional
        Of the reference, when there is one file only. Default: what the file is called.
    category : str
        Identifier of the taxonomy, or none.
    taxonomy : Path, optional
        The laboratory's own list, from now on this collection's.
    unit : str, optional
        As for `read_parts`.
    tell : callable, optional
        Told the files done and all files.

    Raises
    ------
    ParameterError
        For a name with several files, an unknown category, a name that is taken.
    WriteError
        When the folder holds something else, or cannot be written.
    """
    listed = list(files)
    if name is not None and len(listed) != 1:
        raise ParameterError(f"one name cannot be given to {len(listed)} files; enrol them one by one, or without")
    if folder.exists() and any(folder.iterdir()):
        if not (folder / _MANIFEST).exists():
            raise WriteError(f"{folder} holds something that is no collection; give another folder")
        collection, kinds = open_collection(folder)
    else:
        collection, kinds = Collection(), Taxonomy.load()
    if taxonomy is not None:
        kinds = Taxonomy.load(taxonomy)
    kinds.check(category)
    known = _Known(collection)
    waiting = 0
    try:
        for done, (shown, path) in enumerate(listed):
            if tell is not None:
                tell(done, len(listed))
            for row in _enrol_file(shown, path, collection, known, name, category, unit):
                waiting += row.outcome == "enrolled"
                yield row
            if waiting >= _CHECKPOINT:
                _replace(collection, folder, kinds)
                waiting = 0
                # What is saved is mapped from the disk from now on.
                collection = Collection.load(folder)
                known.collection = collection
    finally:
        if len(collection) and (waiting or taxonomy is not None):
            _replace(collection, folder, kinds)
    if tell is not None:
        tell(len(listed), len(listed))


class _Known:
    """What is enrolled already, by file and by geometry."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection
        self.names = {reference.name for reference in collection.references}
        self.files: dict[tuple[str, int], str] = {}
        self._keys: dict[str, list[tuple[str, GeometryKeys]]] = {}
        for reference in collection.references:
            self.add(reference.name, reference.metadata, reference.keys)

    def add(self, name: str, facts: Mapping[str, Any], keys: GeometryKeys | None) -> None:
        self.names.add(name)
        self.files[str(facts.get("sha256", "")), int(facts.get("part_number", 0))] = name
        if keys is not None:
            self._keys.setdefault(keys.exact, []).append((name, keys))

    def same_geometry(self, keys: GeometryKeys) -> str:
        """Return the name of a reference of the same geometry, or nothing."""
        for key in keys.near():
            for name, own in self._keys.get(key, ()):
                if copy_relation(keys, own) == "same":
                    return name
        return ""


def _enrol_file(
    shown: str, path: Path, collection: Collection, known: _Known, name: str | None, category: str, unit: str | None
) -> Iterator[Enrolled]:
    try:
        file = read_parts(path, unit=unit)
    except UnsupportedFormatError as error:
        yield Enrolled(shown, "not a mesh", note=str(error).removeprefix(f"{path}: "))
        return
    except BallisticsError as error:
        yield Enrolled(shown, "refused", note=str(error).removeprefix(f"{path}: "))
        return
    for number, part in enumerate(file.parts, 1):
        facts = _facts(shown, file, part, number)
        present = known.files.get((facts["sha256"], number))
        if present is not None:
            yield Enrolled(shown, "already enrolled", present)
            continue
        called = name if name is not None else reference_name(Path(shown).stem, part, number, len(file.parts))
        if name is not None and called in known.names:
            raise ParameterError(f"the collection already has a reference named '{called}'; choose another name")
        for ending in (f" ({facts['sha256'][:8]})", f", part {number}"):
            called += ending if called in known.names else ""
        try:
            signature = signature_of(part)
        except BallisticsError as error:
            yield Enrolled(shown, "refused", called, str(error))
            continue
        twin = "" if signature.keys is None else known.same_geometry(signature.keys)
        collection.enrol(signature, called, category=category, metadata=facts)
        known.add(called, facts, signature.keys)
        yield Enrolled(shown, "enrolled", called, f"same geometry as '{twin}'" if twin else "")


def reference_name(file: str, part: Part, number: int, parts: int) -> str:
    """Return what a part of a file is called among references: the file's name when it is the only one.

    Examples
    --------
    >>> import numpy as np
    >>> part = Part(np.zeros((0, 3)), np.zeros((0, 3), np.int64), "lid")
    >>> reference_name("box", part, 2, 3), reference_name("box", part, 1, 1)
    ('box / lid 2', 'box')
    """
    if parts == 1:
        return file
    # Parts that the file does not name are called after it and numbered.
    return part.name if part.name.startswith(f"{file} ") else f"{file} / {part.name or 'part'} {number}"


def _facts(shown: str, file: PartFile, part: Part, number: int) -> dict[str, Any]:
    extent = part.vertices_mm.max(axis=0) - part.vertices_mm.min(axis=0)
    return {
        "file": shown,
        "sha256": file.provenance.inputs["file"] if file.provenance is not None else "",
        "format": file.format,
        "unit": file.unit,
        "part": part.name,
        "part_number": number,
        "faces": len(part.faces),
        "extent_mm": [round(float(value), 6) for value in extent],
        "findings": sorted({finding.code for finding in (*file.findings, *part.findings)}),
    }


def _replace(collection: Collection, folder: Path, taxonomy: Taxonomy) -> None:
    """Write the collection beside its folder and put it in place: at any time one of both is whole."""
    target = folder.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            collection.save(made)
            (made / TAXONOMY_FILE).write_text(taxonomy.to_json(), encoding="utf-8")
            made.chmod(0o755)
            old = made.with_name(f"{made.name}-old")
            if target.exists():
                os.replace(target, old)
            os.replace(made, target)
            shutil.rmtree(old, ignore_errors=True)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
    except OSError as error:
        raise WriteError(f"{folder} cannot be written: {error.strerror or error}; choose another place") from error
