"""Cases of a parametrized test of which a few run with every change, and all in the slow set."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def fast_and_slow(fast: Iterable[Any], slow: Iterable[Any]) -> list[Any]:
    """Return the cases of one argument: those for `make test`, and those that are left to `make test-slow`."""
    return [*fast, *(pytest.param(value, marks=pytest.mark.slow) for value in slow)]
