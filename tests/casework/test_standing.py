"""Whether an instrument was calibrated, a method validated and a person authorised at a time."""

import pytest

from ballistics.casework import (
    Calibration,
    Competence,
    Instrument,
    Validation,
    calibration_at,
    competence_at,
    validation_at,
)

MADE = Instrument("I", make="m", model="m", serial="1", kind="confocal", in_service="2020", withdrawn="2026-09")


def calibration(on, due, outcome="passed", instrument="I", identifier="K"):
    return Calibration(f"{identifier}{on}", instrument=instrument, on=on, due=due, by="b", certificate="1",
                       outcome=outcome)  # fmt: skip


@pytest.mark.parametrize(
    ("at", "state"),
    [
        ("2024-12-31", "none"),
        ("2025-01-10", "calibrated"),
        ("2025-12-31T23:59", "calibrated"),
        ("2026-01-01", "overdue"),
        ("2026-03-01", "failed"),  # a failed one ends what a passed one gave
        ("2026-04-01", "calibrated"),
        ("2026-04", "calibrated"),
        ("2026-06", "overdue"),  # not all of the month is covered
        ("2026", "not in service"),
        ("2026-08-31", "overdue"),
        ("2026-09-01", "not in service"),
    ],
)
def test_calibration(at, state):
    known = [
        calibration("2025-01-10", "2025-12"),
        calibration("2026-02-20", "2027", "failed"),
        calibration("2026-04-01", "2026-06-15"),
        calibration("2026-08-01", "2030", instrument="J"),
    ]
    assert calibration_at(MADE, known, at).state == state
    assert calibration_at(MADE, reversed(known), at) == calibration_at(MADE, known, at)


def validation(on, outcome="passed", version="2"):
    return Validation(f"V{on}{version}", method="m", version=version, on=on, outcome=outcome)


@pytest.mark.parametrize(
    ("known", "state"),
    [
        ([], "none"),
        ([validation("2025", version="1")], "none"),
        ([validation("2025-05")], "validated"),
        ([validation("2026-07-01")], "later"),
        ([validation("2025-05"), validation("2026-02", "failed")], "failed"),
        ([validation("2025-05", "failed"), validation("2026-02")], "validated"),
        ([validation("2025-05"), validation("2026-07-01", "failed")], "validated"),
        ([validation("2026")], "validated"),
        ([validation("2026-07")], "later"),
    ],
)
def test_validation(known, state):
    assert validation_at("m", "2", known, "2026-06-30T10:00:00Z").state == state


@pytest.mark.parametrize(
    ("since", "until", "method", "state"),
    [
        ("2025", "", "m", "authorised"),
        ("2025", "", "breech face", "authorised"),
        ("2025", "", "firing pin", "none"),
        ("2025", "2026-06-29", "m", "lapsed"),
        ("2025", "2026-06", "m", "authorised"),
        ("2026-07", "", "m", "lapsed"),
    ],
)
def test_competence(since, until, method, state):
    held = [Competence("C", operator="E1", method=method, since=since, until=until, basis="course")]
    assert competence_at("E1", ("m", "breech face"), held, "2026-06-30").state == state
    assert competence_at("E2", ("m", "breech face"), held, "2026-06-30").state == "none"
