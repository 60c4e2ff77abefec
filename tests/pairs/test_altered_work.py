"""Kept rows, kept marks and reference populations that were altered: done again, or refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ballistics.errors import BallisticsError, CorruptFileError
from ballistics.evidence.conditions import Conditions
from ballistics.evidence.population import ReferencePopulation
from ballistics.evidence.reference_file import ReferenceFile, load_reference
from ballistics.evidence.scores import ScoreTable
from ballistics.files.rows_file import RowsFile
from ballistics.methods import METHODS
from ballistics.pairs.designs import AllPairs
from ballistics.pairs.mark_store import MarkStore, _loaded
from ballistics.pairs.rows import empty_row
from ballistics.pairs.runs import KeptPairs

KIND = "breech face"
COUNT = METHODS[KIND].score_texts["count"]
KEYS = [f"{i:064x}" for i in range(4)]


def kept(path):
    with KeptPairs(path, "m", KIND, KEYS, AllPairs(4)) as pairs:
        for a, b in list(pairs.missing()):
            pairs.keep(empty_row(KIND) | {"a": a, "b": b, "count": 7, "cells": 20, "error": ""})
        return list(pairs.rows())


def test_an_altered_count_is_compared_again(tmp_path):
    path = tmp_path / "pairs.jsonl"
    expected = kept(path)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b'"count": 7', b'"count": 9')
    lines[4] = b'{"a": "%s", "b": "%s", "count": 99, "method": "m"}\n' % (KEYS[0].encode(), KEYS[1].encode())
    path.write_bytes(b"".join(lines))
    with KeptPairs(path, "m", KIND, KEYS, AllPairs(4)) as pairs:
        assert (pairs.done, pairs.passed_over) == (4, 2)
    assert kept(path) == expected


def test_every_flipped_bit_of_a_kept_row_is_done_again_or_refused(tmp_path):
    path = tmp_path / "pairs.jsonl"
    expected = kept(path)
    whole = path.read_bytes()
    rng = np.random.Generator(np.random.PCG64(7))
    for place in rng.integers(0, len(whole), 150):
        data = bytearray(whole)
        data[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(data)
        try:
            found = kept(path)
        except CorruptFileError:
            continue
        assert found == expected


def test_a_sealed_row_of_nonsense_is_refused(tmp_path):
    path = tmp_path / "pairs.jsonl"
    kept(path)
    with RowsFile(path) as rows:
        good = rows.read()
    path.unlink()
    with RowsFile(path) as rows:
        for row in good:
            rows.append(row | {"count": [1], "theta_deg": "x"})
    with (
        KeptPairs(path, "m", KIND, KEYS, AllPairs(4)) as pairs,
        pytest.raises(CorruptFileError, match="no row of a comparison"),
    ):
        list(pairs.rows())


@pytest.mark.parametrize("place", [0, 20, 90, 200, 400, -1])
def test_an_altered_mark_is_not_taken_for_one(tmp_path, place):
    store = MarkStore(tmp_path, KIND)
    heights = np.arange(80, dtype=np.float32).reshape(8, 10)
    says = {"spacing_um": 3.0, "surface_kind": "topography", "insufficient": None}
    store._write("a" * 64, heights, says)
    assert store.holds("a" * 64)
    assert np.array_equal(store.load("a" * 64).heights_um, heights)
    path = store._path("a" * 64)
    data = bytearray(path.read_bytes())
    data[place] ^= 2
    path.write_bytes(data)
    _loaded.cache_clear()
    assert not store.holds("a" * 64)
    with pytest.raises(CorruptFileError, match="is not a prepared mark"):
        store.load("a" * 64)


def population() -> ReferencePopulation:
    score, a, b = [9.0, 8.0, 1.0, 0.0], ["1", "2", "1", "1"], ["1", "2", "2", "2"]
    conditions = Conditions(
        KIND,
        ("9 mm",),
        ("confocal",),
        f"CMC; score: {COUNT}",
        "1",
        {"cell_um": 469.0},
        ("x",),
    )
    scans = [f"{i}" for i in range(4)], [f"{i}" for i in range(4, 8)]
    return ReferencePopulation("ours", ScoreTable.build(score, a, b, [20] * 4, *scans), conditions, "nobody's")


def test_a_reference_population_with_one_score_altered_is_refused(tmp_path):
    path = tmp_path / "reference.json"
    path.write_bytes(ReferenceFile((population(),)).to_json())
    (loaded,) = load_reference(path)
    assert (loaded.hash, loaded.cautions) == (population().hash, ())
    content = json.loads(path.read_text())
    content["comparisons"]["count"][0] += 1.0
    path.write_text(json.dumps(content))
    with pytest.raises(CorruptFileError, match="it was altered, or damaged"):
        load_reference(path)
    # What an earlier version wrote is taken, and every weight says so.
    path.write_bytes(population().to_json())
    (caution,) = load_reference(path)[0].cautions
    assert "no score was altered cannot be told" in caution


@pytest.mark.parametrize(
    "change",
    [
        {"name": 5},
        {"name": ["x"]},
        {"source": {}},
        {"conditions": []},
        {"comparisons": {"score": "x"}},
        {"size": None},
        {
            "comparisons": {
                "score": [1e300],
                "cells": None,
                "firearm_a": ["1"],
                "firearm_b": [[2]],
                "scan_a": [],
                "scan_b": [],
            }
        },
    ],
)
def test_a_population_of_nonsense_is_refused(tmp_path, change):
    path = tmp_path / "reference.json"
    content = json.loads(population().to_json()) | change
    path.write_text(json.dumps(content))
    with pytest.raises(BallisticsError, match="reference"):
        load_reference(path)
