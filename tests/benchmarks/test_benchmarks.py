"""The benchmark runner, and a sample of what the benchmarks claim."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from prepared_marks import fadul_mark
from study_cases import made_up

from ballistics.surfaces.simulation.files import write_population
from ballistics.surfaces.simulation.heads import simulate_population
from benchmarks.__main__ import main, names
from benchmarks.suites.accuracy import SCORES, Compared, show_findings
from benchmarks.suites.exhaustive import both_counts
from benchmarks.support.pairs import ScanSet, auc


def test_list_names_every_benchmark(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    printed = capsys.readouterr().out
    for name in ("accuracy", "speed", "exhaustive", "region", "evidence"):
        assert name in names()
        assert name in printed


def test_wrong_names_and_folders_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["no-such-benchmark"]) == 2
    assert main(["accuracy", "--data", str(tmp_path)]) == 2
    assert "truth.csv" in capsys.readouterr().out


@pytest.mark.slow
def test_a_lab_can_repeat_the_accuracy_on_its_own_scans(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    heads = simulate_population(2, 2, 5, breech_faces=("granular",), spacing_um=12.5, field_mm=5.0)
    scans = tmp_path / "scans"
    list(write_population(heads, scans))
    truth = (scans / "truth.csv").read_text(encoding="utf-8").splitlines()
    first = truth[1].split(",")[0]
    whole = (scans / first).read_bytes()
    (scans / "torn.x3p").write_bytes(whole[: len(whole) // 2])
    row = truth[1].split(",")
    row[truth[0].split(",").index("scan")] = "torn.x3p"
    (scans / "truth.csv").write_text("\n".join([*truth, ",".join(row)]) + "\n", encoding="utf-8")
    out = tmp_path / "out.json"
    options = ["--data", str(scans), "--json", str(out), "--output", str(tmp_path)]
    assert main(["accuracy", *options, "--workers", "1"]) == 0
    printed = capsys.readouterr().out
    assert "left out: torn.x3p" in printed
    assert "worst pairs by similarity" in printed
    figures = {name: (tmp_path / name).read_bytes() for name in ("accuracy.csv", "accuracy-scans.csv", "out.json")}
    assert b"torn.x3p" in figures["accuracy-scans.csv"]
    # Finished work is not done again, also when the run was stopped in the middle of a row.
    kept = tmp_path / "accuracy-work" / "pairs.jsonl"
    rows = kept.read_bytes().splitlines(keepends=True)
    assert len(rows) == 6
    kept.write_bytes(b"".join(rows[:4]) + rows[4][:40])
    assert main(["accuracy", *options, "--workers", "1"]) == 0
    assert kept.read_bytes().startswith(b"".join(rows[:4]))
    assert len(kept.read_bytes().splitlines()) == 6
    assert figures == {name: (tmp_path / name).read_bytes() for name in figures}
    assert main(["accuracy", *options, "--workers", "0"]) == 2
    records = {r["metric"]: r for r in json.loads(out.read_text(encoding="utf-8"))}
    assert records["significance: AUC"]["value"] == 1.0
    assert records["significance: gap"]["n"] == 6
    assert records["scans left out"]["value"] == 1
    assert "2 same-source and 4 different-source" in records["significance: gap"]["protocol"]
    assert len((tmp_path / "accuracy.csv").read_text(encoding="utf-8").splitlines()) == 7


def test_withheld_pairs_are_listed_and_in_no_figure(capsys: pytest.CaptureFixture[str]) -> None:
    scored = made_up()
    pairs = tuple((pair.a, pair.b) for pair in scored.pairs)
    same = np.array([len({*scored.firearms(pair)}) == 1 for pair in scored.pairs])
    withheld = np.array(["serious: mirrored" in pair.findings for pair in scored.pairs])
    values = np.array([np.nan if pair.similarity is None else pair.similarity for pair in scored.pairs])
    found = Compared(scored, pairs, same, dict.fromkeys(SCORES, values), ("",) * len(pairs), withheld)
    assert withheld.sum() == 3
    for kind in (True, False):
        worst = found.worst("similarity", kind)
        assert len(worst) == 10
        assert not withheld[worst].any()
        left = np.sort(values[(same == kind) & ~withheld & np.isfinite(values)])
        assert values[worst].tolist() == (left[:10] if kind else left[::-1][:10]).tolist()
    show_findings(found)
    assert capsys.readouterr().out.count("withheld: ") == 3


@pytest.mark.slow
@pytest.mark.parametrize("names", [("1-1", "F"), ("A", "B")])
def test_fast_search_counts_as_the_exhaustive_one_does(names: tuple[str, str], tmp_path: Path) -> None:
    marks = tuple(fadul_mark(name) for name in names)
    scans = ScanSet("Fadul", names, ("?", "?"), marks)
    found = both_counts(scans, (0, 1), tmp_path)
    assert found is not None
    fast, exhaustive = found
    for rule in ("original", "convergence", "consensus"):
        assert abs(min(fast[rule]) - min(exhaustive[rule])) <= 1, rule
    # What the exhaustive search found is kept, and not searched again.
    (kept,) = tmp_path.iterdir()
    kept.write_text(json.dumps(dict.fromkeys(exhaustive, (0, 99))), encoding="utf-8")
    again = both_counts(scans, (0, 1), tmp_path)
    assert again is not None
    assert again[0] == fast
    assert again[1]["original"] == (0, 99)


def test_auc_counts_ties_as_half() -> None:
    assert auc(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == 1.0
    assert auc(np.array([1.0]), np.array([1.0])) == 0.5
    assert auc(np.array([1.0, 3.0]), np.array([2.0])) == 0.5
