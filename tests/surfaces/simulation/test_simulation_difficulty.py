"""What makes simulated pairs hard: each effect does what it says, and nothing where it is 0."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from ballistics.errors import ParameterError, WriteError
from ballistics.provenance import sha256_of_array
from ballistics.surfaces.simulation.difficulty import DIFFICULTIES, Difficulty
from ballistics.surfaces.simulation.face import made_face, pressed_face
from ballistics.surfaces.simulation.fields import Canvas, generator, red_field
from ballistics.surfaces.simulation.files import truth_row, write_population
from ballistics.surfaces.simulation.heads import (
    Firearm,
    Shot,
    simulate_ammunition,
    simulate_firearm,
    simulate_head,
    simulate_population,
)

Floats = NDArray[np.float64]


def face(seed: int = 1) -> Canvas:
    return Canvas(2.0 * red_field(generator(seed, "test"), 18.0, 400.0, 1.6), 5.0)


def relief(firearm: Firearm, shot: Shot) -> Floats:
    return pressed_face(firearm, shot, made_face(firearm, face())).coefficients.astype(np.float64)


def r(a: Floats, b: Floats) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


PLAIN = Shot(1, simulate_ammunition(1))
FIREARM = simulate_firearm(1)


def test_without_any_effect_the_face_itself_comes_back_and_old_seeds_give_the_same_bytes() -> None:
    canvas = face()
    assert pressed_face(FIREARM, PLAIN, made_face(FIREARM, canvas)) is canvas
    heads = simulate_population(2, 1, 7, spacing_um=25.0)
    # Taken before there was any difficulty.
    assert [sha256_of_array(head.surface.heights_um)[:16] for head in heads] == ["33beab2f9ac6dbf9", "494a857e7efcfd9f"]


def test_records_list_hard_parameters_only_where_one_is_in_force(tmp_path: Path) -> None:
    (easy,) = simulate_population(1, 1, 7, spacing_um=50.0)
    (hard,) = simulate_population(1, 1, 7, spacing_um=50.0, difficulty="faint")
    assert easy.surface.provenance is not None
    assert hard.surface.provenance is not None
    assert "wear_share" not in truth_row(easy)
    assert "wear_share" not in easy.surface.provenance.parameters["shot"]
    for name in ("bare_share", "make_um"):
        assert truth_row(hard)[name] == hard.surface.provenance.parameters["firearm"][name] > 0.0
    assert truth_row(hard)["face_drag_um"] == hard.shot.face_drag_um > 0.0
    with pytest.raises(WriteError, match="other parameters"):
        list(write_population([easy, replace(hard, shot_id=1)], tmp_path))


def test_wear_replaces_its_share_of_the_variance_and_goes_one_way() -> None:
    new, half, most, all_ = (relief(FIREARM, replace(PLAIN, wear_share=s)) for s in (0.0, 0.5, 0.9, 1.0))
    assert r(new, half) == pytest.approx(np.sqrt(0.5), abs=0.05)
    assert r(half, most) == pytest.approx(np.cos(np.arcsin(np.sqrt(0.9)) - np.pi / 4), abs=0.05)
    assert abs(r(new, all_)) < 0.1
    assert half.std() == pytest.approx(new.std(), rel=0.1)
    # It is the firearm's own change, whoever fires the shot.
    again = relief(FIREARM, replace(PLAIN, seed=99, wear_share=0.5))
    np.testing.assert_array_equal(half, again)


def test_residue_is_thick_on_three_tenths_of_the_face_and_other_at_each_shot() -> None:
    clean, fouled, other = (relief(FIREARM, replace(PLAIN, seed=n, residue_um=u)) for n, u in ((1, 0), (1, 3), (2, 3)))
    deposit = fouled - clean
    assert deposit.min() > -1e-5
    assert deposit.max() == pytest.approx(3.0, abs=0.01)
    assert (deposit > 1.5).mean() == pytest.approx(0.3, abs=0.01)
    assert abs(r(deposit, other - clean)) < 0.2


def test_light_contact_leaves_the_lowest_share_of_the_face_out() -> None:
    full, light = (relief(FIREARM, replace(PLAIN, unpressed_share=share)) for share in (0.0, 0.4))
    reached = light > light.min()
    assert (~reached).mean() == pytest.approx(0.4, abs=0.01)
    np.testing.assert_array_equal(light[reached], full[reached])
    assert full[~reached].max() <= light.min()


@pytest.mark.parametrize("direction_deg", [0.0, 90.0, 60.0])
def test_drag_takes_the_mean_along_its_direction_and_keeps_what_lies_across(direction_deg: float) -> None:
    firearm = replace(FIREARM, drag_direction_deg=direction_deg)
    before, after = (relief(firearm, replace(PLAIN, face_drag_um=u)) for u in (0.0, 100.0))
    # 100 µm are 20 points of the canvas: the mean over the way, by hand.
    right, up = np.cos(np.deg2rad(direction_deg)), np.sin(np.deg2rad(direction_deg))
    steps = np.linspace(-10.0, 10.0, 401)
    y, x = np.mgrid[100:160, 100:160].astype(float)
    spline = ndimage.spline_filter(before, order=3)
    samples = [ndimage.map_coordinates(spline, [y - s * up, x + s * right], order=3, prefilter=False) for s in steps]
    weights = np.r_[0.5, np.ones(399), 0.5] / 400
    np.testing.assert_allclose(after[100:160, 100:160], np.tensordot(weights, samples, 1), atol=0.03)


def test_bare_faces_have_few_features_and_a_make_has_rings_in_common() -> None:
    bare = relief(replace(FIREARM, bare_share=0.7), PLAIN)
    ratio = np.abs(bare) / np.abs(face().coefficients)
    assert ratio.min() == pytest.approx(1 / 6, abs=0.01)
    # The border of a patch is soft; half-way is the border.
    assert (ratio < 7 / 12).mean() == pytest.approx(0.7, abs=0.01)
    a, b = (replace(simulate_firearm(n), make_seed=5, make_um=1.5) for n in (1, 2))
    rings = [made_face(f, face(f.seed)).coefficients - face(f.seed).coefficients for f in (a, b)]
    np.testing.assert_allclose(rings[0], rings[1], atol=1e-5)
    middle = len(rings[0]) // 2
    # Concentric: the same at the same distance on all sides.
    np.testing.assert_allclose(
        rings[0][middle, middle + 30 : middle + 200], rings[0][middle + 30 : middle + 200, middle], atol=1e-5
    )
    assert rings[0].std() == pytest.approx(1.5, rel=0.3)


@pytest.mark.slow
def test_the_instrument_halves_waves_of_its_cutoff_whatever_the_spacing() -> None:
    for spacing, cutoff in ((2.5, 40.0), (6.25, 18.0), (7.4, 18.0)):
        shot = replace(PLAIN, contact=1.0)
        sharp, blunt = (
            simulate_head(FIREARM, replace(shot, transfer_cutoff_um=c), spacing_um=spacing, field_mm=2.4).surface
            for c in (0.0, cutoff)
        )
        n = sharp.heights_um.shape[0]
        window = np.hanning(n)[:, None] * np.hanning(n)
        a, b = (np.abs(np.fft.rfft2((s.heights_um - s.heights_um.mean()) * window)) for s in (sharp, blunt))
        frequency = np.hypot(np.fft.fftfreq(n, spacing)[:, None], np.fft.rfftfreq(n, spacing)[None, :])
        for wave, kept in ((cutoff, 0.5), (2 * cutoff, 0.5**0.25), (cutoff / 1.15, 0.5**1.3225)):
            ring = np.abs(frequency * wave - 1.0) < 0.03
            assert np.sqrt((b[ring] ** 2).sum() / (a[ring] ** 2).sum()) == pytest.approx(kept, rel=0.06), (
                spacing,
                wave,
            )


def test_ripple_is_the_instruments_own() -> None:
    shot = replace(PLAIN, ripple_um=0.4)
    shots = PLAIN, shot, replace(shot, pose=replace(shot.pose, theta_deg=90.0))
    plain, rippled, turned = (simulate_head(FIREARM, s, spacing_um=12.5).surface.heights_um for s in shots)
    assert (rippled - plain).std() == pytest.approx(0.4, rel=0.05)
    # It stays where it is under the microscope when the cartridge case is turned.
    np.testing.assert_allclose(turned - np.rot90(plain), rippled - plain, atol=1e-9)


@pytest.mark.slow
def test_difficulties_draw_within_their_ranges_and_one_range_moves_no_other_number() -> None:
    for level in DIFFICULTIES.values():
        heads = list(simulate_population(2, 1, 5, field_mm=0.2, difficulty=level))
        for head in heads:
            items = head.firearm, head.shot, head.shot.ammunition
            for name, limits in vars(level).items():
                if isinstance(limits, tuple):
                    (value,) = [getattr(item, name) for item in items if hasattr(item, name)]
                    assert limits[0] <= value <= limits[1], (level.name, name)
        if level.make_um is not None:
            assert len({head.firearm.make_seed for head in heads}) == 1
    difficulty = Difficulty("one", "", contact=(0.2, 0.4))
    (a,) = simulate_population(1, 1, 5, field_mm=0.2, difficulty=difficulty)
    (b,) = simulate_population(1, 1, 5, field_mm=0.2, difficulty=replace(difficulty, residue_um=(1.0, 2.0)))
    assert replace(b.shot, residue_um=0.0) == a.shot
    (c,) = simulate_population(1, 1, 5, field_mm=0.2)
    assert replace(a.shot, contact=c.shot.contact) == c.shot


@pytest.mark.parametrize(
    "change", [{"wear_share": 1.1}, {"residue_um": -1.0}, {"unpressed_share": 1.0}, {"ripple_um": float("nan")}]
)
def test_bad_values_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(ParameterError, match=next(iter(change))):
        replace(PLAIN, **change)  # type: ignore[arg-type]


def test_bad_firearms_and_names_are_refused() -> None:
    for change in ({"bare_share": 1.0}, {"make_um": -0.1}, {"make_seed": -1}):
        with pytest.raises(ParameterError):
            replace(FIREARM, **change)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="choose one of easy, good"):
        simulate_population(1, 1, 1, difficulty="impossible")
