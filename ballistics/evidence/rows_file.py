"""An append-only file of results, one JSON object a line: work that stops at any moment goes on from it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from ballistics.errors import CorruptFileError, WriteError


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
    ...         rows.append({"a": 1})
    ...     _ = path.write_bytes(path.read_bytes() + b'{"a": 2, "to')
    ...     with RowsFile(path) as rows:
    ...         rows.append({"a": 3})
    ...         rows.read()
    [{'a': 1}, {'a': 3}]
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO | None = None

    def __enter__(self) -> RowsFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def read(self) -> list[dict[str, Any]]:
        """Return all whole rows, in the order they were written.

        Raises
        ------
        CorruptFileError
            When a line other than a torn last one is not a row.
        """
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        rows = []
        # What follows the last line feed is empty, or torn.
        for number, line in enumerate(lines[:-1], 1):
            try:
                row = json.loads(line)
            except ValueError:
                row = None
            if not isinstance(row, dict):
                raise CorruptFileError(
                    f"{self.path}, line {number}, is not a row of results: "
                    "the file was changed; delete it to begin anew"
                )
            rows.append(row)
        return rows

    def append(self, row: Mapping[str, Any]) -> None:
        """Write one row and hand it to the operating system at once."""
        try:
            if self._file is None:
                self._cut_torn_line()
                self._file = open(self.path, "ab", buffering=0)  # noqa: SIM115 - closed on exit
            line = json.dumps(row, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"
            self._file.write(line.encode())
        except OSError as error:
            raise WriteError(f"{self.path} cannot be written: {error.strerror}; nothing finished is lost") from error

    def _cut_torn_line(self) -> None:
        if not self.path.exists():
            return
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.truncate(self.path, whole)
