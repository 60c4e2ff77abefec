"""Do two surfaces that lie on each other look alike there? Distances of their local descriptors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.describe.descriptors import DESCRIPTOR_STEP
from ballistics_kernels.meshes import capped_distances, least_of_rows

# A radius at which the surroundings are cut off or built over must not outweigh those at which they are not.
_MOST_DISTANCE = 60.0
_MATCHES = 3  # reference keypoints per query keypoint
_FEWEST = 20  # places that an agreement is told from
# Beyond every squared distance that bytes allow: where there is no descriptor, all others resemble it no less.
_FAR = 24 * 256.0**2 * DESCRIPTOR_STEP**2


@dataclass(frozen=True)
class Likeness:
    """What the local descriptors say of two surfaces that lie on each other.

    Parameters
    ----------
    agreement : float
        How well they agree at the reference's own places, see `agreement_in_place`.
    detail : float
        How much the shape that lies there has to say, see `detail_of`.
    radii : int
        How many radii of the two are equal: fewer, the further their sizes are apart.
    """

    agreement: float
    detail: float
    radii: int


def descriptor_distances(query: NDArray[np.int8], reference: NDArray[np.int8]) -> NDArray[np.float32]:
    """Return the squared distances between all keypoints of two parts, over several radii at once.

    Parameters
    ----------
    query, reference : ndarray of int8, shape (radii, keypoints, 24)
        Rows of equal radius at the scale in question; −128 where there is no descriptor.

    Returns
    -------
    ndarray of float32, shape (query keypoints, reference keypoints)
        Mean over the radii, in squared standard deviations; 60 at most.
    """
    return _distances(query, reference, _MOST_DISTANCE)


def _distances(query: NDArray[np.int8], reference: NDArray[np.int8], most: float) -> NDArray[np.float32]:
    upright = np.ascontiguousarray(reference.transpose(0, 2, 1), dtype=np.float32)
    rows = np.ascontiguousarray(query, dtype=np.float32)
    squares = capped_distances(rows, upright, -128.0, most / DESCRIPTOR_STEP**2)
    return np.asarray(squares * np.float32(DESCRIPTOR_STEP**2))


def correspondences(
    total: NDArray[np.float32],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Match keypoints by their descriptors.

    Parameters
    ----------
    total : ndarray of float32, shape (query keypoints, reference keypoints)
        From `descriptor_distances`.

    Returns
    -------
    query_rows, reference_rows : ndarray of int64, shape (m,)
        The best references of each query keypoint.
    weights : ndarray of float64, shape (m,)
        How much nearer than usual a match is, in squared standard deviations.
    """
    columns, best = least_of_rows(total, _MATCHES)
    sparse = total[:, ::7]
    rank = sparse.shape[1] // 20
    usual = np.partition(sparse, rank, axis=1)[:, rank]
    gain = np.maximum(usual[:, None] - best, 0.0)
    rows = np.repeat(np.arange(len(total)), _MATCHES)
    keep = (gain.ravel() > 0) & (columns.ravel() >= 0)
    return rows[keep], columns.ravel()[keep], gain.ravel()[keep].astype(np.float64)


def agreement_in_place(described: NDArray[np.int8], reference: NDArray[np.int8], rows: NDArray[np.int64]) -> float:
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

    Returns
    -------
    float
        Mean over the places of −ln(share of the reference's keypoints that resemble the query there no less than the
        one that lies there); 1 is expected of chance, 0 is returned for fewer than 20 places. Neither a keypoint beside
        the place nor a radius beside the reference's blurs it.
    """
    if len(rows) < _FEWEST:
        return 0.0
    distances = _distances(described[None], reference[None], _FAR)
    own = distances[np.arange(len(rows)), rows]
    return float(-np.log((distances <= own[:, None]).mean(axis=1)).mean())


def detail_of(local: NDArray[np.int8]) -> float:
    """Return how much the surroundings of a keypoint say about its place, in nats.

    Parameters
    ----------
    local : ndarray of int8, shape (radii, keypoints, 24)
        −128 where there is no descriptor.

    Returns
    -------
    float
        ½ ln det(1 + covariance over the keypoints), mean over the radii: the capacity of a Gaussian channel whose
        noise, the effect of disturbances on a descriptor, has the variance 1 (Shannon 1949,
        doi:10.1109/JRPROC.1949.232969). Doors and boxes have 3 to 7, most parts 10 to 16; 0 for fewer than 31
        keypoints.
    """
    found = []
    for row in local:
        # Whole numbers: the sums are exact, in whatever order they are taken.
        there = row[row[:, 0] != -128].astype(np.float64)
        count = len(there)
        if count <= 30:
            continue
        total = there.sum(axis=0)
        covariance = (there.T @ there - np.outer(total, total) / count) / (count - 1)
        found.append(0.5 * np.linalg.slogdet(np.eye(len(total)) + DESCRIPTOR_STEP**2 * covariance)[1])
    return float(np.mean(found)) if found else 0.0
