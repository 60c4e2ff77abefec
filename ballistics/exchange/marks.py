"""Marks in a package: templates and what a search needs beside them; the scan itself only where it was asked for."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError, HostileFileError, ParameterError, ReadError, UnsupportedFormatError
from ballistics.exchange.package import Manifest, Part
from ballistics.exchange.rows import read_rows, write_rows
from ballistics.files import reason
from ballistics.library import (
    DESCRIPTION_FIELDS,
    Description,
    EnrolledMark,
    LibraryStore,
    signature_template,
    tables,
    template,
    version_of,
)
from ballistics.provenance import sha256_of_file
from ballistics.store import reading

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

ROWS = "marks/rows.jsonl"
#: What of a description leaves when nothing else is said: class characteristics, by which a search is narrowed.
CLASS_FIELDS = ("calibre", "firing_pin_shape", "breech_face_type")
_ROW_FIELDS = ("number", "mark_kind", "surface_kind", "spacing_um", "version", "slot", "scan", "scan_sha256")
_TEXT = 500
_SUFFIX = re.compile(r"\.[a-z0-9]{1,12}\Z")


@dataclass(frozen=True)
class MarkSelection:
    """Which marks of a library go into a package, and what of them.

    Parameters
    ----------
    marks : sequence of int
        Their numbers in the library.
    fields : sequence of str
        Fields of `Description` that leave with them; nothing else of the description does.
    scans : mapping of int to Path
        For marks that leave with their scan: the scan's file, which must be the one that was enrolled.
    """

    marks: Sequence[int]
    fields: Sequence[str] = CLASS_FIELDS
    scans: Mapping[int, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class PartnerMark:
    """A mark of a partner's package.

    Parameters
    ----------
    number : int
        In the package, from 1; by it the scan is asked for.
    mark_kind, surface_kind : str
        As of `Mark`.
    spacing_um : float
        Of the mark that the template was made of.
    version : str
        Of the template.
    slot : int
        Its place among the templates of its version.
    scan, scan_sha256 : str
        Member that holds the scan, and its SHA-256; empty for a mark without.
    description : Description
        What the partner says of it.
    """

    number: int
    mark_kind: str
    surface_kind: str
    spacing_um: float
    version: str
    slot: int
    scan: str
    scan_sha256: str
    description: Description


def mark_parts(library: LibraryStore, selection: MarkSelection, folder: Path) -> tuple[list[Part], dict[str, int]]:
    """Return the members that marks of a library need in a package, and how many marks and scans they are.

    Parameters
    ----------
    library : LibraryStore
        Whose marks they are.
    selection : MarkSelection
        Which, and what of them.
    folder : Path
        A temporary folder for members.

    Raises
    ------
    ParameterError
        When the library has no such mark, the mark has no current template, or a scan is not the one enrolled.
    CorruptFileError
        When a template is not the one that was made.
    """
    unknown = sorted(set(selection.fields) - set(DESCRIPTION_FIELDS))
    if unknown:
        raise ParameterError(f"there is no field '{unknown[0]}'; choose from {', '.join(DESCRIPTION_FIELDS)}")
    if len(set(selection.marks)) < len(selection.marks):
        raise ParameterError("a mark was chosen twice")
    stacks: dict[str, list[bytes]] = {}
    rows: list[dict[str, Any]] = []
    scans: list[Part] = []
    with reading(library.engine, str(library.folder)) as connection:
        for number, mark_id in enumerate(selection.marks, 1):
            entry = library.entry_in(connection, mark_id)
            version = version_of(entry.mark_kind)
            stack = stacks.setdefault(version, [])
            stack.append(_record(library, connection, mark_id, version))
            scan = _scan_part(entry, selection.scans.get(mark_id), number)
            scans += [] if scan is None else [scan]
            rows.append(
                {
                    "number": number,
                    "mark_kind": entry.mark_kind,
                    "surface_kind": entry.surface_kind,
                    "spacing_um": entry.spacing_um,
                    "version": version,
                    "slot": len(stack) - 1,
                    "scan": "" if scan is None else scan.name,
                    "scan_sha256": "" if scan is None else entry.identity,
                    **{name: getattr(entry.description, name) for name in selection.fields},
                }
            )
    path = folder / "marks.jsonl"
    write_rows(path, rows, "the marks")
    parts = [Part(ROWS, path)]
    for version, records in sorted(stacks.items()):
        made = folder / f"{version}.stack"
        made.write_bytes(b"".join(records))
        parts.append(Part(f"marks/{version}.stack", made))
    return parts + scans, {"marks": len(rows), "scans": len(scans)}


def check_marks(folder: Path, manifest: Manifest, where: str) -> None:
    """Raise when the marks of an extracted package are not what its manifest says, or ask for what no mark needs.

    Parameters
    ----------
    folder : Path
        Of the extracted package.
    manifest : Manifest
    where : str
        Its name, for messages.
    """
    names = {member.name: member for member in manifest.members}
    in_folder = {name for name in names if name.startswith("marks/")}
    if ROWS not in names:
        if in_folder or manifest.contents.get("marks") or manifest.contents.get("scans"):
            raise CorruptFileError(f"{where}: it holds templates or scans, but does not say of what")
        return
    marks = read_marks(folder, where)
    used: dict[str, set[int]] = {}
    for mark in marks:
        if mark.slot in used.setdefault(mark.version, set()):
            raise CorruptFileError(f"{where}: two marks have one template, {mark.slot} of {mark.version}")
        used[mark.version].add(mark.slot)
        if mark.scan and (mark.scan not in names or names[mark.scan].sha256 != mark.scan_sha256):
            raise CorruptFileError(f"{where}: the scan of mark {mark.number} is missing, or another one")
    for version, slots in used.items():
        _check_stack(folder, version, [mark for mark in marks if mark.version == version], len(slots), where)
    scans = [mark.scan for mark in marks if mark.scan]
    stated = {name for name in names if name.startswith("scans/")}
    if set(scans) != stated or len(set(scans)) < len(scans):
        raise CorruptFileError(f"{where}: it holds scans that belong to no mark")
    if in_folder != {ROWS, *(f"marks/{version}.stack" for version in used)}:
        raise CorruptFileError(f"{where}: it holds templates that belong to no mark")
    if manifest.contents.get("marks") != len(marks) or manifest.contents.get("scans") != len(scans):
        raise CorruptFileError(f"{where}: it holds {len(marks)} marks, its manifest says otherwise")


def read_marks(folder: Path, where: str) -> list[PartnerMark]:
    """Return the marks of an extracted package, in the order of their numbers.

    Raises
    ------
    CorruptFileError
        When a row is not that of a mark.
    HostileFileError
        As of `ballistics.exchange.rows.read_rows`.
    """
    found = [_mark(row, f"{where}, mark {number}") for number, row in _numbered(folder, where)]
    if [mark.number for mark in found] != list(range(1, len(found) + 1)):
        raise CorruptFileError(f"{where}: its marks are not numbered from 1")
    return found


def records_of(folder: Path, version: str) -> NDArray[np.uint8]:
    """Return the templates of a version in an extracted package, mapped into memory, shape (n, bytes)."""
    layout = layout_of(version)
    assert layout is not None  # a package of another version is not taken in, nor searched after an update
    path = folder / f"marks/{version}.stack"
    try:
        mapped: NDArray[Any] = np.memmap(path, np.uint8, "r").reshape(-1, layout.RECORD_BYTES)
    except (OSError, ValueError) as error:
        raise CorruptFileError(f"{path} cannot be read as templates: {error}; take the package in again") from error
    return mapped


def layout_of(version: str) -> ModuleType | None:
    """Return the module that states the layout of a version of templates; None when this program has none."""
    return {template.VERSION: template, signature_template.VERSION: signature_template}.get(version)


def _record(library: LibraryStore, connection: Connection, mark_id: int, version: str) -> bytes:
    query = sa.select(tables.templates.c.slot, tables.templates.c.sha256, tables.stacks.c.record_bytes).where(
        tables.templates.c.mark_id == mark_id,
        tables.templates.c.version == version,
        tables.stacks.c.version == tables.templates.c.version,
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise ParameterError(f"mark {mark_id} has no template of this version: `ballistics library renew` makes it")
    stack = library.templates.stack(version, row.record_bytes)
    fault = stack.fault(row.slot, row.sha256)
    if fault is not None:
        raise CorruptFileError(f"{library.folder}, mark {mark_id}: {fault}; `ballistics library verify` says what else")
    return bytes(stack.records(row.slot + 1)[row.slot])


def _scan_part(entry: EnrolledMark, path: Path | None, number: int) -> Part | None:
    if path is None:
        return None
    try:
        same = sha256_of_file(path) == entry.identity
    except OSError as error:
        raise ReadError(f"{path} cannot be read: {reason(error)}") from error
    if not same:
        raise ParameterError(f"{path} is not the scan of mark {entry.id}, '{entry.scan}': it has another SHA-256")
    suffix = Path(entry.scan).suffix.lower()
    # The file's own name says more than the partner needs: case numbers, persons.
    return Part(f"scans/{number:06d}{suffix if _SUFFIX.match(suffix) else '.scan'}", path)


def _numbered(folder: Path, where: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    yield from enumerate(read_rows(folder / ROWS, f"{where}, {ROWS}"), 1)


def _mark(row: Mapping[str, Any], where: str) -> PartnerMark:
    for name, kind in zip(_ROW_FIELDS, (int, str, str, float, str, int, str, str), strict=True):
        value = row.get(name)
        if type(value) is not kind and not (kind is float and type(value) is int):
            raise CorruptFileError(f"{where}: '{name}' is missing, or not of its kind")
        if isinstance(value, str) and len(value) > _TEXT:
            raise HostileFileError(f"{where}: '{name}' has {len(value)} characters, {_TEXT} at most")
    spacing_um = float(row["spacing_um"])
    if not (math.isfinite(spacing_um) and 0.0 < spacing_um < 1e6) or not 0 <= row["slot"] < 1 << 32:
        raise CorruptFileError(f"{where}: its spacing or its place is that of no mark")
    if layout_of(row["version"]) is None:
        raise UnsupportedFormatError(
            f"{where}: its template is of version '{row['version'][:40]}', this program has {template.VERSION} and "
            f"{signature_template.VERSION}: both laboratories need the same version"
        )
    described = {name: value for name, value in row.items() if name not in _ROW_FIELDS}
    for name, value in described.items():
        if name not in DESCRIPTION_FIELDS or not isinstance(value, str) or len(value) > _TEXT:
            raise CorruptFileError(f"{where}: '{name}' is nothing that a mark is described by")
    return PartnerMark(
        row["number"],
        row["mark_kind"],
        row["surface_kind"],
        spacing_um,
        row["version"],
        row["slot"],
        row["scan"],
        row["scan_sha256"],
        Description(**described),
    )


def _check_stack(folder: Path, version: str, marks: Sequence[PartnerMark], n_slots: int, where: str) -> None:
    layout = layout_of(version)
    assert layout is not None
    path = folder / f"marks/{version}.stack"
    size = path.stat().st_size if path.exists() else 0
    if size != n_slots * layout.RECORD_BYTES or max(mark.slot for mark in marks) >= n_slots:
        raise CorruptFileError(f"{where}: it has {n_slots} marks of version {version}, and {size} bytes of templates")
    records = records_of(folder, version).view(layout.RECORD)[:, 0]
    for mark in marks:
        own = records[mark.slot]
        said = tuple(own[name] for name in ("version", "mark_kind", "surface_kind"))
        if said != (version.encode(), mark.mark_kind.encode(), mark.surface_kind.encode()):
            raise CorruptFileError(f"{where}: the template of mark {mark.number} is that of another kind of mark")
