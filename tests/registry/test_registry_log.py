"""The registry in the signed log: what is written is an entry, and whatever is altered since is found and named."""

from __future__ import annotations

import shutil
import sqlite3

import pytest
from registers import csv_file, mapping

from ballistics.records import Log, RefusedError, SigningKey, View
from ballistics.registry import (
    Event,
    Import,
    Lead,
    Licence,
    Registry,
    move_lead,
    queue_leads,
    record_transfer,
    step,
    verify_registry,
)
from ballistics.registry.signing import ROW_KINDS, WRITTEN
from ballistics.store import DATABASE_FILE

ROWS = ("1,P,Застава,9x19,A-{}1,1980,B1,U,05.05.2026", "2,P,Beretta,9x19,A-{}2,1981,,,", "3,R,S&W,.38,A-{}3,,,I,2025")


@pytest.fixture(scope="module")
def key():
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return SigningKey(Ed25519PrivateKey.generate())


@pytest.fixture(scope="module")
def begun(tmp_path_factory, key):
    """A laboratory with a log and an empty registry."""
    folder = tmp_path_factory.mktemp("begun") / "lab"
    with Registry.create(folder) as made:
        Log(made.library.engine, made.where).begin(key, "AD", "Administrator", {"name": "Lab"})
    return folder


@pytest.fixture
def registry(begun, key, tmp_path):
    shutil.copytree(begun, tmp_path / "lab")
    with Registry.open(tmp_path / "lab", key=key) as made:
        yield made


def imported(registry, folder, serial="X"):
    path = csv_file(folder, *(row.format(serial) for row in ROWS))
    work = Import(registry, mapping(), "clerk")
    assert list(work.refusals(str(path))) == []
    return work.counts


def entries(registry, kind):
    with registry.reading() as connection:
        return list(View(connection).every(kind))


def altered(registry, statement):
    """Change rows past the program and its constraints, as whoever holds the file can, and return what is found."""
    with sqlite3.connect(registry.library.folder / DATABASE_FILE) as connection:
        assert connection.execute(statement).rowcount > 0
    return " ".join(verify_registry(registry).faults)


@pytest.fixture(scope="module")
def filled_once(begun, key, tmp_path_factory):
    """Two imports, of which the second changes every record; events, a step, a transfer and a lead by persons."""
    folder = tmp_path_factory.mktemp("filled")
    shutil.copytree(begun, folder / "lab")
    with Registry.open(folder / "lab", key=key) as registry:
        imported(registry, folder)
        imported(registry, folder, "Y")
        event = registry.report(2, Event("stolen", "2026-06", "Police Ohrid"), "AD")
        step(registry, event, "verified", "2026-06-20", "AD")
        registry.report(2, Event("stolen", "2026-06-02", "Police Ohrid", supersedes=event), "AD")
        record_transfer(
            registry, Licence("E-1", "export", "RS", "MK", "VIII.1", 9, "2026-01-10", "2026-12-31", "Army"), "AD"
        )
        (lead,) = queue_leads(registry, [Lead("registry", "a", "b", "look at next", "")], "AD")
        move_lead(registry, lead, "taken", "2026-07-01", "AD")
    return folder


@pytest.fixture
def filled(filled_once, key, tmp_path):
    shutil.copytree(filled_once / "lab", tmp_path / "lab")
    with Registry.open(tmp_path / "lab", key=key) as registry:
        yield registry


def test_an_import_is_an_entry_for_each_transaction_and_an_act_of_a_person_one_of_its_own(filled, tmp_path):
    first, second = (entry.body for entry in entries(filled, WRITTEN))
    assert (first["firearms"], first["changed"], first["events"]) == ([1, 3], [], [1, 2])
    assert (second["firearms"], second["changed"], second["events"]) == ([], [[1, 2], [2, 2], [3, 2]], [])
    counts = [len(entries(filled, kind)) for kind in ROW_KINDS.values()]
    assert counts == [2, 1, 1, 1, 1]
    event = entries(filled, "registry event")[0].body
    assert (event["firearm"], event["kind"], event["on"]) == (2, "stolen", "2026-06")
    found = verify_registry(filled)
    assert (found.faults, found.notes, found.firearms, found.events) == ((), (), 3, 4)
    # The same again writes nothing: no row, no entry.
    before = Log(filled.library.engine, filled.where).head().number
    imported(filled, tmp_path, "Y")
    filled.report(2, Event("stolen", "2026-06", "Police Ohrid"), "AD")
    assert Log(filled.library.engine, filled.where).head().number == before


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        (
            "UPDATE registry_events SET unit = 'Nobody' WHERE id = 1",
            "event 1 was altered events 1 to 2 are not as entry",
        ),
        ("UPDATE registry_events SET firearm = 3 WHERE id = 1", "events 1 to 2 are not as entry 3 of the log recorded"),
        ("UPDATE registry_events SET recorded_by = 'X' WHERE id = 3", "event 3 is not as entry"),
        ("DELETE FROM registry_events WHERE id = 1", "events 1 to 2, recorded by entry 3 of the log: 1 are gone"),
        ("DELETE FROM registry_events WHERE id = 4", "of the log, is gone"),
        (
            "UPDATE registry_firearms SET source_key = '17' WHERE id = 2",
            "versions of 3 firearms that changed are not as",
        ),
        (
            "UPDATE registry_firearms SET content = replace(content, 'A-Y1', 'A-Y7')",
            "firearm 1: its record was altered",
        ),
        ("UPDATE registry_firearms SET content = 'x' WHERE id = 1", "firearm 1: its record cannot be read"),
        ("UPDATE registry_revisions SET content = replace(content, 'A-X1', 'A-X7')", "firearms 1 to 3 are not as"),
        (
            "DELETE FROM registry_revisions WHERE firearm = 1",
            "versions of 3 firearms that changed, recorded by entry 4",
        ),
        ("DELETE FROM registry_firearms WHERE id = 3", "firearms 1 to 3, recorded by entry 3 of the log: 1 are gone"),
        (
            "DELETE FROM registry_serials WHERE firearm = 2",
            "firearm 2: the serial numbers it is found by are not those",
        ),
        ("UPDATE registry_firearms SET make = model", "the make it is found by is not that of its record"),
        ("UPDATE registry_steps SET state = 'closed'", "step 1 is not as entry"),
        ("UPDATE registry_transfers SET content = replace(content, '9', '1')", "transfer 1 is not as entry"),
        ("UPDATE registry_lead_steps SET state = 'refuted'", "lead step 1 is not as entry"),
        ("UPDATE entries SET content = '{}' WHERE kind = 'registry event'", "cannot be held against the log"),
        ("UPDATE registry_firearms SET content = x'00ff' WHERE id = 2", "firearm 2: its record cannot be read"),
        ("DELETE FROM entries WHERE kind = 'registry event'", "event 4, stands in no entry of the log"),
    ],
)
def test_whatever_is_altered_is_named(filled, statement, says):
    assert says in altered(filled, statement)


def test_a_row_added_past_the_program_is_named_and_an_older_one_counted(filled):
    statement = (
        "INSERT INTO registry_events SELECT id + 10, firearm, 'destroyed', \"on\", unit, place, reference, note, NULL, "
        "replace(digest, '0', '1'), recorded_on, recorded_by FROM registry_events WHERE id = 3"
    )
    said = altered(filled, statement)
    assert "event 13 was altered" in said
    assert "event 13, stands in no entry of the log" in said


def test_without_a_key_nothing_is_written_where_a_log_is_kept(registry, tmp_path):
    unsigned = Registry(registry.library)
    with pytest.raises(RefusedError, match="state your key"):
        imported(unsigned, tmp_path)
    found = verify_registry(unsigned)
    assert (found.firearms, found.events, found.n_faults) == (0, 0, 0)
    imported(registry, tmp_path)
    for act in (
        lambda: unsigned.report(1, Event("found", "2026", "X"), "AD"),
        lambda: queue_leads(unsigned, [Lead("registry", "a", "b", "look at next", "")], "AD"),
    ):
        with pytest.raises(RefusedError, match="state your key"):
            act()
    assert verify_registry(registry).events == 2


def test_what_is_older_than_the_log_is_counted(tmp_path, key):
    with Registry.create(tmp_path / "lab") as made:
        imported(made, tmp_path)
        assert verify_registry(made).notes == (
            "this laboratory keeps no signed log: rows are held against their own hashes only",
        )
        Log(made.library.engine, made.where).begin(key, "AD", "Administrator", {"name": "Lab"})
        Registry(made.library, key).report(1, Event("found", "2026-07", "Bitola"), "AD")
        found = verify_registry(made)
    assert found.clean
    assert found.notes[0].startswith("5 rows were written before the registry's first entry in the log")
