"""The wheel: what it holds, and that it runs beside another package named `kernels`."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# PyPI has a package of this name, a dependency of machine-learning stacks: whichever is installed last would win.
FOREIGN = "kernels"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel as it is published."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (made,) = folder.glob("*.whl")
    return made


def test_it_holds_the_engine_and_nothing_that_others_could_install(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"ballistics", "ballistics_kernels"}
    # What is read at run time is in it: page templates, texts, models.
    held = {path.relative_to(ROOT).as_posix() for path in (ROOT / "ballistics").rglob("*") if path.is_file()}
    held = {name for name in held if "__pycache__" not in name}
    assert held <= set(names)


@pytest.mark.slow
def test_the_self_test_passes_beside_a_foreign_package_of_the_old_name(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*command, "--no-index", "--target", str(site), str(wheel)], check=True, capture_output=True)
    (site / FOREIGN).mkdir()
    (site / FOREIGN / "__init__.py").write_text("WHOSE = 'theirs'\n")
    code = (
        "import kernels, ballistics, ballistics_kernels\n"
        "print(kernels.WHOSE, ballistics.__file__, ballistics_kernels.__file__)\n"
        "from ballistics.cli import main\nmain(['selftest'])\n"
    )
    # The dependencies are those of this environment; the engine is the one that was installed.
    environment = {**os.environ, "PYTHONPATH": str(site), "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    whose, *files = done.stdout.splitlines()[0].split()
    assert whose == "theirs"
    assert all(Path(file).is_relative_to(site) for file in files)
