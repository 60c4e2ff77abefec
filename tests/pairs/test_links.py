"""Links: what is a cluster, what holds it together, and no word about pairs that nobody compared."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re

import networkx as nx
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from pair_tables import row, write

from ballistics.cli import main
from ballistics.errors import ParameterError, ReadError, UnsupportedFormatError
from ballistics.pairs import links as links_module
from ballistics.pairs.links import find_links, links_csv, links_graphml
from ballistics.reports.pages.links import links_figure, links_report


@pytest.fixture
def results(tmp_path):
    """A chain A – B – C – D with a strong and a weak link, a triangle, and one that hangs on nobody."""
    rows = [
        row("broken", "", error="cannot be opened"),
        row("A", "B", 20),
        row("B", "C", 7),
        row("C", "D", 12),
        row("A", "C", 2),
        row("A", "D", None, "in no pose do the marks overlap by 25 % of the smaller one"),
        # B and D were never compared.
        row("K", "L", 9),
        row("L", "M", 8),
        row("K", "M", 11),
        row("A", "K", 5),
        row("A", "X", 0),
        row("X", "X", None, "both are one and the same file: nothing was compared"),
    ]
    return write(tmp_path / "results.parquet", rows)


def names(exhibits):
    return "".join(exhibit.name for exhibit in exhibits)


def test_the_similarity_links_from_150_nats_on(tmp_path):
    pairs = {"AB": 784.0, "CD": 150.0, "AC": 125.0, "BD": -3.0}
    path = write(tmp_path / "r.parquet", [row(*pair, 3, similarity=nats) for pair, nats in pairs.items()])
    found = find_links(path)
    assert (found.score, found.at_least) == ("similarity", 150.0)
    assert [names(cluster.members) for cluster in found.clusters] == ["AB", "CD"]


def test_clusters_weakest_links_and_what_is_not_known(results):
    found = find_links(results, "count")
    assert (found.at_least, found.exhibits, found.pairs, found.scored) == (6.0, 8, 11, 9)
    assert "Song 2013" in found.source
    chain, triangle = found.clusters
    assert [names(cluster.members) for cluster in found.clusters] == ["ABCD", "KLM"]
    assert {names((pair.a, pair.b)): (pair.score, pair.bridge) for pair in chain.links} == {
        "AB": (20.0, True),
        "BC": (7.0, True),
        "CD": (12.0, True),
    }
    assert names((chain.weakest.a, chain.weakest.b)) == "BC"
    others = {names((pair.a, pair.b)): pair for pair in chain.others}
    assert set(others) == {"AC", "AD", "BD"}
    assert (others["AC"].relation, others["AC"].score) == ("below the threshold", 2.0)
    assert (others["AD"].relation, others["AD"].score) == ("insufficient", None)
    assert others["AD"].reason.startswith("in no pose")
    assert others["BD"].relation == "not compared"
    assert names(others["AD"].chain) == "ABCD"
    assert others["AD"].weakest[2] == 7.0
    assert names(others["BD"].chain) == "BCD"
    # No link of a triangle is needed alone; of its three, the two strongest hold it.
    assert [pair.bridge for pair in triangle.links] == [False] * 3
    assert triangle.weakest.score == 9.0
    assert triangle.others == ()


def test_another_threshold_and_another_score(results):
    assert [names(cluster.members) for cluster in find_links(results, "count", at_least=12).clusters] == ["AB", "CD"]
    assert find_links(results, "count", at_least=100).clusters == ()
    with pytest.raises(ParameterError, match="no default threshold"):
        find_links(results, "accf")
    with pytest.raises(ParameterError, match="no pair"):
        find_links(results, "accf", 0.5)


def test_a_threshold_for_another_kind_of_mark_says_so(tmp_path):
    path = write(tmp_path / "results.parquet", [row("A", "B", 7)], mark_kind="firing pin")
    assert "it stands for breech face marks, not for firing pin marks" in find_links(path, "count").source


@given(st.dictionaries(st.sampled_from(list(itertools.combinations("ABCDEFG", 2))), st.integers(0, 20)))
def test_every_chain_is_the_strongest_and_no_pair_is_claimed(tmp_path_factory, scores):
    path = write(tmp_path_factory.mktemp("links") / "r.parquet", [row(a, b, count) for (a, b), count in scores.items()])
    found = find_links(path, "count") if scores else None
    linked = {pair for pair, count in scores.items() if count >= 6}
    clusters = found.clusters if found else ()
    assert {names((p.a, p.b)) for c in clusters for p in c.links} == {a + b for a, b in linked}
    for cluster in clusters:
        n = len(cluster.members)
        assert len(cluster.links) + len(cluster.others) == n * (n - 1) // 2
        for pair in cluster.others:
            key = (pair.a.name, pair.b.name)
            assert key not in linked
            assert (pair.relation == "not compared") == (key not in scores)
            # The strongest chain by trying every threshold: the highest at which the two still hang together.
            reach = max(
                t
                for t in range(6, 21)
                if connected({p for p, count in scores.items() if count >= t}, pair.a.name, pair.b.name)
            )
            assert pair.weakest[2] == reach
            steps = [scores[tuple(sorted((c.name, d.name)))] for c, d in itertools.pairwise(pair.chain)]
            assert min(steps) == reach


def connected(pairs, a, b):
    reached = {a}
    while True:
        more = {x for pair in pairs for x in pair if reached & set(pair)} - reached
        if not more:
            return b in reached
        reached |= more


def test_order_of_rows_changes_nothing(results, tmp_path):
    import pyarrow.parquet as pq

    rows = [
        {name: "" if value is None and name in TEXTS else value for name, value in row.items()}
        for row in pq.read_table(results).to_pylist()
    ]
    other = write(tmp_path / "other.parquet", rows[::-1])
    first, second = find_links(results, "count"), find_links(other, "count")
    assert links_csv(first) == links_csv(second)
    assert links_graphml(first) == links_graphml(second)


TEXTS = {name for name, value in row("", "").items() if isinstance(value, str)}


def test_the_table_lists_every_pair_of_a_cluster(results):
    rows = list(csv.DictReader(io.StringIO(links_csv(find_links(results, "count")).decode())))
    assert len(rows) == 6 + 3
    by_pair = {(line["scan_a"], line["scan_b"]): line for line in rows}
    assert by_pair["A", "B"]["relation"] == "linked"
    assert by_pair["A", "D"]["chain"] == "A > B > C > D"
    assert by_pair["A", "D"]["weakest_link"] == "B > C"
    assert by_pair["B", "D"]["relation"] == "not compared"


def test_graphml_has_links_and_nothing_else(results):
    text = links_graphml(find_links(results, "count")).decode()
    graph = nx.parse_graphml(text)
    assert sorted(data["name"] for _, data in graph.nodes(data=True)) == list("ABCDKLM")
    assert sorted(data["score"] for *_, data in graph.edges(data=True)) == [7.0, 8.0, 9.0, 11.0, 12.0, 20.0]
    assert "leads, not evidence" in text


def test_page_and_picture_are_the_same_each_time(results):
    from ballistics.reports.figures.evidence import svg_bytes

    found = find_links(results, "count")
    page = links_report(found)
    assert page == links_report(find_links(results, "count"))
    assert svg_bytes(links_figure(found)) == svg_bytes(links_figure(found))
    assert not re.search(r'(src|href)="(?!data:|#|https://doi\.org/)', page)
    for words in (
        "A lead, not evidence.",
        "not compared",
        "compared directly: 2, below the threshold",
        "in no pose do the marks",
    ):
        assert words in page
    assert str(results.parent) not in page
    nothing = links_report(find_links(results, "count", at_least=100))
    assert "No link among 8 exhibits." in nothing
    assert "<img" not in nothing


def test_names_are_text_not_markup(tmp_path):
    path = write(tmp_path / "r.parquet", [row("<b>&\x07.x3p", "[red]B$x_1$", 9)])
    found = find_links(path, "count")
    assert "<b>&" not in links_report(found)
    nx.parse_graphml(links_graphml(found).decode())
    result = CliRunner().invoke(main, ["links", str(path), "--score", "count"])
    assert result.exit_code == 0
    assert "[red]B" in result.output


def test_a_cluster_too_large_for_a_lead_is_not_listed_pair_by_pair(tmp_path, monkeypatch):
    monkeypatch.setattr(links_module, "LARGEST_LISTED", 3)
    path = write(tmp_path / "r.parquet", [row(a, b, 9) for a, b in itertools.pairwise("ABCDE")])
    (cluster,) = find_links(path, "count").clusters
    assert (cluster.others, cluster.unlisted, len(cluster.links)) == ((), 6, 4)
    assert "6 pairs, not listed" in links_report(find_links(path, "count"))


def test_command(results, tmp_path):
    outputs = {
        "--csv": tmp_path / "l.csv",
        "--graphml": tmp_path / "l.graphml",
        "--picture": tmp_path / "l.svg",
        "--report": tmp_path / "l.html",
    }
    arguments = ["links", str(results), "--score", "count", *(str(part) for pair in outputs.items() for part in pair)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert "2 clusters of exhibits that may share a firearm: 7 of 8 exhibits." in result.output
    assert "B – C: 7" in result.output
    assert "Leads, not evidence" in result.output
    assert all(path.stat().st_size for path in outputs.values())
    assert CliRunner().invoke(main, arguments).exit_code == 2
    assert CliRunner().invoke(main, ["links", str(results), "--picture", str(tmp_path / "l.pdf")]).exit_code == 2


def test_files_that_are_no_results(tmp_path):
    (tmp_path / "text.parquet").write_text(json.dumps({"no": "table"}))
    with pytest.raises(UnsupportedFormatError):
        find_links(tmp_path / "text.parquet")
    assert CliRunner().invoke(main, ["links", str(tmp_path / "absent.parquet")]).exit_code == 2


@pytest.mark.slow
def test_every_flipped_bit_of_the_table_is_refused(results):
    whole = results.read_bytes()
    for place in range(0, len(whole), 7):
        data = bytearray(whole)
        data[place] ^= 1 << (place % 8)
        results.write_bytes(data)
        with pytest.raises(ReadError):
            find_links(results, "count")
    results.write_bytes(whole[:-9])
    with pytest.raises(ReadError):
        find_links(results, "count")
    results.write_bytes(whole)
    assert find_links(results, "count").pairs


def test_names_are_no_formulas_for_a_spreadsheet(tmp_path):
    found = find_links(write(tmp_path / "results.parquet", [row("=cmd", "-x", 20)]), "count")
    assert b",'-x,'=cmd," in links_csv(found) or b",'=cmd,'-x," in links_csv(found)
