"""Poses that lay one surface on another as a whole: centre on centre, principal axes on principal axes."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.cloud import Cloud

# Axes have no sign, and those of nearly equal spread no order: every way to lay three on three, both hands.
_WAYS = np.array(
    [np.diag(signs)[list(order)] for order in permutations(range(3)) for signs in product((1.0, -1.0), repeat=3)]
)


def axis_poses(query: Cloud, reference: Cloud) -> NDArray[np.float64]:
    """Return the similarities that lay the principal axes of one surface on those of another, shape (48, 4, 4).

    Sizes are made equal by the root mean square distance from the centre, which coarse facets and noise change least.
    Vranić, Saupe & Richter 2001, doi:10.1109/MMSP.2001.962749.
    """
    centre, axes, spread = _frame(query.points)
    there, axes_there, spread_there = _frame(reference.points)
    poses = np.tile(np.eye(4), (len(_WAYS), 1, 1))
    poses[:, :3, :3] = (spread_there / spread) * np.einsum("ij,njk,lk->nil", axes_there, _WAYS, axes)
    poses[:, :3, 3] = there - np.einsum("nij,j->ni", poses[:, :3, :3], centre)
    return poses


def _frame(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return the centre of points, their principal axes as columns and their root mean square distance from it."""
    centre = points.mean(axis=0)
    off = points - centre
    # Not a product of matrices: its last digits would depend on the number of threads.
    moments = np.einsum("pi,pj->ij", off, off) / len(points)
    return centre, np.linalg.eigh(moments)[1], float(np.sqrt(np.trace(moments)))
