"""Where a land ends: the feet of the groove shoulders on a profile across it, found or reported absent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import median_filter

from ballistics.errors import ParameterError
from ballistics.striations.preparation.arcs import Arc, ArcParameters, fit_arc
from ballistics.striations.signature import Floats
from ballistics_kernels.profiles import first_stall


@dataclass(frozen=True)
class ShoulderParameters:
    """The numbers of the search for the ends of a land on one profile.

    Parameters
    ----------
    smoothing_um : float
        Width of the running median that the search looks at.
    beside_middle : float
        Share of the points left away at either end when the first arc is fitted.
    rounds : int
        How often the arc is fitted again between the ends found.
    reach_um, drop_um : float
        Over this length beyond a foot the profile falls by no more than this.
    arc_fall_um : float
        … where the arc itself would fall by this much at least: near its apex an arc is level too.
    rise_um : float
        From half the reach on, everything lies this far above the arc continued from the foot.
    fewest_beyond_um : float
        How much of the reach must be there.
    below_um, below_sigmas : float
        A foot lies on the arc, or no further below it than this length or this multiple of its robust standard
        deviation.
    beside_um, wide_gap_um : float
        Missing points that begin this close to a foot, and are this wide, may hide where it is.
    """

    smoothing_um: float = 15.0
    beside_middle: float = 0.2
    rounds: int = 3
    reach_um: float = 50.0
    drop_um: float = 1.0
    arc_fall_um: float = 3.5
    rise_um: float = 3.0
    fewest_beyond_um: float = 20.0
    below_um: float = 12.0
    below_sigmas: float = 8.0
    beside_um: float = 25.0
    wide_gap_um: float = 30.0

    def __post_init__(self) -> None:
        if self.rounds < 1 or not 0 <= self.beside_middle < 0.5:
            raise ParameterError("the ends of a land are sought in at least 1 round; beside_middle is below a half")


@dataclass(frozen=True)
class LandEnd:
    """One end of a land.

    Parameters
    ----------
    place_um : float
        The foot of the shoulder; the last point of the profile where there is none.
    shoulder : bool
        Whether a shoulder rises there. Otherwise the scan, or what is left of the mark, ends.
    gap_um : float
        How much is missing between the foot and the next point outwards: the foot may lie anywhere in it.
    """

    place_um: float
    shoulder: bool
    gap_um: float = 0.0


@dataclass(frozen=True)
class LandEnds:
    """Both ends of a land on one profile, and the arc between them.

    Parameters
    ----------
    left, right : LandEnd
    arc : Arc
    """

    left: LandEnd
    right: LandEnd
    arc: Arc


def find_ends(
    x_um: Floats,
    z_um: Floats,
    spacing_um: float,
    shoulders: ShoulderParameters | None = None,
    arc_fit: ArcParameters | None = None,
) -> LandEnds | None:
    """Find where a land ends on one profile across it.

    From the apex outwards a land falls along the arc of the bullet. Its end is the first place from which the profile
    falls no further, although the arc does, and beyond which it stays above the arc continued. A scratch falls back
    to the arc, a damaged base lies below it: neither is a shoulder.

    Parameters
    ----------
    x_um, z_um : ndarray of float64, shape (n,)
        Places, ascending, and heights of the valid points.
    spacing_um : float
    shoulders : ShoulderParameters, optional
    arc_fit : ArcParameters, optional

    Returns
    -------
    LandEnds or None
        None where there is no arc: too few points, or a profile that is level or hollow.

    Examples
    --------
    >>> x = np.arange(0.0, 2200.0, 1.5)
    >>> z = -((x - 1100.0) ** 2) / 9000.0
    >>> z[x > 2000.0] = z[x <= 2000.0][-1] + 0.3 * (x[x > 2000.0] - 2000.0)
    >>> ends = find_ends(x, z, 1.5)
    >>> ends.left.shoulder, ends.right.shoulder, abs(ends.right.place_um - 2000.0) < 10.0
    (False, True, True)
    """
    p = shoulders or ShoulderParameters()
    n = len(x_um)
    if n < 3:
        return None
    width = max(3, round(p.smoothing_um / spacing_um) | 1)
    smooth = median_filter(z_um, width, mode="nearest")
    low, high = (float(v) for v in np.quantile(x_um, (p.beside_middle, 1.0 - p.beside_middle)))
    ends = None
    for fitted in range(p.rounds):
        inside = (x_um >= low) & (x_um <= high)
        arc = fit_arc(x_um[inside], z_um[inside], arc_fit)
        if arc is None or arc.coefficients[2] >= 0.0:
            return None
        below = max(p.below_um, p.below_sigmas * arc.sigma_um)
        limits = np.array([p.reach_um, p.drop_um, p.arc_fall_um, p.rise_um, p.fewest_beyond_um, below])
        residuals, descent = smooth - arc.heights(x_um), arc.descent(x_um)
        sides = []
        for sign in (-1, 1):
            side = np.flatnonzero((x_um - arc.apex_um) * sign > 0)[::sign]
            if len(side) == 0:
                sides.append(LandEnd(float(x_um[0 if sign < 0 else -1]), False))
                continue
            distance = np.abs(x_um[side] - arc.apex_um)
            # The arc of the first round reaches too little far to tell where a profile comes back to it.
            k = _foot(distance, smooth[side], residuals[side], descent[side], limits, came_back=fitted > 0)
            gap = _gap_after(distance[k:], p.beside_um) if k >= 0 else 0.0
            sides.append(LandEnd(float(x_um[side[k]]), k >= 0, gap if gap > p.wide_gap_um else 0.0))
        ends = LandEnds(sides[0], sides[1], arc)
        moved = abs(ends.left.place_um - low) + abs(ends.right.place_um - high)
        if moved < 2.0 * spacing_um:
            break
        low, high = ends.left.place_um, ends.right.place_um
    return ends


def _foot(
    distance: Floats, heights: Floats, residuals: Floats, descent: Floats, limits: Floats, *, came_back: bool
) -> int:
    """Return the first stall, outwards, beyond which the profile does not come back to the arc; −1 for none.

    Where it comes back, the land goes on: what rose before was the flank of a scratch. A foot that lies below the arc
    is none such, for its flank crosses the arc once only.
    """
    start, reach_um = 0, limits[0]
    below = np.flatnonzero(residuals < 0.0)
    last = int(below[-1]) if came_back and len(below) else -1
    while True:
        k = first_stall(distance[start:], heights[start:], residuals[start:], descent[start:], limits)
        if k < 0:
            return -1
        k += start
        above = np.flatnonzero(residuals[k : max(last, k)] > 0.0)
        if len(above) == 0 or distance[last] - distance[k] <= 0.5 * reach_um:
            return int(k)
        start = k + int(above[0]) + 1


def _gap_after(distance: Floats, beside_um: float) -> float:
    """Return the widest step between neighbouring valid points that begins close to the first of them."""
    steps = np.diff(distance[: int(np.searchsorted(distance, distance[0] + beside_um)) + 1])
    return float(steps.max(initial=0.0))
