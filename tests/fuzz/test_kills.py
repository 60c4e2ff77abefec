"""Every writing command killed at any moment: nothing that was acknowledged is lost, and the result is the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("kill_processes.py")
JOBS = (
    "casework",
    "printed enrol",
    "library enrol",
    "library backup",
    "library renew",
    "batch",
    "printed batch",
    "outputs",
)
# Eight jobs: 280 kills.
EACH = 35

pytestmark = pytest.mark.skipif(os.name == "nt", reason="processes are forked and killed by signal")


def killed(kills: int, seed: int, *jobs: str) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(kills), str(seed), *jobs], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["job"] for row in found] == list(jobs)
    for row in found:
        assert row["lost"] == []
        assert row["kills"] >= kills


@pytest.mark.slow
def test_a_few_kills_lose_nothing():
    # In one process: to start it costs more than its kills.
    killed(1, 1, "printed enrol", "library enrol", "batch", "outputs")


@pytest.mark.slow
@pytest.mark.parametrize("job", JOBS)
def test_many_kills_lose_nothing(job):
    killed(EACH, 2, job)
