"""What cannot be a mark of the stated type is told; what is one never is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from real_scans import as_read

from ballistics.errors import ParameterError
from ballistics.impressions.comparing import compare
from ballistics.surfaces.formats.reading import read
from ballistics.surfaces.mark_types import mark_type
from ballistics.surfaces.preparation import preparing
from ballistics.surfaces.preparation.preparing import prepare, replay
from ballistics.surfaces.regions import mark_shape
from ballistics.surfaces.regions.breech_face_region import find_breech_face
from ballistics.surfaces.regions.cut_outs import measured_area
from ballistics.surfaces.regions.firing_pin_region import find_firing_pin
from ballistics.surfaces.regions.mark_shape import Shape, not_of_type, shape_of
from ballistics.surfaces.simulation.heads import simulate_population
from ballistics.surfaces.surface import Mark, Surface

Scene = tuple[Surface, np.ndarray]


def codes(mark: Mark) -> set[str]:
    return {finding.code for finding in mark.findings}


@pytest.fixture(scope="module", params=[6, pytest.param(1, marks=pytest.mark.slow)])
def scenes(request: pytest.FixtureRequest, fadul: Path, topmatch: Path, raw_scans: Path) -> dict[str, list[Scene]]:
    """Regions by what they are, with their scans; a sixth of the scans, or all."""
    every = request.param
    faces = [
        (surface, measured_area(surface))
        for folder in (fadul, topmatch)
        for surface in map(as_read, sorted(folder.glob("*.x3p"))[::every])
    ]
    drawn, pins, whole = [], [], []
    heads = [as_read(path) for path in sorted(raw_scans.glob("*.x3p"))]
    drawn += [(head, head.metadata["mask"].any(axis=2)) for head in heads]
    for spacing, firearms in ((4.0, 4), (12.5, 4)) if every == 1 else ((4.0, 2),):
        heads += [head.surface for head in simulate_population(firearms, 1, 5_003, spacing_um=spacing, field_mm=4.6)]
    for head in heads:
        face, pin = find_breech_face(head), find_firing_pin(head)
        faces.append((head, face.mask))
        pins += [(head, pin.mask), (Surface(np.where(pin.mask, head.heights_um, np.nan), head.spacing_um), pin.mask)]
        whole.append((head, np.ones(head.heights_um.shape, bool)))
    return {"faces": faces, "drawn faces": drawn, "firing pins": pins, "whole heads": whole}


def measured(scenes: list[Scene]) -> list[Shape]:
    shapes = [shape_of(surface.heights_um, surface.spacing_um, mask) for surface, mask in scenes]
    return [shape for shape in shapes if shape is not None]


@pytest.mark.slow
def test_limits_stand_far_from_all_marks(scenes: dict[str, list[Scene]]) -> None:
    shapes = {what: measured(some) for what, some in scenes.items()}
    for what, some in shapes.items():
        for name in ("hull_mm2", "aspect", "range_um", "step_um"):
            values = [value for value in (getattr(shape, name) for shape in some) if not np.isnan(value)]
            if values:
                print(f"{what:12} ({len(some)}) {name:9} {min(values):.2f}–{max(values):.2f}")
        print(f"{what:12} discs: {sum(shape.disc for shape in some)}")
    faces, pins = shapes["faces"] + shapes["drawn faces"], shapes["firing pins"]
    largest_pin = mark_shape._LARGEST_HULL_MM2["firing pin"]
    assert max(pin.hull_mm2 for pin in pins) < 0.5 * largest_pin
    assert min(face.hull_mm2 for face in faces) > 2.0 * largest_pin
    assert max(pin.aspect for pin in pins) < 0.5 * mark_shape._LARGEST_ASPECT
    assert min(pin.step_um for pin in pins if not np.isnan(pin.step_um)) > 2.0 * mark_shape._LEAST_STEP_UM
    for kind in ("ejector", "aperture shear"):
        assert min(face.hull_mm2 for face in faces) > 1.5 * mark_shape._LARGEST_HULL_MM2[kind]
    flat = mark_shape._LARGEST_FACE_RANGE_UM
    assert max(face.range_um for face in faces) < 0.5 * flat
    assert min(head.range_um for head in shapes["whole heads"]) > 2.0 * flat
    assert max(face.hull_mm2 for face in faces) < 0.75 * mark_shape._LARGEST_FACE_MM2
    assert not any(face.disc for face in faces)
    assert max(pin.hull_mm2 for pin in pins) < 0.8 * mark_shape._LEAST_FACE_MM2
    assert min(face.hull_mm2 for face in faces) > 2.0 * mark_shape._LEAST_FACE_MM2


@pytest.mark.slow
def test_no_mark_is_told_for_what_it_is_and_every_one_for_what_it_is_not(scenes: dict[str, list[Scene]]) -> None:
    def told(what: str, kind: str) -> list[bool]:
        return [not_of_type(s.heights_um, s.spacing_um, mask, kind) is not None for s, mask in scenes[what]]

    for what, kind in (("faces", "breech face"), ("drawn faces", "breech face"), ("firing pins", "firing pin")):
        assert not any(told(what, kind))
    for kind in ("firing pin", "ejector", "aperture shear"):
        assert all(told("faces", kind) + told("drawn faces", kind) + told("whole heads", kind))
    assert all(told("firing pins", "breech face") + told("whole heads", "breech face"))


@pytest.mark.parametrize("all_steps", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_cut_out_breech_face_is_no_other_mark(fadul: Path, all_steps: bool) -> None:
    surface = read(fadul / "Fadul-1-1.x3p")
    region = np.isfinite(surface.heights_um)
    for kind in ("firing pin", "ejector", "aperture shear"):
        mark = prepare(surface, kind)
        assert mark.insufficient is not None
        assert f"is no {kind}" in mark.insufficient
        if kind == "firing pin":
            assert compare(mark, mark).insufficient is not None
        # Filtered on the small spacing of a small mark, so large a region takes long.
        steps = preparing._default_steps(surface, mark_type(kind, surface.kind), region)
        given = prepare(surface, kind, region) if all_steps else replay(surface, steps[:3], kind)
        assert steps[2].name == "find region"
        assert ("not-the-mark-type", "serious") in {(f.code, f.severity) for f in given.findings}
    assert "not-the-mark-type" not in codes(prepare(surface))


@pytest.mark.slow
def test_a_cut_out_firing_pin_is_taken_as_one_and_as_no_breech_face(scenes: dict[str, list[Scene]]) -> None:
    surface = next(surface for surface, _ in scenes["firing pins"][1::2] if surface.spacing_um[0] < 5.0)
    mark = prepare(surface, "firing pin")
    assert mark.insufficient is None
    assert "already-masked" in codes(mark)
    assert prepare(surface, "breech face").insufficient is not None


@pytest.mark.slow
def test_a_flat_place_on_a_head_is_no_firing_pin(scenes: dict[str, list[Scene]]) -> None:
    heads = scenes["whole heads"]
    # The faces of the heads are the last of all.
    head, face = heads[0][0], scenes["faces"][-len(heads)][1]
    rows, columns = np.nonzero(face)
    y, x = np.indices(face.shape)
    edge = np.argmin(columns)
    spot = face & (np.hypot(y - rows[edge], x - columns[edge]) * head.spacing_um[0] < 600.0)
    assert "not-the-mark-type" in codes(prepare(head, "firing pin", spot))


def test_a_land_of_a_bullet_is_no_mark_of_a_cartridge_case(fadul: Path) -> None:
    surface = as_read(sorted((fadul.parents[1] / "bullets" / "hamby44-barrel1").glob("*.x3p"))[0])
    for kind in ("breech face", "firing pin"):
        assert prepare(surface, kind).insufficient is not None
    with pytest.raises(ParameterError, match="not found automatically"):
        prepare(surface, "ejector")
