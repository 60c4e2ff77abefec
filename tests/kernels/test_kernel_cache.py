"""The cache of compiled kernels: noticed changes, shared by checkouts and processes, one result compiled or loaded."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numba
import pytest

from ballistics_kernels import accelerate, compile_notice, kernel_cache

_KERNELS = Path(kernel_cache.__file__).parent

_INNER = "from ballistics_kernels.accelerate import kernel\n\n"
_INNER += "@kernel\ndef inner(x: float) -> float:\n    return x + {}\n"
_OUTER = (
    "from ballistics_kernels.accelerate import kernel\nfrom ballistics_kernels.inner import inner\n\n"
    "@kernel\ndef outer(x: float) -> float:\n    return 2.0 * inner(x)\n"
)
_RUN = "from ballistics_kernels.outer import outer; print(outer(1.0), len(outer.stats.cache_hits))"


def _kernels(folder: Path) -> Path:
    """Write a package of one kernel that calls another."""
    package = folder / "ballistics_kernels"
    package.mkdir(parents=True)
    for name in ("accelerate.py", "compile_notice.py", "kernel_cache.py"):
        shutil.copy(_KERNELS / name, package)
    (package / "__init__.py").write_text("")
    (package / "inner.py").write_text(_INNER.format(1.0))
    (package / "outer.py").write_text(_OUTER)
    return folder


def _environment(folder: Path, cache: Path | None = None, **own: str) -> dict[str, str]:
    keys = {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    return {**os.environ, **keys, "NUMBA_CACHE_DIR": str(cache or folder / "cache"), **own}


def _run(folder: Path, cache: Path | None = None, code: str = _RUN, **own: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        env=_environment(folder, cache, **own),
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )


def _folders(cache: Path, module: str) -> list[Path]:
    return list((cache / "ballistics-kernels").glob(f"{module}-*"))


# --- What is noticed, and what is not compiled again ---


def test_a_change_in_another_file_is_noticed(tmp_path: Path) -> None:
    folder = _kernels(tmp_path)
    told = []
    for added in (1.0, 1.0, 5.0, 1.0):
        (folder / "ballistics_kernels" / "inner.py").write_text(_INNER.format(added))
        told.append(_run(folder).stdout.split())
    # What was compiled before the change is still there.
    assert told == [["4.0", "0"], ["4.0", "1"], ["12.0", "0"], ["4.0", "1"]]


def test_a_change_in_a_file_that_it_cannot_inline_compiles_nothing(tmp_path: Path) -> None:
    folder = _kernels(tmp_path)
    _run(folder)
    (folder / "ballistics_kernels" / "outer.py").write_text(_OUTER + "\n# changed\n")
    (folder / "ballistics_kernels" / "other.py").write_text("")
    code = "from ballistics_kernels.outer import outer, inner; outer(1.0); inner(1.0)\n"
    code += "print(len(outer.stats.cache_hits), len(inner.stats.cache_hits))"
    assert _run(folder, code=code).stdout.split() == ["0", "1"]


def test_a_change_behind_the_face_of_a_package_is_noticed(tmp_path: Path) -> None:
    folder = _kernels(tmp_path)
    package, room = folder / "ballistics_kernels", folder / "ballistics_kernels" / "room"
    room.mkdir()
    shutil.copy(_KERNELS / "impressions" / "__init__.py", room)
    (room / "__init__.pyi").write_text('from .deep import inner as inner\n__all__ = ["inner"]\n')
    (room / "beside.py").write_text("")
    (package / "outer.py").write_text(_OUTER.replace("ballistics_kernels.inner", "ballistics_kernels.room"))
    told = []
    for added, beside in ((1.0, ""), (5.0, ""), (5.0, "CHANGED = True\n")):
        (room / "deep.py").write_text(_INNER.format(added))
        (room / "beside.py").write_text(beside)
        told.append(_run(folder).stdout.split())
    assert told == [["4.0", "0"], ["12.0", "0"], ["12.0", "1"]]


_LOADED = """
import importlib, sys
from pathlib import Path
import ballistics_kernels
from ballistics_kernels import accelerate, kernel_cache
root = Path(ballistics_kernels.__file__).parent
ground = ("accelerate", "compile_notice", "kernel_cache")
modules = [path for path in sorted(root.rglob("*.py")) if path.stem not in ("__init__", *ground)]
for path in modules:
    for name in [name for name in sys.modules if name.startswith("ballistics_kernels.")]:
        if name.split(".")[1] not in ground:
            del sys.modules[name]
    importlib.import_module(".".join(path.relative_to(root.parent).with_suffix("").parts))
    loaded = {Path(module.__file__) for name, module in sys.modules.items() if name.startswith("ballistics_kernels.")}
    missed = {file.name for file in loaded - set(kernel_cache.sources(path)) if file.stem not in ("__init__", *ground)}
    assert not missed, (path, missed)
print(len(modules))
"""


def test_whatever_the_import_of_a_kernel_loads_is_in_its_key() -> None:
    environment = {**os.environ, "PYTHONPATH": str(_KERNELS.parent)}
    found = subprocess.run(
        [sys.executable, "-c", _LOADED], env=environment, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr[-2000:]
    assert int(found.stdout) > 40


def test_a_kernel_does_not_depend_on_another_room() -> None:
    names = {path.name for path in kernel_cache.sources(_KERNELS / "meshes" / "counterparts.py")}
    assert names == {"accelerate.py", "counterparts.py", "near_points.py"}


# --- Shared, and where ---


def test_two_checkouts_share_what_one_of_them_compiled(tmp_path: Path) -> None:
    told = [_run(_kernels(tmp_path / name), tmp_path / "cache") for name in ("one", "two")]
    assert [run.stdout.split() for run in told] == [["4.0", "0"], ["4.0", "1"]]
    assert [run.stderr.count("compiling kernels, once") for run in told] == [1, 0]


def test_a_folder_of_sources_that_nobody_can_write_to_works(tmp_path: Path) -> None:
    folder = _kernels(tmp_path)
    (folder / "ballistics_kernels" / "__pycache__").write_text("")  # a file where a folder is wanted: not even root
    own = {"XDG_CACHE_HOME": str(tmp_path / "user"), "NUMBA_CACHE_DIR": ""}
    told = [_run(folder, **own) for _ in range(2)]
    assert [run.stdout.split()[1] for run in told] == ["0", "1"]
    if sys.platform == "linux":
        assert (tmp_path / "user" / "ballistics" / "kernels").is_dir()
    assert "cannot be" not in told[0].stderr + told[1].stderr


def test_without_a_folder_of_the_user_it_is_a_temporary_one_and_it_is_said(tmp_path: Path) -> None:
    folder = _kernels(tmp_path)
    (folder / "file").write_text("")
    nowhere = str(folder / "file" / "below")
    own = {"XDG_CACHE_HOME": nowhere, "HOME": nowhere, "LOCALAPPDATA": nowhere, "TMPDIR": str(tmp_path)}
    told = [_run(folder, Path(nowhere), **own) for _ in range(2)]
    assert [run.stdout.split()[1] for run in told] == ["0", "1"]
    (kept,) = tmp_path.glob("ballistics-kernels-*")
    for run in told:
        assert run.stderr.count(f"cannot be written; compiled kernels are kept in {kept}") == 1
    if os.name != "nt":
        assert kept.stat().st_mode & 0o777 == 0o700
        kept.chmod(0o777)  # anybody could put code there
        assert not kernel_cache._is_own(kept)


def test_without_any_place_kernels_work_and_it_is_said_once(tmp_path: Path) -> None:
    folder = _kernels(tmp_path)
    (folder / "file").write_text("")
    nowhere = str(folder / "file" / "below")
    code = f"import tempfile; tempfile.tempdir = {nowhere!r}\n" + _RUN
    found = _run(folder, Path(nowhere), code, XDG_CACHE_HOME=nowhere, HOME=nowhere, LOCALAPPDATA=nowhere)
    assert found.stdout.split() == ["4.0", "0"]
    assert found.stderr.count("compiled kernels cannot be kept") == 1
    assert "Traceback" not in found.stderr


def test_a_damaged_cache_costs_only_time(tmp_path: Path) -> None:
    folder = _kernels(tmp_path)
    _run(folder)
    for path in [*(folder / "cache").rglob("*.nbi"), *(folder / "cache").rglob("*.nbc")]:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found = _run(folder)
    assert found.stdout.split() == ["4.0", "0"]
    assert "Traceback" not in found.stderr


def test_the_folders_used_last_stay(tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "code").write_text("")
        os.utime(tmp_path / str(number), (1000.0 * (number % 4), 1000.0 * (number % 4)))
    kernel_cache.prune(tmp_path, kept=3)
    assert {path.name for path in tmp_path.iterdir()} == {"2", "3", "5"}


def test_a_new_folder_prunes_and_an_old_one_that_is_loaded_from_counts_as_used(tmp_path: Path) -> None:
    folder = _kernels(tmp_path)
    _run(folder)
    (outer,) = _folders(folder / "cache", "outer")
    os.utime(outer, (0.0, 0.0))
    _run(folder)
    assert outer.stat().st_mtime > 0.0
    (folder / "ballistics_kernels" / "outer.py").write_text(_OUTER + "\n# changed\n")
    _run(folder, code="from ballistics_kernels import kernel_cache; kernel_cache.prune.__defaults__ = (2,)\n" + _RUN)
    assert not outer.exists()
    assert len(_folders(folder / "cache", "outer")) + len(_folders(folder / "cache", "inner")) == 2


# --- Processes that start together ---


def test_processes_that_start_together_compile_once(tmp_path: Path) -> None:
    folder = _kernels(tmp_path)
    code = (
        "import sys; from ballistics_kernels.outer import inner, outer; print('ready', flush=True); sys.stdin.read(1)\n"
        "print(outer(1.0), sum(outer.stats.cache_misses.values()) + sum(inner.stats.cache_misses.values()))"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env=_environment(folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("x")
        process.stdin.flush()
    told = [process.communicate(timeout=120)[0].split() for process in started]
    assert [one[0] for one in told] == ["4.0"] * 3
    assert sorted(int(one[1]) for one in told) == [0, 0, 2]


_HOLD = """
import sys, time
from pathlib import Path
from ballistics_kernels.kernel_cache import _Lock
lock = _Lock(Path(sys.argv[1]))
assert lock.take(0.0)
print("held", flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_a_killed_holder_lets_go_and_one_that_hangs_is_not_waited_for_twice(tmp_path: Path) -> None:
    folder = _kernels(tmp_path)
    _run(folder)
    locks = sorted(path for path in (folder / "cache").rglob("*.lock"))
    assert len(locks) == 2
    for path in (folder / "cache").rglob("*.nb?"):
        path.unlink()
    holders = [
        subprocess.Popen(
            [sys.executable, "-c", _HOLD, str(lock)], env=_environment(folder), stdout=subprocess.PIPE, text=True
        )
        for lock in locks
    ]
    try:
        for holder in holders:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
        impatient = (
            "import time; from ballistics_kernels.kernel_cache import KernelCache; KernelCache._patience_s = 0.5\n"
            "waits, slept = [], time.sleep\n"
            "time.sleep = lambda s: (waits.append(s), slept(s))\n" + _RUN + "\nprint(sum(waits) < 0.7)"
        )
        assert _run(folder, code=impatient).stdout.split() == ["4.0", "0", "True"]
    finally:
        for holder in holders:
            holder.send_signal(signal.SIGKILL)
            holder.communicate()
    for path in (folder / "cache").rglob("*.nb?"):
        path.unlink()
    assert _run(folder).stdout.split() == ["4.0", "0"]


def test_a_kernel_that_cannot_be_compiled_is_unlocked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_cache, "root", lambda: tmp_path)

    def wrong(x: float) -> float:
        return x.no_such_attribute  # type: ignore[attr-defined, no-any-return]

    compiled = accelerate.kernel(wrong)
    with pytest.raises(numba.TypingError):
        compiled(1.0)
    (lock,) = tmp_path.rglob("*.lock")
    assert kernel_cache.KernelCache.held() == 0
    other = kernel_cache._Lock(lock)
    assert other.take(0.0)
    other.release()


def test_where_the_platform_has_no_locks_kernels_are_compiled(tmp_path: Path) -> None:
    code = "from ballistics_kernels import kernel_cache\ndef none(handle): raise OSError(38, 'no locks')\n"
    code += "kernel_cache._taken = none\n" + _RUN
    told = [_run(folder, tmp_path / "cache", code).stdout.split() for folder in [_kernels(tmp_path)] * 2]
    assert told == [["4.0", "0"], ["4.0", "1"]]


# --- What the user sees ---


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_shows_a_counter_and_is_left_clean(tmp_path: Path) -> None:
    import pty

    ours, theirs = pty.openpty()
    folder = _kernels(tmp_path)
    subprocess.run([sys.executable, "-c", _RUN], env=_environment(folder), cwd=folder, stderr=theirs, check=True)
    os.close(theirs)
    shown = os.read(ours, 65_536).decode()
    os.close(ours)
    lines = shown.split("\r")
    told = [f"ballistics: compiling kernels, once: {count} of about {compile_notice.KERNELS}" for count in (1, 2)]
    assert [line for line in lines if line.strip()] == told
    assert lines[-1] == ""
    assert lines[-2] == " " * len(told[-1])
    assert "\n" not in shown


# --- The same bits ---

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
