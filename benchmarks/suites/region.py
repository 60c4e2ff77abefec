"""Is the automatic breech-face region right, does it stay where it is, and what does preparing cost?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from benchmarks.support.record import Context, Record

DESCRIPTION = "automatic breech-face region: against the truth of simulated heads, stability on raw scans, CPU time"

_SEED = 10_001  # thresholds were chosen while looking at seeds below 100
_HEADS = 200
_DROPOUT_SEEDS = (10_001, 10_002, 10_003)
_ANGLES = (17.0, 90.0, 131.0, 222.5, 305.0)
_TILTS = (0.0, 90.0, 180.0, 270.0)


def run(context: Context) -> Iterator[Record]:
    """Yield the figures on simulated heads, then those on the raw scans of the data folder."""
    yield from _on_simulated_heads(context)
    if not context.own:
        yield from _on_raw_scans(context)


def overlap(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Return intersection over union; 0 when both are empty."""
    union = int((a | b).sum())
    return float((a & b).sum() / union) if union else 0.0


def _on_simulated_heads(context: Context) -> Iterator[Record]:
    from ballistics.surfaces.preparation.preparing import prepare
    from ballistics.surfaces.simulation.heads import simulate_population

    count = 18 if context.quick else _HEADS
    overlaps: list[float] = []
    seconds: list[float] = []
    for head in islice(simulate_population(count, 1, _SEED), count):
        if not overlaps:
            prepare(head.surface)  # compiles
        begin = time.process_time()
        mark = prepare(head.surface)
        seconds.append(time.process_time() - begin)
        found = mark.region if mark.region is not None else np.zeros(head.region.shape, dtype=bool)
        overlaps.append(overlap(found, head.region))
    protocol = (
        f"{count} simulated heads, one per firearm: granular, milled, filed × hemispherical, elliptical, rectangular "
        "firing pin × round, rectangular aperture; IoU of the automatic region with the true one"
    )
    n = len(overlaps)
    yield Record("region", "median IoU with the truth", float(np.median(overlaps)), "IoU", "≥ 0.9", protocol, n, _SEED)
    yield Record("region", "lowest IoU with the truth", float(np.min(overlaps)), "IoU", "≥ 0.75", protocol, n, _SEED)
    yield Record(
        "region",
        "CPU time of prepare, median",
        float(np.median(seconds)),
        "CPU s/scan",
        "≤ 1.0",
        "the same heads, 896 × 896 points at 6.25 µm, compiled kernels",
        n,
        _SEED,
    )


def _on_raw_scans(context: Context) -> Iterator[Record]:
    from ballistics.surfaces.formats.reading import read
    from ballistics.surfaces.regions.breech_face_region import find_breech_face
    from ballistics.surfaces.simulation.disturbances import drop_out, rotate_surface, tilt
    from ballistics.surfaces.surface import Surface

    paths = sorted((context.data / "breech-faces" / "raw").glob("*.x3p"))
    if not paths:
        return
    surfaces = [read(path, units="micrometres") for path in paths]
    regions = [find_breech_face(surface).mask for surface in surfaces]
    Case = tuple[Surface, NDArray[np.bool_]]

    def rotations(surface: Surface, mask: NDArray[np.bool_]) -> list[Case]:
        return [(rotate_surface(surface, a), turned_mask(mask, surface.spacing_um, a)) for a in _ANGLES]

    disturbances: dict[str, Callable[[Surface, NDArray[np.bool_]], list[Case]]] = {
        "rotation": rotations,
        "10 % dropouts": lambda s, m: [(drop_out(s, 0.1, 100.0, seed), m) for seed in _DROPOUT_SEEDS],
        "2° tilt": lambda s, m: [(tilt(s, 2.0, direction), m) for direction in _TILTS],
    }
    for name, disturb in disturbances.items():
        overlaps = [
            overlap(find_breech_face(scan).mask, expected)
            for surface, mask in zip(surfaces, regions, strict=True)
            for scan, expected in disturb(surface, mask)
        ]
        yield Record(
            "region",
            f"lowest IoU under {name}",
            float(np.min(overlaps)),
            "IoU",
            "≥ 0.9",
            f"the raw scans of whole primers: automatic region after {name} against the undisturbed one, "
            "brought through the same disturbance",
            len(overlaps),
            _DROPOUT_SEEDS[0] if "dropouts" in name else None,
        )


def turned_mask(mask: NDArray[np.bool_], spacing_um: tuple[float, float], angle: float) -> NDArray[np.bool_]:
    """Turn a mask as `rotate_surface` turns the surface that it belongs to."""
    from ballistics.surfaces.simulation.disturbances import rotate_surface
    from ballistics.surfaces.surface import Surface

    as_surface = Surface(mask.astype(np.float64), spacing_um)
    turned = rotate_surface(as_surface, angle).heights_um
    return np.asarray(np.nan_to_num(turned) > 0.5)
