"""Clusters of exhibits as a picture and as an HTML page: leads, each with what holds it together and what does not."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import matplotlib
import networkx as nx
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ballistics.pairs import Cluster, Exhibit, LinkedMarks, Links, PairInCluster, printable
from ballistics.reports.figures.evidence import svg_data_uri
from ballistics.reports.figures.pair_pictures import pair_pictures
from ballistics.reports.figures.pictures import Picture
from ballistics.reports.wording.comparison import source_of
from ballistics.reports.wording.striation import kind_in_plural
from ballistics.reports.wording.values import coordinate_text

# More would not be read in one picture or on one page; the table and the GraphML have all.
DRAWN, SHOWN = 24, 100
_COLUMNS = 3
_LONGEST_NAME = 22
_MOST_NAMES, _MOST_LAID_OUT = 8, 40
# With more links than this, numbers at the lines hide each other.
_NUMBERED_LINKS = 12
_LINK, _BRIDGE, _BELOW = "#0b5fa5", "#d1600a", "#777777"
_FONT = {"font.family": "DejaVu Sans", "svg.fonttype": "path", "svg.hashsalt": "ballistics"}

LIMITS = (
    ("A lead, not evidence.", "A link says where to look. Whether two exhibits share a firearm is for an examiner, who "
     "compares the marks; nothing on this page is a probability or an opinion."),
    ("Chance grows with the number of pairs.", "Among many thousands of pairs some agree by chance; the threshold "
     "comes from studies of far fewer. No error rate is known for a collection like this one."),
    ("No link through others.", "When A is linked to B and B to C, nothing follows for A and C. Each cluster lists its "
     "pairs that are not linked, with their own comparison or the word that there was none."),
    ("No link is no exclusion.", "Marks wear, are damaged, or show little; exhibits of one firearm may stand in no "
     "cluster, and files that could not be read are in none."),
)  # fmt: skip


def links_figure(links: Links) -> Figure:
    """Draw the largest clusters; the same links give the same picture.

    Circles are exhibits, numbered in the order of the cluster's members. Lines are links, the stronger the wider;
    dashed lines are links without which a cluster falls apart; in small clusters, dotted ones are pairs that were
    compared and are not linked.
    """
    drawn = links.clusters[:DRAWN]
    rows = max(1, math.ceil(len(drawn) / _COLUMNS))
    columns = max(1, min(_COLUMNS, len(drawn)))
    with matplotlib.rc_context(_FONT):
        figure = Figure(figsize=(4.2 * max(columns, 2), 3.6 * rows + 0.5), layout="constrained")
        FigureCanvasAgg(figure)
        scores = [pair.score or 0.0 for cluster in drawn for pair in cluster.links]
        strongest = max([*scores, 1e-9])
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes in grid.flat:
            axes.set_axis_off()
        for axes, cluster in zip(grid.flat, drawn, strict=False):
            _draw(axes, cluster, links, strongest)
        handles = [
            Line2D([], [], color=_LINK, linewidth=2.5, label="link"),
            Line2D(
                [], [], color=_BRIDGE, linewidth=2.5, linestyle="--", label="link that alone holds two parts together"
            ),
            Line2D([], [], color=_BELOW, linewidth=1.0, linestyle=":", label="compared, not linked"),
        ]
        if drawn:
            figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=8)
        else:
            grid[0, 0].text(0.5, 0.5, "no link", ha="center", va="center", fontsize=12)
    return figure


def _draw(axes: Axes, cluster: Cluster, links: Links, strongest: float) -> None:
    places = _places(cluster)
    axes.set_title(f"cluster {cluster.number}: {len(cluster.members)} exhibits", fontsize=10)
    axes.set_xlim(-1.45, 1.45)
    axes.set_ylim(-1.3, 1.3)
    numbered = len(cluster.links) <= _NUMBERED_LINKS
    for pair in cluster.others if len(cluster.others) <= _NUMBERED_LINKS else ():
        if pair.relation == "below the threshold":
            _line(axes, places, pair, color=_BELOW, linewidth=1.0, linestyle=":", zorder=1)
            if numbered:
                _number(axes, places, pair, links, _BELOW)
    for pair in cluster.links:
        width = 1.0 + 3.0 * max(pair.score or 0.0, 0.0) / strongest
        style = {"color": _BRIDGE, "linestyle": "--"} if pair.bridge else {"color": _LINK, "linestyle": "-"}
        _line(axes, places, pair, linewidth=width, zorder=2, **style)
        if numbered:
            _number(axes, places, pair, links, style["color"])
    x, y = zip(*places.values(), strict=True)
    axes.scatter(x, y, s=130, color="white", edgecolors="#1b2430", linewidths=1.2, zorder=6)
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85}
    for number, member in enumerate(cluster.members, 1):
        px, py = places[member]
        axes.text(px, py, str(number), ha="center", va="center", fontsize=7, zorder=7)
        if len(cluster.members) <= _MOST_NAMES:
            name = _short(member.name)
            label: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 7, "bbox": box, "parse_math": False}
            axes.text(px, py + math.copysign(0.19, py), name, zorder=5, **label)


def _places(cluster: Cluster) -> dict[Exhibit, tuple[float, float]]:
    """Lay out the members without a random start.

    Few stand on a circle, where no line hides another; very many too, because no layout would show more.
    """
    members = cluster.members
    n = len(members)
    circle = {
        member: (math.cos(2.0 * math.pi * k / n + 0.3), math.sin(2.0 * math.pi * k / n + 0.3))
        for k, member in enumerate(members)
    }
    if not _MOST_NAMES < n <= _MOST_LAID_OUT:
        return circle
    graph = nx.Graph()
    graph.add_nodes_from(members)
    graph.add_edges_from((pair.a, pair.b) for pair in cluster.links)
    layout = nx.kamada_kawai_layout(graph, pos=circle)
    positions = np.array([layout[member] for member in members])
    positions -= (positions.max(axis=0) + positions.min(axis=0)) / 2.0
    positions /= max(float(np.abs(positions).max()), 1e-9)
    # A hair of difference between two machines must not show.
    return {member: (round(float(x), 3), round(float(y), 3)) for member, (x, y) in zip(members, positions, strict=True)}


def _line(axes: Axes, places: dict[Exhibit, tuple[float, float]], pair: PairInCluster, **style: Any) -> None:
    (ax, ay), (bx, by) = places[pair.a], places[pair.b]
    axes.plot([ax, bx], [ay, by], **style)


def _number(
    axes: Axes, places: dict[Exhibit, tuple[float, float]], pair: PairInCluster, links: Links, colour: str
) -> None:
    (ax, ay), (bx, by) = places[pair.a], places[pair.b]
    # Off the middle, where the lines of a square would cross.
    x, y = 0.58 * ax + 0.42 * bx, 0.58 * ay + 0.42 * by
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
    axes.text(
        x, y, link_score_text(pair.score, links), ha="center", va="center", fontsize=7, color=colour, bbox=box, zorder=5
    )


def _short(name: str) -> str:
    """Return a name that fits, its middle left out."""
    name, half = printable(name), (_LONGEST_NAME - 1) // 2
    return name if len(name) <= _LONGEST_NAME else f"{name[:half]}…{name[-half:]}"


def link_score_text(score: float | None, links: Links) -> str:
    """Return a score with the digits it has."""
    if score is None:
        return "–"
    return (
        f"{score:.0f}" if links.score == "count" else f"{score:.1f}" if links.score == "similarity" else f"{score:.3f}"
    )


def relation_text(pair: PairInCluster, links: Links) -> str:
    """Return in words what is known directly of two members that are not linked."""
    if pair.relation == "below the threshold":
        return f"compared directly: {link_score_text(pair.score, links)}, below the threshold"
    if pair.relation == "insufficient":
        return f"compared directly: insufficient ({pair.reason})"
    if pair.relation == "failed":
        return f"comparison failed ({pair.reason})"
    return "not compared"


def others_text(cluster: Cluster) -> str:
    """Return how many pairs of a cluster are not linked, and what is known of them."""
    if cluster.unlisted:
        return f"{cluster.unlisted} pairs, not listed: the cluster is too large for a lead; raise the threshold"
    counts: Counter[str] = Counter(pair.relation for pair in cluster.others)
    words = {
        "below the threshold": "compared, below the threshold",
        "insufficient": "insufficient",
        "failed": "failed",
        "not compared": "not compared",
    }
    return ", ".join(f"{counts[name]} {text}" for name, text in words.items() if counts[name]) or "none"


def headline(links: Links) -> str:
    """Return the result in one sentence."""
    if not links.clusters:
        return f"No link among {links.exhibits} exhibits."
    members = sum(len(cluster.members) for cluster in links.clusters)
    number = len(links.clusters)
    return (
        f"{number} {'cluster' if number == 1 else 'clusters'} of exhibits that may share a firearm: {members} of "
        f"{links.exhibits} exhibits."
    )


@dataclass(frozen=True)
class _Edge:
    """A linked pair to look at; the pictures lie on one frame, and are None where there are no marks."""

    pair: PairInCluster
    numbers: tuple[int, int]
    pictures: tuple[Picture, Picture] | None


def _edges(cluster: Cluster, marks: Mapping[tuple[str, str], LinkedMarks]) -> list[_Edge]:
    """Return the links of a cluster, the strongest first."""
    number_of = {member: number for number, member in enumerate(cluster.members, 1)}
    links = sorted(cluster.links, key=lambda pair: (-(pair.score or 0.0), pair.a.name, pair.b.name))
    edges = []
    for pair in links:
        found = marks.get((pair.a.sha256, pair.b.sha256))
        pictures = None if found is None else pair_pictures(found.a, found.b, found.pose)
        edges.append(_Edge(pair, (number_of[pair.a], number_of[pair.b]), pictures))
    return edges


def links_report(links: Links, marks: Mapping[tuple[str, str], LinkedMarks] | None = None) -> str:
    """Return the page as the text of one HTML file; the same links and marks give the same bytes.

    Parameters
    ----------
    links : Links
    marks : mapping of (str, str) to LinkedMarks, optional
        The marks of linked pairs, see `ballistics.pairs.linked_marks`; pairs without are shown without pictures.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("ballistics.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["source"] = source_of
    environment.filters["in_plural"] = kind_in_plural
    environment.globals["score"] = lambda value: link_score_text(value, links)
    environment.globals["relation"] = lambda pair: relation_text(pair, links)
    environment.globals["others_text"] = others_text
    environment.filters["u"] = coordinate_text
    metadata = links.metadata
    # Two exhibits are two dots: their pictures say more.
    larger = tuple(cluster for cluster in links.clusters if len(cluster.members) > 2)
    return environment.get_template("links.html").render(
        links=links,
        score_name=links.score_name,
        headline=headline(links),
        picture=svg_data_uri(links_figure(replace(links, clusters=larger))) if larger else "",
        not_drawn=max(0, len(larger) - DRAWN),
        clusters=links.clusters[:SHOWN],
        edges={cluster.number: _edges(cluster, marks or {}) for cluster in links.clusters[:SHOWN]},
        drawn=bool(larger),
        not_shown=max(0, len(links.clusters) - SHOWN),
        limits=LIMITS,
        method_rows=(
            ("Score", links.score_name),
            ("Threshold", f"at least {links.at_least:g} ({links.source})"),
            ("Compared", f"{metadata['design']}: {links.pairs} pairs, {links.scored} with a score"),
            ("Files that took part in nothing", str(metadata["left_out"])),
            *([("Caution", str(metadata["caution"]))] if "caution" in metadata else []),
            ("Mark", metadata["mark_kind"]),
            ("Method", f"{metadata['method']}, version {metadata['method_version']}"),
            ("SHA-256 of the parameters", metadata["parameters_sha256"]),
            ("SHA-256 of the table of results", links.results_sha256),
        ),
        references=metadata["references"],
        versions=metadata["versions"],
    )
