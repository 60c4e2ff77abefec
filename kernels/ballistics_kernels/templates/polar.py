"""Sampling a height map with missing points on rings around a point."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel
from ballistics_kernels.impressions import sample


@kernel
def polar_samples(
    heights: NDArray[np.float32],
    centre_y: float,
    centre_x: float,
    ring_step: float,
    values: NDArray[np.float32],
    valid: NDArray[np.float32],
) -> None:
    """Sample a map on rings around a point, interpolated as `ballistics_kernels.impressions.turning.sample` does.

    Parameters
    ----------
    heights : ndarray of float32, shape (rows + 2, columns + 2)
        The map as `ballistics_kernels.impressions.turning.padded` returns it, with a border of one point.
    centre_y, centre_x : float
        The point, row and column in the map without padding; it may lie outside.
    ring_step : float
        Distance between rings in points; ring k has the radius (k + ½) · ``ring_step``.
    values, valid : ndarray of float32, shape (rings, angles)
        Filled: heights, and 1; or both 0 where missing. Angle 0 points to the right (along a row), and angles grow
        clockwise as shown with row 0 on top. Cost: 4 reads per sample.
    """
    rings, angles = values.shape
    for j in range(angles):
        phi = 2.0 * math.pi * j / angles
        sin = math.sin(phi)
        cos = math.cos(phi)
        for k in range(rings):
            radius = (k + 0.5) * ring_step
            y = centre_y + 1.0 + radius * sin
            x = centre_x + 1.0 + radius * cos
            values[k, j] = np.float32(0)
            valid[k, j] = np.float32(0)
            if y >= 0.0 and x >= 0.0 and y < heights.shape[0] - 1 and x < heights.shape[1] - 1:
                value = sample(heights, y, x)
                # A missing sample is a large value, not NaN.
                if value < np.float32(1e20):
                    values[k, j] = value
                    valid[k, j] = np.float32(1)
