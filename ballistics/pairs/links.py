"""Clusters of exhibits that may share a firearm: links above a threshold, and no claim where nothing was compared."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import networkx as nx

from ballistics.drawing import counted
from ballistics.errors import CorruptFileError, ParameterError
from ballistics.files import csv_bytes
from ballistics.frames import data_frame
from ballistics.impressions import HEADLINE_RULE
from ballistics.methods import method_of
from ballistics.pairs.file_names import printable
from ballistics.pairs.results import read_columns, read_metadata
from ballistics.pairs.rows import columns, score_columns
from ballistics.provenance import sha256_of_file

if TYPE_CHECKING:
    from pandas import DataFrame

Score = Literal["similarity", "count", "accf", "ccf"]
Relation = Literal["linked", "below the threshold", "insufficient", "failed", "not compared"]

_PUBLISHED_FOR = "breech face"
# The highest similarity of any different-source pair on real breech faces is 125 nats (Ruger SR9, 169 pairs; Fadul's
# slides 51 of 717 pairs). Song 2013 calls two breech faces of one source from six congruent cells on.
DEFAULT_THRESHOLDS: Mapping[str, tuple[float, str]] = {
    "similarity": (150.0, "150 nats, above the 125 that the most alike of 886 different-source pairs reached"),
    "count": (6.0, "C = 6 congruent cells, Song 2013, AFTE Journal 45(2):184; asked of both directions"),
}
# Unrelated lands reach 17 nats on 36 cross-cuts of real bullets (`docs/striations.md`), CMPS 4 of some 24 segments on
# Chen's 30 pairs. Barrels made one after the other may share coarse lines: a wide margin above both.
_STRIATED_FOR = "land engraved area"
_STRIATED_THRESHOLDS: Mapping[str, tuple[float, str]] = {
    "similarity": (60.0, "60 nats, above the 17 that unrelated lands of real bullets reached"),
    "count": (8.0, "8 congruent profile segments, twice what Chen's 30 pairs of unrelated lands reached"),
}
_SCORE_NAMES: Mapping[str, str] = {
    "similarity": "similarity (nats)",
    "count": f"congruent cells ({HEADLINE_RULE} rule, smaller of two directions)",
    "accf": "correlation of the whole marks (ACCF)",
    "ccf": "correlation of the signatures at the best lag",
}
# Pairs grow with the square of the members; a larger cluster is no lead but a sign that the threshold is too low.
LARGEST_LISTED = 300


@dataclass(frozen=True)
class Exhibit:
    """A scan, by the SHA-256 of its file, and what it is called."""

    sha256: str
    name: str


@dataclass(frozen=True)
class PairInCluster:
    """Two members of one cluster, and what is known of the two directly.

    Parameters
    ----------
    a, b : Exhibit
    relation : {"linked", "below the threshold", "insufficient", "failed", "not compared"}
        Only ``linked`` is a lead on this pair.
    score : float or None
        Of their own comparison.
    reason : str
        Why there is no score.
    bridge : bool
        For a link: whether the cluster falls apart without it.
    chain : tuple of Exhibit
        For a pair that is not linked: the strongest chain of links from one to the other.
    weakest : tuple of (Exhibit, Exhibit, float), optional
        The weakest link of that chain.
    """

    a: Exhibit
    b: Exhibit
    relation: Relation
    score: float | None = None
    reason: str = ""
    bridge: bool = False
    chain: tuple[Exhibit, ...] = ()
    weakest: tuple[Exhibit, Exhibit, float] | None = None


@dataclass(frozen=True)
class Cluster:
    """Exhibits that hang together by links.

    Parameters
    ----------
    number : int
        From 1, the largest first.
    members : tuple of Exhibit
        By name.
    links : tuple of PairInCluster
        The pairs that are linked.
    others : tuple of PairInCluster
        The pairs that are not: together only by a chain. Empty in a cluster of more than `LARGEST_LISTED` members.
    unlisted : int
        How many such pairs are not listed.
    weakest : PairInCluster
        The weakest link of the maximum spanning tree: at any higher threshold the cluster falls apart.
    """

    number: int
    members: tuple[Exhibit, ...]
    links: tuple[PairInCluster, ...]
    others: tuple[PairInCluster, ...]
    unlisted: int
    weakest: PairInCluster

    @property
    def pairs(self) -> tuple[PairInCluster, ...]:
        """All listed pairs, by the names of the two."""
        return tuple(sorted((*self.links, *self.others), key=lambda pair: (_order(pair.a), _order(pair.b))))


@dataclass(frozen=True)
class Links:
    """All clusters of a batch.

    Parameters
    ----------
    score : {"similarity", "count", "accf"}
    at_least : float
        The threshold.
    source : str
        Where the threshold comes from.
    clusters : tuple of Cluster
    exhibits, pairs, scored : int
        How many exhibits and pairs the batch holds, and how many pairs have a score.
    metadata : mapping
        What the batch says of itself.
    results_sha256 : str
        Of the batch's file.
    """

    score: Score
    at_least: float
    source: str
    clusters: tuple[Cluster, ...]
    exhibits: int
    pairs: int
    scored: int
    metadata: Mapping[str, Any]
    results_sha256: str

    def to_frame(self) -> DataFrame:
        """Return a row for each listed pair, as ``ballistics links --csv`` writes it; needs the extra ``tables``."""
        return data_frame(dict(zip(TABLE, row, strict=True)) for row in table_rows(self))

    def __repr__(self) -> str:
        return (
            f"<Links: {counted(len(self.clusters), 'cluster')} of {self.exhibits} exhibits, "
            f"{self.score} at least {self.at_least:g}>"
        )

    @property
    def score_name(self) -> str:
        """What the score is called."""
        return _score_name(self.score, self.metadata["mark_kind"])


def _score_name(score: str, mark_kind: str) -> str:
    if score == "count" and method_of(mark_kind).family == "striated":
        return "congruent profile segments (CMPS, smaller of two directions)"
    return _SCORE_NAMES[score]


def published_threshold(mark_kind: str) -> tuple[float, str] | None:
    """Return from which similarity on a pair of a kind of mark is a link, and where that comes from; None if unknown.

    Examples
    --------
    >>> published_threshold("breech face")[0], published_threshold("firing pin")
    (150.0, None)
    """
    known = {_PUBLISHED_FOR: DEFAULT_THRESHOLDS, _STRIATED_FOR: _STRIATED_THRESHOLDS}
    return known.get(mark_kind, {}).get("similarity")


def find_links(results: str | os.PathLike[str], score: Score = "similarity", at_least: float | None = None) -> Links:
    """Find clusters of exhibits, linked by the pairs whose score reaches a threshold; leads, not evidence.

    Parameters
    ----------
    results : path
        The ``.parquet`` table of a batch.
    score : {"similarity", "count", "accf", "ccf"}
        Which score; ``accf`` is the correlation of impressions, ``ccf`` that of striae.
    at_least : float, optional
        Threshold. Default: `DEFAULT_THRESHOLDS`, or those of striated marks; a score without one needs it stated.

    Raises
    ------
    ParameterError
        When no threshold is stated for a score that has none, or the table has no values of the score.
    ReadError
        When the table cannot be read.
    """
    results = Path(results)
    metadata = read_metadata(results)
    kind = metadata["mark_kind"]
    striated = method_of(kind).family == "striated"
    if score not in columns(kind):
        there = ", ".join(score_columns(kind).values())
        raise ParameterError(f"a table of {kind} marks has no score '{score}'; choose one of {there}")
    thresholds, published_for = DEFAULT_THRESHOLDS, _PUBLISHED_FOR
    if striated:
        thresholds, published_for = _STRIATED_THRESHOLDS, _STRIATED_FOR
    if at_least is None and score not in thresholds:
        raise ParameterError(f"there is no default threshold for {_score_name(score, kind)}: state one with --at-least")
    threshold, source = thresholds.get(score, (0.0, ""))
    if at_least is not None:
        threshold, source = at_least, "stated by the user"
    if at_least is None and kind != published_for:
        source += f"; it stands for {published_for} marks, not for {kind} marks"
    graph, names, pairs, scored = _graph(results, score, threshold)
    if pairs and not scored:
        raise ParameterError(f"no pair of {results} has a value of '{score}': choose another score")
    components = sorted(
        (sorted(component, key=lambda key: (names[key], key)) for component in nx.connected_components(graph)),
        key=lambda keys: (-len(keys), names[keys[0]], keys[0]),
    )
    number_of = {key: number for number, keys in enumerate(components, 1) for key in keys}
    direct = _direct(results, score, graph, number_of, {n for n, keys in enumerate(components, 1) if _listed(keys)})
    clusters = tuple(
        _cluster(number, keys, graph.subgraph(keys), names, direct) for number, keys in enumerate(components, 1)
    )
    return Links(score, threshold, source, clusters, len(names), pairs, scored, metadata, sha256_of_file(results))


def _listed(keys: list[str]) -> bool:
    return len(keys) <= LARGEST_LISTED


def _graph(results: Path, score: Score, threshold: float) -> tuple[Any, dict[str, str], int, int]:
    """Read the table once: links as a graph, names of all exhibits, number of pairs and of pairs with a score."""
    names: dict[str, str] = {}
    links: dict[tuple[str, str], float] = {}
    pairs = scored = 0
    for rows in read_columns(results, ["scan_a", "scan_b", "sha256_a", "sha256_b", score]):
        for name_a, name_b, a, b, value in rows:
            if b is None:
                continue
            if not all(isinstance(text, str) for text in (name_a, name_b, a)) or not _is_score(value):
                raise CorruptFileError(
                    f"{results} is damaged: a row of two scans lacks a name, a SHA-256 or a number; run the batch "
                    "again, finished work is kept"
                )
            for key, name in ((a, name_a), (b, name_b)):
                names[key] = min(names.get(key, name), name)
            pairs += 1
            scored += value is not None
            if value is not None and value >= threshold and a != b:
                links[_ordered(a, b)] = value
    graph = nx.Graph()
    # In a fixed order: of equally strong links, the spanning tree takes the first.
    for (a, b), value in sorted(links.items(), key=lambda link: (names[link[0][0]], names[link[0][1]], link[0])):
        graph.add_edge(a, b, score=float(value))
    return graph, names, pairs, scored


def _is_score(value: Any) -> bool:
    return value is None or abs(value) < 1e300


def _direct(
    results: Path, score: Score, graph: Any, number_of: Mapping[str, int], wanted: set[int]
) -> dict[tuple[str, str], tuple[Relation, float | None, str]]:
    """Read the table again: what it says of pairs in one cluster that are not linked."""
    found: dict[tuple[str, str], tuple[Relation, float | None, str]] = {}
    if not wanted:
        return found
    for rows in read_columns(results, ["sha256_a", "sha256_b", score, "insufficient", "error"]):
        for a, b, value, insufficient, error in rows:
            if b is None or a == b or number_of.get(a) is None or number_of.get(a) != number_of.get(b):
                continue
            if number_of[a] not in wanted or graph.has_edge(a, b):
                continue
            if error:
                found[_ordered(a, b)] = "failed", None, error
            elif value is None:
                found[_ordered(a, b)] = "insufficient", None, insufficient or ""
            else:
                found[_ordered(a, b)] = "below the threshold", float(value), ""
    return found


def _cluster(
    number: int,
    keys: list[str],
    graph: Any,
    names: Mapping[str, str],
    direct: Mapping[tuple[str, str], tuple[Relation, float | None, str]],
) -> Cluster:
    exhibits = {key: Exhibit(key, names[key]) for key in keys}
    bridges = {_ordered(a, b) for a, b in nx.bridges(graph)}

    def link(a: str, b: str) -> PairInCluster:
        a, b = sorted((a, b), key=lambda key: (names[key], key))
        return PairInCluster(
            exhibits[a], exhibits[b], "linked", graph.edges[a, b]["score"], bridge=_ordered(a, b) in bridges
        )

    def by_name(pair: PairInCluster) -> tuple[Any, ...]:
        return _order(pair.a), _order(pair.b)

    links = tuple(sorted((link(a, b) for a, b in graph.edges), key=by_name))
    tree = nx.Graph()
    tree.add_nodes_from(keys)
    tree.add_edges_from(nx.maximum_spanning_edges(_in_order(links), weight="score", algorithm="kruskal", data=True))
    weakest = min((link(a, b) for a, b in tree.edges), key=lambda pair: (pair.score or 0.0, by_name(pair)))
    others = len(keys) * (len(keys) - 1) // 2 - len(links)
    if not _listed(keys):
        return Cluster(number, tuple(exhibits[key] for key in keys), links, (), others, weakest)
    listed = []
    for place, a in enumerate(keys):
        chains = _chains(tree, a)
        for b in keys[place + 1 :]:
            if graph.has_edge(a, b):
                continue
            relation, value, reason = direct.get(_ordered(a, b), ("not compared", None, ""))
            chain = chains[b]
            low = min(
                (link(c, d) for c, d in itertools.pairwise(chain)), key=lambda pair: (pair.score or 0.0, by_name(pair))
            )
            assert low.score is not None
            listed.append(
                PairInCluster(
                    exhibits[a],
                    exhibits[b],
                    relation,
                    value,
                    reason,
                    chain=tuple(exhibits[key] for key in chain),
                    weakest=(low.a, low.b, low.score),
                )
            )
    return Cluster(number, tuple(exhibits[key] for key in keys), links, tuple(listed), 0, weakest)


def _in_order(links: Iterable[PairInCluster]) -> Any:
    graph = nx.Graph()
    graph.add_edges_from((pair.a.sha256, pair.b.sha256, {"score": pair.score}) for pair in links)
    return graph


def _chains(tree: Any, start: str) -> dict[str, list[str]]:
    """Return the path to every other exhibit in the maximum spanning tree: none has a stronger weakest link."""
    found: dict[str, list[str]] = nx.single_source_shortest_path(tree, start)
    return found


def _ordered(a: str, b: str) -> tuple[str, str]:
    return (a, b) if a < b else (b, a)


def _order(exhibit: Exhibit) -> tuple[str, str]:
    return exhibit.name, exhibit.sha256


TABLE = (
    "cluster", "scan_a", "scan_b", "sha256_a", "sha256_b", "relation", "score", "reason", "bridge",
    "chain", "weakest_link", "weakest_score",
)  # fmt: skip


def table_rows(links: Links) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of the table, by cluster and name; the columns are `TABLE`."""
    for cluster in links.clusters:
        for pair in cluster.pairs:
            low = pair.weakest
            yield (
                cluster.number,
                pair.a.name,
                pair.b.name,
                pair.a.sha256,
                pair.b.sha256,
                pair.relation,
                pair.score,
                pair.reason,
                "yes" if pair.bridge else "",
                " > ".join(exhibit.name for exhibit in pair.chain),
                "" if low is None else f"{low[0].name} > {low[1].name}",
                None if low is None else low[2],
            )


def links_csv(links: Links) -> bytes:
    """Return the table as CSV."""
    return csv_bytes(TABLE, table_rows(links))


def links_graphml(links: Links) -> bytes:
    """Return the clusters as GraphML: a node for each member, an edge for each link and for nothing else."""
    graph = nx.Graph(
        scored_by=links.score_name, at_least=links.at_least, source=links.source, meaning="leads, not evidence"
    )
    for cluster in links.clusters:
        for member in cluster.members:
            graph.add_node(member.sha256, name=printable(member.name), cluster=cluster.number)
        for pair in cluster.links:
            graph.add_edge(pair.a.sha256, pair.b.sha256, score=pair.score, bridge=pair.bridge)
    return ("\n".join(nx.generate_graphml(graph, named_key_ids=True)) + "\n").encode()
