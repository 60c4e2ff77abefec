"""Taking off what depends on the distance from the centre only: lighting of a primer's roundness, form of its edges."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ballistics.surfaces.regions.region_geometry import robust_circle

REFERENCES = ("Tai & Eddy 2018, Journal of Forensic Sciences 63(2):440",)

_SECTORS = 180
_FEWEST_SECTORS = 30


def ring_centre(values: NDArray[np.float64], spacing_um: tuple[float, float]) -> tuple[float, float] | None:
    """Return the centre of the outer border of a region, (y, x) in µm from point (0, 0).

    A circle is fitted, robustly, to the outermost valid point in every direction from the middle of the valid area.

    Parameters
    ----------
    values : ndarray, shape (rows, columns)
        NaN outside the region.
    spacing_um : tuple of float
        Between rows and between columns.

    Returns
    -------
    tuple of float or None
        None when there are valid points in less than a sixth of all directions.

    Examples
    --------
    >>> y, x = np.mgrid[:200, :200] * 10.0
    >>> ring = np.where(abs(np.hypot(y - 900.0, x - 1100.0) - 700.0) < 100.0, 1.0, np.nan)
    >>> [round(v, -1) for v in ring_centre(ring, (10.0, 10.0))]
    [900.0, 1100.0]
    """
    y, x = (n.astype(np.float64) * step for n, step in zip(np.nonzero(np.isfinite(values)), spacing_um, strict=True))
    if len(y) == 0:
        return None
    # The middle of the extent: a ring with a gap has its centroid elsewhere.
    middle = 0.5 * (y.min() + y.max()), 0.5 * (x.min() + x.max())
    radius = np.hypot(y - middle[0], x - middle[1])
    sector = ((np.arctan2(y - middle[0], x - middle[1]) / (2.0 * math.pi) % 1.0) * _SECTORS).astype(np.intp) % _SECTORS
    order = np.lexsort((radius, sector))
    last = order[np.flatnonzero(np.diff(sector[order], append=_SECTORS))]
    if len(last) < _FEWEST_SECTORS:
        return None
    # `robust_circle` takes and gives its numbers in mm and µm.
    return robust_circle(y[last] / 1e3, x[last] / 1e3).centre_um


def remove_circular_symmetry(
    values: NDArray[np.float64], spacing_um: tuple[float, float], centre_um: tuple[float, float], width_um: float
) -> tuple[NDArray[np.float64], float]:
    """Subtract the mean at each distance from a centre, smoothed by local straight lines (loess).

    Parameters
    ----------
    values : ndarray of float64, shape (rows, columns)
        Missing points are NaN, have no weight, and stay missing.
    spacing_um : tuple of float
        Between rows and between columns.
    centre_um : tuple of float
        (y, x) from point (0, 0).
    width_um : float
        Standard deviation of the Gaussian weight over the distance. Circles closer together than about three of it,
        such as turning marks, stay.

    Returns
    -------
    values : ndarray of float64, shape (rows, columns)
    amplitude : float
        Root mean square of what was taken off, over the valid points.

    Examples
    --------
    >>> y, x = np.mgrid[-50:51, -50:51] * 10.0
    >>> bowl = 1e-3 * np.hypot(y, x)
    >>> flat, amplitude = remove_circular_symmetry(bowl, (10.0, 10.0), (500.0, 500.0), 50.0)
    >>> bool(np.abs(flat).max() < 0.02 < amplitude)
    True
    """
    valid = np.isfinite(values)
    if not valid.any():
        return values, 0.0
    step = max(spacing_um)
    y = np.arange(values.shape[0])[:, None] * spacing_um[0] - centre_um[0]
    x = np.arange(values.shape[1])[None, :] * spacing_um[1] - centre_um[1]
    radius = np.hypot(y, x) / step
    place = np.rint(radius[valid]).astype(np.intp)
    count = np.bincount(place).astype(np.float64)
    total = np.bincount(place, values[valid])
    at = np.arange(len(count), dtype=np.float64)
    mean = np.zeros(len(count))
    for ring in np.unique(place):
        off = at - ring
        weight = count * np.exp(-0.5 * (off * step / width_um) ** 2)
        share = weight / np.maximum(count, 1.0)
        first, second = float(weight @ off), float(weight @ off**2)
        whole = float(weight.sum())
        sum_0, sum_1 = float(share @ total), float((share * off) @ total)
        determinant = whole * second - first * first
        flat = determinant <= 1e-9 * whole * whole
        mean[ring] = sum_0 / whole if flat else (second * sum_0 - first * sum_1) / determinant
    taken = np.interp(radius, at, mean)
    return np.where(valid, values - taken, np.nan), float(np.sqrt(np.mean(taken[valid] ** 2)))
