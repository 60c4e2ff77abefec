"""Search benchmark: recall of the cascade among thousands of marks, rate, memory, and what a template gives away."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import joblib
import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from ballistics.library import template
from ballistics.search.cascade import compare_best
from ballistics.search.scan import Query, make_query, scan
from ballistics.surfaces.simulation.disturbances import keep_disc, keep_sector, rotate_surface
from ballistics.surfaces.surface import Mark
from benchmarks.support.distractors import distractor
from benchmarks.support.pairs import ScanSet, load
from benchmarks.support.record import Context, Record
from benchmarks.support.template_content import given_away

DESCRIPTION = "recall among 20 000 marks at any rotation, whole and half marks; candidates per second; memory; growth"

# Development used distractors of seed 100, disturbances of seeds 5000 to 5139, and firearms with odd numbers only.
SEED = 61
COMPARED = 20
_COMPARED_QUICK = 5
KINDS = ("whole", "half: a sector", "half: a disc")
_HALVES = KINDS[1:]
_CHUNK = 250


@dataclass(frozen=True)
class Found:
    """What one search found.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    scan : int
        Which scan was searched for.
    template_ranks, ranks : tuple of int
        Places, from 1, of the scans of the same firearm: by template, and after comparison (a large number when it
        was not compared).
    harder : float
        Mean share of simulated marks that score below the real ones of other firearms; 0.5 when equally hard.
    scan_s, compare_s : float
        CPU seconds of the two stages.
    """

    kind: str
    scan: int
    template_ranks: tuple[int, ...]
    ranks: tuple[int, ...]
    harder: float
    query_s: float
    scan_s: float
    compare_s: float


def disturbed(mark: Mark, kind: str, seed: int) -> Mark:
    """Turn a mark by a random angle and, for a half, take half of its area away."""
    rng = np.random.Generator(np.random.PCG64(seed))
    turned = rotate_surface(mark, float(rng.uniform(0.0, 360.0)))
    if kind == KINDS[1]:
        return keep_sector(turned, 180.0, float(rng.uniform(0.0, 360.0)))
    return keep_disc(turned, 0.5, int(rng.integers(2**31))) if kind == KINDS[2] else turned


def _records(regions: list[NDArray[np.bool_]], spacing_um: float, first: int, last: int) -> NDArray[np.uint8]:
    marks = (distractor(regions, SEED, k, spacing_um, False) for k in range(first, last))
    return np.stack([template.make_template(mark).array for mark in marks])


def _stack(scans: ScanSet, regions: list[NDArray[np.bool_]], n: int, path: Path) -> None:
    """Write the templates of the scans, and of ``n`` simulated marks behind them, to a file."""
    chunks = [(k, min(k + _CHUNK, n)) for k in range(0, n, _CHUNK)]
    spacing_um = scans.marks[0].spacing_um
    work = (joblib.delayed(_records)(regions, spacing_um, *chunk) for chunk in chunks)
    parallel = joblib.Parallel(n_jobs=joblib.cpu_count(), return_as="generator")
    with open(path, "wb") as file:
        file.write(np.stack([template.make_template(mark).array for mark in scans.marks]).tobytes())
        for records in track(parallel(work), "simulated marks and their templates", total=len(chunks)):
            file.write(records.tobytes())


def _mapped(path: Path) -> NDArray[np.uint8]:
    return np.memmap(path, np.uint8, "r").reshape(-1, template.RECORD_BYTES)


def _searches(
    scans: ScanSet, regions: list[NDArray[np.bool_]], path: Path, compared: int, tasks: list[tuple[int, str]]
) -> list[Found]:
    stack, n_real = _mapped(path), len(scans.marks)
    firearms = np.array(scans.firearms)

    def marks(row: int) -> Mark:
        if row < n_real:
            return scans.marks[row]
        return distractor(regions, SEED, row - n_real, scans.marks[0].spacing_um, True)

    found = []
    for k, kind in tasks:
        mark = disturbed(scans.marks[k], kind, SEED + 1000 * KINDS.index(kind) + k)
        rows = np.array([row for row in range(len(stack)) if row != k])
        times = [time.process_time()]
        query = make_query(mark)
        times.append(time.process_time())
        scores = scan(query, stack, rows).scores
        times.append(time.process_time())
        ranking = compare_best(mark, rows, scores, marks, compared=compared)
        times.append(time.process_time())
        same = np.flatnonzero((firearms == firearms[k]) & (np.arange(n_real) != k))
        order = rows[np.argsort(-scores, kind="stable")]
        place = {int(row): i for i, row in enumerate(order, 1)}
        final = {lead.candidate: i for i, lead in enumerate(ranking.leads, 1)}
        simulated = np.sort(scores[rows >= n_real])
        others = scores[(rows < n_real) & ~np.isin(rows, same)]
        harder = np.searchsorted(simulated, others) / max(1, len(simulated))
        found.append(
            Found(
                kind,
                k,
                tuple(place[int(row)] for row in same),
                tuple(final.get(int(row), len(stack)) for row in same),
                float(harder.mean()),
                *np.diff(times).tolist(),
            )
        )
    return found


def run(context: Context) -> Iterator[Record]:
    """Search for every scan among the others and simulated marks; yield recalls, rates, memory and growth."""
    scans = load(context)
    n, compared = (300, _COMPARED_QUICK) if context.quick else (20_000, COMPARED)
    regions = [np.isfinite(mark.heights_um) for mark in scans.marks]
    context.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=context.output) as folder:
        path = Path(folder) / "templates.stack"
        _stack(scans, regions, n, path)
        every = range(0, len(scans.marks), 8 if context.quick else 1)
        tasks = [(k, kind) for k in every for kind in KINDS]
        chunks = [tasks[i : i + 6] for i in range(0, len(tasks), 6)]
        work = (joblib.delayed(_searches)(scans, regions, path, compared, chunk) for chunk in chunks)
        parallel = joblib.Parallel(n_jobs=joblib.cpu_count(), return_as="generator")
        found = [searched for part in track(parallel(work), "searching", total=len(chunks)) for searched in part]
        yield from _recalls(scans, n, compared, found)
        yield from _growth(context, path, scans)
    yield from given_away(scans, context)


def _recalls(scans: ScanSet, n: int, compared: int, found: list[Found]) -> Iterator[Record]:
    own = (
        f"{scans.name}: each scan turned by a random angle, searched among the others and {n} simulated marks; "
        f"the best {compared} by template are compared"
    )
    for kind in KINDS:
        searches = [searched for searched in found if searched.kind == kind and searched.ranks]
        whole = kind == "whole"
        protocol = own if whole else f"{own}; {kind} of the mark is kept"
        first = np.array([min(searched.ranks) for searched in searches])
        ranks = np.concatenate([searched.ranks for searched in searches])
        by_template = np.concatenate([searched.template_ranks for searched in searches])
        rate = float(n / np.median([searched.scan_s for searched in searches]))
        for name, value, unit, goal, count in (
            ("same firearm at rank 1", _share(first == 1), "share", "1" if whole else "≥ 0.95", len(first)),
            ("same-firearm scans within 10", _share(ranks <= 10), "share", "≥ 0.98" if whole else "", len(ranks)),
            (f"their templates within {compared}", _share(by_template <= compared), "share", "", len(ranks)),
            ("worst template rank", float(by_template.max()), "rank", "", len(ranks)),
            ("template stage", rate, "candidates/CPU s", "≥ 5000 (NumPy prototype: 1000)", len(searches)),
        ):
            yield Record("search", f"{kind}: {name}", value, unit, goal, protocol, count, SEED)
    halves = [min(searched.ranks) for searched in found if searched.kind in _HALVES and searched.ranks]
    yield Record(
        "search",
        "halves together: same firearm at rank 1",
        _share(np.array(halves) == 1),
        "share",
        "≥ 0.95",
        own,
        len(halves),
        SEED,
    )
    harder = float(np.mean([searched.harder for searched in found if searched.kind == "whole"]))
    protocol = "mean share of simulated marks below real marks of other firearms by template score; 0.5: equally hard"
    yield Record("search", "hardness of the simulated marks", harder, "share", "0.5", protocol, n, SEED)
    times = np.median([[searched.query_s, searched.compare_s / compared] for searched in found], axis=0)
    yield Record("search", "preparing a query", times[0], "CPU s", "", own, len(found), SEED)
    yield Record("search", "comparing a candidate", times[1], "CPU s", "", own, len(found) * compared, SEED)


def _share(true: NDArray[np.bool_]) -> float:
    return float(true.mean())


def _enlarged(path: Path, n: int) -> Path:
    """Write a stack of ``n`` templates: those of a file, again and again."""
    stack, larger = _mapped(path), path.with_name(f"{n}.stack")
    with open(larger, "wb") as file:
        for start in range(0, n, len(stack)):
            file.write(stack[: n - start].tobytes())
    return larger


def _memory_of_scan(path: str, query: Query, send: multiprocessing.connection.Connection) -> None:
    """Scan a stack in a fresh process; send its peak resident memory in MB, with the mapped pages."""
    scan(query, _mapped(Path(path)))
    send.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _growth(context: Context, path: Path, scans: ScanSet) -> Iterator[Record]:
    """Time scans of stacks of 100 to 100 000, and measure the memory of the largest; plot."""
    from matplotlib.figure import Figure

    queries = {kind: make_query(disturbed(scans.marks[0], kind, SEED)) for kind in (KINDS[0], KINDS[2])}
    sizes = (100, 300, 1000) if context.quick else (100, 300, 1000, 3000, 10_000, 30_000, 100_000)
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for kind, query in queries.items():
        costs = []
        for n in sizes:
            stack = _mapped(_enlarged(path, n))
            repeats = []
            for _ in range(max(1, min(5, 3000 // n))):
                start = time.process_time()
                scan(query, stack)
                repeats.append(time.process_time() - start)
            costs.append(float(np.median(repeats)))
        left.loglog(sizes, costs, "o-", label=kind)
        right.semilogx(sizes, 1e6 * np.array(costs) / sizes, "o-", label=kind)
        slope = float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])
        protocol = f"{kind} mark, stacks of {sizes[0]} to {sizes[-1]} templates mapped into memory; plot in search.png"
        yield Record(
            "search", f"{kind}: exponent of the growth", slope, "exponent", "1 (linear)", protocol, len(sizes), SEED
        )
        unit = f"µs of CPU per candidate of {sizes[-1]}"
        yield Record(
            "search", f"{kind}: cost per candidate", 1e6 * costs[-1] / sizes[-1], unit, "≤ 200", protocol, 1, SEED
        )
    left.set(xlabel="templates", ylabel="CPU s per search", title="template stage")
    right.axhline(200.0, linestyle="--", color="0.5", label="5000 per second")
    right.set(xlabel="templates", ylabel="µs of CPU per candidate", title="cost per candidate", ylim=(0, None))
    left.legend()
    right.legend()
    figure.savefig(context.output / "search.png", dpi=120, metadata={"Software": None})
    receive, send = multiprocessing.Pipe(False)
    largest = str(_enlarged(path, sizes[-1]))
    work = partial(_memory_of_scan, largest, queries[KINDS[0]], send)
    process = multiprocessing.get_context("spawn").Process(target=work)
    process.start()
    peak = receive.recv()
    process.join()
    protocol = f"fresh process, peak resident memory with all mapped pages, {sizes[-1]} templates"
    yield Record("search", "peak memory of a search", peak, "MB", "< 2000", protocol, 1, SEED)
    yield Record("search", "size of a template", template.RECORD_BYTES, "bytes", "≤ 65536", protocol, 1, None)
