"""Batches: every pair once, the same bytes whatever happens on the way, bad files as rows."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from batch_scans import write_scans
from click.testing import CliRunner
from joblib import parallel_config

from ballistics.cli import main
from ballistics.errors import ParameterError, UnsupportedFormatError
from ballistics.impressions.comparing import compare
from ballistics.pairs.batch import run_batch
from ballistics.pairs.prepared_scans import Method
from ballistics.pairs.results import read_metadata, result_columns
from ballistics.pairs.runs import SAME_FILE, compare_kept
from ballistics.surfaces.formats.reading import read
from ballistics.surfaces.preparation.preparing import prepare

FIREARMS, SHOTS = 2, 3
# The inverse of an inverse may differ in the last digit: all pairs order the marks by file, a library by heights.
POSE = ("theta_deg", "dx_um", "dy_um")
PAIRS = 6 * 5 // 2


def backwards(pairs, source):
    """Compare in this process, the last pair first."""
    for a, b in reversed(list(pairs)):
        yield compare_kept(source, a, b)


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scans")
    paths = write_scans(folder, FIREARMS, SHOTS)
    (folder / "broken.x3p").write_bytes(b"PK\x03\x04 no archive")
    shutil.copy(paths[0], folder / "copy.x3p")
    return folder


@pytest.fixture(scope="module")
def done(scans, tmp_path_factory):
    """A finished run, with its work."""
    out = tmp_path_factory.mktemp("done") / "results.parquet"
    return out, run_batch([scans], out)


def table(path):
    return pq.read_table(path).to_pylist()


def test_every_pair_has_its_row_and_every_bad_file_too(done):
    out, summary = done
    assert (summary.pairs, summary.insufficient, summary.failed) == (PAIRS, 0, 0)
    assert [name for name, _ in summary.left_out] == ["broken.x3p", "copy.x3p"]
    rows = table(out)
    assert list(rows[0]) == list(result_columns("breech face"))
    broken, copy, *pairs = rows
    assert (broken["scan_a"], broken["scan_b"], broken["count"]) == ("broken.x3p", None, None)
    assert broken["error"].startswith("CorruptFileError: broken.x3p")
    assert "byte for byte the file 1-1.x3p" in copy["error"]
    names = [(row["scan_a"], row["scan_b"]) for row in pairs]
    assert names == sorted(set(names))
    assert len(names) == PAIRS
    for row in pairs:
        same = row["scan_a"][0] == row["scan_b"][0]
        assert (row["count"] >= 6) == same
        assert row["count"] == row["significance_count"]


def test_a_row_says_what_the_comparison_says(scans, done):
    row = next(row for row in table(done[0]) if (row["scan_a"], row["scan_b"]) == ("1-1.x3p", "1-3.x3p"))
    a, b = (prepare(read(scans / row[name])) for name in ("scan_a", "scan_b"))
    result = compare(a, b)
    assert row["sha256_a"] == a.provenance.inputs["file"]
    assert [row["mark_sha256_a"], row["mark_sha256_b"]] == list(result.provenance.inputs.values())
    assert (row["accf"], row["similarity"]) == (result.accf, result.similarity.score)
    assert row["theta_deg"] == pytest.approx(result.pose.theta_deg)
    assert [row["dx_um"], row["dy_um"]] == pytest.approx([result.pose.dx_um, result.pose.dy_um])
    assert (row["cells_a_in_b"], row["cells_b_in_a"]) == (result.a_in_b.n_cells, result.b_in_a.n_cells)
    for name, rule in result.rules.items():
        column = name.replace(" ", "_")
        assert row[f"{column}_count"] == rule.score
        assert (row[f"{column}_a_in_b"], row[f"{column}_b_in_a"]) == (rule.a_in_b.count, rule.b_in_a.count)
    assert "already-prepared" in row["findings_a"]


def test_the_file_says_how_it_was_made(done):
    metadata = read_metadata(done[0])
    assert (metadata["design"], metadata["pairs"], metadata["scans"], metadata["left_out"]) == (
        "all pairs",
        PAIRS,
        [6],
        2,
    )
    assert metadata["method_version"] == Method().comparison().version
    assert len(metadata["parameters_sha256"]) == 64
    assert str(done[0].parent) not in json.dumps(metadata)


@pytest.mark.slow
def test_two_workers_give_the_same_bytes(scans, done, tmp_path):
    out = tmp_path / "results.parquet"
    result = CliRunner().invoke(main, ["batch", str(scans), "--out", str(out), "--workers", "2"])
    assert result.exit_code == 1, result.output
    assert "left out: broken.x3p" in result.output
    assert out.read_bytes() == done[0].read_bytes()


@pytest.mark.slow
def test_threads_give_the_same_bytes(scans, done, tmp_path):
    # A worker of a cluster may have several.
    with parallel_config(backend="threading", n_jobs=3):
        run_batch([scans], tmp_path / "results.parquet", workers=3)
    assert (tmp_path / "results.parquet").read_bytes() == done[0].read_bytes()


@pytest.mark.slow
def test_another_order_of_arrival_gives_the_same_bytes_and_csv(scans, done, tmp_path):
    out = tmp_path / "results.parquet"
    run_batch([scans], out, run=backwards)
    assert out.read_bytes() == done[0].read_bytes()
    as_csv = tmp_path / "results.csv"
    run_batch([scans], as_csv, run=None, work=tmp_path / "results.parquet.work")
    with open(as_csv, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row, expected in zip(rows, table(out), strict=True):
        assert row == {name: "" if value is None else str(value) for name, value in expected.items()}
    assert json.loads((tmp_path / "results.csv-metadata.json").read_text()) == read_metadata(out)


@pytest.mark.slow
def test_stopped_it_loses_and_repeats_nothing(scans, done, tmp_path):
    out = tmp_path / "results.parquet"

    def stops(pairs, source):
        for number, (a, b) in enumerate(pairs):
            if number == 4:
                raise KeyboardInterrupt
            yield compare_kept(source, a, b)

    with pytest.raises(KeyboardInterrupt):
        run_batch([scans], out, run=stops)
    kept = tmp_path / "results.parquet.work" / "pairs.jsonl"
    before = kept.read_bytes()
    assert before.count(b"\n") == 4
    assert not out.exists()
    kept.write_bytes(before + b'{"a": "torn')
    run_batch([scans], out)
    assert kept.read_bytes().startswith(before)
    assert kept.read_bytes().count(b"\n") == PAIRS
    assert out.read_bytes() == done[0].read_bytes()


@pytest.mark.slow
def test_killed_at_random_moments_it_loses_and_repeats_nothing(scans, done, tmp_path):
    out = tmp_path / "results.parquet"
    script = Path(__file__).with_name("batch_processes.py")
    printed = subprocess.run(
        [sys.executable, str(script), str(scans), str(out), "7"], capture_output=True, text=True, check=True
    )
    kept = json.loads(printed.stdout.splitlines()[-1])
    assert len(kept) >= 3
    assert out.read_bytes() == done[0].read_bytes()
    final = (tmp_path / "results.parquet.work" / "pairs.jsonl").read_text()
    for before in kept:
        assert final.startswith(before[: before.rfind("\n") + 1])
    pairs = [(row["a"], row["b"]) for row in map(json.loads, final.splitlines())]
    assert len(pairs) == len(set(pairs)) == PAIRS


def test_only_new_scans_are_compared_when_some_are_added(scans, done, tmp_path):
    few = tmp_path / "few"
    few.mkdir()
    for name in ("1-1.x3p", "1-2.x3p", "2-1.x3p"):
        shutil.copy(scans / name, few / name)
    work = tmp_path / "work"
    shutil.copytree(done[0].with_name("results.parquet.work"), work)
    before = (work / "pairs.jsonl").read_bytes()
    out = tmp_path / "few.parquet"
    # Work of a larger set serves a smaller one.
    assert run_batch([few], out, work=work).pairs == 3
    assert (work / "pairs.jsonl").read_bytes() == before
    write_scans(few, 3, 1)
    assert run_batch([few], out, work=work).pairs == 6
    assert (work / "pairs.jsonl").read_bytes().count(b"\n") == before.count(b"\n") + 3


def test_questioned_against_reference(scans, done, tmp_path):
    work = tmp_path / "work"
    shutil.copytree(done[0].with_name("results.parquet.work"), work)
    before = (work / "pairs.jsonl").read_bytes()
    out = tmp_path / "results.parquet"
    questioned = [scans / "1-1.x3p", scans / "2-3.x3p"]
    summary = run_batch(questioned, out, [scans / "1-1.x3p", scans / "1-2.x3p", scans / "2-3.x3p"], work=work)
    assert (summary.pairs, summary.insufficient) == (6, 2)
    rows = {(row["scan_a"], row["scan_b"]): row for row in table(out)}
    assert len(rows) == 6
    assert rows["1-1.x3p", "1-1.x3p"]["insufficient"] == SAME_FILE
    # Done before, in the other order too: nothing is compared again, and the roles are exchanged.
    assert (work / "pairs.jsonl").read_bytes() == before
    there, back = rows["1-1.x3p", "2-3.x3p"], rows["2-3.x3p", "1-1.x3p"]
    assert there["theta_deg"] == -back["theta_deg"]
    for name in there:
        if name.endswith("_a_in_b"):
            assert there[name] == back[name.replace("_a_in_b", "_b_in_a")]
    assert (there["accf"], there["count"]) == (back["accf"], back["count"])


def test_new_scans_against_a_library(scans, done, tmp_path):
    from ballistics.pairs.library_marks import _enrolled, _opened
    from ballistics.search.library import Library

    with Library.create(tmp_path / "library") as library:
        for name in ("1-1.x3p", "1-2.x3p", "2-1.x3p"):
            library.enrol(prepare(read(scans / name)), name)
    out = tmp_path / "results.parquet"
    work = tmp_path / "work"
    new = [str(scans / "1-1.x3p"), str(scans / "2-3.x3p")]
    arguments = ["batch", *new, "--library", str(tmp_path / "library"), "--work", str(work), "--workers", "1"]
    result = CliRunner().invoke(main, [*arguments, "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "6 pairs, of which 1 insufficient" in result.output
    expected = {(row["scan_a"], row["scan_b"]): row for row in table(done[0])}
    rows = {(row["scan_a"], row["scan_b"]): row for row in table(out)}
    assert len(rows) == 6
    assert rows["1-1.x3p", "1-1.x3p"]["insufficient"] == SAME_FILE
    # As in all pairs, down to the last digit of the counts and hashes.
    row, other = rows["1-1.x3p", "1-2.x3p"], expected["1-1.x3p", "1-2.x3p"]
    assert {name: row[name] for name in row if name not in POSE} == {n: other[n] for n in other if n not in POSE}
    assert [row[name] for name in POSE] == pytest.approx([other[name] for name in POSE])
    both = CliRunner().invoke(main, [*arguments, "--reference", new[0], "--out", str(tmp_path / "both.csv")])
    assert both.exit_code == 2
    assert "not with both" in both.output
    # A library that changes is compared as it is now.
    with Library.open(tmp_path / "library") as library:
        library.remove(1, "the test", "today", "to see")
    assert CliRunner().invoke(main, [*arguments, "--overwrite", "--out", str(out)]).exit_code == 0
    assert len(table(out)) == 4
    _opened(tmp_path / "library").close()
    _enrolled.cache_clear()
    _opened.cache_clear()


def test_what_cannot_be_done_is_said_before_the_work(scans, tmp_path):
    with pytest.raises(ParameterError, match=r"\.parquet or \.csv"):
        run_batch([scans], tmp_path / "results.txt")
    with pytest.raises(ParameterError, match="does not exist"):
        run_batch([tmp_path / "absent"], tmp_path / "results.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ParameterError, match="no file"):
        run_batch([tmp_path / "empty"], tmp_path / "results.csv")
    other = tmp_path / "other.parquet"
    pq.write_table(pa.table({"number": [1, 2]}), other)
    with pytest.raises(UnsupportedFormatError, match="no result of"):
        read_metadata(other)
    (tmp_path / "text.parquet").write_text("no table")
    with pytest.raises(UnsupportedFormatError, match="no Parquet file"):
        read_metadata(tmp_path / "text.parquet")
