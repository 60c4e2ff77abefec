"""GelSight TMD: millimetres become micrometres; headers that lie are refused."""

from __future__ import annotations

import numpy as np
import pytest
from microscope_samples import tmd
from x3p_samples import surfacetopography_reader

import ballistics
from ballistics.errors import CorruptFileError, HostileFileError, UnitsError


@pytest.fixture
def heights():
    return (np.random.Generator(np.random.PCG64(0)).normal(size=(70, 80)) * 3e-3).astype(np.float32)


def write(tmp_path, data):
    path = tmp_path / "a.tmd"
    path.write_bytes(data)
    return path


def test_reads_millimetres(tmp_path, heights):
    heights[1, 2] = np.nan
    surface = ballistics.read(write(tmp_path, tmd(heights, offsets=(0.5, 0.25))))
    np.testing.assert_array_equal(surface.heights_um, heights.astype(float) * 1e3)
    assert surface.spacing_um == pytest.approx((5.0, 10.0))
    assert surface.metadata["comment"] == "Created by TrueMap v6"
    assert surface.metadata["offset_um"] == (250.0, 500.0)
    assert surface.findings == ()


def test_surfacetopography_agrees(tmp_path, heights):
    path = write(tmp_path, tmd(heights))
    theirs = surfacetopography_reader("TMD", "TMDReader")(str(path)).topography()
    ours = ballistics.read(path)
    np.testing.assert_array_equal(ours.heights_um, np.asarray(theirs.heights()).T.astype(float) * 1e3)
    columns, rows = theirs.pixel_size
    assert ours.spacing_um == pytest.approx((rows * 1e3, columns * 1e3))


@pytest.mark.parametrize("comment", [b"\x00", b"GelSight\x00", b"x" * 300 + b"\x00"])
def test_comment_of_any_length(tmp_path, heights, comment):
    surface = ballistics.read(write(tmp_path, tmd(heights, comment=comment)))
    np.testing.assert_array_equal(surface.heights_um, heights.astype(float) * 1e3)


def test_trailing_bytes_are_a_finding(tmp_path, heights):
    assert [f.code for f in ballistics.read(write(tmp_path, tmd(heights) + b"xy")).findings] == ["trailing-bytes"]


def test_micrometres_written_as_millimetres(tmp_path, heights):
    path = write(tmp_path, tmd(heights * 1e3, lengths=(800.0, 350.0)))
    with pytest.raises(UnitsError, match="units='micrometres'"):
        ballistics.read(path)
    assert ballistics.read(path, units="micrometres").spacing_um == pytest.approx((5.0, 10.0))


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"size": (40_000, 40_000)}, HostileFileError, "raise height_limit_bytes"),
        ({"size": (0, 80)}, CorruptFileError, "positive"),
        ({"size": (71, 80)}, CorruptFileError, "truncated"),
        ({"lengths": (0.0, 1.0)}, CorruptFileError, "x length"),
        ({"lengths": (1.0, float("nan"))}, CorruptFileError, "y length"),
        ({"comment": b"x" * 30_000}, CorruptFileError, "no end"),
    ],
)
def test_headers_that_lie(tmp_path, heights, options, error, words):
    data = tmd(heights + 0.5 if "comment" in options else heights, **options)
    if "comment" in options:
        data = data[:20_000]
    with pytest.raises(error, match=words):
        ballistics.read(write(tmp_path, data))


@pytest.mark.parametrize("size", [31, 40, 60, 75])
def test_cut_inside_the_header(tmp_path, heights, size):
    with pytest.raises(CorruptFileError):
        ballistics.read(write(tmp_path, tmd(heights)[:size]))
