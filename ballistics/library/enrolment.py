"""Enrolling many scans: what a table says of them, the scans prepared by several processes, one outcome for each."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed

from ballistics.errors import BallisticsError, CorruptFileError, ParameterError, ReadError, WriteError
from ballistics.files import reason
from ballistics.library.items import DESCRIPTION_FIELDS, UNDESCRIBED, Description, EnrolledMark, Enrolment
from ballistics.library.store import LibraryStore
from ballistics.methods import method_of, prepare
from ballistics.progress import Progress
from ballistics.provenance import sha256_of_file
from ballistics.surfaces import (
    ALL_AS_THEY_ARE,
    AS_IT_IS,
    Mark,
    Readings,
    ScanReading,
    files_in,
    instrument_of,
    stated_by_file,
    unit_named,
)
from ballistics.workers import Watched

_READING = ("units", "region")
# What `--set` names so is of the way from a scan to its mark.
_OF_PREPARATION = "preparation."


@dataclass(frozen=True)
class Reading:
    """How scans are read and prepared; a scan read otherwise is another measurement.

    Parameters
    ----------
    mark_kind : str
        Mark type.
    readings : Readings
        In which units scans are, and where their marks are, by path.
    settings : tuple of (str, str)
        Other numbers of the preparation than the tested ones, by their names: ``preparation.`` of striated marks.

    Raises
    ------
    ParameterError
        For a setting that is none of the preparation, or that a library could not keep.
    """

    mark_kind: str = "breech face"
    readings: Readings = ALL_AS_THEY_ARE
    settings: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        for name, _ in self.settings:
            if method_of(self.mark_kind).family != "striated" or not name.startswith(_OF_PREPARATION):
                raise ParameterError(
                    f"'{name}' is no number of how {self.mark_kind} marks are prepared, and enrolling compares none: "
                    f"of striated marks those that begin with '{_OF_PREPARATION}' can be set"
                )
            if name == f"{_OF_PREPARATION}band_um":
                raise ParameterError(
                    f"'{name}' cannot be set: the marks of a library are searched in the band of their kind"
                )
        self._parameters()

    def _parameters(self) -> Any:
        return method_of(self.mark_kind).parameters(settings=dict(self.settings)) if self.settings else None

    def method(self, path: Path) -> dict[str, Any]:
        """Return all that decides which mark a file becomes; errors as of `ScanReading.content`."""
        preparation = method_of(self.mark_kind).preparation(self._parameters())
        # Tuples become lists, as they come back from the library.
        plain = json.loads(json.dumps(preparation.parameters))
        return {
            "preparation": [preparation.method, preparation.version],
            "mark type": plain,
            **self.readings.of(str(path)).content(),
        }

    def alone(self, path: Path) -> Reading:
        """Return the same for one scan only: it is sent to other processes."""
        return replace(self, readings=Readings(rows={str(path): self.readings.of(str(path))}))

    def mark_of(self, path: Path, instrument: str = "") -> Mark:
        """Read and prepare one scan; told when its file names another class of instrument than the one stated."""
        reading = self.readings.of(str(path))
        surface = reading.surface(path)
        mark = prepare(surface, self.mark_kind, reading.region_on(surface), self._parameters())
        _, contradiction = instrument_of(stated_by_file(surface), [instrument] if instrument else [])
        if contradiction is not None:
            mark = replace(mark, findings=(*mark.findings, contradiction))
        # The library keeps the heights; the region lies on the grid of the scan, which it does not keep.
        return replace(mark, region=None)


@dataclass(frozen=True)
class TableRow:
    """What a table says of a scan: its exhibit, and how the file is read."""

    description: Description = UNDESCRIBED
    reading: ScanReading = AS_IT_IS


@dataclass(frozen=True)
class DescribedScan:
    """A scan's file, what is known of its exhibit, and how it is read."""

    path: Path
    description: Description = UNDESCRIBED
    reading: ScanReading = AS_IT_IS


def read_descriptions(path: str | Path) -> tuple[dict[str, TableRow], tuple[str, ...]]:
    """Read a table of descriptions: UTF-8, comma-separated, one row for each scan.

    Columns: ``scan`` (path relative to the table's folder, or to the folder that is enrolled), any of the fields
    of `Description`, ``units`` and ``region`` (a mask or polygon, from the table's folder, or a label).

    Returns
    -------
    descriptions : dict
        By the ``scan`` of the row.
    ignored : tuple of str
        Columns that no description has.

    Raises
    ------
    ReadError
        When the file cannot be opened.
    CorruptFileError
        When it is no such table, or names a scan twice.
    """
    descriptions: dict[str, TableRow] = {}
    folder = Path(path).parent
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, strict=True)
            names = list(reader.fieldnames or ())
            if "scan" not in names:
                raise CorruptFileError(f"{path}: no column 'scan'; there are: {', '.join(names) or 'none'}")
            for row in reader:
                scan = (row["scan"] or "").strip()
                if not scan or scan in descriptions:
                    raise CorruptFileError(
                        f"{path}, line {reader.line_num}: "
                        + (f"scan '{scan}' stands in it twice" if scan else "no value for 'scan'")
                    )
                values = {name: (row[name] or "").strip() for name in names if name in (*DESCRIPTION_FIELDS, *_READING)}
                try:
                    units = unit_named(values["units"], "units") if values.get("units") else None
                except ParameterError as error:
                    raise CorruptFileError(f"{path}, line {reader.line_num}: {error}") from error
                descriptions[scan] = TableRow(
                    Description(**{name: values[name] for name in DESCRIPTION_FIELDS if name in names}),
                    ScanReading(units, values.get("region", ""), folder),
                )
    except OSError as error:
        raise ReadError(f"{path} cannot be read: {reason(error)}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise CorruptFileError(f"{path} is not a UTF-8 table with commas: {error}") from error
    return descriptions, tuple(name for name in names if name and name not in ("scan", *_READING, *DESCRIPTION_FIELDS))


def match_descriptions(
    scans: Iterable[Path], descriptions: Mapping[str, TableRow], table: Path | None = None
) -> tuple[list[tuple[Path, TableRow]], list[Enrolment]]:
    """Find the files, and to each its row of the table.

    A row names its scan by the path from the folder that is enrolled, from the table's folder, or by the file's name.

    Parameters
    ----------
    scans : iterable of Path
        Files, and folders that are walked.
    descriptions : mapping
        From `read_descriptions`.
    table : Path, optional
        The table's file; it is no scan.

    Returns
    -------
    described : list of (Path, TableRow)
        Every file, in sorted order within its folder; one without a row has an empty description.
    absent : list of Enrolment
        Rows whose scan was not found: refused.

    Raises
    ------
    ParameterError
        When two files of one name claim a row that gives only the name.
    """
    described: dict[Path, TableRow] = {}
    claimed: dict[str, Path] = {}
    for given in scans:
        for path in files_in([given]):
            if path in described or (table is not None and path.exists() and path.samefile(table)):
                continue
            roots = [given, *([table.parent] if table is not None else [])]
            names = [path.relative_to(root).as_posix() for root in roots if path.is_relative_to(root)]
            name = next((name for name in (*names, path.name) if name in descriptions), None)
            if name is not None and name in claimed:
                raise ParameterError(
                    f"'{name}' of {table} could be {claimed[name]} or {path}: give the path from the folder"
                )
            if name is not None:
                claimed[name] = path
            described[path] = TableRow() if name is None else descriptions[name]
    absent = [
        Enrolment(name, "refused", None, "stands in the table, but there is no such file among the scans")
        for name in descriptions
        if name not in claimed
    ]
    return list(described.items()), absent


def enrol_scans(
    library: LibraryStore,
    scans: Sequence[DescribedScan],
    reading: Reading = Reading(),
    workers: int = 1,
    again: bool = False,
    progress: Progress | None = None,
) -> Iterator[Enrolment]:
    """Enrol scans one by one, and yield what became of each, in the order given; a bad file is a row, never an error.

    When an outcome is yielded, it is on the disk: a run that was stopped goes on when it is given the same scans
    again, and reads none that the library holds already.

    Parameters
    ----------
    library : LibraryStore
    scans : sequence of DescribedScan
    reading : Reading
        How they are read and prepared.
    workers : int
        Processes that prepare; the library is the same for any number.
    again : bool
        Take back scans that were removed.
    progress : callable, optional
        Told the stage, how many are done, and how many there are.

    Raises
    ------
    WriteError
        When the library cannot be written.
    """
    found, methods = [], []
    for done, scan in enumerate(scans, 1):
        methods.append(reading.method(scan.path))
        found.append(_identified(library, scan, reading, methods[-1]))
        if progress is not None:
            progress("looking up", done, len(scans))
    missing = [scan for scan, known in zip(scans, found, strict=True) if known is None]
    prepared_alone = delayed(Watched(_prepared))
    tasks = (prepared_alone(scan.path, reading.alone(scan.path), scan.description.instrument) for scan in missing)
    marks: Iterable[Mark | str] = Parallel(n_jobs=workers, return_as="generator", batch_size=1)(tasks)
    prepared = iter(marks)
    for done, (scan, known, method) in enumerate(zip(scans, found, methods, strict=True), 1):
        if isinstance(known, Enrolment):
            outcome = known
        elif known is not None:
            outcome = _present(library, known, scan)
        else:
            outcome = _enrolled(library, scan, next(prepared), method, again)
        if progress is not None:
            progress("enrolling", done, len(scans))
        yield outcome


def _identified(
    library: LibraryStore, scan: DescribedScan, reading: Reading, method: Mapping[str, Any]
) -> Enrolment | EnrolledMark | None:
    """Return the entry of a scan that needs not be prepared, its refusal, or None."""
    try:
        entry = library.find(sha256_of_file(scan.path), reading.mark_kind)
    except OSError as error:
        return Enrolment(scan.path.name, "refused", None, f"cannot be opened: {reason(error)}")
    if entry is None or entry.record["method"] != method:
        return None
    return entry


def _present(library: LibraryStore, entry: EnrolledMark, scan: DescribedScan) -> Enrolment:
    name = scan.path.name
    if entry.scan != name:
        # What is said of a copy must not change what is known of the exhibit.
        return Enrolment(name, "present", entry.id, f"is byte for byte the file that is enrolled as '{entry.scan}'")
    return library.describe(entry.id, scan.description)


def _prepared(path: Path, reading: Reading, instrument: str) -> Mark | str:
    """Return the mark of a scan, or why there is none."""
    try:
        return reading.mark_of(path, instrument)
    except BallisticsError as error:
        return f"{type(error).__name__}: {str(error).removeprefix(f'{path}: ').replace(str(path), path.name)}"
    except Exception as error:  # a fault of ours must not end the run
        return f"unexpected {type(error).__name__}: {error}; please report it"


def _enrolled(
    library: LibraryStore, scan: DescribedScan, mark: Mark | str, method: Mapping[str, Any], again: bool
) -> Enrolment:
    name = scan.path.name
    if isinstance(mark, str):
        return Enrolment(name, "refused", None, mark)
    try:
        return library.enrol(mark, name, scan.description, method, again)
    except WriteError:
        raise  # the disk is full, or gone: the next scan would fare no better
    except BallisticsError as error:
        return Enrolment(name, "refused", None, f"{type(error).__name__}: {error}")
