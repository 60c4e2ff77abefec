"""A package: a zip archive whose first member, the signed manifest, names every other by size and SHA-256.

Members are stored as they are, never compressed: a member cannot grow when it is read, and the size of the file bounds
what it can ask for. A package is extracted into a folder member by member, each held against the manifest while it is
copied: what the manifest does not name never reaches the disk.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from ballistics.errors import CorruptFileError, HostileFileError, ParameterError, ReadError
from ballistics.exchange.encryption import OpeningKey, decrypt, encrypt, is_encrypted
from ballistics.exchange.envelope import (
    PACKAGE,
    Envelope,
    SignedFile,
    checked_text,
    hash_of,
    read_signed,
    serial_of,
    signed,
    text_of,
)
from ballistics.files import SafeArchive, real_path, reason, sync_folder, written_whole
from ballistics.provenance import sha256_of_file
from ballistics.records import RefusedError, SigningKey

MANIFEST = "manifest.json"
#: A package with more members, or more bytes, is refused before anything is read.
MOST_MEMBERS = 20_000
MOST_BYTES = 64 << 30
_MOST_MANIFEST_BYTES = 8 << 20
# Folder and name; neither begins with a dot, and Windows can write both.
_NAME = re.compile(r"(marks|scans|printed|extracts)/[a-z0-9][a-z0-9_-]{0,60}(\.[a-z0-9]{1,12}){1,2}\Z")
_DATE = (1980, 1, 1, 0, 0, 0)
_COPIED_BYTES = 1 << 20


@dataclass(frozen=True)
class Terms:
    """On what terms a package is given to a partner.

    Parameters
    ----------
    purpose : str
        What for.
    legal_basis : str
        The law, agreement or order that allows it.
    handling : str
        The handling code that the recipient must keep to, 40 characters at most.
    expires : str
        The last day (``2027-01-31``), or the time, of its use.
    """

    purpose: str
    legal_basis: str
    handling: str
    expires: str

    def checked(self) -> Terms:
        """Return the terms without blanks around them; `ParameterError` when one is not stated."""
        return Terms(
            checked_text("purpose", self.purpose),
            checked_text("legal basis", self.legal_basis),
            checked_text("handling code", self.handling, 40),
            self.expires,
        )


@dataclass(frozen=True)
class Member:
    """A file in a package.

    Parameters
    ----------
    name : str
        Folder and name, in small letters: ``marks/rows.jsonl``.
    bytes : int
        Its size.
    sha256 : str
        Of its content.
    """

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a package says of itself.

    Parameters
    ----------
    envelope : Envelope
        Who sends it to whom, until when it may be used.
    terms : Terms
    answers : str
        Serial number of the request that it answers; empty when it answers none.
    withdrawn : tuple of str
        Serial numbers of the sender's earlier packages that the recipient must use no more.
    contents : mapping of str to int
        How many marks, scans, printed signatures, and rows of each extract it holds.
    members : tuple of Member
    sha256 : str
        Of the canonical manifest, which was signed.
    public : bytes
        The key that signed it.
    """

    envelope: Envelope
    terms: Terms
    answers: str
    withdrawn: tuple[str, ...]
    contents: Mapping[str, int]
    members: tuple[Member, ...]
    sha256: str
    public: bytes


@dataclass(frozen=True)
class Part:
    """A file that is to go into a package.

    Parameters
    ----------
    name : str
        As of `Member`.
    source : bytes or Path
        Its content, or where it lies.
    """

    name: str
    source: bytes | Path


def write_package(
    path: Path,
    key: SigningKey,
    envelope: Envelope,
    terms: Terms,
    parts: Sequence[Part],
    contents: Mapping[str, int],
    record: Callable[[Manifest, str], None],
    answers: str = "",
    withdrawn: Sequence[str] = (),
    opening: bytes | None = None,
) -> tuple[Manifest, str]:
    """Write a package, whole or not at all.

    Parameters
    ----------
    path : Path
        A file that does not exist.
    key : SigningKey
        That signs the manifest.
    envelope : Envelope
        From `new_envelope`, of schema `PACKAGE`.
    terms : Terms
    parts : sequence of Part
        In the order in which they are to lie in the archive.
    contents : mapping of str to int
        As of `Manifest`.
    record : callable
        Told the manifest and the SHA-256 of the file before the file has its name: what it raises, prevents that.
    answers : str
        Serial number of the request that it answers.
    withdrawn : sequence of str
        As of `Manifest`.
    opening : bytes, optional
        Public key of the recipient, to encrypt for it.

    Returns
    -------
    tuple of (Manifest, str)
        The manifest, and the SHA-256 of the file.

    Raises
    ------
    WriteError
        When the file exists or cannot be written.
    ReadError
        When a part cannot be read, or changes meanwhile.
    """
    members = tuple(_member(part) for part in parts)
    fields = {
        "purpose": terms.purpose,
        "legal_basis": terms.legal_basis,
        "handling": terms.handling,
        "answers": answers,
        "withdrawn": list(withdrawn),
        "contents": dict(contents),
        "members": [asdict(member) for member in members],
    }
    data = signed(key, envelope, fields)
    manifest = read_manifest(data, str(path))
    with written_whole(path, overwrite=False) as temporary:
        if opening is None:
            with open(temporary, "wb") as file:
                _write_zip(file, data, parts, members)
        else:
            with tempfile.TemporaryFile(dir=temporary.parent) as plain, open(temporary, "wb") as file:
                _write_zip(plain, data, parts, members)
                plain.seek(0)
                encrypt(plain, file, opening)
        file_sha256 = sha256_of_file(temporary)
        record(manifest, file_sha256)
    return manifest, file_sha256


def read_manifest(data: bytes, where: str) -> Manifest:
    """Read a manifest and check its signature and its form.

    Raises
    ------
    CorruptFileError, UnsupportedFormatError
        As of `read_signed`; or its members or terms are not those of a package.
    HostileFileError
        When a member's name is not one that packages have.
    """
    file: SignedFile = read_signed(data, f"{where}, its manifest", PACKAGE)
    fields, texts = file.fields, {}
    for name, most in (("purpose", 2000), ("legal_basis", 2000), ("handling", 40), ("answers", 32)):
        texts[name] = text_of(fields, name, where, most)
    listed, contents = fields.get("members"), fields.get("contents")
    if not isinstance(listed, list) or len(listed) > MOST_MEMBERS:
        raise CorruptFileError(f"{where}: the manifest does not list its members")
    if not isinstance(contents, dict) or any(type(n) is not int or n < 0 for n in contents.values()):
        raise CorruptFileError(f"{where}: the manifest does not say what the package holds")
    withdrawn = fields.get("withdrawn")
    if not isinstance(withdrawn, list):
        raise CorruptFileError(f"{where}: the manifest does not say which packages were withdrawn")
    members = tuple(_listed(item, where) for item in listed)
    if len({member.name for member in members}) < len(members):
        raise HostileFileError(f"{where}: the manifest names a member twice")
    if sum(member.bytes for member in members) > MOST_BYTES:
        raise HostileFileError(f"{where}: its members are said to take more than {MOST_BYTES} bytes")
    terms = Terms(texts["purpose"], texts["legal_basis"], texts["handling"], file.envelope.expires)
    if texts["answers"]:
        serial_of(texts["answers"], where)
    return Manifest(
        file.envelope,
        terms,
        texts["answers"],
        tuple(serial_of(serial, where) for serial in withdrawn),
        contents,
        members,
        file.sha256,
        file.public,
    )


@contextmanager
def opened_package(path: Path, opening: OpeningKey | None) -> Iterator[tuple[Manifest, SafeArchive]]:
    """Give the manifest and the archive of a package; nothing but the manifest was read yet.

    Parameters
    ----------
    path : Path
        The package's file.
    opening : OpeningKey or None
        This laboratory's, for an encrypted one.

    Raises
    ------
    ReadError
        When it cannot be read, or is no package.
    ParameterError
        When it is encrypted and no key was given.
    """
    where = path.name
    with ExitStack() as opened:
        try:
            file: BinaryIO = opened.enter_context(open(path, "rb"))
            if is_encrypted(path):
                if opening is None:
                    raise ParameterError(f"{where} is encrypted: give the laboratory's opening key (--opening-key)")
                # Beside the package: one with many scans may not fit into the system's temporary folder.
                folder = real_path(path).parent
                plain = opened.enter_context(tempfile.TemporaryFile(dir=folder if os.access(folder, os.W_OK) else None))
                decrypt(file, plain, opening, where)
                plain.seek(0)
                file = plain
        except OSError as error:
            raise ReadError(f"{path} cannot be read: {reason(error)}") from error
        yield _of_archive(file, where)


def extract(archive: SafeArchive, manifest: Manifest, folder: Path, where: str) -> None:
    """Copy the members of a package into a folder, each held against the manifest, and have them on the disk.

    Parameters
    ----------
    archive : SafeArchive
    manifest : Manifest
        Its own.
    folder : Path
        An empty folder.
    where : str
        The package's name, for messages.

    Raises
    ------
    CorruptFileError
        When a member is not the one that was signed.
    """
    folders = {folder}
    for member in manifest.members:
        target = folder / member.name
        target.parent.mkdir(exist_ok=True)
        folders.add(target.parent)
        digest, length = sha256(), 0
        with open(target, "xb") as file:
            for piece in archive.chunks(member.name):
                length += len(piece)
                if length > member.bytes:
                    break
                digest.update(piece)
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        if length != member.bytes or digest.hexdigest() != member.sha256:
            raise CorruptFileError(
                f"{where}: the member '{member.name}' was altered: it is not the one that was signed"
            )
    for made in folders:
        sync_folder(made)


def check_extracted(folder: Path, manifest: Manifest, names: Sequence[str]) -> None:
    """Raise `CorruptFileError` when files of a package that was taken in are not those that were signed.

    Parameters
    ----------
    folder : Path
        Where the package lies.
    manifest : Manifest
    names : sequence of str
        Of its members that are looked at.
    """
    of_name = {member.name: member for member in manifest.members}
    for name in names:
        path = folder / name
        try:
            same = path.stat().st_size == of_name[name].bytes and sha256_of_file(path) == of_name[name].sha256
        except OSError as error:
            raise CorruptFileError(
                f"{path} cannot be read: {reason(error)}; take the package in again, or the folder from a backup"
            ) from error
        if not same:
            raise CorruptFileError(f"{path} was altered since it was taken in; take the package in again")


def _of_archive(file: BinaryIO, where: str) -> tuple[Manifest, SafeArchive]:
    archive = SafeArchive(file)
    names = archive.names()
    if MANIFEST not in names:
        raise CorruptFileError(f"{where} is no package: it has no {MANIFEST}")
    for name in names:
        if archive.is_packed(name):
            raise HostileFileError(
                f"{where}: the member '{name}' is compressed, and unpacks to {archive.size(name)} bytes: members of "
                "packages are never compressed, this may be a zip bomb"
            )
    manifest = read_manifest(archive.read(MANIFEST, limit_bytes=_MOST_MANIFEST_BYTES), where)
    expected = {MANIFEST, *(member.name for member in manifest.members)}
    if set(names) != expected:
        odd = sorted(set(names) ^ expected)[0]
        raise CorruptFileError(
            f"{where} was altered: '{odd}' is " + ("not in its manifest" if odd in names else "missing")
        )
    return manifest, archive


def _write_zip(file: Any, manifest: bytes, parts: Sequence[Part], members: Sequence[Member]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_info(MANIFEST, len(manifest)), manifest)
        for part, member in zip(parts, members, strict=True):
            info = _info(part.name, member.bytes)
            if isinstance(part.source, bytes):
                archive.writestr(info, part.source)
                continue
            with open(part.source, "rb") as source, archive.open(info, "w") as target:
                shutil.copyfileobj(source, target, _COPIED_BYTES)
            if info.file_size != member.bytes:
                raise ReadError(f"{part.source} was changed while it was copied: export again")


def _info(name: str, length: int) -> zipfile.ZipInfo:
    # The same package, the same bytes: no time of day, no rights, no system.
    info = zipfile.ZipInfo(name, _DATE)
    info.create_system, info.external_attr, info.file_size = 3, 0o644 << 16, length
    return info


def _member(part: Part) -> Member:
    if not _NAME.match(part.name):
        raise ParameterError(f"'{part.name}' is not the name of a member of a package")
    if isinstance(part.source, bytes):
        return Member(part.name, len(part.source), sha256(part.source).hexdigest())
    try:
        return Member(part.name, part.source.stat().st_size, sha256_of_file(part.source))
    except OSError as error:
        raise ReadError(f"{part.source} cannot be read: {reason(error)}") from error


def _listed(item: Any, where: str) -> Member:
    if not isinstance(item, dict) or set(item) != {"name", "bytes", "sha256"}:
        raise CorruptFileError(f"{where}: the manifest lists a member without name, size and SHA-256")
    name, length = item["name"], item["bytes"]
    if not isinstance(name, str) or not _NAME.match(name):
        raise HostileFileError(f"{where}: '{str(name)[:80]}' is not a name that members of packages have")
    if type(length) is not int or length < 0:
        raise CorruptFileError(f"{where}: the manifest does not state the size of '{name}'")
    return Member(name, length, hash_of(item["sha256"], where))


def remove_extracted(folder: Path, keep: Sequence[str] = ()) -> None:
    """Delete what was extracted from a package, except some files, from a folder.

    Raises
    ------
    RefusedError
        When a file cannot be deleted; what is left is named.
    """
    try:
        for path in sorted(folder.rglob("*"), reverse=True):
            if path.is_dir():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path.relative_to(folder).as_posix() not in keep:
                path.unlink(missing_ok=True)
        if not keep:
            folder.rmdir()
    except OSError as error:
        raise RefusedError(f"{folder} cannot be deleted: {reason(error)}; see to its permissions") from error
