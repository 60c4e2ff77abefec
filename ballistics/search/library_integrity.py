"""The check of a library: every row against its array and its template, and files that belong to no row."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ballistics.search import library_tables as tables
from ballistics.search.library_items import Fault, Integrity

if TYPE_CHECKING:
    from collections.abc import Callable

    from ballistics.search.library import Library

    Progress = Callable[[str, int, int], None]


def verify(library: Library, tidy: bool = False, progress: Progress | None = None) -> Integrity:
    """Check a library while others may use it.

    Parameters
    ----------
    library : Library
    tidy : bool
        Delete the leftovers.
    progress : callable, optional
        Told the stage, how many are done, and how many there are.

    Returns
    -------
    Integrity
    """
    from ballistics.search import template

    engine, where = library._engine, str(library.folder)
    faults: list[Fault] = []
    with tables.reading(engine, where) as connection:
        entries = library._contents(connection, {}).marks
        stacks = {row.version: row.record_bytes for row in connection.execute(sa.select(tables.stacks))}
        rows = {row.mark_id: row for row in connection.execute(sa.select(tables.templates))}
        if connection.dialect.name == tables.SQLITE:
            words = connection.exec_driver_sql("PRAGMA integrity_check(5)").scalars().all()
            faults += [Fault(None, f"the database is damaged: {word}") for word in words if word != "ok"]
    for done, entry in enumerate(entries, 1):
        fault = library._arrays.fault(entry.array_sha256)
        if fault is not None:
            faults.append(Fault(entry.id, f"{library._arrays.path(entry.array_sha256)}: {fault}"))
        row = rows.get(entry.id)
        if row is None or row.version != template.VERSION:
            faults.append(
                Fault(entry.id, "it has no template of this version, searches pass it by: `ballistics library renew`")
            )
        else:
            fault = library._templates.stack(row.version, stacks[row.version]).fault(row.slot, row.sha256)
            if fault is not None:
                faults.append(Fault(entry.id, fault))
        if progress is not None:
            progress("checking marks", done, len(entries))
    # Nobody writes while this looks: what no row names now is not about to be named.
    with tables.writing(engine, where) as connection:
        now = {entry.id: entry for entry in library._contents(connection, {}).marks}
        leftovers = _leftovers(library, {entry.array_sha256 for entry in now.values()})
        if tidy:
            for path in leftovers:
                path.unlink(missing_ok=True)
    # A mark that was removed or replaced during the check is not at fault.
    checked = {entry.id: entry for entry in entries}
    faults = [one for one in faults if one.mark_id is None or now.get(one.mark_id) == checked[one.mark_id]]
    return Integrity(len(entries), tuple(faults), tuple(str(path.relative_to(library.folder)) for path in leftovers))


def _leftovers(library: Library, named: set[str]) -> list[Path]:
    arrays = library._arrays
    return [*(arrays.path(name) for name in arrays.names() if name not in named), *arrays.torn()]
