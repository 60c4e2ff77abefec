"""Writes X3P (ISO 5436-2): float64, both checksums, the same bytes every time."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import WriteError
from ballistics.files import write_whole
from ballistics.surfaces.formats.content import METRE_UM
from ballistics.surfaces.formats.x3p.extras import RECORD_NAME, VENDOR_ID
from ballistics.surfaces.formats.x3p.header import STANDARD_REVISIONS
from ballistics.surfaces.surface import Mark, Surface

_NAMESPACE = "http://www.opengps.eu/2008/ISO5436_2"
_DATA_NAME = "bindata/data.bin"
_CHECKSUM_NAME = "md5checksum.hex"
_FEATURES = {"topography": "SUR", "profile": "PRF", "points": "PCL"}
# XML 1.0 has no way to write these characters.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_x3p(path: str | os.PathLike[str], item: Surface | Mark, *, overwrite: bool = False) -> Path:
    """Write a surface or a prepared mark as X3P.

    The same item gives the same bytes on every machine: members are stored unpacked in a fixed
    order with a fixed date. The processing record (steps, findings, provenance) goes along as a
    vendor part, ``ballistics/processing.json``. The file appears whole or not at all.

    Parameters
    ----------
    path : path
        Where to write.
    item : Surface or Mark
        Heights in µm; reflectance is not topography and is refused.
    overwrite : bool, default False
        Whether a file that is already there may be replaced.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    WriteError
        The file exists, the folder does not, or the item cannot be expressed in X3P.

    Notes
    -----
    X3P holds metres. Heights that came from an X3P file are read back bit for bit; others to
    the last bit of a float64, because not every number of micrometres is a float64 number of metres.
    """
    path = Path(path)
    data = _archive(item)
    write_whole(path, data, overwrite=overwrite)
    return path


def _archive(item: Surface | Mark) -> bytes:
    """Return the bytes of the whole archive."""
    surface = _as_surface(item)
    points, shape = _points(surface)
    record = _canonical_json(_processing_record(item))
    document = _document(surface, shape, _md5(points)).encode("utf-8")
    members = (
        ("main.xml", document),
        (_CHECKSUM_NAME, f"{_md5(document)} *main.xml\n".encode("ascii")),
        (_DATA_NAME, points),
        (RECORD_NAME, record),
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system = 3  # the same on every operating system
            info.external_attr = 0o100644 << 16
            archive.writestr(info, data)
    return buffer.getvalue()


def _as_surface(item: Surface | Mark) -> Surface:
    """Return the item as a surface of a kind that X3P can hold."""
    if isinstance(item, Mark):
        kind = item.surface_kind
        surface = Surface(
            heights_um=item.heights_um.astype(np.float64),
            spacing_um=(item.spacing_um, item.spacing_um),
            kind=kind,
            metadata={"offset_um": item.origin_um, "comment": f"{item.kind}, prepared by ballistics"},
        )
    else:
        surface, kind = item, item.kind
    if kind not in _FEATURES:
        raise WriteError("X3P holds heights; a reflectance image is kept in its own format (PNG, TIFF)")
    if surface.heights_um.ndim != 2 or surface.heights_um.size == 0:
        raise WriteError(f"heights have the shape {surface.heights_um.shape}; rows x columns with points are needed")
    if np.isinf(surface.heights_um).any():
        raise WriteError("heights hold infinities; make them missing (NaN) first")
    if surface.coordinates_um is None and not all(np.isfinite(s) and s > 0 for s in surface.spacing_um):
        raise WriteError(f"spacing is {surface.spacing_um} µm; positive lengths are needed")
    if kind == "points" and surface.coordinates_um is None:
        raise WriteError("a point cloud needs coordinates_um")
    return surface


def _metres(micrometres: NDArray[Any]) -> NDArray[np.float64]:
    """Return the float64 metres that a reader's multiplication by 1e6 turns back into these micrometres.

    Dividing rounds, and multiplying rounds again; when a neighbour gives the exact number back, it is taken.
    """
    exact = np.asarray(micrometres, dtype=np.float64)
    best = exact / METRE_UM
    for direction in (-np.inf, np.inf):
        neighbour = np.nextafter(exact / METRE_UM, direction)
        better = (best * METRE_UM != exact) & (neighbour * METRE_UM == exact)
        best = np.where(better, neighbour, best)
    best[np.isnan(best)] = np.nan
    return best


def _points(surface: Surface) -> tuple[bytes, tuple[int, int]]:
    """Return the binary data (x, y, z interleaved when positions are listed) and the shape."""
    heights = _metres(surface.heights_um)
    if surface.coordinates_um is not None:
        if surface.coordinates_um.shape != (*heights.shape, 2):
            raise WriteError(f"coordinates {surface.coordinates_um.shape} do not fit heights {heights.shape}")
        listed = np.concatenate([_metres(surface.coordinates_um), heights[..., None]], axis=-1)
        return listed.astype("<f8").tobytes(), (heights.shape[0], heights.shape[1])
    return heights.astype("<f8").tobytes(), (heights.shape[0], heights.shape[1])


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _document(surface: Surface, shape: tuple[int, int], data_md5: str) -> str:
    """Return main.xml, in the element order of the schema."""
    listed = surface.coordinates_um is not None
    offset = surface.metadata.get("offset_um", (0.0, 0.0))
    step = surface.spacing_um
    axes = "".join(
        (
            _axis("CX", listed, 1.0 if listed else step[1], 0.0 if listed else offset[1]),
            _axis("CY", listed, 1.0 if listed else step[0], 0.0 if listed else offset[0]),
            _axis("CZ", True, 1.0, 0.0),
        )
    )
    size = (
        f"<ListDimension>{shape[0] * shape[1]}</ListDimension>"
        if surface.kind == "points"
        else f"<MatrixDimension><SizeX>{shape[1]}</SizeX><SizeY>{shape[0]}</SizeY><SizeZ>1</SizeZ></MatrixDimension>"
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<p:ISO5436_2 xmlns:p="{_NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:schemaLocation="{_NAMESPACE} {_NAMESPACE}/ISO5436_2.xsd">\n'
        f"<Record1><Revision>{STANDARD_REVISIONS[0]}</Revision>"
        f"<FeatureType>{_FEATURES[surface.kind]}</FeatureType><Axes>{axes}</Axes></Record1>\n"
        f"{_record2(surface.metadata)}"
        f"<Record3>{size}<DataLink><PointDataLink>{_DATA_NAME}</PointDataLink>"
        f"<MD5ChecksumPointData>{data_md5}</MD5ChecksumPointData></DataLink></Record3>\n"
        f"<Record4><ChecksumFile>{_CHECKSUM_NAME}</ChecksumFile></Record4>\n"
        f"<VendorSpecificID>{VENDOR_ID}</VendorSpecificID>\n"
        "</p:ISO5436_2>\n"
    )


def _axis(name: str, absolute: bool, increment_um: float, offset_um: float) -> str:
    if absolute:
        increment, offset = 1.0, 0.0
    else:
        increment, offset = (float(_metres(np.array([value]))[0]) for value in (increment_um, offset_um))
    kind = "A" if absolute else "I"
    return (
        f"<{name}><AxisType>{kind}</AxisType><DataType>D</DataType>"
        f"<Increment>{increment!r}</Increment><Offset>{offset!r}</Offset></{name}>"
    )


def _record2(metadata: Mapping[str, Any]) -> str:
    """Return what the surface says of its measurement; nothing is made up when it says nothing."""

    def element(name: str, key: str) -> str:
        text = metadata.get(key)
        return f"<{name}>{escape(_FORBIDDEN.sub('?', text))}</{name}>" if isinstance(text, str) else ""

    def group(name: str, parts: Mapping[str, str]) -> str:
        if not any(isinstance(metadata.get(key), str) for key in parts.values()):
            return ""
        return f"<{name}>" + "".join(element(n, key) or f"<{n}/>" for n, key in parts.items()) + f"</{name}>"

    body = (
        element("Date", "date")
        + element("Creator", "creator")
        + group(
            "Instrument",
            {n: f"instrument_{n.lower()}" for n in ("Manufacturer", "Model", "Serial", "Version")},
        )
        + element("CalibrationDate", "calibration_date")
        + group("ProbingSystem", {"Type": "probing_type", "Identification": "probing_identification"})
        + element("Comment", "comment")
    )
    return f"<Record2>{body}</Record2>\n" if body else ""


def _processing_record(item: Surface | Mark) -> dict[str, Any]:
    """Return how the item came to be, without its arrays."""
    record: dict[str, Any] = {
        "item": type(item).__name__,
        "kind": item.kind,
        "findings": [dataclasses.asdict(finding) for finding in item.findings],
        "provenance": dataclasses.asdict(item.provenance) if item.provenance else None,
    }
    if isinstance(item, Mark):
        record["steps"] = [dataclasses.asdict(step) for step in item.steps]
        record["insufficient"] = item.insufficient
        record["origin_um"] = item.origin_um
        record["surface_kind"] = item.surface_kind
    else:
        record["metadata"] = dict(item.metadata)
    return record


def _canonical_json(record: Mapping[str, Any]) -> bytes:
    text = json.dumps(record, default=_plain, sort_keys=True, indent=1, ensure_ascii=False)
    return text.encode("utf-8", "replace")


def _plain(value: Any) -> Any:
    """Return a value that JSON can hold; a large array is named by its shape and hash."""
    from ballistics.provenance import sha256_of_array

    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        if value.size <= 64:
            return value.tolist()
        return {"shape": list(value.shape), "dtype": value.dtype.str, "sha256": sha256_of_array(value)}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return str(value)
