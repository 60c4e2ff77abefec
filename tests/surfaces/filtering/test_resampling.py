"""Resampling: exact for second order, holes keep their size, bad spacings are refused."""

from __future__ import annotations

import numpy as np
import pytest

from ballistics.errors import ParameterError
from ballistics.surfaces.filtering.resampling import resample


@pytest.mark.parametrize("target", [3.0, 6.25, 11.0])
def test_second_order_surfaces_are_exact_inside(target: float) -> None:
    y, x = np.mgrid[:60, :50] * np.array([5.0, 7.37])[:, None, None]
    result = resample(1 + 0.2 * x - 0.1 * y + 1e-3 * x * y + 2e-3 * x * x, (5.0, 7.37), target)
    v, u = np.indices(result.shape) * target
    inside = (v > 6) & (v < 280) & (u > 8) & (u < 340)
    expected = 1 + 0.2 * u - 0.1 * v + 1e-3 * u * v + 2e-3 * u * u
    np.testing.assert_allclose(result[inside], expected[inside], atol=1e-9)


def test_holes_keep_their_place_and_size() -> None:
    z = np.random.default_rng(1).normal(size=(100, 100))
    z[30:60, 40:70] = np.nan
    result = resample(z, (7.37, 7.37), 6.25)
    assert np.isnan(result).sum() * 6.25**2 == pytest.approx(900 * 7.37**2, rel=0.05)
    assert np.nanmax(np.abs(result)) < 2 * np.nanmax(np.abs(z))


def test_the_same_grid_comes_back() -> None:
    z = np.random.default_rng(2).normal(size=(20, 30))
    z[4, 5] = np.nan
    np.testing.assert_allclose(resample(z, (6.25, 6.25), 6.25), z, atol=1e-12)


@pytest.mark.parametrize("target", [0.0, -1.0, np.nan, 1e-4])
def test_bad_spacings(target: float) -> None:
    with pytest.raises(ParameterError):
        resample(np.zeros((200, 200)), (6.25, 6.25), target)
