"""A striated mark as a Mark: heights straightened along the striae, whose mean down each column is the signature."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.provenance import sha256_of_array
from ballistics.striations.preparation.lands import Land
from ballistics.striations.preparation.patches import Patch
from ballistics.striations.preparation.tool_marks import StriatedMark
from ballistics.striations.signature import ExcludedSpan, Floats, Signature
from ballistics.surfaces import Mark, Step, Surface, low_pass, mark_type

# What is said of a single scan, like a given region, and is no parameter of the method.
_OF_ONE_SCAN = ("ends_um", "rows_um", "direction_deg")
# A standard error stands on bands of rows: rows within a band are not independent of each other.
_BAND_UM = 60.0
_STRAIGHTEN, _ONE_ROW = "straighten along the striae", "one profile across the striae"


def striated_mark(surface: Surface, found: Land | StriatedMark) -> Mark:
    """Return a striated mark as a prepared Mark.

    The heights are those of the patch: straightened so that the striae run down the columns, without form, missing
    beyond the shoulders and off the striae. Waves shorter than the band are taken off; then every column is levelled
    to the signature, so that `signature_of` gives the signature back, but for the rounding to float32.

    Parameters
    ----------
    surface : Surface
        The scan.
    found : Land or StriatedMark
        From `land_of` or `striated_mark_of` of that scan.

    Returns
    -------
    Mark
        Column c is point c of the signature. ``steps`` records the cross-cut, the shoulders, the direction of the
        striae and what was excluded. Insufficient, with the reason, when the signature is.

    Examples
    --------
    >>> from ballistics.striations import land_of
    >>> plate = Surface(np.zeros((300, 900)), (1.5625, 1.5625))
    >>> striated_mark(plate, land_of(plate)).insufficient is None
    False
    """
    signature, patch = found.signature, found.patch
    assert signature.provenance is not None  # every preparation of a scan states its method
    inputs = dict(surface.provenance.inputs) if surface.provenance is not None else {}
    inputs["array"] = sha256_of_array(surface.heights_um)
    stated = signature.provenance.parameters
    parameters = {name: value for name, value in stated.items() if name not in _OF_ONE_SCAN}
    heights: NDArray[np.float32] = np.full((1, 1), np.nan, np.float32)
    region = None
    if signature.insufficient is None and patch is not None:
        heights, region = _levelled(patch, signature), patch.region
    return Mark(
        signature.kind,
        heights,
        float(signature.spacing_um),
        region=region,
        steps=(Step(_ONE_ROW if 1 in surface.heights_um.shape else _STRAIGHTEN, parameters, _outcome(found)),),
        findings=signature.findings,
        insufficient=signature.insufficient,
        provenance=replace(signature.provenance, inputs=inputs),
    )


def signature_of(mark: Mark, band_um: tuple[float, float] | None = None) -> Signature:
    """Return the signature of a striated Mark: the mean of every column.

    Parameters
    ----------
    mark : Mark
        From `striated_mark`, or its heights as a library or a folder of marks gave them back.
    band_um : tuple of float, optional
        ISO cut-offs between which the mark was kept. Default: those of its kind.

    Returns
    -------
    Signature
        Insufficient when the mark is. Its standard errors are those of bands of 60 µm.
    """
    kind = mark_type(mark.kind)
    band = band_um or (kind.short_cutoff_um, kind.long_cutoff_um)
    if mark.insufficient is not None:
        return Signature(
            np.empty(0), mark.spacing_um, mark.kind, findings=mark.findings, insufficient=mark.insufficient
        )
    heights = np.asarray(mark.heights_um, np.float64)
    per_band = max(1, round(_BAND_UM / mark.spacing_um))
    bands = np.stack([_mean(heights[k : k + per_band]) for k in range(0, len(heights), per_band)])
    number = np.isfinite(bands).sum(axis=0)
    scatter = np.nansum((bands - _mean(bands)) ** 2, axis=0) / np.maximum(number - 1, 1)
    excluded = [span for step in mark.steps for span in step.outcome.get("excluded", ())]
    return Signature(
        _mean(heights),
        mark.spacing_um,
        mark.kind,
        np.where(number > 1, np.sqrt(scatter / np.maximum(number, 1)), np.nan),
        np.isfinite(heights).sum(axis=0).astype(np.int64),
        band,
        tuple(ExcludedSpan(*span) for span in excluded),
        mark.findings,
        None,
        mark.provenance,
    )


def _mean(heights: Floats) -> Floats:
    number = np.isfinite(heights).sum(axis=0)
    return np.where(number > 0, np.nansum(heights, axis=0) / np.maximum(number, 1), np.nan)


def _levelled(patch: Patch, signature: Signature) -> NDArray[np.float32]:
    """Return the heights of a patch on a square grid, smoothed, with the signature as the mean of every column."""
    row_um, step_um = patch.spacing_um
    heights = np.where(patch.mask, patch.heights_um, np.nan).astype(np.float64)
    if signature.band_um is not None and signature.band_um[0] >= 2.0 * max(row_um, step_um):
        heights = low_pass(heights, (row_um, step_um), signature.band_um[0])
    if abs(row_um - step_um) > 1e-9 * step_um:
        count = math.floor((len(heights) - 1) * row_um / step_um) + 1
        heights = heights[np.rint(np.arange(count) * step_um / row_um).astype(np.intp)]
    known = np.isfinite(signature.heights_um)
    # A band stands for its rows, also where the few that are left lie off it.
    alone = known & ~np.isfinite(heights).any(axis=0)
    heights[np.ix_(np.isfinite(heights).any(axis=1), alone)] = 0.0
    heights[:, ~known] = np.nan
    return np.ascontiguousarray(heights - _mean(heights) + signature.heights_um, np.float32)


def _outcome(found: Land | StriatedMark) -> dict[str, Any]:
    """Return what was found on the way, as plain values."""
    outcome: dict[str, Any] = {
        "stable_band": int(found.first_band),
        "band_lags_um": found.lags_um.tolist(),
        "band_agreements": found.agreements.tolist(),
        "excluded": [(span.start_um, span.stop_um, span.reason) for span in found.signature.excluded],
    }
    if found.patch is not None:
        outcome["turn_deg"] = float(found.patch.turn_deg)
        outcome["centre_um"] = tuple(map(float, found.patch.centre_um))
    if isinstance(found, StriatedMark):
        outcome["band_middles_um"] = found.band_rows_um.tolist()
        if found.directions is not None:
            outcome["stria_direction_deg"] = float(found.directions.direction_deg)
            outcome["stria_share"] = float(found.directions.share)
        return outcome
    outcome |= {"band_middles_um": found.band_rows.tolist(), "slant_deg": float(found.slant_deg)}
    for name, end, scatter in zip(("left", "right"), (found.left, found.right), found.scatter_um, strict=True):
        outcome[f"{name}_end_um"], outcome[f"{name}_shoulder"] = float(end.place_um), end.shoulder
        outcome[f"{name}_scatter_um"] = float(scatter)
    if found.arc is not None:
        outcome["radius_mm"] = float(found.arc.radius_mm)
    return outcome
