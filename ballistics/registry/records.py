"""A firearm and what happened to it: the dataclasses, their vocabularies, and what is refused as neither."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ballistics.errors import ParameterError

FIELDS_FILE = Path(__file__).with_name("data") / "fields.csv"
#: What can happen to a firearm.
EVENT_KINDS = ("stolen", "lost", "found", "recovered", "seized", "surrendered", "destroyed", "transferred")
#: Condition of a marking, as of a serial number.
CONDITIONS = ("intact", "altered", "obliterated", "restored", "absent", "unknown")
#: Characters of a text; longer ones are no field of a record.
MOST_TEXT = 4000
# Controls, and the signs that turn the direction of writing: what is shown is then not what is stored.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# Marks without width that come with copied text, and say nothing.
_WIDTHLESS = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
_SPACES = re.compile(r"\s+")
_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


@dataclass(frozen=True)
class Field:
    """A field of a record: its meaning, where the Directive and INTERPOL ask for it, and the words it may hold."""

    field: str
    meaning: str
    directive: str
    interpol: str
    values: tuple[str, ...]


@cache
def record_fields() -> Mapping[str, Field]:
    """Return the fields of a firearm's record by name, as `FIELDS_FILE` describes them."""
    lines = [line for line in FIELDS_FILE.read_text("utf-8").splitlines() if not line.startswith("#")]
    found = {}
    for row in csv.DictReader(lines):
        values = tuple(row["values"].split("|")) if row["values"] else ()
        found[row["field"]] = Field(row["field"], row["meaning"], row["directive"], row["interpol"], values)
    return MappingProxyType(found)


@dataclass(frozen=True)
class Marking:
    """A marking other than the serial number: proof mark, import mark, owner's mark.

    Parameters
    ----------
    text : str
        As it stands, or a description.
    where : str
        On which part.
    condition : str
        One of `CONDITIONS`.
    """

    text: str
    where: str = ""
    condition: str = "unknown"


@dataclass(frozen=True)
class Component:
    """A component with a serial number of its own.

    Parameters
    ----------
    kind : str
        Slide, barrel, frame …
    serial : str
        As it stands; ``?`` for a character nobody can read.
    condition : str
        Condition of that serial, one of `CONDITIONS`.
    """

    kind: str
    serial: str
    condition: str = "unknown"


@dataclass(frozen=True)
class Firearm:
    """A firearm as a register describes it. `FIELDS_FILE` says what each field means; empty where it is not known.

    Parameters
    ----------
    kind, make, model, calibre, serial, serial_condition, unique_marking : str
    country_of_manufacture, year_of_manufacture, import_country, import_year : str
    category, deactivated_on, deactivation_certificate, printed, note : str
    markings : tuple of Marking
    components : tuple of Component

    Raises
    ------
    ParameterError
        When a field holds what it cannot: the message names the field.
    """

    kind: str = "unknown"
    make: str = ""
    model: str = ""
    calibre: str = ""
    serial: str = ""
    serial_condition: str = "unknown"
    unique_marking: str = ""
    country_of_manufacture: str = ""
    year_of_manufacture: str = ""
    import_country: str = ""
    import_year: str = ""
    category: str = ""
    deactivated_on: str = ""
    deactivation_certificate: str = ""
    printed: str = "no"
    note: str = ""
    markings: tuple[Marking, ...] = ()
    components: tuple[Component, ...] = ()

    def __post_init__(self) -> None:
        for name, allowed in _VOCABULARIES.items():
            value = getattr(self, name)
            if value not in allowed:
                raise ParameterError(f"{name} '{value[:40]}' is none of: {', '.join(sorted(filter(None, allowed)))}")
        for name in _YEARS:
            year = getattr(self, name)
            if year and not (year.isdecimal() and len(year) == 4 and "1500" <= year <= "2200"):
                raise ParameterError(f"{name} '{year[:40]}' is not a year of four digits")
        if self.deactivated_on:
            checked_date(self.deactivated_on, "deactivated_on")
        if len(self.serial) > _MOST_SERIAL:
            raise ParameterError(f"serial of {len(self.serial)} characters: no firearm carries one that long")
        for condition in (*(mark.condition for mark in self.markings), *(part.condition for part in self.components)):
            if condition not in CONDITIONS:
                raise ParameterError(f"condition '{condition[:40]}' is none of: {', '.join(CONDITIONS)}")

    def content(self) -> str:
        """Return the record as canonical JSON, without what is empty: the same record has the same text."""
        stated = {name: value for name in _PLAIN if (value := getattr(self, name))}
        if self.markings:
            stated["markings"] = [asdict(marking) for marking in self.markings]
        if self.components:
            stated["components"] = [asdict(component) for component in self.components]
        return _JSON.encode(stated)

    @staticmethod
    def from_content(content: str) -> Firearm:
        """Return the record that `content` wrote."""
        stated: dict[str, Any] = json.loads(content)
        stated["markings"] = tuple(Marking(**marking) for marking in stated.get("markings", ()))
        stated["components"] = tuple(Component(**component) for component in stated.get("components", ()))
        return Firearm(**stated)


_JSON = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))
_MOST_SERIAL = 64
_PLAIN = tuple(field.name for field in fields(Firearm) if field.name not in ("markings", "components"))
_YEARS = ("year_of_manufacture", "import_year")
_VOCABULARIES = {
    field.field: frozenset(field.values) for field in record_fields().values() if field.values and field.field in _PLAIN
}


@dataclass(frozen=True)
class Event:
    """What happened to a firearm. Events are added, never changed; one that was wrong is superseded by another.

    Parameters
    ----------
    kind : str
        One of `EVENT_KINDS`.
    on : str
        When: a year, a month or a day, ``2024``, ``2024-05`` or ``2024-05-17``: the precision is what is written.
    unit : str
        Who reports it.
    place : str
        Where it happened.
    reference : str
        File number of the reporting unit.
    note : str
    supersedes : int or None
        Number of the event that this one corrects.

    Raises
    ------
    ParameterError
        When the kind is not known, or the date none.

    Examples
    --------
    >>> Event("stolen", "2024-05", "Police station Bitola").precision
    'month'
    """

    kind: str
    on: str
    unit: str
    place: str = ""
    reference: str = ""
    note: str = ""
    supersedes: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in EVENT_KINDS:
            raise ParameterError(f"event '{self.kind[:40]}' is none of: {', '.join(EVENT_KINDS)}")
        checked_date(self.on, "date of the event")
        if not self.unit:
            raise ParameterError("an event needs the unit that reports it")

    @property
    def precision(self) -> str:
        """How precisely the date is known: year, month or day."""
        return precision(self.on)


def precision(on: str) -> str:
    """Return how precisely a date is known: year, month or day."""
    return {4: "year", 7: "month", 10: "day"}[len(on)]


def checked_date(text: str, name: str) -> str:
    """Return a date of the form ``2024``, ``2024-05`` or ``2024-05-17``.

    Raises
    ------
    ParameterError
        When it is none.

    Examples
    --------
    >>> checked_date("2023-02-29", "date")
    Traceback (most recent call last):
        ...
    ballistics.errors.ParameterError: date '2023-02-29' is not a date: write 2024, 2024-05 or 2024-05-17
    """
    found = _DATE.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        date(int(found[1]), int(found[2] or 1), int(found[3] or 1))
    except ValueError:
        raise ParameterError(f"{name} '{text[:40]}' is not a date: write 2024, 2024-05 or 2024-05-17") from None
    return text


def clean_text(text: str, name: str) -> str:
    """Return a text from outside with its spaces made single, or refuse what no register writes.

    Parameters
    ----------
    text : str
    name : str
        Of the field, for the message.

    Raises
    ------
    ParameterError
        When it is longer than `MOST_TEXT`, or holds control characters or signs that turn the direction of writing.

    Examples
    --------
    >>> clean_text("  M 70\\u200b ", "model")
    'M 70'
    """
    if len(text) > MOST_TEXT:
        raise ParameterError(f"{name} holds {len(text)} characters, more than {MOST_TEXT}")
    if (found := _CONTROLS.search(text)) is not None:
        character = found[0]
        if "\udc80" <= character <= "\udcff":
            raise ParameterError(
                f"{name} holds the byte {ord(character) - 0xDC00:#04x}, which is no text in the stated encoding; "
                "state another encoding"
            )
        what = "turns the direction of writing" if character > "\u0600" else "is a control character"
        raise ParameterError(f"{name} holds U+{ord(character):04X}, which {what}; what is shown is not what is stored")
    if not text.isascii():
        text = _WIDTHLESS.sub("", text)
    return _SPACES.sub(" ", text).strip()


def digest(text: str) -> str:
    """Return the SHA-256 of a record's content."""
    return hashlib.sha256(text.encode()).hexdigest()
