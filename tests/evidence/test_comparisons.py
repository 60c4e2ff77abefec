"""From a comparison to the evidence room: the right count and N, and refusal when anything differs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from prepared_marks import fadul_mark

from ballistics.errors import ParameterError
from ballistics.evidence.comparisons import comparison_conditions, questioned
from ballistics.evidence.lr_system import fit_lr_system
from ballistics.evidence.population import ReferencePopulation
from ballistics.evidence.scores import ScoreTable
from ballistics.findings import Finding
from ballistics.impressions.comparing import compare, exchanged
from ballistics.impressions.comparison import ImpressionComparison
from ballistics.methods import pair_score
from ballistics.surfaces.formats.reading import read
from ballistics.surfaces.preparation.preparing import prepare, replay
from ballistics.surfaces.preparation.record import preparation_parameters

KNOWN = {"calibres": ["9 mm Luger"], "instrument_classes": ["confocal"]}


@pytest.fixture(scope="module")
def marks():
    return [fadul_mark(name) for name in ("1-1", "1-2")]


@pytest.fixture(scope="module")
def comparison(marks):
    return compare(*marks)


@pytest.fixture(scope="module")
def system(comparison, marks):
    conditions = comparison_conditions(comparison, marks, "count", **KNOWN)
    names = [chr(65 + i) for i in range(8)]
    rows = [(20 + i % 3, a, a, 24) for i, a in enumerate(names)]
    rows += [((i + j) % 2, a, b, 24) for i, a in enumerate(names) for j, b in enumerate(names) if i < j]
    table = ScoreTable.build(*zip(*[row[:3] for row in rows], strict=True), [row[3] for row in rows])
    return fit_lr_system(ReferencePopulation("made up", table, conditions), "beta-binomial", draws=0)


def counted(comparison: ImpressionComparison, counts: tuple[int, int], cells: tuple[int, int]) -> ImpressionComparison:
    """Return the comparison with other counts and numbers of cells in the two directions."""
    rule = comparison.rules["significance"]
    verdicts = [
        replace(verdict, congruent=np.arange(n) < count)
        for verdict, count, n in zip((rule.a_in_b, rule.b_in_a), counts, cells, strict=True)
    ]
    searches = [
        replace(search, rows=np.zeros(n, np.int64))
        for search, n in zip((comparison.a_in_b, comparison.b_in_a), cells, strict=True)
    ]
    rules = {"significance": replace(rule, a_in_b=verdicts[0], b_in_a=verdicts[1], score=min(counts))}
    return replace(comparison, rules=rules, a_in_b=searches[0], b_in_a=searches[1])


@pytest.mark.parametrize(
    ("counts", "cells", "expected"),
    [((9, 7), (20, 25), (7, 25)), ((7, 9), (20, 25), (7, 20)), ((7, 7), (20, 25), (7, 25)), ((0, 0), (9, 8), (0, 9))],
)
def test_the_smaller_count_with_its_own_cells(comparison, counts, cells, expected):
    for either in (counted(comparison, counts, cells), counted(comparison, counts[::-1], cells[::-1])):
        score = pair_score(either)
        assert (score.count, score.cells) == expected
        assert score.accf == comparison.accf


def test_real_pair_and_symmetry(comparison):
    score = pair_score(comparison)
    assert score.count == comparison.rules["significance"].score
    assert score.count >= 15
    assert pair_score(exchanged(comparison)) == score


def test_a_case_under_the_same_conditions_gets_a_ratio(system, comparison, marks):
    found = system.evaluate(questioned(comparison, marks, "count", **KNOWN))
    assert found.status == "evaluated", found.reason
    assert found.log10_lr > 0
    assert (found.score, found.cells) == (pair_score(comparison).count, pair_score(comparison).cells)


def test_the_similarity_is_asked_first_and_knows_its_area(comparison, marks):
    asked = questioned(comparison, marks, **KNOWN)
    assert asked.score == comparison.similarity.score
    assert asked.area_mm2 == pytest.approx(comparison.overlap_um2 * 1e-6)
    assert asked.cells is None
    assert "similarity" in asked.conditions.method


def test_a_serious_finding_on_a_mark_or_the_comparison_withholds(comparison, marks):
    odd = Finding("mirrored", "serious", "the marks agree when one of them is mirrored")
    assert "reversed axis" in questioned(replace(comparison, findings=(odd,)), marks, **KNOWN).withheld
    other = Finding("not-the-mark-type", "serious", "no firing pin")
    spoiled = [replace(marks[0], findings=(*marks[0].findings, other)), marks[1]]
    assert "not-the-mark-type" in questioned(comparison, spoiled, **KNOWN).withheld
    assert questioned(comparison, marks, **KNOWN).withheld == ""


def test_anything_different_is_refused(system, comparison, marks):
    provenance = comparison.provenance
    cells = dict(provenance.parameters["cells"]) | {"cell_um": 500.0}
    other_cells = replace(
        comparison, provenance=replace(provenance, parameters={**provenance.parameters, "cells": cells})
    )
    other_version = replace(comparison, provenance=replace(provenance, version="0"))
    steps = [
        replace(step, parameters={"spacing_um": 5.0}) if step.name == "resample" else step for step in marks[0].steps
    ]
    other_preparation = replace(marks[0], steps=tuple(steps))
    older_preparation = replace(marks[0], provenance=replace(marks[0].provenance, version="0"))
    cases = {
        "cells / cell_um": questioned(other_cells, marks, "count", **KNOWN),
        "version of the method": questioned(other_version, marks, "count", **KNOWN),
        "resample / spacing_um": questioned(comparison, [other_preparation, marks[1]], "count", **KNOWN),
        "preparation / version": questioned(comparison, [marks[1], older_preparation], "count", **KNOWN),
        "method": questioned(comparison, marks, "correlation", **KNOWN),
        "calibre": questioned(comparison, marks, "count", calibres=["7.65 mm"], instrument_classes=["confocal"]),
        "instrument class of the comparison is not stated": questioned(
            comparison, marks, "count", calibres=["9 mm Luger"]
        ),
    }
    for reason, case in cases.items():
        found = system.evaluate(case)
        assert found.status == "refused", reason
        assert reason in found.reason
        assert found.log10_lr is None


def test_insufficient_is_an_outcome_of_its_own(system, marks):
    blind = replace(
        marks[0], heights_um=np.full((1, 1), np.nan, np.float32), spacing_um=3.5, insufficient="no breech face found"
    )
    comparison = compare(blind, marks[1])
    assert pair_score(comparison).count is None
    found = system.evaluate(questioned(comparison, [blind, marks[1]], "count", **KNOWN))
    assert found.status == "insufficient"
    assert "no breech face found" in found.reason


def test_the_region_of_one_scan_is_no_parameter(fadul, marks):
    surface = read(fadul / "Fadul-1-2.x3p")
    given = prepare(surface, region=np.isfinite(surface.heights_um))
    assert preparation_parameters(marks[0]) == preparation_parameters(given)
    assert marks[0].steps[2].parameters != given.steps[2].parameters
    assert "prepared-unalike" not in {finding.code for finding in compare(marks[0], given).findings}


def test_marks_prepared_in_different_ways_are_told(fadul, marks):
    surface = read(fadul / "Fadul-1-2.x3p")
    steps = [replace(s, parameters={"cutoff_um": 500.0}) if s.name == "high-pass" else s for s in marks[1].steps]
    other = replay(surface, steps)
    found = [f for pair in ((marks[0], other), (other, marks[0])) for f in compare(*pair).findings]
    (first, second) = (finding for finding in found if finding.code == "prepared-unalike")
    assert first == second
    assert (first.severity, "250.0 and 500.0" in first.message, "high-pass" in first.message) == ("serious", True, True)
    assert "prepared-unalike" not in {finding.code for finding in compare(*marks).findings}


def test_without_provenance_there_is_no_question(comparison, marks):
    with pytest.raises(ParameterError, match="no provenance"):
        questioned(replace(comparison, provenance=None), marks)
    with pytest.raises(ParameterError, match="no provenance"):
        questioned(comparison, [replace(marks[0], provenance=None), marks[1]])
    with pytest.raises(ParameterError, match="significance"):
        pair_score(replace(comparison, rules={}))
