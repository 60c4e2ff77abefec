"""The library: what goes in comes out, in every order of enrolling, replacing, removing and copying."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from library_marks import noise_mark, scan_sha256

from ballistics.errors import CorruptFileError, ParameterError, ReadError, UnsupportedFormatError, WriteError
from ballistics.library import template
from ballistics.library.items import Description
from ballistics.search.library import Library

NINE = Description(calibre="9 mm Luger", place="Skopje")


@pytest.fixture
def library(tmp_path):
    with Library.create(tmp_path / "library") as made:
        yield made


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def enrolled(library, *seeds):
    return [library.enrol(noise_mark(seed), f"scan-{seed}.x3p", NINE).mark_id for seed in seeds]


def test_what_goes_in_comes_out_after_opening_again(library):
    first, second = enrolled(library, 1, 2)
    library.close()
    with Library.open(library.folder) as again:
        assert [mark.id for mark in again.contents().marks] == [first, second]
        entry = again.contents().marks[0]
        assert (entry.scan, entry.identity, entry.description) == ("scan-1.x3p", scan_sha256(1), NINE)
        mark = again.mark(first)
        np.testing.assert_array_equal(mark.heights_um, noise_mark(1).heights_um)
        assert (mark.kind, mark.spacing_um, mark.surface_kind) == ("breech face", 6.25, "topography")
        assert again.verify().clean


def test_the_same_scan_has_one_entry(library):
    (number,) = enrolled(library, 1)
    again = library.enrol(noise_mark(1), "scan-1.x3p")
    assert (again.outcome, again.mark_id, again.reason) == ("present", number, "")
    # What is not stated stays; what is stated anew is changed, and said.
    told = library.enrol(noise_mark(1), "scan-1.x3p", Description(place="Prishtina"))
    assert told.outcome == "described anew"
    assert told.reason == "place 'Skopje' became 'Prishtina'"
    (entry,) = library.contents().marks
    assert entry.description == Description(calibre="9 mm Luger", place="Prishtina")
    assert library.describe(number, NINE).outcome == "described anew"
    assert library.describe(number, NINE).outcome == "present"


def test_a_scan_prepared_anew_keeps_its_number_and_loses_its_old_heights(library):
    numbers = enrolled(library, 1, 2)
    before = library.contents().marks[0].array_sha256
    outcome = library.enrol(noise_mark(1, version="2"), "scan-1.x3p")
    assert (outcome.outcome, outcome.mark_id) == ("enrolled anew", numbers[0])
    entry = library.contents().marks[0]
    assert entry.description == NINE
    assert entry.preparation["preparation / version"] == "2"
    assert not any(before in name for name in files(library.folder))
    np.testing.assert_array_equal(library.mark(numbers[0]).heights_um, noise_mark(1, version="2").heights_um)
    found = library.verify()
    assert found.clean
    assert not found.leftovers


def test_two_scans_may_share_one_array(library):
    copy = noise_mark(1)
    copy = replace(copy, provenance=replace(copy.provenance, inputs={"file": scan_sha256(99)}))
    (first,) = enrolled(library, 1)
    second = library.enrol(copy, "copy.x3p").mark_id
    library.remove(first, "A", "today", "test")
    assert library.verify().clean
    np.testing.assert_array_equal(library.mark(second).heights_um, noise_mark(1).heights_um)


def test_a_mark_without_a_file_is_known_by_its_heights(library):
    mark = replace(noise_mark(1), provenance=replace(noise_mark(1).provenance, inputs={}))
    assert library.enrol(mark, "simulated").outcome == "enrolled"
    assert library.enrol(mark, "simulated").outcome == "present"


def test_insufficient_is_a_result_and_no_provenance_an_error(library):
    assert library.enrol(replace(noise_mark(1), insufficient="too small"), "a").reason == "too small"
    with pytest.raises(ParameterError, match="no provenance"):
        library.enrol(replace(noise_mark(1), provenance=None), "a")
    assert library.contents().marks == ()


def test_removal_deletes_and_leaves_a_record(library):
    first, second = enrolled(library, 1, 2)
    record = template.make_template(noise_mark(1)).to_bytes()
    stack = library.folder / "templates" / f"{template.VERSION}.stack"
    assert record in stack.read_bytes()
    gone = library.remove(first, "Officer 7", "2026-03-01", "court order 12/26")
    assert (gone.mark_id, gone.identity, gone.scan) == (first, scan_sha256(1), "scan-1.x3p")
    assert library.contents().removals == (gone,)
    assert not any(gone.array_sha256 in name for name in files(library.folder))
    assert record not in stack.read_bytes()
    assert library.verify().clean
    with pytest.raises(ParameterError, match=r"removed by Officer 7 on 2026-03-01: court order 12/26"):
        library.mark(first)
    # It does not come back by itself, and its number is given to no other.
    refused = library.enrol(noise_mark(1), "scan-1.x3p")
    assert refused.outcome == "refused"
    assert "court order 12/26" in refused.reason
    back = library.enrol(noise_mark(1), "scan-1.x3p", again=True)
    assert back.outcome == "enrolled"
    assert back.mark_id not in (first, second)
    with pytest.raises(ParameterError, match="'reason' must be stated"):
        library.remove(second, "A", "today", " ")
    with pytest.raises(ParameterError, match="holds no mark 99"):
        library.remove(99, "A", "today", "test")


def test_a_removal_that_was_stopped_is_completed_by_the_next_writer(library, monkeypatch):
    first, _ = enrolled(library, 1, 2)
    monkeypatch.setattr(Library, "delete_pending", lambda self: None)
    gone = library.remove(first, "A", "today", "test")
    monkeypatch.undo()
    assert any(gone.array_sha256 in name for name in files(library.folder))
    enrolled(library, 3)
    assert not any(gone.array_sha256 in name for name in files(library.folder))
    assert library.verify().clean


def test_filter_excludes_only_what_is_stated_otherwise(library):
    for seed, calibre in ((1, "9 mm Luger"), (2, "45 Auto"), (3, ""), (4, "9 MM LUGER")):
        library.enrol(noise_mark(seed), f"{seed}", Description(calibre=calibre))
    assert [m.scan for m in library.contents({"calibre": "9 mm luger"}).marks] == ["1", "3", "4"]
    assert [m.scan for m in library.contents({"calibre": ["45 Auto", "9 mm Luger"]}).marks] == ["1", "2", "3", "4"]
    with pytest.raises(ParameterError, match="'caliber'"):
        library.contents({"caliber": "9 mm Luger"})
    for nothing in ((), "", [""]):
        with pytest.raises(ParameterError, match="calibre"):
            library.contents({"calibre": nothing})


def test_templates_are_made_anew_after_a_change_of_version(library, monkeypatch):
    first, _ = enrolled(library, 1, 2)
    assert library.renew_templates() == 0
    monkeypatch.setattr(template, "VERSION", "next")
    assert [fault.mark_id for fault in library.verify().faults] == [1, 2]
    assert library.find(scan_sha256(1), "breech face") is None
    assert library.renew_templates() == 2
    assert library.verify().clean
    assert library.find(scan_sha256(1), "breech face").id == first


def test_a_mark_removed_while_templates_are_renewed_is_passed_by(library, monkeypatch):
    enrolled(library, 1, 2, 3)
    monkeypatch.setattr(template, "VERSION", "next")
    with_heights = library.with_heights

    def with_heights_late(entry):
        if entry.id == 2:
            library.remove(2, "who", "when", "why")
        return with_heights(entry)

    monkeypatch.setattr(library, "with_heights", with_heights_late)
    assert library.renew_templates() == 2
    assert library.verify().clean


def test_a_mark_enrolled_anew_while_it_is_read_is_the_new_one(library, monkeypatch):
    (number,) = enrolled(library, 1)
    with_heights = library.with_heights
    anew = [noise_mark(1, version="2")]

    def with_heights_late(entry):
        if anew:
            library.enrol(anew.pop(), "scan-1.x3p")
        return with_heights(entry)

    monkeypatch.setattr(library, "with_heights", with_heights_late)
    np.testing.assert_array_equal(library.mark(number).heights_um, noise_mark(1, version="2").heights_um)


@pytest.mark.slow
def test_verify_names_what_is_damaged(library):
    numbers = enrolled(library, 1, 2, 3, 4)
    entries = library.contents().marks
    paths = [library.folder / "arrays" / e.array_sha256[:2] / f"{e.array_sha256}.npy" for e in entries]
    paths[0].unlink()
    paths[1].write_bytes(paths[1].read_bytes()[:-100])
    content = bytearray(paths[2].read_bytes())
    content[len(content) // 2] ^= 1
    paths[2].write_bytes(content)
    stack = library.folder / "templates" / f"{template.VERSION}.stack"
    length = stack.stat().st_size // 4
    record = bytearray(stack.read_bytes())
    record[3 * length + 7] ^= 1
    stack.write_bytes(record)
    found = library.verify()
    assert [fault.mark_id for fault in found.faults] == numbers
    for fault, words in zip(found.faults, ("missing", "cannot be read", "was changed", "template"), strict=True):
        assert words in fault.what
    for number in numbers[:3]:
        with pytest.raises(CorruptFileError, match="backup"):
            library.mark(number)
    # Enrolled again, each is whole again.
    for seed in (1, 2, 3):
        library.remove(numbers[seed - 1], "A", "today", "damaged")
        library.enrol(noise_mark(seed), f"scan-{seed}.x3p", again=True)
    assert [fault.mark_id for fault in library.verify().faults] == numbers[3:]


def test_leftovers_are_named_and_deleted_on_demand(library):
    enrolled(library, 1)
    library.arrays.write(noise_mark(7).heights_um)
    (library.folder / "arrays" / "ab").mkdir(exist_ok=True)
    (library.folder / "arrays" / "ab" / "torn.part").write_bytes(b"half")
    found = library.verify(tidy=True)
    assert found.clean
    assert len(found.leftovers) == 2
    assert library.verify().leftovers == ()


def test_a_cut_stack_is_refused_and_made_again(library):
    enrolled(library, 1, 2)
    stack = library.templates.stack(template.VERSION, len(template.make_template(noise_mark(1)).to_bytes()))
    stack.path.write_bytes(stack.path.read_bytes()[:-1])
    with pytest.raises(CorruptFileError, match="holds 1 templates, 2 were written"):
        stack.records(2)
    assert [fault.mark_id for fault in library.verify().faults] == [2]


def test_backup_is_a_library_and_is_brought_up_to_date(library, tmp_path):
    enrolled(library, 1, 2, 3)
    copy = tmp_path / "copy"
    assert library.backup(copy).clean
    with Library.open(copy) as opened:
        assert opened.contents() == library.contents()
        np.testing.assert_array_equal(opened.mark(2).heights_um, noise_mark(2).heights_um)
    library.remove(1, "A", "today", "court order")
    enrolled(library, 4)
    found = library.backup(copy)
    assert (found.clean, found.marks) == (True, 3)
    with Library.open(copy) as opened:
        assert opened.contents() == library.contents()
        assert opened.verify().clean
    # What was removed is removed from the copy as well.
    gone = library.contents().removals[0].array_sha256
    assert not any(gone in name for name in files(copy))
    assert not any(name.endswith(".part") for name in files(copy))


@pytest.mark.slow
def test_backup_that_was_stopped_goes_on(library, tmp_path, monkeypatch):
    enrolled(library, 1, 2)
    copy = tmp_path / "copy"

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        library.backup(copy, stop)
    with pytest.raises(CorruptFileError, match="missing"):
        Library.open(copy)
    assert library.backup(copy).clean


def test_backup_that_was_stopped_before_its_first_file_goes_on(library, tmp_path):
    enrolled(library, 1)
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / ".library.json.0abc-12-00000000.part").write_bytes(b"{")
    assert library.backup(copy).clean
    (copy / "library.sqlite").write_bytes(b"")
    assert library.backup(copy).clean
    assert len(Library.open(copy).contents().marks) == 1


def test_backup_refuses_to_write_over_anything_else(library, tmp_path):
    enrolled(library, 1)
    with pytest.raises(WriteError, match="the library itself"):
        library.backup(library.folder)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(WriteError, match="neither empty nor"):
        library.backup(tmp_path / "full")
    with Library.create(tmp_path / "other"):
        pass
    with pytest.raises(WriteError, match="another library"):
        library.backup(tmp_path / "other")
    library.backup(tmp_path / "copy")
    with Library.open(tmp_path / "copy") as copy:
        copy.enrol(noise_mark(2), "only here")
    with pytest.raises(WriteError, match="used as a library"):
        library.backup(tmp_path / "copy")


def test_what_is_no_library_is_refused(tmp_path, library):
    with pytest.raises(ReadError, match="is not a library"):
        Library.open(tmp_path / "nowhere")
    (tmp_path / "file").write_text("x")
    with pytest.raises(ReadError, match="is not a library"):
        Library.open(tmp_path / "file")
    with pytest.raises(WriteError):
        Library.create(library.folder)
    with pytest.raises(WriteError):
        Library.create(tmp_path / "file")
    folder = tmp_path / "odd"
    folder.mkdir()
    deep = "[" * 100_000
    for content in (
        "",
        "no json",
        "[1]",
        "null",
        deep,
        '{"schema": 1}',
        '{"schema": "ballistics/library", "version": 1}',
    ):
        (folder / "library.json").write_text(content)
        with pytest.raises(CorruptFileError):
            Library.open(folder)
    (folder / "library.json").write_text(json.dumps({"schema": "ballistics/library", "version": 2}))
    with pytest.raises(UnsupportedFormatError, match="update the program"):
        Library.open(folder)


def test_a_damaged_database_is_refused(tmp_path, library):
    enrolled(library, 1)
    library.close()
    rows = library.folder / "library.sqlite"
    other = tmp_path / "other"
    with Library.create(other):
        pass
    shutil.copytree(library.folder, tmp_path / "mixed")
    shutil.copy(other / "library.sqlite", tmp_path / "mixed" / "library.sqlite")
    with pytest.raises(CorruptFileError, match="different libraries"):
        Library.open(tmp_path / "mixed")
    with closing(sqlite3.connect(other / "library.sqlite")) as database:
        database.execute("UPDATE about SET value = '7' WHERE key = 'version'")
        database.commit()
    with pytest.raises(UnsupportedFormatError, match="library version 7"):
        Library.open(other)
    rows.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    with pytest.raises(CorruptFileError, match="newest backup"):
        Library.open(library.folder)
    rows.write_bytes(b"")
    with pytest.raises(CorruptFileError, match="holds no library"):
        Library.open(library.folder)
    rows.unlink()
    with pytest.raises(CorruptFileError, match="missing"):
        Library.open(library.folder)


def test_a_database_from_elsewhere_names_no_file_outside_the_folder(library, tmp_path):
    enrolled(library, 1)
    (tmp_path / "precious.npy").write_bytes(b"precious")
    with closing(sqlite3.connect(library.folder / "library.sqlite")) as database:
        database.execute("INSERT INTO deletions (array_sha256) VALUES ('../../precious')")
        database.execute("UPDATE marks SET array_sha256 = '../../precious'")
        database.commit()
    with pytest.raises(CorruptFileError, match="not the name of an array"):
        library.mark(1)
    library.describe(1, Description())
    with pytest.raises(CorruptFileError, match="not the name of an array"):
        library.remove(1, "A", "today", "test")
    assert (tmp_path / "precious.npy").exists()
    with closing(sqlite3.connect(library.folder / "library.sqlite")) as database:
        database.execute("UPDATE stacks SET records = 1000000000000")
        database.commit()
    with pytest.raises(CorruptFileError, match="1000000000000 were written"):
        library.search(noise_mark(2))
