"""Leads of the queue and firearms of a registry in the analysts' graph, and the table of places."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ballistics.errors import BallisticsError
from ballistics.exchange import (
    FOUND_AT,
    AnalystGraph,
    Entity,
    Link,
    chains,
    joined,
    leads_graph,
    located,
    read_places,
    registry_graph,
)
from ballistics.registry import Entry, Event, Firearm, Lead, Registry, move_lead, queue_leads, queued_leads

FIREARM = Firearm("pistol", "Zastava", "M70", "7.65 mm", "A-12345")
KNOWN = AnalystGraph(
    (
        Entity("lab/item/C-5/2", "firearm", "C-5/2: firearm"),
        Entity("lab/incident/I-5", "incident", "I-5: seizure", "2026-11"),
        Entity("lab/place/1", "place", "Bitola", "", 41.0, 21.3),
    ),
    (Link("found", "lab/item/C-5/2", "lab/incident/I-5", FOUND_AT),),
)


@pytest.fixture
def registry(tmp_path):
    with Registry.create(tmp_path / "lab") as made:
        number = made.add("MK", Entry("17", FIREARM), "AD")
        made.report(number, Event("stolen", "2026-05", "Police", "BITOLA"), "AD")
        lost = made.report(number, Event("lost", "2026-06", "Police"), "AD")
        made.report(number, Event("found", "2026-07", "Police", supersedes=lost), "AD")
        leads = [
            Lead("registry", "C-5/2", "firearm 1, MK 17", "look at first", "serial fits"),
            Lead("registry", "recovered firearm X", "firearm 99, MK 99", "look at next", ""),
            Lead("shared incident", "incident I-5", "incident I-9", "look at next", ""),
            Lead("printed part", "a.stl", "reference 4711", "look at next", ""),
        ]
        numbers = queue_leads(made, leads, "AD")
        for state in ("taken", "refuted"):
            move_lead(made, numbers[3], state, "2026-12-01", "AD", "report 3")
        yield made


def with_leads(registry, only_known=False):
    graph = joined([KNOWN, registry_graph(registry.records([1, 99]), "lab", KNOWN)])
    firearms = {1: "lab/firearm/MK/17"}
    return joined([graph, leads_graph(queued_leads(registry), graph, "lab", {}, firearms, only_known)])


def test_a_theft_and_a_seizure_are_one_chain_through_a_lead(registry):
    graph = with_leads(registry)
    (chain,) = chains(graph)
    assert [step.incident.label for step in chain.steps] == [
        "stolen: Zastava M70 A-12345",
        "found: Zastava M70 A-12345",
        "I-5: seizure",
    ]
    assert not chain.contradicts
    assert chains(graph, leads=False) == ()
    assert {link.target for link in graph.links if link.kind == "at place"} == {"lab/place/1"}
    links = {link.id: link for link in graph.links if link.link_class == "lead"}
    assert links["lab/lead/4"].kind == "refuted lead"
    assert links["lab/lead/4"].basis.startswith("lead 4, look at next, refuted by AD")
    assert (links["lab/lead/3"].source, links["lab/lead/1"].target) == ("lab/incident/I-5", "lab/firearm/MK/17")


def test_two_known_firearms_that_no_lead_calls_one_contradict(registry):
    graph = with_leads(registry)
    links = [replace(link, kind="same firearm") if link.id == "lab/lead/1" else link for link in graph.links]
    (chain,) = chains(replace(graph, links=tuple(links)))
    assert chain.contradicts


def test_of_chosen_cases_only_leads_that_touch_them_leave(registry):
    found = {link.id for link in with_leads(registry, only_known=True).links if link.link_class == "lead"}
    assert found == {"lab/lead/1", "lab/lead/3"}


def test_places_without_coordinates_get_them_from_a_table(tmp_path):
    table = tmp_path / "places.csv"
    table.write_text("place,latitude_deg,longitude_deg\nbitola ,41.5,21.5\nOhrid,41.1,20.8\n", encoding="utf-8-sig")
    graph = AnalystGraph((*KNOWN.entities, Entity("o", "place", "OHRID")))
    where = {entity.label: entity.position for entity in located(graph, read_places(table)).of_kind("place")}
    assert where == {"Bitola": (41.0, 21.3), "OHRID": (41.1, 20.8)}


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"place,latitude_deg\nA,1\n", "no column 'longitude_deg'"),
        (b"place,latitude_deg,longitude_deg\nA,x,1\n", "line 2: latitude and longitude are numbers"),
        (b"place,latitude_deg,longitude_deg\nA,nan,1\n", "line 2: nan, 1 are no latitude"),
        (b"place,latitude_deg,longitude_deg\nA,91,1\n", "line 2: 91, 1 are no latitude"),
        (b"place,latitude_deg,longitude_deg\nA,1\n", "line 2"),
        (b"place,latitude_deg,longitude_deg\nA,1,1\nA,1,2\n", "line 3: 'a' is given twice"),
        (b"place\xff", "is no text in UTF-8"),
    ],
)
def test_a_table_of_places_that_is_none_is_refused(tmp_path, content, match):
    (tmp_path / "p.csv").write_bytes(content)
    with pytest.raises(BallisticsError, match=match):
        read_places(tmp_path / "p.csv")
