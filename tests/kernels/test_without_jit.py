"""A small subset of the kernel tests passes uncompiled too: the kernels are plain Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_kernels_give_the_same_without_compilation() -> None:
    subset = "masked_ncc or pearson or packed or rigid_consensus or peaks_agree"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider"]
    command += [str(Path(__file__).parent), "-k", f"({subset}) and not without"]
    environment = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=root)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
