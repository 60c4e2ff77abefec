"""One comparison in, one bounded likelihood ratio out – or a refusal, with its reason."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from evidence_data import nfi, nist
from hypothesis import given
from hypothesis import strategies as st
from property_tests import examples

from ballistics.errors import ParameterError
from ballistics.evidence.conditions import Conditions
from ballistics.evidence.lr_system import Questioned, fit_lr_system
from ballistics.evidence.models.uncertainty import firearm_multiplicities, resampled_weights
from ballistics.evidence.population import ReferencePopulation, select_population
from ballistics.evidence.scores import ScoreTable

CMC = Conditions(
    "breech face",
    ("9 mm",),
    ("confocal",),
    "CMC, smaller of both directions",
    "1",
    {"cell_um": 468.75},
    ("Winchester",),
)

# Of firearms with replacement; a user has more.
DRAWS = 40


def small_table(extra=()):
    rows = [
        *((20 + i, f, f, 30) for i, f in enumerate("ABCDE")),
        *((i % 3, a, b, 28 + i) for i, (a, b) in enumerate([("A", "B"), ("A", "C"), ("B", "C"), ("D", "E")])),
        *extra,
    ]
    return ScoreTable.build([r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows], [r[3] for r in rows])


def population(table=None, **changes):
    return ReferencePopulation(
        "small", small_table() if table is None else table, replace(CMC, **changes), "made up for the test"
    )


@pytest.fixture(scope="module")
def fadul_system(scores):
    return fit_lr_system(ReferencePopulation("Fadul", nist(scores, "fadul"), CMC), "beta-binomial", draws=DRAWS)


@pytest.mark.slow
def test_an_lr_at_its_bound_says_so(fadul_system):
    top = fadul_system.evaluate(Questioned(27, CMC, cells=30))
    assert top.status == "evaluated"
    assert (top.bound, top.log10_lr) == ("upper", top.bounds.upper)
    assert 10**top.log10_lr == pytest.approx(706, rel=0.002)
    bottom = fadul_system.evaluate(Questioned(0, CMC, cells=30))
    assert (bottom.bound, bottom.log10_lr) == ("lower", pytest.approx(-1.81, abs=0.005))
    assert (top.population, top.n_same, top.n_different, top.n_firearms) == ("Fadul", 63, 717, 10)
    assert any("10 firearms" in caution for caution in top.cautions)


def test_between_the_bounds_there_is_an_interval_around_the_value(fadul_system):
    middle = fadul_system.evaluate(Questioned(4, CMC, cells=30))
    assert middle.bound == "none"
    low, high = middle.interval
    assert middle.bounds.lower <= low < middle.log10_lr < high <= middle.bounds.upper
    again = fit_lr_system(fadul_system.population, "beta-binomial", draws=DRAWS).evaluate(Questioned(4, CMC, cells=30))
    assert again == middle


@pytest.mark.slow
def test_another_seed_gives_a_similar_interval(fadul_system):
    question = Questioned(4, CMC, cells=30)
    other = fit_lr_system(fadul_system.population, "beta-binomial", draws=DRAWS, seed=2).evaluate(question)
    first = fadul_system.evaluate(question)
    assert other.log10_lr == first.log10_lr
    assert other.interval != first.interval
    assert other.interval == pytest.approx(first.interval, abs=0.5)


def test_a_larger_mark_is_weighed_and_a_smaller_one_is_not(fadul_system):
    fewest, most = int(fadul_system.population.table.cells.min()), int(fadul_system.population.table.cells.max())
    larger = fadul_system.evaluate(Questioned(27, CMC, cells=2 * most))
    assert (larger.status, larger.bound) == ("evaluated", "upper")
    result = fadul_system.evaluate(Questioned(3, CMC, cells=fewest // 2))
    assert (result.status, result.log10_lr) == ("outside range", None)
    assert f"{fewest // 2} cells" in result.reason


def test_scores_below_all_of_the_reference_are_outside_its_range_and_higher_ones_at_the_bound(scores):
    shear = ReferencePopulation(
        "NFI", nfi(scores, "aperture_shear", "ccf", ("split1", "v")), replace(CMC, method="CCF")
    )
    case = replace(CMC, method="CCF")
    system = fit_lr_system(shear, "logistic", draws=0)
    highest = float(shear.table.score.max())
    assert system.evaluate(Questioned(highest, case)).status == "evaluated"
    assert system.evaluate(Questioned(highest + 1.0, case)).bound == "upper"
    result = system.evaluate(Questioned(-3.0, case))
    assert result.status == "outside range"
    assert "score -3 is outside" in result.reason
    # The ratio of two kernel densities may fall beyond the scores it was made from: it keeps an upper limit.
    densities = fit_lr_system(shear, "kernel density", draws=0)
    assert densities.evaluate(Questioned(highest + 1.0, case)).status == "outside range"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"parameters": {"cell_um": 500}}, "parameter 'cell_um' is 500"),
        ({"parameters": {}}, "parameter 'cell_um' is absent"),
        ({"parameters": {"cell_um": 468.75, "new": 1}}, "parameter 'new' is 1 in the comparison but absent"),
        ({"method": "High-CMC"}, "method is 'High-CMC'"),
        ({"version": "2"}, "version of the method is '2'"),
        ({"mark_kind": "firing pin"}, "kind of mark is 'firing pin'"),
        ({"calibres": (".40 S&W",)}, "calibre '.40 S&W' is not covered"),
        ({"instrument_classes": ("confocal", "photometric stereo")}, "instrument class 'photometric stereo'"),
        ({"instrument_classes": ()}, "instrument class of the comparison is not stated"),
    ],
)
def test_refusals_name_the_reason(change, reason):
    result = fit_lr_system(population(), "beta-binomial", draws=0).evaluate(
        Questioned(20, replace(CMC, **change), cells=30)
    )
    assert (result.status, result.log10_lr, result.interval) == ("refused", None, None)
    assert reason in result.reason


def test_numbers_that_are_equal_are_not_refused():
    system = fit_lr_system(population(parameters={"angle_deg": 30}), "beta-binomial", draws=0)
    assert system.evaluate(Questioned(20, replace(CMC, parameters={"angle_deg": 30.0}), cells=30)).status == "evaluated"


def test_other_ammunition_and_firearms_left_out_are_cautions():
    system = replace(fit_lr_system(population(), "beta-binomial", draws=0), left_out=("Z",))
    result = system.evaluate(Questioned(20, replace(CMC, ammunition=("Geco",)), cells=30, scans=("scan 3", "other")))
    assert result.status == "evaluated"
    assert any("'Geco'" in caution for caution in result.cautions)
    assert any("firearm Z was left out" in caution for caution in result.cautions)
    assert result.provenance.inputs["scan 2"] == "other"
    assert result.provenance.inputs["population"] == system.population.hash


def test_the_firearms_of_known_scans_are_taken_out_of_a_population():
    table = small_table()
    scans = [[f"{f}{i}" for i, f in enumerate(column)] for column in (table.firearm_a, table.firearm_b)]
    known = population(ScoreTable.build(table.score, table.firearm_a, table.firearm_b, table.cells, *scans))
    left, firearms = known.without_scans([known.table.scan_b[0], "never seen"])
    assert firearms == (known.table.firearm_b[0],)
    assert firearms[0] not in left.table.firearms
    assert len(left.table) == sum(
        firearms[0] not in pair for pair in zip(known.table.firearm_a, known.table.firearm_b, strict=True)
    )
    assert known.without_scans(["never seen"]) == (known, ())


def test_a_finding_can_forbid_a_likelihood_ratio():
    result = fit_lr_system(population(), "beta-binomial", draws=0).evaluate(
        Questioned(20, CMC, cells=30, withheld="one of the two files is mirrored")
    )
    assert (result.status, result.log10_lr, result.reason) == ("refused", None, "one of the two files is mirrored")


def test_an_insufficient_comparison_stays_insufficient():
    system = fit_lr_system(population(), "beta-binomial", draws=0)
    result = system.evaluate(Questioned(None, CMC, insufficient="too few cells"))
    assert (result.status, result.reason, result.log10_lr) == ("insufficient", "too few cells", None)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([(20, "A", "A")], "1 firearm"),
        ([(1, "A", "B")], "no same-source"),
        ([(20, "A", "A"), (21, "B", "B")], "no different-source"),
        ([], "0 firearm"),
    ],
)
@pytest.mark.parametrize("model", ["beta-binomial", "logistic"])
def test_populations_that_cannot_carry_a_model(rows, reason, model):
    table = ScoreTable.build([r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows], [30] * len(rows))
    result = fit_lr_system(population(table), model).evaluate(Questioned(20, CMC, cells=30))
    assert result.status == "insufficient"
    assert reason in result.reason


def test_too_few_firearms_for_an_interval():
    table = ScoreTable.build([20, 1, 2, 0], "AABC", "ABCD", [30] * 4)
    result = fit_lr_system(population(table), "beta-binomial", draws=20).evaluate(Questioned(20, CMC, cells=30))
    assert result.status == "evaluated"
    assert result.interval is None
    assert any("too few firearms" in caution for caution in result.cautions)


@examples(25)
@given(
    st.lists(st.tuples(st.integers(0, 10), st.sampled_from("ABC"), st.sampled_from("ABC")), min_size=1, max_size=12),
    st.sampled_from(["beta-binomial", "binomial", "logistic", "kernel density", "isotonic"]),
    st.randoms(),
)
def test_any_small_population_gives_a_bounded_answer_or_a_reason(rows, model, random):
    def result(rows):
        table = ScoreTable.build(*zip(*rows, strict=True), [10] * len(rows))
        system = fit_lr_system(population(table), model, draws=5)
        return system.evaluate(Questioned(7, CMC, cells=10))

    first = result(rows)
    if first.status == "evaluated":
        assert np.isfinite(first.log10_lr)
        assert first.bounds.lower <= first.log10_lr <= first.bounds.upper
        assert first.interval is None or first.interval[0] <= first.log10_lr <= first.interval[1]
    else:
        assert first.reason
        assert first.log10_lr is None
    mixed = [(k, b, a) for k, a, b in rows]
    random.shuffle(mixed)
    assert result(mixed) == first


def test_count_models_want_counts(fadul_system):
    with pytest.raises(ParameterError, match="whole number"):
        fadul_system.evaluate(Questioned(3.5, CMC, cells=30))
    with pytest.raises(ParameterError, match="whole number"):
        fadul_system.evaluate(Questioned(3, CMC))
    with pytest.raises(ParameterError, match="no model"):
        fit_lr_system(population(), "magic")


def test_firearms_are_resampled_not_pairs():
    drawn = firearm_multiplicities(6, 50, seed=4)
    assert drawn.shape == (50, 6)
    assert (drawn.sum(axis=1) == 6).all()
    np.testing.assert_array_equal(drawn, firearm_multiplicities(6, 50, seed=4))
    table = small_table()
    first, second = table.firearm_indices
    weights = list(resampled_weights(table, 50, seed=4))
    usable = 0
    for times in firearm_multiplicities(len(table.firearms), 50, seed=4):
        expected = [times[i] if i == j else times[i] * times[j] for i, j in zip(first, second, strict=True)]
        if any(w for w, s in zip(expected, table.same_source, strict=True) if not s):
            assert weights[usable].tolist() == expected
            usable += 1
    assert usable == len(weights)


def test_a_population_does_not_depend_on_the_order_of_its_rows():
    first = population()
    order = np.random.Generator(np.random.PCG64(1)).permutation(len(first.table))
    t = first.table
    mixed = ScoreTable.build(
        t.score[order], [t.firearm_b[i] for i in order], [t.firearm_a[i] for i in order], t.cells[order]
    )
    assert population(mixed).to_json() == first.to_json()


def test_the_population_with_most_firearms_that_covers_is_selected():
    few = ReferencePopulation("few", small_table().rows(np.array([True, True, *[False] * 3, *[True] * 4])), CMC)
    many = population()
    other = ReferencePopulation("firing pins", small_table(), replace(CMC, mark_kind="firing pin"))
    empty = ReferencePopulation("empty", ScoreTable.build([], [], [], []), CMC)
    chosen, reasons = select_population([few, other, empty, many], CMC)
    assert chosen is many
    assert len(reasons) == 3
    assert any("firing pin" in reason for reason in reasons)
    assert select_population([other], CMC)[0] is None
    with pytest.raises(ParameterError, match="same name"):
        select_population([many, many], CMC)
