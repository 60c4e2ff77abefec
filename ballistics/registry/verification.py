"""Verification of a registry: each row against its own hash and against the entries of the signed log that hold it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ballistics.errors import BallisticsError, CorruptFileError
from ballistics.progress import Progress, silent
from ballistics.records import View, verify_log
from ballistics.registry.records import Event, Firearm, digest
from ballistics.registry.registry import Registry
from ballistics.registry.signing import ROW_KINDS, WRITTEN, row_line, version_line
from ballistics.registry.tables import events, firearms, names, revisions, serials
from ballistics.registry.writing import Version, event_digest, serial_rows

_ROWS_AT_ONCE = 2000
_MOST_FAULTS = 100


@dataclass(frozen=True)
class RegistryIntegrity:
    """What the verification of a registry found.

    Parameters
    ----------
    firearms, events : int
        How many there are.
    n_faults : int
    faults : tuple of str
        The first hundred, a sentence each.
    notes : tuple of str
        What is no fault, and must be known: such as rows that are older than the log.
    """

    firearms: int
    events: int
    n_faults: int
    faults: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not self.n_faults


def verify_registry(registry: Registry, progress: Progress | None = None) -> RegistryIntegrity:
    """Verify a registry, and the log in which it is recorded.

    Every record, earlier version and event is held against its own hash and against the entry of the log that was made
    when it was written; serial numbers and names by which firearms are found, against the records. Steps of procedures,
    transfers and leads are held against their entries. Rows that are older than the first entry of the registry in the
    log are counted in the notes: nothing shows whether they were altered.

    Parameters
    ----------
    registry : Registry
    progress : callable, optional
        Told of the firearms that are done, and of the log.
    """
    tell = progress or silent
    log = registry.signing.log
    found = _Found()
    with registry.reading() as connection:
        begun = registry.signing.has_begun(connection)
    if begun:
        for fault in verify_log(log, registry.library.identifier, progress=progress).faults:
            found.add(f"the log: {fault.message}")
    else:
        found.notes.append("this laboratory keeps no signed log: rows are held against their own hashes only")
    with registry.reading() as connection:
        try:
            signed = _Signed(View(connection), found)
        except CorruptFileError as error:
            found.add(f"{error}: the rows of the registry cannot be held against the log")
            return RegistryIntegrity(0, 0, found.count, tuple(found.faults), tuple(found.notes))
        n_firearms = _verify_firearms(connection, signed, found, tell)
        counts = {table: _verify_rows(connection, table, signed, found) for table in ROW_KINDS}
    signed.finish(begun)
    return RegistryIntegrity(n_firearms, counts[events], found.count, tuple(found.faults), tuple(found.notes))


class _Found:
    def __init__(self) -> None:
        self.faults: list[str] = []
        self.notes: list[str] = []
        self.count = 0

    def add(self, message: str) -> None:
        self.count += 1
        if len(self.faults) < _MOST_FAULTS:
            self.faults.append(message)


class _Digest:
    """The hash of what an entry says it wrote, built again from the rows."""

    def __init__(self, entry: int, what: str, expected: str, count: int) -> None:
        self.entry, self.what, self.expected = entry, what, expected
        self.left = count
        self.built = sha256()

    def take(self, line: bytes) -> None:
        self.built.update(line)
        self.left -= 1


class _Ranges:
    """Which entry wrote a row, by the row's number."""

    def __init__(self, ranges: list[tuple[int, int, _Digest]]) -> None:
        self.ranges = sorted(ranges, key=lambda each: each[0])
        self.first = [each[0] for each in self.ranges]

    def of(self, number: int) -> _Digest | None:
        at = bisect_right(self.first, number) - 1
        return self.ranges[at][2] if at >= 0 and number <= self.ranges[at][1] else None


class _Signed:
    """What the entries of the log say was written, and what of it was found."""

    def __init__(self, view: View, found: _Found) -> None:
        self.found = found
        self.digests: list[_Digest] = []
        self.changed: dict[tuple[int, int], _Digest] = {}
        self.rows = {table: self._rows(view, kind) for table, kind in ROW_KINDS.items()}
        ranges: dict[str, list[tuple[int, int, _Digest]]] = {"firearms": [], "events": []}
        for entry in view.every(WRITTEN):
            try:
                self._batch(entry.number, entry.body, ranges)
            except (KeyError, TypeError, ValueError, AttributeError):
                found.add(f"entry {entry.number} of the log is not as this program writes it")
        self.ranges = {what: _Ranges(own) for what, own in ranges.items()}
        # By table, the first row that an entry holds: rows before it are older than the log.
        self.since = {table.name: min(map(int, own), default=None) for table, own in self.rows.items()}
        for table, own in ((firearms, self.ranges["firearms"]), (events, self.ranges["events"])):
            since = [first for first in (self.since.get(table.name), *own.first[:1]) if first is not None]
            self.since[table.name] = min(since, default=None)
        self.older = 0

    @staticmethod
    def _rows(view: View, kind: str) -> dict[str, tuple[int, str]]:
        said = ((entry, digest(row_line(entry.body).decode())) for entry in view.every(kind))
        return {entry.record: (entry.number, body) for entry, body in said if entry.record.isdecimal()}

    def _batch(self, entry: int, body: Mapping[str, Any], ranges: dict[str, list[tuple[int, int, _Digest]]]) -> None:
        for what, own in ranges.items():
            if body[what]:
                first, last = map(int, body[what])
                made = _Digest(entry, f"{what} {first} to {last}", str(body["digests"][what]), last - first + 1)
                own.append((first, last, made))
                self.digests.append(made)
        if body["changed"]:
            what = f"the versions of {len(body['changed'])} firearms that changed"
            made = _Digest(entry, what, str(body["digests"]["changed"]), len(body["changed"]))
            self.digests.append(made)
            self.changed.update(((int(firearm), int(number)), made) for firearm, number in body["changed"])

    def version(self, version: Version) -> None:
        if version.number == 1:
            own = self.ranges["firearms"].of(version.firearm)
        else:
            own = self.changed.pop((version.firearm, version.number), None)
        if own is not None:
            own.take(version_line(version))
        else:
            self._outside(firearms, version.firearm, f"firearm {version.firearm}, version {version.number}")

    def row(self, table: sa.Table, row: Mapping[str, Any]) -> None:
        number, name = int(row["id"]), _name(table)
        entry, said = self.rows[table].pop(str(number), (0, ""))
        own = self.ranges["events"].of(number) if table is events else None
        if entry:
            if said != digest(row_line(row).decode()):
                self.found.add(f"{name} {number} is not as entry {entry} of the log recorded it")
        elif own is not None:
            own.take(row_line(row))
        else:
            self._outside(table, number, f"{name} {number}")

    def _outside(self, table: sa.Table, number: int, what: str) -> None:
        since = self.since[table.name]
        if since is None or number < since:
            self.older += 1
        else:
            self.found.add(f"{what}, stands in no entry of the log: it was added past this program")

    def finish(self, begun: bool) -> None:
        for table, left in self.rows.items():
            for number, (entry, _) in left.items():
                self.found.add(f"{_name(table)} {number}, recorded by entry {entry} of the log, is gone")
        for made in self.digests:
            if made.left:
                self.found.add(f"{made.what}, recorded by entry {made.entry} of the log: {made.left} are gone")
            elif made.built.hexdigest() != made.expected:
                self.found.add(f"{made.what} are not as entry {made.entry} of the log recorded them")
        if begun and self.older:
            self.found.notes.append(
                f"{self.older} rows were written before the registry's first entry in the log: nothing shows whether "
                "they were altered since"
            )


def _name(table: sa.Table) -> str:
    return ROW_KINDS[table].removeprefix("registry ")


def _pages(connection: Connection, table: sa.Table) -> Iterator[list[Mapping[str, Any]]]:
    """Yield the rows of a table in pages, by their numbers."""
    last: int | None = None
    while True:
        query = sa.select(table).order_by(table.c.id).limit(_ROWS_AT_ONCE)
        rows = connection.execute(query if last is None else query.where(table.c.id > last)).mappings()
        page: list[Mapping[str, Any]] = [dict(row) for row in rows]
        if not page:
            return
        yield page
        last = page[-1]["id"]


def _of_page(connection: Connection, table: sa.Table, first: int, last: int) -> dict[int, list[Mapping[str, Any]]]:
    """Return the rows of firearms, by firearm and in their order."""
    query = sa.select(table).where(table.c.firearm.between(first, last)).order_by(table.c.firearm, table.c.number)
    found: dict[int, list[Mapping[str, Any]]] = {}
    for row in connection.execute(query).mappings():
        found.setdefault(row["firearm"], []).append(dict(row))
    return found


def _verify_firearms(connection: Connection, signed: _Signed, found: _Found, tell: Progress) -> int:
    named = {row.id: (row.kind, row.written) for row in connection.execute(sa.select(names))}
    total = int(connection.scalar(sa.select(sa.func.count()).select_from(firearms)) or 0)
    done = 0
    for page in _pages(connection, firearms):
        first, last = page[0]["id"], page[-1]["id"]
        earlier, own_serials = (_of_page(connection, table, first, last) for table in (revisions, serials))
        for row in page:
            number = row["id"]
            try:
                _verify_firearm(row, earlier.get(number, []), signed, found)
                firearm = Firearm.from_content(row["content"])
                if own_serials.get(number, []) != serial_rows(number, firearm):
                    found.add(f"firearm {number}: the serial numbers it is found by are not those of its record")
                for kind in ("make", "model", "calibre"):
                    if named.get(row[kind]) != (kind, getattr(firearm, kind)):
                        found.add(f"firearm {number}: the {kind} it is found by is not that of its record")
            except (BallisticsError, TypeError, ValueError, KeyError, AttributeError):
                found.add(f"firearm {number}: its record cannot be read: it was changed past this program")
        done += len(page)
        tell("verifying firearms", done, total)
    return done


def _verify_firearm(row: Mapping[str, Any], earlier: list[Mapping[str, Any]], signed: _Signed, found: _Found) -> None:
    number = row["id"]
    if digest(row["content"]) != row["digest"]:
        found.add(f"firearm {number}: its record was altered")
    versions = [(old["number"], old["import_id"], old["content"]) for old in earlier]
    versions.append((len(earlier) + 1, row["import_id"], row["content"]))
    if [version[0] for version in versions] != list(range(1, len(versions) + 1)):
        found.add(f"firearm {number}: an earlier version of its record is gone")
    for place, import_id, content in versions:
        signed.version(Version(number, place, row["source"], row["source_key"], import_id, digest(content)))


def _verify_rows(connection: Connection, table: sa.Table, signed: _Signed, found: _Found) -> int:
    done = 0
    for page in _pages(connection, table):
        for row in page:
            try:
                if table is events and row["digest"] != event_digest(_event(row)):
                    found.add(f"event {row['id']} was altered")
                signed.row(table, row)
            except (BallisticsError, TypeError, ValueError):
                found.add(f"{_name(table)} {row['id']} cannot be read: it was changed past this program")
        done += len(page)
    return done


def _event(row: Mapping[str, Any]) -> Event:
    return Event(row["kind"], row["on"], row["unit"], row["place"], row["reference"], row["note"], row["supersedes"])
