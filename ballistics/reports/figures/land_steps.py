"""The pictures of the way from a scan of a land to its signature, one for each step."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ballistics.reports.figures.pictures import (
    Grid,
    Picture,
    coloured_heights,
    common_exaggeration,
    picture_grid,
    shaded_relief,
)
from ballistics.reports.figures.profile_chart import Chart, Floats, band_path, chart_of, profile_path
from ballistics.reports.reported_striae import ReportedStriae
from ballistics.striations import ExcludedSpan, Land, LandParameters

BAND_COLOURS = "PuOr_r"
# How many lines show the run of the striae.
_STRIAE_LINES = 7


@dataclass(frozen=True)
class LandSteps:
    """Every step of one land, ready to be drawn. Places from the middle of the first column, and of the first row.

    Parameters
    ----------
    scan : Picture
        As measured, less the arc of the stable cross-cut.
    first_band : tuple of float, optional
        First and last place along the striae of the stable cross-cut.
    left_out : tuple of tuple of float
        The same of each band that was left out.
    striae : tuple of str
        Points of lines along the striae, as the bands were aligned.
    cross_cut : Chart
    cross_cut_path, arc_path : str
        The stable cross-cut with its arc.
    bands : Picture or None
        The bands without arc, aligned: each as high as it is on the scan.
    band_rows : tuple of BandRow
    band_limit_um : float
        Height of the last colour of ``bands``.
    signature : Chart
    signature_path, error_path : str
        The signature, and a standard error to both sides.
    rows : Chart
    rows_path : str
        How many rows stand behind each point.
    excluded : tuple of ExcludedSpan
    """

    scan: Picture
    first_band: tuple[float, float] | None
    left_out: tuple[tuple[float, float], ...]
    striae: tuple[str, ...]
    cross_cut: Chart
    cross_cut_path: str
    arc_path: str
    bands: Picture | None
    band_rows: tuple[BandRow, ...]
    band_limit_um: float
    signature: Chart
    signature_path: str
    error_path: str
    rows: Chart
    rows_path: str
    excluded: tuple[ExcludedSpan, ...]


@dataclass(frozen=True)
class BandRow:
    """One band: where along the striae, how it agreed, how far it was moved; None for a band left out."""

    percent: float
    agreement: float
    lag_um: float | None
    first: bool


def _upright(striae: ReportedStriae) -> tuple[Floats, tuple[float, float]]:
    """Return the heights of a scan turned as `land_of` turned it, and the spacing of its rows and columns."""
    assert striae.surface is not None
    heights, (down, across) = striae.surface.heights_um, striae.surface.spacing_um
    if striae.land is not None and striae.land.turned:
        return np.ascontiguousarray(np.rot90(heights)), (across, down)
    return heights, (down, across)


def land_steps(striae: ReportedStriae, largest_points: int = 900) -> LandSteps | None:
    """Draw the steps of a land; None without a scan, or where no band of it could be used.

    Parameters
    ----------
    striae : ReportedStriae
    largest_points : int
        Greatest number of columns of the picture of the scan.
    """
    land = striae.land
    if striae.surface is None or land is None or land.arc is None or land.first_band < 0:
        return None
    heights, (down, across) = _upright(striae)
    x = across * np.arange(heights.shape[1], dtype=np.float64)
    half = 0.5 * _band_height_um(striae)
    bands = [(float(y) - half, float(y) + half) for y in land.band_rows]
    profile = _median_of_rows(heights, land.band_rows[land.first_band], half, down)
    arc = land.arc.heights(x)
    signature = striae.signature
    along = signature.spacing_um * np.arange(len(signature.heights_um), dtype=np.float64)
    error = signature.standard_errors_um if signature.standard_errors_um is not None else np.full(len(along), np.nan)
    rows = np.zeros(len(along)) if signature.rows is None else signature.rows.astype(np.float64)
    limit = _limit(land.residuals_um)
    cross_cut = chart_of(x, profile, arc)
    return LandSteps(
        _scan_picture(heights - arc, (down, across), largest_points),
        bands[land.first_band],
        tuple(band for band, lag in zip(bands, land.lags_um, strict=True) if not np.isfinite(lag)),
        _striae_lines(land),
        cross_cut,
        profile_path(x, profile),
        profile_path(x[::8], arc[::8]),
        _band_picture(land, across, 2.0 * half, limit),
        _band_rows(land),
        limit,
        chart_of(along, signature.heights_um, symmetric=True),
        profile_path(along, signature.heights_um),
        band_path(along, signature.heights_um - error, signature.heights_um + error),
        replace(chart_of(along, rows), low_um=0.0, high_um=1.1 * max(float(rows.max(initial=0.0)), 1.0)),
        profile_path(along, rows),
        signature.excluded,
    )


def _band_height_um(striae: ReportedStriae) -> float:
    """Return how high the bands are that a signature was made from."""
    made = striae.signature.provenance
    usual = LandParameters().band_height_um
    return usual if made is None else float(made.parameters.get("band_height_um", usual))


def _median_of_rows(heights: Floats, middle_um: float, half_um: float, down_um: float) -> Floats:
    rows = down_um * np.arange(len(heights))
    part = heights[(rows >= middle_um - half_um) & (rows <= middle_um + half_um)]
    known = np.isfinite(part).any(axis=0)
    profile = np.full(heights.shape[1], np.nan)
    profile[known] = np.nanmedian(part[:, known], axis=0)
    return profile


def _scan_picture(heights: Floats, spacing_um: tuple[float, float], largest_points: int) -> Picture:
    """Draw a scan less the arc, in one light; what lies far off, as the grooves do, is drawn as a wall."""
    grid = picture_grid(heights, spacing_um, largest_points)
    drawn = shaded_relief(grid, common_exaggeration(_inner(grid)))
    return replace(drawn, left_um=-0.5 * spacing_um[1], top_um=-0.5 * spacing_um[0])


def _inner(grid: Grid) -> Grid:
    """Return the middle half of a grid: its slopes are those of striae, not of grooves."""
    columns = grid.heights_um.shape[1]
    return replace(grid, heights_um=grid.heights_um[:, columns // 4 : max(columns - columns // 4, columns // 4 + 2)])


def _striae_lines(land: Land) -> tuple[str, ...]:
    known = np.isfinite(land.lags_um)
    starts = np.linspace(land.left.place_um, land.right.place_um, _STRIAE_LINES + 2)[1:-1]
    points = list(zip(land.lags_um[known], land.band_rows[known], strict=True))
    return tuple(" ".join(f"{start + lag:.1f},{row:.1f}" for lag, row in points) for start in starts)


def _limit(residuals_um: NDArray[np.float64]) -> float:
    values = np.abs(residuals_um[np.isfinite(residuals_um)])
    limit = float(np.quantile(values, 0.98)) if values.size else 0.0
    return float(f"{limit:.2g}") if limit > 0.0 else 1.0


def _band_picture(land: Land, across_um: float, height_um: float, limit_um: float) -> Picture | None:
    residuals = land.residuals_um
    if not np.isfinite(residuals).any():
        return None
    grid = Grid(residuals.astype(np.float32), across_um, -0.5 * across_um, 0.0)
    drawn = coloured_heights(grid, limit_um, BAND_COLOURS)
    return replace(drawn, height_um=height_um * len(residuals))


def _band_rows(land: Land) -> tuple[BandRow, ...]:
    number = len(land.band_rows)
    return tuple(
        BandRow(
            round(100.0 * (k + 0.5) / number, 2),
            float(land.agreements[k]),
            float(land.lags_um[k]) if np.isfinite(land.lags_um[k]) else None,
            k == land.first_band,
        )
        for k in range(number)
    )
