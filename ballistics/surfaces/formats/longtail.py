"""Reads the long tail of microscope formats through SurfaceTopography (extra ``formats``)."""

from __future__ import annotations

import importlib
import importlib.metadata
import warnings
from typing import Any, BinaryIO

import numpy as np

from ballistics.errors import CorruptFileError, ReadError, UnsupportedFormatError
from ballistics.files import check_grid, file_size
from ballistics.findings import Finding, Severity
from ballistics.surfaces.formats.content import FileContent
from ballistics.surfaces.formats.length_units import unit_um as length_in_um

# Suffix -> SurfaceTopography's reader class and module. Surface-measuring instruments only; the
# suffix decides, because trying forty readers on an unknown file is a guess, and slow.
_READERS = {
    ".apx": ("PLU", "PLUReader"),
    ".bcr": ("BCR", "BCRReader"),
    ".bcrf": ("BCR", "BCRReader"),
    ".dat": ("MetroPro", "MetroProReader"),
    ".datx": ("DATX", "DATXReader"),
    ".frt": ("FRT", "FRTReader"),
    ".gwy": ("GWY", "GWYReader"),
    ".lext": ("LEXT", "LEXTReader"),
    ".mnt": ("MNT", "MNTReader"),
    ".oir": ("OIR", "OIRReader"),
    ".opd": ("OPD", "OPDReader"),
    ".opdx": ("OPDx", "OPDxReader"),
    ".os3d": ("OS3D", "OS3DReader"),
    ".plu": ("PLU", "PLUReader"),
    ".plux": ("PLUX", "PLUXReader"),
    ".poir": ("OIR", "POIRReader"),
    ".sdf": ("SDF", "SDFReader"),
    ".vk3": ("VK", "VKReader"),
    ".vk4": ("VK", "VKReader"),
    ".vk6": ("VK", "VKReader"),
    ".vk7": ("VK", "VKReader"),
    ".zmg": ("ZMG", "ZMGReader"),
    ".zon": ("ZON", "ZONReader"),
}
LONGTAIL_SUFFIXES = frozenset(_READERS)


def read_longtail(file: BinaryIO, *, suffix: str, layer: int, height_limit_bytes: int) -> FileContent:
    """Read the height channel of a file by SurfaceTopography's reader for its suffix.

    Parameters
    ----------
    file : binary file
        Open and seekable, at its start.
    suffix : str
        Of the file's name, in small letters and with its dot; it decides which reader is used.
    layer : int
        Which of the file's height channels, from 0.
    height_limit_bytes : int
        Largest size of the file in bytes, and of its heights as float64.

    Returns
    -------
    FileContent
        Heights and spacing in the unit that the file states; ``unit_um`` says which.

    Raises
    ------
    UnsupportedFormatError
        No reader for this suffix, the extra is not installed, or the file states no unit.
    CorruptFileError
        The reader failed.
    """
    if suffix not in _READERS:
        raise UnsupportedFormatError(
            f"neither the content nor the suffix {suffix!r} is of a known format; "
            "export the scan as X3P from the microscope's software"
        )
    if file_size(file) > height_limit_bytes:
        raise UnsupportedFormatError(f"the file is larger than {height_limit_bytes} bytes; raise height_limit_bytes")
    module, name = _READERS[suffix]
    reader_class = _reader_class(module, name, suffix)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            return _content(reader_class(file), suffix, layer, height_limit_bytes, caught)
        except ReadError:
            raise
        except Exception as error:  # a third party's reader may raise anything on a damaged file
            raise CorruptFileError(f"SurfaceTopography cannot read it: {type(error).__name__}: {error}") from error


def _reader_class(module: str, name: str, suffix: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about absent MPI, when imported
        try:
            return getattr(importlib.import_module(f"SurfaceTopography.IO.{module}"), name)
        except ImportError as error:
            raise UnsupportedFormatError(
                f"reading {suffix} needs the extra 'formats': pip install 'ballistics[formats]'"
            ) from error


def _content(
    reader: Any, suffix: str, layer: int, height_limit_bytes: int, caught: list[warnings.WarningMessage]
) -> FileContent:
    heights_of = [channel for channel in reader.channels if channel.dim == 2 and channel.is_height_channel]
    if not heights_of:
        raise UnsupportedFormatError("the file holds no height map")
    if not 0 <= layer < len(heights_of):
        raise UnsupportedFormatError(f"layer {layer} was asked for; the file has {len(heights_of)}")
    channel = heights_of[layer]
    columns, rows = channel.nb_grid_pts
    check_grid(int(rows), int(columns), layer=0, height_limit_bytes=height_limit_bytes)
    unit_um = length_in_um(channel.unit)
    if unit_um is None or channel.physical_sizes is None:
        raise UnsupportedFormatError(
            f"the file's unit is {channel.unit!r}, its size {channel.physical_sizes}; export it as X3P"
        )
    topography = channel.topography()
    values = np.ma.filled(np.ma.asarray(topography.heights()).astype(np.float64), np.nan).T
    size_x, size_y = topography.physical_sizes
    findings = [_finding("third-party-reader", "note", "read by SurfaceTopography", "nothing")]
    findings += [_finding("reader-warning", "warning", str(w.message), "nothing") for w in caught]
    if len(heights_of) > 1:
        findings.append(
            _finding("several-layers", "warning", f"{len(heights_of)} height channels", f"channel {layer} was read")
        )
    return FileContent(
        format=suffix.removeprefix("."),
        values=np.ascontiguousarray(values),
        spacing=(float(size_y) / rows, float(size_x) / columns),
        unit_um=unit_um,
        metadata={"channel": str(channel.name), "reader": importlib.metadata.version("SurfaceTopography")},
        findings=tuple(findings),
    )


def _finding(code: str, severity: Severity, message: str, action: str) -> Finding:
    return Finding(code, severity, message[:500], action)
