"""How well every rule separates same-source from different-source pairs, beside the published rows."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from ballistics.errors import CorruptFileError
from ballistics.evidence.preconditions import withholding
from ballistics.files.tables import csv_bytes
from ballistics.impressions.congruence import RULES
from ballistics.pairs.rows import Row
from ballistics.studies.scan_pairs import ScoredScans, score_all_pairs
from ballistics.studies.truth_table import ScanTruth
from benchmarks.support.pairs import auc
from benchmarks.support.real_sets import RealSet, fadul, own, topmatch
from benchmarks.support.record import Context, Record

DESCRIPTION = "all pairs of Fadul and TopMatch, or of your own scans, by every score: ranges, gap, AUC, worst pairs"

# Fadul, 63 same-source and 717 different-source pairs: source, same-source range, different-source range, gap.
PUBLISHED = {
    "original": "Chu 2013: 8–, 0–4; Song 2014: 7–29, 0–2, gap 5",
    "high": "Tong 2015: 12–29, 0–2, gap 10; cmcR best of its sweep: gap 14",
    "convergence": "Chen 2017: 15–32, 0–3, gap 12",
    "ncma": "Chen 2018: gap 29 % of area",
    "consensus": "no published Fadul row",
    "cmcR pooled": "cmcR 2023 at 20 px/6°/.50: 20–31, 0–10, gap 10",
    "accf": "Tai 2019, cartridges3D (read off a plot): 0.55–, –0.32, gap 0.23",
}
_UNITS = {"accf": "correlation", "similarity": "nats"}
BEST_PUBLISHED = "≥ 8 (best published: Song 2018, manual masks: 18–32, 0–2, gap 16)"
SCORES = (*RULES, "accf", "similarity")
# The scores whose worst pairs are printed; those of the others follow from accuracy.csv.
_WORST_OF, _N_WORST = ("similarity", "significance", "accf"), 10


@dataclass(frozen=True)
class Compared:
    """Every score of every pair of two cartridge cases.

    Parameters
    ----------
    scored : ScoredScans
        All scans, those left out among them.
    pairs : tuple of tuples of int
        Indices of the two scans of each pair.
    same : ndarray of bool, shape (n,)
        Whether one firearm made both.
    values : dict of str to ndarray, shape (n,)
        By score; NaN where the comparison is insufficient.
    findings : tuple of str
        What was found at each pair.
    withheld : ndarray of bool, shape (n,)
        Pairs for which casework states no LR, e.g. one of two scans is mirrored: listed, and in no figure.
    """

    scored: ScoredScans
    pairs: tuple[tuple[int, int], ...]
    same: NDArray[np.bool_]
    values: dict[str, NDArray[np.float64]]
    findings: tuple[str, ...]
    withheld: NDArray[np.bool_]

    def names(self, number: int) -> tuple[str, str]:
        """Return the names of the two scans of a pair."""
        return tuple(self.scored.scans[i].truth.scan for i in self.pairs[number])  # type: ignore[return-value]

    def worst(self, score: str, same_source: bool) -> list[int]:
        """Return the pairs of one kind whose score speaks most against the truth; ties in the order of the names."""
        values = self.values[score]
        chosen = np.flatnonzero((self.same == same_source) & np.isfinite(values) & ~self.withheld).tolist()
        sign = 1.0 if same_source else -1.0
        return sorted(chosen, key=lambda i: (sign * values[i], self.names(i)))[:_N_WORST]


def run(context: Context) -> Iterator[Record]:
    """Compare all pairs and yield ranges, gap and AUC per rule; what is finished is kept and not done again."""
    if context.own:
        yield from _set(own(context), context, context.output, "")
        return
    yield from _set(fadul(context), context, context.output, "")
    yield from _set(topmatch(context), context, context.output / "topmatch", "TopMatch: ")


def _set(scans: RealSet, context: Context, output: Path, prefix: str) -> Iterator[Record]:
    """Compare all pairs of one set; only Fadul's, whose figures have no prefix, has published rows beside it."""
    truths, name = scans.truths, scans.name
    found = _compare(scans.folder, _few(truths) if context.quick else truths, context, output)
    _write(output, found)
    show_findings(found)
    beside = not (context.own or prefix)
    counted = ~found.withheld
    same = found.same[counted]
    if not len(same):
        raise CorruptFileError(f"{scans.folder}: no two scans could be compared; the reasons stand above")
    protocol = (
        f"{name}: {same.sum()} same-source and {(~same).sum()} different-source pairs; thresholds of the cited"
        " papers, none tuned here; smaller count of the two directions (except 'cmcR pooled')"
    )
    left_out = sum(bool(scan.left_out) for scan in found.scored.scans)
    if left_out:
        yield Record("accuracy", f"{prefix}scans left out", left_out, "scans", "", protocol, len(found.scored.scans))
    if found.withheld.any():
        n_withheld = int(found.withheld.sum())
        yield Record("accuracy", f"{prefix}pairs withheld", n_withheld, "pairs", "", protocol, len(found.pairs))
    for score in SCORES:
        values = found.values[score][counted]
        a, b = values[same & np.isfinite(values)], values[~same & np.isfinite(values)]
        unit = RULES[score].unit if score in RULES else _UNITS[score]
        published = PUBLISHED.get(score, "") if beside else ""
        goal = BEST_PUBLISHED if score == "significance" and beside else ""

        def record(metric: str, value: float, unit: str, goal: str, n: int, score: str = score) -> Record:
            return Record("accuracy", f"{prefix}{score}: {metric}", float(value), unit, goal, protocol, n)

        if len(a) and len(b):
            yield record("same-source lowest", a.min(), unit, published, len(a))
            yield record("same-source median", np.median(a), unit, "", len(a))
            yield record("different-source highest", b.max(), unit, "", len(b))
            yield record("different-source mean", b.mean(), unit, "", len(b))
            yield record("gap", a.min() - b.max(), unit, goal, len(same))
            yield record("AUC", auc(a, b), "AUC", "1.000", len(same))
        missing = int(np.isnan(values).sum())
        if missing:
            yield record("insufficient", missing, "pairs", "", len(same))


def _few(truths: Sequence[ScanTruth]) -> tuple[ScanTruth, ...]:
    """Return three scans of each of four firearms: enough to try the benchmark itself."""
    kept: dict[str, list[ScanTruth]] = {name: [] for name in sorted({truth.firearm for truth in truths})[:4]}
    for truth in truths:
        if len(kept.get(truth.firearm, "full")) < 3:
            kept[truth.firearm].append(truth)
    return tuple(truth for own in kept.values() for truth in own)


def _compare(folder: Path, truths: Sequence[ScanTruth], context: Context, output: Path) -> Compared:
    """Score all pairs; finished work of an earlier run in the same output folder is taken over."""
    rows: list[tuple[int, int, Row]] = []
    with Progress() as progress:
        tasks: dict[str, TaskID] = {}

        def tell(stage: str, done: int, total: int, _: int = 0, /) -> None:
            task = tasks.get(stage)
            tasks[stage] = progress.add_task(stage, total=total) if task is None else task
            progress.update(tasks[stage], completed=done)

        scored = score_all_pairs(
            folder,
            truths,
            output / "accuracy-work",
            workers=context.workers or os.cpu_count() or 1,
            progress=tell,
            each_row=lambda i, j, row: rows.append((i, j, row)),
        )
    # A case agrees with itself better than with another case of its firearm: no such pair is a same-source pair.
    items = [scan.truth.item for scan in scored.scans]
    rows = [(i, j, row) for i, j, row in rows if items[i] != items[j]]
    firearms = [scan.truth.firearm for scan in scored.scans]
    columns = {score: f"{score.replace(' ', '_')}_count" if score in RULES else score for score in SCORES}
    columns["overlap"] = "overlap_fraction"
    return Compared(
        scored,
        tuple((i, j) for i, j, _ in rows),
        np.array([firearms[i] == firearms[j] for i, j, _ in rows], bool),
        {score: _numbers(row[column] for _, _, row in rows) for score, column in columns.items()},
        tuple("; ".join(filter(None, (row["findings"], row["insufficient"], row["error"]))) for _, _, row in rows),
        np.array([bool(withholding(_findings(scored, i, j, row))) for i, j, row in rows], bool),
    )


def _findings(scored: ScoredScans, i: int, j: int, row: Row) -> tuple[str, ...]:
    return (*row["findings"].split("; "), *scored.scans[i].findings, *scored.scans[j].findings)


def _numbers(values: Iterable[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _write(folder: Path, found: Compared) -> None:
    """Write a row for each pair and for each scan, so that anyone can look at a single one."""
    folder.mkdir(parents=True, exist_ok=True)
    scans = found.scored.scans
    names = ["scan_a", "scan_b", "firearm_a", "firearm_b", "same_source", *found.values, "withheld", "findings"]
    rows = [
        [
            *found.names(number),
            scans[i].truth.firearm,
            scans[j].truth.firearm,
            int(found.same[number]),
            *(float(f"{column[number]:.6g}") for column in found.values.values()),
            int(found.withheld[number]),
            found.findings[number],
        ]
        for number, (i, j) in enumerate(found.pairs)
    ]
    (folder / "accuracy.csv").write_bytes(csv_bytes(names, rows))
    own = [
        [scan.truth.scan, scan.truth.firearm, scan.sha256, scan.left_out, scan.insufficient, "; ".join(scan.findings)]
        for scan in scans
    ]
    columns = ["scan", "firearm", "sha256", "left_out", "insufficient", "findings"]
    (folder / "accuracy-scans.csv").write_bytes(csv_bytes(columns, own))


def show_findings(found: Compared) -> None:
    """Print the scans that could not take part, and the worst pairs of each kind."""
    console = Console()
    for scan in found.scored.scans:
        if scan.left_out or scan.insufficient:
            console.print(f"left out: {scan.truth.scan}: {scan.left_out or scan.insufficient}", markup=False)
    for number in np.flatnonzero(found.withheld).tolist():
        a, b = found.names(number)
        truth = "same" if found.same[number] else "different"
        console.print(f"withheld: {a} {b} ({truth} source): {found.findings[number]}", markup=False)
    for score in _WORST_OF:
        table = Table(title=f"worst pairs by {score}")
        for column in ("truth", score, "scan", "scan", "findings"):
            table.add_column(column, justify="right" if column == score else "left", overflow="fold")
        for same_source, truth in ((True, "same"), (False, "different")):
            for number in found.worst(score, same_source):
                value = f"{found.values[score][number]:.6g}"
                table.add_row(truth, value, *found.names(number), found.findings[number])
        console.print(table)
