"""Least-squares matching of cells: against its naive twin, and against known motions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive import impressions as naive
from numpy.typing import NDArray
from property_tests import examples
from scipy import ndimage

from ballistics_kernels.impressions.cell_arrays import Cells, FoundCells
from ballistics_kernels.impressions.least_squares_matching import match_cells

Heights = NDArray[np.float32]
HALF, FARTHEST, SHARE, MOST = 10.0, 6.0, 0.25, 20


def field(seed: int, side: int = 60) -> Heights:
    rng = np.random.default_rng(seed)
    return ndimage.gaussian_filter(rng.normal(size=(side, side)), 2.0).astype(np.float32) * 10


def moved(heights: Heights, matrix: NDArray[np.float64], shift: tuple[float, float]) -> Heights:
    """The mark on which the point (u, v) from the middle of ``heights`` lies at matrix · (u, v) + shift, (x, y)."""
    middle = (np.array(heights.shape) - 1) / 2
    y, x = np.indices(heights.shape)
    u, v = np.linalg.inv(matrix) @ np.stack([(x - middle[1] - shift[0]).ravel(), (y - middle[0] - shift[1]).ravel()])
    values = ndimage.map_coordinates(heights.astype(float), [v + middle[0], u + middle[1]], order=3, mode="mirror")
    return values.reshape(heights.shape).astype(np.float32)


def rotation(theta: float) -> NDArray[np.float64]:
    """Clockwise as shown, as the kernels turn: (x, y) to (cos x + sin y, cos y − sin x) is its inverse."""
    return np.array([[np.cos(theta), np.sin(theta)], [-np.sin(theta), np.cos(theta)]])


def matched(
    tiled: Heights, searched: Heights, centres: object, places: object, thetas: object, grid_theta: float = 0.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    (cy, cx), (py, px) = (np.asarray(pair, float) for pair in (centres, places))
    maps, r = np.empty((len(cy), 6)), np.empty(len(cy))
    match_cells(
        Cells(tiled, cy, cx, HALF, grid_theta),
        searched,
        FoundCells(py, px, np.asarray(thetas, float)),
        SHARE,
        FARTHEST,
        MOST,
        maps,
        r,
    )
    return maps, r


@given(seed=st.integers(0, 2**32 - 1), gaps=st.sampled_from([0.0, 0.01, 0.6]), grid_theta=st.floats(-0.8, 0.8))
@examples(15)
def test_matching_equals_its_twin(seed: int, gaps: float, grid_theta: float) -> None:
    rng = np.random.default_rng(seed)
    tiled = field(seed)
    searched = moved(tiled, rotation(0.05), (1.3, -0.7)) + 0.3 * field(seed + 1)
    for heights in (tiled, searched):
        heights[rng.random(heights.shape) < gaps] = np.nan
    tiled[3, 4], searched[30, 30] = np.inf, -np.inf
    centres = rng.uniform(2, 58, (2, 4))
    places = centres + rng.uniform(-3, 3, (2, 4))
    thetas = rng.uniform(-0.2, 0.2, 4)
    places[0, 0] = np.nan
    maps, r = matched(tiled, searched, centres, places, thetas, grid_theta)
    for k in range(4):
        twin = naive.match_cell(
            tiled, searched, *centres[:, k], HALF, grid_theta, *places[:, k], thetas[k], SHARE, FARTHEST, MOST
        )
        if twin is None:
            assert np.isnan(r[k])
            assert np.isnan(maps[k]).all()
        else:
            np.testing.assert_allclose(maps[k], twin[0], atol=1e-6)
            assert r[k] == pytest.approx(twin[1], abs=1e-9)


@pytest.mark.parametrize("tiled", [np.zeros((60, 60)), np.full((60, 60), np.nan), np.ones((1, 1))])
def test_nothing_to_match_is_lost(tiled: NDArray[np.float64]) -> None:
    maps, r = matched(tiled.astype(np.float32), field(1), ([30.0], [30.0]), ([30.0], [30.0]), [0.0])
    assert np.isnan(maps).all()
    assert np.isnan(r).all()


def test_no_cells_no_result() -> None:
    maps, r = matched(field(1), field(2), ([], []), ([], []), [])
    assert maps.shape == (0, 6)
    assert r.shape == (0,)


def test_a_known_motion_is_found_to_a_fraction_of_a_point() -> None:
    tiled = field(5)
    matrix, shift = rotation(0.06) @ np.array([[1.04, 0.02], [0.0, 0.98]]), (0.9, -1.4)
    searched = 2.5 * moved(tiled, matrix, shift) + 7.0  # another height scale and level
    middle = (60 - 1) / 2
    x, y = matrix @ np.array([6.0, -5.0]) + np.array(shift) + middle
    maps, r = matched(tiled, searched, ([middle - 5.0], [middle + 6.0]), ([round(y)], [round(x)]), [0.0])
    np.testing.assert_allclose(maps[0, :2], [x, y], atol=0.03)
    np.testing.assert_allclose(maps[0, 2:].reshape(2, 2), matrix, atol=0.01)
    assert r[0] > 0.99


def test_upside_down_and_unrelated_heights_are_lost() -> None:
    tiled = field(6)
    centres = ([20.0, 30.0, 40.0], [25.0, 30.0, 35.0])
    for searched in (-tiled, field(7)):
        _, r = matched(tiled, np.ascontiguousarray(searched), centres, centres, [0.0, 0.0, 0.0])
        assert not (np.nan_to_num(r) > 0.9).any()
