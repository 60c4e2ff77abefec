"""All pairs of a set of scans with known firearms, each scored once; resumable after any stop."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from ballistics.errors import BallisticsError, WriteError
from ballistics.evidence.comparisons import pair_score
from ballistics.evidence.mark_store import has_mark, load_mark, prepare_scan
from ballistics.evidence.rows_file import RowsFile
from ballistics.evidence.truth_table import ScanTruth
from ballistics.impressions.compare import compare
from ballistics.provenance import Provenance, sha256_of_file
from ballistics.surfaces import preparation
from ballistics.surfaces.mark_types import mark_type
from ballistics.surfaces.surface import Mark
from ballistics.surfaces.units_guard import Units

# Told the stage, how many are done, of how many, and how many of these earlier runs had done.
Progress = Callable[[str, int, int, int], None]


@dataclass(frozen=True)
class ScannedItem:
    """A scan of the table, and what became of it.

    Parameters
    ----------
    truth : ScanTruth
        Its row in the table.
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
    """

    truth: ScanTruth
    sha256: str
    left_out: str = ""
    insufficient: str | None = None
    preparation: Mapping[str, Any] | None = None
    findings: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScannedPair:
    """Two scans (by index) and the scores of their comparison, or why there are none."""

    a: int
    b: int
    count: int | None
    cells: int | None
    accf: float | None
    without_score: str = ""


@dataclass(frozen=True)
class ScoredScans:
    """Every scan and every pair of a set.

    Parameters
    ----------
    mark_kind : str
        What was compared.
    scans : tuple of ScannedItem
        All scans of the table, sorted by name.
    pairs : tuple of ScannedPair
        All pairs of scans that take part, in the order of the scans.
    provenance : Provenance
        Method, parameters and versions of the comparison.
    preparation : mapping
        How the scans that take part were prepared.
    """

    mark_kind: str
    scans: tuple[ScannedItem, ...]
    pairs: tuple[ScannedPair, ...]
    provenance: Provenance
    preparation: Mapping[str, Any]

    def firearms(self, pair: ScannedPair) -> tuple[str, str]:
        """Return the firearms of a pair."""
        return self.scans[pair.a].truth.firearm, self.scans[pair.b].truth.firearm

    def repeats(self, pair: ScannedPair) -> bool:
        """Return whether a pair is one cartridge case scanned twice: no comparison of two cases."""
        return self.scans[pair.a].truth.item == self.scans[pair.b].truth.item


def score_all_pairs(
    folder: Path,
    truths: Sequence[ScanTruth],
    work: Path,
    mark: str = "breech face",
    units: Units | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> ScoredScans:
    """Prepare every scan once and compare all pairs.

    Everything finished is kept in ``work`` (``scans.jsonl``, ``pairs.jsonl``, ``marks/``), by the scans'
    SHA-256 and the method: after a stop, or with scans added, only what is missing is done. The
    result does not depend on the number of workers, on stops, or on the order of the table.

    Parameters
    ----------
    folder : Path
        Where the scans are.
    truths : sequence of ScanTruth
        The table.
    work : Path
        Folder for finished work; made if need be.
    mark : str
        Mark type.
    units : {"micrometres", "millimetres", "as written"}, optional
        For scans whose files hold another unit than they say.
    workers : int
        Processes; joblib's own configuration may place them elsewhere.
    progress : Progress, optional
        Told after every scan and pair.

    Raises
    ------
    WriteError
        When ``work`` cannot be written.
    CorruptFileError
        When a file of earlier results was changed.
    """
    tell = progress or _silent
    try:
        (work / "marks").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{work} cannot be made: {error.strerror}; choose another folder") from error
    provenance = _method(mark)
    key = _key(provenance, mark, units)
    scans = _identified(folder, sorted(truths, key=lambda truth: truth.scan))
    rows = _prepared(folder, scans, work, key, mark, units, workers, tell)
    scans = [_outcome(scan, rows.get(scan.sha256)) for scan in scans]
    scans, common = _alike(scans)
    pairs = _compared(scans, rows, work, key, mark, workers, tell)
    return ScoredScans(mark, tuple(scans), tuple(pairs), provenance, common)


def _silent(stage: str, done: int, total: int, resumed: int) -> None:
    """Tell nobody."""


def _method(mark: str) -> Provenance:
    """Return method and parameters of every comparison; inputs are those of no pair."""
    kind = mark_type(mark)
    nothing = Mark(mark, np.full((1, 1), np.nan, np.float32), kind.spacing_um, insufficient="none")
    provenance = compare(nothing, nothing).provenance
    assert provenance is not None
    return replace(provenance, inputs={})


def _key(provenance: Provenance, mark: str, units: Units | None) -> str:
    """Return what earlier results must have been made with to be taken over: everything that counts."""
    content = {
        "comparison": [provenance.method, provenance.version, provenance.parameters, dict(provenance.versions)],
        "preparation": [preparation.METHOD, preparation.VERSION, asdict(mark_type(mark)), units],
    }
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _identified(folder: Path, truths: Iterable[ScanTruth]) -> list[ScannedItem]:
    """Hash every file; a copy of another one is no second scan."""
    scans: list[ScannedItem] = []
    first: dict[str, str] = {}
    for truth in truths:
        try:
            digest = sha256_of_file(folder / truth.scan)
        except OSError as error:
            scans.append(ScannedItem(truth, "", f"cannot be opened: {error.strerror}"))
            continue
        twin = first.setdefault(digest, truth.scan)
        reason = "" if twin == truth.scan else f"is byte for byte the file {twin}: a copy is not a second scan"
        scans.append(ScannedItem(truth, digest, reason))
    return scans


def _prepared(
    folder: Path,
    scans: Sequence[ScannedItem],
    work: Path,
    key: str,
    mark: str,
    units: Units | None,
    workers: int,
    tell: Progress,
) -> dict[str, dict[str, Any]]:
    store = work / "marks" / key
    store.mkdir(exist_ok=True)
    wanted = {scan.sha256: folder / scan.truth.scan for scan in scans if not scan.left_out}
    with RowsFile(work / "scans.jsonl") as file:
        rows = {
            row["sha256"]: row
            for row in file.read()
            if row["method"] == key and (row["error"] or has_mark(store, row["sha256"]))
        }
        missing = [(path, digest) for digest, path in wanted.items() if digest not in rows]
        resumed = len(wanted) - len(missing)
        tell("preparing scans", resumed, len(wanted), resumed)
        tasks = (delayed(prepare_scan)(path, digest, store, mark, units) for path, digest in missing)
        for done, row in enumerate(_run(tasks, workers), resumed + 1):
            rows[row["sha256"]] = row | {"method": key}
            file.append(rows[row["sha256"]])
            tell("preparing scans", done, len(wanted), resumed)
    return rows


def _outcome(scan: ScannedItem, row: Mapping[str, Any] | None) -> ScannedItem:
    if scan.left_out or row is None:
        return scan
    if row["error"]:
        return replace(scan, left_out=row["error"])
    return replace(
        scan, insufficient=row["insufficient"], preparation=row["preparation"], findings=tuple(row["findings"])
    )


def _alike(scans: Sequence[ScannedItem]) -> tuple[list[ScannedItem], Mapping[str, Any]]:
    """Leave out scans that were not prepared as most were: scores of the two are not commensurable."""
    text = [json.dumps(scan.preparation, sort_keys=True) for scan in scans]
    number = Counter(text[i] for i, scan in enumerate(scans) if not scan.left_out)
    if not number:
        return list(scans), {}
    most = min(number, key=lambda how: (-number[how], how))
    reason = f"was prepared by other steps than the {number[most]} scans that are compared (see its findings)"
    alike = [
        scan if scan.left_out or text[i] == most else replace(scan, left_out=reason) for i, scan in enumerate(scans)
    ]
    return alike, json.loads(most)


def _compared(
    scans: Sequence[ScannedItem],
    rows: Mapping[str, dict[str, Any]],
    work: Path,
    key: str,
    mark: str,
    workers: int,
    tell: Progress,
) -> list[ScannedPair]:
    store = work / "marks" / key
    wanted = {
        _ordered(scans[i].sha256, scans[j].sha256): (i, j)
        for i, j in combinations([i for i, scan in enumerate(scans) if not scan.left_out], 2)
    }
    with RowsFile(work / "pairs.jsonl") as file:
        found = {(row["a"], row["b"]): row for row in file.read() if row["method"] == key}
        missing = [pair for pair in wanted if pair not in found]
        resumed = len(wanted) - len(missing)
        tell("comparing pairs", resumed, len(wanted), resumed)
        tasks = (delayed(_compare_pair)(store, mark, rows[a], rows[b]) for a, b in missing)
        for done, row in enumerate(_run(tasks, workers), resumed + 1):
            found[row["a"], row["b"]] = row
            file.append(row | {"method": key})
            tell("comparing pairs", done, len(wanted), resumed)
    return [
        ScannedPair(i, j, *(found[pair][name] for name in ("count", "cells", "accf", "without_score")))
        for pair, (i, j) in wanted.items()
    ]


def _ordered(a: str, b: str) -> tuple[str, str]:
    return (a, b) if a < b else (b, a)


def _compare_pair(store: Path, mark: str, a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"a": a["sha256"], "b": b["sha256"], "count": None, "cells": None, "accf": None}
    try:
        score = pair_score(compare(load_mark(store, mark, a), load_mark(store, mark, b)))
    except BallisticsError as error:
        return row | {"without_score": f"{type(error).__name__}: {error}"}
    return row | {
        "count": score.count,
        "cells": score.cells,
        "accf": score.accf,
        "without_score": score.insufficient or "",
    }


def _run(tasks: Iterable[tuple[Callable[..., Any], Any, Any]], workers: int) -> Iterator[dict[str, Any]]:
    """Yield results as they come; the caller puts them in order."""
    yield from Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1)(tasks)
