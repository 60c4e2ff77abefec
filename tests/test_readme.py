"""The README's numbers come from the records of the benchmarks; importing the package is quick."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.readme import ROOT, with_table


def test_headline_numbers_are_those_of_the_records() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert with_table(readme) == readme, "run: python -m benchmarks.readme"


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, ballistics; print(*(m for m in ('numpy', 'scipy', 'numba', 'cv2', 'rich') if m in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.split() == []
