"""The automatic breech-face region: right on simulated heads, stable on raw scans, silent on anything else."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from ballistics.errors import ParameterError
from ballistics.surfaces.formats.reading import read
from ballistics.surfaces.regions.breech_face_region import BreechFaceRegion, RegionLabel, find_breech_face
from ballistics.surfaces.simulation.disturbances import drop_out, rotate_surface, tilt
from ballistics.surfaces.simulation.heads import SimulatedHead, simulate_population
from ballistics.surfaces.surface import Surface

SEED = 10_501


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / max((a | b).sum(), 1))


def with_heights(surface: Surface, heights: np.ndarray) -> Surface:
    return replace(surface, heights_um=np.ascontiguousarray(heights), provenance=None)


@pytest.fixture(scope="module")
def heads() -> list[SimulatedHead]:
    """All 18 kinds once, coarse to be quick."""
    return list(islice(simulate_population(18, 1, SEED, spacing_um=12.5), 18))


@pytest.fixture(scope="module")
def raw(raw_scans: Path) -> list[tuple[Surface, BreechFaceRegion]]:
    scans = [read(path, units="micrometres") for path in sorted(raw_scans.glob("*.x3p"))]
    return [(scan, find_breech_face(scan)) for scan in scans]


@pytest.mark.slow
def test_simulated_heads_of_every_kind(heads: list[SimulatedHead]) -> None:
    found = [find_breech_face(head.surface) for head in heads]
    overlaps = [iou(region.mask, head.region) for region, head in zip(found, heads, strict=True)]
    assert [region.reason for region in found] == [None] * len(heads)
    assert np.median(overlaps) >= 0.9
    assert min(overlaps) >= 0.75
    for region in found:
        assert region.firing_pin is not None
        assert region.primer is not None
        assert 2000 < region.primer.radius_um < 2900
        assert ((region.labels == RegionLabel.BREECH_FACE) == region.mask).all()


@pytest.mark.parametrize("spacing", [pytest.param(4.0, marks=pytest.mark.slow), 15.0])
@pytest.mark.slow
def test_other_spacings_and_crops(spacing: float) -> None:
    for head in simulate_population(3, 1, SEED + 1, spacing_um=spacing, field_mm=3.4):
        assert iou(find_breech_face(head.surface).mask, head.region) > 0.85
    (whole,) = simulate_population(1, 1, SEED + 2, spacing_um=15.0, field_mm=12.0)
    assert iou(find_breech_face(whole.surface).mask, whole.region) > 0.9


@pytest.mark.slow
def test_mirrored_turned_over_and_masked() -> None:
    for head in islice(simulate_population(18, 1, SEED, spacing_um=12.5), 4):
        z = head.surface.heights_um
        mirrored = find_breech_face(with_heights(head.surface, z[:, ::-1]))
        assert iou(mirrored.mask[:, ::-1], head.region) > 0.85
        over = find_breech_face(with_heights(head.surface, -z))
        assert over.inverted
        assert iou(over.mask, head.region) > 0.85
        masked = find_breech_face(with_heights(head.surface, np.where(head.region, z, np.nan)))
        assert masked.masked
        assert iou(masked.mask, head.region) > 0.95


def test_raw_scans_show_the_annulus(raw: list[tuple[Surface, BreechFaceRegion]]) -> None:
    for scan, region in raw:
        areas = region.areas_mm2(scan.spacing_um)
        assert region.reason is None
        assert not region.inverted
        assert region.primer is not None
        assert region.primer.radius_um == pytest.approx(2225, abs=60)  # a small primer measures 4.45 mm
        assert 2.0 < areas["breech face"] < 4.5
        # Nothing steep, no lip, no head stamp: in the region the surface is flat at 50 µm.
        smooth = ndimage.gaussian_filter(scan.heights_um, 50.0 / scan.spacing_um[0])
        slopes = np.stack(np.gradient(smooth, *scan.spacing_um))[:, region.mask]
        off = np.hypot(*(slopes - np.median(slopes, axis=1, keepdims=True)))
        assert np.rad2deg(np.arctan(np.quantile(off, 0.95))) < 7.0


@pytest.mark.slow
def test_raw_regions_stay_under_disturbances(raw: list[tuple[Surface, BreechFaceRegion]]) -> None:
    for scan, region in raw:
        bare = Surface(scan.heights_um, scan.spacing_um)
        for angle in (33.0, 90.0, 200.0):
            mask = rotate_surface(Surface(region.mask.astype(float), scan.spacing_um), angle).heights_um
            assert iou(find_breech_face(rotate_surface(bare, angle)).mask, np.nan_to_num(mask) > 0.5) >= 0.9
        for seed in (1, 2):
            assert iou(find_breech_face(drop_out(bare, 0.1, 100.0, seed)).mask, region.mask) >= 0.9
        for direction in (0.0, 120.0):
            assert iou(find_breech_face(tilt(bare, 2.0, direction)).mask, region.mask) >= 0.9


def scenes() -> dict[str, np.ndarray]:
    """Scans in which there is no breech face."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:500, :500] * 6.25e-3
    return {
        "flat noise": rng.normal(size=(500, 500)),
        "rough noise": 100 * rng.normal(size=(500, 500)),
        "tilted plane": 30 * x + 50 * y,
        "dome": -50 * ((x - 1.5) ** 2 + (y - 1.5) ** 2),
        "hills": 3000 * ndimage.gaussian_filter(rng.normal(size=(500, 500)), 30),
        "missing": np.full((500, 500), np.nan),
        "scrap": rng.normal(size=(40, 30)),
        "12 pixels": rng.normal(size=(3, 4)),
        "one row": rng.normal(size=(1, 900)),
        "one point": np.zeros((1, 1)),
        "nothing": np.zeros((0, 0)),
        "disc of noise": np.where(np.hypot(x - 1.5, y - 1.5) < 1.4, rng.normal(size=x.shape), np.nan),
    }


@pytest.mark.parametrize("name", scenes())
def test_no_breech_face_is_said_and_not_guessed(name: str) -> None:
    z = scenes()[name]
    region = find_breech_face(Surface(z, (6.25, 6.25)))
    assert region.reason is not None
    assert region.reason.startswith("no breech face found")
    assert not region.mask.any()
    assert region.mask.shape == region.labels.shape == z.shape


def test_bullet_lands_have_no_breech_face(raw_scans: Path) -> None:
    lands = sorted((raw_scans.parents[1] / "bullets" / "hamby44-barrel1").glob("*.x3p"))
    assert lands
    for path in lands:
        assert find_breech_face(read(path)).reason is not None


def test_only_topographies() -> None:
    with pytest.raises(ParameterError, match="reflectance"):
        find_breech_face(Surface(np.zeros((50, 50)), (5.0, 5.0), kind="reflectance"))
