"""Trials of likelihood ratios on pairs with known truth: what bounds alone leave, and whether fusion gains anything."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ballistics.evidence.crossvalidation import cross_validate, source_disjoint_folds
from ballistics.evidence.lr_system import fit_with_bounds
from ballistics.evidence.metrics import cllr
from ballistics.evidence.models.fusion import fit_fusion
from ballistics.evidence.scores import ScoreTable

GROUPS, SEED = 10, 1
_INNER_GROUPS = 5


def at_the_bounds(table: ScoreTable, model: str) -> float:
    """Return the Cllr if every LR stood at its right bound, the bounds of each fold's own training pairs."""
    values = np.zeros(len(table))
    for train, test in source_disjoint_folds(table, GROUPS, SEED):
        bounds = fit_with_bounds(table.rows(train), model, 0, SEED).bounds
        values[test] = np.where(table.same_source[test], bounds.upper, bounds.lower)
    return cllr(values, table.same_source)


def fused_and_first(tables: Sequence[ScoreTable], models: Sequence[str]) -> tuple[float, float]:
    """Return Cllr of several scores fused, and of the first alone, on the same folds, nested source-disjoint.

    In every fold the LRs of the training pairs are themselves source-disjoint, the fusion is fitted on them, and
    applied to the LRs that systems fitted on all training pairs give the test pairs. The tables hold the same pairs in
    the same order.
    """
    fused, first = np.zeros(len(tables[0])), np.zeros(len(tables[0]))
    both = list(zip(tables, models, strict=True))
    for train, test in source_disjoint_folds(tables[0], GROUPS, SEED):
        inner = [cross_validate(table.rows(train), model, _INNER_GROUPS, SEED).log10_lr for table, model in both]
        fusion = fit_fusion(np.column_stack(inner), tables[0].rows(train), tuple(models))
        systems = [fit_with_bounds(table.rows(train), model, 0, SEED) for table, model in both]
        rest = [table.rows(test) for table in tables]
        values = [system.log10_lr(r.score, r.extent) for system, r in zip(systems, rest, strict=True)]
        fused[test], first[test] = fusion.log10_lr(np.column_stack(values)), values[0]
    same = tables[0].same_source
    return cllr(fused, same), cllr(first, same)
