"""Builds Digital Surf files, plain and compressed, with one object or several, byte by byte."""

from __future__ import annotations

import itertools
import struct
import zlib

import numpy as np

UTF8, LATIN1, DOS = "µm".encode(), "µm".encode("latin-1"), b"\xe6m"


def sur(
    raw,
    *,
    step=3.125,
    z_step=0.001,
    units=(UTF8, UTF8, UTF8),
    length_units=None,
    ratios=(1.0, 1.0, 1.0),
    bits=32,
    compressed=False,
    objects=1,
    kind=2,
    special=0,
    imprint=0,
    inverted=0,
    offset=0.0,
    name=b"",
    order="<",
    limits=None,
    p_size=0,
    w_size=0,
    streams=1,
):
    """Return one object: its header of 512 bytes, a comment, and the points (whole numbers)."""
    rows, columns = raw.shape
    data = raw.astype(f"{order}i{bits // 8}").tobytes()
    lowest, highest = limits or (int(raw.min()), int(raw.max()))
    packed = data
    if compressed:
        cuts = np.linspace(0, len(data), streams + 1).astype(int)
        pieces = [data[a:b] for a, b in itertools.pairwise(cuts)]
        streams_packed = [zlib.compress(piece) for piece in pieces]
        packed = struct.pack("<L", streams)
        for piece, stream in zip(pieces, streams_packed, strict=True):
            packed += struct.pack("<LL", len(piece), len(stream))
        packed += b"".join(streams_packed)
    comment = b"made by a test"
    words = [unit.ljust(16) for unit in (*units, *(length_units or units))]
    header = (
        (b"DSCOMPRESSED" if compressed else b"DIGITAL SURF")
        + struct.pack(f"{order}hhhh", 0 if order == "<" else 257, objects, 1, kind)
        + name.ljust(30)
        + b"a test".ljust(30)
        + struct.pack(f"{order}hhhhh", p_size, 0, 0, special, 1)
        + struct.pack(f"{order}fLh", 0.0, w_size, bits)
        + struct.pack(f"{order}lllll", lowest, highest, columns, rows, raw.size)
        + struct.pack(f"{order}fff", step, step, z_step)
        + b"X".ljust(16)
        + b"Y".ljust(16)
        + b"Z".ljust(16)
        + b"".join(words)
        + struct.pack(f"{order}fff", *ratios)
        + struct.pack(f"{order}hhh", imprint, inverted, 0)
        + bytes(12)
        + struct.pack(f"{order}hhhhhhh", 0, 47, 4, 7, 30, 11, 2026)
        + struct.pack(f"{order}f", 0.0)
        + struct.pack(f"{order}L", len(packed) if compressed else 0)
        + bytes(6)
        + struct.pack(f"{order}hh", len(comment), 0)
        + bytes(128)
        + struct.pack(f"{order}fff", 0.0, 0.0, offset)
        + bytes(34)
    )
    assert len(header) == 512, len(header)
    return header + comment + packed
