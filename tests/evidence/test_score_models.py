"""From score to log10 LR: monotone, symmetric, without order, finite on degenerate populations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property_tests import examples
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression

from ballistics.errors import ParameterError
from ballistics.evidence.models.score_models import MODELS, CountRatio, LogisticRatio, fit_model, silverman_bandwidth
from ballistics.evidence.scores import ScoreTable

CONTINUOUS = ("logistic", "kernel density", "isotonic")
COUNTS = ("beta-binomial", "binomial")
# All but the model over area, which wants areas (test_area_model.py).
COUNT_AND_SCORE_MODELS = tuple(name for name in MODELS if not name.startswith("log-normal over"))
EVERY_COUNT = (*COUNTS, "correlated binomial", "beta-correlated binomial")


def table_of(rows, cells=None):
    """A table from (score, firearm_a, firearm_b) rows."""
    return ScoreTable.build([r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows], cells)


def both_kinds(rows):
    return len({r[1] == r[2] for r in rows}) == 2


firearm = st.sampled_from("ABCD")
continuous = st.lists(
    st.tuples(st.floats(-1, 1).map(lambda x: round(x, 3)), firearm, firearm), min_size=2, max_size=40
).filter(both_kinds)
counts = st.lists(st.tuples(st.integers(0, 25), firearm, firearm, st.integers(25, 30)), min_size=2, max_size=25).filter(
    both_kinds
)


@examples(40)
@given(continuous, st.randoms(), st.sampled_from(CONTINUOUS))
def test_continuous_models(rows, random, name):
    model = fit_model(name, table_of(rows))
    grid = np.linspace(-1.5, 1.5, 61)
    values = model.log10_lr(grid)
    assert np.isfinite(values).all()
    shuffled = [(s, b, a) for s, a, b in rows]
    random.shuffle(shuffled)
    np.testing.assert_array_equal(fit_model(name, table_of(shuffled)).log10_lr(grid), values)
    if name != "kernel density":
        assert (np.diff(values) >= -1e-12).all()


@examples(30)
@given(counts, st.randoms(), st.sampled_from(COUNTS))
def test_count_models(rows, random, name):
    model = fit_model(name, table_of(rows, [r[3] for r in rows]))
    k, n = np.arange(31), np.full(31, 30)
    values = model.log10_lr(k, n)
    assert np.isfinite(values).all()
    shuffled = [(s, b, a, m) for s, a, b, m in rows]
    random.shuffle(shuffled)
    np.testing.assert_array_equal(fit_model(name, table_of(shuffled, [r[3] for r in shuffled])).log10_lr(k, n), values)
    # A mixture of binomials over a binomial is log-convex in k, so that once rising it rises on.
    assert (np.diff(values, 2) >= -1e-6).all()
    if values[1] >= values[0]:
        assert (np.diff(values) >= -1e-6).all()


@pytest.mark.parametrize("name", EVERY_COUNT)
@pytest.mark.parametrize("k", [(0, 0), (30, 30), (30, 0), (5, 5), (0, 30)])
def test_degenerate_counts(name, k):
    same, different = k
    table = table_of([(same, "A", "A"), (same, "B", "B"), (different, "A", "B")], [30] * 3)
    assert np.isfinite(fit_model(name, table).log10_lr(np.arange(31), np.full(31, 30))).all()


@pytest.mark.parametrize("name", CONTINUOUS)
@pytest.mark.parametrize("scores", [(0.5, 0.5), (0.9, 0.1), (0.1, 0.9), (1e-300, 1e99), (-1e6, 1e6)])
def test_degenerate_scores(name, scores):
    table = table_of([(scores[0], "A", "A"), (scores[0], "B", "B"), (scores[1], "A", "B")])
    assert np.isfinite(fit_model(name, table).log10_lr(np.array([*scores, 0.0]))).all()


def test_scores_that_differ_by_rounding_keep_the_isotonic_ratios_finite():
    scores = 0.3 + np.arange(40) * np.spacing(0.3)
    rows = [(score, "A", "A" if number % 3 else "B") for number, score in enumerate(scores)]
    model = fit_model("isotonic", table_of([*rows, (0.1, "A", "B"), (0.1, "B", "B")]))
    found = model.log10_lr(np.array([0.1, *scores]))
    assert np.isfinite(found).all()
    assert (np.diff(found) >= 0).all()


def test_equal_scores_carry_no_information():
    table = table_of([(0.5, "A", "A"), (0.5, "B", "B"), (0.5, "A", "B")])
    for name in CONTINUOUS:
        value = fit_model(name, table).log10_lr(np.array([0.5]))[0]
        # PAV adds one misleading pair to each side: (2 + 1) : (1 + 1) against a prior of 3 : 2.
        assert value == pytest.approx(0, abs=1e-9)


def test_a_score_that_runs_the_wrong_way_gives_one():
    table = table_of([(0.1, "A", "A"), (0.2, "B", "B"), (0.9, "A", "B")])
    assert fit_model("logistic", table).log10_lr(np.array([0.1, 0.9])).tolist() == [0, 0]
    assert fit_model("isotonic", table).log10_lr(np.array([0.1, 0.9])) == pytest.approx([0, 0])


def test_logistic_is_scikit_learns():
    random = np.random.Generator(np.random.PCG64(3))
    same, different = random.normal(0.7, 0.1, 40), random.normal(0.3, 0.1, 300)
    table = table_of([*((s, "A", "A") for s in same), *((d, "A", "B") for d in different)])
    x = np.r_[same, different]
    y = np.r_[np.ones(40), np.zeros(300)]
    model = fit_model("logistic", table)
    assert isinstance(model, LogisticRatio)
    z = (x - model.centre) / model.scale
    theirs = LogisticRegression(class_weight="balanced", tol=1e-10, max_iter=1000).fit(z[:, None], y)
    np.testing.assert_allclose(
        model.log10_lr(x) * np.log(10), theirs.decision_function(z[:, None]), rtol=1e-4, atol=1e-4
    )


def test_kernel_density_recovers_two_normals():
    random = np.random.Generator(np.random.PCG64(4))
    same, different = random.normal(1, 1, 4000), random.normal(-1, 1, 4000)
    table = table_of([*((s, "A", "A") for s in same), *((d, "A", "B") for d in different)])
    x = np.linspace(-1.5, 1.5, 7)
    true = (norm.logpdf(x, 1, 1) - norm.logpdf(x, -1, 1)) / np.log(10)
    np.testing.assert_allclose(fit_model("kernel density", table).log10_lr(x), true, atol=0.12)


def test_silverman_bandwidth_by_hand():
    score = np.arange(1.0, 101.0)
    deviation = score.std()
    # the quartiles are 25 and 75: IQR/1.34 = 37.3 is larger than the deviation 28.9
    assert silverman_bandwidth(score, np.ones(100), 0.0) == pytest.approx(0.9 * deviation * 100**-0.2)


def test_independent_binomial_for_both_is_linear_in_k():
    table = table_of([(20, "A", "A"), (1, "A", "B")], [25, 25])
    values = fit_model("binomial", table).log10_lr(np.arange(26), np.full(26, 25))
    np.testing.assert_allclose(np.diff(values), np.diff(values)[0])


def test_errors_say_what_to_do():
    table = table_of([(0.5, "A", "A"), (0.5, "A", "B")])
    with pytest.raises(ParameterError, match="there are: beta-binomial"):
        fit_model("magic", table)
    with pytest.raises(ParameterError, match="cells"):
        fit_model("beta-binomial", table)
    for name in COUNT_AND_SCORE_MODELS:
        with pytest.raises(ParameterError, match="needs both kinds"):
            fit_model(name, table_of([(1, "A", "A")], [5]))
    with pytest.raises(ParameterError, match="number of cells"):
        fit_model("binomial", table_of([(1, "A", "A"), (1, "A", "B")], [5, 5])).log10_lr(np.array([1.0]))


@pytest.mark.slow
def test_parameters_are_plain_values():
    import json

    table = table_of([(20, "A", "A"), (18, "B", "B"), (1, "A", "B"), (0, "A", "B")], [25] * 4)
    for name in COUNT_AND_SCORE_MODELS:
        model = fit_model(name, table)
        assert json.dumps(model.parameters(), allow_nan=False)
        assert all(ref.startswith("doi:") for ref in model.references)
        assert isinstance(model, CountRatio) == model.counts


def test_table_refuses_what_contradicts_itself():
    with pytest.raises(ParameterError, match="row 1"):
        ScoreTable.build([1, 6], "AA", "AB", [5, 5])
    with pytest.raises(ParameterError, match="leave out"):
        ScoreTable.build([float("nan")], "A", "B")
    with pytest.raises(ParameterError, match="leave out"):
        ScoreTable.build([-float("inf")], "A", "B")
    with pytest.raises(ParameterError, match="firearm_b"):
        ScoreTable.build([1.0], "A", "")
    with pytest.raises(ParameterError, match="whole"):
        ScoreTable.build([1.0], "A", "B", [1.5])
    with pytest.raises(ParameterError, match="together"):
        ScoreTable.build([1.0], "A", "B", scan_a=["x"])
