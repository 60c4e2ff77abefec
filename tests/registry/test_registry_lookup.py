"""Lookup where the right answers are known, and in a simulated registry against a plain search of all rows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from property_tests import examples

from ballistics.errors import ParameterError
from ballistics.registry import Component, Entry, Firearm, Names, Question, Registry, simulated_rows
from ballistics.registry.ranking import Candidate, agreement
from ballistics.registry.serials import read_pattern
from ballistics.registry.simulation import KINDS

FIREARMS = (
    Firearm("pistol", "Застава", "М70", "7,65 мм", "Б-12345"),
    Firearm("pistol", "Zastava", "M57", "7.62 TT", "А 112233"),
    Firearm("pistol", "Beretta", "92", "9 Para", "F80125Z", components=(Component("barrel", "X-4477"),)),
    Firearm("revolver", "Smith & Wesson", "", ".38 Special", "81?345", serial_condition="obliterated"),
    Firearm("pistol", "ČZ", "50", "7.65 Browning", "667788"),
    Firearm("pistol", "Beretta", "92", "9x19", "F80129Z"),
)


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    with Registry.create(tmp_path_factory.mktemp("registry") / "laboratory") as made:
        made.add_many("MK", [Entry(str(n), firearm) for n, firearm in enumerate(FIREARMS)], "first", "clerk", Names())
        yield made


def first(registry, *asked):
    return [hit.source_key for hit in registry.find(Question(*asked)).hits]


@pytest.mark.parametrize(
    ("asked", "right"),
    [
        (("F80125Z", "Beretta"), "2"),
        (("F80125Z",), "2"),
        (("f-8o1252", "Берета"), "2"),  # look-alikes, Cyrillic
        (("F8012?Z", "Beretta", "", "9 mm Luger"), "2"),
        (("*25Z",), "2"),
        (("F801*", "Beretta"), "2"),
        (("?????5Z",), "2"),
        (("X4477",), "2"),  # of the barrel
        (("6 12345", "Zastava"), "0"),  # Cyrillic Б looks like 6
        (("B12345", "Zastava"), "0"),  # and sounds like B
        (("A112233", "Crvena Zastava", "", "7.62 x 25"), "1"),
        (("A112323", "Zastava"), "1"),  # two neighbours exchanged
        (("A112932", "Zastava"), "1"),  # two characters misread
        (("818345", "Smit i Veson"), "3"),  # unknown in the record
        (("667788", "Česká zbrojovka", "CZ 50"), "4"),
        (("667788", "Чешка збројовка"), "4"),
        (("", "Beretta", "", "9 Luger"), "2"),
        (("F8?129Z", "Beretta"), "5"),
    ],
)
def test_the_right_firearm_is_first(registry, asked, right):
    assert first(registry, *asked)[0] == right


def test_reasons_are_in_words(registry):
    (hit, *_) = registry.find(Question("F8O12SZ", "Берета", "92", "9 mm Luger")).hits
    assert hit.reasons == (
        "serial F80125Z: place 3 is 0, read as O, which looks alike; place 6 is 5, read as S, which looks alike",
        "make Beretta: Берета in another script or spelling",
        "model 92 is the same",
        "calibre 9 Para: another name of 9 mm Luger",
    )


def test_a_component_says_so(registry):
    assert registry.find(Question("X-4477")).hits[0].reasons == (
        "serial X-4477 is the same, character by character (of its barrel)",
    )


@pytest.mark.parametrize(
    ("question", "limit"),
    [(Question(), 10), (Question(model="92"), 10), (Question("F80125Z"), 0), (Question("F\u202e5"), 1)],
)
def test_what_cannot_be_asked_is_refused(registry, question, limit):
    with pytest.raises(ParameterError):
        registry.find(question, limit)


def test_lookup_agrees_with_a_plain_search_of_all_rows(tmp_path):
    """What costs no more than a misread character and another spelling of the make is found as by comparing all."""
    rows = list(simulated_rows(600, 5))
    with Registry.create(tmp_path / "laboratory") as registry:
        entries = [Entry(row.values[0], Firearm(KINDS[row.values[1]], *row.values[2:6])) for row in rows]
        registry.add_many("SIM", entries, "first", "clerk", Names())
        for row in rows[::100]:
            serial, make = row.serial, row.make
            for read in (serial, "?" + serial[1:], serial[:-2] + "??", "7" + serial[1:], serial[:-1], f"{serial}4"):
                patterns = read_pattern(read)
                # Where characters are unknown, others are taken for misread only when nothing else agrees.
                most = 1.4 if "?" in read else 2.1
                found = registry.find(Question(read, make), 1000)
                by_index = [(hit.cost, hit.firearm) for hit in found.hits if hit.cost < most]
                plain = []
                for number, entry in enumerate(entries, 1):
                    firearm = entry.firearm
                    candidate = Candidate(number, "", firearm.serial, firearm.make, firearm.model, firearm.calibre)
                    cost = agreement(patterns, (make, "", ""), candidate).cost
                    if cost < most:
                        plain.append((cost, number))
                assert by_index == sorted(plain), read


@pytest.mark.parametrize(
    "read",
    [
        "?8012?2",  # both ends unread, and 5 read as 2 … with three characters open the make's serials are looked at
        "F?0?29X",
        "?[89]0[12]29?",
    ],
)
def test_unread_and_misread_characters_together(registry, read):
    assert first(registry, read, "Beretta")[0] in ("2", "5")


ODD = st.text(st.sampled_from("A0?*[]% _-'\"\\Ћ Iß½№①\u0130\u202e\x00١"), max_size=14)


@examples(40)
@given(ODD | st.text(max_size=20), ODD | st.text(max_size=20), st.text(max_size=8))
def test_whatever_is_asked_is_answered_or_refused(registry, serial, make, calibre):
    try:
        answer = registry.find(Question(serial, make, "", calibre))
    except ParameterError:
        return
    assert [hit.rank for hit in answer.hits] == list(range(1, len(answer.hits) + 1))
    assert all(hit.reasons for hit in answer.hits)
    assert [hit.cost for hit in answer.hits] == sorted(hit.cost for hit in answer.hits)
