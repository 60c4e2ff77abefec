"""Cases of a parametrized test of which a few run with every change, and all in the slow set."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def fast_and_slow(fast: Iterable[Any], slow: Iterable[Any]) -> list[Any]:
    """Return the cases of one argument: those for `make test`, and those that are left to `make test-slow`."""
    return [*fast, *(_slow(value) for value in slow)]


def _slow(value: Any) -> Any:
    return pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=pytest.mark.slow)
