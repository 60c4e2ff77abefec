"""Two recorded scans of a case in, a recorded comparison out: its whole result is kept as a file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ballistics.casework import (
    Casebook,
    Comparison,
    Firearm,
    Instrument,
    Item,
    QualityRecords,
    Record,
    Scan,
    Session,
    Shot,
    fields_of,
    safe_name,
)
from ballistics.errors import ParameterError, WriteError
from ballistics.files import reason
from ballistics.findings import Finding
from ballistics.front.file_comparison import FileComparison, compare_files
from ballistics.front.weighing import weighing
from ballistics.progress import Progress
from ballistics.records import Entry, SigningKey, now

Kind = TypeVar("Kind", bound=Record)
NO_REFERENCE = "no reference population was given"


@dataclass(frozen=True)
class ScanSource:
    """What is known of a recorded scan beside its file.

    Parameters
    ----------
    scan : Scan
        The record.
    calibre, ammunition : str
        Of the item, or of the firearm and the session of a test fire; empty where they are not known.
    instrument : str
        The class of the instrument.
    """

    scan: Scan
    calibre: str
    ammunition: str
    instrument: str


def compare_scans(
    book: Casebook,
    key: SigningKey,
    identifier: str,
    scans: Sequence[str],
    reference: str | os.PathLike[str] | None = None,
    *,
    settings: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> tuple[Entry, FileComparison]:
    """Compare two recorded scans of a case, weigh the comparison, and record it.

    Parameters
    ----------
    book : Casebook
    key : SigningKey
        Of the examiner.
    identifier : str
        Of the comparison.
    scans : sequence of str
        Identifiers of the two scans.
    reference : path, optional
        File of reference populations.
    settings : mapping of str to str, optional
        Other parameters than the tested ones.
    progress : callable, optional
        Told of each stage.

    Returns
    -------
    entry : Entry
        The entry of the log.
    result : FileComparison
        What was found; in a blind case it must not be shown before an unmasking.

    Raises
    ------
    ParameterError
        When there is no such scan, or the two are of different marks.
    RefusedError
        When a rule of casework forbids it.
    """
    first, second = (source_of_scan(book, name) for name in scans)
    if first.scan.mark != second.scan.mark:
        raise ParameterError(
            f"scan '{first.scan.id}' shows a {first.scan.mark}, '{second.scan.id}' a {second.scan.mark}"
        )
    population = "" if reference is None else book.files.keep(Path(reference))
    result = compared(book.files.read, first, second, population, settings, progress)
    record = _record(book, key, identifier, first, second, result, population, settings)
    return book.record(key, record), result


#: Gives the newest version of a record, by kind and identifier; None where there is none.
Lookup = Callable[[str, str], Record | None]


def source_of_scan(book: Casebook, identifier: str) -> ScanSource:
    """Return what is known of a recorded scan.

    Raises
    ------
    ParameterError
        When there is no such scan.
    """
    with book.log.view() as view:

        def known(kind: str, name: str) -> Record | None:
            entry = view.current(kind, name)
            return None if entry is None else fields_of(entry)

        return source_among(known, identifier)


def source_among(known: Lookup, identifier: str) -> ScanSource:
    """Return what records say of a scan; errors as of `source_of_scan`."""
    scan = _the(known, Scan, identifier)
    instrument = _the(known, Instrument, scan.instrument).kind
    item = known(Item.KIND, scan.item)
    if isinstance(item, Item):
        return ScanSource(scan, item.calibre, "", instrument)
    session = _the(known, Session, _the(known, Shot, scan.item).session)
    return ScanSource(scan, _the(known, Firearm, session.firearm).calibre, session.ammunition, instrument)


def _the(known: Lookup, kind: type[Kind], identifier: str) -> Kind:
    found = known(kind.KIND, identifier)
    if not isinstance(found, kind):
        raise ParameterError(f"there is no {kind.KIND} '{identifier}'")
    return found


def compared(
    read_file: Callable[[str], bytes],
    first: ScanSource,
    second: ScanSource,
    population: str,
    settings: Mapping[str, str] | None,
    progress: Progress | None = None,
) -> FileComparison:
    """Compare and weigh two recorded scans, without recording it.

    Parameters
    ----------
    read_file : callable
        Gives the bytes of a kept file by its SHA-256.
    first, second : ScanSource
        From `source_of_scan`.
    population : str
        SHA-256 of the file of reference populations; empty for none.
    settings : mapping of str to str or None
        Other parameters than the tested ones.
    progress : callable, optional
        Told of each stage.
    """
    both = (first, second)
    with _readable(read_file, both) as (paths, regions):
        result = compare_files(
            paths[0],
            paths[1],
            mark=first.scan.mark,
            units=(units_of(first.scan), units_of(second.scan)),
            region=regions,
            instrument=distinct(source.instrument for source in both),
            settings=settings,
            progress=progress,
        )
        if not population:
            return result
        # Named by its content, so that the same comparison gives the same result wherever the file came from.
        reference = paths[0].parent.parent / f"population-{population[:12]}.json"
        put(reference, read_file(population))
        stated = weighing(
            reference,
            calibre=distinct(source.calibre for source in both),
            instrument=distinct(source.instrument for source in both),
            ammunition=distinct(source.ammunition for source in both),
        )
        return stated.of(result)


def _record(
    book: Casebook,
    key: SigningKey,
    identifier: str,
    first: ScanSource,
    second: ScanSource,
    result: FileComparison,
    population: str,
    settings: Mapping[str, str] | None,
) -> Comparison:
    made = result.comparison.provenance
    method, version = (first.scan.mark, "-") if made is None else (made.method, made.version)
    with book.log.view() as view:
        owner, known, on = view.operator(key.identifier), QualityRecords.of(view), now()
    by = "" if owner is None else owner.operator
    quality = (
        *(known.calibration(source.scan.instrument, source.scan.at) for source in (first, second)),
        known.validation(method, version, on),
        known.competence(by, method, first.scan.mark, on),
    )
    evaluation = result.evaluation
    ratio = None if evaluation is None else evaluation.weighed.result
    interval = None if ratio is None else ratio.interval
    weighed = () if evaluation is None else evaluation.weighed.findings
    return Comparison(
        identifier,
        case=first.scan.case or second.scan.case,
        scans=(first.scan.id, second.scan.id),
        mark=first.scan.mark,
        method=method,
        version=version,
        result=book.files.keep_bytes(result.json()),
        settings=tuple(f"{name}={value}" for name, value in sorted((settings or {}).items())),
        score=None if result.similarity is None else float(result.similarity),
        insufficient=result.insufficient or "",
        log10_lr=None if ratio is None else ratio.log10_lr,
        log10_lower=None if interval is None else interval[0],
        log10_upper=None if interval is None else interval[1],
        no_lr=NO_REFERENCE if ratio is None else ratio.reason,
        population=population,
        findings=tuple(map(sentence, dict.fromkeys((*weighed, *filter(None, quality), *result.findings)))),
    )


@contextmanager
def _readable(
    read_file: Callable[[str], bytes], sources: Sequence[ScanSource]
) -> Iterator[tuple[list[Path], tuple[str, str]]]:
    """Give the kept files of scans, and of their regions, under the names that readers go by."""
    with tempfile.TemporaryDirectory(prefix="ballistics-") as folder:
        paths, regions = [], []
        for letter, source in zip("ab", sources, strict=True):
            place = Path(folder) / letter
            place.mkdir()
            paths.append(place / safe_name(source.scan.name))
            put(paths[-1], read_file(source.scan.file))
            region = ""
            if source.scan.region:
                data = read_file(source.scan.region)
                ending = ".png" if data.startswith(b"\x89PNG") else ".json"
                path = Path(folder) / f"region-{letter}{ending}"
                put(path, data)
                region = str(path)
            regions.append(region)
        yield paths, (regions[0], regions[1])


def put(path: Path, data: bytes) -> None:
    """Write a kept file where a comparison reads it.

    Raises
    ------
    WriteError
        When there is no room.
    """
    try:
        path.write_bytes(data)
    except OSError as error:
        raise WriteError(
            f"{path.parent}: what is compared cannot be put there: {reason(error)}; make room, or name another folder "
            "in the variable TMPDIR"
        ) from error


def units_of(scan: Scan) -> Any:
    """Return the unit that a scan states, None where it states none."""
    return scan.units or None


def distinct(words: Iterator[str]) -> tuple[str, ...]:
    """Return words once each, in their order."""
    return tuple(dict.fromkeys(word for word in words if word))


def sentence(finding: Finding, about: str = "") -> str:
    """Return a finding as a comparison records it."""
    return f"{finding.severity}: {finding.code}: {f'{about}: ' if about else ''}{finding.message}"
