"""Rows in packages, JSON Lines: flat, bounded, and without anything that a spreadsheet would run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from ballistics.errors import CorruptFileError, HostileFileError, ParameterError
from ballistics.files import begins_formula, parse_json
from ballistics.records import canonical

Value = str | int | float | bool | None
#: Flat: a field holds no list and no object.
Row = Mapping[str, Value]

#: A row takes at most this many bytes, a text in it this many characters, a row this many fields.
MOST_ROW_BYTES = 1 << 18
MOST_TEXT = 20_000
MOST_FIELDS = 200
#: And a file of rows this many rows.
MOST_ROWS = 5_000_000
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,60}\Z")
# A telephone number, a negative number, a serial number in part unread: what calls a function needs a bracket, what
# reaches another sheet or program an exclamation mark or a bar.
_HARMLESS = re.compile(r"[+-][\w .,:/?*-]*\Z")


class Extract(Protocol):
    """Rows of a register that go into a package, under a name such as ``firearms``."""

    @property
    def name(self) -> str:
        """What the rows are: small letters, digits and ``-``."""
        ...

    def rows(self) -> Iterable[Row]:
        """Yield the rows: flat, fields in small letters."""
        ...


def write_rows(path: Path, rows: Iterable[Row], what: str) -> int:
    """Write rows as JSON Lines, each in canonical form, and return how many.

    Parameters
    ----------
    path : Path
        A new file.
    rows : iterable of mapping
        Flat.
    what : str
        What they are, for messages.

    Raises
    ------
    ParameterError
        When a row is not flat, too large, or holds a text that a spreadsheet would take for a formula.
    """
    number = 0
    with open(path, "wb") as file:
        for number, row in enumerate(rows, 1):
            fault = row_fault(row)
            if fault:
                raise ParameterError(f"row {number} of {what} cannot be exported: {fault}")
            line = canonical(dict(row)) + b"\n"
            if len(line) > MOST_ROW_BYTES:
                raise ParameterError(f"row {number} of {what} takes {len(line)} bytes, {MOST_ROW_BYTES} at most")
            file.write(line)
    return number


def read_rows(path: Path, where: str) -> Iterator[dict[str, Value]]:
    """Yield the rows of a file, one at a time, in bounded memory.

    Parameters
    ----------
    path : Path
        The file.
    where : str
        Its name in the package, for messages.

    Raises
    ------
    HostileFileError
        When a line is longer than any row, a text could be run as a formula, or there are too many rows.
    CorruptFileError
        When a line is not a flat row.
    """
    with open(path, "rb") as file:
        number = 0
        while line := file.readline(MOST_ROW_BYTES + 1):
            number += 1
            here = f"{where}, row {number}"
            if len(line) > MOST_ROW_BYTES:
                raise HostileFileError(f"{here} has more than {MOST_ROW_BYTES} bytes: no row needs that")
            if number > MOST_ROWS:
                raise HostileFileError(f"{where} has more than {MOST_ROWS} rows")
            row = parse_json(line, here, "a row")
            if not isinstance(row, dict):
                raise CorruptFileError(f"{here} is not a row with fields")
            fault = row_fault(row)
            if fault:
                raise HostileFileError(f"{here}: {fault}")
            yield row


def row_fault(row: Mapping[Any, Any]) -> str | None:
    """Return what is wrong with a row; None when it can go from one laboratory to another.

    Examples
    --------
    >>> row_fault({"serial": "-1234", "phone": "+389 2 123", "year": 1998})
    >>> row_fault({"make": "=HYPERLINK(1)"})
    "the field 'make' begins as a formula of a spreadsheet does: '=HYPERLINK(1)'"
    """
    if len(row) > MOST_FIELDS:
        return f"it has {len(row)} fields, {MOST_FIELDS} at most"
    for name, value in row.items():
        if not isinstance(name, str) or not _FIELD.match(name):
            return f"'{str(name)[:60]}' is not the name of a field: small letters, digits, _"
        if value is not None and not isinstance(value, (str, int, float, bool)):
            return f"the field '{name}' holds a {type(value).__name__}, not a text or a number"
        if isinstance(value, str):
            if len(value) > MOST_TEXT:
                return f"the field '{name}' has {len(value)} characters, {MOST_TEXT} at most"
            if begins_formula(value) and not _HARMLESS.match(value.strip()):
                return f"the field '{name}' begins as a formula of a spreadsheet does: '{value[:40]}'"
    return None
