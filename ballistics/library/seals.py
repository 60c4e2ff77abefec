"""Seals of a library's rows: SHA-256 of each row of a mark with its templates, and of each record of removal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ballistics.library import tables
from ballistics.library.items import Fault

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

MARK, REMOVAL = "mark", "removal"
# Marks up to this number were enrolled by a version that sealed nothing.
_AFTER = "sealed after mark"


def prepare(connection: Connection) -> None:
    """Make the table of seals in a library that an earlier version made."""
    if sa.inspect(connection).has_table(tables.seals.name):
        return
    tables.seals.create(connection)
    last = connection.execute(sa.select(sa.func.max(tables.marks.c.id))).scalar() or 0
    gone = connection.execute(sa.select(sa.func.max(tables.removals.c.mark_id))).scalar() or 0
    connection.execute(tables.about.insert().values(key=_AFTER, value=str(max(last, gone))))


def seal_mark(connection: Connection, mark_id: int) -> None:
    """Seal the row of a mark as it is now, with its templates; forget the seal when there is no such row."""
    row = connection.execute(sa.select(tables.marks).where(tables.marks.c.id == mark_id)).one_or_none()
    of_mark = tables.templates.c.mark_id == mark_id
    templates = connection.execute(sa.select(tables.templates).where(of_mark)).all()
    _put(connection, MARK, mark_id, None if row is None else digest(row, templates))


def seal_removal(connection: Connection, mark_id: int) -> None:
    """Seal the record of a removal."""
    row = connection.execute(sa.select(tables.removals).where(tables.removals.c.mark_id == mark_id)).one()
    _put(connection, REMOVAL, mark_id, digest(row))


def digest(row: Any, templates: Any = ()) -> str:
    """Return the SHA-256 of a row, and of the rows of its templates."""
    content = [dict(row._mapping), sorted([template.version, template.slot, template.sha256] for template in templates)]
    return sha256(
        json.dumps(content, sort_keys=True, ensure_ascii=False, default=str).encode("utf-8", "replace")
    ).hexdigest()


def faults(connection: Connection) -> tuple[list[Fault], list[str]]:
    """Return what is not as it was sealed, and what to say of rows without a seal."""
    if not sa.inspect(connection).has_table(tables.seals.name):
        return [], ["the rows were written by an earlier version, without seals: altered ones cannot be told"]
    stated = {(row.kind, row.number): row.sha256 for row in connection.execute(sa.select(tables.seals))}
    after = connection.execute(sa.select(tables.about.c.value).where(tables.about.c.key == _AFTER)).scalar()
    unsealed_to = int(after) if after is not None and after.isdecimal() else 0
    templates: dict[int, list[Any]] = {}
    for row in connection.execute(sa.select(tables.templates)):
        templates.setdefault(row.mark_id, []).append(row)
    found, unsealed = [], 0
    marks = connection.execute(sa.select(tables.marks).order_by(tables.marks.c.id)).all()
    removals = connection.execute(sa.select(tables.removals).order_by(tables.removals.c.mark_id)).all()
    for kind, number, row, own in (
        *((MARK, row.id, row, templates.pop(row.id, [])) for row in marks),
        *((REMOVAL, row.mark_id, row, []) for row in removals),
    ):
        seal = stated.pop((kind, number), None)
        if seal is None and number <= unsealed_to:
            unsealed += 1
        elif seal != digest(row, own):
            found.append(_fault(kind, number, sealed=seal is not None))
    found += _without_row(stated, templates)
    notes = [f"{unsealed} rows were written by an earlier version, without seals: altered ones cannot be told"]
    return found, notes if unsealed else []


def _fault(kind: str, number: int, *, sealed: bool) -> Fault:
    how = "is not as it was written" if sealed else "was not written by this program: it has no seal"
    what = (
        "its row in the database, or that of its template," if kind == MARK else f"the record of its removal, {number},"
    )
    todo = "open the newest backup, or have it examined"
    return Fault(number if kind == MARK else None, f"{what} {how}; {todo}")


def _without_row(stated: dict[tuple[str, int], str], templates: dict[int, list[Any]]) -> Iterator[Fault]:
    for kind, number in sorted(stated):
        what = f"mark {number}" if kind == MARK else f"the record of the removal of mark {number}"
        yield Fault(None, f"{what} was taken out of the database by other means; open the newest backup")
    for number in sorted(templates):
        if (MARK, number) not in stated:
            yield Fault(None, f"the database holds a template of mark {number}, which it has not")


def _put(connection: Connection, kind: str, number: int, seal: str | None) -> None:
    prepare(connection)
    own = (tables.seals.c.kind == kind) & (tables.seals.c.number == number)
    connection.execute(tables.seals.delete().where(own))
    if seal is not None:
        connection.execute(tables.seals.insert().values(kind=kind, number=number, sha256=seal))
