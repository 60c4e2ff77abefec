"""Views of the log: the newest version of each record, before an entry or in the end, and the bare rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from ballistics.errors import CorruptFileError
from ballistics.records.entry import NOTHING_BEFORE, Entry, entry_of
from ballistics.records.operators import KEY, Operator, operator_of
from ballistics.records.tables import entries
from ballistics.store import SQLITE

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_ROWS_AT_ONCE = 1000
_CONTENT = sa.select(entries.c.number, entries.c.content)


@dataclass(frozen=True)
class Head:
    """The newest entry of a log, by which the whole log is known.

    Parameters
    ----------
    number : int
        How many entries there are.
    hash : str
        Of the last.
    """

    number: int
    hash: str


class View:
    """What the log says: the newest version of each record.

    Parameters
    ----------
    connection : sqlalchemy.engine.Connection
        Open, to the log's database.
    as_of : int, optional
        The last entry that is seen; all are by default.
    """

    def __init__(self, connection: Connection, as_of: int | None = None) -> None:
        self.connection = connection
        self.as_of = as_of

    def current(self, kind: str, record: str) -> Entry | None:
        """Return the newest version of a record; None when there is none."""
        newest = _CONTENT.where(entries.c.kind == kind, entries.c.record == record).order_by(entries.c.number.desc())
        return next(self._read(newest.limit(1)), None)

    def newest(self, kind: str, record: str) -> tuple[int, str] | None:
        """Return the number and the case of the newest version of a record; None when there is none."""
        entry = self.current(kind, record)
        return None if entry is None else (entry.number, entry.case)

    def versions(self, kind: str, record: str) -> list[Entry]:
        """Return all versions of a record, the oldest first."""
        of_record = _CONTENT.where(entries.c.kind == kind, entries.c.record == record)
        return list(self._read(of_record.order_by(entries.c.number)))

    def records(self, kind: str, case: str | None = None) -> list[Entry]:
        """Return the newest version of every record of a kind, in the order in which they were first recorded."""
        of_kind = _CONTENT.where(entries.c.kind == kind)
        if case is not None:
            of_kind = of_kind.where(entries.c.case_id == case)
        newest: dict[str, Entry] = {}
        for entry in self._read(of_kind.order_by(entries.c.number)):
            newest[entry.record] = entry
        return list(newest.values())

    def every(self, kind: str) -> Iterator[Entry]:
        """Yield every version of every record of a kind, in the order of the log."""
        return self._read(_CONTENT.where(entries.c.kind == kind).order_by(entries.c.number))

    def of_case(self, case: str) -> list[Entry]:
        """Return every entry of a case, all versions, in the order of the log."""
        return list(self._read(_CONTENT.where(entries.c.case_id == case).order_by(entries.c.number)))

    def operator(self, key: str) -> Operator | None:
        """Return who owns a key."""
        entry = self.current(KEY, key)
        return None if entry is None else operator_of(entry)

    def group(self, case: str) -> str | None:
        """Return the group of a case's entries; None when there is none."""
        first = _CONTENT.where(entries.c.case_id == case).order_by(entries.c.number).limit(1)
        found = next(self._read(first), None)
        if found is not None and found.case != case:
            raise CorruptFileError(f"entry {found.number} of the log was altered: `ballistics case verify` shows what")
        return None if found is None else found.group

    def entry(self, number: int) -> Entry | None:
        """Return an entry by its number; None when there is none."""
        return next(self._read(_CONTENT.where(entries.c.number == number)), None)

    def hash_of(self, number: int) -> str | None:
        """Return the hash of an entry; None when there is no such entry."""
        found = self.connection.execute(self._until(sa.select(entries.c.hash).where(entries.c.number == number)))
        return found.scalar_one_or_none()

    def head(self) -> Head:
        """Return the newest entry's number and hash; number 0 for an empty log."""
        last = sa.select(entries.c.number, entries.c.hash).order_by(entries.c.number.desc()).limit(1)
        row = self.connection.execute(self._until(last)).one_or_none()
        return Head(0, NOTHING_BEFORE) if row is None else Head(row.number, row.hash)

    def _read(self, query: sa.Select[Any]) -> Iterator[Entry]:
        for row in self.connection.execute(self._until(query)):
            yield entry_of(row.content, f"entry {row.number} of the log")

    def _until(self, query: sa.Select[Any]) -> sa.Select[Any]:
        return query if self.as_of is None else query.where(entries.c.number <= self.as_of)


class Row(NamedTuple):
    """A row of the table of the log, as it stands there."""

    number: int
    kind: str
    record: str
    case: str
    content: bytes
    hash: str
    signature: str


def rows_of(connection: Connection) -> Iterator[Row]:
    """Yield the rows of a log as they stand in the table, not checked; the content as bytes."""
    columns: list[sa.ColumnElement[Any]] = list(entries.c)
    if connection.dialect.name == SQLITE:
        # Whoever alters a file can put bytes there that are no text: that is a fault of one entry, not the end.
        columns = [columns[0], *(sa.cast(column, sa.LargeBinary).label(column.name) for column in columns[1:])]
    query = sa.select(*columns).order_by(entries.c.number).execution_options(yield_per=_ROWS_AT_ONCE)
    for row in connection.execute(query):
        number, kind, record, case, content, digest, signature = row
        yield Row(number, _text(kind), _text(record), _text(case), _bytes(content), _text(digest), _text(signature))


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value or ""


def _bytes(value: Any) -> bytes:
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value or b""
