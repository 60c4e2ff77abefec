"""The tamper matrix: whatever stored file is altered, and wherever, it is named, refused, or done again the same."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import mesh_samples as samples
import numpy as np
import pytest
from library_marks import noise_mark

from ballistics.errors import BallisticsError
from ballistics.evidence.conditions import Conditions
from ballistics.evidence.population import ReferencePopulation
from ballistics.evidence.reference_file import ReferenceFile, load_reference
from ballistics.evidence.scores import ScoreTable
from ballistics.files.bounded_arrays import load_array
from ballistics.library.items import Description
from ballistics.methods import METHODS
from ballistics.pairs.designs import AllPairs
from ballistics.pairs.mark_store import MarkStore, _loaded
from ballistics.pairs.results import read_metadata, write_results
from ballistics.pairs.rows import empty_row
from ballistics.pairs.runs import KeptPairs
from ballistics.printed.collection.enrolment import enrol_files
from ballistics.printed.collection.integrity import verify_collection
from ballistics.search.library import Library

KIND = "breech face"
COUNT = METHODS[KIND].score_texts["count"]
KEYS = [f"{k:064x}" for k in range(5)]


def flipped(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def zeroed(data: bytes, rng: random.Random) -> bytes:
    """Set a block to zeros, as a failing disk does; a flipped bit where it was zero already."""
    start = rng.randrange(len(data))
    changed = data[:start] + bytes(len(data[start : start + 512])) + data[start + 512 :]
    return changed if changed != data else flipped(data, rng)


def grown(data: bytes, rng: random.Random) -> bytes:
    return data + rng.randbytes(rng.randint(1, 100))


CHANGES = (flipped, flipped, flipped, cut, zeroed, grown)


def altered(path: Path, seed: int, times: int) -> Iterator[None]:
    """Give the file altered in one way after the other, and put it back."""
    whole = path.read_bytes()
    rng = random.Random(f"{path.suffix} {seed}")
    for k in range(times):
        path.write_bytes(CHANGES[k % len(CHANGES)](whole, rng))
        yield
    path.write_bytes(whole)


def collection(place: Path) -> Path:
    for k in range(3):
        (place / f"{k}.stl").write_bytes(samples.stl_binary(samples.box((40.0 + 9 * k, 30.0 - 5 * k, 10.0 + 2 * k))))
    list(enrol_files([(f"{k}.stl", place / f"{k}.stl") for k in range(3)], place / "lab"))
    return place / "lab"


def says_of_collection(folder: Path) -> bool:
    try:
        found = verify_collection(folder)
    except BallisticsError:
        return True
    return not found.clean or bool(found.notes)


def library(place: Path) -> Path:
    with Library.create(place / "library") as made:
        for seed in (1, 2, 3):
            made.enrol(noise_mark(seed, points=64), f"{seed}.x3p", Description(incident=f"case {seed}"))
    return place / "library"


def says_of_library(folder: Path) -> bool:
    try:
        with Library.open(folder) as opened:
            found = opened.verify()
    except BallisticsError:
        return True
    return not found.clean


def dump(folder: Path) -> list[str]:
    with sqlite3.connect(folder / "library.sqlite") as connection:
        lines = list(connection.iterdump())
    connection.close()
    # Words and names of tables mean the same in small letters and capitals.
    return [line.lower() if line.upper().startswith("CREATE") else line for line in lines]


def work(place: Path) -> Path:
    folder = place / "work"
    folder.mkdir()
    store = MarkStore(folder, KIND)
    heights = np.random.Generator(np.random.PCG64(1)).normal(size=(40, 50)).astype(np.float32)
    store._write("a" * 64, heights, {"spacing_um": 3.0, "surface_kind": "topography", "insufficient": None})
    kept(folder)
    return folder


def kept(folder: Path) -> list[object]:
    with KeptPairs(folder / "pairs.jsonl", "m", KIND, KEYS, AllPairs(len(KEYS))) as pairs:
        for a, b in list(pairs.missing()):
            pairs.keep(empty_row(KIND) | {"a": a, "b": b, "count": 7, "cells": 20, "error": ""})
        return list(pairs.rows())


def table(place: Path) -> Path:
    names = {"scan": "x", "sha256": "y", "mark_sha256": "z", "findings": ""}
    fixed = {f"{name}_{side}": value for name, value in names.items() for side in "ab"}
    rows = [empty_row(KIND) | fixed | {"mark_kind": KIND, "count": k, "error": ""} for k in range(50)]
    described = {
        "design": "all pairs", "mark_kind": KIND, "method": "made up", "method_version": "1", "parameters": {},
        "parameters_sha256": "", "references": [], "versions": {}, "scans": [5], "left_out": 0, "pairs": 50,
    }  # fmt: skip
    write_results(place / "table.parquet", KIND, rows, described)
    return place / "table.parquet"


def reference(place: Path) -> Path:
    conditions = Conditions(KIND, ("9 mm",), ("confocal",), f"CMC; score: {COUNT}", "1", {}, ("x",))
    scores = ScoreTable.build(
        [9.0, 8.0, 1.0], ["1", "2", "1"], ["1", "2", "2"], [20] * 3, ["a", "b", "c"], ["d", "e", "f"]
    )
    (place / "reference.json").write_bytes(
        ReferenceFile((ReferencePopulation("ours", scores, conditions, "nobody's"),)).to_json()
    )
    return place / "reference.json"


def refuses(read: Callable[[Path], object], path: Path) -> bool:
    try:
        read(path)
    except BallisticsError:
        return True
    return False


def matrix(place: Path, seed: int, times: int) -> dict[str, tuple[int, int]]:
    """Return for every kind of stored file how often it was altered, and how often that was noticed."""
    told: dict[str, tuple[int, int]] = {}

    def count(name: str, path: Path, noticed: Callable[[], bool], tries: int = times) -> None:
        found = [noticed() for _ in altered(path, seed, tries)]
        told[name] = len(found), sum(found)

    lab = collection(place)
    assert not says_of_collection(lab)
    for path in sorted(lab.iterdir()):
        count(f"collection/{path.name}", path, lambda: says_of_collection(lab))
    assert not says_of_collection(lab)

    rows = library(place)
    assert not says_of_library(rows)
    (stack,) = (rows / "templates").iterdir()
    array = next(iter((rows / "arrays").rglob("*.npy")))
    heights = load_array(array)

    def named_or_the_same_heights() -> bool:
        # One missing point is as good as another, whatever bits it has.
        return says_of_library(rows) or np.array_equal(load_array(array), heights, equal_nan=True)

    count("library/json", rows / "library.json", lambda: says_of_library(rows))
    count("library/array", array, named_or_the_same_heights)
    whole = stack.read_bytes()
    rng = random.Random(seed)
    noticed = 0
    for k in range(times):
        stack.write_bytes((flipped, cut, zeroed)[k % 3](whole, rng))
        noticed += says_of_library(rows)
    stack.write_bytes(whole)
    told["library/stack"] = times, noticed
    # A page of a database has room that says nothing: altered there, it must say the same as before.
    before = dump(rows)

    def named_or_the_same() -> bool:
        for left in rows.glob("library.sqlite-*"):
            left.unlink()
        return says_of_library(rows) or dump(rows) == before

    count("library/sqlite", rows / "library.sqlite", named_or_the_same)

    folder = work(place)
    expected = kept(folder)

    def same_pairs() -> bool:
        try:
            return kept(folder) == expected
        except BallisticsError:
            return True

    count("work/pairs.jsonl", folder / "pairs.jsonl", same_pairs)
    store = MarkStore(folder, KIND)

    def refused_mark() -> bool:
        _loaded.cache_clear()
        return not store.holds("a" * 64)

    count("work/mark", store._path("a" * 64), refused_mark)
    parquet, population = table(place), reference(place)
    count("table.parquet", parquet, lambda: refuses(read_metadata, parquet))
    count("reference.json", population, lambda: refuses(load_reference, population))
    return told


@pytest.mark.parametrize("times", [12, pytest.param(300, marks=pytest.mark.slow)])
def test_whatever_is_altered_is_noticed(tmp_path, times):
    told = matrix(tmp_path, 5, times)
    assert {name: counts for name, counts in told.items() if counts[0] != counts[1]} == {}
    assert len(told) == 16
