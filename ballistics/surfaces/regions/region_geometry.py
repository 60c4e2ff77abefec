"""Geometry of the coarse grid: circles, distances, and the way back to the surface's own grid."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.surfaces.regions.coarse_relief import STEP_MM, STEP_UM
from ballistics.surfaces.surface import Surface


@dataclass(frozen=True)
class Circle:
    """A circle on a surface: centre (y, x) from point (0, 0), and radius, in µm."""

    centre_um: tuple[float, float]
    radius_um: float


def robust_circle(y: NDArray[np.float64], x: NDArray[np.float64]) -> Circle:
    """Fit a circle to points in mm by reweighted algebraic least squares."""
    weights = np.ones_like(y)
    centre_y = centre_x = radius = 0.0
    for _ in range(10):
        basis = np.stack([2.0 * y, 2.0 * x, np.ones_like(y)], axis=1)
        solution = np.linalg.lstsq(basis * weights[:, None], (y * y + x * x) * weights, rcond=None)[0]
        centre_y, centre_x = float(solution[0]), float(solution[1])
        radius = math.sqrt(max(float(solution[2]) + centre_y**2 + centre_x**2, 0.0))
        residual = np.hypot(y - centre_y, x - centre_x) - radius
        scale = max(1.4826 * float(np.median(np.abs(residual))), 1e-3)
        weights = np.clip(1.0 - (residual / (4.685 * scale)) ** 2, 0.0, None)
    return Circle((1e3 * centre_y, 1e3 * centre_x), 1e3 * radius)


def distance(shape: tuple[int, ...], centre_mm: tuple[float, float]) -> NDArray[np.float64]:
    """Return the distance in mm of every point of the coarse grid from a place, shape as asked for.

    Parameters
    ----------
    shape : (rows, columns)
        Of the coarse grid, whose points are ``STEP_MM`` apart.
    centre_mm : tuple of float
        The place (y, x) in mm from point (0, 0).
    """
    y = np.arange(shape[0])[:, None] * STEP_MM - centre_mm[0]
    x = np.arange(shape[1])[None, :] * STEP_MM - centre_mm[1]
    return np.asarray(np.hypot(y, x))


def refined(mask: NDArray[np.bool_], surface: Surface) -> NDArray[np.float64]:
    """Interpolate a coarse mask at the surface's points; 0.5 is its smooth border."""
    from scipy.ndimage import gaussian_filter

    values: NDArray[np.float64] = gaussian_filter(mask.astype(np.float64), 1.0, mode="nearest")
    for axis in (0, 1):
        values = np.moveaxis(values, axis, 0)
        count = surface.heights_um.shape[axis]
        at = np.minimum(np.arange(count) * (surface.spacing_um[axis] / STEP_UM), values.shape[0] - 1.0)
        lower = np.minimum(at.astype(np.intp), values.shape[0] - 2)
        part = (at - lower)[:, None]
        values = np.moveaxis(values[lower] * (1.0 - part) + values[lower + 1] * part, 0, axis)
    return np.asarray(values)


def nearest(labels: NDArray[np.uint8], surface: Surface) -> NDArray[np.uint8]:
    """Return labels of the coarse grid at the surface's own points, each that of the nearest coarse point."""
    index = [
        np.minimum(np.rint(np.arange(count) * (step / STEP_UM)).astype(np.intp), size - 1)
        for count, step, size in zip(surface.heights_um.shape, surface.spacing_um, labels.shape, strict=True)
    ]
    return labels[np.ix_(*index)]
