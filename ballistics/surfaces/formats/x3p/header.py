"""What main.xml of an X3P file declares: axes, dimensions, links and words, checked one by one."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from ballistics.errors import CorruptFileError, UnsupportedFormatError
from ballistics.findings import Finding
from ballistics.surfaces.formats.x3p.document import Element, declared_points, whole_number

# ISO 5436-2:2012 and ISO 25178-72:2017/Amd 1:2020, as their schemas spell them.
_ROOT = "ISO5436_2"
_OTHER_ROOTS = ("ISO5436_2", "ISO5436", "ISO5436-2", "ISO_5436_2", "ISO54362")
_NAMESPACES = ("http://www.opengps.eu/2008/ISO5436_2", "http://www.opengps.eu/xsd/ISO5436_2")
STANDARD_REVISIONS = ("ISO5436 - 2000", "ISO25178-72:2017/DAM1")
DATA_TYPES: dict[str | None, np.dtype[Any]] = {
    "I": np.dtype("<i2"),
    "L": np.dtype("<i4"),
    "F": np.dtype("<f4"),
    "D": np.dtype("<f8"),
}
_DATE = re.compile(r"-?\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")
_MAX_TEXT = 10_000


@dataclass(frozen=True)
class Axis:
    """One axis: incremental (position times increment) or absolute (listed), in metres."""

    name: str
    absolute: bool
    dtype: np.dtype[Any]
    increment: float
    offset: float


@dataclass(frozen=True)
class Header:
    """Everything that main.xml declares about the data, checked; lengths in metres."""

    feature: str
    axes: tuple[Axis, Axis, Axis]
    shape: tuple[int, int, int] | None
    """Layers, rows, columns; None for a list of points."""
    count: int
    data_link: str | None
    data_md5: str | None
    valid_link: str | None
    valid_md5: str | None
    checksum_file: str
    metadata: dict[str, Any]
    findings: tuple[Finding, ...]

    @property
    def stored_axes(self) -> tuple[Axis, ...]:
        """The axes whose numbers are in the data, in their order; the heights come last."""
        return tuple(axis for axis in self.axes if axis.absolute)


def read_header(root: Element) -> Header:
    """Check main.xml and return what it declares.

    Raises
    ------
    UnsupportedFormatError
        Another document, feature type or data type than X3P defines.
    CorruptFileError
        A declaration is missing or contradicts another.
    """
    findings = _root_findings(root)
    record1, record3 = root.find("Record1"), root.find("Record3")
    if record1 is None or record3 is None:
        raise CorruptFileError("main.xml has no Record1 or no Record3: axes or dimensions are missing")
    findings += _revision_findings(record1.get("Revision"))
    axes = (_axis(record1, "CX"), _axis(record1, "CY"), _axis(record1, "CZ"))
    findings += _axis_findings(axes) + _rotation_findings(record1)
    feature, shape, count = _dimensions(record1, record3, findings)
    if shape is None and not (axes[0].absolute and axes[1].absolute):
        raise CorruptFileError("a list of points needs absolute x and y axes; this file's are incremental")
    link = record3.find("DataLink")
    if link is None and record3.find("DataList") is None:
        raise CorruptFileError("Record3 has neither a DataLink nor a DataList: the file holds no data")
    metadata, text_findings = _words(root)
    return Header(
        feature=feature,
        axes=axes,
        shape=shape,
        count=count,
        data_link=_link(link, "PointDataLink", needed=True) if link else None,
        data_md5=link.get("MD5ChecksumPointData") if link else None,
        valid_link=_link(link, "ValidPointsLink", needed=False) if link else None,
        valid_md5=link.get("MD5ChecksumValidPoints") if link else None,
        checksum_file=_path(root.get("Record4/ChecksumFile") or "md5checksum.hex"),
        metadata=metadata,
        findings=(*findings, *text_findings),
    )


def _root_findings(root: Element) -> list[Finding]:
    findings = []
    if root.name != _ROOT:
        # x3p.js, and with it FiX3P, writes ISO5436; whatever else is in the file then follows the standard.
        if root.name.upper() not in _OTHER_ROOTS:
            raise UnsupportedFormatError(
                f"the root element of main.xml is {root.name[:80]!r}, not '{_ROOT}': not an X3P file"
            )
        findings.append(
            Finding(
                "root-unusual", "warning", f"the root element is {root.name!r}, not '{_ROOT}'", "read as an X3P file"
            )
        )
    if not root.namespace:
        findings.append(Finding("root-not-namespaced", "note", "the root element has no namespace", "accepted"))
    elif root.namespace.rstrip("/") not in _NAMESPACES:
        findings.append(
            Finding(
                "namespace-unusual", "note", f"the root element's namespace is {root.namespace[:120]!r}", "accepted"
            )
        )
    return findings


def _revision_findings(text: str | None) -> list[Finding]:
    if text is None:
        return [Finding("revision-missing", "note", "main.xml names no revision", "read as ISO5436 - 2000")]
    if text in STANDARD_REVISIONS:
        return []

    def bare(revision: str) -> str:
        return re.sub(r"[\s\-‐-―−]", "", revision).upper()

    if bare(text) in {bare(r) for r in STANDARD_REVISIONS}:
        return [Finding("revision-unusual", "note", f"revision written as {text[:80]!r}", "read as the standard one")]
    return [Finding("revision-unknown", "warning", f"unknown revision {text[:80]!r}", "read as ISO5436 - 2000")]


def _axis(record1: Element, name: str) -> Axis:
    element = record1.find(f"Axes/{name}")
    if element is None:
        raise CorruptFileError(f"Record1/Axes/{name} is missing")
    kind = element.get("AxisType")
    if kind not in ("I", "A"):
        raise UnsupportedFormatError(f"{name}/AxisType is {kind!r}; X3P defines I and A")
    if name == "CZ" and kind == "I":
        raise UnsupportedFormatError("CZ/AxisType is 'I': heights must be listed (A)")
    code = element.get("DataType") or ("D" if kind == "I" else None)
    if code not in DATA_TYPES:
        raise UnsupportedFormatError(f"{name}/DataType is {code!r}; X3P defines I, L, F and D")
    increment = _number(element.get("Increment"), 1.0, f"{name}/Increment")
    if increment == 0 or (kind == "I" and element.get("Increment") is None):
        raise CorruptFileError(f"{name}/Increment is {element.get('Increment')!r}; a length in metres is needed")
    return Axis(name, kind == "A", DATA_TYPES[code], increment, _number(element.get("Offset"), 0.0, f"{name}/Offset"))


def _number(text: str | None, default: float, where: str) -> float:
    if text is None:
        return default
    try:
        value = float(text) if len(text) < 100 else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise CorruptFileError(f"{where} is {text[:60]!r}, not a number")
    return value


def _axis_findings(axes: tuple[Axis, ...]) -> list[Finding]:
    findings = []
    for axis in axes:
        if axis.increment < 0 and not axis.absolute:
            findings.append(
                Finding(
                    "increment-negative",
                    "serious",
                    f"{axis.name}/Increment is {axis.increment:g}: the axis runs backwards",
                    "the sign was ignored; the surface may be mirrored",
                )
            )
        # The schema defines the increment for incremental axes and integer data only. Readers
        # differ on floating-point axes: x3pio multiplies, x3ptools and Verity do not.
        if axis.absolute and axis.dtype.kind == "f" and axis.increment != 1:
            findings.append(
                Finding(
                    "increment-not-applied",
                    "warning",
                    f"{axis.name} lists floating-point values and also has the increment {axis.increment:g}, "
                    "which the standard defines for integers only",
                    "not applied",
                )
            )
    return findings


def _rotation_findings(record1: Element) -> list[Finding]:
    rotation = record1.find("Axes/Rotation")
    if rotation is None:
        return []
    for row in range(1, 4):
        for column in range(1, 4):
            name = f"r{row}{column}"
            value = _number(rotation.get(name), float(row == column), f"Rotation/{name}")
            if abs(value - (row == column)) > 1e-9:
                return [
                    Finding(
                        "rotation-not-identity",
                        "warning",
                        "the file rotates its axes (Rotation)",
                        "not applied",
                    )
                ]
    return []


def _dimensions(
    record1: Element, record3: Element, findings: list[Finding]
) -> tuple[str, tuple[int, int, int] | None, int]:
    """Return feature type, shape (layers, rows, columns) or None for a list, and number of points."""
    feature = record1.get("FeatureType")
    if feature not in ("SUR", "PRF", "PCL"):
        raise UnsupportedFormatError(f"FeatureType is {feature!r}; X3P defines SUR, PRF and PCL")
    count = declared_points(record3)
    if count is None:
        raise CorruptFileError("Record3 declares neither MatrixDimension nor ListDimension")
    matrix = record3.find("MatrixDimension")
    if matrix is None:
        fits, shape = feature == "PCL", None
    else:
        columns, rows, layers = (whole_number(matrix.get(n), n) for n in ("SizeX", "SizeY", "SizeZ"))
        shape = (layers, rows, columns)
        fits = feature == "SUR" or (feature == "PRF" and rows == 1)
    if not fits:
        size = f"{shape[1]} x {shape[2]} points" if shape else "a list of points"
        findings.append(
            Finding("feature-type-disagrees", "warning", f"feature type {feature} with {size}", "the data decide")
        )
        feature = "PCL" if shape is None else "SUR"
    return feature, shape, count


def _path(text: str) -> str:
    """Return a link as a member name; one that leaves the archive can match no member."""
    return text.strip().replace("\\", "/").removeprefix("./").removeprefix("/")


def _link(link: Element, name: str, *, needed: bool) -> str | None:
    text = link.get(name)
    if text is None:
        if needed:
            raise CorruptFileError(f"DataLink/{name} is missing or empty")
        return None
    if ".." in text.split("/") or "://" in text:
        raise CorruptFileError(f"DataLink/{name} is {text[:80]!r}, which is not inside the archive")
    return _path(text)


_WORDS = {
    "revision": "Record1/Revision",
    "feature_type": "Record1/FeatureType",
    "axes_origin": "Record1/Axes/Origin",
    "date": "Record2/Date",
    "creator": "Record2/Creator",
    "instrument_manufacturer": "Record2/Instrument/Manufacturer",
    "instrument_model": "Record2/Instrument/Model",
    "instrument_serial": "Record2/Instrument/Serial",
    "instrument_version": "Record2/Instrument/Version",
    "calibration_date": "Record2/CalibrationDate",
    "probing_type": "Record2/ProbingSystem/Type",
    "probing_identification": "Record2/ProbingSystem/Identification",
    "comment": "Record2/Comment",
}


def _words(root: Element) -> tuple[dict[str, Any], list[Finding]]:
    """Return the free text of the file, as text, and findings about dates that are none."""
    words: dict[str, Any] = {}
    findings = []
    for key, path in _WORDS.items():
        text = root.get(path)
        if text is not None:
            words[key] = text[:_MAX_TEXT]
    for key in ("date", "calibration_date"):
        if key in words and not _DATE.fullmatch(words[key]):
            findings.append(Finding("date-free-text", "note", f"{_WORDS[key]} is {words[key][:60]!r}", "kept as text"))
    vendors = tuple(child.text.strip()[:_MAX_TEXT] for child in root.children if child.name == "VendorSpecificID")
    if vendors:
        words["vendor_ids"] = vendors
    return words, findings
