"""The pictures of a comparison report: scans as measured, marks as prepared, and the registered pair."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ballistics.reports.figures.mark_views import Frame, MarkViews
from ballistics.reports.figures.outlines import label_paths, outline_path
from ballistics.reports.figures.pictures import (
    Grid,
    Picture,
    coloured_heights,
    common_exaggeration,
    common_limit_um,
    grey_image,
    leaning_pictures,
    palette_of,
    picture_grid,
    shaded_relief,
)
from ballistics.reports.figures.registered_pair import difference, registered_pair
from ballistics.reports.figures.seam import Seam, seam_on_both
from ballistics.reports.reported_scan import ReportedScan
from ballistics.surfaces import Pose, RegionLabel

HEIGHT_COLOURS = "cividis"
DIFFERENCE_COLOURS = "PuOr_r"
LABEL_NAMES = {
    RegionLabel.FIRING_PIN: "firing pin",
    RegionLabel.APERTURE: "aperture and crater rim",
    RegionLabel.DRAG: "drag, shear, flaws",
    RegionLabel.PRIMER_EDGE: "rolled primer edge",
    RegionLabel.CASE_HEAD: "case head",
    RegionLabel.OUTSIDE: "primer gap, outside",
}


@dataclass(frozen=True)
class ScanFigures:
    """One scan: as measured (levelled, with outlines), and the mark prepared from it.

    Parameters
    ----------
    surface, mark : Picture or None
        None when there is nothing to draw.
    region : str
        Outline of the region, as the data of an SVG path; empty when unknown.
    excluded : mapping of str to str
        Outline of what was excluded, by cause.
    """

    surface: Picture | None
    mark: Picture | None
    region: str = ""
    excluded: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PairFigures:
    """The registered pair in the frame of A: both marks, where the seam between them starts, and A − B."""

    a: MarkViews
    b: MarkViews
    seam: Seam
    difference: Picture
    height_limit_um: float

    @property
    def frame(self) -> Frame:
        """What is shown: the frame of both marks."""
        shown = self.a.relief
        return Frame(shown.left_um, shown.top_um, shown.width_um, shown.height_um)


@dataclass(frozen=True)
class ComparisonFigures:
    """All pictures of one comparison, and by how much their reliefs are exaggerated."""

    a: ScanFigures
    b: ScanFigures
    pair: PairFigures | None
    surface_exaggeration: float
    mark_exaggeration: float
    height_scale: list[str]
    difference_scale: list[str]

    def scan(self, letter: str) -> ScanFigures:
        """Return the figures of scan "a" or "b"."""
        return self.a if letter == "a" else self.b


def comparison_figures(a: ReportedScan, b: ReportedScan, pose: Pose | None) -> ComparisonFigures:
    """Draw everything; reliefs of the two scans, and of the two marks, in one light and one exaggeration.

    Parameters
    ----------
    a, b : ReportedScan
        What was compared.
    pose : Pose or None
        How B lies on A; None when they were not registered.
    """
    surfaces = [_surface_grid(scan) for scan in (a, b)]
    marks = [_mark_grid(scan) for scan in (a, b)]
    of_surfaces = common_exaggeration(*(grid for grid in surfaces if grid is not None))
    of_marks = common_exaggeration(*(grid for grid in marks if grid is not None))
    scans = []
    for scan, surface, mark in zip((a, b), surfaces, marks, strict=True):
        reflectance = scan.surface.kind == "reflectance"
        scans.append(
            ScanFigures(
                None if surface is None else _drawn(surface, of_surfaces, reflectance),
                None if mark is None else _drawn(mark, of_marks, reflectance),
                _region(scan),
                _excluded(scan),
            )
        )
    drawable = pose is not None and all(grid is not None for grid in marks)
    pair = _pair(a, b, pose, of_marks) if pose is not None and drawable else None
    return ComparisonFigures(
        scans[0], scans[1], pair, of_surfaces, of_marks, _scale(HEIGHT_COLOURS), _scale(DIFFERENCE_COLOURS)
    )


def _scale(colours: str) -> list[str]:
    """Return nine colours of a scale for its legend."""
    palette = palette_of(colours)
    return ["#{:02x}{:02x}{:02x}".format(*palette[k]) for k in np.linspace(0, 254, 9).astype(int)]


def _drawn(grid: Grid, exaggeration: float, reflectance: bool) -> Picture:
    return grey_image(grid) if reflectance else shaded_relief(grid, exaggeration)


def _surface_grid(scan: ReportedScan) -> Grid | None:
    surface = scan.surface
    if min(surface.heights_um.shape) < 2 or not np.isfinite(surface.heights_um).any():
        return None
    return picture_grid(_levelled(surface.heights_um, surface.spacing_um), surface.spacing_um)


def _levelled(heights_um: NDArray[np.float64], spacing_um: tuple[float, float]) -> NDArray[np.float64]:
    """Take off the plane that most points agree on: a tilted scan would be drawn in its own shadow."""
    from ballistics.surfaces import fit_form

    form = fit_form(heights_um, spacing_um, order=1)
    if form is None:
        return heights_um
    rows, columns = heights_um.shape
    return heights_um - form.heights_um((rows, columns), spacing_um)


def _mark_grid(scan: ReportedScan) -> Grid | None:
    heights = scan.mark.heights_um
    if min(heights.shape) < 2 or not np.isfinite(heights).any():
        return None
    return picture_grid(heights, (scan.mark.spacing_um, scan.mark.spacing_um))


def _region(scan: ReportedScan) -> str:
    region = scan.mark.region
    if region is None or region.shape != scan.surface.heights_um.shape:
        return ""
    return outline_path(region, scan.surface.spacing_um)


def _excluded(scan: ReportedScan) -> dict[str, str]:
    if scan.labels is None or scan.labels.shape != scan.surface.heights_um.shape:
        return {}
    paths = label_paths(scan.labels, scan.surface.spacing_um)
    return {name: paths[label] for label, name in LABEL_NAMES.items() if label in paths}


def _pair(a: ReportedScan, b: ReportedScan, pose: Pose, exaggeration: float) -> PairFigures:
    on_a, registered_b = registered_pair(a.mark, b.mark, pose)
    between = difference(on_a, registered_b)
    limit = common_limit_um(on_a, registered_b)  # also of the difference, so that the two scales can be compared
    reflectance = a.surface.kind == "reflectance"
    return PairFigures(
        _views(on_a, exaggeration, limit, reflectance),
        _views(registered_b, exaggeration, limit, reflectance),
        seam_on_both(on_a, registered_b),
        coloured_heights(between, limit, DIFFERENCE_COLOURS),
        limit,
    )


def _views(grid: Grid, exaggeration: float, limit_um: float, reflectance: bool) -> MarkViews:
    heights = coloured_heights(grid, limit_um, HEIGHT_COLOURS)
    if reflectance:
        return MarkViews(grey_image(grid), heights)
    return MarkViews(shaded_relief(grid, exaggeration), heights, leaning_pictures(grid, exaggeration))
