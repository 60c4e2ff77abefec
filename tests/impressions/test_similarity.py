"""Properties of the similarity score: exchange, turning, scale, noise, area, chance, and marks that cannot carry it."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from families import fast_and_slow
from prepared_marks import simulated_heads

from ballistics.impressions.registration import register
from ballistics.impressions.similarity import Similarity, effective_number, similarity
from ballistics.surfaces.pose import Pose
from ballistics.surfaces.simulation.breech_faces import BreechFace
from ballistics.surfaces.simulation.disturbances import add_noise, keep_disc, rotate_surface
from ballistics.surfaces.surface import Mark

Marks = dict[str, list[Mark]]


@pytest.fixture(scope="module")
def heads() -> Marks:
    """Two shots of one firearm and one of another at random poses."""
    return {"granular": [head.mark for head in simulated_heads("granular")]}


def compared(a: Mark, b: Mark) -> tuple[Similarity, Pose]:
    """The similarity at the registered pose, and that pose."""
    registration = register(a.heights_um, b.heights_um, a.spacing_um)
    assert registration is not None
    return similarity(a.heights_um, b.heights_um, a.spacing_um, registration.pose), registration.pose


@pytest.mark.parametrize("kind", fast_and_slow(["granular"], ["milled"]))
def test_firearms_are_told_apart(kind: BreechFace) -> None:
    a, b, other = (head.mark for head in simulated_heads(kind))
    assert compared(a, b)[0].score > 500
    assert -40 < compared(a, other)[0].score < 60


def test_exchange_gives_the_same_score(heads: Marks) -> None:
    a, b = heads["granular"][:2]
    forward, pose = compared(a, b)
    back = similarity(b.heights_um, a.heights_um, a.spacing_um, pose.inverse())
    assert back.score == pytest.approx(forward.score, rel=1e-3)
    assert back.independent_areas == pytest.approx(forward.independent_areas, rel=1e-3)


@pytest.mark.parametrize("theta", [31.7, 90.0, 180.0])
def test_turning_one_mark_changes_little(heads: Marks, theta: float) -> None:
    a, b = heads["granular"][:2]
    straight = compared(a, b)[0]
    turned = compared(a, rotate_surface(b, theta))[0]
    # Finest octaves lose a little to interpolation.
    assert turned.score == pytest.approx(straight.score, rel=0.1)
    assert turned.octaves[-1].correlation == pytest.approx(straight.octaves[-1].correlation, abs=0.02)


def test_scale_and_offset_of_heights_do_not_matter(heads: Marks) -> None:
    a, b = heads["granular"][:2]
    score, pose = compared(a, b)
    other = similarity(a.heights_um, 3.0 * b.heights_um + np.float32(7.0), a.spacing_um, pose)
    assert other.score == pytest.approx(score.score, rel=1e-3)


def test_noise_and_loss_of_area_lower_the_score(heads: Marks) -> None:
    a, b = heads["granular"][:2]
    _, pose = compared(a, b)

    def score(mark: Mark) -> float:
        return similarity(a.heights_um, mark.heights_um, a.spacing_um, pose).score

    noisy = [score(add_noise(b, share, 1.0, 3)) for share in (0.0, 0.25, 0.5, 1.0, 2.0)]
    assert all(more > less for more, less in pairwise(noisy))
    partial = [score(keep_disc(b, share, 3)) for share in (1.0, 0.5, 0.25, 0.12)]
    assert all(more > less > 0 for more, less in pairwise(partial))
    # Evidence goes with the area, not with a number of cells: a quarter of it holds about a quarter.
    assert 0.1 < partial[2] / partial[0] < 0.4


def test_scraps_are_insufficient(heads: Marks) -> None:
    a, b = heads["granular"][:2]
    _, pose = compared(a, b)
    scrap = similarity(a.heights_um, keep_disc(b, 0.005, 3).heights_um, a.spacing_um, pose)
    assert scrap.insufficient is not None
    assert "the common area" in scrap.insufficient
    assert math.isnan(scrap.score)
    assert not scrap.independent_areas >= scrap.needed_areas


def test_a_small_area_carries_a_comparison_when_it_agrees_well_enough(heads: Marks) -> None:
    _, b, other = heads["granular"]
    small = keep_disc(b, 0.02, 3)
    alike = similarity(b.heights_um, add_noise(small, 0.25, 1.0, 3).heights_um, b.spacing_um, Pose())
    assert alike.independent_areas < alike.needed_areas
    assert alike.octaves[-1].evidence > alike.search_cost
    assert alike.insufficient is None
    assert alike.score > 50
    different, _ = compared(other, keep_disc(b, 0.03, 3))
    assert different.independent_areas < different.needed_areas
    assert different.insufficient is not None


def test_no_relief_in_common_is_insufficient() -> None:
    mark = np.random.default_rng(1).normal(size=(200, 200)).astype(np.float32)
    empty = np.full((50, 50), np.nan, np.float32)
    flat = np.ones((200, 200), np.float32)
    for other, pose in ((empty, Pose()), (flat, Pose()), (mark, Pose(0.0, 5000.0, 0.0))):
        result = similarity(mark, other, 6.25, pose)
        assert "too small or too flat" in (result.insufficient or "")
        assert math.isnan(result.score)


def test_opposite_relief_is_no_evidence() -> None:
    mark = np.random.default_rng(2).normal(size=(300, 300)).astype(np.float32)
    result = similarity(mark, -mark, 6.25, Pose())
    assert result.octaves[0].correlation == pytest.approx(-1.0, abs=1e-6)
    assert result.score == pytest.approx(-result.search_cost)


def test_effective_number_predicts_the_spread_of_chance_correlations() -> None:
    """Smoothed noise: the variance of the correlation over 300 pairs is 1/n, n within a quarter."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(3)
    y, x = np.ogrid[:80, :80]
    common = (x - 40) ** 2 + (y - 40) ** 2 < 1500
    correlations, numbers = [], []
    for _ in range(300):
        u, v = (gaussian_filter(rng.normal(size=(80, 80)), sigma, mode="wrap") for sigma in ((1.5, 4.0), (1.5, 4.0)))
        u, v = (np.where(common, w - w[common].mean(), 0.0).astype(np.float32) for w in (u, v))
        correlations.append(float((u * v).sum()) / math.sqrt(float((u * u).sum()) * float((v * v).sum())))
        numbers.append(effective_number(u, v, common, 16))
    assert np.median(numbers) == pytest.approx(1.0 / np.var(correlations), rel=0.25)
