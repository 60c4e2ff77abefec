"""Reads GelSight (TrueMap) TMD: a small binary header and float32 heights, all lengths in millimetres.

Layout, little-endian, as GelSight's own MATLAB reader (gsmatlab, ``readtmd``) has it: 32 bytes
``Binary TrueMap Data File v2.0`` CR LF NUL; a comment ended by NUL; uint32 columns and rows;
float32 length x, length y, offset x, offset y; rows of float32. Pixel size is length over count.
"""

from __future__ import annotations

import math
import struct
from typing import BinaryIO

from ballistics.errors import CorruptFileError
from ballistics.files import check_grid, file_size, take, take_floats
from ballistics.findings import Finding
from ballistics.surfaces.formats.content import MILLIMETRE_UM, FileContent

_COMMENT_LIMIT_BYTES = 4096


def read_tmd(file: BinaryIO, *, layer: int, height_limit_bytes: int) -> FileContent:
    """Read a TMD height map.

    Parameters
    ----------
    file : binary file
        Open and seekable, at its start.
    layer : int
        The format holds a single height map: 0, or it is refused.
    height_limit_bytes : int
        Largest number of bytes that the heights may take as float64.

    Returns
    -------
    FileContent
        Heights in millimetres; ``unit_um`` says so.

    Raises
    ------
    ReadError
        When the file is damaged, or larger than the limit.
    ParameterError
        For another layer than 0.
    """
    take(file, 32, "its first line")
    comment = _comment(file)
    header = take(file, 24, "its header")
    columns, rows, length_x, length_y, offset_x, offset_y = struct.unpack("<IIffff", header)
    check_grid(rows, columns, layer=layer, height_limit_bytes=height_limit_bytes)
    for name, length in (("x", length_x), ("y", length_y)):
        if not (math.isfinite(length) and length > 0):
            raise CorruptFileError(f"the {name} length is {length}; a positive number of millimetres is needed")
    needed, present = rows * columns * 4, file_size(file) - file.tell()
    if present < needed:
        raise CorruptFileError(f"{rows} x {columns} heights need {needed} bytes, {present} are there: truncated")
    findings = []
    if present > needed:
        findings.append(Finding("trailing-bytes", "note", f"{present - needed} bytes follow the heights", "ignored"))
    metadata: dict[str, object] = {"comment": comment}
    if math.isfinite(offset_x) and math.isfinite(offset_y) and (offset_x or offset_y):
        metadata["offset_in_file_units"] = (offset_y, offset_x)
    values, order_findings = take_floats(file, rows, columns, columns)
    return FileContent(
        format="TMD",
        values=values,
        spacing=(length_y / rows, length_x / columns),
        unit_um=MILLIMETRE_UM,
        metadata=metadata,
        findings=(*findings, *order_findings),
    )


def _comment(file: BinaryIO) -> str:
    start = file.tell()
    head = file.read(_COMMENT_LIMIT_BYTES)
    end = head.find(b"\x00")
    if end < 0:
        raise CorruptFileError("the comment of the TMD header has no end")
    file.seek(start + end + 1)
    return head[:end].decode("latin-1").strip()
