"""How well a firearm of the registry answers a question: a cost for each field that disagrees, and why, in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from rapidfuzz import fuzz

from ballistics.registry.serials import SerialDifference, SerialPattern, difference
from ballistics.registry.spelling import calibre_key, maker_key, name_key


@dataclass(frozen=True)
class Costs:
    """What a disagreement costs; the firearm with the least cost comes first. Chosen beforehand, fitted to nothing.

    Parameters
    ----------
    serial : dict
        By the kind of `SerialDifference`.
    each : float
        Of every further character that differs.
    make, model, calibre : float
        Of a name that differs. A make less than a misread character: the whole serial read rightly comes before another
        serial of the make, because registers err in makes.
    not_recorded : float
        Share of the cost of a name that the registry does not state.
    spelled : float
        Of a name in another script or spelling, or another name of the same maker or calibre.
    contained : float
        Of a name that is part of the other.
    least_ratio : float
        Percentage of letters in common (Indel similarity) from which two names resemble each other.
    """

    serial: dict[str, float] = field(
        default_factory=lambda: {
            "same": 0.0,
            "written": 0.05,
            "fits": 0.1,
            "looks": 0.3,
            "similar": 1.5,
            "swapped": 1.6,
            "missing": 2.0,
            "added": 2.0,
            "changed": 2.0,
            "far": 3.0,
        }
    )
    each: float = 0.3
    make: float = 1.9
    model: float = 1.5
    calibre: float = 2.0
    not_recorded: float = 0.25
    spelled: float = 0.1
    contained: float = 0.3
    least_ratio: float = 75.0


COSTS = Costs()


@dataclass(frozen=True)
class Candidate:
    """A serial of the registry, with the names of its firearm."""

    firearm: int
    component: str
    serial: str
    make: str
    model: str
    calibre: str


@dataclass(frozen=True)
class Agreement:
    """How well a candidate answers: the cost, the part of names in it, and a reason for each field asked about."""

    cost: float
    of_names: float
    reasons: tuple[str, ...]


def agreement(
    patterns: tuple[SerialPattern, ...],
    asked: tuple[str, str, str],
    candidate: Candidate,
    costs: Costs = COSTS,
) -> Agreement:
    """Return how well a candidate answers a question.

    Parameters
    ----------
    patterns : tuple of SerialPattern
        The serial as read, by look and by sound; empty when none was given.
    asked : (str, str, str)
        Make, model and calibre; empty where nothing is asked.
    candidate : Candidate
    costs : Costs

    Examples
    --------
    >>> from ballistics.registry.serials import read_pattern
    >>> found = Candidate(1, "", "А-12346", "Застава", "M70", "7,62x39")
    >>> for reason in agreement(read_pattern("A12345"), ("Zastava", "", "7.62 x 39 M43"), found).reasons:
    ...     print(reason)
    serial А-12346: place 6 is 6, read as 5, which is often misread
    make Застава: Zastava in another script or spelling
    calibre 7,62x39: another name of 7.62 x 39 M43
    """
    total, of_names, reasons = 0.0, 0.0, []
    if patterns:
        seen = min(
            (difference(pattern, candidate.serial) for pattern in patterns), key=lambda seen: serial_cost(seen, costs)
        )
        total += serial_cost(seen, costs)
        reasons.append(seen.words + (f" (of its {candidate.component})" if candidate.component else ""))
    make, model, calibre = asked
    for name, wanted, recorded, key, other_name, weight in (
        ("make", make, candidate.make, maker_key, name_key, costs.make),
        ("model", model, candidate.model, name_key, name_key, costs.model),
        ("calibre", calibre, candidate.calibre, calibre_key, name_key, costs.calibre),
    ):
        if wanted:
            cost, reason = _name(name, wanted, recorded, key, other_name, weight, costs)
            of_names += cost
            reasons.append(reason)
    return Agreement(round(total + of_names, 6), round(of_names, 6), tuple(reasons))


def serial_cost(seen: SerialDifference, costs: Costs = COSTS) -> float:
    """Return what a difference of serials costs."""
    return costs.serial[seen.kind] + costs.each * max(0, seen.count - 1)


def _name(
    name: str,
    wanted: str,
    recorded: str,
    key: Callable[[str], str],
    spelling: Callable[[str], str],
    weight: float,
    costs: Costs,
) -> tuple[float, str]:
    if not recorded:
        return weight * costs.not_recorded, f"{name} is not recorded"
    said = f"{name} {recorded}"
    if wanted.casefold() == recorded.casefold():
        return 0.0, f"{said} is the same"
    if spelling(wanted) == spelling(recorded):
        return costs.spelled, f"{said}: {wanted} in another script or spelling"
    if key(wanted) == key(recorded):
        return costs.spelled, f"{said}: another name of {wanted}"
    if name != "calibre":
        ours, theirs = sorted((key(wanted), key(recorded)), key=len)
        if len(ours) >= 3 and ours in theirs:
            how = "contains" if theirs == key(recorded) else "is part of"
            return costs.contained, f"{said} {how} {wanted}"
        ratio = fuzz.ratio(ours, theirs)
        if ratio >= costs.least_ratio:
            return (
                costs.contained + weight * (1 - ratio / 100) / 2,
                f"{said} resembles {wanted}: {ratio:.0f} % of the letters in common",
            )
    return weight, f"{said} is not {wanted}"
