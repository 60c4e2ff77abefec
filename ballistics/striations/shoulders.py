"""Where a land ends: the feet of the groove shoulders on a profile across it, found or reported absent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import median_filter

from ballistics.striations.arcs import Arc, fit_arc
from ballistics.striations.signature import Floats
from ballistics_kernels.profiles import first_stall

_SMOOTHING_UM = 15.0
# Over this length beyond a foot the profile no longer falls.
_REACH_UM = 50.0
_DROP_UM = 1.0
# … where the arc itself would fall by this much at least: near its apex an arc is level too.
_ARC_FALL_UM = 3.5
# From half the reach on, everything lies this far above the arc continued from the foot.
_RISE_UM = 3.0
_FEWEST_BEYOND_UM = 20.0
_ROUNDS = 3
# Missing points that begin this close to a foot, and are this wide, may hide where it is.
_BESIDE_UM, _WIDE_GAP_UM = 25.0, 30.0
# A foot lies on the arc, or no further below it than this length or this multiple of its robust standard deviation.
_BELOW_UM, _BELOW_SIGMAS = 12.0, 8.0


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


def find_ends(x_um: Floats, z_um: Floats, spacing_um: float) -> LandEnds | None:
    """Find where a land ends on one profile across it.

    From the apex outwards a land falls along the arc of the bullet. Its end is the first place from which the profile
    falls no further, although the arc does, and beyond which it stays above the arc continued. A scratch falls back
    to the arc, a damaged base lies below it: neither is a shoulder.

    Parameters
    ----------
    x_um, z_um : ndarray of float64, shape (n,)
        Places, ascending, and heights of the valid points.
    spacing_um : float

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
    n = len(x_um)
    if n < 3:
        return None
    width = max(3, round(_SMOOTHING_UM / spacing_um) | 1)
    smooth = median_filter(z_um, width, mode="nearest")
    low, high = (float(v) for v in np.quantile(x_um, (0.2, 0.8)))
    ends = None
    for _ in range(_ROUNDS):
        inside = (x_um >= low) & (x_um <= high)
        arc = fit_arc(x_um[inside], z_um[inside])
        if arc is None or arc.coefficients[2] >= 0.0:
            return None
        below = max(_BELOW_UM, _BELOW_SIGMAS * arc.sigma_um)
        limits = np.array([_REACH_UM, _DROP_UM, _ARC_FALL_UM, _RISE_UM, _FEWEST_BEYOND_UM, below])
        residuals, descent = smooth - arc.heights(x_um), arc.descent(x_um)
        sides = []
        for sign in (-1, 1):
            side = np.flatnonzero((x_um - arc.apex_um) * sign > 0)[::sign]
            if len(side) == 0:
                sides.append(LandEnd(float(x_um[0 if sign < 0 else -1]), False))
                continue
            distance = np.abs(x_um[side] - arc.apex_um)
            k = first_stall(distance, smooth[side], residuals[side], descent[side], limits)
            gap = _gap_after(distance[k:]) if k >= 0 else 0.0
            sides.append(LandEnd(float(x_um[side[k]]), k >= 0, gap if gap > _WIDE_GAP_UM else 0.0))
        ends = LandEnds(sides[0], sides[1], arc)
        moved = abs(ends.left.place_um - low) + abs(ends.right.place_um - high)
        if moved < 2.0 * spacing_um:
            break
        low, high = ends.left.place_um, ends.right.place_um
    return ends


def _gap_after(distance: Floats) -> float:
    """Return the widest step between neighbouring valid points that begins close to the first of them."""
    steps = np.diff(distance[: int(np.searchsorted(distance, distance[0] + _BESIDE_UM)) + 1])
    return float(steps.max(initial=0.0))
