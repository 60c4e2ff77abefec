"""What we write: identical when read back, the same bytes every time, readable by others."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest
import verity_x3p
import x3pio
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from property_tests import examples

import ballistics
from ballistics import Finding, Mark, Step, Surface
from ballistics.errors import WriteError

# Below 1e-290 µm the metres are subnormal and lose digits; no height is that small.
HEIGHTS = st.one_of(st.floats(-4000, 4000).map(lambda h: h if abs(h) > 1e-290 else 0.0), st.just(float("nan")))
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)


def ulps(a, b):
    """Distance in units in the last place; 0 where both are missing."""
    assert np.array_equal(np.isnan(a), np.isnan(b))
    return np.nanmax(np.abs(a - b) / np.spacing(np.abs(b)), initial=0.0)


@examples(40)
@given(
    heights=hnp.arrays(np.float64, SHAPES, elements=HEIGHTS),
    step=st.floats(0.05, 50),
    ratio=st.floats(0.5, 2),
)
def test_round_trip(tmp_path_factory, heights, step, ratio):
    path = tmp_path_factory.mktemp("x") / "a.x3p"
    ballistics.write_x3p(path, Surface(heights, (step * ratio, step)))
    once = ballistics.read(path, units="as written")
    # Not every float64 number of micrometres is a float64 number of metres: at most the last bit differs.
    assert ulps(once.heights_um, heights) <= 1
    assert ulps(np.array(once.spacing_um), np.array([step * ratio, step])) <= 1
    # From then on nothing changes any more.
    ballistics.write_x3p(path, once, overwrite=True)
    twice = ballistics.read(path, units="as written")
    assert twice.heights_um.tobytes() == once.heights_um.tobytes()
    assert twice.spacing_um == once.spacing_um
    assert twice.provenance.inputs["array"] == once.provenance.inputs["array"]


@examples(40)
@given(heights=hnp.arrays(np.float32, SHAPES, elements=st.floats(-100, 100, width=32)))
def test_marks_come_back_bit_for_bit(tmp_path_factory, heights):
    path = tmp_path_factory.mktemp("x") / "a.x3p"
    ballistics.write_x3p(path, Mark("breech face", heights, 6.25, origin_um=(12.5, -30.0)))
    back = ballistics.read(path, units="as written")
    np.testing.assert_array_equal(back.heights_um.astype(np.float32), heights)
    assert back.spacing_um == (6.25, 6.25)
    assert back.metadata["offset_um"] == pytest.approx((12.5, -30.0))


def test_real_scan_comes_back_identical(fadul, tmp_path):
    original = ballistics.read(fadul / "Fadul-1-1.x3p")
    back = ballistics.read(ballistics.write_x3p(tmp_path / "a.x3p", original))
    assert back.provenance.inputs["array"] == original.provenance.inputs["array"]
    assert back.spacing_um == original.spacing_um
    assert {f.code for f in back.findings} == {"processing-record"}
    for key in ("date", "creator", "instrument_model", "comment", "probing_type"):
        assert back.metadata[key] == original.metadata[key]


def test_profiles_and_points_come_back(tmp_path):
    rng = np.random.Generator(np.random.PCG64(0))
    coordinates = rng.random((1, 300, 2)) * 1000
    for kind in ("profile", "points"):
        item = Surface(rng.random((1, 300)), (2.0, 2.0), kind=kind, coordinates_um=coordinates)
        back = ballistics.read(ballistics.write_x3p(tmp_path / f"{kind}.x3p", item), units="as written")
        assert back.kind == kind
        np.testing.assert_allclose(back.coordinates_um, coordinates, rtol=3e-16)
        np.testing.assert_allclose(back.heights_um, item.heights_um, rtol=3e-16)
    plain = Surface(rng.random((1, 300)), (2.0, 2.0), kind="profile")
    assert ballistics.read(ballistics.write_x3p(tmp_path / "b.x3p", plain)).kind == "profile"


def test_same_item_same_bytes(tmp_path):
    surface = Surface(np.random.Generator(np.random.PCG64(1)).random((50, 70)), (6.25, 6.25), metadata={"b": 1, "a": 2})
    again = Surface(surface.heights_um.copy(order="F"), (6.25, 6.25), metadata={"a": 2, "b": 1})
    a = ballistics.write_x3p(tmp_path / "a.x3p", surface).read_bytes()
    b = ballistics.write_x3p(tmp_path / "b.x3p", again).read_bytes()
    assert a == b


@pytest.mark.parametrize("kind", ["topography", "profile", "points"])
def test_other_readers_agree(tmp_path, kind):
    rng = np.random.Generator(np.random.PCG64(2))
    shape = (40, 50) if kind == "topography" else (1, 200)
    heights = rng.normal(size=shape)
    heights[0, ::7] = np.nan
    coordinates = rng.random((*shape, 2)) * 500 if kind == "points" else None
    metadata = {
        "date": "2020-01-02T03:04:05",
        "calibration_date": "2020-01-01T00:00:00",
        "probing_type": "NonContacting",
        "probing_identification": "10x",
        "instrument_manufacturer": "A & B <maker>",
    }
    path = ballistics.write_x3p(
        tmp_path / "a.x3p",
        Surface(heights, (5.0, 4.0), kind=kind, coordinates_um=coordinates, metadata=metadata),
    )
    theirs = x3pio.read(path)
    # x3pio leaves the missing points of a cloud out.
    ours = heights[np.isfinite(heights)] if kind == "points" else heights
    np.testing.assert_allclose(np.asarray(theirs.layers[0].z).reshape(ours.shape) * 1e6, ours, rtol=1e-15)
    assert theirs.header.x.increment == pytest.approx(1.0 if kind == "points" else 4e-6)
    if kind == "topography":
        rust = verity_x3p.read_x3p(str(path))
        np.testing.assert_allclose(rust.data * 1e6, heights, rtol=1e-15)
        assert (rust.increment_y, rust.increment_x) == pytest.approx((5e-6, 4e-6))


def test_a_file_without_a_date_is_read_by_others(tmp_path):
    path = ballistics.write_x3p(tmp_path / "a.x3p", Surface(np.zeros((9, 9)), (50.0, 50.0)))
    assert x3pio.read(path).layers[0].z.shape == (9, 9)
    assert verity_x3p.read_x3p(str(path)).data.shape == (9, 9)


def test_processing_record_travels(tmp_path):
    mark = Mark(
        "breech face",
        np.zeros((90, 90), np.float32),
        6.25,
        steps=(Step("level", {"order": 2}, {"tilt_deg": np.float64(1.5), "region": np.ones((90, 90), bool)}),),
        findings=(Finding("x-y", "note", "message"),),
    )
    back = ballistics.read(ballistics.write_x3p(tmp_path / "a.x3p", mark))
    record = back.metadata["processing_record"]
    assert record["steps"][0]["parameters"] == {"order": 2}
    assert record["steps"][0]["outcome"]["tilt_deg"] == 1.5
    assert record["steps"][0]["outcome"]["region"]["shape"] == [90, 90]
    assert record["findings"][0]["code"] == "x-y"
    with zipfile.ZipFile(tmp_path / "a.x3p") as archive:
        assert archive.namelist() == [
            "main.xml",
            "md5checksum.hex",
            "bindata/data.bin",
            "ballistics/processing.json",
        ]


def test_never_over_another_file(tmp_path):
    path = tmp_path / "a.x3p"
    path.write_bytes(b"evidence")
    surface = Surface(np.zeros((90, 90)), (6.25, 6.25))
    with pytest.raises(WriteError, match="exists"):
        ballistics.write_x3p(path, surface)
    assert path.read_bytes() == b"evidence"
    ballistics.write_x3p(path, surface, overwrite=True)
    assert ballistics.read(path).heights_um.shape == (90, 90)
    assert [p.name for p in tmp_path.iterdir()] == ["a.x3p"]


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (Surface(np.zeros((9, 9)), (1.0, 1.0), kind="reflectance"), "reflectance"),
        (Surface(np.zeros((0, 9)), (1.0, 1.0)), "shape"),
        (Surface(np.full((9, 9), np.inf), (1.0, 1.0)), "infinities"),
        (Surface(np.zeros((9, 9)), (0.0, 1.0)), "spacing"),
        (Surface(np.zeros((1, 9)), (1.0, 1.0), kind="points"), "coordinates"),
        (
            Surface(np.zeros((1, 9)), (1.0, 1.0), kind="points", coordinates_um=np.zeros((1, 8, 2))),
            "do not fit",
        ),
    ],
)
def test_what_cannot_be_written(tmp_path, item, words):
    with pytest.raises(WriteError, match=words):
        ballistics.write_x3p(tmp_path / "a.x3p", item)
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_not_there(tmp_path):
    with pytest.raises(WriteError, match="cannot be written"):
        ballistics.write_x3p(tmp_path / "no" / "a.x3p", Surface(np.zeros((9, 9)), (50.0, 50.0)))


def test_characters_that_xml_cannot_hold(tmp_path):
    surface = Surface(np.zeros((90, 90)), (6.25, 6.25), metadata={"comment": "a\x00b & <c> \ud800"})
    assert ballistics.read(ballistics.write_x3p(tmp_path / "a.x3p", surface)).metadata["comment"] == "a?b & <c> ?"
