"""Measures how often unrelated queries hit a collection: its references, and pieces of them, searched in the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from ballistics.printed.collection import store
from ballistics.printed.collection.collection import ALIKE_AS_WHOLE, Collection
from ballistics.printed.collection.enrolment import open_collection
from ballistics.printed.collection.false_hit_rate import FalseHitRate
from ballistics.printed.describe.geometry_hashes import copy_relation
from ballistics.printed.describe.plainness import PLAIN_WORTH
from ballistics.printed.describe.sampling import EvenSample
from ballistics.printed.describe.signature import Signature, whole_descriptors
from ballistics.printed.identify.identification import IDENTIFICATION_VERSION, identify

#: Queries of a measurement unless more are asked for; a search of one costs some CPU seconds.
QUERIES = 100
#: Fewer references than this say nothing of a rate.
FEWEST_REFERENCES = 20
_SEED = 11
# Measured again when the collection has grown by more than this since.
_GROWN = 1.25
# Share of the surface that a cut leaves.
_LEAST_LEFT, _MOST_LEFT = 0.25, 0.6
# Levels of an even sample: three to a factor of two, as of a mesh.
_LEVELS = 9

Tell = Callable[[int, int], None]


def is_measured(collection: Collection) -> bool:
    """Return whether a collection has a false-hit rate of its own that still holds, or is too small to have any."""
    known = collection.false_hits
    if len(collection) < FEWEST_REFERENCES:
        return True
    return known is not None and known.method == IDENTIFICATION_VERSION and len(collection) <= _GROWN * known.references


def measured(collection: Collection, queries: int = QUERIES, tell: Tell | None = None) -> FalseHitRate | None:
    """Search references of a collection among those that are not their relatives.

    Parameters
    ----------
    collection : Collection
    queries : int
        At most two of each reference: the whole of it, then a piece that a random plane cuts off.
    tell : callable, optional
        Told the queries done and all queries.

    Returns
    -------
    FalseHitRate or None
        None for fewer than 20 references. The same collection gives the same rate. Cost: at most some CPU seconds for
        each query, however large the collection.

    Notes
    -----
    Relatives, in which a reference is not searched: itself and its copies, scaled or mirrored ones too; what is of the
    same file or of the same folder below the one that was enrolled; and what has like whole descriptors, unless it is
    plain: those are taken for versions of it. What is left may still be related in ways that nobody told: the rate is
    rather too high than too low. The pieces are cut off signatures: their descriptors still see across the cut.
    """
    if len(collection) < FEWEST_REFERENCES or queries < 1:
        return None
    generator = np.random.Generator(np.random.PCG64(_SEED))
    order = generator.permutation(len(collection))
    rows = np.concatenate([order, order])[:queries]
    hits = 0
    for k, row in enumerate(rows.tolist()):
        if tell is not None:
            tell(k, len(rows))
        query = collection.signature(row)
        # Of a large collection every second is cut, of a small one each is asked whole and cut.
        if k % 2 == (k >= len(order)):
            query = replace(query, keys=None)
        else:
            query = piece_of(query, np.random.Generator(np.random.PCG64([_SEED, k])))
        names = [collection.references[other].name for other in relatives(collection, row)]
        hits += bool(identify(query, collection.without(names), most=1).accepted)
    if tell is not None:
        tell(len(rows), len(rows))
    return FalseHitRate(len(rows), hits, len(collection), IDENTIFICATION_VERSION, _SEED)


def relatives(collection: Collection, row: int) -> list[int]:
    """Return the rows in which a reference is not searched, see `measured`; its own first."""
    own = collection.references[row]
    apart = collection.apart_as_whole(collection.whole()[row])
    folder = _folder(own.metadata.get("file"))
    found = [row]
    for other, reference in enumerate(collection.references):
        if other == row:
            continue
        facts = reference.metadata
        same_file = bool(own.metadata.get("sha256")) and facts.get("sha256") == own.metadata.get("sha256")
        same_folder = bool(folder) and _folder(facts.get("file")) == folder
        keys = own.keys, reference.keys
        copied = keys[0] is not None and keys[1] is not None and copy_relation(keys[0], keys[1]) is not None
        version = apart[other] <= ALIKE_AS_WHOLE and collection.worth(other) >= PLAIN_WORTH
        if same_file or same_folder or copied or version:
            found.append(other)
    return found


def _folder(file: object) -> str:
    """Return the folder of a file below the one that was enrolled; nothing where there is none."""
    if not isinstance(file, str):
        return ""
    parent = str(PurePosixPath(file.replace("\\", "/")).parent)
    return "" if parent == "." else parent


def piece_of(signature: Signature, generator: np.random.Generator) -> Signature:
    """Return what a random plane leaves of a signature: 25–60 % of its surface, at a random size."""
    points = signature.points_mm()
    normal = generator.normal(size=3)
    along = points @ (normal / np.linalg.norm(normal))
    kept = along <= np.quantile(along, generator.uniform(_LEAST_LEFT, _MOST_LEFT))
    factor = float(2.0 ** generator.uniform(-1.0, 1.0))
    spacing, size = factor * signature.spacing_mm, factor * signature.size_mm
    few = factor * points[kept]
    distances = spacing * 2.0 ** (np.arange(_LEVELS - 1, -1, -1) / 3.0)
    counts = np.maximum(np.rint(len(few) * (spacing / distances) ** 2), 1).astype(np.int64)
    area = factor**2 * signature.area_mm2 * float(kept.mean())
    sample = EvenSample(few, distances, counts, size, area)
    return Signature(
        signature.codes[kept],
        factor * signature.origin_mm,
        factor * signature.step_mm,
        spacing,
        # The radii of the descriptors remain shares of the size of the whole.
        size,
        area,
        np.ascontiguousarray(signature.local[:, kept[: signature.local.shape[1]]]),
        whole_descriptors(sample),
    )


def measure_folder(folder: Path, queries: int = QUERIES, tell: Tell | None = None) -> FalseHitRate | None:
    """Measure the false-hit rate of a collection on the disk, and keep it in its manifest.

    Others may enrol meanwhile; the folder is only locked while the rate is written.

    Parameters
    ----------
    folder : Path
        Of the collection.
    queries : int
        As for `measured`.
    tell : callable, optional
        As for `measured`.

    Raises
    ------
    CorruptFileError, UnsupportedFormatError
        As for `Collection.load`.
    WriteError
        The folder cannot be written.
    """
    found = measured(open_collection(folder)[0], queries, tell)
    if found is not None:
        with store.enrolling(folder):
            collection, taxonomy = open_collection(folder)
            # Also what an older version did not measure is kept from now on.
            for row in range(len(collection)):
                collection.worth(row)
            collection.taxonomy = taxonomy.content()
            collection.false_hits = found
            collection.commit(folder)
    return found
