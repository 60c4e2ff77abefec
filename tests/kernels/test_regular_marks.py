"""Means along straight and circular lines of two registered cells, against their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive import impressions as naive

from ballistics_kernels.impressions.regular_marks import (
    cell_points,
    line_of,
    line_sums,
    products,
    products_by_direction,
    take_lines_off,
)
from ballistics_kernels.impressions.turning import padded


def heights(seed: int, shape: tuple[int, int] = (24, 30)) -> np.ndarray:
    """Random heights with missing and infinite points."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=shape).astype(np.float32)
    values[rng.random(shape) < 0.2] = np.nan
    values[3, 4] = np.inf
    return values


def points(seed: int, n: int = 200) -> np.ndarray:
    """Random places within 12 points of the centre, and two values at each."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.uniform(-12, 12, (2, n)), rng.normal(size=(2, n))]).astype(np.float32)


def work() -> np.ndarray:
    return np.empty((3, 81))


@pytest.mark.parametrize("theta", [0.0, 0.4, -2.0])
@pytest.mark.parametrize("cell", [(12.0, 15.0), (2.3, 27.9), (-30.0, 5.0)])
def test_cell_points_are_those_valid_in_both(theta: float, cell: tuple[float, float]) -> None:
    tiled, searched = heights(1), heights(2, (31, 22))
    out = np.empty((4, 121), np.float32)
    n = cell_points(padded(tiled, 1), padded(searched, 1), cell, (14.2, 11.7), 0.3, theta, 11, out)
    expected = naive.cell_points(tiled, searched, cell, (14.2, 11.7), 0.3, theta, 11)
    assert n == expected.shape[1]
    np.testing.assert_allclose(out[:, :n], expected, atol=2e-5)


def test_a_cell_of_one_point_and_one_without_points() -> None:
    out = np.empty((4, 1), np.float32)
    single = padded(np.full((1, 1), 7.0, np.float32), 1)
    assert cell_points(single, single, (0.0, 0.0), (0.0, 0.0), 0.0, 0.0, 1, out) == 1
    assert out[:, 0].tolist() == [0.0, 0.0, 0.0, 0.0]
    none = padded(np.full((1, 1), np.nan, np.float32), 1)
    assert cell_points(single, none, (0.0, 0.0), (0.0, 0.0), 0.0, 0.0, 1, out) == 0
    assert line_sums(out, 0, 1, (1.0, 0.0, 0.0), 1.0, work()) == (0.0, 0.0, 0.0)


@given(
    st.floats(-20, 20),
    st.floats(-20, 20),
    st.floats(0, 2 * math.pi),
    st.sampled_from([0.0, 1e-6, 1e-3, 0.04, 0.5]),
)
def test_lines_are_straight_or_circles(y: float, x: float, normal: float, curvature: float) -> None:
    lines = math.cos(normal), math.sin(normal), curvature
    # The plain definition loses six digits in 1 − |…| at the smallest curvature.
    assert line_of(y, x, *lines) == pytest.approx(naive.line_of(y, x, *lines), abs=1e-8)


@pytest.mark.parametrize("lines", [(1.0, 0.0, 0.0), (0.6, 0.8, 0.0), (-0.8, 0.6, 0.05), (0.0, 1.0, 0.5)])
@pytest.mark.parametrize("per_point", [1.0, 2.0])
def test_means_along_lines(lines: tuple[float, float, float], per_point: float) -> None:
    cell = points(3)
    rest, means = naive.lines_taken_off(cell, lines, per_point)
    found = line_sums(cell, cell.shape[1], 1, lines, per_point, work())
    assert found == pytest.approx(((means[0] ** 2).sum(), (means[1] ** 2).sum(), (means[0] * means[1]).sum()))
    take_lines_off(cell, cell.shape[1], lines, per_point, work())
    np.testing.assert_allclose(cell[2:], rest, atol=1e-5)


@given(st.integers(0, 10_000), st.floats(0, math.pi), st.sampled_from([0.0, 0.02, 0.3]))
def test_what_lies_along_the_lines_and_the_rest_add_up(seed: int, normal: float, curvature: float) -> None:
    lines = math.cos(normal), math.sin(normal), curvature
    cell = points(seed, 60)
    whole = products(cell, 60)
    along = line_sums(cell, 60, 1, lines, 2.0, work())
    exchanged = line_sums(cell[[0, 1, 3, 2]].copy(), 60, 1, lines, 2.0, work())
    assert exchanged == pytest.approx((along[1], along[0], along[2]))
    take_lines_off(cell, 60, lines, 2.0, work())
    assert products(cell, 60) == pytest.approx(tuple(w - a for w, a in zip(whole, along, strict=True)), abs=1e-4)
    assert line_sums(cell, 60, 1, lines, 2.0, work()) == pytest.approx((0.0, 0.0, 0.0), abs=1e-6)


def test_constant_cells_have_no_lines() -> None:
    cell = points(5)
    cell[2:] = 0.0
    assert line_sums(cell, 200, 1, (1.0, 0.0, 0.0), 1.0, work()) == (0.0, 0.0, 0.0)
    take_lines_off(cell, 200, (1.0, 0.0, 0.0), 1.0, work())
    assert not cell[2:].any()


def test_products_by_direction_find_the_lines() -> None:
    cell = points(6, 400)
    normal = math.radians(50.0)
    cell[2] = cell[3] = np.sin(0.8 * (math.cos(normal) * cell[1] + math.sin(normal) * cell[0]))
    out = np.empty(36)
    products_by_direction(cell, 400, 1, work(), out)
    assert out.argmax() == 10
    every_third = cell[:, ::3].copy()
    for k, value in enumerate(out):
        lines = math.cos(math.pi * k / 36), math.sin(math.pi * k / 36), 0.0
        means = naive.lines_taken_off(cell, lines, 1.0)[1]
        assert value == pytest.approx((means[0] * means[1]).sum())
    products_by_direction(cell, 400, 3, work(), out)
    means = naive.lines_taken_off(every_third, (1.0, 0.0, 0.0), 1.0)[1]
    assert out[0] == pytest.approx((means[0] * means[1]).sum())
