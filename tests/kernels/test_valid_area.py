"""Middle, turn, reach and cells of the valid points, against loops over their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive import impressions as naive
from property_tests import examples

from ballistics_kernels.impressions.valid_area import count_in_cells, middle_and_turn, reach_of_valid


def heights(seed: int) -> np.ndarray:
    """Random heights with missing and infinite points."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=rng.integers(1, 25, 2)).astype(np.float32)
    values[rng.random(values.shape) < rng.random()] = np.nan
    values[rng.random(values.shape) < 0.05] = np.inf
    return values


@given(st.integers(0, 10_000))
@examples(40)
def test_middle_turn_reach_and_cells_equal_the_twins(seed: int) -> None:
    values = heights(seed)
    count, y, x, turn = middle_and_turn(values)
    expected = naive.middle_and_turn(values)
    assert count == expected[0]
    assert (y, x) == pytest.approx(expected[1:3], abs=1e-9)
    # π/4 and −π/4 are the same turn.
    assert math.cos(4 * (turn - expected[3])) == pytest.approx(1.0, abs=1e-6) or count < 2
    cos, sin = math.cos(-turn), math.sin(-turn)
    # Beside the middle: on its axes, where cells meet, rounding decides.
    y, x = y + 0.123, x - 0.077
    reach = reach_of_valid(values, y, x, cos, sin)
    side, places = 3.3, np.argwhere(np.isfinite(values)) - (y, x)
    turned = np.abs(places @ np.array([[cos, sin], [-sin, cos]]))
    assert reach == pytest.approx(turned.max(initial=0.0), abs=1e-9)
    n = 2 * math.ceil((reach + 0.5) / side)
    counts = np.empty((n, n), np.int64)
    count_in_cells(values, y, x, cos, sin, side, counts)
    assert counts.sum() == count
    np.testing.assert_array_equal(counts, naive.count_in_cells(values, y, x, cos, sin, side, n))


def test_no_point_one_point_and_constant_heights() -> None:
    nothing = np.full((3, 4), np.nan, np.float32)
    assert middle_and_turn(nothing) == (0, 0.0, 0.0, 0.0)
    assert reach_of_valid(nothing, 0.0, 0.0, 1.0, 0.0) == 0.0
    assert middle_and_turn(np.full((1, 1), 2.0, np.float32)) == (1, 0.0, 0.0, 0.0)
    flat = np.zeros((5, 5), np.float32)
    assert middle_and_turn(flat) == (25, 2.0, 2.0, 0.0)


def test_the_turn_is_that_of_a_cross() -> None:
    i, j = np.mgrid[:101, :101] - 50.0
    for degrees in (0.0, 10.0, -30.0):
        angle = math.radians(degrees)
        along, across = j * math.cos(angle) - i * math.sin(angle), i * math.cos(angle) + j * math.sin(angle)
        cross = (np.minimum(np.abs(along), np.abs(across)) < 4).astype(np.float32)
        assert math.degrees(middle_and_turn(cross)[3]) == pytest.approx(degrees, abs=0.1)
