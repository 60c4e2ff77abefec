"""Packages between two laboratories: what leaves, what is taken in, what is recorded on both sides."""

from __future__ import annotations

import json
from zipfile import ZipFile

import numpy as np
import pytest
from laboratories import TERMS, acquainted, enrol_shots, files_of, introduce, n_entries, new_desk, with_file
from library_marks import shot

from ballistics.errors import BallisticsError, ParameterError, WriteError
from ballistics.exchange import (
    Desk,
    MarkSelection,
    Outgoing,
    RegistryExtract,
    answer_request,
    copy_scan,
    decline_request,
    export_package,
    extract_rows,
    fingerprint,
    import_package,
    read_card,
    registry_graph,
    request_scan,
    requests,
    revoke_partner,
    search_partners,
    take_in_answer,
    take_in_partner,
    take_in_receipt,
    take_in_request,
    take_in_withdrawal,
    taken_in,
    withdraw,
    write_card,
)
from ballistics.exchange.desk import ANSWERED, EXPORT, IMPORT, REQUESTED
from ballistics.library import Description
from ballistics.records import Log, RefusedError, verify_log
from ballistics.registry import Entry as RegistryEntry
from ballistics.registry import Event as RegistryEvent
from ballistics.registry import Firearm, Registry
from ballistics.search import Library


class Firearms:
    """Rows of a register, as an extract gives them."""

    name = "firearms"

    def __init__(self, *rows):
        self._rows = rows

    def rows(self):
        return self._rows


@pytest.fixture
def laboratories(tmp_path):
    skopje, sarajevo = acquainted(tmp_path)
    yield skopje, sarajevo
    skopje.library.close()
    sarajevo.library.close()


def entries(desk, kind):
    with desk.log.view() as view:
        return view.records(kind)


def send(giver, taker, path, **outgoing):
    exported = export_package(giver, path, taker.laboratory(), TERMS, Outgoing(**outgoing))
    return exported, *import_package(taker, path)


def test_a_hit_on_templates_alone_leads_to_the_scan_and_both_logs_tell_it(laboratories, tmp_path):
    skopje, sarajevo = laboratories
    numbers = enrol_shots(skopje, range(1, 9))
    scan = tmp_path / "7-again.x3p"
    number = skopje.library.enrol(with_file(shot(7, 3), scan), scan.name, Description("9 mm Luger")).mark_id
    templates, package, _ = send(skopje, sarajevo, tmp_path / "a.package", marks=MarkSelection([*numbers, number]))

    found = search_partners(sarajevo.library, sarajevo.log, shot(7, 555), "K-9.x3p", top=5)
    assert (found.n_marks, found.n_searched, found.passed_over) == (9, 9, {})
    assert {lead.mark.number for lead in found.leads[:2]} == {7, 9}
    assert found.leads[1].score > 1.5 * found.leads[2].score
    assert found.leads[0].laboratory == "Skopje"
    # The very scores that a search of the partner's own library selects by.
    with Library.open(skopje.library.folder) as library:
        own = {lead.entry.id: lead.template_score for lead in library.search(shot(7, 555)).leads}
    assert {lead.mark.number: lead.score for lead in found.leads}[9] == own[number]

    serial = found.leads[0].package
    with pytest.raises(RefusedError, match="holds templates only"):
        copy_scan(sarajevo.library, sarajevo.log, serial, 9, tmp_path / "none.x3p")
    asked = request_scan(sarajevo, tmp_path / "ask.json", serial, 9, TERMS, found.leads[0].score, {"name": "K-9.x3p"})
    assert b"K-9" not in (tmp_path / "ask.json").read_bytes()
    received = take_in_request(skopje, tmp_path / "ask.json")
    assert (received.own_mark, received.mark, received.laboratory) == (number, 9, "Sarajevo")
    answered = answer_request(skopje, tmp_path / "b.package", asked.serial[:8], scan, TERMS)
    with_scan, _ = import_package(sarajevo, tmp_path / "b.package")
    copy_scan(sarajevo.library, sarajevo.log, answered.manifest.envelope.serial, 1, tmp_path / "copy.x3p")
    assert (tmp_path / "copy.x3p").read_bytes() == scan.read_bytes()

    for desk in laboratories:
        with desk.log.view() as view:
            (request,) = requests(view)
        assert (request.serial, request.answer, request.package) == (asked.serial, "given", serial)
        assert verify_log(desk.log, desk.identifier).clean
        assert [len(entries(desk, kind)) for kind in (REQUESTED, ANSWERED)] == [1, 1]
    assert len(entries(skopje, EXPORT)) == len(entries(sarajevo, IMPORT)) == 2
    assert with_scan.manifest.answers == asked.serial
    assert package.manifest.sha256 == templates.manifest.sha256
    with pytest.raises(RefusedError, match="was answered: given"):
        answer_request(skopje, tmp_path / "c.package", asked.serial, scan, TERMS)


def test_what_leaves_is_what_was_chosen(laboratories, tmp_path):
    skopje, _ = laboratories
    numbers = enrol_shots(skopje, (1, 2))
    path = tmp_path / "plain.package"
    export_package(skopje, path, "sarajevo", TERMS, Outgoing(MarkSelection(numbers)), encrypted=False)
    everything = path.read_bytes()
    for secret in (b"case 1", b"secret street", b"1.x3p", skopje.library.entry(numbers[0]).identity.encode()):
        assert secret not in everything
    with ZipFile(path) as archive:
        rows = [json.loads(line) for line in archive.read("marks/rows.jsonl").splitlines()]
        names = archive.namelist()
    assert names == ["manifest.json", "marks/rows.jsonl", "marks/polar-2.stack"]
    said = {"mark_kind": "breech face", "surface_kind": "topography", "spacing_um": 6.25, "version": "polar-2"}
    described = {"calibre": "9 mm Luger", "firing_pin_shape": "hemispherical", "breech_face_type": ""}
    assert rows[1] == {"number": 2, "slot": 1, "scan": "", "scan_sha256": "", **said, **described}
    more = MarkSelection(numbers, ("incident",))
    export_package(skopje, tmp_path / "more.package", "Sarajevo", TERMS, Outgoing(more), encrypted=False)
    assert b"case 1" in (tmp_path / "more.package").read_bytes()


def test_an_encrypted_package_opens_for_its_recipient_alone(laboratories, tmp_path):
    skopje, sarajevo = laboratories
    path = tmp_path / "sealed.package"
    export_package(skopje, path, "Sarajevo", TERMS, Outgoing(MarkSelection(enrol_shots(skopje, (1,)))))
    assert b"breech" not in path.read_bytes()
    stranger = new_desk(tmp_path / "tirana", "Tirana")
    introduce(skopje, stranger, tmp_path)
    before = n_entries(stranger)
    with pytest.raises(BallisticsError, match="encrypted for another key"):
        import_package(stranger, path)
    with pytest.raises(ParameterError, match="--opening-key"):
        import_package(Desk(sarajevo.library, sarajevo.log, sarajevo.key), path)
    assert n_entries(stranger) == before
    assert not stranger.folder.exists() or files_of(stranger) == []
    import_package(sarajevo, path)


def test_the_receipt_goes_back_and_is_recorded_once(laboratories, tmp_path):
    skopje, sarajevo = laboratories
    exported, taken, receipt = send(
        skopje, sarajevo, tmp_path / "a.package", marks=MarkSelection(enrol_shots(skopje, (1,)))
    )
    path = tmp_path / "receipt.json"
    path.write_bytes(receipt)
    entry = take_in_receipt(skopje, path)
    assert entry.body["package"] == exported.manifest.envelope.serial
    assert json.loads(receipt)["content"]["entry_sha256"] == taken.entry.hash
    with pytest.raises(RefusedError, match="recorded already"):
        take_in_receipt(skopje, path)
    with pytest.raises(BallisticsError, match=r"unknown key|another laboratory"):
        take_in_receipt(sarajevo, path)


def test_a_withdrawn_package_is_deleted_recorded_and_searched_no_more(laboratories, tmp_path):
    skopje, sarajevo = laboratories
    numbers = enrol_shots(skopje, range(1, 4))
    first, package, _ = send(skopje, sarajevo, tmp_path / "a.package", marks=MarkSelection(numbers))
    second, kept, _ = send(skopje, sarajevo, tmp_path / "b.package", marks=MarkSelection(numbers[:1]))
    assert search_partners(sarajevo.library, sarajevo.log, shot(2, 9)).n_searched == 4
    serial = first.manifest.envelope.serial
    withdraw(skopje, tmp_path / "back.json", "Sarajevo", [serial], "the order was lifted")
    take_in_withdrawal(sarajevo, tmp_path / "back.json")
    found = search_partners(sarajevo.library, sarajevo.log, shot(2, 9))
    assert (found.n_searched, found.not_searched) == (1, {serial: "withdrawn by the partner"})
    assert [path.name for path in package.folder.rglob("*") if path.is_file()] == ["manifest.json"]
    assert (kept.folder / "marks/polar-2.stack").exists()
    with pytest.raises(RefusedError, match="withdrawn"):
        request_scan(sarajevo, tmp_path / "ask.json", serial, 1, TERMS, 9.0, {})
    with pytest.raises(RefusedError, match="withdrawn by Skopje"):
        import_package(sarajevo, tmp_path / "a.package")
    with pytest.raises(RefusedError, match="recorded already"):
        take_in_withdrawal(sarajevo, tmp_path / "back.json")
    with pytest.raises(ParameterError, match="not exported"):
        withdraw(skopje, tmp_path / "other.json", "Sarajevo", ["0" * 32], "never sent")
    assert second.manifest.withdrawn == ()


def test_a_withdrawal_that_was_lost_comes_with_the_next_package(laboratories, tmp_path):
    skopje, sarajevo = laboratories
    numbers = enrol_shots(skopje, (1, 2))
    first, package, _ = send(skopje, sarajevo, tmp_path / "a.package", marks=MarkSelection(numbers))
    withdraw(skopje, tmp_path / "lost.json", "Sarajevo", [first.manifest.envelope.serial], "the order was lifted")
    send(skopje, sarajevo, tmp_path / "b.package", marks=MarkSelection(numbers[:1]))
    assert search_partners(sarajevo.library, sarajevo.log, shot(2, 9)).n_searched == 1
    assert not (package.folder / "marks").exists()


def test_a_package_that_is_no_longer_valid_is_not_searched(laboratories, tmp_path, monkeypatch):
    skopje, sarajevo = laboratories
    send(skopje, sarajevo, tmp_path / "a.package", marks=MarkSelection(enrol_shots(skopje, (1,))))
    monkeypatch.setattr("ballistics.exchange.partner_search.now", lambda: "2999-02-01T00:00:00Z")
    found = search_partners(sarajevo.library, sarajevo.log, shot(1, 9))
    assert (found.n_searched, list(found.not_searched.values())) == (0, ["expired on 2999-01-31T23:59:59Z"])
    monkeypatch.undo()
    revoke_partner(sarajevo, "Skopje", "its key was lost")
    assert list(search_partners(sarajevo.library, sarajevo.log, shot(1, 9)).not_searched.values()) == [
        "the partner's keys were revoked"
    ]


def test_templates_that_were_altered_after_they_were_taken_in_are_not_searched(laboratories, tmp_path):
    skopje, sarajevo = laboratories
    _, package, _ = send(skopje, sarajevo, tmp_path / "a.package", marks=MarkSelection(enrol_shots(skopje, (1,))))
    stack = package.folder / "marks/polar-2.stack"
    data = bytearray(stack.read_bytes())
    data[2000] ^= 1
    stack.write_bytes(data)
    with pytest.raises(BallisticsError, match="altered since it was taken in"):
        search_partners(sarajevo.library, sarajevo.log, shot(1, 9))


def test_the_class_filter_passes_over_what_a_partner_describes_otherwise(laboratories, tmp_path):
    skopje, sarajevo = laboratories
    numbers = enrol_shots(skopje, (1, 2))
    numbers.append(skopje.library.enrol(shot(3, 1), "3.x3p", Description("45 Auto")).mark_id)
    send(skopje, sarajevo, tmp_path / "a.package", marks=MarkSelection(numbers))
    found = search_partners(sarajevo.library, sarajevo.log, shot(3, 9), where={"calibre": "9x19"})
    assert found.n_searched == 2
    assert found.passed_over == {"described otherwise than the filter admits": 1}


def test_rows_of_a_register_arrive_as_they_were(laboratories, tmp_path):
    skopje, sarajevo = laboratories
    rows = [{"make": "Застава", "serial": "-12?4", "year": 1998, "spare": None}, {"make": "Zastava", "weight": 0.85}]
    _, package, _ = send(skopje, sarajevo, tmp_path / "a.package", extracts=[Firearms(*rows)])
    assert list(extract_rows(package, "firearms")) == rows
    assert package.manifest.contents == {"rows of firearms": 2}
    bad = Outgoing(extracts=[Firearms({"make": "A"}, {"make": '=cmd|" /C calc"!A0'})])
    with pytest.raises(ParameterError, match=r"row 2 of firearms cannot be exported.*formula"):
        export_package(skopje, tmp_path / "b.package", "Sarajevo", TERMS, bad)
    assert not (tmp_path / "b.package").exists()


def test_a_declined_request_is_recorded_on_both_sides(laboratories, tmp_path):
    skopje, sarajevo = laboratories
    exported, *_ = send(skopje, sarajevo, tmp_path / "a.package", marks=MarkSelection(enrol_shots(skopje, (1,))))
    asked = request_scan(
        sarajevo, tmp_path / "ask.json", exported.manifest.envelope.serial, 1, TERMS, 12.5, {"name": "K-9"}
    )
    with pytest.raises(RefusedError, match="holds no mark 2"):
        request_scan(sarajevo, tmp_path / "ask2.json", exported.manifest.envelope.serial, 2, TERMS, 1.0, {})
    take_in_request(skopje, tmp_path / "ask.json")
    decline_request(skopje, tmp_path / "no.json", asked.serial, "the case is sealed by a court")
    assert take_in_answer(sarajevo, tmp_path / "no.json").body["outcome"] == "declined"
    with pytest.raises(RefusedError, match="answered on"):
        take_in_answer(sarajevo, tmp_path / "no.json")


def test_nothing_leaves_without_an_entry_in_the_log(laboratories, tmp_path):
    skopje, sarajevo = laboratories
    selection = MarkSelection(enrol_shots(skopje, (1,)))
    unknown_operator = Desk(skopje.library, skopje.log, sarajevo.key)
    with pytest.raises(RefusedError, match="not one of this laboratory's"):
        export_package(unknown_operator, tmp_path / "a.package", "Sarajevo", TERMS, Outgoing(selection))
    assert not (tmp_path / "a.package").exists()
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".a.package")] == []
    exported, *_ = send(skopje, sarajevo, tmp_path / "b.package", marks=selection)
    (entry,) = entries(skopje, EXPORT)
    assert (entry.number, entry.body["marks"], entry.body["purpose"]) == (exported.entry, [1], TERMS.purpose)


def test_a_stranger_s_card_is_not_taken_for_a_partner_s(laboratories, tmp_path):
    skopje, sarajevo = laboratories
    stranger = new_desk(tmp_path / "stranger", "Skopje")
    write_card(stranger, tmp_path / "stranger.card", "2999-01-31")
    write_card(skopje, tmp_path / "skopje.card", "2999-01-31")
    read_out = fingerprint(read_card(tmp_path / "skopje.card"))
    with pytest.raises(RefusedError, match="not the one that was read out"):
        take_in_partner(sarajevo, tmp_path / "stranger.card", read_out)
    with pytest.raises(ParameterError, match="16 digits"):
        take_in_partner(sarajevo, tmp_path / "skopje.card", read_out[:8])
    with pytest.raises(WriteError, match="exists"):
        write_card(skopje, tmp_path / "skopje.card", "2999-01-31")


def test_the_same_package_has_the_same_bytes(laboratories, tmp_path, monkeypatch):
    skopje, _ = laboratories
    selection = MarkSelection(enrol_shots(skopje, (1, 2)))
    from ballistics.exchange import exports

    envelope = exports.new_envelope(exports.PACKAGE, skopje.identifier, "Skopje", skopje.key, "0" * 32, "2999-01-01")
    made = []
    for name in "ab":
        monkeypatch.setattr(exports, "new_envelope", lambda *_: envelope)
        monkeypatch.setattr(skopje.log.__class__, "append", lambda *_, **__: skopje.log.head())
        export_package(skopje, tmp_path / name, "Sarajevo", TERMS, Outgoing(selection), encrypted=False)
        made.append((tmp_path / name).read_bytes())
    assert made[0] == made[1]


def test_packages_are_listed_in_the_order_of_the_log(laboratories, tmp_path):
    skopje, sarajevo = laboratories
    numbers = enrol_shots(skopje, (1, 2))
    for k, number in enumerate(numbers):
        send(skopje, sarajevo, tmp_path / f"{k}.package", marks=MarkSelection([number]))
    with sarajevo.log.view() as view:
        found = list(taken_in(sarajevo.library, view))
    assert [package.entry.number for package in found] == [4, 5]
    assert np.all([package.unusable("2998-01-01T00:00:00Z") is None for package in found])


def test_a_backup_has_the_packages_and_loses_what_was_withdrawn(laboratories, tmp_path):
    from ballistics.library import backup

    skopje, sarajevo = laboratories
    exported, package, _ = send(
        skopje, sarajevo, tmp_path / "a.package", marks=MarkSelection(enrol_shots(skopje, (1, 2)))
    )
    copy = tmp_path / "copy"
    assert backup(sarajevo.library, copy).clean
    with Library.open(copy) as opened:
        log = Log(opened.engine, "the copy")
        assert search_partners(opened, log, shot(2, 9)).n_searched == 2
    withdraw(skopje, tmp_path / "back.json", "Sarajevo", [exported.manifest.envelope.serial], "lifted")
    take_in_withdrawal(sarajevo, tmp_path / "back.json")
    backup(sarajevo.library, copy)
    assert [path.name for path in (copy / "exchange" / package.folder.name).rglob("*") if path.is_file()] == [
        "manifest.json"
    ]


def test_firearms_of_a_registry_and_their_events_arrive_without_notes(laboratories, tmp_path):
    skopje, sarajevo = laboratories
    registry = Registry(skopje.library, skopje.key)
    stolen = Firearm(kind="pistol", make="Zastava", calibre="9x19", serial="12?456", note="secret-17")
    number = registry.add("MK", RegistryEntry("A-7", stolen, ()), "AB")
    registry.report(number, RegistryEvent("stolen", "2025-11", "Bitola", note="secret-17"), "AB")
    extracts = [RegistryExtract(registry, [number], name) for name in ("firearms", "events")]
    _, package, _ = send(skopje, sarajevo, tmp_path / "a.package", extracts=extracts)
    (firearm,), (event,) = (list(extract_rows(package, name)) for name in ("firearms", "events"))
    assert (firearm["source"], firearm["make"], firearm["serial"]) == ("MK", "Zastava", "12?456")
    said = {"kind": "stolen", "on": "2025-11", "unit": "Bitola", "place": "", "reference": ""}
    assert event == {"source": "MK", "source_key": "A-7", **said}
    assert not any("secret-17" in str(row) for row in (firearm, event))
    graph = registry_graph([registry.show(number)], "MK")
    assert [(entity.kind, entity.label) for entity in graph.entities] == [
        ("firearm", "Zastava 12?456"),
        ("incident", "stolen: Zastava 12?456"),
    ]
    assert [(found.kind, found.date) for found in graph.events] == [("stolen", "2025-11")]
