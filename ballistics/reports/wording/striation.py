"""What a comparison of striated marks, and of two bullets, says in plain words, and what it does not say."""

from __future__ import annotations

import math

from ballistics.evidence import Status
from ballistics.reports.wording.comparison import DECLINED, EVALUATED, LEAD, UNWEIGHED
from ballistics.reports.wording.values import fixed_text, with_minus
from ballistics.striations import BulletComparison, StriationComparison

_ALWAYS = (
    (
        "Scores are not commensurable.",
        "They change with the method, its parameters, the length and the band of the signatures, the instrument, the "
        "firearm or tool and the condition of the marks. Nats, segments and runs of striae must not be compared with "
        "one another.",
    ),
    (
        "A low score is not an exclusion.",
        "One barrel or tool can leave poor or different marks: slippage, wear, dirt, damage, another angle, or a wrong "
        "end of the land.",
    ),
    (
        "Subclass characteristics.",
        "One broach, button or grinding tool can leave the same coarse lines in several barrels or on several edges. "
        "Agreement that lies in the long waves only is a reason to think of that: look at the octaves.",
    ),
    (
        "The ends of a mark decide much.",
        "Where a groove shoulder was taken for land, or land for shoulder, all that follows is wrong. Look at the "
        "pictures of the steps before any number.",
    ),
)


def striation_limits(status: Status | None) -> tuple[tuple[str, str], ...]:
    """Return what the numbers do not say, as heading and text, by what came of the weighing.

    Parameters
    ----------
    status : {"evaluated", "insufficient", "outside range", "refused"} or None
        Of the likelihood ratio; None when no reference population was given.
    """
    if status == "evaluated":
        return (*EVALUATED, *_ALWAYS)
    return (LEAD_STRIATED, UNWEIGHED if status is None else DECLINED, *_ALWAYS)


LEAD_STRIATED = (
    LEAD[0],
    "An agreement in nats, a count of segments or a run of striae is not the probability that two marks come from one "
    "barrel or tool, and no threshold was applied here to call it one or the other. The report gives a lead to be "
    "checked by an examiner; it is not an evaluative report.",
)


BULLETS_LIMIT = (
    "The probability of the phase is no error rate.",
    "It says how often lands in an arbitrary order would show such a phase, when every order of these very lands is "
    "equally likely. It does not say how often bullets of different barrels do: no population of barrels is in it.",
)


def kind_in_plural(kind: str) -> str:
    """Return the name of a kind of mark for two of them.

    Examples
    --------
    >>> kind_in_plural("land engraved area"), kind_in_plural("aperture shear")
    ('land engraved areas', 'aperture shear marks')
    """
    return f"{kind}s" if kind.endswith(("mark", "area")) else f"{kind} marks"


def striation_sentence(comparison: StriationComparison) -> str:
    """Return how much two striated marks agree, number first, or why nothing is stated.

    Examples
    --------
    >>> striation_sentence(StriationComparison("land engraved area", insufficient="no arc of a bullet"))
    'No comparison is stated: no arc of a bullet.'
    """
    found = comparison.similarity
    if comparison.insufficient is not None or found is None:
        return f"No comparison is stated: {comparison.insufficient or 'nothing was compared'}."
    return (
        f"The marks agree by {with_minus(f'{found.score:.0f}')} nats over {found.overlap_um / 1000:.2f} mm; marks of "
        "different sources reach some nats by chance."
    )


def counts_of_striae(comparison: StriationComparison) -> str:
    """Return the field's counts in one sentence; empty when insufficient."""
    if comparison.a_in_b is None or comparison.b_in_a is None or comparison.striae is None:
        return ""
    a, b, striae = comparison.a_in_b, comparison.b_in_a, comparison.striae
    return (
        f"{a.count} of {a.segments} segments of A agree on one place on B, {b.count} of {b.segments} of B on one on A "
        f"(CMPS). "
        f"{striae.matches} striae match and {striae.mismatches} do not; the longest run that matches is {striae.cms} "
        "(CMS)."
    )


def bullets_sentence(bullets: BulletComparison) -> str:
    """Return the result for two bullets, number first, or why nothing is stated."""
    if bullets.insufficient is not None or bullets.phase is None:
        return f"No comparison is stated: {bullets.insufficient}."
    mean = bullets.phase_means[bullets.phase]
    return (
        f"In the best of {len(bullets.phase_means)} phases {bullets.pairs} pairs of lands agree by "
        f"{with_minus(f'{mean:.0f}')} nats on average, {margin_text(bullets)}."
    )


def margin_text(bullets: BulletComparison) -> str:
    """Return by how much the best phase exceeds the next, in words."""
    if not math.isfinite(bullets.margin):
        return "and no other phase has a pair to compare it with"
    return f"{with_minus(f'{bullets.margin:.0f}')} more than in the next"


def chance_sentence(bullets: BulletComparison) -> str:
    """Return how often lands in an arbitrary order show such a phase; empty when insufficient."""
    if bullets.insufficient is not None or not math.isfinite(bullets.probability):
        return ""
    return (
        f"If the lands of B stood in any order, each as likely, a phase as good as this would be among them with "
        f"probability {fixed_text(bullets.probability, 4)}; {len(bullets.phase_means)} lands cannot show less than "
        f"{fixed_text(len(bullets.phase_means) / math.factorial(len(bullets.phase_means)), 4)}."
    )
