"""Two scans of whole cartridge-case heads in, one comparison for each kind of mark out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ballistics.comparison import Comparison
from ballistics.errors import ParameterError
from ballistics.methods import Region, method_of
from ballistics.surfaces import HEAD_MARKS, MARK_TYPES, Mark, Surface

__all__ = ["HeadComparison", "compare_heads"]


@dataclass(frozen=True)
class HeadComparison:
    """The comparison of two cartridge-case heads, mark by mark.

    The marks of one head are not independent of each other, and scores of different kinds have no common scale: they
    are not added up here. `ballistics.evidence` combines likelihood ratios of several marks.

    Parameters
    ----------
    comparisons : mapping of str to Comparison
        One for every kind of mark of a head, `ballistics.surfaces.HEAD_MARKS`; with ``insufficient`` set, and
        the reason, where a kind could not be compared.
    marks_a, marks_b : mapping of str to Mark
        The prepared marks of the two heads, by kind.
    """

    comparisons: Mapping[str, Comparison]
    marks_a: Mapping[str, Mark] = field(repr=False)
    marks_b: Mapping[str, Mark] = field(repr=False)

    @property
    def compared(self) -> tuple[str, ...]:
        """The kinds of mark for which a comparison is stated."""
        return tuple(kind for kind, result in self.comparisons.items() if result.insufficient is None)

    def __repr__(self) -> str:
        return f"<HeadComparison: {'; '.join(repr(result)[1:-1] for result in self.comparisons.values())}>"


def compare_heads(
    surface_a: Surface,
    surface_b: Surface,
    regions_a: Mapping[str, Region] | None = None,
    regions_b: Mapping[str, Region] | None = None,
    settings: Mapping[str, Mapping[str, str]] | None = None,
) -> HeadComparison:
    """Compare every kind of mark that two scans of cartridge-case heads share.

    Parameters
    ----------
    surface_a, surface_b : Surface
        Scans as read. A scan that was cut to its breech face holds this mark only.
    regions_a, regions_b : mapping, optional
        Kind of mark to region, as in `prepare`; needed for marks that are not found automatically.
    settings : mapping, optional
        Kind of mark to other parameters than the usual ones, by name (`ballistics.methods.Method.parameters`).

    Returns
    -------
    HeadComparison
        A result for every kind; "insufficient" with the reason is one.

    Raises
    ------
    ParameterError
        For a kind of mark that is not known, a region that does not fit its surface, or a profile or point cloud.

    Examples
    --------
    >>> from ballistics.surfaces import simulate_firearm, simulate_head, simulate_shot
    >>> head = simulate_head(simulate_firearm(1), simulate_shot(2), spacing_um=6.25, field_mm=4.0).surface
    >>> heads = compare_heads(head, head)
    >>> heads.compared
    ('breech face', 'firing pin')
    >>> heads.comparisons["ejector"].insufficient
    'mark A is insufficient: the region of the ejector mark is not found automatically: give it as a mask or label'
    """
    for kind in settings or {}:
        _checked_kind(kind)
    parameters = {
        kind: method_of(kind).parameters(_kind_of(surface_a), settings[kind]) if settings and kind in settings else None
        for kind in HEAD_MARKS
    }
    marks = [
        {kind: _prepared(surface, kind, regions.get(kind), parameters[kind]) for kind in HEAD_MARKS}
        for surface, regions in ((surface_a, _checked(regions_a)), (surface_b, _checked(regions_b)))
    ]
    comparisons = {
        kind: method_of(kind).compare(marks[0][kind], marks[1][kind], parameters[kind]) for kind in HEAD_MARKS
    }
    return HeadComparison(comparisons, marks[0], marks[1])


def _kind_of(surface: Surface) -> str:
    return "reflectance" if surface.kind == "reflectance" else "topography"


def _checked(regions: Mapping[str, Region] | None) -> Mapping[str, Any]:
    for kind in regions or {}:
        _checked_kind(kind)
    return regions or {}


def _checked_kind(kind: str) -> None:
    if kind not in HEAD_MARKS:
        raise ParameterError(f"mark type {kind!r} is none of a cartridge head; choose one of {', '.join(HEAD_MARKS)}")


def _prepared(surface: Surface, kind: str, region: Region | None, parameters: Any) -> Mark:
    """Return the mark of one kind, insufficient where it cannot be had from this scan."""
    why = None
    striated = method_of(kind).family == "striated"
    if region is None and surface.kind not in ("topography", "reflectance"):
        raise ParameterError(f"the surface is of kind '{surface.kind}'; heads are topographies or reflectance images")
    if region is None and surface.kind == "reflectance":
        why = "the region of a reflectance image is not found automatically: give it as a mask or label"
    elif region is None and not striated and not MARK_TYPES[kind].automatic_region:
        why = f"the region of the {kind} mark is not found automatically: give it as a mask or label"
    if why is None:
        mark = method_of(kind).prepare(surface, region, parameters)
        if not any(finding.code == "region-whole-scan" for finding in mark.findings):
            return mark
        why = f"the scan shows no cartridge head around the {kind} mark: give its region as a mask or label"
    return Mark(
        kind,
        np.full((1, 1), np.nan, np.float32),
        MARK_TYPES[kind].spacing_um,
        "reflectance" if surface.kind == "reflectance" else "topography",
        findings=surface.findings,
        insufficient=why,
    )
