"""Lands from raw scans to bullets: twelve real scans, what turning and damage do to them, and what is no land."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from conftest import data_folder

from ballistics.errors import ParameterError
from ballistics.striations import (
    CorrelationParameters,
    Land,
    LandParameters,
    Signature,
    band_passed,
    compare_bullets,
    compare_signatures,
    correlate,
    find_ends,
    fit_arc,
    land_of,
    land_width_findings,
    profile_signature,
    similarity,
)
from ballistics.surfaces import LandShot, LandSource, Surface, read, simulate_land

# The phase of the two bullets, from the signatures themselves: land i of the first, land i + 4 of the second.
PHASE = 4


@cache
def surface(bullet: int, land: int) -> Surface:
    return read(data_folder("bullets/hamby44-barrel1") / f"Barrel_1-Bullet_{bullet}-Land_{land}.x3p")


@cache
def land(bullet: int, number: int) -> Land:
    return land_of(surface(bullet, number))


def signatures(bullet: int) -> list[Signature]:
    return [land(bullet, k).signature for k in range(1, 7)]


@pytest.mark.slow
def test_both_shoulders_are_found_on_all_twelve() -> None:
    # Read off the height maps by eye, to some 20 µm: left and right, in µm.
    by_eye = {
        (1, 1): (265, 2245), (1, 2): (130, 2090), (1, 3): (210, 2175), (1, 4): (205, 2185),
        (1, 5): (195, 2180), (1, 6): (195, 2150), (2, 1): (165, 2075), (2, 2): (180, 2160),
        (2, 3): (170, 2155), (2, 4): (185, 2165), (2, 5): (205, 2055), (2, 6): (220, 2185),
    }  # fmt: skip
    for which, (left, right) in by_eye.items():
        found = land(*which)
        assert found.left.shoulder
        assert found.right.shoulder
        assert found.left.place_um == pytest.approx(left, abs=25)
        assert found.right.place_um == pytest.approx(right, abs=25)


def test_the_one_land_with_a_damaged_shoulder_is_noticed() -> None:
    found = [land_width_findings([land(b, k) for k in range(1, 7)]) for b in (1, 2)]
    noticed = [(b + 1, k + 1) for b in range(2) for k in range(6) if found[b][k]]
    assert noticed == [(2, 5)]
    assert "shoulder" in found[1][4][0].message


def test_signatures_carry_what_stands_behind_them() -> None:
    signature = land(1, 3).signature
    assert signature.standard_errors_um is not None
    assert signature.rows is not None
    known = np.isfinite(signature.heights_um)
    assert np.isfinite(signature.standard_errors_um[known]).mean() > 0.98
    assert signature.rows[known].min() >= 3
    assert [span.reason for span in signature.excluded] == ["groove shoulder", "groove shoulder"]
    assert np.nanmedian(signature.standard_errors_um) < 0.2 * np.nanstd(signature.heights_um)
    assert signature.provenance is not None
    assert set(signature.provenance.inputs) == {"array", "file"}


def test_lands_in_phase_agree_and_no_others() -> None:
    p = CorrelationParameters(minimum_overlap=0.75)
    a, b = signatures(1), signatures(2)
    r = np.array([[correlate(x, y, p).correlation for y in b] for x in a])
    s = np.array([[similarity(x, y).score for y in b] for x in a])
    same = np.zeros((6, 6), bool)
    same[range(6), [(k + PHASE) % 6 for k in range(6)]] = True
    assert r[same].min() >= 0.85
    assert r[~same].max() <= 0.48
    assert s[same].min() > 100
    assert s[~same].max() < 25


def test_bullets() -> None:
    found = compare_bullets(signatures(1), signatures(2))
    assert found.phase == PHASE
    assert found.pairs == 6
    assert found.margin > 100
    assert found.probability == pytest.approx(6 / 720)
    back = compare_bullets(signatures(2), signatures(1))
    assert (back.phase, back.score, back.margin) == ((6 - PHASE) % 6, found.score, found.margin)
    gaps: list[Signature | None] = list(signatures(1))
    gaps[0] = gaps[3] = None
    part = compare_bullets(gaps, signatures(2))
    assert (part.phase, part.pairs) == (PHASE, 4)


def test_bullets_turned_are_said_and_not_matched() -> None:
    a, b = signatures(1), signatures(2)
    found = compare_bullets(a, b)
    assert not found.findings
    turned = [signature.reversed() for signature in b]
    for order in (turned, turned[::-1]):
        other = compare_bullets(a, order)
        assert [f.code for f in other.findings] == ["bullet-turned"]
        assert other.score < 150 < found.score
    # Both turned: the same score, to the last bit.
    both = compare_bullets([signature.reversed() for signature in a][::-1], turned[::-1])
    assert both.score == found.score
    assert both.margin == found.margin
    assert not both.findings


def test_fragments_and_bullets_of_another_class() -> None:
    piece = compare_bullets(signatures(1), signatures(2)[2:4], fragment=True)
    # The fragment's lands count from 0: its first is land 2 of the bullet it comes from.
    assert piece.phase == (PHASE - 2) % 6
    assert piece.pairs == 2
    assert piece.score > 100
    other = compare_bullets(signatures(1), signatures(2)[:5])
    assert "6 and 5 lands" in (other.insufficient or "")
    assert compare_bullets([], signatures(2)).insufficient
    assert compare_bullets([None] * 6, signatures(2)).insufficient


@pytest.mark.slow
def test_a_scan_turned_is_found_and_reported() -> None:
    upright = surface(1, 3)
    heights = upright.heights_um
    sideways = land_of(replace(upright, heights_um=np.ascontiguousarray(np.rot90(heights, -1))))
    assert sideways.turned
    assert "scan-turned" in [finding.code for finding in sideways.signature.findings]
    np.testing.assert_allclose(sideways.signature.heights_um, land(1, 3).signature.heights_um, atol=1e-9)
    # Scanned sideways the other way round, the ends are exchanged: which, the scan does not say; a comparison does.
    other = land_of(replace(upright, heights_um=np.ascontiguousarray(np.rot90(heights))))
    assert other.turned
    assert correlate(other.signature.reversed(), land(1, 3).signature).correlation > 0.99
    assert [f.code for f in compare_signatures(land(1, 3).signature, other.signature).findings] == ["mark-turned"]
    half = land_of(replace(upright, heights_um=np.ascontiguousarray(heights[::-1, ::-1])))
    assert correlate(half.signature.reversed(), land(1, 3).signature).correlation > 0.99
    found = compare_signatures(land(1, 3).signature, half.signature)
    assert [finding.code for finding in found.findings] == ["mark-turned"]
    # Far below the 1000 nats of the right direction; a land that happens to resemble its mirror image is not nothing.
    assert found.score < 60


def test_partial_and_damaged_lands_still_count() -> None:
    upright = surface(1, 3)
    whole = land(2, 1).signature
    cut = land_of(replace(upright, heights_um=upright.heights_um[:, :1000]))
    assert not cut.right.shoulder
    assert "shoulder-absent" in [finding.code for finding in cut.signature.findings]
    assert similarity(cut.signature, whole).score > 60
    missing = upright.heights_um.copy()
    missing[np.random.default_rng(1).random(missing.shape) < 0.5] = np.nan
    assert similarity(land_of(replace(upright, heights_um=missing)).signature, whole).score > 150
    # A scan stitched with a step along the striae, and one across them.
    step = upright.heights_um.copy()
    step[200:] += 25
    assert similarity(land_of(replace(upright, heights_um=step)).signature, whole).score > 200
    step = upright.heights_um.copy()
    step[:, 800:] += 15
    assert "shoulder-far-inside" in [f.code for f in land_of(replace(upright, heights_um=step)).signature.findings]


def test_striae_that_slant_are_followed() -> None:
    upright = surface(1, 3)
    rows = np.arange(len(upright.heights_um))
    slanting = np.full_like(upright.heights_um, np.nan)
    for r in rows:
        k = round(0.07 * (r - 211))
        source = upright.heights_um[r]
        slanting[r, max(k, 0) : len(source) + min(k, 0)] = source[max(-k, 0) : len(source) - max(k, 0)]
    found = land_of(replace(upright, heights_um=slanting))
    assert found.slant_deg == pytest.approx(land(1, 3).slant_deg + np.degrees(np.arctan(0.07)), abs=0.7)
    assert similarity(found.signature, land(2, 1).signature).score > 300


def flat(shape: tuple[int, int], noise: float = 0.0) -> np.ndarray:
    return np.random.default_rng(3).normal(size=shape) * noise


@pytest.mark.parametrize(
    ("heights", "words"),
    [
        (flat((400, 1500), 0.3), "no arc"),
        (np.zeros((400, 1500)), "no arc"),
        (np.full((400, 1500), np.nan), "0% of the points"),
        (np.zeros((1, 2)), "1 × 2 points"),
        (np.zeros((9, 9)), "too small for a land"),
        (np.zeros((4000, 3)), "no arc"),
        (flat((400, 1500), 0.3) - (np.arange(1500) - 750.0) ** 2 / 4000, "no striae"),
        (flat((400, 1500), 0.3) - (np.arange(1500) - 750.0) ** 2 / 40000, "a bullet's is 1.5 to 15 mm"),
        # Heights in millimetres.
        ((flat((60, 400), 0.3) - (np.arange(400) - 200.0) ** 2 / 4000) / 1000, "in micrometres?"),
        # A cast.
        ((np.arange(1500) - 750.0) ** 2 / 4000 + flat((60, 1500), 0.3), "inverted"),
        # Heights in a wrong unit.
        (1e6 * (flat((60, 400), 0.3) - (np.arange(400) - 200.0) ** 2 / 4000), ""),
    ],
)
def test_what_is_no_land_is_insufficient_with_its_reason(heights: np.ndarray, words: str) -> None:
    found = land_of(Surface(heights, (1.5625, 1.5625)))
    assert found.signature.insufficient
    assert words in found.signature.insufficient
    compared = compare_signatures(found.signature, land(1, 3).signature)
    assert words in (compared.insufficient or "")
    assert np.isnan(compared.score)


def test_a_breech_face_is_no_land() -> None:
    path = sorted(data_folder("breech-faces/fadul").glob("*.x3p"))[0]
    assert land_of(read(path)).signature.insufficient
    image = Surface(np.zeros((400, 400)), (3.0, 3.0), kind="reflectance")
    assert "topography" in (land_of(image).signature.insufficient or "")


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("turns", [0, 1])
@pytest.mark.slow
def test_a_raw_cartridge_head_is_no_land(number: int, turns: int) -> None:
    head = read(data_folder("breech-faces/raw") / f"K013sA{number}.x3p", units="micrometres")
    found = land_of(replace(head, heights_um=np.rot90(head.heights_um, turns).copy()))
    assert "no arc of one bullet" in (found.signature.insufficient or "")


def test_a_scan_of_which_few_bands_agree_is_insufficient() -> None:
    upright = surface(1, 3)
    heights = upright.heights_um.copy()
    rng = np.random.default_rng(2)
    # 40 µm of rough ground over all but the first two bands.
    heights[80:] += np.repeat(rng.normal(size=(len(heights) - 80, heights.shape[1] // 8 + 1)) * 40, 8, axis=1)[
        :, : heights.shape[1]
    ]
    found = land_of(replace(upright, heights_um=heights))
    assert found.signature.insufficient


def test_overrides_are_used_and_recorded() -> None:
    found = land_of(surface(1, 3), LandParameters(ends_um=(400.0, 1900.0), rows_um=(200.0, 500.0)))
    assert [f.code for f in found.signature.findings].count("land-end-given") == 2
    assert found.signature.provenance is not None
    assert found.signature.provenance.parameters["ends_um"] == (400.0, 1900.0)
    valid = np.flatnonzero(np.isfinite(found.signature.heights_um)) * 1.5625
    assert valid[0] == pytest.approx(425, abs=4)
    assert valid[-1] == pytest.approx(1875, abs=8)
    assert found.band_rows.min() >= 200
    with pytest.raises(ParameterError, match="left end"):
        LandParameters(ends_um=(5.0, 1.0))
    with pytest.raises(ParameterError, match="short cut-off"):
        LandParameters(band_um=(250.0, 16.0))


def test_the_arc_is_that_of_the_bullet() -> None:
    assert [land(b, k).arc.radius_mm for b in (1, 2) for k in range(1, 7) if land(b, k).arc] == pytest.approx(
        [4.5] * 12, abs=0.7
    )
    assert fit_arc(np.arange(5.0), np.arange(5.0)) is None
    assert find_ends(np.arange(2.0), np.zeros(2), 1.0) is None


def test_every_score_is_the_same_whichever_way_it_is_asked() -> None:
    a, b = land(1, 1).signature, land(2, 5).signature
    found = compare_signatures(a, b)
    assert found.placement is not None
    assert found.cmps_count is not None
    assert found.cmps_count >= 12
    for x, y in ((b, a), (a.reversed(), b.reversed()), (b.reversed(), a.reversed())):
        other = compare_signatures(x, y)
        assert other.similarity is not None
        assert other.similarity.octaves == found.similarity.octaves if found.similarity else False
        assert other.striae is not None
        assert found.striae is not None
        # Each stria lies on the axis of the marks as they were given; what is counted does not change.
        assert len(other.striae.striae) == len(found.striae.striae)
        assert replace(other.striae, striae=()) == replace(found.striae, striae=())
        assert (other.score, other.cmps_count, other.chumbley.score if other.chumbley else None) == (
            found.score, found.cmps_count, found.chumbley.score if found.chumbley else None
        )  # fmt: skip
        assert other.correlation is not None
        assert other.correlation.correlation == found.correlation.correlation if found.correlation else False


def test_the_patch_is_the_land_straightened() -> None:
    made = land(1, 3)
    assert made.patch is not None
    patch = made.patch
    assert patch.heights_um.shape == (422, len(made.signature.heights_um))
    assert patch.turn_deg == 0.0
    assert patch.region.shape == surface(1, 3).heights_um.shape
    mean = np.full(patch.heights_um.shape[1], np.nan)
    some = patch.mask.sum(axis=0) > 100
    mean[some] = np.nanmean(np.where(patch.mask, patch.heights_um, np.nan)[:, some], axis=0)
    filtered = band_passed(mean, 1.5625, (10.0, 400.0))
    assert correlate(Signature(filtered, 1.5625), made.signature).correlation > 0.97
    sideways = land_of(replace(surface(1, 3), heights_um=np.rot90(surface(1, 3).heights_um, -1).copy()))
    assert sideways.patch is not None
    assert sideways.patch.turn_deg == 90.0
    np.testing.assert_array_equal(sideways.patch.heights_um, patch.heights_um)
    np.testing.assert_array_equal(np.rot90(sideways.patch.region), patch.region)


def test_repeated_scans_of_one_land_give_one_signature() -> None:
    with np.load(data_folder("striations") / "land-crosscuts.npz") as cuts:
        made = {}
        for name in [f"Blue_1_{k}_{scan}_Sneox{scan}" for k in range(1, 7) for scan in (1, 2)]:
            x, z = cuts[name].astype(np.float64).T
            heights = np.full(round((x[-1] - x[0]) / 0.645) + 1, np.nan)
            heights[np.rint((x - x[0]) / 0.645).astype(int)] = z
            made[name] = profile_signature(heights, 0.645)
    first = [made[f"Blue_1_{k}_1_Sneox1"][0] for k in range(1, 7)]
    second = [made[f"Blue_1_{k}_2_Sneox2"][0] for k in range(1, 7)]
    found = compare_bullets(first, second)
    assert (found.phase, found.pairs) == (0, 6)
    assert found.margin > 100
    for k in range(6):
        ends = [made[f"Blue_1_{k + 1}_{scan}_Sneox{scan}"][1] for scan in (1, 2)]
        assert all(e is not None and e.left.shoulder for e in ends)


def test_pits_do_not_hide_the_shoulders() -> None:
    upright = surface(1, 3)
    heights = upright.heights_um.copy()
    rng = np.random.default_rng(5)
    y, x = np.mgrid[: heights.shape[0], : heights.shape[1]]
    for _ in range(60):
        row, column, radius = rng.integers(422), rng.integers(1515), rng.integers(4, 20)
        near = (y - row) ** 2 + (x - column) ** 2 < radius**2
        heights[near] -= rng.uniform(2, 15)
    found = land_of(replace(upright, heights_um=heights))
    assert found.left.place_um == pytest.approx(land(1, 3).left.place_um, abs=30)
    assert found.right.place_um == pytest.approx(land(1, 3).right.place_um, abs=30)
    assert similarity(found.signature, land(2, 1).signature).score > 150


def test_a_pitted_land_keeps_its_striae() -> None:
    source = LandSource(1, 9, slant_deg=2.0)
    whole = land_of(simulate_land(source, LandShot(11), 0).surface)
    pitted = land_of(simulate_land(source, LandShot(13, pitting=0.2), 0).surface)
    assert similarity(whole.signature, pitted.signature).score > 100
    assert pitted.patch is not None
    # Pits take no part, though the patch shows them.
    some = pitted.patch.mask.any(axis=0)
    heights = pitted.patch.heights_um[:, some]
    off = np.abs(heights - np.nanmedian(heights, axis=0))
    assert not (pitted.patch.mask[:, some] & (off > 9.0)).any()
    assert (off > 9.0).any()


def test_a_gap_beside_a_shoulder_is_said() -> None:
    x = np.arange(0.0, 2200.0, 0.645)
    heights = -((x - 1100.0) ** 2) / 9000.0 + np.random.default_rng(1).normal(size=len(x)) * 0.05
    heights += np.interp(x, np.arange(0, 2201, 10.0), np.random.default_rng(2).normal(size=221) * 0.8)
    for place, sign in ((200.0, -1), (2000.0, 1)):
        beyond = (x - place) * sign > 0
        heights[beyond] += 0.9 * np.abs(x - place)[beyond]
    clear, ends = profile_signature(heights, 0.645)
    assert ends is not None
    assert ends.left.place_um == pytest.approx(200, abs=15)
    assert not clear.findings
    heights[(x > 1990) & (x < 2040)] = np.nan
    hidden, ends = profile_signature(heights, 0.645)
    assert ends is not None
    assert ends.right.gap_um == pytest.approx(50, abs=1)
    assert [f.code for f in hidden.findings] == ["shoulder-in-gap"]
    cut, _ = profile_signature(heights[x < 1800], 0.645)
    assert [f.code for f in cut.findings] == ["shoulder-absent"]


def test_what_an_instrument_could_not_measure_well_is_left_out_of_a_profile() -> None:
    x = np.arange(0.0, 2200.0, 0.645)
    wave = np.interp(x, np.arange(0, 2201, 10.0), np.random.default_rng(2).normal(size=221) * 0.8)
    heights = -((x - 1100.0) ** 2) / 9000.0 + wave + np.random.default_rng(1).normal(size=len(x)) * 0.02
    spoilt = heights.copy()
    spoilt[1500:1700] += np.random.default_rng(3).normal(size=200) * 3.0
    clean, _ = profile_signature(heights, 0.645)
    found, _ = profile_signature(spoilt, 0.645)
    assert np.isnan(found.heights_um[1520:1680]).mean() > 0.9
    assert np.isfinite(clean.heights_um[1520:1680]).mean() > 0.9
    p = CorrelationParameters(minimum_overlap=0.75)
    assert correlate(clean, found, p).correlation > 0.97
    trusting, _ = profile_signature(spoilt, 0.645, LandParameters(largest_roughness=np.inf))
    assert correlate(clean, trusting, p).correlation < correlate(clean, found, p).correlation - 0.02


def _arc_with_shoulders(n: int = 1500) -> tuple[np.ndarray, np.ndarray]:
    """Return places and heights of an arc whose shoulders rise at 150 and 2100 µm, with striae."""
    x = np.arange(n) * 1.5625
    z = -((x - 1150.0) ** 2) / 9000.0 + 0.4 * np.convolve(
        np.random.default_rng(3).normal(size=n), np.hanning(9), "same"
    )
    for foot, way in ((150.0, -1), (2100.0, 1)):
        beyond = (x - foot) * way > 0
        z[beyond] += 0.6 * np.abs(x[beyond] - foot)
    return x, z


def test_a_scratch_whose_flank_comes_back_to_the_arc_is_no_shoulder() -> None:
    x, z = _arc_with_shoulders()
    z -= 18.0 * np.exp(-(((x - 1880.0) / 22.0) ** 2))
    ends = find_ends(x, z, 1.5625)
    assert ends is not None
    assert ends.right.shoulder
    assert abs(ends.right.place_um - 2100.0) < 20.0
    assert abs(ends.left.place_um - 150.0) < 20.0


def test_shoulders_in_gaps_of_a_scan_and_steps_across_it_are_said() -> None:
    x, z = _arc_with_shoulders()
    heights = z + np.random.default_rng(1).normal(size=(200, len(x))) * 0.05
    sound = {finding.code for finding in land_of(Surface(heights, (1.5625, 1.5625))).signature.findings}
    assert not sound & {"shoulder-in-gap", "step-across"}
    hidden = heights.copy()
    hidden[:, np.abs(x - 2100.0) < 40.0] = np.nan
    stepped = heights + 4.0 * (x > 1000.0)
    for scan, code, words in ((hidden, "shoulder-in-gap", "µm are missing"), (stepped, "step-across", "at 1000 µm")):
        said = {f.code: f.message for f in land_of(Surface(scan, (1.5625, 1.5625))).signature.findings}
        assert words in said[code]


@pytest.mark.parametrize("upright", [True, False])
def test_a_profile_is_a_land_of_one_row(upright) -> None:
    _x, z = _arc_with_shoulders()
    row = z[None] if upright else z[::-1][:, None]
    found = land_of(Surface(row, (1.5625, 1.5625), kind="profile"))
    signature, ends = profile_signature(z if upright else z[::-1], 1.5625)
    assert ends is not None
    np.testing.assert_array_equal(found.signature.heights_um, signature.heights_um)
    assert (found.left, found.right) == (ends.left, ends.right)
    assert "single-profile" in {finding.code for finding in found.signature.findings}
    assert found.signature.rows is not None
    assert found.signature.rows.max() == 1
    assert found.turned is not upright
    assert found.patch is not None
    assert found.patch.region.shape == row.shape


def test_a_profile_without_the_arc_of_a_bullet_is_insufficient() -> None:
    x = np.arange(1500) * 1.5625
    found = land_of(Surface((np.sin(x / 20.0) - (x - 1100.0) ** 2 / 1e7)[None], (1.5625, 1.5625)))
    assert "flat across" in str(found.signature.insufficient)
