"""The registry as users have it: made, opened, filled, asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from ballistics.errors import ParameterError
from ballistics.registry import database, lookup
from ballistics.registry.database import about, events, firearms, revisions
from ballistics.registry.lookup import Answer, Question
from ballistics.registry.records import Event, Firearm, digest
from ballistics.registry.serials import lookalikes
from ballistics.registry.writing import Entry, Names, Written, event_digest, write_entries, write_events

#: Version of the rules by which keys are made; part of what `keys_digest` says.
KEYS = "1"
_ENTERED = "entered"


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
    """A registry of firearms, in an SQLite file or a PostgreSQL database.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Registry.create(f"{folder}/firearms.sqlite") as registry:
    ...     firearm = Firearm("pistol", "Застава", "M70", "7,65 mm", "B-12345")
    ...     number = registry.add("MK", Entry("17", firearm), "A. Clerk")
    ...     answer = registry.find(Question("8 12?45", "Zastava", calibre=".32 ACP"))
    >>> for reason in answer.hits[0].reasons:
    ...     print(reason)
    serial B-12345: place 1 is B, read as 8, which looks alike
    make Застава: Zastava in another script or spelling
    calibre 7,65 mm: another name of .32 ACP
    """

    def __init__(self, engine: Engine, where: str) -> None:
        self.engine = engine
        self.where = where

    @staticmethod
    def create(where: str | Path) -> Registry:
        """Make an empty registry.

        Parameters
        ----------
        where : str or Path
            A file that does not exist, or the URL of a PostgreSQL database.
        """
        engine = database.open_engine(where)
        made = Registry(engine, str(where))
        with database.writing_anew(engine, str(where)) as connection:
            if sa.inspect(connection).has_table(about.name):
                raise ParameterError(f"{where} is a registry already")
            database.TABLES.create_all(connection)
            connection.execute(sa.insert(about), [{"key": "keys", "value": keys_digest()}])
        return made

    @staticmethod
    def open(where: str | Path) -> Registry:
        """Open a registry that exists."""
        if "://" not in str(where) and not Path(where).is_file():
            raise ParameterError(f"{where} is no registry: make one with `ballistics registry init {where}`")
        opened = Registry(database.open_engine(where), str(where))
        with opened.reading() as connection:
            if not sa.inspect(connection).has_table(about.name):
                raise ParameterError(f"{where} is no registry: make one with `ballistics registry init`")
            keys = connection.scalar(sa.select(about.c.value).where(about.c.key == "keys"))
        if keys != keys_digest():
            raise ParameterError(
                f"{where} was filled with another list of lookalikes, or by another version: its serials would not be "
                "found. Make a new registry and import its sources again"
            )
        return opened

    def __enter__(self) -> Registry:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.engine.dispose()

    def reading(self) -> database.Transaction:
        """Give a connection that sees the registry as it is now."""
        return database.reading(self.engine, self.where)

    def writing(self) -> database.Transaction:
        """Give a connection that is the only one to write; what it did is kept when the block ends."""
        return database.writing(self.engine, self.where)

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
        """Add firearms in one transaction; see `writing.write_entries`."""
        with self.writing() as connection:
            return write_entries(connection, source, entries, import_id, by, known)

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
            When the firearm, or the event that it corrects, is not there, or that event was corrected already.
        """
        with self.writing() as connection:
            if connection.scalar(sa.select(firearms.c.id).where(firearms.c.id == firearm)) is None:
                raise ParameterError(f"{self.where} holds no firearm {firearm}")
            same = sa.select(events.c.id).where(events.c.firearm == firearm, events.c.digest == event_digest(event))
            if (there := connection.scalar(same)) is not None:
                return int(there)
            if event.supersedes is not None:
                self._check_correction(connection, firearm, event.supersedes)
            write_events(connection, [(firearm, event)], by)
            return int(connection.scalars(same).one())

    def _check_correction(self, connection: Connection, firearm: int, corrected: int) -> None:
        if connection.scalar(sa.select(events.c.firearm).where(events.c.id == corrected)) != firearm:
            raise ParameterError(f"firearm {firearm} has no event {corrected} that could be corrected")
        later = connection.scalar(sa.select(events.c.id).where(events.c.supersedes == corrected))
        if later is not None:
            raise ParameterError(f"event {corrected} was corrected by event {later}: correct that one")

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
