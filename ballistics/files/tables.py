"""Tables for spreadsheets: the one writer of CSV, in which no text can become a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TextIO

from ballistics.errors import ParameterError
from ballistics.files import parquet

#: How the names of tables may end.
ENDINGS = (".parquet", ".csv")

# A spreadsheet takes a text that begins so for a formula; names come from seized disks and from strangers. The last
# four are the full-width forms, which East Asian versions read alike.
_FORMULA = ("=", "+", "-", "@", "\t", "\n", "＝", "＋", "－", "＠")  # fmt: skip


def table_kind(path: Path) -> str:
    """Return the ending that says how a result is written.

    Raises
    ------
    ParameterError
        When it is none of `ENDINGS`, or Parquet cannot be written here.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise ParameterError(f"{path}: a result is written as {' or '.join(ENDINGS)}; end its name so")
    if ending == ".parquet":
        parquet.module()  # said before the work, not after it
    return ending


def csv_bytes(names: Sequence[str], rows: Iterable[Iterable[Any]], *, spreadsheet: bool = False) -> bytes:
    """Return a table as UTF-8.

    Parameters
    ----------
    names : sequence of str
        Headings.
    rows : iterable of rows
        A missing value is None. Give numbers as numbers: text that begins with a sign is kept from being a formula.
    spreadsheet : bool
        Begin with the mark by which spreadsheets know UTF-8.

    Examples
    --------
    >>> csv_bytes(["scan", "shift"], [["=1+1", -2.5], ["a.x3p", None]])
    b"scan,shift\\n'=1+1,-2.5\\na.x3p,\\n"
    """
    lines = io.StringIO(newline="")
    write_csv(lines, names, rows)
    return lines.getvalue().encode("utf-8-sig" if spreadsheet else "utf-8", "replace")


def write_csv(file: TextIO, names: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    """Write a table to a text file that is open with ``newline=""``, row by row as they come.

    Parameters
    ----------
    file : text file
        Open for writing with ``newline=""``; lines end with a line feed alone.
    names : sequence of str
        Headings.
    rows : iterable of rows
        Values in the order of the headings; a missing value is None. Text that a spreadsheet would take for a formula
        gets an apostrophe in front.
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([_safe(name) for name in names])
    writer.writerows([_safe(value) for value in row] for row in rows)


def _safe(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    # A lone carriage return is not quoted by every version of Python, and begins a new row in some spreadsheets.
    text = value.replace("\r\n", "\n").replace("\r", "\n")
    return f"'{text}" if begins_formula(text) else text


def begins_formula(text: str) -> bool:
    """Return whether a spreadsheet could take a text for a formula.

    Examples
    --------
    >>> begins_formula(" =1+1"), begins_formula("K-17.x3p")
    (True, False)
    """
    return text.lstrip(" ").startswith(_FORMULA)
