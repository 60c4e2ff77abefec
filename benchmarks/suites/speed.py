"""CPU time and memory of a comparison, with the work counted, and how both grow with area and pairs."""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from ballistics.impressions.cells import CellParameters, CellSearcher
from ballistics.impressions.comparing import compare
from ballistics.impressions.congruence import RULES, judge
from ballistics.impressions.direction import Direction
from ballistics.impressions.mirrored import AsTheyAre, check_mirrored
from ballistics.impressions.octaves import Octaves
from ballistics.impressions.registration import Registration, RegistrationParameters, RegistrationSearch, register
from ballistics.impressions.similarity import Similarity, similarity
from ballistics.surfaces.surface import Mark
from ballistics_kernels.impressions.correlation import centred
from benchmarks.support.pairs import ScanSet, load
from benchmarks.support.record import Context, Record
from benchmarks.support.work import counted

DESCRIPTION = "CPU seconds per comparison by stage, work counted, peak memory, growth with area and with pairs"

WHOLE = "whole comparison: CMC, similarity, mirror check, regular marks"
PEERS = "same pairs: Verity 2.0 (one direction, 13 angles), NFI scratch 3.5–4.0 (one direction, 360°), cmcR 37–65"


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def stages(scans: ScanSet, pair: tuple[int, int]) -> dict[str, float]:
    """Return the CPU seconds of each stage of one comparison."""
    a, b = (centred(scans.marks[k].heights_um) for k in pair)
    spacing_um = scans.marks[pair[0]].spacing_um
    times = {WHOLE: cpu_seconds(partial(compare, scans.marks[pair[0]], scans.marks[pair[1]]))}
    known = RegistrationParameters(angle_range_deg=30.0)
    around = cpu_seconds(partial(register, a, b, spacing_um, known))
    full = cpu_seconds(partial(register, a, b, spacing_um))
    with counted() as work:
        registration = register(a, b, spacing_um)
        if registration is None:
            return times
        found = similarity(a, b, spacing_um, registration.pose)
        start = time.process_time()
        directions = _directions(a, b, spacing_um, registration, found)
        counting = time.process_time() - start
    start = time.process_time()
    directions = _directions(a, b, spacing_um, registration, found)
    cells = min(time.process_time() - start, counting)
    rules = cpu_seconds(lambda: judge(directions[0], directions[1], RULES))
    search = RegistrationSearch(a, b, spacing_um, mirror_too=True)
    search.direct()
    alike = partial(similarity, a, b, spacing_um, registration.pose)
    times["CMC, orientation known within ±30°"] = around + cells + rules
    times["CMC, unknown rotation"] = full + cells + rules
    times["registration, ±30°"] = around
    times["registration, 360°"] = full
    times["cells, both directions"] = cells
    times["rules"] = rules
    times["similarity"] = cpu_seconds(alike)
    times["mirror check"] = cpu_seconds(
        lambda: check_mirrored(AsTheyAre(Octaves(a, spacing_um), b, search, registration, found.score))
    )
    times["floor of registration and cells: transforms and bytes alone"] = work.floor_seconds()
    times["registration and cells over their floor"] = (full + cells) / work.floor_seconds()
    times["work: 2D transforms"] = work.transform_count
    times["work: MB read by exact sums"] = work.bytes_read / 1e6
    times["work: poses tried"] = work.poses
    times["work: places of cells followed"] = work.places
    times["work: cells searched, at all angles"] = sum(d.sweep.correlations.size for d in directions)
    times["work: cells followed to the finest level"] = sum(int(d.sweep.exact.sum()) for d in directions)
    return times


def _directions(
    a: NDArray[np.float32], b: NDArray[np.float32], spacing_um: float, registration: Registration, found: Similarity
) -> list[Direction]:
    directions = []
    for tiled, searched, pose in ((a, b, registration.pose), (b, a, registration.pose.inverse())):
        searcher = CellSearcher(tiled, searched, spacing_um, pose, CellParameters())
        directions.append(Direction(searcher, searcher.sweep(), tiled, searched, found))
    return directions


def _peak_memory_mb(data: str, send: multiprocessing.connection.Connection) -> None:
    """Compare pairs in a fresh process and send its peak resident memory."""
    from pathlib import Path

    from benchmarks.support.record import Context

    scans = load(Context(Path(data), False, True, Path()))
    for i, j in scans.pairs()[:6]:
        compare(scans.marks[i], scans.marks[j])
    send.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def _peak_memory_of_a_process(data: str) -> float:
    receive, send = multiprocessing.Pipe(False)
    process = multiprocessing.get_context("spawn").Process(target=_peak_memory_mb, args=(data, send))
    process.start()
    peak = float(receive.recv())
    process.join()
    return peak


def rough_pair(side: int, seed: int) -> tuple[Mark, Mark]:
    """Make two square marks without holes: one random roughness, measured twice."""
    rng = np.random.default_rng(seed)
    common, *own = (gaussian_filter(rng.normal(size=(side, side)), 5.0) for _ in range(3))
    a, b = (Mark("breech face", (20 * (common + 0.5 * x)).astype(np.float32), 6.25) for x in own)
    return a, b


def run(context: Context) -> Iterator[Record]:
    """Time comparisons and yield medians, memory and growth."""
    scans = load(context)
    pairs = scans.pairs()
    chosen = pairs[:: max(1, len(pairs) // (10 if context.quick else 60))]
    compare(scans.marks[0], scans.marks[1])
    table = [stages(scans, pair) for pair in chosen]
    protocol = (
        f"{scans.name}: {len(chosen)} pairs spread over all; one thread; CPU seconds of the process, median; prepared"
        " marks in memory; both directions, cells of 468.75 µm, ±30° in 3° steps around the registered pose, 6.25 µm"
    )
    goals = {
        WHOLE: PEERS,
        "CMC, orientation known within ±30°": "≤ 0.10",
        "CMC, unknown rotation": "≤ 0.20",
    }
    for name in table[0]:
        values = np.array([row.get(name, np.nan) for row in table])
        unit = "CPU s/pair"
        if name.startswith("work"):
            unit = "per pair"
        elif "over their floor" in name:
            unit = "ratio"
        yield Record("speed", name, float(np.nanmedian(values)), unit, goals.get(name, ""), protocol, len(values))
    if not context.own:
        # The first process compiles what is not yet in the cache, for which LLVM takes memory of its own.
        peak = [_peak_memory_of_a_process(str(context.data)) for _ in range(2)][-1]
        yield Record(
            "speed",
            "peak memory of a process",
            peak,
            "MB",
            "≤ 350",
            "fresh process, kernels compiled before: reads, prepares and compares Fadul scans",
            6,
        )
    yield from _growth(context)


def _growth(context: Context) -> Iterator[Record]:
    """Time comparisons of larger and larger marks, and of more and more pairs; plot both."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullFormatter

    areas, costs = [], []
    for side in (200, 300, 420, 600, 850):
        pair = rough_pair(side, 31)
        repeats = [cpu_seconds(partial(compare, *pair)) for _ in range(3)]
        areas.append(float(side * side))
        costs.append(float(np.median(repeats)))
    model = np.array(areas) * np.log(areas)
    slope = float(np.polyfit(np.log(model), np.log(costs), 1)[0])
    counts, totals = (1, 2, 4, 8), []
    pair = rough_pair(420, 32)
    for n in counts:
        totals.append(cpu_seconds(lambda n=n: [compare(*pair) for _ in range(n)]))  # type: ignore[misc]  # n is bound early
    linear = totals[-1] / (counts[-1] * totals[0])
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.loglog(areas, costs, "o-", label="measured")
    left.loglog(areas, model * costs[-1] / model[-1], "--", label="area × log(area)")
    left.set(xlabel="valid points", ylabel="CPU s per pair", title="growth with the size of the mark")
    left.xaxis.set_minor_formatter(NullFormatter())
    left.legend()
    right.plot(counts, totals, "o-")
    right.set(xlabel="pairs", ylabel="CPU s", title="growth with the number of pairs")
    context.output.mkdir(parents=True, exist_ok=True)
    figure.savefig(context.output / "speed.png", dpi=120, metadata={"Software": None})
    protocol = "square marks of one random roughness, sides of 200 to 850 points; plot in speed.png"
    yield Record("speed", "exponent of the growth over area × log(area)", slope, "exponent", "≤ 1", protocol, 15, 31)
    yield Record(
        "speed", "cost of 8 pairs over 8 times the cost of one", linear, "ratio", "1 (linear)", protocol, 8, 31
    )
