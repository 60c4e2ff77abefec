"""Small al3d and TMD files, as the makers write them or wrong on purpose."""

from __future__ import annotations

import struct

import numpy as np

COMMENT = b"Created by TrueMap v6\r\n\x00"


def tmd(values, *, comment=COMMENT, size=None, lengths=(0.8, 0.35), offsets=(0.0, 0.0)):
    """Return the bytes of a TMD file; values and lengths in millimetres."""
    rows, columns = size or values.shape
    return (
        b"Binary TrueMap Data File v2.0\r\n\x00"
        + comment
        + struct.pack("<IIffff", columns, rows, *lengths, *offsets)
        + values.astype("<f4").tobytes()
    )


def al3d(values, *, pad=True, invalid="nan", texture=b"", **overrides):
    """Return the bytes of an al3d file."""
    rows, columns = values.shape
    tags = {
        "Cols": columns,
        "Rows": rows,
        "DepthImageOffset": 0,
        "InvalidPixelValue": invalid,
        "PixelSizeYMeter": "4e-6",
        "PixelSizeXMeter": "5e-6",
        "TextureImageOffset": 0,
        **overrides,
    }
    start = 17 + 52 * (len(tags) + 2) + 256
    width = (columns + 1) // 2 * 2 if pad else columns
    grid = np.zeros((rows, width), "<f4")
    grid[:, :columns] = values
    if "DepthImageOffset" not in overrides:
        tags["DepthImageOffset"] = start
    if texture:
        tags["TextureImageOffset"] = start + grid.nbytes
    lines = {"Version": 1, "TagCount": len(tags), **tags}
    header = b"".join(
        k.encode().ljust(20, b"\0") + str(v).encode().ljust(30, b"\0") + b"\r\n" for k, v in lines.items()
    )
    return b"AliconaImaging\x00\r\n" + header + b"\0" * 254 + b"\r\n" + grid.tobytes() + texture
