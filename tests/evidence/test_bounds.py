"""Bounds on the LR: published values, a brute-force twin, and the package lir (oracle)."""

from __future__ import annotations

import numpy as np
import pytest
from evidence_data import nist
from hypothesis import given
from hypothesis import strategies as st
from property_tests import examples

from ballistics.errors import ParameterError
from ballistics.evidence.models.bounds import elub, sample_size_bounds, tightest
from ballistics.evidence.models.score_models import fit_model

labelled = st.lists(
    st.tuples(st.floats(-4, 4).map(lambda x: round(x, 1) + 0.055), st.booleans()), min_size=2, max_size=50
).filter(lambda rows: len({same for _, same in rows}) == 2)


@pytest.mark.parametrize(("name", "lower", "upper", "lr"), [("fadul", -1.81, 2.85, 706), ("weller", -2.57, 3.61, 4080)])
def test_published_bounds(scores, name, lower, upper, lr):
    table = nist(scores, name)
    values = fit_model("beta-binomial", table).log10_lr(table.score, table.cells)
    bounds = elub(values, table.same_source)
    assert bounds.lower == pytest.approx(lower, abs=0.005)
    assert bounds.upper == pytest.approx(upper, abs=0.005)
    assert 10**bounds.upper == pytest.approx(lr, rel=0.002)
    assert "ELUB" in bounds.rule


def bayes_error_twin(values, same, threshold):
    """Normalised Bayes error at one log10 threshold, with one misleading LR added to each side."""
    miss = (1 + sum(v < threshold for v, s in zip(values, same, strict=True) if s)) / (1 + sum(same))
    false = (1 + sum(v >= threshold for v, s in zip(values, same, strict=True) if not s)) / (
        1 + sum(not s for s in same)
    )
    return miss + 10**threshold * false


@examples(40)
@given(labelled)
def test_elub_against_a_fine_grid(rows):
    values, same = np.array([v for v, _ in rows]), np.array([s for _, s in rows])
    bounds = elub(values, same)
    assert bounds.lower <= 0 <= bounds.upper
    # thresholds off the values themselves, so that "at" and "above" do not matter
    for t in np.arange(0.0013, bounds.upper - 0.002, 0.01):
        assert bayes_error_twin(values, same, t) <= 1 + 1e-9
    beyond = bounds.upper + 1e-6
    assert bayes_error_twin(values, same, max(beyond, 1e-6)) > 1 - 1e-4
    mirrored = elub(-values, ~same)
    assert mirrored.upper == pytest.approx(-bounds.lower)
    assert mirrored.lower == pytest.approx(-bounds.upper)


@examples(40)
@given(labelled)
def test_lir_gives_the_same_to_its_grid(rows):
    from lir.algorithms import bayeserror as oracle

    values, same = np.array([v for v, _ in rows]), np.array([s for _, s in rows])
    bounds = elub(values, same)
    lower, upper = oracle.elub(values.copy(), same.astype(int))
    # Its grid has steps of 0.01 and it moves one step inwards; the values here are 0.1 apart, since
    # it cannot see a violation narrower than a step.
    assert bounds.lower == pytest.approx(lower, abs=0.0201)
    assert bounds.upper == pytest.approx(upper, abs=0.0201)


def test_separated_data_with_infinite_lrs():
    bounds = elub([np.inf] * 63 + [-np.inf] * 717, [True] * 63 + [False] * 717)
    assert 10**bounds.upper == pytest.approx(718 * 63 / 64)
    assert 10**bounds.lower == pytest.approx((1 / 64) / (1 - 1 / 718))


def test_useless_system_has_no_range():
    bounds = elub([1.0, -1.0], [False, True])
    assert (bounds.lower, bounds.upper) == (0, 0)


def test_sample_size_and_tightest():
    size = sample_size_bounds(63, 717)
    tight = tightest(elub([9.0] * 63 + [-9.0] * 717, [True] * 63 + [False] * 717), size)
    assert tight.upper < size.upper
    assert tight.lower >= size.lower
    assert tight.clip([99, -99, 0.5]).tolist() == [tight.upper, tight.lower, 0.5]


def test_one_kind_of_pair_is_refused():
    with pytest.raises(ParameterError, match="absent"):
        elub([1.0], [True])
    with pytest.raises(ParameterError, match="NaN"):
        elub([np.nan, 1.0], [True, False])
    with pytest.raises(ParameterError):
        sample_size_bounds(0, 3)
