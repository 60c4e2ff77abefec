"""The log of a laboratory: entries are appended, one at a time, and never changed."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ballistics.errors import CorruptFileError, ParameterError
from ballistics.records.entry import Entry, entry_of, name_fault, now
from ballistics.records.keys import SigningKey
from ballistics.records.operators import ADMINISTRATOR, KEY, LABORATORY, key_body
from ballistics.records.rules import RefusedError, Rule, check_entry
from ballistics.records.tables import entries
from ballistics.records.views import Head, Row, View, rows_of
from ballistics.store import reading, update_schema, writing

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine


class Log:
    """The signed log in a laboratory's database.

    Parameters
    ----------
    engine : sqlalchemy.engine.Engine
        From `ballistics.store.open_database`.
    where : str
        Its name, for messages.
    rule : callable, optional
        Asked for each entry before it is written, in the same transaction.
    """

    def __init__(self, engine: Engine, where: str, rule: Rule | None = None) -> None:
        self.engine = engine
        self.where = where
        self.rule = rule

    def begin(self, key: SigningKey, operator: str, name: str, laboratory: Mapping[str, Any]) -> Entry:
        """Write the first two entries: the laboratory, and the key of whoever begins its log, as administrator.

        Parameters
        ----------
        key : SigningKey
            Of the administrator.
        operator, name : str
            The administrator's short name, and name.
        laboratory : mapping
            What is known of the laboratory.

        Raises
        ------
        RefusedError
            When the log has begun.
        """
        update_schema(self.engine, self.where)
        with writing(self.engine, self.where) as connection:
            view = View(connection)
            if view.head().number:
                raise RefusedError(f"{self.where} keeps a log already: `ballistics case verify` shows its state")
            first = {**laboratory, "public": key.public.hex()}
            _write(connection, _entry(view, key, LABORATORY, LABORATORY, first), key)
            body = key_body(operator, name, (ADMINISTRATOR,), key.public)
            second = _entry(view, key, KEY, key.identifier, body)
            _write(connection, second, key)
        return second

    def append(
        self, key: SigningKey, kind: str, record: str, body: Mapping[str, Any], case: str = "", supersedes: int = 0
    ) -> Entry:
        """Record something; when this returns, it is on the disk.

        Parameters
        ----------
        key : SigningKey
            Of who records it.
        kind, record : str
            What is recorded, and its identifier.
        body : mapping
            The fields of the record, such as JSON can hold.
        case : str
            The case it belongs to.
        supersedes : int
            To amend a record: the number of the entry that is replaced, the newest of the record.

        Raises
        ------
        RefusedError
            When the key is not taken in, or revoked; the record exists, or was amended since; or a rule forbids it.
        WriteError
            When the database cannot be written.
        """
        with writing(self.engine, self.where) as connection:
            return self.append_in(connection, key, kind, record, body, case, supersedes)

    def append_in(
        self,
        connection: Connection,
        key: SigningKey,
        kind: str,
        record: str,
        body: Mapping[str, Any],
        case: str = "",
        supersedes: int = 0,
    ) -> Entry:
        """Record something together with what else a transaction writes: both are kept, or neither.

        Parameters
        ----------
        connection : Connection
            From `ballistics.store.writing`, to the database of the log.
        key, kind, record, body, case, supersedes
            As of `append`, as are the errors.
        """
        view = View(connection)
        entry = _entry(view, key, kind, record, body, case, supersedes)
        check_entry(view, entry)
        if self.rule is not None:
            self.rule(view, entry)
        _write(connection, entry, key)
        return entry

    def head(self) -> Head:
        """Return the newest entry's number and hash."""
        with self.view() as view:
            return view.head()

    def view(self) -> _Viewing:
        """Give a view of the log as it is now, as a context manager."""
        return _Viewing(self)

    def rows(self) -> Iterator[Row]:
        """Yield the rows of the log as they stand in the table, in the order of their numbers, not checked."""
        with reading(self.engine, self.where) as connection:
            yield from rows_of(connection)


class _Viewing:
    def __init__(self, log: Log) -> None:
        self._reading = reading(log.engine, log.where)
        self._log = log

    def __enter__(self) -> View:
        connection = self._reading.__enter__()
        if not sa.inspect(connection).has_table(entries.name):
            error = ParameterError(f"{self._log.where} keeps no log yet: `ballistics case begin` starts it")
            self._reading.__exit__(type(error), error, None)
            raise error
        return View(connection)

    def __exit__(self, *what: Any) -> None:
        self._reading.__exit__(*what)


def _entry(
    view: View,
    key: SigningKey,
    kind: str,
    record: str,
    body: Mapping[str, Any],
    case: str = "",
    supersedes: int = 0,
) -> Entry:
    for what, text in (("kind", kind), ("record", record), ("case", case)):
        fault = name_fault(what, text)
        if fault:
            raise RefusedError(fault)
    head = view.head()
    group = view.group(case) or secrets.token_hex(16) if case else kind
    salt = secrets.token_hex(16)
    made = Entry(
        head.number + 1, head.hash, now(), key.identifier, kind, record, case, group, supersedes, salt, dict(body)
    )
    try:
        # As it will be read again: tuples are lists, 1.0 is 1, and what could not be read is not written.
        return entry_of(made.content, "what is to be recorded")
    except CorruptFileError as error:
        raise ParameterError(str(error)) from error


def _write(connection: Connection, entry: Entry, key: SigningKey) -> None:
    connection.execute(
        entries.insert().values(
            number=entry.number,
            kind=entry.kind,
            record=entry.record,
            case_id=entry.case,
            content=entry.content.decode(),
            hash=entry.hash,
            signature=key.sign(entry.hash),
        )
    )
