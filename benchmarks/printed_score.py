"""Fits the score of a candidate on the development half: python -m benchmarks.printed_score FOLDER."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from ballistics.evidence.metrics import error_upper_limit
from ballistics.printed.cascade import THRESHOLD
from ballistics.printed.collection import Collection
from ballistics.printed.identification import PLAIN, Candidate, identify
from ballistics.printed.verification import log_odds
from benchmarks.__main__ import DEFAULT_DATA
from benchmarks.printed import unrelated_queries
from benchmarks.printed_disturbances import DISTURBANCES
from benchmarks.printed_items import Item, Store, collection_of, items, owner_of, part_of, same_reference

_SEED = 9001  # the reported runs have another
_FIRST_SOLID = 60_000
_SOLIDS = 1000
_QUERIES = 10
# Turned, scaled and mirrored copies are known by their hash; nothing is learned from them.
_TAUGHT = tuple(name for name in DISTURBANCES if name not in ("rotation", "scale 0.5–2", "mirror"))
_FOLDS = 8


@dataclass(frozen=True)
class Trial:
    """A query of the development half: its kind, what it is made of, and whose references it is not searched in."""

    kind: str
    item: Item
    disturbance: str
    seed: tuple[int, int, int]


def trials(listed: list[Item]) -> list[Trial]:
    """Return the disturbed meshes, each time another, then unrelated queries and look-alikes."""
    meshes = [item for item in listed if item.path is not None]
    found = []
    for number, name in enumerate(_TAUGHT):
        order = np.random.Generator(np.random.PCG64([_SEED, number])).permutation(len(meshes))
        found += [Trial("disturbed", meshes[order[k]], name, (_SEED, number, k)) for k in range(_QUERIES)]
    kinds = unrelated_queries(listed, False, _FIRST_SOLID)
    for number, (kind, queries) in enumerate(kinds.items()):
        found += [Trial(kind, item, name, (_SEED, 100 + number, k)) for k, (item, name) in enumerate(queries)]
    return found


def features(one: Candidate) -> list[float]:
    """Return what `ballistics.printed.verification.score_features` makes of a candidate."""
    return [log_odds(one.coverage), one.agreement, one.detail, float(one.radii)]


def tried(trial: Trial, collection: Collection, store: Store) -> dict[str, Any]:
    """Return the features of a trial's candidates, and which are the right reference."""
    key = f"score {trial}"
    row = store.get(key)
    if row is not None:
        return row
    rng = np.random.Generator(np.random.PCG64(trial.seed))
    query, _ = DISTURBANCES[trial.disturbance].apply(trial.item.mesh(), rng)
    searched = collection
    if trial.kind not in ("disturbed", "look-alikes"):
        owner = owner_of(trial.item.source)
        searched = collection.without(
            [r.name for r in collection.references if owner_of(r.metadata["source"]) == owner]
        )
    found = identify(part_of(query), searched)
    copied = any(one.relation == "exact copy" for one in found.candidates)
    right = [
        trial.kind == "disturbed" and same_reference(collection, one.row, trial.item.name) for one in found.candidates
    ]
    return store.put(
        key,
        {
            "copied": copied,
            "detail": found.detail,
            "features": [features(one) for one in found.candidates],
            "right": right,
        },
    )


def scores(
    rows: list[dict[str, Any]], listed: list[Trial], weights: NDArray[np.float64] | None
) -> list[NDArray[np.float64]]:
    """Return the scores of each trial's candidates: with weights, or cross-validated over what they are made of."""
    x = np.array([f for row in rows for f in row["features"]]).reshape(-1, 4)
    y = np.array([r for row in rows for r in row["right"]])
    number = np.repeat(np.arange(len(rows)), [len(row["right"]) for row in rows])
    logit = np.zeros(len(y))
    if weights is not None:
        logit = x @ weights[:-1] + weights[-1]
    else:
        names = np.array([listed[k].item.name for k in number])
        taught = np.array([listed[k].kind != "look-alikes" and not rows[k]["copied"] for k in number])
        for train, test in GroupKFold(_FOLDS).split(x, y, names):
            logit[test] = decision(x[train][taught[train]], y[train][taught[train]], x[test])
    probability = 1.0 / (1.0 + np.exp(-logit))
    return [probability[number == k] for k in range(len(rows))]


def weights_of(x: NDArray[np.float64], y: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the weights of a logistic regression, nearly without a prior, and its base."""
    fitted = LogisticRegression(C=1000.0, max_iter=1000).fit(x, y)
    return np.append(fitted.coef_[0], fitted.intercept_[0])


def decision(x: NDArray[np.float64], y: NDArray[np.bool_], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log-odds of other candidates under what is learned from some."""
    weights = weights_of(x, y)
    return np.asarray(other @ weights[:-1] + weights[-1])


def summary(rows: list[dict[str, Any]], listed: list[Trial], found: list[NDArray[np.float64]]) -> Iterator[str]:
    """Yield what the scores separate, in lines."""
    kinds = {trial.kind: None for trial in listed}
    best = np.array([max(s, default=0.0) for s in found])
    kind = np.array([trial.kind for trial in listed])
    copied = np.array([row["copied"] for row in rows])
    unrelated = ~np.isin(kind, ("disturbed", "look-alikes"))
    for name in kinds:
        own = best[kind == name]
        if name != "disturbed":
            yield f"{name}: n {len(own)}, highest {np.round(np.sort(own)[::-1][:4], 3)}"
    own = best[unrelated]
    for threshold in sorted({0.3, 0.4, 0.5, 0.6, 0.7, 0.8, THRESHOLD}):
        hits = int((own >= threshold).sum())
        limit = error_upper_limit(hits, len(own))
        chosen = (kind == "disturbed") & ~copied
        right = np.array(
            [
                bool(np.any(s[np.array(row["right"], dtype=bool)] >= threshold))
                for s, row in zip(found, rows, strict=True)
            ]
        )
        first = np.array([bool(len(s)) and row["right"][int(np.argmax(s))] for s, row in zip(found, rows, strict=True)])
        yield (
            f"threshold {threshold}: unrelated {hits} of {len(own)} (at most {limit:.4f}); "
            f"look-alikes {np.mean(best[kind == 'look-alikes'] >= threshold):.3f}; "
            f"disturbed accepted {right[chosen].mean():.3f}, top 1 {first[chosen].mean():.3f} of {chosen.sum()}"
        )
    plain = np.array([row["detail"] for row in rows]) < PLAIN
    hit = np.array([bool(np.any(s >= THRESHOLD)) for s in found])
    disturbed = kind == "disturbed"
    yield (
        f"detail below {PLAIN}: {plain.sum()} queries, of them {(plain & disturbed).sum()} disturbed; "
        f"{(plain & hit).sum()} hits"
    )


def main() -> int:
    """Print the weights for ``ballistics.printed.verification``, and what the score separates."""
    store = Store(Path(sys.argv[1]))
    references = [item for item in items(DEFAULT_DATA, _SOLIDS) if not item.reported]
    listed = trials(references)
    with Progress() as progress:
        collection = collection_of(references, store, progress)
        rows = [tried(trial, collection, store) for trial in progress.track(listed, description="queries")]
    used = [k for k, trial in enumerate(listed) if trial.kind != "look-alikes" and not rows[k]["copied"]]
    x = np.array([f for k in used for f in rows[k]["features"]])
    y = np.array([r for k in used for r in rows[k]["right"]])
    weights = weights_of(x, y)
    print(f"{len(y)} candidates of {len(used)} queries, {y.sum()} right; weights {np.round(weights, 3)}")
    for name, given in ((f"cross-validated over meshes and solids, {_FOLDS} folds", None), ("fitted", weights)):
        print(name)
        for line in summary(rows, listed, scores(rows, listed, given)):
            print(f"  {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
