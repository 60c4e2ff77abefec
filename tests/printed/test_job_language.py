"""Only real commands of a job are executed; numbers, units, filament and line ends are read as they were meant."""

from __future__ import annotations

import numpy as np
import pytest
from job_samples import HEIGHT, codes, is_the_box, job, push, read

from ballistics.printed.files.reading import read_parts
from ballistics.printed.jobs.words import commands_of

PLAIN = job(skirt=False)


def each(change, lines=PLAIN):
    """Return a job of which every printing line was changed."""
    return [change(line) if line.startswith("G1") and "E" in line else line for line in lines]


def around(before, lines=PLAIN):
    """Return a job with lines before every second command."""
    return [text for k, line in enumerate(lines) for text in ([*before, line] if k % 2 and k > 6 else [line])]


NAMES = ("ring20", "plug91", "arm82", "beam83", "housing28", "big92", "X20.stl", "g_20 g20", "m83 g91", "T1 G28")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "line",
    [
        "EXCLUDE_OBJECT_START NAME={}", "EXCLUDE_OBJECT_DEFINE NAME={} CENTER=10,10 POLYGON=[[0,0],[9,9]]",
        "M117 {}", "M118 {}", "M486 A{}", "SET_PRINT_STATS_INFO CURRENT_LAYER=3 TITLE={}", "M23 {}", "_CUSTOM {}",
        "; printing object {}", "G4 P1 ({} G20 G91)", "START_PRINT EXTRUDER=210 {}", "RESPOND MSG='{}'", "M118 (G91)",
        'M98 P"{} G91"', "g20_MACRO {}", "M117G91 {}", "SET_GCODE_VARIABLE MACRO=G91 VALUE={}", "echo {}", "# {}",
    ],
)  # fmt: skip
def test_text_is_not_executed(line, name):
    from ballistics.printed.jobs.machine import Machine

    machine = Machine()
    for text in (b"G21", b"G90", b"M83", b"G1 X10 Y10 Z0.2", line.format(name).encode(), b"G1 X20 E1"):
        machine.take(text)
    assert machine.tracks()[:, :6].tolist() == [[10.0, 10.0, 20.0, 10.0, 0.2, 1.0]]


def test_object_names_of_klipper_and_marlin_are_kept(tmp_path):
    for line in ("EXCLUDE_OBJECT_START NAME=ring20_id_0", "M486 Aring20_id_0", 'M486 S1 A"ring20_id_0"'):
        found = read(tmp_path, around([line]))
        is_the_box(found)
        assert found.parts[0].name == "ring20_id_0"


def exponent(word):
    return word[0] + f"{float(word[1:]):.6e}" if word[0] in "XYE" else word


WAYS = {
    "exponents": lambda line: " ".join(map(exponent, line.split())),
    "exponents of Windows": lambda line: WAYS["exponents"](line).replace("e+", "e+0").replace("e-", "e-0"),
    "exponents of Java": lambda line: " ".join(map(exponent, line.split())).replace("e+0", "E").replace("e-0", "E-"),
    "exponents, lower case": lambda line: " ".join(map(exponent, line.split())).lower(),
    "lower case": str.lower,
    "no blanks": lambda line: line.replace(" ", ""),
    "no blanks, lower case": lambda line: line.replace(" ", "").lower(),
    "blanks in words": lambda line: " ".join(f"{word[0]} {word[1:]}" for word in line.split()),
    "tabs": lambda line: "\t" + line.replace(" ", "\t"),
    "checksums": lambda line: f"N12 {line}*37",
    "checksums apart": lambda line: f"N12{line} * 37",
    "comments in brackets": lambda line: line.replace(" ", " (to X99 Y99) ", 1),
    "two digits": lambda line: line.replace("G1", "G01"),
    "feed with an exponent": lambda line: line + " F1.08173e+006",
    "a feed line before": lambda line: "G1 F1.08173e+006\n" + line,
    "plus signs": lambda line: line.replace(" E", " E+"),
    "modal": lambda line: line[3:],
    "words that are text": lambda line: line + " NAME=ring20 G91_X",
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_one_move_in_many_spellings(tmp_path, way):
    is_the_box(read(tmp_path, each(WAYS[way])))


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n\n", "\n\r"])
def test_line_ends(tmp_path, end):
    path = tmp_path / "job.gcode"
    path.write_bytes(end.join(PLAIN).encode())
    is_the_box(read_parts(path))
    path = tmp_path / "renamed"
    path.write_bytes(b"\xef\xbb\xbf" + end.join(PLAIN).encode())
    is_the_box(read_parts(path))


def test_utf_16(tmp_path):
    path = tmp_path / "job.gcode"
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
        path.write_text("\n".join(PLAIN), encoding=encoding)
        found = read_parts(path)
        is_the_box(found)
        assert "text-encoding" in codes(found)


def volumes(factor=np.pi / 4 * 1.75**2, lines=PLAIN):
    def scaled(line):
        return " ".join(f"E{float(w[1:]) * factor:.5f}" if w[0] == "E" else w for w in line.split())

    return each(scaled, lines)


@pytest.mark.parametrize(
    "head",
    [
        ["M200 D1.75"], ["M200 D2.85"], ["M200 D2.85 S1"], ["M200 D1.75:1.75"],
        ["; use_volumetric_e = 1"], [";FLAVOR:UltiGCode"],
    ],
)  # fmt: skip
def test_filament_by_volume(tmp_path, head):
    found = read(tmp_path, [*head, *volumes()])
    is_the_box(found)
    assert "filament-diameter-assumed" not in codes(found)


@pytest.mark.parametrize("head", [["M200 D0"], ["M200 D1.75", "M200 S0"], ["M200 D1.75 S0"], ["M200 D1.75", "M200 D0"]])
def test_filament_by_length_after_all(tmp_path, head):
    is_the_box(read(tmp_path, [*head, *PLAIN]))


@pytest.mark.parametrize(
    "comment",
    [
        "; filament_diameter = 2.85,2.85", "; filament_diameter: 2.85", ";   filamentDiameters,2.85|1.75|1.75",
        ";Filament Diameter #1: 2.850", "; fiber_dia_mm=2.85", "; fiber_dia_mm = 2.85", ";material_diameter = 2.85",
        "; filament used = 1000.0mm (6.379cm3)", "; filament used [mm] = 1000\n; filament used [cm3] = 6.379",
        ";   Filament length: 1000.0 mm (1.00 m)\n;   Plastic volume: 6379.39 mm^3 (6.38 cc)",
        ';SETTING_3 {"extruder_quality": ["[values]\\\\nmaterial_diam\n;SETTING_3 eter = 2.85\\\\n"]}',
    ],
)  # fmt: skip
def test_the_filament_s_diameter_in_the_words_of_slicers(tmp_path, comment):
    thick = volumes((1.75 / 2.85) ** 2)
    for lines in ([comment, *thick], [*thick, comment]):
        found = read(tmp_path, lines)
        is_the_box(found)
        assert "filament-diameter-assumed" not in codes(found)


@pytest.mark.parametrize(("diameter", "taken"), [(1.75, "1.75 mm"), (2.85, "2.85 mm"), (3.0, "3 mm")])
def test_a_diameter_that_is_nowhere_is_told_by_walls_that_lie_in_each_other(tmp_path, diameter, taken):
    # What slicers push for walls that lie as far apart as these.
    beside = 0.4 * HEIGHT / (push(1.0) * np.pi / 4 * 1.75**2)
    for lines in (PLAIN, job(skirt=False, types=False)):
        found = read(tmp_path, volumes(beside * (1.75 / diameter) ** 2, lines))
        assert found.parts[0].size_mm == pytest.approx((20.0, 20.0, 4.0), abs=0.1)
        (told,) = [finding for finding in found.findings if finding.code == "filament-diameter-told"]
        assert told.action == f"taken as {taken}"
        assert found.jobs[0].habits.line_width_mm == pytest.approx(0.45, abs=0.05)


def test_a_flow_that_no_filament_explains_tells_nothing(tmp_path):
    found = read(tmp_path, volumes((1.75 / 5.0) ** 2))
    assert "filament-diameter-assumed" in codes(found)


def test_a_diameter_that_nothing_tells_is_said_to_be_assumed(tmp_path):
    # One wall and infill: nothing lies beside the wall.
    bare = job(skirt=False, inner=False)
    assert "filament-diameter-assumed" in codes(read(tmp_path, bare))
    assert "filament-diameter-assumed" not in codes(read(tmp_path, ["; filament_diameter = 1.75", *bare]))
    stated = [line for text in bare for line in ([text, ";WIDTH:0.4"] if text.startswith(";TYPE") else [text])]
    assert "filament-diameter-assumed" not in codes(read(tmp_path, stated))


def test_tools_have_filaments_of_their_own(tmp_path):
    thin, thick = PLAIN[7:], volumes((1.75 / 2.85) ** 2)[7:]
    half = len(thin) // 2
    lines = ["; filament_diameter = 1.75,2.85", *PLAIN[:7], "T0", *thin[:half], "T1", *thick[half:]]
    is_the_box(read(tmp_path, lines))


def test_bare_g92_makes_the_place_of_the_head_the_origin(tmp_path):
    found = read(tmp_path, [*PLAIN[:6], "G1 X50 Y60 Z5 F3000", "G92", *PLAIN[6:]])
    (part,) = found.parts
    assert part.vertices_mm.min(axis=0) == pytest.approx([50, 60, 5], abs=0.05)
    assert part.vertices_mm.max(axis=0) == pytest.approx([70, 80, 9], abs=0.05)
    assert "above-the-bed" in codes(found)
    for line in ("G92 E", "G92 E0", "G92.1"):
        is_the_box(read(tmp_path, [*PLAIN[:6], "G1 X50 Y60 Z5 F3000", line, *PLAIN[6:]]))


def test_a_thick_first_layer_is_no_gap(tmp_path):
    thin = [line.replace("Z0.200", "Z0.300") if "Z0.200" in line else line for line in PLAIN]
    for k in range(1, 20):
        thin = [line.replace(f"Z{(k + 1) * 0.2:.3f}", f"Z{0.3 + k * 0.06:.3f}") for line in thin]
    (part,) = read(tmp_path, thin).parts
    assert part.vertices_mm[:, 2].min() == pytest.approx(0.0, abs=0.02)
    assert np.ptp(part.vertices_mm[:, 2]) == pytest.approx(0.3 + 19 * 0.06, abs=0.02)


def test_several_commands_in_one_line(tmp_path):
    lines = [line for line in PLAIN if line not in ("G21", "G90", "M83")]
    is_the_box(read(tmp_path, ["G20", "G91", "G21 G90 M83", *lines]))


def test_firmware_retraction_and_homing_with_flags_do_not_move_the_part(tmp_path):
    is_the_box(read(tmp_path, around(["G10", "G11", "G10 S1"])))
    is_the_box(read(tmp_path, ["G28 W", "G28 X Y", "G28XY", *PLAIN]))


@pytest.mark.parametrize("cut", [0.5, 0.7, 0.9])
def test_a_job_cut_in_half_is_read_and_said_to_end_in_the_middle(tmp_path, cut):
    text = "\n".join([*PLAIN, "M104 S0", "M84", ""])
    path = tmp_path / "job.gcode"
    path.write_text(text)
    assert "ends-in-the-middle" not in codes(read_parts(path))
    path.write_text(text[: int(cut * len(text))])
    found = read_parts(path)
    assert "ends-in-the-middle" in codes(found)
    (part,) = found.parts
    assert np.ptp(part.vertices_mm[:, 2]) == pytest.approx(4.0 * cut, abs=0.3)


def test_coordinates_that_are_no_numbers_are_left_out_with_a_word(tmp_path):
    found = read(tmp_path, ["G1 Xnan Ynan E1", *PLAIN[:7], *PLAIN[7:], "G1 X-nan E0"])
    assert "words-unreadable" in codes(found)
    is_the_box(found)


@pytest.mark.parametrize(
    ("line", "name", "words"),
    [
        (b"G1X10E-5", "G1", {"X": 10.0, "E": -5.0}), (b"G1 X10E-5", "G1", {"X": 10.0, "E": -5.0}),
        (b"g1 x1.5e-05 y2 e0.5", "G1", {"X": 1.5e-5, "Y": 2.0, "E": 0.5}),
        (b"G1 X1.0E-5 Y2.0 E3.0E-2", "G1", {"X": 1e-5, "Y": 2.0, "E": 0.03}),
        (b"G1 X1.5E-5 Y3", "G1", {"X": 1.5e-5, "Y": 3.0}), (b"N5G0X1", "G0", {"X": 1.0}),
        (b"N5 G92.1", "G92.1", {}), (b"T1", "T1", {}), (b"G1 X.5 Y-.5 Z5.", "G1", {"X": 0.5, "Y": -0.5, "Z": 5.0}),
    ],
)  # fmt: skip
def test_words(line, name, words):
    ((found, got, *_),) = commands_of(line)
    assert (found, got) == (name, words)
