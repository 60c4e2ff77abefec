"""The scans of a set, each read and prepared once; resumable after any stop."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from ballistics.files import RowsFile, make_work_folder, reason
from ballistics.methods import method_of
from ballistics.pairs import rows as pair_rows
from ballistics.pairs.mark_store import MarkStore
from ballistics.progress import Progress, silent
from ballistics.provenance import Provenance, sha256_of_array, sha256_of_file
from ballistics.surfaces import ALL_AS_THEY_ARE, Readings
from ballistics.workers import unordered


@dataclass(frozen=True)
class PreparedScan:
    """A scan's file, and what became of it.

    Parameters
    ----------
    name : str
        What it is called in the result.
    sha256 : str
        Of the file; empty when there is no such file.
    left_out : str
        Why it takes part in no comparison; empty when it does.
    insufficient : str or None
        Why its mark cannot carry a comparison.
    preparation : mapping
        How its mark was prepared.
    findings : tuple of str
        "severity: code" of everything noticed.
    mark_sha256 : str
        `sha256_of_array` of the mark's heights.
    instrument : str
        Class of instrument that the file names; empty when it names none.
    """

    name: str
    sha256: str
    left_out: str = ""
    insufficient: str | None = None
    preparation: Mapping[str, Any] | None = None
    findings: tuple[str, ...] = ()
    mark_sha256: str = ""
    instrument: str = ""


@dataclass(frozen=True)
class Method:
    """How scans become marks and marks become rows; finished work is taken over only from the same method.

    Parameters
    ----------
    mark_kind : str
        Mark type.
    readings : Readings
        In which units scans are, and where their marks are, where the files do not say it or say it wrongly.
    settings : tuple of (str, str)
        Other parameters than the usual ones, by name (`ballistics.methods`).
    """

    mark_kind: str = "breech face"
    readings: Readings = ALL_AS_THEY_ARE
    settings: tuple[tuple[str, str], ...] = ()

    def parameters(self) -> Any:
        """Return the parameters of the settings; None for the usual ones, which depend on the kind of surface."""
        return method_of(self.mark_kind).parameters(settings=dict(self.settings)) if self.settings else None

    def comparison(self) -> Provenance:
        """Return method and parameters of every comparison; inputs are those of no pair."""
        return method_of(self.mark_kind).comparison(self.parameters())

    def content(self) -> dict[str, Any]:
        """Return all that can change a row, as JSON can hold it."""
        provenance, preparation = self.comparison(), method_of(self.mark_kind).preparation(self.parameters())
        content = {
            "comparison": [provenance.method, provenance.version, provenance.parameters, dict(provenance.versions)],
            "preparation": [preparation.method, preparation.version, preparation.parameters],
            "readings": self.readings.content(),
            "rows": pair_rows.VERSION,
        }
        plain: dict[str, Any] = json.loads(json.dumps(content, sort_keys=True))
        return plain

    def key(self) -> str:
        """Return 16 hexadecimal digits that stand for the content."""
        return sha256(json.dumps(self.content(), sort_keys=True).encode()).hexdigest()[:16]


def prepare_scans(
    lists: Sequence[Sequence[tuple[str, Path]]],
    work: Path,
    method: Method,
    workers: int = 1,
    tell: Progress = silent,
) -> tuple[tuple[tuple[PreparedScan, ...], ...], MarkStore]:
    """Read and prepare every scan of some lists once; a bad file is an entry with a reason.

    Everything finished is kept in ``work`` (``scans.jsonl``, ``marks/``), by the scans' SHA-256 and the method.

    Parameters
    ----------
    lists : sequence of sequences of (str, Path)
        Names and places of the scans. Of byte-for-byte copies in one list only the first takes part.
    work : Path
        Folder for finished work; made if need be.
    method : Method
    workers : int
        Processes.
    tell : Progress
        Told after every scan.

    Returns
    -------
    scans : tuple of tuples of PreparedScan
        The lists, in the order given.
    store : MarkStore
        Where the marks are, by the scans' SHA-256.

    Raises
    ------
    WriteError
        When ``work`` cannot be written.
    CorruptFileError
        When a file of earlier results was changed.
    """
    key = method.key()
    store = MarkStore(work / "marks" / key, method.mark_kind, method.settings)
    make_work_folder(work, "prepared marks, and scores of their pairs", f"marks/{key}")
    scans = [_identified(files) for files in lists]
    wanted = {
        scan.sha256: path
        for found, files in zip(scans, lists, strict=True)
        for scan, (_, path) in zip(found, files, strict=True)
        if not scan.left_out
    }
    method.readings.refuse_unused([name for files in lists for name, _ in files])
    reading = {
        scan.sha256: method.readings.of(scan.name) for found in reversed(scans) for scan in found if not scan.left_out
    }
    with RowsFile(work / "scans.jsonl", strict=True) as file:
        rows = {
            row["sha256"]: row
            for _, row in file.places()
            if _is_outcome(row, key) and row["sha256"] in wanted and (row["error"] or _holds(store, row))
        }
        missing = [(path, digest) for digest, path in wanted.items() if digest not in rows]
        resumed = len(wanted) - len(missing)
        tell("preparing scans", resumed, len(wanted), resumed)
        asked = ((path, digest, reading[digest]) for path, digest in missing)
        for done, row in enumerate(unordered(workers, store.prepare_scan, asked), resumed + 1):
            rows[row["sha256"]] = row
            file.append(row | {"method": key})
            tell("preparing scans", done, len(wanted), resumed)
    return tuple(tuple(_outcome(scan, rows) for scan in found) for found in scans), store


def _is_outcome(row: Mapping[str, Any], key: str) -> bool:
    """Return whether a kept row says what came of a scan by this method."""
    return row.get("method") == key and {"sha256", "error", "insufficient", "preparation", "findings"} <= set(row)


def _holds(store: MarkStore, row: Mapping[str, Any]) -> bool:
    """Return whether the store holds the very mark that a row speaks of."""
    if not store.holds(str(row["sha256"])):
        return False
    return sha256_of_array(np.asarray(store.load(str(row["sha256"])).heights_um)) == row.get("mark_sha256")


def _identified(files: Sequence[tuple[str, Path]]) -> list[PreparedScan]:
    """Hash every file; a copy of another one is no second scan."""
    scans: list[PreparedScan] = []
    first: dict[str, str] = {}
    for name, path in files:
        try:
            digest = sha256_of_file(path)
        except OSError as error:
            scans.append(PreparedScan(name, "", f"cannot be opened: {reason(error)}"))
            continue
        twin = first.get(digest)
        copy = "" if twin is None else f"is byte for byte the file {twin}: a copy is not a second scan"
        first.setdefault(digest, name)
        scans.append(PreparedScan(name, digest, copy))
    return scans


def _outcome(scan: PreparedScan, rows: Mapping[str, dict[str, Any]]) -> PreparedScan:
    if scan.left_out:
        return scan
    row = rows[scan.sha256]
    if row["error"]:
        return replace(scan, left_out=row["error"])
    return replace(
        scan,
        insufficient=row["insufficient"],
        preparation=row["preparation"],
        findings=tuple(row["findings"]),
        mark_sha256=row["mark_sha256"],
        instrument=row.get("instrument", ""),
    )
