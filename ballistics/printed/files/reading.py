"""The one door for printed parts: any mesh file or print job becomes Parts in millimetres, or a clear refusal."""

from __future__ import annotations

import hashlib
import importlib
import os
import re
import stat
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import (
    CorruptFileError,
    HostileFileError,
    ParameterError,
    ReadError,
    UnsupportedFormatError,
)
from ballistics.files import SafeArchive
from ballistics.findings import Finding
from ballistics.printed.content.bounds import text_of
from ballistics.printed.content.mesh_content import DEFAULT_FACE_LIMIT, UNIT_MM, MeshContent
from ballistics.printed.content.part import Part, PartFile
from ballistics.printed.content.roles import role_findings, role_of_part
from ballistics.printed.files.mesh_checks import clean_mesh, mesh_findings
from ballistics.printed.files.separation import body_numbers, object_numbers
from ballistics.printed.files.unpacking import unpacked
from ballistics.printed.jobs.packages import jobs_in
from ballistics.provenance import Provenance

READER_VERSION = "2"
# The longest text a face can need in any format that is read; bounds the memory of the text readers.
_BYTES_PER_FACE = 800
# Printed parts are neither smaller than a bead nor larger than the largest machines.
_LEAST_MM, _MOST_MM = 2.0, 2000.0
_SUFFIXES = {
    "STL": (".stl",),
    "OBJ": (".obj",),
    "PLY": (".ply",),
    "OFF": (".off",),
    "3MF": (".3mf",),
    "AMF": (".amf",),
    "glTF": (".glb", ".gltf"),
    "STEP": (".step", ".stp"),
    "G-code": (".gcode", ".gco", ".gc", ".g", ".nc", ".bgcode", ".bgc", ".ufp"),
}
# Suffixes of packages, which say nothing of what is inside.
_PACKAGES = (".gz", ".zip", ".3mf")
_READERS = {
    "STL": ("files.stl", "read_stl"),
    "OBJ": ("files.obj", "read_obj"),
    "PLY": ("files.ply", "read_ply"),
    "OFF": ("files.off", "read_off"),
    "3MF": ("files.threemf", "read_3mf"),
    "AMF": ("files.amf", "read_amf"),
    "glTF": ("files.gltf", "read_gltf"),
    "STEP": ("files.step", "read_step"),
    "G-code": ("jobs.gcode", "read_gcode"),
    "binary G-code": ("jobs.bgcode", "read_bgcode"),
    "jobs in a package": ("jobs.packages", "read_job_package"),
}
_OBJ_LINE = re.compile(rb"^\s*(v\s+[-+.\d]|f\s+-?\d|vn\s|vt\s|mtllib\s|usemtl\s|o\s|g\s)", re.MULTILINE)
_GCODE_LINE = re.compile(
    rb"^[ \t]*(?:N\d+[ \t]*)?[GMT]\d{1,4}(?=$|[\s;*(.]|[A-Z][-+.\d])", re.MULTILINE | re.IGNORECASE
)


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
    path = Path(path)
    if unit is not None and unit not in UNIT_MM:
        raise ParameterError(f"unit is {unit!r}; use one of {', '.join(UNIT_MM)}")
    if face_limit < 1:
        raise ParameterError(f"face_limit is {face_limit}; it must be positive")
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            _refuse_special(path, face_limit)
            findings: list[Finding] = []
            with open(path, "rb") as raw, ExitStack() as stack:
                file = unpacked(raw, findings)
                if file is not raw:
                    stack.enter_context(file)
                kind = _format_of(file, _suffix(path))
                module, function = _READERS[kind]
                read = getattr(importlib.import_module(f"ballistics.printed.{module}"), function)
                file.seek(0)
                # Buffers of glTF may lie beside the file; beside one that was packed, nothing is looked for.
                beside = {"folder": path.parent} if kind == "glTF" and file is raw else {}
                content: MeshContent = read(file, face_limit=face_limit, **beside)
                raw.seek(0)
                file_hash = hashlib.file_digest(raw, "sha256").hexdigest()
            content = replace(content, findings=(*findings, *content.findings))
            return _part_file(content, path, unit, face_limit, file_hash)
    except ReadError as error:
        raise type(error)(f"{path}: {error}") from error
    except OSError as error:
        raise ReadError(f"{path}: cannot be opened: {error.strerror or error}") from error
    except MemoryError as error:
        raise ReadError(f"{path}: this machine has not enough free memory for the file") from error


def _suffix(path: Path) -> str:
    """Return the suffix that says what a file is, in lower case: that before ``.gz``."""
    return Path(path.stem).suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()


def _refuse_special(path: Path, face_limit: int) -> None:
    """Refuse what is not a regular file (a pipe could wait for ever), what is empty, and what is far too long."""
    try:
        status = path.stat()
    except ValueError as error:
        raise ReadError(f"not a usable file name: {error}") from error
    if stat.S_ISDIR(status.st_mode):
        raise ReadError("is a folder; give files")
    if not stat.S_ISREG(status.st_mode):
        raise ReadError("is not a regular file")
    if status.st_size == 0:
        raise CorruptFileError("the file is empty")
    if status.st_size > _BYTES_PER_FACE * face_limit + (1 << 20):
        raise HostileFileError(
            f"the file has {status.st_size} bytes, more than {face_limit} faces need; "
            "if the mesh is that large, raise face_limit"
        )


def _format_of(file: BinaryIO, suffix: str) -> str:
    """Return the format by the first bytes; the suffix decides only between texts that look alike."""
    head = file.read(65536)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    lowered = start[:4096].lower()
    if head.startswith(b"PK\x03\x04"):
        return _format_of_archive(file)
    if head.startswith(b"GCDE"):
        return "binary G-code"
    if head.startswith(b"glTF") or (start.startswith(b"{") and (b'"asset"' in head or suffix == ".gltf")):
        return "glTF"
    if re.match(rb"ply\s", start, re.IGNORECASE):
        return "PLY"
    if start.startswith(b"ISO-10303-21"):
        return "STEP"
    if re.match(rb"(ST)?C?N?(4|n)?OFF(?![A-Za-z])", start, re.IGNORECASE) or suffix == ".off":
        return "OFF"
    if start.startswith(b"<") and b"<amf" in lowered:
        return "AMF"
    facets = b"facet" in lowered and b"vertex" in lowered
    if b"\0" not in head and suffix != ".stl":
        text = head.replace(b"\r", b"\n")
        lines = {"OBJ": len(_OBJ_LINE.findall(text)), "G-code": len(_GCODE_LINE.findall(text))}
        best = max(lines, key=lambda kind: (lines[kind], suffix in _SUFFIXES[kind]))
        if lines[best] and not facets:
            return best
        if suffix in (".obj", ".gcode", ".gco"):
            return "OBJ" if suffix == ".obj" else "G-code"
    if suffix == ".stl" or lowered.startswith(b"solid") or facets or _counts_as_stl(file, head):
        return "STL"
    raise UnsupportedFormatError(
        "the content is of no format that is read (STL, OBJ, PLY, OFF, 3MF, AMF, glTF, STEP, G-code)"
    )


def _counts_as_stl(file: BinaryIO, head: bytes) -> bool:
    """Whether the size is the one that a binary STL with this count has."""
    return len(head) >= 84 and file.seek(0, 2) == 84 + 50 * int.from_bytes(head[80:84], "little")


def _format_of_archive(file: BinaryIO) -> str:
    archive = SafeArchive(file)
    names = [name.lower() for name in archive.names()]
    if any(name.endswith(".model") for name in names):
        return "3MF"
    if any(name.endswith(".amf") for name in names):
        return "AMF"
    if jobs_in(archive):
        return "jobs in a package"
    held = text_of(", ".join(archive.names()[:5]).encode("utf-8", "replace"), 150)
    raise UnsupportedFormatError(
        f"a zip archive without a 3MF or AMF model or a G-code job (it holds {held or 'nothing'});"
        " unpack it and give the files inside"
    )


def _part_file(content: MeshContent, path: Path, unit: str | None, face_limit: int, file_hash: str) -> PartFile:
    """Settle the unit, clean every item, separate its objects."""
    if not content.items:
        raise CorruptFileError("the file holds no triangles")
    settled, findings = _settle_unit(content, unit)
    suffix = _suffix(path)
    named = suffix or path.suffix.lower() != ".gz"
    if (
        named
        and suffix not in _SUFFIXES[content.format]
        and not ("package" in content.metadata and suffix in _PACKAGES)
    ):
        findings.append(
            Finding(
                "extension-disagrees",
                "note",
                f"a file named {suffix or 'without extension'!r} holds {content.format}",
                "the content decides",
            )
        )
    if content.thumbnails:
        names = ", ".join(thumbnail.name for thumbnail in content.thumbnails)
        findings.append(Finding("thumbnail-present", "note", f"the file carries pictures: {names}", "kept"))

    def provenance(**which: int) -> Provenance:
        return Provenance(
            method=f"read {content.format}",
            version=READER_VERSION,
            parameters={"unit": unit, "face_limit": face_limit, "format": content.format, **which},
            inputs={"file": file_hash, **content.inputs},
        )

    parts: list[Part] = []
    problems: list[Finding] = []
    for k, item in enumerate(content.items):
        try:
            vertices, faces, found = clean_mesh(item, UNIT_MM[settled])
        except CorruptFileError as error:
            if len(content.items) == 1:
                raise
            problems.append(Finding("item-unreadable", "serious", f"item {k} ({item.name!r}): {error}", "left out"))
            continue
        name = item.name or path.stem
        found += role_of_part(item.metadata)
        parts += _separated(vertices, faces, name, item.metadata, found, lambda j, k=k: provenance(item=k, object=j))
    if not parts:
        raise CorruptFileError(f"none of the {len(content.items)} items can be read: {problems[0].message}")
    findings += [*problems, *role_findings(item.metadata for item in content.items)]
    findings += _size_doubts(parts, content.unit if unit is None else unit)
    if len(parts) > 1:
        findings.append(Finding("several-objects", "note", f"the file holds {len(parts)} objects", "read as parts"))
    return PartFile(
        format=content.format,
        unit=settled,
        parts=tuple(parts),
        metadata=content.metadata,
        findings=(*content.findings, *findings),
        thumbnails=content.thumbnails,
        provenance=provenance(),
    )


def _settle_unit(content: MeshContent, unit: str | None) -> tuple[str, list[Finding]]:
    """Return the unit in which the file's numbers are taken."""
    if unit is None and content.unit is None:
        return "millimetre", [
            Finding("unit-assumed", "note", f"{content.format} states no unit", "taken as millimetres")
        ]
    if unit is None:
        return str(content.unit), []
    if content.unit is not None and content.unit != unit:
        message = f"the file states {content.unit}; {unit} was asked for"
        return unit, [Finding("unit-overridden", "serious", message, f"taken as {unit}")]
    return unit, []


def _size_doubts(parts: list[Part], stated: str | None) -> list[Finding]:
    """Doubt the unit when the largest part has a size that is not printed."""
    extent = max(float(np.ptp(part.vertices_mm, axis=0).max()) for part in parts)
    if _LEAST_MM <= extent <= _MOST_MM:
        return []
    if extent < _LEAST_MM:
        guess = "metres" if extent * 1000.0 <= _MOST_MM else "another unit"
        if extent * 25.4 >= _LEAST_MM:
            guess = "inches, or metres"
    else:
        guess = "microns, or the drawing of something larger"
    return [
        Finding(
            "unit-doubtful",
            "warning",
            f"the largest part measures {extent:.4g} mm; the numbers may be {guess}"
            + ("" if stated else " (the file states no unit)"),
            "nothing; give unit= if you know it",
        )
    ]


def _separated(
    vertices: NDArray[np.float64],
    faces: NDArray[np.int64],
    name: str,
    metadata: Mapping[str, Any],
    found: list[Finding],
    provenance: Any,
) -> list[Part]:
    """Return the objects of one clean item as parts."""
    bodies = body_numbers(faces, len(vertices))
    objects = object_numbers(vertices, faces, bodies)
    parts = []
    count = int(objects.max()) + 1
    for j in range(count):
        own = objects[bodies] == j
        if count == 1:
            corners, triangles = vertices, faces
        else:
            used, numbered = np.unique(faces[own], return_inverse=True)
            corners, triangles = vertices[used], numbered.reshape(-1, 3).astype(np.int64)
        findings = (*found, *mesh_findings(corners, triangles, int((objects == j).sum())))
        title = name if count == 1 else f"{name} #{j + 1}"
        parts.append(Part(corners, triangles, title, dict(metadata), findings, provenance(j)))
    return parts
