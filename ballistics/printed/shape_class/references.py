"""The table of references that a shape classifier is trained on: which file is what, and where it comes from."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from ballistics.errors import CorruptFileError, ReadError
from ballistics.printed.shape_class.classifier import CLASSES

COLUMNS = ("path", "class", "source")


@dataclass(frozen=True)
class ShapeReference:
    """A row of the table.

    Parameters
    ----------
    line : int
        In the table, from 1.
    path : Path
        Of the file with the mesh.
    label : str
        One of `ballistics.printed.shape_class.classifier.CLASSES`.
    source : str
        A repository, an author, a case.
    """

    line: int
    path: Path
    label: str
    source: str


def read_shape_references(table: Path) -> tuple[ShapeReference, ...]:
    """Read a CSV file with the columns path, class and source.

    Parameters
    ----------
    table : Path
        Paths in it are relative to its folder. Other columns are not read.

    Returns
    -------
    tuple of ShapeReference

    Raises
    ------
    ReadError
        The table cannot be opened; `CorruptFileError`: it is no such table, a value is missing, a class is unknown, or
        a file stands in it twice.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = Path(folder, "references.csv")
    ...     _ = table.write_text("path,class,source\\nmug.stl,ordinary,kitchen")
    ...     (row,) = read_shape_references(table)
    >>> row.line, row.path.name, row.label, row.source
    (2, 'mug.stl', 'ordinary', 'kitchen')
    """
    found: dict[Path, ShapeReference] = {}
    try:
        with open(table, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            names = reader.fieldnames or []
            for column in COLUMNS:
                if column not in names:
                    there = ", ".join(names) or "none"
                    raise CorruptFileError(f"{table}: no column '{column}', separated by commas; there are: {there}")
            for row in reader:
                reference = _reference(table, reader.line_num, row)
                if reference.path in found:
                    raise CorruptFileError(f"{table}, line {reference.line}: {row['path']} stands in it twice")
                found[reference.path] = reference
    except OSError as error:
        raise ReadError(f"{table} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise CorruptFileError(f"{table} is not a UTF-8 table with commas: {error}") from error
    return tuple(found.values())


def _reference(table: Path, line: int, row: dict[str, str | None]) -> ShapeReference:
    path, label, source = ((row[column] or "").strip() for column in COLUMNS)
    for column, value in zip(COLUMNS, (path, label, source), strict=True):
        if not value:
            raise CorruptFileError(f"{table}, line {line}: no value for '{column}'")
    if label not in CLASSES:
        raise CorruptFileError(f"{table}, line {line}: no class {label!r}; use {', '.join(CLASSES)}")
    return ShapeReference(line, table.parent / path, label, source)
