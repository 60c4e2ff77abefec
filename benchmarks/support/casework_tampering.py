"""Tampering with a log that holds every kind of record: every field, column and row; how much is found and named."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from ballistics.casework import Casebook
from ballistics.library import LibraryStore
from ballistics.records import Log, SigningKey, canonical, receipt_of, verify_log
from ballistics.records.entry import chained, tag_of
from ballistics.records.tables import entries
from ballistics.records.views import Row
from ballistics.store import writing
from benchmarks.support.casework_cases import begin, case_records, laboratory_records, recorder

Way = tuple[str | int, ...]


@dataclass(frozen=True)
class Tampering:
    """Something that was done to a log.

    Parameters
    ----------
    named : frozenset of int
        The entries of which a verification must name at least one.
    what : str
        What was done.
    rows : tuple of Row
        What is in the table afterwards.
    with_receipt : bool
        Whether it can be found with a receipt only.
    """

    named: frozenset[int]
    what: str
    rows: tuple[Row, ...]
    with_receipt: bool = False


class Bench:
    """A log with every kind of record, and what a verification finds when its rows are others.

    Parameters
    ----------
    folder : Path
        An empty folder.
    """

    def __init__(self, folder: Path) -> None:
        LibraryStore.create(folder / "laboratory").close()
        self.book = Casebook.open(folder / "laboratory")
        self.keys: dict[str, SigningKey] = begin(self.book)
        put, keep = recorder(self.book, self.keys)
        laboratory_records(put, keep)
        case_records("C-1", put, keep)
        self.log = Log(self.book.log.engine, "the log", self.book.log.rule)
        self.rows: list[Row] = list(self.log.rows())
        self.receipt = receipt_of(self.book.library.identifier, self.log.head())

    def close(self) -> None:
        """Close the database."""
        self.book.library.close()

    def put(self, rows: Sequence[Row]) -> None:
        """Put other rows in the place of those of the log."""
        with writing(self.log.engine, "the log") as connection:
            connection.execute(entries.delete())
            connection.execute(entries.insert(), [_values(row) for row in rows])

    def is_found(self, done: Tampering) -> bool:
        """Return whether a verification finds a tampering, and names the entry."""
        self.put(done.rows)
        receipts = (self.receipt,) if done.with_receipt else ()
        found = verify_log(self.log, self.book.library.identifier, receipts)
        return bool(done.named & {fault.number for fault in found.faults})

    def with_row(self, place: int, row: Row) -> tuple[Row, ...]:
        """Return the rows with another in a place."""
        return (*self.rows[:place], row, *self.rows[place + 1 :])


def _values(row: Row) -> dict[str, Any]:
    return dict(zip(entries.c.keys(), (*row[:4], row.content.decode(), *row[5:]), strict=True))


def ways(value: Any, way: Way = ()) -> Iterator[Way]:
    """Yield the way to every value in a content, at every depth."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inner:
        yield (*way, name)
        yield from ways(each, (*way, name))


def altered(content: bytes, way: Way, how: str) -> bytes:
    """Return a content with the value at a place altered or removed, written as the log writes.

    Parameters
    ----------
    content : bytes
        Of an entry.
    way : tuple
        Names and places that lead to the value.
    how : str
        ``"altered"`` or ``"removed"``.
    """
    found = json.loads(content)
    inner = found
    for step in way[:-1]:
        inner = inner[step]
    value = inner[way[-1]]
    if how == "removed":
        del inner[way[-1]]
    elif isinstance(value, bool):
        inner[way[-1]] = not value
    elif isinstance(value, (int, float)):
        inner[way[-1]] = value + 1
    elif isinstance(value, str):
        # Another of the same look: a hash stays one.
        inner[way[-1]] = (("1" if value[0] == "0" else "0") + value[1:]) if value else "x"
    else:
        inner[way[-1]] = [*value, "x"] if isinstance(value, list) else {**value, "x": "x"}
    return canonical(found)


def fields(bench: Bench) -> Iterator[Tampering]:
    """Yield each field of each entry altered, and removed, in the content of its row."""
    for place, row in enumerate(bench.rows):
        for way in ways(json.loads(row.content)):
            for how in ("altered", "removed"):
                other = row._replace(content=altered(row.content, way, how))
                yield Tampering(frozenset({row.number}), f"{row.kind} {way} {how}", bench.with_row(place, other))


def resealed(bench: Bench) -> Iterator[Tampering]:
    """Yield the same with the hash made anew and signed by an operator, whose own entries are among them.

    Who alters what they signed themselves is found by the entry after it, which names another hash, or by a receipt.
    """
    insider = bench.keys["CU"]
    for place, row in enumerate(bench.rows):
        for way in ways(json.loads(row.content)):
            data = altered(row.content, way, "altered")
            found = json.loads(data)
            try:
                sealed = chained(found["previous"], sha256(data).hexdigest(), tag_of(found["group"], found["number"]))
            except ValueError:
                continue  # the hash before it is none
            other = row._replace(content=data, hash=sealed, signature=insider.sign(sealed))
            named = frozenset({row.number, row.number + 1})
            yield Tampering(named, f"{row.kind} {way} sealed anew", bench.with_row(place, other), with_receipt=True)


def columns(bench: Bench) -> Iterator[Tampering]:
    """Yield each column of each row altered."""
    for place, row in enumerate(bench.rows):
        for name in Row._fields[1:]:
            value = getattr(row, name)
            first, second = (b"0", b"1") if isinstance(value, bytes) else ("0", "1")
            other = row._replace(**{name: (second if value[:1] == first else first) + value[1:]})
            yield Tampering(frozenset({row.number}), f"{name} of {row.kind}", bench.with_row(place, other))


def moved(bench: Bench) -> Iterator[Tampering]:
    """Yield rows removed, exchanged, repeated, cut off, put back, and signed by a revoked key."""
    held, n = tuple(bench.rows), len(bench.rows)
    for place, row in enumerate(held):
        here, of = frozenset({row.number}), f"{row.kind} '{row.record}'"
        other = held[(place + 7) % n]._replace(number=row.number)
        yield Tampering(here, f"{of} removed", (*held[:place], *held[place + 1 :]), with_receipt=True)
        yield Tampering(here, f"another in the place of {of}", bench.with_row(place, other))
        yield Tampering(frozenset({n + 1}), f"{of} repeated", (*held, row._replace(number=n + 1)))
        if place:
            yield Tampering(here, f"an older copy, before {of}", held[:place], with_receipt=True)
    yield Tampering(frozenset({n + 2}), "signed by a revoked key", _revoked(bench))


GROUPS = {"fields": fields, "resealed": resealed, "columns": columns, "rows": moved}


def _revoked(bench: Bench) -> tuple[Row, ...]:
    bench.put(bench.rows)
    key = bench.keys["SH"]
    bench.book.revoke(bench.keys["AD"], key.identifier, "lost")
    rows = tuple(bench.log.rows())
    number = len(rows) + 1
    content = json.loads(rows[-1].content) | {
        "number": number, "previous": rows[-1].hash, "key": key.identifier, "kind": "note", "group": "note",
        "record": "N-1", "supersedes": 0,
    }  # fmt: skip
    data = canonical(content)
    sealed = chained(rows[-1].hash, sha256(data).hexdigest(), tag_of("note", number))
    return (*rows, Row(number, "note", "N-1", "", data, sealed, key.sign(sealed)))


def outcomes(quick: bool = False) -> dict[str, tuple[int, int]]:
    """Return how many tamperings of each group were found and named, and how many there were.

    Parameters
    ----------
    quick : bool
        Every twentieth only.
    """
    found: dict[str, tuple[int, int]] = {}
    with tempfile.TemporaryDirectory() as place:
        os.environ.setdefault("XDG_STATE_HOME", place)
        bench = Bench(Path(place))
        try:
            for name, group in GROUPS.items():
                tried = [attempt for k, attempt in enumerate(group(bench)) if not (quick and k % 20)]
                found[name] = sum(bench.is_found(attempt) for attempt in tried), len(tried)
        finally:
            bench.close()
    return found
