"""Reads 2D images (PNG, TIFF, BMP, JPEG; 8 or 16 bit) as reflectance; the caller states the pixel size."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError, HostileFileError, UnsupportedFormatError
from ballistics.files import check_grid, file_size
from ballistics.findings import Finding
from ballistics.surfaces.formats.content import FileContent
from ballistics.surfaces.formats.decoding import decode_image
from ballistics.surfaces.formats.image_header import ImageHeader, read_image_header

# Four 16-bit samples per pixel is the largest image read; the rest of a file is text and thumbnails.
_BYTES_PER_PIXEL = 8
_METADATA_LIMIT_BYTES = 64 << 20
# ITU-R BT.601 weights of red, green and blue.
_LUMINANCE = (0.299, 0.587, 0.114)


def read_image(file: BinaryIO, *, spacing_um: tuple[float, float], layer: int, height_limit_bytes: int) -> FileContent:
    """Read an image as intensities from 0 to 1.

    Colour becomes luminance, opacity is dropped, a stated orientation is not applied: each with a finding.

    Parameters
    ----------
    file : binary file
        Open and seekable, at its start.
    spacing_um : (row, column) floats
        Pixel size in µm; an image does not state it reliably.
    layer : int
        Only the first page is read: 0, or it is refused.
    height_limit_bytes : int
        Largest number of bytes that the points may take as float64. A file that is larger, metadata apart, is not read.
    """
    size = file_size(file)
    if size > height_limit_bytes + _METADATA_LIMIT_BYTES:
        raise HostileFileError(f"an image file of {size} bytes; the limit is {height_limit_bytes}")
    data = file.read()
    header = read_image_header(data)
    check_grid(header.rows, header.columns, layer=layer, height_limit_bytes=height_limit_bytes)
    if size > header.rows * header.columns * _BYTES_PER_PIXEL * header.pages + _METADATA_LIMIT_BYTES:
        raise HostileFileError(f"{size} bytes for {header.rows} x {header.columns} pixels: far more than they can need")
    pixels, complaint = decode_image(data)
    if pixels.dtype not in (np.uint8, np.uint16):
        raise UnsupportedFormatError(f"the image holds {pixels.dtype}; 8- or 16-bit whole numbers are read")
    if pixels.shape[:2] != (header.rows, header.columns):
        raise CorruptFileError(
            f"the image decodes to {pixels.shape[:2]}, its header says {header.rows, header.columns}"
        )
    values, findings = _intensity(pixels)
    return FileContent(
        format=header.format,
        values=values,
        spacing=spacing_um,
        unit_um=1.0,
        kind="reflectance",
        metadata={"bits": pixels.dtype.itemsize * 8},
        findings=(*_header_findings(header, spacing_um), *_complaints(complaint), *findings),
    )


def _complaints(complaint: str) -> list[Finding]:
    if not complaint:
        return []
    return [Finding("decoder-warning", "serious", f"the decoder says: {complaint[:200]}", "read as decoded")]


def _intensity(pixels: NDArray[Any]) -> tuple[NDArray[np.float64], list[Finding]]:
    """Return intensities 0 to 1, shape (rows, columns), and what was done to get one number per pixel."""
    findings: list[Finding] = []
    full = float(np.iinfo(pixels.dtype).max)
    if pixels.ndim == 2:
        return pixels / full, findings
    if pixels.shape[2] in (2, 4):
        findings.append(Finding("opacity-dropped", "warning", "the image has an opacity channel", "dropped"))
    if pixels.shape[2] < 3:
        return pixels[..., 0] / full, findings
    blue, green, red = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    if np.array_equal(blue, green) and np.array_equal(green, red):
        findings.append(Finding("grey-as-colour", "note", "three equal colour channels", "one was read"))
        return green / full, findings
    findings.append(Finding("colour-to-luminance", "warning", "a colour image", "luminance (ITU-R BT.601) was read"))
    return (_LUMINANCE[0] * red + _LUMINANCE[1] * green + _LUMINANCE[2] * blue) / full, findings


def _header_findings(header: ImageHeader, spacing_um: tuple[float, float]) -> list[Finding]:
    findings = []
    if header.format == "JPEG":
        findings.append(
            Finding(
                "lossy-compression",
                "warning",
                "JPEG alters fine detail",
                "ask for the image as the camera saved it",
            )
        )
    if header.orientation != 1:
        findings.append(
            Finding(
                "orientation-ignored",
                "warning",
                f"EXIF orientation {header.orientation}",
                "rows read as stored",
            )
        )
    if header.pages > 1:
        findings.append(
            Finding("several-layers", "warning", f"the TIFF has {header.pages} pages", "the first was read")
        )
    if header.pixel_um is not None:
        off = max(abs(a / b - 1) for a, b in zip(header.pixel_um, spacing_um, strict=True))
        if off > 0.01:
            stated = " x ".join(f"{p:.4g}" for p in header.pixel_um)
            findings.append(
                Finding(
                    "resolution-disagrees",
                    "warning",
                    f"its pixel is {stated} µm by the file; {spacing_um[0]:g} x {spacing_um[1]:g} was given",
                    "the given one was used (many programs write 72 or 96 dpi as a default)",
                )
            )
    return findings
