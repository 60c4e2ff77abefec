"""A case on real scans, from test fires to a replay elsewhere: the whole way, with every document that it makes."""

import json
from dataclasses import replace

import pytest
from casework_story import case, laboratory
from click.testing import CliRunner

from ballistics.casework import (
    Attachment,
    Authorisation,
    Calibration,
    Comparison,
    Competence,
    Conclusion,
    Firearm,
    Information,
    Instrument,
    Item,
    Observation,
    Release,
    Report,
    Review,
    Scan,
    Session,
    Shot,
    Transfer,
    Unmasking,
    Validation,
    write_disclosure,
)
from ballistics.cli import main
from ballistics.evidence import load_reference
from ballistics.front import compare_scans, replay
from ballistics.records import RefusedError
from ballistics.reports import case_pages

pytestmark = pytest.mark.slow
CALIBRE = "9 mm Luger"


def scanned(lab, operator, identifier, item, path, case_id=""):
    measured = {"mark": "breech face", "instrument": "INS-1", "at": "2026-10-06", "by": operator}
    file = lab.book.files.keep(path)
    lab.record(operator, Scan(identifier, case=case_id, item=item, file=file, name=path.name, **measured))


def test_from_the_range_to_the_court_and_back(tmp_path, monkeypatch, fadul):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    lab = laboratory(tmp_path / "laboratory")
    book = lab.book
    lab.record("QM", Instrument("INS-1", make="Maker", model="Model", serial="7", kind="confocal"))
    due = {"by": "Institute", "certificate": "77", "outcome": "passed"}
    lab.record("QM", Calibration("K-1", instrument="INS-1", on="2026-01-01", due="2027-01-01", **due))
    # Test fires: two of each of seven slides.
    for slide in range(2, 9):
        lab.record("SH", Firearm(f"F-{slide}", make="Ruger", model="P95", calibre=CALIBRE))
        fired = {"ammunition": "Winchester", "date": "2026-10-05", "place": "range", "operator": "SH"}
        fired |= {"checklist": "example", "answers": ("bore clear",)}
        lab.record("SH", Session(f"F-{slide}/S", firearm=f"F-{slide}", **fired))
        for shot in (1, 2):
            name = f"F-{slide}/S/{shot}"
            lab.record("SH", Shot(name, session=f"F-{slide}/S", place_in_session=shot, recovered="cartridge case"))
            scanned(lab, "SH", f"{name}/scan", name, fadul / f"Fadul-{slide}-{shot}.x3p")
    head = book.log.head()
    population = tmp_path / "ours.json"
    words = ["range", "reference", tmp_path / "laboratory", "--calibre", "9x19", "--instrument", "confocal",
             "--since", "2026-10-01", "--out", population, "--quiet", "--workers", "2"]  # fmt: skip
    built = CliRunner().invoke(main, [str(word) for word in words])
    assert built.exit_code == 0, built.output
    found = load_reference(population)[0]
    assert found.source.startswith(f"test fires recorded in library {book.library.identifier}, log to entry "
                                   f"{head.number}, {head.hash}")  # fmt: skip
    # Its pairs name the firearms as recorded, and the scans by the hashes that their records state.
    table = json.loads(population.read_text())["comparisons"]
    assert set(table["firearm_a"]) <= {each.record.id for each in book.all(Firearm)}
    assert set(table["scan_a"]) <= {each.record.file for each in book.all(Scan)}
    # The case: two cartridge cases of a slide that is not in the population, and a printed part.
    lab.record("CU", case(blind=True))
    lab.record("CU", Information("C-1/I", case="C-1", known="a suspect was named"))
    for number in (1, 2):
        lab.record("CU", Item(f"C-1/{number}", case="C-1", kind="cartridge case", description="brass",
                              calibre=CALIBRE, seal=f"A-{number}"))  # fmt: skip
        scanned(lab, "E1", f"C-1/{number}/S", f"C-1/{number}", fadul / f"Fadul-1-{number}.x3p", "C-1")
    lab.record("CU", Item("C-1/3", case="C-1", kind="printed part", description="a ring", category="ordinary"))
    (tmp_path / "ring.stl").write_bytes(b"solid ring\nendsolid ring\n")
    mesh = book.files.keep(tmp_path / "ring.stl")
    lab.record("CU", Attachment("C-1/3/M", case="C-1", item="C-1/3", file=mesh, name="ring.stl", what="mesh"))
    items = ("C-1/1", "C-1/2")
    lab.record("CU", Transfer("C-1/T", case="C-1", items=(*items, "C-1/3"), event="received", at="2026-11-02T09:30",
                              place="laboratory", by="CU", seal_intact="yes"))  # fmt: skip
    lab.record("E1", Observation("C-1/O", case="C-1", items=items, suitability="suitable", seen="granular marks"))
    compare_scans(book, lab.keys["E1"], "C-1/V0", ("C-1/1/S", "C-1/2/S"))
    first = book.get(Comparison, "C-1/V0").record
    assert {line.split(": ")[1] for line in first.findings if line.startswith("serious")} == {"not-validated"}
    lab.record("QM", Validation("VAL", method=first.method, version=first.version, on="2026-06", outcome="passed"))
    lab.record("QM", Competence("COM", operator="E1", method="breech face", since="2026-01", basis="training"))
    compare_scans(book, lab.keys["E1"], "C-1/V", ("C-1/1/S", "C-1/2/S"), population)
    with pytest.raises(RefusedError, match="examined blind"):
        book.result("C-1/V", lab.keys["E1"])
    drawn = {"scale": "AFTE", "value": "identification", "reasons": "individual marks agree"}
    lab.record("E1", Conclusion("C-1/C", case="C-1", items=items, **drawn))
    lab.record("E1", Unmasking("C-1/U", case="C-1", conclusion="C-1/C", shown=("scores",)))
    found = book.result("C-1/V", lab.keys["E1"])[0].record
    assert found.log10_lr > 1
    assert found.log10_lower <= found.log10_lr <= found.log10_upper
    assert not [line for line in found.findings if line.startswith("serious")]
    # Review by three persons, release, and the same bytes later.
    report = Report("C-1/R", case="C-1", kind="evaluative", language="mk", comparisons=("C-1/V",),
                    conclusions=("C-1/C",), summary="The marks agree.")  # fmt: skip
    entry = lab.record("E1", report).number
    of_draft = {"case": "C-1", "report": "C-1/R", "report_entry": entry}
    lab.record("RE", Review("C-1/R/1", outcome="accepted", checked=("items", "scans", "findings"), **of_draft))
    lab.record("AU", Authorisation("C-1/R/A", review="C-1/R/1", **of_draft))
    pages = case_pages(book, "C-1/R")
    kept = tuple(book.files.keep_bytes(page) for page in pages.values())
    release = {"authorisation": "C-1/R/A", "recipient": "court", "at": "2026-11-20"}
    lab.record("AU", Release("C-1/R/L", case="C-1", report="C-1/R", pages=kept, **release))
    assert case_pages(book, "C-1/R") == pages
    assert pages["pdf"].startswith(b"%PDF")
    assert "a suspect was named" not in pages["html"].decode()
    # Disclosure, replayed where there is no laboratory; and with one number of the record changed.
    write_disclosure(book, "C-1", tmp_path / "bundle.zip")
    again = replay(tmp_path / "bundle.zip")
    assert again.equal
    assert [each.n_values > 1000 for each in again.comparisons] == [True, True]
    assert book.verify().clean
    other = json.loads(book.files.read(found.result))
    other["evaluation"]["log10_lr"] = 9.0
    forged = replace(found, id="C-1/X", result=book.files.keep_bytes(json.dumps(other).encode()))
    lab.record("E1", forged)
    write_disclosure(book, "C-1", tmp_path / "forged.zip")
    (told,) = [each for each in replay(tmp_path / "forged.zip").comparisons if not each.equal]
    assert told.different[0].startswith("evaluation.log10_lr: recorded 9")
    book.close()
