"""A seized disk: every file searched in a collection of references, kept as it is finished, written as one table."""

from __future__ import annotations

import base64
import os
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import lru_cache
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from ballistics.errors import BallisticsError, CorruptFileError, ParameterError, WriteError, was_interrupted
from ballistics.files import RowsFile, make_work_folder, real_path, reason, table_kind
from ballistics.printed.collection.collection import Collection
from ballistics.printed.collection.enrolment import collection_sha256, open_collection
from ballistics.printed.content.job_facts import job_from
from ballistics.printed.content.part import PartFile
from ballistics.printed.describe.geometry_hashes import GeometryKeys, geometry_keys
from ballistics.printed.describe.inspection import describe_file
from ballistics.printed.describe.signature import SIGNATURE_VERSION
from ballistics.printed.disk.archived import NOT_A_MESH, REFUSED, UNREADABLE, remove_unpacked, with_archived
from ballistics.printed.disk.copies import families
from ballistics.printed.disk.hits import kept_hit, pieces_of_hits
from ballistics.printed.disk.results import FileResult, PrintedBatch
from ballistics.printed.disk.rows import write_printed_rows
from ballistics.printed.identify.identification import IDENTIFICATION_VERSION, identify
from ballistics.printed.identify.pieces_of_reference import PIECES_VERSION
from ballistics.printed.jobs.fingerprint import profile_groups
from ballistics.printed.jobs.pictures import small_png
from ballistics.progress import Progress, silent
from ballistics.provenance import package_versions, sha256_of_file
from ballistics.workers import Watched, end_with_parent

# Changes when a kept row would have other columns.
_ROW_VERSION = "5"
_MOST_CARRIED = 4
_BEGUN, _UNPACKED = "begun", "unpacked"
#: Begins what the row of a file says on which the program itself failed; the log in the folder of work has more.
FAULT = "the program failed on this file"
ERRORS_LOG = "errors.log"
_MOST_FRAMES, _MOST_WORDS, _MOST_LOGGED, _LARGEST_LOG = 20, 300, 4096, 1 << 20

Row = dict[str, Any]
# Draws a file as PNG; a function of a module, so that workers can be given it.
Draw = Callable[[PartFile], bytes]


@dataclass(frozen=True)
class Task:
    """What is the same for all files of a batch."""

    references: Path
    work: Path
    draw: Draw
    unit: str | None


def run_printed_batch(
    paths: Iterable[Path],
    references: Path,
    out: Path,
    draw: Draw,
    *,
    work: Path | None = None,
    workers: int = 1,
    unit: str | None = None,
    progress: Progress | None = None,
) -> PrintedBatch:
    """Search every file in a collection, and write one table.

    Each file content is searched once, and its row is on the disk before the next is waited for: after any stop the
    same call goes on where it was. The table is the same, byte for byte, for any number of workers. A file that cannot
    be read is a row with ``error``: "refused" when it is damaged or hostile, "unreadable model" when it is a model or a
    print job of a format that is not read, "not a mesh" when nothing says that it is one. The files in zip archives,
    also in archives within, have rows of their own, ``archive.zip/inner.stl``, behind that of the archive.

    Parameters
    ----------
    paths : iterable of Path
        Files, and folders that are walked.
    references : Path
        The collection's folder.
    out : Path
        The table, ``.parquet`` or ``.csv``: one row for each hit of each file, and one for each file without a hit.
    draw : callable
        Draws a file for the contact sheet.
    work : Path, optional
        Folder for finished work. Default: ``NAME.work`` beside the table.
    workers : int
        Processes of this machine.
    unit : str, optional
        As for `read_parts`.
    progress : Progress, optional
        Told after every file.

    Raises
    ------
    ParameterError
        When there is no file, or the table's name ends otherwise.
    CorruptFileError
        When the collection, or a file of earlier results, was changed.
    WriteError
        When table or work cannot be written.
    """
    table_kind(out)
    work = out.with_name(f"{out.name}.work") if work is None else work
    tell = progress or silent
    collection, taxonomy = open_collection(references)
    identity = collection_sha256(references)
    make_work_folder(work, "files of a disk, searched in a collection of printed parts", _BEGUN)
    files, stated = with_archived(disk_files(paths, (work, out, references)), work / _UNPACKED)
    hashes = _hashes(files, tell)
    method = _method(identity, unit)
    first: dict[str, Path] = {}
    for (name, path), digest in zip(files, hashes, strict=True):
        if digest and name not in stated:
            first.setdefault(digest, path)
    rows = _searched(first, work, method, Task(references, work, draw, unit), workers, tell)
    kept = [
        _refused(stated[name][1], stated[name][0])
        if name in stated
        else rows[digest]
        if digest
        else _refused("cannot be opened")
        for (name, _), digest in zip(files, hashes, strict=True)
    ]
    remove_unpacked(work / _UNPACKED)
    results = _results(files, hashes, kept)
    pieces = pieces_of_hits([result.kept["hits"] for result in results], collection)
    metadata = {
        "method": "printed-part identification",
        "identification_version": IDENTIFICATION_VERSION,
        "pieces_version": PIECES_VERSION,
        "signature_version": SIGNATURE_VERSION,
        "collection_sha256": identity,
        "references": len(collection),
        "false_hits": None if collection.false_hits is None else asdict(collection.false_hits),
        "taxonomy": {"name": taxonomy.name, "version": taxonomy.version},
        "unit": unit,
        "versions": dict(package_versions()),
    }
    write_printed_rows(out, results, taxonomy, metadata, pieces)
    return PrintedBatch(results, len(collection), identity, taxonomy, pieces, collection.false_hits)


def disk_files(paths: Iterable[Path], without: Sequence[Path] = ()) -> list[tuple[str, Path]]:
    """Return the names and places of all files named, or below folders named, hidden ones too, in the order of names.

    Links are not followed below a folder: what they point to is found where it lies, or lies outside.

    Raises
    ------
    ParameterError
        When something named does not exist, or there is no file at all.
    """
    excluded = {real_path(path) for path in without}
    found: dict[Path, str] = {}
    for given in paths:
        if not given.exists():
            raise ParameterError(f"{given} does not exist")
        if not given.is_dir():
            found.setdefault(real_path(given), given.name.encode("utf-8", "replace").decode())
            continue
        for folder, folders, names in os.walk(given):
            here = Path(folder)
            folders[:] = [name for name in folders if real_path(here / name) not in excluded]
            for name in names:
                path = here / name
                if not path.is_symlink() and real_path(path) not in excluded:
                    shown = path.relative_to(given).as_posix()
                    # A name that is no Unicode must not end the run when the table is written.
                    found.setdefault(real_path(path), shown.encode("utf-8", "replace").decode())
    if not found:
        raise ParameterError("no file was found to search")
    return [(name, path) for path, name in sorted(found.items(), key=lambda item: (item[1], item[0]))]


def _hashes(files: Sequence[tuple[str, Path]], tell: Progress) -> list[str]:
    """Return the SHA-256 of each file's bytes; nothing for what is no regular file or cannot be opened."""
    hashes = []
    for done, (_, path) in enumerate(files, 1):
        try:
            hashes.append(sha256_of_file(path) if path.is_file() else "")
        except OSError:
            hashes.append("")
        tell("hashing files", done, len(files), 0)
    return hashes


def _method(identity: str, unit: str | None) -> str:
    """Return what a kept row depends on beside the file."""
    content = [
        _ROW_VERSION,
        IDENTIFICATION_VERSION,
        PIECES_VERSION,
        SIGNATURE_VERSION,
        identity,
        unit,
        sorted(package_versions().items()),
    ]
    return sha256(repr(content).encode()).hexdigest()


def _searched(
    files: Mapping[str, Path],
    work: Path,
    method: str,
    task: Task,
    workers: int,
    tell: Progress,
) -> dict[str, Row]:
    """Search every file content that has no row yet; return the rows by SHA-256.

    A file that ends the process that reads it must not end the batch. What was begun and not finished is under
    suspicion: it is searched last, each file in a process of its own, and its row says so when that ends too.
    """
    with RowsFile(work / "files.jsonl", strict=True) as kept:
        rows = {row["sha256"]: row for row in kept.read() if _is_row(row, method) and row["sha256"] in files}
        resumed = len(rows)
        tell("searching files", resumed, len(files), resumed)

        def keep(row: Row) -> None:
            kept.append(row | {"method": method})
            rows[row["sha256"]] = row
            tell("searching files", len(rows), len(files), resumed)

        suspects = begun(work)
        while waiting := [digest for digest in sorted(files) if digest not in rows and digest not in suspects]:
            tasks = (delayed(Watched(search_file))(digest, files[digest], task) for digest in waiting)
            try:
                for row in Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1)(tasks):
                    keep(row)
            except BrokenProcessPool:
                found = begun(work) - suspects
                if not found:
                    raise
                suspects |= found
        for digest in sorted(suspects & set(files) - set(rows)):
            keep(_alone(digest, files[digest], task))
    return rows


def _is_row(row: Mapping[str, Any], method: str) -> bool:
    """Return whether a kept row is one of this method."""
    return row.get("method") == method and {"sha256", *_refused("")} <= set(row)


def begun(work: Path) -> set[str]:
    """Return the SHA-256 of the files that were begun and not finished."""
    return {path.name for path in (work / _BEGUN).iterdir()}


def _alone(digest: str, path: Path, task: Task) -> Row:
    """Search a file in a process of its own."""
    with ProcessPoolExecutor(1, get_context("spawn"), end_with_parent, (os.getpid(),)) as pool:
        try:
            return pool.submit(search_file, digest, path, task).result()
        except BrokenProcessPool:
            (task.work / _BEGUN / digest).unlink(missing_ok=True)
            return {"sha256": digest, **_refused("the process that read it ended: too little memory, or a fault")}


@lru_cache(maxsize=1)
def _opened(references: Path) -> Collection:
    return open_collection(references)[0]


def search_file(digest: str, path: Path, task: Task) -> Row:
    """Search one file; whatever is wrong with it is in its row. While it is being searched, there is a note of it.

    Parameters
    ----------
    digest : str
        SHA-256 of the file's content, in hexadecimal digits; its row has it.
    path : Path
        A file with this content.
    task : Task
        What is the same for all files of the batch.

    Returns
    -------
    dict
        The file's row, as JSON can hold it.

    Raises
    ------
    WriteError
        When the folder of work cannot be written.
    CorruptFileError
        When the collection was altered.
    """
    note = task.work / _BEGUN / digest
    try:
        note.touch()
    except OSError as error:
        raise WriteError(f"{task.work} cannot be written: {reason(error)}; nothing finished is lost") from error
    try:
        row = _search_file(digest, path, task.references, task.draw, task.unit)
    except BallisticsError:
        raise  # of the collection or the disk, not of this file
    except Exception as error:  # one file on which a reader or the search fails must not end the work on a whole disk
        if was_interrupted(error):
            raise
        _log(task.work, digest, error)
        row = {"sha256": digest, **_refused(f"{FAULT}: {_words(error)}")}
    note.unlink(missing_ok=True)
    return row


def _words(error: BaseException) -> str:
    """Return class and message of a fault, short, in Unicode, the same on every machine."""
    said = f"{type(error).__name__}: {error}".replace("\n", " ")[:_MOST_WORDS]
    return said.encode("utf-8", "replace").decode()


def _log(work: Path, digest: str, error: BaseException) -> None:
    """Add the end of a fault's traceback to the log of the work, which is kept short."""
    frames = traceback.extract_tb(error.__traceback__)[-_MOST_FRAMES:]
    lines = [
        f"file {digest}: {_words(error)}",
        *(f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in frames),
    ]
    text = "\n".join(lines)[:_MOST_LOGGED] + "\n"
    path = work / ERRORS_LOG
    # The row says what failed; a log that cannot be written must not end the run.
    with suppress(OSError):
        if not path.exists() or path.stat().st_size < _LARGEST_LOG:
            with open(path, "ab", buffering=0) as file:
                file.write(text.encode("utf-8", "replace"))


def _search_file(digest: str, path: Path, references: Path, draw: Draw, unit: str | None) -> Row:
    described, file = describe_file(path, unit=unit)
    if file is None:
        reason = f"{described.error}: {described.reason.removeprefix(f'{path}: ')}"
        verdict = {"UnknownFormatError": NOT_A_MESH, "UnsupportedFormatError": UNREADABLE}.get(described.error, REFUSED)
        return {"sha256": digest, **_refused(reason, verdict), "jobs": [asdict(job) for job in described.jobs]}
    try:
        collection = _opened(references)
        found = identify(file.parts, collection)
        keys = _keys_of(file)
        thumbnail = draw(file)
    except CorruptFileError:
        raise  # the collection was altered: that is no fault of this file
    except BallisticsError as error:
        return {"sha256": digest, **_refused(f"{type(error).__name__}: {error}")}
    findings = {finding.code for finding in described.findings}
    findings |= {finding.code for part in described.parts for finding in part.findings}
    findings |= {finding.code for finding in found.findings}
    corners = np.array([[part.vertices_mm.min(axis=0), part.vertices_mm.max(axis=0)] for part in file.parts])
    extent = corners[:, 1].max(axis=0) - corners[:, 0].min(axis=0)
    return {
        "sha256": digest,
        "verdict": found.verdict,
        "error": "",
        "format": described.format,
        "unit": described.unit,
        "parts": len(file.parts),
        "faces": sum(len(part.faces) for part in file.parts),
        "extent_mm": [float(value) for value in extent],
        "findings": sorted(findings),
        "jobs": [asdict(job) for job in file.jobs],
        "carried": _carried(file),
        "keys": asdict(keys),
        "bodies": int(found.components.max()) + 1,
        "hits": [kept_hit(found, candidate, collection) for candidate in found.accepted],
        "best_score": max((candidate.score for candidate in found.candidates), default=0.0),
        "threshold": found.threshold,
        "thumbnail": base64.b64encode(thumbnail).decode("ascii"),
    }


def _refused(reason: str, verdict: str = REFUSED) -> Row:
    return {
        "verdict": verdict,
        "error": reason,
        "format": "",
        "unit": "",
        "parts": None,
        "faces": None,
        "extent_mm": [None, None, None],
        "findings": [],
        "jobs": [],
        "carried": [],
        "keys": None,
        "bodies": 0,
        "hits": [],
        "best_score": None,
        "threshold": None,
        "thumbnail": "",
    }


def _carried(file: PartFile) -> list[list[str]]:
    """Return the first pictures of print jobs, drawn anew: name and PNG in base64."""
    if not file.jobs:
        return []
    drawn = [(picture.name, small_png(picture)) for picture in file.thumbnails[:_MOST_CARRIED]]
    return [[name, base64.b64encode(data).decode("ascii")] for name, data in drawn if data]


def _keys_of(file: PartFile) -> GeometryKeys:
    """Return the keys of all of a file as one geometry."""
    starts = np.cumsum([0, *(len(part.vertices_mm) for part in file.parts)])
    faces = np.concatenate([part.faces + start for part, start in zip(file.parts, starts, strict=False)])
    return geometry_keys(np.concatenate([part.vertices_mm for part in file.parts]), faces)


def _results(
    files: Sequence[tuple[str, Path]], hashes: Sequence[str], kept: Sequence[Mapping[str, Any]]
) -> tuple[FileResult, ...]:
    keys = []
    for row in kept:
        found = row["keys"]
        keys.append(None if found is None else GeometryKeys(**{**found, "values": tuple(found["values"])}))
    copies = families([name for name, _ in files], hashes, keys)
    jobs = [tuple(job_from(job) for job in row["jobs"]) for row in kept]
    groups = iter(profile_groups([found[0] for found in jobs if found]))
    return tuple(
        FileResult(name, digest, row, copy, found, next(groups) if found else 0)
        for (name, _), digest, row, copy, found in zip(files, hashes, kept, copies, jobs, strict=True)
    )
