"""What the search benchmark is made of: its simulated marks, its disturbances, and the marks it rebuilds."""

from __future__ import annotations

import numpy as np
import pytest

from ballistics.library.template import RECORD, make_template
from ballistics.search.scan import make_query, scan
from benchmarks.suites.search import KINDS, disturbed
from benchmarks.support.distractors import distractor
from benchmarks.support.template_content import rebuilt


@pytest.fixture(scope="module")
def regions() -> list[np.ndarray]:
    y, x = np.indices((420, 400)) - 205.0
    return [np.hypot(y, x) < 195.0, (np.hypot(y, x) < 190.0) & (np.hypot(y, x) > 60.0)]


def test_a_simulated_mark_is_the_same_fine_or_coarse(regions: list[np.ndarray]) -> None:
    fine, coarse, other = (distractor(regions, 5, k, 6.25, f) for k, f in ((3, True), (3, False), (4, False)))
    assert (fine.spacing_um, coarse.spacing_um) == (6.25, 12.5)
    every_second = fine.heights_um[::2, ::2]
    np.testing.assert_array_equal(np.isfinite(every_second), np.isfinite(coarse.heights_um))
    np.testing.assert_allclose(every_second, coarse.heights_um, atol=1e-4)
    records = np.stack([make_template(mark).array for mark in (coarse, other)])
    scores = scan(make_query(fine), records).scores
    assert scores[0] > 3 * scores[1]
    again = distractor(regions, 5, 3, 6.25, True)
    np.testing.assert_array_equal(again.heights_um, fine.heights_um)


@pytest.mark.parametrize("kind", KINDS)
def test_disturbed_marks_keep_the_area_they_are_said_to(kind: str, regions: list[np.ndarray]) -> None:
    mark = distractor(regions, 5, 0, 6.25, True)
    share = np.isfinite(disturbed(mark, kind, 9).heights_um).sum() / np.isfinite(mark.heights_um).sum()
    assert share == pytest.approx(1.0 if kind == "whole" else 0.5, abs=0.08)


def test_a_rebuilt_mark_lies_where_the_mark_is_and_lacks_its_short_waves(regions: list[np.ndarray]) -> None:
    mark = distractor(regions, 5, 1, 6.25, True)
    copy = rebuilt(mark)
    valid = np.isfinite(mark.heights_um)
    np.testing.assert_array_equal(np.isfinite(copy.heights_um), valid)
    assert 0.4 < np.corrcoef(mark.heights_um[valid], copy.heights_um[valid])[0, 1] < 0.9
    own, back = (make_template(either).array.view(RECORD)[0]["heights"].ravel() for either in (mark, copy))
    assert np.corrcoef(own, back)[0, 1] > 0.8
    step = np.diff(copy.heights_um, axis=1) / np.nanstd(copy.heights_um)
    assert np.nanstd(step) < np.nanstd(np.diff(mark.heights_um, axis=1) / np.nanstd(mark.heights_um))
