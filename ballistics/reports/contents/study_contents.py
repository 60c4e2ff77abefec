"""The tables of a validation study, in the order and words in which HTML and PDF show them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from ballistics.evidence import GroupResult, Limits, Metrics, Score, Study
from ballistics.methods import BULLET, scored_as
from ballistics.reports.wording.study import number, percent, ratio, saying
from ballistics.studies import ScannedPair, ScanStudy, Verdict, largest_misleading_lr

FIGURE_TITLES = {
    "score densities": "Score densities",
    "roc": "ROC curve",
    "det": "DET curve",
    "tippett": "Tippett plot",
    "pav": "PAV plot",
    "empirical cross-entropy": "Empirical cross-entropy",
}
FIGURE_TEXTS = {
    "score densities": "Scores before any likelihood ratio. The less the two kinds overlap, the better they are told "
    "apart.",
    "roc": "ROC curve of the score: the share of each kind of pair at or above every threshold.",
    "det": "DET curve of the score: both error rates on the same scale. The grey margins stand for zero errors, which "
    "is no rate; the dotted lines are the highest rates that agree with it, as if pairs were independent.",
    "tippett": "Tippett plot: the share of pairs with at least a given LR. Misleading are same-source pairs left of "
    "0 and different-source pairs right of 0. Dotted, where in the picture: the bounds.",
    "pav": "The LRs against what the data themselves would give (PAV). On the diagonal they are calibrated.",
    "empirical cross-entropy": "Cost of the LRs at every prior. Between the two lower curves lies the cost of "
    "calibration; at prior odds 1 they are Cllr and Cllr_min.",
}

# A table on a page; study.json has all rows.
MOST_ROWS = 100


def studies(study: ScanStudy) -> Mapping[Score, Study]:
    """Return the study of each score by name, the headline first."""
    return study.studies


def metric_rows(study: ScanStudy) -> list[tuple[str, ...]]:
    """Return every metric: its name, then its value for each score, with limits where there are any."""
    each, say = tuple(studies(study).values()), saying(study.scored.mark_kind)

    def row(name: str, *values: str) -> tuple[str, ...]:
        return tuple(map(say, (name, *values)))

    def plain_values(name: str, field: str) -> tuple[str, ...]:
        return row(name, *(number(getattr(s.metrics, field), 4) for s in each))

    def with_limits(name: str, field: str) -> tuple[str, ...]:
        return row(name, *(f"{number(getattr(s.metrics, field), 4)} {span(getattr(s.intervals, field))}" for s in each))

    def share(name: str, kind: str, of: str) -> tuple[str, ...]:
        return row(
            name,
            *(
                f"{getattr(s.metrics, f'misleading_{kind}')} of {getattr(s.metrics, of)} "
                f"(at most {percent(getattr(s.metrics, f'misleading_{kind}_limit'))} by pairs, "
                f"{upper(getattr(s.intervals, f'misleading_{kind}_rate'))} by firearms)"
                for s in each
            ),
        )

    return [
        row("LR model", *(s.model for s in each)),
        row("Pairs: same source, different source", *(f"{s.metrics.n_same}, {s.metrics.n_different}" for s in each)),
        with_limits("Cllr (bit)", "cllr"),
        with_limits("Cllr_min (bit): discrimination", "cllr_min"),
        plain_values("Cllr_cal (bit): calibration", "cllr_cal"),
        row(
            "devPAV (log10)",
            *("not defined: fully separated" if s.metrics.dev_pav is None else number(s.metrics.dev_pav) for s in each),
        ),
        with_limits("AUC of the LR", "auc"),
        plain_values("Equal error rate of the LR", "eer"),
        row("AUC of the score", *(f"{number(s.score_auc, 4)} {span(s.intervals.score_auc)}" for s in each)),
        row(
            "Equal error rate of the score, its threshold",
            *(f"{number(s.score_eer, 4)}, {number(s.score_eer_threshold)}" for s in each),
        ),
        share("Same source, LR < 1", "same", "n_same"),
        share("Different source, LR > 1", "different", "n_different"),
        row(
            "Firearms with a misleading LR",
            *(
                f"{s.metrics.misleading_firearms} of {s.metrics.n_firearms} "
                f"(at most {percent(s.metrics.misleading_firearms_limit)})"
                for s in each
            ),
        ),
        row("Largest misleading LR", *(_largest(s) for s in each)),
        row("Bounds of the LR", *(f"{ratio(s.bounds.lower)} to {ratio(s.bounds.upper)}" for s in each)),
        row("Rule of the bounds", *(s.bounds.rule for s in each)),
        row("LRs at a bound", *(f"{int(s.cross.at_bound.sum())} of {len(s.cross.at_bound)}" for s in each)),
        row(
            "Outside the training part's range: no LR in casework", *(str(int((~s.cross.in_range).sum())) for s in each)
        ),
        row(
            "Source-disjoint fits", *(f"{s.cross.n_fits} ({s.cross.groups} groups, seed {s.cross.seed})" for s in each)
        ),
    ]


def _largest(study: Study) -> str:
    worst = largest_misleading_lr(study)
    return "none misleads" if worst <= 1 else ratio(math.log10(worst))


def span(limits: Limits) -> str:
    """Return the limits of a figure in brackets, or that there are none."""
    if limits.low is None or limits.high is None:
        return "(no limits)"
    return f"({number(limits.low, 4)} to {number(limits.high, 4)})"


def upper(limits: Limits) -> str:
    """Return the upper limit of a share."""
    return "unknown" if limits.high is None else percent(limits.high)


def limits_lines(study: ScanStudy) -> list[str]:
    """Return how the limits were computed, and what they do not tell."""
    intervals = study.headline.intervals
    lines = [
        f"In brackets and “by firearms”: one-sided 95 % limits from {intervals.used} resamples of the "
        f"{intervals.n_firearms} firearms with replacement (seed {intervals.seed}; bias-corrected percentiles, tail "
        "expanded as for a t-interval). "
        "Pairs that share a firearm are not independent, so firearms are resampled, never pairs; the LRs are not "
        "refitted. No limit of a share or of an AUC claims more than 0 failures in this number of firearms would allow "
        "(exact binomial): resamples of firearms without a failure cannot show how often other firearms fail. “By "
        "pairs”: exact binomial (Clopper–Pearson), as if pairs were independent."
    ]
    reasons = dict.fromkeys(
        f"No limits of {name}: {limits.reason}."
        for s in studies(study).values()
        for name, limits in (("Cllr", s.intervals.cllr), ("Cllr_min", s.intervals.cllr_min))
        if limits.reason
    )
    said = [*lines, *reasons, *(f"Caution: {caution}." for caution in intervals.cautions)]
    return list(map(saying(study.scored.mark_kind), said))


def acceptance_rows(study: ScanStudy) -> list[tuple[str, str, str, str]]:
    """Return every criterion: the verdict, the criterion in words, what was found, its limits."""
    if study.acceptance is None:
        return []
    return [_verdict_row(verdict) for verdict in study.acceptance.verdicts]


def _verdict_row(verdict: Verdict) -> tuple[str, str, str, str]:
    found = verdict.found
    limits = "–" if found.low is None or found.high is None else f"{found.low:.4g} to {found.high:.4g}"
    value = f"{found.value:.4g}" if found.value is not None else f"none: {found.reason}"
    if verdict.criterion.by == "limit" and limits == "–" and found.reason:
        limits = f"none: {found.reason}"
    return "met" if verdict.met else "NOT MET", verdict.criterion.text, value, limits


def acceptance_lines(study: ScanStudy) -> list[str]:
    """Return which criteria these are, and when they were first given."""
    acceptance = study.acceptance
    if acceptance is None:
        return []
    finished = acceptance.finished_pairs
    when = (
        "They were given before any pair was compared in this folder of work."
        if finished == 0
        else f"They were first given when {finished} pairs had already been compared in this folder of work."
    )
    return [f"{acceptance.criteria.name} (file {acceptance.criteria.file_name}). {when}"]


def flagged_metric_rows(study: ScanStudy) -> list[tuple[str, ...]]:
    """Return the headline's figures with and without the pairs that have a serious finding; none without such pairs."""
    flagged = study.flagged
    if not flagged.withheld and not flagged.serious:
        return []

    def row(name: str, m: Metrics | None) -> tuple[str, ...]:
        if m is None:
            return (name, *["–"] * 4)
        return (
            name,
            number(m.cllr, 4),
            number(m.auc, 4),
            f"{m.misleading_same} of {m.n_same}",
            f"{m.misleading_different} of {m.n_different}",
        )

    rows = [row("As casework would state them", study.headline.metrics)]
    if flagged.withheld:
        rows.append(row(f"With the {len(flagged.withheld)} withheld, had LRs been stated", flagged.with_withheld))
    if flagged.serious:
        rows.append(row(f"Without the {len(flagged.serious)} with another serious finding", flagged.without_serious))
    return rows


def serious_scans_line(study: ScanStudy) -> str:
    """Return how many scans that take part have a serious finding of their own, and which; empty when none has."""
    used = [scan for scan in study.scored.scans if not scan.left_out]
    codes = [{f for f in scan.findings if f.startswith("serious: ")} for scan in used]
    some = sum(bool(own) for own in codes)
    if not some:
        return ""
    names = ", ".join(sorted({f.removeprefix("serious: ") for own in codes for f in own}))
    return f"{some} of the {len(used)} scans have a serious finding of their own ({names}); see the list of scans."


def flagged_rows(study: ScanStudy) -> list[tuple[str, ...]]:
    """Return every pair with a serious finding: scans, truth, findings, similarity, log10 LR, what became of it."""
    scans = study.scored.scans
    both = (("withheld", study.flagged.withheld), ("counted", study.flagged.serious))
    rows: list[tuple[str, ...]] = [
        (
            scans[flagged.pair.a].truth.scan,
            scans[flagged.pair.b].truth.scan,
            "same" if flagged.same_source else "different",
            ", ".join(flagged.codes),
            "–" if flagged.pair.similarity is None else f"{flagged.pair.similarity:.0f}",
            number(flagged.log10_lr, 2),
            f"{state}; misleads" if flagged.misleads and state == "counted" else state,
        )
        for state, chosen in both
        for flagged in sorted(chosen, key=lambda flagged: (not flagged.same_source, flagged.pair.similarity or 0.0))
    ]
    return rows[:MOST_ROWS]


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
        if study.scored.mark_kind == BULLET:
            return ["Each bullet stands in the study once, so repeatability was not measured."]
        say = saying(study.scored.mark_kind)
        return [
            say(
                "The truth table states no cartridge case that was scanned twice (column case), so repeatability was "
                "not measured."
            )
        ]
    lines = [
        saying(study.scored.mark_kind)(
            f"{len(pairs)} pairs are two scans of one cartridge case. They are in no error rate: it agrees with itself "
            "better than with another of the same firearm."
        )
    ]
    for name, score_study in studies(study).items():
        r = score_study.repeatability
        if r is not None:
            lines.append(
                f"Score {score_names(study)[name]}: {r.n_comparisons} comparisons of {r.n_pairs} pairs of cases that "
                f"were compared more than once scatter by {number(r.score_deviation)} in the score and by "
                f"{number(r.log10_lr_deviation)} in log10 LR (pooled standard deviations)."
            )
    return lines


def repeat_columns(study: ScanStudy) -> tuple[str, ...]:
    """Return the headings of `repeat_rows`."""
    if scored_as(study.scored.mark_kind).family == "striated":
        scores = ("Similarity (nats)", "Nats per mm", "Congruent segments", "Correlation")
    else:
        scores = ("Similarity (nats)", "Nats per mm²", "Congruent cells", "ACCF")
    return ("Case", "Scans", *scores, "Without a score")


def score_names(study: ScanStudy) -> Mapping[Score, str]:
    """Return what each score of a study is called."""
    return scored_as(study.scored.mark_kind).score_names


def repeat_rows(study: ScanStudy) -> list[tuple[str, ...]]:
    """Return each case that was scanned more than once: scans, then lowest to highest of each score between them."""
    scans = study.scored.scans
    cases: dict[str, list[ScannedPair]] = {}
    for pair in study.repeat_pairs:
        cases.setdefault(scans[pair.a].truth.item, []).append(pair)
    rows: list[tuple[str, ...]] = []
    for item, pairs in sorted(cases.items()):
        number_of_scans = len({index for pair in pairs for index in (pair.a, pair.b)})
        rows.append(
            (
                item,
                str(number_of_scans),
                _range([pair.similarity for pair in pairs], ".0f"),
                _range(
                    [
                        pair.similarity / extent
                        if pair.similarity and (extent := pair.area_mm2 or pair.length_mm)
                        else None
                        for pair in pairs
                    ],
                    ".0f",
                ),
                _range([pair.count for pair in pairs], "d"),
                _range([pair.accf for pair in pairs], ".3f"),
                str(sum(bool(pair.without_score) for pair in pairs)),
            )
        )
    return rows[:MOST_ROWS]


def _range(values: Sequence[float | None], form: str) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    low, high = format(min(known), form), format(max(known), form)
    return low if low == high else f"{low} to {high}"


def left_out_rows(study: ScanStudy) -> list[tuple[str, str]]:
    """Return every scan that took part in no comparison, or could carry none, with the reason."""
    return [
        (scan.truth.scan, scan.left_out or f"insufficient: {scan.insufficient}")
        for scan in study.scored.scans
        if scan.left_out or scan.insufficient
    ]


def misleading_rows(study: ScanStudy) -> list[tuple[str, ...]]:
    """Return the pairs whose LR misleads: scans, truth, score, log10 LR; the worst first, `MOST_ROWS` at most."""
    headline = study.headline
    table = headline.population.table
    names = {scan.sha256: scan.truth.scan for scan in reversed(study.scored.scans)}
    rows = []
    for i, value in enumerate(headline.cross.log10_lr.tolist()):
        same = bool(table.same_source[i])
        if (value < 0) if same else (value > 0):
            out_of = "" if table.area_mm2 is None else f" over {table.area_mm2[i]:.2f} mm²"
            if table.length_mm is not None:
                out_of = f" over {table.length_mm[i]:.2f} mm"
            kind = "same" if same else "different"
            scans = (names[table.scan_a[i]], names[table.scan_b[i]])
            rows.append((-abs(value), (*scans, kind, f"{table.score[i]:.4g}{out_of}", number(value, 2))))
    return [row for _, row in sorted(rows)[:MOST_ROWS]]


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
        (f"{score_names(study)[name]}: {score_study.model}", plain(score_study.fitted.model.parameters()))
        for name, score_study in studies(study).items()
    ]


def hash_rows(study: ScanStudy) -> list[tuple[str, str]]:
    """Return the hashes that tie the report to its data."""
    return [
        ("truth table", study.truth_sha256),
        *(
            (f"reference population, {score_names(study)[name]}", score_study.population.hash)
            for name, score_study in studies(study).items()
        ),
    ]


def plain(value: Any) -> str:
    """Return a parameter as a short text."""
    if isinstance(value, str):
        return value
    if value == {}:
        return "no parameters"
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
