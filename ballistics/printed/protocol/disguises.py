"""What is done to the points of a reference to hide where they came from; seeded, in memory, never written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.describe.sampling import EvenSample, enclosing_diameter
from ballistics.printed.describe.signature import Signature, signature_of_sample
from ballistics_kernels.meshes import even_order

Points = NDArray[np.float64]
# Levels of an even sample: three to a factor of two, as of a mesh.
_LEVELS = 9
_NOISE_SHARE = 0.005
# Area of the foreign material, as a share of the reference's.
_FOREIGN_AREA = 0.6


@dataclass(frozen=True)
class Disguise:
    """A way to disguise a reference.

    Parameters
    ----------
    name : str
    scaled, mirrored : bool
        Whether its size changes by a random factor of 0.5 to 2, and whether it becomes its mirror image.
    left : float
        Share of the surface that a random plane leaves, 0–1.
    noise : float
        Standard deviation of the points' noise, as a share of the size.
    foreign : bool
        Whether a box of other material is built onto it.
    """

    name: str
    scaled: bool = False
    mirrored: bool = False
    left: float = 1.0
    noise: float = 0.0
    foreign: bool = False

    def apply(self, signature: Signature, generator: np.random.Generator) -> Signature:
        """Disguise a reference, always turned and shifted at random; its descriptors are made anew.

        Parameters
        ----------
        signature : Signature
            Of the reference.
        generator : numpy.random.Generator
            Seeded: the same seed gives the same disguise.
        """
        points = signature.points_mm()
        area = signature.area_mm2
        if self.left < 1.0:
            normal = generator.normal(size=3)
            along = points @ (normal / np.linalg.norm(normal))
            points = points[along <= np.quantile(along, self.left)]
            area *= self.left
        if self.foreign:
            points, area = _with_box(points, area, generator)
        if self.noise > 0.0:
            points = points + generator.normal(scale=self.noise * signature.size_mm, size=points.shape)
        turn = np.linalg.qr(generator.normal(size=(3, 3)))[0]
        turn *= np.sign(np.linalg.det(turn)) * (-1.0 if self.mirrored else 1.0)
        factor = float(2.0 ** generator.uniform(-1.0, 1.0)) if self.scaled else 1.0
        shift = generator.normal(scale=signature.size_mm, size=3)
        return signature_of_sample(_sample(factor * points @ turn.T + shift, factor**2 * area, generator), None)


#: Done in turn; their parameters are those of the project's own benchmark, and none is tuned to a collection.
DISGUISES = (
    Disguise("turned"),
    Disguise("scaled 0.5–2", scaled=True),
    Disguise("mirrored", mirrored=True),
    Disguise("noise 0.5 %", noise=_NOISE_SHARE),
    Disguise("cut to 50 %", left=0.5),
    Disguise("cut to 25 %", left=0.25),
    Disguise("foreign material", foreign=True),
    Disguise("mirrored, scaled, foreign material", scaled=True, mirrored=True, foreign=True),
    Disguise("cut to 50 %, scaled, noise 0.5 %", scaled=True, left=0.5, noise=_NOISE_SHARE),
)


def _with_box(points: Points, area: float, generator: np.random.Generator) -> tuple[Points, float]:
    """Return points with those of a box that lies across a random place of the surface, as densely."""
    edges = generator.uniform(0.5, 1.5, 3)
    faces = 2.0 * np.array([edges[1] * edges[2], edges[0] * edges[2], edges[0] * edges[1]])
    edges *= np.sqrt(_FOREIGN_AREA * area / faces.sum())
    count = int(_FOREIGN_AREA * len(points))
    box = generator.uniform(-0.5, 0.5, (count, 3))
    axis = generator.choice(3, count, p=faces / faces.sum())
    box[np.arange(count), axis] = np.where(generator.random(count) < 0.5, -0.5, 0.5)
    turn = np.linalg.qr(generator.normal(size=(3, 3)))[0]
    place = points[generator.integers(len(points))]
    return np.concatenate([points, box * edges @ turn.T + place]), (1.0 + _FOREIGN_AREA) * area


def _sample(points: Points, area: float, generator: np.random.Generator) -> EvenSample:
    """Return points as an even sample, thinned where they lie closer than their area allows."""
    points = points[generator.permutation(len(points))]
    # Points of an even sample lie about so far apart: 0.7 of the side of a square for each.
    finest = 0.7 * float(np.sqrt(area / len(points)))
    distances = finest * 2.0 ** (np.arange(_LEVELS - 1, -1, -1) / 3.0)
    tries = np.full(_LEVELS, len(points), np.int64)
    order, counts = even_order(points, distances, tries, len(points))
    return EvenSample(points[order], distances, counts, enclosing_diameter(points), area)
