"""The tables of a validation study, in the order and words in which HTML and PDF show them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ballistics.evidence.scan_study import ScanStudy
from ballistics.evidence.scores import Score
from ballistics.evidence.study import GroupResult, Study
from ballistics.reports.study_wording import number, percent, ratio

FIGURE_TITLES = {
    "score densities": "Score densities",
    "roc": "ROC curve",
    "det": "DET curve",
    "tippett": "Tippett plot",
    "pav": "PAV plot",
    "empirical cross-entropy": "Empirical cross-entropy",
}
SCORE_NAMES: Mapping[Score, str] = {
    "similarity": "similarity (nats)",
    "count": "congruent cells",
    "correlation": "correlation (ACCF)",
}
FIGURE_TEXTS = {
    "score densities": "Scores before any likelihood ratio. The less the two kinds overlap, the better they are told "
    "apart.",
    "roc": "ROC curve of the score: the share of each kind of pair at or above every threshold.",
    "det": "DET curve of the score: both error rates on the same scale.",
    "tippett": "Tippett plot: the share of pairs with at least a given LR. Misleading are same-source pairs left of "
    "0 and different-source pairs right of 0. Dotted, where in the picture: the bounds.",
    "pav": "The LRs against what the data themselves would give (PAV). On the diagonal they are calibrated.",
    "empirical cross-entropy": "Cost of the LRs at every prior. Between the two lower curves lies the cost of "
    "calibration; at prior odds 1 they are Cllr and Cllr_min.",
}


def studies(study: ScanStudy) -> Mapping[Score, Study]:
    """Return the study of each score by name, the headline first."""
    return study.studies


def metric_rows(study: ScanStudy) -> list[tuple[str, ...]]:
    """Return every metric: its name, then its value for each score."""
    both = tuple(studies(study).values())

    def row(name: str, *values: str) -> tuple[str, ...]:
        return (name, *values)

    def each(name: str, field: str, digits: int = 4) -> tuple[str, ...]:
        return row(name, *(number(getattr(s.metrics, field), digits) for s in both))

    def share(name: str, count: str, of: str, limit: str) -> tuple[str, ...]:
        return row(
            name,
            *(
                f"{getattr(s.metrics, count)} of {getattr(s.metrics, of)} "
                f"(at most {percent(getattr(s.metrics, limit))})"
                for s in both
            ),
        )

    return [
        row("LR model", *(s.model for s in both)),
        row("Pairs: same source, different source", *(f"{s.metrics.n_same}, {s.metrics.n_different}" for s in both)),
        each("Cllr (bit)", "cllr"),
        each("Cllr_min (bit): discrimination", "cllr_min"),
        each("Cllr_cal (bit): calibration", "cllr_cal"),
        row(
            "devPAV (log10)",
            *("not defined: fully separated" if s.metrics.dev_pav is None else number(s.metrics.dev_pav) for s in both),
        ),
        each("AUC of the LR", "auc"),
        each("Equal error rate of the LR", "eer"),
        row("AUC of the score", *(number(s.score_auc, 4) for s in both)),
        row(
            "Equal error rate of the score, its threshold",
            *(f"{number(s.score_eer, 4)}, {number(s.score_eer_threshold)}" for s in both),
        ),
        share("Same source, LR < 1 (95 % limit)", "misleading_same", "n_same", "misleading_same_limit"),
        share(
            "Different source, LR > 1 (95 % limit)", "misleading_different", "n_different", "misleading_different_limit"
        ),
        share(
            "Firearms with a misleading LR (95 % limit)",
            "misleading_firearms",
            "n_firearms",
            "misleading_firearms_limit",
        ),
        row("Bounds of the LR", *(f"{ratio(s.bounds.lower)} to {ratio(s.bounds.upper)}" for s in both)),
        row("Rule of the bounds", *(s.bounds.rule for s in both)),
        row("LRs at a bound", *(f"{int(s.cross.at_bound.sum())} of {len(s.cross.at_bound)}" for s in both)),
        row(
            "Outside the training part's range: no LR in casework", *(str(int((~s.cross.in_range).sum())) for s in both)
        ),
        row(
            "Source-disjoint fits", *(f"{s.cross.n_fits} ({s.cross.groups} groups, seed {s.cross.seed})" for s in both)
        ),
    ]


def firearm_rows(study: Study) -> list[tuple[str, ...]]:
    """Return the results of each firearm; those that fail come first."""
    return [
        (
            f.firearm,
            f"{f.misleading_same} of {f.n_same}",
            f"{f.misleading_different} of {f.n_different}",
            number(f.lowest_same, 2),
            number(f.highest_different, 2),
            "fails" if f.fails else "",
        )
        for f in study.firearms
    ]


def group_rows(study: Study) -> list[tuple[str, ...]]:
    """Return the results of each group of pairs that share a label."""
    return [_group(group) for group in study.groups]


def _group(group: GroupResult) -> tuple[str, ...]:
    sizes = (group.field, group.value, str(group.n_same), str(group.n_different))
    m = group.metrics
    if m is None:
        return (*sizes, "–", "–", "–")
    return (
        *sizes,
        number(m.cllr, 4),
        f"{m.misleading_same} of {m.n_same}",
        f"{m.misleading_different} of {m.n_different}",
    )


def repeatability_lines(study: ScanStudy) -> list[str]:
    """Return what repeated scans tell; says so when there are none."""
    pairs = study.repeat_pairs
    if not pairs:
        return [
            "The truth table states no cartridge case that was scanned twice (column case), so repeatability was not "
            "measured."
        ]
    alike = [(pair.similarity, pair.area_mm2) for pair in pairs if pair.similarity is not None and pair.area_mm2]
    lines = [
        f"{len(pairs)} pairs are two scans of one cartridge case. They are in no error rate: a case agrees with itself "
        "better than with another case of the same firearm."
    ]
    if alike:
        nats, area = min(alike, key=lambda pair: pair[0] / pair[1])
        lines.append(f"The least that a case agreed with itself: {nats:.0f} nats over {area:.2f} mm².")
    for name, one in studies(study).items():
        r = one.repeatability
        if r is not None:
            lines.append(
                f"Score {SCORE_NAMES[name]}: {r.n_comparisons} comparisons of {r.n_pairs} pairs of cases that "
                f"were compared more than once scatter by {number(r.score_deviation)} in the score and by "
                f"{number(r.log10_lr_deviation)} in log10 LR (pooled standard deviations)."
            )
    return lines


def left_out_rows(study: ScanStudy) -> list[tuple[str, str]]:
    """Return every scan that took part in no comparison, or could carry none, with the reason."""
    return [
        (scan.truth.scan, scan.left_out or f"insufficient: {scan.insufficient}")
        for scan in study.scored.scans
        if scan.left_out or scan.insufficient
    ]


def misleading_rows(study: ScanStudy) -> list[tuple[str, ...]]:
    """Return every pair whose LR misleads: scans, truth, score, log10 LR; the worst first."""
    one = study.headline
    table = one.population.table
    names = {scan.sha256: scan.truth.scan for scan in reversed(study.scored.scans)}
    rows = []
    for i, value in enumerate(one.cross.log10_lr.tolist()):
        same = bool(table.same_source[i])
        if (value < 0) if same else (value > 0):
            out_of = "" if table.area_mm2 is None else f" over {table.area_mm2[i]:.2f} mm²"
            kind = "same" if same else "different"
            scans = (names[table.scan_a[i]], names[table.scan_b[i]])
            rows.append((-abs(value), (*scans, kind, f"{table.score[i]:.4g}{out_of}", number(value, 2))))
    return [row for _, row in sorted(rows)]


def scan_rows(study: ScanStudy) -> list[tuple[str, ...]]:
    """Return every scan with firearm, labels, findings and hash."""
    return [
        (
            scan.truth.scan,
            scan.truth.firearm,
            scan.truth.item,
            ", ".join(f"{name}: {value}" for name, value in scan.truth.labels.items()),
            ", ".join(scan.findings),
            scan.sha256,
        )
        for scan in study.scored.scans
    ]


def method_rows(study: ScanStudy) -> list[tuple[str, str]]:
    """Return method, conditions and every parameter."""
    conditions = study.headline.population.conditions
    stated: Sequence[tuple[str, tuple[str, ...]]] = (
        ("Calibres", conditions.calibres),
        ("Ammunition", conditions.ammunition),
        ("Instrument classes", conditions.instrument_classes),
    )
    return [
        ("Mark", conditions.mark_kind),
        *((name, ", ".join(values) or "not stated") for name, values in stated),
        ("Method", conditions.method),
        ("Version of the method", conditions.version),
        *((name, plain(value)) for name, value in sorted(conditions.parameters.items())),
    ]


def model_rows(study: ScanStudy) -> list[tuple[str, str]]:
    """Return the LR models as fitted on the whole set: what casework would use."""
    return [
        (f"{SCORE_NAMES[name]}: {one.model}", plain(one.fitted.model.parameters()))
        for name, one in studies(study).items()
    ]


def hash_rows(study: ScanStudy) -> list[tuple[str, str]]:
    """Return the hashes that tie the report to its data."""
    return [
        ("truth table", study.truth_sha256),
        *((f"reference population, {SCORE_NAMES[name]}", one.population.hash) for name, one in studies(study).items()),
    ]


def plain(value: Any) -> str:
    """Return a parameter as a short text."""
    if isinstance(value, str):
        return value
    if value == {}:
        return "no parameters"
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
