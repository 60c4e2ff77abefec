"""`ballistics compare-heads`: table, JSON and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from conftest import data_folder

from ballistics.cli import main
from ballistics.surfaces.formats.x3p.writer import write_x3p
from ballistics.surfaces.simulation.heads import simulate_firearm, simulate_head, simulate_shot
from ballistics.surfaces.surface import Surface


@pytest.mark.slow
def test_heads_are_compared_mark_by_mark(tmp_path: Path) -> None:
    for k in (1, 2):
        head = simulate_head(simulate_firearm(1), simulate_shot(60 + k), spacing_um=6.25, field_mm=3.8)
        write_x3p(tmp_path / f"{k}.x3p", head.surface)
    out = tmp_path / "heads.json"
    arguments = ["compare-heads", str(tmp_path / "1.x3p"), str(tmp_path / "2.x3p"), "--json", str(out)]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    for word in ("breech face", "firing pin", "clusters rule", "ejector", "aperture shear", "not added up"):
        assert word in done.output
    document = json.loads(out.read_text(encoding="utf-8"))
    assert document["schema"] == "ballistics/heads/1"
    assert document["marks"]["firing pin"]["scans"]["a"]["name"] == "1.x3p"
    again = CliRunner().invoke(main, arguments)
    assert again.exit_code == 2
    assert "exists already" in again.output


def test_heads_without_marks_exit_with_3(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).normal(size=(200, 200))
    write_x3p(tmp_path / "noise.x3p", Surface(noise, (6.25, 6.25)))
    done = CliRunner().invoke(main, ["compare-heads", *[str(tmp_path / "noise.x3p")] * 2])
    assert done.exit_code == 3
    assert "no breech face found" in done.output


@pytest.mark.slow
def test_aperture_shear_of_two_raw_heads_is_compared_with_parameters_of_ones_own(tmp_path):
    heads = [data_folder("breech-faces/raw") / f"K013sA{n}.x3p" for n in (1, 2)]
    out = tmp_path / "heads.json"
    arguments = ["compare-heads", *map(str, heads), "--units", "micrometres", "--json", str(out)]
    done = CliRunner().invoke(main, [*arguments, "--set", "aperture shear:similarity.clip_sigmas=3"])
    assert done.exit_code == 0, done.output
    document = json.loads(out.read_text())
    assert "aperture shear" in document["compared"]
    assert document["marks"]["aperture shear"]["comparison"]["similarity"]["score"] > 40
    codes = [f["code"] for f in document["marks"]["aperture shear"]["comparison"]["findings"]]
    assert "own-parameters" in codes
    assert "own-parameters" not in [f["code"] for f in document["marks"]["breech face"]["comparison"]["findings"]]
    assert "joint" not in document
    for bad, says in (
        ("clip=3", "MARK:NAME=VALUE"),
        ("toe:a=1", "none of a cartridge head"),
        ("firing pin:x=1", "no parameter"),
    ):
        refused = CliRunner().invoke(main, [*arguments, "--overwrite", "--set", bad])
        assert refused.exit_code == 2
        assert says in refused.output
