"""What the kernels of cells take and fill, as small named tuples: numba passes them as they are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Cells(NamedTuple):
    """The square cells of a mark.

    Parameters
    ----------
    tiled : ndarray of float32, shape (rows, columns)
        The mark; with a border where a kernel says so.
    centres_y, centres_x : ndarray of float64, shape (cells,)
        Centres of the cells in points of ``tiled``.
    half : float
        Half the side of a cell in points; a cell is half-open.
    grid_theta : float
        Turn of the cells' sides against the axes of ``tiled``, clockwise as shown, in radians.
    """

    tiled: NDArray[np.float32]
    centres_y: NDArray[np.float64]
    centres_x: NDArray[np.float64]
    half: float
    grid_theta: float


class SplitMark(NamedTuple):
    """A mark as float32 heights, 0 where missing, and 1 or 0 for valid or missing."""

    values: NDArray[np.float32]
    valid: NDArray[np.float32]


class Expected(NamedTuple):
    """Where each cell is expected, in points of the other mark, shape (cells,), and how far from there it may lie."""

    y: NDArray[np.float64]
    x: NDArray[np.float64]
    radius: float


class Peaks(NamedTuple):
    """Places of peaks between the points of a map, best first, with the correlations there, in arrays of one shape."""

    rows: NDArray[np.float64]
    columns: NDArray[np.float64]
    correlations: NDArray[np.float32]


class FoundCells(NamedTuple):
    """Where cells were found, in points of the other mark (NaN: nowhere), and its turn there in radians, clockwise."""

    y: NDArray[np.float64]
    x: NDArray[np.float64]
    thetas: NDArray[np.float64]


class Squares(NamedTuple):
    """Turned squares of a grid: centres in points, shape (cells,), half a side, and cos and sin of their turn."""

    centres_y: NDArray[np.float64]
    centres_x: NDArray[np.float64]
    half: float
    cos: float
    sin: float


class Shifts(NamedTuple):
    """Shifts by whole points, shape (shifts,): point (i, j) meets point (i + y, j + x)."""

    y: NDArray[np.int64]
    x: NDArray[np.int64]


class PackedCell(NamedTuple):
    """The box of a turned cell's valid points as flat arrays: its rows, the length of a row, and the entries filled."""

    values: NDArray[np.float32]
    valid: NDArray[np.float32]
    rows: int
    stride: int
    size: int


class ClimbRoom(NamedTuple):
    """Arrays that a climb works in: the window of the other mark, and what was computed around its middle."""

    values: NDArray[np.float32]
    valid: NDArray[np.float32]
    around: NDArray[np.float32]
