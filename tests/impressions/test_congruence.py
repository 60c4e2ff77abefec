"""The congruence rules on sweeps whose verdict is known by construction."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ballistics.impressions.cells import AngleSweep, CellParameters, Grid
from ballistics.impressions.congruence import (
    Thresholds,
    cmcr_pooled,
    consensus,
    convergence,
    dispersion,
    high,
    original,
)
from ballistics.impressions.direction import Direction
from ballistics.surfaces.pose import Pose

ANGLES = np.arange(-30.0, 31.0, 3.0)


def direction(r: np.ndarray, x: np.ndarray, y: np.ndarray, turn_deg: float = 0.0) -> Direction:
    """A direction with given correlations and displacements, shape (cells, angles)."""
    n = len(r)
    grid = Grid(0.0, np.arange(n) // 6, np.arange(n) % 6, np.zeros(n), np.zeros(n), np.ones(n))
    exact = np.isfinite(r)
    sweep = AngleSweep(grid, ANGLES + turn_deg, turn_deg, r, np.ones_like(r), x, y, exact)
    centres = 468.75 * (np.arange(n) % 6 - 2.5), 468.75 * (np.arange(n) // 6 - 2.5)

    def places_um(theta: Any, xs: Any, ys: Any) -> tuple[np.ndarray, np.ndarray]:
        t = np.radians(theta)
        u, v = centres[0] + xs, centres[1] + ys
        return u * np.cos(t) - v * np.sin(t), v * np.cos(t) + u * np.sin(t)

    def best_near(angles: np.ndarray, x0: float, y0: float, t: float) -> Any:
        near = (np.abs(x[:, angles] - x0) <= t) & (np.abs(y[:, angles] - y0) <= t)
        score = np.where(near, r[:, angles], -np.inf)
        k, rows = score.argmax(axis=1), np.arange(n)
        best = np.where(near.any(axis=1), score[rows, k], np.nan)
        return best, angles[k], x[rows, angles[k]], y[rows, angles[k]]

    searcher = SimpleNamespace(
        places_um=places_um,
        best_near=best_near,
        cell_centres_um=lambda: centres,
        pose=Pose(turn_deg),
        parameters=CellParameters(),
        spacing_um=6.25,
    )
    mark = np.zeros((n * 75, 75), np.float32)
    return Direction(searcher, sweep, mark, mark, None)  # type: ignore[arg-type]  # stand-ins


def scattered(seed: int, n: int = 30, good: int = 0, at: int = 10) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cells at random places with low correlation, the first ones together at one angle with high correlation."""
    rng = np.random.default_rng(seed)
    r = rng.uniform(0.1, 0.35, (n, len(ANGLES)))
    x, y = rng.uniform(-450, 450, (2, n, len(ANGLES)))
    r[:good, at] = rng.uniform(0.7, 0.9, good)
    x[:good, at] = 40 + rng.uniform(-30, 30, good)
    y[:good, at] = -60 + rng.uniform(-30, 30, good)
    return r, x, y


CHU = Thresholds(125.0, 6.0, 0.60)
CHEN = Thresholds(125.0, 3.0, 0.40)
TONG = Thresholds(93.75, 3.0, 0.55)


@pytest.mark.parametrize("good", [0, 18, 30])
def test_rules_count_the_cells_that_agree(good: int) -> None:
    a, b = direction(*scattered(1, good=good)), direction(*scattered(2, good=good))
    for verdict in (
        original(a, CHU),
        *high(a, b, TONG),
        *convergence(a, b, CHEN),
        consensus(a, Thresholds(75.0, 6.0, 0.25)),
    ):
        if good:
            np.testing.assert_array_equal(verdict.congruent, np.arange(30) < good)
        else:
            assert verdict.count <= 3


def test_thresholds_are_inclusive_and_each_one_bites() -> None:
    r, x, y = scattered(3, good=30)
    x[:, 10], y[:, 10], r[:, 10] = 0.0, 0.0, 0.8
    x[0, 10], x[1, 10] = 125.0, 125.1
    y[2, 10], y[3, 10] = -125.0, -125.1
    r[4, 10], r[5, 10] = 0.60, 0.5999
    for cell, k in ((6, 12), (7, 13)):  # 6° and 9° off the median angle
        r[cell] = 0.0
        r[cell, k], x[cell, k], y[cell, k] = 0.9, 0.0, 0.0
    congruent = original(direction(r, x, y), CHU).congruent
    np.testing.assert_array_equal(np.flatnonzero(~congruent), [1, 3, 5, 7])


def test_cells_without_any_place_are_never_congruent() -> None:
    r, x, y = scattered(4, good=20)
    for field in (r, x, y):
        field[:3] = np.nan
    a = direction(r, x, y)
    with np.errstate(invalid="ignore"):
        for verdict in (original(a, CHU), *high(a, a, TONG), *convergence(a, a, CHEN)):
            assert not verdict.congruent[:3].any()
            assert verdict.count == 17


def test_high_falls_back_to_the_original_when_the_directions_disagree_in_angle() -> None:
    a, b = direction(*scattered(5, good=20, at=10)), direction(*scattered(6, good=20, at=16))
    assert [v.count for v in high(a, b, TONG)] == [original(a, TONG).count, original(b, TONG).count]
    mirrored = direction(*scattered(6, good=20, at=20 - 16))
    turned = direction(*scattered(5, good=20, at=16))
    # Turning B onto A by +18° is turning A onto B by −18°.
    assert [v.count for v in high(turned, mirrored, TONG)] == [20, 20]


def test_convergence_needs_both_directions_at_one_angle() -> None:
    a = direction(*scattered(7, good=25))
    alone = convergence(a, direction(*scattered(8, good=0)), CHEN)
    assert alone[1].count <= 3
    assert dispersion(a.sweep).argmin() == 10
    together = convergence(a, direction(*scattered(9, good=25)), CHEN)
    assert [v.count for v in together] == [25, 25]


def test_consensus_survives_more_than_half_bad_cells() -> None:
    r, x, y = scattered(10, n=36, good=12)
    # The bad cells agree well too, at one place far off: they draw the medians away from the good ones.
    x[12:], y[12:] = x[12:] / 3 - 280, y[12:] / 3 + 280
    r[12:] += 0.3
    a = direction(r, x, y)
    assert consensus(a, Thresholds(75.0, 6.0, 0.25)).congruent[:12].all()
    assert not original(a, CHU).congruent[:12].any()


def test_cmcr_pools_indices_of_both_directions() -> None:
    a, b = direction(*scattered(11, good=20)), direction(*scattered(12, good=26))
    *_, pooled = cmcr_pooled(a, b, Thresholds(125.0, 6.0, 0.50))
    assert pooled == 26.0
