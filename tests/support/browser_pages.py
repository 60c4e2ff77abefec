"""Pages opened in a headless Chromium: which tests need one, and what they do with a page."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")

# Chromium costs more than the pages: in the fast set the pages are read as text.
browser_marks = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None or DRIVER is None,
        reason="no Chromium with chromedriver on this machine: the report is not tested in a browser "
        "(Debian: apt-get install chromium chromium-driver)",
    ),
]


class Pages:
    """Pages in a folder, by kind, each made when it is first asked for."""

    def __init__(self, folder: Path, make: Callable[[str], str]) -> None:
        self._folder, self._make = folder, make

    def __getitem__(self, kind: str) -> Path:
        path = self._folder / f"{kind}.html"
        if not path.exists():
            path.write_text(self._make(kind), encoding="utf-8")
        return path


def started_browser(profile: Path) -> Any:
    """Return a browser with an empty profile; quit it."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    assert CHROMIUM is not None
    options.binary_location = CHROMIUM
    for flag in (
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
        "--disable-sync", "--no-first-run", "--window-size=1280,1000", f"--user-data-dir={profile}",
    ):  # fmt: skip
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service(DRIVER))


def open_page(browser: Any, path: Path) -> None:
    """Open a page and wait until it is read to its end."""
    from selenium.webdriver.support.ui import WebDriverWait

    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(path.as_uri())
    # On a busy machine `get` can come back before the page is read to its end.
    WebDriverWait(browser, 60).until(lambda b: b.execute_script("return document.readyState") == "complete")


def view_box(browser: Any, view: Any) -> list[float]:
    """Return the four numbers of an SVG's view box."""
    # WebDriver asks for attributes in lower case, and SVG's are not.
    numbers: list[float] = browser.execute_script(
        "return arguments[0].getAttribute('viewBox').split(' ').map(Number)", view
    )
    return numbers


def drag(browser: Any, element: Any, dx: int, dy: int = 0) -> None:
    """Drag an element by pixels."""
    from selenium.webdriver import ActionChains
    from selenium.webdriver.support.ui import WebDriverWait

    browser.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
    # A link's smooth scrolling may still be under way: the pointer would press where the element no longer is.
    places: list[Any] = [None]

    def stands_still(_: Any) -> bool:
        places.append(browser.execute_script("return arguments[0].getBoundingClientRect().toJSON()", element))
        return places[-1] == places[-2]

    WebDriverWait(browser, 20, poll_frequency=0.1).until(stands_still)
    ActionChains(browser).click_and_hold(element).move_by_offset(dx, dy).release().perform()
