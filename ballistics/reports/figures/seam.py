"""The seam of the comparison microscope: where it starts, and which part of the picture each mark has."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ballistics.reports.figures.mark_views import Frame
from ballistics.reports.figures.pictures import Grid


@dataclass(frozen=True)
class Seam:
    """A straight line through a picture; A lies on its left (or above), B on its right (or below).

    Parameters
    ----------
    x_percent, y_percent : float
        A point of it, in percent of the picture's width and height.
    turn_deg : float
        0 for an upright line; clockwise as displayed, 90 for a level one with A above.
    """

    x_percent: float
    y_percent: float
    turn_deg: float

    def halves(self, picture: Frame) -> tuple[str, str]:
        """Return what belongs to A and to B, as the points of two SVG polygons in µm."""
        x = picture.left_um + 0.01 * self.x_percent * picture.width_um
        y = picture.top_um + 0.01 * self.y_percent * picture.height_um
        turn, far = math.radians(self.turn_deg), 2.0 * (picture.width_um + picture.height_um)
        along, towards_b = (-math.sin(turn) * far, math.cos(turn) * far), (math.cos(turn) * far, math.sin(turn) * far)
        ends = [(x - along[0], y - along[1]), (x + along[0], y + along[1])]
        halves = []
        for sign in (-1.0, 1.0):
            corners = [*ends, *((u + sign * towards_b[0], v + sign * towards_b[1]) for u, v in reversed(ends))]
            halves.append(" ".join(f"{u:.0f},{v:.0f}" for u, v in corners))
        return halves[0], halves[1]


def seam_on_both(a: Grid, b: Grid) -> Seam:
    """Return an upright seam where most of its length lies on both marks, the one nearest the middle of several.

    Parameters
    ----------
    a, b : Grid
        On one frame.
    """
    both = np.isfinite(a.heights_um) & np.isfinite(b.heights_um)
    columns = both.shape[1]
    # Ten columns together: a single one with a few points more is no better place.
    length = np.convolve(both.sum(axis=0), np.ones(10), "same")
    if not length.any():
        return Seam(50.0, 50.0, 0.0)
    good = np.flatnonzero(length >= 0.97 * length.max())
    column = int(good[np.argmin(np.abs(good - 0.5 * (columns - 1)))])
    rows = np.flatnonzero(both[:, column])
    row = float(np.median(rows)) if len(rows) else 0.5 * (both.shape[0] - 1)
    return Seam(round(100.0 * (column + 0.5) / columns, 1), round(100.0 * (row + 0.5) / both.shape[0], 1), 0.0)
