"""Two marks in, one ImpressionComparison out."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np

from ballistics.impressions.cells import CellParameters, CellSearcher
from ballistics.impressions.comparison import CellSearch, ImpressionComparison, RuleResult
from ballistics.impressions.congruence import RULES, Direction, best_angles, judge
from ballistics.impressions.registration import RegistrationParameters, register
from ballistics.provenance import Provenance, sha256_of_array
from ballistics.surfaces.surface import Mark
from kernels.correlation import centred

METHOD, VERSION = "impressed marks: registration and congruent matching cells", "1"

# C = 6 congruent cells is the literature's criterion (Song 2013): with fewer cells no count can reach it.
MINIMUM_CELLS = 6


def compare(mark_a: Mark, mark_b: Mark) -> ImpressionComparison:
    """Compare two impressed marks.

    The marks are registered over the full circle and the whole plane, their cells are searched in both directions
    around that pose, and every congruence rule gives its verdict. Exchanging the two marks gives the same numbers
    exactly, with the roles exchanged: the comparison is always computed in the order of the marks' hashes.

    Parameters
    ----------
    mark_a, mark_b : Mark
        Prepared marks of one kind, from surfaces of one kind, with one spacing.

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
    >>> result.rules["convergence"].score == result.a_in_b.n_cells
    True
    """
    reason = _incomparable(mark_a, mark_b)
    hashes = [sha256_of_array(mark.heights_um) for mark in (mark_a, mark_b)]
    if reason is not None:
        return ImpressionComparison(mark_a.kind, insufficient=reason, provenance=_provenance(hashes, mark_a))
    if hashes[0] > hashes[1]:
        return exchanged(_compare(mark_b, mark_a, hashes[::-1]))
    return _compare(mark_a, mark_b, hashes)


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
    for name, mark in (("A", a), ("B", b)):
        if mark.insufficient is not None:
            return f"mark {name} is insufficient: {mark.insufficient}"
    if a.kind != b.kind:
        return f"the marks are of different kinds: {a.kind} and {b.kind}"
    if a.surface_kind != b.surface_kind:
        return f"one mark is {a.surface_kind} and the other {b.surface_kind}: scores of the two are not commensurable"
    if abs(a.spacing_um - b.spacing_um) > 1e-3 * a.spacing_um:
        return f"the marks have different spacings: {a.spacing_um:g} and {b.spacing_um:g} µm; prepare both alike"
    return None


def _compare(a: Mark, b: Mark, hashes: list[str]) -> ImpressionComparison:
    provenance = _provenance(hashes, a)
    heights = [centred(np.ascontiguousarray(mark.heights_um, np.float32)) for mark in (a, b)]
    registration = register(heights[0], heights[1], a.spacing_um)
    if registration is None:
        return ImpressionComparison(
            a.kind,
            insufficient="no pose lays a quarter of the smaller mark on the other",
            provenance=provenance,
        )
    result = ImpressionComparison(
        a.kind,
        registration.pose,
        registration.accf,
        registration.overlap_points * a.spacing_um**2,
        registration.overlap_fraction,
        provenance=provenance,
    )
    parameters = CellParameters()
    poses = (registration.pose, registration.pose.inverse())
    directions = []
    for (tiled, searched), pose in zip((heights, heights[::-1]), poses, strict=True):
        searcher = CellSearcher(tiled, searched, a.spacing_um, pose, parameters)
        n = len(searcher.grid.rows)
        if n < MINIMUM_CELLS:
            return replace(
                result,
                insufficient=f"only {n} cells of {parameters.cell_um:g} µm are filled; {MINIMUM_CELLS} are needed",
            )
        directions.append(Direction(searcher, searcher.sweep(), int(np.isfinite(tiled).sum())))
    rules: dict[str, RuleResult] = judge(*directions)
    return replace(result, a_in_b=_cell_search(directions[0]), b_in_a=_cell_search(directions[1]), rules=rules)


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


def _provenance(hashes: list[str], mark: Mark) -> Provenance:
    return Provenance(
        METHOD,
        VERSION,
        {
            "mark kind": mark.kind,
            "spacing_um": mark.spacing_um,
            "registration": asdict(RegistrationParameters()),
            "cells": asdict(CellParameters()),
            "rules": {name: asdict(rule.thresholds) for name, rule in RULES.items()},
            "minimum_cells": MINIMUM_CELLS,
        },
        {"mark a": hashes[0], "mark b": hashes[1]},
        (
            "doi:10.1109/TIP.2011.2181402",
            "Song 2013, AFTE Journal 45(2):184",
            *(rule.source for rule in RULES.values()),
        ),
    )
