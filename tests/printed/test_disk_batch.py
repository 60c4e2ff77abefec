"""A seized disk: rows, copies, errors; the same bytes after a kill and for any number of workers."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import subprocess
import sys
import time
from hashlib import sha256

import mesh_samples as samples
import numpy as np
import pytest
from conftest import DATA
from remembered import remembering

from ballistics.errors import CorruptFileError, ParameterError
from ballistics.printed.collection.enrolment import enrol_files
from ballistics.printed.describe.geometry_hashes import geometry_keys
from ballistics.printed.disk.batch import ERRORS_LOG, disk_files, run_printed_batch
from ballistics.printed.disk.copies import families
from ballistics.reports.figures.printed import thumbnail_of
from ballistics.reports.pages.printed_sheet import contact_sheet

TURN = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
MIRROR = np.diag([-1.0, 1.0, 1.0])


def wedge(matrix=TURN, scale=1.0):
    vertices, faces = samples.wedge()
    return vertices @ matrix.T * scale, faces


@pytest.fixture(scope="module", autouse=True)
def searches_of_this_process_done_once():
    """What other processes do is done there."""
    with remembering():
        yield


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("disk")
    (folder / ".hidden").mkdir()
    files = {
        "a.stl": samples.stl_binary(wedge()),
        "b renamed.dat": samples.off(wedge(np.eye(3))),
        "c.stl": samples.stl_binary(wedge(MIRROR)),
        "d.stl": samples.stl_binary(wedge(TURN, 0.5)),
        ".hidden/a.stl": samples.stl_binary(wedge()),
        "bad.stl": samples.stl_binary(samples.wedge(), count=10**8),
        "=note.txt": b"nothing to print",
        "box.3mf": samples.simple_3mf(samples.box((90.0, 11.0, 5.0))),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def references(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    path = folder / "wedge.stl"
    path.write_bytes(samples.stl_binary(samples.wedge()))
    list(enrol_files([("wedge.stl", path)], folder / "collection", category="accessory"))
    return folder / "collection"


@pytest.fixture(scope="module")
def whole(disk, references, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "table.csv"
    return run_printed_batch([disk], references, out, thumbnail_of), out


def rows_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return {row["file"]: row for row in csv.DictReader(file)}


def test_every_file_has_a_row(whole):
    found, out = whole
    rows = rows_of(out)
    assert len(rows) == 8
    assert rows["a.stl"]["reference"] == "wedge"
    assert rows["a.stl"]["category_title"] == "accessory"
    assert rows["d.stl"]["scale"].startswith(("0.5", "0.49"))
    assert rows["bad.stl"]["verdict"] == "refused"
    assert "declares 100000000" in rows["bad.stl"]["error"]
    # No formula for a spreadsheet, and no refusal: it is simply nothing that is printed.
    assert rows["'=note.txt"]["verdict"] == "not a mesh"
    assert rows["box.3mf"]["verdict"] == "nothing in the collection"
    assert found.counts() == {
        "in the collection": 5, "not a mesh": 1, "nothing in the collection": 1, "refused": 1,
    }  # fmt: skip
    assert str(out.parent) not in out.read_text(encoding="utf-8")


def test_copies_are_a_family(whole):
    rows = rows_of(whole[1])
    first = rows[".hidden/a.stl"]
    relations = {name: rows[name]["copy_relation"] for name in ("a.stl", "b renamed.dat", "c.stl", "d.stl")}
    assert relations == {
        "a.stl": "same file", "b renamed.dat": "same geometry", "c.stl": "mirrored", "d.stl": "scaled",
    }  # fmt: skip
    assert {rows[name]["family"] for name in relations} == {first["family"]}
    assert first["family_size"] == "5"
    assert {rows[name]["copy_of"] for name in relations} == {".hidden/a.stl"}
    assert rows["bad.stl"]["family"] == ""


@pytest.mark.slow
def test_the_same_bytes_for_any_number_of_workers_and_as_parquet(whole, disk, references, tmp_path):
    import pyarrow.parquet as pq

    two = run_printed_batch([disk], references, tmp_path / "table.csv", thumbnail_of, workers=2)
    assert (tmp_path / "table.csv").read_bytes() == whole[1].read_bytes()
    assert contact_sheet(two) == contact_sheet(whole[0])
    run_printed_batch([disk], references, tmp_path / "t.parquet", thumbnail_of, work=tmp_path / "table.csv.work")
    table = pq.read_table(tmp_path / "t.parquet").to_pylist()
    assert [row["file"] for row in table] == [each.name for each in whole[0].files]
    assert table[1]["mirrored"] is None


@pytest.mark.slow
def test_a_killed_run_goes_on(whole, disk, references, tmp_path):
    out = tmp_path / "table.csv"
    rows = tmp_path / "table.csv.work" / "files.jsonl"
    arguments = ["printed", "batch", disk, "--references", references, "--out", out, "--workers", "1", "--quiet"]
    command = [sys.executable, "-c", "from ballistics.cli import main; main()", *map(str, arguments)]
    process = subprocess.Popen(command, start_new_session=True)
    until = time.monotonic() + 120.0
    while time.monotonic() < until and process.poll() is None:
        if rows.exists() and rows.read_bytes().count(b"\n") >= 2:
            break
        time.sleep(0.01)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = rows.read_bytes().count(b"\n")
    assert before >= 2
    # A kill may tear the line that is being written.
    with open(rows, "ab") as file:
        file.write(b'{"sha256": "to')
    told = []
    run_printed_batch([disk], references, out, thumbnail_of, progress=lambda *args: told.append(args))
    assert ("searching files", before, 7, before) in told
    assert rows.read_bytes().count(b"\n") == 7
    assert out.read_bytes() == whole[1].read_bytes()


def ends_with_the_box(file):
    if file.format == "3MF":
        os._exit(9)
    return thumbnail_of(file)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_a_file_that_ends_its_process_is_a_row(whole, disk, references, tmp_path, workers):
    out = tmp_path / "table.csv"
    if workers == 1:
        # As a run leaves it that ended in the middle of the file: it is searched last, in a process of its own.
        suspect = tmp_path / "table.csv.work" / "begun" / sha256((disk / "box.3mf").read_bytes()).hexdigest()
        suspect.parent.mkdir(parents=True)
        suspect.touch()
    run_printed_batch([disk / "a.stl", disk / "box.3mf"], references, out, ends_with_the_box, workers=workers)
    rows = rows_of(out)
    assert rows["box.3mf"]["verdict"] == "refused"
    assert "the process that read it ended" in rows["box.3mf"]["error"]
    assert rows["a.stl"]["score"] == rows_of(whole[1])["a.stl"]["score"]
    assert not list((tmp_path / "table.csv.work" / "begun").iterdir())


@pytest.mark.slow
def test_another_collection_begins_anew(whole, disk, references, tmp_path):
    folder = tmp_path / "other"
    path = tmp_path / "box.stl"
    path.write_bytes(samples.stl_binary(samples.box((90.0, 11.0, 5.0))))
    list(enrol_files([("box.stl", path)], folder))
    out = tmp_path / "table.csv"
    run_printed_batch(
        [disk / "a.stl", disk / "box.3mf"], folder, out, thumbnail_of, work=whole[1].with_name("table.csv.work")
    )
    rows = rows_of(out)
    assert rows["box.3mf"]["reference"] == "box"
    assert rows["a.stl"]["reference"] == ""


def test_hidden_files_are_found_and_links_are_not_followed(disk, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "link").symlink_to(disk)
    (tmp_path / "disk" / "link.stl").symlink_to(disk / "a.stl")
    with pytest.raises(ParameterError, match="no file"):
        disk_files([tmp_path / "disk"])
    assert ".hidden/a.stl" in [name for name, _ in disk_files([disk])]
    assert next(name for name, _ in disk_files([disk], [disk / ".hidden"])) == "=note.txt"
    with pytest.raises(ParameterError, match="does not exist"):
        disk_files([tmp_path / "nowhere"])


def test_a_table_must_be_of_a_known_kind(disk, references, tmp_path):
    with pytest.raises(ParameterError, match=r"\.parquet or \.csv"):
        run_printed_batch([disk], references, tmp_path / "t.xlsx", thumbnail_of)


def test_the_contact_sheet_shows_each_geometry_once(whole):
    page = contact_sheet(whole[0])
    assert page.count('<article class="tile">') == 2
    assert "family 1: 5 files" in page
    assert "declares 100000000" in page
    assert "default-src 'none'" in page
    assert "lead for an examiner" in page
    assert "<script" not in page


def test_families_of_nothing_known():
    keys = geometry_keys(*samples.wedge())
    copies = families(["a", "b", "c"], ["", "", "1"], [None, None, keys])
    assert [copy.family for copy in copies] == [0, 0, 1]
    assert [copy.of for copy in copies] == ["", "", ""]


def fails_on_the_box(file):
    if len(file.parts[0].faces) == 12:
        raise KeyError("nobody thought of \ud800 this")
    return thumbnail_of(file)


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_file_on_which_the_program_fails_is_a_row_and_stands_in_the_log(whole, disk, references, tmp_path, workers):
    out = tmp_path / "table.csv"
    found = run_printed_batch([disk], references, out, fails_on_the_box, workers=workers)
    rows, expected = rows_of(out), rows_of(whole[1])
    assert rows["box.3mf"]["verdict"] == "refused"
    assert rows["box.3mf"]["error"].startswith("the program failed on this file: KeyError: 'nobody thought of")
    assert {name: row for name, row in rows.items() if name != "box.3mf"} == {
        name: row for name, row in expected.items() if name != "box.3mf"
    }
    log = (tmp_path / "table.csv.work" / ERRORS_LOG).read_text()
    assert "KeyError" in log
    assert "fails_on_the_box" in log
    assert len(log) < 4200
    # The next run is the same, and fails on nothing again.
    before = (tmp_path / "table.csv.work" / "files.jsonl").read_bytes()
    assert run_printed_batch([disk], references, out, fails_on_the_box).counts() == found.counts()
    assert (tmp_path / "table.csv.work" / "files.jsonl").read_bytes() == before


@pytest.mark.slow
def test_a_collection_that_was_altered_ends_the_batch_and_no_row_is_kept(disk, references, tmp_path):
    lab, single = tmp_path / "lab", [disk / "a.stl"]
    shutil.copytree(references, lab)
    data = bytearray((lab / "local.npy").read_bytes())
    data[5000] ^= 1
    (lab / "local.npy").write_bytes(data)
    with pytest.raises(CorruptFileError, match="altered"):
        run_printed_batch(single, lab, tmp_path / "table.csv", thumbnail_of)
    shutil.copy(references / "local.npy", lab / "local.npy")
    found = run_printed_batch(single, lab, tmp_path / "table.csv", thumbnail_of)
    assert all("altered" not in single.kept["error"] for single in found.files)


HOSTILE = DATA / "faults" / "hostile" / "hostile-disk"


@pytest.mark.skipif(not HOSTILE.exists(), reason="the files with faults are not there")
def test_a_hostile_file_does_not_end_the_work_on_a_disk(references, tmp_path):
    found = run_printed_batch([HOSTILE], references, tmp_path / "table.csv", thumbnail_of)
    assert len(found.files) == len([path for path in HOSTILE.rglob("*") if path.is_file()])
    assert [each.kept["error"] for each in found.files if each.name.endswith(".stl")] == [""]


_BUSY = """
import os, pathlib, sys, time
from joblib import Parallel, delayed
from ballistics.workers import Watched
def nap():
    pathlib.Path(sys.argv[1], f"worker-{os.getpid()}").touch()
    time.sleep(600.0)
if __name__ == "__main__":
    list(Parallel(n_jobs=2, return_as="generator_unordered")(delayed(Watched(nap))() for _ in range(2)))
"""


@pytest.mark.skipif(os.name == "nt", reason="processes are killed by signal")
@pytest.mark.slow
def test_a_killed_process_leaves_no_worker(tmp_path):
    import psutil

    script = tmp_path / "busy.py"
    script.write_text(_BUSY.replace("sys.argv[1]", repr(str(tmp_path))))
    running = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.DEVNULL)
    process = psutil.Process(running.pid)
    until = time.monotonic() + 120
    # Only a worker that has begun its first task knows whose it is.
    while len(list(tmp_path.glob("worker-*"))) < 2 and time.monotonic() < until:
        time.sleep(0.2)
    workers = process.children()
    assert len(workers) >= 2
    running.kill()
    running.wait()
    _, alive = psutil.wait_procs(workers, timeout=30)
    for each in alive:
        each.kill()
    assert not alive
