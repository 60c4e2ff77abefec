"""Our congruence rule: which cells agree, at the pose of the whole marks, beyond what chance would give anywhere.

The published rules ask where each cell agrees best and whether the cells agree about it; evidence at the registered
pose is lost where most cells, or the least dispersed angle, point elsewhere. This rule asks every cell one question at
the pose: is the agreement found there, within a small free place, more than unrelated marks show?

docs/significance-rule.md explains it to its users.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy.ndimage
import scipy.special
from numpy.typing import NDArray

from ballistics.impressions.comparison import DirectionVerdict
from ballistics.impressions.direction import Direction
from ballistics.impressions.octaves import Octaves
from ballistics.impressions.similarity import points_per_step, shift_on_grid
from ballistics.surfaces import Pose
from ballistics_kernels.impressions import Shifts, Squares, agreement_at_shifts, turn_onto

Floats = NDArray[np.float64]
Heights = NDArray[np.float32]


@dataclass(frozen=True)
class SignificanceThresholds:
    """The numbers of the rule, in µm.

    Free place: two points of the grid, chosen on 18 simulated heads (more places cost more by chance than they find).
    Trim: one point of the grid along the edge of the region, where filters and means stand on one side only; the
    roll-off of an edge is shared by cartridge cases of one model of firearm. Heights are clipped, waves
    sampled and correlations limited as in `similarity`. Chance: the share of unrelated pairs in which any cell may be
    counted.
    """

    displacement_um: float = 25.0
    trim_um: float = 12.5
    clip_sigmas: float = 3.0
    points_per_wave: float = 2.5
    highest_correlation: float = 0.999
    chance_pairs: float = 0.01


def significant(a: Direction, b: Direction, t: SignificanceThresholds) -> tuple[DirectionVerdict, DirectionVerdict]:
    """Call the cells congruent that agree at the registered pose beyond chance.

    Every cell is looked at in each octave of `similarity`, at the shifts within ``t.displacement_um`` of the pose. A
    correlation r over n independent areas has by chance the distribution of Student's t with n − 1 degrees of freedom:
    t = r √((n − 1) / (1 − r²)). The areas are as many as the cell's common points hold at the density of the whole
    marks, fewer where both marks are strong at the same few places of the cell (an edge, a deep flaw), which alone then
    decide r. The least of the p-values, times the number of octaves and shifts (Bonferroni), bounds the probability p
    that an unrelated cell agrees so well.

    The count is the greatest k for which k of the N cells have p ≤ α(k), where

    .. math:: M \\binom{N}{k} α(k)^k = q / N.

    The left side bounds the probability that k cells of unrelated marks do so at the best of the M independent poses
    from which registration chose (`similarity`, search cost). Over all k together, a cell is thus counted in at most a
    share q of unrelated pairs. One cell alone must be very unlikely (α(1) = 2·10⁻¹¹ for N = 32, M = 4·10⁵, q = 0.01);
    of four, each need reach 4·10⁻⁴ only, of ten 0.02, of twenty 0.13: cells that agree at one pose support each other.

    Parameters
    ----------
    a, b : Direction
        Their searchers hold the pose, and their similarity is that of the marks at that pose.
    t : SignificanceThresholds

    Returns
    -------
    tuple of DirectionVerdict
        Every cell at its best place near the pose, with the correlation of the whole waves there, and its p.

    References
    ----------
    Bartlett 1946, doi:10.2307/2983611; Clifford, Richardson & Hémon 1989, doi:10.2307/2532039; numbers of p-values
    against levels that grow with the number: Simes 1986, doi:10.1093/biomet/73.3.751.
    """
    maps = [_without_edges(d, t) for d in (a, b)]
    return _verdict(a, maps[0], maps[1], t), _verdict(b, maps[1], maps[0], t)


@dataclass(frozen=True)
class _Maps:
    """The octaves of one mark on one grid, shape (octaves, rows, columns), and points of the mark in one of it."""

    octaves: Heights
    factor: int
    step_um: float


def _without_edges(direction: Direction, t: SignificanceThresholds) -> _Maps:
    """Return the octaves of the tiled mark without what lies within the trim of the edge of the region.

    Single dropouts are no edge. In a square window around a point at a distance of half its reach from a straight edge,
    a quarter is missing.
    """
    bands, spacing_um = direction.alike.octaves, direction.searcher.spacing_um
    factor = points_per_step(bands[0].shortest_um, t.points_per_wave, spacing_um)
    step_um = factor * spacing_um
    cutoffs_um = [bands[0].shortest_um, *(band.longest_um for band in bands)]
    of_mark = direction.octaves or Octaves(direction.tiled, spacing_um)
    octaves = of_mark.stacked(factor, t.clip_sigmas, cutoffs_um)
    valid = np.isfinite(octaves[0])
    window = 2 * max(1, round(2.0 * t.trim_um / step_um)) + 1
    share = scipy.ndimage.uniform_filter(valid.astype(np.float32), window, mode="constant")
    octaves[:, ~(valid & (share >= 0.75))] = np.nan
    return _Maps(octaves, factor, step_um)


def _verdict(direction: Direction, tiled: _Maps, searched: _Maps, t: SignificanceThresholds) -> DirectionVerdict:
    searcher, alike, step_um, factor = direction.searcher, direction.alike, tiled.step_um, tiled.factor
    pose, grid, spacing_um = searcher.pose, searcher.grid, searcher.spacing_um
    turned = np.empty_like(tiled.octaves)
    shift = shift_on_grid(direction.tiled.shape, direction.searched.shape, factor, spacing_um, pose)
    for octave, out in zip(searched.octaves, turned, strict=True):
        turn_onto(octave, -math.radians(pose.theta_deg), *shift, out)
    shifts = _disc(t.displacement_um / step_um)
    n = len(grid.rows)
    shape = (n, len(shifts), len(alike.octaves))
    counts, r, evenness = np.zeros((n, len(shifts) + 1), np.int64), np.zeros(shape), np.zeros(shape)
    theta = math.radians(-grid.theta_deg)
    agreement_at_shifts(
        tiled.octaves, turned,
        Squares(
            (grid.centres_y - (factor - 1) / 2) / factor, (grid.centres_x - (factor - 1) / 2) / factor,
            searcher.parameters.cell_um / step_um / 2, math.cos(theta), math.sin(theta),
        ),
        Shifts(shifts[:, 0].copy(), shifts[:, 1].copy()), counts, r, evenness,
    )  # fmt: skip
    density = np.array([octave.independent_areas for octave in alike.octaves]) / alike.overlap_um2
    areas = counts[:, :-1, None] * step_um**2 * density * np.minimum(evenness, 1.0)
    own = counts[:, -1:]
    admissible = (counts[:, :-1] >= searcher.parameters.minimum_overlap * own) & (own > 0)
    p = np.where(admissible, chance_of_correlation(r, areas, t.highest_correlation).min(axis=2), 2.0)
    best = p.argmin(axis=1)
    there = admissible[np.arange(n), best]
    chances = np.where(there, np.minimum(p[np.arange(n), best] * (len(shifts) * len(alike.octaves)), 1.0), np.nan)
    levels = levels_of(n, alike.search_cost, t)
    # NaN, for cells without a place, is sorted last and below nothing.
    count = int(np.flatnonzero(np.sort(chances) <= levels).max(initial=-1)) + 1
    level = float(levels[max(count, 1) - 1]) if n else 0.0
    with np.errstate(invalid="ignore"):
        congruent = (chances <= level) & (count > 0)
    # From points of the grid to displacements along the sides of the cells.
    down, across = (np.where(there, shifts[best, k] * step_um, np.nan) for k in (0, 1))
    cos, sin = math.cos(theta), math.sin(theta)
    x, y = cos * across + sin * down, cos * down - sin * across
    thetas = np.full(n, pose.theta_deg)
    return DirectionVerdict(
        congruent,
        Pose(pose.theta_deg, 0.0, 0.0),
        thetas,
        x,
        y,
        *searcher.places_um(thetas, x, y),
        searcher.correlations_at(pose.theta_deg, x, y),
        chances,
        level,
    )


def levels_of(cells: int, search_cost: float, t: SignificanceThresholds) -> Floats:
    """Return α(k) for k = 1 to the number of cells.

    Parameters
    ----------
    cells : int
        Number of cells N; 0 gives no level.
    search_cost : float
        ln M of the poses from which registration chose (`Similarity.search_cost`).
    t : SignificanceThresholds
        Of them only q, the share of unrelated pairs in which any cell may be counted.

    Returns
    -------
    ndarray of float64, shape (cells,)
        Greatest p at which a cell counts among k cells; at most 1.

    Examples
    --------
    >>> levels_of(32, math.log(4e5), SignificanceThresholds())[[0, 3, 9, 19]].round(5)
    array([0.     , 0.00038, 0.02034, 0.13395])
    """
    k = np.arange(1, cells + 1)
    log_gamma = scipy.special.gammaln
    ways = log_gamma(cells + 1) - log_gamma(k + 1) - log_gamma(cells - k + 1)
    levels: Floats = np.minimum(1.0, np.exp((math.log(t.chance_pairs / max(cells, 1)) - search_cost - ways) / k))
    return levels


def chance_of_correlation(r: Floats, areas: Floats, highest: float) -> Floats:
    """Return the probability that unrelated maps correlate by r or more over a number of independent areas.

    1 for r ≤ 0 or fewer than two areas: nothing is learned from them. A correlation above the highest counts as that.

    Parameters
    ----------
    r : ndarray of float64
        Pearson's correlations, −1 to 1.
    areas : ndarray of float64
        Independent areas, of a shape that broadcasts with ``r``; not whole numbers.
    highest : float
        Below 1, so that identical maps have a finite t (`SignificanceThresholds.highest_correlation`).

    Returns
    -------
    ndarray of float64
        0 to 1.

    Examples
    --------
    >>> chance_of_correlation(np.array([0.5, -0.5]), np.array([30.0, 30.0]), 0.999).round(5)
    array([0.00209, 1.     ])
    """
    freedom = np.maximum(areas - 1.0, 1.0)
    positive = np.clip(r, 0.0, highest)
    chance: Floats = scipy.special.stdtr(freedom, -positive * np.sqrt(freedom / (1.0 - positive**2)))
    return np.where((r > 0.0) & (areas >= 2.0), chance, 1.0)


def _disc(radius: float) -> NDArray[np.int64]:
    """Return the whole shifts (down, right) of at most a length, the smallest first."""
    reach = math.floor(radius + 1e-9)
    shifts = np.array([(y, x) for y in range(-reach, reach + 1) for x in range(-reach, reach + 1)], np.int64)
    length = (shifts**2).sum(axis=1)
    order: NDArray[np.int64] = np.argsort(length, kind="stable")
    near: NDArray[np.int64] = shifts[order][length[order] <= radius**2 + 1e-9]
    return near
