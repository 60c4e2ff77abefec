"""What a validation study says in plain words: what was tested, how often it erred, what it does not say."""

from __future__ import annotations

from ballistics.evidence import Study
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
    if study.scored.mark_kind not in HEAD_MARKS:
        sentences = _of_other_items(study, len(used), len({scan.truth.firearm for scan in used}))
    else:
        sentences = _of_cartridge_cases(study, len(used), len({scan.truth.firearm for scan in used}))
    insufficient = same.insufficient + different.insufficient
    if insufficient:
        sentences.append(
            f"{insufficient} of the pairs gave no result, because a mark did not suffice for a comparison "
            f"({same.insufficient} of one firearm, {different.insufficient} of two). They are not in the rates below."
        )
    withheld = same.withheld + different.withheld
    if withheld:
        sentences.append(
            f"For {withheld} of the pairs no likelihood ratio would be stated, because something was wrong with a "
            f"file, for example a mirrored scan ({same.withheld} of one firearm, {different.withheld} of two). They "
            "are not in the rates below; the full report shows them, and the rates with them."
        )
    left_out = len(scans) - len(used)
    if left_out:
        sentences.append(f"{left_out} further scan(s) could not be used; the full report lists each with the reason.")
    return tuple(sentences)


def _of_other_items(study: ScanStudy, scans: int, sources: int) -> list[str]:
    """Return what was tested where the items are no cartridge cases and a firearm is no source of a single mark."""
    same, different = study.outcomes(True).pairs, study.outcomes(False).pairs
    return [
        f"A computer program compared {kind_in_plural(study.scored.mark_kind)}: {scans} scans of {sources} sources. Of "
        "each it is known what made it. Where this report says firearm, it means that source: of single land engraved "
        "areas a land of a barrel, of tool marks an edge of a tool.",
        f"Every scan was compared with every other: {same} pairs of one source, and {different} pairs of two.",
        "For each pair the program gave a likelihood ratio: how many times more probable the findings are if one "
        "source made both marks than if two did. It was computed from other sources only: the program had never been "
        "told anything about these two.",
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


def erred(study: Study) -> tuple[tuple[str, str, str], ...]:
    """Return how often the method misled: what, how often, and the most that it may be (95 % limit).

    The limit of the pairs is the larger of that by pairs, as if independent, and that by firearms.
    """
    m, limits = study.metrics, study.intervals
    failing = m.misleading_firearms
    return (
        (
            "Fired in one firearm, but the result pointed to two",
            f"{m.misleading_same} of {m.n_same} pairs",
            percent(max(m.misleading_same_limit, limits.misleading_same_rate.high or 0.0)),
        ),
        (
            "Fired in two firearms, but the result pointed to one",
            f"{m.misleading_different} of {m.n_different} pairs",
            percent(max(m.misleading_different_limit, limits.misleading_different_rate.high or 0.0)),
        ),
        (
            "Firearms with any such misleading result",
            f"{failing} of {m.n_firearms} firearms",
            percent(m.misleading_firearms_limit),
        ),
    )


def support(study: Study) -> str:
    """Return what the strongest results may be, in one sentence."""
    bounds = study.bounds
    return (
        "The strongest result that this number of comparisons can support is a likelihood ratio of "
        f"{ratio(bounds.upper)} for one firearm, and of {ratio(bounds.lower)} (that is, {ratio(-bounds.lower)} for two "
        "firearms). Stronger ones are cut to these."
    )


def quality(study: Study) -> str:
    """Return Cllr and what it means, in one sentence."""
    m = study.metrics
    return (
        f"The overall cost of the likelihood ratios (Cllr) is {number(m.cllr)}{_between(study)}: 0 would be perfect, 1 "
        "is the value of a method that gives no information. "
        f"Of it, {number(m.cllr_cal)} is due to ratios that are too large, too small, or cut to the bounds."
    )


def _between(study: Study) -> str:
    limits = study.intervals.cllr
    if limits.low is None or limits.high is None:
        return ""
    return f" (with other firearms perhaps {number(limits.low)} to {number(limits.high)})"
