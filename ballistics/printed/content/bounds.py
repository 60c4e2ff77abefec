"""Guards that every mesh reader shares: counts, indices, polygons and numbers, checked before they cost anything."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError, HostileFileError
from ballistics.findings import Finding

# A closed triangle mesh has half as many vertices as faces; unmerged triangles have three per face.
_VERTICES_PER_FACE = 3
# Of a file that was cut off, less than this share of what it declares is no remainder but a header that lies.
_LEAST_REMAINDER = 0.01
# How the C libraries of Windows and others write NaN and infinity.
_MISSING = re.compile(
    rb"[-+]?(?:\d\.?#(?:QNAN|SNAN|NAN|IND|INF)\d*|q?s?nan(?:\([^)]*\))?|inf(?:inity)?)", re.IGNORECASE
)
_DECIMAL_COMMA = re.compile(rb"[-+]?\d+,\d+(?:[eE][-+]?\d+)?")


def check_face_count(faces: int, face_limit: int) -> None:
    """Refuse more faces than the limit."""
    if faces > face_limit:
        raise HostileFileError(
            f"the file declares {faces} faces, more than the limit of {face_limit}; "
            "if the mesh is that large, raise face_limit"
        )


def check_declared(count: int, bytes_each: int, available: int, what: str) -> None:
    """Refuse a declared count that the bytes that are there cannot hold.

    Parameters
    ----------
    count : int
        As the file declares it.
    bytes_each : int
        Fewest bytes that an entry takes.
    available : int
        Bytes that are there.
    what : str
        Words for the message: what is counted, as "vertices".

    Raises
    ------
    CorruptFileError
        When the count is negative, or more than there can be.
    """
    if count < 0:
        raise CorruptFileError(f"the file declares {count} {what}")
    if count * bytes_each > available:
        raise CorruptFileError(
            f"the file declares {count} {what}, which need at least {count * bytes_each} bytes, "
            f"but {available} follow: it is truncated or its header lies"
        )


def remainder(declared: int, there: int, what: str, findings: list[Finding]) -> int:
    """Return how many of the declared entries are there, with a finding when the file was cut off.

    Parameters
    ----------
    declared : int
        As the file declares it.
    there : int
        Entries that are complete, or for which there is room.
    what : str
        Words for the message: what is counted, as "faces".
    findings : list of Finding
        Those of the file; a serious ``ends-in-the-middle`` is appended when entries are missing.

    Returns
    -------
    int
        At most ``declared``, and at least 1 when it is less.

    Raises
    ------
    CorruptFileError
        Hardly any of them are: the header lies.
    """
    if declared <= there:
        return declared
    if there < _LEAST_REMAINDER * declared or there < 1:
        raise CorruptFileError(
            f"the file declares {declared} {what}, and {there} are there: it is truncated or its header lies"
        )
    findings.append(
        Finding(
            "ends-in-the-middle",
            "serious",
            f"the file declares {declared} {what}, and {there} are there: it is truncated",
            "read as far as it goes; ask for the whole file",
        )
    )
    return there


def check_vertex_count(vertices: int, face_limit: int) -> None:
    """Refuse more vertices than the most faces can use."""
    if vertices > _VERTICES_PER_FACE * face_limit:
        raise HostileFileError(
            f"the file declares {vertices} vertices, more than {face_limit} faces can use; "
            "if the mesh is that large, raise face_limit"
        )


def checked_faces(faces: NDArray[np.int64], vertices: int) -> NDArray[np.int64]:
    """Return the faces if all their corners exist."""
    if faces.size and (int(faces.min()) < 0 or int(faces.max()) >= vertices):
        bad = int(np.flatnonzero(((faces < 0) | (faces >= vertices)).any(axis=1))[0])
        raise CorruptFileError(f"face {bad} uses corner {faces[bad].tolist()}, but there are {vertices} vertices")
    return faces


def triangles_of_polygons(counts: NDArray[np.int64], corners: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return polygons as fans of triangles; those of fewer than three corners are dropped.

    Parameters
    ----------
    counts : ndarray of int64, shape (polygons,)
        Corners of each polygon, not negative.
    corners : ndarray of int64, shape (counts.sum(),)

    Returns
    -------
    ndarray of int64, shape (triangles, 3)

    Examples
    --------
    >>> triangles_of_polygons(np.array([4, 2, 3]), np.array([0, 1, 2, 3, 8, 9, 4, 5, 6])).tolist()
    [[0, 1, 2], [0, 2, 3], [4, 5, 6]]
    """
    starts = np.cumsum(counts) - counts
    triangles = np.maximum(counts - 2, 0)
    first = np.repeat(starts, triangles)
    within = np.arange(int(triangles.sum())) - np.repeat(np.cumsum(triangles) - triangles, triangles)
    return np.stack([corners[first], corners[first + within + 1], corners[first + within + 2]], axis=1)


def numbers(words: Sequence[Any], what: str) -> NDArray[np.float64]:
    """Return words as float64, or say that one is not a number.

    What C programs write for a missing number, as ``-nan(ind)`` or ``1.#QNAN``, is NaN.
    """
    try:
        # Five times as fast as numpy, which reads the words as text first.
        return np.array(list(map(float, words)), dtype=np.float64)
    except (ValueError, OverflowError):
        return np.array([_number(word, what) for word in words], dtype=np.float64)


def _number(word: Any, what: str) -> float:
    try:
        return float(word)
    except (ValueError, OverflowError):
        raw = word if isinstance(word, bytes) else str(word).encode("utf-8", "replace")
        if _MISSING.fullmatch(raw):
            return float("nan")
        if _DECIMAL_COMMA.fullmatch(raw):
            raise CorruptFileError(
                f"{what} holds {_shown(word)}, a number with a decimal comma; export the file with decimal points"
            ) from None
        raise CorruptFileError(f"{what} holds {_shown(word)}, not a number") from None


def whole_numbers(words: Sequence[Any], what: str) -> NDArray[np.int64]:
    """Return words as int64, or say that one is not a whole number."""
    try:
        # Through int: numpy would read "1_0" and " 1" differently from version to version.
        return np.array([int(word) if len(word) < 16 else _too_long(word, what) for word in words], dtype=np.int64)
    except ValueError:
        for word in words:
            try:
                int(word)
            except ValueError:
                raise CorruptFileError(f"{what} holds {_shown(word)}, not a whole number") from None
        raise


def _too_long(word: Any, what: str) -> int:
    raise CorruptFileError(f"{what} holds {_shown(word)}, not an index")


def _shown(word: Any) -> str:
    text = word.decode("latin-1") if isinstance(word, bytes) else str(word)
    return repr(text[:40])


def text_of(raw: bytes | str, limit: int = 400) -> str:
    """Return bytes of unknown encoding, or a text that may hold half characters, as one line of printable text."""
    if isinstance(raw, str):
        raw = raw[: 4 * limit].encode("utf-8", "replace")
    text = raw[: 4 * limit].decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:limit]
