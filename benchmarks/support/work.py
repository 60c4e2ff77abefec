"""The work of one comparison, counted: transforms, searches and bytes, and the time that this work alone would take."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from ballistics.impressions import registration, search_levels
from ballistics_kernels.impressions.cell_search import follow_peaks
from ballistics_kernels.impressions.pose_search import climb_to_pose
from ballistics_kernels.impressions.spectra import combined_sums, forward, inverse

# A climb looks at least at its start and the eight places around it.
_PLACES_OF_A_CLIMB = 9
_BYTES = 4
# Values and validity of both marks.
_READS_OF_A_SUM = 4
# Row, column and value of a point, and four neighbours.
_READS_OF_A_POINT = 7


class Work:
    """Counts of the work done while `counted` is active.

    Attributes
    ----------
    transforms : Counter
        Batches of two-dimensional transforms by direction, shape of the input and size: forward or inverse.
    bytes_read : float
        Of heights and validity, by the exact sums.
    places : int
        Places of cells that were followed or read.
    poses : int
        Poses at which the whole marks were correlated.
    """

    def __init__(self) -> None:
        self.transforms: Counter[tuple[str, tuple[int, ...], int, int]] = Counter()
        self.bytes_read = 0.0
        self.places = 0
        self.poses = 0

    @property
    def transform_count(self) -> int:
        """Number of single two-dimensional transforms."""
        return sum(n * int(np.prod(shape[:-2])) for (_, shape, _, _), n in self.transforms.items())

    def floor_seconds(self) -> float:
        """Return the CPU seconds of the same transforms alone, and of reading the same bytes once from the cache."""
        seconds = sum(n * _fastest(self._transform(*key)) for key, n in self.transforms.items())
        field = np.ones(1 << 15, np.float32)
        per_byte = _fastest(lambda: np.dot(field, field)) / (2 * field.nbytes)
        return seconds + per_byte * self.bytes_read

    @staticmethod
    def _transform(direction: str, shape: tuple[int, ...], first: int, second: int) -> Callable[[], Any]:
        rng = np.random.default_rng(1)
        if direction == "forward":
            fields = rng.normal(size=shape).astype(np.float32)
            return lambda: forward(fields, first)
        spectra = (rng.normal(size=shape) + 1j).astype(np.complex64)
        return lambda: inverse(spectra.copy(), first, second)


def _fastest(work: Callable[[], Any]) -> float:
    times = []
    for _ in range(7):
        start = time.process_time()
        for _ in range(5):
            work()
        times.append((time.process_time() - start) / 5)
    return min(times)


@contextmanager
def counted() -> Iterator[Work]:
    """Count the work of registrations and cell searches inside the block."""
    work = Work()

    def counted_forward(fields: NDArray[np.float32], rows: int) -> NDArray[np.complex64]:
        work.transforms["forward", fields.shape, rows, 0] += 1
        return forward(fields, rows)

    def counted_inverse(spectra: NDArray[np.complex64], columns: int, rows: int) -> NDArray[np.float32]:
        work.transforms["inverse", spectra.shape, columns, rows] += 1
        return inverse(spectra, columns, rows)

    def counted_sums(moved: Any, stays: Any, columns: int, rows: int) -> NDArray[np.float32]:
        maps, *shape = moved.shape[1:]
        work.transforms["inverse", (maps, 5, *shape), columns, rows] += 1
        return combined_sums(moved, stays, columns, rows)

    def counted_follow(*args: Any) -> None:
        half, climb, correlations = args[0].half, args[5], args[6].correlations
        places = int((correlations > -2).sum())
        work.places += places
        evaluations = places * (_PLACES_OF_A_CLIMB if climb else 1)
        work.bytes_read += evaluations * (2 * half) ** 2 * _READS_OF_A_SUM * _BYTES
        follow_peaks(*args)

    def counted_climb(points: NDArray[np.float32], *args: Any) -> tuple[float, int]:
        score, tried = climb_to_pose(points, *args)
        work.poses += tried
        work.bytes_read += tried * points.shape[1] * _READS_OF_A_POINT * _BYTES
        return score, tried

    replacements = [
        (registration, "forward", counted_forward),
        (registration, "inverse", counted_inverse),
        (registration, "combined_sums", counted_sums),
        (registration, "climb_to_pose", counted_climb),
        (search_levels, "forward", counted_forward),
        (search_levels, "inverse", counted_inverse),
        (search_levels, "combined_sums", counted_sums),
        (search_levels, "follow_peaks", counted_follow),
    ]
    patches = [mock.patch.object(module, name, function) for module, name, function in replacements]
    for patch in patches:
        patch.start()
    try:
        yield work
    finally:
        for patch in patches:
            patch.stop()
