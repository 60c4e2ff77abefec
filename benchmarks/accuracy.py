"""How well every rule separates same-source from different-source pairs, beside the published rows."""

from __future__ import annotations

import csv
from collections.abc import Iterator

import numpy as np

from ballistics.impressions.compare import compare
from ballistics.impressions.congruence import RULES
from benchmarks.pairs import ScanSet, auc, for_all, load, thinned
from benchmarks.record import Context, Record

DESCRIPTION = "all pairs of the Fadul set under every congruence rule: score ranges, gap, AUC"

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


def scores_of(scans: ScanSet, pair: tuple[int, int]) -> dict[str, float]:
    """Return every score of one pair; NaN where the comparison is insufficient."""
    result = compare(scans.marks[pair[0]], scans.marks[pair[1]])
    scores = {name: result.rules[name].score if name in result.rules else float("nan") for name in RULES}
    alike = result.similarity.score if result.similarity is not None else float("nan")
    return {**scores, "accf": result.accf, "similarity": alike, "overlap": result.overlap_fraction}


def run(context: Context) -> Iterator[Record]:
    """Compare all pairs and yield ranges, gap and AUC per rule."""
    scans = load(context)
    pairs = thinned(scans, context, 4)
    same = scans.same_source(pairs)
    table = list(for_all(lambda pair: scores_of(scans, pair), pairs, "comparing pairs"))
    _write(context, scans, pairs, same, table)
    protocol = (
        f"{scans.name}: {same.sum()} same-source and {(~same).sum()} different-source pairs; thresholds of the cited"
        " papers, none tuned here; smaller count of the two directions (except 'cmcR pooled')"
    )
    for name in (*RULES, "accf", "similarity"):
        values = np.array([row[name] for row in table])
        a, b = values[same & np.isfinite(values)], values[~same & np.isfinite(values)]
        unit = RULES[name].unit if name in RULES else _UNITS[name]
        published = PUBLISHED.get(name, "") if not context.own else ""
        goal = BEST_PUBLISHED if name == "convergence" and not context.own else ""

        def record(metric: str, value: float, unit: str, goal: str, n: int, name: str = name) -> Record:
            return Record("accuracy", f"{name}: {metric}", float(value), unit, goal, protocol, n)

        if len(a) and len(b):
            yield record("same-source lowest", a.min(), unit, published, len(a))
            yield record("same-source median", np.median(a), unit, "", len(a))
            yield record("different-source highest", b.max(), unit, "", len(b))
            yield record("different-source mean", b.mean(), unit, "", len(b))
            yield record("gap", a.min() - b.max(), unit, goal, len(pairs))
            yield record("AUC", auc(a, b), "AUC", "1.000", len(pairs))
        missing = int(np.isnan(values).sum())
        if missing:
            yield record("insufficient", missing, "pairs", "", len(pairs))


def _write(
    context: Context,
    scans: ScanSet,
    pairs: tuple[tuple[int, int], ...],
    same: np.ndarray[tuple[int], np.dtype[np.bool_]],
    table: list[dict[str, float]],
) -> None:
    """Write one row per pair, so that anyone can look at a single one."""
    context.output.mkdir(parents=True, exist_ok=True)
    with open(context.output / "accuracy.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["scan_a", "scan_b", "firearm_a", "firearm_b", "same_source", *table[0]])
        for (i, j), s, row in zip(pairs, same, table, strict=True):
            names = scans.scans[i], scans.scans[j], scans.firearms[i], scans.firearms[j]
            writer.writerow([*names, int(s), *(f"{v:.6g}" for v in row.values())])
