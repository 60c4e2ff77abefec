"""Reads Alicona al3d: tagged text lines, then a float32 depth image in metres.

The header is the line ``AliconaImaging``, then lines of 52 bytes: a key of 20, a value of 30 (both
NUL-padded) and CR LF; ``TagCount`` says how many follow it. Rows of the depth image are padded to
8 bytes (format as described by the SurfaceTopography and NFI scratch readers); some writers leave
the padding out, which the size of the image tells.
"""

from __future__ import annotations

import math
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError
from ballistics.files import check_grid, file_size, take, take_floats
from ballistics.findings import Finding
from ballistics.surfaces.formats.content import METRE_UM, FileContent

_MAGIC = b"AliconaImaging\x00\r\n"
_MAX_TAGS = 1000
# The marker is written with fewer digits than float32 holds.
_INVALID_TOLERANCE = 1.5e-7


def read_al3d(file: BinaryIO, *, layer: int, height_limit_bytes: int) -> FileContent:
    """Read the depth image of an al3d file.

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
        Heights in metres; ``unit_um`` says so.

    Raises
    ------
    ReadError
        When the file is damaged, or larger than the limit.
    ParameterError
        For another layer than 0.
    """
    if take(file, len(_MAGIC), "the first line") != _MAGIC:
        raise CorruptFileError("the first line of the al3d header is damaged")
    tags = _tags(file)
    rows, columns = _whole(tags, "Rows"), _whole(tags, "Cols")
    check_grid(rows, columns, layer=layer, height_limit_bytes=height_limit_bytes)
    spacing = _length(tags, "PixelSizeYMeter"), _length(tags, "PixelSizeXMeter")
    values, findings = _depth_image(file, tags, rows, columns)
    return FileContent(
        format="al3d",
        values=_without_invalid(values, tags.get("InvalidPixelValue")),
        spacing=spacing,
        unit_um=METRE_UM,
        metadata={"tags": tags},
        findings=tuple(findings),
    )


def _tags(file: BinaryIO) -> dict[str, str]:
    tags: dict[str, str] = {}
    expected = 2
    while len(tags) < expected:
        line = take(file, 52, "its header lines")
        if line[50:] != b"\r\n":
            raise CorruptFileError(f"header line {len(tags) + 1} of the al3d file does not end where it should")
        key, value = (part.split(b"\x00")[0].decode("latin-1").strip() for part in (line[:20], line[20:50]))
        if key in tags:
            raise CorruptFileError(f"the al3d header holds {key[:20]!r} twice")
        tags[key] = value
        if key == "TagCount":
            expected = 2 + _whole(tags, key)
            if expected > _MAX_TAGS:
                raise CorruptFileError(f"the al3d header claims {expected} lines; a real one has a few dozen")
    return tags


def _whole(tags: dict[str, str], key: str) -> int:
    text = tags.get(key, "")
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise CorruptFileError(f"al3d tag {key} is {text!r}; a whole number is needed")
    return int(text)


def _length(tags: dict[str, str], key: str) -> float:
    try:
        value = float(tags.get(key, ""))
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise CorruptFileError(f"al3d tag {key} is {tags.get(key)!r}; a positive length in metres is needed")
    return value


def _depth_image(file: BinaryIO, tags: dict[str, str], rows: int, columns: int) -> tuple[NDArray[Any], list[Finding]]:
    offset = _whole(tags, "DepthImageOffset")
    if offset < file.tell():
        raise CorruptFileError(f"al3d tag DepthImageOffset is {offset}: the file holds no depth image there")
    later = [_whole(tags, key) for key in ("IconOffset", "TextureImageOffset") if tags.get(key)]
    end = min([o for o in later if o > offset] + [file_size(file)])
    available = max(0, end - offset)
    padded = (columns + 1) // 2 * 2
    findings = []
    if available >= (rows * padded - (padded - columns)) * 4:
        row_floats = padded
    elif available == rows * columns * 4:
        row_floats = columns
        findings.append(Finding("rows-not-padded", "note", "rows are not padded to 8 bytes", "read without padding"))
    else:
        raise CorruptFileError(
            f"the depth image takes {available} bytes, {rows} x {columns} points need {rows * padded * 4}: "
            "the file is truncated or its dimensions are wrong"
        )
    file.seek(offset)
    values, order_findings = take_floats(file, rows, row_floats, columns)
    return values, findings + order_findings


def _without_invalid(values: NDArray[Any], marker: str | None) -> NDArray[Any]:
    """Make points that carry the file's marker for "not measured" missing."""
    try:
        invalid = float(marker) if marker else math.nan
    except ValueError:
        raise CorruptFileError(f"al3d tag InvalidPixelValue is {marker!r}, not a number") from None
    if math.isnan(invalid):
        return values
    return np.where(np.abs(values - np.float32(invalid)) <= _INVALID_TOLERANCE * abs(invalid), np.nan, values)
