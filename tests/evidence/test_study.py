"""A validation study from a table: complete, by firearm and label, and the same bytes each time."""

from __future__ import annotations

import json

import numpy as np
import pytest
from evidence_data import nfi, nist

from ballistics.errors import ParameterError
from ballistics.evidence.conditions import Conditions
from ballistics.evidence.metrics import measure
from ballistics.evidence.population import ReferencePopulation
from ballistics.evidence.scores import ScoreTable
from ballistics.evidence.study import run_study
from ballistics.reports.figures.evidence import study_figures, svg_bytes

CONDITIONS = Conditions("breech face", ("9 mm",), ("confocal",), "CMC", "1")


@pytest.fixture(scope="module")
def fadul_study(scores):
    population = ReferencePopulation("Fadul", nist(scores, "fadul"), CONDITIONS, "NIST")
    scans = sorted(population.table.scans)
    labels = {"ammunition": {scan: "one" if i % 2 else "two" for i, scan in enumerate(scans)}}
    return run_study(population, "beta-binomial", labels=labels)


def test_everything_is_there(fadul_study):
    study = fadul_study
    assert study.metrics.cllr <= 0.05
    assert study.score_auc == 1
    assert (study.metrics.n_same, study.metrics.n_different, len(study.firearms)) == (63, 717, 10)
    assert sum(f.n_same for f in study.firearms) == 63
    assert sum(f.n_different for f in study.firearms) == 2 * 717
    assert not any(f.fails for f in study.firearms)
    assert [g.value for g in study.groups] == ["one", "one / two", "two"]
    assert sum(g.n_same + g.n_different for g in study.groups) == 780
    assert all(g.metrics is not None for g in study.groups)
    assert study.repeatability is None


@pytest.mark.slow
def test_the_same_input_gives_the_same_bytes(fadul_study):
    population = fadul_study.population
    table = population.table
    order = np.random.Generator(np.random.PCG64(5)).permutation(len(table))
    mixed = ScoreTable.build(
        table.score[order],
        [table.firearm_b[i] for i in order],
        [table.firearm_a[i] for i in order],
        table.cells[order],
        [table.scan_b[i] for i in order],
        [table.scan_a[i] for i in order],
    )
    again = ReferencePopulation(population.name, mixed, CONDITIONS, "NIST")
    scans = sorted(table.scans)
    labels = {"ammunition": {scan: "one" if i % 2 else "two" for i, scan in enumerate(scans)}}
    assert run_study(again, "beta-binomial", labels=labels).to_json() == fadul_study.to_json()
    content = json.loads(fadul_study.to_json())
    assert content["population"]["sha256"] == population.hash
    assert len(content["comparisons"]["log10_lr"]) == 780


@pytest.mark.slow
def test_firearms_that_fail_come_first(scores):
    table = nfi(scores, "firing_pin_impression", "cmc")
    study = run_study(ReferencePopulation("NFI", table, CONDITIONS), "beta-binomial", groups=4)
    failing = [f.fails for f in study.firearms]
    assert any(failing)
    assert failing == sorted(failing, reverse=True)
    assert sum(failing) == study.metrics.misleading_firearms
    assert study.metrics == measure(study.cross.log10_lr, study.population.table)
    first = study.firearms[0]
    own = [
        (a, b, value)
        for a, b, value in zip(
            study.population.table.firearm_a, study.population.table.firearm_b, study.cross.log10_lr, strict=True
        )
        if first.firearm in (a, b)
    ]
    assert first.misleading_same == sum(a == b and value < 0 for a, b, value in own)
    assert first.misleading_different == sum(a != b and value > 0 for a, b, value in own)


@pytest.mark.slow
def test_repeatability_by_hand():
    firearms = "ABCDE"
    rows = [(0.9, f, f, f"{f}1", f"{f}2") for f in firearms]
    rows += [(0.8, f, f, f"{f}1r", f"{f}2") for f in firearms]  # item 1 scanned again: 0.1 lower each time
    rows += [(0.1, a, b, f"{a}1", f"{b}1") for i, a in enumerate(firearms) for b in firearms[i + 1 :]]
    table = ScoreTable.build(
        *zip(*[r[:3] for r in rows], strict=True), None, [r[3] for r in rows], [r[4] for r in rows]
    )
    items = {scan: scan.rstrip("r") for scan in table.scans}
    study = run_study(ReferencePopulation("repeats", table, CONDITIONS), "logistic", items=items)
    assert (study.repeatability.n_pairs, study.repeatability.n_comparisons) == (5, 10)
    assert study.repeatability.score_deviation == pytest.approx(0.1 / np.sqrt(2))
    assert np.isfinite(study.repeatability.log10_lr_deviation)


def test_figures_of_a_study(fadul_study):
    figures = study_figures(fadul_study, "congruent cells")
    assert len(figures) == 6
    for figure in figures.values():
        assert svg_bytes(figure).startswith(b"<?xml")


@pytest.mark.slow
def test_bad_input(scores, fadul_study):
    with pytest.raises(ParameterError, match="no same-source"):
        run_study(ReferencePopulation("x", ScoreTable.build([1.0], "A", "B"), CONDITIONS), "logistic")
    with pytest.raises(ParameterError, match="no ammunition is given for scan"):
        run_study(fadul_study.population, "isotonic", groups=4, labels={"ammunition": {}})
    bare = ReferencePopulation("NFI", nfi(scores, "firing_pin_impression", "cmc"), CONDITIONS)
    with pytest.raises(ParameterError, match="names its scans"):
        run_study(bare, "isotonic", groups=4, labels={"ammunition": {}})
