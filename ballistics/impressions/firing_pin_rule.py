"""The congruence rule of firing-pin impressions: cells refined by least squares, clustered by their registration."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.impressions.comparison import DirectionVerdict
from ballistics.impressions.congruence import Thresholds
from ballistics.impressions.direction import Direction, best_angles
from ballistics.surfaces import Pose
from ballistics_kernels.impressions import Cells, FoundCells, match_cells

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class ClusterThresholds(Thresholds):
    """The numbers of the rule; displacement is the cluster's neighbourhood (Eps), angle the turn from its median turn.

    Points: MinPts of Zhang 2021. Strain: a cell is one cell still when it was neither stretched nor squeezed by more;
    no primer is, over 78 µm. Move: how far a cell may settle from where it was found, in sides of a cell.
    """

    minimum_points: int = 6
    largest_strain: float = 0.1
    largest_move: float = 0.25
    iterations: int = 20


def clusters(direction: Direction, t: ClusterThresholds) -> DirectionVerdict:
    """Count the largest cluster of cells whose refined registrations agree (Zhang et al. 2021).

    Every cell is refined from its best place by least-squares matching (place, turn, stretch, and height), which makes
    its turn and place exact to a fraction of a degree and of a point. Cells that do not settle near their start, are
    stretched or correlate too little are dropped. The rest are clustered by density on their displacements, each
    counted with the cell's own turn about the centre of the searched mark, so that cells that turn differently lie
    apart; the largest cluster is congruent.
    """
    sweep, searcher = direction.sweep, direction.searcher
    angles = best_angles(sweep)
    n = np.arange(len(angles))
    start = sweep.thetas_deg[angles], sweep.xs_um[n, angles], sweep.ys_um[n, angles]
    thetas, xs, ys, r = _refined(direction, *start, t)
    usable = np.flatnonzero(np.nan_to_num(r, nan=-1.0) >= t.correlation)
    congruent = np.zeros(len(r), bool)
    members = _largest_cluster(np.stack([xs[usable], ys[usable]], axis=1), t)
    turns = thetas[usable]
    if members.any():
        members &= np.abs(turns - np.median(turns[members])) <= t.angle_deg
        congruent[usable[members]] = members.sum() >= t.minimum_points
    # Cells that were lost are shown where they were found.
    judged = [np.where(np.isfinite(r), refined, found) for refined, found in zip((thetas, xs, ys), start, strict=True)]
    reference = (
        Pose(*(float(np.median(values[congruent])) for values in judged)) if congruent.any() else Pose(*[math.nan] * 3)
    )
    return DirectionVerdict(
        congruent, reference, judged[0], judged[1], judged[2], *searcher.places_um(*judged), r
    )  # fmt: skip


def _refined(
    direction: Direction, thetas_deg: Floats, xs_um: Floats, ys_um: Floats, t: ClusterThresholds
) -> tuple[Floats, ...]:
    """Return turn, displacement (across, down) and correlation of every cell after least-squares matching."""
    searcher, grid = direction.searcher, direction.sweep.grid
    spacing = searcher.spacing_um
    places_y, places_x = searcher.places(thetas_deg, xs_um, ys_um)
    maps, r = np.empty((len(xs_um), 6)), np.empty(len(xs_um))
    match_cells(
        Cells(
            direction.tiled, grid.centres_y, grid.centres_x,
            searcher.parameters.cell_um / spacing / 2, math.radians(-grid.theta_deg),
        ),
        direction.searched, FoundCells(places_y, places_x, np.radians(-thetas_deg)),
        searcher.parameters.minimum_overlap,
        t.largest_move * searcher.parameters.cell_um / spacing, t.iterations, maps, r,
    )  # fmt: skip
    x, y, xx, xy, yx, yy = maps.T
    turned = -np.degrees(np.arctan2(xy - yx, xx + yy))
    thetas = thetas_deg + (turned - thetas_deg + 180.0) % 360.0 - 180.0
    # Singular values of the map, of a rotation both 1.
    half_sum, half_difference = np.hypot(xx + yy, xy - yx) / 2, np.hypot(xx - yy, xy + yx) / 2
    strained = (half_sum + half_difference > 1 + t.largest_strain) | (half_sum - half_difference < 1 - t.largest_strain)
    r = np.where(strained, np.nan, r)
    return thetas, *_displacements(direction, thetas, y, x), r


def _displacements(direction: Direction, thetas_deg: Floats, places_y: Floats, places_x: Floats) -> tuple[Floats, ...]:
    """Return (across, down) in µm of cells found at places of the searched mark, each with its own turn."""
    searcher = direction.searcher
    cell_x, cell_y = searcher.cell_centres_um()
    y, x = (
        (place - (size - 1) / 2) * searcher.spacing_um
        for place, size in zip((places_y, places_x), direction.searched.shape, strict=True)
    )
    t, g = np.radians(thetas_deg), math.radians(direction.sweep.grid.theta_deg)
    off_x = np.cos(t) * x + np.sin(t) * y + searcher.pose.dx_um - cell_x
    off_y = np.cos(t) * y - np.sin(t) * x + searcher.pose.dy_um - cell_y
    return math.cos(g) * off_x - math.sin(g) * off_y, math.cos(g) * off_y + math.sin(g) * off_x


def _largest_cluster(points: Floats, t: ClusterThresholds) -> Bools:
    """Return which points belong to the largest density cluster; of equal ones the first."""
    from sklearn.cluster import DBSCAN

    if len(points) < t.minimum_points:
        return np.zeros(len(points), bool)
    labels = DBSCAN(eps=t.displacement_um, min_samples=t.minimum_points).fit(points).labels_
    if labels.max() < 0:
        return np.zeros(len(points), bool)
    return np.asarray(labels == np.argmax(np.bincount(labels[labels >= 0])))
