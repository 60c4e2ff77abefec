"""Two items of a case compared by all their scans: bullets by lands, heads by marks; kept, reported, made again."""

import errno
import json
from dataclasses import replace
from pathlib import Path

import pytest
from casework_story import case, laboratory
from conftest import data_folder

from ballistics.casework import (
    Comparison,
    Conclusion,
    Instrument,
    Item,
    Observation,
    Report,
    Scan,
    Unmasking,
    write_disclosure,
)
from ballistics.errors import ParameterError, WriteError
from ballistics.front import compare_items, replay
from ballistics.records import RefusedError
from ballistics.reports import case_pages
from ballistics.surfaces import simulate_population, write_x3p


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    lab = laboratory(tmp_path / "laboratory")
    lab.record("CU", case(blind=True))
    lab.record("QM", Instrument("INS-1", make="Maker", model="Model", serial="7", kind="confocal"))
    for item in ("C-1/1", "C-1/2"):
        lab.record("CU", Item(item, case="C-1", kind="bullet", description="brass", calibre="9 mm Luger"))
    yield lab
    assert lab.book.verify().clean
    lab.book.close()


def scan(lab, item, name, path, mark, **more):
    file = lab.book.files.keep(path) if hasattr(path, "is_file") else lab.book.files.keep_bytes(path)
    lab.record("E1", Scan(f"{item}/{name}", case="C-1", item=item, file=file, name="s.x3p", mark=mark,
                          instrument="INS-1", at="2026-11-03", by="E1", **more))  # fmt: skip


def reported(lab, tmp_path):
    """Return the page of a report on the only comparison, after an unmasking, and what making it again gives."""
    with pytest.raises(RefusedError, match="examined blind"):
        lab.book.result("C-1/V", lab.keys["E1"])
    both = {"case": "C-1", "items": ("C-1/1", "C-1/2")}
    lab.record("E1", Observation("C-1/O", suitability="suitable", seen="fine lines", **both))
    lab.record("E1", Conclusion("C-1/C", scale="AFTE", value="identification", reasons="agreement", **both))
    lab.record("E1", Unmasking("C-1/U", case="C-1", conclusion="C-1/C", shown=("scores",)))
    lab.record("E1", Report("C-1/R", case="C-1", kind="evaluative", language="en", comparisons=("C-1/V",),
                            conclusions=("C-1/C",), summary="They agree."))  # fmt: skip
    page = case_pages(lab.book, "C-1/R", ("html",), reader=lab.keys["RE"])["html"].decode()
    (tmp_path / "page.html").write_text(page)
    write_disclosure(lab.book, "C-1", tmp_path / "bundle.zip")
    return page, replay(tmp_path / "bundle.zip")


@pytest.mark.slow
def test_bullets_are_compared_by_their_lands(lab, tmp_path):
    # Recorded in another order than round the bullet.
    for bullet, item in ((1, "C-1/1"), (2, "C-1/2")):
        for land in (3, 1, 2, 6, 5, 4):
            path = data_folder("bullets/hamby44-barrel1") / f"Barrel_1-Bullet_{bullet}-Land_{land}.x3p"
            scan(lab, item, f"L{land}", path, "land engraved area", land=str(land))
    compare_items(lab.book, lab.keys["E1"], "C-1/V", ("C-1/1", "C-1/2"))
    record = lab.book.get(Comparison, "C-1/V").record
    assert (record.mark, len(record.scans), record.scans[0]) == ("bullet", 12, "C-1/1/L1")
    assert record.score is not None
    assert record.score > 300
    page, again = reported(lab, tmp_path)
    assert again.equal, again
    assert again.comparisons[0].n_values > 1000
    assert "Lands of A and B" in page
    assert "6; 6" in page
    assert "kept file" not in page


@pytest.mark.slow
def test_heads_are_compared_mark_by_mark(lab, tmp_path):
    for item, head in zip(("C-1/1", "C-1/2"), simulate_population(1, 2, 3, breech_faces=["granular"]), strict=True):
        write_x3p(tmp_path / "h.x3p", head.surface, overwrite=True)
        for mark in ("firing pin", "breech face"):
            scan(lab, item, mark, tmp_path / "h.x3p", mark)
    entry = compare_items(lab.book, lab.keys["E1"], "C-1/V", ("C-1/1", "C-1/2"))
    record = lab.book.get(Comparison, "C-1/V").record
    assert record.mark == record.method == "cartridge-case head"
    assert record.scans == tuple(f"C-1/{n}/{mark}" for n in (1, 2) for mark in ("breech face", "firing pin"))
    found = json.loads(lab.book.files.read(record.result))
    assert found["compared"] == ["breech face", "firing pin"]
    page, again = reported(lab, tmp_path)
    assert again.equal, again
    assert "All marks together: no likelihood ratio is stated: no reference population was given" in page
    assert page.count("Congruent cells") == 2
    # A record that names other scans than its result is reported with that fault, and without a ratio.
    swapped = replace(record, scans=record.scans[2:] + record.scans[:2])
    lab.amend("E1", swapped)
    assert entry.number < lab.book.get(Comparison, "C-1/V").entry.number
    page = case_pages(lab.book, "C-1/R", ("html",), reader=lab.keys["RE"])["html"].decode()
    assert "is the result of other scans" in page


def test_what_cannot_be_compared_is_told(lab):
    def compared(*items, **more):
        compare_items(lab.book, lab.keys["E1"], "C-1/V", items, **more)

    with pytest.raises(ParameterError, match="no scan of 'C-1/1'"):
        compared("C-1/1", "C-1/2")
    scan(lab, "C-1/1", "L1", b"1", "land engraved area", land="1")
    scan(lab, "C-1/1", "L2", b"2", "land engraved area", land="one")
    scan(lab, "C-1/2", "T", b"3", "tool mark")
    with pytest.raises(ParameterError, match="two different items"):
        compared("C-1/1", "C-1/1")
    with pytest.raises(ParameterError, match="no mark in common: land engraved area and tool mark"):
        compared("C-1/1", "C-1/2")
    scan(lab, "C-1/2", "L1", b"4", "land engraved area", land="1")
    with pytest.raises(ParameterError, match=r"scan 'C-1/1/L2' says of its land 'one': amend it"):
        compared("C-1/1", "C-1/2")
    scan(lab, "C-1/1", "L3", b"5", "land engraved area", land="1")
    with pytest.raises(ParameterError, match="state land 1: leave out one"):
        compared("C-1/1", "C-1/2", without=("C-1/1/L2",))
    for name in ("B1", "B2"):
        scan(lab, "C-1/1", name, b"6", "breech face")
    scan(lab, "C-1/2", "B", b"7", "breech face")
    lands = ("C-1/1/L1", "C-1/1/L2", "C-1/1/L3")
    with pytest.raises(ParameterError, match="has 2 scans of the breech face: C-1/1/B1, C-1/1/B2; leave out"):
        compared("C-1/1", "C-1/2", without=lands)


def test_a_comparison_of_several_scans_names_those_of_one_item_and_then_of_another(lab):
    for item in ("C-1/1", "C-1/2"):
        for land in "12":
            scan(lab, item, f"L{land}", b"1", "land engraved area", land=land)
    result = lab.book.files.keep_bytes(b"{}")
    a, b = (tuple(f"C-1/{n}/L{land}" for land in "12") for n in (1, 2))
    made = Comparison("C-1/V", case="C-1", scans=(), mark="bullet", method="m", version="1", result=result)
    for scans in (a, (a[0], b[0], a[1]), (*a, *a, *b)):
        with pytest.raises(RefusedError, match="it compares those of one, named first"):
            lab.record("E1", replace(made, scans=scans))
    with pytest.raises(RefusedError, match="names 4 scans, it compares two"):
        lab.record("E1", replace(made, scans=(*a, *b), mark="land engraved area"))
    lab.record("E1", replace(made, scans=(*a, *b)))


def test_where_there_is_no_room_for_the_scans_nothing_is_recorded(lab, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    for item in ("C-1/1", "C-1/2"):
        scan(lab, item, "B", b"1", "breech face")
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(WriteError, match="No space left on device; make room"):
        compare_items(lab.book, lab.keys["E1"], "C-1/V", ("C-1/1", "C-1/2"))
    assert lab.book.all(Comparison) == []
