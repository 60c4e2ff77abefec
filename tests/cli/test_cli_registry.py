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
