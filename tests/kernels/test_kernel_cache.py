"""The cache of compiled kernels: noticed changes, and the same bits from the process that compiled and the next."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

_INNER = "from ballistics_kernels.accelerate import kernel\n\n"
_INNER += "@kernel\ndef inner(x: float) -> float:\n    return x + {}\n"
_OUTER = (
    "from ballistics_kernels.accelerate import kernel\nfrom ballistics_kernels.inner import inner\n\n"
    "@kernel\ndef outer(x: float) -> float:\n    return 2.0 * inner(x)\n"
)


def test_a_change_in_another_file_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "ballistics_kernels"
    folder.mkdir()
    shutil.copy(Path(__file__).parents[2] / "kernels" / "ballistics_kernels" / "accelerate.py", folder)
    (folder / "__init__.py").write_text("")
    (folder / "outer.py").write_text(_OUTER)
    own = {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1", "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    environment = {**os.environ, **own}
    told = []
    for added in (1.0, 1.0, 5.0):
        (folder / "inner.py").write_text(_INNER.format(added))
        found = subprocess.run(
            [
                sys.executable,
                "-c",
                "from ballistics_kernels.outer import outer; print(outer(1.0), len(outer.stats.cache_hits))",
            ],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        told.append(found.stdout.split())
    assert told == [["4.0", "0"], ["4.0", "1"], ["12.0", "0"]]


_NORMALS = """
import hashlib
import numpy as np
from ballistics_kernels.meshes.cell_grid import sort_into_cells
from ballistics_kernels.meshes.near_points import normals_from_neighbours

points = np.random.default_rng(0).normal(size=(1000, 3))
points /= np.linalg.norm(points, axis=1)[:, None]
normals = normals_from_neighbours(points, 0.25, *sort_into_cells(points, 0.25))
print(normals_from_neighbours.stats.cache_hits != {}, hashlib.sha256(normals.tobytes()).hexdigest())
"""

_DIGEST = """
import hashlib
import numpy as np
from ballistics_kernels.meshes.cell_grid import sort_into_cells
from ballistics_kernels.meshes.counterparts import counterparts
from ballistics_kernels.meshes.fine_registration import register
from ballistics_kernels.meshes.near_points import SampledSurface, normals_from_neighbours
from ballistics_kernels.meshes.similarity_consensus import ConsensusLimits, Correspondences, similarity_consensus

rng = np.random.default_rng(0)
points = rng.normal(size=(3000, 3))
points /= np.linalg.norm(points, axis=1)[:, None]
points[:, 2] *= 0.7
normals = normals_from_neighbours(points, 0.15, *sort_into_cells(points, 0.15))
few, moved = points[:600].copy(), points[:600] + 0.01 * rng.normal(size=(600, 3))
pairs, thirds = rng.integers(0, 600, (20_000, 2)), rng.integers(0, 600, 20_000)
given = Correspondences(few, moved, few.copy(), few.copy(), np.ones(600))
placed = similarity_consensus(given, pairs, thirds, ConsensusLimits(5, 1.0, 1.26, 0.06, 0.03, 0.75, 20))
surface = SampledSurface(points, normals, 0.15, *sort_into_cells(points, 0.15))
near = np.column_stack([1.01 * np.eye(3), np.full(3, 0.01)])
near_points = counterparts(points, normals, placed[0], surface, 0.15, 0.02)
registered = register(points, normals, near, surface, np.geomspace(0.15, 0.05, 9), 0.8, 0.02, 20)
digests = [hashlib.sha256(array.tobytes()).hexdigest() for array in (normals, *placed, *near_points, registered)]
print(similarity_consensus.stats.cache_hits != {}, *digests)
"""


@pytest.mark.parametrize(
    "code", [_NORMALS, pytest.param(_DIGEST, marks=pytest.mark.slow)], ids=["normals", "registration of meshes"]
)
def test_the_process_that_compiles_gives_the_bits_of_the_next(tmp_path: Path, code: str) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    told = [
        subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(2)
    ]
    assert [one[0] for one in told] == ["False", "True"]
    assert told[0][1:] == told[1][1:]


def _kernels(folder: Path) -> Path:
    """Write a package of one kernel that calls another."""
    (folder / "ballistics_kernels").mkdir()
    shutil.copy(
        Path(__file__).parents[2] / "kernels" / "ballistics_kernels" / "accelerate.py", folder / "ballistics_kernels"
    )
    (folder / "ballistics_kernels" / "__init__.py").write_text("")
    (folder / "ballistics_kernels" / "inner.py").write_text(_INNER.format(1.0))
    (folder / "ballistics_kernels" / "outer.py").write_text(_OUTER)
    return folder


def _run(folder: Path, **own: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from ballistics_kernels.outer import outer; print(outer(1.0))"],
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", **own},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )


def test_without_a_place_for_the_cache_kernels_work_and_it_is_said_once(tmp_path: Path) -> None:
    folder = _kernels(tmp_path)
    # Where a folder is wanted there is a file: nobody can write there, not even root.
    (folder / "file").write_text("")
    (folder / "ballistics_kernels" / "__pycache__").write_text("")
    nowhere = str(folder / "file" / "below")
    found = _run(folder, NUMBA_CACHE_DIR=nowhere, XDG_CACHE_HOME=nowhere, HOME=nowhere)
    assert found.stdout.split() == ["4.0"]
    assert found.stderr.count("compiled kernels cannot be kept") == 1
    assert "Traceback" not in found.stderr


def test_a_damaged_cache_costs_only_time(tmp_path: Path) -> None:
    folder = _kernels(tmp_path)
    cache = folder / "cache"
    _run(folder, NUMBA_CACHE_DIR=str(cache))
    for path in [*cache.rglob("*.nbi"), *cache.rglob("*.nbc")]:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found = _run(folder, NUMBA_CACHE_DIR=str(cache))
    assert found.stdout.split() == ["4.0"]
    assert "Traceback" not in found.stderr
