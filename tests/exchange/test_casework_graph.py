"""What casework gives to analysts and to CASE/UCO: every record once, and nothing of a blind case before its time."""

from __future__ import annotations

import json

import pytest

from ballistics.casework import Case, Casebook, Comparison, Incident, Instrument, Item, Scan, Transfer
from ballistics.exchange import SAME_FIREARM, case_uco, casework_graph, chains, graphml
from ballistics.library import LibraryStore
from ballistics.records import SigningKey

SAID = {"requester": "Police", "request": "One firearm?", "purpose": "lead", "received": "2026-11-01"}


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """Two cases with an incident and an exhibit each, compared; the second is examined blind."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    folder = tmp_path_factory.mktemp("casework")
    LibraryStore.create(folder / "lab").close()
    key = SigningKey(Ed25519PrivateKey.generate())
    with pytest.MonkeyPatch.context() as patch, Casebook.open(folder / "lab") as book:
        patch.setenv("XDG_STATE_HOME", str(folder))
        book.begin(key, "AD", "A", {"name": "Лабораторија <Скопје>"})
        roles = ("custodian", "examiner", "quality manager")
        book.take_in(key, key.public, "AD", "A", roles)
        book.record(key, Instrument("M-1", make="M", model="X", serial="7", kind="confocal"))
        for k, blind in ((1, False), (2, True)):
            case = f"C-{k}"
            book.record(key, Case(case, title="Find", blind=blind, **SAID))
            place = {"latitude_deg": 41.9, "longitude_deg": 21.4} if k == 1 else {}
            book.record(
                key,
                Incident(f"I-{k}", case=case, kind="shooting", date=f"2026-10-0{k}", place="Скопје, street", **place),
            )
            for n in (1, 2):
                item, scan = f"C-{k}/{n}", f"C-{k}/{n}/S"
                described = {"kind": "cartridge case", "description": "brass", "calibre": "9 mm Luger"}
                book.record(key, Item(item, case=case, incident=f"I-{k}", found_on="2026-10-03", **described))
                kept = book.files.keep_bytes(scan.encode())
                measured = {"mark": "breech face", "instrument": "M-1", "at": "2026-10-05T10:30", "by": "A"}
                book.record(key, Scan(scan, case=case, item=item, file=kept, name=f"{n}.x3p", **measured))
            result = book.files.keep_bytes(b"{}")
            made = {"mark": "breech face", "method": "accf", "version": "1", "score": 512.25, "log10_lr": 3.5}
            scans = (f"C-{k}/1/S", f"C-{k}/2/S")
            book.record(key, Comparison(f"V-{k}", case=case, scans=scans, result=result, **made))
            given = {"event": "received", "at": "2026-10-04T09:00", "place": "intake", "by": "A"}
            book.record(key, Transfer(f"T-{k}", case=case, items=(f"C-{k}/1",), **given))
        yield book


def test_every_record_is_there_once_and_a_comparison_without_a_report_is_a_lead(book):
    graph = casework_graph(book)
    kinds = [entity.kind for entity in graph.entities]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {"incident": 2, "place": 2, "exhibit": 4}
    of = {link.basis: link for link in graph.links if link.link_class != "fact"}
    assert (of["comparison V-1"].kind, of["comparison V-1"].link_class) == (SAME_FIREARM, "lead")
    assert of["comparison V-1"].log10_lr is None
    assert len(graph.events) == 2
    assert graph == casework_graph(book)
    assert chains(graph) == ()  # both exhibits are of one incident


def test_which_way_the_score_of_a_blind_case_points_is_not_told(book):
    (link,) = [link for link in casework_graph(book).links if link.basis == "comparison V-2"]
    assert link.kind == "compared"
    text = case_uco(book).decode()
    assert text.count("512.25") == 1
    assert text.count("likelihood ratio 3.50") == 1


def test_only_the_chosen_cases_leave(book):
    graph = casework_graph(book, ["C-1"])
    assert not any("C-2" in entity.id or "I-2" in entity.id for entity in graph.entities)
    assert b"C-2" not in graphml(graph)
    assert b"C-2" not in case_uco(book, ["C-1"])


def test_the_bundle_states_items_hashes_actions_and_results(book):
    content = json.loads(case_uco(book))
    nodes = content["@graph"]
    assert case_uco(book) == case_uco(book)
    identifiers = [node["@id"] for node in nodes]
    assert len(set(identifiers)) == len(identifiers)
    types = [node["@type"] for node in nodes]
    assert types.count("case-investigation:Investigation") == 2
    assert types.count("uco-core:Item") == 4
    hashes = [
        facet["uco-observable:hash"][0]["uco-types:hashValue"]["@value"]
        for node in nodes
        if node["@type"] == "uco-observable:File"
        for facet in node["uco-core:hasFacet"]
        if "uco-observable:hash" in facet
    ]
    assert len(hashes) == 6
    assert all(len(value) == 64 for value in hashes)
    said = {node["uco-core:name"] for node in nodes if node["@type"] == "case-investigation:InvestigativeAction"}
    assert said == {"recovered", "received", "measured", "compared"}
    # Whatever a node refers to is in the bundle.
    text = json.dumps(nodes)
    for node in nodes:
        for value in node.values():
            for reference in value if isinstance(value, list) else [value]:
                if isinstance(reference, dict) and set(reference) == {"@id"}:
                    assert reference["@id"] in identifiers
    assert "Лабораторија <Скопје>" in json.loads(text)[1]["uco-core:name"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of rdflib
@pytest.mark.slow
def test_the_bundle_conforms_to_the_shapes_of_case_and_uco(book, tmp_path):
    validation = pytest.importorskip(
        "case_utils.case_validate",
        reason="no case-utils: the bundle is not held against the shapes of CASE",
    )
    path = tmp_path / "case.jsonld"
    path.write_bytes(case_uco(book))
    found = validation.validate([str(path)], case_version="case-1.4.0")
    assert found.conforms, found.text
    assert found.undefined_concepts == set()
    broken = path.read_text(encoding="utf-8").replace("xsd:decimal", "xsd:string")
    path.write_text(broken, encoding="utf-8")
    assert not validation.validate([str(path)], case_version="case-1.4.0").conforms
