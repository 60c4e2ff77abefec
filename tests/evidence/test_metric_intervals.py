"""Limits by resampling firearms: against a plain twin, and where resampling cannot tell."""

from __future__ import annotations

import inspect
import math
from statistics import NormalDist

import numpy as np
import pytest
from evidence_data import nist
from hypothesis import given
from hypothesis import strategies as st
from property_tests import examples
from scipy.stats import t

from ballistics.errors import ParameterError
from ballistics.evidence.metric_intervals import metric_intervals
from ballistics.evidence.metrics import auc, cllr, cllr_min
from ballistics.evidence.models.uncertainty import firearm_multiplicities
from ballistics.evidence.scores import ScoreTable


def naive_figures(log10_lr, table, drawn):
    """Every copy of every firearm by name, every pair of copies a pair: then the plain metrics."""
    copies = [(name, k) for name, n in zip(table.firearms, drawn, strict=True) for k in range(n)]
    lrs, scores, truths = [], [], []
    for i, (name, k) in enumerate(copies):
        for other, m in copies[i:]:
            for row in range(len(log10_lr)):
                pair = {table.firearm_a[row], table.firearm_b[row]}
                # Two copies of one firearm give no pair of different firearms, and none of the same one either.
                if pair == {name, other} and (name != other or k == m):
                    lrs.append(log10_lr[row])
                    scores.append(table.score[row])
                    truths.append(name == other)
    lrs, scores, truths = np.array(lrs), np.array(scores), np.array(truths, bool)
    if truths.all() or not truths.any():
        return None
    return [
        cllr(lrs, truths),
        cllr_min(lrs, truths),
        auc(lrs, truths),
        auc(scores, truths),
        sum(lr < 0 for lr in lrs[truths]) / truths.sum(),
        sum(lr > 0 for lr in lrs[~truths]) / (~truths).sum(),
    ]


def naive_limits(sample, point, firearms):
    """Bias-corrected percentiles of an expanded tail, term for term."""
    normal = NormalDist()
    reach = t.ppf(0.95, firearms - 1) * math.sqrt(firearms / (firearms - 1))
    below = sum(0.5 if abs(v - point) < 1e-12 else float(v < point) for v in sample) / len(sample)
    bias = normal.inv_cdf(min(max(below, 0.5 / len(sample)), 1 - 0.5 / len(sample)))
    ordered = sorted(sample)
    limits = []
    for sign in (-1, 1):
        place = normal.cdf(2 * bias + sign * reach) * (len(sample) - 1)
        under = min(int(place), len(sample) - 2)
        limits.append(ordered[under] + (place - under) * (ordered[under + 1] - ordered[under]))
    return limits


NAMES = ("cllr", "cllr_min", "auc", "score_auc", "misleading_same_rate", "misleading_different_rate")


def drawn_set(seed, firearms, cases=2, spread=1.0, shift=1.0):
    """LRs with an effect of each firearm, so that pairs of one firearm hang together."""
    random = np.random.Generator(np.random.PCG64(seed))
    own, other = random.normal(size=firearms) * spread, random.normal(size=firearms) * spread / 2
    rows = []
    for i in range(firearms):
        for _ in range(cases * (cases - 1) // 2):
            rows.append((shift + own[i] + random.normal() * 0.5, i, i))
        for j in range(i):
            for _ in range(cases * cases):
                rows.append((-shift + other[i] + other[j] + random.normal() * 0.5, i, j))
    values, a, b = zip(*rows, strict=True)
    return np.round(np.array(values), 2), ScoreTable.build(np.round(np.array(values) * 3) / 3, a, b)


@examples(4, often=16)
@given(st.integers(0, 10_000), st.integers(5, 8))
def test_as_the_plain_twin(seed, firearms):
    log10_lr, table = drawn_set(seed, firearms)
    found = metric_intervals(log10_lr, table, draws=100, seed=3)
    expected = [naive_figures(log10_lr, table, drawn) for drawn in firearm_multiplicities(firearms, 100, 3)]
    expected = np.array([figures for figures in expected if figures is not None])
    assert found.used == len(expected)
    point = naive_figures(log10_lr, table, [1] * firearms)
    for i, name in enumerate(NAMES):
        limits = getattr(found, name)
        if limits.basis == "none":
            assert point[i] == 0.0
            continue
        low, high = naive_limits([float(v) for v in expected[:, i]], float(point[i]), firearms)
        if i >= 2:
            # No share is known better than "none of n firearms".
            low, high = min(low, 0.05 ** (1 / firearms)), max(high, 1 - 0.05 ** (1 / firearms))
        assert limits.low == pytest.approx(min(low, point[i]), abs=1e-9), name
        assert limits.high == pytest.approx(max(high, point[i]), abs=1e-9), name


@pytest.mark.slow
def test_the_same_seed_gives_the_same_limits_and_another_does_not():
    log10_lr, table = drawn_set(1, 12)
    first = metric_intervals(log10_lr, table, draws=100)
    assert first == metric_intervals(log10_lr, table, draws=100)
    assert first != metric_intervals(log10_lr, table, draws=100, seed=2)
    assert first.draws == 100
    assert inspect.signature(metric_intervals).parameters["draws"].default == 1000


@pytest.mark.slow
def test_no_error_in_few_firearms_is_no_small_limit(scores):
    table = nist(scores, "fadul")
    log10_lr = np.where(table.same_source, 2.0, -2.0)
    found = metric_intervals(log10_lr, table)
    # None of 10 firearms: 1 - 0.05^(1/10) may fail, whatever the 717 pairs say.
    assert found.misleading_different_rate.high == pytest.approx(1 - 0.05**0.1)
    assert found.misleading_same_rate.low == 0.0
    assert found.misleading_same_rate.basis == "exact, by firearms"
    assert found.auc.low == pytest.approx(0.05**0.1)
    assert found.cllr_min.high is None
    assert "separated completely" in found.cllr_min.reason
    assert len(found.cautions) == 2


@pytest.mark.slow
def test_a_set_with_an_error_gets_no_closer_limit_than_one_without(scores):
    table = nist(scores, "fadul")
    same = table.same_source
    log10_lr = np.where(same, 2.0, -2.0) + np.arange(len(table)) / 1e4
    one_wrong = log10_lr.copy()
    one_wrong[np.flatnonzero(~same)[0]] = 2.5
    perfect, flawed = (metric_intervals(values, table, draws=300) for values in (log10_lr, one_wrong))
    assert flawed.auc.low <= perfect.auc.low
    assert flawed.misleading_different_rate.high >= perfect.misleading_different_rate.high
    assert flawed.misleading_same_rate.high >= perfect.misleading_same_rate.high
    assert flawed.cllr.high > perfect.cllr.high


def test_four_firearms_are_too_few():
    log10_lr, table = drawn_set(1, 4)
    found = metric_intervals(log10_lr, table)
    assert found.cllr.high is None
    assert "4 firearms are too few" in found.cllr.reason
    assert found.used == 0


def test_too_few_draws_are_refused():
    with pytest.raises(ParameterError, match="at least 100"):
        metric_intervals(*drawn_set(1, 6), draws=99)


@pytest.mark.slow
def test_limits_over_pairs_would_be_too_close():
    """One firearm that always fails: its pairs hang together, and the limits must show it."""
    log10_lr, table = drawn_set(7, 20, cases=3, spread=0.0, shift=3.0)
    first, second = table.firearm_indices
    log10_lr[(first == 0) & (second == 0)] = -1.0
    limits = metric_intervals(log10_lr, table).misleading_same_rate
    # 3 of 60 pairs, and as if independent the upper limit were 0.10; but they are 1 of 20 firearms.
    assert limits.low == 0.0
    assert limits.high >= 0.14
