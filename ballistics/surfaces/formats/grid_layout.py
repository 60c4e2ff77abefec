"""Detects grids whose numbers of rows and columns are exchanged in the file."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ballistics.findings import Finding

_LEAST_SIDE = 8
_SAMPLE = 20_000
# The real scans have at least 1.19 times as much change from row to row under the exchanged sizes as under their
# own; a quarter of it is clear without any other sign.
_BETTER, _CLEAR = 0.9, 0.3


def exchanged_sizes(heights: NDArray[np.float64]) -> list[Finding]:
    """Detect a grid whose numbers of rows and columns were exchanged: every row is shifted against the one above.

    Three signs tell the right sizes from the exchanged ones: heights change less from one row to the next, the end of
    a row is not continued at the beginning of the next, and missing points lie below missing points.

    Parameters
    ----------
    heights : ndarray of float64, shape (rows, columns)
        As read; NaN where missing.

    Returns
    -------
    list of Finding
        ``sizes-exchanged`` (serious), or none.

    Examples
    --------
    >>> surface = np.cumsum(np.cumsum(np.random.default_rng(1).normal(size=(90, 120)), axis=0), axis=1)
    >>> exchanged_sizes(surface)
    []
    >>> [finding.code for finding in exchanged_sizes(surface.reshape(120, 90))]
    ['sizes-exchanged']
    """
    rows, columns = heights.shape
    if rows == columns or min(rows, columns) < _LEAST_SIDE:
        return []
    flat = np.ascontiguousarray(heights).reshape(-1)
    places = np.linspace(0, flat.size - 1 - max(rows, columns), min(_SAMPLE, flat.size)).astype(np.int64)
    here = flat[places]
    valid = np.isfinite(here)
    changes, mismatches = [], []
    for step in (columns, rows):
        there = flat[places + step]
        both = valid & np.isfinite(there)
        if both.sum() < _LEAST_SIDE**2:
            return []
        changes.append(float(np.median(np.abs(there[both] - here[both]))))
        mismatches.append(int((valid != np.isfinite(there)).sum()))
    as_given, exchanged = changes
    if not exchanged < _BETTER * as_given:
        return []
    signs = [_sign(_row_ends(flat, rows, columns), _row_ends(flat, columns, rows))]
    if min(mismatches) >= _LEAST_SIDE**2:
        signs.append(_sign(float(mismatches[1]), float(mismatches[0])))
    # Diagonal ridges can imitate the first sign alone; the others cannot be imitated.
    if min(signs) < 0 or (max(signs) == 0 and not exchanged < _CLEAR * as_given):
        return []
    return [
        Finding(
            "sizes-exchanged",
            "serious",
            f"read as {rows} x {columns} points, each row is shifted against the one above; as {columns} x {rows} the "
            f"change from row to row is {exchanged / as_given:.2g} times as large: the file seems to name its sizes in "
            "the wrong order",
            "read as the file says: do not compare it; have it exported again",
        )
    ]


def _sign(small: float, large: float) -> int:
    """Return 1 when the first number is clearly the smaller, as it should be; -1 when it is clearly the larger."""
    if not (np.isfinite(small) and np.isfinite(large)):
        return 0
    return 1 if small < _BETTER * large else -1 if large < _BETTER * small else 0


def _row_ends(flat: NDArray[np.float64], rows: int, columns: int) -> float:
    """Return the median change from the end of a row to the beginning of the next; NaN when too few are known."""
    starts = np.arange(1, rows) * columns
    change = np.abs(flat[starts] - flat[starts - 1])
    change = change[np.isfinite(change)]
    return float(np.median(change)) if change.size >= _LEAST_SIDE else float("nan")
