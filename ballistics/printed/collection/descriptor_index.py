"""An index of the local descriptors of a collection."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError
from ballistics.printed.describe.descriptors import DESCRIPTOR_STEP, SIGNATURE_STEPS, metric

# Stands in the file of an index, and so in its hash; a search says itself how many cells it looks into.
_CELLS = 4


@dataclass(frozen=True)
class Neighbours:
    """What an index holds that resembles the descriptors of a query.

    Parameters
    ----------
    keypoints : ndarray of int64, shape (q,)
        Keypoint of the query of each descriptor.
    steps : ndarray of int64, shape (q,)
        Step of its radius.
    numbers : ndarray of int64, shape (q, neighbours)
        Of the stored descriptors, nearest first; −1 for none.
    distances : ndarray of float32, shape (q, neighbours)
        Squared.
    """

    keypoints: NDArray[np.int64]
    steps: NDArray[np.int64]
    numbers: NDArray[np.int64]
    distances: NDArray[np.float32]

    def of(self, keypoints: NDArray[np.bool_]) -> Neighbours:
        """Return the neighbours of some of the keypoints only; ``keypoints`` is a mask."""
        kept = keypoints[self.keypoints]
        return Neighbours(self.keypoints[kept], self.steps[kept], self.numbers[kept], self.distances[kept])


class DescriptorIndex:
    """Inverted-file index (faiss) over local descriptors, in cells that ship with the metric.

    The cells are the same for every collection: nothing is trained on a lab's references, and the same references
    give the same neighbours however they were added. An index that was read keeps its lists on the disk, and what is
    added stands behind them in lists of its own.
    """

    def __init__(self, keypoints: int) -> None:
        """Make an empty index over the first ``keypoints`` of each signature."""
        #: Read from a file and left as it is; None when nothing was.
        self.base: Any = None
        #: What was added behind it.
        self.added: Any = _empty()
        self.keypoints = keypoints
        self.references = self.base_references = 0
        # The two as one, and what must live as long.
        self._joined: tuple[Any, ...] = ()

    @property
    def faiss_index(self) -> Any:
        """All of it, to be searched."""
        if self.base is None:
            return self.added
        if not self.added.ntotal:
            return self.base
        if not self._joined:
            faiss = _faiss()
            both = faiss.InvertedListsPtrVector()
            both.push_back(self.base.invlists)
            both.push_back(self.added.invlists)
            lists = faiss.HStackInvertedLists(both.size(), both.data())
            joined = _empty()
            joined.replace_invlists(lists, False)
            self._joined = joined, lists, both
        self._joined[0].ntotal = self.base.ntotal + self.added.ntotal
        return self._joined[0]

    def to_bytes(self) -> bytes:
        """Return the index as it is written to a file."""
        import faiss

        return bytes(faiss.serialize_index(self.copied(self.keypoints).added if self.base else self.added).data)

    def added_to_bytes(self) -> bytes:
        """Return what was added behind the base as it is written to a file."""
        import faiss

        return bytes(faiss.serialize_index(self.added).data)

    def copied(self, keypoints: int) -> DescriptorIndex:
        """Return the same index without a base, over the first keypoints only: what an index made anew would be.

        Parameters
        ----------
        keypoints : int
            Of each signature; at most as many as are in this one.
        """
        import faiss

        made = DescriptorIndex(keypoints)
        made.references = self.references
        for cell in range(self.added.nlist):
            for index in (self.base, self.added):
                if index is None or not index.invlists.list_size(cell):
                    continue
                lists, size = index.invlists, index.invlists.list_size(cell)
                numbers = faiss.rev_swig_ptr(lists.get_ids(cell), size)
                codes = faiss.rev_swig_ptr(lists.get_codes(cell), size * index.code_size).reshape(size, -1)
                ball, keypoint = np.divmod(numbers, self.keypoints)
                kept = keypoint < keypoints
                # Named: faiss is given addresses only.
                few, own = (ball * keypoints + keypoint)[kept], codes[kept]
                made.added.invlists.add_entries(cell, len(few), faiss.swig_ptr(few), faiss.swig_ptr(own))
        made.added.ntotal = made.added.invlists.compute_ntotal()
        return made

    @classmethod
    def read(cls, path: Path, keypoints: int, references: int, *, added: Path | None = None) -> DescriptorIndex:
        """Open a written index; its lists are mapped into memory, not read.

        Parameters
        ----------
        path : Path
            The written index.
        keypoints : int
            How many of the first keypoints of each signature are in it.
        references : int
            How many signatures are in it. Both are known from elsewhere: the file does not hold them.
        added : Path, optional
            What was added to it, which is read.

        Returns
        -------
        DescriptorIndex

        Raises
        ------
        CorruptFileError
            When it is missing, or no such index.
        """
        import faiss

        opened = cls(keypoints)
        opened.base = _read(path, faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)
        opened.references = opened.base_references = references
        if added is not None:
            opened.added = _read(added, 0)
        return opened

    def add(self, signatures: Iterable[NDArray[np.int8]]) -> None:
        """Add the local descriptors of further references, each of shape (radii, keypoints, 24)."""
        for local in signatures:
            few = local[:, : self.keypoints]
            radii, count = few.shape[:2]
            numbers = (self.references * radii + np.arange(radii)[:, None]) * self.keypoints + np.arange(count)
            there = few[:, :, 0] != -128
            self.added.add_with_ids(
                np.ascontiguousarray(few[there], dtype=np.float32), np.ascontiguousarray(numbers[there])
            )
            self.references += 1

    def neighbours(
        self, local: NDArray[np.int8], steps: tuple[int, ...], neighbours: int, cells_searched: int
    ) -> Neighbours:
        """Look up the descriptors of a query.

        Parameters
        ----------
        local : ndarray of int8, shape (radii, keypoints, 24)
            Each keypoint is looked up at every other radius, its neighbours in the order at those between: half the
            work found no less in a trial of 35 hard queries among 1163 references.
        steps : tuple of int
            Step of each radius.
        neighbours : int
            Stored descriptors that are looked up for each.
        cells_searched : int
            Cells of the index that are looked into.
        """
        import faiss

        there = local[:, :, 0] != -128
        if len(steps) > len(SIGNATURE_STEPS):
            there &= np.add.outer(np.arange(local.shape[0]), np.arange(local.shape[1])) % 2 == 0
        radius, keypoint = np.nonzero(there)
        searched = faiss.SearchParametersIVF()
        searched.nprobe = cells_searched
        wanted = np.ascontiguousarray(local[there], dtype=np.float32)
        distances, numbers = self.faiss_index.search(wanted, neighbours, params=searched)
        # Kernels count by these numbers: one of no reference would write outside their arrays.
        if len(numbers) and not -1 <= int(numbers.min()) <= int(numbers.max()) < self._numbers():
            raise CorruptFileError("the index names references that the collection has not; fetch the collection again")
        return Neighbours(keypoint, np.asarray(steps, dtype=np.int64)[radius], numbers, distances)

    def _numbers(self) -> int:
        return self.references * len(SIGNATURE_STEPS) * self.keypoints


def _faiss() -> Any:
    """Return faiss, of which the stubs know little."""
    import faiss

    return faiss


def _empty() -> Any:
    """Return an index of faiss without a descriptor."""
    faiss = _faiss()
    centres = np.ascontiguousarray(metric().centres / DESCRIPTOR_STEP, dtype=np.float32)
    dimensions = centres.shape[1]
    coarse = faiss.IndexFlatL2(dimensions)
    coarse.add(centres)
    made = faiss.IndexIVFScalarQuantizer(
        coarse, dimensions, len(centres), faiss.ScalarQuantizer.QT_8bit_direct_signed, faiss.METRIC_L2, False
    )
    made.own_fields = True
    coarse.this.disown()
    made.train(centres)
    made.nprobe = _CELLS
    return made


def _read(path: Path, flags: int) -> Any:
    """Read an index of faiss, and refuse one of another kind."""
    faiss = _faiss()
    own = _empty()
    try:
        found = faiss.read_index(str(path), flags)
    except (RuntimeError, MemoryError) as error:  # faiss reports everything as the former
        said = str(error).strip().splitlines()
        raise CorruptFileError(
            f"{path} cannot be read as an index: {said[-1][:200] if said else 'too little memory'}; "
            "fetch the collection again"
        ) from error
    kind = (type(found), getattr(found, "d", 0), getattr(found, "nlist", 0), getattr(found, "code_size", 0))
    if kind != (type(own), own.d, own.nlist, own.code_size):
        raise CorruptFileError(f"{path} is an index of another kind; fetch the collection again")
    found.nprobe = _CELLS
    return found
