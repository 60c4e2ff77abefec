"""Casework benchmark: records a second, verification of the log, kills at any moment, and what tampering is found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from rich.progress import track

from ballistics.casework import Casebook
from ballistics.library import LibraryStore
from ballistics.records import SigningKey, is_signed, verify_log
from ballistics.store import DATABASE_FILE
from benchmarks.support.casework_cases import Filling, begin, case_records, laboratory_records, recorder
from benchmarks.support.casework_tampering import outcomes
from benchmarks.support.record import Context, Record

DESCRIPTION = (
    "signed records a second, verification of 100 000 entries, 1 000 kills, every field of every record altered"
)

SEED = 3
_KILLS = Path(__file__).parents[2] / "tests" / "fuzz" / "kill_processes.py"


def run(context: Context) -> Iterator[Record]:
    """Yield the records of the benchmark; ``--rows`` names some of recording, verification, tampering and kills."""
    for name, group in GROUPS.items():
        if not context.rows or name in context.rows:
            yield from group(context)


def _record(metric: str, value: float, unit: str, goal: str, protocol: str, n: int) -> Record:
    return Record("casework", metric, value, unit, goal, protocol, n, SEED)


@contextmanager
def _laboratory() -> Iterator[tuple[Casebook, dict[str, SigningKey]]]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "laboratory"
        LibraryStore.create(folder).close()
        with Casebook.open(folder) as book:
            yield book, begin(book)


def recording(context: Context) -> Iterator[Record]:
    """Record whole cases entry by entry, each a durable transaction of SQLite."""
    n_cases = 3 if context.quick else 40
    with _laboratory() as (book, keys):
        put, keep = recorder(book, keys)
        laboratory_records(put, keep)
        case_records("warm", put, keep)
        first = book.log.head().number
        began, cpu = time.perf_counter(), time.process_time()
        for case in track(range(n_cases), description="recording"):
            case_records(f"KO-2026-{case:04d}", put, keep)
        elapsed, cpu, n = time.perf_counter() - began, time.process_time() - cpu, book.log.head().number - first
    protocol = (
        "whole cases of 21 records (every kind), each checked by the rules, signed and committed to SQLite durably "
        "(WAL, synchronous=FULL) before the next; files are kept beside them"
    )
    yield _record("records a second", n / elapsed, "/s", "", protocol + "; wall time on a shared machine", n)
    yield _record("a record", 1000.0 * cpu / n, "CPU ms", "", protocol, n)


def verification(context: Context) -> Iterator[Record]:
    """Verify logs of growing length with all rules of casework, and the signatures alone beside it."""
    sizes = (500, 1500, 5000) if context.quick else (10_000, 30_000, 100_000)
    protocol = (
        "a log of cases of 21 records of every kind: hash, place, signature, rules of the log and of casework, for "
        "every entry, in one thread"
    )
    each = []
    with _laboratory() as (book, keys):
        filling = Filling(book, keys)
        for size in track(sizes, description="verification"):
            filling.fill(size)
            began = time.process_time()
            found = verify_log(book.log, book.library.identifier)
            cpu = time.process_time() - began
            assert found.clean
            n = found.head.number
            each.append(cpu / n)
            yield _record(
                f"verification of {size} entries", cpu, "CPU s", "≤ 20" if size == 100_000 else "", protocol, n
            )
        some, public = list(islice(book.log.rows(), 3000)), keys["AD"].public
        began = time.process_time()
        for row in some:
            is_signed(public, row.hash, row.signature)
        alone = (time.process_time() - began) / len(some)
        size_kb = (book.library.folder / DATABASE_FILE).stat().st_size / n / 1000
    growth = each[-1] / each[0]
    yield _record("verification: an entry, longest log against shortest", growth, "times", "1: linear", protocol, n)
    floor = "Ed25519 of `cryptography` (OpenSSL) in the same run: what no program of ours can make faster"
    yield _record("verification: signatures alone, of 100 000 entries", 1e5 * alone, "CPU s", "", floor, len(some))
    yield _record("size of an entry in the database", size_kb, "kB", "", "SQLite with its indexes, entries as above", n)


def tampering(context: Context) -> Iterator[Record]:
    """Alter every field of every entry of every kind, and move, remove, cut and forge rows."""
    protocols = {
        "fields": "a log with every kind of record: every field at every depth altered, and removed, in the content of "
                  "its row; found when the verification names that entry",
        "resealed": "the same alterations, the hash made anew and signed by an operator of the laboratory, who also "
                    "signed some of the entries; found when that entry, or the one after it, is named (with a receipt)",
        "columns": "each of the six columns of each row altered",
        "rows": "each row removed, each exchanged with another, repeated at the end; the end cut off (with a receipt), "
                "an older copy put back (with a receipt), an entry signed by a revoked key",
    }  # fmt: skip
    for name, (found, total) in outcomes(context.quick).items():
        yield _record(
            f"tampering with {name}: found and named", 100.0 * found / total, "%", "100", protocols[name], total
        )


def kills(context: Context) -> Iterator[Record]:
    """Kill a laboratory at work at any moment, again and again."""
    number = 10 if context.quick else 1000
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(_KILLS.parents[2]), *sys.path])}
    command = [sys.executable, str(_KILLS), str(number), str(SEED), "casework"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    told = json.loads(done.stdout.splitlines()[-1])
    protocol = (
        "a process that enrols marks and records cases is ended by SIGKILL at a random moment, a few times on each way "
        "to the end; after each, everything acknowledged must be there and the chain must verify, and the end must be "
        "the same as without a kill"
    )
    yield _record("kills: acknowledged and lost, or faults", len(told["lost"]), "", "0", protocol, told["kills"])


GROUPS: dict[str, Callable[[Context], Iterator[Record]]] = {
    "recording": recording,
    "verification": verification,
    "tampering": tampering,
    "kills": kills,
}
