"""The report in a real Chromium: no error, the seam drags, cursors and cells are linked, it prints."""

from __future__ import annotations

import base64
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from report_cases import case, hostile_case

from ballistics.reports.pages.comparison import comparison_report

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None or DRIVER is None,
        reason="no Chromium with chromedriver on this machine: the report is not tested in a browser "
        "(Debian: apt-get install chromium chromium-driver)",
    ),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    assert CHROMIUM is not None
    options.binary_location = CHROMIUM
    profile = tmp_path_factory.mktemp("profile")
    for flag in (
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
        "--disable-sync", "--no-first-run", "--window-size=1280,1000", f"--user-data-dir={profile}",
    ):  # fmt: skip
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    cases = {kind: case(kind) for kind in ("same-source", "different-source", "insufficient")}
    paths = {}
    for kind, of_kind in {**cases, "hostile": hostile_case()}.items():
        paths[kind] = folder / f"{kind}.html"
        paths[kind].write_text(comparison_report(*of_kind), encoding="utf-8")
    return paths


def _open(browser: Any, path: Path) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(path.as_uri())
    # On a busy machine `get` can come back before the page is read to its end.
    WebDriverWait(browser, 60).until(lambda b: b.execute_script("return document.readyState") == "complete")


def _by_id(browser: Any, name: str) -> Any:
    return browser.find_element("id", name)


def _view_box(browser: Any, view: Any) -> list[float]:
    # WebDriver asks for attributes in lower case, and SVG's are not.
    numbers: list[float] = browser.execute_script(
        "return arguments[0].getAttribute('viewBox').split(' ').map(Number)", view
    )
    return numbers


def _drag(browser: Any, element: Any, dx: int, dy: int = 0) -> None:
    from selenium.webdriver import ActionChains

    browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
    ActionChains(browser).click_and_hold(element).move_by_offset(dx, dy).release().perform()


@pytest.mark.parametrize("kind", ["same-source", "different-source", "insufficient", "hostile"])
def test_opens_without_an_error_and_loads_nothing(browser: Any, pages: dict[str, Path], kind: str) -> None:
    _open(browser, pages[kind])
    assert browser.get_log("browser") == []
    asked = re.findall(
        r'"url":"((?!data:)[^"]*)"', " ".join(entry["message"] for entry in browser.get_log("performance"))
    )
    assert not [url for url in asked if url.startswith(("http:", "https:", "ws:", "//"))]
    assert browser.execute_script("return window.injected") is None
    assert browser.execute_script("return document.images.length") == 0


def test_pictures_are_decoded(browser: Any, pages: dict[str, Path]) -> None:
    _open(browser, pages["same-source"])
    sizes = browser.execute_async_script(
        "const done = arguments[0];"
        "Promise.all([...document.querySelectorAll('.store image')].map(i => {"
        "  const p = new Image(); p.src = i.getAttribute('href');"
        "  return p.decode().then(() => p.naturalWidth); })).then(done, e => done(String(e)));"
    )
    assert len(sizes) == 9
    assert min(sizes) > 100


def test_seam_drags_and_follows_the_keyboard(browser: Any, pages: dict[str, Path]) -> None:
    from selenium.webdriver.common.keys import Keys

    _open(browser, pages["same-source"])
    seam, split = _by_id(browser, "seam"), _by_id(browser, "split")
    clip = browser.find_element("css selector", "#left-of-seam rect")
    view = _view_box(browser, browser.find_element("css selector", "#split svg"))
    width = split.size["width"]
    assert seam.get_attribute("role") == "slider"
    assert seam.get_attribute("aria-valuenow") == "50"
    _drag(browser, seam, width // 4)
    moved = float(seam.get_attribute("aria-valuenow"))
    assert moved == pytest.approx(75, abs=1)
    assert float(clip.get_attribute("width")) / view[2] == pytest.approx(0.75, abs=0.01)
    for key, value in ((Keys.ARROW_LEFT, moved - 1), (Keys.ARROW_RIGHT, moved), (Keys.HOME, 0), (Keys.END, 100)):
        seam.send_keys(key)
        assert float(seam.get_attribute("aria-valuenow")) == value
    assert float(clip.get_attribute("width")) == pytest.approx(view[2])


def test_cursors_are_linked(browser: Any, pages: dict[str, Path]) -> None:
    from selenium.webdriver import ActionChains

    _open(browser, pages["same-source"])
    views = [_by_id(browser, name) for name in ("view-a", "view-b", "view-difference")]
    crosses = [view.find_element("css selector", ".cross") for view in views]
    assert {cross.get_attribute("visibility") for cross in crosses} == {"hidden"}
    browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", views[0])
    ActionChains(browser).move_to_element_with_offset(views[0], 40, 20).perform()
    first = crosses[0].get_attribute("transform")
    assert {cross.get_attribute("visibility") for cross in crosses} == {"visible"}
    assert {cross.get_attribute("transform") for cross in crosses} == {first}
    box = _view_box(browser, views[0])
    x, y = (float(number) for number in re.findall(r"-?[\d.]+", first))
    per_pixel = box[2] / views[0].rect["width"]
    assert x == pytest.approx(box[0] + box[2] / 2 + 40 * per_pixel, abs=3 * per_pixel)
    assert y == pytest.approx(box[1] + box[3] / 2 + 20 * per_pixel, abs=3 * per_pixel)
    ActionChains(browser).move_to_element_with_offset(views[1], -30, -30).perform()
    assert crosses[0].get_attribute("transform") == crosses[1].get_attribute("transform") != first
    comparison, _, _ = case("same-source")
    assert comparison.pose is not None
    x, y = (float(number) for number in re.findall(r"-?[\d.]+", crosses[1].get_attribute("transform")))
    on_b = comparison.pose.inverse().apply(x, y)
    said = _by_id(browser, "readout").text.replace("−", "-").split("B:")[1]
    shown = [float(number) for number in re.findall(r"-?\d+\.\d+", said)]
    assert shown == pytest.approx([value / 1000 for value in on_b], abs=0.002)


def test_zoom_moves_all_views_and_keeps_the_seam(browser: Any, pages: dict[str, Path]) -> None:
    _open(browser, pages["same-source"])
    views = browser.find_elements("css selector", ".linked")
    whole = _view_box(browser, views[0])
    browser.execute_script("document.getElementById('zoom-in').click()")
    zoomed = _view_box(browser, views[0])
    assert [_view_box(browser, view) for view in views] == [zoomed] * 4
    assert zoomed[2] == pytest.approx(whole[2] / 1.6)
    clip = browser.find_element("css selector", "#left-of-seam rect")
    assert float(clip.get_attribute("x")) + float(clip.get_attribute("width")) == pytest.approx(
        zoomed[0] + zoomed[2] / 2
    )
    _drag(browser, views[1], 30, 10)
    moved = _view_box(browser, views[0])
    assert moved[0] < zoomed[0]
    assert moved[1] < zoomed[1]
    browser.execute_script("document.getElementById('zoom-reset').click()")
    assert _view_box(browser, views[2]) == whole


def test_rendering_and_excluded_areas_can_be_switched(browser: Any, pages: dict[str, Path]) -> None:
    _open(browser, pages["same-source"])
    relief = browser.find_element("css selector", "#view-a .relief")
    heights = browser.find_element("css selector", "#view-a .heights")
    assert relief.is_displayed()
    assert not heights.is_displayed()
    browser.execute_script("document.querySelector('input[value=heights]').click()")
    assert heights.is_displayed()
    assert not relief.is_displayed()
    cause = browser.find_element("css selector", "#before path.cause")
    assert cause.value_of_css_property("display") != "none"
    browser.execute_script("document.getElementById('causes').click()")
    assert cause.value_of_css_property("display") == "none"


def test_rule_and_direction_change_the_cell_map(browser: Any, pages: dict[str, Path]) -> None:
    from selenium.webdriver.support.select import Select

    _open(browser, pages["same-source"])
    comparison, _, _ = case("same-source")

    def shown() -> Any:
        maps = [m for m in browser.find_elements("css selector", ".cellmap") if m.is_displayed()]
        assert len(maps) == 1
        return maps[0]

    assert shown().get_attribute("data-rule") == "significance"
    for name, rule in comparison.rules.items():
        Select(_by_id(browser, "rule")).select_by_value(name)
        for letter, verdict in (("a", rule.a_in_b), ("b", rule.b_in_a)):
            Select(_by_id(browser, "direction")).select_by_value(letter)
            current = shown()
            assert (current.get_attribute("data-rule"), current.get_attribute("data-direction")) == (name, letter)
            first = current.find_element("css selector", "svg")
            assert len(first.find_elements("css selector", ".cell.congruent")) == verdict.count


def test_a_cell_lights_up_on_both_marks(browser: Any, pages: dict[str, Path]) -> None:
    _open(browser, pages["same-source"])
    browser.execute_script(
        "document.querySelector('.cellmap.shown .cell.congruent rect')"
        ".dispatchEvent(new MouseEvent('click', {bubbles: true}))"
    )
    lit = browser.find_elements("css selector", ".cellmap.shown .cell.lit")
    assert len(lit) == 2
    assert len({cell.get_attribute("data-cell") for cell in lit}) == 1


def test_cell_table_sorts(browser: Any, pages: dict[str, Path]) -> None:
    _open(browser, pages["same-source"])
    table = browser.find_element("css selector", "table.cells")
    read = "return [...arguments[0].tBodies[0].rows].map(r => Number(r.children[7].dataset.sort));"  # correlation
    before = browser.execute_script(read, table)
    button = table.find_elements("css selector", "thead th button")[7]
    browser.execute_script("arguments[0].click()", button)
    assert browser.execute_script(read, table) == sorted(before, reverse=True)
    browser.execute_script("arguments[0].click()", button)
    assert browser.execute_script(read, table) == sorted(before)


@pytest.mark.parametrize(("kind", "least", "most"), [("same-source", 6, 14), ("insufficient", 2, 7)])
def test_prints_to_a_sensible_number_of_pages(
    browser: Any, pages: dict[str, Path], kind: str, least: int, most: int
) -> None:
    _open(browser, pages[kind])
    pdf = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": False, "preferCSSPageSize": True})["data"]
    count = len(re.findall(rb"/Type\s*/Page\b", base64.b64decode(pdf)))
    assert least <= count <= most
