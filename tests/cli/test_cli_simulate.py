"""`ballistics simulate`: what it writes, and that equal options give equal bytes."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from ballistics.cli import main


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
