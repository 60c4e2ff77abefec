"""A questioned part, described more finely than a signature, ready to be looked for in a collection."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.cloud import Cloud
from ballistics.printed.descriptors import QUERY_RADII, QUERY_STEPS, SIGNATURE_STEPS, local_descriptors
from ballistics.printed.likeness import detail_of
from ballistics.printed.sampling import EvenSample
from ballistics.printed.signature import Signature, coarse_points, whole_descriptors

# Fewer than of a signature: they are described at three times as many radii, and say as much.
_KEYPOINTS = 600


@dataclass(frozen=True)
class Query:
    """A questioned surface.

    Parameters
    ----------
    cloud : Cloud
        Its points; the first are the keypoints. Millimetres, in the frame of the part.
    steps : tuple of int
        Radii of the local descriptors, as steps of 2^(-1/6) from 0.32 of the size.
    local : ndarray of int8, shape (radii, keypoints, 24)
    whole : ndarray of int8, shape (3, 24)
    """

    cloud: Cloud
    steps: tuple[int, ...]
    local: NDArray[np.int8]
    whole: NDArray[np.int8]

    @property
    def detail(self) -> float:
        """How much the surroundings of a keypoint say about its place, see `detail_of`; low for plates and boxes."""
        return detail_of(self.local[[k for k, step in enumerate(self.steps) if step in SIGNATURE_STEPS]])


def query_of_sample(sample: EvenSample) -> Query:
    """Describe a sampled surface as a query."""
    points, spacing = coarse_points(sample)
    radii = tuple(share * sample.size_mm for share in QUERY_RADII)
    return Query(
        Cloud(points, sample.size_mm, sample.area_mm2, spacing),
        QUERY_STEPS,
        local_descriptors(sample, points[:_KEYPOINTS], radii),
        whole_descriptors(sample),
    )


def remainder(query: Query, explained: NDArray[np.bool_]) -> Query | None:
    """Return a query about the points that are not explained; None when too few are left to say anything.

    The descriptors stay as they are: a ball near the border still sees what is explained, as it sees dummy material.
    """
    left = ~explained
    if left.sum() < 200:
        return None
    keypoints = left[: query.local.shape[1]]
    cloud = query.cloud
    return Query(
        # The keypoints stay in front; what remains of an even sample is even.
        Cloud(cloud.points[left], cloud.size, cloud.area * float(left.mean()), cloud.spacing),
        query.steps,
        np.ascontiguousarray(query.local[:, keypoints]),
        query.whole,
    )


def query_of_signature(signature: Signature) -> Query:
    """Use a signature as a query, when the part itself is not at hand; a little less sure to find pieces."""
    return Query(cloud_of(signature), SIGNATURE_STEPS, signature.local, signature.whole)


def cloud_of(signature: Signature) -> Cloud:
    """Return the points of a signature as a cloud."""
    return Cloud(signature.points_mm(), signature.size_mm, signature.area_mm2, signature.spacing_mm)
