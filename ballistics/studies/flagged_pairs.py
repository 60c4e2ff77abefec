"""Pairs with a serious finding: shown apart, and the figures of a study with and without them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from ballistics.evidence import (
    Booleans,
    Floats,
    Metrics,
    ScoreTable,
    Study,
    fit_with_bounds,
    measure,
    source_disjoint_folds,
    withholding,
)
from ballistics.studies.scan_pairs import ScannedPair, ScoredScans


@dataclass(frozen=True)
class FlaggedPair:
    """A pair with a serious finding.

    Parameters
    ----------
    pair : ScannedPair
        The two scans and their scores.
    same_source : bool
        The truth.
    codes : tuple of str
        The serious findings.
    log10_lr : float or None
        The source-disjoint LR of the headline score; for a withheld pair the one that would have been stated. None when
        too few other firearms are left.
    """

    pair: ScannedPair
    same_source: bool
    codes: tuple[str, ...]
    log10_lr: float | None

    @property
    def misleads(self) -> bool:
        """Whether the LR points to the wrong proposition."""
        return self.log10_lr is not None and (self.log10_lr < 0 if self.same_source else self.log10_lr > 0)


@dataclass(frozen=True)
class FlaggedPairs:
    """All pairs with a serious finding, and what they change.

    Parameters
    ----------
    withheld : tuple of FlaggedPair
        Pairs for which casework states no LR, e.g. one of two scans is mirrored: not part of the study's figures.
    serious : tuple of FlaggedPair
        Pairs with another serious finding of their comparison: part of the study's figures.
    with_withheld : Metrics or None
        The figures if LRs had been stated for the withheld pairs too; None when there are none.
    without_serious : Metrics or None
        The figures of the pairs without a serious finding; None when there are none with one, or only one kind is left.
    """

    withheld: tuple[FlaggedPair, ...]
    serious: tuple[FlaggedPair, ...]
    with_withheld: Metrics | None
    without_serious: Metrics | None

    def to_dict(self, scored: ScoredScans) -> dict[str, Any]:
        """Return all of it in plain values."""

        def plain(flagged: FlaggedPair) -> dict[str, Any]:
            return {
                "scan_a": scored.scans[flagged.pair.a].truth.scan,
                "scan_b": scored.scans[flagged.pair.b].truth.scan,
                "same_source": flagged.same_source,
                "findings": list(flagged.codes),
                "log10_lr": flagged.log10_lr,
                "misleads": flagged.misleads,
            }

        return {
            "withheld": [plain(flagged) for flagged in self.withheld],
            "serious": [plain(flagged) for flagged in self.serious],
            "metrics_with_withheld": asdict(self.with_withheld) if self.with_withheld else None,
            "metrics_without_serious": asdict(self.without_serious) if self.without_serious else None,
        }


def withheld_codes(scored: ScoredScans, pair: ScannedPair) -> tuple[str, ...]:
    """Return the findings of a pair and its scans for which casework states no LR."""
    return withholding((*pair.findings, *scored.scans[pair.a].findings, *scored.scans[pair.b].findings))


def flagged_pairs(scored: ScoredScans, study: Study, withheld_table: ScoreTable | None) -> FlaggedPairs:
    """Return the pairs with a serious finding, and the figures with and without them.

    Parameters
    ----------
    scored : ScoredScans
        All scans and pairs.
    study : Study
        Of the headline score, without the withheld pairs.
    withheld_table : ScoreTable or None
        The scores of the withheld pairs; None when there are none.
    """
    would = {} if withheld_table is None else _lr_of_withheld(study, withheld_table)
    withheld, serious = [], []
    for pair in scored.pairs:
        if pair.without_score or scored.repeats(pair):
            continue
        key = frozenset((scored.scans[pair.a].sha256, scored.scans[pair.b].sha256))
        same_source = len({*scored.firearms(pair)}) == 1
        codes = withheld_codes(scored, pair)
        others = tuple(f.removeprefix("serious: ") for f in pair.findings if f.startswith("serious: "))
        if codes:
            withheld.append(FlaggedPair(pair, same_source, codes, would.get(key)))
        elif others:
            serious.append(FlaggedPair(pair, same_source, others, None))
    keys = [frozenset((scored.scans[entry.pair.a].sha256, scored.scans[entry.pair.b].sha256)) for entry in serious]
    flagged = frozenset(keys)
    own = _by_scans(study.population.table, study.cross.log10_lr, flagged)
    serious = [replace(entry, log10_lr=own.get(key)) for entry, key in zip(serious, keys, strict=True)]
    return FlaggedPairs(
        tuple(withheld),
        tuple(serious),
        _with(study, withheld_table, would),
        _without(study, flagged) if serious else None,
    )


def _by_scans(
    table: ScoreTable, log10_lr: Floats, wanted: frozenset[frozenset[str]] | None = None
) -> dict[frozenset[str], float]:
    """Return the LRs by the two scans; only of the wanted pairs, where a table may have millions."""
    scans = map(frozenset, zip(table.scan_a, table.scan_b, strict=True))
    return {key: float(log10_lr[row]) for row, key in enumerate(scans) if wanted is None or key in wanted}


def _joined(first: ScoreTable, second: ScoreTable) -> ScoreTable:
    both = (first, second)

    def column(values: Sequence[Any]) -> Any:
        return None if any(value is None for value in values) else np.concatenate(values)

    return ScoreTable.build(
        np.concatenate([table.score for table in both]),
        first.firearm_a + second.firearm_a,
        first.firearm_b + second.firearm_b,
        column([table.cells for table in both]),
        first.scan_a + second.scan_a,
        first.scan_b + second.scan_b,
        column([table.area_mm2 for table in both]),
        column([table.length_mm for table in both]),
    )


def _lr_of_withheld(study: Study, withheld: ScoreTable) -> dict[frozenset[str], float]:
    """Evaluate withheld pairs by systems fitted on other firearms, and on pairs that are not withheld."""
    clean = study.population.table
    table = _joined(clean, withheld)
    fitted_on: Booleans = np.arange(len(table)) < len(clean)
    found: dict[frozenset[str], float] = {}
    for train, test in source_disjoint_folds(table, study.cross.groups, study.cross.seed):
        chosen = test & ~fitted_on
        part = table.rows(train & fitted_on)
        if not chosen.any() or not len(part) or part.same_source.all() or not part.same_source.any():
            continue
        rest = table.rows(chosen)
        fitted = fit_with_bounds(part, study.model, draws=0, seed=study.cross.seed)
        found |= _by_scans(rest, fitted.log10_lr(rest.score, rest.extent))
    return found


def _with(study: Study, withheld: ScoreTable | None, would: Mapping[frozenset[str], float]) -> Metrics | None:
    if withheld is None:
        return None
    keys = [frozenset(scans) for scans in zip(withheld.scan_a, withheld.scan_b, strict=True)]
    known = np.array([key in would for key in keys], np.bool_)
    if not known.any():
        return None
    values = np.array([would[key] for key in keys if key in would])
    table = _joined(study.population.table, withheld.rows(known))
    return measure(np.concatenate([study.cross.log10_lr, values]), table)


def _without(study: Study, flagged: frozenset[frozenset[str]]) -> Metrics | None:
    table = study.population.table
    kept = np.array([frozenset(scans) not in flagged for scans in zip(table.scan_a, table.scan_b, strict=True)])
    rest = table.rows(kept)
    if not len(rest) or rest.same_source.all() or not rest.same_source.any():
        return None
    return measure(study.cross.log10_lr[kept], rest)
