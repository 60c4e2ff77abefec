"""What comes into a laboratory: a package is taken in as it was signed, or refused, and then nothing has changed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import uuid4

from ballistics.errors import BallisticsError, CorruptFileError, ReadError, WriteError
from ballistics.exchange.desk import (
    ANSWERED,
    EXPORT,
    IMPORT,
    RECEIVED,
    RECEIVED_RECEIPT,
    REQUESTED,
    SENT,
    Desk,
    field_of,
)
from ballistics.exchange.envelope import (
    RECEIPT,
    hash_of,
    moment,
    new_envelope,
    read_signed,
    refuse_envelope,
    serial_of,
    signed,
)
from ballistics.exchange.exports import extract_key
from ballistics.exchange.marks import check_marks
from ballistics.exchange.package import (
    MANIFEST,
    Manifest,
    check_extracted,
    extract,
    opened_package,
    read_manifest,
)
from ballistics.exchange.partners import Partner, find_partner, sender_of
from ballistics.exchange.printed import ROWS as PRINTED_ROWS
from ballistics.exchange.printed import STACK, check_printed, printed_collection
from ballistics.exchange.rows import Row, read_rows
from ballistics.exchange.withdrawals import honour, withdrawn_packages
from ballistics.files import reason, sync_folder, write_whole
from ballistics.library import PARTNERS, LibraryStore
from ballistics.printed import Collection
from ballistics.provenance import sha256_of_file
from ballistics.records import VALID, Entry, RefusedError, View, now

#: A receipt may be taken in until then.
_RECEIPT_UNTIL = "9999-12-31"


@dataclass(frozen=True)
class TakenIn:
    """A partner's package that was taken in.

    Parameters
    ----------
    partner : Partner
    manifest : Manifest
    folder : Path
        Where it lies, extracted.
    entry : Entry
        Of the log.
    withdrawn : bool
        Whether the partner has withdrawn it.
    """

    partner: Partner
    manifest: Manifest
    folder: Path
    entry: Entry
    withdrawn: bool = False

    def unusable(self, at: str) -> str | None:
        """Return why its contents must not be used at a time; None when they may."""
        if self.withdrawn:
            return "withdrawn by the partner"
        if self.partner.state != VALID:
            return "the partner's keys were revoked"
        return f"expired on {self.manifest.envelope.expires}" if self.manifest.envelope.expires <= at else None


def import_package(desk: Desk, path: Path) -> tuple[TakenIn, bytes]:
    """Take in a partner's package.

    It is read once, extracted into a folder of the library member by member, each held against the signed manifest;
    then what the members say is checked, and the entry of the log written. What is refused leaves nothing behind.

    Parameters
    ----------
    desk : Desk
        Of the laboratory that takes it in.
    path : Path
        The package.

    Returns
    -------
    tuple of (TakenIn, bytes)
        The package, and the signed receipt for the partner.

    Raises
    ------
    RefusedError
        When it is signed by an unknown or revoked key, for another laboratory, expired, withdrawn, or was taken in.
    ReadError
        When it was altered, is of an unknown or later version, or asks for what no package needs.
    """
    file_sha256 = _file_sha256(path)
    with opened_package(path, desk.opening) as (manifest, archive):
        with desk.log.view() as view:
            partner = _accepted(desk, view, manifest, path.name)
        target = _folder_of(desk, manifest)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name[:16]}-{uuid4().hex[:8]}.part")
        try:
            part.mkdir()
            extract(archive, manifest, part, path.name)
            _check_contents(part, manifest, path.name)
            write_whole(part / MANIFEST, archive.read(MANIFEST, limit_bytes=1 << 30))
            # What a process that was stopped before its entry has left.
            shutil.rmtree(target, ignore_errors=True)
            part.rename(target)
            sync_folder(target.parent)
        except OSError as error:
            raise WriteError(f"{desk.folder} cannot be written: {reason(error)}; nothing was taken in") from error
        finally:
            shutil.rmtree(part, ignore_errors=True)
    entry = _recorded(desk, manifest, partner, target, file_sha256)
    with desk.log.view() as view:
        new = set(manifest.withdrawn) - {serial for of, serial in withdrawn_packages(view) if of == partner.library}
    if new:
        honour(desk, partner, sorted(new), manifest.envelope.serial, "named in the manifest of a later package")
    return TakenIn(partner, manifest, target, entry), _receipt(desk, manifest, file_sha256, entry)


def taken_in(library: LibraryStore, view: View) -> Iterator[TakenIn]:
    """Yield all packages that a laboratory has taken in, in the order of its log; their files are not looked at.

    Raises
    ------
    CorruptFileError
        When the manifest of one is missing or is not the one that was recorded.
    """
    withdrawn = withdrawn_packages(view)
    for entry in view.records(IMPORT):
        sender = field_of(entry.body, "library", str, entry.number)
        digest = hash_of(field_of(entry.body, "manifest", str, entry.number), f"entry {entry.number}")
        partner = find_partner(view, sender)
        if partner is None:
            raise CorruptFileError(f"entry {entry.number} of the log is of a partner that was never taken in")
        folder = library.folder / PARTNERS / digest
        try:
            data = (folder / MANIFEST).read_bytes()
        except OSError as error:
            raise CorruptFileError(
                f"{folder / MANIFEST} cannot be read: {reason(error)}; take the folder from a backup"
            ) from error
        manifest = read_manifest(data, str(folder))
        if manifest.sha256 != digest:
            raise CorruptFileError(f"{folder / MANIFEST} is not the one that was taken in; take it from a backup")
        yield TakenIn(partner, manifest, folder, entry, (sender, manifest.envelope.serial) in withdrawn)


def package_of(library: LibraryStore, view: View, serial: str) -> TakenIn:
    """Return the package with a serial number, or its first digits.

    Parameters
    ----------
    library : LibraryStore
        Of the laboratory that took it in.
    view : View
        Of its log.
    serial : str
        Six digits at least.

    Raises
    ------
    RefusedError
        When none or several were taken in.
    """
    found = [package for package in taken_in(library, view) if package.manifest.envelope.serial.startswith(serial)]
    if len(found) != 1 or len(serial) < 6:
        raise RefusedError(
            f"'{serial}' names {len(found)} packages that were taken in: give 6 digits of the serial number at least; "
            "`ballistics exchange list` shows them"
        )
    return found[0]


def extract_rows(package: TakenIn, name: str) -> Iterator[Row]:
    """Yield the rows of a register that a package holds, one at a time.

    Parameters
    ----------
    package : TakenIn
    name : str
        Of the extract, as ``firearms``.
    """
    reason_not = package.unusable(now())
    if reason_not is not None:
        raise RefusedError(f"package {package.manifest.envelope.serial[:8]}… must not be used: it is {reason_not}")
    member = f"extracts/{name}.jsonl"
    if member not in {listed.name for listed in package.manifest.members}:
        raise RefusedError(f"package {package.manifest.envelope.serial[:8]}… holds no rows of '{name}'")
    check_extracted(package.folder, package.manifest, [member])
    yield from read_rows(package.folder / member, f"{package.partner.laboratory}, {name}")


def printed_of(package: TakenIn) -> Collection:
    """Return the signatures of printed parts that a package holds, as a collection to identify parts in.

    Raises
    ------
    RefusedError
        When it must not be used any more, or holds none.
    CorruptFileError
        When it was altered since it was taken in.
    """
    serial = package.manifest.envelope.serial
    reason_not = package.unusable(now())
    if reason_not is not None:
        raise RefusedError(f"package {serial[:8]}… must not be used: it is {reason_not}")
    if not package.manifest.contents.get("printed"):
        raise RefusedError(f"package {serial[:8]}… holds no printed parts")
    check_extracted(package.folder, package.manifest, [PRINTED_ROWS, STACK])
    return printed_collection(package.folder, package.partner.laboratory)


def take_in_receipt(desk: Desk, path: Path) -> Entry:
    """Record a partner's receipt for a package of this laboratory.

    Raises
    ------
    RefusedError
        When it is for another laboratory, of an unknown key, or for a package that was never exported to that partner.
    """
    receipt = read_signed(path, path.name, RECEIPT)
    with desk.log.view() as view:
        partner = sender_of(view, receipt, path.name)
        refuse_envelope(receipt.envelope, desk.identifier, now())
        serial = serial_of(receipt.fields.get("package"), path.name)
        export = view.current(EXPORT, serial)
    stated = {name: receipt.fields.get(name) for name in ("manifest", "file")}
    if export is None or export.body.get("recipient") != partner.library:
        raise RefusedError(f"{path.name} is for package {serial[:8]}…, which was never exported to that laboratory")
    if any(export.body.get(name) != value for name, value in stated.items()):
        raise RefusedError(f"{path.name} is for another package than the one that was exported as {serial[:8]}…")
    body = {"library": partner.library, "package": serial, **stated, "created": receipt.envelope.created}
    return desk.log.append(desk.key, RECEIVED_RECEIPT, f"{partner.library}/{serial}", body)


def _file_sha256(path: Path) -> str:
    try:
        return sha256_of_file(path)
    except OSError as error:
        raise ReadError(f"{path} cannot be read: {reason(error)}") from error


def _accepted(desk: Desk, view: View, manifest: Manifest, where: str) -> Partner:
    """Return the partner whose package may be taken in; raise `RefusedError` when it must not."""
    envelope = manifest.envelope
    partner = find_partner(view, envelope.library)
    if partner is None or manifest.public.hex() not in partner.keys:
        raise RefusedError(
            f"{where} is signed by an unknown key, {envelope.key[:12]}… of '{envelope.laboratory}': take in that "
            "laboratory's card first (`ballistics exchange partner`), after comparing its fingerprint"
        )
    if partner.state != VALID:
        raise RefusedError(f"{where} is of {partner.laboratory}, whose keys were revoked")
    refuse_envelope(envelope, desk.identifier, now())
    if (partner.library, envelope.serial) in withdrawn_packages(view):
        raise RefusedError(f"{where} was withdrawn by {partner.laboratory}: ask for a new one")
    known = view.current(IMPORT, record_of(manifest))
    if known is not None:
        raise RefusedError(
            f"{where} was taken in already, in entry {known.number} of the log on {known.time}: its serial number "
            f"{envelope.serial[:8]}… was seen"
        )
    if manifest.answers:
        refuse_unasked(view, manifest.answers, partner.library, where)
    return partner


def refuse_unasked(view: View, request: str, library: str, where: str) -> None:
    """Raise `RefusedError` when an answer is to nothing that this laboratory has asked a partner, or a second one.

    Parameters
    ----------
    view : View
        Of this laboratory's log.
    request : str
        Serial number of the request.
    library : str
        Of the partner that answers.
    where : str
        The answer's name, for messages.
    """
    asked = view.current(REQUESTED, request)
    if asked is None or asked.body.get("library") != library or asked.body.get("direction") != SENT:
        raise RefusedError(f"{where} answers request {request[:8]}…, which was never made of that laboratory")
    answered = view.current(ANSWERED, request)
    if answered is not None:
        raise RefusedError(f"{where} answers request {request[:8]}…, which was answered on {answered.time}")


def record_of(manifest: Manifest) -> str:
    """Return under which identifier the log records the import of a package."""
    return f"{manifest.envelope.library}/{manifest.envelope.serial}"


def _folder_of(desk: Desk, manifest: Manifest) -> Path:
    return desk.folder / manifest.sha256


def _check_contents(folder: Path, manifest: Manifest, where: str) -> None:
    check_marks(folder, manifest, where)
    check_printed(folder, manifest, where)
    for member in manifest.members:
        room, _, name = member.name.partition("/")
        if room == "extracts":
            stem = name.removesuffix(".jsonl")
            rows = sum(1 for _ in read_rows(folder / member.name, f"{where}, {member.name}"))
            if not name.endswith(".jsonl") or manifest.contents.get(extract_key(stem)) != rows:
                raise CorruptFileError(f"{where}: '{member.name}' is not what the manifest says")


def _recorded(desk: Desk, manifest: Manifest, partner: Partner, target: Path, file_sha256: str) -> Entry:
    body = {
        "library": partner.library,
        "laboratory": partner.laboratory,
        **asdict(manifest.terms),
        "created": manifest.envelope.created,
        "manifest": manifest.sha256,
        "file": file_sha256,
        "answers": manifest.answers,
        "contents": dict(manifest.contents),
    }
    try:
        entry = desk.log.append(desk.key, IMPORT, record_of(manifest), body)
    except BallisticsError:
        # Another process may have recorded the very package meanwhile: then the folder is its own.
        with desk.log.view() as view:
            known = view.current(IMPORT, record_of(manifest))
        if known is None or known.body.get("manifest") != manifest.sha256:
            shutil.rmtree(target, ignore_errors=True)
        raise
    if manifest.answers:
        answer = {"direction": RECEIVED, "outcome": "given", "library": partner.library, "request": manifest.answers}
        answer["package"] = manifest.envelope.serial
        desk.log.append(desk.key, ANSWERED, manifest.answers, answer)
    return entry


def _receipt(desk: Desk, manifest: Manifest, file_sha256: str, entry: Entry) -> bytes:
    envelope = new_envelope(
        RECEIPT,
        desk.identifier,
        desk.laboratory(),
        desk.key,
        manifest.envelope.library,
        moment(_RECEIPT_UNTIL),
    )
    fields = {
        "package": manifest.envelope.serial,
        "manifest": manifest.sha256,
        "file": file_sha256,
        "entry": entry.number,
        "entry_sha256": entry.hash,
    }
    return signed(desk.key, envelope, fields)
