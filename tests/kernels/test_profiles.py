"""Kernels for profiles against their plain twins, with missing, infinite, flat and one-point input."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.fft
from hypothesis import given
from hypothesis import strategies as st
from naive import profiles as naive

from ballistics_kernels.profiles.bands import band_medians
from ballistics_kernels.profiles.correlation import (
    NO_CORRELATION,
    best_lags,
    correlate_lags,
    correlate_products,
    stretched,
    valid_runs,
)
from ballistics_kernels.profiles.ends import first_stall
from ballistics_kernels.profiles.windows import best_window_pair


def rough(seed: int, n: int, missing: float = 0.2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=n)
    values[rng.random(n) < missing] = np.nan
    values[rng.random(n) < missing / 10] = np.inf
    return values


PAIRS = [(1, 1, 0.0), (1, 9, 0.0), (12, 3, 0.0), (40, 31, 0.0), (40, 31, 0.3), (33, 57, 0.8), (20, 20, 1.0)]


@pytest.mark.parametrize(("m", "n", "missing"), PAIRS)
def test_correlation_at_every_lag_is_pearson_over_the_common_points(m: int, n: int, missing: float) -> None:
    a, b = rough(1, m, missing), rough(2, n, missing)
    first, last = -n - 2, m + 2
    r, counts = correlate_lags(a, b, first, last, 4.0)
    expected, points = naive.correlate_lags(a, b, first, last, 4)
    np.testing.assert_array_equal(counts, points)
    np.testing.assert_allclose(r, expected, atol=1e-9)


def test_a_flat_profile_has_no_correlation() -> None:
    r, counts = correlate_lags(np.full(20, 0.3), rough(3, 20, 0.0), -19, 19, 3.0)
    assert (r == NO_CORRELATION).all()
    assert counts.max() == 20


def test_an_empty_range_of_lags_gives_nothing() -> None:
    r, counts = correlate_lags(rough(1, 9), rough(2, 9), 3, 2, 3.0)
    assert len(r) == len(counts) == 0


@pytest.mark.parametrize(("m", "n", "missing"), [(40, 31, 0.0), (31, 40, 0.3), (9, 60, 0.5), (50, 50, 1.0)])
def test_best_lag_of_each_profile_of_a_stack(m: int, n: int, missing: float) -> None:
    a = rough(7, m, missing)
    stack = np.stack([rough(10 + k, n, missing) for k in range(9)]).astype(np.float32)
    stack[np.isinf(stack)] = np.nan
    first, last = 5 - n, m - 5
    period = max(m - first, n + last)
    filled = np.nan_to_num(np.where(np.isfinite(a), a, 0.0)).astype(np.float32)
    spectra = scipy.fft.rfft(np.nan_to_num(stack), period, axis=1)
    products = scipy.fft.irfft(scipy.fft.rfft(filled, period) * spectra.conj(), period, axis=1)
    found = np.empty((9, 3))
    best_lags(products.astype(np.float32), first, last, np.full(9, 5.0), a, stack, found)
    for k in range(9):
        r, counts = naive.correlate_lags(a, stack[k], first, last, 5)
        assert found[k, 0] == pytest.approx(r.max(), abs=1e-4)
        if r.max() > NO_CORRELATION:
            assert r[int(found[k, 1]) - first] == pytest.approx(r.max(), abs=1e-4)
            assert found[k, 2] == counts[int(found[k, 1]) - first]


@pytest.mark.parametrize(("m", "n", "missing"), [(40, 31, 0.0), (31, 40, 0.3), (9, 60, 0.5), (50, 50, 1.0)])
def test_correlations_from_products(m: int, n: int, missing: float) -> None:
    a, b = (np.stack([rough(seed + k, size, missing) for k in range(3)]) for seed, size in ((1, m), (7, n)))
    first, last = 4 - n, m - 4
    period = max(m - first, n + last)
    spectra = [scipy.fft.rfft(np.where(np.isfinite(v), v, 0.0), period, axis=1) for v in (a, b)]
    products = scipy.fft.irfft(spectra[0] * spectra[1].conj(), period, axis=1)
    r, counts = correlate_products(products, a, b, first, last, 4.0)
    for k in range(3):
        expected, numbers = naive.correlate_lags(a[k], b[k], first, last, 4)
        np.testing.assert_array_equal(counts[k], numbers)
        np.testing.assert_allclose(r[k], expected, atol=1e-8)
    assert correlate_products(products, a, b, 3, 2, 4.0)[0].shape == (3, 0)


@pytest.mark.parametrize("missing", [0.0, 0.3, 0.9, 1.0])
def test_runs_of_valid_points(missing: float) -> None:
    for n in (0, 1, 2, 17):
        values = rough(n, n, missing)
        np.testing.assert_array_equal(valid_runs(values), naive.valid_runs(values))


@pytest.mark.parametrize("n", [1, 2, 3, 10, 11])
@pytest.mark.parametrize("factor", [0.3, 0.5, 0.97, 1.0, 1.03, 2.0, 2.7])
def test_stretch_keeps_the_middle_and_every_wave(n: int, factor: float) -> None:
    for missing in (0.0, 0.3):
        values = rough(n, n, missing)
        values[np.isinf(values)] = np.nan
        np.testing.assert_allclose(stretched(values, factor), naive.stretched(values, factor), atol=1e-12)


@given(st.integers(0, 50), st.floats(0.8, 1.25))
def test_stretching_commutes_with_reversing(seed: int, factor: float) -> None:
    values = rough(seed, 20 + seed)
    values[np.isinf(values)] = np.nan
    np.testing.assert_allclose(stretched(values[::-1].copy(), factor), stretched(values, factor)[::-1], atol=1e-9)


@pytest.mark.parametrize("missing", [0.0, 0.03, 1.0])
def test_best_pair_of_windows(missing: float) -> None:
    a, b = rough(4, 45, missing), rough(5, 38, missing)
    i, j, r = best_window_pair(a, b, 8)
    expected = naive.best_window_pair(a, b, 8)
    assert (i, j) == expected[:2]
    assert r == pytest.approx(expected[2], abs=1e-9)


def test_no_window_fits_a_profile_that_is_shorter() -> None:
    assert best_window_pair(rough(1, 5, 0.0), rough(2, 30, 0.0), 8) == (-1, -1, -2.0)


@pytest.mark.parametrize("missing", [0.0, 0.3, 0.8, 1.0])
@pytest.mark.parametrize(("rows", "per_band"), [(1, 1), (7, 3), (8, 3), (12, 5), (3, 9), (5, 9)])
def test_medians_of_bands(rows: int, per_band: int, missing: float) -> None:
    heights = rough(rows, rows * 11, missing).reshape(rows, 11)
    shifts = np.random.default_rng(2).integers(-13, 14, rows)
    medians, counts = band_medians(heights, shifts, per_band)
    expected, numbers = naive.band_medians(heights, shifts, per_band)
    np.testing.assert_array_equal(counts, numbers)
    np.testing.assert_allclose(medians, expected, atol=1e-12)


@pytest.mark.parametrize("seed", range(12))
def test_first_place_where_a_profile_stops_falling(seed: int) -> None:
    rng = np.random.default_rng(seed)
    distance = np.sort(rng.uniform(0, 400, 90))
    descent = distance * 6e-4
    foot = rng.uniform(150, 420)
    arc = -3e-4 * distance**2
    heights = np.where(distance < foot, arc, -3e-4 * foot**2 + 0.1 * (distance - foot)) + rng.normal(size=90) * 0.2
    limits = np.array([50.0, 1.0, 3.5, 3.0, 20.0, 0.3 if seed % 2 else 4.0])
    found = first_stall(distance, heights, heights - arc, descent, limits)
    assert found == naive.first_stall(distance, heights, heights - arc, descent, limits)
    assert first_stall(distance[:1], heights[:1], heights[:1], descent[:1], limits) == -1
