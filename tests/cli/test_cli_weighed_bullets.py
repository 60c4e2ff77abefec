"""Whole bullets from scans to a likelihood ratio: a reference of simulated barrels, a case, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from remembered import remembering

from ballistics.cli import main
from ballistics.evidence import load_reference
from ballistics.surfaces import LandShot, LandSource, simulate_land, write_x3p

BARRELS, LANDS = 6, 2
STATED = ("--calibre", "9 mm Luger", "--instrument", "confocal")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def write_bullet(folder: Path, barrel: int, shot: int) -> list[str]:
    """Write one bullet of a barrel, its lands in a phase of its own, and return the names of the files."""
    source = LandSource(900 + barrel, 77, LANDS, width_um=900.0)
    names = []
    for land in range(LANDS):
        made = simulate_land(source, LandShot(10 * barrel + shot, own_share=0.2), land + shot, length_um=250.0)
        names.append(f"{barrel}-{shot}-{land + 1}.x3p")
        write_x3p(folder / names[-1], made.surface)
    return names


@pytest.fixture(scope="module")
def reference(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("barrels")
    (out / "scans").mkdir()
    rows = ["scan,firearm,case,land"]
    for barrel in range(BARRELS):
        for shot in range(2):
            for land, name in enumerate(write_bullet(out / "scans", barrel, shot), 1):
                rows.append(f"{name},barrel {barrel},bullet {shot},{land}")
    (out / "truth.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    done = run("reference", "build", out / "scans", out / "truth.csv", "--mark", "bullet", *STATED, "--workers", 1,
               "--out", out / "bullets.json")  # fmt: skip
    assert done.exit_code == 0, done.output
    assert f"{BARRELS} same-source and 60 different-source pairs of {BARRELS}" in " ".join(done.output.split())
    return out / "bullets.json"


@pytest.mark.slow
def test_a_case_is_weighed_and_the_page_says_so(reference, tmp_path):
    populations = load_reference(reference)
    assert [p.score for p in populations] == ["similarity", "count", "correlation"]
    assert populations[0].conditions.mark_kind == "bullet"
    for name, barrel, shot in (("a", 20, 0), ("b", 20, 1), ("other", 21, 0)):
        (tmp_path / name).mkdir()
        write_bullet(tmp_path / name, barrel, shot)
    page, document = tmp_path / "page.html", tmp_path / "ab.json"
    with remembering():
        done = run("compare-bullets", tmp_path / "a", tmp_path / "b", "--reference", reference, *STATED, "--report",
                   page, "--json", document)  # fmt: skip
        assert done.exit_code == 0, done.output
        assert "The two bullets were fired from the same barrel." in done.output
        assert "model: logistic on similarity of the bullets (nats)" in " ".join(done.output.split())
        weight = json.loads(document.read_text())["evaluation"]
        assert weight["status"] == "evaluated"
        assert weight["log10_lr"] > 0
        assert "Evaluative report" in page.read_text(encoding="utf-8")
        apart = run("compare-bullets", tmp_path / "a", tmp_path / "other", "--reference", reference, *STATED, "--json",
                    tmp_path / "other.json", "--quiet")  # fmt: skip
        assert apart.exit_code == 0, apart.output
        assert json.loads((tmp_path / "other.json").read_text())["evaluation"]["log10_lr"] < 0
        # Swapped, the same weight; of a bullet of the reference, without its barrel; other parameters, none.
        back = run("compare-bullets", tmp_path / "b", tmp_path / "a", "--reference", reference, *STATED, "--json",
                   tmp_path / "ba.json", "--quiet")  # fmt: skip
        assert back.exit_code == 0
        assert json.loads((tmp_path / "ba.json").read_text())["evaluation"]["log10_lr"] == weight["log10_lr"]
        (tmp_path / "known").mkdir()
        write_bullet(tmp_path / "known", 3, 0)
        known = run("compare-bullets", tmp_path / "known", tmp_path / "a", "--reference", reference, *STATED)
        assert "barrel 3" in known.output
        own = run("compare-bullets", tmp_path / "a", tmp_path / "b", "--reference", reference, *STATED, "--set",
                  "similarity.clip_sigmas=3")  # fmt: skip
        assert own.exit_code == 0
        assert "NO LIKELIHOOD RATIO" in own.output
        assert "clip_sigmas" in own.output


def test_lands_must_be_named(tmp_path):
    (tmp_path / "scans").mkdir()
    table = tmp_path / "truth.csv"
    table.write_text("scan,firearm,case\na.x3p,A,1\nb.x3p,A,2\n", encoding="utf-8")
    done = run(
        "reference", "build", tmp_path / "scans", table, "--mark", "bullet", *STATED, "--out", tmp_path / "r.json"
    )
    assert done.exit_code == 2
    assert "does not say which land of which bullet" in " ".join(done.output.replace("│", " ").split())
    done = run("batch", tmp_path / "scans", "--mark", "bullet", "--out", tmp_path / "pairs.csv")
    assert done.exit_code == 2
