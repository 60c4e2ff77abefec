"""What the quality records say of an instrument, a method or a person at a time: calibrated, validated, authorised.

Where a date is known to the month or year only, a calibration counts for what it certainly covers; a study and an
authorisation count from the first day that their date may mean.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from ballistics.casework.quality_records import Calibration, Competence, Instrument, Validation

CalibrationState = Literal["calibrated", "overdue", "failed", "none", "not in service"]
ValidationState = Literal["validated", "failed", "later", "none"]
CompetenceState = Literal["authorised", "lapsed", "none"]


@dataclass(frozen=True)
class CalibrationStanding:
    """Whether an instrument was calibrated at a time.

    Parameters
    ----------
    state : {"calibrated", "overdue", "failed", "none", "not in service"}
        ``none``: no calibration had been recorded that was made before.
    calibration : Calibration or None
        The newest one made before; None where there is none.
    """

    state: CalibrationState
    calibration: Calibration | None = None


@dataclass(frozen=True)
class ValidationStanding:
    """Whether a version of a method had been validated at a time.

    Parameters
    ----------
    state : {"validated", "failed", "later", "none"}
        ``later``: only a study concluded afterwards is recorded.
    validation : Validation or None
        The newest study that the state rests on.
    """

    state: ValidationState
    validation: Validation | None = None


@dataclass(frozen=True)
class CompetenceStanding:
    """Whether a person was authorised for a method at a time.

    Parameters
    ----------
    state : {"authorised", "lapsed", "none"}
        ``lapsed``: an authorisation had ended, or had not begun.
    competence : Competence or None
        What the state rests on.
    """

    state: CompetenceState
    competence: Competence | None = None


def calibration_at(instrument: Instrument, calibrations: Iterable[Calibration], at: str) -> CalibrationStanding:
    """Return whether an instrument was calibrated when something was measured.

    Parameters
    ----------
    instrument : Instrument
        The instrument.
    calibrations : iterable of Calibration
        Of any instruments.
    at : str
        When it was measured; where that is known to the month or year only, the whole of it must be covered.

    Returns
    -------
    CalibrationStanding

    Examples
    --------
    >>> made = Instrument("I", make="m", model="m", serial="1", kind="confocal", in_service="2020")
    >>> done = Calibration("K", instrument="I", on="2026-01-10", due="2026-06", by="b", certificate="1",
    ...                    outcome="passed")
    >>> [calibration_at(made, [done], day).state for day in ("2025-12-31", "2026-06-30", "2026-07-01", "2026")]
    ['none', 'calibrated', 'overdue', 'none']
    """
    if instrument.withdrawn and first_day(instrument.withdrawn) <= last_day(at):
        return CalibrationStanding("not in service")
    made = [each for each in calibrations if each.instrument == instrument.id and last_day(each.on) <= first_day(at)]
    if not made:
        return CalibrationStanding("none")
    newest = max(made, key=lambda each: (last_day(each.on), each.id))
    if newest.outcome != "passed":
        return CalibrationStanding("failed", newest)
    return CalibrationStanding("overdue" if last_day(at) > last_day(newest.due) else "calibrated", newest)


def validation_at(method: str, version: str, validations: Iterable[Validation], at: str) -> ValidationStanding:
    """Return whether a version of a method had been validated when it was used.

    Parameters
    ----------
    method, version : str
        As the comparison states them.
    validations : iterable of Validation
        Of any methods.
    at : str
        When it was used.
    """
    own = [each for each in validations if (each.method, each.version) == (method, version)]
    before = [each for each in own if first_day(each.on) <= last_day(at)]
    if not before:
        return ValidationStanding("later" if own else "none", min(own, key=_concluded, default=None))
    newest = max(before, key=_concluded)
    return ValidationStanding("validated" if newest.outcome == "passed" else "failed", newest)


def competence_at(operator: str, methods: Iterable[str], records: Iterable[Competence], at: str) -> CompetenceStanding:
    """Return whether a person was authorised for a method.

    Parameters
    ----------
    operator : str
        Short name of the person.
    methods : iterable of str
        Names by which the authorisation may go: the method, or the kind of mark.
    records : iterable of Competence
        Of any persons.
    at : str
        When the person acted.
    """
    wanted = set(methods)
    own = [each for each in records if each.operator == operator and each.method in wanted]
    valid = [each for each in own if _covers(each, at)]
    if valid:
        return CompetenceStanding("authorised", max(valid, key=lambda each: (last_day(each.since), each.id)))
    newest = max(own, key=lambda each: (last_day(each.since), each.id), default=None)
    return CompetenceStanding("none" if newest is None else "lapsed", newest)


def first_day(time: str) -> str:
    """Return the first day that a time of the records may mean.

    Examples
    --------
    >>> first_day("2026-02"), first_day("2026-02-03T04:05")
    ('2026-02-01', '2026-02-03')
    """
    return (time[:10] + "-01-01"[len(time[:10]) - 4 :])[:10]


def last_day(time: str) -> str:
    """Return the last day that a time of the records may mean.

    Examples
    --------
    >>> last_day("2026"), last_day("2026-02"), last_day("2026-02-03T04:05")
    ('2026-12-31', '2026-02-28', '2026-02-03')
    """
    day = time[:10]
    if len(day) == 4:
        return f"{day}-12-31"
    if len(day) == 7:
        return f"{day}-{calendar.monthrange(int(day[:4]), int(day[5:]))[1]:02}"
    return day


def _covers(record: Competence, at: str) -> bool:
    ends = last_day(record.until) if record.until else "9999-12-31"
    return first_day(record.since) <= last_day(at) <= ends


def _concluded(record: Validation) -> tuple[str, str]:
    return last_day(record.on), record.id
