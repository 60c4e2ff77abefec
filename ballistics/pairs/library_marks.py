"""The marks of a library as one side of a batch: found by the processes that compare, in the library itself."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ballistics.errors import ParameterError
from ballistics.library import LibraryStore
from ballistics.pairs.mark_store import MarkStore
from ballistics.pairs.prepared_scans import PreparedScan
from ballistics.surfaces import Mark

# Between the SHA-256 of a mark's heights and its number: no key of a scan's file has one.
_NUMBER = "."


@dataclass(frozen=True)
class ScansAndLibrary:
    """Where the marks of new scans, and those of a library, are found.

    Parameters
    ----------
    store : MarkStore
        Of the new scans.
    folder : Path
        The library.
    """

    store: MarkStore
    folder: Path

    def load(self, key: str) -> Mark:
        """Return a mark.

        Raises
        ------
        ParameterError
            When the library changed since the batch was begun.
        """
        heights_sha256, dot, number = key.partition(_NUMBER)
        return _enrolled(self.folder, int(number), heights_sha256) if dot else self.store.load(key)


def library_side(folder: Path, mark_kind: str) -> dict[str, PreparedScan]:
    """Return all marks of a kind that a library holds, by the keys under which `ScansAndLibrary` finds them.

    Raises
    ------
    ParameterError
        When there is none; further errors as of `LibraryStore.open`.
    """
    with LibraryStore.open(folder) as library:
        entries = [entry for entry in library.contents().marks if entry.mark_kind == mark_kind]
    if not entries:
        raise ParameterError(
            f"{folder} holds no {mark_kind} marks: enrol some, or choose another mark type with --mark"
        )
    return {
        f"{entry.array_sha256}{_NUMBER}{entry.id}": PreparedScan(
            entry.scan,
            entry.identity,
            preparation=entry.preparation,
            findings=tuple(
                sorted({f"{finding['severity']}: {finding['code']}" for finding in entry.record["findings"]})
            ),
            mark_sha256=entry.array_sha256,
        )
        for entry in entries
    }


@lru_cache(maxsize=72)  # as for the marks of scans
def _enrolled(folder: Path, number: int, heights_sha256: str) -> Mark:
    library = _opened(folder)
    entry = library.entry(number)
    if entry.array_sha256 != heights_sha256:
        raise ParameterError(f"mark {number} of {folder} was enrolled anew meanwhile: run the same command again")
    return library.with_heights(entry)


@lru_cache(maxsize=1)
def _opened(folder: Path) -> LibraryStore:
    return LibraryStore.open(folder)
