"""Several marks of one pair weighed together: made-up references of one set of firearms, and what they must share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ballistics.evidence.conditions import Conditions
from ballistics.evidence.crossvalidation import cross_validate
from ballistics.evidence.joint_marks import JointWeight, _rows, weigh_together
from ballistics.evidence.lr_system import Questioned, fit_lr_system
from ballistics.evidence.models.fusion import fit_fusion
from ballistics.evidence.population import ReferencePopulation
from ballistics.evidence.scores import ScoreTable, score_models
from ballistics.evidence.weighing import Weighed

KINDS = ("breech face", "aperture shear", "firing pin")
FIREARMS = 10


def population(kind: str, seed: int, overlap: float, prefix: str = "scan") -> ReferencePopulation:
    """Two scans of each of ten firearms; the more overlap, the more alike are the scores of the two kinds of pair."""
    rng = np.random.default_rng(seed)
    scans = [(f"{prefix} {g} {c}", f"gun {g}") for g in range(FIREARMS) for c in range(2)]
    rows = [(x, y) for i, x in enumerate(scans) for y in scans[i + 1 :]]
    same = np.array([x[1] == y[1] for x, y in rows])
    score = np.exp(rng.normal(np.where(same, 5.0, 3.0), overlap)) - 6.0
    extent = {"length_mm" if kind == "aperture shear" else "area_mm2": rng.uniform(1.0, 2.0, len(rows))}
    table = ScoreTable.build(
        score, [x[1] for x, _ in rows], [y[1] for _, y in rows], None, [x[0] for x, _ in rows],
        [y[0] for _, y in rows], **extent,
    )  # fmt: skip
    conditions = Conditions(kind, ("9 mm",), ("confocal",), "a method", "1", {}, ("x",))
    return ReferencePopulation(f"{kind} of {prefix}", table, conditions)


def weighed(reference: ReferencePopulation, score: float) -> Weighed:
    kind = reference.conditions.mark_kind
    system = fit_lr_system(reference, score_models(kind)["similarity"], draws=0)
    extent = {"length_mm" if kind == "aperture shear" else "area_mm2": 1.5}
    return Weighed(system.evaluate(Questioned(score, reference.conditions, **extent)), system, "similarity")


@pytest.fixture(scope="module")
def answers() -> dict[str, Weighed]:
    return {kind: weighed(population(kind, seed, 0.5), 150.0) for seed, kind in enumerate(KINDS)}


def test_the_fusion_is_that_of_the_shared_pairs(answers):
    joint = weigh_together(answers)
    assert joint.reason == ""
    assert joint.kinds == KINDS
    assert (joint.n_same, joint.n_different, joint.n_firearms) == (10, 180, 10)
    tables = [answers[kind].system.population.table for kind in KINDS]
    order = [sorted(range(len(t)), key=lambda r, t=t: sorted((t.scan_a[r], t.scan_b[r]))) for t in tables]
    models = [answers[kind].system.model for kind in KINDS]
    values = np.column_stack(
        [cross_validate(t, m, seed=1).log10_lr[o] for t, m, o in zip(tables, models, order, strict=True)]
    )
    fusion = fit_fusion(values, _rows(tables[0], order[0]), KINDS)
    own = fusion.log10_lr(np.array([[answers[kind].result.log10_lr for kind in KINDS]]))[0]
    assert joint.log10_lr == pytest.approx(own, abs=1e-9)
    assert joint.fusion.bounds.lower <= joint.log10_lr <= joint.fusion.bounds.upper
    # Marks that are independent here: together they err less than each alone.
    assert joint.check.cllr_fused < min(joint.check.cllr_single)


def test_marks_that_agree_support_each_other_and_those_that_contradict_do_not(answers):
    both = weigh_together({kind: answers[kind] for kind in KINDS[:2]})
    low = weighed(answers[KINDS[1]].system.population, 5.0)
    opposed = weigh_together({KINDS[0]: answers[KINDS[0]], KINDS[1]: low})
    assert both.log10_lr > opposed.log10_lr


def test_what_cannot_be_fused_says_why(answers):
    alone = weigh_together({KINDS[0]: answers[KINDS[0]]})
    assert alone == JointWeight((KINDS[0],), reason="fewer than two marks have a likelihood ratio of their own")
    assert weigh_together({}).log10_lr is None
    elsewhere = weighed(population(KINDS[1], 7, 0.5, "other"), 150.0)
    assert "no pair of scans in common" in weigh_together({KINDS[0]: answers[KINDS[0]], KINDS[1]: elsewhere}).reason
    silent = replace(answers[KINDS[1]], result=replace(answers[KINDS[1]].result, log10_lr=None, status="refused"))
    assert "fewer than two" in weigh_together({KINDS[0]: answers[KINDS[0]], KINDS[1]: silent}).reason
    table = answers[KINDS[1]].system.population.table
    wrong = replace(
        answers[KINDS[1]].system.population, table=replace(table, firearm_a=tuple("one" for _ in table.firearm_a))
    )
    contrary = replace(answers[KINDS[1]], system=replace(answers[KINDS[1]].system, population=wrong))
    assert "contradict" in weigh_together({KINDS[0]: answers[KINDS[0]], KINDS[1]: contrary}).reason
