"""Scored lands become scored bullets: phases, missing lands, turned bullets, bad tables, and their weight."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from prepared_marks import made_once

from ballistics.errors import CorruptFileError, ParameterError
from ballistics.evidence.likelihood_ratio import Propositions
from ballistics.evidence.weighing import weigh
from ballistics.findings import Finding
from ballistics.methods import Bullets, ScoredBullets, method_of
from ballistics.striations import bullet_of_scores
from ballistics.studies import read_truth, reference_population, scored_bullets, study_of_scans
from ballistics.studies.scan_pairs import ScannedItem, ScannedPair, ScoredScans
from ballistics.studies.truth_table import ScanTruth

LANDS, KIND = 3, "land engraved area"
LABELS = {"calibre": "9 mm Luger", "instrument": "confocal", "ammunition": "Geco"}


class NoMarks:
    """A study of bullets draws no marks."""

    def load(self, key):
        raise AssertionError("asked for a mark")


def lands(barrels: int = 6, bullets: int = 2, **of_pair) -> ScoredScans:
    """Lands of some barrels, each bullet with a phase of its own: 120 nats where one land made both, else about 4."""
    random = np.random.default_rng(5)
    known = list(itertools.product(range(barrels), range(bullets), range(LANDS)))
    items = [
        ScannedItem(
            ScanTruth(f"{b}-{s}-{k}.x3p", f"B{b}", f"firearm B{b}, case {s}", LABELS, land=k + 1),
            f"{number:064d}",
            preparation={"band": 10},
        )
        for number, (b, s, k) in enumerate(known)
    ]
    pairs = []
    for (i, (b, s, k)), (j, (c, t, m)) in itertools.combinations(enumerate(known), 2):
        same = b == c and s != t and (k + s) % LANDS == (m + t) % LANDS
        value = float(random.normal(120.0 if same else 4.0, 20.0 if same else 1.0))
        made = ScannedPair(i, j, 14 if same else 1, 22, 0.8 if same else 0.2, value, None, length_mm=1.8)
        pairs.append(replace(made, **of_pair.get(f"{i}-{j}", {})))
    return ScoredScans(KIND, tuple(items), tuple(pairs), method_of(KIND).comparison(), {"band": 10}, NoMarks())


def test_each_pair_of_bullets_has_the_score_of_its_lands():
    scored = lands()
    found = scored_bullets(scored)
    assert found.mark_kind == "bullet"
    assert [item.truth.scan for item in found.scans] == [f"B{b}, bullet {s}" for b in range(6) for s in (0, 1)]
    assert len(found.pairs) == 12 * 11 // 2
    values = {(p.a, p.b): p for p in scored.pairs}
    matrix = np.array([[values[i, 3 + j].similarity for j in range(3)] for i in range(3)])
    expected = bullet_of_scores(matrix, np.full((3, 3), 1800.0))
    first = found.pairs[0]
    assert (first.similarity, first.length_mm) == (expected.score, pytest.approx(5.4))
    # Land k of bullet 0 lies with land k − 1 of bullet 1: all three pairs are of one land each.
    assert (first.count, first.cells, first.accf) == (42, 66, pytest.approx(0.8))
    same = [p.similarity for p in found.pairs if len({*found.firearms(p)}) == 1]
    other = [p.similarity for p in found.pairs if len({*found.firearms(p)}) == 2]
    assert len(same) == 6
    assert min(same) > 200 > 40 > max(other)


def test_missing_lands_and_bullets_without_a_scan():
    scored = lands(barrels=3)
    gone = [replace(item, left_out="unreadable") if k in (1, 6, 7, 8) else item for k, item in enumerate(scored.scans)]
    pairs = tuple(p for p in scored.pairs if not {p.a, p.b} & {1, 6, 7, 8})
    found = scored_bullets(replace(scored, scans=tuple(gone), pairs=pairs))
    assert found.scans[2].left_out == "none of its 3 scans can be used: unreadable"
    assert {index for p in found.pairs for index in (p.a, p.b)} == {0, 1, 3, 4, 5}
    first = found.pairs[0]
    assert first.length_mm == pytest.approx(3.6)
    assert first.count == 28
    assert len(found.scans[0].sha256.split()) == 2


def test_bullets_of_other_numbers_of_lands_are_insufficient():
    scored = lands(barrels=2)
    fewer = [item for item in scored.scans if not (item.truth.firearm == "B1" and item.truth.land == 3)]
    kept = [k for k, item in enumerate(scored.scans) if item in fewer]
    pairs = [replace(p, a=kept.index(p.a), b=kept.index(p.b)) for p in scored.pairs if {p.a, p.b} <= {*kept}]
    found = scored_bullets(replace(scored, scans=tuple(fewer), pairs=tuple(pairs)))
    across = [p for p in found.pairs if len({*found.firearms(p)}) == 2]
    assert all("3 and 2 lands" in p.without_score for p in across)
    assert all(not p.without_score for p in found.pairs if p not in across)


def test_turned_bullets_are_said_and_single_pairs_of_lands_are_not():
    turned = {"findings": ("serious: mark-turned",)}
    found = scored_bullets(lands(**{"0-3": turned, "1-4": turned, "2-8": turned}))
    assert found.pairs[0].findings == ("serious: bullet-turned",)
    assert not any(p.findings for p in found.pairs[1:])
    assert reference_population(found, "x").n_same == 5


def test_a_table_that_does_not_say_which_land_is_refused():
    scored = lands(barrels=2)
    for wrong, says in (({"land": None}, "does not say which land"), ({"land": 2}, "both said to show land 2")):
        items = list(scored.scans)
        items[0] = replace(items[0], truth=replace(items[0].truth, **wrong))
        with pytest.raises(ParameterError, match=says):
            scored_bullets(replace(scored, scans=tuple(items)))
    items = list(scored.scans)
    items[0] = replace(items[0], truth=replace(items[0].truth, labels={**LABELS, "ammunition": "other"}))
    with pytest.raises(ParameterError, match="different labels, ammunition"):
        scored_bullets(replace(scored, scans=tuple(items)))


def test_the_table_states_lands_from_1(tmp_path):
    path = tmp_path / "truth.csv"
    path.write_text("scan,firearm,case,land\na.x3p,B,1,2\n", encoding="utf-8")
    assert read_truth(path)[0].land == 2
    for land in ("0", "first", "41"):
        path.write_text(f"scan,firearm,case,land\na.x3p,B,1,{land}\n", encoding="utf-8")
        with pytest.raises(CorruptFileError, match="line 2: the land is"):
            read_truth(path)


def case(value: float) -> ScoredBullets:
    found = replace(bullet_of_scores(np.full((3, 3), value / 3), np.full((3, 3), 1800.0)), score=value)
    return ScoredBullets(Bullets().score(found, ()), Bullets().comparison(method_of(KIND).comparison()))


def population(barrels: int = 6):
    return made_once(f"bullets {barrels}", lambda: reference_population(scored_bullets(lands(barrels)), "made up"))


def test_a_case_is_weighed_by_bullets_and_by_nothing_else():
    # A case prepared as the reference was: no mark is at hand, its parameters are those of the population.
    conditions = population().conditions
    reference = replace(population(), conditions=replace(conditions, parameters=dict(bare(conditions.parameters))))
    answers = {}
    for value in (900.0, 6.0):
        found = weigh(case(value), (), [reference], ("9 mm Luger",), ("confocal",), ("Geco",), draws=20)
        answers[value] = found.result
        assert found.score == "similarity"
        assert found.result.status == "evaluated", found.result.reason
        assert found.result.propositions == Propositions(
            "The two bullets were fired from the same barrel.", "The two bullets were fired from different barrels."
        )
        assert found.result.length_mm == pytest.approx(5.4)
    assert answers[900.0].log10_lr > 0.5
    assert answers[900.0].bound == "upper"
    assert answers[6.0].log10_lr < -0.5
    # Any scan of any of its lands takes a barrel out of the population.
    own = population().table.scan_a[0].split()[1]
    left = weigh(case(330.0), (), [reference], ("9 mm Luger",), ("confocal",), ("Geco",), (own,), draws=0)
    assert left.system.left_out == ("B0",)
    assert left.result.n_firearms == 5
    # A population of single lands weighs no bullet.
    single = replace(reference, conditions=replace(reference.conditions, mark_kind=KIND))
    refused = weigh(case(330.0), (), [single], ("9 mm Luger",), ("confocal",), ("Geco",), draws=0).result
    assert refused.status == "refused"
    assert "kind of mark is 'bullet'" in refused.reason
    turned = replace(case(330.0), findings=(Finding("bullet-turned", "serious", "agrees better turned"),))
    withheld = weigh(turned, (), [reference], ("9 mm Luger",), ("confocal",), ("Geco",), draws=0).result
    assert (withheld.status, withheld.log10_lr) == ("refused", None)
    assert "bullet-turned" in withheld.reason


def bare(parameters):
    return ((name, value) for name, value in parameters.items() if name != "band")


@pytest.mark.slow
def test_a_study_of_bullets_is_source_disjoint_and_has_all_scores():
    study = study_of_scans(scored_bullets(lands(8, 3)), "made up", "", "0" * 64)
    assert study.headline.metrics.cllr < 0.2
    assert {*study.studies} == {"similarity", "count", "correlation"}
    assert study.outcomes(True).pairs == 8 * 3
