"""The one door to numba: fast-math flags that keep NaN exact, cache policy, and the first-compile notice."""

from __future__ import annotations

import sys
from collections.abc import Callable
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


def kernel(function: Kernel) -> Kernel:
    """Compile an array function to machine code: cached on disk, releasing the GIL, NaN-exact."""
    compiled: Kernel = numba.njit(cache=True, nogil=True, fastmath=set(FASTMATH), error_model="numpy")(function)
    return compiled
