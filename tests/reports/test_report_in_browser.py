"""The report in a real Chromium: no error, the seam drags, cursors and cells are linked, it prints."""

from __future__ import annotations

import base64
import re
from typing import Any

import cv2
import numpy as np
import pytest
from browser_pages import Pages, browser_marks, drag, open_page, view_box
from families import fast_and_slow
from report_cases import case, hostile_case

from ballistics.reports.figures.registered_pair import registered_pair
from ballistics.reports.pages.comparison import comparison_report

pytestmark = browser_marks


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    def make(kind: str) -> str:
        return comparison_report(*(hostile_case() if kind == "hostile" else case(kind)))

    return Pages(tmp_path_factory.mktemp("reports"), make)


def _by_id(browser: Any, name: str) -> Any:
    return browser.find_element("id", name)


@pytest.mark.parametrize("kind", fast_and_slow(["same-source"], ["different-source", "insufficient", "hostile"]))
def test_opens_without_an_error_and_loads_nothing(browser: Any, pages: Pages, kind: str) -> None:
    open_page(browser, pages[kind])
    assert browser.get_log("browser") == []
    asked = re.findall(
        r'"url":"((?!data:)[^"]*)"', " ".join(entry["message"] for entry in browser.get_log("performance"))
    )
    assert not [url for url in asked if url.startswith(("http:", "https:", "ws:", "//"))]
    assert browser.execute_script("return window.injected") is None
    assert browser.execute_script("return document.images.length") == 0


def test_pictures_are_decoded(browser: Any, pages: Pages) -> None:
    open_page(browser, pages["same-source"])
    sizes = browser.execute_async_script(
        "const done = arguments[0];"
        "Promise.all([...document.querySelectorAll('.store image')].map(i => {"
        "  const p = new Image(); p.src = i.getAttribute('href');"
        "  return p.decode().then(() => p.naturalWidth); })).then(done, e => done(String(e)));"
    )
    assert len(sizes) == 13
    assert min(sizes) > 100


def _points(browser: Any, css: str) -> list[tuple[float, float]]:
    text = browser.find_element("css selector", css).get_attribute("points")
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in text.split())]


@pytest.mark.slow
def test_seam_starts_on_the_marks_drags_and_follows_the_keyboard(browser: Any, pages: Pages) -> None:
    from selenium.webdriver.common.keys import Keys

    open_page(browser, pages["same-source"])
    grip, split = browser.find_element("css selector", ".grip"), browser.find_element("css selector", ".split")
    view = view_box(browser, browser.find_element("css selector", ".split svg"))
    width = split.size["width"]
    assert grip.get_attribute("role") == "slider"
    start = float(grip.get_attribute("aria-valuenow"))
    # Not in the empty middle: the seam stands where it crosses most of both marks.
    assert abs(start - 50) > 10
    grids = registered_pair(*(scan.mark for scan in case("same-source")[1:]), case("same-source")[0].pose)
    both = np.isfinite(grids[0].heights_um) & np.isfinite(grids[1].heights_um)
    lengths = both.sum(axis=0)
    assert lengths[round(start / 100 * len(lengths))] > 0.9 * lengths.max()
    step = width // 8 if start < 50 else -width // 8
    drag(browser, grip, step)
    moved = float(grip.get_attribute("aria-valuenow"))
    assert moved == pytest.approx(start + 100 * step / width, abs=1.5)
    edge = _points(browser, ".half-a")[0][0]
    assert (edge - view[0]) / view[2] == pytest.approx(moved / 100, abs=0.01)
    for key, value in ((Keys.ARROW_LEFT, moved - 1), (Keys.ARROW_RIGHT, moved), (Keys.HOME, 0), (Keys.END, 100)):
        grip.send_keys(key)
        assert float(grip.get_attribute("aria-valuenow")) == pytest.approx(value, abs=1)
    assert _points(browser, ".half-a")[0][0] == pytest.approx(view[0] + view[2], abs=1)


@pytest.mark.slow
def test_seam_can_be_turned(browser: Any, pages: Pages) -> None:
    from selenium.webdriver.common.keys import Keys

    open_page(browser, pages["same-source"])
    grip, turn = browser.find_element("css selector", ".grip"), browser.find_element("css selector", ".turn")
    centres = [node.location["y"] + node.size["height"] / 2 for node in (grip, turn)]
    distance = round(centres[1] - centres[0])
    drag(browser, turn, -distance, -distance)  # from below the middle to its left
    assert float(turn.get_attribute("aria-valuenow")) == pytest.approx(90, abs=2)
    tags = browser.find_elements("css selector", ".tag")
    assert [tag.get_attribute("data-side") for tag in tags] == ["above", "below"]
    first, second = _points(browser, ".half-a")[:2]
    assert abs(first[1] - second[1]) < 0.15 * abs(first[0] - second[0])
    turn.send_keys(Keys.ARROW_RIGHT)
    assert float(turn.get_attribute("aria-valuenow")) == pytest.approx(91, abs=2)


@pytest.mark.slow
def test_light_is_chosen_and_starts_as_drawn(browser: Any, pages: Pages) -> None:
    """What the page draws in the first light is the relief of the report; in light from the other side it differs."""
    open_page(browser, pages["same-source"])
    compare = (
        "const done = arguments[0]; const node = document.getElementById('pair-a-relief');"
        "const read = async () => { const p = new Image(); p.src = node.getAttribute('href'); await p.decode();"
        "  const c = document.createElement('canvas'); c.width = p.naturalWidth; c.height = p.naturalHeight;"
        "  const x = c.getContext('2d'); x.drawImage(p, 0, 0); return x.getImageData(0, 0, c.width, c.height).data; };"
        "const far = (a, b) => { let s = 0, n = 0; for (let k = 0; k < a.length; k += 4) if (a[k + 3]) {"
        "  s += Math.abs(a[k] - b[k]); n += 1; } return s / n; };"
        "(async () => { const before = await read(); const out = [];"
        "  const root = document.querySelector('.microscope');"
        "  for (const from of [135, 315]) { const range = root.querySelector('.light-from'); range.value = from;"
        "    delete root.dataset.lit; range.dispatchEvent(new Event('input'));"
        "    while (!root.dataset.lit) await new Promise((go) => setTimeout(go, 20));"
        "    out.push(far(before, await read())); } done(out); })();"
    )
    same, other = browser.execute_async_script(compare)
    assert same < 2.5  # of 255; both are rounded
    assert other > 20
    assert "lower right" in browser.find_element("css selector", ".light-said").text


@pytest.mark.slow
def test_picture_is_saved(browser: Any, pages: Pages) -> None:
    open_page(browser, pages["same-source"])
    uri = browser.execute_async_script(
        "const done = arguments[0]; const link = document.querySelector('.saved');"
        "link.addEventListener('click', (event) => { event.preventDefault(); done(link.href); });"
        "document.querySelector('.save-picture').click();"
    )
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(uri.partition(",")[2]), np.uint8), cv2.IMREAD_COLOR)
    box = view_box(browser, browser.find_element("css selector", ".split svg"))
    assert picture.shape[1] == 1800
    assert picture.shape[0] == pytest.approx(1800 * box[3] / box[2] + 110, abs=1)
    amber = (picture == (0, 165, 240)).all(axis=2)
    assert amber.any(axis=1).mean() > 0.8  # the seam, from top to bottom
    assert 0.05 < (picture.max(axis=2) < 200).mean() < 0.9


@pytest.mark.slow
def test_cursors_are_linked(browser: Any, pages: Pages) -> None:
    from selenium.webdriver import ActionChains

    open_page(browser, pages["same-source"])
    views = [browser.find_element("css selector", f".view-{name}") for name in ("a", "b", "difference")]
    crosses = [view.find_element("css selector", ".cross") for view in views]
    assert {cross.get_attribute("visibility") for cross in crosses} == {"hidden"}
    browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", views[0])
    ActionChains(browser).move_to_element_with_offset(views[0], 40, 20).perform()
    first = crosses[0].get_attribute("transform")
    assert {cross.get_attribute("visibility") for cross in crosses} == {"visible"}
    assert {cross.get_attribute("transform") for cross in crosses} == {first}
    box = view_box(browser, views[0])
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
    said = browser.find_element("css selector", ".readout").text.replace("−", "-").split("B:")[1]
    shown = [float(number) for number in re.findall(r"-?\d+\.\d+", said)]
    assert shown == pytest.approx([value / 1000 for value in on_b], abs=0.002)


def test_zoom_moves_all_views_and_keeps_the_seam(browser: Any, pages: Pages) -> None:
    open_page(browser, pages["same-source"])
    views = browser.find_elements("css selector", ".linked")
    whole = view_box(browser, views[0])
    browser.execute_script("document.querySelector('.zoom-in').click()")
    zoomed = view_box(browser, views[0])
    assert [view_box(browser, view) for view in views] == [zoomed] * 4
    assert zoomed[2] == pytest.approx(whole[2] / 1.6)
    at = float(browser.find_element("css selector", ".microscope").get_attribute("data-seam-x"))
    assert _points(browser, ".half-a")[0][0] == pytest.approx(zoomed[0] + zoomed[2] * at / 100, abs=0.1)
    drag(browser, views[1], 30, 10)
    moved = view_box(browser, views[0])
    assert moved[0] < zoomed[0]
    assert moved[1] < zoomed[1]
    browser.execute_script("document.querySelector('.zoom-reset').click()")
    assert view_box(browser, views[2]) == whole


@pytest.mark.slow
def test_rendering_and_excluded_areas_can_be_switched(browser: Any, pages: Pages) -> None:
    open_page(browser, pages["same-source"])
    relief = browser.find_element("css selector", ".view-a .relief")
    heights = browser.find_element("css selector", ".view-a .heights")
    assert relief.is_displayed()
    assert not heights.is_displayed()
    browser.execute_script("document.querySelector('input[value=heights]').click()")
    assert heights.is_displayed()
    assert not relief.is_displayed()
    cause = browser.find_element("css selector", "#before path.cause")
    assert cause.value_of_css_property("display") != "none"
    browser.execute_script("document.getElementById('causes').click()")
    assert cause.value_of_css_property("display") == "none"


def test_rule_and_direction_change_the_cell_map(browser: Any, pages: Pages) -> None:
    from selenium.webdriver.support.select import Select

    open_page(browser, pages["same-source"])
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


@pytest.mark.slow
def test_a_cell_lights_up_on_both_marks(browser: Any, pages: Pages) -> None:
    open_page(browser, pages["same-source"])
    browser.execute_script(
        "document.querySelector('.cellmap.shown .cell.congruent rect')"
        ".dispatchEvent(new MouseEvent('click', {bubbles: true}))"
    )
    lit = browser.find_elements("css selector", ".cellmap.shown .cell.lit")
    assert len(lit) == 2
    assert len({cell.get_attribute("data-cell") for cell in lit}) == 1


def test_cell_table_sorts(browser: Any, pages: Pages) -> None:
    open_page(browser, pages["same-source"])
    table = browser.find_element("css selector", "table.cells")
    read = "return [...arguments[0].tBodies[0].rows].map(r => Number(r.children[7].dataset.sort));"  # correlation
    before = browser.execute_script(read, table)
    button = table.find_elements("css selector", "thead th button")[7]
    browser.execute_script("arguments[0].click()", button)
    assert browser.execute_script(read, table) == sorted(before, reverse=True)
    browser.execute_script("arguments[0].click()", button)
    assert browser.execute_script(read, table) == sorted(before)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "least", "most"), [("same-source", 6, 14), ("insufficient", 2, 7)])
def test_prints_to_a_sensible_number_of_pages(browser: Any, pages: Pages, kind: str, least: int, most: int) -> None:
    open_page(browser, pages[kind])
    pdf = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": False, "preferCSSPageSize": True})["data"]
    count = len(re.findall(rb"/Type\s*/Page\b", base64.b64decode(pdf)))
    assert least <= count <= most
