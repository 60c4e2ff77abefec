"""The analysts' model: entities, the links between them, and events; filled by casework, the registry and leads."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from ballistics.errors import ParameterError

EntityKind = Literal["incident", "exhibit", "firearm", "place", "printed part", "organisation"]
LinkClass = Literal["fact", "lead", "evaluative"]
Value = str | int | float | bool

ENTITY_KINDS: tuple[EntityKind, ...] = ("incident", "exhibit", "firearm", "place", "printed part", "organisation")
#: A fact is what somebody recorded (an exhibit was found at a place); a lead is where to look; only an evaluative link
#: may carry a likelihood ratio.
LINK_CLASSES: tuple[LinkClass, ...] = ("fact", "lead", "evaluative")
#: What tables call what all entities have: no field of an entity is called so.
ENTITY_COLUMNS = ("entity_id", "entity_type", "label", "date", "first_day", "last_day", "latitude_deg", "longitude_deg")
#: Links that say, or make it worth asking, whether two things are or bear the marks of one firearm.
SAME_FIREARM = "same firearm"
#: Links two firearms of which one may be the other: a recovered one, and one of a registry.
PERHAPS_IT = "perhaps the same firearm"
FOUND_AT, AT_PLACE, INVOLVED = "found at", "at place", "involved"

_DATE = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?)?)?)?\Z")


@dataclass(frozen=True)
class Entity:
    """A thing that analysts draw as a node.

    Parameters
    ----------
    id : str
        Stable: the same thing has the same identifier in every export.
    kind : str
        One of `ENTITY_KINDS`.
    label : str
        What it is called.
    date : str
        When, for an incident: ISO 8601 as exactly as it is known (``2026``, ``2026-11``, ``2026-11-30``,
        ``2026-11-30T21:04Z``, or an interval ``2026-11-28/2026-11-30``); empty when not known.
    latitude_deg, longitude_deg : float or None
        WGS 84, where a position is known.
    fields : mapping
        What else is known: calibre, make, jurisdiction … by names that are none of `ENTITY_COLUMNS`.
    """

    id: str
    kind: EntityKind
    label: str
    date: str = ""
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    fields: Mapping[str, Value] = field(default_factory=dict)

    @property
    def position(self) -> tuple[float, float] | None:
        """Latitude and longitude in degrees; None when not known."""
        if self.latitude_deg is None or self.longitude_deg is None:
            return None
        return self.latitude_deg, self.longitude_deg


@dataclass(frozen=True)
class Link:
    """A line between two entities.

    Parameters
    ----------
    id : str
        Stable.
    source, target : str
        Identifiers of the two entities.
    kind : str
        `SAME_FIREARM`, `FOUND_AT`, `AT_PLACE`, `INVOLVED`, or another word.
    link_class : {"fact", "lead", "evaluative"}
    log10_lr : float or None
        Of an evaluative link.
    basis : str
        What it rests on: the record, the comparison, the report.
    date : str
        When it was recorded, as of `Entity`.
    """

    id: str
    source: str
    target: str
    kind: str
    link_class: LinkClass = "fact"
    log10_lr: float | None = None
    basis: str = ""
    date: str = ""


@dataclass(frozen=True)
class Event:
    """What happened to some entities at a time.

    Parameters
    ----------
    id : str
        Stable.
    kind : str
        Stolen, found, examined, transferred …
    label : str
        In words.
    date : str
        As of `Entity`.
    entities : tuple of str
        Identifiers of those it is about.
    """

    id: str
    kind: str
    label: str
    date: str
    entities: tuple[str, ...]


Thing = TypeVar("Thing", Entity, Link, Event)


@dataclass(frozen=True)
class AnalystGraph:
    """Entities, links and events that belong together.

    Parameters
    ----------
    entities : tuple of Entity
    links : tuple of Link
    events : tuple of Event

    Raises
    ------
    ParameterError
        When an identifier is given twice, a link or an event names what is not there, a date is no date, a position is
        none, or a lead or a fact carries a likelihood ratio.

    Examples
    --------
    >>> a, b = Entity("incident/1", "incident", "K-1", "2026-11"), Entity("exhibit/1", "exhibit", "case")
    >>> graph = AnalystGraph((a, b), (Link("link/1", "exhibit/1", "incident/1", FOUND_AT),))
    >>> [entity.label for entity in graph.of_kind("incident")]
    ['K-1']
    """

    entities: tuple[Entity, ...]
    links: tuple[Link, ...] = ()
    events: tuple[Event, ...] = ()

    def __post_init__(self) -> None:
        known = _unique("entity", [entity.id for entity in self.entities])
        _unique("link", [link.id for link in self.links])
        _unique("event", [event.id for event in self.events])
        for entity in self.entities:
            _check_entity(entity)
        for link in self.links:
            _check_link(link, known)
        for event in self.events:
            check_date(event.date, f"event '{event.id}'")
            missing = sorted(set(event.entities) - known)
            if missing:
                raise ParameterError(f"event '{event.id}' is about '{missing[0]}', which is no entity of the graph")

    def entity(self, identifier: str) -> Entity:
        """Return an entity by its identifier."""
        return next(entity for entity in self.entities if entity.id == identifier)

    def of_kind(self, kind: EntityKind) -> tuple[Entity, ...]:
        """Return the entities of a kind, in their order."""
        return tuple(entity for entity in self.entities if entity.kind == kind)


def joined(graphs: Iterable[AnalystGraph]) -> AnalystGraph:
    """Return several graphs as one: what has one identifier must be the same in all of them.

    Raises
    ------
    ParameterError
        When two things have one identifier.
    """
    entities: dict[str, Entity] = {}
    links: dict[str, Link] = {}
    events: dict[str, Event] = {}
    for graph in graphs:
        for entity in graph.entities:
            _put(entities, entity.id, entity)
        for link in graph.links:
            _put(links, link.id, link)
        for event in graph.events:
            _put(events, event.id, event)
    return AnalystGraph(tuple(entities.values()), tuple(links.values()), tuple(events.values()))


def first_day(date: str) -> str:
    """Return the first day that a date may mean, for an order in time; ``9999`` when it is not known.

    Examples
    --------
    >>> first_day("2026-11"), first_day("2026-11-28/2026-11-30"), first_day("")
    ('2026-11-01', '2026-11-28', '9999-12-31')
    """
    start = date.partition("/")[0].partition("T")[0]
    return start + "-01-01"[len(start) - 4 :] if start else "9999-12-31"


def last_day(date: str) -> str:
    """Return the last day that a date may mean.

    Examples
    --------
    >>> last_day("2026-02"), last_day("2026"), last_day("2026-11-28/2026-11-30")
    ('2026-02-28', '2026-12-31', '2026-11-30')
    """
    from calendar import monthrange

    end = (date.partition("/")[2] or date).partition("T")[0]
    if len(end) == 4:
        return f"{end}-12-31"
    if len(end) == 7:
        return f"{end}-{monthrange(int(end[:4]), int(end[5:]))[1]:02d}"
    return end or "9999-12-31"


def check_date(date: str, what: str) -> None:
    """Raise `ParameterError` when a text is not a date as of `Entity`, or an interval that ends before it begins."""
    from datetime import date as day

    if not date:
        return
    parts = date.split("/")
    if len(parts) > 2 or not all(_DATE.match(part) for part in parts):
        raise ParameterError(f"{what}: '{date[:60]}' is not a date of ISO 8601 such as 2026-11-30 or 2026-11")
    try:
        first, last = day.fromisoformat(first_day(date)), day.fromisoformat(last_day(date))
    except ValueError as error:
        raise ParameterError(f"{what}: '{date}' is no date: {error}") from error
    if last < first:
        raise ParameterError(f"{what}: '{date}' ends before it begins")


def _put(into: dict[str, Thing], key: str, value: Thing) -> None:
    if into.get(key, value) != value:
        raise ParameterError(f"'{key}' stands for two different things")
    into[key] = value


def _unique(what: str, identifiers: list[str]) -> set[str]:
    seen: set[str] = set()
    for identifier in identifiers:
        if not identifier or identifier in seen:
            raise ParameterError(f"the identifier '{identifier}' of a {what} is empty, or given twice")
        seen.add(identifier)
    return seen


def _check_entity(entity: Entity) -> None:
    what = f"{entity.kind} '{entity.id}'"
    if entity.kind not in ENTITY_KINDS:
        raise ParameterError(f"{what}: its kind is none of {', '.join(ENTITY_KINDS)}")
    check_date(entity.date, what)
    taken = sorted(set(entity.fields) & set(ENTITY_COLUMNS))
    if taken:
        raise ParameterError(f"{what}: a field must not be called '{taken[0]}', which all entities have")
    position = (entity.latitude_deg, entity.longitude_deg)
    if (position[0] is None) != (position[1] is None):
        raise ParameterError(f"{what} has half a position: latitude and longitude belong together")
    for value, most in zip(position, (90.0, 180.0), strict=True):
        if value is not None and not (math.isfinite(value) and abs(value) <= most):
            raise ParameterError(f"{what}: {value} is no latitude or longitude in degrees")


def _check_link(link: Link, known: set[str]) -> None:
    what = f"link '{link.id}'"
    for end in (link.source, link.target):
        if end not in known:
            raise ParameterError(f"{what} names '{end}', which is no entity of the graph")
    if link.link_class not in LINK_CLASSES:
        raise ParameterError(f"{what}: its class is none of {', '.join(LINK_CLASSES)}")
    check_date(link.date, what)
    if link.log10_lr is not None and (link.link_class != "evaluative" or not math.isfinite(link.log10_lr)):
        raise ParameterError(f"{what} is a {link.link_class}: only an evaluative link carries a likelihood ratio")
