"""The one door: any file of any microscope becomes a Surface in micrometres, or a clear refusal."""

from __future__ import annotations

import hashlib
import importlib
import math
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError, ParameterError, ReadError, UnsupportedFormatError
from ballistics.findings import Finding
from ballistics.provenance import Provenance, sha256_of_array
from ballistics.surfaces.formats.content import FileContent
from ballistics.surfaces.formats.grid_layout import exchanged_sizes
from ballistics.surfaces.formats.longtail import LONGTAIL_SUFFIXES
from ballistics.surfaces.formats.point_text import TEXT_SUFFIXES
from ballistics.surfaces.formats.replica_words import stated_replica
from ballistics.surfaces.formats.sentinels import make_sentinels_missing
from ballistics.surfaces.formats.units_guard import UNIT_UM, Units, settle_unit
from ballistics.surfaces.surface import Surface

READER_VERSION = "1"
DEFAULT_HEIGHT_LIMIT_BYTES = 2 << 30

_MAGIC = (
    (b"PK\x03\x04", "X3P", (".x3p",)),
    (b"AliconaImaging\x00", "al3d", (".al3d",)),
    (b"Binary TrueMap Data File v2.0", "TMD", (".tmd",)),
    (b"\x89PNG\r\n\x1a\n", "image", (".png",)),
    (b"\xff\xd8\xff", "image", (".jpg", ".jpeg")),
    (b"BM", "image", (".bmp",)),
    (b"II*\x00", "image", (".tif", ".tiff")),
    (b"MM\x00*", "image", (".tif", ".tiff")),
    (b"DIGITAL SURF", "SUR", (".sur", ".pro")),
    (b"DSCOMPRESSED", "SUR", (".sur", ".pro")),
)


def read(
    path: str | os.PathLike[str],
    *,
    layer: int = 0,
    spacing_um: float | tuple[float, float] | None = None,
    units: Units | None = None,
    height_limit_bytes: int = DEFAULT_HEIGHT_LIMIT_BYTES,
) -> Surface:
    """Read a surface scan of any format as micrometres, with everything odd about it as findings.

    Formats: X3P, Alicona al3d, GelSight TMD, Digital Surf SUR, NanoFocus NMS, text lists of points (.xyz, .txt, .csv,
    .asc, .tsv), 2D images (PNG, TIFF, BMP, JPEG) and, with the extra ``formats`` installed, those of
    SurfaceTopography. The content decides, not the file's name; text and a few formats are known by their suffix.

    Parameters
    ----------
    path : path
        The file.
    layer : int, default 0
        Which layer of a file that holds several, from 0.
    spacing_um : float or (row, column) floats, optional
        Pixel size in µm. Needed for 2D images and for lists of points that state no unit; refused for every other
        format, so that nobody silently overrides what a file says.
    units : {None, "micrometres", "millimetres", "as written"}
        None takes the unit that the format defines, and refuses lengths that no toolmark has.
        ``"micrometres"`` or ``"millimetres"`` take the file's numbers as that unit, and refuse
        likewise. ``"as written"`` takes the format's unit, plausible or not. What was chosen is
        recorded as a serious finding.
    height_limit_bytes : int, default 2 GiB
        Largest size of the heights (8 bytes per point) that a file may declare.

    Returns
    -------
    Surface
        Heights in µm, missing points as quiet NaN, no infinities; spacing, metadata, findings and
        provenance (SHA-256 of the file and of the array).

    Raises
    ------
    ReadError
        `UnsupportedFormatError`, `CorruptFileError`, `HostileFileError` or `UnitsError`: the
        message says what was found and what to do. Nothing is printed, nothing is guessed.
    ParameterError
        A parameter does not fit the file.

    Notes
    -----
    Finding codes, on which scripts may rely:

    - the file was changed or damaged: ``checksum-wrong``, ``checksum-missing``, ``decoder-warning``,
      ``reader-warning``
    - lengths: ``units-overridden``, ``lengths-implausible``, ``heights-tiny``, ``heights-steep``, ``field-small``,
      ``pixel-unit-settled``, ``unit-from-spacing``, ``unit-stated-by-caller``, ``decimal-comma``,
      ``resolution-disagrees``, ``increment-not-applied``, ``increment-negative``
    - layout: ``axis-absolute``, ``grid-irregular``, ``rotation-not-identity``, ``several-layers``,
      ``rows-not-padded``, ``trailing-bytes``, ``orientation-ignored``, ``feature-type-disagrees``,
      ``sizes-exchanged``, ``byte-order-swapped``, ``big-endian``, ``grid-rounded``, ``points-not-listed``
    - turned: ``replica-stated``, ``inverted-stated``, ``replica-flag-default``
    - values: ``signalling-nan``, ``infinite-made-missing``, ``points-marked-missing``, ``sentinel-made-missing``,
      ``value-repeated``, ``position-missing``, ``no-valid-points``, ``colour-to-luminance``, ``grey-as-colour``,
      ``opacity-dropped``, ``lossy-compression``
    - spelling: ``revision-unusual``, ``revision-unknown``, ``revision-missing``, ``root-nested``, ``root-unusual``,
      ``root-not-namespaced``, ``namespace-unusual``, ``names-with-backslash``, ``date-free-text``,
      ``extension-disagrees``
    - extras: ``mask-present``, ``mask-unreadable``, ``mask-size-differs``, ``processing-record``,
      ``processing-record-unreadable``, ``third-party-reader``

    A label mask is ``metadata["mask"]``, uint8 (rows, columns, 3), red-green-blue, aligned with the
    heights; ``metadata["mask_annotations"]`` names its colours.

    References
    ----------
    ISO 25178-72:2017 and Amd 1:2020; ISO 5436-2:2012.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> from ballistics.surfaces.surface import Surface
    >>> from ballistics.surfaces.formats.x3p.writer import write_x3p
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = write_x3p(f"{folder}/flat.x3p", Surface(np.zeros((100, 120)), (5.0, 5.0)))
    ...     surface = read(path)
    >>> surface.heights_um.shape, surface.spacing_um, surface.extent_um
    ((100, 120), (5.0, 5.0), (500.0, 600.0))
    """
    path = Path(path)
    if units is not None and units not in (*UNIT_UM, "as written"):
        raise ParameterError(f"units is {units!r}; use 'micrometres', 'millimetres' or 'as written'")
    if layer < 0 or height_limit_bytes < 8:
        raise ParameterError(f"layer {layer} and height_limit_bytes {height_limit_bytes} must not be negative")
    options = {
        "layer": layer,
        "spacing_um": spacing_um,
        "units": units,
        "height_limit_bytes": height_limit_bytes,
    }
    # Absurd numbers in a file may overflow: they end as infinities, which are refused or made
    # missing, and must not warn on the way.
    with np.errstate(over="ignore", invalid="ignore"):
        try:
            _refuse_special(path)
            with open(path, "rb") as file:
                content, name_findings = _content(file, path, layer, spacing_um, units, height_limit_bytes)
                file.seek(0)  # of what was read, even if another file has taken the name meanwhile
                file_hash = hashlib.file_digest(file, "sha256").hexdigest()
            return _surface(content, units, name_findings, file_hash, options | {"format": content.format})
        except ReadError as error:
            raise type(error)(f"{path}: {error}") from error
        except OSError as error:
            raise ReadError(f"{path}: cannot be opened: {error.strerror or error}") from error
        except MemoryError as error:
            raise ReadError(f"{path}: this machine has not enough free memory for the file") from error


def _refuse_special(path: Path) -> None:
    """Refuse what is not a regular file: opening a pipe or a device could wait for ever."""
    try:
        mode = path.stat().st_mode
    except ValueError as error:
        raise ReadError(f"not a usable file name: {error}") from error
    if stat.S_ISDIR(mode):
        raise ReadError("is a folder; give a file, or use `ballistics inspect` for a folder")
    if not stat.S_ISREG(mode):
        raise ReadError("is not a regular file")


def _content(
    file: BinaryIO,
    path: Path,
    layer: int,
    spacing_um: float | tuple[float, float] | None,
    units: Units | None,
    height_limit_bytes: int,
) -> tuple[FileContent, list[Finding]]:
    """Choose the reader by the file's first bytes and let it read."""
    name, suffixes = _format_of(file)
    suffix = path.suffix.lower()
    named = _name_findings(name, suffix, suffixes) if name else []
    options: dict[str, Any] = {"layer": layer, "height_limit_bytes": height_limit_bytes}
    if name == "image":
        if units is not None:
            raise ParameterError("units does not apply to images: they hold no lengths")
        return _reader("images", "read_image")(file, spacing_um=_spacing_pair(spacing_um), **options), named
    if name is None and _is_point_text(file, suffix):
        pair = None if spacing_um is None else _spacing_pair(spacing_um)
        return _reader("point_text", "read_point_text")(file, spacing_um=pair, units=units, **options), []
    longtail = name is None or (name == "X3P" and suffix == ".plux")  # Sensofar's plux is a zip archive too
    if spacing_um is not None and (not longtail or suffix in LONGTAIL_SUFFIXES or suffix == ".nms"):
        raise ParameterError(f"{path}: spacing_um is for images and lists of points; this file states its own spacing")
    if name is None and suffix == ".nms":  # it has no first bytes of its own
        return _reader("nms", "read_nms")(file, **options), []
    if longtail:
        return _reader("longtail", "read_longtail")(file, suffix=suffix, **options), []
    module, function = {
        "X3P": ("x3p.reader", "read_x3p"),
        "al3d": ("al3d", "read_al3d"),
        "TMD": ("tmd", "read_tmd"),
        "SUR": ("digital_surf", "read_digital_surf"),
    }[str(name)]
    return _reader(module, function)(file, **options), named


def is_image(path: str | os.PathLike[str]) -> bool:
    """Whether a file's first bytes are those of a 2D image; False when it cannot be opened."""
    try:
        _refuse_special(Path(path))
        with open(path, "rb") as file:
            return _format_of(file)[0] == "image"
    except (ReadError, OSError):
        return False


def is_point_text(path: str | os.PathLike[str]) -> bool:
    """Whether a file would be read as a text list of points; False when it cannot be opened."""
    try:
        _refuse_special(Path(path))
        with open(path, "rb") as file:
            return _format_of(file)[0] is None and _is_point_text(file, Path(path).suffix.lower())
    except (ReadError, OSError):
        return False


def _is_point_text(file: BinaryIO, suffix: str) -> bool:
    """Whether the suffix is one of lists of points; ``.dat`` is one of Zygo's as well, and those are not text."""
    head = file.read(64)
    file.seek(0)
    return suffix in TEXT_SUFFIXES or (suffix == ".dat" and head != b"" and min(head) >= 9)


def _format_of(file: BinaryIO) -> tuple[str | None, tuple[str, ...]]:
    """Return the format that the first bytes tell, and its usual suffixes."""
    head = file.read(64)
    file.seek(0)
    return next(((name, suffixes) for magic, name, suffixes in _MAGIC if head.startswith(magic)), (None, ()))


def _reader(module: str, function: str) -> Any:
    """Import a format's reader only when a file of that format comes."""
    return getattr(importlib.import_module(f"ballistics.surfaces.formats.{module}"), function)


def _name_findings(name: str, suffix: str, suffixes: tuple[str, ...]) -> list[Finding]:
    if suffix in suffixes:
        return []
    return [
        Finding(
            "extension-disagrees",
            "note",
            f"a file named {suffix or 'without extension'!r} holds {name}",
            "the content decides",
        )
    ]


def _spacing_pair(spacing_um: float | tuple[float, float] | None) -> tuple[float, float]:
    if spacing_um is None:
        raise UnsupportedFormatError("a 2D image does not state its pixel size; give it as spacing_um (µm per pixel)")
    pair = spacing_um if isinstance(spacing_um, tuple) else (spacing_um, spacing_um)
    if len(pair) != 2 or not all(math.isfinite(s) and s > 0 for s in pair):
        raise ParameterError(f"spacing_um is {spacing_um!r}; give one or two (row, column) positive lengths in µm")
    return float(pair[0]), float(pair[1])


def _surface(
    content: FileContent,
    units: Units | None,
    name_findings: list[Finding],
    file_hash: str,
    options: dict[str, Any],
) -> Surface:
    """Make missing points quiet, settle the unit, convert, and record how it came to be."""
    _refuse_no_length(content)
    heights, value_findings = _quiet(content)
    content = replace(content, values=heights)
    if content.kind != "reflectance":
        value_findings += make_sentinels_missing(heights, content.unit_um)
    if content.kind == "topography":
        value_findings += exchanged_sizes(heights)
    unit_um, unit_findings = settle_unit(content, units)
    if content.coordinates is None and not all(math.isfinite(step * unit_um) for step in content.spacing):
        raise CorruptFileError(f"the spacing is {content.spacing}: not a length")
    if content.kind != "reflectance":
        heights *= unit_um
    heights[np.isinf(heights)] = np.nan
    if np.isnan(heights).all():
        value_findings.append(Finding("no-valid-points", "serious", "every point of the file is missing", "nothing"))
    coordinates = None
    if content.coordinates is not None:
        coordinates = content.coordinates * unit_um
        absent = ~np.isfinite(coordinates)
        coordinates[absent] = np.nan
        lost = int((absent.any(axis=-1) & np.isfinite(heights)).sum())
        if lost:
            message = f"{lost} points with a height have no finite position"
            value_findings.append(Finding("position-missing", "warning", message, "their position is missing"))
    metadata = {"format": content.format, **content.metadata}
    if "offset_in_file_units" in metadata:
        offset = metadata.pop("offset_in_file_units")
        metadata["offset_um"] = (offset[0] * unit_um, offset[1] * unit_um)
    return Surface(
        heights_um=heights,
        spacing_um=(content.spacing[0] * unit_um, content.spacing[1] * unit_um),
        kind=content.kind,
        coordinates_um=coordinates,
        metadata=metadata,
        findings=(*content.findings, *name_findings, *value_findings, *unit_findings, *stated_replica(metadata)),
        provenance=Provenance(
            method=f"read {content.format}",
            version=READER_VERSION,
            parameters=options,
            inputs={"file": file_hash, "array": sha256_of_array(heights)},
        ),
    )


def _refuse_no_length(content: FileContent) -> None:
    """Refuse a spacing that is no length where the points need one; an axis with a single position needs none."""
    if content.kind == "points" and content.coordinates is not None:
        known = content.coordinates[np.isfinite(content.coordinates).all(axis=-1)]
        if len(known) and not np.isfinite(np.ptp(known, axis=0) * content.unit_um).all():
            raise CorruptFileError("the positions of its points are not lengths; export the scan again")
        return
    for count, step, name in zip(content.values.shape, content.spacing, ("rows", "columns"), strict=True):
        if math.isinf(step) or (count > 1 and not step > 0):
            raise CorruptFileError(f"the distance between its {name} is {step}: not a length; export the scan again")


def _quiet(content: FileContent) -> tuple[NDArray[np.float64], list[Finding]]:
    """Return heights in file units with every missing point a quiet NaN, and what had to be changed for it."""
    values = content.values
    findings = []
    heights = values.astype(np.float64)
    missing = ~np.isfinite(heights)
    count = int(np.count_nonzero(missing))
    if count:
        # Compiled code may treat a signalling NaN as a number: numpy's nanmin is one such case.
        signalling = _signalling(values)
        infinite = count - int(np.count_nonzero(heights != heights))
        heights[missing] = np.nan
        if signalling:
            findings.append(
                Finding("signalling-nan", "note", f"{signalling} points are signalling NaN", "made quiet NaN")
            )
        if infinite:
            findings.append(
                Finding("infinite-made-missing", "warning", f"{infinite} points are infinite", "made missing")
            )
    return heights, findings


def _signalling(values: NDArray[Any]) -> int:
    """Count the signalling NaNs among floating-point values (quiet bit clear, payload not empty)."""
    if values.dtype.kind != "f" or values.dtype.itemsize not in (4, 8):
        return 0
    wide = values.dtype.itemsize == 8
    bits: NDArray[Any] = np.ascontiguousarray(values).view(np.uint64 if wide else np.uint32)
    quiet = bits.dtype.type(1 << 51 if wide else 1 << 22)
    return int(np.count_nonzero(np.isnan(values) & ((bits & quiet) == 0)))
