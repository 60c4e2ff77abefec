"""The cache of compiled kernels: noticed changes, shared by checkouts and processes, one result compiled or loaded."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
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


# --- What is noticed, and what is not compiled again ---


@pytest.mark.slow
def test_a_change_in_another_file_is_noticed(tmp_path: Path) -> None:
    folder = _kernels(tmp_path)
    told = []
    for added in (1.0, 5.0, 1.0):
        (folder / "ballistics_kernels" / "inner.py").write_text(_INNER.format(added))
        told.append(_run(folder).stdout.split())
    # What was compiled before the change is still there.
    assert told == [["4.0", "0"], ["12.0", "0"], ["4.0", "1"]]


@pytest.mark.slow
def test_a_change_in_a_file_that_it_cannot_inline_compiles_nothing(tmp_path: Path) -> None:
    folder = _kernels(tmp_path)
    _run(folder)
    (folder / "ballistics_kernels" / "outer.py").write_text(_OUTER + "\n# changed\n")
    (folder / "ballistics_kernels" / "other.py").write_text("")
    code = "from ballistics_kernels.outer import outer, inner; outer(1.0); inner(1.0)\n"
    code += "print(len(outer.stats.cache_hits), len(inner.stats.cache_hits))"
    assert _run(folder, code=code).stdout.split() == ["0", "1"]


def test_what_lies_behind_the_face_of_a_package_is_in_the_key_and_what_lies_beside_it_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = _kernels(tmp_path) / "ballistics_kernels"
    room = package / "room"
    room.mkdir()
    shutil.copy(_KERNELS / "impressions" / "__init__.py", room)
    (room / "__init__.pyi").write_text('from .deep import inner as inner\n__all__ = ["inner"]\n')
    for name in ("beside.py", "deep.py"):
        (room / name).write_text(_INNER.format(1.0))
    monkeypatch.setattr(kernel_cache, "_PACKAGE", package)
    outer, accelerate = package / "outer.py", package / "accelerate.py"
    outer.write_text(_OUTER.replace("ballistics_kernels.inner", "ballistics_kernels.room"))
    assert kernel_cache.sources(outer) == [accelerate, outer, room / "deep.py"]
    # Not told apart: all of the room.
    whole = package / "whole.py"
    whole.write_text("from ballistics_kernels.room import unknown\n")
    assert kernel_cache.sources(whole) == sorted([accelerate, whole, *room.glob("*.py")])
    relative = room / "relative.py"
    relative.write_text("import numpy as np\nfrom .deep import inner\nfrom ..inner import inner as other\n")
    assert kernel_cache.sources(relative) == sorted([accelerate, relative, room / "deep.py", package / "inner.py"])


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


@pytest.mark.slow
def test_checkouts_share_what_one_of_them_compiled_for_the_user_and_need_not_be_writable(tmp_path: Path) -> None:
    own = {"XDG_CACHE_HOME": str(tmp_path / "user"), "NUMBA_CACHE_DIR": ""}
    told = []
    for name in ("one", "two"):
        folder = _kernels(tmp_path / name)
        (folder / "ballistics_kernels" / "__pycache__").write_text("")  # where a folder is wanted: not even for root
        told.append(_run(folder, **own))
    assert [run.stdout.split() for run in told] == [["4.0", "0"], ["4.0", "1"]]
    assert [run.stderr.count("compiling kernels, once") for run in told] == [1, 0]
    assert "cannot be" not in told[0].stderr + told[1].stderr
    if sys.platform == "linux":
        assert (tmp_path / "user" / "ballistics" / "kernels").is_dir()


def test_without_a_folder_of_the_user_it_is_a_temporary_one_and_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    nowhere = str(tmp_path / "file" / "below")
    for name in ("XDG_CACHE_HOME", "HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, nowhere)
    monkeypatch.setattr(kernel_cache.config, "CACHE_DIR", nowhere)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    kept = kernel_cache.root.__wrapped__()
    assert kept is not None
    assert kept.parent == tmp_path
    said = f"{Path(nowhere, 'ballistics-kernels')} cannot be written; compiled kernels are kept in {kept}"
    assert capsys.readouterr().err.count(said) == 1
    if os.name != "nt":
        assert kept.stat().st_mode & 0o777 == 0o700
        kept.chmod(0o777)  # anybody could put code there
        assert kernel_cache.root.__wrapped__() is None
    monkeypatch.setattr(kernel_cache.config, "CACHE_DIR", str(tmp_path / "named"))
    assert kernel_cache.root.__wrapped__() == tmp_path / "named" / "ballistics-kernels"


@pytest.mark.slow
def test_without_any_place_kernels_work_and_it_is_said_once(tmp_path: Path) -> None:
    folder = _kernels(tmp_path)
    (folder / "file").write_text("")
    nowhere = str(folder / "file" / "below")
    code = f"import tempfile; tempfile.tempdir = {nowhere!r}\n" + _RUN
    found = _run(folder, Path(nowhere), code, XDG_CACHE_HOME=nowhere, HOME=nowhere, LOCALAPPDATA=nowhere)
    assert found.stdout.split() == ["4.0", "0"]
    assert found.stderr.count("compiled kernels cannot be kept") == 1
    assert "Traceback" not in found.stderr


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_new_folder_prunes_and_an_old_one_that_is_loaded_from_counts_as_used(tmp_path: Path) -> None:
    folder = _kernels(tmp_path)
    _run(folder)
    (outer,), (inner,) = (
        list((folder / "cache" / "ballistics-kernels").glob(f"{name}-*")) for name in ("outer", "inner")
    )
    for old in (outer, inner):
        os.utime(old, (0.0, 0.0))
    (folder / "ballistics_kernels" / "outer.py").write_text(_OUTER + "\n# changed\n")
    code = "from ballistics_kernels import kernel_cache; kernel_cache.prune.__defaults__ = (2,)\n"
    assert _run(folder, code=code + _RUN).stdout.split() == ["4.0", "0"]
    assert not outer.exists()
    assert inner.stat().st_mtime > 0.0  # what the changed one inlines was loaded
    assert len(list((folder / "cache" / "ballistics-kernels").iterdir())) == 2


# --- Processes that start together ---


@pytest.mark.slow
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
    assert [words[0] for words in told] == ["4.0"] * 3
    assert sorted(int(words[1]) for words in told) == [0, 0, 2]


_HOLD = """
import time
from ballistics_kernels.outer import outer
compile_, sleep = outer._compiler.compile, time.sleep
def hang(args, return_type):
    compiled = compile_(args, return_type)
    print(len(held), "held", flush=True)
    sleep(600)
from ballistics_kernels.kernel_cache import KernelCache
held, let_go = KernelCache._held, KernelCache.let_go
KernelCache.let_go = lambda held: None
outer._compiler.compile = hang
KernelCache.save_overload = lambda *_: None
outer(1.0)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_a_killed_holder_lets_go_and_one_that_hangs_is_not_waited_for_twice(tmp_path: Path) -> None:
    folder = _kernels(tmp_path)
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLD], env=_environment(folder), stdout=subprocess.PIPE, text=True, cwd=folder
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "2 held\n"
        impatient = (
            "import time; from ballistics_kernels.kernel_cache import KernelCache; KernelCache._patience_s = 0.5\n"
            "waits, slept = [], time.sleep\n"
            "time.sleep = lambda s: (waits.append(s), slept(s))\n" + _RUN + "\nprint(sum(waits) < 0.7)"
        )
        assert _run(folder, code=impatient).stdout.split() == ["4.0", "0", "True"]
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    locks = list((folder / "cache").rglob("*.lock"))
    assert len(locks) == 2
    for path in locks:
        lock = kernel_cache._Lock(path)
        assert lock.take(5.0)
        lock.release()


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


@pytest.mark.slow
def test_where_the_platform_has_no_locks_kernels_are_compiled(tmp_path: Path) -> None:
    code = "from ballistics_kernels import kernel_cache\ndef none(handle): raise OSError(38, 'no locks')\n"
    code += "kernel_cache._taken = none\n" + _RUN
    assert _run(_kernels(tmp_path), code=code).stdout.split() == ["4.0", "0"]
    assert len(list(tmp_path.rglob("*.nbc"))) == 2


# --- What the user sees ---


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("code", [_NORMALS, _DIGEST], ids=["normals", "registration of meshes"])
def test_the_process_that_compiles_gives_the_bits_of_the_next(tmp_path: Path, code: str) -> None:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    told = [
        subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(2)
    ]
    assert [words[0] for words in told] == ["False", "True"]
    assert told[0][1:] == told[1][1:]
