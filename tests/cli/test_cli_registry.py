"""`ballistics registry`: from a register as CSV to a firearm that is reported stolen, as a user would."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from ballistics.cli import main


def run(*arguments, code=0):
    result = CliRunner().invoke(main, ["registry", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory):
    folder = tmp_path_factory.mktemp("registry")
    run("simulate", folder / "their", "--firearms", 300, "--seed", 2)
    with open(folder / "their" / "register.csv", "a", encoding="utf-8") as file:
        file.write('900,P,"=HYPERLINK(1)",M,9x19,ZZ-4711,RS,2001,,,\n901,Q,Colt,M,9x19,1,RS,2001,,,\n')
    run("init", folder / "lab")
    arguments = (
        "import",
        folder / "lab",
        folder / "their" / "register.csv",
        "--mapping",
        folder / "their" / "mapping.yaml",
    )
    assert "would be: 301 new, 1 refused" in run(*arguments, "--dry-run", code=1)
    said = run(*arguments, "--refused", folder / "refused.csv", "--by", "clerk", code=1)
    assert "301 new" in said
    return folder


def test_refused_rows_stand_in_the_report(laboratory):
    assert (laboratory / "refused.csv").read_text("utf-8-sig").splitlines()[1:] == [
        "302,vrsta,Q,kind: the mapping has no word for the code 'Q'"
    ]


def test_find_event_show_check_overdue(laboratory):
    lab = laboratory / "lab"
    (hit,) = json.loads(run("find", lab, "--serial", "ZZ-47l?", "--json"))["hits"]
    assert hit["source_key"] == "900"
    assert hit["reasons"] == ["serial ZZ-4711: place 5 is 1, read as L, which looks alike"]
    firearm = hit["firearm"]
    said = run("event", lab, firearm, "stolen", "--on", "2024-05-17", "--unit", "=Bitola", "--by", "clerk")
    assert "procedure: reported" in said
    event = said.split()[1].rstrip(":")
    assert "OPEN: reported stolen 2024-05-17 by =Bitola" in run("show", lab, firearm)
    (laboratory / "list.csv").write_text("ref;serija\nK1;ZZ 4711\nK2;\n")
    options = ("--column", "serial=serija", "--delimiter", ";", "--csv", laboratory / "checked.csv")
    said = run("check", lab, laboratory / "list.csv", *options, code=1)
    assert f"row 1, ZZ 4711: firearm {firearm} (simulated), reported stolen 2024-05-17 by =Bitola" in said
    assert "rows: 2, with a firearm that is reported: 1" in said
    assert "'=HYPERLINK(1)" in (laboratory / "checked.csv").read_text("utf-8-sig")
    assert "exists already" in run("check", lab, laboratory / "list.csv", *options, code=2)
    late = run(
        "overdue", lab, "--on", "2024-06-01", "--reported-since", "2024", "--csv", laboratory / "late.csv", code=1
    )
    assert "overdue:" in late
    assert ",'=Bitola,reported,2024-05-17,2024-05-19,13," in (laboratory / "late.csv").read_text("utf-8-sig")
    assert "circulate" in run("step", lab, event, "verified", "--on", "2024-05-18")
    assert "may follow" in run("step", lab, event, "returned", code=2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("find", "lab"), "give a serial"),
        (("find", "their", "--serial", "1"), "their is not a library"),
        (("event", "lab", 1, "sold", "--on", "2024", "--unit", "x"), "none of"),
        (("event", "lab", 1, "lost", "--on", "2024", "--unit", "x\u202ey"), "turns the direction"),
        (("show", "lab", 99999), "holds no firearm"),
        (("check", "lab", "refused.csv"), "no column 'serial'"),
        (("init", "lab"), "keeps a registry already"),
    ],
)
def test_what_cannot_be_done_is_said(laboratory, monkeypatch, arguments, said):
    monkeypatch.chdir(laboratory)
    assert said in run(*arguments, code=2)


def test_fields_name_their_laws():
    said = run("fields")
    assert "4(5)(a)" in said
    assert "serial number condition" in said


def test_leads_from_a_list_to_an_outcome(laboratory):
    lab = laboratory / "lab"
    firearm = json.loads(run("find", lab, "--serial", "ZZ4711", "--json"))["hits"][0]["firearm"]
    run("event", lab, firearm, "lost", "--on", "2024", "--unit", "Bitola")
    (laboratory / "found.csv").write_text("serial\nZZ 4711\n")
    run("check", lab, laboratory / "found.csv", "--queue", "--by", "clerk", code=1)
    assert "look at first" in run("leads", "list", lab)
    run("leads", "add", lab, "--class", "printed part", "--from", "disk 3", "--to", "=reference 4")
    run("leads", "move", lab, 1, "taken", "--by", "A. B.")
    assert "say in the note" in run("leads", "move", lab, 1, "confirmed", code=2)
    run("leads", "move", lab, 1, "confirmed", "--note", "report 12/26")
    run("leads", "list", lab, "--csv", laboratory / "leads.csv")
    assert ",'=reference 4," in (laboratory / "leads.csv").read_text("utf-8-sig")
    assert "1.00" in run("leads", "share", lab)


def test_transfers_from_tables_to_the_report(laboratory):
    lab = laboratory / "lab"
    (laboratory / "licences.csv").write_text(
        "licence,kind,origin,destination,category,quantity,issued_on,expires_on,end_user\n"
        "E-1,export,RS,MK,VIII.1,100,2024-01-10,2024-12-31,=<b>Ministry\nE-2,gift,RS,MK,VIII.1,1,2024-01-10,2024-12-31,\n"
    )
    assert "recorded: 1, refused: 1" in run("transfers", "record", lab, laboratory / "licences.csv", code=1)
    (laboratory / "deliveries.csv").write_text("licence,category,quantity,on\nE-1,VIII.1,101,2024-05\n")
    run("transfers", "record", lab, laboratory / "deliveries.csv")
    outputs = ("--report", laboratory / "t.html", "--csv", laboratory / "t.csv")
    said = run("transfers", "report", lab, 2024, *outputs, "--state", "Serbia", code=1)
    assert "101 were delivered, 100 authorised" in said
    assert (laboratory / "t.csv").read_text("utf-8-sig").splitlines()[1].endswith(",MK,100,101,E-1,'=<b>Ministry")
    page = (laboratory / "t.html").read_text("utf-8")
    assert "=&lt;b&gt;Ministry" in page
    assert "<b>Ministry" not in page
    run("transfers", "report", lab, 2024, "--report", laboratory / "again.html", "--state", "Serbia", code=1)
    assert (laboratory / "again.html").read_bytes() == (laboratory / "t.html").read_bytes()
    run("transfers", "report", lab, 1999, "--report", laboratory / "nil.html", code=1)
    assert "a nil report" in (laboratory / "nil.html").read_text("utf-8")


def test_statistics_as_csv_and_workbook(laboratory):
    import openpyxl

    lab = laboratory / "lab"
    outputs = ("--csv", laboratory / "s.csv", "--excel", laboratory / "s.xlsx")
    said = run("statistics", lab, "--since", "1990", "--until", "2030", *outputs)
    count = int(said.split("events: ")[1].split(",")[0])
    assert count >= 1
    book = openpyxl.load_workbook(laboratory / "s.xlsx")
    assert book.sheetnames[:5] == ["type", "calibre", "event", "jurisdiction", "printed"]
    assert sum(row[-1] for row in book["event"].iter_rows(min_row=2, values_only=True)) == count
    assert "ends in .xlsx" in run("statistics", lab, "--since", "1", "--until", "2", "--excel", "s.ods", code=2)
