"""The largest likelihood ratio that the data can support: ELUB and the sample-size bound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ballistics.errors import ParameterError
from ballistics.evidence.scores import Booleans, Floats


@dataclass(frozen=True)
class Bounds:
    """The lowest and highest log10 LR that may be reported.

    Parameters
    ----------
    lower, upper : float
        log10 LR; ``lower <= 0 <= upper``.
    rule : str
        Which rule gave them.
    reference : str
        Its source.
    """

    lower: float
    upper: float
    rule: str
    reference: str = ""

    def clip(self, log10_lr: ArrayLike) -> Floats:
        """Return log10 LRs held between the bounds."""
        return np.clip(np.asarray(log10_lr, dtype=np.float64), self.lower, self.upper)


def elub(log10_lr: ArrayLike, same_source: ArrayLike) -> Bounds:
    """Return the empirical lower and upper bound of an LR system (Vergeer et al. 2016).

    One misleading LR is added to each side, as strong as can be. The bounds enclose the widest
    range around LR = 1 in which the system's Bayes error, at the prior for which the LR decides,
    is nowhere above that of deciding on the prior alone. The crossing is found exactly, not on
    a grid.

    Parameters
    ----------
    log10_lr : array, shape (n,)
        LRs of comparisons with known truth; ±inf allowed, NaN not.
    same_source : array of bool, shape (n,)
        The truth.

    Returns
    -------
    Bounds
        For fully separated data: lower = (1/(n_same+1)) / (1 - 1/(n_different+1)), upper =
        (n_different+1) (1 - 1/(n_same+1)), but never beyond the largest LR seen.

    Raises
    ------
    ParameterError
        When one kind of pair is absent.

    References
    ----------
    doi:10.1016/j.scijus.2016.06.003

    Examples
    --------
    >>> values = [9.0] * 63 + [-9.0] * 717          # as separated as Fadul's set
    >>> bounds = elub(values, [True] * 63 + [False] * 717)
    >>> round(bounds.lower, 2), round(bounds.upper, 2), round(10**bounds.upper)
    (-1.81, 2.85, 707)
    """
    values = np.asarray(log10_lr, dtype=np.float64)
    same = np.asarray(same_source, dtype=np.bool_)
    if same.all() or not same.any():
        raise ParameterError("bounds need same-source and different-source pairs; one of the two is absent")
    if np.isnan(values).any():
        raise ParameterError("an LR is missing (NaN): leave out comparisons without a result")
    return Bounds(
        -_upper(-values, ~same),
        _upper(values, same),
        "empirical lower and upper bound (ELUB), one misleading LR added to each side",
        "doi:10.1016/j.scijus.2016.06.003",
    )


def sample_size_bounds(n_same: int, n_different: int) -> Bounds:
    """Return the bounds that sample sizes alone allow: 1/(n_same + 1) to n_different + 1.

    No rate below one in n + 1 can be claimed from n comparisons without an error.

    Examples
    --------
    >>> bounds = sample_size_bounds(63, 717)
    >>> round(10**-bounds.lower), round(10**bounds.upper)
    (64, 718)
    """
    if n_same < 1 or n_different < 1:
        raise ParameterError(f"{n_same} same-source, {n_different} different-source pairs: need one of each")
    return Bounds(-float(np.log10(n_same + 1)), float(np.log10(n_different + 1)), "sample size")


def tightest(first: Bounds, second: Bounds) -> Bounds:
    """Return the range that both allow, with the rule that limits it."""
    lower = first if first.lower >= second.lower else second
    upper = first if first.upper <= second.upper else second
    if lower is upper:
        return lower
    rule = f"lower: {lower.rule}; upper: {upper.rule}"
    return Bounds(lower.lower, upper.upper, rule, first.reference or second.reference)


def _upper(values: Floats, same: Booleans) -> float:
    """Return the first log10 LR from 0 upwards at which the system is no better than the prior.

    At threshold t > 1 the prior alone errs at rate 1 (in units of the rarer proposition), the
    system at miss(t) + t false(t): linear in t between two observed LRs.
    """
    n_same, n_different = int(same.sum()), int((~same).sum())
    edges = np.unique(values[values > 0])
    left = 0.0
    for right in edges:
        # Thresholds in (left, right]: an LR equal to the threshold still counts as exceeding it.
        false = (1 + np.count_nonzero(values[~same] >= right)) / (n_different + 1)
        miss = (1 + np.count_nonzero(values[same] < right)) / (n_same + 1)
        crossing = float(np.log10((1 - miss) / false)) if miss < 1 else -np.inf
        if crossing < right:
            return max(left, crossing)
        left = float(right)
    return left
