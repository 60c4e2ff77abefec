"""Which pairs of a set of scans are compared: numbered, so that millions of them need no object each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Protocol

# Pairs are compared square by square, with this number of scans to a side: a worker that holds the marks of both sides
# has all that the square needs, and each mark is fetched once for hundreds of pairs.
TILE = 32
# Within a square they are compared in smaller ones: what is sent at once needs half as many marks as it has pairs.
SQUARE = 4


class PairDesign(Protocol):
    """Pairs (i, j) of scan indices; each has a number, which is also its place in the result."""

    def __len__(self) -> int:
        """Return the number of pairs."""
        ...

    def places(self, i: int, j: int) -> tuple[int, ...]:
        """Return the numbers of all pairs of the design that are these two scans, in either order."""
        ...

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Yield all pairs by number."""
        ...

    def work(self) -> Iterator[tuple[int, int, int]]:
        """Yield number, i and j of all pairs in the order of the work: pairs of the same few scans together."""
        ...


@dataclass(frozen=True)
class AllPairs:
    """Every pair i < j of n scans.

    Examples
    --------
    >>> list(AllPairs(3).pairs()), AllPairs(3).places(2, 1)
    ([(0, 1), (0, 2), (1, 2)], (2,))
    """

    n: int

    def __len__(self) -> int:
        return self.n * (self.n - 1) // 2

    def places(self, i: int, j: int) -> tuple[int, ...]:
        """Return the number of a pair; none for a scan with itself."""
        if i == j:
            return ()
        i, j = min(i, j), max(i, j)
        return (i * (2 * self.n - i - 1) // 2 + j - i - 1,)

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Yield all pairs by number."""
        for i in range(self.n):
            for j in range(i + 1, self.n):
                yield i, j

    def work(self) -> Iterator[tuple[int, int, int]]:
        """Yield all pairs, square by square."""
        for rows, columns in _tiles(range(self.n), range(self.n)):
            if columns.stop <= rows.start:
                continue
            for i, j in product(rows, columns):
                if i < j:
                    yield self.places(i, j)[0], i, j


@dataclass(frozen=True)
class Between:
    """Every scan of one list with every scan of another; a scan may stand in both.

    Parameters
    ----------
    rows, columns : sequence of int
        Indices of the scans, each at most once in a list.

    Examples
    --------
    >>> design = Between((0, 1), (1, 2))
    >>> list(design.pairs()), design.places(2, 0), design.places(1, 1)
    ([(0, 1), (0, 2), (1, 1), (1, 2)], (1,), (2,))
    """

    rows: Sequence[int]
    columns: Sequence[int]

    def __len__(self) -> int:
        return len(self.rows) * len(self.columns)

    @cached_property
    def _numbers(self) -> tuple[dict[int, int], dict[int, int]]:
        return {i: k for k, i in enumerate(self.rows)}, {j: k for k, j in enumerate(self.columns)}

    def places(self, i: int, j: int) -> tuple[int, ...]:
        """Return the numbers of the one or two pairs (both, when both scans stand in both lists)."""
        rows, columns = self._numbers
        found = {rows[a] * len(self.columns) + columns[b] for a, b in ((i, j), (j, i)) if a in rows and b in columns}
        return tuple(sorted(found))

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Yield all pairs by number."""
        yield from product(self.rows, self.columns)

    def work(self) -> Iterator[tuple[int, int, int]]:
        """Yield all pairs, square by square; of two pairs of the same scans, the first."""
        for rows, columns in _tiles(range(len(self.rows)), range(len(self.columns))):
            for k, m in product(rows, columns):
                number, i, j = k * len(self.columns) + m, self.rows[k], self.columns[m]
                if self.places(i, j)[0] == number:
                    yield number, i, j


def _tiles(rows: range, columns: range, sides: Sequence[int] = (TILE, SQUARE)) -> Iterator[tuple[range, range]]:
    """Yield small squares (rows, columns): all of one large square, then those of the next."""
    side, *smaller = sides
    for top in range(rows.start, rows.stop, side):
        for left in range(columns.start, columns.stop, side):
            tile = range(top, min(top + side, rows.stop)), range(left, min(left + side, columns.stop))
            yield from _tiles(*tile, smaller) if smaller else (tile,)
