"""A batch on a real Dask scheduler: complete, the same bytes as on one machine, also when a worker is killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

import pytest
from batch_scans import write_scans

from ballistics.errors import ParameterError, WriteError
from ballistics.pairs.batch import run_batch
from ballistics.pairs.runs import on_this_machine

distributed = pytest.importorskip("distributed", reason="the extra 'cluster' is not installed")
# Dask's own threads close their sockets when they are collected.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")

from ballistics.pairs import cluster as batch_cluster  # noqa: E402 - only with the extra that is asked for above
from ballistics.pairs.cluster import on_cluster  # noqa: E402 - likewise

FIREARMS, SHOTS = 3, 2
PAIRS = 6 * 5 // 2


# Dask itself may drop a mark's second copy, or give a waiting block to the other worker, on a busy machine. Both cause
# transfers that no code of ours asks for.
QUIET = {
    "DASK_DISTRIBUTED__SCHEDULER__ACTIVE_MEMORY_MANAGER__START": "False",
    "DASK_DISTRIBUTED__SCHEDULER__WORK_STEALING": "False",
}


def dask(*arguments):
    # Not the script `dask`: an environment may be used without being activated.
    command = [sys.executable, "-m", "dask", *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **QUIET})


def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


@pytest.fixture(scope="module")
def cluster():
    address = f"tcp://127.0.0.1:{free_port()}"
    scheduler = dask("scheduler", "--host", address, "--no-dashboard", "--no-jupyter")
    options = ("--no-nanny", "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1")
    workers = [dask("worker", address, *options) for _ in range(2)]
    try:
        with distributed.Client(address, timeout=60, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        yield address, workers, scheduler
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scans")
    write_scans(folder, FIREARMS, SHOTS)
    return folder


@pytest.fixture(scope="module")
def local(scans, tmp_path_factory):
    out = tmp_path_factory.mktemp("local") / "results.parquet"
    assert run_batch([scans], out, run=on_this_machine(1)).pairs == PAIRS
    return out


@pytest.mark.slow
def test_a_mark_is_sent_once_to_each_worker_and_the_bytes_are_those_of_one_machine(
    cluster, scans, local, tmp_path, monkeypatch
):
    address, _, _ = cluster
    sent = []

    class Counted:
        def __init__(self, store):
            self.store = store

        def load(self, key):
            sent.append(key)
            return self.store.load(key)

    def run(pairs, source):
        yield from on_cluster(address)(pairs, Counted(source))

    # Within the test, so that it is sent as it is: the workers cannot import the tests.
    def received_marks(dask_worker):
        return [key for entry in dask_worker.transfer_incoming_log for key in entry["keys"] if key.startswith("mark-")]

    monkeypatch.setattr(batch_cluster, "_BLOCK", 3)
    run_batch([scans], tmp_path / "results.parquet", run=run)
    assert (tmp_path / "results.parquet").read_bytes() == local.read_bytes()
    # Once from here to the cluster, and from the worker that has it at most once to the other.
    assert len(sent) == len(set(sent)) == FIREARMS * SHOTS
    with distributed.Client(address, timeout=60, set_as_default=False) as client:
        received = client.run(received_marks)
    assert len(received) == 2
    for marks in received.values():
        assert len(marks) == len(set(marks))
    assert sum(map(len, received.values())) <= FIREARMS * SHOTS


@pytest.mark.slow
def test_one_of_two_workers_is_killed_half_way(cluster, scans, local, tmp_path, monkeypatch):
    monkeypatch.setattr(batch_cluster, "_BLOCK", 2)
    address, workers, _ = cluster
    killed = []

    def kill_one(stage, done, total, resumed):
        if stage == "comparing pairs" and done >= PAIRS // 3 and not killed:
            os.kill(workers[0].pid, signal.SIGKILL)
            workers[0].wait()
            killed.append(done)

    out = tmp_path / "results.parquet"
    summary = run_batch([scans], out, run=on_cluster(address), progress=kill_one)
    assert killed
    assert killed[0] < PAIRS
    assert (summary.pairs, summary.failed) == (PAIRS, 0)
    assert out.read_bytes() == local.read_bytes()
    rows = (tmp_path / "results.parquet.work" / "pairs.jsonl").read_bytes().splitlines()
    assert len(rows) == PAIRS


@pytest.mark.slow
def test_a_worker_with_other_versions_is_refused(cluster, scans, tmp_path, monkeypatch):
    monkeypatch.setattr(batch_cluster, "package_versions", lambda: {"numpy": "0.1"})
    with pytest.raises(ParameterError, match=r"other versions \(numpy .* there, 0\.1 here\)"):
        run_batch([scans], tmp_path / "results.parquet", run=on_cluster(cluster[0]))


@pytest.mark.slow
def test_a_connection_that_breaks_at_any_call_is_said(cluster, scans, tmp_path, monkeypatch):
    def broken(*_):
        raise OSError("Timed out trying to connect to tcp://127.0.0.1:1 after 30 s")

    for call in ("_number_of_threads", "_submitted"):
        with monkeypatch.context() as patch:
            patch.setattr(batch_cluster._Cluster, call, broken)
            with pytest.raises(WriteError, match=r"connection to the scheduler was lost.*nothing finished is lost"):
                run_batch([scans], tmp_path / f"{call}.parquet", run=on_cluster(cluster[0]))


@pytest.mark.slow
def test_nobody_answers(scans, tmp_path, monkeypatch):
    monkeypatch.setattr(batch_cluster, "_SECONDS_TO_ANSWER", 0.3)
    with pytest.raises(ParameterError, match="dask scheduler"):
        run_batch([scans], tmp_path / "results.parquet", run=on_cluster(f"tcp://127.0.0.1:{free_port()}"))


@pytest.mark.slow
def test_a_lost_scheduler_is_said_and_nothing_finished_is_lost(cluster, scans, local, tmp_path, monkeypatch):
    address, _, scheduler = cluster
    monkeypatch.setattr(batch_cluster, "_BLOCK", 1)

    def kill(stage, done, total, resumed):
        if stage == "comparing pairs" and done == 3:
            os.kill(scheduler.pid, signal.SIGKILL)
            scheduler.wait()

    out = tmp_path / "results.parquet"
    with pytest.raises(WriteError, match="nothing finished is lost"):
        run_batch([scans], out, run=on_cluster(address), progress=kill)
    assert not out.exists()
    resumed_from = []
    run_batch([scans], out, progress=lambda stage, done, total, resumed: resumed_from.append(resumed))
    assert resumed_from[-1] >= 3
    assert out.read_bytes() == local.read_bytes()
