"""Other parameters of a comparison: named, checked, used, recorded, and refused by references of the usual ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ballistics.errors import ParameterError
from ballistics.evidence.comparisons import conditions_of
from ballistics.evidence.conditions import Conditions
from ballistics.impressions import MARK_PARAMETERS, MarkParameters, compare, parameters_of, settings, with_settings
from ballistics.impressions.settings import changes
from ballistics.surfaces import Mark

USUAL = MARK_PARAMETERS["breech face"]


@pytest.fixture(scope="module")
def marks() -> tuple[Mark, Mark]:
    """Two measurements of one random roughness."""
    rng = np.random.default_rng(5)
    common, *own = rng.normal(size=(3, 420, 420))
    a, b = (Mark("breech face", (common + 0.4 * noise).astype(np.float32), 6.25) for noise in own)
    return a, b


def test_only_what_is_named_changes() -> None:
    changed = with_settings(
        USUAL,
        {"cells.cell_um": 400, "rules.convergence.correlation": "0.3", "minimum_cells": "8", "mirror.agreement": 0.4},
    )
    assert changed.cells == replace(USUAL.cells, cell_um=400.0)
    assert changed.rules["convergence"].thresholds == replace(USUAL.rules["convergence"].thresholds, correlation=0.3)
    assert changed.minimum_cells == 8
    assert changes(USUAL, changed) == [
        "cells.cell_um 400 instead of 468.75",
        "mirror.agreement 0.4 instead of 0.5",
        "minimum_cells 8 instead of 6",
        "rules.convergence.correlation 0.3 instead of 0.4",
    ]
    same = replace(changed, cells=USUAL.cells, mirror=USUAL.mirror, minimum_cells=6, rules=USUAL.rules)
    assert same == USUAL


def test_several_numbers_are_given_with_commas() -> None:
    changed = with_settings(USUAL, {"similarity.octaves_um": "30,60,120,240"})
    assert changed.similarity.octaves_um == (30.0, 60.0, 120.0, 240.0)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("cells.size_um", 400, "there is no parameter 'cells.size_um'"),
        ("cell_um", 400, "did you mean cells.cell_um"),
        ("cells.cell_um", "wide", "takes a number"),
        ("cells.cell_um", "nan", "from a tenth to ten times the usual 468.75"),
        ("cells.cell_um", 1e9, "from a tenth to ten times"),
        ("registration.rim_step_um", -75, "from a tenth to ten times"),
        ("cells.peaks", 2.5, "whole number"),
        ("similarity.shared_variance", 2, "must be below 1"),
        ("rules.significance.highest_correlation", 1.0, "must be below 1"),
        ("similarity.octaves_um", "31,62", "takes 4 numbers"),
        ("similarity.octaves_um", "60,60,120,240", "must increase"),
    ],
)
def test_what_is_no_parameter_or_no_value_is_refused(name: str, value: object, says: str) -> None:
    with pytest.raises(ParameterError, match=says):
        with_settings(USUAL, {name: value})  # type: ignore[dict-item]  # what a command line may bring


def test_the_usual_parameters_change_nothing(marks: tuple[Mark, Mark]) -> None:
    a, b = marks
    plain, given = compare(a, b), compare(a, b, with_settings(USUAL, {"cells.cell_um": 468.75}))
    assert given.provenance == plain.provenance
    assert given.findings == plain.findings
    assert {name: rule.score for name, rule in given.rules.items()} == {n: r.score for n, r in plain.rules.items()}


@pytest.mark.parametrize("kind", MARK_PARAMETERS)
def test_every_number_stands_in_the_provenance(kind: str) -> None:
    small = Mark(kind, np.zeros((4, 4), np.float32), 6.25)
    provenance = compare(small, small).provenance
    assert provenance is not None
    recorded = {
        f"{part}.{name}".replace(" ", "_"): value
        for part, values in provenance.parameters.items()
        if isinstance(values, dict)
        for name, value in (
            values.items()
            if part != "rules"
            else ((f"{rule}.{name}", value) for rule, numbers in values.items() for name, value in numbers.items())
        )
    }
    numbers = {name.replace(" ", "_"): value for name, value in settings._numbers(MARK_PARAMETERS[kind])}
    assert numbers.pop("minimum_cells") == provenance.parameters["minimum_cells"]
    assert recorded == numbers


def test_the_limits_of_a_contradiction_can_be_varied(marks: tuple[Mark, Mark]) -> None:
    a, b = marks
    assert "scores-disagree" not in {finding.code for finding in compare(a, b).findings}
    strict = with_settings(USUAL, {"contradiction.enough_cells": 60, "contradiction.clear_nats": 100})
    assert "scores-disagree" in {finding.code for finding in compare(a, b, strict).findings}


def test_other_parameters_are_used_recorded_and_found(marks: tuple[Mark, Mark]) -> None:
    a, b = marks
    plain = compare(a, b)
    for first, second in ((a, b), (b, a)):
        other = compare(first, second, with_settings(USUAL, {"cells.cell_um": 300, "minimum_cells": 7}))
        assert plain.a_in_b is not None
        assert other.a_in_b is not None
        assert other.a_in_b.n_cells > plain.a_in_b.n_cells
        assert other.accf == plain.accf
        assert other.provenance is not None
        assert other.provenance.parameters["cells"]["cell_um"] == 300.0
        assert other.provenance.parameters["minimum_cells"] == 7
        (finding,) = [f for f in other.findings if f.code == "own-parameters"]
        assert "cells.cell_um 300 instead of 468.75" in finding.message
    few = compare(a, b, with_settings(USUAL, {"minimum_cells": 60}))
    assert few.insufficient is not None
    assert "60 are needed" in few.insufficient


def test_a_reference_of_the_usual_parameters_gives_no_likelihood_ratio(marks: tuple[Mark, Mark]) -> None:
    a, b = marks

    def conditions(parameters: MarkParameters | None) -> Conditions:
        provenance = compare(a, b, parameters).provenance
        assert provenance is not None
        return conditions_of("breech face", provenance, [{}, {}], "similarity", ["9 mm Luger"], ["confocal"])

    reference = conditions(None)
    assert reference.refusals(conditions(parameters_of(a))) == ()
    (reason,) = reference.refusals(conditions(with_settings(USUAL, {"mirror.margin_nats": 50})))
    assert "margin_nats" in reason
    assert "50" in reason
