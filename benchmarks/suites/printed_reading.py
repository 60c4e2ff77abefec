"""Are print jobs read fast and in bounded memory, in every packing, and are their profiles told apart?"""

from __future__ import annotations

import gzip
import io
import itertools
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from ballistics.errors import BallisticsError
from ballistics.printed.content.job_facts import JobFacts
from ballistics.printed.files.reading import read_parts
from ballistics.printed.jobs.fingerprint import SIMILAR, profile_similarity
from ballistics.printed.jobs.gcode import facts_of
from ballistics.printed.jobs.machine import Machine
from benchmarks.support.printed_profiles import REPORTED, TRAINING, SlicedJob, is_there, sliced
from benchmarks.support.record import Context, Record

DESCRIPTION = "print jobs: lines a second, memory, packings that are read, profiles told apart"

_NAME = "printed_reading"
_GOAL_LINES = "≥ 2 million"
_SEED = 7011
_PIECE = 1 << 18
_CHILD = (
    "import resource, sys\n"
    "from ballistics.printed.jobs.machine import Machine\n"
    "text = open(sys.argv[1], 'rb').read()\n"
    "Machine(keeps_pieces=False).read([text])\n"
    "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
    "machine = Machine(keeps_pieces=False)\n"
    "times = int(sys.argv[2])\n"
    "machine.read(text[k:k + 262144] for _ in range(times) for k in range(0, len(text), 262144))\n"
    "after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
    "print(after - before, times * len(text), int(machine.state.modes[10]))\n"
)


def run(context: Context) -> list[Record]:
    """Measure the reading of print jobs and the fingerprint of their profiles."""
    paths = sorted((context.data / "meshes/gcode").glob("*.gcode"))[: 4 if context.quick else None]
    rows = context.rows
    records: list[Record] = []
    if not rows or "reading" in rows:
        records += _speed(paths) + _memory(paths[0], 2 if context.quick else 2000)
    if not rows or "packings" in rows:
        records += _packings(paths[:2] if context.quick else paths[::6])
    if not rows or "profiles" in rows:
        records += _given_profiles(paths)
        if is_there():
            count = 2 if context.quick else 6
            for name, makers in (("looked at", TRAINING), ("reported", REPORTED)):
                with tempfile.TemporaryDirectory() as folder:
                    jobs = list(sliced(makers, count, Path(folder), _SEED))
                    records += _sliced_profiles(f"{name}: {', '.join(makers)}", jobs)
    return records


# --- reading ---


def _by_kernel(text: bytes) -> int:
    machine = Machine()
    machine.read(text[k : k + _PIECE] for k in range(0, len(text), _PIECE))
    return int(machine.state.modes[10])


def _by_split(text: bytes) -> int:
    """Read the numbers of moves as a script does: lines split into words, words into numbers; no modes, no arcs."""
    lines = text.split(b"\n")
    moves = []
    for line in lines:
        words = line.partition(b";")[0].split()
        if words and words[0] in (b"G0", b"G1"):
            moves.append([float(word[1:]) for word in words[1:] if word[:1] in b"XYZEF"])
    np.array(list(itertools.chain.from_iterable(moves)))
    return len(lines)


def _cpu(function: Callable[[bytes], int], texts: Iterable[bytes]) -> tuple[float, int]:
    best, lines = float("inf"), 0
    for _ in range(5):
        start = time.process_time()
        lines = sum(function(text) for text in texts)
        best = min(best, time.process_time() - start)
    return best, lines


def _speed(paths: list[Path]) -> list[Record]:
    texts = [path.read_bytes() for path in paths]
    _by_kernel(texts[0])
    seconds, lines = _cpu(_by_kernel, texts)
    split, _ = _cpu(_by_split, texts)
    odd = [b"\n".join(map(_without_blanks, text.split(b"\n"))) for text in texts]
    odd_seconds, odd_lines = _cpu(_by_kernel, odd)
    protocol = (
        f"{len(paths)} given jobs, moves with all modes, comments and settings; best of 5, one thread, kernels compiled"
    )
    return [
        Record(_NAME, "lines read a second", lines / seconds, "lines/CPU s", _GOAL_LINES, protocol, lines),
        Record(_NAME, "CPU time for all lines", seconds, "CPU s", "", protocol, lines),
        Record(
            _NAME, "CPU time, a script that splits lines over this", split / seconds, "times", "",
            "the same jobs: lines split into words, words into numbers, no modes, no arcs, no comments", lines,
        ),
        Record(
            _NAME, "lines read a second, lower case and no blanks", odd_lines / odd_seconds, "lines/CPU s", _GOAL_LINES,
            protocol, odd_lines,
        ),
    ]  # fmt: skip


def _without_blanks(line: bytes) -> bytes:
    code, mark, comment = line.partition(b";")
    return code.lower().replace(b" ", b"") + mark + comment


def _memory(path: Path, times: int) -> list[Record]:
    done = subprocess.run([sys.executable, "-c", _CHILD, path, str(times)], capture_output=True, text=True, check=True)
    kib, size, lines = map(int, done.stdout.split())
    unit = 1024 if sys.platform != "darwin" else 1
    protocol = f"a given job {times} times over as one job of {size / 1e6:.0f} MB and {lines} lines; facts only"
    return [Record(_NAME, "memory that grows with the job", kib * unit / 1e6, "MB", "bounded", protocol, 1)]


# --- packings ---


def _zip(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def _bgcode(text: bytes, *, packed: bool) -> bytes:
    out = struct.pack("<4sLH", b"GCDE", 1, 1)
    for k in range(0, len(text), 65536):
        part = text[k : k + 65536]
        data = zlib.compress(part) if packed else part
        head = struct.pack("<HHL", 1, int(packed), len(part)) + (struct.pack("<L", len(data)) if packed else b"")
        whole = head + struct.pack("<H", 0) + data
        out += whole + struct.pack("<L", zlib.crc32(whole))
    return out


_PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "job.gcode": lambda text: text,
    "job.gcode.gz": lambda text: gzip.compress(text, mtime=0),
    "job.zip": lambda text: _zip({"a/job.gcode": text, "notes.txt": b"nothing"}),
    "nested.zip": lambda text: _zip({"in.zip": _zip({"job.gcode": text})}),
    "job.ufp": lambda text: _zip({"3D/model.gcode": text, "Metadata/thumbnail.png": b""}),
    "job.gcode.3mf": lambda text: _zip({"[Content_Types].xml": b"<Types/>", "Metadata/plate_1.gcode": text}),
    "plain.bgcode": lambda text: _bgcode(text, packed=False),
    "deflate.bgcode": lambda text: _bgcode(text, packed=True),
    "crlf.gcode": lambda text: text.replace(b"\n", b"\r\n"),
    "utf16.gcode": lambda text: text.decode("utf-8", "replace").encode("utf-16"),
}


def _packings(paths: list[Path]) -> list[Record]:
    read = cut = 0
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            text = path.read_bytes()
            plain = read_parts(path).jobs[0]
            for name, pack in _PACKINGS.items():
                target = Path(folder) / name
                data = pack(text)
                target.write_bytes(data)
                read += _track(target) == plain.habits.track_mm
                target.write_bytes(data[: int(0.6 * len(data))])
                cut += 0.0 < _track(target) < plain.habits.track_mm
    total = len(paths) * len(_PACKINGS)
    protocol = f"{len(paths)} given jobs in {len(_PACKINGS)} packings: {', '.join(_PACKINGS)}"
    return [
        Record(_NAME, "read with the same tracks", read / total, "share", "1", protocol, total),
        Record(_NAME, "cut to 60 %: something is had", cut / total, "share", "", protocol, total),
    ]


def _track(path: Path) -> float:
    try:
        jobs = read_parts(path).jobs
    except BallisticsError:
        return 0.0
    return sum(job.habits.track_mm for job in jobs)


# --- profiles ---


def _facts(path: Path) -> JobFacts:
    machine = Machine()
    machine.read([path.read_bytes()])
    machine.comments.finish()
    return facts_of(machine)


def _given_profiles(paths: list[Path]) -> list[Record]:
    jobs = [_facts(path) for path in paths]

    def profile(job: JobFacts) -> tuple[str, ...]:
        words = ("print profile", "filament profile", "printer profile")
        return (job.slicer, job.slicer_version, *(job.said[w].value if w in job.said else "" for w in words))

    pairs = list(itertools.combinations(jobs, 2))
    same = [profile_similarity(a, b).score for a, b in pairs if profile(a) == profile(b)]
    other = [profile_similarity(a, b).score for a, b in pairs if a.slicer != b.slicer]
    equal = sum(a.fingerprint == b.fingerprint for a, b in pairs if profile(a) == profile(b))
    protocol = (
        f"{len(paths)} given jobs of Slic3r, its Prusa Edition and PrusaSlicer; same: slicer, version and the three"
        " profiles are equal"
    )
    return [
        Record(_NAME, "given, same profile: least similarity", min(same), "", f"≥ {SIMILAR}", protocol, len(same)),
        Record(_NAME, "given, same profile: equal fingerprint", equal / len(same), "share", "", protocol, len(same)),
        Record(
            _NAME, "given, another slicer: highest similarity", max(other), "", f"< {SIMILAR}", protocol, len(other)
        ),
    ]


def _sliced_profiles(name: str, jobs: list[SlicedJob]) -> list[Record]:
    facts = {job: _facts(job.path) for job in jobs}
    plain: list[float] = []
    chosen: list[float] = []
    printer: list[float] = []
    other: list[float] = []
    equal = 0
    for a, b in itertools.combinations(jobs, 2):
        score = profile_similarity(facts[a], facts[b]).score
        if a.profile == b.profile:
            (chosen if a.chosen != b.chosen else plain).append(score)
            equal += a.chosen == b.chosen and facts[a].fingerprint == facts[b].fingerprint
        elif a.printer == b.printer:
            printer.append(score)
        else:
            other.append(score)
    protocol = (
        f"{name}; {len({job.profile for job in jobs})} configurations drawn at random, PrusaSlicer 2.5 (Debian), three"
        " jobs each of two generated solids, one with other infill, support, brim and walls; always one slicer"
    )
    rows = [
        ("same profile, equal fingerprint", equal / len(plain), "share", "1", len(plain)),
        ("same profile, other choices, least similarity", min(chosen), "", f"≥ {SIMILAR}", len(chosen)),
        ("same profile, other choices, joined", _share(chosen), "share", "", len(chosen)),
        ("another printer, joined", _share(other), "share", "0", len(other)),
        ("another printer, highest similarity", max(other), "", f"< {SIMILAR}", len(other)),
        ("another printer, median similarity", statistics.median(other), "", "", len(other)),
    ]
    if printer:
        rows.append(("same printer, other profile, joined", _share(printer), "share", "", len(printer)))
    return [
        Record(_NAME, f"{name}: {metric}", value, unit, goal, protocol, n, _SEED)
        for metric, value, unit, goal, n in rows
    ]


def _share(scores: list[float]) -> float:
    return sum(score >= SIMILAR for score in scores) / len(scores)
