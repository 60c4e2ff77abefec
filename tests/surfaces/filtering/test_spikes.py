"""Spikes go, everything else stays."""

from __future__ import annotations

import numpy as np
import pytest

from ballistics.errors import ParameterError
from ballistics.surfaces.filtering.spikes import remove_spikes


def test_all_planted_spikes_are_found_and_nothing_else() -> None:
    rng = np.random.default_rng(1)
    z = 0.2 * rng.normal(size=(200, 200)) + np.linspace(0, 300, 200)[:, None]
    where = rng.choice(z.size, 60, replace=False)
    z.flat[where] += rng.choice((-1, 1), 60) * rng.uniform(10, 100, 60)
    result = remove_spikes(z)
    found = np.isnan(result.heights_um)
    assert found.flat[where].all()
    assert result.removed == found.sum() == 60


def test_walls_and_steps_stay() -> None:
    z = np.zeros((80, 80))
    z[:, 40:] = 100.0
    z[20:50, 10:30] = -200.0
    z += 0.05 * np.random.default_rng(2).normal(size=z.shape)
    removed = np.argwhere(np.isnan(remove_spikes(z).heights_um))
    # A right-angled corner of a vertical wall is the worst case: its outermost three points are
    # outnumbered in their windows. Nothing else may go.
    corners = np.array([[20, 10], [20, 29], [49, 10], [49, 29]])
    assert len(removed) <= 12
    assert all(np.abs(corners - point).sum(axis=1).min() <= 1 for point in removed)


def test_missing_stays_missing_and_nothing_valid_is_no_error() -> None:
    z = np.full((9, 9), np.nan)
    assert remove_spikes(z).removed == 0
    assert np.isnan(remove_spikes(z).heights_um).all()


@pytest.mark.parametrize("bad", [{"window_points": 4}, {"threshold_sigmas": 0.0}, {"smallest_um": -1.0}])
def test_bad_parameters(bad: dict[str, float]) -> None:
    with pytest.raises(ParameterError):
        remove_spikes(np.zeros((9, 9)), **bad)  # type: ignore[arg-type]
