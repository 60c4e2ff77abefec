"""Matched points of a query and of many references: which matches tell the same distances?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel
from ballistics_kernels.meshes.scale_votes import StoredNeighbours


class ReferenceMatches(NamedTuple):
    """Matches of a query with references, by place, as `matches_by_reference` returns them."""

    starts: NDArray[np.int64]
    query: NDArray[np.int64]
    stored: NDArray[np.int64]
    weights: NDArray[np.float64]


@kernel
def matches_by_reference(
    found: StoredNeighbours,
    places: NDArray[np.int64],
    steps: NDArray[np.int64],
    floor: float,
    most: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Collect the matches of some references, each at about one scale.

    Parameters
    ----------
    found : StoredNeighbours
    places : ndarray of int64, shape (references,)
        Place of each reference among those asked for; −1 for the others.
    steps : ndarray of int64, shape (r,)
        By place: the difference of steps, stored minus query, that the matches have, give or take one.
    floor : float
        As for `ballistics_kernels.meshes.scale_votes.scale_votes`.
    most : int
        The largest number of matches of a reference that are kept, the heaviest first.

    Returns
    -------
    starts : ndarray of int64, shape (r + 1,)
        Matches of place p are those from starts[p] to starts[p + 1].
    query, stored : ndarray of int64, shape (m,)
        Centre in the query and ball in the reference; no pair twice.
    weights : ndarray of float64, shape (m,)
        Sum of the votes for the pair, at all radii; above 0. Cost: q × n.
    """
    neighbours, distances, query_balls, query_steps, query_weights, radius_steps, balls = found
    radii = radius_steps.size
    count = steps.size
    ends = np.zeros(count + 1, np.int64)
    query = np.empty(0, np.int64)
    stored = np.empty(0, np.int64)
    weights = np.empty(0, np.float64)
    for written in range(2):
        if written == 1:
            for p in range(count):
                ends[p + 1] += ends[p]
            query = np.empty(ends[count], np.int64)
            stored = np.empty(ends[count], np.int64)
            weights = np.empty(ends[count], np.float64)
            at = ends[:-1].copy()
        else:
            at = np.zeros(count, np.int64)
        for q in range(neighbours.shape[0]):
            last = neighbours.shape[1] - 1
            while last >= 0 and neighbours[q, last] < 0:
                last -= 1
            for n in range(last):
                number = neighbours[q, n] // balls
                p = places[number // radii]
                if p < 0 or abs(radius_steps[number % radii] - query_steps[q] - steps[p]) > 1:
                    continue
                if not distances[q, n] < distances[q, last]:
                    continue
                if written == 1:
                    query[at[p]] = query_balls[q]
                    stored[at[p]] = neighbours[q, n] % balls
                    weights[at[p]] = query_weights[q] * np.log((distances[q, last] + floor) / (distances[q, n] + floor))
                    at[p] += 1
                else:
                    ends[p + 1] += 1
    starts = np.zeros(count + 1, np.int64)
    kept = 0
    for p in range(count):
        first = ends[p]
        pairs = query[first : ends[p + 1]] * balls + stored[first : ends[p + 1]]
        order = np.argsort(pairs, kind="mergesort")
        single = np.empty(order.size, np.int64)
        sums = np.empty(order.size, np.float64)
        different = 0
        for i in order:
            if different > 0 and single[different - 1] == pairs[i]:
                sums[different - 1] += weights[first + i]
            else:
                single[different] = pairs[i]
                sums[different] = weights[first + i]
                different += 1
        heaviest = np.argsort(-sums[:different], kind="mergesort")
        for i in heaviest[:most]:
            query[kept] = single[i] // balls
            stored[kept] = single[i] % balls
            weights[kept] = sums[i]
            kept += 1
        starts[p + 1] = kept
    return starts, query[:kept], stored[:kept], weights[:kept]


@kernel
def agreeing_pairs(
    matches: ReferenceMatches,
    query_points: NDArray[np.float64],
    stored_points: NDArray[np.float64],
    scales: NDArray[np.float64],
    tolerances: NDArray[np.float64],
    shortest: NDArray[np.float64],
    slack: float,
) -> NDArray[np.float64]:
    """Sum over pairs of matches that are as far apart in the query as in the reference: similarities keep distances.

    Parameters
    ----------
    matches : ReferenceMatches
    query_points : ndarray of float64, shape (n, 3)
        Finite.
    stored_points : ndarray of float64, shape (r, balls, 3)
        By place; finite where there are matches.
    scales, tolerances, shortest : ndarray of float64, shape (r,)
        Expected length in the reference over length in the query; difference of lengths that is allowed, in the
        unit of the reference; and lengths below which a pair says nothing.
    slack : float
        Share of the length that is allowed on top, because the scale is not known exactly.

    Returns
    -------
    ndarray of float64, shape (r,)
        Sum of the products of two weights over the agreeing pairs, divided by the sum of the weights: what a weight
        finds to agree with it on average. 0 without matches. Cost: matches of a reference squared.

    Notes
    -----
    Pairwise consistency as in Leordeanu & Hebert 2005, doi:10.1109/ICCV.2005.20.
    """
    starts, query, stored, weights = matches
    out = np.zeros(starts.size - 1, np.float64)
    for p in range(out.size):
        total = 0.0
        agreed = 0.0
        for i in range(starts[p], starts[p + 1]):
            total += weights[i]
            for j in range(starts[p], i):
                there = 0.0
                here = 0.0
                for k in range(3):
                    there += (query_points[query[i], k] - query_points[query[j], k]) ** 2
                    here += (stored_points[p, stored[i], k] - stored_points[p, stored[j], k]) ** 2
                there = np.sqrt(there) * scales[p]
                here = np.sqrt(here)
                if there < shortest[p] or here < shortest[p]:
                    continue
                if abs(there - here) <= tolerances[p] + slack * there:
                    agreed += weights[i] * weights[j]
        if total > 0.0:
            out[p] = agreed / total
    return out
