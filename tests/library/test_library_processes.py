"""The library and processes that are killed, or work at the same time: nothing acknowledged is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from library_marks import noise_mark

from ballistics.search.library import Library

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """Run all processes once, and return the folder of their libraries with what they told."""
    folder = tmp_path_factory.mktemp("processes")
    script = Path(__file__).with_name("library_processes.py")
    root = Path(__file__).parents[2]
    found = subprocess.run(
        [sys.executable, str(script), str(folder)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root), *sys.path])},
        timeout=600,
    )
    return folder, json.loads(found.stdout)


def told_by(base, name):
    folder, lines = base
    assert not [line for line in lines[name] if line.startswith("FAILED")]
    told = [line.split(" ", 2) for line in lines[name]]
    return folder / name / "library", [(int(seed), int(number), what) for seed, number, what in told]


def everything_acknowledged_is_there(library, told):
    held = {mark.id: mark for mark in library.contents().marks}
    removed = {gone.mark_id for gone in library.contents().removals}
    after = {}
    for seed, number, what in told:
        after[number] = (seed, what)
    for number, (seed, what) in after.items():
        if what == "removed":
            assert number in removed
            assert number not in held
        elif seed % 5 == 4:
            assert (number in held) != (number in removed)  # stopped while it was being removed
        else:
            assert held[number].scan == f"scan-{seed}.x3p"
    return held


def test_a_writer_killed_at_random_loses_nothing(base):
    folder, told = told_by(base, "random_stops")
    assert len(told) >= 9  # three in four were stopped only after the first one was acknowledged
    with Library.open(folder) as library:
        held = everything_acknowledged_is_there(library, told)
        found = library.verify()
        assert found.clean, found.faults
        for number, seed in [(number, seed) for seed, number, what in told if what == "enrolled" and seed % 5 != 4][
            -5:
        ]:
            np.testing.assert_array_equal(library.mark(number).heights_um, noise_mark(seed).heights_um)
        # The next one goes on as if nothing had happened, and clears away.
        outcome = library.enrol(noise_mark(999_999), "next")
        assert outcome.outcome == "enrolled"
        assert outcome.mark_id > max(held, default=0)
        assert library.verify(tidy=True).clean
        assert library.verify().leftovers == ()


def test_a_writer_stopped_before_each_step_on_the_disk_loses_nothing(base):
    folder, told = told_by(base, "stops_at_every_step")
    # The last ones were stopped after everything was done.
    assert [what for *_, what in told][-2:] == ["enrolled", "removed"]
    with Library.open(folder) as library:
        everything_acknowledged_is_there(library, told)
        assert library.verify().clean
        library.enrol(noise_mark(1), "next")
        found = library.verify(tidy=True)
        assert found.clean
        assert library.verify().leftovers == ()
        # Deleting was completed for each removal, by whoever wrote next.
        for gone in library.contents().removals:
            assert not library.arrays.path(gone.array_sha256).exists()


def test_processes_that_enrol_the_same_scans_at_once_enrol_each_once(base):
    folder, told = told_by(base, "same_scan_twice")
    with Library.open(folder) as library:
        seeds = [seed for seed in range(12) if seed % 5 != 4]
        scans = sorted(f"scan-{seed}.x3p" for seed in [500, *seeds])
        assert sorted(mark.scan for mark in library.contents().marks) == scans
        outcomes = [what for *_, what in told]
        assert outcomes.count("enrolled") == len(seeds)
        assert outcomes.count("present") == 2 * len(seeds)
        assert library.verify().clean
        assert library.verify().leftovers == ()


def test_processes_search_while_one_enrols(base):
    folder, told = told_by(base, "searches_while_enrolling")
    assert len(told) == 2 * 4
    for marks, leads, state in told:
        assert state == "whole"
        # A mark that is removed between its template and its comparison leads nowhere; there are four of them.
        assert marks - 4 <= leads <= marks
    with Library.open(folder) as library:
        assert len(library.contents().marks) == 17
        assert library.verify().clean


def test_a_backup_made_while_another_process_enrols_is_whole(base):
    folder, told = told_by(base, "backup_while_enrolling")
    assert len(told) == 2
    assert [faults for _, faults, _ in told] == [0, 0]
    assert 2 <= told[0][0] <= told[1][0]
    with Library.open(folder.with_name("copy")) as copy, Library.open(folder) as library:
        assert copy.verify().clean
        assert copy.verify().leftovers == ()
        known = {mark.id: mark for mark in library.contents().marks}
        gone = {removal.mark_id for removal in library.contents().removals}
        for mark in copy.contents().marks:
            assert mark.id in gone or known[mark.id] == mark
