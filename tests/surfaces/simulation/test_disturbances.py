"""Disturbances do exactly what they say, to surfaces and marks alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from property_tests import examples
from scipy import ndimage

from ballistics.errors import ParameterError
from ballistics.surfaces.simulation.disturbances import (
    add_noise,
    dent,
    drop_out,
    keep_disc,
    keep_sector,
    mirror,
    rescale_lateral,
    rotate_surface,
    tilt,
)
from ballistics.surfaces.surface import Mark, Surface

SEEDS = st.integers(0, 2**32 - 1)


def heights_of(seed: int, missing: float = 0.1) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    heights = rng.normal(size=tuple(rng.integers(2, 40, 2)))
    heights[rng.random(heights.shape) < missing] = np.nan
    return heights


def surface_of(seed: int, missing: float = 0.1) -> Surface:
    return Surface(heights_of(seed, missing), (6.25, 6.25))


def mark_of(seed: int) -> Mark:
    return Mark("breech face", heights_of(seed).astype(np.float32), 6.25)


def smooth_surface() -> Surface:
    rng = np.random.default_rng(5)
    heights = 10.0 * ndimage.gaussian_filter(rng.normal(size=(121, 161)), 4.0)
    return Surface(heights, (5.0, 5.0))


@given(SEEDS)
def test_mirroring_twice_is_nothing(seed: int) -> None:
    for scan in (surface_of(seed), mark_of(seed)):
        once = mirror(scan)
        np.testing.assert_array_equal(once.heights_um, scan.heights_um[:, ::-1])
        np.testing.assert_array_equal(mirror(once).heights_um, scan.heights_um)


@given(SEEDS, st.integers(-8, 8))
def test_quarter_turns_are_exact(seed: int, quarters: int) -> None:
    for scan in (surface_of(seed), mark_of(seed)):
        turned = rotate_surface(scan, 90.0 * quarters)
        np.testing.assert_array_equal(turned.heights_um, np.rot90(scan.heights_um, quarters))
        assert turned.heights_um.dtype == scan.heights_um.dtype


def test_a_quarter_turn_swaps_unequal_spacings_and_other_angles_are_refused() -> None:
    surface = Surface(np.zeros((3, 4)), (5.0, 10.0))
    assert rotate_surface(surface, 90.0).spacing_um == (10.0, 5.0)
    assert rotate_surface(surface, 180.0).spacing_um == (5.0, 10.0)
    with pytest.raises(ParameterError):
        rotate_surface(surface, 10.0)


@pytest.mark.parametrize("theta_deg", [7.0, -33.0, 124.0, 201.5])
def test_turning_moves_each_point_counter_clockwise(theta_deg: float) -> None:
    surface = smooth_surface()
    turned = rotate_surface(surface, theta_deg)
    rows, columns = np.mgrid[10:111:5, 10:151:5]
    position = ((columns - 80.0) - 1j * (rows - 60.0)) * np.exp(1j * np.deg2rad(theta_deg))
    middle = (np.array(turned.heights_um.shape) - 1.0) / 2.0
    where = np.stack((middle[0] - position.imag, middle[1] + position.real))
    found = ndimage.map_coordinates(np.nan_to_num(turned.heights_um), where, order=3)
    np.testing.assert_allclose(found, surface.heights_um[rows, columns], atol=0.02)


@examples(25)
@given(SEEDS, st.floats(-360.0, 360.0))
def test_turning_keeps_the_valid_area(seed: int, theta_deg: float) -> None:
    heights = np.full((60, 60), np.nan)
    rng = np.random.default_rng(seed)
    heights[5:55, 10:50] = rng.normal(size=(50, 40))
    heights[20:30, 20:30] = np.nan
    turned = rotate_surface(Surface(heights, (6.25, 6.25)), theta_deg)
    assert np.isfinite(turned.heights_um).sum() == pytest.approx(np.isfinite(heights).sum(), rel=0.02)


@given(SEEDS, st.floats(-30.0, 30.0), st.floats(-180.0, 180.0))
def test_the_plane_that_was_added_can_be_measured(seed: int, degrees: float, direction_deg: float) -> None:
    surface = surface_of(seed)
    difference = tilt(surface, degrees, direction_deg).heights_um - surface.heights_um
    rows, columns = np.nonzero(np.isfinite(difference))
    np.testing.assert_array_equal(np.isnan(difference), np.isnan(surface.heights_um))
    design = np.c_[np.ones(rows.size), columns * 6.25, -rows * 6.25]
    fitted, _, rank, _ = np.linalg.lstsq(design, difference[rows, columns], rcond=None)
    if rank == 3:
        expected = np.tan(np.deg2rad(degrees)) * np.array(
            [np.cos(np.deg2rad(direction_deg)), np.sin(np.deg2rad(direction_deg))]
        )
        np.testing.assert_allclose(fitted[1:], expected, atol=1e-8)


@given(SEEDS, st.floats(0.0, 1.0), st.sampled_from([0.0, 20.0, 60.0]))
def test_shares_are_kept_to_the_point(seed: int, share: float, cluster_um: float) -> None:
    for scan in (surface_of(seed), mark_of(seed)):
        valid = np.isfinite(scan.heights_um)
        count = int(valid.sum())
        cases = (
            (drop_out(scan, share, cluster_um, seed), round((1.0 - share) * count)),
            (keep_disc(scan, share, seed), round(share * count)),
        )
        for disturbed, expected in cases:
            kept = np.isfinite(disturbed.heights_um)
            assert int(kept.sum()) == expected
            np.testing.assert_array_equal(disturbed.heights_um[kept], scan.heights_um[kept])


def test_dropouts_come_in_clusters() -> None:
    surface = smooth_surface()
    for cluster_um, low, high in ((0.0, 0.15, 0.25), (100.0, 0.8, 1.0)):
        missing = np.isnan(drop_out(surface, 0.2, cluster_um, 1).heights_um)
        assert low < missing[:, 1:][missing[:, :-1]].mean() < high


def test_a_kept_disc_is_a_disc() -> None:
    kept = np.isfinite(keep_disc(smooth_surface(), 0.1, 3).heights_um)
    rows, columns = np.nonzero(kept)
    assert ndimage.label(kept)[1] == 1
    assert kept[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].mean() > 0.7


@given(SEEDS, st.integers(0, 360), st.integers(-360, 360))
def test_a_sector_and_the_rest_make_the_whole(seed: int, width_deg: int, start: int) -> None:
    surface = surface_of(seed)
    start_deg = start + 0.37  # so that no point lies on a border
    sector = np.isfinite(keep_sector(surface, width_deg, start_deg).heights_um)
    other = np.isfinite(keep_sector(surface, 360 - width_deg, start_deg + width_deg).heights_um)
    np.testing.assert_array_equal(sector | other, np.isfinite(surface.heights_um))
    assert not (sector & other).any()


@pytest.mark.parametrize("start_deg", [1e-300, -1e-300, 0.0, 90.0, 360.0])
def test_a_full_sector_keeps_everything(start_deg: float) -> None:
    surface = surface_of(1)
    kept = keep_sector(surface, 360.0, start_deg)
    np.testing.assert_array_equal(kept.heights_um, surface.heights_um)


def test_a_sector_goes_counter_clockwise_from_its_start() -> None:
    surface = Surface(np.zeros((101, 101)), (5.0, 5.0))
    kept = np.isfinite(keep_sector(surface, 90.0, 0.0).heights_um)
    assert kept[20, 80]
    assert not kept[80, 80]
    assert not kept[20, 20]
    assert kept.mean() == pytest.approx(0.25, abs=0.01)


@settings(deadline=None)
@given(SEEDS, st.sampled_from([0.0, 1.0]), st.floats(0.0, 2.0))
def test_noise_has_the_asked_strength_on_the_valid_points(seed: int, exponent: float, share: float) -> None:
    surface = surface_of(seed, missing=0.2)
    valid = np.isfinite(surface.heights_um)
    noise = add_noise(surface, share, exponent, seed).heights_um - surface.heights_um
    np.testing.assert_array_equal(np.isfinite(noise), valid)
    if valid.sum() > 2:
        roughness = float(surface.heights_um[valid].std())
        assert float(noise[valid].std()) == pytest.approx(share * roughness, rel=1e-6, abs=1e-12)


def test_noise_spectra_differ_in_colour() -> None:
    surface = smooth_surface()
    neighbours = []
    for exponent in (0.0, 1.0):
        noise = add_noise(surface, 1.0, exponent, 1).heights_um - surface.heights_um
        neighbours.append(np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1])
    assert abs(neighbours[0]) < 0.05
    assert neighbours[1] > 0.6


@pytest.mark.parametrize("factor", [0.98, 1.02, 1.3])
def test_a_scale_error_stretches_features_about_the_centre(factor: float) -> None:
    surface = smooth_surface()
    stretched = rescale_lateral(surface, factor)
    assert stretched.spacing_um == surface.spacing_um
    rows, columns = np.mgrid[10:111:5, 10:151:5]
    middle = (np.array(stretched.heights_um.shape) - 1.0) / 2.0
    where = np.stack(((rows - 60.0) * factor + middle[0], (columns - 80.0) * factor + middle[1]))
    found = ndimage.map_coordinates(stretched.heights_um, where, order=3)
    np.testing.assert_allclose(found, surface.heights_um[rows, columns], atol=0.02)


def test_a_dent_erases_the_relief_inside_it_only() -> None:
    surface = smooth_surface()
    changed = dent(surface, 0.1, 20.0, 4).heights_um != surface.heights_um
    assert changed.sum() == pytest.approx(0.1 * changed.size, abs=2)
    heights = dent(surface, 0.1, 20.0, 4).heights_um
    assert heights[changed].min() < surface.heights_um[changed].mean() - 18.0


@pytest.mark.parametrize(
    "disturb",
    [
        lambda scan: rotate_surface(scan, 30.0),
        lambda scan: rescale_lateral(scan, 1.1),
        mirror,
        lambda scan: tilt(scan, 3.0, 20.0),
        lambda scan: add_noise(scan, 0.5, 1.0, 1),
        lambda scan: drop_out(scan, 0.5, 50.0, 1),
        lambda scan: keep_sector(scan, 90.0, 0.0),
        lambda scan: keep_disc(scan, 0.5, 1),
        lambda scan: dent(scan, 0.1, 5.0, 1),
    ],
)
def test_edge_cases_and_bookkeeping(disturb: Callable[[Any], Any]) -> None:
    for heights in (np.full((5, 6), np.nan), np.zeros((1, 1)), np.ones((7, 3))):
        surface = Surface(heights, (6.25, 6.25))
        before = heights.copy()
        disturbed = disturb(surface)
        np.testing.assert_array_equal(surface.heights_um, before)  # the input is left alone
        assert isinstance(disturbed, Surface)
        assert disturbed.findings[-1].code == "disturbed"
        assert not np.isinf(disturbed.heights_um).any()
    mark = mark_of(3)
    first, second = disturb(mark), disturb(mark)
    np.testing.assert_array_equal(first.heights_um, second.heights_um)
    assert isinstance(first, Mark)
    assert first.heights_um.dtype == np.float32
    with pytest.raises(ParameterError):
        disturb(Surface(np.zeros((1, 9)), (5.0, 5.0), kind="profile"))


def test_values_out_of_range_are_refused() -> None:
    surface = smooth_surface()
    for refused in (
        lambda: rotate_surface(surface, float("nan")),
        lambda: rescale_lateral(surface, 0.0),
        lambda: tilt(surface, 90.0),
        lambda: add_noise(surface, -1.0, 0.0, 1),
        lambda: drop_out(surface, 1.5, 50.0, 1),
        lambda: keep_sector(surface, 400.0, 0.0),
        lambda: keep_disc(surface, float("nan"), 1),
        lambda: dent(surface, 2.0, 1.0, 1),
    ):
        with pytest.raises(ParameterError):
            refused()
