"""Removal of spikes: single points or pairs that stand far out of their surroundings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import ParameterError

_MAD_TO_SIGMA = 1.4826  # of a normal distribution


@dataclass(frozen=True)
class SpikeRemoval:
    """Heights without spikes, how many points were made missing, and the lowest limit."""

    heights_um: NDArray[np.float64]
    removed: int
    limit_um: float


def remove_spikes(
    heights_um: NDArray[np.floating],
    window_points: int = 5,
    threshold_sigmas: float = 10.0,
    smallest_um: float = 2.0,
) -> SpikeRemoval:
    """Make missing every point that stands further out of its window than the surface is rough there.

    A point is a spike when its distance to the median of its window exceeds ``threshold_sigmas``
    robust standard deviations (1.4826 × median distance) both of the whole surface and of its
    neighbourhood of two windows, and ``smallest_um``. The median follows slopes and steps, and
    rough places have rough neighbourhoods, so neither walls nor a coarse relief are touched.

    Parameters
    ----------
    heights_um : ndarray, shape (rows, columns)
        Heights in µm; NaN where missing.
    window_points : int
        Side of the window, 3, 5 or 7 points.
    threshold_sigmas : float
        Positive.
    smallest_um : float
        Not negative, in µm.

    Returns
    -------
    SpikeRemoval

    Raises
    ------
    ParameterError
        If a parameter is outside its range.

    Examples
    --------
    >>> z = np.zeros((20, 20)); z[7, 7] = 50.0
    >>> result = remove_spikes(z)
    >>> result.removed, bool(np.isnan(result.heights_um[7, 7]))
    (1, True)
    """
    if window_points not in (3, 5, 7):
        raise ParameterError(f"window_points is {window_points!r}; choose 3, 5 or 7")
    if not threshold_sigmas > 0 or not smallest_um >= 0:
        raise ParameterError(
            f"threshold_sigmas {threshold_sigmas!r} must be positive and smallest_um {smallest_um!r} not negative"
        )
    from ballistics_kernels.filters import local_median

    values = np.array(heights_um, dtype=np.float64)
    half = window_points // 2
    distance = np.abs(values - local_median(values, half, np.ones(values.shape, dtype=np.bool_)))
    valid = np.isfinite(distance)
    if not valid.any():
        return SpikeRemoval(values, 0, smallest_um)
    limit = max(threshold_sigmas * _MAD_TO_SIGMA * float(np.median(distance[valid])), smallest_um)
    suspect = valid & (distance > limit)
    nearby = local_median(distance, 2 * half, suspect)
    spikes = suspect & (distance > threshold_sigmas * _MAD_TO_SIGMA * nearby)
    values[spikes] = np.nan
    return SpikeRemoval(values, int(spikes.sum()), limit)
