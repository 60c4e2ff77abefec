"""Our congruence rule: chance cells are as rare as it says, and evidence at the pose is not lost."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from ballistics.errors import UnitsError
from ballistics.impressions.cells import CellSearcher
from ballistics.impressions.comparing import compare
from ballistics.impressions.comparison import DirectionVerdict
from ballistics.impressions.direction import Direction
from ballistics.impressions.mark_parameters import MARK_PARAMETERS, parameters_of
from ballistics.impressions.significance import (
    SignificanceThresholds,
    chance_of_correlation,
    levels_of,
    significant,
)
from ballistics.impressions.similarity import similarity
from ballistics.surfaces.formats.reading import read
from ballistics.surfaces.pose import Pose
from ballistics.surfaces.preparation.preparing import prepare
from ballistics.surfaces.surface import Mark

T = SignificanceThresholds()


def rough(seed: int, side: int = 420) -> np.ndarray:
    """A square field with waves of about 40 to 400 µm."""
    white = np.random.default_rng(seed).normal(size=(side, side))
    return sum(gaussian_filter(white, s) * s for s in (1.5, 4.0, 10.0)).astype(np.float32)  # type: ignore[no-any-return]


def verdicts(a: np.ndarray, b: np.ndarray, t: SignificanceThresholds = T) -> tuple[DirectionVerdict, DirectionVerdict]:
    """Both verdicts with the marks as they lie, without any search."""
    pose = Pose()
    kind = MARK_PARAMETERS["breech face"]
    alike = similarity(a, b, 6.25, pose)
    no_sweep = None  # the rule does not look at it
    first, other = (
        Direction(CellSearcher(x, y, 6.25, pose, kind.cells), no_sweep, x, y, alike)  # type: ignore[arg-type]
        for x, y in ((a, b), (b, a))
    )
    return significant(first, other, t)


def counts(a: np.ndarray, b: np.ndarray, t: SignificanceThresholds = T) -> list[int]:
    """Congruent cells of both directions."""
    return [verdict.count for verdict in verdicts(a, b, t)]


def test_chance_of_correlation_is_that_of_unrelated_values() -> None:
    x, y = np.random.default_rng(3).normal(size=(2, 100_000, 12))
    r = (x * y).sum(axis=1) / np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))
    for limit in (0.2, 0.5, 0.7):
        chance = chance_of_correlation(np.array(limit), np.array(12.0), T.highest_correlation)
        assert chance == pytest.approx((r >= limit).mean(), rel=0.08)
    assert chance_of_correlation(np.array([-0.9, 0.9, 0.0]), np.array([50.0, 1.0, 50.0]), 0.999).tolist() == [1.0] * 3


def test_levels_keep_what_they_say() -> None:
    levels = levels_of(32, math.log(4e5), T)
    for k in (1, 4, 10, 32):
        assert math.comb(32, k) * levels[k - 1] ** k * 4e5 == pytest.approx(0.01 / 32)
    assert levels_of(0, 10.0, T).size == 0


@pytest.mark.slow
def test_p_values_of_unrelated_cells_are_no_smaller_than_they_say() -> None:
    chances = []
    for seed in range(15):
        a, b = rough(100 + seed), rough(200 + seed)
        chances += [v.chances for v in verdicts(a, b)]
    p = np.concatenate(chances)
    assert len(p) > 1000
    for level in (0.3, 0.1, 0.03, 0.01):
        # Both directions see the same agreement, so the counts scatter more than binomial ones.
        assert (p <= level).mean() <= 1.3 * level + 0.002


def test_same_mark_counts_and_a_shift_beyond_the_free_place_does_not() -> None:
    mark = rough(7)
    inner = np.full_like(mark, np.nan)
    inner[20:-20, 20:-20] = mark[20:-20, 20:-20]
    n = min(counts(inner, inner))
    assert n >= 20
    moved = np.full_like(mark, np.nan)
    moved[20:-20, 20:-20] = mark[18:-22, 20:-20]
    assert min(counts(inner, moved)) >= n - 4  # by 12.5 µm
    moved[20:-20, 20:-20] = mark[8:-32, 20:-20]
    assert max(counts(inner, moved)) <= 3  # by 75 µm


def test_a_shared_edge_is_no_agreement() -> None:
    # Two unrelated rings that roll off alike at both edges, by eight times their roughness.
    y, x = np.mgrid[-210:210, -210:210]
    radius = np.hypot(y, x) * 6.25
    ring = (radius > 600) & (radius < 1300)
    edge = -np.exp(-np.minimum(radius - 600, 1300 - radius) / 40.0)
    a, b = (np.where(ring, rough(seed) / rough(seed).std() + 8 * edge, np.nan).astype(np.float32) for seed in (18, 19))
    assert max(counts(a, b)) == 0
    assert max(counts(a, b, replace(T, trim_um=0.0))) > 3  # what the trim is there for


def test_dropouts_are_no_edge() -> None:
    mark = rough(11)
    holes = np.random.default_rng(1).uniform(size=(42, 42)) < 0.15
    dropped = np.where(np.kron(holes, np.ones((10, 10), bool))[: mark.shape[0], : mark.shape[1]], np.nan, mark)
    whole = min(counts(mark, mark))
    assert min(counts(mark, dropped.astype(np.float32))) >= 0.7 * whole


@pytest.fixture(scope="module")
def prepared(topmatch: Path) -> dict[str, Mark]:
    """Breech faces fired with ordinary ammunition, by another instrument."""
    marks = {}
    for name in ("K002fJ1", "K002fJ2", "K004dD3", "K004xC1", "K004xC2", "K013sA1", "K013sA2"):
        file = topmatch / f"{name}.x3p"
        try:
            surface = read(file)
        except UnitsError:
            surface = read(file, units="micrometres")
        marks[name] = prepare(surface)
    return marks


@pytest.mark.slow
@pytest.mark.parametrize(
    ("a", "b", "least", "most"),
    [
        ("K004xC1", "K004xC2", 10, 40),  # 2 by Chen's rule, whose least dispersed angle lies 12° from the pose
        ("K013sA1", "K013sA2", 6, 40),
        ("K002fJ1", "K002fJ2", 6, 40),
        ("K004xC2", "K004dD3", 0, 1),
        ("K004xC1", "K004dD3", 0, 1),
    ],
)
def test_counts_on_scans_of_another_instrument(
    prepared: dict[str, Mark], a: str, b: str, least: int, most: int
) -> None:
    result = compare(prepared[a], prepared[b])
    assert least <= result.rules["significance"].score <= most


def test_small_marks_have_the_rule_at_their_own_scale() -> None:
    for kind in ("firing pin", "ejector"):
        parameters = parameters_of(Mark(kind, np.zeros((2, 2), np.float32), 3.125))
        assert parameters is not None
        assert parameters.rules["significance"].thresholds == replace(T, displacement_um=6.25, trim_um=3.125)
