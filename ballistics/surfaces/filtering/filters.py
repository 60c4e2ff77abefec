"""Low-, high- and band-pass of heights with missing points, with ISO cut-offs (50 % transmission)."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import ParameterError

REFERENCES = (
    "ISO 16610-21:2011",
    "ISO 16610-31:2016",
    "doi:10.1016/S0890-6955(01)00082-7",
    "doi:10.1016/j.forsciint.2017.08.033",
)

# Width (standard deviation) of the Gaussian weight per unit of cut-off wavelength, so that a wave
# of exactly the cut-off keeps half its amplitude. Order 0 transmits exp(-t), order 2 (1 + t)exp(-t),
# with t = (2πσ/λ)²/2; half is reached at t = ln 2 and at t = 1.678347. These are the α = 0.4697 and
# γ = 0.7309 of ISO 16610-21 and -31. (cmcR takes 1/2π = 0.1592: 60.7 % at its nominal cut-off.)
_SIGMA_PER_CUTOFF = {
    0: math.sqrt(2.0 * math.log(2.0)) / (2.0 * math.pi),
    2: math.sqrt(2.0 * 1.6783469900166605) / (2.0 * math.pi),
}
_TRUNCATION_SIGMAS = 4.0  # 6e-5 of the weight lies beyond
_FEWEST_TAPS = 16  # on each side; a Gaussian narrower than the grid has long faint side lobes


def sigma_um(cutoff_um: float, order: int = 0) -> float:
    """Return the standard deviation in µm of the Gaussian weight that has an ISO cut-off.

    Examples
    --------
    >>> round(sigma_um(1.0), 4), round(sigma_um(1.0, order=2), 4)
    (0.1874, 0.2916)
    """
    return _SIGMA_PER_CUTOFF[order] * cutoff_um


def _sampled_weights(sigma: float) -> NDArray[np.float64]:
    """Return the Gaussian of a width given in grid steps, sampled on the grid."""
    half = math.ceil(_TRUNCATION_SIGMAS * sigma)
    return np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)


@lru_cache(maxsize=64)
def _band_limited_weights(sigma: float) -> NDArray[np.float64]:
    """Return weights whose transmission is the Gaussian's at every wavelength that the grid carries.

    A cut-off of 16 µm on a 6.25 µm grid has σ = 0.48 steps: merely sampled, such a Gaussian would
    transmit 67 % at its cut-off. The Fourier series of the wanted transmission transmits 50 %; for
    σ > 1 step the two are the same to 1e-3 and better.
    """
    half = max(_FEWEST_TAPS, math.ceil(_TRUNCATION_SIGMAS * sigma))
    count = 512  # midpoint rule over one period of a smooth function
    frequency = (np.arange(count) + 0.5) / count - 0.5
    transmission = np.exp(-2.0 * (math.pi * sigma * frequency) ** 2)
    steps = np.arange(-half, half + 1)
    weights: NDArray[np.float64] = np.cos(2.0 * math.pi * np.outer(steps, frequency)) @ transmission / count
    weights.flags.writeable = False
    return weights


def _checked(
    heights_um: NDArray[np.floating], spacing_um: tuple[float, float], cutoff_um: float
) -> NDArray[np.float64]:
    values = np.ascontiguousarray(heights_um, dtype=np.float64)
    if values.ndim != 2:
        raise ParameterError(f"heights have {values.ndim} dimensions; a filter needs rows and columns")
    if not all(np.isfinite(step) and step > 0 for step in spacing_um):
        raise ParameterError(f"spacing is {spacing_um} µm; both values must be positive")
    shortest = 2.0 * max(spacing_um)
    if not (np.isfinite(cutoff_um) and cutoff_um > 0):
        raise ParameterError(f"cut-off is {cutoff_um} µm; it must be positive")
    if cutoff_um < shortest:
        raise ParameterError(
            f"cut-off {cutoff_um:g} µm is shorter than the shortest wave that a spacing of "
            f"{max(spacing_um):g} µm carries ({shortest:g} µm); choose a longer one"
        )
    if cutoff_um > 1e4 * max(spacing_um):
        raise ParameterError(
            f"cut-off {cutoff_um:g} µm is more than 10000 points long at a spacing of "
            f"{max(spacing_um):g} µm; check the units"
        )
    return values


def low_pass(
    heights_um: NDArray[np.floating], spacing_um: tuple[float, float], cutoff_um: float, order: int = 0
) -> NDArray[np.float64]:
    """Keep what is longer than a cut-off wavelength; missing points stay missing and have no weight.

    Parameters
    ----------
    heights_um : ndarray, shape (rows, columns)
        Heights in µm; NaN where missing.
    spacing_um : tuple of float
        Distance in µm between rows and between columns.
    cutoff_um : float
        ISO cut-off: a wave of this length keeps 50 % of its amplitude. At least two grid steps.
    order : {0, 2}
        Order of the local regression. 0: weighted mean (ISO 16610-21), which needs a levelled
        surface because it bends towards the middle at edges. 2: second-order surface
        (ISO 16610-31 without robust weights), which returns form unchanged up to any edge.

    Returns
    -------
    ndarray of float64, shape (rows, columns)

    Raises
    ------
    ParameterError
        If the cut-off does not fit the spacing, or the order is neither 0 nor 2.

    References
    ----------
    ISO 16610-21:2011, ISO 16610-31:2016; doi:10.1016/S0890-6955(01)00082-7

    Examples
    --------
    >>> x = np.arange(200) * 5.0
    >>> wave = np.tile(np.sin(2 * np.pi * x / 100.0), (200, 1))
    >>> low = low_pass(wave, (5.0, 5.0), cutoff_um=100.0)
    >>> round(float(low[100, 40:160].std() / wave[100, 40:160].std()), 3)
    0.5
    """
    values = _checked(heights_um, spacing_um, cutoff_um)
    if order == 0:
        from ballistics_kernels.filters import weighted_mean

        sigma = [sigma_um(cutoff_um) / step for step in spacing_um]
        return weighted_mean(values, _band_limited_weights(sigma[0]), _band_limited_weights(sigma[1]))
    if order == 2:
        from ballistics_kernels.filters import quadratic_regression

        sigma = [sigma_um(cutoff_um, order=2) / step for step in spacing_um]
        return quadratic_regression(
            values, _sampled_weights(sigma[0]), _sampled_weights(sigma[1]), 1.0 / sigma[0], 1.0 / sigma[1]
        )
    raise ParameterError(f"order is {order!r}; this filter is defined for 0 and 2")


def high_pass(
    heights_um: NDArray[np.floating], spacing_um: tuple[float, float], cutoff_um: float
) -> NDArray[np.float64]:
    """Keep what is shorter than a cut-off: the heights minus their second-order regression.

    Form up to second order is removed exactly, at edges and beside holes too, so no ringing is
    left where the mark ends. References as of `low_pass`.

    Parameters
    ----------
    heights_um : ndarray, shape (rows, columns)
        Heights in µm; NaN where missing, which stays missing.
    spacing_um : tuple of float
        Distance in µm between rows and between columns.
    cutoff_um : float
        ISO cut-off in µm: a wave of this length keeps 50 % of its amplitude. At least two grid steps.

    Returns
    -------
    ndarray of float64, shape (rows, columns)

    Raises
    ------
    ParameterError
        If the cut-off does not fit the spacing.

    Examples
    --------
    >>> y, x = np.mgrid[:60, :60] * 6.25
    >>> form = 1e-4 * x**2 - 2e-4 * x * y + 0.1 * y
    >>> form[10:30, 20:] = np.nan
    >>> bool(np.nanmax(np.abs(high_pass(form, (6.25, 6.25), 250.0))) < 1e-9)
    True
    """
    return np.asarray(heights_um, dtype=np.float64) - low_pass(heights_um, spacing_um, cutoff_um, order=2)
