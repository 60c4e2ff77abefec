"""Pieces of track from a print job: which layer, how wide, wall or infill, and which lie beside the part."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.jobs.layer_solid import Tracks
from ballistics_kernels.meshes import fill_layers

# Loops end this share of the track's width before their start: slicers leave a gap at the seam.
_SEAM_SHARE = 0.8
_NARROWEST_MM, _WIDEST_MM = 0.08, 3.0
# Skirts and first lines are printed on the lowest layers only, one or a few tracks wide.
_SKIRT_LAYERS, _SKIRT_TRACKS = 4, 4.5
# Heights nearer than this are one layer: slicers print three decimals.
_SAME_HEIGHT_MM = 0.004
# Runs that climb this number of times are spirals; others stay on their layer.
_LEAST_CLIMBS, _TURNS_BACK_RAD = 20, 2.8
# First layers are thicker than the others to stick, but no nozzle prints one of this thickness.
_THICKEST_FIRST_MM = 0.7


def layers_of(heights: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the heights of the layers, rising, and the layer of each piece; heights 4 µm apart are one layer."""
    distinct = np.unique(heights)
    first = np.concatenate([[True], np.diff(distinct) > _SAME_HEIGHT_MM])
    group = np.cumsum(first) - 1
    return distinct[first], group[np.searchsorted(distinct, heights)]


def level_heights(pieces: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the height of each piece, those of spirals ("vase mode") by whole turns, and which are spirals.

    Parameters
    ----------
    pieces : ndarray of float64, shape (n, 9)
        As for `tracks_of_pieces`.

    Returns
    -------
    heights : ndarray of float64, shape (n,)
        In mm. A spiral climbs by the height of a layer for each turn of its heading by 360°.
    spirals : ndarray of bool, shape (n,)
    """
    nothing = np.zeros(len(pieces), bool)
    heights, run = pieces[:, 4], pieces[:, 8]
    rise = np.diff(heights)
    climbs = (np.diff(run) == 0) & (rise > 0.0)
    names, row = np.unique(run, return_inverse=True)
    often = np.bincount(row[1:], climbs, len(names)) >= _LEAST_CLIMBS
    spiral = often[row]
    if spiral.sum() < 0.1 * len(pieces):
        return heights, nothing
    heading = np.arctan2(pieces[:, 3] - pieces[:, 1], pieces[:, 2] - pieces[:, 0])
    turn = (np.diff(heading) + math.pi) % math.tau - math.pi
    # A wall does not turn back on itself, but the way to its beginning may.
    together = climbs & spiral[1:] & (np.abs(turn) < _TURNS_BACK_RAD)
    turns = abs(float(turn[together].sum())) / math.tau
    height = float(rise[together].sum()) / max(turns, 1.0)
    if not _SAME_HEIGHT_MM < height < _WIDEST_MM:
        return heights, nothing
    first = float(heights[spiral].min())
    return np.where(spiral, first + np.rint((heights - first) / height) * height, heights), spiral


def runs_of(pieces: NDArray[np.float64], layer: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number, from 0 and rising, of the run without a break on one layer that each piece belongs to."""
    breaks = (np.diff(pieces[:, 8]) != 0) | (np.diff(layer) != 0)
    return np.asarray(np.cumsum(np.concatenate([[True], breaks])) - 1)


def tracks_of_pieces(
    pieces: NDArray[np.float64],
    tops: NDArray[np.float64],
    layer: NDArray[np.int64],
    filament_mm2: NDArray[np.float64],
    wall_kinds: NDArray[np.bool_] | None,
    walls: NDArray[np.bool_] | None = None,
    spirals: NDArray[np.bool_] | None = None,
) -> Tracks:
    """Return tracks with widths from the filament pushed where the slicer states none, walls told, loops closed.

    Parameters
    ----------
    pieces : ndarray of float64, shape (n, 9)
        x, y of the start, x, y of the end, z, filament pushed (all in mm), width by the slicer (0: not stated), number
        of the kind, number of the run of pieces without a break.
    tops : ndarray of float64, shape (layers,)
    layer : ndarray of int64, shape (n,)
    filament_mm2 : ndarray of float64, shape (n,)
        Cross-section of the filament; 1 where what was pushed is a volume.
    wall_kinds : ndarray of bool, shape (kinds,), or None
        Which kinds are walls; without kinds, walls are the pieces of closed loops.
    walls : ndarray of bool, shape (n,), or None
        Without kinds: what is a wall although it does not close.
    spirals : ndarray of bool, shape (n,), or None
        What climbs, and is the outline of a solid: what it goes round is no hole.

    Returns
    -------
    Tracks
        The pieces in their order, then those that bridge the seams of loops.
    """
    start, end = pieces[:, 0:2], pieces[:, 2:4]
    length = np.hypot(*(end - start).T)
    height = np.diff(tops, prepend=0.0)
    # A first layer far above the bed (a raft was left out) is no thicker than the others.
    usual = float(np.median(height))
    far = height > max(3.0 * usual, _THICKEST_FIRST_MM)
    bottom = float(tops[0]) - usual if far[0] else 0.0
    height = np.where(far, usual, height)[layer]
    # The cross-section is a rectangle with round sides (Slic3r's flow mathematics).
    measured = pieces[:, 5] * filament_mm2 / (length * height) + height * (1.0 - math.pi / 4.0)
    width = np.clip(np.where(pieces[:, 6] > 0.0, pieces[:, 6], measured), _NARROWEST_MM, _WIDEST_MM)
    run = runs_of(pieces, layer)
    first = np.flatnonzero(np.concatenate([[True], np.diff(run) > 0]))
    last = np.append(first[1:], len(run)) - 1
    gap = np.hypot(*(end[last] - start[first]).T)
    closed = (gap <= _SEAM_SHARE * width[first]) & (last - first >= 2)
    wall = closed[run] if wall_kinds is None else wall_kinds[pieces[:, 7].astype(np.int64)]
    if walls is not None:
        wall = wall | walls
    if spirals is not None:
        wall = wall & ~spirals
    return _with_seams(Tracks(start, end, width, layer, wall, tops, bottom), first[closed], last[closed])


def _with_seams(tracks: Tracks, first: NDArray[np.int64], last: NDArray[np.int64]) -> Tracks:
    """Return tracks with the small gaps of the loops bridged, so that nothing leaks through."""
    return Tracks(
        np.concatenate([tracks.start_mm, tracks.end_mm[last]]),
        np.concatenate([tracks.end_mm, tracks.start_mm[first]]),
        np.concatenate([tracks.width_mm, tracks.width_mm[first]]),
        np.concatenate([tracks.layer, tracks.layer[first]]),
        np.concatenate([tracks.wall, tracks.wall[first]]),
        tracks.top_mm,
        tracks.bottom_mm,
    )


def apart_on_the_bed(tracks: Tracks) -> NDArray[np.bool_]:
    """Return which pieces are a skirt or a first line: narrow islands on the bed that end within a few layers.

    The answer covers the pieces before the bridged seams.
    """
    from scipy.ndimage import binary_dilation, distance_transform_edt, label

    nothing = np.zeros(len(tracks.layer), bool)
    if len(tracks.top_mm) <= _SKIRT_LAYERS:
        return nothing
    cell = 0.3
    low = np.minimum(tracks.start_mm, tracks.end_mm).min(axis=0) - 3.0
    shape = np.ceil((np.maximum(tracks.start_mm, tracks.end_mm).max(axis=0) + 3.0 - low) / cell).astype(int)
    if shape.prod() > 25_000_000:
        return nothing
    bed = _drawn(tracks, tracks.layer == 0, low, cell, shape)
    islands, count = label(bed, structure=np.ones((3, 3)))
    pixels = np.bincount(islands.ravel(), minlength=count + 1)
    # The first layer that does not go on with an island: nothing of a part ends so soon and is so narrow.
    ends = np.full(count + 1, _SKIRT_LAYERS + 1)
    for k in range(_SKIRT_LAYERS, 0, -1):
        above = binary_dilation(_drawn(tracks, tracks.layer == k, low, cell, shape), iterations=2)
        ends[np.bincount(islands[above], minlength=count + 1) < 0.5 * pixels] = k
    half_width = distance_transform_edt(bed) * cell
    width = float(np.median(tracks.width_mm))
    thick = np.zeros(count + 1)
    np.maximum.at(thick, islands.ravel(), half_width.ravel())
    ends[2.0 * thick > _SKIRT_TRACKS * width] = _SKIRT_LAYERS + 1
    ends[0] = _SKIRT_LAYERS + 1  # what is no island
    dropped_below = np.where(ends > _SKIRT_LAYERS, 0, ends)
    middle = ((tracks.start_mm + tracks.end_mm) / 2.0 - low) / cell
    column, row = np.rint(middle).astype(int).T
    return np.asarray(tracks.layer < dropped_below[islands[row, column]])


def _drawn(
    tracks: Tracks, chosen: NDArray[np.bool_], low: NDArray[np.float64], cell: float, shape: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return a picture of some tracks, without what they enclose."""
    # Wide enough that every track covers the pixel of its middle, and no slanting one breaks.
    reach = np.maximum(tracks.width_mm / 2.0 / cell, 0.8)[:, None]
    pieces = np.concatenate([(tracks.start_mm - low) / cell, (tracks.end_mm - low) / cell, reach], axis=1)[chosen]
    bounds = np.array([0, len(pieces)])
    # Everything a wall, nothing narrow: all that is enclosed stays empty.
    drawn = fill_layers(pieces, np.ones(len(pieces), bool), bounds, int(shape[1]), int(shape[0]), 1, 0.0, 0.0)
    return np.asarray(drawn[0] > 0)
