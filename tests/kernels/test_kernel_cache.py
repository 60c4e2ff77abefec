"""Compiled kernels are taken from the cache only while no kernel has changed, also one of another file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

_INNER = "from kernels.accelerate import kernel\n\n@kernel\ndef inner(x: float) -> float:\n    return x + {}\n"
_OUTER = (
    "from kernels.accelerate import kernel\nfrom kernels.inner import inner\n\n"
    "@kernel\ndef outer(x: float) -> float:\n    return 2.0 * inner(x)\n"
)


def test_a_change_in_another_file_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "kernels"
    folder.mkdir()
    shutil.copy(Path(__file__).parents[2] / "kernels" / "accelerate.py", folder)
    (folder / "__init__.py").write_text("")
    (folder / "outer.py").write_text(_OUTER)
    own = {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1", "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    environment = {**os.environ, **own}
    told = []
    for added in (1.0, 1.0, 5.0):
        (folder / "inner.py").write_text(_INNER.format(added))
        found = subprocess.run(
            [sys.executable, "-c", "from kernels.outer import outer; print(outer(1.0), len(outer.stats.cache_hits))"],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
        told.append(found.stdout.split())
    assert told == [["4.0", "0"], ["4.0", "1"], ["12.0", "0"]]
