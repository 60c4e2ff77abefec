"""Simulated images, and the preparation of images: light, circular symmetry, region."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballistics.errors import ParameterError
from ballistics.surfaces.mark_types import MARK_TYPES, mark_type
from ballistics.surfaces.preparation.preparing import prepare, replay
from ballistics.surfaces.regions.circular_symmetry import remove_circular_symmetry, ring_centre
from ballistics.surfaces.regions.image_region import find_face_on_image
from ballistics.surfaces.simulation.heads import Label, SimulatedHead, simulate_firearm, simulate_shot
from ballistics.surfaces.simulation.optical import RingLight, ring_light_image, simulate_image, simulate_light
from ballistics.surfaces.surface import Surface


@pytest.fixture(scope="module")
def image() -> SimulatedHead:
    return simulate_image(simulate_firearm(3), simulate_shot(4), simulate_light(5), pixel_um=6.25)


def relief(seed: int, side: int = 60) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(side, side)).cumsum(axis=0).cumsum(axis=1) / 20


def test_an_image_has_grey_levels_of_a_head_and_nothing_missing(image: SimulatedHead) -> None:
    values = image.surface.heights_um
    assert image.surface.kind == "reflectance"
    assert image.labels.shape == values.shape
    assert values.min() >= 0.0
    assert values.max() <= 1.0
    np.testing.assert_array_equal(np.rint(values * 255) / 255, values)
    again = simulate_image(simulate_firearm(3), simulate_shot(4), simulate_light(5), pixel_um=6.25)
    assert again.surface.heights_um.tobytes() == values.tobytes()


@given(st.integers(0, 100), st.integers(1, 3))
def test_under_an_even_ring_turning_the_relief_turns_the_image(seed: int, quarters: int) -> None:
    light = RingLight(unevenness=0.0, noise=0.0)
    heights = relief(seed, 12)
    image = ring_light_image(heights, 5.0, light, 0)
    other = ring_light_image(np.rot90(heights, quarters).copy(), 5.0, light, 0)
    # A value half-way between two grey levels may be rounded either way.
    np.testing.assert_allclose(np.rot90(image, quarters), other, atol=1.01 / 255)


def test_the_side_that_faces_the_brighter_lamps_is_brighter() -> None:
    # A roof whose ridge runs down: its left half rises to the right and so faces left.
    roof = np.tile(-np.abs(np.arange(40) - 19.5), (40, 1)) * 5.0 * 0.2
    for side, left_brighter in ((180.0, True), (0.0, False)):
        shown = ring_light_image(roof, 5.0, RingLight(unevenness=0.5, bright_side_deg=side, noise=0.0, falloff=0.0), 0)
        assert bool(shown[:, 5].mean() > shown[:, 34].mean()) is left_brighter
    up = ring_light_image(
        roof.T.copy(), 5.0, RingLight(unevenness=0.5, bright_side_deg=90.0, noise=0.0, falloff=0.0), 0
    )
    assert up[5].mean() > up[34].mean()


def test_slopes_that_mirror_the_lamps_are_brightest() -> None:
    light = RingLight(elevation_deg=60.0, specular_share=1.0, lobe_deg=5.0, unevenness=0.0, falloff=0.0, noise=0.0)
    # The slope of a bowl grows with the radius.
    y, x = np.mgrid[-50:51, -50:51] * 5.0
    radius = np.hypot(y, x)
    shown = ring_light_image(0.5 * radius**2 / 500.0, 5.0, light, 0)
    brightest = float(radius[shown == shown.max()].mean()) / 500.0
    assert np.degrees(np.arctan(brightest)) == pytest.approx(15.0, abs=1.5)


@pytest.mark.parametrize("name", ["elevation_deg", "unevenness", "lobe_deg", "exposure", "noise"])
def test_light_out_of_range_is_refused(name: str) -> None:
    with pytest.raises(ParameterError, match=name):
        RingLight(**{name: -1.0})
    with pytest.raises(ParameterError, match="seed"):
        simulate_light(-1)


def test_images_have_cut_offs_of_their_own() -> None:
    assert mark_type("breech face", "reflectance").long_cutoff_um == 594.0
    assert mark_type("breech face").long_cutoff_um == 250.0
    assert mark_type("ejector", "reflectance") == MARK_TYPES["ejector"]


def test_circular_symmetry_is_taken_off_and_lines_are_left() -> None:
    y, x = np.mgrid[:240, :240] * 10.0
    radius = np.hypot(y - 1180.0, x - 1230.0)
    ring = (radius > 500) & (radius < 1100)
    lines = np.sin(2 * np.pi * x / 130.0)
    shown = np.where(ring, 3e-6 * radius**2 + lines, np.nan)
    centre = ring_centre(shown, (10.0, 10.0))
    assert centre == pytest.approx((1180.0, 1230.0), abs=10.0)
    assert centre is not None
    left, amplitude = remove_circular_symmetry(shown, (10.0, 10.0), centre, 100.0)
    np.testing.assert_array_equal(np.isfinite(left), ring)
    assert amplitude == pytest.approx(float(np.sqrt(np.mean((3e-6 * radius[ring] ** 2) ** 2))), rel=0.05)
    assert np.corrcoef(left[ring], lines[ring])[0, 1] > 0.99


def test_circular_symmetry_on_the_smallest_marks() -> None:
    nothing = np.full((4, 4), np.nan)
    assert ring_centre(nothing, (1.0, 1.0)) is None
    assert remove_circular_symmetry(nothing, (1.0, 1.0), (0.0, 0.0), 5.0)[1] == 0.0
    point = np.full((3, 3), np.nan)
    point[1, 1] = 2.0
    assert ring_centre(point, (1.0, 1.0)) is None
    assert remove_circular_symmetry(point, (1.0, 1.0), (1.0, 1.0), 5.0)[0][1, 1] == 0.0


@pytest.mark.slow
def test_an_image_is_prepared_and_its_steps_replay(image: SimulatedHead) -> None:
    mark = prepare(image.surface, region=image.region)
    names = [step.name for step in mark.steps]
    assert names[:4] == ["find region", "level region", "remove circular symmetry", "low-pass"]
    assert mark.steps[2].outcome["applied"]
    assert mark.surface_kind == "reflectance"
    assert mark.insufficient is None
    again = replay(image.surface, mark.steps)
    np.testing.assert_array_equal(again.heights_um, mark.heights_um)
    bad = [*mark.steps[:2], type(mark.steps[2])("remove circular symmetry", {"width_um": 0.0})]
    with pytest.raises(ParameterError, match="width_um"):
        replay(image.surface, bad)


def test_the_face_is_found_on_an_image(image: SimulatedHead) -> None:
    found = find_face_on_image(image.surface)
    assert found.reason is None
    assert found.aperture_seen
    # What was dragged or sheared is not told from the face.
    assert (found.mask & np.isin(image.labels, (Label.BREECH_FACE, Label.DRAG))).sum() / found.mask.sum() > 0.9
    assert (found.mask & image.region).sum() / image.region.sum() > 0.7
    mark = prepare(image.surface)
    assert "image-region-automatic" in [finding.code for finding in mark.findings]
    np.testing.assert_array_equal(mark.region, found.mask)


@pytest.mark.parametrize(
    "values",
    [
        np.zeros((300, 300)),
        np.full((300, 300), np.nan),
        np.full((1, 1), 0.5),
        np.linspace(0, 1, 90000).reshape(300, 300),
    ],
)
def test_no_face_is_made_up(values: np.ndarray) -> None:
    found = find_face_on_image(Surface(values, (10.0, 10.0), "reflectance"))
    assert found.reason is not None
    assert not found.mask.any()
