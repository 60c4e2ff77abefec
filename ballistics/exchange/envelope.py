"""Signed files between laboratories: who sent what to whom, until when it holds, and why one is refused."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from ballistics.errors import CorruptFileError, ParameterError, UnsupportedFormatError
from ballistics.files import load_json, parse_json
from ballistics.records import RefusedError, SigningKey, canonical, identifier_of, is_signed, now

VERSION = 1
CARD, PACKAGE, RECEIPT = "ballistics/partner-card", "ballistics/package", "ballistics/package-receipt"
REQUEST, ANSWER, WITHDRAWAL = "ballistics/scan-request", "ballistics/scan-answer", "ballistics/withdrawal"
SCHEMAS = (CARD, PACKAGE, RECEIPT, REQUEST, ANSWER, WITHDRAWAL)
#: Clocks of two laboratories may differ by this much.
CLOCK_HOURS = 24
#: The most characters of a text that a person wrote.
MOST_CHARACTERS = 2000
_MOST_BYTES = 8 << 20
_HEX32, _HEX64 = re.compile(r"[0-9a-f]{32}\Z"), re.compile(r"[0-9a-f]{64}\Z")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\Z")


@dataclass(frozen=True)
class Envelope:
    """What every signed file says of itself.

    Parameters
    ----------
    schema : str
        One of `SCHEMAS`.
    version : int
        Of the schema.
    library : str
        Identifier of the sender's library, by which partners know the laboratory.
    laboratory : str
        The sender's name.
    key : str
        Identifier of the key that signed it.
    recipient : str
        Identifier of the recipient's library; empty on a card, which is for everybody.
    serial : str
        Unique, 32 hexadecimal digits: a file that comes again is known by it.
    created, expires : str
        UTC, as ``2026-11-30T21:04:05Z``.
    """

    schema: str
    version: int
    library: str
    laboratory: str
    key: str
    recipient: str
    serial: str
    created: str
    expires: str


@dataclass(frozen=True)
class SignedFile:
    """A signed file whose signature holds; whether its key is a partner's is another question.

    Parameters
    ----------
    envelope : Envelope
    fields : mapping
        The rest of its content.
    public : bytes
        The public half of the key that signed it.
    sha256 : str
        Of the canonical content, which was signed.
    """

    envelope: Envelope
    fields: Mapping[str, Any]
    public: bytes
    sha256: str


def new_envelope(schema: str, library: str, laboratory: str, key: SigningKey, recipient: str, expires: str) -> Envelope:
    """Return the envelope of a file that is written now.

    Parameters
    ----------
    schema : str
        One of `SCHEMAS`.
    library, laboratory : str
        The sender's.
    key : SigningKey
        That signs it.
    recipient : str
        Identifier of the recipient's library.
    expires : str
        See `moment`.

    Raises
    ------
    ParameterError
        When it would have expired already.
    """
    created, until = now(), moment(expires)
    if until <= created:
        raise ParameterError(f"it would have expired on {until}: give a day in the future")
    return Envelope(schema, VERSION, library, laboratory, key.identifier, recipient, uuid.uuid4().hex, created, until)


def moment(text: str) -> str:
    """Return a day (its end) or a time as envelopes state it.

    Examples
    --------
    >>> moment("2027-01-31"), moment("2027-01-31T12:00:00Z")
    ('2027-01-31T23:59:59Z', '2027-01-31T12:00:00Z')
    """
    try:
        if len(text) == 10:
            return f"{date.fromisoformat(text).isoformat()}T23:59:59Z"
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            raise ValueError("it has no time zone")
    except ValueError as error:
        raise ParameterError(f"'{text}' is not a day such as 2027-01-31: {error}") from error
    return found.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def signed(key: SigningKey, envelope: Envelope, fields: Mapping[str, Any]) -> bytes:
    """Return a signed file: canonical JSON (RFC 8785) of content, public key and signature of the content's SHA-256.

    Parameters
    ----------
    key : SigningKey
        Named in the envelope.
    envelope : Envelope
        From `new_envelope`.
    fields : mapping
        What else the file says, such as JSON can hold.
    """
    content = {**fields, **asdict(envelope)}
    digest = sha256(canonical(content)).hexdigest()
    return canonical({"content": content, "public": key.public.hex(), "signature": key.sign(digest)}) + b"\n"


def read_signed(source: Path | bytes, where: str, schema: str) -> SignedFile:
    """Read a signed file, and check its form and its signature.

    Parameters
    ----------
    source : Path or bytes
        The file, or its content.
    where : str
        Its name, for messages.
    schema : str
        What it is expected to be.

    Raises
    ------
    ReadError
        When it cannot be read.
    CorruptFileError
        When it is no such file, or was altered after it was signed.
    UnsupportedFormatError
        For an unknown schema, or one of a later version of this program.
    """
    if isinstance(source, bytes):
        found = parse_json(source[: _MOST_BYTES + 1], where, "a signed file")
    else:
        found = load_json(source, "a signed file", most_bytes=_MOST_BYTES)
    if not isinstance(found, dict) or set(found) != {"content", "public", "signature"}:
        raise CorruptFileError(f"{where} is not a signed file of this program")
    content, public_hex, signature = found["content"], found["public"], found["signature"]
    if not isinstance(content, dict) or not _is(_HEX64, public_hex) or not isinstance(signature, str):
        raise CorruptFileError(f"{where} is not a signed file of this program")
    if content.get("schema") not in SCHEMAS:
        raise UnsupportedFormatError(f"{where} has an unknown schema, '{str(content.get('schema'))[:80]}'")
    if content.get("version") != VERSION:
        raise UnsupportedFormatError(
            f"{where} is of version {str(content.get('version'))[:20]} of its schema, this program reads {VERSION}: "
            "update the program, or ask for an earlier version"
        )
    if content["schema"] != schema:
        raise CorruptFileError(f"{where} is a {_name(content['schema'])}, not a {_name(schema)}")
    try:
        digest = sha256(canonical(content)).hexdigest()
    except ParameterError as error:
        raise CorruptFileError(f"{where}: {error}") from error
    public = bytes.fromhex(public_hex)
    if not is_signed(public, digest, signature):
        raise CorruptFileError(f"{where} was altered after it was signed: its signature does not hold")
    return SignedFile(_envelope(content, public, where), _fields(content), public, digest)


def refuse_envelope(envelope: Envelope, own_library: str, at: str) -> None:
    """Raise `RefusedError` when a file is for another laboratory, has expired, or is of the future.

    Parameters
    ----------
    envelope : Envelope
        Of a file whose signature holds.
    own_library : str
        Identifier of the library that is to take it in.
    at : str
        The time now, UTC.
    """
    what = f"the {_name(envelope.schema)} {envelope.serial[:8]}… of {envelope.laboratory}"
    if envelope.recipient != own_library:
        raise RefusedError(f"{what} is for another laboratory ({envelope.recipient[:8]}…), not for this one")
    if envelope.expires <= at:
        raise RefusedError(f"{what} has expired, on {envelope.expires}: ask for a new one")
    ahead = datetime.fromisoformat(envelope.created) - datetime.fromisoformat(at)
    if ahead > timedelta(hours=CLOCK_HOURS):
        raise RefusedError(f"{what} was made in the future, on {envelope.created}: one of the two clocks is wrong")


def checked_text(name: str, text: str, most: int = MOST_CHARACTERS) -> str:
    """Return a text without the blanks around it.

    Parameters
    ----------
    name : str
        Of the field, for messages.
    text : str
        What a person stated.
    most : int
        How many characters it may have; at least one.

    Raises
    ------
    ParameterError
        When it is empty or too long, or holds characters that do not print.
    """
    bare = text.strip()
    if not 1 <= len(bare) <= most or any(ord(letter) < 32 and letter != "\n" for letter in bare):
        raise ParameterError(f"'{name}' has 1 to {most} printable characters; '{bare[:60]}' has not")
    return bare


def text_of(fields: Mapping[str, Any], name: str, where: str, most: int = MOST_CHARACTERS) -> str:
    """Return a field of a signed file that must be a text.

    Parameters
    ----------
    fields : mapping
        Of `SignedFile`.
    name : str
        Of the field.
    where : str
        The file's name, for messages.
    most : int
        How many characters it may have.

    Raises
    ------
    CorruptFileError
        When it is missing, no text, or too long.
    """
    value = fields.get(name)
    if not isinstance(value, str) or len(value) > most:
        raise CorruptFileError(f"{where}: '{name}' is not a text of {most} characters at most")
    return value


def serial_of(value: Any, where: str) -> str:
    """Return a value that must be a serial number, or the identifier of a library; else `CorruptFileError`."""
    if not _is(_HEX32, value):
        raise CorruptFileError(f"{where}: '{str(value)[:40]}' is not a serial number")
    return str(value)


def hash_of(value: Any, where: str) -> str:
    """Return a value that must be a SHA-256; else `CorruptFileError`."""
    if not _is(_HEX64, value):
        raise CorruptFileError(f"{where}: '{str(value)[:80]}' is not a SHA-256")
    return str(value)


def _envelope(content: Mapping[str, Any], public: bytes, where: str) -> Envelope:
    names = Envelope.__dataclass_fields__
    if not set(names) <= set(content):
        raise CorruptFileError(f"{where} does not say who sent it to whom: {', '.join(set(names) - set(content))}")
    envelope = Envelope(**{name: content[name] for name in names})
    serial_of(envelope.library, where)
    serial_of(envelope.serial, where)
    if envelope.schema != CARD or envelope.recipient:
        serial_of(envelope.recipient, where)
    if not _is(_TIME, envelope.created) or not _is(_TIME, envelope.expires):
        raise CorruptFileError(f"{where} does not say when it was made, or until when it holds")
    try:
        for time in (envelope.created, envelope.expires):
            datetime.fromisoformat(time)
    except ValueError as error:
        raise CorruptFileError(f"{where}: {error}") from error
    text_of(content, "laboratory", where, 200)
    if envelope.key != identifier_of(public):
        raise CorruptFileError(f"{where} names another key than the one that signed it")
    return envelope


def _fields(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name not in Envelope.__dataclass_fields__}


def _name(schema: str) -> str:
    return schema.partition("/")[2].replace("-", " ")


def _is(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.match(value) is not None
