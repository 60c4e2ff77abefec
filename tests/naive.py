"""Plain twins of every kernel: the same definition, loop for loop, with no regard for speed."""

from __future__ import annotations
