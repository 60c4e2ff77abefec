"""Regions given as a mask, a polygon or a label of the file: used, recorded, or refused with the reason."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from real_scans import as_read

from ballistics.errors import BallisticsError, ParameterError
from ballistics.surfaces.instruments import instrument_of, stated_by_file
from ballistics.surfaces.preparation.preparing import prepare
from ballistics.surfaces.regions.given_regions import region_of, regions_in_file
from ballistics.surfaces.regions.masks import decode_mask
from ballistics.surfaces.scan_readings import ScanReading, readings
from ballistics.surfaces.simulation.heads import SimulatedHead, simulate_population
from ballistics.surfaces.surface import Mark, Surface


@pytest.fixture(scope="module")
def head() -> SimulatedHead:
    return next(simulate_population(1, 1, 10_779, spacing_um=12.5, field_mm=4.2))


def finding(mark: Mark, code: str) -> str:
    return next(f"{found.severity}: {found.message}" for found in mark.findings if found.code == code)


def ring(surface: Surface) -> np.ndarray:
    rows, columns = surface.heights_um.shape
    y, x = np.ogrid[:rows, :columns]
    radius = np.hypot(y - rows / 2, x - columns / 2) * surface.spacing_um[0]
    return np.asarray((radius < 1300.0) & (radius > 700.0))


@pytest.mark.slow
def test_a_mask_image_is_the_region_and_is_recorded(head: SimulatedHead, tmp_path: Path) -> None:
    mask = ring(head.surface)
    pictures = {
        "grey": np.where(mask, 255, 0),
        "colours": np.where(mask[..., None], [255, 255, 255], [10, 0, 120]),
        "ones": mask.astype(int),
        "transparent": np.dstack([np.zeros((*mask.shape, 3), int), np.where(mask, 255, 0)]),
    }
    for name, pixels in pictures.items():
        path = tmp_path / f"{name}.png"
        cv2.imwrite(str(path), pixels.astype(np.uint8))
        given = prepare(head.surface, region=region_of(head.surface, f"{name}.png", tmp_path))
        assert given.region is not None
        assert (given.region == mask).all(), name
        assert finding(given, "region-given") == f"note: the region was given: mask {name}.png"
        step = next(step for step in given.steps if step.name == "find region")
        assert (decode_mask(step.parameters["mask"], mask.shape) == mask).all()
        assert given.heights_um.tobytes() == prepare(head.surface, region=mask).heights_um.tobytes()


def test_a_polygon_in_micrometres_and_in_points_is_the_same_region(head: SimulatedHead, tmp_path: Path) -> None:
    corners = np.array([[500.0, 500.0], [3500.0, 625.0], [3000.0, 3500.0], [625.0, 3000.0]])
    hole = np.array([[1500.0, 1500.0], [2500.0, 1500.0], [2500.0, 2500.0], [1500.0, 2500.0]])
    for unit, step in (("µm", 1.0), ("points", 12.5)):
        content = {"unit": unit, "outlines": [(corners / step).tolist()], "holes": [(hole / step).tolist()]}
        (tmp_path / f"{unit}.json").write_text(json.dumps(content), encoding="utf-8")
    in_um, in_points = (region_of(head.surface, f"{unit}.json", tmp_path).mask for unit in ("µm", "points"))
    assert (in_um == in_points).all()
    assert not in_um[160, 160]
    assert in_um[60, 60]
    # Shoelace, less the hole; x is to the right.
    assert in_um.sum() * 12.5**2 == pytest.approx(cv2.contourArea(corners.astype(np.float32)) - 1e6, rel=0.02)
    y, x = (index.mean() * 12.5 for index in np.nonzero(in_um))
    assert x > y


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("small.png", np.zeros((5, 7)), "5 × 7 pixels, the scan 336 × 336 points"),
        ("grey.png", np.add.outer(np.arange(336.0), np.zeros(336)) % 200, "200 tones"),
        ("empty.png", np.zeros((336, 336)), "one tone"),
        ("no.png", b"GIF89a", "not a PNG"),
        ("half.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not a readable PNG"),
        ("absent.png", None, "cannot be read"),
        ("a.json", b"{", "a.json"),
        ("b.json", b"[]", "must have 'unit'"),
        ("c.json", b'{"unit": "mm", "outlines": []}', "use 'µm' or 'points'"),
        ("d.json", b'{"unit": "points", "outlines": [[[0, 0], [1, 1]]]}', "three or more corners"),
        ("e.json", b'{"unit": "points", "outlines": [[[0, 0], [1, 1], [true, 2]]]}', "three or more corners"),
        ("f.json", b'{"unit": "points", "outlines": [[[900, 900], [950, 900], [900, 950]]]}', "no point of the scan"),
        ("g.json", b'{"unit": "points", "outlines": [[[1e300, 0], [0, 1e300], [-1e300, 0]], 5]}', "three or more"),
    ],
)
def test_what_is_no_region_of_the_scan_is_refused(
    head: SimulatedHead, tmp_path: Path, name: str, content: object, match: str
) -> None:
    if isinstance(content, bytes):
        (tmp_path / name).write_bytes(content)
    elif content is not None:
        cv2.imwrite(str(tmp_path / name), np.asarray(content).astype(np.uint8))
    assert head.surface.heights_um.shape == (336, 336)
    with pytest.raises(BallisticsError, match=match):
        region_of(head.surface, name, tmp_path)


@pytest.mark.slow
def test_a_mask_in_the_file_replaces_the_automatic_region(raw_scans: Path) -> None:
    for path in sorted(raw_scans.glob("*.x3p")):
        surface = as_read(path)
        mark = prepare(surface)
        assert mark.region is not None
        assert (mark.region == (surface.metadata["mask"][:, :, 0] == 255)).all()
        assert finding(mark, "region-from-file") == "note: the mask in the file marks one region, '#ffffff'"
        # It is no firing pin: that is found as without a mask, and the mask is spoken of.
        pin = prepare(surface, "firing pin")
        assert pin.region is not None
        assert 0.3 < pin.region.sum() * 7.375e-3**2 < 1.0
        assert "which is no firing pin" in finding(pin, "mask-not-used")


@pytest.mark.slow
def test_with_several_labels_the_user_names_one(head: SimulatedHead) -> None:
    face, pin = head.labels == 1, head.labels == 2
    mask = np.zeros((*face.shape, 3), np.uint8)
    mask[face], mask[pin] = (255, 0, 0), (0, 0, 255)
    surface = replace(head.surface, metadata={"mask": mask})
    assert [label.name for label in regions_in_file(surface)] == ["#0000ff", "#ff0000"]
    assert "several labels (#0000ff, #ff0000)" in finding(prepare(surface), "mask-not-used")
    for name in ("#ff0000", "#FF0000"):
        given = prepare(surface, region=region_of(surface, name))
        assert given.region is not None
        assert (given.region == face).all()
    with pytest.raises(ParameterError, match="no annotation 'green'"):
        region_of(surface, "green")
    # Labels that are named after mark types are taken without a word of the user.
    names = {"#ff0000": "Breech face", "#0000ff": "firing pin"}
    named = replace(head.surface, metadata={"mask": mask, "mask_annotations": names})
    for kind, region in (("breech face", face), ("firing pin", pin)):
        taken = prepare(named, kind).region
        assert taken is not None
        assert (taken == region).all()
    only = replace(head.surface, metadata={"mask": np.where(pin[..., None], mask, 0), "mask_annotations": names})
    assert prepare(only).heights_um.tobytes() == prepare(head.surface).heights_um.tobytes()


def test_units_and_regions_by_pattern_and_by_row() -> None:
    rows = {"b.x3p": ScanReading("millimetres", "x.png", Path("there"))}
    said = readings(["as written", "K0*.x3p=micrometres"], ["K066*=ring.png"], rows)
    assert said.of("folder/K066jN1.x3p") == ScanReading("micrometres", "ring.png")
    assert said.of("a.x3p") == ScanReading("as written", "")
    assert said.of("b.x3p") == rows["b.x3p"]
    with pytest.raises(ParameterError, match=r"no scan fits the pattern 'K066\*'"):
        said.refuse_unused(["K013.x3p"])
    for wrong in ("inches", "K0*=", "=micrometres"):
        with pytest.raises(ParameterError, match="--units"):
            readings([wrong])
    with pytest.raises(ParameterError, match="cannot be read"):
        readings((), ["absent.png"]).content()


def test_the_instrument_that_a_file_names_goes_first(topmatch: Path, fadul: Path) -> None:
    stated = {stated_by_file(as_read(path)) for path in topmatch.glob("*.x3p")}
    assert stated == {"photometric stereo"}
    assert {stated_by_file(as_read(path)) for path in fadul.glob("*-1.x3p")} == {"confocal"}
    assert instrument_of("photometric stereo", ["Confocal"])[1] is not None
    assert instrument_of("photometric stereo", ["GelSight"]) == (("photometric stereo",), None)
    assert instrument_of("confocal", []) == (("confocal",), None)
    assert instrument_of("confocal", ["own bench"]) == (("confocal",), None)
    assert instrument_of(None, ["own bench"]) == (("own bench",), None)
    assert stated_by_file(Surface(np.zeros((2, 2)), (1.0, 1.0), metadata={"instrument_model": "Sneox2"})) is None
