"""Records that assessors of ISO/IEC 17020 and 17025 ask for: instruments, competence, validation, faults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ballistics.casework.fields import (
    AUTHORISER,
    EXAMINER,
    QUALITY,
    REVIEWER,
    Record,
    choice,
    file_hash,
    file_hashes,
    reference,
    text,
    texts,
    when,
    yes,
)


@dataclass(frozen=True)
class Instrument(Record):
    """A measuring instrument."""

    KIND: ClassVar[str] = "instrument"
    BY: ClassVar[tuple[str, ...]] = (QUALITY,)

    make: str = text("maker", needed=True)
    model: str = text("model", needed=True)
    serial: str = text("serial number", needed=True)
    kind: str = choice("how it measures", "instrument types", needed=True)
    in_service: str = when("since when it is used")
    withdrawn: str = when("since when it is no longer used")


@dataclass(frozen=True)
class Calibration(Record):
    """A calibration of an instrument, or a check against a reference standard."""

    KIND: ClassVar[str] = "calibration"
    BY: ClassVar[tuple[str, ...]] = (QUALITY,)

    instrument: str = reference("the instrument", "instrument", needed=True)
    on: str = when("when", needed=True)
    due: str = when("until when it holds", needed=True)
    by: str = text("who calibrated it, with the number of the accreditation", needed=True)
    certificate: str = text("number of the certificate", needed=True)
    file: str = file_hash("the certificate")
    outcome: str = choice("passed or failed", "outcomes", needed=True)


@dataclass(frozen=True)
class Competence(Record):
    """A person's authorisation for a method."""

    KIND: ClassVar[str] = "competence"
    BY: ClassVar[tuple[str, ...]] = (QUALITY, AUTHORISER)

    operator: str = text("short name of the person, as the key states it", needed=True)
    method: str = text("the method, or the kind of mark", needed=True)
    since: str = when("from when", needed=True)
    until: str = when("to when")
    basis: str = text("training and test it rests on", needed=True)
    file: str = file_hash("the record of training")


@dataclass(frozen=True)
class Validation(Record):
    """A validation study of a version of a method."""

    KIND: ClassVar[str] = "validation"
    BY: ClassVar[tuple[str, ...]] = (QUALITY,)

    method: str = text("the method", needed=True)
    version: str = text("its version", needed=True)
    on: str = when("when it was concluded", needed=True)
    outcome: str = choice("passed or failed", "outcomes", needed=True)
    criteria: tuple[str, ...] = texts("the criteria stated beforehand, and whether each was met")
    study: tuple[str, ...] = file_hashes("the study, as `ballistics validate` writes it")


@dataclass(frozen=True)
class Proficiency(Record):
    """A proficiency test, or an exchange between laboratories."""

    KIND: ClassVar[str] = "proficiency"
    BY: ClassVar[tuple[str, ...]] = (QUALITY,)

    operator: str = text("short name of the person", needed=True)
    provider: str = text("who ran it, which round", needed=True)
    method: str = text("the method, or the kind of mark", needed=True)
    on: str = when("when", needed=True)
    outcome: str = choice("passed or failed", "outcomes", needed=True)
    note: str = text("what was learned")


@dataclass(frozen=True)
class Nonconformity(Record):
    """Work that was not as it should be, and what was done about it."""

    KIND: ClassVar[str] = "nonconformity"
    BY: ClassVar[tuple[str, ...]] = (QUALITY, EXAMINER, REVIEWER, AUTHORISER)

    found: str = when("when it was found", needed=True)
    what: str = text("what was wrong, and which results it touches", needed=True)
    cases: tuple[str, ...] = texts("the cases it touches")
    cause: str = text("why it happened")
    action: str = text("what was done")
    closed: str = when("when the action was found to work")


@dataclass(frozen=True)
class Settings(Record):
    """A laboratory's own rules: how identifiers look, whether cases are blind, which scale is used."""

    KIND: ClassVar[str] = "settings"
    BY: ClassVar[tuple[str, ...]] = (QUALITY,)

    case_pattern: str = text("regular expression that the identifier of a case matches")
    item_pattern: str = text("regular expression that the identifier of an item matches")
    scale: str = choice("the scale of conclusions", "conclusion scales")
    language: str = choice("the language of reports", "languages")
    blind: bool = yes("every new case is examined blind")
    retention_years: str = text("for how long records are kept")
