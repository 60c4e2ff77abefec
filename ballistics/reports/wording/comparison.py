"""What a comparison says in plain words, and what it does not say."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ballistics.evidence import Status
from ballistics.impressions import HEADLINE_RULE, ImpressionComparison, RuleResult

_DOI = re.compile(r"[,;]?\s*\bdoi:(10\.[^\s;]+)")

RULE_EXPLANATIONS = {
    "significance": "Each cell is compared with the place where the registration of the whole marks puts it, give or "
    "take a small displacement. The count is the largest k for which k cells each agree more closely than the chance "
    "limit for k cells. That limit is set so that unrelated marks rarely show this, for any k, at any pose.",
    "original": "Each cell is compared with the median turn and displacement of all cells.",
    "high": "As the original rule, at the turns at which most cells agree in both directions.",
    "convergence": "At the turn at which the cells' displacements lie closest together, each cell is sought near "
    "the common displacement.",
    "ncma": "The convergence rule with its own correlation threshold, counted as share of the mark's area.",
    "consensus": "The largest group of cells, among all pairs of cells, that follows one rigid motion.",
    "clusters": "Each cell's place, turn and stretch are refined by least squares; the largest group of cells whose "
    "refined displacements lie close together.",
    "cmcR pooled": "Counts both directions into one number, as the program cmcR does; only for comparison with "
    "numbers published that way.",
}

# Each paragraph: what a reader may take the numbers for, and why they are not that.
LEAD = (
    "No probability, no opinion.",
    "A count of congruent cells or a correlation is not the probability that two cartridge cases were fired in one "
    "firearm, and no threshold was applied here to call it one or the other. The report gives a lead to be checked "
    "by an examiner; it is not an evaluative report.",
)
_NO_WEIGHT = "No weight of evidence."
_NEEDED = (
    "How much a score supports one proposition over another can be stated only against scores of known same-source "
    "and different-source pairs of a relevant population, obtained with the same method, parameters, instrument "
    "and kind of ammunition. "
)
UNWEIGHED = (_NO_WEIGHT, _NEEDED + "No such population was used, so no likelihood ratio is given.")
DECLINED = (
    _NO_WEIGHT,
    _NEEDED + "The one that was given cannot carry a likelihood ratio for this comparison; the reason stands above.",
)
EVALUATED = (
    (
        "Not the probability that one firearm was used.",
        "The likelihood ratio says how much more probable the findings are under one proposition than under the other. "
        "How probable the propositions are depends also on all the other evidence, and is for the court.",
    ),
    (
        "Only for these propositions and this population.",
        "It weighs the two propositions stated, by scores of the reference population named. For other firearms, other "
        "ammunition or marks of another quality it may be wrong: whether the population is relevant to the case is for "
        "the examiner to judge and to state.",
    ),
    (
        "Only what was compared.",
        "It weighs one score of one kind of mark. Class characteristics, other marks and what the examiner saw "
        "are not in it, and its strength is limited to what the number of reference pairs can support.",
    ),
)
_ALWAYS = (
    (
        "Scores are not commensurable.",
        "They change with the method, its parameters, the preparation, the firearm, the ammunition and the condition "
        "of the marks. Counts of different rules, or of differently prepared marks, must not be compared with each "
        "other.",
    ),
    (
        "A low score is not an exclusion.",
        "One firearm can leave poor or different marks: light or partial contact, other ammunition, wear, dirt, "
        "damage.",
    ),
    (
        "Subclass characteristics.",
        "Marks of machining shared by consecutively made parts can agree in cells without coming from one firearm. "
        "Cells that agree only along straight or circular lines are counted separately. Other marks of one tool are "
        "not recognised: whether the agreeing cells show them is for the examiner to judge, on the pictures and the "
        "exhibits.",
    ),
    (
        "Thresholds come from the literature or from chance.",
        "Those of the published rules were published for particular firearms and ammunition (sources in the tables); "
        "that of the significance rule is computed from how often unrelated marks agree by chance, and does not know "
        "what marks of one class share. None was validated on these exhibits.",
    ),
)


def limits(status: Status | None) -> tuple[tuple[str, str], ...]:
    """Return what the numbers do not say, as heading and text, by what came of the weighing.

    Parameters
    ----------
    status : {"evaluated", "insufficient", "outside range", "refused"} or None
        Of the likelihood ratio; None when no reference population was given.
    """
    if status == "evaluated":
        return (*EVALUATED, *_ALWAYS)
    return (LEAD, UNWEIGHED if status is None else DECLINED, *_ALWAYS)


@dataclass(frozen=True)
class Source:
    """A citation, taken apart so that its DOI can be a link."""

    text: str
    doi: str | None


def source_of(reference: str) -> Source:
    """Take a reference apart.

    Examples
    --------
    >>> source_of("Tong 2015, doi:10.6028/jres.120.008")
    Source(text='Tong 2015', doi='10.6028/jres.120.008')
    """
    found = _DOI.search(reference)
    if found is None:
        return Source(reference, None)
    return Source((reference[: found.start()] + reference[found.end() :]).strip(" ,;"), found.group(1))


def unit_of(rule: RuleResult) -> str:
    """Return the unit of a rule's score."""
    return str(rule.parameters.get("unit", "cells"))


def score_text(rule: RuleResult) -> str:
    """Return the score with its unit, e.g. ``"24 cells"`` or ``"87.3 % of area"``."""
    unit = unit_of(rule)
    return f"{rule.score:.1f} {unit}" if "%" in unit else f"{rule.score:.0f} {unit}"


def similarity_text(comparison: ImpressionComparison) -> str:
    """Return the similarity with its unit and what it is near to by chance.

    Examples
    --------
    >>> similarity_text(ImpressionComparison("breech face"))
    'not measured'
    """
    found = comparison.similarity
    if found is None:
        return "not measured"
    return (
        "insufficient" if found.insufficient is not None else f"{found.score:.0f} nats (by chance: some tens at most)"
    )


def similarity_sentence(comparison: ImpressionComparison) -> str:
    """Return how much the marks agree in all wavelengths, number first; empty when that was not measured.

    Examples
    --------
    >>> similarity_sentence(ImpressionComparison("breech face"))
    ''
    """
    found = comparison.similarity
    if found is None or found.insufficient is not None or comparison.overlap_um2 <= 0:
        return ""
    area_mm2 = comparison.overlap_um2 / 1e6
    score = f"{found.score:.0f}".replace("-", "−")
    return (
        f"The marks agree by {score} nats over {area_mm2:.2f} mm²; marks of different firearms reach some tens by "
        "chance and by the form that a class shares."
    )


def counts_sentence(comparison: ImpressionComparison, name: str = HEADLINE_RULE) -> str:
    """Return what one rule counted, numbers first: how many cells of how many, in both directions.

    Examples
    --------
    >>> counts_sentence(ImpressionComparison("breech face", insufficient="only 3 cells"))
    'No comparison is stated: only 3 cells.'
    """
    if comparison.insufficient is not None:
        return f"No comparison is stated: {comparison.insufficient}."
    search_a, search_b = comparison.a_in_b, comparison.b_in_a
    if search_a is None or search_b is None:
        return "No cells were searched."
    rule = comparison.rules[name]
    return (
        f"{rule.a_in_b.count} of {search_a.n_cells} cells of A and "
        f"{rule.b_in_a.count} of {search_b.n_cells} cells of B agree "
        f"under the {name} rule ({source_of(rule.source).text})."
    )


def regular_marks_sentence(comparison: ImpressionComparison) -> str:
    """Return how many of the headline rule's congruent cells agree only by regular marks; empty without such marks.

    Examples
    --------
    >>> regular_marks_sentence(ImpressionComparison("breech face", insufficient="only 3 cells"))
    ''
    """
    search_a, search_b = comparison.a_in_b, comparison.b_in_a
    if search_a is None or search_b is None or not any(s.regular and s.regular.patterns for s in (search_a, search_b)):
        return ""
    rule = comparison.rules[HEADLINE_RULE]
    return (
        f"Of them {search_a.explained_count(rule.a_in_b)} of {rule.a_in_b.count} cells of A and "
        f"{search_b.explained_count(rule.b_in_a)} of {rule.b_in_a.count} cells of B agree only by regular "
        "manufacturing marks, which firearms cut by one tool can share."
    )
