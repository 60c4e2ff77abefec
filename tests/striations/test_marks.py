"""Striated Marks: the signature comes back exactly, with the record of every step; given regions; what is no land."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from conftest import data_folder

from ballistics.errors import ParameterError
from ballistics.methods import Striated, compare, method_of, pair_score, prepare
from ballistics.striations import Land, LandParameters, compare_signatures, land_of, signature_of, striated_mark
from ballistics.surfaces import Mark, Surface, mark_type, preparation_parameters, read

KIND = "land engraved area"
LANDS = [(1, 3), (2, 1), (1, 1), (2, 5)]


@cache
def surface(bullet: int, land: int) -> Surface:
    return read(data_folder("bullets/hamby44-barrel1") / f"Barrel_1-Bullet_{bullet}-Land_{land}.x3p")


@cache
def land(bullet: int, number: int) -> Land:
    return land_of(surface(bullet, number))


@cache
def mark(bullet: int, number: int) -> Mark:
    return prepare(surface(bullet, number), KIND)


@pytest.mark.parametrize("which", LANDS)
def test_the_signature_of_the_mark_is_that_of_the_land(which):
    own, given = land(*which).signature, signature_of(mark(*which))
    np.testing.assert_array_equal(np.isnan(given.heights_um), np.isnan(own.heights_um))
    np.testing.assert_allclose(given.heights_um, own.heights_um, atol=1e-6, equal_nan=True)
    assert (given.spacing_um, given.band_um, given.kind) == (own.spacing_um, own.band_um, own.kind)
    assert given.findings == own.findings
    assert given.excluded == own.excluded


def test_scores_through_the_marks_are_those_of_the_signatures():
    of_marks = compare(mark(1, 3), mark(2, 1))
    own = compare_signatures(land(1, 3).signature, land(2, 1).signature)
    assert of_marks.score == pytest.approx(own.score, abs=1e-4)
    assert of_marks.placement == own.placement
    assert of_marks.cmps_count == own.cmps_count
    assert pair_score(of_marks).accf == pytest.approx(own.correlation.correlation, abs=1e-7)


@pytest.mark.parametrize("which", LANDS)
def test_rows_of_the_mark_lie_on_each_other(which):
    # Straightened: every fifth of the mark correlates with the whole at lag 0 better than a few points away.
    heights = np.asarray(mark(*which).heights_um, np.float64)
    whole = signature_of(mark(*which)).heights_um
    part = signature_of(replace(mark(*which), heights_um=heights[-len(heights) // 4 :])).heights_um

    def r(lag):
        x, y = whole[20:-20], np.roll(part, lag)[20:-20]
        both = np.isfinite(x) & np.isfinite(y)
        return np.corrcoef(x[both], y[both])[0, 1]

    lags = range(-15, 16)
    assert abs(max(lags, key=r)) <= 2
    assert r(0) > 0.6


def test_the_record_has_every_step():
    found = mark(1, 3)
    (step,) = found.steps
    assert step.parameters["band_height_um"] == LandParameters().band_height_um
    assert "ends_um" not in step.parameters
    said = step.outcome
    assert said["left_shoulder"]
    assert said["right_shoulder"]
    assert said["left_end_um"] == pytest.approx(land(1, 3).left.place_um)
    assert len(said["band_lags_um"]) == len(said["band_middles_um"]) == len(land(1, 3).band_rows)
    assert said["excluded"][0][2] == "groove shoulder"
    assert 1.5 < said["radius_mm"] < 15
    assert found.region is not None
    assert found.region.shape == surface(1, 3).heights_um.shape
    # Nothing beyond the shoulders is part of the mark.
    columns = np.flatnonzero(found.region.any(axis=0)) * found.spacing_um
    assert columns[0] > said["left_end_um"]
    assert columns[-1] < said["right_end_um"]


def test_a_scan_turned_by_90_degrees_gives_the_same_mark_but_for_its_region():
    given = surface(1, 3)
    turned = replace(
        given, heights_um=np.ascontiguousarray(np.rot90(given.heights_um, -1)), spacing_um=given.spacing_um[::-1]
    )
    found = prepare(turned, KIND)
    np.testing.assert_array_equal(found.heights_um, mark(1, 3).heights_um)
    np.testing.assert_array_equal(found.region, np.rot90(mark(1, 3).region, -1))
    assert found.steps[0].outcome["turn_deg"] == 90


def test_rows_of_another_spacing_become_square():
    given = surface(1, 3)
    thinned = replace(
        given,
        heights_um=np.ascontiguousarray(given.heights_um[::2]),
        spacing_um=(2 * given.spacing_um[0], given.spacing_um[1]),
    )
    found = prepare(thinned, KIND)
    assert found.heights_um.shape[0] == pytest.approx(given.heights_um.shape[0], abs=2)
    own = land_of(thinned).signature.heights_um
    np.testing.assert_allclose(signature_of(found).heights_um, own, atol=1e-6, equal_nan=True)


def test_a_region_restricts_what_is_looked_at():
    given = surface(1, 3)
    region = np.zeros(given.heights_um.shape, bool)
    region[40:350, 60:1450] = True
    found = prepare(given, KIND, region)
    assert found.insufficient is None
    assert found.origin_um == (40 * given.spacing_um[0], 60 * given.spacing_um[1])
    assert not found.region[~region].any()
    assert pair_score(compare(found, mark(2, 1))).similarity > 150


def test_exchanged_marks_have_the_identical_scores():
    there, back = compare(mark(1, 3), mark(2, 1)), compare(mark(2, 1), mark(1, 3))
    assert pair_score(there) == pair_score(back)
    assert back.placement == there.placement.inverse()
    assert there.provenance.inputs["mark a"] == back.provenance.inputs["mark b"]
    assert there.provenance.parameters == back.provenance.parameters


@pytest.mark.slow
def test_a_head_or_a_plate_is_no_land():
    for name in ("K013sA1.x3p", "K013sA2.x3p"):
        head = read(data_folder("breech-faces/raw") / name, units="micrometres")
        found = prepare(head, KIND)
        assert "a cartridge head" in found.insufficient
        compared = compare(found, mark(1, 3))
        assert compared.insufficient.startswith("mark A is insufficient: the radius across")
    face = prepare(read(data_folder("breech-faces/fadul") / "Fadul-6-1.x3p"), KIND)
    assert "radius" in face.insufficient
    flat = prepare(Surface(np.zeros((300, 900)), (1.5625, 1.5625)), KIND)
    assert flat.insufficient
    assert flat.heights_um.shape == (1, 1)


def test_marks_of_different_kinds_are_not_compared():
    other = Mark("breech face", np.zeros((9, 9), np.float32), 6.25)
    assert "different" in compare(mark(1, 3), other).insufficient
    assert "different" in compare(other, mark(1, 3)).insufficient


def test_other_parameters_are_named_checked_recorded_and_found():
    method = method_of(KIND)
    assert isinstance(method, Striated)
    own = method.parameters(settings={"similarity.clip_sigmas": "3", "preparation.band_um": "12,300"})
    assert own.comparison.similarity.clip_sigmas == 3
    assert own.preparation.band_um == (12, 300)
    marks = [method.prepare(surface(*which), None, own) for which in ((1, 3), (2, 1))]
    found = method.compare(*marks, own)
    (finding,) = [f for f in found.findings if f.code == "own-parameters"]
    assert "preparation.band_um 12, 300 instead of 10, 400" in finding.message
    assert "similarity.clip_sigmas 3 instead of 2" in finding.message
    assert found.provenance.parameters["band_um"] == [12, 300]
    assert found.similarity.octaves[0].shortest_um == 20
    ends = method.parameters(settings={"preparation.ends_um": "300,2000"})
    assert ends.preparation.ends_um == (300, 2000)
    for name, value, says in (
        ("similarity.size", "3", "there is no parameter"),
        ("similarity.clip_sigmas", "300", "from a tenth to ten times"),
        ("preparation.ends_um", "300", "takes 2 numbers"),
        ("similarity.largest_stretch", "0.9", "largest_stretch"),
        ("other_ways", "maybe", "1 .yes. or 0"),
    ):
        with pytest.raises(ParameterError, match=says):
            method.parameters(settings={name: value})


def test_the_table_of_mark_types_has_the_band_of_the_preparation():
    kind = mark_type(KIND)
    assert (kind.short_cutoff_um, kind.long_cutoff_um) == LandParameters().band_um


def test_given_ends_are_recorded_and_do_not_make_marks_unalike():
    parameters = method_of(KIND).parameters(settings={"preparation.ends_um": "280,2100"})
    given = method_of(KIND).prepare(surface(1, 3), None, parameters)
    assert {"land-end-given"} <= {finding.code for finding in given.findings}
    assert preparation_parameters(given) == preparation_parameters(mark(1, 3))


def test_a_land_of_one_band():
    given = surface(1, 3)
    few = replace(given, heights_um=np.ascontiguousarray(given.heights_um[200:240]))
    found = land_of(few)
    made = striated_mark(few, found)
    if found.signature.insufficient is None:
        np.testing.assert_allclose(signature_of(made).heights_um, found.signature.heights_um, atol=1e-6, equal_nan=True)
    else:
        assert made.insufficient == found.signature.insufficient


@pytest.mark.parametrize("kind", ["land engraved area", "tool mark"])
def test_profiles_are_marks_of_one_row_compared_among_themselves(kind):
    x = np.arange(1500) * 1.5625
    rng = np.random.default_rng(5)
    striae = np.convolve(rng.normal(size=1500), np.hanning(9), "same")
    rows = [striae - (x - 1150.0) ** 2 / 9000.0 + rng.normal(size=1500) for _ in range(2)]
    one, two = (prepare(Surface(row[None], (1.5625, 1.5625), kind="profile"), kind) for row in rows)
    found = compare(one, two)
    assert found.score > 200
    assert found.correlation.correlation > 0.7
    assert not found.findings
    np.testing.assert_allclose(signature_of(one).heights_um, one.heights_um[0], atol=1e-6)
    assert signature_of(one).rows.max() == 1
    scan = prepare(Surface(np.tile(rows[1], (200, 1)) + rng.normal(size=(200, 1500)) * 0.05, (1.5625, 1.5625)), kind)
    assert "prepared-unalike" in {finding.code for finding in compare(one, scan).findings}


def test_marks_of_other_spacings_are_said_to_be_so_in_micrometres():
    x = np.arange(900) * 1.5625
    striae = np.convolve(np.random.default_rng(5).normal(size=900), np.hanning(9), "same")
    marks = [
        prepare(Surface(np.tile(striae - (x - 700.0) ** 2 / 9000.0, (200, 1)), (s, s)), "tool mark")
        for s in (0.6444, 0.6456, 3.125)
    ]
    assert not compare(marks[0], marks[1]).findings
    said = [f.message for f in compare(marks[0], marks[2]).findings if f.code == "prepared-unalike"]
    assert "the spacing of their points is 0.644 µm and 3.12 µm" in said[0]
