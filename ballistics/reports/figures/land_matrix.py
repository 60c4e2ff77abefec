"""The lands of two bullets against each other as a picture: the score of every pair, and the best phase drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ballistics.reports.figures.pictures import palette_of
from ballistics.striations import BulletComparison

COLOURS = "Blues"


@dataclass(frozen=True)
class MatrixCell:
    """One pair of lands, from 0: its score (NaN for none), its colours, and whether it lies in the best phase."""

    row: int
    column: int
    score: float
    colour: str
    dark: bool
    in_phase: bool


@dataclass(frozen=True)
class PhaseBar:
    """One phase: its mean score (NaN without pairs), how long its bar is in percent, and whether it is the best."""

    phase: int
    mean: float
    percent: float
    best: bool


def matrix_rows(bullets: BulletComparison) -> list[list[MatrixCell]]:
    """Return the cells, a row for each land of A; colours from white at no score or below to dark at the highest.

    The colour goes with the square root of the score, so that pairs at the level of chance can be told from none.
    """
    scores = bullets.scores
    known = scores[np.isfinite(scores)]
    highest = float(known.max(initial=0.0))
    palette = palette_of(COLOURS)
    phase, lands = bullets.phase, scores.shape[0]
    rows = []
    for i, row in enumerate(scores):
        cells = []
        for j, score in enumerate(row.tolist()):
            share = math.sqrt(max(score, 0.0) / highest) if highest > 0 and math.isfinite(score) else 0.0
            colour = "#{:02x}{:02x}{:02x}".format(*palette[round(share * 254)])
            in_phase = phase is not None and (i + phase) % lands == j
            cells.append(MatrixCell(i, j, score, colour, share > 0.6, in_phase))
        rows.append(cells)
    return rows


def phase_bars(bullets: BulletComparison) -> list[PhaseBar]:
    """Return the mean score of every phase."""
    means = bullets.phase_means
    highest = float(means[np.isfinite(means)].max(initial=0.0))
    return [
        PhaseBar(
            k,
            mean,
            round(100.0 * max(mean, 0.0) / highest, 2) if highest > 0 and math.isfinite(mean) else 0.0,
            k == bullets.phase,
        )
        for k, mean in enumerate(means.tolist())
    ]
