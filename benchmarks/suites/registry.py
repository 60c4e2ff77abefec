"""Lookup in a simulated registry of a million firearms: recall of damaged and misread serials, cost; and its import."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from ballistics.errors import CorruptFileError
from ballistics.registry import (
    Import,
    Question,
    Registry,
    SimulatedRow,
    read_mapping,
    simulated_rows,
    write_register,
)
from benchmarks.support.record import Context, Record
from benchmarks.support.registry_questions import KINDS, Asked, questions

DESCRIPTION = "recall and cost of looking up firearms in a registry of a million; cost and memory of importing it"
# The rules were tried on a register of seed 11; this one was first drawn when they were fixed.
SEED = 2026
_WITHIN = 10
_GOALS = {
    "1 character obliterated": "≥ 0.99",
    "2 characters obliterated": "≥ 0.97",
    "1 character misread": "≥ 0.99",
    "1 look-alike misread": "≥ 0.99",
    "transliterated make": "≥ 0.99",
}


@dataclass(frozen=True)
class Looked:
    """A question that was asked: the rank of its firearm with and without the names, and the CPU seconds it took."""

    kind: str
    rank: float
    rank_of_serial_alone: float
    cpu_s: float


def run(context: Context) -> Iterator[Record]:
    """Import a simulated register and look up a sample of it; yield costs, recalls, and what the serial alone gives."""
    count, asked = (20_000, 40) if context.quick else (1_000_000, 1000)
    context.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=context.output) as folder:
        where = Path(folder)
        write_register(where, count, SEED)
        receive, send = multiprocessing.Pipe(False)
        work = partial(_imported, where, send)
        process = multiprocessing.get_context("spawn").Process(target=work)
        process.start()
        cpu_s, peak, start_mb = receive.recv()
        process.join()
        protocol = f"simulated register of {count} firearms, imported from CSV through a mapping into SQLite"
        yield Record("registry", "import", cpu_s, f"CPU s for {count}", "≤ 120", protocol, 1, SEED)
        yield Record("registry", "peak memory of the import", peak, "MB", "bounded", protocol, 1, SEED)
        yield Record("registry", "memory before the import", start_mb, "MB", "", protocol, 1, SEED)
        size = (where / "laboratory" / "library.sqlite").stat().st_size / 2**20
        yield Record("registry", "size of the database", size, "MiB", "", protocol, 1, SEED)
        sample = list(islice(simulated_rows(count, SEED), 0, count, count // asked))
        with Registry.open(where / "laboratory") as registry:
            looked = [_looked(registry, question) for question in questions(sample, SEED)]
    yield from _recalls(count, sample, looked)


def _imported(folder: Path, send: multiprocessing.connection.Connection) -> None:
    start_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with Registry.create(folder / "laboratory") as registry:
        start = time.process_time()
        work = Import(registry, read_mapping(folder / "mapping.yaml"), "benchmark")
        refused = list(work.refusals(str(folder / "register.csv")))
    if refused:
        raise CorruptFileError(f"a row of the simulated register was refused: {refused[0].reason}")
    cpu_s = time.process_time() - start
    send.send((cpu_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, start_mb))


def _looked(registry: Registry, asked: Asked) -> Looked:
    start = time.process_time()
    rank = _rank(registry, asked)
    cpu_s = time.process_time() - start
    alone = _rank(registry, replace(asked, question=Question(asked.question.serial)))
    return Looked(asked.kind, rank, alone, cpu_s)


def _rank(registry: Registry, asked: Asked) -> float:
    hits = registry.find(asked.question, _WITHIN).hits
    return next((float(hit.rank) for hit in hits if hit.source_key == asked.number), np.inf)


def _recalls(count: int, sample: list[SimulatedRow], looked: list[Looked]) -> Iterator[Record]:
    by_kind: dict[str, list[Looked]] = defaultdict(list)
    for look in looked:
        by_kind[look.kind].append(look)
    own = (
        f"{len(sample)} of {count} simulated firearms by serial, make and calibre, each in a form drawn from "
        "those of the make and the calibre; share whose firearm is within the first 10"
    )
    for kind in KINDS:
        found = by_kind[kind]
        ranks = np.array([look.rank for look in found])
        alone = np.array([look.rank_of_serial_alone for look in found])
        n, goal = len(found), _GOALS.get(kind, "")
        yield Record("registry", f"{kind}: within 10", float((ranks <= _WITHIN).mean()), "share", goal, own, n, SEED)
        yield Record("registry", f"{kind}: first", float((ranks == 1).mean()), "share", "", own, n, SEED)
        without = f"{own}; by the serial alone"
        share = float((alone <= _WITHIN).mean())
        yield Record("registry", f"{kind}: within 10 by the serial alone", share, "share", "", without, n, SEED)
        cost = 1e3 * float(np.median([look.cpu_s for look in found]))
        yield Record("registry", f"{kind}: lookup", cost, "CPU ms, median", "≤ 50", own, n, SEED)
    costs = 1e3 * np.array([look.cpu_s for look in looked])
    worst = (("median", np.median(costs)), ("99th percentile", np.percentile(costs, 99)), ("worst", costs.max()))
    for name, value in worst:
        goal = "≤ 50" if name == "median" else ""
        yield Record("registry", f"lookup, {name} of all kinds", float(value), "CPU ms", goal, own, len(costs), SEED)
