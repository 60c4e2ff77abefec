"""The one door to numba: fast-math flags that keep NaN exact, cache policy, and the first-compile notice."""

from __future__ import annotations

import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import numba
from numba.core import event

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

# Everything of fast-math except "nnan" and "ninf": plain fastmath=True assumes that no NaN exists, and then every test
# for a missing point may be compiled away. Even so, reassociation makes np.isfinite of a *computed* value useless in a
# kernel: test values as they are loaded, or compare with a sentinel.
FASTMATH = frozenset({"nsz", "arcp", "contract", "afn", "reassoc"})


# A first compile of every kernel on one core of 2024, rounded up; later starts load them from the cache.
_COMPILE_SECONDS = 30


class _FirstCompile(event.Listener):
    """Says once, on standard error, that kernels are being compiled: the first use would otherwise seem to hang."""

    def on_start(self, event: event.Event) -> None:
        if not self.said:
            self.said = True
            print(f"ballistics: compiling kernels, once: about {_COMPILE_SECONDS} s", file=sys.stderr, flush=True)

    def on_end(self, event: event.Event) -> None:
        pass

    said = False


event.register("numba:compile", _FirstCompile())


def _all_sources() -> str:
    """Return a hash of every file of this folder and those below."""
    return sha256(b"".join(file.read_bytes() for file in sorted(Path(__file__).parent.rglob("*.py")))).hexdigest()


_SOURCES = _all_sources()


def kernel(function: Kernel) -> Kernel:
    """Compile an array function to machine code: cached on disk, releasing the GIL, NaN-exact."""
    return _compiled(function, forceinline=False)


def helper(function: Kernel) -> Kernel:
    """Compile a function that only kernels call, into each of them.

    The process that compiles kernels has a copy of every function by itself and one inside each caller, optimised
    differently, and may take the former; later processes, which load the caller from the cache, take the latter. With
    sums reordered the last digits of their results differed. What is inlined has one copy.
    """
    return _compiled(function, forceinline=True)


def _say_uncached(error: Exception) -> None:
    if not _said_uncached:
        _said_uncached.append(str(error))
        print(
            f"ballistics: compiled kernels cannot be kept ({type(error).__name__}: {str(error)[:160]}); every start "
            "compiles them anew. Let NUMBA_CACHE_DIR name a folder that can be written",
            file=sys.stderr,
            flush=True,
        )


_said_uncached: list[str] = []


def _forgive(cache: Any) -> None:
    """Let a cache that cannot be read or written cost time only: the kernel is compiled again."""
    load, save = cache.load_overload, cache.save_overload

    def load_overload(sig: Any, target_context: Any) -> Any:
        try:
            return load(sig, target_context)
        except Exception as error:  # whatever a truncated file makes of the pickle in it
            _say_uncached(error)
            return None

    def save_overload(sig: Any, data: Any) -> None:
        try:
            save(sig, data)
        except Exception as error:  # a full disk; or the index read before, damaged, is read here again
            _say_uncached(error)

    cache.load_overload, cache.save_overload = load_overload, save_overload


def _compiled(function: Kernel, *, forceinline: bool) -> Kernel:
    options: dict[str, Any] = {
        "nogil": True, "fastmath": set(FASTMATH), "error_model": "numpy", "forceinline": forceinline,
    }  # fmt: skip
    compiled: Any
    try:
        compiled = numba.njit(cache=True, **options)(function)
    except RuntimeError as error:  # no folder for the cache can be written: not this one, nor the user's
        _say_uncached(error)
        compiled = numba.njit(**options)(function)
    # Numba looks at the function's own file only, and would go on using code into which a kernel of another file,
    # since changed, was inlined. (Without compilation there is no cache.)
    if hasattr(compiled, "_cache") and hasattr(compiled._cache, "_cache_file"):
        compiled._cache._cache_file._source_stamp = _SOURCES
        _forgive(compiled._cache)
    found: Kernel = compiled
    return found
