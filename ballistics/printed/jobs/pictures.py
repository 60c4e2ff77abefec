"""Pictures that files carry: format and size by their first bytes, and a safe way to show them."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.content.job_facts import Picture
from ballistics.printed.content.mesh_content import Thumbnail

_MOST_PIXELS = 4_000_000
_QOI_HEADER = 14
_SMALL = 160


def picture_of(thumbnail: Thumbnail) -> Picture:
    """Return format and size of a picture without decoding it.

    Examples
    --------
    >>> picture_of(Thumbnail("a", b"qoif" + bytes([0, 0, 0, 16, 0, 0, 0, 9, 4, 0])))
    Picture(name='a', format='QOI', width=16, height=9, size_bytes=14)
    """
    data = thumbnail.data
    kind, width, height = "unknown", 0, 0
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        kind = "PNG"
        if len(data) >= 24:
            width, height = struct.unpack_from(">LL", data, 16)
    elif data.startswith(b"qoif"):
        kind = "QOI"
        if len(data) >= _QOI_HEADER:
            width, height = struct.unpack_from(">LL", data, 4)
    elif data.startswith(b"\xff\xd8"):
        kind = "JPEG"
        width, height = _jpeg_size(data)
    return Picture(thumbnail.name, kind, width, height, len(data))


def _jpeg_size(data: bytes) -> tuple[int, int]:
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        # Frames SOF0 to SOF15, without the tables DHT, JPG and DAC between them.
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + struct.unpack_from(">H", data, at + 2)[0]
    return 0, 0


def decoded(thumbnail: Thumbnail) -> NDArray[np.uint8] | None:
    """Return a picture as RGBA or RGB pixels, or None when it is too large, damaged or of an unknown format.

    Parameters
    ----------
    thumbnail : Thumbnail

    Returns
    -------
    ndarray of uint8, shape (height, width, 3 or 4), or None
        Drawn anew, so that nothing of the file's bytes gets onto a page.
    """
    picture = picture_of(thumbnail)
    if not 0 < picture.width * picture.height <= _MOST_PIXELS:
        return None
    if picture.format == "QOI":
        return _qoi(thumbnail.data, picture.width, picture.height)
    if picture.format not in ("PNG", "JPEG"):
        return None
    import cv2

    try:
        pixels = cv2.imdecode(np.frombuffer(thumbnail.data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if pixels is None or pixels.dtype != np.uint8:
        return None
    if pixels.ndim == 2:
        return np.repeat(pixels[:, :, None], 3, axis=2)
    if pixels.shape[2] not in (3, 4):
        return None
    return np.ascontiguousarray(pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]])


def _qoi(data: bytes, width: int, height: int) -> NDArray[np.uint8]:
    """Return the pixels of a QOI picture (Dominic Szablewski, QOI specification 1.0); what is missing stays clear."""
    out = np.zeros((width * height, 4), np.uint8)
    seen: list[tuple[int, int, int, int]] = [(0, 0, 0, 0)] * 64
    r, g, b, a = 0, 0, 0, 255
    at, n = _QOI_HEADER, 0
    while n < len(out) and at < len(data):
        tag = data[at]
        at += 1
        run = 1
        if tag >= 0xFE:
            part = data[at : at + (4 if tag == 0xFF else 3)]
            if len(part) < (4 if tag == 0xFF else 3):
                break
            at += len(part)
            r, g, b = part[0], part[1], part[2]
            a = part[3] if tag == 0xFF else a
        elif tag < 0x40:
            r, g, b, a = seen[tag]
        elif tag < 0x80:
            r, g, b = (r + (tag >> 4 & 3) - 2) & 255, (g + (tag >> 2 & 3) - 2) & 255, (b + (tag & 3) - 2) & 255
        elif tag < 0xC0:
            if at >= len(data):
                break
            green = (tag & 63) - 32
            r = (r + green + (data[at] >> 4) - 8) & 255
            b = (b + green + (data[at] & 15) - 8) & 255
            g = (g + green) & 255
            at += 1
        else:
            run = (tag & 63) + 1
        seen[(3 * r + 5 * g + 7 * b + 11 * a) % 64] = (r, g, b, a)
        out[n : n + run] = (r, g, b, a)
        n += run
    return out.reshape(height, width, 4)


def small_png(thumbnail: Thumbnail) -> bytes:
    """Return a picture as a PNG whose longer side has at most 160 points, drawn anew; empty when it cannot be shown."""
    import cv2

    image = decoded(thumbnail)
    if image is None:
        return b""
    scale = _SMALL / max(image.shape[:2])
    if scale < 1.0:
        size = (max(round(image.shape[1] * scale), 1), max(round(image.shape[0] * scale), 1))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    order = [2, 1, 0, 3][: image.shape[2]]
    return bytes(cv2.imencode(".png", np.ascontiguousarray(image[:, :, order]))[1].tobytes())
