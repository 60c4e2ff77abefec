"""What the models of counts share: weights, limits of their parameters, and the searches that fit them."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Protocol

import numpy as np
from scipy.optimize import minimize
from scipy.special import gammaln

from ballistics.errors import ParameterError
from ballistics.evidence.scores import Floats, Integers


class CountModel(Protocol):
    """A fitted distribution of the count k for any N."""

    name: ClassVar[str]
    references: ClassVar[tuple[str, ...]]

    def log_pmf(self, count: Integers, cells: Integers) -> Floats:
        """Return ln P(k | N), element by element."""
        ...


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
    return limits_of(lambda k, n: pair_excess(k, n, (1 - p) / p, p / (1 - p)), cells)


def distinct(count: Integers, cells: Integers, weight: Floats | None) -> tuple[Integers, Integers, Floats]:
    """Return the distinct (k, N) with the weight of each: the same fit, faster, in any order of rows.

    Parameters
    ----------
    count, cells : ndarray of int, shape (n,)
        k and N of each pair.
    weight : ndarray of float64, shape (n,), optional
        How often each pair counts; 1 when not given.
    """
    values, index = np.unique(np.column_stack([count, cells]), axis=0, return_inverse=True)
    total = np.bincount(index.reshape(-1), np.ones(len(count)) if weight is None else weight).astype(np.float64)
    return values[total > 0, 0], values[total > 0, 1], total[total > 0]


def log_choose(count: Integers, cells: Integers) -> Floats:
    """Return ln of the ways to choose k of N."""
    return np.asarray(gammaln(cells + 1.0) - gammaln(count + 1.0) - gammaln(cells - count + 1.0))


def pair_excess(count: Integers, cells: Integers, odds_against: Floats | float, odds_for: Floats | float) -> Floats:
    """Return the Bahadur term g(k): how far the pairs of equal cells exceed independence.

    Parameters
    ----------
    count, cells : ndarray of int, shape (n,)
        k and N.
    odds_against, odds_for : float or ndarray of float64, shape (n,)
        (1 - p) / p and p / (1 - p) of a cell.
    """
    k, rest = count.astype(np.float64), (cells - count).astype(np.float64)
    return np.asarray(0.5 * (k * (k - 1) * odds_against - 2 * k * rest + rest * (rest - 1) * odds_for))


def limits_of(excess: Callable[[Integers, Integers], Floats], cells: Integers) -> tuple[float, float]:
    """Return the r for which 1 + r g(k) stays at or above zero for every k of every N."""
    sizes = np.unique(cells)
    g = excess(np.concatenate([np.arange(n + 1) for n in sizes]), np.repeat(sizes, sizes + 1))
    low = max(-1.0, -1 / float(g.max())) if g.max() > 0 else -1.0
    high = min(1.0, -1 / float(g.min())) if g.min() < 0 else 1.0
    return low, high


def check_correlation(r: float, limits: tuple[float, float]) -> None:
    """Raise `ParameterError` when a model with this r is no distribution."""
    low, high = limits
    if not low * (1 + 1e-9) <= r <= high * (1 + 1e-9):
        raise ParameterError(
            f"correlation r = {r:.6g} is outside {low:.6g} to {high:.6g}: "
            "the model is no distribution for this number of cells"
        )


def between(position: float, low: float, high: float) -> float:
    """Map an unbounded number to the open interval of a correlation, 0 to r = 0.

    Parameters
    ----------
    position : float
        Any number.
    low, high : float
        The limits, below and above 0.
    """
    share = float(np.tanh(position))
    return share * high if share >= 0 else -share * low


def safe_log(factor: Floats) -> Floats:
    """Return ln of a factor that is a probability's, kept above zero."""
    # At the very limit of r one probability is zero; rounding may put it a hair below.
    return np.asarray(np.log(np.maximum(factor, 1e-15)))


def searched(cost: Callable[[Floats], float], start: list[float]) -> Floats:
    """Minimise a smooth function of two or three variables without derivatives; restarted once."""
    x = np.array(start, dtype=np.float64)
    options = {"xatol": 1e-9, "fatol": 1e-12, "maxiter": 4000, "maxfev": 4000}
    for _ in range(2):
        x = minimize(cost, x, method="Nelder-Mead", options=options).x
    return np.asarray(x)


def least_squares(
    model: Callable[[Floats], CountModel],
    start: Floats,
    count: Integers,
    cells: Integers,
    weight: Floats | None,
) -> Floats:
    """Minimise the squared distance between observed frequencies and the mixture Σ w_l P(k | N_l).

    Parameters
    ----------
    model : callable
        The model at some unbounded parameters.
    start : ndarray of float64, shape (parameters,)
        Where the search begins.
    count, cells : ndarray of int, shape (n,)
        k and N of each pair.
    weight : ndarray of float64, shape (n,), optional
        How often each pair counts; 1 when not given.

    Returns
    -------
    ndarray of float64, shape (parameters,)
    """
    count, cells, weights = distinct(count, cells, weight)
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

    return searched(cost, [float(value) for value in start])
