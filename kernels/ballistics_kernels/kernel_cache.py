"""Where compiled kernels are kept: one folder per user, named by content, shared by checkouts, installs and processes.

A folder holds the kernels of one module with all that they can inline: its name has a hash of that module, of the
modules of this package that it imports, directly or through others, of `accelerate`, of the versions of Python, numba
and llvmlite, and of numba's options. The same sources compile once, wherever they lie.
"""

from __future__ import annotations

import ast
import errno
import functools
import os
import platform
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from types import FunctionType
from typing import Any

import llvmlite
import numba
from numba.core import caching, config
from numba.misc.appdirs import AppDirs

_PACKAGE = Path(__file__).parent

# Folders that stay, the last used ones: about a dozen versions of all modules, some 100 MB.
_FOLDERS_KEPT = 512

# A folder that is loaded from counts as used today; its time is written once a day only.
_DAY_S = 86_400.0

# Another process compiles a kernel within seconds; one that was stopped, or a lock that a file server keeps, would hold
# for ever. After waiting once for this long, a process waits for no other.
_PATIENCE_S = 60.0
_LOOK_AGAIN_S = 0.05

# Numba's options, from its environment variables, that change the code made.
_OPTIONS = ("OPT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "BOUNDSCHECK", "DEBUGINFO_DEFAULT", "ENABLE_AVX")


def say(text: str) -> None:
    """Write a line to standard error."""
    print(f"ballistics: {text}", file=sys.stderr, flush=True)


# --- What a kernel can inline ---


def sources(path: Path) -> list[Path]:
    """Return a module's file and those of this package that it imports, directly or through others, and `accelerate`.

    Not what `accelerate` imports: where code is kept changes nothing in it.
    """
    found = {_PACKAGE / "accelerate.py"}
    new = {path}
    while new:
        found |= new
        new = {below for file in new for below in _imported(file)} - found
    return sorted(found)


@functools.cache
def _imported(path: Path) -> frozenset[Path]:
    """Return the files of this package that a file imports names from; numba knows no import inside a function."""
    found: set[Path] = set()
    statements = ast.parse(path.read_bytes(), str(path)).body
    outside = (statement for statement in statements if not isinstance(statement, ast.FunctionDef))
    for node in (node for statement in outside for node in ast.walk(statement)):
        if isinstance(node, ast.ImportFrom):
            base = path.parents[node.level - 1] if node.level else _PACKAGE.parent
            base = base.joinpath(*(node.module or "").split("."))
            for alias in node.names:
                found |= _holders(base, alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                found |= _holders(_PACKAGE.parent.joinpath(*alias.name.split(".")), "*")
    return frozenset(found)


def _holders(base: Path, name: str) -> set[Path]:
    """Return the files that may define a name imported from a module or package; none for another package's."""
    if base != _PACKAGE and _PACKAGE not in base.parents:
        return set()
    for file in (base.with_name(f"{base.name}.py"), base / f"{name}.py"):
        if file.is_file():
            return {file}
    face = base / "__init__.pyi"
    if face.is_file():
        for node in ast.parse(face.read_bytes(), str(face)).body:
            if isinstance(node, ast.ImportFrom) and any(name == (alias.asname or alias.name) for alias in node.names):
                return _holders(base.joinpath(*(node.module or "").split(".")), name)
    return set(base.rglob("*.py"))  # not told apart: all of them


@functools.cache
def _content(path: Path) -> bytes:
    """Return the hash of a file, read once: right after its import, so that it is the text that runs."""
    return sha256(path.read_bytes()).digest()


@functools.cache
def _key(path: Path) -> str:
    """Return a hash of all that the machine code of a module's kernels depends on, but for processor and signature."""
    versions = (sys.version, platform.machine(), numba.__version__, llvmlite.__version__)
    options = tuple(str(getattr(config, name, None)) for name in _OPTIONS)
    digest = sha256(repr((versions, options)).encode())
    for file in sources(path):
        digest.update(os.path.relpath(file, _PACKAGE.parent if _PACKAGE in file.parents else file.parent).encode())
        digest.update(_content(file))
    return digest.hexdigest()[:32]


# --- The folder ---


@functools.cache
def root() -> Path | None:
    """Return the folder of all compiled kernels, None when there is no place for one.

    NUMBA_CACHE_DIR, else the user's cache folder, else one of the user's own in the folder of temporary files.
    """
    places: list[tuple[Path, Callable[[Path], bool]]] = [
        (Path(AppDirs("ballistics", appauthor=False).user_cache_dir) / "kernels", _is_writable),
        (Path(tempfile.gettempdir()) / f"ballistics-kernels-{getattr(os, 'getuid', lambda: 0)()}", _is_own),
    ]
    if config.CACHE_DIR:
        places.insert(0, (Path(config.CACHE_DIR) / "ballistics-kernels", _is_writable))
    for number, (place, is_fit) in enumerate(places):
        if is_fit(place):
            if number:
                say(f"{places[0][0]} cannot be written; compiled kernels are kept in {place}")
            return place
    return None


def _is_writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def _is_own(folder: Path) -> bool:
    """Return whether nobody else can write to a folder: what is in it will be run."""
    with suppress(OSError):
        folder.mkdir(mode=0o700)
    try:
        found = folder.lstat()
    except OSError:
        return False
    if not stat.S_ISDIR(found.st_mode) or (hasattr(os, "getuid") and found.st_uid != os.getuid()):
        return False
    return (os.name == "nt" or not found.st_mode & 0o022) and _is_writable(folder)


def prune(folder: Path, kept: int = _FOLDERS_KEPT) -> None:
    """Delete all folders below but the last used ones; a process that still uses one compiles anew."""
    times: list[tuple[float, Path]] = []
    for below in folder.iterdir():
        with suppress(OSError):
            times.append((below.stat().st_mtime, below))
    for _, old in sorted(times, reverse=True)[kept:]:
        shutil.rmtree(old, ignore_errors=True)


class _Locator(caching._CacheLocator):
    """Numba's way to ask where a function's code is kept."""

    def __init__(self, function: FunctionType, file: str, folder: Path) -> None:
        self._py_file = file  # numba names it in its warnings
        self._line = function.__code__.co_firstlineno
        path = Path(file)
        name = path.relative_to(_PACKAGE).with_suffix("").as_posix() if _PACKAGE in path.parents else path.stem
        self._folder = folder / f"{name.replace('/', '.')}-{_key(path)}"

    @classmethod
    def from_function(cls, function: FunctionType, file: str) -> _Locator | None:
        """Return where a function's code is kept, None when there is no place."""
        folder = root()
        return None if folder is None or not os.path.isfile(file) else cls(function, file, folder)

    def ensure_cache_path(self) -> None:
        """Make the folder; a new one takes the place of the one that was unused for longest."""
        if not self._folder.is_dir():
            self._folder.mkdir(parents=True, exist_ok=True)
            prune(self._folder.parent)

    def get_cache_path(self) -> str:
        """Return the folder."""
        return str(self._folder)

    def get_source_stamp(self) -> str:
        """Return what must be the same for the code to be used: the folder's name says it already."""
        return self._folder.name

    def get_disambiguator(self) -> str:
        """Return what tells functions of one name in one file apart."""
        return str(self._line)


class _Implementation(caching.CompileResultCacheImpl):
    _locator_classes = (_Locator,)


# --- One process compiles, the others wait ---


class _Lock:
    """A lock on a file, free again when its holder ends; where the platform has none, nothing is locked."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def take(self, patience_s: float) -> bool:
        """Wait for the lock; return whether to look again for what its last holder saved (False: none, or too long)."""
        began = time.monotonic()
        try:
            self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
            while not _taken(self._handle):
                if time.monotonic() - began >= patience_s:
                    self.release()
                    return False
                time.sleep(_LOOK_AGAIN_S)
        except OSError:  # a file system without locks, or one that cannot be written
            self.release()
            return False
        return True

    def release(self) -> None:
        """Let the next one in."""
        if self._handle is not None:
            with suppress(OSError):
                os.close(self._handle)
            self._handle = None


def _taken(handle: int) -> bool:
    """Return whether the lock on an open file was free; raises OSError where there are no locks."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES, errno.EDEADLK):
            return False
        raise
    return True


# --- Numba's cache of one kernel ---


class KernelCache(caching.FunctionCache):
    """The compiled code of one kernel on disk; whatever goes wrong with it costs time only.

    A kernel that is not there is locked until `let_go`, so that a second process waits for it and loads it. Numba calls
    `load_overload` and `save_overload` inside its one lock on compilation, which is held around `let_go` too.
    """

    _impl_class = _Implementation
    _held: list[_Lock] = []  # noqa: RUF012 - of all kernels, the innermost last: a kernel is compiled inside another
    _patience_s = _PATIENCE_S

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the compiled kernel, None when this process has to compile it."""
        found = self._loaded(sig, target_context)
        if found is not None:
            return found
        lock = _Lock(Path(self.cache_path) / f"{self._impl.filename_base}.lock")
        try:
            self._impl.locator.ensure_cache_path()
        except OSError as error:
            say_uncached(error)
            return None
        if not lock.take(KernelCache._patience_s):
            KernelCache._patience_s = 0.0
            return None
        KernelCache._held.append(lock)
        return self._loaded(sig, target_context)

    def _loaded(self, sig: Any, target_context: Any) -> Any:
        try:
            found = super().load_overload(sig, target_context)
            if found is not None and time.time() - os.stat(self.cache_path).st_mtime > _DAY_S:
                with suppress(OSError):
                    os.utime(self.cache_path)
        except Exception as error:  # whatever a truncated file makes of the pickle in it
            say_uncached(error)
            return None
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a compiled kernel."""
        try:
            super().save_overload(sig, data)
        except Exception as error:  # a full disk; or the index read before, damaged, is read here again
            say_uncached(error)

    @classmethod
    def held(cls) -> int:
        """Return how many kernels are locked by this process."""
        return len(cls._held)

    @classmethod
    def let_go(cls, held: int) -> None:
        """Unlock all kernels but those locked before."""
        while len(cls._held) > held:
            cls._held.pop().release()


_said_uncached: list[str] = []


def say_uncached(error: Exception) -> None:
    """Say once that compiled kernels are not kept, and why."""
    if not _said_uncached:
        _said_uncached.append(str(error))
        say(
            f"compiled kernels cannot be kept ({type(error).__name__}: {str(error)[:160]}); every start "
            "compiles them anew. Let NUMBA_CACHE_DIR name a folder that can be written"
        )
