"""From a raw scan of any striated mark but a land to its signature: tool marks, aperture shear, drag, ejector."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import ParameterError
from ballistics.findings import Finding
from ballistics.provenance import Provenance, sha256_of_array
from ballistics.striations.preparation.alignment import LEAST_WAVES, align_bands, average_bands, filtered_bands, moved
from ballistics.striations.preparation.aperture_shear import find_sheared_area
from ballistics.striations.preparation.arcs import fit_arc
from ballistics.striations.preparation.lands import single_profile
from ballistics.striations.preparation.parameters import StriatedMarkParameters
from ballistics.striations.preparation.patches import Patch, turned_grid
from ballistics.striations.preparation.stria_direction import StriaDirections, stria_directions
from ballistics.striations.profile_filters import band_passed
from ballistics.striations.signature import ExcludedSpan, Floats, Signature
from ballistics.surfaces import Surface, fit_form
from ballistics_kernels.profiles import band_medians

METHOD = "striated mark, direction from its fine relief, bands aligned along the striae"
VERSION = "1"

# ISO cut-offs by kind of mark. The marks on a cartridge case: NFI scratch 4's. Tool marks are wider, and Chumbley's
# and CSAFE's screwdrivers carry waves up to a millimetre.
STRIATED_BANDS_UM: dict[str, tuple[float, float]] = {
    "aperture shear": (5.0, 250.0),
    "firing-pin drag": (5.0, 250.0),
    "ejector": (5.0, 250.0),
    "chamber": (5.0, 250.0),
    "tool mark": (5.0, 1000.0),
}

_FEWEST_OF_PROFILE = 50


@dataclass(frozen=True, eq=False)
class StriatedMark:
    """A striated mark and every step to its signature.

    Parameters
    ----------
    signature : Signature
        Insufficient, with the reason, when nothing of the kind is there. Its findings are those of the scan and of
        the way to the signature.
    patch : Patch or None
        The mark straightened: column c is point c of the signature. None when insufficient.
    directions : StriaDirections or None
        On the scan's grid, of the region's bounding box. None when there was nothing to tell them from.
    band_rows_um : ndarray of float64, shape (bands,)
        Middle of each band along the striae, from the first row of the patch.
    lags_um : ndarray of float64, shape (bands,)
        Where the striae of each band lie, relative to the band taken as first; NaN for bands left out.
    agreements : ndarray of float64, shape (bands,)
        Correlation with the mean of the bands aligned before.
    first_band : int
        The band that agrees best with its neighbours; −1 when there is none.
    """

    signature: Signature
    patch: Patch | None
    directions: StriaDirections | None
    band_rows_um: NDArray[np.float64]
    lags_um: NDArray[np.float64]
    agreements: NDArray[np.float64]
    first_band: int


def striated_mark_of(
    surface: Surface,
    kind: str = "tool mark",
    region: NDArray[np.bool_] | None = None,
    parameters: StriatedMarkParameters | None = None,
) -> StriatedMark:
    """Make the signature of a striated mark from a scan: any kind but a land, for which see `land_of`.

    The form of the region is fitted robustly and taken off. The structure tensor of what is left gives the direction
    in which most of the relief runs; what runs another way (a rim, a scratch) is left out. The region is turned so
    that the striae run down its columns and cut into bands along them, which are aligned and averaged as on a land.

    Parameters
    ----------
    surface : Surface
        Topography, or a profile across the striae: one row.
    kind : str
        A key of `STRIATED_BANDS_UM`.
    region : ndarray of bool, shape (rows, columns), optional
        Where the mark is. By default the whole scan; for ``"aperture shear"`` on a scan of a cartridge head what is
        sheared inside the mark of the aperture is found.
    parameters : StriatedMarkParameters, optional

    Returns
    -------
    StriatedMark
        The signature reads from left to right across the striae after a turn of −45° to 135°, counter-clockwise as
        displayed. A scan turned by 180°, or mirrored, gives the reverse; one turned by 90° gives either. Comparing
        says so (``mark-turned``); it never exchanges ends by itself.

    Raises
    ------
    ParameterError
        For an unknown kind, or a region that is not the scan's.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> wave = np.convolve(rng.normal(size=400), np.hanning(9), "same")
    >>> made = striated_mark_of(Surface(np.tile(wave[:, None], (1, 300)), (3.0, 3.0)))
    >>> made.signature.insufficient, round(made.patch.turn_deg), made.signature.valid_points > 390
    (None, 90, True)
    """
    p = parameters or StriatedMarkParameters()
    if kind not in STRIATED_BANDS_UM:
        known = ", ".join(STRIATED_BANDS_UM)
        raise ParameterError(f"{kind!r} is no striated mark with a way of its own; choose one of {known}")
    if region is not None and region.shape != surface.heights_um.shape:
        raise ParameterError(f"the region has the shape {region.shape}, the scan {surface.heights_um.shape}")
    findings: list[Finding] = []
    reason = _unfit(surface, region)
    if reason is None and region is None and kind == "aperture shear" and 1 not in surface.heights_um.shape:
        region, reason = _found_region(surface, p, findings)
    if reason is not None:
        return _nothing(surface, kind, p, findings, reason)
    mask = np.ones(surface.heights_um.shape, np.bool_) if region is None else np.asarray(region, np.bool_)
    if 1 in surface.heights_um.shape:
        return _of_one_row(surface, kind, mask, p)
    return _made(surface, kind, mask, p, findings)


def _unfit(surface: Surface, region: NDArray[np.bool_] | None) -> str | None:
    if surface.kind not in ("topography", "profile"):
        return f"striae are measured as topography; this is a {surface.kind}"
    valid = np.isfinite(surface.heights_um)
    if region is not None:
        valid = valid & region
    if valid.sum() < (_FEWEST_OF_PROFILE if 1 in valid.shape else 400):
        return f"{int(valid.sum())} valid points are no striated mark"
    return None


def _found_region(
    surface: Surface, p: StriatedMarkParameters, findings: list[Finding]
) -> tuple[NDArray[np.bool_] | None, str | None]:
    """Return the sheared area of a scan of a head, the whole of a scan that is no head, or why neither will do."""
    found = find_sheared_area(surface, p.shear)
    if found.mask.any():
        area = float(found.mask.sum()) * surface.spacing_um[0] * surface.spacing_um[1] * 1e-6
        findings.append(
            Finding("region-found", "note", f"{area:.2f} mm² inside the mark of the aperture", "taken as the region")
        )
        return found.mask, None
    if found.head:
        return None, found.reason
    findings.append(
        Finding("region-whole-scan", "note", f"the scan is taken for one mark: {found.reason}", "all of it is used")
    )
    return None, None


def _of_one_row(surface: Surface, kind: str, region: NDArray[np.bool_], p: StriatedMarkParameters) -> StriatedMark:
    """Return the mark of one profile: its parabola taken off robustly, nothing averaged, no direction known."""
    turned = surface.heights_um.shape[1] == 1
    step = surface.spacing_um[0 if turned else 1]
    row = np.where(region, surface.heights_um, np.nan).astype(np.float64).ravel()
    x: Floats = np.arange(len(row), dtype=np.float64) * step
    known = np.isfinite(row)
    form = fit_arc(x[known], row[known])
    if form is None:
        return _nothing(surface, kind, p, [], f"{int(known.sum())} valid points are no profile")
    level = row - form.heights(x)
    if 1.4826 * float(np.nanmedian(np.abs(level - np.nanmedian(level)))) < p.least_relief_um:
        return _nothing(surface, kind, p, [], "the profile is flat: no relief that could be striae")
    band_um = p.band_um or STRIATED_BANDS_UM[kind]
    heights = band_passed(level, step, band_um)
    signature = Signature(
        heights, step, kind, rows=np.isfinite(heights).astype(np.int64), band_um=band_um,
        excluded=_gaps(heights, step), findings=(*surface.findings, single_profile()),
        insufficient=_too_short(heights, step, band_um), provenance=_provenance(surface, region, p, kind),
    )  # fmt: skip
    middle = (len(row) - 1) * step / 2.0
    patch = Patch(
        level[None].astype(np.float32), np.isfinite(heights)[None], (step, step), 90.0 if turned else 0.0,
        (middle, 0.0) if turned else (0.0, middle), np.zeros(1), region,
    )  # fmt: skip
    return StriatedMark(signature, patch, None, np.zeros(1), np.zeros(1), np.ones(1), 0)


def _too_short(heights: Floats, step: float, band_um: tuple[float, float]) -> str | None:
    length = int(np.isfinite(heights).sum()) * step
    if length >= max(4.0 * max(band_um[0], 2.5 * step), 100.0):
        return None
    return f"only {length:.0f} µm across the striae are left"


def _made(
    surface: Surface, kind: str, region: NDArray[np.bool_], p: StriatedMarkParameters, findings: list[Finding]
) -> StriatedMark:
    spacing = surface.spacing_um
    known = np.where(region, surface.heights_um, np.nan)
    form = fit_form(known, spacing, order=2)
    if form is None:
        return _nothing(surface, kind, p, findings, "the points lie on one line: no surface with striae")
    y, x = np.nonzero(region & np.isfinite(known))
    box = slice(int(y.min()), int(y.max()) + 1), slice(int(x.min()), int(x.max()) + 1)
    level = (known - form.heights_um(known.shape, spacing))[box]
    band_um = p.band_um or STRIATED_BANDS_UM[kind]
    directions = stria_directions(level, spacing, band_um, p.directions)
    if directions is None or form.scale_um < p.least_relief_um:
        return _nothing(surface, kind, p, findings, "the region is flat, or too narrow: no relief that could be striae")
    inside = region[box].copy()
    if p.direction_deg is not None:
        direction = p.direction_deg % 180.0
        findings.append(Finding("direction-given", "note", f"the striae are said to run at {direction:g}°", "used"))
    else:
        direction = directions.direction_deg
        if directions.share < p.least_share:
            reason = (
                f"the relief runs in no one direction: {directions.share:.0%} of the area with the commonest, "
                f"{p.least_share:.0%} are needed"
            )
            return _nothing(surface, kind, p, findings, reason, directions)
        other = (np.abs(directions.off_deg()) > p.other_way_deg) & (directions.coherence > p.directions.least_coherence)
        inside &= ~other
    turn = 90.0 - direction
    if turn <= -p.turned_deg:
        turn += 180.0
    if turn > p.turned_deg:
        findings.append(
            Finding(
                "scan-turned",
                "note",
                f"the striae run at {direction:.0f}° to the rows of the scan",
                f"turned by {turn:.0f}°; which way round is not known: a comparison tells when the other agrees better",
            )
        )
    if not (inside & np.isfinite(level)).any():
        return _nothing(surface, kind, p, findings, "no relief runs in the direction given", directions)
    aligned = _aligned(level, spacing, inside, turn, band_um, p)
    if abs(aligned.slant_deg) > p.slant_deg and p.direction_deg is None:
        # The bands tell the direction better than slopes do.
        again = _aligned(level, spacing, inside, turn - aligned.slant_deg, band_um, p)
        if again.agreement > aligned.agreement:
            aligned = again
    corner = box[0].start * spacing[0], box[1].start * spacing[1]
    return _averaged(surface, kind, region, p, findings, directions, aligned, corner, band_um)


@dataclass(frozen=True, eq=False)
class _Aligned:
    """A region turned, cut into bands along its rows, and the bands aligned."""

    heights_um: Floats
    spacing_um: float
    turn_deg: float
    centre_um: tuple[float, float]
    first_row: int
    per_band: int
    residuals_um: Floats
    counts: NDArray[np.int64]
    lags: NDArray[np.float64]
    agreements: NDArray[np.float64]
    first: int
    slant_deg: float

    @property
    def agreement(self) -> float:
        return float(np.nan_to_num(self.agreements).mean()) if self.first >= 0 else -1.0


def _aligned(
    level: Floats,
    spacing: tuple[float, float],
    inside: NDArray[np.bool_],
    turn: float,
    band_um: tuple[float, float],
    p: StriatedMarkParameters,
) -> _Aligned:
    turned, step, centre = turned_grid(level, spacing, inside, turn)
    per_band = max(1, min(round(p.band_height_um / step), len(turned) // p.bands_needed))
    # What no band takes is left away at both ends: a scan turned by 180° has the same bands.
    first_row = len(turned) % per_band // 2
    used = np.ascontiguousarray(turned[first_row : first_row + len(turned) // per_band * per_band])
    medians, counts = band_medians(used, np.zeros(len(used), np.int64), per_band)
    residuals = np.full(medians.shape, np.nan)
    for k in np.flatnonzero(np.isfinite(medians).sum(axis=1) * step >= LEAST_WAVES * band_um[0]):
        residuals[k] = band_passed(medians[k], step, (step, band_um[1]))
    lags, agreements, first = align_bands(
        filtered_bands(residuals, step, band_um), max(1, round(p.largest_lag_um / step)), p.lowest_agreement
    )
    lags = np.where(_accompanied(lags), lags, np.nan)
    known = np.isfinite(lags)
    slant = float(np.polyfit(np.flatnonzero(known) * per_band, lags[known], 1)[0]) if known.sum() >= 4 else 0.0
    return _Aligned(
        turned, step, turn, centre, first_row, per_band, residuals, counts, lags, agreements, first,
        math.degrees(math.atan(slant)),
    )  # fmt: skip


def _averaged(
    surface: Surface,
    kind: str,
    region: NDArray[np.bool_],
    p: StriatedMarkParameters,
    findings: list[Finding],
    directions: StriaDirections,
    aligned: _Aligned,
    corner: tuple[float, float],
    band_um: tuple[float, float],
) -> StriatedMark:
    """Average the bands, filter the mean, and say what was left out."""
    turned, step, lags, residuals = aligned.heights_um, aligned.spacing_um, aligned.lags, aligned.residuals_um
    counts, per_band = aligned.counts, aligned.per_band
    if np.isfinite(lags).sum() < p.bands_needed:
        reason = f"fewer than {p.bands_needed} bands along the striae agree: there are no striae across them"
        return _nothing(surface, kind, p, findings, reason, directions)
    rows: Floats = np.asarray(aligned.first_row + (np.arange(len(lags)) + 0.5) * per_band - 0.5, np.float64)
    shifted = np.stack([moved(row, lag) for row, lag in zip(residuals, lags, strict=True)])
    shifted_counts = np.stack([moved(row.astype(np.float64), lag) for row, lag in zip(counts, lags, strict=True)])
    values = shifted[np.isfinite(shifted)]
    sigma = 1.4826 * float(np.median(np.abs(values - np.median(values))))
    average = average_bands(
        shifted, np.nan_to_num(shifted_counts).astype(np.int64), p.largest_deviation_sigmas * sigma, p.fewest_bands
    )
    heights = band_passed(average.heights_um, step, band_um)
    left_out = int(np.isnan(lags).sum())
    if left_out:
        what = f"{left_out} of {len(lags)} bands do not agree with the others: damaged, or without striae"
        findings.append(Finding("bands-left-out", "note", what, "left out"))
    if average.damaged > 0.02:
        what = f"{average.damaged:.0%} of the points lie off the striae of the other bands"
        findings.append(Finding("damage", "note", what, "left out"))
    signature = Signature(
        heights, step, kind, average.errors_um, average.rows, band_um, _gaps(heights, step),
        (*surface.findings, *findings),
        _too_short(heights, step, band_um),
        _provenance(surface, region, p, kind),
    )  # fmt: skip
    row_lags = np.full(len(turned), np.nan)
    row_lags[aligned.first_row :][: len(lags) * per_band] = np.repeat(lags, per_band)
    straight = np.stack([moved(row, lag) for row, lag in zip(turned, row_lags, strict=True)])
    patch = Patch(
        straight.astype(np.float32), np.isfinite(straight), (step, step), aligned.turn_deg,
        (aligned.centre_um[0] + corner[0], aligned.centre_um[1] + corner[1]), row_lags * step, region,
    )  # fmt: skip
    return StriatedMark(signature, patch, directions, rows * step, lags * step, aligned.agreements, aligned.first)


def _accompanied(lags: Floats) -> NDArray[np.bool_]:
    """Return which bands have another that agrees within two bands: far off, a band agrees by chance now and then."""
    known = np.pad(np.isfinite(lags), 2)
    near = known[:-4] | known[1:-3] | known[3:-1] | known[4:]
    return np.asarray(known[2:-2] & near)


def _gaps(heights: Floats, step: float) -> tuple[ExcludedSpan, ...]:
    """Return the stretches of a signature without points."""
    missing = np.concatenate([[False], np.isnan(heights), [False]])
    starts, stops = np.flatnonzero(missing[1:] & ~missing[:-1]), np.flatnonzero(missing[:-1] & ~missing[1:])
    return tuple(
        ExcludedSpan(float(a) * step, float(b - 1) * step, "outside the region, missing, or in no two bands")
        for a, b in zip(starts, stops, strict=True)
    )


def _nothing(
    surface: Surface,
    kind: str,
    p: StriatedMarkParameters,
    findings: list[Finding],
    reason: str,
    directions: StriaDirections | None = None,
) -> StriatedMark:
    signature = Signature(
        np.empty(0), min(surface.spacing_um), kind, findings=(*surface.findings, *findings), insufficient=reason,
        provenance=_provenance(surface, None, p, kind),
    )  # fmt: skip
    empty = np.empty(0)
    return StriatedMark(signature, None, directions, empty, empty, empty, -1)


def _provenance(surface: Surface, region: NDArray[np.bool_] | None, p: StriatedMarkParameters, kind: str) -> Provenance:
    inputs = {"array": sha256_of_array(surface.heights_um)}
    if surface.provenance is not None and "file" in surface.provenance.inputs:
        inputs["file"] = surface.provenance.inputs["file"]
    if region is not None:
        inputs["region"] = sha256_of_array(region)
    return Provenance(METHOD, VERSION, {"mark": kind} | asdict(p), inputs, ("ISO 16610-21:2011",))
