"""Records of an examination: what was observed, compared and concluded, by whom, and in which order it was seen.

The order follows sequential unmasking (Dror, Kukucka 2021, doi:10.1016/j.fsisyn.2021.100161): an examiner records what
is seen on the items, then a conclusion, before the score of a comparison and the information on the case are shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ballistics.casework.fields import (
    EXAMINER,
    REVIEWER,
    Record,
    choice,
    choices,
    file_hash,
    file_hashes,
    number,
    reference,
    references,
    text,
    texts,
    yes,
)

#: What a comparison of all marks of two cartridge cases states as its mark; that of two bullets says ``"bullet"``.
CARTRIDGE_HEAD = "cartridge-case head"


@dataclass(frozen=True)
class Observation(Record):
    """What an examiner saw on items, before any comparison of scores."""

    KIND: ClassVar[str] = "observation"
    BY: ClassVar[tuple[str, ...]] = (EXAMINER,)

    case: str = reference("the case", "case", needed=True)
    items: tuple[str, ...] = references("the items", "item", needed=True)
    suitability: str = choice("whether the marks can be compared", "suitability", needed=True)
    seen: str = text("what was seen: class characteristics, marks, damage", needed=True)


@dataclass(frozen=True)
class Comparison(Record):
    """A comparison of two items, as the program made it; its whole result is a kept file.

    Of two scans of one kind of mark; or of two bullets by the scans of their lands, or two heads by the scans of their
    marks: then all scans of A come first, and those of B after them.
    """

    KIND: ClassVar[str] = "comparison"
    BY: ClassVar[tuple[str, ...]] = (EXAMINER,)

    case: str = reference("the case", "case", needed=True)
    scans: tuple[str, ...] = references("the two scans, or all scans of A and then of B", "scan", needed=True)
    mark: str = text("which mark was compared", needed=True)
    method: str = text("the method", needed=True)
    version: str = text("its version", needed=True)
    result: str = file_hash("the result, JSON as `ballistics compare --json` writes it", needed=True)
    settings: tuple[str, ...] = texts("parameters that were set, NAME=VALUE")
    score: float | None = number("the score that carries the evidence")
    insufficient: str = text("why no comparison was possible")
    log10_lr: float | None = number("log10 of the likelihood ratio")
    log10_lower: float | None = number("lower end of its interval")
    log10_upper: float | None = number("upper end of its interval")
    no_lr: str = text("why no likelihood ratio is stated")
    population: str = file_hash("the reference population, as a file")
    populations: tuple[str, ...] = file_hashes("those of several kinds of mark, as files")
    findings: tuple[str, ...] = texts("what was noticed: severity, code, sentence")


@dataclass(frozen=True)
class Conclusion(Record):
    """An examiner's own conclusion on a scale, with reasons."""

    KIND: ClassVar[str] = "conclusion"
    BY: ClassVar[tuple[str, ...]] = (EXAMINER, REVIEWER)

    case: str = reference("the case", "case", needed=True)
    items: tuple[str, ...] = references("the items it is about", "item", needed=True)
    scale: str = choice("the scale", "conclusion scales", needed=True)
    value: str = text("a step of the scale", needed=True)
    reasons: str = text("why", needed=True)
    verifies: str = reference("the conclusion of the first examiner, which a second one verifies", "conclusion")
    after_unmasking: bool = yes("it was recorded, or changed, after scores or information had been shown")


@dataclass(frozen=True)
class Unmasking(Record):
    """What was shown to an examiner of a blind case, and when."""

    KIND: ClassVar[str] = "unmasking"
    BY: ClassVar[tuple[str, ...]] = (EXAMINER, REVIEWER)

    case: str = reference("the case", "case", needed=True)
    conclusion: str = reference("the conclusion that the examiner had recorded before", "conclusion", needed=True)
    shown: tuple[str, ...] = choices("what was shown", "masked things", needed=True)


@dataclass(frozen=True)
class Resolution(Record):
    """How a disagreement of two examiners was resolved; both conclusions stay."""

    KIND: ClassVar[str] = "resolution"
    BY: ClassVar[tuple[str, ...]] = (REVIEWER,)

    case: str = reference("the case", "case", needed=True)
    conclusions: tuple[str, ...] = references("the conclusions that differ", "conclusion", needed=True)
    value: str = text("the step of the scale that is reported, or that none is", needed=True)
    reasons: str = text("why", needed=True)
