"""What a search says in words: a lead, where it may err, and what its numbers are not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ballistics.pairs import published_threshold

if TYPE_CHECKING:
    from ballistics.search import LibraryLead, SearchResult

LIMITS = (
    (
        "A lead, not a result.",
        "The list says which marks to look at first. Each lead has to be checked: by the full comparison "
        "(ballistics compare), and by an examiner on the exhibits.",
    ),
    (
        "No weight of evidence.",
        "No likelihood ratio is given. The best of many was picked, and a score that is rare between two marks is "
        "common among the best of many. The weight of one lead is a matter for a comparison of its own, against a "
        "reference population.",
    ),
    (
        "There is always a first place.",
        "Also when the library holds no mark of the same firearm. The order alone says nothing about source.",
    ),
    (
        "What is not in the list is not excluded.",
        "Light, partial or damaged marks, other ammunition, a mark that was described otherwise in the library or "
        "prepared by another method can keep a mark of the same firearm out of the list.",
    ),
    (
        "Subclass characteristics.",
        "Parts machined one after another can leave marks that agree without coming from one firearm.",
    ),
)


def searched_sentence(result: SearchResult) -> str:
    """Return how much was searched."""
    filtered = "; ".join(
        f"{name.replace('_', ' ')}: {' or '.join(values)} (or not stated)" for name, values in result.where.items()
    )
    how_many = f"{result.n_searched} of {result.n_marks}" if result.n_searched else f"None of {result.n_marks}"
    return (
        f"{how_many} marks of the library were searched"
        + (f", filtered by {filtered}" if filtered else "")
        + (f"; the {result.n_compared} best were compared." if result.n_compared else ".")
    )


def passed_over_sentences(result: SearchResult) -> list[str]:
    """Return which marks were not searched, and why."""
    sentences = [
        f"{count} {'mark was' if count == 1 else 'marks were'} not searched: {reason}."
        for reason, count in result.passed_over.items()
    ]
    sentences += [
        f"Mark {entry.id} ({entry.scan}) is the very scan that is searched for: it is not ranked."
        for entry in result.same_scan
    ]
    return sentences


def score_sentence(lead: LibraryLead) -> str:
    """Return what the comparison found."""
    if lead.insufficient is not None or lead.similarity is None or lead.accf is None:
        return f"not compared: {lead.insufficient}"
    cells = "" if lead.count is None else f"; {lead.count} of {lead.cells} cells agree"
    return f"similarity {lead.similarity:.1f}, correlation {lead.accf:.3f}{cells}".replace("-", "−")


def percentile_sentence(lead: LibraryLead, n_different: int) -> str:
    """Return how many known different-source pairs score as high.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> percentile_sentence(SimpleNamespace(at_or_above=0, percentile=100.0), 717)
    'above all 717 known different-source scores'
    """
    if lead.at_or_above is None or lead.percentile is None:
        return ""
    if lead.at_or_above == 0:
        return f"above all {n_different} known different-source scores"
    return f"{lead.at_or_above} of {n_different} known different-source scores are as high ({lead.percentile:.1f} %)"


@dataclass(frozen=True)
class ChanceLine:
    """Where, in a list of leads, scores begin that marks of different firearms are known to reach.

    Parameters
    ----------
    rank : int or None
        Of the first such lead; None when there is none, or where nothing is known of chance.
    text : str
        What stands at the line; without a line, why there is none.
    """

    rank: int | None
    text: str


def chance_line(result: SearchResult) -> ChanceLine:
    """Return where chance begins: by the population of known scores, or else by the threshold of `ballistics links`.

    A line is a help to read the list. It is no verdict: above it stand leads to look at, below it scores that unrelated
    marks are known to reach.
    """
    published = published_threshold(result.mark_kind)
    if result.background is not None:
        below = [lead.rank for lead in result.leads if lead.at_or_above is None or lead.at_or_above > 0]
        known = f"known different-source pairs of '{result.background.name}' reach such scores"
    elif published is not None:
        threshold, reason = published
        below = [lead.rank for lead in result.leads if lead.similarity is None or lead.similarity < threshold]
        known = f"the line stands at {reason}"
    else:
        return ChanceLine(
            None,
            f"No line is drawn where chance begins: no different-source scores of {result.mark_kind} marks are known.",
        )
    if not below:
        return ChanceLine(None, f"All leads shown stand above the line where chance begins ({known}).")
    return ChanceLine(min(below), f"From here on scores say little: {known}.")


def background_sentence(result: SearchResult) -> str:
    """Return which known scores the leads are compared with."""
    if result.background is None:
        return f"Scores are not compared with known different-source scores: {result.no_percentile}."
    population = result.background
    sentence = (
        f"Scores are compared with the {population.n_different} different-source pairs of the population "
        f"'{population.name}' ({population.n_firearms} firearms)."
    )
    return sentence + "".join(f" Caution: {caution}." for caution in population.cautions)
