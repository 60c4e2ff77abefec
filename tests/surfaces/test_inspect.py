"""Inspecting a folder of anything: one row per file, exit codes, JSON, seconds."""

from __future__ import annotations

import json
import time

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from x3p_samples import grid_axes, write_x3p_sample

import ballistics
from ballistics.cli.inspect import command


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / ".hidden").mkdir()
    write_x3p_sample(tmp_path / "sub" / "good.x3p")
    write_x3p_sample(tmp_path / "odd [red].x3p", folder="scan/")
    write_x3p_sample(tmp_path / "tampered.x3p", checksum="0" * 32)
    write_x3p_sample(tmp_path / "units.x3p", axes=grid_axes("D", "5", "5"))
    write_x3p_sample(tmp_path / ".hidden" / "x.x3p")
    (tmp_path / "notes.txt").write_text("no scan")
    (tmp_path / "photo.png").write_bytes(cv2.imencode(".png", np.zeros((90, 90), np.uint8))[1].tobytes())
    return tmp_path


def test_rows(folder):
    rows = {row.path.name: row for row in ballistics.inspect(folder)}
    assert list(rows) == ["notes.txt", "odd [red].x3p", "photo.png", "tampered.x3p", "units.x3p", "good.x3p"]
    assert {name: row.verdict for name, row in rows.items()} == {
        "notes.txt": "refused",
        "odd [red].x3p": "readable with findings",
        "photo.png": "refused",
        "tampered.x3p": "readable with findings",
        "units.x3p": "refused",
        "good.x3p": "readable",
    }
    assert rows["units.x3p"].error == "UnitsError"
    assert not rows["units.x3p"].reason.startswith(str(folder))
    assert "spacing_um" in rows["photo.png"].reason
    good = rows["good.x3p"]
    assert (good.format, good.kind, good.shape, good.spacing_um) == (
        "X3P",
        "topography",
        (70, 80),
        (5.0, 5.0),
    )
    assert len(good.sha256) == 64


def test_options(folder):
    rows = {row.path.name: row for row in ballistics.inspect([folder / "photo.png"], spacing_um=5.0)}
    assert rows["photo.png"].verdict == "readable"
    (row,) = ballistics.inspect(folder / "units.x3p", units="micrometres")
    # Its spacing is in micrometres, but its heights are not.
    assert [f.code for f in row.findings] == ["units-overridden", "heights-tiny"]


def test_missing_path_is_a_row(tmp_path):
    (row,) = ballistics.inspect(tmp_path / "no.x3p")
    assert (row.verdict, row.error) == ("refused", "ReadError")


def test_a_fault_of_ours_is_a_row(folder, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("ballistics.surfaces.inspection.read", broken)
    assert all("please report it" in row.reason for row in ballistics.inspect(folder))


def test_content_decides_what_an_image_is(folder):
    (folder / "sub" / "good.x3p").rename(folder / "scan.png")
    (row,) = ballistics.inspect(folder / "scan.png", spacing_um=5.0)
    assert [f.code for f in row.findings] == ["extension-disagrees"]


def test_table(folder, monkeypatch):
    monkeypatch.chdir(folder)
    result = CliRunner().invoke(command, ["."])
    assert result.exit_code == 1
    assert "odd [red].x3p" in result.output
    assert "CHECKSUM-WRONG" in result.output
    assert "1 readable, 2 readable with findings, 3 refused" in result.output


def test_exit_codes(folder):
    invoke = CliRunner().invoke
    assert invoke(command, [str(folder / "sub")]).exit_code == 0
    assert invoke(command, [str(folder / "odd [red].x3p")]).exit_code == 0
    assert invoke(command, [str(folder / "tampered.x3p")]).exit_code == 1
    assert invoke(command, [str(folder / "notes.txt")]).exit_code == 1
    assert invoke(command, []).exit_code == 2


def test_json(folder):
    result = CliRunner().invoke(command, [str(folder), "--json"])
    rows = {row["path"].rpartition("/")[2]: row for row in json.loads(result.stdout)}
    assert rows["good.x3p"]["shape"] == [70, 80]
    assert rows["tampered.x3p"]["findings"][0]["code"] == "checksum-wrong"
    assert rows["notes.txt"]["error"] == "UnsupportedFormatError"


def test_json_of_points_has_no_nan(formats):
    result = CliRunner().invoke(command, [str(formats / "ISO5436-sample2.x3p"), "--json", "--units", "as written"])
    (row,) = json.loads(result.stdout, parse_constant=pytest.fail)
    assert row["spacing_um"] == [None, None]


def test_seconds_for_a_folder(formats, fadul):
    start = time.process_time()
    rows = ballistics.inspect([formats, fadul])
    assert time.process_time() - start < 10
    assert sum(row.verdict != "refused" for row in rows) == 41
