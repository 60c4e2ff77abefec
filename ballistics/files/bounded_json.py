"""Bounded reading of JSON from outside: what no measurement writes is refused, and the message says where."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ballistics.errors import CorruptFileError, ReadError
from ballistics.files.durable import reason

#: Field under which a file carries the SHA-256 of its own content.
SEAL = "content_sha256"
#: No file of this package nests deeper than ten.
MOST_LEVELS = 64
MOST_BYTES = 1 << 30
# Every whole number must be one that a table can hold.
_MOST_WHOLE = 2**63
# Only what may be out of bounds is looked at one by one. A number inside a text stands after one of these.
_LONG_NUMBER = re.compile(r"[:,\[\s]-?[0-9](?:[0-9]{18}|[0-9.]*[eE])")
_NUMERIC = frozenset("-0123456789")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def load_json(path: Path, what: str, *, most_bytes: int = MOST_BYTES) -> Any:
    """Read a JSON file.

    Parameters
    ----------
    path : Path
        The file.
    what : str
        What it should be, for messages: "a taxonomy".
    most_bytes : int
        Refused when it is larger.

    Raises
    ------
    ReadError
        When it cannot be opened.
    CorruptFileError
        As of `parse_json`; or the file is larger.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(most_bytes + 1)
    except OSError as error:
        raise ReadError(f"{path} cannot be read: {reason(error)}") from error
    if len(data) > most_bytes:
        raise CorruptFileError(f"{path} is not {what}: it has more than {most_bytes} bytes")
    return parse_json(data, str(path), what)


def parse_json(data: bytes | str, where: str, what: str) -> Any:
    """Return the content of a JSON text.

    Parameters
    ----------
    data : bytes or str
        The text, UTF-8.
    where : str
        Where it stands, for messages.
    what : str
        What it should be.

    Raises
    ------
    CorruptFileError
        When it is not JSON, names a field twice, holds NaN, an infinite number or a whole number of more than 63 bits,
        half of a surrogate pair, or is nested deeper than `MOST_LEVELS`.

    Examples
    --------
    >>> parse_json(b'{"a": [1, 2.5]}', "notes.json", "a note")
    {'a': [1, 2.5]}
    >>> parse_json(b'{"a": 1, "a": 2}', "notes.json", "a note")
    Traceback (most recent call last):
    ...
    ballistics.errors.CorruptFileError: notes.json is not a note: the field 'a' stands twice
    """
    try:
        text = data.decode("utf-8-sig") if isinstance(data, bytes) else data
        content = (_STRICT if text[:1] in _NUMERIC or _LONG_NUMBER.search(text) else _PLAIN).decode(text)
        # Fewer brackets than levels cannot be nested deeper.
        if text.count("[") + text.count("{") > MOST_LEVELS:
            _check_levels(content)
        if _SURROGATE.search(text):
            json.dumps(content, ensure_ascii=False).encode()
    except UnicodeError as error:
        raise CorruptFileError(f"{where} is not {what}: it holds text that is not Unicode ({error})") from error
    except (ValueError, RecursionError, MemoryError) as error:
        said = (
            "it is nested too deeply" if isinstance(error, RecursionError) else str(error) or "it needs too much memory"
        )
        raise CorruptFileError(f"{where} is not {what}: {said}") from error
    return content


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object with the SHA-256 of its content in the field `SEAL`."""
    return {**content, SEAL: content_sha256(content)}


def seal_fault(content: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the seal of an object; None when it holds, or there is none.

    Examples
    --------
    >>> whole = sealed({"score": 3.5})
    >>> seal_fault(whole), seal_fault(whole | {"score": 8.5})
    (None, 'its content is not the one that was written: it was altered, or damaged')
    """
    if SEAL not in content or content[SEAL] == content_sha256(content):
        return None
    return "its content is not the one that was written: it was altered, or damaged"


def content_sha256(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of an object's content, whatever the order of its fields, blanks and seal."""
    bare = {name: value for name, value in content.items() if name != SEAL}
    text = json.dumps(bare, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the field {twice[:80]!r} stands twice")
    return made


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number of JSON")


def _whole(text: str) -> int:
    if len(text) > 20 or abs(int(text)) >= _MOST_WHOLE:
        raise ValueError(f"the whole number {text[:24]}… is beyond every measurement")
    return int(text)


def _fraction(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:24]} is beyond every measurement")
    return value


# Made once: to make them takes as long as to read a small text.
_PLAIN = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_object)
_STRICT = json.JSONDecoder(
    parse_constant=_refuse_constant, object_pairs_hook=_object, parse_int=_whole, parse_float=_fraction
)


def _check_levels(content: Any) -> None:
    level = [content] if isinstance(content, (dict, list)) else []
    for _ in range(MOST_LEVELS):
        if not level:
            return
        level = [
            value
            for node in level
            for value in (node.values() if isinstance(node, dict) else node)
            if isinstance(value, (dict, list))
        ]
    if level:
        raise ValueError(f"it is nested deeper than {MOST_LEVELS}")
