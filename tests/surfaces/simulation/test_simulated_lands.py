"""Simulated lands: the ground truth they state is that of the surface, and a seed says all."""

from __future__ import annotations

import numpy as np
import pytest

from ballistics.errors import ParameterError
from ballistics.surfaces import LandShot, LandSource, simulate_land
from ballistics.surfaces.simulation.lands import land_striae

SOURCE = LandSource(3, 5)
CLEAN = LandShot(7, contact=1.0, pitting=0.0, slippage_um=0.0, noise_um=0.0)


def test_the_same_seeds_give_the_same_surface() -> None:
    first, two = (simulate_land(SOURCE, LandShot(7), 2, spacing_um=6.25) for _ in range(2))
    np.testing.assert_array_equal(first.surface.heights_um, two.surface.heights_um)
    other = simulate_land(SOURCE, LandShot(8), 2, spacing_um=6.25)
    assert not np.array_equal(first.surface.heights_um[:, :200], other.surface.heights_um[:, :200], equal_nan=True)


def test_the_striae_are_those_of_the_profile() -> None:
    made = simulate_land(SOURCE, CLEAN, 0)
    rows, columns = made.surface.heights_um.shape
    x = np.arange(columns) * 1.5625
    row = made.surface.heights_um[rows // 2]
    inside = np.isfinite(row) & (x > made.ends_um[0] + 30) & (x < made.ends_um[1] - 30)
    level = row[inside] - np.polyval(np.polyfit(x[inside], row[inside], 4), x[inside])
    places = (np.arange(len(made.striae_um)) - len(made.striae_um) / 2) * made.step_um
    truth = np.interp(x[inside] - sum(made.ends_um) / 2, places, made.striae_um)
    truth -= np.polyval(np.polyfit(x[inside], truth, 4), x[inside])
    assert np.corrcoef(level, truth)[0, 1] > 0.99


def test_neighbours_of_one_make_share_the_coarse_lines_and_no_fine_ones() -> None:
    # Shared lines have waves of 90 to 500 µm, and a filter of finite slope lets a little of them through below that.
    def parts(seed: int, make: int, land: int) -> tuple[np.ndarray, np.ndarray]:
        striae = land_striae(LandSource(seed, make), CLEAN, land)
        spectrum = np.fft.rfft(striae)
        wave = 1.0 / np.maximum(np.fft.rfftfreq(len(striae), 0.5), 1e-9)
        return tuple(np.fft.irfft(np.where(keep, spectrum, 0), len(striae)) for keep in (wave > 300, wave < 60))

    def correlations(make: int) -> np.ndarray:
        pairs = [zip(parts(1, 9, land), parts(2, make, land), strict=True) for land in range(6)]
        return np.mean([[np.corrcoef(a, b)[0, 1] for a, b in pair] for pair in pairs], axis=0)

    coarse, fine = correlations(9)
    assert coarse > 0.9
    assert abs(fine) < 0.1
    coarse, fine = correlations(10)
    assert abs(coarse) < 0.3
    assert abs(fine) < 0.1


@pytest.mark.parametrize("spacing", [0.645, 3.1])
def test_shoulders_lie_where_the_truth_says(spacing: float) -> None:
    made = simulate_land(SOURCE, CLEAN, 1, spacing_um=spacing, length_um=30.0)
    row = made.surface.heights_um[len(made.surface.heights_um) // 2]
    x = np.arange(len(row)) * spacing
    middle = np.isfinite(row) & (np.abs(x - sum(made.ends_um) / 2) < 850)
    off = row - np.polyval(np.polyfit(x[middle], row[middle], 4), x)
    for end, sign in zip(made.ends_um, (-1, 1), strict=True):
        assert np.nanmedian(off[np.abs(x - end - sign * 100) < 20]) > 15
        assert abs(np.nanmedian(off[np.abs(x - end + sign * 40) < 20])) < 6


def test_what_is_missing_is_missing() -> None:
    cut = simulate_land(SOURCE, LandShot(7, missing=0.5), 0, spacing_um=6.25)
    assert cut.surface.valid_fraction < 0.6
    absent = simulate_land(SOURCE, LandShot(7, shoulders=(False, True)), 0, spacing_um=6.25)
    assert absent.ends_um[0] < 0
    with pytest.raises(ParameterError, match="lands"):
        LandSource(1, lands=0)


@pytest.mark.parametrize("missing", [0.25, 0.5, 0.7])
def test_a_land_keeps_the_rest_of_its_width(missing) -> None:
    for seed in range(6):
        land = simulate_land(SOURCE, LandShot(seed, missing=missing), 0, spacing_um=6.25)
        left, right = land.ends_um
        x = 6.25 * np.arange(land.surface.heights_um.shape[1])
        inside = (x > left) & (x < right)
        kept = np.isfinite(land.surface.heights_um[:, inside]).mean()
        assert kept == pytest.approx(1 - missing, abs=0.03)
