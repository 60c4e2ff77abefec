"""Source-disjoint cross-validation: no firearm is ever on both sides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ballistics.errors import ParameterError
from ballistics.evidence.lr_system import fit_with_bounds
from ballistics.evidence.scores import Booleans, Floats, Integers, ScoreTable

_FEWEST_FIREARMS = 4


@dataclass(frozen=True)
class CrossValidated:
    """Every comparison evaluated by a system that never saw its firearms.

    Parameters
    ----------
    log10_lr : ndarray of float64, shape (n,)
        Bounded log10 LR of each row of the table.
    at_bound : ndarray of bool, shape (n,)
        Whether it sits on a bound.
    in_range : ndarray of bool, shape (n,)
        False where casework would have given no LR, since the training part has nothing like it.
    n_fits : int
        Number of systems that were fitted.
    model : str
        The model.
    groups, seed : int
        Number of groups of firearms, and the seed that dealt them.
    """

    log10_lr: Floats
    at_bound: Booleans
    in_range: Booleans
    n_fits: int
    model: str
    groups: int
    seed: int


def firearm_groups(n_firearms: int, groups: int, seed: int) -> Integers:
    """Deal firearms at random into groups whose sizes differ by at most 1.

    Parameters
    ----------
    n_firearms : int
        Firearms to deal.
    groups : int
        Number of groups.
    seed : int
        Of the random numbers; the same seed deals alike.

    Returns
    -------
    ndarray of int64, shape (n_firearms,)
        The group of each firearm, from 0.
    """
    random = np.random.Generator(np.random.PCG64(seed))
    dealt = np.empty(n_firearms, dtype=np.int64)
    dealt[random.permutation(n_firearms)] = np.arange(n_firearms) % groups
    return dealt


def source_disjoint_folds(table: ScoreTable, groups: int, seed: int) -> Iterator[tuple[Booleans, Booleans]]:
    """Yield (training rows, test rows) so that no firearm is in both, and every row is tested once.

    Firearms are dealt into groups. For each pair of groups (and each group with itself) the test
    rows are those between the two, and the training rows those that touch neither. Leaving out
    one group at a time would never test a pair of firearms of two groups.

    Parameters
    ----------
    table : ScoreTable
        The comparisons.
    groups : int
        Number of groups, at least 4; no more than firearms are made.
    seed : int
        Of the dealing.

    Raises
    ------
    ParameterError
        With fewer than 4 firearms or groups.
    """
    n_firearms = len(table.firearms)
    groups = min(groups, n_firearms)
    if groups < _FEWEST_FIREARMS:
        raise ParameterError(
            f"{n_firearms} firearms in {groups} groups: source-disjoint cross-validation needs at least "
            f"{_FEWEST_FIREARMS} of each, so that two firearms are left to train on"
        )
    dealt = firearm_groups(n_firearms, groups, seed)
    first, second = (dealt[index] for index in table.firearm_indices)
    for g in range(groups):
        for h in range(g, groups):
            test = ((first == g) & (second == h)) | ((first == h) & (second == g))
            if test.any():
                yield (first != g) & (first != h) & (second != g) & (second != h), test


def cross_validate(table: ScoreTable, model: str, groups: int = 10, seed: int = 1) -> CrossValidated:
    """Evaluate every comparison by a system fitted, bounds included, on other firearms only.

    Parameters
    ----------
    table : ScoreTable
        Comparisons with known truth; its rows are put in a fixed order only for the dealing.
    model : str
        A name of `ballistics.evidence.models.score_models.MODELS`.
    groups : int
        Groups of firearms; g groups make at most g (g + 1) / 2 fits.
    seed : int
        Of the dealing.

    Raises
    ------
    ParameterError
        With too few firearms, or when a training part lacks one kind of pair.
    """
    log10_lr = np.zeros(len(table))
    at_bound = np.zeros(len(table), dtype=np.bool_)
    in_range = np.ones(len(table), dtype=np.bool_)
    fits = 0
    for train, test in source_disjoint_folds(table, groups, seed):
        part, rest = table.rows(train), table.rows(test)
        if part.same_source.all() or not part.same_source.any():
            raise ParameterError(
                f"without the firearms {', '.join(rest.firearms)} one kind of pair is absent: too few with "
                "repeated marks; use more groups"
            )
        fitted = fit_with_bounds(part, model, draws=0, seed=seed)
        values = fitted.log10_lr(rest.score, rest.extent)
        log10_lr[test] = values
        at_bound[test] = (values <= fitted.bounds.lower) | (values >= fitted.bounds.upper)
        in_range[test] = fitted.covers(rest.score, rest.extent)
        fits += 1
    return CrossValidated(log10_lr, at_bound, in_range, fits, model, min(groups, len(table.firearms)), seed)
