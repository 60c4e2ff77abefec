"""ISO cut-offs and exactness of the public filters."""

from __future__ import annotations

import numpy as np
import pytest

from ballistics.errors import ParameterError
from ballistics.surfaces.filtering.filters import high_pass, low_pass, sigma_um


def transmission(wavelength_um: float, cutoff_um: float, spacing_um: float, order: int, angle: float) -> float:
    """Amplitude of a wave after the filter over before, away from the edges."""
    n = 2 * int(np.ceil(3.0 * max(cutoff_um, wavelength_um) / spacing_um)) + 41
    y, x = (np.mgrid[:n, :n] - n // 2) * spacing_um
    wave = np.cos(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / wavelength_um)
    return float(low_pass(wave, (spacing_um, spacing_um), cutoff_um, order)[n // 2, n // 2])


@pytest.mark.parametrize("angle", [0.0, 0.6])
@pytest.mark.parametrize("spacing", [3.125, 6.25, 7.37])
def test_half_of_a_wave_passes_at_the_short_cutoff(spacing: float, angle: float) -> None:
    assert transmission(16.0, 16.0, spacing, 0, angle) == pytest.approx(0.5, abs=0.004)


@pytest.mark.parametrize("order", [0, 2])
@pytest.mark.parametrize("cutoff", [100.0, 250.0])
def test_half_of_a_wave_passes_at_the_long_cutoff(cutoff: float, order: int) -> None:
    assert transmission(cutoff, cutoff, 6.25, order, 0.3) == pytest.approx(0.5, abs=0.003)


@pytest.mark.parametrize("ratio", [0.5, 0.8, 1.5, 3.0])
def test_transmission_follows_the_iso_characteristic(ratio: float) -> None:
    gauss = np.exp(-np.log(2.0) / ratio**2)
    assert transmission(100.0 * ratio, 100.0, 6.25, 0, 0.0) == pytest.approx(gauss, abs=0.002)
    t = 1.6783469900166605 / ratio**2
    assert transmission(100.0 * ratio, 100.0, 6.25, 2, 0.0) == pytest.approx((1 + t) * np.exp(-t), abs=0.004)


def test_sigma_is_isos_and_not_cmcrs() -> None:
    assert sigma_um(250.0) == pytest.approx(250.0 * np.sqrt(np.log(2) / np.pi) / np.sqrt(2 * np.pi))
    assert sigma_um(1.0) != pytest.approx(1 / (2 * np.pi), rel=0.1)
    assert sigma_um(1.0, order=2) * np.sqrt(2 * np.pi) == pytest.approx(0.7309134, abs=1e-6)


def test_missing_points_stay_missing_and_have_no_weight() -> None:
    rng = np.random.default_rng(3)
    z = rng.normal(size=(60, 50))
    z[20:30, 10:25] = np.nan
    for run in (lambda v: low_pass(v, (6.25, 6.25), 16.0), lambda v: high_pass(v, (6.25, 6.25), 100.0)):
        plain = run(z)
        np.testing.assert_array_equal(np.isnan(plain), np.isnan(z))
        for other in (np.inf, -np.inf):
            np.testing.assert_array_equal(run(np.where(np.isnan(z), other, z)), plain)


def test_a_constant_stays_and_form_goes_with_any_pattern_of_missing_points() -> None:
    y, x = np.mgrid[:80, :70] * 6.25
    missing = np.random.default_rng(4).random(y.shape) < 0.5
    constant = np.where(missing, np.nan, 7.25)
    np.testing.assert_allclose(low_pass(constant, (6.25, 5.0), 40.0), constant, rtol=1e-12)
    form = np.where(missing, np.nan, 40 + 0.03 * x - 0.02 * y + 2e-5 * x * x - 3e-5 * x * y + 1e-5 * y * y)
    assert np.nanmax(np.abs(high_pass(form, (6.25, 6.25), 250.0))) < 1e-8


def test_no_ringing_at_a_hole_in_a_tilted_face() -> None:
    """The reason for regression filters: filling with the mean leaves steps at every edge."""
    y, x = np.mgrid[:160, :160] * 6.25
    z = np.tan(np.deg2rad(2.0)) * x + 0.5 * np.random.default_rng(5).normal(size=x.shape)
    z[np.hypot(y - 500, x - 500) < 200] = np.nan
    rough = high_pass(z, (6.25, 6.25), 250.0)
    border = np.isfinite(rough) & (np.hypot(y - 500, x - 500) < 225)
    assert np.nanstd(rough[border]) < 1.2 * np.nanstd(rough)


@pytest.mark.parametrize(
    ("spacing", "cutoff", "order"),
    [
        ((6.25, 6.25), 10.0, 0),
        ((6.25, 6.25), -1.0, 0),
        ((6.25, 6.25), np.nan, 0),
        ((0.0, 6.25), 50.0, 0),
        ((6.25, 6.25), 50.0, 1),
        ((6.25, 6.25), 1e7, 2),
    ],
)
def test_bad_parameters_are_refused(spacing: tuple[float, float], cutoff: float, order: int) -> None:
    with pytest.raises(ParameterError):
        low_pass(np.zeros((20, 20)), spacing, cutoff, order)


def test_one_point_and_nothing() -> None:
    assert low_pass(np.array([[3.0]]), (6.25, 6.25), 100.0, 2)[0, 0] == pytest.approx(3.0)
    assert np.isnan(low_pass(np.full((5, 5), np.nan), (6.25, 6.25), 100.0)).all()
