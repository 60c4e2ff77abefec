"""A laboratory's own collection: files enrolled into a folder of signatures, a bad file reported and passed over."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from ballistics.errors import BallisticsError, ParameterError, UnknownFormatError, WriteError, was_interrupted
from ballistics.files import write_whole
from ballistics.printed.collection import store
from ballistics.printed.collection.collection import Collection
from ballistics.printed.collection.taxonomy import Taxonomy
from ballistics.printed.content.part import Part, PartFile
from ballistics.printed.describe.geometry_hashes import GeometryKeys, copy_relation
from ballistics.printed.describe.signature import signature_of
from ballistics.printed.files.reading import read_parts
from ballistics.provenance import sha256_of_file

TAXONOMY_FILE = store.TAXONOMY_FILE
# Between two commits work goes on for this multiple of the time that the last one took: a stop costs little work, and
# commits cost at most a tenth of the time.
_PAUSES = 10.0
_DATE = re.compile(r"(?:19|20)\d\d-[01]\d-[0-3]\d(?:T[0-2]\d:[0-5]\d(?::[0-5]\d)?)?")

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
    """Open a collection with its taxonomy: that of its manifest; before format 2 its ``taxonomy.json``, else the one
    of the package.

    Raises
    ------
    CorruptFileError, UnknownFormatError
        As for `Collection.load`.
    """
    collection = Collection.load(folder)
    if collection.taxonomy is not None:
        return collection, Taxonomy.of(collection.taxonomy, str(folder / store.MANIFEST))
    own = folder / TAXONOMY_FILE
    return collection, Taxonomy.load(own if own.exists() else None)


def collection_sha256(folder: Path) -> str:
    """Return a SHA-256 that covers a collection: its manifest, which names every row, the index and itself by SHA-256.

    Before format 2 a manifest named none: then it is that of the manifest and all arrays and the index.
    """
    manifest = sha256_of_file(folder / store.MANIFEST)
    if store.read_manifest(folder)["format"] >= store.SEALED:
        return manifest
    files = (*(store.array_path(folder, name) for name in store.ARRAYS), folder / "index.faiss", folder / TAXONOMY_FILE)
    all_ = [manifest, *(sha256_of_file(path) if path.exists() else "" for path in files)]
    return sha256(" ".join(all_).encode()).hexdigest()


def enrol_files(
    files: Iterable[tuple[str, Path]],
    folder: Path,
    *,
    name: str | None = None,
    category: str = "",
    taxonomy: Path | None = None,
    unit: str | None = None,
    tell: Tell | None = None,
    waiting: Callable[[], None] | None = None,
) -> Iterator[Enrolled]:
    """Enrol every part of some files, and yield what became of each: a row that is yielded is on the disk.

    Signatures are added to the collection, which is on the disk in a whole state at any time, whatever stops the run.
    What is in it already, by the file's SHA-256, is passed over: a stopped run goes on when it is given again. Of
    several processes that enrol into one folder, one at a time does; the others wait.

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
    waiting : callable, optional
        Told once when another process is enrolling into the folder.

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
    own = None if taxonomy is None else Taxonomy.load(taxonomy)
    if not store.is_collection(folder):
        if not store.is_free(folder):
            raise WriteError(f"{folder} holds something that is no collection; give another folder")
        # Before anything is made.
        (own or Taxonomy.load()).check(category)
    with store.enrolling(folder, waiting):
        if store.is_collection(folder):
            collection, kinds = open_collection(folder)
        else:
            collection, kinds = Collection(), Taxonomy.load()
        (own or kinds).check(category)
        yield from _Enrolling(collection, folder, own or kinds, own is not None).files(
            listed, name, category, unit, tell
        )


class _Enrolling:
    """Enrolment into a collection whose lock is held."""

    def __init__(self, collection: Collection, folder: Path, taxonomy: Taxonomy, new_taxonomy: bool) -> None:
        self.collection, self.folder, self.taxonomy = collection, folder, taxonomy
        self.known = _Known(collection)
        self.waiting: list[Enrolled] = []
        # The collection is always written with its taxonomy; without a reference only when the taxonomy is new.
        self.changed = new_taxonomy and bool(len(collection))
        collection.taxonomy = taxonomy.content()
        self.committed_at, self.took = time.monotonic(), 0.0

    def files(
        self, listed: Sequence[tuple[str, Path]], name: str | None, category: str, unit: str | None, tell: Tell | None
    ) -> Iterator[Enrolled]:
        try:
            for done, (shown, path) in enumerate(listed):
                if tell is not None:
                    tell(done, len(listed))
                for row in _enrol_file(_unicode(shown), path, self.collection, self.known, name, category, unit):
                    self.waiting.append(row)
                    self.changed |= row.outcome == "enrolled"
                if not self.changed or time.monotonic() - self.committed_at >= _PAUSES * self.took:
                    yield from self.commit()
        except BaseException as error:
            # Every row that was yielded is on the disk already; the rest is found again by the next run.
            if not isinstance(error, (GeneratorExit, WriteError)):
                self.commit()
            raise
        yield from self.commit()
        if tell is not None:
            tell(len(listed), len(listed))

    def commit(self) -> list[Enrolled]:
        """Have on the disk what was enrolled, and return the rows that may be told now."""
        if self.changed:
            began = time.monotonic()
            self.collection.commit(self.folder)
            write_whole(self.folder / TAXONOMY_FILE, self.taxonomy.to_json().encode())
            self.committed_at, self.changed = time.monotonic(), False
            self.took = self.committed_at - began
        told, self.waiting = self.waiting, []
        return told


def _unicode(text: str) -> str:
    """Return a name without the halves of characters that a file system may hold and a file of ours may not."""
    return text.encode("utf-8", "replace").decode()


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
    except UnknownFormatError as error:
        yield Enrolled(shown, "not a mesh", note=str(error).removeprefix(f"{path}: "))
        return
    except BallisticsError as error:
        yield Enrolled(shown, "refused", note=str(error).removeprefix(f"{path}: "))
        return
    except Exception as error:  # a reader met what nobody thought of: one file must not end the enrolment of a disk
        if was_interrupted(error):
            raise
        yield Enrolled(shown, "refused", note=_unicode(f"the reader failed: {type(error).__name__}: {error}"[:300]))
        return
    for number, part in enumerate(file.parts, 1):
        facts = _facts(shown, file, part, number)
        present = known.files.get((facts["sha256"], number))
        if present is not None:
            yield Enrolled(shown, "already enrolled", present)
            continue
        called = name if name is not None else reference_name(Path(shown).stem, part, number, len(file.parts))
        called = _unicode(called)
        if name is not None and called in known.names:
            raise ParameterError(f"the collection already has a reference named '{called}'; choose another name")
        for ending in (f" ({facts['sha256'][:8]})", f", part {number}"):
            called += ending if called in known.names else ""
        if part.metadata.get("role"):
            note = f"no solid part of the object ({part.metadata['role']}): not what is printed"
            yield Enrolled(shown, "refused", called, _unicode(note))
            continue
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

    Parameters
    ----------
    file : str
        The file's name without folder and suffix.
    part : Part
        Whose own name is used where the file gives it one.
    number : int
        Of the part in its file, from 1.
    parts : int
        How many parts the file has.

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
        **_dated(file),
    }


def _dated(file: PartFile) -> dict[str, str]:
    """Return the last date that a file states of itself, as ISO text; nothing where it states none."""
    stated = {name.lower(): str(value) for name, value in file.metadata.items()}
    for name in ("modificationdate", "creationdate", "date"):
        if found := _DATE.search(stated.get(name, "")):
            return {"dated": found[0]}
    return {}
