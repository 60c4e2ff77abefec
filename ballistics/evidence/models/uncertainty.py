"""Bootstrap over firearms: how much a fitted model depends on which firearms were in the reference."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ballistics.errors import ParameterError
from ballistics.evidence.scores import Floats, Integers, ScoreTable


def firearm_multiplicities(n_firearms: int, draws: int, seed: int) -> Integers:
    """Return how often each firearm is drawn in each bootstrap sample.

    Firearms are drawn with replacement, as many as there are: a row sums to ``n_firearms``.

    Parameters
    ----------
    n_firearms : int
        Firearms in the reference, at least 1.
    draws : int
        Bootstrap samples, at least 1.
    seed : int
        Of the random numbers; the same seed gives the same samples.

    Returns
    -------
    ndarray of int64, shape (draws, n_firearms)

    Raises
    ------
    ParameterError
        Without a firearm or a draw.
    """
    if n_firearms < 1 or draws < 1:
        raise ParameterError(f"{draws} draws of {n_firearms} firearms: need at least one of each")
    random = np.random.Generator(np.random.PCG64(seed))
    return random.multinomial(n_firearms, np.full(n_firearms, 1 / n_firearms), size=draws)


def resampled_weights(table: ScoreTable, draws: int, seed: int) -> Iterator[Floats]:
    """Yield the weight of every row of the table for each bootstrap sample of firearms.

    Pairs that share a firearm are not independent, so firearms are resampled, never pairs. A
    same-source pair counts as often as its firearm was drawn. A different-source pair involves
    two firearms and counts as often as the product. Two copies of one drawn firearm give no
    different-source pair: they are the same firearm. Samples that hold no same-source or no
    different-source pair cannot be fitted and are left out.

    Parameters
    ----------
    table : ScoreTable
        The comparisons; only their firearms are used.
    draws : int
        Bootstrap samples to draw, at least 1; fewer are yielded when some are left out.
    seed : int
        Of the random numbers.

    Yields
    ------
    ndarray of float64, shape (n,)
        Whole-number weights.
    """
    first, second = table.firearm_indices
    same = table.same_source
    for drawn in firearm_multiplicities(len(table.firearms), draws, seed):
        weight = np.where(same, drawn[first], drawn[first] * drawn[second]).astype(np.float64)
        if weight[same].any() and weight[~same].any():
            yield weight
