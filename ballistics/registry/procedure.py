"""The procedure for firearms reported stolen, lost or found: a state machine from a data file, and what is overdue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from types import MappingProxyType

import sqlalchemy as sa
import yaml
from sqlalchemy.engine import Connection

from ballistics.errors import ParameterError
from ballistics.registry.records import EVENT_KINDS, checked_date
from ballistics.registry.registry import Registry
from ballistics.registry.standing import first_day, last_day
from ballistics.registry.tables import events, firearms, steps
from ballistics.registry.writing import next_number, now

_FILE = Path(__file__).with_name("data") / "procedure.yaml"


@dataclass(frozen=True)
class State:
    """A state of the procedure.

    Parameters
    ----------
    name : str
    within_days : int or None
        Days in which the next state must be reached; None for a state that may last.
    next : tuple of str
        States that may follow; none for an end.
    do : str
        What is to be done in it.
    """

    name: str
    within_days: int | None
    next: tuple[str, ...]
    do: str


@dataclass(frozen=True)
class Procedure:
    """A procedure: its version, which events begin it in which state, and its states."""

    version: str
    begins: Mapping[str, str]
    states: Mapping[str, State]


@cache
def read_procedure(path: Path = _FILE) -> Procedure:
    """Read a procedure.

    Raises
    ------
    ParameterError
        When the file is not understood, names a state that is none, or has one that is never reached.
    """
    try:
        says = yaml.safe_load(path.read_text("utf-8"))
        states = {
            name: State(name, how.get("within_days"), tuple(how.get("next", ())), how.get("do", ""))
            for name, how in says["states"].items()
        }
        made = Procedure(str(says["version"]), MappingProxyType(dict(says["begins"])), MappingProxyType(states))
    except (OSError, yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ParameterError(f"{path.name} is no procedure: {' '.join(str(error).split())[:200]}") from None
    reached = set(made.begins.values()) | {other for state in states.values() for other in state.next}
    faults = [f"'{name}' is no state" for name in sorted(reached - states.keys())]
    faults += [f"state '{name}' is never reached" for name in sorted(states.keys() - reached)]
    faults += [f"'{kind}' is no event" for kind in sorted(made.begins.keys() - set(EVENT_KINDS))]
    faults += [
        f"state '{state.name}': within_days is not a number of days, or nothing follows"
        for state in states.values()
        if state.within_days is not None
        and (type(state.within_days) is not int or state.within_days < 1 or not state.next)
    ]
    if faults:
        raise ParameterError(f"{path.name}: {'; '.join(faults)}")
    return made


@dataclass(frozen=True)
class Course:
    """Where the procedure of a report stands.

    Parameters
    ----------
    event, firearm : int
        Numbers of the event that began it, and of its firearm.
    kind, reported_on, unit : str
        What that event says.
    state : State
    since : str
        Day on which the state was reached.
    due : str
        Day by which the next state must be; empty for none.
    steps : tuple of (str, str, str, str)
        Each state reached: the state, the day, who recorded it, a note.
    """

    event: int
    firearm: int
    kind: str
    reported_on: str
    unit: str
    state: State
    since: str
    due: str
    steps: tuple[tuple[str, str, str, str], ...]

    def days_overdue(self, today: str) -> int:
        """Return by how many days the next state is late; 0 when it is not."""
        return max(0, (date.fromisoformat(today) - date.fromisoformat(self.due)).days) if self.due else 0


def step(registry: Registry, event: int, state: str, on: str, by: str, note: str = "") -> Course:
    """Record that the procedure of a report has reached its next state.

    Parameters
    ----------
    registry : Registry
    event : int
        Number of the event that began it.
    state : str
        One of those that may follow.
    on : str
        The day, ``2024-05-17``.
    by : str
        Who records it.
    note : str

    Raises
    ------
    ParameterError
        When the event begins no procedure or was corrected, the state may not follow, or the day is before the last.
    """
    procedure = read_procedure()
    if len(checked_date(on, "day of the step")) != 10:
        raise ParameterError(f"day of the step '{on}' is not a day: write 2024-05-17")
    with registry.writing() as connection:
        course = next(_courses(connection, procedure, event), None)
        if course is None:
            raise ParameterError(
                f"event {event} begins no procedure: it is not there, was corrected, or of another kind"
            )
        if state not in course.state.next:
            follow = f"; {' or '.join(course.state.next)} may follow" if course.state.next else ": it is at its end"
            raise ParameterError(
                f"the procedure of event {event} is in state {course.state.name}{follow}, not '{state}'"
            )
        # A report whose date is a month or a year was made on any day of it.
        since = course.since if len(course.steps) > 1 else first_day(course.reported_on)
        if on < since:
            raise ParameterError(f"{on} is before {since}, when the state {course.state.name} was reached")
        row = {"id": next_number(connection, steps), "event": event, "state": state, "on": on, "note": note}
        row |= {"version": procedure.version, "recorded_on": now(), "recorded_by": by}
        connection.execute(sa.insert(steps), [row])
        registry.signing.row(connection, steps, row)
        return next(_courses(connection, procedure, event))


def course(registry: Registry, event: int) -> Course | None:
    """Return where the procedure of a report stands; None when the event begins none."""
    with registry.reading() as connection:
        return next(_courses(connection, read_procedure(), event), None)


def overdue(registry: Registry, today: str, reported_since: str = "") -> list[Course]:
    """Return the procedures whose next state is late, the latest first.

    Parameters
    ----------
    registry : Registry
    today : str
        The day, ``2024-05-17``.
    reported_since : str
        Only reports of this date or later: registers hold reports from before there was a procedure.
    """
    with registry.reading() as connection:
        found = [
            course
            for course in _courses(connection, read_procedure(), None, reported_since)
            if course.days_overdue(today) > 0
        ]
    return sorted(found, key=lambda course: (course.due, course.event))


def _courses(
    connection: Connection, procedure: Procedure, event: int | None, reported_since: str = ""
) -> Iterator[Course]:
    later = events.alias("later")
    query = (
        sa.select(events, firearms.c.source)
        .join(firearms, firearms.c.id == events.c.firearm)
        .outerjoin(later, later.c.supersedes == events.c.id)
        .where(later.c.id.is_(None), events.c.kind.in_(list(procedure.begins)), events.c.on >= reported_since)
        .order_by(events.c.id)
    )
    made = sa.select(steps).order_by(steps.c.id)
    # A report that was corrected is the same report: its steps are those of the one that counts now.
    corrected = sa.select(events.c.id, events.c.supersedes).where(events.c.supersedes.is_not(None))
    before = {row.id: row.supersedes for row in connection.execute(corrected)}
    if event is not None:
        query = query.where(events.c.id == event)
    reached: dict[int, list[tuple[str, str, str, str]]] = {}
    for row in connection.execute(made):
        reached.setdefault(row.event, []).append((row.state, row.on, row.recorded_by, row.note))
    for row in connection.execute(query):
        begun = _day(row.on)
        same = [row.id]
        while same[-1] in before:
            same.append(before[same[-1]])
        own = [(procedure.begins[row.kind], begun, row.recorded_by, "")]
        own += [taken for number in reversed(same) for taken in reached.get(number, ())]
        state = procedure.states.get(own[-1][0]) or State(own[-1][0], None, (), "this state is not in the procedure")
        due = ""
        if state.within_days is not None:
            due = (date.fromisoformat(own[-1][1]) + timedelta(days=state.within_days)).isoformat()
        yield Course(row.id, row.firearm, row.kind, row.on, row.unit, state, own[-1][1], due, tuple(own))


def _day(on: str) -> str:
    """Return the last day that a date may mean: nobody is late before it."""
    last = last_day(on)
    for days in (0, 1, 2, 3):
        try:
            return date.fromisoformat(f"{last[:8]}{int(last[8:]) - days:02d}").isoformat()
        except ValueError:
            continue
    return last
