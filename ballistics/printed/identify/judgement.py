"""Stage 4, judge: a reference placed on the query, registered finely and measured in the terms of the score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.describe.cloud import Cloud, Pose, moved, scale_of
from ballistics.printed.describe.descriptors import DESCRIPTOR_STEP, SIGNATURE_RADII, SIGNATURE_STEPS
from ballistics.printed.describe.query import Query
from ballistics.printed.describe.signature import Signature
from ballistics.printed.identify.coverage import covered
from ballistics.printed.identify.parameters import DEFAULT, IdentificationParameters
from ballistics.printed.identify.placement import descriptor_distances, equal_radii, registered
from ballistics.printed.identify.score import score_model, score_values

# Keypoints of the reference at which the query is described again, and the radius: the least, which cuts and added
# material spoil least.
_IN_PLACE = len(SIGNATURE_STEPS) - 1
# Beyond every squared distance that bytes allow: where there is no descriptor, all others resemble it no less.
_FAR = 24 * 256.0**2 * DESCRIPTOR_STEP**2


@dataclass(frozen=True)
class Likeness:
    """What the local descriptors say of two surfaces of which one covers the other.

    Parameters
    ----------
    agreement : float
        How well they agree at the reference's own places, see `agreement_in_place`.
    detail : float
        How much the shape that they share has to say, see `detail_of`.
    radii : int
        How many radii of the two are equal: fewer, the further their sizes are apart.
    """

    agreement: float
    detail: float
    radii: int


@dataclass(frozen=True)
class Fit:
    """A query placed on a reference.

    Parameters
    ----------
    pose : ndarray of float64, shape (4, 4)
        From the query's frame to the reference's; a similarity.
    query_shares, reference_shares : ndarray of float64, shape (tolerances,)
        Share of each surface that lies within each tolerance of the other.
    coverage : float
        See `Cover`.
    likeness : Likeness
        Of the descriptors where one surface covers the other.
    missing : float
        0–1: share of the reference's surface that the query lacks although its place is empty: cut off, not built over.
    added : float
        0–1: share of the query's surface that lies off the reference, outside it: built on, not a cut through it.
    expected : float
        Share of the reference's surface within the largest tolerance of the query, of what can be expected there: of a
        print that stopped nothing above the height where it did.
    shared : ndarray of int64
        The reference's keypoints, among the first `IdentificationParameters.places`, that lie on the query.
    """

    pose: NDArray[np.float64]
    query_shares: NDArray[np.float64]
    reference_shares: NDArray[np.float64]
    coverage: float
    likeness: Likeness
    missing: float
    added: float
    expected: float
    shared: NDArray[np.int64]

    @property
    def exactness(self) -> float:
        """0–1: of the query's surface within the largest tolerance of the reference, the share within the least."""
        return float(self.query_shares[0] / max(self.query_shares[-1], 0.02))

    @property
    def score(self) -> float:
        """0–1: the odds that a candidate like this is the right reference, among the development queries."""
        return score_model().score(self.values)

    @property
    def values(self) -> tuple[float, ...]:
        """What the score is made of, see `score_values`."""
        alike = self.likeness.agreement, self.likeness.detail, self.likeness.radii
        return score_values(self.coverage, *alike, self.exactness, self.missing, self.added)

    @property
    def scale(self) -> float:
        """Length in the reference over length in the query."""
        return scale_of(self.pose)

    @property
    def mirrored(self) -> bool:
        """Whether the pose reflects."""
        return bool(np.linalg.det(self.pose[:3, :3]) < 0)


def fit_candidate(
    query: Query,
    signature: Signature,
    reference: Cloud,
    step: float,
    rough: Sequence[Pose],
    parameters: IdentificationParameters = DEFAULT,
) -> Fit:
    """Register rough poses finely, and measure the one that covers most.

    Parameters
    ----------
    query : Query
    signature : Signature
        Of the reference.
    reference : Cloud
        Its points.
    step : float
        Ratio of sizes that was voted for, see `Vote.step`.
    rough : sequence of ndarray, shape (4, 4)
        Poses from the query's frame to the reference's.
    parameters : IdentificationParameters
    """
    pose = registered(query.cloud, reference, rough, parameters)
    return _measured(query, equal_radii(query, step)[0], signature, reference, pose, parameters)


def _measured(
    query: Query,
    rows: list[int],
    signature: Signature,
    reference: Cloud,
    pose: Pose,
    parameters: IdentificationParameters,
) -> Fit:
    """Measure all that the score is made of."""
    cover = covered(query.cloud, reference, pose, parameters)
    limit, scale = parameters.largest_tolerance * reference.size, scale_of(pose)
    places = cover.reference_places
    off = cover.query_deviations > limit
    lacked = cover.reference_deviations > limit / scale
    # The reference's own places, brought onto the query's surface along its normal.
    shared = np.flatnonzero(~lacked[: min(parameters.places, signature.local.shape[1])])
    at, normals = query.cloud.points[cover.reference_rows[shared]], query.cloud.normals[cover.reference_rows[shared]]
    heights = ((places[shared] - at) * normals).sum(axis=1)
    radius = SIGNATURE_RADII[_IN_PLACE] * reference.size / scale
    described = query.described_at(places[shared] - heights[:, None] * normals, radius)
    likeness = Likeness(
        agreement_in_place(described, signature.local[_IN_PLACE], shared, parameters.agreement_least_places),
        detail_of(query.local(rows)[:, ~off[: len(query.keypoints)]], parameters.detail_least_keypoints),
        len(rows),
    )
    missing = query.surroundings.are_outside(places[lacked]).sum() / len(places)
    added = reference.surroundings.are_outside(moved(query.cloud.points[off], pose)).sum() / len(off)
    shares = cover.query_shares, cover.reference_shares
    within = places[:, 2] < query.below_mm
    expected = float((~lacked[within]).mean()) if within.any() else 0.0
    return Fit(pose, *shares, cover.coverage, likeness, float(missing), float(added), expected, shared)


def agreement_in_place(
    described: NDArray[np.int8],
    reference: NDArray[np.int8],
    rows: NDArray[np.int64],
    least_places: int = DEFAULT.agreement_least_places,
) -> float:
    """Return how well a query agrees with a reference at the reference's own places.

    Parameters
    ----------
    described : ndarray of int8, shape (places, 24)
        Of the query, at the places where keypoints of the reference lie on it, at the reference's radius; −128 where
        there is no descriptor.
    reference : ndarray of int8, shape (keypoints, 24)
        The reference's descriptors at that radius.
    rows : ndarray of int64, shape (places,)
        The keypoint at each place.
    least_places : int
        For fewer places 0 is returned.

    Returns
    -------
    float
        Mean over the places of −ln(share of the reference's keypoints that resemble the query there no less than the
        one at the place); 1 is expected of chance. Neither a keypoint beside the place nor a radius beside the
        reference's blurs it.
    """
    if len(rows) < least_places:
        return 0.0
    distances = descriptor_distances(described[None], reference[None], _FAR)
    own = distances[np.arange(len(rows)), rows]
    return float(-np.log((distances <= own[:, None]).mean(axis=1)).mean())


def detail_of(local: NDArray[np.int8], least_keypoints: int = DEFAULT.detail_least_keypoints) -> float:
    """Return how much the surroundings of a keypoint say about its place, in nats.

    Parameters
    ----------
    local : ndarray of int8, shape (radii, keypoints, 24)
        −128 where there is no descriptor.
    least_keypoints : int
        A radius at which as many keypoints or fewer are described is left out.

    Returns
    -------
    float
        ½ ln det(1 + covariance over the keypoints), mean over the radii: the capacity of a Gaussian channel whose
        noise, the effect of disturbances on a descriptor, has the variance 1 (Shannon 1949,
        doi:10.1109/JRPROC.1949.232969). Doors and boxes have 3 to 7, most parts 10 to 16; 0 where no radius is left.
    """
    found = []
    for row in local:
        # Whole numbers: the sums are exact, in whatever order they are taken.
        there = row[row[:, 0] != -128].astype(np.float64)
        count = len(there)
        if count <= least_keypoints:
            continue
        total = there.sum(axis=0)
        covariance = (there.T @ there - np.outer(total, total) / count) / (count - 1)
        found.append(0.5 * np.linalg.slogdet(np.eye(len(total)) + DESCRIPTOR_STEP**2 * covariance)[1])
    return float(np.mean(found)) if found else 0.0
