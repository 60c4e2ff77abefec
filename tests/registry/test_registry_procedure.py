"""Reports, what ends them, corrections, the procedure's states and days, and a list of recovered firearms."""

from __future__ import annotations

import pytest
from registers import held, imported, mapping, new_registry

from ballistics.errors import ParameterError
from ballistics.library import backup
from ballistics.registry import Entry, Event, Firearm, Registry, check, course, overdue, reports, step
from ballistics.registry.procedure import read_procedure

STOLEN = Event("stolen", "2024-05-17", "Bitola", "Bitola, Center", "KU 17/24")


@pytest.fixture
def registry(tmp_path):
    with new_registry(tmp_path) as made:
        for number, serial in enumerate(("A-1234", "B-7777", "55123"), 1):
            made.add("MK", Entry(str(number), Firearm("pistol", "Застава", "", "7,65 мм", serial)), "clerk")
        yield made


def words(registry, firearm):
    return [(report.is_open, report.words()) for report in reports(registry.show(firearm).events)]


def test_an_event_is_added_once_and_never_changed(registry):
    assert registry.report(1, STOLEN, "a") == registry.report(1, STOLEN, "b") == 1
    (kept,) = registry.show(1).events
    assert (kept.event, kept.recorded_by, kept.superseded_by) == (STOLEN, "a", None)


def test_a_correction_supersedes_and_keeps(registry):
    registry.report(1, STOLEN, "a")
    lost = registry.report(1, Event("lost", "2024-05", "Bitola", supersedes=1), "b")
    assert [(e.event.kind, e.superseded_by) for e in registry.show(1).events] == [("stolen", lost), ("lost", None)]
    assert words(registry, 1) == [(True, "reported lost 2024-05 by Bitola")]
    with pytest.raises(ParameterError, match="corrected by event 2"):
        registry.report(1, Event("lost", "2024", "Bitola", supersedes=1), "b")
    with pytest.raises(ParameterError, match="no event 1 that could be corrected"):
        registry.report(2, Event("lost", "2024", "Bitola", supersedes=1), "b")
    with pytest.raises(ParameterError, match="no firearm 9"):
        registry.report(9, STOLEN, "a")


@pytest.mark.parametrize(
    ("kind", "on", "is_open", "ends"),
    [
        ("recovered", "2024-06-01", False, "; recovered 2024-06-01 by Tirana"),
        ("recovered", "2024-05-17", False, "; recovered 2024-05-17 by Tirana"),
        ("recovered", "2023", True, ""),
        ("seized", "2024", True, "; seized 2024 by Tirana, before or after the report is not known"),
        ("transferred", "2025", True, ""),
    ],
)
def test_what_ends_a_report(registry, kind, on, is_open, ends):
    registry.report(1, STOLEN, "a")
    registry.report(1, Event(kind, on, "Tirana"), "a")
    said = "reported stolen in Bitola, Center 2024-05-17 by Bitola, file KU 17/24"
    assert words(registry, 1) == [(is_open, said + ends)]


@pytest.mark.parametrize(
    ("kind", "on", "unit", "word"),
    [("sold", "2024", "x", "none of"), ("lost", "17.5.2024", "x", "not a date"), ("lost", "2024-13", "x", "not a date"),
     ("lost", "2024", "", "needs the unit")],
)  # fmt: skip
def test_an_event_that_is_none_is_refused(kind, on, unit, word):
    with pytest.raises(ParameterError, match=word):
        Event(kind, on, unit)


def test_the_procedure_goes_its_way_and_no_other(registry):
    event = registry.report(1, STOLEN, "a")
    assert course(registry, event).state.name == "reported"
    assert course(registry, event).due == "2024-05-19"
    with pytest.raises(ParameterError, match="verified or withdrawn may follow"):
        step(registry, event, "circulated", "2024-05-18", "b")
    with pytest.raises(ParameterError, match="before 2024-05-17"):
        step(registry, event, "verified", "2024-05-16", "b")
    with pytest.raises(ParameterError, match="is not a day"):
        step(registry, event, "verified", "2024-05", "b")
    for state, on, due in (
        ("verified", "2024-05-18", "2024-05-19"),
        ("circulated", "2024-05-20", ""),
        ("recovered", "2025-01-31", "2025-02-05"),
        ("examined", "2025-02-02", "2025-03-04"),
        ("destroyed", "2025-06-01", ""),
    ):
        assert step(registry, event, state, on, "b").due == due
    assert [reached[0] for reached in course(registry, event).steps] == [
        "reported", "verified", "circulated", "recovered", "examined", "destroyed"]  # fmt: skip
    with pytest.raises(ParameterError, match="at its end"):
        step(registry, event, "returned", "2025-06-02", "b")


def test_what_begins_no_procedure(registry):
    event = registry.report(1, Event("transferred", "2024", "x"), "a")
    assert course(registry, event) is None
    corrected = registry.report(1, STOLEN, "a")
    registry.report(1, Event("lost", "2024-05-17", "Bitola", supersedes=corrected), "a")
    for number in (event, corrected, 99):
        with pytest.raises(ParameterError, match="begins no procedure"):
            step(registry, number, "verified", "2024-06-01", "b")


def test_a_report_that_is_corrected_keeps_its_steps(registry):
    event = registry.report(1, STOLEN, "a")
    step(registry, event, "verified", "2024-05-18", "b")
    corrected = registry.report(1, Event("lost", "2024-05-16", "Bitola", supersedes=event), "a")
    assert course(registry, event) is None
    assert course(registry, corrected).state.name == "verified"
    assert step(registry, corrected, "circulated", "2024-05-19", "b").state.name == "circulated"
    assert len(overdue(registry, "2030-01-01")) == 0  # circulated may last


def test_overdue(registry):
    first = registry.report(1, STOLEN, "a")
    second = registry.report(2, Event("found", "2024-02", "Tirana"), "a")  # at the latest on the 29th: due on 5 March
    registry.report(3, Event("lost", "1998", "Bitola"), "a")
    late = overdue(registry, "2024-05-21", "2020")
    assert [(found.event, found.state.name, found.due, found.days_overdue("2024-05-21")) for found in late] == [
        (second, "recovered", "2024-03-05", 77),
        (first, "reported", "2024-05-19", 2),
    ]
    assert len(overdue(registry, "2024-05-21")) == 3
    assert overdue(registry, "2024-03-05", "2020") == []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("x: [", "no procedure"),
        ("version: 1", "no procedure"),
        ("{version: 1, begins: {lost: a}, states: {a: {next: [b]}}}", "'b' is no state"),
        ("{version: 1, begins: {lost: a}, states: {a: {}, c: {}}}", "'c' is never reached"),
        ("{version: 1, begins: {sold: a}, states: {a: {}}}", "'sold' is no event"),
        ("{version: 1, begins: {lost: a}, states: {a: {within_days: 3}}}", "nothing follows"),
    ],
)
def test_a_procedure_that_contradicts_itself_is_refused(tmp_path, text, word):
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(ParameterError, match=word):
        read_procedure(tmp_path / "p.yaml")


def checked(registry, folder, *lines, **columns):
    path = folder / "list.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return [(row.row, row.answer(), row.hit and row.hit.source_key) for row in check(registry, str(path), columns)]


def test_a_row_that_swallows_others_or_has_too_many_values_is_not_said_to_be_unknown(registry, tmp_path):
    rows = ["serial,make", "A,1234,Zastava", '"B-7777,Zastava']
    assert checked(registry, tmp_path, *rows, "") == [(1, "not checked", None), (2, "not checked", None)]


def test_a_list_of_recovered_firearms(registry, tmp_path):
    registry.report(1, STOLEN, "a")
    registry.report(2, STOLEN, "a")
    registry.report(2, Event("recovered", "2024-06-01", "Tirana"), "a")
    rows = ["serija,make", "A-I284,Zastava", "B 7777,", "55l23,Застава", "999,Colt", ",Colt", "A1234,Glock"]
    assert checked(registry, tmp_path, *rows, serial="serija") == [
        (1, "REPORTED", "1"),  # one look-alike and one misread
        (2, "reported before", "2"),
        (3, "registered, not reported", "3"),
        (4, "not in the registry", None),
        (5, "not checked", None),
        (6, "REPORTED", "1"),  # the serial as registered, another make: shown, and said
    ]
    with pytest.raises(ParameterError, match="no column 'serial'"):
        checked(registry, tmp_path, "serija", "1")


def test_reports_come_with_the_import(tmp_path):
    with new_registry(tmp_path) as registry:
        path = tmp_path / "r.csv"
        path.write_text("number,type,make,calibre,serial,year,barrel,status,date\n1,P,Colt,9,X77123,,,U,2024\n")
        imported(registry, path, mapping())
        assert checked(registry, tmp_path, "serial", "X77128") == [(1, "REPORTED", "1")]


def test_a_copy_of_the_library_holds_the_registry(registry, tmp_path):
    registry.report(1, STOLEN, "a")
    assert backup(registry.library, tmp_path / "copy").clean
    with Registry.open(tmp_path / "copy") as copy:
        assert held(copy) == held(registry)
