"""Count models against the published values on the NIST scores, and as probability distributions."""

from __future__ import annotations

import numpy as np
import pytest
from evidence_data import nist
from hypothesis import given
from hypothesis import strategies as st
from property_tests import examples
from scipy.special import roots_jacobi
from scipy.stats import betabinom, binom

from ballistics.errors import ParameterError
from ballistics.evidence.models.count_fitting import correlation_limits
from ballistics.evidence.models.count_models import (
    BetaBinomial,
    BetaCorrelatedBinomial,
    Binomial,
    CorrelatedBinomial,
)
from ballistics.evidence.models.count_tails import log_lower_tail, log_upper_tail, negative_log_likelihood


def counts(table, same):
    chosen = table.rows(table.same_source == same)
    return chosen.score.astype(np.int64), chosen.cells


@pytest.fixture(scope="module")
def weller(scores):
    return nist(scores, "weller")


@pytest.fixture(scope="module")
def fadul_scores(scores):
    return nist(scores, "fadul")


def test_weller_is_read_whole(weller, fadul_scores):
    assert (weller.same_source.sum(), (~weller.same_source).sum(), len(weller.firearms)) == (370, 4095, 11)
    assert (fadul_scores.same_source.sum(), (~fadul_scores.same_source).sum()) == (63, 717)
    assert len(fadul_scores.firearms) == 10


def test_weller_same_source(weller):
    k, n = counts(weller, True)
    assert Binomial.fit(k, n).p == pytest.approx(0.907974, abs=5e-7)
    correlated = CorrelatedBinomial.fit_least_squares(k, n)
    assert (correlated.p, correlated.r) == (
        pytest.approx(0.913017, abs=1e-6),
        pytest.approx(0.0208705, abs=1e-7),
    )
    squares = BetaBinomial.fit_least_squares(k, n)
    assert (squares.alpha, squares.beta) == (
        pytest.approx(26.2919, abs=1e-4),
        pytest.approx(2.6336, abs=1e-4),
    )
    likely = BetaBinomial.fit(k, n)
    assert (likely.alpha, likely.beta) == (pytest.approx(21.10, abs=5e-3), pytest.approx(2.13, abs=5e-3))


@pytest.mark.slow
def test_weller_same_source_beta_correlated(weller):
    k, n = counts(weller, True)
    model = BetaCorrelatedBinomial.fit_least_squares(k, n)
    assert model.alpha == pytest.approx(64.128, rel=5e-4)
    assert model.beta == pytest.approx(6.304, rel=5e-4)
    assert model.r == pytest.approx(0.0162, abs=1e-4)


def test_weller_likelihoods(weller):
    k, n = counts(weller, True)
    for model, published in ((Binomial, 999.07), (CorrelatedBinomial, 908.54), (BetaBinomial, 870.74)):
        assert negative_log_likelihood(model.fit(k, n), k, n) == pytest.approx(published, abs=0.006)


def test_weller_different_source(weller):
    k, n = counts(weller, False)
    assert Binomial.fit(k, n).p == pytest.approx(0.00112089, abs=5e-9)
    assert CorrelatedBinomial.fit(k, n).r == pytest.approx(0.0001648, abs=1e-7)
    model = BetaBinomial.fit(k, n)  # a flat ridge: parameters are loose, their ratio is not
    assert model.alpha == pytest.approx(7.277, rel=2e-3)
    assert model.beta == pytest.approx(6485, rel=2e-3)


@pytest.mark.parametrize(
    ("model", "published"),
    [
        (Binomial(0.908), 2.43e-33),
        (CorrelatedBinomial(0.9130, 0.0209), 4.53e-32),
        (BetaBinomial(26.29, 2.63), 1.80e-12),
        (BetaCorrelatedBinomial(64.12, 6.3, 0.02), 3.85e-17),
    ],
)
def test_published_false_negative_rates(model, published):
    # The papers print rounded parameters and three digits of the rate.
    assert np.exp(log_lower_tail(model, 6, 42)) == pytest.approx(published, rel=0.02)


def test_false_positive_rates(weller):
    assert np.exp(log_upper_tail(Binomial(0.0011209), 6, 42)) == pytest.approx(1.01e-11, rel=0.01)
    k, n = counts(weller, False)
    over_dispersed = np.exp(log_upper_tail(BetaBinomial.fit(k, n), 6, 42))
    assert over_dispersed == pytest.approx(5.2e-11, rel=0.01)  # printed as 5.48e-13, which cannot be
    assert over_dispersed > np.exp(log_upper_tail(Binomial.fit(k, n), 6, 42))


def test_fadul(fadul_scores):
    k, n = counts(fadul_scores, True)
    assert Binomial.fit(k, n).p == pytest.approx(0.878186, abs=5e-7)
    likely = BetaBinomial.fit(k, n)
    assert (likely.alpha, likely.beta) == (pytest.approx(6.239, abs=5e-4), pytest.approx(0.844, abs=5e-4))
    squares = BetaBinomial.fit_least_squares(k, n)
    assert (squares.alpha, squares.beta) == (pytest.approx(4.927, abs=5e-4), pytest.approx(0.6625, abs=5e-5))
    for model, published in ((Binomial, 210.63), (CorrelatedBinomial, 171.68), (BetaBinomial, 152.93)):
        assert negative_log_likelihood(model.fit(k, n), k, n) == pytest.approx(published, abs=0.006)
    k, n = counts(fadul_scores, False)
    assert Binomial.fit(k, n).p == pytest.approx(0.0025819, abs=5e-8)
    model = BetaBinomial.fit(k, n)
    assert (model.alpha, model.beta) == (pytest.approx(2.88, abs=5e-3), pytest.approx(1113, abs=1))


def test_published_correlation_limits():
    low, high = correlation_limits(0.8, np.array([26]))
    assert low == pytest.approx(-0.00077, abs=5e-6)
    assert high == pytest.approx(0.08, abs=0.003)


def test_correlation_outside_its_limits_is_refused():
    with pytest.raises(ParameterError, match="outside"):
        CorrelatedBinomial(0.8, 0.2).log_pmf(np.array([20]), np.array([26]))


def test_binomials_agree_with_scipy():
    k, n = np.arange(31), np.full(31, 30)
    np.testing.assert_allclose(Binomial(0.3).log_pmf(k, n), binom.logpmf(k, 30, 0.3), rtol=1e-12)
    np.testing.assert_allclose(BetaBinomial(2.5, 0.7).log_pmf(k, n), betabinom.logpmf(k, 30, 2.5, 0.7), rtol=1e-10)


@pytest.mark.parametrize(("alpha", "b", "r"), [(8.0, 3.0, 0.01), (20.0, 2.0, -0.001), (3.0, 0.9, 0.005)])
def test_closed_form_is_the_integral(alpha, b, r):
    """The beta-correlated binomial against the integral of P2 over p (Zhang 2021, Eq. 10)."""
    n = 12
    # Times a density of beta a polynomial of degree 12: Gauss–Jacobi is exact.
    places, weights = roots_jacobi(20, b - 1, alpha - 1)
    p, weights = (places + 1) / 2, weights / weights.sum()
    for k in range(n + 1):
        g = ((k - n * p) ** 2 - (1 - 2 * p) * (k - n * p) - n * p * (1 - p)) / (2 * p * (1 - p))
        integral = np.sum(binom.pmf(k, n, p) * (1 + r * g) * weights)
        closed = np.exp(BetaCorrelatedBinomial(alpha, b, r).log_pmf(np.array([k]), np.array([n])))[0]
        assert closed == pytest.approx(integral, rel=1e-10)


def test_far_tails_stay_finite():
    value = log_lower_tail(Binomial(1 - 1e-9), 1, 500)
    assert np.isfinite(value)
    assert value == pytest.approx(500 * np.log(1e-9), rel=1e-6)


@examples(40)
@given(
    st.floats(0.02, 0.98),
    st.floats(-1, 1),
    st.floats(0.3, 50),
    st.floats(0.3, 50),
    st.integers(1, 60),
)
def test_every_model_sums_to_one_with_its_variance(p, share, alpha, b, n):
    k, cells = np.arange(n + 1), np.full(n + 1, n)
    low, high = correlation_limits(p, cells)
    r = (high if share >= 0 else -low) * share * 0.999
    correlated = CorrelatedBinomial(p, r)
    for model in (Binomial(p), BetaBinomial(alpha, b), correlated, BetaCorrelatedBinomial(alpha, b, 0.0)):
        assert np.exp(model.log_pmf(k, cells)).sum() == pytest.approx(1, abs=1e-9)
    pmf = np.exp(correlated.log_pmf(k, cells))
    assert pmf @ k == pytest.approx(n * p, rel=1e-8)
    expected = n * p * (1 - p) * (1 + (n - 1) * r)
    assert pmf @ (k - n * p) ** 2 == pytest.approx(expected, rel=1e-6, abs=1e-9)


@examples(25)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=1, max_size=30), st.randoms())
def test_fits_of_any_counts_are_finite_and_keep_no_order(pairs, random):
    k = np.array([a for a, _ in pairs])
    n = np.array([a + b + 1 for a, b in pairs])
    order = list(range(len(k)))
    random.shuffle(order)
    every = np.arange(26)
    for model in (Binomial, BetaBinomial):
        fitted = model.fit(k, n)
        assert fitted == model.fit(k[order], n[order])
        assert np.isfinite(fitted.log_pmf(every, np.full(26, 25))).all()


@pytest.mark.parametrize("count", [0, 20])
@pytest.mark.parametrize("model", [Binomial, BetaBinomial, CorrelatedBinomial, BetaCorrelatedBinomial])
def test_counts_that_are_all_none_or_all_full(model, count):
    fitted = model.fit(np.full(5, count), np.full(5, 20))
    log_pmf = fitted.log_pmf(np.arange(21), np.full(21, 20))
    assert np.isfinite(log_pmf).all()
    assert np.argmax(log_pmf) == count


def test_weights_are_repetitions():
    k, n, w = np.array([18, 25, 20]), np.array([26, 30, 22]), np.array([2, 1, 3])
    assert BetaBinomial.fit(k, n, w.astype(float)) == BetaBinomial.fit(np.repeat(k, w), np.repeat(n, w))


def test_no_pairs_is_a_clear_error():
    with pytest.raises(ParameterError, match="no cells"):
        Binomial.fit(np.array([], dtype=int), np.array([], dtype=int))
