"""The commands of docs/print-jobs.md run as they stand, on given jobs and ordinary objects."""

from __future__ import annotations

import csv
import json
import re
import shutil
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import DATA

from ballistics.cli import main

PAGE = (Path(__file__).parents[2] / "docs/print-jobs.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```\n(.*?)```", PAGE, re.S)
COMMANDS = [line for block in BLOCKS for line in re.findall(r"^ballistics .*$", block, re.M)]


@pytest.mark.slow
def test_from_a_card_to_a_report(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("CARD", "MODELS"):
        (tmp_path / folder).mkdir()
    jobs = DATA / "meshes/gcode"
    for pattern in ("fardog__008*", "fardog__009*", "*413*prusa*"):
        shutil.copy(next(jobs.glob(pattern)), tmp_path / "CARD")
    with zipfile.ZipFile(tmp_path / "CARD/sent.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(next(jobs.glob("*413*slic3r*")), "z-cover.gcode")
    (tmp_path / "CARD/readme.txt").write_text("nothing to print")
    for name in ("household_print__005__porch-gutter-hanger.ply", "mech_printer_part__413__z-screw-cover.ply"):
        shutil.copy(DATA / "meshes/ordinary" / name, tmp_path / "MODELS")
    assert [command.split()[2] for command in COMMANDS] == ["inspect", "enrol", "batch", "identify"]
    for command in COMMANDS:
        done = CliRunner().invoke(main, command.split()[1:])
        # A text that is no model ends `inspect` and `identify` with 1, as the page says.
        assert done.exit_code in (0, 1), (command, done.output, done.exception)
    assert len(list((tmp_path / "views").glob("*.png"))) == 4
    with open("found.csv", encoding="utf-8", newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    assert rows["readme.txt"]["verdict"] == "not a mesh"
    assert rows["sent.zip"]["verdict"] == "archive"
    found = {name: row["reference"] for name, row in rows.items() if row["verdict"] == "in the collection"}
    assert "z-screw-cover" in found["sent.zip/z-cover.gcode"]
    groups = {name[:11]: row["profile_group"] for name, row in rows.items() if row["slicer"]}
    assert groups["fardog__008"] == groups["fardog__009"]
    assert len(set(groups.values())) == 3
    assert len({row["profile_fingerprint"] for name, row in rows.items() if name.startswith("fardog")}) == 1
    sheet = Path("sheet.html").read_text(encoding="utf-8")
    assert "Slic3r Prusa Edition 1.41.2" in sheet
    assert "equal in all that both state" in sheet
    assert "line 13064" in Path("lead.html").read_text(encoding="utf-8")
    assert "profile_group" in json.dumps(list(rows["sent.zip"]))
