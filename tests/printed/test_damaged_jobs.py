"""Jobs that are damaged, or made to look like none: holes of zeros, a track far away, false words."""

from __future__ import annotations

import numpy as np
import pytest
from job_samples import codes, is_the_box, job, read, volume

from ballistics.errors import HostileFileError
from ballistics.printed.files.reading import read_parts

PLAIN = job(skirt=False)
END = ["M104 S0", "M84", ""]


@pytest.mark.parametrize("size", [1, 4096, 3 << 20])
def test_a_hole_of_zeros_costs_the_lines_it_hits(tmp_path, size):
    lines = "\n".join([*PLAIN, *END]).encode()
    # Within a number: its two halves would make another.
    at = lines.index(b"E", lines.index(b"G1 X", len(lines) // 2)) + 3
    path = tmp_path / "card.gcode"
    path.write_bytes(lines[:at] + bytes(size) + lines[at:])
    found = read_parts(path)
    is_the_box(found)
    assert "zeros-in-text" in codes(found)
    (message,) = [f.message for f in found.findings if f.code == "zeros-in-text"]
    assert message.startswith("1 lines hold bytes of value 0")


def test_behind_a_hole_the_head_is_somewhere_else(tmp_path):
    # Two walls of the outside are gone, and with them the place from which the next track starts.
    lines = "\n".join([*PLAIN, *END]).encode()
    layers = lines.split(b"G1 Z")
    hit = layers[10]
    layers[10] = hit[:300] + bytes(400) + hit[700:]
    path = tmp_path / "card.gcode"
    path.write_bytes(b"G1 Z".join(layers))
    found = read_parts(path)
    assert "zeros-in-text" in codes(found)
    assert volume(found.parts[0]) == pytest.approx((400 - 36) * 4.0, rel=0.06)
    assert np.ptp(found.parts[0].vertices_mm, axis=0) == pytest.approx([20.0, 20.0, 4.0], abs=0.05)


def test_a_track_far_away_does_not_hide_the_others(tmp_path):
    found = read(tmp_path, [*PLAIN, "G1 X30000000 Y5 F9000", "G1 X30000100 E4", *END])
    is_the_box(found)
    assert "tracks-too-far" in codes(found)
    far = [line.replace("X", "X9") if line.startswith("G1 X") else line for line in PLAIN]
    with pytest.raises(HostileFileError, match="farther than any printer"):
        read(tmp_path, [line.replace("X9", "X999999") for line in far])


def test_a_false_word_at_the_top_does_not_hide_a_job(tmp_path):
    found = read(tmp_path, [";TYPE:Skirt", *job(types=False), *END])
    is_the_box(found)
    assert {"types-not-believed", "skirt-guessed"} <= codes(found)


def test_blocks_that_a_controller_may_skip_are_told(tmp_path):
    found = read(tmp_path, [*PLAIN, "/G1 X5 Y5 E9", "// words with G1 in them", *END])
    is_the_box(found)
    (finding,) = [f for f in found.findings if f.code == "blocks-off"]
    assert (finding.severity, finding.message[:7]) == ("warning", "1 lines")
    assert "blocks-off" not in codes(read(tmp_path, [*PLAIN, *END]))
