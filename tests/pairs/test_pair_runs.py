"""The engine of runs over pairs: designs, what is kept, what a stop leaves, memory."""

from __future__ import annotations

import random
import tracemalloc
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballistics.errors import ParameterError
from ballistics.findings import Finding
from ballistics.impressions.comparison import ImpressionComparison
from ballistics.pairs.designs import AllPairs, Between
from ballistics.pairs.rows import columns, empty_row, exchanged_row, row_of
from ballistics.pairs.runs import SAME_FILE, KeptPairs, compare_marks, compare_missing
from ballistics.surfaces.pose import Pose
from ballistics.surfaces.surface import Mark

KIND = "breech face"


def keys_of(n):
    """Keys whose order is not that of the scans."""
    return [f"{(7 * i + 3) % 101:03d}" for i in range(n)]


def made_up(a, b):
    """The row that a comparison of two keys would give."""
    value = int(a) * 1000 + int(b)
    pose = {"theta_deg": value / 1e4, "dx_um": float(value), "dy_um": 1.0}
    return empty_row(KIND) | pose | {"a": a, "b": b, "count": value, "cells_a_in_b": int(a), "cells_b_in_a": int(b)}


def runner(order, stop_after=None):
    """Give rows in another order, and none after so many."""

    def run(pairs, source):
        listed = list(pairs)
        random.Random(order).shuffle(listed)
        for a, b in listed[:stop_after]:
            yield made_up(a, b)

    return run


@st.composite
def designs(draw):
    n = draw(st.integers(0, 70))
    if draw(st.booleans()):
        return n, AllPairs(n)
    some = st.lists(st.integers(0, max(n - 1, 0)), unique=True, max_size=n)
    return n, Between(draw(some), draw(some))


@given(designs())
def test_designs_number_every_pair_once(of_n):
    _, design = of_n
    pairs = list(design.pairs())
    assert len(pairs) == len(design)
    for number, (i, j) in enumerate(pairs):
        assert number in design.places(i, j)
        assert design.places(i, j) == design.places(j, i)
    work = list(design.work())
    # One comparison answers (i, j) and (j, i); together they answer everything.
    assert len({frozenset(pair[1:]) for pair in work}) == len(work)
    assert sorted(number for _, i, j in work for number in design.places(i, j)) == list(range(len(design)))
    assert all(pairs[number] == (i, j) for number, i, j in work)


@pytest.mark.parametrize("design", [AllPairs(6), Between((0, 2, 4), (1, 2, 4, 5))])
@pytest.mark.parametrize("seed", range(6))
def test_stops_tears_and_orders_change_nothing(tmp_path, design, seed):
    keys = keys_of(6)
    path = tmp_path / "pairs.jsonl"
    rng = random.Random(seed)
    seen = []
    while True:
        with KeptPairs(path, "method", KIND, keys, design) as kept:
            before = kept.done
            compare_missing(kept, None, runner(seed, 3), lambda _, done, total, resumed: seen.append((done, total)))
            if kept.done == len(design):
                rows = list(kept.rows())
                break
            assert kept.done > before
        # A power cut: some bytes of the end are gone.
        content = path.read_bytes()
        path.write_bytes(content[: len(content) - rng.randrange(40)])
    assert max(done for done, _ in seen) == len(design)
    expected = []
    for i, j in design.pairs():
        a, b = sorted((keys[i], keys[j]))
        row = made_up(a, b)
        row = row if keys[i] == a else exchanged_row(row)
        expected.append((i, j, SAME_FILE if i == j else "", None if i == j else row["count"], row["dx_um"]))
    assert [(i, j, row["insufficient"], row["count"]) for i, j, row in rows] == [line[:4] for line in expected]
    assert all(i == j or row["dx_um"] == line[4] for (i, j, row), line in zip(rows, expected, strict=True))


def test_rows_of_another_method_or_other_scans_are_passed_over(tmp_path):
    path, keys = tmp_path / "pairs.jsonl", keys_of(4)
    with KeptPairs(path, "old", KIND, keys, AllPairs(4)) as kept:
        compare_missing(kept, None, runner(0))
    with KeptPairs(path, "new", KIND, keys, AllPairs(4)) as kept:
        assert kept.done == 0
    with KeptPairs(path, "old", KIND, [*keys[1:], "another"], AllPairs(4)) as kept:
        assert kept.done == 3
        assert len(list(kept.missing())) == 3


def test_ten_million_pairs_are_numbers_not_objects(tmp_path):
    n = 4473
    design = AllPairs(n)
    assert len(design) > 10_000_000
    keys = [f"{i:064x}" for i in range(n)]
    tracemalloc.start()
    with KeptPairs(tmp_path / "pairs.jsonl", "method", KIND, keys, design) as kept:
        compare_missing(kept, None, lambda pairs, _: (row | {} for row in islice(map(small, pairs), 50)))
        assert kept.done == 50
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * len(design)
    with pytest.raises(ParameterError, match="search a library"):
        KeptPairs(tmp_path / "pairs.jsonl", "method", KIND, keys, AllPairs(100_000))


def small(pair):
    return {"a": pair[0], "b": pair[1], "count": 1}


def test_rows_hold_plain_values_and_none_for_what_is_not_known():
    finding = Finding("unvalidated-parameters", "warning", "why")
    row = row_of(ImpressionComparison("ejector", Pose(10.0, 1.0, -0.0), findings=(finding,), insufficient="few cells"))
    assert set(row) == set(columns("ejector"))
    assert row["findings"] == "warning: unvalidated-parameters"
    assert (row["accf"], row["count"], row["theta_deg"]) == (None, None, 10.0)
    assert str(row["dy_um"]) == "0.0"


def test_exchanging_names_the_right_mark():
    row = empty_row(KIND) | {"insufficient": "mark A is insufficient: no relief"}
    assert exchanged_row(row)["insufficient"] == "mark B is insufficient: no relief"
    assert exchanged_row(exchanged_row(row)) == row


def test_a_comparison_that_fails_is_a_row(monkeypatch):
    from ballistics.pairs import runs as pair_runs

    class Fails:
        def compare(self, a, b, parameters):
            raise ParameterError("cannot")

    monkeypatch.setattr(pair_runs, "method_of", lambda _: Fails())
    mark = Mark(KIND, np.zeros((3, 3), np.float32), 6.25)
    row = compare_marks("1", "2", mark, mark)
    assert (row["a"], row["b"], row["count"], row["error"]) == ("1", "2", None, "ParameterError: cannot")
