"""Whether a firearm is reported stolen or lost: its reports, and what came after them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ballistics.registry.registry import RecordedEvent

#: Events that begin a report, and those that end it.
REPORTS = ("stolen", "lost")
ENDS = ("found", "recovered", "seized", "surrendered", "destroyed")


@dataclass(frozen=True)
class Report:
    """A report that a firearm was stolen or lost.

    Parameters
    ----------
    recorded : RecordedEvent
        The report.
    ended_by : RecordedEvent or None
        The first event after it that ended it.
    perhaps : bool
        Whether the dates leave open which of the two came first.
    """

    recorded: RecordedEvent
    ended_by: RecordedEvent | None
    perhaps: bool

    @property
    def is_open(self) -> bool:
        """Whether the firearm must be taken for stolen or lost still."""
        return self.ended_by is None or self.perhaps

    def words(self) -> str:
        """Return the report in a sentence: what, where, since when, by whom."""
        event = self.recorded.event
        where = f" in {event.place}" if event.place else ""
        file = f", file {event.reference}" if event.reference else ""
        said = f"reported {event.kind}{where} {event.on} by {event.unit}{file}"
        if self.ended_by is None:
            return said
        ended = f"{self.ended_by.event.kind} {self.ended_by.event.on} by {self.ended_by.event.unit}"
        return f"{said}; {ended}" + (", before or after the report is not known" if self.perhaps else "")


def reports(recorded: Sequence[RecordedEvent]) -> tuple[Report, ...]:
    """Return the reports among a firearm's events, the oldest first; events that were corrected do not count.

    Examples
    --------
    >>> from ballistics.registry.records import Event
    >>> stolen = RecordedEvent(1, 7, Event("stolen", "2023-05", "Bitola"), "", "", None)
    >>> found = RecordedEvent(2, 7, Event("recovered", "2023", "Tirana"), "", "", None)
    >>> [report.words() for report in reports([stolen, found])]
    ['reported stolen 2023-05 by Bitola; recovered 2023 by Tirana, before or after the report is not known']
    """
    valid = [event for event in recorded if event.superseded_by is None]
    found = []
    for report in sorted(
        (e for e in valid if e.event.kind in REPORTS), key=lambda e: (first_day(e.event.on), e.number)
    ):
        begun = report.event.on
        later = [e for e in valid if e.event.kind in ENDS and last_day(e.event.on) >= first_day(begun)]
        sure = [e for e in later if first_day(e.event.on) >= last_day(begun)]
        among = sure or later
        end = min(among, key=lambda e: (first_day(e.event.on), e.number), default=None)
        found.append(Report(report, end, end is not None and not sure))
    return tuple(found)


def first_day(on: str) -> str:
    """Return the first day that a date may mean."""
    return f"{on}-01-01" if len(on) == 4 else f"{on}-01" if len(on) == 7 else on


def last_day(on: str) -> str:
    """Return the last day that a date may mean; every month is taken to have 31.

    Examples
    --------
    >>> first_day("2024"), last_day("2024"), last_day("2024-02"), last_day("2024-02-03")
    ('2024-01-01', '2024-12-31', '2024-02-31', '2024-02-03')
    """
    return f"{on}-12-31" if len(on) == 4 else f"{on}-31" if len(on) == 7 else on
