"""The relief that templates are made of: short waves, evened out over place and wavelength, on a coarse grid."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ballistics.surfaces import Mark, low_pass, mark_type
from ballistics_kernels.filters import decimate

Heights = NDArray[np.float32]

# All lengths are shares of the long cut-off of the mark type (250 µm for breech faces), so that every type has
# templates of its own scale.
_GRID = 0.1
# Four bands of half an octave. Chosen on simulated heads of the ordinary kind, filtered once and twice, and the given
# TopMatch scans: there the correlation of two marks of one firearm, in units of that of all poses, is 16 to 33 % higher
# than with the waves below 0.64 as they are; with the three bands up to 1 it is 11 to 17 % higher.
_BANDS = (0.36, 0.5, 0.7, 1.0, 1.4)
_EVENED_OVER = 0.8
_SMOOTHING = 0.105
# Heights are limited to this number of robust standard deviations before the waves are separated, and once more after.
_CLIP_SIGMAS = 3.0
_CLIP_EVENED_SIGMAS = 2.0
# Share of unit variance: where a mark has nearly no relief, noise is not amplified.
_LEAST_POWER = np.float32(0.1)


@dataclass(frozen=True, eq=False)
class Relief:
    """A mark reduced to what its template is made of.

    Parameters
    ----------
    heights : ndarray of float32, shape (rows, columns)
        Without unit: zero mean and unit standard deviation, NaN where missing; all 0 for a flat mark.
    spacing_um : float
        Distance between points.
    centre : tuple of float
        Middle (y, x) of the smallest circle around the valid points, in points from point (0, 0).
    hull_um : ndarray of float32, shape (n, 2)
        Corners (y, x) of the convex hull of the valid points, from the centre.
    """

    heights: Heights
    spacing_um: float
    centre: tuple[float, float]
    hull_um: Heights

    def needed_radius_um(self, positions_um: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how large a circle around each position, (y, x) from the centre, must be to hold the whole mark."""
        if not len(self.hull_um):
            return np.zeros(len(positions_um))
        y, x = (positions_um[:, None, :] - self.hull_um[None, :, :]).transpose(2, 0, 1)
        return np.asarray(np.hypot(y, x).max(axis=1))


def relief_of(mark: Mark) -> Relief:
    """Reduce a mark to the relief that a search looks at.

    Parameters
    ----------
    mark : Mark
        NaN and infinities are missing points.

    Raises
    ------
    ParameterError
        When the mark is of a kind that is not known.

    Notes
    -----
    Waves between about 0.36 and 1.4 of the long cut-off are kept: shorter ones need a pose known better than a search
    knows it, of longer ones the preparation leaves nearly nothing. Each band of them counts the same: else a mark that
    was filtered before it was prepared, as published scans often are, has little left of its longer waves. Their local
    strength is evened out too, so that a single dent or a strongly marked part does not outweigh the rest.

    Examples
    --------
    >>> mark = Mark("breech face", np.random.default_rng(1).normal(size=(200, 200)).astype(np.float32), 6.25)
    >>> low = relief_of(mark)
    >>> low.heights.shape, low.spacing_um
    ((50, 50), 25.0)
    """
    longest_um = mark_type(mark.kind).long_cutoff_um
    factor = max(1, round(0.5 * _GRID * longest_um / mark.spacing_um))
    step_um = factor * mark.spacing_um
    measured = np.where(np.isfinite(mark.heights_um), mark.heights_um, np.float32(np.nan)).astype(np.float32)
    coarse = decimate(_clipped(measured, _CLIP_SIGMAS), factor)
    waves = decimate(_clipped(_even_bands(coarse, step_um, longest_um), _CLIP_SIGMAS), 2)
    step_um *= 2.0
    valid = np.isfinite(waves)
    if not valid.any():
        return Relief(
            waves, step_um, ((waves.shape[0] - 1) / 2, (waves.shape[1] - 1) / 2), np.empty((0, 2), np.float32)
        )
    smooth = _smoothed(_standard(waves, valid), valid, _SMOOTHING * longest_um / step_um)
    smooth = _standard(smooth, valid)
    power = _smoothed(smooth * smooth, valid, _EVENED_OVER * longest_um / step_um)
    even = _standard((smooth / np.sqrt(power + _LEAST_POWER)).astype(np.float32), valid)
    even = _standard(_clipped(even, _CLIP_EVENED_SIGMAS), valid)
    return Relief(even, step_um, *_circle(valid, step_um))


def _even_bands(heights: Heights, step_um: float, long_cutoff_um: float) -> Heights:
    """Return the sum of the bands of wavelengths, each with unit standard deviation."""
    edges_um = [max(share * long_cutoff_um, 2.0 * step_um) for share in _BANDS]
    lower = [low_pass(heights, (step_um, step_um), edge_um) for edge_um in edges_um]
    total = np.where(np.isfinite(heights), np.float32(0), np.float32(np.nan))
    for shorter, longer in itertools.pairwise(lower):
        band = _clipped((shorter - longer).astype(np.float32), _CLIP_SIGMAS)
        if (valid := np.isfinite(band)).any():
            total = total + _standard(band, valid)
    return np.asarray(total, np.float32)


def _clipped(heights: Heights, sigmas: float) -> Heights:
    """Return the heights limited to some robust standard deviations around zero."""
    valid = np.isfinite(heights)
    if not valid.any():
        return heights
    limit = np.float32(sigmas * 1.4826 * np.median(np.abs(heights[valid])))
    return np.asarray(np.clip(heights, -limit, limit)) if limit > 0 else heights


def _standard(heights: Heights, valid: NDArray[np.bool_]) -> Heights:
    """Return the heights with zero mean and unit standard deviation; 0 when they are flat."""
    values = heights[valid].astype(np.float64)
    spread = float(values.std())
    scale = 1.0 / spread if spread > 0.0 else 0.0
    return np.asarray((heights - values.mean()) * scale, np.float32)


def _smoothed(heights: Heights, valid: NDArray[np.bool_], sigma: float) -> Heights:
    """Smooth the valid points, each from its valid neighbours (normalised convolution); NaN where missing."""
    total = ndimage.gaussian_filter(np.where(valid, heights, np.float32(0)), sigma)
    weight = ndimage.gaussian_filter(valid.astype(np.float32), sigma)
    return np.asarray(np.where(valid, total / np.maximum(weight, np.float32(1e-6)), np.nan), np.float32)


def _circle(valid: NDArray[np.bool_], step_um: float) -> tuple[tuple[float, float], Heights]:
    """Return the centre of the smallest circle around the valid points, and the corners of their hull from there.

    Unlike the centroid or the box, that centre stays where it is when a sector of a round mark is missing.
    """
    points = np.argwhere(valid)[:, ::-1].astype(np.float32)
    hull = cv2.convexHull(points)[:, 0]
    (x, y), _ = cv2.minEnclosingCircle(hull)
    return (float(y), float(x)), np.asarray((hull[:, ::-1] - np.array([y, x])) * step_um, np.float32)
