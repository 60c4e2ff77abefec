"""2D images become reflectance: scaled, never rotated, the spacing given, every change a finding."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest

import ballistics
from ballistics.errors import (
    CorruptFileError,
    HostileFileError,
    ParameterError,
    UnitsError,
    UnsupportedFormatError,
)

RNG = np.random.Generator(np.random.PCG64(0))
GREY8 = RNG.integers(0, 256, (60, 90), np.uint8)
GREY16 = RNG.integers(0, 65536, (60, 90), np.uint16)


def write(tmp_path, name, image, options=()):
    path = tmp_path / name
    path.write_bytes(cv2.imencode(path.suffix, image, list(options))[1].tobytes())
    return path


def codes(surface):
    return [finding.code for finding in surface.findings]


def png_with(image, kind, body):
    """Return a PNG with one more part after its header."""
    data = cv2.imencode(".png", image)[1].tobytes()
    part = struct.pack(">L", len(body)) + kind + body + struct.pack(">L", zlib.crc32(kind + body))
    return data[:33] + part + data[33:]


def exif(orientation, order="<"):
    """Return EXIF data that hold an orientation."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(order + "HHLHH", 274, 3, 1, orientation, 0)
    return mark + struct.pack(order + "LH", 8, 1) + entry + struct.pack(order + "L", 0)


@pytest.mark.parametrize(
    ("suffix", "image"),
    [(".png", GREY8), (".png", GREY16), (".tif", GREY8), (".tiff", GREY16), (".bmp", GREY8)],
)
def test_grey_images(tmp_path, suffix, image):
    surface = ballistics.read(write(tmp_path, "a" + suffix, image), spacing_um=(5.0, 4.0))
    assert surface.kind == "reflectance"
    assert surface.spacing_um == (5.0, 4.0)
    np.testing.assert_array_equal(surface.heights_um, image / np.iinfo(image.dtype).max)
    assert surface.heights_um.dtype == np.float64
    assert surface.metadata["bits"] == image.dtype.itemsize * 8
    assert "colour-to-luminance" not in codes(surface)


def test_jpeg_is_lossy(tmp_path):
    smooth = cv2.GaussianBlur(GREY8, (0, 0), 5)
    surface = ballistics.read(write(tmp_path, "a.jpg", smooth, (cv2.IMWRITE_JPEG_QUALITY, 95)), spacing_um=5.0)
    assert "lossy-compression" in codes(surface)
    assert np.abs(surface.heights_um - smooth / 255).max() < 0.05


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_colour_becomes_luminance(tmp_path, dtype):
    full = np.iinfo(dtype).max
    image = RNG.integers(0, int(full) + 1, (60, 90, 3), dtype)
    surface = ballistics.read(write(tmp_path, "a.png", image), spacing_um=5.0)
    expected = (0.114 * image[..., 0] + 0.587 * image[..., 1] + 0.299 * image[..., 2]) / full
    np.testing.assert_allclose(surface.heights_um, expected, rtol=1e-12)
    assert codes(surface) == ["colour-to-luminance"]


def test_grey_kept_as_colour(tmp_path):
    image = np.stack([GREY8] * 3, axis=-1)
    surface = ballistics.read(write(tmp_path, "a.png", image), spacing_um=5.0)
    np.testing.assert_array_equal(surface.heights_um, GREY8 / 255)
    assert codes(surface) == ["grey-as-colour"]


def test_opacity_is_dropped(tmp_path):
    image = np.concatenate([np.stack([GREY8] * 3, axis=-1), GREY8[..., None] // 2], axis=-1)
    surface = ballistics.read(write(tmp_path, "a.png", image), spacing_um=5.0)
    np.testing.assert_array_equal(surface.heights_um, GREY8 / 255)
    assert codes(surface) == ["opacity-dropped", "grey-as-colour"]


def test_spacing_is_needed(tmp_path):
    with pytest.raises(UnsupportedFormatError, match="give it as spacing_um"):
        ballistics.read(write(tmp_path, "a.png", GREY8))


@pytest.mark.parametrize("spacing", [0.0, -1.0, float("nan"), float("inf"), (1.0, 2.0, 3.0)])
def test_spacing_must_be_a_length(tmp_path, spacing):
    with pytest.raises(ParameterError, match="spacing_um"):
        ballistics.read(write(tmp_path, "a.png", GREY8), spacing_um=spacing)


def test_spacing_in_the_wrong_unit_is_refused(tmp_path):
    with pytest.raises(UnitsError, match="pixel size"):
        ballistics.read(write(tmp_path, "a.png", GREY8), spacing_um=5e-6)


def test_units_do_not_apply(tmp_path):
    with pytest.raises(ParameterError, match="no lengths"):
        ballistics.read(write(tmp_path, "a.png", GREY8), spacing_um=5.0, units="micrometres")


@pytest.mark.parametrize(("given", "expected"), [(5.0, []), (6.0, ["resolution-disagrees"])])
def test_resolution_tags(tmp_path, given, expected):
    path = tmp_path / "a.png"
    path.write_bytes(png_with(GREY8, b"pHYs", struct.pack(">LLB", 200_000, 200_000, 1)))
    assert codes(ballistics.read(path, spacing_um=given)) == expected
    path = write(
        tmp_path,
        "a.tif",
        GREY8,
        (cv2.IMWRITE_TIFF_RESUNIT, 3, cv2.IMWRITE_TIFF_XDPI, 2000, cv2.IMWRITE_TIFF_YDPI, 2000),
    )
    assert codes(ballistics.read(path, spacing_um=given)) == expected


@pytest.mark.parametrize("order", ["<", ">"])
def test_orientation_is_not_applied(tmp_path, order):
    path = tmp_path / "a.png"
    path.write_bytes(png_with(GREY8, b"eXIf", exif(6, order)))
    surface = ballistics.read(path, spacing_um=5.0)
    np.testing.assert_array_equal(surface.heights_um, GREY8 / 255)
    assert codes(surface) == ["orientation-ignored"]
    jpeg = cv2.imencode(".jpg", GREY8)[1].tobytes()
    app1 = b"Exif\0\0" + exif(6, order)
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(app1) + 2) + app1 + jpeg[2:])
    surface = ballistics.read(path, spacing_um=5.0)
    assert surface.heights_um.shape == GREY8.shape
    assert "orientation-ignored" in codes(surface)


def test_pages(tmp_path):
    path = tmp_path / "a.tif"
    assert cv2.imwritemulti(str(path), [GREY8, GREY8[::-1]])
    surface = ballistics.read(path, spacing_um=5.0)
    np.testing.assert_array_equal(surface.heights_um, GREY8 / 255)
    assert "several-layers" in codes(surface)


def test_a_decoder_that_repairs_is_a_serious_finding(tmp_path, capfd):
    data = cv2.imencode(".jpg", GREY8)[1].tobytes()
    path = tmp_path / "a.jpg"
    path.write_bytes(data[: len(data) // 2] + b"\xff\xd9")
    surface = ballistics.read(path, spacing_um=5.0)
    assert {f.code: f.severity for f in surface.findings}["decoder-warning"] == "serious"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".bmp"])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.95])
def test_truncation(tmp_path, suffix, share, capfd):
    path = write(tmp_path, "a" + suffix, GREY8)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(CorruptFileError):
        ballistics.read(path, spacing_um=5.0)
    assert capfd.readouterr() == ("", "")


def test_dimensions_that_lie(tmp_path):
    data = bytearray(cv2.imencode(".png", GREY8)[1].tobytes())
    data[16:24] = struct.pack(">LL", 40_000, 40_000)
    data[29:33] = struct.pack(">L", zlib.crc32(bytes(data[12:29])))
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with pytest.raises(HostileFileError, match="raise height_limit_bytes"):
        ballistics.read(path, spacing_um=5.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floating_point_tiff(tmp_path, dtype):
    with pytest.raises(UnsupportedFormatError, match="8- or 16-bit"):
        ballistics.read(write(tmp_path, "a.tif", GREY8.astype(dtype)), spacing_um=5.0)


def test_other_layers(tmp_path):
    with pytest.raises(ParameterError, match="layer 1"):
        ballistics.read(write(tmp_path, "a.png", GREY8), spacing_um=5.0, layer=1)


def test_tiff_directories_that_never_end(tmp_path):
    data = bytearray(cv2.imencode(".tif", GREY8)[1].tobytes())
    (at,) = struct.unpack_from("<L", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    data[at + 2 + 12 * count : at + 6 + 12 * count] = struct.pack("<L", at)  # the next directory is this one
    path = tmp_path / "a.tif"
    path.write_bytes(data)
    surface = ballistics.read(path, spacing_um=5.0)
    assert "several-layers" in codes(surface)


def test_tiff_of_absurdly_many_entries(tmp_path):
    path = tmp_path / "a.tif"
    path.write_bytes(b"II*\0" + struct.pack("<LH", 8, 65535) + b"\x00\x01\x04\x00\xff\xff\xff\x0f\0\0\0\0" * 65535)
    with pytest.raises(CorruptFileError, match="entries"):
        ballistics.read(path, spacing_um=5.0)


def test_tiff_of_tiles_far_larger_than_the_image(tmp_path):
    entries = [(256, 4, 90), (257, 4, 60), (258, 3, 8), (322, 4, 1 << 20), (323, 4, 1 << 20), (324, 4, 8), (325, 4, 8)]
    packed = b"".join(struct.pack("<HHLL", tag, kind, 1, value) for tag, kind, value in entries)
    path = tmp_path / "a.tif"
    path.write_bytes(b"II*\0" + struct.pack("<LH", 8, len(entries)) + packed + struct.pack("<L", 0) + b"x" * 64)
    with pytest.raises(CorruptFileError, match="tiles"):
        ballistics.read(path, spacing_um=5.0)
