"""The analysts' graph filled from a registry: firearms with what happened to them, and the queue of leads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256

from ballistics.exchange.analyst.graph import (
    AT_PLACE,
    INVOLVED,
    PERHAPS_IT,
    SAME_FIREARM,
    AnalystGraph,
    Entity,
    EntityKind,
    Event,
    Link,
    Value,
)
from ballistics.registry import QueuedLead, firearm_of_lead
from ballistics.registry import Record as RegistryRecord

# What a lead of a class links, where the graph does not know it, and what the link is called.
_CLASSES: dict[str, tuple[EntityKind, EntityKind, str]] = {
    "library search": ("exhibit", "exhibit", SAME_FIREARM),
    "partner package": ("exhibit", "exhibit", SAME_FIREARM),
    "registry": ("firearm", "firearm", PERHAPS_IT),
    "printed part": ("printed part", "printed part", "same printed design"),
    "shared incident": ("incident", "incident", "may share a firearm"),
}
_FIELDS = ("kind", "calibre", "serial_condition", "country_of_manufacture", "category", "printed")


def registry_graph(records: Iterable[RegistryRecord], registry: str, known: AnalystGraph | None = None) -> AnalystGraph:
    """Return firearms of a registry with what happened to them; events that were corrected are left out.

    Each event is an incident, at its place, in which the firearm was involved: a theft stands in the order of time with
    the shootings.

    Parameters
    ----------
    records : iterable of Record
        From `Registry`.
    registry : str
        Short name of the registry, for stable identifiers.
    known : AnalystGraph, optional
        A graph that this one will be joined with: a place that it names is that place.
    """
    places = {place.label.casefold(): place for place in known.of_kind("place")} if known else {}
    entities: dict[str, Entity] = {}
    links, events = [], []
    for record in records:
        firearm, own = record.firearm, f"{registry}/firearm/{record.source}/{record.source_key}"
        label = " ".join(filter(None, (firearm.make, firearm.model, firearm.serial))) or f"firearm {record.source_key}"
        fields: dict[str, Value] = {name: value for name in _FIELDS if (value := getattr(firearm, name))}
        entities[own] = Entity(own, "firearm", label, fields={**fields, "jurisdiction": record.source})
        for found in record.events:
            if found.superseded_by is not None:
                continue
            happened, event = found.event, f"{registry}/event/{found.number}"
            words = ", ".join(filter(None, (happened.kind, happened.place, happened.unit, happened.reference)))
            events.append(Event(event, happened.kind, words, happened.on, (own,)))
            at = f"{event}/incident"
            said: dict[str, Value] = {"type": happened.kind, "unit": happened.unit, "jurisdiction": record.source}
            entities[at] = Entity(at, "incident", f"{happened.kind}: {label}", happened.on, fields=said)
            basis = f"registry, event {found.number}"
            links.append(Link(f"{at}/of", own, at, INVOLVED, basis=basis, date=happened.on))
            if happened.place:
                new = Entity(f"{registry}/place/{_short_hash(happened.place.casefold())}", "place", happened.place)
                place = places.setdefault(happened.place.casefold(), new)
                entities[place.id] = place
                links.append(Link(f"{at}/at", at, place.id, AT_PLACE, basis=basis))
    return AnalystGraph(tuple(entities.values()), tuple(links), tuple(events))


def leads_graph(
    queued: Iterable[QueuedLead],
    known: AnalystGraph,
    registry: str,
    names: Mapping[str, str],
    firearms: Mapping[int, str],
    only_known: bool = False,
) -> AnalystGraph:
    """Return leads of the queue as links of the class lead; a refuted one is called so, and connects nothing.

    Parameters
    ----------
    queued : iterable of QueuedLead
    known : AnalystGraph
        What it will be joined with: what a lead names is looked for there.
    registry : str
        Short name of the registry, for stable identifiers.
    names : mapping
        Entities of ``known`` by further names, as of `exhibit_names`.
    firearms : mapping
        Entities of ``known`` by their numbers in the registry.
    only_known : bool
        Leave out leads of which ``known`` has neither end.
    """
    of = {entity.id: entity for entity in known.entities}
    called = {name: end for name, end in names.items() if end in of}
    for entity in known.entities:
        # Records of casework are called by their identifiers, incidents also as the registry's leads name them.
        kind, _, record = entity.id.partition("/")[2].partition("/")
        if kind in ("item", "incident"):
            called.setdefault(record, entity.id)
            called[f"{kind} {record}"] = entity.id
        elif entity.kind == "exhibit":
            called.setdefault(entity.label, entity.id)  # a partner's mark
    entities: dict[str, Entity] = {}
    links = []
    for each in queued:
        lead = each.lead
        subject, target, kind = _CLASSES[lead.lead_class]
        numbered = firearms.get(firearm_of_lead(lead) or 0)
        ends = [called.get(lead.subject), numbered or called.get(lead.target)]
        if only_known and ends == [None, None]:
            continue
        for place, (text, what) in enumerate(((lead.subject, subject), (lead.target, target))):
            new = Entity(f"{registry}/lead/{what.replace(' ', '-')}/{_short_hash(text)}", what, text)
            end = of.get(ends[place] or "", new)
            entities[end.id] = end
            ends[place] = end.id
        source, other = map(str, ends)
        if source == other:
            continue
        by = f" by {each.taken_by}" if each.taken_by else ""
        basis = f"lead {each.number}, {lead.strength}, {each.state}{by}: {lead.basis}"
        link = kind if each.state != "refuted" else "refuted lead"
        links.append(
            Link(f"{registry}/lead/{each.number}", source, other, link, "lead", None, basis, each.recorded_on[:10])
        )
    return AnalystGraph(tuple(entities.values()), tuple(links))


def _short_hash(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:12]
