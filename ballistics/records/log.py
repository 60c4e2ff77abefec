"""The log of a laboratory: entries are appended, one at a time, and never changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ballistics.errors import CorruptFileError, ParameterError
from ballistics.files import parse_json
from ballistics.records.entry import NOTHING_BEFORE, Entry, canonical, entry_of, now
from ballistics.records.keys import SigningKey, identifier_of
from ballistics.records.tables import entries
from ballistics.store import reading, update_schema, writing

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

#: Kinds of the entries that the log itself needs.
LABORATORY, KEY = "laboratory", "key"
#: The role that may take in keys and revoke them.
ADMINISTRATOR = "administrator"
VALID, REVOKED = "valid", "revoked"
_ROWS_AT_ONCE = 1000


class RefusedError(ParameterError):
    """What was to be recorded breaks a rule: who may, in which order, of what exists. Nothing was recorded."""


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


@dataclass(frozen=True)
class Operator:
    """Who owns a key, as the log states it.

    Parameters
    ----------
    key : str
        Identifier of the key.
    operator : str
        The laboratory's short name of the person: initials, a service number.
    name : str
        The person's name.
    roles : tuple of str
        What the key may be used for.
    public : bytes
        The public half of the key.
    state : str
        ``"valid"`` or ``"revoked"``.
    """

    key: str
    operator: str
    name: str
    roles: tuple[str, ...]
    public: bytes
    state: str


class View:
    """What the log says before an entry, or in the end: the newest version of each record.

    Parameters
    ----------
    connection : sqlalchemy.engine.Connection
        Open, to the log's database.
    before : int, optional
        Only entries before this number are seen.
    """

    def __init__(self, connection: Connection, before: int | None = None) -> None:
        self.connection = connection
        self.before = before

    def current(self, kind: str, record: str) -> Entry | None:
        """Return the newest version of a record; None when there is none."""
        versions = self.versions(kind, record)
        return versions[-1] if versions else None

    def versions(self, kind: str, record: str) -> list[Entry]:
        """Return all versions of a record, the oldest first."""
        return list(self._found((entries.c.kind == kind) & (entries.c.record == record)))

    def records(self, kind: str, case: str | None = None) -> list[Entry]:
        """Return the newest version of every record of a kind, in the order in which they were first recorded."""
        condition = entries.c.kind == kind
        if case is not None:
            condition &= entries.c.case_id == case
        newest: dict[str, Entry] = {}
        for entry in self._found(condition):
            newest[entry.record] = entry
        return list(newest.values())

    def every(self, kind: str) -> Iterator[Entry]:
        """Yield every version of every record of a kind, in the order of the log."""
        return self._found(entries.c.kind == kind)

    def of_case(self, case: str) -> list[Entry]:
        """Return every entry of a case, all versions, in the order of the log."""
        return list(self._found(entries.c.case_id == case))

    def operator(self, key: str) -> Operator | None:
        """Return who owns a key."""
        entry = self.current(KEY, key)
        return None if entry is None else operator_of(entry)

    def head(self) -> Head:
        """Return the newest entry's number and hash; number 0 for an empty log."""
        last = sa.select(entries.c.number, entries.c.hash).order_by(entries.c.number.desc()).limit(1)
        row = self.connection.execute(self._until(last)).one_or_none()
        return Head(0, NOTHING_BEFORE) if row is None else Head(row.number, row.hash)

    def _until(self, query: sa.Select[Any]) -> sa.Select[Any]:
        return query if self.before is None else query.where(entries.c.number < self.before)

    def _found(self, condition: sa.ColumnElement[bool]) -> Iterator[Entry]:
        query = self._until(sa.select(entries.c.number, entries.c.content).where(condition))
        for row in self.connection.execute(query.order_by(entries.c.number)):
            yield entry_of(row.content, f"entry {row.number} of the log")


#: A rule: raises `RefusedError` when an entry must not follow what the view shows.
Rule = Callable[[View, Entry], None]


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
            Short name, and name, of the administrator.
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

    def rows(self, case: str | None = None) -> Iterator[Any]:
        """Yield the rows of the log as they stand in the table, in the order of their numbers, not checked."""
        query = sa.select(entries).order_by(entries.c.number)
        if case is not None:
            query = query.where(entries.c.case_id == case)
        with reading(self.engine, self.where) as connection:
            yield from connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(query)


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


def check_entry(view: View, entry: Entry) -> None:
    """Raise `RefusedError` when an entry breaks a rule that every log has, whatever is recorded in it."""
    operator = view.operator(entry.key)
    if operator is None:
        raise RefusedError(
            f"the key {entry.key[:12]}… is not one of this laboratory's: an administrator takes it in first "
            "(`ballistics case key take-in`)"
        )
    if operator.state != VALID:
        raise RefusedError(f"the key {entry.key[:12]}… of {operator.name} was revoked: use another one")
    known = view.current(entry.kind, entry.record)
    if known is None and entry.supersedes:
        raise RefusedError(f"there is no {entry.kind} '{entry.record}' to amend")
    if known is not None and entry.supersedes == 0:
        raise RefusedError(
            f"{entry.kind} '{entry.record}' is recorded already, in entry {known.number}: nothing is written over; "
            "amend it, or choose another identifier"
        )
    if known is not None and entry.supersedes != known.number:
        raise RefusedError(
            f"{entry.kind} '{entry.record}' was amended since you read it, in entry {known.number}: look at it again"
        )
    if known is not None and known.case != entry.case:
        raise RefusedError(f"{entry.kind} '{entry.record}' belongs to case '{known.case}', not to '{entry.case}'")
    if entry.kind == LABORATORY:
        raise RefusedError("a log states its laboratory once, in its first entry")
    if entry.kind == KEY:
        _check_key(entry, operator)


def _check_key(entry: Entry, signer: Operator) -> None:
    owner = operator_of(entry)
    if ADMINISTRATOR not in signer.roles:
        raise RefusedError(f"{signer.name} is no administrator: keys are taken in and revoked by one")
    if owner.key != entry.record:
        raise RefusedError("a key is known by the SHA-256 of its public half, which this is not")


def key_body(
    operator: str, name: str, roles: tuple[str, ...], public: bytes, state: str = VALID, reason: str = ""
) -> dict[str, Any]:
    """Return the fields of the record of a key.

    Parameters
    ----------
    operator, name : str
        Short name, and name, of the owner.
    roles : tuple of str
        What the key may be used for.
    public : bytes
        Its public half.
    state, reason : str
        Valid or revoked, and why.
    """
    return {
        "operator": operator,
        "name": name,
        "roles": sorted(set(roles)),
        "public": public.hex(),
        "state": state,
        "reason": reason,
    }


def operator_of(entry: Entry) -> Operator:
    """Return who owns the key that an entry records.

    Raises
    ------
    CorruptFileError
        When the entry is not the record of a key.
    """
    try:
        public = bytes.fromhex(entry.body["public"])
        roles = tuple(str(role) for role in entry.body["roles"])
        names = str(entry.body["operator"]), str(entry.body["name"])
        state = str(entry.body["state"])
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptFileError(f"entry {entry.number} of the log is not the record of a key") from error
    return Operator(identifier_of(public), *names, roles, public, state)


def _entry(
    view: View,
    key: SigningKey,
    kind: str,
    record: str,
    body: Mapping[str, Any],
    case: str = "",
    supersedes: int = 0,
) -> Entry:
    for what, text, most in (("kind", kind, 40), ("identifier", record, 200), ("case", case or "-", 200)):
        if not text.strip() or len(text) > most or any(ord(letter) < 32 for letter in text):
            raise RefusedError(f"the {what} of a record has 1 to {most} printable characters; '{text[:80]}' has not")
    head = view.head()
    # As it will be read again: tuples are lists, 1.0 is 1.
    fields = parse_json(canonical(dict(body)), "what is to be recorded", "the fields of a record")
    return Entry(head.number + 1, head.hash, now(), key.identifier, kind, record, case, supersedes, fields)


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
