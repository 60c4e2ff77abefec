"""The space around a surface: which places can be reached from outside without crossing it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Side of a cell over the distance of the points. Without a wall one cell thicker, more than half of 30 solids leaked.
SPACE_CELL_SPACINGS = 2.0


@dataclass(frozen=True)
class Surroundings:
    """The space around a sampled surface, in cells.

    Parameters
    ----------
    low : ndarray of float64, shape (3,)
        Corner of the first cell.
    cell : float
        Side of the cells.
    outside : ndarray of bool, shape (i, j, k)
        Cells that can be reached from outside.
    """

    low: NDArray[np.float64]
    cell: float
    outside: NDArray[np.bool_]

    def are_outside(self, points: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which points lie in cells that can be reached from outside, or beyond all cells."""
        place = np.floor((points - self.low) / self.cell)
        within = ((place >= 0) & (place < self.outside.shape)).all(axis=1)
        outside = np.ones(len(points), dtype=bool)
        outside[within] = self.outside[tuple(place[within].astype(np.int64).T)]
        return outside


def surroundings_of(
    points: NDArray[np.float64], spacing: float, cell_spacings: float = SPACE_CELL_SPACINGS
) -> Surroundings:
    """Return the space around a surface.

    Parameters
    ----------
    points : ndarray of float64, shape (n, 3)
        An even sample of the surface.
    spacing : float
        Least distance between them.
    cell_spacings : float
        Side of a cell over this distance.

    Notes
    -----
    Cells that hold a point and those next to them are a wall; what hangs together with the corner of the grid outside
    it, and one cell further, is outside. Openings narrower than four cells count as closed; a surface with wider ones
    holds nothing.

    Examples
    --------
    >>> sphere = np.random.default_rng(1).normal(size=(5000, 3))
    >>> sphere /= np.linalg.norm(sphere, axis=1)[:, None]
    >>> surroundings_of(sphere, 0.05).are_outside(np.array([[0.0, 0, 0], [0.9, 0.9, 0], [3, 0, 0]]))
    array([False,  True,  True])
    """
    from scipy import ndimage

    cell = cell_spacings * spacing
    low = points.min(axis=0) - 2.5 * cell
    place = np.floor((points - low) / cell).astype(np.int64)
    filled = np.zeros(place.max(axis=0) + 4, dtype=bool)
    filled[tuple(place.T)] = True
    label, _ = ndimage.label(~_grown(filled))
    return Surroundings(low, cell, _grown(label == label[0, 0, 0]) & ~filled)


def _grown(cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
    from scipy import ndimage

    return np.asarray(ndimage.maximum_filter(cells, 3))
