"""Several files of one reference from outside: words, JSON and page tell pieces from copies."""

from __future__ import annotations

import base64
import csv
import json
import re

import cv2
import jsonschema
import manifold3d as m3
import mesh_samples as samples
import numpy as np
import pytest
from click.testing import CliRunner
from remembered import remembering

from ballistics.cli import main
from ballistics.reports.contents.printed_pieces import _COLOURS
from ballistics.reports.figures import printed as printed_figures
from ballistics.reports.schemas.printed_json import printed_schema

# A name that would steer a terminal, and a page.
COPY = "right <i id=x>\x1b[2J.off"


def run(*arguments):
    return CliRunner().invoke(main, ["printed", *map(str, arguments)])


def write(path, made, turn):
    mesh = made.rotate(turn).scale((1.2, 1.2, 1.2)).to_mesh()
    path.write_bytes(samples.off((np.asarray(mesh.vert_properties, float)[:, :3], np.asarray(mesh.tri_verts, int))))


@pytest.fixture(scope="module", autouse=True)
def small_pictures_and_searches_done_once():
    with remembering(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(printed_figures, "_PIXELS", 120)
        yield


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A reference in a collection, and in a folder its two halves, a copy of one, and a file that is no mesh."""
    folder = tmp_path_factory.mktemp("lab")
    rack = m3.Manifold.cube((80, 30, 8)) + m3.Manifold.cylinder(30, 6, -1, 48).translate((12, 8, 0))
    rack += m3.Manifold.cylinder(18, 4, -1, 48).translate((34, 22, 0)) + m3.Manifold.cube((9, 14, 40)).translate(
        (62, 6, 0)
    )
    write(folder / "rack.off", rack, (0, 0, 0))
    right, left = rack.split_by_plane((0.96, 0.28, 0.0), 43.0)
    (folder / "seized").mkdir()
    write(folder / "seized" / "left.off", left, (20, 30, 40))
    write(folder / "seized" / "right.off", right, (-50, 10, 70))
    write(folder / "seized" / COPY, right, (0, 80, 15))
    done = run("enrol", folder / "rack.off", "--references", folder / "collection", "--quiet")
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture(scope="module")
def answer(lab, tmp_path_factory):
    """What is answered about the folder and a file that is refused: the JSON, and the page."""
    page = tmp_path_factory.mktemp("answer") / "page.html"
    bad = page.parent / "a bad.off"
    bad.write_text("OFF 1 1 0\n0 0 0\n3 0 0 9")
    arguments = ("identify", lab / "seized", bad, "--references", lab / "collection", "--without-3d", "--json")
    done = run(*arguments, "--report", page)
    assert done.exit_code == 1, done.output
    return json.loads(done.stdout), page.read_text(encoding="utf-8")


@pytest.mark.slow
def test_words(lab):
    seized = lab / "seized"
    done = run("identify", seized / "left.off", seized / COPY, "--references", lab / "collection")
    assert done.exit_code == 0, done.output
    assert re.search(r"2 pieces of “rack”: .+ holds \d+ % of its surface and .+ \d+ %; together ", done.stdout)
    assert "They have the same scale and handedness" in done.stdout
    assert "\x1b" not in done.output
    done = run("identify", seized / "right.off", seized / COPY, "--references", lab / "collection")
    assert "2 files or bodies hold something of “rack”, not different pieces" in done.stdout
    assert "a copy, a version or a part of it, no further piece" in done.stdout
    assert " pieces of " not in done.stdout


@pytest.mark.slow
def test_json(answer):
    document, _ = answer
    jsonschema.validate(document, printed_schema())
    (group,) = document["pieces"]
    assert group["complementary"]
    assert group["together"] > 0.95
    # A file that was refused counts: the numbers are places in the list of files.
    assert document["files"][0]["error"]
    assert [document["files"][piece["file"]]["name"] for piece in group["placed"]] == [
        p["name"] for p in group["placed"]
    ]
    assert sorted(piece["place"] for piece in group["placed"]) == ["its own", "its own", "that of another"]


@pytest.mark.slow
def test_page(answer):
    document, text = answer
    assert "2 pieces of “rack”: " in text
    assert f"covers {document['pieces'][0]['sentence'].split(' covers ')[1]}" in text
    assert 'href="#pieces"' in text
    assert "same scale 1.03" in text
    assert "&lt;i id=x&gt;" in text
    assert "<i id" not in text
    picture = re.search(r'src="data:image/png;base64,([^"]+)" alt="Six views of the reference', text)
    assert picture
    drawn = cv2.imdecode(np.frombuffer(base64.b64decode(picture[1]), np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
    seen = drawn.astype(float).reshape(-1, 3)
    seen = seen[(seen.min(axis=1) < 250) & (np.ptp(seen, axis=1) > 20)]
    direction = seen / np.linalg.norm(seen, axis=1, keepdims=True)
    for colour in _COLOURS[:2]:
        assert (direction @ (np.array(colour) / np.linalg.norm(colour)) > 0.99).mean() > 0.2


def test_a_single_file_has_no_pieces(lab):
    done = run("identify", lab / "seized" / "left.off", "--references", lab / "collection", "--json")
    document = json.loads(done.stdout)
    assert document["files"][0]["accepted"]
    assert document["pieces"] == []


@pytest.mark.slow
def test_a_batch_tells_pieces_in_its_table_and_on_its_sheet(lab, answer, tmp_path):
    out, sheet = tmp_path / "table.csv", tmp_path / "sheet.html"
    arguments = ("batch", lab / "seized", "--references", lab / "collection", "--out", out, "--workers", 1)
    done = run(*arguments, "--report", sheet)
    assert done.exit_code == 0, done.output
    assert "2 pieces of “rack”: " in done.stdout
    assert "\x1b" not in done.output
    with open(out, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sorted(row["place"] for row in rows) == ["its own", "its own", "that of another"]
    assert {row["file"] for row in rows if row["place"] == "its own"} >= {"left.off"}
    assert all(float(row["pieces_together"]) > 0.95 for row in rows)
    page = sheet.read_text(encoding="utf-8")
    assert 'href="#pieces"' in page
    assert "Six views of the reference" in page
    # From kept rows, without a search, the same comes out.
    before = out.read_bytes()
    assert run(*arguments, "--overwrite", "--quiet").exit_code == 0
    assert out.read_bytes() == before
    assert {float(row["pieces_together"]) for row in rows} == {answer[0]["pieces"][0]["together"]}


def test_a_batch_of_copies_has_no_pieces(lab, tmp_path):
    out = tmp_path / "table.csv"
    files = (lab / "seized" / "right.off", lab / "seized" / COPY)
    done = run("batch", *files, "--references", lab / "collection", "--out", out, "--workers", 1)
    assert done.exit_code == 0, done.output
    assert "pieces" not in done.stdout
    with open(out, encoding="utf-8", newline="") as file:
        assert {row["place"] for row in csv.DictReader(file)} == {""}
