"""From a raw scan of a land engraved area to its signature: shoulders, direction of the striae, bands averaged."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ballistics.findings import Finding
from ballistics.provenance import Provenance, sha256_of_array
from ballistics.striations.preparation.alignment import Average, average_bands
from ballistics.striations.preparation.arcs import Arc
from ballistics.striations.preparation.bands import Bands, agreement, aligned_bands, other_radius
from ballistics.striations.preparation.parameters import LandParameters
from ballistics.striations.preparation.patches import Patch
from ballistics.striations.preparation.shoulders import LandEnd, LandEnds, find_ends
from ballistics.striations.preparation.soundness import unsound
from ballistics.striations.profile_filters import band_passed
from ballistics.striations.signature import ExcludedSpan, Floats, Signature
from ballistics.surfaces import Surface

METHOD = "land engraved area, bands aligned along the striae"
VERSION = "3"
KIND = "land engraved area"


@dataclass(frozen=True, eq=False)
class Land:
    """A land and every step to its signature.

    Parameters
    ----------
    signature : Signature
    turned : bool
        Whether the striae run along the rows of the scan, so that it was turned by 90° first.
    left, right : LandEnd
        Where the land ends on the middle of the scan, turned if it was; whether a shoulder was found there.
    scatter_um : tuple of float
        Median deviation of the ends of single bands from the common line; NaN where given or absent.
    slant_deg : float
        Direction of the striae against the columns; positive when they lean to the right going down.
    band_rows : ndarray of float64, shape (bands,)
        Middle of each band along the striae, in µm.
    lags_um : ndarray of float64, shape (bands,)
        Where the striae of each band lie, relative to the band taken as first; NaN for bands left out.
    agreements : ndarray of float64, shape (bands,)
        Correlation with the mean of the bands aligned before.
    first_band : int
        The stable cross-cut: the band that agrees best with its neighbours. −1 when there is none.
    residuals_um : ndarray of float64, shape (bands, columns)
        Heights of the bands without the arc, aligned; NaN where excluded.
    arc : Arc or None
        Of the stable cross-cut.
    patch : Patch or None
        The land straightened, without the arc: column c is point c of the signature. None when insufficient.
    """

    signature: Signature
    turned: bool
    left: LandEnd
    right: LandEnd
    scatter_um: tuple[float, float]
    slant_deg: float
    band_rows: NDArray[np.float64]
    lags_um: NDArray[np.float64]
    agreements: NDArray[np.float64]
    first_band: int
    residuals_um: NDArray[np.float64]
    arc: Arc | None
    patch: Patch | None = None


def land_of(surface: Surface, parameters: LandParameters | None = None) -> Land:
    """Find the land on a raw scan and make its signature.

    The scan is cut into bands of rows. On each the arc of the bullet is fitted and the ends of the land are sought;
    a line through the ends of all bands gives them for the whole, and their scatter. The bands, without arc, are
    aligned along the striae from the most stable outwards, so that striae may slant or bend; what lies far from the
    median of all bands is damage. The mean of the bands is the signature, their scatter its standard error.

    Parameters
    ----------
    surface : Surface
        Heights across a land, groove shoulders and missing points and all; a profile is one row.
    parameters : LandParameters, optional

    Returns
    -------
    Land
        With an insufficient signature, and the reason, where nothing of the kind is to be seen.

    References
    ----------
    Vanderplas et al. 2020, doi:10.1016/j.forsciint.2020.110167; Hare, Hofmann & Carriquiry 2017,
    doi:10.1214/17-AOAS1080; ISO 16610-21, ISO 16610-31.
    """
    p = parameters or LandParameters()
    reason = _unfit(surface)
    if reason:
        return _nothing(surface, p, reason)
    if 1 in surface.heights_um.shape:
        return _of_one_row(surface, p)
    upright = aligned_bands(surface.heights_um, surface.spacing_um, p)
    turned = None
    if not _convincing(upright, p):
        turned = aligned_bands(np.ascontiguousarray(np.rot90(surface.heights_um)), surface.spacing_um[::-1], p)
    best, is_turned = upright, False
    if turned is not None and agreement(turned) > agreement(upright):
        best, is_turned = turned, True
    if isinstance(best, str):
        return _nothing(surface, p, best)
    return _described(best, is_turned, surface, p)


def profile_signature(
    heights_um: Floats, spacing_um: float, parameters: LandParameters | None = None
) -> tuple[Signature, LandEnds | None]:
    """Make the signature of one profile across a land, as a profilometer or an older study gives it.

    Parameters
    ----------
    heights_um : ndarray of float64, shape (n,)
        NaN for missing points.
    spacing_um : float
    parameters : LandParameters, optional

    Returns
    -------
    signature : Signature
        Without standard errors: there is one row.
    ends : LandEnds or None
        Where the land was found to end; None without an arc.
    """
    p = parameters or LandParameters()
    heights = np.asarray(heights_um, np.float64)
    x: Floats = np.arange(len(heights), dtype=np.float64) * spacing_um
    valid = np.isfinite(heights)
    provenance = Provenance(METHOD, VERSION, asdict(p), {"array": sha256_of_array(heights)})
    ends = find_ends(x[valid], heights[valid], spacing_um, p.shoulders, p.arc)
    if ends is None:
        reason = "no arc of a bullet lies under the profile"
        return Signature(np.empty(0), spacing_um, KIND, insufficient=reason, provenance=provenance), None
    if not p.radii_mm[0] <= ends.arc.radius_mm <= p.radii_mm[1]:
        reason = other_radius(ends.arc.radius_mm, p)
        return Signature(np.empty(0), spacing_um, KIND, insufficient=reason, provenance=provenance), None
    left, right = p.ends_um or (ends.left.place_um, ends.right.place_um)
    inside = valid & (x >= left + p.margin_um) & (x <= right - p.margin_um)
    residuals = np.where(inside, heights - ends.arc.heights(x), np.nan)
    residuals[np.abs(residuals) > p.largest_sigmas * ends.arc.sigma_um] = np.nan
    residuals[unsound(residuals, spacing_um, p.largest_roughness, p.roughness_um, p.largest_leap)] = np.nan
    signature = Signature(
        band_passed(residuals, spacing_um, p.band_um),
        spacing_um,
        KIND,
        rows=np.isfinite(residuals).astype(np.int64),
        band_um=p.band_um,
        excluded=_excluded(ends.left, ends.right, p, len(heights) * spacing_um),
        findings=() if p.ends_um else _profile_findings(ends),
        insufficient=_too_short(int(np.isfinite(residuals).sum()) * spacing_um, p),
        provenance=provenance,
    )
    return signature, ends


def _of_one_row(surface: Surface, p: LandParameters) -> Land:
    """Return the land of a scan of one row: nothing is averaged, and no direction of the striae is known."""
    turned = surface.heights_um.shape[1] == 1
    step = surface.spacing_um[0 if turned else 1]
    row = np.asarray(surface.heights_um, np.float64).ravel()
    made, ends = profile_signature(row, step, p)
    if ends is None:
        return _nothing(surface, p, made.insufficient or "no land")
    findings = (*surface.findings, single_profile(), *made.findings)
    signature = replace(made, findings=findings, provenance=_provenance(surface, p))
    x: Floats = np.arange(len(row), dtype=np.float64) * step
    known = np.isfinite(made.heights_um)
    residuals = np.where(known, row - ends.arc.heights(x), np.nan)[None]
    patch = Patch(
        residuals.astype(np.float32), known[None], (step, step), 90.0 if turned else 0.0,
        ((len(row) - 1) * step / 2.0, 0.0) if turned else (0.0, (len(row) - 1) * step / 2.0), np.zeros(1),
        known[::-1][:, None] if turned else known[None],
    )  # fmt: skip
    return Land(
        signature, turned, ends.left, ends.right, (math.nan, math.nan), math.nan, np.zeros(1), np.zeros(1), np.ones(1),
        0, residuals, ends.arc, patch if made.insufficient is None else None,
    )  # fmt: skip


def single_profile() -> Finding:
    """Say what one profile cannot tell."""
    what = "one profile: every point stands on 1 row, without standard error; which way the striae run is not known"
    return Finding("single-profile", "note", what, "used as it is")


def _profile_findings(ends: LandEnds) -> tuple[Finding, ...]:
    found = []
    for name, end in (("left", ends.left), ("right", ends.right)):
        if not end.shoulder:
            what = (
                f"no groove shoulder on the {name}; the land is taken to end with the profile, at {end.place_um:.0f} µm"
            )
            found.append(Finding("shoulder-absent", "note", what, "the land may be longer"))
        elif end.gap_um:
            what = f"{end.gap_um:.0f} µm are missing beside the {name} shoulder: it may lie anywhere in them"
            found.append(Finding("shoulder-in-gap", "warning", what, f"taken at {end.place_um:.0f} µm"))
    return tuple(found)


def _excluded(left: LandEnd, right: LandEnd, p: LandParameters, length_um: float) -> tuple[ExcludedSpan, ...]:
    return (
        ExcludedSpan(0.0, left.place_um + p.margin_um, _why(left)),
        ExcludedSpan(right.place_um - p.margin_um, length_um, _why(right)),
    )


def _too_short(length_um: float, p: LandParameters) -> str | None:
    if length_um >= p.band_um[1]:
        return None
    return f"only {length_um:.0f} µm of the land are left: too little for a signature"


def _unfit(surface: Surface) -> str | None:
    if surface.kind not in ("topography", "profile"):
        return f"a land is measured as topography; this is a {surface.kind}"
    rows, columns = surface.heights_um.shape
    height, width = surface.extent_um
    if min(rows, columns) == 2 or max(rows, columns) < 3:
        return f"{rows} × {columns} points are no scan of a land"
    if max(height, width) < 300.0:
        return f"a scan of {width:.0f} × {height:.0f} µm is too small for a land; are the lengths in micrometres?"
    if surface.valid_fraction < 0.2:
        return f"only {surface.valid_fraction:.0%} of the points are valid"
    return None


def _convincing(found: Bands | str, p: LandParameters) -> bool:
    """Return whether the other orientation need not be looked at: shoulders, and bands that agree between them."""
    if isinstance(found, str):
        return False
    both = found.left.shoulder and found.right.shoulder
    return agreement(found) > (p.convincing_with_shoulders if both else p.convincing)


def _described(found: Bands, turned: bool, surface: Surface, p: LandParameters) -> Land:
    """Average the bands, filter the mean, and say what was left out."""
    findings = [*surface.findings, *found.findings]
    if turned:
        findings.append(
            Finding(
                "scan-turned",
                "warning",
                "the striae run along the rows of the scan",
                "turned by 90° counter-clockwise; if it was scanned the other way round, its ends are exchanged",
            )
        )
    average = average_bands(found.residuals, found.counts, p.largest_deviation_um, p.fewest_bands)
    heights = band_passed(average.heights_um, found.spacing_um, p.band_um)
    left_out = int(np.isnan(found.lags).sum())
    if left_out:
        findings.append(
            Finding(
                "bands-left-out",
                # A signature of the lesser part of a land may be that of another part than its sibling's.
                "warning" if 2 * left_out > len(found.lags) else "note",
                f"{left_out} of {len(found.lags)} bands do not agree with the others: damaged, or without striae",
                "left out",
            )
        )
    if average.damaged > 0.02:
        findings.append(
            Finding(
                "damage",
                "note",
                f"{average.damaged:.0%} of the points lie off the striae of the other bands",
                "left out",
            )
        )
    excluded = _excluded(found.left, found.right, p, len(heights) * found.spacing_um)
    reason = _too_short(int(np.isfinite(heights).sum()) * found.spacing_um, p)
    signature = Signature(
        heights,
        found.spacing_um,
        KIND,
        average.errors_um,
        average.rows,
        p.band_um,
        excluded,
        tuple(findings),
        reason,
        _provenance(surface, p),
    )
    return Land(
        signature, turned, found.left, found.right, found.scatter_um, math.degrees(math.atan(found.slant)),
        found.band_rows, found.lags * found.spacing_um, found.agreements, found.first, average.residuals_um, found.arc,
        _patch(found, average, turned, surface, p),
    )  # fmt: skip


def _patch(found: Bands, average: Average, turned: bool, surface: Surface, p: LandParameters) -> Patch:
    """Return the rows of the scan without the arc of their band, moved as the band was."""
    heights = np.rot90(surface.heights_um) if turned else surface.heights_um
    rows, columns = heights.shape
    patch = np.full((rows, columns), np.nan, np.float32)
    shifts = np.full(rows, np.nan)
    land = np.zeros((rows, columns), np.bool_)
    for r in np.flatnonzero(found.row_bands >= 0):
        k = found.row_bands[r]
        form = found.forms[k]
        inside = np.flatnonzero(np.isfinite(form))
        own = inside + found.row_shifts[r]
        inside, own = inside[(own >= 0) & (own < columns)], own[(own >= 0) & (own < columns)]
        land[r, own] = True
        if np.isnan(found.lags[k]):
            continue
        lag = int(found.lags[k])
        shifts[r] = (found.row_shifts[r] + lag) * found.spacing_um
        to = inside - lag
        kept = (to >= 0) & (to < columns)
        row = heights[r, own[kept]] - form[inside[kept]]
        # A scan is tilted along the striae too: each row is level with the mean of the bands.
        off = (row - average.heights_um[to[kept]])[np.isfinite(row) & np.isfinite(average.heights_um[to[kept]])]
        patch[r, to[kept]] = row - (np.median(off) if len(off) else np.nan)
    mask = np.abs(patch - average.heights_um) <= 2.0 * p.largest_deviation_um
    mask[found.row_bands >= 0] &= np.isfinite(average.residuals_um)[found.row_bands[found.row_bands >= 0]]
    row_um, column_um = surface.spacing_um
    centre = (len(surface.heights_um) - 1) * row_um / 2.0, (surface.heights_um.shape[1] - 1) * column_um / 2.0
    spacing = surface.spacing_um[::-1] if turned else surface.spacing_um
    region = np.ascontiguousarray(np.rot90(land, -1)) if turned else land
    return Patch(patch, mask, spacing, 90.0 if turned else 0.0, centre, shifts, region)


def _why(end: LandEnd) -> str:
    return "groove shoulder" if end.shoulder else "edge of the scan"


def _nothing(surface: Surface, p: LandParameters, reason: str) -> Land:
    spacing = min(surface.spacing_um)
    signature = Signature(
        np.empty(0), spacing, KIND, findings=surface.findings, insufficient=reason, provenance=_provenance(surface, p)
    )
    end, empty = LandEnd(math.nan, False), np.empty(0)
    return Land(signature, False, end, end, (math.nan, math.nan), math.nan, empty, empty, empty, -1,
                np.empty((0, 0)), None)  # fmt: skip


def _provenance(surface: Surface, p: LandParameters) -> Provenance:
    inputs = {"array": sha256_of_array(surface.heights_um)}
    if surface.provenance is not None and "file" in surface.provenance.inputs:
        inputs["file"] = surface.provenance.inputs["file"]
    return Provenance(METHOD, VERSION, asdict(p), inputs, ("doi:10.1016/j.forsciint.2020.110167", "ISO 16610-21:2011"))
