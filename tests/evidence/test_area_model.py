"""The model of the similarity: two densities given the common area."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property_tests import examples

from ballistics.errors import ParameterError
from ballistics.evidence.models.area_model import AreaRatio
from ballistics.evidence.models.score_models import fit_model
from ballistics.evidence.scores import ScoreTable


def drawn(same_mean, different_mean, slope, deviation, n=400, seed=1):
    """A population whose log evidence follows the model exactly."""
    random = np.random.default_rng(seed)
    area = np.exp(random.uniform(-1, 1.5, 2 * n))
    mean = np.where(np.arange(2 * n) < n, same_mean + np.log(area), different_mean + slope * np.log(area))
    score = np.exp(random.normal(mean, deviation)) - 12.0
    firearms = [f"{i}" for i in range(n)]
    others = [*firearms, *(f"{i + 1}" for i in range(n))]
    return ScoreTable.build(score, [*firearms, *firearms], others, area_mm2=area)


def test_the_fit_finds_the_densities_that_made_the_scores():
    model = AreaRatio.fit(drawn(5.5, 3.2, 0.4, 0.5).grouped())
    assert model.same_mean == pytest.approx(5.5, abs=0.08)
    assert model.different_mean == pytest.approx(3.2, abs=0.08)
    assert model.different_slope == pytest.approx(0.4, abs=0.08)
    assert model.deviation == pytest.approx(0.5, abs=0.04)


def test_the_ratio_is_that_of_the_two_normal_densities():
    model = AreaRatio(5.5, 3.2, 0.4, 0.5)
    score, area = np.array([5.0, 80.0, 900.0]), np.array([0.5, 2.0, 4.0])
    u, x = np.log(score + 12.0), np.log(area)
    log_same = -((u - 5.5 - x) ** 2) / (2 * 0.25)
    log_different = -((u - 3.2 - 0.4 * x) ** 2) / (2 * 0.25)
    np.testing.assert_allclose(model.log10_lr(score, area), (log_same - log_different) / np.log(10))


def test_the_larger_spread_counts():
    """Same-source pairs that vary much make the ratio of every pair weaker, and so do different-source ones."""
    tight = AreaRatio.fit(drawn(5.5, 3.2, 0.4, 0.2).grouped())
    loose = drawn(5.5, 3.2, 0.4, 0.8)
    mixed = drawn(5.5, 3.2, 0.4, 0.2)
    score = np.where(mixed.same_source, loose.score, mixed.score)
    wide = AreaRatio.fit(ScoreTable.build(score, mixed.firearm_a, mixed.firearm_b, area_mm2=mixed.area_mm2).grouped())
    assert wide.deviation == pytest.approx(0.8, abs=0.08)
    case = np.array([500.0]), np.array([3.0])
    assert wide.log10_lr(*case)[0] < tight.log10_lr(*case)[0] / 4


@examples(40)
@given(
    st.floats(3, 8), st.floats(0, 5), st.floats(0, 1), st.floats(0.1, 2), st.floats(0.01, 20),
    st.floats(-50, 5000), st.floats(0, 1000),
)  # fmt: skip
def test_a_higher_score_never_weighs_less(same, different, slope, deviation, area, score, more):
    model = AreaRatio(same, different, slope, deviation)
    low, high = model.log10_lr(np.array([score, score + more]), np.full(2, area))
    assert np.isfinite([low, high]).all()
    assert high >= low


def test_a_small_area_says_nothing_either_way():
    model = AreaRatio(5.5, 3.2, 0.4, 0.5)
    small = np.full(3, np.exp((3.2 - 5.5) / (1 - 0.4)))
    np.testing.assert_allclose(model.log10_lr(np.array([0.0, 30.0, 300.0]), small), 0.0, atol=1e-12)


def test_two_equal_pairs_do_not_make_a_sure_model():
    table = ScoreTable.build([900.0, 900.0, 9.0, 9.0], "ABAA", "ABBC", area_mm2=[3.0] * 4)
    assert AreaRatio.fit(table.grouped()).deviation == 0.1


def test_it_needs_areas_and_both_kinds_of_pair():
    with pytest.raises(ParameterError, match="area_mm2"):
        fit_model("log-normal over area", ScoreTable.build([900.0, 9.0], "AA", "AB"))
    with pytest.raises(ParameterError, match="one of the two is absent"):
        fit_model("log-normal over area", ScoreTable.build([900.0], "A", "A", area_mm2=[3.0]))
    with pytest.raises(ParameterError, match="common area"):
        AreaRatio(5.5, 3.2, 0.4, 0.5).log10_lr(np.array([3.0]))
    with pytest.raises(ParameterError, match="above 0"):
        ScoreTable.build([900.0], "A", "A", area_mm2=[0.0])
    with pytest.raises(ParameterError, match="not both"):
        ScoreTable.build([1], "A", "A", [5], area_mm2=[1.0])
