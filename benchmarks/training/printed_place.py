"""How poses of a query are proposed and in which order references are registered: what was chosen by it.

python -m benchmarks.training.printed_place

Generated solids that no reported run has, disturbed, are placed on the references that get most votes. It prints how
often the right reference is placed right by each number of the smallest equal radii beside all of them
(`IdentificationParameters.few_radii`), and how often it comes first for each choice of what speaks for a candidate and
what against it (`placement._priority`). The choice is made on one half of the solids; beside its figure stands that of
the other half.
"""

from __future__ import annotations

import argparse
import itertools
import math

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from ballistics.printed.collection.collection import Collection
from ballistics.printed.describe.cloud import moved
from ballistics.printed.describe.descriptors import SIGNATURE_STEPS
from ballistics.printed.describe.query import Query, cloud_of, query_of_sample
from ballistics.printed.describe.sampling import sample_surface
from ballistics.printed.describe.signature import signature_of
from ballistics.printed.identify.parameters import DEFAULT
from ballistics.printed.identify.placement import Proposal, propose_by_matches, settled
from ballistics.printed.identify.shortlist import Vote, look_up, votes_of
from benchmarks.support.printed_items import part_of
from reference_meshes.disturbances import DISTURBANCES
from reference_meshes.solids import Mesh, solid

_FIRST_SEED = 380_000
_SOLIDS, _OTHERS = 24, 40
_DISTURBED = ("decimation to 5 %", "noise 1 %", "cut to 50 %", "dummy material", "dummy + mirror + scale")
_RIGHT_SHARE = 0.03  # of the size: registration reaches further
_TERMS = ("covered", "followed", "share of the reference", "share of the query", "votes")
_USED = (1, 1, 1, -1, 1)


def placed(query: Query, votes: list[Vote], radii: tuple[int, ...], collection: Collection) -> list[Proposal]:
    """Return the settled proposals of the references voted for, in the order of the votes."""
    found = []
    for vote in votes:
        signature = collection.signature(vote.reference)
        cloud = cloud_of(signature)
        proposal = propose_by_matches(query, signature, cloud, vote, radii)
        if proposal is not None:
            found.append(settled(query, cloud, proposal))
    return found


def is_right(proposals: list[Proposal], row: int, query: Query, truth: NDArray[np.float64], size: float) -> bool:
    """Return whether a pose of the right reference is where the query came from."""
    true = moved(query.cloud.points, truth)
    return any(
        float(np.linalg.norm(moved(query.cloud.points, rough.pose) - true, axis=1).max()) < _RIGHT_SHARE * size
        for proposal in proposals
        if proposal.vote.reference == row
        for rough in proposal.poses
    )


def terms_of(proposal: Proposal) -> NDArray[np.float64]:
    """Return what may speak for or against each pose of a proposal, in the order of `_TERMS`, shape (poses, 5)."""
    return np.array(
        [
            (
                rough.covered,
                rough.followed,
                math.log(max(rough.reference_share, 0.01)),
                math.log(max(rough.query_share, 0.01)),
                math.log(proposal.vote.weight),
            )
            for rough in proposal.poses
        ]
    )


def comes_first(proposals: list[Proposal], row: int, signs: tuple[int, ...]) -> bool:
    """Return whether the right reference is registered first when the terms are added up with these signs."""
    best = max(proposals, key=lambda each: float((terms_of(each) @ np.array(signs)).max()))
    return best.vote.reference == row


def main(solids: int, others: int) -> None:
    """Place every query and print the figures of both halves."""
    meshes: list[Mesh] = [solid(_FIRST_SEED + k) for k in range(solids + others)]
    collection = Collection()
    for number, mesh in enumerate(meshes):
        collection.enrol(signature_of(part_of(mesh)), f"solid {number}")
    radii: dict[int, list[list[bool]]] = {count: [[], []] for count in range(1, len(SIGNATURE_STEPS) + 1)}
    queries: list[tuple[int, int, list[Proposal]]] = []
    for row in track(range(solids), description="placed"):
        size = cloud_of(collection.signature(row)).size
        for number, name in enumerate(_DISTURBED):
            rng = np.random.Generator(np.random.PCG64([_FIRST_SEED, row, number]))
            mesh, pose = DISTURBANCES[name].apply(meshes[row], rng)
            query = query_of_sample(sample_surface(mesh.vertices, mesh.faces))
            neighbours = look_up(query, collection, DEFAULT)
            votes = votes_of(query, neighbours, collection, DEFAULT)[: DEFAULT.candidates_by_votes]
            own = [vote for vote in votes if vote.reference == row]
            for count, halves in radii.items():
                found = placed(query, own, (count, len(SIGNATURE_STEPS)), collection)
                halves[row % 2].append(is_right(found, row, query, np.linalg.inv(pose).astype(np.float64), size))
            if own:
                queries.append((row % 2, row, placed(query, votes, DEFAULT.both_radii, collection)))
    print(f"{_DISTURBED}, {solids} solids among {solids + others}: half that chooses, half that is reported")
    for count, (chosen_on, reported) in radii.items():
        print(f"{count} smallest equal radii beside all: placed right {sum(chosen_on)} of {len(chosen_on)}, "
              f"{sum(reported)} of {len(reported)}")  # fmt: skip
    # That the pose covers the query is what the search is for; of the rest each may speak for, against, or not at all.
    counts = {}
    for rest in itertools.product((1, 0, -1), repeat=len(_TERMS) - 1):
        signs = (1, *rest)
        first = [[comes_first(found, row, signs) for half, row, found in queries if half == part] for part in (0, 1)]
        counts[signs] = [sum(both) for both in first]
    chosen = max(counts, key=lambda signs: counts[signs][0])
    n = [sum(half == part for half, _, _ in queries) for part in (0, 1)]
    for words, signs in (("best on the half that chooses", chosen), ("used", _USED)):
        said = ", ".join(f"{sign:+d} {term}" for sign, term in zip(signs, _TERMS, strict=True))
        print(f"{words} ({said}): the right reference first {counts[signs][0]} of {n[0]}, {counts[signs][1]} of {n[1]}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--solids", type=int, default=_SOLIDS)
    parser.add_argument("--others", type=int, default=_OTHERS)
    arguments = parser.parse_args()
    main(arguments.solids, arguments.others)
