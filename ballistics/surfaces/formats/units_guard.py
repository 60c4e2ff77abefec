"""Refuses lengths that no toolmark has: one public X3P file in eight holds micrometres as metres."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import UnitsError
from ballistics.findings import Finding
from ballistics.surfaces.formats.content import METRE_UM, MILLIMETRE_UM, FileContent

Units = Literal["micrometres", "millimetres", "as written"]
_INCH_UM = 25_400.0
UNIT_UM = {"micrometres": 1.0, "millimetres": MILLIMETRE_UM}

# The project's limits for toolmarks. They are wider than any scan in its data (pixels of 0.6 to 8 um,
# longer sides of 0.5 to 6 mm), and a wrong unit moves every length by a factor of a thousand or more.
PIXEL_UM = (0.05, 50.0)
EXTENT_UM = (300.0, 80_000.0)
# One field of a microscope's camera may be smaller than a mark; a wrong unit would have moved its pixel as well.
FIELD_POINTS, FIELD_UM = 256, 100.0
HEIGHT_RANGE_UM = 10_000.0
# Height range over the longer side. The given scans have 0.0013 (breech face) to 0.07 (whole primer): a range
# a thousand times smaller or larger is in another unit than the spacing.
FLAT, STEEP = 2e-4, 0.5
# Optical instruments do not see slopes of more than about 35 degrees over most of a surface (the given scans have 0.014
# to 0.16).
STEEP_SLOPE = 0.7
# 0.05e-6 m times 1e6 is a little less than 0.05 um in floating point; that is not implausible.
_ROUNDING = 1e-9
# Lone spikes must not decide about units: the range is taken between these percentiles.
_ROBUST_PERCENTILES = (1.0, 99.0)
_SAMPLE = 20_000


def robust_range(values: NDArray[Any]) -> float:
    """Return the range between the 1st and 99th percentile of the finite values; 0 without any.

    At most about 40 000 values are looked at, at a fixed stride, so that the answer is always the same.
    """
    flat = values.reshape(-1)
    sample = flat[:: max(1, flat.size // _SAMPLE)]
    sample = sample[np.isfinite(sample)].astype(np.float64)  # in this order: casting a signalling NaN warns
    if sample.size == 0:
        return 0.0
    low, high = np.percentile(sample, _ROBUST_PERCENTILES)
    return float(high - low)


def implausible(content: FileContent, unit_um: float) -> list[str]:
    """Return what is not plausible about a file's lengths if its unit were ``unit_um`` micrometres.

    The pixel size and, for surfaces and profiles, the extent come from the spacing. The extent
    rule looks at the longer side: a strip cut from a land is short in one direction, and a profile
    has no second one. A point cloud has no pixel; its extent is the longer side of the box around
    its points. Reflectance values are no lengths, so their range is not looked at.
    """
    rows, columns = content.values.shape
    wrong = []
    if content.kind == "points":
        if content.coordinates is None:
            return []
        flat = content.coordinates.reshape(-1, 2)
        flat = flat[np.isfinite(flat).all(axis=1)]
        extent = float(np.ptp(flat, axis=0).max()) * unit_um if len(flat) else 0.0
    else:
        sides = [(columns, content.spacing[1])]
        if content.kind != "profile":
            sides.append((rows, content.spacing[0]))
        # A single row or column has no step to its neighbour when positions are listed.
        sides = [(n, step) for n, step in sides if np.isfinite(step)]
        pixels = [step * unit_um for _, step in sides]
        wrong += [f"pixel size {_length(p)}" for p in dict.fromkeys(pixels) if not _within(p, PIXEL_UM)]
        extent = max((n * step * unit_um for n, step in sides), default=0.0)
    least = FIELD_UM if content.kind == "topography" and max(rows, columns) >= FIELD_POINTS else EXTENT_UM[0]
    if not _within(extent, (least, EXTENT_UM[1])):
        wrong.append(f"longer side {_length(extent)}")
    if content.kind != "reflectance":
        height = robust_range(content.values) * unit_um
        if not height < HEIGHT_RANGE_UM:
            wrong.append(f"height range {_length(height)}")
    return wrong


def _within(value: float, limits: tuple[float, float]) -> bool:
    return limits[0] * (1 - _ROUNDING) <= value <= limits[1] * (1 + _ROUNDING)


def _length(um: float) -> str:
    for size, name in ((METRE_UM, "m"), (MILLIMETRE_UM, "mm"), (1.0, "µm")):
        if abs(um) >= size:
            return f"{um / size:.4g} {name}"
    return f"{um * 1000:.4g} nm"


def settle_unit(content: FileContent, units: Units | None) -> tuple[float, list[Finding]]:
    """Decide how many micrometres one file unit is, or refuse.

    Parameters
    ----------
    content : FileContent
        The file's own numbers.
    units : {None, "micrometres", "millimetres", "as written"}
        None: the unit that the format defines, if it gives plausible lengths. A unit's name: that
        unit instead, if it gives plausible lengths. ``"as written"``: the format's unit, plausible or not.

    Returns
    -------
    unit_um : float
    findings : list of Finding
        ``units-overridden`` or ``lengths-implausible`` when the caller decided; ``heights-tiny``, ``heights-steep``,
        ``field-small``.

    Raises
    ------
    UnitsError
        The lengths are outside pixel 0.05–50 µm, longer side 0.3–80 mm, robust height range < 10 mm.
    """
    unit_um = content.unit_um if units in (None, "as written") else UNIT_UM[units]
    wrong = implausible(content, unit_um)
    if not wrong and units in (None, "as written"):
        return unit_um, _doubts(content, unit_um)
    if not wrong:
        return unit_um, [
            Finding(
                "units-overridden",
                "serious",
                f"one unit of the file is {_length(content.unit_um)} by its format",
                f"on the caller's word the numbers were taken as {units}",
            ),
            *_doubts(content, unit_um),
        ]
    if units == "as written":
        return unit_um, [
            Finding("lengths-implausible", "serious", ", ".join(wrong), "read as written, on the caller's word")
        ]
    found = ", ".join(wrong)
    rule = f"Plausible are pixel {PIXEL_UM[0]:g}–{PIXEL_UM[1]:g} µm, longer side 0.3–80 mm, height range < 10 mm"
    if units is not None:
        raise UnitsError(
            f"taken as {units}, the lengths are not those of a toolmark: {found}. "
            f"{rule}; leave units out to read the file by its format's own unit."
        )
    raise UnitsError(f"the lengths are not those of a toolmark: {found}; {_alternatives(content, rule)}")


def _doubts(content: FileContent, unit_um: float) -> list[Finding]:
    """Notice heights written in another unit than the spacing, and a field smaller than a mark."""
    if content.kind == "reflectance":
        return []
    findings = []
    height, extent = robust_range(content.values) * unit_um, _longer_side(content) * unit_um
    if extent < EXTENT_UM[0] and content.kind == "topography":
        findings.append(
            Finding("field-small", "warning", f"the longer side is {_length(extent)}: one field of a microscope")
        )
    shown = f"the height range is {_length(height)} over {_length(extent)}"
    slope = _median_slope(content)
    if 0 < height < FLAT * extent:
        findings.append(
            Finding("heights-tiny", "serious", f"{shown}: perhaps heights and spacing are in different units")
        )
    elif height > STEEP * extent or slope > STEEP_SLOPE:
        findings.append(
            Finding(
                "heights-steep",
                "serious",
                f"{shown}, the median slope {np.degrees(np.arctan(slope)):.0f} degrees: perhaps heights and spacing "
                "are in different units",
            )
        )
    return findings


def _longer_side(content: FileContent) -> float:
    """Return the longer side of a surface in file units; 0 for a list of points, which has no grid."""
    if content.kind == "points":
        return 0.0
    rows, columns = content.values.shape
    sides = (columns * content.spacing[1], rows * content.spacing[0] if rows > 1 else 0.0)
    return max((side for side in sides if np.isfinite(side)), default=0.0)


def _median_slope(content: FileContent) -> float:
    """Return the median slope along the rows of a sample of them; 0 where it cannot be told."""
    rows, columns = content.values.shape
    step = content.spacing[1]
    if content.kind != "topography" or columns < 2 or not step > 0:
        return 0.0
    sample = content.values[:: max(1, rows * columns // _SAMPLE)]
    change = np.abs(np.diff(np.where(np.isfinite(sample), sample, np.nan).astype(np.float64), axis=1))
    change = change[np.isfinite(change)]
    return float(np.median(change)) / step if change.size else 0.0


def _alternatives(content: FileContent, rule: str) -> str:
    """Say what the file would be in other units, and how to read it then."""
    candidates = {name: implausible(content, unit_um) for name, unit_um in UNIT_UM.items()}
    fitting = [name for name, wrong in candidates.items() if not wrong]
    name = fitting[0] if fitting else "micrometres"
    described = f"height range {_length(robust_range(content.values) * UNIT_UM[name])}"
    if content.kind != "points":
        described = f"pixel {_length(content.spacing[1] * UNIT_UM[name])}, {described}"
    as_written = "units='as written' reads it unchanged; it is recorded as a serious finding."
    if fitting:
        mixed = any(finding.code.startswith("heights-") for finding in _doubts(content, UNIT_UM[name]))
        beware = " (heights and spacing would still be in different units)" if mixed else ""
        return (
            f"if the numbers were {name} they would be ({described}){beware}. {rule}. Ask the maker, "
            f"and if so read it with units='{name}'; {as_written}"
        )
    if not implausible(content, _INCH_UM):
        return f"if the numbers were inches they would be. {rule}; have the scan exported in metric units"
    wrong = implausible(content, content.unit_um)
    if all(word.startswith("height range") for word in wrong):
        return (
            f"pixel and sides are: heights and spacing seem to be in different units, or the heights hold a number for "
            f"missing points. {rule}. Ask the maker; {as_written}"
        )
    return f"nor would they be if the numbers were micrometres ({described}). {rule}; {as_written}"
