"""The kernels of the cell search against their plain twins."""

from __future__ import annotations

import math

import numpy as np
import pytest
from naive import impressions as naive

from ballistics_kernels.impressions.cell_arrays import Cells, Expected, Peaks, SplitMark
from ballistics_kernels.impressions.cell_maps import block_sums, coarse_map
from ballistics_kernels.impressions.cell_search import follow_peaks, pack_window, packed_correlation
from ballistics_kernels.impressions.consensus import rigid_consensus
from ballistics_kernels.impressions.peaks import offset_of_maximum, peaks, peaks_between
from ballistics_kernels.impressions.turning import padded


def rough(seed: int, shape: tuple[int, int], missing: float) -> np.ndarray:
    """Smooth random heights with missing points."""
    rng = np.random.default_rng(seed)
    heights = rng.normal(size=shape)
    for axis in (0, 1):
        heights = heights + np.roll(heights, 1, axis) + np.roll(heights, 2, axis)
    heights[rng.random(shape) < missing] = np.nan
    return heights.astype(np.float32)


def split(heights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values, 0 where missing, and validity."""
    valid = np.isfinite(heights)
    return np.where(valid, heights, np.float32(0)), valid.astype(np.float32)


def correlate(cell: np.ndarray, other: np.ndarray, y: int, x: int, minimum: float = 2.0) -> tuple[float, float]:
    """Correlate through the packed arrays, one point right of and below the window's middle."""
    n, margin, stride = cell.shape[0], 3, 29
    size = -(-n * stride // 16) * 16
    packed = np.zeros((2, size), np.float32)
    for flat, field in zip(packed, split(cell), strict=True):
        flat[: n * stride].reshape(n, stride)[:, :n] = field
    window = np.zeros((2, (n + 2 * margin + 1) * stride), np.float32)
    pack_window(
        SplitMark(*split(other)), y - 1 - n // 2 - margin, x - 1 - n // 2 - margin, n + 2 * margin + 1, stride, *window
    )
    offset = (margin + 1) * stride + margin + 1
    return packed_correlation(*packed, *window, offset, size, minimum)


@pytest.mark.parametrize("missing", [0.0, 0.4])
@pytest.mark.parametrize("place", [(15, 15), (0, 0), (29, 3), (14, 40), (-20, 5)])
def test_packed_correlation_is_pearson_over_the_common_points(missing: float, place: tuple[int, int]) -> None:
    cell, other = rough(2, (11, 11), missing), rough(3, (30, 31), missing)
    cell[:3] = np.nan
    cell[:, 9:] = np.nan
    r, count = correlate(cell, other, *place)
    expected, expected_count = naive.correlation_at(cell, other, *place)
    assert count == expected_count
    assert r == pytest.approx(expected if expected_count >= 2 else -2.0, abs=1e-5)


def test_packed_correlation_refuses_flat_and_small_overlaps() -> None:
    cell, other = rough(4, (9, 9), 0.0), rough(5, (20, 20), 0.0)
    assert correlate(np.full_like(cell, 2.5), other, 10, 10)[0] == -2.0
    assert correlate(cell, np.full_like(other, -1.0), 10, 10)[0] == -2.0
    assert correlate(cell, other, 10, 10, 82.0) == (-2.0, 81.0)
    assert correlate(cell, other, 10, 10, 81.0)[0] > -1.0


def test_block_sums_are_sums_over_blocks() -> None:
    values, valid = split(rough(6, (8, 12), 0.3))
    out = np.empty((3, 1, 4, 4), np.float32)
    block_sums(values[None, :, :8], valid[None, :, :8], out)
    for k, field in enumerate((valid, values, values**2)):
        expected = [[field[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].sum() for j in range(4)] for i in range(4)]
        np.testing.assert_allclose(out[k, 0], expected, rtol=1e-5, atol=1e-5)


def test_coarse_map_combines_sums_into_the_correlation() -> None:
    rng = np.random.default_rng(7)
    k = 3
    low = np.abs(rng.normal(size=(5, 5, 5))).astype(np.float32) * 0.1
    low[0] += 50
    low[3:] += 10
    sum_ab = rng.normal(size=(10, 10)).astype(np.float32)
    out = np.empty((7, 8), np.float32)
    coarse_map(sum_ab, low, 60.0, 0.25, 3.0, out)
    assert (out[:, 7] == -2.0).all()
    for i in range(7):
        for j in range(7):
            if math.hypot(i - k, j - k) > 3.0:
                assert out[i, j] == -2.0
            elif i % 2 == 0 and j % 2 == 0:
                n, a, b, aa, bb = (float(v) for v in low[:, i // 2, j // 2])
                expected = (sum_ab[i, j] - a * b / n) / math.sqrt((aa - a * a / n) * (bb - b * b / n))
                assert out[i, j] == pytest.approx(expected, abs=1e-5)
    coarse_map(sum_ab, low, 1000.0, 0.25, 3.0, out)
    assert (out == -2.0).all()


@pytest.mark.parametrize("seed", range(6))
def test_peaks_agree_with_their_twin(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = np.round(rng.normal(size=(17, 14)), 1).astype(np.float32)
    scores[rng.random(scores.shape) < 0.2] = -2.0
    rows, columns = np.zeros(4, np.int64), np.zeros(4, np.int64)
    for centre in ((8.0, 7.0, 99.0), (2.2, 5.9, 4.5), (30.0, 3.0, 5.0)):
        found = peaks(scores, *centre, rows, columns)
        expected = naive.peaks(scores, *centre, 4)
        assert list(zip(rows[:found].tolist(), columns[:found].tolist(), strict=True)) == expected


def test_the_parabola_through_three_values_is_highest_between_them() -> None:
    parabola = [0.8 - 0.3 * (x - 0.2) ** 2 for x in (-1, 0, 1)]
    assert offset_of_maximum(*parabola) == pytest.approx(0.2)
    assert offset_of_maximum(0.5, 0.5, 0.5) == 0.0
    assert offset_of_maximum(-2.0, 0.5, 0.4) == 0.0
    assert offset_of_maximum(0.1, 0.5, -3.0) == 0.0
    assert offset_of_maximum(0.6, 0.5, 0.1) == 0.0
    assert offset_of_maximum(0.5, 0.5, 0.1) == pytest.approx(-0.5)


def test_peaks_lie_between_the_points_of_a_map() -> None:
    y, x = np.mgrid[:9, :11]
    scores = (0.9 - 0.02 * (y - 4.3) ** 2 - 0.03 * (x - 6.8) ** 2).astype(np.float32)
    (rows,), (columns,), values = *np.zeros((2, 1, 3)), np.zeros(3, np.float32)
    peaks_between(scores, 4.0, 5.0, 99.0, rows, columns, values)
    assert (rows[0], columns[0]) == (pytest.approx(4.3, abs=1e-4), pytest.approx(6.8, abs=1e-4))
    assert values[0] == scores[4, 7]
    assert (values[1:] == -2.0).all()
    # On the border there is no neighbour to lay a parabola through.
    peaks_between(scores[:, 7:].copy(), 4.0, 5.0, 99.0, rows, columns, values)
    assert (rows[0], columns[0]) == (pytest.approx(4.3, abs=1e-4), 0.0)


def follow(
    tiled: np.ndarray, centres: tuple[float, float], half: float, thetas: list[float], other: np.ndarray,
    expected: float, radius: float, climb: bool, starts: list[tuple[float, float]], first: float = 0.0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # fmt: skip
    """Follow one cell from the same starts at some angles; return rows, columns, correlations and overlaps."""
    shape = len(thetas), 1, len(starts)
    rows, columns = (np.broadcast_to(v, shape).astype(float) for v in zip(*starts, strict=True))
    correlations, overlaps = np.full(shape, first, np.float32), np.zeros(shape, np.float32)
    at = np.array([expected])
    follow_peaks(
        Cells(padded(tiled, 3), np.array([centres[0] + 3]), np.array([centres[1] + 3]), half, 0.0), np.array(thetas),
        SplitMark(*split(other)), Expected(at, at, radius), 0.25, climb, Peaks(rows, columns, correlations), overlaps,
    )  # fmt: skip
    return rows[:, 0], columns[:, 0], correlations[:, 0], overlaps[:, 0]


def test_follow_peaks_ends_on_a_maximum_of_the_exact_correlation() -> None:
    tiled, other, half, radius = rough(8, (60, 60), 0.1), rough(9, (70, 70), 0.1), 6.5, 12.0
    thetas = [0.0, 0.7, -2.0]
    found = follow(tiled, (30.4, 29.7), half, thetas, other, 35.0, radius, True, [(30.2, 33.4), (38.0, 39.6)])
    n = 2 * math.ceil(half * math.sqrt(2)) + 1
    for theta, rows, columns, correlations, overlaps in zip(thetas, *found, strict=True):
        cell = naive.turn_cell(tiled, 30.4, 29.7, half, theta, n)
        assert correlations[0] >= correlations[1]
        for q in range(2):
            y, x = round(rows[q]), round(columns[q])
            r, count = naive.correlation_at(cell, other, y, x)
            assert correlations[q] == pytest.approx(r, abs=1e-4)
            assert overlaps[q] == pytest.approx(count / np.isfinite(cell).sum(), abs=1e-6)
            around = {}
            for dy in (-1, 0, 1):
                for dx in (-1, 0, 1):
                    if math.hypot(y + dy - 35, x + dx - 35) <= radius:
                        around[dy, dx] = naive.correlation_at(cell, other, y + dy, x + dx)[0]
                        assert around[dy, dx] <= r + 1e-4
            if len(around) == 9:
                up_down = around[-1, 0], around[0, 0], around[1, 0]
                assert rows[q] - y == pytest.approx(offset_of_maximum(*up_down), abs=2e-3)


@pytest.mark.parametrize("seed", range(40))
def test_follow_peaks_finds_a_peak_of_one_point_beside_its_start(seed: int) -> None:
    # White noise has no slope to climb; every neighbour of the start must be looked at.
    heights = np.random.default_rng(seed).normal(size=(60, 60)).astype(np.float32)
    start = 30.0 + seed % 3 - 1, 30.0 + seed // 3 % 3 - 1
    rows, columns, r, _ = follow(heights, (30.0, 30.0), 5.5, [0.0], heights, 30.0, 10.0, True, [start])
    assert (round(rows[0, 0]), round(columns[0, 0])) == (30, 30)
    assert r[0, 0] == pytest.approx(1.0, abs=1e-5)


def test_follow_peaks_without_climbing_reads_the_correlation_at_the_nearest_point() -> None:
    tiled, other = rough(8, (60, 60), 0.1), rough(9, (70, 70), 0.1)
    starts = [(33.3, 35.8), (30.0, 40.4)]
    rows, columns, r, _ = follow(tiled, (30.4, 29.7), 6.5, [0.7], other, 35.0, 12.0, False, starts)
    cell = naive.turn_cell(tiled, 30.4, 29.7, 6.5, 0.7, 21)
    assert set(starts) == set(zip(rows[0], columns[0], strict=True))
    for q in range(2):
        expected = naive.correlation_at(cell, other, round(rows[0, q]), round(columns[0, q]))[0]
        assert r[0, q] == pytest.approx(expected, abs=1e-4)


def test_follow_peaks_skips_cells_without_points_or_places() -> None:
    tiled, other = np.full((60, 60), np.nan, np.float32), rough(9, (70, 70), 0.1)
    for first in (0.0, -2.0):
        _, _, r, _ = follow(tiled, (30.0, 30.0), 6.5, [0.1, 0.4], other, 35.0, 12.0, True, [(35.0, 35.0)], first)
        assert (r == -2.0).all()


@pytest.mark.parametrize("size", [0.6, 1.0, 3.0])
def test_follow_peaks_of_tiny_cells_stays_within_its_arrays(size: float) -> None:
    tiled = rough(8, (60, 60), 0.5)
    thetas = list(np.linspace(0.0, 3.2, 9))
    found = follow(tiled, (0.2, 59.6), size, thetas, tiled, 30.0, 4.0, True, [(30.0, 30.0), (28.0, 31.0)])
    assert all(np.isfinite(values).all() for values in found)
    assert (found[2] <= 1.0).all()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("good", [0, 2, 6])
def test_rigid_consensus_agrees_with_its_twin(seed: int, good: int) -> None:
    rng = np.random.default_rng(seed)
    n, turn = 14, 3.1
    source = rng.uniform(-1500, 1500, (2, n))
    target = rng.uniform(-1500, 1500, (2, n))
    turns = rng.uniform(-math.pi, math.pi, n)
    cos, sin = math.cos(turn), math.sin(turn)
    target[:, :good] = np.array([[cos, -sin], [sin, cos]]) @ source[:, :good] + [[40.0], [-90.0]]
    target[:, :good] += rng.normal(0, 10, (2, good))
    # Angles on both sides of ±180°: they must be differenced on the circle.
    turns[:good] = (turn + rng.normal(0, 0.05, good) + math.pi) % (2 * math.pi) - math.pi
    inliers = np.zeros(n, bool)
    rigid_consensus(*source, *target, turns, 75.0, 0.1, inliers)
    np.testing.assert_array_equal(inliers, naive.rigid_consensus(*source, *target, turns, 75.0, 0.1))
    if good == 6:
        assert inliers[:6].sum() >= 5


def test_rigid_consensus_of_one_cell_or_none_is_empty() -> None:
    for n in (0, 1):
        inliers = np.ones(n, bool)
        rigid_consensus(*np.zeros((4, n)), np.zeros(n), 75.0, 0.1, inliers)
        assert not inliers.any()
