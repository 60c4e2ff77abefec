"""Error rates of a threshold under a model of counts, and how well the model fits: what published studies report."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

from ballistics.evidence.models.count_fitting import CountModel
from ballistics.evidence.scores import Integers


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
