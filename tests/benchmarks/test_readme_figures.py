"""The README's numbers come from the records of the benchmarks."""

from __future__ import annotations

from benchmarks.readme import ROOT, figures_page, with_table


def test_headline_numbers_are_those_of_the_records() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert with_table(readme) == readme, "run: python -m benchmarks.readme"


def test_the_page_of_figures_is_that_of_the_records() -> None:
    page = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")
    assert figures_page() == page, "run: python -m benchmarks.readme"
