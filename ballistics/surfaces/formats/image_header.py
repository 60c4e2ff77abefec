"""Size, resolution and orientation of PNG, JPEG, BMP and TIFF, before any pixel is decoded."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from ballistics.errors import CorruptFileError, UnsupportedFormatError

_INCH_UM = 25_400.0
_MAX_PARTS = 100_000


@dataclass(frozen=True)
class ImageHeader:
    """What an image file says of itself; pixel size in µm (rows, columns) when it states one."""

    format: str
    rows: int
    columns: int
    pixel_um: tuple[float, float] | None = None
    orientation: int = 1
    pages: int = 1


def read_image_header(data: bytes) -> ImageHeader:
    """Read the header of a PNG, JPEG, BMP or TIFF file held in memory.

    Raises
    ------
    CorruptFileError
        The file is truncated or damaged as far as its structure tells.
    UnsupportedFormatError
        The variant stores something else than 8- or 16-bit samples.
    """
    try:
        if data.startswith(b"\x89PNG"):
            return _png(data)
        if data.startswith(b"\xff\xd8"):
            return _jpeg(data)
        if data.startswith(b"BM"):
            return _bmp(data)
        return _tiff(data)
    except (struct.error, IndexError) as error:
        raise CorruptFileError("the image ends inside its header: it is truncated") from error


def _pixel_um(per_metre_y: float, per_metre_x: float) -> tuple[float, float] | None:
    return (1e6 / per_metre_y, 1e6 / per_metre_x) if per_metre_x > 0 and per_metre_y > 0 else None


def _png(data: bytes) -> ImageHeader:
    columns, rows = struct.unpack_from(">LL", data, 16)
    pixel, orientation, at = None, 1, 8
    for _ in range(_MAX_PARTS):
        size, kind = struct.unpack_from(">L4s", data, at)
        body = data[at + 8 : at + 8 + size]
        (crc,) = struct.unpack_from(">L", data, at + 8 + size)
        if crc != zlib.crc32(kind + body):
            raise CorruptFileError(f"the PNG part {kind!r} does not match its checksum: the file was damaged")
        if kind == b"pHYs" and len(body) == 9:
            x, y, unit = struct.unpack(">LLB", body)
            pixel = _pixel_um(y, x) if unit == 1 else None
        elif kind == b"eXIf":
            orientation = _exif_orientation(body)
        elif kind == b"IEND":
            return ImageHeader("PNG", rows, columns, pixel, orientation)
        at += 12 + size
    raise CorruptFileError(f"the PNG has more than {_MAX_PARTS} parts")


def _jpeg(data: bytes) -> ImageHeader:
    if b"\xff\xd9" not in data[-4096:]:
        raise CorruptFileError("the JPEG has no end marker: it is truncated; copy it again from its source")
    pixel, orientation, at = None, 1, 2
    for _ in range(_MAX_PARTS):
        mark, code = data[at], data[at + 1]
        if mark != 0xFF:
            raise CorruptFileError("the JPEG's markers are damaged")
        if code == 0xFF:
            at += 1
            continue
        (size,) = struct.unpack_from(">H", data, at + 2)
        body = data[at + 4 : at + 2 + size]
        if code == 0xE0 and body[:5] == b"JFIF\x00":
            unit, x, y = struct.unpack_from(">BHH", body, 7)
            scale = {1: 1e6 / _INCH_UM, 2: 100.0}.get(unit)
            pixel = _pixel_um(y * scale, x * scale) if scale else None
        elif code == 0xE1 and body[:6] == b"Exif\x00\x00":
            orientation = _exif_orientation(body[6:])
        elif 0xC0 <= code <= 0xCF and code not in (0xC4, 0xC8, 0xCC):
            precision, rows, columns = struct.unpack_from(">BHH", body)
            if precision != 8:
                raise UnsupportedFormatError(f"a JPEG of {precision} bits per sample; save it as 16-bit PNG or TIFF")
            return ImageHeader("JPEG", rows, columns, pixel, orientation)
        elif code == 0xDA:
            raise CorruptFileError("the JPEG has no frame header before its data")
        at += 2 + size
    raise CorruptFileError(f"the JPEG has more than {_MAX_PARTS} parts before its image")


def _bmp(data: bytes) -> ImageHeader:
    (header_size,) = struct.unpack_from("<L", data, 14)
    if header_size < 40:
        raise UnsupportedFormatError("an OS/2 BMP; save it as PNG")
    columns, rows = struct.unpack_from("<ll", data, 18)
    x, y = struct.unpack_from("<ll", data, 38)
    return ImageHeader("BMP", abs(rows), columns, _pixel_um(y, x))


_TIFF_SIZES = {1: 1, 3: 2, 4: 4, 5: 8}
_TIFF_LETTERS = {1: "B", 3: "H", 4: "L"}
# Width, height, bits, strip offsets and sizes, resolution and its unit, sample format, tiles, orientation.
_TIFF_TAGS = frozenset({256, 257, 258, 273, 274, 279, 282, 283, 296, 322, 323, 324, 325, 339})
_MAX_STRIPS = 1 << 20
_MAX_ENTRIES = 1024
_MAX_PAGES = 1000
_MAX_SMALL_TILE = 1024 * 1024


def _tiff(data: bytes) -> ImageHeader:
    order = "<" if data[:2] == b"II" else ">"
    (at,) = struct.unpack_from(order + "L", data, 4)
    first = _tiff_directory(data, order, at)
    if 256 not in first or 257 not in first:
        raise CorruptFileError("the TIFF states no width or no height")
    bits, formats = first.get(258, [1]), first.get(339, [1])
    if any(b not in (8, 16) for b in bits) or any(f != 1 for f in formats):
        raise UnsupportedFormatError(
            f"a TIFF with samples of {int(bits[0])} bits, format {int(formats[0])}; 8- or 16-bit whole numbers are read"
        )
    for offsets, counts in ((273, 279), (324, 325)):
        for start, size in zip(first.get(offsets, []), first.get(counts, []), strict=False):
            if start + size > len(data):
                raise CorruptFileError("the TIFF names image data beyond its end: it is truncated")
    area, tile = first[256][0] * first[257][0], first.get(322, [0])[0] * first.get(323, [0])[0]
    if tile > max(4 * area, _MAX_SMALL_TILE):
        raise CorruptFileError("the TIFF claims tiles far larger than its image")
    pixel = None
    scale = {2: 1e6 / _INCH_UM, 3: 100.0}.get(int(first.get(296, [2])[0]))
    if scale and first.get(282) and first.get(283):
        pixel = _pixel_um(first[283][0] * scale, first[282][0] * scale)
    orientation = int(first.get(274, [1])[0])
    return ImageHeader("TIFF", int(first[257][0]), int(first[256][0]), pixel, orientation, _pages(data, order, at))


def _pages(data: bytes, order: str, at: int) -> int:
    """Count the image directories, which are chained by their positions."""
    pages = 0
    while at and pages < _MAX_PAGES:
        (count,) = struct.unpack_from(order + "H", data, at)
        (at,) = struct.unpack_from(order + "L", data, at + 2 + 12 * count)
        pages += 1
    return pages


def _tiff_directory(data: bytes, order: str, at: int) -> dict[int, list[float]]:
    """Return the numbers of the tags that matter in one image directory."""
    (count,) = struct.unpack_from(order + "H", data, at)
    if count > _MAX_ENTRIES:
        raise CorruptFileError(f"the TIFF claims {count} entries for one image")
    tags: dict[int, list[float]] = {}
    for i in range(count):
        place = at + 2 + 12 * i
        tag, kind, n = struct.unpack_from(order + "HHL", data, place)
        if tag not in _TIFF_TAGS or tag in tags or kind not in _TIFF_SIZES or not 0 < n <= _MAX_STRIPS:
            continue
        size = n * _TIFF_SIZES[kind]
        start = place + 8 if size <= 4 else struct.unpack_from(order + "L", data, place + 8)[0]
        if kind == 5:
            pairs = struct.unpack_from(f"{order}{2 * n}L", data, start)
            tags[tag] = [p / q if q else 0.0 for p, q in zip(pairs[::2], pairs[1::2], strict=True)]
        else:
            tags[tag] = list(struct.unpack_from(f"{order}{n}{_TIFF_LETTERS[kind]}", data, start))
    return tags


def _exif_orientation(body: bytes) -> int:
    """Return EXIF's orientation, 1 when there is none or it cannot be read."""
    try:
        order = "<" if body[:2] == b"II" else ">"
        (at,) = struct.unpack_from(order + "L", body, 4)
        return int(_tiff_directory(body, order, at).get(274, [1])[0])
    except (struct.error, IndexError, CorruptFileError):
        return 1
