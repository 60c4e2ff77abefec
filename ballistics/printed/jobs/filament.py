"""How thick the filament of a print job is: stated, told by the distance of its walls, or assumed."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.jobs.machine import Machine
from ballistics.printed.jobs.tracks import layers_of

USUAL_DIAMETER_MM = 1.75
Source = Literal["stated", "told by walls", "assumed"]

# What is sold: 2.85 mm is also called 3 mm, but slicers know both numbers.
_SOLD_MM = (1.75, 2.85, 3.0)
# A diameter is told where the section of the filament that the walls call for lies within this factor of its own:
# flow is set by some percent and outer walls may be narrower; half-way from 1.75 to 2.85 mm it would be 1.63.
_MOST_FACTOR = 1.5
_LEAST_PAIRS = 8
# Loops end where they began but for a gap at the seam; small ones are curved too much to lie evenly in each other.
_SEAM_MM, _LEAST_LENGTH_MM, _LEAST_PIECES = 1.0, 15.0, 3
_NARROWEST_MM, _WIDEST_MM = 0.1, 2.0
_EVENLY = 0.1
# Pairs of this number of loops are looked at on a layer, and of loops in all.
_MOST_LOOPS, _MOST_LOOPS_IN_ALL = 200, 20_000


def filament_areas(machine: Machine) -> tuple[NDArray[np.float64], Source]:
    """Return by piece what its E must be multiplied with to be a volume in mm³, and where that was had from.

    Parameters
    ----------
    machine : Machine
        After the last line, with its tracks.

    Returns
    -------
    areas : ndarray of float64, shape (n,)
        Cross-section of the filament in mm²; 1 where E is a volume.
    source : {"stated", "told by walls", "assumed"}
    """
    tool, volumetric = machine.tools()
    settings, diameters = machine.comments.settings, machine.comments.diameters_mm
    # Volumetric without M200: a setting of Slic3r and its children, and the machines of Ultimaker before Griffin.
    always = settings.get("use_volumetric_e", "0").strip() == "1" or settings.get("flavor", "") == "UltiGCode"
    volumetric = volumetric | always
    source: Source = "stated"
    first = next(iter(diameters.values()), 0.0)
    if not diameters and not bool(volumetric.all()):
        pieces = machine.tracks()[~volumetric]
        told = None if (pieces[:, 6] > 0.0).all() else diameter_by_walls(pieces)
        first, source = (told, "told by walls") if told else (USUAL_DIAMETER_MM, "assumed")
    by_tool = np.array([math.pi / 4.0 * diameters.get(k, first) ** 2 for k in range(int(tool.max()) + 1)])
    return np.where(volumetric, 1.0, by_tool[tool]), source


def diameter_by_walls(pieces: NDArray[np.float64]) -> float | None:
    """Return the diameter of the filament, in mm, by how far walls that lie in each other are apart.

    Slicers lay the second wall beside the first: what is pushed for a length of it, times the section of the filament,
    is the distance of the two times the height of the layer (Slic3r's flow mathematics; CuraEngine's line width). The
    diameter that is sold and comes nearest is taken.

    Parameters
    ----------
    pieces : ndarray of float64, shape (n, PIECE_COLUMNS)
        As of `Machine.tracks`.

    Returns
    -------
    float or None
        None where fewer than eight pairs of walls lie evenly in each other, or what they call for is not sold.
    """
    sections = _sections(pieces)
    if len(sections) < _LEAST_PAIRS:
        return None
    section = float(np.median(sections))
    off = [abs(math.log(section / (math.pi / 4.0 * diameter**2))) for diameter in _SOLD_MM]
    nearest = int(np.argmin(off))
    return _SOLD_MM[nearest] if off[nearest] <= math.log(_MOST_FACTOR) else None


def _sections(pieces: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the section of the filament, in mm², that each pair of walls calls for."""
    tops, layer = layers_of(pieces[:, 4])
    if len(tops) < 2:
        return np.zeros(0)
    height = float(np.median(np.diff(tops)))
    start = np.flatnonzero(np.concatenate([[True], (np.diff(pieces[:, 8]) != 0) | (np.diff(layer) != 0)]))
    last = np.append(start[1:], len(pieces)) - 1
    length = np.add.reduceat(np.hypot(pieces[:, 2] - pieces[:, 0], pieces[:, 3] - pieces[:, 1]), start)
    pushed = np.add.reduceat(pieces[:, 5], start)
    gap = np.hypot(*(pieces[last, 2:4] - pieces[start, 0:2]).T)
    is_loop = (gap <= _SEAM_MM) & (length >= _LEAST_LENGTH_MM) & (last - start + 1 >= _LEAST_PIECES) & (pushed > 0.0)
    # A box that shrinks by the same on all four sides has all four numbers grow by it.
    low = np.minimum.reduceat(np.minimum(pieces[:, 0:2], pieces[:, 2:4]), start)
    high = np.maximum.reduceat(np.maximum(pieces[:, 0:2], pieces[:, 2:4]), start)
    box = np.concatenate([low, -high], axis=1)
    loops = np.flatnonzero(is_loop)[:_MOST_LOOPS_IN_ALL]
    flow = pushed[loops] / length[loops]
    box, on = box[loops], layer[start[loops]]
    found = []
    for own in np.split(np.arange(len(loops)), np.flatnonzero(np.diff(on)) + 1):
        own = own[:_MOST_LOOPS]
        inset = box[None, own] - box[own, None]
        apart = inset.mean(axis=2)
        is_even = (np.abs(inset - apart[:, :, None]).max(axis=2) <= _EVENLY * apart) & (apart <= _WIDEST_MM)
        apart = np.where(is_even & (apart >= _NARROWEST_MM), apart, np.inf)
        if not len(own):
            continue
        next_in = apart.argmin(axis=1)
        nearest = apart[np.arange(len(own)), next_in]
        has = np.isfinite(nearest)
        found.append(nearest[has] * height / (0.5 * (flow[own[has]] + flow[own[next_in[has]]])))
    return np.concatenate(found) if found else np.zeros(0)
