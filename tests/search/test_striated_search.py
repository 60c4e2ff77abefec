"""A library of lands: stored signatures, the shortlist, the ranking, beside marks of other kinds."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import data_folder

from ballistics.cli import main
from ballistics.library import Description, signature_template
from ballistics.methods import method_of, pair_score, prepare
from ballistics.search import Library
from ballistics.search.signature_scan import signature_scan
from ballistics.surfaces import Mark, read

KIND = "land engraved area"
LANDS = [(1, 3), (2, 1), (1, 4), (2, 2), (1, 5), (2, 3)]


@pytest.fixture(scope="module")
def marks() -> dict[tuple[int, int], Mark]:
    folder = data_folder("bullets/hamby44-barrel1")
    return {which: prepare(read(folder / "Barrel_1-Bullet_{}-Land_{}.x3p".format(*which)), KIND) for which in LANDS}


@pytest.fixture(scope="module")
def library(marks, tmp_path_factory):
    with Library.create(tmp_path_factory.mktemp("library") / "lands") as opened:
        for which, mark in marks.items():
            assert opened.enrol(mark, f"{which}", Description(calibre="9 mm Luger")).outcome == "enrolled"
        yield opened


def test_the_record_keeps_the_signature(marks):
    for mark in marks.values():
        record = signature_template.make_record(mark)
        assert record == signature_template.make_record(mark)
        assert len(record) == signature_template.RECORD_BYTES
        (profile,) = signature_template.profiles(np.frombuffer(record, np.uint8)[None])
        coarse = signature_template.coarse_signature(mark)
        assert coarse.spacing_um == 4.0
        known = np.flatnonzero(np.isfinite(coarse.heights_um))
        inside = coarse.heights_um[known[0] : known[-1] + 1]
        start = (signature_template.POINTS - len(inside)) // 2
        kept = profile[start : start + len(inside)]
        both = np.isfinite(inside)
        np.testing.assert_array_equal(np.isfinite(kept), both)
        assert np.corrcoef(inside[both], kept[both])[0, 1] > 0.98


def test_what_has_no_relief_agrees_with_nothing(marks):
    flat = Mark(KIND, np.zeros((40, 900), np.float32), 1.5625)
    empty = Mark(KIND, np.full((40, 900), np.nan, np.float32), 1.5625)
    records = np.stack([np.frombuffer(signature_template.make_record(m), np.uint8) for m in (flat, empty)])
    assert (signature_scan(marks[1, 3])(records, np.arange(2)) == -np.inf).all()


@pytest.mark.parametrize(("query", "partner"), [((1, 3), (2, 1)), ((1, 4), (2, 2)), ((2, 3), (1, 5))])
def test_the_land_of_the_same_source_comes_first(library, marks, query, partner):
    found = library.search(marks[query], f"{query}", top=3)
    assert [entry.scan for entry in found.same_scan] == [f"{query}"]
    first, second = found.leads[:2]
    assert first.entry.scan == f"{partner}"
    assert first.template_score > second.template_score
    compared = method_of(KIND).compare(marks[query], marks[partner])
    assert first.similarity == pair_score(compared).similarity
    assert first.pose.dx_um == compared.placement.lag_um
    assert first.similarity > 150 > 40 > second.similarity
    assert found.provenance.method.startswith("correlation of signatures")


def test_a_part_of_a_land_is_found(library, marks):
    whole = marks[1, 3]
    heights = whole.heights_um.copy()
    heights[:, 850:] = np.nan
    part = Mark(KIND, heights, whole.spacing_um, provenance=whole.provenance, steps=whole.steps)
    found = library.search(part, "part", top=3)
    assert found.leads[0].entry.scan in ("(1, 3)", "(2, 1)")
    others = [lead for lead in found.leads if lead.entry.scan == "(2, 1)"]
    assert others[0].similarity > 60


def test_impressions_beside_them_are_passed_over(marks, tmp_path):
    face = prepare(read(data_folder("breech-faces/fadul") / "Fadul-1-1.x3p"))
    with Library.create(tmp_path / "both") as opened:
        opened.enrol(face, "face")
        for which in LANDS[:2]:
            opened.enrol(marks[which], f"{which}")
        of_land = opened.search(marks[1, 3], "query")
        assert of_land.passed_over == {f"not of the kind {KIND}": 1}
        assert [lead.entry.scan for lead in of_land.leads] == ["(2, 1)"]
        of_face = opened.search(face, "query")
        assert [entry.scan for entry in of_face.same_scan] == ["face"]
        assert of_face.leads == ()
        assert opened.verify().clean
        assert opened.renew_templates() == 0
        copy = opened.backup(tmp_path / "copy")
        assert copy.clean


@pytest.mark.slow
def test_enrolled_and_searched_from_the_command_line(tmp_path):
    folder = tmp_path / "scans"
    folder.mkdir()
    for bullet, land in LANDS[:3]:
        name = f"Barrel_1-Bullet_{bullet}-Land_{land}.x3p"
        (folder / name).symlink_to(data_folder("bullets/hamby44-barrel1") / name)

    def run(*arguments):
        return CliRunner().invoke(main, [str(argument) for argument in arguments])

    library = tmp_path / "library"
    assert run("library", "create", library).exit_code == 0
    enrolled = run("library", "enrol", library, folder, "--mark", KIND, "--workers", 1, "--calibre", "9 mm Luger")
    assert enrolled.exit_code == 0, enrolled.output
    again = run("library", "enrol", library, folder, "--mark", KIND, "--workers", 1)
    assert "3 present" in again.output
    # Numbers of the preparation are part of the method: other ones make other marks, and say so.
    own = ("--set", "preparation.shoulders.reach_um=40")
    replaced = run("library", "enrol", library, folder, "--mark", KIND, "--workers", 1, *own)
    assert replaced.exit_code == 0, replaced.output
    with Library.open(library) as opened:
        records = [record.preparation for record in opened.contents().marks]
    assert {record["preparation / 1 straighten along the striae / shoulders / reach_um"] for record in records} == {40}
    assert run("library", "enrol", library, folder, "--mark", KIND, "--workers", 1).exit_code == 0
    for wrong in ("similarity.clip_sigmas=3", "preparation.band_um=20,400", "preparation.reach_um=40"):
        assert run("library", "enrol", library, folder, "--mark", KIND, "--set", wrong).exit_code == 2
    query = data_folder("bullets/hamby44-barrel1") / "Barrel_1-Bullet_2-Land_2.x3p"
    out, page = tmp_path / "leads.json", tmp_path / "leads.html"
    done = run("search", query, "--library", library, "--mark", KIND, "--json", out, "--report", page)
    assert done.exit_code == 0, done.output
    leads = json.loads(out.read_text())["leads"]
    assert leads[0]["scan"] == "Barrel_1-Bullet_1-Land_4.x3p"
    assert leads[0]["similarity"] > 150 > leads[1]["similarity"]
    assert page.exists()
    batch = run("batch", query, "--library", library, "--mark", KIND, "--out", tmp_path / "rows.csv", "--workers", 1)
    assert batch.exit_code == 0, batch.output
    assert "3 pairs, of which 0 insufficient and 0 failed" in batch.output
