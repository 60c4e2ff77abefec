"""A study of scans from made-up scores: mirrored pairs apart, the worst pairs, criteria, repeats; nothing is lost."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from study_cases import made_up, made_up_study

from ballistics.errors import ParameterError
from ballistics.reports.contents.study_contents import (
    acceptance_lines,
    acceptance_rows,
    flagged_metric_rows,
    flagged_rows,
    metric_rows,
    repeat_rows,
    serious_scans_line,
)
from ballistics.reports.wording.study import erred, what_was_tested
from ballistics.studies.acceptance import largest_misleading_lr, measured_figures, with_verdicts
from ballistics.studies.criteria import Criteria, Criterion
from ballistics.studies.scan_study import study_of_scans
from ballistics.studies.worst_pairs import worst_pairs


@pytest.fixture(scope="module")
def study():
    return made_up_study()


def test_every_pair_is_accounted_for(study):
    scans = len(study.scored.scans)
    same, different = study.outcomes(True), study.outcomes(False)
    assert same.pairs + different.pairs + len(study.repeat_pairs) == scans * (scans - 1) // 2
    for outcome in (same, different):
        assert outcome.scored + outcome.withheld + outcome.insufficient == outcome.pairs
    # The mirrored scan of firearm 1 against its three others; the scan without a mark against all.
    assert (same.withheld, different.withheld) == (3, 0)
    assert same.insufficient + different.insufficient == scans - 1
    metrics = study.headline.metrics
    assert (metrics.n_same, metrics.n_different) == (same.scored, different.scored)
    assert "3 of one firearm, 0 of two" in " ".join(what_was_tested(study))


def test_mirrored_pairs_are_no_silent_errors(study):
    assert study.headline.metrics.misleading_same == 0
    flagged = study.flagged
    assert len(flagged.withheld) == 3
    assert all(pair.same_source and pair.misleads and pair.codes == ("mirrored",) for pair in flagged.withheld)
    with_them = flagged.with_withheld
    assert (with_them.n_same, with_them.misleading_same) == (study.headline.metrics.n_same + 3, 3)
    assert with_them.cllr > study.headline.metrics.cllr + 0.1
    (counted,) = flagged.serious
    assert counted.codes == ("regular-manufacturing-marks",)
    assert flagged.without_serious.n_same == study.headline.metrics.n_same - 1
    # Its LR is that of the study.
    table = study.headline.population.table
    scans = {study.scored.scans[i].sha256 for i in (counted.pair.a, counted.pair.b)}
    (row,) = [i for i in range(len(table)) if {table.scan_a[i], table.scan_b[i]} == scans]
    assert counted.log10_lr == study.headline.cross.log10_lr[row]
    rows = flagged_rows(study)
    assert [row[-1] for row in rows] == ["withheld"] * 3 + ["counted"]
    assert [row[3] for row in flagged_metric_rows(study)] == [
        f"0 of {study.headline.metrics.n_same}",
        f"3 of {study.headline.metrics.n_same + 3}",
        f"0 of {study.headline.metrics.n_same - 1}",
    ]
    content = json.loads(study.to_json())
    assert len(content["flagged_pairs"]["withheld"]) == 3


def test_serious_findings_of_scans_are_counted(study):
    assert serious_scans_line(study) == ""
    first = replace(study.scored.scans[0], findings=("serious: units-overridden", "note: other"))
    gone = replace(study.scored.scans[1], left_out="broken", findings=("serious: other",))
    scored = replace(study.scored, scans=(first, gone, *study.scored.scans[2:]))
    line = serious_scans_line(replace(study, scored=scored))
    assert line.startswith(f"1 of the {len(scored.scans) - 1} scans have")
    assert "(units-overridden)" in line


@pytest.mark.slow
def test_without_findings_nothing_is_set_apart():
    study = study_of_scans(made_up(mirrored=False), "made up", "", "0" * 64)
    assert study.flagged.withheld == study.flagged.serious == ()
    assert study.flagged.with_withheld is None
    assert flagged_metric_rows(study) == []


def test_a_study_that_findings_make_impossible_says_so():
    scored = made_up()
    firearms = [scan.truth.firearm for scan in scored.scans]
    every = tuple(
        replace(pair, findings=("serious: mirrored",)) if firearms[pair.a] == firearms[pair.b] else pair
        for pair in scored.pairs
    )
    with pytest.raises(ParameterError, match=r"no same-source pair \(\d+ pairs are withheld: mirrored\)"):
        study_of_scans(replace(scored, pairs=every), "made up", "", "0" * 64)


def test_the_worst_pairs_are_the_lowest_and_the_highest(study):
    scored, headline = study.scored, study.headline
    part = [pair for pair in scored.pairs if pair.similarity is not None and not scored.repeats(pair) and
            "serious: mirrored" not in pair.findings]  # fmt: skip
    for same_source in (True, False):
        values = sorted(
            (pair.similarity for pair in part if (len({*scored.firearms(pair)}) == 1) == same_source),
            reverse=not same_source,
        )
        found = worst_pairs(scored, headline, "similarity", same_source)
        assert [ranked.pair.similarity for ranked in found] == values[:10]
        assert [ranked.rank for ranked in found] == list(range(1, 11))
        assert all(ranked.same_source == same_source for ranked in found)


def test_limits_stand_beside_the_figures(study):
    rows = {row[0]: row[1:] for row in metric_rows(study)}
    assert rows["Cllr (bit)"][0].endswith(")")
    assert " to " in rows["Cllr (bit)"][0]
    assert rows["Cllr_min (bit): discrimination"][0] == "0.0000 (no limits)"
    # None of 7 firearms: 1 - 0.05^(1/7).
    assert "35 % by firearms" in rows["Same source, LR < 1"][0]
    assert [row[2] for row in erred(study.headline, "breech face")] == ["35 %"] * 3


def test_repeats_of_one_case_are_shown(study):
    ((item, scans, nats, per_area, cells, _, without),) = repeat_rows(study)
    assert (item, scans, cells, without) == ("firearm F0, case 0", "2", "24", "0")
    assert int(nats) == pytest.approx(5000, abs=300)
    assert int(per_area) == pytest.approx(int(nats) / 3, abs=1)


def test_criteria_are_held_against_the_figures(study):
    figures = measured_figures(study)
    m = study.headline.metrics
    assert figures["Cllr", "similarity"].value == m.cllr
    # The scan without a mark against 23 others, of 24 · 23 / 2 pairs less the one that is a repeat.
    assert figures["insufficient pairs", ""].value == pytest.approx(23 / 275)
    assert figures["largest misleading LR", "similarity"].value == 1.0
    assert figures["withheld pairs", ""].high > figures["withheld pairs", ""].value > figures["withheld pairs", ""].low
    criteria = Criteria(
        "Laboratory X",
        (
            Criterion("Cllr", "similarity", "at most", 0.2),
            Criterion("AUC", "similarity", "at least", 0.98),
            Criterion("AUC", "similarity", "at least", 0.98, "limit"),
            Criterion("firearms", "", "at least", 7),
        ),
        "a" * 64,
        "criteria.toml",
    )
    judged = with_verdicts(study, criteria, 12)
    assert [verdict.met for verdict in judged.acceptance.verdicts] == [True, True, False, True]
    assert not judged.acceptance.met
    assert [row[0] for row in acceptance_rows(judged)] == ["met", "met", "NOT MET", "met"]
    assert "12 pairs had already been compared" in acceptance_lines(judged)[0]
    content = json.loads(judged.to_json())["acceptance"]
    assert content["met"] is False
    assert content["criteria"]["sha256"] == "a" * 64
    assert content["verdicts"][2]["met"] is False


def test_the_largest_misleading_lr(study):
    headline = study.headline
    same = headline.population.table.same_source
    values = headline.cross.log10_lr.copy()
    values[np.flatnonzero(same)[0]] = -2.0
    values[np.flatnonzero(~same)[0]] = 1.5
    assert largest_misleading_lr(replace(headline, cross=replace(headline.cross, log10_lr=values))) == pytest.approx(
        100
    )
