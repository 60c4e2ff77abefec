"""Feeds mutants to every importer and store, in processes of bounded memory and time, and prints a table.

``python tests/fuzz/mutants.py [--target NAME]... [--count 5000] [--first 0] [--workers 2] [--keep FOLDER]``

What may come of a mutant: it is read, or refused by one of the errors of `ballistics.errors`. Anything else is
counted: another exception ("foreign"), a death of the process ("crash"), more than 20 s of work or more than 2 GiB
of addresses ("slow", "foreign" MemoryError). The number of a mutant is its seed: the same number is the same mutant.
"""

# ruff: noqa: E402 - siblings are found by path, so that the harness also runs by itself
from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]

from mutations import mutant
from targets import TARGETS, Target, target_named

from ballistics.errors import BallisticsError

ADDRESS_LIMIT_BYTES = 2 << 30
TIME_LIMIT_SECONDS = 20
# The parent ends a worker that has not moved for so long: the alarm does not reach into compiled code.
_DEAF_SECONDS = 120
# On a busy machine the kernels may take minutes to compile before the first mutant.
_START_SECONDS = 900


class TooSlow(BaseException):
    """Raised by the alarm; no reader catches it."""


@dataclass
class Tally:
    """What became of the mutants of one target."""

    name: str
    count: int = 0
    read: int = 0
    refused: int = 0
    odd: list[dict[str, Any]] = field(default_factory=list)
    cpu_seconds: float = 0.0

    def number(self, outcome: str) -> int:
        """Return the number of mutants of an outcome among the odd ones."""
        return sum(found["outcome"] == outcome for found in self.odd)


def bytes_of(number: int, name: str, seeds: list[bytes]) -> tuple[int, bytes]:
    """Return which seed file a mutant is made of, and its bytes."""
    random = np.random.Generator(np.random.PCG64([zlib.crc32(name.encode()), number]))
    place = int(random.integers(len(seeds)))
    return place, mutant(seeds[place], tuple(seeds[:place] + seeds[place + 1 :]), random)


def try_one(target: Target, number: int, path: Path, folder: Path) -> tuple[str, str]:
    """Return what became of the mutant that lies in place: outcome, and the exception with its place."""
    try:
        target.use(path, folder, number)
    except BallisticsError as error:
        try:
            str(error).encode("utf-8", "backslashreplace")
        except Exception as fault:  # a message that cannot be shown is a fault as well
            return "foreign", f"{type(fault).__name__} in the message of {type(error).__name__}"
        return "refused", type(error).__name__
    except TooSlow:
        return "slow", _where()
    except Exception as error:  # what is looked for
        return "foreign", f"{type(error).__name__} {_where()}: {str(error)[:120]}"
    return "read", ""


def _cpu_seconds() -> float:
    """Return the CPU time of this process and of those it has waited for."""
    return sum(os.times()[:4])


def _where() -> str:
    frames = traceback.extract_tb(sys.exc_info()[2])
    ours = [f for f in frames if "ballistics" in f.filename and "fuzz" not in f.filename] or frames
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}"


def run(target: Target, folder: Path, paths: list[Path], numbers: range, tally: Tally, keep: Path | None = None,
        before: Any = lambda number: None) -> Tally:  # fmt: skip
    """Try some mutants in this process, each in the place of its good file, which is put back."""

    def too_slow(number: int, frame: Any) -> None:
        raise TooSlow

    # Of this process's own work: a busy machine is not a slow file. Who sleeps is ended by the parent.
    signal.signal(signal.SIGPROF, too_slow)
    seeds = [path.read_bytes() for path in paths]
    kept = {path for path in folder.rglob("*") if path.is_file()}
    for number in numbers:
        before(number)
        place, data = bytes_of(number, target.name, seeds)
        paths[place].write_bytes(data)
        start = _cpu_seconds()
        signal.setitimer(signal.ITIMER_PROF, TIME_LIMIT_SECONDS)
        outcome, what = try_one(target, number, paths[place], folder)
        signal.setitimer(signal.ITIMER_PROF, 0)
        took = _cpu_seconds() - start
        tally.count += 1
        tally.cpu_seconds += took
        if outcome == "read":
            tally.read += 1
        elif outcome == "refused":
            tally.refused += 1
        else:
            tally.odd.append({"number": number, "outcome": outcome, "what": what})
            if keep is not None:
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"{target.name.replace(' ', '_')}-{number}{paths[place].suffix}").write_bytes(data)
        paths[place].write_bytes(seeds[place])
        for extra in {path for path in folder.rglob("*") if path.is_file()} - kept:
            extra.unlink()
    return tally


def _work(arguments: argparse.Namespace) -> None:
    """Be a worker: try a range of mutants under the limits, and print the tally as JSON."""
    target = target_named(arguments.worker)
    folder = Path(arguments.folder)
    paths = [folder / name for name in json.loads((folder / "seeds.json").read_text())]
    keep = Path(arguments.keep) if arguments.keep else None

    with open(folder / "progress", "wb", buffering=0) as progress:

        def before(number: int) -> None:
            os.pwrite(progress.fileno(), number.to_bytes(8, "little"), 0)

        # The first use compiles and imports; the limits are for files, not for that.
        for path in paths:
            target.use(path, folder, 0)
        # What the libraries have mapped already is not the file's doing.
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_LIMIT_BYTES, resource.RLIM_INFINITY))
        tally = Tally(target.name)
        run(target, folder, paths, range(arguments.first, arguments.first + arguments.count), tally, keep, before)
    print(json.dumps(vars(tally)))


def supervise(target: Target, base: Path, numbers: range, keep: Path | None = None) -> Tally:
    """Run workers over a range of mutants until all are tried, starting anew after a death."""
    total = Tally(target.name)
    made = base / target.name.replace(" ", "_")
    good = made / "good"
    good.mkdir(parents=True)
    paths = target.make(good)
    assert paths, f"{target.name}: nothing to mutate"
    (good / "seeds.json").write_text(json.dumps([str(path.relative_to(good)) for path in paths]))
    first, round_ = numbers.start, 0
    while first < numbers.stop:
        folder = made / f"round-{round_}"
        shutil.copytree(good, folder)
        round_ += 1
        # In pieces, so that little is tried again after a death.
        count = min(1000, numbers.stop - first)
        tally, died_at = _one_worker(target, folder, first, count, keep)
        words = (folder / "stderr").read_text("utf-8", "replace")
        shutil.rmtree(folder)
        if tally is not None:
            _add(total, tally)
            first += count
            continue
        if died_at < first:
            raise RuntimeError(f"{target.name}: a good file is not read, or a worker does not start:\n{words[-2000:]}")
        if died_at > first:  # what came before it, once more; it is known to end
            shutil.copytree(good, folder)
            again, _ = _one_worker(target, folder, first, died_at - first, keep)
            shutil.rmtree(folder)
            _add(total, again or Tally(target.name, died_at - first))
        total.count += 1
        total.odd.append({"number": died_at, "outcome": "crash", "what": words.strip()[-200:] or "no answer"})
        first = died_at + 1
    return total


def _add(total: Tally, more: Tally) -> None:
    total.count += more.count
    total.read += more.read
    total.refused += more.refused
    total.odd += more.odd
    total.cpu_seconds += more.cpu_seconds


def _one_worker(target: Target, folder: Path, first: int, count: int, keep: Path | None) -> tuple[Tally | None, int]:
    """Return a worker's tally, or None and the number it died at."""
    command = [sys.executable, __file__, "--worker", target.name, "--folder", str(folder)]
    command += ["--first", str(first), "--count", str(count), *(["--keep", str(keep)] if keep else [])]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "ARROW_NUM_THREADS"), "1")
    environment = os.environ | threads | {"MALLOC_ARENA_MAX": "2", "PYTHONWARNINGS": "ignore"}
    words = open(folder / "stderr", "wb")  # noqa: SIM115 - a pipe that nobody empties would stop the worker
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=words, env=environment)
    words.close()
    seen, since = -1, time.monotonic()
    while True:
        try:
            output, _ = process.communicate(timeout=1.0)
            break
        except subprocess.TimeoutExpired:
            now = _progress(folder)
            if now != seen:
                seen, since = now, time.monotonic()
            if time.monotonic() - since > (_DEAF_SECONDS if seen >= 0 else _START_SECONDS):
                process.kill()
    if process.returncode == 0:
        return Tally(**json.loads(output)), 0
    return None, _progress(folder)


def _progress(folder: Path) -> int:
    try:
        data = (folder / "progress").read_bytes()
    except OSError:
        data = b""
    return int.from_bytes(data, "little") if len(data) == 8 else -1


def table(tallies: list[Tally]) -> str:
    """Return the table: what became of the mutants of each target, and each fault by its place."""
    head = f"{'target':22}{'count':>7}{'refused':>9}{'read':>7}{'foreign':>9}{'slow':>6}{'crash':>7}{'CPU s':>8}"
    lines = [head]
    for tally in tallies:
        odd = "".join(f"{tally.number(what):{width}}" for what, width in (("foreign", 9), ("slow", 6), ("crash", 7)))
        lines.append(f"{tally.name:22}{tally.count:7}{tally.refused:9}{tally.read:7}{odd}{tally.cpu_seconds:8.0f}")
    for tally in tallies:
        kinds = Counter(f"{found['outcome']} {found['what'].split(':')[0]}" for found in tally.odd)
        for kind, times in kinds.most_common():
            first = next(f for f in tally.odd if f"{f['outcome']} {f['what'].split(':')[0]}" == kind)
            lines.append(f"{tally.name}: {times} x {first['outcome']} {first['what']} (mutant {first['number']})")
    return "\n".join(lines)


def campaign(names: list[str], numbers: range, workers: int, keep: Path | None = None) -> list[Tally]:
    """Run all targets named, several at a time."""
    chosen = [target_named(name) for name in names] if names else list(TARGETS)
    with tempfile.TemporaryDirectory(prefix="mutants-") as base, ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda target: _supervised(target, Path(base), numbers, keep), chosen))


def _supervised(target: Target, base: Path, numbers: range, keep: Path | None) -> Tally:
    """Do as `supervise`; a target that cannot be set up does not end the others."""
    try:
        return supervise(target, base, numbers, keep)
    except Exception as error:  # told in the table
        return Tally(target.name, odd=[{"number": -1, "outcome": "crash", "what": f"no run: {error}"}])


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--target", action="append", default=[], help="only this one; may be repeated")
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", help="folder for the mutants that were not read or refused")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        _work(arguments)
        return 0
    numbers = range(arguments.first, arguments.first + arguments.count)
    tallies = campaign(arguments.target, numbers, arguments.workers, Path(arguments.keep) if arguments.keep else None)
    print(table(tallies))
    return int(any(tally.odd for tally in tallies))


if __name__ == "__main__":
    sys.exit(main())
