"""The two marks of a kept comparison side by side, prepared from the kept scans again as the result says."""

from __future__ import annotations

import base64
import re
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ballistics.errors import BallisticsError
from ballistics.provenance import sha256_of_array
from ballistics.reports.figures.pair_pictures import pair_pictures
from ballistics.reports.figures.pictures import (
    Grid,
    Picture,
    common_exaggeration,
    grey_image,
    picture_grid,
    shaded_relief,
)
from ballistics.surfaces import Mark, Pose, Step, Surface, Units, read, replay

# At 220 points the marks of a pair are some 40 kB each; a page of A4 shows them 8 cm wide.
_LARGEST_POINTS = 440
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}\Z")
_UNITS: dict[str, Units] = {"micrometres": "micrometres", "millimetres": "millimetres", "as written": "as written"}


@dataclass(frozen=True)
class KeptScan:
    """One kept scan, and how its mark was prepared.

    Parameters
    ----------
    path : Path
        Of the kept file.
    name : str
        As the file was called; of it only the ending is used.
    units : str
        In which unit its lengths are, where the file does not say it.
    kind : str
        Of the mark.
    steps : tuple of Step
        Of the preparation.
    mark_sha256 : str
        Of the heights that were compared.
    """

    path: Path
    name: str
    units: str
    kind: str
    steps: tuple[Step, ...]
    mark_sha256: str


@dataclass(frozen=True)
class KeptPictures:
    """Two pictures, PNG.

    Parameters
    ----------
    pngs : tuple of bytes
        A and B; empty where a scan cannot be shown.
    registered : bool
        Whether they show the very marks that were compared, B as it lies on A; else the scans as measured.
    sizes_mm : tuple of float
        How wide each is in nature.
    """

    pngs: tuple[bytes, ...]
    registered: bool
    sizes_mm: tuple[float, ...] = ()


def kept_pictures(a: KeptScan, b: KeptScan, pose: Pose | None) -> KeptPictures:
    """Draw two kept scans in one light.

    The preparation is run again by the steps of the result. Only where that gives the very heights that were compared,
    by their hash, are the marks shown registered; otherwise the scans are shown as they were measured.

    Parameters
    ----------
    a, b : KeptScan
        The scans.
    pose : Pose or None
        How B lies on A.
    """
    try:
        surfaces = [_read(scan) for scan in (a, b)]
    except BallisticsError:
        # A format that this installation does not read: the files are named by their hashes all the same.
        return KeptPictures((), False)
    if any(surface.heights_um.ndim != 2 or len(surface.heights_um) < 2 for surface in surfaces):
        return KeptPictures((), False)
    marks = [_mark(scan, surface) for scan, surface in zip((a, b), surfaces, strict=True)]
    if pose is not None and marks[0] is not None and marks[1] is not None:
        return _png(pair_pictures(marks[0], marks[1], pose, _LARGEST_POINTS), registered=True)
    grids = [picture_grid(each.heights_um, _spacing(each), _LARGEST_POINTS) for each in surfaces]
    return _png(_drawn(grids, [surface.kind for surface in surfaces]), registered=False)


def _read(scan: KeptScan) -> Surface:
    ending = _SUFFIX.search(scan.name)
    with tempfile.TemporaryDirectory() as folder:
        # Some formats are known by the ending of the name, which a kept file has not.
        path = Path(folder) / f"scan{ending[0].lower() if ending else ''}"
        shutil.copyfile(scan.path, path)
        return read(path, units=_UNITS.get(scan.units))


def _mark(scan: KeptScan, surface: Surface) -> Mark | None:
    if not scan.steps:
        return None
    try:
        mark = replay(surface, scan.steps, scan.kind)
    except BallisticsError:
        return None
    return mark if sha256_of_array(mark.heights_um) == scan.mark_sha256 else None


def _spacing(surface: Surface) -> tuple[float, float]:
    y, x = surface.spacing_um
    return float(y), float(x)


def _drawn(grids: list[Grid], kinds: Iterable[Any]) -> tuple[Picture, Picture]:
    if "reflectance" in kinds:
        return grey_image(grids[0]), grey_image(grids[1])
    exaggeration = common_exaggeration(*grids)
    return shaded_relief(grids[0], exaggeration), shaded_relief(grids[1], exaggeration)


def _png(pictures: tuple[Picture, Picture], *, registered: bool) -> KeptPictures:
    pngs = tuple(base64.b64decode(picture.uri.partition(",")[2]) for picture in pictures)
    return KeptPictures(pngs, registered, tuple(picture.width_um / 1000 for picture in pictures))
