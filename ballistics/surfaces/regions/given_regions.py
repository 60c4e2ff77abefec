"""Regions given by the user: a mask image, a polygon, or a label of the mask that the file carries."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError, ParameterError, ReadError
from ballistics.files import load_json
from ballistics.surfaces.regions.masks import given_mask
from ballistics.surfaces.surface import Surface

_PNG = b"\x89PNG\r\n\x1a\n"
_MOST_BYTES = 256 << 20
_MOST_LABELS = 64
_MOST_CORNERS = 100_000
_SHIFT = 8  # corners are placed to 1/256 of a point


@dataclass(frozen=True, eq=False)
class GivenRegion:
    """A region, and where it comes from.

    Parameters
    ----------
    mask : ndarray of bool
        On the surface's grid.
    source : str
        For the record: "mask face.png", "polygon face.json", "label 'breech face' of the file".
    """

    mask: NDArray[np.bool_]
    source: str


def is_file_name(text: str) -> bool:
    """Return whether a region is named by a file, and not by a label of the scan."""
    return Path(text).suffix.lower() in (".png", ".json")


def region_of(surface: Surface, text: str, folder: Path | None = None) -> GivenRegion:
    """Return the region that a text means on a surface.

    Parameters
    ----------
    surface : Surface
    text : str
        A mask image (``.png``, as many pixels as the scan has points, two colours of which the lighter is inside); a
        polygon (``.json``: ``{"unit": "µm" or "points", "outlines": [[[x, y], …], …], "holes": [[[x, y], …], …]}``, x
        to the right and y down from the centre of the scan's first point); or a label of the mask inside the scan:
        its name, colour (``#rrggbb``) or number.
    folder : Path, optional
        From which file names are counted; the working folder by default.

    Raises
    ------
    ReadError, CorruptFileError
        When a file cannot be read or is no mask or polygon.
    ParameterError
        When the region does not fit the scan, or has no point on it.
    """
    if not is_file_name(text):
        labels = surface.metadata.get("mask")
        number = text.isascii() and text.isdigit() and labels is not None and np.ndim(labels) == 2
        return GivenRegion(given_mask(surface, int(text) if number else text), f"label {text!r} of the file")
    path = (folder or Path()) / text
    if path.suffix.lower() == ".png":
        return GivenRegion(given_mask(surface, _image_mask(surface, path)), f"mask {path.name}")
    return GivenRegion(given_mask(surface, _polygon_mask(surface, path)), f"polygon {path.name}")


@dataclass(frozen=True, eq=False)
class FileRegion:
    """A label of the mask inside a file: its name (or colour, or number), and where it is."""

    name: str
    mask: NDArray[np.bool_]


def regions_in_file(surface: Surface) -> tuple[FileRegion, ...]:
    """Return the labels of the mask inside a file, without its background.

    The background is the colour that the file names as such, else the commonest along the frame.

    Examples
    --------
    >>> mask = np.zeros((9, 9, 3), np.uint8)
    >>> mask[3:6, 3:6] = 255
    >>> [label.name for label in regions_in_file(Surface(np.zeros((9, 9)), (5.0, 5.0), metadata={"mask": mask}))]
    ['#ffffff']
    """
    labels = np.asarray(surface.metadata.get("mask", ()))
    if labels.shape[:2] != surface.heights_um.shape or not labels.size:
        return ()
    codes = labels.astype(np.int64)
    if labels.ndim == 3:
        codes = (codes[:, :, 0] << 16) | (codes[:, :, 1] << 8) | codes[:, :, 2]
    stated = str(surface.metadata.get("mask_background", "")).removeprefix("#")
    if labels.ndim == 3 and len(stated) == 6 and all(digit in "0123456789abcdef" for digit in stated):
        background = int(stated, 16)
    else:
        frame, counts = np.unique(np.concatenate([codes[0], codes[-1], codes[:, 0], codes[:, -1]]), return_counts=True)
        background = int(frame[np.argmax(counts)])
    annotated = dict(surface.metadata.get("mask_annotations", {}))
    present = [int(code) for code in np.unique(codes) if int(code) != background]
    if len(present) > _MOST_LABELS:
        return ()  # a picture, or an image that was smoothed: no labels
    colours = {code: f"#{code:06x}" if labels.ndim == 3 else str(code) for code in present}
    return tuple(FileRegion(str(annotated.get(colour) or colour), codes == code) for code, colour in colours.items())


def _image_mask(surface: Surface, path: Path) -> NDArray[np.bool_]:
    from ballistics.surfaces.formats.decoding import decode_image
    from ballistics.surfaces.formats.image_header import read_image_header

    try:
        with open(path, "rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        raise ReadError(f"the region {path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if not data.startswith(_PNG) or len(data) > _MOST_BYTES:
        raise CorruptFileError(f"the region {path} is not a PNG image")
    rows, columns = surface.heights_um.shape
    try:
        header = read_image_header(data)  # before the decoder allocates what it claims
        if (header.rows, header.columns) != (rows, columns):
            raise ParameterError(
                f"the region {path} has {header.rows} × {header.columns} pixels, the scan {rows} × {columns} points "
                "(rows × columns); they must agree: draw the mask on the scan as it is, not on a resized picture"
            )
        pixels, complaint = decode_image(data)
    except CorruptFileError as error:
        raise CorruptFileError(f"the region {path} is not a readable PNG image: {error}") from error
    if complaint:
        raise CorruptFileError(f"the region {path} is not a readable PNG image: {complaint}")
    bands = np.atleast_3d(pixels).astype(np.int64)
    # A picture with transparency only is a mask too; else what is transparent plays no part.
    if bands.shape[2] == 4 and len(np.unique(bands[:, :, :3].reshape(-1, 3), axis=0)) > 1:
        bands = bands[:, :, :3]
    light = bands.sum(axis=2)
    tones = np.unique(light)
    if len(tones) != 2:
        found = "one tone" if len(tones) == 1 else f"{len(tones)} tones"
        raise ParameterError(
            f"the region {path} has {found}; a mask has two, of which the lighter is inside: save it without smoothing"
        )
    return np.asarray(light == tones[1])


def _polygon_mask(surface: Surface, path: Path) -> NDArray[np.bool_]:
    import cv2

    content = load_json(path, "a polygon", most_bytes=_MOST_BYTES)
    known = {"unit", "outlines", "holes"}
    if not isinstance(content, dict) or not {"unit", "outlines"} <= set(content) <= known:
        raise CorruptFileError(f"the region {path} must have 'unit' and 'outlines', and may have 'holes'")
    if content["unit"] not in ("µm", "um", "μm", "points"):
        raise CorruptFileError(f"the region {path}: 'unit' is {str(content['unit'])[:40]!r}; use 'µm' or 'points'")
    step = (1.0, 1.0) if content["unit"] == "points" else (surface.spacing_um[1], surface.spacing_um[0])
    mask = np.zeros(surface.heights_um.shape, np.uint8)
    for name, value in (("outlines", 1), ("holes", 0)):
        for corners in _polygons(content.get(name, []), name, path):
            at = np.clip(np.round(corners / np.array(step) * (1 << _SHIFT)), -(1 << 29), 1 << 29).astype(np.int32)
            cv2.fillPoly(mask, [at.reshape(-1, 1, 2)], value, shift=_SHIFT)
    if not mask.any():
        raise ParameterError(f"the region {path} has no point of the scan in it: are its unit and place right?")
    return np.asarray(mask.astype(bool))


def _polygons(content: Any, name: str, path: Path) -> list[NDArray[np.float64]]:
    fault = f"the region {path}: '{name}' must be a list of polygons, each a list of three or more corners [x, y]"
    if not isinstance(content, list):
        raise CorruptFileError(fault)
    polygons = []
    for polygon in content:
        if not isinstance(polygon, list) or not 3 <= len(polygon) <= _MOST_CORNERS:
            raise CorruptFileError(fault)
        for corner in polygon:
            numbers = isinstance(corner, list) and all(type(n) in (int, float) for n in corner)
            if not numbers or len(corner) != 2:
                raise CorruptFileError(fault)
        polygons.append(np.array(polygon, dtype=np.float64))
        if not np.isfinite(polygons[-1]).all():
            raise CorruptFileError(fault)
    return polygons
