"""Scans that were cut to their region before: told by limits that stand far from both populations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from real_scans import as_read

from ballistics.surfaces.filtering.levelling import fit_form
from ballistics.surfaces.preparation.preparing import prepare
from ballistics.surfaces.preparation.record import preparation_parameters
from ballistics.surfaces.regions import cut_outs
from ballistics.surfaces.regions.breech_face_region import find_breech_face
from ballistics.surfaces.regions.coarse_relief import STEP_UM, coarse_relief
from ballistics.surfaces.regions.cut_outs import flat_range_um, is_prepared
from ballistics.surfaces.simulation.heads import simulate_population
from ballistics.surfaces.surface import Surface


def measures(surface: Surface) -> tuple[float, float, float]:
    """Return what is measured of the frame, the range about the form in µm, and the tilt in degrees."""
    relief = coarse_relief(np.asarray(surface.heights_um, dtype=np.float64), surface.spacing_um)
    assert relief is not None
    valid = relief.valid
    frame = np.concatenate([valid[0], valid[-1], valid[:, 0], valid[:, -1]])
    plane = fit_form(relief.blocks_um, (STEP_UM, STEP_UM), 1)
    assert plane is not None
    return float(frame.mean()), flat_range_um(relief), plane.tilt_deg


def field_of_view(surface: Surface, radius_um: float) -> Surface:
    """Return what an instrument with a round field of view sees."""
    rows, columns = surface.heights_um.shape
    y, x = np.ogrid[:rows, :columns]
    radius = np.hypot((y - rows / 2) * surface.spacing_um[0], (x - columns / 2) * surface.spacing_um[1])
    return Surface(np.where(radius < radius_um, surface.heights_um, np.nan), surface.spacing_um)


@pytest.mark.slow
@pytest.mark.parametrize("every", [4, 1])
def test_limits_stand_far_from_both_populations(fadul: Path, topmatch: Path, raw_scans: Path, every: int) -> None:
    """On the given scans, and on simulated heads at several spacings, twice as far as the limit or half as far."""
    cut = {path.name: as_read(path) for folder in (fadul, topmatch) for path in sorted(folder.glob("*.x3p"))[::every]}
    raw_cut, whole, round_view = {}, {}, {}
    heads = [(path.name, as_read(path)) for path in sorted(raw_scans.glob("*.x3p"))]
    for spacing in (3.5, 6.25, 12.5) if every == 1 else (12.5,):
        heads += [
            (f"simulated {number} at {spacing} µm", head.surface)
            for number, head in enumerate(simulate_population(2, 1, 4_107, spacing_um=spacing, field_mm=4.6))
        ]
    for name, head in heads:
        whole[name] = head
        round_view |= {f"{name}, {radius} µm": field_of_view(head, radius) for radius in (1000, 1500, 2000)}
        region = find_breech_face(head).mask
        raw_cut[name] = Surface(np.where(region, head.heights_um, np.nan), head.spacing_um)
        if "mask" in head.metadata:
            drawn = head.metadata["mask"].any(axis=2)
            raw_cut[f"{name}, drawn"] = Surface(np.where(drawn, head.heights_um, np.nan), head.spacing_um)
    found = {
        what: np.array([measures(surface) for surface in scans.values()])
        for what, scans in (("cut", cut), ("raw, cut", raw_cut), ("whole", whole), ("round view", round_view))
    }
    for what, values in found.items():
        low, high = values.min(axis=0), values.max(axis=0)
        print(
            f"{what:10} ({len(values)}): frame {low[0]:.2f}–{high[0]:.2f}, range {low[1]:.1f}–{high[1]:.1f} µm, "
            f"tilt {low[2]:.3f}–{high[2]:.3f}°"
        )
    frame, height, tilt = cut_outs._LARGEST_FRAME_SHARE, cut_outs._LARGEST_RANGE_UM, cut_outs._LARGEST_TILT_DEG
    for what in ("cut", "raw, cut"):
        assert found[what][:, 0].max() < 0.5 * frame
        assert found[what][:, 1].max() < 0.5 * height
    # Heads have missing frames too, in a round field of view or where their edge is steep: the range tells them.
    assert found["round view"][:, 1].min() > 2.0 * height
    assert found["whole"][:, 1].min() > 2.0 * height
    assert found["cut"][:, 2].max() < 0.5 * tilt
    assert found["raw, cut"][:, 2].min() > 2.0 * tilt


def test_a_raw_scan_cut_to_a_ring_that_was_drawn_is_taken_whole(raw_scans: Path) -> None:
    for path in sorted(raw_scans.glob("*.x3p")):
        surface = as_read(path)
        drawn = surface.metadata["mask"].any(axis=2)
        mark = prepare(Surface(np.where(drawn, surface.heights_um, np.nan), surface.spacing_um))
        assert mark.region is not None
        assert (mark.region & drawn).sum() > 0.999 * drawn.sum()  # all but spikes
        assert "already-masked" in {finding.code for finding in mark.findings}


@pytest.mark.slow
def test_every_scan_goes_through_the_same_steps(topmatch: Path, fadul: Path, raw_scans: Path) -> None:
    """K013sA1 and K013sA2 are two scans of one cartridge case; K066jN1 is a cut-out ring that was refused."""
    ours = [path for path in sorted(topmatch.glob("*.x3p")) if path.stem[:4] in ("K013", "K066")]
    paths = [*ours, fadul / "Fadul-1-1.x3p", *sorted(raw_scans.glob("*.x3p"))]
    marks = {path.parent.name + path.name: prepare(as_read(path)) for path in paths}
    assert {mark.insufficient for mark in marks.values()} == {None}
    assert len({str(preparation_parameters(mark)) for mark in marks.values()}) == 1
    for name, mark in marks.items():
        cut = not name.startswith("raw")
        assert ("already-prepared" in {finding.code for finding in mark.findings}) == cut, name
        assert (mark.steps[2].outcome["source"] == "masked before") == cut, name


@pytest.mark.parametrize("lost", [0.0, 0.3])
def test_a_shifted_or_weakened_scan_is_judged_alike(topmatch: Path, lost: float) -> None:
    """Offsets, amplitudes and dropouts do not change the answer: the mean of .336 rms did."""
    surface = as_read(topmatch / "K013sA1.x3p")
    rng = np.random.default_rng(5)
    heights = np.where(rng.random(surface.heights_um.shape) < lost, np.nan, surface.heights_um)
    for factor, offset in ((1.0, 0.0), (0.3, 5.0), (2.5, -40.0)):
        assert is_prepared(Surface(factor * heights + offset, surface.spacing_um))
