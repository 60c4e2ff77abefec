"""The HTML page of a search: the leads in their order, each beside the mark that was searched for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ballistics.methods import method_of
from ballistics.reports.figures.pictures import Grid, common_exaggeration, grey_image, picture_grid, shaded_relief
from ballistics.reports.wording import search as wording
from ballistics.surfaces import Mark, Pose

if TYPE_CHECKING:
    from ballistics.search import LibraryLead, SearchResult

_THUMBNAIL_POINTS = 240


def search_report(result: SearchResult, questioned: Mark, marks: Mapping[int, Mark]) -> str:
    """Return the page as the text of one HTML file; the same search of the same library gives the same bytes.

    Parameters
    ----------
    result : SearchResult
        From `Library.search`.
    questioned : Mark
        The mark that was searched for.
    marks : mapping of int to Mark
        The marks of the leads, by their number in the library; a lead without is shown without a picture.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("ballistics.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    grid = _thumbnail(questioned)
    grids = {
        lead.rank: _thumbnail(_registered(marks[lead.entry.id], questioned, lead.pose))
        for lead in result.leads
        if lead.entry.id in marks
    }
    exaggeration = common_exaggeration(grid, *grids.values())

    def picture(thumbnail: Grid) -> Any:
        return (
            grey_image(thumbnail)
            if questioned.surface_kind == "reflectance"
            else shaded_relief(thumbnail, exaggeration)
        )

    n_different = result.background.n_different if result.background is not None else 0
    rows = [
        {
            "lead": lead,
            "picture": picture(grids[lead.rank]) if lead.rank in grids else None,
            "turned": _placed(lead, questioned.kind),
            "score": wording.score_sentence(lead),
            "percentile": wording.percentile_sentence(lead, n_different),
            "facts": _facts(lead),
        }
        for lead in result.leads
    ]
    return environment.get_template("search.html").render(
        result=result,
        frame=picture(grid),
        exaggeration=f"{exaggeration:g}",
        searched=wording.searched_sentence(result),
        passed_over=wording.passed_over_sentences(result),
        background=wording.background_sentence(result),
        rows=rows,
        chance=wording.chance_line(result),
        limits=wording.LIMITS,
        method=_method(result),
    )


def _registered(mark: Mark, questioned: Mark, pose: Pose | None) -> Mark:
    """Return a mark as it lies on the one searched for, cut to its frame."""
    from ballistics_kernels.impressions import turn_onto

    heights = np.ascontiguousarray(mark.heights_um, dtype=np.float32)
    if pose is None:
        return mark
    registered = np.empty(questioned.heights_um.shape, np.float32)
    spacing = questioned.spacing_um
    turn_onto(heights, math.radians(-pose.theta_deg), pose.dy_um / spacing, pose.dx_um / spacing, registered)
    return replace(mark, heights_um=registered)


def _thumbnail(mark: Mark) -> Grid:
    return picture_grid(mark.heights_um, (mark.spacing_um, mark.spacing_um), _THUMBNAIL_POINTS)


def _placed(lead: LibraryLead, mark_kind: str) -> str:
    """Return how a lead is drawn, in a few words."""
    if lead.pose is None:
        return "as enrolled"
    if method_of(mark_kind).family == "striated":
        return _minus(f"moved by {lead.pose.dx_um:.0f} µm")
    return _minus(f"turned by {lead.pose.theta_deg:.1f}°")


def _facts(lead: LibraryLead) -> list[tuple[str, str]]:
    """Return what stands beside the pictures, only what is stated."""
    facts = [(name.replace("_", " "), value) for name, value in asdict(lead.entry.description).items() if value]
    if lead.overlap_fraction is not None:
        facts.append(("common area", f"{100.0 * lead.overlap_fraction:.0f} % of the smaller mark"))
    facts.append(("template score", _minus(f"{lead.template_score:.3f}")))
    if lead.pose is not None:
        pose = f"{lead.pose.theta_deg:.1f}°, {lead.pose.dx_um:.0f} µm right, {lead.pose.dy_um:.0f} µm down"
        facts.append(("pose", _minus(pose)))
    return facts


def _minus(text: str) -> str:
    return text.replace("-", "−")


def _method(result: SearchResult) -> list[tuple[str, str]]:
    from ballistics.reports.plain_values import plain

    rows = [
        ("method", f"{result.provenance.method}, version {result.provenance.version}"),
        ("library", result.library),
        ("SHA-256 of the scan searched for", result.identity),
        ("SHA-256 of its prepared heights", result.array_sha256),
    ]
    for name, value in result.provenance.parameters.items():
        inner = value if isinstance(value, Mapping) else {"": value}
        rows += [(key or name, str(plain(entry))) for key, entry in inner.items() if entry != {}]
    rows += [(f"version of {name}", version) for name, version in result.provenance.versions.items()]
    return rows
