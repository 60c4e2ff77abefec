"""Statistics in the columns that Firearms Focal Points report: what happened to firearms in a time, counted."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from ballistics.errors import ParameterError
from ballistics.registry.records import EVENT_KINDS, Firearm, checked_date
from ballistics.registry.registry import Registry
from ballistics.registry.spelling import calibre_in_latin
from ballistics.registry.standing import first_day, last_day
from ballistics.registry.tables import events, firearms
from ballistics.registry.workbooks import write_workbook

_COLUMNS = Path(__file__).with_name("data") / "focal_point_columns.csv"
NOT_STATED = "not stated"
_ROWS_AT_ONCE = 2000


@dataclass(frozen=True)
class StatisticsTable:
    """A table of counts.

    Parameters
    ----------
    name : str
    headings : tuple of str
        What is counted, the kinds of event, and all of them.
    rows : tuple of (str, counts)
        Most frequent first, then by name.
    """

    name: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True)
class Statistics:
    """The statistics of a time.

    Parameters
    ----------
    since, until : str
        First and last day.
    tables : tuple of StatisticsTable
    count : int
        Events counted: each valid event of the time, once.
    not_certain : int
        Events that may lie outside the time, their date being a year or a month; they are counted.
    """

    since: str
    until: str
    tables: tuple[StatisticsTable, ...]
    count: int
    not_certain: int

    def rows(self) -> list[tuple[str, str, str, int]]:
        """Return all counts as rows of table, value, event, number."""
        return [
            (table.headings[0], value, event, number)
            for table in self.tables
            for value, counts in table.rows
            for event, number in zip(table.headings[1:], counts, strict=True)
        ]


@cache
def statistics_columns() -> Mapping[str, tuple[str, str]]:
    """Return the heading and the field of each table."""
    lines = [line for line in _COLUMNS.read_text("utf-8").splitlines() if not line.startswith("#")]
    return {row["table"]: (row["heading"], row["field"]) for row in csv.DictReader(lines)}


def focal_point_statistics(registry: Registry, since: str, until: str) -> Statistics:
    """Count the events of a time by the columns of the Focal Points.

    An event that was corrected is not counted; its correction is. An event whose date is a month or a year is counted
    when the time and the date have a day in common.

    Parameters
    ----------
    registry : Registry
    since, until : str
        First and last date: days, months or years, ``2024`` to ``2024`` for a year.

    Raises
    ------
    ParameterError
        When a date is none, or the last is before the first.
    """
    first, last = first_day(checked_date(since, "since")), last_day(checked_date(until, "until"))
    if last < first:
        raise ParameterError(f"{until} is before {since}")
    later = events.alias("later")
    query = (
        sa.select(events.c.kind, events.c.on, firearms.c.source, firearms.c.content)
        .join(firearms, firearms.c.id == events.c.firearm)
        .outerjoin(later, later.c.supersedes == events.c.id)
        .where(later.c.id.is_(None), events.c.on >= first[:4], events.c.on <= last)
        .order_by(events.c.id)
    )
    counts: dict[str, Counter[tuple[str, str]]] = {table: Counter() for table in statistics_columns()}
    total = not_certain = 0
    with registry.reading() as connection:
        for row in connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(query):
            if last_day(row.on) < first or first_day(row.on) > last:
                continue
            total += 1
            not_certain += not (first <= first_day(row.on) and last_day(row.on) <= last)
            firearm = Firearm.from_content(row.content)
            for table, (_, field) in statistics_columns().items():
                counts[table][_value(field, row.kind, row.source, firearm), row.kind] += 1
    tables = tuple(_table(name, heading, counts[name]) for name, (heading, _) in statistics_columns().items())
    return Statistics(first, last, tables, total, not_certain)


def years_of_events(registry: Registry) -> tuple[str, str] | None:
    """Return the first and the last year in which something happened; None where nothing did."""
    with registry.reading() as connection:
        first, last = connection.execute(sa.select(sa.func.min(events.c.on), sa.func.max(events.c.on))).one()
    return None if first is None else (first[:4], last[:4])


def write_statistics(path: Path, found: Statistics) -> None:
    """Write statistics as a workbook, a sheet for each table and one that says what they are of.

    Parameters
    ----------
    path : Path
        Its name ends in ``.xlsx``.
    found : Statistics
    """
    about = [("from", found.since), ("until", found.until), ("events", found.count)]
    about.append(("events whose date may lie outside", found.not_certain))
    sheets = [
        (table.name, table.headings, [(value, *counts) for value, counts in table.rows]) for table in found.tables
    ]
    write_workbook(path, [*sheets, ("about", ("what", "value"), about)])


def _value(field: str, event: str, source: str, firearm: Firearm) -> str:
    if field in ("event", "source"):
        return event if field == "event" else source
    value = str(getattr(firearm, field))
    return calibre_in_latin(value) if field == "calibre" and value else value or NOT_STATED


def _table(name: str, heading: str, counted: Counter[tuple[str, str]]) -> StatisticsTable:
    values: Counter[str] = Counter()
    for (value, _), number in counted.items():
        values[value] += number
    ordered = sorted(values, key=lambda value: (-values[value], value))
    rows = tuple((value, (*(counted[value, kind] for kind in EVENT_KINDS), values[value])) for value in ordered)
    return StatisticsTable(name, (heading, *EVENT_KINDS, "all"), rows)
