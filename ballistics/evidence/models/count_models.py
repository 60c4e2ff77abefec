"""Probability models for a count of congruent cells: binomial and its over-dispersed relatives.

A pair of marks with N cells has k congruent ones. Each model gives P(k | N) in logarithms, so
that tails of 1e-300 and below stay exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln, digamma, expit, logit

from ballistics.evidence.models.count_fitting import (
    between,
    check_correlation,
    correlation_limits,
    distinct,
    least_squares,
    limits_of,
    log_choose,
    pair_excess,
    rate_limits,
    safe_log,
    searched,
)
from ballistics.evidence.scores import Floats, Integers

# Limits of the concentration alpha + beta: below, every pair is all-or-nothing; above, the
# beta-binomial is the binomial to within rounding.
_CONCENTRATION_RANGE = (1e-2, 1e6)


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
        count, cells, weights = distinct(count, cells, weight)
        total = float(weights @ cells)
        low, high = rate_limits(total)
        return cls(min(max(float(weights @ count) / total, low), high))

    def log_pmf(self, count: Integers, cells: Integers) -> Floats:
        """Return ln P(k | N), shape of the inputs."""
        log_power = count * np.log(self.p) + (cells - count) * np.log1p(-self.p)
        return np.asarray(log_choose(count, cells) + log_power)


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
        count, cells, weights = distinct(count, cells, weight)
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
        x = least_squares(
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
        return np.asarray(log_choose(count, cells) + joint)


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
        count, cells, weights = distinct(count, cells, weight)
        sizes = np.unique(cells)

        def cost(x: Floats) -> float:
            return -float(weights @ cls._at(x, sizes).log_pmf(count, cells))

        start = Binomial.fit(count, cells, weights)
        return cls._at(searched(cost, [float(logit(start.p)), 0.3]), sizes)

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
        x = least_squares(lambda x: cls._at(x, sizes), np.array([float(logit(start.p)), 0.3]), count, cells, weight)
        return cls._at(x, sizes)

    @classmethod
    def _at(cls, x: Floats, cells: Integers) -> CorrelatedBinomial:
        """Return the model at (logit p, position of r between its limits on an unbounded scale)."""
        p = float(np.clip(expit(x[0]), 1e-9, 1 - 1e-9))
        return cls(p, between(float(x[1]), *correlation_limits(p, cells)))

    def log_pmf(self, count: Integers, cells: Integers) -> Floats:
        """Return ln P(k | N), shape of the inputs."""
        check_correlation(self.r, correlation_limits(self.p, cells))
        factor = 1 + self.r * pair_excess(count, cells, (1 - self.p) / self.p, self.p / (1 - self.p))
        return np.asarray(Binomial(self.p).log_pmf(count, cells) + safe_log(factor))


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
        count, cells, weights = distinct(count, cells, weight)
        sizes = np.unique(cells)

        def cost(x: Floats) -> float:
            return -float(weights @ cls._at(x, sizes).log_pmf(count, cells))

        start = BetaBinomial.fit(count, cells, weights)
        return cls._at(searched(cost, [np.log(start.alpha), np.log(start.beta), 0.0]), sizes)

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
        return cls._at(least_squares(lambda x: cls._at(x, sizes), first, count, cells, weight), sizes)

    @classmethod
    def _at(cls, x: Floats, cells: Integers) -> BetaCorrelatedBinomial:
        """Return the model at (ln alpha, ln beta, position of r between its limits)."""
        alpha, beta = (float(np.exp(np.clip(value, -7, 14))) for value in x[:2])
        limits = limits_of(lambda k, n: cls(alpha, beta, 0.0)._excess(k, n), cells)
        return cls(alpha, beta, between(float(x[2]), *limits))

    def _excess(self, count: Integers, cells: Integers) -> Floats:
        rest = cells - count
        # k < 2 (or N-k < 2) has weight zero and must not divide by alpha - 1 = 0.
        odds_against = (rest + self.beta) / np.maximum(count + self.alpha - 1, self.alpha)
        odds_for = (count + self.alpha) / np.maximum(rest + self.beta - 1, self.beta)
        return pair_excess(count, cells, odds_against, odds_for)

    def log_pmf(self, count: Integers, cells: Integers) -> Floats:
        """Return ln P(k | N), shape of the inputs."""
        check_correlation(self.r, limits_of(self._excess, cells))
        factor = 1 + self.r * self._excess(count, cells)
        return np.asarray(BetaBinomial(self.alpha, self.beta).log_pmf(count, cells) + safe_log(factor))
