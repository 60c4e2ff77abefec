"""An append-only file of fixed-length records, which readers map into memory instead of reading it."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError, WriteError
from ballistics.files import reason, sync_folder


class RecordStack:
    """Records of one length, one after another; the database says which of them count.

    A writer puts a record behind the last one that the database knows, flushes it to the disk, and only then enters it
    in the database. If the writer is stopped in between, nobody reads the record and the next writer overwrites it. A
    reader sees the records that the database named when the reader began.

    Parameters
    ----------
    path : Path
        The file; made with its first record.
    record_bytes : int
        Length of every record.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     stack = RecordStack(Path(folder) / "test.stack", 4)
    ...     stack.write(0, b"abcd")
    ...     stack.write(1, b"efgh")
    ...     bytes(stack.records(2)[1])
    b'efgh'
    """

    def __init__(self, path: Path, record_bytes: int) -> None:
        self.path = path
        self.record_bytes = record_bytes

    def write(self, slot: int, record: bytes) -> None:
        """Write a record at its place and have it on the disk; only one process may write at a time.

        Raises
        ------
        WriteError
            When the record has another length, or the file cannot be written.
        """
        if len(record) != self.record_bytes:
            raise WriteError(f"a record of {self.path} has {self.record_bytes} bytes, this one {len(record)}")
        try:
            new = not self.path.exists()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self.path, "xb" if new else "r+b", buffering=0) as file:
                file.seek(slot * self.record_bytes)
                view = memoryview(record)
                while view:
                    view = view[file.write(view) :]
                os.fsync(file.fileno())
            if new:
                sync_folder(self.path.parent)
                sync_folder(self.path.parent.parent)
        except OSError as error:
            raise WriteError(f"{self.path} cannot be written: {reason(error)}; nothing was enrolled") from error

    def erase(self, slot: int) -> None:
        """Overwrite a record with zeros, if there is one."""
        try:
            there = self.path.exists() and self.path.stat().st_size >= (slot + 1) * self.record_bytes
        except OSError as error:
            raise self._unreadable(error) from error
        if there:
            self.write(slot, bytes(self.record_bytes))

    def records(self, count: int) -> NDArray[np.uint8]:
        """Map the first records into memory, read-only.

        Returns
        -------
        ndarray of uint8, shape (count, record_bytes)

        Raises
        ------
        CorruptFileError
            When the file holds fewer.
        """
        if not count:
            return np.empty((0, self.record_bytes), np.uint8)
        try:
            held = self.path.stat().st_size // self.record_bytes if self.path.exists() else 0
        except OSError as error:
            raise self._unreadable(error) from error
        if held < count:
            raise CorruptFileError(
                f"{self.path} holds {held} templates, {count} were written: the file was cut or is missing; "
                "take it from a backup, or make the templates again (ballistics library renew)"
            )
        try:
            mapped: NDArray[Any] = np.memmap(self.path, np.uint8, "r", shape=(count, self.record_bytes))
        except (OSError, ValueError, OverflowError) as error:
            raise self._unreadable(error) from error
        return mapped

    def _unreadable(self, error: Exception) -> CorruptFileError:
        said = reason(error) if isinstance(error, OSError) else str(error)
        return CorruptFileError(
            f"{self.path}, the templates, cannot be read: {said}; see to its permissions, take it from a backup, or "
            "make the templates again (ballistics library renew)"
        )

    def fault(self, slot: int, digest: str) -> str | None:
        """Return what is wrong with a record, None when it is the one whose SHA-256 is given."""
        if type(slot) is not int or not 0 <= slot < 1 << 40:
            return "its row names a place that no stack has"
        try:
            with open(self.path, "rb") as file:
                file.seek(slot * self.record_bytes)
                record = file.read(self.record_bytes)
        except OSError as error:
            return f"the stack of templates cannot be read: {reason(error)}"
        if len(record) < self.record_bytes:
            return "the stack of templates ends before its template"
        if sha256(record).hexdigest() != digest:
            return "its template was changed"
        return None
