"""Learns the score of a candidate on the development half.

python -m benchmarks.training.printed_score FOLDER OUT.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress
from scipy.optimize import minimize
from sklearn.model_selection import GroupKFold

from ballistics.evidence.metrics import error_upper_limit
from ballistics.printed.collection.collection import Collection
from ballistics.printed.describe.plainness import PLAIN_WORTH
from ballistics.printed.identify.identification import Candidate, identify
from ballistics.printed.identify.parameters import DEFAULT
from ballistics.printed.identify.score import SCORE_VALUES, Curve, ScoreModel, score_values
from benchmarks.__main__ import DEFAULT_DATA
from benchmarks.suites.printed import unrelated_queries
from benchmarks.support.printed_items import Item, Store, collection_of, items, owner_of, part_of, same_reference
from reference_meshes.disturbances import DISTURBANCES

_SEED = 9001  # the reported runs have another
_FIRST_SOLID = 60_000
_SOLIDS = 1000
_QUERIES = 20
# Turned, scaled and mirrored copies are known by their hash; nothing is learned from them.
_TAUGHT = tuple(name for name in DISTURBANCES if name not in ("rotation", "scale 0.5–2", "mirror"))
_FOLDS = 8
_BENDS = 4  # of a curve, for the right and for the wrong candidates each
_APART = 0.03  # of its length
_RIDGE = 1.0
_LEAST = 1.0  # rise of a curve from end to end


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


def values_of(candidate: Candidate) -> tuple[float, ...]:
    """Return what the score of a candidate is made of."""
    alike = candidate.agreement, candidate.detail, candidate.radii
    return score_values(candidate.coverage, *alike, candidate.exactness, candidate.missing, candidate.added)


def tried(trial: Trial, collection: Collection, store: Store) -> dict[str, Any]:
    """Return the features of a trial's candidates, and which are the right reference."""
    key = f"score {trial.kind} {trial.item.name} {trial.disturbance} {trial.seed}"
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
    copied = any(candidate.relation == "exact copy" for candidate in found.candidates)
    right = [
        trial.kind == "disturbed" and same_reference(collection, candidate.row, trial.item.name)
        for candidate in found.candidates
    ]
    return store.put(
        key,
        {
            "copied": copied,
            "worth": max(found.worths.values()),
            "values": [values_of(candidate) for candidate in found.candidates],
            "right": right,
        },
    )


def knots_of(right: NDArray[np.float64], wrong: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where a curve may bend: quantiles of the right and of the wrong candidates, not too near each other."""
    shares = np.linspace(0.02, 0.98, _BENDS)
    both = np.unique(np.round(np.concatenate([np.quantile(right, shares), np.quantile(wrong, shares)]), 3))
    kept = [both[0]]
    for value in both[1:]:
        if value - kept[-1] >= _APART * (both[-1] - both[0]):
            kept.append(value)
    return np.array(kept)


def learned(x: NDArray[np.float64], y: NDArray[np.bool_]) -> ScoreModel:
    """Return the additive model of which candidates are right; each curve only rises or only falls.

    The log-odds are a sum of piecewise linear curves, one for each value. Between two knots a curve has one rise, and a
    value gets the share of it that it has passed. The rises of a curve have one sign and are kept small, as in a ridge
    regression, but none is zero, so that the better of two nearly equal candidates comes first.
    """
    knots = [knots_of(column[y], column[~y]) for column in x.T]
    bounds: list[tuple[float | None, float | None]] = []
    for k, sign in zip(knots, SCORE_VALUES.values(), strict=True):
        for least in _LEAST * np.diff(k) / (k[-1] - k[0]):
            bounds.append((least, None) if sign > 0 else (None, -least))
    bounds.append((None, None))
    passed = np.hstack([_passed(column, k) for column, k in zip(x.T, knots, strict=True)])
    side = np.where(y, 1.0, -1.0)

    def loss(p: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = side * (passed @ p[:-1] + p[-1])
        slope = -side / (1.0 + np.exp(margin))
        value = np.logaddexp(0.0, -margin).sum() + 0.5 * _RIDGE * (p[:-1] ** 2).sum()
        return float(value), np.append(passed.T @ slope + _RIDGE * p[:-1], slope.sum())

    start = np.array([low or high or 0.0 for low, high in bounds])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 5000})
    base, at = float(found.x[-1]), 0
    curves = []
    for name, k in zip(SCORE_VALUES, knots, strict=True):
        rise = np.append(0.0, np.cumsum(found.x[at : at + len(k) - 1]))
        at += len(k) - 1
        base += float(rise.min())
        curves.append(Curve(name, _rounded(k), _rounded(rise - rise.min())))
    return ScoreModel(round(base, 3), tuple(curves))


def _passed(values: NDArray[np.float64], knots: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip((values[:, None] - knots[:-1]) / np.diff(knots), 0.0, 1.0)


def _rounded(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(round(float(value), 3) for value in values)


def scores(rows: list[dict[str, Any]], listed: list[Trial], model: ScoreModel | None) -> list[NDArray[np.float64]]:
    """Return the scores of each trial's candidates: by a model, or cross-validated over what they are made of."""
    x = np.array([values for row in rows for values in row["values"]])
    y = np.array([right for row in rows for right in row["right"]])
    number = np.repeat(np.arange(len(rows)), [len(row["right"]) for row in rows])
    found = np.zeros(len(y))
    if model is not None:
        found = np.array([model.score(values) for values in x])
    else:
        names = np.array([listed[k].item.name for k in number])
        taught = np.array([is_taught(listed[k], rows[k]) for k in number])
        for train, test in GroupKFold(_FOLDS).split(x, y, names):
            partly = learned(x[train][taught[train]], y[train][taught[train]])
            found[test] = [partly.score(values) for values in x[test]]
    return [found[number == k] for k in range(len(rows))]


def is_taught(trial: Trial, row: dict[str, Any]) -> bool:
    """Return whether a trial's candidates are learned from: look-alikes are neither right nor wrong."""
    return trial.kind != "look-alikes" and not row["copied"]


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
    for threshold in sorted({0.3, 0.4, 0.5, 0.6, 0.7, 0.8, DEFAULT.threshold}):
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
    plain = np.array([row["worth"] for row in rows]) < PLAIN_WORTH
    hit = np.array([bool(np.any(s >= DEFAULT.threshold)) for s in found])
    disturbed = kind == "disturbed"
    yield (
        f"worth below {PLAIN_WORTH}: {plain.sum()} queries, of them {(plain & disturbed).sum()} disturbed; "
        f"{(plain & hit).sum()} hits"
    )


def main() -> int:
    """Write the score for ``ballistics.printed.identify.score``, and print what it separates."""
    store = Store(Path(sys.argv[1]))
    references = [item for item in items(DEFAULT_DATA, _SOLIDS) if not item.reported]
    listed = trials(references)
    with Progress() as progress:
        collection = collection_of(references, store, progress)
        rows = [tried(trial, collection, store) for trial in progress.track(listed, description="queries")]
    used = [k for k, trial in enumerate(listed) if is_taught(trial, rows[k])]
    x = np.array([values for k in used for values in rows[k]["values"]])
    y = np.array([right for k in used for right in rows[k]["right"]])
    model = learned(x, y)
    Path(sys.argv[2]).write_text(json.dumps(asdict(model), indent=1) + "\n", encoding="utf-8")
    print(f"{len(y)} candidates of {len(used)} queries, {y.sum()} right")
    for name, given in ((f"cross-validated over meshes and solids, {_FOLDS} folds", None), ("fitted", model)):
        print(name)
        for line in summary(rows, listed, scores(rows, listed, given)):
            print(f"  {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
