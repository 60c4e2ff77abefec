"""The tutorial of three laboratories, two on SQLite and one on PostgreSQL, and what it leaves is what it says."""

from __future__ import annotations

import json
import runpy
from contextlib import ExitStack
from pathlib import Path

import networkx as nx
import openpyxl
import pandas as pd
import pytest
from analyst_graphs import check_geojson
from postgresql_server import empty_database, postgresql_server

from ballistics.cli import main
from ballistics.library import LibraryStore

pytestmark = pytest.mark.slow
TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorials" / "5_region.py"


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """Run the tutorial; return its folder, its variables, and what was missed: a server where none can be started."""
    folder, missed = tmp_path_factory.mktemp("region"), ""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        try:
            port = stack.enter_context(postgresql_server())
            patch.setenv("REGION_DATABASE", empty_database(port, patch, folder, "chisinau"))
        except pytest.skip.Exception as skipped:
            missed = str(skipped)
            patch.delenv("REGION_DATABASE", raising=False)
        patch.chdir(folder)
        patch.setenv("REGION_FOLDER", str(folder))
        for name in ("XDG_STATE_HOME", "BALLISTICS_PASSPHRASE", "BALLISTICS_KEY", "BALLISTICS_DATABASES"):
            patch.setenv(name, "")
        said = runpy.run_path(str(TUTORIAL), run_name="story")
        with LibraryStore.open("chisinau") as library:
            said["dialect"] = library.engine.dialect.name
        yield folder, said, missed


def table(path):
    return pd.read_csv(path, encoding="utf-8-sig", keep_default_na=False, dtype=str)


def test_the_hit_on_templates_is_the_mark_of_the_same_firearm_and_was_reported(story):
    folder, said, _ = story
    assert (said["hit"]["rank"], said["hit"]["mark"]["number"]) == (1, 1)
    assert (folder / "from-skopje.x3p").read_bytes() == (folder / "0-0.x3p").read_bytes()
    links = table(folder / "analyst-sarajevo" / "links.csv")
    leads = links[links["class"] == "lead"]
    assert len(leads) == 3
    assert set(leads["link_type"]) <= {"same firearm", "compared"}
    assert any("search of templates" in basis and basis.endswith("given") for basis in leads["basis"])
    assert any("confirmed by A. D." in basis for basis in leads["basis"])
    assert "K-31" in (folder / "report.html").read_text(encoding="utf-8")


def test_the_registry_names_the_stolen_firearm_among_two_thousand(story):
    folder, said, _ = story
    assert said["doubtful"].count("?") == 1
    assert "[" in said["doubtful"]
    (row,) = table(folder / "checked.csv").to_dict("records")
    assert said["number"] == 901
    assert row["firearm"] == "901"
    assert "stolen in Bitola 2026-05" in " ".join(row.values())
    (firearm,) = table(folder / "firearm.csv").to_dict("records")
    assert firearm["serial"] == said["serial"]


def test_the_printed_part_is_found_by_its_signature(story):
    folder, _, _ = story
    (part,) = json.loads((folder / "part.json").read_text(encoding="utf-8"))["files"]
    assert [found["name"] for found in part["accepted"]] == ["Skopje: ring"]
    links = table(folder / "analyst-chisinau" / "links.csv")
    (lead,) = links[links["class"] == "lead"].to_dict("records")
    assert (lead["source_label"], lead["link_type"]) == ("C-5/1: printed part", "same printed design")
    assert lead["target_label"] == "reference Skopje: ring"


def test_the_files_of_the_analysts_open(story):
    folder, _, _ = story
    for lab in ("skopje", "sarajevo", "chisinau"):
        own = folder / f"analyst-{lab}"
        entities, links, events = (table(own / f"{name}.csv") for name in ("entities", "links", "events"))
        graph = nx.read_graphml(own / "graph.graphml", force_multigraph=True)
        assert graph.number_of_nodes() == len(entities) + len(set(events["event_id"]))
        assert set(links["source_id"]) | set(links["target_id"]) <= set(graph.nodes)
        check_geojson(json.loads((own / "map.geojson").read_text(encoding="utf-8")))
    entities = table(folder / "analyst-skopje" / "entities.csv").set_index("label")
    assert entities.loc["Bitola", "latitude_deg"] == "41.03"
    incidents = entities[entities["entity_type"] == "incident"]
    assert list(incidents["date"]) == ["2026-05", "2026-11-08"]
    book = openpyxl.load_workbook(folder / "analyst-skopje" / "statistics.xlsx")
    assert {"type", "calibre", "event", "jurisdiction", "printed", "about"} <= set(book.sheetnames)
    rows = {row[0]: row for row in book["event"].iter_rows(values_only=True)}
    assert (rows["recovered"][-1], rows["stolen"][-1] > 1) == (1, True)
    counts = table(folder / "analyst-skopje" / "statistics.csv")
    recovered = counts[(counts["table"] == "Event") & (counts["value"] == "recovered") & (counts["event"] == "all")]
    assert recovered["number"].tolist() == ["1"]
    page = (folder / "analyst-skopje" / "page.html").read_text(encoding="utf-8")
    assert "contradiction" not in page
    assert "Reporting jurisdiction" in page


def test_an_event_altered_since_is_found(story, capsys):
    folder, _, _ = story
    with LibraryStore.open(folder / "skopje") as library, library.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE registry_events SET \"on\" = '2026-04' WHERE unit = 'Police Bitola'")
    with pytest.raises(SystemExit) as end:
        main(["registry", "verify", str(folder / "skopje"), "--quiet"])
    assert end.value.code == 1
    assert "is not as entry" in capsys.readouterr().out


def test_one_of_the_three_is_kept_on_postgresql(story):
    _, said, missed = story
    if missed:
        pytest.skip(f"the story ran on SQLite alone: {missed}")
    assert said["dialect"] == "postgresql"
