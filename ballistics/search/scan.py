"""The template scan: one mark against a stack of templates, at every rotation and many shifts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from ballistics.errors import ParameterError
from ballistics.library import relief_of
from ballistics.library import template as tp
from ballistics.surfaces import Mark, mark_type
from ballistics_kernels.impressions import padded
from ballistics_kernels.templates import (
    LANES,
    OVERLAP_ANGLES,
    RINGS_AT_ONCE,
    BestPoses,
    ModeRanges,
    Spectra,
    polar_samples,
    scan_block,
    unpack,
)

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

# Lengths are shares of the mark type's long cut-off.
SHIFT_STEP = 0.3
"""Distance between neighbouring shifts."""

LARGEST_SHIFT = 5.2
"""Longest shift: the middle of a disc that holds half of a breech face lies up to 1.25 mm from that of the whole."""

MARGIN = 1.2
"""By how much a mark may reach beyond the circle it is taken to come from: the regions of two scans of one firearm
differ, and with them their middles (by up to 225 µm on the Fadul set)."""

LEAST_OVERLAP = 0.25
"""Poses with a smaller share of the smaller mark do not count, as in registration."""

_SHIFTS_AT_ONCE = 16


@dataclass(frozen=True, eq=False)
class Query:
    """A mark that is searched for: its angular spectra around every point where a candidate's middle may lie.

    Parameters
    ----------
    mark_kind, surface_kind : str
        As of `Mark`.
    area : float
        Valid area, as in a template's record.
    shifts_um : ndarray of float64, shape (shifts, 2)
        The points, (y, x) from the centre of the smallest circle around the mark, in the order of ``needed_um``.
    needed_um : ndarray of float64, shape (shifts,)
        Radius of the circle around each point that encloses the mark, ascending.
    heights : ndarray of float32, shape (shifts, padded coefficients, 2)
        Real and imaginary parts, as `ballistics_kernels.templates.polar_scan.scan_block` takes them.
    mask : ndarray of float32, shape (shifts, padded mask coefficients, 2)
        The same of the mark's valid area.
    """

    mark_kind: str
    surface_kind: str
    area: float
    shifts_um: NDArray[np.float64]
    needed_um: NDArray[np.float64]
    heights: Floats
    mask: Floats


class ScanScores(NamedTuple):
    """What the scan found; every array has one element for each candidate.

    Parameters
    ----------
    scores : ndarray of float32
        The greatest correlation · √overlap over all poses, in units of its root mean square over all poses. Marks
        of different firearms reach 3 to 6 by chance. −inf for a record that is empty, damaged, of another kind of
        mark or surface, or meets the query nowhere.
    theta_deg : ndarray of float32
        How the candidate lies on the query, counter-clockwise as in `ballistics.surfaces.pose.Pose`, in steps of 2.8°.
    dx_um, dy_um : ndarray of float32
        Where the middle of the candidate lies from that of the query (of their smallest circles).
    """

    scores: Floats
    theta_deg: Floats
    dx_um: Floats
    dy_um: Floats


def make_query(mark: Mark) -> Query:
    """Prepare a mark to be searched for: some 100 ms, once for any number of candidates.

    Raises
    ------
    ParameterError
        When the mark is of a kind that is not known.
    """
    long_um = mark_type(mark.kind).long_cutoff_um
    low = relief_of(mark)
    shifts = shift_grid(SHIFT_STEP, LARGEST_SHIFT) * long_um
    needed = low.needed_radius_um(shifts)
    nearest = np.argsort(needed, kind="stable")
    shifts, needed = shifts[nearest], needed[nearest]
    heights = np.zeros((len(shifts), int(_STARTS[-1]), 2), np.float32)
    mask = np.zeros((len(shifts), int(_MASK_STARTS[-1]), 2), np.float32)
    bordered = padded(low.heights, 1)
    values, valid = np.empty((2, tp.RINGS, tp.ANGLES), np.float32)
    weight, order = tp.ring_weights()[:, None], tp.mode_order()
    ring = tp.RING_STEP * long_um / low.spacing_um
    area = 0.0
    for k, (y, x) in enumerate(shifts / low.spacing_um):
        polar_samples(bordered, low.centre[0] + y, low.centre[1] + x, ring, values, valid)
        if y == 0.0 and x == 0.0:
            area = float((valid * weight).sum())
        tp.without_circles(values, valid)
        spectra = scipy.fft.rfft(values * np.sqrt(weight), axis=1, workers=1)[order] / tp.ANGLES
        heights[k, _PLACES, 0], heights[k, _PLACES, 1] = spectra.real, spectra.imag
        # Shares here, areas in the template: their product is the common area.
        groups = valid.reshape(tp.MASK_GROUPS, -1, tp.ANGLES).mean(axis=1)
        of_mask = scipy.fft.rfft(groups, axis=1, workers=1)[:, : tp.MASK_MODES].T.ravel() / tp.ANGLES
        mask[k, _MASK_PLACES, 0], mask[k, _MASK_PLACES, 1] = of_mask.real, of_mask.imag
    return Query(mark.kind, mark.surface_kind, area, shifts, needed, heights, mask)


def scan(query: Query, stack: NDArray[np.uint8], rows: Integers | None = None) -> ScanScores:
    """Compare a query with a stack of templates at every rotation and every shift that geometry allows.

    Rotation is free: the correlation at all angles is one product of angular spectra and one transform. Shifts cost,
    so only those are tried at which the smaller mark would lie inside the circle of the larger, with a margin, or
    inside that of the median candidate. Whole marks thus need some 100 shifts, half marks up to several hundred.

    Parameters
    ----------
    query : Query
    stack : ndarray of uint8, shape (n, `template.RECORD_BYTES`)
        Records one after another; may be mapped into memory: only the rows of one block are copied at a time.
    rows : ndarray of int64, shape (m,), optional
        The candidates, by row of the stack; default all.

    Returns
    -------
    ScanScores
        In the order of ``rows``. A candidate's result depends on the others only by the size of the median circle,
        and not on their order.

    Raises
    ------
    ParameterError
        When the stack is not one of this version of templates, or a row is not in it.

    Examples
    --------
    >>> heights = np.random.default_rng(1).normal(size=(2, 300, 300)).astype(np.float32)
    >>> marks = [Mark("breech face", one, 6.25) for one in heights]
    >>> stack = np.stack([tp.make_template(mark).array for mark in marks])
    >>> found = scan(make_query(marks[1]), stack)
    >>> int(found.scores.argmax()), float(found.theta_deg[1]), float(found.dx_um[1])
    (1, 0.0, 0.0)
    """
    records, candidates = _records(stack, rows)
    shifts = _shifts_tried(query, records, candidates)
    n = len(candidates)
    scores, where = np.full(n, -np.inf, np.float32), np.zeros(n, np.int32)
    heights = np.empty((int(_STARTS[-1]) // RINGS_AT_ONCE, 8, LANES), np.float32)
    mask = np.empty((int(_MASK_STARTS[-1]) // RINGS_AT_ONCE, 8, LANES), np.float32)
    best, spread = np.empty((2, LANES), np.float32)
    place = np.empty(LANES, np.int32)
    for block, tried in _blocks(shifts):
        m = len(block)
        part = records[candidates[block]]
        unpack(part["heights"], part["height_step"], _PLACES, heights)
        unpack(part["mask"], part["mask_step"], _MASK_PLACES, mask)
        least = np.ones(LANES, np.float32)
        least[:m] = np.maximum(LEAST_OVERLAP * np.minimum(query.area, part["area"]), 1.0)
        own, stored = Spectra(query.heights[:tried], query.mask[:tried]), Spectra(heights, mask)
        ends = _ends(float(part["radii_um"][:, 0].max()) / float(part["ring_um"][0]))
        ranges = ModeRanges(_STARTS[:-1], ends, _MASK_STARTS[:-1], _MASK_STARTS[1:])
        scan_block(own, stored, ranges, Spectra(_TURNS, _OVERLAP_TURNS), least, BestPoses(best, place, spread))
        met = (spread[:m] > 0) & (place[:m] >= 0)
        scores[block[met]] = best[:m][met] / spread[:m][met]
        where[block[met]] = place[:m][met]
    shift, angle = np.divmod(where, tp.ANGLES)
    # Kernels turn clockwise as shown, poses counter-clockwise.
    theta = (180.0 - angle * (360.0 / tp.ANGLES)) % 360.0 - 180.0
    y, x = query.shifts_um[shift].T
    return ScanScores(scores, *(value.astype(np.float32) for value in (theta, x, y)))


def shift_grid(step: float, largest: float) -> NDArray[np.float64]:
    """Return the points of a triangular grid within a distance of the origin, shape (n, 2)."""
    dy = step * math.sqrt(3.0) / 2.0
    rows, columns = int(largest / dy), int(largest / step) + 1
    grid = [(a * dy, (b + 0.5 * (a % 2)) * step) for a in range(-rows, rows + 1) for b in range(-columns, columns + 1)]
    return np.array([point for point in grid if math.hypot(*point) <= largest])


def _records(stack: NDArray[np.uint8], rows: Integers | None) -> tuple[NDArray[np.void], Integers]:
    """Return the records of a stack, and the rows to scan."""
    if stack.ndim != 2 or stack.shape[1] != tp.RECORD_BYTES or stack.dtype != np.uint8:
        raise ParameterError(
            f"the stack is an array of {stack.dtype} of shape {stack.shape}; templates of version {tp.VERSION} are "
            f"rows of {tp.RECORD_BYTES} bytes: make them again from their marks"
        )
    candidates = np.arange(len(stack)) if rows is None else np.asarray(rows, np.int64)
    if len(candidates) and not (candidates.min() >= 0 and candidates.max() < len(stack)):
        raise ParameterError(
            f"rows {candidates.min()} to {candidates.max()} were asked for; the stack has {len(stack)} templates"
        )
    return stack.view(tp.RECORD)[:, 0], candidates


def _shifts_tried(query: Query, records: NDArray[np.void], candidates: Integers) -> Integers:
    """Return at how many shifts of the query each candidate is tried; 0 for one that cannot be scanned.

    The whole mark is assumed to fill a circle: the largest of the query's, the candidate's and the median candidate's.
    Where a candidate is only a part of it, the centre of the whole may lie away from the candidate's own: as far as a
    circle of that size still encloses the candidate.
    """
    # Field by field: an index on several would copy whole records.
    fits = records["area"][candidates] > 0
    for field, value in (("mark_kind", query.mark_kind), ("surface_kind", query.surface_kind), ("version", tp.VERSION)):
        fits &= records[field][candidates] == value.encode()
    radii = records["radii_um"][candidates].astype(np.float64)
    # A damaged record is passed by, instead of spoiling those beside it.
    fits &= np.isfinite(radii).all(axis=1)
    for field in ("area", "height_step", "mask_step"):
        fits &= np.isfinite(records[field][candidates])
    typical = float(np.median(radii[fits, 0])) if fits.any() else 0.0
    circle = np.maximum(np.maximum(radii[:, 0], float(query.needed_um[0])), typical)
    steps = np.count_nonzero(radii <= circle[:, None], axis=1) - 1
    limit = circle + (steps * tp.RING_STEP + MARGIN) * mark_type(query.mark_kind).long_cutoff_um
    needed = np.searchsorted(query.needed_um, limit, side="right")
    # Rounded up, so that many candidates are tried alike and can be scanned side by side.
    tried = np.minimum(-(-needed // _SHIFTS_AT_ONCE) * _SHIFTS_AT_ONCE, len(query.needed_um))
    return np.where(fits, tried, 0)


def _blocks(shifts: Integers) -> Iterator[tuple[Integers, int]]:
    """Yield candidates that are tried at the same number of shifts, at most `LANES` at a time, and that number."""
    for tried in np.unique(shifts[shifts > 0]):
        alike = np.flatnonzero(shifts == tried)
        for start in range(0, len(alike), LANES):
            yield alike[start : start + LANES], int(tried)


def _ends(radius: float) -> Integers:
    """Return where the coefficients of each mode end for marks of a radius in ring steps: beyond it they are 0."""
    used = tp.mode_order()[0] < math.ceil(radius + 1.0)
    counts = np.bincount(tp.mode_order()[1][used], minlength=tp.ANGLES // 2)
    return np.asarray(_STARTS[:-1] + -(-counts // RINGS_AT_ONCE) * RINGS_AT_ONCE)


def _padded_places(modes: Integers, n: int) -> tuple[Integers, Integers]:
    """Return the place of each coefficient when every mode is padded, and where each mode starts."""
    counts = np.bincount(modes, minlength=n)
    starts = np.concatenate([[0], np.cumsum(-(-counts // RINGS_AT_ONCE) * RINGS_AT_ONCE)])
    first = np.concatenate([[0], np.cumsum(counts)])
    return starts[modes] + np.arange(len(modes)) - first[modes], starts


def _turns(n: int) -> Floats:
    """Return cos and sin of the multiples of the n-th part of a full turn."""
    angles = 2.0 * np.pi * np.arange(n) / n
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1).astype(np.float32)


_PLACES, _STARTS = _padded_places(tp.mode_order()[1], tp.ANGLES // 2)
_MASK_PLACES, _MASK_STARTS = _padded_places(np.repeat(np.arange(tp.MASK_MODES), tp.MASK_GROUPS), tp.MASK_MODES)
_TURNS, _OVERLAP_TURNS = _turns(tp.ANGLES), _turns(OVERLAP_ANGLES)
