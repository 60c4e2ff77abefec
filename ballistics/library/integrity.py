"""The check of a library: every row against its array and its template, and files that belong to no row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ballistics.errors import CorruptFileError, WriteError
from ballistics.files import reason
from ballistics.library import seals as seals
from ballistics.library import tables
from ballistics.library.items import EnrolledMark, Fault, Integrity
from ballistics.library.rows import enrolled
from ballistics.library.store import LibraryStore
from ballistics.library.template_stacks import version_of
from ballistics.progress import Progress
from ballistics.store import SQLITE, is_writable, reading, schema_faults, writing

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine


def verify(library: LibraryStore, tidy: bool = False, progress: Progress | None = None) -> Integrity:
    """Check a library while others may use it.

    Parameters
    ----------
    library : LibraryStore
    tidy : bool
        Delete the leftovers.
    progress : callable, optional
        Told the stage, how many are done, and how many there are.

    Returns
    -------
    Integrity
    """
    engine, where = library.engine, str(library.folder)
    if tidy and library.database == SQLITE and not is_writable(library.folder):
        raise WriteError(f"{where} cannot be written: leave --tidy out, nothing was deleted")
    faults: list[Fault] = []
    with reading(engine, where) as connection:
        if connection.dialect.name == SQLITE:
            words = connection.exec_driver_sql("PRAGMA integrity_check(5)").scalars().all()
            faults += [Fault(None, f"the database is damaged: {word}") for word in words if word != "ok"]
            faults += [Fault(None, f"the database was changed: {what}") for what in schema_faults(connection)]
        found, cautions = seals.faults(connection)
        entries, unreadable = _entries(connection)
        faults += found + [
            further for further in unreadable if further.mark_id not in {fault.mark_id for fault in found}
        ]
        stacks = {row.version: row for row in connection.execute(sa.select(tables.stacks))}
        rows = {row.mark_id: row for row in connection.execute(sa.select(tables.templates))}
    for done, entry in enumerate(entries, 1):
        faults += [Fault(entry.id, what) for what in _faults_of(library, entry, rows.get(entry.id), stacks)]
        if progress is not None:
            progress("checking marks", done, len(entries))
    # No writer is admitted meanwhile: a file that no row names now is not about to be named.
    with _alone(engine, where, needed=tidy) as connection:
        now = {entry.id: entry for entry in _entries(connection)[0]}
        named = set(connection.execute(sa.select(tables.marks.c.array_sha256)).scalars())
        leftovers = _leftovers(library, named)
        if tidy:
            for path in leftovers:
                try:
                    path.unlink(missing_ok=True)
                except OSError as error:
                    raise WriteError(f"{path} cannot be deleted: {reason(error)}; leave --tidy out") from error
    # A mark that was removed or replaced during the check is not at fault.
    checked = {entry.id: entry for entry in entries}
    faults = [
        fault for fault in faults if fault.mark_id not in checked or now.get(fault.mark_id) == checked[fault.mark_id]
    ]
    count = len(entries) + len(unreadable)
    names = tuple(str(path.relative_to(library.folder)) for path in leftovers)
    return Integrity(count, tuple(faults), names, tuple(cautions))


@contextmanager
def _alone(engine: Engine, where: str, *, needed: bool) -> Iterator[Connection]:
    """Give a connection that keeps writers out; a reading one where the library cannot, and need not, be written."""
    begun = False
    try:
        with writing(engine, where) as connection:
            begun = True
            yield connection
    except WriteError as error:
        if begun:
            raise
        if needed:
            raise WriteError(f"{error}; leave --tidy out, nothing was deleted") from error
        with reading(engine, where) as connection:
            yield connection


def _entries(connection: Connection) -> tuple[list[EnrolledMark], list[Fault]]:
    """Return the entries, and a fault for each row that cannot be read as an entry."""
    entries, unreadable = [], []
    for row in connection.execute(sa.select(tables.marks).order_by(tables.marks.c.id)):
        try:
            entries.append(enrolled(row))
        except CorruptFileError as error:
            unreadable.append(Fault(row.id, str(error)))
    return entries, unreadable


def _faults_of(library: LibraryStore, entry: EnrolledMark, row: Any, stacks: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the array and the template of a mark."""
    try:
        heights, fault = library.arrays.look(entry.array_sha256)
        if fault is not None:
            yield f"{library.arrays.path(entry.array_sha256)}: {fault}"
        elif heights is not None and heights.shape != entry.shape:
            yield f"its row states {entry.shape[0]} x {entry.shape[1]} points, its array has {heights.shape}"
        if row is None or row.version != version_of(entry.mark_kind):
            yield "it has no template of this version, searches pass it by: `ballistics library renew`"
            return
        stack = stacks.get(row.version)
        whole = type(row.slot) is int and type(getattr(stack, "records", None)) is int
        if stack is None or not whole or not 0 <= row.slot < stack.records:
            yield "the row of its template names a place that no stack has"
            return
        fault = library.templates.stack(row.version, stack.record_bytes).fault(row.slot, row.sha256)
        if fault is not None:
            yield fault
    except CorruptFileError as error:
        yield str(error)


def _leftovers(library: LibraryStore, named: set[str]) -> list[Path]:
    arrays = library.arrays
    return [*(arrays.path(name) for name in arrays.names() if name not in named), *arrays.torn()]
