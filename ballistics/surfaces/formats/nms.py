"""Reads NanoFocus NMS (µsurf confocal microscopes): a fixed header, then heights as 16-bit steps of their range.

The format has no description in public. Known from files (and from the readers of surfalize and SurfaceTopography):
at byte 12 the highest step, at 16 lowest and highest height in µm, at 32 ``OM_MS_2.0``, at 1368 columns and rows,
at 1376 the pixel in x and y. The pixel is in **nanometres** (512 points of 312.5 are the 160 µm field of a 100x
objective); SurfaceTopography takes it for millimetres, a million times too much.
"""

from __future__ import annotations

import math
import struct
from typing import BinaryIO

import numpy as np

from ballistics.errors import CorruptFileError, UnsupportedFormatError
from ballistics.files import check_grid, file_size, take
from ballistics.findings import Finding
from ballistics.surfaces.formats.content import MILLIMETRE_UM, FileContent
from ballistics.surfaces.formats.units_guard import PIXEL_UM

_HEADER_BYTES = 3468
_PIXEL_UNITS = (("nanometres", 1e-3), ("millimetres", MILLIMETRE_UM))


def read_nms(file: BinaryIO, *, layer: int, height_limit_bytes: int) -> FileContent:
    """Read an NMS height map.

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
        Heights in µm. The format states no unit for the pixel; a finding says which was taken.

    Raises
    ------
    ReadError
        When the file is damaged, of another format, or larger than the limit.
    ParameterError
        For another layer than 0.
    """
    header = take(file, _HEADER_BYTES, "its header")
    (highest_step,) = struct.unpack_from("<L", header, 12)
    lowest, highest = struct.unpack_from("<dd", header, 16)
    columns, rows, *pixel = struct.unpack_from("<LLdd", header, 1368)
    if not header[32:].startswith(b"OM_MS") or not 1 <= highest_step <= 65535:
        raise UnsupportedFormatError("the header is not that of a NanoFocus NMS file; export the scan as X3P")
    check_grid(rows, columns, layer=layer, height_limit_bytes=height_limit_bytes)
    if not (math.isfinite(lowest) and math.isfinite(highest) and lowest <= highest):
        raise CorruptFileError(f"the heights range from {lowest} to {highest}")
    if not all(math.isfinite(step) and step > 0 for step in pixel):
        raise CorruptFileError(f"the pixel is {pixel}; positive lengths are needed")
    needed, present = rows * columns * 2, file_size(file) - _HEADER_BYTES
    if present < needed:
        raise CorruptFileError(f"{rows} x {columns} heights need {needed} bytes, {present} are there: truncated")
    unit, unit_um = _pixel_unit(pixel)
    steps = np.frombuffer(take(file, needed, "its heights"), "<u2").reshape(rows, columns)
    finding = Finding(
        "pixel-unit-settled",
        "warning",
        f"the header writes the pixel as {pixel[0]:.6g} x {pixel[1]:.6g} without a unit; a toolmark's pixel is between "
        f"{PIXEL_UM[0]:g} and {PIXEL_UM[1]:g} µm",
        f"taken as {unit}: {pixel[0] * unit_um:.4g} µm, {columns * pixel[0] * unit_um:.4g} µm for the field; compare "
        "with the microscope's own statement",
    )
    return FileContent(
        format="NMS",
        values=lowest + steps * ((highest - lowest) / highest_step),
        spacing=(pixel[1] * unit_um, pixel[0] * unit_um),
        unit_um=1.0,
        metadata={"channel": header[52:84].split(b"\0")[0].decode("latin-1")},
        findings=(finding,),
    )


def _pixel_unit(pixel: list[float]) -> tuple[str, float]:
    """Return the unit in which the pixel is that of a microscope, nanometres first."""
    for name, unit_um in _PIXEL_UNITS:
        if all(PIXEL_UM[0] <= step * unit_um <= PIXEL_UM[1] for step in pixel):
            return name, unit_um
    raise UnsupportedFormatError(
        f"the pixel is {pixel[0]:g} x {pixel[1]:g} without a unit: neither as nanometres nor as millimetres that of a "
        "toolmark; export the scan as X3P"
    )
