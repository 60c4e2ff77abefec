"""One side of a comparison as a report shows it: the file's name, the surface as read, the mark prepared from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ballistics.findings import Finding
from ballistics.surfaces import Mark, Surface


@dataclass(frozen=True, eq=False)
class ReportedScan:
    """What a report says about one of the two scans.

    Parameters
    ----------
    name : str
        Name of the file, without its folder: a report does not depend on where the file is.
    surface : Surface
        As read.
    mark : Mark
        As prepared from it.
    labels : ndarray of uint8, shape of the surface, optional
        What each point of the surface was taken for, see `ballistics.surfaces.regions.breech_face_region.RegionLabel`.
    """

    name: str
    surface: Surface
    mark: Mark
    labels: NDArray[np.uint8] | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Those of the surface, then those that only the mark has."""
        return (*self.surface.findings, *(f for f in self.mark.findings if f not in self.surface.findings))


def reported_scan(name: str, surface: Surface, mark: Mark) -> ReportedScan:
    """Return one side of a report, with the causes of exclusion where the region was found automatically.

    A mark keeps the region but not what the rest was taken for; the steps before the region are
    replayed and the region is found once more, which gives the same result.

    Parameters
    ----------
    name : str
        Name of the file, without its folder.
    surface : Surface
        As read.
    mark : Mark
        As prepared from it.

    Returns
    -------
    ReportedScan
        With labels only for a breech face of a topography whose region was found automatically, and is found again.
    """
    from ballistics.surfaces import find_breech_face, replay

    names = [step.name for step in mark.steps]
    # On an image nothing is told but the region itself.
    if mark.kind != "breech face" or surface.kind != "topography":
        return ReportedScan(name, surface, mark)
    if mark.region is None or not mark.region.any() or "find region" not in names:
        return ReportedScan(name, surface, mark)
    at = names.index("find region")
    if mark.steps[at].outcome.get("source") != "automatic":
        return ReportedScan(name, surface, mark)
    before = replay(surface, mark.steps[:at], mark.kind)
    if before.heights_um.shape != surface.heights_um.shape:
        return ReportedScan(name, surface, mark)
    found = find_breech_face(replace(surface, heights_um=before.heights_um.astype(np.float64)))
    return ReportedScan(name, surface, mark, None if found.reason is not None else found.labels)
