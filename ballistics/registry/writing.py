"""Writing records: many firearms in one transaction, known again by who keeps them; what one said before is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ballistics.registry.records import Event, Firearm, digest
from ballistics.registry.serials import folded_keys
from ballistics.registry.spelling import name_key
from ballistics.registry.tables import events, firearms, names, revisions, serials

_KINDS = ("make", "model", "calibre")


@dataclass(frozen=True)
class Entry:
    """A firearm as a source keeps it: its number there, its record, and what happened to it."""

    source_key: str
    firearm: Firearm
    events: tuple[Event, ...] = ()


@dataclass(frozen=True)
class Written:
    """What became of an entry.

    Parameters
    ----------
    source_key : str
    outcome : {"new", "changed", "unchanged", "contradicts"}
        ``contradicts``: the same import said something else of the same firearm before; nothing was changed.
    firearm : int
        Its number in the registry.
    new_events : int
        Events that were not there before.
    """

    source_key: str
    outcome: str
    firearm: int
    new_events: int


@dataclass(frozen=True)
class Version:
    """What a firearm's record said at a time: its number among the versions, from 1, and the hash of its content."""

    firearm: int
    number: int
    source: str
    source_key: str
    import_id: str
    said: str


@dataclass(frozen=True)
class Batch:
    """What a transaction of an import has written.

    Parameters
    ----------
    written : list of Written
        What became of each entry.
    new, changed : list of Version
        Of firearms that were not there before, and of those that said something else; by their numbers.
    events : list of dict
        The rows that were added, by their numbers.
    """

    written: list[Written]
    new: list[Version]
    changed: list[Version]
    events: list[dict[str, Any]]


class Names:
    """The numbers of names that were written before; valid while the transactions that made them were kept."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], int] = {}

    def numbers(self, connection: Connection, wanted: set[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Return the numbers of names, by kind and text; new ones are added in this transaction."""
        missing = sorted(wanted - self._known.keys())
        for kind in _KINDS:
            texts = [text for other, text in missing if other == kind]
            if texts:
                query = sa.select(names.c.written, names.c.id).where(names.c.kind == kind, names.c.written.in_(texts))
                self._known.update(((kind, row.written), row.id) for row in connection.execute(query))
        new = [name for name in missing if name not in self._known]
        if new:
            first = next_number(connection, names)
            rows: list[dict[str, Any]] = [
                {"id": first + place, "kind": kind, "written": text, "key": name_key(text)}
                for place, (kind, text) in enumerate(new)
            ]
            connection.execute(sa.insert(names), rows)
            self._known.update(((row["kind"], row["written"]), row["id"]) for row in rows)
        return self._known


def next_number(connection: Connection, table: sa.Table) -> int:
    """Return the number of the next row of a table; the transaction must be the only one that writes."""
    return int(connection.scalar(sa.select(sa.func.coalesce(sa.func.max(table.c.id), 0))) or 0) + 1


def now() -> str:
    """Return the time, in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def write_entries(
    connection: Connection, source: str, entries: Sequence[Entry], import_id: str, by: str, known: Names
) -> Batch:
    """Write firearms and their events; what is there already is not written again.

    Parameters
    ----------
    connection : Connection
        Of a transaction that writes.
    source : str
        Who keeps the records.
    entries : sequence of Entry
        No two with the same number.
    import_id : str
        Of the import that they belong to: within it, a record does not change.
    by : str
        Who records them.
    known : Names
    """
    query = sa.select(
        firearms.c.source_key, firearms.c.id, firearms.c.digest, firearms.c.import_id, firearms.c.content
    ).where(firearms.c.source == source, firearms.c.source_key.in_([entry.source_key for entry in entries]))
    there = {row.source_key: row for row in connection.execute(query)}
    number = next_number(connection, firearms)
    wanted = {(kind, str(getattr(entry.firearm, kind))) for entry in entries for kind in _KINDS}
    ids = known.numbers(connection, wanted)
    written: list[Written] = []
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    new_serials: list[dict[str, Any]] = []
    happened: list[tuple[int, Event]] = []
    for entry in entries:
        content = entry.firearm.content()
        row = {
            "source": source,
            "source_key": entry.source_key,
            "digest": digest(content),
            "import_id": import_id,
            "content": content,
            **{kind: ids[kind, getattr(entry.firearm, kind)] for kind in _KINDS},
        }
        old = there.get(entry.source_key)
        if old is None:
            outcome, firearm = "new", number
            number += 1
            new.append(row | {"id": firearm})
        elif old.digest == row["digest"]:
            outcome, firearm = "unchanged", old.id
        elif old.import_id == import_id:
            written.append(Written(entry.source_key, "contradicts", old.id, 0))
            continue
        else:
            outcome, firearm = "changed", old.id
            changed.append(row | {"id": firearm, "old": old})
        if outcome != "unchanged":
            new_serials += serial_rows(firearm, entry.firearm)
        happened += [(firearm, event) for event in entry.events]
        written.append(Written(entry.source_key, outcome, firearm, 0))
    versions = _replace(connection, changed)
    if new:
        connection.execute(sa.insert(firearms), new)
    if new_serials:
        connection.execute(sa.insert(serials), new_serials)
    rows = write_events(connection, happened, by)
    added = Counter(row["firearm"] for row in rows)
    if added:
        written = [Written(row.source_key, row.outcome, row.firearm, added[row.firearm]) for row in written]
    return Batch(written, [_version(row, 1) for row in new], versions, rows)


def _version(row: dict[str, Any], number: int) -> Version:
    return Version(row["id"], number, row["source"], row["source_key"], row["import_id"], row["digest"])


def _replace(connection: Connection, changed: list[dict[str, Any]]) -> list[Version]:
    versions = []
    for row in changed:
        old, firearm = row.pop("old"), row["id"]
        count = connection.scalar(
            sa.select(sa.func.count()).select_from(revisions).where(revisions.c.firearm == firearm)
        )
        connection.execute(
            sa.insert(revisions).values(
                firearm=firearm,
                number=(count or 0) + 1,
                content=old.content,
                import_id=old.import_id,
                replaced_on=now(),
            )
        )
        connection.execute(sa.update(firearms).where(firearms.c.id == firearm).values(row))
        connection.execute(sa.delete(serials).where(serials.c.firearm == firearm))
        versions.append(_version(row, (count or 0) + 2))
    return sorted(versions, key=lambda version: version.firearm)


def serial_rows(number: int, firearm: Firearm) -> list[dict[str, Any]]:
    """Return the rows by which a firearm is found by its serial numbers."""
    rows: list[dict[str, Any]] = []
    own = [("", firearm.serial), *((part.kind, part.serial) for part in firearm.components)]
    for component, written in own:
        if not written:
            continue
        for key in folded_keys(written):
            rows.append(
                {
                    "firearm": number,
                    "number": len(rows),
                    "component": component,
                    "written": written,
                    "key": key,
                    "reversed": key[::-1],
                }
            )
    return rows


def write_events(connection: Connection, happened: Iterable[tuple[int, Event]], by: str) -> list[dict[str, Any]]:
    """Add events that are not there yet, and return their rows.

    Parameters
    ----------
    connection : Connection
        Of a transaction that writes.
    happened : iterable of (int, Event)
        The firearm's number, and what happened to it.
    by : str
        Who records them.
    """
    rows = {(firearm, (said := event_digest(event))): (event, said) for firearm, event in happened}
    if not rows:
        return []
    numbers = sorted({firearm for firearm, _ in rows})
    query = sa.select(events.c.firearm, events.c.digest).where(events.c.firearm.in_(numbers))
    there = {(row.firearm, row.digest) for row in connection.execute(query)}
    first, stamp, new = next_number(connection, events), now(), list[dict[str, Any]]()
    for key, (event, said) in rows.items():
        if key in there:
            continue
        new.append(
            {
                "id": first + len(new),
                "firearm": key[0],
                "kind": event.kind,
                "on": event.on,
                "unit": event.unit,
                "place": event.place,
                "reference": event.reference,
                "note": event.note,
                "supersedes": event.supersedes,
                "digest": said,
                "recorded_on": stamp,
                "recorded_by": by,
            }
        )
    if new:
        connection.execute(sa.insert(events), new)
    return new


def event_digest(event: Event) -> str:
    """Return the SHA-256 of what an event says: the same event is recorded once."""
    said = (event.kind, event.on, event.unit, event.place, event.reference, event.note, str(event.supersedes or ""))
    return digest("\x1f".join(said))
