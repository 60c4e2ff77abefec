"""Alicona al3d: padded and unpadded rows, invalid points, hostile headers."""

from __future__ import annotations

import numpy as np
import pytest
from microscope_samples import al3d
from x3p_samples import surfacetopography_reader

import ballistics
from ballistics.errors import CorruptFileError, HostileFileError, ParameterError


@pytest.fixture
def heights():
    return (np.random.Generator(np.random.PCG64(0)).normal(size=(70, 81)) * 3e-6).astype(np.float32)


def write(tmp_path, data):
    path = tmp_path / "a.al3d"
    path.write_bytes(data)
    return path


def test_the_twin(formats):
    ours = ballistics.read(formats / "circle.al3d", units="as written")
    twin = ballistics.read(formats / "circle.x3p", units="as written")
    np.testing.assert_array_equal(ours.heights_um, twin.heights_um)
    np.testing.assert_allclose(ours.spacing_um, twin.spacing_um, rtol=1e-14)


@pytest.mark.parametrize("pad", [True, False])
@pytest.mark.parametrize("columns", [80, 81])
@pytest.mark.parametrize("texture", [b"", b"t" * 999])
def test_rows_padded_or_not(tmp_path, heights, pad, columns, texture):
    values = heights[:, :columns]
    path = write(tmp_path, al3d(values, pad=pad, texture=texture))
    surface = ballistics.read(path)
    np.testing.assert_array_equal(surface.heights_um, values.astype(float) * 1e6)
    assert surface.spacing_um == pytest.approx((4.0, 5.0))
    odd = columns == 81 and not pad
    assert [f.code for f in surface.findings] == (["rows-not-padded"] if odd else [])


def test_surfacetopography_agrees_on_padded_rows(tmp_path, heights):
    path = write(tmp_path, al3d(heights))
    theirs = surfacetopography_reader("AL3D", "AL3DReader")(str(path)).topography()
    ours = ballistics.read(path)
    np.testing.assert_array_equal(ours.heights_um, np.asarray(theirs.heights()).T.astype(float) * 1e6)


def test_invalid_points(tmp_path, heights):
    heights[3, 4] = np.float32(-0.0123456)
    heights[5, 6] = np.nan
    surface = ballistics.read(write(tmp_path, al3d(heights, invalid="-0.0123456")))
    assert np.argwhere(np.isnan(surface.heights_um)).tolist() == [[3, 4], [5, 6]]


@pytest.mark.parametrize(
    ("overrides", "error", "words"),
    [
        ({"Rows": 40_000, "Cols": 40_000}, HostileFileError, "raise height_limit_bytes"),
        ({"Rows": 0}, CorruptFileError, "positive"),
        ({"Rows": -1}, CorruptFileError, "Rows"),
        ({"Rows": "x"}, CorruptFileError, "Rows"),
        ({"Rows": 10_000, "Cols": 10_000}, CorruptFileError, "truncated"),
        ({"DepthImageOffset": 10}, CorruptFileError, "DepthImageOffset"),
        ({"DepthImageOffset": 10**11}, CorruptFileError, "truncated"),
        ({"PixelSizeXMeter": "0"}, CorruptFileError, "PixelSizeXMeter"),
        ({"PixelSizeXMeter": "nan"}, CorruptFileError, "PixelSizeXMeter"),
        ({"InvalidPixelValue": "what"}, CorruptFileError, "InvalidPixelValue"),
        ({"TagCount": 10**9}, CorruptFileError, "a few dozen"),
    ],
)
def test_headers_that_lie(tmp_path, heights, overrides, error, words):
    with pytest.raises(error, match=words):
        ballistics.read(write(tmp_path, al3d(heights, **overrides)))


def test_damaged_line_end(tmp_path, heights):
    data = bytearray(al3d(heights))
    data[17 + 50] = 0
    with pytest.raises(CorruptFileError, match="header line 1"):
        ballistics.read(write(tmp_path, bytes(data)))


def test_one_layer_only(tmp_path, heights):
    with pytest.raises(ParameterError, match="holds one"):
        ballistics.read(write(tmp_path, al3d(heights)), layer=1)
