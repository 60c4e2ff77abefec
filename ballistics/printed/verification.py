"""Does one surface lie on the other? Similarities from matched descriptors, coverage both ways, fine registration."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.descriptors import DESCRIPTOR_STEP
from kernels.cell_grid import sort_into_cells
from kernels.matching import capped_distances, least_of_rows
from kernels.near_points import nearest_within, normals_from_neighbours, plane_equations
from kernels.similarity_consensus import similarity_consensus

Pose = NDArray[np.float64]

# All lengths below are shares of the reference's size, at the scale found.
_FOLLOWS = 0.03  # a correspondence follows a similarity
_SHORTEST = 0.06  # sides of the triangles that propose similarities
_SCALE_SLACK = 1.26  # the voted scale is counted in steps of 12 % and smoothed over three
_TRIPLES = 12_000
_ROUNDS = 9  # of fine registration
# A radius at which the surroundings are cut off or built over must not outweigh those at which they are not.
_MOST_DISTANCE = 60.0
_MATCHES = 3  # reference keypoints per query keypoint
_REACH = 0.04  # points further away than this have no counterpart
#: Deviations up to which a point counts as explained; the score is the mean over them.
TOLERANCES = (0.006, 0.01, 0.015, 0.025)
#: The tolerance of the shares that are reported.
REPORTED = 2
_SEED = 6
# Logistic regression of "this is the reference" on `score_features` and 1, from a trial of 54 queries against 497
# references; benchmarks/printed_score.py is there to fit it again on the development half and has not been run yet.
_SCORE = (1.1, 2.2, -8.6)


@dataclass(frozen=True)
class Cloud:
    """Even points of a surface, with what is needed to find their neighbours.

    Parameters
    ----------
    points : ndarray of float64, shape (n, 3)
    size : float
        Of the whole part.
    area : float
        Of the surface the points stand for.
    spacing : float
        Least distance between the points.
    """

    points: NDArray[np.float64]
    size: float
    area: float
    spacing: float

    def beginning(self, count: int) -> Cloud:
        """Return a coarser cloud: the first points, which are even too; kept for the next call."""
        if count >= len(self.points):
            return self
        if count not in self._coarser:
            sparser = self.spacing * float(np.sqrt(len(self.points) / count))
            self._coarser[count] = Cloud(self.points[:count], self.size, self.area, sparser)
        return self._coarser[count]

    @cached_property
    def _coarser(self) -> dict[int, Cloud]:
        return {}

    @cached_property
    def cell(self) -> float:
        """Side of the cells the points are sorted into."""
        return max(_REACH * self.size, 1.8 * self.spacing)

    @cached_property
    def _sorted(self) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        return sort_into_cells(self.points, self.cell)

    @cached_property
    def normals(self) -> NDArray[np.float64]:
        """Unsigned normals at the points, shape (n, 3)."""
        cell = 2.2 * self.spacing
        return normals_from_neighbours(self.points, cell, *sort_into_cells(self.points, cell))

    def nearest(self, queries: NDArray[np.float64], reach: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the row of the nearest point within reach of each query, −1 for none, and its distance."""
        return nearest_within(queries, self.points, self.cell, *self._sorted, min(reach, self.cell))

    def deviations(self, queries: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far each query lies from the surface that the points sample; infinite when out of reach.

        Across the surface the distance counts in full; along it only what goes beyond the spacing of the points.
        """
        reach = max(_REACH * self.size, 1.2 * self.spacing)
        row, distance = self.nearest(queries, reach)
        offset = queries - self.points[row]
        across = np.abs((offset * self.normals[row]).sum(axis=1))
        # The middle of three points 1 spacing apart is 0.58, of the sparsest possible sample 1 spacing away.
        along = np.sqrt(np.maximum(distance**2 - across**2, 0.0))
        deviation = np.maximum(across, along - 0.9 * self.spacing)
        deviation[row < 0] = np.inf
        return np.asarray(deviation)


@dataclass(frozen=True)
class Fit:
    """One surface laid on another.

    Parameters
    ----------
    pose : ndarray of float64, shape (4, 4)
        From the query's frame to the reference's; a similarity.
    query_shares, reference_shares : ndarray of float64, shape (4,)
        Share of each surface that lies within each of the `TOLERANCES` of the other.
    coverage : float
        0–1: mean over the tolerances of Dice and overlap coefficient of the covered area.
    agreement : float
        How well the descriptors agree where the surfaces lie on each other, see `agreement_at`.
    """

    pose: NDArray[np.float64]
    query_shares: NDArray[np.float64]
    reference_shares: NDArray[np.float64]
    coverage: float
    agreement: float

    @property
    def score(self) -> float:
        """0–1: planes cover each other well, but their descriptors do not agree more than any others."""
        return 1.0 / (1.0 + math.exp(-sum(map(math.prod, zip(_SCORE, (*score_features(self), 1.0), strict=True)))))

    @property
    def scale(self) -> float:
        """Length in the reference over length in the query."""
        return float(abs(np.linalg.det(self.pose[:3, :3])) ** (1 / 3))

    @property
    def mirrored(self) -> bool:
        """Whether the pose turns a left hand into a right one."""
        return bool(np.linalg.det(self.pose[:3, :3]) < 0)


def score_features(fit: Fit) -> tuple[float, float]:
    """Return what the score is made of: the log-odds of the coverage, and the agreement."""
    coverage = min(max(fit.coverage, 0.01), 0.99)
    return math.log(coverage / (1.0 - coverage)), fit.agreement


def moved(points: NDArray[np.float64], pose: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points under a 4 × 4 (or 3 × 4) affine pose."""
    return np.asarray(points @ pose[:3, :3].T + pose[:3, 3])


def covered(query: Cloud, reference: Cloud, pose: Pose, agreement: float = 0.0) -> Fit:
    """Measure how much of each surface lies on the other at a pose from the query to the reference."""
    inverse = np.asarray(np.linalg.inv(pose), np.float64)
    scale = float(abs(np.linalg.det(pose[:3, :3])) ** (1 / 3))
    limits = np.array(TOLERANCES) * reference.size
    there = reference.deviations(moved(query.points, pose))
    back = query.deviations(moved(reference.points, inverse)) * scale
    query_shares = (there[:, None] <= limits).mean(axis=0)
    reference_shares = (back[:, None] <= limits).mean(axis=0)
    coverage = coverage_of(query, reference, scale, query_shares, reference_shares)
    return Fit(pose, query_shares, reference_shares, coverage, agreement)


def deviations_of(points: NDArray[np.float64], reference: Cloud, pose: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far points in the query's frame lie from the reference, in the query's unit; infinite out of reach."""
    scale = float(abs(np.linalg.det(pose[:3, :3])) ** (1 / 3))
    return reference.deviations(moved(points, pose)) / scale


def coverage_of(
    query: Cloud,
    reference: Cloud,
    scale: float,
    query_shares: NDArray[np.float64],
    reference_shares: NDArray[np.float64],
) -> float:
    """Return the mean over the tolerances of Dice and overlap coefficient of the covered area."""
    query_area, reference_area = query.area * scale**2, reference.area
    both = query_shares * query_area + reference_shares * reference_area
    dice = both / (query_area + reference_area)
    overlap = np.minimum(1.0, 0.5 * both / min(query_area, reference_area))
    # The smaller surface cannot be covered by more of the larger one than there is of it, nor the other way round.
    overlap = np.minimum(overlap, query_shares if query_area <= reference_area else reference_shares)
    return float((0.5 * dice + 0.5 * overlap).mean())


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
    upright = np.ascontiguousarray(reference.transpose(0, 2, 1), dtype=np.float32)
    rows = np.ascontiguousarray(query, dtype=np.float32)
    squares = capped_distances(rows, upright, -128.0, _MOST_DISTANCE / DESCRIPTOR_STEP**2)
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


def agreement_at(
    distances: NDArray[np.float32],
    query: Cloud,
    reference: Cloud,
    pose: Pose,
) -> float:
    """Return how well the descriptors agree where the surfaces lie on each other.

    Parameters
    ----------
    distances : ndarray of float32, shape (query keypoints, reference keypoints)
        From `descriptor_distances`; the keypoints are the first points of the clouds.
    pose : ndarray of float64, shape (4, 4)
        From the query to the reference.

    Returns
    -------
    float
        Mean over the query's keypoints that lie on the reference of −ln(share of the reference's keypoints that
        resemble it no less than the one it lies on); 1 is expected of chance, 0 is returned for fewer than 20.
    """
    count = distances.shape[0]
    at = moved(query.points[:count], pose)
    keypoints = reference.beginning(distances.shape[1])
    row, _ = keypoints.nearest(at, 1.2 * keypoints.spacing)
    lies = (row >= 0) & (reference.deviations(at) <= TOLERANCES[-1] * reference.size)
    if lies.sum() < 20:
        return 0.0
    own = distances[lies, row[lies]]
    share = (distances[lies] <= own[:, None]).mean(axis=1)
    return float(-np.log(share).mean())


def propose(
    query_points: NDArray[np.float64],
    reference_points: NDArray[np.float64],
    matches: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]],
    scale: float,
    reference_size: float,
    keep: int,
) -> list[tuple[Pose, float]]:
    """Return the similarities that most matches follow, best first, as 4 × 4 poses with the followers' weight."""
    rows, columns, weights = matches
    if len(rows) < 6:
        return []
    generator = np.random.Generator(np.random.PCG64(_SEED))
    chances = np.cumsum(weights / weights.sum())
    triples = np.minimum(np.searchsorted(chances, generator.random((_TRIPLES, 3))), len(rows) - 1)
    similarities, scores = similarity_consensus(
        np.ascontiguousarray(query_points[rows]),
        np.ascontiguousarray(reference_points[columns]),
        weights,
        triples.astype(np.int64),
        scale,
        _SCALE_SLACK,
        _SHORTEST * reference_size / scale,
        _FOLLOWS * reference_size,
        keep,
    )
    last = [0.0, 0.0, 0.0, 1.0]
    return [(np.vstack([s, last]), float(v)) for s, v in zip(similarities, scores, strict=True) if v > 0]


def refine(query: Cloud, reference: Cloud, pose: Pose) -> Pose:
    """Register finely, scale included: point to plane on what lies within a shrinking reach."""
    points = query.points
    reaches = np.geomspace(0.04, 0.012, _ROUNDS) * reference.size
    for reach in np.maximum(reaches, 0.75 * reference.spacing):
        at = moved(points, pose)
        row, _ = reference.nearest(at, float(reach))
        found = row >= 0
        if found.sum() < 20:
            break
        centre = at[found].mean(axis=0)
        matrix, right = plane_equations(at, reference.points, reference.normals, row, centre, 0.02)
        solution = np.linalg.solve(matrix + 1e-9 * np.trace(matrix) * np.eye(7), right)
        step = np.eye(4)
        step[:3, :3] = np.exp(np.clip(solution[3], -0.1, 0.1)) * turn_of(solution[:3])
        step[:3, 3] = centre + solution[4:] - step[:3, :3] @ centre
        pose = step @ pose
    return pose


def turn_of(rotation_vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rotation matrix of a rotation vector in radians (Rodrigues)."""
    angle = float(np.linalg.norm(rotation_vector))
    if angle < 1e-12:
        return np.eye(3)
    x, y, z = rotation_vector / angle
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)
