"""Source-disjoint cross-validation: no firearm on both sides, every pair tested once."""

from __future__ import annotations

import numpy as np
import pytest
from evidence_data import nist
from hypothesis import given
from hypothesis import strategies as st
from property_tests import examples

from ballistics.errors import ParameterError
from ballistics.evidence.crossvalidation import cross_validate, firearm_groups, source_disjoint_folds
from ballistics.evidence.metrics import measure
from ballistics.evidence.scores import ScoreTable

pairs = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=60).filter(
    lambda rows: len({x for row in rows for x in row}) >= 4
)


@examples(40)
@given(pairs, st.integers(4, 12), st.integers(0, 5))
def test_folds_are_disjoint_and_complete(rows, groups, seed):
    table = ScoreTable.build(np.zeros(len(rows)), [a for a, _ in rows], [b for _, b in rows])
    tested = np.zeros(len(table), dtype=int)
    for train, test in source_disjoint_folds(table, groups, seed):
        tested += test
        left, right = table.rows(train), table.rows(test)
        assert not {*left.firearms} & {*right.firearms}
    assert (tested == 1).all()


def test_groups_are_even_and_from_the_seed():
    dealt = firearm_groups(23, 5, seed=7)
    assert sorted(np.bincount(dealt)) == [4, 4, 5, 5, 5]
    np.testing.assert_array_equal(dealt, firearm_groups(23, 5, seed=7))
    assert (dealt != firearm_groups(23, 5, seed=8)).any()


@pytest.mark.slow
def test_published_counts_on_fadul(scores):
    table = nist(scores, "fadul")
    result = cross_validate(table, "beta-binomial")
    assert result.n_fits == 55
    metrics = measure(result.log10_lr, table)
    assert metrics.cllr <= 0.05
    assert (metrics.misleading_same, metrics.misleading_different) == (0, 0)
    assert metrics.misleading_firearms_limit == pytest.approx(1 - 0.05 ** (1 / 10))
    assert result.at_bound.mean() > 0.9
    assert result.in_range.mean() > 0.99


def test_order_and_swapped_marks_change_nothing(scores):
    table = nist(scores, "fadul")
    order = np.random.Generator(np.random.PCG64(1)).permutation(len(table))
    mixed = ScoreTable.build(
        table.score[order],
        [table.firearm_b[i] for i in order],
        [table.firearm_a[i] for i in order],
        table.cells[order],
    )
    np.testing.assert_array_equal(
        cross_validate(mixed, "isotonic", groups=5).log10_lr,
        cross_validate(table, "isotonic", groups=5).log10_lr[order],
    )


def test_too_few_firearms():
    table = ScoreTable.build([9, 8, 7, 1, 0], "ABCAB", "ABCBC", [10] * 5)
    with pytest.raises(ParameterError, match="3 firearms"):
        cross_validate(table, "beta-binomial")
    lone = ScoreTable.build([9, 1, 0, 0, 1], "AABCA", "ABCDD", [10] * 5)
    with pytest.raises(ParameterError, match="one kind of pair is absent"):
        cross_validate(lone, "beta-binomial")
