"""What a mesh reader returns: items as the file lists them, in the file's own unit, before anything is checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.findings import Finding
from ballistics.printed.content.job_facts import JobFacts

DEFAULT_FACE_LIMIT = 10_000_000
UNIT_MM = {"micron": 0.001, "millimetre": 1.0, "centimetre": 10.0, "metre": 1000.0, "inch": 25.4, "foot": 304.8}


@dataclass(frozen=True)
class Thumbnail:
    """A picture that the file carries of itself.

    Parameters
    ----------
    name : str
        Name of the archive's member, or the comment block, that holds it.
    data : bytes
        The picture as stored (PNG, JPEG, QOI); never decoded by the reader.
    """

    name: str
    data: bytes


@dataclass(frozen=True)
class Item:
    """One object or plate item as listed in the file.

    Parameters
    ----------
    vertices : ndarray of float64, shape (n, 3)
        In the file's unit; may hold NaN and infinities.
    faces : ndarray of int64, shape (m, 3)
        Rows of ``vertices``; the reader has checked that they are in range.
    name : str
        What the file calls it; may be empty.
    metadata : mapping
        What the file says of this item.
    cut : (float, float), optional
        Of a print that stopped: see `Part.cut_mm`.
    """

    vertices: NDArray[np.float64]
    faces: NDArray[np.int64]
    name: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    cut: tuple[float, float] | None = None


@dataclass(frozen=True)
class MeshContent:
    """A file's items with what it says of itself.

    Parameters
    ----------
    format : str
        ``"STL"``, ``"3MF"`` …
    items : tuple of Item
        In the order of the file.
    unit : str or None
        A key of ``UNIT_MM``, as the file or its format states; None when it states none.
    metadata, findings, thumbnails
        Of the whole file.
    inputs : mapping
        SHA-256 of further files that were read, by name.
    jobs : tuple of JobFacts
        What the print jobs in the file say.
    """

    format: str
    items: tuple[Item, ...]
    unit: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    thumbnails: tuple[Thumbnail, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    jobs: tuple[JobFacts, ...] = ()
