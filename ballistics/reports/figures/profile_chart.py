"""Profiles as charts of a page: paths in micrometres along and nanometres up, with round numbers at the axes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Heights are drawn in nanometres, so that whole numbers are fine enough.
PER_UM = 1000.0


@dataclass(frozen=True)
class Tick:
    """A number at an axis, and where it stands in percent of the axis from its left or upper end."""

    percent: float
    text: str


@dataclass(frozen=True)
class Chart:
    """The frame of a chart of heights over places.

    Parameters
    ----------
    left_um, right_um : float
    low_um, high_um : float
    """

    left_um: float
    right_um: float
    low_um: float
    high_um: float

    @property
    def view_box(self) -> str:
        """Of the SVG: µm to the right, nm down."""
        return (
            f"{self.left_um:.1f} {-PER_UM * self.high_um:.0f} {self.right_um - self.left_um:.1f} "
            f"{PER_UM * (self.high_um - self.low_um):.0f}"
        )

    @property
    def x_ticks(self) -> tuple[Tick, ...]:
        """Places in mm."""
        width = self.right_um - self.left_um
        step = next((s for s in (50.0, 100.0, 200.0, 500.0, 1000.0) if s > width / 12.0), 2000.0)
        first, last = (self.left_um + 0.02 * width, self.left_um + 0.98 * width)
        places = step * np.arange(math.ceil(first / step), math.floor(last / step) + 1)
        return tuple(Tick(round(100.0 * (p - self.left_um) / width, 2), _plain(p / 1000.0)) for p in places)

    @property
    def y_ticks(self) -> tuple[Tick, ...]:
        """Heights in µm."""
        height = self.high_um - self.low_um
        step = _round_step(height / 2.6)
        marks = step * np.arange(math.ceil(self.low_um / step), math.floor(self.high_um / step) + 1)
        percents = [100.0 * (self.high_um - m) / height for m in marks]
        return tuple(Tick(round(p, 2), _plain(m)) for p, m in zip(percents, marks, strict=True) if 6.0 < p < 94.0)


def chart_of(places_um: Floats, *heights_um: Floats, room: float = 0.08, symmetric: bool = False) -> Chart:
    """Return a frame that holds profiles on one axis; of heights, all but the outermost thousandth at each end.

    Parameters
    ----------
    places_um : ndarray of float64, shape (n,)
        Places of the points, ascending; the frame holds all of them.
    *heights_um : ndarray of float64
        The profiles; NaN for missing points.
    room : float
        Left free above and below, as a share of the heights.
    symmetric : bool
        Whether height 0 is in the middle.

    Returns
    -------
    Chart
    """
    known = np.concatenate([h[np.isfinite(h)] for h in heights_um])
    low, high = (float(v) for v in np.quantile(known, (0.001, 0.999))) if known.size else (-1.0, 1.0)
    if symmetric:
        high = max(abs(low), abs(high))
        low = -high
    if high - low < 1e-3:
        low, high = low - 0.5, high + 0.5
    spare = room * (high - low)
    left, right = (float(places_um[0]), float(places_um[-1])) if len(places_um) > 1 else (-1.0, 1.0)
    return Chart(left, right, low - spare, high + spare)


def profile_path(places_um: Floats, heights_um: Floats) -> str:
    """Return a profile as the data of an SVG path, broken where points are missing.

    Examples
    --------
    >>> profile_path(np.array([0.0, 1.5, 3.0, 4.5]), np.array([0.1, 0.2, np.nan, -0.1]))
    'M0.0 -100 1.5 -200M4.5 100'
    """
    known = np.isfinite(heights_um)
    parts = []
    last = -2
    for i in np.flatnonzero(known).tolist():
        point = f"{places_um[i]:.1f} {_whole(-PER_UM * heights_um[i])}"
        parts.append((" " if i == last + 1 else "M") + point)
        last = i
    return "".join(parts)


def band_path(places_um: Floats, low_um: Floats, high_um: Floats) -> str:
    """Return the area between two profiles as the data of an SVG path; missing where either is.

    Parameters
    ----------
    places_um : ndarray of float64, shape (n,)
        Places of the points, ascending.
    low_um, high_um : ndarray of float64, shape (n,)
        Lower and upper profile; NaN for missing points.

    Returns
    -------
    str
        In the units of `Chart.view_box`; empty when no point is there.
    """
    known = np.isfinite(low_um) & np.isfinite(high_um)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], known.astype(np.int8), [0]])))
    parts = []
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        run = range(start, stop)
        there = " ".join(f"{places_um[i]:.1f} {_whole(-PER_UM * high_um[i])}" for i in run)
        back = " ".join(f"{places_um[i]:.1f} {_whole(-PER_UM * low_um[i])}" for i in reversed(run))
        parts.append(f"M{there} {back}Z")
    return "".join(parts)


def nanometres(heights_um: Floats) -> str:
    """Return heights as whole nanometres with spaces between, ``x`` for missing points: what a page's script reads."""
    return " ".join(_whole(PER_UM * h) if math.isfinite(h) else "x" for h in heights_um)


def _whole(value: float) -> str:
    return f"{round(value)}"


def _plain(value: float) -> str:
    return f"{round(value, 6) + 0.0:g}".replace("-", "−")


def _round_step(most: float) -> float:
    """Return the greatest round number (1, 2 or 5 times a power of ten) that is not above."""
    power = 10.0 ** math.floor(math.log10(most))
    return next((m * power for m in (5.0, 2.0) if m * power <= most * (1 + 1e-9)), power)
