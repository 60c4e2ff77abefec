"""The largest set of cells that one rigid motion explains, by trying the motion of every pair of cells."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel


@kernel
def rigid_consensus(
    from_x: NDArray[np.float64],
    from_y: NDArray[np.float64],
    to_x: NDArray[np.float64],
    to_y: NDArray[np.float64],
    turns: NDArray[np.float64],
    distance: float,
    angle: float,
    inliers: NDArray[np.bool_],
) -> tuple[float, float, float]:
    """Find the rigid motion, through some pair of cells, that most cells follow.

    Exhaustive over pairs, so that it survives more than half bad cells, where medians cannot. A cell follows the
    motion when it lands within ``distance`` of its place and its own turn is within ``angle`` of the motion's; angles
    are differenced on the circle. Of motions with equally many followers the one with the smallest mean residual,
    each as a share of its tolerance, wins; of equal ones the first.

    Parameters
    ----------
    from_x, from_y, to_x, to_y : ndarray of float64, shape (cells,)
        Centres of the cells on the tiled and on the searched mark; any common unit.
    turns : ndarray of float64, shape (cells,)
        Turn of each cell in radians, from tiled to searched.
    distance, angle : float
        Tolerances, in the unit of the centres and in radians.
    inliers : ndarray of bool, shape (cells,)
        Filled with the followers; all False when no pair gives a motion.

    Returns
    -------
    tuple of float
        Turn in radians and shift (x, y) of the best motion: to = R(turn)·from + shift. Cost: cells³ / 2.

    Notes
    -----
    The consensus over all pairs follows the idea of the Netherlands Forensic Institute's open ``scratch``.
    """
    n = from_x.size
    inliers[:] = False
    best_count = 0
    best_residual = np.inf
    best = (0.0, 0.0, 0.0)
    trial = np.zeros(n, np.bool_)
    for i in range(n):
        for j in range(i + 1, n):
            ux = from_x[j] - from_x[i]
            uy = from_y[j] - from_y[i]
            vx = to_x[j] - to_x[i]
            vy = to_y[j] - to_y[i]
            # A pair that changes its length by more than both tolerances cannot have two followers.
            if abs(math.hypot(ux, uy) - math.hypot(vx, vy)) > 2.0 * distance:
                continue
            turn = math.atan2(ux * vy - uy * vx, ux * vx + uy * vy)
            cos = math.cos(turn)
            sin = math.sin(turn)
            middle_x = 0.5 * (from_x[i] + from_x[j])
            middle_y = 0.5 * (from_y[i] + from_y[j])
            shift_x = 0.5 * (to_x[i] + to_x[j]) - (cos * middle_x - sin * middle_y)
            shift_y = 0.5 * (to_y[i] + to_y[j]) - (sin * middle_x + cos * middle_y)
            count = 0
            residual = 0.0
            for k in range(n):
                dx = cos * from_x[k] - sin * from_y[k] + shift_x - to_x[k]
                dy = sin * from_x[k] + cos * from_y[k] + shift_y - to_y[k]
                off = math.hypot(dx, dy)
                turned = abs((turns[k] - turn + math.pi) % (2.0 * math.pi) - math.pi)
                trial[k] = off <= distance and turned <= angle
                if trial[k]:
                    count += 1
                    residual += off / distance + turned / angle
            if count == 0:
                continue
            residual /= count
            if count > best_count or (count == best_count and residual < best_residual - 1e-12):
                best_count = count
                best_residual = residual
                best = (turn, shift_x, shift_y)
                inliers[:] = trial
    return best
