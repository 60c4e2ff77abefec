"""`ballistics library` and `ballistics search`: from a folder of scans and a table to leads, as a user would."""

from __future__ import annotations

import csv
import json
import shutil

import pytest
from click.testing import CliRunner

from ballistics.cli import main
from ballistics.library.enrolment import Reading

NAMES = ("Fadul-1-1.x3p", "Fadul-1-2.x3p", "Fadul-2-1.x3p")


def run(*arguments, code=0):
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture(scope="module")
def scans(fadul, tmp_path_factory):
    folder = tmp_path_factory.mktemp("scans")
    (folder / "sub").mkdir()
    for name in NAMES[:2]:
        shutil.copy(fadul / name, folder / name)
    shutil.copy(fadul / NAMES[2], folder / "sub" / NAMES[2])
    (folder / "broken.x3p").write_bytes(b"PK\x03\x04 no archive")
    rows = [
        ("scan", "calibre", "incident", "note"),
        (NAMES[0], "9 mm Luger", "12/26", "x"),
        (NAMES[1], "", "13/26", ""),
    ]
    rows += [(f"sub/{NAMES[2]}", "45 Auto", "", ""), ("absent.x3p", "", "", "")]
    with open(folder / "data.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return folder


@pytest.fixture(scope="module")
def library(scans, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli") / "library"
    run("library", "create", folder)
    out = folder.with_name("enrolled.json")
    printed = run(
        *("library", "enrol", folder, scans, "--data", scans / "data.csv", "--instrument", "confocal"),
        *("--workers", "1", "--json", out),
        code=1,
    )
    assert "columns of data.csv that are not read: note" in printed
    assert "3 enrolled, 2 refused" in printed
    return folder


def test_every_scan_and_row_has_an_outcome(library):
    content = json.loads(library.with_name("enrolled.json").read_bytes())
    outcomes = {row["scan"]: (row["outcome"], row["mark_id"]) for row in content["scans"]}
    assert outcomes == {
        "absent.x3p": ("refused", None),
        "broken.x3p": ("refused", None),
        **{name: ("enrolled", number) for number, name in enumerate(NAMES, 1)},
    }
    listed = json.loads(run("library", "list", library, "--json"))
    described = {mark["scan"]: mark["description"] for mark in listed["marks"]}
    assert [described[name]["calibre"] for name in NAMES] == ["9 mm Luger", "", "45 Auto"]
    assert [described[name]["instrument"] for name in NAMES] == ["confocal"] * 3
    assert described[NAMES[0]]["incident"] == "12/26"
    assert "marks: 2" in run("library", "list", library, "--calibre", "9 mm Luger")


def test_a_second_run_prepares_nothing_that_is_there(library, scans, monkeypatch):
    read = []
    original = Reading.mark_of
    monkeypatch.setattr(
        Reading, "mark_of", lambda self, path, *more: read.append(path.name) or original(self, path, *more)
    )
    arguments = ("library", "enrol", library, scans, "--data", scans / "data.csv", "--workers", "1")
    assert "3 present, 2 refused" in run(*arguments, code=1)
    assert read == ["broken.x3p"]
    changed = run("library", "enrol", library, scans / NAMES[0], "--place", "Skopje", "--workers", "1")
    assert "place '' became 'Skopje'" in changed
    assert run("library", "enrol", library, scans / NAMES[0], "--quiet") == ""
    # What is said of a copy does not change what is known of the exhibit.
    copy = shutil.copy(scans / NAMES[0], library.with_name("copy.x3p"))
    copied = run("library", "enrol", library, copy, "--place", "Bitola", "--workers", "1")
    assert f"enrolled as '{NAMES[0]}'" in " ".join(copied.split())
    assert json.loads(run("library", "list", library, "--json"))["marks"][0]["description"]["place"] == "Skopje"
    # Another method is another mark: it is read again.
    read.clear()
    again = run("library", "enrol", library, scans / NAMES[0], "--units", "as written", "--workers", "1")
    assert "1 enrolled anew" in again
    assert read == [NAMES[0]]
    run("library", "enrol", library, scans / NAMES[0], "--workers", "1")


def test_search_lists_leads_and_writes_files(library, scans, tmp_path):
    outputs = [tmp_path / name for name in ("leads.html", "leads.csv", "leads.json")]
    options = ("--report", outputs[0], "--csv", outputs[1], "--json", outputs[2])
    printed = run("search", scans / NAMES[0], "--library", library, *options)
    assert "is the very scan" in printed
    assert "no opinion on source" in printed
    content = json.loads(outputs[2].read_bytes())
    assert [lead["scan"] for lead in content["leads"]] == [NAMES[1], NAMES[2]]
    assert content["leads"][0]["similarity"] > 100 > content["leads"][1]["similarity"]
    assert str(tmp_path) not in outputs[0].read_text(encoding="utf-8")
    assert outputs[0].read_text(encoding="utf-8").count("<article") == 2
    assert len(outputs[1].read_text(encoding="utf-8-sig").splitlines()) == 3
    before = [path.read_bytes() for path in outputs]
    assert "exists already" in run("search", scans / NAMES[0], "--library", library, *options, code=2)
    run("search", scans / NAMES[0], "--library", library, *options, "--overwrite", "--quiet")
    assert [path.read_bytes() for path in outputs] == before
    filtered = run("search", scans / NAMES[0], "--library", library, "--calibre", "9 mm Luger", "--top", "1")
    assert "1 mark was not searched: described otherwise" in filtered


def test_verify_remove_and_backup(library, scans, tmp_path):
    copy = tmp_path / "copy"
    assert "marks: 3, all as enrolled" in run("library", "backup", library, copy)
    assert "marks checked: 3, all as enrolled" in run("library", "verify", copy)
    assert "templates made: 0" in run("library", "renew", copy)
    gone = run("library", "remove", copy, 2, "--by", "Officer 7", "--reason", "court order", "--on", "2026-03-01")
    assert gone == "removed: 2 Fadul-1-2.x3p, by Officer 7 on 2026-03-01: court order\n"
    assert gone in run("library", "list", copy)
    assert "court order" in run("library", "enrol", copy, scans / NAMES[1], "--workers", "1", code=1)
    run("library", "enrol", copy, scans / NAMES[1], "--again", "--workers", "1")
    next((copy / "arrays").rglob("*.npy")).unlink()
    (copy / "arrays" / "aa").mkdir(exist_ok=True)
    (copy / "arrays" / "aa" / "left.part").touch()
    printed = run("library", "verify", copy, "--tidy", code=1)
    assert "the file is missing" in printed
    assert "deleted: arrays/aa/left.part" in printed
    # The library itself was not touched.
    assert "marks checked: 3, all as enrolled" in run("library", "verify", library)


def test_errors_are_one_line(scans, tmp_path, library):
    wrong = tmp_path / "wrong.csv"
    for table, words in (
        ("name\nx", "no column 'scan'"),
        ("scan\na\na", "stands in it twice"),
        ("scan,place\n,a", "no value for 'scan'"),
    ):
        wrong.write_text(table, encoding="utf-8")
        printed = run("library", "enrol", library, scans, "--data", wrong, code=2)
        assert words in printed
        assert "Traceback" not in printed
    wrong.write_bytes(b"scan\n\xff\xfe\n")
    assert "not a UTF-8 table" in run("library", "enrol", library, scans, "--data", wrong, code=2)
    twin = tmp_path / "twin"
    twin.mkdir()
    shutil.copy(scans / NAMES[0], twin / NAMES[0])
    shutil.copytree(twin, twin / "again")
    wrong.write_text(f"scan,place\n{NAMES[0]},a\n")
    printed = run("library", "enrol", library, twin / NAMES[0], twin / "again" / NAMES[0], "--data", wrong, code=2)
    assert "give the path from the folder" in printed
    assert "is not a library" in run("search", scans / NAMES[0], "--library", scans, code=2)
    assert "is not a library" in run("library", "verify", scans, code=2)
    assert "not empty" in run("library", "create", scans, code=2)
    assert "holds no mark 99" in run("library", "remove", library, 99, "--by", "A", "--reason", "B", code=2)
