"""Firing-pin impressions and whole heads: parameters by kind of mark, the cluster rule, one result for each mark."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from jsonschema import Draft202012Validator

import ballistics
from ballistics.errors import ParameterError
from ballistics.heads import HeadComparison, compare_heads
from ballistics.impressions.cells import CellParameters
from ballistics.impressions.comparing import compare
from ballistics.impressions.congruence import RULES, Thresholds
from ballistics.impressions.direction import Direction
from ballistics.impressions.firing_pin_rule import ClusterThresholds, clusters
from ballistics.impressions.mark_parameters import MARK_PARAMETERS
from ballistics.impressions.registration import RegistrationParameters
from ballistics.reports.schemas.comparison_json import comparison_schema
from ballistics.reports.schemas.heads_json import heads_json
from ballistics.reports.schemas.striation_json import striation_schema
from ballistics.surfaces.formats.reading import read
from ballistics.surfaces.mark_types import HEAD_MARKS
from ballistics.surfaces.preparation.preparing import prepare
from ballistics.surfaces.simulation.heads import SimulatedHead, simulate_firearm, simulate_head, simulate_shot
from ballistics.surfaces.surface import Mark, Surface

# Its fixture alone costs seconds.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def heads() -> list[SimulatedHead]:
    """Two shots of one firearm and one of another, each at its own turn."""
    made = [(1, 61), (1, 62), (2, 63)]
    return [
        simulate_head(simulate_firearm(firearm), simulate_shot(shot), spacing_um=4.0, field_mm=3.8)
        for firearm, shot in made
    ]


@pytest.fixture(scope="module")
def pins(heads: list[SimulatedHead]) -> list[Mark]:
    return [prepare(head.surface, "firing pin") for head in heads]


def test_breech_faces_keep_their_parameters() -> None:
    face = MARK_PARAMETERS["breech face"]
    assert face.registration == RegistrationParameters()
    assert face.cells == CellParameters()
    assert face.rules is RULES


def test_small_marks_scale_every_length_and_no_angle() -> None:
    pin, standard = asdict(MARK_PARAMETERS["firing pin"].registration), asdict(RegistrationParameters())
    for name, value in standard.items():
        factor = 0.25 if name.endswith("_um") else 1.0
        np.testing.assert_allclose(pin[name], np.multiply(value, factor), err_msg=name)
    rules = MARK_PARAMETERS["firing pin"].rules
    assert rules["original"].thresholds == Thresholds(125.0 / 6, 6.0, 0.45)
    assert rules["clusters"].thresholds == ClusterThresholds(39.0625, 6.0, 0.45)
    for kind in MARK_PARAMETERS.values():
        widest = max(r.thresholds.displacement_um for r in kind.rules.values())
        assert kind.cells.widest_displacement_um >= widest
        assert all(rule.source for rule in kind.rules.values())


@pytest.mark.slow
def test_firing_pins_are_told_apart_at_any_turn(heads: list[SimulatedHead], pins: list[Mark]) -> None:
    same, different = compare(pins[0], pins[1]), compare(pins[0], pins[2])
    assert same.pose is not None
    truth = heads[0].pose.after(heads[1].pose.inverse())
    assert (same.pose.theta_deg - truth.theta_deg + 180) % 360 - 180 == pytest.approx(0, abs=0.5)
    assert same.rules["clusters"].score >= 6
    assert same.rules["original"].score >= 10
    assert different.rules["clusters"].score == 0
    assert different.rules["original"].score <= 4
    assert same.provenance is not None
    assert same.provenance.parameters["cells"]["cell_um"] == 78.125
    assert any("Zhang" in reference for reference in same.provenance.references)
    congruent = same.rules["clusters"].a_in_b.congruent
    turns = same.rules["clusters"].a_in_b.thetas_deg[congruent] - same.pose.theta_deg
    assert np.abs((turns + 180) % 360 - 180).max() < 10.0


def test_exchanging_firing_pins_exchanges_the_roles(pins: list[Mark]) -> None:
    forth, back = compare(pins[0], pins[1]), compare(pins[1], pins[0])
    for name, rule in forth.rules.items():
        assert back.rules[name].score == rule.score
        np.testing.assert_array_equal(back.rules[name].b_in_a.congruent, rule.a_in_b.congruent)


def test_a_firing_pin_agrees_with_itself_in_every_cell(pins: list[Mark]) -> None:
    result = compare(pins[0], pins[0])
    assert result.a_in_b is not None
    assert result.rules["original"].score == result.a_in_b.n_cells
    assert result.rules["clusters"].score >= 0.9 * result.a_in_b.n_cells


def matched(found: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> int:
    """Count the clusters of cells whose refined registrations are given: columns turn, across, down, correlation."""
    n = len(found)
    sweep = SimpleNamespace(
        thetas_deg=np.array([0.0]),
        xs_um=np.zeros((n, 1)),
        ys_um=np.zeros((n, 1)),
        correlations=np.full((n, 1), 0.5),
        exact=np.ones((n, 1), bool),
    )
    searcher = SimpleNamespace(places_um=lambda theta, x, y: (x, y))
    mark = np.zeros((1, 1), np.float32)
    direction = Direction(searcher, sweep, mark, mark, None)  # type: ignore[arg-type]  # stand-ins
    monkeypatch.setattr("ballistics.impressions.firing_pin_rule._refined", lambda *_: tuple(found.T))
    return clusters(direction, ClusterThresholds(39.0625, 6.0, 0.45)).count


def test_clusters_need_company_correlation_and_one_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(4)
    together = np.column_stack([rng.uniform(-2, 2, 12), *rng.uniform(-15, 15, (2, 12)), np.full(12, 0.7)])
    apart = np.column_stack([np.zeros(9), 200.0 * np.arange(9), np.full(9, 500.0), np.full(9, 0.9)])
    assert matched(np.vstack([together, apart]), monkeypatch) == 12
    assert matched(together[:5], monkeypatch) == 0
    assert matched(apart, monkeypatch) == 0
    assert matched(np.empty((0, 4)), monkeypatch) == 0
    turned = together.copy()
    turned[:4, 0] += 20.0
    assert matched(turned, monkeypatch) == 8
    weak = together.copy()
    weak[:8, 3] = [0.44, np.nan] * 4
    assert matched(weak, monkeypatch) == 0


def test_marks_that_are_no_impressions_are_refused_and_ejectors_warned_of() -> None:
    rng = np.random.default_rng(5)
    noise = rng.normal(size=(500, 500)).astype(np.float32)
    shear = compare(Mark("aperture shear", noise, 1.5625), Mark("aperture shear", noise, 1.5625))
    assert shear.insufficient is not None
    assert "striated" in shear.insufficient
    assert "not compared as impressions" in (
        compare(Mark("toe", noise, 1.0), Mark("toe", noise, 1.0)).insufficient or ""
    )
    other = noise + rng.normal(size=(500, 500)).astype(np.float32)
    ejector = compare(Mark("ejector", noise, 1.5625), Mark("ejector", other, 1.5625))
    assert ejector.insufficient is None
    assert [finding.code for finding in ejector.findings] == ["unvalidated-parameters"]


@pytest.fixture(scope="module")
def whole(heads: list[SimulatedHead]) -> HeadComparison:
    return compare_heads(heads[0].surface, heads[1].surface)


@pytest.mark.slow
def test_heads_give_one_result_for_each_mark(whole: HeadComparison, pins: list[Mark]) -> None:
    assert tuple(whole.comparisons) == tuple(HEAD_MARKS)
    assert whole.compared == ("breech face", "firing pin")
    assert whole.comparisons["firing pin"].rules["original"].score == compare(pins[0], pins[1]).rules["original"].score
    assert "give it as a mask" in (whole.comparisons["ejector"].insufficient or "")
    assert "mark A is insufficient" in (whole.comparisons["aperture shear"].insufficient or "")
    assert ballistics.compare_heads is compare_heads


@pytest.mark.slow
def test_heads_as_json_follow_the_schema(whole: HeadComparison, heads: list[SimulatedHead]) -> None:
    surfaces = heads[0].surface, heads[1].surface
    written = heads_json(whole, ("a", "b"), surfaces)
    assert written == heads_json(whole, ("a", "b"), surfaces)
    document = json.loads(written)
    assert document["compared"] == ["breech face", "firing pin"]
    validator = Draft202012Validator(comparison_schema())
    assert list(document["marks"]) == list(HEAD_MARKS)
    striae = Draft202012Validator(striation_schema())
    for kind, mark in document["marks"].items():
        assert list((striae if kind == "aperture shear" else validator).iter_errors(mark)) == []


@pytest.mark.slow
def test_heads_without_marks_are_insufficient_and_bad_arguments_are_refused(heads: list[SimulatedHead]) -> None:
    surface = heads[0].surface
    empty = Surface(np.full((60, 60), np.nan), (6.25, 6.25))
    assert compare_heads(empty, empty).compared == ()
    image = Surface(np.full((60, 60), 0.5), (6.25, 6.25), kind="reflectance")
    results = compare_heads(image, image).comparisons
    assert all("reflectance" in (results[kind].insufficient or "") for kind in ("breech face", "firing pin"))
    for bad in ({"toe": np.ones((3, 3), bool)}, {"ejector": np.ones((3, 3), bool)}):
        with pytest.raises(ParameterError):
            compare_heads(surface, empty, bad, None)
    with pytest.raises(ParameterError, match="profile"):
        compare_heads(Surface(np.zeros((1, 60)), (6.25, 6.25), kind="profile"), empty)


@pytest.mark.slow
def test_a_given_region_makes_a_mark_comparable(heads: list[SimulatedHead]) -> None:
    # Any patch of the case will do for an ejector's mark.
    surface = replace(heads[0].surface, heights_um=heads[0].surface.heights_um[350:530, 70:250].copy())
    region = np.zeros(surface.heights_um.shape, bool)
    region[30:150, 30:150] = True
    result = compare_heads(surface, surface, {"ejector": region}, {"ejector": region}).comparisons["ejector"]
    assert result.insufficient is None
    assert result.accf == pytest.approx(1.0, abs=1e-4)


@pytest.mark.slow
def test_scans_prepared_elsewhere_hold_one_mark(fadul: Path) -> None:
    a, b = (read(fadul / f"Fadul-{name}.x3p") for name in ("1-1", "1-2"))
    result = compare_heads(a, b)
    assert result.compared == ("breech face",)
    assert "cut to a region that is no firing pin" in (result.comparisons["firing pin"].insufficient or "")
