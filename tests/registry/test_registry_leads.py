"""The queue of leads: what goes in, the way through its states, the share that was confirmed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from library_marks import noise_mark
from registers import new_registry

from ballistics.errors import BallisticsError, ParameterError
from ballistics.library import Description, LibraryStore
from ballistics.registry import (
    STRENGTHS,
    Entry,
    Event,
    Firearm,
    Lead,
    check,
    lead_classes,
    lead_shares,
    leads_of_check,
    leads_of_file,
    leads_of_identification,
    leads_of_links,
    leads_of_search,
    move_lead,
    queue_leads,
    queued_leads,
)
from ballistics.reports import search_json
from ballistics.search.library_search import search

FIRST, NEXT, LATER = STRENGTHS
LEAD = Lead("library search", "K-17", "mark 3", NEXT, "rank 1")


@pytest.fixture
def registry(tmp_path):
    with new_registry(tmp_path) as made:
        yield made


def test_a_lead_from_the_same_to_the_same_is_there_once(registry):
    again = Lead(LEAD.lead_class, LEAD.subject, LEAD.target, FIRST, "another search")
    other = Lead("registry", "K-17", "mark 3", FIRST, "")
    assert queue_leads(registry, [LEAD, again, other], "a") == [1, 1, 2]
    assert [(queued.number, queued.lead) for queued in queued_leads(registry)] == [(2, other), (1, LEAD)]


def test_the_way_of_a_lead(registry):
    queue_leads(registry, [LEAD], "a")
    with pytest.raises(ParameterError, match="taken may follow"):
        move_lead(registry, 1, "confirmed", "2024-05-17", "b", "report 1")
    assert move_lead(registry, 1, "taken", "2024-05-17", "b").taken_by == "b"
    with pytest.raises(ParameterError, match="say in the note"):
        move_lead(registry, 1, "refuted", "2024-05-18", "b")
    done = move_lead(registry, 1, "refuted", "2024-05-18", "b", "report 4")
    assert (done.state, done.taken_by) == ("refuted", "b")
    assert queued_leads(registry, ("open", "taken")) == []
    assert move_lead(registry, 1, "open", "2024-06-01", "c", "new scan").taken_by == ""
    assert [step[0] for step in queued_leads(registry)[0].steps] == ["taken", "refuted", "open"]
    with pytest.raises(ParameterError, match="no lead 9"):
        move_lead(registry, 9, "taken", "2024-06-01", "c")


@pytest.mark.parametrize(
    "given", [("guess", "a", "b", NEXT, ""), ("registry", "a", "b", "a match", ""), ("registry", "", "b", NEXT, "")]
)
def test_what_is_no_lead_is_refused(given):
    with pytest.raises(ParameterError):
        Lead(*given)


def test_strengths_and_what_to_do_claim_nothing():
    for words in (*STRENGTHS, *lead_classes().values()):
        assert not any(word in words.casefold() for word in ("match", "same firearm", "probab", "certain", "identif"))


def test_the_share_that_was_confirmed(registry):
    queue_leads(registry, [Lead("registry", str(n), "x", FIRST, "") for n in range(5)], "a")
    for number, state in ((1, "confirmed"), (2, "confirmed"), (3, "refuted"), (4, None)):
        move_lead(registry, number, "taken", "2024-05-17", "b")
        if state:
            move_lead(registry, number, state, "2024-05-18", "b", "report")
    (row,) = lead_shares(queued_leads(registry))
    assert (row.confirmed, row.refuted, row.undecided) == (2, 1, 2)
    assert row.share == pytest.approx(2 / 3)
    # Clopper and Pearson for 2 of 3, from their table.
    assert (row.low, row.high) == pytest.approx((0.0943, 0.9916), abs=1e-4)
    queue_leads(registry, [LEAD], "a")
    assert lead_shares(queued_leads(registry))[0].share is None


@dataclass
class Found:
    """What a search says of one mark."""

    rank: int
    similarity: float | None
    at_or_above: int | None = None
    percentile: float | None = None
    entry: Any = field(
        default_factory=lambda: SimpleNamespace(id=7, scan="b.x3p", description=Description(incident="12/26"))
    )


def test_leads_of_a_search():
    found = (
        Found(1, 200.0),
        Found(2, 80.0, 0, 100.0),
        Found(3, 40.0, 5, 99.5),
        Found(4, 9.0, 90, 60.0),
        Found(5, None),
    )
    result = SimpleNamespace(leads=found, mark_kind="breech face", n_searched=50, library="ab" * 16, scan="a.x3p")
    made = leads_of_search(result)
    assert [lead.strength for lead in made] == [FIRST, FIRST, NEXT, LATER]
    assert made[0].target == "mark 7 b.x3p, incident 12/26 in library abababab"
    assert made[2].basis == (
        "breech face, rank 3 of 50: similarity 40 nats; 5 known different-source scores are as high"
    )


def test_leads_of_a_printed_part():
    accepted = (
        SimpleNamespace(name="pipe", relation="exact copy", score=1.0),
        SimpleNamespace(name="box", relation="shares a region", score=0.91),
    )
    made = leads_of_identification(SimpleNamespace(accepted=accepted, threshold=0.8), "disk/a.stl")
    assert [(lead.target, lead.strength) for lead in made] == [("reference pipe", FIRST), ("reference box", NEXT)]


def test_leads_of_linked_exhibits():
    def pair(a, b, score):
        return SimpleNamespace(a=SimpleNamespace(name=a), b=SimpleNamespace(name=b), score=score)

    links = SimpleNamespace(
        at_least=150.0,
        clusters=[
            SimpleNamespace(links=(pair("a", "b", 160), pair("a", "c", 400), pair("b", "d", 900), pair("c", "e", 170)))
        ],
    )
    made = leads_of_links(links, {"a": "1/26", "b": "2/26", "c": "2/26", "d": "2/26"})
    assert [(lead.subject, lead.target, lead.strength) for lead in made] == [("incident 1/26", "incident 2/26", FIRST)]
    assert made[0].basis == "a and c: 400, a link from 150"


def test_leads_of_a_list_of_recovered_firearms(registry, tmp_path):
    registry.add("MK", Entry("1", Firearm("pistol", "Застава", "", "", "A-12345")), "clerk")
    registry.report(1, Event("stolen", "2024-05-17", "Bitola"), "clerk")
    (tmp_path / "list.csv").write_text("serial,make\nA12345,Zastava\nA12745,Zastava\n999,\n")
    exact, misread = leads_of_check(check(registry, str(tmp_path / "list.csv"), {}))
    assert (exact.subject, exact.target, exact.strength) == (
        "recovered firearm Zastava A12345",
        "firearm 1, MK 1",
        FIRST,
    )
    assert misread.strength == NEXT
    assert exact.basis.startswith("reported stolen 2024-05-17 by Bitola; serial A-12345")


def test_leads_of_the_file_of_a_search_are_those_of_the_search(tmp_path):
    """The JSON of a real search, and of a real identification, give the leads that their results give."""
    with LibraryStore.create(tmp_path / "library") as store:
        for seed in (1, 2, 3):
            store.enrol(noise_mark(seed), f"{seed}.x3p", Description(incident=f"{seed}/26"))
        result = search(store, noise_mark(2), "q.x3p")
    (tmp_path / "search.json").write_bytes(search_json(result))
    found = leads_of_file(tmp_path / "search.json")
    assert found == leads_of_search(result)
    assert len(found) >= 1


def test_leads_of_the_file_of_an_identification(tmp_path):
    says = {
        "schema": "ballistics/printed/1",
        "files": [
            {"name": "a.stl", "threshold": 0.8, "accepted": [{"name": "pipe", "relation": "exact copy", "score": 1.0}]},
            {"name": "b.stl", "threshold": None, "accepted": []},
        ],
    }
    (tmp_path / "printed.json").write_text(json.dumps(says))
    (lead,) = leads_of_file(tmp_path / "printed.json")
    assert (lead.subject, lead.target, lead.strength) == ("a.stl", "reference pipe", FIRST)
    assert leads_of_file(tmp_path / "printed.json", "disk 3")[0].subject == "disk 3"


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"schema": "ballistics/links/1"}', '{"schema": "ballistics/search/1", "leads": [1]}',
             '{"schema": "ballistics/printed/1", "files": [{"name": "a", "threshold": 1, "accepted": [{"name": ""}]}]}']
)  # fmt: skip
def test_a_file_without_leads_is_refused(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(BallisticsError):
        leads_of_file(tmp_path / "x.json")
