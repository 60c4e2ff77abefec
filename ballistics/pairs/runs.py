"""All pairs of a design compared once each, and kept; resumable after any stop, in memory that does not grow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType

import numpy as np

from ballistics.errors import BallisticsError, CorruptFileError, ParameterError
from ballistics.files import RowsFile
from ballistics.methods import method_of
from ballistics.pairs.designs import PairDesign
from ballistics.pairs.mark_store import MarkSource
from ballistics.pairs.rows import Row, columns, empty_row, exchanged_row, place_columns, row_of
from ballistics.progress import Progress, silent
from ballistics.surfaces import Mark
from ballistics.workers import unordered

# Other parameters than the usual ones, by name.
Settings = tuple[tuple[str, str], ...]
# Compares the pairs of keys that an iterator gives, and yields their rows as they come, in any order.
Runner = Callable[[Iterator[tuple[str, str]], MarkSource], Iterator[Row]]

SAME_FILE = "both are one and the same file: nothing was compared"
# Eight bytes of memory each; and years of work.
MOST_PAIRS = 200_000_000
_MISSING, _NOT_COMPARED = -1, -2


class KeptPairs:
    """The finished pairs of a design, in a file of rows; only a number for each pair is in memory.

    Use it as a context manager.

    Parameters
    ----------
    path : Path
        The file of rows; those of other scans or methods stay in it and are passed over.
    method : str
        `Method.key`.
    mark_kind : str
        Kind of the marks.
    keys : sequence of str
        By which the mark of each scan is found; the design's indices count these.
    design : PairDesign
        Which pairs.
    files : sequence of str, optional
        SHA-256 of the scans' files, when the keys are not these: a file is not compared with itself.

    Raises
    ------
    ParameterError
        When the design has more than `MOST_PAIRS`.
    """

    def __init__(
        self,
        path: Path,
        method: str,
        mark_kind: str,
        keys: Sequence[str],
        design: PairDesign,
        files: Sequence[str] | None = None,
    ) -> None:
        if len(design) > MOST_PAIRS:
            raise ParameterError(
                f"{len(design)} pairs are more than one run can hold ({MOST_PAIRS}): compare fewer scans, or search a "
                "library, which compares only what can agree"
            )
        self.design = design
        self._file, self._method, self._kind, self._keys = RowsFile(path, strict=True), method, mark_kind, keys
        self._identities = keys if files is None else files
        self._index = {key: i for i, key in enumerate(keys)}
        self._places = np.full(len(design), _MISSING, np.int64)

    def __enter__(self) -> KeptPairs:
        """Find what earlier runs have finished."""
        for i, j in self._diagonal():
            self._places[list(self.design.places(i, j))] = _NOT_COMPARED
        for place, row in self._file.places():
            if row.get("method") == self._method:
                self._note(str(row.get("a")), str(row.get("b")), place)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.__exit__(kind, error, traceback)

    @property
    def passed_over(self) -> int:
        """How many kept rows were altered or damaged, or have no seal; their pairs are compared again."""
        return self._file.passed_over

    @property
    def done(self) -> int:
        """How many pairs have their row."""
        return int((self._places != _MISSING).sum())

    def missing(self) -> Iterator[tuple[str, str]]:
        """Yield the keys of all pairs that have no row, in the order of the work; the smaller key first."""
        for number, i, j in self.design.work():
            if self._places[number] == _MISSING:
                a, b = self._keys[i], self._keys[j]
                yield (a, b) if a < b else (b, a)

    def keep(self, row: Row) -> int:
        """Write a finished row, with its keys ``a`` and ``b``; return how many pairs of the design it answers."""
        # Empty values come back from `empty_row`: a row is a third as long without them.
        full = {name: value for name, value in row.items() if value is not None and value != ""}
        return self._note(row["a"], row["b"], self._file.append(full | {"method": self._method}))

    def rows(self) -> Iterator[tuple[int, int, Row]]:
        """Yield i, j and the row (with ``error``) of every pair by number, once all are kept."""
        empty = empty_row(self._kind) | {"error": ""}
        for (i, j), place in zip(self.design.pairs(), self._places, strict=True):
            if place == _NOT_COMPARED:
                yield i, j, empty | {"insufficient": SAME_FILE}
                continue
            kept = self._file.at(int(place))
            row = {name: kept.get(name, value) for name, value in empty.items()}
            self._check(row, int(place))
            yield i, j, row if self._keys[i] < self._keys[j] else exchanged_row(row)

    def _check(self, row: Row, place: int) -> None:
        """Refuse a row that no comparison gives, whoever sealed it."""
        for name, kind in {**columns(self._kind), "error": str}.items():
            value = row[name]
            fits = isinstance(value, str) if kind is str else value is None or type(value) in (int, kind)
            if not fits or (kind is float and value is not None and not abs(value) < 1e300):
                raise CorruptFileError(
                    f"{self._file.path}, byte {place}, is no row of a comparison ({name} is {value!r}): the file was "
                    "changed; delete it to begin anew"
                )

        if len({row[name] is None for name in place_columns(self._kind)}) > 1:
            raise CorruptFileError(
                f"{self._file.path}, byte {place}, has only a part of a pose: the file was changed; delete it to begin "
                "anew"
            )

    def _diagonal(self) -> Iterator[tuple[int, int]]:
        """Yield the pairs of one file with itself."""
        by_file: dict[str, list[int]] = {}
        for i, file in enumerate(self._identities):
            by_file.setdefault(file, []).append(i)
        for same in by_file.values():
            yield from ((i, j) for i in same for j in same if i <= j)

    def _note(self, a: str, b: str, place: int) -> int:
        i, j = self._index.get(a), self._index.get(b)
        if i is None or j is None:
            return 0
        answered = [number for number in self.design.places(i, j) if self._places[number] == _MISSING]
        self._places[answered] = place
        return len(answered)


def compare_missing(kept: KeptPairs, source: MarkSource, run: Runner, tell: Progress = silent) -> None:
    """Compare all pairs that have no row yet; each row is on the disk before the next is waited for.

    Parameters
    ----------
    kept : KeptPairs
        Opened: it knows which pairs are missing, and keeps their rows.
    source : MarkSource
        Where the marks are.
    run : Runner
        Who compares: processes of this machine (`on_this_machine`), or a cluster.
    tell : Progress
        Told after each row how many pairs are done, those of earlier runs included.
    """
    done = resumed = kept.done
    total = len(kept.design)
    tell("comparing pairs", done, total, resumed)
    if done == total:
        return
    for row in run(kept.missing(), source):
        done += kept.keep(row)
        tell("comparing pairs", done, total, resumed)


def on_this_machine(workers: int, settings: Settings = ()) -> Runner:
    """Return a runner with processes of this machine; joblib's own configuration may choose otherwise."""

    def run(pairs: Iterator[tuple[str, str]], source: MarkSource) -> Iterator[Row]:
        yield from unordered(workers, compare_kept, ((source, a, b, settings) for a, b in pairs))

    return run


def compare_kept(source: MarkSource, a: str, b: str, settings: Settings = ()) -> Row:
    """Compare two marks of a source, as a worker does.

    Parameters
    ----------
    source : MarkSource
        Where the marks are.
    a, b : str
        Keys of the marks.
    settings : tuple of (str, str)
        Names and values of parameters of the comparison that are not the method's own; empty for none.

    Returns
    -------
    dict
        As of `compare_marks`.
    """
    return compare_marks(a, b, source.load(a), source.load(b), settings)


def compare_marks(a: str, b: str, mark_a: Mark, mark_b: Mark, settings: Settings = ()) -> Row:
    """Compare two marks that are in memory; what cannot be compared is a row too, and the run goes on.

    Parameters
    ----------
    a, b : str
        Keys of the marks, for the row.
    mark_a, mark_b : Mark
        The marks.
    settings : tuple of (str, str)
        Names and values of parameters of the comparison that are not the method's own; empty for none.

    Returns
    -------
    dict
        The columns of the kind of mark, the keys as ``a`` and ``b``, and ``error``: empty, or why nothing was compared.
    """
    keys = {"a": a, "b": b}
    try:
        method = method_of(mark_a.kind)
        parameters = method.parameters(mark_a.surface_kind, dict(settings)) if settings else None
        return row_of(method.compare(mark_a, mark_b, parameters)) | keys | {"error": ""}
    except BallisticsError as error:
        return empty_row(mark_a.kind) | keys | {"error": f"{type(error).__name__}: {error}"}
