"""Sizes exchanged and bytes swapped: noticed on real scans turned so, and on none as it is."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import DATA
from microscope_samples import al3d
from x3p_samples import grid_axes, link, matrix, write_x3p_sample

import ballistics
from ballistics.files.binary import native_order
from ballistics.surfaces.formats.grid_layout import exchanged_sizes


@pytest.fixture(scope="module")
def land():
    """A real land, 422 x 1515 points, every other column, in metres."""
    paths = sorted((DATA / "bullets" / "hamby44-barrel1").glob("*.x3p"))
    if not paths:
        pytest.skip("no 'bullets' in the data: not tested on these files")
    return ballistics.read(paths[0]).heights_um[:, ::2] * 1e-6


@pytest.mark.parametrize("turned", [False, True])
def test_exchanged_sizes(land, turned):
    heights = land.T.copy() if turned else land
    assert exchanged_sizes(heights) == []
    (finding,) = exchanged_sizes(heights.reshape(heights.shape[::-1]))
    assert (finding.code, finding.severity) == ("sizes-exchanged", "serious")


@pytest.mark.parametrize("name", ["Fadul-P.x3p", "Fadul-Q.x3p"])
def test_one_row_more_than_columns(fadul, name):
    """The shift is a single point a row: told by the ends of the rows and by the mask."""
    heights = ballistics.read(fadul / name).heights_um
    rows, columns = heights.shape
    assert abs(rows - columns) == 1
    assert exchanged_sizes(heights) == []
    assert [f.code for f in exchanged_sizes(heights.reshape(columns, rows))] == ["sizes-exchanged"]


@pytest.mark.parametrize("degrees", range(0, 180, 15))
def test_ridges_of_any_direction_are_no_alarm(degrees):
    y, x = np.mgrid[:101, :100] * 1.0
    angle = np.radians(degrees)
    rng = np.random.Generator(np.random.PCG64(1))
    ridges = np.sin((x * np.sin(angle) + y * np.cos(angle)) * 1.3) + 0.05 * rng.normal(size=x.shape)
    for mask in (np.zeros(x.shape, bool), np.hypot(x - 50, y - 50) > 45):
        assert exchanged_sizes(np.where(mask, np.nan, ridges)) == []


@pytest.mark.parametrize("shape", [(50, 50), (4, 900), (1, 200)])
def test_nothing_to_tell(shape):
    assert exchanged_sizes(np.random.Generator(np.random.PCG64(1)).normal(size=shape)) == []
    assert exchanged_sizes(np.full((60, 80), np.nan)) == []


@pytest.mark.parametrize("kind", ["f8", "f4", "i4", "i2"])
def test_swapped_bytes(land, kind):
    values = land / 2e-8 if kind[0] == "i" else land
    values = np.nan_to_num(values) if kind[0] == "i" else values
    good = np.ascontiguousarray(values).astype(f"<{kind}")
    np.testing.assert_array_equal(native_order(good)[0], good)
    assert native_order(good)[1] == []
    mended, findings = native_order(good.byteswap())
    assert [(f.code, f.severity) for f in findings] == [("byte-order-swapped", "serious")]
    np.testing.assert_array_equal(mended, good)


@pytest.mark.parametrize("kind", ["f8", "f4", "i4", "i2", "i1"])
def test_noise_and_constants_are_left(kind):
    rng = np.random.Generator(np.random.PCG64(1))
    for values in (rng.normal(size=5000) * 100, np.zeros(5000), np.full(5000, 7.0), rng.normal(size=10)):
        assert native_order(values.astype(kind))[1] == []


def test_big_endian_files(tmp_path, land):
    part = np.ascontiguousarray(land[:200, :300])
    rows, columns = part.shape
    data = part.astype(">f8").tobytes()
    path = write_x3p_sample(tmp_path / "a.x3p", data, size=matrix(columns, rows), axes=grid_axes("D"), data=link(data))
    surface = ballistics.read(path)
    assert [f.code for f in surface.findings] == ["byte-order-swapped"]
    np.testing.assert_allclose(surface.heights_um, part * 1e6, rtol=1e-12)
    (tmp_path / "a.al3d").write_bytes(al3d(part.astype("<f4").byteswap().view("<f4")))
    surface = ballistics.read(tmp_path / "a.al3d")
    assert [f.code for f in surface.findings] == ["byte-order-swapped"]
    np.testing.assert_allclose(surface.heights_um, part * 1e6, rtol=1e-6)
