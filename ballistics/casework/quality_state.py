"""What the quality records say against a comparison: of its instruments, its method, and who compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ballistics.casework.casebook import Kind
from ballistics.casework.quality_records import Calibration, Competence, Instrument, Validation
from ballistics.casework.rules import fields_of
from ballistics.casework.standing import CalibrationStanding, calibration_at, competence_at, validation_at
from ballistics.findings import Finding
from ballistics.records import View

_CALIBRATION = {
    "none": "it had no calibration",
    "failed": "its last calibration had failed",
    "not in service": "it was no longer in service",
}


@dataclass(frozen=True)
class QualityRecords:
    """The quality records of a laboratory, at one time.

    Parameters
    ----------
    instruments : mapping of str to Instrument
        By identifier.
    calibrations, validations, competences : tuple
        All that are recorded.
    """

    instruments: Mapping[str, Instrument]
    calibrations: tuple[Calibration, ...]
    validations: tuple[Validation, ...]
    competences: tuple[Competence, ...]

    @classmethod
    def of(cls, view: View) -> QualityRecords:
        """Read them from a log."""
        instruments = {each.id: each for each in _all(view, Instrument)}
        return cls(instruments, _all(view, Calibration), _all(view, Validation), _all(view, Competence))

    def calibration(self, instrument: str, at: str) -> Finding | None:
        """Return the serious finding ``"calibration-overdue"`` of an instrument that was not calibrated at a time."""
        found = calibration_at(self.instruments[instrument], self.calibrations, at)
        if found.state == "calibrated":
            return None
        return Finding(
            "calibration-overdue", "serious", f"instrument {instrument} measured on {at[:10]}: {_why(found)}"
        )

    def validation(self, method: str, version: str, on: str) -> Finding | None:
        """Return the serious finding ``"not-validated"`` of a version of a method without a study that it passed.

        Parameters
        ----------
        method, version : str
            As the comparison states them.
        on : str
            When it was used.
        """
        found = validation_at(method, version, self.validations, on)
        if found.state == "validated":
            return None
        why = {"failed": "its study failed", "later": "its study was concluded later"}.get(
            found.state, "no study is recorded"
        )
        return Finding("not-validated", "serious", f"{method}, version {version}, is not validated here: {why}")

    def competence(self, operator: str, method: str, mark: str, on: str) -> Finding | None:
        """Return the warning ``"no-competence"`` of a person who was not authorised for a method or a kind of mark.

        Parameters
        ----------
        operator : str
            Short name of the person.
        method, mark : str
            Names by which the authorisation may go.
        on : str
            When the person acted.
        """
        found = competence_at(operator, (method, mark), self.competences, on)
        if found.state == "authorised":
            return None
        why = "has lapsed" if found.state == "lapsed" else "is not recorded"
        return Finding("no-competence", "warning", f"the authorisation of {operator} for {mark} {why} on {on[:10]}")


def _why(found: CalibrationStanding) -> str:
    due = "" if found.calibration is None else found.calibration.due
    return _CALIBRATION.get(found.state, f"its calibration was due on {due}")


def _all(view: View, kind: type[Kind]) -> tuple[Kind, ...]:
    records = (fields_of(entry) for entry in view.records(kind.KIND))
    return tuple(record for record in records if isinstance(record, kind))
