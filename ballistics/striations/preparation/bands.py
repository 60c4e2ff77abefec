"""The bands of a scan across striae: without the arc, between the ends of the land, aligned along the striae."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from ballistics.findings import Finding
from ballistics.striations.preparation.alignment import align_bands, column_medians, filtered_bands, moved
from ballistics.striations.preparation.arcs import Arc
from ballistics.striations.preparation.parameters import LandParameters
from ballistics.striations.preparation.shoulders import LandEnd, LandEnds, find_ends
from ballistics.striations.signature import Floats
from ballistics_kernels.profiles import band_medians

# An arc of this many times the greatest radius of a bullet is called flat, of the least one's inverse, steep.
_FLAT_RADII = 20.0
# This number of columns around a leap tells the slope beside it.
_AROUND_LEAP = 15
# Of columns further apart than this, striae leap more.
_LEAP_STEP_UM = 1.5625


@dataclass(frozen=True, eq=False)
class Bands:
    """The bands of one orientation, aligned.

    ``row_bands`` says to which band a row of the scan belongs (−1: none), ``row_shifts`` by how far it was moved left
    before; ``forms`` are the arcs of the bands between the ends of the land, NaN beyond, before the bands were moved.
    """

    spacing_um: float
    band_rows: NDArray[np.float64]
    left: LandEnd
    right: LandEnd
    scatter_um: tuple[float, float]
    slant: float
    lags: NDArray[np.float64]
    agreements: NDArray[np.float64]
    first: int
    residuals: Floats
    counts: NDArray[np.int64]
    arc: Arc
    findings: tuple[Finding, ...]
    row_bands: NDArray[np.int64]
    row_shifts: NDArray[np.int64]
    forms: Floats


def aligned_bands(heights: Floats, spacing_um: tuple[float, float], p: LandParameters) -> Bands | str:
    """Align the bands of one orientation of a scan; again along the striae when these slant.

    Parameters
    ----------
    heights : ndarray of float64, shape (rows, columns)
        In µm, striae across the rows; NaN for missing points.
    spacing_um : tuple of float
        Distance in µm between rows and between columns.
    p : LandParameters
        Height of a band, ends, and what counts as agreement.

    Returns
    -------
    Bands or str
        In words why there are none.
    """
    shifts = np.zeros(len(heights), np.int64)
    found = _aligned(heights, spacing_um, shifts, p)
    if isinstance(found, str) or abs(found.slant) < p.least_slant:
        return found
    middle = (len(heights) - 1) / 2.0
    shifts = np.rint(found.slant * (np.arange(len(heights)) - middle) * spacing_um[0] / spacing_um[1]).astype(np.int64)
    again = _aligned(heights, spacing_um, shifts, p)
    if isinstance(again, str) or agreement(again) < agreement(found):
        return found
    return replace(again, slant=again.slant + found.slant)


def _aligned(
    heights: Floats, spacing_um: tuple[float, float], shifts: NDArray[np.int64], p: LandParameters
) -> Bands | str:
    row_um, step = spacing_um
    per_band = max(1, round(p.band_height_um / row_um))
    first_row, last_row = 0, len(heights)
    if p.rows_um is not None:
        first_row = max(0, math.ceil(p.rows_um[0] / row_um))
        last_row = min(last_row, math.floor(p.rows_um[1] / row_um) + 1)
    if last_row - first_row < per_band:
        return f"{max(last_row - first_row, 0)} rows are fewer than a band of {p.band_height_um:g} µm has"
    medians, counts = band_medians(
        np.ascontiguousarray(heights[first_row:last_row], dtype=np.float64), shifts[first_row:last_row], per_band
    )
    band_rows: Floats = np.asarray((first_row + (np.arange(len(medians)) + 0.5) * per_band - 0.5) * row_um, np.float64)
    x: Floats = np.arange(medians.shape[1], dtype=np.float64) * step
    all_ends = [_ends_of_band(x, profile, step, p) for profile in medians]
    arched = [k for k, ends in enumerate(all_ends) if ends is not None]
    if len(arched) < min(p.fewest_bands, len(medians)) or not arched:
        return _hollow(medians, x, step, p)
    radii = np.array([ends.arc.radius_mm for ends in all_ends if ends is not None])
    radius = float(np.median(radii))
    if not p.radii_mm[0] <= radius <= p.radii_mm[1]:
        return other_radius(radius, p)
    spread = 1.4826 * float(np.median(np.abs(radii - radius))) / radius
    if spread > p.largest_radius_spread:
        return (
            f"the radius across the scan differs by {spread:.0%} from place to place: no arc of one bullet runs along "
            "it; a cartridge head, for instance, has none"
        )
    findings: list[Finding] = []
    left, left_line, left_scatter = _side(all_ends, band_rows, x, p, findings, "left")
    right, right_line, right_scatter = _side(all_ends, band_rows, x, p, findings, "right")
    step_found = _step_across(medians, x, left, right, p)
    if step_found is not None:
        findings.append(step_found)
    forms, limits = np.full(medians.shape, np.nan), np.full((len(medians), 1), np.inf)
    for k in arched:
        ends = all_ends[k]
        assert ends is not None
        inside = (x >= left_line[k] + p.margin_um) & (x <= right_line[k] - p.margin_um)
        forms[k] = np.where(inside, ends.arc.heights(x), np.nan)
        limits[k] = p.largest_sigmas * ends.arc.sigma_um
    row_bands = np.full(len(heights), -1, np.int64)
    in_bands = min(len(medians) * per_band, last_row - first_row)
    row_bands[first_row : first_row + in_bands] = np.repeat(np.arange(len(medians)), per_band)[:in_bands]
    residuals = _within(medians - forms, limits)
    reach = round(p.largest_lag_um / step)
    lags, agreements, first = align_bands(filtered_bands(residuals, step, p.band_um), reach, p.lowest_agreement)
    if 2 * int(np.isfinite(lags).sum()) < len(lags):
        # Pits and flakes may have led the alignment.
        whole = _without_pits(heights, shifts, row_bands, forms, p.largest_deviation_um)
        medians, fewer = band_medians(whole[first_row:last_row], shifts[first_row:last_row], per_band)
        cleaned = _within(medians - forms, limits)
        again = align_bands(filtered_bands(cleaned, step, p.band_um), reach, p.lowest_agreement)
        if np.isfinite(again[0]).sum() > np.isfinite(lags).sum():
            residuals, counts, (lags, agreements, first) = cleaned, fewer, again
    if first < 0:
        return "no two bands of the scan agree: there are no striae across it"
    known = np.isfinite(lags)
    if known.mean() < p.least_share:
        return f"only {known.sum()} of {len(known)} bands agree: no striae run along the scan, or too little of them"
    slant = 0.0
    if known.sum() >= 3:
        slant = float(np.polyfit(band_rows[known], lags[known] * step, 1)[0])
    shifted = np.stack([moved(row, lag) for row, lag in zip(residuals, lags, strict=True)])
    shifted_counts = np.stack([moved(row.astype(np.float64), lag) for row, lag in zip(counts, lags, strict=True)])
    arc = all_ends[first]
    assert arc is not None
    return Bands(
        step, band_rows, left, right, (left_scatter, right_scatter), slant, lags, agreements, first, shifted,
        np.nan_to_num(shifted_counts).astype(np.int64), arc.arc, tuple(findings), row_bands, shifts, forms,
    )  # fmt: skip


def _hollow(medians: Floats, x: Floats, step: float, p: LandParameters) -> str:
    """Say why there is no arc: the scan may show one upside down."""
    upside_down = [_ends_of_band(x, -profile, step, p) for profile in medians]
    radii = [ends.arc.radius_mm for ends in upside_down if ends is not None]
    if radii and p.radii_mm[0] <= float(np.median(radii)) <= p.radii_mm[1]:
        return "the scan is hollow where a bullet is round: its heights are inverted, or it is a scan of a cast"
    return "no arc of a bullet runs across the scan"


def other_radius(radius_mm: float, p: LandParameters) -> str:
    """Say that an arc of this radius is no bullet's."""
    bullets = f"a bullet's is {p.radii_mm[0]:g} to {p.radii_mm[1]:g} mm"
    if radius_mm > _FLAT_RADII * p.radii_mm[1]:
        return f"the scan is flat across: no arc of a bullet lies under it ({bullets}); are its heights in micrometres?"
    if radius_mm < p.radii_mm[0] / _FLAT_RADII:
        return f"the scan is far steeper than a bullet ({bullets}); are its heights and lengths in micrometres?"
    return f"the arc across the scan has a radius of {radius_mm:.1f} mm; {bullets}"


def _step_across(medians: Floats, x: Floats, left: LandEnd, right: LandEnd, p: LandParameters) -> Finding | None:
    """Report a leap of the heights from one column to the next, in most bands at the same column."""
    leaps = column_medians(np.diff(medians, axis=1))
    known = np.isfinite(np.diff(medians, axis=1))
    inside = (x[:-1] >= left.place_um + p.margin_um) & (x[1:] <= right.place_um - p.margin_um)
    inside &= 2 * known.sum(axis=0) > len(medians)
    if len(medians) < p.fewest_bands or not inside.any():
        return None
    # Beside the slope that the heights have there anyway.
    usual = median_filter(np.where(inside, leaps, 0.0), _AROUND_LEAP, mode="nearest")
    beside = np.where(inside, np.abs(leaps - usual), 0.0)
    k = int(np.argmax(beside))
    if beside[k] <= p.largest_step_um * max(1.0, float(x[1] - x[0]) / _LEAP_STEP_UM):
        return None
    return Finding(
        "step-across",
        "serious",
        f"the heights leap by {beside[k]:.1f} µm from one column to the next at {x[k]:.0f} µm, all along the scan: "
        "it was stitched there, or the sample moved",
        "left in: arc, ends and signature may be wrong; scan the land again",
    )


def _within(residuals: Floats, limits: Floats) -> Floats:
    """Return heights without those beyond the limit of their band."""
    return np.where(np.abs(residuals) <= limits, residuals, np.nan)


def _without_pits(
    heights: Floats, shifts: NDArray[np.int64], row_bands: NDArray[np.int64], forms: Floats, largest_deviation_um: float
) -> Floats:
    """Return a scan without the points that lie off the median of their column, the arc apart.

    Striae run on, pits and flakes do not. Striae that slant lie off the median of their column too, but less far.
    """
    level = np.full(heights.shape, np.nan)
    columns = np.arange(heights.shape[1])
    for r in np.flatnonzero(row_bands >= 0):
        form = forms[row_bands[r]]
        own = columns + shifts[r]
        there = np.isfinite(form) & (own >= 0) & (own < len(columns))
        row = heights[r, own[there]] - form[there]
        known = np.isfinite(row)
        level[r, there] = row - (np.median(row[known]) if known.any() else 0.0)
    off = np.abs(level - column_medians(level)) > largest_deviation_um
    cleaned = np.array(heights, np.float64)
    for r in np.flatnonzero(off.any(axis=1)):
        cleaned[r, columns[off[r]] + shifts[r]] = np.nan
    return cleaned


def _ends_of_band(x: Floats, profile: Floats, step: float, p: LandParameters) -> LandEnds | None:
    valid = np.isfinite(profile)
    return find_ends(x[valid], profile[valid], step, p.shoulders, p.arc) if valid.any() else None


def _side(
    all_ends: list[LandEnds | None], rows: Floats, x: Floats, p: LandParameters, findings: list[Finding], name: str
) -> tuple[LandEnd, Floats, float]:
    """Return the end on one side, its place on each band, and the scatter of single bands."""
    if p.ends_um is not None:
        place = p.ends_um[0 if name == "left" else 1]
        findings.append(Finding("land-end-given", "note", f"the {name} end of the land is given: {place:g} µm", "used"))
        return LandEnd(place, True), np.full(len(rows), place), math.nan
    ends = [(k, getattr(e, name)) for k, e in enumerate(all_ends) if e is not None]
    with_shoulder = [(k, end.place_um) for k, end in ends if end.shoulder]
    if 2 * len(with_shoulder) < len(ends):
        places = np.array([end.place_um for _, end in ends])
        place = float(np.median(places))
        findings.append(
            Finding(
                "shoulder-absent",
                "note",
                f"no groove shoulder on the {name}: {len(with_shoulder)} of {len(ends)} bands show one; the land is "
                f"taken to end with the scan, at {place:.0f} µm",
                "the land may be longer",
            )
        )
        line = np.full(len(rows), place)
        for k, end in ends:
            line[k] = end.place_um
        return LandEnd(place, False), line, math.nan
    where = np.array([k for k, _ in with_shoulder])
    places = np.array([place for _, place in with_shoulder])
    slope, level = _robust_line(rows[where], places)
    scatter = float(np.median(np.abs(places - level - slope * rows[where])))
    line = np.asarray(level + slope * rows)
    if scatter > p.largest_scatter_um:
        findings.append(
            Finding(
                "shoulder-uncertain",
                "warning",
                f"the {name} shoulder lies {scatter:.0f} µm, median, off a line from band to band",
                "the line is used; look at the picture",
            )
        )
    place = float(level + slope * rows.mean())
    gaps = np.array([getattr(all_ends[k], name).gap_um for k in where])
    if 2 * np.count_nonzero(gaps) >= len(gaps):
        findings.append(_in_gap(name, float(np.median(gaps[gaps > 0.0])), place))
    beyond = place if name == "left" else float(x[-1]) - place
    if beyond > p.farthest_inside * float(x[-1]):
        findings.append(
            Finding(
                "shoulder-far-inside",
                "serious",
                f"what looks like the {name} shoulder lies {beyond:.0f} µm inside the scan: it may be a step where "
                "the scan was stitched, or damage",
                "taken as the end of the land; look at the picture, or give the ends",
            )
        )
    return LandEnd(place, True), line, scatter


def _in_gap(name: str, gap_um: float, place_um: float) -> Finding:
    what = f"{gap_um:.0f} µm are missing beside the {name} shoulder: it may lie anywhere in them"
    return Finding("shoulder-in-gap", "warning", what, f"taken at {place_um:.0f} µm; look at the picture")


def _robust_line(x: Floats, y: Floats) -> tuple[float, float]:
    """Return slope and level of the line by medians (Theil 1950)."""
    i, j = np.triu_indices(len(x), 1)
    slopes = (y[j] - y[i]) / (x[j] - x[i])
    slope = float(np.median(slopes)) if len(slopes) else 0.0
    return slope, float(np.median(y - slope * x))


def agreement(found: Bands | str) -> float:
    """Return how well the bands of an orientation agree; below 0 for none."""
    if isinstance(found, str):
        return -1.0
    return float(np.nan_to_num(found.agreements, nan=0.0).mean())
