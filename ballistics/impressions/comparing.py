"""Two marks in, one ImpressionComparison out."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np

from ballistics.findings import Finding, one_measurement
from ballistics.impressions.cells import CellSearcher
from ballistics.impressions.comparison import CellSearch, DirectionVerdict, ImpressionComparison, RuleResult
from ballistics.impressions.congruence import judge
from ballistics.impressions.contradiction import contradiction
from ballistics.impressions.direction import Direction, best_angles
from ballistics.impressions.mark_parameters import (
    MARK_PARAMETERS,
    MINIMUM_CELLS,
    NOT_IMPRESSED,
    MarkParameters,
    parameters_of,
)
from ballistics.impressions.mirrored import AsTheyAre, check_inverted, check_mirrored
from ballistics.impressions.octaves import Octaves
from ballistics.impressions.registration import RegistrationSearch
from ballistics.impressions.settings import changes
from ballistics.impressions.similarity import Similarity, similarity_of
from ballistics.impressions.subclass import find_regular_marks, subclass_findings
from ballistics.provenance import Provenance, sha256_of_array
from ballistics.surfaces import Mark, unalike
from ballistics_kernels.impressions import centred

# Two firings of one firearm correlate least in the shortest octave: with 0.72 at most (all same-source pairs of Fadul
# and of the given TopMatch scans), simulated ones of the easy kind with 0.82. Copies that were turned, cropped, tilted
# or resampled have 0.94 and more; with noise of a quarter of the roughness 0.96, of half of it 0.86. No parameter: it
# changes no score.
_COPIES = 0.9
METHOD, VERSION = "impressed marks: registration and congruent matching cells", "4"


def compare(mark_a: Mark, mark_b: Mark, parameters: MarkParameters | None = None) -> ImpressionComparison:
    """Compare two impressed marks.

    The marks are registered over the full circle and the whole plane, their cells are searched in both directions
    around that pose, and every congruence rule gives its verdict. Exchanging the two marks gives the same numbers
    exactly, with the roles exchanged: the comparison is always computed in the order of the marks' hashes.

    Parameters
    ----------
    mark_a, mark_b : Mark
        Prepared marks of one kind, from surfaces of one kind, with one spacing. The kind decides the sizes, rules and
        thresholds (`ballistics.impressions.mark_parameters`).
    parameters : MarkParameters, optional
        Others than those of the kind, as `ballistics.impressions.with_settings` makes them. They stand in the
        provenance, so that a reference population of other parameters gives no likelihood ratio, and in a finding.

    Returns
    -------
    ImpressionComparison
        With `insufficient` set, and no verdict, when the marks cannot be compared.

    References
    ----------
    Song 2013; Tong 2015, doi:10.6028/jres.120.008; Chen 2017, doi:10.1016/j.forsciint.2017.08.033; Padfield 2012,
    doi:10.1109/TIP.2011.2181402.

    Examples
    --------
    >>> import numpy as np
    >>> from ballistics.surfaces.surface import Mark
    >>> rng = np.random.default_rng(1)
    >>> noise = rng.normal(size=(500, 500)).astype(np.float32)
    >>> same = Mark("breech face", noise, 6.25)
    >>> result = compare(same, same)
    >>> result.rules["significance"].score == result.a_in_b.n_cells
    True
    """
    reason = _incomparable(mark_a, mark_b)
    used = parameters or parameters_of(mark_a)
    hashes = [sha256_of_array(mark.heights_um) for mark in (mark_a, mark_b)]
    if reason is not None or used is None:
        return ImpressionComparison(mark_a.kind, insufficient=reason, provenance=_provenance(hashes, mark_a, used))
    if hashes[0] > hashes[1]:
        return exchanged(_compare(mark_b, mark_a, hashes[::-1], used))
    return _compare(mark_a, mark_b, hashes, used)


def exchanged(comparison: ImpressionComparison) -> ImpressionComparison:
    """Return the same comparison with the roles of A and B exchanged."""
    rules = {
        name: replace(result, a_in_b=result.b_in_a, b_in_a=result.a_in_b) for name, result in comparison.rules.items()
    }
    provenance = comparison.provenance
    if provenance is not None:
        inputs = {"mark a": provenance.inputs["mark b"], "mark b": provenance.inputs["mark a"]}
        provenance = replace(provenance, inputs=inputs)
    return replace(
        comparison,
        pose=comparison.pose.inverse() if comparison.pose is not None else None,
        a_in_b=comparison.b_in_a,
        b_in_a=comparison.a_in_b,
        rules=rules,
        provenance=provenance,
    )


def _incomparable(a: Mark, b: Mark) -> str | None:
    if a.kind != b.kind:
        return f"the marks are of different kinds: {a.kind} and {b.kind}"
    if a.kind not in MARK_PARAMETERS:
        return NOT_IMPRESSED.get(a.kind, f"marks of kind '{a.kind}' are not compared as impressions")
    for name, mark in (("A", a), ("B", b)):
        if mark.insufficient is not None:
            return f"mark {name} is insufficient: {mark.insufficient}"
    if a.surface_kind != b.surface_kind:
        return f"one mark is {a.surface_kind} and the other {b.surface_kind}: scores of the two are not commensurable"
    if parameters_of(a) is None:
        return f"images of marks of kind '{a.kind}' are not compared: no thresholds are published for them"
    if abs(a.spacing_um - b.spacing_um) > 1e-3 * a.spacing_um:
        return f"the marks have different spacings: {a.spacing_um:g} and {b.spacing_um:g} µm; prepare both alike"
    return None


def _compare(a: Mark, b: Mark, hashes: list[str], kind: MarkParameters) -> ImpressionComparison:
    provenance, otherwise = _provenance(hashes, a, kind), unalike(a, b)
    findings = (*kind.findings, *_own_parameters(a, kind), *(() if otherwise is None else (otherwise,)))
    heights = [centred(np.ascontiguousarray(mark.heights_um, np.float32)) for mark in (a, b)]
    search = RegistrationSearch(heights[0], heights[1], a.spacing_um, kind.registration, mirror_too=True)
    registration = search.direct()
    if registration is None:
        return ImpressionComparison(
            a.kind,
            insufficient=kind.registration.no_pose(),
            findings=findings,
            provenance=provenance,
        )
    result = ImpressionComparison(
        a.kind,
        registration.pose,
        registration.accf,
        registration.overlap_points * a.spacing_um**2,
        registration.overlap_fraction,
        findings=findings,
        provenance=provenance,
    )
    octaves = [Octaves(mark, a.spacing_um, kind.similarity.clip_points) for mark in heights]
    alike = similarity_of(octaves[0], octaves[1], registration.pose, kind.similarity)
    result = replace(result, similarity=alike, findings=(*findings, *_copied(alike)))

    def with_other_ways(found: ImpressionComparison) -> ImpressionComparison:
        direct = AsTheyAre(octaves[0], heights[1], search, registration, alike.score)
        mirrored = check_mirrored(direct, kind.similarity, kind.mirror)
        finding = None if mirrored is None else mirrored.finding
        if finding is None and a.surface_kind == "topography":
            finding = check_inverted(direct, kind.similarity, kind.mirror)
        return found if finding is None else replace(found, findings=(*found.findings, finding))

    if alike.insufficient is not None:
        return with_other_ways(replace(result, insufficient=alike.insufficient))
    poses = (registration.pose, registration.pose.inverse())
    directions = []
    for (tiled, searched), pose, of_tiled in zip((heights, heights[::-1]), poses, octaves, strict=True):
        searcher = CellSearcher(tiled, searched, a.spacing_um, pose, kind.cells)
        n = len(searcher.grid.rows)
        if n < kind.minimum_cells:
            return replace(
                result,
                insufficient=f"only {n} cells of {kind.cells.cell_um:g} µm are filled; {kind.minimum_cells} are needed",
            )
        directions.append(Direction(searcher, searcher.sweep(), tiled, searched, alike, of_tiled))
    rules: dict[str, RuleResult] = judge(directions[0], directions[1], kind.rules)
    a_in_b = _with_regular_marks(directions[0], [rule.a_in_b for rule in rules.values()], kind)
    b_in_a = _with_regular_marks(directions[1], [rule.b_in_a for rule in rules.values()], kind)
    findings = (*result.findings, *subclass_findings(rules, a_in_b, b_in_a, kind.regular_marks))
    result = replace(result, a_in_b=a_in_b, b_in_a=b_in_a, rules=rules, findings=findings)
    opposed = contradiction(result, kind.contradiction)
    result = replace(result, findings=(*findings, *opposed))
    lines = any(search.regular is not None and search.regular.explained.any() for search in (a_in_b, b_in_a))
    return with_other_ways(result) if lines or opposed or registration.accf < kind.mirror.agreement else result


def _with_regular_marks(direction: Direction, verdicts: list[DirectionVerdict], kind: MarkParameters) -> CellSearch:
    """Collect the cells, and what of their agreement is explained by regular manufacturing marks."""
    search, spacing_um = _cell_search(direction), direction.searcher.spacing_um
    marks = direction.tiled, direction.searched
    regular = find_regular_marks(*marks, spacing_um, kind.cells.cell_um, search, verdicts, kind.regular_marks)
    return replace(search, regular=regular)


def _cell_search(direction: Direction) -> CellSearch:
    """Collect every cell's best place over all angles."""
    sweep, grid = direction.sweep, direction.sweep.grid
    x, y = direction.searcher.cell_centres_um()
    best = best_angles(sweep)
    n = np.arange(len(best))
    place = sweep.thetas_deg[best], sweep.xs_um[n, best], sweep.ys_um[n, best]
    return CellSearch(
        grid.theta_deg,
        grid.rows,
        grid.columns,
        x,
        y,
        grid.valid_fractions,
        *place,
        *direction.searcher.places_um(*place),
        sweep.correlations[n, best],
        sweep.overlaps[n, best],
    )


def _copied(alike: Similarity) -> tuple[Finding, ...]:
    """Say whether the two marks are one measurement and its copy."""
    shortest = alike.octaves[0]
    if alike.insufficient is not None:
        return ()
    found = one_measurement(shortest.shortest_um, shortest.longest_um, shortest.correlation, _COPIES)
    return () if found is None else (found,)


def _own_parameters(mark: Mark, used: MarkParameters) -> tuple[Finding, ...]:
    """Say which parameters are not those of the kind of mark; nothing when all are."""
    usual = parameters_of(mark)
    changed = [] if usual is None or used is usual else changes(usual, used)
    if not changed:
        return ()
    return (
        Finding(
            "own-parameters",
            "warning",
            f"compared with parameters other than those tested for {mark.kind} marks: {'; '.join(changed)}",
            "compared with them; figures and reference populations of the usual ones do not hold",
        ),
    )


def _provenance(hashes: list[str], mark: Mark, kind: MarkParameters | None) -> Provenance:
    parameters = {
        "mark kind": mark.kind,
        "surface kind": mark.surface_kind,
        "spacing_um": mark.spacing_um,
        "minimum_cells": MINIMUM_CELLS if kind is None else kind.minimum_cells,
    }
    references: tuple[str, ...] = ("doi:10.1109/TIP.2011.2181402",)
    if kind is not None:
        parameters |= {
            "registration": asdict(kind.registration),
            "similarity": asdict(kind.similarity),
            "mirror": asdict(kind.mirror),
            "cells": asdict(kind.cells),
            "rules": {name: asdict(rule.thresholds) for name, rule in kind.rules.items()},
            "regular marks": asdict(kind.regular_marks),
            "contradiction": asdict(kind.contradiction),
        }
        references += (*kind.sources, *(rule.source for rule in kind.rules.values()))
    return Provenance(
        METHOD,
        VERSION,
        parameters,
        {"mark a": hashes[0], "mark b": hashes[1]},
        references,
    )
