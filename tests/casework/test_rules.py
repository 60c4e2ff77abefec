"""The rules of casework: roles, order, references, unmasking, three persons for a report; nothing is overwritten."""

from dataclasses import replace

import pytest
from casework_story import case, laboratory, open_case

from ballistics.casework import (
    KINDS,
    Authorisation,
    Case,
    Comparison,
    Conclusion,
    Information,
    Item,
    Observation,
    Release,
    Report,
    Resolution,
    Review,
    Scan,
    Session,
    Settings,
    Transfer,
    Unmasking,
)
from ballistics.errors import ParameterError
from ballistics.records import RefusedError

pytestmark = pytest.mark.usefixtures("both_databases")


@pytest.fixture
def lab(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    lab = laboratory(tmp_path / "laboratory")
    yield lab
    assert lab.book.verify().clean
    lab.book.close()


def comparison(lab, identifier="C-1/V"):
    result = lab.book.files.keep_bytes(b'{"score": 1}')
    lab.record("E1", Comparison(identifier, case="C-1", scans=("C-1/1/S", "C-1/2/S"), mark="breech face",
                                method="m", version="1", result=result, score=500.0, log10_lr=3.5))  # fmt: skip


def conclusion(operator="E1", **more):
    stated = {"scale": "AFTE", "value": "identification", "reasons": "agreement of individual marks"}
    return Conclusion(f"C-1/{operator}", case="C-1", items=("C-1/1", "C-1/2"), **{**stated, **more})


def test_roles_decide_who_records_what(lab):
    with pytest.raises(RefusedError, match=r"Operator RE is reviewer.*made by one who is custodian or examiner"):
        lab.record("RE", case())
    with pytest.raises(RefusedError, match="made by one who is custodian"):
        lab.record("AD", case())  # an administrator is not everything
    lab.record("CU", case())
    assert lab.book.get(Case, "C-1").by.operator == "CU"


def test_what_a_record_names_must_be_there_and_of_the_same_case(lab):
    open_case(lab)
    open_case(lab, "C-2")
    for change, message in (
        ({"incident": "I-9"}, "there is no such incident"),
        ({"part_of": "C-2/1"}, "of case 'C-2'"),
        ({"case": "C-9"}, "there is no such case"),
    ):
        with pytest.raises(RefusedError, match=message):
            lab.record("CU", replace(Item("C-1/3", case="C-1", kind="bullet", description="deformed"), **change))
    with pytest.raises(RefusedError, match="belongs to case 'C-1'"):
        lab.amend("CU", replace(lab.book.get(Item, "C-1/1").record, case="C-2"))


def test_words_forms_and_files_are_checked_before_anything_is_recorded(lab):
    lab.record("CU", case())
    item = Item("C-1/1", case="C-1", kind="bullet", description="deformed")
    head = lab.book.log.head()
    for change, message in (
        ({"kind": "cannon ball"}, "it may: cartridge case"),
        ({"description": ""}, "'description' of item 'C-1/1' must be stated"),
        ({"found_on": "2026-02-30"}, "no date or time"),
        ({"found_on": "yesterday"}, "no date or time"),
        ({"description": "a\x00b"}, "cannot be printed"),
        ({"description": "abc\u202edef"}, "turn the text round"),
        ({"description": "x" * 30_000}, "attach it as a file"),
        ({"calibre": 9}, "not of its kind"),
        ({"category": "spaceship"}, "may"),
    ):
        with pytest.raises(ParameterError, match=message):
            lab.record("CU", replace(item, **change))
    scan = Scan("S", case="C-1", item="C-1", file="0" * 64, name="a.x3p", mark="breech face", instrument="I",
                at="2026", by="E1")  # fmt: skip
    with pytest.raises(ParameterError, match="the file is missing"):
        lab.record("E1", scan)
    assert lab.book.log.head() == head


def test_records_are_amended_with_a_reason_and_all_versions_stay(lab):
    open_case(lab)
    item = lab.book.get(Item, "C-1/1")
    with pytest.raises(RefusedError, match="nothing is written over"):
        lab.record("CU", item.record)
    with pytest.raises(RefusedError, match="with a reason"):
        lab.amend("CU", replace(item.record, calibre="9 mm Luger"), " ")
    lab.amend("CU", replace(item.record, calibre="9 mm Luger"), "head stamp read")
    with pytest.raises(RefusedError, match="amended since you read it"):
        lab.book.amend(lab.keys["CU"], item.record, "other", supersedes=item.entry.number)
    assert [version.record.calibre for version in lab.book.history(Item, "C-1/1")] == ["", "9 mm Luger"]


def test_nothing_follows_the_destruction_of_an_item(lab):
    open_case(lab)
    transfer = Transfer("T-1", case="C-1", items=("C-1/1",), event="destroyed", at="2026-11-05", place="store", by="CU")
    lab.record("CU", transfer)
    with pytest.raises(RefusedError, match="item 'C-1/1' was destroyed in entry"):
        lab.record("CU", replace(transfer, id="T-2", event="returned"))
    lab.record("CU", replace(transfer, id="T-3", event="returned", items=("C-1/2",)))


def test_an_examiner_observes_then_concludes_on_a_scale_of_the_lists(lab):
    open_case(lab)
    with pytest.raises(RefusedError, match="Operator E2 has recorded no observation of item 'C-1/1'"):
        lab.record("E2", conclusion("E2"))
    with pytest.raises(ParameterError, match=r"'AFTE' has no step 'match'; it has: identification"):
        lab.record("E1", conclusion(value="match"))
    lab.record("E1", conclusion())


def test_a_blind_case_shows_scores_and_information_only_after_a_conclusion_of_ones_own(lab):
    open_case(lab, blind=True)
    lab.record("CU", Information("C-1/I", case="C-1", known="a suspect was named"))
    comparison(lab)
    book, keys = lab.book, lab.keys
    for hidden in (lambda key: book.information("C-1", key), lambda key: book.result("C-1/V", key)):
        with pytest.raises(RefusedError, match="examined blind"):
            hidden(keys["E1"])
    assert len(book.information("C-1", keys["CU"])) == 1
    with pytest.raises(RefusedError, match="after_unmasking"):
        lab.record("E1", conclusion(after_unmasking=True))
    lab.record("E1", conclusion())
    with pytest.raises(RefusedError, match="have not been shown"):
        lab.record("E1", Report("R", case="C-1", kind="evaluative", language="en", comparisons=("C-1/V",), summary="s"))
    lab.record("E1", Unmasking("C-1/U", case="C-1", conclusion="C-1/E1", shown=("scores",)))
    assert book.result("C-1/V", keys["E1"])[1] == b'{"score": 1}'
    with pytest.raises(RefusedError, match="information are shown"):
        book.information("C-1", keys["E1"])
    # What one examiner has seen, the other has not.
    with pytest.raises(RefusedError, match="examined blind"):
        book.result("C-1/V", keys["E2"])
    with pytest.raises(RefusedError, match="is not Operator E2's own"):
        lab.record("E2", Unmasking("C-1/U2", case="C-1", conclusion="C-1/E1", shown=("scores",)))
    changed = conclusion(value="inconclusive A")
    with pytest.raises(RefusedError, match="'after_unmasking' must say yes"):
        lab.amend("E1", changed)
    lab.amend("E1", replace(changed, after_unmasking=True))
    with pytest.raises(RefusedError, match="stays so"):
        lab.amend("CU", replace(book.get(Case, "C-1").record, blind=False))


def test_a_second_examiner_verifies_and_a_third_person_resolves(lab):
    open_case(lab)
    lab.record("E1", conclusion())
    with pytest.raises(RefusedError, match="another examiner verifies"):
        lab.record("E1", replace(conclusion(), id="C-1/again", verifies="C-1/E1"))
    seen = Observation("C-1/O2", case="C-1", items=("C-1/1", "C-1/2"), suitability="limited", seen="few lines")
    lab.record("E2", seen)
    lab.record("E2", conclusion("E2", value="inconclusive B", verifies="C-1/E1"))
    resolution = Resolution("C-1/X", case="C-1", conclusions=("C-1/E1",), value="inconclusive B", reasons="few lines")
    with pytest.raises(RefusedError, match="two conclusions or more"):
        lab.record("RE", resolution)
    lab.record("RE", replace(resolution, conclusions=("C-1/E1", "C-1/E2")))
    assert [each.record.value for each in lab.book.all(Conclusion, "C-1")] == ["identification", "inconclusive B"]


def test_author_reviewer_and_authoriser_are_three_persons_and_see_the_same_draft(lab):
    open_case(lab)
    comparison(lab)
    lab.record("E1", conclusion())
    report = Report("R", case="C-1", kind="evaluative", language="en", comparisons=("C-1/V",),
                    conclusions=("C-1/E1",), summary="s")  # fmt: skip
    with pytest.raises(RefusedError, match="rests on comparisons"):
        lab.record("E1", replace(report, comparisons=()))
    lab.record("ALL", report)
    draft = lab.book.get(Report, "R").entry.number
    review = Review("R/1", case="C-1", report="R", report_entry=draft, outcome="accepted", checked=("items",))
    with pytest.raises(RefusedError, match=r"wrote report 'R'.*another one reviews it"):
        lab.record("ALL", review)
    with pytest.raises(RefusedError, match=f"stands in entry {draft}"):
        lab.record("RE", replace(review, report_entry=draft - 1))
    lab.record("RE", replace(review, id="R/0", outcome="returned", note="see to the wording"))
    allowed = Authorisation("R/A", case="C-1", report="R", review="R/0", report_entry=draft)
    with pytest.raises(RefusedError, match="did not accept"):
        lab.record("AU", allowed)
    lab.record("RE", review)
    with pytest.raises(RefusedError, match="a third person authorises"):
        lab.record("ALL", replace(allowed, review="R/1"))
    lab.record("AU", replace(allowed, review="R/1"))
    pages = (lab.book.files.keep_bytes(b"<html>"),)
    release = Release("R/L", case="C-1", report="R", authorisation="R/A", pages=pages, recipient="court", at="2026")
    lab.amend("ALL", replace(report, summary="other"), "wording")
    with pytest.raises(RefusedError, match="look at the draft as it is now"):
        lab.record("CU", release)


def test_a_laboratory_has_its_own_identifiers_lists_and_blindness(lab):
    book = lab.book
    rules = Settings("settings", case_pattern=r"SK-\d{4}/\d{3}", blind=True)
    with pytest.raises(ParameterError, match="no regular expression"):
        lab.record("QM", replace(rules, case_pattern="("))
    lab.record("QM", rules)
    with pytest.raises(ParameterError, match="not an identifier of this laboratory's"):
        lab.record("CU", case(blind=True))
    with pytest.raises(ParameterError, match="examined blind"):
        lab.record("CU", case("SK-2026/014"))
    lab.record("CU", case("SK-2026/014", blind=True))
    pellet = Item("P", case="SK-2026/014", kind="shot pellet", description="lead")
    with pytest.raises(ParameterError, match=r"item-types\.json in the folder 'lists'"):
        lab.record("CU", pellet)
    folder = book.library.folder / "lists"
    folder.mkdir()
    own = ('{"schema": "ballistics/code-list", "name": "item types", "version": "7", "source": "the laboratory", '
           '"entries": [{"code": "shot pellet", "means": "of a shotgun"}]}')  # fmt: skip
    (folder / "item-types.json").write_text(own)
    book.lists = type(book.lists)(folder)  # a list is read once
    lab.record("CU", pellet)
    assert book.get(Item, "P").entry.body["lists"]["item types"] == "2026-1+7"


def test_every_kind_is_declared_completely(lab):
    from dataclasses import fields

    for kind in KINDS.values():
        assert kind.BY, kind
        assert kind.__doc__
        for each in fields(kind):
            assert each.name == "id" or each.metadata["help"]
            name = each.metadata.get("list")
            assert not name or lab.book.lists[name].means
            assert set(each.metadata.get("refers", ())) <= set(KINDS)
    with pytest.raises(ParameterError, match="no step 'no such point'"):
        lab.record("SH", Session("S", firearm="F", ammunition="a", date="2026", place="r", operator="SH",
                                 checklist="example", answers=("no such point",)))  # fmt: skip


def test_a_changed_file_is_found(lab):
    open_case(lab)
    name = lab.book.get(Scan, "C-1/1/S").record.file
    path = lab.book.files.path(name)
    data = path.read_bytes()
    path.write_bytes(b"other heights")
    found = lab.book.verify()
    assert found.log.clean
    assert len(found.files) == 1
    assert "scan 'C-1/1/S': the file was changed" in found.files[0]
    path.unlink()
    assert "the file is missing" in lab.book.verify().files[0]
    path.write_bytes(data)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(?:a|a)*b", "(a{1,9}){9}", "a*a*a*a*a*b", "[", "(a|b?)+"])
def test_a_pattern_that_could_take_for_ever_is_refused(lab, pattern):
    with pytest.raises(ParameterError, match=r"regular expression|take for ever"):
        lab.record("QM", Settings("settings", case_pattern=pattern))


@pytest.mark.parametrize("pattern", [r"KO-\d{4}-\d+", "(KO|SK)-[0-9+*]{2,4}/[()*]+", r"[А-Ш]{2}\s?\d+(?:-\d+)?"])
def test_patterns_of_laboratories_are_taken(lab, pattern):
    lab.record("QM", Settings("settings", case_pattern=pattern))
