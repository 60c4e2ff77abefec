"""Robust levelling: the plane is found beside holes, and its tilt and direction are right."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from property_tests import examples

from ballistics.errors import ParameterError
from ballistics.surfaces.filtering.levelling import fit_form


def plane(tilt_deg: float, direction_deg: float, shape: tuple[int, int] = (60, 70)) -> np.ndarray:
    y, x = (np.indices(shape)) * 10.0
    slope, direction = np.tan(np.deg2rad(tilt_deg)), np.deg2rad(direction_deg)
    return slope * (x * np.cos(direction) - y * np.sin(direction))


@given(st.floats(0.1, 8), st.floats(0, 359), st.integers(0, 1000))
@examples(25)
def test_tilt_and_direction_despite_forty_percent_outliers(tilt: float, direction: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    z = plane(tilt, direction) + 0.05 * rng.normal(size=(60, 70))
    z[:24] -= rng.uniform(50, 300, size=(24, 70))
    form = fit_form(z, (10.0, 10.0), order=1)
    assert form is not None
    assert form.tilt_deg == pytest.approx(tilt, abs=0.02)
    assert abs((form.direction_deg - direction + 180) % 360 - 180) * np.deg2rad(tilt) < 0.01
    assert np.abs(z - form.heights_um(z.shape, (10.0, 10.0)))[24:].max() < 0.5


def test_second_order_is_exact_with_missing_points_and_unequal_spacings() -> None:
    y, x = np.indices((50, 80)) * np.array([12.0, 7.0])[:, None, None] * 1e-3
    z = 3 + 20 * x - 8 * y + 30 * x * x - 12 * x * y + 7 * y * y
    z[np.random.default_rng(1).random(z.shape) < 0.5] = np.nan
    for selected in (False, True):
        form = fit_form(z, (12.0, 7.0), 2, selected=selected)
        assert form is not None
        assert np.nanmax(np.abs(z - form.heights_um(z.shape, (12.0, 7.0)))) < 1e-3


def test_same_bytes_twice() -> None:
    z = plane(1.0, 30.0) + np.random.default_rng(2).normal(size=(60, 70))
    first, second = fit_form(z, (10.0, 10.0)), fit_form(z, (10.0, 10.0))
    assert first is not None
    assert second is not None
    assert first.coefficients.tobytes() == second.coefficients.tobytes()


def test_too_little_to_level() -> None:
    assert fit_form(np.full((30, 30), np.nan), (5.0, 5.0)) is None
    assert fit_form(np.zeros((1, 50)), (5.0, 5.0)) is None
    assert fit_form(np.zeros((0, 0)), (5.0, 5.0)) is None
    with pytest.raises(ParameterError):
        fit_form(np.zeros((30, 30)), (5.0, 5.0), order=3)
