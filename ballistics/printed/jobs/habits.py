"""What the moves of a job say of the printer's settings: layer height, width, speeds, retraction, spelling."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ballistics.printed.content.job_facts import Habits
from ballistics.printed.jobs.machine import Machine

_TRAVEL, _LIFT, _FILAMENT = 0, 1, 2
_NARROWEST_MM, _WIDEST_MM = 0.08, 3.0
# Speeds with less than this share of the length say nothing of the settings: slicers slow down small layers.
_LEAST_SHARE, _MOST_SPEEDS = 0.04, 4
_FILAMENT_MM2 = math.pi / 4.0 * 1.75**2


def habits_of(machine: Machine, filament_mm2: float | None) -> Habits:
    """Measure the habits of a job from its moves.

    Parameters
    ----------
    machine : Machine
        After the job; where it did not keep the pieces, the last of them speak for all.
    filament_mm2 : float or None
        Cross-section of the filament; 1 in a volumetric job. None takes that of 1.75 mm.

    Notes
    -----
    Travels, lifts and retractions are told from the first 65 536 moves that print nothing.
    """
    pieces = machine.tracks()
    spelling = _spelling(machine)
    base = Habits(
        relative_e=bool(machine.state.modes[1] or machine.state.modes[0]),
        firmware_retraction=machine.firmware_retraction,
        volumetric=bool(machine.tools()[1].any()) if len(pieces) else False,
        spelling=spelling,
    )
    if not len(pieces):
        return base
    length = np.hypot(pieces[:, 2] - pieces[:, 0], pieces[:, 3] - pieces[:, 1])
    heights: NDArray[np.float64] = np.unique(np.round(pieces[pieces[:, 4] > 0.0, 4], 3))
    steps: NDArray[np.float64] = np.diff(heights)
    steps = steps[steps > 0.004]
    layer = _commonest(np.round(steps, 3), np.ones(len(steps)))
    speeds = _speeds(pieces[:, 9] / 60.0, length)
    events = machine.events()
    drawn = events[(events[:, 0] == _FILAMENT) & (events[:, 1] < 0.0)]
    pushed = events[(events[:, 0] == _FILAMENT) & (events[:, 1] > 0.0)]
    travels = events[events[:, 0] == _TRAVEL]
    lifts = events[(events[:, 0] == _LIFT) & (events[:, 1] > 0.0)]
    lifted = np.round(lifts[:, 1], 3)
    if layer is not None:
        # The way up to the next layer is no lift.
        lifted = lifted[np.abs(lifted - layer) > 0.004]
    returns = len(lifted) > 0.2 * len(heights)
    return Habits(
        layers=len(heights),
        layer_height_mm=layer,
        first_layer_mm=float(heights[0]) if len(heights) else None,
        line_width_mm=_width(pieces, length, layer, filament_mm2 or _FILAMENT_MM2),
        print_speeds_mm_s=speeds,
        travel_speed_mm_s=_commonest(np.round(travels[:, 2] / 60.0, 2), travels[:, 1]),
        # What is pushed back: while it wipes, a printer draws filament back in parts.
        retraction_mm=_commonest(np.round(pushed[:, 1], 3), np.ones(len(pushed))),
        retraction_speed_mm_s=_commonest(np.round(drawn[:, 2] / 60.0, 2), np.ones(len(drawn))),
        lift_mm=_commonest(lifted, np.ones(len(lifted))) if returns else None,
        filament_mm=float(pieces[:, 5].sum()),
        track_mm=float(length.sum()),
        height_mm=float(heights[-1]) if len(heights) else 0.0,
        relative_e=base.relative_e,
        firmware_retraction=base.firmware_retraction,
        volumetric=base.volumetric,
        spelling=spelling,
    )


def _commonest(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float | None:
    """Return the value of most weight, the smallest of equals; None when there is none."""
    if not len(values) or not weights.sum() > 0.0:
        return None
    distinct, place = np.unique(values, return_inverse=True)
    return float(distinct[np.argmax(np.bincount(place.reshape(-1), weights=weights))])


def _speeds(speeds: NDArray[np.float64], length: NDArray[np.float64]) -> tuple[float, ...]:
    distinct, place = np.unique(np.round(speeds), return_inverse=True)
    sums = np.bincount(place.reshape(-1), weights=length)
    share = sums / max(float(sums.sum()), 1e-9)
    order = np.lexsort((distinct, -share))[:_MOST_SPEEDS]
    return tuple(float(distinct[k]) for k in order if share[k] >= _LEAST_SHARE and distinct[k] > 0.0)


def _width(
    pieces: NDArray[np.float64], length: NDArray[np.float64], layer: float | None, filament_mm2: float
) -> float | None:
    """Return the median width of the tracks by length: stated, or by the filament that was pushed."""
    stated = pieces[:, 6]
    if layer is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            measured = pieces[:, 5] * filament_mm2 / (length * layer) + layer * (1.0 - math.pi / 4.0)
        width = np.where(stated > 0.0, stated, measured)
    else:
        width = stated
    good = np.isfinite(width) & (width > _NARROWEST_MM) & (width < _WIDEST_MM)
    if not good.any():
        return None
    order = np.argsort(width[good], kind="stable")
    reached = np.cumsum(length[good][order])
    return round(float(width[good][order][np.searchsorted(reached, reached[-1] / 2.0)]), 3)


def _spelling(machine: Machine) -> dict[str, str]:
    """Return how the job is written."""
    habits = [int(count) for count in machine.state.habits]
    moves = sum(habits[:4])
    if not moves:
        return {}
    x, y, _, e, _ = habits[4:9]

    def often(count: int) -> str:
        return "yes" if count > 0.5 * moves else "no"

    return {
        "decimals of x, y, e": f"{x} {y} {e}",
        "travels by": "G0" if habits[0] > 0.02 * moves else "G1",
        "arcs": "no" if not habits[2] + habits[3] else "by radius" if habits[10] else "by centre",
        "line numbers": often(habits[11]),
        "checksums": often(habits[12]),
        "lower case": often(habits[13]),
        "words without blanks": often(habits[14]),
        "carriage returns": often(habits[15]),
        "comments behind moves": often(habits[16]),
    }
