"""The verifier that stands alone: same verdicts as that of the package, on extracts of the whole log and of a case."""

import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from signed_log import LIBRARY, empty_log, filled_log, new_key, slip_in, take_in

import ballistics.casework.verify_log as alone
from ballistics.errors import CorruptFileError, ParameterError, WriteError
from ballistics.records import KEY, key_body, receipt_of, verify_log, write_extract, write_receipt
from ballistics.records.extract import lines_of
from ballistics.records.views import Row


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    log, _ = filled_log(tmp_path_factory.mktemp("log"))
    yield log
    log.engine.dispose()


@pytest.fixture(scope="module")
def altered(tmp_path_factory):
    """Give a function that verifies rows as the package does, and returns the numbers of the entries with faults."""
    log = empty_log(tmp_path_factory.mktemp("altered"))

    def verified(rows):
        with log.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM entries")
            for row in rows:
                values = (*row[:4], row.content.decode(), *row[5:])
                connection.exec_driver_sql("INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        return [fault.number for fault in verify_log(log, LIBRARY).faults]

    yield verified
    log.engine.dispose()


def verified_alone(lines, *receipts):
    verifier = alone.Verifier()
    for line in lines:
        verifier.line(line)
    verifier.finish(receipts)
    return sorted(number for number, _ in verifier.faults)


def test_an_extract_runs_through_the_verifier_alone(log, tmp_path):
    write_receipt(tmp_path / "receipt.json", receipt_of(LIBRARY, log.head()))
    assert write_extract(log, LIBRARY, tmp_path / "whole.jsonl") == 11
    assert write_extract(log, LIBRARY, tmp_path / "case.jsonl", "C-1") == 4 + 3
    assert "K-0" in (tmp_path / "whole.jsonl").read_text()
    assert "K-0" not in (tmp_path / "case.jsonl").read_text()
    assert "C-0" not in (tmp_path / "case.jsonl").read_text()
    # Nothing of this project is on the path: what the other side has.
    command = [sys.executable, "-I", alone.__file__]
    for name in ("whole", "case"):
        done = subprocess.run(
            [*command, f"{name}.jsonl", "receipt.json"], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.match(rf"OK: 11 entries; shown are all.*\nthe newest is {log.head().hash}; ", done.stdout)
    text = (tmp_path / "case.jsonl").read_text()
    (tmp_path / "case.jsonl").write_text(text.replace("item 3", "item 4"))
    done = subprocess.run([*command, "case.jsonl"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.startswith("entry 8 was altered")
    with pytest.raises(WriteError):
        write_extract(log, LIBRARY, tmp_path / "case.jsonl", "C-1")
    with pytest.raises(ParameterError, match="no case 'C-9'"):
        write_extract(log, LIBRARY, tmp_path / "other.jsonl", "C-9")
    assert not (tmp_path / "other.jsonl").exists()


def test_an_extract_that_names_another_library_than_its_first_entry_is_found(log):
    lines = list(lines_of(iter(list(log.rows())), "f" * 32))
    assert verified_alone(lines) == [1]
    assert [(fault.number, fault.what) for fault in verify_log(log, "f" * 32).faults] == [(1, "replaced")]


def test_verdicts_on_every_field_altered_are_those_of_the_package(log, altered):
    rows = list(log.rows())
    assert altered(rows) == verified_alone(lines_of(iter(rows), LIBRARY)) == []
    for place, row in enumerate(rows):
        content = json.loads(row.content)
        for name, value in content.items():
            other = {**content, name: f"{value}x" if isinstance(value, str) else ({} if value != {} else {"a": 1})}
            if isinstance(value, int):
                other[name] = value + 1
            data = json.dumps(other, sort_keys=True, separators=(",", ":")).encode()
            changed = [*rows[:place], row._replace(content=data), *rows[place + 1 :]]
            assert altered(changed)[0] == row.number
            assert verified_alone(lines_of(iter(changed), LIBRARY))[0] == row.number, (row.number, name)


def test_verdicts_on_rows_moved_are_those_of_the_package(log, altered):
    rows, rng = list(log.rows()), random.Random(1)
    for _ in range(40):
        how, first, second = rng.choice("rsw"), *sorted(rng.sample(range(len(rows) - 1), 2))
        other = list(rows)
        if how == "r":
            del other[first]
        elif how == "s":
            other[first] = rows[second]._replace(number=rows[first].number)
            other[second] = rows[first]._replace(number=rows[second].number)
        else:
            other[first] = rows[first]._replace(signature=rows[second].signature)
        assert altered(other)[0] == verified_alone(lines_of(iter(other), LIBRARY))[0] == first + 1
    receipt = json.loads(json.dumps({"library": LIBRARY, "number": 11, "hash": rows[-1].hash}))
    assert verified_alone(lines_of(iter(rows[:-1]), LIBRARY)) == altered(rows[:-1]) == []
    assert verified_alone(lines_of(iter(rows[:-1]), LIBRARY), receipt) == [11]
    assert verified_alone(lines_of(iter(rows), LIBRARY), {**receipt, "hash": "0" * 64}) == [11]
    assert verified_alone(lines_of(iter(rows), LIBRARY), {**receipt, "library": "other"}) == [0]


def test_verdicts_on_keys_are_those_of_the_package(tmp_path):
    """Whatever who has a key and the disk slips in: a key of their own, one under another's name, one made valid."""
    log, (administrator, examiner, _) = filled_log(tmp_path)
    take_in(log, administrator, "administrator", operator="GH")
    own = new_key()
    body = key_body("XY", "Y", ("administrator",), own.public)
    with log.view() as view:
        known = view.current(KEY, examiner.identifier)
        first = view.current(KEY, administrator.identifier)
    revoked = {**known.body, "state": "revoked"}
    slip_in(log, administrator, KEY, examiner.identifier, {**known.body, "name": "new"}, supersedes=known.number)
    slip_in(log, examiner, KEY, own.identifier, body)
    slip_in(log, own, "item", "X-1", {})
    slip_in(log, administrator, KEY, examiner.identifier, {**known.body, "operator": "XY"}, supersedes=13)
    slip_in(log, administrator, KEY, examiner.identifier, revoked, supersedes=13)
    slip_in(log, examiner, "item", "X-2", {})
    slip_in(log, administrator, KEY, examiner.identifier, known.body, supersedes=17)
    slip_in(log, administrator, "laboratory", "laboratory", {}, supersedes=1)
    slip_in(log, administrator, KEY, administrator.identifier, {**first.body, "public": "00"}, supersedes=2)
    slip_in(log, administrator, "item", "X-3", {}, case="C-0", group="f" * 32)
    slip_in(log, administrator, "item", "K-1", {}, case="C-0", supersedes=6)
    expected = sorted({fault.number for fault in verify_log(log, LIBRARY).faults})
    assert expected == [14, 15, 16, 18, 19, 20, 21, 22, 23]
    assert sorted(set(verified_alone(lines_of(log.rows(), LIBRARY)))) == expected
    log.engine.dispose()


def test_an_extract_of_a_case_hides_neither_an_entry_of_it_nor_one_about_a_key(log):
    rows = list(log.rows())
    lines = list(lines_of(iter(rows), LIBRARY, "C-1"))
    entries = list(lines_of(iter(rows), LIBRARY))
    assert verified_alone(lines) == []
    for row in rows:
        line = json.loads(entries[row.number])
        content = json.loads(line["content"])
        hidden = {"digest": alone.sha(line["content"]), "tag": alone.sha(f"{content['group']} {row.number}")}
        other = [*lines[: row.number], json.dumps(hidden), *lines[row.number + 1 :]]
        found = verified_alone(other)
        if row.kind in ("key", "laboratory") or row.case == "C-1":
            assert row.number in found
        else:
            assert found == []
            # Another tag, so that it could be hidden, or another digest, breaks the chain.
            for name in hidden:
                other[row.number] = json.dumps({**hidden, name: "0" * 64})
                assert verified_alone(other)
    for place in range(1, len(lines)):
        assert verified_alone([*lines[:place], *lines[place + 1 :]]), place
        assert verified_alone([*lines[: place + 1], *lines[place:]]), place
        assert verified_alone(lines[:place]), place
    assert verified_alone(lines[1:])
    assert verified_alone([])
    assert 0 in verified_alone([lines[0].replace('"C-1"', '"C-9"'), *lines[1:]])


def test_records_of_no_case_are_shown_when_asked_for(tmp_path):
    log, (administrator, *_) = filled_log(tmp_path)
    log.append(administrator, "instrument", "I-1", {"serial": "7"})
    log.append(administrator, "instrument", "I-1", {"serial": "8"}, supersedes=12)
    plain = list(lines_of(log.rows(), LIBRARY, "C-1"))
    more = list(lines_of(log.rows(), LIBRARY, "C-1", [("instrument", "I-1")]))
    assert "I-1" not in "".join(plain)
    assert sum("I-1" in line for line in more) == 2
    assert verified_alone(plain) == verified_alone(more) == []
    log.engine.dispose()


def test_what_is_no_extract_ends_in_faults_and_not_in_a_traceback(log):
    lines, rng = list(lines_of(log.rows(), LIBRARY, "C-1")), random.Random(7)
    values = [None, True, -1, 10**30, 1e300, "", "x", [], {}, [[]], "0" * 64]
    for _ in range(600):
        place = rng.randrange(len(lines))
        line = json.loads(lines[place])
        inner = json.loads(line["content"]) if "content" in line else line
        target = rng.choice([line, inner])
        name, value = rng.choice(list(target)), rng.choice(values)
        same, target[name] = target[name] == value, value
        if target is inner and "content" in line:
            line["content"] = json.dumps(inner, sort_keys=True, separators=(",", ":"))
        found = verified_alone([*lines[:place], json.dumps(line), *lines[place + 1 :]])
        # What an extract says it is of is not signed; a receipt says it too.
        assert found or same or name in ("extract", "library"), (name, value)
    for text in ("", "{", "[]", "null", "17", "[" * 100_000, '{"content": 1}', '{"entries": 1, "entries": 2}', "\x00"):
        assert verified_alone([*lines[:3], text, *lines[3:]])
    with pytest.raises(CorruptFileError):
        list(lines_of(iter([Row(1, "", "", "", b"\xff", "", "")]), LIBRARY))


def test_it_needs_the_standard_library_and_cryptography_alone():
    text = Path(alone.__file__).read_text()
    imported = set(re.findall(r"^(?:from|import) (\w+)", text, re.MULTILINE))
    assert imported - sys.stdlib_module_names == {"cryptography"}
