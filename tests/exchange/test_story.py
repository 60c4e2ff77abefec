"""The page on the exchange, command by command: two laboratories, a hit on templates alone, the scan, the analysts."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from ballistics.cli import main
from ballistics.surfaces import simulate_population, write_x3p

# Its fixture alone costs seconds.
pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[2] / "docs" / "exchange.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"```\n(.*?)```", PAGE, re.S) for line in block.splitlines() if line]
CASE = (
    "case add case sarajevo K-31 --title Shooting --requester Police --request ? --purpose lead --received 2026-11-01",
    "case add incident sarajevo I-1 --case K-31 --kind shooting --date 2026-10-31 --place Ilidža --latitude-deg 43.83"
    " --longitude-deg 18.31",
    "case add item sarajevo K-31/1 --case K-31 --kind 'cartridge case' --description brass --incident I-1",
    "quality add instrument sarajevo M-1 --make M --model X --serial 7 --kind confocal",
    "case add scan sarajevo K-31/1/S --case K-31 --item K-31/1 --mark 'breech face' --instrument M-1 --at 2026-11-02"
    " --by A --file K-31.x3p",
)
ROLES = "--role custodian --role examiner --role 'quality manager'"


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Run every command of the page, in its order, and return what each has said."""
    folder = tmp_path_factory.mktemp("story")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        patch.setenv("BALLISTICS_PASSPHRASE", "correct horse battery")
        for head in simulate_population(2, 2, 3, breech_faces=["granular"]):
            write_x3p(folder / f"{head.firearm_id}-{head.shot_id}.x3p", head.surface)
        (folder / "0-1.x3p").rename(folder / "K-31.x3p")
        public = run("case key make key.json").split()[-1]
        patch.setenv("BALLISTICS_KEY", "key.json")
        for name in ("skopje", "sarajevo"):
            run(f"library create {name}")
            run(f"case begin {name} --name {name.capitalize()} --operator AD --operator-name A")
        run(f"case key take-in sarajevo {public} --operator AD --name A {ROLES}")
        for command in CASE:
            run(command)
        run("library enrol skopje 0-0.x3p 1-0.x3p --calibre '9 mm Luger' --incident secret-17 --quiet")
        yield dict(steps())


def run(command):
    done = CliRunner().invoke(main, shlex.split(command))
    assert done.exit_code == 0, f"{command}\n{done.output}"
    return done.output


def steps():
    known = {}
    for line in COMMANDS:
        command = line.split("  #")[0].strip().removeprefix("ballistics ")
        for word, value in known.items():
            command = command.replace(word, value)
        said = run(command)
        yield line.split("  #")[0].strip(), said
        if " card " in command:
            laboratory = command.split()[2].upper()
            known[f"FINGERPRINT-OF-{laboratory}"] = said.rpartition(": ")[2].strip()
        if command.startswith("exchange search"):
            lead = json.loads(Path("leads.json").read_text())["leads"][0]
            known |= {"PACKAGE": lead["package"], "--mark MARK": f"--mark {lead['mark']['number']}"}
        if command.startswith("exchange request"):
            known["REQUEST"] = said.split()[1]
        if command.startswith("exchange answer"):
            known["ANSWER"] = said.split()[1].rstrip(":")


def said(told, beginning):
    (found,) = [text for command, text in told.items() if command.startswith(f"ballistics {beginning}")]
    return found


def test_every_command_of_the_page_runs(told):
    assert len(told) == len(COMMANDS) >= 18


def test_the_hit_is_the_mark_of_the_same_firearm(told):
    assert re.search(r"1\s*│\s*Skopje\s*│\s*\w{8}\s*│\s*1\s*│", said(told, "exchange search"))
    assert "no opinion on source" in said(told, "exchange search")
    assert "secret-17" not in said(told, "exchange search")


def test_the_logs_of_both_hold_and_the_withdrawn_package_is_listed_as_such(told):
    assert "withdrawn by the partner" in said(told, "exchange list")
    assert "given" in said(told, "exchange list")
    assert "in use" in said(told, "exchange list")


def test_what_analysts_get_opens_and_holds_the_lead_of_the_other_country(told):
    assert "entities: " in said(told, "analyst")
    entities, links = (pd.read_csv(f"for-analysts/{name}.csv", keep_default_na=False) for name in ("entities", "links"))
    assert set(entities["entity_type"]) == {"incident", "place", "exhibit", "organisation"}
    (lead,) = links[links["class"] == "lead"].to_dict("records")
    assert (lead["source_label"], lead["link_type"]) == ("K-31/1: cartridge case", "same firearm")
    assert re.fullmatch(r"Skopje: mark 1 of \w{8}", lead["target_label"])
    assert lead["log10_lr"] == ""
    assert re.fullmatch(r"search of templates, request \w{8}: given", lead["basis"])
    assert "Ilidža" in Path("for-analysts/page.html").read_text(encoding="utf-8")
