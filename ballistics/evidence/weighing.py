"""A case's comparison held against reference populations: the one that covers it is used, or it is said why none is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ballistics.errors import ParameterError
from ballistics.evidence.comparisons import Score, questioned
from ballistics.evidence.likelihood_ratio import LikelihoodRatio, Propositions
from ballistics.evidence.lr_system import LRSystem, fit_lr_system
from ballistics.evidence.population import ReferencePopulation, select_population
from ballistics.evidence.scan_study import MODELS
from ballistics.impressions.comparison import ImpressionComparison
from ballistics.surfaces.surface import Mark

# The headline score goes first; a population of the other is used where none of it covers the case.
_ORDER: tuple[Score, ...] = ("count", "correlation")


@dataclass(frozen=True)
class Weighed:
    """The weight of one comparison, and what it was weighed with.

    Parameters
    ----------
    result : LikelihoodRatio
        The likelihood ratio, or the reason why there is none.
    system : LRSystem
        The population and the model; not fitted when the comparison was refused.
    score : {"count", "correlation"}
        Which score was weighed.
    not_used : tuple of str
        Why each of the other populations was not used.
    """

    result: LikelihoodRatio
    system: LRSystem
    score: Score
    not_used: tuple[str, ...] = ()


def population_score(population: ReferencePopulation) -> Score:
    """Return which score of a comparison a population consists of."""
    return "correlation" if population.table.cells is None else "count"


def weigh(
    comparison: ImpressionComparison,
    marks: Sequence[Mark],
    populations: Iterable[ReferencePopulation],
    calibres: Iterable[str] = (),
    instrument_classes: Iterable[str] = (),
    ammunition: Iterable[str] = (),
    scans: Sequence[str] = (),
    draws: int = 500,
    seed: int = 1,
) -> Weighed:
    """Weigh a comparison by the population that covers it; of several, by the one with most firearms.

    Parameters
    ----------
    comparison : ImpressionComparison
        Of the two marks.
    marks : sequence of Mark, length 2
        The marks, for how they were prepared.
    populations : iterable of ReferencePopulation
        Those at hand, at least one; their names differ.
    calibres, instrument_classes, ammunition : iterable of str
        Those of the two items.
    scans : sequence of str
        SHA-256 of the two files.
    draws, seed : int
        Bootstrap samples of the firearms for the interval, and the seed of the random numbers.

    Raises
    ------
    ParameterError
        Without a population, with two of one name, or when comparison or marks carry no provenance.
    """
    at_hand = tuple(populations)
    if not at_hand:
        raise ParameterError("no reference population was given: build one with `ballistics reference build`")
    names = [population.name for population in at_hand]
    if len(set(names)) < len(names):
        raise ParameterError("two reference populations have the same name; rename one")
    labels = tuple(calibres), tuple(instrument_classes), tuple(ammunition)
    asked = {score: questioned(comparison, marks, score, *labels, scans) for score in _ORDER}
    by_score = {score: [p for p in at_hand if population_score(p) == score] for score in _ORDER}
    reasons: list[str] = []
    for score in _ORDER:
        chosen, others = select_population(by_score[score], asked[score].conditions)
        reasons += others
        if chosen is not None:
            if score == _ORDER[0]:
                reasons += [
                    f"{p.name}: congruent cells are weighed before the correlation" for p in by_score[_ORDER[1]]
                ]
            # An insufficient comparison has nothing to weigh: the bootstrap is spared.
            system = fit_lr_system(chosen, MODELS[score], draws if asked[score].score is not None else 0, seed)
            return Weighed(system.evaluate(asked[score]), system, score, tuple(reasons))
    # None covers the comparison: the answer says why of the largest, and beside it why of the others.
    score = next(score for score in _ORDER if by_score[score])
    largest = max(by_score[score], key=lambda p: (p.n_firearms, len(p.table), p.name))
    system = LRSystem(largest, MODELS[score], draws, seed, None, Propositions())
    rest = {s: [p for p in by_score[s] if p is not largest] for s in _ORDER}
    not_used = [reason for s in _ORDER for reason in select_population(rest[s], asked[s].conditions)[1]]
    return Weighed(system.evaluate(asked[score]), system, score, tuple(not_used))
