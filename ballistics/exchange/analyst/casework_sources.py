"""The analysts' graph filled from a laboratory: its casework, and what it asked partners for."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from pathlib import PurePath
from typing import TypeVar

from ballistics.casework import (
    Attachment,
    Authorisation,
    Case,
    Casebook,
    Comparison,
    Firearm,
    Incident,
    Item,
    Record,
    Report,
    Scan,
    Session,
    Shot,
    Transfer,
)
from ballistics.exchange.analyst.graph import (
    AT_PLACE,
    FOUND_AT,
    SAME_FIREARM,
    AnalystGraph,
    Entity,
    EntityKind,
    Event,
    Link,
    Value,
)
from ballistics.exchange.desk import REQUESTED, SENT
from ballistics.exchange.requests import requests

PART_OF, COMPARED = "part of", "compared"
Kind = TypeVar("Kind", bound=Record)
_EXHIBITS: dict[str, EntityKind] = {"firearm": "firearm", "printed part": "printed part"}


def casework_graph(book: Casebook, cases: Iterable[str] = ()) -> AnalystGraph:
    """Return what the casework of a laboratory records, and the scans that it asked partners for.

    A comparison is evaluative, with its likelihood ratio, where an authorised evaluative report rests on it; else it is
    a lead, without one, and joins two exhibits only where its ratio speaks for that.

    Parameters
    ----------
    book : Casebook
    cases : iterable of str
        Only these; all when empty.
    """
    return _Casework(book, frozenset(cases)).graph()


def exhibit_names(book: Casebook) -> dict[str, str]:
    """Return the entities of casework by what searches call them: scans and files by identifier, name and stem.

    A name that two exhibits share is left out.
    """
    laboratory = book.library.identifier[:8]
    found: dict[str, set[str]] = {}
    scans, files = book.all(Scan), book.all(Attachment)
    records: list[Scan | Attachment] = [*(each.record for each in scans), *(each.record for each in files)]
    for record in records:
        for name in {record.id, record.name, PurePath(record.name).stem} if record.item else ():
            found.setdefault(name, set()).add(f"{laboratory}/item/{record.item}")
    return {name: own.pop() for name, own in found.items() if len(own) == 1 and name}


class _Casework:
    def __init__(self, book: Casebook, cases: frozenset[str]) -> None:
        self.book, self.cases = book, cases
        self.laboratory = book.library.identifier[:8]
        self.entities: dict[str, Entity] = {}
        self.links: dict[str, Link] = {}
        self.events: dict[str, Event] = {}

    def graph(self) -> AnalystGraph:
        self._incidents()
        self._items()
        self._firearms()
        self._comparisons()
        self._requests()
        self._transfers()
        return AnalystGraph(tuple(self.entities.values()), tuple(self.links.values()), tuple(self.events.values()))

    def _all(self, kind: type[Kind]) -> list[Kind]:
        found = [each.record for each in self.book.all(kind)]
        return [record for record in found if not self.cases or getattr(record, "case", "") in (*self.cases, "")]

    def _id(self, kind: str, record: str) -> str:
        return f"{self.laboratory}/{kind}/{record}"

    def _put(self, entity: Entity) -> None:
        self.entities.setdefault(entity.id, entity)

    def _link(self, link: Link) -> None:
        # What is outside the chosen cases is not exported.
        if {link.source, link.target} <= set(self.entities) and link.source != link.target:
            self.links[link.id] = link

    def _incidents(self) -> None:
        for incident in self._all(Incident):
            place = self._place(incident)
            own = self._id("incident", incident.id)
            fields: dict[str, Value] = {"case": incident.case, "type": incident.kind}
            if incident.jurisdiction:
                fields["jurisdiction"] = incident.jurisdiction
            latitude, longitude = _position(incident)
            label = f"{incident.id}: {incident.kind}"
            self._put(Entity(own, "incident", label, _day(incident.date), latitude, longitude, fields))
            self._link(Link(f"{own}/at", own, place, AT_PLACE, basis=f"incident {incident.id}"))

    def _place(self, incident: Incident) -> str:
        latitude, longitude = _position(incident)
        key = f"{incident.place.casefold()} {latitude} {longitude}"
        own = self._id("place", sha256(key.encode("utf-8", "replace")).hexdigest()[:12])
        self._put(Entity(own, "place", incident.place, "", latitude, longitude))
        return own

    def _items(self) -> None:
        items = self._all(Item)
        for item in items:
            names = ("case", "kind", "calibre", "make", "model", "serial", "category", "condition")
            fields: dict[str, Value] = {name: value for name in names if (value := getattr(item, name))}
            kind = _EXHIBITS.get(item.kind, "exhibit")
            self._put(Entity(self._id("item", item.id), kind, f"{item.id}: {item.kind}", fields=fields))
        for item in items:
            own = self._id("item", item.id)
            for name, kind, other in ((FOUND_AT, "incident", item.incident), (PART_OF, "item", item.part_of)):
                if other:
                    date = _day(item.found_on) if name == FOUND_AT else ""
                    there = self._id(kind, other)
                    self._link(Link(f"{own}/{kind}", own, there, name, basis=f"item {item.id}", date=date))

    def _firearms(self) -> None:
        for firearm in self._all(Firearm):
            label = " ".join(filter(None, (firearm.make, firearm.model, firearm.serial)))
            own = self._firearm(firearm)
            if not firearm.item:
                self._put(Entity(own, "firearm", f"{firearm.id}: {label}", fields={"calibre": firearm.calibre}))

    def _firearm(self, firearm: Firearm) -> str:
        return self._id("item", firearm.item) if firearm.item else self._id("firearm", firearm.id)

    def _bearers(self) -> dict[str, str]:
        """Return for every scan the entity whose mark it shows: an exhibit, or the firearm of a test fire."""
        firearms = {firearm.id: self._firearm(firearm) for firearm in self._all(Firearm)}
        sessions = {session.id: firearms.get(session.firearm, "") for session in self._all(Session)}
        shots = {shot.id: sessions.get(shot.session, "") for shot in self._all(Shot)}
        return {scan.id: shots.get(scan.item) or self._id("item", scan.item) for scan in self._all(Scan)}

    def _comparisons(self) -> None:
        authorised = {each.report for each in self._all(Authorisation)}
        reports = [each for each in self._all(Report) if each.id in authorised and each.kind == "evaluative"]
        rested_on = {comparison: report.id for report in reports for comparison in report.comparisons}
        # Of a blind case, not even which way a score points is told before its report is authorised.
        blind = {case.id for case in self._all(Case) if case.blind}
        bearers = self._bearers()
        for comparison in self._all(Comparison):
            ends = [bearers.get(scan, "") for scan in comparison.scans]
            ends = list(dict.fromkeys(ends)) if len(ends) > 2 else ends
            if comparison.insufficient or len(ends) != 2:
                continue
            ratio, report = comparison.log10_lr, rested_on.get(comparison.id)
            told = report is not None or comparison.case not in blind
            kind = SAME_FIREARM if told and ratio is not None and ratio > 0.0 else COMPARED
            basis = f"comparison {comparison.id}" + (f", report {report}" if report else "")
            own = self._id("comparison", comparison.id)
            if report is not None and ratio is not None:
                self._link(Link(own, ends[0], ends[1], kind, "evaluative", ratio, basis))
            else:
                self._link(Link(own, ends[0], ends[1], kind, "lead", None, basis))

    def _requests(self) -> None:
        files = {scan.file: self._id("item", scan.item) for scan in self._all(Scan)}
        with self.book.log.view() as view:
            searched = {entry.record: entry.body.get("scan") for entry in view.records(REQUESTED)}
            asked = [request for request in requests(view) if request.direction == SENT]
        for request in asked:
            scan = searched.get(request.serial)
            own = files.get(str(scan.get("file"))) if isinstance(scan, dict) else None
            if own is None:
                continue
            partner = f"{request.library[:8]}/laboratory"
            mark = f"{request.library[:8]}/package/{request.package[:12]}/{request.mark}"
            self._put(Entity(partner, "organisation", request.laboratory))
            self._put(Entity(mark, "exhibit", f"{request.laboratory}: mark {request.mark} of {request.package[:8]}"))
            basis = f"search of templates, request {request.serial[:8]}: {request.answer or 'open'}"
            self._link(Link(f"{mark}/held", mark, partner, "held by", basis=f"package {request.package[:8]}"))
            self._link(Link(f"{mark}/lead", own, mark, SAME_FIREARM, "lead", basis=basis))

    def _transfers(self) -> None:
        for transfer in self._all(Transfer):
            own = tuple(end for item in transfer.items if (end := self._id("item", item)) in self.entities)
            if own:
                words = ", ".join((transfer.event, transfer.place))
                self.events[transfer.id] = Event(
                    self._id("transfer", transfer.id), transfer.event, words, _day(transfer.at), own
                )


def _position(incident: Incident) -> tuple[float | None, float | None]:
    latitude, longitude = incident.latitude_deg, incident.longitude_deg
    return (None, None) if latitude is None or longitude is None else (latitude, longitude)


def _day(when: str) -> str:
    """Return a date of casework without its time of day: analysts' programs read no time zones."""
    return when.partition("T")[0]
