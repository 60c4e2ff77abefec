"""The exhaustive cell search: every shift of every angle by exact masked correlation, as the fast path's yardstick."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import numpy as np
import scipy.fft
from numpy.typing import NDArray

from ballistics.impressions.cells import AngleSweep, CellParameters, CellSearcher
from ballistics.impressions.comparing import METHOD
from ballistics.impressions.congruence import RULES, judge
from ballistics.impressions.direction import Direction
from ballistics.impressions.registration import register
from ballistics.impressions.search_levels import SearchLevel
from ballistics.impressions.similarity import similarity
from ballistics.provenance import sha256_of_array
from ballistics.surfaces.pose import Pose
from ballistics_kernels.impressions.cell_search import pack_window
from ballistics_kernels.impressions.cell_turning import turn_cells
from ballistics_kernels.impressions.correlation import centred, correlate_spectra, masked_spectra
from ballistics_kernels.impressions.peaks import peaks
from benchmarks.support.pairs import ScanSet, for_all, load, thinned
from benchmarks.support.record import Context, Record

DESCRIPTION = "the fast cell search against the exhaustive one: do all rules count the same cells?"

Floats = NDArray[np.float64]
# The significance rule does not look at the sweep.
_SWEPT = {name: rule for name, rule in RULES.items() if name != "significance"}

# Of a rule: congruent cells of the first mark in the second, and of the second in the first.
Counts = Mapping[str, tuple[int, int]]
# Of the exhaustive search, which the version of the fast one says nothing about.
_EXHAUSTIVE_VERSION = "2"
# Those of `CellParameters` on which the exhaustive search depends; the others say how the fast one gets there.
_EXHAUSTIVE_PARAMETERS = (
    "cell_um",
    "minimum_valid",
    "search_radius_um",
    "angle_range_deg",
    "angle_step_deg",
    "minimum_overlap",
)


class ExhaustiveSearcher(CellSearcher):
    """A cell search that leaves nothing out, over the same cells, angles and places as `CellSearcher`.

    At every angle every shift by whole points of the marks' own spacing, within the search radius, is
    correlated exactly (Padfield 2012) over the points valid in both.
    """

    def sweep(self) -> AngleSweep:
        """Search every cell at every trial angle, at every place."""
        p = self.parameters
        steps = round(p.angle_range_deg / p.angle_step_deg)
        self.thetas_deg = self.pose.theta_deg + p.angle_step_deg * np.arange(-steps, steps + 1.0)
        level = self._levels[-1]
        n, reach = len(self.grid.rows), math.floor(level.expected.radius) + 1
        self._reach = reach
        self._middle = np.rint([level.expected.y, level.expected.x]).astype(np.int64)
        self._fine = np.full((len(self.thetas_deg), n, 2 * reach + 1, 2 * reach + 1), -2.0, np.float32)
        self._overlaps = np.zeros_like(self._fine)
        for c in range(n):
            for k, theta in enumerate(self.thetas_deg):
                self._fine[k, c], self._overlaps[k, c] = self._all_shifts(level, c, float(theta))
        found = []
        for k, theta in enumerate(self.thetas_deg):
            flat = self._fine[k].reshape(n, -1)
            i, j = np.divmod(flat.argmax(axis=1), 2 * reach + 1)
            r = flat.max(axis=1).astype(float)
            y, x = self.displacements(theta, i - reach + self._middle[0], j - reach + self._middle[1])
            overlaps = self._overlaps[k, np.arange(n), i, j].astype(float)
            found.append([np.where(r <= -2.0, np.nan, v) for v in (r, overlaps, y, x)])
        r, overlaps, ys, xs = (np.stack(field, axis=1) for field in zip(*found, strict=True))
        return AngleSweep(self.grid, self.thetas_deg, self.pose.theta_deg, r, overlaps, xs, ys, np.isfinite(r))

    def _all_shifts(
        self, level: SearchLevel, c: int, theta_deg: float
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        reach, cell_reach = self._reach, math.ceil(level.cells.half * math.sqrt(2))
        size = 2 * cell_reach + 1
        (values,), (valid,), counts = *np.zeros((2, 1, size, size), np.float32), np.empty(1, np.int64)
        turn_cells(
            level.cells._replace(
                centres_y=level.cells.centres_y[c : c + 1], centres_x=level.cells.centres_x[c : c + 1]
            ),
            math.radians(-theta_deg), size, values[None], valid[None], counts,
        )  # fmt: skip
        count = int(counts[0])
        side = 2 * (cell_reach + reach) + 1
        window, window_valid = np.empty(side * side, np.float32), np.empty(side * side, np.float32)
        top, left = self._middle[:, c] - cell_reach - reach
        pack_window(level.other, top, left, side, side, window, window_valid)
        cell = np.where(valid > 0, values, np.float32(np.nan))
        other = np.where(window_valid > 0, window, np.float32(np.nan)).reshape(side, side)
        fast = scipy.fft.next_fast_len(side, real=True)
        spectra = [masked_spectra(x, (fast, fast)) for x in (cell, other)]
        correlations, overlaps = correlate_spectra(spectra[0], spectra[1], (fast, fast), level.minimum_overlap * count)
        within = slice(0, 2 * reach + 1)
        y = np.arange(-reach, reach + 1)
        off_y = y + self._middle[0, c] - level.expected.y[c]
        off_x = y + self._middle[1, c] - level.expected.x[c]
        near = off_y[:, None] ** 2 + off_x[None, :] ** 2 <= level.expected.radius**2
        r = np.where(near & np.isfinite(correlations[within, within]), correlations[within, within], -2.0)
        return r.astype(np.float32), overlaps[within, within] / np.float32(max(count, 1))

    def best_near(
        self, angles: NDArray[np.int64], x_um: float, y_um: float, tolerance_um: float
    ) -> tuple[Floats, NDArray[np.int64], Floats, Floats]:
        """Search the maps of all shifts for the best maximum near a common displacement."""
        n = len(self.grid.rows)
        best, best_x, best_y = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
        best_angle = np.full(n, angles[0], np.int64)
        many = 200
        rows, columns = np.zeros(many, np.int64), np.zeros(many, np.int64)
        reach_um = tolerance_um / self.spacing_um * math.sqrt(2) + 1
        for k in angles:
            theta = float(self.thetas_deg[k])
            places = self.places(theta, x_um, y_um)
            for c in range(n):
                i, j = places[0][c] - self._middle[0, c] + self._reach, places[1][c] - self._middle[1, c] + self._reach
                for q in range(peaks(self._fine[k, c], i, j, reach_um, rows, columns)):
                    r = float(self._fine[k, c, rows[q], columns[q]])
                    ys, xs = np.full(n, np.nan), np.full(n, np.nan)
                    ys[c] = rows[q] - self._reach + self._middle[0, c]
                    xs[c] = columns[q] - self._reach + self._middle[1, c]
                    dy, dx = (float(v[c]) for v in self.displacements(theta, ys, xs))
                    if max(abs(dx - x_um), abs(dy - y_um)) <= tolerance_um:
                        if not r <= best[c]:
                            best[c], best_angle[c], best_x[c], best_y[c] = r, k, dx, dy
                        break
        return best, best_angle, best_x, best_y


def counts(
    kind: type[CellSearcher], marks: tuple[NDArray[np.float32], NDArray[np.float32]], spacing_um: float, pose: Pose
) -> Counts:
    """Return the counts of all rules in both directions, as one kind of cell search finds them."""
    a, b = marks
    alike, directions = similarity(a, b, spacing_um, pose), []
    for tiled, searched, tiled_pose in ((a, b, pose), (b, a, pose.inverse())):
        searcher = kind(tiled, searched, spacing_um, tiled_pose, CellParameters())
        directions.append(Direction(searcher, searcher.sweep(), tiled, searched, alike))
    return {name: (r.a_in_b.count, r.b_in_a.count) for name, r in judge(directions[0], directions[1], _SWEPT).items()}


def both_counts(scans: ScanSet, pair: tuple[int, int], kept: Path) -> tuple[Counts, Counts] | None:
    """Return the counts of the fast and of the exhaustive search; None for marks that cannot be registered.

    What the exhaustive search found is kept in a folder under all that it depends on: a run that was stopped goes on,
    and one after a change of the fast search alone takes minutes.
    """
    a, b = (centred(scans.marks[k].heights_um) for k in pair)
    spacing_um = scans.marks[pair[0]].spacing_um
    registration = register(a, b, spacing_um)
    if registration is None:
        return None
    pose = registration.pose
    parameters = {name: getattr(CellParameters(), name) for name in _EXHAUSTIVE_PARAMETERS}
    basis = [METHOD, _EXHAUSTIVE_VERSION, sha256_of_array(a), sha256_of_array(b), spacing_um, asdict(pose), parameters]
    file = kept / f"{sha256(json.dumps(basis, sort_keys=True).encode()).hexdigest()}.json"
    if not file.exists():
        found = counts(ExhaustiveSearcher, (a, b), spacing_um, pose)
        part = file.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps(found))
        part.replace(file)
    exhaustive = {name: (forward, backward) for name, (forward, backward) in json.loads(file.read_text()).items()}
    return counts(CellSearcher, (a, b), spacing_um, pose), exhaustive


def run(context: Context) -> Iterator[Record]:
    """Compare counts of the fast and the exhaustive search, pair by pair."""
    scans = load(context)
    pairs = thinned(scans, context, 4)
    kept = context.output / "exhaustive"
    kept.mkdir(parents=True, exist_ok=True)
    table = list(for_all(lambda pair: both_counts(scans, pair, kept), pairs, "searching exhaustively"))
    protocol = (
        f"{scans.name}, {METHOD}: every whole-point shift within the radius at every angle at full spacing, against the"
        " fast search; both directions of every pair"
    )
    compared = [(pair, row) for pair, row in zip(pairs, table, strict=True) if row is not None]
    for name in _SWEPT:
        fast, exhaustive = (np.array([row[k][name] for _, row in compared]) for k in (0, 1))
        # The score is the smaller count of the two directions.
        scores = np.abs(fast.min(axis=1) - exhaustive.min(axis=1))
        directions = np.abs(fast - exhaustive)
        i, j = compared[int(scores.argmax())][0]
        goal = f"≤ 1; worst {scans.scans[i]} / {scans.scans[j]}"
        for metric, value, unit, text, n in (
            ("greatest difference of the score", scores.max(), "cells", goal, scores.size),
            ("scores that differ by more than 1", (scores > 1).sum(), "pairs", "0", scores.size),
            ("greatest difference of a direction's count", directions.max(), "cells", "", directions.size),
            (
                "directions whose counts differ by more than 1",
                (directions > 1).sum(),
                "directions",
                "",
                directions.size,
            ),
        ):
            yield Record("exhaustive", f"{name}: {metric}", float(value), unit, text, protocol, int(n))
