"""How much of two surfaces lies on the other at a pose, and where."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.describe.cloud import Cloud, Pose, moved, scale_of
from ballistics.printed.identify.parameters import DEFAULT, IdentificationParameters


@dataclass(frozen=True)
class Cover:
    """How much of each of two surfaces lies on the other at a pose.

    Parameters
    ----------
    query_deviations : ndarray of float64, shape (points,)
        How far each point of the query lies from the reference, in the reference's unit; infinite out of reach.
    reference_places : ndarray of float64, shape (points, 3)
        Where the points of the reference lie in the query's frame.
    reference_deviations : ndarray of float64, shape (points,)
        How far each point of the reference lies from the query, in the query's unit.
    reference_rows : ndarray of int64, shape (points,)
        The point of the query that each point of the reference lies at; −1 out of reach.
    query_shares, reference_shares : ndarray of float64, shape (tolerances,)
        Share of each surface that lies within each tolerance of the other.
    coverage : float
        0–1: mean over the tolerances of Dice and overlap coefficient of the covered area, where covered is what lies on
        the other surface and runs the same way.
    """

    query_deviations: NDArray[np.float64]
    reference_places: NDArray[np.float64]
    reference_deviations: NDArray[np.float64]
    reference_rows: NDArray[np.int64]
    query_shares: NDArray[np.float64]
    reference_shares: NDArray[np.float64]
    coverage: float


def log_odds(coverage: float) -> float:
    """Return the logarithm of the odds of a coverage, which is taken to be 0.01 to 0.99."""
    within = min(max(coverage, 0.01), 0.99)
    return math.log(within / (1.0 - within))


def covered(query: Cloud, reference: Cloud, pose: Pose, parameters: IdentificationParameters = DEFAULT) -> Cover:
    """Measure how much of each of two surfaces lies on the other at a pose.

    Parameters
    ----------
    query, reference : Cloud
        The two surfaces.
    pose : ndarray of float64, shape (4, 4)
        Similarity from the query to the reference.
    parameters : IdentificationParameters
        Of them the tolerances and the least cosine of normals.

    Returns
    -------
    Cover
    """
    there, back, scales = _both_ways(query, reference, pose[None], parameters)
    return Cover(
        there.deviations[0],
        moved(reference.points, np.asarray(np.linalg.inv(pose), np.float64)),
        back.deviations[0],
        back.rows[0],
        there.near.mean(axis=1)[0],
        back.near.mean(axis=1)[0],
        float(_coverages(query, reference, there, back, scales)[0]),
    )


def coverages(
    query: Cloud, reference: Cloud, poses: NDArray[np.float64], parameters: IdentificationParameters = DEFAULT
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Measure the same as `covered` at several poses, in numbers only.

    Parameters
    ----------
    query, reference : Cloud
        The two surfaces.
    poses : ndarray of float64, shape (poses, 4, 4)
        Similarities from the query to the reference.
    parameters : IdentificationParameters
        Of them the tolerances and the least cosine of normals.

    Returns
    -------
    coverage : ndarray of float64, shape (poses,)
        0–1, see `Cover`.
    query_share, reference_share : ndarray of float64, shape (poses,)
        Of each surface that lies within the largest tolerance of the other, 0–1.
    """
    there, back, scales = _both_ways(query, reference, poses, parameters)
    shares = (found.near[:, :, -1].mean(axis=1) for found in (there, back))
    return _coverages(query, reference, there, back, scales), *shares


@dataclass(frozen=True)
class _Counterparts:
    """Points of one surface on another at several poses, and which are near within each tolerance."""

    rows: NDArray[np.int64]  # poses, points
    deviations: NDArray[np.float64]  # poses, points
    near: NDArray[np.bool_]  # poses, points, tolerances
    alike: NDArray[np.bool_]  # of these, what runs the same way


def _both_ways(
    query: Cloud, reference: Cloud, poses: NDArray[np.float64], parameters: IdentificationParameters
) -> tuple[_Counterparts, _Counterparts, NDArray[np.float64]]:
    """Return the query's points on the reference, the reference's on the query, and the scales, shape (poses, 1)."""
    scales = np.abs(np.linalg.det(poses[:, :3, :3]))[:, None] ** (1 / 3)
    limits = np.array(parameters.tolerances_share_of_size) * reference.size
    found = []
    for moving, fixed, way, limit in (
        (query, reference, poses, np.broadcast_to(limits, (len(poses), len(limits)))),
        (reference, query, np.asarray(np.linalg.inv(poses), np.float64), limits / scales),
    ):
        rows, deviations, cosines = fixed.counterparts(moving.points, moving.normals, way)
        near = deviations[:, :, None] <= limit[:, None]
        alike = near & (cosines >= parameters.surface_cosine)[:, :, None]
        found.append(_Counterparts(rows, deviations, near, alike))
    return found[0], found[1], scales


def _coverages(
    query: Cloud, reference: Cloud, there: _Counterparts, back: _Counterparts, scales: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the mean over the tolerances of Dice and overlap coefficient of the covered area, for each pose."""
    query_shares, reference_shares = there.alike.mean(axis=1), back.alike.mean(axis=1)
    query_area, reference_area = query.area * scales**2, reference.area
    both = query_shares * query_area + reference_shares * reference_area
    dice = both / (query_area + reference_area)
    overlap = np.minimum(1.0, 0.5 * both / np.minimum(query_area, reference_area))
    # The smaller surface cannot be covered by more of the larger one than there is of it, nor the other way round.
    overlap = np.minimum(overlap, np.where(query_area <= reference_area, query_shares, reference_shares))
    return np.asarray((0.5 * dice + 0.5 * overlap).mean(axis=1))


def deviations_of(points: NDArray[np.float64], reference: Cloud, pose: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far points of a query lie from a reference.

    Parameters
    ----------
    points : ndarray of float64, shape (n, 3)
        In the query's frame.
    reference : Cloud
        The reference, in its own frame.
    pose : ndarray of float64, shape (4, 4)
        Similarity from the query to the reference.

    Returns
    -------
    ndarray of float64, shape (n,)
        In the query's unit; infinite out of reach.
    """
    return reference.deviations(moved(points, pose)) / scale_of(pose)
