"""Statistics in the columns of the Focal Points: what is counted where, and the workbook."""

from __future__ import annotations

import openpyxl
import pytest
from registers import new_registry

from ballistics.errors import ParameterError
from ballistics.registry import Entry, Event, Firearm, focal_point_statistics, write_workbook
from ballistics.registry.records import EVENT_KINDS

FIREARMS = (
    Firearm("pistol", "Застава", "", "9x19", "1"),
    Firearm("pistol", "Glock", "", "9 mm Luger", "2"),
    Firearm("3D-printed firearm", "", "", "9 Para", printed="printed frame with factory parts"),
)
EVENTS = ((1, "stolen", "2024-01-01"), (2, "seized", "2024-12-31"), (3, "seized", "2024"), (1, "recovered", "2024-06"),
          (1, "lost", "2023-12-31"), (2, "found", "2025-01"))  # fmt: skip


@pytest.fixture
def registry(tmp_path):
    with new_registry(tmp_path) as made:
        for number, firearm in enumerate(FIREARMS, 1):
            made.add("MK" if number < 3 else "AL", Entry(str(number), firearm), "clerk")
        for firearm, kind, on in EVENTS:
            made.report(firearm, Event(kind, on, "unit"), "clerk")
        yield made


def counted(found, name):
    (table,) = (table for table in found.tables if table.name == name)
    return {value: dict(zip((*EVENT_KINDS, "all"), counts, strict=True)) for value, counts in table.rows}


def test_a_year(registry):
    found = focal_point_statistics(registry, "2024", "2024")
    assert (found.since, found.until, found.count, found.not_certain) == ("2024-01-01", "2024-12-31", 4, 0)
    types = counted(found, "type")
    assert (types["pistol"]["stolen"], types["pistol"]["seized"], types["pistol"]["all"]) == (1, 1, 3)
    assert types["3D-printed firearm"]["seized"] == 1
    assert counted(found, "calibre") == {"9 mm Luger": counted(found, "calibre")["9 mm Luger"]}
    assert counted(found, "jurisdiction")["AL"]["all"] == 1
    assert counted(found, "printed")["printed frame with factory parts"]["all"] == 1
    assert counted(found, "event")["recovered"]["recovered"] == 1
    assert ("Type of firearm", "pistol", "stolen", 1) in found.rows()


def test_dates_that_are_not_precise_are_counted_and_said(registry):
    found = focal_point_statistics(registry, "2024-06-10", "2024-06")
    assert (found.count, found.not_certain) == (2, 2)  # June, and the year


def test_a_correction_counts_and_what_it_corrects_does_not(registry):
    registry.report(1, Event("lost", "2024-01-01", "unit", supersedes=1), "clerk")
    found = focal_point_statistics(registry, "2024", "2024")
    assert found.count == 4
    assert counted(found, "event")["lost"]["all"] == 1
    assert "stolen" not in counted(found, "event")


def test_a_time_that_is_none_is_refused(registry):
    with pytest.raises(ParameterError):
        focal_point_statistics(registry, "2024", "2023")
    with pytest.raises(ParameterError):
        focal_point_statistics(registry, "24", "2023")


def test_a_workbook_holds_text_as_text_and_is_the_same_each_time(tmp_path):
    for name in ("a.xlsx", "b.xlsx"):
        write_workbook(
            tmp_path / name, [("counts", ("=what", "n"), [("=1+1", 3), ("http://x", 0.5), ("x" * 40000, 0)])]
        )
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx")["counts"]
    assert [cell.value for cell in sheet[1]] == ["=what", "n"]
    assert (sheet["A2"].value, sheet["A2"].data_type, sheet["B2"].value) == ("=1+1", "s", 3)
    assert sheet["A3"].hyperlink is None
