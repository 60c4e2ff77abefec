"""Requests for the scan of a partner's mark, and their answers: recorded in both laboratories' logs."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ballistics.errors import CorruptFileError, ParameterError
from ballistics.exchange.desk import ANSWERED, EXPORT, RECEIVED, REQUESTED, SENT, Desk, field_of
from ballistics.exchange.envelope import (
    ANSWER,
    REQUEST,
    checked_text,
    moment,
    new_envelope,
    read_signed,
    refuse_envelope,
    serial_of,
    signed,
    text_of,
)
from ballistics.exchange.exports import Exported, Outgoing, export_package
from ballistics.exchange.imports import TakenIn, package_of, refuse_unasked
from ballistics.exchange.marks import MarkSelection, read_marks
from ballistics.exchange.package import Terms, check_extracted
from ballistics.exchange.partners import find_partner, partner_named, sender_of
from ballistics.files import written_whole
from ballistics.library import DESCRIPTION_FIELDS, LibraryStore
from ballistics.records import Entry, Log, RefusedError, View, now

GIVEN, DECLINED = "given", "declined"
_UNTIL = "9999-12-31"


@dataclass(frozen=True)
class Request:
    """A request for a scan, sent or received.

    Parameters
    ----------
    serial : str
        Its serial number.
    direction : {"sent", "received"}
    library, laboratory : str
        The other laboratory.
    package : str
        Serial number of the package in which the mark was found.
    mark : int
        The mark's number in that package.
    terms : Terms
        Of the request.
    own_mark : int
        The mark's number in this library, for a request that was received; else 0.
    answer : str
        ``"given"``, ``"declined"``, or empty while it is open.
    """

    serial: str
    direction: str
    library: str
    laboratory: str
    package: str
    mark: int
    terms: Terms
    own_mark: int
    answer: str


def request_scan(
    desk: Desk, path: Path, package: str, mark: int, terms: Terms, score: float | None, scan: Mapping[str, str]
) -> Request:
    """Ask a partner for the scan of a mark that a search has found, and write the signed request.

    Parameters
    ----------
    desk : Desk
        Of the laboratory that asks.
    path : Path
        A file that does not exist.
    package : str
        Serial number of the package.
    mark : int
        The mark's number in it.
    terms : Terms
        What for, on which legal basis, how the scan will be handled, until when the request holds.
    score : float or None
        Of the template scan; the partner is told.
    scan : mapping
        What was searched for (name, SHA-256), for this laboratory's log alone: the partner is not told.

    Raises
    ------
    RefusedError
        When the package must not be used any more, or holds no such mark.
    """
    terms = terms.checked()
    with desk.log.view() as view:
        found = package_of(desk.library, view, package)
    _usable(found)
    if mark not in range(1, found.manifest.contents.get("marks", 0) + 1):
        raise RefusedError(f"package {package[:8]}… holds no mark {mark}")
    serial_number = found.manifest.envelope.serial
    envelope = new_envelope(REQUEST, desk.identifier, desk.laboratory(), desk.key, found.partner.library, terms.expires)
    fields = {
        "package": serial_number,
        "mark": mark,
        "purpose": terms.purpose,
        "legal_basis": terms.legal_basis,
        "handling": terms.handling,
        "score": score,
    }
    body = {
        **fields,
        "direction": SENT,
        "library": found.partner.library,
        "laboratory": found.partner.laboratory,
        "expires": envelope.expires,
        "scan": dict(scan),
    }
    with written_whole(path, overwrite=False) as temporary:
        temporary.write_bytes(signed(desk.key, envelope, fields))
        entry = desk.log.append(desk.key, REQUESTED, envelope.serial, body)
    return _request(entry, "")


def take_in_request(desk: Desk, path: Path) -> Request:
    """Record a partner's request for a scan.

    Raises
    ------
    RefusedError
        When it is of an unknown key, expired, for another laboratory, was taken in, or asks for a mark that was never
        given to that laboratory.
    """
    file = read_signed(path, path.name, REQUEST)
    where = path.name
    texts = [text_of(file.fields, name, where) for name in ("purpose", "legal_basis", "handling")]
    package = serial_of(file.fields.get("package"), where)
    number, score = file.fields.get("mark"), file.fields.get("score")
    if type(number) is not int or (score is not None and type(score) not in (int, float)):
        raise CorruptFileError(f"{where} does not say which mark is meant")
    with desk.log.view() as view:
        partner = sender_of(view, file, where)
        refuse_envelope(file.envelope, desk.identifier, now())
        export = view.current(EXPORT, package)
    marks = [] if export is None else field_of(export.body, "marks", list, export.number)
    if export is None or export.body.get("recipient") != partner.library or number not in range(1, len(marks) + 1):
        raise RefusedError(f"{where} asks for a mark that was never given to {partner.laboratory}")
    body = {
        "direction": RECEIVED,
        "library": partner.library,
        "laboratory": partner.laboratory,
        "package": package,
        "mark": number,
        "own_mark": marks[number - 1],
        "purpose": texts[0],
        "legal_basis": texts[1],
        "handling": texts[2],
        "score": score,
        "expires": file.envelope.expires,
        "file": file.sha256,
    }
    record = f"{partner.library}/{file.envelope.serial}"
    return _request(desk.log.append(desk.key, REQUESTED, record, body), "")


def answer_request(
    desk: Desk, path: Path, serial: str, scan: Path | None, terms: Terms, encrypted: bool = True
) -> Exported:
    """Answer a request with a package that holds the scan.

    Parameters
    ----------
    desk : Desk
        Of the laboratory that was asked.
    path : Path
        A file that does not exist.
    serial : str
        Of the request, or its first digits.
    scan : Path or None
        The scan's file: the one that was enrolled, by its SHA-256. None: the file that casework keeps under it.
    terms : Terms
        On which it is given.
    encrypted : bool
        As of `export_package`.

    Raises
    ------
    RefusedError
        When the request has expired, or was answered.
    """
    request = open_request(desk, serial)
    own = [request.own_mark]
    scan = _kept_scan(desk, request.own_mark) if scan is None else scan
    marks = MarkSelection(own, DESCRIPTION_FIELDS, {request.own_mark: scan})
    exported = export_package(desk, path, request.library, terms, Outgoing(marks), encrypted, request.serial)
    body = {"direction": SENT, "outcome": GIVEN, "library": request.library, "request": request.serial}
    body["package"] = exported.manifest.envelope.serial
    desk.log.append(desk.key, ANSWERED, f"{request.library}/{request.serial}", body)
    return exported


def decline_request(desk: Desk, path: Path, serial: str, reason: str) -> Entry:
    """Answer a request with the reason why the scan is not given, as a signed file.

    Parameters
    ----------
    desk : Desk
        Of the laboratory that was asked.
    path : Path
        A file that does not exist.
    serial : str
        Of the request, or its first digits.
    reason : str
        For both logs.
    """
    request = open_request(desk, serial)
    words = checked_text("reason", reason)
    partner = partner_named(desk, request.library)
    envelope = new_envelope(ANSWER, desk.identifier, desk.laboratory(), desk.key, partner.library, moment(_UNTIL))
    body = {"direction": SENT, "outcome": DECLINED, "library": request.library, "request": request.serial}
    with written_whole(path, overwrite=False) as temporary:
        temporary.write_bytes(signed(desk.key, envelope, {"request": request.serial, "reason": words}))
        record = f"{request.library}/{request.serial}"
        return desk.log.append(desk.key, ANSWERED, record, {**body, "reason": words})


def take_in_answer(desk: Desk, path: Path) -> Entry:
    """Record that a partner has declined a request; a scan that is given comes as a package.

    Raises
    ------
    RefusedError
        When it answers no open request of this laboratory.
    """
    file = read_signed(path, path.name, ANSWER)
    request = serial_of(file.fields.get("request"), path.name)
    words = text_of(file.fields, "reason", path.name)
    with desk.log.view() as view:
        partner = sender_of(view, file, path.name)
        refuse_envelope(file.envelope, desk.identifier, now())
        refuse_unasked(view, request, partner.library, path.name)
    body = {"direction": RECEIVED, "outcome": DECLINED, "library": partner.library, "reason": words}
    return desk.log.append(desk.key, ANSWERED, request, {**body, "request": request})


def requests(view: View) -> list[Request]:
    """Return all requests, sent and received, in the order of the log."""
    found = []
    for entry in view.records(REQUESTED):
        answer = view.current(ANSWERED, entry.record)
        found.append(_request(entry, "" if answer is None else str(answer.body.get("outcome", ""))))
    return found


def open_request(desk: Desk, serial: str) -> Request:
    """Return a request that was received and is not answered, by its serial number or first digits.

    Raises
    ------
    RefusedError
        When there is none, it has expired, was answered, or the partner's keys were revoked.
    """
    with desk.log.view() as view:
        found = [
            request
            for request in requests(view)
            if request.direction == RECEIVED and request.serial.startswith(serial) and len(serial) >= 6
        ]
        if len(found) != 1:
            raise RefusedError(f"'{serial}' names {len(found)} requests that were received: give 6 digits at least")
        request = found[0]
        partner = find_partner(view, request.library)
    if request.answer:
        raise RefusedError(f"request {request.serial[:8]}… was answered: {request.answer}")
    if request.terms.expires <= now():
        raise RefusedError(f"request {request.serial[:8]}… has expired, on {request.terms.expires}")
    if partner is None or partner.state != "valid":
        raise RefusedError(f"request {request.serial[:8]}… is of {request.laboratory}, whose keys were revoked")
    return request


def copy_scan(library: LibraryStore, log: Log, package: str, mark: int, path: Path) -> str:
    """Copy a scan out of a partner's package, and return its SHA-256.

    Parameters
    ----------
    library : LibraryStore
        Of the laboratory that took the package in.
    log : Log
        Its log.
    package : str
        Its serial number.
    mark : int
        The mark's number in it.
    path : Path
        A file that does not exist.

    Raises
    ------
    RefusedError
        When the package must not be used any more, or holds no such scan.
    """
    with log.view() as view:
        found = package_of(library, view, package)
    _usable(found)
    if not found.manifest.contents.get("scans"):
        raise RefusedError(
            f"package {package[:8]}… holds templates only: ask for the scan (`ballistics exchange request`)"
        )
    marks = {held.number: held for held in read_marks(found.folder, found.partner.laboratory)}
    if mark not in marks or not marks[mark].scan:
        raise RefusedError(f"package {package[:8]}… holds no scan of a mark {mark}")
    check_extracted(found.folder, found.manifest, [marks[mark].scan])
    with written_whole(path, overwrite=False) as temporary:
        shutil.copyfile(found.folder / marks[mark].scan, temporary)
    return marks[mark].scan_sha256


def _kept_scan(desk: Desk, mark: int) -> Path:
    entry = desk.library.entry(mark)
    path = desk.library.files.path(entry.identity)
    if not path.is_file():
        raise ParameterError(f"the scan of mark {mark}, '{entry.scan}', is not kept by casework: give it (--scan)")
    return path


def _usable(package: TakenIn) -> None:
    reason = package.unusable(now())
    if reason is not None:
        raise RefusedError(f"package {package.manifest.envelope.serial[:8]}… must not be used: it is {reason}")


def _request(entry: Entry, answer: str) -> Request:
    body: Mapping[str, Any] = entry.body

    def text(name: str) -> str:
        return str(field_of(body, name, str, entry.number))

    return Request(
        entry.record.rpartition("/")[2],
        text("direction"),
        text("library"),
        text("laboratory"),
        text("package"),
        field_of(body, "mark", int, entry.number),
        Terms(text("purpose"), text("legal_basis"), text("handling"), text("expires")),
        int(body.get("own_mark", 0)),
        answer,
    )
