"""An append-only file of results, one JSON object a line: work that stops at any moment goes on from it.

Every line ends with the SHA-256 of what it says, so that a line that was altered is known.
"""

from __future__ import annotations

import errno
import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from ballistics.errors import CorruptFileError, ReadError, WriteError
from ballistics.files.bounded_json import parse_json
from ballistics.files.durable import reason, sync_folder

# What a power cut may cost. A process that is killed loses nothing: the operating system has its rows.
_SYNC_SECONDS = 5.0
_SEAL = "seal"
_SEAL_DIGITS = 32
_SEALED = re.compile(rb'(?P<says>\{.*), "seal": "(?P<seal>[0-9a-f]{32})"\}\n', re.DOTALL)
# No row of this package has a hundredth of that.
_MOST_LINE = 64 << 20


class RowsFile:
    """Rows that were written whole are kept; a last line torn by a stop is cut off.

    Parameters
    ----------
    path : Path
        The file; made when the first row is appended.
    strict : bool
        Pass over lines that were altered, or have no seal: what they stood for is to be done again. Else an altered
        line is an error, and a line without a seal is taken as it is.

    Attributes
    ----------
    passed_over : int
        How many lines `places` has passed over.

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

    def __init__(self, path: Path, *, strict: bool = False) -> None:
        self.path = path
        self.strict = strict
        self.passed_over = 0
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
            file, self._file = self._file, None
            try:
                os.fsync(file.fileno())
            except OSError as failed:
                if error is None:
                    raise WriteError(
                        f"{self.path} cannot be written: {reason(failed)}; give the same command again"
                    ) from failed
            finally:
                file.close()

    def read(self) -> list[dict[str, Any]]:
        """Return all whole rows, in the order they were written; errors as of `places`."""
        return [row for _, row in self.places()]

    def places(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield all whole rows with their places in the file, one at a time: a file may be larger than memory.

        Raises
        ------
        ReadError
            When the file cannot be read.
        CorruptFileError
            When a line other than a torn last one is not a row.
        """
        self.passed_over = 0
        try:
            file = open(self.path, "rb")  # noqa: SIM115 - closed below
        except FileNotFoundError:
            return
        except OSError as error:
            raise ReadError(f"{self.path} cannot be read: {reason(error)}") from error
        with file:
            place = number = 0
            while line := self._line(file):
                number += 1
                # What follows the last line feed is torn.
                if not line.endswith(b"\n"):
                    return
                row = self._row(line, f"line {number}")
                if row is None:
                    self.passed_over += 1
                else:
                    yield place, row
                place += len(line)

    def at(self, place: int) -> dict[str, Any]:
        """Return the row at a place that `places` or `append` named."""
        try:
            if self._reader is None:
                self._reader = open(self.path, "rb")  # noqa: SIM115 - closed on exit
            self._reader.seek(place)
        except (OSError, ValueError) as error:
            raise CorruptFileError(
                f"{self.path} was changed meanwhile: {error}; give the same command again"
            ) from error
        row = self._row(self._line(self._reader), f"byte {place}")
        if row is None:
            raise CorruptFileError(f"{self.path}, byte {place}, was changed meanwhile; give the same command again")
        return row

    def append(self, row: Mapping[str, Any]) -> int:
        """Write one row, pass it to the operating system at once, and return its place."""
        try:
            if self._file is None:
                self._cut_torn_line()
                new = not self.path.exists()
                self._file = open(self.path, "ab", buffering=0)  # noqa: SIM115 - closed on exit
                if new:
                    sync_folder(self.path.parent)
            line = _sealed(row)
            if self._file.write(line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            # Asked of the system, not counted: another process may append too.
            place = self._file.tell() - len(line)
            if time.monotonic() - self._synced > _SYNC_SECONDS:
                os.fsync(self._file.fileno())
                self._synced = time.monotonic()
        except OSError as error:
            raise WriteError(f"{self.path} cannot be written: {reason(error)}; nothing finished is lost") from error
        return place

    def _line(self, file: BinaryIO) -> bytes:
        try:
            line = file.readline(_MOST_LINE)
        except OSError as error:
            raise ReadError(f"{self.path} cannot be read: {reason(error)}") from error
        if len(line) == _MOST_LINE:
            raise CorruptFileError(f"{self.path} is no file of results: a line is longer than {_MOST_LINE} bytes")
        return line

    def _row(self, line: bytes, where: str) -> dict[str, Any] | None:
        """Return what a line says; None when it is to be passed over."""
        sealed = _SEALED.fullmatch(line)
        if sealed is not None and _seal(sealed["says"]) != sealed["seal"]:
            if self.strict:
                return None
            raise CorruptFileError(f"{self.path}, {where}, was altered after it was written; delete it to begin anew")
        if sealed is None and self.strict and line.startswith(b"{"):
            return None
        try:
            row = parse_json(line, f"{self.path}, {where},", "a row of results")
        except CorruptFileError as error:
            raise CorruptFileError(f"{error}: the file was changed; delete it to begin anew") from error
        if not isinstance(row, dict):
            raise CorruptFileError(
                f"{self.path}, {where}, is not a row of results: the file was changed; delete it to begin anew"
            )
        if sealed is not None:
            del row[_SEAL]
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


def _sealed(row: Mapping[str, Any]) -> bytes:
    says = json.dumps(row, sort_keys=True, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")[:-1]
    return says + b', "seal": "' + _seal(says) + b'"}\n' if row else b"{}\n"


def _seal(says: bytes) -> bytes:
    return sha256(says).hexdigest()[:_SEAL_DIGITS].encode()
