"""A signature as a record of fixed length, for who lends signatures without the collection they stand in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError
from ballistics.printed.collection.store import ARRAYS, rows_of
from ballistics.printed.describe.geometry_hashes import GeometryKeys
from ballistics.printed.describe.signature import KEYPOINTS, MOST_POINTS, Signature

RECORD = np.dtype([(name, dtype.newbyteorder("<"), shape) for name, (dtype, shape) in ARRAYS.items()])
"""The layout of a record: the rows of a collection's arrays, one after another, little-endian."""

RECORD_BYTES = RECORD.itemsize


def signature_record(signature: Signature) -> bytes:
    """Return a signature as a record; the same signature gives the same bytes.

    Examples
    --------
    >>> from ballistics.printed.content.part import Part
    >>> from ballistics.printed.describe.signature import signature_of
    >>> corners = np.array([[0.0, 0, 0], [40, 0, 0], [0, 30, 0], [0, 0, 20]])
    >>> made = signature_of(Part(corners, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])))
    >>> record = signature_record(made)
    >>> len(record) == RECORD_BYTES, signature_record(signature_of_record(record)) == record
    (True, True)
    """
    record = np.zeros((), RECORD)
    for name, row in rows_of(signature).items():
        record[name] = row
    return record.tobytes()


def signature_of_record(record: bytes) -> Signature:
    """Return the signature of a record, which does not hold the keys of its mesh.

    Parameters
    ----------
    record : bytes
        From `signature_record`.

    Raises
    ------
    CorruptFileError
        When it has another length, or its lengths are those of no part.
    """
    if len(record) != RECORD_BYTES:
        raise CorruptFileError(f"a signature has {RECORD_BYTES} bytes, this one {len(record)}")
    row = np.frombuffer(record, RECORD)[0]
    if not lengths_are_sound(row["frames"][None])[0]:
        raise CorruptFileError("the lengths of the signature contradict each other")
    return signature_of_rows({name: row[name] for name in ARRAYS}, None)


def signature_of_rows(rows: Mapping[str, NDArray[Any]], keys: GeometryKeys | None) -> Signature:
    """Return the signature of a row of each array; what `ballistics.printed.collection.store.rows_of` made."""
    origin_x, origin_y, origin_z, step, spacing, size, area, points = (float(v) for v in rows["frames"])
    return Signature(
        np.array(rows["codes"][: int(points)]),
        np.array([origin_x, origin_y, origin_z]),
        step,
        spacing,
        size,
        area,
        np.array(rows["local"][:, : min(KEYPOINTS, int(points))]),
        np.array(rows["whole"]),
        keys,
    )


def lengths_are_sound(frames: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which rows hold lengths of a signature: into the cells of others, points would not fit in memory.

    Parameters
    ----------
    frames : ndarray of float64, shape (n, 8)
        Origin (3), step, least distance, size, area and number of points.
    """
    step, spacing, size, area, points = frames[:, 3:].T
    with np.errstate(invalid="ignore", over="ignore"):
        fine = np.isfinite(frames).all(axis=1) & (area > 0.0) & (step > 0.0) & (size > 0.0)
        fine &= (255.0 * step <= 1.1 * size) & (spacing >= size / 200.0) & (spacing <= size)
        fine &= (points >= 1) & (points <= MOST_POINTS)
    return np.asarray(fine)
