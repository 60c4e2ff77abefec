"""The benchmark of striated marks runs, and its figures are those it claims to reproduce."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import DATA, data_folder

from benchmarks.suites.striations import run
from benchmarks.support.record import Context


@pytest.mark.slow
def test_published_counts_and_cross_cuts(tmp_path: Path) -> None:
    data_folder("striations")
    data_folder("bullets")
    records = {r.metric: r.value for r in run(Context(DATA, False, True, tmp_path, rows=("cmps", "crosscuts")))}
    assert records["CMPS counts that differ from the published"] == 0
    assert records["cross-cuts: lowest similarity of repeats"] > 2 * records["cross-cuts: highest of other lands"]
