"""Reads Digital Surf files (SUR, PRO), the format of MountainsMap: plain or compressed, one object or several.

Each object has a header of 512 bytes, a comment, a private zone and whole-number points, 16 or 32 bits wide. A
compressed one (``DSCOMPRESSED``) begins with the number of zlib streams, then the raw and the packed size of each,
then the streams (layout as the readers of Gwyddion, SurfaceTopography and RosettaSciIO have it). Lengths of a step
have units of their own, as text in any code page.
"""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError, HostileFileError, ParameterError, UnsupportedFormatError
from ballistics.files import check_grid, file_size, take
from ballistics.findings import Finding
from ballistics.surfaces.formats.content import FileContent
from ballistics.surfaces.formats.length_units import unit_from_bytes

MAGICS = (b"DIGITAL SURF", b"DSCOMPRESSED")
_HEADER_BYTES = 512
_MOST_OBJECTS = 1000
_MOST_STREAMS = 4096
# Deflate cannot compress by more than about 1032:1 (zlib's technical details).
_DEFLATE_RATIO = 1040
_LITTLE, _BIG = "<", ">"
_KINDS = {
    1: "profile", 2: "surface", 3: "binary image", 4: "series of profiles", 5: "series of surfaces",
    6: "meridian disc", 7: "multi-layer profile", 8: "multi-layer surface", 9: "parallel disc", 10: "intensity image",
    11: "surface with intensity", 12: "RGB image", 13: "surface with RGB image", 14: "force curve",
    15: "series of force curves", 16: "surface with RGB and intensity", 20: "spectrum", 21: "hyperspectral map",
}  # fmt: skip
_READ_KINDS = (0, 1, 2, 5, 8, 11, 13, 16)
_NOT_MEASURED = -2
_INVERTED = {1: (False, False), 2: (False, True), 3: (True, False)}


@dataclass(frozen=True)
class _Object:
    """One object's header, checked, and where its points lie; steps in micrometres."""

    order: str
    kind: int
    name: str
    shape: tuple[int, int]
    bits: int
    step_um: tuple[float, float]
    height_um: float
    """Micrometres per whole number."""
    height_offset_um: float
    missing: int | None
    replica: bool
    inverted: int
    comment: bytes
    client: bytes
    packed: bool
    start: int
    size: int


def read_digital_surf(file: BinaryIO, *, layer: int, height_limit_bytes: int) -> FileContent:
    """Read one surface of a Digital Surf file.

    Images beside the surfaces, which have no unit of length, are passed over and not counted as layers.

    Parameters
    ----------
    file : binary file
        Open and seekable.
    layer : int
        Which of the file's surfaces, from 0, in the order of the file.
    height_limit_bytes : int
        Largest number of bytes that the heights of any object of the file may take as float64.

    Returns
    -------
    FileContent
        Heights in µm.

    Raises
    ------
    ReadError
        When the file is damaged, of another kind than surfaces and profiles, or larger than the limit.
    ParameterError
        When the file has no such layer.
    """
    objects, findings = _objects(file, height_limit_bytes)
    if layer >= len(objects):
        raise ParameterError(f"layer {layer} was asked for; the file has {len(objects)} (numbered from 0)")
    chosen = objects[layer]
    if len(objects) > 1:
        names = ", ".join(repr(surface.name) for surface in objects[:10])
        findings.append(
            Finding(
                "several-layers",
                "warning",
                f"the file holds {len(objects)} surfaces: {names}",
                f"layer {layer} was read",
            )
        )
    values, inside = _heights(file, chosen)
    rows, _ = chosen.shape
    return FileContent(
        format="SUR",
        values=values,
        spacing=chosen.step_um,
        unit_um=1.0,
        kind="profile" if rows == 1 else "topography",
        metadata={"object": chosen.name, "comment": chosen.comment.decode("latin-1").strip("\0 ")},
        findings=(*findings, *_order_findings(chosen), *inside, *_turned_findings(chosen)),
    )


def _objects(file: BinaryIO, height_limit_bytes: int) -> tuple[list[_Object], list[Finding]]:
    """Return the objects that are surfaces, in the order of the file."""
    size = file_size(file)
    surfaces: list[_Object] = []
    findings: list[Finding] = []
    at, number, declared, kind = 0, 0, 1, 0
    # A series may count its channels elsewhere: what begins like an object is one.
    while number < declared or (number < _MOST_OBJECTS and _begins(file, at)):
        header = _header(file, at, number)
        order = _order(header, number)
        count, own_kind = struct.unpack_from(f"{order}hxxh", header, 14)
        if number == 0:
            kind, declared = own_kind, max(1, count)
            if kind not in _READ_KINDS:
                raise UnsupportedFormatError(
                    f"a Digital Surf file of kind {_KINDS.get(kind, kind)!r}; surfaces and profiles are read: export "
                    "the surface by itself"
                )
            if declared > _MOST_OBJECTS:
                raise HostileFileError(f"the file claims {declared} objects; a real one has a few")
        surface, next_at = _object(file, header, order, at, height_limit_bytes)
        if next_at > size:
            raise CorruptFileError(
                f"object {number + 1} needs {next_at - at} bytes, {size - at} are there: the file is truncated"
            )
        if surface is not None:
            surfaces.append(surface)
        at, number = next_at, number + 1
    if not surfaces:
        raise UnsupportedFormatError(
            "the file states no unit of length for its points: an image, not a surface; export the surface as X3P"
        )
    if at < size:
        findings.append(Finding("trailing-bytes", "note", f"{size - at} bytes follow the last object", "ignored"))
    return surfaces, findings


def _begins(file: BinaryIO, at: int) -> bool:
    file.seek(at)
    return file.read(12) in MAGICS


def _header(file: BinaryIO, at: int, number: int) -> bytes:
    file.seek(at)
    header = take(file, _HEADER_BYTES, f"the header of object {number + 1}")
    if header[:12] not in MAGICS:
        raise CorruptFileError(f"object {number + 1} does not begin where the one before it ends: sizes are wrong")
    return header


def _order(header: bytes, number: int) -> str:
    """Return the byte order: that in which the points are as numerous as rows times columns."""
    for order in (_LITTLE, _BIG):
        columns, rows, points = struct.unpack_from(f"{order}lll", header, 108)
        if columns > 0 and rows > 0 and columns * rows == points:
            return order
    columns, rows, points = struct.unpack_from("<lll", header, 108)
    raise CorruptFileError(f"object {number + 1} declares {rows} x {columns} points, but {points} in all")


def _object(file: BinaryIO, header: bytes, order: str, at: int, height_limit_bytes: int) -> tuple[_Object | None, int]:
    """Return an object, None when it is an image, and where the next one begins."""
    packed = header[:12] == MAGICS[1]
    columns, rows = struct.unpack_from(f"{order}ll", header, 108)
    check_grid(rows, columns, layer=0, height_limit_bytes=height_limit_bytes)
    (bits,) = struct.unpack_from(f"{order}h", header, 98)
    if bits not in (16, 32):
        raise UnsupportedFormatError(f"points of {bits} bits; the format defines 16 and 32")
    (width,) = struct.unpack_from(f"{order}L", header, 94)
    if width > 1:
        raise UnsupportedFormatError(f"each point has {width} values: a spectrum, not a height")
    (packed_bytes,) = struct.unpack_from(f"{order}L", header, 324)
    comment_bytes, private_bytes = struct.unpack_from(f"{order}HH", header, 334)
    comment = take(file, comment_bytes, "a comment")
    start = at + _HEADER_BYTES + comment_bytes + private_bytes
    size = packed_bytes if packed else rows * columns * bits // 8
    steps = struct.unpack_from(f"{order}fff", header, 120)
    units = [unit_from_bytes(header[place : place + 16]) for place in (180, 196, 212)]
    if units[2] is None:
        return None, start + size
    for axis, step, unit, place in zip("xyz", steps, units, (180, 196, 212), strict=True):
        needed = axis != "y" or rows > 1
        if needed and unit is None:
            raise UnsupportedFormatError(f"the unit of {axis} is {_shown(header[place : place + 16])}, not a length")
        if needed and not (math.isfinite(step) and step > 0):
            raise CorruptFileError(f"the step of {axis} is {step}; a positive length is needed")
    lowest, special = struct.unpack_from(f"{order}l", header, 100)[0], struct.unpack_from(f"{order}h", header, 86)[0]
    imprint, inverted = struct.unpack_from(f"{order}hh", header, 288)
    (offset,) = struct.unpack_from(f"{order}f", header, 474)
    offset_unit = unit_from_bytes(header[260:276]) or units[2]
    x_unit, y_unit, z_unit = units
    return _Object(
        order=order,
        kind=struct.unpack_from(f"{order}h", header, 18)[0],
        name=header[20:50].decode("latin-1").strip("\0 "),
        shape=(rows, columns),
        bits=bits,
        step_um=(steps[1] * (y_unit or 1.0) if rows > 1 else 1.0, steps[0] * (x_unit or 1.0)),
        height_um=steps[2] * z_unit,
        height_offset_um=offset * offset_unit if math.isfinite(offset) else 0.0,
        missing=lowest + _NOT_MEASURED if special == 1 else None,
        replica=imprint == 1,
        inverted=inverted,
        comment=comment,
        client=header[338:466].strip(b"\0 "),
        packed=packed,
        start=start,
        size=size,
    ), start + size


def _shown(text: bytes) -> str:
    return repr(text.decode("latin-1").strip("\0 "))


def _heights(file: BinaryIO, surface: _Object) -> tuple[NDArray[np.float64], list[Finding]]:
    file.seek(surface.start)
    needed = surface.shape[0] * surface.shape[1] * surface.bits // 8
    data = _unpacked(file, surface, needed) if surface.packed else take(file, surface.size, "its points")
    raw = np.frombuffer(data, np.dtype(f"{surface.order}i{surface.bits // 8}")).reshape(surface.shape)
    heights = raw * surface.height_um + surface.height_offset_um
    findings: list[Finding] = []
    if surface.missing is not None and (absent := raw == surface.missing).any():
        heights[absent] = np.nan
        findings.append(
            Finding("points-marked-missing", "note", f"{int(absent.sum())} points are marked not measured", "missing")
        )
    if surface.inverted in _INVERTED:
        upside, sideways = _INVERTED[surface.inverted]
        heights = -heights[:: -1 if upside else 1, :: -1 if sideways else 1]
    return np.ascontiguousarray(heights), findings


def _unpacked(file: BinaryIO, surface: _Object, needed: int) -> bytes:
    """Return the points of a compressed object, never more of them than the grid needs."""
    (streams,) = struct.unpack(f"{surface.order}L", take(file, 4, "the list of its compressed streams"))
    if not 1 <= streams <= _MOST_STREAMS:
        raise CorruptFileError(f"the compressed points claim to be {streams} streams")
    table = take(file, 8 * streams, "the list of its compressed streams")
    sizes = list(struct.iter_unpack(f"{surface.order}LL", table))
    if sum(raw for raw, _ in sizes) != needed:
        raise CorruptFileError(
            f"the compressed points claim {sum(raw for raw, _ in sizes)} bytes, "
            f"{surface.shape[0]} x {surface.shape[1]} points need {needed}"
        )
    pieces = []
    for raw, packed in sizes:
        if raw > packed * _DEFLATE_RATIO + 64:
            raise CorruptFileError(f"a compressed stream claims {raw} bytes but has {packed} packed ones")
        try:
            stream = zlib.decompressobj()
            piece = stream.decompress(take(file, packed, "its compressed points"), raw + 1)
        except zlib.error as error:
            raise CorruptFileError(f"the compressed points are damaged: {error}") from error
        if len(piece) != raw:
            raise CorruptFileError(f"a compressed stream claims {raw} bytes and holds another number of them")
        pieces.append(piece)
    return b"".join(pieces)


def _order_findings(surface: _Object) -> list[Finding]:
    if surface.order == _LITTLE:
        return []
    return [Finding("big-endian", "note", "the file was written big-endian (Macintosh)", "read so")]


def _turned_findings(surface: _Object) -> list[Finding]:
    findings = []
    if surface.replica and b"surfalize" in surface.client:
        findings.append(
            Finding("replica-flag-default", "note", "surfalize wrote it; it marks every file as a replica", "ignored")
        )
    elif surface.replica:
        findings.append(
            Finding(
                "replica-stated",
                "serious",
                "the file is marked as the scan of a replica: its heights are inverted and it is mirrored against the "
                "original",
                "heights left as they are; compare replicas with replicas only",
            )
        )
    if surface.inverted:
        how = {1: "upside down", 2: "upside down and left to right", 3: "upside down and top to bottom"}
        findings.append(
            Finding(
                "inverted-stated",
                "serious",
                f"the file is marked as turned {how.get(surface.inverted, f'in an unknown way ({surface.inverted})')}",
                "turned back, as Gwyddion does" if surface.inverted in _INVERTED else "left as it is",
            )
        )
    return findings
