"""Reads print jobs in a package: sliced 3MF of Bambu Studio and OrcaSlicer, Ultimaker's UFP, plain zip archives."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, BinaryIO

from ballistics.errors import CorruptFileError, HostileFileError, ReadError
from ballistics.files import SafeArchive
from ballistics.findings import Finding
from ballistics.printed.content.bounds import text_of
from ballistics.printed.content.mesh_content import Item, MeshContent, Thumbnail
from ballistics.printed.jobs.gcode import FILE_LIMIT_BYTES, read_job

_SUFFIXES = (".gcode", ".gco")
_MOST_JOBS = 100
# Text of numbers is packed to a third or a tenth.
_MOST_PACKED = 100


def jobs_in(archive: SafeArchive) -> list[str]:
    """Return the names of the G-code files in a package, plates in the order of their numbers."""
    names = [name for name in archive.names() if name.lower().endswith(_SUFFIXES)]
    return sorted(names, key=lambda name: [int(word) if word.isdigit() else word for word in re.split(r"(\d+)", name)])


def read_job_package(file: BinaryIO, *, face_limit: int) -> MeshContent:
    """Read a package that holds print jobs and no mesh; each job is an item.

    Parameters
    ----------
    file : binary file
        Open at its start.
    face_limit : int
        Most faces that may come out.

    Raises
    ------
    CorruptFileError, HostileFileError, UnsupportedFormatError
        See the messages.
    """
    return read_jobs(SafeArchive(file), face_limit=face_limit)


def read_jobs(archive: SafeArchive, *, face_limit: int, thumbnails: tuple[Thumbnail, ...] = ()) -> MeshContent:
    """Read the jobs of an open package.

    Parameters
    ----------
    archive : SafeArchive
        The package.
    face_limit : int
        Most faces that may come out, of all jobs together.
    thumbnails : tuple of Thumbnail
        Pictures that the caller has found in the package; those in the jobs follow them.

    Returns
    -------
    MeshContent
        In millimetres. A job that cannot be read is left out, with a finding.

    Raises
    ------
    CorruptFileError, HostileFileError, UnsupportedFormatError
        See the messages.
    """
    names = jobs_in(archive)
    if len(names) > _MOST_JOBS:
        raise HostileFileError(f"the package holds {len(names)} print jobs; more than {_MOST_JOBS} are not read")
    items: list[Item] = []
    findings: list[Finding] = []
    metadata: dict[str, Any] = {}
    problems: list[ReadError] = []
    left = FILE_LIMIT_BYTES
    for name in names:
        left -= archive.size(name)
        if left < 0:
            raise HostileFileError(f"the jobs have more than {FILE_LIMIT_BYTES} bytes; longer ones are refused")
        archive.refuse_bomb(name, _MOST_PACKED)
        digest = hashlib.md5(usedforsecurity=False)
        shown = text_of(name.encode("utf-8", "replace"), 120)
        try:
            content = read_job(_hashed(archive.chunks(name), digest), face_limit=face_limit)
        except HostileFileError:
            raise
        except ReadError as error:
            problems.append(error)
            findings.append(Finding("item-unreadable", "serious", f"{shown}: {error}", "left out"))
            continue
        face_limit -= sum(len(item.faces) for item in content.items)
        findings += [replace(found, message=f"{shown}: {found.message}") for found in content.findings]
        findings += _checksum(archive, name, digest.hexdigest())
        thumbnails += content.thumbnails
        for key, value in content.metadata.items():
            metadata.setdefault(key, value)
        stem = shown.rpartition("/")[2].rpartition(".")[0]
        items += [
            Item(item.vertices, item.faces, item.name or stem, {**item.metadata, "job": shown})
            for item in content.items
        ]
    if not items:
        raise type(problems[0])(f"{names[0]}: {problems[0]}") if problems else CorruptFileError("no print job inside")
    metadata["package"] = "zip"
    metadata["members"] = tuple(text_of(n.encode("utf-8", "replace"), 120) for n in archive.names()[:200])
    return MeshContent("G-code", tuple(items), "millimetre", metadata, tuple(findings), thumbnails)


def _hashed(pieces: Iterator[bytes], digest: Any) -> Iterator[bytes]:
    for piece in pieces:
        digest.update(piece)
        yield piece


def _checksum(archive: SafeArchive, name: str, found: str) -> list[Finding]:
    """Compare a job with the MD5 that Bambu Studio and OrcaSlicer write beside it."""
    beside = f"{name}.md5"
    if not archive.has(beside):
        return []
    stated = text_of(archive.read(beside, limit_bytes=4096), 64).lower()
    if stated == found:
        return []
    message = f"{beside} states {stated[:40]!r}, the job has {found}: it is not the job that was summed"
    return [Finding("checksum-differs", "warning", message, "read as it is")]
