"""Decimation, turning and masked correlation against their plain twins."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive import filters, impressions
from property_tests import examples

from ballistics_kernels.filters.decimation import decimate
from ballistics_kernels.impressions.correlation import masked_ncc
from ballistics_kernels.impressions.turning import padded, pearson_at_pose, turn_onto, valid_points


def rough(seed: int, shape: tuple[int, int], missing: float = 0.3, infinite: bool = False) -> np.ndarray:
    """Random heights with missing points."""
    rng = np.random.default_rng(seed)
    heights = rng.normal(size=shape).astype(np.float32)
    heights[rng.random(shape) < missing] = np.nan
    if infinite:
        heights[rng.random(shape) < 0.05] = np.inf
        heights[rng.random(shape) < 0.05] = -np.inf
    return heights


def pearson(a: np.ndarray, b: np.ndarray) -> tuple[float, int]:
    """Correlate two maps as they lie, through the kernel that also turns and shifts."""
    return pearson_at_pose(valid_points(a), padded(b, 1), 0.0, 0.0, 0.0)


SHAPES = [(1, 1), (1, 7), (9, 1), (13, 8), (20, 21)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("factor", [1, 2, 3, 8])
def test_decimate_is_the_mean_of_the_valid_points_of_a_block(shape: tuple[int, int], factor: int) -> None:
    heights = rough(1, shape, infinite=True)
    np.testing.assert_allclose(decimate(heights, factor), filters.decimate(heights, factor), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("theta", [0.0, 0.4, -2.0, math.pi / 2])
def test_turn_onto_moves_every_point_as_stated(theta: float) -> None:
    heights = rough(4, (11, 14), 0.1)
    out = np.empty((18, 17), np.float32)
    turn_onto(heights, theta, 1.25, -0.5, out)
    np.testing.assert_allclose(out, filters.turn_onto(heights, theta, 1.25, -0.5, out.shape), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("theta", [0.0, 0.3, 3.0])
def test_pearson_at_pose_is_pearson_after_turning(theta: float) -> None:
    a, b = rough(5, (15, 12)), rough(6, (14, 16))
    r, count = pearson_at_pose(valid_points(a), padded(b, 1), theta, 0.7, -1.3)
    expected = impressions.pearson(a, filters.turn_onto(b, theta, 0.7, -1.3, a.shape))
    assert count == expected[1]
    assert r == pytest.approx(expected[0], abs=1e-5)


@pytest.mark.parametrize("shapes", [((4, 5), (6, 7)), ((1, 1), (5, 5)), ((6, 3), (2, 8)), ((1, 9), (9, 1))])
@pytest.mark.parametrize("minimum", [2, 6])
def test_masked_ncc_is_pearson_over_the_common_points_at_every_shift(
    shapes: tuple[tuple[int, int], tuple[int, int]], minimum: int
) -> None:
    a, b = rough(7, shapes[0], 0.2), rough(8, shapes[1], 0.2)
    correlations, overlaps = masked_ncc(a, b, minimum)
    expected, counts = impressions.masked_ncc(a, b, minimum)
    np.testing.assert_array_equal(overlaps, counts)
    np.testing.assert_allclose(correlations, expected, atol=2e-3)


def test_masked_ncc_of_flat_or_empty_maps_has_no_correlation() -> None:
    flat = np.full((5, 5), 3.0, np.float32)
    empty = np.full((5, 5), np.nan, np.float32)
    other = rough(9, (6, 6), 0.0)
    for a in (flat, empty):
        assert np.isnan(masked_ncc(a, other, 2)[0]).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_correlation_as_the_maps_lie_is_that_over_the_common_points(shape: tuple[int, int]) -> None:
    a, b = rough(10, shape, infinite=True), rough(11, shape, infinite=True)
    r, count = pearson(a, b)
    expected = impressions.pearson(a, b)
    assert count == expected[1]
    assert r == pytest.approx(expected[0], abs=1e-6, nan_ok=True)


@examples(40)
@given(
    seed=st.integers(0, 10_000),
    scale=st.floats(0.01, 100).map(np.float32),
    offset=st.floats(-5, 5).map(np.float32),
    dy=st.integers(0, 4),
    dx=st.integers(0, 4),
)
def test_correlation_ignores_scale_offset_order_and_common_shift(
    seed: int, scale: np.float32, offset: np.float32, dy: int, dx: int
) -> None:
    a, b = rough(seed, (9, 9)), rough(seed + 1, (9, 9))
    r, count = pearson(a, b)
    assert pearson(b, a)[0] == pytest.approx(r, abs=1e-6, nan_ok=True)
    assert pearson(a * scale + offset, b)[0] == pytest.approx(r, abs=1e-3, nan_ok=True)
    shifted = [np.roll(np.pad(x, 4, constant_values=np.nan), (dy, dx), (0, 1)).astype(np.float32) for x in (a, b)]
    assert pearson(*shifted) == (pytest.approx(r, abs=1e-9, nan_ok=True), count)
    assert -1 - 1e-9 <= r <= 1 + 1e-9
