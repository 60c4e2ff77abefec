"""Every comparison of a disclosed case made again, and held against what was recorded, number by number."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ballistics.casework import Bundle, Comparison, Record, fields_of, read_disclosure, verify_log
from ballistics.errors import BallisticsError
from ballistics.front.case_items import remade
from ballistics.progress import Progress
from ballistics.provenance import package_versions

# Where a result states the programs that made it, not what they found.
_PROGRAMS = ("versions",)
_MOST_TOLD = 20


@dataclass(frozen=True)
class ReplayedComparison:
    """A recorded comparison, made again.

    Parameters
    ----------
    comparison : str
        Its identifier.
    n_values : int
        How many values were held against each other.
    different : tuple of str
        Those that differ: where, what was recorded, what was found. Empty where all are equal.
    failed : str
        Why it could not be made again; empty where it could.
    """

    comparison: str
    n_values: int
    different: tuple[str, ...]
    failed: str = ""

    @property
    def equal(self) -> bool:
        """Whether every value is the recorded one."""
        return not self.different and not self.failed


@dataclass(frozen=True)
class Replay:
    """What came of a bundle.

    Parameters
    ----------
    case : str
        Identifier of the case.
    log_faults : tuple of str
        What the verification of the extract of the log found.
    comparisons : tuple of ReplayedComparison
        In the order of the log.
    programs : tuple of str
        Programs of other versions than those that made the results.
    """

    case: str
    log_faults: tuple[str, ...]
    comparisons: tuple[ReplayedComparison, ...]
    programs: tuple[str, ...]

    @property
    def equal(self) -> bool:
        """Whether the log is as it was signed, and every comparison gives the recorded values."""
        return not self.log_faults and all(each.equal for each in self.comparisons)


def replay(path: Path, progress: Progress | None = None) -> Replay:
    """Make every comparison of a bundle again.

    Parameters
    ----------
    path : Path
        From `ballistics.casework.write_disclosure`.
    progress : callable, optional
        Told the stage, how many are done, and how many there are.

    Raises
    ------
    ReadError
        When it cannot be read.
    CorruptFileError
        When it is no bundle, or a member was changed.
    """
    with tempfile.TemporaryDirectory(prefix="ballistics-") as name:
        folder = Path(name)
        bundle = read_disclosure(path, folder, progress)
        faults = _log_faults(folder / "log.jsonl")
        newest: dict[tuple[str, str], Record] = {}
        for entry in bundle.entries:
            if "fields" in entry.body:
                newest[entry.kind, entry.record] = fields_of(entry)
        recorded = [record for record in newest.values() if isinstance(record, Comparison)]
        replayed = []
        for done, record in enumerate(recorded, 1):
            replayed.append(_replayed(bundle, newest, record))
            if progress is not None:
                progress("comparing again", done, len(recorded))
    here = package_versions()
    programs = tuple(
        f"{program} {bundle.versions.get(program, 'none')}, here {version}"
        for program, version in here.items()
        if bundle.versions.get(program) != version
    )
    return Replay(bundle.case, tuple(faults), tuple(replayed), programs)


def _log_faults(path: Path) -> list[str]:
    # By this program's own copy of the verifier: what came in the bundle is never run.
    verifier = verify_log.Verifier()
    with open(path, encoding="utf-8", errors="replace", newline="\n") as lines:
        for line in lines:
            verifier.line(line)
    verifier.finish([])
    return [message for _, message in sorted(verifier.faults)]


def _replayed(bundle: Bundle, newest: dict[tuple[str, str], Record], record: Comparison) -> ReplayedComparison:
    try:
        again = remade(bundle.file, lambda kind, name: newest.get((kind, name)), record)
        was, now = json.loads(bundle.file(record.result)), json.loads(again)
    except BallisticsError as error:
        return ReplayedComparison(record.id, 0, (), str(error))
    before, after = dict(_values(was)), dict(_values(now))
    different = [
        f"{where}: recorded {before.get(where, 'nothing')!r}, found {after.get(where, 'nothing')!r}"
        for where in dict.fromkeys((*before, *after))
        if before.get(where, _NOTHING) != after.get(where, _NOTHING)
    ]
    return ReplayedComparison(record.id, len(before), tuple(different[:_MOST_TOLD]))


_NOTHING = object()


def _values(content: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value of a result with its place, but for the versions of programs."""
    if isinstance(content, dict):
        for name, value in content.items():
            if name not in _PROGRAMS:
                yield from _values(value, f"{where}.{name}" if where else name)
    elif isinstance(content, list):
        for place, value in enumerate(content):
            yield from _values(value, f"{where}[{place}]")
    else:
        yield where, content
