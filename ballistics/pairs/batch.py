"""Everything against everything: pairs of scans compared, kept, and written as one table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from ballistics.errors import ParameterError
from ballistics.files import real_path, table_kind
from ballistics.pairs.designs import AllPairs, Between, PairDesign
from ballistics.pairs.file_names import scan_files
from ballistics.pairs.mark_store import MarkSource
from ballistics.pairs.prepared_scans import Method, PreparedScan, prepare_scans
from ballistics.pairs.results import write_results
from ballistics.pairs.rows import Row, empty_row
from ballistics.pairs.runs import KeptPairs, Runner, compare_missing, on_this_machine
from ballistics.progress import Progress, silent

_BREECH_FACES = Method()


@dataclass(frozen=True)
class BatchSummary:
    """What a batch did.

    Parameters
    ----------
    pairs : int
        Rows of pairs.
    insufficient : int
        Pairs that support no comparison; their rows say why.
    failed : int
        Pairs that could not be compared.
    left_out : tuple of (str, str)
        Names of files that take part in no pair, and why.
    made_again : int
        Rows of earlier runs that were altered or damaged since, and whose pairs were compared again.
    """

    pairs: int
    insufficient: int
    failed: int
    left_out: tuple[tuple[str, str], ...]
    made_again: int = 0


@dataclass(frozen=True)
class Side:
    """The scans of one side of a batch, sorted, with the keys by which their marks are found."""

    scans: Sequence[PreparedScan]
    keys: Sequence[str]


def run_batch(
    scans: Iterable[Path],
    out: Path,
    reference: Iterable[Path] | None = None,
    library: Path | None = None,
    method: Method = _BREECH_FACES,
    work: Path | None = None,
    workers: int = 1,
    run: Runner | None = None,
    progress: Progress | None = None,
) -> BatchSummary:
    """Prepare every scan once, compare all pairs, and write one table.

    Finished work is kept: after any stop the same call goes on where it was, and with scans added only what is new is
    done. The table is sorted and does not depend on stops, on the number of workers, or on where they are: the same
    scans give the same bytes. A file that cannot be read is a row with ``error`` and no second scan.

    Parameters
    ----------
    scans : iterable of Path
        Files, and folders that are walked.
    out : Path
        The table, ``.parquet`` or ``.csv``.
    reference : iterable of Path, optional
        Compare each of the scans with each of these, instead of all pairs.
    library : Path, optional
        The same with each mark of that kind in this library.
    method : Method
        Mark type, units and settings. A ``run`` of one's own needs the same settings.
    work : Path, optional
        Folder for finished work. Default: ``NAME.work`` beside the table.
    workers : int
        Processes of this machine.
    run : Runner, optional
        What compares, e.g. `ballistics.pairs.cluster.on_cluster`. Default: those processes.
    progress : Progress, optional
        Told after every scan and pair.

    Raises
    ------
    ParameterError
        When there is nothing to compare, or more than one run can hold; for a reference and a library at once.
    WriteError
        When table or work cannot be written.
    CorruptFileError
        When a file of earlier results was changed.
    """
    table_kind(out)
    if reference is not None and library is not None:
        raise ParameterError("scans are compared with reference scans or with a library, not with both at once")
    work = out.with_name(f"{out.name}.work") if work is None else work
    tell = progress or silent
    enrolled: dict[str, PreparedScan] = {}
    if library is not None:
        # Only here: a database is not needed otherwise.
        from ballistics.pairs.library_marks import ScansAndLibrary, library_side

        enrolled = library_side(library, method.mark_kind)
    lists = [scan_files(paths, (work, out)) for paths in ((scans,) if reference is None else (scans, reference))]
    prepared, store = prepare_scans(lists, work, method, workers, tell)
    sides = [_side((scan.sha256, scan) for scan in found if not scan.left_out) for found in prepared]
    source: MarkSource = store
    if library is not None:
        sides.append(_side(enrolled.items()))
        source = ScansAndLibrary(store, real_path(library))
    left_out = [scan for found in prepared for scan in sorted(found, key=_order) if scan.left_out]
    return _compare(sides, left_out, source, out, method, work, run or on_this_machine(workers, method.settings), tell)


def _side(scans: Iterable[tuple[str, PreparedScan]]) -> Side:
    listed = sorted(scans, key=lambda item: _order(item[1]))
    return Side([scan for _, scan in listed], [key for key, _ in listed])


def _order(scan: PreparedScan) -> tuple[str, str]:
    return scan.name, scan.sha256


def _compare(
    sides: Sequence[Side],
    left_out: Sequence[PreparedScan],
    source: MarkSource,
    out: Path,
    method: Method,
    work: Path,
    run: Runner,
    tell: Progress,
) -> BatchSummary:
    """Compare one side with itself, or two with each other."""
    files = {key: scan.sha256 for side in sides for key, scan in zip(side.keys, side.scans, strict=True)}
    keys = list(files)
    place = {key: i for i, key in enumerate(keys)}
    design: PairDesign = AllPairs(len(keys))
    if len(sides) > 1:
        design = Between(*([place[key] for key in side.keys] for side in sides))
    a_of, b_of = (
        {place[key]: s for key, s in zip(side.keys, side.scans, strict=True)} for side in (sides[0], sides[-1])
    )
    counts = {"insufficient": 0, "error": 0}

    def rows() -> Iterator[Row]:
        for scan in left_out:
            yield _left_out_row(scan, method.mark_kind)
        for i, j, row in kept.rows():
            for name in counts:
                counts[name] += bool(row[name])
            yield _pair_row(a_of[i], b_of[j], row, method.mark_kind)

    with KeptPairs(work / "pairs.jsonl", method.key(), method.mark_kind, keys, design, list(files.values())) as kept:
        compare_missing(kept, source, run, tell)
        write_results(out, method.mark_kind, rows(), _metadata(method, sides, left_out, len(design)))
    reasons = tuple((scan.name, scan.left_out) for scan in left_out)
    return BatchSummary(len(design), counts["insufficient"], counts["error"], reasons, kept.passed_over)


def _pair_row(a: PreparedScan, b: PreparedScan, row: Row, mark_kind: str) -> Row:
    findings = [row["findings"]] if row["findings"] else []
    if not row["insufficient"] and a.preparation != b.preparation:
        findings.append("serious: prepared-unalike")
    return row | {
        "scan_a": a.name,
        "scan_b": b.name,
        "sha256_a": a.sha256,
        "sha256_b": b.sha256,
        "mark_sha256_a": a.mark_sha256,
        "mark_sha256_b": b.mark_sha256,
        "mark_kind": mark_kind,
        "findings": "; ".join(findings),
        "findings_a": "; ".join(a.findings),
        "findings_b": "; ".join(b.findings),
    }


def _left_out_row(scan: PreparedScan, mark_kind: str) -> Row:
    nobody = PreparedScan("", "")
    return _pair_row(scan, nobody, empty_row(mark_kind) | {"insufficient": "", "error": ""}, mark_kind) | {
        "error": scan.left_out,
        "findings": "",
    }


def _metadata(method: Method, sides: Sequence[Side], left_out: Sequence[PreparedScan], pairs: int) -> Mapping[str, Any]:
    """Return what the table says of itself; nothing in it depends on where or when it was made."""
    provenance, content = method.comparison(), method.content()
    parameters = {"comparison": content["comparison"][2], "preparation": content["preparation"]}
    text = json.dumps(parameters, sort_keys=True)
    return {
        "design": "all pairs" if len(sides) == 1 else "each of A with each of B",
        "mark_kind": method.mark_kind,
        "method": provenance.method,
        "method_version": provenance.version,
        "parameters": parameters,
        "parameters_sha256": sha256(text.encode()).hexdigest(),
        "references": list(provenance.references),
        "versions": dict(provenance.versions),
        "scans": [len(side.scans) for side in sides],
        "left_out": len(left_out),
        "pairs": pairs,
    }
