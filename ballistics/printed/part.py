"""The one door for printed parts: any mesh file or print job becomes Parts in millimetres, or a clear refusal."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.content import DEFAULT_FACE_LIMIT, Thumbnail
from ballistics.provenance import Provenance
from ballistics.surfaces.surface import Finding


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
    """A file's parts with what is said and noticed of the file as a whole.

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


def read_parts(
    path: str | os.PathLike[str], *, unit: str | None = None, face_limit: int = DEFAULT_FACE_LIMIT
) -> PartFile:
    """Read a mesh file or a print job as parts in millimetres, with everything odd about it as findings.

    Formats: STL, OBJ, PLY, OFF, 3MF, AMF, glTF and GLB, G-code (plain, binary, in packages of slicers), and STEP with
    the extra ``step``; each also packed by gzip, text also in UTF-16. The content decides, not the file's name. Outside
    the file nothing is opened but the buffers of a glTF file, in its own folder.

    Parameters
    ----------
    path : path
        The file.
    unit : {None, "micron", "millimetre", "centimetre", "metre", "inch", "foot"}
        None takes the unit that the file or its format states, and millimetres where none is stated. Any other takes
        the file's numbers as that unit, and is recorded as a serious finding when the file states another.
    face_limit : int, default 10 million
        Most triangles that are read; about 300 bytes of memory each.

    Returns
    -------
    PartFile
        Each plate item or listed object, separated further where connected bodies lie apart (see `object_numbers`).

    Raises
    ------
    ReadError
        `UnsupportedFormatError`, `CorruptFileError` or `HostileFileError`: the message says what was found and what
        to do.
    ParameterError
        An unknown unit, or a limit that is not positive.

    Notes
    -----
    Finding codes, on which scripts may rely:

    - lengths: ``unit-assumed``, ``unit-doubtful``, ``unit-overridden``, ``units-disagree``, ``unit-converted``
    - mesh: ``not-watertight``, ``winding-inconsistent``, ``inside-out``, ``faces-duplicate``, ``faces-degenerate``,
      ``several-bodies``, ``several-objects``, ``vertices-not-finite``
    - role: ``not-a-solid-part`` (cutter, modifier, support, not printed …: ``metadata["role"]`` of the part)
    - file: ``extension-disagrees``, ``header-lies``, ``count-wrong``, ``trailing-bytes``, ``colour-attributes``,
      ``facet-cut-off``, ``ends-in-the-middle``, ``faces-short``, ``materials-outside``, ``free-form-surfaces``,
      ``not-triangles``, ``tessellated``, ``curved-triangles``, ``text-encoding``,
      ``packed-by-gzip``, ``packed-cut-off``
    - archive: ``thumbnail-present``, ``thumbnail-unreadable``, ``object-not-on-plate``, ``model-not-placed``,
      ``extension-not-read``, ``encrypted-content``, ``settings-unreadable``, ``job-beside-model``,
      ``checksum-differs``, ``item-unreadable``
    - glTF: see `read_gltf`
    - print job: see `read_gcode`, `read_bgcode`

    Examples
    --------
    >>> import tempfile, pathlib
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "wedge.off")
    ...     _ = path.write_text("OFF 4 4 0\\n0 0 0\\n40 0 0\\n0 30 0\\n0 0 20\\n3 0 2 1\\n3 0 1 3\\n3 0 3 2\\n3 1 2 3")
    ...     file = read_parts(path)
    >>> file.format, file.unit, file.parts[0].name, [finding.code for finding in file.findings]
    ('OFF', 'millimetre', 'wedge', ['unit-assumed'])
    """
    from ballistics.printed.reading import read_file

    return read_file(path, unit=unit, face_limit=face_limit)
