"""What commands refuse early, in the words of the command line."""

from __future__ import annotations

import numpy as np
import pytest
from click.testing import CliRunner

from ballistics.cli import main
from ballistics.cli.terminal import MARKS, in_options
from ballistics.methods import METHODS
from ballistics.surfaces import Surface, write_x3p


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    path = tmp_path_factory.mktemp("words") / "scan.x3p"
    write_x3p(path, Surface(np.random.default_rng(1).normal(size=(60, 60)), (6.25, 6.25)))
    return path


def _run(*words):
    done = CliRunner().invoke(main, [str(word) for word in words])
    return done.exit_code, " ".join(done.output.replace("│", " ").split())


def test_the_kinds_of_mark_of_the_options_are_those_of_the_registry():
    assert tuple(MARKS.choices) == tuple(METHODS)


def test_an_unknown_kind_of_mark_is_answered_with_all_that_there_are(scan):
    code, said = _run("compare", scan, scan, "--mark", "breach face")
    assert code == 2
    assert all(kind in said for kind in METHODS)


def test_a_folder_is_answered_with_the_command_for_folders(scan):
    code, said = _run("compare", scan, scan.parent)
    assert code == 2
    assert f"ballistics batch {scan} --reference {scan.parent} --out" in said


@pytest.mark.parametrize("letter", ["a", "b"])
def test_an_error_names_the_option_of_the_scan_it_is_about(scan, letter):
    code, said = _run("compare", scan, scan, f"--units-{letter}", "millimetres")
    assert code == 2
    assert f"leave --units-{letter} out" in said


@pytest.mark.parametrize(
    ("message", "letter", "said"),
    [
        ("read it with units='micrometres'", "", "read it with --units micrometres"),
        ("read it with units='as written' then", "b", "read it with --units-b 'as written' then"),
        ("units is 'feet'; use 'micrometres'", "a", "--units-a is 'feet'; use 'micrometres'"),
        ("spacing_um is for images", "", "--spacing-um is for images"),
        ("x and y are in different units (m)", "a", "x and y are in different units (m)"),
        ("one unit of the file is 1 m", "a", "one unit of the file is 1 m"),
    ],
)
def test_messages_of_the_api_in_options(message, letter, said):
    assert in_options(message, letter) == said


def test_inspect_leaves_a_table_of_scans_out_and_says_so(scan):
    table = scan.parent / "truth.csv"
    table.write_text("﻿Scan,firearm\nscan.x3p,1\n", encoding="utf-8")
    (scan.parent / "points.csv").write_text("1,2,3\n")
    _, said = _run("inspect", scan.parent)
    assert f"left out: {table}, a table of scans" in said
    assert "points.csv" in said
    assert "1 refused" in said
