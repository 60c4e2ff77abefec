"""Height maps as pictures: the same numbers give the same bytes, embedded in the page that shows them."""

from __future__ import annotations

import base64
import math
import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

LARGEST_PICTURE_POINTS = 900
# The light of every shaded relief: from the upper left, half-way up, as maps have it.
LIGHT_FROM_DEG, LIGHT_ELEVATION_DEG = 135.0, 45.0
RELIEF_GREYS = (12.0, 238.0)
# Slopes at this quantile of both marks together are drawn as slopes of 0.6 (31°): rough and smooth
# marks are both readable, and two marks in one report are exaggerated alike.
_SLOPE_QUANTILE, _SLOPE_DRAWN = 0.85, 0.6
_MISSING = 255
_RELIEF_LEVELS = 96  # finer than the eye can tell in a relief, and half the bytes of 255
_LEANING_LEVELS = 128


@dataclass(frozen=True)
class Picture:
    """A picture and where it lies, in µm to the right and down from the centre of the scan or mark it shows.

    Parameters
    ----------
    uri : str
        ``data:image/png;base64,…``
    left_um, top_um, width_um, height_um : float
        Outer edges of the picture.
    """

    uri: str
    left_um: float
    top_um: float
    width_um: float
    height_um: float


@dataclass(frozen=True)
class Grid:
    """Heights on square points, and where the outer corner of the first point lies (µm from the centre)."""

    heights_um: NDArray[np.float32]
    spacing_um: float
    left_um: float
    top_um: float


def picture_grid(
    heights_um: Floats, spacing_um: tuple[float, float], largest_points: int = LARGEST_PICTURE_POINTS
) -> Grid:
    """Bring a height map to square points, and to few enough of them for a page.

    Parameters
    ----------
    heights_um : ndarray, shape (rows, columns)
        NaN where missing. A shown point is missing when less than half of what it stands for is valid.
    spacing_um : tuple of float
        Distance between rows and between columns.
    largest_points : int
        Greatest number of rows or columns.
    """
    import cv2

    rows, columns = heights_um.shape
    height, width = rows * spacing_um[0], columns * spacing_um[1]
    finest = min(spacing_um)
    pitch = max(finest, max(height, width) / largest_points)
    valid = np.isfinite(heights_um)
    level = float(np.median(heights_um[valid])) if valid.any() else 0.0
    values = np.where(valid, heights_um - level, 0.0).astype(np.float32)
    size = (max(1, round(width / pitch)), max(1, round(height / pitch)))
    if size != (columns, rows):
        share = cv2.resize(valid.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        values = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
        valid = share >= 0.5
        values = values / np.where(valid, share, 1.0)
    grid = np.where(valid, values + level, np.nan).astype(np.float32)
    return Grid(grid, pitch, -0.5 * width, -0.5 * height)


def slopes(grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the slopes down and to the right; at the border of missing points from one side only, 0 if from none."""
    result = []
    for axis in (0, 1):
        difference = np.diff(grid.heights_um.astype(np.float64), axis=axis)
        known = np.isfinite(difference)
        difference = np.where(known, difference, 0.0)
        before = [(0, 0), (0, 0)]
        before[axis] = (1, 1)
        total, count = np.pad(difference, before), np.pad(known.astype(np.float64), before)
        low = [slice(None), slice(None)]
        high = [slice(None), slice(None)]
        low[axis], high[axis] = slice(0, -1), slice(1, None)
        summed = total[tuple(low)] + total[tuple(high)]
        counted = count[tuple(low)] + count[tuple(high)]
        result.append(summed / np.maximum(counted, 1.0) / grid.spacing_um)
    return result[0], result[1]


def common_exaggeration(*grids: Grid) -> float:
    """Return by how much heights are to be exaggerated so that all the maps can be read in one light."""
    steepness = [np.hypot(*slopes(grid))[np.isfinite(grid.heights_um)] for grid in grids]
    together = np.concatenate(steepness) if steepness else np.empty(0)
    typical = float(np.quantile(together, _SLOPE_QUANTILE)) if together.size else 0.0
    if typical < 1e-9:
        return 1.0
    exaggeration = _SLOPE_DRAWN / typical
    return float(f"{exaggeration:.2g}")


def common_limit_um(*grids: Grid) -> float:
    """Return the height, to two digits, that 98 % of all points stay within."""
    values = np.concatenate([np.abs(g.heights_um[np.isfinite(g.heights_um)]) for g in grids])
    limit = float(np.quantile(values, 0.98)) if values.size else 0.0
    return float(f"{limit:.2g}") if limit > 0.0 else 1.0


def shaded_relief(grid: Grid, exaggeration: float, light_deg: float = LIGHT_FROM_DEG) -> Picture:
    """Draw a height map as a matt surface in light from one side; missing points are transparent.

    Parameters
    ----------
    grid : Grid
    exaggeration : float
    light_deg : float
        Where the light stands, counter-clockwise from the right: 135 is the upper left.
    """
    # Paper white is kept for missing points.
    step = 254.0 / (_RELIEF_LEVELS - 1)
    levels = np.rint(np.rint(shading(grid, exaggeration, light_deg) * (_RELIEF_LEVELS - 1)) * step)
    return _picture(grid, levels, _greys(*RELIEF_GREYS))


def shading(grid: Grid, exaggeration: float, light_deg: float = LIGHT_FROM_DEG) -> NDArray[np.float64]:
    """Return how bright every point of a matt surface is, 0 to 1; parameters as of `shaded_relief`.

    Parameters
    ----------
    grid : Grid
    exaggeration : float
    light_deg : float
    """
    right, down = _normals(grid, exaggeration)
    elevation, azimuth = math.radians(LIGHT_ELEVATION_DEG), math.radians(light_deg)
    side = -math.cos(azimuth) * right + math.sin(azimuth) * down
    upward = np.sqrt(np.maximum(1.0 - right**2 - down**2, 0.0))
    return np.clip(math.cos(elevation) * side + math.sin(elevation) * upward, 0.0, 1.0)


def leaning_pictures(grid: Grid, exaggeration: float) -> tuple[Picture, Picture]:
    """Return how far the surface leans to the right and down, for a page that lights it anew.

    Grey 0 stands for −1, 254 for 1: the parts of the unit normal of the exaggerated surface, with the sign of the
    slope. `shaded_relief` is made of the same.
    """
    step = 254.0 / (_LEANING_LEVELS - 1)
    drawn = []
    for part in _normals(grid, exaggeration):
        levels = np.rint(np.rint((0.5 * part + 0.5) * (_LEANING_LEVELS - 1)) * step)
        drawn.append(_picture(grid, levels, _greys(0.0, 254.0)))
    return drawn[0], drawn[1]


def _normals(grid: Grid, exaggeration: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    down, right = slopes(grid)
    length = np.sqrt(1.0 + exaggeration**2 * (down**2 + right**2))
    return exaggeration * right / length, exaggeration * down / length


def _greys(darkest: float, brightest: float) -> NDArray[np.uint8]:
    ramp = np.linspace(darkest, brightest, 255)
    return np.asarray(np.rint(np.stack([ramp, ramp, ramp], axis=1)), dtype=np.uint8)


def grey_image(grid: Grid) -> Picture:
    """Draw a reflectance image in grey, its darkest and brightest percent clipped; missing points are transparent."""
    values = grid.heights_um[np.isfinite(grid.heights_um)]
    low, high = (float(v) for v in np.quantile(values, [0.01, 0.99])) if values.size else (0.0, 1.0)
    scaled = np.clip((grid.heights_um.astype(np.float64) - low) / max(high - low, 1e-12), 0.0, 1.0)
    grey = np.arange(255, dtype=np.uint8)
    return _picture(grid, np.rint(scaled * 254.0), np.stack([grey, grey, grey], axis=1))


def coloured_heights(grid: Grid, limit_um: float, colours: str) -> Picture:
    """Draw a height map in the colours of a scale from −limit to +limit; missing points are transparent.

    Parameters
    ----------
    grid : Grid
        What is drawn.
    limit_um : float
        Height at the ends of the scale, above 0; what lies beyond has their colours.
    colours : str
        Name of one of matplotlib's scales.
    """
    scaled = np.clip(grid.heights_um.astype(np.float64) / (2.0 * limit_um) + 0.5, 0.0, 1.0)
    return _picture(grid, np.rint(scaled * 254.0), palette_of(colours))


def palette_of(colours: str) -> NDArray[np.uint8]:
    """Return 255 colours (red, green, blue) of one of matplotlib's scales."""
    import matplotlib

    table = matplotlib.colormaps[colours](np.linspace(0.0, 1.0, 255))[:, :3]
    return np.asarray(np.rint(table * 255.0), dtype=np.uint8)


def _picture(grid: Grid, levels: Floats, palette: NDArray[np.uint8]) -> Picture:
    indices = np.where(np.isfinite(grid.heights_um), np.nan_to_num(levels), _MISSING).astype(np.uint8)
    rows, columns = indices.shape
    uri = "data:image/png;base64," + base64.b64encode(palette_png(indices, palette)).decode("ascii")
    return Picture(uri, grid.left_um, grid.top_um, columns * grid.spacing_um, rows * grid.spacing_um)


def palette_png(indices: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    """Encode indices into 255 colours as PNG; index 255 is transparent.

    Own code, because an encoder that can write a palette with one transparent entry is not among the dependencies,
    and because its bytes are then a matter of zlib alone.

    Parameters
    ----------
    indices : ndarray of uint8, shape (rows, columns)
    palette : ndarray of uint8, shape (255, 3)
    """
    rows, columns = indices.shape
    # Filter 2 of the PNG specification: each row as its difference from the row above.
    above = np.zeros_like(indices)
    above[1:] = indices[:-1]
    filtered = np.full((rows, columns + 1), 2, np.uint8)
    filtered[:, 1:] = indices - above
    plain = np.zeros((rows, columns + 1), np.uint8)
    plain[:, 1:] = indices
    data = min((zlib.compress(lines.tobytes(), 9) for lines in (plain, filtered)), key=len)
    header = struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)
    transparent = bytes([255] * 255 + [0])
    parts = (
        (b"IHDR", header),
        (b"PLTE", palette.tobytes() + b"\xff\xff\xff"),
        (b"tRNS", transparent),
        (b"IDAT", data),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )
