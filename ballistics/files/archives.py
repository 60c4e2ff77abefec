"""Safe access to a zip archive from outside: nothing leaves it, nothing outgrows its size."""

from __future__ import annotations

import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from ballistics.errors import CorruptFileError, HostileFileError, UnsupportedFormatError

# A scan or a mesh holds a handful of members; a directory of many megabytes is an attack on memory.
_DIRECTORY_LIMIT_BYTES = 4 << 20
# Deflate cannot compress by more than about 1032:1 (zlib's technical details), so a member
# that claims more is lying about its size and is refused before anything is allocated.
_DEFLATE_RATIO = 1040
_BOMB_LEAST_BYTES = 16 << 20
_CHUNK_BYTES = 1 << 20
_UTF8_FLAG = 0x800
_UNICODE_PATH = 0x7075
# What Windows packs names in, when it does not say: the code pages of western, central and eastern Europe.
_CODE_PAGES = ("cp437", "cp850", "cp852", "cp866", "cp1250", "cp1251", "cp1252")
_END_RECORD = b"PK\x05\x06"
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    RuntimeError,
    NotImplementedError,
    UnicodeError,
)


def _directory_bytes(file: BinaryIO) -> int:
    """Return the size of the archive's directory, read from its end records."""
    size = file.seek(0, 2)
    tail_start = max(0, size - 65557)
    file.seek(tail_start)
    tail = file.read(65557)
    at = tail.rfind(_END_RECORD)
    if at < 0 or len(tail) < at + 22:
        raise CorruptFileError("the archive has no end record: the file is truncated; copy it again from its source")
    (directory,) = struct.unpack_from("<L", tail, at + 12)
    if at >= 20 and tail[at - 20 : at - 16] == b"PK\x06\x07" and tail_start + at >= 76:
        file.seek(tail_start + at - 76)
        record = file.read(56)
        if record[:4] == b"PK\x06\x06":
            directory = max(directory if directory != 0xFFFFFFFF else 0, struct.unpack_from("<Q", record, 40)[0])
    return int(directory)


def _names_of(info: zipfile.ZipInfo) -> list[str]:
    """Return the member's name as it was meant, and what it may mean in other code pages.

    PKWARE's APPNOTE 4.6.9: the Unicode path holds where its checksum is that of the name in the directory.
    """
    name = info.orig_filename
    if name.isascii() or info.flag_bits & _UTF8_FLAG:
        return [name]
    raw = name.encode("cp437", "replace")
    extra = info.extra
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        held = extra[4 : 4 + length]
        if kind == _UNICODE_PATH and len(held) > 5 and held[0] == 1:
            (check,) = struct.unpack_from("<L", held, 1)
            if check == zlib.crc32(raw):
                return [held[5:].decode("utf-8", "replace")]
        extra = extra[4 + length :]
    try:
        return [raw.decode("utf-8")]
    except UnicodeDecodeError:
        return list(dict.fromkeys(raw.decode(page, "replace") for page in _CODE_PAGES))


def _spelling(name: str) -> str:
    """Return what two spellings of one name have in common: OPC compares names after decoding, without case."""
    return unicodedata.normalize("NFC", unquote(name.replace("\\", "/"))).lstrip("/").casefold()


def _checked_name(info: zipfile.ZipInfo, raw: str) -> str:
    """Return the member's name with forward slashes, or refuse one that leaves the archive."""
    name = raw.replace("\\", "/")
    if "\0" in raw:
        raise HostileFileError(f"member name {raw!r} holds a NUL byte; do not unpack this file with other tools")
    if name.startswith("/") or (len(name) > 1 and name[1] == ":"):
        raise HostileFileError(f"member name {raw!r} is an absolute path; do not unpack this file with other tools")
    if ".." in name.split("/"):
        raise HostileFileError(f"member name {raw!r} leaves the archive; do not unpack this file with other tools")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise HostileFileError(f"member {raw!r} is a symbolic link; do not unpack this file with other tools")
    return name


class SafeArchive:
    """The members of a zip archive by name.

    Parameters
    ----------
    file : binary file
        An open, seekable file; it stays the caller's.

    Attributes
    ----------
    root : str
        Folder below which names are looked up, ``""`` for the top.
    backslashes : bool
        Whether member names used backslashes (they are read as forward slashes).

    Raises
    ------
    CorruptFileError, HostileFileError, UnsupportedFormatError
        See the messages; nothing has been unpacked then.
    """

    root = ""

    def __init__(self, file: BinaryIO) -> None:
        directory = _directory_bytes(file)
        if directory > _DIRECTORY_LIMIT_BYTES:
            raise HostileFileError(
                f"the archive's directory takes {directory} bytes; files of this kind have a handful of members"
            )
        try:
            self._zip = zipfile.ZipFile(file)
        except _ZIP_ERRORS as error:
            raise CorruptFileError(f"not a readable zip archive: {error}; copy it again from its source") from error
        self.backslashes = False
        self._members = self._collect()

    def _collect(self) -> dict[str, zipfile.ZipInfo]:
        members: dict[str, zipfile.ZipInfo] = {}
        self._spellings: dict[str, set[str]] = {}
        for info in self._zip.infolist():
            names = [_checked_name(info, raw) for raw in dict.fromkeys((*_names_of(info), info.orig_filename))]
            name = names[0]
            self.backslashes |= "\\" in info.orig_filename
            if name.endswith("/"):
                continue
            if name in members:
                raise HostileFileError(
                    f"the archive holds {name!r} twice; two readers could see different evidence in it"
                )
            members[name] = info
            for other in names:
                self._spellings.setdefault(_spelling(other), set()).add(name)
        return members

    def find(self, name: str) -> str | None:
        """Return the member that a name means in another spelling: ``%20``, letter case, Unicode form, code page.

        None when there is none, or more than one.
        """
        if self.has(name):
            return name
        found = self._spellings.get(_spelling(self.root + name), set())
        return next(iter(found)).removeprefix(self.root) if len(found) == 1 else None

    def has(self, name: str) -> bool:
        """Whether the archive holds a member of this name (below the root folder)."""
        return self.root + name in self._members

    def names(self) -> list[str]:
        """Names of the members below the root folder, sorted."""
        return sorted(n.removeprefix(self.root) for n in self._members if n.startswith(self.root))

    def size(self, name: str) -> int:
        """Return the declared size in bytes of a member."""
        return self._info(name).file_size

    def is_packed(self, name: str) -> bool:
        """Return whether a member is compressed, or takes another number of bytes than it says."""
        info = self._info(name)
        return info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size

    def modified(self, name: str) -> str:
        """Return when a member was last changed, as the archive states it: ``"2026-11-30 07:22:10"``."""
        year, month, day, hour, minute, second = self._info(name).date_time
        return f"{year:04d}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}:{second:02d}"

    def refuse_bomb(self, name: str, most_ratio: int) -> None:
        """Refuse a member of more than 16 MiB that was packed better than its kind of content can be.

        Raises
        ------
        HostileFileError
        """
        info = self._info(name)
        if info.file_size > _BOMB_LEAST_BYTES and info.file_size > most_ratio * info.compress_size:
            raise HostileFileError(
                f"member {name!r} unpacks {info.compress_size} bytes to {info.file_size}: a zip bomb, not data"
            )

    def _info(self, name: str) -> zipfile.ZipInfo:
        info = self._members.get(self.root + name)
        if info is None:
            raise CorruptFileError(f"the file names {name!r}, which the archive does not hold")
        if info.flag_bits & 0x41:
            raise UnsupportedFormatError(f"member {name!r} is encrypted; ask for the file without a password")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise UnsupportedFormatError(
                f"member {name!r} is packed by method {info.compress_type}; only deflate is read"
            )
        if info.file_size > info.compress_size * _DEFLATE_RATIO + 64:
            raise CorruptFileError(
                f"member {name!r} claims {info.file_size} bytes but has {info.compress_size} packed ones"
            )
        return info

    @contextmanager
    def _open(self, name: str) -> Iterator[tuple[zipfile.ZipInfo, BinaryIO]]:
        info = self._info(name)
        try:
            with self._zip.open(info) as stream:
                yield info, stream  # type: ignore[misc]  # zipfile types its streams as IO[bytes]
        except _ZIP_ERRORS as error:
            raise CorruptFileError(f"member {name!r} cannot be unpacked: {error}") from error

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield the member's bytes in pieces of 64 KiB; the reader decides when it is too much."""
        with self._open(name) as (_, stream):
            while piece := stream.read(1 << 16):
                yield piece

    def read(self, name: str, *, limit_bytes: int) -> bytes:
        """Return a small member's bytes; refuse one larger than the limit."""
        if self.size(name) > limit_bytes:
            raise HostileFileError(
                f"member {name!r} holds {self.size(name)} bytes, more than the {limit_bytes} it can need"
            )
        return self.read_exactly(name, self.size(name)).tobytes()

    def read_exactly(self, name: str, expected_bytes: int) -> NDArray[np.uint8]:
        """Return a member's bytes; its size must be the one computed from the declared dimensions."""
        info = self._info(name)
        if info.file_size != expected_bytes:
            raise CorruptFileError(
                f"member {name!r} holds {info.file_size} bytes, the declared dimensions need {expected_bytes}"
            )
        buffer = np.empty(expected_bytes, dtype=np.uint8)
        view = memoryview(buffer.data)
        filled = 0
        with self._open(name) as (_, stream):
            while filled < expected_bytes:
                piece = stream.read(min(_CHUNK_BYTES, expected_bytes - filled))
                if not piece:
                    break
                view[filled : filled + len(piece)] = piece
                filled += len(piece)
            stream.read(1)  # reaching the end makes zipfile verify the CRC
        if filled != expected_bytes:
            raise CorruptFileError(f"member {name!r} ends after {filled} of {expected_bytes} bytes")
        return buffer
