"""Whatever comes from a partner: what a file is, and the one place where it is taken in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ballistics.errors import ReadError, UnsupportedFormatError
from ballistics.exchange.desk import Desk
from ballistics.exchange.encryption import is_encrypted
from ballistics.exchange.envelope import ANSWER, PACKAGE, RECEIPT, REQUEST, WITHDRAWAL
from ballistics.exchange.imports import TakenIn, import_package, take_in_receipt
from ballistics.exchange.requests import take_in_answer, take_in_request
from ballistics.exchange.withdrawals import take_in_withdrawal
from ballistics.files import load_json, reason

_MOST_BYTES = 8 << 20


@dataclass(frozen=True)
class Arrived:
    """What was taken in.

    Parameters
    ----------
    schema : str
        What it was: a package, a receipt, a request, an answer, a withdrawal.
    words : str
        In a sentence.
    package : TakenIn or None
        For a package.
    receipt : bytes
        For a package: the signed receipt for the partner; else empty.
    """

    schema: str
    words: str
    package: TakenIn | None = None
    receipt: bytes = b""


def take_in(desk: Desk, path: Path) -> Arrived:
    """Take in a file of a partner, whatever it is; what is refused changes nothing.

    Raises
    ------
    RefusedError
        When it is of an unknown key, for another laboratory, expired, seen before, or asks for what was never given.
    ReadError
        When it was altered, or is none of the files that laboratories exchange.
    """
    schema = schema_of(path)
    if schema == PACKAGE:
        package, receipt = import_package(desk, path)
        held = ", ".join(f"{name}: {number}" for name, number in sorted(package.manifest.contents.items()))
        serial = package.manifest.envelope.serial
        return Arrived(schema, f"package {serial} of {package.partner.laboratory}: {held}", package, receipt)
    if schema == RECEIPT:
        entry = take_in_receipt(desk, path)
        return Arrived(schema, f"receipt for package {entry.body['package']}: entry {entry.number}")
    if schema == REQUEST:
        request = take_in_request(desk, path)
        return Arrived(
            schema,
            f"request {request.serial} of {request.laboratory} for the scan of mark {request.own_mark} of this "
            f"library: {request.terms.purpose} ({request.terms.legal_basis})",
        )
    if schema == ANSWER:
        entry = take_in_answer(desk, path)
        return Arrived(schema, f"request {entry.body['request']} was declined: {entry.body['reason']}")
    if schema == WITHDRAWAL:
        entry = take_in_withdrawal(desk, path)
        return Arrived(schema, f"packages withdrawn: {', '.join(map(str, entry.body['packages']))}")
    raise UnsupportedFormatError(f"{path} is not a file that is taken in here ({schema[:80] or 'of no schema'})")


def schema_of(path: Path) -> str:
    """Return what a file says it is; a zip archive and an encrypted file are packages."""
    try:
        if is_encrypted(path):
            return PACKAGE
        with open(path, "rb") as file:
            if file.read(1).lstrip()[:1] != b"{":
                return PACKAGE
    except OSError as error:
        raise ReadError(f"{path} cannot be read: {reason(error)}") from error
    found = load_json(path, "a signed file", most_bytes=_MOST_BYTES)
    content = found.get("content") if isinstance(found, dict) else None
    return str(content.get("schema", "")) if isinstance(content, dict) else ""
