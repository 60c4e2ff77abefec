"""The figures of a study of scans by the names that acceptance criteria use, and the verdicts on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ballistics.evidence import Limits, Study, error_upper_limit
from ballistics.studies.criteria import Acceptance, Criteria, Figure, judge
from ballistics.studies.scan_study import ScanStudy


def with_verdicts(study: ScanStudy, criteria: Criteria, finished_pairs: int) -> ScanStudy:
    """Return the study with what became of the criteria.

    Parameters
    ----------
    study : ScanStudy
        What was measured.
    criteria : Criteria
        From `ballistics.studies.criteria.read_criteria`.
    finished_pairs : int
        From `ballistics.studies.criteria.results_when_first_given`, asked before the comparisons.
    """
    return replace(study, acceptance=Acceptance(criteria, finished_pairs, judge(criteria, measured_figures(study))))


def measured_figures(study: ScanStudy) -> dict[tuple[str, str], Figure]:
    """Return every figure that a criterion can name, by (figure, score)."""
    figures = {(name, ""): figure for name, figure in _of_the_set(study).items()}
    for score, score_study in study.studies.items():
        figures |= {(name, score): figure for name, figure in _of_a_score(score_study).items()}
    return figures


def largest_misleading_lr(study: Study) -> float:
    """Return how strongly the worst LR misleads, as a factor of at least 1; 1 when none misleads."""
    wrong = np.where(study.population.table.same_source, -study.cross.log10_lr, study.cross.log10_lr)
    return float(10.0 ** max(0.0, wrong.max()))


def _of_a_score(study: Study) -> dict[str, Figure]:
    m, limits = study.metrics, study.intervals
    repeated = study.repeatability
    return {
        "Cllr": _figure(m.cllr, limits.cllr),
        "Cllr_min": _figure(m.cllr_min, limits.cllr_min),
        "Cllr_cal": Figure(m.cllr_cal),
        "AUC": _figure(study.score_auc, limits.score_auc),
        "AUC of the LR": _figure(m.auc, limits.auc),
        "equal error rate": Figure(m.eer),
        "misleading same-source pairs": _figure(m.misleading_same_rate, limits.misleading_same_rate),
        "misleading different-source pairs": _figure(m.misleading_different_rate, limits.misleading_different_rate),
        "misleading firearms": _share(m.misleading_firearms, m.n_firearms),
        "largest misleading LR": Figure(largest_misleading_lr(study)),
        "repeatability of log10 LR": Figure(None, reason="no two cartridge cases were compared more than once")
        if repeated is None
        else Figure(repeated.log10_lr_deviation),
    }


def _of_the_set(study: ScanStudy) -> dict[str, Figure]:
    both = [study.outcomes(same_source) for same_source in (True, False)]
    pairs = sum(outcome.pairs for outcome in both)
    scans = study.scored.scans
    m = study.headline.metrics
    return {
        "insufficient pairs": _share(sum(outcome.insufficient for outcome in both), pairs),
        "withheld pairs": _share(sum(outcome.withheld for outcome in both), pairs),
        "scans left out": _share(sum(bool(scan.left_out) for scan in scans), len(scans)),
        "firearms": Figure(m.n_firearms),
        "same-source pairs": Figure(m.n_same),
        "different-source pairs": Figure(m.n_different),
    }


def _figure(value: float, limits: Limits) -> Figure:
    return Figure(value, limits.low, limits.high, limits.reason)


def _share(number: int, of: int) -> Figure:
    """Return a share with exact one-sided limits."""
    low = 1 - error_upper_limit(of - number, of)
    return Figure(number / of, low, error_upper_limit(number, of))
