"""One entry of the log: what was recorded, by whom, when, and the hash that binds it to all entries before it."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from hashlib import sha256
from typing import Any

import rfc8785

from ballistics.errors import CorruptFileError, ParameterError
from ballistics.files import MOST_LEVELS, parse_json

#: What the first entry follows.
NOTHING_BEFORE = "0" * 64
#: Before what is hashed and signed: no key signs the same bytes for another purpose.
PURPOSE = b"ballistics log 1\n"
#: The longest content of an entry, in bytes; larger things are files, named by their hash.
MOST_BYTES = 4 << 20
_FIELDS = {
    "body": dict,
    "case": str,
    "group": str,
    "key": str,
    "kind": str,
    "number": int,
    "previous": str,
    "record": str,
    "salt": str,
    "supersedes": int,
    "time": str,
}
#: How long the names of an entry may be.
_MOST_LETTERS = {"kind": 40, "record": 200, "case": 200}
_HASH = re.compile(r"[0-9a-f]{64}")
_TOKEN = re.compile(r"[0-9a-f]{32}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
# Names of fields with letters beyond U+FFFF are sorted otherwise by Python than by RFC 8785.
_BEYOND = re.compile("[\U00010000-\U0010ffff]")
_PLAIN = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False)
_LONGEST_WHOLE = 15


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
    group : str
        The same for all entries of a case and only for them: 32 digits drawn by lot for its first entry, so that an
        extract can show that no entry of a case is left out and not which cases there are. The kind where there is no
        case.
    supersedes : int
        Number of the entry that it replaces; 0 where it is the first of its record.
    salt : str
        32 digits drawn by lot: without them, who knows an entry's digest could try out what it says.
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
    group: str
    supersedes: int
    salt: str
    body: Mapping[str, Any]

    @cached_property
    def content(self) -> bytes:
        """The entry as canonical JSON."""
        return canonical({name: getattr(self, name) for name in _FIELDS})

    @cached_property
    def readings(self) -> dict[str, Any]:
        """What rooms make of the entry and ask for again, each under its own name; no part of the entry."""
        return {}

    @property
    def digest(self) -> str:
        """The SHA-256 of the content, as 64 hexadecimal digits."""
        return sha256(self.content).hexdigest()

    @property
    def tag(self) -> str:
        """By which who knows its group, and nobody else, sees that the entry belongs to it."""
        return tag_of(self.group, self.number)

    @property
    def hash(self) -> str:
        """The hash that is signed and that the next entry names; it binds all entries up to this one."""
        return chained(self.previous, self.digest, self.tag)


def tag_of(group: str, number: int) -> str:
    """Return the tag of an entry of a group: SHA-256, as 64 hexadecimal digits."""
    return sha256(f"{group} {number}".encode()).hexdigest()


def chained(previous: str, digest: str, tag: str) -> str:
    """Return the hash of an entry: SHA-256 of what it is for, and of 96 bytes.

    Parameters
    ----------
    previous : str
        Hash of the entry before it.
    digest : str
        SHA-256 of its content.
    tag : str
        Its tag, `tag_of`.
    """
    return sha256(PURPOSE + bytes.fromhex(previous + digest + tag)).hexdigest()


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
    if len(data) > MOST_BYTES:
        raise CorruptFileError(f"{where} is longer than an entry of the log can be")
    found = _read_plain(data)
    is_canonical = found is not None
    if found is None:
        found = parse_json(data, where, "an entry of the log")
    if not isinstance(found, dict) or found.keys() != _FIELDS.keys():
        raise CorruptFileError(f"{where} has not the fields of an entry of the log")
    for name, kind in _FIELDS.items():
        if type(found[name]) is not kind:
            raise CorruptFileError(f"{where}: '{name}' is not of the kind that an entry of the log has there")
    entry = Entry(**found)
    fault = _fault(entry)
    if fault:
        raise CorruptFileError(f"{where}: {fault}")
    if not (is_canonical or _is_canonical(found, data, where)):
        raise CorruptFileError(f"{where} is not in the form in which the log writes its entries")
    entry.__dict__["content"] = data
    return entry


@lru_cache(1 << 12)
def name_fault(what: str, text: str) -> str | None:
    """Return what is wrong with a kind, the identifier of a record, or that of a case; None when nothing is.

    Examples
    --------
    >>> name_fault("record", "K-1"), name_fault("case", "")
    (None, None)
    >>> name_fault("record", "K-1 ")
    "the record has 1 to 200 printable characters and no blank at its ends; 'K-1 ' has not"
    """
    most = _MOST_LETTERS[what]
    if not text and what == "case":
        return None
    # Look-alikes by composition alone ("é" of one letter, or of two) would be two records of one name.
    if 0 < len(text) <= most and text.isprintable() and text == unicodedata.normalize("NFC", text.strip()):
        return None
    return f"the {what} has 1 to {most} printable characters and no blank at its ends; {text[:80]!a} has not"


def _fault(entry: Entry) -> str | None:
    for what in _MOST_LETTERS:
        fault = name_fault(what, getattr(entry, what))
        if fault:
            return fault
    if not (_HASH.fullmatch(entry.previous) and _HASH.fullmatch(entry.key) and _TOKEN.fullmatch(entry.salt)):
        return "its hashes are not written as the log writes them"
    if not 0 <= entry.supersedes < entry.number:
        return "it cannot replace the entry that it names"
    if not is_time(entry.time):
        return "its time is not one that the log writes"
    if not (_TOKEN.fullmatch(entry.group) if entry.case else entry.group == entry.kind):
        return "its group is not one that the log gives"
    return None


def is_time(text: str) -> bool:
    """Return whether a text is a time as entries state it."""
    if not _TIME.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _read_plain(data: bytes) -> Any:
    """Return the content of a canonical JSON text; None for one that is not, or that takes a closer look.

    Takes a third of the time of `parse_json` and `canonical`, and lets through nothing that they would not: what Python
    writes again in the very same way names no field twice, holds no blank, no escape that need not be, and its fields
    are in order; numbers that Python and RFC 8785 may write differently are not read here.
    """
    try:
        text = data.decode()
        if text.count("[") + text.count("{") > MOST_LEVELS or not (data.isascii() or not _BEYOND.search(text)):
            return None
        content = _PLAIN_DECODER.decode(text)
        return content if _PLAIN.encode(content) == text else None
    except (ValueError, RecursionError, MemoryError):
        return None


def _whole(text: str) -> int:
    if len(text) > _LONGEST_WHOLE:
        raise ValueError
    return int(text)


def _fraction(text: str) -> float:
    value = float(text)
    # Both write the fewest digits that give the number; Python alone writes 1.0, and 1e-05 for 0.00001.
    if "e" in text or "E" in text or text.endswith(".0") or repr(value) != text:
        raise ValueError
    return value


def _refused(name: str) -> Any:
    raise ValueError(name)


_PLAIN_DECODER = json.JSONDecoder(parse_int=_whole, parse_float=_fraction, parse_constant=_refused)


def _is_canonical(found: Any, data: bytes, where: str) -> bool:
    try:
        return canonical(found) == data
    except ParameterError as error:
        raise CorruptFileError(f"{where}: {error}") from error


def now() -> str:
    """Return the time as entries state it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
