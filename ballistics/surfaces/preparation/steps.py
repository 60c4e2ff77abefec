"""The registry of preparation steps: each takes the state of a preparation to the next, and says what it measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import ParameterError
from ballistics.findings import Finding
from ballistics.surfaces.filtering import filters, levelling, resampling
from ballistics.surfaces.filtering.spikes import remove_spikes
from ballistics.surfaces.regions import breech_face_region as region
from ballistics.surfaces.regions import circular_symmetry, cut_outs, firing_pin_region, image_region, mark_shape
from ballistics.surfaces.regions.masks import decode_mask
from ballistics.surfaces.surface import Surface

_LEAST_POINTS = 100
_LARGEST_UPSAMPLING = 4.0  # at 25 µm a breech-face scan carries 50 to 250 µm, half of the band's octaves
_ALREADY_MASKED = (
    "already-masked",
    "note",
    "everything outside one region is missing: the scan was cut to it before",
    "taken as the region",
)
_SAME = 1e-3  # relative difference of spacings that counts as none


@dataclass(frozen=True, eq=False)
class State:
    """A preparation between two steps.

    Parameters
    ----------
    surface : Surface
        What was measured, unchanged.
    mark : str
        Mark type that is prepared.
    heights_um : ndarray of float64
        As far as prepared.
    spacing_um, origin_um : tuple of float
        Of ``heights_um``: spacing, and position of its point (0, 0) on the surface, (y, x) in µm.
    region : ndarray of bool or None
        On the surface's grid; None before it is known.
    shortest_um : float
        Cut-off of the low-pass filters so far; 0 for none.
    findings : tuple of Finding
    insufficient : str or None
    """

    surface: Surface
    mark: str
    heights_um: NDArray[np.float64]
    spacing_um: tuple[float, float]
    origin_um: tuple[float, float] = (0.0, 0.0)
    region: NDArray[np.bool_] | None = None
    shortest_um: float = 0.0
    findings: tuple[Finding, ...] = ()
    insufficient: str | None = None

    def with_finding(self, *finding: str) -> State:
        """Return the same state with one more finding: code, severity, message and action, in this order."""
        return replace(self, findings=(*self.findings, Finding(*finding)))  # type: ignore[arg-type]  # fields in order


Outcome = dict[str, Any]
StepFunction = Callable[..., tuple[State, Outcome]]


def start(surface: Surface, mark: str) -> State:
    """Return the state before the first step: the surface with every non-finite point missing."""
    heights = np.array(surface.heights_um, dtype=np.float64)
    heights[~np.isfinite(heights)] = np.nan
    return State(surface, mark, heights, surface.spacing_um)


def _remove_spikes(
    state: State, *, window_points: int, threshold_sigmas: float, smallest_um: float
) -> tuple[State, Outcome]:
    result = remove_spikes(state.heights_um, window_points, threshold_sigmas, smallest_um)
    outcome = {"removed_points": result.removed, "limit_um": result.limit_um}
    return replace(state, heights_um=result.heights_um), outcome


def _level(state: State, *, order: int) -> tuple[State, Outcome]:
    form = levelling.fit_form(state.heights_um, state.spacing_um, order)
    return _levelled(state, form)


def _level_region(state: State, *, order: int) -> tuple[State, Outcome]:
    form = levelling.fit_form(state.heights_um, state.spacing_um, order, selected=True)
    return _levelled(state, form)


def _levelled(state: State, form: levelling.Form | None) -> tuple[State, Outcome]:
    if form is None:
        return replace(state, insufficient="too few points are measured to level the surface"), {}
    shape = (state.heights_um.shape[0], state.heights_um.shape[1])
    heights = state.heights_um - form.heights_um(shape, state.spacing_um)
    outcome: Outcome = {"residual_um": form.scale_um}
    if state.surface.kind == "topography":
        outcome |= {"tilt_deg": form.tilt_deg, "direction_deg": form.direction_deg}
    return replace(state, heights_um=heights), outcome


def _find_region(state: State, *, mask: str | None) -> tuple[State, Outcome]:
    surface = state.surface
    if mask is not None:
        given = decode_mask(mask, surface.heights_um.shape)
        return _with_region(_told_if_not_of_type(state, given), given), {"source": "given"}
    levelled = replace(surface, heights_um=_on_surface_grid(state))
    if surface.kind == "reflectance":
        return _found_on_image(state, image_region.find_face_on_image(levelled))
    if state.mark == "firing pin":
        return _firing_pin_found(state, firing_pin_region.find_firing_pin(levelled))
    if state.mark != "breech face":
        return _cut_out(state, f"the region of a mark of type '{state.mark}' is not found automatically: give it")
    found = region.find_breech_face(levelled)
    if found.reason is not None:
        return replace(state, insufficient=found.reason, region=found.mask), {"source": "automatic"}
    state = _with_region(state, found.mask)
    if found.masked:
        state = state.with_finding(*_ALREADY_MASKED)
    state = _told_if_inverted(state, found)
    outcome: Outcome = {
        "source": "masked before" if found.masked else "automatic",
        "areas_mm2": found.areas_mm2(surface.spacing_um),
        "inverted": found.inverted,
    }
    for name, circle in (("primer", found.primer), ("firing_pin", found.firing_pin)):
        if circle is not None:
            outcome[f"{name}_centre_um"] = circle.centre_um
            outcome[f"{name}_radius_um"] = circle.radius_um
    return state, outcome


def _found_on_image(state: State, found: image_region.ImageRegion) -> tuple[State, Outcome]:
    if found.reason is not None:
        return replace(state, insufficient=found.reason, region=found.mask), {"source": "automatic"}
    state = _with_region(state, found.mask).with_finding(
        "image-region-automatic",
        "warning",
        "the region was found on an image by brightness and evenness; dragged and sheared areas are not told from it",
        "look at the region, or give it as a mask",
    )
    return state, {"source": "automatic", "centre_um": found.centre_um, "aperture_seen": found.aperture_seen}


def _firing_pin_found(state: State, found: firing_pin_region.FiringPinRegion) -> tuple[State, Outcome]:
    if found.reason is not None:
        return _cut_out(state, found.reason)
    state = _told_if_inverted(_with_region(state, found.mask), found.breech_face)
    outcome: Outcome = {
        "source": "automatic",
        "depth_um": found.depth_um,
        "inverted": found.breech_face.inverted,
    }
    if found.circle is not None:
        outcome["firing_pin_centre_um"] = found.circle.centre_um
        outcome["firing_pin_radius_um"] = found.circle.radius_um
    return state, outcome


def _cut_out(state: State, reason: str) -> tuple[State, Outcome]:
    """Take what is left of a scan that was cut to one mark, where it can be a mark of this type."""
    measured = np.isfinite(state.surface.heights_um)
    area = cut_outs.measured_area(state.surface)
    if not cut_outs.frame_is_missing(measured) or int(measured.sum()) < _LEAST_POINTS:
        return replace(state, insufficient=reason, region=np.zeros_like(area)), {"source": "automatic"}
    why = mark_shape.not_of_type(_on_surface_grid(state), state.spacing_um, area, state.mark)
    if why is not None:
        reason = f"the scan was cut to a region that is no {state.mark}: {why}"
        return replace(state, insufficient=reason, region=np.zeros_like(area)), {"source": "automatic"}
    return _with_region(state, area).with_finding(*_ALREADY_MASKED), {"source": "masked before"}


def _told_if_not_of_type(state: State, given: NDArray[np.bool_]) -> State:
    if state.surface.kind != "topography":
        return state
    why = mark_shape.not_of_type(_on_surface_grid(state), state.spacing_um, given, state.mark)
    if why is None:
        return state
    return state.with_finding(
        "not-the-mark-type",
        "serious",
        f"the region given does not look like a mark of type '{state.mark}': {why}",
        "prepared as it was given, without weight of evidence; look at the region and the mark type",
    )


def _told_if_inverted(state: State, found: region.BreechFaceRegion) -> State:
    if not found.inverted:
        return state
    return state.with_finding(
        "heights-inverted",
        "serious",
        "the firing-pin impression stands up and the primer's edge rises: heights seem to be "
        "turned over (a cast, or an exporter whose axis points down)",
        "region found, heights left as they are; compare with scans that are turned over as well",
    )


def _on_surface_grid(state: State) -> NDArray[np.float64]:
    if state.heights_um.shape != state.surface.heights_um.shape:
        raise ParameterError("step 'find region' must come before steps that crop or resample")
    return state.heights_um


def _with_region(state: State, mask: NDArray[np.bool_]) -> State:
    """Make everything outside the region missing and crop to its bounding box."""
    heights = np.where(mask, _on_surface_grid(state), np.nan)
    state = replace(state, heights_um=heights, region=mask)
    if int(np.isfinite(heights).sum()) < _LEAST_POINTS:
        return replace(state, insufficient=f"fewer than {_LEAST_POINTS} points of the region are measured")
    return _cropped(state)


def _cropped(state: State) -> State:
    rows = np.flatnonzero(np.isfinite(state.heights_um).any(axis=1))
    columns = np.flatnonzero(np.isfinite(state.heights_um).any(axis=0))
    if rows.size == 0:
        return replace(state, insufficient="no point of the mark is measured")
    top, left = int(rows[0]), int(columns[0])
    origin = (
        state.origin_um[0] + top * state.spacing_um[0],
        state.origin_um[1] + left * state.spacing_um[1],
    )
    heights = state.heights_um[top : int(rows[-1]) + 1, left : int(columns[-1]) + 1]
    return replace(state, heights_um=np.ascontiguousarray(heights), origin_um=origin)


def _remove_circular_symmetry(state: State, *, width_um: float) -> tuple[State, Outcome]:
    if not (math.isfinite(width_um) and width_um > 0):
        raise ParameterError(f"step 'remove circular symmetry': width_um is {width_um}; it must be positive")
    centre = circular_symmetry.ring_centre(state.heights_um, state.spacing_um)
    if centre is None:
        # A fragment has no centre of its own, and little of the symmetry.
        return state, {"applied": False}
    heights, amplitude = circular_symmetry.remove_circular_symmetry(
        state.heights_um, state.spacing_um, centre, width_um
    )
    place = centre[0] + state.origin_um[0], centre[1] + state.origin_um[1]
    return replace(state, heights_um=heights), {"applied": True, "centre_um": place, "rms_taken_off": amplitude}


def _low_pass(state: State, *, cutoff_um: float) -> tuple[State, Outcome]:
    carried = 2.0 * max(state.spacing_um)
    if cutoff_um < carried:
        state = state.with_finding(
            "band-limited-by-sampling",
            "warning",
            f"a spacing of {max(state.spacing_um):g} µm carries no wave shorter than {carried:g} µm; the "
            f"band was to reach down to {cutoff_um:g} µm",
            "low-pass filter left out",
        )
        return state, {"applied": False}
    heights = filters.low_pass(state.heights_um, state.spacing_um, cutoff_um)
    return replace(state, heights_um=heights, shortest_um=max(state.shortest_um, cutoff_um)), {"applied": True}


def _resample(state: State, *, spacing_um: float) -> tuple[State, Outcome]:
    if not (math.isfinite(spacing_um) and spacing_um > 0):
        raise ParameterError(f"step 'resample': spacing_um is {spacing_um}; it must be positive")
    coarsest = max(state.spacing_um)
    outcome: Outcome = {"from_spacing_um": state.spacing_um, "anti_alias_cutoff_um": None}
    if all(math.isclose(step, spacing_um, rel_tol=_SAME) for step in state.spacing_um):
        return state, outcome
    if coarsest > _LARGEST_UPSAMPLING * spacing_um:
        why = (
            f"the scan's spacing of {coarsest:g} µm is more than {_LARGEST_UPSAMPLING:g} times the common "
            f"{spacing_um:g} µm: most of the detail to be compared was not measured"
        )
        return replace(state, insufficient=why), outcome
    if min(state.spacing_um) < spacing_um and state.shortest_um < 2.0 * spacing_um:
        outcome["anti_alias_cutoff_um"] = max(2.0 * spacing_um, 2.0 * coarsest)
        heights = filters.low_pass(state.heights_um, state.spacing_um, outcome["anti_alias_cutoff_um"])
        state = replace(state, heights_um=heights, shortest_um=outcome["anti_alias_cutoff_um"])
    if coarsest > spacing_um * (1.0 + _SAME):
        state = state.with_finding(
            "upsampled",
            "note" if coarsest < 1.5 * spacing_um else "warning",
            f"the scan's spacing of {coarsest:g} µm is coarser than the common {spacing_um:g} µm; "
            f"waves shorter than {2.0 * coarsest:g} µm were not measured",
            "interpolated, which adds points but no detail",
        )
    heights = resampling.resample(state.heights_um, state.spacing_um, spacing_um)
    return replace(state, heights_um=heights, spacing_um=(spacing_um, spacing_um)), outcome


def _high_pass(state: State, *, cutoff_um: float) -> tuple[State, Outcome]:
    if cutoff_um < 8.0 * max(state.spacing_um):
        why = (
            f"a spacing of {max(state.spacing_um):g} µm is too coarse for marks shorter than {cutoff_um:g} µm; "
            f"{cutoff_um / 8.0:g} µm or finer is needed"
        )
        return replace(state, insufficient=why), {}
    before = float(np.nanstd(state.heights_um))
    heights = filters.high_pass(state.heights_um, state.spacing_um, cutoff_um)
    return replace(state, heights_um=heights), {
        "rms_before_um": before,
        "rms_after_um": float(np.nanstd(heights)),
    }


def _remove_extremes(state: State, *, threshold_sigmas: float) -> tuple[State, Outcome]:
    """Make extreme points missing, which the band-pass left and no breech face makes: burrs, dust, deep pits."""
    values = state.heights_um[np.isfinite(state.heights_um)]
    if values.size == 0:
        return replace(state, insufficient="no point of the mark is measured"), {}
    middle = float(np.median(values))
    limit = threshold_sigmas * 1.4826 * float(np.median(np.abs(values - middle)))
    if limit == 0.0:
        return state, {"removed_points": 0, "limit_um": 0.0}
    extreme = np.abs(state.heights_um - middle) > limit
    heights = np.where(extreme, np.nan, state.heights_um)
    return replace(state, heights_um=heights), {"removed_points": int(extreme.sum()), "limit_um": limit}


def _trim_edge(state: State, *, margin_um: float) -> tuple[State, Outcome]:
    """Make a margin of the region missing: there the high-pass filter had one side only, and left a bowl's wall in."""
    from scipy import ndimage

    if not (math.isfinite(margin_um) and margin_um >= 0):
        raise ParameterError(f"step 'trim edge': margin_um is {margin_um}; it must be 0 or more")
    if state.region is None:
        raise ParameterError("step 'trim edge' must come after the step that finds the region")
    # From the region's border and not from dropouts, on the surface's grid; beyond its frame lies no region.
    padded = np.pad(state.region, 1)
    depth = ndimage.distance_transform_edt(padded, sampling=state.surface.spacing_um)[1:-1, 1:-1]
    nearest = [
        np.minimum(np.rint((origin + np.arange(count) * step) / surface_step).astype(np.intp), size - 1)
        for origin, count, step, surface_step, size in zip(
            state.origin_um,
            state.heights_um.shape,
            state.spacing_um,
            state.surface.spacing_um,
            depth.shape,
            strict=True,
        )
    ]
    heights = np.where(depth[np.ix_(*nearest)] > margin_um, state.heights_um, np.nan)
    kept = int(np.isfinite(heights).sum())
    outcome: Outcome = {"removed_points": int(np.isfinite(state.heights_um).sum()) - kept}
    if kept < _LEAST_POINTS:
        return replace(state, insufficient=f"fewer than {_LEAST_POINTS} points lie {margin_um:g} µm inside"), outcome
    return replace(state, heights_um=heights), outcome


def _crop(state: State) -> tuple[State, Outcome]:
    state = _cropped(state)
    return state, {"shape": tuple(int(n) for n in state.heights_um.shape), "origin_um": state.origin_um}


# Name -> function, its parameters, and the references it rests on.
STEPS: Mapping[str, tuple[StepFunction, tuple[str, ...], tuple[str, ...]]] = {
    "remove spikes": (_remove_spikes, ("window_points", "threshold_sigmas", "smallest_um"), ()),
    "level": (_level, ("order",), levelling.REFERENCES),
    "find region": (_find_region, ("mask",), region.REFERENCES),
    "level region": (_level_region, ("order",), levelling.REFERENCES),
    "remove circular symmetry": (_remove_circular_symmetry, ("width_um",), circular_symmetry.REFERENCES),
    "low-pass": (_low_pass, ("cutoff_um",), filters.REFERENCES),
    "resample": (_resample, ("spacing_um",), resampling.REFERENCES),
    "high-pass": (_high_pass, ("cutoff_um",), filters.REFERENCES),
    "remove extremes": (_remove_extremes, ("threshold_sigmas",), ()),
    "trim edge": (_trim_edge, ("margin_um",), ()),
    "crop": (_crop, (), ()),
}
