"""The pictures of the way from a scan to the signature of a striated mark that is no land."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ballistics.reports.figures.outlines import outline_path
from ballistics.reports.figures.pictures import Picture, common_exaggeration, picture_grid, shaded_relief
from ballistics.reports.figures.profile_chart import Chart, band_path, chart_of, profile_path
from ballistics.reports.reported_striae import ReportedStriae
from ballistics.surfaces import fit_form


@dataclass(frozen=True)
class StriatedSteps:
    """The scan with the region, and the signature; places from the middle of the scan, and of the first point.

    Parameters
    ----------
    scan : Picture or None
        As measured, levelled by the plane that most of its points agree on; None without a scan.
    region : str
        Outline of the region, as the data of an SVG path; empty when unknown.
    signature : Chart
    signature_path, error_path : str
        The signature, and a standard error to both sides.
    """

    scan: Picture | None
    region: str
    signature: Chart
    signature_path: str
    error_path: str


def striated_steps(striae: ReportedStriae) -> StriatedSteps | None:
    """Draw scan, region and signature; None where there is no signature."""
    signature = striae.signature
    if signature.insufficient is not None or not signature.valid_points:
        return None
    along = signature.spacing_um * np.arange(len(signature.heights_um), dtype=np.float64)
    error = signature.standard_errors_um
    heights = signature.heights_um
    return StriatedSteps(
        _scan(striae),
        _region(striae),
        chart_of(along, heights, symmetric=True),
        profile_path(along, heights),
        "" if error is None else band_path(along, heights - error, heights + error),
    )


def _scan(striae: ReportedStriae) -> Picture | None:
    surface = striae.surface
    if surface is None or min(surface.heights_um.shape) < 2 or not np.isfinite(surface.heights_um).any():
        return None
    form = fit_form(surface.heights_um, surface.spacing_um, order=1)
    rows, columns = surface.heights_um.shape
    level = 0.0 if form is None else form.heights_um((rows, columns), surface.spacing_um)
    grid = picture_grid(surface.heights_um - level, surface.spacing_um)
    return shaded_relief(grid, common_exaggeration(grid))


def _region(striae: ReportedStriae) -> str:
    region = None if striae.mark is None else striae.mark.region
    if region is None or striae.surface is None or region.shape != striae.surface.heights_um.shape:
        return ""
    return outline_path(region, striae.surface.spacing_um)
