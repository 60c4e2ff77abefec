"""`ballistics case`, `range` and `quality`, from the key to the verification, in one laboratory."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from ballistics.cli import main
from ballistics.surfaces import simulate_population, write_x3p

PASSPHRASE = "correct horse battery"


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory):
    """Give a function that runs a command in a laboratory with one person of every role but the author's."""
    folder = tmp_path_factory.mktemp("laboratory")
    environment = {"BALLISTICS_PASSPHRASE": PASSPHRASE, "XDG_STATE_HOME": str(folder / "state"), "COLUMNS": "200"}
    lab = folder / "lab"

    def run(*words, key="all", code=0, lab=lab):
        given = [str(lab) if word == "LAB" else str(word) for word in words]
        env = {**environment, "BALLISTICS_KEY": str(folder / f"{key}.json")}
        found = CliRunner().invoke(main, given, env=env)
        assert found.exit_code == code, found.output
        return found.output

    run("library", "create", lab)
    for name in ("admin", "all", "reviewer"):
        made = run("case", "key", "make", folder / f"{name}.json")
        public = made.split()[-1]
        if name == "admin":
            begun = run(
                "case", "begin", "LAB", "--name", "Laboratory", "--operator", "AD", "--operator-name", "Adm", key=name
            )
            assert "Receipt of a log" in begun
        else:
            roles = ("reviewer",) if name == "reviewer" else ("custodian", "examiner", "shooter", "quality manager")
            words = [word for role in roles for word in ("--role", role)]
            run("case", "key", "take-in", "LAB", public, "--operator", name[:2], "--name", name, *words, key="admin")
    for number, head in enumerate(simulate_population(1, 2, 3, breech_faces=["granular"], spacing_um=12.5)):
        write_x3p(folder / f"{number}.x3p", head.surface)
    run.folder, run.lab = folder, lab
    return run


@pytest.fixture(scope="module")
def filled(laboratory):
    run, folder = laboratory, laboratory.folder
    case = (
        "--title",
        "Find",
        "--requester",
        "Police",
        "--request",
        "One weapon?",
        "--purpose",
        "lead",
        "--received",
        "2026-11-02",
    )
    run("case", "add", "case", "LAB", "C-1", *case, "--blind")
    instrument = ("--make", "M", "--model", "X", "--serial", "7", "--kind", "confocal")
    run("quality", "add", "instrument", "LAB", "INS-1", *instrument)
    item = ("--case", "C-1", "--kind", "cartridge case", "--description", "brass", "--calibre", "9x19")
    run("case", "add", "item", "LAB", "C-1/1", *item)
    run("range", "add", "firearm", "LAB", "F-1", "--make", "M", "--model", "X", "--calibre", "9 mm Luger")
    session = (
        "--firearm",
        "F-1",
        "--ammunition",
        "lot 7",
        "--date",
        "2026-11-01",
        "--place",
        "range",
        "--operator",
        "al",
    )
    run("range", "add", "session", "LAB", "S-1", *session, "--checklist", "example", "--answers", "bore clear")
    run("range", "add", "shot", "LAB", "S-1/1", "--session", "S-1", "--recovered", "cartridge case")
    scan = ("--mark", "breech face", "--instrument", "INS-1", "--at", "2026-11-03", "--by", "al", "--file")
    run("case", "add", "scan", "LAB", "C-1/1/S", "--case", "C-1", "--item", "C-1/1", *scan, folder / "0.x3p")
    run("range", "add", "scan", "LAB", "S-1/1/S", "--item", "S-1/1", *scan, folder / "1.x3p")
    return run


def test_scans_are_compared_and_scores_of_a_blind_case_stay_hidden_until_the_own_conclusion(filled):
    run, folder = filled, filled.folder
    said = run("case", "compare", "LAB", "C-1/V", "C-1/1/S", "S-1/1/S")
    assert "hidden: case 'C-1' is examined blind" in said
    assert "nats" not in said
    seen = ("--case", "C-1", "--items", "C-1/1")
    drawn = (*seen, "--scale", "AFTE", "--value", "identification", "--reasons", "lines")
    run("case", "add", "conclusion", "LAB", "C-1/E", *drawn, code=2)
    run("case", "add", "observation", "LAB", "C-1/O", *seen, "--suitability", "suitable", "--seen", "lines")
    run("case", "add", "conclusion", "LAB", "C-1/E", *drawn)
    run("case", "show", "LAB", "C-1", "--result", "C-1/V", "--out", folder / "early.json", code=2)
    run("case", "add", "unmasking", "LAB", "C-1/U", "--case", "C-1", "--conclusion", "C-1/E", "--shown", "scores")
    said = run("case", "show", "LAB", "C-1")
    assert "similarity: " in said
    assert "serious: calibration-overdue" in said
    run("case", "show", "LAB", "C-1", "--result", "C-1/V", "--out", folder / "result.json")
    assert json.loads((folder / "result.json").read_text())
    assert not (folder / "early.json").exists()


def test_records_are_amended_listed_and_their_history_shown(filled):
    run = filled
    run("case", "amend", "item", "LAB", "C-1/1", "--calibre", "9 mm Luger", "--reason", "head stamp read")
    listed = run("case", "list", "item", "LAB")
    assert "9 mm Luger" in listed
    assert "9x19" not in listed
    assert "9x19" in run("case", "list", "item", "LAB", "--history", "C-1/1")
    assert "no bullet" not in run("case", "words", "item types")
    refused = run(
        "case", "add", "item", "LAB", "C-1/2", "--case", "C-9", "--kind", "bullet", "--description", "x", code=2
    )
    assert "there is no such case" in refused
    refused = run(
        "case", "add", "item", "LAB", "C-1/2", "--case", "C-1", "--kind", "bullit", "--description", "x", code=2
    )
    assert "it may: cartridge case" in refused


def test_test_fires_are_selected_for_a_reference(filled):
    out = filled.folder / "fires"
    said = filled(
        "range", "select", "LAB", out, "--calibre", "9x19", "--instrument", "confocal", "--since", "2026-01-01"
    )
    assert "1 scans of 1 firearms" in said
    table = (out / "truth.csv").read_text().splitlines()
    assert table[1].startswith("0001 S-1_1_S 1.x3p,F-1,S-1/1,9 mm Luger,lot 7,confocal,2026-11-01,")
    assert (out / "0001 S-1_1_S 1.x3p").read_bytes() == (filled.folder / "1.x3p").read_bytes()
    refused = filled("range", "select", "LAB", filled.folder / "none", "--since", "2027-01-01", code=2)
    assert "holds no scan of a test fire like that (1 shots" in refused


def test_the_gap_to_the_standards_is_printed_and_written(filled):
    out = filled.folder / "gap.csv"
    said = filled("quality", "gap", "LAB", "--out", out, code=1)
    assert "requirements met" in said
    lines = out.read_text(encoding="utf-8-sig").splitlines()
    assert any("instrument INS-1: not calibrated on" in line and "missing" in line for line in lines)
    own = Path(filled.lab) / "requirements.json"
    own.write_text(json.dumps({"schema": "ballistics/requirements", "requirements": [
        {"standard": "own", "clause": "1", "requires": "a case", "check": "any:case"}]}))  # fmt: skip
    assert "1 of 1 requirements met" in filled("quality", "gap", "LAB")
    own.write_text(own.read_text().replace("any:case", "any:wish"))
    assert "names the check 'any:wish'" in filled("quality", "gap", "LAB", code=2)
    own.unlink()


def test_the_log_is_verified_against_a_receipt_and_a_lost_key_is_revoked(filled):
    run, folder = filled, filled.folder
    run("case", "receipt", "LAB", folder / "receipt.txt")
    said = run("case", "verify", "LAB", "--receipt", folder / "receipt.txt")
    assert "files: as recorded" in said
    keys = run("case", "key", "list", "LAB")
    identifier = next(line for line in keys.splitlines() if "reviewer" in line).split("│")[1].strip().strip("…")
    run("case", "key", "revoke", "LAB", identifier, "--reason", "stolen", "--doubtful-since", "2026-11-01", key="admin")
    said = run("case", "verify", "LAB")
    assert "the key of reviewer was revoked" in said
    assert "had been revoked" not in said
    (next((Path(filled.lab) / "files").glob("??/*"))).write_bytes(b"other")
    assert "NOT as recorded" in run("case", "verify", "LAB", code=1)
    assert "files: as recorded" not in run("case", "verify", "LAB", code=1)


def test_every_command_says_that_an_older_copy_was_put_back(laboratory, filled, tmp_path):
    older = tmp_path / "older"
    shutil.copytree(filled.lab, older)
    filled("case", "words")
    calibre = ("--calibre", "9 mm", "--reason", "measured")
    filled("case", "amend", "item", "LAB", "C-1/1", *calibre)
    assert "WARNING" not in filled("case", "list", "item", "LAB")
    said = filled("case", "list", "item", "LAB", lab=older)
    assert "WARNING: the log does not hold the entry" in said
    assert "older copy was put back" in " ".join(said.split())


def test_a_wrong_passphrase_is_told_and_never_printed(filled):
    env = {"BALLISTICS_PASSPHRASE": "wrong one, long enough", "BALLISTICS_KEY": str(filled.folder / "all.json")}
    found = CliRunner().invoke(main, ["case", "show", str(filled.lab), "C-1"], env=env)
    assert found.exit_code == 2
    assert "passphrase is not that of this key" in found.output
    assert "wrong one" not in found.output
