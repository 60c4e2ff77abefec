"""The analysts' page: one file that loads nothing, says what it must, and follows what is chosen."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from analyst_graphs import OUTLINES, analyst_graph
from browser_pages import browser_marks, open_page, started_browser

from ballistics.errors import CorruptFileError
from ballistics.exchange import AnalystGraph, Entity, Event, Link
from ballistics.reports import analyst_page


@pytest.fixture(scope="module")
def page():
    return analyst_page(analyst_graph(), "Leads, 2026", OUTLINES)


def test_the_page_loads_nothing(page):
    assert "default-src 'none'" in page
    assert re.findall(r"(?:src|href)=[\"']?(?!#|data:)[^\"'> ]+", page) == []
    assert "http" not in page.replace("http-equiv", "")
    assert page == analyst_page(analyst_graph(), "Leads, 2026", OUTLINES)


def test_leads_and_evaluative_links_are_told_apart(page):
    row = re.search(r"<tr><td>cartridge case 2</td>.*?</tr>", page, re.S).group()
    assert "<td>lead</td>" in row
    assert "–" in row
    assert re.search(r"<td>evaluative</td><td class=\"numeric\">4\.21</td><td>report R-3</td>", page)
    assert "Links do not add up." in page
    assert '2026-07 K-31 robbery <span class="soft">(lead)</span>' in page


def test_names_from_outside_are_text():
    evil = '<script>alert(1)</script>"&\n]]>'
    graph = AnalystGraph(
        (Entity('x" onload="1', "incident", evil, "2026", 42.0, 21.0, {evil[:9]: evil}), Entity("y", "exhibit", evil)),
        (Link("l", "y", 'x" onload="1', evil, "lead", basis=evil),),
        (Event("v", evil, evil, "2026-01", ("y",)),),
    )
    made = analyst_page(graph, evil)
    assert made.count("<script>") == 1
    assert 'onload="1' not in made


def test_an_empty_graph_has_a_page():
    made = analyst_page(AnalystGraph(()), "nothing")
    assert "No two incidents are connected" in made
    assert "Timeline</h2>" not in made


def test_a_large_graph_is_drawn_in_part_and_says_so():
    entities = tuple(Entity(f"i{k}", "incident", f"incident {k}", "2026") for k in range(450))
    made = analyst_page(AnalystGraph(entities), "many")
    assert "50 entities are not drawn" in made


@pytest.mark.parametrize(
    "outlines",
    [
        [],
        {"type": "Topology"},
        {"type": "LineString", "coordinates": [[1000.0, 0.0], [0.0, 0.0]]},
        {"type": "Polygon", "coordinates": "x"},
        {"type": "LineString", "coordinates": [["a", 1]]},
    ],
)
def test_outlines_that_are_none_are_refused(outlines):
    with pytest.raises(CorruptFileError, match="outlines"):
        analyst_page(analyst_graph(), "x", outlines)


def test_one_place_and_one_day_have_a_map_and_a_timeline():
    graph = AnalystGraph((Entity("i", "incident", "K-1", "2026-11-30", 42.0, 21.4),))
    made = analyst_page(graph, "one")
    assert 'class="spot"' in made
    assert 'class="bar"' in made
    south = analyst_page(replace(graph, entities=(replace(graph.entities[0], latitude_deg=-90.0),)), "pole")
    assert 'class="spot"' in south


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    started = started_browser(tmp_path_factory.mktemp("profile"))
    yield started
    started.quit()


class TestInABrowser:
    pytestmark = browser_marks

    def test_what_is_chosen_is_shown_everywhere(self, browser, page, tmp_path):
        from selenium.webdriver.common.by import By
        from selenium.webdriver.common.keys import Keys

        path = tmp_path / "page.html"
        path.write_text(page, encoding="utf-8")
        open_page(browser, path)
        firearm = browser.find_element(By.CSS_SELECTOR, 'g[data-ids="firearm/1"]')
        firearm.send_keys(Keys.ENTER)
        dimmed = {node.get_attribute("data-ids") for node in browser.find_elements(By.CSS_SELECTOR, "g.dimmed")}
        assert {"exhibit/2", "exhibit/3", "incident/2", "place/2"} <= dimmed
        assert not {"firearm/1", "exhibit/1", "incident/3"} & dimmed
        assert "serial 12?456" in browser.find_element(By.ID, "about").text
        firearm.send_keys(Keys.ENTER)
        assert browser.find_elements(By.CSS_SELECTOR, ".dimmed") == []
        browser.find_element(By.CSS_SELECTOR, 'input[data-class="lead"]').click()
        leads = browser.find_elements(By.CSS_SELECTOR, ".link.lead")
        assert leads
        assert not any(node.is_displayed() for node in leads)
        assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
