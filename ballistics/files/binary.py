"""Reads flat binary files: never more than is there, never more than was declared."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError, HostileFileError, ParameterError
from ballistics.files.byte_order import native_order
from ballistics.findings import Finding


def file_size(file: BinaryIO) -> int:
    """Return the file's size in bytes, leaving the position where it was."""
    here = file.tell()
    size = file.seek(0, 2)
    file.seek(here)
    return size


def take(file: BinaryIO, count: int, what: str) -> bytes:
    """Read exactly ``count`` (few) bytes, or say which part of the file is cut off.

    Parameters
    ----------
    file : binary file
        Read from where it stands.
    count : int
        Few, or compared with the size of the file before: the bytes are held in memory.
    what : str
        Words for the message, as "its header".

    Raises
    ------
    CorruptFileError
        When fewer bytes are left.
    """
    data = file.read(count)
    if len(data) != count:
        raise CorruptFileError(f"the file ends inside {what}: it is truncated; copy it again from its source")
    return data


def check_grid(rows: int, columns: int, *, layer: int, height_limit_bytes: int) -> None:
    """Refuse dimensions that are not positive, or larger than the limit, before anything is allocated.

    Parameters
    ----------
    rows, columns : int
        As the file declares them.
    layer : int
        The layer that was asked for; of a format with a single height map only 0 exists.
    height_limit_bytes : int
        Largest size of the heights at 8 bytes per point.

    Raises
    ------
    CorruptFileError
        For a dimension below 1.
    HostileFileError
        Above the limit.
    ParameterError
        For another layer than 0.
    """
    if rows < 1 or columns < 1:
        raise CorruptFileError(f"the file declares {rows} x {columns} points; both must be positive")
    if rows * columns * 8 > height_limit_bytes:
        raise HostileFileError(
            f"the file declares {rows} x {columns} points ({rows * columns * 8} bytes of heights), more than "
            f"the limit of {height_limit_bytes} bytes; if the scan is that large, raise height_limit_bytes"
        )
    if layer != 0:
        raise ParameterError(f"layer {layer} was asked for; this format holds one (layer 0)")


def take_floats(file: BinaryIO, rows: int, row_floats: int, columns: int) -> tuple[NDArray[Any], list[Finding]]:
    """Read rows of float32 of which only the first columns are data.

    Parameters
    ----------
    file : binary file
        Read from where it stands. What it lacks at the end is read as 0: the caller has made sure that it is padding.
    rows : int
        Rows to read.
    row_floats : int
        Numbers in a row of the file, with the padding.
    columns : int
        Numbers of a row that are data.

    Returns
    -------
    values : ndarray of float32, shape (rows, columns)
        In the byte order that `native_order` finds.
    findings : list of Finding
        Those of `native_order`.
    """
    data = file.read(rows * row_floats * 4)
    values = np.zeros(rows * row_floats, dtype="<f4")
    present = np.frombuffer(data[: len(data) // 4 * 4], dtype="<f4")
    values[: present.size] = present
    values, findings = native_order(values)
    return values.reshape(rows, row_floats)[:, :columns], findings
