"""Durable writing: when a function of this module returns, the whole file is on the disk."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from ballistics.errors import WriteError
from ballistics.files.paths import real_path

_PART = ".part"
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK)


def write_whole(
    path: Path, data: bytes, *, overwrite: bool = True, left: str = "choose another place", mode: int = 0o644
) -> None:
    """Write a file whole or not at all; when this returns, it is on the disk under its name.

    Parameters
    ----------
    path : Path
        Its folder must exist.
    data : bytes
        Content.
    overwrite : bool
        Whether a file that exists is replaced.
    left : str
        What to do when it cannot be written, or what was lost; ends the message.
    mode : int
        Who may read and write it; until it is whole, its owner alone.

    Raises
    ------
    WriteError
        When it exists and is not to be replaced, or cannot be written; what was there is untouched.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_whole(Path(folder, "a.txt"), b"one")
    ...     write_whole(Path(folder, "a.txt"), b"two")
    ...     Path(folder, "a.txt").read_bytes(), len(list(Path(folder).iterdir()))
    (b'two', 1)
    """
    with written_whole(path, overwrite=overwrite, left=left, mode=mode) as temporary, open(temporary, "wb") as file:
        file.write(data)


@contextmanager
def written_whole(
    path: Path, *, overwrite: bool = True, left: str = "choose another place", mode: int = 0o644
) -> Iterator[Path]:
    """Give a temporary path in the same folder; at the end of the block, move that file into place, durably.

    What a killed process left of the same file is removed.

    Parameters
    ----------
    path : Path
        Where the file comes to lie. Its folder must exist.
    overwrite : bool
        Whether a file that exists is replaced.
    left : str
        What to do when it cannot be written, or what was lost; ends the message.
    mode : int
        Who may read and write it; until it is whole, its owner alone.

    Yields
    ------
    Path
        An empty file to be written over in the block; if the block fails, it is removed and ``path`` is as before.

    Raises
    ------
    WriteError
        When it exists and is not to be replaced, or cannot be written; what was there is untouched.
    """
    try:
        folder = real_path(path).parent
        _remove_stale(folder, path.name)
        temporary = folder / f"{_prefix(path.name)}{_owner()}-{uuid4().hex[:8]}{_PART}"
        try:
            os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            yield temporary
            with open(temporary, "rb+") as file:
                os.fsync(file.fileno())
            os.chmod(temporary, mode)
            _put_in_place(temporary, path, overwrite)
            sync_folder(folder)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise WriteError(f"{path} cannot be written: {reason(error)}; {left}") from error


def sync_folder(folder: Path) -> None:
    """Flush a folder's list of names to the disk: without it, a power cut can lose a new file."""
    if os.name == "nt":  # Windows writes it with the file, and cannot open a folder
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network shares keep their lists of names themselves, and refuse the order.
        if error.errno not in (errno.EINVAL, errno.EBADF, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def reason(error: OSError) -> str:
    """Return in words why the operating system refused; never empty, never "None"."""
    return str(error.strerror or error.args[-1] if error.args else "") or type(error).__name__


def is_temporary(name: str, of: str | None = None) -> bool:
    """Return whether a file's name is that of a temporary file of this module (of a certain file).

    Examples
    --------
    >>> is_temporary(".a.txt.0abc-12-00000000.part", "a.txt"), is_temporary("a.txt")
    (True, False)
    """
    return name.endswith(_PART) and name.startswith("." if of is None else _prefix(of))


def _put_in_place(temporary: Path, path: Path, overwrite: bool) -> None:
    if overwrite:
        os.replace(temporary, path)
        return
    exists = WriteError(f"{path} exists; choose another name, or overwrite it")
    try:
        os.link(temporary, path)  # fails, without a race, when the name is taken
    except FileExistsError:
        raise exists from None
    except OSError as error:  # a file system without hard links
        if error.errno not in _NO_LINKS:
            raise
        if path.exists():
            raise exists from None
        os.replace(temporary, path)


def _prefix(name: str) -> str:
    # A name may fill all 255 bytes that a file system allows; its checksum stands for it then.
    short = name if len(name.encode("utf-8", "surrogateescape")) <= 180 else f"{zlib.crc32(os.fsencode(name)):08x}"
    return f".{short}."


def _owner() -> str:
    return f"{zlib.crc32(socket.gethostname().encode()):08x}-{os.getpid()}"


def _remove_stale(folder: Path, name: str) -> None:
    """Remove temporary files of a name whose process on this machine is no more."""
    if os.name == "nt":  # there, asking for a process by its number ends it
        return
    host = _owner().partition("-")[0]
    for found in os.listdir(folder):
        if not is_temporary(found, name):
            continue
        words = found.removeprefix(_prefix(name)).removesuffix(_PART).split("-")
        if len(words) == 3 and words[0] == host and words[1].isdecimal() and not _is_running(int(words[1])):
            with contextlib.suppress(OSError):
                (folder / found).unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
