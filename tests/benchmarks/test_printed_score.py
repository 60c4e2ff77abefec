"""The score of a candidate is learned from what speaks for it and against it."""

from __future__ import annotations

import numpy as np

from ballistics.printed.identify.score import SCORE_VALUES
from benchmarks.training.printed_score import learned


def test_learning_finds_what_speaks_for_and_against():
    rng = np.random.default_rng(3)
    right = rng.random(4000) < 0.2
    x = rng.normal(size=(4000, len(SCORE_VALUES)))
    x[right, 0] += 2.0  # coverage
    x[right, 5] -= 2.0  # missing
    model = learned(x, right)
    rise = {curve.name: max(curve.added) for curve in model.curves}
    assert min(rise["coverage"], rise["missing"]) > 3.0 > 1.5 > max(rise["agreement"], rise["added"])
    scores = np.array([model.score(row) for row in x])
    assert scores[right].mean() > 0.7 > 0.1 > scores[~right].mean()
