"""What is kept of a part to recognise it again: coarse points and local descriptors, never the mesh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.content.part import Part
from ballistics.printed.describe.descriptors import SIGNATURE_RADII, local_descriptors
from ballistics.printed.describe.geometry_hashes import GeometryKeys, geometry_keys
from ballistics.printed.describe.sampling import EvenSample, sample_surface

#: Changes whenever the same mesh could give other values.
SIGNATURE_VERSION = "1"
#: Points whose surroundings are described; the first of the points. At six radii and 24 bytes they take 144 kB of the
#: 256 kB that a reference may take. This number and the next were set, not fitted; no benchmark varies them.
KEYPOINTS = 1000
#: Most points, about 1/50 of the size apart.
MOST_POINTS = 3000
# Balls around the centre of the surface, as multiples of the root mean square distance from it.
_WHOLE_RADII = (1.2, 1.6, 2.2)


@dataclass(frozen=True, eq=False)
class Signature:
    """A part, as far as it must be known to recognise it, a piece of it or something that contains it.

    The points are rounded to 1/255 of the longest side and lie about 1/50 of the size apart: enough to place two
    parts on each other, far from enough to print one. ``benchmarks printed`` measures what can be rebuilt.

    Parameters
    ----------
    codes : ndarray of uint8, shape (points, 3)
        Coarse points of the surface, evenly spread; each beginning of the rows is evenly spread too.
    origin_mm : ndarray of float64, shape (3,)
        Where code 0 lies, in the frame of the part.
    step_mm : float
        Length of one code.
    spacing_mm : float
        Least distance between the points.
    size_mm : float
        Diameter of the smallest ball around the part.
    area_mm2 : float
        Of its surface, hidden parts included.
    local : ndarray of int8, shape (6, keypoints, 24)
        Descriptors of balls around the first points, radius by radius; −128 where there is none.
    whole : ndarray of int8, shape (3, 24)
        Descriptors of the whole surface.
    keys : GeometryKeys or None
        Of the mesh: equal for copies whatever their order and place; None when not known.
    version : str
        `SIGNATURE_VERSION` of the maker; signatures of different versions are not compared.
    """

    codes: NDArray[np.uint8]
    origin_mm: NDArray[np.float64]
    step_mm: float
    spacing_mm: float
    size_mm: float
    area_mm2: float
    local: NDArray[np.int8]
    whole: NDArray[np.int8]
    keys: GeometryKeys | None = None
    version: str = SIGNATURE_VERSION

    def points_mm(self) -> NDArray[np.float64]:
        """Return the coarse points in the frame of the part, shape (points, 3)."""
        return np.asarray(self.origin_mm + self.step_mm * self.codes.astype(np.float64))

    @property
    def nbytes(self) -> int:
        """Size of the arrays in bytes."""
        return self.codes.nbytes + self.origin_mm.nbytes + self.local.nbytes + self.whole.nbytes


def signature_of(part: Part) -> Signature:
    """Compute the signature of a part; the same part gives the same signature, byte for byte.

    Parameters
    ----------
    part : Part

    Returns
    -------
    Signature

    Raises
    ------
    ParameterError
        The part has no surface.

    Examples
    --------
    >>> corners = np.array([[0.0, 0, 0], [40, 0, 0], [0, 30, 0], [0, 0, 20]])
    >>> wedge = Part(corners, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]))
    >>> signature = signature_of(wedge)
    >>> signature.local.shape, 49 < signature.size_mm < 52, signature.nbytes < 256 * 1024
    ((6, 1000, 24), True, True)
    """
    sample = sample_surface(part.vertices_mm, part.faces)
    return signature_of_sample(sample, geometry_keys(part.vertices_mm, part.faces))


def signature_of_sample(sample: EvenSample, keys: GeometryKeys | None) -> Signature:
    """Return the signature of a sampled surface."""
    points, spacing = coarse_points(sample)
    origin = points.min(axis=0)
    step = max(float((points.max(axis=0) - origin).max()) / 255.0, 1e-12)
    codes = np.rint((points - origin) / step).astype(np.uint8)
    keypoints = points[:KEYPOINTS]
    radii = tuple(share * sample.size_mm for share in SIGNATURE_RADII)
    return Signature(
        codes,
        origin,
        step,
        spacing,
        sample.size_mm,
        sample.area_mm2,
        local_descriptors(sample, keypoints, radii),
        whole_descriptors(sample),
        keys,
    )


def coarse_points(sample: EvenSample) -> tuple[NDArray[np.float64], float]:
    """Return the points of the finest level that a signature may hold, and their least distance."""
    level = int(np.flatnonzero(sample.counts <= MOST_POINTS)[-1])
    return sample.points_mm[: sample.counts[level]], float(sample.distances_mm[level])


def whole_descriptors(sample: EvenSample) -> NDArray[np.int8]:
    """Return the descriptors of balls around the centre of the surface, shape (3, 24)."""
    centre = sample.points_mm.mean(axis=0)
    spread = float(np.sqrt(((sample.points_mm - centre) ** 2).sum(axis=1).mean()))
    radii = tuple(multiple * spread for multiple in _WHOLE_RADII)
    return local_descriptors(sample, centre[None], radii)[:, 0]
