"""Transfers of arms: the sums of the annual report, corrections, and each contradiction that must be named."""

from __future__ import annotations

from dataclasses import replace

import pytest
from registers import new_registry

from ballistics.errors import ParameterError
from ballistics.registry import (
    Delivery,
    Licence,
    annual_report,
    read_transfers,
    record_transfer,
    recorded_transfers,
    transfer_findings,
)

LICENCE = Licence("E-1", "export", "RS", "MK", "VIII.1", 100, "2024-01-10", "2024-12-31", "Ministry", "MTTT")


@pytest.fixture
def registry(tmp_path):
    with new_registry(tmp_path) as made:
        yield made


def record(registry, *given):
    return [record_transfer(registry, transfer, "clerk") for transfer in given]


def rows(registry, year, **options):
    found = annual_report(recorded_transfers(registry), year, **options)
    return [(row.kind, row.category, row.country, row.authorised, row.actual) for row in found]


def codes(registry):
    return [(finding.code, finding.severity) for finding in transfer_findings(recorded_transfers(registry))]


def test_the_annual_report_sums_by_kind_category_and_country(registry):
    record(
        registry,
        LICENCE,
        replace(LICENCE, category="VIII.2", quantity=7),
        replace(LICENCE, licence="E-2", quantity=50),
        replace(LICENCE, licence="E-3", destination="AL", issued_on="2023-12-30"),
        Licence("I-1", "import", "IT", "MK", "VIII.1", 20, "2024-02-01", "2025-02-01", "Police"),
        Licence("T-1", "transit", "AT", "GR", "I", 1, "2024-02-01", "2025-02-01", "Army"),
        replace(LICENCE, licence="E-4", category="A", quantity=5000),
        Delivery("E-1", "VIII.1", 30, "2024-03-01", "JCI 1"),
        Delivery("E-1", "VIII.1", 40, "2024-06", "JCI 2"),
        Delivery("E-2", "VIII.1", 5, "2025-01-02", "JCI 3"),
        Delivery("E-3", "VIII.1", 9, "2024", "JCI 4"),
    )
    assert rows(registry, 2024) == [
        ("export", "VIII.1", "AL", 0, 9),
        ("export", "VIII.1", "MK", 150, 70),
        ("export", "VIII.2", "MK", 7, 0),
        ("import", "VIII.1", "IT", 20, 0),
        ("transit", "I", "AT → GR", 1, 0),
    ]
    assert rows(registry, 2025) == [("export", "VIII.1", "MK", 0, 5)]
    assert ("export", "A", "MK", 5000, 0) in rows(registry, 2024, all_goods=True)
    (row,) = (row for row in annual_report(recorded_transfers(registry), 2024) if row.authorised == 150)
    assert row.licences == ("E-1", "E-2")
    assert row.values()[2] == "small arms: revolvers and self-loading pistols"


@pytest.mark.parametrize(
    ("deliveries", "expected"),
    [
        ([Delivery("E-1", "VIII.1", 100, "2024-12-31")], []),
        ([Delivery("E-1", "VIII.1", 60, "2024-03"), Delivery("E-1", "VIII.1", 41, "2024-04")],
         [("more-than-authorised", "serious")]),
        ([Delivery("E-1", "VIII.1", 1, "2025-01-01")], [("licence-expired", "serious")]),
        ([Delivery("E-1", "VIII.1", 1, "2024-01-09")], [("before-licence", "serious")]),
        ([Delivery("E-1", "VIII.1", 1, "2024-01")], [("perhaps-out-of-time", "warning")]),
        ([Delivery("E-1", "VIII.2", 1, "2024-02")], [("category-not-licensed", "serious")]),
        ([Delivery("E-9", "VIII.1", 1, "2024-02")], [("no-licence", "serious")]),
        ([Delivery("E-1", "VIII.1", 1, "2024-02", "J"), Delivery("E-1", "VIII.1", 2, "2024-03", "J")],
         [("document-twice", "warning")]),
    ],
)  # fmt: skip
def test_contradictions_are_found(registry, deliveries, expected):
    record(registry, LICENCE, *deliveries)
    assert codes(registry) == expected


def test_an_end_user_that_is_missing_is_found(registry):
    record(registry, replace(LICENCE, end_user=""))
    assert codes(registry) == [("no-end-user", "warning")]


def test_what_was_recorded_is_corrected_and_kept(registry):
    (first,) = record(registry, LICENCE)
    assert record(registry, LICENCE) == [first]
    more = replace(LICENCE, quantity=200)
    with pytest.raises(ParameterError, match=f"--corrects {first}"):
        record(registry, more)
    second = record_transfer(registry, more, "b", first)
    assert rows(registry, 2024) == [("export", "VIII.1", "MK", 200, 0)]
    assert [(row.number, row.superseded_by) for row in recorded_transfers(registry)] == [
        (first, second),
        (second, None),
    ]
    with pytest.raises(ParameterError, match=f"corrected by {second}"):
        record_transfer(registry, replace(LICENCE, quantity=300), "b", first)
    with pytest.raises(ParameterError, match="no delivery"):
        record_transfer(registry, Delivery("E-1", "VIII.1", 1, "2024-03"), "b", second)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"kind": "gift"}, "none of"),
        ({"origin": "Serbia"}, "two letters"),
        ({"category": "IX"}, "none of"),
        ({"quantity": 0}, "not between"),
        ({"issued_on": "2024"}, "not a day"),
        ({"expires_on": "2023-01-01"}, "before it was issued"),
        ({"licence": ""}, "is empty"),
    ],
)
def test_a_licence_that_is_none_is_refused(changes, word):
    with pytest.raises(ParameterError, match=word):
        replace(LICENCE, **changes)


def test_tables_of_licences_and_deliveries_are_read(tmp_path):
    path = tmp_path / "l.csv"
    head = "licence,kind,origin,destination,category,quantity,issued_on,expires_on,end_user\n"
    path.write_text(
        head + "E-1,export,RS,MK,VIII.1,100,2024-01-10,2024-12-31,=Ministry\nE-2,export,RS,MK,VIII.1,x,,,\n1\n"
    )
    (first, licence), (second, said), (third, short) = read_transfers(str(path))
    assert (first, licence.end_user, licence.quantity) == (1, "=Ministry", 100)
    assert (second, said) == (2, "quantity 'x' is not a whole number of pieces")
    assert (third, short) == (3, "1 values where the headings are 9")
    path.write_text("licence,category,quantity,on,reference\nE-1,VIII.1,9,2024-05,J1\n")
    assert list(read_transfers(str(path))) == [(1, Delivery("E-1", "VIII.1", 9, "2024-05", "J1"))]
    path.write_text("licence,category\n")
    with pytest.raises(ParameterError, match="headings of licences are"):
        list(read_transfers(str(path)))
