"""Small marks for the tests of the library: noise of a seed, as if prepared from a scan of its own."""

from __future__ import annotations

from functools import cache
from hashlib import sha256

import numpy as np

from ballistics.provenance import Provenance
from ballistics.surfaces.surface import Mark

POINTS = 120


def noise_mark(seed: int, version: str = "1", points: int = POINTS) -> Mark:
    """Return a round mark of noise; the same seed is the same scan, another version another preparation."""
    heights = _relief(seed + 1000 * int(version), points)
    return _mark(heights, seed, version)


@cache
def shot(firearm: int, scan: int, points: int = 320) -> Mark:
    """Return one mark of a firearm, turned by quarters and with noise of its own; large enough to be compared."""
    rng = np.random.Generator(np.random.PCG64(scan))
    heights = np.rot90(_relief(firearm, points), scan % 4) + 0.3 * rng.normal(size=(points, points))
    return _mark(heights, scan, "1")


def _relief(seed: int, points: int) -> np.ndarray:
    """Return a disc of bumps of several sizes."""
    rng = np.random.Generator(np.random.PCG64(seed))
    heights = 0.1 * rng.normal(size=(points, points))
    for size in (4, 8):
        coarse = rng.normal(size=(points // size, points // size))
        heights += coarse.repeat(size, axis=0).repeat(size, axis=1)
    y, x = np.mgrid[:points, :points] - (points - 1) / 2
    heights[np.hypot(x, y) > points / 2] = np.nan
    return heights


def _mark(heights: np.ndarray, scan: int, version: str) -> Mark:
    provenance = Provenance("preparation", version, {}, {"file": scan_sha256(scan)}, ())
    return Mark("breech face", np.ascontiguousarray(heights, np.float32), 6.25, provenance=provenance)


def scan_sha256(seed: int) -> str:
    """Return the SHA-256 of the scan that a seed stands for."""
    return sha256(f"scan {seed}".encode()).hexdigest()
