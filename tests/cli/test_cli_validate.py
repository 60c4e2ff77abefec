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

import pytest
from click.testing import CliRunner

from ballistics.cli import main
from ballistics.evidence.population import ReferencePopulation

# Two scans of four firearms, a scan said to be a repeat, a copy, a broken file, and one that is absent.
FIREARMS = (1, 2, 3, 4)
N_PAIRS = 9 * 8 // 2


@pytest.fixture(scope="module")
def scans(fadul, tmp_path_factory):
    folder = tmp_path_factory.mktemp("set")
    rows = []
    for firearm in FIREARMS:
        for case in (1, 2):
            name = f"Fadul-{firearm}-{case}.x3p"
            shutil.copy(fadul / name, folder / name)
            rows.append(f"{name},{firearm},{case},{'Geco' if case == 1 else 'S&B'}")
    third = next(path for path in sorted(fadul.glob("*.x3p")) if path.name not in {row.split(",")[0] for row in rows})
    shutil.copy(third, folder / "again.x3p")
    shutil.copy(fadul / "Fadul-1-1.x3p", folder / "copy.x3p")
    (folder / "broken.x3p").write_bytes(b"PK\x03\x04 no archive")
    rows += ["again.x3p,1,1,Geco", "copy.x3p,2,3,Geco", "broken.x3p,3,3,Geco", "absent.x3p,4,3,Geco"]
    (folder / "truth.csv").write_text("\n".join(["scan,firearm,case,ammunition", *rows]) + "\n", encoding="utf-8")
    return folder


def arguments(scans, out, *more):
    return ["validate", str(scans), str(scans / "truth.csv"), "--name", "some Fadul", "--out", str(out), *more]


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
    assert "Fadul-1-1.x3p" in left_out["copy.x3p"]
    assert "CorruptFileError" in left_out["broken.x3p"]
    for name in left_out:
        assert f"left out: {name}" in printed
    assert len(content["pairs"]) == N_PAIRS
    repeats = [pair for pair in content["pairs"] if pair["one_case_scanned_twice"]]
    assert [(pair["scan_a"], pair["scan_b"]) for pair in repeats] == [("Fadul-1-1.x3p", "again.x3p")]
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
    assert html.count("<img ") == 12
    for words in ("What was tested", "How often it erred", "What the numbers do not say", "broken.x3p", "S&amp;B"):
        assert words in html
    content = json.loads((out / "study.json").read_bytes())
    for digest in (content["truth_sha256"], content["scans"][0]["sha256"]):
        assert digest in html


def test_pdf(study):
    pytest.importorskip("typst")
    assert (study[0] / "study.pdf").read_bytes().startswith(b"%PDF-")


def test_one_worker_another_order_and_a_second_run_give_the_same_bytes(scans, study, tmp_path):
    out, _ = study
    alone = tmp_path / "one"
    result = CliRunner().invoke(main, arguments(scans, alone, "--workers", "1", "--quiet"))
    assert result.exit_code == 0, result.output
    assert result.output == ""
    assert outputs(alone) == outputs(out)
    refused = CliRunner().invoke(main, arguments(scans, alone))
    assert refused.exit_code == 2
    assert "exists already" in refused.output
    before = (alone / "work" / "pairs.jsonl").read_bytes()
    again = CliRunner().invoke(main, arguments(scans, alone, "--overwrite"))
    assert again.exit_code == 0, again.output
    assert (alone / "work" / "pairs.jsonl").read_bytes() == before
    assert outputs(alone) == outputs(out)


def test_killed_in_the_middle_it_goes_on_and_repeats_nothing(scans, study, tmp_path):
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
    pairs.write_bytes(whole + b'{"a": "torn')
    result = CliRunner().invoke(main, arguments(scans, out, "--workers", "2"))
    assert result.exit_code == 0, result.output
    rows = pairs.read_bytes()
    assert rows.startswith(whole)
    keys = [(row["a"], row["b"]) for row in map(json.loads, rows.splitlines())]
    assert len(keys) == len(set(keys)) == N_PAIRS
    assert outputs(out) == outputs(study[0])


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
    population = ReferencePopulation.load(out)
    assert (population.n_same, population.n_different, population.n_firearms) == (5, N_PAIRS - 6, 4)
    assert population.conditions.calibres == ("9 mm Luger",)
    assert population.conditions.ammunition == ("Geco", "S&B")
    assert CliRunner().invoke(main, stated).exit_code == 2


def test_a_table_without_hope_costs_no_work(scans, tmp_path):
    table = tmp_path / "truth.csv"
    table.write_text("scan,firearm\nFadul-1-1.x3p,1\nFadul-1-2.x3p,1\n", encoding="utf-8")
    result = CliRunner().invoke(main, ["validate", str(scans), str(table), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "at least 4" in result.output
    assert not (tmp_path / "out" / "work").exists()
