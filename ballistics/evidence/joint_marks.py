"""Several kinds of mark of one pair of cartridge cases: their likelihood ratios fused into one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ballistics.errors import ParameterError
from ballistics.evidence.crossvalidation import cross_validate
from ballistics.evidence.models.fusion import Fusion, FusionCheck, check_fusion, fit_fusion
from ballistics.evidence.scores import ScoreTable
from ballistics.evidence.weighing import Weighed

_SEED = 1
_DRAWS = 200


@dataclass(frozen=True)
class JointWeight:
    """The weight of several marks of one pair, taken together.

    Parameters
    ----------
    kinds : tuple of str
        The kinds of mark that are fused.
    log10_lr : float or None
        Bounded; None when there is no fusion.
    reason : str
        Why there is none; else empty.
    fusion : Fusion or None
        Weights and bounds.
    check : FusionCheck or None
        Whether the reference pairs support what the fusion assumes.
    n_same, n_different, n_firearms : int
        Reference pairs that have a likelihood ratio for every kind, and their firearms.
    """

    kinds: tuple[str, ...]
    log10_lr: float | None = None
    reason: str = ""
    fusion: Fusion | None = None
    check: FusionCheck | None = None
    n_same: int = 0
    n_different: int = 0
    n_firearms: int = 0


def weigh_together(weighed: Mapping[str, Weighed]) -> JointWeight:
    """Fuse the likelihood ratios of the kinds of mark that have one.

    The fusion is fitted on pairs of scans that stand in the reference population of every kind, by likelihood ratios
    that each system, fitted on other firearms, gives them: the dependence between the marks of one firearm is in them.

    Parameters
    ----------
    weighed : mapping of str to Weighed
        Kind of mark to its weight; kinds without a likelihood ratio take no part.

    Returns
    -------
    JointWeight
        Without a value, and with the reason, when fewer than two kinds have one, or their references share too little.
    """
    taking = {kind: answer for kind, answer in weighed.items() if answer.result.log10_lr is not None}
    kinds = tuple(taking)
    if len(kinds) < 2:
        return JointWeight(kinds, reason="fewer than two marks have a likelihood ratio of their own")
    tables = {kind: answer.system.population.table for kind, answer in taking.items()}
    places = {kind: _by_scans(table) for kind, table in tables.items()}
    shared = sorted(set.intersection(*(set(found) for found in places.values())), key=sorted)
    if not shared:
        return JointWeight(kinds, reason="the references of the marks have no pair of scans in common")
    parts = {kind: _rows(tables[kind], [places[kind][pair] for pair in shared]) for kind in kinds}
    first = parts[kinds[0]]
    if any(part.same_source.tolist() != first.same_source.tolist() for part in parts.values()):
        return JointWeight(kinds, reason="the references contradict each other on which scans are of one firearm")
    try:
        values = np.column_stack(
            [cross_validate(parts[kind], taking[kind].system.model, seed=_SEED).log10_lr for kind in kinds]
        )
        fusion = fit_fusion(values, first, kinds)
        check = check_fusion(values, first, kinds, _DRAWS, _SEED)
    except ParameterError as error:
        return JointWeight(kinds, reason=f"the pairs that the references share carry no fusion: {error}")
    case = np.array([[float(taking[kind].result.log10_lr or 0.0) for kind in kinds]])
    same = int(first.same_source.sum())
    return JointWeight(
        kinds,
        float(fusion.log10_lr(case)[0]),
        "",
        fusion,
        check,
        same,
        len(first) - same,
        len(first.firearms),
    )


def _by_scans(table: ScoreTable) -> dict[frozenset[str], int]:
    """Return the row of each pair of scans."""
    return {frozenset(pair): row for row, pair in enumerate(zip(table.scan_a, table.scan_b, strict=False))}


def _rows(table: ScoreTable, rows: list[int]) -> ScoreTable:
    """Return some rows in the order given."""
    chosen = [table.rows(np.arange(len(table)) == row) for row in rows]

    def column(name: str) -> list[float] | None:
        values = [getattr(part, name) for part in chosen]
        return None if values[0] is None else [value[0] for value in values]

    return ScoreTable.build(
        [float(part.score[0]) for part in chosen],
        [part.firearm_a[0] for part in chosen],
        [part.firearm_b[0] for part in chosen],
        None if (cells := column("cells")) is None else [int(n) for n in cells],
        [part.scan_a[0] for part in chosen],
        [part.scan_b[0] for part in chosen],
        column("area_mm2"),
        column("length_mm"),
    )
