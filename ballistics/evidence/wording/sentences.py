"""A likelihood ratio in sentences: the number first, then the words, both propositions stated."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ballistics.evidence.likelihood_ratio import PROPOSITIONS, LikelihoodRatio
from ballistics.evidence.wording.catalogues import confirmed, translations
from ballistics.evidence.wording.verbal_scale import VerbalScale

_DIGITS = 3

MESSAGES = (
    "Proposition 1",
    "Proposition 2",
    "The two items were marked by the same firearm.",
    "The two items were marked by different firearms.",
    "The findings are {number} times more probable if proposition 1 is true than if proposition 2 is true.",
    "The findings are {number} times more probable if proposition 2 is true than if proposition 1 is true.",
    "The findings are equally probable if either proposition is true.",
    "Likelihood ratio: {ratio}; 5 % to 95 % interval: {low} to {high}.",
    "Likelihood ratio: {ratio}; no interval: the reference population has too few firearms.",
    "This value is at the bound: the reference population cannot support a more extreme one.",
    "In words: {support} for proposition 1 relative to proposition 2.",
    "In words: {support} for proposition 2 relative to proposition 1.",
    "In words: no support for one proposition over the other.",
    "Verbal scale: {source}",
    "Reference population: {name}; same-source pairs: {same}; different-source pairs: {different}; "
    "firearms: {firearms}.",
    "This is a statement about the findings; it does not say how probable either proposition is.",
    "No likelihood ratio can be given: {reason}",
    "insufficient",
    "outside the range of the reference population",
    "refused: the comparison differs from the reference population",
    "Translation to be confirmed by the laboratory.",
    "Likelihood ratio: {ratio}; the whole 5 % to 95 % interval lies at or beyond the bound.",
    *(sentence for pair in PROPOSITIONS.values() for sentence in (pair.same_source, pair.different_source)),
)
"""Every sentence of the catalogues, besides the words of the verbal scale."""

_REASONS = {
    "insufficient": "insufficient",
    "outside range": "outside the range of the reference population",
    "refused": "refused: the comparison differs from the reference population",
}


@dataclass(frozen=True)
class Wording:
    """The sentences of one result, in the order they must be read.

    Parameters
    ----------
    language : str
        Language of the texts.
    propositions : tuple of str
        Both propositions, labelled.
    number : tuple of str
        The value, its interval, and whether it sits on a bound – or why there is none.
    words : tuple of str
        The verbal equivalent and the scale it is from; empty without a value.
    basis : tuple of str
        The reference population, what the statement is not, and for translations that they
        are to be confirmed.
    """

    language: str
    propositions: tuple[str, ...]
    number: tuple[str, ...]
    words: tuple[str, ...]
    basis: tuple[str, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """All of them, in order."""
        return (*self.propositions, *self.number, *self.words, *self.basis)


def phrase(result: LikelihoodRatio, language: str = "en", scale: VerbalScale | None = None) -> Wording:
    """Put a result of the evidence room into sentences.

    Parameters
    ----------
    result : LikelihoodRatio
        Evaluated or not.
    language : str
        "en", "mk", "sq", "sr", "bs", "cnr" or "ro".
    scale : VerbalScale, optional
        The lab's own scale; the ENFSI scale when not given.

    Raises
    ------
    ParameterError
        For a language without a catalogue.
    """
    text = translations(language).gettext
    scale = scale or VerbalScale.load()
    propositions = (
        f"{text('Proposition 1')}: {text(result.propositions.same_source)}",
        f"{text('Proposition 2')}: {text(result.propositions.different_source)}",
    )
    basis = [
        text(MESSAGES[14]).format(
            name=result.population, same=result.n_same, different=result.n_different, firearms=result.n_firearms
        ),
        text("This is a statement about the findings; it does not say how probable either proposition is."),
    ]
    if not confirmed(language):
        basis.append(text("Translation to be confirmed by the laboratory."))
    if result.log10_lr is None:
        reason = text(_REASONS[result.status])
        number = (text("No likelihood ratio can be given: {reason}").format(reason=f"{reason} ({result.reason})."),)
        return Wording(language, propositions, number, (), (basis[0], *basis[2:]))
    return Wording(language, propositions, _number(result, language), _words(result, language, scale), tuple(basis))


def format_ratio(log10_lr: float, language: str = "en") -> str:
    """Return a likelihood ratio with three digits, never rounded away from 1.

    Thousands are set apart by a narrow space, which no language mistakes for a decimal sign; the
    decimal sign is a comma in every language but English.

    Examples
    --------
    >>> format_ratio(2.8493), format_ratio(-1.8056, "mk"), format_ratio(7.3)
    ('706', '0,0157', '1.99 × 10⁷')
    """
    exponent = math.floor(log10_lr + 1e-12)
    digits = 10 ** (log10_lr - exponent + _DIGITS - 1)
    # Towards 1, with a hair of tolerance so that 10 is not printed as 9.99.
    whole = math.floor(digits + 1e-6) if log10_lr > 0 else math.ceil(digits - 1e-6)
    if whole >= 10**_DIGITS:
        whole, exponent = whole // 10, exponent + 1
    places = _DIGITS - 1 - exponent
    if -4 <= exponent < 6:
        number = f"{whole * 10.0**-places:.{max(places, 0)}f}"
        whole_part, _, decimals = number.partition(".")
        decimals = decimals.rstrip("0")
        grouped = f"{int(whole_part):,}".replace(",", "\u202f")
        number = f"{grouped}.{decimals}" if decimals else grouped
    else:
        number = f"{whole / 10 ** (_DIGITS - 1):.{_DIGITS - 1}f} × 10{_superscript(exponent)}"
    return number if language == "en" else number.replace(".", ",")


def _number(result: LikelihoodRatio, language: str) -> tuple[str, ...]:
    text = translations(language).gettext
    value = result.log10_lr or 0.0
    if value == 0:
        sentences = [text("The findings are equally probable if either proposition is true.")]
    else:
        sentences = [text(MESSAGES[4 if value > 0 else 5]).format(number=format_ratio(abs(value), language))]
    if result.interval is None:
        sentences.append(text(MESSAGES[8]).format(ratio=format_ratio(value, language)))
    elif result.bound != "none" and result.interval[0] == result.interval[1]:
        # Two equal ends would read as if the value were known that precisely.
        sentences.append(text(MESSAGES[21]).format(ratio=format_ratio(value, language)))
    else:
        low, high = (format_ratio(end, language) for end in result.interval)
        sentences.append(text(MESSAGES[7]).format(ratio=format_ratio(value, language), low=low, high=high))
    if result.bound != "none":
        sentences.append(
            text("This value is at the bound: the reference population cannot support a more extreme one.")
        )
    return tuple(sentences)


def _words(result: LikelihoodRatio, language: str, scale: VerbalScale) -> tuple[str, ...]:
    text = translations(language).gettext
    value = result.log10_lr or 0.0
    band = scale.band(value)
    source = text("Verbal scale: {source}").format(source=f"{scale.name} ({scale.source})")
    if band is None:
        return text("In words: no support for one proposition over the other."), source
    support = band.translations.get(language) or text(band.words)
    return text(MESSAGES[10 if value > 0 else 11]).format(support=support), source


def _superscript(number: int) -> str:
    return str(number).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
