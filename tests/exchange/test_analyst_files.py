"""What analysts open: tables in pandas, GraphML in networkx, GeoJSON by its standard, chains in their order."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import networkx as nx
import pandas as pd
import pytest
from analyst_graphs import INCIDENTS, analyst_graph, check_geojson
from hypothesis import given
from hypothesis import strategies as st

from ballistics.errors import ParameterError
from ballistics.exchange import (
    FOUND_AT,
    SAME_FIREARM,
    AnalystGraph,
    Entity,
    Event,
    Link,
    chains,
    entities_csv,
    events_csv,
    first_day,
    geojson,
    graphml,
    joined,
    last_day,
    links_csv,
)


@pytest.fixture(scope="module")
def graph():
    return analyst_graph()


def read(data):
    assert data.startswith(b"\xef\xbb\xbf")
    return pd.read_csv(io.BytesIO(data), encoding="utf-8-sig", keep_default_na=False, dtype=str)


def test_the_tables_open_with_a_record_on_each_line(graph):
    entities, links, events = (read(table(graph)) for table in (entities_csv, links_csv, events_csv))
    assert list(entities["entity_id"]) == [entity.id for entity in graph.entities]
    assert set(links["source_id"]) | set(links["target_id"]) <= set(entities["entity_id"])
    ratio = links[links["class"] == "evaluative"].iloc[0]
    assert (ratio["log10_lr"], ratio["source_label"], ratio["target_type"]) == ("4.21", "cartridge case 1", "firearm")
    assert list(links.loc[links["class"] != "evaluative", "log10_lr"].unique()) == [""]
    assert list(events["event_id"]) == ["event/1", "event/2", "event/2"]
    places = entities.set_index("entity_id")
    assert places.loc["place/1", "label"] == "Bit Pazar, Скопје"
    assert list(places.loc["incident/2", ["date", "first_day", "last_day"]]) == ["2026-07", "2026-07-01", "2026-07-31"]
    for table in (entities_csv, links_csv, events_csv):
        assert table(graph).count(b"\n") == len(read(table(graph))) + 1


def test_a_text_cannot_make_a_record_or_a_formula_of_itself():
    entity = Entity("e/1", "exhibit", "=HYPERLINK(1)\r\nsecond line", fields={"note": "a\nb"})
    data = entities_csv(AnalystGraph((entity,)))
    assert data.count(b"\n") == 2
    (row,) = read(data).to_dict("records")
    assert (row["label"], row["note"]) == ("'=HYPERLINK(1) second line", "a b")


def test_networkx_opens_the_graphml(graph):
    found = nx.read_graphml(io.BytesIO(graphml(graph)), force_multigraph=True)
    assert found.number_of_nodes() == len(graph.entities) + len(graph.events)
    assert found.number_of_edges() == len(graph.links) + sum(len(event.entities) for event in graph.events)
    edge = found.get_edge_data("exhibit/1", "firearm/1")
    assert edge == {
        "link/lr": {"kind": SAME_FIREARM, "link_class": "evaluative", "log10_lr": 4.21, "basis": "report R-3"}
    }
    assert found.nodes["place/1"]["latitude_deg"] == 42.0041
    assert found.nodes["firearm/1"]["field_year"] == 1998
    assert graphml(graph) == graphml(analyst_graph())


def test_graphml_holds_whatever_a_label_holds():
    entity = Entity("e/1", "exhibit", 'a\x00b <&"\ud800')
    assert nx.read_graphml(io.BytesIO(graphml(AnalystGraph((entity,))))).nodes["e/1"]["label"] == 'a�b <&"�'


def test_the_geojson_is_one(graph):
    content = json.loads(geojson(graph))
    check_geojson(content)
    of = {feature["id"]: feature for feature in content["features"]}
    assert of["place/2"]["geometry"] == {"type": "Point", "coordinates": [18.4311, 43.8596]}
    # An exhibit is shown at its incident, a firearm nowhere; the lead joins two places.
    assert of["exhibit/1"]["geometry"] == of["place/1"]["geometry"]
    assert "firearm/1" not in of
    assert "incident/4" not in of
    assert of["link/lead"]["geometry"]["coordinates"] == [[18.4311, 43.8596], [21.4356, 42.0041]]


def test_a_chain_is_in_the_order_of_time_and_says_what_holds_it_together(graph):
    (chain,) = chains(graph)
    assert [step.incident.id for step in chain.steps] == ["incident/3", "incident/1", "incident/2"]
    assert [step.lead_only for step in chain.steps] == [False, False, True]
    assert [firearm.id for firearm in chain.firearms] == ["firearm/1"]
    (sure,) = chains(graph, leads=False)
    assert [step.incident.id for step in sure.steps] == ["incident/3", "incident/1"]


def test_a_ratio_below_one_connects_nothing(graph):
    links = [replace(link, log10_lr=-2.0) if link.id == "link/lr" else link for link in graph.links]
    other = replace(graph, links=tuple(links))
    assert chains(other, leads=False) == ()
    (chain,) = chains(other)
    assert [step.incident.id for step in chain.steps] == ["incident/1", "incident/2"]


def test_incidents_without_a_date_come_last():
    incidents = [Entity(f"i{k}", "incident", f"i{k}", date) for k, date in enumerate(("", "2026", "2025-12-31"))]
    exhibits = [Entity(f"e{k}", "exhibit", f"e{k}") for k in range(3)]
    found = [Link(f"f{k}", f"e{k}", f"i{k}", FOUND_AT) for k in range(3)]
    leads = [Link(f"l{k}", "e0", f"e{k}", SAME_FIREARM, "lead") for k in (1, 2)]
    (chain,) = chains(AnalystGraph((*incidents, *exhibits), (*found, *leads)))
    assert [step.incident.id for step in chain.steps] == ["i2", "i1", "i0"]
    assert chain.firearms == ()


E1, I1 = Entity("e", "exhibit", "e"), Entity("i", "incident", "i")


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: AnalystGraph((E1, E1)), "given twice"),
        (lambda: AnalystGraph((replace(E1, id=""),)), "is empty"),
        (lambda: AnalystGraph((E1,), (Link("l", "e", "x", FOUND_AT),)), "names 'x', which is no entity"),
        (lambda: AnalystGraph((E1, I1), (Link("l", "e", "i", FOUND_AT, "lead", 3.0),)), "only an evaluative link"),
        (lambda: AnalystGraph((E1, I1), (Link("l", "e", "i", FOUND_AT, "evaluative", float("inf")),)), "likelihood"),
        (lambda: AnalystGraph((E1, I1), (Link("l", "e", "i", FOUND_AT, "maybe"),)), "class is none of"),
        (lambda: AnalystGraph((replace(I1, date="30.11.2026"),)), "not a date of ISO 8601"),
        (lambda: AnalystGraph((replace(I1, date="2026-02-30"),)), "is no date"),
        (lambda: AnalystGraph((replace(I1, date="2026-05/2026-03"),)), "ends before it begins"),
        (lambda: AnalystGraph((replace(I1, latitude_deg=42.0),)), "half a position"),
        (lambda: AnalystGraph((replace(I1, latitude_deg=142.0, longitude_deg=21.0),)), "no latitude or longitude"),
        (lambda: AnalystGraph((E1,), (), (Event("v", "lost", "", "2026", ("x",)),)), "which is no entity"),
        (lambda: AnalystGraph((replace(E1, kind="person"),)), "kind is none of"),
        (lambda: AnalystGraph((replace(E1, fields={"label": "x"}),)), "must not be called 'label'"),
        (lambda: joined([AnalystGraph((E1,)), AnalystGraph((replace(E1, label="other"),))]), "two different things"),
    ],
)
def test_a_graph_that_contradicts_itself_is_refused(make, match):
    with pytest.raises(ParameterError, match=match):
        make()


def test_joined_graphs_keep_what_they_share_once(graph):
    assert joined([graph, graph]) == graph


@given(st.dates(), st.sampled_from([4, 7, 10]))
def test_the_days_that_a_date_may_mean(day, digits):
    text = day.isoformat()[:digits]
    assert first_day(text) <= day.isoformat() <= last_day(text)
    assert (first_day(text)[:digits], last_day(text)[:digits]) == (text, text)


def test_there_is_an_incident_of_every_kind_of_date():
    assert {len(date) for _, _, date, _ in INCIDENTS} == {7, 10, 17, 21}
