"""Votes of matched local descriptors for a reference and a scale."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ballistics_kernels.accelerate import kernel


class StoredNeighbours(NamedTuple):
    """The stored descriptors that resemble each of a query's most.

    Parameters
    ----------
    neighbours : ndarray of int64, shape (q, n)
        Their numbers, nearest first: (reference · radii + radius) · balls + ball; −1 for none.
    distances : ndarray of float32, shape (q, n)
        Squared distances, rising; any unit.
    query_balls, query_steps : ndarray of int64, shape (q,)
        Number of each query ball's centre, and step of its radius.
    query_weights : ndarray of float64, shape (q,)
        What its votes are multiplied by.
    radius_steps : ndarray of int64, shape (radii,)
        Steps of the stored radii, on the same scale.
    balls : int
        Of the numbering.
    """

    neighbours: NDArray[np.int64]
    distances: NDArray[np.float32]
    query_balls: NDArray[np.int64]
    query_steps: NDArray[np.int64]
    query_weights: NDArray[np.float64]
    radius_steps: NDArray[np.int64]
    balls: int


@kernel
def scale_votes(found: StoredNeighbours, references: int, lowest: int, bins: int, floor: float) -> NDArray[np.float64]:
    """Sum the votes of descriptors for references and scales (after local naive-Bayes nearest neighbours).

    Each descriptor votes once for each reference among its neighbours, by the nearest of that reference. The vote is
    the logarithm of the last neighbour's squared distance, which stands for "nothing in particular", over its own:
    with 60 neighbours within the last distance and p dimensions, 60 · (nearer / last)^(p / 2) would be nearer by
    chance, so the logarithm is, but for a factor, how much less probable than chance a neighbour is. A descriptor that
    resembles everything, such as a plane's, votes for nobody; one that resembles nothing counts no more than others.

    Parameters
    ----------
    found : StoredNeighbours
    references : int
        Of the numbering.
    lowest, bins : int
        Differences of steps, stored minus query, from ``lowest`` on are counted in this number of bins.
    floor : float
        Squared distance that means nothing, above 0: added to both.

    Returns
    -------
    ndarray of float64, shape (references, bins)
        Cost: q × n.

    Notes
    -----
    McCann & Lowe 2012, doi:10.1109/CVPR.2012.6248111, whose votes are differences instead.
    """
    neighbours, distances, _, query_steps, query_weights, radius_steps, balls = found
    votes = np.zeros((references, bins), np.float64)
    voted = np.full(references, -1, np.int64)
    radii = radius_steps.size
    for q in range(neighbours.shape[0]):
        last = neighbours.shape[1] - 1
        while last >= 0 and neighbours[q, last] < 0:
            last -= 1
        for n in range(last):
            number = neighbours[q, n] // balls
            reference = number // radii
            if voted[reference] == q:
                continue
            voted[reference] = q
            b = radius_steps[number % radii] - query_steps[q] - lowest
            if 0 <= b < bins:
                votes[reference, b] += query_weights[q] * np.log(
                    (distances[q, last] + floor) / (distances[q, n] + floor)
                )
    return votes
