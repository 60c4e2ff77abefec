"""What a validation study says in plain words: what was tested, how often it erred, what it does not say."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ballistics.evidence import Study
from ballistics.methods import BULLET
from ballistics.reports.wording.striation import kind_in_plural
from ballistics.studies import ScanStudy
from ballistics.surfaces import HEAD_MARKS

# Each: what a reader may take the numbers for, and why they are not that.
LIMITS = (
    (
        "Not the probability that a firearm was used.",
        "A likelihood ratio says how much more probable the findings are if both cartridge cases were fired in one "
        "firearm than if in two. How probable it is that they were depends also on all the other evidence, and is "
        "for the court.",
    ),
    (
        "Not the error rate of a case.",
        "The rates hold for comparisons like those tested: these firearms, this ammunition, this instrument, marks of "
        "this quality. For other firearms, damaged or partial marks they may be higher.",
    ),
    (
        "No error seen is not no error.",
        "From a limited number of comparisons only an upper limit of the error rate follows; it stands beside each "
        "rate. Comparisons that share a firearm are not independent, so the limits count firearms, not comparisons.",
    ),
    (
        "Not the work of an examiner.",
        "Only the computation was tested, not the decisions of people: which exhibits were chosen, how they were "
        "scanned, whether marks common to a whole production run were recognised.",
    ),
    (
        "Not beyond the bounds.",
        "No likelihood ratio above the upper or below the lower bound is reported, however clear the pictures look: "
        "so few comparisons cannot support more.",
    ),
)


@dataclass(frozen=True)
class Nouns:
    """What made the marks of a study, and what they are on, in the singular; the plural has an s."""

    source: str = "firearm"
    item: str = "cartridge case"


_NOUNS = {
    "land engraved area": Nouns("land", "land engraved area"),
    "bullet": Nouns("barrel", "bullet"),
    "tool mark": Nouns("edge", "tool mark"),
}
_WHICH = {
    "land": " A land is one of a barrel: two of one barrel are two sources.",
    "edge": " An edge is one of a tool: two of one tool are two sources.",
}
# Sentences about firing that do not hold of a land or an edge, before single words are exchanged.
_PHRASES = (
    ("Not the probability that a firearm was used", "Not the probability of one source"),
    ("were fired in one firearm than if in two", "are of one {source} than if of two"),
    ("Fired in one firearm", "Of one {source}"),
    ("Fired in two firearms", "Of two {source}s"),
    ("one firearm fired both", "one {source} made both"),
)


def nouns(mark_kind: str) -> Nouns:
    """Return what a study of a kind of mark, or of bullets, calls sources and items.

    Examples
    --------
    >>> nouns("bullet").source, nouns("breech face").source, nouns("land engraved area").source
    ('barrel', 'firearm', 'land')
    """
    return _NOUNS.get(mark_kind, Nouns())


def saying(mark_kind: str) -> Callable[[str], str]:
    """Return what puts a sentence of a study, written of firearms and cartridge cases, in the words of a kind of mark.

    Examples
    --------
    >>> say = saying("bullet")
    >>> say("Fired in two firearms, but the result pointed to one"), say("Firearms with any such misleading result")
    ('Of two barrels, but the result pointed to one', 'Barrels with any such misleading result')
    >>> saying("breech face")("Fired in two firearms")
    'Fired in two firearms'
    """
    own = nouns(mark_kind)
    if own == Nouns():
        return lambda text: text

    def said(text: str) -> str:
        for written, instead in _PHRASES:
            text = text.replace(written, instead.format(source=own.source))
        for word, instead in (("cartridge case", own.item), ("firearm", own.source)):
            text = re.sub(rf"\b{word}(?=s?\b)", instead, text)
            text = re.sub(rf"\b{word.capitalize()}(?=s?\b)", instead.capitalize(), text)
        return text

    return said


def limits(mark_kind: str) -> tuple[tuple[str, str], ...]:
    """Return what the numbers of a study do not say, each with the reason."""
    say = saying(mark_kind)
    return tuple((say(what), say(why)) for what, why in LIMITS)


def percent(share: float) -> str:
    """Return a share with as many digits as its size deserves.

    Examples
    --------
    >>> percent(0.0), percent(0.0042), percent(0.259), percent(1.0)
    ('0 %', '0.42 %', '26 %', '100 %')
    """
    return f"{100 * share:.2g} %" if share < 0.995 else f"{100 * share:.0f} %"


def ratio(log10_lr: float) -> str:
    """Return a likelihood ratio as people say it, two digits.

    Examples
    --------
    >>> ratio(2.85), ratio(-1.81), ratio(0.0)
    ('710', '1/65', '1')
    """
    size = 10.0 ** abs(log10_lr)
    digits = round(size, 2 - len(str(int(size)))) if size < 1e15 else size
    text = f"{digits:,.0f}".replace(",", " ") if digits >= 10 else f"{size:.2g}"
    return f"1/{text}" if log10_lr < 0 and text != "1" else text


def number(value: float | None, digits: int = 3) -> str:
    """Return a number with a true minus; a dash for none."""
    # Not −0.00.
    return "–" if value is None else f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def what_was_tested(study: ScanStudy) -> tuple[str, ...]:
    """Return what was tested, in sentences."""
    scans = study.scored.scans
    used = [scan for scan in scans if not scan.left_out]
    same, different = study.outcomes(True), study.outcomes(False)
    source = nouns(study.scored.mark_kind).source
    if study.scored.mark_kind not in HEAD_MARKS:
        sentences = _of_other_items(study, len(used), len({scan.truth.firearm for scan in used}))
    else:
        sentences = _of_cartridge_cases(study, len(used), len({scan.truth.firearm for scan in used}))
    insufficient = same.insufficient + different.insufficient
    if insufficient:
        sentences.append(
            f"{insufficient} of the pairs gave no result, because a mark did not suffice for a comparison "
            f"({same.insufficient} of one {source}, {different.insufficient} of two). They are not in the rates below."
        )
    withheld = same.withheld + different.withheld
    if withheld:
        sentences.append(
            f"For {withheld} of the pairs no likelihood ratio would be stated, because something was wrong with a "
            f"file, for example a mirrored scan ({same.withheld} of one {source}, {different.withheld} of two). They "
            "are not in the rates below; the full report shows them, and the rates with them."
        )
    left_out = len(scans) - len(used)
    if left_out:
        sentences.append(f"{left_out} further scan(s) could not be used; the full report lists each with the reason.")
    return tuple(sentences)


def _of_other_items(study: ScanStudy, scans: int, sources: int) -> list[str]:
    """Return what was tested where the items are no cartridge cases and a firearm is no source of a single mark."""
    same, different = study.outcomes(True).pairs, study.outcomes(False).pairs
    kind = study.scored.mark_kind
    source = nouns(kind).source
    made = "made both than if two did"
    if kind == BULLET:
        begin = f"A computer program compared whole bullets, all lands with all: {scans} bullets of {sources} barrels."
        made = "fired both than if two did"
    else:
        begin = f"A computer program compared {kind_in_plural(kind)}: {scans} scans of {sources} {source}s."
    return [
        f"{begin} Of each it is known what made it.{_WHICH.get(source, '')}",
        f"Every {'bullet' if kind == BULLET else 'scan'} was compared with every other: {same} pairs of one {source}, "
        f"and {different} pairs of two.",
        "For each pair the program gave a likelihood ratio: how many times more probable the findings are if one "
        f"{source} {made}. It was computed from other {source}s only: the program had never been told anything about "
        "these two.",
    ]


def _of_cartridge_cases(study: ScanStudy, scans: int, firearms: int) -> list[str]:
    """Return what was tested of marks on cartridge cases."""
    same, different = study.outcomes(True), study.outcomes(False)
    return [
        f"A computer program compared {study.scored.mark_kind} marks on cartridge cases: {scans} scans of cases "
        f"fired in {firearms} firearms, for each of which it is known which "
        "firearm fired it.",
        f"Every case was compared with every other: {same.pairs} pairs fired in one firearm, and {different.pairs} "
        "pairs fired in two.",
        "For each pair the program gave a likelihood ratio: how many times more probable the findings are if one "
        "firearm fired both than if two did. It was computed from other firearms only: the program had never been "
        "told anything about these two.",
    ]


def erred(study: Study, mark_kind: str) -> tuple[tuple[str, str, str], ...]:
    """Return how often the method misled: what, how often, and the most that it may be (95 % limit).

    The limit of the pairs is the larger of that by pairs, as if independent, and that by firearms.
    """
    m, limits = study.metrics, study.intervals
    failing, say = m.misleading_firearms, saying(mark_kind)
    return (
        (
            say("Fired in one firearm, but the result pointed to two"),
            f"{m.misleading_same} of {m.n_same} pairs",
            percent(max(m.misleading_same_limit, limits.misleading_same_rate.high or 0.0)),
        ),
        (
            say("Fired in two firearms, but the result pointed to one"),
            f"{m.misleading_different} of {m.n_different} pairs",
            percent(max(m.misleading_different_limit, limits.misleading_different_rate.high or 0.0)),
        ),
        (
            say("Firearms with any such misleading result"),
            say(f"{failing} of {m.n_firearms} firearms"),
            percent(m.misleading_firearms_limit),
        ),
    )


def support(study: Study, mark_kind: str) -> str:
    """Return what the strongest results may be, in one sentence."""
    bounds = study.bounds
    return saying(mark_kind)(
        "The strongest result that this number of comparisons can support is a likelihood ratio of "
        f"{ratio(bounds.upper)} for one firearm, and of {ratio(bounds.lower)} (that is, {ratio(-bounds.lower)} for two "
        "firearms). Stronger ones are cut to these."
    )


def quality(study: Study, mark_kind: str) -> str:
    """Return Cllr and what it means, in one sentence."""
    m = study.metrics
    return saying(mark_kind)(
        f"The overall cost of the likelihood ratios (Cllr) is {number(m.cllr)}{_between(study)}: 0 would be perfect, 1 "
        "is the value of a method that gives no information. "
        f"Of it, {number(m.cllr_cal)} is due to ratios that are too large, too small, or cut to the bounds."
    )


def _between(study: Study) -> str:
    limits = study.intervals.cllr
    if limits.low is None or limits.high is None:
        return ""
    return f" (with other firearms perhaps {number(limits.low)} to {number(limits.high)})"
