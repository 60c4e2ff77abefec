"""A batch that is killed again and again: run in a process of its own, because it forks.

``python batch_processes.py SCANS OUT SEED`` prints, as JSON, what the file of finished pairs held after each kill.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

from ballistics.impressions.comparing import compare
from ballistics.pairs.batch import run_batch
from ballistics.surfaces.formats.reading import read
from ballistics.surfaces.preparation.preparing import prepare


def main(scans: Path, out: Path, seed: int) -> list[str]:
    """Start the batch, kill it at a random moment, and start it again until it ends by itself."""
    warm = prepare(read(min(scans.glob("*.x3p"))))
    compare(warm, warm)
    rng = np.random.Generator(np.random.PCG64(seed))
    pairs = out.with_name(f"{out.name}.work") / "pairs.jsonl"
    kept: list[str] = []
    while True:
        child = os.fork()
        if child == 0:
            run_batch([scans], out)
            os._exit(0)
        # First before anything is done, then a moment after more pairs were finished than at the kill before.
        finished = pairs.stat().st_size if pairs.exists() else 0
        while kept and (not pairs.exists() or pairs.stat().st_size == finished):
            if os.waitpid(child, os.WNOHANG)[0] == child:
                return kept
            time.sleep(0.001)
        end = time.monotonic() + rng.uniform(0.0, 0.1)
        while time.monotonic() < end:
            if os.waitpid(child, os.WNOHANG)[0] == child:
                return kept
            time.sleep(0.005)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        kept.append(pairs.read_text() if pairs.exists() else "")


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))))
