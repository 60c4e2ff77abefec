"""Arrays from outside (.npy): the header is read by its own rule; nothing is allocated that the file cannot fill."""

from __future__ import annotations

import math
import os
import re
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError

# NumPy pads the header so that data begin at a multiple of 64 bytes; those of plain arrays fit into two.
_MOST_HEADER = 512
_MAGIC = b"\x93NUMPY\x01\x00"
_HEADER = re.compile(
    rb"\{'descr': '(?P<type>[<|][a-z]\d{1,2})', 'fortran_order': (?P<order>True|False), "
    rb"'shape': \((?P<shape>(?:\d{1,18}, ?)*\d{0,18})\), \} *\n"
)


class ArrayHeader:
    """What an array file says of itself: ``dtype``, ``shape``, and the ``offset`` of its first value in bytes."""

    def __init__(self, dtype: np.dtype[Any], shape: tuple[int, ...], offset: int, fortran_order: bool) -> None:
        self.dtype, self.shape, self.offset, self.fortran_order = dtype, shape, offset, fortran_order

    @property
    def nbytes(self) -> int:
        """Size of the values in bytes."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(file: BinaryIO) -> ArrayHeader:
    """Read the header of an array of numbers, as NumPy writes it (format 1.0).

    Raises
    ------
    CorruptFileError
        When it is any other.

    Examples
    --------
    >>> header = read_header(BytesIO(header_bytes(np.dtype(np.uint8), (4, 3)) + bytes(12)))
    >>> header.shape, header.offset
    ((4, 3), 128)
    """
    start = file.read(10)
    length = int.from_bytes(start[8:10], "little")
    if start[:8] != _MAGIC or length > _MOST_HEADER:
        raise CorruptFileError("it does not begin as an array of numbers does")
    found = _HEADER.fullmatch(file.read(length))
    if found is None:
        raise CorruptFileError("its header is not that of an array of numbers")
    try:
        dtype = np.dtype(found["type"].decode())
    except TypeError:
        raise CorruptFileError(f"its header names numbers of an unknown type, {found['type'].decode()}") from None
    if dtype.kind not in "iufb":
        raise CorruptFileError(f"it does not hold numbers, but '{dtype.str}'")
    shape = tuple(int(number) for number in found["shape"].split(b",") if number.strip())
    return ArrayHeader(dtype, shape, 10 + length, found["order"] == b"True")


def header_bytes(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """Return the header that NumPy writes for an array in C order."""
    buffer = BytesIO()
    np.lib.format.write_array_header_1_0(
        buffer, {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    )
    return buffer.getvalue()


def load_array(path: Path) -> NDArray[Any]:
    """Read an array of numbers into memory.

    Raises
    ------
    OSError
        When it cannot be opened or read.
    CorruptFileError
        When its header is no such header, or the file holds fewer or more bytes than that needs.
    """
    with open(path, "rb") as file:
        header = read_header(file)
        held = os.fstat(file.fileno()).st_size - header.offset
        if held != header.nbytes:
            raise CorruptFileError(f"it holds {held} bytes of values, its header needs {header.nbytes}")
        values = np.fromfile(file, header.dtype, math.prod(header.shape))
    return values.reshape(header.shape, order="F" if header.fortran_order else "C")


def map_rows(path: Path, dtype: np.dtype[Any], row_shape: tuple[int, ...], rows: int) -> NDArray[Any]:
    """Map the first rows of an array that may have grown, or be growing, into memory; read-only.

    Parameters
    ----------
    path : Path
        A file of the NPY format.
    dtype : numpy.dtype
        Type that its values must have.
    row_shape : tuple of int
        Shape that a row must have; empty for rows of a single number.
    rows : int
        How many rows to map: those known to be written completely. The file may have more.

    Returns
    -------
    numpy.memmap, shape (rows, ...)
        Read-only.

    Raises
    ------
    OSError
        When it cannot be opened.
    CorruptFileError
        When its rows are of another shape or type, or fewer.
    """
    with open(path, "rb") as file:
        header = read_header(file)
        size = os.fstat(file.fileno()).st_size
    if header.dtype != dtype or header.shape[1:] != row_shape or len(header.shape) < 1 or header.fortran_order:
        raise CorruptFileError(
            f"it holds {header.dtype} of shape {header.shape}, not {dtype} of shape {('rows', *row_shape)}"
        )
    needed = header.offset + rows * math.prod(row_shape) * dtype.itemsize
    if header.shape[0] < rows or size < needed:
        raise CorruptFileError(f"it holds {header.shape[0]} rows in {size} bytes, {rows} were written")
    return np.memmap(path, dtype, "r", header.offset, (rows, *row_shape))
