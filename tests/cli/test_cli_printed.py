"""`ballistics printed inspect` from outside: what it prints, writes and returns."""

from __future__ import annotations

import json

import cv2
import mesh_samples as samples
import pytest
from click.testing import CliRunner

from ballistics.cli import main


def run(*arguments):
    return CliRunner().invoke(main, ["printed", "inspect", *map(str, arguments)])


@pytest.fixture
def files(tmp_path):
    (tmp_path / "seized").mkdir()
    (tmp_path / "seized" / "a.stl").write_bytes(samples.stl_binary(samples.wedge(), b"made by a test"))
    (tmp_path / "seized" / "b.3mf").write_bytes(samples.simple_3mf(samples.wedge((9, 9, 9))))
    return tmp_path


def test_a_description_in_words(files):
    done = run(files / "seized")
    assert done.exit_code == 0, done.output
    for word in ("40 x 30 x 20 mm", "4000 mm³", "made by a test", "unit-assumed", "4 faces", "SHA-256", "mirror image"):
        assert word in done.output


def test_json_and_pictures(files):
    done = run(files / "seized", "--json", "--out", files / "out")
    rows = json.loads(done.output)
    assert [row["format"] for row in rows] == ["STL", "3MF"]
    assert rows[0]["parts"][0]["geometry_hash"] == rows[1]["parts"][0]["geometry_hash"]
    assert rows[0]["parts"][0]["mirrored_hash"] != rows[0]["parts"][0]["geometry_hash"]
    names = sorted(path.name for path in (files / "out").iterdir())
    assert names == [f"{row['path'][-5]}-{row['sha256'][:8]}-1.png" for row in rows]
    assert cv2.imread(str(files / "out" / names[0])).shape == (640, 960, 3)


def test_a_bad_file_is_a_row_and_the_exit_code_tells(files):
    (files / "seized" / "c.stl").write_bytes(samples.stl_binary(samples.wedge(), count=10**8))
    done = run(files / "seized", "--json")
    assert done.exit_code == 1
    assert [row["verdict"] for row in json.loads(done.output)] == ["readable", "readable", "refused"]
    assert "declares 100000000" in run(files / "seized").output


def test_the_unit_can_be_given(files):
    (row,) = json.loads(run(files / "seized" / "a.stl", "--json", "--unit", "inch").output)
    assert row["unit"] == "inch"
    assert row["parts"][0]["extent_mm"] == pytest.approx([1016, 762, 508])
