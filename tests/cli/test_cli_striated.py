"""Lands on the command line: compare, batch, links, reference, validate; parameters of one's own; what is no land."""

from __future__ import annotations

import csv
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from conftest import data_folder

from ballistics.cli import main
from ballistics.evidence import load_reference
from ballistics.pairs import score_of
from ballistics.pairs.rows import columns, empty_row, exchanged_row, row_of
from ballistics.striations import StriationComparison
from ballistics.surfaces import Surface, write_x3p

KIND = "land engraved area"
# Land i of the first bullet was cut by what cut land i + 4 of the second (`test_lands.py`).
SOURCES = {"third": [(1, 3), (2, 1)], "fourth": [(1, 4), (2, 2)], "fifth": [(1, 5), (2, 3)], "sixth": [(1, 6), (2, 4)]}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def scan(bullet: int, land: int) -> Path:
    return data_folder("bullets/hamby44-barrel1") / f"Barrel_1-Bullet_{bullet}-Land_{land}.x3p"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Eight lands of four sources, and their truth."""
    out = tmp_path_factory.mktemp("lands")
    (out / "scans").mkdir()
    rows = ["scan,firearm,calibre,instrument"]
    for source, lands in SOURCES.items():
        for which in lands:
            path = scan(*which)
            (out / "scans" / path.name).write_bytes(path.read_bytes())
            rows.append(f"{path.name},{source},9 mm Luger,confocal")
    (out / "truth.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return out


@pytest.fixture(scope="module")
def table(folder) -> Path:
    done = run("batch", folder / "scans", "--mark", KIND, "--out", folder / "pairs.csv", "--work", folder / "work",
               "--workers", 1, "--quiet")  # fmt: skip
    assert done.exit_code == 0, done.output
    return folder / "pairs.csv"


@pytest.fixture(scope="module")
def reference(folder, table) -> Path:
    done = run("reference", "build", folder / "scans", folder / "truth.csv", "--mark", KIND, "--out",
               folder / "reference.json", "--work", folder / "work", "--workers", 1)  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "4 same-source and 24 different-source pairs of 4 firearms" in done.output
    return folder / "reference.json"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def same_source(row) -> bool:
    names = {row["scan_a"], row["scan_b"]}
    return any(names == {scan(*which).name for which in lands} for lands in SOURCES.values())


def test_compare_says_the_scores_and_writes_them(tmp_path):
    a, b = scan(1, 3), scan(2, 1)
    done = run("compare", a, b, "--mark", KIND, "--json", tmp_path / "ab.json", "--report", tmp_path / "ab.html")
    assert done.exit_code == 0, done.output
    assert "nats over 1.87 mm" in done.output
    assert "matching striae (CMS)" in done.output
    assert "<html" in (tmp_path / "ab.html").read_text(encoding="utf-8")[:200]
    swapped = run("compare", b, a, "--mark", KIND, "--json", tmp_path / "ba.json", "--quiet")
    assert swapped.exit_code == 0
    ab, ba = (json.loads((tmp_path / f"{name}.json").read_text())["comparison"] for name in ("ab", "ba"))
    assert ab["similarity"]["score"] == ba["similarity"]["score"]
    assert ab["correlation"]["correlation"] == ba["correlation"]["correlation"]
    assert ab["cmps"] == {"a_in_b": ba["cmps"]["b_in_a"], "b_in_a": ba["cmps"]["a_in_b"]}
    assert ab["provenance"]["inputs"]["mark a"] == ba["provenance"]["inputs"]["mark b"]


@pytest.mark.slow
def test_what_is_no_land_is_insufficient(tmp_path):
    head = data_folder("breech-faces/raw") / "K013sA1.x3p"
    done = run("compare", head, scan(1, 3), "--mark", KIND, "--units-a", "micrometres", "--json", tmp_path / "no.json")
    assert done.exit_code == 3
    assert "mark A is insufficient" in done.output
    assert json.loads((tmp_path / "no.json").read_text())["comparison"]["similarity"] is None
    write_x3p(tmp_path / "flat.x3p", Surface(np.random.default_rng(1).normal(size=(300, 900)) * 0.01, (1.5625, 1.5625)))
    flat = run("compare", scan(1, 3), tmp_path / "flat.x3p", "--mark", KIND)
    assert flat.exit_code == 3
    assert "mark B is insufficient" in flat.output
    unknown = run("compare", scan(1, 3), scan(2, 1), "--mark", "land")
    assert unknown.exit_code == 2
    assert "land engraved area" in " ".join(unknown.output.replace("│", " ").split())


def test_other_parameters_are_used_and_said(tmp_path):
    settings = ("--set", "similarity.clip_sigmas=3", "--set", "preparation.band_um=20,400")
    done = run("compare", scan(1, 3), scan(2, 1), "--mark", KIND, *settings, "--json", tmp_path / "own.json")
    assert done.exit_code == 0, done.output
    assert "preparation.band_um 20, 400 instead of 10, 400" in " ".join(done.output.split())
    comparison = json.loads((tmp_path / "own.json").read_text())["comparison"]
    assert comparison["similarity"]["octaves"][0]["shortest_um"] == 20
    wrong = run("compare", scan(1, 3), scan(2, 1), "--mark", KIND, "--set", "cells.cell_um=400")
    assert wrong.exit_code == 2
    assert "there is no parameter 'cells.cell_um'" in wrong.output


@pytest.mark.slow
def test_the_table_of_a_batch_tells_the_sources_apart(table):
    rows = rows_of(table)
    assert len(rows) == 28
    assert set(columns(KIND)) < set(rows[0])
    alike = [float(row["similarity"]) for row in rows if same_source(row)]
    others = [float(row["similarity"]) for row in rows if not same_source(row)]
    assert len(alike) == 4
    assert min(alike) > 150
    assert max(others) < 25
    assert all(row["error"] == row["insufficient"] == "" for row in rows)
    assert all(row["findings"] == "" for row in rows if not same_source(row))


@pytest.mark.slow
def test_a_batch_is_the_same_for_any_number_of_workers(folder, table):
    done = run("batch", folder / "scans", "--mark", KIND, "--out", folder / "again.csv", "--workers", 2, "--quiet")
    assert done.exit_code == 0, done.output
    assert (folder / "again.csv").read_bytes() == table.read_bytes()


@pytest.mark.slow
def test_a_batch_takes_other_parameters(folder, table):
    names = [folder / "scans" / scan(*which).name for which in SOURCES["third"]]
    usual = ("batch", *names, "--mark", KIND, "--workers", 1, "--quiet", "--work", folder / "work2")
    assert run(*usual, "--out", folder / "two.csv").exit_code == 0
    own = ("--set", "cmps.segment_points=100", "--set", "preparation.margin_um=50")
    done = run(*usual, *own, "--out", folder / "own.csv")
    assert done.exit_code == 0, done.output
    (plain,), (other,) = (rows_of(folder / f"{name}.csv") for name in ("two", "own"))
    assert int(other["segments"]) < int(plain["segments"])
    assert float(other["overlap_um"]) < float(plain["overlap_um"])
    assert other["findings"] == "warning: own-parameters"
    said = json.loads((folder / "own.csv-metadata.json").read_text())
    assert said["parameters"]["comparison"]["cmps"]["segment_points"] == 100
    refused = run(*usual, "--set", "cmps.cells=3", "--out", folder / "none.csv")
    assert refused.exit_code == 2
    assert not (folder / "none.csv").exists()


@pytest.mark.slow
def test_links_join_the_lands_of_one_source(folder, table):
    results = folder / "pairs.parquet"
    assert run("batch", folder / "scans", "--mark", KIND, "--out", results, "--work", folder / "work", "--workers", 1,
               "--quiet").exit_code == 0  # fmt: skip
    done = run("links", results, "--csv", folder / "links.csv")
    assert done.exit_code == 0, done.output
    assert "60 nats" in done.output
    found = rows_of(folder / "links.csv")
    assert len(found) == 4
    assert all(row["relation"] == "linked" and same_source(row) for row in found)
    by_correlation = run("links", results, "--score", "ccf", "--at-least", 0.8, "--csv", folder / "ccf.csv")
    assert by_correlation.exit_code == 0
    assert len(rows_of(folder / "ccf.csv")) == 4
    wrong = run("links", results, "--score", "accf", "--at-least", 0.8)
    assert wrong.exit_code == 2
    assert "choose one of similarity, count, ccf" in wrong.output


@pytest.mark.slow
def test_a_reference_weighs_a_case_and_refuses_others(tmp_path, reference):
    populations = {population.score: population for population in load_reference(reference)}
    assert set(populations) == {"similarity", "count", "correlation"}
    table = populations["similarity"].table
    assert table.area_mm2 is None
    assert table.length_mm is not None
    assert 0.4 < table.length_mm.min() < table.length_mm.max() < 2.2
    labels = ("--reference", reference, "--calibre", "9 mm Luger", "--instrument", "confocal")
    out = tmp_path / "lr.json"
    # Lands of sources that the reference does not hold.
    done = run("compare", scan(1, 1), scan(2, 5), "--mark", KIND, *labels, "--json", out)
    assert done.exit_code == 0, done.output
    evaluation = json.loads(out.read_text())["evaluation"]
    assert evaluation["status"] == "evaluated"
    assert evaluation["model"] == "logistic"
    assert evaluation["log10_lr"] == evaluation["bounds"]["upper"]
    assert evaluation["score"]["length_mm"] == pytest.approx(1.87, abs=0.1)
    assert "congruent segments (CMPS)" in done.output
    assert "cut by the same land of one barrel" in done.output
    other = run("compare", scan(1, 1), scan(2, 6), "--mark", KIND, *labels, "--json", out, "--overwrite")
    assert other.exit_code == 0
    assert json.loads(out.read_text())["evaluation"]["log10_lr"] < -0.3
    # Parameters of one's own, and another kind of mark, are not those of the reference.
    for more in (("--set", "similarity.clip_sigmas=3"), ("--set", "preparation.margin_um=30")):
        refused = run("compare", scan(1, 1), scan(2, 5), "--mark", KIND, *labels, *more, "--json", out, "--overwrite")
        assert json.loads(out.read_text())["evaluation"]["status"] == "refused", more
        assert "NO LIKELIHOOD RATIO" in refused.output
    tool = run("compare", scan(1, 1), scan(2, 5), "--mark", "tool mark", *labels, "--json", out, "--overwrite")
    if tool.exit_code == 0:
        assert "kind of mark" in json.loads(out.read_text())["evaluation"]["reason"]


@pytest.mark.slow
def test_a_validation_study_of_lands(folder, table):
    out = folder / "study"
    done = run("validate", folder / "scans", folder / "truth.csv", "--mark", KIND, "--out", out, "--work",
               folder / "work", "--workers", 1)  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "similarity: 4 same-source and 24 different-source pairs" in done.output
    assert "misleading 0 and 0" in done.output
    study = json.loads((out / "study.json").read_text())
    assert study["pairs"][0]["length_mm"] > 0.3
    assert study["pairs"][0]["area_mm2"] is None
    page = (out / "study.html").read_text(encoding="utf-8")
    assert "congruent segments (CMPS)" in page
    assert "congruent cells" not in page
    assert re.search(r"8 scans of 4 \w+s\. Of each it is known what made it", page)
    assert "cartridge cases: " not in page


def test_rows_of_striated_comparisons_exchange():
    row = empty_row(KIND) | {"lag_um": 12.5, "stretch": 1.25, "cmps_a_in_b": 3, "cmps_b_in_a": 5, "error": ""}
    other = exchanged_row(row)
    assert (other["cmps_a_in_b"], other["cmps_b_in_a"]) == (5, 3)
    assert other["lag_um"] == pytest.approx(-10.0)
    assert other["stretch"] == pytest.approx(0.8)
    again = exchanged_row(other)
    assert all(
        again[name] == pytest.approx(value) if isinstance(value, float) else again[name] == value
        for name, value in row.items()
    )
    nothing = row_of(StriationComparison(KIND, insufficient="no arc")) | {"error": ""}
    assert score_of(nothing, KIND).insufficient == "no arc"
    assert not any(isinstance(value, float) and math.isnan(value) for value in nothing.values())
