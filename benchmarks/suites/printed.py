"""Are disguised meshes recognised, are unrelated ones left alone, and what does it cost?"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from ballistics.errors import ParameterError
from ballistics.evidence.metrics import error_upper_limit
from ballistics.printed.collection.collection import Collection
from ballistics.printed.describe.descriptors import SIGNATURE_STEPS
from ballistics.printed.describe.query import query_of_sample
from ballistics.printed.describe.sampling import sample_surface
from ballistics.printed.identify.identification import Identification, identify
from ballistics.printed.identify.judgement import fit_candidate
from ballistics.printed.identify.parameters import DEFAULT
from benchmarks.support.printed_items import (
    Item,
    Store,
    collection_of,
    family_of,
    items,
    owner_of,
    part_of,
    same_reference,
)
from benchmarks.support.printed_pieces import pieces
from benchmarks.support.printed_planted import planted_boxes, planted_look_alikes
from benchmarks.support.printed_signature import given_away, speed
from benchmarks.support.record import Context, Record
from reference_meshes.disturbances import DISTURBANCES, diagonal, plate, posed, random_points, similarity
from reference_meshes.solids import Mesh

DESCRIPTION = "printed parts: top 1, pose and false hits under each disturbance; CPU time; what a signature gives away"

# The metric was learned on solids of seeds from 1 000 000. Score and threshold were chosen on meshes whose hash has an
# even digit in the last place but one, and on solids of seeds from 60 000 (`training/printed_score.py`); reported are
# the others, and solids of seeds from 50 000.
_SOLIDS = 1000
_UNRELATED_SEED = 50_000
_SEED = 7001
#: The disturbances that leave least of a shape: unrelated queries get them in turn.
HARD = (
    "cut to 50 %",
    "cut to 25 %",
    "dummy material",
    "dummy + mirror + scale",
    "cut + scale + noise",
    "decimation to 5 %",
    "noise 1 %",
    "holes and struts",
)
_GOALS = {
    "dummy material": 0.93,
    "decimation to 5 %": 0.93,
    "cut to 50 %": 0.97,
    "dummy + mirror + scale": 0.92,
    "cut + scale + noise": 0.92,
}
_GOAL = 0.98


def pose_error(mesh: Mesh, true: NDArray[np.float64], found: NDArray[np.float64]) -> float:
    """Return how far the found pose puts the surface from where it is, as a share of the diagonal.

    ``found`` leads from the query to the reference. The 90 % quantile of the distances between the surfaces: a shape
    with symmetries has several right poses.
    """
    points = random_points(mesh, 4000, np.random.Generator(np.random.PCG64(1)))
    from scipy.spatial import cKDTree

    placed = points @ (found @ true)[:3, :3].T + (found @ true)[:3, 3]
    size = diagonal(mesh)
    dense = random_points(mesh, 40_000, np.random.Generator(np.random.PCG64(2)))
    there, back = cKDTree(dense).query(placed)[0], cKDTree(placed).query(points)[0]
    # 4000 points lie about 1 % of the diagonal apart: the way back needs that allowance.
    return float(max(np.quantile(there, 0.9), np.quantile(back, 0.9) - 0.01 * size) / size)


def true_pose_score(query: Mesh, true: NDArray[np.float64], row: int, collection: Collection) -> float:
    """Return the score of the right reference at its true pose: what a perfect search would have found.

    ``true`` leads from the reference to the query; 0 where the sizes are so far apart that no radii are equal.
    """
    described = query_of_sample(sample_surface(query.vertices, query.faces))
    cloud = collection.cloud(row)
    scale = float(abs(np.linalg.det(true[:3, :3])) ** (1 / 3))
    step = 6.0 * math.log2(cloud.size * scale / described.cloud.size)
    if not any(radius + round(step) in SIGNATURE_STEPS for radius in described.steps):
        return 0.0
    pose = np.asarray(np.linalg.inv(true), np.float64)
    return fit_candidate(described, collection.signature(row), cloud, step, [pose]).score


def disturbed_row(
    item: Item, name: str, seed: int, collection: Collection, kept: dict[str, Any] | None, store: Store, key: str
) -> dict[str, Any]:
    """Disturb one item, identify it, and return what came out."""
    if kept is not None:
        return kept
    rng = np.random.Generator(np.random.PCG64([_SEED, seed]))
    mesh = item.mesh()
    query, pose = DISTURBANCES[name].apply(mesh, rng)
    start = time.process_time()
    found = identify(part_of(query), collection)
    seconds = time.process_time() - start
    own = [same_reference(collection, c.row, item.name) for c in found.candidates]
    hits = [same_reference(collection, c.row, item.name) for c in found.accepted]
    owners = [owner_of(c.metadata["source"]) for c in found.accepted]
    scores = np.array([c.score for c in found.candidates])
    top = bool(own) and own[0]
    one_body = name != "split bodies"
    error = pose_error(mesh, pose, found.candidates[0].pose) if top and one_body else math.nan
    best_other = float(max(scores[~np.array(own, dtype=bool)], default=0.0))
    row = next(k for k, reference in enumerate(collection.references) if reference.name == item.name)
    missed = not top and one_body and true_pose_score(query, pose, row, collection) > best_other
    return store.put(
        key,
        {
            "top": top,
            "pose_error": None if math.isnan(error) else error,
            "score": float(max(scores[own], default=0.0)),
            "accepted": any(hits),
            "strangers": int(sum(not h and o != owner_of(item.source) for h, o in zip(hits, owners, strict=True))),
            "best_other": best_other,
            "missed": missed,
            "seconds": seconds,
        },
    )


def recognition(
    context: Context, listed: list[Item], collection: Collection, store: Store, progress: Progress
) -> Iterator[Record]:
    """Yield top 1, acceptance and pose for each disturbance."""
    asked = set(context.rows or ROWS)
    names = [name for name in DISTURBANCES if name in asked or "disturbances" in asked]
    if not names:
        return
    reported = [item for item in listed if item.reported]
    count = 2 if context.quick else 48
    protocol = (
        f"{count} meshes of the reported half, each turned and shifted, against {len(collection)} references "
        f"({sum(item.path is not None for item in listed)} meshes, the rest generated solids)"
    )
    task = progress.add_task("disturbances", total=count * len(names))
    seconds: list[float] = []
    strangers: list[bool] = []
    wrong: list[bool] = []
    for number, name in enumerate(DISTURBANCES):
        if name not in names:
            continue
        rows = []
        chosen = np.random.Generator(np.random.PCG64([_SEED, number])).permutation(len(reported))[:count]
        for k, index in enumerate(chosen):
            key = f"{name} {reported[index].name} {_SEED} {k} of {len(collection)}"
            rows.append(disturbed_row(reported[index], name, number * 1000 + k, collection, store.get(key), store, key))
            progress.advance(task)
        goal = f"≥ {_GOALS.get(name, _GOAL)}"
        seconds += [row["seconds"] for row in rows]
        n = len(rows)
        top = float(np.mean([row["top"] for row in rows]))
        yield Record("printed", f"top 1, {name}", top, "share", goal, protocol, n, _SEED)
        passed = float(np.mean([row["accepted"] for row in rows]))
        yield Record("printed", f"in the collection, {name}", passed, "share", "", protocol, n, _SEED)
        strangers += [row["strangers"] > 0 for row in rows]
        wrong += [row["missed"] for row in rows if not row["top"] and name != "split bodies"]
        errors = [row["pose_error"] for row in rows if row["pose_error"] is not None]
        if errors:
            share = float(np.mean(np.array(errors) <= 0.02))
            text = protocol + "; right: 90 % of the surface within 2 % of the diagonal of its place, or of one "
            text += "that symmetry makes equal to it; among the right top 1"
            yield Record("printed", f"correct pose, {name}", share, "share", "", text, len(errors), _SEED)
    text = protocol + "; a reference of another owner accepted, whether beside the right one or not"
    names_words = "all" if len(names) == len(DISTURBANCES) else str(len(names))
    share, n = float(np.mean(strangers)), len(strangers)
    yield Record("printed", f"strangers accepted, {names_words} disturbances", share, "share", "", text, n, _SEED)
    if wrong:
        text = "queries in one body with another reference on top: the right one, put where it belongs, scores higher"
        yield Record(
            "printed", "wrong top 1 by the search, not by the score", float(np.mean(wrong)), "share", "", text,
            len(wrong), _SEED,
        )  # fmt: skip
    yield Record(
        "printed", "CPU time of a query, signature included, median", float(np.median(seconds)), "CPU s", "≤ 2",
        protocol, len(seconds), _SEED,
    )  # fmt: skip


def unrelated_queries(listed: list[Item], reported: bool, first_seed: int) -> dict[str, list[tuple[Item, str]]]:
    """Return queries, and how they are disturbed, by kind: meshes of one half, and new solids."""
    meshes = [item for item in listed if item.path is not None and item.reported == reported]
    solids = [
        Item(f"solid {seed}", family_of(seed), None, seed, reported) for seed in range(first_seed, first_seed + 160)
    ]
    more = [
        Item(f"solid {seed}", family_of(seed), None, seed, reported)
        for seed in range(first_seed + 200, first_seed + 260)
    ]
    return {
        "meshes": [(item, "rotation") for item in meshes],
        "disturbed meshes": [(item, HARD[k % len(HARD)]) for k, item in enumerate(meshes)],
        "solids": [(item, "rotation") for item in solids],
        "disturbed solids": [(item, HARD[k % len(HARD)]) for k, item in enumerate(solids[:64])],
        "look-alikes": [(item, "rotation") for item in more],
    }


def unrelated_row(
    item: Item, disturbance: str, kind: str, seed: int, collection: Collection, store: Store
) -> dict[str, Any]:
    """Search a query without the references of its owner or family; look-alikes with them."""
    key = f"{kind} {item.name} {disturbance} {seed} of {len(collection)}"
    row = store.get(key)
    if row is not None:
        return row
    rng = np.random.Generator(np.random.PCG64([_SEED, seed]))
    query, _ = DISTURBANCES[disturbance].apply(item.mesh(), rng)
    searched = collection
    if kind != "look-alikes":
        owner = owner_of(item.source)
        searched = collection.without(
            [r.name for r in collection.references if owner_of(r.metadata["source"]) == owner]
        )
    start = time.process_time()
    found = identify(part_of(query), searched)
    row = {
        "verdict": found.verdict,
        "worth": max(found.worths.values()),
        "score": max((candidate.score for candidate in found.candidates), default=0.0),
        "name": found.candidates[0].name if found.candidates else "",
        "seconds": time.process_time() - start,
    }
    return store.put(key, row)


def unrelated(
    context: Context, listed: list[Item], collection: Collection, store: Store, progress: Progress
) -> Iterator[Record]:
    """Yield false hits of queries without a relative: meshes without their owner's, solids without their family's."""
    rows: list[dict[str, Any]] = []
    kinds = unrelated_queries(listed, True, _UNRELATED_SEED)
    for number, (kind, queries) in enumerate(kinds.items()):
        few = queries[:: 40 if context.quick else 1]
        own = [
            unrelated_row(item, disturbance, kind, 20_000 + 1000 * number + k, collection, store)
            for k, (item, disturbance) in enumerate(progress.track(few, description=kind))
        ]
        rate = float(np.mean([row["verdict"] == "in the collection" for row in own]))
        protocol = f"{len(own)} queries against {len(collection)} references"
        if kind == "look-alikes":
            protocol += "; new solids of families that are in the collection, made with other numbers"
            yield Record("printed", "look-alikes taken for a reference", rate, "share", "", protocol, len(own), _SEED)
            continue
        protocol += "; meshes without the references of their own owner, solids without those of their family"
        yield Record("printed", f"false hits, {kind}", rate, "share", "≤ 0.005", protocol, len(own), _SEED)
        rows += own
    hits = sum(row["verdict"] == "in the collection" for row in rows)
    n = len(rows)
    protocol = f"the four kinds together, against {len(collection)} references"
    yield Record("printed", "false hits, all", hits / n, "share", "≤ 0.005", protocol, n, _SEED)
    bound = error_upper_limit(hits, n)
    yield Record("printed", "false hits, upper 95 % bound", bound, "share", "", protocol + "; exact binomial", n, _SEED)
    seconds = float(np.median([row["seconds"] for row in rows]))
    yield Record("printed", "CPU time of an unrelated query, median", seconds, "CPU s", "", protocol, n, _SEED)
    plain = float(np.mean([row["verdict"] == "too plain to identify" for row in rows]))
    yield Record("printed", "too plain to identify", plain, "share", "", protocol, n, _SEED)
    for quantile in (0.5, 0.95, 0.99, 1.0):
        value = float(np.quantile([row["score"] for row in rows], quantile))
        text = f"score of unrelated queries, {quantile:.0%} quantile"
        yield Record("printed", text, value, "score", f"threshold {DEFAULT.threshold}", protocol, n, _SEED)


def plates(
    context: Context, listed: list[Item], collection: Collection, store: Store, progress: Progress
) -> Iterator[Record]:
    """Yield how many of ten parts on one plate are found, and how many are named that are not there."""
    reported = [item for item in listed if item.reported]
    count = 1 if context.quick else 2
    rows = []
    for k in progress.track(range(count), description="plates of ten"):
        key = f"plate {k} {_SEED} of {len(collection)}"
        row = store.get(key)
        if row is None:
            rng = np.random.Generator(np.random.PCG64([_SEED, 500 + k]))
            chosen = [reported[i] for i in rng.permutation(len(reported))[:10]]
            placed = []
            for item in chosen:
                mesh = item.mesh()
                pose = similarity(rng, False, False, 0.0)
                pose[:3, :3] *= rng.uniform(60.0, 140.0) / diagonal(mesh)
                placed.append(posed(mesh, pose))
            found: Identification = identify(part_of(plate(placed)), collection)
            named = [c.row for c in found.accepted]
            hit = [any(same_reference(collection, row, item.name) for row in named) for item in chosen]
            wrong = [not any(same_reference(collection, r, item.name) for item in chosen) for r in named]
            row = store.put(key, {"found": int(sum(hit)), "wrong": int(sum(wrong))})
        rows.append(row)
    protocol = f"{count} plates of ten meshes of the reported half, 60–140 mm, any turn; accepted against the ten"
    share = sum(row["found"] for row in rows) / (10 * count)
    wrong_share = sum(row["wrong"] for row in rows) / (10 * count)
    yield Record("printed", "found, plate of ten", share, "share", f"≥ {_GOAL}", protocol, 10 * count, _SEED)
    yield Record("printed", "wrongly named, plate of ten", wrong_share, "share", "", protocol, 10 * count, _SEED)


#: Groups of rows, each of which can be run alone: ``python -m benchmarks printed --rows planted-boxes``. That of one
#: disturbance is called after it.
ROWS = ("disturbances", "unrelated", "plates", "pieces", "signature", "speed", "planted-boxes", "planted-look-alikes")


def run(context: Context) -> Iterator[Record]:
    """Yield recognition, false hits, plates, pieces in several files, what a signature gives away, and speed."""
    unknown = [name for name in context.rows if name not in (*ROWS, *DISTURBANCES)]
    if unknown:
        listed_rows = ", ".join((*ROWS, *DISTURBANCES))
        raise ParameterError(f"no rows named {', '.join(unknown)}; there are: {listed_rows}")
    asked = set(context.rows or ROWS)
    listed = items(context.data, 20 if context.quick else _SOLIDS)
    if context.quick:
        listed = listed[::8]
    store = Store(context.output)
    with Progress() as progress:
        if asked - {"planted-boxes", "planted-look-alikes", "signature", "speed"}:
            collection = collection_of(listed, store, progress)
            start = time.process_time()
            collection.index()
            text = f"index of {len(collection)} references"
            seconds = time.process_time() - start
            yield Record("printed", text, seconds, "CPU s", "", "made once, kept with the collection", 1)
            yield from recognition(context, listed, collection, store, progress)
            for name, group in (("unrelated", unrelated), ("plates", plates), ("pieces", pieces)):
                if name in asked:
                    yield from group(context, listed, collection, store, progress)
        if "planted-boxes" in asked:
            yield from planted_boxes(context, listed, store, progress)
        if "planted-look-alikes" in asked:
            yield from planted_look_alikes(context, store, progress)
    if "signature" in asked:
        yield from given_away(context, listed, store)
    if "speed" in asked:
        yield from speed(context)
