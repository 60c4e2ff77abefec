"""The one door for printed parts: any mesh file or print job becomes Parts in millimetres, or a clear refusal."""

from __future__ import annotations

import hashlib
import importlib
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import (
    CorruptFileError,
    HostileFileError,
    ParameterError,
    ReadError,
)
from ballistics.files import SafeArchive
from ballistics.findings import Finding
from ballistics.printed.content.job_facts import JobFacts
from ballistics.printed.content.mesh_content import DEFAULT_FACE_LIMIT, UNIT_MM, Item, MeshContent, Thumbnail
from ballistics.printed.content.part import Part, PartFile
from ballistics.printed.content.roles import role_findings, role_of_part
from ballistics.printed.content.text_lines import pieces_of
from ballistics.printed.files.archives import Budget, members_of
from ballistics.printed.files.cut_archives import with_directory
from ballistics.printed.files.formats import ARCHIVE, SUFFIXES, format_of, suffix_of
from ballistics.printed.files.mesh_checks import clean_mesh, mesh_findings
from ballistics.printed.files.separation import body_numbers, object_numbers
from ballistics.printed.files.unpacking import unpacked
from ballistics.printed.jobs.gcode import facts_of
from ballistics.printed.jobs.machine import Machine
from ballistics.printed.jobs.packages import facts_in, pictures_in
from ballistics.provenance import Provenance

READER_VERSION = "2"
# The longest text a face can need in any format that is read; bounds the memory of the text readers.
_BYTES_PER_FACE = 800
# Printed parts are neither smaller than a bead nor larger than the largest machines.
_LEAST_MM, _MOST_MM = 2.0, 2000.0
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


def read_parts(
    path: str | os.PathLike[str], *, unit: str | None = None, face_limit: int = DEFAULT_FACE_LIMIT
) -> PartFile:
    """Read a mesh file or a print job as parts in millimetres, with everything odd about it as findings.

    Formats: STL, OBJ, PLY, OFF, 3MF, AMF, glTF and GLB, G-code (plain, binary, in packages of slicers), and STEP with
    the extra ``step``; each also packed by gzip, text also in UTF-16, and zip archives of them, also within archives:
    their parts are named ``archive.zip/inner.stl``. The content decides, not the file's name. Outside the file nothing
    is opened but the buffers of a glTF file, in its own folder.

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
            with open(path, "rb") as raw:
                file_hash = hashlib.file_digest(raw, "sha256").hexdigest()
                raw.seek(0)
                return _read(raw, path, path.parent, _Asked(unit, face_limit, file_hash))
    except ReadError as error:
        raise type(error)(f"{path}: {error}") from error
    except OSError as error:
        raise ReadError(f"{path}: cannot be opened: {error.strerror or error}") from error
    except MemoryError as error:
        raise ReadError(f"{path}: this machine has not enough free memory for the file") from error


def read_job_facts(path: str | os.PathLike[str]) -> tuple[JobFacts, ...]:
    """Return what the print jobs in a file say, without their surfaces: in bounded memory, however long they are.

    Parameters
    ----------
    path : path
        A print job, a package or an archive.

    Returns
    -------
    tuple of JobFacts
        Empty when the file holds no job. The habits of a very long job are those of its last moves.

    Raises
    ------
    ReadError
        When the file cannot be opened.
    """
    path = Path(path)
    try:
        with open(path, "rb") as raw:
            return tuple(_job_facts(raw, path))
    except OSError as error:
        raise ReadError(f"{path}: cannot be opened: {error.strerror or error}") from error


def _job_facts(raw: BinaryIO, path: PurePath) -> Iterator[JobFacts]:
    findings: list[Finding] = []
    with ExitStack() as stack:

        def opened(file: BinaryIO) -> BinaryIO:
            return file if file is raw else stack.enter_context(file)

        file = opened(unpacked(raw, findings))
        start = file.read(4)
        file.seek(0)
        if start == b"PK\x03\x04":
            file = opened(with_directory(file, findings))
            file.seek(0)
        kind = format_of(file, path)
        file.seek(0)
        if kind == ARCHIVE:
            for member in members_of(file, path.name, Budget()):
                if member.data is not None:
                    for job in _job_facts(member.data, PurePath(member.name)):
                        yield replace(job, member=f"{member.name}/{job.member}".rstrip("/"))
        elif kind in ("jobs in a package", "3MF"):
            archive = SafeArchive(file)
            yield from facts_in(archive, pictures_in(archive, findings), {})
        elif kind == "G-code":
            machine = Machine(keeps_pieces=False)
            machine.read(pieces_of(file))
            machine.comments.finish()
            yield facts_of(machine)


@dataclass(frozen=True)
class _Asked:
    """What is the same for all that is read of a file: unit and limit as asked for, and its hash."""

    unit: str | None
    face_limit: int
    file_hash: str
    # Of the member of an archive that is read, by its name.
    member: Mapping[str, str] = field(default_factory=dict)


def _read(raw: BinaryIO, path: PurePath, folder: Path | None, asked: _Asked) -> PartFile:
    """Read an open file; ``folder`` is where the buffers of a glTF file may lie."""
    findings: list[Finding] = []
    with ExitStack() as stack:

        def opened(file: BinaryIO) -> BinaryIO:
            # What stands for the raw file, packed or cut off, is a temporary file of ours.
            return file if file is raw else stack.enter_context(file)

        file = opened(unpacked(raw, findings))
        if file.read(4) == b"PK\x03\x04":
            file.seek(0)
            file = opened(with_directory(file, findings))
        file.seek(0)
        kind = format_of(file, path)
        file.seek(0)
        if kind == ARCHIVE:
            return _archive_file(file, path, asked, findings)
        module, function = _READERS[kind]
        read = getattr(importlib.import_module(f"ballistics.printed.{module}"), function)
        # Beside a file that was packed, nothing is looked for.
        beside = {"folder": folder} if kind == "glTF" and file is raw and folder is not None else {}
        content: MeshContent = read(file, face_limit=asked.face_limit, **beside)
    return _part_file(replace(content, findings=(*findings, *content.findings)), path, asked)


def _archive_file(file: BinaryIO, path: PurePath, asked: _Asked, findings: list[Finding]) -> PartFile:
    """Read every model of an archive, each under its own name; what cannot be read is a finding."""
    parts: list[Part] = []
    thumbnails: list[Thumbnail] = []
    jobs: list[JobFacts] = []
    problems: list[ReadError] = []
    inputs: dict[str, str] = {}
    names: list[str] = []
    left = asked.face_limit
    for member in members_of(file, path.name, Budget()):
        names.append(member.name)
        try:
            if member.data is None:
                raise member.problem or CorruptFileError("it cannot be had")
            digest = hashlib.file_digest(member.data, "sha256").hexdigest()  # type: ignore[arg-type]  # it reads
            member.data.seek(0)
            inner = replace(asked, face_limit=max(left, 1), member={member.name: digest})
            found = _read(member.data, PurePath(member.name), None, inner)
        except ReadError as error:
            problems.append(error)
            findings.append(Finding("item-unreadable", "serious", f"{member.name}: {error}", "left out"))
            continue
        inputs[member.name] = digest
        left -= sum(len(part.faces) for part in found.parts)
        several = len(found.parts) > 1
        for part in found.parts:
            name = f"{member.name}: {part.name}" if several else member.name
            metadata = {**part.metadata, "member": member.name, "format": found.format}
            parts.append(replace(part, name=name, metadata=metadata))
        findings += [replace(finding, message=f"{member.name}: {finding.message}") for finding in found.findings]
        jobs += [replace(job, member=f"{member.name}/{job.member}".rstrip("/")) for job in found.jobs]
        thumbnails += [replace(picture, name=f"{member.name}: {picture.name}") for picture in found.thumbnails]
    if not parts:
        first = problems[0] if problems else CorruptFileError("no model in it can be read")
        raise type(first)(f"none of the {len(names)} models in the archive can be read: {names[:1]}: {first}")
    return PartFile(
        format=ARCHIVE,
        unit="millimetre",
        parts=tuple(parts),
        metadata={"members": tuple(names[:200])},
        findings=tuple(findings),
        thumbnails=tuple(thumbnails),
        provenance=Provenance(
            method=f"read {ARCHIVE}",
            version=READER_VERSION,
            parameters={"unit": asked.unit, "face_limit": asked.face_limit, "format": ARCHIVE},
            inputs={"file": asked.file_hash, **inputs},
        ),
        jobs=tuple(jobs),
    )


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


def _part_file(content: MeshContent, path: PurePath, asked: _Asked) -> PartFile:
    """Settle the unit, clean every item, separate its objects."""
    unit, face_limit = asked.unit, asked.face_limit
    if not content.items:
        raise CorruptFileError("the file holds no triangles")
    settled, findings = _settle_unit(content, unit)
    suffix = suffix_of(path)
    named = suffix or path.suffix.lower() != ".gz"
    if named and suffix not in SUFFIXES[content.format] and not ("package" in content.metadata and suffix in _PACKAGES):
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
            inputs={"file": asked.file_hash, **asked.member, **content.inputs},
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
        own = replace(item, name=name)
        if item.cut is not None:
            own = replace(own, cut=(item.cut[0] * UNIT_MM[settled], item.cut[1] * UNIT_MM[settled]))
        parts += _separated(vertices, faces, own, found, lambda j, k=k: provenance(item=k, object=j))
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
        jobs=content.jobs,
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
    item: Item,
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
        title = item.name if count == 1 else f"{item.name} #{j + 1}"
        parts.append(Part(corners, triangles, title, dict(item.metadata), findings, provenance(j), item.cut))
    return parts
