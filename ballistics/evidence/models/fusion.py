"""Several marks of one pair of items: their LRs fused into one, with the dependence checked."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression

from ballistics.errors import ParameterError
from ballistics.evidence.metrics import cllr
from ballistics.evidence.models.bounds import Bounds, elub, sample_size_bounds, tightest
from ballistics.evidence.models.uncertainty import resampled_weights
from ballistics.evidence.scores import Booleans, Floats, ScoreTable

_LN10 = float(np.log(10.0))

ASSUMPTION = (
    "The fused log LR is a constant plus a weighted sum of the log LRs of the marks. The marks may depend on "
    "each other, as long as they do so in the case as in the reference pairs, and as long as the weight of one "
    "mark does not change with what another shows."
)


@dataclass(frozen=True)
class Fusion:
    """Logistic regression of truth on the log LRs of several marks.

    Parameters
    ----------
    marks : tuple of str
        The marks, in the order of the columns.
    intercept : float
        In log10 LR.
    weights : tuple of float
        Of each mark's log10 LR; 1 for all and intercept 0 would be the product of the LRs, which
        takes the marks for independent. Never negative.
    bounds : Bounds
        On the fused LR, from the same pairs.
    """

    marks: tuple[str, ...]
    intercept: float
    weights: tuple[float, ...]
    bounds: Bounds

    def log10_lr(self, log10_lrs: Floats) -> Floats:
        """Return the bounded fused log10 LR of each row of ``log10_lrs`` (shape (n, marks)), shape (n,)."""
        values = _columns(log10_lrs, self.marks)
        return self.bounds.clip(self.intercept + values @ np.array(self.weights))


@dataclass(frozen=True)
class MarkDependence:
    """Rank correlation of the LRs of two marks, among pairs of one kind.

    Parameters
    ----------
    marks : tuple of str
        The two marks.
    same_source : bool
        Among which pairs.
    correlation : float
        Spearman's rank correlation; 0 when independent.
    interval : tuple of float or None
        5 % and 95 % limits over bootstrap samples of the firearms.
    n : int
        Number of pairs.
    """

    marks: tuple[str, str]
    same_source: bool
    correlation: float
    interval: tuple[float, float] | None
    n: int


@dataclass(frozen=True)
class FusionCheck:
    """Whether the pairs support what the fusion assumes.

    Parameters
    ----------
    assumption : str
        What is assumed.
    dependences : tuple of MarkDependence
        Of every two marks, among same-source and among different-source pairs.
    cllr_single : tuple of float
        Cllr in bits of each mark alone.
    cllr_product : float
        Cllr of the product of the LRs, as if the marks were independent.
    cllr_fused : float
        Cllr of the fusion, before bounds.
    cllr_interacting : float
        The same with products of two marks' log LRs added: what giving up additivity would gain.
    """

    assumption: str
    dependences: tuple[MarkDependence, ...]
    cllr_single: tuple[float, ...]
    cllr_product: float
    cllr_fused: float
    cllr_interacting: float


def fit_fusion(log10_lrs: Floats, table: ScoreTable, marks: tuple[str, ...]) -> Fusion:
    """Fit the fusion on pairs with known truth for which every mark has an LR.

    Parameters
    ----------
    log10_lrs : ndarray, shape (n, marks)
        log10 LR of each mark, finite; best from source-disjoint cross-validation.
    table : ScoreTable
        The pairs; only truth and firearms are used.
    marks : tuple of str
        Names of the columns.

    Raises
    ------
    ParameterError
        When shapes disagree, a value is missing, or one kind of pair is absent.
    """
    values, same = _columns(log10_lrs, marks), table.same_source
    intercept, weights = _fit(values, same)
    fused = intercept + values @ weights
    n_same, n_different = int(same.sum()), int((~same).sum())
    bounds = tightest(elub(fused, same), sample_size_bounds(n_same, n_different))
    return Fusion(marks, intercept, tuple(weights.tolist()), bounds)


def check_fusion(
    log10_lrs: Floats, table: ScoreTable, marks: tuple[str, ...], draws: int = 500, seed: int = 1
) -> FusionCheck:
    """Test on the reference pairs what `fit_fusion` assumes.

    Parameters
    ----------
    log10_lrs : ndarray, shape (n, marks)
        log10 LR of each mark, finite, as given to `fit_fusion`.
    table : ScoreTable
        The pairs; only truth and firearms are used.
    marks : tuple of str
        Names of the columns.
    draws : int
        Bootstrap samples of the firearms, for the intervals; at least 1.
    seed : int
        Of the random numbers.

    Returns
    -------
    FusionCheck

    Raises
    ------
    ParameterError
        When shapes disagree, a value is missing, or one kind of pair is absent.
    """
    values, same = _columns(log10_lrs, marks), table.same_source
    weights = list(resampled_weights(table, draws, seed))
    dependences = tuple(
        _dependence(values[:, (i, j)], same == kind, (marks[i], marks[j]), kind, weights)
        for kind in (True, False)
        for i, j in combinations(range(len(marks)), 2)
    )
    intercept, slopes = _fit(values, same)
    products = np.column_stack([values, *(values[:, i] * values[:, j] for i, j in combinations(range(len(marks)), 2))])
    wide_intercept, wide_slopes = _fit(products, same, signed=True)
    return FusionCheck(
        ASSUMPTION,
        dependences,
        tuple(cllr(column, same) for column in values.T),
        cllr(values.sum(axis=1), same),
        cllr(intercept + values @ slopes, same),
        cllr(wide_intercept + products @ wide_slopes, same),
    )


def _columns(log10_lrs: Floats, marks: tuple[str, ...]) -> Floats:
    values = np.asarray(log10_lrs, dtype=np.float64)
    if values.ndim != 2 or values.shape[1] != len(marks):
        raise ParameterError(f"log10 LRs of shape {values.shape} do not fit {len(marks)} marks: one column per mark")
    if not np.isfinite(values).all():
        raise ParameterError("a mark has no finite LR for some pair: fuse only pairs with an LR for every mark")
    return values


def _fit(values: Floats, same: Booleans, signed: bool = False) -> tuple[float, Floats]:
    """Return intercept and weights in log10 LR. Unless ``signed``, marks with a negative weight are dropped.

    A negative weight would let stronger support from one mark weaken the whole.
    """
    n_same, n_different = int(same.sum()), int((~same).sum())
    if not n_same or not n_different:
        raise ParameterError(f"{n_same} same-source and {n_different} different-source pairs: fusion needs both kinds")
    # Rows in a fixed order, so that the order they came in does not matter even in the last bit.
    order = np.lexsort([*values.T, same])
    values, same = values[order], same[order]
    weight = np.where(same, len(same) / (2 * n_same), len(same) / (2 * n_different))
    used = np.ones(values.shape[1], dtype=np.bool_)
    slopes = np.zeros(values.shape[1])
    while used.any():
        model = LogisticRegression(C=1.0, tol=1e-10, max_iter=5000)
        model.fit(values[:, used] * _LN10, same, sample_weight=weight)
        found = model.coef_[0]
        if signed or found.min() >= 0:
            slopes[used] = found
            return float(model.intercept_[0]) / _LN10, slopes
        used[np.flatnonzero(used)[np.argmin(found)]] = False
    return 0.0, slopes


def _dependence(
    values: Floats, chosen: Booleans, marks: tuple[str, str], kind: bool, weights: list[Floats]
) -> MarkDependence:
    pairs = values[chosen]
    found = _rank_correlation(pairs)
    sample = [_rank_correlation(np.repeat(pairs, weight[chosen].astype(np.int64), axis=0)) for weight in weights]
    low_high = None
    if sample:
        low, high = np.percentile(sample, [5, 95])
        low_high = float(low), float(high)
    return MarkDependence(marks, kind, found, low_high, len(pairs))


def _rank_correlation(pairs: Floats) -> float:
    """Return Spearman's rank correlation; 0 when one of the two does not vary."""
    ranks = np.column_stack([rankdata(column) for column in pairs.T])
    ranks = ranks - ranks.mean(axis=0)
    scale = float(np.sqrt((ranks[:, 0] @ ranks[:, 0]) * (ranks[:, 1] @ ranks[:, 1])))
    return float(ranks[:, 0] @ ranks[:, 1]) / scale if scale > 0 else 0.0
