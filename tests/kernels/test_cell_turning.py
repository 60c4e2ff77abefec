"""Turning of cells against its plain twin."""

from __future__ import annotations

import math

import numpy as np
import pytest
from naive import impressions as naive

from ballistics_kernels.impressions.cell_arrays import Cells
from ballistics_kernels.impressions.cell_turning import turn_cells
from ballistics_kernels.impressions.turning import padded


def rough(seed: int, shape: tuple[int, int], missing: float) -> np.ndarray:
    """Random heights with missing points."""
    rng = np.random.default_rng(seed)
    heights = rng.normal(size=shape)
    heights[rng.random(shape) < missing] = np.nan
    return heights.astype(np.float32)


@pytest.mark.parametrize("theta", [0.0, 0.2, -0.5, 1.0, math.pi / 2, 2.4, math.pi])
@pytest.mark.parametrize("half", [0.5, 3.0, 4.5, 6.25])
@pytest.mark.parametrize("missing", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("grid_theta", [0.0, 0.6])
def test_turn_cell_agrees_with_its_twin(theta: float, half: float, missing: float, grid_theta: float) -> None:
    heights = rough(1, (40, 40), missing)
    n = 2 * math.ceil(half * math.sqrt(2)) + 1
    values, valid, counts = *np.zeros((2, 1, n, n), np.float32), np.zeros(1, np.int64)
    at = np.array([22.3]), np.array([23.8])
    turn_cells(Cells(padded(heights, 3), *at, half, grid_theta), theta, n, values, valid, counts)
    expected = naive.turn_cell(heights, 19.3, 20.8, half, theta, n, grid_theta)
    np.testing.assert_array_equal(valid[0], np.isfinite(expected))
    np.testing.assert_allclose(values[0], np.nan_to_num(expected), atol=1e-4)
    assert counts[0] == valid.sum()


@pytest.mark.parametrize("turn", [0.7, math.pi / 4, 2.3, -0.8])
def test_a_cell_on_its_corner_turned_upright(turn: float) -> None:
    # The box on the other mark is as small as can be, the one on the tiled mark as large.
    heights, half = rough(3, (60, 60), 0.1), 14.3
    n = 2 * math.ceil(half) + 3
    values, valid, counts = *np.zeros((2, 1, n, n), np.float32), np.zeros(1, np.int64)
    at = np.array([35.3]), np.array([34.8])
    turn_cells(Cells(padded(heights, 5), *at, half, turn), turn, n, values, valid, counts)
    expected = naive.turn_cell(heights, 30.3, 29.8, half, turn, n, turn)
    np.testing.assert_allclose(values[0], np.nan_to_num(expected), atol=1e-4)
    assert counts[0] == np.isfinite(expected).sum() > 700


def test_all_cells_are_turned_each_about_its_centre() -> None:
    heights = rough(6, (50, 50), 0.2)
    centres = np.array([23.2, 28.0]), np.array([25.0, 30.7])
    values, valid, counts = *np.zeros((2, 2, 16, 16), np.float32), np.zeros(2, np.int64)
    turn_cells(Cells(padded(heights, 3), *centres, 4.0, 0.1), 0.3, 13, values, valid, counts)
    for c in range(2):
        expected = naive.turn_cell(heights, centres[0][c] - 3, centres[1][c] - 3, 4.0, 0.3, 13, 0.1)
        np.testing.assert_allclose(values[c, :13, :13], np.nan_to_num(expected), atol=1e-4)
        assert counts[c] == np.isfinite(expected).sum() == valid[c].sum()
        assert not values[c, 13:].any()
        assert not values[c, :, 13:].any()
