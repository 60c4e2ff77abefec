"""Tables for Analyst's Notebook and spreadsheets: UTF-8 with its mark, a record on each line, ISO dates, stable ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ballistics.exchange.analyst.graph import ENTITY_COLUMNS, AnalystGraph, Value, first_day, last_day
from ballistics.files import csv_bytes

Cell = Value | None
_LINK = (
    "link_id",
    "source_id",
    "source_type",
    "source_label",
    "target_id",
    "target_type",
    "target_label",
    "link_type",
    "class",
    "log10_lr",
    "basis",
    "date",
)
_EVENT = (
    "event_id",
    "event_type",
    "label",
    "date",
    "first_day",
    "last_day",
    "entity_id",
    "entity_type",
    "entity_label",
)


def entities_csv(graph: AnalystGraph) -> bytes:
    """Return the entities: a line each, their own fields as columns behind those that all have."""
    own = sorted({name for entity in graph.entities for name in entity.fields})
    rows = (
        [
            entity.id,
            entity.kind,
            entity.label,
            entity.date,
            *_days(entity.date),
            entity.latitude_deg,
            entity.longitude_deg,
            *(entity.fields.get(name) for name in own),
        ]
        for entity in graph.entities
    )
    return _table([*ENTITY_COLUMNS, *own], rows)


def links_csv(graph: AnalystGraph) -> bytes:
    """Return the links: a line each, with type and label of both ends, so that the table can be imported alone."""
    of = {entity.id: entity for entity in graph.entities}
    rows = (
        [
            link.id,
            *(value for end in (link.source, link.target) for value in (end, of[end].kind, of[end].label)),
            link.kind,
            link.link_class,
            link.log10_lr,
            link.basis,
            link.date,
        ]
        for link in graph.links
    )
    return _table(_LINK, rows)


def events_csv(graph: AnalystGraph) -> bytes:
    """Return the events: a line for each entity that an event is about."""
    of = {entity.id: entity for entity in graph.entities}
    rows = (
        [event.id, event.kind, event.label, event.date, *_days(event.date), end, of[end].kind, of[end].label]
        for event in graph.events
        for end in event.entities
    )
    return _table(_EVENT, rows)


def _days(date: str) -> tuple[str | None, str | None]:
    return (first_day(date), last_day(date)) if date else (None, None)


def _table(names: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    return csv_bytes(names, ([_line(value) for value in row] for row in rows), spreadsheet=True)


def _line(value: Cell) -> Cell:
    """Return a value on one line: an import that splits at line ends would else make two records of it."""
    return (" ".join(value.split()) or None) if isinstance(value, str) else value
