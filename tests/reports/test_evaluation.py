"""Weighing a comparison: which population is used, what report and JSON say, and that a refusal stays a lead."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from functools import cache
from typing import Any

import jsonschema
import numpy as np
import pytest
from report_cases import INJECTION, case
from striation_cases import bullets_case, striation_case

from ballistics.errors import ParameterError
from ballistics.evidence.comparisons import comparison_conditions
from ballistics.evidence.population import ReferencePopulation
from ballistics.evidence.scores import Score, ScoreTable
from ballistics.evidence.weighing import Weighed, contradictions, weigh
from ballistics.evidence.wording.verbal_scale import VerbalScale
from ballistics.reports.contents.evaluation import Evaluation
from ballistics.reports.pages.bullets import bullets_report
from ballistics.reports.pages.comparison import comparison_report
from ballistics.reports.pages.striation import striation_report
from ballistics.reports.schemas.comparison_json import comparison_json, comparison_schema
from ballistics.reports.schemas.striation_json import striation_json, striation_schema

KNOWN = {"calibres": ("9 mm Luger",), "instrument_classes": ("confocal",), "ammunition": ("Geco",)}


def population(name: str = "made up", firearms: int = 8, score: Score = "count", **changes: Any) -> ReferencePopulation:
    """Return a population that covers the simulated cases, unless told otherwise."""
    comparison, a, b = case("same-source")
    conditions = replace(comparison_conditions(comparison, (a.mark, b.mark), score, **KNOWN), **changes)
    names = [f"P{i:02d}" for i in range(firearms)]
    same = [(26 + i % 7, first, first) for i, first in enumerate(names)]
    different = [
        ((3 * i + j) % 4 == 0, first, second)
        for i, first in enumerate(names)
        for j, second in enumerate(names)
        if i < j
    ]
    scores, first, second = zip(*same, *different, strict=True)
    # The simulated pair has about forty cells; the range of a count model is that of its reference and a tenth.
    cells = [34 + 2 * (i % 6) for i in range(len(scores))] if score == "count" else None
    areas = [5.0 + 0.1 * (i % 9) for i in range(len(scores))] if score == "similarity" else None
    scale = {"count": 1.0, "correlation": 1 / 40, "similarity": 40.0}[score]
    values = [scale * s for s in scores]
    table = ScoreTable.build(values, first, second, cells, area_mm2=areas)
    return ReferencePopulation(name, table, conditions, "nobody's scans")


def weighed(kind: str, *populations: ReferencePopulation) -> Weighed:
    comparison, a, b = case(kind)
    return weigh(comparison, (a.mark, b.mark), populations or (population(),), **KNOWN, draws=20)


def evaluation(kind: str, language: str = "en", *populations: ReferencePopulation) -> Evaluation:
    return Evaluation(weighed(kind, *populations), language, VerbalScale.load(), ("--reference", "made-up.json"))


def report(kind: str, stated: Evaluation) -> str:
    return comparison_report(*case(kind), evaluation=stated)


@cache
def english(kind: str) -> str:
    """Return the page of a case that is weighed by the made-up population."""
    return report(kind, evaluation(kind))


def text_of(page: str) -> str:
    body = page[page.index("<main>") :]
    return html.unescape(re.sub(r"<[^>]*>", "", re.sub(r"(?s)<script.*?</script>", "", body)))


@pytest.mark.parametrize(
    ("kind", "sign"), [("same-source", 1), pytest.param("different-source", -1, marks=pytest.mark.slow)]
)
@pytest.mark.slow
def test_number_first_then_words_with_both_propositions(kind: str, sign: int) -> None:
    stated = evaluation(kind)
    result = stated.weighed.result
    assert result.status == "evaluated"
    assert result.log10_lr is not None
    assert result.log10_lr * sign > 0
    text = text_of(english(kind))
    places = [text.index(sentence) for sentence in stated.wording.sentences]
    assert places == sorted(places)
    for words in ("Evaluative report", "made up", "8 firearms", "nobody's scans", "bounds of log₁₀ LR", "--reference"):
        assert words in text, words
    assert "not evaluative" not in text
    assert not re.search(r"(?i)\bmatch(es|ed)?\b|\bidentif", text)


@pytest.mark.parametrize(
    ("kind", "changes", "status"),
    [
        ("same-source", {"version": "0"}, "refused"),
        pytest.param("same-source", {"parameters": {}}, "refused", marks=pytest.mark.slow),
        pytest.param("same-source", {"mark_kind": "firing pin"}, "refused", marks=pytest.mark.slow),
        pytest.param("same-source", {"calibres": (".40 S&W",)}, "refused", marks=pytest.mark.slow),
        ("insufficient", {}, "insufficient"),
    ],
)
@pytest.mark.slow
def test_without_a_ratio_the_report_stays_a_lead(kind: str, changes: dict[str, Any], status: str) -> None:
    stated = evaluation(kind, "en", population(**changes))
    assert stated.weighed.result.status == status
    page = report(kind, stated)
    text = text_of(page)
    assert "NO LIKELIHOOD RATIO" in text
    assert stated.weighed.result.reason in text
    assert "lead, not evaluative" in text
    assert "Evaluative report" not in text
    assert "with the point of this case" not in page
    written = json.loads(comparison_json(*case(kind), evaluation=stated))["evaluation"]
    assert (written["status"], written["lr"], written["log10_lr"]) == (status, None, None)


@pytest.mark.slow
def test_without_a_population_nothing_is_weighed() -> None:
    page = comparison_report(*case("same-source"))
    assert "no likelihood ratio is given" in text_of(page)
    assert 'id="weight"' not in page
    assert json.loads(comparison_json(*case("same-source")))["evaluation"] is None


@pytest.mark.parametrize("kind", ["same-source", "different-source", "insufficient"])
def test_json_follows_the_schema_and_holds_the_value(kind: str) -> None:
    stated = evaluation(kind, "mk")
    document = json.loads(comparison_json(*case(kind), evaluation=stated))
    jsonschema.Draft202012Validator(comparison_schema()).validate(document)
    written = document["evaluation"]
    assert written["log10_lr"] == stated.weighed.result.log10_lr
    assert written["sentences"] == list(stated.wording.sentences)
    assert written["population"]["sha256"] == population().hash
    if written["log10_lr"] is not None:
        assert written["lr"] == pytest.approx(10 ** written["log10_lr"])
        low, high = written["interval_log10_lr"]
        assert written["bounds"]["lower"] <= low <= written["log10_lr"] <= high <= written["bounds"]["upper"]
        assert written["provenance"]["parameters"]["draws"] == 20


@pytest.mark.slow
def test_same_weighing_same_bytes_and_pictures_hold_the_case() -> None:
    page = report("same-source", evaluation("same-source"))
    assert page == english("same-source")
    assert page.count("with the point of this case") == 2
    few = evaluation("same-source", "en", population(firearms=3))
    page = report("same-source", few)
    assert page.count("with the point of this case") == 1  # no source-disjoint Tippett plot of three firearms
    assert "too few firearms" in text_of(page)


def test_a_report_is_translated_whole_or_not_at_all() -> None:
    stated = evaluation("same-source", "mk")
    with pytest.raises(ParameterError, match="exists in English only: the weight"):
        report("same-source", stated)
    document = json.loads(comparison_json(*case("same-source"), evaluation=stated))["evaluation"]
    assert document["language"] == "mk"
    assert any("Преводот треба да биде потврден" in sentence for sentence in document["sentences"])


@pytest.mark.slow
def test_hostile_names() -> None:
    page = report("same-source", evaluation("same-source", "en", population(name=INJECTION)))
    assert "<script>window.injected" not in page
    assert "<img src=x" not in page


@pytest.mark.slow
def test_the_largest_population_that_covers_is_used_and_the_others_are_explained() -> None:
    small, large = population("small", 5), population("large", 9)
    wrong, correlations = population("wrong", 12, calibres=(".40 S&W",)), population("accf", 12, "correlation")
    answers = [
        weighed("same-source", *order)
        for order in ((small, large, wrong, correlations), (correlations, wrong, large, small))
    ]
    assert answers[0].result == answers[1].result
    assert (answers[0].result.population, answers[0].score) == ("large", "count")
    assert {reason.split(":")[0] for reason in answers[0].not_used} == {"small", "wrong"}
    assert [(other.result.population, other.score) for other in answers[0].beside] == [("accf", "correlation")]
    assert answers[0].beside[0].result.status == "evaluated"
    assert answers[0].beside[0].result.interval is None
    assert any(".40 S&W" in reason for reason in answers[0].not_used)
    alone = weighed("same-source", correlations, wrong)
    assert (alone.result.population, alone.score, alone.system.model) == ("accf", "correlation", "logistic")
    none = weighed("same-source", wrong, replace(wrong, name="wrong too", table=small.table))
    assert (none.result.status, none.result.population) == ("refused", "wrong")
    assert len(none.not_used) == 1
    assert none.not_used[0].startswith("wrong too: ")


def test_populations_must_be_there_and_told_apart() -> None:
    comparison, a, b = case("same-source")
    with pytest.raises(ParameterError, match="no reference population"):
        weigh(comparison, (a.mark, b.mark), ())
    with pytest.raises(ParameterError, match="same name"):
        weigh(comparison, (a.mark, b.mark), (population(), population()))


def test_swapping_the_marks_changes_no_weight() -> None:
    from ballistics.impressions.comparing import exchanged

    comparison, a, b = case("different-source")
    swapped = weigh(exchanged(comparison), (b.mark, a.mark), (population(),), **KNOWN, draws=20)
    assert swapped.result.log10_lr == weighed("different-source").result.log10_lr
    assert swapped.result.interval == weighed("different-source").result.interval


@pytest.mark.slow
def test_the_similarity_carries_the_evidence_and_the_others_stand_beside_it() -> None:
    every = [population("lab", 8, score) for score in ("count", "correlation", "similarity")]
    stated = evaluation("same-source", "en", *every)
    assert stated.weighed.score == "similarity"
    assert stated.weighed.result.interval is not None
    assert [other.score for other in stated.weighed.beside] == ["count", "correlation"]
    assert stated.weighed.findings == ()
    text = text_of(report("same-source", stated))
    for other in stated.beside:
        assert other in text
    written = json.loads(comparison_json(*case("same-source"), evaluation=stated))
    jsonschema.Draft202012Validator(comparison_schema()).validate(written)
    evaluation_of = written["evaluation"]
    assert evaluation_of["score"]["name"] == "similarity"
    assert evaluation_of["score"]["area_mm2"] == stated.weighed.result.area_mm2
    assert [other["score"]["name"] for other in evaluation_of["beside"]] == ["count", "correlation"]


@pytest.mark.slow
def test_scores_that_contradict_each_other_are_said_first() -> None:
    """Where one firearm reaches half of the cells and different ones all, a count of all cells speaks for two."""
    alike, counts = population("lab", 8, "similarity"), population("lab", 8, "count")
    table = counts.table
    contrary = np.where(table.same_source, table.cells // 2, table.cells)
    odd = replace(counts, table=ScoreTable.build(contrary, table.firearm_a, table.firearm_b, table.cells))
    found = weighed("same-source", alike, odd)
    assert found.result.log10_lr > 0.3 > -0.3 > found.beside[0].result.log10_lr
    assert [finding.code for finding in found.findings] == ["scores-contradict"]
    assert found.findings[0].severity == "serious"
    stated = Evaluation(found, "en", VerbalScale.load())
    text = text_of(report("same-source", stated))
    assert text.index("supports one firearm") < text.index("Proposition 1")
    written = json.loads(comparison_json(*case("same-source"), evaluation=stated))["evaluation"]
    assert [finding["code"] for finding in written["findings"]] == ["scores-contradict"]
    assert contradictions((weighed("same-source", alike),)) == ()


def test_exhibits_are_not_held_against_themselves() -> None:
    known = population("lab", 8, "similarity")
    table = known.table
    scans = [[f"{f}-{i}" for i, f in enumerate(column)] for column in (table.firearm_a, table.firearm_b)]
    named = replace(known, table=replace(table, scan_a=tuple(scans[0]), scan_b=tuple(scans[1])))
    comparison, a, b = case("same-source")
    found = weigh(comparison, (a.mark, b.mark), (named,), **KNOWN, scans=(scans[0][0],), draws=0)
    assert found.system.left_out == (table.firearm_a[0],)
    assert (found.result.n_firearms, found.result.status) == (7, "evaluated")
    first_five = np.array([max(pair) <= "P04" for pair in zip(table.firearm_a, table.firearm_b, strict=True)])
    few = replace(named, table=named.table.rows(first_five))
    none = weigh(comparison, (a.mark, b.mark), (few,), **KNOWN, scans=(few.table.scan_a[0],), draws=0)
    assert (none.result.status, none.result.log10_lr) == ("insufficient", None)
    assert "4 of 5 firearms remain" in none.result.reason


@pytest.mark.slow
def test_the_pages_of_striated_marks_show_the_weight_too() -> None:
    """The score of another kind stands in for that of striae: what is tested is the box, its details and the limits."""
    weight = evaluation("same-source")
    pages = (
        striation_report(*striation_case("profiles"), evaluation=weight),
        bullets_report(*bullets_case("insufficient"), evaluation=weight),
    )
    for page in pages:
        assert "Evaluative report" in page
        assert 'id="evidence"' in page
        assert html.escape(weight.wording.number[0], quote=False) in page
        assert "Not the probability that one firearm was used." in page
        with pytest.raises(ParameterError, match="English only"):
            striation_report(*striation_case("profiles"), evaluation=evaluation("same-source", "mk"))
    document = json.loads(striation_json(*striation_case("profiles"), evaluation=weight))
    jsonschema.Draft202012Validator(striation_schema()).validate(document)
    assert document["evaluation"]["status"] == "evaluated"
