"""The README's numbers come from the records of the benchmarks; importing the package is quick."""

from __future__ import annotations

import re
import subprocess
import sys

from benchmarks.readme import ROOT, figures_page, with_table


def test_headline_numbers_are_those_of_the_records() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert with_table(readme) == readme, "run: python -m benchmarks.readme"


def test_the_page_of_figures_is_that_of_the_records() -> None:
    page = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")
    assert figures_page() == page, "run: python -m benchmarks.readme"


def test_every_page_the_readme_links_to_is_there() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\((docs/[^)]+)\)", readme)
    assert len(links) >= 10
    assert [link for link in links if not (ROOT / link).is_file()] == []


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, ballistics; print(*(m for m in ('numpy', 'scipy', 'numba', 'cv2', 'rich') if m in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.split() == []
