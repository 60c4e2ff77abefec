"""The one door to numba: fast-math flags that keep NaN exact, and the cache of compiled kernels."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numba
from numba.core import event
from numba.core.compiler_lock import global_compiler_lock

from ballistics_kernels.compile_notice import CompileNotice
from ballistics_kernels.kernel_cache import KernelCache, say_uncached

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

# Everything of fast-math except "nnan" and "ninf": plain fastmath=True assumes that no NaN exists, and then every test
# for a missing point may be compiled away. Even so, reassociation makes np.isfinite of a *computed* value useless in a
# kernel: test values as they are loaded, or compare with a sentinel.
FASTMATH = frozenset({"nsz", "arcp", "contract", "afn", "reassoc"})

event.register("numba:compile", CompileNotice())


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


def _compiled(function: Kernel, *, forceinline: bool) -> Kernel:
    options: dict[str, Any] = {
        "nogil": True, "fastmath": set(FASTMATH), "error_model": "numpy", "forceinline": forceinline,
    }  # fmt: skip
    compiled: Any = numba.njit(**options)(function)
    if not numba.config.DISABLE_JIT:
        _keep(compiled, function)
    found: Kernel = compiled
    return found


def _keep(compiled: Any, function: Any) -> None:
    """Load a kernel from the cache when it is first called, or compile it while others wait, and save it."""
    try:
        compiled._cache = KernelCache(function)
    except RuntimeError as error:  # no folder for the cache can be written
        say_uncached(error)
        return
    compile_ = compiled.compile

    @functools.wraps(compile_)
    def one_at_a_time(sig: Any) -> Any:
        with global_compiler_lock:
            held = KernelCache.held()
            try:
                return compile_(sig)
            finally:
                KernelCache.let_go(held)

    compiled.compile = one_at_a_time
