"""Import: what is read, what is refused and why, again and after a stop; and files that mean harm."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import tracemalloc
import zipfile

import openpyxl
import pytest
from registers import HEADINGS, csv_file, held, imported, mapping, new_registry

from ballistics.errors import BallisticsError, CorruptFileError, HostileFileError, ParameterError
from ballistics.registry import Question, Registry, read_mapping, write_register
from ballistics.registry.importing import BATCH

GOOD = ("1,P,Застава,7.65,A-1234,1985,B77,U,17.05.2024", "2,R,Colt,.38 Special,55123,,,,", "3,X,Zoraki,,ZZ9,,,I,2019")


@pytest.fixture
def registry(tmp_path):
    with new_registry(tmp_path) as made:
        yield made


def test_rows_become_records(registry, tmp_path):
    counts, refused = imported(registry, csv_file(tmp_path, *GOOD))
    assert (counts, refused) == ({"new": 3, "events": 2}, [])
    record = registry.show(1)
    assert (record.source, record.source_key) == ("MK", "1")
    assert record.firearm.kind == "pistol"
    assert record.firearm.country_of_manufacture == "RS"
    assert record.firearm.components[0].serial == "B77"
    assert [(e.event.kind, e.event.on, e.event.precision) for e in record.events] == [("stolen", "2024-05-17", "day")]
    assert registry.show(3).firearm.kind == "unknown"
    assert registry.show(3).events[0].event.precision == "year"


def test_the_same_again_writes_nothing(registry, tmp_path):
    path = csv_file(tmp_path, *GOOD)
    imported(registry, path)
    before = held(registry)
    assert imported(registry, path)[0] == {"unchanged": 3}
    assert held(registry) == before


def test_a_changed_row_keeps_what_it_said(registry, tmp_path):
    imported(registry, csv_file(tmp_path, *GOOD))
    assert imported(registry, csv_file(tmp_path, GOOD[0].replace("A-1234", "A-1284")))[0] == {"changed": 1}
    record = registry.show(1)
    assert record.firearm.serial == "A-1284"
    assert [earlier.serial for earlier in record.earlier] == ["A-1234"]
    assert len(record.events) == 1
    assert [hit.serial for hit in registry.find(Question("A1234", "Zastava")).hits] == ["A-1284"]


@pytest.mark.parametrize(
    ("line", "column", "word"),
    [
        ("4,P,Colt,9,1,1985,,,,extra", "", "values where the headings"),
        ("4,P", "", "values where the headings"),
        (",P,Colt,9,1,1985,,,", "", "number of the record is empty"),
        ("4,P,Colt,9,1,85,,,", "", "year_of_manufacture '85'"),
        ("4,P,Colt,9,1,,,S,17.05.2024", "status", "no word for the code 'S'"),
        ("4,P,Colt,9,1,,,U,31.02.2024", "date", "no date of the form"),
        ("4,P,Colt,9,1,,,U,", "", "date of the event ''"),
        ("4,P,Co\x00lt,9,1,,,,", "make", "U+0000"),
        ("4,P,Colt,9,12\u202e34,,,,", "serial", "turns the direction"),
        ("4,P,Colt,9," + "1" * 70 + ",,,,", "", "no firearm carries one"),
        ("4,P," + "x" * 5000 + ",9,1,,,,", "make", "holds 5000 characters"),
        ("4,P," + "x" * 200_000 + ",9,1,,,,", "", "field larger than field limit"),
        ("4,P," + "x" * 2_000_000 + ",9,1,,,,", "", "is longer than"),
    ],
)
def test_a_bad_row_is_refused_with_the_reason_and_the_rest_is_read(registry, tmp_path, line, column, word):
    counts, refused = imported(registry, csv_file(tmp_path, GOOD[0], line, GOOD[1]))
    assert counts == {"new": 2, "events": 1, "refused": 1}
    assert [(row, where) for row, where, _ in refused] == [(2, column)]
    assert word in refused[0][2]


def test_bytes_of_another_encoding_are_refused_and_named(registry, tmp_path):
    path = csv_file(tmp_path, "1,P,Češka,9,1,,,,", "2,P,Colt,9,2,,,,", encoding="cp1250")
    counts, refused = imported(registry, path)
    assert counts == {"new": 1, "refused": 1}
    assert "0xc8" in refused[0][2]
    assert "state another encoding" in refused[0][2]
    assert imported(registry, path, mapping(encoding="cp1250"))[0] == {"new": 1, "unchanged": 1}


def test_a_number_that_comes_twice_with_something_else_is_refused(registry, tmp_path):
    path = csv_file(tmp_path, GOOD[0], GOOD[1], GOOD[0], GOOD[0].replace("1985", "1986"))
    for expected in ({"new": 2, "unchanged": 1, "events": 1, "refused": 1}, {"unchanged": 3, "refused": 1}):
        counts, refused = imported(registry, path)
        assert counts == expected
        assert refused == [(4, "number", "number 1 says something else in an earlier row of this source")]


def test_a_dry_run_says_the_same_and_writes_nothing(registry, tmp_path):
    imported(registry, csv_file(tmp_path, GOOD[1]))
    before = held(registry)
    path = csv_file(tmp_path, *GOOD, GOOD[0].replace("1985", "1986"), GOOD[1].replace("55123", "55124") + "9,9", "4,P")
    dry = imported(registry, path, dry_run=True)
    assert held(registry) == before
    assert dry[0] == {"new": 2, "unchanged": 1, "refused": 3}
    assert imported(registry, path)[1] == dry[1]


def test_a_million_characters_between_quotation_marks_are_named(registry, tmp_path):
    lines = [GOOD[0], '7,P,"Colt,9,1,,,,', *(f"{n},P,Colt,9,{n},,,," for n in range(10, 20_000))]
    counts, refused = imported(registry, csv_file(tmp_path, *lines))
    assert counts["refused"] == 1
    assert "lines 3 to" in refused[0][2]
    assert "quotation mark" in refused[0][2]
    assert counts["new"] > 10_000


def test_a_quotation_mark_that_is_closed_rows_later_does_not_swallow_them_unsaid(registry, tmp_path):
    lines = ['1,P,"Colt,9,1,,,,', '2,P,Colt",9,2,,,,', '3,P,"Colt', 'of Hartford",9,3,,,,', "4,P,Colt,9,4,,,,"]
    counts, refused = imported(registry, csv_file(tmp_path, *lines))
    assert counts == {"new": 2, "refused": 1}
    assert refused[0][2] == "lines 2 to 3 are read as one row of 9 values: is a quotation mark not closed?"
    assert registry.show(1).firearm.make == "Colt of Hartford"


@pytest.mark.parametrize(
    ("encoding", "headings", "word"),
    [
        ("utf-16", HEADINGS, "looks like UTF-16"),
        ("utf-16-le", HEADINGS, "looks like UTF-16"),
        ("utf-8", HEADINGS.replace(",", ";"), "is the delimiter ';'"),
        ("utf-8", HEADINGS.replace(",", "\t"), "is the delimiter '.t'"),
    ],
)
def test_another_encoding_or_delimiter_is_named(registry, tmp_path, encoding, headings, word):
    with pytest.raises(BallisticsError, match=word):
        imported(registry, csv_file(tmp_path, headings=headings, encoding=encoding))


def test_a_field_of_a_gigabyte_takes_no_memory(registry, tmp_path):
    path = csv_file(tmp_path, *GOOD)
    with open(path, "r+b") as file:
        file.seek(0, 2)
        file.write(b'9,P,"')
        file.truncate(file.tell() + (1 << 26))  # zeros, not on the disk
        file.seek(0, 2)
        file.write(b"\n5,P,Colt,9,1,,,,\n")
    tracemalloc.start()
    counts, refused = imported(registry, path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert counts == {"new": 4, "events": 2, "refused": 1}
    assert "longer than" in refused[0][2]
    assert peak < 60 << 20


@pytest.mark.parametrize(
    ("headings", "word"),
    [("number,number,type", "called number"), ("", "headings"), ("number,type", "no column 'make'")],
)
def test_headings_that_are_none_are_refused(registry, tmp_path, headings, word):
    with pytest.raises(BallisticsError, match=word):
        imported(registry, csv_file(tmp_path, headings=headings))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"colums": {}}, "colums is none of"),
        ({"columns": {"mark": "make"}}, "mark is none of"),
        ({"events": [{"kind": "status"}]}, "does not say on, unit"),
        ({"encoding": "utf-9"}, "no encoding"),
        ({"delimiter": "||"}, "delimiter"),
        ({"source": ""}, "source"),
        ({"columns": {"make": {"colunm": "make"}}}, "colunm is none of"),
        ({"columns": {"kind": {"column": "type", "codes": ["P"]}}}, "codes are entries"),
    ],
)
def test_a_mapping_that_says_nonsense_is_refused(registry, tmp_path, changes, word):
    with pytest.raises(ParameterError, match=word):
        imported(registry, csv_file(tmp_path, *GOOD), mapping(**changes))


@pytest.mark.parametrize(
    "text", [b"a: [", b"\xff\xfe", b"- 1", b"!!python/object:os.system {}", b"a: &a [x]\nb: *a", b"x" * (2 << 20)]
)
def test_a_mapping_file_that_is_none_is_refused(tmp_path, text):
    (tmp_path / "m.yaml").write_bytes(text)
    with pytest.raises(ParameterError):
        read_mapping(tmp_path / "m.yaml")


def workbook(path, *rows):
    book = openpyxl.Workbook()
    for row in (HEADINGS.split(","), *rows):
        book.active.append(row)
    book.save(path)
    return path


def test_serials_that_a_workbook_holds_as_numbers_keep_the_zeros_that_it_shows(registry, tmp_path):
    path = workbook(tmp_path / "r.xlsx", [1, "P", "Colt", "9", 123], [2, "P", "Colt", "9", 1234567890123456])
    book = openpyxl.load_workbook(path)
    book.active["E2"].number_format = "000000"
    book.save(path)
    counts, refused = imported(registry, path)
    assert counts == {"new": 1, "refused": 1}
    assert "1234567890123456 is a number of more than 15 digits" in refused[0][2]
    assert registry.show(1).firearm.serial == "000123"


def test_a_workbook_is_read(registry, tmp_path):
    import datetime

    path = workbook(
        tmp_path / "r.xlsx",
        [1, "P", "Застава", 7.65, "A-1234", 1985, None, "U", datetime.datetime(2024, 5, 17)],
        [None] * 9,
        [2.0, "R", "=1+1", None, 55123, None, None, None, None],
    )
    counts, refused = imported(registry, path)
    assert (counts, refused) == ({"new": 2, "events": 1}, [])
    assert registry.show(1).firearm.calibre == "7.65"
    assert registry.show(1).events[0].event.on == "2024-05-17"
    assert registry.show(2).firearm.serial == "55123"
    assert registry.show(2).firearm.make == ""  # a formula that was never calculated


def rewritten(path, name, content):
    """Replace a member of a workbook."""
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    members[name] = content
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    return path


SHEET = "xl/worksheets/sheet1.xml"
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        (SHEET, b"<a>" + b" " * (40 << 20), HostileFileError),
        ("xl/styles.xml", os.urandom(1 << 20) * 40, HostileFileError),
        ("xl/sharedStrings.xml", b'<!DOCTYPE x [<!ENTITY a "b">]><sst>&a;</sst>', HostileFileError),
        (SHEET, f'<!DOCTYPE x [<!ENTITY a "b">]><worksheet {MAIN}/>'.encode(), HostileFileError),
        (SHEET, f"<worksheet {MAIN}/>".encode("utf-16"), HostileFileError),
        (SHEET, b"<worksheet", CorruptFileError),
        (SHEET, f'<worksheet {MAIN}><sheetData><row r="1"/></sheetData></worksheet>'.encode(), CorruptFileError),
        ("../outside.txt", b"x", HostileFileError),
    ],
)
def test_a_workbook_that_means_harm_is_refused(registry, tmp_path, name, content, error):
    path = rewritten(workbook(tmp_path / "r.xlsx", [1, "P"]), name, content)
    with pytest.raises(error):
        imported(registry, path)
    assert held(registry)["registry_firearms"] == []


def test_rows_without_end_are_refused(registry, tmp_path, monkeypatch):
    monkeypatch.setattr("ballistics.registry.sources._MOST_ROWS", 10_000)
    cells = "".join(
        f'<c r="{chr(65 + n)}1" t="inlineStr"><is><t>{name}</t></is></c>' for n, name in enumerate(HEADINGS.split(","))
    )
    sheet = f'<worksheet {MAIN}><sheetData><row r="1">{cells}</row><row r="99999999999"/></sheetData></worksheet>'
    path = rewritten(workbook(tmp_path / "r.xlsx", [1, "P"]), SHEET, sheet.encode())
    with pytest.raises(HostileFileError, match="at most"):
        imported(registry, path)


def test_a_view_of_a_database_is_read_and_never_written(registry, tmp_path):
    path = tmp_path / "police.sqlite"
    with sqlite3.connect(path) as database:
        database.execute(f"CREATE TABLE t ({HEADINGS})")
        database.executemany(f"INSERT INTO t VALUES ({','.join('?' * 9)})", [line.split(",") for line in GOOD])
        database.execute("CREATE VIEW weapons AS SELECT * FROM t")
    before = path.read_bytes()
    counts, refused = imported(registry, f"sqlite:///{path}", mapping(view="weapons"))
    assert (counts, refused) == ({"new": 3, "events": 2}, [])
    assert path.read_bytes() == before
    for view, word in (
        ("nothing", "cannot be read"),
        ('t"; DROP TABLE t; --', "cannot be read"),
        ("", "names no view"),
    ):
        with pytest.raises(BallisticsError, match=word):
            imported(registry, f"sqlite:///{path}", mapping(view=view))


KILLED = """
import sys
from pathlib import Path
from ballistics.registry import Import, Registry, read_mapping
folder = Path(sys.argv[1])
with Registry.open(folder / "laboratory") as registry:
    work = Import(registry, read_mapping(folder / "mapping.yaml"), "clerk")
    told = lambda stage, done, total: print(done, flush=True)
    list(work.refusals(str(folder / "register.csv"), told))
"""


@pytest.mark.parametrize("kills", [1, pytest.param(12, marks=pytest.mark.slow)])
@pytest.mark.slow
def test_killed_at_any_moment_it_loses_nothing_acknowledged_and_doubles_nothing(tmp_path, kills):
    count = 4 * BATCH if kills == 1 else 20 * BATCH
    write_register(tmp_path, count, 3)
    (tmp_path / "whole").mkdir()
    with new_registry(tmp_path / "whole") as whole:
        assert imported(whole, tmp_path / "register.csv", read_mapping(tmp_path / "mapping.yaml"))[0]["new"] == count
        right = held(whole)
    new_registry(tmp_path).__exit__(None, None, None)
    rng = random.Random(1)
    for _ in range(kills):
        child = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        acknowledged = int(child.stdout.readline() or 0)
        time.sleep(rng.uniform(0, 0.1))
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        with Registry.open(tmp_path / "laboratory") as registry:
            assert len(held(registry)["registry_firearms"]) >= acknowledged
    with Registry.open(tmp_path / "laboratory") as registry:
        counts, refused = imported(registry, tmp_path / "register.csv", read_mapping(tmp_path / "mapping.yaml"))
        assert refused == []
        assert counts["unchanged"] > 0
        assert sum(counts[key] for key in ("new", "unchanged") if key in counts) == count
        assert held(registry) == right


def test_two_imports_at_once_wait_for_each_other(tmp_path):
    new_registry(tmp_path).__exit__(None, None, None)
    path = csv_file(tmp_path, *(f"{number},P,Make {number % 7},9,A{number},,,U,2024" for number in range(3000)))
    outcomes = []

    def import_again(source):
        with Registry.open(tmp_path / "laboratory") as registry:
            outcomes.append(imported(registry, path, mapping(source=source))[0])

    threads = [threading.Thread(target=import_again, args=(source,)) for source in ("MK", "AL", "MK")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(outcome.get("new", 0) for outcome in outcomes) == 6000
    assert sum(outcome.get("unchanged", 0) for outcome in outcomes) == 3000
    assert sum(outcome.get("events", 0) for outcome in outcomes) == 6000
    with Registry.open(tmp_path / "laboratory") as registry:
        rows = held(registry)
    assert len(rows["registry_firearms"]) == 6000
    assert len(rows["registry_names"]) == 7 + 2  # makes, no model, a calibre
