"""Masks of regions that the user gives: as text, or by the colour or label of the mask that a file carries."""

from __future__ import annotations

import base64
import binascii
import zlib

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import ParameterError
from ballistics.surfaces.surface import Surface


def encode_mask(mask: NDArray[np.bool_]) -> str:
    """Return a mask as text (packed bits, zlib, base64), so that a step that carries it fits in JSON.

    Examples
    --------
    >>> mask = np.eye(3, dtype=bool)
    >>> bool((decode_mask(encode_mask(mask), (3, 3)) == mask).all())
    True
    """
    return base64.b64encode(zlib.compress(np.packbits(mask).tobytes(), 9)).decode("ascii")


def decode_mask(text: str, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return the mask of a text made by `encode_mask`.

    Raises
    ------
    ParameterError
        If the text is not such a mask, or not one of this shape.
    """
    size = int(np.prod(shape))
    expected = (size + 7) // 8
    try:
        # One byte more than fits is enough to see that it does not: no bomb can unpack.
        packed = zlib.decompressobj().decompress(base64.b64decode(text, validate=True), expected + 1)
    except (binascii.Error, zlib.error, ValueError, TypeError, AttributeError) as error:
        raise ParameterError("the mask of step 'find region' cannot be decoded; use encode_mask") from error
    if len(packed) != expected:
        raise ParameterError(f"the mask of step 'find region' does not have the surface's shape {shape}")
    bits = np.unpackbits(np.frombuffer(packed, dtype=np.uint8), count=size)
    return bits.astype(bool).reshape(shape)


def given_mask(surface: Surface, region: NDArray[np.bool_] | str | int) -> NDArray[np.bool_]:
    """Return the mask that a caller means by an array, an annotation's name, a colour or a label.

    Parameters
    ----------
    surface : Surface
    region : ndarray of bool, or str, or int
        A mask on the surface's grid; or the name or colour (``"#rrggbb"``) of an annotation in the
        mask that the file carries (``metadata["mask"]``); or the value in it, if it is a label map.

    Raises
    ------
    ParameterError
        If the mask does not fit the surface, is empty, or is not in the file.
    """
    shape = surface.heights_um.shape
    if isinstance(region, str) or (isinstance(region, int) and not isinstance(region, bool)):
        mask = _from_file(surface, region)
    else:
        mask = np.asarray(region)
        if mask.dtype != np.bool_:
            raise ParameterError(f"the region is an array of {mask.dtype}; give one of bool, True inside")
    if mask.shape != shape:
        raise ParameterError(f"the region has the shape {mask.shape}, the surface {shape}; they must agree")
    if not mask.any():
        raise ParameterError("the region given is empty: no point of it is True")
    return np.asarray(mask)


def _from_file(surface: Surface, region: str | int) -> NDArray[np.bool_]:
    labels = surface.metadata.get("mask")
    if labels is None:
        raise ParameterError(f"the region {region!r} was asked for, but the file carries no label mask")
    labels = np.asarray(labels)
    if isinstance(region, int):
        if labels.ndim != 2:
            raise ParameterError(
                f"the file's mask is an image in colours; name a colour or annotation instead of {region}"
            )
        return np.asarray(labels == region)
    names = dict(surface.metadata.get("mask_annotations", {}))
    by_name = {str(name): str(colour) for colour, name in names.items()}
    colour = by_name.get(region, region).lower()
    digits = colour.removeprefix("#")
    if labels.ndim != 3 or len(digits) != 6 or any(d not in "0123456789abcdef" for d in digits):
        known = ", ".join(sorted(by_name)) or "none"
        raise ParameterError(
            f"the file's mask has no annotation {region!r} (it names: {known}); give a name or a colour #rrggbb"
        )
    value = np.frombuffer(bytes.fromhex(digits), dtype=np.uint8)
    return np.asarray((labels[:, :, :3] == value).all(axis=2))
