"""Reads print jobs in a package: sliced 3MF of Bambu Studio and OrcaSlicer, Ultimaker's UFP, plain zip archives."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, BinaryIO

from ballistics.errors import CorruptFileError, HostileFileError, ReadError
from ballistics.files import SafeArchive
from ballistics.findings import Finding
from ballistics.printed.content.bounds import text_of
from ballistics.printed.content.job_facts import JobFacts
from ballistics.printed.content.mesh_content import Item, MeshContent, Thumbnail
from ballistics.printed.jobs.gcode import FILE_LIMIT_BYTES, facts_of, read_job
from ballistics.printed.jobs.machine import Machine
from ballistics.printed.jobs.package_facts import package_facts

_SUFFIXES = (".gcode", ".gco")
_MOST_JOBS = 100
_THUMBNAIL_BYTES = 16 << 20
_MOST_THUMBNAILS = 32
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
    archive = SafeArchive(file)
    findings: list[Finding] = []
    pictures = pictures_in(archive, findings)
    content = read_jobs(archive, face_limit=face_limit, thumbnails=pictures)
    return replace(content, findings=(*findings, *content.findings))


def pictures_in(archive: SafeArchive, findings: list[Finding]) -> tuple[Thumbnail, ...]:
    """Return the pictures that are members of a package; one that cannot be had is a finding."""
    pictures: list[Thumbnail] = []
    for name in archive.names():
        if not name.lower().endswith((".png", ".jpg", ".jpeg")) or len(pictures) >= _MOST_THUMBNAILS:
            continue
        try:
            pictures.append(Thumbnail(text_of(name.encode(), 120), archive.read(name, limit_bytes=_THUMBNAIL_BYTES)))
        except ReadError as error:
            findings.append(Finding("thumbnail-unreadable", "note", str(error), "left out"))
    return tuple(pictures)


def facts_in(archive: SafeArchive, pictures: tuple[Thumbnail, ...], metadata: Mapping[str, Any]) -> list[JobFacts]:
    """Return what the jobs in a package say, without their surfaces; one that cannot be read is left out.

    Parameters
    ----------
    archive : SafeArchive
        The package.
    pictures : tuple of Thumbnail
        Its members that are pictures.
    metadata : mapping
        Of the package's model.

    Raises
    ------
    HostileFileError
    """
    beside = package_facts(archive, metadata)
    found = []
    for name in jobs_in(archive)[:_MOST_JOBS]:
        machine = Machine(keeps_pieces=False)
        try:
            archive.refuse_bomb(name, _MOST_PACKED)
            machine.read(archive.chunks(name))
        except HostileFileError:
            raise
        except ReadError:
            continue
        machine.comments.finish()
        found.append(facts_of(machine, member=_shown(name), beside=beside, pictures=_of_job(pictures, name)))
    return found


def _shown(name: str) -> str:
    return text_of(name.encode("utf-8", "replace"), 120)


def _of_job(pictures: tuple[Thumbnail, ...], job: str) -> list[Thumbnail]:
    """Return the pictures of a package that are of one of its jobs: by the number of the plate, where they have one."""
    number = re.search(r"plate_(\d+)\.", job)
    if number is None:
        return list(pictures)
    plates = [re.search(r"_(\d+)\.\w+$", picture.name) for picture in pictures]
    return [p for p, plate in zip(pictures, plates, strict=True) if plate is None or plate[1] == number[1]]


def read_jobs(
    archive: SafeArchive,
    *,
    face_limit: int,
    thumbnails: tuple[Thumbnail, ...] = (),
    metadata_of_model: Mapping[str, Any] | None = None,
) -> MeshContent:
    """Read the jobs of an open package.

    Parameters
    ----------
    archive : SafeArchive
        The package.
    face_limit : int
        Most faces that may come out, of all jobs together.
    thumbnails : tuple of Thumbnail
        Pictures that the caller has found in the package; those in the jobs follow them.
    metadata_of_model : mapping, optional
        What the package's model says of itself.

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
    jobs: list[JobFacts] = []
    beside = package_facts(archive, metadata_of_model or {})
    pictures = thumbnails
    left = FILE_LIMIT_BYTES
    for name in names:
        left -= archive.size(name)
        if left < 0:
            raise HostileFileError(f"the jobs have more than {FILE_LIMIT_BYTES} bytes; longer ones are refused")
        archive.refuse_bomb(name, _MOST_PACKED)
        digest = hashlib.md5(usedforsecurity=False)
        shown = _shown(name)
        try:
            content = read_job(
                _hashed(archive.chunks(name), digest),
                face_limit=face_limit,
                member=shown,
                beside=beside,
                pictures=_of_job(pictures, name),
            )
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
        jobs += content.jobs
        for key, value in content.metadata.items():
            metadata.setdefault(key, value)
        stem = shown.rpartition("/")[2].rpartition(".")[0]
        items += [
            replace(item, name=item.name or stem, metadata={**item.metadata, "job": shown}) for item in content.items
        ]
    if not items:
        raise type(problems[0])(f"{names[0]}: {problems[0]}") if problems else CorruptFileError("no print job inside")
    metadata["package"] = "zip"
    metadata["members"] = tuple(text_of(n.encode("utf-8", "replace"), 120) for n in archive.names()[:200])
    return MeshContent("G-code", tuple(items), "millimetre", metadata, tuple(findings), thumbnails, jobs=tuple(jobs))


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
