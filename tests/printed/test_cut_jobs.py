"""Print jobs and meshes that are cut off, at any length: what there is, with a finding; contradictions."""

from __future__ import annotations

import base64
import re

import mesh_samples as samples
import numpy as np
import pytest
from conftest import DATA
from job_samples import HEIGHT, LAYERS, codes, job, read
from test_packages import SHRUNK, TEXT

from ballistics.errors import ReadError
from ballistics.printed.describe.sampling import EvenSample
from ballistics.printed.files.reading import read_parts
from ballistics.printed.identify.parameters import DEFAULT
from ballistics.printed.identify.pieces import pieces_of
from ballistics.printed.jobs.unpacking import heatshrink

LINES = [*job(skirt=False), "M104 S0", "M84", ""]


def finding(found, code):
    return next(entry for entry in found.findings if entry.code == code)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.77, 0.9, 0.99])
def test_a_job_that_is_cut_is_read_up_to_its_last_whole_line(tmp_path, share):
    text = "\n".join(LINES).encode()
    path = tmp_path / "job.gcode"
    cut = text[: int(share * len(text))]
    path.write_bytes(cut)
    found = read_parts(path)
    said = finding(found, "ends-in-the-middle").message
    heights = [float(line[4:]) for line in cut.decode().split("\n")[:-1] if line.startswith("G1 Z")]
    if share < 0.95:
        assert found.jobs[0].habits.height_mm in (heights[-1], pytest.approx(heights[-1] - HEIGHT))
    assert "% of the tracks of that below" in said
    assert found.parts[0].size_mm[2] == pytest.approx(found.jobs[0].habits.height_mm, abs=0.01)


def test_where_a_job_stopped_is_no_surface_of_its_part(tmp_path):
    (whole,) = read(tmp_path, LINES).parts
    assert whole.cut_mm is None
    assert not whole.is_cut.any()
    at = next(k for k, line in enumerate(LINES) if line.startswith(f"G1 Z{11 * HEIGHT:.3f}"))
    for lines in (LINES[:at], LINES[: at + 14]):  # behind a layer, and within the next
        (part,) = read(tmp_path, lines).parts
        a, b, c = (part.vertices_mm[part.faces[:, k]] for k in range(3))
        upward = np.cross(b - a, c - a)[:, 2] / 2.0
        assert upward[part.is_cut].sum() == pytest.approx(20**2 - 6**2, rel=0.03)
        # The bottom and the walls stay.
        assert upward[~part.is_cut].sum() == pytest.approx(-(20**2 - 6**2), rel=0.03)
        (piece,) = pieces_of(part, DEFAULT)
        assert isinstance(piece.source, EvenSample)
        assert piece.source.area_mm2 == pytest.approx(20**2 - 6**2 + 4 * (20 + 6) * 10 * HEIGHT, rel=0.06)


def test_an_object_that_was_finished_before_keeps_its_top(tmp_path):
    begun = [re.sub(r"X(-?[\d.]+)", lambda word: f"X{float(word[1]) + 50:.3f}", line) for line in LINES[6:200]]
    finished, stopped = read(tmp_path, [*LINES[:-3], "G1 Z20", *begun]).parts
    assert finished.size_mm[2] == pytest.approx(4.0, abs=0.01)
    assert stopped.size_mm[2] < 2.0
    assert not finished.is_cut.any()
    assert stopped.is_cut.any()


def test_a_half_line_is_left_out(tmp_path):
    whole = read(tmp_path, LINES[:-3])
    half = read(tmp_path, [*LINES[:-3], "G1 X1"])
    assert "no end and is left out" in finding(half, "ends-in-the-middle").message
    assert half.jobs[0].habits.track_mm == pytest.approx(whole.jobs[0].habits.track_mm, rel=0.01)
    assert half.parts[0].size_mm == pytest.approx(whole.parts[0].size_mm, abs=0.05)


ANNOUNCED = [
    (f";LAYER_COUNT:{2 * LAYERS}", f"{2 * LAYERS} layers are announced, {LAYERS} are there"),
    ("; total layer number: 100", "100 layers are announced"),
    (";Filament used: 5.5m", "5500 mm of filament are announced"),
    ("M73 P48 R12", "the last progress shown is 48 %"),
    ("; max_z_height: 12.40", "a height of 12.4 mm is announced, 4 mm are printed"),
]


@pytest.mark.parametrize(("line", "said"), ANNOUNCED)
def test_a_job_that_prints_less_than_it_announces(tmp_path, line, said):
    found = read(tmp_path, [LINES[0], line, *LINES[1:]])
    assert said in finding(found, "less-than-announced").message


@pytest.mark.parametrize(
    "line", [f";LAYER_COUNT:{LAYERS}", f";LAYER_COUNT:{LAYERS + 1}", "M73 P100 R0", "M73 P99", "; max_z_height: 4.00"]
)
def test_a_whole_job_contradicts_nothing(tmp_path, line):
    assert "less-than-announced" not in codes(read(tmp_path, [LINES[0], line, *LINES[1:]]))


def test_the_given_jobs_contradict_nothing():
    for path in sorted((DATA / "meshes/gcode").glob("*413*")):
        assert not {"less-than-announced", "ends-in-the-middle"} & codes(read_parts(path))


@pytest.mark.parametrize("packing", [0, 1])
@pytest.mark.parametrize("share", [0.35, 0.6, 0.9])
def test_binary_g_code_cut_within_a_block_gives_what_is_there(tmp_path, packing, share):
    text = "\n".join(LINES).encode()
    half = text.rindex(b"\n", 0, len(text) // 2) + 1
    data = samples.bgcode(
        samples.block(3, b"printer_model=MK4\n"),
        samples.block(1, text[:half], packing=packing),
        samples.block(1, text[half:], packing=packing),
    )
    path = tmp_path / "job.bgcode"
    path.write_bytes(data[: int(share * len(data))])
    found = read_parts(path)
    assert "ends-in-the-middle" in codes(found)
    # Packed, the end of a block takes fewer bytes than its beginning.
    least = 0.7 * share * 4.0 if not packing else 0.2 + 1.8 * (share > 0.7)
    assert least - 0.05 < found.parts[0].size_mm[2] < 4.0


def test_a_damaged_block_of_a_job_does_not_lose_the_others(tmp_path):
    text = "\n".join(LINES).encode()
    half = text.rindex(b"\n", 0, len(text) // 2) + 1
    first = samples.block(1, text[:half], packing=1)
    broken = bytearray(first)
    broken[len(first) * 3 // 4] ^= 0xFF
    path = tmp_path / "job.bgcode"
    path.write_bytes(samples.bgcode(bytes(broken), samples.block(1, text[half:], packing=1)))
    found = read_parts(path)
    assert "block-damaged" in codes(found)
    assert found.parts[0].size_mm[2] == pytest.approx(4.0, abs=0.05)


def test_heatshrink_in_part_is_the_beginning_of_the_whole():
    for bits, data in SHRUNK.items():
        packed = base64.b64decode(data)
        for cut in range(0, len(packed), 7):
            part = heatshrink(packed[:cut], len(TEXT), bits, 4, partly=True)
            assert TEXT.startswith(part)
            assert len(part) >= cut * 0.8 - 8


@pytest.mark.parametrize("kind", ["stl", "ply", "obj", "off"])
@pytest.mark.parametrize("share", [0.75, 0.85, 0.93, 0.98])
def test_meshes_that_are_cut_are_read_with_a_finding(tmp_path, kind, share):
    mesh = samples.together(*(samples.wedge((50.0 * k, 0, 0)) for k in range(40)))
    write = {"stl": samples.stl_binary, "ply": samples.ply, "obj": samples.obj, "off": samples.off}[kind]
    data = write(mesh)
    path = tmp_path / f"cut.{kind}"
    path.write_bytes(data[: int(share * len(data))])
    if data[: int(share * len(data))].count(b"\n") < 170 and kind in ("obj", "off"):
        with pytest.raises(ReadError, match=r"truncated|no faces|numbers"):  # cut among the vertices
            read_parts(path)
        return
    found = read_parts(path)
    assert "ends-in-the-middle" in codes(found)
    assert sum(len(part.faces) for part in found.parts) <= len(mesh[1])
    assert np.isfinite(found.parts[0].vertices_mm).all()
