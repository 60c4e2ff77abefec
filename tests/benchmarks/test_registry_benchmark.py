"""What the registry benchmark is made of: its questions damage serials and respell makes as their kinds say."""

from __future__ import annotations

import pytest

from ballistics.registry import simulated_makes, simulated_rows
from benchmarks.suites import registry
from benchmarks.support.record import Context
from benchmarks.support.registry_questions import KINDS, questions

# Its fixture alone costs seconds.
pytestmark = pytest.mark.slow

ROWS = list(simulated_rows(400, 8))


def asked(kind):
    return [
        (row, each.question) for row, each in zip(ROWS, (q for q in questions(ROWS, 3) if q.kind == kind), strict=True)
    ]


def test_each_firearm_is_asked_for_in_each_kind():
    assert [asked.kind for asked in questions(ROWS[:2], 3)] == [*KINDS, *KINDS]


def test_serials_are_damaged_as_the_kind_says():
    for kind, signs in (("1 character obliterated", 1), ("2 characters obliterated", 2)):
        for row, question in asked(kind):
            assert question.serial.count("?") == signs
            assert all(a in (b, "?") for a, b in zip(question.serial, row.serial, strict=True))
    for kind in ("1 character misread", "1 look-alike misread"):
        changes = [
            sum(a != b for a, b in zip(question.serial, row.serial, strict=True)) for row, question in asked(kind)
        ]
        assert set(changes) == {1} if kind == "1 character misread" else set(changes) <= {0, 1}
    for row, question in asked("2 characters doubtful"):
        assert question.serial.count("[") == 2
        assert len(question.serial) == len(row.serial) + 6


def test_makes_are_written_otherwise():
    forms = {make.make: make.forms for make in simulated_makes()}
    other_script = 0
    for row, question in asked("transliterated make"):
        written = row.values[2]
        assert question.make in forms[row.make]
        assert question.make.casefold() != written.casefold()
        assert question.serial == row.serial
        other_script += question.make.isascii() != written.isascii()
    assert other_script > 0.9 * len(ROWS)


def test_the_benchmark_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "questions", lambda rows, seed: questions(rows[:3], seed))
    records = list(registry.run(Context(tmp_path, False, True, tmp_path)))
    assert {record.metric for record in records if record.goal.startswith("≥")} == {
        f"{kind}: within 10" for kind in registry._GOALS
    }
    assert all(record.value == record.value for record in records)
