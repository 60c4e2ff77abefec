"""Sources of records: CSV files, Excel workbooks and views of databases, read row by row, whatever their size."""

from __future__ import annotations

import csv
import hashlib
import re
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, TextIO

import sqlalchemy as sa

from ballistics.errors import BallisticsError, CorruptFileError, HostileFileError, ParameterError, ReadError
from ballistics.files import SafeArchive, real_path, reason
from ballistics.registry.mapping import RegisterMapping

#: A row: its number in the source, from 1 for the first below the headings, and its values or why it cannot be read.
Row = tuple[int, Sequence[str] | str]

# No row of a register is longer; what is longer is passed over without being kept.
_MOST_LINE = 1 << 20
_MOST_COLUMNS = 1000
# A workbook's parts: what is read whole, and what is read row by row.
_MOST_PART_BYTES = 32 << 20
_MOST_STRINGS_BYTES = 256 << 20
_MOST_SHEET_BYTES = 4 << 30
_BEST_RATIO = 200
_MOST_ROWS = 1 << 20  # of a workbook
_ROWS_AT_ONCE = 2000
# A format of zeros alone: as many digits as it has.
_ZEROS = re.compile("0{2,64}")
_ROOT = re.compile(rb"<[A-Za-z]")


@dataclass(frozen=True)
class Source:
    """A source that is open.

    Parameters
    ----------
    name : str
    headings : tuple of str
        The names of its columns.
    rows : iterator of Row
    count : int
        About how many rows it has; 0 when that is not known.
    identity : str
        The same for the same content: the SHA-256 of a file; of a view nothing is known, and each time is another.
    """

    name: str
    headings: tuple[str, ...]
    rows: Iterator[Row]
    count: int
    identity: str


@contextmanager
def open_source(where: str, mapping: RegisterMapping) -> Iterator[Source]:
    """Open a source of records.

    Parameters
    ----------
    where : str
        A file ``.csv``, ``.txt``, ``.tsv`` or ``.xlsx``, or the URL of a database, of which the mapping names the view.
    mapping : RegisterMapping

    Raises
    ------
    ReadError
        When it cannot be read, or is not what its name says.
    ParameterError
        When its kind is not known, or the mapping lacks what it needs.
    """
    if "://" in where:
        with _view(where, mapping) as source:
            yield source
        return
    path = Path(where)
    ending = path.suffix.lower()
    try:
        if ending in (".csv", ".txt", ".tsv"):
            with _csv(path, mapping) as source:
                yield source
        elif ending in (".xlsx", ".xlsm"):
            with _workbook(path, mapping) as source:
                yield source
        else:
            raise ParameterError(f"{path}: a source is a .csv or .xlsx file, or the URL of a database")
    except OSError as error:
        raise ReadError(f"{path} cannot be read: {reason(error)}") from error


def _headings(values: Sequence[str], name: str) -> tuple[str, ...]:
    if any("\0" in value for value in values):
        raise CorruptFileError(
            f"{name} is no text in the stated encoding; it looks like UTF-16: state `encoding: utf-16`"
        )
    headings = tuple(" ".join(value.replace("\ufeff", "").split()) for value in values)
    while headings and not headings[-1]:
        headings = headings[:-1]
    if not headings or len(headings) > _MOST_COLUMNS:
        raise CorruptFileError(f"{name}: the first row holds {len(headings)} headings; it must name the columns")
    twice = sorted({heading for heading in headings if headings.count(heading) > 1})
    if twice:
        raise CorruptFileError(f"{name}: more than one column is called {', '.join(twice)[:200]}; rename them")
    return headings


@contextmanager
def _csv(path: Path, mapping: RegisterMapping) -> Iterator[Source]:
    identity, lines = _measured(path)
    with open(path, encoding=mapping.encoding, errors="surrogateescape", newline="") as file:
        bounded = _Lines(file, path)
        reader = csv.reader(bounded, delimiter="\t" if path.suffix.lower() == ".tsv" else mapping.delimiter)
        try:
            first = next(reader, None)
        except (csv.Error, _TooLongError) as error:
            raise CorruptFileError(f"{path}: the headings cannot be read: {error}") from None
        if first is None:
            raise CorruptFileError(f"{path} is empty")
        headings = _headings(first, str(path))
        other = next((sign for sign in ";,\t|" if len(headings) == 1 and sign in first[0]), None)
        if other is not None:
            raise CorruptFileError(
                f"{path}: its headings are read as one, '{headings[0][:100]}'; is the delimiter {other!r}? State it"
            )
        yield Source(path.name, headings, _csv_rows(reader, bounded, len(headings)), max(0, lines - 1), identity)


def _csv_rows(reader: Any, lines: _Lines, columns: int) -> Iterator[Row]:
    """Yield the rows, or why one is refused: a quotation mark that is not closed makes one row of several.

    Such a row has another number of values, or a value of several lines with the delimiters of a whole row in it.
    """
    number, delimiter = 0, reader.dialect.delimiter
    while True:
        number += 1
        before = lines.number
        try:
            values = next(reader)
        except StopIteration:
            return
        except _TooLongError as error:
            yield number, str(error)
        except csv.Error as error:
            passed = lines.number - before
            yield (
                number,
                f"lines {before + 1} to {before + passed} cannot be read: {error}; is a quotation mark not closed?",
            )
        else:
            if not values or values == [""]:
                number -= 1  # an empty line is no row
            elif lines.number > before + 1 and (
                len(values) != columns
                or any("\n" in value and value.count(delimiter) >= columns - 1 for value in values)
            ):
                said = f"lines {before + 1} to {lines.number} are read as one row of {len(values)} values"
                yield number, f"{said}: is a quotation mark not closed?"
            else:
                yield number, values


class _TooLongError(Exception):
    """A line is longer than any row."""


class _Lines:
    """The lines of a file, one at a time; a line without end is passed over, and said to be too long."""

    def __init__(self, file: TextIO, path: Path) -> None:
        self._file = file
        self._path = path
        self.number = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        try:
            line = self._file.readline(_MOST_LINE)
        except UnicodeError as error:
            raise CorruptFileError(
                f"{self._path}, line {self.number + 1}, is no text in the stated encoding: {error}; state another"
            ) from error
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) == _MOST_LINE and not line.endswith(("\n", "\r")):
            while (rest := self._file.readline(_MOST_LINE)) and len(rest) == _MOST_LINE:
                pass
            raise _TooLongError(f"line {self.number} is longer than {_MOST_LINE} characters: no row is")
        return line


def _measured(path: Path) -> tuple[str, int]:
    """Return the SHA-256 of a file, and how many lines it has."""
    found, lines = hashlib.sha256(), 0
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            found.update(piece)
            lines += piece.count(b"\n")
    return found.hexdigest(), lines


@contextmanager
def _workbook(path: Path, mapping: RegisterMapping) -> Iterator[Source]:
    identity, _ = _measured(path)
    with open(path, "rb") as file:
        _check_workbook(file)
        with _workbook_errors(path):
            import openpyxl

            file.seek(0)
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        try:
            if mapping.sheet and mapping.sheet not in book.sheetnames:
                raise ParameterError(
                    f"{path} has no sheet '{mapping.sheet}'; it has {', '.join(book.sheetnames)[:300]}"
                )
            sheet: Any = book[mapping.sheet] if mapping.sheet else book.worksheets[0]
            # What the sheet says of its size is not believed.
            sheet.reset_dimensions()
            rows = sheet.iter_rows()
            with _workbook_errors(path):
                first = next(rows, ())
            headings = _headings([_cell(cell.value) for cell in first], str(path))
            yield Source(path.name, headings, _sheet_rows(path, rows, len(headings)), 0, identity)
        finally:
            book.close()


def _check_workbook(file: Any) -> None:
    """Refuse a workbook whose parts are larger than any register needs, or packed better than text can be."""
    archive = SafeArchive(file)
    for name in archive.names():
        sheet = name.startswith("xl/worksheets/")
        most = (
            _MOST_SHEET_BYTES if sheet else _MOST_STRINGS_BYTES if name == "xl/sharedStrings.xml" else _MOST_PART_BYTES
        )
        if archive.size(name) > most and not name.startswith("xl/media/"):
            raise HostileFileError(
                f"member {name!r} of the workbook holds {archive.size(name)} bytes, more than {most}"
            )
        archive.refuse_bomb(name, _BEST_RATIO)
        if name.endswith((".xml", ".rels")):
            # openpyxl reads sheets with a parser that would take a document's own entities.
            start = next(archive.chunks(name), b"")
            if b"<!DOCTYPE" in start or b"\0" in start or _ROOT.search(start) is None:
                raise HostileFileError(f"member {name!r} of the workbook declares entities, or is no plain XML")


def _sheet_rows(path: Path, rows: Iterator[tuple[Any, ...]], columns: int) -> Iterator[Row]:
    number = 0
    while True:
        number += 1
        with _workbook_errors(path):
            values = next(rows, None)
        if values is None:
            return
        if number > _MOST_ROWS:
            raise HostileFileError(f"{path}: a sheet has at most {_MOST_ROWS} rows; this claims more")
        with _workbook_errors(path):
            texts = [_text_of(cell) for cell in values[: columns + 1]]
        if not any(texts):
            continue
        long = next((cell.value for cell in values[:columns] if _is_rounded(cell.value)), None)
        if long is not None:
            yield number, f"{long} is a number of more than 15 digits, of which a workbook keeps 15: enter it as text"
            continue
        # Cells at the end that are empty are not stored.
        yield number, texts[:columns] + [""] * (columns - len(texts)) if not any(texts[columns:]) else texts


@contextmanager
def _workbook_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (BallisticsError, StopIteration, GeneratorExit):
        raise
    except Exception as error:  # openpyxl meets a strange workbook with whatever its parts make it raise
        said = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise CorruptFileError(f"{path} is no readable workbook: {said}; save it anew, or export CSV") from error


def _is_rounded(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) >= 1e15


def _text_of(cell: Any) -> str:
    """Return what a cell shows: a number with the zeros before it that its format gives it, as serial numbers have."""
    text, value = _cell(cell.value), cell.value
    if type(value) in (int, float) and text.isdecimal() and _ZEROS.fullmatch(cell.number_format or ""):
        return text.zfill(len(cell.number_format))
    return text


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return value if isinstance(value, str) else str(value)


@contextmanager
def _view(url: str, mapping: RegisterMapping) -> Iterator[Source]:
    if not mapping.view:
        raise ParameterError(f"{mapping.name} names no view: state `view: NAME` of the table or view to read")
    try:
        parsed = sa.engine.make_url(url)
        engine = _engine_for_reading(parsed)
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ModuleNotFoundError) as error:
        raise ParameterError(f"the source is not the URL of a database that can be read here: {error}") from None
    shown = parsed.render_as_string(hide_password=True)
    try:
        schema, _, name = mapping.view.rpartition(".")
        view = sa.table(name, schema=schema or None)
        with engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection = connection.execution_options(postgresql_readonly=True)
            query = sa.select(sa.text("*")).select_from(view).order_by(sa.column(mapping.key))
            result = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(query)
            count = 0
            with engine.connect() as other:
                count = int(other.scalar(sa.select(sa.func.count()).select_from(view)) or 0)
            headings = _headings(list(result.keys()), shown)
            rows = ((number, [_cell(value) for value in row]) for number, row in enumerate(result, 1))
            yield Source(f"{shown} {mapping.view}", headings, rows, count, uuid.uuid4().hex)
    except sa.exc.SQLAlchemyError as error:
        said = str(getattr(error, "orig", error) or error).splitlines()[0][:300]
        raise ReadError(f"{shown}: view '{mapping.view}' cannot be read: {said}") from error
    finally:
        engine.dispose()


def _engine_for_reading(url: sa.engine.URL) -> sa.engine.Engine:
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url)
    path = Path(url.database or "")
    if not path.is_file():
        raise ReadError(f"{path} is no database")

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(f"{real_path(path).as_uri()}?mode=ro", uri=True, check_same_thread=False)

    return sa.create_engine("sqlite://", creator=connect, poolclass=sa.pool.NullPool)
