"""Which cells are congruent: the published rules and ours, each with its thresholds and source.

Our rule, "significance", is in `ballistics.impressions.significance`. Every rule judges two sweeps, the cells of A on B
and the cells of B on A. The score is the smaller count of the two
directions, except for cmcR's pooled count, which stands under its own name for comparison only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.impressions.cells import AngleSweep, medians
from ballistics.impressions.comparison import DirectionVerdict, RuleResult
from ballistics.impressions.direction import Direction, best_angles
from ballistics.impressions.significance import SignificanceThresholds, significant
from ballistics.surfaces import Pose
from ballistics_kernels.impressions import rigid_consensus

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Thresholds:
    """What a cell must keep to be congruent: displacement and angle from the common one, and correlation."""

    displacement_um: float
    angle_deg: float
    correlation: float


def _median(values: Floats) -> float:
    return float(np.nanmedian(values)) if np.isfinite(values).any() else math.nan


def _verdict(
    direction: Direction, angles: NDArray[np.int64], congruent: Bools, reference: tuple[float, float, float]
) -> DirectionVerdict:
    """Build the verdict from the angle at which each cell was judged; reference is (theta_deg, x_um, y_um)."""
    sweep, n = direction.sweep, np.arange(len(angles))
    judged = sweep.thetas_deg[angles], sweep.xs_um[n, angles], sweep.ys_um[n, angles]
    found = direction.searcher.places_um(*judged)
    return DirectionVerdict(congruent, Pose(*reference), *judged, *found, sweep.correlations[n, angles])


# --- original rule: Song 2013, Chu 2013 -------------------------------------------------------------------------


def original(direction: Direction, t: Thresholds, theta_deg: float | None = None) -> DirectionVerdict:
    """Judge every cell at its own best angle against the medians over all cells.

    Parameters
    ----------
    direction : Direction
        The cells of a mark, swept over the other.
    t : Thresholds
        Greatest deviations from the medians, and least correlation.
    theta_deg : float, optional
        Absolute turn that replaces the median angle as the reference (Chen 2017, when convergence fails).

    Returns
    -------
    DirectionVerdict
    """
    sweep = direction.sweep
    angles = best_angles(sweep)
    n = np.arange(len(angles))
    x, y, r = sweep.xs_um[n, angles], sweep.ys_um[n, angles], sweep.correlations[n, angles]
    theta = sweep.thetas_deg[angles]
    found = np.isfinite(r)
    reference = (
        _median(np.where(found, theta, np.nan)) if theta_deg is None else theta_deg,
        _median(x),
        _median(y),
    )
    congruent = (
        found
        & (np.abs(x - reference[1]) <= t.displacement_um)
        & (np.abs(y - reference[2]) <= t.displacement_um)
        & (np.abs(theta - reference[0]) <= t.angle_deg + 1e-9)
        & (r >= t.correlation)
    )
    return _verdict(direction, angles, congruent, reference)


# --- High-CMC: Tong 2015 ----------------------------------------------------------------------------------------


def _congruent_at_each_angle(direction: Direction, t: Thresholds) -> Bools:
    """Return which cells agree with the medians of each angle; shape (cells, angles)."""
    sweep = direction.sweep
    x, y = medians(sweep.xs_um), medians(sweep.ys_um)
    with np.errstate(invalid="ignore"):
        return np.asarray(
            (np.abs(sweep.xs_um - x) <= t.displacement_um)
            & (np.abs(sweep.ys_um - y) <= t.displacement_um)
            & (sweep.correlations >= t.correlation)
            & sweep.exact
        )


def _high_verdict(direction: Direction, per_angle: Bools, selected: Bools) -> DirectionVerdict:
    """Count each cell once that agrees at some selected angle; it is shown where it correlates best."""
    sweep = direction.sweep
    allowed = per_angle & selected[None, :]
    score = np.where(allowed, sweep.correlations, -np.inf)
    congruent: Bools = np.asarray(allowed.any(axis=1))
    angles = np.where(congruent, score.argmax(axis=1), best_angles(sweep))
    n = np.flatnonzero(congruent)
    x, y = sweep.xs_um[n, angles[n]], sweep.ys_um[n, angles[n]]
    return _verdict(
        direction, angles, congruent, (float(np.median(sweep.thetas_deg[selected])), _median(x), _median(y))
    )


def high(a: Direction, b: Direction, t: Thresholds) -> tuple[DirectionVerdict, DirectionVerdict]:
    """Apply High-CMC: the angles of high counts must agree within the angle threshold, jointly over both directions.

    Parameters
    ----------
    a, b : Direction
        The cells of A on B, and those of B on A.
    t : Thresholds
        Displacement from the median of an angle, and correlation, for a cell to count there. The angles of high counts
        of both directions may span ``t.angle_deg``; where they span more, `original` judges instead.

    Returns
    -------
    tuple of DirectionVerdict
        Of the cells of A, and of B.
    """
    per_a, per_b = _congruent_at_each_angle(a, t), _congruent_at_each_angle(b, t)
    # Turning B onto A by θ is turning A onto B by −θ.
    angles_a, angles_b = a.relative_deg, -b.relative_deg
    high_a = angles_a[per_a.sum(axis=0) >= per_a.sum(axis=0).max() - 1]
    high_b = angles_b[per_b.sum(axis=0) >= per_b.sum(axis=0).max() - 1]
    lowest = min(high_a.min(), high_b.min())
    highest = max(high_a.max(), high_b.max())
    if highest - lowest > t.angle_deg + 1e-9:
        return original(a, t), original(b, t)
    widen = (t.angle_deg - (highest - lowest)) / 2
    lowest, highest = lowest - widen - 1e-9, highest + widen + 1e-9
    return (
        _high_verdict(a, per_a, (angles_a >= lowest) & (angles_a <= highest)),
        _high_verdict(b, per_b, (angles_b >= lowest) & (angles_b <= highest)),
    )


def cmcr_pooled(a: Direction, b: Direction, t: Thresholds) -> tuple[DirectionVerdict, DirectionVerdict, float]:
    """Count as cmcR does: High-CMCs of both directions pooled and made unique by cell index.

    Cell (r, c) of A and cell (r, c) of B are different areas; the count is bounded by the grid but is not a count
    on either mark. It exists to compare with cmcR's published numbers.

    Parameters
    ----------
    a, b : Direction
        The cells of A on B, and those of B on A.
    t : Thresholds
        Displacement from the median of an angle, and correlation, for a cell to count there. ``t.angle_deg`` is the
        greatest span of the angles of high counts, and by how much their peaks may disagree; where they disagree more,
        `original` judges instead.

    Returns
    -------
    a_in_b, b_in_a : DirectionVerdict
        Of the cells of A, and of B.
    count : float
        The pooled count; after `original`, the smaller of the two counts.
    """
    originals = original(a, t), original(b, t)
    fallback = (*originals, float(min(v.count for v in originals)))
    selected, peaks = [], []
    for direction, verdict, sign in ((a, originals[0], 1.0), (b, originals[1], -1.0)):
        per_angle = _congruent_at_each_angle(direction, t)
        counts = per_angle.sum(axis=0)
        angles = direction.sweep.thetas_deg
        if verdict.count == 0 or np.ptp(angles[counts >= counts.max() - 1]) > t.angle_deg + 1e-9:
            return fallback
        peak = float(np.median(angles[counts == counts.max()]))
        if abs(peak - float(np.median(verdict.thetas_deg[verdict.congruent]))) > t.angle_deg + 1e-9:
            return fallback
        peaks.append(sign * (peak - direction.sweep.expected_theta_deg))
        selected.append((per_angle, counts >= counts.max() - 1))
    if abs(peaks[0] - peaks[1]) > t.angle_deg + 1e-9:
        return fallback
    verdicts = [_high_verdict(d, *s) for d, s in zip((a, b), selected, strict=True)]
    pooled = {
        (int(row), int(column))
        for d, v in zip((a, b), verdicts, strict=True)
        for row, column in zip(d.sweep.grid.rows[v.congruent], d.sweep.grid.columns[v.congruent], strict=True)
    }
    return verdicts[0], verdicts[1], float(len(pooled))


# --- convergence: Chen 2017, adapted ----------------------------------------------------------------------------------


def dispersion(sweep: AngleSweep) -> Floats:
    """Return, per angle, how far the cells scatter about their median displacement: D(θ) of Chen 2017, in µm."""
    distance = np.hypot(sweep.xs_um - medians(sweep.xs_um), sweep.ys_um - medians(sweep.ys_um))
    deviation = np.abs(distance - medians(distance))
    with np.errstate(invalid="ignore"):
        distance = np.where(deviation <= 3 * medians(deviation), distance, np.nan)
    return np.nan_to_num(medians(distance), nan=np.inf)


def _total(direction: Direction, t: Thresholds, reference: int) -> DirectionVerdict:
    """Count the cells whose best place near the common one correlates: total CMC of Chen 2017."""
    sweep = direction.sweep
    x, y = _median(sweep.xs_um[:, reference]), _median(sweep.ys_um[:, reference])
    theta = float(sweep.thetas_deg[reference])
    near = np.flatnonzero(np.abs(sweep.thetas_deg - theta) <= t.angle_deg + 1e-9)
    r, angles, xs, ys = direction.best_near(tuple(near.tolist()), x, y, t.displacement_um)
    congruent = np.isfinite(r) & (np.nan_to_num(r, nan=-1.0) >= t.correlation)
    judged = sweep.thetas_deg[angles], xs, ys
    return DirectionVerdict(congruent, Pose(theta, x, y), *judged, *direction.searcher.places_um(*judged), r)


def convergence(a: Direction, b: Direction, t: Thresholds) -> tuple[DirectionVerdict, DirectionVerdict]:
    """Apply the convergence rule, adapted: total CMC where the cells converge both ways at one angle, or initial.

    Chen searches the whole plane; here the cells are searched around the pose at which the whole marks correlate best,
    so a third condition is added to Chen's two: the cells must converge at that pose's angle, within one rotation
    step, since both measure one rigid motion. Without it, cells of different sources that scatter just within the
    tolerance at some far angle open the gate, and the total count, which gives each cell a free choice near the
    common place, is high: Fadul 4-2 / 6-2 reaches 16.

    Parameters
    ----------
    a, b : Direction
        The cells of A on B, and those of B on A, swept in the same steps of angle.
    t : Thresholds
        Cells converge where they scatter by less than ``t.displacement_um``. They are then searched again at the angles
        within ``t.angle_deg`` and at displacements within ``t.displacement_um``, and count from ``t.correlation`` on.

    Returns
    -------
    tuple of DirectionVerdict
        Of the cells of A, and of B.
    """
    spread_a, spread_b = dispersion(a.sweep), dispersion(b.sweep)
    at_a, at_b = int(spread_a.argmin()), int(spread_b.argmin())
    step = float(np.diff(a.sweep.thetas_deg).mean())
    converged = (
        spread_a[at_a] < t.displacement_um
        and spread_b[at_b] < t.displacement_um
        and abs(a.relative_deg[at_a] + b.relative_deg[at_b]) <= step + 1e-9
        and max(abs(a.relative_deg[at_a]), abs(b.relative_deg[at_b])) <= step + 1e-9
    )
    if converged:
        return _total(a, t, at_a), _total(b, t, at_b)
    return (
        original(a, t, float(a.sweep.thetas_deg[at_a])),
        original(b, t, float(b.sweep.thetas_deg[at_b])),
    )


# --- rigid consensus --------------------------------------------------------------------------------------------


def consensus(direction: Direction, t: Thresholds) -> DirectionVerdict:
    """Find the most cells, each at its best angle, that follow one rigid motion; angles differenced on the circle."""
    sweep, searcher = direction.sweep, direction.searcher
    angles = best_angles(sweep)
    n = np.arange(len(angles))
    r = sweep.correlations[n, angles]
    use = np.flatnonzero(np.isfinite(r) & (np.nan_to_num(r, nan=-1.0) >= t.correlation))
    congruent = np.zeros(len(r), bool)
    cell_x, cell_y = searcher.cell_centres_um()
    theta = np.radians(-sweep.thetas_deg[angles])
    found_x, found_y = searcher.places_um(sweep.thetas_deg[angles], sweep.xs_um[n, angles], sweep.ys_um[n, angles])
    inliers = np.zeros(len(use), bool)
    turn, shift_x, shift_y = rigid_consensus(
        found_x[use], found_y[use], cell_x[use], cell_y[use], theta[use],
        t.displacement_um, math.radians(t.angle_deg), inliers,
    )  # fmt: skip
    congruent[use[inliers]] = True
    reference = (-math.degrees(turn), searcher.pose.dx_um - shift_x, searcher.pose.dy_um - shift_y)
    return _verdict(direction, angles, congruent, reference)


# --- the table of rules -----------------------------------------------------------------------------------------

Judgement = tuple[DirectionVerdict, DirectionVerdict, float]


def smaller_count(verdicts: tuple[DirectionVerdict, DirectionVerdict]) -> Judgement:
    """Return both verdicts and the smaller of their counts."""
    return (*verdicts, float(min(v.count for v in verdicts)))


def _area_percent(a: Direction, b: Direction, t: Thresholds) -> Judgement:
    verdicts = convergence(a, b, t)
    shares = []
    for direction, verdict in zip((a, b), verdicts, strict=True):
        cell = (direction.searcher.parameters.cell_um / direction.searcher.spacing_um) ** 2
        covered = direction.sweep.grid.valid_fractions[verdict.congruent].sum() * cell
        shares.append(100.0 * covered / float(np.isfinite(direction.tiled).sum()))
    return (*verdicts, float(min(shares)))


@dataclass(frozen=True)
class Rule:
    """One congruence rule: thresholds, unit of its score, source, and how it judges."""

    thresholds: Thresholds | SignificanceThresholds
    unit: str
    source: str
    judge: Callable[[Direction, Direction, Any], Judgement]


# Breech faces; the tables of the other marks are in `ballistics.impressions.mark_parameters`.
RULES: Mapping[str, Rule] = {
    "significance": Rule(
        SignificanceThresholds(),
        "cells",
        "this project: agreement at the registered pose beyond chance",
        lambda a, b, t: smaller_count(significant(a, b, t)),
    ),
    "original": Rule(
        Thresholds(125.0, 6.0, 0.60),
        "cells",
        "Song 2013, AFTE J. 45(2):184; thresholds of Chu 2013, AFTE J. 45(4):361",
        lambda a, b, t: smaller_count((original(a, t), original(b, t))),
    ),
    "high": Rule(
        Thresholds(93.75, 3.0, 0.55),
        "cells",
        "Tong 2015, doi:10.6028/jres.120.008",
        lambda a, b, t: smaller_count(high(a, b, t)),
    ),
    "convergence": Rule(
        Thresholds(125.0, 3.0, 0.40),
        "cells",
        "Chen 2017, doi:10.1016/j.forsciint.2017.08.033; adapted: the cells must also converge at the registered turn",
        lambda a, b, t: smaller_count(convergence(a, b, t)),
    ),
    "ncma": Rule(
        Thresholds(125.0, 3.0, 0.47),
        "% of area",
        "Chen 2018, doi:10.6028/jres.123.015",
        _area_percent,
    ),
    "consensus": Rule(
        Thresholds(75.0, 6.0, 0.25),
        "cells",
        "Rigid consensus over all pairs of cells; thresholds of the NFI's open scratch",
        lambda a, b, t: smaller_count((consensus(a, t), consensus(b, t))),
    ),
    "cmcR pooled": Rule(
        Thresholds(125.0, 6.0, 0.50),
        "cells",
        "Zemmels 2023, doi:10.32614/RJ-2023-014",
        cmcr_pooled,
    ),
}


def judge(a: Direction, b: Direction, rules: Mapping[str, Rule] = RULES) -> dict[str, RuleResult]:
    """Apply every rule of a table to the two directions of one comparison.

    Parameters
    ----------
    a, b : Direction
        The cells of A on B, and those of B on A.
    rules : mapping of str to Rule
        By the names that the results have; default the table for breech faces.

    Returns
    -------
    dict of str to RuleResult
        In the order of the table.
    """
    results = {}
    for name, rule in rules.items():
        in_b, in_a, score = rule.judge(a, b, rule.thresholds)
        results[name] = RuleResult(name, in_b, in_a, score, {**asdict(rule.thresholds), "unit": rule.unit}, rule.source)
    return results
