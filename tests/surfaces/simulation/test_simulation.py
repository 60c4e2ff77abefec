"""Simulated heads: determinism, exact ground truth, realistic marks, sane regions, files."""

from __future__ import annotations

import csv
import itertools
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from families import fast_and_slow
from numpy.typing import NDArray
from scipy import ndimage

from ballistics.errors import ParameterError, WriteError
from ballistics.provenance import sha256_of_array
from ballistics.surfaces.formats.reading import read
from ballistics.surfaces.pose import Pose
from ballistics.surfaces.simulation.breech_faces import BREECH_FACES
from ballistics.surfaces.simulation.files import truth_row, write_population
from ballistics.surfaces.simulation.heads import (
    Label,
    Shot,
    SimulatedHead,
    simulate_ammunition,
    simulate_firearm,
    simulate_head,
    simulate_population,
    simulate_shot,
)
from ballistics.surfaces.simulation.parameters import FIRING_PINS, PRIMER_RADIUS_UM

Floats = NDArray[np.float64]
CLEAN = {
    "pose": Pose(),
    "tilt_deg": 0.0,
    "noise_um": 0.0,
    "dropout_share": 0.0,
    "steepest_deg": 90.0,
    "spike_share": 0.0,
}


def clean_shot(seed: int, **changes: object) -> Shot:
    """A shot measured without any fault, at pose 0."""
    return replace(simulate_shot(seed), **{**CLEAN, **changes})  # type: ignore[arg-type]


def band_passed(head: SimulatedHead, short_um: float = 16.0, long_um: float = 250.0) -> Floats:
    """Region of a head between two ISO 16610 cut-offs, by normalised convolution."""
    heights, spacing = head.surface.heights_um, head.surface.spacing_um[0]
    valid = head.region & np.isfinite(heights)
    level = float(np.median(heights[valid]))
    values = np.where(valid, heights - level, 0.0)
    for cutoff, high in ((short_um, False), (long_um, True)):
        sigma = 0.18740 * cutoff / spacing
        weight = np.maximum(ndimage.gaussian_filter(valid.astype(float), sigma), 1e-6)
        smooth = ndimage.gaussian_filter(values, sigma) / weight
        values = np.where(valid, values - smooth if high else smooth, 0.0)
    return np.where(valid, values, np.nan)


def correlation(a: Floats, b: Floats) -> float:
    both = np.isfinite(a) & np.isfinite(b)
    return float(np.corrcoef(a[both], b[both])[0, 1])


@pytest.mark.slow
def test_same_seed_same_bytes_whatever_the_threads() -> None:
    script = (
        "from ballistics.surfaces.simulation.heads import *;"
        "from ballistics.provenance import sha256_of_array as s;"
        "h = simulate_head(simulate_firearm(3, 'filed'), simulate_shot(4), spacing_um=12.5);"
        "print(s(h.surface.heights_um), s(h.labels))"
    )
    head = simulate_head(simulate_firearm(3, "filed"), simulate_shot(4), spacing_um=12.5)
    here = f"{sha256_of_array(head.surface.heights_um)} {sha256_of_array(head.labels)}"
    for count in ("1", "4"):
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), count)
        there = subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, **threads},
            capture_output=True,
            text=True,
            check=True,
        )
        assert there.stdout.strip() == here


def test_other_seeds_give_other_heads() -> None:
    firearm, shot = simulate_firearm(3), simulate_shot(4)
    first = simulate_head(firearm, shot, spacing_um=50.0).surface.heights_um
    for other in (
        simulate_head(simulate_firearm(5), shot, spacing_um=50.0),
        simulate_head(firearm, simulate_shot(5), spacing_um=50.0),
    ):
        assert not np.array_equal(first, other.surface.heights_um, equal_nan=True)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_quarter_turns_are_exact(quarters: int) -> None:
    firearm = simulate_firearm(8, "milled", "rectangular", "rectangular")
    shot = clean_shot(9, steepest_deg=35.0, dropout_share=0.05, drag_um=200.0, shear_um=150.0)
    straight = simulate_head(firearm, shot, spacing_um=20.0)
    turned = simulate_head(firearm, replace(shot, pose=Pose(90.0 * quarters)), spacing_um=20.0)
    np.testing.assert_array_equal(turned.labels, np.rot90(straight.labels, quarters))
    np.testing.assert_allclose(
        turned.surface.heights_um, np.rot90(straight.surface.heights_um, quarters), rtol=0, atol=1e-9
    )


@pytest.mark.parametrize("breech_face", BREECH_FACES)
def test_pose_moves_heights_and_labels_as_it_states(breech_face: str) -> None:
    # A fine, small field about one and the same spot of the annulus, 1.4 mm right of the origin.
    # Independent statement of the convention: complex numbers with the imaginary part up.
    firearm, spacing = simulate_firearm(11, breech_face), 2.5  # type: ignore[arg-type]
    turns = [np.exp(1j * np.deg2rad(theta)) for theta in (-20.0, 213.7)]
    shifts = [40.0 + 25.0j - 1400.0 * turns[0], -30.0 + 8.0j - 1400.0 * turns[1]]
    poses = [
        Pose(theta, dx_um=shift.real, dy_um=-shift.imag) for theta, shift in zip((-20.0, 213.7), shifts, strict=True)
    ]
    a, b = (simulate_head(firearm, clean_shot(12, pose=p), spacing_um=spacing, field_mm=1.0) for p in poses)
    middle = 0.5 * (a.labels.shape[0] - 1)
    # Off the border, where the relief has a step that the test's interpolation cannot follow.
    rows, columns = np.nonzero(ndimage.binary_erosion(a.region, iterations=8))
    on_a = ((columns - middle) - 1j * (rows - middle)) * spacing
    on_b = (on_a - shifts[0]) / turns[0] * turns[1] + shifts[1]
    positions = np.stack((-on_b.imag, on_b.real)) / spacing + middle
    seen = np.all((positions >= 4) & (positions <= 2 * middle - 4), axis=0)
    assert seen.sum() > 40_000
    nearest = b.labels[tuple(np.rint(positions[:, seen]).astype(int))]
    assert (nearest == Label.BREECH_FACE).all()
    expected = ndimage.map_coordinates(b.surface.heights_um, positions[:, seen], order=3)
    difference = a.surface.heights_um[rows, columns][seen] - expected
    assert np.abs(difference).max() < 0.05  # interpolation in the test; the relief is 1 to 3 µm rms

    motion = poses[0].after(poses[1].inverse())
    back = on_b * np.exp(1j * np.deg2rad(motion.theta_deg)) + motion.dx_um - 1j * motion.dy_um
    np.testing.assert_allclose(back, on_a, atol=1e-9)


def test_spacing_samples_one_and_the_same_relief() -> None:
    firearm, shot = simulate_firearm(2), clean_shot(3)
    # An odd factor puts every coarse point on a fine one.
    fine = simulate_head(firearm, shot, spacing_um=10.0, field_mm=3.0)
    coarse = simulate_head(firearm, shot, spacing_um=30.0, field_mm=3.0)
    np.testing.assert_allclose(coarse.surface.heights_um, fine.surface.heights_um[1::3, 1::3], atol=1e-9)


@pytest.mark.parametrize("breech_face", fast_and_slow(["granular"], [f for f in BREECH_FACES if f != "granular"]))
@pytest.mark.slow
def test_marks_correlate_as_real_ones_do(breech_face: str) -> None:
    marks = []
    for seed in (21, 22):
        firearm = simulate_firearm(seed, breech_face)  # type: ignore[arg-type]
        shots = (replace(simulate_shot(10 * seed + i), pose=Pose(), tilt_deg=0.0) for i in range(3))
        marks.append([band_passed(simulate_head(firearm, shot, field_mm=4.0)) for shot in shots])
    for row in marks:
        for a, b in itertools.combinations(row, 2):
            assert 0.4 < correlation(a, b) < 0.95
    assert all(abs(correlation(a, b)) < 0.3 for a, b in itertools.product(*marks))
    # Roughness of the Fadul scans in this band: 0.7 to 1.0 µm after removing outliers.
    assert all(0.5 < np.nanstd(mark) < 2.5 for row in marks for mark in row)


@pytest.mark.slow
def test_contact_governs_the_correlation() -> None:
    firearm = simulate_firearm(31)
    full = band_passed(simulate_head(firearm, clean_shot(1, contact=1.0), field_mm=4.0))
    scores = [
        correlation(full, band_passed(simulate_head(firearm, clean_shot(2, contact=share), field_mm=4.0)))
        for share in (0.1, 0.5, 0.95)
    ]
    assert scores[0] < scores[1] - 0.1 < scores[2] - 0.2


@pytest.mark.slow
def test_a_shared_cutter_gives_subclass_marks() -> None:
    first = simulate_firearm(41, "milled", cutter_seed=7)
    sister = simulate_firearm(42, "milled", cutter_seed=7)
    stranger = simulate_firearm(42, "milled")
    a, b, c, d = (
        band_passed(simulate_head(firearm, clean_shot(seed), field_mm=4.0))
        for seed, firearm in ((1, first), (2, first), (3, sister), (4, stranger))
    )
    assert correlation(a, b) > correlation(a, c) + 0.05
    assert correlation(a, c) > 0.3
    assert abs(correlation(a, d)) < 0.25
    # Granular breech faces have no cutter: the seed has no effect on them.
    granular = [simulate_head(simulate_firearm(5, cutter_seed=s), clean_shot(1), spacing_um=25.0) for s in (1, 2)]
    np.testing.assert_array_equal(*(head.surface.heights_um for head in granular))


@pytest.mark.parametrize(
    ("breech_face", "firing_pin", "aperture"),
    [
        ("granular", "elliptical", "round"),
        *zip(BREECH_FACES, FIRING_PINS, ("rectangular", "round", "rectangular"), strict=True),
    ],
)
@pytest.mark.parametrize("primer", fast_and_slow(["small pistol"], ["large pistol"]))
def test_region_is_the_flat_annulus(breech_face: str, firing_pin: str, aperture: str, primer: str) -> None:
    firearm = simulate_firearm(51, breech_face, firing_pin, aperture)  # type: ignore[arg-type]
    ammunition = simulate_ammunition(52, primer)  # type: ignore[arg-type]
    shot = clean_shot(53, ammunition=ammunition, drag_um=250.0, shear_um=200.0)
    head = simulate_head(firearm, shot, spacing_um=12.5, field_mm=6.2)
    region = head.region
    line = (np.arange(region.shape[0]) - 0.5 * (region.shape[0] - 1)) * 12.5
    radius = np.hypot(line[:, None] - shot.primer_offset_um[0], line[None, :] - shot.primer_offset_um[1])
    assert radius[region].max() < 1.03 * ammunition.flat_radius_um
    assert not region[radius > PRIMER_RADIUS_UM[primer]].any()  # type: ignore[index]
    # One piece with one hole, and the hole holds the whole aperture mark.
    assert ndimage.label(region)[1] == 1
    filled = ndimage.binary_fill_holes(region)
    assert ndimage.label(filled & ~region)[1] == 1
    half = np.prod(firearm.aperture_half_um) * (np.pi if aperture == "round" else 4.0)
    assert (filled & ~region).sum() * 12.5**2 > 0.95 * half
    # It is flat: everything else on the primer is not.
    heights = head.surface.heights_um
    assert np.abs(heights[region] - np.median(heights[region])).max() < 40.0
    assert heights[head.labels == Label.FIRING_PIN].min() < np.median(heights[region]) - 50.0
    assert np.median(heights[head.labels == Label.PRIMER_EDGE]) < np.median(heights[region]) - 40.0
    assert {int(label) for label in np.unique(head.labels)} == {int(label) for label in Label}


def test_drag_and_shear_take_from_the_region() -> None:
    firearm = simulate_firearm(61)
    none, both = (
        simulate_head(firearm, clean_shot(62, drag_um=length, shear_um=length), spacing_um=12.5)
        for length in (0.0, 250.0)
    )
    assert not (none.labels == Label.DRAG).any()
    assert (both.region & ~none.region).sum() == 0
    assert (none.region & ~both.region).sum() * 12.5**2 > 0.05e6


@pytest.mark.slow
def test_dropouts_hold_their_share_and_stay_inside_the_region() -> None:
    firearm = simulate_firearm(71)
    whole = simulate_head(firearm, clean_shot(72))
    holed = simulate_head(firearm, clean_shot(72, dropout_share=0.1))
    missing = np.isnan(holed.surface.heights_um)
    assert not np.isnan(whole.surface.heights_um).any()
    np.testing.assert_array_equal(holed.labels, whole.labels)
    assert missing[holed.region].mean() == pytest.approx(0.1, abs=1e-3)
    # Clustered: a missing point's neighbour is missing far more often than one time in ten.
    assert missing[:, 1:][missing[:, :-1]].mean() > 0.5


def test_steep_walls_are_lost_only_by_instruments_that_lose_them() -> None:
    head = simulate_head(simulate_firearm(81), clean_shot(82, steepest_deg=30.0), spacing_um=12.5)
    missing = np.isnan(head.surface.heights_um)
    assert missing[head.labels == Label.OUTSIDE].mean() > 0.5
    assert missing[head.region].mean() < 0.02


def test_tilt_noise_and_spikes_are_what_was_asked() -> None:
    firearm = simulate_firearm(91)
    plain = simulate_head(firearm, clean_shot(92), spacing_um=12.5).surface.heights_um
    tilted = simulate_head(
        firearm, clean_shot(92, tilt_deg=2.0, tilt_direction_deg=90.0), spacing_um=12.5
    ).surface.heights_um
    # Direction 90° is up: the first row is the highest.
    rise = np.tan(np.deg2rad(2.0)) * 12.5
    np.testing.assert_allclose(np.diff(tilted - plain, axis=0), -rise, atol=1e-9)
    noisy = simulate_head(firearm, clean_shot(92, noise_um=0.3), spacing_um=12.5).surface.heights_um
    assert np.std(noisy - plain) == pytest.approx(0.3, rel=0.02)
    spiked = simulate_head(firearm, clean_shot(92, spike_share=0.01), spacing_um=12.5).surface.heights_um
    difference = np.abs(spiked - plain)
    assert (difference > 0).mean() == pytest.approx(0.01, rel=0.2)
    assert difference[difference > 1e-6].min() >= 10.0 - 1e-6


@pytest.mark.slow
def test_population_is_lazy_and_each_head_depends_on_its_numbers_only() -> None:
    endless = simulate_population(10**9, 10**6, seed=5, spacing_um=100.0)
    first = list(itertools.islice(endless, 2))
    assert [(head.firearm_id, head.shot_id) for head in first] == [(0, 0), (0, 1)]
    all_heads = list(simulate_population(4, 1, seed=5, spacing_um=100.0))
    (last,) = simulate_population(1, 1, seed=5, spacing_um=100.0, first_firearm=3)
    assert last.firearm == all_heads[3].firearm
    np.testing.assert_array_equal(last.surface.heights_um, all_heads[3].surface.heights_um)
    assert [head.firearm.breech_face for head in all_heads] == ["granular", "milled", "filed", "granular"]
    assert all_heads[0].firearm.seed != all_heads[3].firearm.seed
    for number, kinds in (
        (4, ("milled", "elliptical", "round")),
        (17, ("filed", "rectangular", "rectangular")),
    ):
        (head,) = simulate_population(1, 1, seed=5, spacing_um=100.0, first_firearm=number)
        assert (head.firearm.breech_face, head.firearm.firing_pin, head.firearm.aperture) == kinds


def test_bad_parameters_are_refused() -> None:
    firearm, shot = simulate_firearm(1), simulate_shot(1)
    for refused in (
        lambda: simulate_firearm(1, breech_face="polished"),  # type: ignore[arg-type]
        lambda: simulate_firearm(-1),
        lambda: simulate_ammunition(1, "shotgun"),  # type: ignore[arg-type]
        lambda: replace(shot, contact=1.5),
        lambda: replace(shot, tilt_deg=float("nan")),
        lambda: simulate_head(firearm, shot, spacing_um=0.0),
        lambda: simulate_head(firearm, shot, field_mm=float("inf")),
        lambda: simulate_head(firearm, shot, spacing_um=0.5, field_mm=20.0),
        lambda: simulate_population(-1, 1, seed=1),
        lambda: simulate_population(1, 1, seed=1, breech_faces=()),
    ):
        with pytest.raises(ParameterError):
            refused()


def test_files_hold_scan_region_and_truth(tmp_path: Path) -> None:
    heads = list(simulate_population(2, 2, seed=3, spacing_um=25.0))
    paths = list(write_population(heads, tmp_path / "new"))
    with (tmp_path / "new" / "truth.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["scan"] for row in rows] == [path.name for path in paths]
    assert [row["firearm"] for row in rows] == ["0", "0", "1", "1"]
    for head, path, row in zip(heads, paths, rows, strict=True):
        scan = read(path)
        np.testing.assert_allclose(scan.heights_um, head.surface.heights_um, rtol=1e-12)
        assert scan.spacing_um == pytest.approx((25.0, 25.0))
        region = cv2.imread(str(path.with_suffix(".region.png")), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(region, head.region * np.uint8(255))
        labels = cv2.imread(str(path.with_suffix(".labels.png")), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(labels, head.labels)
        assert float(row["theta_deg"]) == head.pose.theta_deg
        assert float(row["dy_um"]) == head.pose.dy_um
        assert {name: str(value) for name, value in truth_row(head).items()} == row
    with pytest.raises(WriteError):
        next(write_population(heads, tmp_path / "new"))
    again = list(write_population(heads[:1], tmp_path / "new", overwrite=True))
    assert again == paths[:1]
