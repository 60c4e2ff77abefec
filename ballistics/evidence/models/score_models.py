"""From a score to log10 LR: count models, densities given an area, logistic regression, kernels, isotonic regression.

Every model is fitted on the distinct scores with their weights (`GroupedScores`), so that the
order of the reference rows cannot matter, and gives a finite log10 LR for every score.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from scipy.special import logsumexp
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from ballistics.errors import ParameterError
from ballistics.evidence.models.area_model import AreaRatio, LengthRatio
from ballistics.evidence.models.count_fitting import CountModel
from ballistics.evidence.models.count_models import (
    BetaBinomial,
    BetaCorrelatedBinomial,
    Binomial,
    CorrelatedBinomial,
)
from ballistics.evidence.scores import Extent, Floats, GroupedScores, ScoreTable, counts_of

_LN10 = float(np.log(10.0))


class RatioModel(Protocol):
    """A fitted model that turns scores, with how much was compared, into log10 LRs."""

    # Whether it takes counts with their N; whether its LR never falls with the score.
    counts: ClassVar[bool]
    monotone: ClassVar[bool]

    @property
    def references(self) -> tuple[str, ...]:
        """DOIs of the method."""
        ...

    def log10_lr(self, score: Floats, extent: Extent = None) -> Floats:
        """Return log10 LR of each score, shape (n,)."""
        ...

    def parameters(self) -> dict[str, Any]:
        """Return the fitted parameters by name."""
        ...


@dataclass(frozen=True)
class CountRatio:
    """LR of a count: same-source probability over different-source probability, at the pair's own N."""

    same: CountModel
    different: CountModel
    counts: ClassVar[bool] = True
    monotone: ClassVar[bool] = True

    @property
    def references(self) -> tuple[str, ...]:
        """DOIs of the two distributions."""
        return tuple(dict.fromkeys((*self.same.references, *self.different.references)))

    def log10_lr(self, score: Floats, extent: Extent = None) -> Floats:
        """Return log10 of P(k | same source, N) / P(k | different source, N), shape (n,)."""
        if extent is None:
            raise ParameterError("a count model needs each pair's own number of cells")
        k, n = np.asarray(score).astype(np.int64), np.asarray(extent).astype(np.int64)
        return (self.same.log_pmf(k, n) - self.different.log_pmf(k, n)) / _LN10

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of both distributions."""
        return {
            "same source": {"distribution": self.same.name} | asdict(self.same),  # type: ignore[call-overload]
            "different source": {"distribution": self.different.name} | asdict(self.different),  # type: ignore[call-overload]
        }


@dataclass(frozen=True)
class LogisticRatio:
    """Logistic regression of truth on the score, the two kinds of pair weighing the same.

    The log odds at equal priors are the log LR. The score is standardised and the slope carries
    scikit-learn's unit ridge penalty, so that full separation gives a finite slope. A score that
    runs the wrong way carries no information: its slope is held at zero, LR = 1.
    """

    centre: float
    scale: float
    intercept: float
    slope: float
    counts: ClassVar[bool] = False
    monotone: ClassVar[bool] = True
    references: ClassVar[tuple[str, ...]] = ("doi:10.1016/j.csl.2005.08.001",)

    @classmethod
    def fit(cls, grouped: GroupedScores) -> LogisticRatio:
        """Fit on distinct scores with weights."""
        same, different = balanced(grouped)
        both = same + different
        centre = float(both @ grouped.score / both.sum())
        spread = float(both @ (grouped.score - centre) ** 2 / both.sum())
        scale = float(np.sqrt(spread)) or 1.0
        x = ((grouped.score - centre) / scale)[:, None]
        model = LogisticRegression(C=1.0, tol=1e-10, max_iter=1000)
        model.fit(
            np.vstack([x, x]),
            np.r_[np.ones(len(x)), np.zeros(len(x))],
            sample_weight=np.r_[same, different],
        )
        slope = float(model.coef_[0, 0])
        # At slope zero and balanced classes the intercept is the log of equal odds.
        intercept = float(model.intercept_[0])
        return cls(centre, scale, intercept, slope) if slope > 0 else cls(centre, scale, 0.0, 0.0)

    def log10_lr(self, score: Floats, extent: Extent = None) -> Floats:
        """Return log10 LR, linear in the score and never falling, shape (n,)."""
        return (self.intercept + self.slope * (np.asarray(score) - self.centre) / self.scale) / _LN10

    def parameters(self) -> dict[str, Any]:
        """Return intercept and slope on the standardised score, with centre and scale."""
        return asdict(self)


@dataclass(frozen=True)
class KernelRatio:
    """Gaussian kernel densities of same-source and of different-source scores.

    Bandwidths by Silverman's rule, 0.9 min(sd, IQR/1.34) n^(-1/5), but at least the typical
    distance between distinct scores, so that ties do not make a spike. The LR need not rise with
    the score: beyond the reference scores it may fall back, where the range check declines.
    """

    score: Floats
    same: Floats
    different: Floats
    bandwidth_same: float
    bandwidth_different: float
    counts: ClassVar[bool] = False
    monotone: ClassVar[bool] = False
    references: ClassVar[tuple[str, ...]] = ("doi:10.1201/9781315140919",)

    @classmethod
    def fit(cls, grouped: GroupedScores) -> KernelRatio:
        """Fit on distinct scores with weights."""
        balanced(grouped)
        gap = np.diff(grouped.score)
        finest = float(np.median(gap)) if len(gap) else 1.0
        return cls(
            grouped.score,
            grouped.same,
            grouped.different,
            silverman_bandwidth(grouped.score, grouped.same, finest),
            silverman_bandwidth(grouped.score, grouped.different, finest),
        )

    def log10_lr(self, score: Floats, extent: Extent = None) -> Floats:
        """Return log10 of the ratio of the two densities, shape (n,)."""
        values = np.atleast_1d(np.asarray(score, dtype=np.float64))
        same = _log_density(values, self.score, self.same, self.bandwidth_same)
        different = _log_density(values, self.score, self.different, self.bandwidth_different)
        return (same - different) / _LN10

    def parameters(self) -> dict[str, Any]:
        """Return the two bandwidths, in units of the score."""
        return {
            "bandwidth same source": self.bandwidth_same,
            "bandwidth different source": self.bandwidth_different,
        }


@dataclass(frozen=True)
class IsotonicRatio:
    """Isotonic regression (pool adjacent violators), linear between the reference scores.

    One misleading pair is added at each end (a different-source pair as high as the highest
    score, a same-source pair as low as the lowest), which keeps the LR finite.
    """

    score: Floats
    log10: Floats
    counts: ClassVar[bool] = False
    monotone: ClassVar[bool] = True
    references: ClassVar[tuple[str, ...]] = ("doi:10.1145/775047.775151",)

    @classmethod
    def fit(cls, grouped: GroupedScores) -> IsotonicRatio:
        """Fit on distinct scores with weights."""
        balanced(grouped)
        same, different = grouped.same.copy(), grouped.different.copy()
        same[0] += 1
        different[-1] += 1
        weight = same + different
        # Only the order matters; scores themselves would be merged, or divided by zero, where they differ by rounding.
        order = np.arange(len(weight), dtype=np.float64)
        share = IsotonicRegression().fit_transform(order, same / weight, sample_weight=weight)
        prior = float(same.sum() / different.sum())
        return cls(grouped.score, np.log10(share / (1 - share)) - np.log10(prior))

    def log10_lr(self, score: Floats, extent: Extent = None) -> Floats:
        """Return log10 LR, never falling, constant beyond the reference scores, shape (n,)."""
        return np.interp(np.asarray(score, dtype=np.float64), self.score, self.log10)

    def parameters(self) -> dict[str, Any]:
        """Return the corners of the curve."""
        corner = np.r_[True, np.diff(self.log10) != 0]
        corner[:-1] |= corner[1:]
        corner[-1] = True
        return {"score": self.score[corner].tolist(), "log10 LR": self.log10[corner].tolist()}


def balanced(grouped: GroupedScores) -> tuple[Floats, Floats]:
    """Return the weights scaled so that the two kinds of pair weigh the same in total."""
    n_same, n_different = float(grouped.same.sum()), float(grouped.different.sum())
    if n_same <= 0 or n_different <= 0:
        raise ParameterError(
            f"{n_same:g} same-source and {n_different:g} different-source pairs: a model needs both kinds"
        )
    half = (n_same + n_different) / 2
    return grouped.same * (half / n_same), grouped.different * (half / n_different)


def silverman_bandwidth(score: Floats, weight: Floats, finest: float) -> float:
    """Return the bandwidth of a kernel density by Silverman's rule, 0.9 min(sd, IQR/1.34) n^(-1/5).

    Parameters
    ----------
    score : ndarray of float64, shape (n,)
        Distinct scores, ascending.
    weight : ndarray of float64, shape (n,)
        How many pairs have each score; not all 0.
    finest : float
        The bandwidth is not smaller: the usual distance between neighbouring scores.

    Returns
    -------
    float
        In the unit of the score, above 0.
    """
    total = float(weight.sum())
    mean = float(weight @ score) / total
    deviation = float(np.sqrt(weight @ (score - mean) ** 2 / total))
    cumulative = np.cumsum(weight) / total
    low, high = (float(score[np.searchsorted(cumulative, q - 1e-12)]) for q in (0.25, 0.75))
    spread = min(deviation, (high - low) / 1.34) or deviation
    return float(max(0.9 * spread * total**-0.2, finest, 1e-9 * max(abs(mean), 1.0)))


def _log_density(values: Floats, centres: Floats, weight: Floats, bandwidth: float) -> Floats:
    used = weight > 0
    log_weight = np.log(weight[used] / weight.sum()) - np.log(bandwidth * np.sqrt(2 * np.pi))
    out = np.empty(len(values))
    # In blocks, so that memory stays at a few tens of megabytes for any number of scores.
    step = max(1, 2_000_000 // int(used.sum()))
    for i in range(0, len(values), step):
        z = (values[i : i + step, None] - centres[used]) / bandwidth
        out[i : i + step] = logsumexp(log_weight - z**2 / 2, axis=1)
    return out


def _count_ratio(same: Any, different: Any) -> Callable[[GroupedScores], RatioModel]:
    def fit(grouped: GroupedScores) -> RatioModel:
        balanced(grouped)
        k, n = counts_of(grouped)
        return CountRatio(same.fit(k, n, grouped.same), different.fit(k, n, grouped.different))

    return fit


# Name -> how to fit it. Defaults: "log-normal over area" for similarities of impressions, "beta-binomial" for counts,
# "logistic" for correlations and for similarities of striae (`ballistics.evidence.scores.score_models`).
MODELS: Mapping[str, Callable[[GroupedScores], RatioModel]] = {
    "beta-binomial": _count_ratio(BetaBinomial, Binomial),
    "binomial": _count_ratio(Binomial, Binomial),
    "correlated binomial": _count_ratio(CorrelatedBinomial, Binomial),
    "beta-correlated binomial": _count_ratio(BetaCorrelatedBinomial, Binomial),
    "log-normal over area": AreaRatio.fit,
    "log-normal over length": LengthRatio.fit,
    "logistic": LogisticRatio.fit,
    "kernel density": KernelRatio.fit,
    "isotonic": IsotonicRatio.fit,
}


def fit_model(name: str, table: ScoreTable, weight: Floats | None = None) -> RatioModel:
    """Fit a model by name on comparisons with known truth.

    Parameters
    ----------
    name : str
        One of ``MODELS``: "beta-binomial" (the same-source counts; the different-source counts
        are binomial), "binomial", "correlated binomial", "beta-correlated binomial" for counts;
        "log-normal over area" (or "length") for similarities with their common area (or length);
        "logistic", "kernel density", "isotonic" for continuous scores.
    table : ScoreTable
        The reference comparisons.
    weight : ndarray of float64, shape (n,), optional
        Whole-number weight of each row (a bootstrap sample); 1 when not given.

    Raises
    ------
    ParameterError
        For an unknown name, or when one kind of pair is absent.

    Examples
    --------
    >>> table = ScoreTable.build([0.8, 0.9, 0.2, 0.3], ["P1", "P2", "P1", "P2"], ["P1", "P2", "P2", "P3"])
    >>> fit_model("logistic", table).log10_lr(np.array([0.2, 0.9])).round(2).tolist()
    [-0.52, 0.52]
    """
    if name not in MODELS:
        raise ParameterError(f"no model '{name}'; there are: {', '.join(MODELS)}")
    return MODELS[name](table.grouped(weight))
