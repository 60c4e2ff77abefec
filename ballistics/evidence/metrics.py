"""How well likelihood ratios discriminate and how well they are calibrated: Cllr and its relatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import beta, rankdata
from sklearn.isotonic import IsotonicRegression

from ballistics.errors import ParameterError
from ballistics.evidence.scores import Booleans, Floats, ScoreTable

_LN10 = float(np.log(10.0))


@dataclass(frozen=True)
class PavCurve:
    """The pool-adjacent-violators transform of a score: the best calibration the data allow.

    Parameters
    ----------
    score : ndarray, shape (m,)
        Distinct scores, ascending.
    log10_lr : ndarray, shape (m,)
        log10 LR after PAV at each; -inf or +inf where only one kind of pair occurs.
    same, different : ndarray, shape (m,)
        Number of same-source and different-source pairs at each score.
    """

    score: Floats
    log10_lr: Floats
    same: Floats
    different: Floats


@dataclass(frozen=True)
class Metrics:
    """Every figure of merit of a set of log10 LRs with known truth.

    Parameters
    ----------
    n_same, n_different, n_firearms : int
        Number of same-source pairs, different-source pairs and firearms.
    cllr, cllr_min, cllr_cal : float
        Log-LR cost in bits (0 perfect, 1 uninformative), its part due to discrimination, and
        its part due to calibration (the difference).
    dev_pav : float or None
        Mean distance in log10 units between the PAV curve and the identity; None when the two
        kinds of pair are fully separated, for which it is not defined.
    auc, eer : float
        Area under the ROC curve; equal error rate.
    misleading_same, misleading_different : int
        Same-source pairs with LR < 1; different-source pairs with LR > 1.
    misleading_same_rate, misleading_different_rate : float
        The same as rates.
    misleading_same_limit, misleading_different_limit : float
        Exact one-sided 95 % upper limits of the two rates, as if pairs were independent.
    misleading_firearms : int
        Firearms that have at least one misleading pair.
    misleading_firearms_limit : float
        Exact one-sided 95 % upper limit of the share of such firearms: the honest limit, since
        pairs that share a firearm are not independent.
    """

    n_same: int
    n_different: int
    n_firearms: int
    cllr: float
    cllr_min: float
    cllr_cal: float
    dev_pav: float | None
    auc: float
    eer: float
    misleading_same: int
    misleading_different: int
    misleading_same_rate: float
    misleading_different_rate: float
    misleading_same_limit: float
    misleading_different_limit: float
    misleading_firearms: int
    misleading_firearms_limit: float


def measure(log10_lr: Floats, table: ScoreTable) -> Metrics:
    """Return every metric of the log10 LRs of the comparisons in ``table`` (shape (n,))."""
    values, same = _checked(log10_lr, table.same_source)
    wrong = np.where(same, values < 0, values > 0)
    failing = {*np.array(table.firearm_a)[wrong], *np.array(table.firearm_b)[wrong]}
    n_same, n_different = int(same.sum()), int((~same).sum())
    low, high = int((wrong & same).sum()), int((wrong & ~same).sum())
    total, floor = cllr(values, same), cllr_min(values, same)
    return Metrics(
        n_same=n_same,
        n_different=n_different,
        n_firearms=len(table.firearms),
        cllr=total,
        cllr_min=floor,
        cllr_cal=total - floor,
        dev_pav=dev_pav(values, same),
        auc=auc(values, same),
        eer=equal_error_rate(values, same)[0],
        misleading_same=low,
        misleading_different=high,
        misleading_same_rate=low / n_same,
        misleading_different_rate=high / n_different,
        misleading_same_limit=error_upper_limit(low, n_same),
        misleading_different_limit=error_upper_limit(high, n_different),
        misleading_firearms=len(failing),
        misleading_firearms_limit=error_upper_limit(len(failing), len(table.firearms)),
    )


def cllr(log10_lr: ArrayLike, same_source: ArrayLike) -> float:
    """Return the log-likelihood-ratio cost in bits (Brümmer and du Preez 2006).

    ½ [mean over same-source of log2(1 + 1/LR) + mean over different-source of log2(1 + LR)].
    0 is perfect; 1 is what LR = 1 everywhere gets. Source: doi:10.1016/j.csl.2005.08.001.

    Examples
    --------
    >>> cllr([0.0, 0.0], [True, False])
    1.0
    """
    values, same = _checked(log10_lr, same_source)
    cost = np.logaddexp(0.0, np.where(same, -values, values) * _LN10) / np.log(2.0)
    return float((cost[same].mean() + cost[~same].mean()) / 2)


def cllr_min(score: ArrayLike, same_source: ArrayLike) -> float:
    """Return the Cllr after PAV: what discrimination alone costs. Any score will do, not only an LR."""
    values, same = _checked(score, same_source)
    curve = pav(values, same)
    return cllr_min_of_counts(curve.same, curve.different)


def cllr_min_of_counts(same: Floats, different: Floats) -> float:
    """Return Cllr_min from how many pairs of each kind have each distinct score (ascending; shape (m,), may be 0)."""
    used = same + different > 0
    same, different = same[used], different[used]
    log10_lr = _pav_of_counts(same, different)

    def mean_cost(number: Floats, towards: Floats) -> float:
        # Where there is no such pair, the cost is infinite and has weight 0.
        some = number > 0
        return float((number[some] * np.logaddexp(0.0, towards[some] * _LN10)).sum() / np.log(2.0) / number.sum())

    return (mean_cost(same, -log10_lr) + mean_cost(different, log10_lr)) / 2


def pav(score: ArrayLike, same_source: ArrayLike) -> PavCurve:
    """Return the PAV transform of a score to log10 LR (isotonic regression; equal scores are pooled)."""
    values, same = _checked(score, same_source)
    distinct, index = np.unique(values, return_inverse=True)
    n_same = np.bincount(index, same).astype(np.float64)
    n_different = np.bincount(index, ~same).astype(np.float64)
    return PavCurve(distinct, _pav_of_counts(n_same, n_different), n_same, n_different)


def _pav_of_counts(same: Floats, different: Floats) -> Floats:
    """Return log10 LR after PAV at each of some ascending scores, from the pairs of each kind there (not both 0)."""
    number = same + different
    # On ranks, so that infinite scores keep their order.
    share = IsotonicRegression(y_min=0, y_max=1).fit_transform(
        np.arange(len(number)), same / number, sample_weight=number
    )
    with np.errstate(divide="ignore"):
        return np.asarray(np.log10(share) - np.log10(1 - share) - np.log10(same.sum() / different.sum()))


def dev_pav(log10_lr: ArrayLike, same_source: ArrayLike) -> float | None:
    """Return the mean vertical distance between PAV curve and identity, in log10 units.

    Over the range of LRs whose PAV value is finite (Vergeer et al. 2021,
    doi:10.1016/j.forsciint.2021.110722). None when no PAV value is finite (full separation).
    """
    values, same = _checked(log10_lr, same_source)
    curve = pav(values, same)
    finite = np.isfinite(curve.log10_lr) & np.isfinite(curve.score)
    if not finite.any():
        return None
    x, off = curve.score[finite], (curve.log10_lr - curve.score)[finite]
    if len(x) == 1:
        return float(abs(off[0]))
    left, right = np.abs(off[:-1]), np.abs(off[1:])
    total = left + right
    crosses = off[:-1] * off[1:] < 0
    # Where the curve crosses the identity the distance is two triangles instead of a trapezium.
    triangles = (left**2 + right**2) / np.where(total > 0, total, 1.0) / 2
    area = np.diff(x) * np.where(crosses, triangles, total / 2)
    return float(area.sum() / (x[-1] - x[0]))


def auc(score: ArrayLike, same_source: ArrayLike) -> float:
    """Return the probability that a same-source pair outscores a different-source one, ties counting half."""
    values, same = _checked(score, same_source)
    n_same, n_different = int(same.sum()), int((~same).sum())
    rank_sum = float(rankdata(values)[same].sum())
    return (rank_sum - n_same * (n_same + 1) / 2) / (n_same * n_different)


def auc_of_counts(same: Floats, different: Floats) -> float:
    """Return the AUC from how many pairs of each kind have each distinct score (ascending; shape (m,))."""
    below = np.cumsum(different) - different
    return float((same * (below + different / 2)).sum() / (same.sum() * different.sum()))


def roc(score: ArrayLike, same_source: ArrayLike) -> tuple[Floats, Floats]:
    """Return false-positive and true-positive rates at every threshold, from (0, 0) to (1, 1)."""
    values, same = _checked(score, same_source)
    distinct, index = np.unique(-values, return_inverse=True)
    hits = np.bincount(index, same, minlength=len(distinct)).cumsum()
    false = np.bincount(index, ~same, minlength=len(distinct)).cumsum()
    return np.r_[0.0, false / false[-1]], np.r_[0.0, hits / hits[-1]]


def equal_error_rate(score: ArrayLike, same_source: ArrayLike) -> tuple[float, float]:
    """Return the equal error rate and its threshold.

    At the threshold (score at or above it: same source) where the two error rates differ least
    among the observed scores, the rate is their mean.

    Examples
    --------
    >>> equal_error_rate([1, 2, 3, 4, 3, 5, 6, 7], [False] * 4 + [True] * 4)
    (0.25, 4.0)

    Scores that tell nothing have a threshold too:

    >>> equal_error_rate([2, 2, 2], [True, False, False])
    (0.5, 2.0)
    """
    values, same = _checked(score, same_source)
    # Above all scores both rates differ as much as at the lowest: that point is never the only best.
    false, hits = (points[1:] for points in roc(values, same))
    thresholds = np.unique(values)[::-1]
    difference, mean = np.abs(1 - hits - false), (1 - hits + false) / 2
    best = int(np.lexsort([mean, difference])[0])
    return float(mean[best]), float(thresholds[best])


def empirical_cross_entropy(log10_lr: ArrayLike, same_source: ArrayLike, log10_prior_odds: ArrayLike) -> Floats:
    """Return the empirical cross-entropy in bits at each prior (Ramos et al. 2013).

    At prior odds 1 it equals Cllr. Source: doi:10.1016/j.forsciint.2013.04.014.

    Parameters
    ----------
    log10_lr : array_like, shape (n,)
        log10 of the likelihood ratio of each comparison.
    same_source : array_like of bool, shape (n,)
        Truth of each comparison; both kinds must be there.
    log10_prior_odds : array_like, shape (m,)
        log10 of the prior odds of same source to different source.

    Returns
    -------
    ndarray of float64, shape (m,)

    Raises
    ------
    ParameterError
        For a missing value, lengths that differ, or when one kind of pair is absent.
    """
    values, same = _checked(log10_lr, same_source)
    odds = np.atleast_1d(np.asarray(log10_prior_odds, dtype=np.float64)) * _LN10
    prior = 1 / (1 + np.exp(-odds))
    posterior = values * _LN10 + odds[:, None]
    cost = np.logaddexp(0.0, np.where(same, -posterior, posterior)) / np.log(2.0)
    return np.asarray(prior * cost[:, same].mean(axis=1) + (1 - prior) * cost[:, ~same].mean(axis=1))


def error_upper_limit(errors: int, trials: int, confidence: float = 0.95) -> float:
    """Return the exact one-sided upper limit of an error rate (Clopper and Pearson 1934).

    Source: doi:10.1093/biomet/26.4.404.

    Parameters
    ----------
    errors : int
        Wrong decisions seen, 0 to ``trials``.
    trials : int
        Independent decisions, at least 1.
    confidence : float
        Between 0 and 1: in at least this share of all series of trials the limit lies above the true rate.

    Returns
    -------
    float
        Error rate, 0 to 1.

    Raises
    ------
    ParameterError
        Without a trial, or for more errors than trials.

    Examples
    --------
    >>> round(error_upper_limit(0, 717), 4), round(error_upper_limit(0, 63), 3)
    (0.0042, 0.046)
    """
    if not 0 <= errors <= trials or trials < 1:
        raise ParameterError(f"{errors} errors in {trials} trials: give at least one trial, no more errors")
    return 1.0 if errors == trials else float(beta.ppf(confidence, errors + 1, trials - errors))


def _checked(score: ArrayLike, same_source: ArrayLike) -> tuple[Floats, Booleans]:
    values = np.asarray(score, dtype=np.float64).reshape(-1)
    same = np.asarray(same_source, dtype=np.bool_).reshape(-1)
    if len(values) != len(same):
        raise ParameterError(f"{len(values)} scores but {len(same)} truths: give one per comparison")
    if np.isnan(values).any():
        raise ParameterError("a score is missing (NaN): leave out comparisons without a result")
    if same.all() or not same.any():
        raise ParameterError("metrics need same-source and different-source pairs; one of the two is absent")
    return values, same
