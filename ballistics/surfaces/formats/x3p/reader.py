"""Reads X3P (ISO 5436-2, ISO 25178-72): profiles, surfaces and point clouds, in any of their spellings."""

from __future__ import annotations

import hashlib
import re
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError, HostileFileError, ParameterError
from ballistics.files import native_order
from ballistics.findings import Finding
from ballistics.surfaces.formats.content import METRE_UM, FileContent
from ballistics.surfaces.formats.x3p.archive import X3pArchive
from ballistics.surfaces.formats.x3p.document import Document, parse_document
from ballistics.surfaces.formats.x3p.extras import read_mask, read_processing_record
from ballistics.surfaces.formats.x3p.header import Axis, Header, read_header
from ballistics.surfaces.surface import SurfaceKind


def read_x3p(file: BinaryIO, *, layer: int, height_limit_bytes: int) -> FileContent:
    """Read one layer of an X3P file.

    Parameters
    ----------
    file : binary file
        Open and seekable.
    layer : int
        Which layer (SizeZ), from 0.
    height_limit_bytes : int
        Largest number of bytes that the heights of the whole file may take as float64.

    Returns
    -------
    FileContent
        Heights in metres; ``unit_um`` says so.

    Raises
    ------
    ReadError
        One of its subclasses; the message says what to do.
    """
    archive = X3pArchive(file)
    max_points = height_limit_bytes // 8
    document = parse_document(archive.chunks("main.xml"), max_points=max_points)
    header = read_header(document.root)
    if header.count > max_points:
        raise HostileFileError(
            f"main.xml declares {header.count} points ({header.count * 8} bytes of heights), more than the "
            f"limit of {height_limit_bytes} bytes; if the scan is that large, raise height_limit_bytes"
        )
    findings = [*archive.findings, *header.findings, *_document_checksum(archive, header, document)]
    listed, data_findings = _listed_values(archive, header, document)
    findings += data_findings
    shape = header.shape or (1, 1, header.count)
    layers = shape[0]
    if not 0 <= layer < layers:
        raise ParameterError(f"layer {layer} was asked for; the file has {layers} (numbered from 0)")
    if layers > 1:
        findings.append(
            Finding("several-layers", "warning", f"the file holds {layers} layers", f"layer {layer} was read")
        )
    points = {name: values.reshape(shape)[layer] for name, values in listed.items()}
    spacing, coordinates, axis_findings = _lateral(header, points)
    findings += axis_findings
    metadata = dict(header.metadata)
    for extra, extra_findings in (
        read_mask(archive, document.root, shape[1:]),
        read_processing_record(archive, header.metadata),
    ):
        metadata.update(extra)
        findings += extra_findings
    kinds: dict[str, SurfaceKind] = {"SUR": "topography", "PRF": "profile", "PCL": "points"}
    offset = (header.axes[1].offset, header.axes[0].offset)
    if any(offset) and coordinates is None:
        metadata["offset_in_file_units"] = offset
    return FileContent(
        format="X3P",
        values=points["CZ"],
        spacing=spacing,
        unit_um=METRE_UM,
        kind=kinds[header.feature],
        coordinates=coordinates,
        metadata=metadata,
        findings=tuple(findings),
    )


def _document_checksum(archive: X3pArchive, header: Header, document: Document) -> list[Finding]:
    if not archive.has(header.checksum_file):
        return [Finding("checksum-missing", "warning", "the archive has no checksum of main.xml", "read unverified")]
    text = archive.read(header.checksum_file, limit_bytes=64 << 10).decode("latin-1").strip()
    digest = re.match("[0-9a-fA-F]{32}", text)  # md5sum writes the file's name behind it
    return _checksum_findings("main.xml", digest and digest[0], document.md5)


def _checksum_findings(what: str, declared: str | None, computed: str) -> list[Finding]:
    """Compare an MD5 as written with the computed one."""
    if not declared:
        return [Finding("checksum-missing", "warning", f"no checksum of {what} is given", "read unverified")]
    if declared.strip().lower() == computed:
        return []
    return [
        Finding(
            "checksum-wrong",
            "serious",
            f"the MD5 of {what} is {computed}, the file says {declared[:40]!r}: "
            "it was changed or damaged after it was written",
            "read as it is; compare with the original",
        )
    ]


def _listed_values(
    archive: X3pArchive, header: Header, document: Document
) -> tuple[dict[str, NDArray[Any]], list[Finding]]:
    """Return the coordinates in metres of every absolute axis by name, flat, over all layers."""
    if header.data_link is None:
        return _values_from_list(header, document), []
    return _values_from_archive(archive, header)


def _values_from_list(header: Header, document: Document) -> dict[str, NDArray[Any]]:
    axes = header.stored_axes
    if document.datum_count != header.count:
        raise CorruptFileError(
            f"DataList holds {document.datum_count} points, the declared dimensions need {header.count}"
        )
    numbers = np.frombuffer(document.datums, dtype=np.float64).reshape(header.count, len(axes))
    return {axis.name: _in_metres(axis, numbers[:, i]) for i, axis in enumerate(axes)}


def _values_from_archive(archive: X3pArchive, header: Header) -> tuple[dict[str, NDArray[Any]], list[Finding]]:
    assert header.data_link is not None
    axes = header.stored_axes
    record = np.dtype([(axis.name, axis.dtype) for axis in axes])
    data = archive.read_exactly(header.data_link, header.count * record.itemsize)
    findings = _checksum_findings(header.data_link, header.data_md5, _md5(data))
    records = data.view(record)
    values = {}
    for axis in axes:
        raw, order_findings = native_order(records[axis.name])
        values[axis.name] = _in_metres(axis, raw)
        if axis.name == "CZ":
            findings += order_findings
    if header.valid_link is not None:
        bits = archive.read_exactly(header.valid_link, (header.count + 7) // 8)
        findings += _checksum_findings(header.valid_link, header.valid_md5, _md5(bits))
        # Bit j of the file is bit j % 8 of byte j // 8, counted from the lowest.
        missing = np.unpackbits(bits, count=header.count, bitorder="little") == 0
        heights = values["CZ"].astype(np.float64)
        heights[missing] = np.nan
        values["CZ"] = heights
        if missing.any():
            findings.append(
                Finding(
                    "points-marked-missing",
                    "note",
                    f"{int(missing.sum())} points are marked invalid",
                    "missing",
                )
            )
    return values, findings


def _md5(data: NDArray[np.uint8]) -> str:
    return hashlib.md5(data.data, usedforsecurity=False).hexdigest()


def _in_metres(axis: Axis, raw: NDArray[Any]) -> NDArray[Any]:
    """Apply increment (integers only, see the header's finding) and offset."""
    if axis.dtype.kind == "i":
        return raw.astype(np.float64) * axis.increment + axis.offset
    if axis.offset != 0:
        return raw.astype(np.float64) + axis.offset
    return raw


def _lateral(
    header: Header, points: dict[str, NDArray[Any]]
) -> tuple[tuple[float, float], NDArray[Any] | None, list[Finding]]:
    """Return spacing (rows, columns), listed coordinates if any, and findings about them."""
    x_axis, y_axis, _ = header.axes
    if not (x_axis.absolute or y_axis.absolute):
        return (abs(y_axis.increment), abs(x_axis.increment)), None, []
    rows, columns = points["CZ"].shape
    x = points.get("CX", np.arange(columns) * x_axis.increment + x_axis.offset)
    y = points.get("CY", (np.arange(rows) * y_axis.increment + y_axis.offset)[:, None])
    coordinates = np.empty((rows, columns, 2))
    coordinates[..., 0], coordinates[..., 1] = x, y
    if header.feature == "PCL":
        return (np.nan, np.nan), coordinates, []
    column_step, columns_even = _common_step(coordinates[..., 0], axis=1)
    row_step, rows_even = _common_step(coordinates[..., 1], axis=0)
    spacing = (
        row_step if y_axis.absolute else abs(y_axis.increment),
        column_step if x_axis.absolute else abs(x_axis.increment),
    )
    even = (columns_even or not x_axis.absolute) and (rows_even or not y_axis.absolute)
    finding = (
        Finding("axis-absolute", "note", "positions are listed, and evenly spaced", "spacing computed from them")
        if even
        else Finding(
            "grid-irregular",
            "serious",
            "positions are listed and not evenly spaced",
            "spacing is their median step",
        )
    )
    return spacing, coordinates, [finding]


def _common_step(positions: NDArray[Any], axis: int) -> tuple[float, bool]:
    """Return the median step along an axis, and whether all steps agree with it to 1 %."""
    steps = np.abs(np.diff(positions, axis=axis))
    steps = steps[np.isfinite(steps)]
    if steps.size == 0:
        return float("nan"), True
    step = float(np.median(steps))
    return step, bool(np.all(np.abs(steps - step) <= 0.01 * step))
