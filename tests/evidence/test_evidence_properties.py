"""Properties of the evidence room on any population: monotone, symmetric, without order, never inf or NaN."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property_tests import examples

from ballistics.errors import ParameterError
from ballistics.evidence.comparisons import conditions_of
from ballistics.evidence.conditions import Conditions
from ballistics.evidence.lr_system import LRSystem, Questioned, fit_lr_system
from ballistics.evidence.models.fusion import fit_fusion
from ballistics.evidence.population import ReferencePopulation
from ballistics.evidence.scores import ScoreTable
from ballistics.evidence.study import run_study
from ballistics.provenance import Provenance

CASE = Conditions("breech face", ("9 mm",), ("confocal",), "CMC", "1")
COUNTS = ("beta-binomial", "binomial", "correlated binomial", "beta-correlated binomial")
CONTINUOUS = ("logistic", "kernel density", "isotonic")
CELLS = 12

firearm = st.sampled_from("ABCDE")
# Few distinct scores, so that ties and full separation are common.
row = st.tuples(st.integers(0, CELLS), firearm, firearm)
rows = st.lists(row, min_size=1, max_size=25)
Rows = list[tuple[int, str, str]]


def system(pairs: Rows, model: str, draws: int = 0) -> LRSystem:
    score, first, second = zip(*pairs, strict=True)
    cells = [CELLS] * len(pairs) if model in COUNTS else None
    table = ScoreTable.build(score, first, second, cells)
    return fit_lr_system(ReferencePopulation("any", table, CASE), model, draws)


def separated(pairs: Rows) -> Rows:
    """Return the pairs with every same-source score above every different-source one."""
    return [(CELLS if a == b else 0, a, b) for _, a, b in pairs]


def level(pairs: Rows) -> Rows:
    """Return the pairs with one score for all."""
    return [(5, a, b) for _, a, b in pairs]


def one_firearm(pairs: Rows) -> Rows:
    """Return the pairs as if all came from one firearm."""
    return [(score, "A", "A") for score, _, _ in pairs]


def no_same_source(pairs: Rows) -> Rows:
    """Return the different-source pairs only, or one."""
    return [pair for pair in pairs if pair[1] != pair[2]] or [(1, "A", "B")]


@examples(40)
@given(
    rows,
    st.sampled_from((*COUNTS, *CONTINUOUS)),
    st.sampled_from((list, separated, level, one_firearm, no_same_source)),
    st.integers(0, CELLS),
)
def test_any_population_answers_with_a_bound_or_with_a_reason(pairs, model, degenerate, score):
    pairs = degenerate(pairs)
    cells = CELLS if model in COUNTS else None
    result = system(pairs, model, draws=3).evaluate(Questioned(float(score), CASE, cells))
    if result.status != "evaluated":
        assert result.reason
        assert (result.log10_lr, result.interval) == (None, None)
        return
    assert result.status == "evaluated"
    assert len({a == b for _, a, b in pairs}) == 2
    limits = (result.bounds.lower, *(result.interval or ()), result.log10_lr, result.bounds.upper)
    assert np.isfinite(limits).all()
    assert result.bounds.lower <= 0 <= result.bounds.upper
    assert result.bounds.lower <= result.log10_lr <= result.bounds.upper
    assert (result.bound == "none") == (result.bounds.lower < result.log10_lr < result.bounds.upper)
    if result.interval:
        assert result.bounds.lower <= result.interval[0] <= result.log10_lr <= result.interval[1] <= result.bounds.upper


@examples(6, often=60)
@given(rows, st.sampled_from((*COUNTS, *CONTINUOUS)), st.randoms())
def test_order_of_rows_and_of_marks_changes_nothing_to_the_last_bit(pairs, model, random):
    mixed = [(score, *random.sample((a, b), 2)) for score, a, b in pairs]
    random.shuffle(mixed)
    cells = CELLS if model in COUNTS else None
    first, second = (system(table, model, draws=3) for table in (pairs, mixed))
    assert first.population.hash == second.population.hash
    for score in (0.0, 5.0, float(CELLS)):
        assert first.evaluate(Questioned(score, CASE, cells)) == second.evaluate(Questioned(score, CASE, cells))


@examples(40)
@given(rows, st.sampled_from(("logistic", "isotonic")))
def test_bounded_ratios_never_fall_where_the_model_says_so(pairs, model):
    weigher = system(pairs, model)
    if weigher.fitted is not None:
        values = weigher.fitted.log10_lr(np.linspace(-2, CELLS + 2, 57))
        assert (np.diff(values) >= -1e-12).all()


@examples(40)
@given(rows)
def test_binomial_counts_never_fall_when_same_source_cells_agree_more_often(pairs):
    weigher = system(pairs, "binomial")
    if weigher.fitted is None:
        return
    k, n = np.arange(CELLS + 1), np.full(CELLS + 1, CELLS)
    rises = weigher.fitted.model.same.p >= weigher.fitted.model.different.p
    assert (np.diff(weigher.fitted.log10_lr(k, n)) * (1 if rises else -1) >= -1e-12).all()


@examples(15, often=100)
@given(rows, st.sampled_from(("beta-binomial", *CONTINUOUS)), st.sampled_from((list, separated, level)), st.randoms())
def test_cross_validation_and_study_are_finite_or_refuse(pairs, model, degenerate, random):
    pairs = degenerate(pairs)
    mixed = [(score, b, a) for score, a, b in pairs]
    random.shuffle(mixed)
    studies = []
    for some in (pairs, mixed):
        population = system(some, model).population
        try:
            studies.append(run_study(population, model, groups=4))
        except ParameterError as error:
            studies.append(str(error))
    if isinstance(studies[0], str):
        assert studies[0] == studies[1]
        return
    assert studies[0].to_json() == studies[1].to_json()  # which no inf and no NaN can enter
    assert np.isfinite(studies[0].cross.log10_lr).all()


@examples(5, often=40)
@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9), firearm, firearm), min_size=1, max_size=20), st.randoms())
def test_fused_marks_are_bounded_never_fall_and_keep_no_order(pairs, random):
    def fused(some):
        values = np.array([pair[:2] for pair in some])
        table = ScoreTable.build(np.zeros(len(some)), [pair[2] for pair in some], [pair[3] for pair in some])
        return fit_fusion(values, table, ("breech face", "firing pin"))

    mixed = [(x, y, b, a) for x, y, a, b in pairs]
    random.shuffle(mixed)
    if len({a == b for *_, a, b in pairs}) == 1:
        with pytest.raises(ParameterError, match="both kinds"):
            fused(pairs)
        return
    fusion = fused(pairs)
    assert fused(mixed) == fusion
    grid = np.array([[x, y] for x in (-20.0, -1.0, 0.0, 2.0, 20.0) for y in (-20.0, 0.0, 20.0)])
    values = fusion.log10_lr(grid)
    assert np.isfinite(values).all()
    assert (values >= fusion.bounds.lower).all()
    assert (values <= fusion.bounds.upper).all()
    for mark in (0, 1):
        higher = grid.copy()
        higher[:, mark] += 1
        assert (fusion.log10_lr(higher) >= values - 1e-12).all()


@examples(30)
@given(st.lists(st.sampled_from(["automatic", "given"]), min_size=2, max_size=2), st.booleans())
def test_conditions_do_not_know_which_mark_is_a(masks, other_version):
    provenance = Provenance("CMC", "1", {"cell_um": 469.0}, {}, (), {})
    preparations = [{"mask": mask, "version": "2" if other_version and i else "1"} for i, mask in enumerate(masks)]
    conditions, other = (
        conditions_of("breech face", provenance, p, "count", ["9 mm"], ["confocal"])
        for p in (preparations, preparations[::-1])
    )
    assert conditions.to_dict() == other.to_dict()
    reference = conditions_of("breech face", provenance, [preparations[0]], "count", ["9 mm"], ["confocal"])
    assert bool(reference.refusals(conditions)) == (preparations[0] != preparations[1])
