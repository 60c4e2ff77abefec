"""Fusion of several marks: against scikit-learn, on simulated dependence, and on the NFI's three marks."""

from __future__ import annotations

import numpy as np
import pytest
from evidence_data import nfi
from sklearn.linear_model import LogisticRegression

from ballistics.errors import ParameterError
from ballistics.evidence.crossvalidation import cross_validate
from ballistics.evidence.metrics import cllr
from ballistics.evidence.models.fusion import ASSUMPTION, check_fusion, fit_fusion
from ballistics.evidence.scores import ScoreTable

MARKS = ("breech face", "firing pin")


def simulated(correlation, n_firearms=60, seed=1):
    """Two marks whose log LRs are normal with the given correlation inside each kind of pair."""
    random = np.random.Generator(np.random.PCG64(seed))
    firearm_a = [f"F{i}" for i in range(n_firearms)] * 2 + [f"F{i}" for i in range(n_firearms) for _ in range(6)]
    firearm_b = [f"F{i}" for i in range(n_firearms)] * 2 + [
        f"F{(i + j) % n_firearms}" for i in range(n_firearms) for j in range(1, 7)
    ]
    table = ScoreTable.build(np.zeros(len(firearm_a)), firearm_a, firearm_b)
    spread = random.multivariate_normal([0, 0], [[1, correlation], [correlation, 1]], len(table))
    # d' = 2 in natural units: a calibrated log LR has mean ±2 and variance 4
    return (np.where(table.same_source, 2.0, -2.0)[:, None] + 2 * spread) / np.log(10), table


def test_weights_are_scikit_learns():
    values, table = simulated(0.0)
    fusion = fit_fusion(values, table, MARKS)
    model = LogisticRegression(class_weight="balanced", tol=1e-10).fit(values * np.log(10), table.same_source)
    np.testing.assert_allclose(fusion.weights, model.coef_[0], rtol=1e-3)
    raw = (model.intercept_[0] + values * np.log(10) @ model.coef_[0]) / np.log(10)
    np.testing.assert_allclose(fusion.log10_lr(values), fusion.bounds.clip(raw), atol=1e-3)


def test_independent_marks_add_up_and_dependent_ones_do_not():
    independent, table = simulated(0.0, n_firearms=800)
    assert fit_fusion(independent, table, MARKS).weights == pytest.approx((1, 1), abs=0.2)
    dependent, table = simulated(0.95, n_firearms=800)
    weights = fit_fusion(dependent, table, MARKS).weights
    assert sum(weights) == pytest.approx(2 / 1.95, abs=0.25)  # two marks that say the same count once


def test_dependence_is_found_where_it_is():
    for correlation, expected in ((0.0, False), (0.8, True)):
        values, table = simulated(correlation)
        check = check_fusion(values, table, MARKS, draws=60)
        assert [not d.interval[0] <= 0 <= d.interval[1] for d in check.dependences] == [expected, expected]
        assert [d.same_source for d in check.dependences] == [True, False]
        assert check.dependences[1].correlation == pytest.approx(correlation, abs=0.12)
        assert check.assumption == ASSUMPTION
        assert check.cllr_interacting <= check.cllr_fused + 1e-3
    # To take dependent marks for independent costs calibration.
    assert check.cllr_product > check.cllr_fused + 0.05


def test_an_interaction_is_found_where_it_is():
    values, table = simulated(0.0)
    # Neither mark speaks alone: same-source pairs agree in sign, different-source pairs do not.
    values = np.abs(values) * np.where(np.arange(len(table)) % 2, 1, -1)[:, None]
    values[:, 1] *= np.where(table.same_source, 1, -1)
    check = check_fusion(values, table, MARKS, draws=5)
    assert check.cllr_interacting < check.cllr_fused - 0.02


def test_a_mark_that_misleads_gets_no_weight():
    values, table = simulated(0.0)
    values[:, 1] = -values[:, 1]
    fusion = fit_fusion(values, table, MARKS)
    assert fusion.weights[1] == 0
    raised = values.copy()
    raised[:, 1] += 1
    assert (fusion.log10_lr(raised) >= fusion.log10_lr(values)).all()


def test_order_of_rows_changes_nothing():
    values, table = simulated(0.3)
    order = np.random.Generator(np.random.PCG64(2)).permutation(len(table))
    mixed = ScoreTable.build(
        table.score[order], [table.firearm_b[i] for i in order], [table.firearm_a[i] for i in order]
    )
    assert fit_fusion(values[order], mixed, MARKS) == fit_fusion(values, table, MARKS)


def test_bad_input():
    values, table = simulated(0.0)
    with pytest.raises(ParameterError, match="one column per mark"):
        fit_fusion(values, table, ("breech face",))
    values[0, 0] = np.nan
    with pytest.raises(ParameterError, match="every mark"):
        fit_fusion(values, table, MARKS)
    with pytest.raises(ParameterError, match="both kinds"):
        fit_fusion(np.zeros((1, 2)), ScoreTable.build([0.0], "A", "A"), MARKS)


@pytest.mark.slow
def test_three_marks_of_the_nfi(scores):
    """Breech face, firing pin and aperture shear of the same pairs of pistols are better together."""
    tables = {
        "breech face": (nfi(scores, "breech_face_impression", "cmc"), "beta-binomial"),
        "firing pin": (nfi(scores, "firing_pin_impression", "cmc"), "beta-binomial"),
    }
    by_pair: list[dict[tuple[str, str], float]] = []
    for table, model in tables.values():
        values = cross_validate(table, model, groups=5).log10_lr
        keys = [tuple(sorted(pair)) for pair in zip(table.firearm_a, table.firearm_b, strict=True)]
        by_pair.append(dict(zip(keys, values, strict=True)))
    common = sorted(by_pair[0].keys() & by_pair[1].keys())
    values = np.array([[found[pair] for found in by_pair] for pair in common])
    table = ScoreTable.build(np.zeros(len(common)), [a for a, _ in common], [b for _, b in common])
    assert table.same_source.sum() > 150
    check = check_fusion(values, table, tuple(tables), draws=20)
    assert check.cllr_fused < min(check.cllr_single)
    assert cllr(fit_fusion(values, table, tuple(tables)).log10_lr(values), table.same_source) < min(check.cllr_single)
