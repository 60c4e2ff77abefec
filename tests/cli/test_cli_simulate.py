"""`ballistics simulate`: what it writes, and that equal options give equal bytes."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from click import Context
from click.testing import CliRunner

from ballistics.cli import main
from ballistics.surfaces.simulation.difficulty import DIFFICULTIES


@pytest.mark.slow
def test_equal_options_equal_bytes_and_no_overwriting(tmp_path: Path) -> None:
    options = [
        "--firearms",
        "1",
        "--shots",
        "2",
        "--seed",
        "9",
        "--spacing-um",
        "50",
        "--breech-face",
        "filed",
    ]
    for name in ("a", "b"):
        result = CliRunner().invoke(main, ["simulate", str(tmp_path / name), *options, "--quiet"])
        assert result.exit_code == 0, result.output
        assert result.output == ""
    written = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert written == sorted(
        [f"F0000-S0{shot}.{ending}" for shot in (0, 1) for ending in ("x3p", "region.png", "labels.png")]
        + ["truth.csv"]
    )
    for name in written:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    refused = CliRunner().invoke(main, ["simulate", str(tmp_path / "a"), *options])
    assert refused.exit_code == 2
    assert "exists already" in refused.output
    allowed = CliRunner().invoke(main, ["simulate", str(tmp_path / "a"), *options, "--overwrite"])
    assert allowed.exit_code == 0
    assert "2 scans" in allowed.output


def test_difficulties_are_those_of_the_library(tmp_path: Path) -> None:
    (option,) = (p for p in main.get_command(Context(main), "simulate").params if p.name == "difficulty")
    assert list(option.type.choices) == list(DIFFICULTIES)
    folder = tmp_path / "faint"
    options = ["--firearms", "1", "--shots", "1", "--field-mm", "1", "--difficulty", "faint", "--quiet"]
    result = CliRunner().invoke(main, ["simulate", str(folder), *options])
    assert result.exit_code == 0, result.output
    with (folder / "truth.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert float(row["spacing_um"]) == 7.4
    assert 0.5 <= float(row["contact"]) <= 0.75
    assert 15.0 <= float(row["transfer_cutoff_um"]) <= 20.0
