"""Every writing command killed at any moment: nothing that was acknowledged is lost, and the result is the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("kill_processes.py")
JOBS = ("printed enrol", "library enrol", "library backup", "library renew", "batch", "printed batch", "outputs")
# Seven jobs: 245 kills.
EACH = 35

pytestmark = pytest.mark.skipif(os.name == "nt", reason="processes are forked and killed by signal")


def killed(job: str, kills: int, seed: int) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), job, str(kills), str(seed)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["lost"] == []
    assert found["kills"] >= kills


@pytest.mark.parametrize("job", ["printed enrol", "library enrol", "batch", "outputs"])
def test_a_few_kills_lose_nothing(job):
    killed(job, 3, 1)


@pytest.mark.slow
@pytest.mark.parametrize("job", JOBS)
def test_many_kills_lose_nothing(job):
    killed(job, EACH, 2)
