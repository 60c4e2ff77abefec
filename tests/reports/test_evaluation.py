"""Weighing a comparison: which population is used, what report and JSON say, and that a refusal stays a lead."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from report_cases import INJECTION, case

from ballistics.errors import ParameterError
from ballistics.evidence.comparisons import Score, comparison_conditions
from ballistics.evidence.population import ReferencePopulation
from ballistics.evidence.scores import ScoreTable
from ballistics.evidence.verbal_scale import VerbalScale
from ballistics.evidence.weighing import Weighed, weigh
from ballistics.reports.comparison_json import comparison_json, comparison_schema
from ballistics.reports.comparison_report import comparison_report
from ballistics.reports.evaluation import Evaluation

KNOWN = {"calibres": ("9 mm Luger",), "instrument_classes": ("confocal",), "ammunition": ("Geco",)}


def population(name: str = "made up", firearms: int = 8, score: Score = "count", **changes: Any) -> ReferencePopulation:
    """Return a population that covers the simulated cases, unless told otherwise."""
    comparison, a, b = case("same-source")
    conditions = replace(comparison_conditions(comparison, (a.mark, b.mark), score, **KNOWN), **changes)
    names = [f"P{i:02d}" for i in range(firearms)]
    same = [(26 + i % 7, one, one) for i, one in enumerate(names)]
    different = [
        ((3 * i + j) % 4 == 0, one, two) for i, one in enumerate(names) for j, two in enumerate(names) if i < j
    ]
    scores, first, second = zip(*same, *different, strict=True)
    # The simulated pair has about forty cells; the range of a count model is that of its reference and a tenth.
    cells = [34 + 2 * (i % 6) for i in range(len(scores))] if score == "count" else None
    values = scores if score == "count" else [s / 40 for s in scores]
    return ReferencePopulation(name, ScoreTable.build(values, first, second, cells), conditions, "nobody's scans")


def weighed(kind: str, *populations: ReferencePopulation) -> Weighed:
    comparison, a, b = case(kind)
    return weigh(comparison, (a.mark, b.mark), populations or (population(),), **KNOWN, draws=20)


def evaluation(kind: str, language: str = "en", *populations: ReferencePopulation) -> Evaluation:
    return Evaluation(weighed(kind, *populations), language, VerbalScale.load(), ("--reference", "made-up.json"))


def report(kind: str, one: Evaluation) -> str:
    return comparison_report(*case(kind), evaluation=one)


def text_of(page: str) -> str:
    body = page[page.index("<main>") :]
    return html.unescape(re.sub(r"<[^>]*>", "", re.sub(r"(?s)<script.*?</script>", "", body)))


@pytest.mark.parametrize(("kind", "sign"), [("same-source", 1), ("different-source", -1)])
def test_number_first_then_words_with_both_propositions(kind: str, sign: int) -> None:
    one = evaluation(kind)
    result = one.weighed.result
    assert result.status == "evaluated"
    assert result.log10_lr is not None
    assert result.log10_lr * sign > 0
    text = text_of(report(kind, one))
    places = [text.index(sentence) for sentence in one.wording.sentences]
    assert places == sorted(places)
    for words in ("Evaluative report", "made up", "8 firearms", "nobody's scans", "bounds of log₁₀ LR", "--reference"):
        assert words in text, words
    assert "not evaluative" not in text
    assert not re.search(r"(?i)\bmatch(es|ed)?\b|\bidentif", text)


@pytest.mark.parametrize(
    ("kind", "changes", "status"),
    [
        ("same-source", {"version": "0"}, "refused"),
        ("same-source", {"parameters": {}}, "refused"),
        ("same-source", {"mark_kind": "firing pin"}, "refused"),
        ("same-source", {"calibres": (".40 S&W",)}, "refused"),
        ("insufficient", {}, "insufficient"),
    ],
)
def test_without_a_ratio_the_report_stays_a_lead(kind: str, changes: dict[str, Any], status: str) -> None:
    one = evaluation(kind, "en", population(**changes))
    assert one.weighed.result.status == status
    page = report(kind, one)
    text = text_of(page)
    assert "NO LIKELIHOOD RATIO" in text
    assert one.weighed.result.reason in text
    assert "lead, not evaluative" in text
    assert "Evaluative report" not in text
    assert "with the point of this case" not in page
    written = json.loads(comparison_json(*case(kind), evaluation=one))["evaluation"]
    assert (written["status"], written["lr"], written["log10_lr"]) == (status, None, None)


def test_without_a_population_nothing_is_weighed() -> None:
    page = comparison_report(*case("same-source"))
    assert "no likelihood ratio is given" in text_of(page)
    assert 'id="weight"' not in page
    assert json.loads(comparison_json(*case("same-source")))["evaluation"] is None


@pytest.mark.parametrize("kind", ["same-source", "different-source", "insufficient"])
def test_json_follows_the_schema_and_holds_the_value(kind: str) -> None:
    one = evaluation(kind, "mk")
    document = json.loads(comparison_json(*case(kind), evaluation=one))
    jsonschema.Draft202012Validator(comparison_schema()).validate(document)
    written = document["evaluation"]
    assert written["log10_lr"] == one.weighed.result.log10_lr
    assert written["sentences"] == list(one.wording.sentences)
    assert written["population"]["sha256"] == population().hash
    if written["log10_lr"] is not None:
        assert written["lr"] == pytest.approx(10 ** written["log10_lr"])
        low, high = written["interval_log10_lr"]
        assert written["bounds"]["lower"] <= low <= written["log10_lr"] <= high <= written["bounds"]["upper"]
        assert written["provenance"]["parameters"]["draws"] == 20


def test_same_weighing_same_bytes_and_pictures_hold_the_case() -> None:
    pages = [report("same-source", evaluation("same-source")) for _ in range(2)]
    assert pages[0] == pages[1]
    assert pages[0].count("with the point of this case") == 2
    few = evaluation("same-source", "en", population(firearms=3))
    page = report("same-source", few)
    assert page.count("with the point of this case") == 1  # no source-disjoint Tippett plot of three firearms
    assert "too few firearms" in text_of(page)


def test_language_and_hostile_names() -> None:
    one = evaluation("same-source", "mk", population(name=INJECTION))
    page = report("same-source", one)
    assert '<div lang="mk">' in page
    assert "Преводот треба да биде потврден" in page
    assert "<script>window.injected" not in page
    assert "<img src=x" not in page


def test_the_largest_population_that_covers_is_used_and_the_others_are_explained() -> None:
    small, large = population("small", 5), population("large", 9)
    wrong, correlations = population("wrong", 12, calibres=(".40 S&W",)), population("accf", 12, "correlation")
    answers = [
        weighed("same-source", *order)
        for order in ((small, large, wrong, correlations), (correlations, wrong, large, small))
    ]
    assert answers[0].result == answers[1].result
    assert (answers[0].result.population, answers[0].score) == ("large", "count")
    assert {reason.split(":")[0] for reason in answers[0].not_used} == {"small", "wrong", "accf"}
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
    from ballistics.impressions.compare import exchanged

    comparison, a, b = case("different-source")
    swapped = weigh(exchanged(comparison), (b.mark, a.mark), (population(),), **KNOWN, draws=20)
    assert swapped.result.log10_lr == weighed("different-source").result.log10_lr
    assert swapped.result.interval == weighed("different-source").result.interval
