"""Every page the README links to is there, every command and line of Python in it runs; the package imports quickly."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import trimesh
from click.testing import CliRunner

import ballistics
from ballistics.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [line.split("  #")[0].strip() for line in README.splitlines() if line.startswith("ballistics ")]


def test_every_page_the_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)]+)\)", README)
    assert len(links) >= 15
    assert [link for link in links if not (ROOT / link).is_file()] == []


def test_the_readme_is_short() -> None:
    assert len(README.encode()) <= 8000


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, ballistics; print(*(m for m in ('numpy', 'scipy', 'numba', 'cv2', 'rich') if m in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.split() == []


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory):
    """Return a folder with what the README's commands name: scans of five firearms, a table, a disk."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "scans").mkdir()
    lines = ["scan,firearm"]
    for head in ballistics.simulate_population(5, 2, 17, breech_faces=["granular", "milled"]):
        name = f"{head.firearm_id}-{head.shot_id}.x3p" if (head.firearm_id, head.shot_id) != (0, 0) else "a.x3p"
        ballistics.write_x3p(folder / "scans" / name, head.surface)
        lines.append(f"{name},{head.firearm_id}")
    (folder / "truth.csv").write_text("\n".join(lines))
    shutil.copy(folder / "scans" / "a.x3p", folder / "a.x3p")
    shutil.copy(folder / "scans" / "0-1.x3p", folder / "b.x3p")
    (folder / "disk").mkdir()
    trimesh.creation.annulus(8, 12, 30).export(folder / "disk" / "pipe.stl")
    shutil.copytree(ROOT / "reference_meshes", folder / "reference_meshes")
    return folder


@pytest.mark.slow
def test_every_command_and_line_of_python_runs_as_it_is_written(laboratory, monkeypatch) -> None:
    monkeypatch.chdir(laboratory)
    assert len(COMMANDS) >= 12
    for command in COMMANDS:
        done = CliRunner().invoke(main, shlex.split(command)[1:])
        assert done.exit_code == 0, f"{command}\n{done.output}"
    for name in ("a.png", "case.html", "leads.html", "links.html", "half.html", "found.csv", "sheet.html"):
        assert (laboratory / name).stat().st_size > 500, name
    (block,) = re.findall(r"```python\n(.*?)```", README, re.S)
    named: dict[str, object] = {}
    exec(block, named)
    # Both scans are of the population: their firearm is left out, and four firearms are too few for a number.
    assert named["result"].evaluation.weighed.result.reason
    assert os.path.getsize("report.html") > 100_000
