"""Parquet files with a seal, the SHA-256 of their own bytes: a file of which any byte was altered is refused."""

from __future__ import annotations

import hashlib
import importlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from ballistics.errors import CorruptFileError, ParameterError, ReadError, UnsupportedFormatError
from ballistics.files.durable import reason

#: The bytes of a file depend on these, so they are fixed.
OPTIONS: dict[str, Any] = {"version": "2.6", "data_page_version": "1.0", "compression": "zstd", "compression_level": 3}
_SEAL = "ballistics_sha256"
_NOT_YET = "0" * 64
_MOST_FOOTER = 64 << 20
# The key and its value stand in the footer as plain bytes, with a few that say their lengths between them.
_IN_FOOTER = re.compile(_SEAL.encode() + rb".{1,8}?([0-9a-f]{64})", re.DOTALL)


def module() -> Any:
    """Return `pyarrow.parquet`, which not every installation has.

    Raises
    ------
    ParameterError
        When it is missing.
    """
    try:
        return importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise ParameterError(
            "Parquet tables need the extra 'tables' (pyarrow): install it, or let the table's name end with .csv"
        ) from error


def seal(writer: Any) -> None:
    """Leave room for the seal in a file that is being written (`pyarrow.parquet.ParquetWriter`)."""
    writer.add_key_value_metadata({_SEAL: _NOT_YET})


def close_seal(path: Path) -> None:
    """Write the seal into a file that is complete."""
    with open(path, "rb+") as file:
        place = _place(file)
        assert place is not None, "the writer has left room"
        digest = _digest(file, place)
        file.seek(place)
        file.write(digest.encode())


def is_sealed(path: Path) -> bool:
    """Return whether a file carries a seal, after checking that it holds.

    Raises
    ------
    ReadError
        When it cannot be read.
    UnsupportedFormatError
        When it is no Parquet file.
    CorruptFileError
        When it is not the file that was written.
    """
    try:
        with open(path, "rb") as file:
            place = _place(file)
            if place is None:
                return False
            file.seek(place)
            stated = file.read(64).decode()
            if _digest(file, place) != stated:
                raise CorruptFileError(
                    f"{path} was altered or damaged after it was written: its content does not have the SHA-256 that "
                    "it states; take it from a backup, or run the batch again, finished work is kept"
                )
    except OSError as error:
        raise ReadError(f"{path} cannot be read: {reason(error)}") from error
    return True


@contextmanager
def reading_parquet(path: Path) -> Iterator[None]:
    """Turn whatever pyarrow says of a file into errors of this package."""
    import pyarrow as pa

    try:
        yield
    except OSError as error:
        # pyarrow reports damaged content as OSError too, without a number.
        if error.errno is not None:
            raise ReadError(f"{path} cannot be read: {reason(error)}") from error
        raise _damaged(path, error) from error
    except (pa.ArrowException, ValueError, KeyError, TypeError, OverflowError, MemoryError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: BaseException) -> CorruptFileError:
    said = f"{type(error).__name__}: {error}".splitlines()[0][:200]
    return CorruptFileError(f"{path} is damaged: {said}; run the batch again, finished work is kept")


def _place(file: BinaryIO) -> int | None:
    """Return where the seal's value stands; None when there is none."""
    size = file.seek(0, os.SEEK_END)
    if size < 12:
        raise UnsupportedFormatError(f"{file.name} is no Parquet file")
    file.seek(size - 8)
    end = file.read(8)
    length = int.from_bytes(end[:4], "little")
    if end[4:] != b"PAR1" or length > min(size - 12, _MOST_FOOTER):
        raise UnsupportedFormatError(
            f"{file.name} is no Parquet file, or was cut: read the table that was written with the ending .parquet"
        )
    file.seek(size - 8 - length)
    found = _IN_FOOTER.search(file.read(length))
    return None if found is None else size - 8 - length + found.start(1)


def _digest(file: BinaryIO, place: int) -> str:
    """Return the SHA-256 of a file in which the seal is not yet written."""
    digest = hashlib.sha256()
    file.seek(0)
    at = 0
    while block := bytearray(file.read(1 << 20)):
        first, last = max(place - at, 0), min(place + 64 - at, len(block))
        if first < last:
            block[first:last] = b"0" * (last - first)
        digest.update(block)
        at += len(block)
    return digest.hexdigest()
