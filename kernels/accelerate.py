"""The one door to numba: fast-math flags that keep NaN exact, cache policy, and the first-compile notice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

# Everything of fast-math except "nnan" and "ninf": plain fastmath=True assumes that no NaN
# exists, and then every test for a missing point may be compiled away.
FASTMATH = frozenset({"nsz", "arcp", "contract", "afn", "reassoc"})


def kernel(function: Kernel) -> Kernel:
    """Compile an array function to machine code: cached on disk, releasing the GIL, NaN-exact."""
    compiled: Kernel = numba.njit(cache=True, nogil=True, fastmath=set(FASTMATH), error_model="numpy")(function)
    return compiled
