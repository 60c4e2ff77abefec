"""The analysts' page: graph, map and timeline of incidents, exhibits and firearms, in one file without any network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ballistics.errors import CorruptFileError
from ballistics.exchange import AnalystGraph, Chain, Entity, Link, chains, first_day, last_day, positions
from ballistics.registry import Statistics
from ballistics.reports.pages.rendering import rendered

#: More would not be read in one picture; the tables, GraphML and GeoJSON have all.
MOST_DRAWN = 400
LIMITS = (
    ("A lead says where to look.", "It is no opinion that two exhibits share a firearm. Only a link that is marked "
     "evaluative carries a likelihood ratio, and only for its own two ends."),
    ("Links do not add up.", "When A is linked to B and B to C, nothing follows for A and C: a chain is an order in "
     "which to examine, and is as weak as the link that holds it together."),
    ("What is missing is not absent.", "The page shows what was recorded and exported. An incident without a link may "
     "have one that nobody has looked for."),
    ("Places are as they were recorded.", "An exhibit without coordinates of its own is shown at its incident; a date "
     "that is known only to the month or year is drawn as a bar over all days it may mean."),
)  # fmt: skip

_COLUMNS = (("organisation", "place"), ("incident",), ("exhibit", "printed part"), ("firearm",))
_COLUMN_TITLES = ("places and organisations", "incidents", "exhibits and printed parts", "firearms")
_ROW, _COLUMN, _TOP, _BOX = 30.0, 285.0, 46.0, 205.0
_LABEL = 28
_MAP_WIDTH, _MAP_LEAST, _MAP_MOST, _MAP_MARGIN = 1060.0, 320.0, 760.0, 56.0
_LANE, _TIME_LEFT, _TIME_WIDTH = 34.0, 250.0, 800.0
_SWEEPS = 6
_KM_A_DEGREE = 111.2


@dataclass(frozen=True)
class Box:
    """A node of the drawn graph."""

    entity: Entity
    x: float
    y: float
    label: str


@dataclass(frozen=True)
class Curve:
    """A link of the drawn graph, as the path of an SVG."""

    link: Link
    path: str
    label: str


@dataclass(frozen=True)
class Spot:
    """A point of the map: everything that is there."""

    entities: tuple[Entity, ...]
    x: float
    y: float
    radius: float
    label: str


@dataclass(frozen=True)
class Bar:
    """Something on the timeline: a dot, or a bar where the day is not known exactly."""

    entity: str
    x: float
    width: float
    label: str
    lead: bool


def analyst_page(graph: AnalystGraph, title: str, outlines: Any = None, statistics: Statistics | None = None) -> str:
    """Return the page as the text of one HTML file; the same graph gives the same bytes.

    Parameters
    ----------
    graph : AnalystGraph
    title : str
        What the page is about.
    outlines : mapping, optional
        GeoJSON of borders or coasts that the map shows behind the points, as `json.load` returns it; lines and
        polygons are drawn, nothing is loaded from anywhere.
    statistics : Statistics, optional
        Of a registry, in the columns of the Focal Points.

    Raises
    ------
    CorruptFileError
        When the outlines are not GeoJSON.
    """
    found = chains(graph)
    drawn = _drawn(graph, found)
    lines = outline_lines(outlines)
    return rendered(
        "analyst.html",
        ["analyst.js"],
        {"days": _days},
        {
            "title": title,
            "graph": graph,
            "chains": found,
            "sure": {chain.members for chain in chains(graph, leads=False)},
            "limits": LIMITS,
            "network": _network(drawn),
            "not_drawn": len(graph.entities) - len(drawn.entities),
            "map": _map(graph, lines),
            "time": _timeline(graph, found),
            "labels": {entity.id: entity.label for entity in graph.entities},
            "statistics": statistics,
        },
    )


def outline_lines(outlines: Any) -> list[list[tuple[float, float]]]:
    """Return the lines of a GeoJSON as latitude and longitude in degrees.

    Raises
    ------
    CorruptFileError
        When it is not GeoJSON, or a coordinate is none.
    """
    lines: list[list[tuple[float, float]]] = []

    def walk(node: Any, depth: int) -> None:
        if not isinstance(node, dict) or depth > 8:
            raise CorruptFileError("the outlines are not GeoJSON: features of lines and polygons are needed")
        kind = node.get("type")
        if kind in ("FeatureCollection", "GeometryCollection"):
            for inner in node.get("features" if kind == "FeatureCollection" else "geometries") or []:
                walk(inner, depth + 1)
        elif kind == "Feature":
            if node.get("geometry") is not None:
                walk(node["geometry"], depth + 1)
        elif kind in _NESTING:
            _collect(node.get("coordinates"), _NESTING[kind], lines)
        elif kind not in ("Point", "MultiPoint"):
            raise CorruptFileError(f"the outlines hold '{str(kind)[:40]}', which is nothing of GeoJSON")

    if outlines is not None:
        walk(outlines, 0)
    return lines


_NESTING = {"LineString": 0, "MultiLineString": 1, "Polygon": 1, "MultiPolygon": 2}


def _collect(coordinates: Any, nesting: int, lines: list[list[tuple[float, float]]]) -> None:
    if not isinstance(coordinates, list):
        raise CorruptFileError("the outlines hold a line without coordinates")
    if nesting:
        for inner in coordinates:
            _collect(inner, nesting - 1, lines)
        return
    line = []
    for point in coordinates:
        if not isinstance(point, list) or len(point) < 2 or not all(type(v) in (int, float) for v in point[:2]):
            raise CorruptFileError("the outlines hold a point that is not longitude and latitude")
        longitude, latitude = float(point[0]), float(point[1])
        if abs(latitude) > 90.0 or abs(longitude) > 180.0:
            raise CorruptFileError("the outlines are not in degrees of longitude and latitude (WGS 84)")
        line.append((latitude, longitude))
    lines.append(line)


def _drawn(graph: AnalystGraph, found: Sequence[Chain]) -> AnalystGraph:
    """Return the part of a graph that is drawn: all of a small one, what is in or beside a chain of a large one."""
    if len(graph.entities) <= MOST_DRAWN:
        return graph
    chosen: dict[str, None] = {}
    for chain in found:
        chosen |= dict.fromkeys((*chain.members, *(step.incident.id for step in chain.steps)))
    chosen |= dict.fromkeys(entity.id for entity in graph.entities)
    kept = set(list(chosen)[:MOST_DRAWN])
    return AnalystGraph(
        tuple(entity for entity in graph.entities if entity.id in kept),
        tuple(link for link in graph.links if {link.source, link.target} <= kept),
    )


def _network(graph: AnalystGraph) -> dict[str, Any]:
    """Lay the entities out in columns by kind, neighbours near each other, without any random start."""
    column_of = {kind: k for k, kinds in enumerate(_COLUMNS) for kind in kinds}
    columns: list[list[Entity]] = [[] for _ in _COLUMNS]
    for entity in sorted(graph.entities, key=lambda e: (first_day(e.date), e.id)):
        columns[column_of[entity.kind]].append(entity)
    neighbours: dict[str, list[str]] = {entity.id: [] for entity in graph.entities}
    for link in graph.links:
        neighbours[link.source].append(link.target)
        neighbours[link.target].append(link.source)
    place = {entity.id: k / max(len(column), 1) for column in columns for k, entity in enumerate(column)}
    for _ in range(_SWEEPS):
        for k, column in enumerate(columns):
            if k == 1:
                continue  # incidents stay in their order in time
            column.sort(key=lambda e: (_middle(e.id, neighbours, place), e.id))
            place |= {entity.id: row / max(len(column), 1) for row, entity in enumerate(column)}
    rows = max((len(column) for column in columns), default=0)
    boxes = {
        entity.id: Box(
            entity,
            20.0 + _COLUMN * k,
            round(_TOP + _ROW * (row + (rows - len(column)) / 2.0), 1),
            _short(entity.label),
        )
        for k, column in enumerate(columns)
        for row, entity in enumerate(column)
    }
    return {
        "boxes": list(boxes.values()),
        "curves": [_curve(link, boxes) for link in graph.links],
        "width": 20.0 + _COLUMN * len(_COLUMNS),
        "height": _TOP + _ROW * max(rows, 1) + 12.0,
        "box": _BOX,
        "titles": [(20.0 + _COLUMN * k, title) for k, title in enumerate(_COLUMN_TITLES) if columns[k]],
    }


def _middle(identifier: str, neighbours: Mapping[str, list[str]], place: Mapping[str, float]) -> float:
    own = [place[other] for other in neighbours[identifier]]
    return round(sum(own) / len(own), 6) if own else 2.0


def _curve(link: Link, boxes: Mapping[str, Box]) -> Curve:
    a, b = sorted((boxes[link.source], boxes[link.target]), key=lambda box: (box.x, box.y, box.entity.id))
    start = (a.x + _BOX, a.y + 11.0)
    end = (b.x if b.x > a.x else b.x + _BOX, b.y + 11.0)
    bend = (end[0] - start[0]) / 2.0 if b.x > a.x else 18.0 + min(50.0, abs(b.y - a.y) / 6.0)
    far = end[0] - bend if b.x > a.x else end[0] + bend
    path = f"M{start[0]:g} {start[1]:g}C{start[0] + bend:g} {start[1]:g} {far:g} {end[1]:g} {end[0]:g} {end[1]:g}"
    return Curve(link, path, _link_label(link, boxes[link.source].entity.label, boxes[link.target].entity.label))


def _link_label(link: Link, source: str, target: str) -> str:
    ratio = "" if link.log10_lr is None else f", log10 LR {link.log10_lr:.2f}"
    return f"{source} – {link.kind} – {target}: {link.link_class}{ratio}" + (f" ({link.basis})" if link.basis else "")


def _short(label: str) -> str:
    return label if len(label) <= _LABEL else label[: _LABEL - 1] + "…"


def _map(graph: AnalystGraph, lines: Sequence[Sequence[tuple[float, float]]]) -> dict[str, Any] | None:
    """Project what has a position onto a plane: longitudes shortened by the cosine of the middle latitude."""
    where = positions(graph)
    of = {entity.id: entity for entity in graph.entities}
    if not where:
        return None
    latitudes, longitudes = zip(*where.values(), strict=True)
    south, north = min(latitudes), max(latitudes)
    west, east = min(longitudes), max(longitudes)
    shrink = max(math.cos(math.radians((south + north) / 2.0)), 0.05)
    # A single place is shown with some land around it.
    span = max((east - west) * shrink, (north - south) * 1.4, 0.2)
    scale = (_MAP_WIDTH - 2.0 * _MAP_MARGIN) / span
    height = min(max((north - south) * scale + 2.0 * _MAP_MARGIN, _MAP_LEAST), _MAP_MOST)
    scale = min(scale, (height - 2.0 * _MAP_MARGIN) / max(north - south, 1e-9))
    middle = ((south + north) / 2.0, (west + east) / 2.0)

    def xy(position: tuple[float, float]) -> tuple[float, float]:
        x = _MAP_WIDTH / 2.0 + (position[1] - middle[1]) * shrink * scale
        return round(x, 1), round(height / 2.0 - (position[0] - middle[0]) * scale, 1)

    together: dict[tuple[float, float], list[Entity]] = {}
    for identifier, position in where.items():
        together.setdefault(xy(position), []).append(of[identifier])
    spots = [
        Spot(tuple(there), *point, round(5.0 + 2.0 * math.sqrt(len(there)), 1), _spot_label(there))
        for point, there in sorted(together.items())
    ]
    links = [
        (link, *xy(where[link.source]), *xy(where[link.target]))
        for link in graph.links
        if link.source in where and link.target in where and xy(where[link.source]) != xy(where[link.target])
    ]
    km = _round_number(140.0 / scale * _KM_A_DEGREE)
    return {
        "width": _MAP_WIDTH,
        "height": height,
        "spots": spots,
        "links": links,
        "outlines": ["M" + "L".join("{:g} {:g}".format(*xy(point)) for point in line) for line in lines if line],
        "km": f"{km:g}",
        "bar": round(km / _KM_A_DEGREE * scale, 1),
        "grid": _grid(middle, shrink, scale, height),
    }


def _spot_label(there: Sequence[Entity]) -> str:
    first = next((e for kind in ("place", "incident") for e in there if e.kind == kind), there[0])
    return _short(first.label) + (f" +{len(there) - 1}" if len(there) > 1 else "")


def _grid(middle: tuple[float, float], shrink: float, scale: float, height: float) -> list[dict[str, Any]]:
    step = _round_number(180.0 / scale)
    made = []
    for k in range(-40, 41):
        latitude = (math.floor(middle[0] / step) + k) * step
        y = height / 2.0 - (latitude - middle[0]) * scale
        if 0.0 < y < height and abs(latitude) <= 90.0:
            made.append(
                {"across": True, "at": round(y, 1), "label": f"{abs(latitude):g}° {'N' if latitude >= 0 else 'S'}"}
            )
        longitude = (math.floor(middle[1] / step) + k) * step
        x = _MAP_WIDTH / 2.0 + (longitude - middle[1]) * shrink * scale
        if 0.0 < x < _MAP_WIDTH and abs(longitude) <= 180.0:
            label = f"{abs(longitude):g}° {'E' if longitude >= 0 else 'W'}"
            made.append({"across": False, "at": round(x, 1), "label": label})
    return made


def _round_number(value: float) -> float:
    """Return the largest of 1, 2, 5 times a power of ten that is not above a value."""
    power = 10.0 ** math.floor(math.log10(value))
    return float(f"{next(k for k in (5.0, 2.0, 1.0) if k * power <= value * 1.000001) * power:g}")


def _timeline(graph: AnalystGraph, found: Sequence[Chain]) -> dict[str, Any] | None:
    dated = [entity for entity in graph.of_kind("incident") if entity.date]
    events = [event for event in graph.events if event.date]
    dates = [*(entity.date for entity in dated), *(event.date for event in events)]
    days = [day for when in dates for day in (first_day(when), last_day(when))]
    if not days:
        return None
    start, end = (date.fromisoformat(day).toordinal() for day in (min(days), max(days)))
    length = max(end - start, 30)
    start -= max(1, length // 40)
    scale = _TIME_WIDTH / (length * 1.05 + 2.0)

    def bar(identifier: str, when: str, label: str, lead: bool) -> Bar:
        first, last = (date.fromisoformat(day).toordinal() for day in (first_day(when), last_day(when)))
        x = _TIME_LEFT + (first - start + 0.5) * scale
        return Bar(identifier, round(x, 1), round((last - first) * scale, 1), f"{when}: {label}", lead)

    lanes: list[tuple[str, list[Bar]]] = []
    in_chain: set[str] = set()
    for chain in found:
        in_chain |= {step.incident.id for step in chain.steps}
        steps = [step for step in chain.steps if step.incident.date]
        if steps:
            bars = [bar(s.incident.id, s.incident.date, s.incident.label, s.lead_only) for s in steps]
            lanes.append((chain_name(chain), bars))
    others = [entity for entity in dated if entity.id not in in_chain]
    if others:
        lanes.append(("incidents in no chain", [bar(e.id, e.date, e.label, False) for e in others]))
    for kind in sorted({event.kind for event in events}):
        own = [event for event in events if event.kind == kind]
        lanes.append((kind, [bar("\n".join(e.entities), e.date, e.label, False) for e in own]))
    return {
        "lanes": [(round(_LANE * (k + 0.5) + 8.0, 1), _short(name), bars) for k, (name, bars) in enumerate(lanes)],
        "height": _LANE * len(lanes) + 44.0,
        "width": _TIME_LEFT + _TIME_WIDTH + 20.0,
        "left": _TIME_LEFT,
        "ticks": _ticks(start, start + round(_TIME_WIDTH / scale), scale),
    }


def _ticks(start: int, end: int, scale: float) -> list[tuple[float, str]]:
    """Return where months or years begin, some 80 points apart or more."""
    first, last = date.fromordinal(start), date.fromordinal(end)
    months = [date(year, month, 1) for year in range(first.year, last.year + 1) for month in range(1, 13)]
    months = [day for day in months if start <= day.toordinal() <= end]
    step = next((k for k in (1, 2, 3, 6, 12, 24, 60, 120) if k * 30.4 * scale >= 80.0), 240)
    ticks = [day for day in months if ((day.year * 12 + day.month - 1) % step) == 0]
    return [
        (round(_TIME_LEFT + (day.toordinal() - start) * scale, 1), f"{day.year}" if step >= 12 else f"{day:%Y-%m}")
        for day in ticks
    ]


def chain_name(chain: Chain) -> str:
    """Return what a chain is called: by its firearms, or by what is linked without one."""
    if chain.firearms:
        return " / ".join(firearm.label for firearm in chain.firearms)
    return f"no firearm known: {len(chain.members)} exhibits"


def _days(when: str) -> str:
    return when or "date not known"
