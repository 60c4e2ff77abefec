"""One entry of the log: what was recorded, by whom, when, and the hash that binds it to all entries before it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import rfc8785

from ballistics.errors import CorruptFileError, ParameterError
from ballistics.files import parse_json

#: What the first entry follows.
NOTHING_BEFORE = "0" * 64
#: The longest content of an entry, in bytes; larger things are files, named by their hash.
MOST_BYTES = 4 << 20
_FIELDS = {
    "body": dict,
    "case": str,
    "key": str,
    "kind": str,
    "number": int,
    "previous": str,
    "record": str,
    "supersedes": int,
    "time": str,
}


@dataclass(frozen=True)
class Entry:
    """One entry of the log.

    Parameters
    ----------
    number : int
        Its place in the log, from 1.
    previous : str
        Hash of the entry before it; 64 zeros for the first.
    time : str
        When it was recorded: UTC to the second, as ``2026-11-30T21:04:05Z``.
    key : str
        Identifier of the key that signed it.
    kind : str
        What is recorded: ``"item"``, ``"transfer"`` …
    record : str
        Identifier of what is recorded; an amended record keeps it.
    case : str
        The case it belongs to; empty where it belongs to none.
    supersedes : int
        Number of the entry that it replaces; 0 where it is the first of its record.
    body : mapping
        The fields of the record.
    """

    number: int
    previous: str
    time: str
    key: str
    kind: str
    record: str
    case: str
    supersedes: int
    body: Mapping[str, Any]

    @property
    def content(self) -> bytes:
        """The entry as canonical JSON."""
        return canonical({name: getattr(self, name) for name in _FIELDS})

    @property
    def hash(self) -> str:
        """The SHA-256 of the content, as 64 hexadecimal digits."""
        return sha256(self.content).hexdigest()


def canonical(value: Any) -> bytes:
    """Return a value as canonical JSON, RFC 8785: the same value, the same bytes.

    Raises
    ------
    ParameterError
        When JSON has no form for it: NaN, integers beyond 2⁵³, text that is not Unicode.

    Examples
    --------
    >>> canonical({"b": [1.0, None], "a": "Скопје"}).decode()
    '{"a":"Скопје","b":[1,null]}'
    """
    try:
        data = rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeError, RecursionError) as error:
        raise ParameterError(f"what is to be recorded cannot be written as JSON: {error}") from error
    if len(data) > MOST_BYTES:
        raise ParameterError(
            f"what is to be recorded takes {len(data)} bytes, an entry of the log holds {MOST_BYTES} at most: "
            "attach it as a file"
        )
    return data


def entry_of(content: str | bytes, where: str) -> Entry:
    """Return the entry that a content states.

    Raises
    ------
    CorruptFileError
        When it is no entry, or not in its canonical form.
    """
    data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    found = parse_json(data, where, "an entry of the log")
    if not isinstance(found, dict) or set(found) != set(_FIELDS):
        raise CorruptFileError(f"{where} has not the fields of an entry of the log")
    for name, kind in _FIELDS.items():
        if type(found[name]) is not kind:
            raise CorruptFileError(f"{where}: '{name}' is not of the kind that an entry of the log has there")
    entry = Entry(**found)
    try:
        same = entry.content == data
    except ParameterError as error:
        raise CorruptFileError(f"{where}: {error}") from error
    if not same:
        raise CorruptFileError(f"{where} is not in the form in which the log writes its entries")
    return entry


def now() -> str:
    """Return the time as entries state it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def as_line(entry: Entry, signature: str) -> str:
    """Return an entry as one line of an extract of the log, JSON Lines without the line's end."""
    return json.dumps({"content": entry.content.decode(), "signature": signature}, ensure_ascii=False)
