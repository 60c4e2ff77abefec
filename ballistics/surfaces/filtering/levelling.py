"""Robust levelling: the plane or second-order surface that most of the points agree on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import ParameterError

REFERENCES = ("doi:10.1080/01621459.1984.10477105", "doi:10.1080/00401706.1974.10489171")

_MAD_TO_SIGMA = 1.4826
_TUKEY = 4.685  # 95 % efficiency for normal errors (Beaton & Tukey 1974)
_TRIALS = 150  # three good points are drawn at least once with 1 - 1e-8, if half the points are good
_POINTS_IN_TRIALS = 2000
_POINTS_IN_FIT = 20_000
_ROUNDS = 30
_SEED = 20_130_401
_SETTLED_UM = 1e-4


@dataclass(frozen=True)
class Form:
    """A plane or second-order surface: coefficients of 1, x, y, x², xy, y² about a centre, in mm.

    Parameters
    ----------
    coefficients : ndarray of float64, shape (6,)
        In µm for x and y in mm.
    centre_mm : tuple of float
        (y, x) of the origin of the coefficients, counted from point (0, 0).
    tilt_deg : float
        Angle between the surface at its centre and the horizontal, 0 to 90.
    direction_deg : float
        Where the surface rises: 0 to 360, counter-clockwise from right as displayed (row 0 on top).
    scale_um : float
        Robust standard deviation of the heights about the surface.
    """

    coefficients: NDArray[np.float64]
    centre_mm: tuple[float, float]
    tilt_deg: float
    direction_deg: float
    scale_um: float

    def heights_um(self, shape: tuple[int, int], spacing_um: tuple[float, float]) -> NDArray[np.float64]:
        """Return the heights in µm of the form on a grid."""
        y = np.arange(shape[0])[:, None] * (spacing_um[0] * 1e-3) - self.centre_mm[0]
        x = np.arange(shape[1])[None, :] * (spacing_um[1] * 1e-3) - self.centre_mm[1]
        a, b, c, d, e, f = self.coefficients
        return np.asarray(a + x * (b + d * x + e * y) + y * (c + f * y))


def fit_form(
    heights_um: NDArray[np.floating],
    spacing_um: tuple[float, float],
    order: int = 2,
    *,
    selected: bool = False,
) -> Form | None:
    """Fit the surface that most points agree on: least median of squares, then Tukey's biweight.

    The plane is the one of 150 planes through three points with the smallest median distance
    (Rousseeuw 1984): up to half of the points may belong to holes, walls or letters. From it,
    iteratively reweighted least squares give the plane or second-order surface.

    Parameters
    ----------
    heights_um : ndarray, shape (rows, columns)
        Heights in µm; NaN where missing.
    spacing_um : tuple of float
        Distance in µm between rows and between columns.
    order : {1, 2}
        Plane or second-order surface.
    selected : bool
        True when the points have been selected already, so that nearly all of them belong to the
        surface: the start is then least squares, which changes smoothly with the data and does
        not mistake the curvature of a wide band for outliers.

    Returns
    -------
    Form or None
        None when fewer than ten points are valid, or when they lie on one line.

    Raises
    ------
    ParameterError
        If the order is neither 1 nor 2.

    References
    ----------
    doi:10.1080/01621459.1984.10477105, doi:10.1080/00401706.1974.10489171

    Examples
    --------
    >>> y, x = np.mgrid[:50, :50] * 0.01
    >>> z = 1000 * np.tan(np.deg2rad(2.0)) * x
    >>> z[10:30, 10:30] -= 200.0
    >>> form = fit_form(z, (10.0, 10.0), order=1)
    >>> round(form.tilt_deg, 3), round(form.direction_deg, 3) % 360
    (2.0, 0.0)
    """
    if order not in (1, 2):
        raise ParameterError(f"order is {order!r}; levelling is defined for 1 (plane) and 2 (second order)")
    rows, columns = np.nonzero(np.isfinite(heights_um))
    if rows.size < 10:
        return None
    chosen = np.linspace(0, rows.size - 1, min(rows.size, _POINTS_IN_FIT)).astype(np.intp)
    rows, columns = rows[chosen], columns[chosen]
    y = np.asarray(rows * (spacing_um[0] * 1e-3), dtype=np.float64)
    x = np.asarray(columns * (spacing_um[1] * 1e-3), dtype=np.float64)
    centre = (float(y.mean()), float(x.mean()))
    y, x = y - centre[0], x - centre[1]
    z = np.asarray(heights_um, dtype=np.float64)[rows, columns]
    basis = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)
    size = 3 if order == 1 else 6
    if np.linalg.matrix_rank(basis[:, :3].T @ basis[:, :3]) < 3:
        return None
    if selected:
        residual = z - basis[:, :size] @ _least_squares(basis[:, :size], z, np.ones_like(z))
    else:
        residual = z - basis[:, :3] @ _least_median_plane(x, y, z)
    coefficients = np.zeros(6)
    scale = 0.0
    fitted = np.full(z.shape, np.inf)
    for _ in range(_ROUNDS):
        scale = _MAD_TO_SIGMA * float(np.median(np.abs(residual)))
        weights = np.clip(1.0 - (residual / max(_TUKEY * scale, 1e-9)) ** 2, 0.0, None) ** 2
        if int((weights > 0).sum()) < size:
            break
        coefficients[:size] = _least_squares(basis[:, :size], z, weights)
        before, fitted = fitted, basis @ coefficients
        residual = z - fitted
        if float(np.max(np.abs(fitted - before))) < _SETTLED_UM:
            break
    slope_x, slope_y = coefficients[1] * 1e-3, coefficients[2] * 1e-3
    return Form(
        coefficients=coefficients,
        centre_mm=centre,
        tilt_deg=math.degrees(math.atan(math.hypot(slope_x, slope_y))),
        # y counts downwards, angles as displayed: hence the sign. + 0.0 turns -0 into 0.
        direction_deg=math.degrees(math.atan2(-slope_y + 0.0, slope_x)) % 360.0 + 0.0,
        scale_um=scale,
    )


def _least_squares(
    basis: NDArray[np.float64], z: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Solve the weighted normal equations; the basis is centred and in mm, so they are well conditioned."""
    weighted = basis * weights[:, None]
    # lstsq, not solve: points on few lines may leave a second-order term undetermined.
    return np.asarray(np.linalg.lstsq(weighted.T @ basis, weighted.T @ z, rcond=1e-12)[0])


def _least_median_plane(x: NDArray[np.float64], y: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return constant, x and y slope of the plane through three points with the least median distance."""
    rng = np.random.Generator(np.random.PCG64(_SEED))
    if x.size > _POINTS_IN_TRIALS:
        few = rng.choice(x.size, _POINTS_IN_TRIALS, replace=False)
        x, y, z = x[few], y[few], z[few]
    points = np.stack([np.ones_like(x), x, y], axis=1)
    triples = rng.integers(0, x.size, size=(_TRIALS, 3))
    matrices = points[triples]
    # Nearly collinear triples give wild planes; they lose by their median, but must be solvable.
    solvable = np.abs(np.linalg.det(matrices)) > 1e-9
    if not solvable.any():
        return np.array([float(np.median(z)), 0.0, 0.0])
    planes = np.linalg.solve(matrices[solvable], z[triples[solvable]][:, :, None])[:, :, 0]
    medians = np.median(np.abs(z[:, None] - points @ planes.T), axis=0)
    return np.asarray(planes[int(np.argmin(medians))])
