"""Score tables from CSV files of published or own studies, with truth per firearm or per pair."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ballistics.errors import CorruptFileError, ParameterError, ReadError
from ballistics.evidence.scores import ScoreTable
from ballistics.files import reason


def read_scores(
    path: str | Path,
    score: str,
    firearm_a: str,
    firearm_b: str,
    cells: str | None = None,
    where: tuple[str, str] | None = None,
) -> ScoreTable:
    """Read a CSV file with one comparison per row and the firearm of each mark.

    Parameters
    ----------
    path : path
        A CSV file with a header.
    score, firearm_a, firearm_b : str
        Names of the columns.
    cells : str, optional
        Name of the column with each pair's number of cells.
    where : tuple of str, optional
        Keep only the rows whose column (first) holds a value (second), e.g. ``("split1", "t")``.

    Raises
    ------
    CorruptFileError
        When a column is absent or a value is not a number.
    """
    rows = _rows(path, [score, firearm_a, firearm_b, *([cells] if cells else []), *(where[:1] if where else ())])
    if where:
        rows = [row for row in rows if row[where[0]] == where[1]]
    return ScoreTable.build(
        _numbers(path, rows, score),
        [row[firearm_a] for row in rows],
        [row[firearm_b] for row in rows],
        None if cells is None else _numbers(path, rows, cells).astype(np.int64),
    )


def read_pair_truth(
    path: str | Path, score: str, scan_a: str, scan_b: str, truth: str, same: str, cells: str | None = None
) -> ScoreTable:
    """Read a CSV file that gives the truth of each pair but not the firearms.

    Scans that same-source pairs link are one firearm, named after its first scan.

    Parameters
    ----------
    path : path
        A CSV file with a header.
    score, scan_a, scan_b, truth : str
        Names of the columns.
    same : str
        The value of ``truth`` that means same source; every other means different sources.
    cells : str, optional
        Name of the column with each pair's number of cells.

    Raises
    ------
    CorruptFileError
        When a column is absent, a value is not a number, or the pairs contradict each other.
    """
    rows = _rows(path, [score, scan_a, scan_b, truth, *([cells] if cells else [])])
    first, second = [row[scan_a] for row in rows], [row[scan_b] for row in rows]
    try:
        firearms = firearms_from_pairs(first, second, [row[truth] == same for row in rows])
    except ParameterError as error:
        raise CorruptFileError(f"{path}: {error}") from error
    return ScoreTable.build(
        _numbers(path, rows, score),
        [firearms[name] for name in first],
        [firearms[name] for name in second],
        None if cells is None else _numbers(path, rows, cells).astype(np.int64),
        first,
        second,
    )


def firearms_from_pairs(scan_a: Sequence[str], scan_b: Sequence[str], same_source: Sequence[bool]) -> dict[str, str]:
    """Return the firearm of every scan, from the truth of pairs.

    Parameters
    ----------
    scan_a, scan_b : sequence of str
        Names of the two scans of each pair.
    same_source : sequence of bool
        Truth of each pair.

    Returns
    -------
    dict of str to str
        Firearm by scan: the first name, in sorted order, of the scans that same-source pairs link.

    Raises
    ------
    ParameterError
        When the pairs contradict each other.

    Examples
    --------
    >>> firearms_from_pairs(["a", "a", "b"], ["b", "c", "c"], [True, False, False])
    {'a': 'a', 'b': 'a', 'c': 'c'}
    """
    scans = sorted({*scan_a, *scan_b})
    position = {name: i for i, name in enumerate(scans)}
    links = [(position[a], position[b]) for a, b, same in zip(scan_a, scan_b, same_source, strict=True) if same]
    left, right = np.array(links, dtype=np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(links)), (left, right)), shape=(len(scans), len(scans)))
    _, group = connected_components(graph, directed=False)
    name_of: dict[int, str] = {}
    for scan, number in zip(scans, group, strict=True):
        name_of.setdefault(int(number), scan)
    firearm = {scan: name_of[int(number)] for scan, number in zip(scans, group, strict=True)}
    for a, b, same in zip(scan_a, scan_b, same_source, strict=True):
        if not same and firearm[a] == firearm[b]:
            raise ParameterError(f"{a} and {b} are called different-source, but same-source pairs link them")
    return firearm


def _rows(path: str | Path, needed: Sequence[str]) -> list[dict[str, str]]:
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            names = reader.fieldnames or ()
            absent = [name for name in needed if name not in names]
            if absent:
                raise CorruptFileError(f"{path}: no column '{absent[0]}'; there are: {', '.join(names)}")
            return list(reader)
    except OSError as error:
        raise ReadError(f"{path} cannot be read: {reason(error)}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise CorruptFileError(f"{path} is not a UTF-8 table with commas: {error}") from error


def _numbers(path: str | Path, rows: list[dict[str, str]], column: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    values = np.empty(len(rows))
    for i, row in enumerate(rows):
        try:
            values[i] = float(row[column])
        except (TypeError, ValueError):
            raise CorruptFileError(f"{path}, row {i + 2}, column '{column}': '{row[column]}' is not a number") from None
    return values
