"""The registry as users have it: made, opened, filled, asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ballistics.errors import ParameterError
from ballistics.library import LibraryStore
from ballistics.records import Log, SigningKey
from ballistics.registry import lookup
from ballistics.registry.lookup import Answer, Question
from ballistics.registry.records import Event, Firearm, checked_date, digest
from ballistics.registry.serials import lookalikes
from ballistics.registry.signing import Signing
from ballistics.registry.tables import about, events, firearms, revisions
from ballistics.registry.writing import Entry, Names, Written, event_digest, write_entries, write_events
from ballistics.store import SQLITE, reading, update_schema, writing

#: Version of the rules by which keys are made; part of what `keys_digest` says.
KEYS = "1"
_ENTERED = "entered"
_CACHE_KIB = 256 << 10


@dataclass(frozen=True)
class RecordedEvent:
    """An event as the registry keeps it.

    Parameters
    ----------
    number, firearm : int
    event : Event
    recorded_on, recorded_by : str
    superseded_by : int or None
        Number of the event that corrects it.
    """

    number: int
    firearm: int
    event: Event
    recorded_on: str
    recorded_by: str
    superseded_by: int | None


@dataclass(frozen=True)
class Record:
    """All that the registry holds about a firearm.

    Parameters
    ----------
    number : int
    source, source_key : str
        Who keeps the record, and its number there.
    firearm : Firearm
        As it is now.
    events : tuple of RecordedEvent
        In the order they were recorded, with those that were corrected.
    earlier : tuple of Firearm
        What the record said before it was changed, oldest first.
    """

    number: int
    source: str
    source_key: str
    firearm: Firearm
    events: tuple[RecordedEvent, ...]
    earlier: tuple[Firearm, ...]


def keys_digest() -> str:
    """Return what the keys of serials depend on, as a hash."""
    found = lookalikes()
    return digest(repr((KEYS, sorted(found.folded.items()), sorted(found.glyphs.items()))))


class Registry:
    """A registry of firearms, in the database of a laboratory's library.

    Where the laboratory keeps a signed log, whatever is written to the registry is an entry of it, in the same
    transaction; `verify_registry` holds the two against each other.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Registry.create(f"{folder}/laboratory") as registry:
    ...     firearm = Firearm("pistol", "Застава", "M70", "7,65 mm", "B-12345")
    ...     number = registry.add("MK", Entry("17", firearm), "A. Clerk")
    ...     answer = registry.find(Question("8 12?45", "Zastava", calibre=".32 ACP"))
    >>> for reason in answer.hits[0].reasons:
    ...     print(reason)
    serial B-12345: place 1 is B, read as 8, which looks alike
    make Застава: Zastava in another script or spelling
    calibre 7,65 mm: another name of .32 ACP
    """

    def __init__(self, library: LibraryStore, key: SigningKey | None = None) -> None:
        self.library = library
        self.where = str(library.folder)
        self.signing = Signing(Log(library.engine, self.where), key)

    @staticmethod
    def create(folder: str | Path, database: str | None = None) -> Registry:
        """Begin a registry in a library; where there is no library, one is made.

        Parameters
        ----------
        folder : str or Path
            Of a library, or one that is empty or does not exist.
        database : str, optional
            URL of the PostgreSQL database of the rows; see `LibraryStore.create`. Default: SQLite in the folder.
        """
        is_there = Path(folder).is_dir() and any(Path(folder).iterdir())
        made = Registry((LibraryStore.open if is_there else LibraryStore.create)(folder, database))
        update_schema(made.library.engine, made.where)
        with made.writing() as connection:
            if connection.scalar(sa.select(about.c.value)) is not None:
                raise ParameterError(f"{folder} keeps a registry already")
            connection.execute(sa.insert(about), [{"key": "keys", "value": keys_digest()}])
        return made

    @staticmethod
    def open(folder: str | Path, database: str | None = None, key: SigningKey | None = None) -> Registry:
        """Open a registry that exists.

        Parameters
        ----------
        folder, database
            As of `create`.
        key : SigningKey, optional
            Of who writes to it: needed where the laboratory keeps a signed log.
        """
        opened = Registry(LibraryStore.open(folder, database), key)
        update_schema(opened.library.engine, opened.where)
        with opened.reading() as connection:
            keys = connection.scalar(sa.select(about.c.value).where(about.c.key == "keys"))
        if keys is None:
            raise ParameterError(f"{folder} keeps no registry: begin one with `ballistics registry init {folder}`")
        if keys != keys_digest():
            raise ParameterError(
                f"{folder} was filled with another list of lookalikes, or by another version: its serials would not be "
                "found. Begin a new registry and import its sources again"
            )
        return opened

    @staticmethod
    def of(library: LibraryStore) -> Registry | None:
        """Return the registry that an open library keeps; None when it keeps none."""
        made = Registry(library)
        update_schema(library.engine, made.where)
        with made.reading() as connection:
            keys = connection.scalar(sa.select(about.c.value).where(about.c.key == "keys"))
        return None if keys is None else made

    def happened_since(self, since: str) -> list[int]:
        """Return the numbers of firearms to which something happened on or after a date, by their numbers.

        Parameters
        ----------
        since : str
            A year, a month or a day.
        """
        checked_date(since, "since")
        query = sa.select(events.c.firearm).where(events.c.on >= since).distinct().order_by(events.c.firearm)
        with self.reading() as connection:
            return list(connection.scalars(query))

    def __enter__(self) -> Registry:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.library.close()

    def reading(self) -> AbstractContextManager[Connection]:
        """Give a connection that sees the registry as it is now."""
        return reading(self.library.engine, self.where)

    def writing(self) -> AbstractContextManager[Connection]:
        """Give a connection that is the only one to write; what it did is kept when the block ends."""
        return writing(self.library.engine, self.where)

    @contextmanager
    def filling(self) -> Iterator[None]:
        """Prepare for many additions: SQLite keeps more of its indexes in memory meanwhile."""
        pool = self.library.engine
        if pool.dialect.name != SQLITE:
            yield
            return
        sa.event.listen(pool, "begin", _with_large_cache)
        try:
            yield
        finally:
            sa.event.remove(pool, "begin", _with_large_cache)

    def find(self, question: Question, limit: int = 10) -> Answer:
        """Return the firearms that answer a question best; see `lookup.find`."""
        with self.reading() as connection:
            return lookup.find(connection, question, limit)

    def add(self, source: str, entry: Entry, by: str) -> int:
        """Add a firearm, or change it, and return its number.

        Parameters
        ----------
        source : str
            Who keeps the record.
        entry : Entry
        by : str
            Who enters it.
        """
        import_id = f"{_ENTERED} {digest(entry.firearm.content())[:16]}"
        return self.add_many(source, [entry], import_id, by, Names())[0].firearm

    def add_many(self, source: str, entries: Sequence[Entry], import_id: str, by: str, known: Names) -> list[Written]:
        """Add firearms in one transaction.

        Parameters
        ----------
        source : str
            Who keeps the records.
        entries : sequence of Entry
            No two with the same number.
        import_id : str
            Of the import that they belong to: within it, a record does not change.
        by : str
            Who records them.
        known : Names
            The same for all transactions of an import.
        """
        with self.writing() as connection:
            batch = write_entries(connection, source, entries, import_id, by, known)
            self.signing.batch(connection, source, import_id, batch)
        return batch.written

    def report(self, firearm: int, event: Event, by: str) -> int:
        """Add an event to a firearm and return the event's number; the same event again has the same number.

        Parameters
        ----------
        firearm : int
        event : Event
            With ``supersedes``, it corrects an earlier event of the same firearm, which stays on record.
        by : str
            Who records it.

        Raises
        ------
        ParameterError
            When the firearm, or the event that it corrects, is not there, or that event was corrected already; or
            when the laboratory keeps a signed log, and there is no key that it has taken in.
        """
        with self.writing() as connection:
            if connection.scalar(sa.select(firearms.c.id).where(firearms.c.id == firearm)) is None:
                raise ParameterError(f"{self.where} holds no firearm {firearm}")
            same = sa.select(events.c.id).where(events.c.firearm == firearm, events.c.digest == event_digest(event))
            if (there := connection.scalar(same)) is not None:
                return int(there)
            if event.supersedes is not None:
                self._check_correction(connection, firearm, event.supersedes)
            (row,) = write_events(connection, [(firearm, event)], by)
            self.signing.row(connection, events, row)
        return int(row["id"])

    def _check_correction(self, connection: Connection, firearm: int, corrected: int) -> None:
        if connection.scalar(sa.select(events.c.firearm).where(events.c.id == corrected)) != firearm:
            raise ParameterError(f"firearm {firearm} has no event {corrected} that could be corrected")
        later = connection.scalar(sa.select(events.c.id).where(events.c.supersedes == corrected))
        if later is not None:
            raise ParameterError(f"event {corrected} was corrected by event {later}: correct that one")

    def events(self, numbers: Sequence[int]) -> dict[int, tuple[RecordedEvent, ...]]:
        """Return the events of firearms, by firearm, in the order they were recorded."""
        with self.reading() as connection:
            return recorded_events(connection, numbers)

    def records(self, numbers: Sequence[int]) -> list[Record]:
        """Return all that the registry holds about firearms, in the order of the numbers; without those it lacks."""
        with self.reading() as connection:
            query = sa.select(firearms.c.id).where(firearms.c.id.in_(list(numbers)))
            held = set(connection.scalars(query))
        return [self.show(number) for number in numbers if number in held]

    def show(self, firearm: int) -> Record:
        """Return all that the registry holds about a firearm.

        Raises
        ------
        ParameterError
            When it holds no such firearm.
        """
        with self.reading() as connection:
            row = connection.execute(sa.select(firearms).where(firearms.c.id == firearm)).one_or_none()
            if row is None:
                raise ParameterError(f"{self.where} holds no firearm {firearm}")
            earlier = connection.scalars(
                sa.select(revisions.c.content).where(revisions.c.firearm == firearm).order_by(revisions.c.number)
            )
            return Record(
                row.id,
                row.source,
                row.source_key,
                Firearm.from_content(row.content),
                recorded_events(connection, [firearm]).get(firearm, ()),
                tuple(Firearm.from_content(content) for content in earlier),
            )


def _with_large_cache(connection: Connection) -> None:
    connection.exec_driver_sql(f"PRAGMA cache_size=-{_CACHE_KIB}")


def recorded_events(connection: Connection, numbers: Sequence[int]) -> dict[int, tuple[RecordedEvent, ...]]:
    """Return the events of firearms, by firearm, in the order they were recorded."""
    query = sa.select(events).where(events.c.firearm.in_(list(numbers))).order_by(events.c.id)
    rows = list(connection.execute(query))
    later = {row.supersedes: row.id for row in rows if row.supersedes is not None}
    found: dict[int, list[RecordedEvent]] = {}
    for row in rows:
        event = Event(row.kind, row.on, row.unit, row.place, row.reference, row.note, row.supersedes)
        recorded = RecordedEvent(row.id, row.firearm, event, row.recorded_on, row.recorded_by, later.get(row.id))
        found.setdefault(row.firearm, []).append(recorded)
    return {number: tuple(own) for number, own in found.items()}
