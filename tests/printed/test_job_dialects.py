"""Jobs of uncommon controllers: another axis for filament, saved places, macros at the end, long comments."""

from __future__ import annotations

import re

import pytest
from job_samples import codes, is_the_box, job, read

from ballistics.errors import CorruptFileError, HostileFileError, UnsupportedFormatError
from ballistics.printed.describe.inspection import describe_file
from ballistics.printed.files.reading import read_parts

PLAIN = job(skirt=False)
END = ["M104 S0", "M84", ""]
HEATED = ["M104 S200", "M109 S200"]


@pytest.mark.parametrize("spelt", [" A", "A"])
def test_filament_pushed_by_the_axis_a(tmp_path, spelt):
    lines = [line.replace(" E", spelt) for line in PLAIN]
    found = read(tmp_path, [*HEATED, *lines, *END])
    is_the_box(found)
    assert "filament-axis" in codes(found)


def test_programs_of_mills_and_lasers_are_no_print_jobs(tmp_path):
    moves = [f"G1 X{k % 50} Y{k} Z-{k % 3} A{k} F800" for k in range(300)]
    for head in (["M3 S9000"], ["S9000 M3", "M109 S200"], ["T1 M6", "M03 S12000"]):
        with pytest.raises(UnsupportedFormatError, match=r"line [3-5] switches its tool on.*: not a print job"):
            read(tmp_path, ["G21", "G90", *head, *moves, "M5", "M30"])
    laser = [f"G1 X{k % 50} Y{k} S{k}" for k in range(300)]
    with pytest.raises(UnsupportedFormatError, match="a mill, a laser or a plotter"):
        read(tmp_path, ["G21", "G90", "M4 S0", *laser, "M5", "M2"], "cut.nc")
    described, _ = describe_file(tmp_path / "cut.nc")
    assert (described.verdict, described.jobs) == ("refused", ())
    # Without a tool that is switched on nothing says what the program is for; A is no filament without a heater.
    with pytest.raises(CorruptFileError, match="not a print job"):
        read(tmp_path, ["G21", "G90", *moves, "M30"])


def test_an_extruder_that_is_switched_is_named(tmp_path):
    switched = [re.sub(r" E\S+", "", line) for line in PLAIN]
    with pytest.raises(UnsupportedFormatError, match="M101 to M103"):
        read(tmp_path, [*HEATED, "M101", *switched, "M103", *END])


def test_saved_places_are_gone_back_to(tmp_path):
    away = ["G60 S1", "G1 X150 Y150 F9000", "G61 XY S1", "G61 S7"]
    at = next(k for k, line in enumerate(PLAIN) if k > 100 and "E" in line and line.startswith("G1 X"))
    is_the_box(read(tmp_path, [*PLAIN[:at], *away, *PLAIN[at:], *END]))
    is_the_box(read(tmp_path, ["G61", *PLAIN, *END]))


@pytest.mark.parametrize(("last", "is_whole"), [
    ("END_PRINT", True), ("PRINT_END", True), ("%", True), ("EXCLUDE_OB", False), ("G1 X1", False),
    ("TIMELAPSE_TAKE_FRAME", False),
])  # fmt: skip
def test_what_ends_a_job_without_a_line_end(tmp_path, last, is_whole):
    assert ("ends-in-the-middle" in codes(read(tmp_path, [*PLAIN, last]))) is not is_whole


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_a_comment_of_megabytes_is_left_out(tmp_path, end):
    path = tmp_path / "job.gcode"
    path.write_text(end.join([*PLAIN[:20], ";gimage:" + "x" * 3_000_000, *PLAIN[20:], *END]), newline="")
    is_the_box(read_parts(path))
    path.write_text(end.join([*PLAIN[:20], "G1 " + "X1" * 1_000_000, *PLAIN[20:]]), newline="")
    with pytest.raises(HostileFileError, match="a line is longer"):
        read_parts(path)


@pytest.mark.parametrize("kind", ["tail", "run", "in a line"])
def test_zeros_of_a_damaged_card_lose_their_lines_only(tmp_path, kind):
    """A file that was never written to its end, a lost sector between two lines, and one within a line."""
    text = "\n".join([*job(skirt=False), "M84", ""]).encode()
    middle = text.index(b"\nG1 Z2.000")
    damaged = {
        "tail": text + bytes(2 << 20),
        "run": text[:middle] + bytes(4096) + text[middle:],
        "in a line": text[: middle + 6] + bytes(512) + text[middle:],
    }[kind]
    (tmp_path / "job.gcode").write_bytes(damaged)
    found = read_parts(tmp_path / "job.gcode")
    is_the_box(found)
    assert [f.severity for f in found.findings if f.code == "zeros-in-text"] == ["serious"]


@pytest.mark.parametrize("spelt", [r"\1,\2", r":\1.\2", r"=\1.\2"])
def test_numbers_that_are_not_read_are_named_where_nothing_is_left(tmp_path, spelt):
    lines = [re.sub(r"(?<=[XYZE])(-?\d+)\.(\d+)", spelt, line) for line in job(skirt=False) if "intro" not in line]
    with pytest.raises(CorruptFileError, match="coordinates are no numbers: with decimal commas"):
        read(tmp_path, lines)
