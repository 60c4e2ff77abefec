"""Recorded scans compared and weighed, and what the quality records say against a comparison."""

import json

import pytest
from casework_story import case, laboratory

from ballistics.casework import (
    Calibration,
    Comparison,
    Competence,
    Firearm,
    Instrument,
    Item,
    Scan,
    Session,
    Shot,
    Validation,
)
from ballistics.errors import ParameterError
from ballistics.front import compare_scans, source_of_scan
from ballistics.surfaces import simulate_population, write_x3p


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scans")
    heads = simulate_population(1, 2, 3, breech_faces=["granular"])
    return [
        write_x3p(folder / f"{number}.x3p", head.surface) or folder / f"{number}.x3p"
        for number, head in enumerate(heads)
    ]


@pytest.fixture
def lab(tmp_path, monkeypatch, scans):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    lab = laboratory(tmp_path / "laboratory")
    lab.record("CU", case())
    lab.record("QM", Instrument("INS-1", make="Maker", model="Model", serial="7", kind="confocal"))
    lab.record("CU", Item("C-1/1", case="C-1", kind="cartridge case", description="brass", calibre="9 mm Luger"))
    lab.record("CU", Firearm("F-1", make="Maker", model="Model", calibre="9 mm Luger"))
    lab.record("SH", Session("F-1/1", firearm="F-1", ammunition="Maker, lot 7", date="2026-11-02", place="range",
                             operator="SH", checklist="example", answers=("bore clear",)))  # fmt: skip
    lab.record("SH", Shot("F-1/1/1", session="F-1/1", place_in_session=1, recovered="cartridge case"))
    for item, path, own in (("C-1/1", scans[0], "C-1"), ("F-1/1/1", scans[1], "")):
        scan = Scan(f"{item}/S", case=own, item=item, file=lab.book.files.keep(path), name=f"../{path.name}",
                    mark="breech face", instrument="INS-1", at="2026-11-03", by="E1")  # fmt: skip
        lab.record("E1", scan)
    yield lab
    assert lab.book.verify().clean
    lab.book.close()


@pytest.mark.slow
def test_an_exhibit_is_compared_with_a_test_fire_and_the_result_is_kept(lab):
    questioned, known = source_of_scan(lab.book, "C-1/1/S"), source_of_scan(lab.book, "F-1/1/1/S")
    assert (questioned.calibre, questioned.ammunition, questioned.instrument) == ("9 mm Luger", "", "confocal")
    assert (known.calibre, known.ammunition) == ("9 mm Luger", "Maker, lot 7")
    compare_scans(lab.book, lab.keys["E1"], "C-1/V", ("C-1/1/S", "F-1/1/1/S"))
    found, result = lab.book.result("C-1/V", lab.keys["E1"])
    document = json.loads(result)
    assert found.record.case == "C-1"
    assert found.record.score == pytest.approx(
        document["similarity"]["nats"] if "similarity" in document else found.record.score
    )
    assert found.record.score > 300
    assert found.record.no_lr == "no reference population was given"
    codes = {sentence.split(": ")[1] for sentence in found.record.findings}
    assert {"calibration-overdue", "not-validated", "no-competence"} <= codes


@pytest.mark.slow
def test_quality_records_answer_what_was_missing(lab):
    due = {"instrument": "INS-1", "by": "Institute", "certificate": "77", "outcome": "passed"}
    lab.record("QM", Calibration("K-1", on="2025-10-01", due="2026-10-01", **due))
    compare_scans(lab.book, lab.keys["E1"], "C-1/V", ("C-1/1/S", "F-1/1/1/S"))
    first = lab.book.get(Comparison, "C-1/V").record
    assert any("its calibration was due on 2026-10-01" in sentence for sentence in first.findings)
    lab.record("QM", Calibration("K-2", on="2026-10-02", due="2027-10", **due))
    lab.record("QM", Validation("VAL-1", method=first.method, version=first.version, on="2026-11", outcome="passed"))
    lab.record("QM", Competence("COM-1", operator="E1", method=first.method, since="2026-01", basis="training"))
    compare_scans(lab.book, lab.keys["E1"], "C-1/W", ("C-1/1/S", "F-1/1/1/S"))
    codes = {sentence.split(": ")[1] for sentence in lab.book.get(Comparison, "C-1/W").record.findings}
    assert not codes & {"calibration-overdue", "not-validated", "no-competence"}


def test_scans_of_different_marks_are_not_compared(lab):
    other = Scan("C-1/1/P", case="C-1", item="C-1/1", file=lab.book.get(Scan, "C-1/1/S").record.file, name="a.x3p",
                 mark="firing pin", instrument="INS-1", at="2026-11-03", by="E1")  # fmt: skip
    lab.record("E1", other)
    with pytest.raises(ParameterError, match="shows a breech face"):
        compare_scans(lab.book, lab.keys["E1"], "C-1/V", ("C-1/1/S", "C-1/1/P"))
