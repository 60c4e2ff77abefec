"""`ballistics view`: what is drawn, and what is refused before anything is written."""

from __future__ import annotations

import io

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from ballistics.cli import main
from ballistics.surfaces import Surface, write_x3p


@pytest.fixture
def scan(tmp_path):
    path = tmp_path / "scan.x3p"
    y, x = np.mgrid[-60:60.0, -80:80.0]
    write_x3p(path, Surface(20.0 * np.exp(-(x**2 + y**2) / 800.0), (6.25, 6.25)))
    return path


def _view(*words):
    return CliRunner().invoke(main, ["view", *map(str, words)])


def _pixels(path):
    return np.asarray(Image.open(io.BytesIO(path.read_bytes())).convert("L"), float)


def test_the_same_scan_gives_the_same_bytes_and_says_its_hash(scan, tmp_path):
    for name in ("a.png", "b.png"):
        done = _view(scan, "--out", tmp_path / name)
        assert done.exit_code == 0, done.output
        assert "<Surface: topography, 120 × 160 points" in done.output
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_light_from_the_left_brightens_the_left_flank_of_a_hill(scan, tmp_path):
    flanks = {}
    for light in (270, 90):
        _view(scan, "--out", tmp_path / f"{light}.png", "--light", light)
        picture = _pixels(tmp_path / f"{light}.png")
        rows, middle = slice(500, 700), picture.shape[1] // 2
        flanks[light] = (
            picture[rows, middle - 150 : middle - 50].mean() - picture[rows, middle + 50 : middle + 150].mean()
        )
    assert flanks[270] > 40 > -40 > flanks[90]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--out", "x.pdf"), "written as .png"),
        (("--out", "x.png", "--line", "row=120"), "no row 120; there are 120"),
        (("--out", "x.png", "--line", "7"), "row=N or column=N"),
        (("--out", "x.png", "--mark", "breech face"), "no breech face to draw"),
        (("--out", "x.png", "--mark", "nonsense"), "nonsense"),
    ],
)
def test_what_cannot_be_drawn_is_said_and_nothing_is_written(scan, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    done = _view(scan, *words)
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scan.x3p"]


def test_a_line_a_region_and_heights_in_colours(scan, tmp_path):
    (tmp_path / "region.json").write_text(
        '{"unit": "points", "outlines": [[[20, 20], [100, 20], [100, 90], [20, 90]]]}'
    )
    drawn = {}
    options = {
        "line": ["--line", "column=80"],
        "region": ["--region", str(tmp_path / "region.json")],
        "heights": ["--heights"],
    }
    for name, words in options.items():
        done = _view(scan, "--out", tmp_path / f"{name}.png", *words)
        assert done.exit_code == 0, done.output
        drawn[name] = Image.open(tmp_path / f"{name}.png").convert("RGB")
    orange = (np.asarray(drawn["region"], int) - np.array([255, 127, 14])) ** 2
    assert (orange.sum(axis=-1) < 900).sum() > 500
    assert (tmp_path / "line.png").read_bytes() != (tmp_path / "heights.png").read_bytes()
