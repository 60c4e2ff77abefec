"""Withdrawn packages: the sender takes them back, the recipient searches them no more and deletes what they held."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ballistics.errors import CorruptFileError, ParameterError
from ballistics.exchange.desk import EXPORT, IMPORT, RECEIVED, SENT, WITHDRAWN, Desk, field_of
from ballistics.exchange.envelope import (
    WITHDRAWAL,
    checked_text,
    new_envelope,
    read_signed,
    refuse_envelope,
    serial_of,
    signed,
    text_of,
)
from ballistics.exchange.package import MANIFEST, remove_extracted
from ballistics.exchange.partners import Partner, partner_named, sender_of
from ballistics.files import written_whole
from ballistics.records import Entry, RefusedError, View, now

_MOST_PACKAGES = 10_000
#: A withdrawal does not lapse.
_UNTIL = "9999-12-31"


def withdraw(desk: Desk, path: Path, recipient: str, packages: Sequence[str], reason: str) -> Entry:
    """Take packages back from a partner: record it, and write the signed list for the partner.

    Every later package for the partner names them too, in its manifest.

    Parameters
    ----------
    desk : Desk
        Of the laboratory that sent them.
    path : Path
        A file that does not exist.
    recipient : str
        The partner, see `ballistics.exchange.partners.partner_named`.
    packages : sequence of str
        Their serial numbers.
    reason : str
        Why, for both logs.

    Raises
    ------
    ParameterError
        When one was not exported to that partner.
    """
    partner = partner_named(desk, recipient)
    listed = sorted(set(packages))
    words = checked_text("reason", reason)
    with desk.log.view() as view:
        for serial in listed:
            export = view.current(EXPORT, serial)
            if export is None or export.body.get("recipient") != partner.library:
                raise ParameterError(f"package {serial[:8]}… was not exported to {partner.laboratory}")
    if not listed:
        raise ParameterError("name the packages that are withdrawn")
    envelope = new_envelope(WITHDRAWAL, desk.identifier, desk.laboratory(), desk.key, partner.library, _UNTIL)
    body = {"direction": SENT, "library": partner.library, "packages": listed, "reason": words}
    with written_whole(path, overwrite=False) as temporary:
        temporary.write_bytes(signed(desk.key, envelope, {"packages": listed, "reason": words}))
        return desk.log.append(desk.key, WITHDRAWN, envelope.serial, body)


def take_in_withdrawal(desk: Desk, path: Path) -> Entry:
    """Honour a partner's signed list of withdrawn packages.

    Raises
    ------
    RefusedError
        When it is of an unknown key, for another laboratory, or was taken in.
    """
    file = read_signed(path, path.name, WITHDRAWAL)
    packages = serials_of(file.fields.get("packages"), path.name)
    reason = text_of(file.fields, "reason", path.name)
    with desk.log.view() as view:
        partner = sender_of(view, file, path.name)
        refuse_envelope(file.envelope, desk.identifier, now())
    return honour(desk, partner, packages, file.envelope.serial, reason)


def honour(desk: Desk, partner: Partner, packages: Sequence[str], serial: str, reason: str) -> Entry:
    """Record a withdrawal, and delete what the packages held; their manifests stay.

    Parameters
    ----------
    desk : Desk
        Of the laboratory that took them in.
    partner : Partner
        Who withdraws them; only its own packages are meant.
    packages : sequence of str
        Their serial numbers; also of packages that were not taken in, which never will be.
    serial : str
        Of the file that says so.
    reason : str
        Why.
    """
    body = {"direction": RECEIVED, "library": partner.library, "packages": list(packages), "reason": reason}
    entry = desk.log.append(desk.key, WITHDRAWN, f"{partner.library}/{serial}", body)
    with desk.log.view() as view:
        imports = [view.current(IMPORT, f"{partner.library}/{package}") for package in packages]
    for found in imports:
        if found is not None:
            remove_extracted(desk.folder / field_of(found.body, "manifest", str, found.number), keep=[MANIFEST])
    return entry


def withdrawn_from(view: View, recipient: str) -> list[str]:
    """Return the serial numbers of all packages that this laboratory has withdrawn from a partner."""
    found: set[str] = set()
    for entry in view.records(WITHDRAWN):
        if entry.body.get("direction") == SENT and entry.body.get("library") == recipient:
            found |= set(map(str, field_of(entry.body, "packages", list, entry.number)))
    return sorted(found)


def withdrawn_packages(view: View) -> set[tuple[str, str]]:
    """Return library and serial number of every package that a partner has withdrawn."""
    found = set()
    for entry in view.records(WITHDRAWN):
        if entry.body.get("direction") == RECEIVED:
            library = field_of(entry.body, "library", str, entry.number)
            packages = field_of(entry.body, "packages", list, entry.number)
            found |= {(library, str(serial)) for serial in packages}
    return found


def serials_of(value: Any, where: str) -> list[str]:
    """Return a list of serial numbers; `CorruptFileError` when it is none, `RefusedError` when it is too long."""
    if not isinstance(value, list):
        raise CorruptFileError(f"{where} does not list packages by their serial numbers")
    if len(value) > _MOST_PACKAGES:
        raise RefusedError(f"{where} lists {len(value)} packages, {_MOST_PACKAGES} at most")
    return [serial_of(serial, where) for serial in value]
