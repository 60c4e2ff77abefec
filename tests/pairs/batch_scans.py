"""Small scans for the tests of batches: square pieces of random roughness, as a laboratory would have prepared them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

from ballistics.surfaces.formats.x3p.writer import write_x3p
from ballistics.surfaces.surface import Surface

POINTS, SPACING_UM = 260, 6.25


def scan(firearm: int, shot: int) -> Surface:
    """Return the mark of a firearm with noise of its own for each shot."""
    common, own = (
        gaussian_filter(np.random.Generator(np.random.PCG64(seed)).normal(size=(POINTS, POINTS)), 3.0)
        for seed in ([firearm], [firearm, shot])
    )
    heights = 10.0 * (common + 0.7 * own)
    y, x = np.mgrid[:POINTS, :POINTS] - (POINTS - 1) / 2
    inside = np.maximum(abs(x), abs(y)) < 0.42 * POINTS
    heights = np.where(inside, heights - heights[inside].mean(), np.nan)
    return Surface(heights, (SPACING_UM, SPACING_UM))


def write_scans(folder: Path, firearms: int, shots: int) -> list[Path]:
    """Write the scans of some firearms, ``F-S.x3p``, and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for firearm in range(1, firearms + 1):
        for shot in range(1, shots + 1):
            paths.append(folder / f"{firearm}-{shot}.x3p")
            write_x3p(paths[-1], scan(firearm, shot), overwrite=True)
    return paths
