"""From a Surface to a Mark: the preparation, step by step, recorded so that it can be edited and replayed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import ParameterError
from ballistics.findings import Finding
from ballistics.provenance import Provenance, sha256_of_array
from ballistics.surfaces.filtering.resampling import resample
from ballistics.surfaces.mark_types import MARK_TYPES, MarkType, mark_type
from ballistics.surfaces.preparation.steps import STEPS, State, start
from ballistics.surfaces.regions.cut_outs import frame_is_missing, is_prepared
from ballistics.surfaces.regions.given_regions import GivenRegion, regions_in_file
from ballistics.surfaces.regions.mark_shape import not_of_type
from ballistics.surfaces.regions.masks import encode_mask, given_mask
from ballistics.surfaces.surface import Mark, Step, Surface

PREPARATION, PREPARATION_VERSION = "preparation", "2"

# Wide enough to leave concentric tool marks, narrow beside the ring that is compared.
_CIRCLES_UM = 100.0

_ALREADY_PREPARED = Finding(
    "already-prepared",
    "warning",
    "the scan is cut out and level: it was prepared elsewhere, with cut-offs that it does not state",
    "levelled and filtered as every scan; waves that were taken off before are not there",
)

_SPIKES = Step("remove spikes", {"window_points": 5, "threshold_sigmas": 10.0, "smallest_um": 2.0})


def prepare(
    surface: Surface, mark: str = "breech face", region: GivenRegion | NDArray[np.bool_] | str | int | None = None
) -> Mark:
    """Prepare the comparable region of a surface: levelled, masked, band-passed, on a common grid.

    Topographies pass through: remove spikes; level (robust plane, tilt reported); find the region,
    or take the one given; level the region (second order); low-pass at the short cut-off, which
    is also what protects a decimation from aliasing; resample; high-pass by second-order Gaussian
    regression at the long cut-off; trim the border (firing pin only); remove extremes; crop. Cut-offs,
    spacing and trim are those of `ballistics.surfaces.mark_types`. Missing points stay missing and have
    no weight anywhere.

    Images pass through: find the region; level its intensity (plane); remove circular symmetry; then as topographies
    from the low-pass on, with cut-offs of their own.

    A scan that other software has cut out, or cut out and filtered, passes through the same steps; its region is the
    measured area that is left. Filtering again costs little if both marks get it: the 780 pairs of Fadul's scans, which
    their makers filtered (16/500 µm), keep 18 or more congruent cells (same source) against 3 or fewer (different
    source). If only one mark of a pair is filtered, 12 congruent cells became 1. Findings: ``already-masked``,
    ``already-prepared``.

    Parameters
    ----------
    surface : Surface
        Topography or reflectance image.
    mark : str
        Mark type, e.g. ``"breech face"``.
    region : GivenRegion, or ndarray of bool, or str, or int, optional
        A mask on the surface's grid; or the name, colour (``"#rrggbb"``) or value of a label in the mask that the file
        carries. By default the first of these that there is: the label that has the name of the mark type, or the only
        one, if it can be such a mark; the measured area of a scan that was cut to one mark; the region that is found
        automatically (breech face and firing pin; on images the breech face only). A region that does not look like
        the mark type has the serious finding ``not-the-mark-type``.

    Returns
    -------
    Mark
        Its ``steps`` hold parameters and outcomes; `replay` runs them again. ``insufficient`` says
        why there is no mark, if so; then its heights are one missing point.

    Raises
    ------
    ParameterError
        For an unknown mark type, a region that does not fit, a profile or point cloud, or when
        a region must be given and was not.

    References
    ----------
    doi:10.1016/j.forsciint.2017.08.033; ISO 16610-21:2011; ISO 16610-31:2016

    Examples
    --------
    >>> from ballistics.surfaces.simulation.heads import simulate_firearm, simulate_head, simulate_shot
    >>> head = simulate_head(simulate_firearm(1), simulate_shot(2), spacing_um=12.5)
    >>> mark = prepare(head.surface)
    >>> mark.spacing_um, mark.insufficient
    (6.25, None)
    >>> [step.name for step in mark.steps][:3]
    ['remove spikes', 'level', 'find region']
    """
    kind = mark_type(mark, surface.kind)
    _check_kind(surface)
    mask, findings = _region(surface, kind, region)
    if mask is None and surface.kind == "reflectance" and kind.name != "breech face":
        raise ParameterError(
            f"the region of a mark of type '{mark}' is not found on an image automatically: give it as a mask"
        )
    if mask is None and not kind.automatic_region and not frame_is_missing(np.isfinite(surface.heights_um)):
        raise ParameterError(
            f"the region of a mark of type '{mark}' is not found automatically: give it as a mask or label"
        )
    if is_prepared(surface):
        findings = (*findings, _ALREADY_PREPARED)
    return _run(surface, kind, _default_steps(surface, kind, mask), findings)


def _region(
    surface: Surface, kind: MarkType, region: GivenRegion | NDArray[np.bool_] | str | int | None
) -> tuple[NDArray[np.bool_] | None, tuple[Finding, ...]]:
    """Return the region that is given, by the caller or by the file, and what is to be said of it."""
    if isinstance(region, GivenRegion):
        return given_mask(surface, region.mask), (
            Finding("region-given", "note", f"the region was given: {region.source}", "taken as the region"),
        )
    if region is not None:
        return given_mask(surface, region), ()
    labels = regions_in_file(surface)
    # A label that is named after another mark says nothing of this one.
    others = {name.casefold() for name in MARK_TYPES} - {kind.name}
    named = [label for label in labels if label.name.casefold() == kind.name]
    chosen = named or [label for label in labels if label.name.casefold() not in others]
    if not chosen:
        return None, ()
    if len(chosen) > 1:
        said = ", ".join(label.name[:40] for label in chosen[:10])
        why = f"the file's mask has several labels ({said})"
    else:
        (label,) = chosen
        wrong = not_of_type(surface.heights_um, surface.spacing_um, label.mask, kind.name)
        if surface.kind != "topography" or wrong is None:
            said = f"the mask in the file marks one region, {label.name[:40]!r}"
            return given_mask(surface, label.mask), (Finding("region-from-file", "note", said, "taken as the region"),)
        why = f"the file's mask marks one region, {label.name[:40]!r}, which is no {kind.name}: {wrong}"
    return None, (Finding("mask-not-used", "warning", why, "region found as without a mask; name a label to use it"),)


def replay(surface: Surface, steps: Iterable[Step], mark: str = "breech face") -> Mark:
    """Run a list of steps on a surface: an edited preparation, or the first few for a picture.

    Parameters
    ----------
    surface : Surface
        Topography or reflectance image.
    steps : iterable of Step
        Names of the registry and all their parameters; outcomes are measured anew.
    mark : str
        Mark type of the result.

    Returns
    -------
    Mark
        As after the last step. Before the region is known, ``region`` is None and the heights are
        those of the whole surface.

    Raises
    ------
    ParameterError
        For an unknown step or parameter, one that is missing or out of range, or a surface that
        is a profile or point cloud.

    Examples
    --------
    >>> surface = Surface(np.add.outer(np.arange(40.0), np.zeros(40)), (10.0, 10.0))
    >>> level = replay(surface, [Step("level", {"order": 1})])
    >>> round(level.steps[0].outcome["tilt_deg"], 2)
    5.71
    """
    _check_kind(surface)
    return _run(surface, mark_type(mark, surface.kind), tuple(steps), ())


def _check_kind(surface: Surface) -> None:
    if surface.kind not in ("topography", "reflectance"):
        raise ParameterError(
            f"the surface is of kind '{surface.kind}'; only topographies and reflectance images are prepared"
        )
    if surface.heights_um.ndim != 2:
        raise ParameterError(f"the surface's heights have the shape {surface.heights_um.shape}; two dimensions needed")


def _default_steps(surface: Surface, kind: MarkType, mask: NDArray[np.bool_] | None) -> tuple[Step, ...]:
    find = Step("find region", {"mask": None if mask is None else encode_mask(mask)})
    band = (
        Step("low-pass", {"cutoff_um": kind.short_cutoff_um}),
        Step("resample", {"spacing_um": kind.spacing_um}),
        Step("high-pass", {"cutoff_um": kind.long_cutoff_um}),
        *((Step("trim edge", {"margin_um": kind.trim_um}),) if kind.trim_um else ()),
        Step("remove extremes", {"threshold_sigmas": 10.0}),
        Step("crop"),
    )
    if surface.kind == "reflectance":
        # Intensities: the plane removes uneven light, the circles remove the reflection of a domed primer. Spikes and
        # form are of heights only.
        return (
            find,
            Step("level region", {"order": 1}),
            Step("remove circular symmetry", {"width_um": _CIRCLES_UM}),
            *band,
        )
    return (
        _SPIKES,
        Step("level", {"order": 1}),
        find,
        Step("level region", {"order": 2}),
        *band,
    )


def _run(surface: Surface, kind: MarkType, steps: tuple[Step, ...], findings: tuple[Finding, ...]) -> Mark:
    state = replace(start(surface, kind.name), findings=(*surface.findings, *findings))
    done: list[Step] = []
    references: dict[str, None] = dict.fromkeys(s for s in kind.sources if s.startswith("doi:"))
    for step in steps:
        if step.name not in STEPS:
            raise ParameterError(f"step {step.name!r} is not known; choose one of {', '.join(STEPS)}")
        function, names, cited = STEPS[step.name]
        if set(step.parameters) != set(names):
            raise ParameterError(
                f"step '{step.name}' has the parameters {sorted(step.parameters)}; it takes {sorted(names)}"
            )
        if state.insufficient is None:
            try:
                state, outcome = function(state, **step.parameters)
            except TypeError as error:
                raise ParameterError(f"step '{step.name}': a parameter has the wrong type: {error}") from error
            references |= dict.fromkeys(cited)
        else:
            outcome = {"skipped": True}
        done.append(Step(step.name, dict(step.parameters), outcome))
    return _mark(state, kind, tuple(done), tuple(references))


def _mark(state: State, kind: MarkType, steps: tuple[Step, ...], references: tuple[str, ...]) -> Mark:
    surface = state.surface
    heights = state.heights_um
    spacing = min(state.spacing_um)
    if max(state.spacing_um) > spacing * (1.0 + 1e-9):
        # Only stages before resampling: a Mark has one spacing.
        heights = resample(heights, state.spacing_um, spacing)
    if state.insufficient is not None:
        heights = np.full((1, 1), np.nan)
    inputs = dict(surface.provenance.inputs) if surface.provenance is not None else {}
    inputs["array"] = sha256_of_array(surface.heights_um)
    return Mark(
        kind=kind.name,
        heights_um=np.ascontiguousarray(heights, dtype=np.float32),
        spacing_um=float(spacing),
        surface_kind="reflectance" if surface.kind == "reflectance" else "topography",
        origin_um=state.origin_um,
        region=state.region,
        steps=steps,
        findings=state.findings,
        insufficient=state.insufficient,
        provenance=Provenance(
            PREPARATION,
            PREPARATION_VERSION,
            {
                "mark": kind.name,
                "steps": [{"name": step.name, "parameters": dict(step.parameters)} for step in steps],
            },
            inputs,
            references,
        ),
    )
