"""The log: what it takes, what it refuses, and that whatever is done to it behind its back is found and named."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from property_tests import examples
from signed_log import LIBRARY, begun_log, empty_log, filled_log, new_key, put_rows, take_in

from ballistics.errors import CorruptFileError, ParameterError, WriteError
from ballistics.records import (
    KEY,
    Receipt,
    RefusedError,
    canonical,
    entry_of,
    key_body,
    read_receipt,
    receipt_of,
    remember_head,
    seen_head,
    verify_log,
    write_receipt,
)

pytestmark = pytest.mark.usefixtures("both_databases")


def rows_of(log):
    """Return the rows of a log as they are written back with SQL."""
    return [(*row[:4], row.content.decode(), *row[5:]) for row in log.rows()]


@pytest.fixture(scope="module")
def original(tmp_path_factory, both_databases):
    """Give the rows of a log, and a receipt of it."""
    folder = tmp_path_factory.mktemp("log")
    log, _ = filled_log(folder)
    rows = rows_of(log)
    receipt = receipt_of(LIBRARY, log.head())
    log.engine.dispose()
    return rows, receipt


@pytest.fixture(scope="module")
def altered(tmp_path_factory, both_databases):
    """Give a function that verifies other rows than those of the log."""
    log = empty_log(tmp_path_factory.mktemp("altered"))

    def verified(rows, *receipts):
        put_rows(log, rows)
        return verify_log(log, LIBRARY, receipts)

    yield verified
    log.engine.dispose()


def test_a_log_as_it_was_written_is_clean(original, altered):
    rows, receipt = original
    found = altered(rows, receipt)
    assert found.clean
    assert (found.head.number, found.head.hash) == (len(rows), rows[-1][5])


def leaves(value, path=()):
    """Yield the way to every value inside a content."""
    if isinstance(value, dict) and value:
        for name in value:
            yield from leaves(value[name], (*path, name))
    elif isinstance(value, list) and value:
        for place in range(len(value)):
            yield from leaves(value[place], (*path, place))
    else:
        yield path


def changed(content, path, how):
    found = json.loads(content)
    inner = found
    for step in path[:-1]:
        inner = inner[step]
    if how == "removed" and not isinstance(path[-1], int):
        del inner[path[-1]]
    else:
        inner[path[-1]] = {"other": 1} if isinstance(inner[path[-1]], str) and how == "kind" else f"{inner[path[-1]]}x"
    return json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@pytest.mark.slow
def test_every_field_of_every_entry_altered_or_removed_is_found_and_named(original, altered):
    rows, _ = original
    for place, row in enumerate(rows):
        for path in leaves(json.loads(row[4])):
            for how in ("altered", "removed"):
                other = (*row[:4], changed(row[4], path, how), *row[5:])
                found = altered([*rows[:place], other, *rows[place + 1 :]])
                assert found.faults, (row[0], path, how)
                assert found.faults[0].number == row[0]


@pytest.mark.parametrize("column", range(1, 7))
def test_every_column_of_every_row_altered_is_found_and_named(column, original, altered):
    rows, _ = original
    for place, row in enumerate(rows):
        value = row[column]
        other = list(row)
        other[column] = ("0" if value[:1] != "0" else "1") + value[1:]
        found = altered([*rows[:place], tuple(other), *rows[place + 1 :]])
        assert row[0] in {fault.number for fault in found.faults}, (row[0], column)


@examples(40)
@given(data=st.data())
def test_rows_removed_swapped_repeated_or_cut_off_are_found(data, original, altered):
    rows, receipt = original
    how = data.draw(st.sampled_from(["remove", "swap", "swap whole", "cut", "copy"]))
    first = data.draw(st.integers(0, len(rows) - 1))
    second = data.draw(st.integers(0, len(rows) - 1).filter(lambda place: place != first))
    other = list(rows)
    if how == "remove":
        del other[first]
    elif how == "swap":  # the rows stay in their order, what they hold is exchanged
        other[first], other[second] = (rows[first][0], *rows[second][1:]), (rows[second][0], *rows[first][1:])
    elif how == "swap whole":
        other[first] = (rows[first][0], *rows[second][1:])
    elif how == "cut":
        other = other[:first]
    else:
        other.append((len(rows) + 1, *rows[first][1:]))
    found = altered(other, receipt)
    assert not found.clean
    named = {fault.number for fault in found.faults}
    where = {"remove": rows[first][0], "cut": first + 1, "copy": len(rows) + 1}.get(how, rows[min(first, second)][0])
    assert where in named or (how == "swap whole" and rows[first][0] in named)


def test_a_log_made_anew_with_the_same_keys_is_found_by_a_receipt_alone(tmp_path, original, altered):
    rows, receipt = original
    log, _ = filled_log(tmp_path)
    others = rows_of(log)
    log.engine.dispose()
    assert altered(others).clean
    (fault,) = altered(others, receipt).faults
    assert (fault.what, fault.number) == ("replaced", len(rows))
    (fault,) = altered(rows, Receipt("f" * 32, 1, rows[0][5], "then")).faults
    assert "another library" in fault.message


def test_a_stranger_cannot_sign(original, altered, tmp_path):
    log, administrator = begun_log(tmp_path)
    with pytest.raises(RefusedError, match="not one of this laboratory's"):
        log.append(new_key(), "item", "K-1", {})
    reader = take_in(log, administrator, "examiner")
    with pytest.raises(RefusedError, match="no administrator"):
        log.append(reader, KEY, new_key().identifier, key_body("X", "X", ("examiner",), new_key().public))
    log.append(reader, "item", "K-1", {"a": (1, 2.0)})
    with log.view() as view:
        known = view.current(KEY, reader.identifier)
        assert view.current("item", "K-1").body == {"a": [1, 2]}
    revoked = {**known.body, "state": "revoked", "doubtful_since": "2026-01-01"}
    log.append(administrator, KEY, reader.identifier, revoked, supersedes=known.number)
    with pytest.raises(RefusedError, match="was revoked"):
        log.append(reader, "item", "K-2", {})
    found = verify_log(log, LIBRARY)
    assert found.clean
    assert "since 2026-01-01 is in doubt" in found.notes[0]
    # Behind the log's back, with the revoked key: the chain and the signature hold, the key does not.
    rows = rows_of(log)
    forged = {**json.loads(rows[-1][4]), "number": 6, "previous": rows[-1][5], "key": reader.identifier}
    forged |= {"kind": "item", "record": "K-9", "supersedes": 0, "group": "item", "body": {}}
    entry = entry_of(canonical(forged), "here")
    row = (6, "item", "K-9", "", entry.content.decode(), entry.hash, reader.sign(entry.hash))
    (fault,) = altered([*rows, row]).faults
    assert (fault.number, fault.what) == (6, "not signed")
    assert "had been revoked" in fault.message
    log.engine.dispose()


def test_records_are_amended_by_superseding_and_never_twice(tmp_path):
    log, administrator = begun_log(tmp_path)
    first = log.append(administrator, "item", "K-1", {"note": "a"}, case="C")
    for case, supersedes, message in (
        ("C", 0, "recorded already, in entry 3"),
        ("C", 2, "amended since you read it, in entry 3"),
        ("D", 3, "belongs to case 'C'"),
    ):
        with pytest.raises(RefusedError, match=message):
            log.append(administrator, "item", "K-1", {"note": "b"}, case=case, supersedes=supersedes)
    with pytest.raises(RefusedError, match="no item 'K-2' to amend"):
        log.append(administrator, "item", "K-2", {}, case="C", supersedes=3)
    second = log.append(administrator, "item", "K-1", {"note": "b"}, case="C", supersedes=first.number)
    with log.view() as view:
        assert [entry.body["note"] for entry in view.versions("item", "K-1")] == ["a", "b"]
        assert view.records("item", "C") == [second]
    with pytest.raises(RefusedError, match="printable"):
        log.append(administrator, "item", "K\n2", {})
    with pytest.raises(ParameterError, match="cannot be written as JSON"):
        log.append(administrator, "item", "K-3", {"a": float("nan")})
    with pytest.raises(ParameterError, match="attach it as a file"):
        log.append(administrator, "item", "K-3", {"a": "x" * (5 << 20)})
    with pytest.raises(RefusedError, match="keeps a log already"):
        log.begin(administrator, "AB", "Administrator", {})
    assert log.head().number == 4
    log.engine.dispose()


def test_a_rule_is_asked_in_the_transaction_and_again_when_the_log_is_verified(tmp_path):
    def at_most_two(view, entry):
        if entry.kind == "item" and len(view.records("item")) == 2:
            raise RefusedError("two are enough")

    log, administrator = begun_log(tmp_path, at_most_two)
    for number in range(2):
        log.append(administrator, "item", f"K-{number}", {})
    with pytest.raises(RefusedError, match="two are enough"):
        log.append(administrator, "item", "K-3", {})
    assert verify_log(log, LIBRARY).clean
    log.rule = None
    log.append(administrator, "item", "K-3", {})
    log.rule = at_most_two
    (fault,) = verify_log(log, LIBRARY).faults
    assert (fault.number, fault.what) == (5, "not allowed")
    log.engine.dispose()


def test_receipts_are_read_back_from_json_and_from_print(tmp_path, original, monkeypatch):
    _, receipt = original
    for name in ("receipt.json", "receipt.txt"):
        write_receipt(tmp_path / name, receipt)
        assert read_receipt(tmp_path / name) == receipt
        with pytest.raises(WriteError):
            write_receipt(tmp_path / name, receipt)
    (tmp_path / "receipt.txt").write_text("hash abc")
    with pytest.raises(CorruptFileError):
        read_receipt(tmp_path / "receipt.txt")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert seen_head(LIBRARY) is None


def test_a_log_that_was_put_back_or_made_anew_is_told_by_the_next_command(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    for name in ("first", "other"):
        (tmp_path / name).mkdir()
    log, (administrator, *_) = filled_log(tmp_path / "first")
    assert remember_head(LIBRARY, log) is None
    seen = seen_head(LIBRARY)
    assert (seen.number, seen.hash) == (11, log.head().hash)
    log.append(administrator, "item", "K-10", {})
    assert remember_head(LIBRARY, log) is None
    assert seen_head(LIBRARY).number == 12
    other, (administrator, *_) = filled_log(tmp_path / "other")
    for _ in range(2):  # shorter, then as long and longer than what was seen
        assert "the entry 12 that you have seen" in remember_head(LIBRARY, other)
        assert seen_head(LIBRARY).number == 12
        other.append(administrator, "item", f"K-{other.head().number}", {})
        other.append(administrator, "item", f"K-{other.head().number}", {})
    assert remember_head("../outside", log) is None
    assert seen_head("../outside") is None
    for each in (log, other):
        each.engine.dispose()
