"""Workers end with the process that started them, also when it was gone before they began."""

from __future__ import annotations

import os
import subprocess
import sys

from ballistics.workers import unordered


def told(parent: str) -> tuple[int, str]:
    """Return how a process ended that was told to end with a parent, and what it printed."""
    code = f"import os; from ballistics.workers import end_with_parent; end_with_parent({parent}); print('works')"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    return found.returncode, found.stdout.strip()


def test_a_worker_works_as_long_as_its_parent_is_there():
    assert told("os.getppid()") == (0, "works")


def test_a_worker_whose_parent_was_gone_before_it_began_ends():
    assert told("os.getppid() + 1") == (1, "")


def test_workers_that_are_kept_look_for_files_where_the_caller_is(tmp_path, monkeypatch):
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        for number in range(4):
            (folder / f"{number}.txt").write_text(name)
        monkeypatch.chdir(folder)
        sizes = [(f"{number}.txt",) for number in range(4)]
        assert list(unordered(2, os.path.getsize, sizes)) == [len(name)] * 4
