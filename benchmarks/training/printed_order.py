"""Learns in which order poses and references are registered: python -m benchmarks.training.printed_order FOLDER.

Conditional logistic regressions (McFadden 1974) on disturbed queries of the development half: which of the rough poses
of the right reference lies within 5 % of the size of the true one, and which reference voted for is the right one. They
give `IdentificationParameters.pose_weights` and ``candidate_weights``. The order of the registrations is all that
depends on these: a score does not. With ``--queries`` and ``--solids`` a sample is made in minutes.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress
from scipy.optimize import minimize
from sklearn.model_selection import GroupKFold

from ballistics.printed.collection.collection import Collection
from ballistics.printed.describe.cloud import moved
from ballistics.printed.describe.query import query_of_sample
from ballistics.printed.describe.sampling import sample_surface
from ballistics.printed.identify.parameters import DEFAULT
from ballistics.printed.identify.placement import RoughPose, order_values, propose_by_matches, settled
from ballistics.printed.identify.shortlist import look_up, votes_of
from benchmarks.__main__ import DEFAULT_DATA
from benchmarks.support.printed_items import Store, collection_of, items, same_reference
from benchmarks.training.printed_score import Trial, trials
from reference_meshes.disturbances import DISTURBANCES

_SOLIDS = 1000
_FOLDS = 8
# Of the size: further off, a rough registration does not find back.
_NEAR = 0.05
# Keeps weights finite where one value alone tells all choices of a small sample.
_RIDGE = 0.01
_NAMES = ("log-odds of coverage", "log consensus", "log reference share", "log query share", "log votes")


@dataclass(frozen=True)
class Choice:
    """Alternatives of which exactly one is right, or any of several."""

    group: str
    values: NDArray[np.float64]
    right: NDArray[np.bool_]


def proposed(trial: Trial, collection: Collection, store: Store) -> dict[str, Any]:
    """Return what orders the poses of the right reference, and the references, of one query."""
    key = f"order {trial.item.name} {trial.disturbance} {trial.seed} {len(collection)}"
    kept = store.get(key)
    if kept is not None:
        return kept
    rng = np.random.Generator(np.random.PCG64(trial.seed))
    mesh, pose = DISTURBANCES[trial.disturbance].apply(trial.item.mesh(), rng)
    query = query_of_sample(sample_surface(mesh.vertices, mesh.faces))
    true = np.asarray(np.linalg.inv(pose))
    votes = votes_of(query, look_up(query, collection, DEFAULT), collection, DEFAULT)[: DEFAULT.candidates_by_votes]
    references, poses = [], []
    for vote in votes:
        cloud = collection.cloud(vote.reference)
        signature = collection.signature(vote.reference)
        proposal = propose_by_matches(query, signature, cloud, vote, DEFAULT.both_radii)
        if proposal is None:
            continue
        is_right = same_reference(collection, vote.reference, trial.item.name)
        if is_right:
            points = query.cloud.points
            at = moved(points, true)

            def off(rough: RoughPose, points: Any = points, at: Any = at, size: float = cloud.size) -> float:
                return float(np.linalg.norm(moved(points, rough.pose) - at, axis=1).mean() / size)

            poses = [([rough.covered, rough.followed], off(rough) < _NEAR) for rough in proposal.poses]
        best = settled(query, cloud, proposal).poses[0]
        references.append((order_values(best, vote), is_right))
    return store.put(key, {"references": references, "poses": poses})


def choices(rows: Sequence[dict[str, Any]], listed: Sequence[Trial], kind: str) -> list[Choice]:
    """Return the choices of one kind in which something is right and something is wrong."""
    made = [
        Choice(trial.item.name, np.array([v for v, _ in row[kind]]), np.array([right for _, right in row[kind]], bool))
        for row, trial in zip(rows, listed, strict=True)
        if row[kind]
    ]
    return [choice for choice in made if choice.right.any() and not choice.right.all()]


def log_likelihood(weights: NDArray[np.float64], made: Sequence[Choice]) -> tuple[float, NDArray[np.float64]]:
    """Return the log-likelihood that something right is chosen, and its slope."""
    total, slope = 0.0, np.zeros(len(weights))
    for choice in made:
        utility = choice.values @ weights
        utility -= utility.max()
        share = np.exp(utility) / np.exp(utility).sum()
        right = np.where(choice.right, share, 0.0)
        total += float(np.log(right.sum()))
        slope += choice.values.T @ (right / right.sum() - share)
    return total, slope


def fitted(made: Sequence[Choice]) -> NDArray[np.float64]:
    """Return the weights of largest likelihood."""

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        value, slope = log_likelihood(weights, made)
        return 0.5 * _RIDGE * float((weights**2).sum()) - value, _RIDGE * weights - slope

    width = made[0].values.shape[1]
    return np.asarray(minimize(loss, np.ones(width), jac=True, method="L-BFGS-B").x)


def first_right(made: Sequence[Choice], weights: Sequence[NDArray[np.float64]]) -> int:
    """Return how often the first alternative is right, each choice with weights of its own."""
    return sum(bool(c.right[int(np.argmax(c.values @ w))]) for c, w in zip(made, weights, strict=True))


def report(title: str, made: list[Choice], shipped: Sequence[float]) -> None:
    """Print shipped and fitted weights, and what they order, cross-validated over references."""
    known, found = np.array(shipped), fitted(made)
    groups = [choice.group for choice in made]
    unseen = [found] * len(made)
    for train, test in GroupKFold(min(_FOLDS, len(set(groups)))).split(groups, groups=groups):
        partly = fitted([made[k] for k in train])
        for k in test:
            unseen[k] = partly
    # Only ratios order: the shipped weights are taken at the scale at which they say most.
    scales = np.geomspace(0.1, 10.0, 200)
    best = max(log_likelihood(scale * known, made)[0] for scale in scales)
    print(f"{title}: {len(made)} choices")
    print(f"  fitted   {np.round(found, 2).tolist()}, log-likelihood {log_likelihood(found, made)[0]:.1f}")
    print(f"  shipped  {list(shipped)}, log-likelihood {best:.1f} at the best scale")
    ways = {"shipped": [known] * len(made), "fitted": [found] * len(made), "fitted and cross-validated": unseen}
    print(f"  first is right: {', '.join(f'{way} {first_right(made, ways[way])}' for way in ways)}")


def main() -> int:
    """Print the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--queries", type=int, help="disturbed queries of each kind; all unless given")
    parser.add_argument("--solids", type=int, default=_SOLIDS)
    given = parser.parse_args()
    store = Store(given.folder)
    references = [item for item in items(DEFAULT_DATA, given.solids) if not item.reported]
    listed = [trial for trial in trials(references) if trial.kind == "disturbed"]
    if given.queries:
        listed = [trial for trial in listed if trial.seed[2] < given.queries]
    with Progress() as progress:
        collection = collection_of(references, store, progress)
        rows = [proposed(trial, collection, store) for trial in progress.track(listed, description="queries")]
    print(f"{len(listed)} queries in {len(collection)} references; values: {', '.join(_NAMES)}")
    report("poses of the right reference", choices(rows, listed, "poses"), DEFAULT.pose_weights)
    report("references", choices(rows, listed, "references"), DEFAULT.candidate_weights)
    print(json.dumps({"pose_weights": DEFAULT.pose_weights, "candidate_weights": DEFAULT.candidate_weights}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
