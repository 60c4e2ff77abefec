"""The report of two bullets: the matrix with its phase, the pairs to open, missing lands, JSON, the same bytes."""

from __future__ import annotations

import json
import re
from functools import cache

import jsonschema
import numpy as np
import pytest
from families import fast_and_slow
from report_cases import INJECTION
from striation_cases import PHASE, bullets_case

from ballistics.reports.contents.case_lines import CaseLines
from ballistics.reports.figures.land_matrix import matrix_rows, phase_bars
from ballistics.reports.pages.bullets import bullets_report
from ballistics.reports.schemas.striation_json import bullets_json, bullets_schema

KINDS = ["six lands", "one missing", "insufficient"]


@cache
def html(kind: str) -> str:
    return bullets_report(*bullets_case(kind), case=CaseLines("2026/114"))


@pytest.mark.slow
def test_the_phase_is_drawn_in_the_matrix() -> None:
    found, _, _, _ = bullets_case("six lands")
    assert found.phase == PHASE
    cells = [cell for row in matrix_rows(found) for cell in row]
    drawn = {(cell.row, cell.column) for cell in cells if cell.in_phase}
    assert drawn == {(i, (i + PHASE) % 6) for i in range(6)}
    assert min(c.score for c in cells if c.in_phase) > max(c.score for c in cells if not c.in_phase)
    assert all(cell.dark for cell in cells if cell.in_phase)
    bars = phase_bars(found)
    assert [bar.best for bar in bars] == [k == PHASE for k in range(6)]
    assert bars[PHASE].percent == 100.0
    assert html("six lands").count('class="cell-score in-phase') == 6
    for i in range(6):
        assert f'href="#pair-{i + 1}-{(i + PHASE) % 6 + 1}"' in html("six lands")


@pytest.mark.slow  # the fast set has it in `test_cli_compare_bullets.py`
def test_margin_and_probability_stand_first() -> None:
    found, _, _, _ = bullets_case("six lands")
    first = html("six lands").split("What the numbers do not say")[0]
    mean = found.phase_means[PHASE]
    assert f"6 pairs of lands agree by {mean:.0f} nats on average, {found.margin:.0f} more than in the next" in first
    assert "with probability 0.0083; 6 lands cannot show less than 0.0083" in first


@pytest.mark.parametrize(("kind", "pairs", "cards"), fast_and_slow([], [("six lands", 6, 12), ("one missing", 5, 11)]))
def test_every_pair_of_the_phase_opens_and_every_land_is_shown(kind: str, pairs: int, cards: int) -> None:
    page = html(kind)
    assert page.count('class="opened"') == page.count('class="microscope striated"') == pairs
    assert page.count('class="land-steps"') == cards
    assert len(set(re.findall(r' id="([^"]+)"', page))) == len(re.findall(r' id="([^"]+)"', page))
    assert len(page) < 10_000_000


@pytest.mark.slow
def test_a_missing_land_is_said() -> None:
    found, _, _, _ = bullets_case("one missing")
    assert np.isnan(found.scores[:, 1]).all()
    assert ">missing<" in html("one missing")
    assert "B2</th>" in html("one missing")


@pytest.mark.slow
def test_different_numbers_of_lands_are_insufficient_with_the_reason() -> None:
    page = html("insufficient")
    assert "INSUFFICIENT" in page
    assert "the bullets have 6 and 4 lands" in page
    assert 'class="opened"' not in page


@pytest.mark.parametrize("kind", fast_and_slow(["one missing"], ["six lands", "insufficient"]))
@pytest.mark.slow
def test_json_follows_its_schema_and_both_are_the_same_every_time(kind: str) -> None:
    document = json.loads(bullets_json(*bullets_case(kind)), parse_constant=lambda name: pytest.fail(name))
    validator = jsonschema.Draft202012Validator
    validator.check_schema(bullets_schema())
    validator(bullets_schema()).validate(document)
    found, _, _, pairs = bullets_case(kind)
    assert document["comparison"]["phase"] == found.phase
    assert len(document["pairs"]) == len(pairs)
    assert bullets_report(*bullets_case(kind), case=CaseLines("2026/114")) == html(kind)


def test_hostile_names_are_only_text() -> None:
    page = bullets_report(*bullets_case("insufficient"), names=(INJECTION, INJECTION))
    assert page.count("<script>") == 1
    assert "<img" not in page
