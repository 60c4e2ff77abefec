"""Stage 2, shortlist: which references are worth a comparison, and at which scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.collection.collection import Collection
from ballistics.printed.collection.descriptor_index import DescriptorIndex, Neighbours
from ballistics.printed.describe.cloud import Cloud
from ballistics.printed.describe.descriptors import DESCRIPTOR_STEP, SIGNATURE_STEPS
from ballistics.printed.describe.geometry_hashes import GeometryKeys, copy_relation
from ballistics.printed.describe.query import Query
from ballistics.printed.identify.parameters import DEFAULT, IdentificationParameters
from ballistics_kernels.meshes import (
    ReferenceMatches,
    StoredNeighbours,
    agreeing_pairs,
    matches_by_reference,
    scale_votes,
)


@dataclass(frozen=True)
class Vote:
    """A reference that is worth a comparison, at one scale.

    Parameters
    ----------
    reference : int
        Row of the collection.
    step : float
        The voted ratio of sizes, as steps: a query of ``size_q`` shows the reference's ``size_r`` at the scale
        size_q / size_r · 2^(step / 6).
    weight : float
        Above 0: votes for the reference at this scale, over the square root of those at all scales; only comparable
        within a query.
    """

    reference: int
    step: float
    weight: float


def exact_copies(collection: Collection, keys: GeometryKeys) -> list[int]:
    """Return the references that a query is an exact copy of, scaled or mirrored ones too."""
    rows: set[int] = set()
    for mirrored in (False, True):
        for key in keys.near_shapes(mirrored=mirrored):
            for row in collection.rows_of_key(key):
                own = collection.references[row].keys
                if row not in collection.barred and own is not None and copy_relation(keys, own) is not None:
                    rows.add(row)
    return sorted(rows)


def nearest_wholes(query: Query, collection: Collection, count: int) -> list[int]:
    """Return the references whose whole surfaces resemble the query's most.

    The descriptors of a whole surface say nothing of a piece, but where they agree no index is needed.

    Parameters
    ----------
    query : Query
        The question.
    collection : Collection
        Its barred references are passed over.
    count : int
        References that are returned, fewer when there are fewer.

    Returns
    -------
    list of int
        Rows of the collection, the most alike first, the lower of equals.
    """
    order = np.argsort(collection.apart_as_whole(query.whole), kind="stable")[: count + len(collection.barred)]
    return [int(row) for row in order if int(row) not in collection.barred][:count]


def look_alikes(row: int, collection: Collection, parameters: IdentificationParameters) -> list[int]:
    """Return the references whose whole surfaces resemble that of a reference, the most alike first.

    All of them, however many: who asks says how many are judged. Neither surface is disturbed as a query's may be.

    Parameters
    ----------
    row : int
        Of the reference in the collection; it is not returned itself.
    collection : Collection
        Its barred references are passed over.
    parameters : IdentificationParameters
        Of them ``beside_as_whole``, the squared distance of whole descriptors up to which two are alike.

    Returns
    -------
    list of int
        Rows of the collection.
    """
    apart = collection.apart_as_whole(collection.whole()[row])
    near = np.flatnonzero(apart <= parameters.beside_as_whole)
    order = near[np.argsort(apart[near], kind="stable")]
    return [int(other) for other in order if int(other) != row and int(other) not in collection.barred]


def look_up(query: Query, collection: Collection, parameters: IdentificationParameters) -> Neighbours:
    """Look up the local descriptors of a query in the collection's index.

    Parameters
    ----------
    query : Query
        All its keypoints are looked up, at all radii.
    collection : Collection
        Its index is made when it has none.
    parameters : IdentificationParameters
        How many neighbours are looked up, in how many cells.

    Returns
    -------
    Neighbours
    """
    local = query.local(range(len(query.steps)))
    return collection.index().neighbours(local, query.steps, parameters.neighbours, parameters.cells_searched)


def votes_of(
    query: Query, neighbours: Neighbours, collection: Collection, parameters: IdentificationParameters
) -> list[Vote]:
    """Return references, those first that most descriptors or the best agreeing ones are for.

    Parameters
    ----------
    query : Query
        The question.
    neighbours : Neighbours
        Of its keypoints, from `look_up`.
    collection : Collection
        Its barred references get no votes.
    parameters : IdentificationParameters
        See its part *Shortlist*.

    Returns
    -------
    list of Vote
        At most ``parameters.candidates_reordered``; empty when no stored descriptor is near.
    """
    index = collection.index()
    counted = count_votes(index, neighbours, parameters)
    counted[sorted(collection.barred)] = 0.0
    votes = ranked(counted, parameters.candidates_reordered, parameters)
    clouds = [collection.passing_cloud(vote.reference, parameters.surface) for vote in votes]
    return in_turn(votes, agreement(index, neighbours, votes, query.cloud, clouds, parameters)) if votes else []


def count_votes(
    index: DescriptorIndex, found: Neighbours, parameters: IdentificationParameters = DEFAULT
) -> NDArray[np.float64]:
    """Return the votes of a query's neighbours for each reference at each scale.

    Parameters
    ----------
    index : DescriptorIndex
        In which they were looked up.
    found : Neighbours
        Of the query.
    parameters : IdentificationParameters
        The scales, and what a vote weighs.

    Returns
    -------
    ndarray of float64, shape (references, scale steps)
    """
    return scale_votes(
        _stored_neighbours(index, found, parameters),
        index.references,
        parameters.scale_lowest_step,
        parameters.scale_steps,
        parameters.vote_floor / DESCRIPTOR_STEP**2,
    )


def agreement(
    index: DescriptorIndex,
    found: Neighbours,
    votes: Sequence[Vote],
    query: Cloud,
    references: Sequence[Cloud],
    parameters: IdentificationParameters = DEFAULT,
) -> NDArray[np.float64]:
    """Return how much the matches with each reference agree in their distances from each other.

    Parameters
    ----------
    index : DescriptorIndex
    found : Neighbours
        Of the query.
    votes : sequence of Vote
        References and scales in question.
    query : Cloud
        Its first points are the keypoints.
    references : sequence of Cloud
        Of the votes.
    parameters : IdentificationParameters

    Returns
    -------
    ndarray of float64, shape (votes,)
    """
    places = np.full(index.references, -1, dtype=np.int64)
    places[[vote.reference for vote in votes]] = np.arange(len(votes))
    steps = np.array([round(vote.step) for vote in votes], dtype=np.int64)
    matches = matches_by_reference(
        _stored_neighbours(index, found, parameters),
        places,
        steps,
        parameters.vote_floor / DESCRIPTOR_STEP**2,
        parameters.agreement_matches,
    )
    points = np.zeros((len(votes), index.keypoints, 3))
    for place, reference in enumerate(references):
        few = reference.points[: index.keypoints]
        points[place, : len(few)] = few
    sizes = np.array([reference.size for reference in references])
    scales = sizes / query.size * 2.0 ** (-steps / 6.0)
    tolerance, shortest = parameters.agreement_tolerance_share, parameters.agreement_shortest_share
    return agreeing_pairs(
        ReferenceMatches(*matches),
        query.points,
        points,
        scales,
        tolerance * sizes,
        shortest * sizes,
        parameters.agreement_slack,
    )


def _stored_neighbours(
    index: DescriptorIndex, found: Neighbours, parameters: IdentificationParameters
) -> StoredNeighbours:
    return StoredNeighbours(
        neighbours=found.numbers,
        distances=found.distances,
        query_balls=found.keypoints,
        query_steps=found.steps,
        query_weights=np.exp2(found.steps / parameters.vote_doubling_steps),
        radius_steps=np.asarray(SIGNATURE_STEPS, dtype=np.int64),
        balls=index.keypoints,
    )


def ranked(votes: NDArray[np.float64], at_most: int, parameters: IdentificationParameters = DEFAULT) -> list[Vote]:
    """Return the references with the highest peaks over the scale, smoothed over three steps, best first.

    A peak is divided by the square root of all votes for the reference, the scatter that they have by chance: a
    reference with much common shape gathers votes at every scale.

    Parameters
    ----------
    votes : ndarray of float64, shape (references, scale steps)
        From `count_votes`.
    at_most : int
        References that are returned.
    parameters : IdentificationParameters
        Of them the lowest step of the scale.

    Returns
    -------
    list of Vote
        None for a reference without votes.
    """
    padded = np.pad(votes, ((0, 0), (1, 1)))
    smooth = 0.5 * padded[:, :-2] + padded[:, 1:-1] + 0.5 * padded[:, 2:]
    peak = smooth.argmax(axis=1)
    height = smooth[np.arange(len(votes)), peak]
    height /= np.sqrt(np.maximum(votes.sum(axis=1), 1e-12))
    best = np.lexsort((np.arange(len(votes)), -height))[:at_most]
    lowest = parameters.scale_lowest_step
    return [Vote(int(r), float(peak[r] + lowest), float(height[r])) for r in best if height[r] > 0]


def in_turn(votes: Sequence[Vote], agreement: NDArray[np.float64]) -> list[Vote]:
    """Return votes in a new order: by turns the next by votes and the next by agreement, each once."""
    others = np.argsort(-agreement, kind="stable")
    order = np.column_stack([np.arange(len(votes)), others]).ravel()
    return [votes[k] for k in dict.fromkeys(order.tolist())]
