"""What X3P files carry beside the standard: label masks, and our processing record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from ballistics.errors import CorruptFileError
from ballistics.findings import Finding
from ballistics.surfaces.formats.decoding import decode_image
from ballistics.surfaces.formats.image_header import read_image_header
from ballistics.surfaces.formats.x3p.archive import X3pArchive
from ballistics.surfaces.formats.x3p.document import Element

VENDOR_ID = "urn:ballistics:processing-record:1"
RECORD_NAME = "ballistics/processing.json"
_RECORD_LIMIT_BYTES = 16 << 20
_PNG = b"\x89PNG\r\n\x1a\n"

Extra = tuple[dict[str, Any], list[Finding]]


def read_mask(archive: X3pArchive, root: Element, shape: tuple[int, int]) -> Extra:
    """Return the label mask of a file, aligned with its heights.

    x3ptools keeps it as ``mask.png``; Cadre's software as ``mask.bin``, a PNG whose columns run
    backwards (source: x3ptools, ``x3p_read``). Record3/Mask holds the background colour and one
    Annotation per colour.

    Parameters
    ----------
    archive : X3pArchive
        The file; its members are looked through for a mask.
    root : Element
        Root of main.xml, which names the colours.
    shape : (rows, columns)
        Of the heights; a mask of another size is not used.

    Returns
    -------
    metadata : dict
        ``mask``: uint8 array (rows, columns, 3), red-green-blue; ``mask_background``: colour;
        ``mask_annotations``: name by colour ``#rrggbb``. Empty when the file has no mask.
    findings : list of Finding
        ``mask-present``, ``mask-unreadable`` or ``mask-size-differs``.
    """
    found = [n for n in archive.names() if n.rpartition("/")[2].lower() in ("mask.png", "mask.bin")]
    if not found:
        return {}, []
    name = sorted(found, key=lambda n: (not n.lower().endswith(".png"), n))[0]
    rows, columns = shape
    # A PNG of noise is a little larger than its pixels; more than that is not a mask of this scan.
    data = archive.read(name, limit_bytes=8 * rows * columns + (1 << 20))
    unreadable = Finding("mask-unreadable", "warning", f"{name} is not a readable PNG image", "ignored")
    if data[:8] != _PNG:
        return {}, [unreadable]
    try:
        header = read_image_header(data)  # the decoder allocates whatever a part claims to hold
    except CorruptFileError:
        return {}, [unreadable]
    if (header.rows, header.columns) != shape:
        return {}, [
            Finding(
                "mask-size-differs",
                "warning",
                f"{name} has {header.rows} x {header.columns} pixels, the heights {rows} x {columns}",
                "ignored",
            )
        ]
    try:
        image, complaint = decode_image(data)
    except CorruptFileError:
        return {}, [unreadable]
    if complaint or image.dtype not in (np.uint8, np.uint16):
        return {}, [unreadable]
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    image = np.stack([image] * 3, axis=-1) if image.ndim == 2 else image[..., :3]
    if name.lower().endswith(".bin"):
        image = image[:, ::-1]
    metadata: dict[str, Any] = {"mask": np.ascontiguousarray(image[..., ::-1])}
    background = root.get("Record3/Mask/Background")
    if background:
        metadata["mask_background"] = _colour(background)
    annotations = root.find("Record3/Mask/Annotations")
    if annotations is not None:
        metadata["mask_annotations"] = {
            _colour(child.attributes.get("color", "")): child.text.strip() for child in annotations.children
        }
    return metadata, [Finding("mask-present", "note", f"the file carries a label mask ({name})", "kept in metadata")]


def _colour(text: str) -> str:
    """Return a colour as ``#rrggbb`` in lower case; x3ptools may append the opacity."""
    text = text.strip().lower()
    return text[:7] if text.startswith("#") else text


def read_processing_record(archive: X3pArchive, metadata: Mapping[str, Any]) -> Extra:
    """Return the processing record that ``write_x3p`` left in the file, if any."""
    if VENDOR_ID not in metadata.get("vendor_ids", ()) or not archive.has(RECORD_NAME):
        return {}, []
    try:
        record = json.loads(archive.read(RECORD_NAME, limit_bytes=_RECORD_LIMIT_BYTES))
    except (ValueError, RecursionError):
        return {}, [Finding("processing-record-unreadable", "warning", f"{RECORD_NAME} is not JSON", "ignored")]
    return {"processing_record": record}, [
        Finding(
            "processing-record",
            "note",
            "the file was written by ballistics",
            "its record is kept in metadata",
        )
    ]
