"""Weighs a comparison of a case by the reference population that covers it, or says why none does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ballistics.comparison import Comparison
from ballistics.errors import ParameterError
from ballistics.evidence.comparisons import questioned
from ballistics.evidence.likelihood_ratio import PROPOSITIONS, LikelihoodRatio, Propositions
from ballistics.evidence.lr_system import LRSystem, Questioned, fit_lr_system
from ballistics.evidence.population import ReferencePopulation, select_population
from ballistics.evidence.scores import SCORE_MODELS, Score, score_models
from ballistics.findings import Finding
from ballistics.methods import scored_as
from ballistics.surfaces import Mark

# The headline score goes first; a population of another is used where none of it covers the case.
_ORDER: tuple[Score, ...] = tuple(SCORE_MODELS)
# What is left of a population that held the exhibits must still carry an interval (`lr_system`).
_FEWEST_FIREARMS_LEFT = 5
# Half of the range that every verbal scale calls inconclusive: LR 2 for one proposition, 1/2 for the other.
_OPPOSED_LOG10 = 0.3


def _name_of_count(mark_kind: str) -> str:
    return f"the count of {scored_as(mark_kind).score_names['count']}"


_SHORT_NAMES: Mapping[Score, Callable[[str], str]] = {
    "similarity": lambda _: "the similarity",
    "count": _name_of_count,
    "correlation": lambda _: "the correlation",
}


@dataclass(frozen=True)
class Weighed:
    """The weight of one comparison, and what it was weighed with.

    Parameters
    ----------
    result : LikelihoodRatio
        The likelihood ratio, or the reason why there is none.
    system : LRSystem
        The population and the model; not fitted when the comparison was refused.
    score : {"similarity", "count", "correlation"}
        Which score was weighed.
    not_used : tuple of str
        Why each of the other populations was not used.
    beside : tuple of Weighed
        The other scores of the same comparison, each weighed by a population of its own kind. They are views of one
        pair of marks: their likelihood ratios must not be multiplied.
    findings : tuple of Finding
        ``"scores-contradict"``, serious, when two scores support different propositions.
    """

    result: LikelihoodRatio
    system: LRSystem
    score: Score
    not_used: tuple[str, ...] = ()
    beside: tuple[Weighed, ...] = ()
    findings: tuple[Finding, ...] = ()


def weigh(
    comparison: Comparison,
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

    The similarity is weighed first, and the other scores beside it where populations of theirs cover the comparison.
    Firearms whose scans are compared are left out of a population.

    Parameters
    ----------
    comparison : Comparison
        Of the two marks.
    marks : sequence of Mark
        The two marks, or all lands of two bullets, for how they were prepared.
    populations : iterable of ReferencePopulation
        Those to choose from, at least one. Populations of the same score have different names.
    calibres, instrument_classes, ammunition : iterable of str
        Those of the two items.
    scans : sequence of str
        SHA-256 of the files.
    draws, seed : int
        Bootstrap samples of the firearms for the interval, and the seed of the random numbers.

    Raises
    ------
    ParameterError
        Without a population, with two of one name and score, or when comparison or marks carry no provenance.
    """
    given = tuple(populations)
    if not given:
        raise ParameterError("no reference population was given: build one with `ballistics reference build`")
    names = [(population.name, population.score) for population in given]
    if len(set(names)) < len(names):
        raise ParameterError("two reference populations have the same name; rename one")
    labels = tuple(calibres), tuple(instrument_classes), tuple(ammunition)
    asked = {score: questioned(comparison, marks, score, *labels, scans) for score in _ORDER}
    by_score = {score: [p for p in given if p.score == score] for score in _ORDER}
    chosen = {score: _select(by_score[score], asked[score])[0] for score in _ORDER}
    first = next((s for s in _ORDER if chosen[s] is not None), next(s for s in _ORDER if by_score[s]))
    # An interval is stated of the score that carries the evidence; the others stand beside it with their value.
    weighed = {
        score: _weigh_score(score, by_score[score], asked[score], draws if score == first else 0, seed)
        for score in _ORDER
        if by_score[score]
    }
    beside = tuple(weighed[score] for score in weighed if score != first)
    headline = weighed[first]
    return Weighed(
        headline.result, headline.system, first, headline.not_used, beside, contradictions((headline, *beside))
    )


def contradictions(weighed: Sequence[Weighed]) -> tuple[Finding, ...]:
    """Return a finding for every two scores of which one supports the first proposition and one the second."""
    values = [(answer.score, answer.result.log10_lr) for answer in weighed if answer.result.log10_lr is not None]
    found = []
    kind = weighed[0].system.population.conditions.mark_kind
    for score, value in values:
        for other, contrary in values:
            if value >= _OPPOSED_LOG10 and contrary <= -_OPPOSED_LOG10:
                found.append(
                    Finding(
                        "scores-contradict",
                        "serious",
                        f"{_SHORT_NAMES[score](kind)} supports one firearm (log10 LR {value:.2f}) and "
                        f"{_SHORT_NAMES[other](kind)} two (log10 LR {contrary:.2f})",
                        "both are stated; neither may be reported without the other, and an examiner must find out why",
                    )
                )
    return tuple(found)


def _weigh_score(
    score: Score, populations: Sequence[ReferencePopulation], asked: Questioned, draws: int, seed: int
) -> Weighed:
    """Weigh one score; the populations are of that score."""
    chosen, reasons = _select(populations, asked)
    if chosen is None:
        # None covers the comparison: the answer says why of the largest, and beside it why of the others.
        largest = max(populations, key=lambda p: (p.n_firearms, len(p.table), p.name))
        system = LRSystem(
            largest,
            _model(largest),
            draws,
            seed,
            None,
            _propositions(largest),
            unusable=_spent(largest, asked),
        )
        others = _select([p for p in populations if p is not largest], asked)[1]
        return Weighed(system.evaluate(asked), system, score, others)
    # A comparison without a score, or one that must not be weighed, needs no bootstrap.
    worthwhile = asked.score is not None and not asked.withheld
    disjoint, firearms = chosen.without_scans(asked.scans)
    system = replace(
        fit_lr_system(disjoint, _model(chosen), draws if worthwhile else 0, seed, _propositions(chosen)),
        left_out=firearms,
    )
    return Weighed(system.evaluate(asked), system, score, reasons)


def _propositions(population: ReferencePopulation) -> Propositions:
    """Return what is weighed, as the truth of the population's pairs stands for it."""
    return PROPOSITIONS.get(population.conditions.mark_kind, Propositions())


def _model(population: ReferencePopulation) -> str:
    return score_models(population.conditions.mark_kind)[population.score]


def _select(
    populations: Sequence[ReferencePopulation], asked: Questioned
) -> tuple[ReferencePopulation | None, tuple[str, ...]]:
    """Return the population to use, or none, and why each of the others was not."""
    spent = {p.name: _spent(p, asked) for p in populations}
    chosen, reasons = select_population([p for p in populations if not spent[p.name]], asked.conditions)
    return chosen, (*reasons, *(f"{name}: {reason}" for name, reason in spent.items() if reason))


def _spent(population: ReferencePopulation, asked: Questioned) -> str:
    """Return why a population that holds the exhibits themselves cannot do without them; empty when it can."""
    left, firearms = population.without_scans(asked.scans)
    if not firearms or left.n_firearms >= _FEWEST_FIREARMS_LEFT:
        return ""
    return (
        f"a scan of this comparison is in the population; without its firearm ({', '.join(firearms)}) "
        f"{left.n_firearms} of {population.n_firearms} firearms remain, and {_FEWEST_FIREARMS_LEFT} are needed"
    )
