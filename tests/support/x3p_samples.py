"""Builds files for the reading tests, honest and otherwise, without using the code under test."""

from __future__ import annotations

import hashlib
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

MAIN = """<?xml version="1.0" encoding="UTF-8"?>
{doctype}<{root} {xmlns}>
<Record1>{revision}<FeatureType>{feature}</FeatureType><Axes>{axes}{rotation}</Axes></Record1>
{record2}<Record3>{size}{data}{mask}</Record3>
<Record4><ChecksumFile>md5checksum.hex</ChecksumFile></Record4>{tail}
</{root}>
"""


def axis(name: str, kind: str, dtype: str = "D", increment: str | None = "5e-6", offset: str | None = "0") -> str:
    """Return one axis element."""
    parts = [f"<AxisType>{kind}</AxisType>", f"<DataType>{dtype}</DataType>"]
    parts += [f"<Increment>{increment}</Increment>"] if increment is not None else []
    parts += [f"<Offset>{offset}</Offset>"] if offset is not None else []
    return f"<{name}>{''.join(parts)}</{name}>"


def grid_axes(z: str = "D", x_step: str = "5e-6", y_step: str = "5e-6", z_increment: str = "1") -> str:
    """Return the three axes of a regular grid."""
    return axis("CX", "I", "D", x_step) + axis("CY", "I", "D", y_step) + axis("CZ", "A", z, z_increment)


def matrix(columns: int, rows: int, layers: int = 1) -> str:
    """Return a MatrixDimension element."""
    sizes = f"<SizeX>{columns}</SizeX><SizeY>{rows}</SizeY><SizeZ>{layers}</SizeZ>"
    return f"<MatrixDimension>{sizes}</MatrixDimension>"


def link(data: bytes, valid: bytes | None = None, md5: str | None = None) -> str:
    """Return a DataLink element with right checksums unless told otherwise."""
    text = "<PointDataLink>bindata/data.bin</PointDataLink>"
    text += f"<MD5ChecksumPointData>{md5 or hashlib.md5(data).hexdigest()}</MD5ChecksumPointData>"
    if valid is not None:
        text += "<ValidPointsLink>bindata/valid.bin</ValidPointsLink>"
        text += f"<MD5ChecksumValidPoints>{hashlib.md5(valid).hexdigest()}</MD5ChecksumValidPoints>"
    return f"<DataLink>{text}</DataLink>"


def main_xml(**parts: Any) -> bytes:
    """Return main.xml from its parts; anything not given is that of a plain good file."""
    full = {
        "doctype": "",
        "root": "p:ISO5436_2",
        "xmlns": 'xmlns:p="http://www.opengps.eu/2008/ISO5436_2"',
        "revision": "<Revision>ISO5436 - 2000</Revision>",
        "feature": "SUR",
        "axes": grid_axes(),
        "rotation": "",
        "record2": "<Record2><Date>2020-01-02T03:04:05</Date><Comment>made by a test</Comment></Record2>\n",
        "size": matrix(80, 70),
        "data": "",
        "mask": "",
        "tail": "",
        **parts,
    }
    return MAIN.format(**full).encode("utf-8")


def pack(
    path: Path,
    members: dict[str, bytes],
    method: int = zipfile.ZIP_DEFLATED,
    infos: dict[str, Any] | None = None,
) -> Path:
    """Write a zip archive with these members."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
            info.compress_type = method
            for key, value in (infos or {}).get(name, {}).items():
                setattr(info, key, value)
            archive.writestr(info, data)
    return path


def sample_heights(rows: int = 70, columns: int = 80, seed: int = 0) -> np.ndarray:
    """Return heights in metres with a few missing points."""
    rng = np.random.Generator(np.random.PCG64(seed))
    heights = rng.normal(scale=3e-6, size=(rows, columns))
    heights[rng.random(heights.shape) < 0.05] = np.nan
    return heights


def write_x3p_sample(
    path: Path,
    payload: bytes | None = None,
    *,
    valid: bytes | None = None,
    folder: str = "",
    checksum: str | None = "right",
    extra: dict[str, bytes] | None = None,
    method: int = zipfile.ZIP_DEFLATED,
    **parts: Any,
) -> Path:
    """Write an X3P file; ``payload`` is the binary part, anything else a part of main.xml."""
    if payload is None:
        payload = sample_heights().astype("<f8").tobytes()
    parts.setdefault("data", link(payload, valid))
    document = main_xml(**parts)
    members = {"main.xml": document, "bindata/data.bin": payload}
    if valid is not None:
        members["bindata/valid.bin"] = valid
    if checksum is not None:
        digest = hashlib.md5(document).hexdigest() if checksum == "right" else checksum
        members["md5checksum.hex"] = f"{digest} *main.xml\n".encode()
    members |= extra or {}
    return pack(path, {folder + name: content for name, content in members.items()}, method)


def surfacetopography_reader(module: str, name: str) -> Any:
    """Return a reader of SurfaceTopography, the oracle for al3d and TMD, or skip the test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about absent MPI when imported
        found = pytest.importorskip(
            f"SurfaceTopography.IO.{module}",
            reason="extra 'formats' absent: not compared with SurfaceTopography",
        )
    return getattr(found, name)
