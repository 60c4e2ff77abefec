"""Are the two halves of a part, each in its own file, called pieces of it, and copies of one half not?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from rich.progress import Progress

from ballistics.printed.collection.collection import Collection
from ballistics.printed.identify.identification import identify
from ballistics.printed.identify.pieces_of_reference import PIECES_VERSION, reference_pieces
from benchmarks.support.printed_items import Item, Store, part_of, same_reference
from benchmarks.support.record import Context, Record
from reference_meshes.disturbances import diagonal, halves, posed, remesh, similarity

_SEED = 7011


def halved(item: Item, k: int, collection: Collection) -> dict[str, Any]:
    """Cut an item in two, search both halves and a re-meshed copy of the first, each turned and shifted by itself."""
    rng = np.random.Generator(np.random.PCG64([_SEED, k]))
    mesh = item.mesh()
    first, second = halves(mesh, rng.uniform(0.4, 0.6), rng)
    queries = (first, second, remesh(first, rng))
    found = [
        identify(part_of(posed(query, similarity(rng, False, False, diagonal(mesh)))), collection) for query in queries
    ]
    hit = [any(same_reference(collection, candidate.row, item.name) for candidate in own.accepted) for own in found]

    def told(a: int, b: int) -> bool:
        groups = reference_pieces([found[a], found[b]], collection)
        return any(group.complementary and same_reference(collection, group.row, item.name) for group in groups)

    return {"hit": hit, "halves": told(0, 1), "copies": told(0, 2)}


def pieces(
    context: Context, listed: list[Item], collection: Collection, store: Store, progress: Progress
) -> Iterator[Record]:
    """Yield how often halves are called pieces of their reference, and how often copies of one half are."""
    reported = [item for item in listed if item.reported]
    count = 2 if context.quick else 48
    chosen = np.random.Generator(np.random.PCG64(_SEED)).permutation(len(reported))[:count]
    rows = []
    for k, index in enumerate(progress.track(chosen, description="halves in two files")):
        key = f"pieces {PIECES_VERSION} {reported[index].name} {_SEED} {k} of {len(collection)}"
        kept = store.get(key)
        rows.append(store.put(key, halved(reported[index], k, collection)) if kept is None else kept)
    protocol = (
        f"{len(rows)} meshes of the reported half, cut in two at 40–60 % of the area, each half in a file of its own, "
        f"turned and shifted, against {len(collection)} references"
    )
    for name, text, other in (
        ("halves", "pieces of one reference, of two halves in the collection", 1),
        ("copies", "pieces of one reference, of two copies of a half", 2),
    ):
        both = [row[name] for row in rows if row["hit"][0] and row["hit"][other]]
        more = "; where both reach the threshold" + ("; the copy is re-meshed" if other == 2 else "")
        if both:
            yield Record("printed", text, float(np.mean(both)), "share", "", protocol + more, len(both), _SEED)
