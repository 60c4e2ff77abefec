"""Where a falling profile stops falling for good: the foot of a shoulder."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel


@kernel
def first_stall(
    distance: NDArray[np.float64],
    heights: NDArray[np.float64],
    residuals: NDArray[np.float64],
    descent: NDArray[np.float64],
    limits: NDArray[np.float64],
) -> int:
    """Return the first point, outwards, from which a profile falls no further although its arc does.

    Parameters
    ----------
    distance : ndarray of float64, shape (n,)
        From the apex, ascending.
    heights, residuals : ndarray of float64, shape (n,)
        Smoothed, and less the arc. All valid.
    descent : ndarray of float64, shape (n,)
        By how much the arc falls per unit of distance.
    limits : ndarray of float64, shape (6,)
        Reach: over this distance beyond the point the heights stay; drop: to within this; fall: where the arc falls
        over the reach by this much at least; rise: from half the reach on all residuals lie this far above that of
        the point, or three tenths of the arc's fall if that is less; beyond: the profile goes on for this distance;
        below: the point lies no further below the arc than this: the edge of a pit is no foot.

    Returns
    -------
    int
        −1 when there is none.

    Notes
    -----
    Cost: n × points in the reach, at worst.
    """
    n = distance.shape[0]
    reach, drop, fall, rise, beyond, below = limits
    outwards = np.empty(n)
    for k in range(n - 1, -1, -1):
        outwards[k] = residuals[k] if k == n - 1 else min(residuals[k], outwards[k + 1])
    half = 0
    for k in range(n):
        while half < n and distance[half] < distance[k] + 0.5 * reach:
            half += 1
        if descent[k] * reach < fall:
            continue
        if half >= n or distance[n - 1] - distance[k] < beyond:
            break
        if residuals[k] < -below or outwards[half] - residuals[k] < min(rise, 0.3 * descent[k] * reach):
            continue
        stalls = k + 1 < n and distance[k + 1] <= distance[k] + reach
        j = k + 1
        while stalls and j < n and distance[j] <= distance[k] + reach:
            if heights[j] < heights[k] - drop:
                stalls = False
            j += 1
        if stalls:
            return k
    return -1
