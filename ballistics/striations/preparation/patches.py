"""The Patch: the part of a scan that a signature stands on, straightened so that the striae run down its columns."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from ballistics.striations.signature import Floats


@dataclass(frozen=True, eq=False)
class Patch:
    """A striated mark straightened: every column follows one place across the striae.

    Column c of the patch is point c of the signature made from it.

    Parameters
    ----------
    heights_um : ndarray of float32, shape (rows, columns)
        Without form; rows shifted so that striae that slant or bend run straight down. NaN where missing, or outside
        the mark.
    mask : ndarray of bool, shape (rows, columns)
        Where the signature was averaged from: valid, and in a band that agrees with the others.
    spacing_um : tuple of float
        Along the striae (between rows) and across them (between columns).
    turn_deg : float
        By how much the scan was turned, counter-clockwise as displayed, so that its striae run down the columns: 0
        for a scan with upright striae, 90 for one with striae along its rows. Which of the two ends of a stria points
        down is not known from one mark: the turn lies from −45 to 135.
    centre_um : tuple of float
        (y, x) on the scan, in µm from the middle of its first point, of the middle of the patch.
    shifts_um : ndarray of float64, shape (rows,)
        By how far each row was moved left to straighten the striae; NaN in bands that were left out.
    region : ndarray of bool
        The part of the scan that the patch was taken from, on the scan's grid.
    """

    heights_um: NDArray[np.float32]
    mask: NDArray[np.bool_]
    spacing_um: tuple[float, float]
    turn_deg: float
    centre_um: tuple[float, float]
    shifts_um: NDArray[np.float64]
    region: NDArray[np.bool_]


def turned_grid(
    heights_um: Floats, spacing_um: tuple[float, float], region: NDArray[np.bool_], turn_deg: float
) -> tuple[Floats, float, tuple[float, float]]:
    """Return a region of a scan turned, on a square grid about its middle.

    Parameters
    ----------
    heights_um : ndarray of float64, shape (rows, columns)
        NaN for missing points.
    spacing_um : tuple of float
    region : ndarray of bool, shape (rows, columns)
        With at least one point.
    turn_deg : float
        Counter-clockwise as displayed.

    Returns
    -------
    heights_um : ndarray of float64, shape (m, n)
        Bilinear; NaN outside the region, and where a neighbour that it needs is missing.
    spacing_um : float
        The smaller of the scan's.
    centre_um : tuple of float
        (y, x) of its middle on the scan.
    """
    step = min(spacing_um)
    y, x = np.nonzero(region)
    corners = np.array([[y.min(), x.min()], [y.max(), x.max()]]) * np.asarray(spacing_um)
    centre = corners.mean(axis=0)
    t = math.radians(turn_deg)
    cos, sin = math.cos(t), math.sin(t)
    # Right and down of the region's points from its middle, after the turn.
    dy, dx = y * spacing_um[0] - centre[0], x * spacing_um[1] - centre[1]
    right, down = dx * cos + dy * sin, -dx * sin + dy * cos
    # As many points as the region spans: without a turn, or turned by 90°, they are those of the scan.
    count = [math.ceil(2.0 * float(np.abs(along).max()) / step - 1e-6) + 1 for along in (down, right)]
    v, u = ((np.arange(n, dtype=np.float64) - 0.5 * (n - 1)) * step for n in count)
    v, u = v[:, None], u[None, :]
    places = np.stack(
        [(centre[0] + u * sin + v * cos) / spacing_um[0], (centre[1] + u * cos - v * sin) / spacing_um[1]]
    )
    # Within rounding of a point of the scan, its neighbours play no part.
    nearest = np.rint(places)
    places = np.where(np.abs(places - nearest) < 1e-6, nearest, places)
    known = np.where(region, heights_um, np.nan)
    return _bilinear(known, places), step, (float(centre[0]), float(centre[1]))


def _bilinear(heights: Floats, places: Floats) -> Floats:
    """Return heights between points; a missing neighbour with weight takes the result, one without does not."""
    valid = np.isfinite(heights)
    inside = map_coordinates(valid.astype(np.float64), places, order=1, mode="constant", cval=0.0)
    values = map_coordinates(np.where(valid, heights, 0.0), places, order=1, mode="constant", cval=0.0)
    return np.where(inside > 1.0 - 1e-9, values, np.nan)
