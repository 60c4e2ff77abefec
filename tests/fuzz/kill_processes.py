"""Kills a process that writes a store, again and again, at moments of a seed: python kill_processes.py KILLS SEED JOB….

Every round is a process of its own, forked from one that has everything imported, and is ended by SIGKILL. What it
acknowledged it has written to a pipe before. After every kill all that was ever acknowledged must be there; the last
round runs to its end, and must leave the same bytes as one that was never killed. Prints what it found as JSON.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import mesh_samples as samples
from library_marks import noise_mark
from signed_log import new_key

from ballistics.casework import ROLES, Case, Casebook, Instrument, Item, Scan
from ballistics.files.durable import write_whole
from ballistics.library import LibraryStore, template
from ballistics.library.items import Description
from ballistics.pairs.designs import AllPairs
from ballistics.pairs.results import write_results
from ballistics.pairs.rows import empty_row
from ballistics.pairs.runs import KeptPairs, compare_missing
from ballistics.printed.collection import enrolment
from ballistics.printed.collection.enrolment import enrol_files, open_collection
from ballistics.printed.collection.integrity import verify_collection
from ballistics.printed.describe.signature import signature_of
from ballistics.printed.disk.batch import run_printed_batch
from ballistics.printed.files.reading import read_parts
from ballistics.records import entry_of
from ballistics.search.library import Library

KIND = "breech face"
SOLIDS = 6
MARKS = 6
CASES = 3
KEYS = [f"{k:064x}" for k in range(9)]


class Job:
    """A command that writes: what it does, what must be there of what it acknowledged, and what it leaves."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def prepare(self) -> None:
        """Make what is there before the first round."""

    def work(self, folder: Path) -> Iterator[str]:
        """Do all that is not done yet, and yield what is acknowledged."""
        raise NotImplementedError

    def lost(self, folder: Path, told: set[str]) -> list[str]:
        """Return what was acknowledged and is not there, or is not as it was written."""
        raise NotImplementedError

    def result(self, folder: Path) -> Any:
        """Return what must be the same for every way to the end."""
        return {
            str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
        }


class Collect(Job):
    """``printed enrol``."""

    def prepare(self) -> None:
        self.files = []
        for k in range(SOLIDS):
            path = self.place / f"solid {k}.stl"
            path.write_bytes(samples.stl_binary(samples.box((40.0 + 7 * k, 30.0 - 3 * k, 9.0 + 2 * k))))
            self.files.append((path.name, path))
        # Signatures are computed once: what is tried is the writing.
        made = {part.name: signature_of(part) for _, path in self.files for part in read_parts(path).parts}
        enrolment.signature_of = lambda part: made[part.name]

    def work(self, folder: Path) -> Iterator[str]:
        for row in enrol_files(self.files, folder / "lab"):
            yield row.name

    def lost(self, folder: Path, told: set[str]) -> list[str]:
        if not told and not (folder / "lab" / "manifest.json").exists():
            return []
        names = {reference.name for reference in open_collection(folder / "lab")[0].references}
        return [*sorted(told - names), *(fault.what for fault in verify_collection(folder / "lab").faults)]


class Enrol(Job):
    """``library enrol``, with a description changed, a mark replaced and one removed."""

    def work(self, folder: Path) -> Iterator[str]:
        lab = folder / "library"
        if not (lab / "library.json").exists():
            # Nothing was acknowledged: a library whose making was stopped is made anew.
            shutil.rmtree(lab, ignore_errors=True)
            Library.create(lab).close()
        with Library.open(lab) as library:
            held = {mark.scan for mark in library.contents().marks}
            for seed in range(1, MARKS + 1):
                # The second was perhaps replaced already: enrolled as at first it would replace that again.
                if seed != 2 or "2.x3p" not in held:
                    library.enrol(noise_mark(seed, points=64), f"{seed}.x3p", Description(incident=f"case {seed}"))
                yield f"{seed}"
            library.describe(1, Description(place="Skopje"))
            yield "described"
            library.enrol(noise_mark(2, "2", 64), "2.x3p", Description(incident="case 2"))
            yield "replaced"
            if not library.contents().removals:
                library.remove(MARKS, "A", "today", "order")
            yield "removed"

    def lost(self, folder: Path, told: set[str]) -> list[str]:
        if not told:
            return []
        with Library.open(folder / "library") as library:
            contents, found = library.contents(), library.verify()
        held = {mark.scan.removesuffix(".x3p") for mark in contents.marks}
        held |= {removal.scan.removesuffix(".x3p") for removal in contents.removals}
        if contents.marks and contents.marks[0].description.place == "Skopje":
            held.add("described")
        if any(mark.record["provenance"]["version"] == "2" for mark in contents.marks):
            held.add("replaced")
        held |= {"removed"} if contents.removals else set()
        return [*sorted(told - held), *(fault.what for fault in found.faults)]

    def result(self, folder: Path) -> Any:
        with Library.open(folder / "library") as library:
            library.delete_pending()
            library.verify(tidy=True)
            contents = library.contents()
            records = [library.mark(mark.id).heights_um.tobytes() for mark in contents.marks]
        arrays = sorted(path.name for path in (folder / "library" / "arrays").rglob("*.npy"))
        return contents, records, arrays


class Backup(Job):
    """``library backup``."""

    def prepare(self) -> None:
        with Library.create(self.place / "source") as library:
            for seed in range(1, MARKS + 1):
                library.enrol(noise_mark(seed, points=64), f"{seed}.x3p", Description(incident=f"case {seed}"))

    def work(self, folder: Path) -> Iterator[str]:
        with Library.open(self.place / "source") as library:
            if library.backup(folder / "copy").clean:
                yield "copied"

    def lost(self, folder: Path, told: set[str]) -> list[str]:
        with Library.open(self.place / "source") as library:
            faults = [fault.what for fault in library.verify().faults]
        if "copied" in told:
            with Library.open(folder / "copy") as library:
                faults += [fault.what for fault in library.verify().faults]
                faults += ["marks are missing"] if len(library.contents().marks) < MARKS else []
        return faults

    def result(self, folder: Path) -> Any:
        with Library.open(folder / "copy") as library:
            return library.contents(), sorted(path.name for path in (folder / "copy").rglob("*.npy"))


class Renew(Job):
    """``library renew``: every template of another version is made again."""

    def prepare(self) -> None:
        with Library.create(self.place / "source") as library:
            for seed in range(1, MARKS + 1):
                library.enrol(noise_mark(seed, points=64), f"{seed}.x3p", Description())
        self.version = template.VERSION

    def work(self, folder: Path) -> Iterator[str]:
        if not (folder / "library" / "library.json").exists():
            shutil.rmtree(folder / "library", ignore_errors=True)
            shutil.copytree(self.place / "source", folder / "copying")
            os.replace(folder / "copying", folder / "library")
        template.VERSION = "tried-1"
        with Library.open(folder / "library") as library:
            library.renew_templates()
        yield "renewed"

    def lost(self, folder: Path, told: set[str]) -> list[str]:
        shutil.rmtree(folder / "copying", ignore_errors=True)
        if not (folder / "library" / "library.json").exists():
            return []
        template.VERSION = "tried-1"
        try:
            with Library.open(folder / "library") as library:
                faults = [fault.what for fault in library.verify().faults]
        finally:
            template.VERSION = self.version
        return [what for what in faults if "renewed" in told or "no template of this version" not in what]

    def result(self, folder: Path) -> Any:
        (stack,) = (folder / "library" / "templates").glob("tried-1.stack")
        return stack.read_bytes()


class Pairs(Job):
    """``batch``: rows kept one by one, then one table."""

    def work(self, folder: Path) -> Iterator[str]:
        told: list[str] = []

        def run(pairs: Iterator[tuple[str, str]], _: Any) -> Iterator[dict[str, Any]]:
            for a, b in pairs:
                time.sleep(0.001)
                yield empty_row(KIND) | {"a": a, "b": b, "count": int(a[-1]) * int(b[-1]), "cells": 99, "error": ""}

        with KeptPairs(folder / "pairs.jsonl", "m", KIND, KEYS, AllPairs(len(KEYS))) as kept:
            compare_missing(kept, None, run, lambda stage, done, total, resumed: told.append(str(done)))  # type: ignore[arg-type]
            names = {"scan": "x", "sha256": "y", "mark_sha256": "z", "findings": ""}
            fixed = {f"{name}_{side}": value for name, value in names.items() for side in "ab"} | {"mark_kind": KIND}
            rows = (row | fixed for _, _, row in kept.rows())
            write_results(folder / "table.parquet", KIND, rows, {"design": "all pairs"})
        yield from told
        yield "table"

    def lost(self, folder: Path, told: set[str]) -> list[str]:
        with KeptPairs(folder / "pairs.jsonl", "m", KIND, KEYS, AllPairs(len(KEYS))) as kept:
            missing = [f"{number} rows" for number in told - {"table"} if int(number) > kept.done]
            passed_over = [f"{kept.passed_over} torn rows"] if kept.passed_over else []
        return [
            *missing,
            *passed_over,
            *(["table"] if "table" in told and not (folder / "table.parquet").exists() else []),
        ]

    def result(self, folder: Path) -> Any:
        left = [path.name for path in folder.iterdir() if path.name.startswith(".")]
        return (folder / "table.parquet").read_bytes(), (folder / "pairs.jsonl").read_bytes(), left


class Disk(Collect):
    """``printed batch``."""

    def prepare(self) -> None:
        super().prepare()
        # In a process of its own: threads of faiss do not live on in what is forked from this one.
        forked(super(), self.place, None)
        (self.place / "disk").mkdir()
        for _, path in self.files[:3]:
            shutil.copy(path, self.place / "disk")
        (self.place / "disk" / "note.txt").write_text("no mesh")

    def work(self, folder: Path) -> Iterator[str]:
        folder.mkdir(exist_ok=True)
        found = run_printed_batch([self.place / "disk"], self.place / "lab", folder / "table.csv", _no_picture)
        yield from (file.name for file in found.files)

    def lost(self, folder: Path, told: set[str]) -> list[str]:
        return ["table"] if told and not (folder / "table.csv").exists() else []

    def result(self, folder: Path) -> Any:
        left = list((folder / "table.csv.work" / "begun").iterdir())
        return (folder / "table.csv").read_bytes(), left, [p.name for p in folder.iterdir() if p.name.startswith(".")]


def _no_picture(_: Any) -> bytes:
    return b""


class Outputs(Job):
    """What every command with ``--json``, ``--csv``, ``--report`` and `reference build` does: one file replaced."""

    def work(self, folder: Path) -> Iterator[str]:
        for k in range(40):
            write_whole(folder / "result.json", (f"{k}\n" * 200_000).encode())
            yield str(k)

    def lost(self, folder: Path, told: set[str]) -> list[str]:
        if not told:
            return []
        lines = (folder / "result.json").read_bytes().split(b"\n")[:-1]
        whole = len(lines) == 200_000 and len(set(lines)) == 1
        return [] if whole else [f"a file of {len(lines)} lines of {len(set(lines))} kinds"]


class Casework(Job):
    """A laboratory at work: marks are enrolled and what is known of them is recorded, file, item, scan, amendment."""

    def prepare(self) -> None:
        self.administrator, self.operator = new_key(), new_key()
        os.environ["XDG_STATE_HOME"] = str(self.place / "state")

    def work(self, folder: Path) -> Iterator[str]:
        lab = folder / "laboratory"
        if not (lab / "library.json").exists():
            shutil.rmtree(lab, ignore_errors=True)
            LibraryStore.create(lab).close()
        with Casebook.open(lab) as book:
            self._begin(book)
            yield "begun"
            for record in self._records(book):
                identifier = f"{record.KIND} {record.id}"
                if identifier not in self._held(book):
                    book.record(self.operator, record)
                yield identifier
            for seed in range(1, CASES + 1):
                book.library.enrol(noise_mark(seed, points=64), f"{seed}.x3p")
                yield f"{seed}.x3p"
            item = book.get(Item, "1/1").record
            if item.description != "read again":
                book.amend(self.operator, replace(item, description="read again"), "read again")
            yield "amended"

    def _begin(self, book: Casebook) -> None:
        if not book.log.head().number:
            book.begin(self.administrator, "AD", "Administrator", {"name": "Laboratory"})
        with book.log.view() as view:
            known = view.operator(self.operator.identifier)
        if known is None:
            book.take_in(self.administrator, self.operator.public, "AL", "All", ROLES)

    def _records(self, book: Casebook) -> Iterator[Any]:
        asked = {"requester": "Police", "request": "One weapon?", "purpose": "lead", "received": "2026-11-02"}
        yield Instrument("I", make="Maker", model="Model", serial="7", kind="confocal")
        for k in range(1, CASES + 1):
            yield Case(f"{k}", title="Find", **asked)
            yield Item(f"{k}/1", case=f"{k}", kind="cartridge case", description="brass")
            file = book.files.keep_bytes(f"heights {k}".encode())
            yield Scan(f"{k}/S", case=f"{k}", item=f"{k}/1", file=file, name=f"{k}.x3p", mark="breech face",
                       instrument="I", at="2026-11-03", by="AL")  # fmt: skip

    def _held(self, book: Casebook) -> set[str]:
        with book.log.view() as view:
            kinds = (Case, Item, Scan, Instrument)
            return {f"{entry.kind} {entry.record}" for kind in kinds for entry in view.every(kind.KIND)}

    def lost(self, folder: Path, told: set[str]) -> list[str]:
        if not told:
            return []
        with Casebook.open(folder / "laboratory") as book:
            found, library = book.verify(), book.library
            held = {"begun"} if book.log.head().number >= 3 else set()
            held |= self._held(book) | {mark.scan for mark in library.contents().marks}
            if "item 1/1" in held and book.get(Item, "1/1").record.description == "read again":
                held.add("amended")
            faults = [fault.message for fault in found.log.faults] + list(found.files)
        return [*sorted(told - held), *faults]

    def result(self, folder: Path) -> Any:
        # Times, salts and the library's identifier are of the moment: what was recorded, by whom, in which order.
        with Casebook.open(folder / "laboratory") as book:
            entries = [entry_of(row.content, "") for row in book.log.rows()]
            marks = [(mark.id, mark.scan) for mark in book.library.contents().marks]
            own = book.library.identifier
        bodies = [
            {name: "its own" if value == own else value for name, value in entry.body.items()} for entry in entries
        ]
        said = [(entry.number, entry.key, entry.kind, entry.record, entry.supersedes) for entry in entries]
        return said, bodies, marks


JOBS: dict[str, type[Job]] = {
    "casework": Casework,
    "printed enrol": Collect,
    "library enrol": Enrol,
    "library backup": Backup,
    "library renew": Renew,
    "batch": Pairs,
    "printed batch": Disk,
    "outputs": Outputs,
}


def forked(job: Any, folder: Path, kill_after_s: float | None) -> tuple[bool, set[str]]:
    """Run a job in a process of its own; return whether it was killed, and what it had acknowledged."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        code = 1
        try:
            for told in job.work(folder):
                os.write(writing, f"{told}\n".encode())
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writing)
    killed = False
    if kill_after_s is not None:
        time.sleep(kill_after_s)
        if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            os.kill(child, signal.SIGKILL)
            killed = True
    with os.fdopen(reading, "rb") as pipe:
        told = {line.decode() for line in pipe.read().split(b"\n")[:-1]}
    _, status = os.waitpid(child, 0)
    if not killed and status != 0:
        raise RuntimeError(f"a round ended by itself with status {status}")
    return killed, told


def tried(name: str, kills: int, seed: int, place: Path) -> dict[str, Any]:
    """Kill a job a number of times, and return what was lost or came out otherwise."""
    rng = random.Random(f"{name} {seed}")
    job = JOBS[name](place)
    job.prepare()

    def fresh() -> Path:
        return Path(tempfile.mkdtemp(dir=place))

    # Once for the kernels that must be compiled, once to see how long it takes.
    forked(job, fresh(), None)
    whole = fresh()
    began = time.monotonic()
    forked(job, whole, None)
    lasts_s = time.monotonic() - began
    expected = job.result(whole)
    done, ends = 0, 0
    lost: list[str] = []
    while done < kills:
        folder, told = fresh(), set[str]()
        # A few kills on the way to one end, sooner after each other as less is left to do.
        for k in range(1, 1 + min(kills - done, rng.randint(1, 5))):
            killed, more = forked(job, folder, lasts_s * rng.random() / k)
            told |= more
            done += killed
            lost += job.lost(folder, told)
        _, more = forked(job, folder, None)
        lost += job.lost(folder, told | more)
        ends += 1
        if job.result(folder) != expected:
            lost.append(f"another result than without a kill, in end {ends}")
        shutil.rmtree(folder)
    return {"job": name, "kills": done, "ends": ends, "lost": lost}


def main() -> None:
    kills, seed, names = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    for name in names:
        with tempfile.TemporaryDirectory(prefix="kills-") as place:
            print(json.dumps(tried(name, kills, seed, Path(place))), flush=True)


if __name__ == "__main__":
    main()
