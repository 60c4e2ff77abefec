"""The weight of evidence of a comparison as reports show it: its sentences and its pictures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ballistics.errors import ParameterError
from ballistics.evidence import VerbalScale, Weighed, Wording, format_ratio, phrase
from ballistics.methods import scored_as


@dataclass(frozen=True)
class Evaluation:
    """A weighed comparison with what a report needs to say it.

    Parameters
    ----------
    weighed : Weighed
        The likelihood ratio, or the reason why there is none.
    language : str
        Language of the sentences, of `ballistics.evidence.wording.catalogues.languages`.
    scale : VerbalScale
        The verbal scale: ENFSI's, or the lab's own.
    options : tuple of str
        The words of the command line that gave it, file names without folders.
    """

    weighed: Weighed
    language: str
    scale: VerbalScale
    options: tuple[str, ...] = ()

    @cached_property
    def wording(self) -> Wording:
        """The sentences, in the order they must be read."""
        return phrase(self.weighed.result, self.language, self.scale)

    @property
    def evaluated(self) -> bool:
        """Whether there is a likelihood ratio: only then is the report an evaluative one."""
        return self.weighed.result.status == "evaluated"

    @property
    def score_name(self) -> str:
        """Which score was weighed, in words."""
        return _score_name(self.weighed)

    @property
    def beside(self) -> tuple[str, ...]:
        """What the other scores say, each in a few words: its likelihood ratio, or why it has none."""
        return tuple(_beside(other) for other in self.weighed.beside)

    @property
    def basis(self) -> str:
        """One sentence on which score was weighed, and what the others say beside it."""
        if not self.beside:
            return f"Weighed: {self.score_name}."
        others = "; ".join(self.beside)
        return f"Weighed: {self.score_name}. Beside it, other views of the same marks, not to be multiplied: {others}."

    def __repr__(self) -> str:
        return f"<Evaluation: {' '.join(self.wording.number)}>"

    def __str__(self) -> str:
        return "\n".join(self.wording.sentences)


def refuse_half_translated(evaluation: Evaluation | None) -> None:
    """Refuse to show sentences of another language on a page that is in English: a page has one language.

    Raises
    ------
    ParameterError
    """
    if evaluation is not None and evaluation.language != "en":
        raise ParameterError(
            f"a report is in one language, and its page exists in English only: the weight of evidence in "
            f"'{evaluation.language}' would stand alone in it. Write the report without --language; the sentences in "
            f"'{evaluation.language}' stand in the JSON (--json) and in the terminal"
        )


def _score_name(weighed: Weighed) -> str:
    return scored_as(weighed.system.population.conditions.mark_kind).score_names[weighed.score]


def _beside(other: Weighed) -> str:
    """Say the likelihood ratio of a score that does not carry the evidence, or why there is none."""
    result, name = other.result, _score_name(other)
    if result.log10_lr is None:
        return f"{name}, no likelihood ratio ({result.reason})"
    out_of = "" if result.cells is None else f" of {result.cells}"
    return f"{name} {result.score:.4g}{out_of}, likelihood ratio {format_ratio(result.log10_lr)}"


def evaluation_figures(evaluation: Evaluation) -> tuple[tuple[str, str, str], ...]:
    """Return title, text and picture (data URI) of each figure, the case's point in each; none without a value.

    The Tippett plot shows source-disjoint likelihood ratios of the population's own pairs; a population of fewer
    than four firearms, or one that cannot be divided, has none.
    """
    from ballistics.evidence import cllr, cross_validate
    from ballistics.reports.figures.evidence import bound_lines, score_densities, svg_data_uri, tippett

    result, system = evaluation.weighed.result, evaluation.weighed.system
    if result.log10_lr is None or result.bounds is None:
        return ()
    table = system.population.table
    figures = [
        (
            "Scores of the reference population",
            f"How the score is distributed among the {result.n_same} same-source and {result.n_different} "
            "different-source pairs; the line is this case.",
            svg_data_uri(score_densities(table, result.score, evaluation.score_name)),
        )
    ]
    try:
        cross = cross_validate(table, system.model)
    except ParameterError:
        return tuple(figures)
    figure = bound_lines(tippett(cross.log10_lr, table.same_source, result.log10_lr), result.bounds)
    figures.append(
        (
            "Likelihood ratios of the reference population",
            "Tippett plot: the share of each kind of pair whose likelihood ratio, computed from firearms other than "
            f"its own, is at least the value below (Cllr {cllr(cross.log10_lr, table.same_source):.3f}; 0 would be "
            "perfect, 1 is no information). The line is this case; no value beyond the bounds is reported.",
            svg_data_uri(figure),
        )
    )
    return tuple(figures)
