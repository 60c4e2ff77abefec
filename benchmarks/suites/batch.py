"""All-pairs batches: rate with threads and processes, cost of keeping, resuming and writing, memory, growth."""

from __future__ import annotations

import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from joblib import parallel_config
from joblib.externals.loky import get_reusable_executor

from ballistics.pairs.batch import run_batch
from ballistics.pairs.designs import AllPairs
from ballistics.pairs.file_names import scan_files
from ballistics.pairs.mark_store import MarkStore
from ballistics.pairs.prepared_scans import Method, prepare_scans
from ballistics.pairs.results import write_results
from ballistics.pairs.rows import Row, columns
from ballistics.pairs.runs import KeptPairs, compare_missing, on_this_machine
from benchmarks.support.record import Context, Record

DESCRIPTION = "all-pairs batches: pairs per second with threads and processes, resuming, memory, growth"

_WORKERS = 2
_BACKENDS = {"one process": (1, "loky"), f"{_WORKERS} threads": (_WORKERS, "threading"),
             f"{_WORKERS} processes": (_WORKERS, "loky")}  # fmt: skip
_SEED = 11


@dataclass(frozen=True)
class _Cost:
    """What a run took: seconds of CPU in all its processes, seconds of the clock, MB of memory in all of them."""

    cpu: float
    wall: float
    memory_mb: float


def run(context: Context) -> Iterator[Record]:
    """Yield every record; plots the growth in ``batch.png``."""
    folder = context.data if context.own else context.data / "breech-faces" / "fadul"
    paths = sorted(folder.glob("*.x3p"))[: 6 if context.quick else 12]
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        start = time.process_time()
        (scans,), store = prepare_scans([scan_files(paths)], work, Method())
        preparing = (time.process_time() - start) / len(scans)
        keys = [scan.sha256 for scan in scans if not scan.left_out]
        marks = [store.load(key) for key in keys]
        n = len(keys)
        protocol = f"{'Fadul' if not context.own else folder.name}: {n} scans, {n * (n - 1) // 2} pairs"
        yield _record("preparing a scan", preparing, "CPU s/scan", "", f"{protocol}; reading, preparing, keeping", n)
        size = float(np.mean([mark.heights_um.nbytes for mark in marks])) / 1e6
        yield _record("size of a prepared mark", size, "MB", "", f"{protocol}; heights as float32, as kept and sent", n)
        yield from _rates(store, keys, work, protocol)
        yield from _by_scans(paths, work, protocol)
    yield from _by_pairs(context)


def _record(metric: str, value: float, unit: str, goal: str, protocol: str, n: int) -> Record:
    return Record("batch", metric, value, unit, goal, protocol, n, _SEED if "made-up" in protocol else None)


def _rates(store: MarkStore, keys: list[str], work: Path, protocol: str) -> Iterator[Record]:
    """Compare all pairs in a fresh process for each way of sharing the work."""
    pairs = len(AllPairs(len(keys)))
    costs = {}
    for name, (workers, backend) in _BACKENDS.items():
        receive, send = multiprocessing.Pipe(False)
        process = multiprocessing.get_context("spawn").Process(
            target=_timed, args=(store, keys, work / f"{name}.jsonl", workers, backend, send)
        )
        process.start()
        costs[name] = _Cost(*receive.recv())
        process.join()
    where = f"{protocol}; kernels loaded and workers started before the clock; {os.cpu_count()} cores, shared"
    for name, cost in costs.items():
        yield _record(f"{name}: rate per CPU second", pairs / cost.cpu, "pairs/CPU s", "", where, pairs)
        yield _record(f"{name}: rate by the clock", pairs / cost.wall, "pairs/s", "", where, pairs)
        yield _record(f"{name}: memory", cost.memory_mb, "MB", "", f"{where}; resident, all processes at the end", 1)
    threads, processes = (costs[name] for name in list(_BACKENDS)[1:])
    yield _record("CPU of threads over CPU of processes", threads.cpu / processes.cpu, "ratio", "", where, pairs)
    yield _record("time of threads over time of processes", threads.wall / processes.wall, "ratio", "", where, pairs)


def _timed(store: MarkStore, keys: list[str], path: Path, workers: int, backend: str, send: Connection) -> None:
    """Compare in this process and its workers, and send the cost."""
    with parallel_config(backend=backend):
        runner = on_this_machine(workers)
        with KeptPairs(path.with_suffix(".warm"), "", "breech face", keys[:4], AllPairs(4)) as warm:
            compare_missing(warm, store, runner)
        before, start = _used()[0], time.perf_counter()
        with KeptPairs(path, "", "breech face", keys, AllPairs(len(keys))) as kept:
            compare_missing(kept, store, runner)
        wall = time.perf_counter() - start
        after, memory = _used()
    send.send((after - before, wall, memory))
    get_reusable_executor().shutdown(wait=True)


def _used() -> tuple[float, float]:
    """Return CPU seconds and resident MB of this process and its children."""
    import psutil

    own = psutil.Process()
    everybody = [own, *own.children(recursive=True)]
    cpu = sum(times.user + times.system for times in (process.cpu_times() for process in everybody))
    return cpu, sum(process.memory_info().rss for process in everybody) / 1e6


def _by_scans(paths: list[Path], work: Path, protocol: str) -> Iterator[Record]:
    """Batches of more and more scans over the same work: only what is new may cost."""
    out = work / "results.parquet"
    run_batch(paths[:2], out, work=work / "warm")
    costs: list[float] = []
    pairs: list[int] = []
    for n in range(len(paths) // 3, len(paths) + 1, len(paths) // 3):
        start = time.process_time()
        run_batch(paths[:n], out, work=work)
        costs.append(time.process_time() - start)
        pairs.append(len(AllPairs(n)) - sum(pairs))
    per_pair = [cost / new for cost, new in zip(costs, pairs, strict=True)]
    yield _record(
        "CPU of a new pair, last scans over first",
        per_pair[-1] / per_pair[0],
        "ratio",
        "1 (linear in the pairs)",
        f"{protocol}; a third, two thirds, all of the scans, each time in the same work folder; one process",
        sum(pairs),
    )
    start = time.process_time()
    run_batch(paths, out, work=work)
    again = time.process_time() - start
    share = again / sum(costs)
    yield _record("a finished batch called again, over the batch", share, "ratio", "", protocol, sum(pairs))


def _by_pairs(context: Context) -> Iterator[Record]:
    """Keep, find again and write made-up rows of more and more pairs: what the engine costs beside the comparisons."""
    sides = (100, 150, 200) if context.quick else (250, 350, 500, 700)
    table: list[dict[str, float]] = []
    for side in sides:
        receive, send = multiprocessing.Pipe(False)
        process = multiprocessing.get_context("spawn").Process(target=_kept, args=(side, send))
        process.start()
        table.append(receive.recv())
        process.join()
    pairs = np.array([row["pairs"] for row in table])
    protocol = (
        f"made-up rows of {', '.join(str(int(n)) for n in pairs)} pairs in a fresh process each, from the same "
        "engine and writer as in a batch; the largest"
    )
    last = table[-1]
    n = int(pairs[-1])
    for name, metric in (
        ("keep", "keeping a row"),
        ("resume", "finding a kept row again after a stop"),
        ("write", "reading back and writing a row as Parquet"),
    ):
        yield _record(metric, last[name] / n * 1e6, "CPU µs/pair", "", protocol, n)
    for name, metric in (("kept_bytes", "kept row"), ("parquet_bytes", "row of the Parquet table")):
        yield _record(f"size of a {metric}", last[name] / n, "bytes/pair", "", protocol, n)
    memory = np.array([row["memory_mb"] for row in table])
    slope = float(np.polyfit(pairs, memory, 1)[0]) * 1e6
    yield _record("growth of peak memory", slope, "bytes/pair", "8 for a number, no objects", protocol, n)
    total = np.array([row["keep"] + row["resume"] + row["write"] for row in table])
    exponent = float(np.polyfit(np.log(pairs), np.log(total), 1)[0])
    yield _record("exponent of the engine's growth over the pairs", exponent, "exponent", "≤ 1.1", protocol, n)
    _plot(context, pairs, table)


def _kept(side: int, send: Connection) -> None:
    """Time the engine with rows that nobody had to compare, and send what it took."""
    design = AllPairs(side)
    keys = [f"{i:064x}" for i in range(side)]
    rng = np.random.Generator(np.random.PCG64(_SEED))
    numbers = rng.normal(size=1_000_003).tolist()
    kinds = columns("breech face")

    def run_made_up(pairs: Iterator[tuple[str, str]], _: object) -> Iterator[Row]:
        for k, (a, b) in enumerate(pairs):
            row: Row = {
                name: numbers[(31 * k + c) % len(numbers)] if kind is float else (7 * k + c) % 40
                for c, (name, kind) in enumerate(kinds.items())
                if kind is not str
            }
            yield row | {"a": a, "b": b, "insufficient": "", "findings": "", "error": ""}

    with tempfile.TemporaryDirectory() as place:
        path, out = Path(place) / "pairs.jsonl", Path(place) / "results.parquet"
        result: dict[str, float] = {"pairs": len(design)}
        start = time.process_time()
        with KeptPairs(path, "", "breech face", keys, design) as kept:
            compare_missing(kept, MarkStore(Path(place), "breech face"), run_made_up)
        result["keep"] = time.process_time() - start
        start = time.process_time()
        with KeptPairs(path, "", "breech face", keys, design) as kept:
            result["resume"] = time.process_time() - start
            start = time.process_time()
            names = ("scan_a", "scan_b", "sha256_a", "sha256_b", "mark_sha256_a", "mark_sha256_b")
            rows = (
                row | dict(zip(names, (keys[i][-6:], keys[j][-6:], *(keys[i], keys[j]) * 2), strict=True))
                | {"mark_kind": "breech face", "findings_a": "", "findings_b": ""}
                for i, j, row in kept.rows()
            )  # fmt: skip
            write_results(out, "breech face", rows, {})
        result["write"] = time.process_time() - start
        result |= {"kept_bytes": path.stat().st_size, "parquet_bytes": out.stat().st_size}
    result["memory_mb"] = _peak_memory_mb()
    send.send(result)


def _peak_memory_mb() -> float:
    """Return the peak resident memory of this process alone; `getrusage` would count that of its parent too."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text(encoding="ascii").splitlines()
        return float(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _plot(context: Context, pairs: Any, table: list[dict[str, float]]) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for name, label in (("keep", "keeping"), ("resume", "finding again"), ("write", "writing")):
        left.plot(pairs, [row[name] for row in table], "o-", label=label)
    left.set(xlabel="pairs", ylabel="CPU s", title="the engine beside the comparisons")
    left.legend()
    right.plot(pairs, [row["memory_mb"] for row in table], "o-")
    right.set(xlabel="pairs", ylabel="MB", title="peak memory", ylim=(0, None))
    context.output.mkdir(parents=True, exist_ok=True)
    figure.savefig(context.output / "batch.png", dpi=120, metadata={"Software": None})
