"""What each track is, told by geometry alone: rafts, supports, brims and thin walls of jobs without comments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.jobs.layer_solid import Tracks
from ballistics.printed.jobs.tracks import apart_on_the_bed
from ballistics_kernels.meshes import fill_layers

# Side of the pixels that tracks are drawn on, in their widths, and the most of them; a job that needs more is drawn
# coarser, until neighbouring tracks cannot be told apart any longer.
_PIXEL_WIDTHS, _COARSEST_WIDTHS = 0.33, 0.6
_MOST_PIXELS = 80_000_000
# Tracks are drawn this share of their width: with the side of a pixel, those touch whose middles are 1.2 widths apart.
# Walls lie 0.9 widths from each other and from the infill, a support at least 1.5 widths from the part.
_DRAWN_SHARE = 0.84
# Islands whose pixels lie on each other by less than this share of the smaller are not printed on each other.
_LYING_SHARE = 0.05
# Layers farther apart than this times the usual height are not printed on each other: slicers leave a gap of a tenth of
# a millimetre or more between a support and what it carries.
_ON_EACH_OTHER = 1.35
_WIDEST_GAP_MM = 0.8
_FEWEST_LAYERS, _MOST_SUPPORT = 3, 0.9
# The first layer is understood by this number of layers above it: a support may have a layer of its own between.
_FIRST_SEEN_BY = 3
# A body of the part has a second wall inside its first, or walls at all; a support has one, or none.
_WALLED_SHARE = 0.25
_CLOSED_SHARE = 0.1
# Share of the ends of a body, at its top or bottom, that look at another body across a gap.
_FACING_SHARE = 0.3
# More of them, and the body is small beside the largest: a support whatever its walls.
_CARRYING_SHARE, _SMALL_SHARE = 0.4, 0.2
# A skin of this many single lines is not called a support: ribs and letters of one line are parts.
_LEAST_LINES = 3.0
# A brim reaches out this number of widths at once, and twice as far as the layer above does over its own.
_BRIM_WIDTHS, _BRIM_FACTOR = 2.0, 2.0
# Or, whatever the part does above: it reaches out farther than walls do, and nothing but loops lies there; a foot that
# ends with the first layer has infill within its walls.
_LOOPS_WIDTHS, _LOOPS_SHARE = 4.0, 0.95
# The first loop of a brim lies 0.6 widths outside what is drawn of the wall above.
_OUTSIDE_WIDTHS = 0.4


@dataclass(frozen=True)
class Beside:
    """What the pieces of a job are.

    Parameters
    ----------
    support : ndarray of bool, shape (n,)
        Rafts and supports.
    skirt : ndarray of bool, shape (n,)
        See `ballistics.printed.jobs.tracks.apart_on_the_bed`.
    brim : ndarray of bool, shape (n,)
        Loops of the first layer around the part.
    thin_wall : ndarray of bool, shape (n,)
        Walls of a single line that does not close.
    """

    support: NDArray[np.bool_]
    skirt: NDArray[np.bool_]
    brim: NDArray[np.bool_]
    thin_wall: NDArray[np.bool_]


def beside_the_part(tracks: Tracks, run: NDArray[np.int64], count: int) -> Beside:
    """Tell rafts, supports and brims from the part by how their tracks run and lie on each other.

    Slicers border every layer of a part with closed walls, and print on it layer by layer without a gap. A raft and
    most supports have no walls; the others have one, and end a gap below what they carry. A brim is an outline of the
    first layer that no layer above goes on with.

    Parameters
    ----------
    tracks : Tracks
        Of a job. `Tracks.wall` says which pieces belong to closed loops. Widths are not used one by one: where supports
        have layers of their own, thicknesses are not known yet.
    run : ndarray of int64, shape (count,)
        Number of the run without a break that each piece belongs to, rising.
    count : int
        The first pieces of the tracks, before the bridged seams.

    Returns
    -------
    Beside
        Nothing but skirts is told in jobs of more than 80 million pixels, and no supports where that would leave less
        than a tenth.
    """
    nothing = np.zeros(count, bool)
    volume = _Volume.of(tracks, count) if len(tracks.top_mm) >= _FEWEST_LAYERS else None
    if volume is None:
        return Beside(nothing, apart_on_the_bed(tracks)[:count], nothing, nothing)
    loops = _Loops.of(tracks, run, count)
    support = _supports(volume, tracks, run, loops)
    if support.sum() > _MOST_SUPPORT * count:
        support = nothing
    skirt = nothing.copy()
    left = np.flatnonzero(~support)
    skirt[left] = apart_on_the_bed(_chosen(tracks, left))
    brim = _brim(volume, tracks, support | skirt)
    return Beside(support, skirt, brim, _thin_walls(volume, tracks, run))


def _chosen(tracks: Tracks, rows: NDArray[np.int64]) -> Tracks:
    """Return some of the tracks."""
    ends = tracks.start_mm[rows], tracks.end_mm[rows], tracks.width_mm[rows]
    return Tracks(*ends, tracks.layer[rows], tracks.wall[rows], tracks.top_mm, tracks.bottom_mm)


def usual_height(tops: NDArray[np.float64]) -> float:
    """Return the height of the layers of the part, in mm, also where a support has layers in between.

    Examples
    --------
    >>> round(usual_height(np.array([0.3, 0.5, 0.57, 0.7, 0.83, 0.9, 1.1, 1.3])), 3)
    0.2
    """
    lags = [tops[lag:] - tops[:-lag] for lag in (1, 2, 3) if len(tops) > lag]
    if not lags:
        return float(tops[0])
    steps = np.rint(np.concatenate(lags) * 1000.0).astype(np.int64)
    values, times = np.unique(steps, return_counts=True)
    # Twice a height is nearly as frequent as the height.
    often = values[times >= 0.8 * times.max()]
    return float(often.min()) / 1000.0


@dataclass(frozen=True)
class _Volume:
    """The tracks drawn layer by layer, and in which pixel the middle of each piece lies."""

    drawn: NDArray[np.uint8]  # layers, rows, columns
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    pixel: float

    @classmethod
    def of(cls, tracks: Tracks, count: int) -> _Volume | None:
        width = float(np.median(tracks.width_mm))
        low = np.minimum(tracks.start_mm, tracks.end_mm).min(axis=0) - 2.0
        extent = np.maximum(tracks.start_mm, tracks.end_mm).max(axis=0) + 2.0 - low
        pixel = max(_PIXEL_WIDTHS * width, float(np.sqrt(len(tracks.top_mm) * extent.prod() / _MOST_PIXELS)))
        if pixel > _COARSEST_WIDTHS * width:
            return None
        columns, rows = (int(n) for n in np.ceil(extent / pixel) + 1)
        order = np.argsort(tracks.layer, kind="stable")
        radius = np.full((len(order), 1), max(_DRAWN_SHARE * width / 2.0 / pixel, 0.75))
        pieces = np.concatenate([(tracks.start_mm - low) / pixel, (tracks.end_mm - low) / pixel, radius], axis=1)
        bounds = np.searchsorted(tracks.layer[order], np.arange(len(tracks.top_mm) + 1))
        # Everything a wall, nothing narrow: all that is enclosed stays empty.
        drawn = fill_layers(pieces[order], np.ones(len(order), bool), bounds, rows, columns, 1, 0.0, 0.0)
        middle = ((tracks.start_mm + tracks.end_mm)[:count] / 2.0 - low) / pixel
        column, row = np.rint(middle).astype(np.int64).T
        return cls(drawn, row, column, pixel)


@dataclass(frozen=True)
class _Loops:
    """Which runs are closed, and which of these lie one track within another."""

    closed: NDArray[np.bool_]  # pieces
    nested: NDArray[np.bool_]  # pieces

    @classmethod
    def of(cls, tracks: Tracks, run: NDArray[np.int64], count: int) -> _Loops:
        from scipy.spatial import cKDTree

        width = float(np.median(tracks.width_mm))
        first = np.flatnonzero(np.concatenate([[True], np.diff(run) > 0]))
        low = np.minimum(tracks.start_mm, tracks.end_mm)[:count]
        high = np.maximum(tracks.start_mm, tracks.end_mm)[:count]
        box = np.concatenate([np.minimum.reduceat(low, first), -np.maximum.reduceat(high, first)], axis=1)
        number = run - run[0]
        closed = tracks.wall[:count]
        loops = closed[first]
        nested = np.zeros(len(first), bool)
        if loops.sum() > 1:
            # Layers are a dimension in which nothing is near.
            places = np.concatenate([box[loops], 1e3 * tracks.layer[first][loops, None]], axis=1)
            step = np.array([width] * 4 + [0.0])
            tree = cKDTree(places)
            inside = tree.query(places + step, p=np.inf, distance_upper_bound=0.6 * width)[0]
            outside = tree.query(places - step, p=np.inf, distance_upper_bound=0.6 * width)[0]
            nested[loops] = np.isfinite(inside) | np.isfinite(outside)
        return cls(closed, nested[number])


def _supports(volume: _Volume, tracks: Tracks, run: NDArray[np.int64], loops: _Loops) -> NDArray[np.bool_]:
    """Return which pieces belong to bodies that are no part."""
    count = len(run)
    names, bodies = _bodies(volume.drawn, tracks.top_mm)
    layer = tracks.layer[:count]
    island = names[layer, volume.row, volume.column]
    body = bodies[island]
    size = int(bodies.max()) + 1
    length = np.hypot(*(tracks.end_mm - tracks.start_mm)[:count].T)

    def share_of(chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
        whole = np.bincount(body, length, size)
        return np.bincount(body, length * chosen, size) / np.maximum(whole, 1e-9)

    closed = share_of(loops.closed)
    # By the islands: the share of a body's tracks that lie in islands with a second wall.
    walled_island = np.zeros(len(bodies), bool)
    walled_island[island[loops.nested]] = True
    walled = share_of(walled_island[island])
    facing = _facing(volume.drawn, names, bodies, tracks.top_mm, size)
    straight = length > 2.0
    lines = np.bincount(body, straight, size) / np.maximum(_layers_of_bodies(names, bodies, size), 1)
    loose = (closed < _CLOSED_SHARE) & ((lines >= _LEAST_LINES) | (facing >= _FACING_SHARE))
    whole = np.bincount(body, length, size)
    sheathed = (walled < _WALLED_SHARE) & (facing >= _FACING_SHARE)
    # Narrow supports have what looks like a second wall.
    carrying = (facing >= _CARRYING_SHARE) & (whole < _SMALL_SHARE * whole.max())
    # A job whose part has single walls ("vase mode") does not tell by them.
    beside = loose | (sheathed | carrying) & (walled[np.argmax(whole)] >= _WALLED_SHARE)
    beside[0] = False
    return np.asarray(beside[body] & (island > 0))


def _bodies(drawn: NDArray[np.uint8], tops: NDArray[np.float64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the islands of every layer, numbered from 1, and the body of each: islands that lie on each other."""
    from scipy.ndimage import label
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    # Sides touch, corners do not.
    flat = np.zeros((3, 3, 3), bool)
    flat[1, 1, :] = flat[1, :, 1] = True
    names = np.empty(drawn.shape, np.int32)
    islands = label(drawn, structure=flat, output=names)
    names[0] = _first_layer(drawn[0] > 0, names[1 : 1 + _FIRST_SEEN_BY])
    pixels = np.bincount(names.ravel(), minlength=islands + 1)
    reach = _ON_EACH_OTHER * usual_height(tops)
    pairs = [np.zeros((0, 2), np.int64)]
    for lower in range(1, len(tops) - 1):
        upper = lower + 1
        while upper < len(tops) and (tops[upper] - tops[lower] <= reach):
            below, above = names[lower], names[upper]
            both = (below > 0) & (above > 0)
            codes = below[both].astype(np.int64) * (islands + 1) + above[both]
            met, times = np.unique(codes, return_counts=True)
            pair = np.stack([met // (islands + 1), met % (islands + 1)], axis=1)
            pairs.append(pair[times >= _LYING_SHARE * pixels[pair].min(axis=1)])
            upper += 1
    links = np.concatenate(pairs)
    graph = coo_matrix((np.ones(len(links), np.int8), (links[:, 0], links[:, 1])), shape=(islands + 1, islands + 1))
    return names, np.asarray(connected_components(graph, directed=False)[1], np.int64)


def _first_layer(drawn: NDArray[np.bool_], above: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return the islands of the first layer, each pixel with what lies next to it on the layers above.

    On the bed everything is printed wider, and touches.
    """
    from scipy.ndimage import distance_transform_edt

    seen = np.zeros_like(above[0])
    for layer in above:
        seen = np.where(seen > 0, seen, layer)
    if not seen.any():
        return np.zeros_like(seen)
    rows, columns = distance_transform_edt(seen == 0, return_distances=False, return_indices=True)
    return np.where(drawn, seen[rows, columns], 0)


def _layers_of_bodies(names: NDArray[np.int32], bodies: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Return on how many layers each body has an island."""
    spans = np.zeros(size, np.int64)
    for layer in names:
        spans[np.unique(bodies[np.unique(layer)])] += 1
    return spans


def _facing(
    drawn: NDArray[np.uint8],
    names: NDArray[np.int32],
    bodies: NDArray[np.int64],
    tops: NDArray[np.float64],
    size: int,
) -> NDArray[np.float64]:
    """Return which share of each body's upper ends has another body above it, a gap away."""
    reach = _ON_EACH_OTHER * usual_height(tops)
    ends = np.zeros(size)
    faced = np.zeros(size)
    for layer in range(len(tops)):
        here = bodies[names[layer]]
        open_above = drawn[layer] > 0
        other = np.zeros_like(open_above)
        upper = layer + 1
        while upper < len(tops) and tops[upper] - tops[layer] <= reach + _WIDEST_GAP_MM:
            above = bodies[names[upper]]
            there = drawn[upper] > 0
            # What goes on directly is no end; lines of infill and support cross, so ends are counted where nothing of
            # the same body comes within the gap.
            open_above &= ~(there & (above == here))
            other |= there & (above != here)
            upper += 1
        ends += np.bincount(here[open_above], minlength=size)
        faced += np.bincount(here[open_above & other], minlength=size)
    return faced / np.maximum(ends, 1.0)


def _thin_walls(volume: _Volume, tracks: Tracks, run: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return the open runs that border the outside for most of their length: infill has walls around it."""
    from scipy.ndimage import label

    count = len(run)
    flat = np.zeros((3, 3, 3), bool)
    flat[1, 1, :] = flat[1, :, 1] = True
    empty, _ = label(volume.drawn == 0, structure=flat)
    # A corner of each layer is empty.
    outside = empty[:, 0, 0]
    along = (tracks.end_mm - tracks.start_mm)[:count]
    length = np.hypot(*along.T)
    layer = tracks.layer[:count]
    reach = 0.5 * float(np.median(tracks.width_mm)) / volume.pixel + 1.5
    across = np.stack([-along[:, 1], along[:, 0]], axis=1) * (reach / np.maximum(length, 1e-9))[:, None]
    bare = np.zeros(count, bool)
    for side in (1.0, -1.0):
        column = np.clip(np.rint(volume.column + side * across[:, 0]).astype(np.int64), 0, empty.shape[2] - 1)
        row = np.clip(np.rint(volume.row + side * across[:, 1]).astype(np.int64), 0, empty.shape[1] - 1)
        bare |= empty[layer, row, column] == outside[layer]
    share = np.bincount(run, length * bare) / np.maximum(np.bincount(run, length), 1e-9)
    return np.asarray((share > 0.5)[run] & ~tracks.wall[:count])


def _brim(volume: _Volume, tracks: Tracks, support: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which pieces of the first layer lie farther out than the part goes on."""
    from scipy.ndimage import binary_fill_holes, distance_transform_edt

    count = len(support)
    layer = tracks.layer[:count]
    kept = [k for k in range(min(len(tracks.top_mm), 40)) if (~support & (layer == k)).any()][:3]
    nothing = np.zeros(count, bool)
    if len(kept) < 3:
        return nothing
    width = float(np.median(tracks.width_mm))

    def apart(of: int, over: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the pieces of a layer and how far each lies from what is drawn on another, in mm."""
        on = np.zeros(volume.drawn.shape[1:], bool)
        chosen = np.flatnonzero(~support & (layer == over))
        on[volume.row[chosen], volume.column[chosen]] = True
        on |= (volume.drawn[over] > 0) & ~_of_support(volume, support, layer, over)
        # The floor of a cup lies inside what goes on.
        on = binary_fill_holes(on)
        own = np.flatnonzero(~support & (layer == of))
        return own, (distance_transform_edt(~on) * volume.pixel)[volume.row[own], volume.column[own]]

    own, out = apart(kept[0], kept[1])
    usual = apart(kept[1], kept[2])[1].max(initial=0.0)
    farthest = out.max(initial=0.0)
    outside = own[out > _OUTSIDE_WIDTHS * width]
    far = outside[tracks.wall[outside]]
    length = np.hypot(*(tracks.end_mm - tracks.start_mm)[:count].T)
    only_loops = length[far].sum() > _LOOPS_SHARE * length[outside].sum()
    reaches_out = farthest >= max(_BRIM_WIDTHS * width, _BRIM_FACTOR * usual)
    if reaches_out or (only_loops and farthest >= _LOOPS_WIDTHS * width):
        nothing[far] = True
    return nothing


def _of_support(volume: _Volume, support: NDArray[np.bool_], layer: NDArray[np.int64], of: int) -> NDArray[np.bool_]:
    """Return the islands of a layer that are supports."""
    from scipy.ndimage import label

    islands, count = label(volume.drawn[of], structure=np.ones((3, 3)))
    chosen = np.flatnonzero(support & (layer == of))
    is_support = np.zeros(count + 1, bool)
    is_support[islands[volume.row[chosen], volume.column[chosen]]] = True
    is_support[0] = False
    return np.asarray(is_support[islands])
