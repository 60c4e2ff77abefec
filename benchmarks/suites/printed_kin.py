"""Are revisions of one solid found to be kin, and are other solids left alone?"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
from rich.progress import Progress

from ballistics.printed.collection.collection import Collection
from ballistics.printed.describe.signature import signature_of
from ballistics.printed.kin.kinship import kin_of
from benchmarks.support.printed_items import part_of
from benchmarks.support.record import Context, Record
from reference_meshes.revisions import REVISIONS
from reference_meshes.solids import Mesh, solid

DESCRIPTION = "kin: revisions of generated solids found as families; kinships between unrelated solids"
# None of these seeds was used to choose a parameter or the score.
_FIRST_SEED, _SEED = 70_000, 8201
_EACH, _UNRELATED = 15, 40


def planted(each: int, unrelated: int) -> tuple[Collection, dict[str, list[tuple[str, str]]]]:
    """Return a collection of revisions and unrelated solids, and the true pairs by what was done."""
    collection = Collection()
    pairs: dict[str, list[tuple[str, str]]] = {}

    def enrol(mesh: Mesh, name: str) -> str:
        rng = np.random.Generator(np.random.PCG64([_SEED, len(collection)]))
        turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        turn *= np.sign(np.linalg.det(turn))
        collection.enrol(signature_of(part_of(Mesh(mesh.vertices @ turn.T, mesh.faces))), name)
        return name

    seed = _FIRST_SEED
    for name, made in REVISIONS.items():
        done = 0
        while done < each:
            rng = np.random.Generator(np.random.PCG64([_SEED, seed]))
            try:
                first, second = made(solid(seed), rng)
            except ValueError:
                seed += 1
                continue
            pair = enrol(first, f"{seed} {name} v1"), enrol(second, f"{seed} {name} v2")
            pairs.setdefault(name, []).append(pair)
            seed, done = seed + 1, done + 1
    for k in range(unrelated):
        enrol(solid(seed + k), f"{seed + k}")
    return collection, pairs


def run(context: Context) -> Iterator[Record]:
    """Yield the share of revisions found, by what was done, and the false kinships."""
    each, unrelated = (2, 4) if context.quick else (_EACH, _UNRELATED)
    with Progress() as progress:
        collection, pairs = planted(each, unrelated)
        task = progress.add_task("kin", total=len(collection))
        start = time.process_time()
        kin = kin_of(collection, tell=lambda done, _: progress.update(task, completed=done))
        seconds = time.process_time() - start
    found = {frozenset((k.name_a, k.name_b)): k for family in kin.families for k in family.kinships}
    protocol = (
        f"{len(collection)} generated solids, each turned at random: {each} pairs of revisions by each change, "
        f"{unrelated} others"
    )
    true = set()
    right_order = 0
    for name, own in pairs.items():
        keys = [frozenset(pair) for pair in own]
        true |= set(keys)
        hits = [found[key] for key in keys if key in found]
        right_order += sum(hit.name_a.endswith("v1") and bool(hit.order) for hit in hits)
        yield Record("printed_kin", f"kin found, {name}", len(hits) / len(own), "share", "", protocol, len(own), _SEED)
    yield Record(
        "printed_kin", "kinships between unrelated solids", float(sum(key not in true for key in found)), "pairs", "",
        protocol, len(collection) * (len(collection) - 1) // 2 - len(true), _SEED,
    )  # fmt: skip
    mirrored = [found[key] for key in map(frozenset, pairs["mirrored"]) if key in found]
    share = float(np.mean([hit.kind in ("mirror image", "same geometry") for hit in mirrored])) if mirrored else 0.0
    yield Record("printed_kin", "mirror images called so", share, "share", "", protocol, len(mirrored), _SEED)
    total = sum(key in true for key in found)
    yield Record(
        "printed_kin", "right order among those found", right_order / max(total, 1), "share", "", protocol, total, _SEED
    )
    yield Record("printed_kin", "CPU time of a reference", seconds / len(collection), "CPU s", "", protocol, 1, _SEED)
