"""Zip archives on a disk: the models and print jobs in them become files of their own, next to the work."""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path, PurePath
from typing import BinaryIO

from ballistics.errors import HostileFileError, ReadError, UnsupportedFormatError, WriteError
from ballistics.files import reason
from ballistics.findings import Finding
from ballistics.printed.files.archives import Budget, members_of
from ballistics.printed.files.cut_archives import with_directory
from ballistics.printed.files.formats import ARCHIVE, format_of, suffix_of
from ballistics.printed.files.unpacking import unpacked

# Archives of one disk may unpack to this much together; each has limits of its own.
_LIMIT_BYTES = 64 << 30

_PEEKED_BYTES = 4096
NOT_A_MESH = "not a mesh"
REFUSED = "refused"
#: A model or print job of a format, or packed in a way, that is not read: an exhibit all the same.
UNREADABLE = "unreadable model"
#: Its files have rows of their own.
ARCHIVED = "archive"

Files = list[tuple[str, Path]]
# By the name of a file, the verdict and the reason that its row has without being read.
Stated = dict[str, tuple[str, str]]


def with_archived(files: Sequence[tuple[str, Path]], folder: Path) -> tuple[Files, Stated]:
    """Return files with those in zip archives among them, behind their archive, and what is to be said of each archive.

    Parameters
    ----------
    files : sequence of (name, path)
    folder : Path
        Where members are unpacked to, under names of ours; it is emptied first.

    Returns
    -------
    files : list of (name, path)
        A member is named ``archive.zip/inner.stl``.
    stated : dict of str to (verdict, reason)
        Of the archives, and of members that cannot be unpacked. An archive that cannot be opened stays a file like
        others, and is refused when it is read.

    Raises
    ------
    WriteError
        The folder cannot be written.
    """
    remove_unpacked(folder)
    all_files: Files = []
    stated: Stated = {}
    left = _LIMIT_BYTES
    for number, (name, path) in enumerate(files):
        all_files.append((name, path))
        try:
            found, said, size = _unpacked_to(path, name, folder / f"{number:06d}", left)
        except ReadError:
            continue  # it is refused with its reason when it is read
        except OSError as error:
            if not path.is_file():
                continue
            raise WriteError(f"{folder} cannot be written, or {name} not read: {reason(error)}") from error
        stated |= said
        all_files += found
        left -= size
    return all_files, stated


def remove_unpacked(folder: Path) -> None:
    """Remove what was unpacked."""
    shutil.rmtree(folder, ignore_errors=True)


def _unpacked_to(path: Path, name: str, folder: Path, left: int) -> tuple[Files, Stated, int]:
    """Unpack one file if it is an archive of models; return its files, what is to be said of them, and their bytes."""
    if not path.is_file():
        return [], {}, 0
    findings: list[Finding] = []
    with open(path, "rb") as raw, ExitStack() as stack:
        if not _begins_as_zip(raw.read(_PEEKED_BYTES)):
            return [], {}, 0
        raw.seek(0)

        def opened(file: BinaryIO) -> BinaryIO:
            return file if file is raw else stack.enter_context(file)

        file = opened(unpacked(raw, findings))
        file = opened(with_directory(file, findings))
        file.seek(0)
        if format_of(file, path) != ARCHIVE:
            return [], {}, 0
        files: Files = []
        stated: Stated = {}
        size = 0
        for number, member in enumerate(members_of(file, name, Budget())):
            # The name in the archive is not used: only what its suffix says of the format.
            target = folder / f"{number:06d}{_harmless(suffix_of(PurePath(member.name)))}"
            files.append((member.name, target))
            if member.data is None:
                verdict = UNREADABLE if isinstance(member.problem, UnsupportedFormatError) else REFUSED
                stated[member.name] = verdict, f"{type(member.problem).__name__}: {member.problem}"
                continue
            if size > left:
                raise HostileFileError("the archives of this disk unpack to too much")
            folder.mkdir(parents=True, exist_ok=True)
            with open(target, "wb") as out:
                shutil.copyfileobj(member.data, out)
                size += out.tell()
    said = f"{len(files)} models or print jobs inside, each a row of its own"
    said += "".join(f"; {found.message}" for found in findings if found.code == "ends-in-the-middle")
    return files, {name: (ARCHIVED, said), **stated}, size


def _begins_as_zip(start: bytes) -> bool:
    """Whether a file is a zip archive, or one that was packed by gzip."""
    if start.startswith(b"\x1f\x8b"):
        try:
            start = zlib.decompressobj(31).decompress(start, 16)
        except zlib.error:
            return False
    return start.startswith(b"PK\x03\x04")


def _harmless(suffix: str) -> str:
    return suffix if suffix[1:].isalnum() and len(suffix) < 12 else ""
