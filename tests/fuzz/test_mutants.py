"""Mutants of every importer and store file are read, or refused by an error of ours; all of them when slow."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))

from mutants import Tally, bytes_of, campaign, run, table
from targets import TARGETS, Target

# What CI can afford; `python tests/fuzz/mutants.py` makes 5000 for every target.
SAMPLE, WHOLE = 10, 1000


# One collection stands for the three of which other files are changed.
_SLOW = ("collection arrays", "collection index")
_TARGETS = [pytest.param(t, marks=pytest.mark.slow) if t.name in _SLOW else t for t in TARGETS]


@pytest.fixture(scope="module", params=_TARGETS, ids=lambda target: target.name)
def made(request, tmp_path_factory):
    """A target, its folder, and its good files."""
    folder = tmp_path_factory.mktemp("mutants")
    return request.param, folder, request.param.make(folder)


@pytest.mark.slow
def test_good_files_are_read(made):
    target, folder, paths = made
    assert paths
    for number, path in enumerate(paths):
        target.use(path, folder, number)


@pytest.mark.slow
def test_a_sample_of_mutants(made):
    target, folder, paths = made
    tally = run(target, folder, paths, range(SAMPLE), Tally(target.name))
    assert (tally.count, tally.odd) == (SAMPLE, []), table([tally])


def test_the_same_number_is_the_same_mutant(made):
    target, _, paths = made
    seeds = [path.read_bytes() for path in paths]
    assert bytes_of(7, target.name, seeds) == bytes_of(7, target.name, seeds)
    # In a file with many empty pages some mutants change nothing.
    assert len({bytes_of(number, target.name, seeds) for number in range(40)}) > 20


def test_the_harness_sees_what_it_is_for(tmp_path):
    """A reader that lets errors of others out, one that dies and one that never ends are told apart."""

    def use(path, folder, number):
        if number % 2:
            raise KeyError("not ours")

    (tmp_path / "a.txt").write_text("1 2 3")
    tally = run(Target("bad", None, use), tmp_path, [tmp_path / "a.txt"], range(4), Tally("bad"))
    assert (tally.read, tally.number("foreign")) == (2, 2)
    assert "KeyError" in table([tally])
    assert (tmp_path / "a.txt").read_text() == "1 2 3"


@pytest.mark.slow
def test_all_mutants():
    tallies = campaign([], range(WHOLE), workers=2)
    print(table(tallies))
    assert [tally.count for tally in tallies] == [WHOLE] * len(TARGETS)
    assert not any(tally.odd for tally in tallies), table(tallies)
