"""The arc of a bullet under a land: fitted robustly, so that striae, scratches and grooves do not bend it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ballistics.striations.signature import Floats

# Rounds of least absolute deviations, which a groove at one end does not bend, then of the biweight.
_ROUNDS = (4, 5)
# Tukey's biweight with 95 % efficiency for Gaussian residuals.
_BIWEIGHT = 4.685
_FEWEST_POINTS = 30
# More points than these do not make the arc better.
_POINTS = 300
_SMALLEST_SIGMA_UM = 0.2
_MOST_CURVED = 1e4


@dataclass(frozen=True)
class Arc:
    """A circular arc, as its series about the apex up to the fourth power.

    Parameters
    ----------
    coefficients : tuple of float
        Constant in µm, per mm and per mm² of the parabola through it.
    apex_um : float
        Where it is highest.
    sigma_um : float
        Robust standard deviation of the heights about it.
    """

    coefficients: tuple[float, float, float]
    apex_um: float
    sigma_um: float

    @property
    def radius_mm(self) -> float:
        """Radius of curvature; negative for a hollow, infinite for a plane."""
        return -500.0 / self.coefficients[2] if self.coefficients[2] else math.inf

    def heights(self, x_um: Floats) -> Floats:
        """Return the arc's heights in µm at places in µm."""
        u = x_um / 1000.0
        c = self.coefficients
        return np.asarray(c[0] + u * (c[1] + u * c[2]) + _fourth(c[2]) * (u - self.apex_um / 1000.0) ** 4)

    def descent(self, x_um: Floats) -> Floats:
        """Return by how many µm per µm the arc falls away from its apex."""
        return np.asarray(np.abs(-2e-6 * self.coefficients[2] * (x_um - self.apex_um)))


def _fourth(curvature: float) -> float:
    """Return the coefficient of the fourth power, per mm⁴, of a circle whose parabola has this one per mm²."""
    # Under 0.05 mm of radius no arc is a bullet's; heights in a wrong unit are curved without limit.
    limited = min(max(curvature, -_MOST_CURVED), _MOST_CURVED)
    return limited**3 * 1e-6


def fit_arc(x_um: Floats, z_um: Floats) -> Arc | None:
    """Fit an arc by iterated weights; None for too few points.

    Parameters
    ----------
    x_um, z_um : ndarray of float64, shape (n,)
        Places and heights, all valid.

    Examples
    --------
    >>> x = np.linspace(-1000.0, 1000.0, 400)
    >>> z = np.sqrt(4500.0**2 - x**2) - 4500.0
    >>> z[350:] += 15.0
    >>> round(fit_arc(x, z).radius_mm, 2)
    4.5
    """
    if len(x_um) < _FEWEST_POINTS:
        return None
    step = max(1, len(x_um) // _POINTS)
    u, z = x_um[::step] / 1000.0, z_um[::step]
    design = np.stack([np.ones_like(u), u, u * u], axis=1)
    weights: Floats = np.ones(len(z), np.float64)
    c: Floats = np.zeros(3)
    apex, sigma = float(u.mean()), _SMALLEST_SIGMA_UM
    for k in range(sum(_ROUNDS)):
        fourth = _fourth(float(c[2])) * (u - apex) ** 4
        root = np.sqrt(weights)
        c = np.asarray(np.linalg.lstsq(design * root[:, None], (z - fourth) * root, rcond=None)[0], dtype=np.float64)
        if c[2] != 0.0:
            apex = float(np.clip(-c[1] / (2.0 * c[2]), u.min(), u.max()))
        residuals = z - design @ c - _fourth(float(c[2])) * (u - apex) ** 4
        sigma = max(1.4826 * float(np.median(np.abs(residuals))), _SMALLEST_SIGMA_UM)
        if k < _ROUNDS[0]:
            weights = np.asarray(sigma / np.maximum(np.abs(residuals), 0.1 * sigma), dtype=np.float64)
        else:
            t = residuals / (_BIWEIGHT * sigma)
            weights = np.asarray(np.where(np.abs(t) < 1.0, (1.0 - t * t) ** 2, 0.0), dtype=np.float64)
    return Arc((float(c[0]), float(c[1]), float(c[2])), apex * 1000.0, sigma)
