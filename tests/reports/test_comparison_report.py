"""The HTML report: what it says for each kind of result, that it is one file, safe, and the same every time."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from families import fast_and_slow
from report_cases import INJECTION, case, hostile_case

from ballistics.reports.pages.comparison import comparison_report


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


@pytest.mark.parametrize("kind", fast_and_slow(["same-source"], ["different-source"]))
def test_counts_of_both_directions_stand_first_and_under_every_rule(kind: str) -> None:
    comparison, a, b = case(kind)
    page = _Page(comparison_report(comparison, a, b))
    rule = comparison.rules["significance"]
    assert comparison.a_in_b is not None
    assert comparison.b_in_a is not None
    assert (
        f"{rule.a_in_b.count} of {comparison.a_in_b.n_cells} cells of A and "
        f"{rule.b_in_a.count} of {comparison.b_in_a.n_cells} cells of B agree under the significance rule "
    ) in page.text
    assert "INSUFFICIENT" not in page.text
    assert "What the numbers do not say" in page.text
    for name, result in comparison.rules.items():
        assert name in page.text
        for verdict, search in ((result.a_in_b, comparison.a_in_b), (result.b_in_a, comparison.b_in_a)):
            assert f"{verdict.count} of {search.n_cells} cells of " in page.text
    drawn = [
        attrs for tag, attrs in page.tags if tag == "g" and (attrs.get("class") or "").startswith("cell congruent")
    ]
    counted = sum(r.a_in_b.count + r.b_in_a.count for r in comparison.rules.values())
    assert len(drawn) == 2 * counted  # on its own mark, and where it was found
    for scan in (a, b):
        assert scan.surface.provenance is not None
        assert scan.surface.provenance.inputs["array"] in page.text
    assert comparison.provenance is not None
    assert all(digest in page.text for digest in comparison.provenance.inputs.values())


def test_same_source_and_different_source_differ() -> None:
    """The cases themselves must be what they are called, or the tests above show nothing."""
    assert case("same-source")[0].rules["significance"].score >= 10
    assert case("different-source")[0].rules["significance"].score <= 4


def test_insufficient_is_said_first_and_nothing_is_counted() -> None:
    comparison, a, b = case("insufficient")
    page = _Page(comparison_report(comparison, a, b))
    assert comparison.insufficient is not None
    assert "INSUFFICIENT" in page.text
    assert comparison.insufficient in page.text
    assert "agree under" not in page.text
    assert not [tag for tag, attrs in page.tags if attrs.get("id") in ("microscope", "cells", "rules")]


@pytest.mark.parametrize("kind", fast_and_slow(["same-source", "insufficient"], ["different-source"]))
@pytest.mark.slow
def test_one_file_loads_nothing(kind: str) -> None:
    html = comparison_report(*case(kind))
    for tag, attrs in _Page(html).tags:
        for name in ("src", "href", "xlink:href", "action", "data", "srcset", "poster"):
            value = attrs.get(name)
            if value is None:
                continue
            if tag == "a":
                assert value.startswith(("#", "https://doi.org/10.")), value
            else:
                assert value.startswith(("data:", "#")), (tag, value[:60])
    assert not re.search(r"@import|url\((?!#)|fetch\(|XMLHttpRequest|WebSocket|import\(", html)
    assert len(html) < 8_000_000


@pytest.mark.parametrize("kind", fast_and_slow(["insufficient"], ["same-source"]))
def test_same_comparison_same_bytes(kind: str) -> None:
    assert comparison_report(*case(kind)) == comparison_report(*case(kind))


@pytest.mark.slow
def test_text_from_outside_is_only_text() -> None:
    html = comparison_report(*hostile_case())
    page = _Page(html)
    assert INJECTION in page.text
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert "img" not in [tag for tag, _ in page.tags]
    assert not [attrs for _, attrs in page.tags if any(name.startswith("on") for name in attrs)]
    assert "49" not in re.findall(r"]]>(\S{0,4})", page.text)


@pytest.mark.slow
def test_no_opinion_is_worded() -> None:
    text = _Page(comparison_report(*case("same-source"))).text.lower()
    # "congruent matching cells" is the method's own name.
    assert "match" not in text.replace("matching cells", "")
    assert "identif" not in text


def test_causes_of_exclusion_are_drawn() -> None:
    _, a, _ = case("same-source")
    assert a.labels is not None
    assert np.count_nonzero(a.labels == 1) == np.count_nonzero(a.mark.region)
    page = _Page(comparison_report(*case("same-source")))
    titles = {attrs["class"] for tag, attrs in page.tags if tag == "path" and "cause" in (attrs.get("class") or "")}
    assert "cause cause-0" in titles  # firing pin
