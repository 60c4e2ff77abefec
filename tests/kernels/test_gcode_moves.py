"""The kernel that reads print jobs against its plain twin: every spelling, mode, chunk and line end."""

from __future__ import annotations

import random

import numpy as np
import pytest
from conftest import DATA
from naive.printing import Printer

from ballistics.errors import HostileFileError
from ballistics.printed.jobs.machine import Machine

SPELLINGS = {
    "plain": lambda words: " ".join(words),
    "lower case": lambda words: " ".join(words).lower(),
    "no blanks": lambda words: "".join(words),
    "numbered": lambda words: f"N12 {' '.join(words)}*71",
    "numbered, no blanks": lambda words: f"N12{''.join(words)}*71",
    "blanks within words": lambda words: " ".join(f"{w[0]} {w[1:]}" for w in words),
    "tabs": lambda words: "\t" + "\t".join(words) + "\t",
    "brackets": lambda words: "(a X9 b) " + " (c G91) ".join(words) + " (d",
    "comment": lambda words: " ".join(words) + " ; X1 E99 G20",
    "two digits": lambda words: " ".join(
        [f"{words[0][0]}0{words[0][1:]}" if len(words[0]) == 2 else words[0], *words[1:]]
    ),
}


def number(rng):
    form = rng.choice(["{:.3f}", "{:.0f}", "{:.5f}", "{:+.2f}", "{:.1f}", "{:.17g}"])
    text = form.format(rng.uniform(-30, 200))
    return text.replace("0.", ".", 1) if text.startswith("0.") and rng.random() < 0.5 else text


def words_of_a_move(rng):
    command = rng.choice(["G0", "G1", "G1", "G1", "G2", "G3"])
    letters = [c for c in "XYZEF" if rng.random() < 0.5]
    if command in ("G2", "G3"):
        letters += ["R"] if rng.random() < 0.3 else ["I", "J"]
    rng.shuffle(letters)
    return [command, *(c + (f"{rng.uniform(5, 90):.3f}" if c in "RIJF" else number(rng)) for c in letters)]


def random_job(seed, spelling=None):
    rng = random.Random(seed)
    lines = []
    others = [
        "G90", "G91", "M82", "M83",
        "G20", "G21", "G92 E0", "G92 X10 Y5", "G92", "G28 X", "G28", "G17", "G18", ";TYPE:Perimeter",
        ";TYPE:Fill", ";WIDTH:0.45",
        ";WIDTH:0.6", "; LINE_WIDTH: 0.45 ", ";WIDTH:.7", "M204 S1000", "M117 G20 X4", "", "   ", "T0",
        "X10 Y4 E9", "M107", "G4 P1",
        "EXCLUDE_OBJECT_START NAME=g20", "G10", "G11",
        "G1 X1E5 Y2", "G1 X1.5e1 Y3 E1", "G1 Xnan Y4 E2", "G92 E",
    ]  # fmt: skip
    for _ in range(400):
        if rng.random() < 0.8:
            way = spelling or rng.choice(list(SPELLINGS))
            lines.append(SPELLINGS[way](words_of_a_move(rng)))
        else:
            lines.append(rng.choice(others))
    return lines


def agree(machine, text):
    twin = Printer()
    twin.read(text)
    pieces = machine.tracks()
    assert pieces.shape == (len(twin.pieces), 10)
    np.testing.assert_allclose(pieces, np.array(twin.pieces), rtol=1e-12, atol=1e-9)
    np.testing.assert_allclose(machine.events(), np.array(twin.events), rtol=1e-12, atol=1e-9)
    return pieces


@pytest.mark.parametrize("spelling", [None, *SPELLINGS])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_spelling_of_a_move_is_read_as_the_grammar_says(spelling, end):
    for seed in range(4):
        text = end.join(random_job(seed, spelling)) + end
        machine = Machine()
        machine.read([text.encode()])
        assert len(agree(machine, text)) > 50
        if spelling == "comment":
            assert machine.state.habits[16] > 100


def test_pieces_of_the_file_do_not_matter():
    text = "\r\n".join(random_job(9)) + "\r\nM84\r\n"
    whole = Machine()
    whole.read([text.encode()])
    for size in (1, 7, 100):
        machine = Machine()
        machine.read(text.encode()[k : k + size] for k in range(0, len(text), size))
        np.testing.assert_array_equal(machine.tracks(), whole.tracks())
        assert machine.state.modes[10] == whole.state.modes[10] == text.count("\r\n")


def test_numbers_are_the_nearest_doubles():
    rng = random.Random(3)
    words = [number(rng) for _ in range(3000)] + ["1e5", "123456789012345", "1234567890123456", "-.5", "5.", "+7"]
    lines = [f"G1 X{word} Y1" for word in words]
    machine = Machine()
    for line, word in zip(lines, words, strict=True):
        machine.take(line.encode())
        assert machine.state.place[0] == float(word), line


def test_more_pieces_than_are_held_at_once():
    lines = [f"G1 X{k % 7} Y{k} E1" for k in range(300_000)]
    machine = Machine()
    machine.read([b"M83\nG1 Z.2\n", "\n".join(lines).encode(), b"\nM84\n"])
    pieces = machine.tracks()
    assert pieces.shape == (299_999, 10)  # the first stays where the head is
    assert pieces[:, 3].tolist() == list(range(1, 300_000))
    counting = Machine(keeps_pieces=False)
    counting.read([b"M83\nG1 Z.2\n", "\n".join(lines).encode(), b"\nM84\n"])
    assert len(counting.tracks()) < 1 << 17
    assert counting.state.modes[10] == 300_003


def test_a_line_without_end_is_refused():
    with pytest.raises(HostileFileError, match="longer"):
        Machine().read([b"G1 X1" + b"0" * (1 << 21) + b"\n"])
    with pytest.raises(HostileFileError, match="longer"):
        Machine().read([b"0" * (1 << 18)] * 9)


def test_a_half_line_at_the_end_is_left_out():
    machine = Machine()
    machine.read([b"M83\nG1 X1 Y1 Z.2\nG1 X2 E1\nG1 X67.7"])
    assert len(machine.tracks()) == 1
    assert machine.half_line == b"G1 X67.7"
    machine = Machine()
    machine.read([b"M83\nG1 X1 Y1 Z.2\nG1 X2 E1\nM84"])
    assert (machine.half_line, machine.unfinished) == (b"", False)


def test_a_given_job_is_read_as_the_twin_reads_it():
    path = next((DATA / "meshes/gcode").glob("mech_printer_part__413*prusa*"))
    machine = Machine()
    machine.read([path.read_bytes()])
    twin = Printer()
    twin.read(path.read_text())
    pieces = machine.tracks()
    columns = [0, 1, 2, 3, 4, 5, 6, 8, 9]
    np.testing.assert_allclose(pieces[:, columns], np.array(twin.pieces)[:, columns], rtol=1e-12, atol=1e-9)
