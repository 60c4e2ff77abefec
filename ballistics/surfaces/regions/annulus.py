"""The closed band around a centre that gathers the most evidence, by dynamic programming in polar coordinates."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ANGLES = 360
_STEEPEST_MM = 0.1  # the border may move this far from one direction to the next
_BLUR_DIRECTIONS = 2.0  # of the borders, to undo the steps of the polar grid


@dataclass(frozen=True)
class Annulus:
    """A band around a centre: for each direction an inner and an outer radius in mm.

    Directions are ``2π k / 360`` from the column axis towards the row axis. Where ``outer`` is not
    larger than ``inner`` the band is absent.
    """

    centre_mm: tuple[float, float]
    inner_mm: NDArray[np.float64]
    outer_mm: NDArray[np.float64]

    def mask(self, shape: tuple[int, int], step_mm: float) -> NDArray[np.bool_]:
        """Return True on the points of a grid that lie in the band."""
        radius, inner, outer = self._around(shape, step_mm)
        return np.asarray((radius >= inner) & (radius <= outer))

    def inside(self, shape: tuple[int, int], step_mm: float) -> NDArray[np.bool_]:
        """Return True on the points of a grid that lie within the inner border."""
        radius, inner, _ = self._around(shape, step_mm)
        return np.asarray(radius < inner)

    def _around(
        self, shape: tuple[int, int], step_mm: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        y = np.arange(shape[0])[:, None] * step_mm - self.centre_mm[0]
        x = np.arange(shape[1])[None, :] * step_mm - self.centre_mm[1]
        angle = np.arctan2(y, x) * (ANGLES / (2.0 * math.pi))
        known = np.arange(ANGLES)
        inner = np.interp(angle, known, self.inner_mm, period=ANGLES)
        outer = np.interp(angle, known, self.outer_mm, period=ANGLES)
        return np.hypot(y, x), inner, outer


def polar_positions(
    centre_mm: tuple[float, float], radii_mm: NDArray[np.float64], step_mm: float
) -> NDArray[np.float64]:
    """Return where the points of a polar grid lie in an array.

    Parameters
    ----------
    centre_mm : tuple of float
        Centre (y, x) in mm from point (0, 0) of the array.
    radii_mm : ndarray of float64, shape (radii,)
        Distances from the centre in mm.
    step_mm : float
        Distance between neighbouring points of the array in mm.

    Returns
    -------
    ndarray of float64, shape (2, 360, radii)
        Rows and columns; directions as of `Annulus`. They may lie outside the array.
    """
    angle = np.arange(ANGLES)[:, None] * (2.0 * math.pi / ANGLES)
    return np.stack(
        [
            (centre_mm[0] + radii_mm[None, :] * np.sin(angle)) / step_mm,
            (centre_mm[1] + radii_mm[None, :] * np.cos(angle)) / step_mm,
        ]
    )


def best_annulus(
    evidence: NDArray[np.float64],
    centre_mm: tuple[float, float],
    radii_mm: NDArray[np.float64],
    stiffness_mm: float,
) -> Annulus:
    """Return the band with the largest sum of evidence over its area, less a penalty for uneven borders.

    The evidence is summed from the centre outwards along each direction: the sum over the band is then the value at
    its outer border less the value at its inner border. The outer border is found first: the closed path with the
    largest value above the least value further in. The inner border is then the closed path of least value inside it.
    Both are found exactly, by dynamic programming over three turns, of which the middle one is kept: there the path
    closes.

    Parameters
    ----------
    evidence : ndarray, shape (360, radii)
        Positive for points that belong to the band, negative for points that do not, 0 unknown.
    centre_mm : tuple of float
        (y, x).
    radii_mm : ndarray, shape (radii,)
        Evenly spaced.
    stiffness_mm : float
        Penalty for each mm that a border moves between directions, in mm² of evidence 1. A bulge narrower than about
        twice this value costs more than it gains.
    """
    from scipy.ndimage import gaussian_filter1d

    from ballistics_kernels.filters import closed_path

    step = float(radii_mm[1] - radii_mm[0])
    most = max(1, round(_STEEPEST_MM / step))
    sector = 2.0 * math.pi / ANGLES
    total = np.cumsum(evidence * radii_mm * (step * sector), axis=1)
    outer = closed_path(total - np.minimum.accumulate(total, axis=1), stiffness_mm * step, most)
    within = np.where(np.arange(radii_mm.size)[None, :] <= outer[:, None], -total, -np.inf)
    inner = closed_path(within, stiffness_mm * step, most)
    inner_mm, outer_mm = (
        gaussian_filter1d(radii_mm[path] + 0.5 * step, _BLUR_DIRECTIONS, mode="wrap") for path in (inner, outer)
    )
    return Annulus(centre_mm, inner_mm, outer_mm)
