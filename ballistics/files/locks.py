"""A lock on a folder between processes: only its holder writes, and it is free again when the holder ends."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ballistics.errors import WriteError
from ballistics.files.durable import reason

_LOOK_AGAIN_S = 0.2


@contextmanager
def locked(path: Path, *, waiting: Callable[[], None] | None = None, patience_s: float | None = None) -> Iterator[None]:
    """Hold a lock file while the block runs; it is deleted at the end.

    Parameters
    ----------
    path : Path
        The lock file; its folder must exist.
    waiting : callable, optional
        Told once, when another process holds the lock.
    patience_s : float, optional
        How long to wait for it. Default: as long as it takes; a holder that ends, however, lets go.

    Raises
    ------
    WriteError
        When another process held it all the time, or the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, locked(Path(folder, "lock")):
    ...     try:
    ...         with locked(Path(folder, "lock"), patience_s=0.0):
    ...             pass
    ...     except WriteError as error:
    ...         print(str(error).removeprefix(folder)[1:])
    lock: another process is writing there; nothing was changed, try again when it has finished
    """
    began, told = time.monotonic(), False
    try:
        while (handle := _taken(path)) is None:
            if patience_s is not None and time.monotonic() - began >= patience_s:
                raise WriteError(
                    f"{path}: another process is writing there; nothing was changed, try again when it has finished"
                )
            if waiting is not None and not told:
                waiting()
                told = True
            time.sleep(_LOOK_AGAIN_S)
    except OSError as error:
        raise WriteError(f"{path.parent} cannot be written: {reason(error)}; nothing was changed") from error
    try:
        yield
    finally:
        # Deleted while it is held: whoever waits for this very file sees that its name is gone, and begins anew.
        with contextlib.suppress(OSError):
            path.unlink()
        os.close(handle)


def _taken(path: Path) -> int | None:
    """Return the open lock file, None when another process holds it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
    try:
        if _lock(handle) and _is_there(path, handle):
            return handle
    except BaseException:
        os.close(handle)
        raise
    os.close(handle)
    return None


def _is_there(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(handle))
    except FileNotFoundError:
        return False


if os.name == "nt":

    def _lock(handle: int) -> bool:
        import msvcrt

        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True

else:

    def _lock(handle: int) -> bool:
        import fcntl

        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
