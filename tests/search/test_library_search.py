"""The search of a library: the right marks first, everything accounted for, the same bytes again."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from library_marks import noise_mark, scan_sha256, shot

from ballistics.errors import ParameterError
from ballistics.evidence.comparisons import conditions_of
from ballistics.evidence.population import ReferencePopulation
from ballistics.evidence.scores import ScoreTable
from ballistics.impressions.comparing import compare
from ballistics.library.items import Description
from ballistics.reports.pages.search import search_report
from ballistics.reports.schemas.search_files import search_csv, search_json, search_schema
from ballistics.reports.wording.search import chance_line
from ballistics.search import library_search
from ballistics.search.library import Library
from ballistics.search.scan import scan
from ballistics.surfaces.preparation.record import preparation_parameters

INJECTION = "<script>window.injected=1</script>\"'&{{7*7}}"
# Scan number: firearm, calibre.
SCANS = {1: (1, "9 mm Luger"), 2: (1, ""), 3: (2, "9 mm Luger"), 4: (3, "45 Auto"), 5: (1, "45 Auto")}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    with Library.create(tmp_path_factory.mktemp("search") / "library") as made:
        for scan, (firearm, calibre) in SCANS.items():
            made.enrol(shot(firearm, scan), f"scan-{scan}.x3p", Description(calibre=calibre, incident="=1+1"))
        yield made


@pytest.fixture(scope="module")
def result(library):
    return library.search(shot(1, 9), "scan-9.x3p")


@cache
def compared():
    return compare(shot(1, 1), shot(1, 2))


def population_of(score, different, parameters=None):
    """Return a population of the same method as the searches, with these different-source scores."""
    conditions = conditions_of(
        "breech face",
        compared().provenance,
        [preparation_parameters(shot(1, scan)) for scan in (1, 2)],
        score,
        ["9 mm Luger"],
        ["confocal"],
    )
    if parameters is not None:
        conditions = replace(conditions, parameters=parameters)
    n = len(different)
    cells = [16] * (n + 1) if score == "count" else None
    areas = [1.0] * (n + 1) if score == "similarity" else None
    highest = {"count": 16.0, "correlation": 1.0, "similarity": 2000.0}[score]
    table = ScoreTable.build(
        [highest, *different], ["A", *["A"] * n], ["A", *map(str, range(n))], cells, area_mm2=areas
    )
    return ReferencePopulation("known", table, conditions)


def test_marks_of_the_same_firearm_lead(result):
    assert [SCANS[lead.entry.id][0] == 1 for lead in result.leads] == [True, True, True, False, False]
    assert [lead.rank for lead in result.leads] == [1, 2, 3, 4, 5]
    first = result.leads[0]
    assert first.accf > 0.9
    assert first.similarity > 100 > abs(result.leads[3].similarity)
    # Cells are counted only to be held against a population.
    assert first.count is None
    assert (result.n_marks, result.n_searched, result.n_compared) == (5, 5, 5)
    assert result.provenance.inputs == {"file": scan_sha256(9), "mark": result.array_sha256}


def test_the_pose_is_that_of_the_full_comparison(library, result):
    for lead in result.leads[:2]:
        comparison = compare(shot(1, 9), shot(SCANS[lead.entry.id][0], lead.entry.id))
        assert abs(lead.pose.theta_deg - comparison.pose.theta_deg) < 0.2
        assert abs(lead.pose.dx_um - comparison.pose.dx_um) < 5
        assert abs(lead.pose.dy_um - comparison.pose.dy_um) < 5
        assert lead.accf == pytest.approx(comparison.accf, abs=0.01)
        # The scans are turned by quarters.
        turn = (lead.pose.theta_deg - 90 * (9 - lead.entry.id) + 180) % 360 - 180
        assert abs(turn) < 1


def test_the_same_search_gives_the_same_bytes(library, result):
    again = library.search(shot(1, 9), "scan-9.x3p")
    assert search_json(again) == search_json(result)
    assert search_csv(again) == search_csv(result)


def test_filter_scan_itself_and_other_marks_are_accounted_for(library, tmp_path):
    found = library.search(shot(1, 1), top=1, where={"calibre": "9 mm luger"})
    assert [entry.id for entry in found.same_scan] == [1]
    assert found.passed_over == {"described otherwise than the filter admits": 2}
    assert found.n_searched + sum(found.passed_over.values()) + len(found.same_scan) == found.n_marks
    assert [lead.entry.id for lead in found.leads] == [2]
    for wrong, words in (({"top": 0}, "at least 1"), ({"where": {"caliber": "9 mm"}}, "caliber")):
        with pytest.raises(ParameterError, match=words):
            library.search(shot(1, 1), **wrong)
    with pytest.raises(ParameterError, match="no provenance"):
        library.search(replace(shot(1, 1), provenance=None))
    with Library.create(tmp_path / "empty") as empty:
        assert empty.search(shot(1, 1)).leads == ()
        empty.enrol(replace(noise_mark(1), kind="firing pin"), "other kind")
        empty.enrol(replace(noise_mark(2), spacing_um=3.0), "other spacing")
        empty.enrol(replace(noise_mark(3), surface_kind="reflectance"), "other surface")
        found = empty.search(shot(1, 1))
        assert (found.leads, sum(found.passed_over.values())) == ((), 3)
        assert search_csv(found).startswith("\ufeffrank".encode())


def _changed_while_scanning(monkeypatch, change):
    """Have a change of the library happen in the middle of a scan, once, before the templates are read."""
    pending = [change]

    def scan_late(query, records, rows):
        if pending:
            pending.pop()()
        return scan(query, records, rows)

    monkeypatch.setattr(library_search, "scan", scan_late)


def test_a_mark_removed_while_the_search_runs_is_accounted_for(tmp_path, monkeypatch):
    with Library.create(tmp_path / "library") as library:
        for k in (1, 2, 3):
            library.enrol(shot(1, k), f"scan-{k}.x3p")
        _changed_while_scanning(monkeypatch, lambda: library.remove(2, "who", "when", "why"))
        found = library.search(shot(1, 9))
        assert (found.n_marks, found.n_searched, found.n_compared) == (3, 2, 2)
        assert found.passed_over == {"removed while the search ran": 1}
        assert {lead.entry.id for lead in found.leads} == {1, 3}


def test_a_mark_enrolled_anew_while_the_search_runs_is_found(tmp_path, monkeypatch):
    with Library.create(tmp_path / "library") as library:
        for k in (1, 2, 3):
            library.enrol(shot(k, k), f"scan-{k}.x3p")
        expected = library.search(shot(2, 9)).leads[0]
        anew = replace(shot(2, 2), provenance=replace(shot(2, 2).provenance, version="2"))
        _changed_while_scanning(monkeypatch, lambda: library.enrol(anew, "scan-2.x3p"))
        found = library.search(shot(2, 9))
        assert (found.n_marks, found.n_searched, found.passed_over) == (3, 3, {})
        first = found.leads[0]
        assert (first.entry.id, first.template_score) == (2, expected.template_score)
        assert first.prepared_alike != expected.prepared_alike  # the entry is the new one


def test_a_mark_removed_before_it_is_compared_leads_nowhere(tmp_path, monkeypatch):
    with Library.create(tmp_path / "library") as library:
        for k in (1, 2, 3):
            library.enrol(shot(1, k), f"scan-{k}.x3p")
        current = library.current

        def current_late(number):
            if number == 2 and library.contents().removals == ():
                library.remove(2, "who", "when", "why")
            return current(number)

        monkeypatch.setattr(library, "current", current_late)
        found = library.search(shot(1, 9))
        assert (found.n_searched, found.passed_over) == (2, {"removed while the search ran": 1})
        assert [lead.rank for lead in found.leads] == [1, 2]


def test_an_insufficient_mark_is_a_result(library):
    found = library.search(replace(shot(1, 9), insufficient="too much is missing"), "x")
    assert (found.leads, found.insufficient) == ((), "too much is missing")
    Draft202012Validator(search_schema()).validate(json.loads(search_json(found)))
    assert "INSUFFICIENT" in search_report(found, shot(1, 9), {})


def test_other_preparation_and_damage_are_said(tmp_path):
    with Library.create(tmp_path / "library") as library:
        other = shot(1, 2)
        library.enrol(shot(1, 1), "alike")
        library.enrol(replace(other, provenance=replace(other.provenance, version="2")), "otherwise")
        library.enrol(shot(1, 3), "damaged")
        entry = library.contents().marks[2]
        library.arrays.path(entry.array_sha256).write_bytes(b"cut")
        found = library.search(shot(1, 9), "x")
        by_scan = {lead.entry.scan: lead for lead in found.leads}
        assert by_scan["alike"].prepared_alike
        assert not by_scan["otherwise"].prepared_alike
        assert "backup" in by_scan["damaged"].insufficient
        assert found.leads[-1].entry.scan == "damaged"
        Draft202012Validator(search_schema()).validate(json.loads(search_json(found)))
        page = search_report(found, shot(1, 9), {})
        assert "not commensurable" in page


@pytest.mark.slow
def test_scores_are_held_against_known_different_source_scores(library, result):
    found = library.search(shot(1, 9), "x", population=population_of("count", [0, 0, 1, 16]))
    first, last = found.leads[0], found.leads[-1]
    assert (first.count, first.cells, first.at_or_above, first.percentile) == (16, 16, 1, 75.0)
    assert (last.count, last.at_or_above, last.percentile) == (0, 4, 0.0)
    assert (found.background.n_different, found.background.score, found.no_percentile) == (4, "count", "")
    # Calibre and instrument that are not stated are a caution, for a lead.
    assert any("instrument class" in caution for caution in found.background.cautions)
    assert [lead.entry for lead in found.leads] == [lead.entry for lead in result.leads]
    by_correlation = library.search(shot(1, 9), "x", population=population_of("correlation", [0.2, 0.99]), top=1)
    assert by_correlation.leads[0].at_or_above == 1
    Draft202012Validator(search_schema()).validate(json.loads(search_json(found)))


def test_a_population_of_another_method_is_not_used(library):
    found = library.search(shot(1, 9), "x", population=population_of("count", [0], parameters={"cell_um": 500}), top=2)
    assert found.background is None
    assert "does not cover" in found.no_percentile
    assert all(lead.percentile is None for lead in found.leads)


def test_files_follow_the_schema_and_are_safe(result):
    document = json.loads(search_json(result))
    Draft202012Validator.check_schema(search_schema())
    Draft202012Validator(search_schema()).validate(document)
    assert "likelihood" not in json.dumps(document).casefold()
    table = search_csv(result).decode("utf-8-sig").splitlines()
    assert len(table) == 6
    # A spreadsheet must not take a name for a formula.
    assert ",'=1+1," in table[1]


def test_a_line_stands_where_chance_begins(library, result):
    assert result.background is None
    nats = [lead.similarity for lead in result.leads]
    first = next(rank for rank, value in enumerate(nats, 1) if value < 150)
    assert 1 < first <= len(nats)  # or the case shows nothing
    line = chance_line(result)
    assert line.rank == first
    page = search_report(result, shot(1, 9), {})
    before, _, after = page.partition('<p class="chance-line">')
    assert before.count('<article class="lead">') == first - 1
    assert after.count('<article class="lead by-chance">') == len(nats) - first + 1
    assert "886 different-source pairs" in after
    # Among known scores, chance begins where one of them is as high.
    known = replace(result, background=SimpleNamespace(name="made up"), leads=tuple(
        replace(lead, at_or_above=max(0, lead.rank - 3)) for lead in result.leads))  # fmt: skip
    assert chance_line(known).rank == 4
    assert "'made up'" in chance_line(known).text
    above = replace(known, leads=known.leads[:3])
    assert chance_line(above).rank is None
    assert chance_line(replace(result, mark_kind="firing pin")).text.startswith("No line is drawn")


def test_page_shows_every_lead_and_takes_no_markup_from_outside(library, result):
    marks = {lead.entry.id: library.with_heights(lead.entry) for lead in result.leads}
    page = search_report(result, shot(1, 9), marks)
    assert page == search_report(result, shot(1, 9), marks)
    assert page.count("<article") == 5
    assert page.count("data:image/png;base64,") == 6
    assert not re.search(r'(src|href)="(?!data:|#|https://doi\.org/)', page)
    assert "no weight of evidence" in page
    assert "No likelihood ratio is given" in page
    lead = result.leads[0]
    entry = replace(lead.entry, scan=INJECTION, description=Description(*[INJECTION] * 7))
    hostile = replace(result, scan=INJECTION, where={"place": (INJECTION,)}, leads=(replace(lead, entry=entry),))
    page = search_report(hostile, shot(1, 9), {})
    assert INJECTION not in page
    assert "<script" not in page
    assert "{{7*7}}" in page


def test_picture_shows_the_lead_as_it_lies_on_the_mark(library, result):
    from ballistics.reports.pages.search import _registered

    lead = result.leads[0]
    questioned = shot(1, 9)
    placed = _registered(library.with_heights(lead.entry), questioned, lead.pose).heights_um
    both = np.isfinite(placed) & np.isfinite(questioned.heights_um)
    assert np.corrcoef(placed[both], questioned.heights_um[both])[0, 1] > 0.9
