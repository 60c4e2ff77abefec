"""The marks of linked pairs as a batch prepared them, to be looked at beside each other."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from ballistics.errors import CorruptFileError
from ballistics.pairs.links import Links
from ballistics.pairs.mark_store import MarkStore
from ballistics.pairs.results import read_columns
from ballistics.pairs.rows import place_columns, pose_of
from ballistics.provenance import sha256_of_array
from ballistics.surfaces import Mark, Pose

# More pictures than these are no page to look at.
MOST_PAIRS = 60


@dataclass(frozen=True, eq=False)
class LinkedMarks:
    """Two prepared marks of a linked pair, and how B lies on A."""

    a: Mark
    b: Mark
    pose: Pose


def linked_marks(results: Path, links: Links, work: Path | None = None) -> dict[tuple[str, str], LinkedMarks]:
    """Return the marks of the linked pairs, of the largest clusters first, where the folder of the batch has them.

    Parameters
    ----------
    results : Path
        The table of the batch.
    links : Links
        From `find_links` of that table.
    work : Path, optional
        The folder of finished work. Default: ``NAME.work`` beside the table.

    Returns
    -------
    dict
        By the SHA-256 of the two scans, in the order of the pair in ``links``; at most `MOST_PAIRS`. A mark that is
        not there, or is not the one that the table speaks of, is left out.
    """
    work = results.with_name(f"{results.name}.work") if work is None else work
    folders = sorted(path for path in (work / "marks").glob("*") if path.is_dir())
    if not folders:
        return {}
    linked = (pair for cluster in links.clusters for pair in cluster.links)
    wanted = {(pair.a.sha256, pair.b.sha256) for pair in islice(linked, MOST_PAIRS)}
    kind = str(links.metadata["mark_kind"])
    stores = [MarkStore(folder, kind) for folder in folders]
    found: dict[tuple[str, str], LinkedMarks] = {}
    placed = place_columns(kind)
    for rows in read_columns(results, ["sha256_a", "sha256_b", "mark_sha256_a", "mark_sha256_b", *placed]):
        for a, b, of_a, of_b, *values in rows:
            swapped = (b, a) in wanted
            if ((a, b) not in wanted and not swapped) or None in values:
                continue
            marks = [_mark(stores, scan, heights) for scan, heights in ((a, of_a), (b, of_b))]
            if marks[0] is None or marks[1] is None:
                continue
            pose = pose_of(dict(zip(placed, values, strict=True)))
            assert pose is not None
            if swapped:
                found[b, a] = LinkedMarks(marks[1], marks[0], pose.inverse())
            else:
                found[a, b] = LinkedMarks(marks[0], marks[1], pose)
    return found


def _mark(stores: list[MarkStore], scan: str, mark_sha256: str) -> Mark | None:
    """Return the very mark that the table speaks of."""
    for store in stores:
        try:
            mark = store.load(scan)
        except CorruptFileError:
            continue
        if sha256_of_array(np.asarray(mark.heights_um)) == mark_sha256 and np.isfinite(mark.heights_um).any():
            return mark
    return None
