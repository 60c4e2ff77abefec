"""A zip archive without its directory: what its local headers still lead to becomes a whole archive, within limits."""

from __future__ import annotations

import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ballistics.errors import CorruptFileError, HostileFileError
from ballistics.files import SafeArchive
from ballistics.findings import Finding
from ballistics.printed.content.bounds import text_of

_LOCAL, _DESCRIPTOR = b"PK\x03\x04", b"PK\x07\x08"
_STORED, _DEFLATED = 0, 8
_ENCRYPTED_FLAG, _SIZES_FOLLOW_FLAG = 1, 8
_ZIP64 = 0x0001
_MOST_MEMBERS = 10_000
_LIMIT_BYTES = 1 << 30
_IN_MEMORY_BYTES = 32 << 20
_PIECE_BYTES = 1 << 18
_MOST_PACKED = 100
_BOMB_LEAST_BYTES = 16 << 20


@dataclass(frozen=True)
class _Header:
    name: str
    flags: int
    method: int
    checksum: int
    packed: int


def with_directory(file: BinaryIO, findings: list[Finding]) -> BinaryIO:
    """Return a zip archive as it is, or, where its directory was cut off, one of what its local headers lead to.

    Parameters
    ----------
    file : binary file
        Open at its start; begins with a local header.
    findings : list of Finding
        Is added to: ``ends-in-the-middle``, with how many members are whole and which one is cut.

    Raises
    ------
    CorruptFileError, HostileFileError
        Nothing can be had of it, or far too much comes out.

    Notes
    -----
    PKWARE APPNOTE 6.3.10, 4.3.7. Members are copied unpacked, up to where the file ends; nothing is made up.
    """
    try:
        SafeArchive(file)
    except CorruptFileError as error:
        problem = error
    else:
        file.seek(0)
        return file
    found = tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115 (the caller closes it)
    try:
        whole, cut = _copied(file, found)  # type: ignore[arg-type]  # a BinaryIO but for its class
    except BaseException:
        found.close()
        raise
    if not whole and not cut:
        found.close()
        raise CorruptFileError(f"{problem}; no member of it can be read either")
    message = f"the archive has lost its directory: it is truncated; {whole} members are whole"
    message += f", and {text_of(cut, 120)!r} is cut off" if cut else ""
    findings.append(Finding("ends-in-the-middle", "serious", message, "read as far as it goes; ask for the whole file"))
    found.seek(0)
    return found  # type: ignore[return-value]  # a BinaryIO but for its class


def _copied(file: BinaryIO, into: BinaryIO) -> tuple[int, str]:
    """Copy the members of an archive; return how many are whole, and the name of the one that is cut."""
    file.seek(0)
    names: set[str] = set()
    cut = ""
    made = 0
    with zipfile.ZipFile(into, "w") as archive:
        while not cut and (header := _next_header(file)) is not None:
            if header.name in names or len(names) >= _MOST_MEMBERS:
                raise HostileFileError(f"the archive holds {text_of(header.name, 80)!r} twice, or too many members")
            names.add(header.name)
            if header.flags & _ENCRYPTED_FLAG or header.method not in (_STORED, _DEFLATED):
                cut = header.name  # what follows cannot be told from what is packed
                break
            member = _Unpacked(file, header)
            with archive.open(zipfile.ZipInfo(header.name), "w", force_zip64=True) as target:
                for piece in member:
                    made += len(piece)
                    if made > _LIMIT_BYTES or (made > _BOMB_LEAST_BYTES and made > _MOST_PACKED * file.tell()):
                        raise HostileFileError(f"the archive unpacks to {made} bytes and more: a zip bomb, not data")
                    target.write(piece)
            cut = "" if member.whole else header.name
    return len(names) - bool(cut), cut


def _next_header(file: BinaryIO) -> _Header | None:
    """Return the local header where the file stands; None where there is none, or not all of one."""
    fixed = file.read(30)
    if len(fixed) < 30 or not fixed.startswith(_LOCAL):
        return None
    flags, method = struct.unpack_from("<HH", fixed, 6)
    checksum, packed, _ = struct.unpack_from("<LLL", fixed, 14)
    name_length, extra_length = struct.unpack_from("<HH", fixed, 26)
    name, extra = file.read(name_length), file.read(extra_length)
    if len(name) < name_length or len(extra) < extra_length or not name:
        return None
    if packed == 0xFFFFFFFF:
        at = 0
        while at + 4 <= len(extra):
            kind, length = struct.unpack_from("<HH", extra, at)
            if kind == _ZIP64 and length >= 16:
                _, packed = struct.unpack_from("<QQ", extra, at + 4)
            at += 4 + length
    return _Header(name.decode("utf-8", "replace"), flags, method, checksum, packed)


class _Unpacked:
    """Yields the bytes of the member behind a header; ``whole`` says afterwards whether its end is there."""

    def __init__(self, file: BinaryIO, header: _Header) -> None:
        self.whole = False
        self._file = file
        self._header = header
        self._check = 0

    def __iter__(self) -> Iterator[bytes]:
        open_ended = bool(self._header.flags & _SIZES_FOLLOW_FLAG)
        pieces = self._stored() if self._header.method == _STORED else self._inflated(open_ended)
        for piece in pieces:
            self._check = zlib.crc32(piece, self._check)
            yield piece
        if self.whole and not open_ended and self._check != self._header.checksum:
            self.whole = False

    def _stored(self) -> Iterator[bytes]:
        left = self._header.packed
        while left and (piece := self._file.read(min(left, _PIECE_BYTES))):
            left -= len(piece)
            yield piece
        # Without its length in front of it, a stored member has no end that can be told.
        self.whole = not left and not self._header.flags & _SIZES_FOLLOW_FLAG

    def _inflated(self, open_ended: bool) -> Iterator[bytes]:
        unpacker = zlib.decompressobj(-15)
        start = self._file.tell()
        used = 0
        while not unpacker.eof and (piece := self._file.read(_PIECE_BYTES)):
            used += len(piece)
            while piece and not unpacker.eof:
                try:
                    data = unpacker.decompress(piece, _PIECE_BYTES)
                except zlib.error:
                    return
                if data:
                    yield data
                piece = unpacker.unconsumed_tail
        self.whole = unpacker.eof
        end = start + used - len(unpacker.unused_data)
        self._file.seek(end)
        if open_ended and self.whole:
            after = self._file.read(24)
            self._file.seek(end + _descriptor_length(after))


def _descriptor_length(after: bytes) -> int:
    """Return the length of a data descriptor by what follows it: with or without signature, of 32 or 64 bits."""
    lengths = (16, 24) if after.startswith(_DESCRIPTOR) else (12, 20)
    return next((n for n in lengths if after[n : n + 2] == b"PK"), lengths[0])
