"""A scan at the scale of its parts: levelled, smoothed heights and slopes on a 25 µm grid without gaps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.surfaces.filtering.resampling import resample

STEP_UM = 25.0
STEP_MM = STEP_UM * 1e-3
_MOST_POINTS_A_SIDE = 1600  # 40 mm: more than any cartridge-case head
_SMOOTHING_UM = 50.0
LARGEST_DROPOUT_MM2 = 0.06  # a larger gap is taken for a wall or hole that was too steep to measure
_HOLE_DEPTH_UM = 100.0  # such a hole lies at least this far below everything measured
_STEEPEST_MODE = math.tan(math.radians(30.0))


@dataclass(frozen=True)
class CoarseRelief:
    """What the region finder sees; all arrays have the shape (rows, columns) of the coarse grid.

    Parameters
    ----------
    blocks_um : ndarray of float64
        Medians of blocks of the scan; NaN in gaps.
    heights_um : ndarray of float64
        The blocks less the plane of the commonest slope, smoothed; NaN in gaps, which have no
        weight in the smoothing.
    slope_y, slope_x : ndarray of float64
        Slopes (dimensionless) of those heights; 0 where they cannot be told.
    wall_y, wall_x : ndarray of float64
        Slopes when every hole is taken to be deep: they point to what is missing.
    valid : ndarray of bool
        True where there is a measured point.
    hole : ndarray of bool
        True in gaps too large for a dropout: steep walls, deep holes, and masked surroundings.
    tilt : tuple of float
        Slope (y, x) of the plane taken off.
    """

    blocks_um: NDArray[np.float64]
    heights_um: NDArray[np.float64]
    slope_y: NDArray[np.float64]
    slope_x: NDArray[np.float64]
    wall_y: NDArray[np.float64]
    wall_x: NDArray[np.float64]
    valid: NDArray[np.bool_]
    hole: NDArray[np.bool_]
    tilt: tuple[float, float]


def coarse_relief(heights_um: NDArray[np.float64], spacing_um: tuple[float, float]) -> CoarseRelief | None:
    """Reduce a scan to a 25 µm grid; None when fewer than 100 coarse points are valid.

    Point (i, j) of the coarse grid lies at (i, j) × 25 µm from the scan's first point.
    """
    blocks, steps = _block_medians(heights_um, spacing_um)
    return relief_of_blocks(resample(blocks, steps, STEP_UM))


def relief_of_blocks(blocks_um: NDArray[np.float64]) -> CoarseRelief | None:
    """Level and smooth heights that are on the 25 µm grid already."""
    from scipy import ndimage

    valid = np.isfinite(blocks_um)
    if valid.sum() < 100 or min(valid.shape) < 8 or max(valid.shape) > _MOST_POINTS_A_SIDE:
        return None
    sigma = _SMOOTHING_UM / STEP_UM
    weight = ndimage.gaussian_filter(valid.astype(np.float64), sigma)
    smooth = _smoothed(blocks_um, valid, weight, sigma)
    tilt = _commonest_slope(*np.gradient(smooth, STEP_UM))
    rows, columns = np.indices(valid.shape)
    level = blocks_um - (tilt[0] * rows + tilt[1] * columns) * STEP_UM
    heights = _smoothed(level, valid, weight, sigma)  # again: at edges smoothing bends a tilted plane
    slope_y, slope_x = (np.asarray(np.nan_to_num(slope)) for slope in np.gradient(heights, STEP_UM))

    gaps, count = ndimage.label(~valid)
    area = np.bincount(gaps.ravel(), minlength=count + 1) * STEP_MM**2
    hole = (area > LARGEST_DROPOUT_MM2)[gaps] & ~valid
    filled = level
    if not valid.all():
        nearest = ndimage.distance_transform_edt(~valid, return_distances=False, return_indices=True)
        filled = level[tuple(nearest)]
        filled = np.where(hole, float(np.min(level[valid])) - _HOLE_DEPTH_UM, filled)
    wall_y, wall_x = np.gradient(ndimage.gaussian_filter(filled, sigma, mode="nearest"), STEP_UM)
    return CoarseRelief(blocks_um, heights, slope_y, slope_x, wall_y, wall_x, valid, hole, tilt)


def _smoothed(
    values: NDArray[np.float64], valid: NDArray[np.bool_], weight: NDArray[np.float64], sigma: float
) -> NDArray[np.float64]:
    from scipy.ndimage import gaussian_filter

    total = gaussian_filter(np.where(valid, values, 0.0), sigma)
    return np.where(valid, total / np.where(valid, weight, 1.0), np.nan)


def _block_medians(
    heights_um: NDArray[np.float64], spacing_um: tuple[float, float]
) -> tuple[NDArray[np.float64], tuple[float, float]]:
    """Return medians of blocks of about 25 µm, so placed that the first lies at the first point.

    Medians, because neither a spike nor half a block missing moves them.
    """
    # Odd, so that a block has a middle point.
    size = [max(1, 2 * ((int(STEP_UM / step) + 1) // 2) - 1) for step in spacing_um]
    half = [s // 2 for s in size]
    # Padding half a block centres the first block on the first point: no shift to keep account of.
    counts = [(n + h + s - 1) // s for n, h, s in zip(heights_um.shape, half, size, strict=True)]
    padded = np.full((counts[0] * size[0], counts[1] * size[1]), np.nan)
    padded[half[0] : half[0] + heights_um.shape[0], half[1] : half[1] + heights_um.shape[1]] = heights_um
    blocks = padded.reshape(counts[0], size[0], counts[1], size[1]).transpose(0, 2, 1, 3)
    ordered = np.sort(blocks.reshape(counts[0], counts[1], -1), axis=2)  # NaN last
    number = np.isfinite(ordered).sum(axis=2)
    lower = np.take_along_axis(ordered, np.maximum((number - 1) // 2, 0)[:, :, None], axis=2)[:, :, 0]
    upper = np.take_along_axis(ordered, np.minimum(number // 2, ordered.shape[2] - 1)[:, :, None], axis=2)
    medians = 0.5 * (lower + np.where(number > 0, upper[:, :, 0], np.nan))
    # A block of a few stray points in a hole is not a measurement of it.
    medians = np.where(4 * number >= size[0] * size[1], medians, np.nan)
    return medians, (size[0] * spacing_um[0], size[1] * spacing_um[1])


def _commonest_slope(slope_y: NDArray[np.float64], slope_x: NDArray[np.float64]) -> tuple[float, float]:
    """Return the mode of the slopes: parallel planes at any heights agree in it, walls do not."""
    known = np.isfinite(slope_y) & np.isfinite(slope_x)
    y, x = slope_y[known], slope_x[known]
    near = (np.abs(y) < _STEEPEST_MODE) & (np.abs(x) < _STEEPEST_MODE)
    y, x = y[near], x[near]
    if y.size == 0:
        return 0.0, 0.0
    from scipy.ndimage import gaussian_filter

    bins = 81
    counts, edges, _ = np.histogram2d(y, x, bins=bins, range=[[-_STEEPEST_MODE, _STEEPEST_MODE]] * 2)
    peak = np.unravel_index(int(np.argmax(gaussian_filter(counts, 2.0))), counts.shape)
    middle = 0.5 * (edges[1:] + edges[:-1])
    at = np.array([middle[peak[0]], middle[peak[1]]])
    for _ in range(20):  # mean shift: no bin border shows in the result
        weight = np.exp(-0.5 * ((y - at[0]) ** 2 + (x - at[1]) ** 2) / 0.04**2)
        at = np.array([(weight * y).sum(), (weight * x).sum()]) / weight.sum()
    return float(at[0]), float(at[1])
