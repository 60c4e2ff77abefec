"""`ballistics printed enrol, list, identify, compare, batch` from outside: words, JSON, pages and exit codes."""

from __future__ import annotations

import json

import jsonschema
import mesh_samples as samples
import numpy as np
import pytest
from click.testing import CliRunner
from job_samples import job
from remembered import remembering

from ballistics.cli import main
from ballistics.printed.describe.inspection import describe_file
from ballistics.reports.schemas.printed_json import printed_schema
from reference_meshes.__main__ import HERE


def run(*arguments):
    return CliRunner().invoke(main, ["printed", *map(str, arguments)])


@pytest.fixture(scope="module", autouse=True)
def remembered():
    with remembering() as kept:
        yield kept


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    vertices, faces = samples.wedge()
    (folder / "wedge.stl").write_bytes(samples.stl_binary((vertices, faces)))
    (folder / "inches.off").write_bytes(samples.off((vertices / 25.4 * [-1.0, 1.0, 1.0], faces[:, ::-1])))
    (folder / "box.stl").write_bytes(samples.stl_binary(samples.box((90.0, 11.0, 5.0))))
    (folder / "bad.stl").write_bytes(samples.stl_binary((vertices, faces), count=10**8))
    done = run("enrol", folder / "wedge.stl", "--references", folder / "collection", "--category", "accessory")
    assert done.exit_code == 0, done.output
    return folder


def test_enrol_and_list(lab):
    done = run("enrol", lab / "wedge.stl", lab / "bad.stl", "--references", lab / "collection")
    assert done.exit_code == 1
    assert "already enrolled as 'wedge'" in done.output
    assert "bad.stl: refused" in done.output
    listed = run("list", "--references", lab / "collection")
    assert listed.exit_code == 0
    for words in ("wedge", "accessory", "40 x 30 x 20", "1 of 1 references"):
        assert words in listed.output
    (row,) = json.loads(run("list", "--references", lab / "collection", "--json").output)
    assert (row["name"], row["category"], len(row["geometry_hash"])) == ("wedge", "accessory", 64)
    assert "0 of 1" in run("list", "--references", lab / "collection", "--category", "hybrid").output
    assert run("list", "--references", lab / "collection", "--category", "nonsense").exit_code == 2
    assert "not a collection" in run("list", "--references", lab / "nowhere").output


def test_identify_says_what_it_is_in_words(lab):
    done = run("identify", lab / "inches.off", lab / "box.stl", "--references", lab / "collection")
    assert done.exit_code == 0, done.output
    for words in (
        "A copy of “wedge” (accessory), scaled by 0.0394 (as by inches taken as millimetres), mirrored.",
        "The query shows the mirror image of the reference.",
        "A hit is a lead for an examiner",
        "Nothing in the collection: 1 reference was searched",
    ):
        assert words in done.output
    bad = run("identify", lab / "bad.stl", "--references", lab / "collection")
    assert bad.exit_code == 1
    assert "declares 100000000" in bad.output


@pytest.mark.slow
def test_no_name_steers_the_terminal(lab, tmp_path):
    path = tmp_path / "a\x1b]0;title\x07.stl"
    path.write_bytes(samples.stl_binary(samples.wedge()))
    (tmp_path / "b\x1b[2J.stl").write_bytes(b"solid nothing")
    for arguments in (
        ("identify", tmp_path, "--references", lab / "collection"),
        ("enrol", tmp_path, "--references", tmp_path / "new"),
        ("list", "--references", tmp_path / "new"),
        ("batch", tmp_path, "--references", tmp_path / "new", "--out", tmp_path / "t.csv", "--workers", 1),
    ):
        done = run(*arguments)
        assert done.exit_code in (0, 1), done.output
        assert "\x1b" not in done.output


@pytest.mark.slow
def test_the_json_follows_its_schema(lab, remembered):
    jsonschema.Draft202012Validator.check_schema(printed_schema())
    paths = [lab / name for name in ("inches.off", "box.stl", "bad.stl")]
    first = run("identify", *paths, "--references", lab / "collection", "--json").output
    document = json.loads(first)
    jsonschema.validate(document, printed_schema())
    verdicts = {file["name"]: file["verdict"] for file in document["files"]}
    assert verdicts == {
        "bad.stl": None, "box.stl": "nothing in the collection", "inches.off": "in the collection",
    }  # fmt: skip
    (hit,) = document["files"][2]["accepted"]
    assert (hit["name"], hit["relation"], hit["mirrored"]) == ("wedge", "exact copy", True)
    assert hit["scale"] == pytest.approx(1 / 25.4, rel=1e-3)
    assert np.shape(hit["pose"]) == (4, 4)
    # Neither a mesh nor a place leaves with it, and it is the same every time.
    assert str(lab) not in first.replace(document["files"][0]["error"], "")
    remembered.forget()
    assert run("identify", *paths, "--references", lab / "collection", "--json").output == first


def test_compare_two_files(lab):
    done = run("compare", lab / "inches.off", lab / "wedge.stl")
    assert done.exit_code == 0, done.output
    assert "geometry in common with “wedge.stl”" in done.output
    assert "mirrored" in done.output
    other = run("compare", lab / "box.stl", lab / "wedge.stl", "--json")
    document = json.loads(other.output)
    jsonschema.validate(document, printed_schema())
    assert document["searched"]["other_file"] == "wedge.stl"
    assert document["files"][0]["verdict"] == "nothing in the collection"
    assert document["files"][0]["sentence"].startswith("No geometry in common")
    assert run("compare", lab / "bad.stl", lab / "wedge.stl").exit_code == 2


def test_the_json_says_what_a_job_says(lab, tmp_path):
    path = tmp_path / "job.gcode"
    path.write_text("\n".join(["; generated by PrusaSlicer 2.7.0", "; printer_settings_id = MK4", *job(skirt=False)]))
    document = json.loads(run("compare", path, lab / "wedge.stl", "--json").output)
    jsonschema.validate(document, printed_schema())
    (said,) = document["files"][0]["jobs"]
    assert (said["slicer"], said["slicer_version"]) == ("PrusaSlicer", "2.7.0")
    assert said["said"]["printer profile"] == {"value": "MK4", "where": "line 2"}
    assert said["fingerprint"] == describe_file(path)[0].jobs[0].fingerprint
    assert said["habits"]["layers"] == 20


@pytest.mark.slow
def test_reports_are_not_overwritten_unasked(lab, tmp_path):
    page = tmp_path / "page.html"
    arguments = ("identify", lab / "box.stl", "--references", lab / "collection", "--report", page)
    assert run(*arguments).exit_code == 0
    assert "Nothing in the collection" in page.read_text(encoding="utf-8")
    before = page.read_bytes()
    assert run(*arguments).exit_code == 2
    assert run(*arguments, "--overwrite").exit_code == 0
    assert page.read_bytes() == before


def test_many_files_are_a_batch(lab, tmp_path):
    for k in range(41):
        (tmp_path / f"{k}.txt").write_text("x")
    done = run("identify", tmp_path, "--references", lab / "collection", "--report", lab / "page.html")
    assert done.exit_code == 2
    assert "ballistics printed batch" in done.output


def test_batch_with_its_contact_sheet(lab, tmp_path):
    out, page = tmp_path / "table.csv", tmp_path / "sheet.html"
    arguments = ("batch", lab, "--references", lab / "collection", "--out", out, "--report", page, "--workers", 1)
    done = run(*arguments)
    assert done.exit_code == 1
    assert "4 files: 2 in the collection, 1 nothing in the collection, 1 refused" in done.output
    assert "lead for an examiner" in done.output
    assert "2 of 4 files have a hit" in page.read_text(encoding="utf-8")
    assert run(*arguments).exit_code == 2


@pytest.mark.slow
def test_the_example_of_the_readme_runs_without_data():
    done = run("identify", HERE / "queries" / "half.stl", "--references", HERE / "collection")
    assert done.exit_code == 0
    assert "A part of “bracket” (ordinary object), at the same size." in done.output
