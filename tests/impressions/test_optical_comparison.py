"""Images are compared with images only, by thresholds of their own."""

from __future__ import annotations

import dataclasses

import pytest

from ballistics.impressions.comparing import compare
from ballistics.impressions.congruence import Thresholds
from ballistics.impressions.mark_parameters import MARK_PARAMETERS, OPTICAL_PARAMETERS, parameters_of
from ballistics.surfaces.preparation.preparing import prepare
from ballistics.surfaces.simulation.heads import simulate_firearm, simulate_head, simulate_shot
from ballistics.surfaces.simulation.optical import RingLight, simulate_image
from ballistics.surfaces.surface import Mark


def image(firearm: int, shot: int) -> Mark:
    """One mark, under one microscope's light, turned within 15° of the others."""
    drawn = simulate_shot(shot)
    turned = dataclasses.replace(drawn, pose=dataclasses.replace(drawn.pose, theta_deg=(shot % 3 - 1) * 15.0))
    head = simulate_image(simulate_firearm(firearm), turned, RingLight(), pixel_um=6.25)
    return prepare(head.surface, region=head.region)


@pytest.fixture(scope="module")
def images() -> list[Mark]:
    """Two images of one firearm's shots, one of another's."""
    return [image(50, 60), image(50, 61), image(51, 62)]


@pytest.mark.slow
def test_images_of_one_firearm_agree_and_others_do_not(images: list[Mark]) -> None:
    same, different = compare(images[0], images[1]), compare(images[0], images[2])
    assert same.rules["original"].score >= 12
    for rule in different.rules.values():
        assert rule.score <= 4
    assert set(same.rules) == {"significance", "original", "high", "convergence"}
    assert same.rules["original"].parameters["correlation"] == 0.25
    assert "reflectance-compared" in [finding.code for finding in same.findings]
    assert same.provenance is not None
    assert same.provenance.parameters["surface kind"] == "reflectance"
    assert same.provenance.parameters["cells"]["cell_um"] == 500.0


@pytest.mark.slow
def test_thresholds_are_those_of_the_surface(images: list[Mark]) -> None:
    assert parameters_of(images[0]) is OPTICAL_PARAMETERS["breech face"]
    topography = dataclasses.replace(images[0], surface_kind="topography")
    assert parameters_of(topography) is MARK_PARAMETERS["breech face"]
    for name, rule in OPTICAL_PARAMETERS["breech face"].rules.items():
        if not isinstance(rule.thresholds, Thresholds):
            continue  # computed from chance, for every surface alike
        assert rule.thresholds != MARK_PARAMETERS["breech face"].rules[name].thresholds
        # A cell below this is not looked at on the marks' own spacing.
        assert OPTICAL_PARAMETERS["breech face"].cells.least_correlation <= rule.thresholds.correlation
        assert OPTICAL_PARAMETERS["breech face"].cells.widest_displacement_um >= rule.thresholds.displacement_um


@pytest.mark.slow
def test_an_image_is_never_held_against_a_topography(images: list[Mark]) -> None:
    head = simulate_head(simulate_firearm(50), simulate_shot(60), spacing_um=6.25, field_mm=5.0)
    topography = prepare(head.surface, region=head.region)
    for pair in ((images[0], topography), (topography, images[0])):
        result = compare(*pair)
        assert "not commensurable" in (result.insufficient or "")
        assert not result.rules


@pytest.mark.slow
def test_images_of_other_marks_are_not_compared(images: list[Mark]) -> None:
    pins = [dataclasses.replace(mark, kind="firing pin") for mark in images[:2]]
    assert "no thresholds are published" in (compare(*pins).insufficient or "")
