"""`ballistics case report`: pages in files, never over others; drafts of blind cases by key; what was released."""

from hashlib import sha256

import pytest
from casework_story import laboratory
from click.testing import CliRunner
from report_story import authorised, draft, examined, quality, simulated

from ballistics.casework import Release
from ballistics.cli import main
from ballistics.records import make_key
from ballistics.reports import case_pages

PASSPHRASE = "correct horse battery"


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    return simulated(tmp_path_factory.mktemp("scans"))


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    lab = laboratory(tmp_path / "laboratory")
    yield lab
    lab.book.close()


def run(lab, *words, code=0, **env):
    given = ["case", "report", str(lab.book.library.folder), *map(str, words), "--quiet"]
    found = CliRunner().invoke(main, given, env={"COLUMNS": "300", **env})
    assert found.exit_code == code, found.output
    return " ".join(found.output.split())


@pytest.mark.slow
def test_pages_are_written_and_a_released_one_is_known_again(lab, compared, tmp_path):
    quality(lab, compared[0])
    examined(lab, *compared)
    entry = authorised(lab, draft(lab))
    page, pdf = tmp_path / "r.html", tmp_path / "r.pdf"
    said = run(lab, "R-1", "--out", page, "--out", pdf)
    made = case_pages(lab.book, "R-1")
    assert (page.read_bytes(), pdf.read_bytes()) == (made["html"], made["pdf"])
    assert sha256(made["pdf"]).hexdigest() in said
    assert "released" not in said
    kept = lab.book.files.keep(pdf)
    lab.record("CU", Release("R-1/L", case="C-1", report="R-1", authorisation="R-1/A", pages=(kept,),
                             recipient="Basic Court", at="2026-12-01"))  # fmt: skip
    assert "exists: choose another name" in run(lab, "R-1", "--out", page, code=2)
    again = tmp_path / "again.pdf"
    assert "that was released to Basic Court on 2026-12-01" in run(lab, "R-1", "--out", again)
    assert again.read_bytes() == pdf.read_bytes()
    assert "released" not in run(lab, "R-1", "--out", again, "--language", "mk", "--overwrite")
    assert "DRAFT" in run_page(lab, tmp_path, "--as-of", entry - 1)
    assert "written as .html or .pdf" in run(lab, "R-1", "--out", tmp_path / "r.docx", code=2)
    assert "there is no report 'R-2'" in run(lab, "R-2", "--out", tmp_path / "r2.pdf", code=2)
    assert not (tmp_path / "r2.pdf").exists()


def run_page(lab, folder, *words, **env):
    run(lab, "R-1", "--out", folder / "page.html", "--overwrite", *words, **env)
    return (folder / "page.html").read_text("utf-8")


def test_the_draft_of_a_blind_case_needs_the_key_of_who_may_see_it(lab, compared, tmp_path):
    quality(lab, compared[0])
    examined(lab, *compared, blind=True)
    draft(lab)
    keys = {name: make_key(tmp_path / f"{name}.json", PASSPHRASE) for name in ("E1", "E2")}
    for name, key in keys.items():
        lab.book.take_in(lab.keys["AD"], key.public, name, f"Operator {name}", ("examiner",))
    out = tmp_path / "page.html"
    assert "say who reads the draft" in run(lab, "R-1", "--out", out, code=2)
    env = {"BALLISTICS_PASSPHRASE": PASSPHRASE}
    assert "shown to Operator E2 after" in run(lab, "R-1", "--out", out, "--key", tmp_path / "E2.json", code=2, **env)
    assert not out.exists()
    assert "DRAFT" in run_page(lab, tmp_path, "--key", tmp_path / "E1.json", **env)
