"""Metrics against published values, hand calculations and the package lir (oracle)."""

from __future__ import annotations

import numpy as np
import pytest
from evidence_data import nfi, nist
from hypothesis import given
from hypothesis import strategies as st
from property_tests import examples
from scipy.stats import binom

from ballistics.errors import ParameterError
from ballistics.evidence.metrics import (
    auc,
    cllr,
    cllr_min,
    dev_pav,
    empirical_cross_entropy,
    equal_error_rate,
    error_upper_limit,
    measure,
    pav,
    roc,
)
from ballistics.evidence.scores import ScoreTable

labelled = st.lists(
    st.tuples(st.floats(-8, 8).map(lambda x: round(x, 2)), st.booleans()), min_size=2, max_size=60
).filter(lambda rows: len({same for _, same in rows}) == 2)


@pytest.mark.parametrize(
    ("mark", "score", "n", "published"),
    [
        ("firing_pin_impression", "cmc", (196, 530), {"auc": 0.9980, "eer": 0.0044, "cllr_min": 0.028}),
        ("firing_pin_impression", "accf", (196, 530), {"auc": 0.986, "eer": 0.030}),
        ("breech_face_impression", "cmc", (188, 1327), {"auc": 0.9545, "eer": 0.092, "cllr_min": 0.281}),
        ("breech_face_impression", "accf", (188, 1327), {"auc": 0.932}),
        ("aperture_shear", "ccf", (199, 19701), {"auc": 0.9997, "eer": 0.0063, "cllr_min": 0.0215}),
    ],
)
def test_published_values_of_the_nfi_sets(scores, mark, score, n, published):
    """To every digit that is printed."""
    table = nfi(scores, mark, score)
    same = table.same_source
    assert (same.sum(), (~same).sum()) == n
    measured = {
        "auc": auc(table.score, same),
        "eer": equal_error_rate(table.score, same)[0],
        "cllr_min": cllr_min(table.score, same),
    }
    digits = {
        "auc": len(str(published["auc"])) - 2,
        "eer": 4 if published.get("eer", 1) < 0.01 else 3,
        "cllr_min": 3,
    }
    for name, value in published.items():
        places = 4 if (name, value) == ("cllr_min", 0.0215) else digits[name]
        assert measured[name] == pytest.approx(value, abs=0.5 * 10**-places + 1e-12), name


def test_threshold_of_the_aperture_shear_equal_error_rate(scores):
    table = nfi(scores, "aperture_shear", "ccf")
    assert equal_error_rate(table.score, table.same_source)[1] == pytest.approx(0.623, abs=5e-4)


def test_published_cllr_when_every_lr_sits_on_its_bound(scores):
    for name, low, high, published in (("fadul", -1.81, 2.85, 0.012), ("weller", -2.57, 3.61, 0.002)):
        same = nist(scores, name).same_source
        assert cllr(np.where(same, high, low), same) == pytest.approx(published, abs=6e-4)


def test_cllr_by_hand():
    # one LR of 10 for a same-source pair and one of 1/2 for a different-source pair
    expected = (np.log2(1.1) + np.log2(1.5)) / 2
    assert cllr([1, np.log10(0.5)], [True, False]) == pytest.approx(expected)


def test_dev_pav_by_hand():
    # PAV of these four is LR = 1 between -1 and 1: two triangles of height 1 over a range of 2.
    assert dev_pav([-1, -1, 1, 1], [True, False, True, False]) == pytest.approx(0.5)
    # A constant shift by 0.3 of a system at LR = 1.
    assert dev_pav([0.3, 0.3], [True, False]) == pytest.approx(0.3)
    assert dev_pav([-1.0, 1.0], [False, True]) is None


def test_pav_pools_ties_and_violators():
    curve = pav([1, 1, 2, 3, 3], [False, True, True, False, True])
    np.testing.assert_allclose(curve.log10_lr, np.log10([1 * 2 / 3, 2 * 2 / 3, 2 * 2 / 3]))


def test_cross_entropy_at_even_odds_is_cllr():
    values, same = [0.3, -1.0, 2.0, 0.1], [True, False, True, False]
    assert empirical_cross_entropy(values, same, [0.0])[0] == pytest.approx(cllr(values, same))


def test_upper_limits():
    assert error_upper_limit(0, 717) == pytest.approx(1 - 0.05 ** (1 / 717))
    assert error_upper_limit(0, 717) == pytest.approx(0.0042, abs=5e-5)
    assert error_upper_limit(0, 63) == pytest.approx(0.046, abs=5e-4)
    assert error_upper_limit(0, 4095) == pytest.approx(0.00073, abs=5e-6)
    assert error_upper_limit(0, 370) == pytest.approx(0.0081, abs=5e-5)
    limit = error_upper_limit(3, 40)
    assert binom.cdf(3, 40, limit) == pytest.approx(0.05)
    assert error_upper_limit(4, 4) == 1.0
    with pytest.raises(ParameterError):
        error_upper_limit(0, 0)


def test_measure_counts_misleading_pairs_and_firearms():
    table = ScoreTable.build([5, 4, 1, 3], ["A", "B", "A", "B"], ["A", "B", "B", "C"])
    result = measure(np.array([2.0, -0.5, -1.0, 0.2]), table)
    assert (result.misleading_same, result.misleading_different) == (1, 1)
    assert (result.n_firearms, result.misleading_firearms) == (3, 2)
    assert result.cllr == pytest.approx(result.cllr_min + result.cllr_cal)


@examples(40)
@given(labelled)
def test_properties(rows):
    values, same = np.array([v for v, _ in rows]), np.array([s for _, s in rows])
    best = cllr_min(values, same)
    assert 0 <= best <= 1 + 1e-12
    assert best <= cllr(values, same) + 1e-9
    assert cllr_min(2 * values + 3, same) == pytest.approx(best)
    assert cllr(-values, ~same) == pytest.approx(cllr(values, same))
    assert auc(values, same) == pytest.approx(1 - auc(-values, same))
    false, hits = roc(values, same)
    assert auc(values, same) == pytest.approx(np.trapezoid(hits, false))
    rate, _ = equal_error_rate(values, same)
    assert 0 <= rate <= 1
    deviation = dev_pav(values, same)
    assert deviation is None or (np.isfinite(deviation) and deviation >= 0)


@pytest.mark.parametrize(
    ("values", "same"), [([1.0, np.nan], [True, False]), ([1.0, 2.0], [True, True]), ([1.0], [True, False])]
)
def test_bad_input_is_refused(values, same):
    with pytest.raises(ParameterError):
        cllr(values, same)


def test_infinite_lrs_of_the_right_sign_cost_nothing():
    assert cllr([np.inf, -np.inf], [True, False]) == 0
    assert cllr([-np.inf, 0.0], [True, False]) == np.inf


@pytest.mark.slow
@examples(40, 200)
@given(rows=labelled)
def test_lir_gives_the_same(rows):
    from lir import metrics
    from lir.data import models
    from lir.metrics import devpav

    # Off the round numbers: where a PAV corner lies exactly on the identity, lir 1.3.1 adds a
    # negative area (its "situation 3" takes the corner for one below the line).
    values, same = np.array([v + 0.00317 for v, _ in rows]), np.array([s for _, s in rows])
    theirs = models.LLRData(features=values, labels=same.astype(int))
    assert cllr(values, same) == pytest.approx(metrics.cllr(theirs), rel=1e-9)
    assert cllr_min(values, same) == pytest.approx(metrics.cllr_min(theirs), rel=1e-9)
    ours = dev_pav(values, same)
    expected = devpav.devpav(values, same.astype(int))
    if ours is None:
        assert np.isnan(expected)
    else:
        assert ours == pytest.approx(float(np.squeeze(expected)), rel=1e-6, abs=1e-9)
