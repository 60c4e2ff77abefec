"""Digital Surf files: units in any code page, compressed, several surfaces, flags; the control is SurfaceTopography."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from sur_samples import DOS, LATIN1, UTF8, sur
from x3p_samples import surfacetopography_reader

import ballistics
from ballistics.errors import CorruptFileError, HostileFileError, ParameterError, ReadError, UnsupportedFormatError

RAW = np.cumsum(np.random.Generator(np.random.PCG64(0)).integers(-300, 300, (120, 160)), axis=1)
UM = RAW * 0.001


def read(tmp_path, data, name="a.sur", **options):
    (tmp_path / name).write_bytes(data)
    return ballistics.read(tmp_path / name, **options)


def codes(surface):
    return [finding.code for finding in surface.findings]


@pytest.mark.parametrize("unit", [UTF8, LATIN1, DOS, "μm".encode(), b"um", b"\xc2\xb5m\0junk"])
@pytest.mark.parametrize("bits", [16, 32])
def test_units_in_any_code_page(tmp_path, unit, bits):
    surface = read(tmp_path, sur(RAW, units=(unit,) * 3, bits=bits))
    np.testing.assert_allclose(surface.heights_um, UM, rtol=1e-6)
    assert surface.spacing_um == pytest.approx((3.125, 3.125))
    assert codes(surface) == []
    assert surface.metadata["comment"] == "made by a test"


def test_units_of_their_own_and_offset(tmp_path):
    units = {"units": (b"mm", b"mm", b"nm"), "length_units": (b"mm", b"mm", UTF8)}
    surface = read(tmp_path, sur(RAW, step=0.003125, z_step=1.0, offset=2.5, **units))
    np.testing.assert_allclose(surface.heights_um, UM + 2.5, rtol=1e-6)
    assert surface.spacing_um == pytest.approx((3.125, 3.125))


def test_the_same_as_surfacetopography(tmp_path):
    reader = surfacetopography_reader("SUR", "SURReader")
    marked, limits = np.where(RAW > 3000, RAW.min() - 2, RAW), (int(RAW.min()), int(RAW.max()))
    data = sur(marked, special=1, limits=limits, units=(b"mm",) * 3, step=0.003125, z_step=1e-6)
    surface = read(tmp_path, data)
    twin = reader(str(tmp_path / "a.sur")).topography()
    np.testing.assert_allclose(
        surface.heights_um, np.ma.filled(twin.heights().T.astype(float), np.nan) * 1e3, rtol=1e-6
    )
    assert np.isnan(surface.heights_um).sum() == (RAW > 3000).sum()
    assert codes(surface) == ["points-marked-missing"]


@pytest.mark.parametrize("streams", [1, 4])
def test_compressed(tmp_path, streams):
    surface = read(tmp_path, sur(RAW, compressed=True, streams=streams))
    np.testing.assert_allclose(surface.heights_um, UM, rtol=1e-6)
    assert codes(surface) == []


def test_several_surfaces_and_an_image_between_them(tmp_path):
    image = sur(RAW, units=(UTF8, UTF8, b""), name=b"light")
    data = sur(RAW, objects=3, kind=8, name=b"first") + image + sur(RAW[:, ::-1], name=b"second", compressed=True)
    surface = read(tmp_path, data)
    assert codes(surface) == ["several-layers"]
    assert "'first', 'second'" in surface.findings[0].message
    np.testing.assert_allclose(surface.heights_um, UM, rtol=1e-6)
    np.testing.assert_allclose(read(tmp_path, data, layer=1).heights_um, UM[:, ::-1], rtol=1e-6)
    with pytest.raises(ParameterError, match="the file has 2"):
        read(tmp_path, data, layer=2)


def test_flags_are_told(tmp_path):
    replica = read(tmp_path, sur(RAW, imprint=1))
    assert [(f.code, f.severity) for f in replica.findings] == [("replica-stated", "serious")]
    np.testing.assert_allclose(replica.heights_um, UM, rtol=1e-6)
    for flag, turned in ((1, -UM), (2, -UM[:, ::-1]), (3, -UM[::-1])):
        surface = read(tmp_path, sur(RAW, inverted=flag))
        assert [(f.code, f.severity) for f in surface.findings] == [("inverted-stated", "serious")]
        np.testing.assert_allclose(surface.heights_um, turned, rtol=1e-6)


def test_big_endian_and_profile(tmp_path):
    surface = read(tmp_path, sur(RAW, order=">"))
    np.testing.assert_allclose(surface.heights_um, UM, rtol=1e-6)
    assert codes(surface) == ["big-endian"]
    profile = read(tmp_path, sur(RAW[:1], kind=1, units=(UTF8, b"", UTF8)), name="a.pro")
    assert (profile.kind, profile.heights_um.shape) == ("profile", (1, 160))


def test_not_a_surface(tmp_path):
    with pytest.raises(UnsupportedFormatError, match="hyperspectral map"):
        read(tmp_path, sur(RAW, kind=21))
    with pytest.raises(UnsupportedFormatError, match="no unit of length"):
        read(tmp_path, sur(RAW, units=(UTF8, UTF8, b"V")))
    with pytest.raises(UnsupportedFormatError, match="unit of x is 'px'"):
        read(tmp_path, sur(RAW, units=(b"px", UTF8, UTF8)))


def test_files_that_lie(tmp_path):
    good, packed = sur(RAW), sur(RAW, compressed=True)
    with pytest.raises(CorruptFileError, match="truncated"):
        read(tmp_path, good[:-1])
    with pytest.raises(CorruptFileError, match="does not begin"):
        read(tmp_path, good[:14] + struct.pack("<h", 2) + good[16:] + bytes(600))
    with pytest.raises(CorruptFileError, match="points, but 1 in all"):
        read(tmp_path, good[:116] + struct.pack("<l", 1) + good[120:])
    with pytest.raises(HostileFileError, match="more than the limit"):
        read(tmp_path, good[:108] + struct.pack("<lll", 40_000, 40_000, 1_600_000_000) + good[120:])
    at = 512 + len(b"made by a test")
    with pytest.raises(CorruptFileError, match=r"claims? \d+ bytes"):
        read(tmp_path, packed[: at + 4] + struct.pack("<L", 2**31) + packed[at + 8 :])
    with pytest.raises(ReadError):
        read(tmp_path, packed[: at + 40] + bytes(30) + packed[at + 70 :])
