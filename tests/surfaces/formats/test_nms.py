"""NanoFocus NMS: the pixel in nanometres, settled against what a microscope can have; headers that lie are refused."""

from __future__ import annotations

import struct

import numpy as np
import pytest

import ballistics
from ballistics.errors import CorruptFileError, HostileFileError, UnsupportedFormatError

STEPS = np.random.Generator(np.random.PCG64(0)).integers(0, 65536, (60, 80)).astype("<u2")


def nms(*, pixel=(12_500.0, 10_000.0), heights=(-2.0, 5.0), size=(80, 60), mark=b"OM_MS_2.0", highest=65535):
    header = bytearray(3468)
    struct.pack_into("<LLLLdd", header, 0, 2, 1, 0, highest, *heights)
    header[32 : 32 + len(mark)] = mark
    struct.pack_into("<LLdd", header, 1368, *size, *pixel)
    return bytes(header) + STEPS.tobytes()


def read(tmp_path, data):
    (tmp_path / "a.nms").write_bytes(data)
    return ballistics.read(tmp_path / "a.nms")


@pytest.mark.parametrize("pixel", [(12_500.0, 10_000.0), (0.0125, 0.01)])
def test_the_pixel(tmp_path, pixel):
    surface = read(tmp_path, nms(pixel=pixel))
    assert surface.spacing_um == pytest.approx((10.0, 12.5))
    np.testing.assert_allclose(surface.heights_um, -2.0 + STEPS * (7.0 / 65535), rtol=1e-12)
    assert [f.code for f in surface.findings] == ["pixel-unit-settled"]


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"pixel": (1e-9, 1e-9)}, UnsupportedFormatError, "neither as nanometres"),
        ({"pixel": (np.nan, 1.0)}, CorruptFileError, "positive lengths"),
        ({"heights": (1.0, np.inf)}, CorruptFileError, "heights range"),
        ({"size": (90, 60)}, CorruptFileError, "truncated"),
        ({"size": (2**31, 2**31)}, HostileFileError, "limit"),
        ({"mark": b"xx"}, UnsupportedFormatError, "not that of a NanoFocus"),
        ({"highest": 0}, UnsupportedFormatError, "not that of a NanoFocus"),
    ],
)
def test_headers_that_lie(tmp_path, options, error, words):
    with pytest.raises(error, match=words):
        read(tmp_path, nms(**options))
    with pytest.raises(CorruptFileError, match="truncated"):
        read(tmp_path, nms()[:2000])
