"""Regular marks in the JSON and in the HTML report: counted apart, in their own colour, absent when there are none."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import numpy as np
import pytest
from report_cases import case

from ballistics.impressions.comparison import CellSearch, ImpressionComparison, LinePattern, RegularMarks
from ballistics.reports.pages.comparison import comparison_report
from ballistics.reports.schemas.comparison_json import comparison_json, comparison_schema
from ballistics.reports.wording.comparison import regular_marks_sentence

PATTERNS = (
    LinePattern("parallel", 30.0, float("nan"), float("nan"), 0.8, 20.0),
    LinePattern("circular", 120.0, 100.0, -9000.0, 0.5, 6.0),
)


def regular(search: CellSearch | None, patterns: tuple[LinePattern, ...]) -> CellSearch:
    """The same cells, the first five of them explained by lines."""
    assert search is not None
    n = np.arange(search.n_cells)
    marks = RegularMarks(patterns, np.where(n < 20, 0.9, np.nan), np.where(n < 20, 0.123, np.nan), n < 5)
    return replace(search, regular=marks)


def lined() -> ImpressionComparison:
    comparison = case("same-source")[0]
    return replace(
        comparison, a_in_b=regular(comparison.a_in_b, PATTERNS), b_in_a=regular(comparison.b_in_a, PATTERNS[:1])
    )


@pytest.mark.slow
def test_json_names_lines_and_explained_cells() -> None:
    _, a, b = case("same-source")
    comparison = lined()
    document = json.loads(comparison_json(comparison, a, b))
    jsonschema.Draft202012Validator(comparison_schema()).validate(document)
    written = document["comparison"]
    assert [p["form"] for p in written["regular_marks"]["a_in_b"]] == ["parallel", "circular"]
    assert written["regular_marks"]["b_in_a"][0]["centre_x_um"] is None
    cells = written["cells"]["a_in_b"]
    assert [cell["explained_by_regular_marks"] for cell in cells[:6]] == [True] * 5 + [False]
    assert cells[0]["remaining_correlation"] == 0.123
    assert cells[-1]["regular_share"] is None
    rule = written["rules"]["significance"]["a_in_b"]
    both = [c["explained_by_regular_marks"] and v["congruent"] for c, v in zip(cells, rule["cells"], strict=True)]
    assert rule["explained_by_regular_marks"] == sum(both)
    assert comparison.a_in_b is not None
    assert sum(both) == comparison.a_in_b.explained_count(comparison.rules["significance"].a_in_b)


def test_report_counts_and_draws_them() -> None:
    _, a, b = case("same-source")
    html = comparison_report(lined(), a, b)
    assert regular_marks_sentence(lined()) in html
    assert 'id="regular-marks"' in html
    assert html.count('class="cell congruent explained"') > 5
    assert 'class="guides"' in html
    assert "without lines" in html


@pytest.mark.slow
def test_report_says_nothing_where_there_are_none() -> None:
    html = comparison_report(*case("same-source"))
    assert "regular-marks" not in html
    assert "congruent explained" not in html.split("</style>")[1]
    assert regular_marks_sentence(case("insufficient")[0]) == ""
