"""The kernels of the template scan against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from naive import templates as naive

from ballistics_kernels.impressions.turning import padded
from ballistics_kernels.templates.polar import polar_samples
from ballistics_kernels.templates.polar_scan import (
    LANES,
    OVERLAP_ANGLES,
    BestPoses,
    ModeRanges,
    Spectra,
    accumulate,
    overlap_roots,
    scan_block,
    to_angles,
    unpack,
)


def turns(n: int) -> np.ndarray:
    angles = 2 * np.pi * np.arange(n) / n
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1).astype(np.float32)


def parts(values: np.ndarray) -> np.ndarray:
    return np.stack([values.real, values.imag], axis=-1).astype(np.float32)


def stacked(candidates: np.ndarray) -> np.ndarray:
    """Complex coefficients, shape (LANES, n), as `unpack` lays them out."""
    n = candidates.shape[1]
    return np.ascontiguousarray(parts(candidates).reshape(LANES, n // 4, 8).transpose(1, 2, 0))


def random_complex(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(np.complex64)


@pytest.mark.parametrize(
    "heights",
    [
        np.random.default_rng(1).normal(size=(17, 12)),
        np.full((9, 9), 2.0),
        np.array([[3.0]]),
        np.full((4, 5), np.nan),
    ],
)
@pytest.mark.parametrize("centre", [(8.0, 5.5), (0.0, 0.0), (-3.0, 40.0)])
def test_polar_samples_agree_with_twin(heights: np.ndarray, centre: tuple[float, float]) -> None:
    heights = heights.astype(np.float32)
    heights.flat[::7] = np.nan
    heights.flat[3::11] = np.inf
    values, valid = np.empty((2, 6, 16), np.float32)
    polar_samples(padded(heights, 1), *centre, 1.3, values, valid)
    expected = naive.polar_samples(np.where(np.isinf(heights), np.nan, heights), *centre, 1.3, 6, 16)
    np.testing.assert_array_equal(valid, expected[1])
    np.testing.assert_allclose(values, expected[0], atol=1e-5)


@given(st.integers(0, 15))
def test_a_quarter_turn_is_a_shift_of_angle(seed: int) -> None:
    heights = np.random.default_rng(seed).normal(size=(21, 21)).astype(np.float32)
    heights[3:9, 12:] = np.nan
    first, second = np.empty((2, 2, 9, 32), np.float32)
    polar_samples(padded(heights, 1), 10.0, 10.0, 1.0, *first)
    polar_samples(padded(np.ascontiguousarray(np.rot90(heights, -1)), 1), 10.0, 10.0, 1.0, *second)
    np.testing.assert_allclose(second, np.roll(first, 8, axis=2), atol=1e-5)


def test_unpack_spreads_coefficients_and_clears_the_rest() -> None:
    rng = np.random.default_rng(2)
    records = rng.integers(-127, 128, (3, 5, 2)).astype(np.int8)
    steps, places = np.array([0.5, 2.0, 0.0], np.float32), np.array([0, 1, 4, 5, 6])
    stack = np.full((2, 8, LANES), 9.0, np.float32)
    unpack(records, steps, places, stack)
    expected = np.zeros((2, 8, LANES), np.float32)
    for i in range(3):
        for k, place in enumerate(places):
            for part in range(2):
                expected[place // 4, 2 * (place % 4) + part, i] = steps[i] * records[i, k, part]
    np.testing.assert_array_equal(stack, expected)


@pytest.mark.parametrize("counts", [(4, 4, 4), (8, 4, 0, 12), (0, 0, 4)])
def test_accumulate_agrees_with_twin(counts: tuple[int, ...]) -> None:
    rng = np.random.default_rng(3)
    n = sum(counts)
    query, candidates = random_complex(rng, n), random_complex(rng, LANES, n)
    spectrum = np.full((2, len(counts), LANES), 7.0, np.float32)
    places = np.concatenate([[0], np.cumsum(counts)])
    accumulate(parts(query), stacked(candidates), places[:-1], places[1:], spectrum)
    modes = np.repeat(np.arange(len(counts)), counts)
    for lane in (0, 17, LANES - 1):
        expected = naive.angular_products(query, candidates[lane], modes, len(counts))
        np.testing.assert_allclose(spectrum[0, :, lane] + 1j * spectrum[1, :, lane], expected, atol=1e-4)


@pytest.mark.parametrize("half", [1, 4, 16, 64])
def test_to_angles_agrees_with_twin(half: int) -> None:
    spectra = random_complex(np.random.default_rng(half), half, LANES)
    spectrum = np.stack([spectra.real, spectra.imag])
    found = to_angles(spectrum, turns(2 * half), np.empty_like(spectrum), np.empty_like(spectrum))
    for lane in (0, LANES - 1):
        expected = naive.at_angles(spectra[:, lane], 2 * half)
        np.testing.assert_allclose(found[:, :, lane].T.ravel(), expected, atol=2e-6 * half + 1e-5)


def test_overlap_roots_agree_with_twin() -> None:
    spectra = random_complex(np.random.default_rng(5), 5, LANES)
    spectra[0] = 6.0
    spectra[:, 3] = 0.0
    roots, counted = np.empty((OVERLAP_ANGLES, LANES), np.float32), np.zeros(LANES, np.float32)
    least = np.full(LANES, 2.0, np.float32)
    overlap_roots(np.stack([spectra.real, spectra.imag]), turns(OVERLAP_ANGLES), least, roots, counted)
    for lane in (0, 3, LANES - 1):
        overlap = naive.at_angles(spectra[:, lane], OVERLAP_ANGLES)
        expected = np.array([1 / np.sqrt(v) if v >= 2.0 else 0.0 for v in overlap])
        np.testing.assert_allclose(roots[:, lane], expected, atol=1e-4)
        assert counted[lane] == np.count_nonzero(expected)


@pytest.mark.parametrize("least", [0.5, 3.0, 1e6])
def test_scan_block_agrees_with_twin(least: float) -> None:
    rng = np.random.default_rng(6)
    n_modes, n_mask_modes, shifts = 64, 3, 2
    query, candidates = random_complex(rng, shifts, 4 * n_modes), random_complex(rng, LANES, 4 * n_modes)
    query_mask, candidate_masks = random_complex(rng, shifts, 12), random_complex(rng, LANES, 12)
    query_mask[:, :4], candidate_masks[:, :4] = 2.0, 1.0
    candidates[5] = 0.0  # a flat candidate
    starts, mask_starts = 4 * np.arange(n_modes + 1), 4 * np.arange(n_mask_modes + 1)
    best, spread = np.empty((2, LANES), np.float32)
    where = np.empty(LANES, np.int32)
    scan_block(
        Spectra(parts(query), parts(query_mask)),
        Spectra(stacked(candidates), stacked(candidate_masks)),
        ModeRanges(starts[:-1], starts[1:], mask_starts[:-1], mask_starts[1:]),
        Spectra(turns(2 * n_modes), turns(OVERLAP_ANGLES)),
        np.full(LANES, least, np.float32),
        BestPoses(best, where, spread),
    )
    modes, mask_modes = np.repeat(np.arange(n_modes), 4), np.repeat(np.arange(n_mask_modes), 4)
    for lane in (0, 5, LANES - 1):
        expected = naive.scan_candidate(
            query, query_mask, candidates[lane], candidate_masks[lane], modes, mask_modes, n_modes, n_mask_modes, least
        )
        np.testing.assert_allclose((best[lane], spread[lane]), (expected[0], expected[2]), rtol=1e-3, atol=1e-5)
        assert where[lane] == expected[1]
