"""Kernels of filters, resampling, spikes and paths against their naive twins, and their invariances."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive import filters as naive
from property_tests import examples

from ballistics_kernels.filters.gaussian import quadratic_regression, weighted_mean
from ballistics_kernels.filters.median import median
from ballistics_kernels.filters.paths import closed_path
from ballistics_kernels.filters.resampling import interpolate_grid
from ballistics_kernels.filters.spikes import local_median

TAPS = np.exp(-0.5 * (np.arange(-5, 6) / 1.7) ** 2)
NARROW = np.array([-0.02, 0.2, 0.64, 0.2, -0.02])


def cases() -> list[np.ndarray]:
    """Random heights with NaN and ±Inf, a constant, one point, one row, nothing valid."""
    rng = np.random.default_rng(1)
    mixed = rng.normal(size=(17, 13))
    mixed[rng.random(mixed.shape) < 0.3] = np.nan
    mixed[3, 4], mixed[9, 2] = np.inf, -np.inf
    sparse = np.where(rng.random((15, 15)) < 0.04, rng.normal(size=(15, 15)), np.nan)
    return [mixed, sparse, np.full((6, 7), 3.5), np.array([[2.0]]), rng.normal(size=(1, 9)), np.full((4, 3), np.nan)]


@pytest.mark.parametrize("values", cases())
def test_weighted_mean_equals_its_twin(values: np.ndarray) -> None:
    for rows, columns in ((TAPS, TAPS), (TAPS, NARROW), (NARROW, np.array([1.0]))):
        expected = naive.weighted_mean(values, rows, columns)
        np.testing.assert_allclose(weighted_mean(values, rows, columns), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("values", cases())
def test_quadratic_regression_equals_its_twin(values: np.ndarray) -> None:
    for taps in (TAPS, TAPS[2:-2]):
        expected = naive.quadratic_regression(values, TAPS, taps, 0.6, 0.5)
        result = quadratic_regression(values, TAPS, taps, 0.6, 0.5)
        np.testing.assert_array_equal(np.isnan(result), np.isnan(expected))
        np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-7)


@given(
    st.lists(st.floats(-3, 3), min_size=6, max_size=6),
    st.floats(0.0, 0.7),
    st.integers(0, 2**32 - 1),
)
@examples(40)
def test_quadratic_regression_returns_any_second_order_surface(
    coefficients: list[float], missing: float, seed: int
) -> None:
    y, x = np.mgrid[:16, :19] / 8.0
    a, b, c, d, e, f = coefficients
    surface = a + b * x + c * y + d * x * x + e * x * y + f * y * y
    surface[np.random.default_rng(seed).random(surface.shape) < missing] = np.nan
    taps = np.exp(-0.5 * (np.arange(-12, 13) / 3.0) ** 2)
    result = quadratic_regression(surface, taps, taps, 1 / 3.0, 1 / 3.0)
    np.testing.assert_allclose(result, surface, atol=1e-7)


@given(st.integers(0, 2**32 - 1), st.floats(-1e3, 1e3), st.floats(0.01, 100))
@examples(30)
def test_filters_commute_with_shift_scale_and_transposition(seed: int, offset: float, factor: float) -> None:
    rng = np.random.default_rng(seed)
    z = np.where(rng.random((12, 10)) < 0.8, rng.normal(size=(12, 10)), np.nan)
    for run in (
        lambda v: weighted_mean(v, TAPS, TAPS),
        lambda v: quadratic_regression(v, TAPS, TAPS, 0.6, 0.6),
    ):
        plain = run(z)
        np.testing.assert_allclose(run(z * factor + offset), plain * factor + offset, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(run(np.ascontiguousarray(z.T)).T, plain, rtol=1e-7, atol=1e-8)
        np.testing.assert_allclose(run(np.ascontiguousarray(z[::-1]))[::-1], plain, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("values", cases())
def test_interpolation_equals_its_twin(values: np.ndarray) -> None:
    rows = np.linspace(0, values.shape[0] - 1, 23)
    columns = np.linspace(0, values.shape[1] - 1, 11)
    result = interpolate_grid(values, rows, columns)
    np.testing.assert_allclose(result, naive.interpolate_grid(values, rows, columns), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("half", [1, 2, 3])
@pytest.mark.parametrize("values", cases())
def test_local_median_equals_its_twin(values: np.ndarray, half: int) -> None:
    wanted = np.random.default_rng(0).random(values.shape) < 0.7
    np.testing.assert_array_equal(local_median(values, half, wanted), naive.local_median(values, half, wanted))


@given(st.integers(0, 2**32 - 1), st.floats(0, 2), st.integers(1, 3))
@examples(30)
def test_closed_path_equals_its_twin(seed: int, price: float, most: int) -> None:
    gain = np.random.default_rng(seed).normal(size=(7, 5))
    np.testing.assert_array_equal(closed_path(gain, price, most), naive.closed_path(gain, price, most))


def test_closed_path_is_the_best_of_all_closed_paths() -> None:
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(20):
        gain, price = rng.normal(size=(5, 3)), 0.4
        gain[:, 1] += 1.0  # a path that is worth following, as every border is

        def worth(path: tuple[int, ...], gain: np.ndarray = gain, price: float = price) -> float:
            moves = np.abs(np.diff([*path, path[0]]))
            return -np.inf if moves.max() > 1 else gain[np.arange(5), path].sum() - price * moves.sum()

        best = max(itertools.product(range(3), repeat=5), key=worth)
        found = tuple(int(c) for c in closed_path(gain, price, 1))
        hits += bool(np.isclose(worth(found), worth(best)))
    assert hits == 20


def test_closed_path_keeps_out_of_forbidden_columns() -> None:
    gain = np.zeros((8, 6))
    gain[:, :2] = -np.inf
    gain[3, 2] = -np.inf
    path = closed_path(gain, 0.1, 4)
    assert (path >= 2).all()
    assert path[3] != 2


def test_weighted_mean_of_a_wide_field_leaves_nothing_out() -> None:
    rng = np.random.default_rng(6)
    values = rng.normal(size=(60, 70))
    values[rng.random(values.shape) < 0.5] = np.nan
    values[:, 20:62] = np.nan
    values[35:] = np.nan
    values[48, 40] = 2.0
    taps = rng.uniform(0.1, 1.0, 29)
    expected = naive.weighted_mean(values, TAPS, taps)
    np.testing.assert_allclose(weighted_mean(values, TAPS, taps), expected, rtol=1e-10)


@pytest.mark.parametrize("n", [1, 2, 3, 50, 51, 4000])
def test_median_is_that_of_numpy(n: int) -> None:
    rng = np.random.default_rng(n)
    fields = [rng.normal(size=n), np.round(rng.normal(size=n), 1), rng.choice([-np.inf, 0.0, 1e-30, np.inf], n)]
    for values in (field.astype(np.float32) for field in [*fields, np.abs(fields[0]) * 1e30, np.full(n, -2.5)]):
        with np.errstate(invalid="ignore"):
            expected = np.median(values)
        np.testing.assert_array_equal(np.float32(median(values)), expected)
