"""Layers of tracks become a solid, and the solid a surface: how a print job looks when it is printed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import HostileFileError, ParameterError
from ballistics_kernels.meshes import fill_layers, surface_nets

#: Changes whenever the same job could give another surface.
LAYER_SOLID_VERSION = "4"

# Pixels of 0.1 mm resolve a track of 0.4 mm; three by three of them are one cell, whose share places the surface.
_PIXEL_MM = 0.1
_FACTOR = 3
# Bounds memory whatever the job, about 5 bytes for each cell and 60 for each pixel of one layer, and time: pixels under
# all tracks together. A kilogram of plastic has 4e8 of them.
_MOST_CELLS = 24_000_000
_MOST_LAYER_PIXELS = 20_000_000
_MOST_TRACK_PIXELS = 4e9
_LARGEST_MM = 2_000.0
_MOST_LAYERS = 20_000
# Holes are bordered by walls nearly all round (thin walls are printed like infill), gaps of infill at most about half.
_WALL_SHARE = 0.8
_NARROW_MM = 0.3


@dataclass(frozen=True)
class Tracks:
    """What a printer deposits.

    Parameters
    ----------
    start_mm, end_mm : ndarray of float64, shape (n, 2)
        x and y of both ends of each straight piece.
    width_mm : ndarray of float64, shape (n,)
    layer : ndarray of int64, shape (n,)
        Rows of ``top_mm``.
    wall : ndarray of bool, shape (n,)
        Whether the piece is a wall (perimeter) rather than infill: what only walls enclose is a hole of the part.
    top_mm : ndarray of float64, shape (layers,)
        Height of the upper side of each layer, rising; layers lie on each other.
    bottom_mm : float
        Height of the lower side of the first layer.
    """

    start_mm: NDArray[np.float64]
    end_mm: NDArray[np.float64]
    width_mm: NDArray[np.float64]
    layer: NDArray[np.int64]
    wall: NDArray[np.bool_]
    top_mm: NDArray[np.float64]
    bottom_mm: float = 0.0


def solid_of_tracks(tracks: Tracks, *, is_cut: bool = False) -> tuple[NDArray[np.float64], NDArray[np.int64], float]:
    """Return the surface of what a printer deposits.

    Parameters
    ----------
    tracks : Tracks
        Finite.
    is_cut : bool
        Whether the last layer is there in part: it closes no room.

    Returns
    -------
    vertices_mm : ndarray of float64, shape (n, 3)
    faces : ndarray of int64, shape (m, 3)
        They look outwards.
    cell_mm : float
        Side of the cells: 0.3 mm, more where a job is so large that memory would not do.

    Raises
    ------
    ParameterError
        There are no tracks.
    HostileFileError
        The job is wider than 2 m, or has more than 20 000 layers.

    Examples
    --------
    >>> bar = Tracks(np.zeros((10, 2)), np.tile([[20.0, 0.0]], (10, 1)), np.full(10, 3.0), np.arange(10),
    ...              np.zeros(10, bool), np.arange(1, 11) * 0.2)
    >>> vertices, faces, cell = solid_of_tracks(bar)
    >>> np.ptp(vertices, axis=0).round(1).tolist(), round(cell, 3)
    ([23.0, 3.0, 2.0], 0.3)
    """
    if not len(tracks.start_mm):
        raise ParameterError("there are no tracks; there is no solid")
    reach = tracks.width_mm[:, None] / 2.0
    low = np.minimum(tracks.start_mm - reach, tracks.end_mm - reach).min(axis=0)
    high = np.maximum(tracks.start_mm + reach, tracks.end_mm + reach).max(axis=0)
    extent = high - low
    layers = len(tracks.top_mm)
    if extent.max() > _LARGEST_MM or tracks.top_mm[-1] > _LARGEST_MM:
        raise HostileFileError(
            f"the job is {extent.max():.4g} mm wide and {tracks.top_mm[-1]:.4g} mm high; no printer is"
        )
    if layers > _MOST_LAYERS:
        raise HostileFileError(f"the job has {layers} layers; more than {_MOST_LAYERS} are not read")
    area = extent[0] * extent[1]
    length = np.hypot(*(tracks.end_mm - tracks.start_mm).T)
    drawn = ((length + tracks.width_mm) * tracks.width_mm).sum()
    needed = (layers * area / _MOST_CELLS / _FACTOR**2, area / _MOST_LAYER_PIXELS, drawn / _MOST_TRACK_PIXELS)
    pixel = max(_PIXEL_MM, float(np.sqrt(max(needed))))
    cell = pixel * _FACTOR
    # A cell of air on every side, so that the surface closes.
    columns, rows = (int(n) for n in np.ceil(extent / cell) + 2)
    # Pixel centres lie at whole numbers: the first cell begins half a pixel before the centre of its first pixel.
    origin = low - cell + pixel / 2.0
    order = np.argsort(tracks.layer, kind="stable")
    pieces = np.concatenate(
        [(tracks.start_mm - origin) / pixel, (tracks.end_mm - origin) / pixel, tracks.width_mm[:, None] / 2.0 / pixel],
        axis=1,
    )[order]
    bounds = np.searchsorted(tracks.layer[order], np.arange(layers + 1))
    counts = fill_layers(
        pieces, tracks.wall[order], bounds, rows, columns, _FACTOR, _WALL_SHARE, _NARROW_MM / 2.0 / pixel
    )
    fill_cavities(counts[:-1] if is_cut else counts, _FACTOR**2)
    vertices, faces = solid_of_counts(counts, tracks.top_mm - tracks.bottom_mm, cell)
    vertices += [*(low - cell), tracks.bottom_mm]
    return vertices, faces, cell


def fill_cavities(counts: NDArray[np.uint8], full: int) -> None:
    """Fill the air that nothing leads to from outside: what infill leaves open, which no one sees.

    Sparse, lightning or no infill leaves rooms that walls border nearly all round, as holes; but a hole is open
    somewhere. A room that the part was drawn with is filled too: a job does not tell it from missing infill.

    Parameters
    ----------
    counts : ndarray of uint8, shape (layers, rows, columns)
        How much of each cell is filled, 0 to ``full``; changed in place.
    full : int

    Examples
    --------
    >>> box = np.full((3, 5, 5), 9, np.uint8)
    >>> box[:, [0, -1]] = box[:, :, [0, -1]] = 0
    >>> box[1, 2, 2] = 0
    >>> fill_cavities(box, 9)
    >>> int(box[1, 2, 2]), int(box[1, 0, 0])
    (9, 0)
    """
    from scipy.ndimage import label

    # Below the first layer and above the last is air as well.
    air = np.ones((counts.shape[0] + 2, *counts.shape[1:]), bool)
    np.less(counts, full / 2.0, out=air[1:-1])
    rooms, _ = label(air)
    within = rooms[1:-1]
    counts[(within > 0) & (within != rooms[0, 0, 0])] = full


def solid_of_counts(
    counts: NDArray[np.uint8], top_mm: NDArray[np.float64], cell_mm: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the surface of a solid given layer by layer as shares of cells.

    Parameters
    ----------
    counts : ndarray of uint8, shape (layers, rows, columns)
        How much of each cell is filled, 0 to 9; those at the border of each layer must be empty.
    top_mm : ndarray of float64, shape (layers,)
        Height of the upper side of each layer, rising; the first begins at 0.
    cell_mm : float
        Side of the cells; the first begins at 0.

    Returns
    -------
    vertices_mm : ndarray of float64, shape (n, 3)
    faces : ndarray of int64, shape (m, 3)
        They look outwards.
    """
    layers, rows, columns = counts.shape
    field = np.zeros((layers + 2, rows, columns), np.uint8)
    field[1:-1] = counts
    middles = (np.concatenate([[0.0], top_mm[:-1]]) + top_mm) / 2.0
    # The air below and above is as far away as makes the surface pass through the lowest and the highest side.
    heights = np.concatenate([[-middles[0]], middles, [2.0 * top_mm[-1] - middles[-1]]])
    vertices, faces = surface_nets(field, _FACTOR**2 / 2.0, heights, cell_mm)
    # Grid points lie in the middle of the cells.
    vertices[:, :2] += cell_mm / 2.0
    return vertices, faces
