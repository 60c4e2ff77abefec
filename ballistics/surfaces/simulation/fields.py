"""Random fields that simulated surfaces are made of: periodic canvases of cubic B-spline coefficients.

A canvas is a *function* of the plane, not a picture: whatever the pose or the spacing of a
simulated scan, it is evaluated at the exact positions of the points, so that the ground truth
holds to rounding.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

CANVAS_SPACING_UM = 5.0
CANVAS_POINTS = 1080  # 5.4 mm: wider than any primer, so that no primer shows the period

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Canvas:
    """A periodic function of the plane, as cubic B-spline coefficients on a square grid.

    Parameters
    ----------
    coefficients : ndarray of float32, shape (n, n)
        Spline coefficients; coefficient (n // 2, n // 2) lies at the origin.
    spacing_um : float
        Distance between neighbouring coefficients in µm.
    """

    coefficients: NDArray[np.float32]
    spacing_um: float

    def at(self, y_um: Floats, x_um: Floats) -> Floats:
        """Return the values at positions in µm (arrays of one shape; the result has it too)."""
        middle = self.coefficients.shape[0] // 2
        positions = np.stack((y_um, x_um)) / self.spacing_um + middle
        values: Floats = ndimage.map_coordinates(
            self.coefficients, positions, order=3, mode="grid-wrap", prefilter=False, output=np.float64
        )
        return values


def generator(seed: int, purpose: str) -> np.random.Generator:
    """Return the random generator of one purpose: adding a purpose never changes another's numbers."""
    return np.random.Generator(np.random.PCG64([seed, zlib.crc32(purpose.encode())]))


def red_field(
    rng: np.random.Generator,
    short_um: float,
    long_um: float,
    exponent: float,
    points: int = CANVAS_POINTS,
    spacing_um: float = CANVAS_SPACING_UM,
) -> NDArray[np.float32]:
    """Return a Gaussian random field of unit rms with a band-limited power-law spectrum.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    short_um, long_um : float
        Wavelengths in µm at which the amplitude has fallen to one half.
    exponent : float
        The amplitude falls as frequency to the power −exponent between the two.
    points, spacing_um : int, float
        Size and spacing of the square periodic grid.

    Returns
    -------
    ndarray of float32, shape (points, points)
    """
    white = rng.standard_normal((points, points), dtype=np.float32)
    fy = np.fft.fftfreq(points, spacing_um)[:, None]
    fx = np.fft.rfftfreq(points, spacing_um)[None, :]
    frequency = np.sqrt(fy * fy + fx * fx)
    half = np.log(2.0)
    amplitude = np.exp(-half * (frequency * short_um) ** 2)
    amplitude *= -np.expm1(-half * (frequency * long_um) ** 2)
    frequency[0, 0] = 1.0
    amplitude *= frequency**-exponent
    amplitude[0, 0] = 0.0
    spectrum = fft.rfft2(white, workers=1)
    spectrum *= amplitude.astype(np.float32)
    field = fft.irfft2(spectrum, s=white.shape, workers=1)
    return np.asarray(field / _rms(field), dtype=np.float32)


def red_profile(rng: np.random.Generator, points: int, spacing_um: float, short_um: float, long_um: float) -> Floats:
    """Return a random 1-D profile of unit rms, amplitude falling as 1/√frequency inside its band.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    points : int
        Length of the profile, which is periodic.
    spacing_um : float
        Distance between its points in µm.
    short_um, long_um : float
        Wavelengths in µm at which the amplitude has fallen to one half.

    Returns
    -------
    ndarray of float64, shape (points,)
        Without unit; its mean is 0.
    """
    frequency = np.fft.rfftfreq(points, spacing_um)
    half = np.log(2.0)
    amplitude = np.exp(-half * (frequency * short_um) ** 2) * -np.expm1(-half * (frequency * long_um) ** 2)
    amplitude[1:] /= np.sqrt(frequency[1:])
    profile = np.fft.irfft(np.fft.rfft(rng.standard_normal(points)) * amplitude, points)
    return np.asarray(profile / _rms(profile), dtype=np.float64)


def unit_rms(field: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the field with its mean removed, scaled to unit rms."""
    centred = field - np.float32(field.mean(dtype=np.float64))
    return np.asarray(centred / _rms(centred), dtype=np.float32)


def _rms(values: NDArray[np.float32] | Floats) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))
