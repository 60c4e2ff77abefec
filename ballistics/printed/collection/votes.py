"""An index of the local descriptors of a collection, whose matches vote for references and scales."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError
from ballistics.printed.describe.cloud import Cloud
from ballistics.printed.describe.descriptors import DESCRIPTOR_STEP, QUERY_STEPS, SIGNATURE_STEPS, metric
from ballistics_kernels.meshes import agreeing_pairs, matches_by_reference, scale_votes

# Neighbours per descriptor, and cells of the index looked into.
_NEIGHBOURS = 60
_CELLS_SEARCHED = 4
#: Steps of 2^(1/6) by which the logarithm of the scale is counted: radius ratios from 2^-2.33 to 2^2.17.
LOWEST_STEP = -14
STEPS = 28
# Two descriptors of one place, both disturbed, may be so far apart; squared, in steps of the stored bytes.
_FLOOR = 2.0 / DESCRIPTOR_STEP**2
# The smaller a ball, the less often it is cut off or built over: its votes double in so many steps, two octaves.
_STEPS_PER_DOUBLING = 12.0
# Matches that agree in geometry: of a reference, the heaviest; lengths as shares of its size.
_MATCHES = 200
_AGREES = 0.03
_SHORTEST = 0.06
_LENGTH_SLACK = 0.1


@dataclass(frozen=True)
class Vote:
    """A reference that descriptors voted for.

    Parameters
    ----------
    reference : int
        Row of the collection.
    step : float
        The voted ratio of sizes, as steps: a query of ``size_q`` shows the reference's ``size_r`` at the scale
        size_q / size_r · 2^(step / 6).
    weight : float
        Above 0: votes for the reference at this scale, over the square root of those at all scales; only comparable
        within a query.
    """

    reference: int
    step: float
    weight: float


@dataclass(frozen=True)
class Neighbours:
    """What an index holds that resembles the descriptors of a query.

    Parameters
    ----------
    keypoints : ndarray of int64, shape (q,)
        Keypoint of the query of each descriptor.
    steps : ndarray of int64, shape (q,)
        Step of its radius.
    numbers : ndarray of int64, shape (q, 60)
        Of the stored descriptors, nearest first; −1 for none.
    distances : ndarray of float32, shape (q, 60)
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
    give the same index whatever the order in which they were added to.
    """

    def __init__(self, keypoints: int) -> None:
        """Make an empty index over the first ``keypoints`` of each signature."""
        import faiss

        centres = metric().centres / DESCRIPTOR_STEP
        dimensions = centres.shape[1]
        self._coarse = faiss.IndexFlatL2(dimensions)
        self._coarse.add(np.ascontiguousarray(centres, dtype=np.float32))
        self.faiss_index: Any = faiss.IndexIVFScalarQuantizer(
            self._coarse, dimensions, len(centres), faiss.ScalarQuantizer.QT_8bit_direct_signed, faiss.METRIC_L2, False
        )
        self.faiss_index.train(np.ascontiguousarray(centres, dtype=np.float32))
        self.faiss_index.nprobe = _CELLS_SEARCHED
        self.keypoints = keypoints
        self.references = 0

    def to_bytes(self) -> bytes:
        """Return the index as it is written to a file."""
        import faiss

        return bytes(faiss.serialize_index(self.faiss_index).data)

    @classmethod
    def read(cls, path: Path, keypoints: int, references: int, *, mapped: bool = True) -> DescriptorIndex:
        """Open a written index; its lists are mapped into memory, not read, unless it is to be added to.

        Raises
        ------
        CorruptFileError
            When it is missing, or no such index.
        """
        import faiss

        opened = cls(keypoints)
        own = opened.faiss_index
        flags = faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY if mapped else 0
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
        opened.faiss_index = found
        opened.faiss_index.nprobe = _CELLS_SEARCHED
        opened.references = references
        return opened

    def add(self, signatures: Iterable[NDArray[np.int8]]) -> None:
        """Add the local descriptors of further references, each of shape (radii, keypoints, 24)."""
        for local in signatures:
            few = local[:, : self.keypoints]
            radii, count = few.shape[:2]
            numbers = (self.references * radii + np.arange(radii)[:, None]) * self.keypoints + np.arange(count)
            there = few[:, :, 0] != -128
            self.faiss_index.add_with_ids(
                np.ascontiguousarray(few[there], dtype=np.float32), np.ascontiguousarray(numbers[there])
            )
            self.references += 1

    def neighbours(self, local: NDArray[np.int8], steps: tuple[int, ...] = QUERY_STEPS) -> Neighbours:
        """Look up the descriptors of a query.

        Parameters
        ----------
        local : ndarray of int8, shape (radii, keypoints, 24)
            Each keypoint is looked up at every other radius, its neighbours in the order at those between: half the
            work found no less in a trial of 35 hard queries among 1163 references.
        steps : tuple of int
            Step of each radius.
        """
        there = local[:, :, 0] != -128
        if len(steps) > len(SIGNATURE_STEPS):
            there &= np.add.outer(np.arange(local.shape[0]), np.arange(local.shape[1])) % 2 == 0
        radius, keypoint = np.nonzero(there)
        distances, numbers = self.faiss_index.search(np.ascontiguousarray(local[there], dtype=np.float32), _NEIGHBOURS)
        # Kernels count by these numbers: one of no reference would write outside their arrays.
        if len(numbers) and not -1 <= int(numbers.min()) <= int(numbers.max()) < self._numbers():
            raise CorruptFileError("the index names references that the collection has not; fetch the collection again")
        return Neighbours(keypoint, np.asarray(steps, dtype=np.int64)[radius], numbers, distances)

    def _numbers(self) -> int:
        return self.references * len(SIGNATURE_STEPS) * self.keypoints

    def votes(self, found: Neighbours) -> NDArray[np.float64]:
        """Return the votes of a query's neighbours, shape (references, `STEPS`)."""
        return scale_votes(
            found.numbers,
            found.distances,
            found.steps,
            _weights(found),
            np.asarray(SIGNATURE_STEPS, dtype=np.int64),
            self.keypoints,
            self.references,
            LOWEST_STEP,
            STEPS,
            _FLOOR,
        )

    def agreement(
        self, found: Neighbours, votes: Sequence[Vote], query: Cloud, references: Sequence[Cloud]
    ) -> NDArray[np.float64]:
        """Return how much the matches with some references agree in their distances from each other, one value each.

        Parameters
        ----------
        found : Neighbours
        votes : sequence of Vote
            References and scales in question.
        query : Cloud
            Its first points are the keypoints.
        references : sequence of Cloud
            Of the votes.
        """
        places = np.full(self.references, -1, dtype=np.int64)
        places[[vote.reference for vote in votes]] = np.arange(len(votes))
        steps = np.array([round(vote.step) for vote in votes], dtype=np.int64)
        matches = matches_by_reference(
            found.numbers,
            found.distances,
            found.keypoints,
            found.steps,
            _weights(found),
            np.asarray(SIGNATURE_STEPS, dtype=np.int64),
            self.keypoints,
            places,
            steps,
            _FLOOR,
            _MATCHES,
        )
        points = np.zeros((len(votes), self.keypoints, 3))
        for place, reference in enumerate(references):
            few = reference.points[: self.keypoints]
            points[place, : len(few)] = few
        sizes = np.array([reference.size for reference in references])
        scales = sizes / query.size * 2.0 ** (-steps / 6.0)
        return agreeing_pairs(*matches, query.points, points, scales, _AGREES * sizes, _SHORTEST * sizes, _LENGTH_SLACK)


def _weights(found: Neighbours) -> NDArray[np.float64]:
    return np.exp2(found.steps / _STEPS_PER_DOUBLING)


def ranked(votes: NDArray[np.float64], most: int) -> list[Vote]:
    """Return the references with the highest peaks over the scale, smoothed over three steps, best first.

    A peak is measured by the square root of all votes for the reference: so much do they scatter by chance, for a
    reference that has much of what is common.
    """
    padded = np.pad(votes, ((0, 0), (1, 1)))
    smooth = 0.5 * padded[:, :-2] + padded[:, 1:-1] + 0.5 * padded[:, 2:]
    peak = smooth.argmax(axis=1)
    height = smooth[np.arange(len(votes)), peak]
    height /= np.sqrt(np.maximum(votes.sum(axis=1), 1e-12))
    best = np.lexsort((np.arange(len(votes)), -height))[:most]
    return [Vote(int(r), float(peak[r] + LOWEST_STEP), float(height[r])) for r in best if height[r] > 0]


def in_turn(votes: Sequence[Vote], agreement: NDArray[np.float64]) -> list[Vote]:
    """Return votes in a new order: by turns the next by votes and the next by agreement, each once."""
    others = np.argsort(-agreement, kind="stable")
    order = np.column_stack([np.arange(len(votes)), others]).ravel()
    return [votes[k] for k in dict.fromkeys(order.tolist())]
