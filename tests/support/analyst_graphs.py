"""A graph for the tests of what analysts get: incidents in three countries, exhibits, firearms, leads and ratios."""

from __future__ import annotations

from ballistics.exchange import AT_PLACE, FOUND_AT, INVOLVED, SAME_FIREARM, AnalystGraph, Entity, Event, Link

PLACES = (
    ("place/1", "Bit Pazar, Скопје", 42.0041, 21.4356),
    ("place/2", "Baščaršija, Sarajevo", 43.8596, 18.4311),
    ("place/3", "Shkodër, near the bridge", 42.0511, 19.4897),
)
INCIDENTS = (
    ("incident/1", "K-17 shooting", "2026-03-04", "place/1"),
    ("incident/2", "K-31 robbery", "2026-07", "place/2"),
    ("incident/3", "K-08 burglary (theft of a firearm)", "2025-11-28/2025-11-30", "place/3"),
    ("incident/4", 'K-44 "shots fired"', "2026-09-12T21:40Z", None),
)


def analyst_graph():
    """Return the graph of a firearm stolen in one country and used in two others, and of an incident apart."""
    entities = [Entity(i, "place", label, "", lat, lon) for i, label, lat, lon in PLACES]
    links, number = [], 0
    for incident, label, date, place in INCIDENTS:
        entities.append(Entity(incident, "incident", label, date, fields={"jurisdiction": "MK"}))
        if place:
            links.append(Link(f"link/{incident}", incident, place, AT_PLACE))
    for incident, _, _, _ in INCIDENTS:
        if incident == "incident/3":
            continue
        number += 1
        exhibit = f"exhibit/{number}"
        entities.append(
            Entity(exhibit, "exhibit", f"cartridge case {number}", fields={"calibre": "9 mm Luger", "kind": "brass"})
        )
        links.append(Link(f"link/{exhibit}", exhibit, incident, FOUND_AT))
    entities.append(Entity("firearm/1", "firearm", "pistol, serial 12?456", fields={"make": "Zastava", "year": 1998}))
    links += [
        Link("link/stolen", "firearm/1", "incident/3", INVOLVED, basis="register of stolen firearms"),
        Link("link/lr", "exhibit/1", "firearm/1", SAME_FIREARM, "evaluative", 4.21, "report R-3"),
        Link("link/lead", "exhibit/2", "exhibit/1", SAME_FIREARM, "lead", basis="search of 2026-11-30, rank 1"),
    ]
    events = [
        Event("event/1", "stolen", "reported stolen", "2025-11-30", ("firearm/1",)),
        Event("event/2", "seized", "seized at the border", "2026-10", ("firearm/1", "exhibit/1")),
    ]
    return AnalystGraph(tuple(entities), tuple(links), tuple(events))


OUTLINES = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[20.4, 41.5], [22.9, 41.3], [22.4, 42.3], [20.9, 42.1], [20.4, 41.5]]],
            },
        },
        {"type": "Feature", "properties": {}, "geometry": {"type": "LineString", "coordinates": [[18, 42], [19, 43]]}},
    ],
}


def check_geojson(content):
    """Check what RFC 7946 asks of a collection of points and lines."""
    assert content["type"] == "FeatureCollection"
    identifiers = [feature["id"] for feature in content["features"]]
    assert len(set(identifiers)) == len(identifiers)
    for feature in content["features"]:
        assert set(feature) == {"type", "id", "geometry", "properties"}
        assert feature["type"] == "Feature"
        assert isinstance(feature["properties"], dict)
        geometry = feature["geometry"]
        points = [geometry["coordinates"]] if geometry["type"] == "Point" else geometry["coordinates"]
        assert geometry["type"] in ("Point", "LineString")
        assert len(points) >= (1 if geometry["type"] == "Point" else 2)
        for longitude, latitude in points:
            assert -180 <= longitude <= 180
            assert -90 <= latitude <= 90
