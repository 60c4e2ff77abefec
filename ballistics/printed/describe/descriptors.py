"""Local descriptors of a surface at several radii, and the metric in which they are compared."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.describe.sampling import EvenSample
from ballistics_kernels.meshes import ball_descriptors, harmonic_recurrence

# Distance between the points of a ball as a share of its radius: about 450 points on a plane.
_POINTS_PER_RADIUS = 13.0
# A ball with fewer points than this lies at the end of a wire or beyond the sample's density; it is not described.
_LEAST_POINTS = 60
#: One step of the stored bytes, in standard deviations of a descriptor under the disturbances of the training.
DESCRIPTOR_STEP = 0.125

#: Radii of a signature's balls as shares of the size, largest first: three to a factor of two.
SIGNATURE_RADII = tuple(0.32 * 2.0 ** (-k / 3.0) for k in range(6))
#: Radii of a query: six to a factor of two, and further both ways, because its size may not be its reference's.
QUERY_RADII = tuple(0.32 * 2.0 ** (-k / 6.0) for k in range(-2, 15))
#: Rows of both tables are steps of 2^(-1/6) from 0.32 down.
SIGNATURE_STEPS = tuple(range(0, 12, 2))
QUERY_STEPS = tuple(range(-2, 15))


@dataclass(frozen=True)
class Metric:
    """The directions, learned on generated solids, in which a descriptor says most about its place.

    Parameters
    ----------
    mean : ndarray of float32, shape (92,)
        Subtracted first.
    directions : ndarray of float32, shape (92, 24)
        Scaled so that an undisturbed and a disturbed descriptor of one place differ by about 1 along each.
    centres : ndarray of float32, shape (cells, 24)
        Centres of the cells of the neighbour index.
    """

    mean: NDArray[np.float32]
    directions: NDArray[np.float32]
    centres: NDArray[np.float32]


@cache
def metric() -> Metric:
    """Return the metric that ships with the package (made by ``benchmarks/training/printed_metric.py``)."""
    with resources.files("ballistics.printed.describe").joinpath("descriptor_metric.npz").open("rb") as file:
        arrays = np.load(file, allow_pickle=False)
        return Metric(*(arrays[name].astype(np.float32) for name in ("mean", "directions", "centres")))


def raw_descriptors(sample: EvenSample, centres_mm: NDArray[np.float64], radius_mm: float) -> NDArray[np.float32]:
    """Return the descriptors of balls of one radius, before the metric.

    Parameters
    ----------
    sample : EvenSample
        Of the surface; the level that suits the radius is used.
    centres_mm : ndarray of float64, shape (centres, 3)
        Middles of the balls.
    radius_mm : float
        Of all balls.

    Returns
    -------
    ndarray of float32, shape (centres, 92)
        Harmonic energies and products of the shells, and the logarithm of the area in the ball over that of a
        plane; NaN where a ball holds too few points.
    """
    points, distance = sample.level(radius_mm / _POINTS_PER_RADIUS)
    energies, counts = ball_descriptors(points, centres_mm, radius_mm, _LEAST_POINTS, harmonic_recurrence())
    described = np.empty((len(centres_mm), energies.shape[1] + 1), dtype=np.float32)
    described[:, :-1] = energies
    # Poisson-disc samples hold about 0.72 points per square of their distance.
    described[:, -1] = np.log(np.maximum(counts, 1) * (distance / radius_mm) ** 2 / (0.72 * np.pi))
    described[counts < _LEAST_POINTS] = np.nan
    return described


def local_descriptors(
    sample: EvenSample, centres_mm: NDArray[np.float64], radii_mm: tuple[float, ...]
) -> NDArray[np.int8]:
    """Return descriptors in the metric, as bytes.

    Parameters
    ----------
    sample : EvenSample
        Of the surface.
    centres_mm : ndarray of float64, shape (centres, 3)
        Middles of the balls.
    radii_mm : tuple of float
        Each ball is described at each radius.

    Returns
    -------
    ndarray of int8, shape (radii, centres, 24)
        −128 in every place where a ball is not described. Cost: about 40 µs a ball.
    """
    learned = metric()
    out = np.empty((len(radii_mm), len(centres_mm), learned.directions.shape[1]), dtype=np.int8)
    for k, radius in enumerate(radii_mm):
        raw = raw_descriptors(sample, centres_mm, radius)
        # Not a product of matrices: BLAS would share so little work out over threads, and its bytes depend on them.
        values = np.clip(
            np.rint(np.einsum("cd,de->ce", raw - learned.mean, learned.directions) / DESCRIPTOR_STEP), -127, 127
        )
        out[k] = np.where(np.isnan(values), -128, values).astype(np.int8)
    return out
