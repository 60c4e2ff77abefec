"""The firing-pin impression: found inside the true one, prepared from it, and refused when it is not there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from families import fast_and_slow

from ballistics.errors import ParameterError
from ballistics.provenance import sha256_of_array
from ballistics.surfaces.formats.reading import read
from ballistics.surfaces.preparation.preparing import prepare, replay
from ballistics.surfaces.regions.firing_pin_region import find_firing_pin
from ballistics.surfaces.simulation.disturbances import rotate_surface
from ballistics.surfaces.simulation.heads import Label, SimulatedHead, simulate_firearm, simulate_head, simulate_shot
from ballistics.surfaces.simulation.parameters import FIRING_PINS
from ballistics.surfaces.surface import Surface


def simulated(pin: str = "hemispherical", seed: int = 1, spacing_um: float = 8.0, **shot: object) -> SimulatedHead:
    firearm = simulate_firearm(seed, firing_pin=pin)  # type: ignore[arg-type]
    return simulate_head(
        firearm,
        replace(simulate_shot(seed + 50), **shot),  # type: ignore[arg-type]
        spacing_um=spacing_um,
        field_mm=4.0,
    )


@pytest.mark.parametrize(
    ("pin", "drag_um"),
    fast_and_slow(
        [(FIRING_PINS[0], 300.0), (FIRING_PINS[1], 0.0), (FIRING_PINS[2], 300.0)],
        [(FIRING_PINS[0], 0.0), (FIRING_PINS[1], 300.0), (FIRING_PINS[2], 0.0)],
    ),
)
def test_region_is_the_floor_of_the_impression(pin: str, drag_um: float) -> None:
    head = simulated(pin, drag_um=drag_um, tilt_deg=1.0)
    found = find_firing_pin(head.surface)
    assert found.reason is None
    true = head.labels == Label.FIRING_PIN
    # Inside it, rim and drag mark left out, and not a crumb of it.
    assert (found.mask & true).sum() >= 0.99 * found.mask.sum()
    assert (found.mask & true).sum() >= 0.3 * true.sum()
    assert found.depth_um == pytest.approx(head.firearm.pin_depth_um * head.shot.pin_depth_ratio, rel=0.4)
    rows, columns = np.nonzero(true)
    assert found.circle is not None
    middle = 8.0 * rows.mean(), 8.0 * columns.mean()
    assert np.hypot(*np.subtract(found.circle.centre_um, middle)) < 60.0


@pytest.mark.slow
def test_region_turns_with_the_scan_and_survives_being_turned_over() -> None:
    head = simulated(steepest_deg=90.0)
    upright = find_firing_pin(head.surface).mask
    over = find_firing_pin(replace(head.surface, heights_um=-head.surface.heights_um))
    assert over.breech_face.inverted
    assert (over.mask & upright).sum() > 0.95 * (over.mask | upright).sum()
    turned = find_firing_pin(rotate_surface(head.surface, 90.0)).mask
    straight = np.rot90(upright)
    assert (turned & straight).sum() > 0.95 * (turned | straight).sum()


def test_no_impression_no_guess() -> None:
    rng = np.random.default_rng(1)
    head = simulated()
    masked = np.where(head.region, head.surface.heights_um, np.nan)
    cases = (
        rng.normal(size=(300, 300)),
        np.full((200, 200), np.nan),
        np.zeros((0, 0)),
        masked,
        np.where(head.labels == Label.FIRING_PIN, np.nan, head.surface.heights_um),
    )
    for heights in cases:
        found = find_firing_pin(Surface(heights, (8.0, 8.0)))
        assert found.reason is not None
        assert not found.mask.any()
        assert prepare(Surface(heights, (8.0, 8.0)), "firing pin").insufficient
    with pytest.raises(ParameterError):
        find_firing_pin(Surface(np.zeros((50, 50)), (8.0, 8.0), kind="reflectance"))


@pytest.mark.slow
def test_prepared_impression_is_trimmed_and_can_be_replayed() -> None:
    head = simulated(spacing_um=6.25)
    mark = prepare(head.surface, "firing pin")
    assert mark.insufficient is None
    assert (mark.kind, mark.spacing_um) == ("firing pin", 1.5625)
    outcomes = {step.name: step.outcome for step in mark.steps}
    assert outcomes["find region"]["depth_um"] > 50.0
    assert outcomes["trim edge"]["removed_points"] > 0
    assert mark.region is not None
    # A border of 55 µm is gone all round.
    assert mark.area_um2 < 0.9 * mark.region.sum() * 6.25**2
    assert max(mark.heights_um.shape) * 1.5625 < np.ptp(np.argwhere(mark.region), axis=0).max() * 6.25 - 90.0
    again = replay(head.surface, mark.steps, "firing pin")
    assert sha256_of_array(again.heights_um) == sha256_of_array(mark.heights_um)
    given = prepare(head.surface, "firing pin", region=mark.region)
    np.testing.assert_array_equal(given.heights_um, mark.heights_um)


@pytest.mark.slow
def test_raw_scans_are_too_coarse_for_firing_pins_and_say_so(raw_scans: Path) -> None:
    for path in sorted(raw_scans.glob("*.x3p")):
        surface = read(path, units="micrometres")
        found = find_firing_pin(surface)
        assert found.reason is None
        assert 100.0 < found.depth_um < 250.0
        assert found.circle is not None
        assert 300.0 < found.circle.radius_um < 600.0
        mark = prepare(surface, "firing pin")
        assert mark.insufficient is not None
        assert "spacing of 7.37" in mark.insufficient
