"""The evidence benchmark: every computed check value stands beside the published one, and agrees."""

from __future__ import annotations

import re

import numpy as np
import pytest

from benchmarks.suites.evidence import DESCRIPTION
from benchmarks.support.published_scores import published_scores
from benchmarks.support.record import Context

# The published value is printed with fewer digits, or is on a flat ridge of the likelihood.
_LOOSE = {"E1 correlated binomial": 2e-3, "E1 beta-binomial": 5e-3, "E1 binomial": 6e-3, "NFI firing pin EER": 1e-2}


@pytest.mark.slow
def test_check_values(scores, tmp_path):
    records = list(published_scores(Context(scores.parent, False, True, tmp_path)))
    assert DESCRIPTION
    assert len({record.metric for record in records}) == len(records)
    checked = 0
    for record in records:
        assert np.isfinite(record.value), record.metric
        goal = re.match(r"-?[\d.]+(e-?\d+)?", record.goal)
        if goal and ("methods.md" in record.goal or "published" in record.goal):
            published = float(goal[0])
            digits = len(goal[0].split("e")[0].replace("-", "").replace(".", "").lstrip("0"))
            tolerance = _LOOSE.get(record.metric, max(0.6 * 10.0 ** (1 - digits), 2e-4))
            assert record.value == pytest.approx(published, rel=tolerance), record.metric
            checked += 1
    assert checked >= 45
