"""What does a search cost in 100 000 references? Simulated from the signatures of a few hundred solids."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.collection.collection import Collection
from ballistics.printed.collection.descriptor_index import DescriptorIndex
from ballistics.printed.describe.descriptors import DESCRIPTOR_STEP, SIGNATURE_STEPS, metric
from ballistics.printed.describe.query import query_of_sample
from ballistics.printed.describe.sampling import sample_surface
from ballistics.printed.describe.signature import Signature, signature_of
from ballistics.printed.identify.search import Question, search
from benchmarks.support.printed_items import part_of
from benchmarks.support.record import Context, Record
from reference_meshes.disturbances import cut, posed, similarity
from reference_meshes.solids import Generator, Mesh, solid

DESCRIPTION = "printed parts: CPU seconds of a search in 100 000 simulated references, mapped from disk"

_KEYPOINTS = 40  # what `Collection` indexes of each reference
_SEED = 30_000


class SimulatedCollection(Collection):
    """Many references that are copies of a few, with the index of many."""

    def __init__(self, bases: list[Signature], index: DescriptorIndex) -> None:
        """Serve the bases in turn."""
        super().__init__()
        self.bases = bases
        self.copies = index.references // len(bases)
        self._index = index
        self._whole = np.repeat(np.stack([base.whole for base in bases]), self.copies, axis=0)

    def __len__(self) -> int:
        """Return the number of references."""
        return len(self._whole)

    def signature(self, row: int) -> Signature:
        """Return the signature of the base of a reference."""
        return self.bases[row // self.copies]

    def whole(self) -> NDArray[np.int8]:
        """Return the descriptors of all whole references."""
        return self._whole


def simulated_index(bases: list[Signature], references: int) -> DescriptorIndex:
    """Return an index in which each base occurs many times with its descriptors moved at random.

    The moved descriptors stay in the cell of their base: assigning each anew would take minutes and give about the
    same cells.
    """
    import faiss

    index = DescriptorIndex(_KEYPOINTS)
    coarse = faiss.IndexFlatL2(metric().centres.shape[1])
    coarse.add(np.ascontiguousarray(metric().centres / DESCRIPTOR_STEP, dtype=np.float32))
    rng = np.random.Generator(np.random.PCG64(_SEED))
    radii = len(SIGNATURE_STEPS)
    codes = np.concatenate([base.local[:, :_KEYPOINTS].reshape(-1, base.local.shape[2]) for base in bases])
    cell = coarse.search(codes.astype(np.float32), 1)[1][:, 0]
    copies = -(-references // len(bases))
    place = np.arange(len(codes)) % (radii * _KEYPOINTS) + np.arange(len(codes)) // (radii * _KEYPOINTS) * (
        radii * _KEYPOINTS * copies
    )
    for copy in range(copies):
        moved = codes if copy == 0 else codes + np.rint(rng.normal(size=codes.shape) * 8.0)
        moved = np.clip(moved, -127, 127).astype(np.int8)
        order = np.argsort(cell, kind="stable")
        edges = np.flatnonzero(np.diff(cell[order])) + 1
        for rows in np.split(order, edges):
            numbers = (place[rows] + copy * radii * _KEYPOINTS).astype(np.int64)
            # The 8-bit codes of faiss hold the value plus 128.
            stored = (moved[rows].astype(np.int16) + 128).astype(np.uint8)
            index.faiss_index.invlists.add_entries(
                int(cell[rows[0]]), len(rows), faiss.swig_ptr(numbers), faiss.swig_ptr(np.ascontiguousarray(stored))
            )
    index.faiss_index.ntotal = len(codes) * copies
    index.references = copies * len(bases)
    return index


def run(context: Context) -> Iterator[Record]:
    """Yield the CPU seconds of a search for parts and for halves, and how many are found first."""
    count, references = (20, 2_000) if context.quick else (200, 100_000)
    meshes = [solid(_SEED + k) for k in range(count)]
    bases = [signature_of(part_of(mesh)) for mesh in meshes]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index.faiss"
        path.write_bytes(simulated_index(bases, references).to_bytes())
        copies = -(-references // count)
        collection = SimulatedCollection(bases, DescriptorIndex.read(path, _KEYPOINTS, copies * count))
        rows = {
            kind: [_searched(k, changed, meshes[k], collection, copies) for k in range(0, count, max(count // 20, 1))]
            for kind, changed in (("a part", lambda mesh, _: mesh), ("a half", lambda mesh, rng: cut(mesh, 0.5, rng)))
        }
    protocol = (
        f"{references} simulated references ({count} solids with descriptors moved by one standard deviation), "
        f"{_KEYPOINTS} keypoints each, index mapped from disk; queries scaled, mirrored and turned; description of the "
        "query and search of what a hit leaves included; halves need the index, parts are found whole before it"
    )
    for kind, found in rows.items():
        seconds, first = zip(*found, strict=True)
        n = len(found)
        median = float(np.median(seconds))
        yield Record("printed_large", f"identification of {kind}, median", median, "CPU s", "≤ 5", protocol, n, _SEED)
        share = float(np.mean(first))
        yield Record("printed_large", f"right solid first, {kind}", share, "share", "", protocol, n, _SEED)


def _searched(
    k: int, changed: Callable[[Mesh, Generator], Mesh], mesh: Mesh, collection: SimulatedCollection, copies: int
) -> tuple[float, bool]:
    """Search a changed mesh; return the CPU seconds and whether a copy of its base comes first."""
    rng = np.random.Generator(np.random.PCG64([_SEED, k]))
    mesh = changed(posed(mesh, similarity(rng, True, True, 50.0)), rng)
    start = time.process_time()
    query = query_of_sample(sample_surface(mesh.vertices, mesh.faces))
    found = search(Question(query, 0, None, collection))
    seconds = time.process_time() - start
    best = max(found, key=lambda candidate: candidate.fit.score, default=None)
    # All copies of a base hold its own signature: any of them is right.
    return seconds, best is not None and best.row // copies == k
