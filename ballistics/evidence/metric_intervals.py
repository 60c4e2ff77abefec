"""Confidence limits of the figures of a study, by a bootstrap over firearms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import norm
from scipy.stats import t as student_t

from ballistics.errors import ParameterError
from ballistics.evidence.metrics import auc, auc_of_counts, cllr, cllr_min, cllr_min_of_counts, error_upper_limit
from ballistics.evidence.models.uncertainty import resampled_weights
from ballistics.evidence.scores import Floats, Integers, ScoreTable

# Each limit is one-sided at 95 %, as the exact limits of `error_upper_limit` and those of a case's LR are.
_TAIL = 0.05
# Four firearms have only 35 different samples with replacement, too few for a 5 % limit; five have 126.
_FEWEST_FIREARMS = 5
_FEW_FIREARMS = 40

Basis = Literal["firearms resampled", "exact, by firearms", "none"]


@dataclass(frozen=True)
class Limits:
    """The lower and the upper 95 % limit of a figure, and what they rest on.

    Parameters
    ----------
    low, high : float or None
        None when the data cannot tell.
    basis : {"firearms resampled", "exact, by firearms", "none"}
        ``"exact, by firearms"``: on the unfavourable side the bootstrap limit was replaced by the exact binomial limit
        of 0 failures in this number of firearms, the best that can be claimed of a share or an AUC.
    reason : str
        Why there are none; empty when there are.
    """

    low: float | None
    high: float | None
    basis: Basis
    reason: str = ""


@dataclass(frozen=True)
class MetricIntervals:
    """Limits of the figures of one set of LRs with known truth.

    Parameters
    ----------
    cllr, cllr_min, auc, score_auc : Limits
        Of Cllr, its discrimination part, and the AUC of the LR and of the score.
    misleading_same_rate, misleading_different_rate : Limits
        Of the shares of same-source pairs with LR < 1 and of different-source pairs with LR > 1.
    n_firearms : int
        Firearms that were resampled.
    draws, used : int
        Resamples asked for; those that held both kinds of pair.
    seed : int
        Of the random numbers.
    cautions : tuple of str
        What the limits do not tell.
    """

    cllr: Limits
    cllr_min: Limits
    auc: Limits
    score_auc: Limits
    misleading_same_rate: Limits
    misleading_different_rate: Limits
    n_firearms: int
    draws: int
    used: int
    seed: int
    cautions: tuple[str, ...]


def metric_intervals(log10_lr: Floats, table: ScoreTable, draws: int = 1000, seed: int = 1) -> MetricIntervals:
    """Return the limits of every figure, by resampling the firearms.

    Pairs that share a firearm are not independent, so firearms are drawn with replacement, never pairs
    (`models.uncertainty.resampled_weights`). The LRs are not refitted: the firearms
    that they were measured on are resampled, not those that the LR system was fitted on.

    Parameters
    ----------
    log10_lr : ndarray, shape (n,)
        Finite log10 LR of each comparison.
    table : ScoreTable
        The comparisons.
    draws : int
        Resamples, at least 100.
    seed : int
        Of the random numbers.

    Raises
    ------
    ParameterError
        With fewer than 100 draws, or without one of the two kinds of pair.

    Notes
    -----
    Bootstrap over clusters (Davison and Hinkley 1997, doi:10.1017/CBO9780511802843, §3.8); bias-corrected percentiles
    (Efron 1987, doi:10.1080/01621459.1987.10478410) of an expanded tail (Hesterberg 2015,
    doi:10.1080/00031305.2015.1089789). With few clusters such limits are still too close (Cameron, Gelbach and Miller
    2008, doi:10.1162/rest.90.3.414), and ``cautions`` says so. In 120 simulated studies of firearms that differ
    much the true Cllr lay above its upper limit in 18 % (10 firearms) and 10 % (20) instead of 5 %; with plain
    percentiles in 22 % and 14 %. No limit of a share or of an AUC claims more than 0 failures in this number of
    firearms would allow.
    """
    if draws < 100:
        raise ParameterError(f"{draws} resamples: give at least 100, the limits are percentiles of them")
    same = table.same_source
    firearms = len(table.firearms)
    point = _point(log10_lr, table)
    sample: Floats = np.empty((0, len(point)))
    if firearms >= _FEWEST_FIREARMS:
        sample = np.array(list(_resampled(log10_lr, table, draws, seed))).reshape(-1, len(point))
    used = len(sample)
    reason = ""
    if firearms < _FEWEST_FIREARMS:
        reason = f"{firearms} firearms are too few to resample; {_FEWEST_FIREARMS} are needed"
    elif 2 * used < draws:
        reason = f"only {used} of {draws} resamples of the {firearms} firearms hold both kinds of pair"
    limits = [_limits(value, sample[:, i], firearms, reason) for i, value in enumerate(point)]
    first, _ = table.firearm_indices
    with_same = len(np.unique(first[same]))
    exact = {"auc": with_same, "score_auc": with_same, "same": with_same, "different": firearms}
    named = dict(zip(("cllr", "cllr_min", "auc", "score_auc", "same", "different"), limits, strict=True))
    for i, name in enumerate(named):
        if name in exact:
            named[name] = _no_closer(point[i], exact[name], named[name])
    if point[1] <= 0:
        named["cllr_min"] = Limits(None, None, "none", "the two kinds are separated completely: no resample shows less")
    misleads = bool((np.where(same, log10_lr < 0, log10_lr > 0)).any())
    return MetricIntervals(
        cllr=named["cllr"],
        cllr_min=named["cllr_min"],
        auc=named["auc"],
        score_auc=named["score_auc"],
        misleading_same_rate=named["same"],
        misleading_different_rate=named["different"],
        n_firearms=firearms,
        draws=draws,
        used=used,
        seed=seed,
        cautions=_cautions(firearms, reason, misleads),
    )


def _cautions(firearms: int, reason: str, misleads: bool) -> tuple[str, ...]:
    cautions = []
    if not reason and firearms < _FEW_FIREARMS:
        cautions.append(
            f"{firearms} firearms are few: the limits of Cllr and Cllr_min are closer to the value than they should be"
        )
    if not reason and not misleads:
        cautions.append(
            "no LR misleads among these pairs, so what a misleading one would cost is not in the limits of Cllr"
        )
    return tuple(cautions)


def _point(log10_lr: Floats, table: ScoreTable) -> Floats:
    same = table.same_source
    return np.array(
        [
            cllr(log10_lr, same),
            cllr_min(log10_lr, same),
            auc(log10_lr, same),
            auc(table.score, same),
            (log10_lr[same] < 0).mean(),
            (log10_lr[~same] > 0).mean(),
        ]
    )


def _resampled(log10_lr: Floats, table: ScoreTable, draws: int, seed: int) -> list[list[float]]:
    """Return the six figures of every resample that holds both kinds of pair."""
    same = table.same_source
    cost = np.logaddexp(0.0, np.where(same, -log10_lr, log10_lr) * np.log(10.0)) / np.log(2.0)
    wrong = np.where(same, log10_lr < 0, log10_lr > 0)
    of_lr, of_score = _ranked(log10_lr), _ranked(table.score)
    figures = []
    # Sums, not dot products: these would depend on how many threads the linear algebra has.
    for weight in resampled_weights(table, draws, seed):
        own, other = np.where(same, weight, 0.0), np.where(same, 0.0, weight)
        n_same, n_different = own.sum(), other.sum()
        lr_counts = _counts(of_lr, own), _counts(of_lr, other)
        score_counts = _counts(of_score, own), _counts(of_score, other)
        figures.append(
            [
                float(((own * cost).sum() / n_same + (other * cost).sum() / n_different) / 2),
                cllr_min_of_counts(*lr_counts),
                auc_of_counts(*lr_counts),
                auc_of_counts(*score_counts),
                float(own[wrong].sum() / n_same),
                float(other[wrong].sum() / n_different),
            ]
        )
    return figures


def _ranked(values: Floats) -> Integers:
    """Return the rank of each value among the distinct ones."""
    return np.unique(values, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _counts(rank: Integers, weight: Floats) -> Floats:
    return np.bincount(rank, weight, minlength=int(rank.max()) + 1).astype(np.float64)


def _limits(point: float, sample: Floats, firearms: int, reason: str) -> Limits:
    if reason:
        return Limits(None, None, "none", reason)
    # As a t-interval is wider than a normal one, and as its variance divides by n − 1.
    reach = float(student_t.ppf(1 - _TAIL, firearms - 1)) * float(np.sqrt(firearms / (firearms - 1)))
    # A resample of every firearm once is the set itself, up to the last digits of a sum.
    level = np.abs(sample - point) < 1e-12
    below = float(((sample < point) & ~level).mean() + level.mean() / 2)
    half = 0.5 / len(sample)
    bias = float(norm.ppf(min(max(below, half), 1 - half)))
    low, high = np.quantile(sample, norm.cdf([2 * bias - reach, 2 * bias + reach]))
    return Limits(min(float(low), float(point)), max(float(high), float(point)), "firearms resampled")


def _no_closer(point: float, firearms: int, found: Limits) -> Limits:
    """Widen the limits of a share to at least those of a perfect result: 0 failures in this number of firearms.

    If a share p of all firearms fails, a sample of n firearms shows no failure with probability (1 − p)ⁿ. A pair that
    fails makes its firearm fail, so the limit holds for pairs too. Resamples of a perfect set are all perfect, and
    resamples of a set with one failing pair hold no firearm that always fails: without this step a set with an error
    could get narrower limits than a perfect one.
    """
    if found.low is None and point not in (0.0, 1.0):
        return found
    low, high = (point, point) if found.low is None or found.high is None else (found.low, found.high)
    limit = error_upper_limit(0, firearms)
    exact = (point < 0.5 and high < limit) or (point >= 0.5 and low > 1 - limit)
    return Limits(min(low, 1 - limit), max(high, limit), "exact, by firearms" if exact else "firearms resampled")
