"""The transforms and sums behind the coarse searches against their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.fft
from naive import filters, impressions
from scipy.ndimage import gaussian_filter

from ballistics_kernels.impressions.cell_arrays import Peaks
from ballistics_kernels.impressions.cell_maps import block_sums, search_coarse
from ballistics_kernels.impressions.half_sums import correlations_from_half_sums
from ballistics_kernels.impressions.pose_search import best_shifts, climb_to_pose
from ballistics_kernels.impressions.spectra import combined_sums, forward, inverse
from ballistics_kernels.impressions.turning import (
    MISSING,
    interpolated,
    padded,
    pearson_at_pose,
    sample,
    split,
    turn_split,
    valid_points,
)


def blocky(seed: int, blocks: int, missing: float) -> np.ndarray:
    """Heights that are the same over blocks of 2 × 2 points: their coarse sums are exact at even shifts."""
    rng = np.random.default_rng(seed)
    heights = rng.normal(size=(blocks, blocks))
    heights[rng.random(heights.shape) < missing] = np.nan
    return np.repeat(np.repeat(heights, 2, 0), 2, 1).astype(np.float32)


def sums(moved: np.ndarray, staying: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Σ ab at every cyclic shift, and the five slowly varying sums at every second."""
    spectra, lows = [], []
    for heights in (moved, staying):
        values, valid = np.zeros((2, 1, heights.shape[0], side), np.float32)
        values[0, :, : heights.shape[1]] = np.nan_to_num(heights)
        valid[0, :, : heights.shape[1]] = np.isfinite(heights)
        low = np.empty((3, 1, heights.shape[0] // 2, side // 2), np.float32)
        block_sums(values, valid, low)
        spectra.append(forward(values[0], side))
        lows.append(forward(low, side // 2))
    sum_ab = inverse(np.conj(spectra[0]) * spectra[1], side, side)
    (low,) = combined_sums(lows[0], lows[1] / np.float32(4), side // 2, side // 2)
    return sum_ab, low


@pytest.mark.parametrize("seed", range(3))
def test_best_shifts_score_every_shift_by_definition(seed: int) -> None:
    moved, staying, side = blocky(seed, 5, 0.2), blocky(seed + 10, 7, 0.2), 24
    smaller = float(min(np.isfinite(moved).sum(), np.isfinite(staying).sum()))
    scores = np.empty((side, side), np.float32)
    rows, columns = np.zeros((2, 3), np.int64)
    everywhere = -side // 2, side // 2 - 1, -side // 2, side // 2 - 1
    found = best_shifts(*sums(moved, staying, side), smaller, 0.25, everywhere, scores, rows, columns)
    canvas = np.full((3 * side, 3 * side), np.nan)
    canvas[side : side + 14, side : side + 14] = staying
    for i in range(0, side, 2):
        for j in range(0, side, 2):
            y, x = (v if v < 14 else v - side for v in (i, j))
            under = canvas[side + y : side + y + 10, side + x : side + x + 10]
            r, count = impressions.pearson(moved, under)
            if count < 0.25 * smaller:
                assert scores[i, j] == -2.0
            elif math.isfinite(r):
                assert scores[i, j] == pytest.approx(r * math.sqrt(count / smaller), abs=2e-3)
    expected = impressions.peaks(scores, side / 2, side / 2, side, 3)
    assert list(zip(rows[:found].tolist(), columns[:found].tolist(), strict=True)) == expected


def test_transforms_are_those_of_the_padded_fields() -> None:
    rng = np.random.default_rng(4)
    fields = rng.normal(size=(3, 5, 12)).astype(np.float32)
    padded = np.pad(fields, ((0, 0), (0, 7), (0, 0)))
    np.testing.assert_allclose(forward(fields, 12), scipy.fft.rfft2(padded), atol=1e-4)
    np.testing.assert_allclose(inverse(forward(fields, 12), 12, 6), padded[:, :6], atol=1e-5)


def test_valid_points_lists_places_from_the_centre() -> None:
    heights = np.array([[1.0, np.nan, 2.0], [np.inf, 3.0, np.nan]], np.float32)
    np.testing.assert_array_equal(valid_points(heights), [[-0.5, -0.5, 0.5], [-1, 1, 0], [1, 2, 3]])
    assert valid_points(np.full((1, 1), np.nan, np.float32)).shape == (3, 0)


@pytest.mark.parametrize("shape", [(1, 1), (0, 3), (7, 40)])
def test_split_marks_what_is_missing(shape: tuple[int, int]) -> None:
    heights = np.random.default_rng(3).normal(size=shape).astype(np.float32)
    heights[:, ::3] = np.nan
    heights[:, 1::5] = -np.inf
    values, valid = split(heights)
    np.testing.assert_array_equal(valid, np.isfinite(heights))
    np.testing.assert_array_equal(values, np.where(np.isfinite(heights), heights, 0.0))


@pytest.mark.parametrize("theta", [0.0, 1.1, math.pi])
def test_limits_leave_only_the_admissible_shifts(theta: float) -> None:
    moved, staying, side = blocky(3, 5, 0.1), blocky(13, 7, 0.1), 24
    rows, columns = np.zeros((2, 3), np.int64)
    every, some = np.empty((side, side), np.float32), np.empty((side, side), np.float32)
    args = *sums(moved, staying, side), 100.0, 0.25
    best_shifts(*args, (-12, 11, -12, 11), every, rows, columns)
    found = best_shifts(*args, (-3, 4, -2, 6), some, rows, columns)
    inside = np.zeros((side, side), bool)
    inside[np.ix_([*range(5), *range(21, 24)], [*range(7), *range(22, 24)])] = True
    np.testing.assert_array_equal(some[inside], every[inside])
    assert (some[~inside] == -2.0).all()
    assert all(inside[i, j] for i, j in zip(rows[:found], columns[:found], strict=True))


@pytest.mark.parametrize("missing", [0.0, 0.3, 1.0])
def test_correlations_from_half_sums_follow_their_twin(missing: float) -> None:
    rng = np.random.default_rng(8)
    low = rng.uniform(0.5, 1.5, (5, 6, 5)).astype(np.float32)
    low[0] *= 30 * (rng.random(low[0].shape) >= missing)
    low[3:] *= 20
    low[4, :2, :2] = 0.0
    sum_ab = rng.normal(size=(11, 10)).astype(np.float32)
    for m, n in ((11, 8), (10, 6), (1, 2)):
        correlations, common = np.empty((2, m, n), np.float32)
        correlations_from_half_sums(sum_ab, low, 5.0, correlations, common)
        expected = impressions.correlations_from_half_sums(sum_ab, low, 5.0, m, n)
        np.testing.assert_allclose(correlations, expected[0], atol=1e-4)
        np.testing.assert_allclose(common, expected[1], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (9, 1), (9, 11)])
def test_sample_is_that_of_its_twin(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(5)
    heights = rng.normal(size=shape).astype(np.float32)
    heights[rng.random(shape) < 0.4] = np.nan
    heights[rng.random(shape) < 0.1] = np.inf
    heights[0, 0] = 2.5
    bordered = padded(heights, 1)
    for y, x in [*rng.uniform(-1.0, 1.0, (300, 2)) * shape / 2 + np.array(shape) / 2 - 0.5, (0.0, 0.0), (-1.0, -1.0)]:
        value, expected = sample(bordered, y + 1, x + 1), filters.sample(heights, y, x)
        assert (value < MISSING) == math.isfinite(expected)
        if math.isfinite(expected):
            assert value == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("theta", [0.0, 0.4, -2.0])
def test_turn_split_is_turn_onto(theta: float) -> None:
    heights = np.random.default_rng(7).normal(size=(8, 13)).astype(np.float32)
    heights[np.random.default_rng(8).random(heights.shape) < 0.3] = np.nan
    values, valid = np.full((2, 16, 20), 9.0, np.float32)
    turn_split(padded(heights, 1), theta, values, valid, 15)
    expected = filters.turn_onto(heights, theta, 0.0, 0.0, (15, 15))
    np.testing.assert_array_equal(valid[:15, :15], np.isfinite(expected))
    np.testing.assert_allclose(values[:15, :15], np.nan_to_num(expected), rtol=1e-3, atol=1e-4)


def test_search_coarse_marks_absent_peaks() -> None:
    maps = np.empty((1, 5, 6), np.float32)
    rows, columns = np.zeros((1, 3)), np.zeros((1, 3))
    scores = np.zeros((1, 3), np.float32)
    low = np.zeros((1, 5, 4, 4), np.float32)
    search_coarse(np.zeros((1, 8, 8), np.float32), low, np.array([9]), 0.25, 2.0, maps, Peaks(rows, columns, scores))
    assert (scores == -2.0).all()
    assert (maps == -2.0).all()


def test_interpolated_is_sample() -> None:
    rng = np.random.default_rng(9)
    corners = rng.normal(size=(400, 2, 2)).astype(np.float32)
    corners[rng.random(corners.shape) < 0.4] = MISSING
    for square, (fy, fx) in zip(corners, rng.random((400, 2)).astype(np.float32), strict=True):
        expected = sample(np.pad(square, ((0, 1), (0, 1)), constant_values=MISSING), float(fy), float(fx))
        value, valid = interpolated(*square.ravel(), fy, fx)
        assert valid == (expected < MISSING)
        assert value == pytest.approx(expected if valid else 0.0, abs=1e-5)


def smooth(seed: int, shape: tuple[int, int], missing: float) -> np.ndarray:
    """Heights whose correlation has a slope to climb."""
    rng = np.random.default_rng(seed)
    heights = gaussian_filter(rng.normal(size=shape), 2.0)
    heights[rng.random(shape) < missing] = np.nan
    return heights.astype(np.float32)


@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_climb_to_pose_ends_where_its_twin_does(missing: float) -> None:
    a, b = smooth(1, (40, 44), missing), smooth(2, (42, 38), missing)
    b[5:37, 4:36] = a[4:36, 7:39]
    points, bordered, whole = valid_points(a), padded(b, 1), 900.0
    tried = []

    def score(theta: float, y: float, x: float) -> float:
        tried.append((theta, y, x))
        r, count = pearson_at_pose(points, bordered, theta, y, x)
        return r * math.sqrt(count / whole) if count / whole >= 0.25 and math.isfinite(r) else -2.0

    for start in ([0.05, 1.0, -1.0], [0.0, 5.0, 9.0], [-0.1, -0.8, 0.6]):
        tried.clear()
        pose = np.array(start)
        value, count = climb_to_pose(points, bordered, whole, 0.25, 0.04, 0.2, pose)
        expected_pose, expected = impressions.pattern_search(score, start, [0.04, 1.0, 1.0], 0.2)
        assert value == pytest.approx(expected, abs=1e-6)
        np.testing.assert_allclose(pose, expected_pose)
        assert count == len(tried)
    # The last start is near the pose at which B holds a part of A.
    assert value >= score(0.0, 0.0, 0.0) - 1e-6


def test_climb_to_pose_without_a_correlation_stays_where_it_is() -> None:
    empty = np.full((6, 6), np.nan, np.float32)
    for a, b in ((empty, empty), (np.ones((6, 6), np.float32), np.ones((6, 6), np.float32))):
        pose = np.array([0.3, 1.0, -1.0])
        value, _ = climb_to_pose(valid_points(a), padded(b, 1), 9.0, 0.25, 0.1, 0.2, pose)
        assert value == -2.0
        np.testing.assert_array_equal(pose, [0.3, 1.0, -1.0])
