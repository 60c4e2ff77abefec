"""Import of a register: row by row, in transactions that are whole, with a reason for each row that is refused."""

from __future__ import annotations

import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from ballistics.progress import Progress, silent
from ballistics.registry.mapping import RegisterMapping, RowError
from ballistics.registry.records import digest
from ballistics.registry.registry import Registry
from ballistics.registry.sources import Source, open_source
from ballistics.registry.tables import firearms
from ballistics.registry.writing import Entry, Names, Written

_Writer = Callable[[list[Entry]], list[Written]]
#: Rows of one transaction.
BATCH = 2000
#: Columns of the report of refused rows.
REFUSAL_COLUMNS = ("row", "column", "value", "reason")
_MOST_SHOWN = 120


@dataclass(frozen=True)
class Refusal:
    """A row that was refused: its number below the headings, the column and value it is about, and why."""

    row: int
    column: str
    value: str
    reason: str


class Import:
    """An import of a register, or what one would do.

    What a batch of rows has written is kept when the next one begins; given again after a stop, the same import writes
    only what is missing. Nothing is written twice: a record is known by its source and its number there.

    Parameters
    ----------
    registry : Registry
    mapping : RegisterMapping
    by : str
        Who imports.
    dry_run : bool
        Write nothing.

    Attributes
    ----------
    counts : Counter
        Rows by outcome: ``new``, ``changed``, ``unchanged``, ``refused``; and ``events`` that were new.
    """

    def __init__(self, registry: Registry, mapping: RegisterMapping, by: str, dry_run: bool = False) -> None:
        self.registry = registry
        self.mapping = mapping
        self.by = by
        self.dry_run = dry_run
        self.counts: Counter[str] = Counter()

    def refusals(self, where: str, progress: Progress | None = None) -> Iterator[Refusal]:
        """Import a source, and yield each row that is refused as it is met; the import ends with the iteration.

        Parameters
        ----------
        where : str
            As of `open_source`.
        progress : callable, optional
            Told of the rows of each batch once they are kept.
        """
        with open_source(where, self.mapping) as source, self._writer(source) as write:
            read = self.mapping.reader(source.headings)
            tell = progress or silent
            batch: dict[str, tuple[int, Entry]] = {}
            number = 0
            for number, values in source.rows:
                try:
                    if isinstance(values, str):
                        raise RowError("", "", values)
                    entry = read(values)
                except RowError as error:
                    self.counts["refused"] += 1
                    yield Refusal(number, error.column, _shown(error.value), error.reason)
                    continue
                if entry.source_key in batch or len(batch) == BATCH:
                    yield from self._written(write, batch)
                    tell("importing", number - 1, max(source.count, number))
                batch[entry.source_key] = (number, entry)
            yield from self._written(write, batch)
            tell("importing", number, number)

    def _written(self, write: _Writer, batch: dict[str, tuple[int, Entry]]) -> Iterator[Refusal]:
        if not batch:
            return
        for done in write([entry for _, entry in batch.values()]):
            if done.outcome == "contradicts":
                self.counts["refused"] += 1
                reason = f"number {done.source_key} says something else in an earlier row of this source"
                yield Refusal(batch[done.source_key][0], self.mapping.key, _shown(done.source_key), reason)
            else:
                self.counts[done.outcome] += 1
                self.counts["events"] += done.new_events
        batch.clear()

    @contextmanager
    def _writer(self, source: Source) -> Iterator[_Writer]:
        import_id = digest(f"{source.identity} {self.mapping.says!r}")
        if self.dry_run:
            with tempfile.TemporaryDirectory() as folder, closing(_seen_rows(Path(folder))) as seen:
                yield lambda entries: self._compared(seen, entries)
            return
        known = Names()
        with self.registry.filling():
            yield lambda entries: self.registry.add_many(self.mapping.source, entries, import_id, self.by, known)

    def _compared(self, seen: sqlite3.Connection, entries: list[Entry]) -> list[Written]:
        """Return what writing would do: by what the registry holds, and what earlier rows said."""
        contents = {entry.source_key: digest(entry.firearm.content()) for entry in entries}
        query = sa.select(firearms.c.source_key, firearms.c.digest, firearms.c.id).where(
            firearms.c.source == self.mapping.source, firearms.c.source_key.in_(list(contents))
        )
        with self.registry.reading() as connection:
            held = {row.source_key: row for row in connection.execute(query)}
        seen.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?)", contents.items())
        found = []
        for key, content in contents.items():
            (first,) = seen.execute("SELECT digest FROM seen WHERE key = ?", (key,)).fetchone()
            row = held.get(key)
            outcome = "new" if row is None else "unchanged" if row.digest == content else "changed"
            found.append(Written(key, outcome if first == content else "contradicts", row.id if row else 0, 0))
        return found


def _seen_rows(folder: Path) -> sqlite3.Connection:
    seen = sqlite3.connect(folder / "seen.sqlite", isolation_level=None)
    seen.execute("PRAGMA synchronous=OFF")
    seen.execute("PRAGMA journal_mode=OFF")
    seen.execute("CREATE TABLE seen (key TEXT PRIMARY KEY, digest TEXT NOT NULL) WITHOUT ROWID")
    seen.execute("BEGIN")
    return seen


def _shown(value: str) -> str:
    """Return the beginning of a value, with what cannot be printed as its code."""
    short = value if len(value) <= _MOST_SHOWN else f"{value[:_MOST_SHOWN]}…"
    return "".join(sign if sign.isprintable() else f"<U+{ord(sign):04X}>" for sign in short)
