"""What can be said of a seized file before it is compared: parts, sizes, findings, hashes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ballistics.errors import BallisticsError, UnsupportedFormatError
from ballistics.findings import Finding
from ballistics.printed.content.job_facts import JobFacts
from ballistics.printed.content.part import Part, PartFile
from ballistics.printed.describe.geometry_hashes import geometry_keys
from ballistics.printed.files.mesh_checks import topology
from ballistics.printed.files.reading import read_job_facts, read_parts
from ballistics.printed.files.separation import body_numbers
from ballistics_kernels.meshes import area_and_centroid


@dataclass(frozen=True)
class PartDescription:
    """A part in numbers.

    Parameters
    ----------
    name : str
    extent_mm : tuple of float
        Size along x, y and z.
    area_mm2 : float
        Area of the surface, hidden parts included.
    volume_mm3 : float or None
        Enclosed volume; None when the surface is not closed. Negative when the faces look inwards.
    vertices, faces, bodies : int
    geometry_hash : str
        Equal for exact copies, however moved and shuffled.
    mirrored_hash : str
        The geometry hash of the mirror image.
    shape_hash : str
        The geometry hash without the size.
    metadata : mapping
    findings : tuple of Finding
    """

    name: str
    extent_mm: tuple[float, float, float]
    area_mm2: float
    volume_mm3: float | None
    vertices: int
    faces: int
    bodies: int
    geometry_hash: str
    mirrored_hash: str
    shape_hash: str
    metadata: dict[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class FileDescription:
    """A file that was read, or why it was not.

    Parameters
    ----------
    path : str
    verdict : {"readable", "readable with findings", "refused"}
    sha256 : str
        Of the file; empty when it was refused.
    format, unit : str
    parts : tuple of PartDescription
    metadata : mapping
        What the file says of itself.
    thumbnails : tuple of str
        Names of the pictures that it carries.
    jobs : tuple of JobFacts
        What the print jobs in the file say.
    findings : tuple of Finding
    error, reason : str
        For a refused file.
    """

    path: str
    verdict: str
    sha256: str = ""
    format: str = ""
    unit: str = ""
    parts: tuple[PartDescription, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)
    thumbnails: tuple[str, ...] = ()
    jobs: tuple[JobFacts, ...] = ()
    findings: tuple[Finding, ...] = ()
    error: str = ""
    reason: str = ""


def describe_part(part: Part) -> PartDescription:
    """Describe a part.

    Examples
    --------
    >>> corners = np.array([[0.0, 0, 0], [40, 0, 0], [0, 30, 0], [0, 0, 20]])
    >>> wedge = Part(corners, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]), "wedge")
    >>> described = describe_part(wedge)
    >>> described.extent_mm, described.volume_mm3, described.bodies
    ((40.0, 30.0, 20.0), 4000.0, 1)
    """
    keys = geometry_keys(part.vertices_mm, part.faces)
    numbers = area_and_centroid(part.vertices_mm, part.faces)
    edges = topology(part.faces, len(part.vertices_mm))
    closed = edges.watertight and not edges.turned_edges
    extent = np.ptp(part.vertices_mm, axis=0)
    return PartDescription(
        name=part.name,
        extent_mm=(float(extent[0]), float(extent[1]), float(extent[2])),
        area_mm2=float(numbers[0]),
        volume_mm3=float(numbers[4]) if closed else None,
        vertices=len(part.vertices_mm),
        faces=len(part.faces),
        bodies=int(body_numbers(part.faces, len(part.vertices_mm)).max()) + 1,
        geometry_hash=keys.exact,
        mirrored_hash=keys.mirrored,
        shape_hash=keys.shape,
        metadata=dict(part.metadata),
        findings=part.findings,
    )


def _facts_all_the_same(path: Path, error: BallisticsError) -> tuple[JobFacts, ...]:
    """Return what a job says that prints nothing, or too much for a surface; nothing for any other file."""
    if isinstance(error, UnsupportedFormatError):
        return ()
    try:
        return read_job_facts(path)
    except BallisticsError:
        return ()


def describe_file(path: Path, *, unit: str | None = None) -> tuple[FileDescription, PartFile | None]:
    """Describe a file and return its parts, or say why it was refused; never raises for a bad file.

    Parameters
    ----------
    path : path
    unit : str, optional
        As for `read_parts`.
    """
    try:
        file = read_parts(path, unit=unit)
        parts = tuple(describe_part(part) for part in file.parts)
    except BallisticsError as error:
        jobs = _facts_all_the_same(path, error)
        return FileDescription(str(path), "refused", error=type(error).__name__, reason=str(error), jobs=jobs), None
    findings = [*file.findings, *(finding for part in parts for finding in part.findings)]
    noted = any(finding.severity != "note" for finding in findings)
    described = FileDescription(
        path=str(path),
        verdict="readable with findings" if noted else "readable",
        sha256=file.provenance.inputs["file"] if file.provenance else "",
        format=file.format,
        unit=file.unit,
        parts=parts,
        metadata=dict(file.metadata),
        thumbnails=tuple(thumbnail.name for thumbnail in file.thumbnails),
        jobs=file.jobs,
        findings=file.findings,
    )
    return described, file
