"""The analysts' graph as GraphML, for Gephi, yEd, Cytoscape and networkx, and as GeoJSON, for maps (RFC 7946)."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import networkx as nx

from ballistics.exchange.analyst.graph import AnalystGraph

# What XML 1.0 has no form for.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# A millionth of a degree is a tenth of a metre.
_DECIMALS = 6


def graphml(graph: AnalystGraph) -> bytes:
    """Return the graph as GraphML: entities and events are nodes, links and what an event is about are edges."""
    made = nx.MultiDiGraph()
    for entity in graph.entities:
        own = {f"field_{name}": value for name, value in entity.fields.items()}
        made.add_node(
            entity.id,
            **_stated(
                node="entity",
                kind=entity.kind,
                label=entity.label,
                date=entity.date,
                latitude_deg=entity.latitude_deg,
                longitude_deg=entity.longitude_deg,
                **own,
            ),
        )
    for event in graph.events:
        made.add_node(event.id, **_stated(node="event", kind=event.kind, label=event.label, date=event.date))
        for end in event.entities:
            made.add_edge(event.id, end, key=f"{event.id} {end}", **_stated(kind="about", link_class="fact"))
    for link in graph.links:
        stated = _stated(
            kind=link.kind, link_class=link.link_class, log10_lr=link.log10_lr, basis=link.basis, date=link.date
        )
        made.add_edge(link.source, link.target, key=link.id, **stated)
    data = io.BytesIO()
    nx.write_graphml(made, data, named_key_ids=True)
    return data.getvalue() + b"\n"


def geojson(graph: AnalystGraph) -> bytes:
    """Return what has a position as GeoJSON: entities as points, links between two points as lines.

    An entity without a position that is linked to a place as a fact is shown there.
    """
    places = positions(graph)
    features: list[dict[str, Any]] = []
    for entity in graph.entities:
        if entity.id in places:
            said = _stated(entity_type=entity.kind, label=entity.label, date=entity.date, **entity.fields)
            features.append(_feature(entity.id, "Point", _coordinates(places[entity.id]), said))
    for link in graph.links:
        ends = [places.get(end) for end in (link.source, link.target)]
        if None not in ends and ends[0] != ends[1]:
            said = _stated(link_type=link.kind, link_class=link.link_class, log10_lr=link.log10_lr, basis=link.basis)
            line = [_coordinates(end) for end in ends if end is not None]
            features.append(_feature(link.id, "LineString", line, {**said, "from": link.source, "to": link.target}))
    content = {"type": "FeatureCollection", "features": features}
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")


def positions(graph: AnalystGraph) -> dict[str, tuple[float, float]]:
    """Return latitude and longitude by entity: its own, or that of what it is linked to as a fact, nearest first."""
    found = {entity.id: entity.position for entity in graph.entities if entity.position is not None}
    kinds = {entity.id: entity.kind for entity in graph.entities}
    neighbours: dict[str, list[str]] = {}
    for link in graph.links:
        # A firearm or an organisation is not where an exhibit of it was found.
        if link.link_class == "fact":
            for here, there in ((link.source, link.target), (link.target, link.source)):
                if kinds[there] in ("incident", "place") and kinds[here] in ("incident", "exhibit", "printed part"):
                    neighbours.setdefault(here, []).append(there)
    # From place to incident, from incident to exhibit.
    for _ in range(2):
        for here, others in sorted(neighbours.items()):
            known = [found[end] for end in sorted(others) if end in found]
            if here not in found and known:
                found[here] = known[0]
    return found


def _stated(**values: Any) -> dict[str, Any]:
    """Return the values that say something, as XML and JSON can hold them."""
    return {
        name: _NOT_XML.sub("�", value) if isinstance(value, str) else value
        for name, value in values.items()
        if value is not None and value != ""
    }


def _coordinates(position: tuple[float, float]) -> list[float]:
    latitude, longitude = position
    return [round(longitude, _DECIMALS), round(latitude, _DECIMALS)]


def _feature(identifier: str, kind: str, coordinates: Any, properties: dict[str, Any]) -> dict[str, Any]:
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "id": identifier, "geometry": geometry, "properties": properties}
