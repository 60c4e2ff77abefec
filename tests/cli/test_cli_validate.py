"""`ballistics validate` and `reference build`: complete, resumable, the same bytes for any number of workers."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
from click.testing import CliRunner

from ballistics.cli import main
from ballistics.evidence.reference_file import load_reference
from ballistics.surfaces.formats.x3p.writer import write_x3p
from ballistics.surfaces.simulation.heads import simulate_population

# Its fixture alone costs seconds.
pytestmark = pytest.mark.slow

# Two scans of four firearms, a repeated scan, a copy, a broken file, and one that is absent.
N_PAIRS = 9 * 8 // 2


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    folder = tmp_path_factory.mktemp("set")
    # A coarse, small field: the primer's edge is cut off, and a pair costs a fraction of a real one.
    heads = simulate_population(4, 2, 11, breech_faces=("granular",), spacing_um=25.0, field_mm=2.4)
    rows = []
    for head in heads:
        firearm, case = head.firearm_id + 1, head.shot_id + 1
        write_x3p(folder / f"case-{firearm}-{case}.x3p", head.surface)
        rows.append(f"case-{firearm}-{case}.x3p,{firearm},{case},{'Geco' if case == 1 else 'S&B'}")
    # The same case under other noise: what an instrument gives when it scans a case once more.
    first = next(iter(simulate_population(1, 1, 11, breech_faces=("granular",), spacing_um=25.0, field_mm=2.4))).surface
    noise = np.random.Generator(np.random.PCG64(1)).normal(scale=0.05, size=first.heights_um.shape)
    write_x3p(folder / "repeat.x3p", replace(first, heights_um=first.heights_um + noise))
    shutil.copy(folder / "case-1-1.x3p", folder / "copy.x3p")
    (folder / "broken.x3p").write_bytes(b"PK\x03\x04 no archive")
    rows += ["repeat.x3p,1,1,Geco", "copy.x3p,2,3,Geco", "broken.x3p,3,3,Geco", "absent.x3p,4,3,Geco"]
    (folder / "truth.csv").write_text("\n".join(["scan,firearm,case,ammunition", *rows]) + "\n", encoding="utf-8")
    return folder


def arguments(scans, out, *more):
    return ["validate", str(scans), str(scans / "truth.csv"), "--name", "simulated", "--out", str(out), *more]


@pytest.fixture(scope="module")
def study(scans, tmp_path_factory):
    out = tmp_path_factory.mktemp("study") / "two"
    result = CliRunner().invoke(main, arguments(scans, out, "--workers", "2"))
    assert result.exit_code == 0, result.output
    return out, result.output


def outputs(out):
    return {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}


def test_every_scan_and_pair_is_accounted_for(study):
    out, printed = study
    content = json.loads((out / "study.json").read_bytes())
    left_out = {scan["scan"]: scan["left_out"] for scan in content["scans"] if scan["left_out"]}
    assert set(left_out) == {"copy.x3p", "broken.x3p", "absent.x3p"}
    assert "case-1-1.x3p" in left_out["copy.x3p"]
    assert "CorruptFileError" in left_out["broken.x3p"]
    for name in left_out:
        assert f"left out: {name}" in printed
    assert len(content["pairs"]) == N_PAIRS
    repeats = [pair for pair in content["pairs"] if pair["one_case_scanned_twice"]]
    assert [(pair["scan_a"], pair["scan_b"]) for pair in repeats] == [("case-1-1.x3p", "repeat.x3p")]
    # 4 same-source pairs of two cases, and 1-2 with the third scan of firearm 1.
    metrics = content["studies"]["count"]["metrics"]
    assert (metrics["n_same"], metrics["n_same"] + metrics["n_different"]) == (5, N_PAIRS - 1)
    assert {group["value"] for group in content["studies"]["count"]["groups"]} == {"Geco", "Geco / S&B", "S&B"}
    assert content["studies"]["count"]["repeatability"]["n_pairs"] == 7


def test_report_is_one_file_without_paths(scans, study):
    out, _ = study
    html = (out / "study.html").read_text(encoding="utf-8")
    assert str(scans) not in html
    assert str(out) not in html
    assert not re.search(r'(src|href)="(?!data:|#|https://doi\.org/)', html)
    # Six pictures for each score, and two marks for each of the pairs to look at.
    cards = html.count('<figure class="pair">')
    assert 15 <= cards <= 60
    assert html.count("<img ") == 18 + 2 * cards
    for words in ("What was tested", "How often it erred", "What the numbers do not say", "broken.x3p", "S&amp;B"):
        assert words in html
    content = json.loads((out / "study.json").read_bytes())
    for digest in (content["truth_sha256"], content["scans"][0]["sha256"]):
        assert digest in html


def test_pdf(study):
    pytest.importorskip("typst")
    assert (study[0] / "study.pdf").read_bytes().startswith(b"%PDF-")


def test_a_second_run_is_refused(scans, study):
    before = outputs(study[0])
    refused = CliRunner().invoke(main, arguments(scans, study[0]))
    assert refused.exit_code == 2
    assert "exists already" in refused.output
    assert outputs(study[0]) == before


@pytest.mark.slow
def test_stopped_in_a_row_one_worker_goes_on_repeats_nothing_and_gives_the_same_bytes(scans, study, tmp_path):
    out = tmp_path / "stopped"
    shutil.copytree(study[0] / "work", out / "work")
    pairs = out / "work" / "pairs.jsonl"
    rows = pairs.read_bytes().splitlines(keepends=True)
    goes_on(scans, out, b"".join(rows[:-6]), study)


def goes_on(scans, out, whole, study):
    """Let a run go on after whole rows and a torn one."""
    pairs = out / "work" / "pairs.jsonl"
    pairs.write_bytes(whole + b'{"a": "torn')
    result = CliRunner().invoke(main, arguments(scans, out, "--workers", "1", "--quiet"))
    assert (result.exit_code, result.output) == (0, "")
    rows = pairs.read_bytes()
    assert rows.startswith(whole)
    keys = [(row["a"], row["b"]) for row in map(json.loads, rows.splitlines())]
    assert len(keys) == len(set(keys)) == N_PAIRS
    assert outputs(out) == outputs(study[0])


@pytest.mark.slow
def test_killed_in_the_middle_one_worker_goes_on(scans, study, tmp_path):
    out = tmp_path / "killed"
    command = [
        sys.executable,
        "-c",
        "from ballistics.cli import main; main()",
        *arguments(scans, out, "--workers", "1"),
    ]
    pairs = out / "work" / "pairs.jsonl"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while not (pairs.exists() and pairs.read_bytes().count(b"\n") >= 5):
        assert process.poll() is None, "ended before it could be killed"
        assert time.monotonic() < until
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (out / "study.html").exists()
    finished = pairs.read_bytes()
    whole = finished[: finished.rfind(b"\n") + 1]
    assert 5 <= whole.count(b"\n") < N_PAIRS
    goes_on(scans, out, whole, study)


def test_reference_population_from_the_same_work(scans, study, tmp_path):
    work = study[0] / "work"
    before = (work / "pairs.jsonl").read_bytes()
    out = tmp_path / "reference.json"
    base = ["reference", "build", str(scans), str(scans / "truth.csv"), "--out", str(out), "--work", str(work)]
    refused = CliRunner().invoke(main, base)
    assert refused.exit_code == 2
    assert "no calibre is stated" in refused.output
    stated = [*base, "--calibre", "9 mm Luger", "--instrument", "confocal"]
    result = CliRunner().invoke(main, stated)
    assert result.exit_code == 0, result.output
    assert (work / "pairs.jsonl").read_bytes() == before
    populations = load_reference(out)
    assert [found.score for found in populations] == ["similarity", "count", "correlation"]
    population = populations[0]
    assert (population.n_same, population.n_different, population.n_firearms) == (5, N_PAIRS - 6, 4)
    assert population.conditions.calibres == ("9 mm Luger",)
    assert population.conditions.ammunition == ("Geco", "S&B")
    assert CliRunner().invoke(main, stated).exit_code == 2


CRITERIA = """
name = "Laboratory X"

[[criterion]]
figure = "Cllr"
at_most = 1

[[criterion]]
figure = "firearms"
at_least = {firearms}
"""


def test_criteria_are_judged_and_the_exit_code_says_not_met(scans, study, tmp_path, monkeypatch):
    out, file = tmp_path / "judged", tmp_path / "criteria.toml"
    shutil.copytree(study[0], out)
    more = ("--overwrite", "--criteria", str(file))
    # The pages of a study that is judged are looked at elsewhere.
    monkeypatch.setattr("ballistics.reports.study_pdf", lambda study: b"%PDF-")
    monkeypatch.setattr("ballistics.reports.study_report", lambda study: "<!DOCTYPE html>")
    before = (out / "work" / "pairs.jsonl").read_bytes()
    file.write_text(CRITERIA.format(firearms=4), encoding="utf-8")
    met = CliRunner().invoke(main, arguments(scans, out, *more))
    assert met.exit_code == 0, met.output
    assert "met: firearms at least 4; found 4" in met.output
    file.write_text(CRITERIA.format(firearms=10), encoding="utf-8")
    failed = CliRunner().invoke(main, arguments(scans, out, *more))
    assert failed.exit_code == 1, failed.output
    assert "NOT MET: firearms at least 10" in failed.output
    acceptance = json.loads((out / "study.json").read_bytes())["acceptance"]
    assert acceptance["criteria"]["sha256"] == sha256(file.read_bytes()).hexdigest()
    assert acceptance["finished_pairs"] == N_PAIRS
    # Finished work is not done again.
    assert (out / "work" / "pairs.jsonl").read_bytes() == before


def test_doubtful_criteria_cost_no_work(scans, tmp_path):
    file = tmp_path / "criteria.toml"
    file.write_text('[[criterion]]\nfigure = "Cllr"\nat_mots = 1\n', encoding="utf-8")
    out = tmp_path / "out"
    result = CliRunner().invoke(main, arguments(scans, out, "--criteria", str(file)))
    assert result.exit_code == 2
    assert "at_mots" in result.output
    assert not (out / "work").exists()


def test_a_table_without_hope_costs_no_work(scans, tmp_path):
    table = tmp_path / "truth.csv"
    table.write_text("scan,firearm\ncase-1-1.x3p,1\ncase-1-2.x3p,1\n", encoding="utf-8")
    result = CliRunner().invoke(main, ["validate", str(scans), str(table), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "at least 4" in result.output
    assert not (tmp_path / "out" / "work").exists()
