"""The files in a zip archive, and in archives within it, one after the other, within limits that all share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import PurePath
from typing import BinaryIO

from ballistics.errors import HostileFileError, ReadError
from ballistics.files import SafeArchive
from ballistics.findings import Finding
from ballistics.printed.content.bounds import text_of
from ballistics.printed.files.cut_archives import with_directory
from ballistics.printed.files.formats import ARCHIVE, format_of, members_worth_reading

# Archives within archives: a collection that was packed, and packed again with others.
_DEEPEST = 3
_MOST_MEMBERS = 2_000
_LIMIT_BYTES = 4 << 30
_MEMBER_BYTES = 1 << 30
_IN_MEMORY_BYTES = 32 << 20
_MOST_PACKED = 100


@dataclass(frozen=True)
class Member:
    """A file in an archive.

    Parameters
    ----------
    name : str
        From the archive on: ``"box.zip/inner/lid.stl"``.
    data : binary file or None
        Unpacked, at its start; closed when the next member is asked for. None when it cannot be had.
    problem : ReadError or None
        Why not.
    """

    name: str
    data: BinaryIO | None
    problem: ReadError | None = None


class Budget:
    """What may still come out of an archive and of those in it."""

    def __init__(self) -> None:
        self.members = _MOST_MEMBERS
        self.bytes_left = _LIMIT_BYTES

    def take(self, size: int) -> None:
        """Count one member more.

        Raises
        ------
        HostileFileError
        """
        self.members -= 1
        self.bytes_left -= size
        if self.members < 0:
            raise HostileFileError(f"the archive holds more than {_MOST_MEMBERS} models; unpack it and give the folder")
        if self.bytes_left < 0:
            raise HostileFileError(f"the archive unpacks to more than {_LIMIT_BYTES} bytes: a zip bomb, or too large")


def members_of(file: BinaryIO, name: str, budget: Budget, depth: int = 1) -> Iterator[Member]:
    """Yield the models and print jobs of an archive in the order of their names; those of archives in it too.

    Parameters
    ----------
    file : binary file
        The archive.
    name : str
        Of the archive, as the names of the members begin.
    budget : Budget
        Shared by all archives within.
    depth : int
        In how many archives this one lies, itself included.

    Raises
    ------
    HostileFileError
        More comes out than the limits allow.
    CorruptFileError
        The archive cannot be opened.
    """
    archive = SafeArchive(file)
    for member in members_worth_reading(archive):
        shown = f"{name}/{text_of(member.encode('utf-8', 'replace'), 300)}"
        try:
            size = archive.size(member)
            if size > _MEMBER_BYTES:
                raise HostileFileError(f"it unpacks to {size} bytes; more than {_MEMBER_BYTES} are refused")
            archive.refuse_bomb(member, _MOST_PACKED)
        except ReadError as error:
            yield Member(shown, None, error)
            continue
        budget.take(size)
        with closing(tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES)) as data:
            try:
                for piece in archive.chunks(member):
                    data.write(piece)
                data.seek(0)
                inner = _archive_in(data, PurePath(member), depth)  # type: ignore[arg-type]  # a BinaryIO but for its class
            except ReadError as error:
                yield Member(shown, None, error)
                continue
            data.seek(0)
            if inner is None:
                yield Member(shown, data)  # type: ignore[arg-type]  # likewise
            else:
                yield from members_of(inner, shown, budget, depth + 1)


def _archive_in(data: BinaryIO, path: PurePath, depth: int) -> BinaryIO | None:
    """Return a member as an archive when it is one of models; None when it is a file like others."""
    if data.read(4) != b"PK\x03\x04":
        return None
    data.seek(0)
    found: list[Finding] = []
    whole = with_directory(data, found)
    if format_of(whole, path) != ARCHIVE:
        return None
    if depth >= _DEEPEST:
        raise HostileFileError(f"archives lie in archives more than {_DEEPEST} deep; unpack them and give the files")
    whole.seek(0)
    return whole
