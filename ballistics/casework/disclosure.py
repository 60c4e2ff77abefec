"""The bundle of a case for the other side's expert: every input, parameter and result, and what proves them.

A zip archive with the records of the case as an extract of the signed log, every file that they name under its SHA-256,
a verifier that needs nothing of this project, and a text that says what to do. The same case gives the same bytes.
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ballistics.casework.casebook import Casebook
from ballistics.casework.cases import Case
from ballistics.casework.examinations import Comparison
from ballistics.casework.quality_records import Calibration, Competence, Validation
from ballistics.casework.rules import KINDS, fields_of
from ballistics.errors import CorruptFileError, ParameterError, ReadError
from ballistics.files import SafeArchive, parse_json, reason, written_whole
from ballistics.progress import Progress
from ballistics.provenance import package_versions, sha256_of_file
from ballistics.records import Entry, Head, View, entry_of, write_extract

SCHEMA, VERSION = "ballistics/disclosure", 1
MANIFEST, LOG, VERIFIER, README = "manifest.json", "log.jsonl", "verify_log.py", "README.txt"
FILES = "files/"
# Zip archives state times; the same case must give the same bytes.
_TIME = (1980, 1, 1, 0, 0, 0)
_MOST_SMALL_BYTES = 1 << 28
_MOST_FILE_BYTES = 1 << 32
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Bundle:
    """A bundle that was read, each member held against the manifest.

    Parameters
    ----------
    case : str
        Identifier of the case.
    library : str
        Identifier of the library that it comes from.
    head : Head
        The newest entry of the log then.
    versions : mapping
        Of the packages that can change a number, on the machine that wrote it.
    entries : tuple of Entry
        Those shown, in the order of the log.
    folder : Path
        Where its files lie, by their SHA-256.
    """

    case: str
    library: str
    head: Head
    versions: Mapping[str, str]
    entries: tuple[Entry, ...]
    folder: Path

    def file(self, name: str) -> bytes:
        """Return the bytes of a file that a record names.

        Raises
        ------
        CorruptFileError
            When the bundle does not hold it.
        """
        path = self.folder / name
        if not name.isalnum() or not path.is_file():
            raise CorruptFileError(f"the bundle holds no file {name[:12]}…")
        return path.read_bytes()


def write_disclosure(book: Casebook, case: str, path: Path, progress: Progress | None = None) -> str:
    """Write the bundle of a case, and return its SHA-256.

    Parameters
    ----------
    book : Casebook
    case : str
        Identifier of the case.
    path : Path
        A file that does not exist, ``.zip``.
    progress : callable, optional
        Told the stage, how many are done, and how many there are.

    Raises
    ------
    ParameterError
        When there is no such case.
    CorruptFileError
        When a file that a record names is missing or was changed.
    WriteError
        When the file exists or cannot be written.
    """
    with book.log.view() as view:
        if view.current(Case.KIND, case) is None:
            raise ParameterError(f"there is no case '{case}'")
        also = set(_also(view, case))
        named = {name for kind, record in also for entry in view.versions(kind, record) for name in _files_of(entry)}
        named |= {name for entry in view.of_case(case) for name in _files_of(entry)}
        head = view.head()
    names = sorted(named)
    for name in names:
        fault = book.files.fault(name)
        if fault is not None:
            raise CorruptFileError(f"{book.files.path(name)}: {fault}; a bundle without it proves nothing")
    with tempfile.TemporaryDirectory(prefix="ballistics-") as folder:
        log = Path(folder) / LOG
        write_extract(book.log, book.library.identifier, log, case, also)
        manifest = {
            "schema": SCHEMA,
            "version": VERSION,
            "case": case,
            "library": book.library.identifier,
            "head": {"number": head.number, "hash": head.hash},
            "versions": dict(package_versions()),
            "log_sha256": sha256_of_file(log),
            "files": names,
        }
        with (
            written_whole(path, overwrite=False) as temporary,
            zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive,
        ):
            _add(archive, README, _readme(case, len(names), head).encode())
            _add(archive, MANIFEST, (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode())
            _add(archive, VERIFIER, Path(__file__).with_name(VERIFIER).read_bytes())
            _add_file(archive, LOG, log)
            for done, name in enumerate(names, 1):
                _add_file(archive, FILES + name, book.files.path(name))
                if progress is not None:
                    progress("packing files", done, len(names))
    return sha256_of_file(path)


def read_disclosure(path: Path, folder: Path, progress: Progress | None = None) -> Bundle:
    """Read a bundle; its files are written into a folder under their SHA-256, each held against it.

    Parameters
    ----------
    path : Path
        The bundle.
    folder : Path
        An empty folder.
    progress : callable, optional
        Told the stage, how many are done, and how many there are.

    Raises
    ------
    ReadError
        When it cannot be opened.
    CorruptFileError
        When it is no bundle, or a member is missing or was changed.
    HostileFileError
        When the archive asks for what no bundle needs.
    """
    try:
        with open(path, "rb") as file:
            archive = SafeArchive(file)
            manifest = _manifest(archive, path)
            log = archive.read(LOG, limit_bytes=_MOST_SMALL_BYTES)
            _write(folder / LOG, iter((log,)))
            if sha256_of_file(folder / LOG) != manifest["log_sha256"]:
                raise CorruptFileError(f"{path}: the extract of the log is not the one that the manifest states")
            for done, name in enumerate(manifest["files"], 1):
                _write(folder / name, archive.chunks(FILES + name))
                if sha256_of_file(folder / name) != name:
                    raise CorruptFileError(f"{path}: file {name[:12]}… was changed")
                if progress is not None:
                    progress("reading files", done, len(manifest["files"]))
    except OSError as error:
        raise ReadError(f"{path} cannot be read: {reason(error)}") from error
    head = Head(manifest["head"]["number"], manifest["head"]["hash"])
    entries = tuple(_shown(log, str(path)))
    return Bundle(manifest["case"], manifest["library"], head, manifest["versions"], entries, folder)


def _manifest(archive: SafeArchive, path: Path) -> dict[str, Any]:
    for name in (MANIFEST, LOG):
        if not archive.has(name):
            raise CorruptFileError(f"{path} is not a bundle of disclosure: it has no {name}")
    found = parse_json(archive.read(MANIFEST, limit_bytes=_MOST_SMALL_BYTES), str(path), "the manifest of a bundle")
    kinds = {"case": str, "library": str, "head": dict, "versions": dict, "log_sha256": str, "files": list}
    if (
        not isinstance(found, dict)
        or (found.get("schema"), found.get("version")) != (SCHEMA, VERSION)
        or any(type(found.get(name)) is not kind for name, kind in kinds.items())
        or any(not isinstance(name, str) or len(name) != 64 or not name.isalnum() for name in found["files"])
        or type(found["head"].get("number")) is not int
        or type(found["head"].get("hash")) is not str
    ):
        raise CorruptFileError(f"{path} is not a bundle of disclosure of this version")
    return found


def _shown(log: bytes, where: str) -> Iterator[Entry]:
    for number, line in enumerate(log.decode("utf-8", "surrogateescape").splitlines(), 1):
        found = parse_json(line, f"{where}, line {number} of the log", "a line of an extract")
        if isinstance(found, dict) and isinstance(found.get("content"), str):
            yield entry_of(found["content"].encode(), f"{where}, line {number} of the log")


def _also(view: View, case: str) -> Iterator[tuple[str, str]]:
    """Yield the records of no case that those of a case rest on: test fires, instruments, what assessors ask for."""
    methods: set[str] = set()
    operators: set[str] = set()
    instruments: set[str] = set()
    waiting = view.of_case(case)
    seen: set[tuple[str, str]] = set()
    while waiting:
        entry = waiting.pop()
        if entry.kind not in KINDS:
            continue
        record = fields_of(entry)
        if isinstance(record, Comparison):
            methods.add(record.method)
            owner = view.operator(entry.key)
            operators.add("" if owner is None else owner.operator)
        for kinds, identifiers in record.named_records().values():
            for kind, identifier in ((kind, identifier) for kind in kinds for identifier in identifiers):
                named = view.current(kind, identifier)
                if named is None or named.case or (kind, identifier) in seen:
                    continue
                seen.add((kind, identifier))
                instruments |= {identifier} if kind == "instrument" else set()
                waiting.append(named)
                yield kind, identifier
    for asked, name, wanted in (
        (Calibration.KIND, "instrument", instruments),
        (Validation.KIND, "method", methods),
        (Competence.KIND, "operator", operators),
    ):
        for entry in view.records(asked):
            if entry.body["fields"].get(name) in wanted:
                yield asked, entry.record


def _files_of(entry: Entry) -> tuple[str, ...]:
    return fields_of(entry).kept_files() if entry.kind in KINDS else ()


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(_info(name), data, compresslevel=6)


def _add_file(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    with open(path, "rb") as source, archive.open(_info(name), "w", force_zip64=True) as target:
        while block := source.read(_BLOCK):
            target.write(block)


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _TIME)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


def _write(path: Path, blocks: Iterator[bytes]) -> None:
    size = 0
    with open(path, "wb") as target:
        for block in blocks:
            size += len(block)
            if size > _MOST_FILE_BYTES:
                raise CorruptFileError(f"{path.name[:12]}… has more than {_MOST_FILE_BYTES} bytes: no scan has")
            target.write(block)


def _readme(case: str, n_files: int, head: Head) -> str:
    return f"""Disclosure of case {case}

This archive holds what the laboratory recorded of the case, and what is needed to check it.

{LOG:15}the records: an extract of the laboratory's signed log, JSON Lines. Entries of other cases are
{"":15}hidden; of each the digest is given, so that the chain can be recomputed.
{VERIFIER:15}verifies the extract: Python 3.9 or later and the package `cryptography`, nothing else.
{FILES:15}{n_files} files under the SHA-256 of their bytes: scans as the instrument wrote them, results
{"":15}of comparisons, reference populations, certificates, pages that were released.
{MANIFEST:15}what is in the archive, and the versions of the programs that made the results.

1. Verify the records:
   python {VERIFIER} {LOG}
   It prints OK or every fault. The last entry is number {head.number}, with the hash
   {head.hash}.
   Ask for a receipt of the log that was kept outside the laboratory, and hold it against the log:
   python {VERIFIER} {LOG} RECEIPT.json

2. Make every comparison again, on a computer of your own, with the open program `ballistics`:
   ballistics case replay THIS-ARCHIVE.zip
   It reads the scans of this archive, compares them with the recorded parameters, and prints for every number whether
   it is equal to the recorded one.

3. What this does not prove: that the scans are of the exhibits that the records name, or that what was recorded is
   true. See the laboratory's records of custody (kind "transfer"), and ask for the exhibits.
"""
