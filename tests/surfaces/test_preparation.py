"""From Surface to Mark: every step recorded, editable and replayable; prepared scans go the same way."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from ballistics.errors import ParameterError
from ballistics.surfaces.mark_types import MARK_TYPES
from ballistics.surfaces.preparation.preparing import prepare, replay
from ballistics.surfaces.regions.masks import decode_mask, encode_mask
from ballistics.surfaces.simulation.heads import SimulatedHead, simulate_population
from ballistics.surfaces.surface import Mark, Step, Surface


@pytest.fixture(scope="module")
def head() -> SimulatedHead:
    return next(simulate_population(1, 1, 10_777, spacing_um=5.0, field_mm=4.6))


@pytest.fixture(scope="module")
def mark(head: SimulatedHead) -> Mark:
    return prepare(head.surface)


def codes(mark: Mark) -> set[str]:
    return {finding.code for finding in mark.findings}


def test_the_mark_is_level_band_passed_and_cropped(head: SimulatedHead, mark: Mark) -> None:
    assert mark.insufficient is None
    assert (mark.kind, mark.spacing_um, mark.heights_um.dtype) == ("breech face", 6.25, np.float32)
    valid = np.isfinite(mark.heights_um)
    for line in (valid[0], valid[-1], valid[:, 0], valid[:, -1]):
        assert line.any()
    assert abs(float(np.nanmean(mark.heights_um))) < 0.1
    assert 0.3 < float(np.nanstd(mark.heights_um)) < 5.0
    # Edges hold no more than the middle: no ringing, no lip.
    from scipy.ndimage import binary_erosion

    edge = valid & ~binary_erosion(valid, iterations=6)
    assert np.std(mark.heights_um[edge]) < 1.6 * np.std(mark.heights_um[valid & ~edge])
    # The origin says where the mark lies on the surface.
    assert mark.region is not None
    rows = np.flatnonzero(mark.region.any(axis=1))
    assert abs(mark.origin_um[0] - 5.0 * rows[0]) < 50.0


def test_tilt_is_reported(head: SimulatedHead) -> None:
    def slopes(surface: Surface) -> np.ndarray:
        outcome = replay(surface, [Step("level", {"order": 1})]).steps[0].outcome
        angle = np.deg2rad(outcome["direction_deg"])
        return np.tan(np.deg2rad(outcome["tilt_deg"])) * np.array([np.cos(angle), np.sin(angle)])

    rise = np.tan(np.deg2rad(3.0))
    x = np.arange(head.surface.heights_um.shape[1]) * 5.0
    tilted = replace(head.surface, heights_um=head.surface.heights_um - rise * x)
    np.testing.assert_allclose(slopes(tilted) - slopes(head.surface), [-rise, 0.0], atol=0.005)
    steps = {step.name: step for step in prepare(tilted).steps}
    assert {"removed_points"} <= set(steps["remove spikes"].outcome)
    assert steps["find region"].outcome["areas_mm2"]["breech face"] > 1.0


@pytest.mark.slow
def test_replay_gives_the_same_bytes_and_every_stage(head: SimulatedHead, mark: Mark) -> None:
    again = replay(head.surface, mark.steps)
    assert again.heights_um.tobytes() == mark.heights_um.tobytes()
    assert again.steps == mark.steps
    for k in range(len(mark.steps)):
        stage = replay(head.surface, mark.steps[:k])
        assert stage.insufficient is None
        assert (stage.region is None) == (k < 3)


def test_steps_can_be_edited(head: SimulatedHead, mark: Mark) -> None:
    edited = [replace(s, parameters={"cutoff_um": 500.0}) if s.name == "high-pass" else s for s in mark.steps]
    wider = replay(head.surface, edited)
    assert np.nanstd(wider.heights_um) > np.nanstd(mark.heights_um)
    assert json.loads(json.dumps([dict(s.parameters) for s in mark.steps]))


@pytest.mark.parametrize(
    "step",
    [
        Step("polish"),
        Step("level", {}),
        Step("level", {"order": 7}),
        Step("level", {"order": 1, "more": 2}),
        Step("high-pass", {"cutoff_um": "long"}),
        Step("resample", {"spacing_um": -1.0}),
        Step("find region", {"mask": "no mask"}),
        Step("find region", {"mask": encode_mask(np.ones((3, 3), dtype=bool))}),
    ],
)
def test_bad_steps_are_refused(head: SimulatedHead, step: Step) -> None:
    with pytest.raises(ParameterError):
        replay(head.surface, [step])


@pytest.mark.slow
def test_given_regions(head: SimulatedHead) -> None:
    given = prepare(head.surface, region=head.region)
    assert given.region is not None
    assert (given.region == head.region).all()
    image = np.zeros((*head.region.shape, 3), dtype=np.uint8)
    image[head.region] = (255, 0, 16)
    carried = {"mask": image, "mask_annotations": {"#ff0010": "breech face"}}
    surface = replace(head.surface, metadata=carried)
    labelled = replace(head.surface, metadata={"mask": head.labels})
    for mark in (
        prepare(surface, region="breech face"),
        prepare(surface, region="#FF0010"),
        prepare(labelled, region=1),
    ):
        assert mark.heights_um.tobytes() == given.heights_um.tobytes()
    for wrong in ("firing pin", "#zz", 3):
        with pytest.raises(ParameterError):
            prepare(surface, region=wrong)
    for bad in (np.zeros((3, 3), dtype=bool), np.zeros_like(head.region), head.region.astype(float)):
        with pytest.raises(ParameterError):
            prepare(head.surface, region=bad)
    with pytest.raises(ParameterError, match="no label mask"):
        prepare(head.surface, region="breech face")


def test_masks_survive_as_text() -> None:
    mask = np.random.default_rng(1).random((37, 53)) < 0.5
    assert (decode_mask(encode_mask(mask), mask.shape) == mask).all()
    with pytest.raises(ParameterError):
        decode_mask(encode_mask(mask), (37, 530))


def test_other_mark_types_and_kinds_need_a_region(head: SimulatedHead) -> None:
    for name, kind in MARK_TYPES.items():
        if not kind.automatic_region:
            with pytest.raises(ParameterError, match="give it as a mask"):
                prepare(head.surface, mark=name)
    with pytest.raises(ParameterError, match="not known"):
        prepare(head.surface, mark="toe")
    for kind_name in ("profile", "points"):
        with pytest.raises(ParameterError, match=kind_name):
            prepare(Surface(np.zeros((1, 50)), (5.0, 5.0), kind=kind_name))  # type: ignore[arg-type]


def test_reflectance_images(head: SimulatedHead) -> None:
    rng = np.random.default_rng(2)
    image = 0.4 + 0.1 * rng.random(head.region.shape) + np.linspace(0, 0.3, head.region.shape[1])
    surface = Surface(image, (5.0, 5.0), kind="reflectance")
    with pytest.raises(ParameterError, match="on an image"):
        prepare(surface, "firing pin")
    assert "no breech face found" in (prepare(surface).insufficient or "")
    mark = prepare(surface, region=head.region)
    assert mark.surface_kind == "reflectance"
    columns = np.nanmean(mark.heights_um, axis=0)
    assert abs(float(np.corrcoef(np.arange(columns.size), columns)[0, 1])) < 0.2  # uneven light is gone


def test_insufficient_is_a_result() -> None:
    rng = np.random.default_rng(3)
    for z in (rng.normal(size=(300, 300)), np.full((200, 200), np.nan), rng.normal(size=(3, 4)), np.zeros((0, 0))):
        mark = prepare(Surface(z, (6.25, 6.25)))
        assert mark.insufficient
        assert mark.area_um2 == 0.0
    too_coarse = prepare(Surface(rng.normal(size=(60, 60)), (45.0, 45.0)), region=np.ones((60, 60), dtype=bool))
    assert too_coarse.insufficient is not None
    assert "band-limited-by-sampling" in codes(too_coarse)


def test_upsampling_is_never_silent() -> None:
    (coarse,) = simulate_population(1, 1, 10_778, spacing_um=12.5, field_mm=4.6)
    mark = prepare(coarse.surface)
    assert {"upsampled", "band-limited-by-sampling"} <= codes(mark)


def test_decimation_does_not_alias() -> None:
    """A wave of 7 µm, invisible on a 6.25 µm grid, must not come back as a longer one."""
    x = np.arange(1000) * 2.0
    wave = np.tile(np.sin(2 * np.pi * x / 7.0), (1000, 1))
    steps = [Step("resample", {"spacing_um": 6.25})]
    alone = replay(Surface(wave, (2.0, 2.0)), steps)
    assert np.nanstd(alone.heights_um) < 0.12 * wave.std()
    assert alone.steps[0].outcome["anti_alias_cutoff_um"] == 12.5


def test_what_this_module_made_is_taken_whole_and_hardly_changed_when_it_comes_back(mark: Mark) -> None:
    heights = np.pad(mark.heights_um.astype(float), 5, constant_values=np.nan)
    again = prepare(Surface(heights, (6.25, 6.25)))
    assert {"already-prepared", "already-masked"} <= codes(again)
    assert again.heights_um.shape == mark.heights_um.shape
    both = np.isfinite(again.heights_um) & np.isfinite(mark.heights_um)
    assert both.sum() > 0.999 * np.isfinite(mark.heights_um).sum()
    assert np.corrcoef(again.heights_um[both], mark.heights_um[both])[0, 1] > 0.97


def test_provenance_names_inputs_parameters_and_sources(head: SimulatedHead, mark: Mark) -> None:
    assert mark.provenance is not None
    assert len(mark.provenance.inputs["array"]) == 64
    assert [step["name"] for step in mark.provenance.parameters["steps"]] == [step.name for step in mark.steps]
    assert "doi:10.1016/j.forsciint.2017.08.033" in mark.provenance.references
    assert json.dumps(mark.provenance.parameters)
