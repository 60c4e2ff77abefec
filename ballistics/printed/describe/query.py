"""A questioned part, described more finely than a signature, ready to be looked for in a collection."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.describe.cloud import DEFAULT_SURFACE, Cloud, SurfaceParameters
from ballistics.printed.describe.descriptors import (
    QUERY_RADII,
    QUERY_STEPS,
    SIGNATURE_RADII,
    SIGNATURE_STEPS,
    local_descriptors,
)
from ballistics.printed.describe.plainness import worth_of
from ballistics.printed.describe.sampling import EvenSample
from ballistics.printed.describe.signature import Signature, coarse_points, whole_descriptors
from ballistics.printed.describe.surroundings import Surroundings, surroundings_of

#: Keypoints of a query. Fewer than of a signature: they are described at three times as many radii, and say as much.
QUERY_KEYPOINTS = 600


@dataclass(frozen=True)
class Query:
    """A questioned surface.

    Parameters
    ----------
    cloud : Cloud
        Its points; the first are the keypoints. Millimetres, in the frame of the part.
    steps : tuple of int
        Radii of the local descriptors, as steps of 2^(-1/6) from 0.32 of the size.
    keypoints : ndarray of int64, shape (keypoints,)
        Which of the source's keypoints they are.
    whole : ndarray of int8, shape (3, 24)
    source : EvenSample or Signature
        What all this was taken from.
    source_keypoints : int
        Most of its first points that are described.
    below_mm : float
        Of a print that stopped: the height up to which it was printed; of a reference placed on it nothing above can be
        expected. Infinite otherwise.
    """

    cloud: Cloud
    steps: tuple[int, ...]
    keypoints: NDArray[np.int64]
    whole: NDArray[np.int8]
    source: EvenSample | Signature
    source_keypoints: int = QUERY_KEYPOINTS
    below_mm: float = math.inf
    _described: dict[int, NDArray[np.int8]] = field(default_factory=dict, repr=False)

    def local(self, radii: Iterable[int]) -> NDArray[np.int8]:
        """Return the local descriptors at some radii, given as rows of ``steps``; shape (radii, keypoints, 24).

        They are computed when first asked for: a query whose whole surface is found needs few of them.
        """
        rows = list(radii)
        local = np.empty((len(rows), len(self.keypoints), self.whole.shape[1]), dtype=np.int8)
        for place, row in enumerate(rows):
            if row not in self._described:
                self._described[row] = self._described_at_keypoints(row)
            local[place] = self._described[row][self.keypoints]
        return local

    def _described_at_keypoints(self, row: int) -> NDArray[np.int8]:
        """Describe all keypoints of the source."""
        if isinstance(self.source, Signature):
            return np.asarray(self.source.local[row])
        keypoints = coarse_points(self.source)[0][: self.source_keypoints]
        return np.asarray(local_descriptors(self.source, keypoints, (QUERY_RADII[row] * self.source.size_mm,))[0])

    @cached_property
    def fine(self) -> Cloud:
        """All even points of the source, up to 24 000; of a signature or a remainder the cloud, which is all it has."""
        source = self.source
        if isinstance(source, Signature) or self.cloud.area < source.area_mm2:
            return self.cloud
        known = self.cloud.parameters
        return Cloud(source.points_mm, source.size_mm, source.area_mm2, source.spacing_mm, None, known)

    @cached_property
    def surroundings(self) -> Surroundings:
        """The space around the source's surface."""
        return surroundings_of(
            self.source.points_mm() if isinstance(self.source, Signature) else self.source.points_mm,
            self.source.spacing_mm,
            self.cloud.parameters.space_cell_spacings,
        )

    def described_at(self, places_mm: NDArray[np.float64], radius_mm: float) -> NDArray[np.int8]:
        """Describe balls around places on the surface, shape (places, 24); −128 where there is no descriptor.

        A signature has only what it holds: the nearest of its keypoints and radii stand in.
        """
        if not isinstance(self.source, Signature):
            return np.asarray(local_descriptors(self.source, places_mm, (radius_mm,))[0])
        step = round(-6.0 * math.log2(radius_mm / (SIGNATURE_RADII[0] * self.source.size_mm)))
        kept = min(range(len(SIGNATURE_STEPS)), key=lambda k: abs(SIGNATURE_STEPS[k] - step))
        described = np.full((len(places_mm), self.source.local.shape[2]), -128, dtype=np.int8)
        known = self.cloud.parameters
        keypoints = cloud_of(self.source, known).beginning(self.source.local.shape[1])
        row, _ = keypoints.nearest(places_mm, known.counterpart_spacings * keypoints.spacing)
        if abs(SIGNATURE_STEPS[kept] - step) <= 1:
            described[row >= 0] = self.source.local[kept, row[row >= 0]]
        return described

    @cached_property
    def worth(self) -> float:
        """What it says beyond plain bodies, in nats, see `worth_of`."""
        return worth_of(self.local(k for k, step in enumerate(self.steps) if step in SIGNATURE_STEPS))


def query_of_sample(
    sample: EvenSample,
    keypoints: int = QUERY_KEYPOINTS,
    surface: SurfaceParameters = DEFAULT_SURFACE,
    below_mm: float = math.inf,
) -> Query:
    """Describe a sampled surface as a query.

    Parameters
    ----------
    sample : EvenSample
        Of the questioned surface.
    keypoints : int
        At most this number of its first points gets local descriptors, and only when they are asked for.
    surface : SurfaceParameters
        How the surface between the points is understood.
    below_mm : float
        Where a print stopped, see `Query.below_mm`.

    Returns
    -------
    Query
    """
    points, spacing = coarse_points(sample)
    cloud = Cloud(points, sample.size_mm, sample.area_mm2, spacing, None, surface)
    rows = np.arange(len(points[:keypoints]))
    return Query(cloud, QUERY_STEPS, rows, whole_descriptors(sample), sample, keypoints, below_mm)


def remainder(query: Query, explained: NDArray[np.bool_], least_points: int) -> Query | None:
    """Return a query about the points that are not explained.

    The descriptors stay as they are: a ball near the border still sees what is explained, as it sees dummy material.

    Parameters
    ----------
    query : Query
        The question so far.
    explained : ndarray of bool, shape (points,)
        Which points of its cloud are not asked about any more.
    least_points : int
        Fewest points that are still worth a question.

    Returns
    -------
    Query or None
        None when fewer points are left.
    """
    left = ~explained
    if left.sum() < least_points:
        return None
    cloud = query.cloud
    return Query(
        # The keypoints stay in front; what remains of an even sample is even.
        Cloud(cloud.points[left], cloud.size, cloud.area * float(left.mean()), cloud.spacing, None, cloud.parameters),
        query.steps,
        query.keypoints[left[: len(query.keypoints)]],
        query.whole,
        query.source,
        query.source_keypoints,
        query.below_mm,
        query._described,
    )


def query_of_signature(signature: Signature, surface: SurfaceParameters = DEFAULT_SURFACE) -> Query:
    """Use a signature as a query, when the part itself is not available; a little less sure to find pieces."""
    keypoints = np.arange(signature.local.shape[1])
    return Query(cloud_of(signature, surface), SIGNATURE_STEPS, keypoints, signature.whole, signature)


def cloud_of(signature: Signature, surface: SurfaceParameters = DEFAULT_SURFACE) -> Cloud:
    """Return the points of a signature as a cloud."""
    return Cloud(signature.points_mm(), signature.size_mm, signature.area_mm2, signature.spacing_mm, None, surface)
