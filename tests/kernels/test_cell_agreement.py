"""The kernel of cells at small shifts, against its plain twin."""

from __future__ import annotations

import math

import numpy as np
import pytest
from naive import impressions as naive

from ballistics_kernels.impressions.cell_agreement import agreement_at_shifts
from ballistics_kernels.impressions.cell_arrays import Shifts, Squares

SHIFTS = np.array([(0, 0), (0, 1), (-1, 0), (2, -1), (0, -3)], np.int64)


def measured(
    tiled: np.ndarray, searched: np.ndarray, centres: np.ndarray, half: float, turn: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Call the kernel; centres have the shape (cells, 2)."""
    counts = np.zeros((len(centres), len(SHIFTS) + 1), np.int64)
    r = np.full((len(centres), len(SHIFTS), len(tiled)), 9.0)
    evenness = r.copy()
    agreement_at_shifts(
        tiled, searched, Squares(centres[:, 0].copy(), centres[:, 1].copy(), half, math.cos(turn), math.sin(turn)),
        Shifts(SHIFTS[:, 0].copy(), SHIFTS[:, 1].copy()), counts, r, evenness,
    )  # fmt: skip
    return counts, r, evenness


@pytest.mark.parametrize("turn", [0.0, 0.3, -1.2])
@pytest.mark.parametrize("half", [0.6, 4.0, 5.3])
def test_is_its_plain_twin(turn: float, half: float) -> None:
    rng = np.random.default_rng(5)
    tiled, searched = rng.normal(size=(2, 3, 23, 19)).astype(np.float32)
    for maps in (tiled, searched):
        maps[:, rng.uniform(size=maps.shape[1:]) < 0.2] = np.nan
    searched[:, 3, 4] = np.inf
    # In the middle, over the edges, and outside.
    centres = np.array([[11.0, 9.0], [2.2, 3.1], [21.7, 17.9], [-2.0, 10.0], [40.0, 40.0], [-30.0, 5.0]])
    counts, r, evenness = measured(tiled, searched, centres, half, turn)
    for c, (y, x) in enumerate(centres):
        for s, (down, right) in enumerate(SHIFTS):
            n, own, expected_r, expected_evenness = naive.agreement_at_shift(
                tiled, searched, y, x, half, math.cos(turn), math.sin(turn), down, right
            )
            assert (counts[c, s], counts[c, -1]) == (n, own)
            np.testing.assert_allclose(r[c, s], expected_r, atol=2e-6)
            np.testing.assert_allclose(evenness[c, s], expected_evenness, rtol=2e-5)


def test_flat_and_empty_maps_agree_in_nothing() -> None:
    flat, empty = np.zeros((2, 9, 9), np.float32), np.full((2, 9, 9), np.nan, np.float32)
    for a, b in ((flat, flat), (flat, empty), (empty, empty)):
        _, r, evenness = measured(a, b, np.array([[4.0, 4.0]]), 3.0, 0.2)
        assert (r == 0.0).all()
        assert (evenness == 0.0).all()


def test_a_map_agrees_with_itself_and_counts_its_strong_places() -> None:
    marks = np.random.default_rng(2).normal(size=(1, 30, 30)).astype(np.float32)
    marks[0, 14:16, 14:16] = 100.0
    _, r, evenness = measured(marks, marks, np.array([[14.5, 14.5], [6.0, 6.0]]), 6.0, 0.0)
    np.testing.assert_allclose(r[:, 0, 0], 1.0, atol=1e-6)
    # Four of 144 points hold all that is strong.
    assert evenness[0, 0, 0] == pytest.approx(4 / 144, rel=0.05)
    # Of a normal field against itself, a third.
    assert evenness[1, 0, 0] == pytest.approx(1 / 3, rel=0.4)
