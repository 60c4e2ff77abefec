"""The pages of striated marks in a real Chromium: B moves along A, and charts, cursor and numbers follow."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from browser_pages import Pages, browser_marks, drag, open_page, view_box
from families import fast_and_slow
from striation_cases import bullets_case, striation_case

from ballistics.reports.pages.bullets import bullets_report
from ballistics.reports.pages.striation import striation_report
from ballistics.striations import overlay

pytestmark = browser_marks


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    def make(kind: str) -> str:
        return (
            bullets_report(*bullets_case("six lands")) if kind == "bullets" else striation_report(*striation_case(kind))
        )

    return Pages(tmp_path_factory.mktemp("striated"), make)


def _find(browser: Any, css: str) -> Any:
    return browser.find_element("css selector", css)


def _said(browser: Any) -> tuple[float, float]:
    """Return lag and correlation that the page says."""
    text = _find(browser, ".moved-by").text.replace("−", "-")
    found = re.search(r"lag (-?\d+) µm, correlation (-?[\d.]+) over", text)
    assert found is not None, text
    return float(found[1]), float(found[2])


def _correlation(points: int) -> float:
    """Return Pearson's r of the pair with B moved by a number of points."""
    comparison, a, b = striation_case("in-phase")
    assert comparison.placement is not None
    axis = overlay(a.signature, b.signature, comparison.placement)
    x, y = axis.a_um, np.full(len(axis.b_um), np.nan)
    if points >= 0:
        y[points:] = axis.b_um[: len(y) - points]
    else:
        y[:points] = axis.b_um[-points:]
    both = np.isfinite(x) & np.isfinite(y)
    return float(np.corrcoef(x[both], y[both])[0, 1])


@pytest.mark.parametrize("kind", fast_and_slow(["in-phase", "bullets"], ["profiles", "insufficient", "hostile"]))
def test_opens_without_an_error_and_loads_nothing(browser: Any, pages: Pages, kind: str) -> None:
    open_page(browser, pages[kind])
    assert browser.get_log("browser") == []
    asked = re.findall(
        r'"url":"((?!data:)[^"]*)"', " ".join(entry["message"] for entry in browser.get_log("performance"))
    )
    assert not [url for url in asked if url.startswith(("http:", "https:", "ws:", "//"))]
    assert browser.execute_script("return window.injected") is None


@pytest.mark.slow
def test_the_seam_lies_level_and_moves_up_and_down(browser: Any, pages: Pages) -> None:
    open_page(browser, pages["in-phase"])
    grip = _find(browser, ".grip")
    assert float(grip.get_attribute("aria-valuenow")) == 50
    height = _find(browser, ".split").size["height"]
    drag(browser, grip, 0, height // 4)
    assert float(grip.get_attribute("aria-valuenow")) == pytest.approx(75, abs=2)
    tags = browser.find_elements("css selector", ".tag")
    assert [tag.get_attribute("data-side") for tag in tags] == ["above", "below"]


def test_dragging_b_moves_picture_signature_difference_and_numbers(browser: Any, pages: Pages) -> None:
    comparison, a, _ = striation_case("in-phase")
    assert comparison.placement is not None
    open_page(browser, pages["in-phase"])
    lag, r = _said(browser)
    assert lag == pytest.approx(comparison.placement.lag_um, abs=0.6)
    assert r == pytest.approx(_correlation(0), abs=0.002)
    before = _find(browser, ".difference-line").get_attribute("d")
    view = _find(browser, ".split svg")
    per_pixel = view_box(browser, view)[2] / view.rect["width"]
    from selenium.webdriver import ActionChains

    browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", view)
    below = int(view.rect["height"] * 0.3)
    ActionChains(browser).move_to_element_with_offset(view, 150, below).click_and_hold().move_by_offset(
        40, 0
    ).release().perform()
    lag_after, r_after = _said(browser)
    points = round((lag_after - lag) / a.signature.spacing_um)
    assert points * a.signature.spacing_um == pytest.approx(40 * per_pixel, abs=3)
    assert r_after == pytest.approx(_correlation(points), abs=0.002)
    assert r_after < 0.6 < r
    moved = browser.find_elements("css selector", ".b-moved")
    assert len(moved) >= 7  # two pictures, the signatures, and an octave each
    assert len({group.get_attribute("transform") for group in moved}) == 1
    assert _find(browser, ".difference-line").get_attribute("d") != before
    # Above the seam lies A: dragging there does not move B.
    ActionChains(browser).move_to_element_with_offset(view, 150, -below).click_and_hold().move_by_offset(
        30, 0
    ).release().perform()
    assert _said(browser)[0] == lag_after
    browser.execute_script("document.querySelector('.move-back').click()")
    assert _said(browser) == (lag, r)
    assert _find(browser, ".difference-line").get_attribute("d") == before


@pytest.mark.slow
def test_b_moves_by_the_keyboard(browser: Any, pages: Pages) -> None:
    from selenium.webdriver.common.keys import Keys

    open_page(browser, pages["in-phase"])
    slider = _find(browser, ".move")
    for _ in range(4):
        slider.send_keys(Keys.ARROW_LEFT)
    assert _said(browser)[1] == pytest.approx(_correlation(-4), abs=0.002)


@pytest.mark.slow
def test_cursor_is_linked_along_pictures_and_charts(browser: Any, pages: Pages) -> None:
    from selenium.webdriver import ActionChains

    open_page(browser, pages["in-phase"])
    chart = _find(browser, ".signatures svg.along")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", chart)
    ActionChains(browser).move_to_element_with_offset(chart, -120, 0).perform()
    crosses = browser.find_elements("css selector", ".linked .cross")
    cursors = browser.find_elements("css selector", "svg.along .cursor")
    assert {c.get_attribute("visibility") for c in [*crosses, *cursors]} == {"visible"}
    places = {float(c.get_attribute("x1")) for c in cursors}
    places |= {float(re.findall(r"-?[\d.]+", c.get_attribute("transform"))[0]) for c in crosses}
    assert len(places) == 1
    comparison, a, b = striation_case("in-phase")
    assert comparison.placement is not None
    axis = overlay(a.signature, b.signature, comparison.placement)
    at = round((places.pop() - axis.first_um) / axis.spacing_um)
    said = _find(browser, ".readout").text.replace("−", "-")
    shown = re.findall(r"height (-?[\d.]+) µm", said)
    assert [float(value) for value in shown] == pytest.approx([axis.a_um[at], axis.b_um[at]], abs=0.006)


@pytest.mark.slow
def test_zoom_keeps_pictures_and_charts_on_one_axis(browser: Any, pages: Pages) -> None:
    open_page(browser, pages["in-phase"])
    browser.execute_script("document.querySelector('.zoom-in').click()")
    boxes = [view_box(browser, svg) for svg in browser.find_elements("css selector", ".linked, svg.along")]
    assert len(boxes) >= 8
    assert {(box[0], box[2]) for box in boxes} == {(boxes[0][0], boxes[0][2])}


@pytest.mark.slow
def test_signatures_without_scans_move_too(browser: Any, pages: Pages) -> None:
    open_page(browser, pages["profiles"])
    lag, r = _said(browser)
    assert r > 0.99
    drag(browser, _find(browser, ".signatures svg.along"), 60)
    assert _said(browser)[0] > lag
    assert _said(browser)[1] < 0.6


def test_a_pair_opens_from_the_matrix(browser: Any, pages: Pages) -> None:
    open_page(browser, pages["bullets"])
    pair = _find(browser, "#pair-3-1")
    assert pair.get_attribute("open") is None
    browser.execute_script("document.querySelector('a[href=\"#pair-3-1\"]').click()")
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(browser, 10).until(lambda _: pair.get_attribute("open") is not None)
    box = pair.find_element("css selector", ".split")
    assert box.is_displayed()
    # Each pair has its own seam and its own B.
    drag(browser, pair.find_element("css selector", ".grip"), 0, 30)
    values = [g.get_attribute("aria-valuenow") for g in browser.find_elements("css selector", ".grip")]
    assert values.count("50") == 5
