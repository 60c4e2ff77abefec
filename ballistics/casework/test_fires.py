"""Records of the range: which firearm, which ammunition, who fired, and every shot, so that a reference is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ballistics.casework.fields import (
    CUSTODIAN,
    EXAMINER,
    SHOOTER,
    Record,
    choice,
    number,
    reference,
    text,
    texts,
    when,
)


@dataclass(frozen=True)
class Firearm(Record):
    """A firearm of the reference collection, or an exhibit that was test-fired."""

    KIND: ClassVar[str] = "firearm"
    BY: ClassVar[tuple[str, ...]] = (CUSTODIAN, SHOOTER)

    make: str = text("maker", needed=True)
    model: str = text("model", needed=True)
    calibre: str = text("calibre", needed=True)
    serial: str = text("serial number as read; ? for a character that cannot be read")
    condition: str = choice("condition of its markings", "marking conditions")
    item: str = reference("the exhibit, where it is one", "item")
    origin: str = text("where the laboratory has it from")


@dataclass(frozen=True)
class Session(Record):
    """A shooting session: firearm, ammunition, operator, and the laboratory's own safety checklist, answered."""

    KIND: ClassVar[str] = "session"
    BY: ClassVar[tuple[str, ...]] = (SHOOTER,)

    firearm: str = reference("the firearm", "firearm", needed=True)
    ammunition: str = text("maker, type, lot", needed=True)
    primer: str = text("material of the primer, where it is known")
    date: str = when("when", needed=True)
    place: str = text("which range", needed=True)
    operator: str = text("who fired", needed=True)
    checklist: str = choice("the checklist that was used", "safety checklists", needed=True)
    answers: tuple[str, ...] = texts("the points of the checklist that were met, each in its words", needed=True)
    note: str = text("stoppages, damage, anything else")


@dataclass(frozen=True)
class Shot(Record):
    """One shot: the cartridge case and bullet it left are reference items."""

    KIND: ClassVar[str] = "shot"
    BY: ClassVar[tuple[str, ...]] = (SHOOTER, EXAMINER)

    session: str = reference("the session", "session", needed=True)
    place_in_session: float | None = number("which shot of the session", least=1)
    recovered: str = choice("what was recovered", "recovered parts", needed=True)
    note: str = text("anything else")
