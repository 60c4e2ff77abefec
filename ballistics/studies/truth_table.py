"""The table that says which firearm made each scan: truth.csv."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ballistics.errors import CorruptFileError, ParameterError, ReadError
from ballistics.surfaces import AS_IT_IS, ScanReading, unit_named

LABELS = ("calibre", "ammunition", "instrument")
NOT_STATED = "not stated"
# No barrel has more.
_MOST_LANDS = 40


@dataclass(frozen=True)
class ScanTruth:
    """One row: a scan and what is known of it.

    Parameters
    ----------
    scan : str
        File name, relative to the folder of scans.
    firearm : str
        The firearm that made the mark.
    item : str
        Firearm and cartridge case; scans of one item are repeats of each other.
    labels : mapping
        Values of the columns ``calibre``, ``ammunition``, ``instrument`` where the table has them.
    reading : ScanReading
        Of the columns ``units`` and ``region``.
    land : int or None
        Of the column ``land``: its place round the bullet, from 1.
    """

    scan: str
    firearm: str
    item: str
    labels: Mapping[str, str] = field(default_factory=dict)
    reading: ScanReading = AS_IT_IS
    land: int | None = None


def read_truth(path: str | Path) -> tuple[ScanTruth, ...]:
    """Read a truth table: UTF-8, comma-separated, one row for each scan.

    Columns: ``scan``, ``firearm``; optional ``case``, or ``item`` (scans with equal firearm and case are repeated
    scans of one cartridge case; without it each scan is a case of its own), ``calibre``,
    ``ammunition``, ``instrument``; ``units`` (as the option ``--units``) and ``region`` (a mask or polygon, from the
    table's folder, or a label); ``land``, which land of its bullet a scan shows, counted from 1: the bullet is then the
    ``case``. Other columns are not read.

    Raises
    ------
    ReadError
        When the file cannot be opened.
    CorruptFileError
        When it is no such table: a column or value is missing, a scan stands in it twice.
    """
    path = Path(path)
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            names = reader.fieldnames or []
            for name in ("scan", "firearm"):
                if name not in names:
                    raise CorruptFileError(f"{path}: no column '{name}'; there are: {', '.join(names) or 'none'}")
            if "case" in names and "item" in names:
                raise CorruptFileError(f"{path}: the columns 'case' and 'item' both name the cartridge case: keep one")
            rows = [_row(path, reader.line_num, row, tuple(names)) for row in reader]
    except OSError as error:
        raise ReadError(f"{path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise CorruptFileError(f"{path} is not a UTF-8 table with commas: {error}") from error
    seen: set[str] = set()
    for row in rows:
        if row.scan in seen:
            raise CorruptFileError(f"{path}: scan '{row.scan}' stands in it twice; each scan has one row")
        seen.add(row.scan)
    return tuple(rows)


def _row(path: Path, line: int, row: Mapping[str, str | None], names: tuple[str, ...]) -> ScanTruth:
    values = {name: (row.get(name) or "").strip() for name in names}
    cases = tuple(name for name in ("case", "item") if name in names)
    for name in ("scan", "firearm", *cases):
        if not values[name]:
            raise CorruptFileError(f"{path}, line {line}: no value for '{name}'")
    scan, firearm = values["scan"], values["firearm"]
    item = f"firearm {firearm}, case {values[cases[0]]}" if cases else f"scan {scan}"
    labels = {name: values[name] or NOT_STATED for name in LABELS if name in names}
    try:
        units = unit_named(values["units"], "units") if values.get("units") else None
    except ParameterError as error:
        raise CorruptFileError(f"{path}, line {line}: {error}") from error
    land = values.get("land", "")
    if land and not (land.isdecimal() and 1 <= int(land) <= _MOST_LANDS):
        raise CorruptFileError(f"{path}, line {line}: the land is {land!r}; give its place round the bullet, from 1")
    reading = ScanReading(units, values.get("region", ""), path.parent)
    return ScanTruth(scan, firearm, item, labels, reading, int(land) if land else None)
