"""Whatever the pages import can be imported."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
IMPORTS = sorted(
    {
        (page.relative_to(ROOT).as_posix(), line)
        for page in PAGES
        for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.S)
        for line in re.findall(r"^(?:>>> )?((?:from|import) ballistics.*)$", block, re.M)
    }
)


def test_there_are_pages_with_imports():
    assert len({page for page, _ in IMPORTS}) >= 4


@pytest.mark.parametrize(("page", "line"), IMPORTS)
def test_imports_of_a_page(page, line):
    exec(line, {})
