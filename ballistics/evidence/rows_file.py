"""An append-only file of results, one JSON object a line: work that stops at any moment goes on from it."""

from __future__ import annotations

import errno
import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from ballistics.errors import CorruptFileError, WriteError

# What a power cut may cost. A process that is killed loses nothing: the operating system has its rows.
_SYNC_SECONDS = 5.0


class RowsFile:
    """Rows that were written whole are kept; a last line torn by a stop is cut off.

    Parameters
    ----------
    path : Path
        The file; made when the first row is appended.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "rows.jsonl"
    ...     with RowsFile(path) as rows:
    ...         place = rows.append({"a": 1})
    ...     _ = path.write_bytes(path.read_bytes() + b'{"a": 2, "to')
    ...     with RowsFile(path) as rows:
    ...         place = rows.append({"a": 3})
    ...         rows.read(), rows.at(place)
    ([{'a': 1}, {'a': 3}], {'a': 3})
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO | None = None
        self._reader: BinaryIO | None = None
        self._synced = 0.0

    def __enter__(self) -> RowsFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        if self._file is not None:
            os.fsync(self._file.fileno())
            self._file.close()
            self._file = None

    def read(self) -> list[dict[str, Any]]:
        """Return all whole rows, in the order they were written; errors as of `places`."""
        return [row for _, row in self.places()]

    def places(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield all whole rows with their places in the file, one at a time: a file may be larger than memory.

        Raises
        ------
        CorruptFileError
            When a line other than a torn last one is not a row.
        """
        try:
            file = open(self.path, "rb")  # noqa: SIM115 - closed below
        except FileNotFoundError:
            return
        with file:
            place = 0
            for number, line in enumerate(file, 1):
                # What follows the last line feed is torn.
                if not line.endswith(b"\n"):
                    return
                yield place, self._row(line, f"line {number}")
                place += len(line)

    def at(self, place: int) -> dict[str, Any]:
        """Return the row at a place that `places` or `append` named."""
        if self._reader is None:
            self._reader = open(self.path, "rb")  # noqa: SIM115 - closed on exit
        self._reader.seek(place)
        return self._row(self._reader.readline(), f"byte {place}")

    def append(self, row: Mapping[str, Any]) -> int:
        """Write one row, hand it to the operating system at once, and return its place."""
        try:
            if self._file is None:
                self._cut_torn_line()
                self._file = open(self.path, "ab", buffering=0)  # noqa: SIM115 - closed on exit
            line = (json.dumps(row, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()
            if self._file.write(line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            # Asked of the system, not counted: another process may append too.
            place = self._file.tell() - len(line)
            if time.monotonic() - self._synced > _SYNC_SECONDS:
                os.fsync(self._file.fileno())
                self._synced = time.monotonic()
        except OSError as error:
            raise WriteError(f"{self.path} cannot be written: {error.strerror}; nothing finished is lost") from error
        return place

    def _row(self, line: bytes, where: str) -> dict[str, Any]:
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise CorruptFileError(
                f"{self.path}, {where}, is not a row of results: the file was changed; delete it to begin anew"
            )
        return row

    def _cut_torn_line(self) -> None:
        """Cut off what follows the last line feed, looking from the end."""
        if not self.path.exists():
            return
        with open(self.path, "rb+") as file:
            whole = end = file.seek(0, os.SEEK_END)
            while whole > 0:
                start = max(0, whole - 65536)
                file.seek(start)
                found = file.read(whole - start).rfind(b"\n")
                if found >= 0:
                    whole = start + found + 1
                    break
                whole = start
            if whole < end:
                file.truncate(whole)
