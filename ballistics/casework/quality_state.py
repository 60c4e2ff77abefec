"""What the quality records say at a time: of an instrument, of a version of a method, of a person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from ballistics.casework.fields import Record
from ballistics.casework.quality_records import Calibration, Competence, Instrument, Validation
from ballistics.casework.rules import fields_of
from ballistics.casework.standing import CalibrationStanding, calibration_at, validation_at
from ballistics.findings import Finding
from ballistics.records import View

Kind = TypeVar("Kind", bound=Record)


def quality_findings(
    view: View, instruments: Mapping[str, str], method: str, version: str, operator: str, on: str
) -> tuple[Finding, ...]:
    """Return what the quality records say against a comparison.

    Parameters
    ----------
    view : View
        Of the log, at the time of the comparison.
    instruments : mapping of str to str
        Identifier of each instrument to when it measured, ``2026-11-30T21:04``.
    method, version : str
        What compared.
    operator : str
        Short name of who compared.
    on : str
        When.

    Returns
    -------
    tuple of Finding
        Serious: ``"calibration-overdue"``, ``"not-validated"``. Warning: ``"no-competence"``.
    """
    found = [_calibration(view, name, at) for name, at in sorted(instruments.items())]
    found += [_validation(view, method, version, on), _competence(view, operator, method, on)]
    return tuple(finding for finding in found if finding is not None)


def calibration_due(view: View, instrument: str, at: str) -> str | None:
    """Return until when the calibration held that an instrument had at a time; None when it had none.

    Parameters
    ----------
    view : View
        Of the log.
    instrument : str
        Its identifier.
    at : str
        The time, ``2026-11-30`` or as exact as it is known.
    """
    found = _standing(view, instrument, at)
    return None if found.state not in ("calibrated", "overdue") or found.calibration is None else found.calibration.due


def _standing(view: View, instrument: str, at: str) -> CalibrationStanding:
    made = view.current(Instrument.KIND, instrument)
    if made is None:
        return CalibrationStanding("none")
    record = fields_of(made)
    assert isinstance(record, Instrument)
    return calibration_at(record, _records(view, Calibration), at)


def _calibration(view: View, instrument: str, at: str) -> Finding | None:
    found = _standing(view, instrument, at)
    made = found.calibration
    if found.state == "calibrated":
        return None
    if made is None:
        said = "it was out of service" if found.state == "not in service" else "it had none"
    elif found.state == "failed":
        said = f"the calibration of {made.on} had failed"
    else:
        said = f"its calibration was due on {made.due}"
    return Finding("calibration-overdue", "serious", f"instrument {instrument} measured on {at[:10]}: {said}")


def _validation(view: View, method: str, version: str, on: str) -> Finding | None:
    known = _records(view, Validation)
    if validation_at(method, version, known, on).state == "validated":
        return None
    held = sorted({each.version for each in known if (each.method, each.outcome) == (method, "passed")} - {version})
    other = f"; validated are versions {', '.join(held)}" if held else ""
    return Finding(
        "not-validated", "serious", f"the laboratory holds no validation of {method}, version {version}{other}"
    )


def _competence(view: View, operator: str, method: str, on: str) -> Finding | None:
    for record in _records(view, Competence):
        is_theirs = (record.operator, record.method) == (operator, method)
        if is_theirs and record.since[:10] <= on[:10] and holds_on(record.until, on):
            return None
    return Finding("no-competence", "warning", f"{operator} has no authorisation for {method} on record on {on[:10]}")


def _records(view: View, kind: type[Kind]) -> list[Kind]:
    found = (fields_of(entry) for entry in view.records(kind.KIND))
    return [record for record in found if isinstance(record, kind)]


def holds_on(until: str, on: str) -> bool:
    """Return whether what holds until a date, as exact as it is known, holds on a day.

    Examples
    --------
    >>> holds_on("2026-11", "2026-11-30"), holds_on("2026-10", "2026-11-30"), holds_on("", "2026-11-30")
    (True, False, True)
    """
    return on[:10] <= _end_of(until)


def _end_of(date: str) -> str:
    """Return the last day that a date, as exact as it is known, stands for; a far one for none.

    Examples
    --------
    >>> _end_of("2026-11-30"), _end_of("2026-11"), _end_of("")
    ('2026-11-30', '2026-11-31', '9999-12-31')
    """
    day = date[:10]
    return day + "9999-12-31"[len(day) :]
