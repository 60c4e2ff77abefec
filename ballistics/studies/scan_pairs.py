"""All pairs of a set of scans with known firearms, each scored once; resumable after any stop."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ballistics.pairs import (
    AllPairs,
    KeptPairs,
    MarkSource,
    Method,
    PreparedScan,
    Row,
    compare_missing,
    on_this_machine,
    pose_of,
    prepare_scans,
    score_of,
)
from ballistics.progress import Progress, silent
from ballistics.provenance import Provenance
from ballistics.studies.truth_table import NOT_STATED, ScanTruth
from ballistics.surfaces import ALL_AS_THEY_ARE, Pose, Readings, instrument_of

# Striae are compared over a quarter of the shorter signature, correlated over half of it.
NO_CORRELATION = "the signatures share no half of the shorter: no correlation"


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
    """Two scans (by index), the scores of their comparison or why there are none, and how B lies on A.

    Striated marks lie along each other: their ``pose`` has a shift in x alone.
    """

    a: int
    b: int
    count: int | None
    cells: int | None
    accf: float | None
    similarity: float | None = None
    area_mm2: float | None = None
    without_score: str = ""
    findings: tuple[str, ...] = ()
    pose: Pose | None = None
    length_mm: float | None = None


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
    marks : MarkSource
        Where their marks are, by SHA-256.
    """

    mark_kind: str
    scans: tuple[ScannedItem, ...]
    pairs: tuple[ScannedPair, ...]
    provenance: Provenance
    preparation: Mapping[str, Any]
    marks: MarkSource

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
    readings: Readings = ALL_AS_THEY_ARE,
    workers: int = 1,
    progress: Progress | None = None,
    each_row: Callable[[int, int, Row], None] | None = None,
    settings: tuple[tuple[str, str], ...] = (),
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
    readings : Readings, optional
        Units and regions by pattern; what the table says of a scan goes first.
    workers : int
        Processes; joblib's own configuration may place them elsewhere.
    progress : Progress, optional
        Told after every scan and pair.
    each_row : callable, optional
        Given the two scans' indices and the whole row (`pair_rows.columns`) of every pair, in their order: the
        result keeps only the scores.

    settings : tuple of (str, str)
        Other parameters than the usual ones, by name.

    Raises
    ------
    WriteError
        When ``work`` cannot be written.
    CorruptFileError
        When a file of earlier results was changed.
    ParameterError
        For a setting that is none.
    """
    tell = progress or silent
    listed = sorted(truths, key=lambda truth: truth.scan)
    rows = {truth.scan: truth.reading for truth in listed}
    method = Method(mark, replace(readings, rows=rows), settings)
    method.parameters()
    files = [(truth.scan, folder / truth.scan) for truth in listed]
    (prepared,), store = prepare_scans([files], work, method, workers, tell)
    items = [_item(truth, scan) for truth, scan in zip(listed, prepared, strict=True)]
    scans, common = _alike(items)
    taking_part = [i for i, scan in enumerate(scans) if not scan.left_out]
    keys = [scans[i].sha256 for i in taking_part]
    with KeptPairs(work / "pairs.jsonl", method.key(), mark, keys, AllPairs(len(keys))) as kept:
        compare_missing(kept, store, on_this_machine(workers, settings), tell)
        pairs = []
        for i, j, row in kept.rows():
            a, b = taking_part[i], taking_part[j]
            pairs.append(_pair(a, b, row, mark))
            if each_row is not None:
                each_row(a, b, row)
    return ScoredScans(mark, tuple(scans), tuple(pairs), method.comparison(), common, store)


def _item(truth: ScanTruth, scan: PreparedScan) -> ScannedItem:
    """Bring table and file together; on the class of instrument the file goes first."""
    findings = scan.findings
    stated = truth.labels.get("instrument", NOT_STATED)
    classes, contradiction = instrument_of(scan.instrument or None, [] if stated == NOT_STATED else [stated])
    if contradiction is not None:
        findings = (*findings, f"{contradiction.severity}: {contradiction.code}")
    if classes:
        truth = replace(truth, labels={**truth.labels, "instrument": classes[0]})
    return ScannedItem(truth, scan.sha256, scan.left_out, scan.insufficient, scan.preparation, findings)


def _pair(i: int, j: int, row: Row, mark_kind: str) -> ScannedPair:
    score = score_of(row, mark_kind)
    return ScannedPair(
        i,
        j,
        score.count,
        score.cells,
        score.accf,
        score.similarity,
        score.area_mm2,
        score.insufficient or ("" if score.accf is not None else NO_CORRELATION),
        tuple(filter(None, row["findings"].split("; "))),
        pose_of(row),
        score.length_mm,
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
