"""Two bullets from folders: the phase, missing and unreadable lands, fragments, tables of lands, exchanged bullets."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import data_folder
from remembered import remembering

from ballistics.cli import main
from ballistics.errors import CorruptFileError, ParameterError, ReadError
from ballistics.front import BulletsComparison, compare_bullet_folders
from ballistics.front.bullets import _by_numbers

# Land i of the first bullet was cut by what cut land i + 4 of the second (`test_lands.py`).
PHASE = 4


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module", autouse=True)
def prepared_once():
    """What is tested is which lands are taken, compared and told: each scan is made a land once."""
    with remembering():
        yield


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> tuple[Path, Path]:
    """The six lands of two bullets."""
    out = tmp_path_factory.mktemp("bullets")
    for bullet in (1, 2):
        (out / f"{bullet}").mkdir()
        for land in range(1, 7):
            path = data_folder("bullets/hamby44-barrel1") / f"Barrel_1-Bullet_{bullet}-Land_{land}.x3p"
            (out / f"{bullet}" / path.name).symlink_to(path)
    return out / "1", out / "2"


@pytest.fixture(scope="module")
def compared(folders, prepared_once) -> BulletsComparison:
    return compare_bullet_folders(*folders)


@pytest.mark.slow
def test_the_phase_is_found_and_its_pairs_compared(compared):
    found = compared.bullets
    assert found.phase == PHASE
    assert found.margin > 150
    assert found.probability == pytest.approx(6 / 720)
    assert sorted(compared.pairs) == [(i, (i + PHASE) % 6) for i in range(6)]
    for place, comparison in compared.pairs.items():
        assert comparison.score == pytest.approx(found.scores[place], abs=1e-3)
        assert comparison.score > 100


@pytest.mark.slow
def test_exchanged_bullets_have_the_identical_score(folders, compared):
    back = compare_bullet_folders(*folders[::-1])
    there = compared.bullets
    assert (back.bullets.score, back.bullets.margin) == (there.score, there.margin)
    assert back.bullets.phase == (6 - PHASE) % 6
    assert (back.bullets.scores == there.scores.T).all()
    assert back.bullets.phase_means[(6 - PHASE) % 6] == there.phase_means[PHASE]
    assert sorted(back.pairs) == sorted((j, i) for i, j in compared.pairs)


def test_the_command_prints_and_writes(folders, compared, tmp_path):
    out, page = tmp_path / "bullets.json", tmp_path / "bullets.html"
    done = run("compare-bullets", *folders, "--json", out, "--report", page)
    assert done.exit_code == 0, done.output
    assert "In the best of 6 phases 6 pairs of lands agree" in done.output
    assert "Land 1 of A lies on land 5 of B" in done.output
    written = json.loads(out.read_text())
    assert written["comparison"]["phase"] == PHASE
    assert len(written["pairs"]) == 6
    assert out.read_bytes() == compared.json()
    html = page.read_text(encoding="utf-8")
    assert "<html" in html[:200]
    first = html.split("What the numbers do not say")[0]
    mean = compared.bullets.phase_means[PHASE]
    assert f"6 pairs of lands agree by {mean:.0f} nats on average" in first
    assert "with probability 0.0083; 6 lands cannot show less than 0.0083" in first
    assert html.count('class="opened"') == html.count('class="microscope striated"') == 6
    assert html.count('class="land-steps"') == 12
    assert len(set(re.findall(r' id="([^"]+)"', html))) == len(re.findall(r' id="([^"]+)"', html))
    assert len(html) < 10_000_000
    assert run("compare-bullets", *folders, "--json", out).exit_code == 2


@pytest.mark.slow
def test_missing_and_unreadable_lands_are_told_and_the_rest_compared(folders, tmp_path):
    bad = tmp_path / "bad"
    bad.mkdir()
    for path in folders[1].iterdir():
        if "Land_2" in path.name:
            (bad / path.name).write_bytes(path.read_bytes()[:5000])
        elif "Land_4" not in path.name:
            (bad / path.name).symlink_to(path)
    table = tmp_path / "lands.csv"
    table.write_text(
        "scan,land\n" + "".join(f"Barrel_1-Bullet_{b}-Land_{n}.x3p,{n}\n" for b in (1, 2) for n in range(1, 7))
    )
    found = compare_bullet_folders(folders[0], bad, lands=(None, table))
    assert found.bullets.phase == PHASE
    assert found.bullets.pairs == 4
    assert found.b[3] is None
    assert "cannot be read" in found.b[1].mark.insufficient
    written = found.to_dict()
    assert written["bullets"]["b"][3] is None
    assert "cannot be read" in written["bullets"]["b"][1]["signature"]["insufficient"]
    done = run("compare-bullets", folders[0], bad, "--lands-b", table)
    assert done.exit_code == 0
    assert "B4: no scan" in done.output
    assert "B2: Barrel_1-Bullet_2-Land_2.x3p: the scan cannot be read" in done.output.replace("\n", " ")


@pytest.mark.slow
def test_fewer_lands_are_insufficient_unless_a_fragment_is_stated(folders, tmp_path):
    few = tmp_path / "few"
    few.mkdir()
    for land in (1, 2):
        (few / f"{land}.x3p").symlink_to(folders[1] / f"Barrel_1-Bullet_2-Land_{land}.x3p")
    refused = run("compare-bullets", folders[0], few)
    assert refused.exit_code == 3
    assert "6 and 2 lands" in refused.output
    for pair, phase in (((folders[0], few), PHASE), ((few, folders[0]), (6 - PHASE) % 6)):
        found = compare_bullet_folders(*pair, fragment=True)
        assert found.insufficient is None
        assert (found.bullets.phase, found.bullets.pairs) == (phase, 2)


@pytest.mark.slow
def test_what_is_no_bullet_is_refused_or_insufficient(folders, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ParameterError, match="holds no scan"):
        compare_bullet_folders(folders[0], empty)
    with pytest.raises(ReadError, match="is no folder"):
        compare_bullet_folders(folders[0], tmp_path / "absent")
    for text, says in (
        ("scan,place\n", "no column 'land'"),
        ("scan,land\nBarrel_1-Bullet_1-Land_1.x3p,first\n", "line 2"),
    ):
        table = tmp_path / "table.csv"
        table.write_text(text)
        with pytest.raises(CorruptFileError, match=says):
            compare_bullet_folders(folders[0], folders[1], lands=(table, None))
    heads = tmp_path / "heads"
    heads.mkdir()
    for name in ("K013sA1.x3p", "K013sA2.x3p"):
        (heads / name).symlink_to(data_folder("breech-faces/raw") / name)
    found = compare_bullet_folders(heads, heads, units="micrometres")
    assert "no two lands" in found.insufficient


def test_names_are_sorted_by_their_numbers():
    names = ["Land_10.x3p", "Land_9.x3p", "Land_1.x3p"]
    assert sorted(names, key=_by_numbers) == ["Land_1.x3p", "Land_9.x3p", "Land_10.x3p"]
