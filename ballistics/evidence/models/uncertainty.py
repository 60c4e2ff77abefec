"""Bootstrap over firearms: how much a fitted model depends on which firearms were in the reference."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ballistics.errors import ParameterError
from ballistics.evidence.scores import Floats, Integers, ScoreTable


def firearm_multiplicities(n_firearms: int, draws: int, seed: int) -> Integers:
    """Return how often each firearm is drawn in each bootstrap sample, shape (draws, n_firearms).

    Firearms are drawn with replacement, as many as there are: a row sums to ``n_firearms``.
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
