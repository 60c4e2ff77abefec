"""Reads text lists of points (x, y, z in columns; of a profile x and z) on a regular grid, in any order of points.

Such files state no unit, or state it in a line of words above the numbers. What is not stated there is taken from
the spacing that the caller states: a step of 0.003125 in a list whose spacing is 3.125 µm is written in millimetres.
Columns ascend with x and rows with y, as in an X3P file, so that two exports of one surface are never mirror images.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError, HostileFileError, ParameterError, UnsupportedFormatError
from ballistics.files import check_grid, file_size
from ballistics.findings import Finding
from ballistics.surfaces.formats.content import FileContent
from ballistics.surfaces.formats.length_units import unit_um
from ballistics.surfaces.formats.units_guard import UNIT_UM, Units

TEXT_SUFFIXES = frozenset({".xyz", ".txt", ".csv", ".asc", ".tsv"})
_MOST_HEAD_LINES = 100
_MOST_LINE = 400
# Three numbers in full precision, with separators.
_BYTES_PER_POINT = 96
_MOST_BYTES_FREE = 1 << 20
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_MISSING = r"[-+]?nan(?:\(ind\))?|n/?a|null|none|bad|invalid|\*+|-+|---"
_FIELD = re.compile(rf"(?:{_NUMBER}|{_MISSING}|)", re.IGNORECASE)
_PLAIN = re.compile(_NUMBER)
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+(?:[eE][-+]?\d+)?")
_BRACKETED = re.compile(r"[\[(/]\s*([^\s\[\]()/;,]{1,12})\s*(?:[\])]|$|(?=[;,\s]))")
_UNIT_WORD = re.compile(r"\bunits?\b\W{0,3}([^\s;,]{1,12})", re.IGNORECASE)
_IN_WORD = re.compile(r"\bin\s+([^\s;,.]{1,12})", re.IGNORECASE)
_SPACING_WORDS = re.compile(
    rf"\b(?:spacing|step|dx|dy|pixel(?:\s*size)?|increment|sampling)\b[^\d\n]{{0,16}}?({_NUMBER})\s*([^\s\d;,.()\[\]]{{1,12}})",
    re.IGNORECASE,
)
# Positions printed with few digits lie a little beside their grid; more than this is no grid.
_BESIDE, _NOTICED = 0.3, 0.05
_SAME = 1e-6
_STATED = 0.01
_KNOWN_UNITS = ("m", "mm", "µm", "nm", "in")


@dataclass(frozen=True)
class _Table:
    """The numbers of a list, its columns in the order x, y, z (y is 0 in a profile), and what the lines above say."""

    points: NDArray[np.float64]
    lateral_um: float | None
    height_um: float | None
    spacing_um: float | None
    findings: tuple[Finding, ...]


def read_point_text(
    file: BinaryIO,
    *,
    spacing_um: tuple[float, float] | None,
    units: Units | None,
    layer: int,
    height_limit_bytes: int,
) -> FileContent:
    """Read a list of points as a topography, one of points along a line (or of x and z alone) as a profile.

    Parameters
    ----------
    file : binary file
        Open and seekable, at its start.
    spacing_um : (row, column) floats, optional
        Distance between neighbouring points in µm. Needed where neither the file nor ``units`` says what its numbers
        are; where the positions are counted (0, 1, 2 …) it is their step, and ``units`` that of the heights.
    units : {None, "micrometres", "millimetres", "as written"}
        Of all numbers, on the caller's word.
    layer : int
        A list is a single height map: 0, or it is refused.
    height_limit_bytes : int
        Largest number of bytes that the heights may take as float64.

    Raises
    ------
    UnsupportedFormatError
        The text holds no list of two or three numbers a line, the points lie on no regular grid, or the unit is not
        known.
    CorruptFileError
        A line is not like the others, or two points have one position.
    ParameterError
        What the caller states contradicts the file.
    """
    size = file_size(file)
    if size > height_limit_bytes // 8 * _BYTES_PER_POINT + _MOST_BYTES_FREE:
        raise HostileFileError(f"a text file of {size} bytes; the limit for a list of points is lower")
    table = _parsed(_text(file.read()))
    if spacing_um is None and table.spacing_um is not None and units is None:
        spacing_um = (table.spacing_um, table.spacing_um)
    heights, step, findings = _on_grid(table.points, layer, height_limit_bytes)
    lateral_um, height_um, unit_findings = _units(table, step, spacing_um, units)
    # Heights may have a unit of their own; all numbers are then in that of the positions.
    heights *= height_um / lateral_um
    counted = spacing_um is not None and lateral_um == height_um and not _agrees(step, lateral_um, spacing_um)
    spacing = step if not counted or spacing_um is None else (spacing_um[0] / lateral_um, spacing_um[1] / lateral_um)
    return FileContent(
        format="point text",
        values=heights,
        spacing=spacing,
        unit_um=lateral_um,
        kind="profile" if len(heights) == 1 else "topography",
        findings=(*table.findings, *findings, *unit_findings),
    )


def _text(data: bytes) -> str:
    if b"\0" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnsupportedFormatError("the content is of no known format, and is no text either")
    try:
        return data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _parsed(text: str) -> _Table:
    lines = [line.strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    beginning = lines[:_MOST_HEAD_LINES]
    # Two numbers above a list of three are its size, or the like.
    first = next((i for fewest in (3, 2) for i, line in enumerate(beginning) if _is_row(line, fewest)), None)
    if first is None:
        raise UnsupportedFormatError(
            "neither the content nor the suffix is of a known format: the text holds no list of points (three numbers "
            "x, y, z a line, or x, z of a profile); export the scan as X3P from the microscope's software"
        )
    head = [line[:_MOST_LINE] for line in lines[:first] if line]
    rows = [line for line in lines[first:] if line and not line.startswith(("#", "//", "%"))]
    separator, decimal_comma = _dialect(rows[0])
    findings = []
    if decimal_comma:
        rows = [row.replace(",", ".") for row in rows]
        findings.append(Finding("decimal-comma", "note", "numbers are written with a decimal comma", "read so"))
    numbers = _numbers(rows, separator, first)
    order = _column_order(head, separator, numbers.shape[1])
    lateral_um, height_um = _stated_units(head, separator, order)
    points = numbers[:, order]
    if len(order) == 2:
        points = np.insert(points, 1, 0.0, axis=1)
    return _Table(points, lateral_um, height_um, _stated_spacing(head), tuple(findings))


def _is_row(line: str, fewest: int) -> bool:
    """Whether a line is this many numbers and only these, at most one of three a word for a missing height."""
    fields = re.split(r"[;,\s]+", line.strip(" \t;,")) if len(line) <= _MOST_LINE else []
    numbers = sum(_PLAIN.fullmatch(field) is not None for field in fields)
    return numbers >= 2 and len(fields) >= fewest and all(_FIELD.fullmatch(field) for field in fields)


def _dialect(row: str) -> tuple[str | None, bool]:
    """Return the separator (None for blanks) and whether numbers have a decimal comma, by the first row."""
    if ";" in row or "\t" in row or "," not in row:
        separator = ";" if ";" in row else "\t" if "\t" in row else None
        return separator, "," in row
    blanks = re.split(r"\s+", row)
    if len(blanks) in (2, 3) and all(_DECIMAL_COMMA.fullmatch(field) for field in blanks if "," in field):
        # "1,5 2,5 3,5"; a comma before a blank would be a separator
        return None, True
    if row.count(",") > 2 and all(re.fullmatch(r"[-+]?\d+", field.strip()) for field in row.split(",")):
        raise UnsupportedFormatError(
            f"the line {row[:60]!r} has commas between the numbers and inside them; export it with points or semicolons"
        )
    return ",", False


def _numbers(rows: list[str], separator: str | None, first: int) -> NDArray[np.float64]:
    """Return the numbers, shape (points, 3), or (points, 2) of a profile."""
    columns = min(max(len(rows[0].rstrip(";,").split(separator)), 2), 3)
    try:
        found = np.loadtxt(io.StringIO("\n".join(rows)), delimiter=separator, comments=None, ndmin=2, dtype=np.float64)
    except ValueError:
        found = np.array([_fields(row, separator, first + i + 1, columns) for i, row in enumerate(rows)], np.float64)
    if found.shape[1] not in (2, 3):
        raise UnsupportedFormatError(
            f"the lines hold {found.shape[1]} numbers; x, y and z are needed: export the scan as X3P, or these alone"
        )
    return found


def _fields(row: str, separator: str | None, line: int, columns: int) -> list[float]:
    """Return the numbers of a row; a word for a missing height is NaN."""
    fields = [field.strip() for field in row.rstrip(";,").split(separator)]
    if len(fields) == columns - 1:
        fields.append("")
    if len(fields) != columns or not all(_FIELD.fullmatch(field) for field in fields):
        raise CorruptFileError(
            f"line {line} is {row[:60]!r}, not {columns} numbers; {line - 1} lines before it are read"
        )
    return [float(field) if _PLAIN.fullmatch(field) else float("nan") for field in fields]


def _column_order(head: list[str], separator: str | None, columns: int) -> list[int]:
    """Return the columns of x, y and z (x and z), by the names above them; without names they are in this order."""
    axes = "xyz" if columns == 3 else "xz"
    names = _names(head, separator, axes)
    return [names.index(axis) for axis in axes] if names else list(range(columns))


def _names(head: list[str], separator: str | None, axes: str) -> list[str]:
    """Return the axes named by the last line above the numbers that names all of them, in its order."""
    for line in reversed(head):
        words = [word.strip(" #\"'%/").lower() for word in (line.split(separator) if separator else line.split())]
        words = [word for word in words if not word.startswith(("[", "("))]
        letters = [word[:1] for word in words if re.match(r"[xyz](\b|_|pos|-)|height|hoehe|höhe", word)]
        letters = ["z" if letter == "h" else letter for letter in letters]
        if sorted(letters) == list(axes):
            return letters
    return []


def _stated_units(head: list[str], separator: str | None, order: list[int]) -> tuple[float | None, float | None]:
    """Return micrometres per unit of the positions and of the heights, as the lines above say; None otherwise."""
    for line in reversed(head):
        found = [unit_um(word) for word in _BRACKETED.findall(line)]
        known = [unit for unit in found if unit is not None]
        if len(known) > 1 and len(known) == len(order):
            by_axis = [known[place] for place in order]
            if len(order) == 3 and by_axis[0] != by_axis[1]:
                raise UnsupportedFormatError(f"x and y are in different units ({line[:80]!r}); export the scan again")
            return by_axis[0], by_axis[-1]
        if len(known) == 1:
            return known[0], known[0]
        for pattern in (_UNIT_WORD, _IN_WORD):
            words = [unit for unit in map(unit_um, pattern.findall(line)) if unit is not None]
            if len(words) == 1:
                return words[0], words[0]
    return None, None


def _stated_spacing(head: list[str]) -> float | None:
    """Return the spacing in µm that the lines above the numbers state, when it is one for both axes."""
    found = {
        float(number) * unit
        for line in head
        for number, word in _SPACING_WORDS.findall(line)
        if (unit := unit_um(word)) is not None
    }
    return found.pop() if len(found) == 1 else None


def _on_grid(
    points: NDArray[np.float64], layer: int, height_limit_bytes: int
) -> tuple[NDArray[np.float64], tuple[float, float], list[Finding]]:
    """Return heights on their grid, its steps (rows, columns) in the list's numbers, and findings."""
    if not np.isfinite(points[:, :2]).all():
        line = int(np.flatnonzero(~np.isfinite(points[:, :2]).all(axis=1))[0]) + 1
        raise CorruptFileError(f"point {line} has no position")
    columns, column_step, beside_x = _positions(points[:, 0])
    if np.ptp(points[:, 1]) == 0.0:
        rows, row_step, beside_y = np.zeros(len(points), np.int64), column_step, 0.0
    else:
        rows, row_step, beside_y = _positions(points[:, 1])
    height, width = int(rows.max()) + 1, int(columns.max()) + 1
    check_grid(height, width, layer=layer, height_limit_bytes=height_limit_bytes)
    # A list without its missing points may be sparse, but a few points do not make a grid of millions.
    if height * width > 100 * len(points) + 10_000:
        raise UnsupportedFormatError(f"{len(points)} points on a grid of {height} x {width}: not a surface")
    places = rows * width + columns
    if len(np.unique(places)) < len(places):
        raise CorruptFileError(
            "two points have the same position: the points lie on no regular grid, or twice in the file"
        )
    heights = np.full(height * width, np.nan)
    heights[places] = points[:, 2]
    findings = []
    if max(beside_x, beside_y) > _NOTICED:
        findings.append(
            Finding(
                "grid-rounded",
                "warning",
                f"points lie up to {100 * max(beside_x, beside_y):.0f} % of a step beside a regular grid: their "
                "positions were rounded",
                "put on the grid",
            )
        )
    absent = height * width - len(points)
    if absent:
        findings.append(Finding("points-not-listed", "note", f"{absent} points of the grid are not listed", "missing"))
    return heights.reshape(height, width), (row_step, column_step), findings


def _positions(values: NDArray[np.float64]) -> tuple[NDArray[np.int64], float, float]:
    """Return each value's place on a regular axis, the axis's step, and how far beside it values lie, in steps."""
    distinct = np.unique(values)
    extent = float(distinct[-1] - distinct[0])
    if not np.isfinite(extent):
        raise CorruptFileError("the positions of the points are not lengths")
    if extent == 0:
        raise UnsupportedFormatError("all points have the same x: no surface, and no profile along x")
    gaps = np.diff(distinct)
    gaps = gaps[gaps > _SAME * extent]
    best: tuple[float, float] | None = None
    for count in {len(gaps), round(extent / float(np.median(gaps))), round(extent / float(gaps.min()))}:
        if not 1 <= count < 10_000_000:
            continue
        step = extent / count
        places = (distinct - distinct[0]) / step
        beside = float(np.abs(places - np.rint(places)).max())
        if best is None or beside < best[1] - _SAME:
            best = step, beside
    if best is None or best[1] > _BESIDE:
        raise UnsupportedFormatError(
            "the points do not lie on a regular grid; export the scan as X3P, or on the grid it was measured on"
        )
    step, beside = best
    return np.rint((values - distinct[0]) / step).astype(np.int64), step, beside


def _units(
    table: _Table, step: tuple[float, float], spacing_um: tuple[float, float] | None, units: Units | None
) -> tuple[float, float, list[Finding]]:
    """Decide how many micrometres the numbers of positions and of heights are."""
    if table.lateral_um is not None and table.height_um is not None:
        if spacing_um is not None and not _agrees(step, table.lateral_um, spacing_um):
            shown = " x ".join(f"{s * table.lateral_um:.6g}" for s in step)
            raise ParameterError(f"spacing_um is {spacing_um}; by the file it is {shown} µm: leave it out")
        return table.lateral_um, table.height_um, []
    if units in UNIT_UM:
        own = UNIT_UM[str(units)]
        if spacing_um is not None and not _agrees(step, own, spacing_um) and not _counted(step):
            raise ParameterError(f"spacing_um is {spacing_um}, but the list's steps are {step} {units}")
        finding = Finding("unit-stated-by-caller", "note", "the list states no unit", f"read as {units}")
        return own, own, [finding]
    if spacing_um is None:
        raise UnsupportedFormatError(
            "a list of points that does not state its unit; give its spacing as spacing_um (µm), or units"
        )
    for name in _KNOWN_UNITS:
        own = unit_um(name) or 1.0
        if _agrees(step, own, spacing_um):
            message = f"the list states no unit; its steps are {step[0]:.6g} x {step[1]:.6g}"
            return own, own, [Finding("unit-from-spacing", "note", message, f"by the stated spacing they are {name}")]
    if _counted(step):
        raise UnsupportedFormatError(
            "the positions are counted, not measured, and the heights state no unit: give units as well as spacing_um"
        )
    raise ParameterError(f"the list's steps are {step[0]:.6g} x {step[1]:.6g}: in no unit is that {spacing_um} µm")


def _agrees(step: tuple[float, float], own_um: float, spacing_um: tuple[float, float]) -> bool:
    return all(abs(s * own_um / wanted - 1) <= _STATED for s, wanted in zip(step, spacing_um, strict=True))


def _counted(step: tuple[float, float]) -> bool:
    return all(abs(s - 1) < _SAME for s in step)
