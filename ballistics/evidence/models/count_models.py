"""Probability models for a count of congruent cells: binomial and its over-dispersed relatives.

A pair of marks with N cells has k congruent ones. Each model gives P(k | N) in logarithms, so
that tails of 1e-300 and below stay exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln, digamma, expit, gammaln, logit, logsumexp

from ballistics.errors import ParameterError
from ballistics.evidence.scores import Floats, Integers

# Limits of the concentration alpha + beta: below, every pair is all-or-nothing; above, the
# beta-binomial is the binomial to within rounding.
_CONCENTRATION_RANGE = (1e-2, 1e6)


class CountModel(Protocol):
    """A fitted distribution of the count k for any N."""

    name: ClassVar[str]
    references: ClassVar[tuple[str, ...]]

    def log_pmf(self, count: Integers, cells: Integers) -> Floats:
        """Return ln P(k | N), element by element."""
        ...


@dataclass(frozen=True)
class Binomial:
    """Cells are congruent independently, each with probability ``p`` (Song et al. 2018).

    Examples
    --------
    >>> model = Binomial.fit(np.array([0, 1, 0]), np.array([30, 30, 40]))
    >>> model.p
    0.01
    """

    p: float
    name: ClassVar[str] = "binomial"
    references: ClassVar[tuple[str, ...]] = ("doi:10.1016/j.forsciint.2017.12.013",)

    @classmethod
    def fit(cls, count: Integers, cells: Integers, weight: Floats | None = None) -> Binomial:
        """Maximum likelihood, p = Σk / ΣN, kept off 0 and 1 (see `rate_limits`).

        Parameters
        ----------
        count : ndarray of int, shape (n,)
            Congruent cells k of each pair, 0 to N.
        cells : ndarray of int, shape (n,)
            Cells N of each pair.
        weight : ndarray of float64, shape (n,), optional
            How often each pair counts; 1 when not given. Pairs of weight 0 are left out.

        Returns
        -------
        Binomial

        Raises
        ------
        ParameterError
            When there are no cells to fit on.
        """
        count, cells, weights = _distinct(count, cells, weight)
        total = float(weights @ cells)
        low, high = rate_limits(total)
        return cls(min(max(float(weights @ count) / total, low), high))

    def log_pmf(self, count: Integers, cells: Integers) -> Floats:
        """Return ln P(k | N), shape of the inputs."""
        log_power = count * np.log(self.p) + (cells - count) * np.log1p(-self.p)
        return np.asarray(_log_choose(count, cells) + log_power)


@dataclass(frozen=True)
class BetaBinomial:
    """Each pair of marks has its own cell probability, drawn from Beta(alpha, beta).

    The correlation between two cells of one pair is 1 / (alpha + beta + 1).
    """

    alpha: float
    beta: float
    name: ClassVar[str] = "beta-binomial"
    references: ClassVar[tuple[str, ...]] = ("doi:10.1016/j.forsciint.2020.110502",)

    @classmethod
    def fit(cls, count: Integers, cells: Integers, weight: Floats | None = None) -> BetaBinomial:
        """Maximum likelihood, each pair with its own N.

        Parameters
        ----------
        count : ndarray of int, shape (n,)
            Congruent cells k of each pair, 0 to N.
        cells : ndarray of int, shape (n,)
            Cells N of each pair.
        weight : ndarray of float64, shape (n,), optional
            How often each pair counts; 1 when not given. Pairs of weight 0 are left out.

        Returns
        -------
        BetaBinomial

        Raises
        ------
        ParameterError
            When there are no cells to fit on.
        """
        count, cells, weights = _distinct(count, cells, weight)
        limits = logit(np.array(rate_limits(float(weights @ cells))))
        concentration = np.log(np.array(_CONCENTRATION_RANGE))

        def cost(x: Floats) -> tuple[float, Floats]:
            mean, strength = expit(x[0]), np.exp(x[1])
            a, b = mean * strength, expit(-x[0]) * strength
            value = betaln(count + a, cells - count + b) - betaln(a, b)
            common = digamma(cells + strength) - digamma(strength)
            by_a = digamma(count + a) - digamma(a) - common
            by_b = digamma(cells - count + b) - digamma(b) - common
            slope = expit(x[0]) * expit(-x[0]) * strength
            gradient = np.array([weights @ ((by_a - by_b) * slope), weights @ (by_a * a + by_b * b)])
            return -float(weights @ value), -gradient

        centre = float(np.clip(logit(Binomial.fit(count, cells, weights).p), *limits))
        starts = [np.array([centre, np.log(s)]) for s in np.geomspace(*_CONCENTRATION_RANGE, 10)]
        best = minimize(
            cost,
            min(starts, key=lambda start: cost(start)[0]),
            jac=True,
            method="L-BFGS-B",
            bounds=[tuple(limits), tuple(concentration)],
            options={"ftol": 1e-13, "gtol": 1e-7},
        )
        strength = float(np.exp(best.x[1]))
        return cls(float(expit(best.x[0])) * strength, float(expit(-best.x[0])) * strength)

    @classmethod
    def fit_least_squares(cls, count: Integers, cells: Integers, weight: Floats | None = None) -> BetaBinomial:
        """Least squares between observed frequencies and the mixture over N (Zhang 2021, Eq. 14).

        Parameters
        ----------
        count : ndarray of int, shape (n,)
            Congruent cells k of each pair, 0 to N.
        cells : ndarray of int, shape (n,)
            Cells N of each pair.
        weight : ndarray of float64, shape (n,), optional
            How often each pair counts; 1 when not given. Pairs of weight 0 are left out.

        Returns
        -------
        BetaBinomial

        Raises
        ------
        ParameterError
            When there are no cells to fit on.
        """
        start = cls.fit(count, cells, weight)
        x = _least_squares(
            lambda x: cls(float(np.exp(x[0])), float(np.exp(x[1]))),
            np.log([start.alpha, start.beta]),
            count,
            cells,
            weight,
        )
        return cls(float(np.exp(x[0])), float(np.exp(x[1])))

    def log_pmf(self, count: Integers, cells: Integers) -> Floats:
        """Return ln P(k | N), shape of the inputs."""
        joint = betaln(count + self.alpha, cells - count + self.beta) - betaln(self.alpha, self.beta)
        return np.asarray(_log_choose(count, cells) + joint)


@dataclass(frozen=True)
class CorrelatedBinomial:
    """Cells of one pair have pairwise correlation ``r`` (second-order Bahadur model; Zhang 2019, 2021 Eq. 6).

    P(k) = Bin(k) (1 + r g(k)) is a distribution only for r between limits that depend on N and
    p; `correlation_limits` gives them, the fits keep to them, and `log_pmf` refuses an N for
    which r is outside them.
    """

    p: float
    r: float
    name: ClassVar[str] = "correlated binomial"
    references: ClassVar[tuple[str, ...]] = ("doi:10.1016/j.forsciint.2021.110912",)

    @classmethod
    def fit(cls, count: Integers, cells: Integers, weight: Floats | None = None) -> CorrelatedBinomial:
        """Maximum likelihood, each pair with its own N.

        Parameters
        ----------
        count : ndarray of int, shape (n,)
            Congruent cells k of each pair, 0 to N.
        cells : ndarray of int, shape (n,)
            Cells N of each pair.
        weight : ndarray of float64, shape (n,), optional
            How often each pair counts; 1 when not given. Pairs of weight 0 are left out.

        Returns
        -------
        CorrelatedBinomial

        Raises
        ------
        ParameterError
            When there are no cells to fit on.
        """
        count, cells, weights = _distinct(count, cells, weight)
        sizes = np.unique(cells)

        def cost(x: Floats) -> float:
            return -float(weights @ cls._at(x, sizes).log_pmf(count, cells))

        start = Binomial.fit(count, cells, weights)
        return cls._at(_search(cost, [float(logit(start.p)), 0.3]), sizes)

    @classmethod
    def fit_least_squares(cls, count: Integers, cells: Integers, weight: Floats | None = None) -> CorrelatedBinomial:
        """Least squares between observed frequencies and the mixture over N (Zhang 2021, Eq. 14).

        Parameters
        ----------
        count : ndarray of int, shape (n,)
            Congruent cells k of each pair, 0 to N.
        cells : ndarray of int, shape (n,)
            Cells N of each pair.
        weight : ndarray of float64, shape (n,), optional
            How often each pair counts; 1 when not given. Pairs of weight 0 are left out.

        Returns
        -------
        CorrelatedBinomial

        Raises
        ------
        ParameterError
            When there are no cells to fit on.
        """
        start, sizes = Binomial.fit(count, cells, weight), np.unique(cells)
        x = _least_squares(lambda x: cls._at(x, sizes), np.array([float(logit(start.p)), 0.3]), count, cells, weight)
        return cls._at(x, sizes)

    @classmethod
    def _at(cls, x: Floats, cells: Integers) -> CorrelatedBinomial:
        """Return the model at (logit p, position of r between its limits on an unbounded scale)."""
        p = float(np.clip(expit(x[0]), 1e-9, 1 - 1e-9))
        return cls(p, _between(float(x[1]), *correlation_limits(p, cells)))

    def log_pmf(self, count: Integers, cells: Integers) -> Floats:
        """Return ln P(k | N), shape of the inputs."""
        _check_correlation(self.r, correlation_limits(self.p, cells))
        factor = 1 + self.r * _pair_excess(count, cells, (1 - self.p) / self.p, self.p / (1 - self.p))
        return np.asarray(Binomial(self.p).log_pmf(count, cells) + _safe_log(factor))


@dataclass(frozen=True)
class BetaCorrelatedBinomial:
    """The correlated binomial with p drawn from Beta(alpha, beta) for each pair (Zhang 2021, Eq. 10).

    The integral over p has a closed form. With q = 1 - p the Bahadur term is
    g = ½ [k(k-1) q/p - 2k(N-k) + (N-k)(N-k-1) p/q], and under the posterior
    Beta(k + alpha, N - k + beta) the means of q/p and p/q are
    (N-k+beta) / (k+alpha-1) and (k+alpha) / (N-k+beta-1).
    """

    alpha: float
    beta: float
    r: float
    name: ClassVar[str] = "beta-correlated binomial"
    references: ClassVar[tuple[str, ...]] = ("doi:10.1016/j.forsciint.2021.110912",)

    @classmethod
    def fit(cls, count: Integers, cells: Integers, weight: Floats | None = None) -> BetaCorrelatedBinomial:
        """Maximum likelihood, each pair with its own N.

        Parameters
        ----------
        count : ndarray of int, shape (n,)
            Congruent cells k of each pair, 0 to N.
        cells : ndarray of int, shape (n,)
            Cells N of each pair.
        weight : ndarray of float64, shape (n,), optional
            How often each pair counts; 1 when not given. Pairs of weight 0 are left out.

        Returns
        -------
        BetaCorrelatedBinomial

        Raises
        ------
        ParameterError
            When there are no cells to fit on.
        """
        count, cells, weights = _distinct(count, cells, weight)
        sizes = np.unique(cells)

        def cost(x: Floats) -> float:
            return -float(weights @ cls._at(x, sizes).log_pmf(count, cells))

        start = BetaBinomial.fit(count, cells, weights)
        return cls._at(_search(cost, [np.log(start.alpha), np.log(start.beta), 0.0]), sizes)

    @classmethod
    def fit_least_squares(
        cls, count: Integers, cells: Integers, weight: Floats | None = None
    ) -> BetaCorrelatedBinomial:
        """Least squares between observed frequencies and the mixture over N (Zhang 2021, Eq. 14).

        Parameters
        ----------
        count : ndarray of int, shape (n,)
            Congruent cells k of each pair, 0 to N.
        cells : ndarray of int, shape (n,)
            Cells N of each pair.
        weight : ndarray of float64, shape (n,), optional
            How often each pair counts; 1 when not given. Pairs of weight 0 are left out.

        Returns
        -------
        BetaCorrelatedBinomial

        Raises
        ------
        ParameterError
            When there are no cells to fit on.
        """
        start, sizes = BetaBinomial.fit_least_squares(count, cells, weight), np.unique(cells)
        first = np.array([np.log(start.alpha), np.log(start.beta), 0.0])
        return cls._at(_least_squares(lambda x: cls._at(x, sizes), first, count, cells, weight), sizes)

    @classmethod
    def _at(cls, x: Floats, cells: Integers) -> BetaCorrelatedBinomial:
        """Return the model at (ln alpha, ln beta, position of r between its limits)."""
        alpha, beta = (float(np.exp(np.clip(value, -7, 14))) for value in x[:2])
        limits = _limits(lambda k, n: cls(alpha, beta, 0.0)._excess(k, n), cells)
        return cls(alpha, beta, _between(float(x[2]), *limits))

    def _excess(self, count: Integers, cells: Integers) -> Floats:
        rest = cells - count
        # k < 2 (or N-k < 2) has weight zero and must not divide by alpha - 1 = 0.
        odds_against = (rest + self.beta) / np.maximum(count + self.alpha - 1, self.alpha)
        odds_for = (count + self.alpha) / np.maximum(rest + self.beta - 1, self.beta)
        return _pair_excess(count, cells, odds_against, odds_for)

    def log_pmf(self, count: Integers, cells: Integers) -> Floats:
        """Return ln P(k | N), shape of the inputs."""
        _check_correlation(self.r, _limits(self._excess, cells))
        factor = 1 + self.r * self._excess(count, cells)
        return np.asarray(BetaBinomial(self.alpha, self.beta).log_pmf(count, cells) + _safe_log(factor))


def rate_limits(trials: float) -> tuple[float, float]:
    """Return the smallest and largest cell probability that ``trials`` cells can speak for.

    Not one congruent cell among M does not show a probability of zero. The limits are the mean
    of Jeffreys' posterior for 0 of M and for M of M: ½/(M+1) and 1 - ½/(M+1). They matter only
    for degenerate populations, and keep every likelihood ratio finite.
    """
    if trials <= 0:
        raise ParameterError("no cells to fit a count model on: the population has no such pairs")
    return 0.5 / (trials + 1), 1 - 0.5 / (trials + 1)


def correlation_limits(p: float, cells: Integers) -> tuple[float, float]:
    """Return the lowest and highest r for which the correlated binomial is a distribution at every N.

    Examples
    --------
    >>> low, high = correlation_limits(0.8, np.array([26]))   # Zhang 2019, Eq. 15: -.00077 to about .08
    >>> round(low, 5), round(high, 2)
    (-0.00077, 0.08)
    """
    return _limits(lambda k, n: _pair_excess(k, n, (1 - p) / p, p / (1 - p)), cells)


def log_upper_tail(model: CountModel, threshold: int, cells: int) -> float:
    """Return ln P(k >= threshold | N): for a different-source model, the false-positive rate E1.

    Parameters
    ----------
    model : CountModel
        Fitted.
    threshold : int
        Least number of congruent cells, 0 to N, at which a pair is called same-source.
    cells : int
        Cells N of the pair.

    Returns
    -------
    float
        In natural logarithms, so that tails far below 1e-300 stay exact.
    """
    count = np.arange(threshold, cells + 1)
    return float(logsumexp(model.log_pmf(count, np.full(len(count), cells))))


def log_lower_tail(model: CountModel, threshold: int, cells: int) -> float:
    """Return ln P(k < threshold | N): for a same-source model, the false-negative rate E2.

    Parameters
    ----------
    model : CountModel
        Fitted.
    threshold : int
        Least number of congruent cells, 1 or more, at which a pair is called same-source.
    cells : int
        Cells N of the pair.

    Returns
    -------
    float
        In natural logarithms; 0 (a rate of 1) when N is below the threshold.
    """
    count = np.arange(min(threshold, cells + 1))
    return float(logsumexp(model.log_pmf(count, np.full(len(count), cells))))


def negative_log_likelihood(model: CountModel, count: Integers, cells: Integers) -> float:
    """Return -Σ ln P(k | N), the measure that maximum likelihood makes smallest.

    Parameters
    ----------
    model : CountModel
        Fitted.
    count : ndarray of int, shape (n,)
        Congruent cells k of each pair, 0 to N.
    cells : ndarray of int, shape (n,)
        Cells N of each pair.

    Returns
    -------
    float
        In nats.
    """
    return -float(np.sum(model.log_pmf(count, cells)))


def _weights(count: Integers, weight: Floats | None) -> Floats:
    return np.ones(len(count)) if weight is None else weight


def _distinct(count: Integers, cells: Integers, weight: Floats | None) -> tuple[Integers, Integers, Floats]:
    """Return the distinct (k, N) with the weight of each: the same fit, faster, in any order of rows."""
    values, index = np.unique(np.column_stack([count, cells]), axis=0, return_inverse=True)
    total = np.bincount(index.reshape(-1), _weights(count, weight)).astype(np.float64)
    return values[total > 0, 0], values[total > 0, 1], total[total > 0]


def _log_choose(count: Integers, cells: Integers) -> Floats:
    return np.asarray(gammaln(cells + 1.0) - gammaln(count + 1.0) - gammaln(cells - count + 1.0))


def _pair_excess(count: Integers, cells: Integers, odds_against: Floats | float, odds_for: Floats | float) -> Floats:
    """Return the Bahadur term g(k): how far the pairs of equal cells exceed independence."""
    k, rest = count.astype(np.float64), (cells - count).astype(np.float64)
    return np.asarray(0.5 * (k * (k - 1) * odds_against - 2 * k * rest + rest * (rest - 1) * odds_for))


def _limits(excess: Callable[[Integers, Integers], Floats], cells: Integers) -> tuple[float, float]:
    """Return the r for which 1 + r g(k) stays at or above zero for every k of every N."""
    sizes = np.unique(cells)
    g = excess(np.concatenate([np.arange(n + 1) for n in sizes]), np.repeat(sizes, sizes + 1))
    low = max(-1.0, -1 / float(g.max())) if g.max() > 0 else -1.0
    high = min(1.0, -1 / float(g.min())) if g.min() < 0 else 1.0
    return low, high


def _check_correlation(r: float, limits: tuple[float, float]) -> None:
    low, high = limits
    if not low * (1 + 1e-9) <= r <= high * (1 + 1e-9):
        raise ParameterError(
            f"correlation r = {r:.6g} is outside {low:.6g} to {high:.6g}: "
            "the model is no distribution for this number of cells"
        )


def _between(position: float, low: float, high: float) -> float:
    """Map an unbounded number to the open interval from low to high, 0 to r = 0."""
    share = float(np.tanh(position))
    return share * high if share >= 0 else -share * low


def _safe_log(factor: Floats) -> Floats:
    # At the very limit of r one probability is zero; rounding may put it a hair below.
    return np.asarray(np.log(np.maximum(factor, 1e-15)))


def _search(cost: Callable[[Floats], float], start: list[float]) -> Floats:
    """Minimise a smooth function of two or three variables without derivatives; restarted once."""
    x = np.array(start, dtype=np.float64)
    options = {"xatol": 1e-9, "fatol": 1e-12, "maxiter": 4000, "maxfev": 4000}
    for _ in range(2):
        x = minimize(cost, x, method="Nelder-Mead", options=options).x
    return np.asarray(x)


def _least_squares(
    model: Callable[[Floats], CountModel],
    start: Floats,
    count: Integers,
    cells: Integers,
    weight: Floats | None,
) -> Floats:
    """Minimise the squared distance between observed frequencies and the mixture Σ w_l P(k | N_l)."""
    count, cells, weights = _distinct(count, cells, weight)
    share = weights / weights.sum()
    observed = np.bincount(count, share, minlength=int(cells.max()) + 1)
    sizes, index = np.unique(cells, return_inverse=True)
    size_share = np.bincount(index.reshape(-1), share)
    k, n = (grid.reshape(-1) for grid in np.meshgrid(np.arange(len(observed)), sizes, indexing="ij"))
    possible = k <= n
    k, n = k[possible], n[possible]
    mixing = np.broadcast_to(size_share, (len(observed), len(sizes))).reshape(-1)[possible]

    def cost(x: Floats) -> float:
        expected = np.bincount(k, mixing * np.exp(model(x).log_pmf(k, n)), minlength=len(observed))
        # Scaled up, so that the search's absolute tolerance is far below the smallest difference.
        return 1e6 * float(np.sum((observed - expected) ** 2))

    return _search(cost, [float(value) for value in start])
