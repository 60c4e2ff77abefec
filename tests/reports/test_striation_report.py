"""The report of striated marks: what it says and draws for each kind of result, that it is one file, and the same."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import jsonschema
import numpy as np
import pytest
from families import fast_and_slow
from report_cases import INJECTION
from striation_cases import land, profiles, striation_case

from ballistics.errors import ParameterError
from ballistics.reports.contents.case_lines import CaseLines
from ballistics.reports.figures.agreement import agreement_cells
from ballistics.reports.figures.land_steps import _upright, land_steps
from ballistics.reports.figures.striated_pair import striated_pair
from ballistics.reports.pages.striation import striation_report
from ballistics.reports.reported_striae import ReportedStriae
from ballistics.reports.schemas.striation_json import striation_json, striation_schema
from ballistics.striations import (
    Placement,
    Signature,
    compare_signatures,
    land_of,
    overlay,
    striated_mark,
    striated_mark_of,
)
from ballistics.surfaces import Surface

KINDS = ["in-phase", "other", "insufficient", "profiles", "hostile"]


class _Page(HTMLParser):
    """Collects tags with their attributes, and the text outside style and script."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside not in ("script", "style"):
            self.text += data

    def of_class(self, name: str) -> list[dict[str, str | None]]:
        return [attrs for _, attrs in self.tags if name in (attrs.get("class") or "").split()]


@cache
def html(kind: str) -> str:
    return striation_report(*striation_case(kind))


@pytest.mark.parametrize("kind", fast_and_slow(["in-phase"], ["other", "profiles"]))
def test_every_score_stands_on_the_page(kind: str) -> None:
    comparison, _, _ = striation_case(kind)
    page = _Page(html(kind))
    assert comparison.similarity is not None
    assert comparison.striae is not None
    assert f"The marks agree by {comparison.score:.0f} nats over" in page.text.replace("−", "-")
    assert f"the longest run that matches is {comparison.striae.cms} (CMS)" in page.text
    assert "What the numbers do not say" in page.text
    assert "INSUFFICIENT" not in page.text
    # One box for each stria, and a lane for each octave.
    drawn = page.of_class("matched"), page.of_class("unmatched")
    assert len(drawn[0]) - 2 == comparison.striae.matches  # two stand in the legend
    assert len(drawn[1]) - 1 == comparison.striae.mismatches
    assert len(page.of_class("in-run")) - 1 == comparison.striae.cms
    assert len(page.of_class("lane")) == len(comparison.similarity.octaves)
    assert comparison.provenance is not None
    assert all(digest in page.text for digest in comparison.provenance.inputs.values())


def test_the_cases_are_what_they_are_called() -> None:
    assert striation_case("in-phase")[0].score > 150
    assert striation_case("other")[0].score < 20


def test_insufficient_is_said_first_and_the_steps_of_the_other_mark_are_shown() -> None:
    comparison, _, _ = striation_case("insufficient")
    page = _Page(html("insufficient"))
    assert comparison.insufficient is not None
    assert "INSUFFICIENT" in page.text
    assert comparison.insufficient in page.text
    assert "nats" not in page.text.split("What the numbers do not say")[0]
    assert not [tag for tag, attrs in page.tags if attrs.get("id") in ("microscope", "scores")]
    assert len(page.of_class("land-steps")) == 1


def test_signatures_without_scans_have_charts_and_no_microscope() -> None:
    page = _Page(html("profiles"))
    assert len(page.of_class("signatures")) == 1
    assert not page.of_class("split")
    steps = page.of_class("land-steps")
    assert len(steps) == 2  # the signatures only
    assert "1 · Scan" not in page.text


@pytest.mark.slow
def test_a_striated_mark_that_is_no_land_shows_its_region_and_its_straightened_patch() -> None:
    rng = np.random.default_rng(7)
    profile = np.convolve(rng.normal(size=700), np.hanning(15), "same")
    scans = [Surface(profile + 0.02 * rng.normal(size=(160, 700)), (3.0, 3.0)) for _ in range(2)]
    sides = []
    for name, scan in zip("xy", scans, strict=True):
        found = striated_mark_of(scan, "tool mark")
        sides.append(ReportedStriae(name, found.signature, scan, None, striated_mark(scan, found)))
    comparison = compare_signatures(*(side.signature for side in sides))
    assert comparison.score > 100
    page = _Page(striation_report(comparison, *sides))
    assert len(page.of_class("split")) == 1
    assert len(page.of_class("region")) == 4
    assert "stria direction" in page.text


@pytest.mark.parametrize("kind", fast_and_slow(["in-phase", "hostile"], ["other", "insufficient", "profiles"]))
@pytest.mark.slow
def test_one_file_loads_nothing(kind: str) -> None:
    for tag, attrs in _Page(html(kind)).tags:
        for name in ("src", "href", "xlink:href", "action", "data", "srcset", "poster"):
            value = attrs.get(name)
            if value is None:
                continue
            allowed = ("#", "https://doi.org/10.") if tag == "a" else ("data:", "#")
            assert value.startswith(allowed), (tag, value[:60])
    assert not re.search(r"@import|url\((?!#)|fetch\(|XMLHttpRequest|WebSocket|import\(", html(kind))
    assert len(html(kind)) < 4_000_000


@pytest.mark.parametrize("kind", fast_and_slow(["in-phase"], ["insufficient", "profiles"]))
def test_same_comparison_same_bytes(kind: str) -> None:
    assert striation_report(*striation_case(kind)) == html(kind)
    assert striation_json(*striation_case(kind)) == striation_json(*striation_case(kind))


def test_text_from_outside_is_only_text() -> None:
    page = _Page(html("hostile"))
    assert INJECTION in page.text
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert "img" not in [tag for tag, _ in page.tags]
    assert not [attrs for _, attrs in page.tags if any(name.startswith("on") for name in attrs)]
    case = CaseLines(INJECTION, "</style><script>", '"; } body { display: none', "\\")
    hostile = _Page(striation_report(*striation_case("profiles"), case=case))
    assert [tag for tag, _ in hostile.tags].count("script") == 1
    assert INJECTION in hostile.text
    style = striation_report(*striation_case("profiles"), case=case).split("</style>")[0]
    head = next(line for line in style.splitlines() if "@top-left { content" in line)
    assert re.fullmatch(r'@page \{ @top-left \{ content: "[0-9A-Za-z \\]*"; \} @bottom-left \{ .* \} \}', head)


def test_head_lines_stand_on_the_page_and_in_the_command() -> None:
    case = CaseLines("2026/114", "K1", "Q3", "Examiner 7")
    page = _Page(striation_report(*striation_case("in-phase"), case=case))
    for text in ("2026/114", "K1", "Q3", "Examiner 7"):
        assert text in page.text
    assert "--case 2026/114 --exhibit-a K1 --exhibit-b Q3 --examiner 'Examiner 7'" in page.text
    with pytest.raises(ParameterError, match="line break"):
        CaseLines("two\nlines")


def test_steps_show_what_the_land_says() -> None:
    side = land(1, 1)
    assert side.land is not None
    steps = land_steps(side)
    assert steps is not None
    left_out = int(np.isnan(side.land.lags_um).sum())
    assert len(steps.left_out) == left_out == sum(row.lag_um is None for row in steps.band_rows)
    assert left_out > 0
    assert steps.band_rows[side.land.first_band].first
    # The lines of the striae go through the middle of every band that was aligned.
    assert all(len(line.split()) == len(side.land.band_rows) - left_out for line in steps.striae)


def test_striae_of_both_lands_lie_under_each_other() -> None:
    """The pictures of the microscope agree where the signatures were placed, and nowhere else."""
    comparison, a, b = striation_case("in-phase")
    assert comparison.placement is not None
    axis = overlay(a.signature, b.signature, comparison.placement)
    both = np.isfinite(axis.a_um) & np.isfinite(axis.b_um)
    assert np.corrcoef(axis.a_um[both], axis.b_um[both])[0, 1] > 0.9
    pair = striated_pair(a, b, comparison.placement)
    elsewhere = striated_pair(a, b, Placement(comparison.placement.lag_um + 30.0))
    assert pair is not None
    assert elsewhere is not None
    assert elsewhere.b.relief.left_um - pair.b.relief.left_um == pytest.approx(30.0)
    first, second = profiles()
    assert striated_pair(first, second, Placement()) is None


@pytest.mark.parametrize("kind", KINDS)
def test_json_follows_its_schema(kind: str) -> None:
    validator = jsonschema.Draft202012Validator
    validator.check_schema(striation_schema())
    comparison, a, b = striation_case(kind)
    document = json.loads(striation_json(comparison, a, b), parse_constant=lambda name: pytest.fail(name))
    validator(striation_schema()).validate(document)
    if comparison.insufficient is None:
        assert document["comparison"]["similarity"]["score"] == comparison.score
        assert document["comparison"]["striae"]["cms"] == comparison.striae.cms  # type: ignore[union-attr]
    document["comparison"]["opinion"] = "identified"
    with pytest.raises(jsonschema.ValidationError):
        validator(striation_schema()).validate(document)


def test_no_opinion_is_worded() -> None:
    text = _Page(html("in-phase")).text.lower()
    assert "identif" not in text.replace("probing identification", "")
    assert "same source" not in text


def test_agreement_is_shown_where_it_is() -> None:
    """Of two lands in phase most windows agree, of two others hardly more than by chance; B's lie where B lies on A."""
    shares = {}
    for kind in ("in-phase", "other"):
        comparison, a, b = striation_case(kind)
        assert comparison.placement is not None
        on_a = agreement_cells(a, b, comparison.placement, True)
        on_b = agreement_cells(b, a, comparison.placement, False)
        pair = striated_pair(a, b, comparison.placement)
        assert on_a is not None
        assert on_b is not None
        assert pair is not None
        shares[kind] = on_a.share, on_b.share
        for cells, views in ((on_a, pair.a), (on_b, pair.b)):
            middles = [cell.left_um + cell.width_um / 2 for cell in cells.cells]
            assert views.relief.left_um < min(middles)
            assert max(middles) < views.relief.left_um + views.relief.width_um
    assert min(shares["in-phase"]) > 0.5
    assert max(shares["other"]) < 0.15
    page = _Page(html("in-phase"))
    assert len(page.of_class("agrees")) > 100
    assert "coarse, fine lines" in page.text


@pytest.mark.parametrize(
    "kind", fast_and_slow(["holes", "flat", "two points"], ["empty", "half a land", "turned scan"])
)
def test_odd_marks_have_a_page_and_a_valid_document(kind: str) -> None:
    x = np.convolve(np.random.default_rng(2).normal(size=900), np.hanning(25), "same")
    holes = x.copy()
    holes[100:300] = holes[600:] = np.nan
    whole = land(1, 1)
    assert whole.surface is not None
    if kind in ("half a land", "turned scan"):
        heights = whole.surface.heights_um.copy()
        if kind == "half a land":
            heights[:, :700] = np.nan
        else:
            heights = np.ascontiguousarray(np.rot90(heights, -1))
        scan = replace(whole.surface, heights_um=heights)
        found = land_of(scan)
        assert found.signature.insufficient is None
        a, b = whole, ReportedStriae('"odd" <b>', found.signature, scan, found)
    else:
        odd = {"holes": holes, "flat": np.zeros(500), "empty": np.empty(0), "two points": np.array([0.0, 1.0])}[kind]
        a, b = (ReportedStriae(name, Signature(values, 1.5)) for name, values in (("a", x), ("b", odd)))
    comparison = compare_signatures(a.signature, b.signature)
    page = _Page(striation_report(comparison, a, b))
    assert (comparison.insufficient is not None) == (kind in ("flat", "empty", "two points"))
    assert ("INSUFFICIENT" in page.text) == (comparison.insufficient is not None)
    assert bool(page.of_class("split")) == (kind in ("half a land", "turned scan"))
    document = json.loads(striation_json(comparison, a, b), parse_constant=lambda name: pytest.fail(name))
    jsonschema.Draft202012Validator(striation_schema()).validate(document)
    if kind == "turned scan":
        assert "turned by 90° because its striae run along the rows" in page.text
        assert comparison.score > 500
        # The pictures of the steps show the land as the signature has it, not its mirror image.
        turned, spacing = _upright(b)
        assert np.array_equal(turned, whole.surface.heights_um, equal_nan=True)
        assert spacing == whole.surface.spacing_um
