"""Records of a case: the incident, the exhibits, where they have been, and their scans and files.

The fields follow what ISO 21043-2 asks to be recorded of the recovery, transport and storage of items.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ballistics.casework.fields import (
    CUSTODIAN,
    EXAMINER,
    REVIEWER,
    SHOOTER,
    Record,
    choice,
    file_hash,
    number,
    reference,
    references,
    text,
    texts,
    when,
    yes,
)


@dataclass(frozen=True)
class Case(Record):
    """A case: what was asked, by whom, and how it is examined."""

    KIND: ClassVar[str] = "case"
    BY: ClassVar[tuple[str, ...]] = (CUSTODIAN, EXAMINER)

    title: str = text("a short name", needed=True)
    requester: str = text("who asked: authority and person", needed=True)
    request: str = text("what was asked, in the requester's words", needed=True)
    purpose: str = choice("what the result is for", "purposes", needed=True)
    received: str = when("when the request came", needed=True)
    jurisdiction: str = text("country or court")
    propositions: tuple[str, ...] = texts("the two propositions, the requester's first")
    blind: bool = yes("case information and scores stay hidden until the examiner has concluded")


@dataclass(frozen=True)
class Information(Record):
    """What is known of a case beside its exhibits; hidden from the examiner of a blind case."""

    KIND: ClassVar[str] = "information"
    BY: ClassVar[tuple[str, ...]] = (CUSTODIAN,)

    case: str = reference("the case", "case", needed=True)
    known: str = text("what is known", needed=True)
    source: str = text("from whom")


@dataclass(frozen=True)
class Incident(Record):
    """An event that exhibits come from."""

    KIND: ClassVar[str] = "incident"
    BY: ClassVar[tuple[str, ...]] = (CUSTODIAN, EXAMINER)

    case: str = reference("the case", "case", needed=True)
    kind: str = choice("what kind of event", "incident types", needed=True)
    date: str = when("when, as exactly as it is known", needed=True)
    place: str = text("where", needed=True)
    latitude_deg: float | None = number("WGS 84, north positive", least=-90, most=90)
    longitude_deg: float | None = number("WGS 84, east positive", least=-180, most=180)
    jurisdiction: str = text("country")
    description: str = text("what happened, without names of suspects")


@dataclass(frozen=True)
class Item(Record):
    """An exhibit: a cartridge case, a bullet, a firearm, a printed part, a digital file, a print job."""

    KIND: ClassVar[str] = "item"
    BY: ClassVar[tuple[str, ...]] = (CUSTODIAN, EXAMINER)

    case: str = reference("the case", "case", needed=True)
    kind: str = choice("what it is", "item types", needed=True)
    description: str = text("what can be seen of it", needed=True)
    incident: str = reference("where it comes from", "incident")
    part_of: str = reference("the item it is a part of, or was found in", "item")
    found_at: str = text("place of the find, to the centimetre where it matters")
    found_on: str = when("when it was found")
    packaging: str = text("how it is packed")
    seal: str = text("number of the seal")
    condition: str = choice("condition of its markings", "marking conditions")
    calibre: str = text("calibre as marked or measured")
    make: str = text("maker as marked")
    model: str = text("model as marked")
    serial: str = text("serial number as read; ? for a character that cannot be read")
    category: str = choice("of a printed part: its category", "printed categories")


@dataclass(frozen=True)
class Transfer(Record):
    """A link of the chain of custody: who did what with which items, when, where, under which seal."""

    KIND: ClassVar[str] = "transfer"
    BY: ClassVar[tuple[str, ...]] = (CUSTODIAN, EXAMINER)

    case: str = reference("the case", "case", needed=True)
    items: tuple[str, ...] = references("the items", "item", needed=True)
    event: str = choice("what was done", "custody events", needed=True)
    at: str = when("when", needed=True)
    place: str = text("where", needed=True)
    by: str = text("who did it", needed=True)
    given_by: str = text("who gave it")
    taken_by: str = text("who took it")
    seal: str = text("the seal afterwards")
    seal_intact: str = choice("whether the seal was intact before", "yes or no")
    note: str = text("anything else")


@dataclass(frozen=True)
class Scan(Record):
    """A measured surface of an item, or of a test fire."""

    KIND: ClassVar[str] = "scan"
    BY: ClassVar[tuple[str, ...]] = (EXAMINER, SHOOTER)

    case: str = reference("the case; none for a test fire of the reference collection", "case")
    item: str = reference("what was measured", "item", "shot", needed=True)
    file: str = file_hash("the file, as the instrument wrote it", needed=True)
    name: str = text("the file's name", needed=True)
    mark: str = choice("which mark", "mark types", needed=True)
    instrument: str = reference("the instrument", "instrument", needed=True)
    at: str = when("when it was measured", needed=True)
    by: str = text("who measured it", needed=True)
    units: str = text("the unit of lengths, where the file does not state it")
    region: str = file_hash("the file of the region, where a person marked it")
    land: str = text("of a bullet: which land")
    note: str = text("anything else")


@dataclass(frozen=True)
class Attachment(Record):
    """Any other file of a case: a photograph, a request, a mesh, a print job."""

    KIND: ClassVar[str] = "attachment"
    BY: ClassVar[tuple[str, ...]] = (CUSTODIAN, EXAMINER, REVIEWER)

    case: str = reference("the case", "case", needed=True)
    item: str = reference("the item it shows or holds", "item")
    file: str = file_hash("the file", needed=True)
    name: str = text("the file's name", needed=True)
    what: str = text("what it is", needed=True)
