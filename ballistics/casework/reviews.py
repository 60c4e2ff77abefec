"""Records from a draft to the release of a report: author, reviewer and authoriser are three persons (ISO 21043-5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ballistics.casework.fields import (
    AUTHORISER,
    CUSTODIAN,
    EXAMINER,
    REVIEWER,
    Record,
    choice,
    choices,
    file_hashes,
    number,
    reference,
    references,
    text,
    when,
)


@dataclass(frozen=True)
class Report(Record):
    """A report of a case: what it rests on, and what its author says. Amending it makes a new draft."""

    KIND: ClassVar[str] = "report"
    BY: ClassVar[tuple[str, ...]] = (EXAMINER,)

    case: str = reference("the case", "case", needed=True)
    kind: str = choice("lead or evaluative", "report kinds", needed=True)
    language: str = choice("the language it is written in", "languages", needed=True)
    comparisons: tuple[str, ...] = references("the comparisons it rests on", "comparison")
    conclusions: tuple[str, ...] = references("the conclusions it states", "conclusion")
    summary: str = text("for the prosecutor: what was asked, found, and what it means", needed=True)
    limits: str = text("what the result does not say")


@dataclass(frozen=True)
class Review(Record):
    """A reviewer's verdict on a draft."""

    KIND: ClassVar[str] = "review"
    BY: ClassVar[tuple[str, ...]] = (REVIEWER,)

    case: str = reference("the case", "case", needed=True)
    report: str = reference("the report", "report", needed=True)
    report_entry: float | None = number("the entry of the log that holds the draft that was reviewed", least=1)
    outcome: str = choice("accepted or returned", "review outcomes", needed=True)
    checked: tuple[str, ...] = choices("what was checked", "review checks")
    note: str = text("what the author must see to")


@dataclass(frozen=True)
class Authorisation(Record):
    """The authorisation of a reviewed report."""

    KIND: ClassVar[str] = "authorisation"
    BY: ClassVar[tuple[str, ...]] = (AUTHORISER,)

    case: str = reference("the case", "case", needed=True)
    report: str = reference("the report", "report", needed=True)
    review: str = reference("the review that accepted it", "review", needed=True)
    report_entry: float | None = number("the entry of the log that holds the draft that was reviewed", least=1)
    note: str = text("anything else")


@dataclass(frozen=True)
class Release(Record):
    """A report that left the laboratory."""

    KIND: ClassVar[str] = "release"
    BY: ClassVar[tuple[str, ...]] = (AUTHORISER, CUSTODIAN)

    case: str = reference("the case", "case", needed=True)
    report: str = reference("the report", "report", needed=True)
    authorisation: str = reference("its authorisation", "authorisation", needed=True)
    pages: tuple[str, ...] = file_hashes("the pages that were released", needed=True)
    recipient: str = text("to whom", needed=True)
    at: str = when("when", needed=True)


@dataclass(frozen=True)
class Disclosure(Record):
    """A bundle that the other side can check: given to whom, when."""

    KIND: ClassVar[str] = "disclosure"
    BY: ClassVar[tuple[str, ...]] = (CUSTODIAN, EXAMINER, AUTHORISER)

    case: str = reference("the case", "case", needed=True)
    sha256: str = text("the SHA-256 of the bundle", needed=True)
    recipient: str = text("to whom", needed=True)
    at: str = when("when", needed=True)
    note: str = text("anything else")
