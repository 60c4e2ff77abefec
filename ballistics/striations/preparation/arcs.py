"""The arc of a bullet under a land: fitted robustly, so that striae, scratches and grooves do not bend it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ballistics.errors import ParameterError
from ballistics.striations.signature import Floats

_MOST_CURVED = 1e4


@dataclass(frozen=True)
class ArcParameters:
    """The numbers of the fit of an arc.

    Parameters
    ----------
    deviation_rounds, biweight_rounds : int
        Rounds of least absolute deviations, which a groove at one end does not bend, then of the biweight.
    biweight_sigmas : float
        Where Tukey's biweight ends; the usual one has 95 % efficiency for Gaussian residuals.
    fewest_points : int
        With fewer there is no arc.
    points : int
        More points than these do not make the arc better.
    smallest_sigma_um : float
        Residuals below this weigh alike.
    """

    deviation_rounds: int = 4
    biweight_rounds: int = 5
    biweight_sigmas: float = 4.685
    fewest_points: int = 30
    points: int = 300
    smallest_sigma_um: float = 0.2

    def __post_init__(self) -> None:
        if min(self.deviation_rounds + self.biweight_rounds, self.points) < 1 or self.fewest_points < 3:
            raise ParameterError("an arc is fitted in at least 1 round, through at least 3 points")
        if not (self.smallest_sigma_um > 0 and self.biweight_sigmas > 0):
            raise ParameterError("smallest_sigma_um and biweight_sigmas of an arc are above 0")


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


def fit_arc(x_um: Floats, z_um: Floats, parameters: ArcParameters | None = None) -> Arc | None:
    """Fit an arc by iterated weights; None for too few points.

    Parameters
    ----------
    x_um, z_um : ndarray of float64, shape (n,)
        Places and heights, all valid.
    parameters : ArcParameters, optional

    Examples
    --------
    >>> x = np.linspace(-1000.0, 1000.0, 400)
    >>> z = np.sqrt(4500.0**2 - x**2) - 4500.0
    >>> z[350:] += 15.0
    >>> round(fit_arc(x, z).radius_mm, 2)
    4.5
    """
    p = parameters or ArcParameters()
    if len(x_um) < p.fewest_points:
        return None
    step = max(1, len(x_um) // p.points)
    u, z = x_um[::step] / 1000.0, z_um[::step]
    design = np.stack([np.ones_like(u), u, u * u], axis=1)
    weights: Floats = np.ones(len(z), np.float64)
    c: Floats = np.zeros(3)
    apex, sigma = float(u.mean()), p.smallest_sigma_um
    for k in range(p.deviation_rounds + p.biweight_rounds):
        fourth = _fourth(float(c[2])) * (u - apex) ** 4
        root = np.sqrt(weights)
        c = np.asarray(np.linalg.lstsq(design * root[:, None], (z - fourth) * root, rcond=None)[0], dtype=np.float64)
        if c[2] != 0.0:
            apex = float(np.clip(-c[1] / (2.0 * c[2]), u.min(), u.max()))
        residuals = z - design @ c - _fourth(float(c[2])) * (u - apex) ** 4
        sigma = max(1.4826 * float(np.median(np.abs(residuals))), p.smallest_sigma_um)
        if k < p.deviation_rounds:
            weights = np.asarray(sigma / np.maximum(np.abs(residuals), 0.1 * sigma), dtype=np.float64)
        else:
            t = residuals / (p.biweight_sigmas * sigma)
            weights = np.asarray(np.where(np.abs(t) < 1.0, (1.0 - t * t) ** 2, 0.0), dtype=np.float64)
    return Arc((float(c[0]), float(c[1]), float(c[2])), apex * 1000.0, sigma)
