"""A surface on a common grid: the same spacing in both directions, missing points kept missing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import ParameterError

REFERENCES = ("doi:10.1109/TASSP.1981.1163711",)
_MOST_POINTS = 10**8


def resample(
    heights_um: NDArray[np.floating], spacing_um: tuple[float, float], target_um: float
) -> NDArray[np.float64]:
    """Interpolate heights on a square grid whose point (0, 0) is that of the given one.

    It does not smooth. Going to a coarser grid, first remove with `low_pass` what the coarser grid
    cannot carry.

    Parameters
    ----------
    heights_um : ndarray, shape (rows, columns)
        Heights in µm; NaN where missing.
    spacing_um : tuple of float
        Distance in µm between rows and between columns.
    target_um : float
        Spacing of the result in µm.

    Returns
    -------
    ndarray of float64, shape (m, n)
        Point (i, j) lies at (i, j) × target_um from the first point; it is missing where the
        nearest given point is.

    Raises
    ------
    ParameterError
        If a spacing is not positive, or the result would have more than 10⁸ points.

    References
    ----------
    doi:10.1109/TASSP.1981.1163711

    Examples
    --------
    >>> y, x = np.mgrid[:9, :9] * 8.0
    >>> resample(0.5 * x + y, (8.0, 8.0), 4.0)[8, 7]
    np.float64(46.0)
    """
    from ballistics_kernels.filters import interpolate_grid

    values = np.ascontiguousarray(heights_um, dtype=np.float64)
    if values.ndim != 2 or values.size == 0:
        raise ParameterError(f"heights have the shape {values.shape}; resampling needs rows and columns")
    if not all(np.isfinite(step) and step > 0 for step in (*spacing_um, target_um)):
        raise ParameterError(f"spacing {spacing_um} µm and target {target_um} µm must be positive")
    # The small allowance keeps the last point when the extent is a whole number of steps.
    count = [
        int(np.floor((n - 1) * step / target_um + 1e-9)) + 1 for n, step in zip(values.shape, spacing_um, strict=True)
    ]
    if count[0] * count[1] > _MOST_POINTS:
        raise ParameterError(
            f"a spacing of {target_um:g} µm would give {count[0]} × {count[1]} points; choose a coarser one"
        )
    rows = np.minimum(np.arange(count[0]) * (target_um / spacing_um[0]), values.shape[0] - 1.0)
    columns = np.minimum(np.arange(count[1]) * (target_um / spacing_um[1]), values.shape[1] - 1.0)
    return interpolate_grid(values, rows, columns)
