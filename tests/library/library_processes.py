"""A process of its own for the tests of the library: it forks writers and readers, and kills them without warning.

Forking from a process without threads is quick, so that many stops at random moments can be tried.
"""

from __future__ import annotations

import json
import math
import os
import random
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import cv2
from library_marks import noise_mark

from ballistics.search.library import Library


def writer(folder: Path, seeds: list[int], out: int) -> None:
    """Enrol marks one after another, and tell each one when it is acknowledged."""
    with Library.open(folder) as library:
        for seed in seeds:
            outcome = library.enrol(noise_mark(seed), f"scan-{seed}.x3p")
            os.write(out, f"{seed} {outcome.mark_id} {outcome.outcome}\n".encode())
            if seed % 5 == 4:
                library.remove(outcome.mark_id, "a test", "now", "every fifth")
                os.write(out, f"{seed} {outcome.mark_id} removed\n".encode())


def stopped_at(call: int) -> None:
    """End this process, without any clean-up, when it is about to reach its n-th step on the disk."""
    left = [call]
    for name in ("fsync", "replace", "unlink", "write"):
        original = getattr(os, name)

        def counted(*arguments: object, original: Callable[..., object] = original) -> object:
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*arguments)

        setattr(os, name, counted)


def forked(work: Callable[[int], None]) -> tuple[int, int]:
    """Run a function in a fork; return the process and the end of a pipe that it writes to."""
    read, write = os.pipe()
    process = os.fork()
    if process:
        os.close(write)
        return process, read
    os.close(read)
    try:
        work(write)
    except BaseException:
        os.write(write, f"FAILED {traceback.format_exc()!r}\n".encode())
    os._exit(0)


def told(end: int) -> list[str]:
    """Return the whole lines that came through a pipe."""
    with os.fdopen(end, "rb") as pipe:
        return pipe.read().decode().split("\n")[:-1]


def random_stops(folder: Path, rounds: int) -> list[str]:
    """Enrol, and kill the writer after a random time, again and again."""
    chance, lines = random.Random(5), []
    for k in range(rounds):
        seeds = list(range(1000 * k, 1000 * k + 200))
        process, end = forked(lambda out, seeds=seeds: writer(folder, seeds, out))
        if k % 4:
            select.select([end], [], [])  # until the first one is acknowledged; else at any moment, also while opening
        time.sleep(chance.uniform(0.0, 0.15))
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        lines += told(end)
    return lines


def stops_at_every_step(folder: Path, steps: int) -> list[str]:
    """Enrol one mark that is removed again, and stop before the first step on the disk, the second, and so on."""
    lines = []
    for k in range(steps):

        def work(out: int, k: int = k) -> None:
            stopped_at(k)
            writer(folder, [100_000 + 5 * k + 4], out)

        process, end = forked(work)
        os.waitpid(process, 0)
        lines += told(end)
    return lines


def same_scan_twice(folder: Path, processes: int) -> list[str]:
    """Have several processes enrol the same scans at once."""
    started = [
        forked(lambda out: writer(folder, [seed for seed in range(12) if seed % 5 != 4], out)) for _ in range(processes)
    ]
    lines = []
    for process, end in started:
        lines += told(end)
        os.waitpid(process, 0)
    return lines


def reader(folder: Path, searches: int, out: int) -> None:
    """Search again and again, and tell how many marks there were and whether all of them had a score."""
    with Library.open(folder) as library:
        for _ in range(searches):
            found = library.search(noise_mark(777_777), top=1000)
            scores = [lead.template_score for lead in found.leads]
            removed = found.passed_over.get("removed while the search ran", 0)
            whole = found.n_searched + removed == found.n_marks and all(math.isfinite(score) for score in scores)
            os.write(out, f"{found.n_marks} {len(scores)} {'whole' if whole else 'torn'}\n".encode())


def searches_while_enrolling(folder: Path, readers: int) -> list[str]:
    """Have several processes search while one enrols and removes."""
    writing, end = forked(lambda out: writer(folder, list(range(20)), out))
    started = [forked(lambda out: reader(folder, 4, out)) for _ in range(readers)]
    lines = []
    for process, own in [*started, (writing, end)]:
        found = told(own)
        lines += [line for line in found if process != writing or line.startswith("FAILED")]
        os.waitpid(process, 0)
    return lines


def backup_while_enrolling(folder: Path, marks: int) -> list[str]:
    """Have a process copy the library, twice, while another one enrols and removes."""
    writing, end = forked(lambda out: writer(folder, list(range(marks)), out))
    select.select([end], [], [])

    def work(out: int) -> None:
        with Library.open(folder) as library:
            for _ in range(2):
                found = library.backup(folder.with_name("copy"))
                os.write(out, f"{found.marks} {len(found.faults)} copied\n".encode())

    copying, own = forked(work)
    lines = [*told(own), *(line for line in told(end) if line.startswith("FAILED"))]
    for process in (copying, writing):
        os.waitpid(process, 0)
    return lines


ROUNDS = {
    random_stops: 12,
    stops_at_every_step: 22,
    same_scan_twice: 3,
    searches_while_enrolling: 2,
    backup_while_enrolling: 20,
}


def main(base: Path) -> None:
    """Do all of this, each in a library of its own, and print what was told."""
    cv2.setNumThreads(1)
    # Modules and compiled code are loaded once, before forking.
    with Library.create(base / "warm") as warm:
        warm.remove(warm.enrol(noise_mark(0), "warm").mark_id, "a test", "now", "only to load all code")
        warm.enrol(noise_mark(1), "warm")
        warm.search(noise_mark(2))
    lines = {}
    for work, number in ROUNDS.items():
        folder = base / work.__name__ / "library"
        with Library.create(folder) as library:
            library.enrol(noise_mark(500), "scan-500.x3p")
        lines[work.__name__] = work(folder, number)
    print(json.dumps(lines))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
