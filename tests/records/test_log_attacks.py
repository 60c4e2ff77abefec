"""What an insider with a key, or whoever has the disk, could try: each is refused, or found and named."""

import json

import pytest
from signed_log import LIBRARY, begun_log, new_key, slip_in, take_in

from ballistics.errors import ParameterError
from ballistics.records import KEY, RefusedError, key_body, verify_log
from ballistics.store import writing

pytestmark = pytest.mark.usefixtures("both_databases")
ROLES = ("administrator", "examiner")


@pytest.fixture
def begun(tmp_path, both_databases):
    log, administrator = begun_log(tmp_path)
    yield log, administrator
    log.engine.dispose()


def amended(log, signer, key, **changes):
    with log.view() as view:
        known = view.current(KEY, key.identifier)
    return log.append(signer, KEY, key.identifier, {**known.body, **changes}, supersedes=known.number)


def faults(log):
    return [(fault.number, fault.what) for fault in verify_log(log, LIBRARY).faults]


def test_a_log_rewritten_behind_the_genuine_first_entry_is_found(begun):
    log, _ = begun
    with writing(log.engine, "the log") as connection:
        connection.exec_driver_sql("DELETE FROM entries WHERE number > 1")
    thief = new_key()
    slip_in(log, thief, KEY, thief.identifier, key_body("AB", "Administrator", ("administrator",), thief.public))
    slip_in(log, thief, "item", "K-1", {})
    assert faults(log) == [(2, "not signed"), (3, "not signed")]


def test_the_second_entry_makes_the_founder_an_administrator_and_nothing_else(begun):
    log, administrator = begun
    with writing(log.engine, "the log") as connection:
        connection.exec_driver_sql("DELETE FROM entries WHERE number > 1")
    other = new_key()
    slip_in(log, administrator, KEY, other.identifier, key_body("XY", "Other", ("administrator",), other.public))
    assert faults(log) == [(2, "not allowed")]


def test_an_administrator_cannot_put_another_public_half_under_an_operators_key(begun):
    log, administrator = begun
    victim, own = take_in(log, administrator, "examiner"), new_key()
    body = key_body("CD", "Operator CD", ("examiner",), own.public)
    with pytest.raises(RefusedError, match="known by the SHA-256"):
        log.append(administrator, KEY, victim.identifier, body, supersedes=3)
    slip_in(log, administrator, KEY, victim.identifier, body, supersedes=3)
    slip_in(log, own, "item", "K-1", {}, key=victim.identifier)
    assert faults(log) == [(4, "not allowed"), (5, "not signed")]


def test_what_a_key_signs_stays_its_owners_and_a_revoked_key_stays_revoked(begun):
    log, administrator = begun
    key = take_in(log, administrator, *ROLES)
    with pytest.raises(RefusedError, match="not made another's"):
        amended(log, administrator, key, operator="XY")
    assert amended(log, administrator, key, name="Married name").number == 4
    amended(log, administrator, key, state="revoked", reason="stolen", doubtful_since="2026-01-01")
    with pytest.raises(RefusedError, match="stays so"):
        amended(log, administrator, key, state="valid")
    with pytest.raises(RefusedError, match="was revoked"):
        amended(log, key, administrator, state="revoked")
    assert not faults(log)


def test_the_last_administrator_is_not_revoked_and_the_last_but_one_is(begun):
    log, administrator = begun
    for changes in ({"state": "revoked"}, {"roles": ["examiner"]}):
        with pytest.raises(RefusedError, match="last administrator"):
            amended(log, administrator, administrator, **changes)
    assert any("only one administrator" in note for note in verify_log(log, LIBRARY).notes)
    second = take_in(log, administrator, "administrator", operator="EF")
    assert not verify_log(log, LIBRARY).notes
    amended(log, second, administrator, state="revoked", doubtful_since="2026-01-01")
    with pytest.raises(RefusedError, match="last administrator"):
        amended(log, second, second, state="revoked")
    found = verify_log(log, LIBRARY)
    assert found.clean
    # What it signed is in doubt: the first two entries, and the key of the second administrator.
    assert "(3 entries, the first is 1)" in found.notes[0]


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "sleeping"},
        {"roles": "administrator"},
        {"roles": [1]},
        {"public": "00"},
        {"public": None},
        {"name": ""},
        {"doubtful_since": "yesterday"},
    ],
)
@pytest.mark.slow
def test_what_is_not_the_record_of_a_key_is_refused_and_found(changes, begun):
    log, administrator = begun
    key = new_key()
    body = key_body("CD", "Operator", ("examiner",), key.public) | changes
    with pytest.raises(RefusedError):
        log.append(administrator, KEY, key.identifier, body)
    slip_in(log, administrator, KEY, key.identifier, body)
    slip_in(log, key, "item", "K-1", {})
    assert faults(log) == [(3, "not allowed"), (4, "not signed")]


def test_an_entry_in_the_group_of_another_case_is_found(begun):
    log, administrator = begun
    first = log.append(administrator, "item", "K-1", {}, case="C-1")
    assert log.append(administrator, "item", "K-2", {}, case="C-1").group == first.group
    assert log.append(administrator, "item", "K-3", {}, case="C-2").group != first.group
    slip_in(log, administrator, "item", "K-4", {}, case="C-3", group=first.group)
    slip_in(log, administrator, "item", "K-5", {}, case="C-1", group="f" * 32)
    assert faults(log) == [(6, "not allowed"), (7, "not allowed")]


@pytest.mark.parametrize(
    "name",
    ["K\x1b[2J", "K\u202e1", "K\u200b1", "K\x7f1", "K\x9b1", " K-1", "K-1 ", "e\u0301", "", " ", "x" * 201, "\ud800"],
)
@pytest.mark.slow
def test_names_that_look_like_others_or_move_the_cursor_are_refused(name, begun):
    log, administrator = begun
    with pytest.raises(RefusedError, match="printable"):
        log.append(administrator, "item", name, {})
    if name:
        with pytest.raises(RefusedError, match="printable"):
            log.append(administrator, "item", "K-1", {}, case=name)


@pytest.mark.parametrize("name", ["'; DROP TABLE entries; --", '"', "%", "K_1", "\\", "а", ":number", "?"])
@pytest.mark.slow
def test_names_are_never_part_of_a_statement(name, begun):
    log, administrator = begun
    entry = log.append(administrator, "item", name, {"note": name}, case=name)
    log.append(administrator, "item", "K-1", {}, case="C-1")
    with log.view() as view:
        assert view.records("item", name) == [entry]
        assert view.versions("item", name) == [entry]
        assert view.of_case(name) == [entry]
    assert not faults(log)


@pytest.mark.parametrize(
    "value",
    [1e16, float("inf"), 2**53, "\ud800", {1: 2}, {"a": b"x"}, [[]], {"a": "x" * (4 << 20)}, "deep"],
    ids=lambda value: repr(value)[:20],
)
@pytest.mark.slow
def test_what_could_not_be_read_again_is_not_written(value, begun):
    log, administrator = begun
    body = value
    if value == "deep":
        for _ in range(64):
            body = {"a": body}
    elif not isinstance(value, dict):
        body = {"a": value}
    try:
        log.append(administrator, "item", "K-1", body)
    except ParameterError:
        assert log.head().number == 2
    assert verify_log(log, LIBRARY).clean
    with log.view() as view:
        assert len(view.records("item")) == log.head().number - 2


def test_clocks_set_back_are_told_and_are_no_fault(begun):
    log, administrator = begun
    slip_in(log, administrator, "item", "K-1", {}, time="2020-01-01T00:00:00Z")
    log.append(administrator, "item", "K-2", {})
    found = verify_log(log, LIBRARY)
    assert found.clean
    assert found.notes[0] == "a clock had been set back: entries dated earlier than the one before them are 3"
    slip_in(log, administrator, "item", "K-3", {}, time="2099-01-01T00:00:00Z")
    assert any("later than this computer's clock" in note for note in verify_log(log, LIBRARY).notes)


def test_an_entry_that_no_valid_key_signed_vouches_for_nobody(begun):
    log, administrator = begun
    examiner = take_in(log, administrator, "examiner")
    friend = new_key()
    slip_in(log, examiner, KEY, friend.identifier, key_body("XY", "Friend", ROLES, friend.public))
    slip_in(log, friend, "item", "K-1", {})
    assert faults(log) == [(4, "not allowed"), (5, "not signed")]


def test_what_an_entry_of_the_past_says_cannot_be_tried_out(begun):
    log, administrator = begun
    entry = log.append(administrator, "item", "K-1", {"kind": "bullet"}, case="C-1")
    again = log.append(administrator, "item", "K-2", {"kind": "bullet"}, case="C-1")
    assert entry.salt != again.salt
    assert len({entry.digest, again.digest, entry.tag, again.tag}) == 4
    assert json.loads(entry.content)["salt"] == entry.salt
