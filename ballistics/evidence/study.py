"""A validation study from a table of comparisons: everything measured on firearms never seen in fitting."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ballistics.errors import ParameterError
from ballistics.evidence.crossvalidation import CrossValidated, cross_validate
from ballistics.evidence.lr_system import FittedModel, fit_with_bounds
from ballistics.evidence.metric_intervals import MetricIntervals, metric_intervals
from ballistics.evidence.metrics import Metrics, auc, equal_error_rate, measure
from ballistics.evidence.models.bounds import Bounds
from ballistics.evidence.population import ReferencePopulation
from ballistics.evidence.scores import Booleans, Floats, ScoreTable

_SCHEMA = "ballistics/validation-study/2"


@dataclass(frozen=True)
class FirearmResult:
    """How the comparisons of one firearm fared.

    Parameters
    ----------
    firearm : str
        Its name.
    n_same, n_different : int
        Comparisons it took part in.
    misleading_same, misleading_different : int
        Its same-source pairs with LR < 1, its different-source pairs with LR > 1.
    lowest_same, highest_different : float or None
        Most unfavourable log10 LR of each kind; None when it has none of that kind.
    """

    firearm: str
    n_same: int
    n_different: int
    misleading_same: int
    misleading_different: int
    lowest_same: float | None
    highest_different: float | None

    @property
    def fails(self) -> bool:
        """Whether any of its comparisons misleads."""
        return self.misleading_same + self.misleading_different > 0


@dataclass(frozen=True)
class GroupResult:
    """The metrics of the comparisons that share one label, e.g. one ammunition.

    Parameters
    ----------
    field, value : str
        E.g. "ammunition", "Geco".
    n_same, n_different : int
        Number of pairs.
    metrics : Metrics or None
        None when the group lacks one kind of pair.
    """

    field: str
    value: str
    n_same: int
    n_different: int
    metrics: Metrics | None


@dataclass(frozen=True)
class Repeatability:
    """How far results of the same two items, scanned again, scatter.

    Parameters
    ----------
    n_pairs : int
        Pairs of items that were compared more than once.
    n_comparisons : int
        Their comparisons.
    score_deviation, log10_lr_deviation : float
        Pooled within-pair standard deviation of the score and of log10 LR.
    """

    n_pairs: int
    n_comparisons: int
    score_deviation: float
    log10_lr_deviation: float


@dataclass(frozen=True)
class Study:
    """The results of a validation study.

    Parameters
    ----------
    population : ReferencePopulation
        The comparisons and what they stand for.
    model : str
        The LR model.
    cross : CrossValidated
        Bounded log10 LRs of ``population.table``, source-disjoint.
    metrics : Metrics
        Of those LRs.
    intervals : MetricIntervals
        Their limits, by a bootstrap over firearms.
    score_auc, score_eer, score_eer_threshold : float
        Of the raw score.
    fitted : FittedModel
        On the whole population: what casework would use.
    firearms : tuple of FirearmResult
        Those that fail first, then by their weakest comparison.
    groups : tuple of GroupResult
        By the labels that were given.
    repeatability : Repeatability or None
        When items were scanned more than once.
    """

    population: ReferencePopulation
    model: str
    cross: CrossValidated
    metrics: Metrics
    intervals: MetricIntervals
    score_auc: float
    score_eer: float
    score_eer_threshold: float
    fitted: FittedModel
    firearms: tuple[FirearmResult, ...]
    groups: tuple[GroupResult, ...] = field(default=())
    repeatability: Repeatability | None = None

    @property
    def bounds(self) -> Bounds:
        """The bounds that the whole population supports."""
        return self.fitted.bounds

    def to_json(self) -> bytes:
        """Return every result, pair by pair, as JSON; the same study gives the same bytes."""
        table = self.population.table
        content: dict[str, Any] = {
            "schema": _SCHEMA,
            "population": {
                "name": self.population.name,
                "source": self.population.source,
                "sha256": self.population.hash,
                "conditions": self.population.conditions.to_dict(),
            },
            "model": self.model,
            "fitted": self.fitted.model.parameters(),
            "bounds": asdict(self.bounds),
            "cross_validation": {
                "groups": self.cross.groups,
                "seed": self.cross.seed,
                "fits": self.cross.n_fits,
                "declined": int((~self.cross.in_range).sum()),
                "at_bound": int(self.cross.at_bound.sum()),
            },
            "metrics": asdict(self.metrics),
            "intervals": asdict(self.intervals),
            "score": {"auc": self.score_auc, "eer": self.score_eer, "eer_threshold": self.score_eer_threshold},
            "firearms": [asdict(firearm) for firearm in self.firearms],
            "groups": [asdict(group) for group in self.groups],
            "repeatability": asdict(self.repeatability) if self.repeatability else None,
            "comparisons": {
                "firearm_a": list(table.firearm_a),
                "firearm_b": list(table.firearm_b),
                "scan_a": list(table.scan_a),
                "scan_b": list(table.scan_b),
                "score": table.score.tolist(),
                "cells": None if table.cells is None else table.cells.tolist(),
                "area_mm2": None if table.area_mm2 is None else table.area_mm2.tolist(),
                **({} if table.length_mm is None else {"length_mm": table.length_mm.tolist()}),
                "log10_lr": self.cross.log10_lr.tolist(),
            },
        }
        return (json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1) + "\n").encode()


def run_study(
    population: ReferencePopulation,
    model: str,
    groups: int = 10,
    seed: int = 1,
    labels: Mapping[str, Mapping[str, str]] | None = None,
    items: Mapping[str, str] | None = None,
) -> Study:
    """Measure everything about one method on one set of comparisons.

    Parameters
    ----------
    population : ReferencePopulation
        The comparisons, with at least 4 firearms.
    model : str
        A name of `ballistics.evidence.models.score_models.MODELS`.
    groups, seed : int
        Of the source-disjoint cross-validation.
    labels : mapping of field to mapping of scan to value, optional
        E.g. ``{"ammunition": {scan: "Geco", …}}``: results are also given for each value (a pair
        of two values stands under both, joined by " / "). Needs a population with scans.
    items : mapping of scan to item, optional
        Scans of one item are repeats: results scatter within such pairs tell the repeatability.

    Returns
    -------
    Study

    Raises
    ------
    ParameterError
        For an insufficient population, too few firearms, or labels that do not name every scan.
    """
    if population.insufficient:
        raise ParameterError(population.insufficient)
    table = population.table
    cross = cross_validate(table, model, groups, seed)
    eer, threshold = equal_error_rate(table.score, table.same_source)
    return Study(
        population=population,
        model=model,
        cross=cross,
        metrics=measure(cross.log10_lr, table),
        intervals=metric_intervals(cross.log10_lr, table, seed=seed),
        score_auc=auc(table.score, table.same_source),
        score_eer=eer,
        score_eer_threshold=threshold,
        fitted=fit_with_bounds(table, model, draws=0, seed=seed),
        firearms=_by_firearm(cross.log10_lr, table),
        groups=tuple(
            result
            for name, values in (labels or {}).items()
            for result in _by_label(name, values, cross.log10_lr, table)
        ),
        repeatability=_repeatability(cross.log10_lr, table, items) if items else None,
    )


def _by_firearm(log10_lr: Floats, table: ScoreTable) -> tuple[FirearmResult, ...]:
    first, second = table.firearm_indices
    same = table.same_source
    results = []
    for i, name in enumerate(table.firearms):
        own = (first == i) | (second == i)
        within, between = log10_lr[own & same], log10_lr[own & ~same]
        results.append(
            FirearmResult(
                name,
                len(within),
                len(between),
                int((within < 0).sum()),
                int((between > 0).sum()),
                float(within.min()) if len(within) else None,
                float(between.max()) if len(between) else None,
            )
        )
    return tuple(sorted(results, key=_weakness))


def _weakness(result: FirearmResult) -> tuple[int, float, str]:
    """Sort key: most misleading comparisons first, then the weakest margin."""
    margins = []
    if result.lowest_same is not None:
        margins.append(result.lowest_same)
    if result.highest_different is not None:
        margins.append(-result.highest_different)
    return -(result.misleading_same + result.misleading_different), min(margins, default=0.0), result.firearm


def _by_label(name: str, values: Mapping[str, str], log10_lr: Floats, table: ScoreTable) -> list[GroupResult]:
    first, second = _lookup(values, table.scan_a, name), _lookup(values, table.scan_b, name)
    if not first:
        raise ParameterError(f"results by {name} need a population that names its scans")
    joined = np.array([a if a == b else " / ".join(sorted((a, b))) for a, b in zip(first, second, strict=True)])
    results = []
    for value in sorted(set(joined.tolist())):
        chosen: Booleans = joined == value
        part = table.rows(chosen)
        n_same = int(part.same_source.sum())
        complete = 0 < n_same < len(part)
        metrics = measure(log10_lr[chosen], part) if complete else None
        results.append(GroupResult(name, value, n_same, len(part) - n_same, metrics))
    return results


def _repeatability(log10_lr: Floats, table: ScoreTable, items: Mapping[str, str]) -> Repeatability | None:
    """Return the scatter of repeated comparisons; None when no pair of items was compared twice."""
    first, second = _lookup(items, table.scan_a, "item"), _lookup(items, table.scan_b, "item")
    pairs: dict[tuple[str, ...], list[int]] = {}
    for row, pair in enumerate(zip(first, second, strict=True)):
        # Two scans of one item are a repeat of the item, not a comparison of two.
        if pair[0] != pair[1]:
            pairs.setdefault(tuple(sorted(pair)), []).append(row)
    repeated = [np.array(rows) for rows in pairs.values() if len(rows) > 1]
    if not repeated:
        return None
    n = sum(len(rows) for rows in repeated)
    freedom = n - len(repeated)

    def pooled(values: Floats) -> float:
        return float(np.sqrt(sum(float(((values[r] - values[r].mean()) ** 2).sum()) for r in repeated) / freedom))

    return Repeatability(len(repeated), n, pooled(table.score), pooled(log10_lr))


def _lookup(values: Mapping[str, str], scans: Sequence[str], name: str) -> list[str]:
    absent = sorted(set(scans) - set(values))
    if absent:
        raise ParameterError(f"no {name} is given for scan '{absent[0]}' ({len(absent)} scans without)")
    return [values[scan] for scan in scans]
