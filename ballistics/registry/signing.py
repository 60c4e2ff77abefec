"""What is written to a registry, as entries of the laboratory's signed log, made in the transaction that writes it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ballistics.records import Log, RefusedError, View
from ballistics.registry.tables import events, lead_steps, leads, steps, transfers
from ballistics.registry.writing import Batch, Version

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from ballistics.records import SigningKey

#: Kind of the entry for the firearms and events that a transaction of an import writes: it holds their hashes.
WRITTEN = "registry import"
#: Kinds of the entries for rows that a person adds, each with its row.
ROW_KINDS = {
    events: "registry event",
    steps: "registry step",
    transfers: "registry transfer",
    leads: "registry lead",
    lead_steps: "registry lead step",
}


@dataclass(frozen=True)
class Signing:
    """The log in which a registry records what is written, and the key of who writes.

    Parameters
    ----------
    log : Log
        Of the laboratory; it need not have begun.
    key : SigningKey or None
    """

    log: Log
    key: SigningKey | None

    def has_begun(self, connection: Connection) -> bool:
        """Return whether the laboratory keeps a log."""
        return View(connection).head().number > 0

    def row(self, connection: Connection, table: sa.Table, row: Mapping[str, Any]) -> None:
        """Record a row that was added; where there is no log, nothing.

        Parameters
        ----------
        connection : Connection
            Of the transaction that adds the row.
        table : Table
            One of `ROW_KINDS`.
        row : mapping of str to object
            As added, with its ``id``.
        """
        self._append(connection, ROW_KINDS[table], str(row["id"]), row)

    def batch(self, connection: Connection, source: str, import_id: str, batch: Batch) -> None:
        """Record what a transaction of an import has written; nothing where it wrote nothing, or there is no log.

        Parameters
        ----------
        connection : Connection
            Of that transaction.
        source, import_id : str
            Whose register it is, and the identifier of the import.
        batch : Batch
            What was written.
        """
        if not (batch.new or batch.changed or batch.events):
            return
        body = {
            "source": source,
            "import": import_id,
            "firearms": [batch.new[0].firearm, batch.new[-1].firearm] if batch.new else [],
            "changed": [[version.firearm, version.number] for version in batch.changed],
            "events": [batch.events[0]["id"], batch.events[-1]["id"]] if batch.events else [],
            "digests": {
                "firearms": digest_of(map(version_line, batch.new)),
                "changed": digest_of(map(version_line, batch.changed)),
                "events": digest_of(map(row_line, batch.events)),
            },
        }
        # One import has several entries: each is a record of its own, named by what it begins with.
        at = f"{body['firearms'] or '-'} {body['events'] or '-'} {View(connection).head().number + 1}"
        self._append(connection, WRITTEN, f"{import_id[:16]} {at}", body)

    def _append(self, connection: Connection, kind: str, record: str, body: Mapping[str, Any]) -> None:
        if not self.has_begun(connection):
            return
        if self.key is None:
            raise RefusedError(
                f"{self.log.where} keeps a signed log, in which everything written to the registry is recorded: state "
                "your key (--key, or the variable BALLISTICS_KEY)"
            )
        self.log.append_in(connection, self.key, kind, record, body)


def version_line(version: Version) -> bytes:
    """Return what is hashed of a version of a firearm's record."""
    return _line([version.firearm, version.number, version.source, version.source_key, version.import_id, version.said])


def row_line(row: Mapping[str, Any]) -> bytes:
    """Return what is hashed of a row."""
    return _line(dict(row))


def digest_of(lines: Iterable[bytes]) -> str:
    """Return the SHA-256 of lines."""
    found = sha256()
    for line in lines:
        found.update(line)
    return found.hexdigest()


def _line(value: Sequence[Any] | Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
