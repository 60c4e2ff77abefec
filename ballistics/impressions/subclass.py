"""Subclass warning: which congruent cells agree only by regular manufacturing marks, parallel or about a centre."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.findings import Finding
from ballistics.impressions.comparison import CellSearch, DirectionVerdict, LinePattern, RegularMarks, RuleResult
from ballistics_kernels.filters import decimate
from ballistics_kernels.impressions import (
    cell_points,
    line_sums,
    padded,
    products,
    products_by_direction,
    take_lines_off,
)

Heights = NDArray[np.float32]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SubclassParameters:
    """When cells count as agreeing only by regular marks; chosen on seeds below 100 and a dozen Fadul scans.

    Least odds: how much more of the agreement lies along the lines than along a direction taken at random. On
    granular breech faces, real and simulated, they reached 2.1, on filed ones they were 5 and more, on milled ones 13
    and more. Least share: more than half of a cell's agreement lies along the lines. Least remaining correlation: a
    cell slides freely along its lines to where the rest agrees best, so that the rest of slides that share nothing but
    a cutter reached 0.45. Fewest cells: with fewer than C = 6 (Song 2013) there is no agreement to be explained.

    Directions: those tried for straight lines; at the edge of a cell two neighbours are 10 µm apart. Stride: every
    fourth point is enough to see which lines there are. Lines per point across, when they are taken off: half a point
    wide. Turns: a cell's own lines may turn as much, to either side, from the common pattern (chatter, and the steps of
    the search).
    """

    least_odds: float = 3.5
    least_share: float = 0.5
    least_remaining: float = 0.5
    fewest_cells: int = 6
    most_patterns: int = 2
    points_per_cell: float = 37.5
    directions: int = 36
    stride: int = 4
    lines_per_point: float = 2.0
    turns_deg: tuple[float, ...] = (1.5, 3.0, 6.0, 9.0)


def find_regular_marks(
    tiled: Heights,
    searched: Heights,
    spacing_um: float,
    cell_um: float,
    search: CellSearch,
    verdicts: Iterable[DirectionVerdict],
    parameters: SubclassParameters | None = None,
) -> RegularMarks:
    """Find the regular marks by which congruent cells agree, and what agrees without them.

    A regular manufacturing mark has one height along each of its lines: parallel lines (milling, filing, broaching) or
    circles about one centre (turning, a cutter's arcs). The part of a cell of that form is its mean along each line,
    and the covariance of two registered cells is the sum of that of their means and that of the rest. The lines are
    sought for all congruent cells together, among all directions and all centres on and off the mark: those by which
    the cells agree most. They count as a pattern only when much more of the agreement lies in it than in a direction
    taken at random; a granular face has no such lines, whatever single cells look like. Then each cell is judged with
    them taken off. A second pattern, crossing the first, is sought in the rest.

    Parameters
    ----------
    tiled, searched : ndarray of float32, shapes (m, n) and (p, q)
        The two marks of one direction of the comparison, means near zero; NaN marks missing points.
    spacing_um, cell_um : float
        Spacing of both, and side of the cells.
    search : CellSearch
        The cells of ``tiled``.
    verdicts : iterable of DirectionVerdict
        Of all rules, in this direction. Each cell is looked at where it correlates best among the places at which some
        rule calls it congruent.
    parameters : SubclassParameters, optional

    Returns
    -------
    RegularMarks
        Without patterns, and with no cell explained, where there are no regular marks.

    References
    ----------
    No published method flags such cells; that they are needed: Chen 2018, doi:10.6028/jres.123.015, and Riva 2016 (a
    likelihood ratio is affected once two fifths of the relevant firearms share their subclass marks).
    """
    p = parameters or SubclassParameters()
    n = search.n_cells
    shares, remaining = np.full(n, np.nan), np.full(n, np.nan)
    explained = np.zeros(n, bool)
    judged = tuple(verdicts)
    if max((verdict.count for verdict in judged), default=0) < p.fewest_cells:
        return RegularMarks((), shares, remaining, explained)
    factor = max(1, round(cell_um / spacing_um / p.points_per_cell))
    places = _places(search, judged)
    cells = _sampled(tiled, searched, spacing_um, cell_um, factor, search, places)
    work = np.empty((3, 2 * math.ceil(p.lines_per_point * 0.75 * cell_um / (factor * spacing_um)) + 5))
    whole = np.array([products(*cell) for cell in cells])
    used = whole[:, 2] > 0.0
    x, y = search.centres_x_um[places.cells], search.centres_y_um[places.cells]
    middle = float(search.centres_x_um.mean()), float(search.centres_y_um.mean())
    patterns: list[LinePattern] = []
    along = np.zeros(len(cells))
    while len(patterns) < p.most_patterns:
        pattern = _pattern(cells, used, x, y, middle, work, p)
        if pattern is None or pattern.odds < p.least_odds:
            break
        patterns.append(pattern)
        for k, cell in enumerate(cells):
            along[k] += _take_off(cell, pattern, float(x[k]), float(y[k]), factor * spacing_um, work, p)
    if patterns:
        rest = np.array([products(*cell) for cell in cells])
        norms = np.sqrt(rest[:, 0] * rest[:, 1])
        shares[places.cells[used]] = along[used] / whole[used, 2]
        remaining[places.cells] = np.divide(rest[:, 2], norms, out=np.zeros(len(cells)), where=norms > 0.0)
        explained = (np.nan_to_num(shares) >= p.least_share) & (remaining < p.least_remaining)
    return RegularMarks(tuple(patterns), shares, remaining, explained)


def subclass_findings(
    rules: Mapping[str, RuleResult],
    a_in_b: CellSearch,
    b_in_a: CellSearch,
    parameters: SubclassParameters | None = None,
) -> tuple[Finding, ...]:
    """Return the finding that congruent cells are explained by regular marks; none when no cell is.

    It is serious when, under some rule that has found as many congruent cells as its criterion asks, more than
    half of them are explained; otherwise a note. Of the rules whose score is a count of cells it names the one that
    is hit worst, in the direction that counts fewer cells, as the score does.

    Parameters
    ----------
    rules : mapping of str to RuleResult
        What each rule counts in both directions.
    a_in_b, b_in_a : CellSearch
        The cells of A on B and those of B on A, with their regular marks; without these no cell is explained.
    parameters : SubclassParameters, optional
        Of them only the fewest cells that a criterion asks.

    Returns
    -------
    tuple of Finding
        None or a single ``regular-manufacturing-marks``.
    """
    p = parameters or SubclassParameters()
    worst: tuple[bool, int, float] = (False, 0, 0.0)
    text = ""
    for name, rule in rules.items():
        counted = [
            (verdict.count, search.explained_count(verdict))
            for search, verdict in ((a_in_b, rule.a_in_b), (b_in_a, rule.b_in_a))
        ]
        count, explained = min(counted, key=lambda pair: (pair[0], -pair[1]))
        if rule.score != count:
            continue
        dominates = count >= p.fewest_cells and 2 * explained > count
        if explained and (rank := (dominates, explained, explained / count)) > worst:
            worst = rank
            text = (
                f"under the {name} rule {explained} of {count} congruent cells agree only by regular manufacturing "
                f"marks ({_forms(a_in_b, b_in_a)}); {count - explained} agree also without them. Firearms whose parts "
                "were cut by one tool can share such marks"
            )
    if not text:
        return ()
    return (
        Finding(
            "regular-manufacturing-marks",
            "serious" if worst[0] else "note",
            text,
            "counted separately; the scores still contain these cells",
        ),
    )


def _forms(*searches: CellSearch) -> str:
    found = [s.regular.patterns for s in searches if s.regular is not None]
    names = sorted({pattern.form for patterns in found for pattern in patterns}, reverse=True)
    return " and ".join(f"{name} lines" for name in names)


@dataclass(frozen=True)
class _Places:
    """Congruent cells, by index, and where on the searched mark each is looked at."""

    cells: NDArray[np.int64]
    x_um: Floats
    y_um: Floats
    theta_deg: Floats


def _places(search: CellSearch, verdicts: Iterable[DirectionVerdict]) -> _Places:
    best = np.full(search.n_cells, -np.inf)
    x, y, theta = np.zeros((3, search.n_cells))
    for verdict in verdicts:
        better = verdict.congruent & (np.nan_to_num(verdict.correlations, nan=-np.inf) > best)
        best[better] = verdict.correlations[better]
        x[better], y[better] = verdict.found_x_um[better], verdict.found_y_um[better]
        theta[better] = verdict.thetas_deg[better]
    cells = np.flatnonzero(np.isfinite(best))
    return _Places(cells, x[cells], y[cells], theta[cells])


_Cell = tuple[NDArray[np.float32], int]


def _sampled(
    tiled: Heights,
    searched: Heights,
    spacing_um: float,
    cell_um: float,
    factor: int,
    search: CellSearch,
    places: _Places,
) -> list[_Cell]:
    """Sample both marks, on a coarser grid, over every cell at its place."""
    map_a, map_b = (padded(decimate(heights, factor) if factor > 1 else heights, 1) for heights in (tiled, searched))
    step = factor * spacing_um
    half = cell_um / step / 2
    side = round(2 * half)

    def point(shape: tuple[int, ...], x_um: float, y_um: float) -> tuple[float, float]:
        """Return row and column on a decimated map of a place from the centre of the full one."""
        y, x = (
            (v / spacing_um + (n - 1) / 2 - (factor - 1) / 2) / factor for v, n in zip((y_um, x_um), shape, strict=True)
        )
        return y, x

    sampled = []
    for k, cell in enumerate(places.cells):
        out = np.empty((4, side * side), np.float32)
        n = cell_points(
            map_a,
            map_b,
            point(tiled.shape, float(search.centres_x_um[cell]), float(search.centres_y_um[cell])),
            point(searched.shape, float(places.x_um[k]), float(places.y_um[k])),
            math.radians(-search.grid_theta_deg),
            math.radians(-float(places.theta_deg[k])),
            side,
            out,
        )
        sampled.append((out, n))
    return sampled


def _pattern(
    cells: list[_Cell],
    used: NDArray[np.bool_],
    x: Floats,
    y: Floats,
    middle: tuple[float, float],
    work: Floats,
    p: SubclassParameters,
) -> LinePattern | None:
    """Return the lines, straight or circular, along which the cells agree most."""
    table = np.empty((len(cells), p.directions))
    total = 0.0
    for row, (points, n), use in zip(table, cells, used, strict=True):
        row[:] = 0.0
        if use:
            thinned = points[:, : n : p.stride]
            products_by_direction(points, n, p.stride, work, row)
            total += float(np.dot(thinned[2].astype(float), thinned[3].astype(float)))
    if total <= 0.0:
        return None
    dx, dy = x - middle[0], y - middle[1]
    reach = float(np.hypot(dx, dy).max())
    centres_x, centres_y, in_the_middle = _candidates(reach, p.directions)
    normals = np.where(
        np.isfinite(centres_x)[:, None],
        np.arctan2(dy[None, :] - centres_y[:, None], dx[None, :] - centres_x[:, None]),
        in_the_middle[:, None],
    )
    place = (normals % math.pi) / math.pi * p.directions
    low = np.floor(place).astype(np.int64)
    part, rows = place - low, np.arange(len(cells))
    near, next_ = table[rows, low % p.directions], table[rows, (low + 1) % p.directions]
    votes = ((1 - part) * near + part * next_).sum(axis=1) / total
    best = int(votes.argmax())
    share, chance = float(votes[best]), float(np.median(table.sum(axis=0))) / total
    return LinePattern(
        "parallel" if math.isnan(centres_x[best]) else "circular",
        # Lines run across their normal; as displayed, angles count the other way.
        (90.0 - math.degrees(in_the_middle[best])) % 180.0,
        float(centres_x[best]) + middle[0],
        float(centres_y[best]) + middle[1],
        share,
        _odds(share) / _odds(chance),
    )


def _odds(share: float) -> float:
    share = min(max(share, 1e-3), 1 - 1e-3)
    return share / (1 - share)


def _candidates(reach: float, directions: int) -> tuple[Floats, Floats, Floats]:
    """Return centres from the middle of the mark, NaN for parallel lines, and the normal of the lines at the middle.

    Parallel lines every 5°; circles about centres on the mark, on a grid of a fifth of its reach, and off it at
    up to ten times its reach, beyond which arcs are as good as straight.
    """
    turns = np.arange(directions) * math.pi / directions
    line = np.arange(-6, 7) * 0.2 * reach
    grid_y, grid_x = (v.ravel() for v in np.meshgrid(line, line, indexing="ij"))
    around = np.concatenate([turns, turns + math.pi])[::2]
    radii = np.repeat(np.array([1.5, 2.0, 3.0, 5.0, 10.0]) * reach, len(around))
    far_x, far_y = radii * np.tile(np.cos(around), 5), radii * np.tile(np.sin(around), 5)
    none = np.full(directions, np.nan)
    x, y = np.concatenate([none, grid_x, far_x]), np.concatenate([none, grid_y, far_y])
    return x, y, np.where(np.isnan(x), np.concatenate([turns, np.zeros(len(x) - directions)]), np.arctan2(y, x))


def _take_off(
    cell: _Cell, pattern: LinePattern, x: float, y: float, step_um: float, work: Floats, p: SubclassParameters
) -> float:
    """Take the lines off a cell in place, turned to fit it best, and return the covariance that they held."""
    points, n = cell
    if pattern.form == "parallel":
        normal, curvature = math.radians(90.0 - pattern.lines_deg), 0.0
    else:
        to_x, to_y = pattern.centre_x_um - x, pattern.centre_y_um - y
        normal = math.atan2(to_y, to_x)
        # A circle within one point of its centre is one point.
        curvature = 1.0 / max(math.hypot(to_x, to_y) / step_um, 1.0)
    turns = [math.radians(d) for d in (*(-t for t in reversed(p.turns_deg)), 0.0, *p.turns_deg)]
    best = max(
        (
            (line_sums(points, n, 1, lines, p.lines_per_point, work)[2], lines)
            for lines in ((math.cos(normal + t), math.sin(normal + t), curvature) for t in turns)
        ),
        key=lambda found: found[0],
    )
    take_lines_off(points, n, best[1], p.lines_per_point, work)
    return float(best[0])
