"""What the user sees while kernels are compiled: the first use would otherwise seem to hang."""

from __future__ import annotations

import sys

from numba.core import event

# The kernels of the engine, each with the types that it is called with; a command compiles those that it needs.
KERNELS = 125


class CompileNotice(event.Listener):
    """Counts the kernels that are compiled: on a terminal in a line that goes when it is done, elsewhere said once."""

    def __init__(self) -> None:
        self._count = self._depth = 0

    def on_start(self, event: event.Event) -> None:
        """Count a kernel, which is compiled for itself or inside another."""
        if not _is_ours(event):
            return
        self._count += 1
        self._depth += 1
        if sys.stderr.isatty():
            print(f"\r{self._line()}", end="", file=sys.stderr, flush=True)
        elif self._count == 1:
            print(f"ballistics: compiling kernels, once: up to about {KERNELS}", file=sys.stderr, flush=True)

    def on_end(self, event: event.Event) -> None:
        """Leave the terminal as it was."""
        if not _is_ours(event):
            return
        self._depth -= 1
        if not self._depth and sys.stderr.isatty():
            print(f"\r{' ' * len(self._line())}\r", end="", file=sys.stderr, flush=True)

    def _line(self) -> str:
        return f"ballistics: compiling kernels, once: {self._count} of about {KERNELS}"


def _is_ours(event: event.Event) -> bool:
    function = getattr(event.data["dispatcher"], "py_func", None)
    return getattr(function, "__module__", "").startswith(f"{__package__}.")
