"""Two signatures on one axis: their striae, their difference, their octaves, and the correlation at every lag."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np

from ballistics.reports.figures.profile_chart import Chart, Floats, chart_of, nanometres, profile_path
from ballistics.striations import (
    CmsResult,
    OctaveAgreement,
    Overlay,
    Placement,
    Signature,
    StriationComparison,
    common_octaves,
    octave_profiles,
    overlay,
)
from ballistics_kernels.impressions import NO_CORRELATION
from ballistics_kernels.profiles import correlate_lags

# Drawn at every lag that leaves this share of the shorter signature in common.
_LEAST_COMMON = 0.25


@dataclass(frozen=True)
class StriaBox:
    """A stria as a stretch of the axis; whether both signatures have it, and whether it is of the longest run."""

    left_um: float
    width_um: float
    matched: bool
    in_run: bool


@dataclass(frozen=True)
class OctaveLane:
    """One octave of both signatures."""

    agreement: OctaveAgreement
    chart: Chart
    a_path: str
    b_path: str
    share: float


@dataclass(frozen=True)
class AlignedSignatures:
    """Everything that is drawn along the axis of A, in µm from its middle.

    Parameters
    ----------
    placement : Placement
    spacing_um, first_um : float
        Of the values in ``a_values`` and ``b_values``, nanometres in words.
    chart, difference : Chart
    a_path, b_path, difference_path : str
    striae : tuple of StriaBox
    run : tuple of float, optional
        Where the longest run of consecutive matching striae begins and ends.
    octaves : tuple of OctaveLane
    by_lag : Chart
        Correlations times a thousand nanometres, over lags.
    by_lag_path : str
    """

    placement: Placement
    spacing_um: float
    first_um: float
    a_values: str
    b_values: str
    chart: Chart
    difference: Chart
    a_path: str
    b_path: str
    difference_path: str
    striae: tuple[StriaBox, ...]
    run: tuple[float, float] | None
    octaves: tuple[OctaveLane, ...]
    by_lag: Chart
    by_lag_path: str


def aligned_signatures(
    comparison: StriationComparison, a: Signature, b: Signature, sides_um: tuple[float, float] | None = None
) -> AlignedSignatures | None:
    """Draw two signatures where the comparison placed them; None where it placed them nowhere.

    Parameters
    ----------
    comparison : StriationComparison
        Of ``a`` and ``b``.
    a, b : Signature
    sides_um : tuple of float, optional
        Where the charts begin and end, so that they stand below a picture; the ends of the signatures when None.
    """
    placement = comparison.placement
    if placement is None:
        return None
    on_axis = overlay(a, b, placement)
    x = on_axis.places_um
    left, right = sides_um or (float(x[0]) - 0.5 * on_axis.spacing_um, float(x[-1]) + 0.5 * on_axis.spacing_um)
    difference = on_axis.a_um - on_axis.b_um
    heights = chart_of(x, on_axis.a_um, on_axis.b_um, symmetric=True)
    chart = replace(heights, left_um=left, right_um=right)
    lags, correlations = _by_lag(on_axis, placement)
    by_lag = Chart(float(lags[0]), float(lags[-1]), -1.05, 1.05) if len(lags) > 1 else Chart(-1.0, 1.0, -1.05, 1.05)
    striae, run = _boxes(comparison.striae, on_axis)
    return AlignedSignatures(
        placement, on_axis.spacing_um, on_axis.first_um, nanometres(on_axis.a_um), nanometres(on_axis.b_um), chart,
        chart, profile_path(x, on_axis.a_um), profile_path(x, on_axis.b_um), profile_path(x, difference), striae, run,
        _octaves(comparison, a, b, placement, (left, right)), by_lag, profile_path(lags, correlations),
    )  # fmt: skip


def _boxes(found: CmsResult | None, on_axis: Overlay) -> tuple[tuple[StriaBox, ...], tuple[float, float] | None]:
    if found is None:
        return (), None
    flags = [stria.matched for stria in found.striae]
    longest: list[int] = []
    for matched, group in itertools.groupby(range(len(flags)), key=flags.__getitem__):
        members = list(group)
        if matched and len(members) > len(longest):
            longest = members
    boxes = []
    for k, stria in enumerate(found.striae):
        left = on_axis.first_um + on_axis.spacing_um * stria.start
        width = on_axis.spacing_um * (stria.stop - stria.start)
        boxes.append(StriaBox(left, width, stria.matched, k in longest))
    run = (boxes[longest[0]].left_um, boxes[longest[-1]].left_um + boxes[longest[-1]].width_um) if longest else None
    return tuple(boxes), run


def _octaves(
    comparison: StriationComparison, a: Signature, b: Signature, placement: Placement, sides_um: tuple[float, float]
) -> tuple[OctaveLane, ...]:
    grid = common_octaves(a, b)
    agreements = () if comparison.similarity is None else comparison.similarity.octaves
    if grid is None or len(agreements) != len(grid[1]) - 1:
        return ()
    step, edges = grid
    split = [octave_profiles(signature, step, edges) for signature in (a, b)]
    profiles = [of_one.directed(of_one.turned) for of_one in split]
    places = [step * (np.arange(p.shape[1]) - 0.5 * (p.shape[1] - 1)) for p in profiles]
    places[1] = placement.lag_um + placement.stretch * places[1]
    most = max(max(agreement.evidence for agreement in agreements), 1e-9)
    lanes = []
    for k, agreement in enumerate(agreements):
        # Eight points to the shortest wave are as many as the eye needs.
        every = max(1, int(agreement.shortest_um / 8.0 / step))
        drawn = [profile_path(at[::every], heights[k, ::every]) for at, heights in zip(places, profiles, strict=True)]
        frame = chart_of(places[0], profiles[0][k], profiles[1][k], symmetric=True, room=0.15)
        frame = replace(frame, left_um=sides_um[0], right_um=sides_um[1])
        lanes.append(OctaveLane(agreement, frame, drawn[0], drawn[1], max(agreement.evidence, 0.0) / most))
    return tuple(lanes)


def _by_lag(on_axis: Overlay, placement: Placement) -> tuple[Floats, Floats]:
    """Return every lag, of the middle of B from that of A, and the correlation there."""
    a, b = (values - np.nanmean(values) for values in (on_axis.a_um, on_axis.b_um))
    least = _LEAST_COMMON * min(int(np.isfinite(v).sum()) for v in (a, b))
    reach = len(a) - 1
    correlations, _ = correlate_lags(a, b, -reach, reach, max(3.0, least))
    values = np.where(correlations > NO_CORRELATION, correlations, np.nan)
    known = np.flatnonzero(np.isfinite(values))
    if len(known) == 0:
        return np.zeros(0), np.zeros(0)
    part = slice(int(known[0]), int(known[-1]) + 1)
    lags = placement.lag_um + on_axis.spacing_um * np.arange(-reach, reach + 1, dtype=np.float64)
    return lags[part], values[part]
