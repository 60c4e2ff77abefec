"""A printed part, and the file it came in: triangles in millimetres with what was noticed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.findings import Finding
from ballistics.printed.content.mesh_content import Thumbnail
from ballistics.provenance import Provenance


@dataclass(frozen=True)
class Part:
    """One connected object or plate item, in millimetres.

    Parameters
    ----------
    vertices_mm : ndarray of float64, shape (n, 3)
        Finite; each position once.
    faces : ndarray of int64, shape (m, 3)
        Rows of ``vertices_mm``, in range; triangles with two equal corners are left out.
    name : str
        What the file calls it, else the file's name without folder and suffix.
    metadata : mapping
        What the file says of this part.
    findings : tuple of Finding
        What is odd about this part.
    provenance : Provenance, optional
        SHA-256 of the file; reader, version and options used.
    """

    vertices_mm: NDArray[np.float64]
    faces: NDArray[np.int64]
    name: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    provenance: Provenance | None = None


@dataclass(frozen=True)
class PartFile:
    """A file's parts with what is said and noticed of all of the file.

    Parameters
    ----------
    format : str
        ``"STL"``, ``"OBJ"``, ``"PLY"``, ``"OFF"``, ``"3MF"``, ``"AMF"``, ``"glTF"``, ``"STEP"`` or ``"G-code"``.
    unit : str
        The unit in which the file's numbers were taken, e.g. ``"millimetre"``.
    parts : tuple of Part
        At least one.
    metadata : mapping
        Slicer, author, title … as the file states them.
    findings : tuple of Finding
        Of the file; each part has its own as well.
    thumbnails : tuple of Thumbnail
        Pictures the file carries.
    provenance : Provenance, optional
        SHA-256 of the file under ``inputs["file"]``.
    """

    format: str
    unit: str
    parts: tuple[Part, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    thumbnails: tuple[Thumbnail, ...] = ()
    provenance: Provenance | None = None
