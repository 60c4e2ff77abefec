"""Tamper matrix of casework: every field of every kind of record altered or removed, rows moved, a revoked key."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballistics.casework import KINDS
from ballistics.records import verify_log
from benchmarks.support.casework_tampering import GROUPS, Bench


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        bench = Bench(tmp_path_factory.mktemp("bench"))
        yield bench
        bench.close()


@pytest.fixture(scope="module")
def tamperings(bench):
    return {name: list(group(bench)) for name, group in GROUPS.items()}


def test_the_log_holds_every_kind_of_record_and_is_clean(bench):
    assert {row.kind for row in bench.rows} == {*KINDS, "laboratory", "key"}
    bench.put(bench.rows)
    assert verify_log(bench.log, bench.book.library.identifier, (bench.receipt,)).clean


@pytest.mark.parametrize("name", GROUPS)
@pytest.mark.slow
def test_tampering_is_found_and_the_entry_is_named(name, bench, tamperings):
    @settings(max_examples=40)
    @given(done=st.sampled_from(tamperings[name]))
    def found(done):
        assert bench.is_found(done), done.what

    found()


@pytest.mark.slow
@pytest.mark.parametrize("name", GROUPS)
def test_all_tampering_is_found_and_the_entry_is_named(name, bench, tamperings):
    assert [done.what for done in tamperings[name] if not bench.is_found(done)] == []


def test_every_field_of_every_kind_is_among_them(tamperings):
    for name, kind in KINDS.items():
        if name == "test":
            continue
        tried = [done.what for done in tamperings["fields"] if done.what.startswith(f"{name} ")]
        stated = [what for what in tried if "'fields', " in what]
        assert stated, kind
